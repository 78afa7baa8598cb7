//! Replay agrees with every recorded history, and with nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use countersign_conflict::replay::{Replay, ReplayStatus};
use countersign_conflict::rules::rule_set;
use countersign_entry::content::Meta;
use countersign_entry::ids::{Hash32, LeafIndex};
use countersign_entry::record::*;
use countersign_testing::history::{self, Op};
use countersign_testing::scene::*;
use proptest::prelude::*;
use proptest::sample::Index;

/// The recorded assessment, to be changed.
fn assessment(record: &mut Record) -> Option<&mut Assessment> {
    match record {
        Record::GrantRequest(r) => r.assessment.as_mut(),
        Record::GrantTransition(r) => r.assessment.as_mut(),
        Record::AccessEvent(r) => r.assessment.as_mut(),
        _ => None,
    }
}

fn other_decision(d: Decision) -> Decision {
    if d == Decision::Cleared { Decision::Denied } else { Decision::Cleared }
}

fn other_outcome(o: Outcome) -> Outcome {
    if o == Outcome::Clear { Outcome::Block } else { Outcome::Clear }
}

/// One change to a decision, and the finding it must give.
type Change = (&'static str, fn(&mut Assessment));

const CHANGES: [Change; 7] = [
    ("replay-decision-differs", |a| a.decision = other_decision(a.decision)),
    ("replay-verdict-differs", |a| a.participate = other_outcome(a.participate)),
    ("replay-verdict-differs", |a| a.trade = other_outcome(a.trade)),
    ("replay-rule-set-unknown", |a| a.rule_set = Hash32([0; 32])),
    ("replay-assessment-differs", |a| a.policy = Some(LeafIndex(0))),
    ("replay-assessment-differs", |a| a.watch.push(LeafIndex(0))),
    ("replay-assessment-differs", |a| {
        a.obligations.push(Obligation { who: ObligedParty::AccessOfficer, what: ObligationKind::NoTrading, due: None });
    }),
];

/// The first finding of the entries with one of them changed.
fn first_finding(entries: &[Entry], at: usize, change: impl FnOnce(&mut Record)) -> Option<(u64, &'static str, bool)> {
    let mut changed = entries.to_vec();
    change(&mut changed[at].record);
    replay(&changed).first().map(|(index, f)| (*index, f.code, f.tampered))
}

/// The first finding of the entries without one of them.
fn first_without(entries: &[Entry], at: usize) -> Option<&'static str> {
    let mut fewer = entries.to_vec();
    fewer.remove(at);
    replay(&fewer).first().map(|(_, f)| f.code)
}

fn played(ops: &[Op]) -> Scene {
    let mut scene = history::beginning();
    history::play(&mut scene, ops);
    scene
}

fn places(scene: &Scene, which: impl Fn(&Entry) -> bool) -> Vec<usize> {
    scene.entries().iter().enumerate().filter(|(_, e)| which(e)).map(|(i, _)| i).collect()
}

