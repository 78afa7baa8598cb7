//! Disclosure files through the real program: preview, commit, the same again, review, and trades held against accesses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use support::{Scene, days_from_now, is_root};

const LANTERN: &str = "cik-0000000042";
const CLERK: u32 = 2011;

/// A ledger where Bo had access, ten days ago, to a model whose lab Lantern Mills supplies.
struct Matter {
    scene: Scene,
    bo: String,
    people: String,
}

impl Matter {
    fn new() -> Self {
        let s = Scene::new();
        let bo = s.add(&["person", "add", "DIR", "--name", "Bo Tester", "--status", "civilian"]);
        s.add(&["provider", "add", "DIR", "--id", "acme", "--name", "Acme Models"]);
        s.add(&["issuer", "add", "DIR", "--id", LANTERN, "--name", "Lantern Mills, Inc.", "--cik", "0000000042", "--ticker", "QQZA"]);
        let edge = ["--from", "provider:acme", "--relation", "supplier", "--to", LANTERN, "--tier", "2", "--basis", "public-filing"];
        s.add(&[&["exposure", "add", "DIR"][..], &edge, &["--confirmed"]].concat());
        let (opened, closes, terms) = (days_from_now(-20), days_from_now(5), "ab".repeat(32));
        let offer = ["--authority", "EO 14409 sec. 3", "--offered-at", &opened, "--terms-hash", &terms, "--purpose", "evaluation"];
        let window = ["--opens-at", &opened, "--closes-at", &closes, "--confidentiality-basis", "terms of access"];
        let submission =
            s.add(&[&["submission", "add", "DIR", "--provider", "acme", "--title", "Model one"][..], &offer, &window].concat());
        let seen = days_from_now(-10);
        let log = ["access", "log", "DIR", "--person", &bo, "--submission", &submission, "--action", "view", "--at", &seen];
        s.run(&log).exits(0);
        let people = s.write("people.csv", format!("filer,person\nX-1,{bo}\n\"Y-1\",{bo}\n"));
        Self { scene: s, bo, people }
    }

    fn import(&self, source: &str, file: &str, more: &[&str]) -> support::Ran {
        self.scene.run(&[&["import", "DIR", "--source", source, "--file", file, "--people", &self.people][..], more].concat())
    }

    /// Trades of the House's form, one day after the access and one day before it.
    fn house(&self, rows: &[(&str, &str, &str, i64)]) -> String {
        let day = |days: i64| {
            let date = days_from_now(days)[..10].to_owned();
            format!("{}/{}/{}", &date[5..7], &date[8..10], &date[..4])
        };
        let row = |(filer, ticker, asset, days): &(&str, &str, &str, i64)| {
            json!({
                "transaction_date": day(*days), "disclosure_date": day(0), "ticker": ticker, "asset_description": asset, "asset_type": "Stock",
                "type": "Purchase", "amount": "$1,001 - $15,000", "filer": filer, "owner": "Spouse", "filing_id": "G-1",
            })
        };
        let rows: Vec<Value> = rows.iter().map(row).collect();
        self.scene.write("house.json", Value::from(rows).to_string())
    }

    fn trades(&self) -> Value {
        self.scene.json(&["query", "trades", "DIR"])
    }

    fn verifies(&self) {
        let (keys, vkey) = (self.scene.path("keys.json"), self.scene.vkey());
        self.scene.run(&["export-keys", "DIR", "-o", keys.to_str().unwrap()]).exits(0);
        let report = self.scene.run(&["verify", "DIR", "--vkey", &vkey, "--keys", keys.to_str().unwrap(), "--json"]).exits(0).json();
        assert_eq!((&report["verdict"], &report["size"]), (&json!("verified"), &json!(self.scene.size())));
    }
}

fn given(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../countersign-import/tests/data/imports").join(name).to_str().unwrap().to_owned()
}

