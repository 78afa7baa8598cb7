//! Secrets of a ledger: the key that signs checkpoints and the data keys that open sealed records.
//!
//! In scope: the [`Signer`] that a ledger signs with, in a PKCS#11 token ([`pkcs11`]) or in a file for throw-away ledgers ([`software`]); data keys
//! wrapped in a file, under a token's key or a passphrase; checking their files without either; and the key an officer signs requests with
//! ([`officer`]), which is the officer's and not the ledger's. Not here: notes, vkeys and signature checks
//! (`countersign-log`), sealing a record with a data key (`countersign-entry`), and when a key may be used (`countersign-ledger`, which records
//! `datakey.created` first and holds what is staged while a key is away).
//!
//! Limits: Ed25519, and in a token ECDSA over P-256. Software keys only for origins that end in `/software`. Secrets are erased from memory when
//! dropped, as far as the language lets us; nothing here keeps them from being swapped out. One process at a time may change a data key file: the
//! store's writer lock sees to that. The unsafe code that PKCS#11 needs is in the `cryptoki` crate.

use countersign_log::vkey::VKey;
use thiserror::Error;

mod aead;
pub mod datakeys;
mod files;
pub mod keyfile;
pub mod officer;
pub mod passphrase;
pub mod pin;
pub mod pkcs11;
pub mod software;
pub mod unlock;

/// Signs for one key. The key itself stays behind this trait, in a file's ciphertext or in a device.
pub trait Signer: Send + Sync {
    /// The key that the signatures are by, under its name (the log's origin).
    fn vkey(&self) -> &VKey;

    /// The raw signature over exactly these bytes (for a checkpoint: the note's text). Ed25519: 64 bytes; ECDSA: DER. A caller checks it before it
    /// relies on it.
    fn sign(&mut self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// Why there is no signature.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SignError {
    /// The key cannot be reached now: no device, no session. Nothing was signed; asking again later may work.
    #[error("the signing key is unavailable: {0}")]
    KeyUnavailable(String),
    /// The key is there and will not sign this.
    #[error("the signer refused: {0}")]
    Refused(String),
}

/// Where randomness comes from: fills the whole slice. [`os_random`] outside of tests.
pub type Random<'a> = &'a mut dyn FnMut(&mut [u8]) -> Result<(), RandomError>;

/// The operating system gave no randomness.
#[derive(Debug, Error)]
#[error("no randomness from the operating system")]
pub struct RandomError(#[from] getrandom::Error);

/// Fills `bytes` from the operating system.
pub fn os_random(bytes: &mut [u8]) -> Result<(), RandomError> {
    Ok(getrandom::fill(bytes)?)
}

/// `N` random bytes that are no secret: a salt, a nonce.
fn random_bytes<const N: usize>(random: Random<'_>) -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    random(&mut bytes)?;
    Ok(bytes)
}
