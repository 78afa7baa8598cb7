//! The sequencer: one writer, one batch at a time, in the order of ledger-format section 7.

use std::sync::Arc;

use countersign_conflict::Refusal;
use countersign_entry::ids::{Hash32, LeafIndex, PrincipalId, Reference, RequestKey};
use countersign_entry::leaf::Kind;
use countersign_entry::record::{DataKeyCreated, Record, Role};
use countersign_entry::seal::DataKey;
use countersign_entry::time::Micros;
use countersign_log::checkpoint::{Checkpoint, VerifiedCheckpoint};
use countersign_log::note;
use countersign_log::tree::{self, TreeSize};
use countersign_store::{Head, StagedBatch, StoredEntry};

use crate::batch::{Draft, compartment, link, seal_draft};
use crate::limits::{CLOCK_BEHIND_MAX, KEY_POOL, KEY_POOL_LOW, REQUEST_BYTES_MAX};
use crate::open::{Ledger, Mode};
use crate::receipt::Receipt;
use crate::signing::SealError;
use crate::state::short_hash;

/// One thing somebody wants recorded.
#[derive(Debug, Clone)]
pub struct Request {
    /// The authenticated principal.
    pub actor: PrincipalId,
    /// Names the request for ever: the same key later gives the same receipt.
    pub key: RequestKey,
    /// What to record, without what the ledger fills in.
    pub record: Record,
}

/// Why a request was not acknowledged, by who can do something about it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The request cannot be recorded as it is. Nothing was recorded.
    #[error("the request is malformed: {0}")]
    Malformed(String),
    /// A rule of the ledger stands against it. Nothing was recorded.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The idempotency key was used for another request. Nothing was recorded.
    #[error("the idempotency key {0} was used before for another request: use a new key")]
    KeyReused(RequestKey),
    /// Too much is waiting. Nothing was recorded.
    #[error("the ledger has as many requests waiting as it takes: try again")]
    Busy,
    /// The clock lies behind the newest entry. Nothing was recorded.
    #[error("the clock says {now}, the newest entry was recorded at {last}: set the clock right; nothing is recorded until then")]
    ClockBehind {
        /// What the clock says.
        now: Micros,
        /// Time of the newest entry.
        last: Micros,
    },
    /// The ledger only reads. Nothing was recorded.
    #[error("the ledger is read-only: {0}")]
    ReadOnly(String),
    /// The key or the random source is away. Nothing was recorded.
    #[error("nothing can be recorded: {0}")]
    Unavailable(String),
    /// Storage or signing failed on the way. The entry may or may not be there: repeat with the same key, on a ledger opened again where this one
    /// only reads now.
    #[error(
        "unknown whether it was recorded: {0}. Repeat with the same idempotency key; if the ledger only reads now, open it again first"
    )]
    Unknown(String),
}

/// Where a request of the batch ended up.
enum Placed {
    /// As the draft at this place in the batch.
    Draft(usize),
    /// Recorded in an earlier commit.
    Before(u64),
    Failed(AppendError),
}

impl Ledger {
    /// Decides, records, signs and acknowledges a batch. One answer for each request, in order.
    ///
    /// Every request is decided against the facts at its own index. What follows from it stands right behind it, in the same commit.
    pub fn commit(&mut self, requests: Vec<Request>) -> Vec<Result<Receipt, AppendError>> {
        let count = requests.len();
        let refuse_all = |e: AppendError| vec![Err(e); count];
        if let Err(e) = self.ready() {
            return refuse_all(e);
        }
        let now = self.clock.now();
        let last = self.state.last_at;
        if now.plus(CLOCK_BEHIND_MAX) < last {
            return refuse_all(AppendError::ClockBehind { now, last });
        }
        // From the first decision on the facts run ahead of the store. Whatever fails between here and the seal leaves them there, so the handle
        // only reads from then on; a new one rebuilds them from what is stored.
        let first = self.state.size();
        let (drafts, placed) = match self.decide_all(requests, now) {
            Ok(decided) => decided,
            Err(e) => return refuse_all(self.fail(e)),
        };
        let sealed = if drafts.is_empty() { Ok(None) } else { self.make_durable(first, &drafts).map(Some) };
        match sealed {
            Err(e) => {
                let failed = self.fail_or_wait(e);
                placed.into_iter().map(|p| Err(if let Placed::Failed(e) = p { e } else { failed.clone() })).collect()
            }
            Ok(commit) => {
                let mut commit = commit.unwrap_or_default();
                placed.into_iter().map(|p| self.acknowledge(p, first, &drafts, &mut commit)).collect()
            }
        }
    }

