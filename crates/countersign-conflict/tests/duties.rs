//! Who owes what by when: the dates the regulations give, and what becomes of a duty.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use countersign_conflict::{Duty, DutyState, Refusal};
use countersign_entry::ids::Date;
use countersign_entry::record::*;
use countersign_testing::scene::*;
use proptest::prelude::*;

fn filer(id: &str, report: Report, from: &str, until: Option<&str>) -> Filer {
    Filer { id: text(id), person: text(SUBJECT), report, from: day(from), until: until.map(day), supersedes: None }
}

fn event(duty: DutyKind, since: &str, step: DutyStep, on: &str) -> DutyEvent {
    let (since, on) = (day(since), day(on));
    DutyEvent { person: text(SUBJECT), duty, since, step, on, until: None, document_hash: None, text: None }
}

fn duties(scene: &Scene, today: &str) -> Vec<Duty> {
    scene.facts().duties(None, &day(today))
}

/// Kind, day it counts from, day due.
fn dates(scene: &Scene, today: &str) -> Vec<(DutyKind, String, String)> {
    duties(scene, today).into_iter().map(|d| (d.kind, d.since.to_string(), d.due.to_string())).collect()
}

fn one(scene: &Scene, kind: DutyKind, today: &str) -> Duty {
    let mut of: Vec<Duty> = duties(scene, today).into_iter().filter(|d| d.kind == kind).collect();
    assert_eq!(of.len(), 1, "{of:?}");
    of.remove(0)
}

fn due(kind: DutyKind, since: &str, due: &str) -> (DutyKind, String, String) {
    (kind, since.into(), due.into())
}

#[test]
fn reports_of_a_position() {
    use DutyKind::*;
    let mut scene = Scene::new();
    scene.must(ETHICS, filer("f-1", Report::Public, "2024-03-01", Some("2026-02-20")));
    let wanted = [
        due(NewEntrant, "2024-03-01", "2024-03-31"),
        due(Annual, "2025-01-01", "2025-05-15"),
        due(Annual, "2026-01-01", "2026-05-15"),
        due(Termination, "2026-02-20", "2026-03-22"),
    ];
    assert_eq!(dates(&scene, "2026-12-31"), wanted);
    assert_eq!(dates(&scene, "2025-12-31"), wanted[..2]);

    let mut scene = Scene::new();
    scene.must(ETHICS, filer("f-1", Report::Confidential, "2025-11-20", Some("2027-06-30")));
    // Served 42 days of 2025: no annual report in 2026. None on leaving.
    assert_eq!(dates(&scene, "2028-01-01"), [due(NewEntrant, "2025-11-20", "2025-12-20"), due(Annual, "2027-01-01", "2027-02-15")]);
}

#[test]
fn a_trade_starts_the_clock_of_a_public_filer_alone() {
    let mut scene = Scene::new();
    scene.must(ETHICS, filer("f-1", Report::Public, "2026-01-10", None));
    let mut traded = |id: &str, change: fn(&mut Trade)| {
        let mut made = trade(id, SUBJECT, Some(FAR_ISSUER), "2026-03-02");
        change(&mut made);
        scene.must(ETHICS, made);
        let found: Vec<Duty> = duties(&scene, "2026-12-31").into_iter().filter(|d| d.kind == DutyKind::Transactions).collect();
        scene.supersede(ETHICS, Trade { traded_on: day("2025-12-01"), ..trade(id, SUBJECT, Some(FAR_ISSUER), "2025-12-01") });
        found
    };
    // Not told when they were told: 45 days after the trade.
    assert_eq!(traded("t-1", |_| {})[0].due, day("2026-04-16"));
    // 30 days after they were told, and never later than 45 after the trade.
    assert_eq!(traded("t-2", |t| t.notified_on = Some(day("2026-03-05")))[0].due, day("2026-04-04"));
    assert_eq!(traded("t-3", |t| t.notified_on = Some(day("2026-04-01")))[0].due, day("2026-04-16"));
    assert_eq!(traded("t-4", |t| t.filed_on = Some(day("2026-04-17")))[0].state(&day("2026-05-01")), DutyState::MetLate);
    assert_eq!(traded("t-5", |t| t.filed_on = Some(day("2026-04-16")))[0].state(&day("2026-05-01")), DutyState::Met);
    let small = |t: &mut Trade| t.value = Band::new(None, Some(1_000)).unwrap();
    let fund =
        |t: &mut Trade| t.instrument = Instrument { class: InstrumentClass::DiversifiedFund, linking: Linking::NotLinked, ..share(None) };
    assert_eq!(traded("t-6", small), []);
    assert_eq!(traded("t-7", fund), []);
    assert_eq!(traded("t-8", |t| t.relation = HolderRelation::Sibling), []);
    assert_eq!(traded("t-9", |t| t.person = text(OTHER)), [], "no public filer");
}

