//! Rows of the rule table that no printed example of 5 CFR 2634 to 2641 reaches: procurement integrity, contractors, trading plans, duties of trust,
//! event contracts, selective disclosure, trading rules, treaty negotiations, birthrights, Reserve Banks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use countersign_law::{Answer, Kind, Outcome, Scenario, Verdict, assess};
use serde_json::{Value, json};

fn answer(facts: Value) -> Answer {
    assess(&Scenario::from_json(&facts.to_string()).unwrap())
}

fn outcome(a: &Answer, kind: Kind) -> Option<Outcome> {
    a.of(kind).map(|k| k.outcome)
}

/// Whether a rule came out so, wherever it stands in the answer.
fn found(a: &Answer, rule: &str, outcome: Outcome) -> bool {
    a.answers.iter().flat_map(|k| &k.findings).any(|f| f.rule == rule && f.outcome == outcome)
}

/// 41 U.S.C. 2103: a bidder's contact is reported to two, and rejected or the procurement left.
#[test]
fn a_bidders_contact_is_reported_and_the_procurement_left() {
    let contact = |on: &str, value: u64, event: &str, reports: Value| {
        let mut job =
            json!({"with": "Brandt Works", "role": "employee_or_officer", "events": [{"what": "employer_approached"}, {"what": event}]});
        job.as_object_mut().unwrap().extend(reports.as_object().unwrap().clone());
        answer(json!({
            "as_of": on, "person": {"status": "employee", "public_filer": false}, "job_contacts": [job],
            "matter": {"kind": "procurement", "name": "radios", "concerns": [{"name": "Brandt Works", "stands_as": "offeror"}]},
            "procurements": [{"name": "radios", "bidders": ["brandt works"], "value": {"exactly": value}}],
        }))
    };
    let silent = contact("2026-03-02", 350_001, "replied_with_interest", json!({}));
    assert!(found(&silent, "R-PIA-1", Outcome::NoticeRequired) && found(&silent, "R-PIA-1", Outcome::Disqualified));
    assert!(silent.obligations.iter().any(|o| o.what.contains("supervisor")));
    let told = json!({"reported_to_supervisor_on": "2026-03-01", "reported_to_ethics_on": "2026-03-01"});
    let rejected = contact("2026-03-02", 350_001, "replied_no", told.clone());
    assert!(found(&rejected, "R-PIA-1", Outcome::NoticeSatisfied) && found(&rejected, "R-PIA-1", Outcome::MayParticipate));
    assert!(found(
        &contact("2026-03-02", 350_001, "replied_no", json!({"reported_to_ethics_on": "2026-03-01"})),
        "R-PIA-1",
        Outcome::NoticeRequired
    ));
    // The threshold is dated data: 250,000 until 30 September 2025, 350,000 since.
    assert!(found(&contact("2026-03-02", 350_000, "replied_no", json!({})), "R-PIA-1", Outcome::NoticeNotRequired));
    assert!(found(&contact("2025-03-03", 350_000, "replied_no", json!({})), "R-PIA-1", Outcome::NoticeRequired));
}

/// 41 U.S.C. 2104: a year without the contractor's pay, above ten million, after a listed post or decision.
#[test]
fn a_year_without_the_contractors_pay() {
    let pay = |on: &str, role: &str, value: u64, unrelated: bool| {
        answer(json!({
            "person": {"status": "former"},
            "procurements": [{"name": "trucks", "awarded_to": "Brandt Works", "value": {"exactly": value}, "roles": [role], "last_on": "2026-01-31"}],
            "compensation": [{"from": "Brandt Works", "role": "consultant_or_contractor", "on": on, "from_unrelated_division": unrelated}],
        }))
    };
    let barred = pay("2027-01-30", "program_manager", 10_000_001, false);
    assert_eq!(outcome(&barred, Kind::PostEmployment), Some(Outcome::Prohibited));
    assert_eq!(barred.of(Kind::PostEmployment).unwrap().findings[0].until.unwrap().to_string(), "2027-01-31");
    for allowed in [
        pay("2027-01-31", "program_manager", 10_000_001, false),
        pay("2026-02-01", "program_manager", 10_000_000, false),
        pay("2026-02-01", "other_work", 90_000_000, false),
        pay("2026-02-01", "settled_claim", 90_000_000, true),
    ] {
        assert_eq!(outcome(&allowed, Kind::PostEmployment), Some(Outcome::Permitted));
    }
    let unknown = answer(json!({"person": {"status": "former"}, "compensation": [{"from": "Brandt Works"}]}));
    assert_eq!(outcome(&unknown, Kind::PostEmployment), Some(Outcome::Refer));
}

