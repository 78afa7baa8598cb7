//! The joins against nested loops, and the days of windows against a day-by-day reading of the rule.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;

use countersign_conflict::surveil::{
    Access, Day, Edge, Ending, Finding, Hit, NoSuchWindow, OPEN, Recorded, Surveillance, Trade, Window, closest, day_of, day_of_date,
    finding, join, windows,
};
use countersign_entry::ids::Date;
use countersign_entry::record::{Basis, Exposure, ListItem, ListSubject, Node, Relation, Tier};
use countersign_entry::time::{DAY, Micros};
use proptest::prelude::*;
use proptest::sample::Index;

/// The rule, read aloud.
fn nested(windows: &[Window], trades: &[Trade]) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (position, w) in windows.iter().enumerate() {
        for t in trades {
            if t.person == w.person && t.issuer == w.issuer && w.from <= t.day && t.day < w.until {
                hits.push(Hit { trade: t.trade, window: u32::try_from(position).unwrap() });
            }
        }
    }
    hits.sort_unstable();
    hits
}

fn sorted(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_unstable();
    hits
}

fn tier() -> impl Strategy<Value = Tier> {
    prop_oneof![Just(Tier::One), Just(Tier::Two), Just(Tier::Three)]
}

/// Days close together, so that they meet, and the ends of the range.
fn day() -> impl Strategy<Value = Day> {
    prop_oneof![8 => -6..20i32, 1 => Just(Day::MIN), 1 => Just(OPEN)]
}

prop_compose! {
    fn a_window()(
        person in 0..4u32,
        issuer in prop_oneof![0..3u32, Just(u32::MAX)],
        submission in 0..3u32,
        from in day(),
        until in day(),
        tier in tier(),
        confirmed: bool,
    ) -> Window {
        Window { person, issuer, submission, from, until, tier, confirmed }
    }
}

fn trades() -> impl Strategy<Value = Vec<Trade>> {
    let one = (0..4u32, prop_oneof![0..3u32, Just(u32::MAX)], day());
    prop::collection::vec(one, 0..50)
        .prop_map(|all| all.into_iter().zip(0..).map(|((person, issuer, day), trade)| Trade { person, issuer, day, trade }).collect())
}

#[derive(Debug, Clone)]
enum Arrival {
    Window(Window),
    Trade(u32, u32, Day),
    End(Index, Day),
    Move(Index, Day, Day),
}

