//! `record redact`: takes words out of an entry for good.

use clap::Args;
use countersign_entry::ids::{LeafIndex, Line, PrincipalId, RequestKey};
use countersign_ledger::{Redact, Signatures};
use serde_json::json;

use super::DONE;
use crate::args::{LedgerArgs, WriteArgs};
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::{Session, drafted, recorded_line};

/// What is to be redacted, and by whose leave.
#[derive(Debug, Args)]
pub(crate) struct RedactArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    write: WriteArgs,
    /// The entry.
    #[arg(value_name = "INDEX")]
    index: u64,
    /// The name of a field, as `record show` prints it. Only words that no rule reads can be redacted. May be given several times.
    #[arg(long, value_name = "NAME", required = true)]
    field: Vec<String>,
    /// The legal ground.
    #[arg(long)]
    authority: Line,
    /// The principal of an approver. Two are needed, two people, neither yours nor the one who asked for the entry.
    #[arg(long, value_name = "PRINCIPAL", required = true)]
    approver: Vec<PrincipalId>,
}

pub(crate) fn run(args: &RedactArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let session = Session::to_write_here(&args.ledger)?;
    let (fields, authority, approvers) = (args.field.clone(), args.authority.clone(), args.approver.clone());
    let redact = Redact { target: LeafIndex(args.index), fields, authority, approvers, signatures: Signatures::default() };
    let key = args.write.key()?;
    if let Some(file) = &args.write.draft {
        let request = session.ledger.redaction_request(&redact)?;
        return Err(drafted(&session.ledger, &session.actor, file, &[(key, request)]));
    }
    redact_now(session, &key, &redact, out)
}

/// Redacts, and says what that means.
pub(super) fn redact_now(mut session: Session, key: &RequestKey, redact: &Redact, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let receipt = session.ledger.redact(&session.actor.id, key, redact)?;
    if out.is_json() {
        out.object("record-redact", json!({ "entry": receipt.index, "target": redact.target, "fields": redact.fields }))?;
        return Ok(DONE);
    }
    out.line(recorded_line(&receipt)?)?;
    let fields = redact.fields.join(", ");
    out.line(format_args!(
        "{fields} of entry {} can be read no more. Everything else in it stands, and all of it still proves.",
        redact.target
    ))?;
    out.line("Backups, exports and replicas from before still have the first record: replace them.")?;
    out.line("The next start reads every entry again, since what was made beside the ledger knew what is gone.")?;
    Ok(DONE)
}
