//! What people are told of a decision: a neutral sentence for whoever asks, the whole reasoning for the ethics role.

use std::collections::BTreeSet;

use countersign_conflict::rules::{Sum, as_held};
use countersign_conflict::{Facts, rules};
use countersign_entry::ids::{Date, IssuerId, LeafIndex};
use countersign_entry::record::{Assessment, Band, Decision, Holding, ObligationKind, ObligedParty, Outcome, Record, Verdict};
use countersign_entry::time::Micros;
use countersign_law::grouped;
use countersign_law::limits::Limits;
use countersign_ledger::{Ledger, OpenError, query};

pub(crate) use countersign_api::told::{NO_ADVICE, caveat, explain_json, neutral_text, neutral_text_after};

use crate::words::word_of;

/// A decision in one line, for the ethics role.
pub(crate) fn one_line(a: &Assessment, facts: &Facts) -> String {
    let verdicts = format!("take part {}, hold {}, trade {}", word_of(&a.participate), word_of(&a.hold), word_of(&a.trade));
    let mut because: Vec<String> = a.reasons.iter().map(|r| format!("{} ({})", found(r.rule.as_str()), r.rule)).collect();
    because.dedup();
    let watched = a.watch.iter().map(|i| match facts.items().find(|k| k.index == *i) {
        Some(item) => format!("watch list item {}", item.record.id),
        None => format!("watch list item at entry {i}"),
    });
    because.extend(watched);
    let because = if because.is_empty() { String::new() } else { format!(": {}", because.join("; ")) };
    let decision = if a.decision == Decision::Cleared && a.participate != Outcome::Clear {
        "cleared without participation".into()
    } else {
        word_of(&a.decision)
    };
    format!("{decision} [{verdicts}]{because}")
}

/// The time a decision was made for: that of the access where one was recorded, else that of recording.
pub(crate) fn decided_for(record: &Record, recorded: Micros) -> Micros {
    if let Record::AccessEvent(event) = record { event.occurred_at } else { recorded }
}

/// A decision made for a time, with every rule, citation and entry it rests on, as lines; for the ethics role.
pub(crate) fn explain(a: &Assessment, at: Micros, ledger: &Ledger) -> Vec<String> {
    let mut lines = vec![format!("decision     {}", word_of(&a.decision))];
    for (what, outcome) in [(Verdict::Participate, a.participate), (Verdict::Hold, a.hold), (Verdict::Trade, a.trade)] {
        lines.push(format!("{:<12} {}", word_of(&what), word_of(&outcome)));
    }
    for reason in &a.reasons {
        lines.push(format!(
            "{} {} on {}: {}",
            reason.rule,
            word_of(&reason.outcome),
            word_of(&reason.bears_on),
            found(reason.rule.as_str())
        ));
        lines.push(format!("    {} (rule version {})", reason.cite, reason.version));
        lines.extend(reason.evidence.iter().map(|i| format!("    {}", evidence(*i, ledger))));
        if reason.rule.as_str() == rules::INTERESTS {
            let sums =
                if is_cut(&reason.evidence, ledger) { vec![cut()] } else { sums(&reason.evidence, rules::limits(&Date::of(at)), ledger) };
            let forbidden = reason.evidence.iter().any(|i| matches!(ledger.entry(i.0), Ok((_, _, Record::List(_)))));
            let beside = forbidden.then(|| "what a list forbids to hold is exempt at no value (5 CFR 2640.204)".to_owned());
            lines.extend(sums.into_iter().chain(beside).map(|line| format!("    {line}")));
        }
    }
    lines.extend(a.watch.iter().map(|i| format!("watch list, which changes nothing above: {}", evidence(*i, ledger))));
    for o in &a.obligations {
        let due = o.due.map(|d| format!(", due {d}")).unwrap_or_default();
        lines.push(format!("obligation   {} {}{due}", party(o.who), duty(o.what)));
    }
    lines
}

/// A rule's question in plain words.
pub(crate) fn label(rule: &str) -> &str {
    rules::rule(rule).map_or(rule, |r| r.title)
}

fn found(rule: &str) -> &str {
    rules::rule(rule).map_or(rule, |r| r.found)
}

