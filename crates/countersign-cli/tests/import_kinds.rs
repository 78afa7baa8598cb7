//! Every kind of record through `countersign import`, in every format: preview, commit, the same again, a change that supersedes, rows put aside
//! and brought back. Each ledger verifies with its keys.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::fs;
use std::io::Write;

use serde_json::{Map, Value, json};
use support::{Ran, Scene, days_from_now, is_root};

const LANTERN: &str = "cik-0000000042";

/// Rows of a file, to be written in any format.
struct Rows(Vec<Vec<String>>);

impl Rows {
    /// Lines of cells with `|` between them, the header first.
    fn of(text: &str) -> Self {
        Self(text.lines().map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect()).collect())
    }

    fn objects(&self) -> Vec<Value> {
        let object = |row: &Vec<String>| self.0[0].iter().cloned().zip(row.iter().map(|c| json!(c))).collect::<Map<_, _>>();
        self.0[1..].iter().map(|row| Value::Object(object(row))).collect()
    }

    fn csv(&self) -> Vec<u8> {
        let quoted = |c: &String| format!("\"{}\"", c.replace('"', "\"\""));
        self.0.iter().map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n").collect::<String>().into_bytes()
    }

    fn json(&self) -> Vec<u8> {
        Value::from(self.objects()).to_string().into_bytes()
    }

    fn ndjson(&self) -> Vec<u8> {
        self.objects().iter().map(|o| format!("{o}\n")).collect::<String>().into_bytes()
    }

    fn xlsx(&self) -> Vec<u8> {
        let cell = |text: &str| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
        let sheet: String = self.0.iter().map(|row| format!("<row>{}</row>", row.iter().map(|c| cell(c)).collect::<String>())).collect();
        workbook(&[("Data", &sheet)])
    }
}

/// A workbook with these sheets, each with its rows as XML. Style 1 is a date.
fn workbook(sheets: &[(&str, &str)]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const DOC: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PKG: &str = "http://schemas.openxmlformats.org/package/2006";
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut part = |name: &str, text: String| {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    };
    let (mut listed, mut targets) = (String::new(), String::new());
    for ((name, rows), n) in sheets.iter().zip(1..) {
        listed += &format!("<sheet name=\"{name}\" sheetId=\"{n}\" r:id=\"rId{n}\"/>");
        targets += &format!("<Relationship Id=\"rId{n}\" Type=\"{DOC}/worksheet\" Target=\"worksheets/sheet{n}.xml\"/>");
        part(&format!("xl/worksheets/sheet{n}.xml"), format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData></worksheet>"));
    }
    targets += &format!("<Relationship Id=\"rId99\" Type=\"{DOC}/styles\" Target=\"styles.xml\"/>");
    part(
        "[Content_Types].xml",
        format!("<Types xmlns=\"{PKG}/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>"),
    );
    let root = format!("<Relationship Id=\"rId1\" Type=\"{DOC}/officeDocument\" Target=\"xl/workbook.xml\"/>");
    part("_rels/.rels", format!("<Relationships xmlns=\"{PKG}/relationships\">{root}</Relationships>"));
    part("xl/workbook.xml", format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{DOC}\"><sheets>{listed}</sheets></workbook>"));
    part("xl/_rels/workbook.xml.rels", format!("<Relationships xmlns=\"{PKG}/relationships\">{targets}</Relationships>"));
    let styles = "<cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs>";
    part("xl/styles.xml", format!("<styleSheet xmlns=\"{MAIN}\">{styles}</styleSheet>"));
    zip.finish().unwrap().into_inner()
}

fn import(s: &Scene, source: &str, file: &str, more: &[&str]) -> Ran {
    s.run(&[&["import", "DIR", "--source", source, "--file", file][..], more].concat())
}

/// Commits and gives back what JSON tells.
#[track_caller]
fn load(s: &Scene, source: &str, text: &str, exit: i32) -> Value {
    let file = s.write("load.csv", Rows::of(text).csv());
    import(s, source, &file, &["--commit", "--json"]).exits(exit).json()
}

