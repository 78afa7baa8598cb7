//! The sequencer: one writer, one batch at a time, in the order of ledger-format section 7.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_conflict::Refusal;
use countersign_conflict::officers::By;
use countersign_entry::ids::{Hash32, LeafIndex, PrincipalId, Reference, RequestKey};
use countersign_entry::leaf::Kind;
use countersign_entry::record::{DataKeyCreated, GrantState, PersonStatus, Record, Role};
use countersign_entry::time::Micros;
use countersign_log::checkpoint::Checkpoint;
use countersign_log::tree::LeafIndex as TreeIndex;
use countersign_store::StagedBatch;

use crate::batch::{Draft, SealedDraft, link, seal_all};
use crate::compartments::compartment;
use crate::durable::{Begun, Decided, Hands, Made, Placed};
use crate::limits::{CLOCK_BEHIND_MAX, KEY_POOL, KEY_POOL_LOW, KEY_POOL_MAX, REQUEST_BYTES_MAX, RUNNING_TIMES};
use crate::open::{Ledger, Mode};
use crate::receipt::Receipt;
use crate::state::{Hashes, key_hash, short_hash};

/// What a request gets.
pub(crate) type Answer = Result<Receipt, AppendError>;

/// One thing somebody wants recorded.
#[derive(Debug, Clone)]
pub struct Request {
    /// The authenticated principal.
    pub actor: PrincipalId,
    /// Names the request for ever: the same key later gives the same receipt.
    pub key: RequestKey,
    /// What to record, without what the ledger fills in.
    pub record: Record,
    /// `COSE_Sign1` over the canonical request, by the actor's own key, where they made one.
    pub signed: Option<Vec<u8>>,
}

/// A request that waits to be decided.
pub(crate) struct Asking {
    // In a box, since it changes hands some times on its way, and a batch of hundreds is a list that is made anew each time.
    asked: Box<(Request, Option<Result<Hashes, AppendError>>)>,
    /// Whether it is to be proved in its answer.
    proved: bool,
}

impl Asking {
    /// `ahead`: hashed by whoever hands it in, and not by the thread that decides.
    pub(crate) fn new(request: Request, proved: bool, ahead: bool) -> Self {
        let hashes = ahead.then(|| request.hashes());
        Self { asked: Box::new((request, hashes)), proved }
    }

    fn hashed(self) -> (Request, Result<Hashes, AppendError>) {
        let (request, hashes) = *self.asked;
        let hashes = hashes.unwrap_or_else(|| request.hashes());
        (request, hashes)
    }
}

impl From<Request> for Asking {
    fn from(request: Request) -> Self {
        Self::new(request, true, false)
    }
}

impl Request {
    /// Of who asks under which key, and of what, by which a repetition is known for one.
    fn hashes(&self) -> Result<Hashes, AppendError> {
        let bytes = self.record.request_bytes().map_err(|e| AppendError::Malformed(e.to_string()))?;
        if bytes.len() > REQUEST_BYTES_MAX {
            return Err(AppendError::Malformed(format!("{} bytes; at most {REQUEST_BYTES_MAX} are taken", bytes.len())));
        }
        if self.key.as_str().contains('/') {
            return Err(AppendError::Malformed("an idempotency key has no '/': the ledger numbers parts with it".into()));
        }
        Ok(Hashes { key: key_hash(self.actor.as_str(), self.key.as_str()), asked: short_hash(&bytes) })
    }
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
    /// Hardly any room is left on the disk, and nothing was tried. Nothing was recorded.
    #[error("hardly any room is left on the ledger's disk. Nothing was recorded: make room")]
    NoRoom,
    /// The key or the random source is away. Nothing was recorded.
    #[error("nothing can be recorded: {0}")]
    Unavailable(String),
    /// Storage or signing failed on the way. The entry may or may not be there: open the ledger again and repeat with the same key.
    #[error("unknown whether it was recorded: {0}. Open the ledger again and repeat with the same idempotency key")]
    Unknown(String),
}

