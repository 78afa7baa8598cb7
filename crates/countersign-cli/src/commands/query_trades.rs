//! `query trades`: trades held against what their owner had access to, and what was known when.

use clap::Args;
use countersign_conflict::{Facts, Known, ListedTrade, TradeFinding, rules};
use countersign_entry::ids::{Date, IssuerId, PersonId};
use countersign_entry::record::{Linking, Trade};
use countersign_entry::time::Micros;
use countersign_ledger::query::View;
use serde_json::{Value, json};

use super::query::{AsOfArgs, FormArgs, Told, not_recorded};
use crate::args::LedgerArgs;
use crate::failure::Failure;
use crate::finding::{self, case_on, days_between, known_on};
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
    /// Made on this day or later.
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Made before this day.
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// This trade alone, told to the last step: what was traded, what was seen, how it touches the issuer, what was known when.
    #[arg(long, value_name = "ENTRY")]
    explain: Option<u64>,
    #[command(flatten)]
    pub(super) as_of: AsOfArgs,
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
    "access_known",
    "rule",
    "case",
];

/// Finds them. An answer is complete for trades whose issuer is known; those in review are counted.
pub(super) fn trades(args: &TradesArgs, view: &View<'_>, session: &Session) -> Result<Told, Failure> {
    session.actor.must_be_ethics("trades")?;
    let facts = view.facts();
    if let Some(person) = args.person.as_ref().filter(|p| facts.person(p).is_none()) {
        return Err(not_recorded("person", person.as_str(), view));
    }
    if let Some(issuer) = args.issuer.as_ref().filter(|i| facts.issuer(i).is_none()) {
        return Err(not_recorded("issuer", issuer.as_str(), view));
    }
    let mut found = Vec::new();
    let mut notes = Vec::new();
    // Whether whoever asks may know what somebody trades.
    let told_of = |person: &PersonId| args.of_person(person) && session.actor.eyes.see_why_of(facts, person);
    for (person, submission) in facts.people_with_access().filter(|(p, _)| told_of(p)) {
        for finding in facts.trades_to_look_at(person, submission).filter(|f| args.wants(f.trade)) {
            let (_, access, _) = session.ledger.entry(finding.first_access.1.0)?;
            let access_recorded = Micros::new(access.at).map_err(|e| Failure::Bug(e.to_string()))?;
            found.push((finding.trade.index, row(facts, &finding, access_recorded)));
            if args.explain == Some(finding.trade.index.0) {
                notes.extend(finding::told(&finding, facts, &session.ledger)?);
            }
        }
    }
    let wanted = facts.trades().filter(|t| told_of(&t.record.person) && args.wants(t));
    found.extend(wanted.flat_map(|t| facts.lists_against(t)).map(|l| (l.trade.index, listed(facts, &l))));
    found.sort_by_key(|(trade, _)| *trade);
    let rows = found.into_iter().map(|(_, row)| row).collect();
    let mut told = Told::new("trades", &args.subject(), TRADES, &view.answer(Vec::<()>::new()), rows);
    let waits = |t: &Trade| t.instrument.linking == Linking::InReview && told_of(&t.person) && args.in_range(&t.traded_on);
    told.notes = notes;
    told.in_review = Some(facts.trades().filter(|k| waits(&k.record)).count());
    Ok(told)
}

impl TradesArgs {
    fn of_person(&self, person: &PersonId) -> bool {
        self.person.as_ref().is_none_or(|asked| asked == person)
    }

    fn in_range(&self, day: &Date) -> bool {
        self.from.as_ref().is_none_or(|from| from <= day) && self.until.as_ref().is_none_or(|until| day < until)
    }

    fn wants(&self, known: &Known<Trade>) -> bool {
        let trade = &known.record;
        self.explain.is_none_or(|entry| entry == known.index.0)
            && (self.issuer.is_none() || trade.instrument.issuer == self.issuer)
            && self.in_range(&trade.traded_on)
    }

    fn subject(&self) -> String {
        let asked = [self.person.as_ref().map(PersonId::as_str), self.issuer.as_ref().map(IssuerId::as_str)];
        let subject = asked.into_iter().flatten().collect::<Vec<_>>().join(" ");
        if subject.is_empty() { "all".to_owned() } else { subject }
    }
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
        "access_known": known_on(&trade.traded_on, access_recorded),
        "rule": rules::TRADE_AFTER_ACCESS,
        "case": case_on(facts, rules::TRADE_AFTER_ACCESS, f.trade, &f.submission.record.id),
    })
}

/// A trade in a listed issuer: the list item stands for the way, its list's kind for the relation.
fn listed(facts: &Facts, l: &ListedTrade<'_>) -> Value {
    let trade = &l.trade.record;
    let (rule, relation) =
        if l.restricted { (rules::TRADE_IN_RESTRICTED, "on a restricted list") } else { (rules::TRADE_IN_WATCHED, "on a watch list") };
    json!({
        "name": name(facts, &trade.person), "person": trade.person, "trade": l.trade.index, "kind": trade.kind,
        "traded_on": trade.traded_on, "filed_on": trade.filed_on, "holder": trade.relation, "text": trade.instrument.text,
        "issuer": trade.instrument.issuer, "submission": l.submission, "relation": relation, "via": [l.item.index], "access": l.first_access,
        "recorded_at": l.trade.at.to_string(), "access_known": null, "rule": rule,
        "case": case_on(facts, rule, l.trade, l.submission),
    })
}
