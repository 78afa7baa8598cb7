//! No row escapes: on any mixture of dirt the sum holds, repeats are found as a slow oracle finds them, and a quarantine file loses nothing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use countersign_entry::ids::Date;
use countersign_import::accounting::{Canonical, Imported, Reason};
use countersign_import::diff::{Diff, compare};
use countersign_import::importers::house_ptr;
use countersign_import::mapping::{Mapping, MappingError, holdings, records, trades};
use countersign_import::quarantine;
use countersign_import::table::{Format, Table, read};
use countersign_import::trade::Trade;
use proptest::prelude::*;

const HEADER: [&str; 10] =
    ["transaction_date", "disclosure_date", "ticker", "asset_description", "asset_type", "type", "amount", "filer", "owner", "filing_id"];

fn received() -> Date {
    Date::new("2026-06-30").unwrap()
}

fn preview<T: Canonical>(existing: &BTreeMap<String, Vec<u8>>, imported: &Imported<T>) -> Diff {
    compare(existing, imported.rows.iter().map(|row| (row.number, row.value.key(), row.value.canonical())))
}

/// Rows from few values, so that repeats and every fault turn up.
fn row() -> impl Strategy<Value = Vec<String>> {
    let one_of = |list: &'static [&'static str]| proptest::sample::select(list).prop_map(str::to_owned);
    (
        one_of(&["04/14/2026", "4/14/2026", "2026-04-14", "1/33/2026", ""]),
        one_of(&["05/14/2026", "", "05/14/2262"]),
        one_of(&["QQZA", "", "--", "=1"]),
        one_of(&["Lantern Mills", " Lantern\n Mills", "", "@x"]),
        one_of(&["Stock"]),
        one_of(&["Sale", "sale", "Gift", ""]),
        one_of(&["$1,001 - $15,000", "$1,001 -\n$15,000", "$1,001 -", "-", "?"]),
        one_of(&["X-1", "X-1", ""]),
        one_of(&["Self", "self", "Spouse"]),
        one_of(&["G-1"]),
    )
        .prop_map(|(a, b, c, d, e, f, g, h, i, j)| vec![a, b, c, d, e, f, g, h, i, j])
}

fn table(rows: &[Vec<String>]) -> Table {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    writer.write_record(HEADER).unwrap();
    for row in rows {
        writer.write_record(row).unwrap();
    }
    read(&writer.into_inner().unwrap(), &Format::CSV).unwrap()
}

