//! What an entry says: a map from text keys to salted fields, and the commitments that bind them (ledger-format section 4).

use ciborium::Value;
use sha2::{Digest, Sha256};

use crate::canonical::{self, Fields};
use crate::cbor::{self, CborError};

/// The four fields every content has and none may lose.
pub const COMMON: [&str; 4] = ["type", "at", "actor", "request"];
/// The signature of whoever asked, over the request ([`crate::request`]). Not in every content; where it is, it is never erased either.
pub const SIGNED: &str = "signed";

/// One field: its salt and value, or, once erased, the commitment alone.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// `[salt, value]`.
    Shown {
        /// 16 random bytes, fresh for each field.
        salt: [u8; 16],
        /// The value.
        value: Value,
    },
    /// `SHA-256(CBOR [salt, value])` of a field that was redacted.
    Erased([u8; 32]),
}

/// Content in its canonical key order.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    fields: Vec<(String, Field)>,
}

/// Why bytes are not a content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Not deterministic CBOR.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// Not a map from text keys.
    #[error("content is not a map with text keys")]
    NotATextMap,
    /// A field that is neither `[salt, value]` nor an erased commitment.
    #[error("field {0:?} is neither [16-byte salt, value] nor a 32-byte commitment")]
    BadField(String),
    /// One of the four common fields is absent, erased or of another type; or the signature is.
    #[error("common field {0:?} is missing, erased or of the wrong type")]
    Common(&'static str),
}

/// The four common fields, typed, and the signature of whoever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The record type, such as `access.event`.
    pub kind: String,
    /// Microseconds since the Unix epoch, UTC: the exact time of recording.
    pub at: u64,
    /// The random id of the authenticated principal.
    pub actor: String,
    /// The idempotency key, with a part number where one request makes several entries.
    pub request: String,
    /// `COSE_Sign1` by the actor's own key over the request, where there is one.
    pub signed: Option<Vec<u8>>,
    /// Fields were redacted, so nothing that was signed over them can be held against them any more.
    pub erased: bool,
}

/// A content's bytes and its `content_hash`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Canonical CBOR.
    pub bytes: Vec<u8>,
    /// `SHA-256(CBOR {key: commitment, …})`.
    pub hash: [u8; 32],
}

/// Canonical bytes and content hash of fields whose values are encoded already: what [`Content::encode`] gives for the same fields, without the
/// values in between. Draws one salt for each field, in the order of the fields.
///
/// # Errors
/// The same key twice.
pub fn encode(fields: &Fields, mut salt: impl FnMut() -> [u8; 16]) -> Result<Encoded, ContentError> {
    let salts: Vec<[u8; 16]> = fields.iter().map(|_| salt()).collect();
    let mut bytes = Vec::with_capacity(fields.iter().map(|(key, value)| key.len() + 18 + value.len()).sum::<usize>() + 3);
    let mut commitments = Vec::with_capacity(salts.len() * 64);
    cbor::head(&mut bytes, 5, salts.len() as u64);
    commitments.extend_from_slice(&bytes);
    for at in canonical::order(fields.iter().map(|(key, _)| key))? {
        let (key, value) = fields.at(at);
        let salt = salts.get(at).ok_or_else(|| ContentError::BadField(format!("number {at}")))?;
        bytes.extend_from_slice(key);
        let start = bytes.len();
        bytes.extend_from_slice(&[0x82, 0x50]);
        bytes.extend_from_slice(salt);
        bytes.extend_from_slice(value);
        commitments.extend_from_slice(key);
        commitments.extend_from_slice(&[0x58, 0x20]);
        commitments.extend_from_slice(&Sha256::digest(bytes.get(start..).unwrap_or_default()));
    }
    Ok(Encoded { bytes, hash: Sha256::digest(&commitments).into() })
}

impl Content {
    /// Builds a content, drawing one salt for each field from `salt`.
    pub fn new(fields: Vec<(String, Value)>, mut salt: impl FnMut() -> [u8; 16]) -> Self {
        Self::from_fields(fields.into_iter().map(|(k, value)| (k, Field::Shown { salt: salt(), value })).collect())
    }

