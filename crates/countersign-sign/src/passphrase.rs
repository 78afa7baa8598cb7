//! The passphrase that the key files are locked with.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::files::{read_bounded, write_new};
use crate::{Random, RandomError};

/// Longest passphrase, in bytes.
pub const PASSPHRASE_BYTES_MAX: usize = 4096;

const PREFIX: &str = "countersign-passphrase-1 ";
const RANDOM_LEN: usize = 32;
const CHECKSUM_LEN: usize = 8;
const GENERATED_LEN: usize = PREFIX.len() + 2 * RANDOM_LEN + 1 + 2 * CHECKSUM_LEN;

/// A passphrase, erased when dropped. Prints nothing of itself.
pub struct Passphrase(Zeroizing<String>);

/// Why there is no passphrase.
#[derive(Debug, Error)]
pub enum PassphraseError {
    /// Nothing in it.
    #[error("the passphrase is empty")]
    Empty,
    /// Longer than any.
    #[error("the passphrase is longer than {PASSPHRASE_BYTES_MAX} bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("the passphrase is not UTF-8 text")]
    NotText,
    /// It was generated, and is not as it was.
    #[error("the generated passphrase was changed: its checksum does not match")]
    Damaged,
    /// No randomness to generate one from.
    #[error("cannot generate a passphrase")]
    Random(#[from] RandomError),
    /// The file cannot be read or written.
    #[error("passphrase file {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

impl Passphrase {
    /// Takes a passphrase as text. One that looks generated (by its first word, or by having exactly the length of one) must have its checksum
    /// right, so that any changed byte of it is told from a wrong passphrase.
    pub fn new(text: &str) -> Result<Self, PassphraseError> {
        match text.len() {
            0 => return Err(PassphraseError::Empty),
            len if len > PASSPHRASE_BYTES_MAX => return Err(PassphraseError::TooLong),
            _ => {}
        }
        let looks_generated = text.starts_with(PREFIX) || text.len() == GENERATED_LEN;
        if looks_generated && !is_generated(text) {
            return Err(PassphraseError::Damaged);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// Takes the bytes of a passphrase file: text, one newline at its end cut.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PassphraseError> {
        if bytes.len() > PASSPHRASE_BYTES_MAX {
            return Err(PassphraseError::TooLong);
        }
        // A flipped bit can make bytes no text any more. That is damage if the rest says that they were generated.
        let generated = bytes.starts_with(PREFIX.as_bytes()) || bytes.strip_suffix(b"\n").unwrap_or(bytes).len() == GENERATED_LEN;
        let fault = if generated { PassphraseError::Damaged } else { PassphraseError::NotText };
        let text = std::str::from_utf8(bytes).map_err(|_| fault)?;
        Self::new(text.strip_suffix('\n').unwrap_or(text))
    }

    /// Reads a passphrase file.
    pub fn from_file(path: &Path) -> Result<Self, PassphraseError> {
        let failed = |source| PassphraseError::File { path: path.to_owned(), source };
        let bytes = Zeroizing::new(read_bounded(path, PASSPHRASE_BYTES_MAX).map_err(failed)?);
        Self::from_bytes(&bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// Makes up a passphrase for a throw-away ledger and writes it to a new file, for the owner alone. Whoever has the file has the ledger's keys.
pub fn generate_passphrase_file(path: &Path, random: Random<'_>) -> Result<Passphrase, PassphraseError> {
    let mut bytes = Zeroizing::new([0; RANDOM_LEN]);
    random(&mut *bytes)?;
    let text = generated(&Zeroizing::new(hex::encode(*bytes)));
    let line = Zeroizing::new(format!("{}\n", *text));
    write_new(path, line.as_bytes()).map_err(|source| PassphraseError::File { path: path.to_owned(), source })?;
    Ok(Passphrase(text))
}

fn generated(random: &str) -> Zeroizing<String> {
    let digest = Sha256::digest(Zeroizing::new(format!("{PREFIX}{random}")).as_bytes());
    let checksum: String = hex::encode(digest).chars().take(2 * CHECKSUM_LEN).collect();
    Zeroizing::new(format!("{PREFIX}{random} {checksum}"))
}

fn is_generated(text: &str) -> bool {
    let random = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once(' ')).map(|(random, _)| random);
    random.is_some_and(|random| random.len() == 2 * RANDOM_LEN && *generated(random) == text)
}
