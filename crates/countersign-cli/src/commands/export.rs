//! `export`: the static files anybody can check, from anywhere they can be copied to.

use std::path::PathBuf;

use clap::Args;
use countersign_ledger::Access;
use countersign_ledger::export::{Planes, export};
use serde_json::json;

use super::{DONE, bar};
use crate::args::LedgerArgs;
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::open;

/// What to export, and where to.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Directory to make.
    #[arg(value_name = "OUT")]
    to: PathBuf,
    /// Leave out the sealed records: what is left says nothing about people, models or issuers.
    #[arg(long)]
    public_only: bool,
}

pub(crate) fn run(args: &ExportArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let ledger = open(&args.ledger, Access::Read)?;
    let planes = if args.public_only { Planes::Public } else { Planes::Both };
    let bar = bar(ledger.size(), "exporting");
    let files = export(&ledger, &args.to, planes, &mut |done| bar.set_position(done))?;
    bar.finish_and_clear();
    let vkey = ledger.vkey().to_string();
    if out.is_json() {
        out.object(
            "export",
            json!({ "to": args.to, "files": files, "size": ledger.size(), "root": ledger.root().to_string(), "vkey": vkey }),
        )?;
    } else {
        let to = args.to.display();
        out.line(format_args!("exported {} entries in {files} files to {to}", ledger.size()))?;
        out.line(format_args!("check it anywhere: countersign verify {to} --vkey {vkey}"))?;
    }
    Ok(DONE)
}
