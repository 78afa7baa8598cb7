//! `access log` and `access list`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_entry::ids::{LeafIndex, Line, PersonId, SubmissionId, Token};
use countersign_entry::record::{AccessEvent, AccessResult, Decision, InformationOwner, MarkingLevel, Record};
use countersign_entry::time::Micros;
use countersign_ledger::query::Page;
use serde_json::{Value, json};

use super::{DONE, access_file};
use crate::args::{LedgerArgs, WriteArgs};
use crate::explain::{decided_for, explain, explain_json};
use crate::failure::{Exit, Failure};
use crate::output::{Out, cells};
use crate::session::{Session, recorded, recorded_line};
use crate::words::{name, word};

/// Accesses.
#[derive(Debug, Subcommand)]
pub(crate) enum AccessCommand {
    /// Record that somebody touched a submission: one access from flags, or many from a file.
    Log(Box<LogArgs>),
    /// List recorded accesses.
    List(ListArgs),
}

/// One access, or a file of them.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    #[command(flatten)]
    pub(super) ledger: LedgerArgs,
    /// Record every line of a file, one JSON object each with person, submission, action, occurred_at and optionally grant, artefact, result,
    /// source, source_id, session, marking, information_owner, detail, idempotency_key; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["person", "submission", "action"])]
    pub(super) file: Option<PathBuf>,
    /// Who.
    #[arg(long, required_unless_present = "file")]
    person: Option<PersonId>,
    /// What was touched.
    #[arg(long, required_unless_present = "file")]
    submission: Option<SubmissionId>,
    /// What was done: view, query, download, …
    #[arg(long, required_unless_present = "file")]
    action: Option<Token>,
    /// The grant it happened under.
    #[arg(long)]
    grant: Option<u64>,
    /// When, as the source tells. Without it: now.
    #[arg(long)]
    at: Option<Micros>,
    /// Which part: weights, card, a transcript.
    #[arg(long)]
    artefact: Option<Line>,
    /// success, refused or error.
    #[arg(long, value_parser = word::<AccessResult>)]
    result: Option<AccessResult>,
    /// Which gateway or system tells.
    #[arg(long)]
    source: Option<Line>,
    /// Its own id for the event.
    #[arg(long)]
    source_id: Option<Line>,
    /// The session it belongs to.
    #[arg(long)]
    session: Option<Line>,
    /// Marking of what was touched.
    #[arg(long, value_parser = word::<MarkingLevel>)]
    marking: Option<MarkingLevel>,
    /// Who owns the information: developer, agency or joint.
    #[arg(long, value_parser = word::<InformationOwner>)]
    information_owner: Option<InformationOwner>,
    /// The entry of an earlier access this one corrects.
    #[arg(long, value_name = "ENTRY")]
    supersedes: Option<u64>,
    /// Say what the rules found; for the ethics role.
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    pub(super) write: WriteArgs,
}

/// Which accesses.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Of this person alone.
    #[arg(long)]
    person: Option<PersonId>,
    /// To this submission alone.
    #[arg(long)]
    submission: Option<SubmissionId>,
    #[command(flatten)]
    range: RangeArgs,
}

/// A range of time, as the sources tell it.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct RangeArgs {
    /// First moment.
    #[arg(long)]
    from: Option<Micros>,
    /// First moment after.
    #[arg(long)]
    until: Option<Micros>,
}

impl RangeArgs {
    /// Whether neither end is given.
    pub(crate) fn is_open(self) -> bool {
        self.from.is_none() && self.until.is_none()
    }

    /// From, and the first moment after.
    pub(crate) fn bounds(self) -> (Micros, Micros) {
        (self.from.unwrap_or(Micros::EPOCH), self.until.unwrap_or_else(|| Micros::EPOCH.plus(u64::MAX)))
    }
}

pub(crate) fn run(command: &AccessCommand, out: &mut Out<'_>) -> Result<Exit, Failure> {
    match command {
        AccessCommand::Log(args) => match &args.file {
            Some(file) => access_file::run(args, file, out),
            None => log(args, out),
        },
        AccessCommand::List(args) => list(args, out),
    }
}

