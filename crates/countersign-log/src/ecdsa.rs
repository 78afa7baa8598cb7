//! ECDSA over P-256 and SHA-256 (FIPS 186-5), signature type `02` of C2SP signed-note, checked strictly, so that every verifier says the same of
//! every signature: a key in its one DER form, uncompressed; a signature in DER, shortest form, and of its two spellings (S and n − S) the lower.

use std::fmt;

use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};

/// SubjectPublicKeyInfo of an uncompressed P-256 point (RFC 5480), up to the point.
const SPKI_START: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
    0x07, 0x03, 0x42, 0x00,
];
/// Bytes of an uncompressed point: `04`, X, Y.
pub const POINT_BYTES: usize = 65;
/// Bytes of a key as SubjectPublicKeyInfo.
pub const KEY_BYTES: usize = SPKI_START.len() + POINT_BYTES;

/// Why bytes are not a public key to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not the DER of a SubjectPublicKeyInfo with an uncompressed P-256 point.
    #[error("not an uncompressed P-256 key as SubjectPublicKeyInfo")]
    Form,
    /// No point of the curve.
    #[error("not a point of P-256")]
    NotAPoint,
}

/// Why a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not the one DER encoding of two numbers below the group order.
    #[error("an ECDSA signature is two numbers in DER")]
    Encoding,
    /// Not `r ‖ s` of 64 bytes, both numbers below the group order and not zero.
    #[error("an ECDSA signature is r and s, 32 bytes each")]
    Fixed,
    /// The second spelling of somebody's signature.
    #[error("S is not the lower of its two spellings")]
    HighS,
    /// Well-formed, but not by this key over this text.
    #[error("not a signature of this key over this text")]
    Mismatch,
}

/// A public key that passed every check of this module.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    spki: [u8; KEY_BYTES],
    key: VerifyingKey,
}

impl PublicKey {
    /// Reads a key as SubjectPublicKeyInfo, DER.
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        let spki: [u8; KEY_BYTES] = der.try_into().map_err(|_| KeyError::Form)?;
        let point = spki.strip_prefix(&SPKI_START).filter(|point| point.first() == Some(&4)).ok_or(KeyError::Form)?;
        let key = VerifyingKey::from_sec1_bytes(point).map_err(|_| KeyError::NotAPoint)?;
        Ok(Self { spki, key })
    }

    /// Reads an uncompressed point, as tokens give it.
    pub fn from_point(point: &[u8]) -> Result<Self, KeyError> {
        Self::from_spki(&[SPKI_START.as_slice(), point].concat())
    }

    /// The key as SubjectPublicKeyInfo, DER.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.spki
    }

    /// Checks a signature in DER over `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let parsed = Signature::from_der(signature).map_err(|_| SignatureError::Encoding)?;
        if parsed.to_der().as_bytes() != signature {
            return Err(SignatureError::Encoding);
        }
        self.holds(message, parsed)
    }

    /// Checks a signature as `r ‖ s` over `message`.
    pub fn verify_fixed(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        self.holds(message, Signature::from_slice(signature).map_err(|_| SignatureError::Fixed)?)
    }

    fn holds(&self, message: &[u8], parsed: Signature) -> Result<(), SignatureError> {
        if parsed.normalize_s() != parsed {
            return Err(SignatureError::HighS);
        }
        self.key.verify(message, &parsed).map_err(|_| SignatureError::Mismatch)
    }
}

/// What a token signs with, `r ‖ s` of 64 bytes, as the one form [`PublicKey::verify`] takes. `None` if these are no such numbers.
#[must_use]
pub fn to_strict_der(r_and_s: &[u8]) -> Option<Vec<u8>> {
    let signature = Signature::from_slice(r_and_s).ok()?;
    Some(signature.normalize_s().to_der().as_bytes().to_vec())
}