#[test]
fn a_preview_records_nothing_and_the_same_file_twice_changes_nothing() {
    let m = Matter::new();
    let s = &m.scene;
    let file =
        m.house(&[("X-1", "QQZA", "Lantern Mills, Inc. - Common Stock", -9), ("X-1", "QQZA", "Lantern Mills, Inc. - Common Stock", -11)]);
    let before = (s.size(), s.bytes());
    let preview = m.import("house_ptr", &file, &["--json"]).exits(0).json();
    let text = m.import("house_ptr", &file, &[]).exits(0).out;
    assert!(text.starts_with("preview: nothing was recorded") && text.contains("2 matched") && text.contains(LANTERN), "{text}");
    assert_eq!(before, (s.size(), s.bytes()));
    assert_eq!((&preview["recorded"], &preview["new"], &preview["linking"]["matched"]), (&json!(false), &json!(2), &json!(2)));

    let told = m.import("house_ptr", &file, &["--commit", "--json"]).exits(0).json();
    assert_eq!((&told["recorded"], &told["new"]), (&json!(true), &json!(2)));
    assert_eq!(told["import_entry"].as_u64().unwrap(), before.0 + 2, "two trades, then the import");
    // Of the two, the one after the access is to be looked at, and the rule found it by itself.
    let answer = m.trades();
    let row = &answer["rows"][0];
    assert_eq!((answer["rows"].as_array().unwrap().len(), &answer["complete"], &answer["in_review"]), (1, &json!(true), &json!(0)));
    assert_eq!((&row["name"], &row["issuer"], &row["days"], &row["tier"]), (&json!("Bo Tester"), &json!(LANTERN), &json!(1), &json!(2)));
    assert_eq!((&row["access_known"], &row["holder"], &row["case"]), (&json!("not yet recorded"), &json!("spouse"), &Value::Null));
    let pending = s.json(&["cases", "list", "DIR"])["pending"].clone();
    assert!(pending.as_array().unwrap().iter().any(|p| p["finding"] == row["trade"]), "{pending}");

    let size = s.size();
    let again = m.import("house_ptr", &file, &["--commit"]).exits(0).out;
    assert!(again.contains(&format!("imported before as entry {}; nothing changed", before.0 + 2)), "{again}");
    // The same rows in another file: known already, so the import alone is recorded.
    let other = s.write("other.json", format!(" {}", fs::read_to_string(&file).unwrap()));
    let told = m.import("house_ptr", &other, &["--commit", "--json"]).exits(0).json();
    assert_eq!((&told["new"], &told["unchanged"]), (&json!(0), &json!(2)));
    assert_eq!(s.size(), size + 1);
    m.verifies();
}

