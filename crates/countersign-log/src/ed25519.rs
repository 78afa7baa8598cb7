//! Ed25519 (RFC 8032), checked strictly, so that every verifier says the same of every signature: S < L, canonical encodings of A and R,
//! neither of small order, the equation without cofactor. A key with a torsion component is refused before it is ever used.

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signature, VerifyingKey};
use std::fmt;

/// Bytes of a public key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a signature, `R ‖ S`.
pub const SIGNATURE_BYTES: usize = 64;

/// Why 32 bytes are not a public key to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Another number of bytes.
    #[error("an Ed25519 key has 32 bytes, not {found}")]
    Length {
        /// Bytes found.
        found: usize,
    },
    /// No point of the curve.
    #[error("not a point of the curve")]
    NotAPoint,
    /// A point, but written in another way than the one canonical encoding.
    #[error("point in a non-canonical encoding")]
    NotCanonical,
    /// Under such a key, one signature fits many texts.
    #[error("point of small order")]
    SmallOrder,
    /// Under such a key, verifiers with and without cofactor disagree.
    #[error("point with a torsion component")]
    Torsion,
}

/// Why a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Another number of bytes.
    #[error("an Ed25519 signature has 64 bytes, not {found}")]
    Length {
        /// Bytes found.
        found: usize,
    },
    /// S ≥ L: a second spelling of somebody's signature.
    #[error("S is not below the group order")]
    ScalarNotCanonical,
    /// R is no point, or not in its canonical encoding.
    #[error("R is not a canonical point")]
    CommitmentNotCanonical,
    /// R has small order.
    #[error("R is a point of small order")]
    CommitmentSmallOrder,
    /// Well-formed, but not by this key over this text.
    #[error("not a signature of this key over this text")]
    Mismatch,
}

/// A public key that passed every check of this module.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Checks the key before it is pinned or enrolled.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: [u8; KEY_BYTES] = bytes.try_into().map_err(|_| KeyError::Length { found: bytes.len() })?;
        let point = CompressedEdwardsY(bytes).decompress().ok_or(KeyError::NotAPoint)?;
        if point.is_small_order() {
            return Err(KeyError::SmallOrder);
        }
        if !is_canonical(&point, &bytes) {
            return Err(KeyError::NotCanonical);
        }
        if !point.is_torsion_free() {
            return Err(KeyError::Torsion);
        }
        VerifyingKey::from_bytes(&bytes).map(Self).map_err(|_| KeyError::NotAPoint)
    }

    /// The 32 bytes of RFC 8032.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        self.0.as_bytes()
    }

    /// Checks a signature over `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let bytes: [u8; SIGNATURE_BYTES] = signature.try_into().map_err(|_| SignatureError::Length { found: signature.len() })?;
        let signature = Signature::from_bytes(&bytes);
        check_scalar(&signature)?;
        // It makes R anew and compares it byte for byte, and refuses one of small order: what holds is in form, and only what does not is looked at again.
        if self.0.verify_strict(message, &signature).is_ok() {
            return Ok(());
        }
        check_commitment(&signature)?;
        Err(SignatureError::Mismatch)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// The library refuses this as well, unless it was built with a feature that does not.
fn check_scalar(signature: &Signature) -> Result<(), SignatureError> {
    let canonical: bool = Scalar::from_canonical_bytes(*signature.s_bytes()).is_some().into();
    if canonical { Ok(()) } else { Err(SignatureError::ScalarNotCanonical) }
}

/// What the library refuses in one word; here each gets its name.
fn check_commitment(signature: &Signature) -> Result<(), SignatureError> {
    let encoded = signature.r_bytes();
    let point = CompressedEdwardsY(*encoded).decompress().ok_or(SignatureError::CommitmentNotCanonical)?;
    if point.is_small_order() {
        return Err(SignatureError::CommitmentSmallOrder);
    }
    if !is_canonical(&point, encoded) {
        return Err(SignatureError::CommitmentNotCanonical);
    }
    Ok(())
}

