//! Every trap has a synthetic row and a stated outcome: `NAME.expected.csv` says for each row of `NAME` what becomes of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use countersign_entry::ids::Date;
use countersign_import::accounting::{Canonical, Imported};
use countersign_import::diff::compare;
use countersign_import::importers::{house_ptr, oge278e, oge278t, senate_format, senate_ptr};
use countersign_import::mapping::{Mapping, records};
use countersign_import::quarantine;
use countersign_import::table::{Format, Table, read};
use serde_json::Value;

type Outcomes = BTreeMap<u64, (String, String)>;

fn file(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/imports").join(name)).unwrap()
}

fn received() -> Date {
    Date::new("2026-06-30").unwrap()
}

fn expected(name: &str) -> Outcomes {
    let table = read(&file(&format!("{name}.expected.csv")), &Format::CSV).unwrap();
    table.rows.into_iter().map(|row| (row.cells[0].parse().unwrap(), (row.cells[1].clone(), row.cells[2].clone()))).collect()
}

fn outcomes<T>(imported: &Imported<T>) -> Outcomes {
    let flags =
        |flags: &[_]| flags.iter().map(|f| serde_json::to_value(f).unwrap().as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ");
    let loaded = imported.rows.iter().map(|row| (row.number, ("loaded".to_owned(), flags(&row.flags))));
    let refused = imported.quarantined.iter().map(|row| (row.number, ("quarantined".to_owned(), row.reason.code().to_owned())));
    let repeats = imported.duplicates.iter().map(|row| (row.number, ("duplicate".to_owned(), row.of.to_string())));
    loaded.chain(refused).chain(repeats).collect()
}

fn holds<T: Canonical>(name: &str, table: &Table, import: impl Fn(&Table) -> Imported<T>) -> Imported<T> {
    let imported = import(table);
    assert_eq!(outcomes(&imported), expected(name), "{name}");
    let r = &imported.report;
    assert_eq!(r.total, r.loaded + r.quarantined.values().sum::<u64>() + r.duplicates);
    let again = import(&quarantine::read_back(&quarantine::write(&imported).unwrap()).unwrap());
    let reasons = |i: &Imported<T>| i.quarantined.iter().map(|q| q.reason.code()).collect::<Vec<_>>();
    assert_eq!((again.rows.len(), reasons(&again).len()), (0, reasons(&imported).len()), "{name}: uncorrected rows stay out");
    imported
}

#[test]
fn house() {
    let bytes = file("house.json");
    let table = read(&bytes, &Format::recognise(&bytes)).unwrap();
    let imported = holds("house", &table, |t| house_ptr(t, &received()).unwrap());
    // Raw text is the file's own.
    assert!(imported.rows.iter().all(|row| String::from_utf8_lossy(&bytes).contains(&row.raw)));
    // The quarantine file is what a spreadsheet program opens.
    let out = String::from_utf8(quarantine::write(&imported).unwrap()).unwrap();
    assert!(out.contains("'@SUM(A1)") && out.contains("'=1+1") && out.contains("'+many"));
    assert!(!out.lines().any(|line| line.starts_with(['=', '+', '-', '@'])));
}

#[test]
fn a_corrected_quarantine_file_loads() {
    let table = read(&file("house.json"), &Format::Json).unwrap();
    let first = house_ptr(&table, &received()).unwrap();
    let mut lines = String::from_utf8(quarantine::write(&first).unwrap()).unwrap();
    for (wrong, right) in [("04/19/2202", "04/19/2022"), ("about ten thousand", "10000"), ("Gift", "Sale"), ("'+many", "5000")] {
        assert!(lines.contains(wrong));
        // The reason column tells the wrong text too; it is not read.
        lines = lines.replace(wrong, right);
    }
    let second = house_ptr(&quarantine::read_back(lines.as_bytes()).unwrap(), &received()).unwrap();
    assert_eq!(second.rows.len(), 4);
    let formula = second.rows.iter().find(|row| row.value.asset.text == "=1+1").unwrap();
    assert_eq!((formula.value.asset.ticker.as_deref(), formula.value.amount.unwrap().lo), (Some("@SUM(A1)"), 5_000));
    assert_eq!(second.report.total, first.quarantined.len() as u64);
}

#[test]
fn senate() {
    let table = read(&file("senate.json"), &senate_format()).unwrap();
    let imported = holds("senate", &table, |t| senate_ptr(t, &received()).unwrap());
    assert_eq!(imported.report.empty_filings, 2);
    let leg = |n: usize| (imported.rows[n].value.asset.clone(), imported.rows[n].value.received.clone());
    let (given, got) = leg(2);
    assert_eq!((given.ticker.as_deref(), given.text.as_str()), (Some("QQZA"), "Lantern Mills, Inc."));
    assert_eq!(got.map(|g| (g.ticker, g.text)), Some((Some("QQZB".into()), "Harbour &amp; Kettle plc".into())));
    let (given, got) = leg(3);
    assert_eq!((given.ticker, got.unwrap().ticker.as_deref()), (None, Some("QQZB")));
    assert_eq!(
        leg(4),
        (countersign_import::trade::Leg { ticker: Some("QQZA QQZB".into()), text: "Lantern Mills and Harbour Kettle".into() }, None)
    );
}

#[test]
fn oge() {
    let bytes = file("278t.csv");
    holds("278t", &read(&bytes, &Format::recognise(&bytes)).unwrap(), |t| oge278t(t, &received()).unwrap());
    let bytes = file("278e.csv");
    let imported = holds("278e", &read(&bytes, &Format::recognise(&bytes)).unwrap(), |t| oge278e(t, &received()).unwrap());
    assert!(imported.quarantined.last().unwrap().raw.contains("Swallowed"), "what an unclosed quote swallowed is in the quarantine");
}

#[test]
fn people_by_a_mapping_in_toml() {
    let table = read(&file("people.csv"), &Format::CSV).unwrap();
    let mapping = Mapping::from_toml(std::str::from_utf8(&file("people.mapping.toml")).unwrap()).unwrap();
    let imported = holds("people", &table, |t| records(t, &mapping, &received()).unwrap());
    assert_eq!(imported.report.ignored_columns, ["Started"]);
    // One person under two names is for somebody to decide.
    let preview = compare(&BTreeMap::new(), imported.rows.iter().map(|r| (r.number, r.value.key(), r.value.canonical())));
    assert_eq!((preview.new.as_slice(), preview.conflicting[0].rows.as_slice()), (&[3][..], &[2, 8][..]));
    let person: countersign_entry::record::Person = imported.rows[1].value.record(None, &[("supersedes", Value::Null)]).unwrap();
    assert_eq!((person.id.as_str(), person.organization.as_str()), ("P-0002", "bureau-of-weights"));
}

#[test]
fn events_by_a_mapping_in_json() {
    let bytes = file("events.ndjson");
    let table = read(&bytes, &Format::recognise(&bytes)).unwrap();
    let mapping = Mapping::from_json(std::str::from_utf8(&file("events.mapping.json")).unwrap()).unwrap();
    let imported = holds("events", &table, |t| records(t, &mapping, &received()).unwrap());
    assert_eq!(imported.rows[0].value.key(), "gateway-1/e1");
    let at = |n: usize| imported.rows[n].value.value("occurred_at").unwrap().as_u64();
    assert_eq!(at(0), at(1), "10:00Z and 12:00+02:00 are one moment");
    let extra = [("detail", serde_json::json!({}))];
    let event: countersign_entry::record::AccessEvent = imported.rows[0].value.record(None, &extra).unwrap();
    assert_eq!(event.source_id.unwrap().as_str(), "e1");
}
