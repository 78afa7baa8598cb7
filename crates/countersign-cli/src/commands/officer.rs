//! `officer`: the keys that officers sign with themselves, and signing with one.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_conflict::officers::{OfficerKey as Known, algorithm};
use countersign_entry::cose::{self, Sign1};
use countersign_entry::ids::{Line, PrincipalId};
use countersign_entry::record::{OfficerEnrolled, OfficerRevoked};
use countersign_log::spki;
use countersign_log::vkey::PublicKey;
use countersign_sign::officer::OfficerKey;
use countersign_sign::os_random;
use countersign_sign::passphrase::Passphrase;
use countersign_sign::pkcs11::Token;
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::token::TokenArgs;
use super::{DONE, read_small, write_new};
use crate::args::{LedgerArgs, WriteArgs};
use crate::draft;
use crate::failure::{Exit, Failure};
use crate::output::{Out, cells};
use crate::session::{Session, recorded, recorded_line};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum OfficerCommand {
    /// Record whose key an officer's key is: from then on it signs for them.
    Enroll(ChangeArgs),
    /// Record that a key signs for an officer no more.
    Revoke(ChangeArgs),
    /// List the keys that were ever enrolled, and which of them stand.
    List(ListArgs),
    /// Show what a file asks that --draft wrote, and sign it.
    Sign(SignArgs),
    /// Write the public key of a private key, in a file or a token, for it to be enrolled.
    Public(PublicArgs),
    /// Make a key in a file, for throw-away ledgers and those without a card.
    Keygen(KeygenArgs),
}

/// Whose key, and who says so.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    write: WriteArgs,
    /// The principal whose key it is.
    #[arg(long)]
    principal: PrincipalId,
    /// The public key: a certificate, or a public key (SubjectPublicKeyInfo), in PEM. Ed25519 or ECDSA P-256. A certificate has to be in force
    /// now; after that its key stands until it is revoked here.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Why.
    #[arg(long)]
    reason: Line,
    /// The principal of an approver. Two are needed, two people, and not yours.
    #[arg(long, value_name = "PRINCIPAL", required = true)]
    approver: Vec<PrincipalId>,
}

/// Which ledger's.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
}

/// An officer's private key.
#[derive(Debug, Args)]
struct PrivateArgs {
    /// The private key: a file (PKCS#8, PEM), or, where a token is named, the key's label in it.
    #[arg(long, value_name = "FILE or LABEL")]
    key: String,
    /// File that holds the passphrase of an encrypted key file.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    token: TokenArgs,
}

