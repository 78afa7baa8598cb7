//! What an acknowledged request gets.

use std::ops::{ControlFlow, Deref};
use std::sync::Arc;

use countersign_entry::ids::{PrincipalId, RequestKey};
use countersign_entry::record::Record;
use countersign_entry::time::Micros;
use countersign_log::note::{Note, NoteError};
use countersign_log::tree::{self, LeafHash, LeafIndex, NodeHash, TreeSize};
use countersign_log::{proof, recall};

use crate::commit::AppendError;
use crate::open::damaged;
use crate::state::typed;
use crate::{Ledger, OpenError};

/// An entry stands at its index under a signed checkpoint; this proves it offline, whether or not anybody can still read the entry.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The entry.
    pub index: u64,
    /// The leaf's bytes.
    pub leaf: Vec<u8>,
    /// The leaf's hash in the tree.
    pub leaf_hash: LeafHash,
    /// From the leaf's sibling upwards, to the root the checkpoint signs.
    pub hashes: Vec<NodeHash>,
    /// The signed checkpoint of the commit.
    pub note: Arc<[u8]>,
}

impl Proof {
    /// As a C2SP `.tlog-proof` file.
    ///
    /// # Errors
    /// The stored checkpoint is not a signed note; a ledger that opened has none such.
    pub fn tlog_proof(&self) -> Result<String, NoteError> {
        let note = std::str::from_utf8(&self.note).map_err(|e| NoteError::NotUtf8 { offset: e.valid_up_to() })?;
        Ok(proof::render(None, LeafIndex(self.index), &self.hashes, note))
    }
}

/// An entry is on stable storage, at its final index, under a signed checkpoint: what was recorded, and the proof of it.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// What proves it.
    pub proof: Proof,
    /// When it was recorded.
    pub at: Micros,
    /// What was recorded, decision included.
    pub record: Record,
    /// Whether the request had been recorded before, under the same idempotency key.
    pub repeated: bool,
}

/// An entry is on stable storage, at its final index, under a signed checkpoint. The request's key gives the proof of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// The entry.
    pub index: u64,
    /// Whether the request had been recorded before, under the same idempotency key.
    pub repeated: bool,
}

/// A receipt is a proof, and tells what it proves.
impl Deref for Receipt {
    type Target = Proof;

    fn deref(&self) -> &Proof {
        &self.proof
    }
}

impl Ledger {
    /// The proof of a committed entry, erased or not: always made from the log, under the checkpoint of its own commit.
    ///
    /// # Errors
    /// The index is not committed, or the log cannot be read.
    pub fn proof(&self, index: u64) -> Result<Proof, OpenError> {
        let leaf = self.leaf(index)?;
        let mut head = None;
        self.store.seals(index + 1, &mut |size, note| {
            head = Some((size, note.to_vec()));
            ControlFlow::Break(())
        })?;
        let (size, note) = head.ok_or_else(|| damaged(index, "no commit covers it"))?;
        Note::parse(&note).map_err(|e| damaged(index, e))?;
        let leaves = &mut |range| self.leaf_hashes(range);
        let hashes = recall::inclusion_proof(&self.state.tree, LeafIndex(index), TreeSize(size), leaves);
        let leaf_hash = tree::leaf_hash(&leaf);
        Ok(Proof { index, leaf, leaf_hash, hashes: hashes.map_err(|e| damaged(index, e))?, note: note.into() })
    }

    /// The entry that an actor recorded under a key, whatever it says; none where nothing was.
    ///
    /// # Errors
    /// What was asked before cannot be read.
    pub fn entry_of_request(&self, actor: &PrincipalId, key: &RequestKey) -> Result<Option<u64>, AppendError> {
        let seen = self.state.seen(actor, key.as_str()).map_err(|e| AppendError::Unavailable(e.to_string()))?;
        Ok(seen.map(|seen| seen.index).filter(|index| *index < self.size()))
    }

    /// The receipt of a committed entry: its proof, and what was recorded.
    ///
    /// # Errors
    /// [`AppendError::Unknown`] where the log cannot be read, or the entry is erased.
    pub fn receipt(&self, index: u64) -> Result<Receipt, AppendError> {
        let unknown = |e: OpenError| AppendError::Unknown(e.to_string());
        let proof = self.proof(index).map_err(unknown)?;
        let (_, meta, record) = self.entry(index).map_err(unknown)?;
        let (at, _) = typed(&meta).ok_or_else(|| AppendError::Unknown("time or actor".into()))?;
        Ok(Receipt { proof, at, record, repeated: false })
    }
}
