//! The record types people keep: how each is listed, read from fields and shown.

use countersign_conflict::{Facts, Known};
use countersign_entry::record::{
    Agreement, Exposure, Filer, Issuer, List, ListItem, Model, Organization, Person, Principal, Provider, Record, Recusal, Submission,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One record type.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The word on the command line.
    pub(crate) noun: &'static str,
    /// Prefix of a made-up id; none where people choose the id.
    pub(crate) id_prefix: Option<&'static str>,
    /// All of the type, in their newest form.
    pub(crate) all: fn(&Facts) -> Vec<Known<Record>>,
    /// A record out of its fields.
    pub(crate) parse: fn(Value) -> serde_json::Result<Record>,
    /// Columns of a table beside id and entry: paths into the record's JSON.
    pub(crate) columns: &'static [&'static str],
}

macro_rules! kinds {
    ($($name:ident: $type:ident = $noun:literal, $prefix:expr, $all:ident, [$($column:literal),*];)*) => {
        $(pub(crate) const $name: Kind = Kind {
            noun: $noun,
            id_prefix: $prefix,
            all: |facts| facts.$all().map(lift).collect(),
            parse: parse::<$type>,
            columns: &[$($column),*],
        };)*
    };
}

kinds! {
    ORGANIZATION: Organization = "org", None, organizations, ["name", "kind", "parent", "ethics_office"];
    PERSON: Person = "person", Some("P-"), persons, ["name", "status", "organization"];
    PRINCIPAL: Principal = "principal", Some("pr-"), principals, ["person", "roles", "os_user", "disabled"];
    PROVIDER: Provider = "provider", None, providers, ["name"];
    MODEL: Model = "model", None, models, ["provider", "name", "released_on", "open_weights"];
    ISSUER: Issuer = "issuer", None, issuers, ["name", "cik", "tickers", "sub_industry"];
    EXPOSURE: Exposure = "exposure", Some("X-"), exposures, ["from", "relation", "to", "tier", "confirmed", "basis", "valid_from", "valid_to"];
    SUBMISSION: Submission = "submission", Some("S-"), submissions,
        ["title", "provider", "status", "window/opens_at", "window/closes_at", "public_release_at", "marking/level"];
    AGREEMENT: Agreement = "agreement", Some("A-"), agreements, ["person", "kind", "submission", "version", "signed_at", "expires_at"];
    RECUSAL: Recusal = "recusal", Some("RC-"), recusals, ["person", "scope", "from", "until", "ground"];
    FILER: Filer = "filer", Some("F-"), filers, ["person", "report", "from", "until"];
    LIST: List = "list", Some("L-"), lists, ["kind", "name", "authority", "binds"];
    LIST_ITEM: ListItem = "list-item", Some("LI-"), items, ["list", "subject", "from", "until", "reason"];
}

fn lift<T: Clone + Into<Record>>(known: &Known<T>) -> Known<Record> {
    Known { index: known.index, at: known.at, record: known.record.clone().into() }
}

fn parse<T: DeserializeOwned + Into<Record>>(fields: Value) -> serde_json::Result<Record> {
    serde_json::from_value::<T>(fields).map(Into::into)
}
