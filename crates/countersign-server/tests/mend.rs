//! A commit that fails under a running service: nobody is told what is not so, the ledger is opened again without a restart, and a request repeated with
//! its key gets the receipt of its one entry.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a panic is a failed test")]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_entry::record::{AgreementKind, Submission};
use countersign_entry::time::Micros;
use countersign_ledger::{Access, Erasure, Request};
use countersign_server::Service;
use countersign_server::door::{AGAIN, Door};
use countersign_server::room::Room;
use countersign_testing::ledger::{Fault, Step, World, active_grant, agreement, principal, record, verified};
use serde_json::{Value, json};

use crate::support::House;

/// A defect that ends the thread that writes, between two commits: nothing is wrong with the ledger, and nobody writes any more.
#[test]
fn a_writer_that_a_defect_ended_is_noticed_and_started_again() {
    let (world, ledger) = World::start();
    let door = Door::new(ledger, Arc::new(world.opener()), Room::new(None, 0)).unwrap();
    let request = |key: &str| Request {
        actor: principal("officer"),
        key: key.parse().unwrap(),
        record: agreement(key, "ada1", AgreementKind::DutyNotice, Micros::EPOCH).into(),
        signed: None,
    };
    let recorded = |key: &str| {
        let (told, answer) = std::sync::mpsc::channel();
        door.submit_then(request(key), move |recorded| told.send(recorded.unwrap().repeated).unwrap()).unwrap();
        answer.recv().unwrap()
    };
    assert!(!recorded("k-1"));
    assert_eq!(door.mend(), None);
    door.submit_then(request("k-2"), |_| panic!("a defect")).unwrap();
    let began = Instant::now();
    while door.standing().1 != Some(AGAIN) {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", door.standing());
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(door.mend(), Some(true));
    assert_eq!(door.standing().1, None);
    assert!(recorded("k-1") && recorded("k-2") && !recorded("k-3"));
    door.stop();
    verified(&world.open(Access::Read).unwrap());
}

fn ready(house: &House) -> (u16, Value) {
    let answer = house.operations("/readyz");
    (answer.status, answer.json())
}

/// Waits until it is ready again; a minute is for a machine that does much else.
fn wait(house: &House) {
    let began = Instant::now();
    while ready(house).0 != 200 {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", ready(house));
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A start from a snapshot leaves what came before to a replay behind the running service. Where that finds something nobody may write on, and opening the
/// ledger again would only take up the same snapshot.
#[test]
fn what_the_replay_behind_the_service_objects_to_waits_for_somebody() {
    let mut house = House::start();
    house.running.take().unwrap().stop();
    house.world.kept = Some((64, 1));
    let mut ledger = house.world.open(Access::Write).unwrap();
    active_grant(&mut ledger, "ada1", &"S-0001".parse().unwrap());
    drop(ledger);
    let mut ledger = house.world.open(Access::Write).unwrap();
    assert!(ledger.standing().snapshot_size > 0, "nothing was left to a replay");
    // What it reads is not what the snapshot was made of: the entries of another ledger.
    let (other, _) = World::start();
    ledger.replay_in_background(other.reader()).unwrap();
    let clock = Box::new(house.world.clock.clone());
    // Opened again, it would take entries: nothing but the service keeps it from being.
    let service = Service { ledger, reopen: Arc::new(house.world.opener()), clock, config: house.config.clone(), dir: None };
    let running = service.start().unwrap();
    (house.address, house.operations) = (running.address().port(), running.operations().port());
    house.running = Some(running);
    let began = Instant::now();
    while ready(&house).0 == 200 {
        assert!(began.elapsed() < Duration::from_secs(60), "the replay found nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
    // It is looked after once a second; three of those change nothing.
    for _ in 0..60 {
        assert_eq!(ready(&house), (503, json!({ "ready": false, "because": "the ledger is read-only" })));
        std::thread::sleep(Duration::from_millis(50));
    }
    let event = json!({ "person": "P-ada1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z" });
    let told = house.client("gateway").post("/api/v1/accesses", "nobody-may-write-01", &event).problem(503, "ledger-read-only");
    assert_eq!(told["recorded"], false);
    house.client("officer").get("/api/v1/persons?limit=1").is(200);
    // Nothing is made for somebody of whom that is not recorded.
    let asked = house.client("inspector").post("/api/v1/exports", "nothing-is-begun-1", &json!({ "planes": "public" }));
    assert_eq!(asked.problem(503, "ledger-read-only")["recorded"], false);
    assert!(house.path("exports").read_dir().unwrap().next().is_none());
    house.verified();
}

#[test]
fn after_a_failed_commit_it_goes_on_by_itself_and_every_key_has_one_entry() {
    let house = House::start();
    let gateway = house.client("gateway");
    let event = |n: usize| json!({ "person": "P-ada1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z", "artefact": "endpoint/chat", "result": "success", "source": "gateway-1", "source_id": format!("evt-{n}"), "session": "sess-42", "marking": "cui", "information_owner": "developer" });
    let faults =
        [(Step::Stage, Fault::Fail), (Step::Stage, Fault::Full), (Step::Seal, Fault::FailPersisted), (Step::Register, Fault::Fail)];
    for (n, (step, fault)) in faults.into_iter().enumerate() {
        assert_eq!(ready(&house).0, 200);
        let key = format!("mended-request-{n}");
        house.world.disk.arm(step, 0, fault);
        let told = gateway.post("/api/v1/accesses", &key, &event(n)).problem(503, "outcome-unknown");
        assert!(told.get("recorded").is_none(), "{told}");
        let (status, told) = ready(&house);
        // It may be whole again by now.
        assert!(status == 200 || told["because"] == "a commit failed, and the ledger is opened again", "{told}");
        // Reading goes on, from what is stored.
        house.client("officer").get("/api/v1/persons?limit=1").is(200);
        wait(&house);
        let answer = gateway.post("/api/v1/accesses", &key, &event(n));
        assert!([200, 201].contains(&answer.status), "{}", answer.text());
        let again = gateway.post("/api/v1/accesses", &key, &event(n)).is(200).json();
        assert_eq!(answer.json()["receipt"], again["receipt"], "one entry, and its receipt for ever");
    }
    let ledger = house.verified();
    let accesses = (0..ledger.size()).filter(|n| ledger.facts().is_access(countersign_entry::ids::LeafIndex(*n))).count();
    assert_eq!(accesses, 4, "one for each key");
}

/// What a key sealed is gone: whoever asks for it hears just that, what proves it is there, and questions that pass over it are answered.
#[test]
fn what_was_erased_is_said_to_be_and_the_rest_is_answered() {
    const DAY: u64 = 86_400_000_000;
    let mut grant = 0;
    let mut house = House::start_with(|_| {}, |ledger| grant = active_grant(ledger, "ada1", &"S-0001".parse().unwrap()));
    let body =
        json!({ "person": "P-ada1", "submission": "S-0001", "action": "view", "occurred_at": "2026-06-01T12:00:00Z", "grant": grant });
    let access = house.client("gateway").post("/api/v1/accesses", "an-access-of-ada-1", &body).is(201).json()["entry"].as_u64().unwrap();
    house.running.take().unwrap().stop();
    house.world.kept = Some((16, 8));
    let mut ledger = house.world.open(Access::Write).unwrap();
    house.world.clock.advance(30 * DAY);
    ledger.tick().unwrap();
    let known = ledger.facts().submission(&"S-0001".parse().unwrap()).unwrap();
    let public = Submission {
        public_release_at: Some(ledger.now()),
        cleansed_at: Some(ledger.now()),
        supersedes: Some(known.index),
        ..known.record.clone()
    };
    record(&mut ledger, "founder", "public", public).unwrap();
    house.world.clock.advance(6 * 365 * DAY);
    ledger.tick().unwrap();
    let erasure = Erasure {
        keys: ledger.keys_of("submission:S-0001 2026"),
        authority: "kept five years: Regulation (EU) 596/2014 article 18(5)".parse().unwrap(),
        approvers: vec![principal("approver1"), principal("approver2")],
        signatures: Vec::new(),
    };
    ledger.erase(&principal("founder"), &"erase-one-submission".parse().unwrap(), &erasure).unwrap();
    drop(ledger);
    house.run();
    for part in ["inspector", "ethics"] {
        let client = house.client(part);
        client.get(&format!("/api/v1/log/entries/{access}")).problem(410, "erased");
        client.get(&format!("/api/v1/log/entries/{access}/receipt")).is(200);
        client.get("/api/v1/submissions/S-0001").problem(404, "not-found");
        let timeline = client.get("/api/v1/persons/P-ada1/timeline?limit=1000").is(200).json();
        let rows = timeline["rows"].as_array().unwrap();
        assert!(rows.iter().any(|row| row["type"] == "person"), "{timeline}");
        assert!(rows.iter().all(|row| row["entry"] != access), "{timeline}");
        let entries = client.get("/api/v1/log/entries?person=P-ada1&limit=1000").is(200).json();
        assert!(entries["rows"].as_array().unwrap().iter().all(|row| row["entry"] != access), "{entries}");
        assert_eq!(client.get("/api/v1/accesses?person=P-ada1").is(200).json()["rows"], json!([]));
        let then = client.get(&format!("/api/v1/persons/P-ada1?as_of={}", access + 1)).is(200).json();
        assert_eq!(then["as_of"].as_u64(), Some(access + 1));
    }
    house.verified();
}
