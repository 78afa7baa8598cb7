//! The life of a grant: asked for, approved, active, suspended, ended; and the accesses under it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use GrantState::{Active, Approved, Clear, Conflict, Expired, Recused, Revoked, Suspended, Undetermined};
use countersign_conflict::Refusal;
use countersign_entry::ids::LeafIndex;
use countersign_entry::record::*;
use countersign_entry::time::{DAY, Micros, Window};
use countersign_testing::scene::*;

fn last(scene: &Scene) -> &Entry {
    scene.entries().last().unwrap()
}

/// How access under a grant ended; duties go on after it.
fn ended(scene: &Scene, grant: LeafIndex) -> Option<GrantState> {
    let mut ends = scene.entries().iter().rev().filter_map(|e| match &e.record {
        Record::GrantTransition(t) if t.grant == grant => t.result,
        _ => None,
    });
    assert_eq!(scene.state(grant), GrantState::CoolingOff);
    ends.find(|to| *to != GrantState::CoolingOff)
}

fn decision(scene: &Scene, index: LeafIndex) -> Decision {
    scene.assessed(index).decision
}

fn rules(scene: &Scene, index: LeafIndex) -> Vec<&str> {
    scene.assessed(index).reasons.iter().map(|r| r.rule.as_str()).collect()
}

fn cases(scene: &Scene) -> Vec<(LeafIndex, CaseOpened)> {
    scene.facts().cases().map(|(i, c)| (i, c.clone())).collect()
}