fn verifies(s: &Scene) {
    let (keys, vkey) = (s.path("keys.json"), s.vkey());
    s.run(&["export-keys", "DIR", "-o", keys.to_str().unwrap()]).exits(0);
    let report = s.run(&["verify", "DIR", "--vkey", &vkey, "--keys", keys.to_str().unwrap(), "--json"]).exits(0).json();
    assert_eq!((&report["verdict"], &report["size"]), (&json!("verified"), &json!(s.size())));
}

/// A submission of Acme's with an offer and an open window.
fn submission(s: &Scene) -> String {
    let (opened, closes, terms) = (days_from_now(-20), days_from_now(5), "ab".repeat(32));
    let offer = ["--authority", "EO 14409 sec. 3", "--offered-at", &opened, "--terms-hash", &terms, "--purpose", "evaluation"];
    let window = ["--opens-at", &opened, "--closes-at", &closes, "--confidentiality-basis", "terms of access"];
    s.add(&[&["submission", "add", "DIR", "--id", "S-ONE1", "--provider", "acme", "--title", "Model one"][..], &offer, &window].concat())
}

/// Every kind in an order in which each finds what it refers to, children of an organization before it.
fn kinds() -> Vec<(&'static str, String)> {
    let (soon, seen) = (days_from_now(4), days_from_now(-3)[..10].to_owned());
    let fixed = |text: &str| text.to_owned();
    vec![
        (
            "organizations",
            fixed(
                "id|name|kind|parent\nbow-eval|Evaluation Office|component|bow\nbow|Bureau of Weights|agency|\nacme-corp|Acme|developer|",
            ),
        ),
        ("people", fixed("id|name|status|organization\nP-BO01|Bo Tester|civilian|bow-eval\nP-CY01|Cy Sample|Contractor|bow")),
        (
            "credentials",
            fixed(
                "id|person|kind|issuer|subject|valid_from\nc-1|P-BO01|oidc|https://idp.example|0f31|2026-01-01\nc-2|P-BO01|os_user|host-7|uid:0|\nc-3|P-CY01|piv|Agency CA|Sample.C|2026-02-01",
            ),
        ),
        (
            "issuers",
            fixed(
                "id|name|cik|tickers|sub_industry\ncik-0000000042|Lantern Mills, Inc.|0000000042|QQZA; QQZB|Textiles\nanemone|Anemone Models PBC|||",
            ),
        ),
        ("providers", fixed("id|name\nacme|Acme Models\nanemone|Anemone")),
        ("models", fixed("id|provider|name|released_on|open_weights\nacme/one-x|acme|One X|2026-05-01|no\nanemone/q/7|anemone|Q7||yes")),
        (
            "exposures",
            fixed(
                "id|from|relation|to|tier|valid_from|basis|confirmed|evidence\nx-1|provider:acme|equity_held_by|issuer:cik-0000000042|1|2025-01-01|press|no|a newspaper\nx-2|model:acme/one-x|served_by|host:cloud-7|2||computed|yes|\nx-3|host:cloud-7|operated_by|issuer:cik-0000000042|2||name_match|yes|",
            ),
        ),
        (
            "relationships",
            fixed(
                "id|person|kind|relation|issuer|organization|from\nr-1|P-BO01|serves|spouse|cik-0000000042||2025-01-01\nr-2|P-CY01|seeking|own||acme-corp|",
            ),
        ),
        ("recusals", fixed("id|person|scope|from|ground\nrc-1|P-CY01|provider:anemone|2026-06-01|an offer of employment")),
        ("lists", fixed("id|kind|name|authority\nl-r|restricted|Restricted|agency policy 7\nl-w|watch|Watched|")),
        (
            "list-items",
            fixed(
                "id|list|subject|from|reason\nli-1|l-r|issuer:cik-0000000042|2026-06-01|on review\nli-2|l-w|provider:acme|2026-06-01T09:00:00Z|watched",
            ),
        ),
        (
            "grants",
            format!(
                "person|submission|duty|needs_participation|expires_at\nP-BO01|S-ONE1|red team|yes|{soon}\nP-CY01|S-ONE1|red team|no|{soon}"
            ),
        ),
        (
            "access-events",
            format!(
                "person|submission|action|occurred_at|result|source|source_id\nP-BO01|S-ONE1|view|{seen}|success|gateway-1|e1\nP-CY01|S-ONE1|query|{seen}|refused|gateway-1|e2\nP-CY01|S-ONE1|download|{seen}|||"
            ),
        ),
    ]
}

