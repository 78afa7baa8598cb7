//! Somewhere for a ledger to live, in the tests of this crate: those of its own parts cannot use the worlds of `countersign-testing`, which are made of
//! another build of it.
#![allow(clippy::unwrap_used, reason = "a panic is a failed test")]

use countersign_sign::datakeys::DataKeys;
use countersign_sign::os_random;
use countersign_sign::passphrase::Passphrase;
use countersign_sign::unlock::Unlock;
use countersign_store::Store;
use countersign_store::memory::{MemoryDisk, MemoryRegister, MemoryStore};
use countersign_testing::ledger::{ORIGIN, TestSigner, cast, principal};

use crate::{Access, AppendError, Beside, Ledger, Parts, Request, SystemClock, SystemEntropy};

/// What survives a ledger.
pub(crate) struct Place {
    pub(crate) disk: MemoryDisk,
    pub(crate) dir: tempfile::TempDir,
    /// Entries after which a start writes a snapshot.
    pub(crate) snapshot_after: u64,
}

impl Place {
    pub(crate) fn new(snapshot_after: u64) -> Self {
        Self { disk: MemoryDisk::new(), dir: tempfile::tempdir().unwrap(), snapshot_after }
    }

    pub(crate) fn parts(&self, store: impl Store + 'static, register: MemoryRegister, new: bool) -> Parts {
        let (path, mut unlock) = (self.dir.path().join("data.keys"), Unlock::new(Passphrase::new("correct horse").unwrap()));
        let keys = if new {
            DataKeys::create(&path, ORIGIN, &mut unlock, &mut os_random).unwrap()
        } else {
            DataKeys::open(&path, ORIGIN, &mut unlock).unwrap()
        };
        Parts {
            store: Box::new(store),
            register: Box::new(register),
            vkey: countersign_sign::Signer::vkey(&TestSigner::new()).clone(),
            signers: vec![Box::new(TestSigner::new())],
            keys,
            clock: Box::new(SystemClock),
            entropy: Box::new(SystemEntropy::default()),
            beside: Some(Beside { snapshot_after: self.snapshot_after, ..Beside::new(self.dir.path().to_owned(), Box::new(|_| {})) }),
        }
    }

    pub(crate) fn start(&self) -> Ledger {
        let parts = self.parts(MemoryStore::create(&self.disk).unwrap(), MemoryRegister::create(&self.disk).unwrap(), true);
        Ledger::start(parts, &principal("founder"), &principal("sequencer"), cast()).unwrap()
    }

    pub(crate) fn open(&self) -> Ledger {
        let parts = self.parts(MemoryStore::open_writer(&self.disk).unwrap(), MemoryRegister::open_writer(&self.disk).unwrap(), false);
        Ledger::open(parts, Access::Write).unwrap()
    }
}

pub(crate) fn agreement(ledger: &mut Ledger, key: &str) -> Result<crate::Receipt, AppendError> {
    let kind = countersign_entry::record::AgreementKind::DutyNotice;
    let record = countersign_testing::ledger::agreement(key, "ada1", kind, ledger.now());
    ledger.append(Request { actor: principal("officer"), key: key.parse().unwrap(), record: record.into(), signed: None })
}
