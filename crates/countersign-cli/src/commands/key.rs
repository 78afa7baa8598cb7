//! `key`: signing keys in a token, from making one to destroying it.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use countersign_entry::ids::{Hash32, Line, PrincipalId, RequestKey};
use countersign_entry::record::{KeyAttested, Record, Role};
use countersign_ledger::{Directory, Receipt, Request, Revocation, Rotation, Signatures};
use countersign_log::vkey::VKey;
use countersign_sign::keyfile::{TokenFile, TokenKey};
use countersign_sign::pkcs11::{Algorithm, Class, Token, TokenSigner};
use serde_json::{Value, json};

use super::DONE;
use super::erase::{self, CompartmentArgs, EraseArgs};
use super::token::{Said, TokenArgs, Transcript, named, pin_credential};
use crate::args::{LedgerArgs, WriteArgs};
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::{Session, drafted, random_key, recorded_line};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a signing key in a token. Never makes a second one under a label.
    Init(MakeArgs),
    /// List the keys in a token.
    List(TokenArgs),
    /// Record and show what the token says of a ledger's signing key.
    Attest(AttestArgs),
    /// Let another key, made by `key init`, follow the one that signs.
    Rotate(RotateArgs),
    /// Revoke a key that another has followed.
    Revoke(RevokeArgs),
    /// Destroy a signing key in the token that signs no longer.
    Destroy(DestroyArgs),
    /// Wrap the data keys under a new key of the token and destroy the one before it: no older copy of their file opens any more.
    Rewrap(RewrapArgs),
    /// List what the data keys seal.
    Compartments(CompartmentArgs),
    /// Destroy the data key of a compartment that is kept long enough: what it sealed can be read no more, by anybody.
    Erase(EraseArgs),
}

/// A key to make.
#[derive(Debug, Args)]
pub(crate) struct MakeArgs {
    #[command(flatten)]
    token: TokenArgs,
    /// Its label.
    #[arg(long, value_name = "LABEL")]
    key: String,
    /// The log it is to sign for, such as `agency.example/access`.
    #[arg(long)]
    origin: String,
    /// What it signs with. P-256 where the token does not approve Ed25519 in its FIPS mode.
    #[arg(long, value_enum, default_value_t = AlgorithmName::Ed25519)]
    algorithm: AlgorithmName,
    #[command(flatten)]
    ceremony: CeremonyArgs,
}

/// The algorithms, as flags name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AlgorithmName {
    Ed25519,
    P256,
}

/// Who sees what is done.
#[derive(Debug, Args)]
pub(super) struct CeremonyArgs {
    /// Write a transcript to a new file, for those present to sign.
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
    /// Somebody who is present. May be given several times.
    #[arg(long, value_name = "NAME")]
    present: Vec<String>,
}

/// Which ledger's key.
#[derive(Debug, Args)]
pub(crate) struct AttestArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    write: WriteArgs,
    #[command(flatten)]
    ceremony: CeremonyArgs,
}

/// Who said so, and why.
#[derive(Debug, Args)]
struct ApprovalArgs {
    /// Why.
    #[arg(long)]
    reason: Line,
    /// The principal of an approver. Two are needed, two people, and not yours.
    #[arg(long, value_name = "PRINCIPAL", required = true)]
    approver: Vec<PrincipalId>,
}

/// Which key follows.
#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    write: WriteArgs,
    /// The label of the key that follows, in the same token.
    #[arg(long, value_name = "LABEL")]
    key: String,
    /// Entries for which both keys sign. Without it the new key signs alone at once.
    #[arg(long, value_name = "ENTRIES", default_value_t = 0)]
    both_for: u64,
    #[command(flatten)]
    approval: ApprovalArgs,
    #[command(flatten)]
    ceremony: CeremonyArgs,
}

/// Which key is revoked.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    write: WriteArgs,
    /// The key.
    #[arg(long)]
    vkey: String,
    /// The last tree size for which it is believed.
    #[arg(long, value_name = "SIZE")]
    last_size: u64,
    #[command(flatten)]
    approval: ApprovalArgs,
}

/// Which ledger's data keys.
#[derive(Debug, Args)]
pub(crate) struct RewrapArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
}

/// Which key is destroyed.
#[derive(Debug, Args)]
pub(crate) struct DestroyArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Its label.
    #[arg(long, value_name = "LABEL")]
    key: String,
    #[command(flatten)]
    ceremony: CeremonyArgs,
}

