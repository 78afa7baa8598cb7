//! What may be staged and sealed next: the rule every backend keeps.

use crate::{Head, StagedBatch, StoreError};

/// How far a store is sealed, and whether a batch is pending after that.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Position {
    /// The sealed size.
    pub size: u64,
    /// The size after the pending batch.
    pub staged_size: Option<u64>,
}

impl Position {
    /// The size after `batch`, if it may be staged now.
    pub fn may_stage(&self, batch: &StagedBatch) -> Result<u64, StoreError> {
        if self.staged_size.is_some() {
            return Err(StoreError::AlreadyStaged(self.size));
        }
        if batch.first_index != self.size {
            return Err(StoreError::NotNext { size: self.size, found: batch.first_index });
        }
        batch.first_index.checked_add(batch.entries.len() as u64).ok_or(StoreError::Encode(countersign_log::segment::EncodeError::Overflow))
    }

    /// Whether `head` is for the pending batch.
    pub fn may_seal(&self, head: &Head) -> Result<(), StoreError> {
        match self.staged_size {
            _ if head.size <= self.size => Err(StoreError::AlreadySealed(head.size)),
            None => Err(StoreError::NothingStaged(head.size)),
            Some(expected) if expected != head.size => Err(StoreError::SealSize { expected, found: head.size }),
            Some(_) => Ok(()),
        }
    }

    /// Whether `index` is sealed.
    pub fn may_read(&self, index: u64) -> Result<(), StoreError> {
        if index < self.size { Ok(()) } else { Err(StoreError::NotSealed { index, size: self.size }) }
    }
}
