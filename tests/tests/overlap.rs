//! Many requests at once through the writer, so that one batch is decided while another is made durable: every fault at every step, repeated
//! requests among them, and no entry twice or lost.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "a panic is a failed test")]

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use countersign_ledger::{Access, AppendError, Ledger, Receipt, Request, Writer};
use countersign_store::memory::{Fault, Step};
use countersign_testing::ledger::*;

const REQUESTS: u64 = 3_000;

type Answers = Vec<(u64, Result<Receipt, AppendError>)>;

/// All requests, every one twice: the second among the next few hundred. The answers, in order.
fn submit_all(ledger: Ledger, submission: &countersign_entry::ids::SubmissionId) -> (Option<Ledger>, Answers) {
    let at = ledger.now();
    let writer = Writer::start(ledger).unwrap();
    let order = (0..REQUESTS).flat_map(|n| [Some(n), n.checked_sub(n * 7 % 300)]).flatten();
    let request = |n: u64| Request {
        actor: principal("gateway"),
        key: format!("event-{n}").parse().unwrap(),
        record: access("ada1", submission, None, at).into(),
        signed: None,
    };
    let waiting: Vec<_> = order.map(|n| (n, writer.submit(request(n)).unwrap())).collect();
    let answers = waiting.into_iter().map(|(n, pending)| (n, pending.wait())).collect();
    (writer.stop(), answers)
}

#[test]
fn repeated_requests_get_the_first_recording() {
    let (_world, mut ledger) = World::start();
    let submission = stage_set(&mut ledger);
    let base = ledger.size();
    let (ledger, answers) = submit_all(ledger, &submission);
    let ledger = ledger.unwrap();
    assert_eq!(ledger.size(), base + REQUESTS);
    let mut first = std::collections::BTreeMap::new();
    for (n, answer) in answers {
        let receipt = answer.unwrap();
        assert_eq!(*first.entry(n).or_insert(receipt.index), receipt.index, "request {n}");
        let stored = ledger.receipt(receipt.index).unwrap();
        assert_eq!(
            (&stored.leaf, &stored.record, &stored.note, &stored.hashes),
            (&receipt.leaf, &receipt.record, &receipt.note, &receipt.hashes)
        );
    }
    verified(&ledger);
}

#[test]
fn whoever_wants_the_proof_has_it_although_it_was_asked_before_without() {
    let (_world, mut ledger) = World::start();
    let submission = stage_set(&mut ledger);
    let (at, base) = (ledger.now(), ledger.size());
    let writer = Writer::start(ledger).unwrap();
    let request = |n: u64| Request {
        actor: principal("gateway"),
        key: format!("event-{n}").parse().unwrap(),
        record: access("ada1", &submission, None, at).into(),
        signed: None,
    };
    let (told, bare) = std::sync::mpsc::channel();
    let mut waiting = Vec::new();
    for n in 0..REQUESTS {
        let told = told.clone();
        writer.submit_bare(request(n), move |recorded| told.send((n, recorded.unwrap())).unwrap()).unwrap();
        // Right behind it, in the same batch or the next; and far behind it, without a proof again.
        let again = n - n * 7 % 300 % (n + 1);
        waiting.push((again, writer.submit(request(again)).unwrap()));
    }
    drop(told);
    let receipts: Vec<_> = waiting.into_iter().map(|(n, pending)| (n, pending.wait().unwrap())).collect();
    let ledger = writer.stop().unwrap();
    assert_eq!(ledger.size(), base + REQUESTS);
    let places: std::collections::BTreeMap<_, _> = bare.into_iter().collect();
    assert!(places.len() as u64 == REQUESTS && places.values().all(|recorded| !recorded.repeated));
    assert!(receipts.iter().any(|(n, receipt)| receipt.hashes.len() > 1 && *n > 1), "the proofs are none");
    for (n, receipt) in receipts {
        let stored = ledger.receipt(receipt.index).unwrap();
        assert_eq!((receipt.index, receipt.repeated), (places[&n].index, true), "request {n}");
        assert_eq!((&stored.leaf, &stored.note, &stored.hashes), (&receipt.leaf, &receipt.note, &receipt.hashes), "request {n}");
    }
    verified(&ledger);
}

