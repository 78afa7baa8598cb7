//! The service as clients meet it: a real server on loopback, real TLS with client certificates, and the verifier over the ledger afterwards.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::io::{Read, Write};
use std::time::Duration;

use countersign_log::proof::TlogProof;
use serde_json::{Value, json};
use support::{Answer, Client, House};

fn access(person: &str) -> Value {
    json!({ "person": person, "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z", "source": "gateway-1" })
}

fn grant(person: &str) -> Value {
    json!({ "person": person, "submission": "S-0001", "duty": "Evaluate cyber capability" })
}

#[test]
fn an_access_is_recorded_once_and_its_receipt_proves_it_offline() {
    let house = House::start();
    let gateway = house.client("gateway");
    let first = gateway.post("/api/v1/accesses", "0123456789abcdef", &access("P-ada1")).is(201).json();
    let again = gateway.post("/api/v1/accesses", "0123456789abcdef", &access("P-ada1")).is(200).json();
    assert_eq!((first["repeated"].clone(), again["repeated"].clone()), (json!(false), json!(true)));
    assert_eq!((&first["entry"], &first["receipt"]), (&again["entry"], &again["receipt"]), "the same receipt for ever");
    gateway.post("/api/v1/accesses", "0123456789abcdef", &access("P-bob1")).problem(422, "idempotency-key-reused");

    let proof = TlogProof::parse(first["receipt"].as_str().unwrap().as_bytes()).unwrap();
    let leaf = hex::decode(first["leaf"].as_str().unwrap()).unwrap();
    let proven = proof.verify(&leaf, &house.vkey()).unwrap();
    assert_eq!(Some(proven.index().0), first["entry"].as_u64());
    house.verified();
}

#[test]
fn the_same_key_on_another_route_or_of_another_principal_is_another_request() {
    let house = House::start();
    let (officer, gateway) = (house.client("officer"), house.client("gateway"));
    let key = "same-key-everywhere";
    let one = officer.post("/api/v1/accesses", key, &access("P-ada1")).is(201).json();
    let two = gateway.post("/api/v1/accesses", key, &access("P-bob1")).is(201).json();
    let three = officer.post("/api/v1/grants", key, &grant("P-ada1")).is(201).json();
    assert!(one["entry"] != two["entry"] && two["entry"] != three["entry"]);
    house.verified();
}

#[test]
fn a_key_is_needed_and_has_a_form() {
    let house = House::start();
    let officer = house.client("officer");
    let bare = officer.ask("POST", "/api/v1/grants", &[("Content-Type", "application/json")], grant("P-ada1").to_string().as_bytes());
    bare.unwrap().problem(400, "idempotency-key-missing");
    for bad in ["short", "0123456789abcde/", "0123456789 abcdef", &"x".repeat(65)] {
        officer.post("/api/v1/grants", bad, &grant("P-ada1")).problem(400, "idempotency-key-missing");
    }
}

#[test]
fn whoever_is_not_linked_is_nobody() {
    let house = House::start();
    house.nobody().get("/api/v1/whoami").problem(401, "unauthenticated");
    house.with_card(house.ca.card("stranger@agency.example", 99)).get("/api/v1/whoami").problem(401, "unauthenticated");
    // A card of another authority does not get through the handshake.
    let other = support::Authority::new("Example CA").card("officer@agency.example", 2);
    assert!(house.with_card(other).ask("GET", "/api/v1/whoami", &[], b"").is_err());
    let known = house.client("officer").get("/api/v1/whoami").is(200).json();
    assert_eq!((known["principal"].as_str(), known["person"].as_str()), (Some("pr-officer"), Some("P-officer")));
    // Somebody else's key beside one's own card is two who ask.
    let mut two = house.client("officer");
    two.headers = house.gateway_key().headers;
    two.get("/api/v1/whoami").problem(401, "unauthenticated");
}

