//! The slow, obvious oracle of decisions: the titles of the rules read again as loops over the whole list of entries. It keeps no index, shares no
//! code with the rules, and answers what may be known from the entries alone: the outcome of each verdict, the decision, which rules spoke.

#[path = "exposure.rs"]
mod exposure;
#[path = "interests.rs"]
mod interests;
#[path = "prohibited.rs"]
mod prohibited;

use std::collections::BTreeSet;

use countersign_entry::ids::{Date, IssuerId, LeafIndex, ModelId, PersonId, PrincipalId, SubmissionId};
use countersign_entry::record::*;
use countersign_entry::time::Micros;
use countersign_testing::scene::Entry;

/// What is asked; grants by their index.
#[derive(Debug, Clone)]
pub enum Asked {
    Request { requester: PrincipalId, needs: bool, ends: Micros },
    Approve { grant: LeafIndex, approver: PrincipalId },
    Activate { grant: LeafIndex, officer: PrincipalId },
    Recheck { grant: LeafIndex },
    Access { grant: Option<LeafIndex>, happened: Micros },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub participate: Outcome,
    pub hold: Outcome,
    pub trade: Outcome,
    pub decision: Decision,
    pub rules: BTreeSet<String>,
    pub watch: BTreeSet<u64>,
}

impl Answer {
    pub fn of(a: &Assessment) -> Self {
        Answer {
            participate: a.participate,
            hold: a.hold,
            trade: a.trade,
            decision: a.decision,
            rules: a.reasons.iter().map(|r| r.rule.to_string()).collect(),
            watch: a.watch.iter().map(|w| w.0).collect(),
        }
    }
}