pub(crate) fn run(command: &KeyCommand, out: &mut Out<'_>) -> Result<Exit, Failure> {
    match command {
        KeyCommand::Init(args) => init(args, out),
        KeyCommand::List(args) => list(args, out),
        KeyCommand::Attest(args) => attest(args, out),
        KeyCommand::Rotate(args) => rotate(args, out),
        KeyCommand::Revoke(args) => revoke(args, out),
        KeyCommand::Destroy(args) => destroy(args, out),
        KeyCommand::Rewrap(args) => rewrap(args, out),
        KeyCommand::Compartments(args) => erase::compartments(args, out),
        KeyCommand::Erase(args) => erase::erase(args, out),
    }
}

fn init(args: &MakeArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let place = args.token.place()?;
    let algorithm = match args.algorithm {
        AlgorithmName::Ed25519 => Algorithm::Ed25519,
        AlgorithmName::P256 => Algorithm::P256,
    };
    if !countersign_log::vkey::is_key_name(&args.origin) {
        return Err(Failure::Invalid(format!("--origin {}: it cannot name a key", args.origin)));
    }
    let token = Token::at(place.clone());
    let key = token.make_signing_key(&args.key, algorithm)?;
    let vkey = named(&args.origin, algorithm, &key)?;
    let said = Said::of(&token, &args.key)?;
    let mut transcript = Transcript::begin("a signing key was made", &args.ceremony.present);
    transcript.module(&place)?;
    transcript.said(&said);
    transcript.line("vkey", &vkey);
    let hash = transcript.keep(args.ceremony.transcript.as_deref())?;
    let fields = json!({ "key": args.key, "vkey": vkey.to_string(), "transcript": hash.map(|h| h.to_string()) });
    show(out, "key-init", fields, &said, &[("vkey", vkey.to_string())])?;
    if !out.is_json() {
        out.line("Keep the vkey where the ledger is not: it is what everybody checks the ledger against.")?;
    }
    Ok(DONE)
}

fn list(args: &TokenArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let keys = Token::at(args.place()?).list()?;
    let word = |is: Option<bool>| is.map_or("-", |is| if is { "yes" } else { "no" }).to_owned();
    if out.is_json() {
        let rows: Vec<Value> = keys
            .iter()
            .map(|k| {
                json!({ "label": k.label, "class": k.class.to_string(), "sensitive": k.sensitive, "always_sensitive": k.always_sensitive,
                    "extractable": k.extractable, "never_extractable": k.never_extractable, "local": k.local, "mechanism": k.mechanism })
            })
            .collect();
        out.object("key-list", json!({ "keys": rows }))?;
        return Ok(DONE);
    }
    let rows: Vec<Vec<String>> = keys
        .iter()
        .map(|k| {
            let made = k.mechanism.clone().unwrap_or_else(|| "-".to_owned());
            vec![k.label.clone(), k.class.to_string(), word(k.always_sensitive), word(k.never_extractable), word(k.local), made]
        })
        .collect();
    out.table(&["label", "class", "always sensitive", "never extractable", "made in the token", "by"], &rows)?;
    Ok(DONE)
}

/// The token of a ledger, and the file that says where it is.
fn token_of(args: &LedgerArgs) -> Result<(Directory, TokenFile, Token), Failure> {
    let directory = Directory::find(&args.dir)?;
    let file = directory.token_file()?;
    let file = file
        .ok_or_else(|| Failure::Invalid("this ledger's keys are in files, not in a token: make a new ledger for keys in a token".into()))?;
    let token = file.token(args.pin_file.clone().or_else(pin_credential).as_deref());
    Ok((directory, file, token))
}

fn attest(args: &AttestArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let (_, file, token) = token_of(&args.ledger)?;
    let mut session = Session::to_write_here(&args.ledger)?;
    let vkey = session.ledger.signing_key().map(VKey::to_string).unwrap_or_default();
    let key = listed(&file, |key| key.vkey == vkey)?;
    let said = Said::of(&token, &key.label)?;
    let mut transcript = Transcript::begin("a signing key was looked at", &args.ceremony.present);
    transcript.module(token.place())?;
    transcript.said(&said);
    transcript.line("vkey", &vkey);
    let transcript = transcript.keep(args.ceremony.transcript.as_deref())?;
    let receipt = session.record(&args.write, attestation(&vkey, said.value(), transcript)?)?;
    show(out, "key-attest", json!({ "entry": receipt.index, "vkey": vkey }), &said, &[("vkey", vkey.clone())])?;
    if !out.is_json() {
        out.line(recorded_line(&receipt)?)?;
    }
    Ok(DONE)
}

