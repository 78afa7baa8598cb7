//! Entries that follow: from another entry, in the same commit; and from time, before anything else is recorded.

use std::collections::BTreeSet;

use countersign_entry::ids::{Date, LeafIndex, Line, PersonId, RecordId, SubmissionId};
use countersign_entry::record::{
    CaseOpened, Decision, GrantState, GrantTransition, ListKind, OrganizationKind, PersonStatus, Record, Submission,
};
use countersign_entry::time::{DAY, Micros};
use serde::{Deserialize, Serialize};

use crate::assess::{Ask, assess};
use crate::facts::{Facts, Timer};
use crate::{grants, rules};

/// Whose active grants something bears on that begins or ends at a time of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Reach {
    /// A recusal, tie or agreement: its person's.
    Person(PersonId),
    /// An offer: those under its submission.
    Submission(SubmissionId),
    /// A list item: everybody's, where its list is no watch list by then.
    Item(RecordId),
    /// An edge, a feed or a policy: everybody's.
    All,
}

/// The grants something reaches that are not looked at yet, so that a cause that suspends many looks at each once. No fact: it is forgotten whenever
/// anything but a suspension is recorded, and made again.
#[derive(Debug, Default)]
pub(crate) struct Looking {
    of: Option<(Micros, LeafIndex)>,
    /// The next one last.
    rest: Vec<LeafIndex>,
}

impl Clone for Looking {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Nothing here is a fact, so two of them never differ.
impl PartialEq for Looking {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A time before which no finding's case is due, where one is known: whoever records thousands of accesses need not look through what waits each time.
/// No fact either: it may be too early, never too late.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NoneDueBefore(Option<Micros>);

impl NoneDueBefore {
    /// A case more is due at a time.
    pub fn found(&mut self, due: Micros) {
        self.0 = self.0.map(|before| before.min(due));
    }
}

/// Nothing here is a fact, so two of them never differ.
impl PartialEq for NoneDueBefore {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Facts {
    /// Suspensions that an entry just applied causes, in the order of the grants. They belong in its commit: a list change and the suspensions it
    /// causes are one.
    ///
    /// An active grant is suspended when it would not be cleared now, or when a verdict is worse than the one it was activated on. A watch list
    /// changes no verdict, so it suspends nothing.
    pub fn consequences(&self, index: LeafIndex, at: Micros, record: &Record) -> Vec<Record> {
        let mut affected: BTreeSet<LeafIndex> = BTreeSet::new();
        match record {
            Record::Recusal(r) => self.active_of_person(&r.person, &mut affected),
            Record::Holding(r) => self.active_of_person(&r.person, &mut affected),
            Record::Trade(r) => self.active_of_person(&r.person, &mut affected),
            Record::Relationship(r) => self.active_of_person(&r.person, &mut affected),
            Record::Person(r) if r.status == PersonStatus::Former => return self.departures(&r.id, index),
            Record::Person(r) => self.active_of_person(&r.id, &mut affected),
            Record::Model(r) if r.stopped == Some(true) => self.active_under(&mut affected, |s| s.model.as_ref() == Some(&r.id)),
            // It may have been another person's until now.
            Record::Agreement(r) if r.supersedes.is_some() => affected.extend(self.active()),
            Record::Submission(r) => self.active_of_submission(&r.id, &mut affected),
            Record::ListItem(r) if self.list(&r.list).is_some_and(|l| l.record.kind != ListKind::Watch) => affected.extend(self.active()),
            Record::List(r) if r.kind != ListKind::Watch && r.supersedes.is_some() => affected.extend(self.active()),
            // Whoever serves below an organization is bound by what binds it.
            Record::Organization(r) if r.supersedes.is_some() && self.any_binds_an_organization() => affected.extend(self.active()),
            Record::Exposure(_) => affected.extend(self.active()),
            Record::Policy(r) if r.effective_from <= at => affected.extend(self.active()),
            // What is no longer listed is no publicly traded security (5 CFR 2640.102(p)); what is new is held by nobody.
            Record::Issuer(r) if r.supersedes.is_some() && r.tickers.is_empty() => {
                self.active_under(&mut affected, |s| self.touches(s, at).all.iter().any(|touch| touch.issuer == r.id));
            }
            Record::Organization(r) if r.supersedes.is_some() && r.kind == OrganizationKind::Developer => {
                self.active_under(&mut affected, |s| s.provider.as_str() == r.id.as_str());
            }
            Record::Principal(r) if r.supersedes.is_some() => {
                affected.extend(self.active().filter(|i| self.grant(*i).is_some_and(|g| g.requester == r.id)));
            }
            _ => {}
        }
        affected.into_iter().filter(|grant| self.worse_now(*grant, at)).map(|grant| suspend(grant, index)).collect()
    }

