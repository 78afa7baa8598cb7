//! `query`: who knew what. Every question is recorded before it is answered, and every answer says what it is complete for.

use clap::{Args, Subcommand};
use countersign_entry::ids::{IssuerId, PersonId, SubmissionId};
use countersign_entry::record::Record;
use countersign_ledger::query::{Answer, TimelineRow, describe};
use serde::Serialize;
use serde_json::{Value, json};

use super::DONE;
use super::access::RangeArgs;
use super::query_trades::{self, TradesArgs};
use crate::args::LedgerArgs;
use crate::failure::{Exit, Failure};
use crate::output::{Out, cells, csv, say};
use crate::session::Session;
use crate::words::{name, neutral_state, state_for, times_as_text};

/// Questions over the whole ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum QueryCommand {
    /// Who had access to anything that touches an issuer.
    Issuer(IssuerArgs),
    /// Everything recorded about a person.
    Person(PersonArgs),
    /// Who asked for, had, or took access to a submission.
    Submission(SubmissionArgs),
    /// Trades of people in issuers that something they had access to touches; for the ethics role.
    Trades(TradesArgs),
}

/// Which issuer, and when.
#[derive(Debug, Args)]
pub(crate) struct IssuerArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The issuer.
    #[arg(value_name = "ID")]
    id: IssuerId,
    #[command(flatten)]
    range: RangeArgs,
    #[command(flatten)]
    form: FormArgs,
}

/// Which person.
#[derive(Debug, Args)]
pub(crate) struct PersonArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The person.
    #[arg(value_name = "ID")]
    id: PersonId,
    #[command(flatten)]
    form: FormArgs,
}

/// Which submission.
#[derive(Debug, Args)]
pub(crate) struct SubmissionArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The submission.
    #[arg(value_name = "ID")]
    id: SubmissionId,
    #[command(flatten)]
    form: FormArgs,
}

/// The form of an answer.
#[derive(Debug, Args)]
pub(crate) struct FormArgs {
    /// Answer as CSV. Cells a spreadsheet would take for formulas get an apostrophe in front.
    #[arg(long, conflicts_with = "json")]
    pub(super) csv: bool,
}

const ISSUER: &[&str] =
    &["name", "person", "submission", "title", "first", "last", "accesses", "uncleared", "relation", "tier", "confirmed", "via", "entry"];
const PERSON: &[&str] = &["entry", "recorded_at", "kind", "what"];
const SUBMISSION: &[&str] = &["name", "person", "grant", "state", "first", "last", "accesses", "uncleared"];

/// An answer in the reader's words, ready for any form.
pub(super) struct Told {
    pub(super) question: &'static str,
    pub(super) subject: String,
    pub(super) rows: Vec<Value>,
    pub(super) columns: &'static [&'static str],
    pub(super) as_of: u64,
    pub(super) complete: bool,
    /// Trades nobody knows the issuer of, where the question is about trades: the answer says nothing of them.
    pub(super) in_review: Option<usize>,
}

pub(crate) fn run(command: &QueryCommand, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let (ledger, form) = match command {
        QueryCommand::Issuer(a) => (&a.ledger, &a.form),
        QueryCommand::Person(a) => (&a.ledger, &a.form),
        QueryCommand::Submission(a) => (&a.ledger, &a.form),
        QueryCommand::Trades(a) => (&a.ledger, &a.form),
    };
    let mut session = Session::to_ask(ledger)?;
    let told = match command {
        QueryCommand::Issuer(args) => issuer(args, &session)?,
        QueryCommand::Person(args) => person(args, &session)?,
        QueryCommand::Submission(args) => submission(args, &session)?,
        QueryCommand::Trades(args) => query_trades::trades(args, &session)?,
    };
    let read = session.record_read(told.question, &told.subject, told.rows.len())?;
    tell_unrecorded(&read);
    tell(&told, read.ok(), form, out)?;
    Ok(DONE)
}

/// Says on standard error where a question could not be recorded.
pub(super) fn tell_unrecorded(read: &Result<u64, String>) {
    if let Err(why) = read {
        say(format_args!("this question is not recorded: {why}"));
    }
}

