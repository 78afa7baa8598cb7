//! A data key is destroyed: what it sealed can be read no more, by anybody, and the ledger goes on from the facts that are left. Leaves, chain, tree
//! and receipts stay as they are, so everything still proves.
//!
//! The entry that says so comes first. If we stop between it and the end of the key, the next start finds the key still there and destroys it. Snapshot
//! and index know what the erased entries said, so both go with the key and are made anew.

use std::fs;
use std::io;

use countersign_entry::ids::{LeafIndex, Line, PrincipalId, RequestKey};
use countersign_entry::record::DataKeyDestroyed;
use countersign_entry::seal::Sealed;
use countersign_entry::time::Micros;
use countersign_sign::os_random;

use crate::commit::{AppendError, Request};
use crate::limits::{ERASE_AFTER_YEARS, ERASE_ETHICS_AFTER_YEARS};
use crate::open::{ERASED, Ledger, Mode};
use crate::receipt::Receipt;
use crate::rotate::Signatures;

/// What is to be erased, why, and who approved.
#[derive(Debug, Clone)]
pub struct Erasure {
    /// The compartment, as [`Ledger::compartments`] lists it: `submission:S-2603 2026`.
    pub compartment: String,
    /// Legal ground.
    pub authority: Line,
    /// Two people, neither of them the one who asks.
    pub approvers: Vec<PrincipalId>,
    /// Their signatures, over [`Ledger::erasure_request`].
    pub signatures: Signatures,
}

impl Ledger {
    /// Every compartment that has a data key, with the key's id.
    pub fn compartments(&self) -> impl Iterator<Item = (u32, &str)> {
        self.keys.compartments()
    }

    /// Destroys the data key of a compartment. The ledger takes nothing after it until it is opened again.
    ///
    /// Copies of the file of data keys from before still hold the key; where it is wrapped in a token, `key rewrap` ends them.
    ///
    /// # Errors
    /// Too early, a legal hold, something that still stands on what would be erased, or as [`AppendError`] says.
    pub fn erase(&mut self, actor: &PrincipalId, key: RequestKey, erasure: Erasure) -> Result<Receipt, AppendError> {
        self.ready()?;
        let record = self.erasure_request(&erasure)?;
        let key_id = record.key_id;
        self.erasing = Some(key_id);
        let receipt = self.append(Request { actor: actor.clone(), key, record: record.into(), signed: erasure.signatures.signed });
        self.erasing = None;
        // Decided, it may stand in the ledger, and then these facts know more than the ledger may; refused, it does not.
        if receipt.is_ok() || !matches!(self.mode, Mode::Writable) {
            self.mode = Mode::ReadOnly(ERASED.into());
        }
        let receipt = receipt?;
        self.state.erased.insert(key_id, receipt.index);
        self.finish_erasing()?;
        Ok(receipt)
    }

    /// What is asked when a compartment is to be erased, for approvers to sign.
    ///
    /// # Errors
    /// As [`Ledger::erase`]: too early, or something still stands on what would be erased.
    pub fn erasure_request(&self, erasure: &Erasure) -> Result<DataKeyDestroyed, AppendError> {
        let known = self.keys.assigned(&erasure.compartment);
        let key_id = known.ok_or_else(|| AppendError::Malformed(format!("there is no compartment {:?}", erasure.compartment)))?;
        self.check_erasable(&erasure.compartment, key_id).map_err(AppendError::Malformed)?;
        Ok(DataKeyDestroyed {
            key_id,
            authority: erasure.authority.clone(),
            approvers: erasure.approvers.clone(),
            approvals: erasure.signatures.approvals(),
        })
    }

    /// Destroys keys that entries say are destroyed and that are still here. Whether there were any.
    pub(crate) fn finish_erasing(&mut self) -> Result<bool, AppendError> {
        let left: Vec<u32> = self.state.erased.keys().copied().filter(|key_id| self.keys.key(*key_id).is_some()).collect();
        if left.is_empty() || self.opened_for_reading() {
            return Ok(false);
        }
        let unknown = |e: String| AppendError::Unknown(format!("a data key is destroyed and not yet gone: {e}"));
        self.forget_beside().map_err(|e| unknown(e.to_string()))?;
        for key_id in left {
            self.keys.destroy(key_id, &mut os_random).map_err(|e| unknown(e.to_string()))?;
        }
        Ok(true)
    }

    fn forget_beside(&mut self) -> io::Result<()> {
        let Some(beside) = &self.beside else { return Ok(()) };
        let gone = |removed: io::Result<()>| removed.or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) });
        gone(fs::remove_file(crate::snapshot::path(&beside.dir)))?;
        self.state.index = crate::index::Index::default();
        gone(fs::remove_dir_all(beside.dir.join("index")))
    }

    fn check_erasable(&self, compartment: &str, key_id: u32) -> Result<(), String> {
        let now = self.clock.now();
        let (subject, year) =
            compartment.rsplit_once(' ').and_then(|(subject, year)| Some((subject, year.parse::<u32>().ok()?))).unwrap_or_default();
        let years = match subject {
            "directory" => return Err("the directory says who may act: it is not erased".into()),
            "ethics" => ERASE_ETHICS_AFTER_YEARS,
            _ => ERASE_AFTER_YEARS,
        };
        let this: u32 = now.to_string().split('-').next().and_then(|year| year.parse().ok()).unwrap_or_default();
        if this <= year + years {
            return Err(format!("{compartment:?} is kept for {years} years after its own: until the end of {}", year + years));
        }
        match self.rests_on(key_id, now) {
            Some((what, entry)) => {
                Err(format!("{what} recorded as entry {entry} still stands, and is sealed under this key: end or supersede it first"))
            }
            None => Ok(()),
        }
    }

    fn rests_on(&self, key_id: u32, at: Micros) -> Option<(&'static str, LeafIndex)> {
        self.state.facts.standing(at).find(|(_, entry)| {
            // What cannot be read might be: then it is.
            self.store.read(entry.0).map_or(true, |stored| match Sealed::parse(&stored.sealed) {
                Ok(Sealed::Encrypted { key_id: found, .. }) => found == key_id,
                Ok(Sealed::Plain(_)) => false,
                Err(_) => true,
            })
        })
    }
}