/// What the entries before `at` say to a question.
pub fn answer(entries: &[Entry], at: Micros, person: &PersonId, submission: &SubmissionId, asked: &Asked) -> Answer {
    let book = Book { entries };
    // (rule, verdict, outcome) for everything that stands against it.
    let mut against: Vec<(&str, Verdict, Outcome)> = Vec::new();
    let who = book.person(person);
    let matter = book.submission(submission);
    let policy = book.policy(at);
    let then = match asked {
        Asked::Access { happened, .. } => *happened,
        _ => at,
    };
    let grant = match asked {
        Asked::Approve { grant, .. } | Asked::Activate { grant, .. } | Asked::Recheck { grant } => book.grant(*grant),
        Asked::Access { grant, .. } => grant.and_then(|g| book.grant(g)),
        Asked::Request { .. } => None,
    };
    let touches = matter.map(|m| book.touches(m, &Date::of(at))).unwrap_or_default();

    // R-EVD-1: what the question needs is on record.
    if who.is_none() || matter.is_none() || policy.is_none() {
        for verdict in [Verdict::Access, Verdict::Participate, Verdict::Hold, Verdict::Trade] {
            against.push(("R-EVD-1", verdict, Outcome::Refer));
        }
    } else if touches.is_empty() {
        against.push(("R-EVD-1", Verdict::Hold, Outcome::Refer));
        against.push(("R-EVD-1", Verdict::Trade, Outcome::Refer));
    }

    // R-REC-1: recused from the provider, an issuer the submission touches, or the submission.
    for recusal in book.newest(|r| if let Record::Recusal(r) = r { Some((r.id.to_string(), r)) } else { None }) {
        let Some(matter) = matter else { continue };
        if recusal.person != *person || !within(recusal.from, recusal.until, then) {
            continue;
        }
        if let Some(sure) = names(&recusal.scope, matter, &touches) {
            against.push(("R-REC-1", Verdict::Participate, if sure { Outcome::Block } else { Outcome::Refer }));
        }
    }

    // R-INT-1: the person has stated what they hold.
    if who.is_some() && !book.signed(person, submission, AgreementKind::NoInterestCertification, then) {
        against.push(("R-INT-1", Verdict::Hold, Outcome::Refer));
    }

    // R-403-1: nothing is held that may not be held.
    let day = Date::of(then);
    let forbidden = who.map(|who| prohibited::Forbidden { book: &book, who, at, then: day.as_str() });
    against.extend(forbidden.iter().flat_map(|f| f.against()).map(|outcome| ("R-403-1", Verdict::Hold, outcome)));

    // R-208-1, R-604-1, R-502-1, R-503-1.
    if let (Some(who), Some(matter), Some(forbidden)) = (who, matter, &forbidden) {
        let edges = book.newest(|r| if let Record::Exposure(r) = r { Some((r.id.to_string(), r)) } else { None });
        let signed = |kind| book.signed(person, submission, kind, then);
        let papers = [signed(AgreementKind::Waiver208), signed(AgreementKind::Authorization502)];
        let stated = book.agreements(person, submission, AgreementKind::NoInterestCertification, then);
        let stated = stated.iter().map(|a| Date::of(a.signed_at)).collect();
        let look =
            interests::Look { book: &book, edges: &edges, forbidden, who, matter, day: Date::of(at), then: Date::of(then), papers, stated };
        against.extend(look.against().into_iter().map(|(rule, outcome)| (rule, Verdict::Participate, outcome)));
    }

    // R-RST-1 and the watch lists.
    let mut watch = BTreeSet::new();
    for (index, item) in book.newest_at(|r| if let Record::ListItem(r) = r { Some((r.id.to_string(), r)) } else { None }) {
        let Some(matter) = matter else { continue };
        if !within(item.from, item.until, at) {
            continue;
        }
        let Some(sure) = names(&item.subject, matter, &touches) else { continue };
        for list in book.newest(|r| if let Record::List(r) = r { Some((r.id.to_string(), r)) } else { None }) {
            match list.kind {
                _ if list.id != item.list => {}
                ListKind::Watch => drop(watch.insert(index)),
                ListKind::Restricted if sure && list.authority.is_some() => against.push(("R-RST-1", Verdict::Trade, Outcome::Block)),
                ListKind::Restricted => against.push(("R-RST-1", Verdict::Trade, Outcome::Refer)),
                ListKind::ProhibitedHolding => {}
            }
        }
    }

    // R-AGR-1, R-AGR-2.
    for kind in policy.map(|p| p.agreements_required.as_slice()).unwrap_or_default() {
        if !book.signed(person, submission, *kind, then) {
            against.push(("R-AGR-1", Verdict::Access, Outcome::Block));
        }
    }
    let by_agreement_alone =
        who.is_some_and(|w| [PersonStatus::Contractor, PersonStatus::Ffrdc, PersonStatus::Partner].contains(&w.status));
    if by_agreement_alone && !book.signed(person, submission, AgreementKind::AccessTerms, then) {
        against.push(("R-AGR-2", Verdict::Trade, Outcome::Refer));
    }

    // R-OFF-1, R-WIN-1, R-STA-1.
    if let Some(matter) = matter {
        let offered = match &matter.offer {
            Some(offer) => within(offer.offered_at, offer.revoked_at, then),
            None => false,
        };
        if !offered {
            against.push(("R-OFF-1", Verdict::Access, Outcome::Block));
        }
        let ends = match asked {
            Asked::Request { ends, .. } => Some(*ends),
            Asked::Access { .. } => None,
            _ => grant.as_ref().map(|g| g.request.expires_at),
        };
        let too_early = then < matter.window.opens_at();
        let too_late = then >= matter.window.closes_at();
        let may_come_early = matches!(asked, Asked::Request { .. } | Asked::Approve { .. });
        let stopped = matter.status != SubmissionStatus::Open;
        let own_end = ends.is_some_and(|e| e > matter.window.closes_at() || e <= at);
        if stopped || too_late || (too_early && !may_come_early) || own_end {
            against.push(("R-WIN-1", Verdict::Access, Outcome::Block));
        }
    }
    // R-MOD-1, R-FED-1.
    if matter.and_then(|m| m.model.as_ref()).is_some_and(|id| book.stopped(id)) {
        against.push(("R-MOD-1", Verdict::Access, Outcome::Block));
    }
    if !matches!(asked, Asked::Access { .. }) {
        for feed in policy.map(|p| p.feeds.as_slice()).unwrap_or_default() {
            let oldest = at.value().saturating_sub(feed.max_age_seconds * 1_000_000);
            if !book.read_after(feed.importer.as_str(), oldest) {
                against.push(("R-FED-1", Verdict::Access, Outcome::Refer));
            }
        }
    }
    if who.is_some_and(|w| w.status == PersonStatus::Former) {
        against.push(("R-STA-1", Verdict::Access, Outcome::Block));
    }

    // R-SOD-1: requester, approvers and subject are different people.
    if let Some(outcome) = book.same_people(person, asked, grant.as_ref()) {
        against.push(("R-SOD-1", Verdict::Access, outcome));
    }

    // R-ACC-1, R-CLK-1.
    if let Asked::Access { happened, .. } = asked {
        let covered =
            grant.as_ref().is_some_and(|g| g.request.person == *person && g.request.submission == *submission && g.open_at(*happened));
        if !covered {
            against.push(("R-ACC-1", Verdict::Access, Outcome::Block));
        }
        let skew = policy.map_or(0, |p| p.clock_skew_seconds * 1_000_000);
        if happened.value() > at.value() + skew {
            against.push(("R-CLK-1", Verdict::Access, Outcome::Refer));
        }
    }

    let needs = match (asked, &grant) {
        (Asked::Request { needs, .. }, _) => *needs,
        (_, Some(g)) => g.request.needs_participation,
        (_, None) => true,
    };
    let worst = |verdict| against.iter().filter(|(_, v, _)| *v == verdict).map(|(_, _, o)| *o).max().unwrap_or(Outcome::Clear);
    Answer {
        participate: worst(Verdict::Participate),
        hold: worst(Verdict::Hold),
        trade: worst(Verdict::Trade),
        decision: decision(policy, needs, &against),
        rules: against.iter().map(|(rule, ..)| (*rule).to_owned()).collect(),
        watch,
    }
}

