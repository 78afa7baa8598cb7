//! The calendar of duties and the forms of insider lists, through the real program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::io::{Cursor, Read};

use serde_json::{Value, json};

use support::{Scene, days_from_now, is_root};

const OFFICER: u32 = 2041;

fn rows(answer: &Value) -> &Vec<Value> {
    answer["rows"].as_array().unwrap()
}

#[test]
fn a_filers_year() {
    let s = Scene::new();
    let bo = s.add(&["person", "add", "DIR", "--name", "Bo Tester", "--status", "civilian"]);
    let position = s.add(&["filer", "add", "DIR", "--person", &bo, "--report", "public", "--from", "2024-09-02"]);
    let calendar = |more: &[&str]| s.json(&[&["calendar", "DIR"][..], more].concat());
    let first = calendar(&["--today", "2025-05-16"]);
    let told: Vec<(&str, &str, &str)> =
        rows(&first).iter().map(|r| (r["duty"].as_str().unwrap(), r["due"].as_str().unwrap(), r["state"].as_str().unwrap())).collect();
    assert_eq!(told, [("new_entrant", "2024-10-02", "late"), ("annual", "2025-05-15", "late")]);
    assert_eq!((&rows(&first)[1]["report"], &rows(&first)[1]["cite"]), (&json!("OGE 278e"), &json!("5 CFR 2634.201(a)")));

    let duty = |more: &[&str]| s.run(&[&["duty", "DIR", "--person", &bo, "--duty", "annual", "--since", "2025-01-01"][..], more].concat());
    duty(&["--step", "reminded", "--on", "2025-05-16"]).exits(0);
    duty(&["--step", "extended", "--on", "2025-05-16", "--until", "2025-06-29", "--text", "Illness"]).exits(0);
    duty(&["--step", "extended", "--on", "2025-05-16", "--until", "2026-06-29"]).exits(5);
    duty(&["--step", "met", "--on", "2025-06-20"]).exits(0);
    s.run(&["duty", "DIR", "--person", &bo, "--duty", "annual", "--since", "2025-02-01", "--step", "met"]).exits(5);
    let late = calendar(&["--today", "2025-06-30", "--late", "--person", &bo]);
    assert_eq!(rows(&late).iter().map(|r| r["duty"].as_str().unwrap()).collect::<Vec<_>>(), ["new_entrant"]);
    let all = calendar(&["--today", "2025-06-30"]);
    let annual = rows(&all).iter().find(|r| r["duty"] == "annual").unwrap();
    assert_eq!(
        (&annual["state"], &annual["due_by_rule"], &annual["reminded"]),
        (&json!("met"), &json!("2025-05-15"), &json!(["2025-05-16"]))
    );
    assert_eq!(annual["evidence"].as_array().unwrap().len(), 4);
    assert_eq!(rows(&all).iter().filter(|r| r["duty"] == "review").count(), 1);

    // As it stood before anything was recorded of the duty.
    let entry = s.json(&["filer", "show", "DIR", &position])["history"][0]["entry"].as_u64().unwrap();
    let then = calendar(&["--today", "2025-06-30", "--as-of", &(entry + 1).to_string()]);
    assert!(rows(&then).iter().all(|r| r["state"] == "late"), "{then}");
    let csv = s.run(&["calendar", "DIR", "--today", "2025-06-30", "--csv"]).exits(0).out;
    assert!(csv.starts_with("due,state,name,person,duty"), "{csv}");
    s.run(&["calendar", "DIR", "--person", "P-nobody"]).exits(3);
    if is_root("the access officer's part of a_filers_year") {
        let al = s.add(&["person", "add", "DIR", "--name", "Al Officer", "--status", "civilian"]);
        s.add(&["principal", "add", "DIR", "--person", &al, "--os-user", &format!("uid:{OFFICER}"), "--role", "access_officer"]);
        s.run_as(OFFICER, &["calendar", "DIR"]).exits(4);
    }
    s.verified();
}

