//! Nothing leaks: canaries sent through every route are in no log, metric or error, and whoever may not know of a watch list gets the same answer with
//! and without one, to the byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_api::roles::Roles;
use countersign_entry::record::ListKind;
use countersign_ledger::Ledger;
use countersign_testing::ledger::record;
use countersign_testing::scene;
use serde_json::{Value, json};
use support::{Answer, House};

const CANARY: &str = "CANARY7XQ";

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A body that reads as far as it can for a route, with a canary wherever text goes.
fn body(route: &str, n: usize) -> Value {
    let id = format!("{CANARY}-{n}");
    let mut fields = json!({ "id": id, "name": CANARY, "reason": CANARY, "text": CANARY, "duty": CANARY, "title": CANARY, CANARY: CANARY });
    if route.ends_with("/accesses") {
        fields = json!({
            "person": "P-ada1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z", "artefact": CANARY,
            "source": CANARY, "source_id": CANARY, "session": CANARY, "detail": { CANARY: CANARY },
        });
    } else if route.ends_with("/grants") {
        fields = json!({ "person": "P-ada1", "submission": "S-0001", "duty": CANARY });
    } else if route.ends_with("/persons") {
        fields = json!({ "id": format!("P-canary{n:04}"), "name": CANARY, "status": "civilian", "organization": "agency" });
    } else if route.ends_with("/recusals") {
        fields = json!({ "id": id, "person": "P-ada1", "scope": "provider:lab", "ground": CANARY, "from": "2026-06-01T12:00:00Z" });
    } else if route.ends_with("/imports") {
        let rows =
            format!("id,name,status,organization\nP-canfile{n},{CANARY},civilian,agency\nP-canbad{n:04},{CANARY},{CANARY},{CANARY}\n");
        fields = json!({ "source": "people", "file": STANDARD.encode(rows) });
    } else if route.ends_with("/exports") {
        fields = json!({ "planes": "public" });
    } else if route.ends_with("/vouchers") {
        fields =
            json!({ "grant": 0, "expires_at": "2026-06-02T12:00:00Z", "reason": CANARY, "approvers": ["pr-approver1", "pr-approver2"] });
    } else if route.ends_with("/logins") {
        fields = json!({
            "id": id, "principal": "pr-officer", "kind": "piv", "issuer": CANARY, "subject": id, "evidence": CANARY, "approver": "pr-approver1",
        });
    } else if route.starts_with("/scim/v2/Users") {
        fields = json!({
            "userName": id, "externalId": id, "name": { "formatted": CANARY }, "userType": "civilian", "title": CANARY,
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "organization": "agency", "employeeNumber": CANARY, "manager": CANARY },
            "Operations": [{ "op": "replace", "path": "displayName", "value": CANARY }, { "op": "add", "path": CANARY, "value": CANARY }],
        });
    } else if route.ends_with("/reports") {
        fields = json!({ "kind": "insiders", "submission": "S-0001", "template": CANARY });
    } else if route.ends_with("/bundles") {
        fields = json!({ "entries": [0, 1] });
    } else if route.ends_with("/revoke") || route.ends_with("/decide") {
        fields = json!({ "reason": CANARY });
    }
    fields
}

