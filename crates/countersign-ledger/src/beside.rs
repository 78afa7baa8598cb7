//! What a ledger keeps beside its entries and could make anew from them: the facts snapshot and the index. None of it is believed without its seal,
//! and whatever is missing, old, cut or changed is told, thrown away and made anew.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::PoisonError;

use countersign_conflict::Facts;
use countersign_conflict::replay::Replay;
use countersign_log::recall;
use countersign_log::tree::{self, LeafHash, RootHash, TreeSize};

use crate::index::{Disk, DiskError, Index, RUN_LEN, Source};
use crate::limits::{OLDER_TIMES, RUNNING_TIMES, SNAPSHOT_AFTER};
use crate::open::{Ledger, Mode, OpenError};
use crate::snapshot::{self, Restored, Snapshot, SnapshotError};
use crate::state::State;

/// Where a ledger keeps what it can make anew, and whom it tells of making it.
pub struct Beside {
    /// The directory; `index/` and `snapshot` in it are the ledger's.
    pub dir: PathBuf,
    /// Entries of a run of the index, [`crate::RUN_LEN`] or fewer.
    pub run_len: u64,
    /// Entries after the newest snapshot from which on a start writes another. A running ledger waits for [`RUNNING_TIMES`] as many.
    pub snapshot_after: u64,
    /// Told what is being done and why. Called for every entry, so it has to be quick.
    pub told: Box<dyn FnMut(Notice<'_>) + Send + Sync>,
}

impl Beside {
    /// In a ledger's own directory.
    pub fn new(dir: PathBuf, told: Box<dyn FnMut(Notice<'_>) + Send + Sync>) -> Self {
        Self { dir, run_len: RUN_LEN, snapshot_after: SNAPSHOT_AFTER, told }
    }
}

/// What a start tells of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    /// So many entries of so many are done.
    Doing {
        /// What is being done.
        what: &'static str,
        /// Entries done.
        done: u64,
        /// Entries there are.
        of: u64,
    },
    /// Something kept beside the ledger could not be used, and is made anew.
    Anew(&'a str),
}

/// What is kept beside a ledger, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Size of the newest snapshot this handle knows of; 0 where there is none.
    pub snapshot_size: u64,
    /// Entries of the index that are on disk.
    pub indexed: u64,
    /// Entries that are in memory only: how far the index on disk lies behind the head.
    pub index_lag: u64,
    /// Bytes of the index's runs.
    pub run_bytes: u64,
    /// Bytes of the index's entities.
    pub entity_bytes: u64,
    /// Why the index on disk grows no more, if it does not.
    pub index_trouble: Option<String>,
}

impl Ledger {
    /// What is kept beside the ledger.
    pub fn standing(&self) -> Standing {
        let (run_bytes, entity_bytes, trouble) = self.state.index.standing();
        Standing {
            snapshot_size: self.snapshot_size,
            indexed: self.state.index.covered(),
            index_lag: self.state.index.lag(self.size()),
            run_bytes,
            entity_bytes,
            index_trouble: trouble.map(str::to_owned),
        }
    }

    pub(crate) fn doing(&mut self, what: &'static str, done: u64, of: u64) {
        if let Some(beside) = &mut self.beside {
            (beside.told)(Notice::Doing { what, done, of });
        }
    }

    fn anew(&mut self, why: &str) {
        if let Some(beside) = &mut self.beside {
            (beside.told)(Notice::Anew(why));
        }
    }

    fn run_len(&self) -> u64 {
        self.beside.as_ref().map_or(RUN_LEN, |beside| beside.run_len)
    }

    /// Goes on from the snapshot, if there is one of the ledger's past; from nothing otherwise.
    pub(crate) fn restore(&mut self) -> Replay {
        let Some(beside) = &self.beside else { return Replay::new() };
        match Snapshot::open(&beside.dir, &self.keys).and_then(|snapshot| snapshot.restore(&self.vkey)) {
            Ok(Restored { facts, tree, chain, last_at, keys, erased, compartments, rewritten, .. }) => {
                self.snapshot_size = tree.size().0;
                (self.state.tree, self.state.chain, self.state.last_at) = (tree, chain, last_at);
                (self.state.keys, self.state.erased, self.state.compartments) = (keys, erased, compartments);
                self.state.rewritten = rewritten;
                Replay::resume(facts)
            }
            Err(SnapshotError::Missing) => Replay::new(),
            Err(e) => {
                self.anew(&format!("the snapshot is not used: {e}"));
                Replay::new()
            }
        }
    }

