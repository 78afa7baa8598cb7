//! The table of roles: every route has a line, every line a route, and the running service does what it says, role by role.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_api::roles::{Roles, View};
use countersign_entry::record::{Agreement, AgreementKind, ListKind, Policy, Record, Role, RoutineUse};
use countersign_ledger::{Access, Ledger};
use countersign_server::routes;
use countersign_testing::forge::signing;
use countersign_testing::ledger::{active_grant, policy, principal, record};
use countersign_testing::officers::{enroll_approvers, sign};
use countersign_testing::scene::{self, text};
use serde_json::{Value, json};
use support::{Client, House};

#[test]
fn every_route_has_a_line_and_every_line_a_route() {
    let table = Roles::built_in().unwrap();
    let lines: BTreeSet<(String, String)> = table.rows().iter().map(|r| (r.method.clone(), r.route.clone())).collect();
    let routes: BTreeSet<(String, String)> = routes::all().listed().iter().map(|(m, r)| ((*m).to_owned(), r.clone())).collect();
    assert_eq!(routes.difference(&lines).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "routes without a line");
    assert_eq!(lines.difference(&routes).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "lines without a route");
}

#[test]
fn reasons_are_for_the_ethics_officer_and_what_a_watch_list_says_is_recorded_when_read() {
    for row in Roles::built_in().unwrap().rows().iter().filter(|r| r.watch && r.method == "GET") {
        assert!(row.recorded, "{} may tell of a watch list and nobody would know who asked", row.route);
    }
}

/// What plays each role.
const PLAYED: [(&str, Role); 11] = [
    ("officer", Role::AccessOfficer),
    ("approver1", Role::Approver),
    ("ethics", Role::EthicsOfficer),
    ("inspector", Role::InspectorGeneral),
    ("covered", Role::CoveredPerson),
    ("super1", Role::Supervisor),
    ("devel1", Role::Developer),
    ("founder", Role::Operator),
    ("gateway", Role::Gateway),
    ("sync1", Role::Provisioner),
    ("witness1", Role::Witness),
];

#[test]
fn every_role_of_the_table_is_played() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/roles.csv")).unwrap();
    let head = text.lines().find(|line| !line.starts_with('#')).unwrap();
    let columns: BTreeSet<&str> = head.split(',').skip(4).filter(|name| *name != "anonymous").collect();
    let played: BTreeSet<String> = PLAYED.iter().map(|(_, role)| countersign_api::words::word_of(role)).collect();
    assert_eq!(played.iter().map(String::as_str).collect::<BTreeSet<_>>(), columns);
}

