//! `cases`: what was found and what is done about it, for the ethics role; the inspector general reads.

use clap::{Args, Subcommand};
use countersign_conflict::{CaseState, Facts};
use countersign_entry::ids::{Hash32, LeafIndex, Line, PersonId, RecordId};
use countersign_entry::record::{CaseEvent, CaseOpened, CaseStep, Disposition, HoldScope, LegalHold, Record, Referral, Role};
use countersign_ledger::OpenError;
use countersign_ledger::query::describe;
use serde_json::{Value, json};

use super::DONE;
use crate::args::{LedgerArgs, WriteArgs};
use crate::explain::{erased_line, label};
use crate::failure::{Exit, Failure};
use crate::output::{Out, cells};
use crate::session::{Session, recorded, recorded_line};
use crate::words::{name, new_id, text, word, word_of};

/// What was found, and what is done about it.
#[derive(Debug, Subcommand)]
pub(crate) enum CasesCommand {
    /// List cases, and what will become one.
    List(ListArgs),
    /// Show a case with everything that was done about it.
    Show(ShowArgs),
    /// Note something, with entries or a document as evidence.
    Note(StepArgs),
    /// Propose how a case ends. Another ethics officer signs it.
    Dispose(DisposeArgs),
    /// Sign what another ethics officer proposed; that closes the case.
    Approve(StepArgs),
    /// Send a proposal back, or take a closed case up again.
    Reopen(StepArgs),
    /// Record that a case was handed on (28 U.S.C. 535; OGE Form 202).
    Refer(ReferArgs),
    /// Keep everything a case rests on from being erased.
    Hold(HoldArgs),
}

/// Which cases.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Those that stand so alone: open, proposed or closed.
    #[arg(long, value_parser = word::<CaseState>)]
    state: Option<CaseState>,
}

/// Which case.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The case: its entry.
    #[arg(value_name = "CASE")]
    case: u64,
}

/// A step in a case.
#[derive(Debug, Args)]
pub(crate) struct StepArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The case: its entry.
    #[arg(value_name = "CASE")]
    case: u64,
    /// What there is to say of it.
    #[arg(long)]
    text: Line,
    /// An entry that bears on it; as often as needed.
    #[arg(long, value_name = "ENTRY")]
    evidence: Vec<u64>,
    /// SHA-256 of a document kept elsewhere, in hex.
    #[arg(long, value_name = "HASH", value_parser = text::<Hash32>)]
    document_hash: Option<Hash32>,
    #[command(flatten)]
    write: WriteArgs,
}

/// How a case ends.
#[derive(Debug, Args)]
pub(crate) struct DisposeArgs {
    #[command(flatten)]
    step: StepArgs,
    /// false_match, no_violation, lawful_basis, corrected, violation or referred (which needs a referral on record).
    #[arg(long = "as", value_name = "DISPOSITION", value_parser = word::<Disposition>)]
    disposition: Disposition,
}

/// To whom a case goes.
#[derive(Debug, Args)]
pub(crate) struct ReferArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The case: its entry.
    #[arg(value_name = "CASE")]
    case: u64,
    /// To whom, by office.
    #[arg(long)]
    to: Line,
    /// On which form.
    #[arg(long, default_value = "OGE Form 202")]
    form: Line,
    /// SHA-256 of what was sent, in hex.
    #[arg(long, value_name = "HASH", value_parser = text::<Hash32>)]
    document_hash: Hash32,
    #[command(flatten)]
    write: WriteArgs,
}

/// Why a case is held.
#[derive(Debug, Args)]
pub(crate) struct HoldArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The case: its entry.
    #[arg(value_name = "CASE")]
    case: u64,
    /// On what ground: the request or order that asks for it.
    #[arg(long)]
    authority: Line,
    #[command(flatten)]
    write: WriteArgs,
}

pub(crate) fn run(command: &CasesCommand, out: &mut Out<'_>) -> Result<Exit, Failure> {
    match command {
        CasesCommand::List(args) => list(args, out),
        CasesCommand::Show(args) => show(args, out),
        CasesCommand::Note(args) => step(args, CaseStep::Note, None, out),
        CasesCommand::Dispose(args) => step(&args.step, CaseStep::Dispose, Some(args.disposition), out),
        CasesCommand::Approve(args) => step(args, CaseStep::Approve, None, out),
        CasesCommand::Reopen(args) => step(args, CaseStep::Reopen, None, out),
        CasesCommand::Refer(args) => refer(args, out),
        CasesCommand::Hold(args) => hold(args, out),
    }
}

