//! What people hold and whom they are tied to, by the examples that the regulations print and the limits they name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use countersign_conflict::{Ask, assess, rules};
use countersign_entry::ids::Date;
use countersign_entry::record::*;
use countersign_entry::time::DAY;
use countersign_testing::history::beginning;
use countersign_testing::scene::*;
use proptest::prelude::*;

/// The review of [`SUBMISSION`] by [`SUBJECT`] as it would be decided now.
fn review(scene: &Scene) -> Assessment {
    let at = scene.next_at();
    let ask = Ask::Request { requester: &text(OFFICER), needs_participation: true, expires_at: at.plus(DAY) };
    assess(scene.facts(), at, &text(SUBJECT), &text(SUBMISSION), ask).into_record()
}

fn said(a: &Assessment, rule: &str) -> Option<Outcome> {
    a.reasons.iter().filter(|r| r.rule.as_str() == rule).map(|r| r.outcome).max()
}

fn held(n: usize, issuer: &str, relation: HolderRelation, lo: u64, hi: Option<u64>) -> Holding {
    Holding { relation, value: Band::new(Some(lo), hi).unwrap(), ..holding(&format!("H-{n}"), SUBJECT, Some(issuer), "2026-05-31") }
}

fn with(holdings: &[Holding]) -> Assessment {
    let mut scene = beginning();
    // The investor's edge is confirmed, so that it is affected for certain.
    let edge = Exposure { relation: Relation::EquityHeldBy, confirmed: true, ..exposure("ex-investor", INVESTOR) };
    scene.supersede(OPERATOR, edge);
    for held in holdings {
        scene.must(ETHICS, held.clone());
    }
    review(&scene)
}

use HolderRelation::{DependentChild, Household, MinorChild, Own, Parent, Spouse};
use Outcome::{Block, Clear, Refer};

#[test]
fn securities_of_the_developer_up_to_the_limit_are_exempt() {
    for (values, outcome) in [
        (vec![(15_000, Some(15_000))], Clear),
        (vec![(15_001, Some(15_001))], Block),
        (vec![(1_001, Some(15_000))], Clear),
        (vec![(1_001, Some(15_000)), (1_001, Some(15_000))], Refer),
        (vec![(7_500, Some(7_500)), (7_500, Some(7_500))], Clear),
        (vec![(7_500, Some(7_500)), (7_501, Some(7_501))], Block),
        (vec![(15_001, Some(50_000))], Block),
        (vec![(1_001, None)], Refer),
    ] {
        let holdings: Vec<Holding> = values.iter().enumerate().map(|(n, (lo, hi))| held(n, LAB_ISSUER, Own, *lo, *hi)).collect();
        assert_eq!(with(&holdings).participate, outcome, "{values:?}");
    }
}

/// A purchase counts for as much as was paid until somebody tells what is left of it, and stops whoever takes part the moment it is recorded.
#[test]
fn what_was_bought_since_counts_until_somebody_tells_what_is_left() {
    let bought =
        |issuer, most| Trade { value: Band::new(Some(1_001), Some(most)).unwrap(), ..trade("T-1", SUBJECT, Some(issuer), "2026-06-01") };
    let mut scene = beginning();
    let grant = scene.active_grant(SUBJECT);
    scene.must(ETHICS, bought(LAB_ISSUER, 15_000));
    assert_eq!((review(&scene).participate, scene.state(grant)), (Clear, GrantState::Active), "exempt, whatever is left");
    let more = scene.supersede(ETHICS, bought(LAB_ISSUER, 50_000));
    let told = review(&scene);
    assert_eq!(
        (said(&told, "R-208-1"), scene.state(grant)),
        (Some(Refer), GrantState::Suspended),
        "it may be gone again, so it bars nobody"
    );
    assert!(told.reasons.iter().any(|r| r.evidence.contains(&more)));
    scene.must(ETHICS, Trade { kind: TradeKind::Sale, ..trade("T-2", SUBJECT, Some(LAB_ISSUER), "2026-06-01") });
    assert_eq!(review(&scene).participate, Refer, "a sale of how much?");
    scene.must(ETHICS, Holding { as_of: "2026-06-01".parse().unwrap(), ..held(1, LAB_ISSUER, Own, 0, Some(0)) });
    assert_eq!(review(&scene).participate, Clear);
    assert_eq!(scene.replay(), vec![]);
    for (kind, relation, class) in [
        (TradeKind::Sale, Own, InstrumentClass::Equity),
        (TradeKind::Purchase, Parent, InstrumentClass::Equity),
        (TradeKind::Purchase, Own, InstrumentClass::DiversifiedFund),
    ] {
        let mut scene = beginning();
        let instrument = Instrument { class, ..share(Some(LAB_ISSUER)) };
        scene.must(ETHICS, Trade { kind, relation, instrument, ..bought(LAB_ISSUER, 50_000) });
        assert_eq!(review(&scene).participate, Clear, "{kind:?} {relation:?} {class:?}");
    }
}

