//! What goes on after access, and what stops it all at once: cooling off, departures, feeds that grow old, a stopped model, waivers, divestiture.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../../../tests/spec/grants.rs"]
mod spec;

use GrantState::{Active, Approved, Authorized502, Closed, CoolingOff, Departed, Divesting, EthicsReview, Expired, Suspended, Waived};
use countersign_conflict::Refusal;
use countersign_entry::ids::{Date, LeafIndex};
use countersign_entry::record::*;
use countersign_entry::time::{DAY, Micros};
use countersign_testing::history::{self, FEED, SUBMISSION_2};
use countersign_testing::scene::*;
use proptest::prelude::*;

fn feed(scene: &mut Scene) -> LeafIndex {
    let record = history::asked(scene.facts(), scene.now(), &history::What::Feed);
    scene.must(OPERATOR, record)
}

fn released(released: Option<Micros>, cleansed: Option<Micros>) -> Submission {
    Submission { public_release_at: released, cleansed_at: cleansed, ..submission() }
}

fn told(scene: &Scene, grant: LeafIndex, state: GrantState) -> GrantTransition {
    let mut moves = scene.entries().iter().rev().filter_map(|e| match &e.record {
        Record::GrantTransition(t) if t.grant == grant && t.result == Some(state) => Some(t.clone()),
        _ => None,
    });
    moves.next().expect("the grant came there")
}