#[test]
fn a_key_of_an_interface_appends_accesses_and_nothing_else() {
    let house = House::start();
    let gateway = house.gateway_key();
    gateway.post("/api/v1/accesses", "0123456789abcdef", &access("P-ada1")).is(201);
    gateway.post("/api/v1/grants", "0123456789abcdef", &grant("P-ada1")).problem(403, "forbidden-role");
    gateway.get("/api/v1/accesses").problem(403, "forbidden-role");
    for wrong in [
        "csk_00_key-1",
        "csk_",
        "",
        &countersign_server::who::key_text("key-1", &[8; 32]),
        &countersign_server::who::key_text("card-1", &support::SECRET),
    ] {
        let mut other = house.nobody();
        other.headers.push(("Authorization".into(), format!("Bearer {wrong}")));
        other.post("/api/v1/accesses", "0123456789abcdef", &access("P-ada1")).problem(401, "unauthenticated");
    }
    house.verified();
}

#[test]
fn a_grant_goes_through_the_hands_it_has_to() {
    let house = House::start();
    let officer = house.client("officer");
    let asked = officer.post("/api/v1/grants", "grant-for-ada-01", &grant("P-ada1")).is(201).json();
    assert_eq!((asked["cleared"].clone(), asked["state"].as_str()), (json!(true), Some("cleared")));
    assert!(asked["assessment"].is_null() && asked["reference"].as_str().unwrap().starts_with("R-"), "{asked}");
    let at = |verb: &str| format!("/api/v1/grants/{}/{verb}", asked["grant"]);
    officer.post(&at("approve"), "approve-by-officer", &json!({})).problem(403, "forbidden-role");
    house.client("approver1").post(&at("approve"), "approve-by-one-01", &json!({})).is(201);
    house.client("approver2").post(&at("approve"), "approve-by-two-01", &json!({})).is(201);
    let active = officer.post(&at("activate"), "activate-by-officer", &json!({})).is(201).json();
    assert_eq!(active["state"], "active");
    officer.post(&at("activate"), "activate-once-more", &json!({})).problem(409, "grant-state");
    let shown = house.client("covered").get(&format!("/api/v1/grants/{}", asked["grant"])).is(200).json();
    assert_eq!((shown["state"].as_str(), shown["history"].as_array().map(Vec::len)), (Some("active"), Some(4)));
    officer.post(&at("revoke"), "revoke-by-officer", &json!({ "reason": "done" })).is(201);
    let listed = house.client("approver1").get("/api/v1/grants?person=P-ada1").is(200).json();
    assert_eq!(listed["rows"][0]["state"], "revoked");
    house.verified();
}

#[test]
fn what_is_not_cleared_is_recorded_and_told_in_the_same_words_to_whoever_may_not_know_why() {
    let house = House::start();
    // Nobody signed anything for the approver.
    let told = house.client("officer").post("/api/v1/grants", "grant-for-approver", &grant("P-approver1")).problem(409, "not-cleared");
    assert_eq!(
        (told["recorded"].clone(), told["cleared"].clone(), told["state"].as_str()),
        (json!(true), json!(false), Some("not_cleared"))
    );
    assert!(
        told["assessment"].is_null() && told["detail"].as_str().unwrap().starts_with("Not cleared. The ethics office can decide."),
        "{told}"
    );
    let why = house.client("ethics").get(&format!("/api/v1/grants/{}", told["grant"])).is(200).json();
    assert!(!why["assessment"]["reasons"].as_array().unwrap().is_empty(), "{why}");
    house.verified();
}

