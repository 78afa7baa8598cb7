//! Officers sign with their own keys what they ask over the network, where policy demands it: real keys, mutual TLS, and the verifier at the end.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a panic is a failed test")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_entry::cose::Sign1;
use countersign_entry::record::{Person, PersonStatus, Policy, Principal, Role, SignedType};
use countersign_entry::request::CanonicalRequest;
use countersign_ledger::Ledger;
use countersign_testing::forge::signing;
use countersign_testing::ledger::{policy, principal, record, verified};
use countersign_testing::officers::{approved, enroll_approvers, enrolment, sign};
use countersign_testing::scene::text;
use serde_json::{Value, json};

use crate::support::{Answer, Client, House, ORIGIN};

fn furnish(ledger: &mut Ledger) {
    enroll_approvers(ledger);
    let both = ["approver1", "approver2"].map(principal);
    let officer = enrolment(&principal("officer"), &signing(principal("officer").as_str()), &both);
    record(ledger, "founder", "officer-key", approved(ORIGIN, &principal("founder"), "officer-key", officer)).unwrap();
    let known = ledger.facts().policy(ledger.now()).unwrap().index;
    let signatures_required = vec![SignedType::GrantRequest, SignedType::GrantTransition];
    record(ledger, "founder", "policy", Policy { version: 2, signatures_required, supersedes: Some(known), ..policy() }).unwrap();
}

fn send(client: &Client, path: &str, key: &str, body: &Value, more: (&str, &str)) -> Answer {
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key), more];
    client.ask("POST", path, &headers, body.to_string().as_bytes()).unwrap()
}

/// What the service says is to be signed.
#[track_caller]
fn draft(client: &Client, path: &str, key: &str, body: &Value) -> Vec<u8> {
    let told = send(client, path, key, body, ("Countersign-Draft", "true")).problem(422, "to-be-signed");
    assert_eq!(told["recorded"], false);
    STANDARD.decode(told["request"].as_str().unwrap()).unwrap()
}

/// The request, signed by whoever plays `by`.
#[track_caller]
fn signed(client: &Client, by: &str, path: &str, key: &str, body: &Value) -> Answer {
    let signature = sign(&signing(principal(by).as_str()), &draft(client, path, key, body));
    send(client, path, key, body, ("Countersign-Signature", &STANDARD.encode(signature)))
}

#[test]
fn what_policy_wants_signed_is_signed_by_whoever_asks_and_by_nobody_else() {
    let house = House::start_with(|_| {}, furnish);
    let officer = house.client("officer");
    let size = |client: &Client| client.get("/api/v1/grants").is(200).json()["as_of"].as_u64().unwrap();
    let body = json!({ "person": "P-ada1", "submission": "S-0001", "duty": "Evaluate cyber capability" });
    let (path, key) = ("/api/v1/grants", "grant-to-be-signed-1");

    // Unsigned it is refused, and says how to sign; what is to be signed is this request of this principal, in this ledger.
    let before = size(&officer);
    let told = officer.post(path, key, &body).problem(422, "to-be-signed");
    assert!(told.get("request").is_none() && told["detail"].as_str().unwrap().contains("Countersign-Draft"), "{told}");
    let request = draft(&officer, path, key, &body);
    let read = CanonicalRequest::decode(&request).unwrap();
    assert_eq!((read.origin.as_str(), read.actor.as_str(), read.kind.as_str()), (ORIGIN, "pr-officer", "grant.request"));
    assert!(size(&officer) <= before + 1, "only that somebody asked is recorded");

    // Another's key, and a signature over another request.
    let other = signed(&officer, "approver1", path, key, &body).problem(422, "invalid");
    assert_eq!(other["recorded"], false);
    let elsewhere = sign(&signing("pr-officer"), &draft(&officer, path, "grant-to-be-signed-2", &body));
    send(&officer, path, key, &body, ("Countersign-Signature", &STANDARD.encode(elsewhere))).problem(422, "invalid");
    for no_signature in ["", "AAAA", "not base64"] {
        send(&officer, path, key, &body, ("Countersign-Signature", no_signature)).problem(422, "invalid");
    }

    // Their own; with the request in it, as `countersign officer sign` writes it, it is the same signature.
    let receipt = signed(&officer, "officer", path, key, &body).is(201).json();
    let own = sign(&signing("pr-officer"), &request);
    let attached = Sign1 { payload: Some(request), ..Sign1::decode(&own).unwrap() }.encode();
    let again = send(&officer, path, key, &body, ("Countersign-Signature", &STANDARD.encode(attached))).is(200).json();
    assert_eq!(receipt["receipt"], again["receipt"]);

    let grant = receipt["grant"].as_u64().unwrap();
    let step = |verb: &str| format!("/api/v1/grants/{grant}/{verb}");
    house.client("approver1").post(&step("approve"), "approval-unsigned", &json!({})).problem(422, "to-be-signed");
    for part in ["approver1", "approver2"] {
        signed(&house.client(part), part, &step("approve"), "approval-signed-1", &json!({})).is(201);
    }
    signed(&officer, "officer", &step("activate"), "activation-signed", &json!({})).is(201);
    // What takes access away waits for no card.
    officer.post(&step("suspend"), "suspension-unsigned", &json!({})).is(201);
    // Nobody has to sign that they ask for a report, and whoever wants to does.
    let insiders = json!({ "kind": "insiders", "submission": "S-0001" });
    signed(&officer, "officer", "/api/v1/reports", "a-report-signed-01", &insiders).is(202);
    // A stream has no signature.
    let headers = [("Content-Type", "application/x-ndjson"), ("Idempotency-Key", "stream-signed-0001"), ("Countersign-Draft", "true")];
    officer.ask("POST", "/api/v1/accesses", &headers, b"{}\n").unwrap().problem(400, "validation");

    let report = verified(&house.verified());
    let count = |name: &str| report.checks.iter().find(|c| c.name == name).unwrap().count;
    assert_eq!((count("own-signatures"), count("approvals")), (5, 2), "{report}");
}

