//! The key files as text: read strictly and checked without the passphrase. Pure: bytes in, values out.
//!
//! Each is one JSON object, indented, fields in a fixed order, `check` last: the SHA-256 of the object without that field. A file must be, byte for
//! byte, what would be written for the values read from it. So any changed byte is noticed, and there is no slack to hide bytes in. The check needs
//! no key and stops no forger; what is sealed inside is authenticated by the passphrase.

use std::fmt;
use std::path::PathBuf;

use countersign_log::vkey::VKey;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::aead::{NONCE_LEN, TAG_LEN};

/// Longest key file, in bytes.
pub const FILE_BYTES_MAX: usize = 512 * 1024 * 1024;
/// Most data keys in one file. Each takes some 300 bytes of it.
pub const KEYS_COUNT_MAX: usize = 1_500_000;
/// `format` of a signing key file.
pub const SIGNING_FORMAT: &str = "countersign software key 1";
/// `format` of a data key file under a passphrase.
pub const DATA_KEYS_FORMAT: &str = "countersign data keys 1";
/// `format` of a data key file under a key in a token.
pub const TOKEN_DATA_KEYS_FORMAT: &str = "countersign data keys 2";
/// `format` of the file that says where keys in a token are.
pub const TOKEN_FORMAT: &str = "countersign token 1";

const SEED_LEN: usize = 32;

/// Bytes of a fixed length, lower-case hex in the file.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hex<const N: usize>(pub [u8; N]);

impl<const N: usize> From<Hex<N>> for String {
    fn from(bytes: Hex<N>) -> Self {
        hex::encode(bytes.0)
    }
}

impl<const N: usize> TryFrom<String> for Hex<N> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bytes = hex::decode(&text).ok().and_then(|bytes| <[u8; N]>::try_from(bytes).ok());
        bytes.filter(|bytes| hex::encode(bytes) == text).map(Self).ok_or_else(|| format!("expected {N} bytes as lower-case hex"))
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// How the passphrase becomes a key: argon2id (RFC 9106), version 0x13, 32 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kdf {
    /// `argon2id`.
    pub name: String,
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
    /// The salt, the same in both files of a ledger, so that one run opens both.
    pub salt: Hex<16>,
}

impl Kdf {
    /// The parameters new files are written with: 19 MiB, two passes, one lane.
    pub fn new(salt: [u8; 16]) -> Self {
        Self { name: "argon2id".into(), memory_kib: 19 * 1024, passes: 2, lanes: 1, salt: Hex(salt) }
    }

    /// A file must not make us spend hours or all memory, nor lower the cost below what we write.
    fn check(&self) -> Result<(), FileFault> {
        let bounded =
            (19 * 1024..=256 * 1024).contains(&self.memory_kib) && (2..=16).contains(&self.passes) && (1..=4).contains(&self.lanes);
        if self.name != "argon2id" || !bounded {
            return Err(FileFault::Invalid("key derivation parameters out of bounds"));
        }
        Ok(())
    }
}

/// A signing key, its seed sealed under the passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeyFile {
    /// [`SIGNING_FORMAT`].
    pub format: String,
    /// The log it signs for.
    pub origin: String,
    /// The public key, named by the origin.
    pub vkey: String,
    /// How to derive the key that opens the seed.
    pub kdf: Kdf,
    /// Nonce of the sealed seed.
    pub nonce: Hex<NONCE_LEN>,
    /// The sealed seed.
    pub sealed_seed: Hex<{ SEED_LEN + TAG_LEN }>,
}

/// The key that wraps the data keys of a file, itself wrapped by a key in a token (AES-256-GCM there).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenLock {
    /// The label of the token's key.
    pub label: String,
    /// Nonce of the wrapping.
    pub nonce: Hex<12>,
    /// The wrapped key and its tag.
    pub wrapped: Hex<48>,
}

/// Where the keys of a ledger are in a token, and what opens it. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenFile {
    /// [`TOKEN_FORMAT`].
    pub format: String,
    /// The log they belong to.
    pub origin: String,
    /// The module's shared library.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The file with the PIN, where nobody says otherwise.
    pub pin_file: PathBuf,
    /// The signing keys, the newest last.
    pub keys: Vec<TokenKey>,
}

/// A signing key in a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenKey {
    /// Its label.
    pub label: String,
    /// The public key it must have, named by the origin.
    pub vkey: String,
}

/// The data keys of a ledger, each wrapped under one key for the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataKeysFile {
    /// [`DATA_KEYS_FORMAT`] or [`TOKEN_DATA_KEYS_FORMAT`].
    pub format: String,
    /// The log they belong to.
    pub origin: String,
    /// How to derive the file's key from a passphrase, in the first format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kdf: Option<Kdf>,
    /// How a token opens the file's key, in the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<TokenLock>,
    /// The key id the next key gets. Never goes back, so that no id is used twice.
    pub next_key_id: u32,
    /// The keys, by ascending key id.
    pub keys: Vec<WrappedKey>,
    /// Nonce of the tag.
    pub nonce: Hex<NONCE_LEN>,
    /// Authenticates everything above under the file's key, so that no key can be dropped or added without it.
    pub tag: Hex<TAG_LEN>,
}

/// One wrapped data key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedKey {
    /// Its key id; 0 is not a key.
    pub key_id: u32,
    /// What `datakey.created` says of it: [`crate::datakeys::check`].
    pub check: Hex<32>,
    /// Nonce of the wrapping.
    pub nonce: Hex<NONCE_LEN>,
    /// The key, sealed.
    pub wrapped: Hex<{ 32 + TAG_LEN }>,
}

