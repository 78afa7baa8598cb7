//! Checked newtypes for every identifier, hash and one-line text. Each checks in its constructor, and serde goes through that constructor.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

use crate::limits::{ID_CHARS_MAX, LINE_BYTES_MAX, RAW_TEXT_BYTES_MAX, REQUEST_CHARS_MAX};

/// Why a text is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {rule}")]
pub struct IdError {
    /// Which newtype refused.
    pub what: &'static str,
    /// What it asks for.
    pub rule: &'static str,
}

macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $pattern:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "SmolStr")]
        pub struct $name(SmolStr);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        impl $name {
            /// Checks and takes a text.
            ///
            /// # Errors
            /// Says what the type asks for.
            pub fn new(text: impl Into<SmolStr>) -> Result<Self, IdError> {
                let text = text.into();
                let check: fn(&str) -> bool = $check;
                if check(&text) { Ok(Self(text)) } else { Err(IdError { what: $what, rule: $rule }) }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                // Patterns are for tools; what they cannot say the rule does.
                schemars::json_schema!({ "type": "string", "description": concat!($what, " ", $rule), "pattern": $pattern })
            }
        }

        impl TryFrom<SmolStr> for $name {
            type Error = IdError;
            fn try_from(text: SmolStr) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl core::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn random_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| (4..=32).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn slug(text: &str) -> bool {
    (1..=ID_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

text_newtype!(
    /// A person: `P-` and 4 to 32 random letters or digits. Never a name.
    PersonId, "a person id", "is P- followed by 4 to 32 letters or digits", "^P-[A-Za-z0-9]{4,32}$", |t| random_id(t, "P-")
);
text_newtype!(
    /// An authenticated principal (a person's account, a gateway, the sequencer): `pr-` and 4 to 32 random letters or digits.
    PrincipalId, "a principal id", "is pr- followed by 4 to 32 letters or digits", "^pr-[A-Za-z0-9]{4,32}$", |t| random_id(t, "pr-")
);
text_newtype!(
    /// A submission: `S-` and 4 to 32 random letters or digits. Names neither model nor provider.
    SubmissionId, "a submission id", "is S- followed by 4 to 32 letters or digits", "^S-[A-Za-z0-9]{4,32}$", |t| random_id(t, "S-")
);
text_newtype!(
    /// An organization, such as `nist` or `nsa-aisc`.
    OrganizationId, "an organization id", "is letters, digits, '-', '_' or '.', at most 96", "^[A-Za-z0-9][A-Za-z0-9_.-]{0,95}$", slug
);
text_newtype!(
    /// A provider (a lab that develops models), such as `anthropic`.
    ProviderId, "a provider id", "is letters, digits, '-', '_' or '.', at most 96", "^[A-Za-z0-9][A-Za-z0-9_.-]{0,95}$", slug
);
text_newtype!(
    /// An issuer: `cik-0001045810` where the SEC knows it, an own id where it is private.
    IssuerId, "an issuer id", "is letters, digits, '-', '_' or '.', at most 96", "^[A-Za-z0-9][A-Za-z0-9_.-]{0,95}$", slug
);
text_newtype!(
    /// An AI model, as public catalogues name it: the lab, a slash, the model, such as `anthropic/claude-opus-4`.
    ModelId, "a model id", "is letters, digits, '-', '_', '.' or '/', at most 96", "^[A-Za-z0-9][A-Za-z0-9_./-]{0,95}$",
    |t| slug(&t.replace('/', "-")) && !t.starts_with('/')
);
text_newtype!(
    /// Another record that needs a name of its own: an exposure edge, agreement, recusal, list, list item, policy.
    RecordId, "a record id", "is letters, digits, '-', '_' or '.', at most 96", "^[A-Za-z0-9][A-Za-z0-9_.-]{0,95}$", slug
);
text_newtype!(
    /// A word of a small vocabulary told by somebody else, such as an access event's action: lower case, digits, `-`, `_`, `.`; at most 32.
    Token, "a token", "is lower-case letters, digits, '-', '_' or '.', at most 32", "^[a-z0-9_.-]{1,32}$",
    |t| (1..=32).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
);
text_newtype!(
    /// One line of text: not empty, at most 1,024 bytes, no control characters, none of Unicode's bidirectional controls (they make a line
    /// read as another).
    Line, "a line of text", "is 1 to 1,024 bytes without control or bidirectional characters", "^[^\\u0000-\\u001F\\u007F-\\u009F\\u202A-\\u202E\\u2066-\\u2069\\u2028\\u2029]{1,1024}$",
    |t| (1..=LINE_BYTES_MAX).contains(&t.len())
        && (t.bytes().all(|b| (b' '..=b'~').contains(&b)) || !t.chars().any(|c| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')))
);
text_newtype!(
    /// Text as a source wrote it, line breaks, tabs and odd characters included: 1 to 4,096 bytes, no NUL. Shown only defused.
    RawText, "raw text", "is 1 to 4,096 bytes without NUL", "^[^\\u0000]{1,4096}$",
    |t| (1..=RAW_TEXT_BYTES_MAX).contains(&t.len()) && !t.contains('\0')
);
text_newtype!(
    /// An idempotency key: letters, digits, `-`, `_`, and after the first part `/` with a part number.
    RequestKey, "an idempotency key", "is letters, digits, '-', '_' or '/', at most 80", "^[A-Za-z0-9_/-]{1,80}$",
    |t| (1..=REQUEST_CHARS_MAX).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/".contains(&b))
);
text_newtype!(
    /// What a requester gets instead of a position in the ledger: `R-` and 4 to 32 random letters or digits.
    Reference, "a reference", "is R- followed by 4 to 32 letters or digits", "^R-[A-Za-z0-9]{4,32}$", |t| random_id(t, "R-")
);
text_newtype!(
    /// A calendar date, `YYYY-MM-DD`, UTC. Texts of this form order as dates do. The pattern knows how long months are, and leap years.
    Date, "a date", "is YYYY-MM-DD in the Gregorian calendar", "^([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)$",
    |t| t.len() == 10 && t.parse::<jiff::civil::Date>().is_ok_and(|d| d.to_string() == t)
);

impl Date {
    /// The date a time falls on, UTC.
    pub fn of(at: crate::time::Micros) -> Self {
        Self(at.timestamp().to_zoned(jiff::tz::TimeZone::UTC).date().to_string().into())
    }

    /// The date before; none before year -9999.
    pub fn day_before(&self) -> Option<Self> {
        let date: jiff::civil::Date = self.0.parse().ok()?;
        Some(Self(date.yesterday().ok()?.to_string().into()))
    }

    /// Midnight UTC at the start of the date.
    pub fn start(&self) -> Option<crate::time::Micros> {
        let date: jiff::civil::Date = self.0.parse().ok()?;
        let micros = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond();
        crate::time::Micros::new(u64::try_from(micros).ok()?).ok()
    }
}

/// The position of an entry, as records refer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct LeafIndex(pub u64);

impl fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// 32 bytes of hash: a byte string in CBOR, hex in JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash32(pub [u8; 32]);

impl fmt::Display for Hash32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash32({self})")
    }
}

impl Serialize for Hash32 {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.collect_str(self) } else { serde_bytes::Bytes::new(&self.0).serialize(s) }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Hash32 {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hash32".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "32 bytes in hex", "pattern": "^[0-9a-f]{64}$" })
    }
}

impl<'de> Deserialize<'de> for Hash32 {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let bytes = if d.is_human_readable() {
            hex::decode(String::deserialize(d)?).map_err(D::Error::custom)?
        } else {
            serde_bytes::ByteBuf::deserialize(d)?.into_vec()
        };
        Ok(Self(bytes.try_into().map_err(|_| D::Error::custom("a hash is 32 bytes"))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_refuse_names_and_tricks() {
        assert!(PersonId::new("P-0006").is_ok());
        for bad in ["P-", "P-12", "0006", "P-Ada Lovelace", "P-abcd/ef", ""] {
            assert!(PersonId::new(bad).is_err(), "{bad}");
        }
        assert!(Line::new("Evaluate cyber capability").is_ok());
        for bad in ["", "two\nlines", "flip\u{202e}ped", "nul\0"] {
            assert!(Line::new(bad).is_err(), "{bad:?}");
        }
        assert!(serde_json::from_str::<PersonId>("\"Ada\"").is_err());
        for bad in ["2026-02-30", "2026-1-01", "20260101", "+2026-01-01"] {
            assert!(Date::new(bad).is_err(), "{bad}");
        }
        let d = Date::new("2026-06-01").unwrap();
        assert_eq!(Date::of(d.start().unwrap()), d);
    }
}