#[test]
fn access_that_ends_cools_off_until_public_and_cleansed() {
    let mut scene = Scene::new();
    let grant = scene.active_grant(SUBJECT);
    scene.must(OFFICER, move_to(grant, GrantState::Revoked));
    scene.advance(1).settle();
    assert_eq!(scene.state(grant), CoolingOff);
    let reason = told(&scene, grant, CoolingOff).reason.unwrap();
    assert!(reason.as_str().contains("5 CFR 2635.703") && !reason.as_str().contains("207"), "{reason}");
    scene.advance(400 * DAY).settle();
    assert_eq!(scene.state(grant), CoolingOff, "time alone does not make it public");
    let release = scene.now().plus(DAY);
    scene.supersede(OPERATOR, released(Some(release), None));
    scene.advance(5 * DAY).settle();
    assert_eq!(scene.state(grant), CoolingOff, "public and not cleansed");
    scene.supersede(OPERATOR, released(Some(release), Some(scene.now().plus(DAY))));
    scene.settle();
    assert_eq!(scene.state(grant), CoolingOff);
    scene.advance(DAY).settle();
    assert_eq!(scene.state(grant), Closed);
    assert!(matches!(scene.record(OFFICER, move_to(grant, Active)), Err(Refusal::Move { .. })));
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn a_grant_that_was_never_open_has_nothing_to_cool() {
    let mut scene = Scene::new();
    let grant = scene.approved_grant(SUBJECT);
    scene.must(OFFICER, move_to(grant, GrantState::Revoked));
    scene.advance(DAY).settle();
    assert_eq!(scene.state(grant), GrantState::Revoked);
}

#[test]
fn whoever_leaves_has_no_access_and_two_years_begin() {
    let mut scene = Scene::new();
    let (grant, other) = (scene.active_grant(SUBJECT), scene.active_grant(OTHER));
    let cause = scene.supersede(OPERATOR, Person { status: PersonStatus::Former, ..person(SUBJECT) });
    assert_eq!((scene.state(grant), scene.state(other)), (Departed, Active));
    assert_eq!(told(&scene, grant, Departed).cause, Some(cause), "in the commit of the record that says so");
    let day = Date::of(scene.now());
    scene.supersede(OPERATOR, released(Some(scene.now()), Some(scene.now())));
    scene.advance(1).settle();
    assert_eq!(scene.state(grant), CoolingOff);
    let reason = told(&scene, grant, CoolingOff).reason.unwrap();
    for clock in [
        format!("207(a)(2) until {}", day.plus_months(24)),
        format!("41 U.S.C. 2104 until {}", day.plus_months(12)),
        "life of each matter".into(),
    ] {
        assert!(reason.as_str().contains(&clock), "{reason}");
    }
    let clocks = scene.facts().clocks(scene.facts().grant(grant).unwrap());
    assert_eq!(clocks.responsibility_until, Some(day.plus_months(24)));
    scene.go_to(day.plus_months(24).start().unwrap()).settle();
    assert_eq!(scene.state(grant), Closed);
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn a_contractor_who_leaves_has_no_clock_of_207() {
    let mut scene = Scene::new();
    scene.supersede(OPERATOR, Person { status: PersonStatus::Contractor, ..person(SUBJECT) });
    let grant = scene.active_grant(SUBJECT);
    scene.supersede(OPERATOR, Person { status: PersonStatus::Former, ..person(SUBJECT) });
    scene.advance(1).settle();
    assert!(!told(&scene, grant, CoolingOff).reason.unwrap().as_str().contains("207"));
}

/// Timers act through entries, so a ledger without them does not replay.
#[test]
fn replay_demands_what_comes_after_access() {
    let mut scene = Scene::new();
    let grant = scene.active_grant(SUBJECT);
    scene.must(OFFICER, move_to(grant, GrantState::Revoked));
    scene.supersede(OPERATOR, released(Some(scene.now()), Some(scene.now())));
    scene.advance(DAY);
    scene.must(ETHICS, recusal("rc", OTHER, "provider:lab"));
    for state in [CoolingOff, Closed] {
        let without: Vec<Entry> = scene
            .entries()
            .iter()
            .filter(|e| !matches!(&e.record, Record::GrantTransition(t) if t.result == Some(state)))
            .cloned()
            .collect();
        assert!(without.len() < scene.entries().len());
        let found = replay(&without);
        assert!(found.iter().any(|(_, f)| f.code == "replay-timer-missing" && f.tampered), "{state:?}: {found:?}");
    }
    // Nobody may end the clocks by asking.
    let mut forced = scene.clone();
    forced.force(OFFICER, GrantTransition { result: Some(Active), ..move_to(grant, Active) });
    assert!(forced.replay().iter().any(|(_, f)| f.code == "replay-not-allowed"));
}

#[test]
fn a_feed_too_old_suspends_everybody_and_clears_nobody() {
    let mut scene = Scene::new();
    feed(&mut scene);
    let grant = scene.active_grant(SUBJECT);
    let feeds = vec![Feed { importer: text(FEED), max_age_seconds: 86_400 }];
    scene.supersede(OPERATOR, Policy { feeds, ..policy() });
    scene.advance(DAY / 2).settle();
    assert_eq!(scene.state(grant), Active, "the feed is fresh");
    let last = feed(&mut scene);
    scene.advance(DAY - SECOND).settle();
    assert_eq!(scene.state(grant), Active, "it was read again");
    scene.advance(SECOND).settle();
    assert_eq!((scene.state(grant), told(&scene, grant, Suspended).cause), (Suspended, Some(last)));
    let again = scene.must(OFFICER, move_to(grant, Active));
    assert_eq!((scene.assessed(again).decision, scene.state(grant)), (Decision::Referred, Suspended));
    assert!(scene.assessed(again).reasons.iter().any(|r| r.rule.as_str() == "R-FED-1"));
    feed(&mut scene);
    scene.must(OFFICER, move_to(grant, Active));
    assert_eq!(scene.state(grant), Active);
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn a_policy_that_asks_for_a_feed_nobody_read_suspends_at_once() {
    let mut scene = Scene::new();
    let grant = scene.active_grant(SUBJECT);
    let feeds = vec![Feed { importer: text("senate-ptr"), max_age_seconds: 86_400 }];
    let cause = scene.supersede(OPERATOR, Policy { feeds, ..policy() });
    scene.advance(1).settle();
    assert_eq!((scene.state(grant), told(&scene, grant, Suspended).cause), (Suspended, Some(cause)));
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn a_stopped_model_stops_every_submission_of_it() {
    let mut scene = history::beginning();
    let second = "S-0003";
    scene.must(
        OPERATOR,
        Submission { id: text(second), provider: text(history::LAB_2), model: Some(text(history::MODEL_2)), ..submission() },
    );
    let mut grants = Vec::new();
    for (who, submission) in [(SUBJECT, SUBMISSION_2), (OTHER, second), (OTHER, SUBMISSION)] {
        let asked = request(who, scene.now().plus(3 * DAY));
        let grant = scene.must(OFFICER, GrantRequest { submission: text(submission), ..asked });
        scene.must(APPROVER, move_to(grant, Approved));
        scene.must(APPROVER_2, move_to(grant, Approved));
        scene.must(OFFICER, move_to(grant, Active));
        grants.push(grant);
    }
    let cause = scene.supersede(OPERATOR, history::model(Some(true)));
    assert_eq!(grants.iter().map(|g| scene.state(*g)).collect::<Vec<_>>(), [Suspended, Suspended, Active]);
    assert_eq!(told(&scene, grants[0], Suspended).cause, Some(cause));
    let again = scene.must(OFFICER, move_to(grants[0], Active));
    assert_eq!((scene.assessed(again).decision, scene.state(grants[0])), (Decision::Denied, Suspended));
    scene.supersede(OPERATOR, history::model(Some(false)));
    scene.must(OFFICER, move_to(grants[0], Active));
    assert_eq!(scene.state(grants[0]), Active);
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn waivers_and_authorizations_are_papers_from_before_access() {
    for (state, kind) in [(Waived, AgreementKind::Waiver208), (Authorized502, AgreementKind::Authorization502)] {
        let mut scene = Scene::new();
        scene.must(ETHICS, recusal("rc", SUBJECT, "provider:lab"));
        let grant = scene.request(SUBJECT);
        scene.must(ETHICS, move_to(grant, EthicsReview));
        assert!(matches!(scene.record(ETHICS, move_to(grant, state)), Err(Refusal::Invalid(_))), "no paper");
        let paper = Agreement { id: text("paper"), signed_at: scene.now(), ..agreement(SUBJECT, kind) };
        let mut late = scene.clone();
        late.must(GATEWAY, access(SUBJECT, None, late.now()));
        late.advance(DAY);
        late.must(ETHICS, Agreement { signed_at: late.now(), ..paper.clone() });
        assert!(matches!(late.record(ETHICS, move_to(grant, state)), Err(Refusal::Invalid(_))), "a paper from after");
        scene.must(ETHICS, paper);
        assert!(matches!(scene.record(OFFICER, move_to(grant, state)), Err(Refusal::Role { .. })));
        scene.must(ETHICS, move_to(grant, state));
        // The recusal ends because of the paper; then the grant is approved as any other.
        scene.supersede(ETHICS, Recusal { until: Some(scene.now()), ..recusal("rc", SUBJECT, "provider:lab") });
        scene.must(APPROVER, move_to(grant, Approved));
        scene.must(APPROVER_2, move_to(grant, Approved));
        scene.must(OFFICER, move_to(grant, Active));
        assert_eq!(scene.state(grant), Active);
        assert_eq!(scene.replay(), vec![]);
    }
}

#[test]
fn what_is_not_given_up_in_ninety_days_ends_the_request() {
    let duty = |step, since: &Date, until: Option<Date>| DutyEvent {
        person: text(SUBJECT),
        duty: DutyKind::Divestiture,
        since: since.clone(),
        step,
        on: since.clone(),
        until,
        document_hash: None,
        text: None,
    };
    for extended in [false, true] {
        let mut scene = Scene::new();
        scene.must(ETHICS, recusal("rc", SUBJECT, "provider:lab"));
        let grant = scene.request(SUBJECT);
        scene.must(ETHICS, move_to(grant, EthicsReview));
        assert!(matches!(scene.record(ETHICS, move_to(grant, Divesting)), Err(Refusal::Invalid(_))), "nobody directed it");
        let today = Date::of(scene.now());
        scene.must(ETHICS, duty(DutyStep::Imposed, &today, None));
        scene.must(ETHICS, move_to(grant, Divesting));
        if extended {
            scene.must(ETHICS, duty(DutyStep::Extended, &today, Some(today.plus_days(120))));
        }
        let last = today.plus_days(if extended { 120 } else { 90 });
        scene.go_to(last.start().unwrap().plus(DAY - 1)).settle();
        assert_eq!(scene.state(grant), Divesting, "its last day counts");
        scene.advance(1).settle();
        assert_eq!(scene.state(grant), Expired);
        assert_eq!(scene.replay(), vec![]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every grant of a random history stands where the slow oracle says, at once and two years on.
    #[test]
    fn after_access_every_grant_is_where_the_oracle_says(ops in history::history(40), later in prop::sample::select(vec![0, DAY, 800 * DAY])) {
        let mut scene = history::beginning();
        history::play(&mut scene, &ops);
        scene.advance(later);
        // A timer of the last moment is due by the next entry's time.
        let now = scene.settle();
        let grants: Vec<_> = scene.facts().grants().map(|(i, _)| i).collect();
        for grant in grants {
            if let Some(expected) = spec::after_access(scene.entries(), grant, now.value()) {
                prop_assert_eq!(scene.state(grant), expected, "{}", grant);
            }
        }
        prop_assert_eq!(scene.replay(), vec![]);
    }
}
