//! An import of several batches whose process is killed after the first of them: nothing is refused afterwards, running it again completes it, and
//! what was recorded twice is nothing. Power cuts are another test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]

mod support;

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Scene, days_from_now};

/// A little over two batches, so that two are still to come after the first.
const ROWS: u64 = 2_100;

/// Kills the program as soon as the head has moved once, which is when the first batch is durable.
fn kill_after_first_batch(s: &Scene, args: &[&str]) -> bool {
    let head = |s: &Scene| fs::read(s.dir.join("register/head")).unwrap();
    let before = head(s);
    let mut child = s.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while head(s) == before {
        assert!(started.elapsed() < Duration::from_secs(300), "the import recorded nothing");
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

/// Imports a file with a kill in between. `told` says whether `status` can know of it.
fn stopped_and_completed(s: &Scene, source: &str, file: &str, told: bool) {
    let args = ["import", "DIR", "--source", source, "--file", file, "--commit", "--json"];
    let size = s.size();
    assert!(kill_after_first_batch(s, &args), "{source}: the import ended before it was killed");
    let there = s.size() - size;
    assert!((1..=ROWS).contains(&there), "{source}: {there} of {ROWS} recorded, and no import");
    let unfinished = s.json(&["status", "DIR"])["unfinished_imports"].clone();
    assert_eq!(unfinished.as_array().unwrap().len(), usize::from(told), "{source}: {unfinished}");
    let preview = s.run(&args[..6]).exits(0).out;
    assert_eq!(preview.contains("stopped half-way; --commit completes it"), told, "{source}: {preview}");
    let again = s.run(&args).exits(0).json();
    let count = |name: &str| again[name].as_u64().unwrap();
    assert_eq!((&again["recorded"], count("new") + count("unchanged"), count("changed")), (&json!(true), ROWS, 0), "{source}: {again}");
    assert!(count("unchanged") >= 500, "{source}: the first batch stands: {}", count("unchanged"));
    assert_eq!(s.json(&["status", "DIR"])["unfinished_imports"], json!([]), "{source}");
    let third = s.run(&args).exits(0).json();
    assert_eq!(third["recorded"], false, "{source}");
    let (keys, vkey) = (s.path(&format!("keys-{source}.json")), s.vkey());
    s.run(&["export-keys", "DIR", "-o", keys.to_str().unwrap()]).exits(0);
    s.run(&["verify", "DIR", "--vkey", &vkey, "--keys", keys.to_str().unwrap()]).exits(0);
}

fn csv(s: &Scene, header: &str, row: impl Fn(u64) -> String) -> String {
    let rows: String = (0..ROWS).map(|n| row(n) + "\n").collect();
    s.write("rows.csv", format!("{header}\n{rows}"))
}

/// A ledger with somebody, a lab, an issuer, a list and a submission.
fn scene() -> Scene {
    let s = Scene::new();
    s.add(&["person", "add", "DIR", "--id", "P-BO01", "--name", "Bo", "--status", "civilian"]);
    s.add(&["provider", "add", "DIR", "--id", "acme", "--name", "Acme"]);
    s.add(&["issuer", "add", "DIR", "--id", "cik-42", "--name", "Lantern Mills, Inc.", "--ticker", "QQZA"]);
    s.add(&["list", "add", "DIR", "--id", "l", "--kind", "restricted", "--name", "R", "--authority", "policy"]);
    let (opened, closes, terms) = (days_from_now(-20), days_from_now(5), "ab".repeat(32));
    let offer = ["--authority", "EO", "--offered-at", &opened, "--terms-hash", &terms, "--purpose", "evaluation"];
    let window = ["--opens-at", &opened, "--closes-at", &closes, "--confidentiality-basis", "terms of access"];
    s.add(&[&["submission", "add", "DIR", "--id", "S-ONE1", "--provider", "acme", "--title", "One"][..], &offer, &window].concat());
    s
}

#[test]
fn directories() {
    let s = scene();
    let file = csv(&s, "id,name,status,organization", |n| format!("P-N{n:05},Person {n},civilian,local"));
    stopped_and_completed(&s, "people", &file, false);
    let file = csv(&s, "id,person,kind,issuer,subject", |n| format!("c-{n},P-N{n:05},oidc,idp,{n}"));
    stopped_and_completed(&s, "credentials", &file, true);
    let file = csv(&s, "id,name,kind,parent", |n| {
        format!("o-{n},Office {n},component,{}", n.checked_sub(1).map(|n| format!("o-{n}")).unwrap_or_default())
    });
    stopped_and_completed(&s, "organizations", &file, false);
}

#[test]
fn companies() {
    let s = scene();
    let file = csv(&s, "id,name,tickers", |n| format!("i-{n},Company {n},T{n}"));
    stopped_and_completed(&s, "issuers", &file, false);
    let file = csv(&s, "id,provider,name", |n| format!("acme/m-{n},acme,Model {n}"));
    stopped_and_completed(&s, "models", &file, false);
    let file = csv(&s, "id,from,relation,to,tier,basis,confirmed", |n| format!("x-{n},model:acme/m-{n},served_by,issuer:i-{n},2,press,no"));
    stopped_and_completed(&s, "exposures", &file, false);
    let file = csv(&s, "id,name", |n| format!("lab-{n},Lab {n}"));
    stopped_and_completed(&s, "providers", &file, false);
}

#[test]
fn ethics() {
    let s = scene();
    let file = csv(&s, "id,person,kind,relation,issuer", |n| format!("r-{n},P-BO01,serves,spouse,cik-42"));
    stopped_and_completed(&s, "relationships", &file, true);
    let file = csv(&s, "id,person,scope,from,ground", |n| format!("rc-{n},P-BO01,provider:acme,2026-06-01,ground {n}"));
    stopped_and_completed(&s, "recusals", &file, false);
    let file = csv(&s, "id,kind,name", |n| format!("w-{n},watch,List {n}"));
    stopped_and_completed(&s, "lists", &file, false);
    let file = csv(&s, "id,list,subject,from,reason", |n| format!("li-{n},l,issuer:cik-42,2026-06-01,reason {n}"));
    stopped_and_completed(&s, "list-items", &file, false);
}

#[test]
fn access() {
    let s = scene();
    let soon = days_from_now(4);
    let file = csv(&s, "person,submission,duty,needs_participation,expires_at", |n| format!("P-BO01,S-ONE1,duty {n},no,{soon}"));
    stopped_and_completed(&s, "grants", &file, false);
    let seen = days_from_now(-1);
    let file = csv(&s, "person,submission,action,occurred_at,source,source_id", |n| format!("P-BO01,S-ONE1,view,{seen},gw,{n}"));
    stopped_and_completed(&s, "access-events", &file, false);
}

#[test]
fn disclosures() {
    let s = scene();
    let file = csv(&s, "filer,filing_id,traded_on,kind,asset,ticker,amount", |n| {
        format!("P-BO01,F-{n},2026-06-02,purchase,\"Lantern Mills, Inc.\",QQZA,\"$1,001 - $15,000\"")
    });
    stopped_and_completed(&s, "trades", &file, true);
    let file = csv(&s, "filer,filing_id,asset,ticker", |n| format!("P-BO01,F-{n},\"Lantern Mills, Inc.\",QQZA"));
    // What has no date was so on the day the file came in: the same day each time.
    stopped_and_completed(&s, "holdings", &file, true);
    let rows: &Value = &s.json(&["status", "DIR"])["size"];
    eprintln!("a ledger of {rows} entries");
}
