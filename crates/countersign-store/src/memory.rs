//! Store and register in memory, for tests that need writes to fail and machines to stop.
//!
//! A [`MemoryDisk`] is what survives; [`MemoryStore`] and [`MemoryRegister`] are handles on it, as a process would hold them. A test arms the disk
//! with faults while the ledger owns the handles. After a crash every handle is dead until [`MemoryDisk::restart`]; then new ones are opened on
//! what had become durable. Clones of a disk are the same disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_log::segment::{self, EncodeError};

use crate::files::on;
use crate::order::Position;
use crate::register::is_ahead;
use crate::{
    EachEntry, EachSeal, FileError, Head, Recovered, Register, RegisterError, Rewrite, StagedBatch, Store, StoreError, StoredEntry,
};

/// A kind of write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// [`Store::stage`].
    Stage,
    /// [`Store::seal`].
    Seal,
    /// [`Register::advance`].
    Register,
    /// [`Store::stage_rewrite`].
    StageRewrite,
    /// [`Store::carry_out`].
    CarryOut,
    /// [`Store::drop_rewrite`].
    DropRewrite,
}

/// What happens to one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is written, and an error returned.
    Fail,
    /// As `Fail`, because there is no space left.
    Full,
    /// Everything is written, and an error returned.
    FailPersisted,
    /// The machine stops before anything is written.
    CrashBefore,
    /// The machine stops in the middle: a frame is torn. A register is replaced whole, so there it is as `CrashBefore`.
    CrashTorn,
    /// The machine stops when everything is written, before anybody is told.
    CrashAfter,
}

/// A disk in memory, and the faults it will have.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk(Arc<Mutex<Disk>>);

impl MemoryDisk {
    /// An empty disk without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Arms `fault` for the write of kind `step` that comes after `skip` more of them. Refused calls are not writes and do not count.
    pub fn arm(&self, step: Step, skip: u64, fault: Fault) {
        self.disk().armed.push(Armed { step, skip, fault });
    }

    /// Whether whoever reads beside the writer waits in [`Store::scan`], as on a slow disk.
    pub fn hold_readers(&self, held: bool) {
        self.disk().held = held.then_some(0);
    }

    /// How many of them wait, or did since they were held.
    pub fn held_readers(&self) -> usize {
        self.disk().held.unwrap_or(0)
    }

    /// How many writes of this kind there were, failed ones included.
    pub fn steps(&self, step: Step) -> usize {
        self.disk().done.iter().filter(|done| **done == step).count()
    }

    /// Whether a crash happened and nobody restarted.
    pub fn is_down(&self) -> bool {
        self.disk().down
    }

    /// Starts the machine again: what was durable is there, every older handle is dead, faults not met stay armed.
    pub fn restart(&self) {
        let mut disk = self.disk();
        disk.down = false;
        disk.boot += 1;
        disk.store_writer = None;
        disk.register_writer = None;
    }

    /// Another disk with what is durable on this one now, as a backup or a cloned machine has it. No faults, no handles.
    pub fn fork(&self) -> Self {
        let disk = self.disk();
        Self(Arc::new(Mutex::new(Disk { store: disk.store.clone(), register: disk.register.clone(), ..Disk::default() })))
    }

