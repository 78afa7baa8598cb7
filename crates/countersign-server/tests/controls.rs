//! Break-glass, logins and published checkpoints, as their users meet them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_server::publish::Publish;
use countersign_server::who;
use countersign_testing::forge::signing;
use countersign_testing::ledger::{active_grant, principal, verified};
use countersign_testing::officers::{enroll_approvers, sign};
use countersign_testing::scene::text;
use serde_json::{Value, json};
use support::{Answer, Client, House};

fn voucher(grant: u64, expires_at: &str) -> Value {
    json!({ "grant": grant, "expires_at": expires_at, "reason": "Red-team week", "approvers": ["pr-approver1", "pr-approver2"] })
}

/// A house with an active grant of P-ada1, its number, and a time shortly after it.
fn granted() -> (House, u64, String) {
    let mut grant = 0;
    let house = House::start_with(
        |_| {},
        |ledger| {
            enroll_approvers(ledger);
            grant = active_grant(ledger, "ada1", &text("S-0001"));
        },
    );
    let now = house.client("officer").get(&format!("/api/v1/grants/{grant}")).is(200).json()["as_of_at"].as_str().unwrap().to_owned();
    let at: countersign_entry::time::Micros = now.parse().unwrap();
    (house, grant, at.plus(3_600_000_000).to_string())
}

fn send(client: &Client, path: &str, key: &str, body: &Value, more: &[(&str, &str)]) -> Answer {
    let headers = [&[("Content-Type", "application/json"), ("Idempotency-Key", key)], more].concat();
    client.ask("POST", path, &headers, body.to_string().as_bytes()).unwrap()
}

#[test]
fn an_emergency_is_prepared_by_three_told_afterwards_and_looked_at_before_the_next() {
    let (house, grant, later) = granted();
    let (officer, path) = (house.client("officer"), "/api/v1/vouchers");
    let alone = json!({ "grant": grant, "expires_at": later, "reason": "Alone", "approvers": ["pr-approver1"] });
    officer.post(path, "a-voucher-by-one-1", &alone).problem(422, "invalid");
    house.client("approver1").post(path, "a-voucher-by-one-2", &voucher(grant, &later)).problem(403, "forbidden-role");
    officer.post(path, "a-voucher-of-none-1", &voucher(0, &later)).problem(422, "unknown-reference");
    // Each approver signs the request with their own key; one signature for two, or in another order, is none.
    let told = send(&officer, path, "a-voucher-signed-01", &voucher(grant, &later), &[("Countersign-Draft", "true")]);
    let request = STANDARD.decode(told.problem(422, "to-be-signed")["request"].as_str().unwrap()).unwrap();
    let by = |part: &str| STANDARD.encode(sign(&signing(principal(part).as_str()), &request));
    let (one, two) = (by("approver1"), by("approver2"));
    let signed = |all: &[&String]| {
        let all: Vec<(&str, &str)> = all.iter().map(|text| ("Countersign-Approval", text.as_str())).collect();
        send(&officer, path, "a-voucher-signed-01", &voucher(grant, &later), &all)
    };
    signed(&[&one]).problem(422, "invalid");
    signed(&[&two, &one]).problem(422, "invalid");
    let made = signed(&[&one, &two]).is(201).json();
    let number = made["voucher"].as_u64().unwrap();
    let shown = house.client("inspector").get(&format!("{path}/{number}")).is(200).json();
    assert_eq!((&shown["good"], &shown["person"], &shown["reason"]), (&json!(true), &json!("P-ada1"), &Value::Null), "{shown}");
    house.client("covered").get(path).problem(403, "forbidden-role");
    assert_eq!(officer.get(&format!("{path}?person=P-ada1")).is(200).json()["rows"].as_array().unwrap().len(), 1);
    assert_eq!(officer.get(&format!("{path}?person=P-bob1")).is(200).json()["rows"], json!([]));

    // Used while nothing could be recorded, told now, by two.
    let used_at = officer.get("/api/v1/grants").is(200).json()["as_of_at"].clone();
    let uses = format!("{path}/{number}/uses");
    let told = json!({ "used_at": used_at, "reason": "The token was away", "approvers": ["pr-approver2"] });
    officer.post(&uses, "used-and-told-alone", &json!({ "used_at": used_at, "reason": "Alone", "approvers": [] })).problem(422, "invalid");
    officer.post(&format!("{path}/0/uses"), "used-what-is-none-1", &told).problem(422, "unknown-reference");
    let used = officer.post(&uses, "used-and-told-by-two", &told).is(201).json()["entry"].clone();
    let shown = officer.get(&format!("{path}/{number}")).is(200).json();
    assert_eq!((&shown["good"], &shown["uses"]), (&json!(false), &json!([used])), "{shown}");
    let again = signed(&[&one, &two]).is(200).json();
    assert_eq!((&made["good_now"], &made["uses_now"]), (&json!(true), &json!([])), "{made}");
    assert_eq!((&again["entry"], &again["good_now"], &again["uses_now"]), (&made["entry"], &json!(false), &json!([used])), "{again}");
    officer.post(path, "a-voucher-too-soon-1", &voucher(grant, &later)).problem(422, "invalid");
    // It becomes a case by itself, which the ethics office alone sees whole.
    house.world.clock.advance(2 * 3_600_000_000);
    officer
        .post(
            "/api/v1/persons",
            "somebody-new-00001",
            &json!({ "id": "P-new1", "name": "N", "status": "civilian", "organization": "agency" }),
        )
        .is(201);
    let cases = house.client("ethics").get("/api/v1/cases").is(200).json();
    let case = cases["rows"].as_array().unwrap().iter().find(|row| row["rule"] == "R-EMG-1").unwrap_or_else(|| panic!("{cases}"));
    assert!(case["evidence"].as_array().unwrap().contains(&json!(number)), "{case}");
    let report = verified(&house.verified());
    assert_eq!(report.checks.iter().find(|c| c.name == "approvals").unwrap().count, 2, "a voucher by two: {report}");
}

