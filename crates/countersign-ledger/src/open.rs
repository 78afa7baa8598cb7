//! Making a ledger, opening one, and the gate at start.

use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use countersign_conflict::replay::Replay;
use countersign_entry::content::Meta;
use countersign_entry::ids::{Hash32, PrincipalId};
use countersign_entry::leaf::Leaf;
use countersign_entry::record::Record;
use countersign_entry::seal::Sealed;
use countersign_log::checkpoint::VerifiedCheckpoint;
use countersign_log::tree::{self, TreeSize};
use countersign_log::vkey::VKey;
use countersign_sign::Signer;
use countersign_sign::datakeys::DataKeys;
use countersign_store::{Head, Recovered, Register, RegisterError, Store, StoreError};
use sha2::{Digest, Sha256};

use crate::audit::Audit;
use crate::batch::Draft;
use crate::beside::Beside;
use crate::commit::AppendError;
use crate::compartments::compartment;
use crate::durable::Unsealed;
use crate::index::{DiskError, Index};
use crate::limits::KEY_POOL;
use crate::nowhere::Nowhere;
use crate::snapshot::SnapshotError;
use crate::state::{State, typed};
use crate::stored::{explained, linked_record, opened_record};
use crate::{Clock, Entropy};

/// What a ledger works with.
pub struct Parts {
    /// Where entries and signed checkpoints are kept.
    pub store: Box<dyn Store>,
    /// Where the newest head is kept apart.
    pub register: Box<dyn Register>,
    /// The log's first key, which everybody pins.
    pub vkey: VKey,
    /// The keys that sign: that one, and those that followed it.
    pub signers: Vec<Box<dyn Signer>>,
    /// The keys that seal.
    pub keys: DataKeys,
    /// The clock.
    pub clock: Box<dyn Clock>,
    /// Randomness.
    pub entropy: Box<dyn Entropy>,
    /// Where what can be made anew is kept, so that a start does not begin with the first entry; nowhere, where there is no such place.
    pub beside: Option<Beside>,
}

/// Whether the ledger takes entries.
pub(crate) enum Mode {
    Writable,
    /// A batch is staged and not signed, because the key is away. It is signed before anything else is decided.
    KeyAway(KeyAway),
    ReadOnly(String),
}

/// Why a staged batch has no signature yet, and when to ask again.
pub(crate) struct KeyAway {
    pub(crate) why: String,
    pub(crate) next_try: Instant,
}

/// A ledger, open.
pub struct Ledger {
    pub(crate) state: State,
    pub(crate) store: Box<dyn Store>,
    pub(crate) register: Box<dyn Register>,
    pub(crate) signers: Vec<Box<dyn Signer>>,
    pub(crate) keys: DataKeys,
    pub(crate) keys_announced: bool,
    pub(crate) keys_free: usize,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) entropy: Box<dyn Entropy>,
    pub(crate) vkey: VKey,
    pub(crate) mode: Mode,
    /// The register's head, where the store ends before it and nothing else stands against taking entries.
    pub(crate) behind: Option<Head>,
    /// What waits for its signature while a key is away, in order.
    pub(crate) unsealed: VecDeque<Unsealed>,
    access: Access,
    pub(crate) beside: Option<Beside>,
    /// Size of the snapshot this start went on from, or the last one written since.
    pub(crate) snapshot_size: u64,
    /// Size at which none could be written.
    pub(crate) snapshot_failed_at: u64,
    /// Whether hardly any room is left on the disk, as somebody else tells.
    pub(crate) room_is_low: Arc<AtomicBool>,
    pub(crate) audit: Option<Audit>,
    /// A data key is being destroyed by this handle, which goes on with nothing else.
    pub(crate) erasing: BTreeSet<u32>,
    /// Hash of the record that is being rewritten by this handle, which goes on with nothing else.
    pub(crate) redacting: Option<Hash32>,
    /// The entries read at this start say that a data key was destroyed, or an entry redacted.
    erased_since: bool,
    /// The index of a ledger opened for reading, made when it is first asked.
    pub(crate) reading: OnceLock<Index>,
    /// Whoever makes it: one does for all who ask.
    pub(crate) indexing: Mutex<()>,
}

