//! One module for each command, or family of commands.

pub(crate) mod access;
mod access_file;
pub(crate) mod assess;
pub(crate) mod backup;
pub(crate) mod bundle;
pub(crate) mod calendar;
pub(crate) mod cases;
pub(crate) mod directory;
pub(crate) mod doctor;
mod erase;
pub(crate) mod export;
pub(crate) mod fields;
pub(crate) mod grant;
pub(crate) mod import;
mod import_report;
mod import_write;
pub(crate) mod init;
mod insider_template;
pub(crate) mod key;
pub(crate) mod keys;
mod kinds;
pub(crate) mod login;
pub(crate) mod memo;
pub(crate) mod migrate;
pub(crate) mod officer;
pub(crate) mod policy;
pub(crate) mod preclear;
pub(crate) mod proof;
pub(crate) mod query;
mod query_changed;
mod query_exposure;
mod query_insiders;
mod query_trades;
pub(crate) mod record;
mod redact;
pub(crate) mod restore;
pub(crate) mod review;
pub(crate) mod rules;
pub(crate) mod serve;
mod signed;
pub(crate) mod status;
pub(crate) mod tick;
mod token;
pub(crate) use self::token::pin_credential;
pub(crate) mod verify;
mod visible;

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::Command;
use crate::failure::{Exit, Failure};
use crate::output::Out;

/// Longest file read whole for a command: checkpoints, proofs, policies.
const FILE_BYTES_MAX: usize = 4 << 20;
/// Longest file of data keys as `export-keys` writes it: 1,500,000 of them take some 115 MiB.
const KEYS_BYTES_MAX: usize = 128 << 20;

/// Runs a command. Returns its exit code, which is not always 0: a verdict has one too.
pub(crate) fn run(command: Command, out: &mut Out<'_>) -> Result<u8, Failure> {
    let exit = match command {
        Command::Demo(args) => {
            crate::demo::run(&args.dir, out.writer()).map_err(|e| Failure::Demo(e.0))?;
            DONE
        }
        Command::Init(args) => init::run(&args, out)?,
        Command::Status(args) => status::run(&args, out)?,
        Command::Org(command) => directory::run(command, out)?,
        Command::Person(command) => directory::run(command, out)?,
        Command::Principal(command) => directory::run(command, out)?,
        Command::Provider(command) => directory::run(command, out)?,
        Command::Model(command) => directory::run(command, out)?,
        Command::Issuer(command) => directory::run(command, out)?,
        Command::Exposure(command) => directory::run(command, out)?,
        Command::Submission(command) => directory::run(*command, out)?,
        Command::Agreement(command) => directory::run(command, out)?,
        Command::Recusal(command) => directory::run(command, out)?,
        Command::List(command) => directory::run_list(command, out)?,
        Command::Policy(command) => policy::run(&command, out)?,
        Command::Grant(command) => grant::run(&command, out)?,
        Command::Access(command) => access::run(&command, out)?,
        Command::Import(args) => import::run(&args, out)?,
        Command::Record(command) => record::run(&command, out)?,
        Command::Review(args) => review::run(&args, out)?,
        Command::Query(command) => query::run(&command, out)?,
        Command::Cases(command) => cases::run(&command, out)?,
        Command::Preclear(command) => preclear::run(&command, out)?,
        Command::Filer(command) => directory::run(command, out)?,
        Command::Calendar(args) => calendar::run(&args, out)?,
        Command::Duty(args) => calendar::record(&args, out)?,
        Command::Explain(args) => memo::run(&args, out)?,
        Command::Assess(args) => assess::run(&args, out)?,
        Command::Rules(args) => rules::run(&args, out)?,
        Command::Tick(args) => tick::run(&args, out)?,
        Command::Export(args) => export::run(&args, out)?,
        Command::Bundle(args) => bundle::run(&args, out)?,
        Command::Proof(args) => proof::run(&args, out)?,
        Command::Verify(args) => return verify::run(&args, out),
        Command::Backup(command) => return backup::run(&command, out),
        Command::Migrate(command) => migrate::run(&command, out)?,
        Command::Restore(args) => restore::run(&args, out)?,
        Command::Key(command) => key::run(&command, out)?,
        Command::Officer(command) => officer::run(&command, out)?,
        Command::Login(command) => login::run(&command, out)?,
        Command::Doctor(args) => doctor::run(&args, out)?,
        Command::Serve(args) => serve::run(&args, out)?,
        Command::Config(command) => serve::config(&command, out)?,
        Command::ExportKeys(args) => keys::run(&args, out)?,
    };
    Ok(exit as u8)
}

/// Reads a file no longer than any a command takes.
pub(crate) fn read_small(path: &Path) -> Result<Vec<u8>, Failure> {
    read_whole(path, FILE_BYTES_MAX)
}

/// Reads a file of at most `max` bytes.
fn read_whole(path: &Path, max: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(Failure::file(path))?;
    file.take(max as u64 + 1).read_to_end(&mut bytes).map_err(Failure::file(path))?;
    if bytes.len() > max {
        return Err(Failure::Invalid(format!("{} is longer than {max} bytes", path.display())));
    }
    Ok(bytes)
}

/// Writes a file that must not exist yet.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(Failure::file(path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(Failure::file(path))
}

/// A bar on standard error, which shows itself on a terminal alone. `of` is 0 where the end is not known.
pub(crate) fn bar(of: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target((of > 0).then_some(of), ProgressDrawTarget::stderr());
    let template = if of > 0 { "{msg} {wide_bar} {pos}/{len} {per_sec}, {eta} left" } else { "{msg} {pos} {per_sec}" };
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(what);
    bar
}

/// The code of a command that did what it was asked.
const DONE: Exit = Exit::Done;
