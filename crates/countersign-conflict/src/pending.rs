//! What was found and waits to become a case.

use countersign_entry::ids::{LeafIndex, PersonId, SubmissionId};
use countersign_entry::record::{Assessment, CaseOpened, Decision};
use countersign_entry::time::Micros;

use crate::facts::{CASE_EVIDENCE_MAX, Facts, FindingKey, PendingFinding};
use crate::rules;

impl Facts {
    /// A case was opened for it.
    pub(crate) fn no_longer_pending(&mut self, case: &CaseOpened) {
        let Some(rule) = rules::rule(case.rule.as_str()) else { return };
        let numbered = |n| (rule.id, case.person.clone(), case.submission.clone(), n);
        let mut among = self.pending.range(numbered(0)..=numbered(u32::MAX));
        if let Some(key) = among.find(|(_, f)| f.finding == case.finding).map(|(key, _)| key.clone()) {
            self.pending.remove(&key);
        }
    }

    /// An access that was not cleared is found under its worst reasons: it happened, and now somebody has to look.
    pub(crate) fn find_uncleared(&mut self, person: &PersonId, submission: &SubmissionId, index: LeafIndex, a: &Assessment, at: Micros) {
        if a.decision == Decision::Cleared {
            return;
        }
        let worst = a.reasons.iter().map(|r| r.outcome).max();
        for reason in a.reasons.iter().filter(|r| Some(r.outcome) == worst) {
            if let Some(rule) = rules::rule(reason.rule.as_str()) {
                self.find(rule.id, person, Some(submission), index, &reason.evidence, at);
            }
        }
    }

    pub(crate) fn find_watched(&mut self, person: &PersonId, submission: &SubmissionId, index: LeafIndex, watch: &[LeafIndex], at: Micros) {
        for item in watch {
            if self.watch_seen.insert((person.clone(), submission.clone(), *item)) {
                self.find(rules::WATCH_LIST, person, Some(submission), index, &[*item], at);
            }
        }
    }

    pub(crate) fn find(
        &mut self,
        rule: &'static str,
        person: &PersonId,
        submission: Option<&SubmissionId>,
        index: LeafIndex,
        evidence: &[LeafIndex],
        at: Micros,
    ) {
        let cadence = self.policy(at).map_or(3_600, |p| p.record.case_cadence_seconds).saturating_mul(1_000_000).max(1);
        let due = at.plus(cadence - at.value() % cadence);
        let mut key: FindingKey = (rule, person.clone(), submission.cloned(), 0);
        // Of a flood of accesses the first entries are evidence enough, and the rest stand in the ledger; a trade that no case names would be lost.
        while rules::ABOUT_TRADES.contains(&rule)
            && self.pending.get(&key).is_some_and(|f| f.evidence.len() + evidence.len() >= CASE_EVIDENCE_MAX)
        {
            key.3 += 1;
        }
        self.none_due_before.found(due);
        let finding = self.pending.entry(key).or_insert_with(|| PendingFinding { due, finding: index, evidence: vec![index] });
        for entry in evidence.iter().chain([&index]) {
            if finding.evidence.len() < CASE_EVIDENCE_MAX && !finding.evidence.contains(entry) {
                finding.evidence.push(*entry);
            }
        }
    }
}
