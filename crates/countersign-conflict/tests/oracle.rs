//! Every decision of random histories, and questions nobody asked in them, against the slow oracle.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../../../tests/spec/assess.rs"]
mod spec;

use std::collections::BTreeMap;

use countersign_conflict::{Ask, Facts, assess, rules};
use countersign_entry::ids::{PersonId, PrincipalId, SubmissionId};
use countersign_entry::record::*;
use countersign_entry::time::Micros;
use countersign_testing::history::{self, PEOPLE, SUBMISSIONS};
use countersign_testing::scene::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use spec::{Answer, Asked, Book, answer};

/// The question behind a recorded decision: whom and what it is about, and what was asked.
fn question(entries: &[Entry], entry: &Entry) -> Option<(PersonId, SubmissionId, Asked)> {
    let actor: PrincipalId = text(&entry.meta.actor);
    match &entry.record {
        Record::GrantRequest(r) => {
            let asked = Asked::Request { requester: actor, needs: r.needs_participation, ends: r.expires_at };
            Some((r.person.clone(), r.submission.clone(), asked))
        }
        Record::GrantTransition(t) => {
            let grant = Book { entries }.grant(t.grant).expect("a decided move is one of a recorded grant");
            let asked = match t.to {
                GrantState::Approved => Asked::Approve { grant: t.grant, approver: actor },
                GrantState::Active => Asked::Activate { grant: t.grant, officer: actor },
                _ => return None,
            };
            Some((grant.request.person.clone(), grant.request.submission.clone(), asked))
        }
        Record::AccessEvent(e) => Some((e.person.clone(), e.submission.clone(), Asked::Access { grant: e.grant, happened: e.occurred_at })),
        _ => None,
    }
}

/// Where a decision leaves a grant.
fn state_after(entries: &[Entry], entry: &Entry, answer: &Answer) -> Option<GrantState> {
    let checked = match answer.decision {
        Decision::Denied => GrantState::Conflict,
        Decision::Referred => GrantState::Undetermined,
        Decision::Cleared if answer.participate != Outcome::Clear => GrantState::Recused,
        Decision::Cleared => GrantState::Clear,
    };
    let t = match &entry.record {
        Record::GrantRequest(_) => return Some(checked),
        Record::GrantTransition(t) => t,
        _ => return None,
    };
    let grant = Book { entries }.grant(t.grant)?;
    match (t.to, answer.decision) {
        (GrantState::Active, Decision::Cleared) => Some(GrantState::Active),
        (_, Decision::Cleared) => {
            let at = Micros::EPOCH.plus(entry.meta.at);
            let policy = entries.iter().rev().find_map(|e| match &e.record {
                Record::Policy(p) if p.effective_from <= at => Some(p),
                _ => None,
            })?;
            if grant.approvers.len() + 1 >= policy.approvals_required as usize { Some(GrantState::Approved) } else { grant.state }
        }
        (_, _) => grant.state,
    }
}

fn recorded_result(record: &Record) -> Option<GrantState> {
    match record {
        Record::GrantRequest(r) => r.result,
        Record::GrantTransition(t) => t.result,
        _ => None,
    }
}

/// Compares one question about each person and submission; questions about a grant only for its own.
struct Compare<'a> {
    entries: &'a [Entry],
    facts: &'a Facts,
    at: Micros,
}

