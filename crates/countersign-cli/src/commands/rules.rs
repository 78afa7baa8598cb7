//! `rules`: every rule that decides, where it stands, and the numbers it compares with. Asks no ledger, records nothing.

use clap::Args;
use countersign_law::{limits, rules as law};
use serde_json::{Value, json};

use super::DONE;
use crate::failure::{Exit, Failure};
use crate::output::Out;

/// What to list.
#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    /// List the numbers of every edition instead of the rules.
    #[arg(long)]
    numbers: bool,
}

pub(crate) fn run(args: &RulesArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    if out.is_json() {
        out.object("rules", all())?;
        return Ok(DONE);
    }
    if args.numbers {
        numbers(out)?;
        return Ok(DONE);
    }
    out.line(format_args!("rules over a ledger, rule set {}", countersign_conflict::rules::rule_set()))?;
    let ledger = countersign_conflict::rules::RULES.iter();
    out.table(
        &HEADS,
        &ledger.map(|r| row(r.id, r.version, countersign_conflict::rules::authority(r), r.cite, r.title)).collect::<Vec<_>>(),
    )?;
    out.line(format_args!("\nrules over scenarios, rule set {}", law::rule_set()))?;
    out.table(&HEADS, &law::RULES.iter().map(|r| row(r.id, r.version, r.authority(), r.cite, r.title)).collect::<Vec<_>>())?;
    for e in limits::editions() {
        let from = e.from.map_or_else(String::new, |day| format!(" from {day}"));
        out.line(format_args!("\nnumbers of {}{from}: {} ({})", e.edition, e.digest, e.source))?;
    }
    Ok(DONE)
}

const HEADS: [&str; 5] = ["rule", "version", "rests on", "where", "asks"];

fn row(id: &str, version: u32, authority: &str, cite: &str, title: &str) -> Vec<String> {
    vec![id.into(), version.to_string(), authority.into(), cite.into(), title.into()]
}

fn numbers(out: &mut Out<'_>) -> Result<(), Failure> {
    for e in limits::editions() {
        out.line(format_args!("{} ({}), {}", e.edition, e.source, e.digest))?;
        let fields = serde_json::to_value(&e.limits).map_err(|e| Failure::Bug(e.to_string()))?;
        let rows: Vec<Vec<String>> = fields.as_object().into_iter().flatten().map(|(name, n)| vec![name.clone(), n.to_string()]).collect();
        out.table(&["number", "value"], &rows)?;
    }
    Ok(())
}

fn all() -> Value {
    let rule = |id: &str, version: u32, authority: &str, cite: &str, title: &str| json!({"id": id, "version": version, "authority": authority, "cite": cite, "title": title});
    let ledger: Vec<Value> = countersign_conflict::rules::RULES
        .iter()
        .map(|r| rule(r.id, r.version, countersign_conflict::rules::authority(r), r.cite, r.title))
        .collect();
    let scenario: Vec<Value> = law::RULES.iter().map(|r| rule(r.id, r.version, r.authority(), r.cite, r.title)).collect();
    json!({
        "ledger": {"rule_set": countersign_conflict::rules::rule_set().to_string(), "rules": ledger},
        "scenario": {"rule_set": law::rule_set(), "rules": scenario},
        "editions": limits::editions(),
    })
}