/// 41 U.S.C. 2102.
#[test]
fn source_selection_information_is_neither_given_nor_got() {
    let use_of = |who: &str, gained: &str, what: &str| {
        answer(
            json!({"person": {"status": who}, "information": [{"gained": gained, "protection": "source_selection", "what": what, "knowingly": true}]}),
        )
    };
    assert!(found(&use_of("employee", "through_federal_employment", "tells_bidder"), "R-PIA-3", Outcome::UseProhibited));
    assert!(found(&use_of("contractor", "told_by_federal_employee", "obtains_before_award"), "R-PIA-3", Outcome::UseProhibited));
}

/// FAR 52.203-16, and what partners promise. Testing a model is no acquisition function, and no prohibition is made up.
#[test]
fn contractors_are_bound_by_clause_and_promise_alone() {
    let works = |acquisition: Value, papers: Value, stands_as: &str| {
        answer(json!({
            "person": {"status": "contractor", "contract": {"has_far_52_203_16": true, "performs_acquisition_functions": acquisition}},
            "matter": {"kind": "procurement", "concerns": [{"name": "Harrow", "stands_as": stands_as}]},
            "interests": [{"holder": "spouse", "asset": "stock", "issuer": "Harrow", "publicly_traded": true, "value": {"exactly": 500}}],
            "papers": papers,
        }))
    };
    let by_clause = works(true.into(), json!([]), "offeror");
    assert!(found(&by_clause, "R-FAR-1", Outcome::Disqualified));
    assert!(by_clause.obligations.iter().any(|o| o.what.contains("disclose")));
    assert_eq!(works(true.into(), json!([]), "not_concerned").verdicts.participate, Verdict::Yes);
    let tester = works(false.into(), json!([]), "offeror");
    assert_eq!((outcome(&tester, Kind::Participation), tester.verdicts.participate), (Some(Outcome::Refer), Verdict::Undetermined));
    assert!(tester.questions.iter().any(|q| q.question.contains("no acquisition function")));
    let agreed = json!([{"kind": "access_agreement", "promises": ["no_participation_with_interest", "keep_confidence"]}]);
    assert!(found(&works(false.into(), agreed, "offeror"), "R-AGR-3", Outcome::Disqualified));
}

/// What partners promise binds them, and where nothing does it is asked.
#[test]
fn partners_keep_what_they_promised() {
    let gives = |gained: &str, papers: Value| {
        answer(json!({"person": {"status": "partner"}, "papers": papers,
            "information": [{"gained": gained, "protection": "proprietary", "what": "gives_to_organization_or_press"}]}))
    };
    assert!(found(&gives("under_agreement", json!([])), "R-AGR-3", Outcome::UseProhibited));
    let promised = json!([{"kind": "access_agreement", "promises": ["keep_confidence"]}]);
    assert!(found(&gives("told_by_federal_employee", promised), "R-AGR-3", Outcome::UseProhibited));
    assert_eq!(outcome(&gives("told_by_federal_employee", json!([])), Kind::NonpublicInfo), Some(Outcome::Refer));
    let bet = answer(json!({"person": {"status": "partner"}, "papers": [{"kind": "access_agreement", "promises": ["no_event_contracts"]}],
        "information": [{"gained": "under_agreement", "protection": "marked_confidential", "what": "trades_commodity_or_event_contract"}]}));
    assert!(found(&bet, "R-AGR-3", Outcome::UseProhibited) && found(&bet, "R-CEA-2", Outcome::UseProhibited));
}

fn planned(plan: Value, modified: Value, on: &str) -> Answer {
    answer(json!({
        "person": {"status": "partner"},
        "information": [{"gained": "under_agreement", "protection": "marked_confidential", "what": "trades_security", "plan_adopted_on": "2026-01-05",
            "plan_modified_on": modified, "known_on": "2026-02-01", "on": on, "plan": plan}],
    }))
}

