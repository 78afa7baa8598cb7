//! From a file's rows to records of every kind but trades and holdings: what is new, what changes a record that is there, and whether everything
//! a row refers to is recorded or stands in a usable row of the file.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use countersign_api::view::fields_of;
use countersign_conflict::{Facts, Known, roles};
use countersign_entry::ids::LeafIndex;
use countersign_entry::record::{
    AccessEvent, Credential, Exposure, GrantRequest, Issuer, List, ListItem, Model, Organization, Person, Provider, Record, Recusal,
    Relationship,
};
use countersign_import::accounting::{Imported, Reason, Row};
use countersign_import::diff::compare;
use countersign_import::fields::{Fields, Kind};
use countersign_import::table::Table;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::plan::{Aside, Plan, Planned, Standing, check, importer_line, provenance, repeat};
use crate::{Asker, IntakeError, Progress};

/// Makes the plan of an import.
pub fn plan(mut imported: Imported<Fields>, table: &Table, asker: Asker<'_>, told: Progress<'_>) -> Result<Plan, IntakeError> {
    let aside = Aside::new(table);
    let Some(kind) = imported.rows.first().map(|row| row.value.kind()) else { return Plan::of(imported, Vec::new(), 0) };
    let there = there(kind, asker, told)?;
    let drafts = drafts(&mut imported, &there, &aside, told)?;
    if let Some(first) = drafts.first().filter(|d| !roles::may_record(asker.roles, &d.record)) {
        let (actor, what) = (asker.actor, first.record.type_name());
        return Err(IntakeError::Denied(format!("principal {actor} has no role that may record {what}")));
    }
    let (drafts, absent) = stand(drafts, &there, &mut imported, &aside);
    // An event or a request that a file does not name is nothing to tell of.
    let absent = if matches!(kind, Kind::AccessEvent | Kind::Grant) { 0 } else { absent };
    let rows = admit(drafts, kind, asker, &mut imported, &aside, told)?;
    Plan::of(imported, rows, absent)
}

/// The records of a kind as they stand, by identity.
type There = BTreeMap<String, (LeafIndex, Value)>;

fn there(kind: Kind, asker: Asker<'_>, told: Progress<'_>) -> Result<There, IntakeError> {
    let facts = asker.ledger.facts();
    let all: Vec<Known<Record>> = match kind {
        Kind::Organization => facts.organizations().map(lift).collect(),
        Kind::Person => facts.persons().map(lift).collect(),
        Kind::Credential => facts.credentials().map(lift).collect(),
        Kind::Issuer => facts.issuers().map(lift).collect(),
        Kind::Provider => facts.providers().map(lift).collect(),
        Kind::Exposure => facts.exposures().map(lift).collect(),
        Kind::Relationship => facts.relationships().map(lift).collect(),
        Kind::Recusal => facts.recusals().map(lift).collect(),
        Kind::List => facts.lists().map(lift).collect(),
        Kind::ListItem => facts.items().map(lift).collect(),
        Kind::Grant => facts.grants().map(|(index, g)| Known { index, at: g.at, record: g.request.clone().into() }).collect(),
        Kind::AccessEvent => return accesses(asker, told),
        Kind::Model => facts.models().map(lift).collect(),
        Kind::Trade | Kind::Holding => Vec::new(),
    };
    Ok(all.into_iter().map(|k| (identity(&k.record), (k.index, said(&k.record)))).collect())
}

fn lift<T: Clone + Into<Record>>(known: &Known<T>) -> Known<Record> {
    Known { index: known.index, at: known.at, record: known.record.clone().into() }
}

/// Every access, out of the entries themselves: no fact keeps them.
fn accesses(asker: Asker<'_>, told: Progress<'_>) -> Result<There, IntakeError> {
    let (facts, size) = (asker.ledger.facts(), asker.ledger.size());
    let mut there = There::new();
    for index in (0..size).map(LeafIndex) {
        told("reading accesses", index.0 + 1, size);
        if facts.is_access(index) {
            let record = asker.entry(index)?;
            there.insert(identity(&record), (index, said(&record)));
        }
    }
    Ok(there)
}

