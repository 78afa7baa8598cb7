//! Where a ledger's bytes are kept: entries, the signed checkpoint of each commit, and the newest head once more elsewhere.
//!
//! In scope: making a batch durable (*stage*), making the signed checkpoint over it durable (*seal*), reading back what was sealed,
//! saying after a crash what there is, one writer at a time, and the head register. Not here: the bytes of a segment
//! (`countersign-log::segment`), what a leaf or sealed record says (`countersign-entry`), signatures and whether the head found is as new
//! as the register's and the witnesses' (`countersign-ledger`), and judging a ledger (`countersign-verify`).
//!
//! Backends: [`segments::SegmentStore`] and [`register::FileRegister`] for files, [`memory::MemoryStore`] and
//! [`memory::MemoryRegister`] for tests that need crashes and failing writes. One suite (`tests/suite.rs`) runs against each.
//!
//! Limits: those of a segment (`countersign-log::segment`); 12 bytes of memory for each entry and 16 for each commit. A local file
//! system that keeps its word on `fdatasync`, `fsync` of a directory, `rename` and `flock`; not a network file system.

use std::ops::ControlFlow;
use std::path::PathBuf;

use countersign_log::segment::EncodeError;
use thiserror::Error;

mod ahead;
mod content;
mod files;
pub mod memory;
mod order;
pub mod register;
mod rewrite;
pub mod segments;

pub use files::FileError;

/// One entry as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// The leaf's bytes.
    pub leaf: Vec<u8>,
    /// The sealed record's bytes.
    pub sealed: Vec<u8>,
}

/// The entries of one commit, before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedBatch {
    /// Leaf index of the first entry: the size sealed so far.
    pub first_index: u64,
    /// The entries in index order, at least one.
    pub entries: Vec<StoredEntry>,
}

/// A sealed record that is to take the place of an entry's first one (ledger-format section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// Leaf index of the entry, which is sealed.
    pub target: u64,
    /// The rewritten record's bytes.
    pub sealed: Vec<u8>,
}

/// A signed checkpoint as stored. The store takes the size on trust and does not read the note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Tree size the note is for.
    pub size: u64,
    /// The signed note's bytes.
    pub note: Vec<u8>,
}

/// What a store holds when it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The newest seal; `None` only in a store nothing was ever sealed in. Hold it against the register and the witnesses before
    /// the first write: a store that lost its end looks like one that never had it.
    pub head: Option<Head>,
    /// The batch after the head, whole but not sealed. Sign and seal this one; no other can be staged.
    pub staged: Option<StagedBatch>,
    /// Bytes of a write that never finished, after everything above. They are cut by the next write, not by looking.
    pub torn_bytes: u64,
}

impl Recovered {
    /// Entries that are sealed.
    pub fn size(&self) -> u64 {
        self.head.as_ref().map_or(0, |head| head.size)
    }
}

/// Called for each entry by [`Store::scan`]: leaf index, leaf, sealed record.
pub type EachEntry<'a> = &'a mut dyn FnMut(u64, &[u8], &[u8]) -> ControlFlow<()>;
/// Called for each commit by [`Store::seals`]: tree size, signed note.
pub type EachSeal<'a> = &'a mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>;

/// The durable home of one ledger's entries and committed checkpoints.
///
/// One writer at a time, and any number of readers beside it. An error from `stage` or `seal` other than a refusal means *unknown*:
/// the bytes may or may not be there. The handle then answers [`StoreError::Poisoned`] to every write; open a new one and `recover`.
pub trait Store: Send + Sync {
    /// Finds where the last commit ended, and reads everything from index `from` on for it. Comes first: until then nothing can be read or written. A reader
    /// calls it again to see what a writer has sealed since. Changes nothing on disk.
    ///
    /// What stands before `from` may be left unread, damage in it unseen: the caller has the entries from there by other means, and has somebody else
    /// hold the stored ones against them. 0 leaves nothing out.
    fn recover(&mut self, from: u64) -> Result<Recovered, StoreError>;

