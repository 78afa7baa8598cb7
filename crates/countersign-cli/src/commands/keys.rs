//! `export-keys`: the data keys, for an inspector.

use std::path::PathBuf;

use clap::Args;
use countersign_entry::record::Role;
use serde_json::json;
use zeroize::Zeroizing;

use super::{DONE, write_new};
use crate::args::LedgerArgs;
use crate::failure::{Exit, Failure};
use crate::output::{Out, say};
use crate::session::Session;

/// Where to write them.
#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// File to write, for its owner alone. Without it: standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &KeysArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = Session::to_ask(&args.ledger)?;
    let allowed = [Role::Operator, Role::EthicsOfficer, Role::InspectorGeneral];
    session.actor.must_have(&allowed, || "data keys are handed out by an operator, the ethics role or the inspector general".into())?;
    // One flat object whatever form is asked for: it is what `verify --keys` reads.
    let keys = session.ledger.export_keys();
    let lines: Vec<Zeroizing<String>> = keys.iter().map(|(id, key)| Zeroizing::new(format!("\"{id}\":\"{}\"", key.as_str()))).collect();
    let texts: Vec<&str> = lines.iter().map(|l| l.as_str()).collect();
    let text = Zeroizing::new(format!("{{{}}}\n", texts.join(",")));
    let read = session.record_read("export-keys", "all", keys.len(), session.ledger.size())?;
    super::query::tell_unrecorded(&read);
    let Some(file) = &args.output else {
        out.bytes(text.as_bytes())?;
        return Ok(DONE);
    };
    write_new(file, text.as_bytes(), 0o600)?;
    if out.is_json() {
        out.object("export-keys", json!({ "file": file, "keys": keys.len(), "read_entry": read.ok() }))?;
    } else {
        out.line(format_args!("{} data keys in {}", keys.len(), file.display()))?;
    }
    say("whoever has these keys reads every record: hand them to an inspector and to nobody else");
    Ok(DONE)
}