/// Asks as somebody who may see cases.
fn to_ask(ledger: &LedgerArgs) -> Result<Session, Failure> {
    let session = Session::to_ask(ledger)?;
    let who = [Role::InspectorGeneral, Role::EthicsOfficer];
    session.actor.must_have(&who, || "what was found is for the ethics role (ethics_officer) and inspectors".into()).map(|()| session)
}

/// An inspector knows of every case; an ethics office of those of its own agency's people.
fn knows_of(session: &Session, person: &PersonId) -> bool {
    session.actor.has(Role::InspectorGeneral) || session.actor.eyes.see_why_of(session.ledger.facts(), person)
}

const COLUMNS: &[&str] = &["case", "state", "disposition", "rule", "asks", "name", "person", "submission", "finding", "evidence"];
const PENDING: &[&str] = &["due", "rule", "name", "person", "submission", "finding"];

fn list(args: &ListArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = to_ask(&args.ledger)?;
    let facts = session.ledger.facts();
    let wanted = |case| args.state.is_none_or(|state| facts.case_file(case).is_some_and(|f| f.state == state));
    let cases: Vec<Value> =
        facts.cases().filter(|(case, c)| wanted(*case) && knows_of(&session, &c.person)).map(|(case, c)| row(facts, case, c)).collect();
    let pending: Vec<Value> = facts
        .pending()
        .filter(|(_, person, ..)| knows_of(&session, person))
        .map(|(rule, person, submission, f)| {
            json!({
                "due": f.due.to_string(), "rule": rule, "asks": label(rule), "name": name(facts, person), "person": person,
                "submission": submission, "finding": f.finding, "evidence": f.evidence,
            })
        })
        .collect();
    let as_of = session.ledger.size();
    let read = session.record_read("cases", "all", cases.len(), as_of)?;
    super::query::tell_unrecorded(&read);
    if out.is_json() {
        out.object("cases", json!({ "rows": cases, "pending": pending, "as_of": as_of, "complete": true, "read_entry": read.ok() }))?;
        return Ok(DONE);
    }
    out.table(COLUMNS, &cells(&cases, COLUMNS))?;
    out.line(format_args!("{} cases, complete as of size {as_of}", cases.len()))?;
    if !pending.is_empty() {
        out.line("\nfound, and a case when due (countersign tick):")?;
        out.table(PENDING, &cells(&pending, PENDING))?;
    }
    Ok(DONE)
}

fn row(facts: &Facts, case: LeafIndex, c: &CaseOpened) -> Value {
    let file = facts.case_file(case);
    json!({
        "case": case, "rule": c.rule, "version": c.version, "asks": label(c.rule.as_str()), "cite": c.cite,
        "name": name(facts, &c.person), "person": c.person, "submission": c.submission, "finding": c.finding, "evidence": c.evidence,
        "state": file.map(|f| word_of(&f.state)), "disposition": file.and_then(|f| f.disposition).map(|d| word_of(&d)),
        "opened_at": file.map(|f| f.opened_at.to_string()), "referrals": file.map(|f| &f.referrals), "holds": file.map(|f| &f.holds),
    })
}

const RESTS_ON: &[&str] = &["entry", "recorded_at", "actor", "what"];
const STEPS: &[&str] = &["entry", "recorded_at", "actor", "what", "evidence", "text"];

fn show(args: &ShowArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = to_ask(&args.ledger)?;
    let (facts, case) = (session.ledger.facts(), LeafIndex(args.case));
    let known = facts.case_at(case).filter(|c| knows_of(&session, &c.person)).ok_or_else(|| no_case(args.case))?;
    let mut fields = row(facts, case, known);
    let evidence: Vec<Value> = known.evidence.iter().map(|e| what(&session, *e)).collect::<Result<_, _>>()?;
    let entries = facts.case_file(case).map(|f| f.entries.clone()).unwrap_or_default();
    let steps: Vec<Value> = entries.iter().map(|e| what(&session, *e)).collect::<Result<_, _>>()?;
    let as_of = session.ledger.size();
    let read = session.record_read("case", &args.case.to_string(), steps.len(), as_of)?;
    super::query::tell_unrecorded(&read);
    if out.is_json() {
        if let Value::Object(fields) = &mut fields {
            fields.insert("rests_on".into(), evidence.into());
            fields.insert("timeline".into(), steps.into());
            fields.insert("as_of".into(), as_of.into());
            fields.insert("read_entry".into(), json!(read.ok()));
        }
        out.object("case", fields)?;
        return Ok(DONE);
    }
    for column in COLUMNS.iter().chain(&["opened_at", "referrals", "holds"]).filter(|c| **c != "evidence") {
        out.line(format_args!("{column:<12} {}", cells(std::slice::from_ref(&fields), &[column]).concat().concat()))?;
    }
    out.line("\nrests on:")?;
    out.table(RESTS_ON, &cells(&evidence, RESTS_ON))?;
    out.line("\nwhat was done:")?;
    out.table(STEPS, &cells(&steps, STEPS))?;
    out.line(format_args!("complete as of size {as_of}; `countersign explain` tells it as a memo"))?;
    Ok(DONE)
}

