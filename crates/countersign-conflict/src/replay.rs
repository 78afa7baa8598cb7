//! Every decision again, over a recorded ledger: what an inspector runs, and what a background check runs against the live facts.

use std::collections::{BTreeMap, VecDeque};

use countersign_entry::content::Meta;
use countersign_entry::ids::{LeafIndex, PrincipalId};
use countersign_entry::record::{Record, Role};
use countersign_entry::time::Micros;

use crate::facts::Facts;
use crate::officers::By;
use crate::rules::rule_set;

/// Something the recorded ledger says that the rules do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayFinding {
    /// A stable name: `replay-…`.
    pub code: &'static str,
    /// What differs, without names of people.
    pub detail: String,
    /// Whether the evidence contradicts itself; otherwise this version cannot tell (another rule set decided).
    pub tampered: bool,
}

/// How far replay has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayStatus {
    /// No policy is recorded, so nothing was decided under rules.
    NothingToReplay,
    /// Decisions were made again and compared.
    Replayed {
        /// Entries whose decision, follow-ups or right to be recorded were checked.
        entries: u64,
        /// Assessments among them.
        decisions: u64,
    },
}

/// Replays a ledger from its first entry.
#[derive(Default)]
pub struct Replay {
    facts: Facts,
    /// What must come next because of an earlier entry: the record, the actor, the request.
    expected: VecDeque<(Record, PrincipalId, String)>,
    ruled: bool,
    entries: u64,
    decisions: u64,
    /// Data keys of entries that could not be read, each with the first of them, until an entry says that the key was destroyed.
    shut: BTreeMap<u32, LeafIndex>,
    undecided: u64,
}

impl Replay {
    /// Starts before the first entry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on from facts that are known to be those after a whole commit, where nothing is owed.
    pub fn resume(facts: Facts) -> Self {
        let ruled = !facts.policies.is_empty();
        Self { facts, ruled, ..Self::default() }
    }

    /// The facts so far.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The facts after the last entry taken.
    pub fn into_facts(self) -> Facts {
        self.facts
    }

    /// Passes an entry that cannot be read, sealed under a data key that is not there. What was decided on it cannot be decided again, so nothing is
    /// compared from here to the entry that says the key was destroyed. From there on the ledger itself decides on what is left, and replay is exact
    /// again.
    pub fn pass(&mut self, index: u64, key_id: u32) {
        self.facts.pass(LeafIndex(index));
        self.shut.entry(key_id).or_insert(LeafIndex(index));
    }

    /// The first entry that could not be read and of whose data key no later entry says that it was destroyed, with the key.
    pub fn shut(&self) -> Option<(LeafIndex, u32)> {
        self.shut.iter().map(|(key_id, first)| (*first, *key_id)).min()
    }

    /// Entries that could not be compared, because something before them was erased or cannot be read.
    pub fn undecided(&self) -> u64 {
        self.undecided
    }

    /// How far it has come.
    pub fn status(&self) -> ReplayStatus {
        if self.ruled { ReplayStatus::Replayed { entries: self.entries, decisions: self.decisions } } else { ReplayStatus::NothingToReplay }
    }

    /// Takes the next entry and says what in it differs from what the rules give.
    pub fn step(&mut self, index: u64, meta: &Meta, record: &Record) -> Vec<ReplayFinding> {
        let mut findings = Vec::new();
        let (Ok(at), Ok(actor)) = (Micros::new(meta.at), PrincipalId::new(meta.actor.clone())) else {
            findings.push(differs("replay-meta", format!("time {} or actor is not one this ledger could have written", meta.at)));
            return findings;
        };
        self.ruled |= matches!(record, Record::Policy(_));
        if self.ruled && !self.shut.is_empty() {
            self.undecided += 1;
        } else if self.ruled {
            self.entries += 1;
            let by = By { actor: &actor, request: &meta.request, signed: meta.signed.as_deref(), redacted: meta.erased };
            self.compare(at, by, record, &mut findings);
        }
        self.facts.apply(LeafIndex(index), at, &actor, record);
        if !self.shut.is_empty() {
            self.expected.clear();
            if let Record::DataKeyDestroyed(r) = record {
                self.shut.remove(&r.key_id);
            }
            return findings;
        }
        if self.ruled {
            let follow = self.facts.consequences(LeafIndex(index), at, record);
            let parts = follow.into_iter().zip(1u32..).map(|(r, n)| (r, actor.clone(), format!("{}/{n}", meta.request)));
            self.expected.extend(parts);
        }
        findings
    }

