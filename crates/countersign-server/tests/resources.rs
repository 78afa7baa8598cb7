//! Records over the interface: made, changed under an ETag, seen by each role as far as it may; questions as of then; events; revoked certificates.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use countersign_api::view::fields_of;
use countersign_entry::record::{Band, CredentialKind, CredentialLinked, HolderRelation, PreclearanceRequest, Record, TradeKind};
use countersign_server::config::Tls;
use countersign_server::tls::{Card, Keeper, Standing};
use countersign_testing::ledger::record;
use countersign_testing::scene;
use serde_json::{Value, json};
use support::{Authority, House, INQUIRY};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

fn person(id: &str, name: &str) -> Value {
    json!({ "id": id, "name": name, "status": "civilian", "organization": "agency" })
}

fn recusal(id: &str, person: &str) -> Value {
    json!({
        "id": id, "person": person, "scope": "provider:lab", "ground": "financial", "from": "2026-06-01T12:00:00Z",
    })
}

#[test]
fn a_record_is_made_changed_under_its_etag_and_never_deleted() {
    let house = House::start();
    let founder = house.client("founder");
    founder.post("/api/v1/persons", "make-a-person-01", &person("P-new00001", "New Person")).is(201);
    founder.post("/api/v1/persons", "make-a-person-02", &person("P-new00001", "Another")).problem(409, "exists");
    let first = founder.get("/api/v1/persons/P-new00001").is(200);
    let etag = first.headers["etag"].clone();
    let patch = |key: &str, etag: Option<&str>, body: &Value| {
        let mut headers = vec![("Content-Type", "application/json"), ("Idempotency-Key", key)];
        headers.extend(etag.map(|e| ("If-Match", e)));
        founder.ask("PATCH", "/api/v1/persons/P-new00001", &headers, body.to_string().as_bytes()).unwrap()
    };
    patch("change-a-person-1", None, &json!({ "status": "former" })).problem(428, "etag-missing");
    patch("change-a-person-1", Some("\"00\""), &json!({ "status": "former" })).problem(400, "validation");
    let other = format!("\"{}\"", "00".repeat(32));
    patch("change-a-person-1", Some(&other), &json!({ "status": "nobody knows" })).problem(400, "validation");
    patch("change-a-person-1", Some(&other), &json!({ "status": "former" })).problem(412, "stale-etag");
    patch("change-a-person-1", Some(&etag), &json!({ "id": "P-other001" })).problem(400, "validation");
    let changed = patch("change-a-person-2", Some(&etag), &json!({ "status": "former" })).is(201).json();
    // Again: the same request has the same receipt, although the record is another now.
    let again = patch("change-a-person-2", Some(&etag), &json!({ "status": "former" })).is(200).json();
    assert_eq!(changed["entry"], again["entry"]);
    patch("change-a-person-3", Some(&etag), &json!({ "status": "sge" })).problem(412, "stale-etag");
    let now = founder.get("/api/v1/persons/P-new00001").is(200);
    assert_eq!((now.json()["record"]["status"].as_str(), now.json()["record"]["name"].as_str()), (Some("former"), Some("New Person")));
    assert_ne!(now.headers["etag"], etag);
    founder.ask("DELETE", "/api/v1/persons/P-new00001", &[], b"").unwrap().problem(405, "method-not-allowed");
    house.verified();
}

/// The same change by POST, for clients that know no PATCH.
#[test]
fn what_a_list_is_about_is_superseded_by_a_post_too() {
    let house = House::start();
    let ethics = house.client("ethics");
    ethics.post("/api/v1/lists", "make-a-list-00001", &json!({ "id": "open-list", "kind": "restricted", "name": "Its name" })).is(201);
    let etag = ethics.get("/api/v1/lists/open-list").is(200).headers["etag"].clone();
    let supersede = |key: &str, etag: Option<&str>| {
        let mut headers = vec![("Content-Type", "application/json"), ("Idempotency-Key", key)];
        headers.extend(etag.map(|e| ("If-Match", e)));
        let body = json!({ "name": "Another name" }).to_string();
        ethics.ask("POST", "/api/v1/lists/open-list/supersede", &headers, body.as_bytes()).unwrap()
    };
    supersede("supersede-a-list-1", None).problem(428, "etag-missing");
    let first = supersede("supersede-a-list-1", Some(&etag)).is(201).json();
    assert_eq!(supersede("supersede-a-list-1", Some(&etag)).is(200).json()["entry"], first["entry"]);
    supersede("supersede-a-list-2", Some(&etag)).problem(412, "stale-etag");
    assert_eq!(ethics.get("/api/v1/lists/open-list").is(200).json()["record"]["name"], "Another name");
    house.verified();
}

/// Who follows from an entry that there is not would hear of nothing and not know it.
#[test]
fn events_after_an_entry_there_is_not_are_refused() {
    let house = House::start();
    let inspector = house.client("inspector");
    let size = inspector.get("/api/v1/persons?limit=1").is(200).json()["as_of"].as_u64().unwrap();
    let after = (size + 1_000).to_string();
    inspector.ask("GET", "/api/v1/events", &[("Last-Event-ID", &after)], b"").unwrap().problem(422, "cursor");
    house.verified();
}