    /// Builds a content from fields as they are, in any order.
    pub fn from_fields(mut fields: Vec<(String, Field)>) -> Self {
        // Bytewise order of the encoded keys: for text that is length of the head, then length, then bytes; heads order as lengths do.
        fields.sort_by(|a, b| (a.0.len(), a.0.as_bytes()).cmp(&(b.0.len(), b.0.as_bytes())));
        Self { fields }
    }

    /// The fields in canonical order.
    pub fn fields(&self) -> &[(String, Field)] {
        &self.fields
    }

    /// The value of a field that is present and not erased.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.fields.iter().find(|(k, _)| k == key).and_then(|(_, f)| match f {
            Field::Shown { value, .. } => Some(value),
            Field::Erased(_) => None,
        })
    }

    /// Names of the fields that stand erased.
    pub fn erased(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(|(_, f)| matches!(f, Field::Erased(_))).map(|(k, _)| k.as_str())
    }

    /// The same content with `key` replaced by its commitment; `None` where the field is absent or erased already.
    ///
    /// # Errors
    /// A value that has no encoding.
    pub fn erase(&self, key: &str) -> Result<Option<Self>, ContentError> {
        let mut out = self.clone();
        for (k, f) in &mut out.fields {
            if k == key && matches!(f, Field::Shown { .. }) {
                *f = Field::Erased(f.commitment()?);
                return Ok(Some(out));
            }
        }
        Ok(None)
    }

    /// Canonical bytes and content hash in one pass.
    ///
    /// # Errors
    /// A value that has no encoding, or the same key twice.
    pub fn encode(&self) -> Result<Encoded, ContentError> {
        let mut bytes = Vec::with_capacity(64 * self.fields.len());
        let mut hasher = Sha256::new();
        let mut key_bytes = Vec::with_capacity(24);
        cbor::head(&mut bytes, 5, self.fields.len() as u64);
        hasher.update(&bytes);
        if self.fields.windows(2).any(|w| matches!(w, [a, b] if a.0 == b.0)) {
            return Err(CborError::DuplicateKey(0).into());
        }
        for (key, field) in &self.fields {
            key_bytes.clear();
            cbor::text(&mut key_bytes, key);
            bytes.extend_from_slice(&key_bytes);
            let start = bytes.len();
            field.write(&mut bytes)?;
            let commitment = match field {
                Field::Erased(c) => *c,
                Field::Shown { .. } => Sha256::digest(bytes.get(start..).unwrap_or_default()).into(),
            };
            hasher.update(&key_bytes);
            hasher.update([0x58, 0x20]);
            hasher.update(commitment);
        }
        Ok(Encoded { bytes, hash: hasher.finalize().into() })
    }

    /// Reads a content back; accepted bytes are the one encoding of what is returned.
    ///
    /// # Errors
    /// What the bytes break, and where.
    pub fn decode(bytes: &[u8]) -> Result<Self, ContentError> {
        let Value::Map(pairs) = cbor::decode(bytes)? else { return Err(ContentError::NotATextMap) };
        let mut fields = Vec::with_capacity(pairs.len());
        for (k, v) in pairs {
            let Value::Text(key) = k else { return Err(ContentError::NotATextMap) };
            let field = match v {
                Value::Bytes(c) => Field::Erased(c.try_into().map_err(|_| ContentError::BadField(key.clone()))?),
                Value::Array(pair) => match <[Value; 2]>::try_from(pair) {
                    Ok([Value::Bytes(salt), value]) => {
                        Field::Shown { salt: salt.try_into().map_err(|_| ContentError::BadField(key.clone()))?, value }
                    }
                    _ => return Err(ContentError::BadField(key)),
                },
                _ => return Err(ContentError::BadField(key)),
            };
            fields.push((key, field));
        }
        Ok(Self { fields })
    }

    /// The four common fields, and the signature of whoever asked.
    ///
    /// # Errors
    /// Names the first that is missing, erased or of another type. Only the signature may be missing.
    pub fn meta(&self) -> Result<Meta, ContentError> {
        let text = |key: &'static str| match self.value(key) {
            Some(Value::Text(t)) => Ok(t.clone()),
            _ => Err(ContentError::Common(key)),
        };
        let at = match self.value("at") {
            Some(Value::Integer(i)) => u64::try_from(i128::from(*i)).map_err(|_| ContentError::Common("at"))?,
            _ => return Err(ContentError::Common("at")),
        };
        let signed = match self.fields.iter().find(|(key, _)| key == SIGNED).map(|(_, field)| field) {
            None => None,
            Some(Field::Shown { value: Value::Bytes(signed), .. }) => Some(signed.clone()),
            Some(_) => return Err(ContentError::Common(SIGNED)),
        };
        let erased = self.erased().next().is_some();
        Ok(Meta { kind: text("type")?, at, actor: text("actor")?, request: text("request")?, signed, erased })
    }
}

