//! Public files under our own names: every row accounted for, ids that stay, days that are the last and not the one after.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use countersign_entry::ids::Date;
use countersign_entry::record::{Basis, Exposure, Issuer, Model, Relation};
use countersign_import::accounting::Imported;
use countersign_import::fields::Fields;
use countersign_import::mapping::{MappingError, records};
use countersign_import::public::{EXPOSURE_EDGES, EXPOSURE_PROVIDERS, LABS, MODELS_DEV, Public, SEC_ISSUERS, SP500};
use countersign_import::quarantine;
use countersign_import::table::{Format, read};
use serde_json::{Value, json};

const NEW: &[(&str, Value)] = &[("supersedes", Value::Null)];

fn import(public: Public, csv: &str) -> (Imported<Fields>, u64) {
    let table = read(csv.as_bytes(), &Format::CSV).unwrap();
    let renamed = public.rename(&table).unwrap();
    let imported = records(&renamed.table, &public.mapping("t"), &Date::new("2026-06-30").unwrap()).unwrap();
    let r = &imported.report;
    let sum = r.loaded + r.duplicates + r.quarantined.values().sum::<u64>() + renamed.elsewhere;
    assert_eq!(sum, table.rows.len() as u64);
    (imported, renamed.elsewhere)
}

#[test]
fn rows_of_one_registrant_are_one_issuer() {
    let csv = "cik,ticker,exchange,name\n0000000042,QQZA,X,Lantern Mills\n43,HKT,X,Harbour\n0000000042,QQZB,X,Lantern Mills\n,ZZZ,X,Nobody\n44,,X,\n";
    let (imported, elsewhere) = import(SEC_ISSUERS, csv);
    assert_eq!((imported.rows.len(), elsewhere, imported.quarantined.len()), (2, 1, 2));
    let issuer: Issuer = imported.rows[0].value.record(None, NEW).unwrap();
    assert_eq!((issuer.id.as_str(), issuer.cik.unwrap().as_str()), ("cik-0000000042", "0000000042"));
    assert_eq!(issuer.tickers.iter().map(|t| t.as_str()).collect::<Vec<_>>(), ["QQZA", "QQZB"]);
    assert_eq!((imported.rows[1].number, imported.quarantined[0].number), (3, 5), "rows keep their numbers");
    // Rows put aside are under our names, and come back as they are.
    let aside = String::from_utf8(quarantine::write(&imported).unwrap()).unwrap();
    let fixed = aside.replace("Nobody,,", "Nobody,45,").replacen("\r\n,Nobody", "\r\ncik-0000000045,Nobody", 1);
    let back = SEC_ISSUERS.rename(&quarantine::read_back(fixed.as_bytes()).unwrap()).unwrap();
    let back = records(&back.table, &SEC_ISSUERS.mapping("t"), &Date::new("2026-06-30").unwrap()).unwrap();
    assert_eq!((back.rows.len(), back.quarantined.len()), (1, 1), "{fixed}");
}

#[test]
fn an_index_adds_its_industries_and_nothing_else() {
    let csv = "Symbol,Security,GICS Sub-Industry,CIK\nQQZA,Lantern,Textiles,42\nQQZB,Lantern B,Textiles,42\n";
    let (imported, elsewhere) = import(SP500, csv);
    assert_eq!((imported.rows.len(), elsewhere), (1, 1));
    let row = &imported.rows[0].value;
    assert!(row.only_updates() && row.record::<Issuer>(None, NEW).is_err());
    let current = json!({"id":"cik-0000000042","name":"Lantern Mills","cik":null,"tickers":["QQZA"],"former_names":[],"sub_industry":null});
    let issuer: Issuer = row.record(Some(&current), NEW).unwrap();
    assert_eq!((issuer.name.as_str(), issuer.sub_industry.unwrap().as_str(), issuer.tickers.len()), ("Lantern Mills", "Textiles", 1));
}

#[test]
fn models_whose_month_alone_is_known_have_no_day() {
    let csv = "model_id,lab,name,family,release_date,open_weights\nlab/one,lab,One,o,2025-07,true\nlab/two,lab,Two,,2025-07-28,false\n";
    let (imported, _) = import(MODELS_DEV, csv);
    let models: Vec<Model> = imported.rows.iter().map(|r| r.value.record(None, NEW).unwrap()).collect();
    let day = |m: &Model| m.released_on.as_ref().map(|d| d.as_str().to_owned());
    assert_eq!((day(&models[0]), models[0].open_weights, day(&models[1])), (None, Some(true), Some("2025-07-28".into())));
}

const OWNERS: &str = "provider_id,name,status,cik,valid_from,valid_to,basis,evidence\n\
                      lab,Lab,private,,,2026-02-02,press,\n\
                      lab,Lab (now of Lantern),listed_parent,42,2026-02-02,2026-03-01,press + SEC ticker list,x\n\
                      mill,Mill,listed,43,,,public filing,share unconfirmed\n";

#[test]
fn a_labs_owner_is_an_edge_with_its_last_day() {
    let (imported, elsewhere) = import(EXPOSURE_PROVIDERS, OWNERS);
    assert_eq!(elsewhere, 1, "a lab without a CIK");
    let edges: Vec<Exposure> = imported.rows.iter().map(|r| r.value.record(None, NEW).unwrap()).collect();
    assert_eq!(edges[0].id.as_str(), "provider.lab.owned_by.issuer.cik-0000000042");
    assert_eq!(
        (edges[0].valid_to.as_ref().unwrap().as_str(), edges[0].basis, edges[0].confirmed),
        ("2026-02-28", Basis::PublicFiling, true)
    );
    assert_eq!((edges[1].relation, edges[1].valid_to.clone(), edges[1].confirmed), (Relation::Is, None, false));
    let (labs, elsewhere) = import(LABS, OWNERS);
    assert_eq!((labs.rows.len(), elsewhere), (2, 1));
    assert_eq!(labs.rows[0].value.value("name"), Some(&json!("Lab")));
}

#[test]
fn edges_get_their_tier_and_unknown_relations_are_told() {
    let csv = "from,relation,to,to_cik,valid_from,valid_to,basis,evidence\n\
               provider:lab,buys_from,issuer:LNT,42,2025-01-01,,press,\n\
               model:lab/one,served_by,host:cloud,,,,models.dev base_model,\n\
               issuer:LNT,in_sector,gics:Textiles,42,,,index,\n\
               provider:lab,likes,issuer:LNT,42,,,press,\n";
    let (imported, elsewhere) = import(EXPOSURE_EDGES, csv);
    assert_eq!((imported.rows.len(), elsewhere, imported.quarantined.len()), (2, 1, 1));
    let edges: Vec<Exposure> = imported.rows.iter().map(|r| r.value.record(None, NEW).unwrap()).collect();
    assert_eq!(
        (edges[0].relation, u8::from(edges[0].tier), String::from(edges[0].to.clone()).as_str()),
        (Relation::Supplier, 2, "issuer:cik-0000000042")
    );
    assert_eq!((edges[1].id.as_str(), edges[1].basis), ("model.lab.one.served_by.host.cloud", Basis::Computed));
    assert_eq!(imported.quarantined[0].reason.code(), "bad_field");
    let table = read(b"from,relation\na,b\n", &Format::CSV).unwrap();
    assert_eq!(EXPOSURE_EDGES.rename(&table).unwrap_err(), MappingError::NoColumn("to".into()));
}
