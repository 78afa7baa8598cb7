//! The hard cases of pre-release access that can be stated as a scenario: interests that cannot be valued, people outside the exemptions, one person
//! in two matters, responsibility that a recusal does not end. Each says what the rules must make of it, and why.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a panic is a failed test")]

use countersign_law::{Answer, Kind, Outcome, Scenario, Verdict, assess};
use serde_json::{Value, json};

fn answer(scenario: Value) -> Answer {
    assess(&Scenario::from_json(&scenario.to_string()).unwrap_or_else(|e| panic!("{e}: {scenario}")))
}

fn outcome(answer: &Answer, kind: Kind) -> Option<Outcome> {
    answer.of(kind).map(|of| of.outcome)
}

/// A review of one developer's model: one developer's offer, so parties are identified.
fn evaluation(concerns: Value) -> Value {
    json!({ "kind": "inspection_or_test", "name": "evaluation of a model before release", "addresses": "named_persons", "concerns": concerns })
}

fn stock(id: &str, holder: &str, issuer: &str, value: Value) -> Value {
    json!({ "id": id, "holder": holder, "asset": "stock", "issuer": issuer, "publicly_traded": true, "value": value })
}

#[test]
fn two_bands_whose_sum_straddles_the_limit_are_not_cleared() {
    let band = || json!({ "at_least": 1_001, "at_most": 15_000 });
    let answer = answer(json!({
        "id": "two bands", "person": { "status": "employee" }, "steps": ["evaluates"],
        "matter": evaluation(json!([{ "name": "Harrow AI", "stands_as": "party" }])),
        "interests": [stock("H-1", "self", "Harrow AI", band()), stock("H-2", "spouse", "Harrow AI", band())],
    }));
    assert_eq!(answer.verdicts.participate, Verdict::Undetermined);
    assert_eq!(outcome(&answer, Kind::Exemption), Some(Outcome::Refer));
    let asked = answer.questions.iter().find(|q| q.kind == Kind::Exemption).unwrap();
    let text = format!("{} {}", asked.question, asked.settled_by);
    assert!(text.contains("2,002") && text.contains("30,000"), "{text}");
}

#[test]
fn a_confidential_report_lists_a_stock_without_a_value() {
    // OGE Form 450 asks for no amounts (5 CFR 2634.907(c)), so in a matter with parties the value has to be asked for.
    let mut listed = stock("H-1", "self", "Chipworks", Value::Null);
    listed.as_object_mut().unwrap().remove("value");
    let answer = answer(json!({
        "id": "no value", "person": { "status": "employee" }, "steps": ["evaluates"],
        "matter": evaluation(json!([{ "name": "Chipworks", "stands_as": "party" }])), "interests": [listed],
    }));
    assert_eq!(answer.verdicts.participate, Verdict::Undetermined);
    assert!(answer.questions.iter().any(|q| q.settled_by.contains("value")), "{:?}", answer.questions);
}

