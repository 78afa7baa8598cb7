//! The ledger as a whole: grants, accesses, suspensions, idempotency, restarts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "a panic is a failed test")]

use countersign_entry::record::{Decision, GrantState, Record, Recusal, RecusalScope};
use countersign_ledger::{Access, AppendError};
use countersign_testing::ledger::*;

fn state(ledger: &countersign_ledger::Ledger, grant: u64) -> GrantState {
    ledger.facts().grant(countersign_entry::ids::LeafIndex(grant)).unwrap().state
}

#[test]
fn a_grant_lives_and_a_recusal_suspends_it_in_its_own_commit() {
    let (world, mut ledger) = World::start();
    let submission = stage_set(&mut ledger);
    let grant = active_grant(&mut ledger, "ada1", &submission);
    assert_eq!(state(&ledger, grant), GrantState::Active);

    world.clock.advance(1_000_000);
    let now = ledger.now();
    let cleared = record(&mut ledger, "gateway", "access-1", access("ada1", &submission, Some(grant), now)).unwrap();
    assert_eq!(cleared.record.assessment().unwrap().decision, Decision::Cleared);
    let stray = record(&mut ledger, "gateway", "access-2", access("bob1", &submission, Some(grant), now)).unwrap();
    assert_eq!(stray.record.assessment().unwrap().decision, Decision::Denied);

    let recusal = Recusal {
        id: "rec-1".parse().unwrap(),
        person: person("ada1"),
        scope: RecusalScope::Submission(submission.clone()),
        from: now,
        until: None,
        ground: "spouse joins the developer".parse().unwrap(),
        screening_contact: None,
        supersedes: None,
    };
    let before = record(&mut ledger, "ethics", "recusal-1", recusal).unwrap().index;
    assert_eq!(ledger.size(), before + 2);
    assert_eq!(state(&ledger, grant), GrantState::Suspended);
    let (_, meta, suspension) = ledger.entry(before + 1).unwrap();
    assert_eq!(meta.request, "recusal-1/1");
    assert!(matches!(suspension, Record::GrantTransition(t) if t.cause.map(|c| c.0) == Some(before)));

    // The case for the stray access opens at the next cadence, before anything else.
    world.clock.advance(900_000_000);
    assert_eq!(ledger.tick().unwrap(), 1);
    assert_eq!(ledger.facts().cases().count(), 1);

    // Everything again, from the disk.
    let (size, root) = (ledger.size(), ledger.root());
    drop(ledger);
    let again = world.open(Access::Write).unwrap();
    assert_eq!((again.size(), again.root(), again.read_only()), (size, root, None));
    assert_eq!(state(&again, grant), GrantState::Suspended);
    verified(&again);
}

#[test]
fn a_key_is_for_one_request_for_ever() {
    let (world, mut ledger) = World::start();
    let submission = stage_set(&mut ledger);
    let now = ledger.now();
    let first = record(&mut ledger, "gateway", "same-key", access("ada1", &submission, None, now)).unwrap();
    world.clock.advance(5_000_000);
    let again = record(&mut ledger, "gateway", "same-key", access("ada1", &submission, None, now)).unwrap();
    assert!(again.repeated && !first.repeated);
    assert_eq!((first.index, first.tlog_proof().unwrap()), (again.index, again.tlog_proof().unwrap()));
    let other = record(&mut ledger, "gateway", "same-key", access("bob1", &submission, None, now));
    assert!(matches!(other, Err(AppendError::KeyReused(_))));
    drop(ledger);
    let mut ledger = world.open(Access::Write).unwrap();
    let later = record(&mut ledger, "gateway", "same-key", access("ada1", &submission, None, now)).unwrap();
    assert_eq!((later.index, later.tlog_proof().unwrap()), (first.index, first.tlog_proof().unwrap()));
    // The same key by another principal is another request.
    assert!(!record(&mut ledger, "officer", "same-key", access("ada1", &submission, None, now)).unwrap().repeated);
}

#[test]
fn a_clock_gone_back_records_nothing() {
    let (world, mut ledger) = World::start();
    let submission = stage_set(&mut ledger);
    let size = ledger.size();
    world.clock.set(START - 60_000_000);
    let now = ledger.now();
    let refused = record(&mut ledger, "gateway", "late", access("ada1", &submission, None, now));
    assert!(matches!(refused, Err(AppendError::ClockBehind { .. })), "{refused:?}");
    assert_eq!(ledger.size(), size);
    world.clock.set(START + 60_000_000);
    assert!(record(&mut ledger, "gateway", "late", access("ada1", &submission, None, now)).is_ok());
}

#[test]
fn many_new_submissions_in_one_batch_never_run_out_of_keys() {
    let (_world, mut ledger) = World::start();
    stage_set(&mut ledger);
    let now = ledger.now();
    let lab = "lab".parse().unwrap();
    let requests = (0..100u32)
        .map(|n| countersign_ledger::Request {
            actor: principal("founder"),
            key: format!("many-{n}").parse().unwrap(),
            record: submission_record(&format!("S-many{n}").parse().unwrap(), &lab, now).into(),
            signed: None,
        })
        .collect();
    assert!(ledger.commit(requests).iter().all(Result::is_ok));
    assert_eq!(ledger.facts().submissions().count(), 101);
    verified(&ledger);
}
