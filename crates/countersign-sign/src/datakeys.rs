//! The data keys of a ledger, wrapped in one file (ledger-format, "Data keys").
//!
//! Each data key is wrapped under one key of the file. That key comes from a passphrase in a throw-away ledger; in any other it is random, and
//! stands in the file wrapped by a key that never leaves a token. So opening asks the token once, whatever the number of data keys, and a new
//! key needs no token at all. What each key seals stands in the log and not here, so a file tells nothing but how many keys there are.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::aead::{self, NONCE_LEN, TAG_LEN};
use crate::files::replace;
use crate::keyfile::{DATA_KEYS_FORMAT, DataKeysFile, FileFault, Hex, KEYS_COUNT_MAX, Kdf, TOKEN_DATA_KEYS_FORMAT, TokenLock, WrappedKey};
use crate::pkcs11::{Token, Wrapped};
use crate::software::{KeyFileError, check_origin, check_same_origin, create_file, read_file};
use crate::unlock::Unlock;
use crate::{Random, RandomError, random_bytes};

const PURPOSE: &str = "key-encryption key";
const CHECK_LABEL: &str = "countersign v1 data key";
const WRAP_LABEL: &str = "countersign v1 wrapped data key";
const LOCK_LABEL: &str = "countersign v1 wrapped file key";
const SECRET_LABEL: &str = "countersign v1 sealed secret";

/// Bytes of a secret that [`DataKeys::seal_secret`] sealed.
pub const SEALED_SECRET_LEN: usize = NONCE_LEN + 32 + TAG_LEN;

/// What is public about a data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataKeyInfo {
    /// Its key id.
    pub key_id: u32,
    /// Its [`check`], as `datakey.created` records it.
    pub check: [u8; 32],
}

/// Why data keys could not be changed.
#[derive(Debug, Error)]
pub enum DataKeysError {
    /// No key has this id: it never existed, or was destroyed.
    #[error("there is no data key {0}")]
    Unknown(u32),
    /// More keys than a file takes, or no key id left.
    #[error("too many data keys: at most {KEYS_COUNT_MAX}")]
    TooMany,
    /// No randomness for a key.
    #[error("no data key without randomness")]
    Random(#[from] RandomError),
    /// The file could not be written, so what it holds now is unknown. The keys here are as before.
    #[error("data keys could not be kept")]
    File(#[from] KeyFileError),
    /// An earlier write failed.
    #[error("an earlier write failed and its result is unknown: open the data keys again")]
    Poisoned,
}

/// All data keys of one log, open in memory, wrapped on disk. Every change is durable before it returns.
///
/// A key must be in the log (`datakey.created`) before a record is sealed under it. If we stop between [`DataKeys::create_pool`] and that entry, the
/// file knows keys that the log does not; [`DataKeys::keys`] tells which, and the ledger records them before it goes on.
pub struct DataKeys {
    path: PathBuf,
    origin: String,
    lock: Lock,
    file_key: Zeroizing<[u8; 32]>,
    content: Content,
    poisoned: bool,
}

/// The key of a file of data keys, as a token gave it. Whoever keeps it opens the file again while the token is away.
#[derive(Clone)]
pub struct FileKey {
    lock: TokenLock,
    key: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileKey({:?})", self.lock.label)
    }
}

/// What opens the file's key.
#[derive(Clone)]
enum Lock {
    Passphrase(Kdf),
    Token(TokenLock),
}

/// A data key in memory: in one place, which all who seal or open with it share and the last of them wipes.
pub type KeptKey = Arc<Zeroizing<[u8; 32]>>;

#[derive(Clone)]
struct Content {
    next_key_id: u32,
    keys: BTreeMap<u32, DataKey>,
}

#[derive(Clone)]
struct DataKey {
    key: KeptKey,
    /// As it stands in the file.
    wrapped: WrappedKey,
}

/// The public check of a data key: SHA-256(`countersign v1 data key` ‖ u32be(key_id) ‖ key).
pub fn check(key_id: u32, key: &[u8; 32]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(CHECK_LABEL);
    hasher.update(key_id.to_be_bytes());
    hasher.update(key);
    hasher.finalize().into()
}

impl DataKeys {
    /// Writes a new file without keys, which must not exist.
    pub fn create(path: &Path, origin: &str, unlock: &mut Unlock, random: Random<'_>) -> Result<Self, DataKeysError> {
        check_origin(origin)?;
        let kdf = unlock.kdf(random)?;
        let file_key = unlock.key(&kdf, PURPOSE, origin).map_err(KeyFileError::from)?;
        Self::write_first(path, origin, Lock::Passphrase(kdf), file_key, random)
    }

