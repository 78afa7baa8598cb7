//! Which entries concern whom, in memory. Never the truth: rebuilt from the entries at each start.

use std::collections::{BTreeMap, BTreeSet};

use countersign_entry::ids::{LeafIndex, PersonId, SubmissionId};
use countersign_entry::record::{AccessEvent, AccessResult, Decision, HoldScope, Node, Record, RecusalScope};
use countersign_entry::time::Micros;

/// One access, as far as questions need it.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) index: LeafIndex,
    pub(crate) person: PersonId,
    pub(crate) submission: SubmissionId,
    pub(crate) occurred_at: Micros,
    pub(crate) cleared: bool,
    /// The enforcement point refused: who was refused saw nothing.
    pub(crate) refused: bool,
    /// A later entry took its place.
    pub(crate) corrected: bool,
}

impl Access {
    /// Whether, as far as is recorded, somebody saw something.
    pub(crate) fn happened(&self) -> bool {
        !self.refused && !self.corrected
    }
}

/// Whom an entry is about.
#[derive(Debug, Clone, Default)]
struct Concern {
    persons: BTreeSet<PersonId>,
    submissions: BTreeSet<SubmissionId>,
}

impl Concern {
    fn is_empty(&self) -> bool {
        self.persons.is_empty() && self.submissions.is_empty()
    }

    fn add(&mut self, other: Concern) {
        self.persons.extend(other.persons);
        self.submissions.extend(other.submissions);
    }
}

#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Every access, in index order.
    pub(crate) accesses: Vec<Access>,
    by_person: BTreeMap<PersonId, Vec<LeafIndex>>,
    by_submission: BTreeMap<SubmissionId, Vec<LeafIndex>>,
    /// Whom the entries concern that are no accesses, for the entries that refer to them.
    concerns: BTreeMap<LeafIndex, Concern>,
    /// Data keys that have their `datakey.created`.
    pub(crate) announced: BTreeSet<u32>,
}

impl Index {
    pub(crate) fn take(&mut self, index: u64, record: &Record) {
        let index = LeafIndex(index);
        if let Record::DataKeyCreated(r) = record {
            self.announced.insert(r.key_id);
        }
        let mut concern = named(record);
        let of_others = referred(record).into_iter().flatten().filter_map(|entry| self.concern(entry)).fold(Concern::default(), join);
        // What names nobody is about whom the entry it refers to is about; what names somebody hands on only them.
        let own = if concern.is_empty() { of_others.clone() } else { concern.clone() };
        concern.add(of_others);
        self.post(index, &concern);
        match record {
            Record::AccessEvent(r) => self.take_access(index, r),
            _ if own.is_empty() => {}
            _ => drop(self.concerns.insert(index, own)),
        }
    }

    fn take_access(&mut self, index: LeafIndex, r: &AccessEvent) {
        if let Some(earlier) = r.supersedes.and_then(|entry| self.access_at(entry)).and_then(|place| self.accesses.get_mut(place)) {
            earlier.corrected = true;
        }
        self.accesses.push(Access {
            index,
            person: r.person.clone(),
            submission: r.submission.clone(),
            occurred_at: r.occurred_at,
            cleared: r.assessment.as_ref().is_some_and(|a| a.decision == Decision::Cleared),
            refused: r.result == Some(AccessResult::Refused),
            corrected: false,
        });
    }

    fn access_at(&self, entry: LeafIndex) -> Option<usize> {
        self.accesses.binary_search_by_key(&entry, |a| a.index).ok()
    }

    fn concern(&self, entry: LeafIndex) -> Option<Concern> {
        if let Some(known) = self.concerns.get(&entry) {
            return Some(known.clone());
        }
        let access = self.accesses.get(self.access_at(entry)?)?;
        Some(Concern { persons: [access.person.clone()].into(), submissions: [access.submission.clone()].into() })
    }

    fn post(&mut self, index: LeafIndex, concern: &Concern) {
        for person in &concern.persons {
            self.by_person.entry(person.clone()).or_default().push(index);
        }
        for submission in &concern.submissions {
            self.by_submission.entry(submission.clone()).or_default().push(index);
        }
    }

    /// Entries that concern a person, in index order.
    pub(crate) fn of_person(&self, person: &PersonId) -> &[LeafIndex] {
        self.by_person.get(person).map(Vec::as_slice).unwrap_or_default()
    }

    /// Entries that concern a submission, in index order.
    pub(crate) fn of_submission(&self, submission: &SubmissionId) -> &[LeafIndex] {
        self.by_submission.get(submission).map(Vec::as_slice).unwrap_or_default()
    }
}

fn join(mut all: Concern, one: Concern) -> Concern {
    all.add(one);
    all
}

