//! What is answered is marked by what the store holds, whatever the configuration says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use countersign_entry::record::{Marking, MarkingLevel, Submission};
use countersign_ledger::Ledger;
use countersign_testing::ledger::{record, submission_record};
use countersign_testing::scene::text;
use serde_json::{Value, json};
use support::{Answer, House};

fn submission(ledger: &Ledger, id: &str, level: MarkingLevel, categories: &[&str]) -> Submission {
    let marking = Marking { level, categories: categories.iter().map(|c| text(c)).collect(), dissemination: vec![] };
    Submission { marking, ..submission_record(&text(id), &text("lab"), ledger.now()) }
}

#[track_caller]
fn marked(answer: Answer, status: u16, level: &str) -> Answer {
    let answer = answer.is(status);
    assert!(answer.headers["countersign-marking"].starts_with(&level.to_uppercase()), "{answer:?}");
    if answer.headers["content-type"] == "application/json" {
        assert_eq!(answer.json()["marking"]["level"], level, "{}", answer.text());
    } else {
        assert!(answer.headers["countersign-marking-fields"].starts_with(&format!("level={level}, ")), "{answer:?}");
    }
    answer
}

#[test]
fn what_is_higher_than_the_configuration_says_is_marked_so_after_a_start_and_at_once() {
    let furnish = |ledger: &mut Ledger| {
        let made = submission(ledger, "S-0002", MarkingLevel::Confidential, &["É"]);
        record(ledger, "founder", "higher-than-told", made).unwrap();
    };
    let house = House::start_with(|_| {}, furnish);
    let (inspector, officer) = (house.client("inspector"), house.client("officer"));
    let told = marked(officer.get("/api/v1/submissions"), 200, "confidential");
    // Categories of all, the one that is no ASCII too.
    assert_eq!(told.headers["countersign-marking"], "CONFIDENTIAL//SP-PROPIN/%c3%89");
    assert_eq!(told.json()["marking"]["categories"], json!(["SP-PROPIN", "É"]));
    // Only what is about the lower one is marked lower.
    marked(officer.get("/api/v1/submissions/S-0001"), 200, "cui");
    marked(officer.get("/api/v1/whoami"), 200, "confidential");
    let mut stream = BufReader::new(inspector.events("Connection: close\r\n"));
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        stream.read_line(&mut head).unwrap();
    }
    assert!(head.contains("countersign-marking-fields: level=confidential, "), "{head}");

    // One that is refused changes nothing.
    let mut body = countersign_api::view::fields_of(&{
        let ledger = house.world.open(countersign_ledger::Access::Read).unwrap();
        submission(&ledger, "S-0003", MarkingLevel::Secret, &[]).into()
    });
    body["provider"] = json!("nobody");
    officer.post("/api/v1/submissions", "a-secret-of-nobody", &body).problem(422, "unknown-reference");
    marked(officer.get("/api/v1/submissions"), 200, "confidential");
    body["provider"] = json!("lab");
    marked(officer.post("/api/v1/submissions", "a-secret-submission", &body), 201, "secret");
    // Whoever hears of what is recorded was told another marking: they are to ask again.
    let mut rest = String::new();
    while stream.read_line(&mut rest).is_ok_and(|read| read > 0) {}
    assert!(!rest.contains("S-0003"), "{rest}");

    for path in ["/api/v1/submissions", "/api/v1/log/entries", "/api/v1/persons/P-ada1/timeline", "/api/v1/whoami", "/api/v1/reports"] {
        marked(officer.get(path), 200, "secret");
    }
    marked(house.client("ethics").get("/api/v1/cases"), 200, "secret");
    let key = [("Content-Type", "application/x-ndjson"), ("Idempotency-Key", "a-stream-of-one-line")];
    marked(house.gateway_key().ask("POST", "/api/v1/accesses", &key, b"{}\n").unwrap(), 200, "secret");
    for (path, body) in [("/api/v1/exports", json!({ "planes": "both" })), ("/api/v1/bundles", json!({ "entries": [1] }))] {
        let place = marked(inspector.post(path, "an-archive-000001", &body), 202, "secret").headers["location"].clone();
        while inspector.get(&place).is(200).json()["state"] == "making" {
            std::thread::sleep(Duration::from_millis(20));
        }
        let file = marked(inspector.get(&format!("{place}/file")), 200, "secret");
        let out = tempfile::tempdir().unwrap();
        zip::ZipArchive::new(std::io::Cursor::new(&file.body)).unwrap().extract(out.path()).unwrap();
        let fields: Value = serde_json::from_slice(&std::fs::read(out.path().join("marking.json")).unwrap()).unwrap();
        assert_eq!((fields["level"].as_str(), &fields["categories"]), (Some("secret"), &json!(["SP-PROPIN", "É"])), "{path}");
        assert!(std::fs::read_to_string(out.path().join("MARKING.txt")).unwrap().starts_with("SECRET//"), "{path}");
    }

    // What is lowered again was higher, and stands so in the log: after a start too.
    let etag = officer.get("/api/v1/submissions/S-0003").is(200).headers["etag"].clone();
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "lowered-again-0001"), ("If-Match", etag.as_str())];
    let lower = json!({ "marking": { "level": "cui", "categories": [], "dissemination": [] } }).to_string();
    officer.ask("PATCH", "/api/v1/submissions/S-0003", &headers, lower.as_bytes()).unwrap().is(201);
    let mut house = house;
    house.running.take().unwrap().stop();
    house.run();
    marked(house.client("officer").get("/api/v1/log/entries"), 200, "secret");
    house.verified();
}

