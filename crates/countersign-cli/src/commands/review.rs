//! `review`: assets of trades and holdings whose issuer somebody has to decide, and deciding it.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use countersign_conflict::Facts;
use countersign_entry::ids::{Date, IssuerId, LeafIndex, Line, RawText, RecordId, RequestKey};
use countersign_entry::record::{Instrument, InstrumentClass, Linking, MatchDecision, Record};
use countersign_intake::linking::{Linker, class_of, named, why_candidate, why_review};
use countersign_intake::plan::check;
use countersign_ledger::Request;
use countersign_match::Decision;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::DONE;
use super::import_write::write;
use super::query::FormArgs;
use crate::args::LedgerArgs;
use crate::failure::{Exit, Failure};
use crate::output::{Out, cells, csv, say, shown};
use crate::session::Session;
use crate::words::word;

/// What waits, or deciding it.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct ReviewArgs {
    #[command(subcommand)]
    command: Option<ReviewCommand>,
    #[command(flatten)]
    ledger: Option<LedgerArgs>,
    #[command(flatten)]
    form: FormArgs,
}

/// What to do about it.
#[derive(Debug, Subcommand)]
enum ReviewCommand {
    /// Decide what an asset text means; trades and holdings that wait for it, or followed an earlier decision, follow.
    Decide(DecideArgs),
}

/// A decision.
#[derive(Debug, Args)]
struct DecideArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The asset text, as `review` shows it.
    #[arg(long)]
    text: RawText,
    /// The identifier written with it, where there is one.
    #[arg(long)]
    identifier: Option<Line>,
    /// The issuer it means.
    #[arg(long, value_name = "ID", required_unless_present = "none", conflicts_with = "none")]
    issuer: Option<IssuerId>,
    /// It is no issuer's.
    #[arg(long)]
    none: bool,
    /// What kind of thing it is: equity, option, bond, private_stake, diversified_fund, other, …
    #[arg(long, value_parser = word::<InstrumentClass>)]
    class: InstrumentClass,
    /// Why.
    #[arg(long)]
    reason: Line,
}

const COLUMNS: &[&str] = &["text", "identifier", "asset_type", "class", "trades", "holdings", "why", "candidates"];

pub(crate) fn run(args: &ReviewArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    match (&args.command, &args.ledger) {
        (Some(ReviewCommand::Decide(args)), _) => decide(args, out),
        (None, Some(ledger)) => list(ledger, &args.form, out),
        (None, None) => Err(Failure::Usage("which ledger? DIR is needed".into())),
    }
}

fn list(ledger: &LedgerArgs, form: &FormArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let session = Session::to_read(ledger)?;
    session.actor.must_be_ethics("what waits for review")?;
    let facts = session.ledger.facts();
    let linker = Linker::new(facts);
    let waiting = waiting(facts);
    let rows: Vec<Value> = waiting.values().map(|w| w.told(&linker, facts)).collect();
    let as_of = session.ledger.size();
    if out.is_json() {
        out.object("review", json!({ "rows": rows, "as_of": as_of, "complete": true }))?;
        return Ok(DONE);
    }
    let ending = format!("{} assets in review, complete as of size {as_of}", rows.len());
    let flat: Vec<Value> = rows.into_iter().map(flattened).collect();
    if form.csv {
        say(ending);
        out.text(&csv(&flat, COLUMNS)?)?;
        return Ok(DONE);
    }
    let mut lines = cells(&flat, COLUMNS);
    lines.iter_mut().flat_map(|line| line.iter_mut().take(3)).for_each(|cell| *cell = shown(cell));
    out.table(COLUMNS, &lines)?;
    out.line(ending)?;
    Ok(DONE)
}

/// An asset in review, and how much waits for it.
struct Waiting<'f> {
    instrument: &'f Instrument,
    /// The newest day it was traded or held.
    on: &'f Date,
    trades: usize,
    holdings: usize,
}

/// By text, identifier and the source's word for its kind.
type Asset = (String, Option<String>, Option<String>);

fn waiting(facts: &Facts) -> BTreeMap<Asset, Waiting<'_>> {
    let trades = facts.trades().map(|k| (&k.record.instrument, &k.record.traded_on, true));
    let holdings = facts.holdings().map(|k| (&k.record.instrument, &k.record.as_of, false));
    let mut waiting = BTreeMap::new();
    for (instrument, on, trade) in trades.chain(holdings).filter(|(i, ..)| i.linking == Linking::InReview) {
        let (text, identifier) = named(&instrument.text, instrument.identifier.as_ref());
        let of = waiting.entry((text, identifier, instrument.asset_type.as_ref().map(ToString::to_string)));
        let of: &mut Waiting<'_> = of.or_insert(Waiting { instrument, on, trades: 0, holdings: 0 });
        of.on = of.on.max(on);
        if trade { of.trades += 1 } else { of.holdings += 1 }
    }
    waiting
}