#[test]
fn an_insider_list_in_every_form() {
    let s = Scene::new();
    s.add(&["org", "add", "DIR", "--id", "nist", "--name", "NIST", "--kind", "agency"]);
    let bo = s.add(&["person", "add", "DIR", "--name", "=Bo Tester", "--status", "civilian", "--organization", "nist"]);
    s.add(&["provider", "add", "DIR", "--id", "acme", "--name", "Acme Models"]);
    let (opened, closes, terms) = (days_from_now(-1), days_from_now(10), "ab".repeat(32));
    let offer = ["--authority", "EO 14409 sec. 3", "--offered-at", &opened, "--terms-hash", &terms, "--purpose", "evaluation"];
    let window = ["--opens-at", &opened, "--closes-at", &closes, "--confidentiality-basis", "terms of access"];
    let submission = s.add(&[&["submission", "add", "DIR", "--provider", "acme", "--title", "Model one"][..], &offer, &window].concat());
    let before = s.size();
    s.run(&["access", "log", "DIR", "--person", &bo, "--submission", &submission, "--action", "view"]).exits(0);
    let list = |more: &[&str]| s.run(&[&["query", "insiders", "DIR", &submission][..], more].concat());

    for (template, columns) in [("us", 9), ("uk-2016-347", 12), ("eu-2022-1210", 12), ("eu-2026", 6)] {
        let told = list(&["--template", template, "--json"]).exits(0).json();
        assert_eq!(told["columns"].as_array().unwrap().len(), columns, "{template}");
        let row = rows(&told)[0].as_array().unwrap();
        assert_eq!((row.len(), &row[0]), (columns, &json!("=Bo Tester")), "{template}");
        assert!(told["root"].is_string() && told["complete"] == json!(true));
    }
    let told = list(&["--template", "eu-2022-1210", "--json"]).exits(0).json();
    let obtained = rows(&told)[0][6].as_str().unwrap().to_owned();
    assert!(obtained.len() == "2026-06-01, 09:05 UTC".len() && obtained.ends_with(" UTC"), "{obtained}");
    assert!(told["notes"].to_string().contains("Date of birth") && told["notes"].to_string().contains("left empty"), "{told}");
    let csv = list(&["--template", "uk-2016-347", "--csv"]).exits(0);
    assert!(
        csv.out.starts_with("First name(s) of the insider,Surname(s) of the insider,") && csv.out.contains("\n'=Bo Tester,,"),
        "{}",
        csv.out
    );
    assert!(csv.err.contains("left empty"), "{}", csv.err);
    let eu = list(&["--template", "eu-2026", "--json"]).exits(0).json();
    for known in ["five years after", "one contact person", "permanent", "annexes were not read"] {
        assert!(eu.to_string().contains(known), "{known}: {eu}");
    }
    let as_of = before.to_string();
    assert!(rows(&list(&["--template", "us", "--as-of", &as_of, "--json"]).exits(0).json()).is_empty());

    let path = s.path("list.xlsx");
    let path = path.to_str().unwrap();
    list(&["--template", "eu-2026", "--xlsx", path]).exits(0);
    let mut book = zip::ZipArchive::new(Cursor::new(std::fs::read(path).unwrap())).unwrap();
    let mut strings = String::new();
    book.by_name("xl/sharedStrings.xml").unwrap().read_to_string(&mut strings).unwrap();
    assert!(strings.contains("=Bo Tester") && strings.contains("Implementing Regulation (EU) 2026/1291"), "{strings}");
    let mut sheet = String::new();
    book.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_string(&mut sheet).unwrap();
    assert!(!sheet.contains("<f>"), "no cell is a formula");
    list(&["--template", "eu-2026", "--xlsx", path]).exits(5);
    list(&["--template", "eu-1999"]).exits(2);
    list(&["--xlsx", path]).exits(2);
}

/// What a regulation forbids to hold, from the list to the memo (5 CFR 2635.403).
#[test]
fn what_may_not_be_held_is_told_with_its_authority() {
    let s = Scene::new();
    s.add(&["org", "add", "DIR", "--id", "nist", "--name", "NIST", "--kind", "agency"]);
    let bo = s.add(&["person", "add", "DIR", "--name", "Bo Tester", "--status", "civilian", "--organization", "nist"]);
    s.add(&["issuer", "add", "DIR", "--id", "own-acme", "--name", "Acme, Inc.", "--ticker", "QQZA"]);
    s.add(&["provider", "add", "DIR", "--id", "acme", "--name", "Acme Models"]);
    let (opened, closes, terms) = (days_from_now(-1), days_from_now(10), "ab".repeat(32));
    let offer = ["--authority", "EO 14409 sec. 3", "--offered-at", &opened, "--terms-hash", &terms, "--purpose", "evaluation"];
    let window = ["--opens-at", &opened, "--closes-at", &closes, "--confidentiality-basis", "terms of access"];
    let submission = s.add(&[&["submission", "add", "DIR", "--provider", "acme", "--title", "Model one"][..], &offer, &window].concat());

    let list = ["list", "add", "DIR", "--id", "regulated", "--kind", "prohibited_holding", "--name", "Regulated entities"];
    let authority = ["--authority", "5 CFR 9999.101 (invented)"];
    s.run(&[&list[..], &authority].concat()).exits(5);
    s.run(&[&list[..], &["--binds", "organization:nist"]].concat()).exits(5);
    s.add(&[&list[..], &authority, &["--binds", "organization:nist"]].concat());
    s.add(&["list", "add-item", "DIR", "--list", "regulated", "--subject", "issuer:own-acme", "--reason", "supervised since 2024"]);
    let holding = json!({"id":"ho-1","person":bo,"relation":"own","as_of":"2026-05-15","value":{"lo":1001,"hi":15000},
        "instrument":{"class":"equity","text":"Acme","issuer":"own-acme","linking":"decided"}});
    let file = s.write("holding.json", holding.to_string());
    s.json(&["record", "add", "DIR", "--type", "holding", "--file", &file]);

    let asked = s.run(&["grant", "request", "DIR", "--person", &bo, "--submission", &submission, "--duty", "Evaluate", "--json"]).json();
    let memo = s.run(&["explain", "DIR", &asked["grant"].to_string()]).exits(0).out;
    for told in [
        "R-403-1 block on hold: holds, bought or serves what a list says may not be held",
        "(prohibited holding), authority 5 CFR 9999.101 (invented), binds organization:nist",
        "obligation   the person gives up what may not be held",
    ] {
        assert!(memo.contains(told), "{told}:\n{memo}");
    }
    s.verified();
}