#[test]
fn an_access_and_an_answer_as_of_then_carry_the_higher_marking() {
    let house = House::start();
    let (officer, gateway) = (house.client("officer"), house.client("gateway"));
    let access = |key: &str, marking: Value| {
        let body = json!({
            "person": "P-ada1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z", "marking": marking,
        });
        gateway.post("/api/v1/accesses", key, &body).is(201).json()["size"].as_u64().unwrap()
    };
    let size = access("an-access-of-cui-1", Value::Null);
    marked(officer.get("/api/v1/accesses?submission=S-0001"), 200, "cui");
    access("an-access-of-more-1", json!("confidential"));
    marked(officer.get("/api/v1/accesses?submission=S-0001"), 200, "confidential");
    let etag = officer.get("/api/v1/submissions/S-0001").is(200).headers["etag"].clone();
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "it-is-secret-now-1"), ("If-Match", etag.as_str())];
    let higher = json!({ "marking": { "level": "secret", "categories": [], "dissemination": [] } }).to_string();
    officer.ask("PATCH", "/api/v1/submissions/S-0001", &headers, higher.as_bytes()).unwrap().is(201);
    for path in ["people", "insiders"] {
        let then = marked(officer.get(&format!("/api/v1/submissions/S-0001/{path}?as_of={size}")), 200, "secret").json();
        assert_eq!(then["as_of"], size);
        assert!(then["marking"]["warning"].is_null(), "the submission's own: {then}");
    }
    house.verified();
}

/// What an access is marked with by itself stands in the log, so whoever sees the log sees that marking.
#[test]
fn an_access_that_is_marked_higher_than_its_submission_marks_the_store() {
    let mut house = House::start();
    let event = |level: &str| json!({ "person": "P-ada1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z", "marking": level });
    let all = |house: &House, level: &str| {
        for path in ["/api/v1/log/entries", "/api/v1/persons/P-ada1/timeline", "/api/v1/whoami"] {
            marked(house.client("officer").get(path), 200, level);
        }
    };
    all(&house, "cui");
    let gateway = house.gateway_key();
    marked(gateway.post("/api/v1/accesses", "an-access-of-more-1", &event("confidential")), 201, "confidential");
    all(&house, "confidential");
    let headers = [("Content-Type", "application/x-ndjson"), ("Idempotency-Key", "a-stream-of-one-line")];
    gateway.ask("POST", "/api/v1/accesses", &headers, format!("{}\n", event("secret")).as_bytes()).unwrap().is(200);
    all(&house, "secret");
    // One that is lower changes nothing.
    gateway.post("/api/v1/accesses", "an-access-of-less-1", &event("cui")).is(201);
    all(&house, "secret");
    house.running.take().unwrap().stop();
    house.run();
    all(&house, "secret");
    house.verified();
}