/// A field to change in the first row of a kind, and its new value.
const CHANGES: &[(&str, &str, &str)] = &[
    ("organizations", "name", "Office of Evaluation"),
    ("people", "status", "former"),
    ("credentials", "valid_from", "2026-01-02"),
    ("issuers", "sub_industry", "Packaged Software"),
    ("providers", "name", "Acme Frontier"),
    ("models", "released_on", "2026-05-02"),
    ("exposures", "valid_from", "2025-01-02"),
    ("relationships", "kind", "served"),
    ("recusals", "ground", "an accepted offer"),
    ("lists", "authority", "agency policy 8"),
    ("list-items", "reason", "still on review"),
    ("access-events", "result", "error"),
];

/// Goes through all kinds with files written by `write`.
fn every_kind(name: &str, write: fn(&Rows) -> Vec<u8>) -> Scene {
    let s = Scene::new();
    for (source, text) in kinds() {
        if source == "grants" {
            submission(&s);
        }
        let rows = Rows::of(&text);
        let count = rows.0.len() as u64 - 1;
        let file = s.write(name, write(&rows));
        let before = (s.size(), s.bytes());
        let preview = import(&s, source, &file, &["--json"]).exits(0).json();
        assert_eq!(
            (&preview["recorded"], &preview["new"], &preview["changed"]),
            (&json!(false), &json!(count), &json!(0)),
            "{source}: {preview}"
        );
        assert_eq!(before, (s.size(), s.bytes()), "{source}: a preview records nothing");
        let told = import(&s, source, &file, &["--commit", "--json"]).exits(0).json();
        assert_eq!((&told["recorded"], &told["new"]), (&json!(true), &json!(count)), "{source}: {told}");
        assert_eq!(told["results"].as_array().unwrap().len() as u64, count, "{source}");
        let size = s.size();
        let again = import(&s, source, &file, &["--commit"]).exits(0).out;
        assert!(again.contains("imported before") && again.contains("nothing changed"), "{source}: {again}");
        // The same rows in another file: known already, so the import alone is recorded.
        let mut longer = rows.0.clone();
        longer.push(longer[1].clone());
        let other = s.write(&format!("other-{name}"), write(&Rows(longer)));
        let told = import(&s, source, &other, &["--commit", "--json"]).exits(0).json();
        assert_eq!(
            (&told["new"], &told["unchanged"], &told["accounting"]["duplicates"]),
            (&json!(0), &json!(count), &json!(1)),
            "{source}: {told}"
        );
        assert_eq!(s.size(), size + 1, "{source}");
    }
    s
}

#[test]
fn every_kind_loads_from_csv_and_a_change_supersedes() {
    let s = every_kind("rows.csv", Rows::csv);
    for (source, field, value) in CHANGES {
        let mut rows = Rows::of(&kinds().into_iter().find(|(k, _)| k == source).unwrap().1);
        let column = rows.0[0].iter().position(|c| c == field).unwrap();
        let old = std::mem::replace(&mut rows.0[1][column], (*value).to_owned());
        let file = s.write("changed.csv", rows.csv());
        let preview = import(&s, source, &file, &["--json"]).exits(0).json();
        let change = &preview["changes"][0];
        assert_eq!(
            (preview["changes"].as_array().unwrap().len(), &change["row"], &change["field"]),
            (1, &json!(2), &json!(field)),
            "{source}: {preview}"
        );
        assert_eq!((change["old"].as_str().unwrap_or_default(), &change["new"]), (old.as_str(), &json!(value)), "{source}");
        let text = import(&s, source, &file, &[]).exits(0).out;
        assert!(text.contains("1 changed") && text.contains(value), "{source}: {text}");
        let size = s.size();
        let told = import(&s, source, &file, &["--commit", "--json"]).exits(0).json();
        assert_eq!((&told["new"], &told["changed"]), (&json!(0), &json!(1)), "{source}");
        assert!(s.size() >= size + 2, "{source}: the record, what follows from it, the import");
        assert_eq!(import(&s, source, &file, &["--commit", "--json"]).exits(0).json()["recorded"], false, "{source}");
    }
    let history = s.json(&["person", "show", "DIR", "P-BO01"])["history"].clone();
    assert_eq!((history.as_array().unwrap().len(), &history[0]["status"]), (2, &json!("former")));
    // A file that lacks a column changes nothing of what stands there, and one that lacks a row deletes nothing.
    let told = load(&s, "issuers", "id|name\ncik-0000000042|Lantern Works, Inc.", 0);
    assert_eq!((&told["changed"], &told["absent"], told["changes"].as_array().unwrap().len()), (&json!(1), &json!(1), 1));
    let issuer = s.json(&["issuer", "show", "DIR", LANTERN])["history"][0].clone();
    assert_eq!((&issuer["name"], issuer["tickers"].as_array().unwrap().len()), (&json!("Lantern Works, Inc."), 2), "{issuer}");
    verifies(&s);
}

