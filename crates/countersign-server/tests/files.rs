//! Files of records in two steps, and exports that are made behind the service.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

mod support;

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_server::report::TEMPLATES;
use countersign_testing::ledger::{active_grant, verified_export};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::{Answer, Client, House};

const PEOPLE: &str = "id,name,status,organization\nP-imp001,Ines Import,civilian,agency\nP-imp002,Ivo Import,civilian,nowhere\nP-imp003,Iris Import,king,agency\nP-imp001,Ines Import,civilian,agency\n";

fn send(client: &Client, source: &str, file: &str, people: Option<&str>) -> Answer {
    let body = json!({ "source": source, "file": STANDARD.encode(file), "people": people });
    client.post("/api/v1/imports", "no-key-is-needed", &body)
}

fn commit(client: &Client, id: &str, digest: &str) -> Answer {
    client.post(&format!("/api/v1/imports/{id}/commit"), "no-key-is-needed", &json!({ "digest": digest }))
}

fn named(answer: &Value) -> (String, String) {
    (answer["id"].as_str().unwrap().to_owned(), answer["digest"].as_str().unwrap().to_owned())
}

#[test]
fn a_file_is_looked_at_then_recorded_as_it_was_looked_at() {
    let house = House::start();
    let officer = house.client("officer");
    let before = officer.get("/api/v1/log/entries?limit=1").is(200).json()["as_of"].as_u64().unwrap();
    let looked = send(&officer, "people", PEOPLE, None).is(201);
    assert_eq!(looked.headers["countersign-marking"], "CUI//SP-PROPIN");
    let told = looked.json();
    assert_eq!((&told["state"], &told["new"], &told["recorded"]), (&json!("preview"), &json!(1), &json!(false)), "{told}");
    assert_eq!(told["accounting"]["total"], 4, "{told}");
    assert_eq!(told["quarantined"].as_array().unwrap().len(), 2, "{told}");
    assert_eq!(told["duplicates"], json!([{ "row": 5, "of": 2 }]), "{told}");
    officer.get("/api/v1/persons/P-imp001").problem(404, "not-found");
    let (id, digest) = named(&told);
    let aside = officer.get(&format!("/api/v1/imports/{id}/quarantine")).is(200);
    assert!(aside.text().contains("P-imp002") && !aside.text().contains("P-imp001"), "{}", aside.text());
    // Somebody else's is not there, not for the ethics office either.
    house.client("ethics").get(&format!("/api/v1/imports/{id}")).problem(404, "not-found");
    let kept = |part: &str| house.client(part).get("/api/v1/imports").is(200).json()["rows"].clone();
    assert_eq!(kept("officer"), json!([{ "id": id, "source": "people", "digest": digest, "state": "preview" }]));
    assert_eq!(kept("ethics"), json!([]));
    commit(&house.client("ethics"), &id, &digest).problem(404, "not-found");
    commit(&officer, &id, &"00".repeat(32)).problem(412, "stale-etag");
    let done = commit(&officer, &id, &digest).is(201).json();
    assert_eq!((&done["state"], &done["recorded"]), (&json!("ended"), &json!(true)), "{done}");
    let entry = done["results"][0]["entry"].as_u64().unwrap();
    assert_eq!((done["results"].as_array().unwrap().len(), done["results"][0]["row"].as_u64()), (1, Some(2)), "{done}");
    assert_eq!(officer.get("/api/v1/persons/P-imp001").is(200).json()["entry"], entry);
    // Again: the same answer, and nothing new. Sent again, it says that it came before.
    assert_eq!(commit(&officer, &id, &digest).is(200).json()["results"], done["results"]);
    let again = send(&officer, "people", PEOPLE, None).is(201).json();
    assert_eq!((&again["imported_before"], &again["new"], &again["unchanged"]), (&done["import_entry"], &json!(0), &json!(1)), "{again}");
    let (id, digest) = named(&again);
    assert_eq!(commit(&officer, &id, &digest).is(200).json()["recorded"], json!(false));
    let ledger = house.verified();
    let count = |kind: &str| (before..ledger.size()).filter(|i| ledger.entry(*i).unwrap().2.type_name() == kind).count();
    assert_eq!((count("person"), count("import")), (1, 1));
    assert!(count("read") >= 3, "who looked at a file is not recorded");
}

