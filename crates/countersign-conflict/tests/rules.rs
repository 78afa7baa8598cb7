//! Each rule where it speaks, where it does not, and at its edges.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use countersign_conflict::{Ask, assess};
use countersign_entry::ids::{Date, PrincipalId};
use countersign_entry::record::*;
use countersign_entry::time::{DAY, Micros, Window};
use countersign_testing::scene::*;

use AgreementKind::{AccessTerms, DutyNotice, NoInterestCertification};
use Outcome::{Block, Clear, Refer};

/// What a request for [`SUBJECT`] would be answered at a time.
fn ask_at(scene: &Scene, at: Micros) -> Assessment {
    ask_for(scene, SUBJECT, at, at.plus(DAY), true)
}

fn ask(scene: &Scene) -> Assessment {
    ask_at(scene, scene.next_at())
}

fn ask_for(scene: &Scene, person: &str, at: Micros, expires_at: Micros, needs_participation: bool) -> Assessment {
    let requester: PrincipalId = text(OFFICER);
    let ask = Ask::Request { requester: &requester, needs_participation, expires_at };
    assess(scene.facts(), at, &text(person), &text(SUBMISSION), ask).into_record()
}

fn tell(scene: &Scene, at: Micros, occurred_at: Micros) -> Assessment {
    assess(scene.facts(), at, &text(SUBJECT), &text(SUBMISSION), Ask::Access { grant: None, occurred_at }).into_record()
}

fn said(a: &Assessment, rule: &str) -> Option<Outcome> {
    a.reasons.iter().filter(|r| r.rule.as_str() == rule).map(|r| r.outcome).max()
}

/// A scene with one change to what [`Scene::new`] holds.
fn scene_with(actor: &str, record: impl Into<Record>) -> Scene {
    let mut scene = Scene::new();
    scene.supersede(actor, record);
    scene
}

fn before(at: Micros) -> Micros {
    Micros::EPOCH.plus(at.value() - 1)
}

#[test]
fn a_furnished_scene_is_clear() {
    let a = ask(&Scene::new());
    assert_eq!((a.participate, a.hold, a.trade, a.decision), (Clear, Clear, Clear, Decision::Cleared));
    assert_eq!(a.reasons, vec![]);
    assert_eq!(a.obligations, vec![Obligation { who: ObligedParty::Subject, what: ObligationKind::NoTrading, due: None }]);
}

#[test]
fn evidence_missing_refers_on_every_verdict() {
    let scene = Scene::new();
    let at = scene.next_at();
    let a = ask_for(&scene, "P-nobody", at, at.plus(DAY), true);
    assert_eq!((a.participate, a.hold, a.trade), (Refer, Refer, Refer));
    assert_eq!(said(&a, "R-INT-1"), None, "nobody is asked for the interests of nobody");

    let early = ask_at(&scene, before(text("2026-01-01")));
    assert_eq!((early.decision, said(&early, "R-EVD-1"), early.policy), (Decision::Referred, Some(Refer), None), "no policy yet");
    let first = ask_at(&scene, text("2026-01-01"));
    assert_eq!((said(&first, "R-EVD-1"), first.policy.is_some()), (None, true), "the policy's first moment");
}

#[test]
fn a_submission_that_touches_nothing_refers_on_holding_and_trading_only() {
    let mut scene = Scene::new();
    for (id, to) in [("ex-lab", LAB_ISSUER), ("ex-investor", INVESTOR)] {
        scene.supersede(OPERATOR, Exposure { valid_to: Some(text("2026-05-31")), ..exposure(id, to) });
    }
    let a = ask(&scene);
    assert_eq!((a.participate, a.hold, a.trade, said(&a, "R-EVD-1")), (Clear, Refer, Refer, Some(Refer)));
}

#[test]
fn a_recusal_from_what_the_submission_is_bars_participation() {
    for (scope, outcome) in [
        ("provider:lab", Some(Block)),
        ("submission:S-0001", Some(Block)),
        ("issuer:cik-0000000001", Some(Block)),
        ("issuer:cik-0000000002", Some(Refer)),
        ("issuer:cik-0000000003", None),
    ] {
        let scene = scene_with(ETHICS, recusal("rc", SUBJECT, scope));
        let a = ask(&scene);
        assert_eq!((said(&a, "R-REC-1"), a.participate), (outcome, outcome.unwrap_or(Clear)), "{scope}");
        assert_eq!((a.hold, a.trade), (Clear, Clear), "{scope}");
        assert_eq!(a.obligations.iter().any(|o| o.what == ObligationKind::KeepRecusal), outcome.is_some(), "{scope}");
        let at = scene.next_at();
        assert_eq!(said(&ask_for(&scene, OTHER, at, at.plus(DAY), true), "R-REC-1"), None, "another person's recusal");
    }
}

