//! The ethics office's work through the real program: asking before a trade, cases to their end, memos, what the verifier makes of it all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use serde_json::{Value, json};

use support::{Scene, days_from_now, is_root};

const COVERED: u32 = 2031;
const ETHICS: u32 = 2032;
const INSPECTOR: u32 = 2033;
const OFFICER: u32 = 2034;
const LANTERN: &str = "cik-0000000042";
const CAVEAT: &str = "Not ethics advice unless an ethics official adopts it. Never permits trading on nonpublic information.";

struct Office {
    scene: Scene,
    bo: String,
    submission: String,
}

fn today(days: i64) -> String {
    days_from_now(days)[..10].to_owned()
}

impl Office {
    fn new() -> Self {
        let s = Scene::new();
        let bo = s.add(&["person", "add", "DIR", "--name", "Bo Tester", "--status", "civilian"]);
        s.add(&["provider", "add", "DIR", "--id", "acme", "--name", "Acme Models"]);
        s.add(&["issuer", "add", "DIR", "--id", LANTERN, "--name", "Lantern Mills, Inc.", "--cik", "0000000042", "--ticker", "QQZA"]);
        let edge = [
            "--from",
            "provider:acme",
            "--relation",
            "owned-by",
            "--to",
            LANTERN,
            "--tier",
            "1",
            "--basis",
            "public-filing",
            "--confirmed",
        ];
        s.add(&[&["exposure", "add", "DIR"][..], &edge].concat());
        let (opened, closes, terms) = (days_from_now(-1), days_from_now(10), "ab".repeat(32));
        let offer = ["--authority", "EO 14409 sec. 3", "--offered-at", &opened, "--terms-hash", &terms, "--purpose", "evaluation"];
        let window = ["--opens-at", &opened, "--closes-at", &closes, "--confidentiality-basis", "terms of access"];
        let submission =
            s.add(&[&["submission", "add", "DIR", "--provider", "acme", "--title", "Model one"][..], &offer, &window].concat());
        Self { scene: s, bo, submission }
    }

    fn account(&self, uid: u32, person: &str, role: &str) {
        self.scene.add(&["principal", "add", "DIR", "--person", person, "--os-user", &format!("uid:{uid}"), "--role", role]);
    }

    fn staff(&self, uid: u32, name: &str, role: &str) {
        let person = self.scene.add(&["person", "add", "DIR", "--name", name, "--status", "civilian"]);
        self.account(uid, &person, role);
    }

    fn ask(&self, what: &[&str]) -> support::Ran {
        let base = ["preclear", "request", "DIR", "--person", &self.bo, "--side", "purchase", "--quantity", "100", "--at-most", "5000"];
        self.scene.run(&[&base[..], what].concat())
    }

    fn view(&self) {
        let log = ["access", "log", "DIR", "--person", &self.bo, "--submission", &self.submission, "--action", "view"];
        self.scene.run(&log).exits(0);
    }

    /// Records a trade of Bo's in Lantern and gives its entry.
    fn trade(&self, id: &str, day: &str, quantity: u64) -> u64 {
        let instrument =
            json!({ "class": "equity", "text": "Lantern Mills common", "identifier": "QQZA", "issuer": LANTERN, "linking": "matched" });
        let record = json!({
            "id": id, "person": self.bo, "relation": "own", "instrument": instrument, "kind": "purchase", "traded_on": day,
            "value": { "lo": 1000, "hi": 1000 }, "quantity": quantity,
        });
        let file = self.scene.write(id, record.to_string());
        self.scene.json(&["record", "add", "DIR", "--type", "trade", "--file", &file])["entry"].as_u64().unwrap()
    }
}

fn without_reference(told: &str) -> String {
    let first = told.lines().next().unwrap();
    let (before, after) = first.split_once("R-").unwrap();
    assert_eq!(after.len(), 11, "{first}");
    before.to_owned()
}

