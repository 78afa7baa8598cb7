//! A trade that has to be looked at, told to the last step: what was traded, what its owner had seen, how that touches the issuer, and what the
//! ledger knew when.

use countersign_conflict::{Execution, Facts, Known, TradeFinding, rules};
use countersign_entry::ids::{Date, LeafIndex, SubmissionId};
use countersign_entry::record::{Band, CaseOpened, Linking, Record, Trade};
use countersign_entry::time::{DAY, Micros};
use countersign_ledger::Ledger;

use crate::explain::evidence;
use crate::failure::Failure;
use crate::output::shown;
use crate::words::{name, word_of};

/// The days from one day to another; none where the other comes first.
pub(crate) fn days_between(from: &Date, to: &Date) -> Option<u64> {
    Some(to.start()?.value().checked_sub(from.start()?.value())? / DAY)
}

/// Whether something recorded at a time stood in the ledger on a day. A trade has a day and no hour.
pub(crate) fn known_on(day: &Date, recorded: Micros) -> &'static str {
    match day.cmp(&Date::of(recorded)) {
        std::cmp::Ordering::Less => "not yet recorded",
        std::cmp::Ordering::Equal => "recorded that day",
        std::cmp::Ordering::Greater => "recorded",
    }
}

/// The case that names a trade, or the record it took the place of, under a rule.
pub(crate) fn case_on(facts: &Facts, rule: &str, trade: &Known<Trade>, submission: &SubmissionId) -> Option<LeafIndex> {
    let entries = [Some(trade.index), trade.record.supersedes];
    let about = |c: &CaseOpened| {
        c.person == trade.record.person
            && c.submission.as_ref() == Some(submission)
            && c.rule.as_str() == rule
            && c.evidence.iter().any(|e| entries.contains(&Some(*e)))
    };
    facts.cases().find(|(_, c)| about(c)).map(|(index, _)| index)
}

/// The finding as lines, for the ethics role.
pub(crate) fn told(f: &TradeFinding<'_>, facts: &Facts, ledger: &Ledger) -> Result<Vec<String>, Failure> {
    let trade = &f.trade.record;
    let filed = trade.filed_on.as_ref().map_or_else(|| "never filed".to_owned(), |d| format!("filed {d}"));
    let lag =
        trade.filed_on.as_ref().and_then(|d| days_between(&trade.traded_on, d)).map(|n| format!(", {n} days later")).unwrap_or_default();
    let mut lines = vec![format!(
        "the trade        {} on {} of {:?} ({}), {}; {filed}{lag}",
        word_of(&trade.kind).replace('_', " "),
        trade.traded_on,
        shown(trade.instrument.text.as_str()),
        word_of(&trade.relation).replace('_', " "),
        amount(trade.value)
    )];
    lines.push(format!("                 entry {}, recorded {}{}", f.trade.index, f.trade.at, source(f)));
    let issuer = f.exposed.issuer;
    let called = facts.issuer(issuer).map_or("", |k| k.record.name.as_str());
    lines.push(format!("the issuer       {issuer} {called}: {}", linked(trade.instrument.linking)));
    let seen = &f.submission.record;
    let (first, access) = f.first_access;
    lines.push(format!(
        "what was seen    {} ({}), by {} first on {first}, entry {access}",
        seen.id,
        seen.title,
        name(facts, &trade.person)
    ));
    let public = |at: Option<Micros>| at.map_or_else(|| "not yet".to_owned(), |at| Date::of(at).to_string());
    lines.push(format!("non-public       until release ({}) and cleansing ({})", public(seen.public_release_at), public(seen.cleansed_at)));
    let days = days_between(&Date::of(first), &trade.traded_on).unwrap_or_default();
    lines.push(format!("the time         {} to {}: {days} days after the first access", Date::of(first), trade.traded_on));
    let sure = if f.exposed.confirmed { "confirmed" } else { "unconfirmed: somebody has to check" };
    let relation = word_of(&f.exposed.relation).replace('_', " ");
    lines.push(format!("how it touches   tier {} ({relation}), {sure}", u8::from(f.exposed.tier)));
    lines.extend(f.exposed.via.iter().map(|i| format!("                 {}", evidence(*i, ledger))));
    lines.push(format!("known on {}:", trade.traded_on));
    for (what, entry) in [("the access", access)].into_iter().chain(f.exposed.via.iter().map(|i| ("the way to the issuer", *i))) {
        let at = recorded_at(entry, ledger)?;
        lines.push(format!("                 {what}, entry {entry}: {} ({at})", known_on(&trade.traded_on, at)));
    }
    if let Some(rule) = rules::rule(rules::TRADE_AFTER_ACCESS) {
        lines.push(format!("the rule         {} version {}: {}", rule.id, rule.version, rule.cite));
    }
    lines.push(match case_on(facts, rules::TRADE_AFTER_ACCESS, f.trade, &seen.id) {
        Some(case) => format!("the case         entry {case}"),
        None => "the case         none: not due yet, or farther off than the policy makes a case of".to_owned(),
    });
    Ok(lines)
}

