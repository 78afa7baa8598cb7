//! What an inspector reads of the records is read under an inquiry they name, and recorded with it; who sees by another role, or looks at what proves the
//! log, names none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_api::roles::{Roles, View};
use countersign_entry::record::{CredentialKind, Principal, Read, Record, Role};
use countersign_entry::request::CanonicalRequest;
use countersign_ledger::{Access, Ledger};
use countersign_testing::ledger::{principal, record};
use countersign_testing::scene::text;
use serde_json::json;
use support::{Client, House, INQUIRY, Stream};

/// Who has more roles than one, and the serial of their card.
const MORE: [(&str, &[Role], u64); 2] =
    [("both", &[Role::EthicsOfficer, Role::InspectorGeneral], 70), ("clerk", &[Role::Operator, Role::InspectorGeneral], 71)];

fn start() -> House {
    House::start_with(
        |_| {},
        |ledger| {
            for (name, roles, serial) in MORE {
                let person = Some(text("P-inspector"));
                let made =
                    Principal { id: principal(name), person, roles: roles.to_vec(), os_user: None, disabled: false, supersedes: None };
                record(ledger, "founder", name, made).unwrap();
                support::link(ledger, name, CredentialKind::Piv, "CN=Example CA", &format!("{name}@agency.example"), serial);
            }
        },
    )
}

/// Somebody's card, and no inquiry.
fn card(house: &House, part: &str) -> Client {
    match MORE.iter().find(|(name, ..)| *name == part) {
        Some((name, _, serial)) => house.with_card(house.ca.card(&format!("{name}@agency.example"), *serial)),
        None => {
            let mut client = house.client(part);
            client.headers.clear();
            client
        }
    }
}

/// What an account asked.
fn asked(ledger: &Ledger, part: &str) -> Vec<Read> {
    let read = |n| match ledger.entry(n).unwrap() {
        (_, meta, Record::Read(read)) if meta.actor == principal(part).as_str() => Some(read),
        _ => None,
    };
    (0..ledger.size()).filter_map(read).collect()
}

fn heard(stream: &mut Stream, wanted: &str) {
    let (mut heard, mut buffer) = (String::new(), [0; 4096]);
    while !heard.contains(wanted) {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "ended: {heard}");
        heard.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
}