#[test]
fn what_changed_meanwhile_is_looked_at_again() {
    let house = House::start();
    let officer = house.client("officer");
    let (id, digest) = named(&send(&officer, "people", PEOPLE, None).is(201).json());
    let person = json!({ "id": "P-imp001", "name": "Somebody Else", "status": "civilian", "organization": "agency" });
    officer.post("/api/v1/persons", "meanwhile-0123456", &person).is(201);
    commit(&officer, &id, &digest).problem(412, "stale-etag");
    let again = send(&officer, "people", PEOPLE, None).is(201).json();
    assert_eq!((&again["new"], &again["changed"]), (&json!(0), &json!(1)), "{again}");
    assert_eq!(again["changes"][0]["old"], "Somebody Else", "{again}");
    let (id, digest) = named(&again);
    commit(&officer, &id, &digest).is(201);
    assert_eq!(officer.get("/api/v1/persons/P-imp001").json()["record"]["name"], "Ines Import");
    house.verified();
}

#[test]
fn trades_are_for_the_ethics_office_and_what_does_not_read_says_nothing_of_what_it_holds() {
    let house = House::start();
    let (officer, ethics) = (house.client("officer"), house.client("ethics"));
    let trades = "filer,traded_on,asset,ticker,kind,amount_low,amount_high\nADA,2026-05-20,Parent Corp,,purchase,1001,15000\n";
    send(&officer, "trades", trades, None).problem(403, "forbidden-role");
    house.client("gateway").post("/api/v1/imports", "x", &json!({})).problem(403, "forbidden-role");
    let told = send(&ethics, "trades", trades, Some("filer,person\nADA,P-ada1\n")).is(201).json();
    assert_eq!((&told["new"], told["quarantined"].as_array().unwrap().len()), (&json!(1), 0), "{told}");
    let (id, digest) = named(&told);
    commit(&ethics, &id, &digest).is(201);
    assert_eq!(house.client("covered").get("/api/v1/trades").is(200).json()["rows"].as_array().unwrap().len(), 1);
    for (source, file, people) in [
        ("trades", trades, Some("filer,person\nADA,P-CANARY7XQ\n")),
        ("trades", "CANARY7XQ;\"CANARY", None),
        ("king", "CANARY7XQ", None),
        ("people", "\u{0}CANARY7XQ", None),
    ] {
        let answer = send(&ethics, source, file, people);
        assert!(answer.status >= 400 && !answer.text().contains("CANARY"), "{source} {}: {}", answer.status, answer.text());
    }
    // What says of itself that it is too long is not read.
    let mut stream = ethics.connect().unwrap();
    let head = "POST /api/v1/imports HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 40000000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = vec![0; 4_096];
    let read = stream.read(&mut answer).unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&answer[..read]));
    drop(stream);
    // Two of one's own are kept: a third takes the place of the first.
    let ids: Vec<String> =
        (0..3).map(|n| named(&send(&ethics, "people", &PEOPLE.replace("Ines", &format!("Ines{n}")), None).is(201).json()).0).collect();
    ethics.get(&format!("/api/v1/imports/{}", ids[0])).problem(404, "not-found");
    ethics.get(&format!("/api/v1/imports/{}", ids[2])).is(200);
    house.verified();
}