impl Ledger {
    /// Decides, records, signs and acknowledges a batch. One answer for each request, in order.
    ///
    /// Every request is decided against the facts at its own index. What follows from it stands right behind it, in the same commit.
    pub fn commit(&mut self, requests: Vec<Request>) -> Vec<Result<Receipt, AppendError>> {
        self.commit_asking(requests.into_iter().map(Asking::from).collect())
    }

    pub(crate) fn commit_asking(&mut self, requests: Vec<Asking>) -> Vec<Answer> {
        // Here the store is at hand and everything decided is durable.
        self.keep_snapshot(RUNNING_TIMES);
        match self.decide(requests) {
            Ok(decided) => self.finish(decided),
            Err(refused) => refused,
        }
    }

    /// Step 1, and the bytes it gives: what is left of the commit needs neither facts nor keys, and may happen on another thread.
    pub(crate) fn decide(&mut self, requests: Vec<Asking>) -> Result<Decided, Vec<Answer>> {
        let begun = self.begin(requests)?;
        let sealed = begun.seal(&self.state.origin_hash, &mut *self.entropy);
        self.complete(begun, sealed)
    }

    /// Step 1. Decides each request against the facts as they stand at its own index. What it gives is to be [completed](Ledger::complete) in this order.
    pub(crate) fn begin(&mut self, requests: Vec<Asking>) -> Result<Begun, Vec<Answer>> {
        self.heed_replay();
        self.keep_index();
        if let Err(e) = self.ready() {
            return Err(self.refuse_new(requests, &e));
        }
        let now = self.clock.now();
        let last = self.state.last_at;
        if now.plus(CLOCK_BEHIND_MAX) < last {
            return Err(self.refuse_new(requests, &AppendError::ClockBehind { now, last }));
        }
        // From the first decision on the facts run ahead of the store. Whatever fails between here and the seal leaves them there, so the handle
        // only reads from then on; a new one rebuilds them from what is stored.
        self.decide_all(requests, now)
    }

    /// Refuses what was not asked before. What was has its receipt, and where it is not known yet whether that stands, it is not said that nothing was
    /// recorded: a client repeats until it knows.
    fn refuse_new(&self, requests: Vec<Asking>, e: &AppendError) -> Vec<Answer> {
        // What the register knows is sealed, and was told to somebody or may have been; of what it does not know yet nothing is certain.
        let sealed = self.register_size().ok().flatten().unwrap_or(0).min(self.size());
        let answer = |asking: Asking| {
            let (request, hashes) = asking.hashed();
            match hashes.and_then(|hashes| self.repeated(&request, hashes))? {
                Asked::New(_) => Err(e.clone()),
                Asked::Before(index) if index < sealed => self.receipt(index).map(|receipt| Receipt { repeated: true, ..receipt }),
                Asked::Before(_) => Err(AppendError::Unknown(format!("it was decided and is not sealed ({e})"))),
            }
        };
        requests.into_iter().map(answer).collect()
    }

    /// The bytes of a batch that was begun, and whose contents were sealed.
    pub(crate) fn complete(&mut self, begun: Begun, sealed: Result<Vec<SealedDraft>, AppendError>) -> Result<Decided, Vec<Answer>> {
        let Begun { placed, drafts, .. } = begun;
        // One before it was not completed, so there is a gap in front of it.
        if let Mode::ReadOnly(why) = &self.mode {
            return Err(refused(placed, &AppendError::ReadOnly(why.clone())));
        }
        match sealed.and_then(|sealed| self.link_all(drafts, sealed, &placed)) {
            Ok(made) => Ok(Decided { placed, made }),
            Err(e) => Err(refused(placed, &self.fail(e))),
        }
    }