#[test]
fn a_recusal_never_bars_access_that_needs_no_participation() {
    let scene = scene_with(ETHICS, recusal("rc", SUBJECT, "provider:lab"));
    let at = scene.next_at();
    assert_eq!(ask_for(&scene, SUBJECT, at, at.plus(DAY), true).decision, Decision::Denied);
    assert_eq!(ask_for(&scene, SUBJECT, at, at.plus(DAY), false).decision, Decision::Cleared);
    // What is only unsure is no worse than what is sure, with or without a second recusal that is sure.
    let unsure = scene_with(ETHICS, recusal("rc-2", SUBJECT, "issuer:cik-0000000002"));
    assert_eq!(ask_for(&unsure, SUBJECT, at, at.plus(DAY), true).decision, Decision::Referred);
    assert_eq!(ask_for(&unsure, SUBJECT, at, at.plus(DAY), false).decision, Decision::Cleared);
    let mut both = scene;
    both.must(ETHICS, recusal("rc-2", SUBJECT, "issuer:cik-0000000002"));
    assert_eq!(ask_for(&both, SUBJECT, at, at.plus(DAY), true).decision, Decision::Denied);
    assert_eq!(ask_for(&both, SUBJECT, at, at.plus(DAY), false).decision, Decision::Cleared);
}

#[test]
fn a_recusal_holds_from_its_first_moment_up_to_its_last() {
    let (from, until): (Micros, Micros) = (text("2026-06-05"), text("2026-06-10"));
    let scene = scene_with(ETHICS, Recusal { from, until: Some(until), ..recusal("rc", SUBJECT, "provider:lab") });
    for (at, outcome) in [(before(from), Clear), (from, Block), (before(until), Block), (until, Clear)] {
        assert_eq!(ask_at(&scene, at).participate, outcome, "{at}");
    }
    // A later record takes its place, for the past too.
    let mut lifted = scene;
    lifted.supersede(ETHICS, Recusal { from, until: Some(from), ..recusal("rc", SUBJECT, "provider:lab") });
    assert_eq!(ask_at(&lifted, from).participate, Clear);
}

#[test]
fn an_edge_holds_on_its_first_and_its_last_day() {
    let mut scene = scene_with(
        OPERATOR,
        Exposure { valid_from: Some(text("2026-06-05")), valid_to: Some(text("2026-06-06")), ..exposure("ex-far", FAR_ISSUER) },
    );
    scene.must(ETHICS, recusal("rc", SUBJECT, "issuer:cik-0000000003"));
    let day = |d: &str| text::<Date>(d).start().unwrap();
    for (at, outcome) in
        [(before(day("2026-06-05")), Clear), (day("2026-06-05"), Block), (before(day("2026-06-07")), Block), (day("2026-06-07"), Clear)]
    {
        assert_eq!(ask_at(&scene, at).participate, outcome, "{at}");
    }
}

#[test]
fn a_confirmed_edge_beside_an_unconfirmed_one_decides() {
    let mut scene = scene_with(ETHICS, recusal("rc", SUBJECT, "issuer:cik-0000000002"));
    assert_eq!(ask(&scene).participate, Refer);
    scene.must(OPERATOR, Exposure { from: Node::Submission(text(SUBMISSION)), ..exposure("ex-own", INVESTOR) });
    assert_eq!(ask(&scene).participate, Block);
    let mut elsewhere = scene_with(ETHICS, recusal("rc", SUBJECT, "issuer:cik-0000000003"));
    elsewhere.must(OPERATOR, Exposure { from: Node::Issuer(text(INVESTOR)), ..exposure("ex-chain", FAR_ISSUER) });
    assert_eq!(ask(&elsewhere).participate, Clear, "edges of an investor are not those of the lab");
    elsewhere.must(OPERATOR, Exposure { from: Node::Issuer(text(LAB_ISSUER)), ..exposure("ex-own", FAR_ISSUER) });
    assert_eq!(ask(&elsewhere).participate, Block, "edges of the issuer that the lab is are");
}