fn is_canonical(point: &EdwardsPoint, encoded: &[u8; 32]) -> bool {
    point.compress().as_bytes() == encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
    use ed25519_dalek::{Signer as _, SigningKey};
    use sha2::{Digest as _, Sha512};

    /// L, the order of the prime-order group, little endian.
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0x10,
    ];

    fn challenge(r: &[u8], a: &[u8], message: &[u8]) -> Scalar {
        let digest = Sha512::new().chain_update(r).chain_update(a).chain_update(message).finalize();
        Scalar::from_bytes_mod_order_wide(&digest.into())
    }

    /// p + k, little endian: a second spelling of the y coordinate k.
    fn beyond_p(k: u8) -> [u8; 32] {
        let mut bytes = [0xff; 32];
        bytes[0] = 0xed + k;
        bytes[31] = 0x7f;
        bytes
    }

    #[test]
    fn a_signature_holds_for_its_text_only() {
        let signing = SigningKey::from_bytes(&[7; 32]);
        let key = PublicKey::from_bytes(signing.verifying_key().as_bytes()).unwrap();
        let signature = signing.sign(b"text").to_bytes();
        assert_eq!(key.verify(b"text", &signature), Ok(()));
        assert_eq!(key.verify(b"texT", &signature), Err(SignatureError::Mismatch));
        assert_eq!(key.verify(b"text", &signature[..63]), Err(SignatureError::Length { found: 63 }));
        for bit in 0..512 {
            let mut bent = signature;
            bent[bit / 8] ^= 1 << (bit % 8);
            assert!(key.verify(b"text", &bent).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn s_plus_l_is_refused() {
        let signing = SigningKey::from_bytes(&[7; 32]);
        let key = PublicKey::from_bytes(signing.verifying_key().as_bytes()).unwrap();
        let mut signature = signing.sign(b"text").to_bytes();
        let mut carry = 0u16;
        for (byte, add) in signature[32..].iter_mut().zip(ORDER) {
            carry += u16::from(*byte) + u16::from(add);
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        assert_eq!(key.verify(b"text", &signature), Err(SignatureError::ScalarNotCanonical));
    }

    #[test]
    fn keys_of_small_order_and_with_torsion_are_refused() {
        for torsion in EIGHT_TORSION {
            assert_eq!(PublicKey::from_bytes(torsion.compress().as_bytes()), Err(KeyError::SmallOrder));
        }
        let honest = ED25519_BASEPOINT_POINT * Scalar::from(12345u64);
        assert!(PublicKey::from_bytes(honest.compress().as_bytes()).is_ok());
        for torsion in &EIGHT_TORSION[1..] {
            let mixed = (honest + torsion).compress();
            assert_eq!(PublicKey::from_bytes(mixed.as_bytes()), Err(KeyError::Torsion));
        }
        assert_eq!(PublicKey::from_bytes(&[1; 31]), Err(KeyError::Length { found: 31 }));
        let not_a_point = (0..=255).find(|first| {
            let mut bytes = [0; 32];
            bytes[0] = *first;
            PublicKey::from_bytes(&bytes) == Err(KeyError::NotAPoint)
        });
        assert!(not_a_point.is_some());
    }

    #[test]
    fn second_spellings_of_a_key_are_refused() {
        let mut not_canonical = 0;
        for k in 0..19 {
            for sign in [0, 0x80] {
                let mut bytes = beyond_p(k);
                bytes[31] |= sign;
                let refused = PublicKey::from_bytes(&bytes).unwrap_err();
                not_canonical += usize::from(refused == KeyError::NotCanonical);
            }
        }
        assert!(not_canonical > 0);
        // The identity with the sign bit set: x = 0 has no negative.
        let mut identity = [0; 32];
        identity[0] = 1;
        identity[31] = 0x80;
        assert_eq!(PublicKey::from_bytes(&identity), Err(KeyError::SmallOrder));
    }

    #[test]
    fn second_spellings_and_small_orders_of_r_are_refused() {
        let signing = SigningKey::from_bytes(&[7; 32]);
        let key = PublicKey::from_bytes(signing.verifying_key().as_bytes()).unwrap();
        let mut signature = signing.sign(b"text").to_bytes();
        signature[..32].copy_from_slice(&beyond_p(3));
        assert_eq!(key.verify(b"text", &signature), Err(SignatureError::CommitmentNotCanonical));

        // R is the identity and S = k·a: the equation itself holds.
        let (a, public) = (signing.to_scalar(), key.as_bytes());
        let identity = EIGHT_TORSION[0].compress();
        let s = challenge(identity.as_bytes(), public, b"text") * a;
        let forged = [*identity.as_bytes(), s.to_bytes()].concat();
        assert_eq!(key.verify(b"text", &forged), Err(SignatureError::CommitmentSmallOrder));
    }

    #[test]
    fn the_equation_has_no_cofactor() {
        let signing = SigningKey::from_bytes(&[7; 32]);
        let key = PublicKey::from_bytes(signing.verifying_key().as_bytes()).unwrap();
        let nonce = Scalar::from(99u64);
        for (torsion, accepted) in [(EIGHT_TORSION[0], true), (EIGHT_TORSION[1], false)] {
            let r = (ED25519_BASEPOINT_POINT * nonce + torsion).compress();
            let s = nonce + challenge(r.as_bytes(), key.as_bytes(), b"text") * signing.to_scalar();
            let signature = [*r.as_bytes(), s.to_bytes()].concat();
            assert_eq!(key.verify(b"text", &signature).is_ok(), accepted);
        }
    }
}
