//! A data key is destroyed: what it sealed can be read no more, by anybody, and the ledger goes on from the facts that are left. Leaves, chain, tree
//! and receipts stay as they are, so everything still proves.
//!
//! The entry that says so comes first. If we stop between it and the end of the key, the next start finds the key still there and destroys it. Snapshot
//! and index know what the erased entries said, so both go with the key and are made anew.

use std::collections::BTreeSet;
use std::fs;
use std::io;

use countersign_conflict::officers::By;
use countersign_entry::ids::{LeafIndex, Line, PrincipalId, RequestKey};
use countersign_entry::record::{DataKeyDestroyed, Record};
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
    /// The data keys, as [`Ledger::keys_of`] gives them.
    pub keys: BTreeSet<u32>,
    /// Legal ground.
    pub authority: Line,
    /// Two people, neither of them the one who asks.
    pub approvers: Vec<PrincipalId>,
    /// Their signatures, over [`Ledger::erasure_requests`], in that order; none, where the operator's word is enough.
    pub signatures: Vec<Signatures>,
}

impl Ledger {
    /// Every compartment that has a data key, with the key's id.
    pub fn compartments(&self) -> impl Iterator<Item = (u32, &str)> {
        self.state.compartments.all().filter(|(key_id, _)| !self.state.erased.contains_key(key_id))
    }

    /// The data keys of a compartment, as [`Ledger::compartments`] names it: `submission:S-2603 P-17 2026` is what is about one person,
    /// `submission:S-2603 2026` all of it, whomever it is about.
    pub fn keys_of(&self, compartment: &str) -> BTreeSet<u32> {
        self.compartments().filter(|(_, name)| is_in(name, compartment)).map(|(key_id, _)| key_id).collect()
    }

    /// Destroys data keys, each under an entry of its own, all of them in one commit. The ledger takes nothing after it until it is opened again.
    ///
    /// Copies of the file of data keys from before still hold the keys; where it is wrapped in a token, `key rewrap` ends them.
    ///
    /// # Errors
    /// Too early, a legal hold, something that still stands on what would be erased, or as [`AppendError`] says.
    pub fn erase(&mut self, actor: &PrincipalId, key: &RequestKey, erasure: &Erasure) -> Result<Vec<Receipt>, AppendError> {
        self.ready()?;
        let signed = erasure.signatures.iter().map(|s| s.signed.clone()).chain(std::iter::repeat(None));
        let requests = self.erasure_requests(key, erasure)?.into_iter().zip(signed);
        let requests: Vec<_> = requests.map(|((key, record), signed)| Request { actor: actor.clone(), key, record, signed }).collect();
        // All of them or none: one that would be refused is refused before any is recorded.
        for request in &requests {
            if self.is_new(request)? {
                let by = By { actor, request: request.key.as_str(), signed: request.signed.as_deref(), redacted: false };
                self.state.facts.decide(by, self.next_time(self.clock.now()), request.record.clone())?;
            }
        }
        self.erasing = erasure.keys.clone();
        let answers = self.commit(requests);
        // Decided, it may stand in the ledger, and then these facts know more than the ledger may; refused, it does not.
        if answers.iter().any(Result::is_ok) || !matches!(self.mode, Mode::Writable) {
            self.mode = Mode::ReadOnly(ERASED.into());
        }
        for (key_id, answer) in std::mem::take(&mut self.erasing).into_iter().zip(&answers) {
            if let Ok(receipt) = answer {
                self.state.erased.insert(key_id, receipt.index);
            }
        }
        self.finish_erasing()?;
        answers.into_iter().collect()
    }

