//! Which entries mention whom, in memory. Never the truth: rebuilt from the entries at each start.

use std::collections::{BTreeMap, BTreeSet};

use countersign_entry::ids::{LeafIndex, PersonId, SubmissionId};
use countersign_entry::record::{Decision, Record};
use countersign_entry::time::Micros;

/// One access, as far as questions need it.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) index: LeafIndex,
    pub(crate) person: PersonId,
    pub(crate) submission: SubmissionId,
    pub(crate) occurred_at: Micros,
    pub(crate) cleared: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Every access, in index order.
    pub(crate) accesses: Vec<Access>,
    by_person: BTreeMap<PersonId, Vec<LeafIndex>>,
    by_submission: BTreeMap<SubmissionId, Vec<LeafIndex>>,
    grants: BTreeMap<LeafIndex, (PersonId, SubmissionId)>,
    /// Data keys that have their `datakey.created`.
    pub(crate) announced: BTreeSet<u32>,
}

impl Index {
    pub(crate) fn take(&mut self, index: u64, record: &Record) {
        let index = LeafIndex(index);
        let (person, submission) = match record {
            Record::Person(r) => (Some(&r.id), None),
            Record::Principal(r) => (r.person.as_ref(), None),
            Record::Submission(r) => (None, Some(&r.id)),
            Record::Agreement(r) => (Some(&r.person), r.submission.as_ref()),
            Record::Recusal(r) => (Some(&r.person), None),
            Record::GrantRequest(r) => {
                self.grants.insert(index, (r.person.clone(), r.submission.clone()));
                (Some(&r.person), Some(&r.submission))
            }
            Record::AccessEvent(r) => {
                let cleared = r.assessment.as_ref().is_some_and(|a| a.decision == Decision::Cleared);
                self.accesses.push(Access {
                    index,
                    person: r.person.clone(),
                    submission: r.submission.clone(),
                    occurred_at: r.occurred_at,
                    cleared,
                });
                (Some(&r.person), Some(&r.submission))
            }
            Record::CaseOpened(r) => (Some(&r.person), Some(&r.submission)),
            Record::GrantTransition(r) => match self.grants.get(&r.grant).cloned() {
                Some((person, submission)) => return self.note(index, Some(&person), Some(&submission)),
                None => return,
            },
            Record::DataKeyCreated(r) => {
                self.announced.insert(r.key_id);
                return;
            }
            _ => return,
        };
        self.note(index, person, submission);
    }

    fn note(&mut self, index: LeafIndex, person: Option<&PersonId>, submission: Option<&SubmissionId>) {
        if let Some(person) = person {
            self.by_person.entry(person.clone()).or_default().push(index);
        }
        if let Some(submission) = submission {
            self.by_submission.entry(submission.clone()).or_default().push(index);
        }
    }

    /// Entries that mention a person, in index order.
    pub(crate) fn of_person(&self, person: &PersonId) -> &[LeafIndex] {
        self.by_person.get(person).map(Vec::as_slice).unwrap_or_default()
    }

    /// Entries that mention a submission, in index order.
    pub(crate) fn of_submission(&self, submission: &SubmissionId) -> &[LeafIndex] {
        self.by_submission.get(submission).map(Vec::as_slice).unwrap_or_default()
    }
}
