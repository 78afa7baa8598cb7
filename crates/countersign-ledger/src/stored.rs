//! One stored entry, opened: its bytes, its seal, its fields, held against its leaf.

use std::collections::BTreeMap;

use countersign_entry::content::{Content, Meta};
use countersign_entry::leaf::Leaf;
use countersign_entry::record::Record;
use countersign_entry::seal::{self, DataKey, Sealed};
use countersign_log::chain::ChainHash;
use countersign_sign::datakeys::{DataKeys, KeptKey};
use sha2::{Digest, Sha256};

use crate::open::{OpenError, damaged};
use crate::redact::Rewritten;

const NOT_FIRST: &str = "the stored record is not the one the leaf commits to, and no redaction explains it";

/// Opens a stored entry: linked to the one before, its fields those of its content hash. Whether the record is another than the one its leaf commits
/// to, with fields erased, as after a redaction: whether there was one, and whether it gave this very record, is for the caller to know.
pub(crate) fn linked_record(
    index: u64,
    leaf: &[u8],
    sealed: &[u8],
    chain: ChainHash,
    keys: &impl KeyOf,
    origin_hash: &[u8; 32],
) -> Result<(Meta, Record, bool), OpenError> {
    let parsed = Leaf::decode(leaf).map_err(|e| damaged(index, e))?;
    if parsed.index != index || parsed.prev != chain.0 {
        return Err(damaged(index, "the leaf does not link to the one before"));
    }
    opened_record(index, &parsed, sealed, keys, origin_hash)
}

pub(crate) fn opened_record(
    index: u64,
    leaf: &Leaf,
    sealed: &[u8],
    keys: &impl KeyOf,
    origin_hash: &[u8; 32],
) -> Result<(Meta, Record, bool), OpenError> {
    let rewritten = <[u8; 32]>::from(Sha256::digest(sealed)) != leaf.sealed_hash;
    let content = Content::decode(&content_of(index, sealed, keys, origin_hash)?).map_err(|e| damaged(index, e))?;
    let encoded = content.encode().map_err(|e| damaged(index, e))?;
    if encoded.hash != leaf.content_hash {
        return Err(damaged(index, "the record does not give the leaf's content hash"));
    }
    let (meta, record) = record_of(index, &content)?;
    if rewritten == meta.erased { Ok((meta, record, rewritten)) } else { Err(damaged(index, NOT_FIRST)) }
}

/// The bytes of a stored record's content. Its seal is for its own place; whether it is what its leaf commits to is another question.
pub(crate) fn content_of(index: u64, sealed: &[u8], keys: &impl KeyOf, origin_hash: &[u8; 32]) -> Result<Vec<u8>, OpenError> {
    let parsed = Sealed::parse(sealed).map_err(|e| damaged(index, e))?;
    match parsed {
        Sealed::Plain(bytes) => Ok(bytes.to_vec()),
        Sealed::Encrypted { key_id, .. } => {
            let key = keys.key_of(key_id).ok_or(OpenError::Shut { entry: index, key_id, erased: None })?;
            seal::open(&parsed, &DataKey::new(*key), origin_hash, index).map_err(|e| damaged(index, e))
        }
    }
}

/// What a content says.
pub(crate) fn record_of(index: u64, content: &Content) -> Result<(Meta, Record), OpenError> {
    let meta = content.meta().map_err(|e| damaged(index, e))?;
    let record = Record::from_content(content).map_err(|e| damaged(index, e))?;
    Ok((meta, record))
}

/// A record that was opened, once what the whole ledger says of it is heard: which data keys were destroyed, and what was redacted.
pub(crate) fn explained(
    opened: Result<(Meta, Record, bool), OpenError>,
    index: u64,
    sealed: &[u8],
    erased: &BTreeMap<u32, u64>,
    redacted: &Rewritten,
) -> Result<(Meta, Record), OpenError> {
    let (meta, record, rewritten) = opened.map_err(|e| match e {
        OpenError::Shut { entry, key_id, .. } => OpenError::Shut { entry, key_id, erased: erased.get(&key_id).copied() },
        other => other,
    })?;
    if rewritten && !redacted.explains(index, &Sha256::digest(sealed).into()) {
        return Err(damaged(index, NOT_FIRST));
    }
    Ok((meta, record))
}

/// What is made of each, in order, the second half of them on another thread.
pub(crate) fn by_two<T: Sync, R: Send>(items: &[T], make: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let all = |part: &[T]| part.iter().map(&make).collect::<Vec<R>>();
    let (left, right) = items.split_at(items.len() / 2);
    std::thread::scope(|scope| {
        let aside = scope.spawn(|| all(right));
        let mut made = all(left);
        made.extend(aside.join().unwrap_or_else(|_| all(right)));
        made
    })
}

/// Data keys by id.
pub(crate) trait KeyOf {
    /// The key, if there is one of this id.
    fn key_of(&self, key_id: u32) -> Option<&[u8; 32]>;
}

impl KeyOf for BTreeMap<u32, KeptKey> {
    fn key_of(&self, key_id: u32) -> Option<&[u8; 32]> {
        self.get(&key_id).map(|key| &***key)
    }
}

impl KeyOf for DataKeys {
    fn key_of(&self, key_id: u32) -> Option<&[u8; 32]> {
        self.key(key_id).map(|key| &***key)
    }
}
