//! What makes a decided batch durable: steps 2 to 5 of ledger-format section 7. Needs no facts and no data keys, so that under load it happens
//! on a thread of its own while the next batch is decided.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Instant;

use countersign_log::checkpoint::{Checkpoint, VerifiedCheckpoint};
use countersign_log::note;
use countersign_log::tree::{LeafHash, NodeHash};
use countersign_log::vkey::VKey;
use countersign_sign::{SignError, Signer};
use countersign_store::{Head, Register, StagedBatch, Store};

use crate::batch::{Draft, SealedDraft, seal_all};
use crate::commit::{Answer, AppendError};
use crate::entropy::Entropy;
use crate::limits::{KEY_RETRY_MAX, KEY_RETRY_MIN, SEAL_PATIENCE};
use crate::receipt::{Proof, Receipt};

/// Where a request of the batch ended up.
pub(crate) enum Placed {
    /// As a draft of the batch.
    Draft {
        /// Its place.
        place: usize,
        /// Whether somebody wants it proved now.
        proved: bool,
    },
    /// As the same entry as the request at this place among the requests of the batch.
    Again(usize),
    /// Recorded in an earlier commit.
    Before(u64),
    Failed(AppendError),
}

impl Placed {
    /// A repetition of the request that made the draft at `again`, which is one of those before it in the batch. Where this one is to be proved that
    /// one is.
    pub(crate) fn again(before: &mut [Placed], again: u64, wanted: bool) -> Self {
        for (position, placed) in before.iter_mut().enumerate() {
            match placed {
                Placed::Draft { place, proved } if *place as u64 == again => {
                    *proved |= wanted;
                    return Placed::Again(position);
                }
                _ => {}
            }
        }
        Placed::Failed(lost())
    }
}

/// A batch whose requests are decided, and that has no bytes yet.
pub(crate) struct Begun {
    pub(crate) placed: Vec<Placed>,
    pub(crate) drafts: Vec<Draft>,
    /// Index of the first draft.
    pub(crate) first: u64,
}

impl Begun {
    /// Whether an answer has to be read from the store.
    pub(crate) fn asks_store(&self) -> bool {
        self.placed.iter().any(|p| matches!(p, Placed::Before(_)))
    }

    /// Its contents, committed to and sealed. Needs neither facts nor chain, so under load it happens on a thread of its own.
    pub(crate) fn seal(&self, origin_hash: &[u8; 32], entropy: &mut dyn Entropy) -> Result<Vec<SealedDraft>, AppendError> {
        seal_all(&self.drafts, self.first, origin_hash, entropy)
    }
}

/// A batch that was decided: where each request ended up, and what there is to make durable.
pub(crate) struct Decided {
    pub(crate) placed: Vec<Placed>,
    pub(crate) made: Made,
}

/// The bytes of a batch (none, if every request was refused or repeated), the root to sign over them, and what receipts need.
pub(crate) struct Made {
    pub(crate) batch: StagedBatch,
    /// Of its leaves.
    pub(crate) hashes: Vec<LeafHash>,
    pub(crate) drafts: Vec<Draft>,
    /// One for each request that is placed as a draft, in order; empty where nobody wants it.
    pub(crate) proofs: Vec<Vec<NodeHash>>,
    pub(crate) checkpoint: Checkpoint,
    /// The keys that sign a tree of this size.
    pub(crate) keys: Vec<VKey>,
}

/// Why a batch is not sealed.
#[derive(Debug, Clone)]
pub(crate) enum SealError {
    /// A key is away. Nobody has seen a signature over this batch, so it can be signed later, and only it.
    KeyAway(String),
    /// What is stored is unknown.
    Failed(AppendError),
}

impl SealError {
    /// What the requests of the batch are told.
    pub(crate) fn told(&self) -> AppendError {
        match self {
            Self::Failed(e) => e.clone(),
            Self::KeyAway(why) => {
                AppendError::Unknown(format!("the signing key is away, and what was asked will be signed when it is back ({why})"))
            }
        }
    }
}

/// A batch that was decided and waits for its signature while a key is away.
pub(crate) struct Unsealed {
    /// The batch, where it is not staged yet. Only the first of those that wait is.
    pub(crate) batch: Option<StagedBatch>,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) keys: Vec<VKey>,
}