#[test]
fn a_checkpoint_that_is_known_is_not_sent_again() {
    let house = House::start();
    let (nobody, officer) = (house.nobody(), house.client("officer"));
    for (client, path) in [(&nobody, "/checkpoint"), (&officer, "/api/v1/log/checkpoints/latest")] {
        let first = client.get(path).is(200);
        let etag = first.headers["etag"].clone();
        let known = client.ask("GET", path, &[("If-None-Match", &format!("\"00\", W/{etag}"))], b"").unwrap().is(304);
        assert!(known.body.is_empty() && known.headers["etag"] == etag && known.headers.contains_key("cache-control"), "{known:?}");
        officer.get("/api/v1/persons/P-ada1").is(200);
        house
            .client("founder")
            .post("/api/v1/persons", &format!("make-a-person-{:05}", path.len()), &person(&format!("P-new{:05}", path.len()), "New"))
            .is(201);
        let next = client.ask("GET", path, &[("If-None-Match", &etag)], b"").unwrap().is(200);
        assert_ne!(next.body, first.body);
    }
    house.verified();
}

/// Of two values of one name one reader takes the first, another the last.
#[test]
fn a_body_says_nothing_twice() {
    let house = House::start();
    let founder = house.client("founder");
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "make-a-person-01")];
    let twice = br#"{"id":"P-new00001","name":"A","status":"civilian","organization":"agency","name":"B"}"#;
    founder.ask("POST", "/api/v1/persons", &headers, twice).unwrap().problem(400, "validation");
    let etag = founder.get("/api/v1/persons/P-ada1").is(200).headers["etag"].clone();
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "make-a-person-01"), ("If-Match", etag.as_str())];
    founder.ask("PATCH", "/api/v1/persons/P-ada1", &headers, br#"{"name":"A","name":"B"}"#).unwrap().problem(400, "validation");
    house.verified();
}

/// What a chain of certificates has to be, beside being of a root that is configured.
#[test]
fn a_card_is_for_clients_of_now_and_every_authority_over_it_says_what_it_revoked() {
    let mut house = House::start_with(
        |_| {},
        |ledger| {
            let login = support::linked("issuing-1", "officer", CredentialKind::Piv, "CN=Example Issuing CA", "officer@agency.example");
            record(ledger, "founder", "link-issuing-1", login).unwrap();
        },
    );
    let whoami = |house: &House, chain: &[String], key: &str| {
        house.with_chain(chain, key).ask("GET", "/api/v1/whoami", &[], b"").map(|answer| answer.is(200).json()["principal"].clone())
    };
    let made = |change: &dyn Fn(&mut rcgen::CertificateParams)| {
        let mut params = support::named("officer@agency.example", 2);
        change(&mut params);
        house.ca.issue(params)
    };
    let (good, key) = made(&|_| {});
    assert_eq!(whoami(&house, &[good], &key).unwrap(), "pr-officer");
    let day = |year| rcgen::date_time_ymd(year, 1, 1);
    let wrong: [&dyn Fn(&mut rcgen::CertificateParams); 4] = [
        &|params| params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth],
        &|params| (params.not_before, params.not_after) = (day(2020), day(2021)),
        &|params| (params.not_before, params.not_after) = (day(2090), day(2091)),
        // One that may sign others stands for none itself.
        &|params| params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained),
    ];
    for (n, change) in wrong.into_iter().enumerate() {
        let (certificate, key) = made(change);
        assert!(whoami(&house, &[certificate], &key).is_err(), "{n}");
    }
    // Of an authority between, as cards are. Who issued it is part of who it is, so it is linked as that.
    let (between, pem) = house.ca.under("Example Issuing CA");
    let (certificate, key) = between.issue(support::named("officer@agency.example", 2));
    let chain = [certificate, pem];
    assert_eq!(whoami(&house, &chain, &key).unwrap(), "pr-officer");
    assert!(whoami(&house, &chain[..1], &key).is_err(), "nobody says who is over it");
    let over = support::Authority::new("Example Issuing CA");
    let (stranger, strangers_key) = over.issue(support::named("officer@agency.example", 2));
    assert!(whoami(&house, &[stranger, over.pem.clone()], &strangers_key).is_err(), "another authority of the same name");
    // With revocation lists, each of them has to have one.
    house.running.take().unwrap().stop();
    std::fs::write(house.path("crl.pem"), house.ca.revoked(&[])).unwrap();
    house.config.tls.revocation_lists = Some(house.path("crl.pem"));
    house.run();
    assert!(whoami(&house, &chain, &key).is_err(), "the one between says nothing");
    house.running.take().unwrap().stop();
    std::fs::write(house.path("crl.pem"), format!("{}{}", house.ca.revoked(&[]), between.revoked(&[]))).unwrap();
    house.run();
    assert_eq!(whoami(&house, &chain, &key).unwrap(), "pr-officer");
    house.running.take().unwrap().stop();
    std::fs::write(house.path("crl.pem"), format!("{}{}", house.ca.revoked(&[]), between.revoked(&[2]))).unwrap();
    house.run();
    assert!(whoami(&house, &chain, &key).is_err(), "it is revoked");
    house.verified();
}