/// Past twice as many leaves as the tree keeps, so that exports and old receipts need leaves it has forgotten.
#[test]
fn what_the_tree_forgot_is_still_proved_and_exported() {
    use countersign_ledger::limits::TREE_LEAVES;
    let (_world, mut ledger) = World::start();
    let submission = stage_set(&mut ledger);
    let at = ledger.now();
    let old = record(&mut ledger, "gateway", "the-first", access("ada1", &submission, None, at)).unwrap();
    for batch in 0..=(2 * TREE_LEAVES / 1_024) {
        let requests = (0..1_024u64).map(|n| Request {
            actor: principal("gateway"),
            key: format!("event-{batch}-{n}").parse().unwrap(),
            record: access("ada1", &submission, None, at).into(),
            signed: None,
        });
        assert!(ledger.commit(requests.collect()).iter().all(Result::is_ok));
    }
    assert!(ledger.size() > 2 * TREE_LEAVES);
    let stored = ledger.receipt(old.index).unwrap();
    assert_eq!((&stored.leaf, &stored.note, &stored.hashes), (&old.leaf, &old.note, &old.hashes));
    verified(&ledger);
}

#[test]
fn every_step_and_every_fault() {
    let faults = [Fault::Fail, Fault::Full, Fault::FailPersisted, Fault::CrashBefore, Fault::CrashTorn, Fault::CrashAfter];
    for step in [Step::Stage, Step::Seal, Step::Register] {
        for (fault, skip) in faults.into_iter().zip([0, 1, 2, 3, 1, 2]) {
            one(step, fault, skip);
        }
    }
}

fn one(step: Step, fault: Fault, skip: u64) {
    let (world, mut ledger) = World::start();
    let submission = stage_set(&mut ledger);
    world.disk.arm(step, skip, fault);
    each_once_or_not_at_all(&format!("{step:?} × {fault:?} after {skip}"), &world, ledger, &submission);
}

/// Randomness that fails once while one batch is sealed, the next decided and the one before made durable.
#[test]
fn randomness_that_fails_once() {
    for bytes in [0, 40_000, 100_000, 300_000, 500_000] {
        let (world, mut ledger) = World::start();
        let submission = stage_set(&mut ledger);
        world.random_bytes.store(bytes, Ordering::Relaxed);
        each_once_or_not_at_all(&format!("{bytes} random bytes"), &world, ledger, &submission);
    }
}

/// All requests at once, of which something fails; then what was acknowledged is there, and asked again each has one entry.
fn each_once_or_not_at_all(what: &str, world: &World, ledger: Ledger, submission: &countersign_entry::ids::SubmissionId) {
    let base = ledger.size();
    let (ledger, answers) = submit_all(ledger, submission);
    assert!(ledger.is_some_and(|ledger| ledger.read_only().is_some()), "{what}: after a failure the handle only reads");
    let mut acknowledged = BTreeSet::new();
    for (n, answer) in &answers {
        match answer {
            Ok(receipt) => drop(acknowledged.insert((*n, receipt.index))),
            Err(AppendError::Unknown(_) | AppendError::ReadOnly(_) | AppendError::Unavailable(_)) => {}
            Err(e) => panic!("{what}: {e}"),
        }
    }
    world.disk.restart();
    let ledger = world.open(Access::Write).unwrap();
    assert_eq!(ledger.read_only(), None, "{what}");
    for (n, index) in &acknowledged {
        let (_, meta, _) = ledger.entry(*index).unwrap_or_else(|e| panic!("{what}: event {n} is lost: {e}"));
        assert_eq!(meta.request, format!("event-{n}"), "{what}");
    }
    // Whoever was told *unknown*, or nothing, asks again with the same keys: each has one entry in the end.
    let (ledger, answers) = submit_all(ledger, submission);
    let ledger = ledger.unwrap();
    assert_eq!(ledger.size(), base + REQUESTS, "{what}");
    let again: BTreeSet<_> = answers.into_iter().map(|(n, answer)| (n, answer.unwrap().index)).collect();
    assert!(again.is_superset(&acknowledged) && again.len() as u64 == REQUESTS, "{what}");
    verified(&ledger);
}
