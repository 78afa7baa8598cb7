//! What a new ledger starts with.

use countersign_entry::ids::{IdError, Line, OrganizationId, PersonId, PrincipalId, RecordId};
use countersign_entry::record::{
    AgreementKind, Effect, Effects, Organization, OrganizationKind, Person, PersonStatus, Policy, Principal, Record, Role, Tier,
};
use countersign_entry::time::Micros;

use crate::preset::default_policy;

/// Organization of whoever makes the ledger, until somebody records a better one.
pub(crate) const LOCAL: &str = "local";

/// The policy until an operator records another: two approvals, signed terms of access, and no verdict of `trade` in the way, since an
/// obligation not to trade comes with every grant.
pub(crate) fn policy(effective_from: Micros) -> Result<Policy, IdError> {
    Ok(Policy {
        id: RecordId::new("default")?,
        version: 1,
        effective_from,
        approvals_required: 2,
        agreements_required: vec![AgreementKind::AccessTerms],
        on_refer: Effects { participate: Effect::Refer, hold: Effect::Refer, trade: Effect::Allow },
        on_block: Effects { participate: Effect::Deny, hold: Effect::Refer, trade: Effect::Allow },
        on_block_without_participation: Effect::Allow,
        case_cadence_seconds: 900,
        case_tier_max: Tier::Two,
        clock_skew_seconds: 300,
        feeds: vec![],
        preclearance: Some(default_policy()?),
        signatures_required: vec![],
        routine_uses: vec![],
        supersedes: None,
    })
}

/// Whoever makes a ledger.
pub(crate) struct Founder {
    /// Their account.
    pub(crate) principal: PrincipalId,
    /// Their id.
    pub(crate) person: PersonId,
    /// Their name.
    pub(crate) name: Line,
    /// The operating system's user, `uid:N`.
    pub(crate) os_user: Line,
}

/// The records of a new ledger, in order. The founder comes last: from the first operator on, every role is checked.
pub(crate) fn records(at: Micros, founder: &Founder, sequencer: &PrincipalId) -> Result<Vec<Record>, IdError> {
    let local = OrganizationId::new(LOCAL)?;
    let organization = Organization {
        id: local.clone(),
        name: Line::new("Operator of this ledger")?,
        kind: OrganizationKind::Agency,
        parent: None,
        ethics_office: None,
        supersedes: None,
    };
    let person = Person {
        id: founder.person.clone(),
        name: founder.name.clone(),
        status: PersonStatus::Civilian,
        organization: local,
        supersedes: None,
    };
    let timers =
        Principal { id: sequencer.clone(), person: None, roles: vec![Role::Sequencer], os_user: None, disabled: false, supersedes: None };
    let account = Principal {
        id: founder.principal.clone(),
        person: Some(founder.person.clone()),
        roles: vec![Role::Operator, Role::AccessOfficer, Role::EthicsOfficer],
        os_user: Some(founder.os_user.clone()),
        disabled: false,
        supersedes: None,
    };
    Ok(vec![policy(at)?.into(), organization.into(), person.into(), timers.into(), account.into()])
}
