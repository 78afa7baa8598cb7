//! The entries that are in no run yet, in memory.

use std::collections::{BTreeMap, HashMap};

use countersign_entry::ids::{LeafIndex, PersonId, SubmissionId};
use countersign_entry::record::{AccessEvent, AccessResult, Decision};
use countersign_entry::time::Micros;

use super::concern::Concern;

/// One access, as far as questions need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) index: LeafIndex,
    pub(crate) person: PersonId,
    pub(crate) submission: SubmissionId,
    pub(crate) occurred_at: Micros,
    pub(crate) cleared: bool,
    /// The enforcement point refused: who was refused saw nothing.
    pub(crate) refused: bool,
}

impl Access {
    pub(crate) fn of(index: LeafIndex, r: &AccessEvent) -> Self {
        Self {
            index,
            person: r.person.clone(),
            submission: r.submission.clone(),
            occurred_at: r.occurred_at,
            cleared: r.assessment.as_ref().is_some_and(|a| a.decision == Decision::Cleared),
            refused: r.result == Some(AccessResult::Refused),
        }
    }
}

/// One access to a submission, as it stands in the index. Questions about a submission go through very many of them, so nothing is copied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AccessTo<'a> {
    pub(crate) index: LeafIndex,
    pub(crate) person: &'a str,
    pub(crate) occurred_at: Micros,
    pub(crate) cleared: bool,
    pub(crate) refused: bool,
}

impl<'a> From<&'a Access> for AccessTo<'a> {
    fn from(a: &'a Access) -> Self {
        Self { index: a.index, person: a.person.as_str(), occurred_at: a.occurred_at, cleared: a.cleared, refused: a.refused }
    }
}

/// Takes accesses to a submission, in index order.
pub(crate) type EachAccess<'a> = &'a mut dyn FnMut(AccessTo<'_>);

/// Where an idempotency key was used, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) index: u64,
    pub(crate) request: [u8; 16],
}

/// The hash of an idempotency key and who used it.
pub(crate) type RequestHash = [u8; 16];

/// As many entries as make a run, or fewer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    /// Accesses, in index order.
    pub(crate) accesses: Vec<Access>,
    /// Entries that concern a person, accesses of their own left out.
    pub(crate) persons: BTreeMap<PersonId, Vec<LeafIndex>>,
    /// Entries that concern a submission, accesses to it left out.
    pub(crate) submissions: BTreeMap<SubmissionId, Vec<LeafIndex>>,
    pub(crate) requests: HashMap<RequestHash, Seen>,
    /// Entries that are about whoever another entry is about.
    pub(crate) pointers: BTreeMap<LeafIndex, LeafIndex>,
    /// Accesses that an entry of this page took the place of.
    pub(crate) corrected: Vec<LeafIndex>,
    /// Data keys announced.
    pub(crate) announced: Vec<u32>,
}

impl Page {
    /// Takes in an access and whoever else it concerns.
    pub(crate) fn take_access(&mut self, access: Access, supersedes: Option<LeafIndex>, concern: Concern) {
        self.corrected.extend(supersedes);
        self.post(access.index, concern);
        self.accesses.push(access);
    }

    /// Takes in whom an entry concerns.
    pub(crate) fn post(&mut self, entry: LeafIndex, concern: Concern) {
        for person in concern.persons {
            self.persons.entry(person).or_default().push(entry);
        }
        for submission in concern.submissions {
            self.submissions.entry(submission).or_default().push(entry);
        }
        if let Some(target) = concern.pointer {
            self.pointers.insert(entry, target);
        }
    }

    /// Entries that concern a person.
    pub(crate) fn of_person(&self, person: &PersonId) -> Vec<LeafIndex> {
        let own = self.accesses.iter().filter(|a| a.person == *person).map(|a| a.index);
        own.chain(self.persons.get(person).into_iter().flatten().copied()).collect()
    }

    /// Entries that concern a submission.
    pub(crate) fn of_submission(&self, submission: &SubmissionId) -> Vec<LeafIndex> {
        let own = self.accesses.iter().filter(|a| a.submission == *submission).map(|a| a.index);
        own.chain(self.submissions.get(submission).into_iter().flatten().copied()).collect()
    }
}
