//! `doctor`: whether a ledger and the service over it have what they need, each with what to do. Writes nothing but a file it removes again.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use countersign_api::marking::banner;
use countersign_entry::time::Micros;
use countersign_ledger::{Access, Clock as _, Directory, Ledger, SystemClock};
use countersign_server::answer::highest_of;
use countersign_server::config::ConfigError;
use countersign_server::doctor::{Found, Health, look, private};
use countersign_server::{CONFIG_FILE, Config, local};
use serde_json::json;

use super::DONE;
use crate::args::LedgerArgs;
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::open;

/// Bytes left at which the disk is told of, and at which nothing can be recorded for long.
const DISK_WARN: u64 = 5 << 30;
const DISK_FAIL: u64 = 256 << 20;
/// Flushes that are timed.
const FLUSHES: u32 = 16;
/// A flush no device makes, and one that is slow.
const FLUSH_QUICK: Duration = Duration::from_micros(15);
const FLUSH_SLOW: Duration = Duration::from_millis(20);

/// A signature that is slow: a commit waits for one.
const SIGNATURE_SLOW: Duration = Duration::from_millis(100);

/// Which ledger, and which service.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The service's configuration. Without it: DIR/serve.toml, where there is one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) fn run(args: &DoctorArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let found = everything(args);
    let count = |health| found.iter().filter(|f| f.health == health).count();
    let failed = count(Health::Fail);
    if out.is_json() {
        let counts = json!({ "ok": count(Health::Ok), "warn": count(Health::Warn), "fail": failed });
        out.object("doctor", json!({ "found": found, "counts": counts, "healthy": failed == 0 }))?;
    } else {
        for f in &found {
            let word = match f.health {
                Health::Ok => "ok",
                Health::Warn => "warn",
                Health::Fail => "fail",
            };
            out.line(format_args!("{word:<5} {:<17} {}", f.check, f.text))?;
        }
        out.line(format_args!("{} ok, {} warn, {failed} fail", count(Health::Ok), count(Health::Warn)))?;
    }
    Ok(if failed == 0 { DONE } else { Exit::Failed })
}

fn everything(args: &DoctorArgs) -> Vec<Found> {
    let mut all = vec![Found::ok("version", format!("countersign {}", env!("CARGO_PKG_VERSION")))];
    let dir = &args.ledger.dir;
    match Directory::find(dir) {
        Ok(directory) => {
            all.push(Found::ok("directory", format!("{}: {}", dir.display(), directory.origin())));
            all.extend(permissions(dir));
            all.extend(disk(dir, directory.register()));
            all.push(flush(dir));
            all.extend(ledger(args, &directory));
            all.push(socket(dir));
        }
        Err(e) => all.push(Found::fail("directory", e.to_string())),
    }
    all.push(time_service());
    all.extend(service(args));
    all
}

/// Whoever can write the directory can take the ledger away, and whoever reads the keys reads everything.
fn permissions(dir: &Path) -> Vec<Found> {
    const CHECK: &str = "permissions";
    let mut all = Vec::new();
    match fs::metadata(dir) {
        Ok(of) if of.mode() & 0o022 != 0 => {
            let mode = of.mode() & 0o777;
            all.push(Found::fail(CHECK, format!("{}: mode {mode:o}; chmod go-w it: others can change what is in it", dir.display())));
        }
        Ok(of) if of.uid() != rustix::process::geteuid().as_raw() => {
            all.push(Found::warn(CHECK, format!("{}: belongs to uid {}, and you are another", dir.display(), of.uid())));
        }
        Ok(_) => all.push(Found::ok(CHECK, format!("{}: yours, and nobody else's to write", dir.display()))),
        Err(e) => all.push(Found::fail(CHECK, format!("{}: {e}", dir.display()))),
    }
    for entry in fs::read_dir(dir.join("keys")).into_iter().flatten().flatten() {
        if !entry.path().is_dir() {
            all.push(private(&entry.path()));
        }
    }
    if dir.join("keys/passphrase").exists() {
        let what = "the passphrase lies beside the keys: whoever has the directory has them; for a throw-away ledger alone";
        all.push(Found::warn("passphrase", what));
    }
    all
}

