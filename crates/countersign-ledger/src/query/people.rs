//! Who had access to what, and everything on a person or a submission.

use std::collections::{BTreeMap, HashMap};

use countersign_conflict::{Exposed, Known};
use countersign_entry::ids::{Date, IssuerId, LeafIndex, PersonId, SubmissionId};
use countersign_entry::record::{GrantState, Record, Relation, Submission};
use countersign_entry::time::{DAY, Micros};
use serde::Serialize;

use super::{Answer, Page, View, describe};
use crate::index::AccessTo;
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
    /// accesses that a later entry corrected are none. Rows stand by submission, then in the order of first accesses.
    ///
    /// # Errors
    /// The index does not answer.
    pub fn who_touched_issuer(&self, issuer: &IssuerId, from: Micros, until: Micros, page: Page) -> Result<Answer<IssuerRow>, OpenError> {
        let mut rows = Vec::new();
        // Most submissions never touch the issuer, and their accesses need not be read to say so.
        for submission in self.facts().submissions().filter(|s| self.facts().ever_exposed_to(s, issuer)) {
            rows.extend(self.who_knew(submission, issuer, from, until)?);
            if rows.len() >= page.enough() {
                break;
            }
        }
        let more = page.cut(&mut rows);
        Ok(Answer { more, ..self.answer(rows) })
    }

    fn who_knew(
        &self,
        submission: &Known<Submission>,
        issuer: &IssuerId,
        from: Micros,
        until: Micros,
    ) -> Result<Vec<IssuerRow>, OpenError> {
        let mut rows: HashMap<String, Option<IssuerRow>> = HashMap::new();
        // Most accesses fall on few days, and how a submission touches an issuer takes long to find out.
        let mut days: BTreeMap<u64, Option<Exposed<'_>>> = BTreeMap::new();
        let index = self.index()?;
        index.each_access_to(&submission.record.id, &mut |access| {
            let told = from <= access.occurred_at && access.occurred_at < until;
            if !told || access.refused || index.is_corrected(access.index) {
                return;
            }
            let day = days.entry(access.occurred_at.value() / DAY);
            let exposed = day.or_insert_with(|| self.facts().exposed_to(submission, &Date::of(access.occurred_at), issuer));
            let Some(exposed) = exposed else { return };
            if !rows.contains_key(access.person) {
                rows.insert(access.person.to_owned(), issuer_row(&access, &submission.record.id, exposed));
            }
            if let Some(Some(row)) = rows.get_mut(access.person) {
                row.first = row.first.min(access.occurred_at);
                row.last = row.last.max(access.occurred_at);
                row.accesses += 1;
                row.uncleared += u64::from(!access.cleared);
            }
        })?;
        let mut rows: Vec<_> = rows.into_values().flatten().collect();
        rows.sort_by_key(|r| r.entry);
        Ok(rows)
    }

    /// Entries that concern a person, in index order, without opening them.
    ///
    /// # Errors
    /// The index does not answer, or an entry that refers to another does not open.
    pub fn entries_about_person(&self, person: &PersonId) -> Result<Vec<LeafIndex>, OpenError> {
        self.entries_of_person(person)
    }

    /// Entries that concern a submission, in index order, without opening them; what only refers to an entry about it left out.
    ///
    /// # Errors
    /// The index does not answer.
    pub fn entries_about_submission(&self, submission: &SubmissionId) -> Result<Vec<LeafIndex>, OpenError> {
        self.index()?.of_submission(submission)
    }

    /// Everything recorded about a person, in index order: what names them, and what refers to an entry about them. Reads of the ledger are not
    /// part of it: they are about the reader.
    ///
    /// # Errors
    /// An entry does not open, or the index does not answer.
    pub fn person_timeline(&self, person: &PersonId, page: Page) -> Result<Answer<TimelineRow>, OpenError> {
        self.timeline(self.entries_of_person(person)?, page)
    }

    /// Everything recorded about a submission, in index order; what only refers to an entry about it left out.
    ///
    /// # Errors
    /// An entry does not open, or the index does not answer.
    pub fn submission_timeline(&self, submission: &SubmissionId, page: Page) -> Result<Answer<TimelineRow>, OpenError> {
        self.timeline(self.index()?.of_submission(submission)?, page)
    }

    /// Who asked for, had, or took access to a submission; refused attempts count, accesses that a later entry corrected do not.
    ///
    /// # Errors
    /// The index does not answer.
    pub fn people_of_submission(&self, submission: &SubmissionId, page: Page) -> Result<Answer<SubmissionRow>, OpenError> {
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
        let index = self.index()?;
        index.each_access_to(submission, &mut |access| {
            let Ok(person) = PersonId::new(access.person) else { return };
            if index.is_corrected(access.index) {
                return;
            }
            let row = rows.entry(person).or_insert_with_key(empty);
            row.first = Some(row.first.map_or(access.occurred_at, |t| t.min(access.occurred_at)));
            row.last = Some(row.last.map_or(access.occurred_at, |t| t.max(access.occurred_at)));
            row.accesses += 1;
            row.uncleared += u64::from(!access.cleared);
        })?;
        let of_page: Vec<_> = rows.values().skip(page.offset).take(page.limit).cloned().collect();
        let more = rows.len() > page.offset.saturating_add(of_page.len());
        Ok(Answer { more, ..self.answer(of_page) })
    }

    fn timeline(&self, mut entries: Vec<LeafIndex>, page: Page) -> Result<Answer<TimelineRow>, OpenError> {
        let more = page.cut(&mut entries);
        let mut rows = Vec::with_capacity(entries.len());
        for entry in entries {
            let (recorded_at, _, record) = self.open(entry)?;
            rows.push(TimelineRow { entry, recorded_at, kind: record.type_name(), what: describe(&record), record });
        }
        Ok(Answer { more, ..self.answer(rows) })
    }
}

/// A row before its first access is counted; none for a name that is no person's, which no index of ours holds.
fn issuer_row(access: &AccessTo<'_>, submission: &SubmissionId, exposed: &Exposed<'_>) -> Option<IssuerRow> {
    Some(IssuerRow {
        person: PersonId::new(access.person).ok()?,
        submission: submission.clone(),
        first: access.occurred_at,
        last: access.occurred_at,
        accesses: 0,
        uncleared: 0,
        tier: exposed.tier.into(),
        relation: exposed.relation,
        confirmed: exposed.confirmed,
        via: exposed.via.clone(),
        entry: access.index,
    })
}
