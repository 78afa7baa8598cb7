//! The slow, obvious oracle of trades: the rule's title read again as loops over the whole list of entries. It keeps no index and shares no code
//! with what finds them.

#[path = "exposure.rs"]
mod exposure;

use std::collections::BTreeSet;

use countersign_entry::ids::{Date, IssuerId, Line, SubmissionId};
use countersign_entry::record::*;
use countersign_entry::time::Micros;
use countersign_testing::scene::Entry;

/// Trades in an issuer that a list item names, with the item's entry: it was in force for a part of the day, and the trade's owner had had access
/// to anything by then.
pub fn against_a_list(entries: &[Entry]) -> BTreeSet<(u64, u64)> {
    let mut out = BTreeSet::new();
    for (index, trade) in newest(entries, |r| if let Record::Trade(r) = r { Some((r.id.to_string(), r)) } else { None }) {
        let day = trade.traded_on.as_str();
        let bound = entries.iter().any(|e| match &e.record {
            Record::AccessEvent(a) => a.person == trade.person && Date::of(a.occurred_at).as_str() <= day,
            _ => false,
        });
        for (item_index, item) in newest(entries, |r| if let Record::ListItem(r) = r { Some((r.id.to_string(), r)) } else { None }) {
            let begun = Date::of(item.from).as_str() <= day;
            // An end at midnight is over before the day begins.
            let over = item.until.is_some_and(|until| trade.traded_on.start().unwrap() >= until);
            let named = trade.instrument.issuer.as_ref().is_some_and(|i| item.subject.to_string() == format!("issuer:{i}"));
            // What may not be held is another rule's.
            let lists = newest(entries, |r| if let Record::List(r) = r { Some((r.id.to_string(), r)) } else { None });
            let bars_trading = lists.iter().any(|(_, l)| l.id == item.list && l.kind != ListKind::ProhibitedHolding);
            if bound && named && bars_trading && begun && !over {
                out.insert((index, item_index));
            }
        }
    }
    out
}

/// Trades that a list stood against after any entry.
pub fn ever_against_a_list(entries: &[Entry]) -> BTreeSet<(u64, u64)> {
    (0..=entries.len()).flat_map(|n| against_a_list(&entries[..n])).collect()
}

/// The entry of a trade, and the submission its owner had seen.
pub type Found = (u64, SubmissionId);

/// Trades that stand against the rule, as the entries tell now: the newest form of each trade, edge and submission, and every access.
pub fn against_the_rule(entries: &[Entry]) -> BTreeSet<Found> {
    let mut out = BTreeSet::new();
    for (index, trade) in newest(entries, |r| if let Record::Trade(r) = r { Some((r.id.to_string(), r)) } else { None }) {
        for (_, seen) in newest(entries, |r| if let Record::Submission(r) = r { Some((r.id.to_string(), r)) } else { None }) {
            if knew(entries, trade, seen) && still_inside(trade, seen) && tier(entries, trade, seen).is_some() {
                out.insert((index, seen.id.clone()));
            }
        }
    }
    out
}

/// Trades that stood against the rule after any entry: what was found once stays found.
pub fn ever_against_the_rule(entries: &[Entry]) -> BTreeSet<Found> {
    (0..=entries.len()).flat_map(|n| against_the_rule(&entries[..n])).collect()
}

/// An access on the day of the trade or before.
fn knew(entries: &[Entry], trade: &Trade, seen: &Submission) -> bool {
    entries.iter().any(|e| match &e.record {
        Record::AccessEvent(a) => {
            let day = Date::of(a.occurred_at);
            a.person == trade.person && a.submission == seen.id && day.as_str() <= trade.traded_on.as_str()
        }
        _ => false,
    })
}

/// Not before the day on which it was public and recipients had been told so.
fn still_inside(trade: &Trade, seen: &Submission) -> bool {
    let passed = |at: Option<Micros>| at.is_some_and(|at| trade.traded_on.as_str() > Date::of(at).as_str());
    !(passed(seen.public_release_at) && passed(seen.cleansed_at))
}

/// Recorded edges of the day of the trade lead to its issuer; else its industry is that of an issuer they lead to in tier 1, or one that the
/// access officer named. The tier of the closest way.
fn tier(entries: &[Entry], trade: &Trade, seen: &Submission) -> Option<u8> {
    let edges = newest(entries, |r| if let Record::Exposure(r) = r { Some((r.id.to_string(), r)) } else { None });
    let edges: Vec<&Exposure> = edges.into_iter().map(|(_, e)| e).collect();
    let ways = exposure::ways(&edges, seen, &trade.traded_on);
    let traded = trade.instrument.issuer.as_ref()?;
    if let Some(tier) = ways.iter().filter(|(issuer, ..)| issuer == traded).map(|(_, tier, _)| *tier).min() {
        return Some(tier);
    }
    let industry = |id: &IssuerId| -> Option<Line> {
        let issuers = newest(entries, |r| if let Record::Issuer(r) = r { Some((r.id.to_string(), r)) } else { None });
        issuers.into_iter().find(|(_, i)| i.id == *id).and_then(|(_, i)| i.sub_industry.clone())
    };
    let own = industry(traded)?;
    let rival = ways.iter().any(|(issuer, tier, _)| *tier == 1 && industry(issuer).as_ref() == Some(&own));
    (rival || seen.downstream.contains(&own)).then_some(3)
}

/// The last record for each id, with its index, of those `pick` picks.
fn newest<'a, T>(entries: &'a [Entry], pick: impl Fn(&'a Record) -> Option<(String, &'a T)>) -> Vec<(u64, &'a T)> {
    let all: Vec<(u64, String, &T)> = entries.iter().filter_map(|e| pick(&e.record).map(|(id, r)| (e.index, id, r))).collect();
    all.iter()
        .filter(|(index, id, _)| !all.iter().any(|(later, other, _)| later > index && other == id))
        .map(|(index, _, r)| (*index, *r))
        .collect()
}