    /// Forgets that there was a snapshot.
    pub(crate) fn start_over(&mut self, why: SnapshotError) -> Replay {
        self.anew(&format!("the snapshot is not used: {why}"));
        self.snapshot_size = 0;
        self.state = State::new(&self.vkey);
        Replay::new()
    }

    /// Whether the index can take entries in as they are replayed: all of them come by, and no run is made of them.
    pub(crate) fn indexes_while_reading(&self, size: u64) -> bool {
        self.snapshot_size == 0 && size < self.run_len()
    }

    /// Brings the index up to the newest committed entry.
    pub(crate) fn catch_up(&mut self, facts: &Facts) -> Result<(), OpenError> {
        let size = self.state.size();
        if self.indexes_while_reading(size) {
            return Ok(());
        }
        let mut index = self.kept_index(size);
        if let Err(e) = self.make_runs(&mut index, facts, size)? {
            self.anew(&format!("the index is kept in memory: {e}"));
            index = Index::in_memory(self.run_len());
        }
        self.fill(&mut index, facts, size)?;
        self.state.index = index;
        Ok(())
    }

    /// The index as it stands on disk, or an empty one in its place.
    fn kept_index(&mut self, size: u64) -> Index {
        let run_len = self.run_len();
        let Some(beside) = &self.beside else { return Index::in_memory(run_len) };
        let dir = beside.dir.join("index");
        let mut root_at = |at: u64| if at <= size { self.root_at(TreeSize(at)) } else { None };
        let opened = match dir.try_exists() {
            Ok(true) => Disk::open(&dir, run_len, &self.keys, &mut root_at).map_err(Some),
            Ok(false) => Err(None),
            Err(e) => Err(Some(DiskError::from(e))),
        };
        match opened.map(|(disk, extras)| Index::on_disk(run_len, disk, extras)) {
            Ok(index) => index,
            Err(why) => {
                if let Some(why) = why {
                    self.anew(&format!("the index is made anew: {why}"));
                }
                match Disk::create(&dir, run_len, &self.keys) {
                    Ok(disk) => Index::on_disk(run_len, disk, Vec::new()),
                    Err(e) => {
                        self.anew(&format!("the index is kept in memory: {e}"));
                        Index::in_memory(run_len)
                    }
                }
            }
        }
    }

    /// Writes every run that is missing. The outer error is the ledger's, the inner one the disk's.
    fn make_runs(&mut self, index: &mut Index, facts: &Facts, size: u64) -> Result<Result<(), DiskError>, OpenError> {
        let run_len = self.run_len();
        while index.is_on_disk() && index.covered() + run_len <= size {
            let (first, end) = (index.covered(), index.covered() + run_len);
            let page = self.source(facts).page(first, end)?;
            let root = self.root_at(TreeSize(end)).ok_or_else(|| OpenError::Index(format!("no root at size {end}")))?;
            if let Err(e) = index.take_page(page, Some(root)) {
                return Ok(Err(e));
            }
            self.doing("indexing", end, size);
        }
        Ok(Ok(()))
    }

    /// Takes what makes no whole run into memory.
    fn fill(&mut self, index: &mut Index, facts: &Facts, size: u64) -> Result<(), OpenError> {
        let mut first = index.covered();
        while first < size {
            let end = size.min(first + self.run_len());
            let page = self.source(facts).page(first, end)?;
            // In memory nothing fails.
            index.take_page(page, None).map_err(|e| OpenError::Index(e.to_string()))?;
            self.doing("indexing", end, size);
            first = end;
        }
        Ok(())
    }

    fn source<'a>(&'a self, facts: &'a Facts) -> Source<'a> {
        Source { store: &*self.store, keys: &self.keys, origin_hash: &self.state.origin_hash, facts }
    }

    /// The index to ask. A ledger opened for reading makes its own, in memory, when it is first asked: the one on disk is the writer's.
    pub(crate) fn index(&self) -> Result<&Index, OpenError> {
        if !self.opened_for_reading() {
            return Ok(&self.state.index);
        }
        if let Some(index) = self.reading.get() {
            return Ok(index);
        }
        let making = self.indexing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = self.reading.get() {
            return Ok(index);
        }
        let index = self.index_upto(self.state.size(), &self.state.facts)?;
        let made = self.reading.get_or_init(|| index);
        drop(making);
        Ok(made)
    }