/// An entry and what it says, in a line.
pub(crate) fn evidence(index: LeafIndex, ledger: &Ledger) -> String {
    match ledger.entry(index.0) {
        Ok((_, _, record)) => format!("entry {index}: {} {}", record.type_name(), detail(&record)),
        Err(OpenError::Shut { erased: Some(at), .. }) => erased_line(index, at),
        Err(_) => format!("entry {index}"),
    }
}

/// What stands in the place of an entry that nobody can read any more.
pub(crate) fn erased_line(index: LeafIndex, at: u64) -> String {
    format!("entry {index}: erased under entry {at}")
}

/// Whether a reason left entries out: then the last it names is the record of the person (`EVIDENCE_MAX`).
fn is_cut(entries: &[LeafIndex], ledger: &Ledger) -> bool {
    let last = entries.last().and_then(|i| ledger.entry(i.0).ok());
    matches!(last, Some((_, _, Record::Person(_))))
}

/// What stands in the place of sums then: what was left out belongs in them too.
fn cut() -> String {
    format!(
        "no sum is shown: there are more entries than the {} a reason names; `query person` lists everything that is held",
        rules::EVIDENCE_MAX
    )
}

/// The arithmetic behind what is held, by the law's numbers of the day of the decision: each issuer's sum, and what would settle it.
fn sums(entries: &[LeafIndex], limits: Option<&Limits>, ledger: &Ledger) -> Vec<String> {
    let opened = entries.iter().filter_map(|i| ledger.entry(i.0).ok()).map(|(.., record)| record);
    let held: Vec<Holding> = opened
        .filter_map(|r| match r {
            Record::Holding(h) => Some(h),
            Record::Trade(t) => Some(as_held(&t)),
            _ => None,
        })
        .collect();
    sums_of(&held, limits)
}

fn sums_of(held: &[Holding], limits: Option<&Limits>) -> Vec<String> {
    let issuers: BTreeSet<Option<&IssuerId>> = held.iter().map(|h| h.instrument.issuer.as_ref()).collect();
    let mut lines = Vec::new();
    for issuer in &issuers {
        let of: Vec<&Holding> = held.iter().filter(|h| h.instrument.issuer.as_ref() == *issuer).collect();
        let terms: Vec<String> = of.iter().map(|h| band(h.value)).collect();
        let sum = Sum::of(of.iter().map(|h| (*h, true)));
        let most = sum.hi.map_or_else(|| "no known end".to_owned(), dollars);
        let name = issuer.map_or_else(|| "no issuer linked".to_owned(), ToString::to_string);
        lines.push(format!("{name}: {} = {} to {most}", terms.join(" + "), dollars(sum.lo)));
    }
    let open: Vec<String> =
        held.iter().filter(|h| h.value.lo() != h.value.hi()).map(|h| format!("value of {}: {}", h.id, band(h.value))).collect();
    if let (false, Some(limits)) = (open.is_empty(), limits) {
        lines.push(format!(
            "{}; needed: the exact value, or sums of at most {} in the developer (5 CFR 2640.202(a)), {} in all that is touched (5 CFR 2640.202(b)), {} in funds of one sector (5 CFR 2640.201(b))",
            open.join("; "),
            dollars(limits.party_securities),
            dollars(limits.all_securities_with_parties),
            dollars(limits.sector_funds)
        ));
    }
    lines
}

/// As forms give it: `between 1,001 and 15,000`.
fn band(value: Band) -> String {
    match (value.lo(), value.hi()) {
        (Some(lo), Some(hi)) if lo == hi => dollars(lo),
        (Some(lo), Some(hi)) => format!("between {} and {}", dollars(lo), dollars(hi)),
        (Some(lo), None) => format!("{} or more", dollars(lo)),
        (None, Some(hi)) => format!("at most {}", dollars(hi)),
        (None, None) => "unknown".to_owned(),
    }
}

fn dollars(n: u64) -> String {
    format!("${}", grouped(n))
}

