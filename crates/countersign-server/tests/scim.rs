//! An agency's directory tells who serves and who left, as stock clients of SCIM 2.0 write it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use countersign_entry::record::{CredentialKind, CredentialLinked, GrantState, Record};
use countersign_server::who;
use countersign_testing::ledger::{active_grant, person, record};
use serde_json::{Value, json};
use support::{Answer, Client, House, ORIGIN, SECRET, linked};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn send(client: &Client, method: &str, path: &str, body: &Value) -> Answer {
    let headers = [("Content-Type", "application/scim+json")];
    let answer = client.ask(method, &format!("/scim/v2/{path}"), &headers, body.to_string().as_bytes()).unwrap();
    assert!(answer.status == 204 || answer.headers["content-type"] == "application/scim+json", "{answer:?}");
    answer
}

#[track_caller]
fn error(answer: Answer, status: u16, keyword: Option<&str>) {
    let told = answer.is(status).json();
    assert_eq!(told["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
    assert_eq!((told["status"].as_str(), told["scimType"].as_str()), (Some(status.to_string().as_str()), keyword), "{told}");
    assert_eq!(told["trace_id"].as_str().unwrap().len(), 32);
}

fn grace() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE], "userName": "Grace@agency.example", "externalId": "00u7",
        "name": { "givenName": "Grace", "familyName": "Example" }, "active": true, "userType": "civilian", "title": "Evaluator",
        "emails": [{ "value": "grace@agency.example", "primary": true }], "groups": [{ "value": "ledger-admins" }], "roles": [{ "value": "operator" }],
        ENTERPRISE: { "employeeNumber": "4711", "organization": "Agency", "department": "Unknown", "manager": { "value": "P-ada1" } },
    })
}

/// A house whose directory shows a key, as most do.
fn house() -> (House, Client) {
    let house = House::start_with(
        |_| {},
        |ledger| {
            let key = CredentialLinked {
                secret_hash: Some(who::key_hash(&SECRET)),
                ..linked("sync-key", "sync1", CredentialKind::ApiKey, ORIGIN, "sync-key")
            };
            record(ledger, "founder", "link-sync-key", key).unwrap();
        },
    );
    let mut client = house.nobody();
    client.headers.push(("Authorization".into(), format!("Bearer {}", who::key_text("sync-key", &SECRET))));
    (house, client)
}