impl Field {
    /// The field's commitment.
    ///
    /// # Errors
    /// A value that has no encoding.
    pub fn commitment(&self) -> Result<[u8; 32], ContentError> {
        match self {
            Field::Erased(c) => Ok(*c),
            Field::Shown { .. } => {
                let mut bytes = Vec::with_capacity(64);
                self.write(&mut bytes)?;
                Ok(Sha256::digest(&bytes).into())
            }
        }
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<(), ContentError> {
        match self {
            Field::Erased(c) => {
                out.extend_from_slice(&[0x58, 0x20]);
                out.extend_from_slice(c);
            }
            Field::Shown { salt, value } => {
                out.extend_from_slice(&[0x82, 0x50]);
                out.extend_from_slice(salt);
                cbor::encode_into(out, value, 2)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Content {
        let mut n = 0u8;
        let fields =
            [("type", Value::from("padding")), ("at", Value::from(5)), ("actor", Value::from("pr-0001")), ("request", Value::from("r"))];
        Content::new(fields.map(|(k, v)| (k.to_owned(), v)).into(), || {
            n += 1;
            [n; 16]
        })
    }

    #[test]
    fn erasing_keeps_the_hash_and_changes_the_bytes() {
        let whole = sample().encode().unwrap();
        let erased = sample().erase("at").unwrap().unwrap().encode().unwrap();
        assert_eq!(whole.hash, erased.hash);
        assert_ne!(whole.bytes, erased.bytes);
        assert_eq!(Content::decode(&erased.bytes).unwrap().meta(), Err(ContentError::Common("at")));
        assert_eq!(sample().erase("nothing").unwrap(), None);
    }

    #[test]
    fn the_hash_is_that_of_the_map_of_commitments() {
        let c = sample();
        let map =
            Value::Map(c.fields().iter().map(|(k, f)| (Value::from(k.as_str()), Value::Bytes(f.commitment().unwrap().to_vec()))).collect());
        assert_eq!(c.encode().unwrap().hash, <[u8; 32]>::from(Sha256::digest(cbor::encode(&map).unwrap())));
    }

    #[test]
    fn decode_is_the_inverse_and_names_bad_fields() {
        let e = sample().encode().unwrap();
        assert_eq!(Content::decode(&e.bytes).unwrap(), sample());
        let bad = |v: Value| Content::decode(&cbor::encode(&Value::Map(vec![(Value::from("x"), v)])).unwrap());
        assert_eq!(bad(Value::from(1)), Err(ContentError::BadField("x".into())));
        assert_eq!(bad(Value::Bytes(vec![0; 31])), Err(ContentError::BadField("x".into())));
        assert_eq!(bad(Value::Array(vec![Value::Bytes(vec![0; 15]), Value::Null])), Err(ContentError::BadField("x".into())));
        assert_eq!(Content::decode(&[0x80]), Err(ContentError::NotATextMap));
    }
}
