//! `migrate`: which version each part of a ledger has, and carrying older parts forward. Entries are never rewritten.

use std::collections::BTreeMap;

use clap::Subcommand;
use countersign_ledger::{Directory, Part};
use serde_json::json;

use super::DONE;
use crate::args::LedgerArgs;
use crate::failure::{Exit, Failure};
use crate::output::Out;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum MigrateCommand {
    /// Say which version each part of the ledger has.
    Status(LedgerArgs),
    /// Carry older parts to the versions this program writes. There is no way back.
    Up(LedgerArgs),
}

pub(crate) fn run(command: &MigrateCommand, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let (args, up) = match command {
        MigrateCommand::Status(args) => (args, false),
        MigrateCommand::Up(args) => (args, true),
    };
    let directory = Directory::find(&args.dir)?;
    let parts = directory.parts()?;
    if let Some(part) = parts.iter().find(|part| up && !part.is_current()) {
        let found = part.found.map_or("no version known here".to_owned(), |found| format!("version {found}"));
        let what = "this program knows no way from there: use the one that wrote it, or a newer one. Nothing was changed";
        return Err(Failure::Invalid(format!("{}: {found}; {what}", part.path.display())));
    }
    show(&parts, out)
}

fn show(parts: &[Part], out: &mut Out<'_>) -> Result<Exit, Failure> {
    // Many segments and runs of one version are one row.
    let mut rows: BTreeMap<(&str, Option<u32>, u32), usize> = BTreeMap::new();
    for part in parts {
        *rows.entry((part.what, part.found, part.written)).or_default() += 1;
    }
    let current = parts.iter().all(Part::is_current);
    if out.is_json() {
        let rows: Vec<_> = rows
            .iter()
            .map(|((what, found, written), files)| json!({ "part": what, "files": files, "version": found, "written": written }))
            .collect();
        out.object("migrate", json!({ "parts": rows, "current": current}))?;
        return Ok(DONE);
    }
    let cells = |((what, found, written), files): (&(&str, Option<u32>, u32), &usize)| {
        let version = found.map_or("-".to_owned(), |v| v.to_string());
        vec![(*what).to_owned(), files.to_string(), version, written.to_string()]
    };
    out.table(&["part", "files", "version", "written"], &rows.iter().map(cells).collect::<Vec<_>>())?;
    let nothing = "nothing to carry forward: every part has the version this program writes";
    out.line(if current { nothing } else { "a part has a version that this program does not write" })?;
    Ok(DONE)
}