#[test]
fn whoever_is_recused_from_a_submission_approves_nothing_on_it() {
    let house = House::start();
    house.client("ethics").post("/api/v1/recusals", "a-recusal-of-one-1", &recusal("rc-1", "P-approver1")).is(201);
    let asked = json!({
        "person": "P-ada1", "submission": "S-0001", "duty": "Evaluate", "needs_participation": true, "expires_at": "2026-06-20T12:00:00Z",
    });
    let grant = house.client("officer").post("/api/v1/grants", "ask-for-access-0001", &asked).is(201).json()["entry"].clone();
    let approve =
        |who: &str| house.client(who).post(&format!("/api/v1/grants/{grant}/approve"), &format!("approve-by-{who}-1"), &json!({}));
    let refused = approve("approver1").problem(403, "forbidden-recused");
    // Not by which recusal: that would tell what the submission touches.
    assert!(refused.get("instance").is_none() && !refused.to_string().contains("rc-1"), "{refused}");
    approve("approver2").is(201);
    house.verified();
}

#[test]
fn each_role_sees_what_it_may() {
    let house = House::start();
    let ethics = house.client("ethics");
    let holding = fields_of(&scene::holding("h-1", "P-ada1", Some("cik-0000000001"), "2026-05-01").into());
    ethics.post("/api/v1/holdings", "a-holding-of-ada", &holding).is(201);
    ethics.post("/api/v1/recusals", "a-recusal-of-ada", &recusal("rc-1", "P-ada1")).is(201);
    house
        .client("gateway")
        .post(
            "/api/v1/accesses",
            "an-access-of-ada",
            &json!({
                "person": "P-ada1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z",
            }),
        )
        .is(201);

    // A supervisor sees that there is a recusal and its scope, never the ground.
    let seen = house.client("super1").get("/api/v1/recusals").is(200).json();
    assert_eq!(seen["rows"][0]["record"]["scope"], "provider:lab");
    assert!(!seen.to_string().contains("ground") && !seen.to_string().contains("financial"), "{seen}");
    house.client("super1").get("/api/v1/holdings").problem(403, "forbidden-role");

    // A developer sees who of which organization, what and when, under its own offers.
    let seen = house.client("devel1").get("/api/v1/accesses").is(200).json();
    assert_eq!((seen["rows"][0]["person"].as_str(), seen["rows"][0]["organization"].as_str()), (Some("P-ada1"), Some("agency")));
    assert!(seen["rows"][0].get("cleared").is_none() && seen["rows"][0].get("grant").is_none() && seen["rows"][0].get("name").is_none());
    house.client("devel1").get("/api/v1/submissions/S-0001").is(200);

    // A covered person sees their own, and nobody else's.
    let covered = house.client("covered");
    assert_eq!(covered.get("/api/v1/accesses").is(200).json()["rows"].as_array().unwrap().len(), 1);
    assert_eq!(covered.get("/api/v1/recusals").is(200).json()["rows"].as_array().unwrap().len(), 1);
    covered.get("/api/v1/persons/P-bob1").problem(404, "not-found");
    covered.get("/api/v1/persons/P-bob1/timeline").problem(404, "not-found");
    covered.get("/api/v1/persons/P-ada1/timeline").is(200);

    // The access officer sees neither holdings nor grounds.
    let officer = house.client("officer");
    officer.get("/api/v1/holdings").problem(403, "forbidden-role");
    assert!(!officer.get("/api/v1/persons/P-ada1/timeline").is(200).text().contains("financial"));
    assert!(ethics.get("/api/v1/recusals/rc-1").is(200).text().contains("financial"));
    house.verified();
}

#[test]
fn whoever_has_two_roles_sees_what_each_of_them_shows() {
    let house = House::start();
    let ethics = house.client("ethics");
    for (key, id, of) in [("a-recusal-of-ada", "rc-1", "P-ada1"), ("a-recusal-of-bob", "rc-2", "P-bob1")] {
        ethics.post("/api/v1/recusals", key, &recusal(id, of)).is(201);
    }
    let access = |person: &str| {
        let body = json!({ "person": person, "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z" });
        house.client("gateway").post("/api/v1/accesses", &format!("an-access-of-{person}"), &body).is(201);
    };
    access("P-ada1");
    access("P-bob1");
    let (founder, covered) = (house.client("founder"), house.client("covered"));
    let roles = |key: &str, roles: Value| {
        let etag = founder.get("/api/v1/principals/pr-covered").is(200).headers["etag"].clone();
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key), ("If-Match", etag.as_str())];
        let body = json!({ "roles": roles }).to_string();
        founder.ask("PATCH", "/api/v1/principals/pr-covered", &headers, body.as_bytes()).unwrap().is(201);
    };
    let own = covered.get("/api/v1/recusals/rc-1").is(200).json()["record"].clone();
    roles("a-supervisor-too-1", json!(["covered_person", "supervisor"]));
    assert_eq!(covered.get("/api/v1/recusals/rc-1").is(200).json()["record"], own);
    let all = covered.get("/api/v1/recusals").is(200).json()["rows"].clone();
    assert_eq!((all.as_array().unwrap().len(), &all[0]["record"], &all[1]["record"]["id"]), (2, &own, &json!("rc-2")), "{all}");
    assert!(all[1]["record"].get("screening_contact").is_none() && own.get("screening_contact").is_some(), "{all}");

    let own = covered.get("/api/v1/accesses").is(200).json()["rows"].clone();
    roles("a-developer-too-01", json!(["covered_person", "developer"]));
    assert_eq!(covered.get("/api/v1/accesses").is(200).json()["rows"], own, "of another organization: nothing but their own");
    roles("a-developer-alone1", json!(["developer"]));
    assert_eq!(covered.get("/api/v1/accesses").is(200).json()["rows"], json!([]));
    house.verified();
}