fn disk(dir: &Path, register: &Path) -> Vec<Found> {
    const CHECK: &str = "disk";
    let mut all = Vec::new();
    match rustix::fs::statvfs(dir) {
        Ok(stat) => {
            let left = stat.f_bavail.saturating_mul(stat.f_frsize);
            let text = format!("{:.1} GiB left", left as f64 / f64::from(1 << 30));
            all.push(match left {
                ..DISK_FAIL => Found::fail(CHECK, format!("{text}: make room, or nothing can be recorded soon")),
                DISK_FAIL..DISK_WARN => Found::warn(CHECK, format!("{text}: an entry takes about 1.1 KiB; make room")),
                _ => Found::ok(CHECK, text),
            });
        }
        Err(e) => all.push(Found::fail(CHECK, format!("{}: {e}", dir.display()))),
    }
    let device = |path: &Path| fs::metadata(path).map(|of| of.dev()).ok();
    let parent = register.parent().unwrap_or(register);
    all.push(if device(dir).is_some() && device(dir) == device(parent) {
        Found::warn(
            "register",
            "lies on the ledger's file system: whoever sets that back sets both back; put it on another (init --register)",
        )
    } else {
        Found::ok("register", "lies on a file system of its own")
    });
    all
}

/// What a flush takes. A device that flushes in no time does not keep its word.
fn flush(dir: &Path) -> Found {
    const CHECK: &str = "flush";
    let path = dir.join(format!(".doctor-{}", std::process::id()));
    let timed = || -> std::io::Result<Duration> {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(&[0; 4_096])?;
        file.sync_all()?;
        let began = Instant::now();
        for _ in 0..FLUSHES {
            file.write_all(&[0; 512])?;
            file.sync_data()?;
        }
        Ok(began.elapsed() / FLUSHES)
    };
    let took = timed();
    fs::remove_file(&path).unwrap_or(());
    match took {
        Ok(took) if took < FLUSH_QUICK => {
            Found::warn(CHECK, format!("{took:?}: no disk is so quick; what is acknowledged may be lost with the power"))
        }
        Ok(took) if took > FLUSH_SLOW => Found::warn(CHECK, format!("{took:?}: each commit waits for three of them; a quicker disk helps")),
        Ok(took) => Found::ok(CHECK, format!("{took:?} each")),
        Err(e) => Found::fail(CHECK, format!("{}: {e}: nothing can be recorded here", dir.display())),
    }
}

fn ledger(args: &DoctorArgs, directory: &Directory) -> Vec<Found> {
    let place = match directory.token_file() {
        Ok(Some(_)) => "in a token",
        Ok(None) => "in files",
        Err(e) => return vec![Found::fail("keys", e.to_string())],
    };
    let mut ledger = match open(&args.ledger, Access::Read) {
        Ok(ledger) => ledger,
        Err(e) => return vec![Found::fail("keys", format!("{place}; the ledger does not open: {e}"))],
    };
    let mut all = vec![Found::ok("keys", format!("{place}; they open the ledger"))];
    all.push(match ledger.try_key() {
        Ok(took) if took > SIGNATURE_SLOW => {
            Found::warn("signing key", format!("signs, in {took:?}: each commit waits for one signature; a quicker token helps"))
        }
        Ok(took) => Found::ok("signing key", format!("signed a test text in {took:?}, and the signature holds")),
        Err(e) => Found::fail("signing key", format!("{e}: nothing is acknowledged until it signs")),
    });
    if let Some((_, Ok(config))) = configured(args) {
        all.push(marking(&ledger, &config));
    }
    all.push(match ledger.read_only() {
        Some(why) => Found::fail("ledger", format!("{} entries, and it takes no more: {why}", ledger.size())),
        None => Found::ok("ledger", format!("{} entries, root {}", ledger.size(), ledger.root())),
    });
    all.push(match ledger.register_size() {
        Ok(None) => Found::fail("head", "the register was never used: nobody would know if entries were missing"),
        Ok(Some(known)) if known == ledger.size() => Found::ok("head", format!("the register knows the same {known} entries")),
        Ok(Some(known)) if known < ledger.size() => {
            Found::warn("head", format!("the register knows {known} of {}; the next commit advances it", ledger.size()))
        }
        Ok(Some(known)) => {
            let size = ledger.size();
            Found::fail(
                "head",
                format!("the register knows {known} entries, the store {size}: some are missing; see `countersign help restore`"),
            )
        }
        Err(e) => Found::fail("head", e.to_string()),
    });
    all.push(clock(&ledger));
    all
}

