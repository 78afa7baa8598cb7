//! What an acknowledged request gets.

use std::sync::Arc;

use countersign_entry::record::Record;
use countersign_entry::time::Micros;
use countersign_log::note::NoteError;
use countersign_log::proof;
use countersign_log::tree::{LeafIndex, NodeHash};

/// An entry is on stable storage, at its final index, under a signed checkpoint; this proves it offline.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The entry.
    pub index: u64,
    /// When it was recorded.
    pub at: Micros,
    /// What was recorded, decision included.
    pub record: Record,
    /// The leaf's bytes.
    pub leaf: Vec<u8>,
    /// From the leaf's sibling upwards, to the root the checkpoint signs.
    pub hashes: Vec<NodeHash>,
    /// The signed checkpoint of the commit.
    pub note: Arc<[u8]>,
    /// Whether the request had been recorded before, under the same idempotency key.
    pub repeated: bool,
}

impl Receipt {
    /// The receipt as a C2SP `.tlog-proof` file.
    ///
    /// # Errors
    /// The stored checkpoint is not a signed note; a ledger that opened has none such.
    pub fn tlog_proof(&self) -> Result<String, NoteError> {
        let note = std::str::from_utf8(&self.note).map_err(|e| NoteError::NotUtf8 { offset: e.valid_up_to() })?;
        Ok(proof::render(None, LeafIndex(self.index), &self.hashes, note))
    }
}
