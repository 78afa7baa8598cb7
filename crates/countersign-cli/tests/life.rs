//! A ledger's life through the real program: made, filled, granted, accessed, asked, proven, exported, verified.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use support::{Scene, days_from_now, is_root};

const CY: u32 = 2001;
const DI: u32 = 2002;
const STRANGER: u32 = 2003;
const NVIDIA: &str = "cik-0001045810";

/// A ledger with one submission, one issuer it touches, and Bo, who is to have access.
struct Matter {
    scene: Scene,
    bo: String,
    submission: String,
}

impl Matter {
    fn new() -> Self {
        let s = Scene::new();
        s.add(&["org", "add", "DIR", "--id", "nist", "--name", "NIST", "--kind", "agency"]);
        let bo = s.add(&["person", "add", "DIR", "--name", "Bo Tester", "--status", "civilian", "--organization", "nist"]);
        s.add(&["provider", "add", "DIR", "--id", "acme", "--name", "Acme Models"]);
        s.add(&["issuer", "add", "DIR", "--id", NVIDIA, "--name", "NVIDIA CORP", "--cik", "0001045810", "--ticker", "NVDA"]);
        s.add(&[
            "exposure",
            "add",
            "DIR",
            "--from",
            "provider:acme",
            "--relation",
            "supplier",
            "--to",
            NVIDIA,
            "--tier",
            "2",
            "--basis",
            "public-filing",
            "--confirmed",
        ]);
        let (yesterday, soon) = (days_from_now(-1), days_from_now(10));
        let submission = s.add(&[
            "submission",
            "add",
            "DIR",
            "--provider",
            "acme",
            "--title",
            "Model one",
            "--authority",
            "EO 14409 sec. 3",
            "--offered-at",
            &yesterday,
            "--terms-hash",
            &"ab".repeat(32),
            "--purpose",
            "evaluation",
            "--opens-at",
            &yesterday,
            "--closes-at",
            &soon,
            "--confidentiality-basis",
            "terms of access",
        ]);
        Self { scene: s, bo, submission }
    }

    fn sign(&self, kind: &str) {
        let document = self.scene.write("document", "I agree");
        self.scene.add(&["agreement", "add", "DIR", "--person", &self.bo, "--kind", kind, "--version", "1", "--document", &document]);
    }

    fn request(&self, more: &[&str]) -> support::Ran {
        let args = ["grant", "request", "DIR", "--person", &self.bo, "--submission", &self.submission, "--duty", "Evaluate"];
        self.scene.run(&[&args, more].concat())
    }

    /// A person of the directory who acts as a user.
    fn staff(&self, uid: u32, name: &str, role: &str) -> String {
        let person = self.scene.add(&["person", "add", "DIR", "--name", name, "--status", "civilian"]);
        self.scene.add(&["principal", "add", "DIR", "--person", &person, "--os-user", &format!("uid:{uid}"), "--role", role]);
        person
    }

    /// A grant with both approvals, open.
    fn active_grant(&self) -> String {
        self.sign("access_terms");
        self.sign("no-interest-certification");
        let told = self.request(&["--json"]).exits(0).json();
        let grant = told["grant"].to_string();
        for uid in [CY, DI] {
            self.scene.run_as(uid, &["grant", "approve", "DIR", &grant]).exits(0);
        }
        self.scene.run(&["grant", "activate", "DIR", &grant]).exits(0);
        grant
    }
}