#[test]
fn a_stream_of_events_has_a_result_for_every_line() {
    let house = House::start();
    let gateway = house.gateway_key();
    let mut lines = String::new();
    for n in 0..2_000 {
        match n % 500 {
            7 => lines.push_str("{\"person\":\"CANARY\"}\n"),
            8 => lines.push('\n'),
            9 => lines.push_str(&format!("{}\n", "x".repeat(70_000))),
            _ => lines.push_str(&format!("{}\n", access(if n % 2 == 0 { "P-ada1" } else { "P-bob1" }))),
        }
    }
    let headers = [("Content-Type", "application/x-ndjson"), ("Idempotency-Key", "stream-0123456789")];
    let outcomes = |answer: &Answer| answer.text().lines().map(|l| serde_json::from_str(l).unwrap()).collect::<Vec<Value>>();
    let first = outcomes(&gateway.ask("POST", "/api/v1/accesses", &headers, lines.as_bytes()).unwrap().is(200));
    let numbers: Vec<u64> = first.iter().map(|o| o["line"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = (1..=2_000).filter(|n| (n - 1) % 500 != 8).collect();
    assert_eq!(numbers, expected, "in order, each line that is not empty");
    let recorded: Vec<&Value> = first.iter().filter(|o| o["recorded"] == true).collect();
    assert_eq!(recorded.len(), 2_000 - 12);
    let failed: Vec<&Value> = first.iter().filter(|o| o["recorded"] == false).collect();
    assert_eq!(failed.len(), 8);
    assert_eq!(failed[0]["problem"]["type"], "urn:countersign:problem:validation");
    assert_eq!(failed[1]["problem"]["type"], "urn:countersign:problem:too-large");
    assert!(!format!("{first:?}").contains("CANARY"));

    // The same stream again changes nothing and gives the same entries.
    let again = outcomes(&gateway.ask("POST", "/api/v1/accesses", &headers, lines.as_bytes()).unwrap().is(200));
    let entries = |all: &[Value]| all.iter().map(|o| o["entry"].clone()).collect::<Vec<_>>();
    assert_eq!(entries(&first), entries(&again));
    assert!(again.iter().filter(|o| o["recorded"] == true).all(|o| o["repeated"] == true));
    house.verified();
}

/// A stream of lines that is sent one at a time.
struct Lines {
    stream: support::Stream,
    heard: Vec<u8>,
}

impl Lines {
    fn begin(by: &Client, key: &str) -> Self {
        let mut stream = by.connect().unwrap();
        let (name, value) = by.headers[0].clone();
        write!(
            stream,
            "POST /api/v1/accesses HTTP/1.1\r\nHost: localhost\r\n{name}: {value}\r\nContent-Type: application/x-ndjson\r\n\
             Idempotency-Key: {key}\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        .unwrap();
        Self { stream, heard: Vec::new() }
    }

    fn send(&mut self, text: &str) {
        write!(self.stream, "{:x}\r\n{text}\r\n", text.len()).unwrap();
    }

    /// Reads until this was told.
    #[track_caller]
    fn until(&mut self, wanted: &str) {
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&self.heard).contains(wanted) {
            let read = self.stream.read(&mut buffer).unwrap();
            assert!(read > 0, "ended before {wanted} was told: {}", String::from_utf8_lossy(&self.heard));
            self.heard.extend_from_slice(&buffer[..read]);
        }
    }

    fn end(mut self) -> Answer {
        self.stream.write_all(b"0\r\n\r\n").unwrap();
        self.stream.read_to_end(&mut self.heard).unwrap();
        Answer::parse(&self.heard)
    }
}

#[test]
fn results_come_while_the_stream_goes_on_and_it_lasts_longer_than_a_connection_may() {
    let house = House::start_with(|config| config.limits.connection_seconds_max = 1, |_| {});
    let mut lines = Lines::begin(&house.gateway_key(), "0123456789abcdef");
    for n in 1..=5 {
        // Half a line waits for its other half.
        let line = format!("{}\n", access("P-ada1"));
        let (left, right) = line.split_at(20);
        lines.send(left);
        lines.send(right);
        lines.until(&format!("\"line\":{n},\"recorded\":true"));
        std::thread::sleep(Duration::from_millis(700));
    }
    assert_eq!(lines.end().text().lines().count(), 5);
    house.verified();
}

#[test]
fn a_stream_ends_when_the_key_it_came_with_is_revoked() {
    let house = House::start();
    let mut lines = Lines::begin(&house.gateway_key(), "0123456789abcdef");
    lines.send(&format!("{}\n", access("P-ada1")));
    lines.until("\"line\":1,\"recorded\":true");
    let logins = house.client("inspector").get("/api/v1/logins").is(200).json();
    let key = logins["rows"].as_array().unwrap().iter().find(|login| login["kind"] == "api_key").unwrap()["id"].clone();
    let path = format!("/api/v1/logins/{}/revoke", key.as_str().unwrap());
    house.client("founder").post(&path, "revoke-the-key-01", &json!({ "reason": "lost" })).is(201);
    // Who sends is asked for again after a second.
    std::thread::sleep(Duration::from_millis(1_100));
    lines.send(&format!("{}\n", access("P-ada1")));
    lines.until("\"line\":2,\"recorded\":false,\"problem\":{\"type\":\"urn:countersign:problem:unauthenticated\"");
    let ends = lines.stream.read_to_end(&mut lines.heard);
    assert!(ends.is_ok(), "{ends:?}");
    house.verified();
}

#[test]
fn bodies_that_are_none_say_what_is_wrong_and_nothing_of_what_came() {
    let house = House::start();
    let officer = house.client("officer");
    let post = |body: &str| {
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "0123456789abcdef")];
        officer.ask("POST", "/api/v1/grants", &headers, body.as_bytes()).unwrap()
    };
    for (body, told) in [
        ("", "not JSON"),
        ("{\"person\":\"P-ada1\",\"canary\":1}", "unknown field"),
        ("{\"person\":\"canary\"}", "a person id is"),
        ("{\"person\":\"P-ada1\"}", "missing field `submission`"),
        ("[\"canary\"]", "a person id"),
    ] {
        let problem = post(body).problem(400, "validation");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(told) && !problem.to_string().contains("canary"), "{problem}");
    }
    post(&"[".repeat(10_000)).problem(400, "validation");
    post(&format!("{{\"duty\":\"{}\"}}", "x".repeat(2 << 20))).problem(413, "too-large");
    let text =
        officer.ask("POST", "/api/v1/grants", &[("Content-Type", "text/plain"), ("Idempotency-Key", "0123456789abcdef")], b"{}").unwrap();
    text.problem(415, "media-type");
    officer.post("/api/v1/grants", "0123456789abcdef", &grant("P-nobody1")).problem(422, "unknown-reference");
    officer.get("/api/v1/nothing").problem(404, "not-found");
    officer.ask("DELETE", "/api/v1/grants", &[], b"").unwrap().problem(405, "method-not-allowed");
    officer.get("/api/v1/grants?persn=P-ada1").problem(400, "validation");
    officer.get("/api/v1/grants?cursor=00").problem(400, "validation");
    officer.get(&format!("/api/v1/grants?cursor={}", "00".repeat(40))).problem(422, "cursor");
    house.verified();
}

