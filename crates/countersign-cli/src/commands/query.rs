//! `query`: who knew what. Every question is recorded before it is answered, and every answer says what it is complete for.

use clap::{Args, Subcommand};
use countersign_entry::ids::{IssuerId, PersonId, SubmissionId};
use countersign_entry::time::Micros;
use countersign_ledger::Notice;
use countersign_ledger::query::{Answer, AsOf, Page, View};
use serde::Serialize;
use serde_json::{Value, json};

use super::access::RangeArgs;
use super::query_changed::{self, ChangedArgs};
use super::query_exposure::{self, ExposureArgs};
use super::query_insiders::{self, InsidersArgs};
use super::query_trades::{self, TradesArgs};
use super::{DONE, bar, insider_template, visible};
use crate::args::LedgerArgs;
use crate::failure::{Exit, Failure};
use crate::output::{Out, cells, csv, say};
use crate::session::Session;
use crate::words::{name, state_for, times_as_text};

/// Questions over the whole ledger, as of now or as of any entry.
#[derive(Debug, Subcommand)]
pub(crate) enum QueryCommand {
    /// Who had access to anything that touches an issuer.
    Issuer(IssuerArgs),
    /// Everything recorded about a person; --from and --until are when it was recorded.
    Person(PersonArgs),
    /// Who asked for, had, or took access to a submission.
    Submission(SubmissionArgs),
    /// The insider list of a submission: who had access or could have had it, since when and until when, and what they signed.
    Insiders(InsidersArgs),
    /// Issuers a submission touched on a day, over which edges, and since when that was known.
    Exposure(ExposureArgs),
    /// Trades of people in issuers that something they had access to touches; for the ethics role.
    Trades(TradesArgs),
    /// What was recorded since an entry, field by field where it takes the place of something.
    Changed(ChangedArgs),
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
    as_of: AsOfArgs,
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
    range: RangeArgs,
    #[command(flatten)]
    as_of: AsOfArgs,
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
    as_of: AsOfArgs,
    #[command(flatten)]
    form: FormArgs,
}

/// As of when.
#[derive(Debug, Args)]
pub(crate) struct AsOfArgs {
    /// Answer as it was answered then: a tree size (the entries before that index), or a time (everything recorded by then; a date is its first
    /// moment). Without it: now.
    #[arg(long, value_name = "SIZE|TIME", value_parser = as_of)]
    pub(super) as_of: Option<AsOf>,
}

/// The form of an answer.
#[derive(Debug, Args)]
pub(crate) struct FormArgs {
    /// Answer as CSV. Cells a spreadsheet would take for formulas get an apostrophe in front.
    #[arg(long, conflicts_with = "json")]
    pub(super) csv: bool,
    /// Rows at most. The answer says where the next ones begin.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Rows left out before the first. With --as-of the rows of an answer stay where they are.
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: usize,
}

impl FormArgs {
    /// The part of the answer that is asked for.
    pub(super) fn page(&self) -> Page {
        Page { offset: self.offset, limit: self.limit.unwrap_or(usize::MAX) }
    }
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
    pub(super) at: Micros,
    pub(super) root: String,
    pub(super) incomplete: Option<String>,
    /// What the rows are rows of, beside them in JSON and above them in a table.
    pub(super) header: Vec<(&'static str, Value)>,
    /// Makes one cell of what is more than a cell in JSON.
    pub(super) flat: fn(&mut Value),
    /// The rows told in full, where that was asked for.
    pub(super) notes: Vec<String>,
    /// Trades nobody knows the issuer of, where the question is about trades: the answer says nothing of them.
    pub(super) in_review: Option<usize>,
    /// Whether the rows are the page that was asked for already.
    pub(super) paged: bool,
    /// Whether rows follow after them.
    more: bool,
}

impl Told {
    /// An answer to a question about `subject`, its rows in the reader's words.
    pub(super) fn new<Row>(
        question: &'static str,
        subject: &str,
        columns: &'static [&'static str],
        of: &Answer<Row>,
        rows: Vec<Value>,
    ) -> Self {
        Self {
            question,
            subject: subject.to_owned(),
            rows,
            columns,
            as_of: of.as_of,
            at: of.at,
            root: of.root.to_string(),
            incomplete: of.incomplete.clone(),
            header: Vec::new(),
            flat: |_| {},
            notes: Vec::new(),
            in_review: None,
            paged: false,
            more: of.more,
        }
    }
}

