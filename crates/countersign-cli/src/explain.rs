//! What people are told of a decision: a neutral sentence for whoever asks, the whole reasoning for the ethics role.

use countersign_conflict::{Facts, rules};
use countersign_entry::ids::LeafIndex;
use countersign_entry::record::{Assessment, Decision, GrantState, ObligationKind, ObligedParty, Outcome, Record, Verdict};
use countersign_ledger::{Ledger, query};
use serde_json::{Value, json};

use crate::words::{neutral_state, word_of};

/// What a requester is told. The same words whether a rule refers or blocks, and whatever is on a watch list.
pub(crate) fn neutral_text(record: &Record) -> String {
    match record {
        Record::GrantRequest(r) => match &r.assessment {
            Some(a) if a.decision == Decision::Cleared => "Cleared. Next: approval.".into(),
            _ => not_cleared(r.reference.as_ref().map(|x| x.as_str())),
        },
        Record::PreclearanceRequest(r) => match &r.cleared_until {
            Some(day) => format!("Cleared until {day}.{}", reference(r.reference.as_ref().map(|x| x.as_str()))),
            None => not_cleared(r.reference.as_ref().map(|x| x.as_str())),
        },
        Record::GrantTransition(t) => match &t.assessment {
            Some(a) if a.decision != Decision::Cleared => not_cleared(None),
            _ => format!("The grant is {}.", neutral_state(t.result.unwrap_or(t.to)).replace('_', " ")),
        },
        _ => "Recorded.".into(),
    }
}

/// [`neutral_text`], with what the facts after the record say comes next.
pub(crate) fn neutral_text_after(record: &Record, facts: &Facts) -> String {
    let required = |at| facts.policy(at).map_or(0, |p| p.record.approvals_required);
    let newest =
        countersign_entry::time::Micros::new(countersign_entry::limits::MICROS_MAX).unwrap_or(countersign_entry::time::Micros::EPOCH);
    match record {
        Record::GrantRequest(r) if cleared(r.assessment.as_ref()) => format!("Cleared. Next: approval by {}.", people(required(newest))),
        Record::GrantTransition(t) => {
            let grant = facts.grant(t.grant);
            if t.assessment.is_some() && !cleared(t.assessment.as_ref()) {
                return not_cleared(grant.and_then(|g| g.request.reference.as_ref()).map(|r| r.as_str()));
            }
            match (t.to, t.result.unwrap_or(t.to)) {
                (GrantState::Approved, GrantState::Approved) => "Approved. Next: activation by an access officer.".into(),
                (GrantState::Approved, _) => {
                    let given = grant.map_or(0, |g| u32::try_from(g.approvers.len()).unwrap_or(u32::MAX));
                    format!("Approval counted. Next: approval by {} more.", people(required(newest).saturating_sub(given)))
                }
                (_, GrantState::Active) => {
                    format!("Active{}.", grant.map(|g| format!(" until {}", g.request.expires_at)).unwrap_or_default())
                }
                _ => neutral_text(record),
            }
        }
        _ => neutral_text(record),
    }
}

fn cleared(assessment: Option<&Assessment>) -> bool {
    assessment.is_some_and(|a| a.decision == Decision::Cleared)
}

fn people(count: u32) -> String {
    if count == 1 { "1 person".into() } else { format!("{count} people") }
}

fn not_cleared(reference: Option<&str>) -> String {
    format!("Not cleared. The ethics office can decide.{}", self::reference(reference))
}

fn reference(reference: Option<&str>) -> String {
    reference.map(|r| format!(" Reference {r}.")).unwrap_or_default()
}

/// What every clearance says of itself (5 CFR 2635.107(b) protects reliance on an ethics official, not on a program).
pub(crate) fn caveat(entry: LeafIndex) -> String {
    format!("No conflict found in the facts recorded as of entry {entry}. {NO_ADVICE}")
}

/// What every answer says of itself.
pub(crate) const NO_ADVICE: &str = "Not ethics advice unless an ethics official adopts it. Never permits trading on nonpublic information.";

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
    let decision = if a.decision == Decision::Cleared && a.participate == Outcome::Block {
        "cleared without participation".into()
    } else {
        word_of(&a.decision)
    };
    format!("{decision} [{verdicts}]{because}")
}

/// A decision with every rule, citation and entry it rests on, as lines; for the ethics role.
pub(crate) fn explain(a: &Assessment, ledger: &Ledger) -> Vec<String> {
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
    }
    lines.extend(a.watch.iter().map(|i| format!("watch list, which changes nothing above: {}", evidence(*i, ledger))));
    for o in &a.obligations {
        let due = o.due.map(|d| format!(", due {d}")).unwrap_or_default();
        lines.push(format!("obligation   {} {}{due}", party(o.who), duty(o.what)));
    }
    lines
}

/// The same as JSON.
pub(crate) fn explain_json(a: &Assessment) -> Value {
    let mut value = serde_json::to_value(a).unwrap_or_default();
    for reason in value.get_mut("reasons").and_then(Value::as_array_mut).into_iter().flatten() {
        let title = reason.get("rule").and_then(Value::as_str).and_then(rules::rule).map(|r| r.title);
        if let Value::Object(fields) = reason {
            fields.insert("asks".into(), json!(title));
        }
    }
    crate::words::times_as_text(&mut value);
    value
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
        Err(_) => format!("entry {index}"),
    }
}

/// What an entry says, where the type's name does not say it already.
fn detail(record: &Record) -> String {
    match record {
        Record::ListItem(i) => format!("{} lists {} on {}: {}", i.id, i.subject, i.list, i.reason),
        Record::List(l) => {
            let authority = l.authority.as_ref().map_or_else(|| "no authority recorded".into(), |a| format!("authority {a}"));
            format!("{} ({}), {authority}", l.name, word_of(&l.kind))
        }
        Record::Exposure(e) => {
            let sure = if e.confirmed { "confirmed" } else { "unconfirmed" };
            format!("{} {} {}, tier {}, {sure}", e.from, word_of(&e.relation), e.to, u8::from(e.tier))
        }
        Record::Policy(p) => format!("{} version {}", p.id, p.version),
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
    }
}
