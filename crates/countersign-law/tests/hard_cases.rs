//! The hardest edge cases of the domain notes (section 10), as far as one scenario states them. Those about the ledger (lists as they stood, watch-list
//! wording, deletion) are tested where the ledger is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use countersign_law::{Answer, Flag, Kind, Outcome, Scenario, Verdict, assess};
use serde_json::{Value, json};

fn answer(facts: Value) -> Answer {
    assess(&Scenario::from_json(&facts.to_string()).unwrap())
}

fn outcome(a: &Answer, kind: Kind) -> Option<Outcome> {
    a.of(kind).map(|k| k.outcome)
}

fn bids(interests: Value) -> Value {
    json!({
        "person": {"status": "employee"},
        "matter": {"kind": "procurement", "concerns": [{"name": "Ash", "stands_as": "offeror"}, {"name": "Birch", "stands_as": "maker_of_only_rival_product"}]},
        "steps": ["evaluates"],
        "interests": interests,
    })
}

fn stock(holder: &str, issuer: &str, value: Value) -> Value {
    json!({"holder": holder, "asset": "stock", "issuer": issuer, "publicly_traded": true, "value": value})
}

/// 1: two assets of 1,001 to 15,000 each.
#[test]
fn two_bands_are_asked_about() {
    let band = json!({"at_least": 1001, "at_most": 15000});
    let a = answer(bids(json!([stock("self", "Ash", band.clone()), stock("spouse", "Ash", band.clone())])));
    assert_eq!((outcome(&a, Kind::Participation), a.verdicts.participate), (Some(Outcome::Refer), Verdict::Undetermined));
    assert!(a.questions.iter().any(|q| q.question.contains("between $2,002 and $30,000") && q.settled_by.contains("at most $15,000")));
    let one = answer(bids(json!([stock("self", "Ash", band)])));
    assert_eq!((outcome(&one, Kind::Exemption), one.verdicts.participate), (Some(Outcome::Exempt), Verdict::Yes));
}

/// 2: a confidential report names an issuer and no value.
#[test]
fn without_a_value_it_is_always_asked() {
    let a = answer(bids(json!([{"holder": "self", "asset": "stock", "issuer": "Ash", "publicly_traded": true}])));
    assert_eq!(a.verdicts.participate, Verdict::Undetermined);
    assert!(a.questions.iter().any(|q| q.settled_by.contains("at most $15,000")));
    let first = &a.of(Kind::Participation).unwrap().findings[0];
    assert!(first.outcome == Outcome::Disqualified && first.flags.contains(&Flag::Conditional), "barred until an exemption is shown");
}

/// 3: a value that drifts above the limit binds from when the person knows; a standing order to sell the excess keeps the exemption (202(a) example 3).
#[test]
fn a_value_that_drifts_binds_once_it_is_known() {
    let drifted = |known: Value, order: Value| {
        let mut held = stock("self", "Ash", json!({"exactly": 15_500}));
        held["value_known_to_person"] = known;
        held["sold_above"] = order;
        answer(bids(json!([held])))
    };
    assert_eq!(drifted(true.into(), Value::Null).verdicts.participate, Verdict::No);
    let unknown = drifted(false.into(), Value::Null);
    assert_ne!(unknown.verdicts.participate, Verdict::Yes);
    assert!(unknown.questions.iter().any(|q| q.question.contains("When did the person learn")), "{:?}", unknown.questions);
    assert_eq!(drifted(true.into(), json!(15_000)).verdicts.participate, Verdict::Yes);
}

/// Also: service in two agencies within the last year. The senior bar covers both (5 CFR 2641.204(g)).
#[test]
fn a_person_in_two_agencies_leaves_both() {
    let before = |agency: &str| {
        let a = answer(json!({
            "asks": ["may_act"], "person": {"status": "former"},
            "posts": [{"agency": "NIST", "rank": "below_threshold", "to": "2025-09-30"}, {"agency": "NSA", "rank": "at_threshold", "from": "2025-10-01", "to": "2026-03-31"}],
            "matter": {"kind": "contract", "name": "another"},
            "acts": [{"on": "2026-06-01", "form": "speaks_in_person", "purpose": ["asks_for_action"], "on_behalf_of": "employee", "client": "Lab",
                "before": [{"who": "agency_employee", "agency": agency}]}],
        }));
        outcome(&a, Kind::PostEmployment)
    };
    assert_eq!(
        [before("NIST"), before("NSA"), before("Treasury")],
        [Some(Outcome::Prohibited), Some(Outcome::Prohibited), Some(Outcome::Permitted)]
    );
}