#[test]
fn an_export_is_made_behind_the_service_and_verifies() {
    let house = House::start();
    let inspector = house.client("inspector");
    house.client("approver1").post("/api/v1/exports", "x", &json!({ "planes": "both" })).problem(403, "forbidden-role");
    let begun = inspector.post("/api/v1/exports", "export-both-000001", &json!({ "planes": "both" })).is(202);
    let place = begun.headers["location"].clone();
    house.client("founder").get(&place).problem(404, "not-found");
    let ready = ready(&inspector, &place);
    let file = inspector.get(ready["file"].as_str().unwrap()).is(200);
    assert_eq!(file.headers["countersign-marking"], "CUI//SP-PROPIN");
    assert_eq!(file.body.len() as u64, ready["bytes"].as_u64().unwrap());
    assert_eq!(hex::encode(Sha256::digest(&file.body)), ready["sha256"]);
    let out = tempfile::tempdir().unwrap();
    zip::ZipArchive::new(std::io::Cursor::new(&file.body)).unwrap().extract(out.path()).unwrap();
    let marking = std::fs::read_to_string(out.path().join("MARKING.txt")).unwrap();
    assert!(marking.starts_with("CUI//SP-PROPIN\n") && marking.ends_with("CUI//SP-PROPIN\n"), "{marking}");
    assert!(!begun.headers.contains_key("preference-applied"));
    // Whoever says that they do not want to wait is told that they do not (RFC 7240).
    let headers =
        [("Content-Type", "application/json"), ("Idempotency-Key", "export-public-0001"), ("Prefer", "wait=5, Respond-Async; a=b")];
    let body = json!({ "planes": "public" }).to_string();
    let public = inspector.ask("POST", "/api/v1/exports", &headers, body.as_bytes()).unwrap().is(202);
    assert_eq!(public.headers["preference-applied"], "respond-async");
    assert_eq!(public.headers["countersign-marking"], "UNCLASSIFIED");
    // A restart knows of none, and leaves none behind.
    let kept = house.path("exports");
    assert!(kept.read_dir().unwrap().next().is_some());
    let ledger = house.verified();
    verified_export(out.path(), &ledger);
    assert!(
        (0..ledger.size())
            .any(|i| serde_json::to_string(&countersign_api::view::fields_of(&ledger.entry(i).unwrap().2)).unwrap().contains("\"export\""))
    );
}

/// Waits until it is made.
fn ready(client: &Client, place: &str) -> Value {
    loop {
        let told = client.get(place).is(200).json();
        match told["state"].as_str().unwrap() {
            "making" => std::thread::sleep(Duration::from_millis(20)),
            "ready" => break told,
            other => panic!("{other}"),
        }
    }
}

/// Has something made, and waits for its archive.
fn archive(client: &Client, path: &str, body: &Value) -> (Answer, tempfile::TempDir) {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let key = format!("have-this-made-{:06}", ASKED.fetch_add(1, Ordering::Relaxed));
    let place = client.post(path, &key, body).is(202).headers["location"].clone();
    assert!(place.starts_with(&format!("{path}/")), "{place}");
    let ready = ready(client, &place);
    let file = client.get(ready["file"].as_str().unwrap()).is(200);
    let out = tempfile::tempdir().unwrap();
    zip::ZipArchive::new(std::io::Cursor::new(&file.body)).unwrap().extract(out.path()).unwrap();
    (file, out)
}

#[test]
fn reports_are_made_behind_the_service_in_the_forms_asked_for() {
    let furnish = |ledger: &mut countersign_ledger::Ledger| {
        active_grant(ledger, "ada1", &"S-0001".parse().unwrap());
    };
    let house = House::start_with(|_| {}, furnish);
    let (officer, ethics, path) = (house.client("officer"), house.client("ethics"), "/api/v1/reports");
    let kinds = officer.get(path).is(200).json()["rows"].as_array().unwrap().clone();
    assert_eq!(kinds.iter().filter(|k| k["kind"] == "insiders").count(), TEMPLATES.len());
    assert!(!kinds.iter().any(|k| k["kind"] == "calendar"), "duties are the ethics office's to see");
    for kind in &kinds {
        let (file, out) = archive(&officer, path, &json!({ "kind": "insiders", "submission": "S-0001", "template": kind["template"] }));
        let read = |name: &str| std::fs::read_to_string(out.path().join(name)).unwrap();
        let told: Value = serde_json::from_str(&read("report.json")).unwrap();
        assert_eq!((&told["title"], told["complete"].as_bool()), (&kind["title"], Some(true)));
        let csv = read("report.csv");
        assert!(csv.lines().next().unwrap().contains(told["columns"][0].as_str().unwrap()) && csv.lines().count() == 2, "{csv}");
        assert!(csv.contains("ada1") && read("MARKING.txt").trim() == file.headers["countersign-marking"], "{csv}");
    }
    // As it stood before anybody had access.
    let size = officer.get("/api/v1/submissions/S-0001").is(200).json()["entry"].as_u64().unwrap() + 1;
    let (_, before) = archive(&officer, path, &json!({ "kind": "insiders", "submission": "S-0001", "template": "us", "as_of": size }));
    let told: Value = serde_json::from_slice(&std::fs::read(before.path().join("report.json")).unwrap()).unwrap();
    assert_eq!((told["rows"].as_array().unwrap().len(), &told["as_of"]), (0, &json!(size)));

    let sooner = json!({ "kind": "insiders", "submission": "S-0001", "template": "us", "as_of": size - 1 });
    let key = "never-made-000001";
    officer.post(path, key, &sooner).problem(422, "invalid");

    officer.post(path, key, &json!({ "kind": "calendar" })).problem(403, "forbidden-role");
    officer.post(path, key, &json!({ "kind": "insiders" })).problem(422, "invalid");
    officer.post(path, key, &json!({ "kind": "insiders", "submission": "S-0001", "template": "us-1789" })).problem(422, "invalid");
    officer.post(path, key, &json!({ "kind": "insiders", "submission": "S-none" })).problem(422, "unknown-reference");
    house.client("covered").get(path).problem(403, "forbidden-role");
    let (file, out) = archive(&ethics, path, &json!({ "kind": "calendar" }));
    assert_eq!(file.headers["countersign-marking"], "CUI//SP-PROPIN");
    assert!(std::fs::read_to_string(out.path().join("report.csv")).unwrap().starts_with("due,state,name"));
    let ledger = house.verified();
    let subjects = reads(&ledger, "report");
    assert_eq!(subjects.iter().filter(|s| *s == "insiders S-0001 eu-2026").count(), 2, "asked for and fetched: {subjects:?}");
    assert!(subjects.contains(&"calendar all".to_owned()), "{subjects:?}");
}

