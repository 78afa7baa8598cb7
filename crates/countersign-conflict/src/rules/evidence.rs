//! What must be on record before anything can be clear.

use countersign_entry::record::{AgreementKind, Obligation, ObligationKind, ObligedParty, Outcome, Verdict};

use super::{Rule, Sheet};
use crate::assess::Question;

/// A person, submission or policy that is not known, or a submission of which nobody recorded what it touches, refers.
pub(super) fn missing(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    if q.person.is_none() || q.submission.is_none() || q.policy.is_none() {
        // On access too: whatever a policy makes of the other verdicts, nobody gets in where this much is not known.
        for verdict in [Verdict::Access, Verdict::Participate, Verdict::Hold, Verdict::Trade] {
            sheet.add(rule, verdict, Outcome::Refer, q.evidence());
        }
    } else if q.touches.all.is_empty() {
        for verdict in [Verdict::Hold, Verdict::Trade] {
            sheet.add(rule, verdict, Outcome::Refer, q.evidence());
        }
    }
}

/// Without a statement of interests nobody can tell whether something is held.
pub(super) fn interests_stated(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    if q.person.is_some() && q.signed(AgreementKind::NoInterestCertification).is_none() {
        sheet.add(rule, Verdict::Hold, Outcome::Refer, q.evidence());
        sheet.oblige(Obligation { who: ObligedParty::Subject, what: ObligationKind::StateInterests, due: None });
    }
}
