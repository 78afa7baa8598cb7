//! `cases`: what was found, for the ethics role alone.

use clap::Args;
use serde_json::{Value, json};

use super::DONE;
use crate::args::LedgerArgs;
use crate::explain::label;
use crate::failure::{Exit, Failure};
use crate::output::{Out, cells};
use crate::session::Session;
use crate::words::name;

/// Which ledger.
#[derive(Debug, Args)]
pub(crate) struct CasesArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
}

const COLUMNS: &[&str] = &["case", "rule", "asks", "name", "person", "submission", "finding", "evidence"];
const PENDING: &[&str] = &["due", "rule", "name", "person", "submission", "finding"];

pub(crate) fn run(args: &CasesArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = Session::to_ask(&args.ledger)?;
    session.actor.must_be_ethics("what was found")?;
    let facts = session.ledger.facts();
    let cases: Vec<Value> = facts
        .cases()
        .map(|(index, c)| {
            json!({
                "case": index, "rule": c.rule, "version": c.version, "asks": label(c.rule.as_str()), "cite": c.cite,
                "name": name(facts, &c.person), "person": c.person, "submission": c.submission, "finding": c.finding, "evidence": c.evidence,
            })
        })
        .collect();
    let pending: Vec<Value> = facts
        .pending()
        .map(|(rule, person, submission, f)| {
            json!({
                "due": f.due.to_string(), "rule": rule, "asks": label(rule), "name": name(facts, person), "person": person,
                "submission": submission, "finding": f.finding, "evidence": f.evidence,
            })
        })
        .collect();
    let as_of = session.ledger.size();
    let read = session.record_read("cases", "all", cases.len(), as_of)?;
    super::query::tell_unrecorded(&read);
    if out.is_json() {
        out.object("cases", json!({ "rows": cases, "pending": pending, "as_of": as_of, "complete": true, "read_entry": read.ok() }))?;
        return Ok(DONE);
    }
    out.table(COLUMNS, &cells(&cases, COLUMNS))?;
    out.line(format_args!("{} cases, complete as of size {as_of}", cases.len()))?;
    if !pending.is_empty() {
        out.line("\nfound, and a case when due (countersign tick):")?;
        out.table(PENDING, &cells(&pending, PENDING))?;
    }
    Ok(DONE)
}