#[test]
fn a_watch_list_is_there_for_the_ethics_officer_alone() {
    let house = House::start();
    let ethics = house.client("ethics");
    ethics.post("/api/v1/lists", "a-watch-list-0001", &json!({ "id": "w-1", "kind": "watch", "name": "Quiet", "authority": null })).is(201);
    let item = json!({ "id": "wi-1", "list": "w-1", "subject": "provider:lab", "reason": "a reason", "from": "2026-06-01T12:00:00Z" });
    ethics.post("/api/v1/list-items", "a-watch-item-0001", &item).is(201);
    assert_eq!(ethics.get("/api/v1/list-items").is(200).json()["rows"].as_array().unwrap().len(), 1);
    for path in ["lists", "lists/w-1", "lists/w-1/items", "list-items/wi-1"] {
        ethics.get(&format!("/api/v1/{path}")).is(200);
    }
    for part in ["officer", "approver1", "inspector", "founder"] {
        let client = house.client(part);
        for path in ["/api/v1/lists", "/api/v1/list-items"] {
            assert_eq!(client.get(path).is(200).json()["rows"], json!([]), "{part} {path}");
        }
        client.get("/api/v1/lists/w-1").problem(404, "not-found");
        client.get("/api/v1/list-items/wi-1").problem(404, "not-found");
        let entries = client.get("/api/v1/log/entries?limit=1000").is(200).text();
        assert!(!entries.contains("wi-1") && !entries.contains("w-1") && !entries.contains("Quiet"), "{part}");
    }
    house.verified();
}

#[test]
fn what_is_on_a_list_is_asked_for_at_the_list() {
    let house = House::start();
    let (ethics, officer) = (house.client("ethics"), house.client("officer"));
    for (id, kind) in [("open-list", "restricted"), ("quiet-list", "watch")] {
        ethics.post("/api/v1/lists", &format!("make-a-list-{id}"), &json!({ "id": id, "kind": kind, "name": id })).is(201);
        let item = json!({ "id": format!("on-{id}"), "list": id, "subject": "provider:lab", "reason": "A reason", "from": "2026-06-01T12:00:00Z" });
        ethics.post("/api/v1/list-items", &format!("make-an-item-{id}"), &item).is(201);
    }
    for (client, path, rows) in [(&ethics, "open-list", 1), (&ethics, "quiet-list", 1), (&officer, "open-list", 1)] {
        let told = client.get(&format!("/api/v1/lists/{path}/items")).is(200).json();
        assert_eq!(told["rows"].as_array().unwrap().len(), rows, "{told}");
        assert_eq!(told["rows"][0]["record"]["list"], path);
    }
    // Put there at the list, which the path alone names.
    let item = json!({ "id": "put-there", "subject": "issuer:cik-0000000001", "reason": "A reason", "from": "2026-06-01T12:00:00Z" });
    ethics.post("/api/v1/lists/open-list/items", "put-on-a-list-0001", &item).is(201);
    let told = officer.get("/api/v1/lists/open-list/items").is(200).json();
    assert_eq!(told["rows"].as_array().unwrap().len(), 2, "{told}");
    let mut elsewhere = item.clone();
    elsewhere["id"] = "put-elsewhere".into();
    ethics.post("/api/v1/lists/no-such-list/items", "put-on-a-list-0002", &elsewhere).problem(422, "unknown-reference");
    elsewhere["list"] = "quiet-list".into();
    ethics.post("/api/v1/lists/open-list/items", "put-on-a-list-0003", &elsewhere).problem(400, "validation");
    officer.post("/api/v1/lists/open-list/items", "put-on-a-list-0004", &item).problem(403, "forbidden-role");
    officer.get("/api/v1/lists/quiet-list/items").problem(404, "not-found");
    officer.get("/api/v1/lists/no-such-list/items").problem(404, "not-found");
    house.verified();
}

#[test]
fn an_answer_as_of_then_is_the_answer_given_then() {
    let house = House::start();
    let inspector = house.client("inspector");
    let access = |key: &str, who: &str| {
        let body = json!({ "person": who, "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z" });
        house.client("gateway").post("/api/v1/accesses", key, &body).is(201).json()["size"].as_u64().unwrap()
    };
    let size = access("first-access-00001", "P-ada1");
    let then = inspector.get(&format!("/api/v1/submissions/S-0001/people?as_of={size}")).is(200).json();
    access("second-access-0001", "P-bob1");
    let now = inspector.get("/api/v1/submissions/S-0001/people").is(200).json();
    let again = inspector.get(&format!("/api/v1/submissions/S-0001/people?as_of={size}")).is(200).json();
    assert_eq!((then["rows"].clone(), then["root"].clone()), (again["rows"].clone(), again["root"].clone()));
    assert_eq!((now["rows"].as_array().unwrap().len(), again["rows"].as_array().unwrap().len()), (2, 1));
    inspector.get("/api/v1/submissions/S-0001/people?as_of=99999999").problem(404, "not-found");
    let touched = inspector.get("/api/v1/issuers/cik-0000000001/insiders").is(200).json();
    assert_eq!(touched["rows"].as_array().unwrap().len(), 2);
    house.verified();
}

