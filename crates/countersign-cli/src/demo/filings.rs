//! Holdings and trades come in weeks after they were made, from forms with the dirt such forms have: what is found then, and one finding told to
//! the last step. The files are invented, and so is everybody in them.

use std::collections::BTreeMap;
use std::io::Write;

use countersign_conflict::TradeFinding;
use countersign_entry::ids::{IssuerId, Line, PersonId, SubmissionId};
use countersign_entry::record::*;

use super::stage::{Stage, record_id};
use super::{DemoError, cast};
use crate::commands::import::{Loaded, load};
use crate::finding;

const TRADES: &[u8] = include_bytes!("../../data/demo/trades.json");
const HOLDINGS: &[u8] = include_bytes!("../../data/demo/holdings.csv");

/// Loads both files, has one asset decided, and tells what is found.
pub(super) fn come_in(stage: &mut Stage, out: &mut dyn Write) -> Result<(), DemoError> {
    let filers: BTreeMap<String, PersonId> =
        cast::EVALUATORS.iter().map(|p| Ok((p.key.to_owned(), stage.person(p.key)?.clone()))).collect::<Result<_, DemoError>>()?;
    let ethics = stage.principal("ethics")?.clone();
    for (what, bytes, holdings) in
        [("holdings (OGE Form 278e)", HOLDINGS, true), ("trades (a House periodic transaction report)", TRADES, false)]
    {
        let loaded = load(&mut stage.ledger, &ethics, filers.clone(), bytes, holdings).map_err(|e| DemoError(e.sentence()))?;
        tell_loaded(what, &loaded, out)?;
    }
    decide_private_stake(stage, out)?;
    stage.at(&stage.ledger.now().plus(1_800_000_000).to_string())?;
    stage.ledger.tick()?;
    tell_findings(stage, out)
}

/// A release and the notice that what recipients know is public ends the time in which a trade counts.
pub(super) fn release(stage: &mut Stage, submission: &SubmissionId, model: &super::data::Release) -> Result<(), DemoError> {
    let public: Record = Model {
        id: model.id.clone(),
        provider: model.provider.clone(),
        name: Line::new(model.name.as_str())?,
        family: None,
        released_on: Some(model.date.clone()),
        open_weights: Some(false),
        stopped: None,
        supersedes: None,
    }
    .into();
    stage.record("founder", public)?;
    let known = stage.ledger.facts().submission(submission).ok_or_else(|| DemoError("no such submission".into()))?;
    let (index, before) = (known.index, known.record.clone());
    let released = model.date.start().ok_or_else(|| DemoError("a release date".into()))?;
    let after = Submission {
        model: Some(model.id.clone()),
        public_release_at: Some(released),
        cleansed_at: Some(released.plus(countersign_entry::time::DAY)),
        status: SubmissionStatus::Closed,
        supersedes: Some(index),
        ..before
    };
    stage.record("founder", after)?;
    Ok(())
}

fn tell_loaded(what: &str, loaded: &Loaded, out: &mut dyn Write) -> Result<(), DemoError> {
    let recorded = loaded.rows - loaded.repeated - loaded.put_aside.len() as u64;
    let entry = loaded.entry.map(|e| format!(", import entry {e}")).unwrap_or_default();
    writeln!(
        out,
        "   {what}: {} rows, {recorded} recorded, {} said twice, {} put aside{entry}",
        loaded.rows,
        loaded.repeated,
        loaded.put_aside.len()
    )?;
    for (row, reason) in &loaded.put_aside {
        writeln!(out, "      row {row} put aside: {reason}")?;
    }
    Ok(())
}

/// `(AI)` is C3.ai's ticker, and not what stands there: nothing is linked before somebody has looked.
fn decide_private_stake(stage: &mut Stage, out: &mut dyn Write) -> Result<(), DemoError> {
    let waiting = stage.ledger.facts().trades().filter(|k| k.record.instrument.linking == Linking::InReview);
    let stake = waiting.map(|k| (k.index, k.record.clone())).find(|(_, t)| t.instrument.text.as_str().contains("Membership"));
    let (index, trade) = stake.ok_or_else(|| DemoError("the private stake does not wait for review".into()))?;
    writeln!(
        out,
        "   in review: {:?} with ticker {:?}",
        trade.instrument.text.as_str(),
        trade.instrument.identifier.as_ref().map(Line::as_str)
    )?;
    let issuer = IssuerId::new("private-anthropic")?;
    let decision = MatchDecision {
        id: record_id("decision-1")?,
        text: trade.instrument.text.clone(),
        identifier: trade.instrument.identifier.clone(),
        issuer: Some(issuer.clone()),
        class: InstrumentClass::PrivateStake,
        reason: Line::new("(AI) abbreviates what the company does; the stake is in the company itself")?,
        supersedes: None,
    };
    stage.record("ethics", decision)?;
    let instrument =
        Instrument { class: InstrumentClass::PrivateStake, issuer: Some(issuer), linking: Linking::Decided, ..trade.instrument.clone() };
    let receipt = stage.record("ethics", Trade { instrument, supersedes: Some(index), ..trade })?;
    writeln!(out, "   decided: it is a stake in the private company; entry {} takes the place of entry {index}", receipt.index)?;
    Ok(())
}

fn tell_findings(stage: &Stage, out: &mut dyn Write) -> Result<(), DemoError> {
    let facts = stage.ledger.facts();
    let mut found: Vec<TradeFinding<'_>> =
        facts.people_with_access().flat_map(|(person, submission)| facts.trades_to_look_at(person, submission)).collect();
    // The closest of what each trade's owner had seen.
    found.sort_by_key(|f| (f.exposed.tier, f.trade.index, f.first_access.0));
    let mut told = std::collections::BTreeSet::new();
    found.retain(|f| told.insert(f.trade.index));
    for f in &found {
        let trade = &f.trade.record;
        let called = facts.issuer(f.exposed.issuer).map_or("", |k| k.record.name.as_str());
        let case = finding::case_on(facts, countersign_conflict::rules::TRADE_AFTER_ACCESS, f.trade, &f.submission.record.id);
        writeln!(
            out,
            "   tier {} {:<26} {} {} in {called}, {} days after first access; {}",
            u8::from(f.exposed.tier),
            stage.name(&trade.person),
            trade.traded_on,
            crate::words::word_of(&trade.kind),
            finding::days_between(&countersign_entry::ids::Date::of(f.first_access.0), &trade.traded_on).unwrap_or_default(),
            case.map_or_else(|| "watched, no case".to_owned(), |c| format!("case at entry {c}"))
        )?;
    }
    let quiet =
        facts.trades().filter(|t| !told.contains(&t.index) && facts.trade(&t.record.id).is_some_and(|k| k.index == t.index)).count();
    writeln!(out, "   {quiet} other trades: before any access, after cleansing, in funds, or in issuers nothing touches")?;
    let Some(one) = found.first() else { return Err(DemoError("nothing was found".into())) };
    writeln!(out, "\n   One of them, to the last step:")?;
    for line in finding::told(one, facts, &stage.ledger).map_err(|e| DemoError(e.sentence()))? {
        writeln!(out, "      {line}")?;
    }
    Ok(())
}
