//! What of a record a reader may see. The ethics role sees why; everybody else sees that something stands, and nothing of cases, interests, flaws,
//! watch lists and reasons. What is left out is not counted either: a number of hidden rows would tell of a watch list.

use countersign_conflict::Facts;
use countersign_entry::record::{ListKind, Record, Role};
use countersign_ledger::query::describe;
use serde::Serialize;
use serde_json::Value;

use crate::actor::Actor;
use crate::words::{neutral_state, times_as_text};

struct Human<'a>(&'a Record);

impl Serialize for Human<'_> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.to_human(s)
    }
}

/// A record as JSON, times as microseconds.
pub(crate) fn fields_of(record: &Record) -> Value {
    serde_json::to_value(Human(record)).unwrap_or_default()
}

/// A record as the actor may see it; `None` where they may not know of it.
pub(crate) fn visible(actor: &Actor, facts: &Facts, record: &Record) -> Option<Value> {
    if hidden(actor, facts, record) {
        return None;
    }
    let mut fields = fields_of(record);
    if let (false, Value::Object(fields)) = (actor.is_ethics(), &mut fields) {
        for reason in ["ground", "assessment", "reason", "cause"] {
            fields.remove(reason);
        }
        for (name, state) in states(record) {
            fields.insert(name.to_owned(), state.map(neutral_state).into());
        }
    }
    times_as_text(&mut fields);
    Some(fields)
}

/// The line of a record as the actor may see it; `None` where they may not know of it.
pub(super) fn line(actor: &Actor, facts: &Facts, record: &Record) -> Option<String> {
    let stands = |state: Option<_>| state.map_or("recorded", neutral_state);
    Some(match record {
        _ if hidden(actor, facts, record) => return None,
        Record::GrantRequest(r) if !actor.is_ethics() => format!("access to {} requested: {}", r.submission, stands(r.result)),
        Record::GrantTransition(t) if !actor.is_ethics() => format!("grant {} {}", t.grant, stands(t.result)),
        other => describe(other),
    })
}

/// Fields that say where a grant stands, which says why.
fn states(record: &Record) -> Vec<(&'static str, Option<countersign_entry::record::GrantState>)> {
    match record {
        Record::GrantRequest(r) => vec![("result", r.result)],
        Record::GrantTransition(t) => vec![("to", Some(t.to)), ("result", t.result)],
        _ => Vec::new(),
    }
}

fn hidden(actor: &Actor, facts: &Facts, record: &Record) -> bool {
    if actor.is_ethics() {
        return false;
    }
    match record {
        Record::List(l) => l.kind == ListKind::Watch,
        Record::ListItem(i) => facts.list(&i.list).is_none_or(|l| l.record.kind == ListKind::Watch),
        // Interests, and what the ethics office makes of them. A correction may be of any of these.
        Record::Holding(_)
        | Record::Trade(_)
        | Record::Relationship(_)
        | Record::MatchDecision(_)
        | Record::CaseOpened(_)
        | Record::CaseEvent(_)
        | Record::PreclearanceRequest(_)
        | Record::PreclearanceDecision(_)
        | Record::Filer(_)
        | Record::DutyEvent(_)
        | Record::Referral(_)
        | Record::LegalHold(_)
        | Record::Vulnerability(_)
        | Record::Correction(_) => true,
        // Whom the ethics office asks about says what it suspects; who asked what is the inspector's to see.
        Record::Read(_) => !actor.has(Role::InspectorGeneral),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use countersign_entry::ids::{LeafIndex, PrincipalId};
    use countersign_entry::record::{GrantState, GrantTransition, List};

    fn actor(role: Role) -> Actor {
        Actor { id: PrincipalId::new("pr-0001").unwrap(), roles: vec![role] }
    }

    #[test]
    fn reasons_and_watch_lists_are_for_the_ethics_role() {
        let facts = Facts::default();
        let moved: Record = GrantTransition {
            grant: LeafIndex(7),
            to: GrantState::EthicsReview,
            cause: Some(LeafIndex(3)),
            reason: Some("spouse".parse().unwrap()),
            assessment: None,
            result: Some(GrantState::Conflict),
        }
        .into();
        let told = visible(&actor(Role::AccessOfficer), &facts, &moved).unwrap();
        assert_eq!(told, serde_json::json!({ "grant": 7, "to": "not_cleared", "result": "not_cleared" }));
        assert_eq!(line(&actor(Role::Operator), &facts, &moved).unwrap(), "grant 7 not_cleared");
        assert!(visible(&actor(Role::EthicsOfficer), &facts, &moved).unwrap().to_string().contains("spouse"));
        let watch: Record =
            List { id: "w".parse().unwrap(), kind: ListKind::Watch, name: "Quiet".parse().unwrap(), authority: None, supersedes: None }
                .into();
        assert!(line(&actor(Role::InspectorGeneral), &facts, &watch).is_none());
        assert!(line(&actor(Role::EthicsOfficer), &facts, &watch).is_some());
    }
}