#[test]
fn interests_must_be_stated_by_the_person_and_in_force() {
    let until: Micros = text("2026-06-10");
    let scene = scene_with(ETHICS, Agreement { expires_at: Some(until), ..agreement(SUBJECT, NoInterestCertification) });
    for (at, outcome) in [(before(until), None), (until, Some(Refer))] {
        let a = ask_at(&scene, at);
        assert_eq!((said(&a, "R-INT-1"), a.hold), (outcome, outcome.unwrap_or(Clear)), "{at}");
        assert_eq!(a.obligations.iter().any(|o| o.what == ObligationKind::StateInterests), outcome.is_some());
    }
    let other = scene_with(ETHICS, Agreement { submission: Some(text(SUBMISSION)), ..agreement(SUBJECT, NoInterestCertification) });
    assert_eq!(ask(&other).hold, Clear, "for this submission alone is enough");
}

#[test]
fn a_restricted_list_bars_trading_where_it_has_an_authority() {
    for (list, scope, outcome) in [
        (RESTRICTED, "provider:lab", Some(Block)),
        (RESTRICTED, "submission:S-0001", Some(Block)),
        (RESTRICTED, "issuer:cik-0000000001", Some(Block)),
        (RESTRICTED, "issuer:cik-0000000002", Some(Refer)),
        (RESTRICTED, "issuer:cik-0000000003", None),
        (GREY, "provider:lab", Some(Refer)),
        (GREY, "issuer:cik-0000000001", Some(Refer)),
        (WATCH, "provider:lab", None),
        (WATCH, "issuer:cik-0000000001", None),
    ] {
        let a = ask(&scene_with(ETHICS, item("it", list, scope)));
        assert_eq!((said(&a, "R-RST-1"), a.trade), (outcome, outcome.unwrap_or(Clear)), "{list} {scope}");
        assert_eq!((a.participate, a.hold, a.decision), (Clear, Clear, Decision::Cleared), "the policy lets trading be: {list} {scope}");
        assert_eq!(a.watch.len(), usize::from(list == WATCH), "{list} {scope}");
    }
}

#[test]
fn a_listing_holds_from_its_first_moment_up_to_its_last_and_can_be_replaced() {
    let (from, until): (Micros, Micros) = (text("2026-06-05"), text("2026-06-10"));
    let mut scene = scene_with(ETHICS, ListItem { from, until: Some(until), ..item("it", RESTRICTED, "provider:lab") });
    for (at, outcome) in [(before(from), Clear), (from, Block), (before(until), Block), (until, Clear)] {
        assert_eq!(ask_at(&scene, at).trade, outcome, "{at}");
    }
    scene.supersede(ETHICS, ListItem { from, until: Some(until), ..item("it", RESTRICTED, "issuer:cik-0000000003") });
    assert_eq!(ask_at(&scene, from).trade, Clear);
    scene.supersede(ETHICS, item("it", RESTRICTED, "provider:lab"));
    scene.supersede(ETHICS, list(RESTRICTED, ListKind::Restricted, None));
    assert_eq!(ask_at(&scene, from).trade, Refer, "an authority lost");
}

#[test]
fn every_agreement_the_policy_asks_for_must_be_signed_in_time() {
    let (signed, ends): (Micros, Micros) = (text("2026-06-05"), text("2026-06-10"));
    for kind in [AccessTerms, DutyNotice] {
        let scene = scene_with(ETHICS, Agreement { signed_at: signed, expires_at: Some(ends), ..agreement(SUBJECT, kind) });
        for (at, outcome) in [(before(signed), Some(Block)), (signed, None), (before(ends), None), (ends, Some(Block))] {
            let a = ask_at(&scene, at);
            assert_eq!(said(&a, "R-AGR-1"), outcome, "{kind:?} {at}");
            assert_eq!(a.decision == Decision::Cleared, outcome.is_none());
        }
        let mut renewed = scene;
        renewed.must(ETHICS, Agreement { id: text("renewed"), signed_at: ends, ..agreement(SUBJECT, kind) });
        assert_eq!(said(&ask_at(&renewed, ends), "R-AGR-1"), None, "one of two is enough");
    }
    let mut other = Scene::new();
    other.must(OPERATOR, Submission { id: text("S-0002"), ..submission() });
    other.supersede(ETHICS, Agreement { submission: Some(text("S-0002")), ..agreement(SUBJECT, AccessTerms) });
    assert_eq!(said(&ask(&other), "R-AGR-1"), Some(Block), "signed for another submission");
    let lenient = scene_with(OPERATOR, Policy { agreements_required: vec![], ..policy() });
    assert_eq!(said(&ask_for(&lenient, "P-nobody", lenient.next_at(), lenient.next_at().plus(1), true), "R-AGR-1"), None);
}