#[test]
fn what_is_held_together_is_summed_and_relatives_outside_the_statute_are_not() {
    let of = |relation| [held(0, LAB_ISSUER, Own, 10_000, Some(10_000)), held(1, LAB_ISSUER, relation, 10_000, Some(10_000))];
    assert_eq!(with(&of(Spouse)).participate, Block);
    assert_eq!(with(&of(MinorChild)).participate, Block);
    assert_eq!(with(&of(DependentChild)).participate, Refer, "of age or not");
    assert_eq!(with(&of(Parent)).participate, Clear);
    let household = with(&of(Household));
    assert_eq!((said(&household, "R-208-1"), said(&household, "R-502-1")), (None, Some(Refer)));
}

/// 5 CFR 2640.202(b): parties and others affected together up to 25,000, the parties' part up to 15,000.
#[test]
fn what_others_affected_issued_counts_too() {
    let of = |party: u64, other: u64| with(&[held(0, LAB_ISSUER, Own, party, Some(party)), held(1, INVESTOR, Own, other, Some(other))]);
    assert_eq!(of(15_000, 10_000).participate, Clear);
    assert_eq!(of(15_000, 10_001).participate, Refer, "whether the effect on it is direct and predictable is to be said");
    assert_eq!(of(15_001, 0).participate, Block);
    assert_eq!(of(0, 25_000).participate, Clear);
    assert_eq!(of(0, 25_001).participate, Refer);
}

#[test]
fn what_is_not_publicly_traded_has_no_exemption() {
    let of = |class: InstrumentClass| {
        let mut one = held(0, LAB_ISSUER, Own, 1, Some(100));
        one.instrument.class = class;
        with(&[one]).participate
    };
    assert_eq!((of(InstrumentClass::PrivateStake), of(InstrumentClass::Crypto), of(InstrumentClass::EventContract)), (Block, Block, Block));
    assert_eq!((of(InstrumentClass::Option), of(InstrumentClass::Unknown)), (Refer, Refer));
    assert_eq!((of(InstrumentClass::DiversifiedFund), of(InstrumentClass::Treasury)), (Clear, Clear));
    let sector = |hi| {
        let mut one = holding("H-0", SUBJECT, None, "2026-05-31");
        (one.instrument.class, one.instrument.linking) = (InstrumentClass::SectorFund, Linking::NotLinked);
        one.value = Band::new(Some(1_001), hi).unwrap();
        with(&[one]).participate
    };
    assert_eq!((sector(Some(50_000)), sector(Some(50_001)), sector(None)), (Clear, Refer, Refer));
}

/// 5 CFR 2640.201(b)(2)(ii): funds of one sector are summed, and funds of another are not; one of a sector nobody recorded may be of either.
#[test]
fn funds_are_summed_by_their_sector() {
    let fund = |n: usize, sector: Option<&str>, hi: u64| {
        let mut one = held(n, LAB_ISSUER, Own, hi, Some(hi));
        one.instrument =
            Instrument { class: InstrumentClass::SectorFund, linking: Linking::NotLinked, sector: sector.map(text), ..share(None) };
        one
    };
    let chips = Some("semiconductors");
    for (funds, outcome) in [
        ([fund(0, chips, 50_000), fund(1, Some("health care"), 50_000)], Clear),
        ([fund(0, chips, 30_000), fund(1, chips, 20_001)], Refer),
        ([fund(0, chips, 30_000), fund(1, chips, 20_000)], Clear),
        ([fund(0, chips, 30_000), fund(1, None, 20_001)], Refer),
        ([fund(0, None, 30_000), fund(1, None, 20_001)], Refer),
    ] {
        assert_eq!(with(&funds).participate, outcome, "{:?}", funds.map(|f| f.instrument.sector));
    }
}

/// A reason names so many entries and no more; whether there were more is told by the last of them.
#[test]
fn a_reason_that_leaves_entries_out_says_so() {
    let named = |count: usize| {
        let mut one = vec![];
        for n in 0..count {
            one.push(holding(&format!("H-{n}"), SUBJECT, None, "2026-05-31"));
        }
        with(&one).reasons.into_iter().find(|r| r.rule.as_str() == "R-208-1").unwrap().evidence
    };
    let scene = beginning();
    let person = scene.facts().person(&text(SUBJECT)).unwrap().index;
    let (full, cut) = (named(rules::EVIDENCE_MAX), named(rules::EVIDENCE_MAX + 1));
    assert_eq!((full.len(), full.contains(&person)), (rules::EVIDENCE_MAX, false));
    assert_eq!((cut.len(), cut.last()), (rules::EVIDENCE_MAX, Some(&person)));
}

#[test]
fn what_waits_in_the_review_queue_is_not_cleared() {
    let waits = holding("H-0", SUBJECT, None, "2026-05-31");
    let a = with(std::slice::from_ref(&waits));
    assert_eq!((a.participate, a.decision), (Refer, Decision::Referred));
    let gone = Holding { value: Band::new(Some(0), Some(0)).unwrap(), ..waits };
    assert_eq!(with(&[gone]).participate, Clear, "nothing is held any more");
}