/// 4: a party's 15,000 and all affected securities' 25,000, in one matter.
#[test]
fn both_limits_hold_together() {
    let held = |party: u64, rival: u64| {
        answer(bids(json!([stock("self", "Ash", json!({"exactly": party})), stock("self", "Birch", json!({"exactly": rival}))])))
    };
    assert_eq!(held(15_000, 10_000).verdicts.participate, Verdict::Yes);
    assert_eq!(held(15_000, 10_001).verdicts.participate, Verdict::No);
    assert_eq!(held(15_001, 0).verdicts.participate, Verdict::No);
}

/// The limits are on what the person, spouse and minor children own; an organization's or a partner's stock never comes under them.
#[test]
fn an_organizations_stock_is_no_small_holding() {
    for holder in ["organization", "general_partner", "prospective_employer"] {
        let a = answer(bids(json!([stock(holder, "Ash", json!({"exactly": 100}))])));
        assert_ne!(a.verdicts.participate, Verdict::Yes, "{holder}");
    }
}

/// 5 and 6: evaluating one developer's model has parties; a benchmark for the few there are is general, and still particular.
#[test]
fn few_developers_are_a_class_and_not_parties() {
    let matter = |kind: &str, addresses: &str, stands_as: &str| {
        answer(json!({
            "asks": ["specific_parties"],
            "person": {"status": "former"},
            "past_work": [{"matter": {"kind": kind, "addresses": addresses, "concerns": [{"name": "Lab A", "stands_as": stands_as}]}, "steps": ["evaluates"]}],
        }))
    };
    assert_eq!(outcome(&matter("inspection_or_test", "named_persons", "target"), Kind::PostEmployment), Some(Outcome::ElementMet));
    assert_eq!(outcome(&matter("rulemaking", "one_class", "member_of_class"), Kind::PostEmployment), Some(Outcome::ElementNotMet));
    let class = answer(json!({"person": {"status": "employee"}, "matter": {"kind": "rulemaking", "addresses": "one_class"}}));
    assert_eq!(outcome(&class, Kind::Classification), Some(Outcome::ParticularMatterYes));
}

/// 7 and 8: an adviser's job at a lab is exempt in general matters, stock and private stakes of the lab are not.
#[test]
fn private_stakes_have_no_limit_that_exempts() {
    let panel = |interests: Value| {
        answer(json!({
            "person": {"status": "sge", "committee": {"federal_advisory_committee_act": true}},
            "matter": {"kind": "rulemaking", "addresses": "one_class", "concerns": [{"name": "Lab", "stands_as": "member_of_class"}]},
            "steps": ["recommends"],
            "ties": [{"who": "self", "with": "Lab", "role": "employee"}],
            "interests": interests,
        }))
    };
    assert_eq!(panel(json!([])).verdicts.participate, Verdict::Yes);
    for asset in ["private_stake", "crypto", "event_contract"] {
        assert_eq!(
            panel(json!([{"holder": "self", "asset": asset, "issuer": "Lab", "value": {"exactly": 100}}])).verdicts.participate,
            Verdict::No,
            "{asset}"
        );
    }
    let options = panel(json!([{"holder": "spouse", "asset": "option", "issuer": "Lab"}]));
    assert_eq!(options.verdicts.participate, Verdict::Undetermined);
}

/// 9: an adult child at the developer is not imputed, and is a covered relationship.
#[test]
fn an_adult_child_counts_under_502_alone() {
    let a = answer(json!({
        "person": {"status": "employee"},
        "matter": {"kind": "inspection_or_test", "concerns": [{"name": "Lab", "stands_as": "target"}]},
        "interests": [{"holder": "adult_child", "asset": "stock", "issuer": "Lab", "publicly_traded": true, "value": {"exactly": 900000}}],
        "ties": [{"who": "adult_child", "with": "Lab", "role": "employee", "part_in_matter": "works_on_it"}],
    }));
    assert_eq!(outcome(&a, Kind::Participation), Some(Outcome::Follow502));
    assert_eq!(outcome(&a, Kind::Impartiality), Some(Outcome::ImpartialityQuestioned));
}

/// 11: a rival's stock or an event contract, on what was seen under an agreement.
#[test]
fn a_shadow_trade_is_a_use() {
    for (what, about) in
        [("trades_security", "competitor_of_party"), ("trades_commodity_or_event_contract", "party"), ("tips_others", "supplier_of_party")]
    {
        let a = answer(json!({
            "person": {"status": "partner"},
            "information": [{"gained": "under_agreement", "protection": "marked_confidential", "what": what, "about": about, "benefits": "self"}],
        }));
        assert_eq!((outcome(&a, Kind::NonpublicInfo), a.verdicts.trade), (Some(Outcome::UseProhibited), Verdict::No), "{what}");
    }
}

