//! `query changed`: what was recorded since an entry, and what it changed.

use clap::Args;
use countersign_conflict::Facts;
use countersign_entry::ids::{PersonId, PrincipalId};
use countersign_entry::record::TYPE_NAMES;
use countersign_ledger::query::{AsOf, Change, Page, View};
use serde_json::{Value, json};

use super::query::{FormArgs, Told, as_of, not_recorded, set};
use super::visible::{line, visible};
use crate::args::LedgerArgs;
use crate::failure::Failure;
use crate::session::Session;
use crate::words::name;

/// Since when, until when, of what.
#[derive(Debug, Args)]
pub(crate) struct ChangedArgs {
    #[command(flatten)]
    pub(super) ledger: LedgerArgs,
    /// From this entry on: its index, which is the size of the ledger before it; or a time: everything recorded after it.
    #[arg(long, value_name = "ENTRY|TIME", value_parser = as_of)]
    since: AsOf,
    /// Up to this size, or everything recorded by this time. Without it: to the end.
    #[arg(long, value_name = "SIZE|TIME", value_parser = as_of)]
    pub(super) until: Option<AsOf>,
    /// Of this type alone, such as person or access.event.
    #[arg(long, value_parser = kind)]
    kind: Option<&'static str>,
    /// About this person alone.
    #[arg(long)]
    person: Option<PersonId>,
    #[command(flatten)]
    pub(super) form: FormArgs,
}

const CHANGED: &[&str] = &["entry", "recorded_at", "kind", "by", "what", "supersedes", "changes"];

fn kind(text: &str) -> Result<&'static str, String> {
    TYPE_NAMES.iter().find(|name| **name == text).copied().ok_or_else(|| format!("is no record type; they are {}", TYPE_NAMES.join(", ")))
}

pub(super) fn changed(args: &ChangedArgs, view: &View<'_>, session: &Session) -> Result<Told, Failure> {
    let since = session.ledger.size_as_of(args.since)?;
    if since > view.size() {
        return Err(Failure::Usage(format!("--since {since} lies after --until {}: nothing can have changed", view.size())));
    }
    if let Some(person) = &args.person
        && view.person_timeline(person, Page { offset: 0, limit: 1 })?.rows.is_empty()
    {
        return Err(not_recorded("person", person.as_str(), view));
    }
    let early = session.actor.sees_all(view.facts());
    let answer = view.changed(since, args.kind, args.person.as_ref(), if early { args.form.page() } else { Page::ALL })?;
    let rows = answer.rows.iter().filter_map(|change| row(change, view.facts(), session)).collect();
    let since = since.to_string();
    let asked = [Some(since.as_str()), args.kind, args.person.as_ref().map(PersonId::as_str)];
    let subject = asked.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let mut told = Told::new("changed", &subject, CHANGED, &answer, rows);
    told.flat = flat;
    told.paged = early;
    Ok(told)
}

fn row(change: &Change, facts: &Facts, session: &Session) -> Option<Value> {
    let now = visible(&session.actor, facts, &change.record)?;
    // What the reader may not know of did not stand there before, as far as they can see.
    let before = change.before.as_ref().and_then(|record| visible(&session.actor, facts, record));
    let supersedes = before.as_ref().and(change.record.supersedes());
    Some(json!({
        "entry": change.entry, "recorded_at": change.recorded_at.to_string(), "kind": change.record.type_name(), "actor": change.actor,
        "by": acting(facts, &change.actor), "what": line(&session.actor, facts, &change.record)?, "supersedes": supersedes,
        "changes": before.map_or_else(Vec::new, |before| differences(&before, &now)),
    }))
}

/// The person behind a principal, else the principal.
fn acting(facts: &Facts, actor: &PrincipalId) -> String {
    let person = facts.principal(actor).and_then(|p| p.record.person.as_ref());
    person.map_or_else(|| actor.to_string(), |person| name(facts, person))
}

/// Fields that say something else now. `supersedes` always does.
fn differences(before: &Value, now: &Value) -> Vec<Value> {
    let Value::Object(fields) = now else { return Vec::new() };
    let changed = fields.iter().filter(|(name, value)| *name != "supersedes" && before.get(name) != Some(value));
    changed.map(|(name, value)| json!({ "field": name, "from": before.get(name), "to": value })).collect()
}

/// `status: civilian -> former; …`
fn flat(row: &mut Value) {
    let text = |value: Option<&Value>| match value {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let one = |change: &Value| format!("{}: {} -> {}", text(change.get("field")), text(change.get("from")), text(change.get("to")));
    let all = row.get("changes").and_then(Value::as_array).filter(|changes| !changes.is_empty());
    let all = all.map(|changes| changes.iter().map(one).collect::<Vec<_>>().join("; "));
    set(row, "changes", all.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let before = json!({ "status": "civilian", "organization": "a", "supersedes": null, "until": null });
        let now = json!({ "status": "former", "organization": "a", "supersedes": 4, "until": "2026-06-01T00:00:00Z" });
        let mut row = json!({ "changes": differences(&before, &now) });
        assert_eq!(row["changes"][0], json!({ "field": "status", "from": "civilian", "to": "former" }));
        flat(&mut row);
        assert_eq!(row["changes"], "status: civilian -> former; until: nothing -> 2026-06-01T00:00:00Z");
        let mut same = json!({ "changes": differences(&now, &now) });
        flat(&mut same);
        assert_eq!(same["changes"], Value::Null);
    }

    #[test]
    fn a_type_nobody_records_is_refused() {
        assert_eq!(kind("access.event"), Ok("access.event"));
        assert!(kind("acess.event").is_err_and(|e| e.contains("case.opened")));
    }
}