/// 17 CFR 240.10b5-1(c): adoption, change, cooling-off, and what the papers must show.
#[test]
fn a_plan_holds_only_on_every_condition() {
    let good = json!({"binding": true, "fixes_terms": true, "person_keeps_influence": false, "followed": true, "other_plan_open": false,
        "second_single_trade_within_year": false, "director_or_officer": false});
    let with = |name: &str, value: Value| {
        let mut plan = good.clone();
        plan[name] = value;
        plan
    };
    // Thirty days from 5 January: 4 February.
    let stands = planned(good.clone(), Value::Null, "2026-02-05");
    assert_eq!(outcome(&stands, Kind::NonpublicInfo), Some(Outcome::Refer));
    assert!(stands.questions[0].question.contains("good faith"));
    assert_eq!(stands.verdicts.trade, Verdict::No, "a plan clears no new trade");
    let early = planned(good.clone(), Value::Null, "2026-02-04");
    assert_eq!(outcome(&early, Kind::NonpublicInfo), Some(Outcome::UseProhibited));
    assert!(early.answers[0].findings[0].because.contains("cooling-off"));
    for (field, value) in
        [("binding", false), ("fixes_terms", false), ("person_keeps_influence", true), ("followed", false), ("other_plan_open", true)]
    {
        assert_eq!(
            outcome(&planned(with(field, value.into()), Value::Null, "2026-03-01"), Kind::NonpublicInfo),
            Some(Outcome::UseProhibited),
            "{field}"
        );
    }
    assert_eq!(
        outcome(&planned(good.clone(), "2026-02-10".into(), "2026-06-01"), Kind::NonpublicInfo),
        Some(Outcome::UseProhibited),
        "a change makes a new plan"
    );
    assert_eq!(
        outcome(&planned(good.clone(), "2026-01-20".into(), "2026-02-10"), Kind::NonpublicInfo),
        Some(Outcome::UseProhibited),
        "and a new cooling-off"
    );
    // Directors and officers: 90 days at least, two business days after the results, 120 days at most.
    let officer = |results: Value, on: &str| {
        let mut plan = with("director_or_officer", true.into());
        plan["states_no_knowledge"] = true.into();
        plan["results_reported_on"] = results;
        outcome(&planned(plan, Value::Null, on), Kind::NonpublicInfo)
    };
    assert_eq!(officer("2026-02-02".into(), "2026-04-05"), Some(Outcome::UseProhibited));
    assert_eq!(officer("2026-02-02".into(), "2026-04-06"), Some(Outcome::Refer));
    assert_eq!(officer("2026-04-20".into(), "2026-04-22"), Some(Outcome::UseProhibited));
    assert_eq!(officer("2026-04-20".into(), "2026-04-23"), Some(Outcome::Refer));
    assert_eq!(officer("2026-08-20".into(), "2026-05-06"), Some(Outcome::Refer), "120 days are the most");
}

/// 17 CFR 240.10b5-2(b): family is presumed to keep a confidence, friends are not.
#[test]
fn family_is_presumed_to_keep_a_confidence() {
    let told = |by: &str, shares: Value, agreed: Value| {
        outcome(
            &answer(json!({
                "person": {"status": "employee"},
                "information": [{"gained": "in_confidence", "protection": "proprietary", "what": "trades_security", "told_by": by,
                    "shares_confidences": shares, "agreed_to_confidence": agreed}],
            })),
            Kind::NonpublicInfo,
        )
    };
    for close in ["spouse", "parent", "adult_child", "sibling"] {
        assert_eq!(told(close, Value::Null, Value::Null), Some(Outcome::UseProhibited), "{close}");
        assert_eq!(told(close, false.into(), false.into()), Some(Outcome::Refer), "{close}: rebutted");
    }
    assert_eq!(told("friend", Value::Null, Value::Null), Some(Outcome::Refer));
    assert_eq!(told("friend", true.into(), Value::Null), Some(Outcome::UseProhibited));
    assert_eq!(told("friend", false.into(), true.into()), Some(Outcome::UseProhibited));
}