#[test]
fn canaries_through_every_route_are_in_no_log_metric_or_error() {
    let kept = Kept::default();
    let subscriber = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer({
        let kept = kept.clone();
        move || kept.clone()
    });
    subscriber.try_init().unwrap();
    let house = House::start();
    let mut errors = Vec::new();
    let mut recorded = 0;
    let clients: Vec<_> = ["ethics", "officer", "founder", "covered", "gateway", "sync1"].map(|part| house.client(part)).into();
    for (n, row) in Roles::built_in().unwrap().rows().iter().enumerate().filter(|(_, r)| r.route != "/api/v1/events") {
        for named in [CANARY, "0", "16"] {
            let path = row.route.replace("{*path}", CANARY).replace("{index}", named).replace("{entry}", named).replace("{id}", CANARY);
            let path = format!("{path}?person={CANARY}&{CANARY}={CANARY}");
            let body = body(&row.route, n).to_string();
            for (m, client) in clients.iter().enumerate() {
                let key = format!("{CANARY}-{n:04}-{m}-{named}-key");
                let headers = [
                    ("Content-Type", "application/json"),
                    ("Idempotency-Key", &key),
                    ("If-Match", CANARY),
                    ("User-Agent", CANARY),
                    ("Traceparent", CANARY),
                    ("Accept", CANARY),
                    ("Last-Event-ID", CANARY),
                    ("Cookie", CANARY),
                    ("Countersign-Inquiry", CANARY),
                ];
                let plain = path.split('?').next().unwrap();
                for path in [plain, &path] {
                    let answer = client.ask(&row.method, path, &headers, if row.method == "GET" { b"" } else { body.as_bytes() }).unwrap();
                    recorded += usize::from(answer.status == 201);
                    if answer.status >= 400 {
                        errors.push(answer);
                    }
                }
            }
        }
        for key in [format!("Bearer {CANARY}"), format!("Bearer csk_{}_{CANARY}", "00".repeat(32)), CANARY.to_owned()] {
            let mut stranger = house.nobody();
            stranger.headers.push(("Authorization".into(), key));
            errors.push(stranger.ask(&row.method, &row.route.replace(['{', '}', '*'], ""), &[], b"").unwrap());
        }
    }
    // Who follows, and lines of a stream: good ones, and such as are none.
    for client in &clients {
        let answer = client.ask("GET", "/api/v1/events", &[("Last-Event-ID", CANARY), ("Accept", CANARY)], b"").unwrap();
        assert!(answer.status >= 400, "{answer:?}");
        errors.push(answer);
    }
    let event = json!({ "person": format!("P-{CANARY}"), "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z", "source_id": CANARY, "detail": { CANARY: CANARY } });
    let lines = format!("{CANARY}\n{{\"{CANARY}\":\"{CANARY}\"}}\n{event}\n[[[\"{CANARY}\"]]]\n{{\"person\":\"{CANARY}");
    let headers = [("Content-Type", "application/x-ndjson"), ("Idempotency-Key", &*format!("{CANARY}-lines-0001"))];
    let told = house.gateway_key().ask("POST", "/api/v1/accesses", &headers, lines.as_bytes()).unwrap().is(200).text();
    assert!(told.lines().count() == 5 && told.contains("\"recorded\":true") && !told.contains(CANARY), "{told}");
    assert!(recorded > 10 && errors.len() > 1_000, "{recorded} recorded, {} refused: the canaries went nowhere", errors.len());
    for answer in &errors {
        let whole = format!("{:?} {}", answer.headers, answer.text());
        // The one thing a refusal may hold of what is recorded is a receipt of the attempt.
        assert!(!whole.contains(CANARY), "{whole}");
        assert!(!answer.text().contains("panicked"));
    }
    // Of accesses that were recorded those alone have a line that somebody traces.
    let traced = "4bf92f3577b34da6a3ce929d0e0e4736";
    for (key, parent) in [("an-access-alone-1", String::new()), ("an-access-traced-1", format!("00-{traced}-00f067aa0ba902b7-01"))] {
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key), ("Traceparent", &*parent)];
        house.gateway_key().ask("POST", "/api/v1/accesses", &headers, event.to_string().as_bytes()).unwrap().is(201);
    }
    let metrics = house.operations("/metrics").text();
    assert!(metrics.contains("countersign_request_seconds") && !metrics.contains(CANARY));
    house.verified();
    let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    let ours: Vec<&str> =
        log.lines().filter(|line| !line.contains("\"target\":\"rustls") && !line.contains("\"target\":\"hyper")).collect();
    let accesses: Vec<&&str> = ours.iter().filter(|l| l.contains("\"/api/v1/accesses\"") && l.contains("\"status\":201")).collect();
    assert!(accesses.len() == 1 && accesses[0].contains(traced), "{accesses:?}");
    let traced: std::collections::BTreeSet<String> =
        ours.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok()?["fields"]["trace"].as_str().map(str::to_owned)).collect();
    assert!(ours.iter().filter(|l| l.contains("\"target\":\"request\"")).count() > 1_000, "the log is not where it is looked for");
    // Each problem was told with a trace of its own, and stands with it in the log; what was sent as one is nowhere.
    for answer in &errors {
        let trace = answer.json()["trace_id"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned();
        assert!(trace.len() == 32 && traced.contains(&trace), "{trace}");
    }
    let told: Vec<&&str> = ours.iter().filter(|line| line.contains(CANARY)).collect();
    assert!(told.is_empty(), "{:?}", &told[..told.len().min(3)]);
}

