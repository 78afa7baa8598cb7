//! `restore`: a ledger from a backup; and, where the backup is older than what was acknowledged, somebody's word for what is lost.

use std::path::{Path, PathBuf};

use clap::Args;
use countersign_entry::ids::{Line, PrincipalId, RequestKey};
use countersign_ledger::{Access, AppendError, Backup, Directory, Ledger, Loss};
use countersign_log::register;
use countersign_log::vkey::VKey;
use countersign_sign::Signer;
use countersign_sign::keyfile::TokenKey;
use countersign_sign::pkcs11::TokenSigner;
use serde_json::json;

use super::token::named;
use super::{DONE, bar, pin_credential, read_small};
use crate::actor::Actor;
use crate::args::{LedgerArgs, WriteArgs};
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::{drafted, open, recorded, recorded_line};

/// What to restore, or to declare lost.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    write: WriteArgs,
    /// The backup. DIR is made from it, and must not exist.
    #[arg(long, value_name = "BACKUP", required_unless_present = "declare_loss")]
    from: Option<PathBuf>,
    /// The newest head anybody has: a signed checkpoint, from a witness, a receipt or a head register. A backup that is older opens for reading alone.
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
    /// Declare what is missing up to that head lost, and go on. The ledger says so for ever, and so does whoever verifies it.
    #[arg(long, requires_all = ["head", "reason", "approver"])]
    declare_loss: bool,
    /// Why it is lost.
    #[arg(long)]
    reason: Option<Line>,
    /// The principal of an approver. Two are needed, two people, and not yours.
    #[arg(long, value_name = "PRINCIPAL")]
    approver: Vec<PrincipalId>,
    /// For a ledger with its keys in a token: the label of the key that follows, made by `key init`. The one that signed what is lost signs no more.
    #[arg(long, value_name = "LABEL")]
    key: Option<String>,
}

pub(crate) fn run(args: &RestoreArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let head = args.head.as_deref().map(read_head).transpose()?;
    if let Some(from) = &args.from {
        let bar = bar(1, "copying");
        Backup::open(from)?.restore(&args.ledger.dir, head.as_deref(), &mut |done, of| {
            bar.set_length(of);
            bar.set_position(done);
        })?;
        bar.finish_and_clear();
    }
    match (&args.reason, head) {
        (Some(reason), Some(head)) if args.declare_loss => declare_by(args, reason.clone(), head, out),
        _ => tell(args, out),
    }
}

/// A signed checkpoint, or the one in a head register's file.
fn read_head(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = read_small(path)?;
    match register::decode(&bytes) {
        Ok(Some((_, note))) => Ok(note.to_vec()),
        Ok(None) => Err(Failure::Invalid(format!("{}: this head register is empty", path.display()))),
        Err(_) => Ok(bytes),
    }
}

/// What there is now.
fn tell(args: &RestoreArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let ledger = open(&args.ledger, Access::Write)?;
    let (size, missing) = (ledger.size(), ledger.missing_until().map(|head| head.size));
    if out.is_json() {
        let why = ledger.read_only();
        out.object("restore", json!({ "size": size, "root": ledger.root().to_string(), "missing_until": missing, "read_only": why }))?;
        return Ok(if why.is_some() { Exit::Damaged } else { DONE });
    }
    out.line(format_args!("restored {size} entries, root {}", ledger.root()))?;
    match (missing, ledger.read_only()) {
        (Some(until), _) => {
            out.line(format_args!("read-only: entries {size} to {} are missing. Restore a newer backup;", until - 1))?;
            out.line("where there is none, two approvers declare them lost: restore DIR --declare-loss --head FILE --reason … --approver … --approver …")?;
            Ok(Exit::Damaged)
        }
        (None, Some(why)) => {
            out.line(format_args!("read-only: {why}"))?;
            Ok(Exit::Damaged)
        }
        (None, None) if args.head.is_none() => {
            out.line(
                "Nothing says whether this is the newest: hold it against every receipt, witness and copy there is before you go on.",
            )?;
            Ok(DONE)
        }
        (None, None) => Ok(DONE),
    }
}

