//! Entries that follow: from another entry, in the same commit; and from time, before anything else is recorded.

use std::collections::BTreeSet;

use countersign_entry::ids::{LeafIndex, Line, PersonId, SubmissionId};
use countersign_entry::record::{CaseOpened, Decision, GrantState, GrantTransition, ListKind, PersonStatus, Record};
use countersign_entry::time::Micros;

use crate::assess::{Ask, assess};
use crate::facts::{Facts, Timer};
use crate::{grants, rules};

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
            Record::Relationship(r) => self.active_of_person(&r.person, &mut affected),
            Record::Person(r) if r.status == PersonStatus::Former => return self.departures(&r.id, index),
            Record::Person(r) => self.active_of_person(&r.id, &mut affected),
            Record::Model(r) if r.stopped == Some(true) => affected.extend(self.active()),
            // It may have been another person's until now.
            Record::Agreement(r) if r.supersedes.is_some() => affected.extend(self.active()),
            Record::Submission(r) => self.active_of_submission(&r.id, &mut affected),
            Record::ListItem(r) if self.list(&r.list).is_some_and(|l| l.record.kind == ListKind::Restricted) => {
                affected.extend(self.active())
            }
            Record::List(r) if r.kind == ListKind::Restricted && r.supersedes.is_some() => affected.extend(self.active()),
            Record::Exposure(_) => affected.extend(self.active()),
            _ => {}
        }
        affected.into_iter().filter(|grant| self.worse_now(*grant, at)).map(|grant| suspend(grant, index)).collect()
    }

    /// What has to be recorded before anything else at `at`: a timer that ran out, or a case whose time has come. One at a time, until none is
    /// left. A timer looks at the facts as of the moment it ran out, not of the moment somebody asks, so it does not matter how often or when
    /// between two entries it is asked.
    pub fn due(&mut self, at: Micros) -> Option<Record> {
        while let Some((when, timer)) = self.timers.first().copied().filter(|(when, _)| *when <= at) {
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
                        Err(later) => drop(self.timers.insert((later, timer))),
                    }
                }
                Timer::TakeEffect(cause) => {
                    let hit = self.reached_by(cause).into_iter().find(|grant| self.worse_now(*grant, when));
                    match hit {
                        Some(grant) => return Some(suspend(grant, cause)),
                        None => drop(self.timers.remove(&(when, timer))),
                    }
                }
            }
        }
        self.due_case(at)
    }

    /// Active grants that a recusal, tie or list item taking effect bears on: none where another record has taken its place (that one has its own
    /// timer), and none ever by a watch list, which must not show even as the occasion of a suspension that is right for another reason.
    fn reached_by(&self, cause: LeafIndex) -> BTreeSet<LeafIndex> {
        let mut affected = BTreeSet::new();
        if let Some(recusal) = self.recusals.values().find(|k| k.index == cause) {
            self.active_of_person(&recusal.record.person, &mut affected);
        } else if let Some(tie) = self.relationships.values().find(|k| k.index == cause) {
            self.active_of_person(&tie.record.person, &mut affected);
        } else if let Some(item) = self.items.values().find(|k| k.index == cause)
            && self.list(&item.record.list).is_some_and(|l| l.record.kind == ListKind::Restricted)
        {
            affected.extend(self.active());
        } else if self.is_of_feeds(cause) {
            affected.extend(self.active());
        }
        affected
    }

    /// Whoever leaves has no access from then on (NIST SP 800-53 PS-4).
    fn departures(&self, person: &PersonId, cause: LeafIndex) -> Vec<Record> {
        let of = self.grants_of.get(person).into_iter().flatten();
        let open = of.filter(|i| self.grant(**i).is_some_and(|g| matches!(g.state, GrantState::Active | GrantState::Suspended)));
        open.map(|grant| transition(*grant, GrantState::Departed, Some(cause))).collect()
    }

    fn due_case(&self, at: Micros) -> Option<Record> {
        let ((id, person, submission, _), found) = self.pending.iter().find(|(_, f)| f.due <= at)?;
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
