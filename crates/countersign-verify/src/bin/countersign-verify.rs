//! `countersign-verify PATH --vkey V`: reads a ledger's files and prints the library's report. No network, no writing.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use countersign_verify::files::DirSource;
use countersign_verify::{Options, Progress, VKey, verify};

const USAGE: &str = "usage: countersign-verify PATH --vkey VKEY [--keys FILE.json] [--known-checkpoint FILE]... [--json] [--public-only]

  PATH                 an export (with `checkpoint`) or a data directory (with `segments/`)
  --vkey VKEY          the log's key as you trust it: <origin>+<key id>+<base64>
  --keys FILE          data keys, {\"1\": \"64 hex digits\", ...}; asks for every content to be opened and every decision replayed
  --known-checkpoint   a signed checkpoint you kept; may be given more than once
  --json               the report as JSON
  --public-only        leave the sealed plane alone

exit: 0 verified, 10 tampered, 12 untrusted, 13 stale, 11 could not check, 2 usage
";
const EXIT_USAGE: u8 = 2;

struct Arguments {
    path: String,
    options: Options,
    json: bool,
}

fn main() -> ExitCode {
    let arguments = match parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            say(&mut std::io::stderr(), &format!("{message}\n\n{USAGE}"));
            return ExitCode::from(EXIT_USAGE);
        }
    };
    let tty = std::io::stderr().is_terminal();
    let mut show = |p: Progress| {
        if tty {
            say(&mut std::io::stderr(), &format!("\rre-hashing {}/{}", p.entries, p.of));
        }
    };
    let report = verify(&DirSource::new(&arguments.path), &arguments.options, &mut show);
    if tty {
        say(&mut std::io::stderr(), "\r\x1b[K");
    }
    let text = if arguments.json {
        match serde_json::to_string_pretty(&report) {
            Ok(json) => format!("{json}\n"),
            Err(e) => {
                say(&mut std::io::stderr(), &format!("the report has no JSON form: {e}\n"));
                return ExitCode::FAILURE;
            }
        }
    } else {
        report.to_string()
    };
    // A verdict that nobody could read must not pass for one that was read.
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::from(report.exit_code),
        Err(_) if report.exit_code != 0 => ExitCode::from(report.exit_code),
        Err(_) => ExitCode::FAILURE,
    }
}

/// Messages beside the report: if they cannot be written there is nobody left to tell.
fn say(to: &mut dyn Write, text: &str) {
    to.write_all(text.as_bytes()).and_then(|()| to.flush()).unwrap_or(());
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let (mut path, mut vkey, mut keys, mut known) = (None, None, None, Vec::new());
    let (mut json, mut public_only) = (false, false);
    while let Some(argument) = arguments.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
            _ => (argument, None),
        };
        let mut value = || inline.clone().or_else(|| arguments.next()).ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--vkey" => vkey = Some(value()?),
            "--keys" => keys = Some(read_keys(&value()?)?),
            "--known-checkpoint" => known.push(read(&value()?)?),
            "--json" => json = true,
            "--public-only" => public_only = true,
            "--help" | "-h" => return Err("Checks a ledger and says everything that is wrong with it.".to_owned()),
            other if other.starts_with('-') => return Err(format!("unknown option {other}")),
            _ if path.is_some() => return Err("more than one PATH".to_owned()),
            _ => path = Some(name),
        }
    }
    let vkey = vkey.ok_or("--vkey is needed: a key found inside the ledger proves nothing")?;
    let vkey = VKey::parse(&vkey).map_err(|e| format!("--vkey: {e}"))?;
    let options = Options { keys, known_checkpoints: known, public_only, ..Options::new(vkey) };
    Ok(Arguments { path: path.ok_or("PATH is needed")?, options, json })
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| format!("{path}: {e}"))
}

fn read_keys(path: &str) -> Result<BTreeMap<u32, [u8; 32]>, String> {
    let texts: BTreeMap<u32, String> = serde_json::from_slice(&read(path)?).map_err(|e| format!("{path}: {e}"))?;
    let decode = |(id, text): (u32, String)| {
        let mut key = [0; 32];
        hex::decode_to_slice(&text, &mut key).map_err(|e| format!("{path}: key {id}: {e}"))?;
        Ok((id, key))
    };
    texts.into_iter().map(decode).collect()
}
