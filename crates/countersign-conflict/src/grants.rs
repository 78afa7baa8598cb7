//! Grant states and the moves between them (domain.md section 5).

use countersign_entry::ids::{LeafIndex, PrincipalId};
use countersign_entry::record::{Assessment, Decision, GrantRequest, GrantState, GrantTransition, Outcome, Role};
use countersign_entry::time::Micros;

use GrantState::*;

use crate::facts::{Facts, Grant, Timer, remove};

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
        // Cleared although taking part is barred or in doubt: the duty does not need it, so access is open and taking part is not.
        Decision::Cleared if assessment.participate != Outcome::Clear => Recused,
        Decision::Cleared => Clear,
        Decision::Referred => Undetermined,
        Decision::Denied => Conflict,
    }
}

/// Whether a grant in this state can still lead to access, so that time can end it.
pub fn live(state: GrantState) -> bool {
    matches!(state, Clear | Recused | Waived | Authorized502 | Agreement | Approved | Active | Suspended)
}

impl Facts {
    pub(crate) fn apply_request(&mut self, index: LeafIndex, at: Micros, actor: &PrincipalId, r: &GrantRequest) {
        let state = r.result.unwrap_or(GrantState::Submitted);
        let grant = Grant {
            request: r.clone(),
            requester: actor.clone(),
            at,
            state,
            because: state,
            approvers: Vec::new(),
            since: at,
            open: Vec::new(),
            basis: [Outcome::Clear; 3],
        };
        self.grants.insert(index, grant);
        self.grants_of.entry(r.person.clone()).or_default().insert(index);
        if let Some(a) = &r.assessment {
            self.find_watched(&r.person, &r.submission, index, &a.watch, at);
        }
    }

    pub(crate) fn apply_transition(&mut self, at: Micros, actor: &PrincipalId, r: &GrantTransition) {
        let Some(grant) = self.grants.get_mut(&r.grant) else { return };
        let Some(result) = r.result else { return };
        // An approval that did not hold is an attempt: it counts towards nothing, and its approver may approve again.
        if r.to == GrantState::Approved && r.assessment.as_ref().is_some_and(|a| a.decision == Decision::Cleared) {
            grant.approvers.push(actor.clone());
        }
        if grant.state == GrantState::Active && result != GrantState::Active {
            if let Some((_, until @ None)) = grant.open.last_mut() {
                *until = Some(at);
            }
            remove(&mut self.active_on, &grant.request.submission, &r.grant);
        }
        if result == GrantState::Active && grant.state != GrantState::Active {
            grant.open.push((at, None));
            if let Some(a) = &r.assessment {
                grant.basis = [a.participate, a.hold, a.trade];
            }
            self.active_on.entry(grant.request.submission.clone()).or_default().insert(r.grant);
            self.timers.insert((grant.request.expires_at, Timer::Expire(r.grant)));
        }
        if grant.state != result {
            (grant.state, grant.since) = (result, at);
            if !matches!(result, GrantState::CoolingOff | GrantState::Closed) {
                grant.because = result;
            }
            self.after_access(r.grant, result, at);
        }
    }
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
