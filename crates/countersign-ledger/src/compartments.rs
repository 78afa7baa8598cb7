//! Which data key seals what: one key for each compartment, person and year of retention. The entries say so, each by the key it is sealed under, so
//! nothing is kept of it but what they give.

use std::collections::{BTreeMap, HashMap};

use countersign_conflict::Facts;
use countersign_entry::ids::{LeafIndex, PersonId, SubmissionId};
use countersign_entry::record::Record;
use countersign_entry::time::Micros;
use serde::{Deserialize, Serialize};

use crate::index::Before;

/// Compartments by name, with their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Compartments {
    /// The key each compartment has.
    keys: HashMap<Box<str>, u32>,
    /// Keys that a compartment of that name had before: what is erased may have said that two were different ones.
    before: BTreeMap<u32, Box<str>>,
    /// The highest key id something is sealed under. Keys are taken in order, so those above it are free.
    last: u32,
}

impl Compartments {
    pub(crate) fn key_of(&self, name: &str) -> Option<u32> {
        self.keys.get(name).copied()
    }

    pub(crate) fn last(&self) -> u32 {
        self.last
    }

    /// A record of that compartment is sealed under that key.
    pub(crate) fn take(&mut self, name: &str, key_id: u32) {
        if self.key_of(name) == Some(key_id) {
            return;
        }
        self.last = self.last.max(key_id);
        if let Some(before) = self.keys.insert(name.into(), key_id) {
            self.before.insert(before, name.into());
        }
    }

    /// Every key that seals something, with the name of what.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, &str)> {
        let before = self.before.iter().map(|(key_id, name)| (*key_id, &**name));
        self.keys.iter().map(|(name, key_id)| (*key_id, &**name)).chain(before)
    }
}

/// The name of a record's compartment: what it belongs to, whom it is about where that is one person, and the year it is recorded in, with which its
/// retention begins. `facts` are those before the record.
pub(crate) fn compartment(record: &Record, at: Micros, facts: &Facts) -> String {
    let year = at.year();
    let matter = matter(record, facts);
    // An access of somebody nobody recorded must not make a key for every name a gateway can invent.
    match facts.about(record).filter(|id| matches!(record, Record::Person(_)) || facts.person(id).is_some()) {
        Some(person) => format!("{matter} {person} {year}"),
        None => format!("{matter} {year}"),
    }
}

/// Person and submission of a voucher's grant.
fn under(voucher: LeafIndex, facts: &Facts) -> Option<(&PersonId, &SubmissionId)> {
    Before::grant(facts, facts.voucher(voucher)?.known.record.grant)
}

fn matter(record: &Record, facts: &Facts) -> String {
    let submission = match record {
        Record::Submission(r) => Some(&r.id),
        Record::GrantRequest(r) => Some(&r.submission),
        Record::AccessEvent(r) => Some(&r.submission),
        Record::GrantTransition(r) => Before::grant(facts, r.grant).map(|(_, submission)| submission),
        Record::EmergencyVoucher(r) => Before::grant(facts, r.grant).map(|(_, submission)| submission),
        Record::EmergencyUse(r) => under(r.voucher, facts).map(|(_, submission)| submission),
        Record::Agreement(_)
        | Record::Recusal(_)
        | Record::List(_)
        | Record::ListItem(_)
        | Record::CaseOpened(_)
        | Record::CaseEvent(_)
        | Record::PreclearanceRequest(_)
        | Record::PreclearanceDecision(_)
        | Record::Filer(_)
        | Record::DutyEvent(_)
        | Record::Holding(_)
        | Record::Trade(_)
        | Record::Relationship(_)
        | Record::MatchDecision(_)
        | Record::Vulnerability(_)
        | Record::Referral(_)
        | Record::LegalHold(_) => {
            return "ethics".to_owned();
        }
        _ => return "directory".to_owned(),
    };
    // Nor must one of a submission nobody recorded.
    match submission.filter(|id| matches!(record, Record::Submission(_)) || facts.submission(id).is_some()) {
        Some(id) => format!("submission:{id}"),
        None => "unfiled".to_owned(),
    }
}