#[test]
fn every_kind_loads_from_json() {
    verifies(&every_kind("rows.json", Rows::json));
}

#[test]
fn every_kind_loads_from_lines_of_json() {
    verifies(&every_kind("rows.ndjson", Rows::ndjson));
}

#[test]
fn every_kind_loads_from_a_spreadsheet() {
    verifies(&every_kind("rows.xlsx", Rows::xlsx));
}

#[test]
fn a_spreadsheets_own_dates_numbers_formulas_and_sheets() {
    let s = Scene::new();
    let text = |at: &str, t: &str| format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{t}</t></is></c>");
    let head: String =
        ["id", "person", "kind", "issuer", "subject", "valid_from"].iter().zip('A'..).map(|(h, c)| text(&format!("{c}1"), h)).collect();
    // 46175 is 2026-06-02; the subject is a number with a fraction a spreadsheet keeps, then a formula with the value it had.
    let row = |n: u32, subject: &str| {
        let start = ["c-", "P-BO01", "piv", "Agency CA"]
            .iter()
            .zip('A'..)
            .map(|(t, c)| text(&format!("{c}{n}"), &t.replace("c-", &format!("c-{n}"))));
        format!("<row r=\"{n}\">{}{subject}<c r=\"F{n}\" s=\"1\"><v>46175</v></c></row>", start.collect::<String>())
    };
    let data = format!(
        "<row r=\"1\">{head}</row>{}{}{}",
        row(2, "<c r=\"E2\"><v>70031</v></c>"),
        row(5, "<c r=\"E5\"><f>70000+32</f><v>70032</v></c>"),
        row(6, "<c r=\"E6\" t=\"e\"><f>1/0</f><v>#DIV/0!</v></c>")
    );
    let cover = format!("<row r=\"1\">{}</row>", text("A1", "Instructions"));
    let file = s.write("book.xlsx", workbook(&[("Cover Page", &cover), ("Part I", &data)]));
    load(&s, "people", "id|name|status|organization\nP-BO01|Bo Tester|civilian|local", 0);
    assert!(import(&s, "credentials", &file, &[]).exits(5).err.contains("no column for"), "the first sheet is another");
    assert!(import(&s, "credentials", &file, &["--sheet", "Part II"]).exits(5).err.contains("no sheet"));
    let told = import(&s, "credentials", &file, &["--sheet", "Part I", "--commit", "--json"]).exits(6).json();
    assert_eq!((&told["new"], &told["accounting"]["quarantined"]), (&json!(2), &json!({ "unreadable": 1 })), "{told}");
    let new = told["sample"]["new"].clone();
    assert!(new[0]["says"].as_str().unwrap().contains("subject=70031 valid_from=2026-06-02"), "{new}");
    assert!(new[1]["says"].as_str().unwrap().contains("subject=70032 "), "{new}");
    let csv = s.write("no.csv", "id\n");
    import(&s, "people", &csv, &["--sheet", "x"]).exits(2);
    verifies(&s);
}