    fn wait_while_held(&self) {
        if let Some(waiting) = &mut self.disk().held {
            *waiting += 1;
        }
        while self.disk().held.is_some() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        // A panic in one test's thread is that test's failure; the data is plain and whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Disk {
    store: Option<Files>,
    register: Option<Option<Head>>,
    armed: Vec<Armed>,
    done: Vec<Step>,
    down: bool,
    boot: u64,
    handles: u64,
    store_writer: Option<u64>,
    register_writer: Option<u64>,
    /// Readers that wait, while they are held.
    held: Option<usize>,
}

#[derive(Debug)]
struct Armed {
    step: Step,
    skip: u64,
    fault: Fault,
}

/// What a store's files would hold.
#[derive(Clone, Debug, Default)]
struct Files {
    entries: Vec<StoredEntry>,
    seals: Vec<Head>,
    staged: Option<StagedBatch>,
    rewrites: BTreeMap<u64, Vec<u8>>,
    torn_bytes: u64,
}

impl Files {
    fn position(&self) -> Position {
        let size = self.entries.len() as u64;
        Position { size, staged_size: self.staged.as_ref().map(|batch| size + batch.entries.len() as u64) }
    }
}

/// How far a write gets, and what its caller is told.
struct Outcome {
    persisted: bool,
    torn: bool,
    told: Result<(), FileError>,
}

impl Disk {
    fn write(&mut self, step: Step) -> Outcome {
        self.done.push(step);
        let fault = self.fault(step);
        self.down |= matches!(fault, Some(Fault::CrashBefore | Fault::CrashTorn | Fault::CrashAfter));
        let told = match fault {
            None => Ok(()),
            Some(Fault::Full) => Err(refusal(io::ErrorKind::StorageFull.into())),
            Some(_) => Err(refusal(io::Error::other("simulated fault"))),
        };
        let persisted = matches!(fault, None | Some(Fault::FailPersisted | Fault::CrashAfter));
        Outcome { persisted, torn: fault == Some(Fault::CrashTorn), told }
    }

    fn fault(&mut self, step: Step) -> Option<Fault> {
        let due = self.armed.iter().position(|armed| armed.step == step && armed.skip == 0);
        self.armed.iter_mut().filter(|armed| armed.step == step).for_each(|armed| armed.skip = armed.skip.saturating_sub(1));
        due.map(|due| self.armed.remove(due).fault)
    }

    fn alive(&self, boot: u64) -> Result<(), FileError> {
        if self.down || self.boot != boot { Err(refusal(io::Error::other("simulated machine is down"))) } else { Ok(()) }
    }

    fn new_handle(&mut self) -> u64 {
        self.handles += 1;
        self.handles
    }
}

fn place() -> PathBuf {
    PathBuf::from("memory")
}

fn refusal(source: io::Error) -> FileError {
    on("write", Path::new("memory"))(source)
}

/// A store on a [`MemoryDisk`]: one writer, any number of readers, durable as far as the disk's faults allow.
#[derive(Debug)]
pub struct MemoryStore {
    disk: MemoryDisk,
    boot: u64,
    /// The handle's number; `None` if it only reads.
    writer: Option<u64>,
    recovered: bool,
    poisoned: bool,
}

impl MemoryStore {
    /// Makes the store and opens it for writing. Refuses if there is one.
    pub fn create(disk: &MemoryDisk) -> Result<Self, StoreError> {
        if disk.disk().store.is_some() {
            return Err(StoreError::AlreadyExists(place()));
        }
        disk.disk().store = Some(Files::default());
        Self::open_writer(disk)
    }

    /// Opens the store for writing, alone.
    pub fn open_writer(disk: &MemoryDisk) -> Result<Self, StoreError> {
        let mut opened = Self::open_reader(disk)?;
        let mut inner = disk.disk();
        if inner.store_writer.is_some() {
            return Err(StoreError::Locked(place()));
        }
        let handle = inner.new_handle();
        inner.store_writer = Some(handle);
        opened.writer = Some(handle);
        drop(inner);
        Ok(opened)
    }

    /// Opens the store for reading, beside a writer.
    pub fn open_reader(disk: &MemoryDisk) -> Result<Self, StoreError> {
        let inner = disk.disk();
        inner.alive(inner.boot)?;
        if inner.store.is_none() {
            return Err(StoreError::Missing(place()));
        }
        Ok(Self { disk: disk.clone(), boot: inner.boot, writer: None, recovered: false, poisoned: false })
    }

    fn with<T>(&self, then: impl FnOnce(&Files) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let disk = self.disk.disk();
        disk.alive(self.boot)?;
        if !self.recovered {
            return Err(StoreError::NotRecovered);
        }
        then(disk.store.as_ref().ok_or_else(|| StoreError::Missing(place()))?)
    }