    /// Steps 2 to 5 of a commit that was decided.
    pub(crate) fn finish(&mut self, decided: Decided) -> Vec<Answer> {
        let note = self.commit_made(&decided.made);
        decided.answers(note, |index| self.receipt(index))
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
        self.heed_replay();
        let before = self.state.size();
        self.ready()?;
        let now = self.clock.now();
        let mut drafts = Vec::new();
        self.record_due(now, &mut drafts).map_err(|e| self.fail(e))?;
        self.make_durable(drafts)?;
        Ok(self.state.size() - before)
    }

    pub(crate) fn fail(&mut self, e: AppendError) -> AppendError {
        self.mode = Mode::ReadOnly(format!("a commit failed ({e}); open it again"));
        e
    }

    // Step 1. Decide each request against the facts as they stand at its own index; no gap between check and record.
    fn decide_all(&mut self, requests: Vec<Asking>, now: Micros) -> Result<Begun, Vec<Answer>> {
        let mut drafts: Vec<Draft> = Vec::with_capacity(requests.len());
        let mut placed = Vec::with_capacity(requests.len());
        // Not the tree's size: a batch that is being sealed is in the facts and not in the tree.
        let first = self.state.facts.size();
        let mut requests = requests.into_iter();
        while let Some(asking) = requests.next() {
            let proved = asking.proved;
            let (request, hashes) = asking.hashed();
            let next = match hashes.and_then(|hashes| self.repeated(&request, hashes)) {
                Err(e) => Placed::Failed(e),
                Ok(Asked::Before(index)) if index < first => Placed::Before(index),
                Ok(Asked::Before(index)) => Placed::again(&mut placed, index - first, proved),
                Ok(Asked::New(_)) if self.has_no_room() && !takes_away(&request.record) => Placed::Failed(AppendError::NoRoom),
                Ok(Asked::New(hashes)) => match self.decide_one(request, hashes, now, &mut drafts) {
                    Ok(Ok(place)) => Placed::Draft { place, proved },
                    Ok(Err(e)) => Placed::Failed(e),
                    Err(e) => {
                        let e = self.fail(e);
                        let mut answers = refused(placed, &e);
                        answers.push(Err(e.clone()));
                        answers.extend(self.refuse_new(requests.collect(), &e));
                        return Err(answers);
                    }
                },
            };
            placed.push(next);
        }
        Ok(Begun { placed, drafts, first })
    }