/// 7 U.S.C. 6c(a)(3) and (4), 17 CFR 180.1: contracts on the month of a release are swaps.
#[test]
fn event_contracts_have_their_own_law() {
    let bet = |status: &str, gained: &str| {
        answer(
            json!({"person": {"status": status}, "information": [{"gained": gained, "protection": "not_given_out", "what": "trades_commodity_or_event_contract"}]}),
        )
    };
    for (status, gained, rule) in [
        ("officer", "through_federal_employment", "R-CEA-1"),
        ("officer", "through_federal_employment", "R-703-1"),
        ("partner", "told_by_federal_employee", "R-CEA-1"),
        ("partner", "stolen", "R-CEA-1"),
        ("partner", "under_agreement", "R-CEA-2"),
    ] {
        let a = bet(status, gained);
        assert!(found(&a, rule, Outcome::UseProhibited) && a.verdicts.trade == Verdict::No, "{status} {gained} {rule}");
    }
    assert_eq!(outcome(&bet("partner", "as_anybody_could"), Kind::NonpublicInfo), Some(Outcome::NoViolation));
}

/// Regulation FD.
#[test]
fn an_issuer_tells_everybody_or_those_who_keep_it() {
    let tells = |more: Value| {
        let mut d = json!({"issuer_reports_to_sec": true, "speaker": "senior_official", "told": "broker_or_dealer", "knowing": true, "on": "2026-03-06"});
        d.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let a = answer(json!({"person": {"status": "partner"}, "selective_disclosures": [d]}));
        (outcome(&a, Kind::NonpublicInfo).unwrap(), a.answers[0].findings[0].until.map(|d| d.to_string()))
    };
    assert_eq!(tells(json!({})).0, Outcome::UseProhibited);
    assert_eq!(tells(json!({"public_on": "2026-03-06"})).0, Outcome::NoViolation);
    for outside in [
        json!({"agreed_to_confidence": true}),
        json!({"owes_duty_to_issuer": true}),
        json!({"told": "government"}),
        json!({"issuer_reports_to_sec": false}),
        json!({"speaker": "outsider"}),
    ] {
        assert_eq!(tells(outside.clone()).0, Outcome::NoViolation, "{outside}");
    }
    // Learned on a Friday: the next opening is on Monday.
    let slip = json!({"knowing": false, "learned_on": "2026-03-06"});
    assert_eq!(tells(slip), (Outcome::ReportBy, Some("2026-03-09".into())));
    assert_eq!(tells(json!({"knowing": false, "learned_on": "2026-03-06", "public_on": "2026-03-10"})).0, Outcome::UseProhibited);
    assert_eq!(tells(json!({"knowing": null})).0, Outcome::Refer);
}

/// 5 CFR 4401.102.
#[test]
fn staff_trades_keep_to_the_rule() {
    let trade = |more: Value| {
        let mut t = json!({"rule": "sec_staff_5_cfr_4401_102", "holder": "self", "asset": "stock", "issuer": "Ash", "side": "purchase", "cleared_on": "2026-03-02",
            "on": "2026-03-09", "agency_regulates_issuer": false, "issuer_in_agency_proceeding": false});
        t.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        outcome(&answer(json!({"person": {"status": "employee"}, "trades": [t]})), Kind::Trading).unwrap()
    };
    assert_eq!(trade(json!({})), Outcome::NoViolation);
    assert_eq!(trade(json!({"cleared_on": null})), Outcome::Refer);
    for broken in [
        json!({"on": "2026-03-10"}),
        json!({"on": "2026-03-01"}),
        json!({"made_without_clearance": true}),
        json!({"side": "short_sale"}),
        json!({"on_margin": true}),
        json!({"asset": "option"}),
        json!({"within_7_days_of_ipo": true}),
        json!({"agency_regulates_issuer": true}),
        json!({"issuer_in_agency_proceeding": true}),
        json!({"side": "sale", "bought_on": "2025-09-10"}),
        json!({"asset": "mutual_fund", "sector_fund": true, "side": "sale", "bought_on": "2026-02-08"}),
        json!({"confirmed_on": "2026-03-09", "reported_on": "2026-03-17"}),
    ] {
        assert_eq!(trade(broken.clone()), Outcome::Violation, "{broken}");
    }
    for kept in [
        json!({"side": "sale", "bought_on": "2025-09-09"}),
        json!({"side": "sale", "bought_on": "2026-01-05", "at_most_90_percent_of_cost": true}),
        json!({"asset": "treasury_bond"}),
        json!({"asset": "mutual_fund", "sector_fund": false, "cleared_on": null}),
    ] {
        assert_eq!(trade(kept.clone()), Outcome::NoViolation, "{kept}");
    }
    assert_eq!(trade(json!({"rule": "other"})), Outcome::Refer);
}