impl Unsealed {
    /// What is left to do of a batch.
    pub(crate) fn of(made: &Made, staged: bool) -> Self {
        let batch = (!staged).then(|| made.batch.clone());
        Self { batch, checkpoint: made.checkpoint.clone(), keys: made.keys.clone() }
    }
}

impl Decided {
    /// Step 5. The answers, in the order of the requests: with the signed note if the commit was made, or why it was not. `before` gives the
    /// receipt of an earlier commit's entry.
    pub(crate) fn answers(self, note: Result<Arc<[u8]>, AppendError>, before: impl Fn(u64) -> Answer) -> Vec<Answer> {
        let mut answers: Vec<Answer> = Vec::with_capacity(self.placed.len());
        let Made { mut batch, hashes: leaves, mut drafts, proofs, .. } = self.made;
        let mut proofs = proofs.into_iter();
        let repeated = |receipt| Receipt { repeated: true, ..receipt };
        for placed in self.placed {
            let answer = match (placed, &note) {
                (Placed::Failed(e), _) => Err(e),
                (_, Err(e)) => Err(e.clone()),
                (Placed::Before(index), _) => before(index).map(repeated),
                (Placed::Again(position), _) => answers.get(position).cloned().unwrap_or_else(|| Err(lost())).map(repeated),
                (Placed::Draft { place, .. }, Ok(note)) => {
                    match (drafts.get_mut(place), batch.entries.get_mut(place), leaves.get(place), proofs.next()) {
                        (Some(draft), Some(entry), Some(&leaf_hash), Some(hashes)) => {
                            let leaf = std::mem::take(&mut entry.leaf);
                            let proof = Proof { index: batch.first_index + place as u64, leaf, leaf_hash, hashes, note: note.clone() };
                            Ok(Receipt { proof, at: draft.at, record: draft.take_record(), repeated: false })
                        }
                        _ => Err(lost()),
                    }
                }
            };
            answers.push(answer);
        }
        answers
    }
}

fn lost() -> AppendError {
    AppendError::Unknown("the batch lost an entry".into())
}

/// The store, the head register and the keys that sign.
pub(crate) struct Hands<'a> {
    pub(crate) store: &'a mut dyn Store,
    pub(crate) register: &'a mut dyn Register,
    pub(crate) signers: &'a mut [Box<dyn Signer>],
}

