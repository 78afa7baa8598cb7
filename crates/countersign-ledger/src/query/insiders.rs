//! The insider list of a submission: who holds what the public does not have yet.
//!
//! Fields follow domain.md section 4 (MAR Art 18; the UK's onshored 2016/347) as far as the ledger holds them: identity by random id, name and
//! organization; the reason; when access was obtained and when it ceased; acknowledgement of duties. Birth names, telephone numbers, home
//! addresses and national ids are not held, and so not listed. The rows are plain, so that a template of another year takes what it needs.

use std::collections::{BTreeMap, BTreeSet};

use countersign_conflict::{Grant, Known};
use countersign_entry::ids::{Date, IssuerId, LeafIndex, Line, OrganizationId, PersonId, SubmissionId};
use countersign_entry::record::{AgreementKind, GrantState, PersonStatus, RecusalScope, Submission, Tier};
use countersign_entry::time::Micros;
use serde::Serialize;

use super::{Answer, Page, View};
use crate::open::OpenError;

/// How somebody came onto the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A grant was open, and they used it.
    Accessed,
    /// A grant was open; no access is recorded.
    NeverAccessed,
    /// They had access and no grant of theirs was ever open.
    WithoutGrant,
    /// Every access of theirs was corrected by a later entry, and no grant was ever open. Listed all the same: whoever can correct an access must not
    /// be able to take somebody off the list unseen.
    Corrected,
}

/// An agreement that covers the submission.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Signed {
    /// What was signed.
    pub kind: AgreementKind,
    /// When.
    pub signed_at: Micros,
    /// Until when it binds; open where it does not end.
    pub expires_at: Option<Micros>,
    /// The entry that says so.
    pub entry: LeafIndex,
}

/// A recusal that bears on the submission.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SteppedAside {
    /// From what.
    pub scope: RecusalScope,
    /// Since when.
    pub from: Micros,
    /// Until when; open where it goes on.
    pub until: Option<Micros>,
    /// The entry that says so.
    pub entry: LeafIndex,
}

/// One person on the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InsiderRow {
    /// Name; none where the directory does not know the person.
    pub name: Option<Line>,
    /// Who.
    pub person: PersonId,
    /// Where they serve.
    pub organization: Option<OrganizationId>,
    /// Its name.
    pub organization_name: Option<Line>,
    /// Their status, which decides what law binds them.
    pub status: Option<PersonStatus>,
    /// Why: the duties their grants were for, oldest first.
    pub duties: Vec<Line>,
    /// How they came onto the list.
    pub standing: Standing,
    /// The newest of their grants that was ever open.
    pub grant: Option<LeafIndex>,
    /// Where it stands.
    pub state: Option<GrantState>,
    /// When access was first open to them.
    pub granted_at: Option<Micros>,
    /// When that grant ends by itself.
    pub expires_at: Option<Micros>,
    /// First access, as its source tells: when they obtained the information.
    pub obtained_at: Option<Micros>,
    /// Entry of the first access.
    pub obtained_entry: Option<LeafIndex>,
    /// Last access.
    pub last_access_at: Option<Micros>,
    /// Accesses; refused attempts are none.
    pub accesses: u64,
    /// Accesses among them that were not cleared.
    pub uncleared: u64,
    /// Accesses that a later entry says were wrongly recorded.
    pub corrected: u64,
    /// When access ceased; none while a grant is open, and where none ever was.
    pub ceased_at: Option<Micros>,
    /// What ended it.
    pub ceased_because: Option<GrantState>,
    /// Agreements signed that cover the submission: acknowledgement of duties among them.
    pub agreements: Vec<Signed>,
    /// Recusals that bear on it.
    pub recusals: Vec<SteppedAside>,
    /// Whether what they saw is still non-public.
    pub still_inside: bool,
    /// Issuers whose securities the information is closest to (tier 1), on the day of the answer.
    pub tier_1: Vec<IssuerId>,
}

/// The list, and what it is a list of.
#[derive(Debug, Clone)]
pub struct InsiderList {
    /// The submission.
    pub submission: SubmissionId,
    /// What people call it here.
    pub title: Line,
    /// When the submission was first recorded: the list goes back to then.
    pub created_at: Micros,
    /// When something on the list last changed.
    pub updated_at: Micros,
    /// When the information stops being inside: public release and cleansing, the later of the two. None while either has no date.
    pub inside_until: Option<Micros>,
    /// Whether it was inside still when the newest entry was recorded.
    pub still_inside: bool,
    /// Issuers of tier 1.
    pub tier_1: Vec<IssuerId>,
    /// The people, by id.
    pub people: Answer<InsiderRow>,
}