/// Why a ledger does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The head register.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// What is stored contradicts itself. Nothing was changed; verify says what and where.
    #[error("entry {entry}: {what}. Nothing was changed. Keep this disk and run `countersign verify`")]
    Damaged {
        /// The first entry at which it shows.
        entry: u64,
        /// What is wrong.
        what: String,
    },
    /// The entry's data key was destroyed, or is not there.
    #[error("entry {entry} cannot be read: data key {key_id} is not there{}", .erased.map(|at| format!(", entry {at} says that it was destroyed")).unwrap_or_default())]
    Shut {
        /// The entry.
        entry: u64,
        /// Its data key.
        key_id: u32,
        /// The entry that says so, where one does.
        erased: Option<u64>,
    },
    /// The index does not answer. It holds nothing that the entries do not: the next start makes it anew.
    #[error("the index does not answer ({0}): open the ledger again, it is then made anew from the entries")]
    Index(String),
    /// The first commit could not be made.
    #[error("the ledger could not be started: {0}")]
    Start(AppendError),
    /// A staged batch could not be finished.
    #[error("an interrupted commit could not be finished: {0}")]
    Finish(AppendError),
}

impl From<DiskError> for OpenError {
    fn from(e: DiskError) -> Self {
        Self::Index(e.to_string())
    }
}

/// The facts in memory know more than the ledger may.
pub(crate) const ERASED: &str = "something was erased: open it again";
const OPENED_FOR_READING: &str = "it was opened for reading";

/// How a ledger is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To record. An interrupted commit is finished first.
    Write,
    /// To read what is committed.
    Read,
}

impl Ledger {
    /// Starts a new ledger in an empty store: genesis, the first pool of data keys, then `records`, in one commit by `founder`.
    ///
    /// # Errors
    /// The store holds something already, or the commit failed.
    pub fn start(parts: Parts, founder: &PrincipalId, sequencer: &PrincipalId, records: Vec<Record>) -> Result<Self, OpenError> {
        let mut ledger = Self::idle(parts);
        let recovered = ledger.store.recover(0)?;
        if recovered.head.is_some() || recovered.staged.is_some() {
            return Err(OpenError::Damaged { entry: 0, what: "a ledger is started in an empty store only".into() });
        }
        ledger.write_first(founder, sequencer, records).map_err(OpenError::Start)?;
        Ok(ledger)
    }

    fn write_first(&mut self, founder: &PrincipalId, sequencer: &PrincipalId, records: Vec<Record>) -> Result<(), AppendError> {
        use countersign_entry::ids::{Hash32, Line};
        use countersign_entry::record::{DataKeyCreated, Genesis};
        let now = self.clock.now();
        let line = |text: String| Line::new(text).map_err(|e| AppendError::Malformed(e.to_string()));
        let genesis = Genesis { origin: line(self.state.origin.clone())?, format: 1, keys: vec![line(self.vkey.to_string())?] };
        // Each of the records may need one of its own, and none can be made before there is somebody to announce it.
        let count = u32::try_from(records.len()).unwrap_or(u32::MAX).max(KEY_POOL);
        let pool = self.keys.create_pool(count, &mut countersign_sign::os_random);
        let pool = pool.map_err(|e| AppendError::Unavailable(e.to_string()))?;
        self.keys_free = pool.len();
        let created = |k: &countersign_sign::datakeys::DataKeyInfo| {
            (sequencer, Record::DataKeyCreated(DataKeyCreated { key_id: k.key_id, check: Hash32(k.check) }))
        };
        let all: Vec<(&PrincipalId, Record)> = std::iter::once((founder, Record::Genesis(genesis)))
            .chain(pool.iter().map(created))
            .chain(records.into_iter().map(|r| (founder, r)))
            .collect();
        let mut drafts = Vec::new();
        for (actor, record) in all {
            let at = self.next_time(now);
            let request = format!("init-{}", self.state.facts.size());
            self.place(Draft { at, actor: actor.clone(), request, record, signed: None, key: None }, &mut drafts)?;
        }
        self.keys_announced = true;
        self.make_durable(drafts)
    }

