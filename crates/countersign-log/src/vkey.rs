//! Verifier keys (C2SP signed-note): `<name>+<key id as 8 hex digits>+<base64 of type ‖ key>`.

use crate::encoding::{Base64Error, base64, base64_strict};
use crate::{ecdsa, ed25519};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// Signature type of Ed25519 over the note's text (C2SP signed-note).
pub const ED25519: u8 = 0x01;
/// Signature type of ECDSA, here over P-256 and SHA-256 (C2SP signed-note): for modules that do not approve Ed25519.
pub const ECDSA: u8 = 0x02;
/// Signature type of a timestamped Ed25519 cosignature (C2SP tlog-cosignature).
pub const ED25519_COSIGNATURE: u8 = 0x04;

/// The four bytes that, with the name, say which key made a signature line. Not a commitment to the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

/// Why a text is not a verifier key that we can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VKeyError {
    /// Not three parts with a plus between them.
    #[error("a vkey is <name>+<key id>+<key>")]
    Form,
    /// The name is empty or has a space, a plus or a control character.
    #[error("a key name is not empty and has neither spaces, plus nor control characters")]
    Name,
    /// The key id is not eight lower-case hex digits.
    #[error("a key id is eight lower-case hex digits")]
    KeyIdForm,
    /// The key is not strict base64.
    #[error("the key")]
    Base64(#[from] Base64Error),
    /// Nothing after the second plus.
    #[error("the key is empty")]
    Empty,
    /// A signature type other than the one wanted here.
    #[error("signature type {algorithm:#04x} is not supported here")]
    UnsupportedAlgorithm {
        /// The type byte found.
        algorithm: u8,
    },
    /// The key id does not belong to name and key.
    #[error("key id {stated} does not belong to this name and key: theirs is {computed}")]
    KeyIdMismatch {
        /// As written.
        stated: KeyId,
        /// As it follows from name, type and key.
        computed: KeyId,
    },
    /// The key itself is refused.
    #[error("the key is refused")]
    Key(#[from] ed25519::KeyError),
    /// The key itself is refused.
    #[error("the key is refused")]
    Ecdsa(#[from] ecdsa::KeyError),
}

/// A public key of either algorithm, sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// Ed25519.
    Ed25519(ed25519::PublicKey),
    /// ECDSA over P-256.
    Ecdsa(ecdsa::PublicKey),
}

/// Why a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// An Ed25519 signature.
    #[error(transparent)]
    Ed25519(#[from] ed25519::SignatureError),
    /// An ECDSA signature.
    #[error(transparent)]
    Ecdsa(#[from] ecdsa::SignatureError),
}

impl PublicKey {
    /// The key as it stands in a vkey: 32 bytes of Ed25519, or SubjectPublicKeyInfo.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(key) => key.as_bytes(),
            Self::Ecdsa(key) => key.as_bytes(),
        }
    }

    /// Checks a signature over `message`: 64 bytes of Ed25519, or ECDSA in DER.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        match self {
            Self::Ed25519(key) => Ok(key.verify(message, signature)?),
            Self::Ecdsa(key) => Ok(key.verify(message, signature)?),
        }
    }
}

/// A log's key: Ed25519, type `01`, or ECDSA over P-256, type `02`. One that exists is sound and has the key id that it states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VKey(Named);

impl VKey {
    /// Names an Ed25519 key of 32 bytes.
    pub fn new(name: &str, key: &[u8]) -> Result<Self, VKeyError> {
        Named::new(name, ED25519, key).map(Self)
    }

    /// Names a P-256 key given as SubjectPublicKeyInfo.
    pub fn ecdsa(name: &str, spki: &[u8]) -> Result<Self, VKeyError> {
        Named::new(name, ECDSA, spki).map(Self)
    }

    /// Reads the text form, strictly: one text for each key.
    pub fn parse(text: &str) -> Result<Self, VKeyError> {
        Named::parse(text, &[ED25519, ECDSA]).map(Self)
    }

    /// The name, which for a log's key is its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The key id.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.0.key_id
    }

    /// The key alone.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.0.key
    }
}

/// A witness's key: Ed25519 for timestamped cosignatures, type `04`. Apart from [`VKey`], because it signs another text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey(Named);

impl WitnessKey {
    /// Names a public key.
    pub fn new(name: &str, key: &[u8]) -> Result<Self, VKeyError> {
        Named::new(name, ED25519_COSIGNATURE, key).map(Self)
    }

    /// Reads the text form, strictly.
    pub fn parse(text: &str) -> Result<Self, VKeyError> {
        Named::parse(text, &[ED25519_COSIGNATURE]).map(Self)
    }

    /// The witness's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The key id.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.0.key_id
    }

    /// The key alone.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.0.key
    }
}

/// `SHA-256(name ‖ 0A ‖ type ‖ key)`, the first four bytes; for ECDSA, `SHA-256(key)` alone (C2SP signed-note, type `02`).
#[must_use]
pub fn key_id(name: &str, algorithm: u8, key: &[u8]) -> KeyId {
    let hasher = if algorithm == ECDSA { Sha256::new() } else { Sha256::new().chain_update(name).chain_update([b'\n', algorithm]) };
    let digest: [u8; 32] = hasher.chain_update(key).finalize().into();
    let [a, b, c, d, ..] = digest;
    KeyId([a, b, c, d])
}

/// Whether a note may carry this key name: not empty, no Unicode space, no plus, no control character.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c == '+' || c < ' ')
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    name: String,
    key_id: KeyId,
    algorithm: u8,
    key: PublicKey,
}

