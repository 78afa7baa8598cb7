//! Asking before trading, and trades held against what was cleared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use countersign_conflict::{Execution, Refusal, rules};
use countersign_entry::ids::{Date, LeafIndex};
use countersign_entry::record::*;
use countersign_entry::time::DAY;
use countersign_testing::scene::*;
use proptest::prelude::*;
use proptest::sample::select;

/// [`SUBJECT`]'s own account.
const COVERED: &str = "pr-covered";

/// The furnished scene on Tuesday 2 June 2026, with a policy in force since Monday evening.
fn scene_with(policy_part: PreclearancePolicy) -> Scene {
    let mut scene = Scene::new();
    scene.must(OPERATOR, principal(COVERED, Some(SUBJECT), Role::CoveredPerson));
    scene.supersede(OPERATOR, Policy { preclearance: Some(policy_part), version: 2, ..policy() });
    scene.go_to(text("2026-06-02T09:00:00Z"));
    scene
}

fn scene() -> Scene {
    scene_with(preclearance_policy())
}

fn ask(scene: &mut Scene, request: PreclearanceRequest) -> LeafIndex {
    scene.must(COVERED, request)
}

fn wanted() -> PreclearanceRequest {
    asks(SUBJECT, Some(FAR_ISSUER), "2026-06-02", "2026-07-31")
}

/// Day cleared until, and the rules against it.
fn answer(scene: &Scene, request: LeafIndex) -> (Option<String>, Vec<String>) {
    let Record::PreclearanceRequest(r) = scene.at(request) else { panic!("a request") };
    let a = r.assessment.as_ref().unwrap();
    assert_eq!(a.decision == Decision::Cleared, r.cleared_until.is_some());
    (r.cleared_until.as_ref().map(Date::to_string), a.reasons.iter().map(|r| r.rule.to_string()).collect())
}

fn seen(scene: &mut Scene, on: &str) -> LeafIndex {
    scene.must(GATEWAY, access(SUBJECT, None, text(&format!("{on}T09:00:00Z"))))
}

fn day_of(text_: &str) -> Date {
    Date::new(text_).unwrap()
}

