//! `backup`: a copy of a ledger, made while it is written to, and whether such a copy is whole and true.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_ledger::{Backup, CONFIG, Clock as _, Directory, KEPT_CONFIG, SystemClock};
use countersign_verify::files::DirSource;
use countersign_verify::{FileEntry, Options, Source, SourceError, VKey, Verdict, verify};
use serde_json::json;

use super::verify::read_keys;
use super::{DONE, bar};
use crate::failure::{Exit, Failure};
use crate::output::Out;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Copy a ledger to a new directory, up to the end of a commit, while others write to it.
    Create(CreateArgs),
    /// Check a backup: every file against its manifest, and the ledger in it as `verify` does.
    Verify(VerifyArgs),
}

/// What to copy, and where to.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// The ledger's directory.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Directory to make; best on another machine's disk.
    #[arg(value_name = "BACKUP")]
    to: PathBuf,
}

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The backup.
    #[arg(value_name = "BACKUP")]
    path: PathBuf,
    /// The log's key, as you trust it. One found inside the backup proves nothing.
    #[arg(long)]
    vkey: String,
    /// Data keys, {"1": "64 hex digits", …}: opens every record and decides everything again.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

/// Returns the exit code: that of the verdict for `backup verify`.
pub(crate) fn run(command: &BackupCommand, out: &mut Out<'_>) -> Result<u8, Failure> {
    match command {
        BackupCommand::Create(args) => create(args, out).map(|exit| exit as u8),
        BackupCommand::Verify(args) => check(args, out),
    }
}

fn create(args: &CreateArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let ledger = Directory::find(&args.dir)?;
    let bar = bar(1, "copying");
    let backup = Backup::create(&ledger, &args.to, SystemClock.now(), &mut |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let (checkpoint, files) = (backup.checkpoint(), backup.files().len());
    let passphrase = args.dir.join("keys/passphrase").exists();
    if out.is_json() {
        let fields = json!({ "to": args.to, "origin": checkpoint.origin, "size": checkpoint.size.0, "root": checkpoint.root.to_string(),
            "files": files, "passphrase_left_out": passphrase });
        out.object("backup-create", fields)?;
        return Ok(DONE);
    }
    let to = args.to.display();
    out.line(format_args!("backed up {} entries in {files} files to {to}", checkpoint.size))?;
    out.line(format_args!("root {}", checkpoint.root))?;
    if passphrase {
        out.line("keys/passphrase was left out: keep it elsewhere, without it nobody opens what was backed up")?;
    }
    out.line(format_args!("check it anywhere: countersign backup verify {to} --vkey {}", ledger.vkey()))?;
    Ok(DONE)
}

fn check(args: &VerifyArgs, out: &mut Out<'_>) -> Result<u8, Failure> {
    let vkey = VKey::parse(&args.vkey).map_err(|e| Failure::Usage(format!("--vkey: {e}")))?;
    let keys = args.keys.as_deref().map(read_keys).transpose()?;
    let backup = Backup::open(&args.path)?;
    let shown = bar(1, "comparing");
    let faults = backup.check(&mut |done, of| {
        shown.set_length(of);
        shown.set_position(done);
    })?;
    shown.finish_and_clear();
    let key_files = Some(countersign_sign::keyfile::check_any as countersign_verify::KeyFileCheck);
    let options = Options { keys, key_files, ..Options::new(vkey) };
    let shown = bar(1, "re-hashing");
    let source = BackupSource { files: DirSource::new(&args.path), backup: &backup };
    let report = verify(&source, &options, &mut |p| {
        shown.set_length(p.of.max(p.entries));
        shown.set_position(p.entries);
    });
    shown.finish_and_clear();
    // A backup with a damaged file is no good, even where the verifier does not need that file.
    let exit = if faults.is_empty() || report.verdict != Verdict::Verified { report.exit_code } else { Exit::Damaged as u8 };
    if out.is_json() {
        let report = serde_json::to_value(&report).map_err(|e| Failure::Bug(e.to_string()))?;
        out.object("backup-verify", json!({ "whole": faults.is_empty(), "faults": faults, "exit_code": exit, "report": report }))?;
        return Ok(exit);
    }
    for fault in &faults {
        out.line(format_args!("damaged  {fault}"))?;
    }
    if faults.is_empty() {
        out.line(format_args!("whole: {} files are as the manifest says", backup.files().len()))?;
    }
    out.text(&report.to_string())?;
    Ok(exit)
}

/// A backup as the data directory it is a copy of: without what is the backup's own, and with the head register it leaves out.
struct BackupSource<'a> {
    files: DirSource,
    backup: &'a Backup,
}

const REGISTER: &str = "register/head";

impl BackupSource<'_> {
    fn register(&self) -> Vec<u8> {
        countersign_log::register::encode_file(self.backup.checkpoint().size.0, self.backup.note())
    }
}

impl Source for BackupSource<'_> {
    fn files(&self) -> Result<Vec<FileEntry>, SourceError> {
        let mut files = self.files.files()?;
        files.retain(|file| !matches!(file.path.as_str(), "checkpoint" | "manifest.sha256"));
        files.iter_mut().filter(|file| file.path == KEPT_CONFIG).for_each(|file| CONFIG.clone_into(&mut file.path));
        files.push(FileEntry { path: REGISTER.to_owned(), len: self.register().len() as u64 });
        Ok(files)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        match path {
            REGISTER => Ok(self.register()),
            CONFIG => self.files.read(KEPT_CONFIG),
            path => self.files.read(path),
        }
    }
}
