//! A row of every kind that the ledger has a record for reads into that record.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use countersign_entry::ids::Date;
use countersign_entry::record::{
    AccessEvent, Credential, CredentialKind, Exposure, GrantRequest, HolderRelation, Issuer, List, ListItem, Model, Organization, Person,
    Provider, Recusal, Relationship, RelationshipKind,
};
use countersign_import::accounting::{Canonical, Reason};
use countersign_import::fields::{Fields, Kind, rules};
use countersign_import::mapping::{Mapping, records};
use countersign_import::table::{Format, read};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn import(kind: &str, row: &Value) -> Result<Fields, Reason> {
    let columns: serde_json::Map<String, Value> = row.as_object().unwrap().keys().map(|k| (k.clone(), json!(k))).collect();
    let mapping = json!({ "name": "t", "kind": kind, "date_form": "month_first", "columns": columns }).to_string();
    let table = read(format!("{row}\n").as_bytes(), &Format::Ndjson).unwrap();
    let mut imported = records(&table, &Mapping::from_json(&mapping).unwrap(), &Date::new("2026-06-30").unwrap()).unwrap();
    imported.rows.pop().map(|r| r.value).ok_or_else(|| imported.quarantined.pop().unwrap().reason)
}

fn record<T: DeserializeOwned>(kind: &str, row: Value, extra: &[(&str, Value)]) -> T {
    import(kind, &row).unwrap().record(None, extra).unwrap()
}

const NEW: &[(&str, Value)] = &[("supersedes", Value::Null)];

#[test]
fn rows_read_into_records() {
    let p: Person =
        record("person", json!({"id":"P-0001","name":"Ada Example","status":"Presidential appointee","organization":"bow"}), NEW);
    assert_eq!(p.name.as_str(), "Ada Example");
    let i: Issuer = record("issuer", json!({"id":"cik-1","name":"Lantern Mills","tickers":"QQZA; QQZB","cik":""}), NEW);
    assert_eq!((i.tickers.len(), i.cik), (2, None));
    let i: Issuer = record("issuer", json!({"id":"cik-1","name":"Lantern Mills","tickers":["QQZA"]}), NEW);
    assert_eq!(i.tickers.len(), 1);
    let old = json!({"id":"cik-1","name":"Lantern Mills","former_names":"Lantern Looms Inc|3/31/2024; Old Looms"});
    let i: Issuer = record("issuer", old, NEW);
    let names: Vec<_> = i.former_names.iter().map(|f| (f.name.as_str(), f.to.as_ref().map(|d| d.as_str()))).collect();
    assert_eq!(names, [("Lantern Looms Inc", Some("2024-03-31")), ("Old Looms", None)]);
    let m: Model = record("model", json!({"id":"lab/quartz-2","provider":"lab","name":"Quartz 2","open_weights":"no"}), NEW);
    assert_eq!((m.id.as_str(), m.open_weights), ("lab/quartz-2", Some(false)));
    let _: Provider = record("provider", json!({"id":"lab","name":"Lab"}), NEW);
    let e: Exposure = record(
        "exposure",
        json!({"id":"e1","from":"provider:lab","relation":"owned-by","to":"issuer:cik-1","tier":1,"valid_from":"2/1/2026","basis":"press","confirmed":"no"}),
        NEW,
    );
    assert_eq!((e.valid_from.unwrap().as_str(), e.valid_to, e.confirmed), ("2026-02-01", None, false));
    let r: Recusal =
        record("recusal", json!({"id":"r1","person":"P-0001","scope":"issuer:cik-1","from":"02/01/2026","ground":"spouse"}), NEW);
    assert_eq!(r.from.to_string(), "2026-02-01T00:00:00Z");
    let _: List = record("list", json!({"id":"l1","kind":"Watch","name":"w"}), NEW);
    let _: ListItem = record("list_item", json!({"id":"i1","list":"l1","subject":"provider:lab","from":"2026-02-01","reason":"x"}), NEW);
    let filled = [("reference", Value::Null), ("assessment", Value::Null), ("result", Value::Null)];
    let g: GrantRequest = record(
        "grant",
        json!({"person":"P-0001","submission":"S-0001","duty":"eval","needs_participation":"yes","expires_at":"2027-01-01T00:00:00Z"}),
        &filled,
    );
    assert!(g.needs_participation);
    let a: AccessEvent = record(
        "access_event",
        json!({"person":"P-0001","submission":"S-0001","grant":"7","action":"view","occurred_at":"2026-06-01","result":"success"}),
        &[("detail", json!({}))],
    );
    assert_eq!(a.grant.unwrap().0, 7);
    let told = [("supersedes", Value::Null), ("provenance", Value::Null)];
    let c: Credential = record("credential", json!({"id":"c1","person":"P-0001","kind":"PIV","issuer":"ca","subject":"s"}), &told);
    assert_eq!(c.kind, CredentialKind::Piv);
    let tie = json!({"id":"r1","person":"P-0001","kind":"Serves","relation":"Minor child","organization":"lab"});
    let r: Relationship = record("relationship", tie, &told);
    assert_eq!((r.kind, r.relation, r.issuer), (RelationshipKind::Serves, HolderRelation::MinorChild, None));
    let untied = json!({"id":"r1","person":"P-0001","kind":"serves","relation":"own","organization":""});
    assert_eq!(import("relationship", &untied).unwrap_err().code(), "missing");
    let o: Organization = record("organization", json!({"id":"bow","name":"Bureau of Weights","kind":"agency"}), NEW);
    assert_eq!(o.parent, None);
}

