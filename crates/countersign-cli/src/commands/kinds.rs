//! The record types people keep: how each is listed, read from fields, shown, and who may see it.

use countersign_conflict::{Facts, Known};
use countersign_entry::record::{
    Agreement, Credential, Exposure, Issuer, List, ListItem, ListKind, Model, Organization, Person, Principal, Provider, Record, Recusal,
    Relationship, Submission,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::actor::Actor;
use crate::words::times_as_text;

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
    CREDENTIAL: Credential = "credential", None, credentials, ["person", "kind", "issuer", "subject", "valid_from", "valid_to"];
    PROVIDER: Provider = "provider", None, providers, ["name"];
    MODEL: Model = "model", None, models, ["provider", "name", "released_on", "open_weights"];
    ISSUER: Issuer = "issuer", None, issuers, ["name", "cik", "tickers", "sub_industry"];
    EXPOSURE: Exposure = "exposure", Some("X-"), exposures, ["from", "relation", "to", "tier", "confirmed", "basis", "valid_from", "valid_to"];
    SUBMISSION: Submission = "submission", Some("S-"), submissions,
        ["title", "provider", "status", "window/opens_at", "window/closes_at", "public_release_at", "marking/level"];
    AGREEMENT: Agreement = "agreement", Some("A-"), agreements, ["person", "kind", "submission", "version", "signed_at", "expires_at"];
    RECUSAL: Recusal = "recusal", Some("RC-"), recusals, ["person", "scope", "from", "until", "ground"];
    RELATIONSHIP: Relationship = "relationship", None, relationships,
        ["person", "kind", "relation", "issuer", "organization", "from", "until"];
    LIST: List = "list", Some("L-"), lists, ["kind", "name", "authority"];
    LIST_ITEM: ListItem = "list-item", Some("LI-"), items, ["list", "subject", "from", "until", "reason"];
}

fn lift<T: Clone + Into<Record>>(known: &Known<T>) -> Known<Record> {
    Known { index: known.index, at: known.at, record: known.record.clone().into() }
}

fn parse<T: DeserializeOwned + Into<Record>>(fields: Value) -> serde_json::Result<Record> {
    serde_json::from_value::<T>(fields).map(Into::into)
}

struct Human<'a>(&'a Record);

impl Serialize for Human<'_> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.to_human(s)
    }
}

/// A record as JSON, times as microseconds.
pub(crate) fn fields_of(record: &Record) -> Value {
    serde_json::to_value(Human(record)).unwrap_or_default()
}

/// A record as the actor may see it: `None` where they may not know of it, the ground of a recusal left out for others than the ethics role.
pub(crate) fn visible(actor: &Actor, facts: &Facts, record: &Record) -> Option<Value> {
    let hidden = match record {
        Record::List(l) => l.kind == ListKind::Watch,
        Record::ListItem(i) => facts.list(&i.list).is_none_or(|l| l.record.kind == ListKind::Watch),
        _ => false,
    };
    if hidden && !actor.is_ethics() {
        return None;
    }
    let mut fields = fields_of(record);
    if let (Record::Recusal(_), false, Value::Object(fields)) = (record, actor.is_ethics(), &mut fields) {
        fields.remove("ground");
    }
    times_as_text(&mut fields);
    Some(fields)
}