    /// Opens a ledger: reads every entry, replays every decision, holds the store against the register, and finishes a commit that was
    /// interrupted.
    ///
    /// A store that is behind its register, or whose decisions do not replay, opens read-only, and [`Ledger::read_only`] says why.
    ///
    /// # Errors
    /// What is stored cannot be read as a ledger of this key.
    pub fn open(parts: Parts, access: Access) -> Result<Self, OpenError> {
        let mut ledger = Self::idle(parts);
        ledger.access = access;
        let mut replay = ledger.restore();
        let mut recovered = ledger.store.recover(ledger.snapshot_size)?;
        let mut objection = ledger.rebuild(&mut replay, &recovered);
        if ledger.snapshot_size > 0 && (!matches!(objection, Ok(None)) || ledger.erased_since) {
            // Whatever is wrong, a snapshot must not be the reason; and one that knows what was erased is used no more.
            let ahead = ledger.snapshot_size > recovered.size();
            replay = ledger.start_over(if ahead { SnapshotError::Ahead(ledger.snapshot_size) } else { SnapshotError::OtherPast });
            recovered = ledger.store.recover(0)?;
            objection = ledger.rebuild(&mut replay, &recovered);
        }
        if ledger.finish_erasing().map_err(OpenError::Finish)? | ledger.finish_redactions().map_err(OpenError::Finish)? {
            replay = ledger.start_over(SnapshotError::OtherPast);
            objection = ledger.rebuild(&mut replay, &recovered);
        }
        let size = recovered.size();
        let objection = objection?;
        if let Some(fault) = ledger.state.rewritten.fault() {
            return Err(fault);
        }
        if let Some((entry, key_id)) = replay.shut() {
            return Err(OpenError::Shut { entry: entry.0, key_id, erased: None });
        }
        let sound = objection.is_none() && recovered.staged.is_none();
        if access == Access::Write {
            ledger.catch_up(replay.facts())?;
        }
        let staged = recovered.staged.filter(|_| access == Access::Write);
        let finishing = staged.is_some();
        if let Some(batch) = staged {
            // Whatever is signed, we owe: a batch somebody else put there must not get a signature because we stopped at the right moment.
            let mut staged_objection = None;
            for (entry, index) in batch.entries.iter().zip(batch.first_index..) {
                ledger.take_stored(index, &entry.leaf, &entry.sealed, &mut replay, &mut staged_objection, true)?;
            }
            if let Some(why) = staged_objection {
                return Err(damaged(batch.first_index, format!("the interrupted commit was not made by this ledger: {why}")));
            }
        }
        ledger.state.facts = replay.into_facts();
        ledger.keys_free = ledger.keys.ids_above(ledger.state.compartments.last()).count();
        let known = ledger.register.load()?;
        let lost = known.as_ref().filter(|known| ledger.state.keys.declares_lost(&known.note)).cloned();
        let ahead = known.filter(|known| known.size > size && lost.is_none());
        ledger.mode = match (access, &ahead, objection) {
            (_, Some(known), _) => Mode::ReadOnly(missing_entries(size, known)),
            (_, None, Some(why)) => Mode::ReadOnly(why),
            (Access::Read, ..) => Mode::ReadOnly(OPENED_FOR_READING.into()),
            _ => Mode::Writable,
        };
        ledger.behind = ahead.filter(|_| sound && access == Access::Write);
        if matches!(ledger.mode, Mode::Writable) {
            if let Some(lost) = &lost {
                // Declared lost, and we stopped before the register heard of it.
                ledger.register.give_up(lost);
            }
            // An interrupted commit: the batch is whole and its decisions replay, so it is signed and sealed as it stands. Its size gets the
            // only root it ever had.
            if finishing {
                ledger.finish_staged().map_err(OpenError::Finish)?;
            } else if let Some(head) = &recovered.head {
                // Sealed, and we stopped before the register heard of it.
                ledger.register.advance(head)?;
            }
            // The interrupted commit may have been one that ends a data key or redacts an entry, decided on facts that know what was there.
            if ledger.finish_erasing().map_err(OpenError::Finish)? | ledger.finish_redactions().map_err(OpenError::Finish)? {
                ledger.mode = Mode::ReadOnly(ERASED.into());
            }
            ledger.drop_rewrites().map_err(OpenError::Finish)?;
            ledger.keep_snapshot(1);
        }
        Ok(ledger)
    }

    fn idle(parts: Parts) -> Self {
        Self {
            state: State::new(&parts.vkey),
            store: parts.store,
            register: parts.register,
            signers: parts.signers,
            keys: parts.keys,
            keys_announced: false,
            keys_free: 0,
            clock: parts.clock,
            entropy: parts.entropy,
            vkey: parts.vkey,
            mode: Mode::Writable,
            behind: None,
            unsealed: VecDeque::new(),
            access: Access::Write,
            beside: parts.beside,
            snapshot_size: 0,
            snapshot_failed_at: 0,
            room_is_low: Arc::default(),
            audit: None,
            erasing: BTreeSet::new(),
            redacting: None,
            erased_since: false,
            reading: OnceLock::new(),
            indexing: Mutex::new(()),
        }
    }

    fn verified(&self, head: Option<&Head>) -> Result<Option<VerifiedCheckpoint>, OpenError> {
        let Some(head) = head else { return Ok(None) };
        let verified = self.state.keys.verify(&head.note).map_err(|e| damaged(head.size, e))?;
        if verified.size() == TreeSize(head.size) {
            Ok(Some(verified))
        } else {
            Err(damaged(head.size, "a checkpoint stands under another size"))
        }
    }

