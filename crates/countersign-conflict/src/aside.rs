//! Whoever decides stands aside from what they are recused from themselves: 18 U.S.C. 208(a) bars taking part by decision, approval, disapproval,
//! recommendation or advice, and whoever is disqualified does not take part (5 CFR 2635.402(c)).
//!
//! What takes access away is not among it: nobody has to find another officer first to stop something. Nor does anybody end or narrow a recusal of their own.

use countersign_entry::ids::{IssuerId, LeafIndex, PersonId, SubmissionId};
use countersign_entry::record::{AgreementKind, CaseStep, GrantState, Principal, Record, Recusal, RecusalScope};
use countersign_entry::time::Micros;

use crate::check::Refusal;
use crate::facts::{Facts, Known, in_force};

impl Facts {
    /// Recusals of a person that are in force.
    pub(crate) fn recusals_in_force(&self, person: &PersonId, at: Micros) -> impl Iterator<Item = &Known<Recusal>> {
        let ids = self.recusals_of.get(person).into_iter().flatten();
        ids.filter_map(|id| self.recusals.get(id)).filter(move |r| in_force(r.record.from, r.record.until, at))
    }

    /// Whether whoever decides here, by this account, has to leave that to somebody else.
    pub(crate) fn check_aside(&self, own: Option<&Principal>, at: Micros, record: &Record) -> Result<(), Refusal> {
        let Some(person) = own.and_then(|own| own.person.as_ref()) else { return Ok(()) };
        let recused = match record {
            Record::GrantTransition(t) if goes_on(t.to) => {
                self.grant(t.grant).is_some_and(|grant| self.is_recused_from(person, &grant.request.submission, at))
            }
            // Whose it was counts: one that takes its place may name somebody else.
            Record::Recusal(r) => self.recusal(&r.id).is_some_and(|before| before.record.person == *person),
            Record::Agreement(r) if matches!(r.kind, AgreementKind::Waiver208 | AgreementKind::Authorization502) => {
                r.submission.as_ref().is_some_and(|submission| self.is_recused_from(person, submission, at))
            }
            Record::EmergencyVoucher(r) => self.grant(r.grant).is_some_and(|grant| {
                let approvers = r.approvers.iter().filter_map(|approver| self.principal(approver)?.record.person.as_ref());
                approvers.chain([person]).any(|person| self.is_recused_from(person, &grant.request.submission, at))
            }),
            Record::CaseEvent(e) if e.step != CaseStep::Note => self.case_at(e.case).is_some_and(|case| {
                let of = case.submission.as_ref().map(|submission| self.is_recused_from(person, submission, at));
                of.unwrap_or_else(|| self.issuer_of(case.finding).is_some_and(|issuer| self.is_recused_from_issuer(person, issuer, at)))
            }),
            Record::PreclearanceDecision(d) => {
                let of = self.preclearance(d.preclearance).and_then(|asked| asked.request.instrument.issuer.as_ref());
                of.is_some_and(|issuer| self.is_recused_from_issuer(person, issuer, at))
            }
            _ => false,
        };
        if recused { Err(Refusal::Recused) } else { Ok(()) }
    }

    /// As rule R-REC-1 blocks their own part in it: an issuer that is touched over edges nobody confirmed bars nothing.
    fn is_recused_from(&self, person: &PersonId, submission: &SubmissionId, at: Micros) -> bool {
        let Some(submission) = self.submission(submission).map(|known| &known.record) else { return false };
        self.recusals_in_force(person, at).any(|recusal| match &recusal.record.scope {
            RecusalScope::Submission(id) => *id == submission.id,
            RecusalScope::Provider(id) => *id == submission.provider,
            RecusalScope::Issuer(id) => self.touches(submission, at).of(id).is_some_and(|touch| touch.confirmed),
        })
    }

    /// The issuer of the trade or holding that an entry records, as long as nothing took its place.
    fn issuer_of(&self, entry: LeafIndex) -> Option<&IssuerId> {
        let trade = self.trades.values().find(|known| known.index == entry).map(|known| &known.record.instrument);
        let holding = || self.holdings.values().find(|known| known.index == entry).map(|known| &known.record.instrument);
        trade.or_else(holding)?.issuer.as_ref()
    }

    fn is_recused_from_issuer(&self, person: &PersonId, issuer: &IssuerId, at: Micros) -> bool {
        self.recusals_in_force(person, at).any(|recusal| matches!(&recusal.record.scope, RecusalScope::Issuer(id) if id == issuer))
    }
}

/// Whether a grant goes on towards access, or to what stands in access's place.
fn goes_on(to: GrantState) -> bool {
    use GrantState::{Active, Approved, Authorized502, Clear, Divesting, Recused, Waived};
    matches!(to, Clear | Recused | Waived | Authorized502 | Divesting | Approved | Active)
}
