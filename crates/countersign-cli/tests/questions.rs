//! Questions through the real program: as of any entry, the insider list, what changed, and what a reader's role leaves out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use serde_json::{Value, json};

use support::{Scene, days_from_now, is_root};

const CY: u32 = 2021;
const DI: u32 = 2022;
const OFFICER: u32 = 2023;
const LANTERN: &str = "cik-0000000042";

/// A ledger with one submission that touches one issuer in tier 1, and Bo.
struct Matter {
    scene: Scene,
    bo: String,
    submission: String,
}

impl Matter {
    fn new() -> Self {
        let s = Scene::new();
        s.add(&["org", "add", "DIR", "--id", "nist", "--name", "NIST", "--kind", "agency"]);
        let bo = s.add(&["person", "add", "DIR", "--name", "=Bo Tester", "--status", "civilian", "--organization", "nist"]);
        s.add(&["provider", "add", "DIR", "--id", "acme", "--name", "Acme Models"]);
        s.add(&["issuer", "add", "DIR", "--id", LANTERN, "--name", "Lantern Mills, Inc.", "--cik", "0000000042", "--ticker", "QQZA"]);
        let edge = ["--from", "provider:acme", "--relation", "owned-by", "--to", LANTERN, "--tier", "1", "--basis", "public-filing"];
        s.add(&[&["exposure", "add", "DIR"][..], &edge, &["--confirmed"]].concat());
        let (opened, closes, terms) = (days_from_now(-1), days_from_now(10), "ab".repeat(32));
        let offer = ["--authority", "EO 14409 sec. 3", "--offered-at", &opened, "--terms-hash", &terms, "--purpose", "evaluation"];
        let window = ["--opens-at", &opened, "--closes-at", &closes, "--confidentiality-basis", "terms of access"];
        let submission =
            s.add(&[&["submission", "add", "DIR", "--provider", "acme", "--title", "Model one"][..], &offer, &window].concat());
        Self { scene: s, bo, submission }
    }

    /// A person of the directory who acts as a user.
    fn staff(&self, uid: u32, name: &str, role: &str) -> String {
        let person = self.scene.add(&["person", "add", "DIR", "--name", name, "--status", "civilian"]);
        self.scene.add(&["principal", "add", "DIR", "--person", &person, "--os-user", &format!("uid:{uid}"), "--role", role]);
        person
    }

    fn view(&self, person: &str, more: &[&str]) -> Value {
        let log = ["access", "log", "DIR", "--person", person, "--submission", &self.submission, "--action", "view"];
        self.scene.json(&[&log[..], more].concat())
    }

    fn active_grant(&self, person: &str) -> String {
        let s = &self.scene;
        let document = s.write("document", "I agree");
        for kind in ["access_terms", "no_interest_certification"] {
            s.add(&["agreement", "add", "DIR", "--person", person, "--kind", kind, "--version", "1", "--document", &document]);
        }
        let request = ["grant", "request", "DIR", "--person", person, "--submission", &self.submission, "--duty", "Evaluate", "--json"];
        let grant = s.run(&request).exits(0).json()["grant"].to_string();
        for uid in [CY, DI] {
            s.run_as(uid, &["grant", "approve", "DIR", &grant]).exits(0);
        }
        s.run(&["grant", "activate", "DIR", &grant]).exits(0);
        grant
    }
}

fn rows(answer: &Value) -> &Vec<Value> {
    answer["rows"].as_array().unwrap()
}