/// How a trade stands to what was cleared, with the sums.
pub(crate) fn executed(facts: &Facts, trade: &Known<Trade>) -> Vec<String> {
    let (what, requests) = match facts.execution(trade) {
        Execution::NotRequired => ("no clearance was needed, or its issuer is not decided yet".to_owned(), Vec::new()),
        Execution::Covered(requests) => ("keeps to what was cleared".to_owned(), requests),
        Execution::Undetermined(requests, open) => (format!("cannot be told: need {open}"), requests),
        Execution::Without(requests) => ("made without a clearance".to_owned(), requests),
        Execution::Beyond(requests, how) => (format!("beyond what was cleared: {how}"), requests),
        Execution::OtherDay(requests) => ("made on a day that was not cleared".to_owned(), requests),
    };
    let t = &trade.record;
    let units = |n: Option<u64>| n.map_or_else(|| "units not stated".to_owned(), |n| format!("{n} units"));
    let mut lines =
        vec![what, format!("traded           {} on {}, {}, {}", word_of(&t.kind), t.traded_on, units(t.quantity), amount(t.value))];
    for (entry, p) in requests.iter().filter_map(|i| Some((i, facts.preclearance(*i)?))) {
        let r = &p.request;
        let until = p.cleared_until().map_or_else(|| "not cleared".to_owned(), |d| format!("cleared from {} until {d}", r.from));
        lines.push(format!("request {entry:<8} {}, {}, {}, {until}", word_of(&r.kind), units(r.quantity), amount(r.value)));
        lines.extend(trades_under(facts, *entry).into_iter().map(|line| format!("                 under it: {line}")));
    }
    lines
}

/// Trades that fall under a request, and what they come to.
pub(crate) fn trades_under(facts: &Facts, request: LeafIndex) -> Vec<String> {
    let under: Vec<&Known<Trade>> = facts.trades_under(request).collect();
    let mut lines: Vec<String> =
        under.iter().map(|k| format!("entry {}: {}, {}", k.index, k.record.traded_on, amount(k.record.value))).collect();
    let stated: Vec<u64> = under.iter().filter_map(|k| k.record.quantity).collect();
    if stated.len() > 1 {
        let sum = stated.iter().fold(0u64, |a, b| a.saturating_add(*b));
        let terms = stated.iter().map(u64::to_string).collect::<Vec<_>>().join(" + ");
        lines.push(format!("{terms} = {sum} units"));
    } else if let [one] = stated.as_slice() {
        lines.push(format!("{one} units"));
    }
    lines
}

fn recorded_at(entry: LeafIndex, ledger: &Ledger) -> Result<Micros, Failure> {
    let (_, meta, _): (_, _, Record) = ledger.entry(entry.0)?;
    Micros::new(meta.at).map_err(|e| Failure::Bug(e.to_string()))
}

fn source(f: &TradeFinding<'_>) -> String {
    let of = f.trade.record.provenance.as_ref();
    of.map(|p| format!(", from {} row {} of file {}…", p.importer, p.row, &p.file_hash.to_string()[..12])).unwrap_or_default()
}

fn linked(linking: Linking) -> &'static str {
    match linking {
        Linking::Matched => "ticker and name agree, or the name alone leaves no doubt",
        Linking::Decided => "decided in the review queue",
        Linking::InReview => "waits in the review queue",
        Linking::NotLinked => "not linked",
    }
}

/// A band in words.
pub(crate) fn amount(band: Band) -> String {
    match (band.lo(), band.hi()) {
        (Some(lo), Some(hi)) if lo == hi => format!("${lo}"),
        (Some(lo), Some(hi)) => format!("${lo} to ${hi}"),
        (Some(lo), None) => format!("${lo} or more"),
        (None, Some(hi)) => format!("at most ${hi}"),
        (None, None) => "amount not stated".to_owned(),
    }
}