/// What is gathered of one person before it becomes a row.
#[derive(Default)]
struct Gathered<'a> {
    /// Grants that were ever open, oldest first.
    grants: Vec<(LeafIndex, &'a Grant)>,
    accesses: u64,
    uncleared: u64,
    /// The first access by the time the source tells, with its entry.
    first: Option<(Micros, LeafIndex)>,
    last: Option<Micros>,
    /// The access that was recorded last.
    newest: Option<LeafIndex>,
    corrected: u64,
}

/// What rows take from the submission.
struct Common<'a> {
    still_inside: bool,
    tier_1: &'a [IssuerId],
    agreements: BTreeMap<&'a PersonId, Vec<Signed>>,
    recusals: BTreeMap<&'a PersonId, Vec<SteppedAside>>,
}

impl View<'_> {
    /// The insider list of a submission: whoever had access, or had a grant that was open; none where the submission is not recorded. Who was only
    /// refused saw nothing and is not on it.
    ///
    /// # Errors
    /// An entry does not open.
    pub fn insiders(&self, submission: &SubmissionId, page: Page) -> Result<Option<InsiderList>, OpenError> {
        let Some(known) = self.facts().submission(submission) else { return Ok(None) };
        let record = &known.record;
        let inside_until = record.public_release_at.zip(record.cleansed_at).map(|(release, cleansing)| release.max(cleansing));
        let still_inside = inside_until.is_none_or(|end| self.at < end);
        let tier_1 = self.tier_1(record);
        let gathered = self.gathered(submission)?;
        let common = Common { still_inside, tier_1: &tier_1, agreements: self.agreements(submission), recusals: self.recusals(record) };
        let of_page = gathered.iter().skip(page.offset).take(page.limit);
        let rows: Vec<_> = of_page.map(|(person, g)| self.insider(person, g, &common)).collect();
        let more = gathered.len() > page.offset.saturating_add(rows.len());
        let first = self.index()?.of_submission(submission)?.first().copied().unwrap_or(known.index);
        Ok(Some(InsiderList {
            submission: submission.clone(),
            title: record.title.clone(),
            created_at: self.open(first)?.0,
            updated_at: self.updated_at(known, &gathered)?,
            inside_until,
            still_inside,
            tier_1,
            people: Answer { more, ..self.answer(rows) },
        }))
    }

    fn gathered(&self, submission: &SubmissionId) -> Result<BTreeMap<PersonId, Gathered<'_>>, OpenError> {
        let mut people: BTreeMap<PersonId, Gathered<'_>> = BTreeMap::new();
        for (index, grant) in self.facts().grants().filter(|(_, g)| g.request.submission == *submission && !g.open.is_empty()) {
            people.entry(grant.request.person.clone()).or_default().grants.push((index, grant));
        }
        let index = self.index()?;
        index.each_access_to(submission, &mut |access| {
            let Ok(person) = PersonId::new(access.person) else { return };
            if access.refused {
                return;
            }
            let person = people.entry(person).or_default();
            if index.is_corrected(access.index) {
                person.corrected += 1;
            } else {
                let told = (access.occurred_at, access.index);
                person.accesses += 1;
                person.uncleared += u64::from(!access.cleared);
                person.first = Some(person.first.map_or(told, |first| first.min(told)));
                person.last = person.last.max(Some(access.occurred_at));
                person.newest = person.newest.max(Some(access.index));
            }
        })?;
        Ok(people)
    }

    fn insider(&self, person: &PersonId, g: &Gathered<'_>, common: &Common<'_>) -> InsiderRow {
        let facts = self.facts();
        let known = facts.person(person).map(|k| &k.record);
        let organization = known.and_then(|p| facts.organization(&p.organization));
        let newest = g.grants.last();
        let ceased = ceased(&g.grants);
        InsiderRow {
            name: known.map(|p| p.name.clone()),
            person: person.clone(),
            organization: known.map(|p| p.organization.clone()),
            organization_name: organization.map(|o| o.record.name.clone()),
            status: known.map(|p| p.status),
            duties: duties(&g.grants),
            standing: match (g.grants.is_empty(), g.accesses == 0) {
                (true, true) => Standing::Corrected,
                (true, false) => Standing::WithoutGrant,
                (false, true) => Standing::NeverAccessed,
                (false, false) => Standing::Accessed,
            },
            grant: newest.map(|(index, _)| *index),
            state: newest.map(|(_, grant)| grant.state),
            granted_at: g.grants.iter().flat_map(|(_, grant)| &grant.open).map(|(from, _)| *from).min(),
            expires_at: newest.map(|(_, grant)| grant.request.expires_at),
            obtained_at: g.first.map(|(at, _)| at),
            obtained_entry: g.first.map(|(_, entry)| entry),
            last_access_at: g.last,
            accesses: g.accesses,
            uncleared: g.uncleared,
            corrected: g.corrected,
            ceased_at: ceased.map(|(at, _)| at),
            ceased_because: ceased.map(|(_, state)| state),
            agreements: common.agreements.get(person).cloned().unwrap_or_default(),
            recusals: common.recusals.get(person).cloned().unwrap_or_default(),
            still_inside: common.still_inside,
            tier_1: common.tier_1.to_vec(),
        }
    }

    fn agreements(&self, submission: &SubmissionId) -> BTreeMap<&PersonId, Vec<Signed>> {
        let covers = |of: &Option<SubmissionId>| of.as_ref().is_none_or(|s| s == submission);
        let mut of: BTreeMap<&PersonId, Vec<Signed>> = BTreeMap::new();
        for known in self.facts().agreements().filter(|k| covers(&k.record.submission)) {
            let a = &known.record;
            let signed = Signed { kind: a.kind, signed_at: a.signed_at, expires_at: a.expires_at, entry: known.index };
            of.entry(&a.person).or_default().push(signed);
        }
        of.values_mut().for_each(|signed| signed.sort_by_key(|s| s.entry));
        of
    }

    fn recusals(&self, of: &Submission) -> BTreeMap<&PersonId, Vec<SteppedAside>> {
        let today = Date::of(self.at);
        let touched: BTreeSet<_> = self.facts().exposures_of(of, &today).into_iter().map(|e| e.issuer).collect();
        let bears = |scope: &RecusalScope| match scope {
            RecusalScope::Provider(id) => *id == of.provider,
            RecusalScope::Submission(id) => *id == of.id,
            RecusalScope::Issuer(id) => touched.contains(id),
        };
        let mut aside: BTreeMap<&PersonId, Vec<SteppedAside>> = BTreeMap::new();
        for known in self.facts().recusals().filter(|k| bears(&k.record.scope)) {
            let r = &known.record;
            let one = SteppedAside { scope: r.scope.clone(), from: r.from, until: r.until, entry: known.index };
            aside.entry(&r.person).or_default().push(one);
        }
        aside.values_mut().for_each(|of| of.sort_by_key(|r| r.entry));
        aside
    }

    fn tier_1(&self, submission: &Submission) -> Vec<IssuerId> {
        let today = Date::of(self.at);
        let exposed = self.facts().exposures_of(submission, &today);
        let issuers: BTreeSet<_> = exposed.into_iter().filter(|e| e.tier == Tier::One).map(|e| e.issuer).collect();
        issuers.into_iter().cloned().collect()
    }

    /// Only of what the list shows: an entry that must not show must not move it either.
    fn updated_at(&self, submission: &Known<Submission>, people: &BTreeMap<PersonId, Gathered<'_>>) -> Result<Micros, OpenError> {
        let grants = people.values().flat_map(|g| &g.grants).flat_map(|(_, grant)| &grant.open);
        let moved = grants.flat_map(|(from, until)| [Some(*from), *until]).flatten().max();
        let accessed = people.values().filter_map(|g| g.newest).max();
        let accessed = accessed.map(|entry| self.open(entry)).transpose()?.map(|(at, ..)| at);
        Ok([moved, accessed].into_iter().flatten().fold(submission.at, Micros::max))
    }
}

/// When the last open grant stopped being open, and why; none while one is. A grant ends on its own day, whenever the ledger came to say so.
fn ceased(grants: &[(LeafIndex, &Grant)]) -> Option<(Micros, GrantState)> {
    let end = |grant: &Grant, until: Option<Micros>| until.map(|at| (at.min(grant.request.expires_at), grant.because));
    let ends = grants.iter().flat_map(|(_, grant)| grant.open.iter().map(|(_, until)| end(grant, *until)));
    ends.collect::<Option<Vec<_>>>()?.into_iter().max_by_key(|(at, _)| *at)
}

fn duties(grants: &[(LeafIndex, &Grant)]) -> Vec<Line> {
    let mut duties: Vec<Line> = Vec::new();
    for (_, grant) in grants {
        if !duties.contains(&grant.request.duty) {
            duties.push(grant.request.duty.clone());
        }
    }
    duties
}
