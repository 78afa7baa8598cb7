//! What of a record a reader at the command line may see (`countersign-api` says what that is), and as a line.

use countersign_api::view::{self, hidden};
use countersign_conflict::Facts;
use countersign_entry::record::Record;
use countersign_ledger::query::describe;
use serde_json::Value;

pub(crate) use countersign_api::view::fields_of;

use crate::actor::Actor;
use crate::words::neutral_state;

/// A record as the actor may see it; `None` where they may not know of it.
pub(crate) fn visible(actor: &Actor, facts: &Facts, record: &Record) -> Option<Value> {
    view::visible(&actor.eyes, facts, record)
}

/// The line of a record as the actor may see it; `None` where they may not know of it.
pub(super) fn line(actor: &Actor, facts: &Facts, record: &Record) -> Option<String> {
    let stands = |state: Option<_>| state.map_or("recorded", neutral_state);
    Some(match record {
        _ if hidden(&actor.eyes, facts, record) => return None,
        Record::GrantRequest(r) if !actor.eyes.see_why_in(facts, record) => {
            format!("access to {} requested: {}", r.submission, stands(r.result))
        }
        Record::GrantTransition(t) if !actor.eyes.see_why_in(facts, record) => format!("grant {} {}", t.grant, stands(t.result)),
        other => describe(other),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use countersign_api::view::Eyes;
    use countersign_entry::ids::{LeafIndex, PrincipalId};
    use countersign_entry::record::{GrantState, GrantTransition, List, ListKind, Role};
    use countersign_entry::time::Micros;

    fn actor(role: Role) -> Actor {
        Actor {
            id: PrincipalId::new("pr-0001").unwrap(),
            eyes: Eyes { roles: vec![role], organization: None, at: Micros::EPOCH },
            names_none: false,
        }
    }

    #[test]
    fn lines_give_no_reasons_and_no_watch_lists() {
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
        assert_eq!(line(&actor(Role::Operator), &facts, &moved).unwrap(), "grant 7 not_cleared");
        let watch: Record = List {
            id: "w".parse().unwrap(),
            kind: ListKind::Watch,
            name: "Quiet".parse().unwrap(),
            authority: None,
            binds: None,
            supersedes: None,
            approvals: vec![],
        }
        .into();
        assert!(line(&actor(Role::InspectorGeneral), &facts, &watch).is_none());
        assert!(line(&actor(Role::EthicsOfficer), &facts, &watch).is_some());
    }
}
