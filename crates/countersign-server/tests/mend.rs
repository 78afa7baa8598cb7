//! A commit that fails under a running service: nobody is told what is not so, the ledger is opened again without a restart, and a request repeated with
//! its key gets the receipt of its one entry.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a panic is a failed test")]

mod support;

use std::time::{Duration, Instant};

use countersign_testing::ledger::{Fault, Step};
use serde_json::{Value, json};

use crate::support::House;

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