#[test]
fn a_person_bound_by_agreement_alone_needs_one_to_be_clear_to_trade() {
    for (status, bound) in [
        (PersonStatus::Contractor, true),
        (PersonStatus::Ffrdc, true),
        (PersonStatus::Partner, true),
        (PersonStatus::Civilian, false),
        (PersonStatus::IpaDetailee, false),
        (PersonStatus::Enlisted, false),
    ] {
        let mut scene = scene_with(OPERATOR, Person { status, ..person(SUBJECT) });
        assert_eq!(ask(&scene).trade, Clear, "{status:?} has signed");
        scene.supersede(ETHICS, Agreement { expires_at: Some(text("2026-05-26")), ..agreement(SUBJECT, AccessTerms) });
        assert_eq!(said(&ask(&scene), "R-AGR-2"), bound.then_some(Refer), "{status:?} has not");
    }
}

#[test]
fn the_offer_must_stand() {
    let offer = |offered: &str, revoked: Option<&str>| {
        let offer = submission().offer.map(|o| Offer { offered_at: text(offered), revoked_at: revoked.map(text), ..o });
        scene_with(OPERATOR, Submission { offer, ..submission() })
    };
    let at: Micros = text("2026-06-05");
    for (scene, outcome) in [
        (offer("2026-06-05", None), None),
        (offer("2026-06-06", None), Some(Block)),
        (offer("2026-05-01", Some("2026-06-05")), Some(Block)),
        (offer("2026-05-01", Some("2026-06-06")), None),
        (scene_with(OPERATOR, Submission { offer: None, ..submission() }), Some(Block)),
    ] {
        assert_eq!(said(&ask_at(&scene, at), "R-OFF-1"), outcome);
    }
}

#[test]
fn the_window_must_be_open_where_access_is_meant() {
    let (opens, closes): (Micros, Micros) = (text("2026-06-01"), text("2026-07-01"));
    let scene = Scene::new();
    for (at, occurred_outcome) in [(before(opens), Some(Block)), (opens, None), (before(closes), None), (closes, Some(Block))] {
        assert_eq!(said(&tell(&scene, closes.plus(DAY), at), "R-WIN-1"), occurred_outcome, "access at {at}");
    }
    let request = |at: Micros, ends: Micros| said(&ask_for(&scene, SUBJECT, at, ends, true), "R-WIN-1");
    assert_eq!(request(text("2026-05-30"), closes), None, "a request may come ahead of the window");
    assert_eq!(request(opens, closes), None, "and run to its end");
    assert_eq!(request(opens, closes.plus(1)), Some(Block), "but not past it");
    assert_eq!(request(before(closes), closes), None);
    assert_eq!(request(closes, closes.plus(1)), Some(Block), "nor come after it");
    assert_eq!(request(opens.plus(5), opens.plus(6)), None);
    assert_eq!(request(opens.plus(5), opens.plus(5)), Some(Block), "a grant that has ended opens nothing");
    for status in [SubmissionStatus::Suspended, SubmissionStatus::Closed] {
        let stopped = scene_with(OPERATOR, Submission { status, ..submission() });
        assert_eq!(said(&ask(&stopped), "R-WIN-1"), Some(Block), "{status:?}");
    }
}

#[test]
fn an_approval_may_come_ahead_of_the_window_and_an_activation_not() {
    let window = Window::new(text("2026-06-10"), text("2026-06-20")).unwrap();
    let mut scene = scene_with(OPERATOR, Submission { window, ..submission() });
    let grant = scene.must(OFFICER, request(SUBJECT, window.closes_at()));
    scene.must(APPROVER, move_to(grant, GrantState::Approved));
    scene.must(APPROVER_2, move_to(grant, GrantState::Approved));
    assert_eq!(scene.state(grant), GrantState::Approved);
    let early = scene.must(OFFICER, move_to(grant, GrantState::Active));
    assert_eq!(said(scene.assessed(early), "R-WIN-1"), Some(Block));
    assert_eq!(scene.state(grant), GrantState::Approved);
}

#[test]
fn who_has_left_has_no_access() {
    let scene = scene_with(OPERATOR, Person { status: PersonStatus::Former, ..person(SUBJECT) });
    let a = ask(&scene);
    assert_eq!((said(&a, "R-STA-1"), a.decision), (Some(Block), Decision::Denied));
}