#[test]
fn questions_before_trades_and_cases_go_through_the_interface() {
    let house = House::start();
    let covered = house.client("covered");
    let ask = PreclearanceRequest {
        person: scene::text("P-ada1"),
        relation: HolderRelation::Own,
        instrument: scene::share(Some("cik-0000000001")),
        kind: TradeKind::Purchase,
        quantity: Some(10),
        terms: Vec::new(),
        value: Band::new(None, None).unwrap(),
        from: scene::text("2026-06-01"),
        until: scene::text("2026-06-05"),
        reference: None,
        assessment: None,
        cleared_until: None,
    };
    let told = covered.post("/api/v1/preclearances", "may-i-buy-0000001", &fields_of(&ask.clone().into())).problem(409, "not-cleared");
    assert!(told["detail"].as_str().unwrap().starts_with("Not cleared. The ethics office can decide."), "{told}");
    assert_eq!(told["remedies"], json!(["ask-ethics-office"]), "nobody else trades in their place");
    let of_another = PreclearanceRequest { person: scene::text("P-bob1"), ..ask.clone() };
    covered.post("/api/v1/preclearances", "may-bob-buy-00001", &fields_of(&of_another.into())).problem(403, "forbidden-role");
    let decision = json!({ "cleared_until": "2026-06-03", "reason": "An ethics official looked at it." });
    let about = told["entry"].clone();
    house.client("ethics").post(&format!("/api/v1/preclearances/{about}/decisions"), "decide-on-it-0001", &decision).is(201);
    assert_eq!(covered.get("/api/v1/preclearances").is(200).json()["rows"][0]["cleared_until"], "2026-06-03");
    // Asked again: the receipt of then, and how it stands now.
    let again = covered.post("/api/v1/preclearances", "may-i-buy-0000001", &fields_of(&ask.clone().into())).problem(409, "not-cleared");
    assert_eq!((&again["entry"], &again["repeated"], &again["cleared"]), (&told["entry"], &json!(true), &json!(false)), "{again}");
    assert_eq!((&told["cleared_until_now"], &again["cleared_until_now"]), (&Value::Null, &json!("2026-06-03")), "{told} {again}");
    // An access without a grant becomes a case at the cadence the policy says.
    let body = json!({ "person": "P-bob1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z" });
    house.client("gateway").post("/api/v1/accesses", "without-a-grant-01", &body).is(201);
    house.world.clock.advance(2 * 3_600 * 1_000_000);
    let ethics = house.client("ethics");
    let began = Instant::now();
    let case = loop {
        let cases = ethics.get("/api/v1/cases").is(200).json();
        if let Some(case) = cases["rows"].as_array().unwrap().first() {
            break case["case"].clone();
        }
        assert!(began.elapsed() < Duration::from_secs(60), "time alone opened no case");
        std::thread::sleep(Duration::from_millis(100));
    };
    let step = json!({ "step": "note", "text": "Asked the gateway's operator.", "evidence": [] });
    let noted = ethics.post(&format!("/api/v1/cases/{case}/decisions"), "a-note-on-a-case-1", &step).is(201).json();
    assert_eq!(noted["state_now"], "open", "{noted}");
    let shown = ethics.get(&format!("/api/v1/cases/{case}")).is(200).json();
    assert_eq!(shown["timeline"].as_array().unwrap().len(), 1);
    house.client("officer").get("/api/v1/cases").problem(403, "forbidden-role");
    house.verified();
}

#[test]
fn events_begin_after_the_last_one_that_was_seen() {
    let house = House::start();
    let access = |key: &str| {
        let body = json!({ "person": "P-ada1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z" });
        house.client("gateway").post("/api/v1/accesses", key, &body).is(201).json()["entry"].as_u64().unwrap()
    };
    let (first, second) = (access("first-access-00001"), access("second-access-0001"));
    let mut stream = house.client("inspector").events(&format!("Last-Event-ID: {first}\r\n"));
    let (mut heard, mut buffer) = (String::new(), [0; 4096]);
    let mut until = |stream: &mut support::Stream, wanted: &str| {
        while !heard.contains(wanted) {
            let read = stream.read(&mut buffer).unwrap();
            assert!(read > 0, "ended: {heard}");
            heard.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        heard.clone()
    };
    let told = until(&mut stream, &format!("id: {second}\nevent: access.event\ndata: {{"));
    assert!(!told.contains(&format!("id: {first}\n")), "{told}");
    let third = access("third-access-00001");
    until(&mut stream, &format!("id: {third}\n"));
    // An account that is disabled hears nothing more.
    let founder = house.client("founder");
    let etag = founder.get("/api/v1/principals/pr-inspector").is(200).headers["etag"].clone();
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "disable-inspector"), ("If-Match", etag.as_str())];
    founder.ask("PATCH", "/api/v1/principals/pr-inspector", &headers, b"{\"disabled\":true}").unwrap().is(201);
    let began = Instant::now();
    while stream.read(&mut buffer).is_ok_and(|read| read > 0) {
        assert!(began.elapsed() < Duration::from_secs(60));
    }
    drop(stream);
    house.client("inspector").get("/api/v1/whoami").problem(401, "unauthenticated");
    house.verified();
}