/// What to sign, and with which key.
#[derive(Debug, Args)]
pub(crate) struct SignArgs {
    /// The file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    private: PrivateArgs,
    /// Sign. Without it the file is only shown.
    #[arg(long, requires = "output")]
    yes: bool,
    /// A new file for the signature.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Whose public key, and where it goes.
#[derive(Debug, Args)]
pub(crate) struct PublicArgs {
    #[command(flatten)]
    private: PrivateArgs,
    /// A new file for the public key.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Where the key goes.
#[derive(Debug, Args)]
pub(crate) struct KeygenArgs {
    /// A new file for the private key; the public key goes beside it, to FILE.pub.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(crate) fn run(command: &OfficerCommand, out: &mut Out<'_>) -> Result<Exit, Failure> {
    match command {
        OfficerCommand::Enroll(args) => enroll(args, out),
        OfficerCommand::Revoke(args) => revoke(args, out),
        OfficerCommand::List(args) => list(args, out),
        OfficerCommand::Sign(args) => sign(args, out),
        OfficerCommand::Public(args) => public(args, out),
        OfficerCommand::Keygen(args) => keygen(args, out),
    }
}

fn enroll(args: &ChangeArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let (principal, key) = (args.principal.clone(), args.public_key()?);
    let (reason, approvers, told) = (args.reason.clone(), args.approver.clone(), key.clone());
    record(args, OfficerEnrolled { principal, key, reason, approvers, approvals: Vec::new() }, &told, "officer-enroll", out)
}

fn revoke(args: &ChangeArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let (principal, key) = (args.principal.clone(), args.public_key()?);
    let (reason, approvers, told) = (args.reason.clone(), args.approver.clone(), key.clone());
    record(args, OfficerRevoked { principal, key, reason, approvers, approvals: Vec::new() }, &told, "officer-revoke", out)
}

fn record(
    args: &ChangeArgs,
    record: impl Into<countersign_entry::record::Record>,
    key: &[u8],
    command: &str,
    out: &mut Out<'_>,
) -> Result<Exit, Failure> {
    let mut session = Session::to_write(&args.ledger)?;
    let receipt = session.record(&args.write, record.into())?;
    let key_id = hex::encode(spki::key_id(key));
    if out.is_json() {
        let mut fields = recorded(&receipt)?;
        if let Value::Object(fields) = &mut fields {
            fields.insert("key_id".into(), key_id.into());
        }
        out.object(command, fields)?;
    } else {
        out.line(recorded_line(&receipt)?)?;
        out.line(format_args!("key {key_id}"))?;
    }
    Ok(DONE)
}

impl ChangeArgs {
    fn public_key(&self) -> Result<Vec<u8>, Failure> {
        let bytes = read_small(&self.key)?;
        let bad = |why: &dyn std::fmt::Display| Failure::Invalid(format!("{}: {why}", self.key.display()));
        let key = public_key(&bytes).map_err(|e| bad(&e))?;
        PublicKey::from_spki(&key).map(|sound| sound.to_spki()).map_err(|e| bad(&e))
    }
}

/// The SubjectPublicKeyInfo in a public key, or in a certificate in force, PEM.
fn public_key(pem: &[u8]) -> Result<Vec<u8>, String> {
    let form = || "neither a certificate nor a public key in PEM".to_owned();
    let (_, block) = x509_parser::pem::parse_x509_pem(pem).map_err(|_| form())?;
    match block.label.as_str() {
        "PUBLIC KEY" => Ok(block.contents),
        "CERTIFICATE" => {
            let (_, certificate) = X509Certificate::from_der(&block.contents).map_err(|_| form())?;
            let validity = certificate.validity();
            if validity.is_valid() {
                Ok(certificate.public_key().raw.to_vec())
            } else {
                Err(format!("the certificate is in force from {} to {}, and not now", validity.not_before, validity.not_after))
            }
        }
        _ => Err(form()),
    }
}

const COLUMNS: &[&str] = &["key_id", "principal", "kind", "from", "until"];

fn list(args: &ListArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let session = Session::to_read(&args.ledger)?;
    let rows: Vec<Value> = session.ledger.facts().officers().keys().iter().map(row).collect();
    if out.is_json() {
        out.object("officer-list", json!({ "rows": rows, "as_of": session.ledger.size(), "complete": true }))?;
    } else {
        out.table(COLUMNS, &cells(&rows, COLUMNS))?;
    }
    Ok(DONE)
}

fn row(known: &Known) -> Value {
    let kind = match PublicKey::from_spki(&known.key) {
        Ok(PublicKey::Ed25519(_)) => "ed25519",
        Ok(PublicKey::Ecdsa(_)) => "p256",
        Err(_) => "unsound",
    };
    let key_id = hex::encode(spki::key_id(&known.key));
    json!({ "key_id": key_id, "principal": known.principal, "kind": kind, "from": known.from, "until": known.until })
}

fn sign(args: &SignArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let drafts = draft::read(&args.file)?;
    let lines: Vec<String> = drafts.iter().flat_map(draft::Draft::lines).collect();
    // Shown before a key is touched, and where JSON is asked for too: whoever signs reads it.
    if out.is_json() {
        lines.iter().for_each(crate::output::say);
    } else {
        lines.iter().try_for_each(|line| out.line(line))?;
    }
    let Some(output) = args.output.as_deref().filter(|_| args.yes) else {
        return if out.is_json() {
            out.object("officer-sign", json!({ "signed": false })).map(|()| DONE)
        } else {
            out.line("Nothing is signed yet. To sign just this: --yes --output FILE").map(|()| DONE)
        };
    };
    let mut key = args.private.open()?;
    let key_id = spki::key_id(&key.public_key().to_spki());
    let protected = cose::protected(algorithm(key.public_key()), &key_id);
    let mut signatures = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let signature = key.sign(&cose::to_be_signed(&protected, &draft.bytes))?;
        signatures.push(Sign1 { protected: protected.clone(), payload: Some(draft.bytes), signature });
    }
    draft::write_signatures(output, &signatures)?;
    if out.is_json() {
        return out.object("officer-sign", json!({ "signed": true, "key_id": hex::encode(key_id), "file": output })).map(|()| DONE);
    }
    out.line(format_args!("signed with {}, to {}", hex::encode(key_id), output.display())).map(|()| DONE)
}

impl PrivateArgs {
    fn open(&self) -> Result<OfficerKey, Failure> {
        if self.token.module.is_some() || self.token.token.is_some() {
            return Ok(OfficerKey::in_token(Token::at(self.token.place()?), &self.key)?);
        }
        let passphrase = self.passphrase_file.as_deref().map(Passphrase::from_file).transpose();
        let passphrase = passphrase.map_err(|e| Failure::Invalid(e.to_string()))?;
        Ok(OfficerKey::from_file(self.key.as_ref(), passphrase.as_ref())?)
    }
}

fn public(args: &PublicArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let spki = args.private.open()?.public_key().to_spki();
    write_new(&args.output, draft::block("PUBLIC KEY", &spki).as_bytes(), 0o644)?;
    let key_id = hex::encode(spki::key_id(&spki));
    if out.is_json() {
        out.object("officer-public", json!({ "key_id": key_id, "public": args.output }))?;
    } else {
        out.line(format_args!("key {key_id}"))?;
    }
    Ok(DONE)
}

fn keygen(args: &KeygenArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut public = args.output.clone().into_os_string();
    public.push(".pub");
    let key = OfficerKey::make(&args.output, &mut os_random)?;
    let spki = key.public_key().to_spki();
    write_new(public.as_ref(), draft::block("PUBLIC KEY", &spki).as_bytes(), 0o644)?;
    let key_id = hex::encode(spki::key_id(&spki));
    if out.is_json() {
        out.object("officer-keygen", json!({ "key_id": key_id, "public": public.to_string_lossy() }))?;
    } else {
        out.line(format_args!("key {key_id}"))?;
        out.line(format_args!("Enroll it with --key {}. Whoever has the other file signs as its owner.", public.to_string_lossy()))?;
    }
    Ok(DONE)
}
