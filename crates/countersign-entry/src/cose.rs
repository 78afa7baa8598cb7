//! `COSE_Sign1` (RFC 9052) as far as this format uses it: one signer, a protected header of which every byte is fixed, nothing unprotected.

use ciborium::Value;

use crate::cbor;

/// EdDSA, RFC 9053 section 2.2: here Ed25519 (RFC 8032).
pub const EDDSA: i64 = -8;
/// ES256, RFC 9053 section 2.1: here ECDSA over P-256 with SHA-256, the signature `r ‖ s`.
pub const ES256: i64 = -7;
/// What an officer signs: the content type of a canonical request.
pub const REQUEST_TYPE: &str = "application/vnd.countersign.request+cbor";

/// Tag 18, `COSE_Sign1_Tagged`.
const TAG: u8 = 0xd2;
const ALG: i64 = 1;
const CONTENT_TYPE: i64 = 3;
const KID: i64 = 4;

/// A signature with its protected header, and, while it travels, what it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign1 {
    /// The encoded protected header.
    pub protected: Vec<u8>,
    /// What is signed; none where it is detached, as in an entry.
    pub payload: Option<Vec<u8>>,
    /// The signature, in the form of its algorithm.
    pub signature: Vec<u8>,
}

/// Why bytes are no such signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a COSE_Sign1 with tag 18, in deterministic CBOR, with nothing unprotected")]
pub struct NotSign1;

impl Sign1 {
    /// Reads the tagged form; accepted bytes are the one encoding of what is returned.
    ///
    /// # Errors
    /// Any other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotSign1> {
        let untagged = bytes.strip_prefix(&[TAG]).ok_or(NotSign1)?;
        let Ok(Value::Array(items)) = cbor::decode(untagged) else { return Err(NotSign1) };
        let Ok([Value::Bytes(protected), Value::Map(unprotected), payload, Value::Bytes(signature)]) = <[Value; 4]>::try_from(items) else {
            return Err(NotSign1);
        };
        let payload = match payload {
            Value::Null => None,
            Value::Bytes(payload) => Some(payload),
            _ => return Err(NotSign1),
        };
        if unprotected.is_empty() { Ok(Self { protected, payload, signature }) } else { Err(NotSign1) }
    }

    /// The tagged form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![TAG];
        cbor::head(&mut out, 4, 4);
        cbor::bytes(&mut out, &self.protected);
        cbor::head(&mut out, 5, 0);
        match &self.payload {
            Some(payload) => cbor::bytes(&mut out, payload),
            None => out.push(NULL),
        }
        cbor::bytes(&mut out, &self.signature);
        out
    }

    /// The key id its protected header names: not yet that the signature is by this key.
    #[must_use]
    pub fn key_id(&self) -> Option<[u8; 32]> {
        let Ok(Value::Map(header)) = cbor::decode(&self.protected) else { return None };
        let kid = header.into_iter().find(|(label, _)| *label == Value::from(KID))?.1;
        kid.into_bytes().ok()?.try_into().ok()
    }
}

const NULL: u8 = 0xf6;

/// The protected header of a signature over a request: algorithm, content type, and the key's id, the SHA-256 of its SubjectPublicKeyInfo.
#[must_use]
pub fn protected(algorithm: i64, key_id: &[u8; 32]) -> Vec<u8> {
    let mut out = Vec::with_capacity(96);
    cbor::head(&mut out, 5, 3);
    cbor::head(&mut out, 0, ALG.unsigned_abs());
    cbor::head(&mut out, 1, algorithm.unsigned_abs().saturating_sub(1));
    cbor::head(&mut out, 0, CONTENT_TYPE.unsigned_abs());
    cbor::text(&mut out, REQUEST_TYPE);
    cbor::head(&mut out, 0, KID.unsigned_abs());
    cbor::bytes(&mut out, key_id);
    out
}

/// What is signed: `Sig_structure` of RFC 9052 section 4.4. Its first bytes are no signed note's, so neither signature can be taken for the other.
#[must_use]
pub fn to_be_signed(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + protected.len() + 24);
    cbor::head(&mut out, 4, 4);
    cbor::text(&mut out, "Signature1");
    cbor::bytes(&mut out, protected);
    cbor::bytes(&mut out, &[]);
    cbor::bytes(&mut out, payload);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(payload: Option<Vec<u8>>) -> Sign1 {
        Sign1 { protected: protected(EDDSA, &[7; 32]), payload, signature: vec![9; 64] }
    }

    #[test]
    fn the_bytes_are_those_of_the_rfcs() {
        let header = hex::encode(protected(ES256, &[7; 32]));
        let content_type = hex::encode(REQUEST_TYPE);
        assert_eq!(header, format!("a301260378{:02x}{content_type}045820{}", REQUEST_TYPE.len(), "07".repeat(32)));
        assert!(hex::encode(protected(EDDSA, &[7; 32])).starts_with("a3012703"));
        let bytes = hex::encode(sample(None).encode());
        assert!(bytes.starts_with("d28458") && bytes.ends_with(&format!("a0f65840{}", "09".repeat(64))), "{bytes}");
        assert_eq!(hex::encode(to_be_signed(b"h", b"text")), "846a5369676e617475726531416840447465787 4".replace(' ', ""));
    }

    #[test]
    fn one_form_is_read_and_it_names_its_key() {
        for sign1 in [sample(None), sample(Some(b"text".to_vec()))] {
            assert_eq!(Sign1::decode(&sign1.encode()), Ok(sign1.clone()));
            assert_eq!(sign1.key_id(), Some([7; 32]));
            let bytes = sign1.encode();
            // Untagged, with another tag, cut short, with something behind it.
            let with = |first: u8| [&[first], &bytes[1..]].concat();
            for bad in [bytes[1..].to_vec(), with(0xd1), bytes[..bytes.len() - 1].to_vec(), [bytes.as_slice(), &[0]].concat(), Vec::new()] {
                assert_eq!(Sign1::decode(&bad), Err(NotSign1));
            }
        }
        let unprotected = Value::Array(vec![
            Value::Bytes(vec![]),
            Value::Map(vec![(Value::from(4), Value::Bytes(vec![1]))]),
            Value::Null,
            Value::Bytes(vec![]),
        ]);
        assert_eq!(Sign1::decode(&[&[TAG], cbor::encode(&unprotected).unwrap().as_slice()].concat()), Err(NotSign1));
        let short_id = Sign1 { protected: vec![0xa1, 0x04, 0x41, 0x01], ..sample(None) };
        assert_eq!(short_id.key_id(), None);
    }
}
