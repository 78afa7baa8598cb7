//! Which role may record what. One table; an inspector replays it.

use countersign_entry::record::{CredentialKind, Record, Role};

use crate::grants;

/// Whether a principal with these roles may record this.
pub fn may_record(roles: &[Role], record: &Record) -> bool {
    let allowed: &[Role] = match record {
        Record::Person(_) => &[Role::Operator, Role::AccessOfficer, Role::EthicsOfficer, Role::Provisioner],
        // What a directory calls somebody lets nobody act.
        Record::Credential(r) if r.kind == CredentialKind::Scim => &[Role::Operator, Role::Provisioner],
        Record::Organization(_) | Record::Provider(_) | Record::Model(_) | Record::Issuer(_) => {
            &[Role::Operator, Role::AccessOfficer, Role::EthicsOfficer]
        }
        Record::Principal(_) | Record::Credential(_) | Record::CredentialLinked(_) | Record::CredentialRevoked(_) | Record::Policy(_) => {
            &[Role::Operator]
        }
        Record::Exposure(_) => &[Role::Operator, Role::EthicsOfficer],
        Record::Submission(_) => &[Role::Operator, Role::AccessOfficer],
        Record::Agreement(_) => &[Role::AccessOfficer, Role::EthicsOfficer],
        Record::Recusal(_) | Record::List(_) | Record::ListItem(_) => &[Role::EthicsOfficer],
        Record::Holding(_)
        | Record::Trade(_)
        | Record::Relationship(_)
        | Record::MatchDecision(_)
        | Record::Referral(_)
        | Record::LegalHold(_)
        | Record::CaseEvent(_)
        | Record::PreclearanceDecision(_)
        | Record::Filer(_)
        | Record::DutyEvent(_) => &[Role::EthicsOfficer],
        // For themselves; for others the ethics office alone: see `check`.
        Record::PreclearanceRequest(_) => &[
            Role::CoveredPerson,
            Role::Operator,
            Role::AccessOfficer,
            Role::Approver,
            Role::EthicsOfficer,
            Role::InspectorGeneral,
            Role::Supervisor,
        ],
        // Whoever may record what a file holds may record that it was imported.
        Record::Import(_) => &[Role::Operator, Role::AccessOfficer, Role::EthicsOfficer, Role::Gateway],
        Record::Identifier(_) => &[Role::Operator, Role::AccessOfficer, Role::EthicsOfficer],
        Record::Authority(_) | Record::Designation(_) | Record::RosterEntry(_) | Record::Selection(_) => {
            &[Role::Operator, Role::AccessOfficer]
        }
        Record::Vulnerability(_) | Record::Correction(_) => &[Role::Operator, Role::AccessOfficer, Role::EthicsOfficer],
        Record::GrantRequest(_) | Record::EmergencyVoucher(_) | Record::EmergencyUse(_) => &[Role::AccessOfficer],
        Record::GrantTransition(t) => return grants::may_move(roles, t.to),
        Record::AccessEvent(_) => &[Role::Gateway, Role::AccessOfficer],
        Record::Read(_) => return !roles.is_empty(),
        Record::Padding | Record::DataKeyCreated(_) => &[Role::Sequencer],
        // With approvers, all but the last: see `check`.
        Record::KeyRotated(_)
        | Record::KeyRevoked(_)
        | Record::KeyLossDeclared(_)
        | Record::DataKeyDestroyed(_)
        | Record::Redaction(_)
        | Record::OfficerEnrolled(_)
        | Record::OfficerRevoked(_)
        | Record::KeyAttested(_) => &[Role::Operator],
        // A case follows from time alone, so nobody may ask for one. Genesis is written by `init` alone.
        Record::CaseOpened(_) | Record::Genesis(_) => &[],
    };
    allowed.iter().any(|r| roles.contains(r))
}
