//! What may not be held, over a ledger: 5 CFR 2635.403 and what its paragraphs say, 2640.204, and the case a breach becomes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use countersign_conflict::{Ask, Refusal, assess};
use countersign_entry::ids::Date;
use countersign_entry::record::*;
use countersign_entry::time::DAY;
use countersign_testing::history::beginning;
use countersign_testing::scene::*;

const NAMED: &str = "issuer:cik-0000000003";

fn review(scene: &Scene) -> Assessment {
    let at = scene.next_at();
    let ask = Ask::Request { requester: &text(OFFICER), needs_participation: true, expires_at: at.plus(DAY) };
    assess(scene.facts(), at, &text(SUBJECT), &text(SUBMISSION), ask).into_record()
}

fn held(id: &str, issuer: &str, relation: HolderRelation) -> Holding {
    Holding { relation, value: Band::new(Some(1_001), Some(2_000)).unwrap(), ..holding(id, SUBJECT, Some(issuer), "2026-05-31") }
}

/// A scene in which a list binds somebody and names an issuer.
fn forbidding(binds: &str, subject: &str) -> Scene {
    let mut scene = beginning();
    scene.must(ETHICS, prohibited("not-held", binds));
    scene.must(ETHICS, item("it-403", "not-held", subject));
    scene
}

fn organization(id: &str, parent: Option<&str>) -> Organization {
    let (name, kind) = (text("An organization"), OrganizationKind::Agency);
    Organization { id: text(id), name, kind, parent: parent.map(text), ethics_office: None, supersedes: None }
}

use HolderRelation::{DependentChild, GeneralPartner, MinorChild, Own, Parent, Spouse, Unknown};
use Outcome::{Block, Clear, Refer};

/// 5 CFR 2635.403(a), (b), (c)(1): a regulation reaches spouses and minor children where it says so; a determination about one person does.
#[test]
fn what_a_list_names_bars_whom_it_binds() {
    for (binds, relation, outcome) in [
        ("organization:agency", Own, Block),
        ("organization:agency", Spouse, Refer),
        ("organization:agency", MinorChild, Refer),
        ("person:P-subject", Spouse, Block),
        ("person:P-subject", MinorChild, Block),
        ("person:P-subject", DependentChild, Refer),
        ("person:P-subject", Unknown, Refer),
        ("person:P-subject", Parent, Clear),
        ("person:P-subject", GeneralPartner, Clear),
        ("person:P-other", Own, Clear),
        ("organization:lab", Own, Clear),
    ] {
        let mut scene = forbidding(binds, NAMED);
        scene.must(ETHICS, held("H-1", FAR_ISSUER, relation));
        let a = review(&scene);
        assert_eq!((a.hold, a.participate), (outcome, Clear), "{binds} {relation:?}");
        let list = scene.facts().list(&text("not-held")).unwrap().index;
        assert_eq!(a.reasons.iter().any(|r| r.rule.as_str() == "R-403-1" && r.evidence.contains(&list)), outcome != Clear);
    }
}

#[test]
fn a_list_of_a_department_binds_its_agencies_and_not_the_other_way_round() {
    let mut scene = beginning();
    scene.must(OPERATOR, organization("department", None));
    scene.must(OPERATOR, organization("bureau", Some("agency")));
    for id in ["department", "bureau"] {
        scene.must(ETHICS, prohibited(&format!("of-{id}"), &format!("organization:{id}")));
        scene.must(ETHICS, item(&format!("it-{id}"), &format!("of-{id}"), NAMED));
    }
    let grant = scene.active_grant(SUBJECT);
    scene.must(ETHICS, held("H-1", FAR_ISSUER, Own));
    assert_eq!((review(&scene).hold, scene.state(grant)), (Clear, GrantState::Active));
    scene.supersede(OPERATOR, organization("agency", Some("department")));
    assert_eq!((review(&scene).hold, scene.state(grant)), (Block, GrantState::Suspended), "and it stops in the same commit");
    assert_eq!(scene.replay(), []);
}

