//! Records that have no command of their own, from files: recorded under the actor's role, superseded, verified.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]

mod support;

use serde_json::{Value, json};
use support::{Scene, days_from_now};

#[test]
fn any_type_of_record_comes_from_a_file_and_verifies() {
    let s = Scene::new();
    let person = s.add(&["person", "add", "DIR", "--name", "Bo Tester", "--status", "partner"]);
    s.add(&["org", "add", "DIR", "--id", "halden", "--name", "Halden Range", "--kind", "partner"]);
    s.add(&["provider", "add", "DIR", "--id", "acme", "--name", "Acme Models"]);
    s.add(&["issuer", "add", "DIR", "--id", "own-acme", "--name", "Acme Models PBC"]);
    let (opens, closes) = (days_from_now(-1), days_from_now(9));
    let window = ["--opens-at", &opens, "--closes-at", &closes, "--authority", "EO 14409 sec. 3", "--confidentiality-basis", "terms"];
    let submission = s.add(&[&["submission", "add", "DIR", "--provider", "acme", "--title", "Model one"][..], &window].concat());
    let (now, hash) = (days_from_now(0), "ab".repeat(32));
    let records: [(&str, Value); 11] = [
        ("identifier", json!({"id":"i-1","issuer":"own-acme","scheme":"lei","value":"7QEON6Y1RL5XR3R1W237","valid_from":"2026-01-01"})),
        ("authority", json!({"id":"au-1","title":"EO 14409","section":"3","from":"2026-01-01"})),
        (
            "designation",
            json!({"id":"de-1","submission":submission,"reference":"high side 7","decided_by":"Director","decided_at":now,"marking":"cui"}),
        ),
        ("roster.entry", json!({"id":"ro-1","organization":"halden","person":person,"contact":true,"from":now})),
        (
            "selection",
            json!({"id":"se-1","organization":"halden","submission":submission,"government_hash":hash,"developer_hash":hash,"signed_at":now}),
        ),
        ("vulnerability", json!({"id":"vu-1","reference":"VU#1","vendor":"own-acme","affected":[],"embargo_event":"vendor patch"})),
        ("legal.hold", json!({"id":"lh-1","scope":format!("person:{person}"),"authority":"Preservation notice 3","from":now})),
        ("relationship", json!({"id":"re-1","person":person,"kind":"serves","relation":"own","organization":"halden","from":"2026-01-01"})),
        (
            "holding",
            json!({"id":"ho-1","person":person,"relation":"own","as_of":"2026-05-15","value":{"lo":1001,"hi":15000},
            "instrument":{"class":"private_stake","text":"Acme Models, Series B","issuer":"own-acme","linking":"decided"}}),
        ),
        (
            "trade",
            json!({"id":"tr-1","person":person,"relation":"spouse","kind":"purchase","traded_on":"2026-06-01","value":{"lo":1001,"hi":15000},
            "instrument":{"class":"equity","text":"Acme","linking":"in_review"}}),
        ),
        ("correction", json!({"target":3,"reason":"typed under the wrong name"})),
    ];
    for (kind, record) in &records {
        let file = s.write("record.json", record.to_string());
        let told = s.json(&["record", "add", "DIR", "--type", kind, "--file", &file]);
        let shown = s.json(&["record", "show", "DIR", &told["entry"].to_string()]);
        assert_eq!((shown["type"].as_str(), shown["record"]["id"].clone()), (Some(*kind), record["id"].clone()), "{shown}");
    }
    // The same id again is refused until it is said to take the other's place.
    let file = s.write("record.json", records[3].1.to_string());
    let add = ["record", "add", "DIR", "--type", "roster.entry", "--file", &file];
    s.run(&add).exits(5);
    s.run(&[&add[..], &["--supersede"]].concat()).exits(0);
    // A check digit that does not fit: nobody looked closely.
    let file = s.write("lei.json", json!({"id":"i-2","issuer":"own-acme","scheme":"lei","value":"7QEON6Y1RL5XR3R1W238"}).to_string());
    assert!(s.run(&["record", "add", "DIR", "--type", "identifier", "--file", &file]).exits(5).err.contains("7QEON6Y1RL5XR3R1W238"));
    // What the ledger itself decides is nobody's to record, and a type that is none is said to be none.
    let case = s.write(
        "case.json",
        json!({"rule":"R-ACC-1","version":1,"cite":"x","finding":1,"person":person,"submission":submission,"evidence":[]}).to_string(),
    );
    s.run(&["record", "add", "DIR", "--type", "case.opened", "--file", &case]).exits(4);
    assert!(s.run(&["record", "add", "DIR", "--type", "king", "--file", &case]).exits(5).err.contains("king"));
    let keys = s.path("keys.json");
    s.run(&["export-keys", "DIR", "-o", keys.to_str().unwrap()]).exits(0);
    s.run(&["verify", "DIR", "--vkey", &s.vkey(), "--keys", keys.to_str().unwrap()]).exits(0);
}

#[test]
fn a_bundle_shows_what_its_asker_may_see_and_is_checked_by_stock_tools() {
    let s = Scene::new();
    s.add(&["provider", "add", "DIR", "--id", "acme", "--name", "Acme Models"]);
    let file = s.path("evidence.zip");
    let file = file.to_str().unwrap();
    let made = s.json(&["bundle", "DIR", "--entry", "0", "--entry", "1", "-o", file]);
    assert_eq!((&made["entries"], made["read_entry"].is_u64()), (&json!([0, 1]), true), "{made}");
    assert!(s.run(&["bundle", "DIR", "--entry", "0", "-o", file]).exits(5).err.contains("exists"));
    s.run(&["bundle", "DIR", "--entry", "9999", "-o", s.path("none.zip").to_str().unwrap()]).exits(3);
    let line = "python3 -m zipfile -e evidence.zip out && cd out && sha256sum --quiet -c manifest.sha256 && python3 check.py";
    let done = std::process::Command::new("sh").arg("-c").arg(line).current_dir(s.path("")).output().unwrap();
    let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    if done.status.code() == Some(127) {
        eprintln!("SKIPPED: python3 or sha256sum is not installed: {said}");
    } else {
        assert!(done.status.success() && said.contains("GOOD"), "{said}");
    }
}