#[test]
fn a_login_is_linked_by_the_operator_with_an_approver_and_holds_at_once() {
    let house = House::start();
    let (founder, path) = (house.client("founder"), "/api/v1/logins");
    let card = house.with_card(house.ca.card("new@agency.example", 77));
    card.get("/api/v1/whoami").problem(401, "unauthenticated");
    let link = |approver: &str| {
        json!({
            "id": "card-new", "principal": "pr-inspector", "kind": "piv", "issuer": "CN=Example CA", "subject": "new@agency.example",
            "secret_hash": null, "valid_to": null, "evidence": "seen in person", "approver": approver,
        })
    };
    house.client("officer").post(path, "link-a-new-card-01", &link("pr-approver1")).problem(403, "forbidden-role");
    founder.post(path, "link-a-new-card-02", &link("pr-founder")).problem(422, "invalid");
    assert_eq!(founder.post(path, "link-a-new-card-03", &link("pr-approver1")).is(201).json()["lets_in_now"], true);
    assert_eq!(card.get("/api/v1/whoami").is(200).json()["principal"], "pr-inspector");
    let shown = founder.get(&format!("{path}/card-new")).is(200).json();
    assert_eq!((&shown["stands"], &shown["approver"], shown.get("secret_hash")), (&json!(true), &json!("pr-approver1"), None), "{shown}");
    let of = founder.get(&format!("{path}?person=P-inspector")).is(200).json();
    assert_eq!(of["rows"].as_array().unwrap().len(), 2, "{of}");
    let own = founder.get("/api/v1/persons/P-inspector/identities").is(200).json();
    assert!(own["rows"].as_array().unwrap().iter().any(|row| row["id"] == "card-new" && row["lets_in"] == true), "{own}");
    house.client("covered").get("/api/v1/persons/P-inspector/identities").problem(404, "not-found");
    // What is kept of a key is shown nowhere.
    for part in ["ethics", "inspector", "founder"] {
        let all = house.client(part).get("/api/v1/log/entries?limit=1000").is(200).text();
        let hash = hex::encode(who::key_hash(&support::SECRET).0);
        assert!(all.contains("credential.linked") && !all.contains("secret_hash") && !all.contains(&hash), "{part}");
    }
    // On a connection that is open, too: the next request is nobody's.
    founder.post(&format!("{path}/card-new/revoke"), "revoke-new-card-01", &json!({ "reason": "card lost" })).is(201);
    card.get("/api/v1/whoami").problem(401, "unauthenticated");
    assert_eq!(founder.post(path, "link-a-new-card-03", &link("pr-approver1")).is(200).json()["lets_in_now"], false);
    house.verified();
}

