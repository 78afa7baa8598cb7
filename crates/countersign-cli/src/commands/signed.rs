//! `record signed`: records what `--draft` wrote, with what officers signed of it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use countersign_conflict::officers::approvals;
use countersign_entry::cose::Sign1;
use countersign_entry::ids::{PrincipalId, RequestKey};
use countersign_entry::record::Record;
use countersign_ledger::{Directory, Erasure, Ledger, Loss, Redact, Request, Revocation, Rotation, Signatures};
use countersign_log::vkey::VKey;

use super::key::{CeremonyArgs, Following};
use super::{DONE, erase, key, redact, restore};
use crate::args::LedgerArgs;
use crate::draft::{self, Draft};
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::{Session, recorded, recorded_line};

/// What to record.
#[derive(Debug, Args)]
pub(crate) struct SignedArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The file that --draft wrote.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// An approver's signature, made by `countersign officer sign`. May be given several times, in any order.
    #[arg(long, value_name = "FILE")]
    approval: Vec<PathBuf>,
    /// Your own signature.
    #[arg(long, value_name = "FILE")]
    signed: Option<PathBuf>,
    #[command(flatten)]
    ceremony: CeremonyArgs,
}

pub(crate) fn run(args: &SignedArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let drafts = draft::read(&args.file)?;
    match drafts.as_slice() {
        all if all.iter().all(|draft| matches!(draft.record, Record::DataKeyDestroyed(_))) => destroy(args, all, out),
        [one] => record(args, one, out),
        [rotation, declaration] => declare_loss(args, [rotation, declaration], out),
        _ => Err(Failure::Invalid(format!("{}: {} requests; none goes together so", args.file.display(), drafts.len()))),
    }
}

fn record(args: &SignedArgs, draft: &Draft, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = match &draft.record {
        Record::KeyRotated(_) | Record::KeyRevoked(_) | Record::Redaction(_) => Session::to_write_here(&args.ledger)?,
        _ => Session::to_write(&args.ledger)?,
    };
    check(draft, &session.ledger, &session.actor.id)?;
    let signatures = args.signatures(draft, &session.ledger)?;
    let request = key_of(draft)?;
    match &draft.record {
        Record::KeyRotated(r) => {
            let (reason, approvers) = (r.reason.clone(), r.approvers.clone());
            let rotation = Rotation { both_until: r.both_until, reason, approvers, attestation: None, signatures };
            let following = Following { ledger: &args.ledger, ceremony: &args.ceremony };
            key::follow(session, &following, request, &vkey(r.new.as_str())?, rotation, out)
        }
        Record::KeyRevoked(r) => {
            let (reason, approvers) = (r.reason.clone(), r.approvers.clone());
            let revocation = Revocation { vkey: vkey(r.vkey.as_str())?, last_size: r.last_size, reason, approvers, signatures };
            key::end_belief(session, request, revocation, out)
        }
        Record::Redaction(r) => {
            let (fields, authority, approvers) = (r.fields.clone(), r.authority.clone(), r.approvers.clone());
            let redact = Redact { target: r.target, fields, authority, approvers, signatures };
            redact::redact_now(session, &request, &redact, out)
        }
        _ => {
            let record = with_approvals(&draft.record, &signatures);
            let request = Request { actor: session.actor.id.clone(), key: request, record, signed: signatures.signed };
            let receipt = session.append(request)?;
            if out.is_json() {
                out.object("record-signed", recorded(&receipt)?)?
            } else {
                out.line(recorded_line(&receipt)?)?
            }
            Ok(DONE)
        }
    }
}

fn destroy(args: &SignedArgs, drafts: &[Draft], out: &mut Out<'_>) -> Result<Exit, Failure> {
    let session = Session::to_write_here(&args.ledger)?;
    let (mut keys, mut signatures) = (BTreeSet::new(), Vec::new());
    for draft in drafts {
        check(draft, &session.ledger, &session.actor.id)?;
        signatures.push(args.signatures(draft, &session.ledger)?);
        keys.extend(if let Record::DataKeyDestroyed(r) = &draft.record { Some(r.key_id) } else { None });
    }
    // They were drafted together, under numbers of one idempotency key, in the order of the data keys.
    let Some((first, Record::DataKeyDestroyed(r))) = drafts.first().map(|draft| (draft, &draft.record)) else { return Ok(DONE) };
    let erasure = Erasure { keys, authority: r.authority.clone(), approvers: r.approvers.clone(), signatures };
    erase::destroy(session, &key_of(first)?, &erasure, out)
}