/// Whom a record names. A read names whom somebody asked about; it is about the reader, so it is not part of anybody's history.
fn named(record: &Record) -> Concern {
    let (person, submission) = match record {
        Record::Person(r) => (Some(&r.id), None),
        Record::Principal(r) => (r.person.as_ref(), None),
        Record::Submission(r) => (None, Some(&r.id)),
        Record::Exposure(r) => (None, if let Node::Submission(id) = &r.from { Some(id) } else { None }),
        Record::Agreement(r) => (Some(&r.person), r.submission.as_ref()),
        Record::Recusal(r) => (Some(&r.person), in_scope(&r.scope)),
        Record::ListItem(r) => (None, in_scope(&r.subject)),
        Record::GrantRequest(r) => (Some(&r.person), Some(&r.submission)),
        Record::AccessEvent(r) => (Some(&r.person), Some(&r.submission)),
        Record::CaseOpened(r) => (Some(&r.person), Some(&r.submission)),
        Record::Holding(r) => (Some(&r.person), None),
        Record::Trade(r) => (Some(&r.person), None),
        Record::Relationship(r) => (Some(&r.person), None),
        Record::Credential(r) => (Some(&r.person), None),
        Record::RosterEntry(r) => (Some(&r.person), None),
        Record::Designation(r) => (None, Some(&r.submission)),
        Record::Selection(r) => (None, Some(&r.submission)),
        Record::LegalHold(r) => match &r.scope {
            HoldScope::Person(id) => (Some(id), None),
            HoldScope::Submission(id) => (None, Some(id)),
            HoldScope::Case(_) => (None, None),
        },
        _ => (None, None),
    };
    Concern { persons: person.cloned().into_iter().collect(), submissions: submission.cloned().into_iter().collect() }
}

fn in_scope(scope: &RecusalScope) -> Option<&SubmissionId> {
    if let RecusalScope::Submission(id) = scope { Some(id) } else { None }
}

/// Entries a record refers to, so that whom they are about it is about too: a superseded record may have been another person's until now.
fn referred(record: &Record) -> [Option<LeafIndex>; 2] {
    let other = match record {
        Record::GrantTransition(r) => Some(r.grant),
        Record::AccessEvent(r) => r.grant,
        Record::Referral(r) => Some(r.case),
        Record::Correction(r) => Some(r.target),
        Record::Redaction(r) => Some(r.target),
        Record::LegalHold(r) => match r.scope {
            HoldScope::Case(entry) => Some(entry),
            _ => None,
        },
        _ => None,
    };
    [record.supersedes(), other]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use countersign_testing::{records, scene};
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    struct Human<'a>(&'a Record);

    impl serde::Serialize for Human<'_> {
        fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            self.0.to_human(s)
        }
    }

    /// Every text of a record that is, alone or behind `person:`, a person's id. Slow and blind to types, so it misses none.
    fn people_in(value: &Value, out: &mut BTreeSet<PersonId>) {
        match value {
            Value::String(text) => out.extend(PersonId::new(text.strip_prefix("person:").unwrap_or(text))),
            Value::Array(items) => items.iter().for_each(|v| people_in(v, out)),
            Value::Object(fields) => fields.values().for_each(|v| people_in(v, out)),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn whoever_a_record_names_has_it_in_their_history(record in records::record()) {
            let mut people = BTreeSet::new();
            // What a gateway tells in `detail` and what somebody asked are not fields that name people.
            if !matches!(record, Record::AccessEvent(_) | Record::Read(_)) {
                people_in(&serde_json::to_value(Human(&record)).unwrap_or_default(), &mut people);
            }
            let mut index = Index::default();
            index.take(7, &record);
            for person in &people {
                prop_assert_eq!(index.of_person(person), &[LeafIndex(7)][..]);
            }
        }
    }

    #[test]
    fn a_record_that_changes_hands_stands_in_both_histories_and_hands_on_only_the_new_one() {
        let trade = |person: &str, supersedes: Option<u64>| {
            let trade = scene::trade("t-1", person, None, "2026-06-01");
            Record::from(countersign_entry::record::Trade { supersedes: supersedes.map(LeafIndex), ..trade })
        };
        let mut index = Index::default();
        index.take(1, &trade("P-0001", None));
        index.take(2, &trade("P-0002", Some(1)));
        index.take(3, &trade("P-0002", Some(2)));
        assert_eq!(index.of_person(&scene::text("P-0001")), [LeafIndex(1), LeafIndex(2)]);
        assert_eq!(index.of_person(&scene::text("P-0002")), [LeafIndex(2), LeafIndex(3)]);
        let wrong = countersign_entry::record::Correction { target: LeafIndex(1), reason: scene::text("another person") };
        index.take(4, &wrong.into());
        let again = countersign_entry::record::Correction { target: LeafIndex(4), reason: scene::text("no, it was right") };
        index.take(5, &again.into());
        assert_eq!(index.of_person(&scene::text("P-0001"))[2..], [LeafIndex(4), LeafIndex(5)]);
        assert_eq!(index.of_person(&scene::text("P-0002")).len(), 2);
    }

    #[test]
    fn an_access_that_was_corrected_did_not_happen() {
        let access = |person: &str, supersedes: Option<u64>| {
            let event = scene::access(person, None, Micros::EPOCH);
            Record::from(AccessEvent { supersedes: supersedes.map(LeafIndex), ..event })
        };
        let mut index = Index::default();
        index.take(1, &access("P-0001", None));
        index.take(2, &access("P-0002", Some(1)));
        assert_eq!(index.accesses.iter().map(Access::happened).collect::<Vec<_>>(), [false, true]);
        assert_eq!(index.of_person(&scene::text("P-0001")).len(), 2);
    }
}
