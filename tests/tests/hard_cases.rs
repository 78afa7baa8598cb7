//! The fifteen hardest edge cases of the domain notes (section 10), and what they say to test as well, over a real ledger that the verifier replays. What
//! one person's facts alone make of them, and case 7, are scenarios: crates/countersign-law/tests/hard_cases.rs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a panic is a failed test")]

use countersign_entry::ids::{Date, LeafIndex, RequestKey};
use countersign_entry::record::*;
use countersign_entry::time::{DAY, Micros};
use countersign_ledger::{Ledger, Request};
use countersign_testing::history;
use countersign_testing::ledger::{World, options, verified};
use countersign_testing::scene::{
    APPROVER, APPROVER_2, ETHICS, FAR_ISSUER, GATEWAY, HOUR, INVESTOR, LAB_ISSUER, OFFICER, OPERATOR, OTHER, RESTRICTED, SEQUENCER,
    SUBJECT, SUBMISSION, WATCH, access, asks, exposure, holding, item, move_to, person, policy, preclearance_policy, principal, prohibited,
    recusal, request, submission, superseding, text, trade,
};

/// A ledger with the furniture of every history, recorded by those who may, on 1 June 2026 at noon.
fn furnished() -> (World, Ledger) {
    let entries = history::beginning().entries().to_vec();
    let by_operator = entries.iter().take_while(|e| e.meta.actor == OPERATOR).count();
    let (first, rest) = entries.split_at(by_operator);
    let (world, mut ledger) = World::start_with(&text(OPERATOR), &text(SEQUENCER), first.iter().map(|e| e.record.clone()).collect());
    for entry in rest {
        put(&mut ledger, &entry.meta.actor, entry.record.clone());
    }
    (world, ledger)
}

fn ask(ledger: &mut Ledger, actor: &str, record: impl Into<Record>) -> Result<LeafIndex, String> {
    let key = RequestKey::new(format!("k-{}", ledger.size())).unwrap();
    let receipt = ledger.append(Request { actor: text(actor), key, record: record.into(), signed: None });
    receipt.map(|r| LeafIndex(r.index)).map_err(|e| e.to_string())
}

fn put(ledger: &mut Ledger, actor: &str, record: impl Into<Record>) -> LeafIndex {
    ask(ledger, actor, record).unwrap()
}

/// In the place of the newest record of its type and id.
fn again(ledger: &mut Ledger, actor: &str, record: impl Into<Record>) -> LeafIndex {
    let record = superseding(ledger.facts(), record);
    put(ledger, actor, record)
}

fn active(ledger: &mut Ledger, who: &str) -> LeafIndex {
    let ends = ledger.now().plus(10 * DAY);
    let grant = put(ledger, OFFICER, request(who, ends));
    for (actor, to) in [(APPROVER, GrantState::Approved), (APPROVER_2, GrantState::Approved), (OFFICER, GrantState::Active)] {
        put(ledger, actor, move_to(grant, to));
    }
    grant
}

fn state(ledger: &Ledger, grant: LeafIndex) -> GrantState {
    ledger.facts().grant(grant).unwrap().state
}

/// Lets time pass and the ledger record what that made due.
fn pass(world: &World, ledger: &mut Ledger, micros: u64) {
    world.clock.advance(micros);
    ledger.tick().unwrap();
}

/// Rules under which cases were opened about a person, in order.
fn cases(ledger: &Ledger, who: &str) -> Vec<String> {
    let of = ledger.facts().cases().filter(|(_, c)| c.person.as_str() == who);
    of.map(|(_, c)| c.rule.to_string()).collect()
}

fn today(ledger: &Ledger) -> String {
    Date::of(ledger.now()).to_string()
}

/// Under a grant, not before it was opened: a ledger's times run ahead of a clock that stands still.
fn sees(ledger: &mut Ledger, who: &str, grant: Option<LeafIndex>) -> LeafIndex {
    let opened = grant.and_then(|g| ledger.facts().grant(g)?.open.last().map(|(from, _)| *from));
    let at = ledger.now().max(opened.unwrap_or(Micros::EPOCH));
    put(ledger, GATEWAY, access(who, grant, at))
}

