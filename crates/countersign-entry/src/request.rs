//! The canonical request: what somebody asks, as the bytes that they, and those who approve it, sign with their own keys (ledger-format section 9).
//!
//! It says for which ledger, by whom and under which idempotency key, so that a signature serves one request and no other, anywhere.

use ciborium::Value;

use crate::cbor;
use crate::content::ContentError;
use crate::record::{Record, RecordError};

/// The first item, by which these bytes are nothing else that anybody signs.
pub const CONTEXT: &str = "countersign v1 request";

/// A canonical request, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct CanonicalRequest {
    /// The ledger's name.
    pub origin: String,
    /// The principal who asks.
    pub actor: String,
    /// The idempotency key.
    pub request: String,
    /// The record type.
    pub kind: String,
    /// What is asked, in canonical order.
    pub fields: Vec<(String, Value)>,
}

/// Why bytes are not a canonical request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not the shape.
    #[error("not a canonical request (ledger-format section 9)")]
    Form,
    /// The fields are not those of a record of its type.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl Record {
    /// The canonical request for this record: every field that whoever asks states, and none that the ledger fills in.
    ///
    /// # Errors
    /// As [`Record::fields`].
    pub fn canonical_request(&self, origin: &str, actor: &str, request: &str) -> Result<Vec<u8>, RecordError> {
        let mut asked = self.encoded_fields().map_err(|e| self.not_encoded(e))?;
        asked.leave_out(self.outcome_fields());
        asked.leave_out(self.signing_fields());
        asked.leave_out(&["approvals"]);
        let fields = asked.to_map().map_err(ContentError::Cbor)?;
        let mut out = Vec::with_capacity(fields.len() + 160);
        cbor::head(&mut out, 4, 6);
        [CONTEXT, origin, actor, request, self.type_name()].iter().for_each(|text| cbor::text(&mut out, text));
        out.extend_from_slice(&fields);
        Ok(out)
    }

    /// The fields that the ledger and its keys fill in when a key event or a redaction is recorded.
    pub(crate) fn signing_fields(&self) -> &'static [&'static str] {
        match self {
            Record::KeyRotated(_) => &["old_signature", "new_signature", "attestation"],
            Record::KeyRevoked(_) => &["signature"],
            Record::Redaction(_) => &["key_id", "resealed_hash"],
            _ => &[],
        }
    }
}

impl CanonicalRequest {
    /// Takes the bytes apart.
    ///
    /// # Errors
    /// Another shape than six items, five of them texts, or not canonical CBOR.
    pub fn decode(bytes: &[u8]) -> Result<Self, RequestError> {
        let Ok(Value::Array(items)) = cbor::decode(bytes) else { return Err(RequestError::Form) };
        let Ok([Value::Text(context), Value::Text(origin), Value::Text(actor), Value::Text(request), Value::Text(kind), Value::Map(map)]) =
            <[Value; 6]>::try_from(items)
        else {
            return Err(RequestError::Form);
        };
        let field = |(key, value): (Value, Value)| Some((key.into_text().ok()?, value));
        let fields = map.into_iter().map(field).collect::<Option<_>>().ok_or(RequestError::Form)?;
        if context == CONTEXT { Ok(Self { origin, actor, request, kind, fields }) } else { Err(RequestError::Form) }
    }

    /// The record that is asked for, without what the ledger fills in.
    ///
    /// # Errors
    /// Fields that are not those of its type, or a request that this version would write otherwise.
    pub fn record(&self) -> Result<Record, RequestError> {
        let empty = |names: &[&str]| names.iter().map(|name| (Value::from(*name), Value::Bytes(Vec::new()))).collect();
        let mut body: Vec<(Value, Value)> = match self.kind.as_str() {
            "key.rotated" => empty(&["old_signature", "new_signature"]),
            "key.revoked" => empty(&["signature"]),
            "redaction" => vec![(Value::from("key_id"), Value::from(0)), (Value::from("resealed_hash"), Value::Bytes(vec![0; 32]))],
            _ => Vec::new(),
        };
        body.extend(self.fields.iter().map(|(key, value)| (Value::from(key.as_str()), value.clone())));
        let record = Record::from_body(&self.kind, &Value::Map(body))?;
        let again = record.canonical_request(&self.origin, &self.actor, &self.request)?;
        // A field left out that is null, or one that the requester does not state.
        if Self::decode(&again)? == *self { Ok(record) } else { Err(RequestError::Form) }
    }
}
