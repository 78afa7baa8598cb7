//! Base64 and decimal numbers with exactly one accepted spelling each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Why a text is not strict base64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Base64Error {
    /// A character, a length or padding that standard base64 (RFC 4648 section 4) does not have, or stray trailing bits.
    #[error("not standard base64")]
    Malformed(#[source] base64::DecodeError),
    /// It decodes, but would be written differently.
    #[error("base64 that is not written in the one canonical way")]
    NotCanonical,
    /// It decodes to another number of bytes than the place demands.
    #[error("base64 of {found} bytes where {expected} belong")]
    Length {
        /// Bytes demanded.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
}

/// Why a text is not a strict decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Empty, or something other than ASCII digits (a sign, a space).
    #[error("not an ASCII decimal number")]
    NotDigits,
    /// A zero in front.
    #[error("decimal number with a leading zero")]
    LeadingZero,
    /// Greater than 2⁶⁴ − 1.
    #[error("decimal number beyond 64 bits")]
    TooLarge,
}

/// Standard base64 with padding.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Appends standard base64 with padding of a hash, at once: a text of any length is encoded in pieces, which shows where each answer has a dozen of them.
pub fn push_base64(text: &mut String, hash: &[u8; 32]) {
    let mut encoded = [0; 44];
    // 32 bytes are 44 characters, and those are ASCII.
    let written = STANDARD.encode_slice(hash, &mut encoded).unwrap_or_default();
    text.push_str(encoded.get(..written).and_then(|encoded| std::str::from_utf8(encoded).ok()).unwrap_or_default());
}

/// Decodes standard base64 and compares with the re-encoding, so that no two texts give the same bytes.
pub fn base64_strict(text: &str) -> Result<Vec<u8>, Base64Error> {
    let bytes = STANDARD.decode(text).map_err(Base64Error::Malformed)?;
    if base64(&bytes) == text { Ok(bytes) } else { Err(Base64Error::NotCanonical) }
}

/// [`base64_strict`] for a hash.
pub fn base64_hash(text: &str) -> Result<[u8; 32], Base64Error> {
    let bytes = base64_strict(text)?;
    let found = bytes.len();
    bytes.try_into().map_err(|_| Base64Error::Length { expected: 32, found })
}

/// A number in ASCII decimal, no sign, no leading zero (except `0` itself), within 64 bits.
pub fn decimal_strict(text: &str) -> Result<u64, DecimalError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::NotDigits);
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(DecimalError::LeadingZero);
    }
    text.parse().map_err(|_| DecimalError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn loose_base64_is_refused() {
        assert_eq!(base64_strict("AAE=").unwrap(), [0, 1]);
        // The first has stray trailing bits, the others wrong padding, alphabet or white space.
        for bad in ["AAF=", "AAE", "AAE==", "AA-_", "AAE=\n", " AAE=", "AAE=AAE=", "="] {
            assert!(base64_strict(bad).is_err(), "{bad:?}");
        }
        assert_eq!(base64_hash("AAE="), Err(Base64Error::Length { expected: 32, found: 2 }));
    }

    #[test]
    fn loose_decimals_are_refused() {
        assert_eq!(decimal_strict("0"), Ok(0));
        assert_eq!(decimal_strict("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(decimal_strict("18446744073709551616"), Err(DecimalError::TooLarge));
        assert_eq!(decimal_strict("00"), Err(DecimalError::LeadingZero));
        for bad in ["", "+1", "-0", " 1", "1 ", "٣", "1_0", "0x1"] {
            assert_eq!(decimal_strict(bad), Err(DecimalError::NotDigits), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn base64_has_one_spelling(text in "[A-Da-d+/=]{0,12}") {
            if let Ok(bytes) = base64_strict(&text) {
                prop_assert_eq!(base64(&bytes), text);
            }
        }
    }
}
