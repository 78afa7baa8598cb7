//! `preclear`: asking before a trade, and what the ethics office makes of it.

use clap::{Args, Subcommand};
use countersign_conflict::Preclearance;
use countersign_entry::ids::{Date, LeafIndex, Line, PersonId, RawText};
use countersign_entry::record::{
    Band, HolderRelation, Instrument, InstrumentClass, PreclearanceDecision, PreclearanceRequest, Record, TradeKind, TradeTerm,
};
use countersign_intake::linking::Linker;
use countersign_ledger::Receipt;
use serde_json::{Value, json};

use super::DONE;
use super::grant::ToldArgs;
use crate::args::{LedgerArgs, WriteArgs};
use crate::explain::{caveat, explain, explain_json, neutral_text};
use crate::failure::{Exit, Failure};
use crate::output::{Out, cells, shown};
use crate::preset::PRESETS;
use crate::session::{Session, recorded, recorded_line};
use crate::words::{name, word, word_of};

/// Asking before a trade.
#[derive(Debug, Subcommand)]
pub(crate) enum PreclearCommand {
    /// Ask whether a trade may be made; for oneself, or as the ethics office for somebody.
    Request(RequestArgs),
    /// Clear a request, or take its clearance back; for the ethics role.
    Decide(DecideArgs),
    /// List requests and what became of them: one's own, or for the ethics role everybody's.
    List(ListArgs),
    /// Print a policy to start from, for `countersign policy set --file`.
    Preset(PresetArgs),
}

/// Which trade.
#[derive(Debug, Args)]
pub(crate) struct RequestArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Who is to trade. Without it: whoever asks.
    #[arg(long)]
    person: Option<PersonId>,
    /// What is to be traded, in words: NVIDIA Corp. common stock.
    #[arg(long, value_name = "TEXT")]
    instrument: RawText,
    /// Its ticker or another identifier.
    #[arg(long, value_name = "SYMBOL")]
    ticker: Option<Line>,
    /// Its kind, such as equity, option, diversified_fund. Without it: what the words say.
    #[arg(long, value_parser = word::<InstrumentClass>)]
    class: Option<InstrumentClass>,
    /// purchase, sale, partial_sale or exchange.
    #[arg(long, value_parser = word::<TradeKind>)]
    side: TradeKind,
    /// Whose account: own, spouse, joint, minor_child, managed_account, …
    #[arg(long, value_parser = word::<HolderRelation>, default_value = "own")]
    account: HolderRelation,
    /// Units at most: shares, contracts.
    #[arg(long, value_name = "N")]
    quantity: Option<u64>,
    /// Ways of trading that rules may forbid: short_sale, on_margin, initial_offering. May be given several times.
    #[arg(long = "term", value_name = "TERM", value_parser = word::<TradeTerm>)]
    terms: Vec<TradeTerm>,
    /// Whole dollars at most.
    #[arg(long, value_name = "DOLLARS")]
    at_most: Option<u64>,
    /// First day. Without it: today.
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Last day. Without it: as long as the policy clears.
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    #[command(flatten)]
    told: ToldArgs,
    #[command(flatten)]
    write: WriteArgs,
}

/// What the ethics office decides.
#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The entry of the request.
    #[arg(value_name = "REQUEST")]
    request: u64,
    /// Clear it, up to and with this day.
    #[arg(long, value_name = "DATE", conflicts_with = "refuse", required_unless_present = "refuse")]
    clear_until: Option<Date>,
    /// Leave it refused, or take its clearance back.
    #[arg(long)]
    refuse: bool,
    /// Why; the ethics role alone sees it.
    #[arg(long)]
    reason: Line,
    #[command(flatten)]
    write: WriteArgs,
}

/// Which requests.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Of this person alone.
    #[arg(long)]
    person: Option<PersonId>,
}

/// Which policy.
#[derive(Debug, Args)]
pub(crate) struct PresetArgs {
    /// agency (what a new ledger has), sec-4401-102 or fomc.
    #[arg(value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(PRESETS.iter().map(|p| p.0)))]
    name: String,
}

pub(crate) fn run(command: &PreclearCommand, out: &mut Out<'_>) -> Result<Exit, Failure> {
    match command {
        PreclearCommand::Request(args) => request(args, out),
        PreclearCommand::Decide(args) => decide(args, out),
        PreclearCommand::List(args) => list(args, out),
        PreclearCommand::Preset(args) => {
            let file = PRESETS.iter().find(|p| p.0 == args.name).map(|p| p.1).unwrap_or_default();
            out.text(file).map(|()| DONE)
        }
    }
}

/// Days a request without a last day is for: longer than any policy clears.
const UNTIL_DAYS: i64 = 366;

fn request(args: &RequestArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = Session::to_write(&args.ledger)?;
    args.told.check(&session.actor)?;
    let today = Date::of(session.ledger.now());
    let own = session.ledger.facts().principal(&session.actor.id).and_then(|p| p.record.person.clone());
    let nobody = || Failure::Invalid("no person stands behind this account: say for whom with --person".into());
    let from = args.from.clone().unwrap_or_else(|| today.clone());
    let record = PreclearanceRequest {
        person: args.person.clone().or(own).ok_or_else(nobody)?,
        relation: args.account,
        instrument: args.instrument(&session, &today),
        kind: args.side,
        quantity: args.quantity,
        terms: args.terms.clone(),
        value: Band::new(None, args.at_most).map_err(|e| Failure::Invalid(e.to_string()))?,
        until: args.until.clone().unwrap_or_else(|| from.plus_days(UNTIL_DAYS)),
        from,
        reference: None,
        assessment: None,
        cleared_until: None,
    };
    let receipt = session.record(&args.write, record.into())?;
    tell(&session, &receipt, &args.told, out)
}