#[test]
fn a_directory_tells_of_people_and_every_repetition_changes_nothing() {
    let (house, sync) = house();
    let made = send(&sync, "POST", "Users", &grace()).is(201);
    let user = made.json();
    let id = user["id"].as_str().unwrap().to_owned();
    assert_eq!(made.headers["location"], format!("/scim/v2/Users/{id}"));
    assert_eq!((user["displayName"].as_str(), user["userName"].as_str()), (Some("Grace Example"), Some("grace@agency.example")));
    // What has no place here is kept nowhere.
    for passed in ["emails", "groups", "roles", "title", "manager", "Unknown"] {
        assert!(!user.to_string().contains(passed), "{user}");
    }
    assert_eq!(send(&sync, "POST", "Users", &grace()).is(201).json()["id"], id.as_str(), "the same request again");
    let mut other = grace();
    other["externalId"] = json!("00u8");
    error(send(&sync, "POST", "Users", &other), 409, Some("uniqueness"));

    let find = |filter: &str| send(&sync, "GET", &format!("Users?filter={}", filter.replace(' ', "%20").replace('"', "%22")), &Value::Null);
    assert_eq!(find("userName eq \"GRACE@agency.example\"").is(200).json()["Resources"][0]["id"], id.as_str());
    assert_eq!(find("externalId eq \"00u7\"").is(200).json()["totalResults"], 1);
    assert_eq!(find("userName eq \"nobody\"").is(200).json()["totalResults"], 0);
    error(find("emails co \"x\""), 400, Some("invalidFilter"));
    let page = send(&sync, "GET", "Users?startIndex=2&count=5", &Value::Null).is(200).json();
    assert_eq!((&page["totalResults"], &page["itemsPerPage"]), (&json!(1), &json!(0)));

    let path = format!("Users/{id}");
    let change = json!({ "Operations": [{ "op": "Replace", "path": "displayName", "value": "Grace Sample" }] });
    for _ in 0..2 {
        assert_eq!(send(&sync, "PATCH", &path, &change).is(200).json()["displayName"], "Grace Sample");
    }
    assert_eq!(send(&sync, "PUT", &path, &grace()).is(200).json()["displayName"], "Grace Example");
    error(send(&sync, "PATCH", &path, &json!({ "Operations": [{ "op": "remove", "path": "userName" }] })), 400, Some("invalidValue"));
    let mut nowhere = grace();
    nowhere[ENTERPRISE]["organization"] = json!("No such agency");
    error(send(&sync, "PUT", &path, &nowhere), 400, Some("invalidValue"));
    error(send(&sync, "GET", "Users/P-ada1", &Value::Null), 404, None);
    error(send(&sync, "PUT", "Users/P-ada1", &grace()), 404, None);

    let groups = send(&sync, "GET", "Groups?filter=displayName%20eq%20%22Agency%22", &Value::Null).is(200).json();
    let group = groups["Resources"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(send(&sync, "GET", &format!("Groups/{group}"), &Value::Null).is(200).json()["members"][0]["value"], id.as_str());
    error(send(&sync, "POST", "Groups", &json!({ "displayName": "Admins" })), 405, None);
    for (path, schema) in
        [("ServiceProviderConfig", "ServiceProviderConfig"), ("ResourceTypes", "ListResponse"), ("Schemas", "ListResponse")]
    {
        assert!(send(&sync, "GET", path, &Value::Null).is(200).text().contains(schema));
    }
    // The key does nothing else, and nobody else does this.
    sync.get("/api/v1/persons").problem(403, "forbidden-role");
    sync.post("/api/v1/principals", "a-role-for-oneself-1", &json!({})).problem(403, "forbidden-role");
    error(send(&house.client("founder"), "POST", "Users", &grace()), 403, None);

    let ledger = house.verified();
    let of = |what: fn(&Record) -> bool| (0..ledger.size()).filter(|n| what(&ledger.entry(*n).unwrap().2)).count();
    let named = |r: &Record| matches!(r, Record::Person(p) if p.name.as_str().starts_with("Grace"));
    assert_eq!(of(named), 3, "made, renamed and named back: what was repeated is recorded once");
    assert_eq!(of(|r| matches!(r, Record::Credential(_))), 3, "userName, externalId and employeeNumber");
    assert_eq!(of(|r| matches!(r, Record::Read(read) if read.question.as_str() == "scim")), 5);
}

#[test]
fn whoever_left_has_no_access_no_login_and_the_clocks_of_leaving() {
    let (mut house, sync) = house();
    house.running.take().unwrap().stop();
    let mut ledger = house.world.open(countersign_ledger::Access::Write).unwrap();
    let submission = "S-0001".parse().unwrap();
    let grant = active_grant(&mut ledger, "ada1", &submission);
    // Somebody who was recorded before is joined to the directory by whoever keeps credentials.
    let join = json!({
        "id": "scim-user-pr-sync1-P-ada1", "person": "P-ada1", "kind": "scim", "issuer": "pr-sync1", "subject": "ada@agency.example", "valid_from": null,
        "valid_to": null, "provenance": null, "supersedes": null,
    });
    record(&mut ledger, "founder", "join-ada", countersign_api::body::record("credential", join).unwrap()).unwrap();
    drop(ledger);
    house.run();
    let sync = sync.to(&house);
    let covered = house.client("covered");
    covered.get("/api/v1/whoami").is(200);

    // Whatever else is wrong in the request, that somebody left is recorded.
    let left = json!({ "Operations": [
        { "op": "replace", "path": "active", "value": "False" }, { "op": "replace", "path": format!("{ENTERPRISE}:organization"), "value": "Gone" },
    ] });
    let told = send(&sync, "PATCH", "Users/P-ada1", &left).is(200).json();
    assert_eq!((&told["active"], &told["userType"]), (&json!(false), &json!("civilian")));
    covered.get("/api/v1/whoami").problem(401, "unauthenticated");
    let officer = house.client("officer");
    assert_eq!(officer.get(&format!("/api/v1/grants/{grant}")).is(200).json()["state"], "departed");
    let again = json!({ "person": "P-ada1", "submission": "S-0001", "duty": "Evaluate" });
    officer.post("/api/v1/grants", "access-for-who-left-1", &again).problem(409, "not-cleared");

    // Nothing is deleted, and they stay to be seen.
    error(send(&sync, "DELETE", "Users/P-ada1", &Value::Null), 405, None);
    assert_eq!(send(&sync, "GET", "Users/P-ada1", &Value::Null).is(200).json()["active"], false);
    let ledger = house.verified();
    let facts = ledger.facts();
    assert_eq!(facts.grant(countersign_entry::ids::LeafIndex(grant)).unwrap().state, GrantState::CoolingOff, "the clocks after access run");
    let clocks = facts.clocks(facts.grant(countersign_entry::ids::LeafIndex(grant)).unwrap());
    assert!(clocks.responsibility_until.is_some() && clocks.contractor_pay_until.is_some(), "18 U.S.C. 207(a)(2), 41 U.S.C. 2104");
    assert!(facts.left(&person("ada1")).is_some());
}

#[test]
fn whoever_comes_back_is_who_they_were() {
    let (house, sync) = house();
    let id = send(&sync, "POST", "Users", &grace()).is(201).json()["id"].as_str().unwrap().to_owned();
    let path = format!("Users/{id}");
    let mut hana = grace();
    (hana["userName"], hana["externalId"], hana[ENTERPRISE]["employeeNumber"]) =
        (json!("hana@agency.example"), json!("00u8"), json!("4712"));
    send(&sync, "POST", "Users", &hana).is(201);
    // A name that is another's keeps nobody from leaving, and is not taken.
    let taken =
        |active: bool| json!({ "Operations": [{ "op": "replace", "value": { "userName": "hana@agency.example", "active": active } }] });
    error(send(&sync, "PATCH", &path, &taken(true)), 409, Some("uniqueness"));
    let left = send(&sync, "PATCH", &path, &taken(false)).is(200).json();
    assert_eq!((&left["active"], &left["userName"]), (&json!(false), &json!("grace@agency.example")));
    let mut again = grace();
    again["userName"] = json!("grace2@agency.example");
    let back = send(&sync, "POST", "Users", &again).is(201).json();
    assert_eq!((back["id"].as_str(), &back["active"]), (Some(id.as_str()), &json!(true)), "by the directory's own id");
    send(&sync, "PUT", &path, &{
        let mut off = again.clone();
        off["active"] = json!(false);
        off
    })
    .is(200);
    let on = json!({ "Operations": [{ "op": "replace", "value": { "active": true } }] });
    let on = send(&sync, "PATCH", &path, &on).is(200).json();
    assert_eq!((&on["active"], &on["userType"]), (&json!(true), &json!("civilian")), "as before they left");
    house.verified();
}