fn tell(told: &Told, read: Option<u64>, form: &FormArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let (count, as_of) = (told.rows.len(), told.as_of);
    let completeness = if told.complete { "complete" } else { "INCOMPLETE" };
    if out.is_json() {
        let mut fields = json!({
            "question": told.question, "subject": told.subject, "rows": told.rows, "as_of": as_of, "complete": told.complete, "read_entry": read,
        });
        if let Some(waiting) = told.in_review {
            set(&mut fields, "in_review", waiting.into());
        }
        return out.object("query", fields);
    }
    let waiting = match told.in_review {
        Some(waiting @ 1..) => format!("; {waiting} more wait for their issuer (countersign review)"),
        _ => String::new(),
    };
    let ending = format!("{count} rows, {completeness} as of size {as_of}{waiting}");
    if form.csv {
        say(ending);
        return out.text(&csv(&told.rows, told.columns)?);
    }
    out.table(told.columns, &cells(&told.rows, told.columns))?;
    out.line(ending)
}

fn issuer(args: &IssuerArgs, session: &Session) -> Result<Told, Failure> {
    let facts = session.ledger.facts();
    let (from, until) = args.range.bounds();
    let answer = session.ledger.who_touched_issuer(&args.id, from, until);
    if facts.issuer(&args.id).is_none() {
        return Err(Failure::NotFound(format!("issuer {} is not recorded", args.id)));
    }
    let mut told = told("issuer", args.id.as_str(), ISSUER, &answer, session);
    for (row, known) in told.rows.iter_mut().zip(&answer.rows) {
        let title = facts.submission(&known.submission).map(|s| s.record.title.as_str());
        set(row, "title", title.into());
    }
    Ok(told)
}

fn person(args: &PersonArgs, session: &Session) -> Result<Told, Failure> {
    let mut answer = session.ledger.person_timeline(&args.id)?;
    if answer.rows.is_empty() {
        return Err(Failure::NotFound(format!("person {} is not recorded", args.id)));
    }
    if !session.actor.is_ethics() {
        let rows = std::mem::take(&mut answer.rows);
        for row in rows {
            answer.rows.extend(neutral(row, session)?);
        }
    }
    Ok(told("person", args.id.as_str(), PERSON, &answer, session))
}

/// A line of a person's history as others than the ethics role may see it: no cases, no interests, and nothing that tells a referral from a conflict.
fn neutral(mut row: TimelineRow, session: &Session) -> Result<Option<TimelineRow>, Failure> {
    let stands = |state: Option<_>| state.map_or("recorded", neutral_state);
    row.what = match session.entry(row.entry)? {
        Record::CaseOpened(_) | Record::Trade(_) | Record::Holding(_) => return Ok(None),
        Record::GrantRequest(r) => format!("access to {} requested: {}", r.submission, stands(r.result)),
        Record::GrantTransition(t) => format!("grant {} {}", t.grant, stands(t.result)),
        other => describe(&other),
    };
    Ok(Some(row))
}

fn submission(args: &SubmissionArgs, session: &Session) -> Result<Told, Failure> {
    let answer = session.ledger.people_of_submission(&args.id);
    if answer.rows.is_empty() && session.ledger.facts().submission(&args.id).is_none() {
        return Err(Failure::NotFound(format!("submission {} is not recorded", args.id)));
    }
    let mut told = told("submission", args.id.as_str(), SUBMISSION, &answer, session);
    for (row, known) in told.rows.iter_mut().zip(&answer.rows) {
        set(row, "state", known.state.map(|s| state_for(session.actor.is_ethics(), s)).into());
    }
    Ok(told)
}

fn told<Row: Serialize>(
    question: &'static str,
    subject: &str,
    columns: &'static [&'static str],
    answer: &Answer<Row>,
    session: &Session,
) -> Told {
    let row = |row: &Row| {
        let mut value = serde_json::to_value(row).unwrap_or_default();
        times_as_text(&mut value);
        let person = value.get("person").and_then(Value::as_str).and_then(|p| PersonId::new(p).ok());
        if let Some(person) = person {
            set(&mut value, "name", name(session.ledger.facts(), &person).into());
        }
        value
    };
    let rows = answer.rows.iter().map(row).collect();
    Told { question, subject: subject.to_owned(), rows, columns, as_of: answer.as_of, complete: answer.complete, in_review: None }
}

fn set(row: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = row {
        fields.insert(name.to_owned(), value);
    }
}