/// What tells a record from others of its type: its id; what its source calls it; else all it says, since nothing else tells two apart.
pub fn identity(record: &Record) -> String {
    let of_source = match record {
        Record::AccessEvent(e) => e.source.as_ref().zip(e.source_id.as_ref()).map(|(source, id)| format!("{source}/{id}")),
        _ => None,
    };
    let digest = || hex::encode(Sha256::digest(said(record).to_string()));
    record.entity().map(str::to_owned).or(of_source).unwrap_or_else(digest)
}

/// What a record says, apart from where it is from, whose place it takes and what the ledger made of it.
pub fn said(record: &Record) -> Value {
    let mut record = record.clone();
    record.clear_outcome();
    let mut said = fields_of(&record);
    if let Value::Object(fields) = &mut said {
        fields.retain(|name, _| !matches!(name.as_str(), "supersedes" | "provenance"));
    }
    said
}

/// A row as the record it would become.
struct Draft {
    row: Row<Fields>,
    record: Record,
    identity: String,
    standing: Standing,
}

fn drafts(imported: &mut Imported<Fields>, there: &There, aside: &Aside<'_>, told: Progress<'_>) -> Result<Vec<Draft>, IntakeError> {
    let importer = importer_line(&imported.source)?;
    let rows = std::mem::take(&mut imported.rows);
    let of = rows.len() as u64;
    let mut drafts = Vec::with_capacity(rows.len());
    for (done, row) in (1..).zip(rows) {
        told("reading", done, of);
        let current = row.value.value("id").and_then(Value::as_str).and_then(|id| there.get(id));
        let made = provenance(&row, &importer, &imported.source).and_then(|p| record(&row, current, &json!(p)));
        match made {
            Err(reason) => aside.put(imported, row, reason),
            Ok(mut record) => {
                let identity = identity(&record);
                if let (Record::AccessEvent(e), Some((index, _))) = (&mut record, there.get(&identity)) {
                    e.supersedes = Some(*index);
                }
                drafts.push(Draft { row, record, identity, standing: Standing::New });
            }
        }
    }
    Ok(drafts)
}

