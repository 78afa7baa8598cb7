//! What becomes of a case: proposed by one ethics officer, signed by another, opened again by either.

use countersign_entry::ids::{LeafIndex, PersonId, PrincipalId};
use countersign_entry::record::{CaseEvent, CaseStep, Disposition, HoldScope, Record};
use countersign_entry::time::Micros;
use serde::{Deserialize, Serialize};

use crate::check::Refusal;
use crate::facts::Facts;

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// Somebody has to look into it.
    Open,
    /// How it ends is proposed; a second signature is missing.
    Proposed,
    /// Signed by two.
    Closed,
}

/// What was done about a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseFile {
    /// When it was opened.
    pub opened_at: Micros,
    /// Where it stands.
    pub state: CaseState,
    /// How it ends, or is proposed to.
    pub disposition: Option<Disposition>,
    /// Who proposed that.
    pub proposed_by: Option<PrincipalId>,
    /// Entries about it after its opening, in order: steps, referrals, holds.
    pub entries: Vec<LeafIndex>,
    /// Referrals among them.
    pub referrals: Vec<LeafIndex>,
    /// Holds on it that stand.
    pub holds: Vec<LeafIndex>,
}

impl CaseFile {
    pub(crate) fn new(opened_at: Micros) -> Self {
        let none = Vec::new;
        Self { opened_at, state: CaseState::Open, disposition: None, proposed_by: None, entries: none(), referrals: none(), holds: none() }
    }
}

impl Facts {
    /// What was done about the case with this entry.
    pub fn case_file(&self, case: LeafIndex) -> Option<&CaseFile> {
        self.case_files.get(&case)
    }

    /// Whether an account may take a step in a case now.
    pub(crate) fn check_case(&self, actor: &PrincipalId, record: &Record) -> Result<(), Refusal> {
        match record {
            Record::CaseEvent(e) => {
                self.check_handles(actor, e.case)?;
                self.check_step(actor, e)
            }
            Record::Referral(r) => self.check_handles(actor, r.case),
            Record::LegalHold(h) => match h.scope {
                HoldScope::Case(case) => self.check_handles(actor, case),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// The case is there, and is not about the one who handles it (NIST SP 800-53 AC-5).
    fn check_handles(&self, actor: &PrincipalId, case: LeafIndex) -> Result<(), Refusal> {
        let known = self.case_at(case).ok_or_else(|| Refusal::Unknown { what: "case", id: case.to_string() })?;
        if self.person_of(actor) == Some(&known.person) {
            return Err(Refusal::Invalid("nobody handles a case about themselves"));
        }
        Ok(())
    }

    fn check_step(&self, actor: &PrincipalId, e: &CaseEvent) -> Result<(), Refusal> {
        let invalid = |why| Err(Refusal::Invalid(why));
        let Some(file) = self.case_file(e.case) else { return invalid("the case has no file") };
        if e.evidence.iter().any(|i| i.0 >= self.size()) {
            return invalid("evidence is an entry of this ledger");
        }
        if e.disposition.is_some() != (e.step == CaseStep::Dispose) {
            return invalid("a disposition is given when one is proposed, and only then");
        }
        match (e.step, file.state) {
            (CaseStep::Note, _) | (CaseStep::Reopen, CaseState::Proposed | CaseState::Closed) => Ok(()),
            (CaseStep::Reopen, CaseState::Open) => invalid("the case is open"),
            (CaseStep::Dispose, CaseState::Open) if e.disposition == Some(Disposition::Referred) && file.referrals.is_empty() => {
                invalid("the case was not referred to anybody: record the referral first")
            }
            (CaseStep::Dispose, CaseState::Open) => Ok(()),
            (CaseStep::Dispose, _) => invalid("a disposition is proposed or signed already: reopen the case first"),
            (CaseStep::Approve, CaseState::Proposed) => self.check_second(actor, file),
            (CaseStep::Approve, _) => invalid("there is no disposition to sign"),
        }
    }

    /// Another account and another person, both known.
    fn check_second(&self, actor: &PrincipalId, file: &CaseFile) -> Result<(), Refusal> {
        let first = file.proposed_by.as_ref();
        let (one, other) = (first.and_then(|p| self.person_of(p)), self.person_of(actor));
        if first == Some(actor) || one.is_none() || other.is_none() || one == other {
            return Err(Refusal::Invalid("a disposition is signed by another person than proposed it, and both are known"));
        }
        Ok(())
    }

    fn person_of(&self, principal: &PrincipalId) -> Option<&PersonId> {
        self.principal(principal).and_then(|p| p.record.person.as_ref())
    }

    pub(crate) fn apply_case_event(&mut self, index: LeafIndex, actor: &PrincipalId, e: &CaseEvent) {
        let Some(file) = self.case_files.get_mut(&e.case) else { return };
        file.entries.push(index);
        match e.step {
            CaseStep::Note => {}
            CaseStep::Dispose => {
                (file.state, file.disposition, file.proposed_by) = (CaseState::Proposed, e.disposition, Some(actor.clone()));
            }
            CaseStep::Approve => file.state = CaseState::Closed,
            CaseStep::Reopen => (file.state, file.disposition, file.proposed_by) = (CaseState::Open, None, None),
        }
    }

    /// A referral or a hold, and one that took another's place.
    pub(crate) fn apply_to_case(&mut self, index: LeafIndex, record: &Record) {
        let (case, superseded) = match record {
            Record::Referral(r) => (r.case, r.supersedes),
            Record::LegalHold(h) => match h.scope {
                HoldScope::Case(case) => (case, h.supersedes),
                _ => return,
            },
            _ => return,
        };
        if superseded.is_some() {
            for file in self.case_files.values_mut() {
                file.referrals.retain(|i| Some(*i) != superseded);
                file.holds.retain(|i| Some(*i) != superseded);
            }
        }
        let Some(file) = self.case_files.get_mut(&case) else { return };
        file.entries.push(index);
        match record {
            Record::Referral(_) => file.referrals.push(index),
            Record::LegalHold(h) if h.until.is_none() => file.holds.push(index),
            _ => {}
        }
    }
}
