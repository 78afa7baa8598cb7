//! What holds of every scenario: the rules never panic, never clear for want of facts, and more that stands against somebody never helps.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

use countersign_law::amount::Amount;
use countersign_law::*;
use proptest::prelude::*;

mod support;
use support::scenario;

fn verdicts(s: &Scenario) -> [Verdict; 3] {
    let v = assess(s).verdicts;
    [v.participate, v.hold, v.trade]
}

/// Whether no verdict moved towards clear.
fn never_better(before: &Scenario, after: &Scenario) -> Result<(), TestCaseError> {
    for (b, a) in verdicts(before).into_iter().zip(verdicts(after)) {
        prop_assert!(a >= b, "{b:?} became {a:?}\n{}\n{}", json(before), json(after));
    }
    Ok(())
}

fn json(s: &Scenario) -> String {
    serde_json::to_string(s).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn answers_every_scenario_and_reads_back_what_it_writes(s in scenario()) {
        let answer = assess(&s);
        prop_assert_eq!(&answer, &assess(&s));
        let read = Scenario::from_json(&json(&s)).unwrap();
        prop_assert_eq!(&read, &s);
        for of in &answer.answers {
            prop_assert_eq!(of.outcome, of.findings[0].outcome);
            for f in &of.findings {
                prop_assert!(rules::rule(f.rule).is_some_and(|r| r.cite == f.cite));
                prop_assert_eq!(f.outcome == Outcome::Refer, f.question.is_some(), "{:?}", f);
                prop_assert!(!f.because.is_empty());
            }
        }
    }

    /// Whoever states a first interest may learn that it is exempt; from then on, more never helps.
    #[test]
    fn a_further_interest_never_helps(s in scenario().prop_filter("states one", |s| !s.interests.is_empty()), more in support::interest()) {
        let mut with = s.clone();
        with.interests.push(Interest { id: "the further one".into(), ..more });
        never_better(&s, &with)?;
    }

    #[test]
    fn a_further_tie_never_helps(s in scenario().prop_filter("states one", |s| !s.interests.is_empty() || !s.ties.is_empty()), more in support::tie()) {
        // Facts about the organization served can be those an exemption asks for; a bare tie cannot.
        let mut with = s.clone();
        with.ties.push(Tie { organization: None, official_capacity: None, ..more });
        never_better(&s, &with)?;
    }

    #[test]
    fn a_recusal_or_a_restricted_list_never_helps(s in scenario(), list in any::<bool>()) {
        let kind = if list { PaperKind::RestrictedList } else { PaperKind::Recusal };
        let mut with = s.clone();
        with.papers.push(Paper { kind: Some(kind), ..Paper::default() });
        never_better(&s, &with)?;
    }

    /// Less known of a value may turn a "no" into a question, and nothing into a "yes".
    #[test]
    fn a_wider_band_never_clears(s in scenario(), low in 0u64..20_000, high in 0u64..60_000) {
        let mut wide = s.clone();
        for i in &mut wide.interests {
            i.value = i.value.and_then(|v| Amount::between(v.low().saturating_sub(low), v.high().map(|h| h + high)));
        }
        for (before, after) in verdicts(&s).into_iter().zip(verdicts(&wide)) {
            prop_assert!(after != Verdict::Yes || before == Verdict::Yes, "{}\n{}", json(&s), json(&wide));
        }
    }

    #[test]
    fn the_order_of_lists_changes_nothing(s in scenario()) {
        let mut turned = s.clone();
        turned.interests.reverse();
        turned.ties.reverse();
        turned.papers.reverse();
        turned.payments.reverse();
        turned.information.reverse();
        if let Some(m) = &mut turned.matter {
            m.concerns.reverse();
        }
        let outcomes = |s: &Scenario| {
            let a = assess(s);
            let of: Vec<_> = a.answers.iter().map(|k| {
                let mut all: Vec<_> = k.findings.iter().map(|f| (f.outcome, f.point, f.rule)).collect();
                all.sort();
                (k.kind, k.outcome, all)
            }).collect();
            (a.verdicts, of)
        };
        // One name with two standings is a contradiction: the first one counts.
        let twice = s.matter.as_ref().is_some_and(|m| (1..m.concerns.len()).any(|n| m.concerns[..n].iter().any(|c| same_name(&c.name, &m.concerns[n].name))));
        prop_assume!(!twice);
        prop_assert_eq!(outcomes(&s), outcomes(&turned));
    }

    /// Bounds against every value between them, and against the limit taken one by one.
    #[test]
    fn arithmetic_on_bounds_is_that_on_every_value_between(a in 0u64..40, wa in 0u64..20, b in 0u64..40, wb in 0u64..20, limit in 0u64..120) {
        let (x, y) = (Amount::between(a, Some(a + wa)).unwrap(), Amount::between(b, Some(b + wb)).unwrap());
        let sums: Vec<bool> = (a..=a + wa).flat_map(|i| (b..=b + wb).map(move |j| i + j <= limit)).collect();
        let slow = match (sums.iter().all(|w| *w), sums.iter().any(|w| *w)) {
            (true, _) => Three::Yes,
            (_, false) => Three::No,
            _ => Three::Unknown,
        };
        prop_assert_eq!(x.plus(y).within(limit), slow);
        prop_assert_eq!(x.plus(Amount::UNKNOWN).within(limit), if a > limit { Three::No } else { Three::Unknown });
    }
}

#[test]
fn no_facts_never_clear() {
    let points: Vec<countersign_law::Point> = points();
    for asks in points.iter().map(|p| vec![*p]).chain([vec![], points.clone()]) {
        let answer = assess(&Scenario { asks: asks.clone(), ..Scenario::default() });
        let v = answer.verdicts;
        assert_eq!([v.participate, v.hold, v.trade], [Verdict::Undetermined; 3], "{asks:?}");
        let outcomes: Vec<_> = answer.answers.iter().flat_map(|k| &k.findings).map(|f| f.outcome).collect();
        assert!(outcomes.iter().all(|o| *o == Outcome::Refer), "{asks:?}: {outcomes:?}");
        assert_eq!(outcomes.is_empty(), asks.is_empty(), "{asks:?}");
    }
}

/// Every point of the schema.
fn points() -> Vec<countersign_law::Point> {
    let schema = serde_json::to_value(countersign_law::schema()).unwrap();
    let all = schema["$defs"]["Point"]["oneOf"].as_array().unwrap().clone();
    all.into_iter().map(|p| serde_json::from_value(p["const"].clone()).unwrap()).collect()
}