#[test]
fn a_key_begins_one_archive_and_has_its_receipt_for_ever() {
    let mut house = House::start();
    let ethics = house.client("ethics");
    let insiders = |as_of: Option<u64>| json!({ "kind": "insiders", "submission": "S-0001", "as_of": as_of });
    // The same in other words, and another.
    let wanted = [
        ("export", json!({ "planes": "public" }), json!({ "planes": "public" }), json!({ "planes": "both" })),
        ("bundle", json!({ "entries": [3, 1, 3] }), json!({ "entries": [1, 3] }), json!({ "entries": [1, 2, 3] })),
        (
            "report",
            insiders(None),
            json!({ "kind": "insiders", "submission": "S-0001", "template": "us" }),
            json!({ "kind": "insiders", "submission": "S-0001", "template": "eu-2026" }),
        ),
    ];
    let key = "one-key-everywhere";
    let mut receipts = Vec::new();
    for (name, body, same, other) in &wanted {
        let path = format!("/api/v1/{name}s");
        let bare = ethics.ask("POST", &path, &[("Content-Type", "application/json")], body.to_string().as_bytes()).unwrap();
        bare.problem(400, "idempotency-key-missing");
        ethics.post(&path, "short", body).problem(400, "idempotency-key-missing");
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key), ("Countersign-Draft", "true")];
        ethics.ask("POST", &path, &headers, body.to_string().as_bytes()).unwrap().problem(422, "to-be-signed");
        // All at once: one begins it, the others hear of it or are to wait.
        let all: Vec<Answer> = std::thread::scope(|scope| {
            let asked: Vec<_> = (0..6).map(|_| scope.spawn(|| ethics.post(&path, key, body))).collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect()
        });
        let with = |status| all.iter().filter(|a| a.status == status).collect::<Vec<_>>();
        let (begun, again) = (with(202), with(200));
        assert_eq!((begun.len(), begun.len() + again.len() + with(409).len()), (1, 6), "{all:?}");
        let (told, place) = (begun[0].json(), &begun[0].headers["location"]);
        assert_eq!((&told["recorded"], &told["repeated"], &told[name]["file"]), (&json!(true), &json!(false), &Value::Null));
        for answer in again {
            assert_eq!((&answer.json()["receipt"], &answer.headers["location"]), (&told["receipt"], place));
        }
        let made = ready(&ethics, place);
        let kept = if *name == "report" { "kept" } else { "rows" };
        assert_eq!(ethics.get(&path).is(200).json()[kept], json!([made]));
        let again = ethics.post(&path, key, same).is(200);
        assert_eq!((&again.headers["location"], &again.json()[name]), (place, &made));
        assert_eq!((&again.json()["receipt"], &again.json()["repeated"]), (&told["receipt"], &json!(true)));
        ethics.post(&path, key, other).problem(422, "idempotency-key-reused");
        receipts.push(told);
    }
    let (_, body, ..) = &wanted[2];
    let size = ethics.get("/api/v1/persons").is(200).json()["as_of"].as_u64().unwrap();
    ethics.post("/api/v1/reports", key, &insiders(Some(size))).problem(422, "idempotency-key-reused");
    // Another's key is another key, and whoever asked before need not wait for it.
    let others = house.client("officer").post("/api/v1/reports", key, body).is(202);
    ethics.post("/api/v1/reports", key, body).is(200);
    ready(&house.client("officer"), &others.headers["location"]);
    // Four were begun and three are kept.
    let (_, body, ..) = &wanted[0];
    let told = ethics.post("/api/v1/exports", key, body).is(200).json();
    assert_eq!((&told["export"]["state"], &told["receipt"]), (&json!("gone"), &receipts[0]["receipt"]));

    house.running.take().unwrap().stop();
    house.run();
    let ethics = ethics.to(&house);
    for ((name, body, _, other), before) in wanted.iter().zip(&receipts) {
        let path = format!("/api/v1/{name}s");
        let again = ethics.post(&path, key, body).is(200);
        let told = again.json();
        for field in ["entry", "at", "size", "receipt", "leaf"] {
            assert_eq!(told[field], before[field], "{field}");
        }
        assert_eq!(told[name]["state"], "gone");
        assert!(told[name]["detail"].as_str().unwrap().contains("new Idempotency-Key"), "{told}");
        assert_eq!(again.headers["location"], format!("/api/v1/log/entries/{}", told["entry"]), "it is no more than an entry");
        ethics.post(&path, key, other).problem(422, "idempotency-key-reused");
        archive(&ethics, &path, body);
    }
    let ledger = house.verified();
    let count = |what: &str, subject: &str| reads(&ledger, what).iter().filter(|s| *s == subject).count();
    // Asked for under two keys, the report by somebody else too; fetched once.
    assert_eq!((count("export", "public"), count("bundle", "1,3"), count("report", "insiders S-0001 us")), (3, 3, 4));
}