    /// Reads every committed entry that the facts do not have yet, up to the signed root. Returns the first objection replay has, if any.
    fn rebuild(&mut self, replay: &mut Replay, recovered: &Recovered) -> Result<Option<String>, OpenError> {
        let mut objection = None;
        let mut failed = None;
        let size = recovered.size();
        // Less than a page needs no run, so the index takes the entries as they come.
        let indexed = self.access == Access::Write && self.indexes_while_reading(size);
        let from_the_first = self.state.size() == 0;
        if from_the_first && self.access == Access::Write {
            self.forget_snapshots();
        }
        // The scan borrows the store while the entries change the state, so the store steps aside for the time.
        let store = std::mem::replace(&mut self.store, Box::new(Nowhere));
        let scanned = store.scan(self.state.size(), &mut |index, leaf, sealed| {
            self.doing("replaying", index, size);
            match self.take_stored(index, leaf, sealed, replay, &mut objection, indexed) {
                Ok(()) => {
                    if from_the_first {
                        self.keep_older_snapshot(replay.facts());
                    }
                    ControlFlow::Continue(())
                }
                Err(e) => {
                    failed = Some(e);
                    ControlFlow::Break(())
                }
            }
        });
        self.store = store;
        scanned?;
        if let Some(e) = failed {
            return Err(e);
        }
        // The entries say which keys sign.
        let head = self.verified(recovered.head.as_ref())?.map(|v| (v.size(), v.root()));
        if head.is_some_and(|head| head != (self.state.tree.size(), self.state.tree.root())) {
            return Err(damaged(self.state.size(), "the entries do not give the signed root"));
        }
        self.check_register_prefix().map(|()| objection)
    }

    /// The register's head must be one of this ledger's own past.
    fn check_register_prefix(&self) -> Result<(), OpenError> {
        // One that is ahead of the store may be signed by a key whose event is missing with the rest; the gate has said so already.
        let Some(known) = self.register.load()?.filter(|known| known.size <= self.state.size()) else { return Ok(()) };
        if self.state.keys.declares_lost(&known.note) {
            return Ok(());
        }
        let Some(verified) = self.verified(Some(&known))? else { return Ok(()) };
        match self.root_at(verified.size()) {
            Some(root) if root != verified.root() => Err(damaged(known.size, "the head register signs another past than the store's")),
            _ => Ok(()),
        }
    }

    /// Takes one stored entry in, checking all that can be checked of it. Recovery of committed entries and of a staged batch are the same.
    fn take_stored(
        &mut self,
        index: u64,
        leaf: &[u8],
        sealed: &[u8],
        replay: &mut Replay,
        objection: &mut Option<String>,
        indexed: bool,
    ) -> Result<(), OpenError> {
        let opened = linked_record(index, leaf, sealed, self.state.chain, &self.keys, &self.state.origin_hash);
        if let Err(OpenError::Shut { key_id, .. }) = opened {
            // Whether it was destroyed, a later entry says.
            replay.pass(index, key_id);
            self.state.take_leaf(leaf);
            return Ok(());
        }
        let (meta, record, rewritten) = opened?;
        if let Record::DataKeyDestroyed(r) = &record {
            self.state.erased.insert(r.key_id, index);
        }
        self.erased_since |= matches!(record, Record::DataKeyDestroyed(_) | Record::Redaction(_));
        self.state.rewritten.take(&record);
        if rewritten {
            // Whether it was redacted, a later entry says.
            self.state.rewritten.found(index, Sha256::digest(sealed).into());
        }
        let (at, actor) = typed(&meta).ok_or_else(|| damaged(index, "time or actor"))?;
        if indexed {
            self.state.take_into_index(index, &actor, &meta.request, &record, replay.facts());
        }
        let unsound = self.state.keys.check(&self.state.origin, index, &record);
        if let Ok(Sealed::Encrypted { key_id, .. }) = Sealed::parse(sealed) {
            self.state.compartments.take(&compartment(&record, at, replay.facts()), key_id);
        }
        let found = replay.step(index, &meta, &record);
        if objection.is_none() {
            let unsound = unsound.err().map(|what| format!("entry {index} is no sound key event: {what}"));
            *objection = unsound.or_else(|| found.first().map(|f| format!("entry {index} does not replay: {}", f.detail)));
        }
        self.state.last_at = at;
        self.state.keys.take(index, &record);
        self.state.take_leaf(leaf);
        Ok(())
    }