/// 18 U.S.C. 207(b): help behind the scenes counts, and for one year.
#[test]
fn treaty_negotiations_bar_even_advice() {
    let advises = |on: &str, records: Value| {
        let a = answer(json!({
            "asks": ["may_act"], "person": {"status": "former"}, "posts": [{"agency": "Trade", "rank": "below_threshold", "to": "2026-01-31"}],
            "matter": {"kind": "multilateral_agreement", "name": "the round", "stage": "under_way"},
            "past_work": [{"matter": {"kind": "multilateral_agreement", "name": "the round"}, "steps": ["negotiates_or_monitors"], "now": "same_file"}],
            "acts": [{"on": on, "form": "behind_the_scenes", "on_behalf_of": "consultant_or_agent", "client": "Brandt Works", "uses_exempt_agency_records": records}],
        }));
        outcome(&a, Kind::PostEmployment).unwrap()
    };
    assert_eq!(advises("2027-01-30", true.into()), Outcome::Prohibited);
    assert_eq!(advises("2027-01-31", true.into()), Outcome::Permitted);
    assert_eq!(advises("2026-06-01", false.into()), Outcome::Permitted);
}

/// 18 U.S.C. 208(b)(4).
#[test]
fn a_birthright_counts_only_where_its_tribe_is_a_party() {
    let takes_part = |stands_as: &str| {
        answer(json!({
            "person": {"status": "employee"},
            "matter": {"kind": "rulemaking", "addresses": "one_class", "concerns": [{"name": "the tribe", "stands_as": stands_as}]},
            "interests": [{"holder": "self", "asset": "indian_birthright", "issuer": "the tribe"}],
        }))
        .verdicts
        .participate
    };
    assert_eq!((takes_part("member_of_class"), takes_part("party")), (Verdict::Yes, Verdict::No));
}

/// 5 CFR 2640.203(h)(3) and (4).
#[test]
fn reserve_bank_directors_and_credit() {
    let credit = |hazardous: Value, stands_as: &str| {
        answer(json!({
            "person": {"status": "employee", "federal_reserve_bank_director": true},
            "matter": {"kind": "reserve_bank_credit", "hazardous_financial_condition": hazardous,
                "concerns": [{"name": "First Bank", "stands_as": "applicant"}, {"name": "Held", "stands_as": stands_as}]},
            "interests": [{"holder": "self", "asset": "stock", "issuer": "Held", "publicly_traded": true, "value": {"exactly": 900000}, "if_decided": "value_changes"}],
        }))
        .verdicts
        .participate
    };
    assert_eq!(credit(false.into(), "parent_of_party"), Verdict::Yes);
    assert_eq!(credit(true.into(), "parent_of_party"), Verdict::No);
    assert_eq!(credit(true.into(), "insurer_or_investor_of_party"), Verdict::Yes);
    assert_eq!(credit(Value::Null, "parent_of_party"), Verdict::Undetermined);
}

/// 5 CFR 2634.704, 2634.905, 2634.1007.
#[test]
fn late_reports_alternative_procedures_and_certificates() {
    let late = answer(
        json!({"person": {"status": "employee"}, "filing": {"position": "senior_or_equivalent", "left_on": "2026-03-07", "filed_on": "2026-05-07"}}),
    );
    assert!(late.obligations.iter().any(|o| o.what.contains("$200")));
    let other =
        answer(json!({"person": {"status": "employee"}, "filing": {"position": "gs_15_or_below", "duties": ["regulating_or_auditing"],
        "supervision": "largely_independent", "alternative_procedure_approved": true}}));
    assert_eq!(outcome(&other, Kind::Disclosure), Some(Outcome::FileNotRequired));
    let certificate = |field: &str, value: bool| {
        let mut c = json!({"divestiture_required": true, "already_sold": false, "capital_gain": true});
        c[field] = value.into();
        outcome(&answer(json!({"person": {"status": "employee"}, "certificates": [c]})), Kind::Disclosure)
    };
    assert_eq!(certificate("capital_gain", true), Some(Outcome::CertificatePossible));
    for (field, value) in [("in_tax_deferred_account", true), ("acquired_against_prohibition", true), ("divests_all_conflicting", false)] {
        assert_eq!(certificate(field, value), Some(Outcome::CertificateDenied), "{field}");
    }
}

