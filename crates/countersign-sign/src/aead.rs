//! XChaCha20-Poly1305 over small secrets.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use zeroize::Zeroizing;

/// Length of a nonce. Long enough to be random each time.
pub(crate) const NONCE_LEN: usize = 24;
/// What sealing adds to the length.
pub(crate) const TAG_LEN: usize = 16;

/// `plain` encrypted, then the tag. `None` only for lengths that no caller here has.
pub(crate) fn seal<const N: usize>(key: &[u8; 32], nonce: &[u8; NONCE_LEN], aad: &[u8], plain: &[u8]) -> Option<[u8; N]> {
    let cipher = XChaCha20Poly1305::new(key.into());
    cipher.encrypt(nonce.into(), Payload { msg: plain, aad }).ok()?.try_into().ok()
}

/// What was sealed; `None` under another key, nonce or associated data, or for changed bytes.
pub(crate) fn open(key: &[u8; 32], nonce: &[u8; NONCE_LEN], aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = XChaCha20Poly1305::new(key.into());
    cipher.decrypt(nonce.into(), Payload { msg: sealed, aad }).ok().map(Zeroizing::new)
}