#[test]
fn what_a_long_bundle_shows_is_recorded_and_bound_to_its_key() {
    let house = House::start();
    let line = r#"{"person":"P-ada1","submission":"S-0001","action":"query","occurred_at":"2026-06-01T12:00:00Z"}"#;
    let headers = [("Content-Type", "application/x-ndjson"), ("Idempotency-Key", "six-hundred-events")];
    house.client("gateway").ask("POST", "/api/v1/accesses", &headers, format!("{line}\n").repeat(600).as_bytes()).unwrap().is(200);
    let (ethics, path, key) = (house.client("ethics"), "/api/v1/bundles", "a-bundle-of-many-1");
    let mut entries: Vec<u64> = (0..300).map(|n| 2 * n).collect();
    let place = ethics.post(path, key, &json!({ "entries": entries })).is(202).headers["location"].clone();
    ready(&ethics, &place);
    // Alike in all that one line holds.
    entries[299] += 1;
    ethics.post(path, key, &json!({ "entries": entries })).problem(422, "idempotency-key-reused");
    let told = reads(&house.verified(), "bundle");
    let (asked, lines) = told.split_first().unwrap();
    let whole = lines.join(",");
    assert_eq!(*asked, format!("2 lines, sha256 {}", hex::encode(Sha256::digest(&whole))));
    entries[299] -= 1;
    assert_eq!(whole, entries.iter().map(u64::to_string).collect::<Vec<_>>().join(","));
}

/// What was recorded of questions of a kind.
fn reads(ledger: &countersign_ledger::Ledger, what: &str) -> Vec<String> {
    let read = |n| match ledger.entry(n).unwrap().2 {
        countersign_entry::record::Record::Read(read) if read.question.as_str() == what => Some(read.subject.to_string()),
        _ => None,
    };
    (0..ledger.size()).filter_map(read).collect()
}

/// Runs a stock tool in a directory; says loudly where there is none.
fn stock(dir: &std::path::Path, line: &str) -> Option<(bool, String)> {
    let done = std::process::Command::new("sh").arg("-c").arg(line).current_dir(dir).output().unwrap();
    if done.status.code() == Some(127) {
        eprintln!("SKIPPED: {line}: the tool is not installed");
        return None;
    }
    Some((done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned()))
}

