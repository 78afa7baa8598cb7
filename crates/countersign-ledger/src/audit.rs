//! The background replay: every entry again from the first, beside the running ledger, and the snapshot it started from held against what comes out.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use countersign_conflict::replay::Replay;
use countersign_entry::seal::Sealed;
use countersign_entry::time::Micros;
use countersign_log::chain::{self, ChainHash};
use countersign_log::tree::{self, CompactRange};
use countersign_log::vkey::VKey;
use countersign_sign::datakeys::KeptKey;
use countersign_store::Store;
use sha2::{Digest, Sha256};

use crate::compartments::{Compartments, compartment};
use crate::keys::LogKeys;
use crate::open::{Ledger, Mode, OpenError};
use crate::redact::Rewritten;
use crate::snapshot::{Restored, Snapshot, SnapshotError};
use crate::stored::linked_record;

/// A replay that runs, or is done.
pub(crate) struct Audit {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    done: AtomicU64,
    finished: AtomicBool,
    objection: Mutex<Option<String>>,
}

/// How far a background replay has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditStatus {
    /// Entries replayed.
    pub done: u64,
    /// Whether it came to its end.
    pub finished: bool,
    /// What it found; the ledger takes nothing more then.
    pub objection: Option<String>,
}

impl Ledger {
    /// Replays every entry from the first on a thread of its own, reading through `store`, a handle of its own on the same entries. Where the snapshot
    /// this start went on from differs from what the entries give, or an entry does not replay, the ledger becomes read-only.
    ///
    /// Without a snapshot there is nothing to do: the start replayed everything.
    ///
    /// # Errors
    /// The operating system gives no thread, or the snapshot is gone already.
    pub fn replay_in_background(&mut self, store: Box<dyn Store>) -> Result<(), OpenError> {
        let Some(beside) = self.beside.as_ref().filter(|_| self.snapshot_size > 0 && self.audit.is_none()) else { return Ok(()) };
        let snapshot = match Snapshot::open(&beside.dir, &self.keys) {
            Ok(snapshot) => snapshot,
            Err(SnapshotError::Missing) => return Ok(()),
            Err(e) => return Err(OpenError::Index(e.to_string())),
        };
        let job = Job {
            store,
            keys: self.keys.all(),
            origin_hash: self.state.origin_hash,
            chain: chain::origin_hash(&self.state.origin),
            tree: CompactRange::new(),
            log_keys: LogKeys::new(&self.vkey),
            compartments: Compartments::default(),
            rewritten: Rewritten::default(),
            vkey: self.vkey.clone(),
            replay: Replay::new(),
        };
        let shared = Arc::new(Shared::default());
        let told = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("replay".into());
        let thread = thread.spawn(move || job.run(snapshot, &told)).map_err(|e| OpenError::Index(e.to_string()))?;
        self.audit = Some(Audit { shared, thread: Some(thread) });
        Ok(())
    }

    /// How far the background replay has come; none where there is none.
    pub fn replay_status(&self) -> Option<AuditStatus> {
        self.audit.as_ref().map(Audit::status)
    }

    /// Waits for the background replay.
    pub fn finish_replay(&mut self) -> Option<AuditStatus> {
        let audit = self.audit.as_mut()?;
        if let Some(thread) = audit.thread.take()
            && thread.join().is_err()
        {
            audit.shared.object("the thread that replayed the ledger died".to_owned());
        }
        Some(audit.status())
    }

    /// Takes nothing more where the background replay found something.
    pub(crate) fn heed_replay(&mut self) {
        let objection = self.audit.as_ref().and_then(|audit| audit.status().objection);
        if let (Mode::Writable, Some(why)) = (&self.mode, objection) {
            self.mode = Mode::ReadOnly(why);
        }
    }
}

