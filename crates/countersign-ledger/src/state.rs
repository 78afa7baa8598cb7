//! What the ledger has in memory: facts, tree, chain, index. Recovery and the sequencer take every entry in by the same two
//! functions.

use std::collections::BTreeMap;

use countersign_conflict::Facts;
use countersign_entry::content::Meta;
use countersign_entry::ids::{LeafIndex, PrincipalId};
use countersign_entry::record::Record;
use countersign_entry::time::Micros;
use countersign_log::chain::{self, ChainHash};
use countersign_log::tree::{self, LeafHash, LeafIndex as TreeIndex, Tree};
use countersign_log::vkey::VKey;
use sha2::{Digest, Sha256};

use crate::compartments::Compartments;
use crate::index::{Before, DiskError, Index, Seen};
use crate::keys::LogKeys;
use crate::limits::TREE_LEAVES;
use crate::redact::Rewritten;

pub(crate) struct State {
    pub(crate) origin: String,
    pub(crate) origin_hash: [u8; 32],
    pub(crate) facts: Facts,
    pub(crate) tree: Tree,
    /// `prev` of the next leaf.
    pub(crate) chain: ChainHash,
    /// Time of the newest entry.
    pub(crate) last_at: Micros,
    pub(crate) index: Index,
    pub(crate) keys: LogKeys,
    /// Data keys that were destroyed, with the entry that says so.
    pub(crate) erased: BTreeMap<u32, u64>,
    /// What each data key seals.
    pub(crate) compartments: Compartments,
    /// Stored records that redactions explain.
    pub(crate) rewritten: Rewritten,
}

impl State {
    pub(crate) fn new(first_key: &VKey) -> Self {
        let origin = first_key.name();
        let origin_hash = chain::origin_hash(origin);
        Self {
            origin: origin.to_owned(),
            origin_hash: origin_hash.0,
            facts: Facts::default(),
            tree: Tree::new(),
            chain: origin_hash,
            last_at: Micros::EPOCH,
            index: Index::default(),
            keys: LogKeys::new(first_key),
            erased: BTreeMap::new(),
            compartments: Compartments::default(),
            rewritten: Rewritten::default(),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.tree.size().0
    }

    /// Takes in what an entry says. `hashes` are those of the request where they are known already.
    pub(crate) fn take_record(
        &mut self,
        index: u64,
        at: Micros,
        actor: &PrincipalId,
        request: &str,
        record: &Record,
        hashes: Option<Hashes>,
    ) {
        let hashes = hashes.unwrap_or_else(|| Hashes { key: key_hash(actor.as_str(), request), asked: request_hash(record) });
        // The index asks what was known before the entry.
        self.index.take(index, record, &self.facts, hashes.key, hashes.asked);
        self.facts.apply(LeafIndex(index), at, actor, record);
        self.keys.take(index, record);
        self.rewritten.take(record);
        self.last_at = at;
    }

    /// Takes what an entry says into the index alone, where the facts are elsewhere, as in a replay.
    pub(crate) fn take_into_index(&mut self, index: u64, actor: &PrincipalId, request: &str, record: &Record, before: &impl Before) {
        self.index.take(index, record, before, key_hash(actor.as_str(), request), request_hash(record));
    }

    /// Takes in an entry's leaf; its hash.
    pub(crate) fn take_leaf(&mut self, leaf: &[u8]) -> LeafHash {
        let hash = tree::leaf_hash(leaf);
        self.chain = chain::link(leaf);
        self.tree.append(hash);
        let size = self.tree.size().0;
        self.index.leaves_taken(size, || self.tree.root());
        // Now and then, since forgetting moves what is kept.
        if size.is_multiple_of(TREE_LEAVES) {
            self.tree.forget_before(TreeIndex(size - TREE_LEAVES));
        }
        hash
    }

    /// Where a request was made.
    pub(crate) fn seen(&self, actor: &PrincipalId, request: &str) -> Result<Option<Seen>, DiskError> {
        self.index.seen(&key_hash(actor.as_str(), request))
    }
}

/// By which a repetition of a request is known for one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hashes {
    /// Of who asked, and the key it was asked under.
    pub(crate) key: [u8; 16],
    /// Of what was asked.
    pub(crate) asked: [u8; 16],
}

/// Hash of what was asked for a record.
pub(crate) fn request_hash(record: &Record) -> [u8; 16] {
    // A record whose canonical form cannot be made was never accepted as a request, so no client can repeat it: any hash does.
    record.request_bytes().map_or([0; 16], |bytes| short_hash(&bytes))
}

pub(crate) fn short_hash(bytes: &[u8]) -> [u8; 16] {
    short(Sha256::new().chain_update(bytes))
}

fn short(hasher: Sha256) -> [u8; 16] {
    let digest: [u8; 32] = hasher.finalize().into();
    digest.first_chunk().copied().unwrap_or_default()
}

pub(crate) fn key_hash(actor: &str, request: &str) -> [u8; 16] {
    // Neither text can hold a line feed, so two different pairs never make one input.
    short(Sha256::new().chain_update(actor).chain_update("\n").chain_update(request))
}

/// The common fields of an entry, typed; `None` where this ledger could not have written them.
pub(crate) fn typed(meta: &Meta) -> Option<(Micros, PrincipalId)> {
    Some((Micros::new(meta.at).ok()?, PrincipalId::new(meta.actor.clone()).ok()?))
}
