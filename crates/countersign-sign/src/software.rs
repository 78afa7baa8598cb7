//! A signing key in a file, for throw-away ledgers.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use countersign_log::vkey::{VKey, VKeyError};
use ed25519_dalek::{Signer as _, SigningKey};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::files::{read_bounded, write_new};
use crate::keyfile::{FILE_BYTES_MAX, FileFault, Hex, SIGNING_FORMAT, SigningKeyFile};
use crate::pkcs11::TokenError;
use crate::unlock::{DeriveError, Unlock};
use crate::{Random, RandomError, SignError, Signer, aead, random_bytes};

/// What an origin must end in to be signed for with a key in software.
pub const SOFTWARE_SUFFIX: &str = "/software";

const PURPOSE: &str = "signing seed";

/// Why a key file could not be made or opened.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// This ledger is not a throw-away one.
    #[error("{origin:?} needs a hardware key: only an origin that ends in {SOFTWARE_SUFFIX} may keep its keys in software")]
    HardwareKeyNeeded {
        /// The origin.
        origin: String,
    },
    /// The origin cannot name a key.
    #[error("{origin:?} cannot name a key")]
    Origin {
        /// The origin.
        origin: String,
        /// What is wrong with it.
        #[source]
        source: VKeyError,
    },
    /// The keys of another log.
    #[error("{path} holds keys of {found:?}, not of {expected:?}")]
    OtherOrigin {
        /// The file.
        path: PathBuf,
        /// The origin asked for.
        expected: String,
        /// The origin in the file.
        found: String,
    },
    /// The file is whole and does not open.
    #[error("wrong passphrase for {0}")]
    WrongPassphrase(PathBuf),
    /// The file's keys are wrapped by a token.
    #[error("{0} is opened by a key in a token, not by a passphrase")]
    NeedsToken(PathBuf),
    /// The file's keys are wrapped under a passphrase.
    #[error("{0} is opened by a passphrase, not by a key in a token")]
    NeedsPassphrase(PathBuf),
    /// The token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The file is not as it was written.
    #[error("{path} is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        fault: FileFault,
    },
    /// There is no such file.
    #[error("no key file at {0}")]
    Missing(PathBuf),
    /// A key is never written over.
    #[error("{0} exists already, and a key is never written over")]
    AlreadyExists(PathBuf),
    /// The file cannot be read or written.
    #[error("key file {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The key derivation failed.
    #[error("the passphrase could not be used")]
    Derive(#[from] DeriveError),
    /// No randomness for a key.
    #[error("no key without randomness")]
    Random(#[from] RandomError),
}

/// An Ed25519 key whose seed is sealed in a file under a passphrase, and open in memory while this lives.
pub struct SoftwareSigner {
    vkey: VKey,
    /// Erases itself when dropped.
    key: SigningKey,
}

impl SoftwareSigner {
    /// Makes a new key for a throw-away log and writes its file, which must not exist. Durable on `Ok`.
    pub fn create(path: &Path, origin: &str, unlock: &mut Unlock, random: Random<'_>) -> Result<Self, KeyFileError> {
        check_origin(origin)?;
        let mut seed = Zeroizing::new([0; 32]);
        random(&mut *seed)?;
        let signer = Self::from_seed(origin, &seed)?;
        let kdf = unlock.kdf(random)?;
        let nonce = random_bytes(random)?;
        let vkey = signer.vkey.to_string();
        let sealed = aead::seal(&*unlock.key(&kdf, PURPOSE, origin)?, &nonce, &associated(origin, &vkey), &*seed);
        let damaged = |fault| KeyFileError::Damaged { path: path.to_owned(), fault };
        let sealed_seed = Hex(sealed.ok_or_else(|| damaged(FileFault::Invalid("seed cannot be sealed")))?);
        let file = SigningKeyFile { format: SIGNING_FORMAT.into(), origin: origin.into(), vkey, kdf, nonce: Hex(nonce), sealed_seed };
        create_file(path, &file.render().map_err(damaged)?)?;
        Ok(signer)
    }

    /// Opens the key of `origin`.
    pub fn open(path: &Path, origin: &str, unlock: &mut Unlock) -> Result<Self, KeyFileError> {
        check_origin(origin)?;
        let file = SigningKeyFile::parse(&read_file(path)?).map_err(|fault| KeyFileError::Damaged { path: path.to_owned(), fault })?;
        check_same_origin(path, origin, &file.origin)?;
        let key = unlock.key(&file.kdf, PURPOSE, origin)?;
        let opened = aead::open(&key, &file.nonce.0, &associated(origin, &file.vkey), &file.sealed_seed.0);
        let wrong = || KeyFileError::WrongPassphrase(path.to_owned());
        let seed: &[u8; 32] = &opened.as_ref().ok_or_else(wrong)?.as_slice().try_into().map_err(|_| wrong())?;
        let signer = Self::from_seed(origin, seed)?;
        if signer.vkey.to_string() != file.vkey {
            return Err(KeyFileError::Damaged { path: path.to_owned(), fault: FileFault::Invalid("the seed is not that of the vkey") });
        }
        Ok(signer)
    }

    fn from_seed(origin: &str, seed: &[u8; 32]) -> Result<Self, KeyFileError> {
        let key = SigningKey::from_bytes(seed);
        let named = VKey::new(origin, key.verifying_key().as_bytes());
        let vkey = named.map_err(|source| KeyFileError::Origin { origin: origin.to_owned(), source })?;
        Ok(Self { vkey, key })
    }
}

impl Signer for SoftwareSigner {
    fn vkey(&self) -> &VKey {
        &self.vkey
    }

    fn sign(&mut self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        if message.is_empty() {
            return Err(SignError::Refused("nothing to sign".into()));
        }
        Ok(self.key.sign(message).to_bytes().to_vec())
    }
}

impl fmt::Debug for SoftwareSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftwareSigner({})", self.vkey)
    }
}

/// Whether keys in software will do for this origin.
pub fn check_origin(origin: &str) -> Result<(), KeyFileError> {
    if origin.ends_with(SOFTWARE_SUFFIX) { Ok(()) } else { Err(KeyFileError::HardwareKeyNeeded { origin: origin.to_owned() }) }
}

pub(crate) fn check_same_origin(path: &Path, expected: &str, found: &str) -> Result<(), KeyFileError> {
    if found == expected {
        return Ok(());
    }
    Err(KeyFileError::OtherOrigin { path: path.to_owned(), expected: expected.to_owned(), found: found.to_owned() })
}

pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, KeyFileError> {
    read_bounded(path, FILE_BYTES_MAX).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => KeyFileError::Missing(path.to_owned()),
        _ => KeyFileError::Io { path: path.to_owned(), source },
    })
}

pub(crate) fn create_file(path: &Path, text: &str) -> Result<(), KeyFileError> {
    write_new(path, text.as_bytes()).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::AlreadyExists(path.to_owned()),
        _ => KeyFileError::Io { path: path.to_owned(), source },
    })
}

/// Binds the seed to format, log and public key.
fn associated(origin: &str, vkey: &str) -> Vec<u8> {
    format!("{SIGNING_FORMAT}\n{origin}\n{vkey}\n").into_bytes()
}
