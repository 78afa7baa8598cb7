//! Recusals. They bar participation, never access by themselves (18 U.S.C. 208).

use countersign_entry::record::{Obligation, ObligationKind, ObligedParty, Outcome, RecusalScope, Verdict};

use super::{Rule, Sheet};
use crate::assess::Question;

pub(super) fn recused(q: &Question<'_>, rule: &Rule, sheet: &mut Sheet) {
    let Some(submission) = q.submission else { return };
    for recusal in q.recusals() {
        let (outcome, mut evidence) = match &recusal.record.scope {
            RecusalScope::Submission(id) if *id == submission.record.id => (Outcome::Block, vec![]),
            RecusalScope::Provider(id) if *id == submission.record.provider => (Outcome::Block, vec![]),
            RecusalScope::Issuer(id) => match q.touch(id) {
                // An edge nobody confirmed may refer, never block.
                Some(touch) => (if touch.confirmed { Outcome::Block } else { Outcome::Refer }, touch.via.clone()),
                None => continue,
            },
            _ => continue,
        };
        evidence.insert(0, recusal.index);
        sheet.add(rule, Verdict::Participate, outcome, evidence);
        sheet.oblige(Obligation { who: ObligedParty::Subject, what: ObligationKind::KeepRecusal, due: recusal.record.until });
    }
}