#[test]
fn rows_that_cannot_be_used_go_out_and_come_back() {
    let s = Scene::new();
    load(&s, "people", "id|name|status|organization\nP-BO01|Bo Tester|civilian|local", 0);
    let text = "id|person|kind|issuer|subject\n\
                c-1|P-BO01|oidc|=HYPERLINK(1)|a\n\
                c-2|P-NOBODY|oidc|idp|b\n\
                c-3|P-BO01|retina|@SUM(A1)|c\n\
                c-4|P-BO01|oidc|idp|d\n\
                c-4|P-BO01|oidc|idp|e";
    let file = s.write("c.csv", Rows::of(text).csv());
    let aside = s.path("aside.csv");
    let taken = ["--commit", "--json", "--quarantine", aside.to_str().unwrap()];
    let told = import(&s, "credentials", &file, &taken).exits(6).json();
    assert_eq!(told["accounting"]["quarantined"], json!({ "bad_field": 1, "conflicting": 2, "unknown_person": 1 }), "{told}");
    assert_eq!((&told["new"], &told["accounting"]["loaded"]), (&json!(1), &json!(1)));
    let reasons: Vec<&str> = told["quarantined"].as_array().unwrap().iter().map(|q| q["reason"].as_str().unwrap()).collect();
    assert!(reasons[0].contains("person \"P-NOBODY\" is not recorded") && reasons[1].contains("one of piv, cac"), "{reasons:?}");
    assert!(reasons[2].contains("rows 5, 6 say different things of \"c-4\""), "{reasons:?}");
    let out = fs::read_to_string(&aside).unwrap();
    assert!(out.contains("'@SUM(A1)") && !out.lines().any(|l| l.starts_with(['=', '+', '-', '@'])), "{out}");
    // Its name is taken now, which is said before anything is recorded.
    let size = s.size();
    let other = s.write("other.csv", Rows::of(&text.replace("=HYPERLINK(1)", "=2")).csv());
    import(&s, "credentials", &other, &taken).exits(5);
    assert_eq!(s.size(), size);
    let again = import(&s, "credentials", &file, &["--commit"]).exits(0).out;
    assert!(again.contains("4 of its rows were quarantined then"), "{again}");
    let fixed = out.replace("P-NOBODY", "P-BO01").replace("retina", "cac").replacen("c-4", "c-5", 1);
    let told = import(&s, "credentials", &s.write("fixed.csv", fixed), &["--commit", "--json"]).exits(0).json();
    assert_eq!((&told["new"], &told["accounting"]["total"]), (&json!(4), &json!(4)), "{told}");
    let says = told["sample"]["new"].to_string();
    assert!(says.contains("issuer=@SUM(A1)"), "an apostrophe put in front on the way out is taken off on the way in: {says}");
    verifies(&s);
}

#[test]
fn references_are_held_to_the_file_and_the_ledger() {
    let s = Scene::new();
    // A ring of parents has no first; a child of a row that is put aside goes with it.
    let told = load(
        &s,
        "organizations",
        "id|name|kind|parent\na|A|agency|b\nb|B|agency|a\nc|C|agency|nowhere\nd|D|component|c\ne|E|component|f\nf|F|agency|",
        6,
    );
    assert_eq!((&told["new"], &told["accounting"]["quarantined"]), (&json!(2), &json!({ "unknown_reference": 4 })), "{told}");
    let told = load(&s, "list-items", "id|list|subject|from|reason\nli|none|provider:x|2026-06-01|r", 6);
    assert_eq!(told["accounting"]["quarantined"], json!({ "unknown_reference": 1 }));
    assert_eq!(told["quarantined"][0]["row"], 2);
    // One account is one person's at a time, in the ledger and within a file.
    load(&s, "people", "id|name|status|organization\nP-BO01|Bo|civilian|local\nP-CY01|Cy|civilian|local", 0);
    let told = load(
        &s,
        "credentials",
        "id|person|kind|issuer|subject|valid_from|valid_to\n\
         c-1|P-BO01|gateway_user|gw|jdoe|2026-01-01|2026-03-31\n\
         c-2|P-CY01|gateway_user|gw|jdoe|2026-03-31|\n\
         c-3|P-CY01|gateway_user|gw|jdoe|2026-04-01|",
        6,
    );
    assert_eq!(
        (&told["new"], &told["quarantined"][0]["code"], &told["quarantined"][0]["row"]),
        (&json!(2), &json!("refused"), &json!(3)),
        "{told}"
    );
    verifies(&s);
}

