//! From passphrase to keys: one costly derivation for a process, then a key of its own for each purpose.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::keyfile::Kdf;
use crate::passphrase::Passphrase;
use crate::{Random, RandomError, random_bytes};

/// The derivation failed: no memory, or parameters that argon2 does not take.
#[derive(Debug, Error)]
#[error("cannot derive a key from the passphrase: {0}")]
pub struct DeriveError(argon2::Error);

/// A passphrase and what was derived from it last. Files that share salt and parameters are opened for the price of one.
pub struct Unlock {
    passphrase: Passphrase,
    derived: Option<(Kdf, Zeroizing<[u8; 32]>)>,
    runs_count: u32,
}

impl Unlock {
    /// Derives nothing yet.
    pub fn new(passphrase: Passphrase) -> Self {
        Self { passphrase, derived: None, runs_count: 0 }
    }

    /// How often the costly derivation ran.
    pub fn runs_count(&self) -> u32 {
        self.runs_count
    }

    /// The parameters for a new file: those of the file opened or made before, else new ones with a fresh salt.
    pub(crate) fn kdf(&self, random: Random<'_>) -> Result<Kdf, RandomError> {
        match &self.derived {
            Some((kdf, _)) => Ok(kdf.clone()),
            None => Ok(Kdf::new(random_bytes(random)?)),
        }
    }

    /// The key for one purpose in one log.
    pub(crate) fn key(&mut self, kdf: &Kdf, purpose: &str, origin: &str) -> Result<Zeroizing<[u8; 32]>, DeriveError> {
        let root = match self.derived.take() {
            Some((derived, root)) if derived == *kdf => root,
            _ => {
                self.runs_count = self.runs_count.saturating_add(1);
                derive(&self.passphrase, kdf).map_err(DeriveError)?
            }
        };
        let key = subkey(&root, purpose, origin);
        self.derived = Some((kdf.clone(), root));
        Ok(key)
    }
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unlock(..)")
    }
}

fn derive(passphrase: &Passphrase, kdf: &Kdf) -> Result<Zeroizing<[u8; 32]>, argon2::Error> {
    let mut root = Zeroizing::new([0; 32]);
    let params = Params::new(kdf.memory_kib, kdf.passes, kdf.lanes, Some(root.len()))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into(passphrase.as_bytes(), &kdf.salt.0, &mut *root)?;
    Ok(root)
}

/// SHA-256 over labels and the root, each label after its length: different labels never give the same input.
fn subkey(root: &[u8; 32], purpose: &str, origin: &str) -> Zeroizing<[u8; 32]> {
    let mut hasher = Sha256::new();
    for label in ["countersign v1 subkey", purpose, origin] {
        hasher.update((label.len() as u64).to_be_bytes());
        hasher.update(label);
    }
    hasher.update(root);
    let mut key = Zeroizing::new([0; 32]);
    hasher.finalize_into((&mut *key).into());
    key
}