#[test]
fn who_follows_hears_nothing_more_once_their_login_is_over() {
    let mut day = String::new();
    let house = House::start_with(
        |_| {},
        |ledger| {
            day = countersign_entry::ids::Date::of(ledger.now()).to_string();
            let until = CredentialLinked {
                valid_to: Some(scene::text(&day)),
                ..support::linked("card-of-a-day", "inspector", CredentialKind::Piv, "CN=Example CA", "day@agency.example")
            };
            record(ledger, "founder", "link-a-day", until).unwrap();
            support::link(ledger, "inspector", CredentialKind::Piv, "CN=Example CA", "other@agency.example", 40);
        },
    );
    let revoked = house.with_card(house.ca.card("other@agency.example", 40)).under(INQUIRY).following();
    let over = house.with_card(house.ca.card("day@agency.example", 41)).under(INQUIRY).following();
    let mut stays = house.client("inspector").following();
    // Others of the same account go on.
    house.client("founder").post("/api/v1/logins/card-40/revoke", "revoke-one-card-1", &json!({ "reason": "lost" })).is(201);
    support::ends(revoked);
    house.world.clock.advance(24 * 3_600 * 1_000_000);
    support::ends(over);
    let made = house.client("founder").post("/api/v1/persons", "make-a-person-01", &person("P-new00001", "New")).is(201).json();
    let (mut heard, mut buffer) = (String::new(), [0; 4096]);
    while !heard.contains(&format!("id: {}\n", made["entry"])) {
        let read = stays.read(&mut buffer).unwrap();
        assert!(read > 0, "the card that stands ended too: {heard}");
        heard.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    drop(stays);
    house.verified();
}

#[test]
fn who_follows_is_recorded_with_what_they_were_sent_and_not_for_ever() {
    let house = House::start();
    let body = json!({ "person": "P-ada1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z" });
    let last = house.client("gateway").post("/api/v1/accesses", "an-access-of-ada-1", &body).is(201).json()["entry"].as_u64().unwrap();
    // Two who see who asks what.
    let mut streams = ["inspector", "ethics"].map(|part| house.client(part).events("Last-Event-ID: 1\r\n"));
    let mut heard = [Vec::new(), Vec::new()];
    let mut buffer = [0; 65_536];
    for (stream, heard) in streams.iter_mut().zip(&mut heard) {
        while !String::from_utf8_lossy(heard).contains(&format!("id: {last}\n")) {
            let read = stream.read(&mut buffer).unwrap();
            assert!(read > 0);
            heard.extend_from_slice(&buffer[..read]);
        }
    }
    let asked = |actor: &str| {
        let ledger = house.world.open(countersign_ledger::Access::Read).unwrap();
        let read = |n| match ledger.entry(n).unwrap() {
            (_, meta, Record::Read(read)) if meta.actor == actor => Some((read.question.to_string(), read.subject.to_string(), read.rows)),
            _ => None,
        };
        (0..ledger.size()).filter_map(read).collect::<Vec<_>>()
    };
    // Longer than a few of the service's own looks.
    std::thread::sleep(Duration::from_secs(3));
    let before = asked("pr-inspector");
    assert_eq!((before[0].0.as_str(), before[0].1.as_str(), before[0].2), ("events", "from 2", 0), "{before:?}");
    let sent: Vec<u64> = String::from_utf8_lossy(&heard[0]).lines().filter_map(|l| l.strip_prefix("id: ")?.parse().ok()).collect();
    let told: Vec<u64> = before[1..]
        .iter()
        .flat_map(|(_, subject, _)| subject.split(',').map(|run| run.split_once('-').unwrap_or((run, run))).collect::<Vec<_>>())
        .flat_map(|(first, last)| first.parse::<u64>().unwrap()..=last.parse().unwrap())
        .collect();
    assert!(!sent.is_empty() && sent.iter().all(|entry| told.contains(entry)), "{sent:?} {told:?}");
    assert!(asked("pr-ethics").len() > 1);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(asked("pr-inspector"), before, "two who follow have each other recorded for ever");
    drop(streams);
    house.verified();
}

#[test]
fn a_revoked_certificate_and_a_list_nobody_replaced_let_no_certificate_in() {
    let lists = |serials: &'static [u64]| move |house: &House| house.ca.revoked(serials);
    let mut house = House::start();
    house.running.take().unwrap().stop();
    std::fs::write(house.path("crl.pem"), lists(&[2])(&house)).unwrap();
    house.config.tls.revocation_lists = Some(house.path("crl.pem"));
    house.run();
    house.client("founder").get("/api/v1/whoami").is(200);
    // Serial 2 is the officer's.
    assert!(house.client("officer").ask("GET", "/api/v1/whoami", &[], b"").is_err());
    house.running.take().unwrap().stop();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let access = json!({ "person": "P-ada1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z" });
    // Past its next update, believed for longer than it may be, of a time to come: no certificate, and a key all the same.
    let day = 24 * 3_600;
    for (n, (of, next)) in [(now - 60, now - 1), (now - day - 1, now + day), (now + day, now + 2 * day)].into_iter().enumerate() {
        std::fs::write(house.path("crl.pem"), house.ca.revoked_between(&[2], of, next)).unwrap();
        house.run();
        for part in ["founder", "officer"] {
            assert!(house.client(part).get("/api/v1/whoami").problem(503, "revocation-unknown")["detail"].is_string());
        }
        let mut both = house.client("gateway");
        both.headers = house.gateway_key().headers;
        both.post("/api/v1/accesses", "a-card-beside-a-key", &access).problem(503, "revocation-unknown");
        house.gateway_key().post("/api/v1/accesses", &format!("an-access-by-key-{n}"), &access).is(201);
        house.nobody().get("/checkpoint").is(200);
        house.running.take().unwrap().stop();
    }
    // While it runs: a list that ends in a few seconds.
    let ends = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + 4;
    std::fs::write(house.path("crl.pem"), house.ca.revoked_between(&[2], ends - day, ends + day)).unwrap();
    house.run();
    house.client("founder").get("/api/v1/whoami").is(200);
    // Those who were let in are held against it as they go on.
    let follows = house.client("inspector").following();
    while SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() <= ends {
        std::thread::sleep(Duration::from_millis(100));
    }
    support::ends(follows);
    house.client("founder").get("/api/v1/whoami").problem(503, "revocation-unknown");
    house.gateway_key().post("/api/v1/accesses", "an-access-by-key-later", &access).is(201);
    // A file that is none is a mistake of whoever configured it.
    house.running.take().unwrap().stop();
    std::fs::write(house.path("crl.pem"), "no list").unwrap();
    let service = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| house.run()));
    assert!(service.is_err(), "a service without the list it was told of does not start");
}

