//! Keys in a PKCS#11 token: a smart card, a hardware security module, or SoftHSM for tests.
//!
//! What must not happen here: a second key where one seems absent, a signature by another key than the pinned one, a wrong PIN given twice, a
//! caller that waits for ever. So: log in first and look then; exactly one match, held against the pinned public key; every signature checked in
//! software; the module spoken to by one thread, each step of which has a deadline.
//!
//! Keys are made in the token, sensitive and never extractable. Ed25519 is the plain scheme (CKM_EDDSA without parameters), since some tokens
//! ignore the others silently; ECDSA signs a SHA-256 made here (CKM_ECDSA), which every token has.

mod connection;
mod file;
mod keys;
mod signer;
mod thread;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use zeroize::Zeroizing;

pub use self::connection::{Climb, Rung};
pub use self::keys::{Algorithm, Class, KeyAttributes, TokenIdentity};
pub use self::signer::TokenSigner;
use self::thread::Module;
use crate::pin::PinError;

/// How long one step of speaking to a module may take before its thread is given up.
pub const STEP_MAX: Duration = Duration::from_secs(5);
/// The same for making a key, which slow cards need half a minute for.
pub const MAKE_KEY_MAX: Duration = Duration::from_secs(60);

/// Where a token is, and what opens it. No secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The module's shared library.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The file that holds the PIN.
    pub pin_file: PathBuf,
}

/// Why a token did not do what was asked. Unless a variant says otherwise, nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    /// The module cannot be loaded.
    #[error("PKCS#11 module {path}: {what}")]
    Module {
        /// The library.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The token does not answer as it should, whatever was tried.
    #[error("{0}")]
    Away(String),
    /// A call has not come back.
    #[error("the PKCS#11 module hangs: {doing} has not come back within {seconds} s{}", .more.map(|n| format!(", and {n} calls before it neither; restart the program")).unwrap_or_default())]
    Hung {
        /// What was asked of it.
        doing: String,
        /// The deadline.
        seconds: u64,
        /// Calls given up before, where no more threads are spent on this module.
        more: Option<usize>,
    },
    /// The PIN's file.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// The token refused the PIN. It is not given again until its file changes, since tokens lock after a few wrong ones.
    #[error("token {token:?} refused the PIN ({what}); it is not tried again until the PIN file changes")]
    PinRefused {
        /// The token.
        token: String,
        /// In the module's words.
        what: String,
    },
    /// Not exactly one token has this label.
    #[error("{count} tokens with the label {token:?}; exactly one is needed")]
    Tokens {
        /// The label.
        token: String,
        /// Tokens found.
        count: usize,
    },
    /// Not exactly one key has this label.
    #[error("{count} {class} keys with the label {label:?} in token {token:?}; exactly one is needed")]
    Keys {
        /// The token.
        token: String,
        /// The label.
        label: String,
        /// What kind of key.
        class: Class,
        /// Keys found.
        count: usize,
    },
    /// A key of this label is there, and it is not the pinned one.
    #[error("the key {label:?} in token {token:?} is another than the pinned one; nothing is signed with it")]
    OtherKey {
        /// The token.
        token: String,
        /// The label.
        label: String,
    },
    /// The label is taken, and a second key is never made.
    #[error("token {token:?} has a key {label:?} already; no second one is made: choose another label, or use that key")]
    Exists {
        /// The token.
        token: String,
        /// The label.
        label: String,
    },
    /// It cannot be told whether a key was made.
    #[error("making the key {label:?} failed half-way ({what}): look with `key list` before anything else")]
    Half {
        /// The label.
        label: String,
        /// What the module said.
        what: String,
    },
    /// The token cannot do what is needed.
    #[error("this token will not do: {0}")]
    Unfit(String),
}

/// A token. Cheap to clone; all handles of a module share one thread.
#[derive(Clone, Debug)]
pub struct Token {
    place: Place,
    module: Arc<Module>,
}