fn band(lo: Option<u64>, hi: Option<u64>) -> Band {
    Band::new(lo, hi).unwrap()
}

fn holds(id: &str, issuer: &str, class: InstrumentClass, value: Band) -> Holding {
    let mut held = Holding { value, ..holding(id, SUBJECT, Some(issuer), "2026-05-31") };
    held.instrument.class = class;
    held
}

/// What a request for work on the submission comes to, for somebody with these holdings, by a ledger that verifies.
fn decided(held: Vec<Holding>) -> (Outcome, Decision) {
    let (_, mut ledger) = furnished();
    for h in held {
        put(&mut ledger, ETHICS, h);
    }
    let ends = ledger.now().plus(10 * DAY);
    let request = put(&mut ledger, OFFICER, request(SUBJECT, ends));
    verified(&ledger);
    let (_, _, record) = ledger.entry(request.0).unwrap();
    let assessed = record.assessment().unwrap();
    (assessed.participate, assessed.decision)
}

/// 1, 2, 4 and 8: bands that straddle the limit, a report without a value, both limits in one matter, and what has no limit at all.
#[test]
fn case_01_02_04_and_08_sums_that_cannot_be_told_are_referred() {
    use InstrumentClass::{Equity, Option as Listed, PrivateStake};
    let form = band(Some(1_001), Some(15_000));
    let exactly = |n| band(Some(n), Some(n));
    assert_eq!(decided(vec![holds("H-1", LAB_ISSUER, Equity, form)]), (Outcome::Clear, Decision::Cleared));
    let two = vec![holds("H-1", LAB_ISSUER, Equity, form), holds("H-2", LAB_ISSUER, Equity, form)];
    assert_eq!(decided(two), (Outcome::Refer, Decision::Referred), "2,002 to 30,000");
    assert_eq!(decided(vec![holds("H-1", LAB_ISSUER, Equity, Band::UNKNOWN)]), (Outcome::Refer, Decision::Referred));
    let both = |party, other| vec![holds("H-1", LAB_ISSUER, Equity, exactly(party)), holds("H-2", INVESTOR, Equity, exactly(other))];
    assert_eq!(decided(both(15_000, 10_000)).0, Outcome::Clear);
    assert_eq!(decided(both(15_000, 10_001)).0, Outcome::Refer);
    assert_eq!(decided(both(15_001, 0)).0, Outcome::Block);
    assert_eq!(decided(vec![holds("H-1", LAB_ISSUER, PrivateStake, exactly(100))]).0, Outcome::Block, "no limit is for a private stake");
    assert_eq!(decided(vec![holds("H-1", LAB_ISSUER, Listed, Band::UNKNOWN)]).0, Outcome::Refer);
}

/// 3: a value that drifts above the limit in mid-window stops the grant in the commit in which it became known, and the sale of the excess lifts it.
#[test]
fn case_03_a_value_that_drifted_binds_from_when_it_is_recorded() {
    let (_, mut ledger) = furnished();
    let at = |dollars| holds("H-1", LAB_ISSUER, InstrumentClass::Equity, band(Some(dollars), Some(dollars)));
    put(&mut ledger, ETHICS, at(14_900));
    let grant = active(&mut ledger, SUBJECT);
    let known = again(&mut ledger, ETHICS, at(15_400));
    assert_eq!(state(&ledger, grant), GrantState::Suspended);
    let (_, _, next) = ledger.entry(known.0 + 1).unwrap();
    assert!(matches!(next, Record::GrantTransition(t) if t.cause == Some(known)), "it names what made it so");
    again(&mut ledger, ETHICS, at(15_000));
    put(&mut ledger, OFFICER, move_to(grant, GrantState::Active));
    assert_eq!(state(&ledger, grant), GrantState::Active);
    verified(&ledger);
}