fn declare_loss(args: &SignedArgs, drafts: [&Draft; 2], out: &mut Out<'_>) -> Result<Exit, Failure> {
    let [rotation, declaration] = drafts;
    let (Record::KeyRotated(rotated), Record::KeyLossDeclared(lost)) = (&rotation.record, &declaration.record) else {
        return Err(Failure::Invalid(format!("{}: two requests that do not go together", args.file.display())));
    };
    let (ledger, actor) = restore::behind(&args.ledger)?;
    drafts.iter().try_for_each(|draft| check(draft, &ledger, &actor.id))?;
    let signatures = [args.signatures(rotation, &ledger)?, args.signatures(declaration, &ledger)?];
    let loss = Loss { head: lost.head.clone(), reason: lost.reason.clone(), approvers: lost.approvers.clone(), signatures };
    let directory = Directory::find(&args.ledger.dir)?;
    let signer = restore::following(&args.ledger, &directory, &vkey(rotated.new.as_str())?)?;
    restore::declare(ledger, &actor, key_of(rotation)?, signer, loss, out)
}

/// A draft is recorded in its own ledger, by whoever asks for it.
fn check(draft: &Draft, ledger: &Ledger, actor: &PrincipalId) -> Result<(), Failure> {
    if draft.request.origin != ledger.origin() {
        return Err(Failure::Invalid(format!("the request is for the ledger {}; this is {}", draft.request.origin, ledger.origin())));
    }
    if draft.request.actor != actor.as_str() {
        return Err(Failure::Denied(format!("the request is {}'s to record; you are {actor}", draft.request.actor)));
    }
    Ok(())
}

fn key_of(draft: &Draft) -> Result<RequestKey, Failure> {
    RequestKey::new(draft.request.request.clone()).map_err(|e| Failure::Invalid(e.to_string()))
}

fn vkey(text: &str) -> Result<VKey, Failure> {
    VKey::parse(text).map_err(|e| Failure::Invalid(format!("{text}: {e}")))
}

impl SignedArgs {
    /// What the files hold over this request, the approvals in the order of the approvers.
    fn signatures(&self, draft: &Draft, ledger: &Ledger) -> Result<Signatures, Failure> {
        let mut given: Vec<(PrincipalId, Sign1)> = Vec::new();
        for file in &self.approval {
            let sign1 = over(file, draft)?;
            let holder = sign1.key_id().and_then(|id| ledger.facts().officers().holder(&id));
            let holder =
                holder.ok_or_else(|| Failure::Invalid(format!("{}: signed with a key that is not enrolled here", file.display())))?;
            given.push((holder.principal.clone(), sign1));
        }
        let signed = self.signed.as_deref().map(|file| over(file, draft)).transpose()?.map(|sign1| detached(&sign1));
        if matches!(draft.record, Record::List(_) | Record::ListItem(_)) {
            // It names no approvers: who signs beside whoever asks is for the ledger to look at.
            return Ok(Signatures { approvals: given.iter().map(|(_, sign1)| detached(sign1)).collect(), signed });
        }
        let (approvers, _) = approvals(&draft.record).unwrap_or_default();
        if let Some((stranger, _)) = given.iter().find(|(officer, _)| !approvers.contains(officer)) {
            return Err(Failure::Invalid(format!("{stranger} signed and is not among the approvers that the request names")));
        }
        let of = |approver: &PrincipalId| given.iter().find(|(officer, _)| officer == approver).map(|(_, sign1)| detached(sign1));
        let missing = approvers.iter().find(|approver| of(approver).is_none()).filter(|_| !given.is_empty());
        if let Some(approver) = missing {
            return Err(Failure::Invalid(format!("{approver} has not signed: give their signature with --approval")));
        }
        Ok(Signatures { approvals: approvers.iter().filter_map(of).collect(), signed })
    }
}

/// The signature in a file that is over this request.
fn over(file: &std::path::Path, draft: &Draft) -> Result<Sign1, Failure> {
    let signatures = draft::read_signatures(file)?;
    let own = signatures.into_iter().find(|sign1| sign1.payload.as_ref() == Some(&draft.bytes));
    own.ok_or_else(|| Failure::Invalid(format!("{}: a signature over another request", file.display())))
}

/// As it stands in an entry: without the request, which the entry itself gives.
fn detached(sign1: &Sign1) -> Vec<u8> {
    Sign1 { payload: None, ..sign1.clone() }.encode()
}

fn with_approvals(record: &Record, signatures: &Signatures) -> Record {
    let approvals = signatures.approvals.iter().cloned().map(serde_bytes::ByteBuf::from).collect();
    match record.clone() {
        Record::OfficerEnrolled(r) => countersign_entry::record::OfficerEnrolled { approvals, ..r }.into(),
        Record::OfficerRevoked(r) => countersign_entry::record::OfficerRevoked { approvals, ..r }.into(),
        Record::List(r) => countersign_entry::record::List { approvals, ..r }.into(),
        Record::ListItem(r) => countersign_entry::record::ListItem { approvals, ..r }.into(),
        Record::EmergencyVoucher(r) => countersign_entry::record::EmergencyVoucher { approvals, ..r }.into(),
        Record::EmergencyUse(r) => countersign_entry::record::EmergencyUse { approvals, ..r }.into(),
        other => other,
    }
}