impl Token {
    /// A token at a place. Nothing is loaded until it is used.
    #[must_use]
    pub fn at(place: Place) -> Self {
        let module = Module::at(&place.module);
        Self { place, module }
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Who made the token and its module, by their own account.
    ///
    /// # Errors
    /// As [`TokenError`] says.
    pub fn identity(&self) -> Result<TokenIdentity, TokenError> {
        let place = self.place.clone();
        self.module.run(STEP_MAX, move |c| c.climb(&place, &mut |c| c.identity(&place)))
    }

    /// The keys in the token, logged in.
    ///
    /// # Errors
    /// As [`TokenError`] says.
    pub fn list(&self) -> Result<Vec<KeyAttributes>, TokenError> {
        let place = self.place.clone();
        self.module.run(STEP_MAX, move |c| c.climb(&place, &mut |c| c.list(&place)))
    }

    /// What the token says of one key.
    ///
    /// # Errors
    /// As [`TokenError`] says.
    pub fn attributes(&self, class: Class, label: &str) -> Result<KeyAttributes, TokenError> {
        let (place, label) = (self.place.clone(), label.to_owned());
        self.module.run(STEP_MAX, move |c| c.climb(&place, &mut |c| c.attributes(&place, class, &label)))
    }

    /// Makes a signing key in the token and gives its public key as it stands in a vkey; a first signature has been checked with it.
    ///
    /// # Errors
    /// The label is taken; the token cannot; or [`TokenError::Half`].
    pub fn make_signing_key(&self, label: &str, algorithm: Algorithm) -> Result<Vec<u8>, TokenError> {
        let (place, label) = (self.place.clone(), label.to_owned());
        self.module.run(MAKE_KEY_MAX, move |c| c.make_signing_key(&place, &label, algorithm))
    }

    /// Makes a key-encryption key, AES-256, in the token.
    ///
    /// # Errors
    /// As [`Token::make_signing_key`].
    pub fn make_wrapping_key(&self, label: &str) -> Result<(), TokenError> {
        let (place, label) = (self.place.clone(), label.to_owned());
        self.module.run(MAKE_KEY_MAX, move |c| c.make_wrapping_key(&place, &label))
    }

    /// The public key of a signing key, as it stands in a vkey.
    ///
    /// # Errors
    /// Not exactly one such key, or the token is away.
    pub fn public_key(&self, label: &str) -> Result<(Algorithm, Vec<u8>), TokenError> {
        let (place, label) = (self.place.clone(), label.to_owned());
        self.module.run(STEP_MAX, move |c| c.climb(&place, &mut |c| c.public_key(&place, &label)))
    }

    /// Destroys a key in the token, its public half too, for good.
    ///
    /// # Errors
    /// Not exactly one such key, or the token is away.
    pub fn destroy(&self, class: Class, label: &str) -> Result<(), TokenError> {
        let (place, label) = (self.place.clone(), label.to_owned());
        self.module.run(STEP_MAX, move |c| c.destroy(&place, class, &label))
    }

    /// Encrypts a 32-byte key under the key-encryption key (AES-256-GCM in the token), bound to `associated`.
    ///
    /// # Errors
    /// As [`TokenError`] says.
    pub fn wrap(&self, label: &str, associated: &[u8], key: &Zeroizing<[u8; 32]>) -> Result<Wrapped, TokenError> {
        let (place, label, associated, key) = (self.place.clone(), label.to_owned(), associated.to_vec(), key.clone());
        self.module.run(STEP_MAX, move |c| c.climb(&place, &mut |c| c.wrap(&place, &label, &associated, &key)))
    }

    /// Opens what [`Token::wrap`] made.
    ///
    /// # Errors
    /// As [`TokenError`] says; another key or other bytes are [`TokenError::Away`] with the module's words.
    pub fn unwrap(&self, label: &str, associated: &[u8], wrapped: &Wrapped) -> Result<Zeroizing<[u8; 32]>, TokenError> {
        let (place, label, associated, wrapped) = (self.place.clone(), label.to_owned(), associated.to_vec(), *wrapped);
        self.module.run(STEP_MAX, move |c| c.climb(&place, &mut |c| c.unwrap(&place, &label, &associated, &wrapped)))
    }

    /// The last time something failed at first, and what became of it.
    #[must_use]
    pub fn last_climb(&self) -> Option<Climb> {
        self.module.last_climb()
    }
}

/// A 32-byte key under AES-256-GCM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// The nonce; the token's own where it insists on that.
    pub nonce: [u8; 12],
    /// Ciphertext, then the tag.
    pub sealed: [u8; 48],
}
