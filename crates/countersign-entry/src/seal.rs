//! The sealed record: content as stored (ledger-format section 5).

use aes_gcm::Aes256Gcm;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, AeadInOut, KeyInit, Payload};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::limits::{PAD_BLOCK, SEALED_BYTES_MAX};

/// Bytes of the authentication tag, of either cipher.
pub const TAG_LEN: usize = 16;

/// A data key, wiped when dropped; prints nothing.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DataKey([u8; 32]);

impl DataKey {
    /// Takes 32 random bytes as a key.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// `SHA-256("countersign v1 data key" ‖ u32be(key_id) ‖ key)`, as `datakey.created` holds it.
    pub fn check(&self, key_id: u32) -> [u8; 32] {
        let mut h = Sha256::new();
        h.update(b"countersign v1 data key");
        h.update(key_id.to_be_bytes());
        h.update(self.0);
        h.finalize().into()
    }
}

/// How a record is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Scheme {
    /// Plain content; kinds 0, 2, 3 and 4, always, and never kind 1.
    Plain = 0,
    /// XChaCha20-Poly1305, 24-byte nonce.
    XChaCha = 1,
    /// AES-256-GCM, 12-byte nonce.
    AesGcm = 2,
}

impl Scheme {
    /// Bytes of the scheme's nonce.
    pub fn nonce_len(self) -> usize {
        match self {
            Scheme::Plain => 0,
            Scheme::XChaCha => 24,
            Scheme::AesGcm => 12,
        }
    }
}

/// A stored record, taken apart but not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed<'a> {
    /// Scheme 0: the content's bytes.
    Plain(&'a [u8]),
    /// Schemes 1 and 2.
    Encrypted {
        /// Which cipher.
        scheme: Scheme,
        /// The data key it names.
        key_id: u32,
        /// 24 or 12 bytes.
        nonce: &'a [u8],
        /// Ciphertext and tag.
        ciphertext: &'a [u8],
    },
}

/// Why a stored record does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// A record of length 0: always tampering.
    #[error("the record is missing (length 0)")]
    Missing,
    /// Longer than the format allows.
    #[error("the record is longer than {SEALED_BYTES_MAX} bytes")]
    TooLong,
    /// A scheme byte the format does not define.
    #[error("scheme {0} is not defined")]
    Scheme(u8),
    /// Shorter than its scheme's header and tag.
    #[error("the record is shorter than its scheme needs")]
    Short,
    /// `key_id` 0 is not a key.
    #[error("key_id 0 is not a key")]
    KeyZero,
    /// The nonce given has another length than the scheme's.
    #[error("the nonce has the wrong length")]
    Nonce,
    /// The authentication tag does not hold under this key, origin, index and scheme.
    #[error("the record does not open under its key")]
    Refused,
    /// It opened, but the padding is not the one the format prescribes.
    #[error("the padding is not the prescribed one")]
    Padding,
}

impl<'a> Sealed<'a> {
    /// Takes a stored record apart.
    ///
    /// # Errors
    /// A record that cannot be one of the three schemes.
    pub fn parse(record: &'a [u8]) -> Result<Self, SealError> {
        if record.len() > SEALED_BYTES_MAX {
            return Err(SealError::TooLong);
        }
        let (first, rest) = record.split_first().ok_or(SealError::Missing)?;
        let scheme = match first {
            0 => return Ok(Sealed::Plain(rest)),
            1 => Scheme::XChaCha,
            2 => Scheme::AesGcm,
            other => return Err(SealError::Scheme(*other)),
        };
        let (id, rest) = rest.split_first_chunk::<4>().ok_or(SealError::Short)?;
        let (nonce, ciphertext) = rest.split_at_checked(scheme.nonce_len()).ok_or(SealError::Short)?;
        if ciphertext.len() < PAD_BLOCK + 16 {
            return Err(SealError::Short);
        }
        let key_id = u32::from_be_bytes(*id);
        if key_id == 0 {
            return Err(SealError::KeyZero);
        }
        Ok(Sealed::Encrypted { scheme, key_id, nonce, ciphertext })
    }
}