#[test]
fn what_a_file_does_not_ask_for_stays() {
    let current = json!({"id":"cik-1","name":"Lantern Mills","cik":"0000000042","tickers":["QQZA"],"sub_industry":"Mills"});
    let row = import("issuer", &json!({"id":"cik-1","name":"Lantern Works","cik":""})).unwrap();
    let i: Issuer = row.record(Some(&current), NEW).unwrap();
    assert_eq!((i.name.as_str(), i.cik, i.tickers.len(), i.sub_industry.unwrap().as_str()), ("Lantern Works", None, 1, "Mills"));
}

#[test]
fn kinds_without_a_record_yet() {
    let m = import("model", &json!({"id":"lab/one-x","provider":"lab","name":"One X","open_weights":false})).unwrap();
    assert_eq!((m.key().as_str(), m.value("open_weights")), ("lab/one-x", Some(&json!(false))));
}

#[test]
fn each_field_refuses_what_it_cannot_hold() {
    let bad = |kind: &str, row: Value| import(kind, &row).unwrap_err().code();
    let exposure = |key: &str, value: &str| {
        let mut row = json!({"id":"e1","from":"provider:lab","relation":"is","to":"issuer:cik-1","tier":"1","basis":"press","confirmed":"no","valid_to":""});
        row[key] = json!(value);
        row
    };
    assert!(import("exposure", &exposure("tier", "2")).is_ok());
    for (key, value) in [("tier", "4"), ("from", "lab"), ("relation", "likes"), ("confirmed", "maybe"), ("to", "two words"), ("id", "../x")]
    {
        assert_eq!(bad("exposure", exposure(key, value)), "bad_field", "{key}");
    }
    assert_eq!(bad("exposure", exposure("valid_to", "1/33/2026")), "bad_date");
    assert_eq!(bad("exposure", exposure("tier", "")), "missing");
    let event = |at: &str| json!({"person":"P-0001","submission":"S-0001","action":"view","occurred_at":at});
    assert_eq!(bad("access_event", event("2026-06-01T10:00:00")), "bad_field", "a time without its offset is no moment");
    assert_eq!(bad("access_event", event("33/33/2026")), "bad_date");
    assert_eq!(bad("issuer", json!({"id":"x","name":"n","tickers":"[1"})), "bad_field");
    assert_eq!(bad("issuer", json!({"id":"x","name":"flip\u{202e}ped"})), "bad_field");
}

#[test]
fn every_kind_has_rules() {
    for kind in Kind::ALL.iter().copied() {
        let names: Vec<_> = rules(kind).iter().map(|r| r.name).collect();
        assert!(names.len() >= 2 && names.iter().all(|n| names.iter().filter(|m| m == &n).count() == 1));
    }
}