/// 5 CFR 2641.202(j) example 9: a second service and its end begin a second two years.
#[test]
fn each_end_of_service_begins_two_years() {
    let a = answer(json!({
        "asks": ["period"], "person": {"status": "former"},
        "posts": [{"agency": "Department", "rank": "level_one_or_white_house_top", "to": "2025-01-31"},
            {"agency": "Department", "from": "2025-06-02", "to": "2025-09-01", "sge_days_in_last_year": 20}],
    }));
    let of_rule: Vec<_> = a
        .of(Kind::PostEmployment)
        .unwrap()
        .findings
        .iter()
        .filter(|f| f.rule == "R-207-22")
        .map(|f| f.until.unwrap().to_string())
        .collect();
    assert_eq!(outcome(&a, Kind::PostEmployment), Some(Outcome::Period));
    assert!(of_rule.contains(&"2027-01-31".to_owned()) && of_rule.contains(&"2027-09-01".to_owned()), "{of_rule:?}");
}

/// 17 CFR 275.204A-1(c), (b)(2), (b)(3): approval before an offering, and a report within thirty days of the quarter's end.
#[test]
fn an_advisers_staff_ask_before_offerings_and_report_each_quarter() {
    let trade = |more: Value| {
        let mut t =
            json!({"rule": "adviser_code_17_cfr_275_204a_1", "holder": "self", "asset": "stock", "side": "purchase", "on": "2026-02-10"});
        t.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        outcome(&answer(json!({"as_of": "2026-06-01", "person": {"status": "partner"}, "trades": [t]})), Kind::Trading).unwrap()
    };
    // The quarter ends on 31 March; thirty days after that is 30 April.
    let plain = |on: &str| trade(json!({"offering": "neither", "reported_on": on}));
    assert_eq!(plain("2026-04-30"), Outcome::NoViolation);
    assert_eq!(plain("2026-05-01"), Outcome::Violation);
    assert_eq!(trade(json!({"offering": "neither"})), Outcome::Refer);
    assert_eq!(trade(json!({"reported_on": "2026-04-01"})), Outcome::Refer, "an offering is not excluded");
    assert_eq!(
        trade(json!({"offering": "neither", "reported_on": "2026-05-20", "statement_received_on": "2026-04-15"})),
        Outcome::NoViolation
    );
    assert_eq!(trade(json!({"offering": "neither", "automatic_plan": true})), Outcome::NoViolation);
    assert_eq!(trade(json!({"offering": "neither", "account_without_influence": true})), Outcome::NoViolation);
    assert_eq!(trade(json!({"offering": "neither", "asset": "treasury_bond"})), Outcome::NoViolation);
    let fund = |ours: bool| trade(json!({"offering": "neither", "asset": "mutual_fund", "fund_of_the_adviser": ours}));
    assert_eq!((fund(false), fund(true)), (Outcome::NoViolation, Outcome::Refer));
    for offering in ["limited", "initial_public"] {
        let offered = |more: Value| {
            let mut all = json!({"offering": offering, "reported_on": "2026-04-01"});
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            trade(all)
        };
        assert_eq!(offered(json!({"made_without_clearance": true})), Outcome::Violation);
        assert_eq!(offered(json!({"cleared_on": "2026-02-11"})), Outcome::Violation);
        assert_eq!(offered(json!({"cleared_on": "2026-02-10"})), Outcome::NoViolation);
        assert_eq!(offered(json!({})), Outcome::Refer);
        assert_eq!(offered(json!({"side": "sale"})), Outcome::NoViolation);
    }
}

