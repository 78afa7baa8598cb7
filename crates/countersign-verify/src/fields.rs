//! Typed access to the fields of the records that the format itself defines. Anything missing, unknown or of another type is named.

use ciborium::Value;
use countersign_entry::content::{COMMON, Content};

/// A field that is not what the format says.
#[derive(Debug)]
pub(crate) struct FieldFault {
    pub field: String,
    pub detail: String,
}

type Checked<T> = Result<T, FieldFault>;

/// The fields of one content.
pub(crate) struct Fields<'a>(pub &'a Content);

impl<'a> Fields<'a> {
    /// Refuses fields other than `required`, `optional` and the common four, and the absence of a required one.
    pub fn only(&self, required: &[&str], optional: &[&str]) -> Checked<()> {
        let known = |name: &str| COMMON.contains(&name) || required.contains(&name) || optional.contains(&name);
        if let Some((name, _)) = self.0.fields().iter().find(|(name, _)| !known(name)) {
            return Err(FieldFault { field: name.clone(), detail: "no such field in this record".to_owned() });
        }
        required.iter().try_for_each(|name| self.value(name).map(|_| ()))
    }

    pub fn text(&self, name: &str) -> Checked<&'a str> {
        self.value(name)?.as_text().ok_or_else(|| fault(name, "not text"))
    }

    pub fn bytes(&self, name: &str) -> Checked<&'a [u8]> {
        self.value(name)?.as_bytes().map(Vec::as_slice).ok_or_else(|| fault(name, "not a byte string"))
    }

    pub fn hash(&self, name: &str) -> Checked<[u8; 32]> {
        self.bytes(name)?.try_into().map_err(|_| fault(name, "not 32 bytes"))
    }

    pub fn uint(&self, name: &str) -> Checked<u64> {
        let Value::Integer(i) = self.value(name)? else { return Err(fault(name, "not an integer")) };
        u64::try_from(i128::from(*i)).map_err(|_| fault(name, "negative"))
    }

    pub fn key_id(&self, name: &str) -> Checked<u32> {
        u32::try_from(self.uint(name)?).map_err(|_| fault(name, "beyond 32 bits"))
    }

    pub fn texts(&self, name: &str) -> Checked<Vec<&'a str>> {
        let Value::Array(items) = self.value(name)? else { return Err(fault(name, "not an array")) };
        items.iter().map(|v| v.as_text().ok_or_else(|| fault(name, "not an array of texts"))).collect()
    }

    pub fn value(&self, name: &str) -> Checked<&'a Value> {
        self.0.value(name).ok_or_else(|| fault(name, "missing"))
    }
}

fn fault(field: &str, detail: &str) -> FieldFault {
    FieldFault { field: field.to_owned(), detail: detail.to_owned() }
}
