//! What is kept beside the ledger and can be made anew from it: blinded, sealed, and never believed further than its seal.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use countersign_sign::datakeys::{DataKeys, SEALED_SECRET_LEN};
use zeroize::Zeroizing;

/// What sealing adds to the length.
pub(crate) const TAG_LEN: usize = 16;
/// The part of a nonce that is drawn for each file.
pub(crate) const PREFIX_LEN: usize = 16;

/// Blinds names and seals blocks under one secret.
pub(crate) struct Sealer {
    blinding: Zeroizing<[u8; 32]>,
    cipher: XChaCha20Poly1305,
}

/// A name nobody reads without the key; equal names, equal blinds.
pub(crate) type Blind = [u8; 16];

impl Sealer {
    /// From a secret, whatever it seals.
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        let part = |context: &str| Zeroizing::new(blake3::derive_key(context, secret));
        Self {
            blinding: part("countersign v1 index blinding"),
            cipher: XChaCha20Poly1305::new((&*part("countersign v1 index sealing")).into()),
        }
    }

    /// A fresh one, with its secret sealed for a purpose and context under the ledger's key-encryption key.
    pub(crate) fn create(keys: &DataKeys, purpose: &str, context: &[u8]) -> Result<(Self, Vec<u8>), countersign_sign::RandomError> {
        let mut secret = Zeroizing::new([0; 32]);
        countersign_sign::os_random(&mut *secret)?;
        let sealed = keys.seal_secret(purpose, context, &secret, &mut countersign_sign::os_random)?;
        Ok((Self::new(&secret), sealed))
    }

    /// The one whose secret was sealed so; none for another purpose, context, ledger, or changed bytes.
    pub(crate) fn open(keys: &DataKeys, purpose: &str, context: &[u8], sealed: &[u8]) -> Option<Self> {
        let sealed = sealed.get(..SEALED_SECRET_LEN).filter(|s| s.len() == sealed.len())?;
        Some(Self::new(&*keys.open_secret(purpose, context, sealed)?))
    }

    /// The blind of a name of a kind.
    pub(crate) fn blind(&self, kind: u8, name: &[u8]) -> Blind {
        let mut hasher = blake3::Hasher::new_keyed(&self.blinding);
        hasher.update(&[kind]);
        hasher.update(name);
        hasher.finalize().as_bytes().first_chunk().copied().unwrap_or_default()
    }

    /// A block of a file, for its place alone.
    pub(crate) fn seal(&self, prefix: &[u8; PREFIX_LEN], place: u64, associated: &[u8], plain: &[u8]) -> Vec<u8> {
        // Fails only for lengths no block has; what does not open then is rebuilt.
        self.cipher.encrypt(&nonce(prefix, place).into(), Payload { msg: plain, aad: associated }).unwrap_or_default()
    }

    /// The block sealed for this place; none for any other bytes.
    pub(crate) fn unseal(&self, prefix: &[u8; PREFIX_LEN], place: u64, associated: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.cipher.decrypt(&nonce(prefix, place).into(), Payload { msg: sealed, aad: associated }).ok()
    }
}

fn nonce(prefix: &[u8; PREFIX_LEN], place: u64) -> [u8; 24] {
    let mut nonce = [0; 24];
    nonce.iter_mut().zip(prefix.iter().copied().chain(place.to_be_bytes())).for_each(|(to, from)| *to = from);
    nonce
}

/// Randomness for a file's nonces.
pub(crate) fn prefix() -> Result<[u8; PREFIX_LEN], countersign_sign::RandomError> {
    let mut prefix = [0; PREFIX_LEN];
    countersign_sign::os_random(&mut prefix)?;
    Ok(prefix)
}