impl Compare<'_> {
    fn same(&self, person: &PersonId, submission: &SubmissionId, ask: Ask<'_>, asked: &Asked) -> Result<(), TestCaseError> {
        let got = Answer::of(assess(self.facts, self.at, person, submission, ask).get());
        prop_assert_eq!(got, answer(self.entries, self.at, person, submission, asked), "{} {} {:?}", person, submission, asked);
        Ok(())
    }

    fn all(
        &self,
        person: &PersonId,
        submission: &SubmissionId,
        actor: &PrincipalId,
        needs: bool,
        happened: Micros,
    ) -> Result<(), TestCaseError> {
        let ends = happened.plus(48 * HOUR);
        let ask = Ask::Request { requester: actor, needs_participation: needs, expires_at: ends };
        self.same(person, submission, ask, &Asked::Request { requester: actor.clone(), needs, ends })?;
        self.same(person, submission, Ask::Access { grant: None, occurred_at: happened }, &Asked::Access { grant: None, happened })?;
        for (index, grant) in self.facts.grants() {
            let ask = Ask::Access { grant: Some(index), occurred_at: happened };
            self.same(person, submission, ask, &Asked::Access { grant: Some(index), happened })?;
            if (&grant.request.person, &grant.request.submission) == (person, submission) {
                self.same(person, submission, Ask::Recheck { grant }, &Asked::Recheck { grant: index })?;
                let asked = Asked::Approve { grant: index, approver: actor.clone() };
                self.same(person, submission, Ask::Approve { grant, approver: actor }, &asked)?;
                let asked = Asked::Activate { grant: index, officer: actor.clone() };
                self.same(person, submission, Ask::Activate { grant, officer: actor }, &asked)?;
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_recorded_decision_is_the_oracles(ops in history::history(40)) {
        let mut scene = history::beginning();
        history::play(&mut scene, &ops);
        for (i, entry) in scene.entries().iter().enumerate() {
            let before = &scene.entries()[..i];
            let Some(recorded) = entry.record.assessment() else { continue };
            let (person, submission, asked) = question(before, entry).expect("a decision has a question");
            let expected = answer(before, Micros::EPOCH.plus(entry.meta.at), &person, &submission, &asked);
            prop_assert_eq!(&Answer::of(recorded), &expected, "entry {} {:?}", i, asked);
            prop_assert_eq!(recorded_result(&entry.record), state_after(before, entry, &expected), "entry {} {:?}", i, asked);
        }
    }

    #[test]
    fn any_question_is_answered_as_the_oracle_does(
        ops in history::history(25),
        later in 0..72 * HOUR,
        ago in 0..72 * HOUR,
        needs in any::<bool>(),
        who in prop::sample::select(vec![OFFICER, APPROVER, ETHICS, STRANGER, GATEWAY]),
    ) {
        let mut scene = history::beginning();
        history::play(&mut scene, &ops);
        let at = scene.now().plus(later);
        let compare = Compare { entries: scene.entries(), facts: scene.facts(), at };
        for person in PEOPLE.iter().chain(&["P-nobody"]) {
            for submission in SUBMISSIONS.iter().chain(&["S-nothing"]) {
                compare.all(&text(person), &text(submission), &text(who), needs, Micros::EPOCH.plus(at.value() - ago))?;
            }
        }
    }
}

/// What some histories held.
#[derive(Debug, Default)]
struct Tally {
    rules: BTreeMap<String, usize>,
    decisions: BTreeMap<Decision, usize>,
    states: BTreeMap<GrantState, usize>,
    suspended_in_commit: usize,
    by_timer: usize,
    cases: usize,
}

impl Tally {
    fn take(&mut self, entry: &Entry) {
        if let Some(a) = entry.record.assessment() {
            *self.decisions.entry(a.decision).or_default() += 1;
            a.reasons.iter().for_each(|r| *self.rules.entry(r.rule.to_string()).or_default() += 1);
        }
        if let Some(state) = recorded_result(&entry.record) {
            *self.states.entry(state).or_default() += 1;
        }
        match &entry.record {
            Record::GrantTransition(_) if entry.meta.request.contains('/') => self.suspended_in_commit += 1,
            Record::GrantTransition(_) if entry.meta.actor == SEQUENCER => self.by_timer += 1,
            Record::CaseOpened(_) => self.cases += 1,
            _ => {}
        }
    }
}

/// A comparison that never meets a grant, a block or a referral proves nothing.
#[test]
fn histories_reach_what_they_are_for() {
    let mut runner = TestRunner::deterministic();
    let strategy = history::history(40);
    let mut tally = Tally::default();
    for _ in 0..600 {
        let mut scene = history::beginning();
        history::play(&mut scene, &strategy.new_tree(&mut runner).unwrap().current());
        scene.entries().iter().for_each(|e| tally.take(e));
    }
    // Requests to trade and emergencies are asked in another way, and told in tests of their own.
    let of_access = rules::RULES.iter().filter(|r| !r.id.starts_with("R-PCL-") && r.id != rules::EMERGENCY).count();
    assert_eq!(tally.rules.len(), of_access - 4, "every rule but watch lists and those on trades gives reasons: {tally:?}");
    assert!(tally.rules.values().all(|n| *n >= 5) && tally.decisions.values().all(|n| *n >= 50), "{tally:?}");
    for state in
        [GrantState::Active, GrantState::Suspended, GrantState::Expired, GrantState::Recused, GrantState::Revoked, GrantState::Conflict]
    {
        assert!(tally.states.contains_key(&state), "{state:?}: {tally:?}");
    }
    assert!(tally.suspended_in_commit >= 20 && tally.by_timer >= 20 && tally.cases >= 20, "{tally:?}");
}
