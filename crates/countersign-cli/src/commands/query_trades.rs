//! `query trades`: trades held against what their owner had access to, and what was known when.

use clap::Args;
use countersign_conflict::{Facts, TradeFinding};
use countersign_entry::ids::{Date, IssuerId, LeafIndex, PersonId};
use countersign_entry::record::Linking;
use countersign_entry::time::{DAY, Micros};
use serde_json::{Value, json};

use super::query::{FormArgs, Told};
use crate::args::LedgerArgs;
use crate::failure::Failure;
use crate::session::Session;
use crate::words::name;

/// Whose trades, in what.
#[derive(Debug, Args)]
pub(crate) struct TradesArgs {
    #[command(flatten)]
    pub(super) ledger: LedgerArgs,
    /// Of this person alone.
    #[arg(long)]
    person: Option<PersonId>,
    /// In this issuer alone.
    #[arg(long)]
    issuer: Option<IssuerId>,
    #[command(flatten)]
    pub(super) form: FormArgs,
}

const TRADES: &[&str] = &[
    "name",
    "person",
    "trade",
    "traded_on",
    "filed_on",
    "holder",
    "issuer",
    "submission",
    "tier",
    "relation",
    "confirmed",
    "days",
    "access",
    "access_recorded_at",
    "recorded_at",
    "traded",
    "case",
];

/// Finds them. An answer is complete for trades whose issuer is known; those in review are counted.
pub(super) fn trades(args: &TradesArgs, session: &Session) -> Result<Told, Failure> {
    session.actor.must_be_ethics("trades")?;
    let facts = session.ledger.facts();
    if let Some(person) = args.person.as_ref().filter(|p| facts.person(p).is_none()) {
        return Err(Failure::NotFound(format!("person {person} is not recorded")));
    }
    if let Some(issuer) = args.issuer.as_ref().filter(|i| facts.issuer(i).is_none()) {
        return Err(Failure::NotFound(format!("issuer {issuer} is not recorded")));
    }
    let of_person = |p: &PersonId| args.person.as_ref().is_none_or(|asked| asked == p);
    let in_issuer = |f: &TradeFinding<'_>| args.issuer.is_none() || f.trade.record.instrument.issuer == args.issuer;
    let mut found = Vec::new();
    for (person, submission) in facts.people_with_access().filter(|(p, _)| of_person(p)) {
        for finding in facts.trades_to_look_at(person, submission).filter(in_issuer) {
            let (_, access, _) = session.ledger.entry(finding.first_access.1.0)?;
            let access_recorded = Micros::new(access.at).map_err(|e| Failure::Bug(e.to_string()))?;
            found.push((finding.trade.index, row(facts, &finding, access_recorded)));
        }
    }
    found.sort_by_key(|(trade, _)| *trade);
    let waits = |k: &&countersign_conflict::Known<countersign_entry::record::Trade>| {
        k.record.instrument.linking == Linking::InReview && of_person(&k.record.person)
    };
    let asked = [args.person.as_ref().map(PersonId::as_str), args.issuer.as_ref().map(IssuerId::as_str)];
    let subject = asked.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Ok(Told {
        question: "trades",
        subject: if subject.is_empty() { "all".to_owned() } else { subject },
        rows: found.into_iter().map(|(_, row)| row).collect(),
        columns: TRADES,
        as_of: session.ledger.size(),
        complete: true,
        in_review: Some(facts.trades().filter(waits).count()),
    })
}

fn row(facts: &Facts, f: &TradeFinding<'_>, access_recorded: Micros) -> Value {
    let trade = &f.trade.record;
    json!({
        "name": name(facts, &trade.person), "person": trade.person, "trade": f.trade.index, "kind": trade.kind,
        "traded_on": trade.traded_on, "filed_on": trade.filed_on, "holder": trade.relation, "text": trade.instrument.text,
        "issuer": trade.instrument.issuer, "submission": f.submission.record.id, "tier": f.exposed.tier, "relation": f.exposed.relation,
        "confirmed": f.exposed.confirmed, "via": f.exposed.via,
        "days": days_between(&Date::of(f.first_access.0), &trade.traded_on),
        "access": f.first_access.1, "first_access_at": f.first_access.0.to_string(),
        "access_recorded_at": access_recorded.to_string(), "recorded_at": f.trade.at.to_string(),
        "traded": traded(&trade.traded_on, access_recorded),
        "case": case(facts, f),
    })
}

/// Whether the ledger knew of the access when the trade was made. A trade has a day and no hour.
fn traded(day: &Date, access_recorded: Micros) -> &'static str {
    match day.cmp(&Date::of(access_recorded)) {
        std::cmp::Ordering::Less => "before the access was recorded",
        std::cmp::Ordering::Equal => "the day the access was recorded",
        std::cmp::Ordering::Greater => "after the access was recorded",
    }
}

fn days_between(from: &Date, to: &Date) -> Option<u64> {
    Some(to.start()?.value().checked_sub(from.start()?.value())? / DAY)
}

/// The case on this trade, or on the record it took the place of.
fn case(facts: &Facts, f: &TradeFinding<'_>) -> Option<LeafIndex> {
    let entries = [Some(f.trade.index), f.trade.record.supersedes];
    let of = facts
        .cases()
        .find(|(_, c)| c.person == f.trade.record.person && c.submission == f.submission.record.id && entries.contains(&Some(c.finding)));
    of.map(|(index, _)| index)
}