fn is_not_cleared(line: &str) -> bool {
    let reference = line.strip_prefix("Not cleared. The ethics office can decide. Reference R-").and_then(|r| r.strip_suffix('.'));
    reference.is_some_and(|r| r.len() >= 4 && r.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[test]
fn a_new_ledger_knows_its_founder_and_says_where_it_stands() {
    let s = Scene::new();
    let status = s.json(&["status", "DIR"]);
    assert_eq!(status["schema"], "countersign/status/1");
    assert_eq!(status["origin"], support::ORIGIN);
    assert_eq!(status["size"], status["register_size"]);
    assert_eq!(status["root"].as_str().unwrap().len(), 64);
    assert!(status["vkey"].as_str().unwrap().starts_with(support::ORIGIN));
    assert_eq!(status["read_only"], Value::Null);
    assert_eq!((&status["persons"], &status["cases"], &status["pending_findings"]), (&json!(1), &json!(0), &json!(0)));
    assert_eq!(status["roles"], json!(["operator", "access_officer", "ethics_officer"]));
    assert!(s.run(&["person", "show", "DIR"]).exits(0).out.contains("Ada Example"));
    let policy = s.json(&["policy", "show", "DIR"]);
    assert_eq!(policy["in_force"]["approvals_required"], 2);
    s.run(&["init", "DIR", "--origin", support::ORIGIN]).exits(5);
}

#[test]
fn a_change_supersedes_and_keeps_what_is_not_given() {
    let s = Scene::new();
    s.add(&["org", "add", "DIR", "--id", "nist", "--name", "NIST", "--kind", "agency", "--ethics-office", "ethics@nist.example"]);
    s.run(&["org", "add", "DIR", "--id", "nist", "--name", "Again", "--kind", "agency"]).exits(5);
    s.add(&["org", "add", "DIR", "--id", "nist", "--name", "National Institute", "--supersede"]);
    let shown = s.json(&["org", "show", "DIR", "nist"]);
    let history = shown["history"].as_array().unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!((&history[0]["name"], &history[1]["name"]), (&json!("National Institute"), &json!("NIST")));
    assert_eq!(history[0]["ethics_office"], "ethics@nist.example");
    assert_eq!(history[0]["supersedes"], history[1]["entry"]);
    s.run(&["org", "add", "DIR", "--id", "nsa", "--name", "x", "--supersede"]).exits(3);
    s.run(&["org", "show", "DIR", "nsa"]).exits(3);

    let file = s.write("policy.json", r#"{"case_cadence_seconds": 60, "approvals_required": 1}"#);
    assert_eq!(s.json(&["policy", "set", "DIR", "--file", &file])["version"], 2);
    let policy = s.json(&["policy", "show", "DIR"]);
    assert_eq!(policy["in_force"]["case_cadence_seconds"], 60);
    assert_eq!(policy["in_force"]["agreements_required"], json!(["access_terms"]));
    let blind = s.write("blind.json", r#"{"on_block": {"participate": "allow", "hold": "refer", "trade": "allow"}}"#);
    s.run(&["policy", "set", "DIR", "--file", &blind]).exits(5);
}

#[test]
fn one_key_records_once() {
    let s = Scene::new();
    let args = ["person", "add", "DIR", "--name", "Bo", "--status", "civilian", "--idempotency-key", "k-1"];
    let (first, second) = (s.json(&args), s.json(&args));
    assert_eq!((&first["repeated"], &second["repeated"]), (&json!(false), &json!(true)));
    assert_eq!((&first["entry"], &first["id"]), (&second["entry"], &second["id"]));
    s.run(&["person", "add", "DIR", "--name", "Other", "--status", "civilian", "--idempotency-key", "k-1"]).exits(5);
}

#[test]
fn a_requester_hears_the_same_of_a_referral_and_of_a_conflict() {
    let m = Matter::new();
    // No agreement: a conflict. With it, but without a statement of interests: a referral.
    let conflict = m.request(&[]).exits(4).out;
    let explained = m.request(&["--explain"]).exits(20).out;
    assert!(explained.contains("R-AGR-1") && explained.contains("NIST SP 800-53 PS-6") && explained.contains("denied"), "{explained}");
    m.sign("access_terms");
    let referral = m.request(&[]).exits(4).out;
    let explained = m.request(&["--explain"]).exits(21).out;
    assert!(explained.contains("R-INT-1") && explained.contains("18 U.S.C. 208(a)"), "{explained}");
    assert!(is_not_cleared(conflict.lines().next().unwrap()) && is_not_cleared(referral.lines().next().unwrap()));
    assert_eq!(conflict.lines().count(), referral.lines().count());
    let json = m.request(&["--json"]).exits(4).json();
    assert_eq!((&json["cleared"], &json["state"]), (&json!(false), &json!("not_cleared")));
    assert!(json.get("assessment").is_none());
    assert_eq!(m.request(&["--json", "--explain"]).exits(21).json()["assessment"]["decision"], "referred");

    m.sign("no_interest_certification");
    let cleared = m.request(&[]).exits(0).out;
    assert_eq!(cleared.lines().next(), Some("Cleared. Next: approval by 2 people."));
    m.scene.run(&["grant", "request", "DIR", "--person", "P-nobody", "--submission", &m.submission, "--duty", "x"]).exits(3);
    m.scene.run(&["grant", "request", "DIR", "--person", "Bo Tester", "--submission", &m.submission, "--duty", "x"]).exits(2);
}

#[test]
fn a_grant_lives_through_several_people() {
    if !is_root("a_grant_lives_through_several_people") {
        return;
    }
    let m = Matter::new();
    let s = &m.scene;
    m.staff(CY, "Cy Approver", "approver");
    m.staff(DI, "Di Approver", "approver");
    m.sign("access_terms");
    m.sign("no_interest_certification");
    let stranger = s.run_as(STRANGER, &["grant", "list", "DIR"]).exits(4);
    assert!(
        stranger.err.contains("uid 2003 has no principal in this ledger") && stranger.err.contains("--os-user uid:2003"),
        "{}",
        stranger.err
    );
    let grant = m.request(&["--json"]).exits(0).json()["grant"].to_string();
    s.run(&["grant", "activate", "DIR", &grant]).exits(5);
    // Whoever asked cannot approve, whatever roles they have.
    assert!(is_not_cleared(s.run(&["grant", "approve", "DIR", &grant]).exits(4).out.lines().next().unwrap()));
    s.run_as(CY, &["grant", "request", "DIR", "--person", &m.bo, "--submission", &m.submission, "--duty", "x"]).exits(4);
    let one = s.run_as(CY, &["grant", "approve", "DIR", &grant]).exits(0).out;
    assert!(one.starts_with("Approval counted. Next: approval by 1 person more."), "{one}");
    assert!(is_not_cleared(s.run_as(CY, &["grant", "approve", "DIR", &grant]).exits(4).out.lines().next().unwrap()));
    assert!(s.run_as(DI, &["grant", "approve", "DIR", &grant]).exits(0).out.starts_with("Approved."));
    assert!(s.run(&["grant", "activate", "DIR", &grant]).exits(0).out.starts_with("Active until "));
    assert_eq!(s.json(&["grant", "show", "DIR", &grant])["state"], "active");
    s.run(&["grant", "suspend", "DIR", &grant, "--reason", "pause"]).exits(0);
    s.run(&["grant", "activate", "DIR", &grant]).exits(0);
    s.run(&["grant", "revoke", "DIR", &grant]).exits(0);
    s.run(&["grant", "activate", "DIR", &grant]).exits(5);
    s.run(&["grant", "approve", "DIR", "99999"]).exits(3);
    let shown = s.json(&["grant", "show", "DIR", &grant]);
    // Access that was open and has ended cools off; the ledger says so by itself.
    assert_eq!((shown["history"].as_array().unwrap().len(), &shown["state"]), (10, &"cooling_off".into()));
    assert_eq!(shown["approvers"].as_array().unwrap().len(), 2);
}

#[test]
fn the_ethics_role_alone_sees_why() {
    if !is_root("the_ethics_role_alone_sees_why") {
        return;
    }
    let m = Matter::new();
    let s = &m.scene;
    m.staff(CY, "Cy Officer", "access_officer");
    m.staff(DI, "Di Gateway", "gateway");
    let watch = s.add(&["list", "add", "DIR", "--kind", "watch", "--name", "Quiet list"]);
    let item = s.add(&["list", "add-item", "DIR", "--list", &watch, "--subject", "provider:acme", "--reason", "inquiry"]);
    s.add(&["recusal", "add", "DIR", "--person", &m.bo, "--scope", "provider:acme", "--ground", "spouse works there"]);
    m.request(&[]).exits(4);
    let request = ["grant", "request", "DIR", "--person", &m.bo, "--submission", &m.submission, "--duty", "x"];
    let before = s.size();
    s.run_as(CY, &[&request[..], &["--explain"]].concat()).exits(4);
    assert_eq!(s.size(), before, "nothing is recorded where --explain is refused");
    for hidden in [&["list", "show", "DIR"][..], &["list", "show-item", "DIR"]] {
        assert!(!s.run_as(CY, hidden).exits(0).out.contains("acme") && s.run(hidden).exits(0).out.contains(&watch));
    }
    s.run_as(CY, &["list", "show", "DIR", &watch]).exits(3);
    s.run_as(CY, &["list", "show-item", "DIR", &item]).exits(3);
    assert!(!s.run_as(CY, &["recusal", "show", "DIR", "--json"]).exits(0).out.contains("spouse"));
    assert!(s.run(&["recusal", "show", "DIR", "--json"]).exits(0).out.contains("spouse"));
    s.run_as(CY, &["cases", "list", "DIR"]).exits(4);
    s.run_as(CY, &["grant", "show", "DIR", "0", "--explain"]).exits(4);
    let status = s.run_as(CY, &["status", "DIR", "--json"]).exits(0).json();
    assert!(status.get("cases").is_none() && status.get("pending_findings").is_none());
    assert_eq!(status["grants"], json!({ "not_cleared": 1 }));
    let timeline = s.run_as(CY, &["query", "person", "DIR", &m.bo]).exits(0).out;
    assert!(timeline.contains("not_cleared") && !timeline.contains("conflict") && !timeline.contains("undetermined"), "{timeline}");
    s.run_as(DI, &["query", "person", "DIR", &m.bo]).exits(4);
    s.run_as(CY, &["export-keys", "DIR"]).exits(4);
    // Where a grant stands says why, so a refused move must not tell it either.
    let grant = s.json(&["grant", "list", "DIR"])["rows"][0]["grant"].to_string();
    let refused = s.run_as(CY, &["grant", "activate", "DIR", &grant]).exits(5).err;
    assert!(refused.contains("is not_cleared"), "{refused}");
    s.run(&["principal", "add", "DIR", "--os-user", "uid:2001", "--role", "gateway"]).exits(5);
}

#[test]
fn accesses_are_recorded_found_asked_for_and_proven() {
    let m = Matter::new();
    let s = &m.scene;
    let grant = if is_root("the access under a grant in accesses_are_recorded_found_asked_for_and_proven") {
        m.staff(CY, "Cy Approver", "approver");
        m.staff(DI, "Di Approver", "approver");
        Some(m.active_grant())
    } else {
        None
    };
    let log = ["access", "log", "DIR", "--person", &m.bo, "--submission", &m.submission, "--action", "view"];
    if let Some(grant) = &grant {
        let told = s.run(&[&log[..], &["--grant", grant, "--explain", "--json"]].concat()).exits(0).json();
        assert_eq!(told["assessment"]["decision"], "cleared");
    }
    let told = s.run(&[&log[..], &["--explain"]].concat()).exits(0).out;
    assert!(told.starts_with("recorded: entry ") && told.contains("R-ACC-1"), "{told}");
    let pending = s.json(&["cases", "list", "DIR"]);
    let rules: Vec<&str> = pending["pending"].as_array().unwrap().iter().map(|p| p["rule"].as_str().unwrap()).collect();
    assert!(rules.contains(&"R-ACC-1"), "{pending}");
    s.json(&["tick", "DIR"]);

    let answer = s.json(&["query", "issuer", "DIR", NVIDIA, "--from", &days_from_now(-2)]);
    assert_eq!((&answer["complete"], answer["rows"].as_array().unwrap().len()), (&json!(true), 1));
    let row = &answer["rows"][0];
    assert_eq!((&row["name"], &row["uncleared"]), (&json!("Bo Tester"), &json!(1)));
    assert_eq!(row["accesses"], if grant.is_some() { 2 } else { 1 });
    // The question stands in the ledger, right behind what it was an answer about.
    assert_eq!(answer["read_entry"], answer["as_of"]);
    assert_eq!(s.size(), answer["as_of"].as_u64().unwrap() + 1);
    assert!(s.run(&["query", "issuer", "DIR", NVIDIA, "--until", "2001-01-01"]).exits(0).out.contains("0 rows, complete as of size"));
    s.run(&["query", "issuer", "DIR", "cik-0000000001"]).exits(3);
    s.run(&["query", "person", "DIR", "P-nobody"]).exits(3);
    assert!(s.run(&["query", "person", "DIR", &m.bo]).exits(0).out.contains("access.event"));
    let csv = s.run(&["query", "submission", "DIR", &m.submission, "--csv"]).exits(0);
    assert!(
        csv.out.starts_with("name,person,grant,state,") && csv.out.contains("Bo Tester") && csv.err.contains("complete"),
        "{}",
        csv.out
    );
    let listed = s.json(&["access", "list", "DIR", "--person", &m.bo]);
    assert_eq!(listed["rows"].as_array().unwrap().len(), if grant.is_some() { 2 } else { 1 });
    assert_eq!(s.json(&["access", "list", "DIR", "--until", "2001-01-01"])["rows"], json!([]));
    verify_everywhere(s);
}

/// Proof, export and data directory of a ledger, checked offline.
fn verify_everywhere(s: &Scene) {
    let vkey = s.vkey();
    let (proof, leaf) = (s.path("p"), s.path("p.leaf"));
    let (proof, leaf) = (proof.to_str().unwrap(), leaf.to_str().unwrap());
    s.run(&["proof", "DIR", "22", "-o", proof]).exits(0);
    s.run(&["proof", "DIR", "22", "-o", proof]).exits(5);
    s.run(&["proof", "DIR", "99999", "-o", proof]).exits(3);
    let verified = s.run(&["proof", "verify", proof, "--leaf", leaf, "--vkey", &vkey]).exits(0).out;
    assert!(verified.starts_with("VERIFIED  entry 22 "), "{verified}");
    let mut bytes = fs::read(leaf).unwrap();
    bytes[40] ^= 1;
    let bad = s.write("bad.leaf", &bytes);
    let told = s.run(&["proof", "verify", proof, "--leaf", &bad, "--vkey", &vkey, "--json"]).exits(10).json();
    assert_eq!((&told["schema"], &told["exit_code"]), (&json!("countersign/error/1"), &json!(10)));
    let other = Scene::new().vkey();
    s.run(&["proof", "verify", proof, "--leaf", leaf, "--vkey", &other]).exits(12);
    s.run(&["proof", "verify", leaf, "--leaf", leaf, "--vkey", &vkey]).exits(11);

    let keys = s.path("keys.json");
    s.run(&["export-keys", "DIR", "-o", keys.to_str().unwrap()]).exits(0);
    assert_eq!(fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o600);
    let (keys, export, public) = (keys.to_str().unwrap(), s.path("export"), s.path("public"));
    let (export, public) = (export.to_str().unwrap(), public.to_str().unwrap());
    s.run(&["export", "DIR", export]).exits(0);
    s.run(&["export", "DIR", export]).exits(5);
    s.run(&["export", "DIR", public, "--public-only"]).exits(0);
    for path in ["DIR", export] {
        let report = s.run(&["verify", path, "--vkey", &vkey, "--keys", keys, "--json"]).exits(0).json();
        assert_eq!((&report["verdict"], &report["size"]), (&json!("verified"), &json!(s.size())));
        let replayed = report["checks"].as_array().unwrap().iter().find(|c| c["name"] == "decisions").unwrap();
        assert!(replayed["count"].as_u64().unwrap() > 0, "{report}");
        s.run(&["verify", path, "--vkey", &other]).exits(12);
    }
    let head = s.path("export/checkpoint");
    s.run(&["verify", public, "--vkey", &vkey, "--known-checkpoint", head.to_str().unwrap()]).exits(0);
    s.run(&["verify", public, "--vkey", &vkey, "--keys", keys]).exits(10);
}

#[test]
fn a_stopped_grant_of_a_superseded_submission_shows() {
    if !is_root("a_stopped_grant_of_a_superseded_submission_shows") {
        return;
    }
    let m = Matter::new();
    let s = &m.scene;
    m.staff(CY, "Cy Approver", "approver");
    m.staff(DI, "Di Approver", "approver");
    let grant = m.active_grant();
    let told = s.json(&["submission", "add", "DIR", "--id", &m.submission, "--supersede", "--status", "suspended"]);
    assert_eq!(told["size"].as_u64().unwrap(), told["entry"].as_u64().unwrap() + 2, "the suspension stands in the same commit");
    assert_eq!(s.json(&["grant", "show", "DIR", &grant])["state"], "suspended");
    assert_eq!(s.json(&["submission", "show", "DIR", &m.submission])["history"].as_array().unwrap().len(), 2);
}

#[test]
#[ignore = "waits up to a minute for the cadence"]
fn a_finding_becomes_a_case_when_it_is_due() {
    let m = Matter::new();
    let s = &m.scene;
    let file = s.write("policy.json", r#"{"case_cadence_seconds": 60}"#);
    s.run(&["policy", "set", "DIR", "--file", &file]).exits(0);
    s.run(&["access", "log", "DIR", "--person", &m.bo, "--submission", &m.submission, "--action", "view"]).exits(0);
    std::thread::sleep(std::time::Duration::from_secs(61));
    assert!(s.json(&["tick", "DIR"])["recorded"].as_u64().unwrap() > 0);
    let cases = s.json(&["cases", "list", "DIR"]);
    assert!(cases["rows"].as_array().unwrap().iter().any(|c| c["rule"] == "R-ACC-1" && c["name"] == "Bo Tester"), "{cases}");
    assert_eq!(cases["pending"], json!([]));
}