#[test]
fn a_clearance_lasts_five_business_days_or_as_long_as_was_asked() {
    let mut scene = scene();
    let first = ask(&mut scene, wanted());
    assert_eq!(answer(&scene, first), (Some("2026-06-09".into()), vec![]));
    let shorter = ask(&mut scene, PreclearanceRequest { until: day_of("2026-06-04"), ..wanted() });
    assert_eq!(answer(&scene, shorter).0, Some("2026-06-04".into()));
    // Juneteenth, a Friday, is no business day.
    scene.go_to(text("2026-06-16T09:00:00Z"));
    let later = ask(&mut scene, PreclearanceRequest { from: day_of("2026-06-17"), ..wanted() });
    assert_eq!(answer(&scene, later).0, Some("2026-06-24".into()));
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn each_cause_leaves_it_to_the_ethics_office() {
    let alter = |f: fn(&mut PreclearanceRequest)| {
        let mut request = wanted();
        f(&mut request);
        request
    };
    let mut nothing = Scene::new();
    nothing.must(OPERATOR, principal(COVERED, Some(SUBJECT), Role::CoveredPerson));
    nothing.go_to(text("2026-06-02T09:00:00Z"));
    let request = ask(&mut nothing, wanted());
    assert_eq!(answer(&nothing, request), (None, vec![rules::NO_PRECLEARANCE_POLICY.into()]));

    type Cause = fn(&mut PreclearanceRequest);
    let causes: [(&str, Cause); 6] = [
        (rules::INSTRUMENT_NOT_KNOWN, |r| r.instrument = share(None)),
        (rules::INSTRUMENT_NOT_KNOWN, |r| r.instrument.class = InstrumentClass::Unknown),
        (rules::CLASS_NEVER_CLEARED, |r| r.instrument.class = InstrumentClass::Option),
        (rules::OTHER_DAYS, |r| r.from = day_of("2026-06-01")),
        (rules::OTHER_DAYS, |r| r.from = day_of("2026-06-10")),
        (rules::OTHER_DAYS, |r| (r.from, r.until) = (day_of("2026-06-05"), day_of("2026-06-04"))),
    ];
    for (rule, cause) in causes {
        let mut scene = scene();
        let request = ask(&mut scene, alter(cause));
        assert_eq!(answer(&scene, request), (None, vec![rule.into()]));
    }
    for (list, outcome) in [(RESTRICTED, Outcome::Block), (GREY, Outcome::Refer)] {
        let mut scene = scene();
        scene.must(ETHICS, item("i-1", list, &format!("issuer:{FAR_ISSUER}")));
        let request = ask(&mut scene, wanted());
        assert_eq!(answer(&scene, request), (None, vec![rules::TRADE_IN_LISTED.into()]));
        assert_eq!(scene.assessed(request).trade, outcome);
    }
    let mut scene = scene();
    scene.must(ETHICS, trade("t-old", SUBJECT, Some(FAR_ISSUER), "2026-01-05"));
    let sell = PreclearanceRequest { kind: TradeKind::Sale, ..wanted() };
    let request = ask(&mut scene, sell.clone());
    assert_eq!(answer(&scene, request), (None, vec![rules::NOT_HELD_LONG_ENOUGH.into()]));
    let other = ask(&mut scene, PreclearanceRequest { instrument: share(Some(INVESTOR)), ..sell });
    assert_eq!(answer(&scene, other).1, Vec::<String>::new());
}

/// Of two words the stricter counts, and "unknown" is no class anybody can clear.
#[test]
fn never_is_stronger_than_always() {
    let classes = vec![InstrumentClass::Treasury, InstrumentClass::DiversifiedFund, InstrumentClass::Unknown];
    let limits = PreclearancePolicy { always_cleared: classes, never_cleared: vec![InstrumentClass::Treasury], ..preclearance_policy() };
    let mut scene = scene_with(limits);
    for (class, rules) in [
        (InstrumentClass::Treasury, vec![rules::CLASS_NEVER_CLEARED]),
        (InstrumentClass::Unknown, vec![rules::INSTRUMENT_NOT_KNOWN]),
        (InstrumentClass::DiversifiedFund, vec![]),
    ] {
        let request = ask(&mut scene, PreclearanceRequest { instrument: Instrument { class, ..share(None) }, ..wanted() });
        assert_eq!(answer(&scene, request).1, rules, "{class:?}");
    }
}

#[test]
fn a_way_of_trading_the_policy_forbids_is_never_cleared() {
    let mut scene = scene();
    let fund = Instrument { class: InstrumentClass::DiversifiedFund, linking: Linking::NotLinked, ..share(None) };
    let short = PreclearanceRequest { kind: TradeKind::Sale, terms: vec![TradeTerm::ShortSale], ..wanted() };
    for request in [short.clone(), PreclearanceRequest { instrument: fund, ..short }] {
        let request = ask(&mut scene, request);
        assert_eq!(answer(&scene, request), (None, vec!["R-PCL-11".to_owned()]));
    }
    let margin = ask(&mut scene, PreclearanceRequest { terms: vec![TradeTerm::OnMargin], ..wanted() });
    assert!(answer(&scene, margin).0.is_some(), "no rule of this policy forbids it, and none is made up");
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn the_fourth_request_of_a_day_waits() {
    let mut scene = scene();
    for _ in 0..3 {
        let request = ask(&mut scene, wanted());
        assert!(answer(&scene, request).0.is_some());
    }
    let fourth = ask(&mut scene, wanted());
    assert_eq!(answer(&scene, fourth), (None, vec![rules::ASKED_TOO_OFTEN.into()]));
    scene.go_to(text("2026-06-03T00:00:00Z"));
    let next_day = ask(&mut scene, PreclearanceRequest { from: day_of("2026-06-03"), ..wanted() });
    assert!(answer(&scene, next_day).0.is_some());
}

#[test]
fn access_bars_everything_until_release_and_cleansing_and_from_an_open_grant_on() {
    let mut scene = scene();
    scene.active_grant(SUBJECT);
    let request = ask(&mut scene, wanted());
    assert_eq!(answer(&scene, request), (None, vec![rules::ACCESS_BARS_TRADE.into()]));
    let fund = Instrument { class: InstrumentClass::DiversifiedFund, linking: Linking::NotLinked, ..share(None) };
    let in_fund = ask(&mut scene, PreclearanceRequest { instrument: fund, ..wanted() });
    assert_eq!(answer(&scene, in_fund).0, Some("2026-06-09".into()));
    let called_fund = Instrument { class: InstrumentClass::DiversifiedFund, ..share(Some(FAR_ISSUER)) };
    let in_called = ask(&mut scene, PreclearanceRequest { instrument: called_fund, ..wanted() });
    assert_eq!(answer(&scene, in_called).1, [rules::ACCESS_BARS_TRADE]);

    let mut scene = self::scene();
    seen(&mut scene, "2026-06-01");
    let request = ask(&mut scene, wanted());
    assert_eq!(answer(&scene, request).1, [rules::ACCESS_BARS_TRADE]);
    scene.supersede(
        OPERATOR,
        Submission {
            public_release_at: Some(text("2026-06-02T10:00:00Z")),
            cleansed_at: Some(text("2026-06-02T12:00:00Z")),
            ..submission()
        },
    );
    let same_day = ask(&mut scene, wanted());
    assert_eq!(answer(&scene, same_day).1, [rules::ACCESS_BARS_TRADE], "the day of the cleansing counts");
    scene.go_to(text("2026-06-03T09:00:00Z"));
    let over = ask(&mut scene, PreclearanceRequest { from: day_of("2026-06-03"), ..wanted() });
    assert!(answer(&scene, over).0.is_some());
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn a_policy_may_bar_only_what_is_touched() {
    let mut scene = scene_with(PreclearancePolicy { access_bars: AccessBar::Touched, ..preclearance_policy() });
    seen(&mut scene, "2026-06-01");
    for (issuer, barred) in [(LAB_ISSUER, true), (INVESTOR, true), (FAR_ISSUER, false)] {
        let request = ask(&mut scene, PreclearanceRequest { instrument: share(Some(issuer)), ..wanted() });
        assert_eq!(answer(&scene, request).0.is_none(), barred, "{issuer}");
    }
}

#[test]
fn people_ask_for_themselves_and_the_ethics_office_decides_for_others() {
    let mut scene = scene();
    let refused = |r: Result<LeafIndex, Refusal>| matches!(r, Err(Refusal::Invalid(_)));
    assert!(refused(scene.record(COVERED, asks(OTHER, Some(FAR_ISSUER), "2026-06-02", "2026-06-05"))));
    assert!(matches!(scene.record(GATEWAY, wanted()), Err(Refusal::Role { .. })));
    assert!(refused(scene.record(COVERED, PreclearanceRequest { quantity: None, value: Band::UNKNOWN, ..wanted() })));
    scene.must(ETHICS, asks(OTHER, Some(FAR_ISSUER), "2026-06-02", "2026-06-05"));

    seen(&mut scene, "2026-06-01");
    let request = ask(&mut scene, wanted());
    assert_eq!(scene.facts().preclearance(request).unwrap().cleared_until(), None);
    let decide = |until: Option<&str>| PreclearanceDecision {
        preclearance: request,
        cleared_until: until.map(day_of),
        reason: text("Tuition is due"),
    };
    assert!(matches!(scene.record(COVERED, decide(Some("2026-06-05"))), Err(Refusal::Role { .. })));
    scene.must(OPERATOR, principal("pr-ethicsown", Some(SUBJECT), Role::EthicsOfficer));
    assert!(refused(scene.record("pr-ethicsown", decide(Some("2026-06-05")))), "nobody decides on a trade of their own");
    assert!(refused(scene.record(ETHICS, decide(Some("2026-06-01")))), "before the first day asked for");
    scene.must(ETHICS, decide(Some("2026-06-05")));
    assert_eq!(scene.facts().preclearance(request).unwrap().cleared_until(), Some(&day_of("2026-06-05")));
    scene.must(ETHICS, decide(None));
    assert_eq!(scene.facts().preclearance(request).unwrap().cleared_until(), None);
    let unknown = PreclearanceDecision { preclearance: LeafIndex(0), ..decide(None) };
    assert!(matches!(scene.record(ETHICS, unknown), Err(Refusal::Unknown { .. })));
    assert_eq!(scene.replay(), vec![]);
}

/// A clearance on 2 June, then an access the same day, then a trade: how it stands to the clearance.
fn executed(change: impl Fn(&mut Trade)) -> (Execution, LeafIndex, Scene) {
    let mut scene = scene();
    let request = ask(&mut scene, wanted());
    seen(&mut scene, "2026-06-02");
    let mut made = trade("t-1", SUBJECT, Some(FAR_ISSUER), "2026-06-04");
    (made.quantity, made.value) = (Some(100), Band::new(Some(5_000), Some(5_000)).unwrap());
    change(&mut made);
    scene.must(ETHICS, made);
    let execution = scene.facts().execution(scene.facts().trade(&text("t-1")).unwrap());
    (execution, request, scene)
}

fn waits(scene: &Scene) -> bool {
    scene.facts().pending().any(|(rule, ..)| rule == rules::TRADE_NOT_CLEARED)
}

#[test]
fn a_trade_keeps_to_its_clearance_or_is_found() {
    type Change = fn(&mut Trade);
    type Expected = fn(Vec<LeafIndex>) -> Execution;
    let cases: [(&str, Change, Expected); 12] = [
        ("as cleared", |_| {}, Execution::Covered),
        ("less", |t| t.quantity = Some(1), Execution::Covered),
        // Approved $2,370, executed 2,370 shares: the case the rule is taken from.
        ("shares for dollars", |t| t.quantity = Some(2_370), |r| Execution::Beyond(r, "more units than were cleared")),
        ("for more", |t| t.value = Band::new(Some(5_001), Some(15_000)).unwrap(), |r| Execution::Beyond(r, "for more than was cleared")),
        (
            "for perhaps more",
            |t| t.value = Band::new(Some(1_001), Some(15_000)).unwrap(),
            |r| Execution::Undetermined(r, "for how much it was traded"),
        ),
        ("units not told", |t| t.quantity = None, |r| Execution::Undetermined(r, "how many units were traded")),
        ("sold", |t| t.kind = TradeKind::Sale, |r| Execution::Beyond(r, "the other side was cleared")),
        ("the spouse's", |t| t.relation = HolderRelation::Spouse, |r| Execution::Beyond(r, "another account was cleared")),
        ("the last day", |t| t.traded_on = day("2026-06-09"), Execution::Covered),
        ("a day late", |t| t.traded_on = day("2026-06-10"), Execution::OtherDay),
        ("another issuer", |t| t.instrument = share(Some(INVESTOR)), |_| Execution::Without(vec![])),
        ("an option on it", |t| t.instrument.class = InstrumentClass::Option, |_| Execution::Without(vec![])),
    ];
    for (what, change, expected) in cases {
        let (execution, request, scene) = executed(change);
        assert_eq!(execution, expected(vec![request]), "{what}");
        let found = matches!(execution, Execution::Beyond(..) | Execution::OtherDay(_) | Execution::Without(_));
        assert_eq!(waits(&scene), found, "{what}");
        assert_eq!(scene.replay(), vec![], "{what}");
    }
    let before_policy = executed(|t| t.traded_on = day("2026-06-01")).0;
    assert_eq!(before_policy, Execution::NotRequired, "nobody keeps to a rule that is not there yet");
    let fund =
        |t: &mut Trade| t.instrument = Instrument { class: InstrumentClass::DiversifiedFund, linking: Linking::NotLinked, ..share(None) };
    assert_eq!(executed(fund).0, Execution::NotRequired);
}

#[test]
fn what_is_cleared_once_is_used_up_and_two_clearances_add_up() {
    let (_, _, mut scene) = executed(|t| t.quantity = Some(60));
    let mut second = trade("t-2", SUBJECT, Some(FAR_ISSUER), "2026-06-05");
    (second.quantity, second.value) = (Some(41), Band::new(None, Some(0)).unwrap());
    scene.must(ETHICS, second);
    let how = |scene: &Scene| scene.facts().execution(scene.facts().trade(&text("t-2")).unwrap());
    assert!(matches!(how(&scene), Execution::Beyond(..)));
    assert!(waits(&scene));

    let mut scene = self::scene();
    ask(&mut scene, wanted());
    ask(&mut scene, wanted());
    seen(&mut scene, "2026-06-02");
    for (id, on) in [("t-1", "2026-06-03"), ("t-2", "2026-06-04")] {
        let value = Band::new(Some(5_000), Some(5_000)).unwrap();
        scene.must(ETHICS, Trade { quantity: Some(100), value, ..trade(id, SUBJECT, Some(FAR_ISSUER), on) });
    }
    assert!(matches!(how(&scene), Execution::Covered(_)));
    assert!(!waits(&scene));
}

#[test]
fn a_clearance_given_or_taken_back_later_changes_no_earlier_trade() {
    let mut scene = scene();
    seen(&mut scene, "2026-06-02");
    let request = ask(&mut scene, wanted());
    let decide =
        |until: Option<&str>| PreclearanceDecision { preclearance: request, cleared_until: until.map(day_of), reason: text("Decided") };
    scene.go_to(text("2026-06-05T09:00:00Z"));
    scene.must(ETHICS, decide(Some("2026-06-12")));
    scene.go_to(text("2026-06-10T09:00:00Z"));
    scene.must(ETHICS, decide(None));
    let mut how = |on: &str| {
        let id = format!("t-{on}");
        let mut made = trade(&id, SUBJECT, Some(FAR_ISSUER), on);
        (made.quantity, made.value) = (Some(1), Band::new(Some(1), Some(1)).unwrap());
        scene.must(ETHICS, made);
        scene.facts().execution(scene.facts().trade(&text(&id)).unwrap())
    };
    assert_eq!(how("2026-06-04"), Execution::Without(vec![request]), "before it was given");
    for on in ["2026-06-05", "2026-06-09", "2026-06-10"] {
        assert!(matches!(how(on), Execution::Covered(_)), "{on}");
    }
    assert_eq!(how("2026-06-11"), Execution::OtherDay(vec![request]), "after it was taken back");
}

/// Whichever is recorded last, the trade or the access.
#[test]
fn an_access_told_late_finds_the_trade() {
    let mut scene = scene();
    scene.must(ETHICS, trade("t-1", SUBJECT, Some(FAR_ISSUER), "2026-06-04"));
    assert!(!waits(&scene), "nobody without access has to ask");
    let entry = seen(&mut scene, "2026-06-03");
    let (_, person, about, found) = scene.facts().pending().find(|(rule, ..)| *rule == rules::TRADE_NOT_CLEARED).unwrap();
    assert_eq!((person.as_str(), about.unwrap().as_str()), (SUBJECT, SUBMISSION));
    assert!(found.evidence.contains(&entry));
    scene.advance(2 * HOUR).settle();
    assert!(scene.facts().cases().any(|(_, c)| c.rule.as_str() == rules::TRADE_NOT_CLEARED));
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn asking_about_many_instruments_becomes_a_case_about_no_submission() {
    let mut scene = scene_with(PreclearancePolicy { daily_quota: 100, ..preclearance_policy() });
    let mut requests = Vec::new();
    for n in 0..5 {
        assert_eq!(scene.facts().pending().count(), 0);
        let unknown = Instrument { text: text(&format!("Company {n}")), ..share(None) };
        requests.push(ask(&mut scene, PreclearanceRequest { instrument: unknown.clone(), ..wanted() }));
        // The same again is no other instrument.
        scene.advance(SECOND);
        if n < 4 {
            ask(&mut scene, PreclearanceRequest { instrument: unknown, ..wanted() });
        }
    }
    scene.advance(2 * HOUR).settle();
    let (_, case) = scene.facts().cases().next().unwrap();
    assert_eq!((case.rule.as_str(), case.submission.as_ref(), case.person.as_str()), (rules::PROBING, None, SUBJECT));
    assert!(requests.iter().all(|r| case.evidence.contains(r)));
    assert_eq!(scene.replay(), vec![]);
}

#[test]
fn a_day_that_the_rules_do_not_give_is_found_in_replay() {
    let mut scene = scene();
    let request = ask(&mut scene, wanted());
    let at = usize::try_from(request.0).unwrap();
    for edit in [
        (|r| r.cleared_until = Some(text("2026-06-10"))) as fn(&mut PreclearanceRequest),
        |r| r.cleared_until = None,
        |r| r.assessment = None,
        |r| r.assessment.as_mut().unwrap().watch.push(LeafIndex(1)),
    ] {
        let mut entries = scene.entries().to_vec();
        let Record::PreclearanceRequest(r) = &mut entries[at].record else { panic!("a request") };
        edit(r);
        let found = replay(&entries);
        assert!(found.iter().any(|(i, f)| *i == request.0 && f.tampered), "{found:?}");
    }
}

/// What a world does next.
#[derive(Debug, Clone)]
enum Move {
    Ask { person: &'static str, issuer: Option<&'static str>, sale: bool, from: u8, until: u8 },
    See(&'static str),
    Restrict(&'static str),
    Bought(&'static str, &'static str),
}

fn moves() -> impl Strategy<Value = Vec<(Move, u64)>> {
    let person = || select(vec![SUBJECT, OTHER]);
    let issuer = || select(vec![LAB_ISSUER, INVESTOR, FAR_ISSUER]);
    let asked = (person(), proptest::option::of(issuer()), any::<bool>(), 2..12u8, 2..28u8)
        .prop_map(|(person, issuer, sale, from, until)| Move::Ask { person, issuer, sale, from, until });
    let one = prop_oneof![
        6 => asked,
        1 => person().prop_map(Move::See),
        1 => issuer().prop_map(Move::Restrict),
        1 => (person(), issuer()).prop_map(|(p, i)| Move::Bought(p, i)),
    ];
    proptest::collection::vec((one, 0..2 * DAY), 1..25)
}

fn play(scene: &mut Scene, moves: &[(Move, u64)]) {
    for (n, (what, pause)) in moves.iter().enumerate() {
        scene.advance(*pause);
        match what {
            Move::Ask { person, issuer, sale, from, until } => {
                let mut request = asks(person, *issuer, &format!("2026-06-{from:02}"), &format!("2026-06-{until:02}"));
                request.kind = if *sale { TradeKind::Sale } else { TradeKind::Purchase };
                scene.must(ETHICS, request);
            }
            Move::See(person) => drop(scene.must(GATEWAY, access(person, None, scene.now()))),
            Move::Restrict(issuer) => drop(scene.must(ETHICS, item(&format!("i-{n}"), RESTRICTED, &format!("issuer:{issuer}")))),
            // Bought before anybody saw anything, so that no list finds it.
            Move::Bought(person, issuer) => drop(scene.must(ETHICS, trade(&format!("t-{n}"), person, Some(issuer), "2026-01-15"))),
        }
    }
    scene.advance(30 * DAY).settle();
}

/// Day cleared until, decision, verdict, number of reasons.
type Answered = (Option<Date>, Decision, Outcome, usize);

/// What a requester, or anybody who counts entries, can see of a world: kinds and times of entries, and each answer.
fn seen_of(scene: &Scene) -> Vec<(&'static str, u64, Option<Answered>)> {
    let answer = |r: &Record| match r {
        Record::PreclearanceRequest(r) => {
            let a = r.assessment.as_ref().unwrap();
            Some((r.cleared_until.clone(), a.decision, a.trade, a.reasons.len()))
        }
        _ => None,
    };
    scene.entries().iter().map(|e| (e.record.type_name(), e.meta.at, answer(&e.record))).collect()
}

fn nobody_asks_about() -> Issuer {
    let (id, name) = (text("cik-0000000009"), text("An issuer nobody asks about"));
    Issuer { id, name, cik: None, tickers: vec![], former_names: vec![], sub_industry: None, supersedes: None }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Two worlds, in one of which the watch list names issuers that are asked about: the same entries at the same times, the same answers.
    #[test]
    fn a_watch_list_shows_in_nothing(moves in moves(), insider in any::<bool>(), watched in proptest::collection::vec(select(vec![LAB_ISSUER, INVESTOR, FAR_ISSUER]), 1..4)) {
        let world = |on_watch: &dyn Fn(&'static str) -> String| {
            let mut scene = scene();
            scene.must(OPERATOR, nobody_asks_about());
            if insider {
                seen(&mut scene, "2026-06-02");
            }
            for (n, issuer) in watched.iter().enumerate() {
                scene.must(ETHICS, item(&format!("w-{n}"), WATCH, &on_watch(issuer)));
            }
            let asked: Vec<_> = moves.iter().filter(|(m, _)| !matches!(m, Move::See(_))).cloned().collect();
            play(&mut scene, &asked);
            scene
        };
        let with = world(&|issuer| format!("issuer:{issuer}"));
        let without = world(&|_| "issuer:cik-0000000009".to_owned());
        prop_assert_eq!(seen_of(&with), seen_of(&without));
        prop_assert_eq!(with.replay(), vec![]);
        let noted = |scene: &Scene| scene.facts().preclearances().filter(|(_, p)| !p.request.assessment.as_ref().unwrap().watch.is_empty()).count();
        let matches = moves.iter().filter(|(m, _)| matches!(m, Move::Ask { issuer: Some(i), .. } if watched.contains(i))).count();
        prop_assert_eq!((noted(&with), noted(&without)), (matches, 0), "the ethics role sees each");
    }

    /// One more access, restricted item or purchase never clears what was not cleared, nor for longer.
    #[test]
    fn more_against_somebody_never_helps(moves in moves(), extra in select(vec![0, 1, 2])) {
        let request = |scene: &mut Scene| {
            let today = Date::of(scene.now());
            let r = PreclearanceRequest { from: today.clone(), until: today.plus_days(20), kind: TradeKind::Sale, ..wanted() };
            let index = scene.must(ETHICS, r);
            answer(scene, index).0
        };
        let (mut before, mut after) = (scene(), scene());
        play(&mut before, &moves);
        play(&mut after, &moves);
        match extra {
            0 => drop(seen(&mut after, "2026-06-02")),
            1 => drop(after.must(ETHICS, item("more", RESTRICTED, &format!("issuer:{FAR_ISSUER}")))),
            _ => drop(after.must(ETHICS, trade("more", SUBJECT, Some(FAR_ISSUER), "2026-06-01"))),
        }
        let (was, is) = (request(&mut before), request(&mut after));
        prop_assert!(is.is_none() || is <= was, "{:?} became {:?}", was, is);
        prop_assert_eq!(is, None, "each of these bars the trade");
    }
}
