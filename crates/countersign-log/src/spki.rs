//! Public keys as certificates carry them (SubjectPublicKeyInfo, DER): which of them an officer may sign with.

use sha2::{Digest as _, Sha256};

use crate::vkey::{PublicKey, SignatureError};
use crate::{ecdsa, ed25519};

/// SubjectPublicKeyInfo of Ed25519 (RFC 8410), up to the key.
const ED25519_START: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// The algorithm identifiers of keys that people try and that are not taken.
const RSA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const P384: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];

/// Why bytes are no key that an officer may sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpkiError {
    /// RSA.
    #[error("an RSA key is not taken: use one for Ed25519 or ECDSA P-256")]
    Rsa,
    /// ECDSA over P-384.
    #[error("a P-384 key is not taken: use one for Ed25519 or ECDSA P-256")]
    P384,
    /// Something else, or not SubjectPublicKeyInfo in its one form.
    #[error("not the SubjectPublicKeyInfo, in DER, of an Ed25519 key or an uncompressed P-256 key")]
    Form,
    /// Ed25519, and not sound.
    #[error(transparent)]
    Ed25519(#[from] ed25519::KeyError),
    /// P-256, and not sound.
    #[error(transparent)]
    Ecdsa(#[from] ecdsa::KeyError),
}

impl PublicKey {
    /// Reads a key from its SubjectPublicKeyInfo: one form for each key, and sound.
    pub fn from_spki(der: &[u8]) -> Result<Self, SpkiError> {
        if let Some(key) = der.strip_prefix(&ED25519_START) {
            return Ok(Self::Ed25519(ed25519::PublicKey::from_bytes(key)?));
        }
        let is = |algorithm: &[u8]| der.windows(algorithm.len()).take(16).any(|window| window == algorithm);
        match ecdsa::PublicKey::from_spki(der) {
            Ok(key) => Ok(Self::Ecdsa(key)),
            Err(ecdsa::KeyError::Form) if is(&RSA) => Err(SpkiError::Rsa),
            Err(ecdsa::KeyError::Form) if is(&P384) => Err(SpkiError::P384),
            Err(ecdsa::KeyError::Form) => Err(SpkiError::Form),
            Err(e) => Err(e.into()),
        }
    }

    /// The key as SubjectPublicKeyInfo.
    #[must_use]
    pub fn to_spki(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(key) => [ED25519_START.as_slice(), key.as_bytes()].concat(),
            Self::Ecdsa(key) => key.as_bytes().to_vec(),
        }
    }

    /// Checks a signature in the form that COSE gives it (RFC 9053), 64 bytes under either algorithm: Ed25519's own, or ECDSA's `r ‖ s` with the lower S.
    pub fn verify_fixed(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        match self {
            Self::Ed25519(key) => Ok(key.verify(message, signature)?),
            Self::Ecdsa(key) => Ok(key.verify_fixed(message, signature)?),
        }
    }
}

/// What a key is called by: the SHA-256 of its SubjectPublicKeyInfo.
#[must_use]
pub fn key_id(spki: &[u8]) -> [u8; 32] {
    Sha256::digest(spki).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    #[test]
    fn a_key_comes_back_from_its_one_form() {
        let raw = SigningKey::from_bytes(&[5; 32]).verifying_key().to_bytes();
        let spki = [ED25519_START.as_slice(), &raw].concat();
        let key = PublicKey::from_spki(&spki).unwrap();
        assert_eq!((key.as_bytes(), key.to_spki()), (raw.as_slice(), spki.clone()));
        assert_eq!(PublicKey::from_spki(&[spki.as_slice(), &[0]].concat()), Err(ed25519::KeyError::Length { found: 33 }.into()));
        let point = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap().verifying_key().to_sec1_point(false);
        let ecdsa = ecdsa::PublicKey::from_point(point.as_bytes()).unwrap();
        assert_eq!(PublicKey::from_spki(ecdsa.as_bytes()).unwrap().to_spki(), ecdsa.as_bytes());
    }

    #[test]
    fn what_is_not_taken_is_named() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::from_spki(&[ED25519_START.as_slice(), &identity].concat()), Err(ed25519::KeyError::SmallOrder.into()));
        let rsa = [&[0x30, 0x82, 0x01, 0x22, 0x30, 0x0d][..], &RSA, &[5, 0, 3, 0x82]].concat();
        assert_eq!(PublicKey::from_spki(&rsa), Err(SpkiError::Rsa));
        let p384 = [&[0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01][..], &P384].concat();
        assert_eq!(PublicKey::from_spki(&p384), Err(SpkiError::P384));
        assert_eq!(PublicKey::from_spki(b""), Err(SpkiError::Form));
    }
}