impl Audit {
    fn status(&self) -> AuditStatus {
        AuditStatus {
            done: self.shared.done.load(Ordering::Relaxed),
            finished: self.shared.finished.load(Ordering::Acquire),
            objection: self.shared.objection.lock().map_or_else(|e| e.into_inner().clone(), |o| o.clone()),
        }
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        // Nobody will read what it finds. It holds nothing that anybody waits for, so it is left to end by itself.
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn object(&self, what: String) {
        let mut objection = self.objection.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        objection.get_or_insert(what);
    }
}

struct Job {
    store: Box<dyn Store>,
    keys: BTreeMap<u32, KeptKey>,
    origin_hash: [u8; 32],
    chain: ChainHash,
    tree: CompactRange,
    log_keys: LogKeys,
    compartments: Compartments,
    rewritten: Rewritten,
    vkey: VKey,
    replay: Replay,
}

impl Job {
    fn run(mut self, snapshot: Snapshot, told: &Shared) {
        let size = snapshot.size();
        if let Err(what) = self.replay_to(size, told) {
            told.object(what);
        } else if !told.stop.load(Ordering::Relaxed) {
            match snapshot.restore(&self.vkey) {
                Ok(restored) => self.compare(restored, told),
                Err(e) => told.object(format!("the snapshot this start went on from can be read no longer: {e}")),
            }
        }
        told.finished.store(!told.stop.load(Ordering::Relaxed), Ordering::Release);
    }