/// Each thing that stands against it has the effect policy gives it; the worst effect decides, and without a policy nothing is cleared.
fn decision(policy: Option<&Policy>, needs: bool, against: &[(&str, Verdict, Outcome)]) -> Decision {
    let Some(policy) = policy else { return Decision::Referred };
    let mut out = Decision::Cleared;
    for (_, verdict, outcome) in against {
        let effect = match (verdict, outcome) {
            (_, Outcome::Clear) => Effect::Allow,
            (Verdict::Access, Outcome::Refer) => Effect::Refer,
            (Verdict::Access, Outcome::Block) => Effect::Deny,
            (Verdict::Participate, Outcome::Refer) if needs => policy.on_refer.participate,
            (Verdict::Participate, Outcome::Refer) => policy.on_refer.participate.min(policy.on_block_without_participation),
            (Verdict::Participate, Outcome::Block) if needs => policy.on_block.participate,
            (Verdict::Participate, Outcome::Block) => policy.on_block_without_participation,
            (Verdict::Hold, Outcome::Refer) => policy.on_refer.hold,
            (Verdict::Hold, Outcome::Block) => policy.on_block.hold,
            (Verdict::Trade, Outcome::Refer) => policy.on_refer.trade,
            (Verdict::Trade, Outcome::Block) => policy.on_block.trade,
        };
        out = out.max(match effect {
            Effect::Allow => Decision::Cleared,
            Effect::Refer => Decision::Referred,
            Effect::Deny => Decision::Denied,
        });
    }
    out
}

fn within(from: Micros, until: Option<Micros>, at: Micros) -> bool {
    at >= from
        && match until {
            Some(until) => at < until,
            None => true,
        }
}

/// Whether a scope names the matter, and whether that is sure: an edge nobody confirmed is not.
fn names(scope: &RecusalScope, matter: &Submission, touches: &[(IssuerId, bool)]) -> Option<bool> {
    match scope {
        RecusalScope::Provider(id) => (*id == matter.provider).then_some(true),
        RecusalScope::Submission(id) => (*id == matter.id).then_some(true),
        RecusalScope::Issuer(id) => {
            let mut found = None;
            for (issuer, confirmed) in touches {
                if issuer == id {
                    found = Some(found.unwrap_or(false) || *confirmed);
                }
            }
            found
        }
    }
}

/// A grant as the entries tell it.
#[derive(Debug)]
pub struct Told<'a> {
    pub request: &'a GrantRequest,
    pub requester: &'a str,
    pub approvers: Vec<&'a str>,
    pub state: Option<GrantState>,
    open: Vec<(u64, u64)>,
}

impl Told<'_> {
    fn open_at(&self, at: Micros) -> bool {
        at < self.request.expires_at && self.open.iter().any(|(from, until)| *from <= at.value() && at.value() < *until)
    }
}

/// The entries, read from the first each time.
pub struct Book<'a> {
    pub entries: &'a [Entry],
}

impl<'a> Book<'a> {
    /// The last record for each id, with its index, of those `pick` picks.
    fn newest_at<T>(&self, pick: impl Fn(&'a Record) -> Option<(String, &'a T)>) -> Vec<(u64, &'a T)> {
        let mut out = Vec::new();
        for (i, entry) in self.entries.iter().enumerate() {
            let Some((id, record)) = pick(&entry.record) else { continue };
            let replaced = self.entries.iter().skip(i + 1).any(|later| pick(&later.record).is_some_and(|(other, _)| other == id));
            if !replaced {
                out.push((entry.index, record));
            }
        }
        out
    }