impl Named {
    fn new(name: &str, algorithm: u8, key: &[u8]) -> Result<Self, VKeyError> {
        if !is_key_name(name) {
            return Err(VKeyError::Name);
        }
        let key_id = key_id(name, algorithm, key);
        let key = match algorithm {
            ECDSA => PublicKey::Ecdsa(ecdsa::PublicKey::from_spki(key)?),
            _ => PublicKey::Ed25519(ed25519::PublicKey::from_bytes(key)?),
        };
        Ok(Self { name: name.to_owned(), key_id, algorithm, key })
    }

    fn parse(text: &str, wanted: &[u8]) -> Result<Self, VKeyError> {
        // A name has no plus, but base64 may.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VKeyError::Form);
        };
        if !is_key_name(name) {
            return Err(VKeyError::Name);
        }
        let stated = KeyId::from_hex(id).ok_or(VKeyError::KeyIdForm)?;
        let bytes = base64_strict(key)?;
        let (algorithm, key) = bytes.split_first().ok_or(VKeyError::Empty)?;
        if !wanted.contains(algorithm) {
            return Err(VKeyError::UnsupportedAlgorithm { algorithm: *algorithm });
        }
        let computed = key_id(name, *algorithm, key);
        if stated != computed {
            return Err(VKeyError::KeyIdMismatch { stated, computed });
        }
        Self::new(name, *algorithm, key)
    }
}

impl KeyId {
    fn from_hex(text: &str) -> Option<Self> {
        let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 8 || !text.bytes().all(lower_hex) {
            return None;
        }
        u32::from_str_radix(text, 16).ok().map(|id| Self(id.to_be_bytes()))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.algorithm];
        key.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, self.key_id, base64(&key))
    }
}

impl fmt::Display for VKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of C2SP signed-note.
    const EXAMPLE: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    #[test]
    fn the_published_example_round_trips() {
        let key = VKey::parse(EXAMPLE).unwrap();
        assert_eq!(key.to_string(), EXAMPLE);
        assert_eq!(key.name(), "example.com/foo");
        assert_eq!(VKey::new("example.com/foo", key.public_key().as_bytes()).unwrap(), key);
        // The same key as a witness has another key id.
        let witness = WitnessKey::new("example.com/foo", key.public_key().as_bytes()).unwrap();
        assert_ne!(witness.key_id(), key.key_id());
        assert_eq!(WitnessKey::parse(&witness.to_string()).unwrap(), witness);
        assert_eq!(VKey::parse(&witness.to_string()), Err(VKeyError::UnsupportedAlgorithm { algorithm: 4 }));
        assert_eq!(WitnessKey::parse(EXAMPLE), Err(VKeyError::UnsupportedAlgorithm { algorithm: 1 }));
    }

    #[test]
    fn each_fault_has_its_name() {
        let refused = |text: &str| VKey::parse(text).unwrap_err();
        let body = "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
        assert_eq!(refused("example.com/foo"), VKeyError::Form);
        assert_eq!(refused(&format!("+530d903a+{body}")), VKeyError::Name);
        assert_eq!(refused(&format!("exam ple+530d903a+{body}")), VKeyError::Name);
        assert_eq!(refused(&format!("exam\u{a0}ple+530d903a+{body}")), VKeyError::Name);
        assert_eq!(refused(&format!("exam\u{1}ple+530d903a+{body}")), VKeyError::Name);
        for id in ["530D903A", "530d903", "530d903a0", "+30d903a", ""] {
            assert!(matches!(refused(&format!("example.com/foo+{id}+{body}")), VKeyError::KeyIdForm | VKeyError::Base64(_)), "{id}");
        }
        assert!(matches!(refused(&format!("example.com/foo+530d903b+{body}")), VKeyError::KeyIdMismatch { .. }));
        assert!(matches!(refused(&format!("example.com/fop+530d903a+{body}")), VKeyError::KeyIdMismatch { .. }));
        assert!(matches!(refused(&format!("example.com/foo+530d903a+{body}\n")), VKeyError::Base64(_)));
        assert_eq!(refused("example.com/foo+530d903a+"), VKeyError::Empty);
        assert_eq!(refused("example.com/foo+530d903a+Bg=="), VKeyError::UnsupportedAlgorithm { algorithm: 6 });
    }

    #[test]
    fn a_p256_key_has_the_key_id_of_its_der_alone() {
        let signing = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        let key = ecdsa::PublicKey::from_point(signing.verifying_key().to_sec1_point(false).as_bytes()).unwrap();
        let vkey = VKey::ecdsa("log", key.as_bytes()).unwrap();
        assert_eq!(VKey::parse(&vkey.to_string()).unwrap(), vkey);
        let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        assert_eq!(vkey.key_id().0, digest[..4]);
        assert_eq!(VKey::ecdsa("other", key.as_bytes()).unwrap().key_id(), vkey.key_id());
        assert_eq!(WitnessKey::parse(&vkey.to_string()), Err(VKeyError::UnsupportedAlgorithm { algorithm: 2 }));
    }

    #[test]
    fn a_small_order_key_is_refused_under_its_right_key_id() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let id = key_id("log", ED25519, &identity);
        let text = format!("log+{id}+{}", base64(&[&[ED25519], identity.as_slice()].concat()));
        assert_eq!(VKey::parse(&text), Err(VKeyError::Key(ed25519::KeyError::SmallOrder)));
        let id = key_id("log", ED25519, &[1, 2]);
        let text = format!("log+{id}+{}", base64(&[ED25519, 1, 2]));
        assert_eq!(VKey::parse(&text), Err(VKeyError::Key(ed25519::KeyError::Length { found: 2 })));
    }
}
