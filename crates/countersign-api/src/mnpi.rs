//! What may be material non-public information, and must not be said by accident: a value in here reads, and is written nowhere but by whoever opens it.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What stands in the place of the value.
const WITHHELD: &str = "[withheld]";

/// A value that formatting, logging and serializing do not show. Opening it is one word, to be looked for in a review.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Mnpi<T>(T);

impl<T> Mnpi<T> {
    /// Shuts a value in.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value.
    pub fn open(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Mnpi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(WITHHELD)
    }
}

impl<T> fmt::Display for Mnpi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(WITHHELD)
    }
}

impl<T> Serialize for Mnpi<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(WITHHELD)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Mnpi<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        T::deserialize(d).map(Self)
    }
}

/// As clients send it: the value alone.
impl<T: JsonSchema> JsonSchema for Mnpi<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{AccessBody, GrantBody, ImportBody, MoveBody};

    #[test]
    fn nothing_says_it_but_whoever_opens_it() {
        let value: Mnpi<String> = serde_json::from_str("\"CANARY\"").unwrap();
        for said in [format!("{value}"), format!("{value:?}"), format!("{value:#?}"), serde_json::to_string(&value).unwrap()] {
            assert!(said.contains("withheld") && !said.contains("CANARY"), "{said}");
        }
        assert_eq!(value.open(), "CANARY");
    }

    #[test]
    fn bodies_do_not_say_what_people_wrote_into_them() {
        let access = r#"{"person":"P-0001","submission":"S-0001","action":"view","occurred_at":"2026-06-01T09:00:00Z","artefact":"CANARY",
            "source":"CANARY","source_id":"CANARY","session":"CANARY","detail":{"CANARY":"CANARY"}}"#;
        let said = [
            format!("{:?}", serde_json::from_str::<AccessBody>(access).unwrap()),
            format!("{:?}", serde_json::from_str::<GrantBody>(r#"{"person":"P-0001","submission":"S-0001","duty":"CANARY"}"#).unwrap()),
            format!("{:?}", serde_json::from_str::<MoveBody>(r#"{"reason":"CANARY"}"#).unwrap()),
            format!(
                "{:?}",
                serde_json::from_str::<ImportBody>(r#"{"source":"people","file":"CANARY","people":"CANARY","mapping":"CANARY"}"#).unwrap()
            ),
        ];
        assert!(said.iter().all(|said| said.contains("withheld") && !said.contains("CANARY")), "{said:?}");
    }
}