pub(crate) fn run(command: &QueryCommand, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let (ledger, as_of, form) = match command {
        QueryCommand::Issuer(a) => (&a.ledger, a.as_of.as_of, &a.form),
        QueryCommand::Person(a) => (&a.ledger, a.as_of.as_of, &a.form),
        QueryCommand::Submission(a) => (&a.ledger, a.as_of.as_of, &a.form),
        QueryCommand::Insiders(a) => (&a.ledger, a.as_of.as_of, &a.form),
        QueryCommand::Exposure(a) => (&a.ledger, a.as_of.as_of, &a.form),
        QueryCommand::Trades(a) => (&a.ledger, a.as_of.as_of, &a.form),
        QueryCommand::Changed(a) => (&a.ledger, a.until, &a.form),
    };
    let mut session = Session::to_ask(ledger)?;
    let view = view(&session, as_of)?;
    let told = match command {
        QueryCommand::Issuer(args) => issuer(args, &view)?,
        QueryCommand::Person(args) => person(args, &view, &session)?,
        QueryCommand::Submission(args) => submission(args, &view, &session)?,
        QueryCommand::Insiders(args) => query_insiders::insiders(args, &view, &session)?,
        QueryCommand::Exposure(args) => query_exposure::exposure(args, &view, &session)?,
        QueryCommand::Trades(args) => query_trades::trades(args, &view, &session)?,
        QueryCommand::Changed(args) => query_changed::changed(args, &view, &session)?,
    };
    if let QueryCommand::Insiders(InsidersArgs { template: Some(template), xlsx, .. }) = command {
        let told = told.cut(form.page());
        let read = read(&told, &mut session)?;
        insider_template::tell(template, &told, read, form.csv, xlsx.as_deref(), out)?;
        return Ok(DONE);
    }
    answer(told, &mut session, form, out)
}

/// Records that somebody asked, and answers.
pub(super) fn answer(told: Told, session: &mut Session, form: &FormArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let told = told.cut(form.page());
    let read = read(&told, session)?;
    tell(told, read, session.actor.sees_all(session.ledger.facts()), form, out)?;
    Ok(DONE)
}

fn read(told: &Told, session: &mut Session) -> Result<Option<u64>, Failure> {
    let read = session.record_read(told.question, &told.subject, told.rows.len(), told.as_of)?;
    tell_unrecorded(&read);
    Ok(read.ok())
}

/// What was known then. An older size is read again, from a snapshot on where there is one; on a terminal a bar says how far that is.
pub(super) fn view<'a>(session: &'a Session, as_of: Option<AsOf>) -> Result<View<'a>, Failure> {
    let Some(as_of) = as_of else { return Ok(session.ledger.view()) };
    let size = session.ledger.size_as_of(as_of)?;
    let bar = bar(size, "reading entries");
    let view = session.ledger.view_as_of(AsOf::Size(size), &mut |notice| match notice {
        Notice::Doing { done, .. } => bar.set_position(done),
        Notice::Anew(why) => bar.suspend(|| say(why)),
    });
    bar.finish_and_clear();
    Ok(view?)
}

/// Reads a size or a time.
pub(super) fn as_of(text: &str) -> Result<AsOf, String> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().map(AsOf::Size).map_err(|_| "is no tree size".to_owned());
    }
    text.parse().map(AsOf::Time).map_err(|_| "is neither a tree size nor a time (2026-06-01T09:00:00Z) or a date (2026-06-01)".to_owned())
}

/// Says on standard error where a question could not be recorded.
pub(super) fn tell_unrecorded(read: &Result<u64, String>) {
    if let Err(why) = read {
        say(format_args!("this question is not recorded: {why}"));
    }
}

impl Told {
    /// The page that is asked for, where it was not made already.
    fn cut(mut self, page: Page) -> Self {
        if !self.paged {
            self.more = page.cut(&mut self.rows);
        }
        if self.more {
            let next = page.offset + self.rows.len();
            self.incomplete.get_or_insert(format!("more follow: --as-of {} --offset {next}", self.as_of));
        }
        self
    }
}

fn tell(told: Told, read: Option<u64>, all: bool, form: &FormArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    if out.is_json() {
        let mut fields = json!({
            "question": told.question, "subject": told.subject, "rows": told.rows, "as_of": told.as_of, "as_of_at": told.at.to_string(),
            "root": told.root, "complete": told.incomplete.is_none(), "complete_for": if all { "everybody" } else { "your role" },
            "incomplete_because": told.incomplete, "read_entry": read,
        });
        let notes = (!told.notes.is_empty()).then(|| ("notes", json!(told.notes)));
        for (name, value) in told.header.into_iter().chain(notes).chain(told.in_review.map(|waiting| ("in_review", waiting.into()))) {
            set(&mut fields, name, value);
        }
        return out.object("query", fields);
    }
    let ending = ending(&told, all);
    let mut rows = told.rows;
    rows.iter_mut().for_each(told.flat);
    if form.csv {
        for (name, value) in &told.header {
            say(format_args!("{name} {}", cells(&[json!({ "v": value })], &["v"]).concat().concat()));
        }
        say(ending);
        return out.text(&csv(&rows, told.columns)?);
    }
    for (name, value) in &told.header {
        out.line(format_args!("{name:<13} {}", cells(&[json!({ "v": value })], &["v"]).concat().concat()))?;
    }
    out.table(told.columns, &cells(&rows, told.columns))?;
    for note in &told.notes {
        out.line(note)?;
    }
    out.line(ending)
}