#[test]
fn requests_are_decided_as_they_are_recorded_and_why_is_for_the_ethics_role() {
    if !is_root("requests_are_decided_as_they_are_recorded_and_why_is_for_the_ethics_role") {
        return;
    }
    let s = Scene::new();
    load(&s, "people", "id|name|status|organization\nP-BO01|Bo|civilian|local\nP-CY01|Cy|civilian|local\nP-CLERK|Clerk|civilian|local", 0);
    for (uid, role) in [("uid:2011", "access_officer"), ("uid:2012", "gateway"), ("uid:2013", "inspector_general")] {
        s.add(&["principal", "add", "DIR", "--person", "P-CLERK", "--os-user", uid, "--role", role]);
    }
    load(&s, "providers", "id|name\nacme|Acme", 0);
    submission(&s);
    load(&s, "recusals", "id|person|scope|from|ground\nrc|P-CY01|provider:acme|2026-06-01|spouse", 0);
    let soon = days_from_now(4);
    let file = s.write(
        "g.csv",
        format!("person,submission,duty,needs_participation,expires_at\nP-BO01,S-ONE1,eval,no,{soon}\nP-CY01,S-ONE1,eval,yes,{soon}\n"),
    );
    let ethics = import(&s, "grants", &file, &["--json"]).exits(0).json();
    assert!(ethics["would_be"]["rules"].as_object().is_some_and(|r| !r.is_empty()), "{ethics}");
    let args = ["import", "DIR", "--source", "grants", "--file", &file, "--json"];
    let officer = s.run_as(2011, &args).exits(0).json();
    let sum = ethics["would_be"]["cleared"].as_u64().unwrap() + ethics["would_be"]["not_cleared"].as_u64().unwrap();
    // To ask is to record: nobody but the ethics role tries out unseen how a request would be decided.
    assert_eq!((&officer["would_be"], sum), (&Value::Null, 2), "{officer}");
    assert!(!officer.to_string().contains("R-"), "{officer}");
    s.run_as(2012, &args).exits(4);
    s.run_as(2013, &args).exits(4);
    let told = s.run_as(2011, &[&args[..], &["--commit"]].concat()).exits(0).json();
    let results = told["results"].as_array().unwrap();
    assert!(results.iter().all(|r| r["reference"].as_str().unwrap().starts_with("R-") && r["cleared"].is_boolean()), "{told}");
    assert_eq!(s.json(&["grant", "list", "DIR"])["rows"].as_array().unwrap().len(), 2);

    // A gateway reads nothing, and its own events are all it may write.
    let events = format!(
        "person,submission,action,occurred_at,source,source_id\nP-BO01,S-ONE1,view,{},gw,1\nP-GHOST,S-NONE,view,{},gw,2\n",
        days_from_now(-1),
        days_from_now(-1)
    );
    let file = s.write("e.csv", events);
    let args = ["import", "DIR", "--source", "access-events", "--file", &file];
    s.run_as(2012, &args).exits(4);
    let told = s.run_as(2012, &[&args[..], &["--commit", "--json"]].concat()).exits(0).json();
    assert_eq!(told["new"], 2, "an access that happened is recorded whatever it refers to: {told}");
    // Somebody else brings the same events in another file: they are known.
    let more = s.write("more.csv", fs::read_to_string(&file).unwrap() + &format!("P-BO01,S-ONE1,view,{},gw,3\n", days_from_now(0)));
    let told = s.run_as(2011, &["import", "DIR", "--source", "access-events", "--file", &more, "--commit", "--json"]).exits(0).json();
    assert_eq!((&told["new"], &told["unchanged"]), (&json!(1), &json!(2)), "{told}");
    let people = s.write("p.csv", "id,name,status,organization\nP-NEW1,New,civilian,local\n");
    s.run_as(2012, &["import", "DIR", "--source", "people", "--file", &people, "--commit"]).exits(4);
    // Who may not write a kind is not told what is there of it either.
    let creds = s.write("c.csv", "id,person,kind,issuer,subject\nc,P-BO01,piv,ca,x\n");
    for source in ["credentials", "recusals", "lists"] {
        s.run_as(2011, &["import", "DIR", "--source", source, "--file", &creds]).exits(4);
    }
    verifies(&s);
}

