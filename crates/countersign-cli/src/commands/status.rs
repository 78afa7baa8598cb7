//! `status`: where a ledger stands. Works for whoever can open it, beside a writer, and writes nothing.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Args;
use countersign_entry::time::Micros;
use countersign_ledger::{Access, Ledger};
use countersign_store::Register as _;
use countersign_store::register::FileRegister;
use serde_json::{Value, json};

use super::DONE;
use crate::actor::Actor;
use crate::args::LedgerArgs;
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::open;
use crate::words::state_for;

/// Name of a ledger's configuration file.
const CONFIG: &str = "countersign.toml";

/// Which ledger.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
}

pub(crate) fn run(args: &StatusArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let ledger = open(&args.ledger, Access::Read)?;
    let register_size = register_size(&args.ledger.dir)?;
    let fields = fields(&ledger, register_size)?;
    if out.is_json() {
        out.object("status", fields)?;
    } else {
        for (name, value) in lines(&fields) {
            out.line(format_args!("{name:<17} {value}"))?;
        }
    }
    Ok(DONE)
}

fn fields(ledger: &Ledger, register_size: Option<u64>) -> Result<Value, Failure> {
    let facts = ledger.facts();
    let actor = Actor::known(facts);
    let ethics = actor.as_ref().is_some_and(Actor::is_ethics);
    let mut grants: BTreeMap<String, u64> = BTreeMap::new();
    for (_, grant) in facts.grants() {
        *grants.entry(state_for(ethics, grant.state)).or_default() += 1;
    }
    let last = ledger.size().checked_sub(1).map(|i| ledger.entry(i)).transpose()?;
    let last_at = last.and_then(|(_, meta, _)| Micros::new(meta.at).ok()).map(|at| at.to_string());
    let mut fields = json!({
        "origin": ledger.origin(),
        "vkey": ledger.vkey().to_string(),
        "size": ledger.size(),
        "root": ledger.root().to_string(),
        "last_at": last_at,
        "register_size": register_size,
        "read_only": read_only(ledger, register_size),
        "persons": facts.persons().count(),
        "submissions": facts.submissions().count(),
        "grants": grants,
        "principal": actor.as_ref().map(|a| &a.id),
        "roles": actor.as_ref().map(|a| &a.roles),
    });
    // Cases never show to anybody else, not even as a number.
    if let (true, Value::Object(fields)) = (ethics, &mut fields) {
        fields.insert("cases".into(), facts.cases().count().into());
        fields.insert("pending_findings".into(), facts.pending().count().into());
    }
    Ok(fields)
}

/// Why the ledger takes no entries. A handle opened for reading says that it was, which is no news.
fn read_only(ledger: &Ledger, register_size: Option<u64>) -> Option<String> {
    match (ledger.read_only(), register_size) {
        (_, Some(known)) if known > ledger.size() => {
            let size = ledger.size();
            Some(format!("the store ends at size {size}, its head register stands at {known}: entries are missing; keep this disk and restore the store"))
        }
        (Some("it was opened for reading") | None, _) => None,
        (Some(why), _) => Some(why.to_owned()),
    }
}

fn register_size(dir: &Path) -> Result<Option<u64>, Failure> {
    // The configuration was read and held to its one form when the ledger was opened.
    let file = dir.join(CONFIG);
    let text = std::fs::read_to_string(&file).map_err(Failure::file(&file))?;
    let config: toml::Table = toml::from_str(&text).map_err(|e| Failure::Bug(e.message().to_owned()))?;
    let Some(path) = config.get("register").and_then(toml::Value::as_str) else { return Ok(None) };
    let head = FileRegister::open_reader(&dir.join(path)).and_then(|register| register.load()).map_err(|e| Failure::Open(e.into()))?;
    Ok(head.map(|h| h.size))
}

fn lines(fields: &Value) -> Vec<(&str, String)> {
    let names = [
        "origin", "vkey", "size", "root", "last_at", "register_size", "read_only", "persons", "submissions", "grants", "cases",
        "pending_findings", "principal", "roles",
    ];
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".into(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::Object(counts) if counts.is_empty() => "none".into(),
        Value::Object(counts) => counts.iter().map(|(k, n)| format!("{k} {n}")).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    names.into_iter().filter_map(|n| Some((n, text(fields.get(n)?)))).collect()
}