#[test]
fn the_limits_are_summed_for_each_matter_and_not_for_each_person() {
    let of = |stands_as: &str, value: u64| {
        answer(json!({
            "id": stands_as, "person": { "status": "employee" }, "steps": ["evaluates"],
            "matter": evaluation(json!([{ "name": "Harrow AI", "stands_as": "party" }, { "name": "Chipworks", "stands_as": stands_as }])),
            "interests": [stock("H-1", "self", "Chipworks", json!({ "exactly": value }))],
        }))
    };
    // 5 CFR 2640.202(a), (b): $15,000 in parties, $25,000 with nonparties that the matter affects.
    assert_eq!(outcome(&of("party", 20_000), Kind::Exemption), Some(Outcome::Disqualified));
    assert_eq!(of("party", 20_000).verdicts.participate, Verdict::No);
    let nonparty = of("supplier_of_party", 20_000);
    assert_ne!(nonparty.verdicts.participate, Verdict::No, "{:?}", nonparty.answers);
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
fn a_rule_for_three_developers_is_general_and_still_particular() {
    // 5 CFR 2641.201(h)(2) example 5: few addressees make no parties; 5 CFR 2635.402(b)(3): a discrete class makes it particular.
    let answer = answer(json!({
        "id": "three developers", "person": { "status": "employee" }, "steps": ["drafts"],
        "matter": { "kind": "rulemaking", "name": "rule for frontier developers", "addresses": "one_class",
            "concerns": [{ "name": "Harrow AI", "stands_as": "member_of_class" }] },
        "interests": [stock("H-1", "self", "Harrow AI", json!({ "exactly": 20_000 }))],
    }));
    // Above the limit for parties, below the one for general matters (5 CFR 2640.202(c)).
    assert_eq!(outcome(&answer, Kind::Exemption), Some(Outcome::Exempt), "{:?}", answer.answers);
    assert_eq!(answer.verdicts.participate, Verdict::Yes);
}

#[test]
fn equity_in_a_private_lab_has_no_limit_below_which_it_does_not_count() {
    for asset in ["private_stake", "option", "crypto"] {
        for value in [json!({ "exactly": 500 }), json!({ "at_least": 1, "at_most": 1_000 })] {
            let answer = answer(json!({
                "id": asset, "person": { "status": "sge" }, "steps": ["evaluates"],
                "matter": evaluation(json!([{ "name": "Ostler Labs", "stands_as": "party" }])),
                "interests": [{ "id": "H-1", "holder": "spouse", "asset": asset, "issuer": "Ostler Labs", "publicly_traded": false, "value": value }],
            }));
            assert_ne!(answer.verdicts.participate, Verdict::Yes, "{asset}: {:?}", answer.answers);
            assert_ne!(outcome(&answer, Kind::Exemption), Some(Outcome::Exempt), "{asset}: {:?}", answer.answers);
        }
    }
}

#[test]
fn an_adult_child_at_the_developer_is_not_imputed_and_is_covered() {
    let answer = answer(json!({
        "id": "adult child", "person": { "status": "employee" }, "steps": ["evaluates"],
        "matter": evaluation(json!([{ "name": "Harrow AI", "stands_as": "party" }])),
        "ties": [{ "who": "adult_child", "with": "Harrow AI", "role": "employee" }],
    }));
    // 18 U.S.C. 208 names minor children; 5 CFR 2635.502(b)(1)(iii) children of any age.
    assert_ne!(outcome(&answer, Kind::Participation), Some(Outcome::Disqualified), "{:?}", answer.answers);
    assert!(answer.of(Kind::Impartiality).is_some(), "{:?}", answer.answers);
    assert_ne!(answer.verdicts.participate, Verdict::Yes);
}

#[test]
fn a_recused_director_still_had_official_responsibility() {
    // 5 CFR 2641.202(j)(5): a recusal does not end it, so the two years of 18 U.S.C. 207(a)(2) run.
    let answer = answer(json!({
        "id": "recused", "asks": ["official_responsibility"], "person": { "status": "former" },
        "matter": evaluation(json!([{ "name": "Harrow AI", "stands_as": "party" }])),
        "past_work": [{
            "matter": evaluation(json!([{ "name": "Harrow AI", "stands_as": "party" }])),
            "steps": ["recused"], "authority": ["head_of_agency", "recused"], "now": "same_file", "pending_in_last_year": true,
        }],
    }));
    assert_eq!(outcome(&answer, Kind::PostEmployment), Some(Outcome::ElementMet), "{:?}", answer.answers);
}

#[test]
fn a_plan_that_was_changed_after_the_access_is_no_plan() {
    let of = |modified: Option<&str>| {
        let mut used = json!({ "gained": "under_agreement", "what": "trades_security", "protection": "marked_confidential", "about": "party",
            "known_on": "2026-06-10", "on": "2026-06-20", "plan_adopted_on": "2026-01-05", "public": false });
        if let Some(day) = modified {
            used["plan_modified_on"] = json!(day);
        }
        answer(json!({ "id": "plan", "person": { "status": "partner" }, "information": [used] }))
    };
    // 17 CFR 240.10b5-1(c)(1)(iv): a change of amount, price or timing is a new plan.
    assert_eq!(of(Some("2026-06-12")).verdicts.trade, Verdict::No);
    assert_ne!(of(None).verdicts.trade, Verdict::Yes);
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