#[test]
fn requester_approver_and_subject_are_different_people() {
    let mut scene = Scene::new();
    let own = scene.must(OFFICER, request(OFFICER_PERSON, scene.now().plus(DAY)));
    assert_eq!(said(scene.assessed(own), "R-SOD-1"), Some(Block), "for oneself");
    scene.must(OPERATOR, principal("pr-faceless", None, Role::AccessOfficer));
    let faceless = scene.must("pr-faceless", request(SUBJECT, scene.now().plus(DAY)));
    assert_eq!(said(scene.assessed(faceless), "R-SOD-1"), Some(Refer), "by an account nobody stands behind");

    for (id, person) in
        [("pr-twin1", Some(OFFICER_PERSON)), ("pr-twin2", Some(APPROVER_PERSON)), ("pr-self", Some(SUBJECT)), ("pr-none", None)]
    {
        scene.must(OPERATOR, principal(id, person, Role::Approver));
    }
    let grant = scene.request(SUBJECT);
    for (actor, what) in [("pr-twin1", "the requester's second account"), ("pr-self", "the subject"), ("pr-none", "nobody's account")] {
        let index = scene.must(actor, move_to(grant, GrantState::Approved));
        assert_eq!((said(scene.assessed(index), "R-SOD-1"), scene.state(grant)), (Some(Block), GrantState::Clear), "{what}");
    }
    scene.must(APPROVER, move_to(grant, GrantState::Approved));
    for (actor, what) in [(APPROVER, "the same account again"), ("pr-twin2", "the first approver's second account")] {
        let index = scene.must(actor, move_to(grant, GrantState::Approved));
        assert_eq!((said(scene.assessed(index), "R-SOD-1"), scene.state(grant)), (Some(Block), GrantState::Clear), "{what}");
    }
    let second = scene.must(APPROVER_2, move_to(grant, GrantState::Approved));
    assert_eq!((said(scene.assessed(second), "R-SOD-1"), scene.state(grant)), (None, GrantState::Approved));
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn an_officer_does_not_activate_for_themselves() {
    let mut scene = Scene::new();
    scene.must(OPERATOR, principal("pr-self", Some(SUBJECT), Role::AccessOfficer));
    let grant = scene.approved_grant(SUBJECT);
    let index = scene.must("pr-self", move_to(grant, GrantState::Active));
    assert_eq!((said(scene.assessed(index), "R-SOD-1"), scene.state(grant)), (Some(Block), GrantState::Approved));
}

#[test]
fn an_access_ahead_of_the_clock_refers() {
    let scene = Scene::new();
    let at = scene.next_at();
    let skew = 300 * SECOND;
    for (occurred, outcome) in [(at, None), (at.plus(skew), None), (at.plus(skew + 1), Some(Refer))] {
        assert_eq!(said(&tell(&scene, at, occurred), "R-CLK-1"), outcome, "{occurred}");
    }
}

#[test]
fn the_duty_not_to_trade_ends_with_cleansing_alone() {
    let cleansed: Micros = text("2026-06-10");
    let scene =
        scene_with(OPERATOR, Submission { public_release_at: Some(text("2026-06-02")), cleansed_at: Some(cleansed), ..submission() });
    for (at, bound) in [(before(cleansed), true), (cleansed, false)] {
        assert_eq!(ask_at(&scene, at).obligations.iter().any(|o| o.what == ObligationKind::NoTrading), bound, "{at}");
    }
}

#[test]
fn policy_turns_verdicts_into_the_decision() {
    use Effect::{Allow, Deny, Refer as Ask};
    for (on_block, decision) in [(Allow, Decision::Cleared), (Ask, Decision::Referred), (Deny, Decision::Denied)] {
        let mut scene = scene_with(OPERATOR, Policy { on_block: Effects { trade: on_block, ..policy().on_block }, ..policy() });
        scene.must(ETHICS, item("it", RESTRICTED, "provider:lab"));
        assert_eq!(ask(&scene).decision, decision);
    }
    let future: Micros = text("2026-06-10");
    let strict = Policy { effective_from: future, on_block: Effects { trade: Deny, ..policy().on_block }, ..policy() };
    let mut scene = scene_with(OPERATOR, strict);
    scene.must(ETHICS, item("it", RESTRICTED, "provider:lab"));
    assert_eq!((ask_at(&scene, before(future)).decision, ask_at(&scene, future).decision), (Decision::Cleared, Decision::Denied));
}