/// 5 and 6 over a ledger: the review of one developer's model has that developer for a party, and its few rivals are none.
#[test]
fn case_05_and_06_a_rival_is_no_party() {
    let (_, mut ledger) = furnished();
    let much = |id, issuer| holds(id, issuer, InstrumentClass::Equity, band(Some(100_001), Some(250_000)));
    put(&mut ledger, ETHICS, much("H-1", FAR_ISSUER));
    let ends = ledger.now().plus(10 * DAY);
    let of = |ledger: &Ledger, index: LeafIndex| ledger.entry(index.0).unwrap().2.assessment().unwrap().participate;
    let rival = put(&mut ledger, OFFICER, request(SUBJECT, ends));
    assert_eq!(of(&ledger, rival), Outcome::Clear, "the other lab is not touched by this review");
    put(&mut ledger, ETHICS, much("H-2", LAB_ISSUER));
    let own = put(&mut ledger, OFFICER, request(SUBJECT, ends));
    assert_eq!(of(&ledger, own), Outcome::Block);
    verified(&ledger);
}

/// What a supplemental regulation forbids to hold: no small sum is exempt, and the direction to divest has its day (5 CFR 2635.403, 2640.204).
#[test]
fn a_prohibited_holding_bars_by_its_authority() {
    let (world, mut ledger) = furnished();
    put(&mut ledger, ETHICS, prohibited("not-held", "organization:agency"));
    put(&mut ledger, ETHICS, item("it-403", "not-held", &format!("issuer:{LAB_ISSUER}")));
    put(&mut ledger, ETHICS, holds("H-1", LAB_ISSUER, InstrumentClass::Equity, band(Some(2_000), Some(2_000))));
    let ends = ledger.now().plus(10 * DAY);
    let request = put(&mut ledger, OFFICER, request(SUBJECT, ends));
    let (_, _, record) = ledger.entry(request.0).unwrap();
    let assessed = record.assessment().unwrap();
    assert_eq!((assessed.participate, assessed.hold), (Outcome::Block, Outcome::Block));
    pass(&world, &mut ledger, 2 * HOUR);
    assert_eq!(cases(&ledger, SUBJECT), ["R-403-1"]);
    verified(&ledger);
}

/// 9: an adult child's or a parent's trades are in reach of surveillance, since what was told in confidence binds them (17 CFR 240.10b5-2(b)(3)).
#[test]
fn case_09_a_trade_of_the_family_is_looked_at() {
    let (world, mut ledger) = furnished();
    let grant = active(&mut ledger, SUBJECT);
    sees(&mut ledger, SUBJECT, Some(grant));
    let day = today(&ledger);
    for (n, relation) in [HolderRelation::AdultChild, HolderRelation::Parent, HolderRelation::Sibling].into_iter().enumerate() {
        put(&mut ledger, ETHICS, Trade { relation, ..trade(&format!("t-{n}"), SUBJECT, Some(LAB_ISSUER), &day) });
    }
    pass(&world, &mut ledger, 2 * HOUR);
    let of_case = ledger.facts().cases().find(|(_, c)| c.rule.as_str() == "R-703-1").unwrap().1.evidence.len();
    assert!(of_case >= 4, "three trades and the access: {of_case}");
    verified(&ledger);
}

