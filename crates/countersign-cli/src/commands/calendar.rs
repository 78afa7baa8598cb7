//! `calendar`: who owes which report, notice or divestiture by when; and `duty`, what happened with one.

use clap::Args;
use countersign_entry::ids::{Date, Hash32, Line, PersonId};
use countersign_entry::record::{DutyEvent, DutyKind, DutyStep};
use countersign_server::report::{CALENDAR, calendar};
use serde_json::json;

use super::DONE;
use super::query::{AsOfArgs, FormArgs, Told, answer, not_recorded, view};
use crate::args::{LedgerArgs, WriteArgs};
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::{Session, recorded, recorded_line};
use crate::words::{text, word};

/// Which duties.
#[derive(Debug, Args)]
pub(crate) struct CalendarArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Of this person alone.
    #[arg(long)]
    person: Option<PersonId>,
    /// Those whose day has passed and that were not met.
    #[arg(long)]
    late: bool,
    /// The day they are looked at from. Without it: the day of the newest entry with --as-of, else today.
    #[arg(long, value_name = "DATE")]
    today: Option<Date>,
    #[command(flatten)]
    as_of: AsOfArgs,
    #[command(flatten)]
    form: FormArgs,
}

/// What happened with a duty.
#[derive(Debug, Args)]
pub(crate) struct DutyArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Whose duty.
    #[arg(long)]
    person: PersonId,
    /// new_entrant, annual, termination, transactions, review, negotiation_notice, divestiture or ethics_agreement.
    #[arg(long, value_parser = word::<DutyKind>)]
    duty: DutyKind,
    /// The day it counts from, as the calendar shows it.
    #[arg(long, value_name = "DATE")]
    since: Date,
    /// imposed (a divestiture, an ethics agreement), reminded, extended or met.
    #[arg(long, value_parser = word::<DutyStep>)]
    step: DutyStep,
    /// On which day. Without it: today.
    #[arg(long, value_name = "DATE")]
    on: Option<Date>,
    /// The day it is due instead, with extended.
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// SHA-256 of the report, notice or reminder, in hex.
    #[arg(long, value_name = "HASH", value_parser = text::<Hash32>)]
    document_hash: Option<Hash32>,
    /// What there is to say of it, such as the ground of an extension.
    #[arg(long)]
    text: Option<Line>,
    #[command(flatten)]
    write: WriteArgs,
}

pub(crate) fn run(args: &CalendarArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = Session::to_ask(&args.ledger)?;
    session.actor.must_be_ethics("the calendar")?;
    let view = view(&session, args.as_of.as_of)?;
    let facts = view.facts();
    if let Some(person) = args.person.as_ref().filter(|p| facts.person(p).is_none()) {
        return Err(not_recorded("person", person.as_str(), &view));
    }
    let then = if args.as_of.as_of.is_some() { view.at() } else { session.ledger.now() };
    let today = args.today.clone().unwrap_or_else(|| Date::of(then));
    let rows = calendar(facts, &session.actor.eyes, args.person.as_ref(), &today, args.late);
    let subject = args.person.as_ref().map_or("all", PersonId::as_str);
    let mut told = Told::new("calendar", subject, CALENDAR, &view.answer(Vec::<()>::new()), rows);
    told.header = vec![("today", json!(today))];
    answer(told, &mut session, &args.form, out)
}

/// Records what happened with a duty.
pub(crate) fn record(args: &DutyArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = Session::to_write(&args.ledger)?;
    let record = DutyEvent {
        person: args.person.clone(),
        duty: args.duty,
        since: args.since.clone(),
        step: args.step,
        on: args.on.clone().unwrap_or_else(|| Date::of(session.ledger.now())),
        until: args.until.clone(),
        document_hash: args.document_hash,
        text: args.text.clone(),
    };
    let receipt = session.record(&args.write, record.into())?;
    if out.is_json() {
        out.object("duty", recorded(&receipt)?)?;
    } else {
        out.line(recorded_line(&receipt)?)?;
    }
    Ok(DONE)
}
