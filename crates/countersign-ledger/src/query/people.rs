//! Who had access to what, and everything on a person or a submission.

use std::collections::BTreeMap;

use countersign_entry::ids::{Date, IssuerId, LeafIndex, PersonId, SubmissionId};
use countersign_entry::record::{GrantState, Record, Relation};
use countersign_entry::time::Micros;
use serde::Serialize;

use super::{Answer, View, describe};
use crate::open::OpenError;

/// One person's knowledge of one submission that touches an issuer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IssuerRow {
    /// Who.
    pub person: PersonId,
    /// Through what.
    pub submission: SubmissionId,
    /// First access in the range, as its source tells.
    pub first: Micros,
    /// Last access in the range.
    pub last: Micros,
    /// Accesses in the range.
    pub accesses: u64,
    /// Accesses among them that were not cleared.
    pub uncleared: u64,
    /// Tier of the closest way to the issuer on the day of the first access listed.
    pub tier: u8,
    /// How the issuer is touched.
    pub relation: Relation,
    /// Whether every edge on the way was checked.
    pub confirmed: bool,
    /// Entries of the way.
    pub via: Vec<LeafIndex>,
    /// Entry of the first access.
    pub entry: LeafIndex,
}

/// One person in a submission.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SubmissionRow {
    /// Who.
    pub person: PersonId,
    /// Their newest grant.
    pub grant: Option<LeafIndex>,
    /// Where it stands.
    pub state: Option<GrantState>,
    /// First access, as its source tells.
    pub first: Option<Micros>,
    /// Last access.
    pub last: Option<Micros>,
    /// Accesses.
    pub accesses: u64,
    /// Accesses among them that were not cleared.
    pub uncleared: u64,
}

/// One entry that concerns a person or a submission.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineRow {
    /// The entry.
    pub entry: LeafIndex,
    /// When it was recorded.
    pub recorded_at: Micros,
    /// Its type.
    pub kind: &'static str,
    /// What it says, in one line without reasons; for the ethics role.
    pub what: String,
    /// The record.
    pub record: Record,
}

impl View<'_> {
    /// Who had access, in `from..until` as the sources tell, to anything that touched the issuer on the day of the access. Refused attempts and
    /// accesses that a later entry corrected are none.
    pub fn who_touched_issuer(&self, issuer: &IssuerId, from: Micros, until: Micros) -> Answer<IssuerRow> {
        let mut rows: BTreeMap<(PersonId, SubmissionId), IssuerRow> = BTreeMap::new();
        let in_range = self.index().accesses.iter().filter(|a| from <= a.occurred_at && a.occurred_at < until);
        for access in in_range.filter(|a| a.happened()) {
            let Some(submission) = self.facts().submission(&access.submission) else { continue };
            let day = Date::of(access.occurred_at);
            let Some(exposed) = self.facts().exposed_to(submission, &day, issuer) else { continue };
            let row = rows.entry((access.person.clone(), access.submission.clone())).or_insert_with(|| IssuerRow {
                person: access.person.clone(),
                submission: access.submission.clone(),
                first: access.occurred_at,
                last: access.occurred_at,
                accesses: 0,
                uncleared: 0,
                tier: exposed.tier.into(),
                relation: exposed.relation,
                confirmed: exposed.confirmed,
                via: exposed.via.clone(),
                entry: access.index,
            });
            row.first = row.first.min(access.occurred_at);
            row.last = row.last.max(access.occurred_at);
            row.accesses += 1;
            row.uncleared += u64::from(!access.cleared);
        }
        let mut rows: Vec<_> = rows.into_values().collect();
        rows.sort_by_key(|r| r.entry);
        self.answer(rows)
    }

    /// Everything recorded about a person, in index order: what names them, and what refers to an entry about them. Reads of the ledger are not
    /// part of it: they are about the reader.
    ///
    /// # Errors
    /// An entry does not open.
    pub fn person_timeline(&self, person: &PersonId) -> Result<Answer<TimelineRow>, OpenError> {
        self.timeline(self.index().of_person(person))
    }

    /// Everything recorded about a submission, in index order.
    ///
    /// # Errors
    /// An entry does not open.
    pub fn submission_timeline(&self, submission: &SubmissionId) -> Result<Answer<TimelineRow>, OpenError> {
        self.timeline(self.index().of_submission(submission))
    }

    /// Who asked for, had, or took access to a submission; refused attempts count, accesses that a later entry corrected do not.
    pub fn people_of_submission(&self, submission: &SubmissionId) -> Answer<SubmissionRow> {
        let mut rows: BTreeMap<PersonId, SubmissionRow> = BTreeMap::new();
        let empty = |person: &PersonId| SubmissionRow {
            person: person.clone(),
            grant: None,
            state: None,
            first: None,
            last: None,
            accesses: 0,
            uncleared: 0,
        };
        for (index, grant) in self.facts().grants().filter(|(_, g)| g.request.submission == *submission) {
            let row = rows.entry(grant.request.person.clone()).or_insert_with(|| empty(&grant.request.person));
            (row.grant, row.state) = (Some(index), Some(grant.state));
        }
        for access in self.index().accesses.iter().filter(|a| a.submission == *submission && !a.corrected) {
            let row = rows.entry(access.person.clone()).or_insert_with(|| empty(&access.person));
            row.first = Some(row.first.map_or(access.occurred_at, |t| t.min(access.occurred_at)));
            row.last = Some(row.last.map_or(access.occurred_at, |t| t.max(access.occurred_at)));
            row.accesses += 1;
            row.uncleared += u64::from(!access.cleared);
        }
        self.answer(rows.into_values().collect())
    }

    fn timeline(&self, entries: &[LeafIndex]) -> Result<Answer<TimelineRow>, OpenError> {
        let mut rows = Vec::with_capacity(entries.len());
        for entry in entries {
            let (recorded_at, _, record) = self.open(*entry)?;
            rows.push(TimelineRow { entry: *entry, recorded_at, kind: record.type_name(), what: describe(&record), record });
        }
        Ok(self.answer(rows))
    }
}