    /// What has to be recorded before anything else at `at`: a timer that ran out, or a case whose time has come. One at a time, until none is
    /// left. A timer looks at the facts as of the moment it ran out, not of the moment somebody asks, so it does not matter how often or when
    /// between two entries it is asked.
    pub fn due(&mut self, at: Micros) -> Option<Record> {
        while let Some((when, timer)) = self.timers.first().filter(|(when, _)| *when <= at).cloned() {
            match timer {
                Timer::Expire(grant) => {
                    self.timers.remove(&(when, timer));
                    if self
                        .grant(grant)
                        .is_some_and(|g| grants::live(g.state) && self.ended(&g.request.submission, g.request.expires_at, when))
                    {
                        return Some(transition(grant, GrantState::Expired, None));
                    }
                }
                Timer::Cool(grant) => {
                    self.timers.remove(&(when, timer));
                    if self.cools(grant) {
                        let reason = self.clocks_told(grant);
                        return Some(Record::GrantTransition(GrantTransition { reason, ..moved(grant, GrantState::CoolingOff, None) }));
                    }
                }
                Timer::Close(grant) => {
                    self.timers.remove(&(when, timer));
                    if self.closes(grant, when) {
                        return Some(transition(grant, GrantState::Closed, None));
                    }
                }
                Timer::Divest(grant) => {
                    self.timers.remove(&(when, timer));
                    match self.not_divested(grant, when) {
                        Ok(true) => return Some(transition(grant, GrantState::Expired, None)),
                        Ok(false) => {}
                        Err(later) => drop(self.timers.insert((later, Timer::Divest(grant)))),
                    }
                }
                Timer::TakeEffect(cause, ref reach) => {
                    if self.looking.of != Some((when, cause)) {
                        let rest = self.reached_by(reach).into_iter().rev().collect();
                        self.looking = Looking { of: Some((when, cause)), rest };
                    }
                    while let Some(grant) = self.looking.rest.last().copied() {
                        if self.worse_now(grant, when) {
                            return Some(suspend(grant, cause));
                        }
                        self.looking.rest.pop();
                    }
                    self.looking = Looking::default();
                    self.timers.remove(&(when, timer));
                }
            }
        }
        self.due_case(at)
    }

    /// What changes by time alone, from a record just applied: what begins or ends later may make a grant worse that is active then.
    pub(crate) fn take_effect_later(&mut self, index: LeafIndex, record: &Record, at: Micros) {
        let day = |date: &Option<Date>| date.as_ref().and_then(Date::start);
        let day_after = |date: &Option<Date>| day(date).map(|start| start.plus(DAY));
        let (reach, times) = match record {
            Record::Recusal(r) => (Reach::Person(r.person.clone()), [Some(r.from), None]),
            Record::Agreement(r) => (Reach::Person(r.person.clone()), [r.expires_at, None]),
            Record::Relationship(r) => (Reach::Person(r.person.clone()), [day(&r.from), day_after(&r.until)]),
            Record::Trade(r) => (Reach::Person(r.person.clone()), [r.traded_on.start(), None]),
            Record::Submission(r) => (Reach::Submission(r.id.clone()), [r.offer.as_ref().and_then(|o| o.revoked_at), None]),
            Record::ListItem(r) => (Reach::Item(r.id.clone()), [Some(r.from), None]),
            Record::Exposure(r) => (Reach::All, [day(&r.valid_from), day_after(&r.valid_to)]),
            Record::Policy(r) => (Reach::All, [Some(r.effective_from), None]),
            _ => return,
        };
        let later = times.into_iter().flatten().filter(|time| *time > at);
        self.timers.extend(later.map(|time| (time, Timer::TakeEffect(index, reach.clone()))));
    }

