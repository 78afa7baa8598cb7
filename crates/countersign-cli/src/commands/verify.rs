//! `verify`: everything wrong with a ledger or an export, offline. The judgement is the library's; this reads files and shows the report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use countersign_verify::files::DirSource;
use countersign_verify::{Options, VKey, verify};

use super::{KEYS_BYTES_MAX, bar, read_small, read_whole};
use crate::failure::Failure;
use crate::output::Out;

/// What to check, and against what.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// An export, or a ledger's directory.
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// The log's key, as you trust it. One found inside the ledger proves nothing.
    #[arg(long)]
    vkey: String,
    /// Data keys, {"1": "64 hex digits", …}: opens every record and decides everything again.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// A signed checkpoint kept from earlier, or by somebody else. May be given several times.
    #[arg(long, value_name = "FILE")]
    known_checkpoint: Vec<PathBuf>,
    /// Leave the sealed records alone.
    #[arg(long, conflicts_with = "keys")]
    public_only: bool,
}

/// Returns the verdict's exit code.
pub(crate) fn run(args: &VerifyArgs, out: &mut Out<'_>) -> Result<u8, Failure> {
    let vkey = VKey::parse(&args.vkey).map_err(|e| Failure::Usage(format!("--vkey: {e}")))?;
    let keys = args.keys.as_deref().map(read_keys).transpose()?;
    let known_checkpoints = args.known_checkpoint.iter().map(|path| read_small(path)).collect::<Result<_, _>>()?;
    let key_files = Some(countersign_sign::keyfile::check_any as countersign_verify::KeyFileCheck);
    let options = Options { keys, known_checkpoints, public_only: args.public_only, key_files, ..Options::new(vkey) };
    let bar = bar(1, "re-hashing");
    let report = verify(&DirSource::new(&args.path), &options, &mut |p| {
        bar.set_length(p.of.max(p.entries));
        bar.set_position(p.entries);
    });
    bar.finish_and_clear();
    let shown = if out.is_json() {
        let json = serde_json::to_string(&report).map_err(|e| Failure::Bug(e.to_string()))?;
        out.line(json)
    } else {
        out.text(&report.to_string())
    };
    match shown {
        // A verdict that nobody could read must not pass for one that was read, and a bad one stays bad.
        Err(e) if report.exit_code == 0 && e.is_broken_pipe() => Ok(crate::failure::Exit::Failed as u8),
        Err(e) if report.exit_code == 0 => Err(e),
        _ => Ok(report.exit_code),
    }
}

/// Data keys from a file, by id.
pub(super) fn read_keys(path: &Path) -> Result<BTreeMap<u32, [u8; 32]>, Failure> {
    let invalid = |what: String| Failure::Invalid(format!("{}: {what}", path.display()));
    let texts: BTreeMap<u32, String> = serde_json::from_slice(&read_whole(path, KEYS_BYTES_MAX)?).map_err(|e| invalid(e.to_string()))?;
    let decode = |(id, text): (u32, String)| {
        let mut key = [0; 32];
        hex::decode_to_slice(&text, &mut key).map_err(|e| invalid(format!("key {id}: {e}")))?;
        Ok((id, key))
    };
    texts.into_iter().map(decode).collect()
}