fn arrivals() -> impl Strategy<Value = Vec<Arrival>> {
    let one = prop_oneof![
        3 => a_window().prop_map(Arrival::Window),
        4 => (0..4u32, 0..3u32, day()).prop_map(|(person, issuer, day)| Arrival::Trade(person, issuer, day)),
        1 => (any::<Index>(), day()).prop_map(|(i, until)| Arrival::End(i, until)),
        1 => (any::<Index>(), day(), day()).prop_map(|(i, from, until)| Arrival::Move(i, from, until)),
    ];
    prop::collection::vec(one, 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn join_is_the_nested_loop(windows in prop::collection::vec(a_window(), 0..50), trades in trades()) {
        prop_assert_eq!(sorted(join(&windows, &trades).unwrap()), nested(&windows, &trades));
    }

    /// Whatever comes late: after each arrival, all that was reported less all that was withdrawn is the join of all that is known, and
    /// nothing is reported twice.
    #[test]
    fn any_order_of_arrival_ends_in_the_join(arrivals in arrivals()) {
        let mut surveillance = Surveillance::default();
        let (mut windows, mut trades): (Vec<Window>, Vec<Trade>) = (Vec::new(), Vec::new());
        let mut known = BTreeSet::new();
        for arrival in arrivals {
            let (mut new, mut gone) = (Vec::new(), Vec::new());
            match arrival {
                Arrival::Window(window) => {
                    let (position, hits) = surveillance.add_window(window).unwrap();
                    prop_assert_eq!(position as usize, windows.len());
                    windows.push(window);
                    new = hits;
                }
                Arrival::Trade(person, issuer, day) => {
                    let trade = Trade { person, issuer, day, trade: u32::try_from(trades.len()).unwrap() };
                    trades.push(trade);
                    new = surveillance.add_trade(trade).unwrap();
                }
                Arrival::End(_, _) | Arrival::Move(_, _, _) if windows.is_empty() => {
                    prop_assert_eq!(surveillance.end_window(0, 3), Err(NoSuchWindow { window: 0 }));
                }
                Arrival::End(i, until) => {
                    let i = i.index(windows.len());
                    windows[i].until = until;
                    let change = surveillance.end_window(u32::try_from(i).unwrap(), until).unwrap();
                    (new, gone) = (change.new, change.gone);
                }
                Arrival::Move(i, from, until) => {
                    let i = i.index(windows.len());
                    (windows[i].from, windows[i].until) = (from, until);
                    let change = surveillance.move_window(u32::try_from(i).unwrap(), from, until).unwrap();
                    (new, gone) = (change.new, change.gone);
                }
            }
            for hit in gone {
                prop_assert!(known.remove(&hit), "withdrawn and never reported: {:?}", hit);
            }
            for hit in new {
                prop_assert!(known.insert(hit), "reported twice: {:?}", hit);
            }
            prop_assert_eq!(known.iter().copied().collect::<Vec<_>>(), nested(&windows, &trades));
        }
        prop_assert_eq!(sorted(surveillance.hits()), nested(&windows, &trades));
        prop_assert_eq!(surveillance.windows().map(|(_, w)| *w).collect::<Vec<_>>(), windows);
    }

    /// On each day: somebody knows something of an issuer who by then had access to a submission that had an edge to it and was not yet
    /// both released and cleansed.
    #[test]
    fn windows_hold_the_days_the_rule_names(
        accesses in prop::collection::vec((0..3u32, 0..3u32, 0..12i32), 0..8),
        edges in prop::collection::vec((0..3u32, 0..3u32, -2..14i32, prop_oneof![Just(OPEN), -2..14i32], tier(), any::<bool>()), 0..8),
        endings in prop::collection::vec((prop::option::of(0..14u64 * 4), prop::option::of(0..14u64 * 4)), 3),
    ) {
        let quarter = |q: Option<u64>| q.map(|q| Micros::new(q * DAY / 4).unwrap());
        let windows = windows(
            accesses.iter().map(|&(person, submission, day)| Access { person, submission, day }),
            edges
                .iter()
                .map(|&(submission, issuer, from, until, tier, confirmed)| Edge { submission, issuer, from, until, tier, confirmed }),
            (0..).zip(&endings).map(|(submission, &(release, cleansed))| Ending::of(submission, quarter(release), quarter(cleansed))),
        );
        let questions = (0..3 * 3 * 3 * 18).map(|n| (n % 3, n / 3 % 3, n / 9 % 3, Day::try_from(n / 27).unwrap() - 3));
        for (person, issuer, submission, day) in questions {
            let seen = accesses.iter().any(|a| a.0 == person && a.1 == submission && a.2 <= day);
            let (released, cleansed) = endings[submission as usize];
            let past = |at: Option<u64>| at.is_some_and(|q| q <= u64::try_from(day.max(0)).unwrap() * 4 && day >= 0);
            let inside = !(past(released) && past(cleansed));
            let mut want: Vec<_> = edges
                .iter()
                .filter(|e| e.0 == submission && e.1 == issuer && e.2 <= day && day < e.3 && seen && inside)
                .map(|e| (e.4, e.5))
                .collect();
            let mut got: Vec<_> = windows
                .iter()
                .filter(|w| w.person == person && w.issuer == issuer && w.submission == submission && w.covers(day))
                .map(|w| (w.tier, w.confirmed))
                .collect();
            want.sort_unstable();
            got.sort_unstable();
            prop_assert_eq!(got, want, "person {} issuer {} submission {} day {}", person, issuer, submission, day);
        }
    }
}

/// A plain generator: the same numbers every time.
fn numbers(mut state: u64) -> impl FnMut(u64) -> u32 {
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((state >> 33) % below).unwrap()
    }
}

/// Enough for two threads, spread and in one heap, where the middle key is the only one.
#[test]
fn two_threads_find_what_nested_loops_find() {
    for (people, issuers, days) in [(300, 20, 90), (2, 1, 20_000), (1, 1, 40_000), (4_000_000, 1_000, 5)] {
        let mut next = numbers(people + issuers);
        let windows: Vec<Window> = (0..5_000)
            .map(|_| {
                let from = Day::try_from(next(days)).unwrap();
                let until = from + Day::try_from(next(30)).unwrap();
                Window { person: next(people), issuer: next(issuers), submission: 0, from, until, tier: Tier::One, confirmed: true }
            })
            .collect();
        let mut trades: Vec<Trade> = (0..5_000)
            .map(|trade| Trade { person: next(people), issuer: next(issuers), day: Day::try_from(next(days)).unwrap(), trade })
            .collect();
        trades.extend((5_000..5_050).zip(&windows).map(|(trade, w)| Trade { person: w.person, issuer: w.issuer, day: w.from, trade }));
        let hits = join(&windows, &trades).unwrap();
        assert!(hits.is_sorted_by_key(|h| (windows[h.window as usize].person, windows[h.window as usize].issuer, h.window)));
        assert!(hits.len() > 40, "{} hits say little", hits.len());
        assert_eq!(sorted(hits), nested(&windows, &trades));
    }
}