#[test]
fn an_os_user_credential_lets_nobody_act() {
    if !is_root("an_os_user_credential_lets_nobody_act") {
        return;
    }
    let s = Scene::new();
    load(&s, "people", "id|name|status|organization\nP-BO01|Bo|civilian|local", 0);
    load(&s, "credentials", "id|person|kind|issuer|subject\nc|P-BO01|os_user|this host|uid:2020", 0);
    assert!(s.run_as(2020, &["person", "show", "DIR"]).exits(4).err.contains("has no principal"));
}

#[test]
fn a_mapping_to_start_from() {
    let s = Scene::empty();
    for (source, _) in kinds() {
        let text = s.run(&["import", "print-mapping", source]).exits(0).out;
        assert!(text.contains("# required") && text.contains(&format!("name = \"{source}\"")), "{source}: {text}");
    }
    s.run(&["import", "print-mapping", "house-ptr"]).exits(2);
    let s = Scene::new();
    let mapping = s.run(&["import", "print-mapping", "people"]).exits(0).out;
    let mapping = mapping.replace("status = \"status\"", "status = \"Employment\"").replace("organization = \"organization\" ", "# ");
    let mapping = s.write("m.toml", mapping + "\n[constants]\norganization = \"local\"\n[words.status]\n\"GS\" = \"civilian\"\n");
    let file = s.write("p.csv", "id,name,Employment\nP-BO01,Bo Tester,GS\n");
    let told = import(&s, "people", &file, &["--mapping", &mapping, "--commit", "--json"]).exits(0).json();
    assert_eq!(told["new"], 1);
    import(&s, "issuers", &file, &["--mapping", &mapping]).exits(5);
    verifies(&s);
}

#[test]
fn the_public_files_load_as_they_are() {
    let s = Scene::new();
    let data = |name: &str| format!("{}/data/{name}", env!("CARGO_MANIFEST_DIR"));
    let load = |source: &str, file: &str, exit: i32| {
        let told = import(&s, source, &data(file), &["--commit", "--json"]).exits(exit).json();
        let accounting = &told["accounting"];
        let aside: u64 = accounting["quarantined"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        let n = |v: &Value| v.as_u64().unwrap();
        assert_eq!(
            n(&accounting["total"]),
            n(&accounting["loaded"]) + aside + n(&accounting["duplicates"]) + n(&accounting["elsewhere"]),
            "{source}"
        );
        (n(&told["new"]), n(&told["changed"]), n(&accounting["elsewhere"]), aside)
    };
    assert_eq!(load("sec-issuers", "issuers/sec_issuers.csv", 0), (7_992, 0, 2_373, 0));
    // One CIK of the index is not in the SEC's list; three have two lines.
    assert_eq!(load("sp500", "issuers/sp500_gics.csv", 6), (0, 499, 3, 1));
    assert_eq!(load("labs", "exposures/providers.csv", 0), (20, 0, 1, 0));
    assert_eq!(load("models-dev", "models/catalogue.csv", 0), (231, 0, 0, 0));
    assert_eq!(load("exposure-providers", "exposures/providers.csv", 0), (6, 0, 15, 0));
    assert_eq!(load("exposure-edges", "exposures/edges.csv", 0), (223, 0, 734, 0));
    let xai = s.json(&["exposure", "show", "DIR", "provider.xai.owned_by.issuer.cik-0001181412"])["history"][0].clone();
    assert_eq!((&xai["valid_from"], &xai["confirmed"]), (&json!("2026-02-02"), &json!(false)));
    let nvidia = s.json(&["issuer", "show", "DIR", "cik-0001045810"])["history"].clone();
    assert_eq!((&nvidia[0]["name"], &nvidia[0]["sub_industry"]), (&json!("NVIDIA CORP"), &json!("Semiconductors")));
    let again = import(&s, "sec-issuers", &data("issuers/sec_issuers.csv"), &["--commit"]).exits(0).out;
    assert!(again.contains("nothing changed"), "{again}");
    verifies(&s);
}