    /// Records one request.
    ///
    /// # Errors
    /// As [`AppendError`] says.
    pub fn append(&mut self, request: Request) -> Result<Receipt, AppendError> {
        self.commit(vec![request]).pop().unwrap_or(Err(AppendError::Busy))
    }

    /// Records what time alone has made due, such as a grant's end or a case, and says how many entries that was.
    ///
    /// # Errors
    /// As [`AppendError`] says.
    pub fn tick(&mut self) -> Result<u64, AppendError> {
        let before = self.state.size();
        self.ready()?;
        let now = self.clock.now();
        let mut drafts = Vec::new();
        self.record_due(now, &mut drafts).map_err(|e| self.fail(e))?;
        if !drafts.is_empty() {
            self.make_durable(before, &drafts).map_err(|e| self.fail_or_wait(e))?;
        }
        Ok(self.state.size() - before)
    }

    pub(crate) fn fail(&mut self, e: AppendError) -> AppendError {
        self.mode = Mode::ReadOnly(format!("a commit failed ({e}); open it again"));
        e
    }

    // Step 1. Decide each request against the facts as they stand at its own index; no gap between check and record.
    fn decide_all(&mut self, requests: Vec<Request>, now: Micros) -> Result<(Vec<Draft>, Vec<Placed>), AppendError> {
        let mut drafts: Vec<Draft> = Vec::with_capacity(requests.len());
        let mut placed = Vec::with_capacity(requests.len());
        let first = self.state.size();
        for request in requests {
            placed.push(match self.repeated(&request) {
                Err(e) => Placed::Failed(e),
                Ok(Some(index)) => match usize::try_from(index.wrapping_sub(first)) {
                    Ok(place) if index >= first => Placed::Draft(place),
                    _ => Placed::Before(index),
                },
                Ok(None) => match self.decide_one(request, now, &mut drafts)? {
                    Ok(place) => Placed::Draft(place),
                    Err(e) => Placed::Failed(e),
                },
            });
        }
        Ok((drafts, placed))
    }

