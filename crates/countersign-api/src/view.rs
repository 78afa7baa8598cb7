//! What of a record a reader may see. The ethics role sees why; everybody else sees that something stands, and nothing of cases, interests, flaws,
//! watch lists and reasons. Of people of another agency the ethics role sees what everybody else sees. What is left out is not counted either: a number
//! of hidden rows would tell of a watch list.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_conflict::{Facts, bound};
use countersign_entry::ids::{OrganizationId, PersonId};
use countersign_entry::record::{List, ListKind, Record, Role};
use countersign_entry::time::Micros;
use serde::Serialize;
use serde_json::Value;

use crate::words::{neutral_state, times_as_text};

struct Human<'a>(&'a Record);

impl Serialize for Human<'_> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.to_human(s)
    }
}

/// In whose eyes records are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eyes {
    /// What they may do; the ethics officer's role only where they see by it.
    pub roles: Vec<Role>,
    /// Where they serve; none for an account that stands for nobody.
    pub organization: Option<OrganizationId>,
    /// When they look, which says what policy is in force.
    pub at: Micros,
}

impl Eyes {
    /// Whether they may see why, of what is about nobody in particular: rules, citations, watch lists.
    pub fn see_why(&self) -> bool {
        self.roles.contains(&Role::EthicsOfficer)
    }

    /// Whether they may see why, of what is about a person: evidence, interests, cases ([`Facts::in_reach`]).
    pub fn see_why_of(&self, facts: &Facts, person: &PersonId) -> bool {
        self.see_why() && facts.in_reach(self.organization.as_ref(), person, self.at)
    }

    /// The same of a record.
    pub fn see_why_in(&self, facts: &Facts, record: &Record) -> bool {
        let of = |person| facts.in_reach(self.organization.as_ref(), person, self.at);
        self.see_why()
            && (facts.keeps(self.organization.as_ref())
                || match record {
                    // Whom somebody asked about, and what was corrected, may be about anybody.
                    Record::Read(_) | Record::Correction(_) => false,
                    Record::ListItem(r) => facts.list(&r.list).and_then(|list| bound(&list.record)).is_none_or(of),
                    _ => facts.about(record).is_none_or(of),
                })
    }
}

/// A record as JSON, times as microseconds.
pub fn fields_of(record: &Record) -> Value {
    serde_json::to_value(Human(record)).unwrap_or_default()
}

/// Fields that are bytes, or several of them: signatures and keys, read by machines, so in base64.
const BYTES: [&str; 6] = ["approvals", "key", "signature", "old_signature", "new_signature", "head"];

fn bytes_as_text(value: &mut Value, several: bool) {
    let Value::Array(items) = value else { return };
    if several {
        return items.iter_mut().for_each(|item| bytes_as_text(item, false));
    }
    let bytes: Option<Vec<u8>> = items.iter().map(|item| item.as_u64()?.try_into().ok()).collect();
    *value = bytes.map_or(Value::Null, |bytes| STANDARD.encode(bytes).into());
}

/// A record as they may see it; `None` where they may not know of it.
pub fn visible(eyes: &Eyes, facts: &Facts, record: &Record) -> Option<Value> {
    if hidden(eyes, facts, record) {
        return None;
    }
    let mut fields = fields_of(record);
    if let (false, Value::Object(fields)) = (eyes.see_why_in(facts, record), &mut fields) {
        for reason in ["ground", "assessment", "reason", "cause"] {
            fields.remove(reason);
        }
        for (name, state) in states(record) {
            fields.insert(name.to_owned(), state.map(neutral_state).into());
        }
    }
    if let Value::Object(fields) = &mut fields {
        // The hash of a key: whoever has the key needs none, and nobody else needs it.
        fields.remove("secret_hash");
        for (name, value) in fields.iter_mut().filter(|(name, _)| BYTES.contains(&name.as_str())) {
            bytes_as_text(value, name == "approvals");
        }
    }
    times_as_text(&mut fields);
    Some(fields)
}

/// The names of those fields of a record that they see as they stand, and the record as they see it; `None` where they may not know of it.
pub fn shown_fields(eyes: &Eyes, facts: &Facts, record: &Record) -> Option<(Vec<String>, Value)> {
    let told = visible(eyes, facts, record)?;
    let put: Vec<&str> =
        if eyes.see_why_in(facts, record) { Vec::new() } else { states(record).into_iter().map(|(name, _)| name).collect() };
    let Value::Object(fields) = &told else { return None };
    Some((fields.keys().filter(|name| !put.contains(&name.as_str())).cloned().collect(), told))
}

/// Fields that say where a grant stands, which says why.
fn states(record: &Record) -> Vec<(&'static str, Option<countersign_entry::record::GrantState>)> {
    match record {
        Record::GrantRequest(r) => vec![("result", r.result)],
        Record::GrantTransition(t) => vec![("to", Some(t.to)), ("result", t.result)],
        _ => Vec::new(),
    }
}

/// Whether they may not know of the record.
pub fn hidden(eyes: &Eyes, facts: &Facts, record: &Record) -> bool {
    if eyes.see_why_in(facts, record) {
        return false;
    }
    match record {
        Record::List(l) => quiet(l),
        Record::ListItem(i) => facts.list(&i.list).is_none_or(|l| quiet(&l.record)),
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
        Record::Read(_) => !eyes.roles.contains(&Role::InspectorGeneral),
        _ => false,
    }
}

/// A watch list is secret, and what one person may not hold is nobody else's business; what a regulation forbids stands in the regulation.
fn quiet(list: &List) -> bool {
    list.kind == ListKind::Watch || bound(list).is_some()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn eyes(role: Role) -> Eyes {
        Eyes { roles: vec![role], organization: None, at: Micros::EPOCH }
    }

    use countersign_entry::ids::LeafIndex;
    use countersign_entry::record::{GrantState, GrantTransition};

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
        let told = visible(&eyes(Role::AccessOfficer), &facts, &moved).unwrap();
        assert_eq!(told, serde_json::json!({ "grant": 7, "to": "not_cleared", "result": "not_cleared" }));
        assert!(visible(&eyes(Role::EthicsOfficer), &facts, &moved).unwrap().to_string().contains("spouse"));
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
        let Record::List(list) = watch.clone() else { unreachable!() };
        let of_one: Record = List { kind: ListKind::ProhibitedHolding, binds: Some("person:P-0001".parse().unwrap()), ..list }.into();
        for quiet in [watch, of_one] {
            assert!(visible(&eyes(Role::InspectorGeneral), &facts, &quiet).is_none());
            assert!(visible(&eyes(Role::EthicsOfficer), &facts, &quiet).is_some());
        }
    }

    #[test]
    fn signatures_are_base64() {
        let list: Record = List {
            id: "w".parse().unwrap(),
            kind: ListKind::Watch,
            name: "Quiet".parse().unwrap(),
            authority: None,
            binds: None,
            supersedes: None,
            approvals: vec![serde_bytes::ByteBuf::from(vec![0xd2, 0x84, 0x58])],
        }
        .into();
        let told = visible(&eyes(Role::EthicsOfficer), &Facts::default(), &list).unwrap();
        assert_eq!(told["approvals"], serde_json::json!(["0oRY"]));
    }
}
