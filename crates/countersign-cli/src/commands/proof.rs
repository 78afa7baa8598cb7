//! `proof`: an entry's proof as files, and checking one with nothing but the vkey.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use countersign_entry::leaf::Leaf;
use countersign_ledger::{Access, AppendError};
use countersign_log::checkpoint::CheckpointError;
use countersign_log::note::NoteVerifyError;
use countersign_log::proof::{ProofError, TlogProof};
use countersign_log::vkey::VKey;
use serde_json::json;

use super::{DONE, read_small, write_new};
use crate::args::LedgerArgs;
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::open;

/// Writing a proof, or checking one.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct ProofArgs {
    #[command(subcommand)]
    command: Option<ProofCommand>,
    #[command(flatten)]
    make: Option<MakeArgs>,
}

/// Beside writing one.
#[derive(Debug, Subcommand)]
enum ProofCommand {
    /// Check a proof offline.
    Verify(VerifyArgs),
}

/// Which entry, and where to.
#[derive(Debug, Args)]
struct MakeArgs {
    // Not flattened from `LedgerArgs`: clap does not see an optional group whose members come from another one.
    /// The ledger's directory.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// File that holds the passphrase. Without it: $CREDENTIALS_DIRECTORY/countersign-passphrase if that exists, else DIR/keys/passphrase.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// File that holds the PIN of the token with the ledger's keys. Without it: as for other commands.
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
    /// The entry.
    #[arg(value_name = "INDEX")]
    index: u64,
    /// File to write; the entry's leaf goes beside it, as FILE.leaf.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// What to check.
#[derive(Debug, Args)]
struct VerifyArgs {
    /// The proof.
    #[arg(value_name = "FILE")]
    proof: PathBuf,
    /// The leaf it is for. Without it: FILE.leaf.
    #[arg(long, value_name = "FILE")]
    leaf: Option<PathBuf>,
    /// The log's key, as you trust it.
    #[arg(long)]
    vkey: String,
}

pub(crate) fn run(args: &ProofArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    match (&args.command, &args.make) {
        (Some(ProofCommand::Verify(args)), _) => verify(args, out),
        (None, Some(args)) => make(args, out),
        (None, None) => Err(Failure::Usage("DIR, INDEX and -o FILE are needed, or `proof verify`".into())),
    }
}

fn make(args: &MakeArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let ledger = open(
        &LedgerArgs {
            dir: args.dir.clone(),
            passphrase_file: args.passphrase_file.clone(),
            pin_file: args.pin_file.clone(),
            inquiry: None,
        },
        Access::Read,
    )?;
    if args.index >= ledger.size() {
        return Err(Failure::NotFound(format!("entry {} is not recorded: the ledger has {} entries", args.index, ledger.size())));
    }
    let proof = ledger.proof(args.index)?;
    let text = proof.tlog_proof().map_err(|e| AppendError::Unknown(e.to_string()))?;
    let leaf = leaf_beside(&args.output);
    write_new(&args.output, text.as_bytes(), 0o644)?;
    write_new(&leaf, &proof.leaf, 0o644)?;
    let (proof, vkey) = (args.output.display(), ledger.vkey().to_string());
    if out.is_json() {
        out.object("proof", json!({ "entry": args.index, "proof": args.output, "leaf": leaf, "vkey": vkey }))?;
    } else {
        out.line(format_args!("proof of entry {} in {proof}, its leaf in {}", args.index, leaf.display()))?;
        out.line(format_args!("check it anywhere: countersign proof verify {proof} --leaf {} --vkey {vkey}", leaf.display()))?;
    }
    Ok(DONE)
}

fn leaf_beside(proof: &Path) -> PathBuf {
    let mut name = proof.as_os_str().to_owned();
    name.push(".leaf");
    name.into()
}

fn verify(args: &VerifyArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let vkey = VKey::parse(&args.vkey).map_err(|e| Failure::Usage(format!("--vkey: {e}")))?;
    let leaf_path = args.leaf.clone().unwrap_or_else(|| leaf_beside(&args.proof));
    let (proof, leaf) = (read_small(&args.proof)?, read_small(&leaf_path)?);
    let unreadable = |what: &Path, e: Box<dyn std::error::Error + Send + Sync>| Failure::Proof {
        what: format!("COULD NOT CHECK: {} does not read", what.display()),
        exit: Exit::CouldNotCheck,
        source: Some(e),
    };
    let parsed = TlogProof::parse(&proof).map_err(|e| unreadable(&args.proof, e.into()))?;
    let proven = parsed.verify(&leaf, &vkey).map_err(refused)?;
    let decoded = Leaf::decode(&leaf).map_err(|e| unreadable(&leaf_path, e.into()))?;
    if decoded.index != proven.index().0 {
        let what = format!("TAMPERED: the leaf says it is entry {}, the proof is for entry {}", decoded.index, proven.index());
        return Err(Failure::Proof { what, exit: Exit::Damaged, source: None });
    }
    let (index, size, root) = (proven.index().0, proven.size().0, proven.root().to_string());
    if out.is_json() {
        let fields =
            json!({ "verdict": "verified", "exit_code": 0, "entry": index, "size": size, "root": root, "origin": proven.origin() });
        out.object("proof-verify", fields)?;
    } else {
        out.line(format_args!("VERIFIED  entry {index} is in {} at size {size}, root {root}", proven.origin()))?;
        out.line("not checked: what the entry says (its record is sealed), and whether the log goes on from this checkpoint")?;
    }
    Ok(DONE)
}

fn refused(e: ProofError) -> Failure {
    let exit = match &e {
        ProofError::Checkpoint(CheckpointError::Signature(NoteVerifyError::BadSignature { .. })) | ProofError::Inclusion(_) => {
            Exit::Damaged
        }
        ProofError::Checkpoint(CheckpointError::Note(_)) => Exit::CouldNotCheck,
        ProofError::Checkpoint(CheckpointError::Text(_)) => Exit::Damaged,
        ProofError::Checkpoint(_) => Exit::Untrusted,
    };
    let verdict = match exit {
        Exit::Damaged => "TAMPERED",
        Exit::Untrusted => "UNTRUSTED",
        _ => "COULD NOT CHECK",
    };
    Failure::Proof { what: format!("{verdict}: the proof does not hold"), exit, source: Some(e.into()) }
}
