//! `add` and `show` for every record type people keep.

use clap::{Args, Subcommand};
use countersign_conflict::Known;
use countersign_entry::ids::LeafIndex;
use countersign_entry::record::Record;
use countersign_ledger::Receipt;
use serde_json::{Map, Value, json};

use super::DONE;
use super::fields::{Fields, ListFields, ListItemFields};
use super::kinds::Kind;
use super::visible::{fields_of, visible};
use crate::args::{LedgerArgs, WriteArgs};
use crate::failure::{Exit, Failure};
use crate::output::{Out, cells};
use crate::session::{Session, recorded, recorded_line};
use crate::words::new_id;

/// Recording and showing one record type.
#[derive(Debug, Subcommand)]
pub(crate) enum RecordCommand<F: Fields> {
    /// Record a new one, or with --supersede a change to a known one.
    Add(AddArgs<F>),
    /// Show all, or one with its history.
    Show(ShowArgs),
}

/// Lists and what is on them.
#[derive(Debug, Subcommand)]
pub(crate) enum ListCommand {
    /// Record a new list, or with --supersede a change to a known one.
    Add(AddArgs<ListFields>),
    /// Put a subject on a list, or with --supersede change that.
    AddItem(AddArgs<ListItemFields>),
    /// Show all lists, or one with its history.
    Show(ShowArgs),
    /// Show everything listed, or one item with its history.
    ShowItem(ShowArgs),
}

/// What to record.
#[derive(Debug, Args)]
pub(crate) struct AddArgs<F: Fields> {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Its id. Where it may be left out, one is made up.
    #[arg(long)]
    id: Option<String>,
    /// Change the known one with this id: fields not given stay as they are.
    #[arg(long, requires = "id")]
    supersede: bool,
    #[command(flatten)]
    fields: F,
    #[command(flatten)]
    write: WriteArgs,
}

/// What to show.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The one to show with its history.
    #[arg(value_name = "ID")]
    id: Option<String>,
}

pub(crate) fn run<F: Fields>(command: RecordCommand<F>, out: &mut Out<'_>) -> Result<Exit, Failure> {
    match command {
        RecordCommand::Add(args) => add(&args, out),
        RecordCommand::Show(args) => show(&F::KIND, &args, out),
    }
}

pub(crate) fn run_list(command: ListCommand, out: &mut Out<'_>) -> Result<Exit, Failure> {
    match command {
        ListCommand::Add(args) => add(&args, out),
        ListCommand::AddItem(args) => add(&args, out),
        ListCommand::Show(args) => show(&ListFields::KIND, &args, out),
        ListCommand::ShowItem(args) => show(&ListItemFields::KIND, &args, out),
    }
}

fn add<F: Fields>(args: &AddArgs<F>, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let kind = F::KIND;
    let mut session = Session::to_write(&args.ledger)?;
    let record = assemble(args, &kind, &session)?;
    one_account_each(&record, &session)?;
    let receipt = session.record(&args.write, record)?;
    told(&kind, &receipt, out)
}

fn told(kind: &Kind, receipt: &Receipt, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let id = receipt.record.entity().unwrap_or_default();
    if out.is_json() {
        let mut fields = recorded(receipt)?;
        if let Value::Object(fields) = &mut fields {
            fields.insert("id".into(), id.into());
        }
        out.object(&format!("{}-add", kind.noun), fields)?;
    } else {
        out.line(format_args!("{} {id}", kind.noun))?;
        out.line(recorded_line(receipt)?)?;
    }
    Ok(DONE)
}

/// The record: what is known of it or what a new one starts with, with what was given laid over it.
fn assemble<F: Fields>(args: &AddArgs<F>, kind: &Kind, session: &Session) -> Result<Record, Failure> {
    let mut fields = if args.supersede {
        let id = args.id.as_deref().unwrap_or_default();
        let current = find(kind, session, id)?;
        let mut fields = fields_of(&current.record);
        lay_over(&mut fields, json!({ "supersedes": current.index }));
        fields
    } else {
        let mut fields = F::defaults(session.ledger.now());
        let id = match (&args.id, kind.id_prefix) {
            (Some(id), _) => id.clone(),
            (None, Some(prefix)) => new_id(prefix, args.write.idempotency_key.as_ref())?,
            (None, None) => return Err(Failure::Usage(format!("--id is needed: nobody makes up the id of a {}", kind.noun))),
        };
        lay_over(&mut fields, json!({ "id": id }));
        fields
    };
    lay_over(&mut fields, args.fields.given()?);
    (kind.parse)(fields).map_err(|e| said(&e.to_string()))
}

/// Two enabled accounts for one user would make it chance as which of them the user acts.
fn one_account_each(record: &Record, session: &Session) -> Result<(), Failure> {
    let Record::Principal(new) = record else { return Ok(()) };
    let Some(user) = new.os_user.as_ref().filter(|_| !new.disabled) else { return Ok(()) };
    match session.ledger.facts().principal_of_os_user(user.as_str()).filter(|p| p.record.id != new.id) {
        Some(other) => {
            let other = &other.record.id;
            Err(Failure::Invalid(format!("{user} acts as principal {other} already: supersede that one, or disable it first")))
        }
        None => Ok(()),
    }
}