fn ready(client: &Client, place: &str) {
    while client.get(place).is(200).json()["state"] != "ready" {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn an_inquiry_is_named_where_the_inspectors_role_alone_shows_what_is_recorded() {
    let house = start();
    let table = Roles::built_in().unwrap();
    let (mut wrong, mut refused) = (Vec::new(), 0);
    let of = [
        ("inspector", &[Role::InspectorGeneral][..], &[][..]),
        ("both", MORE[0].1, &MORE[0].1[..1]),
        ("clerk", MORE[1].1, &MORE[1].1[..1]),
    ];
    for (part, roles, others) in of {
        let client = card(&house, part);
        for row in table.rows() {
            let view = table.view(row, Some(roles));
            let needs = row.recorded && ![None, Some(View::Own)].contains(&view) && table.view(row, Some(others)) != view;
            if row.route == "/api/v1/events" && !needs {
                drop(client.following());
                continue;
            }
            let path = row.route.replace("{*path}", "0/000").replace("{index}", "0").replace("{entry}", "0").replace("{id}", "none");
            let answer = client.ask(&row.method, &path, &[], b"").unwrap();
            let missing = answer.text().contains("urn:countersign:problem:inquiry-missing");
            if missing != needs || needs && (answer.status, &answer.json()["recorded"]) != (403, &json!(false)) {
                wrong.push(format!("{} {path} as {part}: {} {}", row.method, answer.status, answer.text()));
            }
            refused += usize::from(needs);
            // Under one, whatever else is the matter is said.
            let named = client.clone().under(INQUIRY);
            if row.route == "/api/v1/events" {
                drop(named.following());
            } else if named.ask(&row.method, &path, &[], b"").unwrap().text().contains("inquiry-missing") {
                wrong.push(format!("{} {path} as {part}, under an inquiry", row.method));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(refused > 50, "{refused}");
    let ledger = house.verified();
    let under_none = asked(&ledger, "inspector").into_iter().filter(|read| read.inquiry.is_none());
    let own: BTreeSet<String> = under_none.map(|read| read.question.to_string()).collect();
    assert_eq!(own, ["preclearances".to_owned()].into(), "nothing that was refused is recorded as read, and one's own needs no inquiry");
    assert!(asked(&ledger, "both").iter().any(|read| read.inquiry.is_none()));
}

#[test]
fn what_proves_the_log_needs_no_inquiry() {
    let house = start();
    let client = card(&house, "inspector");
    for path in [
        "/checkpoint",
        "/tile/0/000.p/1",
        "/control/0",
        "/api/v1/log/checkpoints/latest",
        "/api/v1/log/proofs/inclusion?index=0",
        "/api/v1/log/proofs/consistency?from=1",
        "/api/v1/log/entries/3/receipt",
        "/api/v1/log/entries/3/cose",
        "/api/v1/whoami",
        "/api/v1/exports",
        "/api/v1/reports",
        "/api/v1/preclearances",
    ] {
        client.get(path).is(200);
    }
    let problem = client.get("/api/v1/log/entries/3").problem(403, "inquiry-missing");
    assert_eq!(problem["detail"], "Name the inquiry you read this under, in Countersign-Inquiry.");
    // That there is no such thing is told under an inquiry too.
    client.get("/api/v1/persons/P-nobody").problem(403, "inquiry-missing");
    client.clone().under(INQUIRY).get("/api/v1/persons/P-nobody").problem(404, "not-found");
    house.verified();
}

#[test]
fn what_is_asked_under_an_inquiry_is_recorded_with_it() {
    let house = start();
    let (client, named) = (card(&house, "inspector"), house.client("inspector"));
    let body = json!({ "person": "P-ada1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z" });
    let access = house.client("gateway").post("/api/v1/accesses", "an-access-of-ada-1", &body).is(201).json()["entry"].as_u64().unwrap();

    // Answers of every form: rows, one thing, as of then, archives that are asked for and fetched, events as they come.
    let size = named.get("/api/v1/accesses").is(200).json()["as_of"].as_u64().unwrap();
    named.get(&format!("/api/v1/log/entries/{access}")).is(200);
    client.get(&format!("/api/v1/persons?as_of={}", size - 1)).problem(403, "inquiry-missing");
    named.get(&format!("/api/v1/persons?as_of={}", size - 1)).is(200);
    for (path, body) in [
        ("/api/v1/exports", json!({ "planes": "both" })),
        ("/api/v1/bundles", json!({ "entries": [access] })),
        ("/api/v1/reports", json!({ "kind": "insiders", "submission": "S-0001" })),
    ] {
        client.post(path, "an-archive-000001", &body).problem(403, "inquiry-missing");
        let place = named.post(path, "an-archive-000001", &body).is(202).headers["location"].clone();
        // The same request under the same key is under the same inquiry.
        named.post(path, "an-archive-000001", &body).is(200);
        client.clone().under("26-0118").post(path, "an-archive-000001", &body).problem(422, "idempotency-key-reused");
        ready(&client, &place);
        client.get(&format!("{place}/file")).problem(403, "inquiry-missing");
        named.get(&format!("{place}/file")).is(200);
    }
    let mut head = [0; 12];
    client.events("").read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 403");
    let mut stream = named.events(&format!("Last-Event-ID: {}\r\n", access - 1));
    heard(&mut stream, &format!("id: {access}\n"));
    drop(stream);
    // Anybody may name one, and what is signed says it.
    house.client("officer").under("OIG 4/2026").get("/api/v1/persons").is(200);
    house.client("ethics").get("/api/v1/persons").is(200);
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "an-archive-000002"), ("Countersign-Draft", "true")];
    let draft = named.ask("POST", "/api/v1/exports", &headers, b"{\"planes\":\"both\"}").unwrap().problem(422, "to-be-signed");
    let request = CanonicalRequest::decode(&STANDARD.decode(draft["request"].as_str().unwrap()).unwrap()).unwrap();
    let Record::Read(drafted) = request.record().unwrap() else { panic!("what is asked for is a read") };
    assert_eq!(drafted.inquiry, Some(text(INQUIRY)));

    let ledger = house.verified();
    let reads = asked(&ledger, "inspector");
    assert!(reads.iter().all(|read| read.inquiry == Some(text(INQUIRY))), "{reads:?}");
    let kinds: BTreeSet<&str> = reads.iter().map(|read| read.question.as_str()).collect();
    assert_eq!(kinds, ["access", "bundle", "entry", "events", "export", "records", "report"].into());
    let events: Vec<&Read> = reads.iter().filter(|read| read.question.as_str() == "events").collect();
    assert!(events.len() > 1 && events[0].rows == 0 && events[1].rows > 0, "that it was asked for, and what was sent: {events:?}");
    let of = |part| asked(&ledger, part).into_iter().map(|read| read.inquiry).collect::<Vec<_>>();
    assert_eq!((of("officer"), of("ethics")), (vec![Some(text("OIG 4/2026"))], vec![None]));
}

#[test]
fn without_an_inquiry_the_inspectors_role_adds_nothing() {
    let house = start();
    house.client("officer").get("/api/v1/persons/P-ada1").is(200);
    let clerk = card(&house, "clerk");
    let kinds = |client: &Client| -> BTreeSet<String> {
        let rows = client.get("/api/v1/log/entries?type=read&limit=1000").is(200).json()["rows"].clone();
        rows.as_array().unwrap().iter().map(|row| row["type"].as_str().unwrap().to_owned()).collect()
    };
    let named = clerk.clone().under(INQUIRY);
    let began = std::time::Instant::now();
    while kinds(&named).is_empty() {
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "who asked what is the inspector's to see");
    }
    assert_eq!(kinds(&clerk), BTreeSet::new(), "and not the operator's");

    // Who follows by another role and loses it hears nothing more.
    let (follows, mut stays) = (clerk.following(), named.following());
    let founder = house.client("founder");
    let etag = founder.get("/api/v1/principals/pr-clerk").is(200).headers["etag"].clone();
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "an-inspector-alone"), ("If-Match", etag.as_str())];
    let changed = founder.ask("PATCH", "/api/v1/principals/pr-clerk", &headers, b"{\"roles\":[\"inspector_general\"]}").unwrap().is(201);
    support::ends(follows);
    heard(&mut stays, &format!("id: {}\n", changed.json()["entry"]));
    clerk.get("/api/v1/persons").problem(403, "inquiry-missing");
    drop(stays);
    house.verified();
}

#[test]
fn an_inquiry_that_is_no_line_is_refused() {
    let house = start();
    let officer = house.client("officer");
    for path in ["/api/v1/persons", "/api/v1/whoami", "/checkpoint"] {
        for bad in ["", "a\tb", &"9".repeat(1_025)] {
            officer.clone().under(bad).get(path).problem(400, "validation");
        }
        officer.clone().under(INQUIRY).under(INQUIRY).get(path).problem(400, "validation");
        officer.clone().under(&"9".repeat(1_024)).get(path).is(200);
    }
    card(&house, "inspector").under("").get("/api/v1/persons").problem(400, "validation");
    // Bytes beyond ASCII have no meaning in a header (RFC 9110 section 5.5).
    let mut stream = officer.connect().unwrap();
    let head = b"GET /api/v1/persons HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCountersign-Inquiry: \xe9\r\n\r\n";
    stream.write_all(head).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap_or_default();
    assert!(answer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&answer));
    let ledger = house.world.open(Access::Read).unwrap();
    assert!(asked(&ledger, "officer").iter().all(|read| read.inquiry.as_ref().is_some_and(|number| number.as_str().len() == 1_024)));
    drop(ledger);
    house.verified();
}