impl Waiting<'_> {
    fn told(&self, linker: &Linker, facts: &Facts) -> Value {
        let outcome = linker.outcome(self.instrument, self.on);
        let candidate = |issuer: &str, score: u16, why: &str| {
            let known = IssuerId::new(issuer).ok().and_then(|id| facts.issuer(&id));
            json!({ "issuer": issuer, "name": known.map(|k| k.record.name.as_str()), "score": score, "why": why })
        };
        let candidates: Vec<Value> = match &outcome.decision {
            Decision::Linked { issuer, score, .. } => vec![candidate(issuer, *score, "linked")],
            Decision::Review { candidates, .. } | Decision::Private { candidates, .. } => {
                candidates.iter().map(|c| candidate(&c.issuer, c.score, why_candidate(c.why))).collect()
            }
            Decision::Fund | Decision::NotASecurity(_) | Decision::Unmatched => Vec::new(),
        };
        json!({
            "text": self.instrument.text, "identifier": self.instrument.identifier, "asset_type": self.instrument.asset_type, "class": class_of(&outcome),
            "trades": self.trades, "holdings": self.holdings, "why": why_review(&outcome.decision), "candidates": candidates,
        })
    }
}

/// The same with its candidates in one cell.
fn flattened(mut row: Value) -> Value {
    let ids: Vec<Value> =
        row.get("candidates").and_then(Value::as_array).into_iter().flatten().filter_map(|c| c.get("issuer").cloned()).collect();
    if let Value::Object(fields) = &mut row {
        fields.insert("candidates".into(), ids.into());
    }
    row
}

fn decide(args: &DecideArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mut session = Session::to_write(&args.ledger)?;
    session.actor.must_be_ethics("deciding what an asset means")?;
    let facts = session.ledger.facts();
    let decision = args.decision(facts)?;
    let actor = session.actor.id.clone();
    let current = facts.match_decision(&decision.id);
    let same = |k: &&countersign_conflict::Known<MatchDecision>| {
        (&k.record.issuer, k.record.class, &k.record.reason) == (&decision.issuer, decision.class, &decision.reason)
    };
    let known = current.filter(same).map(|k| k.index.0);
    let followers = followers(facts, &decision);
    if known.is_none() && followers.is_empty() && current.is_none() {
        say("nothing waits for this text and identifier; imports to come follow the decision");
    }
    let request = |key: String, record: Record| {
        let key = RequestKey::new(key).map_err(|e| Failure::Bug(e.to_string()))?;
        Ok::<Request, Failure>(Request { actor: actor.clone(), key, record, signed: None })
    };
    let version = current.map_or(0, |k| k.index.0);
    let first = request(format!("{}-{version}", decision.id), decision.into())?;
    let follow =
        followers.into_iter().map(|(index, record)| request(format!("dec-follow-{index}"), record)).collect::<Result<Vec<_>, Failure>>()?;
    for request in follow.iter().chain((known.is_none()).then_some(&first)) {
        check(facts, &actor, &request.record)?.map_err(|why| Failure::Invalid(format!("{why}; nothing was recorded")))?;
    }
    let count = follow.len();
    let entry = match known {
        Some(entry) => entry,
        None => session.append(first)?.index,
    };
    write(&mut session, follow)?;
    if out.is_json() {
        out.object(
            "review-decide",
            json!({ "recorded": known.is_none(), "entry": entry, "followed": count, "size": session.ledger.size() }),
        )?;
    } else {
        let before = if known.is_some() { "decided before" } else { "decided" };
        out.line(format_args!("{before}: entry {entry}; {count} trades and holdings follow it"))?;
    }
    Ok(DONE)
}

impl DecideArgs {
    fn decision(&self, facts: &Facts) -> Result<MatchDecision, Failure> {
        let (text, identifier) = named(&self.text, self.identifier.as_ref());
        // A line holds no NUL, so no two pairs read as one.
        let digest = Sha256::digest(format!("{text}\0{}", identifier.unwrap_or_default()));
        let short = digest.first_chunk::<16>().map(hex::encode).unwrap_or_default();
        let id = RecordId::new(format!("dec-{short}")).map_err(|e| Failure::Bug(e.to_string()))?;
        let supersedes = facts.match_decision(&id).map(|k| k.index);
        Ok(MatchDecision {
            id,
            text: self.text.clone(),
            identifier: self.identifier.clone(),
            issuer: self.issuer.clone(),
            class: self.class,
            reason: self.reason.clone(),
            supersedes,
        })
    }
}

/// Records that name what was decided and wait for it, or follow what was decided of it before; each with what takes its place.
fn followers(facts: &Facts, decision: &MatchDecision) -> Vec<(LeafIndex, Record)> {
    let decided = |i: &Instrument| {
        let mut decided = i.clone();
        (decided.class, decided.issuer, decided.linking) = (decision.class, decision.issuer.clone(), Linking::Decided);
        decided
    };
    let follows = |i: &Instrument| {
        let open = matches!(i.linking, Linking::InReview | Linking::Decided);
        open && i.text == decision.text && i.identifier == decision.identifier && *i != decided(i)
    };
    let trades = facts.trades().filter(|k| follows(&k.record.instrument)).map(|k| {
        let mut trade = k.record.clone();
        (trade.instrument, trade.supersedes) = (decided(&k.record.instrument), Some(k.index));
        (k.index, trade.into())
    });
    let holdings = facts.holdings().filter(|k| follows(&k.record.instrument)).map(|k| {
        let mut holding = k.record.clone();
        (holding.instrument, holding.supersedes) = (decided(&k.record.instrument), Some(k.index));
        (k.index, holding.into())
    });
    trades.chain(holdings).collect()
}