#[test]
fn an_answer_as_of_an_entry_is_the_answer_given_then() {
    let m = Matter::new();
    let s = &m.scene;
    m.view(&m.bo, &[]);
    let questions = [
        vec!["query", "issuer", "DIR", LANTERN],
        vec!["query", "person", "DIR", &m.bo],
        vec!["query", "submission", "DIR", &m.submission],
        vec!["query", "insiders", "DIR", &m.submission],
        vec!["query", "trades", "DIR"],
    ];
    let given: Vec<Value> = questions.iter().map(|q| s.json(q)).collect();
    m.view(&m.bo, &[]);
    s.add(&["person", "add", "DIR", "--id", &m.bo, "--name", "Bo Renamed", "--supersede"]);
    for (question, then) in questions.iter().zip(&given) {
        let size = then["as_of"].to_string();
        let mut again = s.json(&[&question[..], &["--as-of", &size]].concat());
        assert_eq!(again["complete"], true);
        // Asking is itself an entry, so the read alone stands elsewhere.
        assert_eq!(again["read_entry"], s.size() - 1);
        again["read_entry"] = then["read_entry"].clone();
        assert_eq!(&again, then, "{question:?}");
        // The time the answer names gives the same size, and the read says as of what was asked.
        let by_time = s.json(&[&question[..], &["--as-of", then["as_of_at"].as_str().unwrap()]].concat());
        assert_eq!((&by_time["as_of"], &by_time["rows"]), (&then["as_of"], &then["rows"]));
        let last = s.size() - 1;
        let read = s.json(&["query", "changed", "DIR", "--since", &last.to_string(), "--kind", "read"]);
        assert!(rows(&read)[0]["what"].as_str().unwrap().ends_with(&format!("rows as of size {size}")), "{read}");
    }
    let text = s.run(&["query", "issuer", "DIR", LANTERN]).exits(0).out;
    assert!(text.contains("1 rows, complete as of size ") && text.lines().last().unwrap().len() == "root ".len() + 64, "{text}");
    s.run(&["query", "person", "DIR", &m.bo, "--as-of", "3"]).exits(3);
    s.run(&["query", "issuer", "DIR", LANTERN, "--as-of", "2001-01-01"]).exits(3);
    let beyond = s.run(&["query", "issuer", "DIR", LANTERN, "--as-of", "999999"]).exits(3);
    assert!(beyond.err.contains("nothing can be asked as of size 999999"), "{}", beyond.err);
    s.run(&["query", "issuer", "DIR", LANTERN, "--as-of", "yesterday"]).exits(2);
    let person = ["query", "person", "DIR", &m.bo];
    assert_eq!(rows(&s.json(&[&person[..], &["--until", &days_from_now(-1)]].concat())).len(), 0);
    assert!(s.run(&[&person[..], &["--until", "2001-01-01"]].concat()).exits(0).out.starts_with("none\n0 rows, complete as of size"));
}