    /// What is asked when data keys are to be destroyed, each request under its idempotency key, for approvers to sign. The first has the key that is
    /// given, the others have it with a number.
    ///
    /// # Errors
    /// As [`Ledger::erase`]: too early, or something still stands on what would be erased.
    pub fn erasure_requests(&self, key: &RequestKey, erasure: &Erasure) -> Result<Vec<(RequestKey, Record)>, AppendError> {
        self.check_erasable(&erasure.keys).map_err(AppendError::Malformed)?;
        let signatures = erasure.signatures.iter().map(Signatures::approvals).chain(std::iter::repeat_with(Vec::new));
        let numbered = erasure.keys.iter().zip(1u32..).zip(signatures);
        numbered
            .map(|((key_id, n), approvals)| {
                let key = if n == 1 { Ok(key.clone()) } else { RequestKey::new(format!("{key}-{n}")) };
                let (authority, approvers) = (erasure.authority.clone(), erasure.approvers.clone());
                let record = DataKeyDestroyed { key_id: *key_id, authority, approvers, approvals };
                Ok((key.map_err(|e| AppendError::Malformed(e.to_string()))?, record.into()))
            })
            .collect()
    }

    /// Destroys keys that entries say are destroyed and that are still here. Whether there were any.
    pub(crate) fn finish_erasing(&mut self) -> Result<bool, AppendError> {
        let left: Vec<u32> = self.state.erased.keys().copied().filter(|key_id| self.keys.key(*key_id).is_some()).collect();
        if left.is_empty() || self.opened_for_reading() {
            return Ok(false);
        }
        let unknown = |e: String| AppendError::Unknown(format!("a data key is destroyed and not yet gone: {e}"));
        self.forget_beside().map_err(|e| unknown(e.to_string()))?;
        self.keys.destroy(&left, &mut os_random).map_err(|e| unknown(e.to_string()))?;
        Ok(true)
    }

    pub(crate) fn forget_beside(&mut self) -> io::Result<()> {
        let Some(beside) = &self.beside else { return Ok(()) };
        crate::snapshot::forget(&beside.dir)?;
        self.state.index = crate::index::Index::default();
        crate::snapshot::gone(fs::remove_dir_all(beside.dir.join("index")))
    }

    fn check_erasable(&self, keys: &BTreeSet<u32>) -> Result<(), String> {
        if keys.is_empty() {
            return Err("there is no compartment of this name: no data key would be destroyed".into());
        }
        let now = self.clock.now();
        for (_, name) in self.compartments().filter(|(key_id, _)| keys.contains(key_id)) {
            check_retention(name, now)?;
        }
        match self.rests_on(keys, now) {
            Some((what, entry)) => {
                Err(format!("{what} recorded as entry {entry} still stands, and is sealed under this key: end or supersede it first"))
            }
            None => Ok(()),
        }
    }

    fn rests_on(&self, keys: &BTreeSet<u32>, at: Micros) -> Option<(&'static str, LeafIndex)> {
        self.state.facts.standing(at).find(|(_, entry)| {
            // What cannot be read might be: then it is.
            self.store.read(entry.0).map_or(true, |stored| match Sealed::parse(&stored.sealed) {
                Ok(Sealed::Encrypted { key_id, .. }) => keys.contains(&key_id),
                Ok(Sealed::Plain(_)) => false,
                Err(_) => true,
            })
        })
    }
}

/// Whether a compartment is the one that was asked for, or, where that names no person, one of its people's.
fn is_in(name: &str, asked: &str) -> bool {
    let of_person = |(matter, year): (&str, &str)| {
        !matter.contains(' ')
            && name
                .strip_prefix(matter)
                .and_then(|rest| rest.strip_suffix(year))
                .is_some_and(|rest| rest.len() > 2 && rest.starts_with(' ') && rest.ends_with(' '))
    };
    name == asked || asked.rsplit_once(' ').is_some_and(of_person)
}

/// Whether the years a compartment is kept for are over.
fn check_retention(compartment: &str, now: Micros) -> Result<(), String> {
    let matter = compartment.split(' ').next().unwrap_or_default();
    let year: u32 = compartment.rsplit(' ').next().and_then(|year| year.parse().ok()).unwrap_or_default();
    let years = match matter {
        "directory" => return Err("the directory says who may act: it is not erased".into()),
        "ethics" => ERASE_ETHICS_AFTER_YEARS,
        _ => ERASE_AFTER_YEARS,
    };
    let this: u32 = now.to_string().split('-').next().and_then(|year| year.parse().ok()).unwrap_or_default();
    if this <= year + years {
        return Err(format!("{compartment:?} is kept for {years} years after its own: until the end of {}", year + years));
    }
    Ok(())
}