#[test]
fn a_notice_counts_business_days() {
    let mut scene = Scene::new();
    scene.must(ETHICS, filer("f-1", Report::Public, "2026-01-10", None));
    let tie = Relationship {
        id: text("r-1"),
        person: text(SUBJECT),
        kind: RelationshipKind::Seeking,
        relation: HolderRelation::Own,
        issuer: Some(text(FAR_ISSUER)),
        organization: None,
        from: Some(day("2026-07-01")),
        until: None,
        provenance: None,
        supersedes: None,
    };
    scene.must(ETHICS, tie);
    // Wednesday; Friday the 3rd is observed for the 4th.
    assert_eq!(one(&scene, DutyKind::NegotiationNotice, "2026-07-10").due, day("2026-07-07"));
    let extended =
        DutyEvent { until: Some(day("2026-07-20")), ..event(DutyKind::NegotiationNotice, "2026-07-01", DutyStep::Extended, "2026-07-02") };
    assert!(matches!(scene.record(ETHICS, extended), Err(Refusal::Invalid(_))));
}

#[test]
fn reminded_extended_met_and_reviewed() {
    use DutyKind::*;
    let mut scene = Scene::new();
    let position = scene.must(ETHICS, filer("f-1", Report::Public, "2026-03-01", None));
    let late = one(&scene, NewEntrant, "2026-04-01");
    assert_eq!(
        (late.due.as_str(), late.state(&day("2026-03-31")), late.state(&day("2026-04-01"))),
        ("2026-03-31", DutyState::Due, DutyState::Late)
    );
    let reminder = scene.must(ETHICS, event(NewEntrant, "2026-03-01", DutyStep::Reminded, "2026-04-02"));
    let extend = |until: &str| DutyEvent { until: Some(day(until)), ..event(NewEntrant, "2026-03-01", DutyStep::Extended, "2026-04-02") };
    assert!(matches!(scene.record(ETHICS, extend("2026-03-31")), Err(Refusal::Invalid(_))), "no later");
    assert!(matches!(scene.record(ETHICS, extend("2026-06-30")), Err(Refusal::Invalid(_))), "more than 90 days in all");
    let extension = scene.must(ETHICS, extend("2026-05-15"));
    let met = scene.must(ETHICS, event(NewEntrant, "2026-03-01", DutyStep::Met, "2026-05-15"));
    let duty = one(&scene, NewEntrant, "2026-06-01");
    assert_eq!((duty.state(&day("2026-06-01")), duty.due_by_rule.as_str(), duty.reminded.len()), (DutyState::Met, "2026-03-31", 1));
    assert_eq!(duty.evidence, [position, reminder, extension, met]);

    let review = one(&scene, Review, "2026-06-01");
    assert_eq!(
        (review.since.as_str(), review.due.as_str(), review.state(&day("2026-07-15"))),
        ("2026-05-15", "2026-07-14", DutyState::Late)
    );
    scene.must(ETHICS, event(Review, "2026-05-15", DutyStep::Met, "2026-07-01"));
    assert_eq!(one(&scene, Review, "2026-08-01").state(&day("2026-08-01")), DutyState::Met);
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn what_is_imposed_counts_from_its_day_and_nothing_else_can_be_made_up() {
    use DutyKind::*;
    let mut scene = Scene::new();
    scene.must(ETHICS, event(Divestiture, "2026-03-01", DutyStep::Imposed, "2026-03-01"));
    scene.must(ETHICS, event(EthicsAgreement, "2026-01-31", DutyStep::Imposed, "2026-01-31"));
    assert_eq!(
        dates(&scene, "2026-12-31"),
        [due(Divestiture, "2026-03-01", "2026-05-30"), due(EthicsAgreement, "2026-01-31", "2026-04-30")]
    );
    scene.must(ETHICS, DutyEvent { until: Some(day("2026-12-31")), ..event(Divestiture, "2026-03-01", DutyStep::Extended, "2026-05-01") });
    assert_eq!(one(&scene, Divestiture, "2026-12-31").due, day("2026-12-31"), "hardship: as long as the agency finds");

    for bad in [
        event(Annual, "2026-01-01", DutyStep::Imposed, "2026-01-01"),
        event(Divestiture, "2026-03-01", DutyStep::Imposed, "2026-03-02"),
        event(Annual, "2026-01-01", DutyStep::Met, "2026-05-01"),
        event(Divestiture, "2026-03-02", DutyStep::Met, "2026-03-03"),
        DutyEvent { until: Some(day("2026-04-01")), ..event(Divestiture, "2026-03-01", DutyStep::Met, "2026-03-03") },
        event(Divestiture, "2026-03-01", DutyStep::Extended, "2026-03-03"),
    ] {
        assert!(matches!(scene.record(ETHICS, bad.clone()), Err(Refusal::Invalid(_))), "{bad:?}");
    }
    let met = event(Divestiture, "2026-03-01", DutyStep::Met, "2026-03-03");
    assert!(matches!(scene.record(OFFICER, met), Err(Refusal::Role { .. })));
    let at = scene.force(ETHICS, event(Annual, "2026-01-01", DutyStep::Met, "2026-05-01"));
    assert!(scene.replay().iter().any(|(i, f)| *i == at.0 && f.code == "replay-not-allowed"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Against counting days one after another: an annual report is owed for each year into which somebody served, after 61 days of it.
    #[test]
    fn annual_reports_are_those_of_years_served(from in 0..2_000i64, length in proptest::option::of(0..2_000i64), public in any::<bool>()) {
        let first: Date = day("2020-01-01");
        let (from, today) = (first.plus_days(from), day("2031-12-31"));
        let until = length.map(|n| from.plus_days(n));
        let report = if public { Report::Public } else { Report::Confidential };
        let mut scene = Scene::new();
        scene.must(ETHICS, Filer { from: from.clone(), until: until.clone(), ..filer("f-1", report, "2020-01-01", None) });
        let found: Vec<String> = duties(&scene, today.as_str()).into_iter().filter(|d| d.kind == DutyKind::Annual).map(|d| d.due.to_string()).collect();
        let serves = |d: &Date| from <= *d && until.as_ref().is_none_or(|u| d <= u);
        let owed = (2020..=2031).filter(|year| {
            let new_year = day(&format!("{year}-01-01"));
            let days_before = (1..=366).map(|n| new_year.plus_days(-n)).filter(|d| d.year() == *year - 1 && serves(d)).count();
            serves(&new_year) && days_before > 60
        });
        let owed: Vec<String> = owed.map(|year| if public { format!("{year}-05-15") } else { format!("{year}-02-15") }).collect();
        prop_assert_eq!(found, owed);
    }
}

#[test]
fn of_two_trades_on_a_day_the_earlier_clock_counts() {
    let mut scene = Scene::new();
    scene.must(ETHICS, filer("f-1", Report::Public, "2026-01-10", None));
    let first = scene.must(ETHICS, Trade { filed_on: Some(day("2026-03-20")), ..trade("t-1", SUBJECT, Some(FAR_ISSUER), "2026-03-02") });
    let second = scene.must(ETHICS, Trade { notified_on: Some(day("2026-03-03")), ..trade("t-2", SUBJECT, Some(INVESTOR), "2026-03-02") });
    let duty = one(&scene, DutyKind::Transactions, "2026-06-01");
    assert_eq!((duty.due.as_str(), duty.met, duty.evidence), ("2026-04-02", None, vec![first, second]), "one is reported, one is not");
    assert_eq!(scene.facts().duties(Some(&text(OTHER)), &day("2026-06-01")), []);
}