fn record(row: &Row<Fields>, current: Option<&(LeafIndex, Value)>, provenance: &Value) -> Result<Record, Reason> {
    let fields = &row.value;
    if current.is_none() && fields.only_updates() {
        let id = fields.value("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        return Err(Reason::Unknown { what: fields.kind().word(), id });
    }
    let known = current.map(|(_, said)| said);
    let new = [("supersedes", json!(current.map(|(index, _)| index)))];
    let [supersedes] = new.clone();
    let sourced = [supersedes, ("provenance", provenance.clone())];
    let decided = ["reference", "assessment", "result"].map(|name| (name, Value::Null));
    let made = match fields.kind() {
        Kind::Organization => fields.record::<Organization>(known, &new).map(Record::from),
        Kind::Person => fields.record::<Person>(known, &new).map(Record::from),
        Kind::Credential => fields.record::<Credential>(known, &sourced).map(Record::from),
        Kind::Issuer => fields.record::<Issuer>(known, &new).map(Record::from),
        Kind::Provider => fields.record::<Provider>(known, &new).map(Record::from),
        Kind::Exposure => fields.record::<Exposure>(known, &new).map(Record::from),
        Kind::Relationship => fields.record::<Relationship>(known, &sourced).map(Record::from),
        Kind::Recusal => fields.record::<Recusal>(known, &new).map(Record::from),
        Kind::List => fields.record::<List>(known, &new).map(Record::from),
        Kind::ListItem => fields.record::<ListItem>(known, &new).map(Record::from),
        Kind::Grant => fields.record::<GrantRequest>(None, &decided).map(Record::from),
        Kind::AccessEvent => fields.record::<AccessEvent>(None, &[("detail", json!({}))]).map(Record::from),
        Kind::Model => fields.record::<Model>(known, &new).map(Record::from),
        Kind::Trade | Kind::Holding => return Err(Reason::Refused("not a record of this importer".into())),
    };
    made.map_err(|e| Reason::Refused(e.to_string()))
}

/// How each row stands to what is there and to the other rows. Returns the rows to go on with, and how many records the file does not name.
fn stand(drafts: Vec<Draft>, there: &There, imported: &mut Imported<Fields>, aside: &Aside<'_>) -> (Vec<Draft>, usize) {
    let bytes = |said: &Value| said.to_string().into_bytes();
    let existing: BTreeMap<String, Vec<u8>> = there.iter().map(|(key, (_, said))| (key.clone(), bytes(said))).collect();
    let diff = compare(&existing, drafts.iter().map(|d| (d.row.number, d.identity.clone(), bytes(&said(&d.record)))));
    let set = |rows: &[u64]| rows.iter().copied().collect::<BTreeSet<u64>>();
    let (changed, unchanged, repeated) = (set(&diff.changed), set(&diff.unchanged), set(&diff.repeated));
    let conflicts: BTreeMap<&str, &[u64]> = diff.conflicting.iter().map(|c| (c.key.as_str(), c.rows.as_slice())).collect();
    let mut first: BTreeMap<String, u64> = BTreeMap::new();
    let mut kept = Vec::with_capacity(drafts.len());
    for mut draft in drafts {
        let number = draft.row.number;
        let of = *first.entry(draft.identity.clone()).or_insert(number);
        if let Some(rows) = conflicts.get(draft.identity.as_str()) {
            aside.put(imported, draft.row, Reason::Conflicting { id: draft.identity, rows: rows.to_vec() });
        } else if repeated.contains(&number) {
            repeat(imported, draft.row, of);
        } else {
            draft.standing = match there.get(&draft.identity) {
                Some((index, _)) if changed.contains(&number) => Standing::Changed(*index),
                Some(_) if unchanged.contains(&number) => Standing::Unchanged,
                _ => Standing::New,
            };
            kept.push(draft);
        }
    }
    (kept, diff.absent.len())
}

/// Asks the ledger's own rules about each row. Rows of some kinds bear on one another, so each of those is checked against the facts as they will
/// stand behind the rows before it, and a parent comes before its children whatever their order in the file.
fn admit(
    drafts: Vec<Draft>,
    kind: Kind,
    asker: Asker<'_>,
    imported: &mut Imported<Fields>,
    aside: &Aside<'_>,
    told: Progress<'_>,
) -> Result<Vec<Planned>, IntakeError> {
    let chained = matches!(kind, Kind::Organization | Kind::Credential);
    let mut facts = Cow::Borrowed(asker.ledger.facts());
    let of = drafts.len() as u64;
    let mut rows = Vec::with_capacity(drafts.len());
    let mut waiting: Vec<(Draft, Option<Reason>)> = drafts.into_iter().map(|d| (d, None)).collect();
    loop {
        let before = waiting.len();
        let mut later = Vec::new();
        for (draft, _) in waiting {
            match draft.admitted(&facts, asker)? {
                Err(reason @ Reason::Unknown { .. }) if chained => later.push((draft, Some(reason))),
                Err(reason) => aside.put(imported, draft.row, reason),
                Ok(()) => {
                    told("checking", rows.len() as u64 + 1, of);
                    if chained && draft.standing != Standing::Unchanged {
                        let index = LeafIndex(facts.size());
                        facts.to_mut().apply(index, asker.ledger.now(), asker.actor, &draft.record);
                    }
                    rows.push(Planned { number: draft.row.number, records: vec![(draft.record, draft.standing)] });
                }
            }
        }
        if later.is_empty() || later.len() == before {
            later.into_iter().for_each(|(draft, why)| aside.put(imported, draft.row, why.unwrap_or(Reason::Missing("id"))));
            return Ok(rows);
        }
        waiting = later;
    }
}

impl Draft {
    fn admitted(&self, facts: &Facts, asker: Asker<'_>) -> Result<Result<(), Reason>, IntakeError> {
        if self.standing == Standing::Unchanged { Ok(Ok(())) } else { check(facts, asker.actor, &self.record) }
    }
}