    /// [`DataKeys::create`] under a key-encryption key in a token.
    pub fn create_in_token(path: &Path, origin: &str, token: &Token, label: &str, random: Random<'_>) -> Result<Self, DataKeysError> {
        let (file_key, lock) = new_lock(origin, token, label, random)?;
        Self::write_first(path, origin, Lock::Token(lock), file_key, random)
    }

    fn write_first(
        path: &Path,
        origin: &str,
        lock: Lock,
        file_key: Zeroizing<[u8; 32]>,
        random: Random<'_>,
    ) -> Result<Self, DataKeysError> {
        let content = Content { next_key_id: 1, keys: BTreeMap::new() };
        let keys = Self { path: path.to_owned(), origin: origin.to_owned(), lock, file_key, content, poisoned: false };
        create_file(path, &keys.render(&keys.content, random)?)?;
        Ok(keys)
    }

    /// Opens the data keys of `origin`, all of them.
    pub fn open(path: &Path, origin: &str, unlock: &mut Unlock) -> Result<Self, KeyFileError> {
        check_origin(origin)?;
        let file = read_keys(path, origin)?;
        let kdf = file.kdf.clone().ok_or_else(|| KeyFileError::NeedsToken(path.to_owned()))?;
        let file_key = unlock.key(&kdf, PURPOSE, origin)?;
        Self::opened(path, file, Lock::Passphrase(kdf), file_key)
    }

    /// [`DataKeys::open`] where the key-encryption key is in a token. The token is asked for the file's key unless `kept` is that key, and what opened the
    /// file is kept there.
    pub fn open_with_token(path: &Path, origin: &str, token: &Token, kept: &mut Option<FileKey>) -> Result<Self, KeyFileError> {
        let file = read_keys(path, origin)?;
        let lock = file.lock.clone().ok_or_else(|| KeyFileError::NeedsPassphrase(path.to_owned()))?;
        let key = match kept {
            Some(kept) if kept.lock == lock => kept.key.clone(),
            _ => {
                let wrapped = Wrapped { nonce: lock.nonce.0, sealed: lock.wrapped.0 };
                token.unwrap(&lock.label, &lock_associated(origin, &lock.label), &wrapped)?
            }
        };
        let opened = Self::opened(path, file, Lock::Token(lock.clone()), key.clone())?;
        *kept = Some(FileKey { lock, key });
        Ok(opened)
    }

    fn opened(path: &Path, file: DataKeysFile, lock: Lock, file_key: Zeroizing<[u8; 32]>) -> Result<Self, KeyFileError> {
        let damaged = |fault| KeyFileError::Damaged { path: path.to_owned(), fault };
        // The tag first: if it holds, the passphrase is right, and whatever else does not open is damage.
        let associated = tag_associated(&file).map_err(damaged)?;
        aead::open(&file_key, &file.nonce.0, &associated, &file.tag.0).ok_or_else(|| match lock {
            Lock::Passphrase(_) => KeyFileError::WrongPassphrase(path.to_owned()),
            Lock::Token(_) => damaged(FileFault::Invalid("it does not open under the key the token gave for it")),
        })?;
        let unwrapped = file.keys.into_iter().map(|key| Some((key.key_id, unwrap(&file_key, &file.origin, key)?))).collect::<Option<_>>();
        let keys = unwrapped.ok_or_else(|| damaged(FileFault::Invalid("a data key does not open, or fails its check")))?;
        let content = Content { next_key_id: file.next_key_id, keys };
        Ok(Self { path: path.to_owned(), origin: file.origin, lock, file_key, content, poisoned: false })
    }

    /// The label of the key-encryption key, where it is in a token.
    pub fn wrapping_label(&self) -> Option<&str> {
        match &self.lock {
            Lock::Passphrase(_) => None,
            Lock::Token(lock) => Some(&lock.label),
        }
    }

    /// Wraps everything under another key-encryption key of the token. Once the key before it is destroyed there, no older copy of the file opens
    /// any more.
    pub fn rewrap(&mut self, token: &Token, label: &str, random: Random<'_>) -> Result<(), DataKeysError> {
        let (file_key, lock) = new_lock(&self.origin, token, label, random)?;
        let mut content = self.content.clone();
        for (key_id, key) in &mut content.keys {
            let wrapped = wrap(&file_key, &self.origin, *key_id, &key.key, random_bytes(random)?);
            key.wrapped = wrapped.ok_or_else(|| self.damaged(FileFault::Invalid("a data key cannot be wrapped")))?;
        }
        let before = (std::mem::replace(&mut self.lock, Lock::Token(lock)), std::mem::replace(&mut self.file_key, file_key));
        let kept = self.keep(content, random);
        if kept.is_err() {
            (self.lock, self.file_key) = before;
        }
        kept
    }