#[test]
fn an_insider_list_has_whoever_saw_something_or_could_have() {
    if !is_root("an_insider_list_has_whoever_saw_something_or_could_have") {
        return;
    }
    let m = Matter::new();
    let s = &m.scene;
    m.staff(CY, "Cy Approver", "approver");
    m.staff(DI, "Di Approver", "approver");
    m.staff(OFFICER, "Oz Officer", "access_officer");
    let person = |name: &str| s.add(&["person", "add", "DIR", "--name", name, "--status", "civilian", "--organization", "nist"]);
    let (flo, gus, hal, ida) = (person("Flo Uses"), person("Gus Never"), person("Hal Strays"), person("Ida Refused"));
    let used = m.active_grant(&flo);
    m.active_grant(&gus);
    // Times on the command line have whole seconds here, and the access lies after the activation.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let first = days_from_now(0);
    m.view(&flo, &["--grant", &used, "--at", &first]);
    m.view(&flo, &["--grant", &used]);
    m.view(&hal, &[]);
    m.view(&ida, &["--result", "refused"]);
    let wrong = m.view(&m.bo, &[])["entry"].to_string();
    m.view(&hal, &["--supersedes", &wrong]);
    s.run(&["grant", "revoke", "DIR", &used, "--reason", "done"]).exits(0);
    s.add(&["recusal", "add", "DIR", "--person", &gus, "--scope", "provider:acme", "--ground", "spouse works there"]);

    let list = s.json(&["query", "insiders", "DIR", &m.submission]);
    let of = |who: &str| rows(&list).iter().find(|r| r["person"] == who).unwrap_or(&Value::Null);
    assert_eq!((rows(&list).len(), of(&ida)), (4, &Value::Null), "{list}");
    assert_eq!((&list["title"], &list["still_inside"], &list["tier_1"]), (&json!("Model one"), &json!(true), &json!([LANTERN])));
    assert!(list["created_at"].as_str().unwrap() < list["updated_at"].as_str().unwrap());
    let flo_row = of(&flo);
    assert_eq!(
        (&flo_row["standing"], &flo_row["obtained_at"], &flo_row["accesses"], &flo_row["uncleared"], &flo_row["duties"]),
        (&json!("accessed"), &json!(first), &json!(2), &json!(0), &json!(["Evaluate"]))
    );
    assert_eq!((&flo_row["organization_name"], &flo_row["ceased_because"]), (&json!("NIST"), &json!("revoked")));
    assert!(flo_row["ceased_at"].is_string() && flo_row["agreements"].as_array().unwrap().len() == 2, "{flo_row}");
    let gus_row = of(&gus);
    assert_eq!((&gus_row["standing"], &gus_row["obtained_at"]), (&json!("never_accessed"), &Value::Null));
    assert_eq!((&gus_row["recusals"][0]["scope"], &gus_row["state"]), (&json!("provider:acme"), &json!("suspended")));
    let hal_row = of(&hal);
    assert_eq!((&hal_row["standing"], &hal_row["accesses"], &hal_row["uncleared"]), (&json!("without_grant"), &json!(2), &json!(2)));
    let bo_row = of(&m.bo);
    assert_eq!((&bo_row["standing"], &bo_row["accesses"], &bo_row["corrected"]), (&json!("corrected"), &json!(0), &json!(1)));
    // Who was refused asked, and is no insider; who was wrongly named had no access to anything of the issuer's.
    let asked = s.json(&["query", "submission", "DIR", &m.submission]);
    assert!(rows(&asked).iter().any(|r| r["person"] == *ida));
    let touched = s.json(&["query", "issuer", "DIR", LANTERN]);
    let who: Vec<_> = rows(&touched).iter().map(|r| r["person"].as_str().unwrap()).collect();
    assert_eq!(who, [&flo, &hal]);

    let csv = s.run(&["query", "insiders", "DIR", &m.submission, "--csv"]).exits(0);
    assert!(csv.out.starts_with("name,person,organization,status,duties,standing,") && csv.out.contains("'=Bo Tester"), "{}", csv.out);
    assert!(csv.err.contains("still_inside yes") && csv.err.contains("complete as of size"), "{}", csv.err);
    assert!(csv.out.contains("access_terms") && csv.out.contains("provider:acme from"), "{}", csv.out);
    let table = s.run(&["query", "insiders", "DIR", &m.submission]).exits(0).out;
    assert!(table.contains("STANDING") && table.contains("title         Model one"), "{table}");
    let officer = s.run_as(OFFICER, &["query", "insiders", "DIR", &m.submission, "--json"]).exits(0).json();
    assert!(officer["complete_for"] == "your role" && !officer.to_string().contains("spouse"), "{officer}");
    s.run(&["query", "insiders", "DIR", "S-nobody"]).exits(3);
}