#[test]
fn without_an_authority_or_without_whom_it_binds_no_prohibition_is_taken() {
    let mut scene = beginning();
    let refused = |r: Result<_, Refusal>| r.is_err();
    assert!(refused(scene.record(ETHICS, List { authority: None, ..prohibited("l", "organization:agency") })));
    assert!(refused(scene.record(ETHICS, List { binds: None, ..prohibited("l", "organization:agency") })));
    assert!(refused(scene.record(ETHICS, prohibited("l", "organization:nowhere"))));
    assert!(refused(scene.record(ETHICS, prohibited("l", "person:P-nobody"))));
    assert!(refused(scene.record(ETHICS, List { kind: ListKind::Restricted, ..prohibited("l", "organization:agency") })));
    assert!(refused(scene.record(OPERATOR, prohibited("l", "organization:agency"))), "the ethics office's to say");
    scene.must(ETHICS, prohibited("l", "organization:agency"));
    assert!(refused(scene.record(ETHICS, item("it", "l", "provider:lab"))), "an issuer is held, a provider is not");
}

/// 5 CFR 2635.403(c)(2), and those the part does not bind.
#[test]
fn service_counts_and_contractors_are_asked_about() {
    let mut scene = forbidding("organization:agency", NAMED);
    let tie = Relationship {
        id: text("T-1"),
        person: text(SUBJECT),
        kind: RelationshipKind::Serves,
        relation: Own,
        issuer: Some(text(FAR_ISSUER)),
        organization: None,
        from: None,
        until: None,
        provenance: None,
        supersedes: None,
    };
    scene.must(ETHICS, tie);
    assert_eq!(review(&scene).hold, Block);
    scene.supersede(OPERATOR, Person { status: PersonStatus::Contractor, ..person(SUBJECT) });
    assert_eq!(review(&scene).hold, Refer);
}

#[test]
fn what_nobody_can_tell_the_issuer_of_may_be_forbidden() {
    let mut scene = forbidding("organization:agency", NAMED);
    assert_eq!(review(&scene).hold, Clear);
    scene.must(ETHICS, holding("H-0", SUBJECT, None, "2026-05-31"));
    assert_eq!(review(&scene).hold, Refer);
}

/// 5 CFR 2640.204 and its example: $2,000 of stock bought in breach, below every limit.
#[test]
fn no_exemption_reaches_what_is_held_in_breach() {
    let mut scene = beginning();
    scene.must(ETHICS, held("H-1", LAB_ISSUER, Own));
    assert_eq!(review(&scene).participate, Clear, "exempt as a small holding");
    scene.must(ETHICS, prohibited("not-held", "organization:agency"));
    scene.must(ETHICS, item("it-403", "not-held", "issuer:cik-0000000001"));
    let a = review(&scene);
    assert_eq!((a.participate, a.hold), (Block, Block));
    let list = scene.facts().list(&text("not-held")).unwrap().index;
    assert!(a.reasons.iter().any(|r| r.rule.as_str() == "R-208-1" && r.evidence.contains(&list)));
}

/// 5 CFR 2635.403(d): ninety days from the direction, and the bar goes on while it is held.
#[test]
fn divestiture_is_owed_by_its_day_and_the_bar_lasts_until_it_is_sold() {
    let mut scene = forbidding("organization:agency", NAMED);
    let held_one = held("H-1", FAR_ISSUER, Own);
    scene.must(ETHICS, held_one.clone());
    let owed = |scene: &Scene| review(scene).obligations.into_iter().find(|o| o.what == ObligationKind::Divest).unwrap().due;
    assert_eq!(owed(&scene), None, "nothing was directed yet");
    let day = Date::of(scene.now());
    let step = |step, until: Option<Date>| DutyEvent {
        person: text(SUBJECT),
        duty: DutyKind::Divestiture,
        since: day.clone(),
        step,
        on: day.clone(),
        until,
        document_hash: None,
        text: None,
    };
    scene.must(ETHICS, step(DutyStep::Imposed, None));
    assert_eq!(owed(&scene), day.plus_days(91).start());
    scene.must(ETHICS, step(DutyStep::Extended, Some(day.plus_days(120))));
    assert_eq!(owed(&scene), day.plus_days(121).start());
    assert_eq!(review(&scene).hold, Block);
    scene.supersede(ETHICS, Holding { value: Band::new(Some(0), Some(0)).unwrap(), ..held_one });
    assert_eq!(review(&scene).hold, Clear);
}