/// A second ethics officer, the keys of both, and a policy by which a list is changed by two of them.
fn dual(ledger: &mut Ledger) {
    enroll_approvers(ledger);
    let (id, name) = (text("P-ethics2"), text("Somebody"));
    let second = Person { id, name, status: PersonStatus::Civilian, organization: text("agency"), supersedes: None };
    record(ledger, "founder", "second-person", second).unwrap();
    let (id, person) = (principal("ethics2"), Some(text("P-ethics2")));
    let second = Principal { id, person, roles: vec![Role::EthicsOfficer], os_user: None, disabled: false, supersedes: None };
    record(ledger, "founder", "second-principal", second).unwrap();
    let both = ["approver1", "approver2"].map(principal);
    for part in ["ethics", "ethics2"] {
        let key = format!("{part}-key");
        let enrolled = enrolment(&principal(part), &signing(principal(part).as_str()), &both);
        record(ledger, "founder", &key, approved(ORIGIN, &principal("founder"), &key, enrolled)).unwrap();
    }
    let known = ledger.facts().policy(ledger.now()).unwrap().index;
    let signatures_required = vec![SignedType::ListApproval];
    record(ledger, "founder", "policy", Policy { version: 2, signatures_required, supersedes: Some(known), ..policy() }).unwrap();
}

#[test]
fn a_list_is_changed_by_two_people_of_the_ethics_office() {
    let house = House::start_with(|_| {}, dual);
    let ethics = house.client("ethics");
    let by = |part: &str, request: &[u8]| STANDARD.encode(sign(&signing(principal(part).as_str()), request));
    let (path, key, body) = ("/api/v1/lists", "list-by-two-people-1", json!({ "id": "quiet", "kind": "watch", "name": "Quiet" }));
    ethics.post(path, key, &body).problem(422, "to-be-signed");
    let request = draft(&ethics, path, key, &body);
    for part in ["ethics", "approver1", "officer"] {
        let told = send(&ethics, path, key, &body, ("Countersign-Approval", &by(part, &request))).problem(422, "invalid");
        assert_eq!(told["recorded"], false);
    }
    let second = by("ethics2", &request);
    let made = send(&ethics, path, key, &body, ("Countersign-Approval", &second)).is(201);
    let etag = made.headers["etag"].clone();
    send(&ethics, path, key, &body, ("Countersign-Approval", &second)).is(200);
    // Signatures have their own place, and nothing else takes them.
    let inside = json!({ "id": "other", "kind": "watch", "name": "Other", "approvals": [[1]] });
    ethics.post(path, "list-by-two-people-2", &inside).problem(400, "validation");
    let issuer = json!({ "id": "some-issuer", "name": "An issuer" });
    send(&ethics, "/api/v1/issuers", "no-list-at-all-01", &issuer, ("Countersign-Approval", &second)).problem(400, "validation");

    // What takes its place is signed anew: the signatures of before are of another request.
    let patch = |key: &str, more: (&str, &str)| {
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key), ("If-Match", &*etag), more];
        ethics.ask("PATCH", "/api/v1/lists/quiet", &headers, br#"{"name":"Quieter"}"#).unwrap()
    };
    patch("list-changed-by-two-1", ("Accept", "application/json")).problem(422, "to-be-signed");
    patch("list-changed-by-two-1", ("Countersign-Approval", &second)).problem(422, "invalid");
    let told = patch("list-changed-by-two-1", ("Countersign-Draft", "true")).problem(422, "to-be-signed");
    let request = STANDARD.decode(told["request"].as_str().unwrap()).unwrap();
    patch("list-changed-by-two-1", ("Countersign-Approval", &by("ethics2", &request))).is(201);

    // A file of lists is signed by nobody, so nothing of it is recorded.
    let file = STANDARD.encode("id,kind,name\nfrom-a-file,restricted,From a file\n");
    let looked = ethics.post("/api/v1/imports", "no-key-is-needed", &json!({ "source": "lists", "file": file })).is(201).json();
    assert_eq!(looked["new"], 1, "{looked}");
    let (id, digest) = (looked["id"].as_str().unwrap(), json!({ "digest": looked["digest"] }));
    ethics.post(&format!("/api/v1/imports/{id}/commit"), "no-key-is-needed", &digest).problem(422, "to-be-signed");
    ethics.get("/api/v1/lists/from-a-file").problem(404, "not-found");

    let report = verified(&house.verified());
    let count = |name: &str| report.checks.iter().find(|c| c.name == name).unwrap().count;
    assert_eq!(count("approvals"), 6, "two enrolments by two, and two changes of a list: {report}");
}