/// What an entry says, where the type's name does not say it already.
fn detail(record: &Record) -> String {
    match record {
        Record::ListItem(i) => format!("{} lists {} on {}: {}", i.id, i.subject, i.list, i.reason),
        Record::List(l) => {
            let authority = l.authority.as_ref().map_or_else(|| "no authority recorded".into(), |a| format!("authority {a}"));
            let binds = l.binds.as_ref().map(|b| format!(", binds {b}")).unwrap_or_default();
            format!("{} ({}), {authority}{binds}", l.name, word_of(&l.kind).replace('_', " "))
        }
        Record::Exposure(e) => {
            let sure = if e.confirmed { "confirmed" } else { "unconfirmed" };
            format!("{} {} {}, tier {}, {sure}", e.from, word_of(&e.relation), e.to, u8::from(e.tier))
        }
        Record::Policy(p) => format!("{} version {}", p.id, p.version),
        Record::Holding(h) => format!("{}: {}, {}", h.id, query::describe(record), band(h.value)),
        other => query::describe(other),
    }
}

fn party(who: ObligedParty) -> &'static str {
    match who {
        ObligedParty::Subject => "the person",
        ObligedParty::AccessOfficer => "the access officer",
        ObligedParty::EthicsOffice => "the ethics office",
    }
}

fn duty(what: ObligationKind) -> &'static str {
    match what {
        ObligationKind::NoTrading => "does not trade, or cause trades, in issuers the submission touches until it is public",
        ObligationKind::SignAgreement => "signs the agreement that is missing",
        ObligationKind::StateInterests => "states what they hold",
        ObligationKind::KeepRecusal => "keeps to the recusal",
        ObligationKind::DecideReferral => "decides what was referred",
        ObligationKind::Divest => "gives up what may not be held, within 90 days of being directed to (5 CFR 2635.403(d))",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use countersign_entry::record::{HolderRelation, Instrument, InstrumentClass, Linking};

    fn held(id: &str, lo: u64, hi: u64) -> Holding {
        let instrument = Instrument {
            class: InstrumentClass::Equity,
            text: "A Corp".parse().unwrap(),
            identifier: None,
            asset_type: None,
            issuer: Some("cik-0000000001".parse().unwrap()),
            linking: Linking::Matched,
            sector: None,
        };
        Holding {
            id: id.parse().unwrap(),
            person: "P-0001".parse().unwrap(),
            relation: HolderRelation::Own,
            instrument,
            value: Band::new(Some(lo), Some(hi)).unwrap(),
            as_of: "2025-09-30".parse().unwrap(),
            provenance: None,
            supersedes: None,
        }
    }

    /// The numbers are those of the edition given, and which one that is goes by the day of the access, or of the record where it is none.
    #[test]
    fn sums_are_told_by_the_edition_of_the_decisions_day() {
        let day = |d: &str| rules::limits(&d.parse().unwrap()).unwrap();
        let (before, after) = (day("2025-09-30"), day("2025-10-01"));
        assert_ne!(before.simplified_acquisition, after.simplified_acquisition, "two editions, each for its days");
        let other = Limits { party_securities: 20_000, ..before.clone() };
        let told = |limits| sums_of(&[held("H-1", 1_001, 15_000), held("H-2", 1_001, 15_000)], Some(limits));
        assert!(told(before)[0].ends_with("= $2,002 to $30,000"), "{:?}", told(before));
        assert!(
            told(before)[1].contains("at most $15,000 in the developer") && told(&other)[1].contains("at most $20,000 in the developer")
        );
        let access: Record = countersign_entry::record::AccessEvent {
            person: "P-0001".parse().unwrap(),
            submission: "S-0001".parse().unwrap(),
            grant: None,
            action: "view".parse().unwrap(),
            occurred_at: "2025-09-30T12:00:00Z".parse().unwrap(),
            artefact: None,
            result: None,
            source: None,
            source_id: None,
            session: None,
            marking: None,
            information_owner: None,
            detail: ciborium::Value::Null,
            assessment: None,
            supersedes: None,
        }
        .into();
        let recorded = "2025-10-02T12:00:00Z".parse().unwrap();
        assert_eq!(Date::of(decided_for(&access, recorded)), "2025-09-30".parse().unwrap());
        assert_eq!(decided_for(&Record::Padding, recorded), recorded);
    }
}