    /// One write: `check` may refuse it, `persist` does it, if the disk lets it.
    fn write(
        &mut self,
        step: Step,
        check: impl FnOnce(&Files) -> Result<(), StoreError>,
        persist: impl FnOnce(&mut Files),
    ) -> Result<(), StoreError> {
        if self.writer.is_none() {
            return Err(StoreError::ReadOnly);
        }
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        self.with(check)?;
        let mut disk = self.disk.disk();
        let outcome = disk.write(step);
        let files = disk.store.as_mut().ok_or_else(|| StoreError::Missing(place()))?;
        if outcome.persisted {
            persist(files);
        }
        if matches!(step, Step::Stage | Step::Seal) && (outcome.persisted || outcome.torn) {
            // A torn tail stays until something is written over it.
            files.torn_bytes = if outcome.torn { 17 } else { 0 };
        }
        self.poisoned = outcome.told.is_err();
        Ok(outcome.told?)
    }
}

impl Drop for MemoryStore {
    fn drop(&mut self) {
        let mut disk = self.disk.disk();
        if disk.store_writer == self.writer {
            disk.store_writer = None;
        }
    }
}

impl Store for MemoryStore {
    fn recover(&mut self, _from: u64) -> Result<Recovered, StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        self.recovered = true;
        let writer = self.writer.is_some();
        self.with(|files| {
            let staged = files.staged.clone().filter(|_| writer);
            Ok(Recovered { head: files.seals.last().cloned(), staged, torn_bytes: if writer { files.torn_bytes } else { 0 } })
        })
    }

    fn stage(&mut self, batch: &StagedBatch) -> Result<(), StoreError> {
        let check = |files: &Files| {
            files.position().may_stage(batch)?;
            check_limits(batch)
        };
        self.write(Step::Stage, check, |files| files.staged = Some(batch.clone()))
    }

    fn seal(&mut self, head: &Head) -> Result<(), StoreError> {
        let check = |files: &Files| {
            files.position().may_seal(head)?;
            segment::encode_seal(0, 0, head.size, &head.note)?;
            Ok(())
        };
        self.write(Step::Seal, check, |files| {
            files.entries.extend(files.staged.take().into_iter().flat_map(|batch| batch.entries));
            files.seals.push(head.clone());
        })
    }

    fn reader(&self) -> Result<Box<dyn Store>, StoreError> {
        Ok(Box::new(Self::open_reader(&self.disk)?))
    }

    fn read(&self, index: u64) -> Result<StoredEntry, StoreError> {
        self.with(|files| {
            files.position().may_read(index)?;
            let entry = usize::try_from(index).ok().and_then(|at| files.entries.get(at));
            entry.cloned().ok_or(StoreError::NotSealed { index, size: files.position().size })
        })
    }

