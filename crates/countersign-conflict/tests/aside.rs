//! Whoever decides stands aside from what they are recused from themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use countersign_conflict::Refusal;
use countersign_entry::ids::LeafIndex;
use countersign_entry::record::*;
use countersign_entry::time::DAY;
use countersign_testing::scene::*;

fn refused(r: Result<LeafIndex, Refusal>) -> bool {
    matches!(r, Err(Refusal::Recused))
}

/// Recusals of an approver that bar them from a grant on [`SUBMISSION`], and some that do not.
#[test]
fn an_approver_who_is_recused_from_the_submission_approves_nothing_on_it() {
    let scopes = [
        (format!("submission:{SUBMISSION}"), true),
        (format!("provider:{LAB}"), true),
        // Touched over edges that somebody confirmed.
        (format!("issuer:{LAB_ISSUER}"), true),
        (format!("issuer:{FAR_ISSUER}"), false),
    ];
    for (scope, bars) in scopes {
        let mut scene = Scene::new();
        let grant = scene.request(SUBJECT);
        let from = scene.now();
        scene.must(ETHICS, Recusal { from, until: Some(from.plus(DAY)), ..recusal("rc-1", APPROVER_PERSON, &scope) });
        assert_eq!(refused(scene.record(APPROVER, move_to(grant, GrantState::Approved))), bars, "{scope}");
        if bars {
            // Somebody else does, and the one who is recused does when that is over.
            scene.must(APPROVER_2, move_to(grant, GrantState::Approved));
            scene.advance(2 * DAY);
            scene.must(APPROVER, move_to(grant, GrantState::Approved));
        }
    }
}

#[test]
fn who_is_recused_stops_access_and_does_not_open_it() {
    let mut scene = Scene::new();
    let grant = scene.request(SUBJECT);
    scene.must(APPROVER, move_to(grant, GrantState::Approved));
    scene.must(APPROVER_2, move_to(grant, GrantState::Approved));
    let from = scene.now();
    scene.must(ETHICS, Recusal { from, ..recusal("rc-1", OFFICER_PERSON, &format!("provider:{LAB}")) });
    assert!(refused(scene.record(OFFICER, move_to(grant, GrantState::Active))));
    let mut other = principal("pr-officer2", Some("P-officer2"), Role::AccessOfficer);
    scene.must(OPERATOR, person("P-officer2"));
    scene.must(OPERATOR, other.clone());
    scene.must("pr-officer2", move_to(grant, GrantState::Active));
    scene.must(OFFICER, move_to(grant, GrantState::Revoked));
    // Without a person behind it an account has no recusal.
    other = principal("pr-machine", None, Role::AccessOfficer);
    scene.must(OPERATOR, other);
    let next = scene.request(OTHER);
    assert!(!refused(scene.record("pr-machine", move_to(next, GrantState::Active))));
}

#[test]
fn an_ethics_officer_who_is_recused_leaves_cases_and_trades_to_another() {
    let mut scene = Scene::new();
    for (account, who) in [("pr-ethicsA", "P-ethicsA"), ("pr-ethicsB", "P-ethicsB"), ("pr-ethicsC", "P-ethicsC")] {
        scene.must(OPERATOR, person(who));
        scene.must(OPERATOR, principal(account, Some(who), Role::EthicsOfficer));
    }
    scene.must(GATEWAY, access(SUBJECT, None, text(START)));
    scene.advance(2 * HOUR).settle();
    let case = scene.facts().cases().next().unwrap().0;
    let from = scene.now();
    scene.must(ETHICS, Recusal { from, ..recusal("rc-1", "P-ethicsA", &format!("submission:{SUBMISSION}")) });
    scene.must(ETHICS, Recusal { from, ..recusal("rc-2", "P-ethicsB", &format!("issuer:{FAR_ISSUER}")) });
    let step = |step: CaseStep| CaseEvent {
        case,
        step,
        disposition: (step == CaseStep::Dispose).then_some(Disposition::NoViolation),
        text: text("As the file says"),
        evidence: vec![],
        document_hash: None,
    };
    // A note is no decision.
    scene.must("pr-ethicsA", step(CaseStep::Note));
    assert!(refused(scene.record("pr-ethicsA", step(CaseStep::Dispose))));
    scene.must("pr-ethicsB", step(CaseStep::Dispose));
    assert!(refused(scene.record("pr-ethicsA", step(CaseStep::Approve))));
    assert!(refused(scene.record("pr-ethicsA", step(CaseStep::Reopen))));
    scene.must("pr-ethicsC", step(CaseStep::Approve));

    let asked = scene.must(ETHICS, asks(SUBJECT, Some(FAR_ISSUER), "2026-06-08", "2026-06-09"));
    let decided = PreclearanceDecision { preclearance: asked, cleared_until: None, reason: text("As the file says") };
    assert!(refused(scene.record("pr-ethicsB", decided.clone())));
    scene.must("pr-ethicsA", decided);
}

#[test]
fn nobody_ends_a_recusal_of_their_own_or_records_the_paper_that_lets_somebody_in() {
    let mut scene = Scene::new();
    scene.must(OPERATOR, person("P-ethicsA"));
    scene.must(OPERATOR, principal("pr-ethicsA", Some("P-ethicsA"), Role::EthicsOfficer));
    let from = scene.now();
    // One may say that one is recused, and has to leave it to another to say that one is no longer.
    let own = Recusal { from, ..recusal("rc-1", "P-ethicsA", &format!("submission:{SUBMISSION}")) };
    let first = scene.must("pr-ethicsA", own.clone());
    let ended = Recusal { until: Some(from.plus(1)), supersedes: Some(first), ..own };
    assert!(refused(scene.record("pr-ethicsA", ended.clone())));
    // Nor handed to somebody else.
    assert!(refused(scene.record("pr-ethicsA", Recusal { person: text(OTHER), ..ended.clone() })));
    let waiver = |kind| Agreement { kind, submission: Some(text(SUBMISSION)), ..agreement(SUBJECT, kind) };
    for kind in [AgreementKind::Waiver208, AgreementKind::Authorization502] {
        assert!(refused(scene.record("pr-ethicsA", waiver(kind))));
    }
    scene.must(ETHICS, ended);
    scene.advance(HOUR);
    scene.must("pr-ethicsA", waiver(AgreementKind::Waiver208));
}
