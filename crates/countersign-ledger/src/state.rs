//! What the ledger has in memory: facts, tree, chain, idempotency keys, index. Recovery and the sequencer take every entry in by the same two
//! functions.

use std::collections::HashMap;

use countersign_conflict::Facts;
use countersign_entry::content::Meta;
use countersign_entry::ids::{LeafIndex, PrincipalId};
use countersign_entry::record::Record;
use countersign_entry::time::Micros;
use countersign_log::chain::{self, ChainHash};
use countersign_log::tree::{self, Tree};
use countersign_log::vkey::VKey;
use sha2::{Digest, Sha256};

use crate::index::Index;
use crate::keys::LogKeys;

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
    seen: HashMap<[u8; 16], Seen>,
}

/// Where an idempotency key was used, and for what.
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) index: u64,
    pub(crate) request: [u8; 16],
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
            seen: HashMap::new(),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.tree.size().0
    }

    /// Takes in what an entry says. `asked` is the hash of the request where it is known already.
    pub(crate) fn take_record(
        &mut self,
        index: u64,
        at: Micros,
        actor: &PrincipalId,
        request: &str,
        record: &Record,
        asked: Option<[u8; 16]>,
    ) {
        self.facts.apply(LeafIndex(index), at, actor, record);
        match asked {
            Some(asked) => self.take_request(index, at, actor, request, record, asked),
            None => self.take_beside_facts(index, at, actor, request, record),
        }
    }

    /// [`State::take_record`] where the facts have taken the entry already, as in a replay.
    pub(crate) fn take_beside_facts(&mut self, index: u64, at: Micros, actor: &PrincipalId, request: &str, record: &Record) {
        // A record whose canonical form cannot be made was never accepted as a request, so no client can repeat it: any hash does.
        let asked = record.request_bytes().map_or([0; 16], |bytes| short_hash(&bytes));
        self.take_request(index, at, actor, request, record, asked);
    }

    fn take_request(&mut self, index: u64, at: Micros, actor: &PrincipalId, request: &str, record: &Record, asked: [u8; 16]) {
        self.last_at = at;
        self.index.take(index, record);
        self.keys.take(index, record);
        self.seen.insert(key_hash(actor.as_str(), request), Seen { index, request: asked });
    }

    /// Takes in an entry's leaf.
    pub(crate) fn take_leaf(&mut self, leaf: &[u8]) {
        self.chain = chain::link(leaf);
        self.tree.append(tree::leaf_hash(leaf));
    }

    pub(crate) fn seen(&self, actor: &PrincipalId, request: &str) -> Option<Seen> {
        self.seen.get(&key_hash(actor.as_str(), request)).copied()
    }
}

pub(crate) fn short_hash(bytes: &[u8]) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    digest.first_chunk().copied().unwrap_or_default()
}

fn key_hash(actor: &str, request: &str) -> [u8; 16] {
    // Neither text can hold a line feed, so two different pairs never make one input.
    short_hash(format!("{actor}\n{request}").as_bytes())
}

/// The common fields of an entry, typed; `None` where this ledger could not have written them.
pub(crate) fn typed(meta: &Meta) -> Option<(Micros, PrincipalId)> {
    Some((Micros::new(meta.at).ok()?, PrincipalId::new(meta.actor.clone()).ok()?))
}
