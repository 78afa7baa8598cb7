//! `bundle`: evidence of some entries in one file, to be checked by tools that are not ours. The service makes the same.

use std::path::PathBuf;

use clap::Args;
use countersign_api::marking::parse;
use countersign_entry::record::{Marking, MarkingLevel};
use countersign_server::answer::highest_of;
use countersign_server::bundle::{ENTRIES_MAX, write};
use countersign_server::exports::pack;
use serde_json::json;

use super::{DONE, bar};
use crate::args::LedgerArgs;
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::Session;

/// Which entries, and where to.
#[derive(Debug, Args)]
pub(crate) struct BundleArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// An entry to show, as far as you may see it; once for each.
    #[arg(long = "entry", value_name = "INDEX", required = true)]
    entries: Vec<u64>,
    /// The zip file to make.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// The banner line of what is in it, such as SECRET//CATEGORY/CATEGORY//CONTROL; without it, the highest marking of any submission, and at least CUI.
    #[arg(long, value_parser = banner)]
    marking: Option<Marking>,
}

fn banner(text: &str) -> Result<Marking, &'static str> {
    parse(text).ok_or("not UNCLASSIFIED, CUI, CONFIDENTIAL, SECRET or TOP SECRET with //categories and //controls behind")
}

pub(crate) fn run(args: &BundleArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = Session::to_ask(&args.ledger)?;
    let size = session.ledger.size();
    let mut entries = args.entries.clone();
    entries.sort_unstable();
    entries.dedup();
    if entries.len() > ENTRIES_MAX {
        return Err(Failure::Usage(format!("a bundle is of {ENTRIES_MAX} entries at most")));
    }
    if let Some(none) = entries.iter().find(|entry| **entry >= size) {
        return Err(Failure::NotFound(format!("entry {none} is not recorded: the ledger has {size} entries")));
    }
    if args.output.exists() {
        return Err(Failure::Invalid(format!("{} exists already", args.output.display())));
    }
    // Who looked is recorded before anything is shown.
    let read = session.record_read("bundle", "entries", entries.len(), size)?;
    super::query::tell_unrecorded(&read);
    let least = MarkingLevel::Cui.into();
    let marking = args.marking.clone().map_or_else(|| highest_of(&session.ledger, &least), Ok)?;
    let files = args.output.with_extension("making");
    let bar = bar(size, "bundling");
    let made = write(&session.ledger, &files, &entries, &session.actor.eyes, &marking, &mut |done| bar.set_position(done));
    bar.finish_and_clear();
    let packed = made.map_err(Failure::from).and_then(|()| pack(&files, &args.output).map_err(Failure::file(&args.output)));
    std::fs::remove_dir_all(&files).unwrap_or(());
    let bytes = packed?;
    if out.is_json() {
        out.object("bundle", json!({ "file": args.output, "bytes": bytes, "entries": entries, "size": size, "read_entry": read.ok() }))?;
    } else {
        out.line(format_args!(
            "{}: {} entries, {bytes} bytes; its README.txt says how anybody checks it",
            args.output.display(),
            entries.len()
        ))?;
    }
    Ok(DONE)
}