/// 10: accounts that others run trade in a blackout. The trade is found; that nobody knew is for two people to say, and the grant stands.
#[test]
fn case_10_a_managed_account_trades_without_its_owners_knowledge() {
    let (world, mut ledger) = furnished();
    let grant = active(&mut ledger, SUBJECT);
    sees(&mut ledger, SUBJECT, Some(grant));
    let day = today(&ledger);
    for (id, relation) in [("t-managed", HolderRelation::ManagedAccount), ("t-spouse", HolderRelation::Spouse)] {
        // Together within what 5 CFR 2640.202(b) exempts: more would stop whoever takes part until somebody tells what is left.
        let value = Band::new(Some(1_001), Some(10_000)).unwrap();
        put(&mut ledger, ETHICS, Trade { relation, value, ..trade(id, SUBJECT, Some(INVESTOR), &day) });
    }
    pass(&world, &mut ledger, 2 * HOUR);
    assert_eq!(cases(&ledger, SUBJECT), ["R-703-1"]);
    assert_eq!(state(&ledger, grant), GrantState::Active, "a finding is no verdict");
    let case = ledger.facts().cases().next().unwrap().0;
    for (account, who) in [("pr-ethicsA", "P-ethicsA"), ("pr-ethicsB", "P-ethicsB")] {
        put(&mut ledger, OPERATOR, person(who));
        put(&mut ledger, OPERATOR, principal(account, Some(who), Role::EthicsOfficer));
    }
    let step = |step, disposition| CaseEvent {
        case,
        step,
        disposition,
        text: text("The manager decided alone"),
        evidence: vec![],
        document_hash: None,
    };
    put(&mut ledger, "pr-ethicsA", step(CaseStep::Dispose, Some(Disposition::LawfulBasis)));
    assert!(ask(&mut ledger, "pr-ethicsA", step(CaseStep::Approve, None)).is_err(), "nobody signs their own");
    put(&mut ledger, "pr-ethicsB", step(CaseStep::Approve, None));
    verified(&ledger);
}

/// 11: the trade is in a listed supplier of what was seen, or in an event contract on it; the tie is an edge, not a name.
#[test]
fn case_11_a_shadow_trade_is_found_over_the_graph() {
    let (world, mut ledger) = furnished();
    let edge = Exposure { id: text("ex-supplier"), relation: Relation::Supplier, tier: Tier::Two, ..exposure("ex-supplier", FAR_ISSUER) };
    put(&mut ledger, OPERATOR, edge);
    let grant = active(&mut ledger, SUBJECT);
    sees(&mut ledger, SUBJECT, Some(grant));
    let day = today(&ledger);
    let mut option = trade("t-option", SUBJECT, Some(FAR_ISSUER), &day);
    option.instrument.class = InstrumentClass::Option;
    let mut bet = trade("t-bet", SUBJECT, Some(LAB_ISSUER), &day);
    bet.instrument.class = InstrumentClass::EventContract;
    for t in [option, bet] {
        let index = put(&mut ledger, ETHICS, t);
        let found = ledger.facts().trades_to_look_at(&text(SUBJECT), &text(SUBMISSION)).any(|f| f.trade.index == index);
        assert!(found);
    }
    pass(&world, &mut ledger, 2 * HOUR);
    assert_eq!(cases(&ledger, SUBJECT), ["R-703-1"]);
    verified(&ledger);
}

/// 12: a standing order or a plan from before is no reason to look away; the case ends with a lawful basis, or it does not.
#[test]
fn case_12_an_order_from_before_access_is_still_found() {
    let (world, mut ledger) = furnished();
    put(&mut ledger, ETHICS, trade("t-before", SUBJECT, Some(LAB_ISSUER), "2026-05-29"));
    world.clock.advance(DAY);
    let grant = active(&mut ledger, SUBJECT);
    sees(&mut ledger, SUBJECT, Some(grant));
    world.clock.advance(DAY);
    let day = today(&ledger);
    let filled = put(&mut ledger, ETHICS, trade("t-filled", SUBJECT, Some(LAB_ISSUER), &day));
    pass(&world, &mut ledger, 2 * HOUR);
    let (_, case) = ledger.facts().cases().next().map(|(i, c)| (i, c.clone())).unwrap();
    assert_eq!((case.finding, case.rule.as_str()), (filled, "R-703-1"), "the trade of before is none");
    assert_eq!(ledger.facts().cases().count(), 1);
    verified(&ledger);
}

