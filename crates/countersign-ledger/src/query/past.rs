//! What was known at an older size: made anew from the entries before it by the function the sequencer uses, from the newest snapshot on that is of no more
//! of them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{OnceLock, PoisonError};

use countersign_conflict::Facts;
use countersign_entry::ids::{LeafIndex, PrincipalId};
use countersign_entry::leaf::Leaf;
use countersign_entry::record::Record;
use countersign_entry::time::Micros;
use countersign_log::tree::TreeSize;
use countersign_log::vkey::VKey;
use countersign_sign::datakeys::KeptKey;
use countersign_store::Store;

use crate::beside::Notice;
use crate::index::Index;
use crate::limits::{RECALLED_AT_ONCE, SNAPSHOTS_TRIED};
use crate::open::{Ledger, OpenError, damaged, unless_erased};
use crate::redact::Rewritten;
use crate::snapshot::{Restored, Snapshot, SnapshotError};
use crate::state::typed;
use crate::stored::{by_two, explained, opened_record};

/// What was known at an older size.
pub struct Past {
    pub(super) facts: Facts,
    pub(super) size: u64,
    pub(super) at: Micros,
    /// Of a ledger opened for reading, made when it is first asked.
    index: OnceLock<Index>,
}

impl Past {
    /// Entries it is made of.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// An index of these entries alone, in memory.
    pub(super) fn index(&self, ledger: &Ledger) -> Result<&Index, OpenError> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        // One makes it, and whoever asks meanwhile waits.
        let making = ledger.indexing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let index = ledger.index_upto(self.size, &self.facts)?;
        let made = self.index.get_or_init(|| index);
        drop(making);
        Ok(made)
    }
}

/// What has to be read to know what was known at a size, and what it takes to read it: on any thread, beside the ledger.
pub struct Recollection {
    size: u64,
    store: Box<dyn Store>,
    /// Entries the store is known to have.
    committed: u64,
    opener: Opener,
    vkey: VKey,
    /// Where reading may begin, the nearest first.
    snapshots: Vec<Snapshot>,
    set_aside: Vec<String>,
}

/// What opens entries, taken out of a ledger.
struct Opener {
    keys: BTreeMap<u32, KeptKey>,
    origin_hash: [u8; 32],
    erased: BTreeMap<u32, u64>,
    rewritten: Rewritten,
}

/// An entry that was read.
type Taken = (Micros, PrincipalId, Record);

impl Opener {
    /// None where it was erased.
    fn open(&self, index: u64, leaf: &[u8], sealed: &[u8]) -> Result<Option<Taken>, OpenError> {
        let leaf = Leaf::decode(leaf).map_err(|e| damaged(index, e))?;
        let opened = opened_record(index, &leaf, sealed, &self.keys, &self.origin_hash);
        let opened = unless_erased(explained(opened, index, sealed, &self.erased, &self.rewritten))?;
        let taken = |(meta, record)| {
            let (at, actor) = typed(&meta).ok_or_else(|| damaged(index, "time or actor"))?;
            Ok((at, actor, record))
        };
        opened.map(taken).transpose()
    }
}

impl Ledger {
    /// What it takes to know what was known at a size. Costs next to nothing: the reading is left to [`Recollection::run`].
    ///
    /// # Errors
    /// The ledger is shorter, or the store cannot be opened once more.
    pub fn recollection(&self, size: u64) -> Result<Recollection, super::ViewError> {
        if size > self.size() {
            return Err(super::ViewError::Beyond { asked: size, size: self.size() });
        }
        let (snapshots, set_aside) = self.snapshots_upto(size);
        let opener = Opener {
            keys: self.keys.all(),
            origin_hash: self.state.origin_hash,
            erased: self.state.erased.clone(),
            rewritten: self.state.rewritten.clone(),
        };
        let store = self.store.reader().map_err(OpenError::from)?;
        Ok(Recollection { size, store, committed: self.size(), opener, vkey: self.vkey.clone(), snapshots, set_aside })
    }

    /// The newest snapshots of this ledger's past that are of a size or fewer entries, and what is wrong with others.
    fn snapshots_upto(&self, size: u64) -> (Vec<Snapshot>, Vec<String>) {
        let (mut fit, mut set_aside) = (Vec::new(), Vec::new());
        let Some(beside) = &self.beside else { return (fit, set_aside) };
        let snapshots = match Snapshot::upto(&beside.dir, &self.keys, size) {
            Ok(snapshots) => snapshots,
            Err(e) => return (fit, vec![e.to_string()]),
        };
        for snapshot in snapshots {
            // One that does not read to its end may be damaged, and the next one too.
            if fit.len() == SNAPSHOTS_TRIED {
                break;
            }
            match snapshot {
                Ok(found) if found.size() <= size && self.root_at(TreeSize(found.size())) == Some(found.root()) => fit.push(found),
                Ok(_) => set_aside.push(SnapshotError::OtherPast.to_string()),
                Err(SnapshotError::Missing) => {}
                Err(e) => set_aside.push(e.to_string()),
            }
        }
        (fit, set_aside)
    }
}

