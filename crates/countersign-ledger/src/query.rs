//! Questions over the whole range, as of the newest entry: who had access to anything touching an issuer, everything on a person, who was in a
//! submission. Rows stand in index order, so that a late-arriving event changes no earlier answer's order; every answer says that it is complete.

use std::collections::BTreeMap;

use countersign_entry::ids::{Date, IssuerId, LeafIndex, PersonId, SubmissionId};
use countersign_entry::record::{GrantState, Relation};
use countersign_entry::time::Micros;
use serde::Serialize;

use crate::open::{Ledger, OpenError};

/// An answer: rows, and what it is an answer about.
#[derive(Debug, Clone, Serialize)]
pub struct Answer<Row> {
    /// The rows.
    pub rows: Vec<Row>,
    /// Entries the answer is true for.
    pub as_of: u64,
    /// Whether these are all rows there are.
    pub complete: bool,
}

/// One person's knowledge of one submission that touches an issuer.
#[derive(Debug, Clone, Serialize)]
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
#[derive(Debug, Clone, Serialize)]
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

/// One entry that mentions a person.
#[derive(Debug, Clone, Serialize)]
pub struct TimelineRow {
    /// The entry.
    pub entry: LeafIndex,
    /// When it was recorded.
    pub recorded_at: Micros,
    /// Its type.
    pub kind: &'static str,
    /// What it says, in one line without reasons.
    pub what: String,
}

impl Ledger {
    /// Who had access, in `from..until` as the sources tell, to anything that touched the issuer on the day of the access.
    pub fn who_touched_issuer(&self, issuer: &IssuerId, from: Micros, until: Micros) -> Answer<IssuerRow> {
        let mut rows: BTreeMap<(PersonId, SubmissionId), IssuerRow> = BTreeMap::new();
        for access in self.state.index.accesses.iter().filter(|a| from <= a.occurred_at && a.occurred_at < until) {
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

    /// Everything recorded about a person, in index order.
    ///
    /// # Errors
    /// An entry does not open.
    pub fn person_timeline(&self, person: &PersonId) -> Result<Answer<TimelineRow>, OpenError> {
        self.timeline(self.state.index.of_person(person))
    }

    /// Everything recorded about a submission, in index order.
    ///
    /// # Errors
    /// An entry does not open.
    pub fn submission_timeline(&self, submission: &SubmissionId) -> Result<Answer<TimelineRow>, OpenError> {
        self.timeline(self.state.index.of_submission(submission))
    }

    /// Who asked for, had, or took access to a submission.
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
        for access in self.state.index.accesses.iter().filter(|a| a.submission == *submission) {
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
            let (_, meta, record) = self.entry(entry.0)?;
            let recorded_at = Micros::new(meta.at).unwrap_or(Micros::EPOCH);
            rows.push(TimelineRow { entry: *entry, recorded_at, kind: record.type_name(), what: describe(&record) });
        }
        Ok(self.answer(rows))
    }

    fn answer<Row>(&self, rows: Vec<Row>) -> Answer<Row> {
        Answer { rows, as_of: self.size(), complete: true }
    }
}

/// One line that says what a record says, for the ethics role.
pub fn describe(record: &countersign_entry::record::Record) -> String {
    use countersign_entry::record::Record;
    let word = |v: &dyn std::fmt::Debug| spaced(&format!("{v:?}"));
    match record {
        Record::Person(r) => format!("{} at {}", word(&r.status), r.organization),
        Record::Principal(r) => format!("principal {}{}", r.id, if r.disabled { " disabled" } else { "" }),
        Record::Submission(r) => {
            format!("{} by {}, window {} to {}, {}", r.id, r.provider, r.window.opens_at(), r.window.closes_at(), word(&r.status))
        }
        Record::Agreement(r) => format!("{} signed {}", word(&r.kind), r.signed_at),
        Record::Recusal(r) => {
            format!("recused from {} since {}{}", r.scope, r.from, r.until.map(|u| format!(" until {u}")).unwrap_or_default())
        }
        Record::GrantRequest(r) => format!("access to {} requested: {}", r.submission, r.result.map(|s| word(&s)).unwrap_or_default()),
        Record::GrantTransition(t) => {
            let cause = t.cause.map(|c| format!(" because of entry {c}")).unwrap_or_default();
            format!("grant {} {}{cause}", t.grant, t.result.map(|s| word(&s)).unwrap_or_default())
        }
        Record::AccessEvent(e) => {
            let under = e.grant.map_or("without a grant".to_owned(), |g| format!("under grant {g}"));
            format!("{} of {} at {} {under}", e.action, e.submission, e.occurred_at)
        }
        Record::CaseOpened(c) => format!("case by {} on entry {}", c.rule, c.finding),
        other => other.type_name().to_owned(),
    }
}

/// `AccessTerms` as `access terms`.
fn spaced(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