/// What a requester could see of a ledger: how many entries there are, what kind and size each has and when it was recorded, and what was decided.
fn observed(ledger: &Ledger, from: u64) -> Vec<String> {
    let told = |index| {
        let (_, meta, record) = ledger.entry(index).unwrap();
        let decision = record.assessment().map(|a| a.decision);
        format!("{index} {} {} {} {decision:?}", meta.kind, meta.at, ledger.stored_len(index).unwrap())
    };
    [format!("size {}", ledger.size())].into_iter().chain((from..ledger.size()).map(told)).collect()
}

/// 13: a watch-list hit and none: the same answers, sizes, times and sequence until the cadence; and the case then opens at the cadence.
#[test]
fn case_13_a_watch_list_hit_shows_in_nothing_a_requester_sees() {
    let run = |watched: &str| {
        let (world, mut ledger) = furnished();
        again(&mut ledger, OPERATOR, Policy { preclearance: Some(preclearance_policy()), version: 2, ..policy() });
        put(&mut ledger, ETHICS, item("it-1", WATCH, &format!("issuer:{watched}")));
        let from = ledger.size();
        let grant = active(&mut ledger, SUBJECT);
        world.clock.advance(1_000_000);
        sees(&mut ledger, SUBJECT, Some(grant));
        let day = today(&ledger);
        put(&mut ledger, ETHICS, asks(OTHER, Some(LAB_ISSUER), &day, &day));
        let seen = observed(&ledger, from);
        pass(&world, &mut ledger, 2 * HOUR);
        (seen, cases(&ledger, SUBJECT), ledger)
    };
    // Two issuers whose ids have one length, so that the items themselves are alike: one that the submission touches, and one it does not.
    let (hit, opened, ledger) = run(LAB_ISSUER);
    let (miss, none, _) = run(FAR_ISSUER);
    assert_eq!(hit, miss);
    assert_eq!((opened, none), (vec!["R-WCH-1".to_owned()], vec![]));
    let opened = ledger.facts().cases().next().map(|(i, _)| ledger.facts().case_file(i).unwrap().opened_at).unwrap();
    let asked = ledger.facts().grants().next().unwrap().1.at;
    assert!(opened.value() / HOUR > asked.value() / HOUR, "with the batch of a later hour, not with the request: {opened}");
    verified(&ledger);
}

/// 14: a recused director who never saw anything leaves, and the two years run all the same.
#[test]
fn case_14_recusal_does_not_stop_the_two_years() {
    let (world, mut ledger) = furnished();
    let grant = active(&mut ledger, SUBJECT);
    put(&mut ledger, ETHICS, recusal("rc", SUBJECT, "provider:lab"));
    assert_eq!(state(&ledger, grant), GrantState::Suspended);
    world.clock.advance(DAY);
    let left = Date::of(ledger.now());
    again(&mut ledger, OPERATOR, Person { status: PersonStatus::Former, ..person(SUBJECT) });
    assert_eq!(state(&ledger, grant), GrantState::Departed);
    pass(&world, &mut ledger, HOUR);
    assert_eq!(state(&ledger, grant), GrantState::CoolingOff);
    let clocks = ledger.facts().clocks(ledger.facts().grant(grant).unwrap());
    assert_eq!(clocks.responsibility_until, Some(left.plus_months(24)));
    verified(&ledger);
}

/// 15: who verifies without the keys of what was erased still proves every leaf; nothing is wrongly called tampered.
#[test]
fn case_15_proofs_hold_when_contents_cannot_be_opened() {
    let (world, mut ledger) = furnished();
    let grant = active(&mut ledger, SUBJECT);
    sees(&mut ledger, SUBJECT, Some(grant));
    let hold = LegalHold {
        id: text("lh"),
        scope: HoldScope::Person(text(SUBJECT)),
        authority: text("Inquiry 7"),
        from: ledger.now(),
        until: None,
        supersedes: None,
    };
    put(&mut ledger, ETHICS, hold);
    pass(&world, &mut ledger, HOUR);
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("export");
    countersign_ledger::export::export(&ledger, &to, countersign_ledger::export::Planes::Both, &mut |_| {}).unwrap();
    let source = countersign_verify::files::DirSource::new(&to);
    let mut without = options(&ledger);
    let opened = without.keys.take().unwrap();
    without.public_only = true;
    let report = countersign_verify::verify(&source, &without, &mut |_| {});
    assert_eq!(report.verdict, countersign_verify::Verdict::Verified, "the public plane needs no key: {report}");
    // One key gone: order and hashes are proved, and what stays shut is said to be shut.
    let mut one_gone = options(&ledger);
    let used = opened.keys().next().copied().unwrap();
    one_gone.keys.as_mut().unwrap().remove(&used);
    let report = countersign_verify::verify(&source, &one_gone, &mut |_| {});
    assert_eq!(report.verdict, countersign_verify::Verdict::CouldNotCheck, "{report}");
}