    fn replay_to(&mut self, size: u64, told: &Shared) -> Result<(), String> {
        let mut found = Ok(());
        self.store.recover(0).map_err(|e| e.to_string())?;
        let store = std::mem::replace(&mut self.store, Box::new(crate::nowhere::Nowhere));
        let scanned = store.scan(0, &mut |index, leaf, sealed| {
            if index >= size || told.stop.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            told.done.store(index + 1, Ordering::Relaxed);
            found = self.step(index, leaf, sealed);
            if found.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        scanned.map_err(|e| e.to_string()).and(found)
    }

    fn step(&mut self, index: u64, leaf: &[u8], sealed: &[u8]) -> Result<(), String> {
        let opened = linked_record(index, leaf, sealed, self.chain, &self.keys, &self.origin_hash);
        self.chain = chain::link(leaf);
        self.tree.append(tree::leaf_hash(leaf));
        let (meta, record, rewritten) = match opened {
            Err(OpenError::Shut { key_id, .. }) => {
                self.replay.pass(index, key_id);
                return Ok(());
            }
            opened => opened.map_err(|e| e.to_string())?,
        };
        self.log_keys.take(index, &record);
        self.rewritten.take(&record);
        if rewritten {
            self.rewritten.found(index, Sha256::digest(sealed).into());
        }
        if let (Ok(Sealed::Encrypted { key_id, .. }), Ok(at)) = (Sealed::parse(sealed), Micros::new(meta.at)) {
            self.compartments.take(&compartment(&record, at, self.replay.facts()), key_id);
        }
        match self.replay.step(index, &meta, &record).first() {
            Some(finding) => Err(format!("entry {index} does not replay: {}", finding.detail)),
            None => Ok(()),
        }
    }

    fn compare(self, kept: Restored, told: &Shared) {
        if let Some((entry, key_id)) = self.replay.shut() {
            return told.object(format!("entry {entry} cannot be read: data key {key_id} is not there"));
        }
        let (size, root, chain) = (self.tree.size(), self.tree.root(), self.chain);
        let same = (size, root, chain) == (kept.tree.size(), kept.tree.root(), kept.chain)
            && self.log_keys == kept.keys
            && self.compartments == kept.compartments
            && self.rewritten == kept.rewritten
            && self.replay.into_facts().settled_as(kept.facts, kept.settled_at);
        if !same {
            told.object(format!("the snapshot of size {size} is not what the entries before it give"));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

    use countersign_entry::record::Record;
    use countersign_store::memory::{MemoryRegister, MemoryStore};
    use countersign_store::segments::SegmentStore;
    use countersign_testing::ledger::{cast, principal};
    use countersign_testing::scene;

    use crate::place::{Place, agreement};
    use crate::{Access, AppendError, Ledger, snapshot};

    fn replayed(place: &Place, ledger: &mut Ledger) -> super::AuditStatus {
        ledger.replay_in_background(Box::new(MemoryStore::open_reader(&place.disk).unwrap())).unwrap();
        ledger.finish_replay().unwrap()
    }

    #[test]
    fn a_snapshot_that_is_not_what_the_entries_give_stops_the_ledger() {
        let place = Place::new(50_000);
        let mut ledger = place.start();
        agreement(&mut ledger, "a-1").unwrap();
        let write = |ledger: &Ledger| snapshot::write(place.dir.path(), &ledger.keys, &ledger.state, ledger.now(), 1).unwrap();
        write(&ledger);
        drop(ledger);

        let mut ledger = place.open();
        assert_eq!((ledger.standing().snapshot_size, ledger.read_only()), (ledger.size(), None));
        let status = replayed(&place, &mut ledger);
        assert_eq!((status.done, status.finished, status.objection), (ledger.size(), true, None));
        agreement(&mut ledger, "a-2").unwrap();

        // One fact more than the entries give, under the right key, for the right size and root.
        let holder = Record::from(scene::holding("h-1", "P-ada1", None, "2026-06-01"));
        let newest = countersign_entry::ids::LeafIndex(ledger.size() - 1);
        ledger.state.facts.apply(newest, ledger.state.last_at, &principal("ethics"), &holder);
        write(&ledger);
        drop(ledger);
        let mut ledger = place.open();
        assert_eq!((ledger.facts().holdings().count(), ledger.read_only()), (1, None));
        let status = replayed(&place, &mut ledger);
        assert!(status.objection.unwrap().contains("is not what the entries before it give"));
        let refused = agreement(&mut ledger, "a-3").unwrap_err();
        assert!(matches!(refused, AppendError::ReadOnly(_)), "{refused}");
        assert!(ledger.read_only().is_some());
    }
    /// A start from a snapshot leaves old segments unread. What is wrong in them is found behind the running ledger.
    #[test]
    fn damage_in_a_segment_the_start_left_unread_stops_the_ledger() {
        let place = Place::new(50_000);
        let store = place.dir.path().join("store");
        let parts = place.parts(SegmentStore::create(&store, 4096).unwrap(), MemoryRegister::create(&place.disk).unwrap(), true);
        let mut ledger = Ledger::start(parts, &principal("founder"), &principal("sequencer"), cast()).unwrap();
        (0..30).for_each(|n| drop(agreement(&mut ledger, &format!("a-{n}")).unwrap()));
        snapshot::write(place.dir.path(), &ledger.keys, &ledger.state, ledger.now(), 1).unwrap();
        drop(ledger);
        let open = || {
            let parts =
                place.parts(SegmentStore::open_writer(&store, 4096).unwrap(), MemoryRegister::open_writer(&place.disk).unwrap(), false);
            Ledger::open(parts, Access::Write).unwrap()
        };
        let replayed = |ledger: &mut Ledger| {
            ledger.replay_in_background(Box::new(SegmentStore::open_reader(&store).unwrap())).unwrap();
            ledger.finish_replay().unwrap().objection
        };
        let mut ledger = open();
        assert_eq!((replayed(&mut ledger), ledger.read_only()), (None, None));
        drop(ledger);

        let first = store.join("segments").join(countersign_log::segment::file_name(0));
        let mut bytes = std::fs::read(&first).unwrap();
        let at = bytes.len() - 40;
        bytes[at] ^= 1;
        std::fs::write(&first, bytes).unwrap();
        let mut ledger = open();
        agreement(&mut ledger, "before").unwrap();
        let objection = replayed(&mut ledger).unwrap();
        assert!(objection.contains("is damaged at offset"), "{objection}");
        assert!(matches!(agreement(&mut ledger, "after").unwrap_err(), AppendError::ReadOnly(_)));
    }
}