fn micros(text: &str) -> Micros {
    text.parse().unwrap()
}

fn date(text: &str) -> Date {
    Date::new(text).unwrap()
}

fn day_named(text: &str) -> Day {
    day_of_date(&date(text))
}

#[test]
fn days_begin_and_end_where_the_records_say() {
    assert_eq!(day_of(micros("2026-06-01T23:59:59Z")), day_named("2026-06-01"));
    assert_eq!((day_named("1970-01-02"), day_named("2000-03-01"), day_named("1955-01-01")), (1, 11_017, Day::MIN));

    let exposure = Exposure {
        id: "x".parse().unwrap(),
        from: Node::Provider("lab".parse().unwrap()),
        relation: Relation::EquityHeldBy,
        to: "issuer:cik-1".parse().unwrap(),
        tier: Tier::One,
        valid_from: Some(date("2025-03-01")),
        valid_to: Some(date("2025-03-31")),
        basis: Basis::Press,
        confirmed: false,
        evidence: None,
        supersedes: None,
    };
    for (from, to) in [
        (Some("2025-03-01"), Some("2025-03-31")),
        (None, Some("2025-03-31")),
        (Some("2025-03-01"), None),
        (None, None),
        (None, Some("1955-01-01")),
    ] {
        let exposure = Exposure { valid_from: from.map(date), valid_to: to.map(date), ..exposure.clone() };
        let edge = Edge::of(1, 2, &exposure);
        assert_eq!((edge.submission, edge.issuer, edge.tier, edge.confirmed), (1, 2, Tier::One, false));
        for day in ["1970-01-01", "2025-02-28", "2025-03-01", "2025-03-31", "2025-04-01"] {
            let holds = edge.from <= day_named(day) && day_named(day) < edge.until;
            assert_eq!(holds, exposure.holds_on(&date(day)), "{from:?} to {to:?} on {day}");
        }
    }

    let item = |until: Option<&str>| ListItem {
        id: "i".parse().unwrap(),
        list: "l".parse().unwrap(),
        subject: ListSubject::Issuer("cik-1".parse().unwrap()),
        from: micros("2026-02-01T15:00:00Z"),
        until: until.map(micros),
        reason: "why".parse().unwrap(),
        supersedes: None,
        approvals: vec![],
    };
    let days = |until| {
        let edge = Edge::of_item(1, 2, Tier::Two, &item(until), true);
        (edge.from - day_named("2026-02-01"), edge.until)
    };
    // Of its first and last day only a part: a trade dated by the day may lie in that part.
    assert_eq!(days(Some("2026-02-03T01:00:00Z")), (0, day_named("2026-02-04")));
    assert_eq!(days(Some("2026-02-03")), (0, day_named("2026-02-03")));
    assert_eq!(days(None), (0, OPEN));
}

#[test]
fn what_was_seen_stays_inside_until_released_and_cleansed() {
    let (early, late) = (Some(micros("2026-06-01")), Some(micros("2026-06-03T10:00:00Z")));
    assert_eq!(Ending::of(7, early, None).until, OPEN);
    assert_eq!(Ending::of(7, None, late).until, OPEN);
    assert_eq!(Ending::of(7, early, late).until, day_named("2026-06-04"));
    assert_eq!(Ending::of(7, late, early).until, day_named("2026-06-04"));
    assert_eq!(Ending::of(7, early, early).until, day_named("2026-06-01"));

    let edge = Edge { submission: 7, issuer: 3, from: Day::MIN, until: OPEN, tier: Tier::One, confirmed: true };
    let accesses = [20, 12, 15].map(|day| Access { person: 1, submission: 7, day });
    let with =
        |endings: &[Ending]| windows(accesses, [edge], endings.iter().copied()).iter().map(|w| (w.from, w.until)).collect::<Vec<_>>();
    assert_eq!(with(&[]), [(12, OPEN)], "the first access counts, and no ending is none yet");
    assert_eq!(with(&[Ending { submission: 7, until: 30 }, Ending { submission: 7, until: 40 }]), [(12, 40)], "the last ending counts");
    assert_eq!(with(&[Ending { submission: 7, until: 12 }]), [], "seen once it was public");
}