/// A key file of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFile {
    /// A signing key.
    Signing(SigningKeyFile),
    /// Data keys.
    DataKeys(DataKeysFile),
    /// Where keys in a token are.
    Token(TokenFile),
}

/// What is wrong with a key file.
#[derive(Debug, Error)]
pub enum FileFault {
    /// Longer than any key file.
    #[error("longer than {FILE_BYTES_MAX} bytes")]
    TooLong,
    /// Not a JSON object with the fields of a key file.
    #[error("not a key file")]
    Json(#[from] serde_json::Error),
    /// A format or version we do not know.
    #[error("unknown format, or a byte of its name was changed")]
    Format,
    /// The bytes are not those that were written.
    #[error("the file was changed: its check does not match, or bytes were added")]
    Changed,
    /// The check holds, and the values make no sense.
    #[error("{0}")]
    Invalid(&'static str),
}

/// Reads and checks a key file of any kind, without its passphrase. Any flipped, added or missing byte is an error.
pub fn check_file(bytes: &[u8]) -> Result<KeyFile, FileFault> {
    #[derive(Deserialize)]
    struct Tag {
        format: String,
    }
    if bytes.len() > FILE_BYTES_MAX {
        return Err(FileFault::TooLong);
    }
    match serde_json::from_slice::<Tag>(bytes)?.format.as_str() {
        SIGNING_FORMAT => SigningKeyFile::parse(bytes).map(KeyFile::Signing),
        TOKEN_FORMAT => TokenFile::parse(bytes).map(KeyFile::Token),
        DATA_KEYS_FORMAT | TOKEN_DATA_KEYS_FORMAT => DataKeysFile::parse(bytes).map(KeyFile::DataKeys),
        _ => Err(FileFault::Format),
    }
}

/// Looks for damage in any file of a ledger's `keys/`, without its passphrase; says what it finds.
///
/// # Errors
/// What is wrong with the file.
pub fn check_any(path: &str, bytes: &[u8]) -> Result<(), String> {
    if path.ends_with("/passphrase") {
        return crate::passphrase::Passphrase::from_bytes(bytes).map(drop).map_err(|e| e.to_string());
    }
    check_file(bytes).map(drop).map_err(|e| e.to_string())
}

impl SigningKeyFile {
    /// Reads and checks a signing key file.
    pub fn parse(bytes: &[u8]) -> Result<Self, FileFault> {
        let file: Self = parse(bytes)?;
        if file.format != SIGNING_FORMAT {
            return Err(FileFault::Format);
        }
        file.kdf.check()?;
        let vkey = VKey::parse(&file.vkey).map_err(|_| FileFault::Invalid("the vkey is none"))?;
        if vkey.name() != file.origin {
            return Err(FileFault::Invalid("the vkey is not named by the origin"));
        }
        Ok(file)
    }

    /// The file's text.
    pub fn render(&self) -> Result<String, FileFault> {
        render(self)
    }
}

impl TokenFile {
    /// Reads and checks a token file.
    pub fn parse(bytes: &[u8]) -> Result<Self, FileFault> {
        let file: Self = parse(bytes)?;
        if file.format != TOKEN_FORMAT {
            return Err(FileFault::Format);
        }
        let named = |key: &TokenKey| VKey::parse(&key.vkey).is_ok_and(|vkey| vkey.name() == file.origin);
        if file.keys.is_empty() || !file.keys.iter().all(named) {
            return Err(FileFault::Invalid("it lists no key, or one that is not named by the origin"));
        }
        Ok(file)
    }

    /// The file's text.
    pub fn render(&self) -> Result<String, FileFault> {
        render(self)
    }
}

impl DataKeysFile {
    /// Reads and checks a data key file.
    pub fn parse(bytes: &[u8]) -> Result<Self, FileFault> {
        let file: Self = parse(bytes)?;
        match (file.format.as_str(), &file.kdf, &file.lock) {
            (DATA_KEYS_FORMAT, Some(kdf), None) => kdf.check()?,
            (TOKEN_DATA_KEYS_FORMAT, None, Some(_)) => {}
            (DATA_KEYS_FORMAT | TOKEN_DATA_KEYS_FORMAT, ..) => {
                return Err(FileFault::Invalid("it is locked in another way than its format"));
            }
            _ => return Err(FileFault::Format),
        }
        let ids = || file.keys.iter().map(|key| key.key_id);
        let ascending = std::iter::once(0).chain(ids()).zip(ids()).all(|(before, id)| before < id);
        if !ascending || ids().next_back().unwrap_or(0) >= file.next_key_id {
            return Err(FileFault::Invalid("key ids do not ascend from 1 to below the next"));
        }
        if file.keys.len() > KEYS_COUNT_MAX {
            return Err(FileFault::Invalid("too many keys"));
        }
        Ok(file)
    }

    /// The file's text.
    pub fn render(&self) -> Result<String, FileFault> {
        render(self)
    }
}

fn parse<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, FileFault> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(FileFault::TooLong);
    }
    let file: T = serde_json::from_slice(bytes)?;
    if render(&file)?.as_bytes() != bytes {
        return Err(FileFault::Changed);
    }
    Ok(file)
}

/// The one text of a file: its fields, then the check over them.
fn render<T: Serialize>(file: &T) -> Result<String, FileFault> {
    let fields = serde_json::to_string_pretty(file)?;
    let open = fields.strip_suffix("\n}").ok_or(FileFault::Invalid("not an object"))?;
    let check = hex::encode(Sha256::digest(&fields));
    Ok(format!("{open},\n  \"check\": \"{check}\"\n}}\n"))
}
