//! The demo's ledger, its clock, and shorthands for recording.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign_entry::ids::{LeafIndex, Line, OrganizationId, PersonId, PrincipalId, RecordId, RequestKey};
use countersign_entry::record::{
    GrantState, GrantTransition, Organization, OrganizationKind, Person, PersonStatus, Principal, Record, Role,
};
use countersign_entry::time::Micros;
use countersign_ledger::{Clock, Directory, Ledger, Opening, Receipt, Request};

use super::DemoError;
use super::cast::{ORGANIZATIONS, Player, STAFF};

/// Requests handed over at a time.
const CHUNK: usize = 1_024;

#[derive(Clone)]
pub(super) struct ScriptClock(Arc<AtomicU64>);

impl Clock for ScriptClock {
    fn now(&self) -> Micros {
        Micros::new(self.0.load(Ordering::SeqCst)).unwrap_or(Micros::EPOCH)
    }
}

pub(super) struct Stage {
    pub(super) ledger: Ledger,
    clock: ScriptClock,
    principals: BTreeMap<&'static str, PrincipalId>,
    pub(super) persons: BTreeMap<&'static str, PersonId>,
    requests: u64,
}

impl Stage {
    pub(super) fn build(dir: &Path, origin: &str, start: Micros) -> Result<Self, DemoError> {
        let clock = ScriptClock(Arc::new(AtomicU64::new(start.value())));
        let mut principals = BTreeMap::new();
        let mut persons = BTreeMap::new();
        for key in ["founder", "sequencer", "gateway"].into_iter().chain(STAFF.iter().map(|p| p.key)) {
            principals.insert(key, PrincipalId::new(format!("pr-{}", random_word()?))?);
        }
        for key in std::iter::once("founder").chain(STAFF.iter().chain(super::cast::EVALUATORS).map(|p| p.key)) {
            persons.insert(key, PersonId::new(format!("P-{}", random_word()?))?);
        }
        let records = first_records(&principals, &persons, start)?;
        let opening = Opening { passphrase_file: None, pin_file: None, clock: Box::new(clock.clone()), told: Box::new(|_| {}) };
        let (founder, sequencer) = (lookup(&principals, "founder")?, lookup(&principals, "sequencer")?);
        let ledger = Directory::create(dir, origin, Path::new("register/head"), opening, founder, sequencer, records)?;
        Ok(Self { ledger, clock, principals, persons, requests: 0 })
    }

    /// Turns the clock to a time on the script's calendar; never back.
    pub(super) fn at(&self, time: &str) -> Result<Micros, DemoError> {
        let at: Micros = time.parse()?;
        self.clock.0.fetch_max(at.value(), Ordering::SeqCst);
        Ok(at)
    }

    pub(super) fn record(&mut self, actor: &'static str, record: impl Into<Record>) -> Result<Receipt, DemoError> {
        self.requests += 1;
        let key = RequestKey::new(format!("demo-{:06}", self.requests))?;
        Ok(self.ledger.append(Request { actor: lookup(&self.principals, actor)?.clone(), key, record: record.into(), signed: None })?)
    }

    pub(super) fn record_all(&mut self, actor: &'static str, records: Vec<Record>) -> Result<Vec<Receipt>, DemoError> {
        let actor = lookup(&self.principals, actor)?.clone();
        let mut receipts = Vec::with_capacity(records.len());
        let mut records = records.into_iter().peekable();
        while records.peek().is_some() {
            let mut batch = Vec::new();
            for record in records.by_ref().take(CHUNK) {
                self.requests += 1;
                batch.push(Request {
                    actor: actor.clone(),
                    key: RequestKey::new(format!("demo-{:06}", self.requests))?,
                    record,
                    signed: None,
                });
            }
            for answer in self.ledger.commit(batch) {
                receipts.push(answer?);
            }
        }
        Ok(receipts)
    }

    pub(super) fn principal(&self, key: &str) -> Result<&PrincipalId, DemoError> {
        lookup(&self.principals, key)
    }