fn ending(told: &Told, all: bool) -> String {
    let completeness = match &told.incomplete {
        Some(why) => format!("INCOMPLETE ({why})"),
        // Said whether or not anything was left out: that something was may be what must not show.
        None if !all => "complete for your role".to_owned(),
        None => "complete".to_owned(),
    };
    let waiting = match told.in_review {
        Some(waiting @ 1..) => format!("; {waiting} more wait for their issuer (countersign review)"),
        _ => String::new(),
    };
    format!("{} rows, {completeness} as of size {} ({}){waiting}\nroot {}", told.rows.len(), told.as_of, told.at, told.root)
}

fn issuer(args: &IssuerArgs, view: &View<'_>) -> Result<Told, Failure> {
    if view.facts().issuer(&args.id).is_none() {
        return Err(not_recorded("issuer", args.id.as_str(), view));
    }
    let (from, until) = args.range.bounds();
    let answer = view.who_touched_issuer(&args.id, from, until, args.form.page())?;
    let mut told = Told::new("issuer", args.id.as_str(), ISSUER, &answer, values(&answer.rows, view));
    told.paged = true;
    for (row, known) in told.rows.iter_mut().zip(&answer.rows) {
        let title = view.facts().submission(&known.submission).map(|s| s.record.title.as_str());
        set(row, "title", title.into());
    }
    Ok(told)
}

fn person(args: &PersonArgs, view: &View<'_>, session: &Session) -> Result<Told, Failure> {
    // A page is one of what the reader may see: rows missing from it would be counted.
    let early = session.actor.sees_all(view.facts()) && args.range.is_open();
    let answer = view.person_timeline(&args.id, if early { args.form.page() } else { Page::ALL })?;
    if answer.rows.is_empty() && view.person_timeline(&args.id, Page { offset: 0, limit: 1 })?.rows.is_empty() {
        return Err(not_recorded("person", args.id.as_str(), view));
    }
    let (from, until) = args.range.bounds();
    let in_range = answer.rows.iter().filter(|row| from <= row.recorded_at && row.recorded_at < until);
    let seen = in_range.filter_map(|row| {
        let what = visible::line(&session.actor, view.facts(), &row.record)?;
        Some(json!({ "entry": row.entry, "recorded_at": row.recorded_at.to_string(), "kind": row.kind, "what": what }))
    });
    let told = Told::new("person", args.id.as_str(), PERSON, &answer, seen.collect());
    Ok(Told { paged: early, ..told })
}

fn submission(args: &SubmissionArgs, view: &View<'_>, session: &Session) -> Result<Told, Failure> {
    let answer = view.people_of_submission(&args.id, Page::ALL)?;
    if answer.rows.is_empty() && view.facts().submission(&args.id).is_none() {
        return Err(not_recorded("submission", args.id.as_str(), view));
    }
    let mut told = Told::new("submission", args.id.as_str(), SUBMISSION, &answer, values(&answer.rows, view));
    for (row, known) in told.rows.iter_mut().zip(&answer.rows) {
        set(row, "state", known.state.map(|s| state_for(session.actor.eyes.see_why_of(view.facts(), &known.person), s)).into());
    }
    Ok(told)
}

/// Nothing of this id is in the ledger, or was then.
pub(super) fn not_recorded(what: &str, id: &str, view: &View<'_>) -> Failure {
    Failure::NotFound(format!("{what} {id} is not recorded as of size {}", view.size()))
}

/// Rows as JSON, people with their names, times as text.
fn values<Row: Serialize>(rows: &[Row], view: &View<'_>) -> Vec<Value> {
    let value = |row: &Row| {
        let mut value = serde_json::to_value(row).unwrap_or_default();
        times_as_text(&mut value);
        let person = value.get("person").and_then(Value::as_str).and_then(|p| PersonId::new(p).ok());
        if let Some(person) = person {
            set(&mut value, "name", name(view.facts(), &person).into());
        }
        value
    };
    rows.iter().map(value).collect()
}

pub(super) fn set(row: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = row {
        fields.insert(name.to_owned(), value);
    }
}