#[test]
fn what_changed_is_told_field_by_field() {
    let m = Matter::new();
    let s = &m.scene;
    let since = s.size();
    s.add(&["person", "add", "DIR", "--id", &m.bo, "--status", "contractor", "--supersede"]);
    m.view(&m.bo, &[]);
    let at = since.to_string();
    let told = s.json(&["query", "changed", "DIR", "--since", &at, "--until", &(since + 2).to_string()]);
    let (person, access) = (&rows(&told)[0], &rows(&told)[1]);
    assert_eq!((rows(&told).len(), &told["complete"], &told["as_of"]), (2, &json!(true), &json!(since + 2)));
    assert_eq!((&person["kind"], &person["by"], &person["actor"]), (&json!("person"), &json!("Ada Example"), &access["actor"]));
    assert_eq!(person["changes"], json!([{ "field": "status", "from": "civilian", "to": "contractor" }]));
    assert!(person["supersedes"].is_u64() && access["supersedes"].is_null() && access["changes"] == json!([]));
    let text = s.run(&["query", "changed", "DIR", "--since", &at, "--kind", "person"]).exits(0).out;
    assert!(text.contains("status: civilian -> contractor") && text.contains("1 rows, complete as of size"), "{text}");
    let csv = s.run(&["query", "changed", "DIR", "--since", &at, "--person", &m.bo, "--csv"]).exits(0).out;
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert!(s.run(&["query", "changed", "DIR", "--since", &days_from_now(1)]).exits(0).out.starts_with("none\n0 rows, complete"));
    s.run(&["query", "changed", "DIR", "--since", "0", "--kind", "acess.event"]).exits(2);
    s.run(&["query", "changed", "DIR", "--since", "0", "--person", "P-nobody"]).exits(3);
    s.run(&["query", "changed", "DIR", "--since", "999999"]).exits(3);
    s.run(&["query", "changed", "DIR", "--since", &at, "--until", "3"]).exits(2);
}

#[test]
fn a_role_hears_the_same_whether_or_not_a_watch_list_knows_something() {
    if !is_root("a_role_hears_the_same_whether_or_not_a_watch_list_knows_something") {
        return;
    }
    let m = Matter::new();
    let s = &m.scene;
    m.staff(OFFICER, "Oz Officer", "access_officer");
    m.staff(CY, "Ig Inspector", "inspector_general");
    let since = s.size().to_string();
    let watch = s.add(&["list", "add", "DIR", "--kind", "watch", "--name", "Quiet list"]);
    let item = s.add(&["list", "add-item", "DIR", "--list", &watch, "--subject", "provider:acme", "--reason", "inquiry"]);
    s.add(&["recusal", "add", "DIR", "--person", &m.bo, "--scope", "provider:acme", "--ground", "spouse works there"]);
    s.json(&["query", "person", "DIR", &m.bo]);
    let changed = ["query", "changed", "DIR", "--since", &since, "--json"];
    let ethics = s.run(&changed).exits(0).json();
    assert!(rows(&ethics).len() == 4 && ethics["complete_for"] == "everybody", "{ethics}");
    let officer = s.run_as(OFFICER, &changed).exits(0).json();
    assert_eq!(rows(&officer).iter().map(|r| r["kind"].as_str().unwrap()).collect::<Vec<_>>(), ["recusal"]);
    assert_eq!((&officer["complete"], &officer["complete_for"]), (&json!(true), &json!("your role")));
    for hidden in [&watch, &item, "inquiry", "spouse", "withheld"] {
        assert!(!officer.to_string().contains(hidden), "{hidden}: {officer}");
    }
    // Who asked what is the inspector's to see, watch lists are not.
    let inspector = s.run_as(CY, &[&changed[..], &["--inquiry", "26-0117"]].concat()).exits(0).json();
    assert!(rows(&inspector).iter().any(|r| r["kind"] == "read") && !inspector.to_string().contains(&watch), "{inspector}");
    // A watch list that becomes a restricted one has no past for those who did not know of it.
    let now = s.size().to_string();
    s.add(&["list", "add", "DIR", "--id", &watch, "--kind", "restricted", "--authority", "Agency policy 7", "--supersede"]);
    let told = s.run_as(OFFICER, &["query", "changed", "DIR", "--since", &now, "--kind", "list", "--json"]).exits(0).json();
    assert_eq!((&rows(&told)[0]["supersedes"], &rows(&told)[0]["changes"]), (&Value::Null, &json!([])));
    let told = s.run(&["query", "changed", "DIR", "--since", &now, "--kind", "list", "--json"]).exits(0).json();
    assert!(rows(&told)[0]["changes"].as_array().unwrap().iter().any(|c| c["field"] == "kind" && c["from"] == "watch"), "{told}");
    let seen = s.run_as(OFFICER, &["query", "person", "DIR", &m.bo]).exits(0).out;
    assert!(seen.contains("recused from provider:acme") && seen.contains("complete for your role"), "{seen}");
}

