//! Decisions made again from the opened records. The rules are `countersign-conflict`'s; here is only what is fed to them and where it must stop.

use countersign_conflict::replay::{Replay, ReplayFinding, ReplayStatus};
use countersign_entry::content::Meta;
use countersign_entry::record::Record;

use crate::codes;
use crate::report::{Finding, Outcome, Verdict};

/// Replay up to the first record that cannot be read.
pub(crate) struct Decisions {
    replay: Replay,
    stopped: Option<(u64, String)>,
    /// Decisions, and policies, that came after the stop.
    missed: u64,
}

impl Decisions {
    pub fn new() -> Self {
        Self { replay: Replay::new(), stopped: None, missed: 0 }
    }

    /// A record that opened and was read.
    pub fn step(&mut self, index: u64, meta: &Meta, record: &Record, out: &mut Outcome) {
        if self.stopped.is_some() {
            self.missed += u64::from(record.assessment().is_some() || matches!(record, Record::Policy(_)));
            return;
        }
        let findings = self.replay.step(index, meta, record);
        if self.replay.status() != ReplayStatus::NothingToReplay {
            findings.into_iter().for_each(|f| out.find(finding(f).entry(index)));
        }
    }

    /// A record sealed under a data key that was not given, or that a later entry says was destroyed.
    pub fn pass(&mut self, index: u64, key_id: u32) {
        if self.stopped.is_none() {
            self.replay.pass(index, key_id);
        }
    }

    /// A record that cannot be read: the facts after it are not known.
    pub fn stop(&mut self, index: u64, why: &str) {
        self.stopped.get_or_insert_with(|| (index, why.to_owned()));
    }

    /// `opened`: the contents could be read, so that finding no policy says something.
    pub fn finish(mut self, opened: bool, out: &mut Outcome) {
        if let Some((index, key_id)) = self.replay.shut().filter(|_| self.stopped.is_none()) {
            self.missed = self.replay.undecided();
            self.stop(index.0, &format!("was not opened, key_id {key_id}"));
        } else if self.replay.undecided() > 0 {
            out.not_checked(format!("{} entries decided before something they may rest on was erased", self.replay.undecided()));
        }
        if self.stopped.is_none() && self.replay.status() != ReplayStatus::NothingToReplay {
            self.replay.finish().into_iter().for_each(|f| out.find(finding(f)));
        }
        let ruled = match self.replay.status() {
            ReplayStatus::NothingToReplay => {
                if opened && self.missed == 0 {
                    out.not_checked("decisions: nothing to replay, since no policy is recorded".to_owned());
                }
                false
            }
            ReplayStatus::Replayed { entries, decisions } => {
                out.count_many("replayed", entries);
                out.count_many("decisions", decisions);
                true
            }
        };
        if let Some((index, why)) = self.stopped
            && (ruled || self.missed > 0)
        {
            out.not_checked(format!("decisions from entry {index} on ({} opened): entry {index} {why}", self.missed));
        }
    }
}

fn finding(f: ReplayFinding) -> Finding {
    let code = if f.tampered { codes::REPLAY } else { codes::REPLAY_UNDECIDED };
    let verdict = if f.tampered { Verdict::Tampered } else { Verdict::CouldNotCheck };
    // The rules name their findings; a name they add later is not lost.
    Finding { code: f.code, verdict, ..Finding::new(code, f.detail) }
}
