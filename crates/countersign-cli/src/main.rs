//! The program `countersign`: the ledger's commands for people and scripts.
//!
//! In scope: reading the command line and files people write, telling who acts, showing answers as tables, CSV or JSON, exit codes.
//!
//! Not in scope: what may be recorded and what is decided (`countersign-conflict`), recording it (`countersign-ledger`), checking a ledger
//! (`countersign-verify`), reading a source's rows (`countersign-import`), which issuer an asset means (`countersign-match`).
//!
//! Limits: a file read whole is at most 4 MiB (one to import: those of `countersign-import`), a line of access events at most 64 KiB.

mod actor;
mod args;
mod commands;
mod defaults;
mod demo;
mod draft;
mod explain;
mod failure;
mod finding;
mod output;
mod preset;
mod session;
mod words;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use self::args::Cli;
use self::failure::{Exit, Failure};
use self::output::Out;

/// A request allocates some hundred small pieces, on one thread, and another frees them; the system's allocator takes a tenth of the time of an append for it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    keep_memory();
    let mut stdout = std::io::stdout().lock();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => return usage(&e, &mut stdout),
    };
    let json = cli.json;
    match commands::run(cli.command, &mut Out::new(&mut stdout, json)) {
        Ok(code) => ExitCode::from(code),
        Err(e) if e.is_broken_pipe() => ExitCode::SUCCESS,
        Err(Failure::Drafted(file)) => drafted(&file, &mut Out::new(&mut stdout, json)),
        Err(e) => fail(&e, json, &mut stdout),
    }
}

/// Keys are open in memory while a ledger is. Nothing of it goes to a core dump, no other process of this user may look, and none of it is swapped out
/// where the system lets a process lock as much as it likes: under a bound, an allocation would fail sooner or later.
fn keep_memory() {
    use rustix::mm::{MlockAllFlags, mlockall};
    use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
    // Where the system refuses, the ledger still works; SECURITY.md says that memory is as safe as the machine.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).unwrap_or(());
    set_dumpable_behavior(DumpableBehavior::NotDumpable).unwrap_or(());
    if getrlimit(Resource::Memlock).current.is_none() {
        mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT).unwrap_or(());
    }
}

/// Nothing was recorded, and that was asked for.
fn drafted(file: &Path, out: &mut Out<'_>) -> ExitCode {
    let file = file.display();
    let told = if out.is_json() {
        out.object("draft", serde_json::json!({ "recorded": false, "draft": file.to_string() }))
    } else {
        out.line(format_args!(
            "Nothing is recorded yet. Written to {file}: let officers sign it with `countersign officer sign {file} --key …`,"
        ))
        .and_then(|()| out.line(format_args!("then record it with `countersign record signed DIR {file} --approval … --signed …`.")))
    };
    told.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

fn fail(e: &Failure, json: bool, stdout: &mut dyn Write) -> ExitCode {
    let exit = e.exit();
    output::report(&e.sentence(), exit, json, stdout);
    ExitCode::from(exit as u8)
}

/// Help and version go to standard output and are no failure; everything else clap says is one of usage.
fn usage(e: &clap::Error, stdout: &mut dyn Write) -> ExitCode {
    let text = e.render().to_string();
    if matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).unwrap_or(());
        return ExitCode::SUCCESS;
    }
    let json = std::env::args_os().any(|a| a == "--json");
    let message = text.trim_end();
    output::report(message.strip_prefix("error: ").unwrap_or(message), Exit::Usage, json, stdout);
    ExitCode::from(Exit::Usage as u8)
}
