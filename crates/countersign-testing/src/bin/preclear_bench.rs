//! Whether an answer tells of a watch list by the time it takes or the bytes it makes: interleaved pairs of requests to trade, requests for access and
//! accesses, one about what is watched and one about what is not, through the whole commit on a store in memory.
//! `cargo run --release -p countersign-testing --bin preclear_bench`.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a benchmark that fails should stop")]

use std::time::Instant;

use countersign_conflict::assess_trade;
use countersign_entry::ids::{PersonId, SubmissionId};
use countersign_entry::record::{AgreementKind, Issuer, ListKind, Person, PreclearancePolicy, Record};
use countersign_entry::time::DAY;
use countersign_testing::ledger::{World, access, agreement, cast, grant_request, person, principal, record, stage_set, submission_record};
use countersign_testing::scene;

const PAIRS: usize = 10_000;
const WARM: usize = 500;
/// A person's requests a day are few, so many people ask.
const PEOPLE: usize = 60;
const WATCHED: &str = "cik-0000000002";
const OTHER: &str = "cik-0000000003";

fn main() {
    let limits = PreclearancePolicy { daily_quota: 1_000, probing_instruments: 1_000, ..scene::preclearance_policy() };
    let mut records = cast();
    for record in &mut records {
        if let Record::Policy(policy) = record {
            policy.preclearance = Some(limits.clone());
        }
    }
    let (world, mut ledger) = World::start_with(&principal("founder"), &principal("sequencer"), records);
    for id in [WATCHED, OTHER] {
        let (id, name) = (scene::text(id), scene::text("An issuer"));
        let issuer = Issuer { id, name, cik: None, tickers: vec![], former_names: vec![], sub_industry: None, supersedes: None };
        record(&mut ledger, "founder", &format!("issuer-{}", issuer.id), issuer).unwrap();
    }
    let people: Vec<PersonId> = (0..PEOPLE).map(|n| person(&format!("asks{n:03}"))).collect();
    for (n, who) in people.iter().enumerate() {
        let known = ledger.facts().persons().next().unwrap().record.clone();
        let one = Person { id: who.clone(), supersedes: None, ..known };
        record(&mut ledger, "founder", &format!("person-{n}"), one).unwrap();
    }
    record(&mut ledger, "ethics", "list", scene::list("quiet", ListKind::Watch, None)).unwrap();
    record(&mut ledger, "ethics", "item", scene::item("quiet-1", "quiet", &format!("issuer:{WATCHED}"))).unwrap();
    let today = countersign_entry::ids::Date::of(ledger.now());
    let until = today.plus_days(30);

    let (mut watched, mut other) = (Vec::new(), Vec::new());
    let (mut alone, mut sizes, mut differ) = ([Vec::new(), Vec::new()], [0usize; 2], 0usize);
    for n in 0..WARM + PAIRS {
        let who = people[n % PEOPLE].as_str();
        // Which of the two comes first changes from pair to pair.
        let order = if n % 2 == 0 { [0, 1] } else { [1, 0] };
        let mut told = [None, None];
        for which in order {
            let issuer = [WATCHED, OTHER][which];
            let request = scene::asks(who, Some(issuer), today.as_str(), until.as_str());
            let key = format!("q-{n}-{which}");
            let begun = Instant::now();
            assess_trade(ledger.facts(), ledger.now(), &request);
            let assessed = begun.elapsed();
            let begun = Instant::now();
            let receipt = record(&mut ledger, "ethics", &key, request).unwrap();
            let took = begun.elapsed();
            let Record::PreclearanceRequest(r) = &receipt.record else { unreachable!() };
            let bytes = receipt.record.encode(receipt.at.value(), "pr-ethics", &key, None, || [0; 16]).unwrap().bytes.len().div_ceil(128);
            told[which] = Some((r.cleared_until.clone(), bytes));
            if n >= WARM {
                sizes[which] += bytes;
                alone[which].push(assessed.as_secs_f64() * 1e6);
                if which == 0 { &mut watched } else { &mut other }.push(took.as_secs_f64() * 1e6);
            }
        }
        differ += usize::from(told[0] != told[1]);
        world.clock.advance(1_000);
    }
    println!("requests to trade: {PAIRS} pairs; answers or padded sizes that differ within a pair: {differ}; 128-byte blocks: {sizes:?}");
    tell("whole commit, µs", &watched, &other);
    tell("assess_trade, µs", &alone[0], &alone[1]);
    accesses();
}