#[test]
fn the_certificate_of_an_open_connection_is_held_against_a_new_list() {
    let house = House::start();
    let list = house.path("crl.pem");
    std::fs::write(&list, house.ca.revoked(&[7])).unwrap();
    let keeper = Arc::new(Keeper::start(Tls { revocation_lists: Some(list.clone()), ..house.config.tls.clone() }).unwrap());
    let chain = |serial| {
        let (pem, _) = house.ca.card("ada@agency.example", serial);
        [CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()]
    };
    let [held, revoked] = [40, 41].map(|serial| Card::of(&chain(serial), &keeper).unwrap());
    let strangers = Authority::new("CN=Example CA").card("ada@agency.example", 40).0;
    let stranger = Card::of(&[CertificateDer::from_pem_slice(strangers.as_bytes()).unwrap()], &keeper).unwrap();
    let standing = || [&held, &revoked, &stranger].map(Card::standing);
    assert_eq!(standing(), [Standing::Holds, Standing::Holds, Standing::Void]);
    std::fs::write(&list, house.ca.revoked(&[7, 41])).unwrap();
    assert_eq!(standing(), [Standing::Holds, Standing::Holds, Standing::Void], "nobody read it yet");
    keeper.refresh();
    assert_eq!(standing(), [Standing::Holds, Standing::Void, Standing::Void]);
    // What is no list says nothing of anybody, and so does one that is over.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    for text in ["no list".to_owned(), house.ca.revoked_between(&[], now - 60, now - 1)] {
        std::fs::write(&list, text).unwrap();
        keeper.refresh();
        assert_eq!(standing(), [Standing::Unknown; 3]);
    }
    std::fs::write(&list, house.ca.revoked(&[])).unwrap();
    keeper.refresh();
    assert_eq!(standing(), [Standing::Holds, Standing::Holds, Standing::Void]);
    house.verified();
}

