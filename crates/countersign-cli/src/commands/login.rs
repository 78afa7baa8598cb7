//! `login`: what stands for a principal over the network: certificates, accounts at providers of tokens, and keys of gateways.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use countersign_conflict::Facts;
use countersign_entry::ids::{Date, Line, PrincipalId, RecordId};
use countersign_entry::record::{CredentialKind, CredentialLinked, CredentialRevoked};
use countersign_server::who;
use serde_json::{Value, json};

use super::{DONE, read_small, write_new};
use crate::args::{LedgerArgs, WriteArgs};
use crate::failure::{Exit, Failure};
use crate::output::{Out, cells};
use crate::session::{Session, recorded, recorded_line};
use crate::words::{new_id, word_of};

/// What stands for a principal over the network.
#[derive(Debug, Subcommand)]
pub(crate) enum LoginCommand {
    /// Let a certificate, or an account at a provider of tokens, stand for a principal.
    Link(LinkArgs),
    /// Make a key for a gateway, or for an agency's directory. It is written once, to a file; the ledger has its hash alone.
    Key(KeyArgs),
    /// Let it stand for nobody any more.
    Revoke(RevokeArgs),
    /// List what was ever linked, and whether it stands.
    List(ListArgs),
}

/// For whom it stands, and who looked at that.
#[derive(Debug, Args)]
struct ForArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The principal it stands for.
    #[arg(long)]
    principal: PrincipalId,
    /// What shows that it is theirs.
    #[arg(long)]
    evidence: Line,
    /// Who looked at that: an approver who is neither you nor the person it stands for.
    #[arg(long)]
    approver: PrincipalId,
    /// Last day it holds. Without it: until it is revoked.
    #[arg(long, value_name = "DATE")]
    valid_to: Option<Date>,
    #[command(flatten)]
    write: WriteArgs,
}

/// Which certificate, or which account.
#[derive(Debug, Args)]
pub(crate) struct LinkArgs {
    #[command(flatten)]
    to: ForArgs,
    /// The certificate, PEM.
    #[arg(long, value_name = "FILE", required_unless_present = "oidc_subject", conflicts_with = "oidc_subject")]
    certificate: Option<PathBuf>,
    /// The OpenID Connect provider, as its tokens name it in `iss`.
    #[arg(long, value_name = "URL", requires = "oidc_subject")]
    oidc_issuer: Option<Line>,
    /// The account there, as its tokens name it in `sub`; never an e-mail address.
    #[arg(long, value_name = "SUB", requires = "oidc_issuer")]
    oidc_subject: Option<Line>,
    /// By which of its names. The first two go on to the card that replaces it; the last is this certificate alone.
    #[arg(long, value_enum, default_value = "upn")]
    by: By,
}

/// A name of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// User principal name (PIV).
    Upn,
    /// The number at the end of the common name (CAC).
    Edipi,
    /// SHA-256 of the certificate.
    Thumbprint,
}

/// Where the key goes.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    to: ForArgs,
    /// A new file for the key.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Which one.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Its id.
    #[arg(value_name = "ID")]
    id: RecordId,
    /// Why.
    #[arg(long)]
    reason: Line,
    #[command(flatten)]
    write: WriteArgs,
}

/// Which ledger.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
}

pub(crate) fn run(command: &LoginCommand, out: &mut Out<'_>) -> Result<Exit, Failure> {
    match command {
        LoginCommand::Link(args) => link(args, out),
        LoginCommand::Key(args) => key(args, out),
        LoginCommand::Revoke(args) => revoke(args, out),
        LoginCommand::List(args) => list(args, out),
    }
}