/// Also: public before partners get it. Trading is free once cleansed, and the window goes on.
#[test]
fn also_public_release_before_the_window_ends() {
    let (world, mut ledger) = furnished();
    let grant = active(&mut ledger, SUBJECT);
    sees(&mut ledger, SUBJECT, Some(grant));
    world.clock.advance(DAY);
    let now = ledger.now();
    again(&mut ledger, OPERATOR, Submission { public_release_at: Some(now), cleansed_at: Some(now), ..submission() });
    world.clock.advance(2 * DAY);
    let day = today(&ledger);
    put(&mut ledger, ETHICS, trade("t-after", SUBJECT, Some(LAB_ISSUER), &day));
    pass(&world, &mut ledger, 2 * HOUR);
    assert_eq!((state(&ledger, grant), cases(&ledger, SUBJECT)), (GrantState::Active, vec![]));
    verified(&ledger);
}

/// Also: a release that was announced and called off ends nothing.
#[test]
fn also_a_cancelled_release_leaves_the_bar() {
    let (world, mut ledger) = furnished();
    let grant = active(&mut ledger, SUBJECT);
    sees(&mut ledger, SUBJECT, Some(grant));
    let soon = ledger.now().plus(DAY);
    again(&mut ledger, OPERATOR, Submission { public_release_at: Some(soon), cleansed_at: Some(soon), ..submission() });
    again(&mut ledger, OPERATOR, submission());
    world.clock.advance(3 * DAY);
    let day = today(&ledger);
    put(&mut ledger, ETHICS, trade("t", SUBJECT, Some(LAB_ISSUER), &day));
    pass(&world, &mut ledger, 2 * HOUR);
    assert_eq!(cases(&ledger, SUBJECT), ["R-703-1"]);
    verified(&ledger);
}

/// Also: the developer withdraws in mid-window; and another designation changes nothing by itself.
#[test]
fn also_an_offer_withdrawn_suspends_and_another_designation_does_not() {
    let (_, mut ledger) = furnished();
    let (grant, other) = (active(&mut ledger, SUBJECT), active(&mut ledger, OTHER));
    let designation = |reference: &str| Designation {
        id: text("d-1"),
        submission: text(SUBMISSION),
        reference: text(reference),
        decided_by: text("Director"),
        decided_at: Micros::EPOCH,
        marking: MarkingLevel::Secret,
        supersedes: None,
    };
    put(&mut ledger, OPERATOR, designation("high-1"));
    again(&mut ledger, OPERATOR, designation("high-2"));
    assert_eq!(state(&ledger, grant), GrantState::Active);
    let now = ledger.now();
    let offer = submission().offer.map(|o| Offer { revoked_at: Some(now), ..o });
    again(&mut ledger, OPERATOR, Submission { offer, ..submission() });
    assert_eq!((state(&ledger, grant), state(&ledger, other)), (GrantState::Suspended, GrantState::Suspended));
    verified(&ledger);
}