#[test]
fn pages_follow_one_another_without_gaps() {
    let house = House::start();
    let officer = house.client("officer");
    for n in 0..25 {
        officer.post("/api/v1/grants", &format!("grant-number-{n:05}"), &grant(if n % 2 == 0 { "P-ada1" } else { "P-bob1" })).is(201);
    }
    let (mut seen, mut path) = (Vec::new(), "/api/v1/grants?limit=10".to_owned());
    loop {
        let page = officer.get(&path).is(200).json();
        seen.extend(page["rows"].as_array().unwrap().iter().map(|r| r["grant"].as_u64().unwrap()));
        // What comes in between changes no page that was asked for before.
        officer.post("/api/v1/accesses", &format!("between-pages-{:03}", seen.len()), &access("P-ada1")).is(201);
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/grants?limit=10&cursor={next}"),
            None => break,
        }
    }
    let mut sorted = seen.clone();
    sorted.dedup();
    assert!(sorted == seen && seen.len() == 25 && seen.is_sorted(), "{seen:?}");
    house.verified();
}

#[test]
fn whoever_looks_is_recorded() {
    let house = House::start();
    house.client("inspector").get("/api/v1/accesses?person=P-ada1").is(200);
    house.client("covered").get("/api/v1/accesses?person=P-bob1").problem(404, "not-found");
    let ledger = house.verified();
    let reads: Vec<_> = (0..ledger.size())
        .filter_map(|i| match ledger.entry(i).unwrap() {
            (_, meta, countersign_entry::record::Record::Read(read)) => {
                Some((meta.actor, read.question.to_string(), read.subject.to_string()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(reads, [("pr-inspector".to_owned(), "access".to_owned(), "P-ada1".to_owned())]);
}

#[test]
fn of_a_page_it_is_recorded_which_rows_were_shown() {
    let house = House::start();
    let officer = house.client("officer");
    let made: Vec<u64> = (0..5)
        .map(|n| {
            officer.post("/api/v1/grants", &format!("grant-number-{n:05}"), &grant("P-ada1")).is(201).json()["grant"].as_u64().unwrap()
        })
        .collect();
    let event = house.client("gateway").post("/api/v1/accesses", "an-access-of-ada-1", &access("P-ada1")).is(201).json()["entry"].clone();
    let page = officer.get("/api/v1/grants?limit=2").is(200).json();
    officer.get(&format!("/api/v1/grants?limit=2&cursor={}", page["next"].as_str().unwrap())).is(200);
    officer.get("/api/v1/accesses?person=P-ada1").is(200);
    officer.get("/api/v1/persons?limit=3").is(200);
    officer.get("/api/v1/submissions/S-0001/people").is(200);
    officer.get("/api/v1/log/entries?limit=4").is(200);
    let persons = officer.get("/api/v1/persons?limit=3").is(200).json()["rows"].clone();
    let ledger = house.verified();
    let subjects: Vec<String> = (0..ledger.size())
        .filter_map(|i| match ledger.entry(i).unwrap().2 {
            countersign_entry::record::Record::Read(read) => Some(format!("{} {}", read.question, read.subject)),
            _ => None,
        })
        .collect();
    let ids: Vec<&str> = persons.as_array().unwrap().iter().map(|row| row["record"]["id"].as_str().unwrap()).collect();
    assert_eq!(subjects[0], format!("grants all {}..{}", made[0], made[1]));
    assert_eq!(subjects[1], format!("grants all {}..{}", made[2], made[3]));
    assert_eq!(subjects[2], format!("access P-ada1 {event}..{event}"));
    assert_eq!(subjects[3], format!("records persons all {}..{}", ids[0], ids[2]));
    assert_eq!(subjects[4], "submission S-0001 P-ada1..P-ada1");
    assert!(subjects[5].starts_with("entries all ") && subjects[5].contains(".."), "{}", subjects[5]);
}

#[test]
fn a_problem_carries_the_trace_of_whoever_asks() {
    let house = House::start();
    let (officer, trace) = (house.client("officer"), "4bf92f3577b34da6a3ce929d0e0e4736");
    let ask = |parents: &[String]| {
        let sent: Vec<(&str, &str)> = parents.iter().map(|p| ("traceparent", p.as_str())).collect();
        let answer = officer.ask("GET", "/api/v1/grants/none", &sent, b"").unwrap();
        (answer.bytes, answer.problem(404, "not-found")["trace_id"].as_str().unwrap().to_owned())
    };
    let good = format!("00-{trace}-00f067aa0ba902b7-01");
    let (bytes, told) = ask(std::slice::from_ref(&good));
    assert_eq!(told, trace);
    for bad in [vec![], vec![good.replace("00-", "ff-")], vec!["SECRET".into()], vec![good.clone(), good.clone()]] {
        let (length, made) = ask(&bad);
        assert!(made != trace && made.len() == 32 && length == bytes, "{bad:?}: {made}");
    }
    // What is recorded and not cleared is a problem too; what is none says nothing of it.
    let body = json!({ "person": "P-approver1", "submission": "S-0001", "duty": "Evaluate" }).to_string();
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "a-request-traced-1"), ("traceparent", good.as_str())];
    let refused = officer.ask("POST", "/api/v1/grants", &headers, body.as_bytes()).unwrap().problem(409, "not-cleared");
    assert_eq!((&refused["trace_id"], &refused["recorded"]), (&json!(trace), &json!(true)), "{refused}");
    assert!(!officer.ask("GET", "/api/v1/grants", &headers[2..], b"").unwrap().text().contains("trace_id"));
}

#[test]
fn health_and_metrics_are_on_an_address_of_their_own() {
    let house = House::start();
    assert_eq!(house.operations("/healthz").text(), "ok\n");
    assert_eq!(house.operations("/readyz").status, 200);
    house.client("officer").get("/api/v1/grants").is(200);
    let metrics = house.operations("/metrics").text();
    assert!(metrics.contains("countersign_request_seconds_count{method=\"GET\",route=\"/api/v1/grants\",status=\"200\"} 1"), "{metrics}");
    assert!(metrics.contains("countersign_writable 1"), "{metrics}");
    house.client("officer").get("/metrics").problem(404, "not-found");
}

#[test]
fn a_stop_finishes_what_is_in_hand() {
    let mut house = House::start();
    let gateway = house.gateway_key();
    let (tell, told) = std::sync::mpsc::channel();
    let asking = std::thread::spawn(move || {
        (0..)
            .map_while(|n| {
                let answer = gateway.ask(
                    "POST",
                    "/api/v1/accesses",
                    &[("Content-Type", "application/json"), ("Idempotency-Key", &format!("until-it-stops-{n:06}"))],
                    access("P-ada1").to_string().as_bytes(),
                );
                tell.send(()).unwrap_or(());
                answer.ok().filter(|a| a.status == 201).map(|a| a.json()["entry"].as_u64().unwrap())
            })
            .collect::<Vec<_>>()
    });
    for _ in 0..5 {
        told.recv().unwrap();
    }
    house.running.take().unwrap().stop();
    let acknowledged = asking.join().unwrap();
    assert!(!acknowledged.is_empty());
    let ledger = house.world.open(countersign_ledger::Access::Write).unwrap();
    // What is recorded was answered, and what was answered is recorded.
    let recorded = (0..ledger.size()).filter(|i| matches!(ledger.entry(*i).unwrap().2, countersign_entry::record::Record::AccessEvent(_)));
    assert_eq!(recorded.collect::<Vec<_>>(), acknowledged);
    countersign_testing::ledger::verified(&ledger);
}

#[test]
fn the_same_request_is_the_same_whatever_its_defaults_have_become() {
    let house = House::start();
    let officer = house.client("officer");
    let first = officer.post("/api/v1/grants", "without-an-end-01", &grant("P-ada1")).is(201).json();
    let shown = officer.get("/api/v1/submissions/S-0001").is(200);
    let (opens, closes) = (shown.json()["record"]["window"]["opens_at"].clone(), shown.json()["record"]["window"]["closes_at"].clone());
    let closes: countersign_entry::time::Micros = closes.as_str().unwrap().parse().unwrap();
    let etag = shown.headers["etag"].clone();
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "a-longer-window-1"), ("If-Match", etag.as_str())];
    let window = json!({ "window": { "opens_at": opens, "closes_at": closes.plus(3_600_000_000).to_string() } }).to_string();
    officer.ask("PATCH", "/api/v1/submissions/S-0001", &headers, window.as_bytes()).unwrap().is(201);
    let again = officer.post("/api/v1/grants", "without-an-end-01", &grant("P-ada1")).is(200).json();
    assert_eq!((&again["entry"], &again["receipt"]), (&first["entry"], &first["receipt"]));
    officer.post("/api/v1/grants", "without-an-end-01", &grant("P-bob1")).problem(422, "idempotency-key-reused");
    house.verified();
}

#[test]
fn a_line_of_a_stream_is_no_request_of_its_own() {
    let house = House::start();
    let gateway = house.gateway_key();
    let send = |key: &str, person: &str| {
        let headers = [("Content-Type", "application/x-ndjson"), ("Idempotency-Key", key)];
        gateway.ask("POST", "/api/v1/accesses", &headers, access(person).to_string().as_bytes()).unwrap().is(200).text()
    };
    let line = send("a-stream-of-lines", "P-ada1");
    assert!(line.contains("\"recorded\":true") && !line.contains("repeated"), "{line}");
    let single = gateway.post("/api/v1/accesses", "a-stream-of-lines-1", &access("P-bob1")).is(201).json();
    assert_eq!(single["repeated"], false);
    // The first line of another stream, nor the first of that one again.
    assert!(send("a-stream-of-lines-1", "P-bob1").contains("\"recorded\":true"));
    assert!(send("a-stream-of-lines", "P-ada1").contains("\"repeated\":true"));
    house.verified();
}