fn import(table: &Table) -> Imported<Trade> {
    house_ptr(table, &received()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_row_is_accounted_for(mut rows in proptest::collection::vec(row(), 0..40), cut in 0usize..12, at in 0usize..40) {
        if let Some(ragged) = rows.get_mut(at) {
            ragged.resize(cut + 1, "x".to_owned());
        }
        let file = table(&rows);
        let imported = import(&file);
        let r = &imported.report;
        prop_assert_eq!(r.total, rows.len() as u64);
        prop_assert_eq!(r.total, r.loaded + r.duplicates + r.quarantined.values().sum::<u64>());
        prop_assert_eq!((r.loaded, r.duplicates), (imported.rows.len() as u64, imported.duplicates.len() as u64));
        let mut numbers: Vec<u64> = imported.rows.iter().map(|x| x.number)
            .chain(imported.quarantined.iter().map(|x| x.number))
            .chain(imported.duplicates.iter().map(|x| x.number)).collect();
        numbers.sort_unstable();
        prop_assert_eq!(numbers, file.rows.iter().map(|x| x.number).collect::<Vec<_>>());

        // Each row alone says what it is worth by itself; among those that load, a repeat is one equal to an earlier one.
        let alone: Vec<Option<Trade>> = file.rows.iter()
            .map(|row| import(&Table { rows: vec![row.clone()], ..file.clone() }).rows.pop().map(|r| r.value)).collect();
        let repeats = (0..alone.len()).filter(|n| alone[*n].is_some() && alone[..*n].contains(&alone[*n])).count();
        prop_assert_eq!(repeats as u64, r.duplicates);

        // What is quarantined comes back cell by cell and is refused for the same reasons.
        let back = quarantine::read_back(&quarantine::write(&imported).unwrap()).unwrap();
        let padded = |cells: &[String]| (0..HEADER.len()).map(|n| cells.get(n).cloned().unwrap_or_default()).collect::<Vec<_>>();
        prop_assert_eq!(back.rows.iter().map(|x| x.cells.clone()).collect::<Vec<_>>(), imported.quarantined.iter().map(|q| if matches!(q.reason, Reason::Unreadable(_)) { padded(&[]) } else { padded(&q.cells) }).collect::<Vec<_>>());

        prop_assert!(import(&back).rows.is_empty(), "nothing uncorrected comes in by the back door");

        // The same file twice changes nothing.
        let there: BTreeMap<_, _> = imported.rows.iter().map(|x| (x.value.key(), x.value.canonical())).collect();
        let second = preview(&there, &import(&file));
        prop_assert!(second.changes_nothing() && second.absent.is_empty() && second.unchanged.len() == there.len());
    }
}

#[test]
fn columns_named_like_ours_are_kept_apart() {
    let file = read(b"id,list,subject,from,reason,row,raw\n!,l-1,issuer:x,2026-01-01,=because,9,r\n", &Format::CSV).unwrap();
    let mapping =
        r#"{"name":"l","kind":"list_item","columns":{"id":"id","list":"list","subject":"subject","from":"from","reason":"reason"}}"#;
    let mapping = Mapping::from_json(mapping).unwrap();
    let imported = records(&file, &mapping, &received()).unwrap();
    let out = quarantine::write(&imported).unwrap();
    assert!(
        String::from_utf8_lossy(&out)
            .starts_with("id,list,subject,from,reason,row,raw,quarantine_row,quarantine_reason,quarantine_raw\r\n")
    );
    let fixed = String::from_utf8(out).unwrap().replacen("!,", "i-1,", 1);
    let again = records(&quarantine::read_back(fixed.as_bytes()).unwrap(), &mapping, &received()).unwrap();
    assert_eq!(again.rows[0].value.value("reason").unwrap(), "=because");
    assert!(quarantine::read_back(b"a,b\n1,2\n").is_err());
}

#[test]
fn mappings_that_do_not_fit_are_refused() {
    let json = |text: &str| Mapping::from_json(text);
    let unknown = json(r#"{"name":"m","kind":"provider","columns":{"id":"a","nmae":"b"}}"#);
    assert!(matches!(unknown, Err(MappingError::UnknownField { field, .. }) if field == "nmae"));
    assert!(matches!(json(r#"{"name":"m","kind":"provider","columns":{"id":"a"},"constants":{"id":"b"}}"#), Err(MappingError::Twice(_))));
    assert!(matches!(json(r#"{"name":"m","kind":"provider","cols":{}}"#), Err(MappingError::Syntax(_))));
    assert!(matches!(Mapping::from_toml("name = 1"), Err(MappingError::Syntax(_))));
    let file = read(b"a,b\n1,2\n", &Format::CSV).unwrap();
    let provider = json(r#"{"name":"m","kind":"provider","columns":{"id":"a","name":"c"}}"#).unwrap();
    assert_eq!(records(&file, &provider, &received()), Err(MappingError::NoColumn("name".into())));
    assert!(matches!(trades(&file, &provider, &received()), Err(MappingError::OtherKind(_))));
    let trade = json(r#"{"name":"m","kind":"trade","columns":{"filer":"a","asset":"b"}}"#).unwrap();
    assert_eq!(trades(&file, &trade, &received()), Err(MappingError::NoColumn("traded_on".into())));
    assert!(matches!(records(&file, &trade, &received()), Err(MappingError::OtherKind(_))));
    assert_eq!(house_ptr(&file, &received()), Err(MappingError::NoColumn("filer".into())));
}

#[test]
fn holdings_by_a_mapping() {
    let toml = "name = \"h\"\nkind = \"holding\"\ndate_form = \"day_first\"\n[columns]\nfiler = \"who\"\nasset = \"what\"\namount = \"worth\"\nas_of = \"day\"\n[constants]\nholder = \"spouse\"\n";
    let file = read(b"who,what,worth,day\nX-1,Lantern Mills,15001-50000,31/12/2025\nX-1,Slate,,12/31/2025\n", &Format::CSV).unwrap();
    let imported = holdings(&file, &Mapping::from_toml(toml).unwrap(), &received()).unwrap();
    assert_eq!((imported.rows[0].value.as_of.as_ref().unwrap().as_str(), imported.quarantined[0].number), ("2025-12-31", 3));
    assert_eq!(serde_json::to_value(imported.rows[0].value.holder).unwrap(), "spouse");
}