fn rotate(args: &RotateArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let (directory, mut file, token) = token_of(&args.ledger)?;
    let session = Session::to_write_here(&args.ledger)?;
    let (algorithm, key) = token.public_key(&args.key)?;
    let vkey = named(session.ledger.origin(), algorithm, &key)?;
    // Written down before the ledger relies on it: a key that is listed and never signs does no harm, one that signs and is not listed does.
    if file.keys.iter().all(|key| key.vkey != vkey.to_string()) {
        file.keys.push(TokenKey { label: args.key.clone(), vkey: vkey.to_string() });
        directory.keep_token_file(&file)?;
    }
    let rotation = Rotation {
        both_until: session.ledger.size().saturating_add(args.both_for),
        reason: args.approval.reason.clone(),
        approvers: args.approval.approver.clone(),
        attestation: None,
        signatures: Signatures::default(),
    };
    let request = args.write.key()?;
    if let Some(file) = &args.write.draft {
        let record = session.ledger.rotation_request(&vkey, &rotation)?.into();
        return Err(drafted(&session.ledger, &session.actor, file, &[(request, record)]));
    }
    let following = Following { ledger: &args.ledger, ceremony: &args.ceremony };
    follow(session, &following, request, &vkey, rotation, out)
}

/// Whose token the key is in, and who is there to see it follow.
pub(super) struct Following<'a> {
    pub(super) ledger: &'a LedgerArgs,
    pub(super) ceremony: &'a CeremonyArgs,
}

/// Lets a key that is listed follow, with what the token says of it now.
pub(super) fn follow(
    mut session: Session,
    following: &Following<'_>,
    request: RequestKey,
    vkey: &VKey,
    rotation: Rotation,
    out: &mut Out<'_>,
) -> Result<Exit, Failure> {
    let (_, file, token) = token_of(following.ledger)?;
    let key = listed(&file, |key| key.vkey == vkey.to_string())?;
    let said = Said::of(&token, &key.label)?;
    let rotation = Rotation { attestation: Some(said.value()), ..rotation };
    let signer = Box::new(TokenSigner::new(token.clone(), &key.label, vkey.clone()));
    let receipt = session.ledger.rotate_key(&session.actor.id, request, signer, rotation)?;
    let mut transcript = Transcript::begin("a signing key followed another", &following.ceremony.present);
    transcript.module(token.place())?;
    transcript.said(&said);
    transcript.line("vkey", vkey);
    transcript.line("entry", receipt.index);
    transcript.keep(following.ceremony.transcript.as_deref())?;
    show(out, "key-rotate", json!({ "entry": receipt.index, "vkey": vkey.to_string() }), &said, &[("vkey", vkey.to_string())])?;
    if !out.is_json() {
        out.line(recorded_line(&receipt)?)?;
        out.line("Those who check this ledger keep the vkey they have: the new key follows from it.")?;
    }
    Ok(DONE)
}

fn revoke(args: &RevokeArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let vkey = VKey::parse(&args.vkey).map_err(|e| Failure::Usage(format!("--vkey: {e}")))?;
    let session = Session::to_write_here(&args.ledger)?;
    let (reason, approvers) = (args.approval.reason.clone(), args.approval.approver.clone());
    let revocation = Revocation { vkey, last_size: args.last_size, reason, approvers, signatures: Signatures::default() };
    let request = args.write.key()?;
    if let Some(file) = &args.write.draft {
        let record = session.ledger.revocation_request(&revocation)?.into();
        return Err(drafted(&session.ledger, &session.actor, file, &[(request, record)]));
    }
    end_belief(session, request, revocation, out)
}

/// Revokes, and says what that means.
pub(super) fn end_belief(mut session: Session, request: RequestKey, revocation: Revocation, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let (vkey, last_size) = (revocation.vkey.to_string(), revocation.last_size);
    let receipt = session.ledger.revoke_key(&session.actor.id, request, revocation)?;
    if out.is_json() {
        out.object("key-revoke", json!({ "entry": receipt.index, "vkey": vkey, "last_size": last_size }))?;
    } else {
        out.line(recorded_line(&receipt)?)?;
        out.line(format_args!("Nothing that this key alone signed beyond size {last_size} is believed from now on."))?;
    }
    Ok(DONE)
}

