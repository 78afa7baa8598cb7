//! What people are told of a decision: a neutral sentence for whoever asks, the reasoning for the ethics role.

use countersign_conflict::{Facts, rules};
use countersign_entry::ids::LeafIndex;
use countersign_entry::record::{Assessment, Decision, GrantState, Record};
use serde_json::{Value, json};

use crate::words::{neutral_state, times_as_text};

/// What a requester is told. The same words whether a rule refers or blocks, and whatever is on a watch list.
pub fn neutral_text(record: &Record) -> String {
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
pub fn neutral_text_after(record: &Record, facts: &Facts) -> String {
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
pub fn caveat(entry: LeafIndex) -> String {
    format!("No conflict found in the facts recorded as of entry {entry}. {NO_ADVICE}")
}

/// What every answer says of itself.
pub const NO_ADVICE: &str = "Not ethics advice unless an ethics official adopts it. Never permits trading on nonpublic information.";

/// The same as JSON.
pub fn explain_json(a: &Assessment) -> Value {
    let mut value = serde_json::to_value(a).unwrap_or_default();
    for reason in value.get_mut("reasons").and_then(Value::as_array_mut).into_iter().flatten() {
        let title = reason.get("rule").and_then(Value::as_str).and_then(rules::rule).map(|r| r.title);
        if let Value::Object(fields) = reason {
            fields.insert("asks".into(), json!(title));
        }
    }
    times_as_text(&mut value);
    value
}
