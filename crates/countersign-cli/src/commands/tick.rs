//! `tick`: records what time alone has made due, such as a grant's end or a case.

use clap::Args;
use serde_json::json;

use super::DONE;
use crate::args::LedgerArgs;
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::Session;

/// Which ledger.
#[derive(Debug, Args)]
pub(crate) struct TickArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
}

pub(crate) fn run(args: &TickArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = Session::to_write_here(&args.ledger)?;
    let count = session.ledger.tick()?;
    let size = session.ledger.size();
    if out.is_json() {
        out.object("tick", json!({ "recorded": count, "size": size }))?;
    } else {
        out.line(format_args!("recorded: {count} entries that were due, size {size}"))?;
    }
    Ok(DONE)
}