    /// An index of the entries before a size, in memory.
    pub(crate) fn index_upto(&self, size: u64, facts: &Facts) -> Result<Index, OpenError> {
        let mut index = Index::in_memory(RUN_LEN);
        let mut first = 0;
        while first < size {
            let end = size.min(first + RUN_LEN);
            let page = self.source(facts).page(first, end)?;
            index.take_page(page, None).map_err(|e| OpenError::Index(e.to_string()))?;
            first = end;
        }
        Ok(index)
    }

    /// The ledger's root at a size it had.
    pub(crate) fn root_at(&self, size: TreeSize) -> Option<RootHash> {
        recall::root_at(&self.state.tree, size, &mut |range| self.leaf_hashes(range))
    }

    /// Hashes of committed leaves, for what the tree forgot.
    pub(crate) fn leaf_hashes(&self, range: Range<u64>) -> Option<Vec<LeafHash>> {
        let mut hashes = Vec::with_capacity(usize::try_from(range.end.checked_sub(range.start)?).ok()?);
        let scanned = self.store.scan(range.start, &mut |index, leaf, _| {
            if index >= range.end {
                return std::ops::ControlFlow::Break(());
            }
            hashes.push(tree::leaf_hash(leaf));
            std::ops::ControlFlow::Continue(())
        });
        scanned.ok().map(|()| hashes)
    }

    /// Whether so many times as many entries as make a snapshot worth it came after the last one.
    pub(crate) fn is_snapshot_due(&self, times: u64) -> bool {
        let since = self.state.size().saturating_sub(self.snapshot_size.max(self.snapshot_failed_at));
        let enough = |beside: &Beside| since >= beside.snapshot_after.saturating_mul(times);
        // What room is left is for entries.
        matches!(self.mode, Mode::Writable) && !self.has_no_room() && self.beside.as_ref().is_some_and(enough)
    }

    /// Writes a snapshot where so many times as many entries as make one worth it came after the last one. Nothing depends on it, so a failure is told and
    /// nothing else.
    pub(crate) fn keep_snapshot(&mut self, times: u64) {
        let Some(beside) = self.beside.as_ref().filter(|_| self.is_snapshot_due(times)) else { return };
        // Facts that run ahead of the tree are of a commit that is not done.
        if self.state.facts.size() != self.state.size() {
            return;
        }
        let settled_at = self.clock.now().max(self.state.last_at);
        let apart = beside.snapshot_after.saturating_mul(OLDER_TIMES);
        match snapshot::write(&beside.dir, &self.keys, &self.state, settled_at, apart) {
            Ok(()) => self.snapshot_size = self.state.size(),
            Err(e) => {
                // Not with every commit from now on.
                self.snapshot_failed_at = self.state.size();
                self.anew(&format!("no snapshot was written: {e}"));
            }
        }
    }

    /// Before a replay from the first entry: what is there was of no use, and a question as of then is not to find it first.
    pub(crate) fn forget_snapshots(&mut self) {
        let forgotten = self.beside.as_ref().map_or(Ok(()), |beside| snapshot::forget(&beside.dir));
        if let Err(e) = forgotten {
            self.anew(&format!("snapshots that are no use cannot be removed: {e}"));
        }
    }

    /// In a replay from the first entry: writes what is known every so often, for questions as of then.
    pub(crate) fn keep_older_snapshot(&mut self, facts: &Facts) {
        let Some(beside) = self.beside.as_ref().filter(|_| !self.opened_for_reading()) else { return };
        if !self.state.size().is_multiple_of(beside.snapshot_after.saturating_mul(RUNNING_TIMES)) {
            return;
        }
        if let Err(e) = snapshot::write_older(&beside.dir, &self.keys, &self.state, facts) {
            self.anew(&format!("no snapshot was written: {e}"));
        }
    }

    /// Begins the index on disk once there is a whole page for it.
    pub(crate) fn keep_index(&mut self) {
        if self.state.index.is_on_disk() || self.beside.is_none() || self.state.size() < self.run_len() || self.state.index.has_trouble() {
            return;
        }
        let dir = self.beside.as_ref().map(|beside| beside.dir.join("index")).unwrap_or_default();
        let made = Disk::create(&dir, self.run_len(), &self.keys).and_then(|disk| {
            let full = self.state.size() / self.run_len();
            let roots = (1..=full).map_while(|n| self.root_at(TreeSize(n * self.run_len()))).collect::<Vec<_>>();
            self.state.index.move_to(disk, &roots)
        });
        if let Err(e) = made {
            self.anew(&format!("the index is kept in memory: {e}"));
            self.state.index.give_up(e.to_string());
        }
    }
}