#[test]
fn an_inspector_asks_under_an_inquiry() {
    if !is_root("an_inspector_asks_under_an_inquiry") {
        return;
    }
    let m = Matter::new();
    let s = &m.scene;
    let person = m.staff(CY, "Ig Inspector", "inspector_general");
    for (uid, role) in [(DI, "ethics_officer"), (OFFICER, "access_officer")] {
        let account = ["--person", &person, "--os-user", &format!("uid:{uid}"), "--role", role, "--role", "inspector_general"];
        s.add(&[&["principal", "add", "DIR"][..], &account].concat());
    }
    let entry = m.view(&m.bo, &[])["entry"].to_string();
    let (keys, bundle) = (s.path("ig-keys.json"), s.path("ig-bundle.zip"));
    let (keys, bundle) = (keys.to_str().unwrap(), bundle.to_str().unwrap());
    let reads = |since: u64| s.json(&["query", "changed", "DIR", "--since", &since.to_string(), "--kind", "read"])["rows"].clone();
    let asked = [
        vec!["query", "person", "DIR", &m.bo],
        vec!["query", "issuer", "DIR", LANTERN],
        vec!["query", "insiders", "DIR", &m.submission, "--template", "us"],
        vec!["access", "list", "DIR"],
        vec!["cases", "list", "DIR"],
        vec!["export-keys", "DIR", "-o", keys],
        vec!["bundle", "DIR", "--entry", &entry, "-o", bundle],
    ];
    std::fs::set_permissions(s.tmp.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let size = s.size();
    for args in &asked {
        let refused = s.run_as(CY, &[&args[..], &["--json"]].concat()).exits(4);
        assert_eq!((&refused.json()["schema"], &refused.json()["exit_code"]), (&json!("countersign/error/1"), &json!(4)));
        assert!(refused.err.contains("name the inquiry") && !refused.out.contains(&m.bo), "{}", refused.err);
    }
    assert_eq!(s.size(), size, "nothing is shown, and nothing recorded");
    for args in &asked {
        s.run_as(CY, &[&args[..], &["--inquiry", "26-0117"]].concat()).exits(0);
    }
    let told = reads(size - 1);
    let under = told.as_array().unwrap().iter().filter(|row| row["what"].as_str().unwrap().ends_with(", under inquiry 26-0117"));
    assert_eq!(under.count(), asked.len(), "{told}");
    s.run_as(CY, &["query", "person", "DIR", &m.bo, "--inquiry", ""]).exits(2);

    // What says how the ledger is kept is recorded of nobody, and needs none.
    for args in [["status", "DIR"].as_slice(), &["policy", "show", "DIR"], &["login", "list", "DIR"], &["officer", "list", "DIR"]] {
        s.run_as(CY, args).exits(0);
    }
    // Who sees by another role names none; what the inspector's role alone shows is then not there.
    s.run_as(DI, &asked[0]).exits(0);
    s.run_as(DI, &["cases", "list", "DIR"]).exits(0);
    let own = ["query", "changed", "DIR", "--since", &size.to_string(), "--kind", "read", "--json"];
    assert_eq!(rows(&s.run_as(OFFICER, &own).exits(0).json()), &Vec::<Value>::new());
    assert!(!rows(&s.run_as(OFFICER, &[&own[..], &["--inquiry", "26-0117"]].concat()).exits(0).json()).is_empty());
    assert!(s.run_as(OFFICER, &["cases", "list", "DIR"]).exits(4).err.contains("name the inquiry"));
    s.verified();
}
