//! Every write step of a commit × every fault: what an error means, what a restart finds, and that nothing acknowledged is ever lost.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "a panic is a failed test")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_entry::ids::LeafIndex;
use countersign_entry::record::{AgreementKind, Recusal};
use countersign_entry::time::Micros;
use countersign_ledger::{Access, AppendError, Ledger};
use countersign_store::memory::{Fault, Step};
use countersign_testing::ledger::*;
use countersign_testing::scene::recusal;

const STEPS: [Step; 3] = [Step::Stage, Step::Seal, Step::Register];
const FAULTS: [Fault; 6] = [Fault::Fail, Fault::Full, Fault::FailPersisted, Fault::CrashBefore, Fault::CrashTorn, Fault::CrashAfter];

/// What a restart must find of the request that met the fault.
fn must_stand(step: Step, fault: Fault) -> bool {
    match (step, fault) {
        // Nothing whole was staged: as if the request had never come.
        (Step::Stage, Fault::Fail | Fault::Full | Fault::CrashBefore | Fault::CrashTorn) => false,
        // The batch was staged whole: recovery signs and seals it, whatever the client was told.
        _ => true,
    }
}

#[test]
fn every_step_and_every_fault() {
    for step in STEPS {
        for fault in FAULTS {
            for skip in 0..3 {
                one(step, fault, skip);
            }
        }
    }
}

fn one(step: Step, fault: Fault, skip: u64) {
    let what = format!("{step:?} × {fault:?} after {skip}");
    let (world, mut ledger) = World::start();
    let submission = stage_set(&mut ledger);
    let base = ledger.size();
    let mut acknowledged = BTreeMap::new();
    world.disk.arm(step, skip, fault);
    let mut unknown = None;
    for n in 0..4 {
        world.clock.advance(1_000);
        let now = ledger.now();
        match record(&mut ledger, "gateway", &format!("event-{n}"), access("ada1", &submission, None, now)) {
            Ok(receipt) => drop(acknowledged.insert(n, receipt)),
            Err(AppendError::Unknown(_)) => {
                unknown = Some((n, access("ada1", &submission, None, now)));
                break;
            }
            Err(e) => panic!("{what}: {e}"),
        }
    }
    let (n, event) = unknown.unwrap_or_else(|| panic!("{what}: the fault was never met"));
    assert_eq!(n, skip, "{what}");
    // From the failure on this handle takes nothing more.
    let refused = record(&mut ledger, "gateway", "after", event.clone());
    assert!(matches!(refused, Err(AppendError::ReadOnly(_))), "{what}: {refused:?}");
    drop(ledger);
    world.disk.restart();

    let mut ledger = world.open(Access::Write).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(ledger.read_only(), None, "{what}");
    assert_eq!(ledger.size(), base + skip + u64::from(must_stand(step, fault)), "{what}");
    check(&ledger, &acknowledged, &what);
    // The same key again: the first recording or a new one, never two entries.
    let again = record(&mut ledger, "gateway", &format!("event-{n}"), event).unwrap();
    assert_eq!((again.repeated, again.index), (must_stand(step, fault), base + skip), "{what}");
    acknowledged.insert(n, again);
    check(&ledger, &acknowledged, &what);
    verified(&ledger);
    // And once more from the disk.
    drop(ledger);
    let ledger = world.open(Access::Write).unwrap();
    check(&ledger, &acknowledged, &what);
}

fn check(ledger: &Ledger, acknowledged: &BTreeMap<u64, countersign_ledger::Receipt>, what: &str) {
    for (n, receipt) in acknowledged {
        let now = ledger.receipt(receipt.index).unwrap_or_else(|e| panic!("{what}: event {n}: {e}"));
        assert_eq!((&now.leaf, &now.record, &now.note), (&receipt.leaf, &receipt.record, &receipt.note), "{what}: event {n}");
    }
}