impl Recollection {
    /// Reads. `told` hears how many of how many entries are done, often, and of snapshots that could not be used.
    ///
    /// # Errors
    /// An entry does not open.
    pub fn run(mut self, told: &mut dyn FnMut(Notice<'_>)) -> Result<Past, OpenError> {
        for why in &self.set_aside {
            told(Notice::Anew(&format!("a snapshot is not used: {why}")));
        }
        let mut past = Past { facts: Facts::default(), size: self.size, at: Micros::EPOCH, index: OnceLock::new() };
        for snapshot in std::mem::take(&mut self.snapshots) {
            match snapshot.restore(&self.vkey) {
                Ok(Restored { facts, last_at, .. }) => {
                    (past.facts, past.at) = (facts, last_at);
                    break;
                }
                Err(e) => told(Notice::Anew(&format!("a snapshot is not used: {e}"))),
            }
        }
        self.store.recover(self.committed)?;
        let (mut read, mut taken) = (Vec::with_capacity(RECALLED_AT_ONCE), Ok(()));
        self.store.scan(past.facts.size(), &mut |index, leaf, sealed| {
            if index >= self.size {
                return ControlFlow::Break(());
            }
            read.push((index, leaf.to_vec(), sealed.to_vec()));
            if read.len() < RECALLED_AT_ONCE {
                return ControlFlow::Continue(());
            }
            taken = self.take(&mut past, &mut read);
            told(Notice::Doing { what: "reading entries", done: past.facts.size(), of: self.size });
            if taken.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        taken?;
        self.take(&mut past, &mut read)?;
        told(Notice::Doing { what: "reading entries", done: past.facts.size(), of: self.size });
        if past.facts.size() < self.size { Err(damaged(past.facts.size(), "it is not in the store")) } else { Ok(past) }
    }

    /// Takes in entries that were read.
    fn take(&self, past: &mut Past, read: &mut Vec<(u64, Vec<u8>, Vec<u8>)>) -> Result<(), OpenError> {
        let opened = by_two(read, |(index, leaf, sealed)| self.opener.open(*index, leaf, sealed));
        for ((index, ..), opened) in read.drain(..).zip(opened) {
            match opened? {
                None => past.facts.pass(LeafIndex(index)),
                Some((at, actor, record)) => {
                    past.facts.apply(LeafIndex(index), at, &actor, &record);
                    past.at = at;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use countersign_log::tree::{Tree, leaf_hash};
    use countersign_store::memory::{MemoryRegister, MemoryStore};

    use crate::place::{Place, agreement};
    use crate::query::AsOf;
    use crate::snapshot::{self, SnapshotError};
    use crate::{Access, Ledger, Notice};

    fn grown(ledger: &mut Ledger, to: u64) {
        while ledger.size() < to {
            let key = format!("a-{}", ledger.size());
            agreement(ledger, &key).unwrap();
        }
    }

    /// Where reading begins for a size.
    fn begins(ledger: &Ledger, size: u64) -> u64 {
        ledger.recollection(size).unwrap().snapshots.first().map_or(0, |snapshot| snapshot.size())
    }

    #[test]
    fn reading_begins_at_a_snapshot_and_never_at_one_of_another_past() {
        let place = Place::new(2);
        let mut ledger = place.start();
        grown(&mut ledger, 150);
        // A running ledger writes one every forty entries, and keeps those that lie twenty apart.
        let (at_100, at_150) = (begins(&ledger, 100), begins(&ledger, 150));
        assert!((60..=100).contains(&at_100) && at_100 < at_150, "{at_100} {at_150}");
        let as_of = |ledger: &Ledger, size: u64| ledger.view_as_of(AsOf::Size(size), &mut |_| {}).unwrap().facts().clone();
        let known = as_of(&ledger, 100);

        // Without any: the same, and a replay of everything leaves them behind, though nobody may go on from these.
        drop(ledger);
        let dir = place.dir.path();
        snapshot::forget(dir).unwrap();
        let parts = place.parts(MemoryStore::open_reader(&place.disk).unwrap(), MemoryRegister::open_reader(&place.disk).unwrap(), false);
        let reader = Ledger::open(parts, Access::Read).unwrap();
        assert_eq!(begins(&reader, 150), 0);
        assert!(as_of(&reader, 100).settled_as(known, reader.now()));
        let mut ledger = place.open();
        assert_eq!((begins(&ledger, 100), begins(&ledger, 79), begins(&ledger, 39)), (80, 40, 0));

        // One of another past, under the right keys and of a size there was: set aside, and the one before it taken.
        ledger.state.tree = Tree::new();
        for n in 0..100 {
            ledger.state.tree.append(leaf_hash(&[n]));
        }
        snapshot::write_older(dir, &ledger.keys, &ledger.state, &ledger.state.facts).unwrap();
        drop(ledger);
        let ledger = place.open();
        let recollection = ledger.recollection(100).unwrap();
        assert_eq!(recollection.snapshots.iter().map(|snapshot| snapshot.size()).collect::<Vec<_>>(), [80, 40]);
        let mut told = Vec::new();
        recollection
            .run(&mut |notice| {
                if let Notice::Anew(why) = notice {
                    told.push(why.to_owned());
                }
            })
            .unwrap();
        assert_eq!(told, [format!("a snapshot is not used: {}", SnapshotError::OtherPast)]);

        // One that is damaged behind its beginning: told, and the one before it taken.
        let (place, mut told) = (Place::new(2), Vec::new());
        let mut ledger = place.start();
        grown(&mut ledger, 150);
        let known = as_of(&ledger, 110);
        drop(ledger);
        snapshot::forget(place.dir.path()).unwrap();
        let ledger = place.open();
        let kept = place.dir.path().join("snapshots/80");
        let mut bytes = std::fs::read(&kept).unwrap();
        let end = bytes.len() - 1;
        bytes[end] ^= 1;
        std::fs::write(&kept, bytes).unwrap();
        let past = ledger.recollection(110).unwrap().run(&mut |notice| {
            told.push(match notice {
                Notice::Anew(why) => why.to_owned(),
                Notice::Doing { done, .. } => done.to_string(),
            });
        });
        assert!(past.unwrap().facts.settled_as(known, ledger.now()));
        assert_eq!(told, [format!("a snapshot is not used: {}", SnapshotError::Unauthentic), "110".to_owned()]);
    }
}