#[test]
fn a_late_trade_and_a_late_ending() {
    let mut surveillance = Surveillance::default();
    let window = Window { person: 1, issuer: 2, submission: 3, from: 100, until: OPEN, tier: Tier::One, confirmed: true };
    let hit = |trade| Hit { trade, window: 0 };
    assert_eq!(surveillance.add_trade(Trade { person: 1, issuer: 2, day: 130, trade: 50 }).unwrap(), []);
    assert_eq!(surveillance.add_window(window).unwrap(), (0, vec![hit(50)]), "a new access re-checks old trades");
    assert_eq!(
        surveillance.add_trade(Trade { person: 1, issuer: 2, day: 100, trade: 51 }).unwrap(),
        [hit(51)],
        "a late trade re-checks old accesses"
    );
    assert_eq!(surveillance.add_trade(Trade { person: 1, issuer: 2, day: 99, trade: 52 }).unwrap(), []);
    assert_eq!(surveillance.add_trade(Trade { person: 2, issuer: 1, day: 100, trade: 53 }).unwrap(), []);
    assert_eq!(surveillance.end_window(0, 130).unwrap().gone, [hit(50)]);
    assert_eq!(surveillance.end_window(0, 131).unwrap().new, [hit(50)], "a corrected ending finds again");
    assert_eq!(surveillance.move_window(0, 99, 131).unwrap().new, [hit(52)], "an earlier access");
    assert_eq!(surveillance.end_window(0, 0).unwrap().gone.len(), 3, "withdrawn altogether");
    assert_eq!(surveillance.end_window(1, 0), Err(NoSuchWindow { window: 1 }));
    assert_eq!(surveillance.window(0).map(|w| w.until), Some(0));
}

#[test]
fn findings_say_how_close_how_far_in_and_what_was_known() {
    let window = Window { person: 1, issuer: 2, submission: 3, from: 100, until: 130, tier: Tier::Two, confirmed: false };
    let trade = Trade { person: 1, issuer: 2, day: 110, trade: 9 };
    let recorded = Recorded { access: 100, exposure: 110, trade: 140 };
    let say = |window: &Window, recorded| finding(4, window, &trade, &recorded);
    let f = say(&window, recorded).unwrap();
    assert_eq!((f.hit, f.trade, f.submission, f.tier, f.confirmed), (Hit { trade: 9, window: 4 }, trade, 3, Tier::Two, false));
    assert_eq!((f.days_in, f.days_left, f.known_on_the_day, f.found_from), (10, Some(20), true, 140));
    let late = say(&window, Recorded { exposure: 111, ..recorded }).unwrap();
    assert!(!late.known_on_the_day, "nobody had recorded the edge on the day of the trade");
    assert_eq!(say(&window, Recorded { access: 150, ..recorded }).unwrap().found_from, 150);
    let open = say(&Window { from: Day::MIN, until: OPEN, ..window }, recorded).unwrap();
    assert_eq!((open.days_in, open.days_left), (110 - i64::from(Day::MIN), None));
    for elsewhere in
        [Window { person: 2, ..window }, Window { issuer: 1, ..window }, Window { until: 110, ..window }, Window { from: 111, ..window }]
    {
        assert_eq!(say(&elsewhere, recorded), None);
    }
}

#[test]
fn one_finding_for_each_trade_and_submission() {
    let window = Window { person: 1, issuer: 2, submission: 3, from: 100, until: 130, tier: Tier::Two, confirmed: true };
    let of = |position, window: Window, trade| {
        finding(position, &window, &Trade { person: 1, issuer: 2, day: 110, trade }, &Recorded { access: 0, exposure: 0, trade: 0 })
            .unwrap()
    };
    let all: Vec<Finding> = vec![
        of(0, window, 9),
        of(1, Window { tier: Tier::One, confirmed: false, ..window }, 9),
        of(2, Window { tier: Tier::One, ..window }, 9),
        of(3, Window { tier: Tier::One, ..window }, 9),
        of(4, Window { submission: 1, ..window }, 9),
        of(5, window, 8),
    ];
    let kept = |all: Vec<Finding>| closest(all).iter().map(|f| (f.hit.trade, f.submission, f.hit.window)).collect::<Vec<_>>();
    let want = [(8, 3, 5), (9, 1, 4), (9, 3, 2)];
    assert_eq!(kept(all.clone()), want);
    assert_eq!(kept(all.into_iter().rev().collect()), want, "whatever the order");
}