/// A signature in DER as `r ‖ s` with the lower S, as [`PublicKey::verify_fixed`] takes it. `None` if it is none.
#[must_use]
pub fn to_fixed(der: &[u8]) -> Option<Vec<u8>> {
    Some(Signature::from_der(der).ok()?.normalize_s().to_bytes().to_vec())
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        self.spki.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::Signer as _;

    fn key() -> (SigningKey, PublicKey) {
        let signing = SigningKey::from_slice(&[7; 32]).unwrap();
        let point = signing.verifying_key().to_sec1_point(false);
        let public = PublicKey::from_point(point.as_bytes()).unwrap();
        (signing, public)
    }

    fn high_s(signature: &Signature) -> Signature {
        Signature::from_scalars(signature.r().to_bytes(), (-*signature.s()).to_bytes()).unwrap()
    }

    #[test]
    fn a_signature_holds_for_its_text_only() {
        let (signing, public) = key();
        let signature: Signature = signing.sign(b"text");
        let der = to_strict_der(&signature.to_bytes()).unwrap();
        assert_eq!(public.verify(b"text", &der), Ok(()));
        assert_eq!(public.verify(b"texT", &der), Err(SignatureError::Mismatch));
        for bit in 0..der.len() * 8 {
            let mut bent = der.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert!(public.verify(b"text", &bent).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn the_second_spelling_is_refused_and_made_the_first() {
        let (signing, public) = key();
        let signature: Signature = signing.sign(b"text");
        let low = signature.normalize_s();
        let high = high_s(&low);
        assert_eq!(public.verify(b"text", high.to_der().as_bytes()), Err(SignatureError::HighS));
        assert_eq!(to_strict_der(&high.to_bytes()).unwrap(), low.to_der().as_bytes());
    }

    #[test]
    fn r_and_s_hold_in_one_spelling_only() {
        let (signing, public) = key();
        let signature: Signature = signing.sign(b"text");
        let fixed = to_fixed(signature.to_der().as_bytes()).unwrap();
        assert_eq!(public.verify_fixed(b"text", &fixed), Ok(()));
        assert_eq!(public.verify_fixed(b"texT", &fixed), Err(SignatureError::Mismatch));
        let high = high_s(&signature.normalize_s());
        assert_eq!(public.verify_fixed(b"text", &high.to_bytes()), Err(SignatureError::HighS));
        assert_eq!(to_fixed(high.to_der().as_bytes()).unwrap(), fixed);
        for bad in [&fixed[..63], &[0; 64], &[0xff; 64], signature.to_der().as_bytes()] {
            assert_eq!(public.verify_fixed(b"text", bad), Err(SignatureError::Fixed));
        }
        assert_eq!(to_fixed(&fixed), None);
    }

    #[test]
    fn other_encodings_are_refused() {
        let (signing, public) = key();
        let signature: Signature = signing.sign(b"text");
        let der = to_strict_der(&signature.to_bytes()).unwrap();
        // A long-form length, a byte more, raw numbers.
        let long = [&[0x30, 0x81, der[1]], &der[2..]].concat();
        for bytes in [long, [der.as_slice(), &[0]].concat(), signature.to_bytes().to_vec(), Vec::new()] {
            assert_eq!(public.verify(b"text", &bytes), Err(SignatureError::Encoding));
        }
        assert_eq!(to_strict_der(&[0; 64]), None);
        assert_eq!(to_strict_der(&[0xff; 64]), None);
        assert_eq!(to_strict_der(&[1; 63]), None);
    }

    #[test]
    fn keys_have_one_form() {
        let (signing, public) = key();
        assert_eq!(PublicKey::from_spki(public.as_bytes()), Ok(public.clone()));
        let compressed = signing.verifying_key().to_sec1_point(true);
        assert_eq!(PublicKey::from_point(compressed.as_bytes()), Err(KeyError::Form));
        let mut bent = *public.as_bytes();
        bent[KEY_BYTES - 1] ^= 1;
        assert_eq!(PublicKey::from_spki(&bent), Err(KeyError::NotAPoint));
        let mut other_curve = *public.as_bytes();
        other_curve[22] ^= 1;
        assert_eq!(PublicKey::from_spki(&other_curve), Err(KeyError::Form));
    }
}