    fn newest<T>(&self, pick: impl Fn(&'a Record) -> Option<(String, &'a T)>) -> Vec<&'a T> {
        self.newest_at(pick).into_iter().map(|(_, r)| r).collect()
    }

    fn last<T>(&self, pick: impl Fn(&'a Record) -> Option<&'a T>) -> Option<&'a T> {
        self.entries.iter().rev().find_map(|e| pick(&e.record))
    }

    fn person(&self, id: &PersonId) -> Option<&'a Person> {
        self.last(|r| if let Record::Person(r) = r { (r.id == *id).then_some(r) } else { None })
    }

    fn submission(&self, id: &SubmissionId) -> Option<&'a Submission> {
        self.last(|r| if let Record::Submission(r) = r { (r.id == *id).then_some(r) } else { None })
    }

    fn policy(&self, at: Micros) -> Option<&'a Policy> {
        self.last(|r| if let Record::Policy(r) = r { (r.effective_from <= at).then_some(r) } else { None })
    }

    fn stopped(&self, id: &ModelId) -> bool {
        self.last(|r| if let Record::Model(r) = r { (r.id == *id).then_some(r) } else { None }).is_some_and(|m| m.stopped == Some(true))
    }

    /// Whether an importer of this name was recorded later than a time.
    fn read_after(&self, importer: &str, time: u64) -> bool {
        self.entries.iter().any(|e| match &e.record {
            Record::Import(i) => i.importer.as_str().split('/').next() == Some(importer) && e.meta.at > time,
            _ => false,
        })
    }

    fn person_behind(&self, account: &str) -> Option<&'a PersonId> {
        self.last(|r| if let Record::Principal(r) = r { (r.id.as_str() == account).then_some(r) } else { None })
            .and_then(|p| p.person.as_ref())
    }

    fn touches(&self, matter: &Submission, day: &Date) -> Vec<(IssuerId, bool)> {
        let edges = self.newest(|r| if let Record::Exposure(r) = r { Some((r.id.to_string(), r)) } else { None });
        exposure::ways(&edges, matter, day).into_iter().map(|(issuer, _, sure)| (issuer, sure)).collect()
    }

    fn signed(&self, person: &PersonId, submission: &SubmissionId, kind: AgreementKind, then: Micros) -> bool {
        !self.agreements(person, submission, kind, then).is_empty()
    }

    fn agreements(&self, person: &PersonId, submission: &SubmissionId, kind: AgreementKind, then: Micros) -> Vec<&'a Agreement> {
        let mut all = self.newest(|r| if let Record::Agreement(r) = r { Some((r.id.to_string(), r)) } else { None });
        all.retain(|a| {
            let covers = match &a.submission {
                Some(only) => only == submission,
                None => true,
            };
            a.person == *person && a.kind == kind && covers && within(a.signed_at, a.expires_at, then)
        });
        all
    }

    /// A grant from its request and what was recorded about it after.
    pub fn grant(&self, index: LeafIndex) -> Option<Told<'a>> {
        let entry = self.entries.iter().find(|e| e.index == index.0)?;
        let Record::GrantRequest(request) = &entry.record else { return None };
        let mut told = Told { request, requester: &entry.meta.actor, approvers: vec![], state: request.result, open: vec![] };
        for later in self.entries {
            let Record::GrantTransition(t) = &later.record else { continue };
            if t.grant != index {
                continue;
            }
            if t.to == GrantState::Approved && t.assessment.as_ref().is_some_and(|a| a.decision == Decision::Cleared) {
                told.approvers.push(&later.meta.actor);
            }
            let (was, is) = (told.state == Some(GrantState::Active), t.result == Some(GrantState::Active));
            if is && !was {
                told.open.push((later.meta.at, u64::MAX));
            }
            if was
                && !is
                && let Some(last) = told.open.last_mut()
            {
                last.1 = later.meta.at;
            }
            told.state = t.result;
        }
        Some(told)
    }

    fn same_people(&self, subject: &PersonId, asked: &Asked, grant: Option<&Told<'a>>) -> Option<Outcome> {
        let requester = match asked {
            Asked::Request { requester, .. } => requester.as_str(),
            Asked::Access { .. } => return None,
            _ => grant?.requester,
        };
        let mut clash = self.person_behind(requester) == Some(subject);
        match asked {
            Asked::Approve { approver, .. } => {
                let approver = approver.as_str();
                match self.person_behind(approver) {
                    None => clash = true,
                    Some(p) => {
                        let earlier = grant?.approvers.iter().copied().chain([requester]);
                        clash |= p == subject || earlier.into_iter().any(|other| other == approver || self.person_behind(other) == Some(p));
                    }
                }
            }
            Asked::Activate { officer, .. } => clash |= self.person_behind(officer.as_str()) == Some(subject),
            _ => {}
        }
        if clash {
            Some(Outcome::Block)
        } else if self.person_behind(requester).is_none() {
            Some(Outcome::Refer)
        } else {
            None
        }
    }
}