#[test]
fn one_answer_whatever_the_cause() {
    let o = Office::new();
    let s = &o.scene;
    let lantern = ["--instrument", "Lantern Mills, Inc. common stock", "--ticker", "QQZA"];
    let cleared = o.ask(&lantern).exits(0).out;
    assert!(cleared.starts_with("Cleared until 2"), "{cleared}");
    assert!(cleared.lines().nth(1).unwrap().starts_with("No conflict found in the facts recorded as of entry "), "{cleared}");
    assert!(cleared.contains(CAVEAT));

    let unknown = ["--instrument", "Nobody Knows Holdings", "--ticker", "ZZQX"];
    let mut refusals = vec![o.ask(&unknown).exits(4).out, o.ask(&[&lantern[..], &["--class", "option"]].concat()).exits(4).out];
    s.add(&["list", "add", "DIR", "--id", "rl", "--kind", "restricted", "--name", "Restricted", "--authority", "Agency order 9"]);
    s.add(&["list", "add-item", "DIR", "--list", "rl", "--subject", &format!("issuer:{LANTERN}"), "--reason", "Pending"]);
    refusals.push(o.ask(&lantern).exits(4).out);
    o.view();
    refusals.push(o.ask(&lantern).exits(4).out);
    // The sixth request of the day.
    refusals.push(o.ask(&lantern).exits(4).out);
    refusals.push(o.ask(&["--instrument", "Broad Market Index Fund", "--class", "diversified_fund"]).exits(4).out);
    let first = without_reference(&refusals[0]);
    assert_eq!(first, "Not cleared. The ethics office can decide. Reference ");
    for refusal in &refusals {
        assert_eq!(without_reference(refusal), first);
        assert_eq!(refusal.lines().count(), refusals[0].lines().count());
        assert!(!refusal.contains("No conflict found"));
    }
    let rows = s.json(&["preclear", "list", "DIR"])["rows"].clone();
    let rules: Vec<&Value> = rows.as_array().unwrap().iter().map(|r| &r["rules"]).collect();
    assert_eq!(rules[0], &json!([]));
    assert_eq!(rules[1], &json!(["R-PCL-2"]));
    assert_eq!(rules[2], &json!(["R-PCL-3"]));
    assert_eq!(rules[3], &json!(["R-PCL-5"]));
    assert_eq!(rules[4], &json!(["R-PCL-4", "R-PCL-5"]));
    assert_eq!(rules[6], &json!(["R-PCL-8"]), "a fund is always cleared, but for the number of requests");
    o.scene.verified();
}