    /// Active grants that something taking effect bears on; none ever by a watch list, which must not show even as the occasion of a suspension that
    /// is right for another reason.
    fn reached_by(&self, reach: &Reach) -> BTreeSet<LeafIndex> {
        let mut affected = BTreeSet::new();
        match reach {
            Reach::Person(person) => self.active_of_person(person, &mut affected),
            Reach::Submission(submission) => self.active_of_submission(submission, &mut affected),
            Reach::Item(item) => {
                let list = self.item(item).and_then(|item| self.list(&item.record.list));
                if list.is_some_and(|list| list.record.kind != ListKind::Watch) {
                    affected.extend(self.active());
                }
            }
            Reach::All => affected.extend(self.active()),
        }
        affected
    }

    /// Whoever leaves has no access from then on (NIST SP 800-53 PS-4).
    fn departures(&self, person: &PersonId, cause: LeafIndex) -> Vec<Record> {
        let of = self.grants_of.get(person).into_iter().flatten();
        let open = of.filter(|i| self.grant(**i).is_some_and(|g| matches!(g.state, GrantState::Active | GrantState::Suspended)));
        open.map(|grant| transition(*grant, GrantState::Departed, Some(cause))).collect()
    }

    fn due_case(&mut self, at: Micros) -> Option<Record> {
        if self.none_due_before.0.is_some_and(|before| at < before) {
            return None;
        }
        let Some(((id, person, submission, _), found)) = self.pending.iter().find(|(_, f)| f.due <= at) else {
            self.none_due_before = NoneDueBefore(self.pending.values().map(|f| f.due).min());
            return None;
        };
        let rule = rules::rule(id)?;
        Some(Record::CaseOpened(CaseOpened {
            rule: Line::new(rule.id).ok()?,
            version: rule.version,
            cite: Line::new(rule.cite).ok()?,
            finding: found.finding,
            person: person.clone(),
            submission: submission.clone(),
            evidence: found.evidence.clone(),
        }))
    }

    fn ended(&self, submission: &SubmissionId, expires_at: Micros, at: Micros) -> bool {
        expires_at <= at || self.submission(submission).is_none_or(|s| s.record.window.closes_at() <= at)
    }

    fn worse_now(&self, index: LeafIndex, at: Micros) -> bool {
        let Some(grant) = self.grant(index).filter(|g| g.state == GrantState::Active) else { return false };
        let now = assess(self, at, &grant.request.person, &grant.request.submission, Ask::Recheck { grant });
        let a = now.get();
        a.decision != Decision::Cleared || [a.participate, a.hold, a.trade].iter().zip(&grant.basis).any(|(now, then)| now > then)
    }

    fn active(&self) -> impl Iterator<Item = LeafIndex> {
        self.active_on.values().flatten().copied()
    }

    fn active_of_person(&self, person: &PersonId, out: &mut BTreeSet<LeafIndex>) {
        out.extend(self.grants_of.get(person).into_iter().flatten());
    }

    /// Active grants under the submissions that `which` picks.
    fn active_under(&self, out: &mut BTreeSet<LeafIndex>, which: impl Fn(&Submission) -> bool) {
        let under = self.active_on.iter().filter(|(id, _)| self.submission(id).is_some_and(|s| which(&s.record)));
        out.extend(under.flat_map(|(_, grants)| grants));
    }

    fn active_of_submission(&self, submission: &SubmissionId, out: &mut BTreeSet<LeafIndex>) {
        out.extend(self.active_on.get(submission).into_iter().flatten());
    }
}

fn suspend(grant: LeafIndex, cause: LeafIndex) -> Record {
    transition(grant, GrantState::Suspended, Some(cause))
}

fn transition(grant: LeafIndex, to: GrantState, cause: Option<LeafIndex>) -> Record {
    Record::GrantTransition(moved(grant, to, cause))
}

fn moved(grant: LeafIndex, to: GrantState, cause: Option<LeafIndex>) -> GrantTransition {
    GrantTransition { grant, to, cause, reason: None, assessment: None, result: Some(to) }
}
