//! Cases: who may do what with them when, against a slow reading of their steps.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use countersign_conflict::{CaseState, Refusal};
use countersign_entry::ids::{Hash32, LeafIndex};
use countersign_entry::record::*;
use countersign_testing::scene::*;
use proptest::prelude::*;
use proptest::sample::select;

/// Two ethics officers with people behind them, and a second account of the first one's person.
const ADA: &str = "pr-ethicsA";
const BEA: &str = "pr-ethicsB";
const ADA_AGAIN: &str = "pr-ethicsA2";
/// The subject of the case, made an ethics officer.
const SUBJECTS: &str = "pr-ethicsS";

/// A scene with an open case about [`SUBJECT`].
fn scene() -> (Scene, LeafIndex) {
    let mut scene = Scene::new();
    for id in ["P-ethicsA", "P-ethicsB"] {
        scene.must(OPERATOR, person(id));
    }
    for (account, who) in [(ADA, "P-ethicsA"), (BEA, "P-ethicsB"), (ADA_AGAIN, "P-ethicsA"), (SUBJECTS, SUBJECT)] {
        scene.must(OPERATOR, principal(account, Some(who), Role::EthicsOfficer));
    }
    scene.must(GATEWAY, access(SUBJECT, None, text(START)));
    scene.advance(2 * HOUR).settle();
    let case = scene.facts().cases().next().unwrap().0;
    (scene, case)
}

fn step(case: LeafIndex, step: CaseStep, disposition: Option<Disposition>) -> CaseEvent {
    CaseEvent { case, step, disposition, text: text("As the file says"), evidence: vec![], document_hash: None }
}

fn dispose(case: LeafIndex) -> CaseEvent {
    step(case, CaseStep::Dispose, Some(Disposition::NoViolation))
}

fn referral(case: LeafIndex) -> Referral {
    Referral {
        id: text("rf-1"),
        case,
        to: text("Inspector General"),
        form: Some(text("OGE Form 202")),
        document_hash: Hash32([9; 32]),
        referred_at: text(START),
        supersedes: None,
    }
}

fn hold(case: LeafIndex) -> LegalHold {
    LegalHold {
        id: text("lh-1"),
        scope: HoldScope::Case(case),
        authority: text("Order 7"),
        from: text(START),
        until: None,
        supersedes: None,
    }
}

fn state(scene: &Scene, case: LeafIndex) -> CaseState {
    scene.facts().case_file(case).unwrap().state
}

fn invalid(r: Result<LeafIndex, Refusal>) -> bool {
    matches!(r, Err(Refusal::Invalid(_)))
}