#[test]
fn a_covered_person_asks_for_themselves_and_sees_their_own_alone() {
    if !is_root("a_covered_person_asks_for_themselves_and_sees_their_own_alone") {
        return;
    }
    let o = Office::new();
    let s = &o.scene;
    o.account(COVERED, &o.bo, "covered_person");
    let other = s.add(&["person", "add", "DIR", "--name", "Cy Other", "--status", "civilian"]);
    let ask =
        ["preclear", "request", "DIR", "--instrument", "Lantern Mills, Inc.", "--ticker", "QQZA", "--side", "purchase", "--at-most", "900"];
    let told = s.run_as(COVERED, &[&ask[..], &["--json"]].concat()).exits(0).json();
    assert_eq!((&told["cleared"], told.get("assessment")), (&json!(true), None));
    s.run_as(COVERED, &[&ask[..], &["--person", &other]].concat()).exits(5);
    s.run_as(COVERED, &[&ask[..], &["--explain"]].concat()).exits(4);
    s.run(&[&ask[..], &["--person", &other]].concat()).exits(0);
    let own = s.run_as(COVERED, &["preclear", "list", "DIR", "--json"]).exits(0).json();
    let rows = own["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].get("rules").is_none() && rows[0].get("watch").is_none() && rows[0].get("issuer").is_none());
    let entry = told["entry"].to_string();
    assert!(s.run_as(COVERED, &["explain", "DIR", &entry]).exits(0).out.starts_with("Cleared until "));
    s.run_as(COVERED, &["record", "show", "DIR", &entry]).exits(4);
    s.run_as(COVERED, &["preclear", "decide", "DIR", &entry, "--refuse", "--reason", "no"]).exits(4);
    assert!(
        s.run(&["preclear", "decide", "DIR", &entry, "--refuse", "--reason", "a merger nobody knows of"])
            .exits(0)
            .out
            .starts_with("Not cleared.")
    );
    let own = s.run_as(COVERED, &["preclear", "list", "DIR"]).exits(0).out;
    assert!(!own.contains("merger"), "{own}");
    o.scene.verified();
}

#[test]
fn a_case_from_the_trade_to_the_second_signature() {
    if !is_root("a_case_from_the_trade_to_the_second_signature") {
        return;
    }
    let o = Office::new();
    let s = &o.scene;
    o.staff(ETHICS, "Di Second", "ethics_officer");
    o.staff(INSPECTOR, "Ig Reader", "inspector_general");
    o.staff(OFFICER, "Al Officer", "access_officer");
    let request = o.ask(&["--instrument", "Lantern Mills, Inc.", "--ticker", "QQZA", "--json"]).exits(0).json();
    o.view();
    o.trade("t-1", &today(1), 60);
    let trade = o.trade("t-2", &today(1), 2_370);
    let pending = s.json(&["cases", "list", "DIR"])["pending"].clone();
    let rules: Vec<&str> = pending.as_array().unwrap().iter().map(|p| p["rule"].as_str().unwrap()).collect();
    assert!(rules.contains(&"R-703-1") && rules.contains(&"R-PCL-10"), "{pending}");

    let memo = s.run(&["explain", "DIR", &trade.to_string()]).exits(0).out;
    for part in ["MEMORANDUM", "Against what was seen", "more units than were cleared", "60 + 2370 = 2430 units", CAVEAT] {
        assert!(memo.contains(part), "{part}: {memo}");
    }
    let memo = s.run(&["explain", "DIR", &request["entry"].to_string()]).exits(0).out;
    assert!(memo.contains("Trades made under it") && memo.contains("rule set "), "{memo}");
    assert!(s.run_as(OFFICER, &["explain", "DIR", &trade.to_string()]).exits(4).out.is_empty());
    s.run_as(OFFICER, &["cases", "list", "DIR"]).exits(4);
    assert!(s.run_as(INSPECTOR, &["cases", "list", "DIR"]).exits(4).err.contains("--inquiry"));
    s.run_as(INSPECTOR, &["cases", "list", "DIR", "--inquiry", "26-0117"]).exits(0);
    o.scene.verified();
}

/// On the ledger of the demo, which has cases; a new one would have to wait for the cadence.
#[test]
fn cases_are_worked_to_their_end() {
    if !is_root("cases_are_worked_to_their_end") {
        return;
    }
    let o = Office { scene: Scene::empty(), bo: String::new(), submission: String::new() };
    let s = &o.scene;
    s.run(&["demo", "DIR"]).exits(0);
    s.add(&["org", "add", "DIR", "--id", "local", "--name", "Ethics office", "--kind", "component", "--parent", "commerce"]);
    o.staff(ETHICS, "Di Second", "ethics_officer");
    o.staff(INSPECTOR, "Ig Reader", "inspector_general");
    let cases = s.json(&["cases", "list", "DIR"]);
    let of = |rule: &str| cases["rows"].as_array().unwrap().iter().find(|row| row["rule"] == rule).unwrap()["case"].to_string();
    let case = of("R-703-1");
    let memo = s.run(&["explain", "DIR", &case]).exits(0).out;
    for part in [
        "What was found",
        "What it rests on",
        "days after the first access",
        "is settled by who decided on the trade",
        "rule set of this program",
    ] {
        assert!(memo.contains(part), "{part}: {memo}");
    }
    assert_eq!(memo.matches("Against what was seen").count(), 1, "what the case is about alone");
    assert!(!memo.contains("No conflict found") && memo.ends_with("Never permits trading on nonpublic information.\n"), "{memo}");
    assert!(s.run(&["explain", "DIR", &of("R-PCL-10")]).exits(0).out.contains("made without a clearance"));
    let step =
        |verb: &'static str, more: &[&str]| s.run(&[&["cases", verb, "DIR", &case, "--text", "As the file says"][..], more].concat());
    step("note", &["--evidence", "3"]).exits(0);
    step("dispose", &["--as", "referred"]).exits(5);
    let hash = "cd".repeat(32);
    s.run(&["cases", "refer", "DIR", &case, "--to", "Inspector General", "--document-hash", &hash]).exits(0);
    s.run(&["cases", "hold", "DIR", &case, "--authority", "Request of the inspector general"]).exits(0);
    assert!(step("dispose", &["--as", "referred"]).exits(0).out.starts_with(&format!("case {case} is proposed")));
    step("approve", &[]).exits(5);
    s.run_as(INSPECTOR, &["cases", "approve", "DIR", &case, "--text", "I agree"]).exits(4);
    let signed = s.run_as(ETHICS, &["cases", "approve", "DIR", &case, "--text", "I agree", "--json"]).exits(0).json();
    assert_eq!(signed["state"], "closed");
    for asked in [["cases", "show", "DIR", &case].as_slice(), &["explain", "DIR", &case]] {
        let refused = s.run_as(INSPECTOR, asked).exits(4);
        assert!(refused.out.is_empty() && refused.err.contains("--inquiry"), "{}", refused.err);
    }
    s.run_as(INSPECTOR, &["explain", "DIR", &case, "--inquiry", "26-0117"]).exits(0);
    let shown = s.run_as(INSPECTOR, &["cases", "show", "DIR", &case, "--inquiry", "26-0117", "--json"]).exits(0).json();
    assert_eq!((&shown["state"], &shown["disposition"]), (&json!("closed"), &json!("referred")));
    let kinds: Vec<&str> = shown["timeline"].as_array().unwrap().iter().map(|t| t["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["case.event", "referral", "legal.hold", "case.event", "case.event"]);
    assert!(s.run(&["cases", "show", "DIR", &case]).exits(0).out.contains("what was done:"));
    assert!(s.run(&["explain", "DIR", &case]).exits(0).out.contains("the case is closed, as referred; under 1 legal hold(s)"));
    step("reopen", &[]).exits(0);
    let again = s.json(&["cases", "list", "DIR", "--state", "open"]);
    assert!(again["rows"].as_array().unwrap().iter().any(|row| row["case"].as_u64() == case.parse().ok()), "{again}");
    o.scene.verified();
}

#[test]
fn an_ethics_office_of_another_agency_sees_and_records_nothing_of_what_people_file() {
    let o = Office::new();
    let s = &o.scene;
    o.ask(&["--instrument", "Lantern Mills, Inc. common stock", "--ticker", "QQZA"]).exits(0);
    o.view();
    let entry = o.trade("tr-1", &today(0), 100).to_string();
    let told = |args: &[&str]| s.json(args)["rows"].as_array().unwrap().len();
    let asked = [vec!["preclear", "list", "DIR"], vec!["query", "trades", "DIR"], vec!["query", "trades", "DIR", "--person", &o.bo]];
    asked.iter().for_each(|args| assert!(told(args) > 0, "{args:?}"));
    let pending = |s: &Scene| s.json(&["cases", "list", "DIR"])["pending"].as_array().unwrap().len();
    assert!(pending(s) > 0);
    let timeline = ["query", "person", "DIR", &o.bo];
    assert_eq!(s.json(&timeline)["complete_for"], "everybody");
    let trades = || s.json(&timeline)["rows"].as_array().unwrap().iter().any(|row| row["kind"] == "trade");
    assert!(trades());

    // Whoever began the ledger goes to another agency.
    s.add(&["org", "add", "DIR", "--id", "bureau", "--name", "Bureau", "--kind", "agency"]);
    let people = s.json(&["person", "show", "DIR"])["rows"].clone();
    let founder = people.as_array().unwrap().iter().find(|row| row["id"] != o.bo.as_str()).unwrap()["id"].as_str().unwrap().to_owned();
    s.add(&["person", "add", "DIR", "--id", &founder, "--organization", "bureau", "--supersede"]);
    asked.iter().for_each(|args| assert_eq!(told(args), 0, "{args:?}"));
    assert_eq!(pending(s), 0);
    assert_eq!(s.json(&timeline)["complete_for"], "your role");
    assert!(!trades());
    s.run(&["record", "show", "DIR", &entry]).exits(4);
    s.run(&["explain", "DIR", &entry]).exits(4);
    let file = s.write("filer", json!({ "id": "f-1", "person": o.bo, "report": "confidential", "from": "2026-01-01" }).to_string());
    let refused = s.run(&["record", "add", "DIR", "--type", "filer", "--file", &file]).exits(4).err;
    assert!(refused.contains("another agency"), "{refused}");

    // A routine use that policy names opens it.
    let used = json!({ "routine_uses": [{ "filers_of": "local", "seen_by": "bureau", "authority": "91 FR 1 (invented)" }] });
    let policy = s.write("policy.json", used.to_string());
    s.json(&["policy", "set", "DIR", "--file", &policy]);
    asked.iter().for_each(|args| assert!(told(args) > 0, "{args:?}"));
    s.run(&["record", "add", "DIR", "--type", "filer", "--file", &file]).exits(0);
    s.verified();
}