    /// The outer error ends the batch, the inner one only this request.
    fn decide_one(
        &mut self,
        request: Request,
        hashes: Hashes,
        now: Micros,
        drafts: &mut Vec<Draft>,
    ) -> Result<Result<usize, AppendError>, AppendError> {
        self.record_due(now, drafts)?;
        let at = self.next_time(now);
        let mut record = request.record;
        record.clear_outcome();
        if let Err(what) = self.check_key_event(&record) {
            return Ok(Err(AppendError::Malformed(what)));
        }
        if let Some(slot) = record.reference_mut() {
            *slot = Some(self.draw_reference()?);
        }
        let by = By { actor: &request.actor, request: request.key.as_str(), signed: request.signed.as_deref(), redacted: false };
        let decided = match self.state.facts.decide(by, at, record) {
            Ok(decided) => decided,
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        let place = drafts.len();
        let (actor, key) = (request.actor, request.key);
        let draft =
            Draft { at, actor: actor.clone(), request: key.as_str().to_owned(), record: decided, signed: request.signed, key: None };
        let index = self.place_asked(draft, Some(hashes), drafts)?;
        let follow = drafts.get(place).map(|cause| self.state.facts.consequences(index, at, &cause.record)).unwrap_or_default();
        for (record, part) in follow.into_iter().zip(1u32..) {
            self.keep_keys_ready(now, drafts)?;
            let at = self.next_time(now);
            self.place(Draft { at, actor: actor.clone(), request: format!("{key}/{part}"), record, signed: None, key: None }, drafts)?;
        }
        Ok(Ok(place))
    }

    /// Has somebody who looks at the disk say when there is hardly any room left on it. Then nothing is recorded but what takes access away, and what time
    /// makes due.
    pub fn heed_room(&mut self, low: Arc<AtomicBool>) {
        self.room_is_low = low;
    }

    pub(crate) fn has_no_room(&self) -> bool {
        self.room_is_low.load(Ordering::Relaxed)
    }

    /// Whether a request was never made before.
    pub(crate) fn is_new(&self, request: &Request) -> Result<bool, AppendError> {
        Ok(matches!(self.repeated(request, request.hashes()?)?, Asked::New(_)))
    }

    /// Whether a request was recorded before, and that it was the same one.
    fn repeated(&self, request: &Request, hashes: Hashes) -> Result<Asked, AppendError> {
        let seen = self.state.index.seen(&hashes.key);
        match seen.map_err(|e| AppendError::Unknown(format!("whether the request was made before cannot be read: {e}")))? {
            None => Ok(Asked::New(hashes)),
            Some(seen) if seen.request == hashes.asked => Ok(Asked::Before(seen.index)),
            Some(_) => Err(AppendError::KeyReused(request.key.clone())),
        }
    }

    fn record_due(&mut self, now: Micros, drafts: &mut Vec<Draft>) -> Result<(), AppendError> {
        loop {
            self.keep_keys_ready(now, drafts)?;
            let at = self.next_time(now);
            let Some(record) = self.state.facts.due(at) else { return Ok(()) };
            let draft = self.sequencer_draft(at, record)?;
            self.place(draft, drafts)?;
        }
    }

    /// Sees to it that there is a free data key for the next record. Keys are made in pools, so that a new submission does not show, and are durable
    /// before the entries that announce them. A key that a crash left unannounced is announced now; none is used before.
    ///
    /// These entries stand wherever a key is needed, also before something that is due or follows from another entry: replay expects them anywhere.
    pub(crate) fn keep_keys_ready(&mut self, now: Micros, drafts: &mut Vec<Draft>) -> Result<(), AppendError> {
        if self.keys_free < KEY_POOL_LOW {
            let count = u32::try_from(self.keys.count() / 8).unwrap_or(KEY_POOL_MAX).clamp(KEY_POOL, KEY_POOL_MAX);
            let made = self.keys.create_pool(count, &mut countersign_sign::os_random);
            self.keys_free += made.map_err(|e| AppendError::Unavailable(e.to_string()))?.len();
        } else if self.keys_announced {
            return Ok(());
        }
        let missing: Vec<_> = self.keys.keys().filter(|k| !self.state.index.announced.contains(&k.key_id)).collect();
        for key in missing {
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
        Ok(Draft { at, actor, request: format!("timer-{}", self.state.facts.size()), record, signed: None, key: None })
    }

    /// Gives a draft its index and its data key, and lets the facts have it.
    pub(crate) fn place(&mut self, draft: Draft, drafts: &mut Vec<Draft>) -> Result<LeafIndex, AppendError> {
        self.place_asked(draft, None, drafts)
    }

    /// [`Ledger::place`] where the hashes of the request are known.
    fn place_asked(&mut self, mut draft: Draft, hashes: Option<Hashes>, drafts: &mut Vec<Draft>) -> Result<LeafIndex, AppendError> {
        if draft.record.kind() == Kind::Entry {
            let key_id = self.key_for(&compartment(&draft.record, draft.at, &self.state.facts))?;
            let key = self.keys.key(key_id).ok_or_else(|| AppendError::Unavailable(format!("data key {key_id} is missing")))?;
            draft.key = Some((key_id, Arc::clone(key)));
        }
        let index = self.state.facts.size();
        self.state.take_record(index, draft.at, &draft.actor, &draft.request, &draft.record, hashes);
        drafts.push(draft);
        Ok(LeafIndex(index))
    }

    /// The data key of a compartment; a new compartment takes the first free one.
    fn key_for(&mut self, compartment: &str) -> Result<u32, AppendError> {
        if let Some(key_id) = self.state.compartments.key_of(compartment) {
            return Ok(key_id);
        }
        let free = self.keys.ids_above(self.state.compartments.last()).next();
        let key_id = free.ok_or_else(|| AppendError::Unavailable("no free data key is left".into()))?;
        self.state.compartments.take(compartment, key_id);
        self.keys_free = self.keys_free.saturating_sub(1);
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

    /// The bytes of a batch whose contents are sealed: linked, and the root to be signed over them.
    fn link_all(&mut self, drafts: Vec<Draft>, sealed: Vec<SealedDraft>, placed: &[Placed]) -> Result<Made, AppendError> {
        let first = self.state.size();
        let (mut entries, mut hashes) = (Vec::with_capacity(drafts.len()), Vec::with_capacity(drafts.len()));
        for (draft, index) in sealed.into_iter().zip(first..) {
            let entry = link(draft, index, self.state.chain.0);
            hashes.push(self.state.take_leaf(&entry.leaf));
            entries.push(entry);
        }
        let size = self.state.tree.size();
        let prove = |placed: &Placed| match placed {
            Placed::Draft { place, proved: true } => Some(self.state.tree.inclusion_proof(TreeIndex(first + *place as u64), size)),
            Placed::Draft { proved: false, .. } => Some(Ok(Vec::new())),
            _ => None,
        };
        let proofs = placed.iter().filter_map(prove).collect::<Result<_, _>>();
        let proofs = proofs.map_err(|e| AppendError::Unknown(e.to_string()))?;
        let keys = self.state.keys.signing(size.0).cloned().collect();
        Ok(Made { batch: StagedBatch { first_index: first, entries }, hashes, drafts, proofs, checkpoint: self.checkpoint(), keys })
    }

    /// Steps 2 to 4 for drafts that nobody waits for. On `Ok` they are committed.
    pub(crate) fn make_durable(&mut self, drafts: Vec<Draft>) -> Result<(), AppendError> {
        let sealed = seal_all(&drafts, self.state.size(), &self.state.origin_hash, &mut *self.entropy);
        let made = sealed.and_then(|sealed| self.link_all(drafts, sealed, &[])).map_err(|e| self.fail(e))?;
        self.commit_made(&made).map(drop)
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint { origin: self.state.origin.clone(), size: self.state.tree.size(), root: self.state.tree.root() }
    }

    pub(crate) fn hands(&mut self) -> Hands<'_> {
        Hands { store: &mut *self.store, register: &mut *self.register, signers: &mut self.signers }
    }
}

/// What becomes of a batch of which nothing is recorded. A repetition of what was recorded before is not told that it was not.
fn refused(placed: Vec<Placed>, e: &AppendError) -> Vec<Answer> {
    let answer = |placed| match placed {
        Placed::Failed(own) => Err(own),
        Placed::Before(_) => Err(AppendError::Unknown(format!("it was asked before, and the ledger has to be opened again ({e})"))),
        Placed::Draft { .. } | Placed::Again(_) => Err(e.clone()),
    };
    placed.into_iter().map(answer).collect()
}

/// Whether a record is one by which access is taken from somebody, and that gives none to anybody: what takes the place of a recusal or of something on a
/// list may say less than that did.
fn takes_away(record: &Record) -> bool {
    match record {
        Record::GrantTransition(t) => {
            matches!(t.to, GrantState::Denied | GrantState::Suspended | GrantState::Revoked | GrantState::Departed)
        }
        Record::Person(p) => p.status == PersonStatus::Former,
        Record::Principal(p) => p.disabled,
        Record::Recusal(r) => r.supersedes.is_none(),
        Record::ListItem(r) => r.supersedes.is_none(),
        Record::CredentialRevoked(_) | Record::OfficerRevoked(_) => true,
        _ => false,
    }
}

/// What is known of a request before it is decided.
enum Asked {
    /// Nothing; its hashes.
    New(Hashes),
    /// It was recorded as this entry.
    Before(u64),
}