#[test]
fn two_people_close_a_case_and_one_opens_it_again() {
    let (mut scene, case) = scene();
    assert!(invalid(scene.record(ADA, step(case, CaseStep::Approve, None))), "nothing to sign");
    assert!(invalid(scene.record(ADA, step(case, CaseStep::Reopen, None))), "it is open");
    scene.must(ADA, CaseEvent { evidence: vec![case], ..step(case, CaseStep::Note, None) });
    scene.must(ADA, dispose(case));
    assert_eq!(state(&scene, case), CaseState::Proposed);
    assert!(invalid(scene.record(ADA, step(case, CaseStep::Approve, None))), "her own proposal");
    assert!(invalid(scene.record(ADA_AGAIN, step(case, CaseStep::Approve, None))), "the same person by another account");
    assert!(invalid(scene.record(ETHICS, step(case, CaseStep::Approve, None))), "nobody known stands behind the account");
    assert!(invalid(scene.record(BEA, dispose(case))), "proposed already");
    scene.must(BEA, step(case, CaseStep::Approve, None));
    let file = scene.facts().case_file(case).unwrap();
    assert_eq!((file.state, file.disposition, file.entries.len()), (CaseState::Closed, Some(Disposition::NoViolation), 3));
    assert!(invalid(scene.record(ADA, dispose(case))));
    scene.must(BEA, step(case, CaseStep::Note, None));
    scene.must(ADA, step(case, CaseStep::Reopen, None));
    assert_eq!((state(&scene, case), scene.facts().case_file(case).unwrap().disposition), (CaseState::Open, None));
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn a_case_is_referred_before_it_ends_so_and_holds_are_counted() {
    let (mut scene, case) = scene();
    let referred = step(case, CaseStep::Dispose, Some(Disposition::Referred));
    assert!(invalid(scene.record(ADA, referred.clone())));
    let entry = scene.must(ADA, referral(case));
    let held = scene.must(ADA, hold(case));
    let file = scene.facts().case_file(case).unwrap();
    assert_eq!((&file.referrals, &file.holds, &file.entries), (&vec![entry], &vec![held], &vec![entry, held]));
    scene.supersede(ADA, LegalHold { until: Some(text("2026-06-02")), ..hold(case) });
    assert_eq!(scene.facts().case_file(case).unwrap().holds, vec![]);
    scene.must(ADA, referred);
    scene.must(BEA, step(case, CaseStep::Approve, None));
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn nobody_handles_their_own_case_and_nobody_else_handles_any() {
    let (mut scene, case) = scene();
    assert!(invalid(scene.record(SUBJECTS, dispose(case))));
    assert!(invalid(scene.record(SUBJECTS, step(case, CaseStep::Note, None))));
    assert!(invalid(scene.record(SUBJECTS, referral(case))));
    assert!(invalid(scene.record(SUBJECTS, hold(case))));
    for account in [OPERATOR, OFFICER, APPROVER, GATEWAY, SEQUENCER] {
        assert!(matches!(scene.record(account, dispose(case)), Err(Refusal::Role { .. })), "{account}");
    }
    let none = LeafIndex(0);
    assert!(matches!(scene.record(ADA, dispose(none)), Err(Refusal::Unknown { .. })));
    assert!(matches!(scene.record(ADA, hold(none)), Err(Refusal::Unknown { .. })));
    assert!(invalid(scene.record(ADA, step(case, CaseStep::Dispose, None))));
    assert!(invalid(scene.record(ADA, step(case, CaseStep::Note, Some(Disposition::Violation)))));
    assert!(invalid(scene.record(ADA, CaseEvent { evidence: vec![LeafIndex(1 << 40)], ..step(case, CaseStep::Note, None) })));
}

#[test]
fn a_step_that_was_not_allowed_is_found_in_replay() {
    let (mut scene, case) = scene();
    scene.must(ADA, dispose(case));
    for (account, forged) in
        [(ADA, step(case, CaseStep::Approve, None)), (OPERATOR, dispose(case)), (SUBJECTS, step(case, CaseStep::Reopen, None))]
    {
        let mut scene = scene.clone();
        let at = scene.force(account, forged);
        assert!(scene.replay().iter().any(|(i, f)| *i == at.0 && f.code == "replay-not-allowed"), "{account}");
    }
}

/// The slow reading: where a case stands is what the last step but notes says, and a closing needs two people.
fn slowly(steps: &[(&'static str, CaseStep)]) -> CaseState {
    let last = steps.iter().rfind(|(_, s)| *s != CaseStep::Note).map(|(_, s)| *s);
    match last {
        None | Some(CaseStep::Reopen) => CaseState::Open,
        Some(CaseStep::Dispose) => CaseState::Proposed,
        Some(_) => CaseState::Closed,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_steps(asked in proptest::collection::vec(
        (select(vec![ADA, BEA, ADA_AGAIN]), select(vec![CaseStep::Note, CaseStep::Dispose, CaseStep::Approve, CaseStep::Reopen])), 1..20)) {
        let (mut scene, case) = scene();
        let mut taken = Vec::new();
        for (account, s) in asked {
            let disposition = (s == CaseStep::Dispose).then_some(Disposition::Corrected);
            let allowed = match (s, slowly(&taken)) {
                (CaseStep::Note, _) | (CaseStep::Reopen, CaseState::Proposed | CaseState::Closed) | (CaseStep::Dispose, CaseState::Open) => true,
                (CaseStep::Approve, CaseState::Proposed) => {
                    let proposer = taken.iter().rfind(|(_, s)| *s == CaseStep::Dispose).unwrap().0;
                    (proposer == BEA) != (account == BEA)
                }
                _ => false,
            };
            let recorded = scene.record(account, step(case, s, disposition)).is_ok();
            prop_assert_eq!(recorded, allowed, "{} {:?} after {:?}", account, s, taken);
            if recorded {
                taken.push((account, s));
            }
            prop_assert_eq!(state(&scene, case), slowly(&taken));
        }
        prop_assert_eq!(scene.replay(), vec![]);
    }
}