fn log(args: &LogArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = Session::to_write(&args.ledger)?;
    if args.explain {
        session.actor.must_be_ethics("--explain")?;
    }
    let event = event(args, session.ledger.now())?;
    let receipt = session.record(&args.write, event.into())?;
    let assessment = receipt.record.assessment().filter(|_| args.explain);
    if out.is_json() {
        let mut fields = recorded(&receipt)?;
        if let (Some(a), Value::Object(fields)) = (assessment, &mut fields) {
            fields.insert("assessment".into(), explain_json(a));
        }
        out.object("access-log", fields)?;
    } else {
        out.line(recorded_line(&receipt)?)?;
        for line in assessment.into_iter().flat_map(|a| explain(a, decided_for(&receipt.record, receipt.at), &session.ledger)) {
            out.line(format_args!("  {line}"))?;
        }
    }
    Ok(DONE)
}

fn event(args: &LogArgs, now: Micros) -> Result<AccessEvent, Failure> {
    let fields = json!({
        "person": args.person, "submission": args.submission, "action": args.action, "grant": args.grant,
        "occurred_at": args.at.unwrap_or(now), "artefact": args.artefact, "result": args.result, "source": args.source,
        "source_id": args.source_id, "session": args.session, "marking": args.marking, "information_owner": args.information_owner,
        "supersedes": args.supersedes, "detail": {},
    });
    serde_json::from_value(fields).map_err(|e| Failure::Invalid(e.to_string()))
}

const COLUMNS: &[&str] = &["entry", "occurred_at", "name", "person", "submission", "action", "result", "grant", "cleared", "supersedes"];

fn list(args: &ListArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = Session::to_ask(&args.ledger)?;
    let mut rows = Vec::new();
    for index in entries(args, &session)? {
        let Record::AccessEvent(e) = session.entry(index)? else { continue };
        let (from, until) = args.range.bounds();
        let wanted = args.person.as_ref().is_none_or(|p| *p == e.person) && args.submission.as_ref().is_none_or(|s| *s == e.submission);
        if wanted && from <= e.occurred_at && e.occurred_at < until {
            rows.push(row(&session, index, &e));
        }
    }
    let as_of = session.ledger.size();
    let subject = args.person.as_ref().map(|p| p.as_str()).or(args.submission.as_ref().map(|s| s.as_str())).unwrap_or("all");
    let read = session.record_read("access", subject, rows.len(), as_of)?;
    super::query::tell_unrecorded(&read);
    if out.is_json() {
        out.object("access-list", json!({ "rows": rows, "as_of": as_of, "complete": true, "read_entry": read.ok() }))?;
    } else {
        out.table(COLUMNS, &cells(&rows, COLUMNS))?;
        out.line(format_args!("{} rows, complete as of size {as_of}", rows.len()))?;
    }
    Ok(DONE)
}

/// Entries that can be wanted: those of a person or a submission from the index, else every access.
fn entries(args: &ListArgs, session: &Session) -> Result<Vec<LeafIndex>, Failure> {
    let facts = session.ledger.facts();
    let timeline = match (&args.person, &args.submission) {
        (Some(person), _) => session.ledger.view().person_timeline(person, Page::ALL)?,
        (None, Some(submission)) => session.ledger.view().submission_timeline(submission, Page::ALL)?,
        (None, None) => return Ok((0..session.ledger.size()).map(LeafIndex).filter(|i| facts.is_access(*i)).collect()),
    };
    Ok(timeline.rows.into_iter().map(|r| r.entry).filter(|i| facts.is_access(*i)).collect())
}

fn row(session: &Session, index: LeafIndex, e: &AccessEvent) -> Value {
    json!({
        "entry": index, "occurred_at": e.occurred_at.to_string(), "name": name(session.ledger.facts(), &e.person), "person": e.person,
        "submission": e.submission, "action": e.action, "grant": e.grant, "artefact": e.artefact, "result": e.result, "source": e.source,
        "source_id": e.source_id, "session": e.session, "cleared": e.assessment.as_ref().is_some_and(|a| a.decision == Decision::Cleared),
        "supersedes": e.supersedes,
    })
}