#[test]
fn what_is_decided_in_review_is_looked_at_then() {
    let m = Matter::new();
    let s = &m.scene;
    let file = m.house(&[
        ("X-1", "QQZZ", "Lantren Mils", -5),
        ("X-1", "", "=cmd Unheard-of Bakery", -5),
        ("X-1", "", "Vanguard Total Stock Market Index Fund", -5),
    ]);
    let told = m.import("house_ptr", &file, &["--commit", "--json"]).exits(0).json();
    assert_eq!(told["linking"], json!({ "matched": 0, "decided": 0, "in_review": 2, "not_linked": 1 }));
    assert_eq!(told["sample"]["in_review"].as_array().unwrap().len(), 2);
    let answer = m.trades();
    assert_eq!((&answer["rows"], &answer["in_review"]), (&json!([]), &json!(2)));
    assert!(s.run(&["query", "trades", "DIR"]).exits(0).out.contains("2 more wait for their issuer"));

    let review = s.json(&["review", "DIR"]);
    let rows = review["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    let lantern = rows.iter().find(|r| r["text"] == "Lantren Mils").unwrap();
    assert_eq!((&lantern["identifier"], &lantern["trades"], &lantern["holdings"]), (&json!("QQZZ"), &json!(1), &json!(0)));
    assert!(s.run(&["review", "DIR", "--csv"]).exits(0).out.contains("'=cmd Unheard-of Bakery"));

    let decide = ["review", "decide", "DIR", "--text", "Lantren Mils", "--identifier", "QQZZ", "--class", "equity", "--reason", "misspelt"];
    s.run(&decide).exits(2);
    s.run(&[&decide[..], &["--issuer", "cik-0000000001"]].concat()).exits(5);
    let size = s.size();
    let told = s.json(&[&decide[..], &["--issuer", LANTERN]].concat());
    assert_eq!((&told["followed"], s.size()), (&json!(1), size + 2));
    let again = s.json(&[&decide[..], &["--issuer", LANTERN]].concat());
    assert_eq!((&again["recorded"], &again["followed"], s.size()), (&json!(false), &json!(0), size + 2));
    let answer = m.trades();
    assert_eq!((&answer["rows"][0]["text"], &answer["rows"][0]["issuer"]), (&json!("Lantren Mils"), &json!(LANTERN)));
    assert_eq!(s.json(&["review", "DIR"])["rows"].as_array().unwrap().len(), 1);

    // Later imports follow the decision; a decision taken back takes its trades along.
    let next = m.house(&[("X-1", "QQZZ", "Lantren Mils", -4)]);
    let told = m.import("house_ptr", &next, &["--commit", "--json"]).exits(0).json();
    assert_eq!(told["linking"]["decided"], 1);
    assert_eq!(m.trades()["rows"].as_array().unwrap().len(), 2);
    assert_eq!(s.json(&[&decide[..], &["--none"]].concat())["followed"], 2);
    assert_eq!(m.trades()["rows"], json!([]));
    m.verifies();
}

#[test]
fn a_filer_nobody_knows_is_put_aside_and_comes_back_corrected() {
    let m = Matter::new();
    let s = &m.scene;
    let file = m.house(&[
        ("X-1", "QQZA", "Lantern Mills, Inc.", -9),
        ("Stranger", "QQZA", "Lantern Mills, Inc.", -8),
        ("X-1", "QQZA", "-Lantern", 30),
    ]);
    let aside = s.path("aside.csv");
    let told = m.import("house_ptr", &file, &["--commit", "--json", "--quarantine", aside.to_str().unwrap()]).exits(6).json();
    assert_eq!(told["accounting"]["quarantined"], json!({ "bad_date": 1, "unknown_person": 1 }));
    assert_eq!((&told["accounting"]["total"], &told["accounting"]["loaded"]), (&json!(3), &json!(1)));
    let text = fs::read_to_string(&aside).unwrap();
    assert!(text.contains("\"\"Stranger\"\" is not recorded") && text.contains("'-Lantern"), "{text}");
    let import = s.size();
    assert_eq!(m.trades()["rows"].as_array().unwrap().len(), 1);

    let corrected = s.write("corrected.csv", text.replace("Stranger", &m.bo));
    let again = m.import("house_ptr", &corrected, &["--commit", "--json"]).exits(6).json();
    assert_eq!((&again["new"], &again["accounting"]["quarantined"]), (&json!(1), &json!({ "bad_date": 1 })));
    assert_eq!(s.size(), import + 1 + 2, "the question, the trade, the import");
    assert_eq!(m.trades()["rows"].as_array().unwrap().len(), 2);
    // A file of which nothing can be used is not taken for imported.
    let strange = m.house(&[("Stranger", "QQZA", "Lantern Mills, Inc.", -8)]);
    let size = s.size();
    for _ in 0..2 {
        assert_eq!(m.import("house_ptr", &strange, &["--commit", "--json"]).exits(6).json()["recorded"], false);
    }
    assert_eq!(s.size(), size);
    let two = s.write("two.csv", format!("filer,person\nX-1,{}\nX-1,P-nobody\n", m.bo));
    s.run(&["import", "DIR", "--source", "house_ptr", "--file", &strange, "--people", &two]).exits(3);
    m.verifies();
}

#[test]
fn every_source_loads_and_every_row_is_accounted_for() {
    let m = Matter::new();
    let s = &m.scene;
    let people = s.write("all.csv", format!("filer,person\nX-1,{0}\nY-1,{0}\nZ-1,{0}\n", m.bo));
    for (source, file) in [("house_ptr", "house.json"), ("senate_ptr", "senate.json"), ("oge278t", "278t.csv"), ("oge278e", "278e.csv")] {
        let args = ["import", "DIR", "--source", source, "--file", &given(file), "--people", &people, "--commit", "--json"];
        let told = s.run(&args).exits(6).json();
        let accounting = &told["accounting"];
        let aside: u64 = accounting["quarantined"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        let number = |v: &Value| v.as_u64().unwrap();
        assert_eq!(number(&accounting["total"]), number(&accounting["loaded"]) + aside + number(&accounting["duplicates"]), "{source}");
        assert_eq!(number(&accounting["loaded"]), number(&told["new"]), "{source}");
        assert!(number(&told["new"]) > 0, "{source}: {told}");
    }
    let csv = format!("person,day,what,dir\n{0},2026-06-02,Lantern Mills Inc,buy\n{0},2026-06-31,Lantern Mills Inc,buy\n", m.bo);
    let (csv, mapping) = (
        s.write("own.csv", csv),
        s.write(
            "own.toml",
            "name = \"own\"\nkind = \"trade\"\n[columns]\nfiler = \"person\"\ntraded_on = \"day\"\nasset = \"what\"\nkind = \"dir\"\n",
        ),
    );
    assert!(s.run(&["import", "DIR", "--source", "trades", "--file", &csv]).exits(5).err.contains("no column for"));
    s.run(&["import", "DIR", "--source", "house-ptr", "--file", &csv, "--mapping", &mapping]).exits(2);
    s.run(&["import", "DIR", "--source", "holdings", "--file", &csv, "--mapping", &mapping]).exits(5);
    let told = s.run(&["import", "DIR", "--source", "trades", "--file", &csv, "--mapping", &mapping, "--commit", "--json"]).exits(6).json();
    assert_eq!((&told["new"], &told["linking"]["matched"]), (&json!(1), &json!(1)));
    m.verifies();
}

#[test]
fn the_wrong_person_is_corrected_by_superseding() {
    let m = Matter::new();
    let s = &m.scene;
    let cy = s.add(&["person", "add", "DIR", "--name", "Cy Other", "--status", "civilian"]);
    let file = m.house(&[("X-1", "QQZA", "Lantern Mills, Inc.", -9)]);
    m.import("house_ptr", &file, &["--commit"]).exits(0);
    let other = s.write("other.json", format!(" {}", fs::read_to_string(&file).unwrap()));
    let people = s.write("right.csv", format!("filer,person\nX-1,{cy}\n"));
    let args = ["import", "DIR", "--source", "house_ptr", "--file", &other, "--people", &people, "--commit", "--json"];
    let told = s.run(&args).exits(0).json();
    assert_eq!((&told["new"], &told["changed"], &told["unchanged"]), (&json!(0), &json!(1), &json!(0)));
    assert_eq!(m.trades()["rows"], json!([]), "Cy had no access");
    m.verifies();
}

#[test]
fn trades_are_for_the_ethics_role_alone() {
    if !is_root("trades_are_for_the_ethics_role_alone") {
        return;
    }
    let m = Matter::new();
    let s = &m.scene;
    let person = s.add(&["person", "add", "DIR", "--name", "Clerk", "--status", "civilian"]);
    s.add(&["principal", "add", "DIR", "--person", &person, "--os-user", "uid:2011", "--role", "access_officer"]);
    let file = m.house(&[("X-1", "QQZA", "Lantern Mills, Inc.", -9)]);
    let import = ["import", "DIR", "--source", "house_ptr", "--file", &file, "--people", &m.people];
    let size = s.size();
    for args in [&import[..], &[&import[..], &["--commit"]].concat(), &["review", "DIR"], &["query", "trades", "DIR"]] {
        let ran = s.run_as(CLERK, args).exits(4);
        assert!(!ran.out.contains("Lantern"), "{}", ran.out);
    }
    assert_eq!(s.size(), size);
    s.run(&[&import[..], &["--commit"]].concat()).exits(0);
    let history = s.run_as(CLERK, &["query", "person", "DIR", &m.bo]).exits(0).out;
    assert!(history.contains("access.event") && !history.contains("trade"), "{history}");
}

#[test]
fn the_review_queue_answers_as_the_import_did() {
    let m = Matter::new();
    let s = &m.scene;
    s.add(&["issuer", "add", "DIR", "--id", "anemone", "--name", "Anemone Models PBC"]);
    s.add(&[
        "issuer",
        "add",
        "DIR",
        "--id",
        "kettle",
        "--name",
        "Harbour Kettle Holdings Inc",
        "--ticker",
        "HKT",
        "--former-name",
        "Old Kiln Works Inc;2024-03-31",
    ]);
    let identifier = |id: &str, issuer: &str, scheme: &str, value: &str, from: Option<&str>, to: Option<&str>| {
        let record = json!({ "id": id, "issuer": issuer, "scheme": scheme, "value": value, "valid_from": from, "valid_to": to });
        let file = s.write("identifier.json", record.to_string());
        s.json(&["record", "add", "DIR", "--type", "identifier", "--file", &file]);
    };
    identifier("old-symbol", LANTERN, "ticker", "QQZB", None, Some("2025-12-31"));
    identifier("cusip", "kettle", "cusip", "037833100", None, None);
    let rows = [
        // day, ticker, asset, asset type, what the import makes of it: linking, class, issuer
        ("06/02/2026", "QQZA", "Lantern Mills, Inc.", "Stock", "matched", "equity", LANTERN),
        // The symbol was Lantern's until the end of 2025.
        ("06/02/2025", "QQZB", "Lantern Mills, Inc.", "Stock", "matched", "equity", LANTERN),
        ("06/02/2026", "QQZB", "Lantern Mills, Inc.", "Stock", "in_review", "equity", ""),
        // A private issuer by its bare name, by a stake's name, and with something in a ticker's place.
        ("06/02/2026", "", "Anemone Models, PBC", "", "matched", "private_stake", "anemone"),
        ("06/02/2026", "", "Anemone Models Series F SPV", "", "matched", "private_stake", "anemone"),
        ("06/02/2026", "", "Anemone Models, PBC (AMI)", "", "in_review", "equity", ""),
        // The filer's word for the kind decides what it is.
        ("06/02/2026", "", "Lantern Mlls", "Stock Option", "in_review", "option", ""),
        ("06/02/2026", "", "Unheard-of paper CUSIP 037833100", "Stock", "matched", "", "kettle"),
        ("06/02/2023", "", "Old Kiln Works Inc", "Stock", "matched", "equity", "kettle"),
    ];
    let csv: String = rows
        .iter()
        .map(|(day, ticker, asset, kind, ..)| format!("{},{day},purchase,{ticker},\"{asset}\",{kind},\"$1,001 - $15,000\"\n", m.bo))
        .collect();
    let file = s.write("r.csv", format!("filer,traded_on,kind,ticker,asset,asset_type,amount\n{csv}"));
    let mapping = s.run(&["import", "print-mapping", "trades"]).exits(0).out.replace("\"iso\"", "\"month_first\"");
    let mapping = s.write("m.toml", mapping);
    let told = m.import("trades", &file, &["--mapping", &mapping, "--received-on", "2026-06-30", "--commit", "--json"]).exits(0).json();
    let made = told["sample"]["new"].as_array().unwrap();
    for (row, (day, ticker, asset, _, linking, class, issuer)) in made.iter().zip(&rows) {
        let found = (row["linking"].as_str().unwrap(), row["issuer"].as_str().unwrap_or_default());
        assert_eq!(found, (*linking, *issuer), "{day} {ticker} {asset}: {row}");
        assert!(class.is_empty() || row["class"] == *class, "{asset}: {row}");
    }
    let review = s.json(&["review", "DIR"])["rows"].clone();
    let review = review.as_array().unwrap();
    let waiting: Vec<_> = made.iter().filter(|row| row["linking"] == "in_review").collect();
    assert_eq!((review.len(), waiting.len()), (3, 3), "{review:?}");
    for row in waiting {
        let same = review.iter().find(|r| r["text"] == row["text"] && r["identifier"] == row["identifier"]).unwrap();
        assert_eq!(same["class"], row["class"], "{same}");
        assert_ne!(same["why"], "would be linked today", "{same}");
    }
    let stake = review.iter().find(|r| r["text"] == "Anemone Models, PBC (AMI)").unwrap();
    assert_eq!(stake["candidates"][0]["issuer"], "anemone", "{stake}");
    m.verifies();
}