/// Lays given values over known ones, objects into objects. Nulls are values nobody gave.
fn lay_over(onto: &mut Value, given: Value) {
    match (onto, given) {
        (_, Value::Null) => {}
        (Value::Object(onto), Value::Object(given)) => {
            for (name, value) in given {
                match onto.get_mut(&name) {
                    Some(known) => lay_over(known, value),
                    None => drop(without_nulls(value).map(|value| onto.insert(name, value))),
                }
            }
        }
        (onto @ Value::Null, given @ Value::Object(_)) => {
            if let Some(value) = without_nulls(given) {
                *onto = value;
            }
        }
        (onto, given) if !given.is_object() => *onto = given,
        _ => {}
    }
}

fn without_nulls(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(fields) => {
            let kept: Map<String, Value> = fields.into_iter().filter_map(|(k, v)| Some((k, without_nulls(v)?))).collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        other => Some(other),
    }
}

/// What is wrong, in terms of the command line.
fn said(error: &str) -> Failure {
    let missing = error.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')).map(|(name, _)| name);
    match missing {
        Some("roles") => Failure::Usage("--role is needed".into()),
        Some("document_hash") => Failure::Usage("--document FILE or --document-hash is needed".into()),
        Some("window") => Failure::Usage("--opens-at and --closes-at are needed".into()),
        Some(name) => Failure::Usage(format!("--{} is needed", name.replace('_', "-"))),
        None => Failure::Invalid(error.to_owned()),
    }
}

fn find(kind: &Kind, session: &Session, id: &str) -> Result<Known<Record>, Failure> {
    let all = (kind.all)(session.ledger.facts());
    let found = all.into_iter().find(|k| k.record.entity() == Some(id));
    let found = found.filter(|k| visible(&session.actor, session.ledger.facts(), &k.record).is_some());
    found.ok_or_else(|| Failure::NotFound(format!("{} {id} is not recorded", kind.noun)))
}

fn show(kind: &Kind, args: &ShowArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let session = Session::to_read(&args.ledger)?;
    match &args.id {
        Some(id) => show_history(kind, &session, id, out),
        None => show_all(kind, &session, out),
    }
}

fn show_all(kind: &Kind, session: &Session, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let facts = session.ledger.facts();
    let seen = |k: &Known<Record>| row(k.index, &k.at.to_string(), visible(&session.actor, facts, &k.record)?);
    let rows: Vec<Value> = (kind.all)(facts).iter().filter_map(seen).collect();
    if out.is_json() {
        out.object(&format!("{}-show", kind.noun), json!({ "rows": rows, "as_of": session.ledger.size(), "complete": true }))?;
    } else {
        table(kind, &rows, out)?;
    }
    Ok(DONE)
}

fn show_history(kind: &Kind, session: &Session, id: &str, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let current = find(kind, session, id)?;
    let mut rows = Vec::new();
    let mut next = Some(current.index);
    while let Some(index) = next {
        let (_, meta, record) = session.ledger.entry(index.0)?;
        let at = countersign_entry::time::Micros::new(meta.at).map(|t| t.to_string()).unwrap_or_default();
        let fields = visible(&session.actor, session.ledger.facts(), &record).and_then(|fields| row(index, &at, fields));
        rows.extend(fields.map(|mut fields| {
            lay_over(&mut fields, json!({ "actor": meta.actor }));
            fields
        }));
        // Entries only ever supersede earlier ones, so this ends.
        next = record.supersedes().filter(|earlier| *earlier < index);
    }
    if out.is_json() {
        out.object(&format!("{}-show", kind.noun), json!({ "id": id, "history": rows, "as_of": session.ledger.size() }))?;
        return Ok(DONE);
    }
    if let Some(Value::Object(fields)) = rows.first() {
        for (name, value) in fields.iter().filter(|(_, v)| !v.is_null()) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            out.line(format_args!("{name:<21} {text}"))?;
        }
    }
    if rows.len() > 1 {
        out.line("\nhistory, newest first")?;
        table(kind, &rows, out)?;
    }
    Ok(DONE)
}

fn row(entry: LeafIndex, recorded_at: &str, mut fields: Value) -> Option<Value> {
    lay_over(&mut fields, json!({ "entry": entry, "recorded_at": recorded_at }));
    fields.is_object().then_some(fields)
}

fn table(kind: &Kind, rows: &[Value], out: &mut Out<'_>) -> Result<(), Failure> {
    let columns: Vec<&str> = ["id"].into_iter().chain(kind.columns.iter().copied()).chain(["entry"]).collect();
    let heads: Vec<&str> = columns.iter().map(|c| c.rsplit('/').next().unwrap_or(c)).collect();
    out.table(&heads, &cells(rows, &columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_lies_over_what_is_known() {
        let mut known = json!({ "name": "old", "offer": null, "window": { "opens_at": 1, "closes_at": 2 }, "tags": ["a"] });
        lay_over(
            &mut known,
            json!({ "name": null, "offer": { "purpose": null }, "window": { "opens_at": null, "closes_at": 9 }, "tags": [] }),
        );
        assert_eq!(known, json!({ "name": "old", "offer": null, "window": { "opens_at": 1, "closes_at": 9 }, "tags": [] }));
        lay_over(&mut known, json!({ "offer": { "purpose": "x", "revoked_at": null }, "new": 1, "gone": null }));
        assert_eq!(known["offer"], json!({ "purpose": "x" }));
        assert_eq!((known.get("new"), known.get("gone")), (Some(&json!(1)), None));
    }

    #[test]
    fn a_missing_field_is_told_as_its_flag() {
        assert_eq!(said("missing field `terms_hash`").to_string(), "--terms-hash is needed");
        assert_eq!(said("missing field `terms_hash`").exit(), Exit::Usage);
        assert_eq!(said("a person id is P- followed by …").exit(), Exit::Invalid);
    }
}