/// Also: clocks of agencies differ. A little is let pass, more is looked into, and nothing is lost.
#[test]
fn also_clock_skew_is_recorded_and_referred_beyond_what_policy_lets_pass() {
    let (world, mut ledger) = furnished();
    let grant = active(&mut ledger, SUBJECT);
    let now = ledger.now();
    put(&mut ledger, GATEWAY, access(SUBJECT, Some(grant), now.plus(299 * 1_000_000)));
    put(&mut ledger, GATEWAY, access(SUBJECT, Some(grant), now.plus(HOUR)));
    pass(&world, &mut ledger, 2 * HOUR);
    assert_eq!(cases(&ledger, SUBJECT), ["R-CLK-1"]);
    verified(&ledger);
}

/// Also: a name or an identifier turns out to be another issuer's. The trade that is linked anew is held against what was seen.
#[test]
fn also_an_issuer_merged_later_finds_the_old_trade() {
    let (world, mut ledger) = furnished();
    let grant = active(&mut ledger, SUBJECT);
    sees(&mut ledger, SUBJECT, Some(grant));
    let day = today(&ledger);
    put(&mut ledger, ETHICS, trade("t", SUBJECT, Some(FAR_ISSUER), &day));
    pass(&world, &mut ledger, 2 * HOUR);
    assert!(cases(&ledger, SUBJECT).is_empty(), "nothing touches it");
    again(&mut ledger, ETHICS, trade("t", SUBJECT, Some(LAB_ISSUER), &day));
    pass(&world, &mut ledger, 2 * HOUR);
    assert_eq!(cases(&ledger, SUBJECT), ["R-703-1"]);
    verified(&ledger);
}

/// Also: a stock split. Four times the units for the same money is more than was cleared, and a human says why.
#[test]
fn also_a_stock_split_shows_as_more_units_than_were_cleared() {
    let (world, mut ledger) = furnished();
    let everybody = PreclearancePolicy { required_of: PreclearanceScope::Everybody, ..preclearance_policy() };
    again(&mut ledger, OPERATOR, Policy { preclearance: Some(everybody), version: 2, ..policy() });
    world.clock.advance(DAY);
    let from = today(&ledger);
    let asked = put(&mut ledger, ETHICS, asks(OTHER, Some(FAR_ISSUER), &from, &from));
    assert!(ledger.facts().preclearance(asked).unwrap().cleared_until().is_some());
    let bought = |id: &str, quantity| Trade {
        quantity: Some(quantity),
        value: Band::new(Some(4_000), Some(5_000)).unwrap(),
        ..trade(id, OTHER, Some(FAR_ISSUER), &from)
    };
    put(&mut ledger, ETHICS, bought("t-split", 400));
    pass(&world, &mut ledger, 2 * HOUR);
    assert_eq!(cases(&ledger, OTHER), ["R-PCL-10"]);
    verified(&ledger);
}

/// Also: one person in two agencies. What is seen for the one binds in the other; the restricted list reaches both.
#[test]
fn also_a_person_in_two_agencies_is_one_person() {
    let (world, mut ledger) = furnished();
    let organization = Organization {
        id: text("agency-2"),
        name: text("Another agency"),
        kind: OrganizationKind::Agency,
        parent: None,
        ethics_office: None,
        supersedes: None,
    };
    put(&mut ledger, OPERATOR, organization);
    let seat = RosterEntry {
        id: text("seat-2"),
        organization: text("agency-2"),
        person: text(SUBJECT),
        contact: false,
        from: ledger.now(),
        until: None,
        supersedes: None,
    };
    put(&mut ledger, OPERATOR, seat);
    let grant = active(&mut ledger, SUBJECT);
    sees(&mut ledger, SUBJECT, Some(grant));
    put(&mut ledger, ETHICS, item("it", RESTRICTED, &format!("issuer:{FAR_ISSUER}")));
    let day = today(&ledger);
    put(&mut ledger, ETHICS, trade("t", SUBJECT, Some(FAR_ISSUER), &day));
    pass(&world, &mut ledger, 2 * HOUR);
    assert_eq!(cases(&ledger, SUBJECT), ["R-RST-2"]);
    verified(&ledger);
}