/// A ledger that is behind its newest known head, and who asks.
pub(super) fn behind(args: &LedgerArgs) -> Result<(Ledger, Actor), Failure> {
    let ledger = open(args, Access::Write)?;
    let actor = Actor::find(ledger.facts(), ledger.now(), &args.dir)?;
    if ledger.missing_until().is_none() {
        let why = ledger.read_only().unwrap_or("nothing is known to be missing from this ledger").to_owned();
        return Err(AppendError::Malformed(why).into());
    }
    Ok((ledger, actor))
}

fn declare_by(args: &RestoreArgs, reason: Line, head: Vec<u8>, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let directory = Directory::find(&args.ledger.dir)?;
    let (ledger, actor) = behind(&args.ledger)?;
    let signer = following_key(args, &directory)?;
    let loss = Loss { head, reason, approvers: args.approver.clone(), signatures: Default::default() };
    let key = args.write.key()?;
    if let Some(file) = &args.write.draft {
        return Err(drafted(&ledger, &actor, file, &ledger.loss_requests(signer.vkey(), key, &loss)?));
    }
    declare(ledger, &actor, key, signer, loss, out)
}

/// Declares what is missing lost, and says what that means.
pub(super) fn declare(
    mut ledger: Ledger,
    actor: &Actor,
    key: RequestKey,
    signer: Box<dyn Signer>,
    loss: Loss,
    out: &mut Out<'_>,
) -> Result<Exit, Failure> {
    let (first, vkey) = (ledger.size(), signer.vkey().to_string());
    let receipt = ledger.declare_loss(&actor.id, key, signer, loss)?;
    if out.is_json() {
        let mut fields = recorded(&receipt)?;
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("first_lost".into(), json!(first));
            fields.insert("vkey".into(), json!(vkey));
        }
        out.object("restore", fields)?;
        return Ok(DONE);
    }
    out.line(recorded_line(&receipt)?)?;
    out.line(format_args!("entries from {first} on are declared lost; the ledger goes on under {vkey}"))?;
    out.line("Those who check this ledger keep the vkey they have: the new key follows from it, and verify tells what is missing.")?;
    Ok(DONE)
}

/// A key of the token that is listed, to go on under after a loss.
pub(super) fn following(args: &LedgerArgs, directory: &Directory, vkey: &VKey) -> Result<Box<dyn Signer>, Failure> {
    let file = directory
        .token_file()?
        .ok_or_else(|| Failure::Invalid("this ledger's keys are in files: declare the loss without a draft".into()))?;
    let key = file.keys.iter().find(|key| key.vkey == vkey.to_string());
    let key = key.ok_or_else(|| Failure::NotFound(format!("{vkey} is not among this ledger's keys in its token")))?;
    let token = file.token(args.pin_file.clone().or_else(pin_credential).as_deref());
    Ok(Box::new(TokenSigner::new(token, &key.label, vkey.clone())))
}

/// A key that signed nothing of what is lost.
fn following_key(args: &RestoreArgs, directory: &Directory) -> Result<Box<dyn Signer>, Failure> {
    let Some(mut file) = directory.token_file()? else {
        return Ok(directory.make_signing_key(args.ledger.passphrase_file.as_deref())?);
    };
    let label = args.key.as_deref();
    let label = label.ok_or_else(|| Failure::Usage("--key names the key in the token that follows; make one with key init".into()))?;
    let token = file.token(args.ledger.pin_file.clone().or_else(pin_credential).as_deref());
    let (algorithm, key) = token.public_key(label)?;
    let vkey = named(directory.origin(), algorithm, &key)?;
    // Written down before the ledger relies on it: a key that is listed and never signs does no harm.
    if file.keys.iter().all(|key| key.vkey != vkey.to_string()) {
        file.keys.push(TokenKey { label: label.to_owned(), vkey: vkey.to_string() });
        directory.keep_token_file(&file)?;
    }
    Ok(Box::new(TokenSigner::new(token, label, vkey)))
}