fn refused(scene: &mut Scene, pause: u64) {
    scene.advance(pause);
    assert!(scene.record(STRANGER, person("P-unwanted")).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_recorded_history_replays_without_findings(ops in history::history(40)) {
        let scene = played(&ops);
        prop_assert_eq!(scene.replay(), vec![]);
    }

    #[test]
    fn what_can_be_redacted_changes_no_decision(ops in history::history(40), asked in any::<bool>()) {
        let scene = played(&ops);
        let mut replay = Replay::new();
        for (entry, index) in scene.entries().iter().zip(0..) {
            let (meta, mut salt) = (&entry.meta, 0u8);
            let content = entry.record.content(meta.at, &meta.actor, &meta.request, None, || {
                salt += 1;
                [salt; 16]
            });
            let follows = meta.request.contains('/') || meta.request.starts_with("timer-");
            let mut left = content.unwrap();
            for field in redactable(&meta.kind).iter().filter(|_| !follows) {
                left = left.erase(field).unwrap().unwrap_or(left);
            }
            // One in two requests was signed; over what is left nobody can tell.
            let meta = Meta { signed: (asked && left.meta().unwrap().erased).then(|| vec![1]), ..left.meta().unwrap() };
            prop_assert_eq!(replay.step(index, &meta, &Record::from_content(&left).unwrap()), vec![], "{:?}", entry.record);
        }
        prop_assert_eq!(replay.finish(), vec![]);
    }

    #[test]
    fn refused_requests_in_between_do_not_show(ops in history::history(30), pauses in prop::collection::vec(prop::sample::select(vec![0, 1, 7 * SECOND, HOUR, 30 * HOUR]), 30)) {
        let mut scene = history::beginning();
        for (op, pause) in ops.iter().zip(&pauses) {
            refused(&mut scene, *pause);
            history::step(&mut scene, op).map(drop).unwrap_or_default();
            refused(&mut scene, *pause);
        }
        prop_assert_eq!(scene.replay(), vec![]);
        prop_assert!(scene.facts().person(&text("P-unwanted")).is_none());
    }

    #[test]
    fn asking_in_vain_what_is_due_changes_nothing(ops in history::history(30), step in prop::sample::select(vec![HOUR / 7, HOUR, 11 * HOUR])) {
        let scene = played(&ops);
        let mut often = scene.facts().clone();
        for at in (1..40).map(|n| scene.next_at().plus(n * step)) {
            let due = often.due(at);
            prop_assert_eq!(&due, &scene.facts().clone().due(at));
            if due.is_some() {
                break;
            }
        }
    }

    #[test]
    fn a_changed_decision_is_found(ops in history::history(40), pick in any::<Index>(), change in 0..CHANGES.len()) {
        let scene = played(&ops);
        let decided = places(&scene, |e| e.record.assessment().is_some());
        prop_assume!(!decided.is_empty());
        let (at, (code, edit)) = (*pick.get(&decided), CHANGES[change]);
        let found = first_finding(scene.entries(), at, |r| edit(assessment(r).unwrap()));
        prop_assert_eq!(found, Some((at as u64, code, code != "replay-rule-set-unknown")));
    }

    #[test]
    fn a_dropped_reason_or_another_result_is_found(ops in history::history(40), pick in any::<Index>()) {
        let scene = played(&ops);
        let reasoned = places(&scene, |e| e.record.assessment().is_some_and(|a| !a.reasons.is_empty()));
        prop_assume!(!reasoned.is_empty());
        let at = *pick.get(&reasoned);
        let found = first_finding(scene.entries(), at, |r| drop(assessment(r).unwrap().reasons.pop()));
        prop_assert_eq!(found, Some((at as u64, "replay-reasons-differ", true)));
        let found = first_finding(scene.entries(), at, |r| match r {
            Record::GrantRequest(r) => r.result = Some(GrantState::Approved),
            Record::GrantTransition(r) => r.result = Some(GrantState::Waived),
            other => assessment(other).unwrap().reasons[0].evidence.push(LeafIndex(0)),
        });
        prop_assert!(matches!(found, Some((i, "replay-outcome-differs" | "replay-reasons-differ", true)) if i == at as u64), "{:?}", found);
    }

    #[test]
    fn a_missing_assessment_is_found(ops in history::history(40), pick in any::<Index>()) {
        let scene = played(&ops);
        let decided = places(&scene, |e| e.record.assessment().is_some());
        prop_assume!(!decided.is_empty());
        let at = *pick.get(&decided);
        let found = first_finding(scene.entries(), at, |r| match r {
            Record::GrantRequest(r) => r.assessment = None,
            Record::GrantTransition(r) => r.assessment = None,
            Record::AccessEvent(r) => r.assessment = None,
            _ => {}
        });
        prop_assert_eq!(found, Some((at as u64, "replay-assessment-missing", true)));
    }

    #[test]
    fn a_removed_follow_up_is_found(ops in history::history(40), pick in any::<Index>()) {
        let scene = played(&ops);
        let entries = scene.entries();
        let suspensions = places(&scene, |e| e.meta.request.contains('/'));
        // The last entry of all is owed by time alone; nobody can miss it until the next one.
        let timed = places(&scene, |e| e.meta.request.starts_with("timer-") && e.index + 1 < entries.len() as u64);
        prop_assume!(!suspensions.is_empty() || !timed.is_empty());
        if !suspensions.is_empty() {
            prop_assert_eq!(first_without(entries, *pick.get(&suspensions)), Some("replay-consequence-missing"));
        }
        if !timed.is_empty() {
            prop_assert_eq!(first_without(entries, *pick.get(&timed)), Some("replay-timer-missing"));
        }
    }

    #[test]
    fn a_follow_up_by_somebody_else_is_found(ops in history::history(40), pick in any::<Index>()) {
        let scene = played(&ops);
        let follow = places(&scene, |e| e.meta.request.contains('/') || e.meta.request.starts_with("timer-"));
        prop_assume!(!follow.is_empty());
        let at = *pick.get(&follow);
        let mut entries = scene.entries().to_vec();
        STRANGER.clone_into(&mut entries[at].meta.actor);
        let found = replay(&entries);
        prop_assert_eq!(found.first().map(|(i, _)| *i), Some(at as u64));
    }
}

/// A scene with one of everything that follows: a suspension in a commit, one by a timer, an expiry, a case.
fn eventful() -> Scene {
    let mut scene = Scene::new();
    let (first, second) = (scene.active_grant(SUBJECT), scene.active_grant(OTHER));
    let later = scene.now().plus(5 * HOUR);
    scene.must(ETHICS, Recusal { from: later, ..recusal("rc-later", OTHER, "provider:lab") });
    scene.must(ETHICS, recusal("rc-now", SUBJECT, "provider:lab"));
    scene.must(GATEWAY, access(SUBJECT, None, scene.now()));
    scene.advance(10 * HOUR).settle();
    assert_eq!([scene.state(first), scene.state(second)], [GrantState::Suspended; 2]);
    scene.advance(200 * HOUR).settle();
    assert_eq!([scene.state(first), scene.state(second)], [GrantState::CoolingOff; 2]);
    scene.must(OPERATOR, person("P-last"));
    scene
}

fn find(scene: &Scene, which: impl Fn(&Record) -> bool) -> usize {
    scene.entries().iter().position(|e| which(&e.record)).expect("the scene has one")
}

#[test]
fn each_thing_that_follows_is_missed_when_it_is_gone() {
    let scene = eventful();
    assert_eq!(scene.replay(), vec![]);
    let moved = |to| move |r: &Record| matches!(r, Record::GrantTransition(t) if t.to == to);
    assert_eq!(first_without(scene.entries(), find(&scene, moved(GrantState::Suspended))), Some("replay-consequence-missing"));
    assert_eq!(first_without(scene.entries(), find(&scene, moved(GrantState::Expired))), Some("replay-timer-missing"));
    assert_eq!(first_without(scene.entries(), find(&scene, moved(GrantState::CoolingOff))), Some("replay-timer-missing"));
    assert_eq!(first_without(scene.entries(), find(&scene, |r| matches!(r, Record::CaseOpened(_)))), Some("replay-timer-missing"));
    let by_timer = scene.entries().iter().position(|e| moved(GrantState::Suspended)(&e.record) && e.meta.actor == SEQUENCER);
    assert_eq!(first_without(scene.entries(), by_timer.unwrap()), Some("replay-timer-missing"));
}

#[test]
fn a_suspension_missing_at_the_very_end_is_still_owed() {
    let mut scene = Scene::new();
    scene.active_grant(SUBJECT);
    scene.must(ETHICS, recusal("rc", SUBJECT, "provider:lab"));
    let mut entries = scene.entries().to_vec();
    assert!(matches!(entries.pop().unwrap().record, Record::GrantTransition(_)));
    assert_eq!(replay(&entries).len(), 1);
    assert_eq!(replay(&entries)[0].1.code, "replay-consequence-missing");
}

#[test]
fn an_approver_who_asked_cannot_be_made_clear() {
    let mut scene = Scene::new();
    // The officer's own person gets a second account that may approve.
    scene.must(OPERATOR, principal("pr-officer2", Some(OFFICER_PERSON), Role::Approver));
    let grant = scene.request(SUBJECT);
    let honest = scene.must(APPROVER, move_to(grant, GrantState::Approved));
    let mut forged = match scene.at(honest) {
        Record::GrantTransition(t) => t.clone(),
        _ => panic!("an approval is a transition"),
    };
    forged.result = Some(GrantState::Approved);
    let at = scene.force("pr-officer2", forged);
    let found = replay(scene.entries());
    assert_eq!((found[0].0, found[0].1.code, found[0].1.tampered), (at.0, "replay-decision-differs", true));
}

#[test]
fn what_nobody_may_record_is_found() {
    let forgeries: [(&str, Record); 5] = [
        (GATEWAY, person("P-forged").into()),
        (STRANGER, person("P-forged").into()),
        (OPERATOR, person(SUBJECT).into()),
        (ETHICS, recusal("rc", "P-nobody", "provider:lab").into()),
        (SEQUENCER, move_to(LeafIndex(3), GrantState::Suspended).into()),
    ];
    for (actor, record) in forgeries {
        let mut scene = Scene::new();
        scene.force(actor, record.clone());
        assert_eq!(scene.replay().first().map(|(_, f)| f.code), Some("replay-not-allowed"), "{record:?}");
    }
}

#[test]
fn a_case_nobody_found_is_found() {
    let mut scene = Scene::new();
    let finding = scene.active_grant(SUBJECT);
    let case = CaseOpened {
        rule: text("R-ACC-1"),
        version: 1,
        cite: text("Nothing"),
        finding,
        person: text(SUBJECT),
        submission: Some(text(SUBMISSION)),
        evidence: vec![finding],
    };
    assert!(scene.record(SEQUENCER, case.clone()).is_err(), "a case follows from time alone");
    scene.force(SEQUENCER, case);
    assert_eq!(scene.replay()[0].1.code, "replay-not-allowed");
}

#[test]
fn nothing_is_replayed_before_a_policy() {
    let mut scene = Scene::empty();
    scene.force(OPERATOR, access(SUBJECT, None, scene.now()));
    let mut replay = Replay::new();
    let entry = &scene.entries()[0];
    assert_eq!(replay.step(0, &entry.meta, &entry.record), vec![]);
    assert_eq!(replay.status(), ReplayStatus::NothingToReplay);
}

#[test]
fn the_status_counts_what_was_decided() {
    let scene = eventful();
    let mut replay = Replay::new();
    for e in scene.entries() {
        replay.step(e.index, &e.meta, &e.record);
    }
    let decisions = scene.entries().iter().filter(|e| e.record.assessment().is_some()).count() as u64;
    let policy = find(&scene, |r| matches!(r, Record::Policy(_)));
    assert_eq!(replay.status(), ReplayStatus::Replayed { entries: (scene.entries().len() - policy) as u64, decisions });
    assert_eq!(decisions, 9, "two requests, four approvals, two activations, one access");
    assert_ne!(rule_set(), Hash32([0; 32]));
}

#[test]
fn times_and_actors_no_ledger_writes_are_findings() {
    let scene = Scene::new();
    let e = &scene.entries()[0];
    for (at, actor) in [(u64::MAX, OPERATOR), (e.meta.at, "Ada Lovelace")] {
        let meta = countersign_entry::content::Meta { at, actor: actor.into(), ..e.meta.clone() };
        assert_eq!(Replay::new().step(0, &meta, &e.record)[0].code, "replay-meta");
    }
}