impl Hands<'_> {
    /// Steps 2 to 4 of one commit by itself. On `Ok` its entries are committed, under this note. Where a key is away the batch is staged.
    pub(crate) fn commit(&mut self, made: &Made) -> Result<Arc<[u8]>, SealError> {
        if made.drafts.is_empty() {
            return Ok(Arc::new([]));
        }
        self.stage(&made.batch)?;
        let head = self.sign_patiently(&made.checkpoint, &made.keys)?;
        self.seal(&head, None)?;
        Ok(head.note.into())
    }

    /// Makes one batch after another durable and hands each to `done` with its note, until no more come. From the first that fails on all go to
    /// `done` with the error, and none of those after it is stored; `stop` says so to whoever makes them. What waits for its signature then is
    /// returned with the error, in order.
    pub(crate) fn commit_each<T>(
        &mut self,
        jobs: &Receiver<(Decided, T)>,
        stop: &AtomicBool,
        mut done: impl FnMut((Decided, T), Result<Arc<[u8]>, AppendError>),
    ) -> Result<(), (SealError, Vec<Unsealed>)> {
        let mut next: Option<(Decided, T)> = None;
        loop {
            let staged = next.is_some();
            let Some(job) = next.take().or_else(|| jobs.recv().ok()) else { return Ok(()) };
            let made = &job.0.made;
            let was_staged = if staged { Ok(()) } else { self.stage(&made.batch) };
            let signed = was_staged.and_then(|()| self.sign_patiently(&made.checkpoint, &made.keys));
            let sealed = signed.and_then(|head| {
                // Whatever was decided meanwhile is staged by the same wait for the disk.
                next = jobs.try_recv().ok();
                self.seal(&head, next.as_ref().map(|(decided, _)| &decided.made.batch)).map(|()| head.note.into())
            });
            let Err(e) = sealed else {
                done(job, sealed.map_err(|e: SealError| e.told()));
                continue;
            };
            stop.store(true, Ordering::Release);
            let mut unsealed = vec![Unsealed::of(made, true)];
            done(job, Err(e.told()));
            for job in next.into_iter().chain(jobs.iter()) {
                unsealed.push(Unsealed::of(&job.0.made, false));
                done(job, Err(e.told()));
            }
            return Err((e, unsealed));
        }
    }

    /// Steps 2 to 4 of a batch that waited for a key, asking the key once.
    pub(crate) fn finish(&mut self, unsealed: &mut Unsealed) -> Result<(), SealError> {
        if let Some(batch) = &unsealed.batch {
            self.stage(batch)?;
            unsealed.batch = None;
        }
        let head = self.sign(&unsealed.checkpoint, &unsealed.keys)?;
        self.seal(&head, None)
    }

    /// Step 2. Durable, and only if nobody staged that index. If we stop after it, recovery signs and seals this very batch.
    fn stage(&mut self, batch: &StagedBatch) -> Result<(), SealError> {
        self.store.stage(batch).map_err(failed)
    }

    /// Step 3, asking a key that is away again for a while. Nobody is answered meanwhile.
    fn sign_patiently(&mut self, checkpoint: &Checkpoint, keys: &[VKey]) -> Result<Head, SealError> {
        let began = Instant::now();
        let mut pause = KEY_RETRY_MIN;
        loop {
            match self.sign(checkpoint, keys) {
                Err(SealError::KeyAway(why)) if began.elapsed() + pause > SEAL_PATIENCE => return Err(SealError::KeyAway(why)),
                Err(SealError::KeyAway(_)) => std::thread::sleep(pause),
                done => return done,
            }
            pause = pause.saturating_mul(2).min(KEY_RETRY_MAX);
        }
    }

    /// Step 3. Signs by every key, and checks in software what came back before anybody sees it.
    fn sign(&mut self, checkpoint: &Checkpoint, keys: &[VKey]) -> Result<Head, SealError> {
        let text = checkpoint.to_text();
        let mut signatures = Vec::with_capacity(keys.len());
        for key in keys {
            signatures.push(sign_by(self.signers, key, &text)?);
        }
        let lines: Vec<_> = keys.iter().zip(&signatures).map(|(key, signature)| (key.name(), key.key_id(), signature.as_slice())).collect();
        let note = note::format_note(&text, &lines).map_err(failed)?;
        for key in keys {
            let verified: VerifiedCheckpoint = Checkpoint::verify(note.as_bytes(), key).map_err(failed)?;
            debug_assert_eq!(verified.checkpoint(), checkpoint);
        }
        Ok(Head { size: checkpoint.size.0, note: note.into_bytes() })
    }

    /// Step 4. Durable, and only if nobody sealed that size, with the next batch if there is one already; then the register. If we stop before
    /// it, the staged batch has no signature anybody saw, and recovery makes one over the same root. If we stop after it and before the register,
    /// the store is ahead of the register, which is allowed, and recovery advances it.
    fn seal(&mut self, head: &Head, next: Option<&StagedBatch>) -> Result<(), SealError> {
        match next {
            Some(next) => self.store.seal_and_stage(head, next).map_err(failed)?,
            None => self.store.seal(head).map_err(failed)?,
        }
        self.register.advance(head).map_err(failed)
    }
}

/// A signature by one key of the log, not checked yet.
pub(crate) fn sign_by(signers: &mut [Box<dyn Signer>], key: &VKey, text: &str) -> Result<Vec<u8>, SealError> {
    let signer = signers.iter_mut().find(|s| s.vkey() == key);
    let signer = signer.ok_or_else(|| SealError::KeyAway(format!("nothing here signs as {key}")))?;
    signer.sign(text.as_bytes()).map_err(|e| match e {
        SignError::KeyUnavailable(why) => SealError::KeyAway(why),
        refused @ SignError::Refused(_) => failed(refused),
    })
}

fn failed(e: impl ToString) -> SealError {
    SealError::Failed(AppendError::Unknown(e.to_string()))
}
