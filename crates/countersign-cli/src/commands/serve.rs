//! `serve` and `config`: the ledger over the network.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use countersign_ledger::{Access, Directory, Notice, Opening, SystemClock};
use countersign_server::{CONFIG_FILE, Config, ServeError, Service};
use serde_json::json;

use super::DONE;
use crate::args::LedgerArgs;
use crate::failure::{Exit, Failure};
use crate::output::{Out, say};
use crate::session::opening;

/// How to serve.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The configuration. Without it: DIR/serve.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The configuration of `serve`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say whether a configuration is one; a key nobody knows is an error.
    Check(ConfigArgs),
    /// Print a configuration with every value filled in. Secrets stand in files of their own, whose paths it shows.
    Show(ConfigArgs),
}

/// Which configuration.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn run(args: &ServeArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let config = read(args.config.as_deref().unwrap_or(&args.ledger.dir.join(CONFIG_FILE)))?;
    countersign_server::log::to_stderr();
    more_files();
    // One directory for all: it opens for reading while the token is away.
    let (directory, again) = (Directory::find(&args.ledger.dir)?, args.ledger.clone());
    let reopen = move |access| directory.open(access, logged(opening(again.passphrase_file.as_deref(), again.pin_file.as_deref())));
    let ledger = reopen(Access::Write)?;
    let service = Service { ledger, reopen: Arc::new(reopen), clock: Box::new(SystemClock), config, dir: Some(args.ledger.dir.clone()) };
    let running = service.start().map_err(failed)?;
    let (address, operations) = (running.address().to_string(), running.operations().to_string());
    if out.is_json() {
        out.object("serve", json!({ "address": address, "operations": operations }))?;
    } else {
        out.line(format_args!("serving on https://{address}; health and metrics on http://{operations}"))?;
    }
    tell_systemd("READY=1");
    running.wait_for_signal().map_err(Failure::Output)?;
    tell_systemd("STOPPING=1");
    running.stop();
    Ok(DONE)
}

/// What an opening tells goes to the log, but for how far it is, which a terminal shows.
fn logged(mut opening: Opening) -> Opening {
    let mut shown = opening.told;
    opening.told = Box::new(move |notice| match notice {
        Notice::Anew(why) => countersign_server::log::made_anew(why),
        doing => shown(doing),
    });
    opening
}

/// Says to systemd, where it started this, how far it is (sd_notify(3)). Where nobody listens there is nobody to tell.
fn tell_systemd(what: &str) {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    let Some(place) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let address = match place.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&place),
    };
    let sent = UnixDatagram::unbound().and_then(|socket| socket.send_to_addr(what.as_bytes(), &address?));
    sent.map_or_else(|e| say(format_args!("systemd was not told: {e}")), drop);
}

/// Each connection is a file to the operating system, and the usual limit is for programs that have a few.
fn more_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Where it is not given, there are fewer connections and no harm.
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap_or(());
}

fn failed(e: ServeError) -> Failure {
    match e {
        ServeError::Tls(e) => Failure::Invalid(e.to_string()),
        ServeError::Oidc(e) => Failure::Invalid(e.to_string()),
        ServeError::Webhook(e) => Failure::Invalid(e.to_string()),
        ServeError::Io { source, what } => Failure::File { path: what.into(), source },
        ServeError::Ledger(e) => e.into(),
        ServeError::Bug(what) => Failure::Bug(what),
    }
}

fn read(path: &Path) -> Result<Config, Failure> {
    use countersign_server::ConfigError;
    Config::read(path).map_err(|e| match e {
        ConfigError::File { path, source } => Failure::File { path, source },
        e @ ConfigError::Content { .. } => Failure::Invalid(e.to_string()),
    })
}

pub(crate) fn config(command: &ConfigCommand, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let (ConfigCommand::Check(args) | ConfigCommand::Show(args)) = command;
    let config = read(&args.file)?;
    let file = args.file.display();
    match command {
        ConfigCommand::Check(_) if out.is_json() => out.object("config-check", json!({ "file": args.file, "good": true }))?,
        ConfigCommand::Check(_) => out.line(format_args!("{file} is a configuration"))?,
        ConfigCommand::Show(_) if out.is_json() => out.object("config-show", json!({ "config": config }))?,
        ConfigCommand::Show(_) => out.text(&config.render().map_err(Failure::Bug)?)?,
    }
    Ok(DONE)
}