impl RequestArgs {
    /// What the words mean. The kind somebody gives stands: an option is the option on what the words name.
    fn instrument(&self, session: &Session, today: &Date) -> Instrument {
        let mut linker = Linker::new(session.ledger.facts());
        let instrument = linker.instrument(self.instrument.clone(), self.ticker.clone(), None, today);
        Instrument { class: self.class.unwrap_or(instrument.class), ..instrument }
    }
}

/// The answer: the same words and the same fields whatever stands against a trade.
fn tell(session: &Session, receipt: &Receipt, told: &ToldArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let Record::PreclearanceRequest(r) = &receipt.record else { return Err(Failure::Bug("a request came back as something else".into())) };
    let text = neutral_text(&receipt.record);
    let cleared = r.cleared_until.is_some();
    let explained = r.assessment.as_ref().filter(|_| told.explain);
    if out.is_json() {
        let mut fields = recorded(receipt)?;
        if let Value::Object(fields) = &mut fields {
            fields.insert("text".into(), text.into());
            fields.insert("cleared".into(), cleared.into());
            fields.insert("cleared_until".into(), json!(r.cleared_until));
            fields.insert("reference".into(), json!(r.reference));
            fields.insert("caveat".into(), cleared.then(|| caveat(LeafIndex(receipt.index))).into());
            if let Some(a) = explained {
                fields.insert("assessment".into(), explain_json(a));
            }
        }
        out.object("preclear-request", fields)?;
    } else {
        out.line(text)?;
        if cleared {
            out.line(caveat(LeafIndex(receipt.index)))?;
        }
        for line in explained.into_iter().flat_map(|a| explain(a, receipt.at, &session.ledger)) {
            out.line(format_args!("  {line}"))?;
        }
        out.line(recorded_line(receipt)?)?;
    }
    Ok(told.exit(r.assessment.as_ref()))
}

fn decide(args: &DecideArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = Session::to_write(&args.ledger)?;
    let (preclearance, cleared_until) = (LeafIndex(args.request), args.clear_until.clone());
    let record = PreclearanceDecision { preclearance, cleared_until, reason: args.reason.clone() };
    let receipt = session.record(&args.write, record.into())?;
    let until = &args.clear_until;
    let text = until.as_ref().map_or_else(|| "Not cleared.".to_owned(), |day| format!("Cleared until {day}, by the ethics office."));
    if out.is_json() {
        let mut fields = recorded(&receipt)?;
        if let Value::Object(fields) = &mut fields {
            fields.insert("request".into(), args.request.into());
            fields.insert("text".into(), text.into());
            fields.insert("cleared_until".into(), json!(until));
        }
        out.object("preclear-decide", fields)?;
    } else {
        out.line(text)?;
        if until.is_some() {
            out.line("Never permits trading on nonpublic information.")?;
        }
        out.line(recorded_line(&receipt)?)?;
    }
    Ok(DONE)
}

const COLUMNS: &[&str] = &[
    "request",
    "reference",
    "asked_at",
    "name",
    "person",
    "account",
    "side",
    "instrument",
    "quantity",
    "at_most",
    "from",
    "cleared_until",
];
const FOR_ETHICS: &[&str] = &["issuer", "rules", "watch"];

fn list(args: &ListArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let session = Session::for_oneself(&args.ledger)?;
    let facts = session.ledger.facts();
    let ethics = session.actor.is_ethics();
    let own = facts.principal(&session.actor.id).and_then(|p| p.record.person.as_ref());
    let wanted = |p: &Preclearance| {
        args.person.as_ref().is_none_or(|person| *person == p.request.person)
            && (own == Some(&p.request.person) || session.actor.eyes.see_why_of(facts, &p.request.person))
    };
    let rows: Vec<Value> = facts.preclearances().filter(|(_, p)| wanted(p)).map(|(i, p)| row(&session, i, p)).collect();
    let columns: Vec<&str> = COLUMNS.iter().chain(if ethics { FOR_ETHICS } else { &[] }).copied().collect();
    if out.is_json() {
        out.object("preclear-list", json!({ "rows": rows, "as_of": session.ledger.size(), "complete": true }))?;
    } else {
        out.table(&columns, &cells(&rows, &columns))?;
    }
    Ok(DONE)
}

fn row(session: &Session, index: LeafIndex, p: &Preclearance) -> Value {
    let r = &p.request;
    let mut row = json!({
        "request": index, "reference": r.reference, "asked_at": p.at.to_string(), "name": name(session.ledger.facts(), &r.person),
        "person": r.person, "account": word_of(&r.relation), "side": word_of(&r.kind), "instrument": shown(r.instrument.text.as_str()),
        "quantity": r.quantity, "at_most": r.value.hi(), "from": r.from, "until": r.until,
        "cleared": p.cleared_until().is_some(), "cleared_until": p.cleared_until(),
    });
    if let (true, Value::Object(fields)) = (session.actor.eyes.see_why_of(session.ledger.facts(), &r.person), &mut row) {
        let assessment = r.assessment.as_ref();
        fields.insert("class".into(), json!(r.instrument.class));
        fields.insert("issuer".into(), json!(r.instrument.issuer));
        fields.insert("rules".into(), json!(assessment.map(|a| a.reasons.iter().map(|r| &r.rule).collect::<Vec<_>>())));
        fields.insert("watch".into(), json!(assessment.map(|a| &a.watch)));
        fields.insert("decisions".into(), json!(p.decisions.iter().map(|(entry, ..)| entry).collect::<Vec<_>>()));
    }
    row
}