    /// Opens a stored record and holds it against its leaf.
    pub(crate) fn open_record(&self, index: u64, leaf: &Leaf, sealed: &[u8]) -> Result<(Meta, Record), OpenError> {
        let opened = opened_record(index, leaf, sealed, &self.keys, &self.state.origin_hash);
        explained(opened, index, sealed, &self.state.erased, &self.state.rewritten)
    }

    /// Why the ledger takes no entries whoever opens it, if it takes none. A handle opened for reading has nothing to say here.
    pub fn read_only(&self) -> Option<&str> {
        match &self.mode {
            Mode::Writable => None,
            Mode::KeyAway(away) => Some(away.why.as_str()),
            Mode::ReadOnly(why) => Some(why.as_str()).filter(|why| *why != OPENED_FOR_READING),
        }
    }

    /// Whether entries are staged that the key has not signed. They show in [`Ledger::size`] and are not committed; a handle opened for reading
    /// does not have them.
    pub fn key_is_away(&self) -> bool {
        matches!(self.mode, Mode::KeyAway(_))
    }

    /// Whether this handle was opened for reading.
    pub(crate) fn opened_for_reading(&self) -> bool {
        self.access == Access::Read
    }

    /// The tree size the head register stands at; `None` where it was never used.
    ///
    /// # Errors
    /// The register cannot be read.
    pub fn register_size(&self) -> Result<Option<u64>, OpenError> {
        Ok(self.register.load()?.map(|h| h.size))
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        &self.state.origin
    }

    /// The log's key.
    pub fn vkey(&self) -> &VKey {
        &self.vkey
    }

    /// Entries committed.
    pub fn size(&self) -> u64 {
        self.state.size()
    }

    /// Root over the committed entries.
    pub fn root(&self) -> tree::RootHash {
        self.state.tree.root()
    }

    /// What is known after the newest entry.
    pub fn facts(&self) -> &countersign_conflict::Facts {
        &self.state.facts
    }

    /// What the clock says.
    pub fn now(&self) -> countersign_entry::time::Micros {
        self.clock.now()
    }

    /// Data keys by id, as hex: hand them to an inspector, and to nobody else.
    pub fn export_keys(&self) -> std::collections::BTreeMap<u32, zeroize::Zeroizing<String>> {
        self.keys.export()
    }

    /// One committed entry, opened: its leaf's bytes, common fields and record.
    ///
    /// # Errors
    /// The index is not committed, or the entry does not open.
    pub fn entry(&self, index: u64) -> Result<(Vec<u8>, Meta, Record), OpenError> {
        let stored = self.store.read(index)?;
        let leaf = Leaf::decode(&stored.leaf).map_err(|e| damaged(index, e))?;
        let (meta, record) = self.open_record(index, &leaf, &stored.sealed)?;
        Ok((stored.leaf, meta, record))
    }

    /// Bytes of a committed entry as stored: leaf and sealed record.
    ///
    /// # Errors
    /// The index is not committed.
    pub fn stored_len(&self, index: u64) -> Result<usize, OpenError> {
        let stored = self.store.read(index)?;
        Ok(stored.leaf.len() + stored.sealed.len())
    }

    /// Leaf of a committed entry, which is there whether or not the entry can be read.
    ///
    /// # Errors
    /// The index is not committed.
    pub fn leaf(&self, index: u64) -> Result<Vec<u8>, OpenError> {
        Ok(self.store.read(index)?.leaf)
    }

    /// The newest signed checkpoint and its size.
    ///
    /// # Errors
    /// The store cannot be read, or nothing was ever committed.
    pub fn head(&self) -> Result<Head, OpenError> {
        let mut newest = None;
        self.store.seals(self.size(), &mut |size, note| {
            newest = Some(Head { size, note: note.to_vec() });
            ControlFlow::Continue(())
        })?;
        newest.ok_or_else(|| damaged(0, "nothing was ever committed"))
    }
}

/// The start gate: the store's head must not be behind the register's.
fn missing_entries(size: u64, known: &Head) -> String {
    format!(
        "the store ends at size {size}, its head register stands at {}: entries are missing. Keep this disk and restore a newer backup, or declare them lost with `countersign restore --declare-loss`",
        known.size
    )
}

/// What an erased entry held is gone, and that is no fault: none in its place.
///
/// # Errors
/// Every other reason why an entry does not open.
pub fn unless_erased<T>(opened: Result<T, OpenError>) -> Result<Option<T>, OpenError> {
    match opened {
        Err(OpenError::Shut { erased: Some(_), .. }) => Ok(None),
        opened => opened.map(Some),
    }
}

pub(crate) fn damaged(entry: u64, what: impl ToString) -> OpenError {
    OpenError::Damaged { entry, what: what.to_string() }
}