    fn scan(&self, from: u64, each: EachEntry<'_>) -> Result<(), StoreError> {
        if self.writer.is_none() {
            self.disk.wait_while_held();
        }
        // A copy, so that the caller may use the disk while it looks at the entries.
        let entries =
            self.with(|files| Ok(files.entries.iter().skip(usize::try_from(from).unwrap_or(usize::MAX)).cloned().collect::<Vec<_>>()))?;
        for (entry, index) in entries.iter().zip(from..) {
            if each(index, &entry.leaf, &entry.sealed).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn seals(&self, size_min: u64, each: EachSeal<'_>) -> Result<(), StoreError> {
        let seals = self.with(|files| Ok(files.seals.clone()))?;
        for seal in seals.iter().filter(|seal| seal.size >= size_min) {
            if each(seal.size, &seal.note).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn stage_rewrite(&mut self, rewrite: &Rewrite) -> Result<(), StoreError> {
        let check = |files: &Files| may_rewrite(files, rewrite.target);
        self.write(Step::StageRewrite, check, |files| drop(files.rewrites.insert(rewrite.target, rewrite.sealed.clone())))
    }

    fn staged_rewrites(&self) -> Result<Vec<Rewrite>, StoreError> {
        self.with(|files| Ok(files.rewrites.iter().map(|(target, sealed)| Rewrite { target: *target, sealed: sealed.clone() }).collect()))
    }

    fn carry_out(&mut self, target: u64) -> Result<(), StoreError> {
        let check = |files: &Files| {
            may_rewrite(files, target)?;
            if files.rewrites.contains_key(&target) { Ok(()) } else { Err(StoreError::NoRewrite(target)) }
        };
        self.write(Step::CarryOut, check, |files| {
            let entry = usize::try_from(target).ok().and_then(|at| files.entries.get_mut(at));
            if let (Some(entry), Some(sealed)) = (entry, files.rewrites.remove(&target)) {
                entry.sealed = sealed;
            }
        })
    }

    fn drop_rewrite(&mut self, target: u64) -> Result<(), StoreError> {
        self.write(Step::DropRewrite, |_| Ok(()), |files| drop(files.rewrites.remove(&target)))
    }
}

fn may_rewrite(files: &Files, target: u64) -> Result<(), StoreError> {
    match &files.staged {
        Some(batch) => Err(StoreError::AlreadyStaged(batch.first_index)),
        None => files.position().may_read(target),
    }
}

/// The limits of the segment layout, so that a ledger meets them in every backend.
fn check_limits(batch: &StagedBatch) -> Result<(), StoreError> {
    let entries: Vec<_> = batch.entries.iter().map(|entry| (entry.leaf.as_slice(), entry.sealed.as_slice())).collect();
    segment::encode_batch(0, 0, batch.first_index, &entries).map(drop).map_err(|error: EncodeError| error.into())
}

/// A head register on a [`MemoryDisk`].
#[derive(Debug)]
pub struct MemoryRegister {
    disk: MemoryDisk,
    boot: u64,
    writer: Option<u64>,
    poisoned: bool,
    given_up: Option<Head>,
}

impl MemoryRegister {
    /// Makes the register and opens it for writing. Refuses if there is one.
    pub fn create(disk: &MemoryDisk) -> Result<Self, RegisterError> {
        if disk.disk().register.is_some() {
            return Err(RegisterError::AlreadyExists(place()));
        }
        disk.disk().register = Some(None);
        Self::open_writer(disk)
    }

    /// Opens the register for writing, alone.
    pub fn open_writer(disk: &MemoryDisk) -> Result<Self, RegisterError> {
        let mut opened = Self::open_reader(disk)?;
        let mut inner = disk.disk();
        if inner.register_writer.is_some() {
            return Err(RegisterError::Locked(place()));
        }
        let handle = inner.new_handle();
        inner.register_writer = Some(handle);
        opened.writer = Some(handle);
        drop(inner);
        Ok(opened)
    }

    /// Opens the register for reading, beside a writer.
    pub fn open_reader(disk: &MemoryDisk) -> Result<Self, RegisterError> {
        let inner = disk.disk();
        inner.alive(inner.boot)?;
        if inner.register.is_none() {
            return Err(RegisterError::Missing(place()));
        }
        Ok(Self { disk: disk.clone(), boot: inner.boot, writer: None, poisoned: false, given_up: None })
    }
}

impl Drop for MemoryRegister {
    fn drop(&mut self) {
        let mut disk = self.disk.disk();
        if disk.register_writer == self.writer {
            disk.register_writer = None;
        }
    }
}

impl Register for MemoryRegister {
    fn load(&self) -> Result<Option<Head>, RegisterError> {
        let disk = self.disk.disk();
        disk.alive(self.boot)?;
        disk.register.clone().ok_or_else(|| RegisterError::Missing(place()))
    }

    fn advance(&mut self, head: &Head) -> Result<(), RegisterError> {
        if self.writer.is_none() {
            return Err(RegisterError::ReadOnly);
        }
        if self.poisoned {
            return Err(RegisterError::Poisoned);
        }
        let have = self.load()?;
        let given_up = have.is_some() && have == self.given_up;
        if !is_ahead(head, have.as_ref().filter(|_| !given_up))? {
            return Ok(());
        }
        self.given_up = None;
        let mut disk = self.disk.disk();
        let outcome = disk.write(Step::Register);
        if outcome.persisted {
            disk.register = Some(Some(head.clone()));
        }
        self.poisoned = outcome.told.is_err();
        Ok(outcome.told?)
    }

    fn give_up(&mut self, lost: &Head) {
        self.given_up = Some(lost.clone());
    }
}