    /// Makes `count` new keys, with the next key ids.
    pub fn create_pool(&mut self, count: u32, random: Random<'_>) -> Result<Vec<DataKeyInfo>, DataKeysError> {
        let mut content = self.content.clone();
        let first = content.next_key_id;
        content.next_key_id = first.checked_add(count).ok_or(DataKeysError::TooMany)?;
        if content.keys.len().saturating_add(count as usize) > KEYS_COUNT_MAX {
            return Err(DataKeysError::TooMany);
        }
        for key_id in first..content.next_key_id {
            let mut key = KeptKey::default();
            // Made where it stays.
            random(&mut **Arc::make_mut(&mut key))?;
            let wrapped = wrap(&self.file_key, &self.origin, key_id, &key, random_bytes(random)?);
            let wrapped = wrapped.ok_or_else(|| self.damaged(FileFault::Invalid("a data key cannot be wrapped")))?;
            content.keys.insert(key_id, DataKey { key, wrapped });
        }
        self.keep(content, random)?;
        Ok(self.keys().filter(|info| info.key_id >= first).collect())
    }

    /// Erases keys from the file and from memory, for good, all of them or none. Their ids are never used again. Copies of the file from before still
    /// have them.
    pub fn destroy(&mut self, key_ids: &[u32], random: Random<'_>) -> Result<(), DataKeysError> {
        let mut content = self.content.clone();
        for key_id in key_ids {
            content.keys.remove(key_id).ok_or(DataKeysError::Unknown(*key_id))?;
        }
        self.keep(content, random)
    }

    /// A key, to seal or open records with.
    pub fn key(&self, key_id: u32) -> Option<&KeptKey> {
        self.content.keys.get(&key_id).map(|key| &key.key)
    }

    /// All keys by id, to open records with on another thread.
    pub fn all(&self) -> BTreeMap<u32, KeptKey> {
        self.content.keys.iter().map(|(key_id, key)| (*key_id, key.key.clone())).collect()
    }

    /// What is public about each key, by key id.
    pub fn keys(&self) -> impl Iterator<Item = DataKeyInfo> + '_ {
        self.content.keys.iter().map(|(key_id, key)| DataKeyInfo { key_id: *key_id, check: key.wrapped.check.0 })
    }

    /// The ids above one, ascending: keys that nothing is sealed under yet, where that is the last that something is.
    pub fn ids_above(&self, key_id: u32) -> impl Iterator<Item = u32> + '_ {
        self.content.keys.range((Bound::Excluded(key_id), Bound::Unbounded)).map(|(key_id, _)| *key_id)
    }

    /// How many keys there are.
    pub fn count(&self) -> usize {
        self.content.keys.len()
    }

    /// Seals a secret under the key-encryption key, for one purpose in this log and one context: the key of something that is kept beside the ledger
    /// and must not be taken for anything else, or from anybody else.
    ///
    /// # Errors
    /// No randomness.
    pub fn seal_secret(&self, purpose: &str, context: &[u8], secret: &[u8; 32], random: Random<'_>) -> Result<Vec<u8>, RandomError> {
        let nonce = random_bytes(random)?;
        let associated = secret_associated(purpose, &self.origin, context);
        let sealed: Option<[u8; 32 + TAG_LEN]> = aead::seal(&self.file_key, &nonce, &associated, secret);
        // Only a length no caller has would give none.
        Ok([nonce.as_slice(), sealed.unwrap_or([0; 32 + TAG_LEN]).as_slice()].concat())
    }

    /// Opens what [`DataKeys::seal_secret`] sealed; none for another purpose, log, context or key, and for changed bytes.
    pub fn open_secret(&self, purpose: &str, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let plain = aead::open(&self.file_key, nonce, &secret_associated(purpose, &self.origin, context), sealed)?;
        Some(Zeroizing::new(plain.as_slice().try_into().ok()?))
    }

    /// All keys in hex, for an inspector. Whoever has this reads everything.
    pub fn export(&self) -> BTreeMap<u32, Zeroizing<String>> {
        self.content.keys.iter().map(|(key_id, key)| (*key_id, Zeroizing::new(hex::encode(**key.key)))).collect()
    }

    fn keep(&mut self, content: Content, random: Random<'_>) -> Result<(), DataKeysError> {
        if self.poisoned {
            return Err(DataKeysError::Poisoned);
        }
        let text = self.render(&content, random)?;
        self.poisoned = true;
        replace(&self.path, text.as_bytes()).map_err(|source| KeyFileError::Io { path: self.path.clone(), source })?;
        self.poisoned = false;
        self.content = content;
        Ok(())
    }

    fn render(&self, content: &Content, random: Random<'_>) -> Result<String, DataKeysError> {
        let keys = content.keys.values().map(|key| key.wrapped.clone()).collect();
        let nonce = Hex(random_bytes(random)?);
        let (format, kdf, lock) = match self.lock.clone() {
            Lock::Passphrase(kdf) => (DATA_KEYS_FORMAT, Some(kdf), None),
            Lock::Token(lock) => (TOKEN_DATA_KEYS_FORMAT, None, Some(lock)),
        };
        let (origin, next_key_id, tag) = (self.origin.clone(), content.next_key_id, Hex([0; TAG_LEN]));
        let mut file = DataKeysFile { format: format.into(), origin, kdf, lock, next_key_id, keys, nonce, tag };
        let tag = aead::seal(&self.file_key, &nonce.0, &tag_associated(&file).map_err(|fault| self.damaged(fault))?, &[]);
        file.tag = Hex(tag.ok_or_else(|| self.damaged(FileFault::Invalid("the file cannot be authenticated")))?);
        Ok(file.render().map_err(|fault| self.damaged(fault))?)
    }
    fn damaged(&self, fault: FileFault) -> KeyFileError {
        KeyFileError::Damaged { path: self.path.clone(), fault }
    }
}