    /// What the ledger still owes at its end: an entry that had to follow and is not there.
    pub fn finish(&mut self) -> Vec<ReplayFinding> {
        let owed = self.expected.drain(..).filter(|_| self.shut.is_empty());
        owed.map(|(r, ..)| differs("replay-consequence-missing", format!("the ledger ends before {} that had to follow", describe(&r))))
            .collect()
    }

    fn compare(&mut self, at: Micros, by: By<'_>, record: &Record, findings: &mut Vec<ReplayFinding>) {
        // What has to come next may need a data key that is not there yet.
        if matches!(record, Record::DataKeyCreated(_)) {
            return self.compare_decision(at, by, record, findings);
        }
        if let Some((expected, actor, key)) = self.expected.pop_front() {
            if *record == expected && *by.actor == actor && by.request == key && by.signed.is_none() {
                return;
            }
            findings.push(differs("replay-consequence-missing", format!("expected {}, found {}", describe(&expected), describe(record))));
            self.expected.clear();
        } else if let Some(expected) = self.facts.due(at) {
            let by_sequencer = self.facts.principal(by.actor).is_some_and(|p| p.record.roles.contains(&Role::Sequencer));
            if *record == expected && by_sequencer && by.signed.is_none() {
                return;
            }
            findings.push(differs("replay-timer-missing", format!("expected {} at {at}, found {}", describe(&expected), describe(record))));
        }
        self.compare_decision(at, by, record, findings);
    }

    fn compare_decision(&mut self, at: Micros, by: By<'_>, record: &Record, findings: &mut Vec<ReplayFinding>) {
        if let Some(recorded) = record.assessment() {
            self.decisions += 1;
            if recorded.rule_set != rule_set() {
                let detail = format!("decided under rule set {}, which this version does not have", recorded.rule_set);
                findings.push(ReplayFinding { code: "replay-rule-set-unknown", detail, tampered: false });
                return;
            }
        }
        let mut asked = record.clone();
        asked.clear_outcome();
        // Drawn by chance, so nothing to decide again.
        let drawn = record.clone().reference_mut().and_then(|slot| slot.take());
        if let Some(slot) = asked.reference_mut() {
            *slot = drawn;
        }
        match self.facts.decide(by, at, asked) {
            Err(refusal) => {
                findings.push(differs("replay-not-allowed", format!("{} should have been refused: {refusal}", describe(record))))
            }
            Ok(decided) if decided == *record => {}
            Ok(decided) => findings.push(difference(record, &decided)),
        }
    }
}

fn difference(recorded: &Record, decided: &Record) -> ReplayFinding {
    let (r, d) = match (recorded.assessment(), decided.assessment()) {
        (Some(r), Some(d)) => (r, d),
        (None, Some(_)) => return differs("replay-assessment-missing", format!("{} carries no assessment", describe(recorded))),
        _ => return differs("replay-outcome-differs", format!("{} records a result the rules do not give", describe(recorded))),
    };
    if (r.participate, r.hold, r.trade) != (d.participate, d.hold, d.trade) {
        let detail = format!(
            "verdicts recorded {:?}/{:?}/{:?}, the rules give {:?}/{:?}/{:?}",
            r.participate, r.hold, r.trade, d.participate, d.hold, d.trade
        );
        return differs("replay-verdict-differs", detail);
    }
    if r.decision != d.decision {
        return differs("replay-decision-differs", format!("decision recorded {:?}, the rules give {:?}", r.decision, d.decision));
    }
    if r.reasons != d.reasons {
        let ids = |a: &countersign_entry::record::Assessment| a.reasons.iter().map(|x| x.rule.to_string()).collect::<Vec<_>>().join(", ");
        return differs("replay-reasons-differ", format!("reasons recorded [{}], the rules give [{}]", ids(r), ids(d)));
    }
    if r != d {
        return differs("replay-assessment-differs", "policy, watch items or obligations differ from what the rules give".into());
    }
    differs("replay-outcome-differs", format!("{} records a result the rules do not give", describe(recorded)))
}

fn differs(code: &'static str, detail: String) -> ReplayFinding {
    ReplayFinding { code, detail, tampered: true }
}

fn describe(record: &Record) -> String {
    match record {
        Record::GrantTransition(t) => format!("{} of grant {} to {:?}", record.type_name(), t.grant, t.result.unwrap_or(t.to)),
        Record::CaseOpened(c) => format!("{} by {} on entry {}", record.type_name(), c.rule, c.finding),
        _ => record.type_name().to_owned(),
    }
}