#[test]
fn from_request_to_revocation() {
    let mut scene = Scene::new();
    let grant = scene.request(SUBJECT);
    assert_eq!(scene.state(grant), Clear);
    assert!(matches!(scene.record(OFFICER, move_to(grant, Active)), Err(Refusal::Move { .. })), "not before it is approved");
    scene.must(APPROVER, move_to(grant, Approved));
    assert_eq!(scene.state(grant), Clear, "one approval of two");
    scene.must(APPROVER_2, move_to(grant, Approved));
    assert_eq!(scene.state(grant), Approved);
    scene.must(OFFICER, move_to(grant, Active));
    assert_eq!(scene.state(grant), Active);

    let cause = scene.must(ETHICS, recusal("rc", SUBJECT, "provider:lab"));
    let followed = last(&scene);
    assert_eq!((followed.index, followed.meta.actor.as_str()), (cause.0 + 1, ETHICS), "in the same commit, by the same actor");
    assert_eq!(followed.meta.request, format!("{}/1", scene.entries()[scene.entries().len() - 2].meta.request));
    assert!(matches!(&followed.record, Record::GrantTransition(t) if t.cause == Some(cause) && t.result == Some(Suspended)));

    let again = scene.must(OFFICER, move_to(grant, Active));
    assert_eq!((decision(&scene, again), scene.state(grant)), (Decision::Denied, Suspended));
    scene.must(OFFICER, move_to(grant, Revoked));
    assert_eq!(scene.state(grant), Revoked);
    assert!(matches!(scene.record(OFFICER, move_to(grant, Active)), Err(Refusal::Move { .. })));
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn a_suspended_grant_can_be_opened_again_once_the_cause_is_gone() {
    let mut scene = Scene::new();
    let grant = scene.active_grant(SUBJECT);
    scene.must(ETHICS, recusal("rc", SUBJECT, "provider:lab"));
    assert_eq!(scene.state(grant), Suspended);
    scene.supersede(ETHICS, Recusal { until: Some(scene.now()), ..recusal("rc", SUBJECT, "provider:lab") });
    assert_eq!(scene.state(grant), Suspended, "nothing opens by itself");
    scene.must(OFFICER, move_to(grant, Active));
    assert_eq!(scene.state(grant), Active);
    assert_eq!(scene.facts().grant(grant).unwrap().open.len(), 2);
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn access_without_participation_outlives_a_recusal_but_is_looked_at_again() {
    let mut scene = Scene::new();
    scene.must(ETHICS, recusal("rc", SUBJECT, "provider:lab"));
    let grant = scene.must(OFFICER, GrantRequest { needs_participation: false, ..request(SUBJECT, scene.now().plus(DAY)) });
    assert_eq!(scene.state(grant), Recused);
    scene.must(APPROVER, move_to(grant, Approved));
    scene.must(APPROVER_2, move_to(grant, Approved));
    scene.must(OFFICER, move_to(grant, Active));
    assert_eq!(scene.state(grant), Active);
    scene.must(ETHICS, recusal("rc-2", SUBJECT, "submission:S-0001"));
    assert_eq!(scene.state(grant), Active, "no verdict got worse than the one it was activated on");
    scene.must(ETHICS, item("it", RESTRICTED, "provider:lab"));
    assert_eq!(scene.state(grant), Suspended, "trading got worse");
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn each_thing_that_bears_on_a_grant_suspends_it_in_its_own_commit() {
    let changes: [(&str, &str, Record); 9] = [
        ("a restricted item", ETHICS, item("it", RESTRICTED, "provider:lab").into()),
        ("a refused status", OPERATOR, Person { status: PersonStatus::Former, ..person(SUBJECT) }.into()),
        (
            "an agreement ended",
            ETHICS,
            Agreement { expires_at: Some(text("2026-05-26")), ..agreement(SUBJECT, AgreementKind::DutyNotice) }.into(),
        ),
        (
            "an agreement that was another's",
            ETHICS,
            Agreement { person: text(OTHER), ..agreement(SUBJECT, AgreementKind::DutyNotice) }.into(),
        ),
        ("the submission stopped", OPERATOR, Submission { status: SubmissionStatus::Suspended, ..submission() }.into()),
        ("the offer withdrawn", OPERATOR, Submission { offer: None, ..submission() }.into()),
        (
            "a shorter window",
            OPERATOR,
            Submission { window: Window::new(text("2026-06-01"), text("2026-06-03")).unwrap(), ..submission() }.into(),
        ),
        ("an edge to what the person is recused from", OPERATOR, exposure("ex-far", FAR_ISSUER).into()),
        ("a list given an authority", ETHICS, list(GREY, ListKind::Restricted, Some("A statute")).into()),
    ];
    for (what, actor, record) in changes {
        let mut scene = Scene::new();
        scene.must(ETHICS, recusal("rc", SUBJECT, "issuer:cik-0000000003"));
        scene.must(ETHICS, item("it-grey", GREY, "submission:S-0001"));
        let (grant, bystander) = (scene.active_grant(SUBJECT), scene.active_grant(OTHER));
        let cause = scene.supersede(actor, record);
        let expected = if what == "a refused status" { GrantState::Departed } else { Suspended };
        assert_eq!(scene.state(grant), expected, "{what}");
        let named = matches!(scene.at(LeafIndex(cause.0 + 1)), Record::GrantTransition(t) if t.cause == Some(cause) && t.grant == grant);
        assert!(named, "{what}");
        let his_alone =
            ["a refused status", "an agreement ended", "an agreement that was another's", "an edge to what the person is recused from"]
                .contains(&what);
        assert_eq!(scene.state(bystander) == Active, his_alone, "{what}");
        assert_eq!(scene.replay(), vec![], "{what}");
    }
}

#[test]
fn what_does_not_bear_on_a_grant_leaves_it() {
    let mut scene = Scene::new();
    let grant = scene.active_grant(SUBJECT);
    scene.must(ETHICS, recusal("rc-other", OTHER, "provider:lab"));
    scene.must(ETHICS, recusal("rc-far", SUBJECT, "issuer:cik-0000000003"));
    scene.must(ETHICS, item("it-far", RESTRICTED, "issuer:cik-0000000003"));
    scene.must(ETHICS, item("it-watch", WATCH, "provider:lab"));
    scene.supersede(OPERATOR, Person { name: text("Another name"), ..person(SUBJECT) });
    assert_eq!(scene.state(grant), Active);
}

#[test]
fn a_recusal_recorded_ahead_takes_effect_by_a_timer() {
    let mut scene = Scene::new();
    let grant = scene.active_grant(SUBJECT);
    let from = scene.now().plus(DAY);
    let cause = scene.must(ETHICS, Recusal { from, ..recusal("rc", SUBJECT, "provider:lab") });
    scene.go_to(Micros::EPOCH.plus(from.value() - 1)).settle();
    assert_eq!(scene.state(grant), Active, "a microsecond early");
    scene.go_to(from).settle();
    assert_eq!((scene.state(grant), last(&scene).meta.actor.as_str()), (Suspended, SEQUENCER));
    assert_eq!(last(&scene).meta.request, format!("timer-{}", last(&scene).index));
    assert!(matches!(&last(&scene).record, Record::GrantTransition(t) if t.cause == Some(cause)));
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn a_recusal_put_off_before_it_takes_effect_does_nothing_at_its_first_time() {
    let mut scene = Scene::new();
    let grant = scene.active_grant(SUBJECT);
    let (first, second) = (scene.now().plus(DAY), scene.now().plus(2 * DAY));
    scene.must(ETHICS, Recusal { from: first, ..recusal("rc", SUBJECT, "provider:lab") });
    scene.supersede(ETHICS, Recusal { from: second, ..recusal("rc", SUBJECT, "provider:lab") });
    scene.go_to(first.plus(HOUR)).settle();
    assert_eq!(scene.state(grant), Active);
    scene.go_to(second).settle();
    assert_eq!(scene.state(grant), Suspended);
}

#[test]
fn what_runs_out_suspends_then_and_a_watch_list_item_that_takes_effect_nothing() {
    let mut scene = Scene::new();
    let grant = scene.active_grant(SUBJECT);
    scene.must(ETHICS, ListItem { from: scene.now().plus(2 * HOUR), ..item("it", WATCH, "provider:lab") });
    let before = scene.entries().len();
    scene.advance(3 * HOUR).settle();
    assert_eq!((scene.state(grant), scene.entries().len()), (Active, before));
    let ends = scene.now().plus(HOUR);
    let agreement = Agreement { expires_at: Some(ends), ..agreement(SUBJECT, AgreementKind::AccessTerms) };
    let index = scene.supersede(ETHICS, agreement);
    scene.go_to(Micros::EPOCH.plus(ends.value() - 1)).settle();
    assert_eq!(scene.state(grant), Active);
    scene.go_to(ends).settle();
    assert_eq!(scene.state(grant), Suspended);
    assert!(matches!(&scene.entries().last().unwrap().record, Record::GrantTransition(t) if t.cause == Some(index)));
}

#[test]
fn a_grant_expires_at_its_own_end() {
    let mut scene = Scene::new();
    let grant = scene.active_grant(SUBJECT);
    let end = scene.facts().grant(grant).unwrap().request.expires_at;
    scene.go_to(Micros::EPOCH.plus(end.value() - 1)).settle();
    assert_eq!(scene.state(grant), Active);
    scene.go_to(end).settle();
    assert_eq!((ended(&scene, grant), last(&scene).meta.actor.as_str()), (Some(Expired), SEQUENCER));
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn a_suspended_grant_expires_too() {
    let mut scene = Scene::new();
    let grant = scene.active_grant(SUBJECT);
    scene.must(OFFICER, move_to(grant, Suspended));
    scene.advance(8 * DAY).settle();
    assert_eq!(ended(&scene, grant), Some(Expired));
}

#[test]
fn a_longer_window_is_for_new_grants() {
    let mut scene = Scene::new();
    let closes: Micros = text("2026-06-04");
    scene.supersede(OPERATOR, Submission { window: Window::new(text("2026-06-01"), closes).unwrap(), ..submission() });
    let refused = scene.must(OFFICER, request(SUBJECT, closes.plus(1)));
    assert_eq!(scene.state(refused), Conflict);
    let grant = scene.must(OFFICER, request(SUBJECT, closes));
    for (actor, to) in [(APPROVER, Approved), (APPROVER_2, Approved), (OFFICER, Active)] {
        scene.must(actor, move_to(grant, to));
    }
    let later = closes.plus(10 * DAY);
    scene.supersede(OPERATOR, Submission { window: Window::new(text("2026-06-01"), later).unwrap(), ..submission() });
    assert_eq!(scene.state(grant), Active);
    scene.go_to(closes).settle();
    assert_eq!(ended(&scene, grant), Some(Expired), "at the end it was given");
    let next = scene.must(OFFICER, request(SUBJECT, later));
    assert_eq!(scene.state(next), Clear);
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn a_window_cut_short_and_given_back_does_not_end_a_grant_at_the_short_end() {
    let mut scene = Scene::new();
    let grant = scene.active_grant(SUBJECT);
    let short: Micros = text("2026-06-04");
    scene.supersede(OPERATOR, Submission { window: Window::new(text("2026-06-01"), short).unwrap(), ..submission() });
    assert_eq!(scene.state(grant), Suspended);
    scene.supersede(OPERATOR, submission());
    scene.must(OFFICER, move_to(grant, Active));
    scene.go_to(short.plus(HOUR)).settle();
    assert_eq!(scene.state(grant), Active);
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn a_grant_that_ended_before_it_was_activated_opens_nothing() {
    let mut scene = Scene::new();
    let grant = scene.approved_grant(SUBJECT);
    scene.advance(8 * DAY);
    scene.must(OFFICER, move_to(grant, Active));
    assert_eq!(scene.state(grant), Approved, "an attempt leaves the grant where it is");
}

#[test]
fn an_approval_that_did_not_hold_counts_for_nothing() {
    let mut scene = Scene::new();
    let grant = scene.request(SUBJECT);
    let ended = Agreement { expires_at: Some(text("2026-05-26")), ..agreement(SUBJECT, AgreementKind::DutyNotice) };
    scene.supersede(ETHICS, ended);
    let attempt = scene.must(APPROVER, move_to(grant, Approved));
    assert_eq!((decision(&scene, attempt), scene.state(grant)), (Decision::Denied, Clear));
    scene.supersede(ETHICS, agreement(SUBJECT, AgreementKind::DutyNotice));
    scene.must(APPROVER_2, move_to(grant, Approved));
    assert_eq!(scene.state(grant), Clear, "the first that holds");
    scene.must(APPROVER, move_to(grant, Approved));
    assert_eq!(scene.state(grant), Approved, "who tried may approve again");
}

#[test]
fn an_access_is_held_to_its_grant() {
    let mut scene = Scene::new();
    let (grant, others) = (scene.active_grant(SUBJECT), scene.active_grant(OTHER));
    let waiting = scene.approved_grant(SUBJECT);
    scene.advance(HOUR);
    let now = scene.now();
    let opened = scene.facts().grant(grant).unwrap().open[0].0;
    let good = [(grant, now), (grant, opened)];
    for (named, occurred) in good {
        let index = scene.must(GATEWAY, access(SUBJECT, Some(named), occurred));
        assert_eq!((decision(&scene, index), rules(&scene, index)), (Decision::Cleared, vec![]), "{occurred}");
    }
    let before = Micros::EPOCH.plus(opened.value() - 1);
    let bad = [
        (Some(others), now),
        (Some(waiting), now),
        (Some(grant), before),
        (Some(LeafIndex(0)), now),
        (Some(LeafIndex(9_999)), now),
        (None, now),
    ];
    for (named, occurred) in bad {
        let index = scene.must(GATEWAY, access(SUBJECT, named, occurred));
        assert_eq!((decision(&scene, index), rules(&scene, index)), (Decision::Denied, vec!["R-ACC-1"]), "{named:?} {occurred}");
    }
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn an_access_told_late_is_judged_by_its_own_time() {
    let mut scene = Scene::new();
    let grant = scene.active_grant(SUBJECT);
    let during = scene.now().plus(HOUR);
    scene.advance(2 * HOUR);
    let cause = scene.must(ETHICS, Recusal { from: scene.now(), ..recusal("rc", SUBJECT, "provider:lab") });
    let suspended = scene.facts().grant(grant).unwrap().open[0].1.unwrap();
    assert_eq!(suspended.value(), scene.entries()[cause.0 as usize].meta.at + 1);
    scene.advance(HOUR);
    let late = scene.must(GATEWAY, access(SUBJECT, Some(grant), during));
    assert_eq!(decision(&scene, late), Decision::Cleared);
    let after = scene.must(GATEWAY, access(SUBJECT, Some(grant), suspended));
    assert_eq!((decision(&scene, after), rules(&scene, after).contains(&"R-ACC-1")), (Decision::Denied, true));

    scene.advance(30 * DAY).settle();
    assert_eq!(ended(&scene, grant), Some(Expired));
    let later_still = scene.must(GATEWAY, access(SUBJECT, Some(grant), during));
    assert_eq!(decision(&scene, later_still), Decision::Cleared, "a month on, over, but it was open then");
}

#[test]
fn an_access_after_the_grants_end_is_not_covered_though_nobody_recorded_the_end_yet() {
    let mut scene = Scene::new();
    let grant = scene.active_grant(SUBJECT);
    let end = scene.facts().grant(grant).unwrap().request.expires_at;
    let last_moment = Micros::EPOCH.plus(end.value() - 1);
    scene.go_to(end.plus(DAY));
    let (inside, outside) =
        (scene.must(GATEWAY, access(SUBJECT, Some(grant), last_moment)), scene.must(GATEWAY, access(SUBJECT, Some(grant), end)));
    assert_eq!((decision(&scene, inside), decision(&scene, outside)), (Decision::Cleared, Decision::Denied));
}

#[test]
fn an_access_without_a_grant_becomes_one_case_at_the_cadence() {
    let mut scene = Scene::new();
    // Ten past nine; cases open on the hour.
    scene.advance(600 * SECOND);
    let first = scene.must(GATEWAY, access(SUBJECT, None, scene.now()));
    let second = scene.must(GATEWAY, access(SUBJECT, None, scene.now()));
    assert_eq!(scene.facts().pending().count(), 1);
    scene.go_to(text("2026-06-01T09:59:59.999999Z")).settle();
    assert_eq!(cases(&scene), vec![]);
    scene.go_to(text("2026-06-01T10:00:00Z")).settle();
    let (_, case) = cases(&scene).remove(0);
    assert_eq!((case.rule.as_str(), case.finding, case.evidence), ("R-ACC-1", first, vec![first, second]));
    assert_eq!((case.person.as_str(), last(&scene).meta.actor.as_str()), (SUBJECT, SEQUENCER));
    assert_eq!(scene.facts().pending().count(), 0);

    let third = scene.must(GATEWAY, access(SUBJECT, None, scene.now()));
    scene.advance(HOUR).settle();
    assert_eq!((cases(&scene).len(), cases(&scene)[1].1.finding), (2, third));
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn a_case_rests_on_its_worst_reasons_and_lists_a_bounded_number_of_entries() {
    let mut scene = Scene::new();
    for _ in 0..100 {
        scene.must(GATEWAY, access("P-nobody", None, scene.now().plus(DAY)));
    }
    scene.advance(HOUR).settle();
    let found: Vec<(String, usize)> = cases(&scene).iter().map(|(_, c)| (c.rule.to_string(), c.evidence.len())).collect();
    // The clock and the unknown person refer; what blocks is looked at first.
    assert_eq!(found, vec![("R-ACC-1".into(), 64), ("R-AGR-1".into(), 64)]);
}

#[test]
fn a_watch_list_match_becomes_a_case_once() {
    let mut scene = Scene::new();
    let listed = scene.must(ETHICS, item("it", WATCH, "issuer:cik-0000000001"));
    let grant = scene.request(SUBJECT);
    assert_eq!((scene.state(grant), &scene.assessed(grant).watch), (Clear, &vec![listed]));
    scene.request(SUBJECT);
    scene.advance(HOUR).settle();
    let found = cases(&scene);
    assert_eq!((found.len(), found[0].1.rule.as_str(), &found[0].1.evidence), (1, "R-WCH-1", &vec![grant, listed]));
    scene.request(SUBJECT);
    scene.advance(HOUR).settle();
    assert_eq!(cases(&scene).len(), 1);
}

#[test]
fn what_is_unsure_goes_to_the_ethics_office() {
    let mut scene = Scene::new();
    scene.must(ETHICS, recusal("rc", SUBJECT, "issuer:cik-0000000002"));
    let grant = scene.request(SUBJECT);
    assert_eq!((scene.state(grant), decision(&scene, grant)), (Undetermined, Decision::Referred));
    assert!(scene.assessed(grant).obligations.iter().any(|o| o.what == ObligationKind::DecideReferral));
    assert!(matches!(scene.record(OFFICER, move_to(grant, GrantState::Denied)), Err(Refusal::Role { .. })));
    scene.must(ETHICS, move_to(grant, GrantState::InfoRequested));
    scene.must(ETHICS, move_to(grant, GrantState::EthicsReview));
    assert!(matches!(scene.record(ETHICS, move_to(grant, Recused)), Err(Refusal::Invalid(_))), "the duty needs participation");
    scene.must(ETHICS, move_to(grant, GrantState::Denied));
    assert!(matches!(scene.record(APPROVER, move_to(grant, Approved)), Err(Refusal::Move { .. })));
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn refusals_name_what_is_wrong_and_record_nothing() {
    let mut scene = Scene::new();
    let before = scene.entries().len();
    let asked = scene.request(SUBJECT);
    let refusals: [(Result<LeafIndex, Refusal>, &str); 8] = [
        (scene.record(STRANGER, person("P-new1")), "principal pr-stranger is not known here or is disabled"),
        (scene.record(GATEWAY, person("P-new1")), "principal pr-gateway has no role that may record person"),
        (scene.record(OFFICER, request("P-nobody", scene.now().plus(DAY))), "person P-nobody is not recorded"),
        (scene.record(OPERATOR, person(SUBJECT)), "to change it, supersede that entry"),
        (
            scene.record(OPERATOR, Person { supersedes: Some(LeafIndex(1)), ..person(SUBJECT) }),
            "entry 1 is not the newest person P-subject",
        ),
        (scene.record(OPERATOR, Person { supersedes: Some(LeafIndex(1)), ..person("P-new1") }), "entry 1 is not the newest person P-new1"),
        (
            scene.record(GATEWAY, AccessEvent { supersedes: Some(asked), ..access(SUBJECT, None, scene.now()) }),
            "is not the newest access.event",
        ),
        (scene.record(ETHICS, item("it", "no-list", "provider:lab")), "list no-list is not recorded"),
    ];
    for (outcome, words) in refusals {
        let refusal = outcome.unwrap_err();
        assert!(refusal.to_string().contains(words), "{refusal}");
    }
    assert_eq!(scene.entries().len(), before + 1);
    scene.supersede(OPERATOR, Principal { disabled: true, ..principal(OFFICER, Some(OFFICER_PERSON), Role::AccessOfficer) });
    assert!(matches!(scene.record(OFFICER, request(SUBJECT, scene.now().plus(DAY))), Err(Refusal::UnknownPrincipal(_))));
}