#[test]
fn a_waiver_lifts_what_it_waives_and_no_more() {
    let mut scene = beginning();
    scene.must(ETHICS, held(0, LAB_ISSUER, Own, 50_001, Some(100_000)));
    assert_eq!(review(&scene).decision, Decision::Denied);
    scene.must(ETHICS, agreement(SUBJECT, AgreementKind::Authorization502));
    assert_eq!(review(&scene).decision, Decision::Denied, "5 CFR 2635.502(d): where 208 applies only a waiver does");
    scene.must(ETHICS, agreement(SUBJECT, AgreementKind::Waiver208));
    assert_eq!(review(&scene).decision, Decision::Cleared);
    scene.must(ETHICS, tie(0, RelationshipKind::CoveredPayment, Own, Some("2025-01-01"), None));
    assert_eq!(review(&scene).decision, Decision::Denied);
}

fn tie(n: usize, kind: RelationshipKind, relation: HolderRelation, from: Option<&str>, until: Option<&str>) -> Relationship {
    Relationship {
        id: text(&format!("T-{n}")),
        person: text(SUBJECT),
        kind,
        relation,
        issuer: None,
        organization: Some(text(LAB)),
        from: from.map(day),
        until: until.map(day),
        provenance: None,
        supersedes: None,
    }
}

#[test]
fn ties_to_the_developer_bar_or_are_asked_about() {
    use RelationshipKind::*;
    for (kind, relation, from, until, rule, outcome) in [
        (Serves, Own, None, None, "R-208-1", Some(Block)),
        (Seeking, Own, None, None, "R-604-1", Some(Block)),
        (Seeking, Own, None, Some("2026-05-01"), "R-604-1", None),
        (Served, Own, None, Some("2025-07-01"), "R-502-1", Some(Refer)),
        (Served, Own, None, Some("2025-05-01"), "R-502-1", None),
        (Serves, Spouse, None, None, "R-502-1", Some(Refer)),
        (Serves, Parent, None, None, "R-502-1", Some(Refer)),
        (ActiveIn, Own, None, None, "R-502-1", Some(Refer)),
        (CoveredPayment, Own, Some("2024-07-01"), None, "R-503-1", Some(Block)),
        (CoveredPayment, Own, Some("2024-05-01"), None, "R-503-1", None),
        (CoveredPayment, Own, None, None, "R-503-1", Some(Refer)),
    ] {
        let mut scene = beginning();
        scene.must(ETHICS, tie(0, kind, relation, from, until));
        assert_eq!(said(&review(&scene), rule), outcome, "{kind:?} {relation:?} {from:?} {until:?}");
    }
}

/// Contractors and partners are bound by what they signed, not by 18 U.S.C. 208.
#[test]
fn who_is_bound_by_agreement_alone_is_referred() {
    let mut scene = beginning();
    scene.supersede(OPERATOR, Person { status: PersonStatus::Contractor, ..person(SUBJECT) });
    scene.must(ETHICS, held(0, LAB_ISSUER, Own, 50_001, Some(100_000)));
    assert_eq!(said(&review(&scene), "R-208-1"), Some(Refer));
}

#[test]
fn a_new_interest_suspends_in_its_own_commit_and_a_tie_when_it_begins() {
    let mut scene = beginning();
    let grant = scene.active_grant(SUBJECT);
    scene.must(ETHICS, held(0, LAB_ISSUER, Own, 50_001, Some(100_000)));
    assert_eq!(scene.state(grant), GrantState::Suspended);
    let mut scene = beginning();
    let grant = scene.active_grant(SUBJECT);
    let tomorrow = Date::of(scene.now().plus(DAY));
    scene.must(ETHICS, tie(0, RelationshipKind::Serves, Own, Some(tomorrow.as_str()), None));
    assert_eq!(scene.state(grant), GrantState::Active);
    scene.advance(DAY).settle();
    assert_eq!(scene.state(grant), GrantState::Suspended);
    assert_eq!(scene.replay(), []);
}

proptest! {
    /// Whatever else is held, one thing more never makes the answer milder.
    #[test]
    fn an_interest_more_is_never_milder(values in proptest::collection::vec((0u64..30_000, 0u64..30_000, any::<bool>(), any::<bool>()), 1..5)) {
        let holdings: Vec<Holding> = values.iter().enumerate().map(|(n, (lo, more, party, own))| {
            let issuer = if *party { LAB_ISSUER } else { INVESTOR };
            held(n, issuer, if *own { Own } else { DependentChild }, *lo, Some(lo + more))
        }).collect();
        let (all, fewer) = (with(&holdings), with(&holdings[..holdings.len() - 1]));
        prop_assert!(all.participate >= fewer.participate && all.decision >= fewer.decision, "{:?} {:?}", fewer.decision, all.decision);
    }
}