/// 17 CFR 275.204A-1(b)(1), (d), (e)(1): who reports holdings, when, and how old they may be.
#[test]
fn an_advisers_staff_report_what_they_hold() {
    let reported = |on: &str, p: Value| {
        let mut facts = json!({"sees_clients_trades": true, "since": "2026-01-05"});
        facts.as_object_mut().unwrap().extend(p.as_object().unwrap().clone());
        let a = answer(json!({"as_of": on, "person": {"status": "partner"}, "access_person": facts}));
        (outcome(&a, Kind::Trading).unwrap(), a.obligations.len())
    };
    let first = |on: &str, of: &str| reported("2026-03-01", json!({"holdings_reports": [{"submitted_on": on, "current_as_of": of}]})).0;
    assert_eq!(first("2026-01-15", "2025-11-21"), Outcome::NoViolation);
    assert_eq!(first("2026-01-16", "2026-01-01"), Outcome::Violation);
    assert_eq!(first("2026-01-15", "2025-11-20"), Outcome::Violation);
    assert_eq!(reported("2026-01-15", json!({})), (Outcome::NoViolation, 1), "not due yet, and owed");
    assert_eq!(reported("2026-01-16", json!({})).0, Outcome::Refer);
    let year = |on: &str, of: &str, today: &str| {
        let reports = json!([{"submitted_on": "2026-01-10", "current_as_of": "2026-01-05"}, {"submitted_on": on, "current_as_of": of}]);
        reported(today, json!({"holdings_reports": reports})).0
    };
    assert_eq!(year("2027-01-10", "2026-12-31", "2027-06-01"), Outcome::NoViolation);
    assert_eq!(year("2027-01-10", "2026-11-25", "2027-06-01"), Outcome::Violation, "46 days old");
    assert_eq!(year("2027-03-01", "2027-02-28", "2027-06-01"), Outcome::Refer, "the adviser selects the day of the year");
    assert_eq!(year("2028-01-10", "2028-01-05", "2028-06-01"), Outcome::Violation, "two years without one");
    assert_eq!(reported("2026-03-01", json!({"sole_with_records": true})).0, Outcome::NoViolation);
    let partner = json!({"sees_clients_trades": false, "sees_recommendations": false, "director_officer_or_partner": true});
    assert_eq!(reported("2026-03-01", partner.clone()).0, Outcome::Refer, "presumed where advice is the primary business");
    let mut none = partner;
    none["advice_is_primary_business"] = json!(false);
    assert_eq!(reported("2026-03-01", none).0, Outcome::NoViolation);
}

/// Wall crossing: consent, warning, information, and word when it is over; until then whoever was told does not trade.
#[test]
fn a_wall_is_crossed_with_consent_and_back_with_a_notice() {
    let crossing = |more: Value| {
        let mut w = json!({
            "rule": "agreement_or_policy", "issuer": "Harrow Corp", "consented_on": "2026-02-01", "given_on": "2026-02-01", "named_before_consent": false,
            "told_not_to_trade": true, "told_to_keep_confidence": true, "considered_in_writing": true, "recorded": true,
        });
        w.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        answer(json!({"as_of": "2026-03-01", "person": {"status": "partner"}, "wall_crossings": [w]}))
    };
    let of = |more: Value| outcome(&crossing(more), Kind::NonpublicInfo).unwrap();
    assert_eq!(of(json!({})), Outcome::NoViolation);
    let left_out = [
        json!({"named_before_consent": true}),
        json!({"consented_on": "2026-02-02"}),
        json!({"declined": true}),
        json!({"told_not_to_trade": false}),
        json!({"recorded": false}),
    ];
    for step in left_out {
        assert_eq!(of(step.clone()), Outcome::UseProhibited, "{step}");
        let mut law = step.clone();
        law["rule"] = json!("market_abuse_regulation");
        assert_eq!(of(law), Outcome::Refer, "article 11 presumes, and forbids nothing: {step}");
    }
    for unknown in ["consented_on", "told_not_to_trade", "named_before_consent", "recorded", "rule"] {
        assert_eq!(of(json!({unknown: null})), Outcome::Refer, "{unknown}");
    }
    assert_eq!(of(json!({"given_on": null, "consented_on": null, "declined": true})), Outcome::NoViolation, "asked, and not told");
    let told = |more: Value| {
        let mut all = json!({"told_to_person": true});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        crossing(all).verdicts.trade
    };
    assert_eq!(told(json!({})), Verdict::No);
    assert_eq!(told(json!({"ceased_on": "2026-02-20"})), Verdict::No, "over, and nobody has said so");
    assert_eq!(told(json!({"told_ceased_on": "2026-03-02"})), Verdict::No, "not told yet");
    assert_eq!(told(json!({"told_ceased_on": "2026-02-21"})), Verdict::Undetermined);
    let over = crossing(json!({"ceased_on": "2026-02-20"}));
    assert!(over.obligations.iter().any(|o| o.what.contains("no longer inside information") && o.by.is_some()));
}