/// The line of the bundle's README that checks its signature.
fn openssl(dir: &std::path::Path) -> String {
    let readme = std::fs::read_to_string(dir.join("README.txt")).unwrap();
    readme.lines().map(str::trim).find(|line| line.starts_with("openssl ")).unwrap().to_owned()
}

#[test]
fn a_bundle_is_checked_by_tools_that_are_not_ours() {
    let house = House::start();
    let (ethics, inspector) = (house.client("ethics"), house.client("inspector"));
    let list = json!({ "id": "quiet", "kind": "watch", "name": "Quiet" });
    let hidden = ethics.post("/api/v1/lists", "a-watch-list-000001", &list).is(201).json()["entry"].as_u64().unwrap();
    let recusal =
        json!({ "id": "rc-1", "person": "P-ada1", "scope": "provider:lab", "ground": "A private reason", "from": "2026-06-01T12:00:00Z" });
    let recused = ethics.post("/api/v1/recusals", "a-recusal-00000001", &recusal).is(201).json()["entry"].as_u64().unwrap();
    house.client("officer").post("/api/v1/bundles", "x", &json!({ "entries": [1] })).problem(403, "forbidden-role");
    inspector.post("/api/v1/bundles", "never-made-000001", &json!({ "entries": [] })).problem(400, "validation");
    inspector.post("/api/v1/bundles", "never-made-000001", &json!({ "entries": [9_999_999] })).problem(422, "unknown-reference");
    let made = |client: &Client| {
        let (file, out) = archive(client, "/api/v1/bundles", &json!({ "entries": [recused, hidden, 0, recused] }));
        assert_eq!(file.headers["countersign-marking"], "CUI//SP-PROPIN");
        out
    };
    let (dir, whole) = (made(&inspector), made(&ethics));
    let read = |dir: &std::path::Path, name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    // What the inspector may not see is proved and not shown; the reason stands as what it was committed to.
    assert!(
        !dir.path().join(format!("entries/{hidden}.content")).exists() && whole.path().join(format!("entries/{hidden}.content")).exists()
    );
    let content = |dir: &std::path::Path| std::fs::read(dir.join(format!("entries/{recused}.content"))).unwrap();
    let says = |bytes: &[u8]| bytes.windows(16).any(|w| w == b"A private reason");
    assert!(!says(&content(dir.path())) && says(&content(whole.path())));
    assert!(read(dir.path(), &format!("entries/{recused}.json")).contains("provider:lab"));
    assert!(read(dir.path(), "report.txt").starts_with("VERIFIED") && read(dir.path(), "MARKING.txt").starts_with("CUI//SP-PROPIN"));
    for dir in [dir.path(), whole.path()] {
        for line in ["sha256sum --quiet -c manifest.sha256", "python3 check.py", &openssl(dir)] {
            let Some((good, said)) = stock(dir, line) else { continue };
            assert!(good, "{line}: {said}");
        }
    }
    // And they notice.
    let path = whole.path().join(format!("entries/{recused}.content"));
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(16).position(|w| w == b"A private reason").unwrap();
    bytes[at] = b'B';
    std::fs::write(&path, &bytes).unwrap();
    for line in [
        "sha256sum --quiet -c manifest.sha256",
        "python3 check.py",
        "sha256sum $(find . -type f ! -name manifest.sha256 | sed 's/^..//') > manifest.sha256 && python3 check.py",
    ] {
        let Some((good, said)) = stock(whole.path(), line) else { continue };
        assert!(!good, "{line}: {said}");
    }
    std::fs::write(dir.path().join("signed/checkpoint.text"), "another\n").unwrap();
    if let Some((good, said)) = stock(dir.path(), &openssl(dir.path())) {
        assert!(!good, "{said}");
    }
    let ledger = house.verified();
    // Whose record was looked at: which entries, each time it was asked for and fetched.
    let which = reads(&ledger, "bundle");
    assert_eq!(which, vec![format!("0,{hidden}-{recused}"); 4]);
    let options = countersign_verify::Options::new(ledger.vkey().clone());
    let source = countersign_verify::files::DirSource::new(whole.path().join("public"));
    let report = countersign_verify::verify(&source, &options, &mut |_| {});
    assert_eq!(report.verdict, countersign_verify::Verdict::Verified, "{report}");
}