    /// Makes a batch durable: on `Ok` it survives a power cut and will be in [`Recovered::staged`]. Refused unless the batch starts
    /// at the sealed size and none is pending, so no index is ever staged twice.
    fn stage(&mut self, batch: &StagedBatch) -> Result<(), StoreError>;

    /// Makes the signed checkpoint over the pending batch durable: on `Ok` its entries are committed. Refused unless the size is the one
    /// after the pending batch, so no size ever gets two heads.
    fn seal(&mut self, head: &Head) -> Result<(), StoreError>;

    /// As [`Store::seal`] and then [`Store::stage`] of the batch after it, where a backend can by one wait for the disk instead of two. On `Ok`
    /// both are durable; an error leaves both unknown.
    fn seal_and_stage(&mut self, head: &Head, next: &StagedBatch) -> Result<(), StoreError> {
        self.seal(head)?;
        self.stage(next)
    }

    /// A handle of its own on the same entries, to read them beside this one on another thread. It has to be recovered as any other.
    fn reader(&self) -> Result<Box<dyn Store>, StoreError>;

    /// One sealed entry. Not checked against its leaf's hashes: that is for the caller, who knows about redactions.
    fn read(&self, index: u64) -> Result<StoredEntry, StoreError>;

    /// Sealed entries in index order from `from` on, until the end or `Break`.
    fn scan(&self, from: u64, each: EachEntry<'_>) -> Result<(), StoreError>;

    /// Committed checkpoints in order of size, from the first with a size of at least `size_min`, until the end or `Break`. The first is
    /// the one whose receipt covers index `size_min - 1`.
    fn seals(&self, size_min: u64, each: EachSeal<'_>) -> Result<(), StoreError>;

    /// Puts a rewritten record by, durable, before its redaction is staged. Refused where it could not be carried out: the target is not sealed, a batch
    /// is pending, or a limit would be broken. One put by before for the same entry is replaced.
    fn stage_rewrite(&mut self, rewrite: &Rewrite) -> Result<(), StoreError>;

    /// The rewritten records that are put by, by target. After a crash its owner knows which redactions were committed.
    fn staged_rewrites(&self) -> Result<Vec<Rewrite>, StoreError>;

    /// Puts the record that was put by for an entry in the place of the stored one, for good: on `Ok` the one before is gone from these files. After a
    /// crash it is still put by, or done.
    fn carry_out(&mut self, target: u64) -> Result<(), StoreError>;

    /// Forgets the record that was put by for an entry, if any: its redaction was not committed.
    fn drop_rewrite(&mut self, target: u64) -> Result<(), StoreError>;
}

/// A place apart from the store that remembers the newest head, so that a store set back in time is noticed.
///
/// An error from `advance` other than a refusal means *unknown*, and the handle is done with: open a new one.
pub trait Register: Send + Sync {
    /// The newest head ever advanced to; `None` if the register was made and never used. A register that is gone is an error, not `None`.
    fn load(&self) -> Result<Option<Head>, RegisterError>;

    /// Replaces the head: on `Ok` the new one survives a power cut; after a crash it is the old or the new one, never a mixture. Refuses a
    /// smaller size, and another note for the same size. The same head again is `Ok`.
    fn advance(&mut self, head: &Head) -> Result<(), RegisterError>;

    /// Lets the next advance replace exactly this head by any other: the ledger declares in an entry that what it stood for is lost.
    fn give_up(&mut self, lost: &Head);
}

/// Why a store did not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// There is no store here. A store is created by `init` alone; "empty" is never a fall-back.
    #[error("no store at {0}: a store is created by init, and nothing else creates one")]
    Missing(PathBuf),
    /// There was a store here and its segments are gone. Restore it; do not create it again.
    #[error("the store at {0} was emptied: it has no segments, not even the first")]
    Emptied(PathBuf),
    /// `create` found something there.
    #[error("{0} exists already: a new store needs a path that does not exist")]
    AlreadyExists(PathBuf),
    /// The files contradict themselves or one another. Tampering or a failing disk; nothing was repaired.
    #[error("{path} is damaged at offset {offset}: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// Another writer has the store open.
    #[error("another writer holds {0}: only one process may write to a ledger")]
    Locked(PathBuf),
    /// A write through a handle opened for reading.
    #[error("this handle only reads")]
    ReadOnly,
    /// `recover` was not called yet.
    #[error("the store was not recovered yet")]
    NotRecovered,
    /// A batch that does not start at the sealed size.
    #[error("batch starts at index {found}, the store is sealed up to {size}")]
    NotNext {
        /// The sealed size.
        size: u64,
        /// First index of the batch.
        found: u64,
    },
    /// A batch is pending; it must be sealed first.
    #[error("a batch is already staged at index {0}")]
    AlreadyStaged(u64),
    /// A seal, and no batch is pending.
    #[error("nothing is staged to be sealed at size {0}")]
    NothingStaged(u64),
    /// A rewritten record is to be put in place, and none is put by.
    #[error("no rewritten record is put by for entry {0}")]
    NoRewrite(u64),
    /// That size, or a greater one, has its seal.
    #[error("size {0} is already sealed")]
    AlreadySealed(u64),
    /// A seal for another size than the pending batch gives.
    #[error("seal for size {found}, the staged batch ends at {expected}")]
    SealSize {
        /// The size after the pending batch.
        expected: u64,
        /// The size in the head.
        found: u64,
    },
    /// An index at or above the sealed size.
    #[error("index {index} is not sealed: the size is {size}")]
    NotSealed {
        /// The index asked for.
        index: u64,
        /// The sealed size.
        size: u64,
    },
    /// The batch or note breaks a limit of the layout.
    #[error("cannot be stored")]
    Encode(#[from] EncodeError),
    /// The disk, or the writer's quota, is full. Nothing is granted until there is room again.
    #[error("no space left")]
    Full(#[source] FileError),
    /// The operating system failed.
    #[error("storage failed")]
    Io(#[source] FileError),
    /// An earlier write failed, so what is on disk is unknown.
    #[error("an earlier write failed and its result is unknown: open the store again")]
    Poisoned,
}

impl From<FileError> for StoreError {
    fn from(error: FileError) -> Self {
        if error.is_full() { Self::Full(error) } else { Self::Io(error) }
    }
}

/// Why a head register did not do what it was asked.
#[derive(Debug, Error)]
pub enum RegisterError {
    /// There is no register here. It is created by `init` alone.
    #[error("no head register at {0}: it is created by init, and nothing else creates one")]
    Missing(PathBuf),
    /// `create` found something there.
    #[error("{0} exists already")]
    AlreadyExists(PathBuf),
    /// The file is not a register, or was changed.
    #[error("{path} is damaged: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// Another writer has the register open.
    #[error("another writer holds {0}: only one process may write to a ledger")]
    Locked(PathBuf),
    /// An advance through a handle opened for reading.
    #[error("this handle only reads")]
    ReadOnly,
    /// The register knows a greater size.
    #[error("the register stands at size {have} and never goes back to {asked}")]
    WouldGoBack {
        /// The size it knows.
        have: u64,
        /// The size it was asked to take.
        asked: u64,
    },
    /// The register knows another note for this size. Two heads for one size are evidence: keep both.
    #[error("the register knows another head for size {0}")]
    OtherHead(u64),
    /// An empty note, or one past the limit.
    #[error("a note of {0} bytes cannot be kept")]
    Note(usize),
    /// The disk, or the writer's quota, is full.
    #[error("no space left")]
    Full(#[source] FileError),
    /// The operating system failed.
    #[error("storage failed")]
    Io(#[source] FileError),
    /// An earlier write failed, so what is on disk is unknown.
    #[error("an earlier write failed and its result is unknown: open the register again")]
    Poisoned,
}

impl From<FileError> for RegisterError {
    fn from(error: FileError) -> Self {
        if error.is_full() { Self::Full(error) } else { Self::Io(error) }
    }
}
