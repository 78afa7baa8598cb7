//! From a request to the record of what was decided.

use countersign_entry::ids::PrincipalId;
use countersign_entry::record::{Decision, GrantState, GrantTransition, Record};
use countersign_entry::time::Micros;

use crate::assess::{Ask, Assessed, assess};
use crate::check::Refusal;
use crate::facts::Facts;
use crate::grants::after_check;
use crate::officers::By;
use crate::preclear::assess_trade;

impl Facts {
    /// Checks a request, its signatures too, and fills in what the ledger decides: assessment and resulting state. `at` is the time it will be recorded at, and these
    /// facts are those of its own index.
    ///
    /// # Errors
    /// A refusal; nothing is to be recorded.
    pub fn decide(&self, by: By<'_>, at: Micros, mut record: Record) -> Result<Record, Refusal> {
        let actor = by.actor;
        self.check(actor, &record)?;
        let own = self.principal(actor).map(|known| &known.record);
        self.check_aside(own, at, &record)?;
        self.check_reach(own, at, &record)?;
        self.check_emergency(actor, at, &record)?;
        self.check_signatures(by, at, &record)?;
        if let (Record::DataKeyDestroyed(_) | Record::Redaction(_), Some(hold)) = (&record, self.hold_in_force(at)) {
            return Err(Refusal::Held { hold: hold.record.id.clone(), entry: hold.index });
        }
        match &mut record {
            Record::GrantRequest(r) => {
                let ask = Ask::Request { requester: actor, needs_participation: r.needs_participation, expires_at: r.expires_at };
                let assessed = assess(self, at, &r.person, &r.submission, ask);
                r.result = Some(after_check(assessed.get()));
                r.assessment = Some(assessed.into_record());
            }
            Record::GrantTransition(t) => {
                let (assessed, result) = self.decide_transition(actor, at, t)?;
                t.result = Some(result);
                t.assessment = assessed.map(Assessed::into_record);
            }
            Record::AccessEvent(e) => {
                let ask = Ask::Access { grant: e.grant, occurred_at: e.occurred_at };
                e.assessment = Some(assess(self, at, &e.person, &e.submission, ask).into_record());
            }
            Record::PreclearanceRequest(r) => {
                let (assessed, cleared_until) = assess_trade(self, at, r);
                (r.assessment, r.cleared_until) = (Some(assessed.into_record()), cleared_until);
            }
            _ => {}
        }
        Ok(record)
    }

    fn decide_transition(&self, actor: &PrincipalId, at: Micros, t: &GrantTransition) -> Result<(Option<Assessed>, GrantState), Refusal> {
        let grant = self.grant(t.grant).ok_or_else(|| Refusal::Unknown { what: "grant", id: t.grant.to_string() })?;
        let ask = match t.to {
            GrantState::Approved => Ask::Approve { grant, approver: actor },
            GrantState::Active => Ask::Activate { grant, officer: actor },
            other => return Ok((None, other)),
        };
        let assessed = assess(self, at, &grant.request.person, &grant.request.submission, ask);
        let cleared = assessed.get().decision == Decision::Cleared;
        let result = match (t.to, cleared) {
            // What does not hold leaves the grant where it is, and stands in the ledger as an attempt: an activation that came before the window
            // may come again when it is open, and the ethics office may take the grant up from there.
            (_, false) => grant.state,
            (GrantState::Active, true) => GrantState::Active,
            (_, true) => {
                let needed = self.policy(at).map_or(u32::MAX, |p| p.record.approvals_required);
                let given = u32::try_from(grant.approvers.len()).unwrap_or(u32::MAX).saturating_add(1);
                if given >= needed { GrantState::Approved } else { grant.state }
            }
        };
        Ok((Some(assessed), result))
    }
}