/// A scheme 0 record.
pub fn plain(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 1);
    out.push(Scheme::Plain as u8);
    out.extend_from_slice(content);
    out
}

/// Seals `content` for one place in one ledger. `origin_hash` is the chain's hash of the origin.
///
/// # Errors
/// A nonce of the wrong length, key id 0, or a record that would be too long. [`Scheme::Plain`] takes no key: use [`plain`].
pub fn seal(
    content: &[u8],
    scheme: Scheme,
    key_id: u32,
    key: &DataKey,
    nonce: &[u8],
    origin_hash: &[u8; 32],
    index: u64,
) -> Result<Vec<u8>, SealError> {
    seal_by(content, scheme, key_id, nonce, origin_hash, index, |associated, text| match scheme {
        Scheme::Plain => None,
        Scheme::XChaCha => {
            let cipher = XChaCha20Poly1305::new(&key.0.into());
            cipher.encrypt_inout_detached(nonce.try_into().ok()?, associated, text.into()).ok().map(Into::into)
        }
        Scheme::AesGcm => {
            let cipher = Aes256Gcm::new(&key.0.into());
            cipher.encrypt_inout_detached(nonce.try_into().ok()?, associated, text.into()).ok().map(Into::into)
        }
    })
}

/// As [`seal`], by another implementation of the scheme's cipher: given the associated data and the padded content it encrypts that where it stands, under
/// the key and the nonce it knows, and gives the tag.
///
/// # Errors
/// As [`seal`]; [`SealError::TooLong`] where the cipher gives no tag.
pub fn seal_by(
    content: &[u8],
    scheme: Scheme,
    key_id: u32,
    nonce: &[u8],
    origin_hash: &[u8; 32],
    index: u64,
    encrypt: impl FnOnce(&[u8], &mut [u8]) -> Option<[u8; TAG_LEN]>,
) -> Result<Vec<u8>, SealError> {
    if scheme == Scheme::Plain {
        return Err(SealError::Scheme(0));
    }
    if key_id == 0 {
        return Err(SealError::KeyZero);
    }
    if nonce.len() != scheme.nonce_len() {
        return Err(SealError::Nonce);
    }
    let padded_len = (content.len() + 1).next_multiple_of(PAD_BLOCK);
    let header_len = 5 + nonce.len();
    if header_len + padded_len + TAG_LEN > SEALED_BYTES_MAX {
        return Err(SealError::TooLong);
    }
    // Encrypted where it stands, so that no copy of the plaintext is left behind.
    let mut out = Vec::with_capacity(header_len + padded_len + TAG_LEN);
    out.push(scheme as u8);
    out.extend_from_slice(&key_id.to_be_bytes());
    out.extend_from_slice(nonce);
    out.extend_from_slice(content);
    out.push(0x80);
    out.resize(header_len + padded_len, 0);
    let associated = associated_data(origin_hash, index, scheme, key_id);
    let tag = encrypt(&associated, out.get_mut(header_len..).unwrap_or_default());
    out.extend_from_slice(&tag.ok_or(SealError::TooLong)?);
    Ok(out)
}

/// Opens an encrypted record to its content's bytes. What comes back proves nothing until it gives the leaf's `content_hash`.
///
/// # Errors
/// [`SealError::Refused`] where the tag does not hold; the padding's fault where it does and the padding is not the prescribed one.
pub fn open(sealed: &Sealed<'_>, key: &DataKey, origin_hash: &[u8; 32], index: u64) -> Result<Vec<u8>, SealError> {
    let Sealed::Encrypted { scheme, key_id, nonce, ciphertext } = *sealed else { return Err(SealError::Scheme(0)) };
    let aad = associated_data(origin_hash, index, scheme, key_id);
    let payload = Payload { msg: ciphertext, aad: &aad };
    let plaintext = match scheme {
        Scheme::Plain => return Err(SealError::Scheme(0)),
        Scheme::XChaCha => {
            let nonce = nonce.try_into().map_err(|_| SealError::Nonce)?;
            XChaCha20Poly1305::new(&key.0.into()).decrypt(nonce, payload)
        }
        Scheme::AesGcm => {
            let nonce = nonce.try_into().map_err(|_| SealError::Nonce)?;
            Aes256Gcm::new(&key.0.into()).decrypt(nonce, payload)
        }
    };
    unpad(plaintext.map_err(|_| SealError::Refused)?)
}

