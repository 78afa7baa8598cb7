//! Whose filings an ethics office sees and works on: those of its own agency. Records that are found by a person's name go to another agency where a
//! published routine use lets them (Privacy Act, 5 U.S.C. 552a(a)(7), (b)(3); system notices OGE/GOVT-1 and GOVT-2), and policy says which do.

use countersign_entry::ids::{OrganizationId, PersonId};
use countersign_entry::record::{GrantState, Principal, Record, Role};
use countersign_entry::time::Micros;

use crate::check::Refusal;
use crate::facts::Facts;
use crate::roles;

/// Organizations above one another that are looked at; parents that go round in a circle end here.
const DEPTH_MAX: usize = 32;

impl Facts {
    /// The organization at the top of the one given.
    fn top_of<'a>(&'a self, mut id: &'a OrganizationId) -> &'a OrganizationId {
        for _ in 0..DEPTH_MAX {
            match self.organization(id).and_then(|known| known.record.parent.as_ref()) {
                Some(parent) => id = parent,
                None => break,
            }
        }
        id
    }

    /// Whether somebody who serves in `organization` keeps the ledger, and with it everybody's records: its first organization does, and all under
    /// the same top. An account that stands for nobody is the keeper's, who made it.
    pub fn keeps(&self, organization: Option<&OrganizationId>) -> bool {
        let (Some(theirs), Some(keeper)) = (organization, &self.keeper) else { return true };
        self.top_of(theirs) == self.top_of(keeper)
    }

    /// Whether the ethics office of `organization` may see what a person files, and decide on it.
    pub fn in_reach(&self, organization: Option<&OrganizationId>, person: &PersonId, at: Micros) -> bool {
        let of = || self.person(person).map(|known| &known.record.organization);
        organization.is_none_or(|theirs| self.keeps(Some(theirs)) || of().is_some_and(|of| self.serves(theirs, of, at)))
    }

    /// Whether the ethics office of one organization is that of another's people too.
    fn serves(&self, organization: &OrganizationId, of: &OrganizationId, at: Micros) -> bool {
        let (theirs, of) = (self.top_of(organization), self.top_of(of));
        let mut uses = self.policy(at).into_iter().flat_map(|policy| &policy.record.routine_uses);
        theirs == of || uses.any(|used| self.top_of(&used.filers_of) == of && self.top_of(&used.seen_by) == theirs)
    }

    /// Whether what the ethics role alone may record is about somebody whose filings another agency's ethics office keeps. What takes access away is
    /// not among it.
    pub(crate) fn check_reach(&self, own: Option<&Principal>, at: Micros, record: &Record) -> Result<(), Refusal> {
        // Most of what is recorded is recorded without that role.
        let Some(principal) = own.filter(|own| own.roles.contains(&Role::EthicsOfficer)) else { return Ok(()) };
        let Some(organization) = principal.person.as_ref().and_then(|id| self.person(id)).map(|known| &known.record.organization) else {
            return Ok(());
        };
        if self.keeps(Some(organization)) {
            return Ok(());
        }
        let others: Vec<Role> = principal.roles.iter().copied().filter(|role| *role != Role::EthicsOfficer).collect();
        let takes_away = matches!(record, Record::GrantTransition(t) if matches!(t.to, GrantState::Denied | GrantState::Suspended | GrantState::Revoked));
        let without = match record {
            // For others the ethics role alone asks.
            Record::PreclearanceRequest(r) => principal.person.as_ref() == Some(&r.person),
            _ => roles::may_record(&others, record),
        };
        if takes_away || without {
            return Ok(());
        }
        let serves = |of| self.serves(organization, of, at);
        let theirs = match record {
            // Else whoever is out of reach would be brought into it.
            Record::Person(r) => {
                let before = self.person(&r.id).map(|known| &known.record.organization);
                before.into_iter().chain([&r.organization]).all(serves)
            }
            Record::Organization(r) => self.organization(&r.id).is_none_or(|known| serves(&known.record.id)),
            // Whose it was counts as well: what takes its place may name somebody else.
            _ => {
                let before = record.supersedes().and_then(|_| self.holder(record));
                self.about(record).into_iter().chain(before).all(|person| self.in_reach(Some(organization), person, at))
            }
        };
        if theirs { Ok(()) } else { Err(Refusal::OtherAgency) }
    }
}