#[test]
fn a_store_behind_its_register_only_reads() {
    let (world, mut ledger) = World::start();
    let submission = stage_set(&mut ledger);
    // A copy of the machine as it was, with the register of the machine as it is.
    let old = world.disk.fork();
    let now = ledger.now();
    record(&mut ledger, "gateway", "newer", access("ada1", &submission, None, now)).unwrap();
    drop(ledger);
    let store = countersign_store::memory::MemoryStore::open_writer(&old).unwrap();
    let register = countersign_store::memory::MemoryRegister::open_writer(&world.disk).unwrap();
    let mut ledger = world.open_with(Box::new(store), Box::new(register), Access::Write).unwrap();
    assert!(ledger.read_only().unwrap().contains("head register"), "{:?}", ledger.read_only());
    let refused = record(&mut ledger, "gateway", "newer", access("ada1", &submission, None, now));
    assert!(matches!(refused, Err(AppendError::ReadOnly(_))));
}

/// A request that was recorded has its receipt whatever keeps new ones from being recorded; of one that may have been nobody says that it was not.
#[test]
fn what_was_asked_before_is_answered_while_nothing_new_is_recorded() {
    let (world, mut ledger) = World::start();
    stage_set(&mut ledger);
    let ask = |ledger: &mut Ledger, key: &str| {
        let told = agreement(key, "ada1", AgreementKind::DutyNotice, Micros::EPOCH);
        record(ledger, "officer", key, told)
    };
    let first = ask(&mut ledger, "k-1").unwrap().index;
    let again = |ledger: &mut Ledger| {
        let receipt = ask(ledger, "k-1").unwrap();
        assert_eq!((receipt.index, receipt.repeated), (first, true));
        receipt.tlog_proof().unwrap();
    };
    let now = ledger.now();
    world.clock.set(0);
    again(&mut ledger);
    assert!(matches!(ask(&mut ledger, "k-2"), Err(AppendError::ClockBehind { .. })));
    world.clock.set(now.value());

    // Hardly any room: what takes access away is recorded all the same.
    let low = Arc::new(AtomicBool::new(true));
    ledger.heed_room(Arc::clone(&low));
    again(&mut ledger);
    assert!(matches!(ask(&mut ledger, "k-2"), Err(AppendError::NoRoom)));
    let first_recusal = record(&mut ledger, "ethics", "rc-1", recusal("rc-1", "P-ada1", "provider:lab")).unwrap().index;
    // One that takes its place may say less.
    let narrower = Recusal { supersedes: Some(LeafIndex(first_recusal)), ..recusal("rc-1", "P-ada1", "provider:lab") };
    assert!(matches!(record(&mut ledger, "ethics", "rc-1-less", narrower), Err(AppendError::NoRoom)));
    low.store(false, Ordering::Relaxed);
    ask(&mut ledger, "k-2").unwrap();

    // A commit fails after it was sealed: whether it stands is not known here, and not said.
    world.disk.arm(Step::Register, 0, Fault::Fail);
    assert!(matches!(ask(&mut ledger, "k-3"), Err(AppendError::Unknown(_))));
    assert!(matches!(ask(&mut ledger, "k-3"), Err(AppendError::Unknown(_))));
    assert!(matches!(ask(&mut ledger, "k-4"), Err(AppendError::ReadOnly(_))));
    again(&mut ledger);
    drop(ledger);
    let mut ledger = world.open(Access::Write).unwrap();
    assert!(ask(&mut ledger, "k-3").unwrap().repeated);
    again(&mut ledger);
    // One that fails before it was sealed, or anything of it was written.
    world.disk.arm(Step::Stage, 0, Fault::Fail);
    for _ in 0..2 {
        assert!(matches!(ask(&mut ledger, "k-5"), Err(AppendError::Unknown(_))));
    }
    again(&mut ledger);
    drop(ledger);
    let mut ledger = world.open(Access::Write).unwrap();
    assert!(!ask(&mut ledger, "k-5").unwrap().repeated);
    verified(&ledger);
}