fn no_case(case: u64) -> Failure {
    Failure::NotFound(format!("entry {case} is no case: `countersign cases list` shows them"))
}

/// One entry, in a line, with what somebody said of it.
fn what(session: &Session, entry: LeafIndex) -> Result<Value, Failure> {
    let (meta, record) = match session.ledger.entry(entry.0) {
        Err(OpenError::Shut { erased: Some(at), .. }) => return Ok(json!({ "entry": entry, "what": erased_line(entry, at) })),
        opened => opened.map(|(_, meta, record)| (meta, record))?,
    };
    let (text, evidence) = match &record {
        Record::CaseEvent(e) => (Some(e.text.to_string()), e.evidence.clone()),
        Record::LegalHold(h) => (Some(h.authority.to_string()), Vec::new()),
        Record::Referral(r) => (r.form.as_ref().map(Line::to_string), Vec::new()),
        _ => (None, Vec::new()),
    };
    let at = countersign_entry::time::Micros::new(meta.at).map_err(|e| Failure::Bug(e.to_string()))?;
    Ok(json!({
        "entry": entry, "recorded_at": at.to_string(), "actor": meta.actor, "type": record.type_name(), "what": describe(&record),
        "evidence": evidence, "text": text,
    }))
}

fn step(args: &StepArgs, step: CaseStep, disposition: Option<Disposition>, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let record = CaseEvent {
        case: LeafIndex(args.case),
        step,
        disposition,
        text: args.text.clone(),
        evidence: args.evidence.iter().copied().map(LeafIndex).collect(),
        document_hash: args.document_hash,
    };
    write(&args.ledger, &args.write, args.case, &word_of(&step), |_| Ok(record.into()), out)
}

fn refer(args: &ReferArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let make = |session: &Session| {
        Ok(Record::from(Referral {
            id: id("rf-", &args.write)?,
            case: LeafIndex(args.case),
            to: args.to.clone(),
            form: Some(args.form.clone()),
            document_hash: args.document_hash,
            referred_at: session.ledger.now(),
            supersedes: None,
        }))
    };
    write(&args.ledger, &args.write, args.case, "refer", make, out)
}

fn hold(args: &HoldArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let make = |session: &Session| {
        Ok(Record::from(LegalHold {
            id: id("lh-", &args.write)?,
            scope: HoldScope::Case(LeafIndex(args.case)),
            authority: args.authority.clone(),
            from: session.ledger.now(),
            until: None,
            supersedes: None,
        }))
    };
    write(&args.ledger, &args.write, args.case, "hold", make, out)
}

fn id(prefix: &str, write: &WriteArgs) -> Result<RecordId, Failure> {
    RecordId::new(new_id(prefix, write.idempotency_key.as_ref())?).map_err(|e| Failure::Bug(e.to_string()))
}

fn write(
    ledger: &LedgerArgs,
    write: &WriteArgs,
    case: u64,
    verb: &str,
    make: impl FnOnce(&Session) -> Result<Record, Failure>,
    out: &mut Out<'_>,
) -> Result<Exit, Failure> {
    let mut session = Session::to_write(ledger)?;
    session.actor.must_be_ethics("work on cases")?;
    let record = make(&session)?;
    let receipt = session.record(write, record)?;
    let state = session.ledger.facts().case_file(LeafIndex(case)).map(|f| word_of(&f.state));
    if out.is_json() {
        let mut fields = recorded(&receipt)?;
        if let Value::Object(fields) = &mut fields {
            fields.insert("case".into(), case.into());
            fields.insert("state".into(), state.into());
        }
        out.object(&format!("case-{verb}"), fields)?;
    } else {
        out.line(format_args!("case {case} is {}", state.unwrap_or_default()))?;
        out.line(recorded_line(&receipt)?)?;
    }
    Ok(DONE)
}
