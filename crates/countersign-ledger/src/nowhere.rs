//! Stands in for a store, register and key that are lent to another thread, or to a scan of themselves. Answers nothing and records nothing.

use countersign_store::{
    EachEntry, EachSeal, Head, Recovered, Register, RegisterError, Rewrite, StagedBatch, Store, StoreError, StoredEntry,
};

pub(crate) struct Nowhere;

impl Store for Nowhere {
    fn recover(&mut self, _from: u64) -> Result<Recovered, StoreError> {
        Err(StoreError::NotRecovered)
    }
    fn stage(&mut self, _: &StagedBatch) -> Result<(), StoreError> {
        Err(StoreError::NotRecovered)
    }
    fn seal(&mut self, _: &Head) -> Result<(), StoreError> {
        Err(StoreError::NotRecovered)
    }
    fn reader(&self) -> Result<Box<dyn Store>, StoreError> {
        Err(StoreError::NotRecovered)
    }
    fn read(&self, _: u64) -> Result<StoredEntry, StoreError> {
        Err(StoreError::NotRecovered)
    }
    fn scan(&self, _: u64, _: EachEntry<'_>) -> Result<(), StoreError> {
        Err(StoreError::NotRecovered)
    }
    fn seals(&self, _: u64, _: EachSeal<'_>) -> Result<(), StoreError> {
        Err(StoreError::NotRecovered)
    }
    fn stage_rewrite(&mut self, _: &Rewrite) -> Result<(), StoreError> {
        Err(StoreError::NotRecovered)
    }
    fn staged_rewrites(&self) -> Result<Vec<Rewrite>, StoreError> {
        Err(StoreError::NotRecovered)
    }
    fn carry_out(&mut self, _: u64) -> Result<(), StoreError> {
        Err(StoreError::NotRecovered)
    }
    fn drop_rewrite(&mut self, _: u64) -> Result<(), StoreError> {
        Err(StoreError::NotRecovered)
    }
}

impl Register for Nowhere {
    fn load(&self) -> Result<Option<Head>, RegisterError> {
        Err(RegisterError::ReadOnly)
    }
    fn advance(&mut self, _: &Head) -> Result<(), RegisterError> {
        Err(RegisterError::ReadOnly)
    }
    fn give_up(&mut self, _: &Head) {}
}
