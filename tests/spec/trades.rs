//! The slow, obvious oracle of trades: the rule's title read again as loops over the whole list of entries. It keeps no index and shares no code
//! with what finds them.

use std::collections::BTreeSet;

use countersign_entry::ids::{Date, SubmissionId};
use countersign_entry::record::*;
use countersign_entry::time::Micros;
use countersign_testing::scene::Entry;

/// The entry of a trade, and the submission its owner had seen.
pub type Found = (u64, SubmissionId);

/// Trades that stand against the rule, as the entries tell now: the newest form of each trade, edge and submission, and every access.
pub fn against_the_rule(entries: &[Entry]) -> BTreeSet<Found> {
    let mut out = BTreeSet::new();
    for (index, trade) in newest(entries, |r| if let Record::Trade(r) = r { Some((r.id.to_string(), r)) } else { None }) {
        for (_, seen) in newest(entries, |r| if let Record::Submission(r) = r { Some((r.id.to_string(), r)) } else { None }) {
            if knew(entries, trade, seen) && still_inside(trade, seen) && touches(entries, trade, seen) {
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

/// An edge, from the submission or its provider, that held on the day of the trade.
fn touches(entries: &[Entry], trade: &Trade, seen: &Submission) -> bool {
    let edges = newest(entries, |r| if let Record::Exposure(r) = r { Some((r.id.to_string(), r)) } else { None });
    edges.into_iter().any(|(_, edge)| {
        let starts = edge.from.to_string();
        let starts_here = starts == format!("provider:{}", seen.provider) || starts == format!("submission:{}", seen.id);
        let begun = edge.valid_from.as_ref().is_none_or(|d| d.as_str() <= trade.traded_on.as_str());
        let over = edge.valid_to.as_ref().is_some_and(|d| d.as_str() < trade.traded_on.as_str());
        starts_here && begun && !over && trade.instrument.issuer.as_ref() == Some(&edge.to)
    })
}

/// The last record for each id, with its index, of those `pick` picks.
fn newest<'a, T>(entries: &'a [Entry], pick: impl Fn(&'a Record) -> Option<(String, &'a T)>) -> Vec<(u64, &'a T)> {
    let all: Vec<(u64, String, &T)> = entries.iter().filter_map(|e| pick(&e.record).map(|(id, r)| (e.index, id, r))).collect();
    all.iter()
        .filter(|(index, id, _)| !all.iter().any(|(later, other, _)| later > index && other == id))
        .map(|(index, _, r)| (*index, *r))
        .collect()
}