/// A ledger with a watch list whose one item stands against the lab, or against something nobody here touches.
fn watching(subject: &'static str) -> impl FnOnce(&mut Ledger) {
    move |ledger| {
        let far = json!({ "id": "far", "name": "Far", "supersedes": null });
        let provider = countersign_api::body::record("provider", far).unwrap();
        record(ledger, "founder", "far", provider).unwrap();
        record(ledger, "ethics", "w", scene::list("w-1", ListKind::Watch, None)).unwrap();
        record(ledger, "ethics", "wi", scene::item("wi-1", "w-1", subject)).unwrap();
    }
}

/// What can be told from an answer: status, the names and lengths of its headers, the length of its body, and its words but for what is random.
fn outside(answer: &Answer) -> (u16, Vec<(String, usize)>, usize, String) {
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap();
    if let Value::Object(fields) = &mut body {
        // How much is recorded hangs on when questions are, not on what stands in a list.
        for counted in ["as_of", "as_of_at"] {
            fields.get_mut(counted).into_iter().for_each(|value| *value = Value::Null);
        }
        for random in ["receipt", "leaf", "reference", "instance", "detail", "text", "at", "trace_id"] {
            if let Some(Value::String(text)) = fields.get_mut(random) {
                *text = format!("{} bytes", text.len());
            }
        }
    }
    (answer.status, answer.headers.iter().map(|(n, v)| (n.clone(), v.len())).collect(), body.to_string().len(), body.to_string())
}

#[test]
fn an_answer_is_the_same_with_and_without_a_watch_list_match() {
    let ask = |subject: &'static str| {
        let house = House::start_with(|_| {}, watching(subject));
        let officer = house.client("officer");
        let grant = |person: &str| json!({ "person": person, "submission": "S-0001", "duty": "Evaluate cyber capability" });
        let mut told = vec![
            officer.post("/api/v1/grants", "one-who-is-cleared", &grant("P-ada1")),
            officer.post("/api/v1/grants", "one-who-is-not-clear", &grant("P-approver1")),
            officer.post("/api/v1/checks", "one-who-is-not-clear", &grant("P-approver1")),
        ];
        let number = told[0].json()["grant"].clone();
        told.push(house.client("approver1").post(&format!("/api/v1/grants/{number}/approve"), "approve-this-grant-1", &json!({})));
        told.push(officer.post(&format!("/api/v1/grants/{number}/activate"), "activate-this-grant", &json!({})));
        told.push(house.client("gateway").post(
            "/api/v1/accesses",
            "an-access-0123456",
            &json!({
                "person": "P-bob1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z",
            }),
        ));
        told.push(officer.get("/api/v1/accesses?person=P-bob1"));
        // Who asks before they trade, and who looks at what they traded, learns nothing either.
        let (covered, ethics) = (house.client("covered"), house.client("ethics"));
        let issuer = Some("cik-0000000001");
        let asks = countersign_api::view::fields_of(&scene::asks("P-ada1", issuer, "2026-06-01", "2026-06-05").into());
        told.push(covered.post("/api/v1/preclearances", "may-ada-buy-this-1", &asks));
        told.push(covered.get("/api/v1/preclearances"));
        let trade = countersign_api::view::fields_of(&scene::trade("t-1", "P-ada1", issuer, "2026-05-29").into());
        told.push(ethics.post("/api/v1/trades", "a-trade-of-ada-001", &trade));
        told.push(covered.get("/api/v1/trades"));
        told.push(covered.get("/api/v1/persons/P-ada1/timeline"));
        told.push(officer.get(&format!("/api/v1/grants/{number}")));
        // The ethics officer does see it, so the match is there.
        let why = house.client("ethics").get(&format!("/api/v1/grants/{number}")).json();
        let matched = why["assessment"]["watch"].as_array().is_some_and(|w| !w.is_empty());
        house.verified();
        (told, matched)
    };
    let (with, matched) = ask("provider:lab");
    let (without, unmatched) = ask("provider:far");
    assert!(matched && !unmatched);
    for (with, without) in with.iter().zip(&without) {
        // Roots and times of the frame differ from run to run; their lengths do not.
        let blind = |answer: &Answer| {
            let (status, headers, length, body) = outside(answer);
            let body: Value = serde_json::from_str(&body).unwrap();
            let keys: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
            (status, headers, length, keys)
        };
        assert_eq!(blind(with), blind(without), "{}\n{}", with.text(), without.text());
    }
}