/// A holding, a tie or a purchase becomes a case, whoever was recorded last, the list or what is held; once for each, and with or without access.
#[test]
fn a_breach_becomes_one_case_whichever_came_last() {
    let opened = |scene: &mut Scene| {
        scene.advance(2 * HOUR).settle();
        let of = scene.facts().cases().filter(|(_, c)| c.rule.as_str() == "R-403-1");
        of.map(|(_, c)| (c.person.to_string(), c.evidence.len())).collect::<Vec<_>>()
    };
    let mut scene = forbidding("organization:agency", NAMED);
    scene.must(ETHICS, held("H-1", FAR_ISSUER, Own));
    assert_eq!(opened(&mut scene), [(SUBJECT.to_owned(), 3)]);
    scene.supersede(ETHICS, Holding { as_of: "2026-06-01".parse().unwrap(), ..held("H-1", FAR_ISSUER, Own) });
    assert_eq!(opened(&mut scene).len(), 1, "the same holding, told again");
    let mut scene = beginning();
    scene.must(ETHICS, held("H-1", FAR_ISSUER, Own));
    let bought = scene.must(ETHICS, trade("t-1", SUBJECT, Some(FAR_ISSUER), Date::of(scene.now()).as_str()));
    scene.must(ETHICS, Trade { kind: TradeKind::Sale, ..trade("t-2", SUBJECT, Some(FAR_ISSUER), Date::of(scene.now()).as_str()) });
    scene.must(ETHICS, prohibited("not-held", "organization:agency"));
    assert_eq!(opened(&mut scene), []);
    let from = scene.now().plus(DAY);
    scene.must(ETHICS, ListItem { from, ..item("it-403", "not-held", NAMED) });
    scene.advance(2 * HOUR).settle();
    let evidence = |scene: &Scene| {
        let of = scene.facts().cases().filter(|(_, c)| c.rule.as_str() == "R-403-1");
        of.flat_map(|(_, c)| c.evidence.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        (evidence(&scene).len(), evidence(&scene).contains(&bought)),
        (3, false),
        "held into a day on which it may not be; bought before"
    );
    let later = scene.must(ETHICS, trade("t-3", SUBJECT, Some(FAR_ISSUER), Date::of(from).as_str()));
    scene.advance(2 * HOUR).settle();
    assert!(evidence(&scene).contains(&later));
    assert_eq!(scene.replay(), []);
}

#[test]
fn who_may_not_hold_may_not_buy_and_may_sell() {
    let mut scene = forbidding("organization:agency", NAMED);
    let everybody = PreclearancePolicy { required_of: PreclearanceScope::Everybody, ..preclearance_policy() };
    scene.supersede(OPERATOR, Policy { preclearance: Some(everybody), version: 2, ..policy() });
    scene.advance(DAY).settle();
    let day = Date::of(scene.now());
    for (kind, cleared) in [(TradeKind::Purchase, false), (TradeKind::Sale, true)] {
        let asked = PreclearanceRequest { kind, ..asks(OTHER, Some(FAR_ISSUER), day.as_str(), day.as_str()) };
        let index = scene.must(ETHICS, asked);
        let known = scene.facts().preclearance(index).unwrap();
        let why: Vec<_> = known.request.assessment.iter().flat_map(|a| &a.reasons).map(|r| r.rule.to_string()).collect();
        assert_eq!((known.cleared_until().is_some(), why.contains(&"R-PCL-12".to_owned())), (cleared, !cleared), "{kind:?}: {why:?}");
    }
}