#[test]
fn the_service_does_what_the_table_says() {
    let house = House::start();
    let table = Roles::built_in().unwrap();
    let clients: Vec<_> = PLAYED.iter().map(|(part, role)| (house.client(part), Some([*role]))).chain([(house.nobody(), None)]).collect();
    let mut wrong = Vec::new();
    for row in table.rows().iter().filter(|r| r.route != "/api/v1/events") {
        let path = row.route.replace("{*path}", "0/000").replace("{index}", "0").replace("{entry}", "0").replace("{id}", "none");
        for (client, roles) in &clients {
            let roles = roles.as_ref().map(|r| r.as_slice());
            // Nothing is sent that could be recorded: what comes after the table refuses it.
            let status = client.ask(&row.method, &path, &[], b"").unwrap().status;
            let refused = if roles.is_some() { status == 403 } else { status == 401 };
            if refused != table.view(row, roles).is_none() {
                wrong.push(format!("{} {} as {roles:?}: {status}", row.method, row.route));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    house.verified();
}

/// The id of what is recorded of each family, by the family's path.
type Ids = BTreeMap<&'static str, String>;

/// A house with something of every family of records, all of P-ada1 where it is of somebody.
fn furnished() -> (House, Ids) {
    let mut grant = 0;
    let house = House::start_with(
        |_| {},
        |ledger| {
            enroll_approvers(ledger);
            grant = active_grant(ledger, "ada1", &text("S-0001"));
            furnish(ledger);
        },
    );
    let mut ids: Ids = [
        ("organizations", "agency"),
        ("persons", "P-ada1"),
        ("principals", "pr-covered"),
        ("credentials", "cr-1"),
        ("logins", "card-6"),
        ("providers", "lab"),
        ("models", "m-1"),
        ("issuers", "cik-0000000001"),
        ("identifiers", "id-1"),
        ("exposures", "x-1"),
        ("submissions", "S-0001"),
        ("agreements", "dc-1"),
        ("recusals", "rc-1"),
        ("lists", "l-1"),
        ("list-items", "i-1"),
        ("holdings", "h-1"),
        ("trades", "t-1"),
        ("relationships", "r-1"),
        ("filers", "f-1"),
        ("log", "1"),
    ]
    .map(|(family, id)| (family, id.to_owned()))
    .into();
    ids.insert("grants", grant.to_string());
    ids.insert("vouchers", voucher(&house, grant).to_string());
    let access = |person: &str| {
        let body = json!({ "person": person, "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z" });
        house.client("gateway").post("/api/v1/accesses", &format!("an-access-of-{person}"), &body).is(201);
    };
    access("P-ada1");
    // Without a grant: a case before long.
    access("P-bob1");
    let asks = countersign_api::view::fields_of(&scene::asks("P-ada1", Some("cik-0000000001"), "2026-06-01", "2026-06-05").into());
    let asked = house.client("covered").post("/api/v1/preclearances", "may-ada-buy-this-1", &asks).problem(409, "not-cleared");
    ids.insert("preclearances", asked["entry"].to_string());
    let user = json!({
        "userName": "grace", "name": { "formatted": "Grace" }, "userType": "civilian",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "organization": "Agency" },
    });
    let sync = house.client("sync1");
    let made = sync.ask("POST", "/scim/v2/Users", &[("Content-Type", "application/scim+json")], user.to_string().as_bytes()).unwrap();
    ids.insert("Users", made.is(201).json()["id"].as_str().unwrap().to_owned());
    ids.insert("Groups", sync.get("/scim/v2/Groups").is(200).json()["Resources"][0]["id"].as_str().unwrap().to_owned());
    house.world.clock.advance(2 * 3_600_000_000);
    let case = until("a case", || {
        let cases = house.client("ethics").get("/api/v1/cases").is(200).json();
        cases["rows"].as_array().unwrap().first().map(|row| row["case"].to_string())
    });
    ids.insert("cases", case);
    (house, ids)
}

fn furnish(ledger: &mut Ledger) {
    let put = |ledger: &mut Ledger, by: &str, made: Record| drop(record(ledger, by, &format!("seed-{}", ledger.size()), made).unwrap());
    for (kind, fields) in [
        ("credential", json!({ "id": "cr-1", "person": "P-ada1", "kind": "piv", "issuer": "CN=Elsewhere", "subject": "ada" })),
        ("model", json!({ "id": "m-1", "provider": "lab", "name": "A model" })),
        ("identifier", json!({ "id": "id-1", "issuer": "cik-0000000001", "scheme": "ticker", "value": "PRNT" })),
        ("provider", json!({ "id": "far", "name": "Far" })),
        ("issuer", json!({ "id": "cik-0000000009", "name": "Far from the lab", "tickers": [], "former_names": [] })),
    ] {
        put(ledger, "founder", countersign_api::body::record(kind, fields).unwrap());
    }
    let destroyed = scene::agreement("P-ada1", AgreementKind::DestructionCertificate);
    put(ledger, "officer", Agreement { id: text("dc-1"), submission: Some(text("S-0001")), ..destroyed }.into());
    put(ledger, "ethics", scene::recusal("rc-1", "P-ada1", "provider:far").into());
    put(ledger, "ethics", scene::list("l-1", ListKind::Restricted, None).into());
    put(ledger, "ethics", scene::item("i-1", "l-1", "provider:far").into());
    put(ledger, "ethics", scene::list("w-1", ListKind::Watch, None).into());
    put(ledger, "ethics", scene::item("wi-1", "w-1", "provider:far").into());
    put(ledger, "ethics", scene::holding("h-1", "P-ada1", Some("cik-0000000009"), "2026-05-20").into());
    put(ledger, "ethics", scene::trade("t-1", "P-ada1", Some("cik-0000000009"), "2026-05-20").into());
    for (kind, fields) in [
        ("relationship", json!({ "id": "r-1", "person": "P-ada1", "kind": "served", "relation": "own", "organization": "agency" })),
        ("filer", json!({ "id": "f-1", "person": "P-ada1", "report": "confidential", "from": "2026-01-01" })),
    ] {
        put(ledger, "ethics", countersign_api::body::record(kind, fields).unwrap());
    }
}

/// A voucher that two approvers signed.
fn voucher(house: &House, grant: u64) -> u64 {
    let (officer, path) = (house.client("officer"), "/api/v1/vouchers");
    let now = officer.get(&format!("/api/v1/grants/{grant}")).is(200).json()["as_of_at"].as_str().unwrap().to_owned();
    let later = text::<countersign_entry::time::Micros>(&now).plus(3_600_000_000).to_string();
    let body = json!({ "grant": grant, "expires_at": later, "reason": "A week", "approvers": ["pr-approver1", "pr-approver2"] });
    let send = |more: &[(&str, &str)]| {
        let headers = [&[("Content-Type", "application/json"), ("Idempotency-Key", "a-voucher-000001")], more].concat();
        officer.ask("POST", path, &headers, body.to_string().as_bytes()).unwrap()
    };
    let draft = send(&[("Countersign-Draft", "true")]).problem(422, "to-be-signed");
    let request = STANDARD.decode(draft["request"].as_str().unwrap()).unwrap();
    let [one, two] = ["approver1", "approver2"].map(|part| STANDARD.encode(sign(&signing(principal(part).as_str()), &request)));
    send(&[("Countersign-Approval", &one), ("Countersign-Approval", &two)]).is(201).json()["voucher"].as_u64().unwrap()
}

/// Waits until there is one.
#[track_caller]
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{what} does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A path of a route that names what is recorded.
fn path_of(route: &str, ids: &Ids) -> String {
    let family = route.trim_start_matches("/api/v1/").trim_start_matches("/scim/v2/").split('/').next().unwrap();
    let path = match route {
        "/tile/{*path}" => "/tile/0/000.p/1".to_owned(),
        "/api/v1/log/proofs/inclusion" => format!("{route}?index=0"),
        "/api/v1/log/proofs/consistency" => format!("{route}?from=1"),
        route => route.replace("/control/{index}", "/control/0"),
    };
    let id = |name: &str| {
        if path.contains(name) { ids.get(family).unwrap_or_else(|| panic!("nothing of {family}")).clone() } else { String::new() }
    };
    ["{index}", "{entry}", "{id}"].iter().fold(path.clone(), |path, name| path.replace(name, &id(name)))
}

/// What is sent where a question is a POST, or the first step of something that is made and fetched; elsewhere something that records nothing.
fn body_of(route: &str) -> Value {
    match route {
        "/api/v1/checks" => json!({ "person": "P-ada1", "submission": "S-0001", "duty": "Evaluate" }),
        "/api/v1/imports" => {
            json!({ "source": "people", "file": STANDARD.encode("id,name,status,organization\nP-imp001,Ines,civilian,agency\n") })
        }
        "/api/v1/exports" => json!({ "planes": "public" }),
        "/api/v1/bundles" => json!({ "entries": [0] }),
        "/api/v1/reports" => json!({ "kind": "insiders", "submission": "S-0001" }),
        _ => json!({}),
    }
}

/// Entries about questions from one on, and where the ledger ends.
fn reads(house: &House, from: u64) -> (Vec<(String, String)>, u64) {
    let ledger = house.world.open(Access::Read).unwrap();
    let read = |n| match ledger.entry(n).unwrap().2 {
        Record::Read(read) => Some((read.question.to_string(), read.subject.to_string())),
        _ => None,
    };
    ((from..ledger.size()).filter_map(read).collect(), ledger.size())
}

#[test]
fn who_asked_is_recorded_where_the_table_says_so_and_nowhere_else() {
    let (house, mut ids) = furnished();
    let table = Roles::built_in().unwrap();
    let marker = house.client("founder");
    let (mut wrong, mut from) = (Vec::new(), None);
    for (n, row) in table.rows().iter().enumerate() {
        // Whoever sees most of it.
        let (part, _) = PLAYED.iter().rev().max_by_key(|(_, role)| table.view(row, Some(&[*role]))).unwrap();
        let client = house.client(part);
        // What the marker of the row before ends with, this one begins after.
        if from.is_none() {
            from = Some(marked(&house, &marker, n, 0).1);
        }
        let path = path_of(&row.route, &ids);
        let status = play(&client, &row.method, &path, &row.route, n, &mut ids);
        let (asked, end) = marked(&house, &marker, n + 1, from.unwrap());
        from = Some(end);
        if row.recorded == asked.is_empty() || (row.method == "GET" || row.recorded) && !(200..300).contains(&status) {
            wrong.push(format!("{} {path} as {part}: {status}, recorded: {asked:?}", row.method));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    house.verified();
}

/// Asks, and where something is made behind the service waits until it is there. Of a stream of events the head is read.
fn play(client: &Client, method: &str, path: &str, route: &str, n: usize, ids: &mut Ids) -> u16 {
    if route == "/api/v1/events" {
        let (mut stream, mut head) = (client.events(""), [0; 12]);
        stream.read_exact(&mut head).unwrap();
        return std::str::from_utf8(&head[9..]).unwrap().parse().unwrap();
    }
    let key = format!("row-of-the-table-{n:04}");
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key.as_str())];
    let body = if method == "GET" { String::new() } else { body_of(route).to_string() };
    let answer = client.ask(method, path, &headers, body.as_bytes()).unwrap();
    if let Some(family) = ["imports", "exports", "bundles", "reports"].into_iter().find(|f| method == "POST" && route.ends_with(*f)) {
        let place = answer.headers["location"].clone();
        ids.insert(family, place.rsplit('/').next().unwrap().to_owned());
        if family != "imports" {
            until(&place, || Some(()).filter(|()| client.get(&place).is(200).json()["state"] == "ready"));
        }
    }
    answer.status
}

/// What was recorded of questions since, with all that was asked before a question of its own that is recorded too.
fn marked(house: &House, marker: &Client, n: usize, from: u64) -> (Vec<(String, String)>, u64) {
    let person = format!("P-{n:04}");
    marker.get(&format!("/api/v1/logins?person={person}")).is(200);
    until("the marker", || {
        let (mut all, end) = reads(house, from);
        (all.pop()? == ("logins".to_owned(), person.clone())).then_some((all, end))
    })
}

/// Names of an object's fields.
fn names(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap_or_else(|| panic!("{value}")).keys().cloned().collect()
}

/// Fields of a record that somebody with a view of its family sees, by the words in which schemas/roles.csv says what a view is.
fn expected(view: View, whole: &BTreeSet<String>) -> BTreeSet<String> {
    let without = |hidden: &[&str]| whole.iter().filter(|name| !hidden.contains(&name.as_str())).cloned().collect();
    match view {
        View::Full => whole.clone(),
        View::Neutral | View::Offer => without(&["ground", "assessment", "reason", "cause"]),
        View::Own => without(&["ground"]),
        View::Scope => ["id", "person", "scope", "from", "until"].map(str::to_owned).into(),
        View::Public | View::Append => panic!("a record is shown under no such view"),
    }
}

#[test]
fn each_role_sees_of_each_family_what_its_view_says() {
    let (house, ids) = furnished();
    let table = Roles::built_in().unwrap();
    let clients: Vec<_> = PLAYED.iter().map(|(part, role)| (house.client(part), *role)).collect();
    let ethics = house.client("ethics");
    let mut wrong = Vec::new();
    let mut seen: BTreeMap<View, usize> = BTreeMap::new();
    for row in table.rows().iter().filter(|row| row.method == "GET") {
        let Some(family) = row.route.strip_prefix("/api/v1/").and_then(|rest| rest.strip_suffix("/{id}")) else { continue };
        if ["logins", "imports", "exports", "bundles", "reports"].contains(&family) {
            continue;
        }
        // What is recorded, as the ledger has it.
        let path = path_of(&row.route, &ids);
        let entry = ethics.get(&path).is(200).json()["entry"].as_u64().unwrap();
        let record = house.world.open(Access::Read).unwrap().entry(entry).unwrap().2;
        let whole = names(&countersign_api::view::fields_of(&record));
        for (client, role) in &clients {
            let answer = client.get(&path);
            let view = table.view(row, Some(&[*role]));
            let good = match view {
                None => answer.status == 403,
                Some(view) => answer.status == 200 && names(&answer.json()["record"]) == expected(view, &whole),
            };
            seen.entry(view.unwrap_or(View::Public)).and_modify(|n| *n += 1).or_insert(1);
            if !good {
                wrong.push(format!("{path} as {role:?}, {view:?}: {} {}", answer.status, answer.text()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(
        [View::Own, View::Scope, View::Offer, View::Neutral, View::Full].iter().all(|view| seen.get(view).is_some_and(|n| *n > 0)),
        "{seen:?}"
    );

    // A developer sees who certified that what was offered is destroyed, and of nobody else what they signed.
    house.client("devel1").get("/api/v1/agreements/set-ada1-AccessTerms").problem(404, "not-found");
    assert_eq!(house.client("devel1").get("/api/v1/agreements").is(200).json()["rows"].as_array().unwrap().len(), 1);
    // Of others who sees their own sees nothing, and nobody but the ethics officer knows of a watch list.
    for path in ["/api/v1/persons/P-bob1", "/api/v1/agreements/set-bob1-AccessTerms", "/api/v1/persons/P-bob1/windows"] {
        house.client("covered").get(path).problem(404, "not-found");
        ethics.get(path).is(200);
    }
    for path in ["/api/v1/lists/w-1", "/api/v1/list-items/wi-1", "/api/v1/lists/w-1/items"] {
        ethics.get(path).is(200);
        for (client, role) in clients.iter().filter(|(_, role)| *role != Role::EthicsOfficer) {
            assert!([403, 404].contains(&client.get(path).status), "{path} as {role:?}");
        }
    }
    // Reasons are told with the full view alone; a grant's row and an access's have the same fields but for those.
    let grant = path_of("/api/v1/grants/{entry}", &ids);
    assert!(ethics.get(&grant).is(200).json()["assessment"].is_object());
    for part in ["officer", "inspector", "covered"] {
        assert_eq!(house.client(part).get(&grant).is(200).json()["assessment"], Value::Null, "{part}");
    }
    let first = |part: &str| house.client(part).get("/api/v1/accesses").is(200).json()["rows"][0].clone();
    let offered = ["entry", "occurred_at", "person", "organization", "submission", "action", "artefact", "result"];
    assert_eq!(names(&first("devel1")), offered.map(str::to_owned).into());
    assert_eq!(names(&first("covered")), names(&first("officer")));
    let rows = |part: &str| house.client(part).get("/api/v1/accesses").is(200).json()["rows"].as_array().unwrap().len();
    assert_eq!((rows("covered"), rows("devel1"), rows("officer")), (1, 2, 2), "one's own, all of what was offered, all");
    house.verified();
}

/// Fields of an answer that say what was known: not its marking, which is today's, and no cursor; nor the names beside accesses, which are too.
fn known(route: &str, answer: &Value) -> Value {
    let mut known = answer.clone();
    known.as_object_mut().unwrap().retain(|name, _| !["marking", "next"].contains(&name.as_str()));
    if route == "/api/v1/accesses" {
        known["rows"].as_array_mut().unwrap().iter_mut().for_each(|row| drop(row.as_object_mut().unwrap().remove("name")));
    }
    known
}

#[test]
fn each_read_answers_as_of_then_what_it_answered_then() {
    let (house, ids) = furnished();
    let table = Roles::built_in().unwrap();
    let ethics = house.client("ethics");
    // Whatever is asked about may change; an entry is what it is, and these are no questions to the ledger.
    let no_question = ["/log/entries/{index}", "imports", "exports", "bundles", "reports", "events", "/scim/"];
    let asked = |row: &&countersign_api::roles::Row| {
        row.method == "GET" && row.recorded && !no_question.iter().any(|part| row.route.contains(part))
    };
    let routes: Vec<String> = table.rows().iter().filter(asked).map(|row| row.route.clone()).collect();
    assert!(routes.len() > 50, "{routes:?}");
    let client = |route: &str| house.client(if route.contains("logins") { "inspector" } else { "ethics" });
    let get = |route: &str, as_of: Option<u64>| {
        let as_of = as_of.map(|size| format!("?as_of={size}")).unwrap_or_default();
        client(route).get(&format!("{}{as_of}", path_of(route, &ids))).is(200).json()
    };
    let before: Vec<(String, Value)> = routes.iter().map(|route| (route.clone(), get(route, None))).collect();
    let size = before.last().unwrap().1["as_of"].as_u64().unwrap();

    // Something of most of it changes.
    let change = |part: &str, path: &str, fields: Value| {
        let etag = house.client(part).get(path).is(200).headers["etag"].clone();
        let key = format!("change-{}", path.replace('/', "-"));
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key.as_str()), ("If-Match", etag.as_str())];
        house.client(part).ask("PATCH", path, &headers, fields.to_string().as_bytes()).unwrap().is(201);
    };
    change("officer", "/api/v1/persons/P-ada1", json!({ "name": "Another name" }));
    change("ethics", "/api/v1/lists/l-1", json!({ "kind": "watch" }));
    change("ethics", "/api/v1/holdings/h-1", json!({ "as_of": "2026-05-21" }));
    change("ethics", "/api/v1/recusals/rc-1", json!({ "until": "2026-07-01T00:00:00Z" }));
    let post = |part: &str, path: String, body: Value| {
        house.client(part).post(&path, &format!("then-{}", path.replace('/', "-")), &body).is(201);
    };
    post("officer", format!("{}/revoke", path_of("/api/v1/grants/{entry}", &ids)), json!({ "reason": "Over" }));
    let logins = house.client("founder").get("/api/v1/logins").is(200).json();
    let spare = logins["rows"].as_array().unwrap().iter().find(|login| login["principal"] == "pr-witness1").unwrap()["id"].clone();
    post("founder", format!("/api/v1/logins/{}/revoke", spare.as_str().unwrap()), json!({ "reason": "lost" }));
    let decided = json!({ "cleared_until": "2026-06-03", "reason": "An ethics official looked at it." });
    post("ethics", format!("{}/decisions", path_of("/api/v1/preclearances/{entry}", &ids)), decided);
    let access = json!({ "person": "P-ada1", "submission": "S-0001", "action": "view", "occurred_at": "2026-06-01T12:00:00Z" });
    post("gateway", "/api/v1/accesses".to_owned(), access);

    let mut changed = 0;
    for (route, then) in &before {
        let as_of = then["as_of"].as_u64().unwrap();
        assert_eq!(known(route, &get(route, Some(as_of))), known(route, then), "{route}");
        let now = get(route, None);
        changed += usize::from(now["rows"] != then["rows"] || now["record"] != then["record"] || now["state"] != then["state"]);
    }
    assert!(changed > 10, "{changed}");

    // What is on a watch list now is nobody's else to hear of, whatever it was then.
    let inspector = house.client("inspector");
    for path in ["/api/v1/lists/l-1", "/api/v1/lists/l-1/items", "/api/v1/list-items/i-1"] {
        inspector.get(&format!("{path}?as_of={size}")).problem(404, "not-found");
    }
    for path in ["/api/v1/lists", "/api/v1/list-items"] {
        assert_eq!(inspector.get(&format!("{path}?as_of={size}")).is(200).json()["rows"], json!([]), "{path}");
    }
    for path in ["/api/v1/persons", "/api/v1/grants", "/api/v1/accesses", "/api/v1/log/entries"] {
        ethics.get(&format!("{path}?as_of=99999999")).problem(404, "not-found");
        ethics.get(&format!("{path}?as_of=soon")).problem(400, "validation");
        ethics.get(&format!("{path}?as_of=2020-01-01T00:00:00Z")).is(200);
    }
    house.verified();
}

#[test]
fn an_ethics_office_sees_of_people_of_another_agency_what_everybody_sees() {
    let (mut house, ids) = furnished();
    let (own, abroad) = (house.client("ethics"), house.client("abroad"));
    let path = |route: &str| path_of(route, &ids);

    // What they file, what they ask before they trade, what was found: not there, neither by its id nor in a list, nor as an entry.
    let mut entries = Vec::new();
    for family in ["holdings", "trades", "relationships", "filers"] {
        let one = path(&format!("/api/v1/{family}/{{id}}"));
        entries.push(own.get(&one).is(200).json()["entry"].as_u64().unwrap());
        abroad.get(&one).problem(404, "not-found");
    }
    for family in ["preclearances", "cases"] {
        let one = path(&format!("/api/v1/{family}/{{entry}}"));
        own.get(&one).is(200);
        abroad.get(&one).problem(404, "not-found");
        entries.push(ids[family].parse().unwrap());
    }
    for family in ["holdings", "trades", "relationships", "filers", "preclearances", "cases"] {
        let rows = |client: &Client| {
            let answer = client.get(&format!("/api/v1/{family}")).is(200).json();
            (answer["rows"].as_array().unwrap().len(), answer["complete_for"].as_str().unwrap().to_owned())
        };
        let (known, whole) = rows(&own);
        assert!(known > 0 && whole == "everybody", "{family}");
        assert_eq!(rows(&abroad), (0, "your role".to_owned()), "{family}");
    }
    for entry in &entries {
        own.get(&format!("/api/v1/log/entries/{entry}")).is(200);
        abroad.get(&format!("/api/v1/log/entries/{entry}")).problem(404, "not-found");
    }
    let kinds = |client: &Client, as_of: &str| -> BTreeSet<String> {
        let rows = client.get(&format!("/api/v1/persons/P-ada1/timeline?limit=100{as_of}")).is(200).json()["rows"].clone();
        rows.as_array().unwrap().iter().map(|row| row["type"].as_str().unwrap().to_owned()).collect()
    };
    let size = own.get("/api/v1/grants").is(200).json()["as_of"].to_string();
    for as_of in [String::new(), format!("&as_of={size}")] {
        let hidden: BTreeSet<String> = kinds(&own, &as_of).difference(&kinds(&abroad, &as_of)).cloned().collect();
        assert_eq!(
            hidden,
            ["case.opened", "filer", "holding", "preclearance.request", "relationship", "trade"].map(str::to_owned).into(),
            "{as_of}"
        );
    }

    // That they asked for access and what became of it they see as an access officer does; the lists they see as an ethics office.
    let (grant, check) = (path("/api/v1/grants/{entry}"), body_of("/api/v1/checks"));
    assert_eq!(abroad.get(&grant).is(200).json()["assessment"], Value::Null);
    assert_eq!(abroad.get(&path("/api/v1/vouchers/{entry}")).is(200).json()["reason"], Value::Null);
    assert!(abroad.post("/api/v1/checks", "abroad-checks-0001", &check).is(200).json()["assessment"].is_null());
    assert!(own.post("/api/v1/checks", "own-checks-000001", &check).is(200).json()["assessment"].is_object());
    assert!(abroad.get("/api/v1/recusals/rc-1").is(200).json()["record"].get("ground").is_none());
    assert!(own.get("/api/v1/recusals/rc-1").is(200).json()["record"].get("ground").is_some());
    abroad.get("/api/v1/lists/w-1").is(200);
    // What a watch list found of somebody is told with their assessment, and so not.
    assert!(!abroad.get(&grant).text().contains("watch"));

    // They record and decide nothing of them; what takes access away is open to them.
    let holding = countersign_api::view::fields_of(&scene::holding("h-9", "P-ada1", Some("cik-0000000009"), "2026-05-20").into());
    assert_eq!(abroad.post("/api/v1/holdings", "abroad-records-001", &holding).problem(403, "forbidden-agency")["recorded"], false);
    let decided = json!({ "cleared_until": null, "reason": "As it stands" });
    abroad.post(&path("/api/v1/preclearances/{entry}/decisions"), "abroad-decides-001", &decided).problem(403, "forbidden-agency");
    let note = json!({ "step": "note", "text": "A word", "evidence": [] });
    abroad.post(&path("/api/v1/cases/{entry}/decisions"), "abroad-decides-002", &note).problem(403, "forbidden-agency");
    abroad.post(&format!("{grant}/suspend"), "abroad-suspends-01", &json!({ "reason": "A doubt" })).is(201);
    // Of their own people they see and record what an ethics office does.
    let ours = countersign_api::view::fields_of(&scene::holding("h-8", "P-abroad", Some("cik-0000000009"), "2026-05-20").into());
    abroad.post("/api/v1/holdings", "abroad-records-002", &ours).is(201);
    assert_eq!(abroad.get("/api/v1/holdings").is(200).json()["rows"].as_array().unwrap().len(), 1);

    // A routine use opens what stands there, as soon as it is in force.
    house.running.take().unwrap().stop();
    let mut ledger = house.world.open(Access::Write).unwrap();
    let known = ledger.facts().policy(ledger.now()).unwrap().index;
    let used = RoutineUse { filers_of: text("agency"), seen_by: text("bureau"), authority: text("91 FR 1 (invented)") };
    let opened = Policy { version: 2, routine_uses: vec![used], supersedes: Some(known), ..policy() };
    record(&mut ledger, "founder", "routine-use", opened).unwrap();
    drop(ledger);
    house.run();
    let abroad = abroad.to(&house);
    for family in ["holdings", "trades", "relationships", "filers"] {
        abroad.get(&path(&format!("/api/v1/{family}/{{id}}"))).is(200);
    }
    assert!(abroad.get(&grant).is(200).json()["assessment"].is_object());
    house.verified();
}