#[test]
fn the_public_plane_is_what_stock_clients_expect() {
    let house = House::start();
    let nobody = house.nobody();
    let checkpoint = nobody.get("/checkpoint").is(200);
    let size: u64 = checkpoint.text().lines().nth(1).unwrap().parse().unwrap();
    assert!(checkpoint.headers["cache-control"] == "no-cache" && checkpoint.text().starts_with("ledger.example/test/software\n"));
    let bundle = nobody.get(&format!("/tile/entries/000.p/{size}")).is(200);
    let tile = nobody.get(&format!("/tile/0/000.p/{size}")).is(200);
    assert!(bundle.headers["cache-control"].contains("immutable"));
    let width = countersign_log::tile::Width::new(u16::try_from(size).unwrap()).unwrap();
    let leaves = countersign_log::tile::decode_entries(&bundle.body, width).unwrap();
    let hashes: Vec<u8> = leaves.iter().flat_map(|leaf| countersign_log::tree::leaf_hash(leaf.bytes).0).collect();
    assert_eq!(hashes, tile.body);
    for none in ["/tile/0/001", "/tile/0/000", "/tile/entries/000.p/255", "/tile/9/000", "/tile/x", "/tile/sealed/000", "/control/99999"] {
        nobody.get(none).problem(404, "not-found");
    }
    nobody.get("/control/0").is(200);
    let proof = nobody.get(&format!("/api/v1/log/proofs/consistency?from=1&to={size}")).is(200).json();
    assert!(!proof["hashes"].as_array().unwrap().is_empty());
    let receipt = nobody.get("/api/v1/log/entries/3/receipt").is(200);
    let json = nobody.ask("GET", "/api/v1/log/entries/3/receipt", &[("Accept", "application/json")], b"").unwrap().is(200);
    assert_eq!((receipt.headers["vary"].as_str(), json.headers["vary"].as_str()), ("Accept", "Accept"));
    assert!(receipt.headers["cache-control"].starts_with("public, ") && json.json()["index"] == 3);
    let receipt = receipt.text();
    let proof = countersign_log::proof::TlogProof::parse(receipt.as_bytes()).unwrap();
    let key = house.vkey();
    proof.verify(leaves[3].bytes, &key).unwrap();
    // The same by RFC 9942, read by a CBOR library and checked by hand.
    let cose = nobody.get("/api/v1/log/entries/3/cose").is(200);
    assert!(cose.headers["content-type"].starts_with("application/cose"));
    assert_eq!(nobody.get("/api/v1/log/entries/3/cose").is(200).body, cose.body, "one signature for each size");
    let ciborium::Value::Tag(18, sign1) = ciborium::from_reader::<ciborium::Value, _>(&cose.body[..]).unwrap() else { panic!() };
    let parts = sign1.into_array().unwrap();
    let header = parts[0].as_bytes().unwrap();
    let proofs = parts[1].as_map().unwrap()[0].1.as_map().unwrap()[0].1.as_array().unwrap();
    let proof: ciborium::Value = ciborium::from_reader(&proofs[0].as_bytes().unwrap()[..]).unwrap();
    let proof = proof.as_array().unwrap();
    let number = |value: &ciborium::Value| u64::try_from(value.as_integer().unwrap()).unwrap();
    let path: Vec<_> = proof[2]
        .as_array()
        .unwrap()
        .iter()
        .map(|h| countersign_log::tree::NodeHash(h.as_bytes().unwrap().as_slice().try_into().unwrap()))
        .collect();
    use countersign_log::tree::{LeafIndex, TreeSize, leaf_hash, root_from_inclusion};
    let (of, at) = (TreeSize(number(&proof[0])), LeafIndex(number(&proof[1])));
    let root = root_from_inclusion(leaf_hash(leaves[3].bytes), at, of, &path).unwrap();
    let signed = ciborium::Value::Array(vec![
        ciborium::Value::Text("Signature1".into()),
        ciborium::Value::Bytes(header.clone()),
        ciborium::Value::Bytes(vec![]),
        ciborium::Value::Bytes(root.0.to_vec()),
    ]);
    let mut message = Vec::new();
    ciborium::into_writer(&signed, &mut message).unwrap();
    key.public_key().verify(&message, parts[3].as_bytes().unwrap()).unwrap();
    let header: ciborium::Value = ciborium::from_reader(&header[..]).unwrap();
    let field = |label: ciborium::Value| header.as_map().unwrap().iter().find(|(k, _)| *k == label).unwrap().1.clone();
    assert_eq!(field(ciborium::Value::Text("origin".into())).as_text(), Some("ledger.example/test/software"));
    assert_eq!((number(&field(ciborium::Value::Text("tree_size".into()))), number(&field(395.into()))), (of.0, 1));
    // It shows nothing else.
    nobody.get("/api/v1/log/entries/3").problem(401, "unauthenticated");
    let ledger = house.verified();
    assert!((0..ledger.size()).all(|i| !matches!(ledger.entry(i).unwrap().2, Record::Read(_))), "what anybody may see is not recorded");
}

#[test]
fn whoever_is_anonymous_is_let_in_only_where_the_configuration_says_so() {
    let house = House::start_with(|config| config.anonymous = false, |_| {});
    house.nobody().get("/checkpoint").problem(401, "unauthenticated");
    // Nor may what keeps answers between them and us let anybody in.
    for path in ["/checkpoint", "/tile/entries/000.p/3", "/api/v1/log/entries/1/receipt", "/api/v1/log/entries/1/cose", "/control/0"] {
        let cache = house.client("officer").get(path).is(200).headers["cache-control"].clone();
        assert!(cache.starts_with("private, "), "{path}: {cache}");
    }
}

#[test]
fn what_is_asked_too_often_is_refused_before_it_costs_anything() {
    let house = House::start_with(
        |config| {
            config.limits.requests_per_second_max = 1;
            config.limits.requests_burst_max = 5;
        },
        |_| {},
    );
    let officer = house.client("officer");
    let statuses: Vec<u16> = (0..12).map(|_| officer.get("/api/v1/whoami").status).collect();
    assert!(statuses.iter().filter(|s| **s == 200).count() >= 5 && statuses.contains(&429), "{statuses:?}");
    let refused = (0..12).map(|_| officer.get("/api/v1/whoami")).find(|a| a.status == 429).unwrap();
    assert!(refused.headers.contains_key("retry-after"));
    house.client("ethics").get("/api/v1/whoami").is(200);
}

#[test]
fn who_says_half_a_request_is_not_waited_for() {
    let house = House::start_with(
        |config| {
            config.limits.head_seconds_max = 1;
            config.limits.request_seconds_max = 1;
        },
        |_| {},
    );
    let began = Instant::now();
    let mut slow = house.client("officer").connect().unwrap();
    slow.write_all(b"GET /api/v1/whoami HTTP/1.1\r\nHost: lo").unwrap();
    let mut body = house.client("officer").connect().unwrap();
    body.write_all(b"POST /api/v1/grants HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: 0123456789abcdef\r\nContent-Length: 100\r\n\r\n{").unwrap();
    let mut heard = Vec::new();
    slow.read_to_end(&mut heard).unwrap_or(0);
    let mut answer = vec![0; 4096];
    let read = body.read(&mut answer).unwrap();
    assert!(String::from_utf8_lossy(&answer[..read]).starts_with("HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer[..read]));
    assert!(began.elapsed() < Duration::from_secs(25));
    // Beside them everybody else is served.
    house.client("officer").get("/api/v1/whoami").is(200);
}