#[test]
fn signatures_where_there_is_nothing_to_sign_are_refused() {
    let house = House::start();
    let officer = house.client("officer");
    for (method, path) in [("GET", "/api/v1/grants"), ("POST", "/api/v1/checks"), ("POST", "/api/v1/imports"), ("GET", "/checkpoint")] {
        for header in ["Countersign-Draft", "Countersign-Signature"] {
            let headers = [("Content-Type", "application/json"), (header, if header.ends_with("Draft") { "true" } else { "0oRY" })];
            let answer = officer.ask(method, path, &headers, b"{}").unwrap();
            assert!([400, 422].contains(&answer.status), "{method} {path} {header}: {}", answer.text());
        }
    }
}

fn size_of(answer: Answer) -> u64 {
    answer.is(200).text().lines().nth(1).unwrap().parse().unwrap()
}

#[test]
fn what_is_committed_shows_outside_only_when_it_is_published() {
    let publish = Some(Publish { every_seconds: 86_400, size_multiple: 1 });
    let house = House::start_with(|config| config.publish = publish, |_| {});
    let (nobody, officer) = (house.nobody(), house.client("officer"));
    let before = size_of(nobody.get("/checkpoint"));
    let body = json!({ "person": "P-ada1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z" });
    let told = house.client("gateway").post("/api/v1/accesses", "0123456789abcdef", &body).is(201).json();
    let (entry, size) = (told["entry"].as_u64().unwrap(), told["size"].as_u64().unwrap());
    assert!(size > before && entry >= before, "the receipt stands under the commit's own checkpoint");
    // Nobody outside sees that there is more; whoever works here does.
    assert_eq!(size_of(nobody.get("/checkpoint")), before);
    assert_eq!(size_of(nobody.get("/api/v1/log/checkpoints/latest")), before);
    for path in [
        format!("/tile/entries/000.p/{size}"),
        format!("/tile/0/000.p/{size}"),
        format!("/api/v1/log/proofs/inclusion?index={entry}&size={size}"),
        format!("/api/v1/log/proofs/consistency?from=1&to={size}"),
        format!("/api/v1/log/entries/{entry}/receipt"),
        format!("/api/v1/log/entries/{entry}/cose"),
    ] {
        nobody.get(&path).problem(404, "not-found");
        // Nobody in between keeps it for others.
        assert!(officer.get(&path).is(200).headers["cache-control"].starts_with("private, "), "{path}");
    }
    assert!(nobody.get(&format!("/tile/entries/000.p/{before}")).is(200).headers["cache-control"].starts_with("public, "));
    assert_eq!(officer.get("/api/v1/log/checkpoints/latest").headers["cache-control"], "private, no-cache");
    assert_eq!(nobody.get("/api/v1/log/proofs/inclusion?index=0").is(200).json()["size"], before);
    assert!(size_of(officer.get("/api/v1/log/checkpoints/latest")) >= size);
    assert_eq!(size_of(officer.get("/checkpoint")), before, "what is published is the same for everybody");
    house.verified();
}

#[test]
fn published_sizes_are_multiples_and_what_fills_them_says_nothing() {
    let publish = Some(Publish { every_seconds: 1, size_multiple: 64 });
    let house = House::start_with(|config| config.publish = publish, |_| {});
    let (nobody, gateway) = (house.nobody(), house.client("gateway"));
    let first = size_of(nobody.get("/checkpoint"));
    let body = json!({ "person": "P-ada1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z" });
    gateway.post("/api/v1/accesses", "0123456789abcdef", &body).is(201);
    let began = Instant::now();
    let next = loop {
        let next = size_of(nobody.get("/checkpoint"));
        if next != first {
            break next;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "nothing was published");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(first > 0 && first.is_multiple_of(64) && next.is_multiple_of(64), "{first} {next}");
    let consistent = nobody.get(&format!("/api/v1/log/proofs/consistency?from={first}&to={next}")).is(200).json();
    assert!(consistent["to_root"].is_string());
    let ledger = house.verified();
    assert!((0..ledger.size()).any(|i| ledger.entry(i).unwrap().2.type_name() == "padding"));
}