fn destroy(args: &DestroyArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let (directory, mut file, token) = token_of(&args.ledger)?;
    let mut session = operator(&args.ledger)?;
    let key = listed(&file, |key| key.label == args.key)?;
    if session.ledger.signs_with(&key.vkey) {
        return Err(Failure::Invalid(format!("{} signs for this ledger: let another key follow it first (key rotate)", args.key)));
    }
    let said = Said::of(&token, &args.key)?;
    token.destroy(Class::Signing, &args.key)?;
    file.keys.retain(|listed| *listed != key);
    directory.keep_token_file(&file)?;
    let mut transcript = Transcript::begin("a signing key was destroyed", &args.ceremony.present);
    transcript.module(token.place())?;
    transcript.said(&said);
    transcript.line("vkey", &key.vkey);
    let transcript = transcript.keep(args.ceremony.transcript.as_deref())?;
    let done = said.value_and(&[("destroyed", true.into())]);
    let receipt = attested(&mut session, &key.vkey, done, transcript)?;
    if out.is_json() {
        out.object("key-destroy", json!({ "key": key.label, "vkey": key.vkey, "entry": receipt.index }))?;
    } else {
        out.line(format_args!("destroyed in the token: {} ({})", key.label, key.vkey))?;
        out.line(recorded_line(&receipt)?)?;
    }
    Ok(DONE)
}

fn rewrap(args: &RewrapArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let (_, file, token) = token_of(&args.ledger)?;
    let mut session = operator(&args.ledger)?;
    let vkey = session.ledger.signing_key().map(VKey::to_string).unwrap_or_default();
    let key = listed(&file, |key| key.vkey == vkey)?;
    let said = Said::of(&token, &key.label)?;
    let (new, before) = session.ledger.rewrap_data_keys(&token, &key.label)?;
    let done = said.value_and(&[("wrapping_key", new.into()), ("wrapping_key_destroyed", before.into())]);
    let receipt = attested(&mut session, &vkey, done, None)?;
    if out.is_json() {
        out.object("key-rewrap", json!({ "rewrapped": true, "entry": receipt.index }))?;
    } else {
        out.line(recorded_line(&receipt)?)?;
        out.line("the data keys are wrapped under a new key; the one before it is destroyed in the token")?;
        out.line("Copies of keys/data.keys from before this, in backups too, open no more: make a new backup now.")?;
    }
    Ok(DONE)
}

fn attestation(vkey: &str, attestation: ciborium::Value, transcript: Option<Hash32>) -> Result<Record, Failure> {
    let vkey = Line::new(vkey).map_err(|e| Failure::Bug(e.to_string()))?;
    Ok(KeyAttested { vkey, attestation, transcript }.into())
}

/// Records what was done in the token. It is done already, so that where this fails the message says what is missing.
fn attested(session: &mut Session, vkey: &str, done: ciborium::Value, transcript: Option<Hash32>) -> Result<Receipt, Failure> {
    let request =
        Request { actor: session.actor.id.clone(), key: random_key()?, record: attestation(vkey, done, transcript)?, signed: None };
    session.append(request).map_err(|e| Failure::Unrecorded(Box::new(e)))
}

/// A ledger open to an operator, for what is done to keys in the token, whatever becomes of the entry that says so.
fn operator(args: &LedgerArgs) -> Result<Session, Failure> {
    let session = Session::to_write_here(args)?;
    if session.actor.has(Role::Operator) {
        return Ok(session);
    }
    Err(Failure::Denied("keys are destroyed by an operator".into()))
}

fn listed(file: &TokenFile, is: impl Fn(&TokenKey) -> bool) -> Result<TokenKey, Failure> {
    let key = file.keys.iter().find(|key| is(key)).cloned();
    key.ok_or_else(|| Failure::NotFound("this ledger has no such key in its token".into()))
}

/// An answer with what the token says in it.
fn show(out: &mut Out<'_>, command: &str, mut fields: Value, said: &Said, first: &[(&str, String)]) -> Result<(), Failure> {
    if out.is_json() {
        if let Value::Object(fields) = &mut fields {
            let said = said.lines().into_iter().map(|(name, value)| (name.to_owned(), Value::String(value)));
            fields.insert("token".into(), Value::Object(said.collect()));
        }
        return out.object(command, fields);
    }
    for (name, value) in first {
        out.line(format_args!("{name:<17} {value}"))?;
    }
    said.lines().into_iter().try_for_each(|(name, value)| out.line(format_args!("{name:<17} {value}")))
}
