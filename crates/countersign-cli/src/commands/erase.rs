//! `key compartments` and `key erase`: what each data key seals, and the end of one.

use clap::Args;
use countersign_entry::ids::{Line, PrincipalId, RequestKey};
use countersign_ledger::Erasure;
use serde_json::{Value, json};

use super::DONE;
use crate::args::{LedgerArgs, WriteArgs};
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::{Session, drafted, recorded_line};

/// Which ledger's.
#[derive(Debug, Args)]
pub(crate) struct CompartmentArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Only those with this in their name: a submission, a person, a year.
    #[arg(long, value_name = "TEXT")]
    with: Option<String>,
}

/// What is to be erased, and by whose leave.
#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    write: WriteArgs,
    /// The compartment, as `key compartments` shows it, `submission:S-2603 P-17 2026`; without the person it is everybody's.
    compartment: String,
    /// The legal ground.
    #[arg(long)]
    authority: Line,
    /// The principal of an approver. Two are needed, two people, and not yours.
    #[arg(long, value_name = "PRINCIPAL", required = true)]
    approver: Vec<PrincipalId>,
}

pub(crate) fn compartments(args: &CompartmentArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let session = Session::to_read(&args.ledger)?;
    let mut all: Vec<(&str, u32)> = session.ledger.compartments().map(|(key_id, name)| (name, key_id)).collect();
    let has = |name: &str, part: &str| name.split([' ', ':']).any(|word| word == part);
    all.retain(|(name, _)| args.with.as_deref().is_none_or(|part| has(name, part)));
    all.sort_unstable();
    if out.is_json() {
        let rows: Vec<Value> = all.iter().map(|(name, key_id)| json!({ "compartment": name, "key_id": key_id })).collect();
        out.object("key-compartments", json!({ "compartments": rows }))?;
    } else {
        let rows: Vec<Vec<String>> = all.iter().map(|(name, key_id)| vec![(*name).to_owned(), key_id.to_string()]).collect();
        out.table(&["compartment", "data key"], &rows)?;
    }
    Ok(DONE)
}

pub(crate) fn erase(args: &EraseArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let session = Session::to_write(&args.ledger)?;
    let keys = session.ledger.keys_of(&args.compartment);
    if keys.is_empty() {
        return Err(Failure::Invalid(format!("there is no compartment {:?}: `key compartments` shows them", args.compartment)));
    }
    let erasure = Erasure { keys, authority: args.authority.clone(), approvers: args.approver.clone(), signatures: Vec::new() };
    let key = args.write.key()?;
    if let Some(file) = &args.write.draft {
        let requests = session.ledger.erasure_requests(&key, &erasure)?;
        return Err(drafted(&session.ledger, &session.actor, file, &requests));
    }
    destroy(session, &key, &erasure, out)
}

/// Erases, and says what that means.
pub(super) fn destroy(mut session: Session, key: &RequestKey, erasure: &Erasure, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let all = session.ledger.compartments().filter(|(key_id, _)| erasure.keys.contains(key_id));
    let compartments: Vec<String> = all.map(|(_, name)| name.to_owned()).collect();
    let receipts = session.ledger.erase(&session.actor.id, key, erasure)?;
    if out.is_json() {
        let entries: Vec<u64> = receipts.iter().map(|r| r.index).collect();
        out.object("key-erase", json!({ "entries": entries, "compartments": compartments }))?;
        return Ok(DONE);
    }
    for receipt in &receipts {
        out.line(recorded_line(receipt)?)?;
    }
    out.line(format_args!(
        "What was sealed for {} can be read no more. It still proves: leaves, receipts and heads are as they were.",
        compartments.join(", ")
    ))?;
    out.line("Copies of keys/data.keys from before still open it: destroy them, backups too, and where the keys are in a token run `key rewrap`.")?;
    out.line("The next start reads every entry again, since what was made beside the ledger knew what is gone.")?;
    Ok(DONE)
}
