//! `policy show` and `policy set`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_conflict::Known;
use countersign_entry::limits::MICROS_MAX;
use countersign_entry::record::{Policy, Record};
use countersign_entry::time::Micros;
use serde_json::{Value, json};

use super::visible::fields_of;
use super::{DONE, read_small};
use crate::args::{LedgerArgs, WriteArgs};
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::{Session, recorded, recorded_line};
use crate::words::{texts_as_times, times_as_text};

/// The rules' parameters.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Show the policy in force, and the newest where that is another.
    Show(ShowArgs),
    /// Record a new version of the policy.
    Set(SetArgs),
}

/// Which ledger.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
}

/// The new version.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// JSON object with the fields to change, as `policy show --json` prints them. Version and what it supersedes are filled in; without
    /// effective_from it takes effect now.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    write: WriteArgs,
}

pub(crate) fn run(command: &PolicyCommand, out: &mut Out<'_>) -> Result<Exit, Failure> {
    match command {
        PolicyCommand::Show(args) => show(args, out),
        PolicyCommand::Set(args) => set(args, out),
    }
}

fn show(args: &ShowArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let session = Session::to_read(&args.ledger)?;
    let facts = session.ledger.facts();
    let in_force = facts.policy(session.ledger.now()).map(shown);
    let newest = newest(&session).map(shown);
    if out.is_json() {
        out.object("policy-show", json!({ "in_force": in_force, "newest": newest }))?;
        return Ok(DONE);
    }
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    match &in_force {
        Some(policy) => out.line(pretty(policy))?,
        None => out.line("no policy is in force: every request is referred")?,
    }
    if let Some(policy) = newest.filter(|n| Some(n) != in_force.as_ref()) {
        out.line(format_args!("recorded and not in force yet:\n{}", pretty(&policy)))?;
    }
    Ok(DONE)
}

fn shown(policy: &Known<Policy>) -> Value {
    let mut fields = fields_of(&Record::Policy(policy.record.clone()));
    times_as_text(&mut fields);
    if let Value::Object(fields) = &mut fields {
        fields.insert("entry".into(), policy.index.0.into());
    }
    fields
}

fn newest(session: &Session) -> Option<&Known<Policy>> {
    session.ledger.facts().policy(Micros::new(MICROS_MAX).unwrap_or(Micros::EPOCH))
}

fn set(args: &SetArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let invalid = |what: String| Failure::Invalid(format!("{}: {what}", args.file.display()));
    let given = serde_json::from_slice(&read_small(&args.file)?).map_err(|e| invalid(e.to_string()))?;
    let Value::Object(given) = given else { return Err(invalid("a JSON object with the policy's fields is needed".into())) };
    let mut session = Session::to_write(&args.ledger)?;
    let current = newest(&session);
    let mut fields = current.map(|p| fields_of(&Record::Policy(p.record.clone()))).unwrap_or_else(|| json!({ "id": "default" }));
    let now = session.ledger.now();
    if let Value::Object(fields) = &mut fields {
        fields.insert("effective_from".into(), now.value().into());
        fields.extend(given.into_iter().filter(|(name, _)| name != "schema" && name != "entry"));
        fields.insert("version".into(), current.map_or(1, |p| u64::from(p.record.version) + 1).into());
        fields.insert("supersedes".into(), current.map(|p| p.index.0).into());
    }
    texts_as_times(&mut fields);
    let policy: Policy = serde_json::from_value(fields).map_err(|e| invalid(e.to_string()))?;
    if policy.effective_from < now {
        return Err(invalid(format!(
            "effective_from {} is past: a policy takes effect when it is recorded, or later",
            policy.effective_from
        )));
    }
    if current.is_some_and(|p| p.record.id != policy.id) {
        return Err(invalid("the id of the policy cannot change".into()));
    }
    let version = policy.version;
    let receipt = session.record(&args.write, policy.into())?;
    if out.is_json() {
        let mut fields = recorded(&receipt)?;
        if let Value::Object(fields) = &mut fields {
            fields.insert("version".into(), version.into());
        }
        out.object("policy-set", fields)?;
    } else {
        out.line(format_args!("policy version {version}"))?;
        out.line(recorded_line(&receipt)?)?;
    }
    Ok(DONE)
}