/// 12: a plan adopted before access is looked at by a human; one modified after is none.
#[test]
fn a_plan_changed_after_access_is_no_defence() {
    let plan = |modified: Value| {
        answer(json!({
            "person": {"status": "employee"},
            "information": [{"gained": "through_federal_employment", "protection": "not_given_out", "what": "trades_security",
                "plan_adopted_on": "2026-01-05", "known_on": "2026-02-01", "on": "2026-03-01", "plan_modified_on": modified}],
        }))
    };
    assert_eq!(outcome(&plan(Value::Null), Kind::NonpublicInfo), Some(Outcome::Refer));
    assert_eq!(outcome(&plan("2026-02-15".into()), Kind::NonpublicInfo), Some(Outcome::UseProhibited));
    assert_eq!(plan(Value::Null).verdicts.trade, Verdict::No, "the plan may be a defence; new trades are barred all the same");
}

/// 14: a recused director keeps official responsibility, and the two years run.
#[test]
fn recusal_does_not_stop_the_two_years() {
    let contact = |on: &str| {
        answer(json!({
            "asks": ["may_act"],
            "person": {"status": "former"},
            "posts": [{"agency": "NIST", "rank": "below_threshold", "to": "2026-01-31"}],
            "matter": {"kind": "inspection_or_test", "name": "evaluation", "concerns": [{"name": "Lab", "stands_as": "target"}]},
            "past_work": [{
                "matter": {"kind": "inspection_or_test", "name": "evaluation", "concerns": [{"name": "Lab", "stands_as": "target"}]},
                "steps": ["recused"], "authority": ["supervised_somebody_on_it", "recused"], "pending_in_last_year": true, "now": "same_file",
            }],
            "acts": [{"on": on, "form": "speaks_in_person", "purpose": ["represents"], "before": [{"who": "agency_employee", "agency": "NIST"}],
                "on_behalf_of": "employee", "client": "Lab"}],
        }))
    };
    assert_eq!(outcome(&contact("2028-01-30"), Kind::PostEmployment), Some(Outcome::Prohibited));
    assert_eq!(outcome(&contact("2028-01-31"), Kind::PostEmployment), Some(Outcome::Permitted));
}

/// 2635.403(d), 2634.802: clocks with their extensions.
#[test]
fn directions_and_agreements_have_their_days() {
    let paper = |kind: &str, hardship: bool| {
        answer(json!({
            "person": {"status": "employee"},
            "interests": [{"holder": "self", "asset": "stock", "issuer": "Ash"}],
            "papers": [{"kind": kind, "on": "2026-03-02", "hardship_extension": hardship}],
        }))
    };
    let by = |a: &Answer| a.obligations[0].by.map(|d| d.to_string());
    assert_eq!(by(&paper("direction_to_divest", false)).as_deref(), Some("2026-05-31"));
    assert_eq!(by(&paper("direction_to_divest", true)), None);
    assert_eq!(by(&paper("ethics_agreement", false)).as_deref(), Some("2026-06-02"));
    assert_eq!(paper("direction_to_divest", false).verdicts.hold, Verdict::No);
}

/// A review of one developer's model: one developer's offer, so parties are identified.
fn evaluation(concerns: Value) -> Value {
    json!({ "kind": "inspection_or_test", "name": "evaluation of a model before release", "addresses": "named_persons", "concerns": concerns })
}

#[test]
fn an_evaluation_has_parties_and_a_threshold_for_every_developer_has_none() {
    let threshold = json!({ "kind": "standard_form", "name": "what counts as a covered model", "addresses": "one_class" });
    let of = |matter: Value| {
        answer(json!({
            "id": "kind", "asks": ["particular_matter"], "person": { "status": "employee" }, "steps": ["drafts"], "matter": matter,
            "ties": [{ "who": "spouse", "with": "Harrow AI", "role": "employee" }],
        }))
    };
    let evaluated = of(evaluation(json!([{ "name": "Harrow AI", "stands_as": "party" }])));
    let drafted = of(threshold);
    // A spouse's employer is a party in the one and no party in the other, so only the one engages 5 CFR 2635.502.
    assert_ne!(evaluated.verdicts.participate, Verdict::Yes);
    assert!(outcome(&evaluated, Kind::Impartiality).is_some_and(|o| o != Outcome::MayParticipate), "{:?}", evaluated.answers);
    assert!(outcome(&drafted, Kind::Impartiality).is_none_or(|o| o == Outcome::MayParticipate), "{:?}", drafted.answers);
}

#[test]
fn an_event_contract_on_the_release_is_a_trade() {
    let answer = answer(json!({
        "id": "event contract", "person": { "status": "officer" },
        "information": [{ "gained": "through_federal_employment", "what": "trades_commodity_or_event_contract", "protection": "not_given_out",
            "about": "party", "known_on": "2026-06-10", "on": "2026-06-11", "public": false }],
    }));
    assert_eq!(answer.verdicts.trade, Verdict::No, "{:?}", answer.answers);
}

#[test]
fn nothing_stated_clears_nobody() {
    let answer = answer(json!({ "id": "nothing", "person": {}, "matter": evaluation(json!([])) }));
    assert_eq!(answer.verdicts.participate, Verdict::Undetermined);
}
