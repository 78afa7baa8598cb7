//! `status`: where a ledger stands. Works for whoever can open it, beside a writer, and writes nothing.

use std::collections::BTreeMap;

use clap::Args;
use countersign_entry::time::Micros;
use countersign_ledger::{Access, Ledger};
use serde_json::{Value, json};

use super::DONE;
use crate::actor::Actor;
use crate::args::LedgerArgs;
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::open;
use crate::words::state_for;
use countersign_intake::requests::unfinished;

/// Which ledger.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
}

pub(crate) fn run(args: &StatusArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let ledger = open(&args.ledger, Access::Read)?;
    let fields = fields(&ledger)?;
    if out.is_json() {
        out.object("status", fields)?;
    } else {
        for (name, value) in lines(&fields) {
            out.line(format_args!("{name:<17} {value}"))?;
        }
    }
    Ok(DONE)
}

fn fields(ledger: &Ledger) -> Result<Value, Failure> {
    let facts = ledger.facts();
    let actor = Actor::known(facts, ledger.now());
    let ethics = actor.as_ref().is_some_and(|actor| actor.sees_all(facts));
    let mut grants: BTreeMap<String, u64> = BTreeMap::new();
    for (_, grant) in facts.grants() {
        *grants.entry(state_for(ethics, grant.state)).or_default() += 1;
    }
    let last = ledger.size().checked_sub(1).map(|i| ledger.entry(i)).transpose()?;
    let last_at = last.and_then(|(_, meta, _)| Micros::new(meta.at).ok()).map(|at| at.to_string());
    let mut fields = json!({
        "origin": ledger.origin(),
        "vkey": ledger.vkey().to_string(),
        "signing_key": ledger.signing_key().map(ToString::to_string),
        "size": ledger.size(),
        "root": ledger.root().to_string(),
        "last_at": last_at,
        "register_size": ledger.register_size()?,
        "snapshot_size": ledger.standing().snapshot_size,
        "read_only": ledger.read_only(),
        "persons": facts.persons().count(),
        "submissions": facts.submissions().count(),
        "grants": grants,
        "principal": actor.as_ref().map(|a| &a.id),
        "roles": actor.as_ref().map(|a| &a.eyes.roles),
    });
    // Cases never show to anybody else, not even as a number.
    if let (true, Value::Object(fields)) = (ethics, &mut fields) {
        fields.insert("cases".into(), facts.cases().count().into());
        fields.insert("pending_findings".into(), facts.pending().count().into());
        let unfinished = unfinished(facts).into_iter().map(|(importer, file)| format!("{importer} of file {file}: run it again"));
        fields.insert("unfinished_imports".into(), unfinished.collect::<Vec<_>>().into());
    }
    Ok(fields)
}

fn lines(fields: &Value) -> Vec<(&str, String)> {
    let names = [
        "origin",
        "vkey",
        "signing_key",
        "size",
        "root",
        "last_at",
        "register_size",
        "snapshot_size",
        "read_only",
        "persons",
        "submissions",
        "grants",
        "cases",
        "pending_findings",
        "unfinished_imports",
        "principal",
        "roles",
    ];
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".into(),
        Value::Array(items) if items.is_empty() => "none".into(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::Object(counts) if counts.is_empty() => "none".into(),
        Value::Object(counts) => counts.iter().map(|(k, n)| format!("{k} {n}")).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    names.into_iter().filter_map(|n| Some((n, text(fields.get(n)?)))).collect()
}