fn clock(ledger: &Ledger) -> Found {
    let now = SystemClock.now();
    let last = ledger.size().checked_sub(1).and_then(|index| ledger.entry(index).ok()).and_then(|(_, meta, _)| Micros::new(meta.at).ok());
    match last {
        Some(last) if last > now => Found::fail("clock", format!("it says {now}, and the newest entry is of {last}: set it right")),
        _ => Found::ok("clock", format!("{now}, and no entry is of later")),
    }
}

/// systemd-timesyncd and chrony leave a sign when they keep the time.
fn time_service() -> Found {
    let signs = ["/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid", "/run/chronyd.pid", "/run/ntpd.pid"];
    match signs.iter().find(|sign| Path::new(sign).exists()) {
        Some(sign) => Found::ok("time service", format!("{sign} is there; how far off the clock is was not asked")),
        None => Found::warn("time service", "none is seen: run chrony or systemd-timesyncd; times of entries are disputed otherwise"),
    }
}

fn socket(dir: &Path) -> Found {
    let path = dir.join(local::SOCKET);
    if !path.exists() {
        return Found::ok("service", "none runs over this ledger");
    }
    match UnixStream::connect(&path) {
        Ok(_) => Found::ok("service", format!("one runs, and takes commands at {}", path.display())),
        Err(e) => Found::warn("service", format!("{}: {e}: left behind, or not for you; a start replaces it", path.display())),
    }
}

/// Whether the configuration says at least what the store holds.
fn marking(ledger: &Ledger, config: &Config) -> Found {
    const CHECK: &str = "marking";
    let said = banner(&config.marking);
    match highest_of(ledger, &config.marking) {
        Ok(is) if is == config.marking => Found::ok(CHECK, format!("{said}, and no submission is marked beyond that")),
        Ok(is) => Found::warn(
            CHECK,
            format!("the configuration says {said}, and the store holds {}: answers carry that; write it down", banner(&is)),
        ),
        Err(e) => Found::fail(CHECK, e.to_string()),
    }
}

/// The configuration that is named, or the directory's own; none where there is none.
fn configured(args: &DoctorArgs) -> Option<(PathBuf, Result<Config, ConfigError>)> {
    let own = args.ledger.dir.join(CONFIG_FILE);
    let file = args.config.clone().or_else(|| own.exists().then_some(own))?;
    let config = Config::read(&file);
    Some((file, config))
}

fn service(args: &DoctorArgs) -> Vec<Found> {
    match configured(args) {
        None => vec![Found::ok("configuration", format!("no {CONFIG_FILE}: the ledger is not to be served"))],
        Some((file, Ok(config))) => {
            let now = i64::try_from(SystemClock.now().value() / 1_000_000).unwrap_or(i64::MAX);
            let read = Found::ok("configuration", format!("{} is one", file.display()));
            std::iter::once(read).chain(look(&config, now)).collect()
        }
        Some((_, Err(e))) => vec![Found::fail("configuration", e.to_string())],
    }
}