impl fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKeys({:?}, {} keys)", self.origin, self.count())
    }
}

/// The file's text as it is with an empty tag.
fn tag_associated(file: &DataKeysFile) -> Result<Vec<u8>, FileFault> {
    let untagged = DataKeysFile { tag: Hex([0; TAG_LEN]), ..file.clone() };
    Ok(untagged.render()?.into_bytes())
}

/// Each part after its length: different parts never give the same text.
fn secret_associated(purpose: &str, origin: &str, context: &[u8]) -> Vec<u8> {
    let mut text = SECRET_LABEL.as_bytes().to_vec();
    for part in [purpose.as_bytes(), origin.as_bytes(), context] {
        text.extend_from_slice(&(part.len() as u64).to_be_bytes());
        text.extend_from_slice(part);
    }
    text
}

fn read_keys(path: &Path, origin: &str) -> Result<DataKeysFile, KeyFileError> {
    let file = DataKeysFile::parse(&read_file(path)?).map_err(|fault| KeyFileError::Damaged { path: path.to_owned(), fault })?;
    check_same_origin(path, origin, &file.origin)?;
    Ok(file)
}

/// A new key for a file, and how the token opens it.
fn new_lock(origin: &str, token: &Token, label: &str, random: Random<'_>) -> Result<(Zeroizing<[u8; 32]>, TokenLock), DataKeysError> {
    let mut file_key = Zeroizing::new([0; 32]);
    random(&mut *file_key)?;
    let wrapped = token.wrap(label, &lock_associated(origin, label), &file_key).map_err(KeyFileError::from)?;
    Ok((file_key, TokenLock { label: label.to_owned(), nonce: Hex(wrapped.nonce), wrapped: Hex(wrapped.sealed) }))
}

/// Labels and origins have no newline of their own.
fn lock_associated(origin: &str, label: &str) -> Vec<u8> {
    format!("{LOCK_LABEL}\n{label}\n{origin}").into_bytes()
}

fn wrap_associated(origin: &str, key_id: u32, check: &[u8; 32]) -> Vec<u8> {
    [WRAP_LABEL.as_bytes(), &key_id.to_be_bytes(), check, origin.as_bytes()].concat()
}

fn wrap(file_key: &[u8; 32], origin: &str, key_id: u32, key: &[u8; 32], nonce: [u8; NONCE_LEN]) -> Option<WrappedKey> {
    let check = check(key_id, key);
    let wrapped = aead::seal(file_key, &nonce, &wrap_associated(origin, key_id, &check), key)?;
    Some(WrappedKey { key_id, check: Hex(check), nonce: Hex(nonce), wrapped: Hex(wrapped) })
}

fn unwrap(file_key: &[u8; 32], origin: &str, wrapped: WrappedKey) -> Option<DataKey> {
    let associated = wrap_associated(origin, wrapped.key_id, &wrapped.check.0);
    let plain = aead::open(file_key, &wrapped.nonce.0, &associated, &wrapped.wrapped.0)?;
    let mut key = KeptKey::default();
    Arc::make_mut(&mut key).copy_from_slice(<&[u8; 32]>::try_from(plain.as_slice()).ok()?);
    (check(wrapped.key_id, &key) == wrapped.check.0).then_some(DataKey { key, wrapped })
}