/// Requests for access and accesses: a new person for each pair, so that each about what is watched is a first hit.
fn accesses() {
    let (world, mut ledger) = World::start_with(&principal("founder"), &principal("sequencer"), cast());
    let first = stage_set(&mut ledger);
    let second: SubmissionId = scene::text("S-0002");
    let (lab, now) = (scene::text("lab"), ledger.now());
    record(&mut ledger, "founder", "second", submission_record(&second, &lab, now)).unwrap();
    record(&mut ledger, "ethics", "list", scene::list("quiet", ListKind::Watch, None)).unwrap();
    record(&mut ledger, "ethics", "item", scene::item("quiet-1", "quiet", &format!("submission:{first}"))).unwrap();
    let known = ledger.facts().persons().next().unwrap().record.clone();
    let submissions = [first, second];
    let mut taken = [[Vec::new(), Vec::new()], [Vec::new(), Vec::new()]];
    let (mut differ, mut opened_before) = (0usize, 0usize);
    for n in 0..WARM + PAIRS {
        let who = format!("a{n:05}");
        record(&mut ledger, "founder", &format!("p-{n}"), Person { id: person(&who), supersedes: None, ..known.clone() }).unwrap();
        for kind in [AgreementKind::AccessTerms, AgreementKind::NoInterestCertification] {
            let name = format!("{who}-{kind:?}");
            let signed = agreement(&name, &who, kind, ledger.now());
            record(&mut ledger, "officer", &name, signed).unwrap();
        }
        let order = if n % 2 == 0 { [0, 1] } else { [1, 0] };
        let mut told = [None, None];
        for which in order {
            let asks = grant_request(&who, &submissions[which], ledger.now().plus(DAY));
            let begun = Instant::now();
            let granted = record(&mut ledger, "officer", &format!("g-{n}-{which}"), asks).unwrap();
            let request_took = begun.elapsed();
            let seen = access(&who, &submissions[which], Some(granted.index), ledger.now());
            let begun = Instant::now();
            let logged = record(&mut ledger, "gateway", &format!("a-{n}-{which}"), seen).unwrap();
            let access_took = begun.elapsed();
            let size = |index| ledger.stored_len(index).unwrap();
            let decision = |r: &Record| r.assessment().map(|a| (a.decision, a.participate, a.hold, a.trade));
            told[which] = Some((
                decision(&granted.record),
                size(granted.index),
                decision(&logged.record),
                size(logged.index),
                logged.index - granted.index,
            ));
            if n >= WARM {
                taken[0][which].push(request_took.as_secs_f64() * 1e6);
                taken[1][which].push(access_took.as_secs_f64() * 1e6);
            }
        }
        differ += usize::from(told[0] != told[1]);
        world.clock.advance(1_000);
        opened_before = ledger.facts().cases().count();
    }
    world.clock.advance(3_600 * 1_000_000);
    ledger.tick().unwrap();
    let of_watch = ledger.facts().cases().filter(|(_, c)| c.rule.as_str() == "R-WCH-1").count();
    println!(
        "requests for access and accesses: {PAIRS} pairs; decisions, stored sizes or positions that differ within a pair: {differ}; \
         cases before the cadence: {opened_before}, about the watch list at the cadence: {of_watch}"
    );
    tell("request for access, whole commit, µs", &taken[0][0], &taken[0][1]);
    tell("access, whole commit, µs", &taken[1][0], &taken[1][1]);
}

/// Welch's t over all, and over what lies below the 90th percentile of both: the tail is the machine's, not the program's.
fn tell(what: &str, a: &[f64], b: &[f64]) {
    let cut = percentile(&[a, b].concat(), 0.9);
    let below = |x: &[f64]| x.iter().copied().filter(|v| *v <= cut).collect::<Vec<_>>();
    println!(
        "{what}: watched mean {:.2} p99 {:.2}, other mean {:.2} p99 {:.2}, t = {:.2}, below the 90th percentile t = {:.2}",
        mean(a),
        percentile(a, 0.99),
        mean(b),
        percentile(b, 0.99),
        welch(a, b),
        welch(&below(a), &below(b))
    );
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn welch(a: &[f64], b: &[f64]) -> f64 {
    let var = |x: &[f64]| {
        let m = mean(x);
        x.iter().map(|v| (v - m) * (v - m)).sum::<f64>() / (x.len() as f64 - 1.0) / x.len() as f64
    };
    (mean(a) - mean(b)) / (var(a) + var(b)).sqrt()
}

fn percentile(x: &[f64], p: f64) -> f64 {
    let mut sorted = x.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * p) as usize]
}