fn link(args: &LinkArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let certificate = match (&args.certificate, &args.oidc_issuer, &args.oidc_subject) {
        (None, Some(issuer), Some(subject)) => {
            return write(&args.to, id(&args.to)?, CredentialKind::Oidc, issuer.clone(), subject.clone(), None, out);
        }
        (Some(certificate), ..) => certificate,
        _ => return Err(Failure::Usage("--certificate, or --oidc-issuer and --oidc-subject, are needed".into())),
    };
    let (kind, what) = match args.by {
        By::Upn => (CredentialKind::Piv, "user principal name"),
        By::Edipi => (CredentialKind::Cac, "number at the end of its common name"),
        By::Thumbprint => (CredentialKind::Certificate, "thumbprint"),
    };
    let file = certificate.display();
    let names = countersign_server::certificate::names_in_pem(&read_small(certificate)?);
    let names = names.ok_or_else(|| Failure::Invalid(format!("{file} is no certificate in PEM")))?;
    let mut found = names.into_iter().filter(|name| name.kind == kind);
    let (Some(name), None) = (found.next(), found.next()) else {
        return Err(Failure::Invalid(format!("{file} has no {what}, or more than one: link it --by another of its names")));
    };
    let invalid = |e: countersign_entry::ids::IdError| Failure::Invalid(format!("{file}: {e}"));
    let (issuer, subject) = (Line::new(name.issuer).map_err(invalid)?, Line::new(name.subject).map_err(invalid)?);
    write(&args.to, id(&args.to)?, kind, issuer, subject, None, out)
}

fn key(args: &KeyArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut secret = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(secret.as_mut_slice()).map_err(|e| Failure::Output(std::io::Error::other(e)))?;
    let bug = |e: countersign_entry::ids::IdError| Failure::Bug(e.to_string());
    let id = id(&args.to)?;
    let directory = countersign_ledger::Directory::find(&args.to.ledger.dir)?;
    let (issuer, subject) = (Line::new(directory.origin()).map_err(bug)?, Line::new(id.as_str()).map_err(bug)?);
    // Written first: a hash whose key nobody has would be for nothing.
    let text = zeroize::Zeroizing::new(format!("{}\n", who::key_text(id.as_str(), &secret)));
    write_new(&args.output, text.as_bytes(), 0o600)?;
    write(&args.to, id, CredentialKind::ApiKey, issuer, subject, Some(who::key_hash(&secret)), out)
}

fn id(to: &ForArgs) -> Result<RecordId, Failure> {
    RecordId::new(new_id("login-", to.write.idempotency_key.as_ref())?).map_err(|e| Failure::Bug(e.to_string()))
}

fn write(
    to: &ForArgs,
    id: RecordId,
    kind: CredentialKind,
    issuer: Line,
    subject: Line,
    secret_hash: Option<countersign_entry::ids::Hash32>,
    out: &mut Out<'_>,
) -> Result<Exit, Failure> {
    let mut session = Session::to_write(&to.ledger)?;
    let (principal, approver) = (to.principal.clone(), to.approver.clone());
    let (valid_to, evidence) = (to.valid_to.clone(), to.evidence.clone());
    let told = format!("{} {subject} of {issuer} stands for {principal}", word_of(&kind));
    let record = CredentialLinked { id: id.clone(), principal, kind, issuer, subject, secret_hash, valid_to, evidence, approver };
    let receipt = session.record(&to.write, record.into())?;
    if out.is_json() {
        let mut fields = recorded(&receipt)?;
        if let Value::Object(fields) = &mut fields {
            fields.insert("id".into(), id.as_str().into());
        }
        out.object("login", fields)?;
    } else {
        out.line(format_args!("login {id}: {told}"))?;
        out.line(recorded_line(&receipt)?)?;
    }
    Ok(DONE)
}

fn revoke(args: &RevokeArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = Session::to_write(&args.ledger)?;
    let record = CredentialRevoked { id: args.id.clone(), reason: args.reason.clone() };
    let receipt = session.record(&args.write, record.into())?;
    if out.is_json() {
        out.object("login-revoke", recorded(&receipt)?)?;
    } else {
        out.line(recorded_line(&receipt)?)?;
    }
    Ok(DONE)
}

const COLUMNS: &[&str] = &["id", "principal", "kind", "issuer", "subject", "stands", "valid_to", "approver"];

fn list(args: &ListArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let session = Session::to_read(&args.ledger)?;
    let facts: &Facts = session.ledger.facts();
    let rows: Vec<Value> = facts
        .logins()
        .map(|known| {
            let l = &known.record;
            json!({
                "id": l.id, "principal": l.principal, "kind": l.kind, "issuer": l.issuer, "subject": l.subject, "stands": facts.stands(l),
                "valid_to": l.valid_to, "approver": l.approver, "entry": known.index,
            })
        })
        .collect();
    if out.is_json() {
        out.object("login-list", json!({ "rows": rows, "as_of": session.ledger.size(), "complete": true }))?;
    } else {
        out.table(COLUMNS, &cells(&rows, COLUMNS))?;
    }
    Ok(DONE)
}