fn unpad(mut plaintext: Vec<u8>) -> Result<Vec<u8>, SealError> {
    let content_len = plaintext.iter().rposition(|b| *b != 0).ok_or(SealError::Padding)?;
    let fewest = (content_len + 1).next_multiple_of(PAD_BLOCK);
    if plaintext.get(content_len) != Some(&0x80) || plaintext.len() != fewest {
        return Err(SealError::Padding);
    }
    plaintext.truncate(content_len);
    Ok(plaintext)
}

fn associated_data(origin_hash: &[u8; 32], index: u64, scheme: Scheme, key_id: u32) -> [u8; 45] {
    let mut aad = [0; 45];
    let parts = origin_hash.iter().copied().chain(index.to_be_bytes()).chain([scheme as u8]).chain(key_id.to_be_bytes());
    for (slot, byte) in aad.iter_mut().zip(parts) {
        *slot = byte;
    }
    aad
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_record_opens_only_in_its_place(content in proptest::collection::vec(any::<u8>(), 0..400), index in any::<u64>(), key_id in 1u32.., aes in any::<bool>()) {
            let scheme = if aes { Scheme::AesGcm } else { Scheme::XChaCha };
            let (key, origin) = (DataKey::new([7; 32]), [9; 32]);
            let record = seal(&content, scheme, key_id, &key, &vec![3; scheme.nonce_len()], &origin, index).unwrap();
            prop_assert_eq!((record.len() - 5 - scheme.nonce_len() - 16) % PAD_BLOCK, 0);
            let parsed = Sealed::parse(&record).unwrap();
            prop_assert_eq!(open(&parsed, &key, &origin, index), Ok(content));
            prop_assert_eq!(open(&parsed, &key, &origin, index ^ 1), Err(SealError::Refused));
            prop_assert_eq!(open(&parsed, &key, &[8; 32], index), Err(SealError::Refused));
            prop_assert_eq!(open(&parsed, &DataKey::new([6; 32]), &origin, index), Err(SealError::Refused));
        }
    }

    #[test]
    fn only_the_prescribed_padding_is_taken() {
        let padded = |body: &[u8], len: usize| {
            let mut v = body.to_vec();
            v.resize(len, 0);
            unpad(v)
        };
        assert_eq!(padded(&[1, 2, 0x80], 128), Ok(vec![1, 2]));
        assert_eq!(padded(&[1, 2, 0x80], 256), Err(SealError::Padding));
        assert_eq!(padded(&[1, 2, 0x81], 128), Err(SealError::Padding));
        assert_eq!(padded(&[], 128), Err(SealError::Padding));
        let mut full = vec![5; 127];
        full.push(0x80);
        assert_eq!(unpad(full), Ok(vec![5; 127]));
    }

    #[test]
    fn malformed_records_are_named() {
        assert_eq!(Sealed::parse(&[]), Err(SealError::Missing));
        assert_eq!(Sealed::parse(&[3, 0]), Err(SealError::Scheme(3)));
        assert_eq!(Sealed::parse(&[1, 0, 0, 0, 1]), Err(SealError::Short));
        assert_eq!(Sealed::parse(&[1; 28 + 128 + 16]), Err(SealError::Short));
        let mut zero = vec![0; 29 + 128 + 16];
        zero[0] = 1;
        assert_eq!(Sealed::parse(&zero), Err(SealError::KeyZero));
        assert_eq!(Sealed::parse(&vec![0; 65_536]), Err(SealError::TooLong));
    }
}
