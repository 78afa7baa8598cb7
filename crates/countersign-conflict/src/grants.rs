//! Grant states and the moves between them (domain.md section 5).

use countersign_entry::record::{Assessment, Decision, GrantState, Outcome, Role};

use GrantState::*;

/// Who may ask for a move, from which states, to which.
struct Move {
    to: GrantState,
    from: &'static [GrantState],
    roles: &'static [Role],
}

/// Moves somebody may ask for. What goes on after access ([`CoolingOff`], [`Closed`]) follows from time alone, and nobody asks for it.
const MOVES: &[Move] = &[
    Move { to: Approved, from: &[Clear, Recused, Waived, Authorized502], roles: &[Role::Approver, Role::EthicsOfficer] },
    Move { to: Active, from: &[Approved, Suspended], roles: &[Role::AccessOfficer] },
    Move { to: Suspended, from: &[Active], roles: &[Role::AccessOfficer, Role::EthicsOfficer] },
    Move {
        to: Revoked,
        from: &[
            Clear,
            Undetermined,
            InfoRequested,
            Conflict,
            EthicsReview,
            Recused,
            Waived,
            Authorized502,
            Divesting,
            Approved,
            Active,
            Suspended,
        ],
        roles: &[Role::AccessOfficer, Role::EthicsOfficer],
    },
    Move { to: Departed, from: &[Active, Suspended], roles: &[Role::AccessOfficer, Role::Operator] },
    Move { to: InfoRequested, from: &[Undetermined], roles: &[Role::EthicsOfficer] },
    Move {
        to: EthicsReview,
        from: &[Undetermined, InfoRequested, Conflict, Divesting, Approved, Suspended],
        roles: &[Role::EthicsOfficer],
    },
    Move { to: Denied, from: &[Undetermined, InfoRequested, Conflict, EthicsReview], roles: &[Role::EthicsOfficer] },
    Move { to: Recused, from: &[EthicsReview], roles: &[Role::EthicsOfficer] },
    Move { to: Waived, from: &[EthicsReview], roles: &[Role::EthicsOfficer] },
    Move { to: Authorized502, from: &[EthicsReview], roles: &[Role::EthicsOfficer] },
    Move { to: Divesting, from: &[EthicsReview], roles: &[Role::EthicsOfficer] },
];

/// Whether some role may ask for this move at all.
pub fn move_exists(from: GrantState, to: GrantState) -> bool {
    MOVES.iter().any(|m| m.to == to && m.from.contains(&from))
}

/// Whether one of these roles may ask for a move to this state.
pub fn may_move(roles: &[Role], to: GrantState) -> bool {
    MOVES.iter().any(|m| m.to == to && m.roles.iter().any(|r| roles.contains(r)))
}

/// Where a first check leaves a grant.
pub fn after_check(assessment: &Assessment) -> GrantState {
    match assessment.decision {
        // Cleared although a rule bars participation: the duty does not need it, so access is open and taking part is not.
        Decision::Cleared if assessment.participate == Outcome::Block => Recused,
        Decision::Cleared => Clear,
        Decision::Referred => Undetermined,
        Decision::Denied => Conflict,
    }
}

/// Whether a grant in this state can still lead to access, so that time can end it.
pub fn live(state: GrantState) -> bool {
    matches!(state, Clear | Recused | Waived | Authorized502 | Agreement | Approved | Active | Suspended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_grants_stay_ended() {
        for ended in [Denied, Expired, Revoked, Departed, CoolingOff, Closed] {
            for to in MOVES.iter().map(|m| m.to) {
                assert!(!move_exists(ended, to), "{ended:?} -> {to:?}");
            }
        }
        assert!(!move_exists(Undetermined, Approved) && !move_exists(Conflict, Active) && !move_exists(Clear, Active));
        assert!(!may_move(&[Role::Gateway, Role::Sequencer, Role::InspectorGeneral, Role::CoveredPerson], Active));
    }
}