    /// The outer error ends the batch, the inner one only this request.
    fn decide_one(&mut self, request: Request, now: Micros, drafts: &mut Vec<Draft>) -> Result<Result<usize, AppendError>, AppendError> {
        self.keep_keys_ready(now, drafts)?;
        self.record_due(now, drafts)?;
        let at = self.next_time(now);
        let mut record = request.record;
        record.clear_outcome();
        if let Err(what) = self.check_key_event(&record) {
            return Ok(Err(AppendError::Malformed(what)));
        }
        if let Record::GrantRequest(r) = &mut record {
            r.reference = Some(self.draw_reference()?);
        }
        let decided = match self.state.facts.decide(&request.actor, at, record) {
            Ok(decided) => decided,
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        let place = drafts.len();
        let draft = Draft { at, actor: request.actor.clone(), request: request.key.to_string(), record: decided, key_id: None };
        let index = self.place(draft, drafts)?;
        let cause = drafts.get(place).map(|d| d.record.clone());
        let follow = cause.map(|record| self.state.facts.consequences(index, at, &record)).unwrap_or_default();
        for (record, part) in follow.into_iter().zip(1u32..) {
            let at = self.next_time(now);
            self.place(
                Draft { at, actor: request.actor.clone(), request: format!("{}/{part}", request.key), record, key_id: None },
                drafts,
            )?;
        }
        Ok(Ok(place))
    }

    /// Whether a request was recorded before, and that it was the same one.
    fn repeated(&self, request: &Request) -> Result<Option<u64>, AppendError> {
        let bytes = request.record.request_bytes().map_err(|e| AppendError::Malformed(e.to_string()))?;
        if bytes.len() > REQUEST_BYTES_MAX {
            return Err(AppendError::Malformed(format!("{} bytes; at most {REQUEST_BYTES_MAX} are taken", bytes.len())));
        }
        if request.key.as_str().contains('/') {
            return Err(AppendError::Malformed("an idempotency key has no '/': the ledger numbers parts with it".into()));
        }
        match self.state.seen(&request.actor, request.key.as_str()) {
            None => Ok(None),
            Some(seen) if seen.request == short_hash(&bytes) => Ok(Some(seen.index)),
            Some(_) => Err(AppendError::KeyReused(request.key.clone())),
        }
    }

    fn record_due(&mut self, now: Micros, drafts: &mut Vec<Draft>) -> Result<(), AppendError> {
        loop {
            let at = self.next_time(now);
            let Some(record) = self.state.facts.due(at) else { return Ok(()) };
            let draft = self.sequencer_draft(at, record)?;
            self.place(draft, drafts)?;
        }
    }

    /// Data keys are made in pools, so that a new submission does not show, and are durable before the entries that announce them. A key that a
    /// crash left unannounced is announced now; none is used before.
    pub(crate) fn keep_keys_ready(&mut self, now: Micros, drafts: &mut Vec<Draft>) -> Result<(), AppendError> {
        if self.keys_free < KEY_POOL_LOW {
            self.keys.create_pool(KEY_POOL, &mut countersign_sign::os_random).map_err(|e| AppendError::Unavailable(e.to_string()))?;
            self.keys_free = self.keys.free();
        } else if self.keys_announced {
            return Ok(());
        }
        let missing: Vec<_> = self.keys.keys().filter(|k| !self.state.index.announced.contains(&k.key_id)).collect();
        for key in missing {
            self.record_due(now, drafts)?;
            let record = Record::DataKeyCreated(DataKeyCreated { key_id: key.key_id, check: Hash32(key.check) });
            let draft = self.sequencer_draft(self.next_time(now), record)?;
            self.place(draft, drafts)?;
        }
        self.keys_announced = true;
        Ok(())
    }

    fn sequencer_draft(&self, at: Micros, record: Record) -> Result<Draft, AppendError> {
        let sequencer = self.state.facts.principals().find(|p| p.record.roles.contains(&Role::Sequencer) && !p.record.disabled);
        let actor =
            sequencer.map(|p| p.record.id.clone()).ok_or_else(|| AppendError::Unavailable("no sequencer principal is recorded".into()))?;
        Ok(Draft { at, actor, request: format!("timer-{}", self.state.facts.size()), record, key_id: None })
    }

    /// Gives a draft its index and its data key, and lets the facts have it.
    pub(crate) fn place(&mut self, mut draft: Draft, drafts: &mut Vec<Draft>) -> Result<LeafIndex, AppendError> {
        if draft.record.kind() == Kind::Entry {
            draft.key_id = Some(self.key_for(&compartment(&draft.record, draft.at, &self.state.facts))?);
        }
        let index = self.state.facts.size();
        self.state.take_record(index, draft.at, &draft.actor, &draft.request, &draft.record);
        drafts.push(draft);
        Ok(LeafIndex(index))
    }

    /// The data key of a compartment; a new compartment takes a free one, and that is durable before it is used.
    fn key_for(&mut self, compartment: &str) -> Result<u32, AppendError> {
        if let Some(key_id) = self.compartments.get(compartment) {
            return Ok(*key_id);
        }
        let key_id =
            self.keys.assign(compartment, &mut countersign_sign::os_random).map_err(|e| AppendError::Unavailable(e.to_string()))?;
        self.compartments.insert(compartment.to_owned(), key_id);
        self.keys_free = self.keys.free();
        Ok(key_id)
    }

    /// Time strictly increases from entry to entry.
    pub(crate) fn next_time(&self, now: Micros) -> Micros {
        now.max(self.state.last_at.plus(1))
    }

    fn draw_reference(&mut self) -> Result<Reference, AppendError> {
        const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
        let mut bytes = [0; 10];
        self.entropy.fill(&mut bytes).map_err(|e| AppendError::Unavailable(e.to_string()))?;
        let text: String = bytes.iter().filter_map(|b| ALPHABET.get(usize::from(b % 32))).map(|b| char::from(*b)).collect();
        Reference::new(format!("R-{text}")).map_err(|e| AppendError::Unavailable(e.to_string()))
    }

    /// Steps 2 to 4: stage, sign, seal. On `Ok` the entries are committed.
    pub(crate) fn make_durable(&mut self, first: u64, drafts: &[Draft]) -> Result<Commit, SealError> {
        let mut entries = Vec::with_capacity(drafts.len());
        let mut sealed = Vec::with_capacity(drafts.len());
        for (draft, index) in drafts.iter().zip(first..) {
            let key = draft.key_id.map(|id| self.keys.key(id).map(|key| (id, DataKey::new(*key))).ok_or(id)).transpose();
            let key = key.map_err(|id| AppendError::Unavailable(format!("data key {id} is missing")))?;
            let key = key.as_ref().map(|(id, key)| (*id, key));
            sealed.push(seal_draft(draft, index, &self.state.origin_hash, key, &mut *self.entropy).map_err(AppendError::Unavailable)?);
        }
        for (draft, index) in sealed.into_iter().zip(first..) {
            let entry = link(draft, index, self.state.chain.0);
            self.state.take_leaf(&entry.leaf);
            entries.push(entry);
        }
        // Step 2. Stage: durable, and only if nobody staged that index. If we stop after it, recovery signs and seals this very batch.
        let batch = StagedBatch { first_index: first, entries };
        self.store.stage(&batch).map_err(|e| AppendError::Unknown(e.to_string()))?;
        let note = self.seal_patiently()?;
        Ok(Commit { note, entries: batch.entries, size: self.state.size() })
    }

    /// Steps 3 and 4 for the batch that is staged and taken in: what recovery runs too.
    pub(crate) fn seal_staged(&mut self) -> Result<Arc<[u8]>, SealError> {
        let size = self.state.tree.size();
        let checkpoint = Checkpoint { origin: self.state.origin.clone(), size, root: self.state.tree.root() };
        // Step 3. Sign, and check in software what came back before anybody sees it.
        let text = checkpoint.to_text();
        let signatures = self.sign_by_all(&text, size.0)?;
        let lines: Vec<_> = signatures.iter().map(|(key, signature)| (key.name(), key.key_id(), signature.as_slice())).collect();
        let note = note::format_note(&text, &lines).map_err(|e| AppendError::Unknown(e.to_string()))?;
        for (key, _) in &signatures {
            let verified: VerifiedCheckpoint = Checkpoint::verify(note.as_bytes(), key).map_err(|e| AppendError::Unknown(e.to_string()))?;
            debug_assert_eq!(verified.checkpoint(), &checkpoint);
        }
        // Step 4. Seal: durable, and only if nobody sealed that size. If we stop before it, the staged batch has no signature anybody saw, and
        // recovery makes one over the same root. If we stop after it and before the register, the store is ahead of the register, which is
        // allowed, and recovery advances it.
        let head = Head { size: size.0, note: note.into_bytes() };
        self.store.seal(&head).map_err(|e| AppendError::Unknown(e.to_string()))?;
        self.register.advance(&head).map_err(|e| AppendError::Unknown(e.to_string()))?;
        Ok(head.note.into())
    }

    // Step 5. Release acknowledgements with receipts.
    fn acknowledge(&self, placed: Placed, first: u64, drafts: &[Draft], commit: &mut Commit) -> Result<Receipt, AppendError> {
        match placed {
            Placed::Failed(e) => Err(e),
            Placed::Before(index) => self.receipt(index).map(|r| Receipt { repeated: true, ..r }),
            Placed::Draft(place) => {
                let missing = || AppendError::Unknown("the batch lost an entry".into());
                let draft = drafts.get(place).ok_or_else(missing)?;
                let entry = commit.entries.get_mut(place).ok_or_else(missing)?;
                let index = first + place as u64;
                let hashes = self
                    .state
                    .tree
                    .inclusion_proof(tree::LeafIndex(index), TreeSize(commit.size))
                    .map_err(|e| AppendError::Unknown(e.to_string()))?;
                let leaf = entry.leaf.clone();
                Ok(Receipt { index, at: draft.at, record: draft.record.clone(), leaf, hashes, note: commit.note.clone(), repeated: false })
            }
        }
    }
}

/// A commit, as its receipts need it.
pub(crate) struct Commit {
    note: Arc<[u8]>,
    entries: Vec<StoredEntry>,
    size: u64,
}

impl Default for Commit {
    fn default() -> Self {
        Self { note: Arc::new([]), entries: Vec::new(), size: 0 }
    }
}