    pub(super) fn person(&self, key: &str) -> Result<&PersonId, DemoError> {
        self.persons.get(key).ok_or_else(|| DemoError(format!("nobody plays {key}")))
    }

    /// Asks for a grant's move.
    pub(super) fn step(&mut self, actor: &'static str, grant: u64, to: GrantState) -> Result<Receipt, DemoError> {
        self.record(actor, GrantTransition { grant: LeafIndex(grant), to, cause: None, reason: None, assessment: None, result: None })
    }

    pub(super) fn state(&self, grant: u64) -> Option<GrantState> {
        self.ledger.facts().grant(LeafIndex(grant)).map(|g| g.state)
    }

    /// Display name of a person, from their directory record.
    pub(super) fn name(&self, person: &PersonId) -> String {
        self.ledger.facts().person(person).map_or_else(|| person.to_string(), |p| p.record.name.to_string())
    }
}

fn lookup<'a>(principals: &'a BTreeMap<&'static str, PrincipalId>, key: &str) -> Result<&'a PrincipalId, DemoError> {
    principals.get(key).ok_or_else(|| DemoError(format!("nobody acts as {key}")))
}

/// Twelve random letters and digits that are hard to mistake for one another.
fn random_word() -> Result<String, DemoError> {
    const ALPHABET: &[u8; 32] = b"23456789abcdefghjkmnpqrstuvwxyzA";
    let mut bytes = [0u8; 12];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().filter_map(|b| ALPHABET.get(usize::from(b % 32))).map(|b| char::from(*b)).collect())
}

fn first_records(
    principals: &BTreeMap<&'static str, PrincipalId>,
    persons: &BTreeMap<&'static str, PersonId>,
    start: Micros,
) -> Result<Vec<Record>, DemoError> {
    let organization = |(id, name, kind, parent): (&str, &str, OrganizationKind, Option<&str>)| -> Result<Record, DemoError> {
        let parent = parent.map(OrganizationId::new).transpose()?;
        Ok(Organization { id: OrganizationId::new(id)?, name: Line::new(name)?, kind, parent, ethics_office: None, supersedes: None }
            .into())
    };
    let mut records: Vec<Record> = vec![crate::defaults::policy(start)?.into()];
    for row in ORGANIZATIONS {
        records.push(organization(*row)?);
    }
    let operator =
        Player { key: "founder", name: "Operator of this demo", status: PersonStatus::Civilian, organization: "commerce", roles: &[] };
    for player in std::iter::once(&operator).chain(STAFF).chain(super::cast::EVALUATORS) {
        let id = persons.get(player.key).cloned().ok_or_else(|| DemoError(format!("no id for {}", player.key)))?;
        let person = Person {
            id,
            name: Line::new(player.name)?,
            status: player.status,
            organization: OrganizationId::new(player.organization)?,
            supersedes: None,
        };
        records.push(person.into());
    }
    let mut principal = |key: &'static str, roles: &[Role], os_user: Option<String>| -> Result<(), DemoError> {
        let os_user = os_user.map(Line::new).transpose()?;
        let person = persons.get(key).cloned();
        let id = lookup(principals, key)?.clone();
        records.push(Principal { id, person, roles: roles.to_vec(), os_user, disabled: false, supersedes: None }.into());
        Ok(())
    };
    principal("sequencer", &[Role::Sequencer], None)?;
    principal("gateway", &[Role::Gateway], None)?;
    for player in STAFF {
        principal(player.key, player.roles, None)?;
    }
    // Last, since from the first operator on every role is checked. Whoever runs the demo may try every command afterwards.
    principal("founder", &[Role::Operator, Role::AccessOfficer, Role::EthicsOfficer], Some(crate::actor::os_user()))?;
    Ok(records)
}

/// An id for a record that is named by the script.
pub(super) fn record_id(text: &str) -> Result<RecordId, DemoError> {
    Ok(RecordId::new(text)?)
}
