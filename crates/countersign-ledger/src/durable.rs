//! What makes a decided batch durable: steps 2 to 5 of ledger-format section 7. Needs no facts and no data keys, so that under load it happens
//! on a thread of its own while the next batch is decided.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use countersign_log::checkpoint::{Checkpoint, VerifiedCheckpoint};
use countersign_log::note;
use countersign_log::tree::NodeHash;
use countersign_log::vkey::VKey;
use countersign_sign::Signer;
use countersign_store::{Head, Register, StagedBatch, Store};

use crate::batch::Draft;
use crate::commit::{Answer, AppendError};
use crate::receipt::Receipt;

/// Where a request of the batch ended up.
pub(crate) enum Placed {
    /// As the draft at this place in the batch.
    Draft(usize),
    /// As the same entry as the request at this place among the requests of the batch.
    Again(usize),
    /// Recorded in an earlier commit.
    Before(u64),
    Failed(AppendError),
}

impl Placed {
    /// A repetition of the request that made the draft at `place`, which is one of those before it in the batch.
    pub(crate) fn again(before: &[Placed], place: u64) -> Self {
        match before.iter().position(|p| matches!(p, Placed::Draft(other) if *other as u64 == place)) {
            Some(position) => Placed::Again(position),
            None => Placed::Failed(lost()),
        }
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
    pub(crate) drafts: Vec<Draft>,
    /// One for each request that is placed as a draft, in order.
    pub(crate) proofs: Vec<Vec<NodeHash>>,
    pub(crate) checkpoint: Checkpoint,
}

impl Decided {
    /// Whether an answer has to be read from the store.
    pub(crate) fn asks_store(&self) -> bool {
        self.placed.iter().any(|p| matches!(p, Placed::Before(_)))
    }

    /// Step 5. The answers, in the order of the requests: with the signed note if the commit was made, or why it was not. `before` gives the
    /// receipt of an earlier commit's entry.
    pub(crate) fn answers(self, note: Result<Arc<[u8]>, AppendError>, before: impl Fn(u64) -> Answer) -> Vec<Answer> {
        let mut answers: Vec<Answer> = Vec::with_capacity(self.placed.len());
        let Made { mut batch, mut drafts, proofs, .. } = self.made;
        let mut proofs = proofs.into_iter();
        for placed in self.placed {
            let answer = match (placed, &note) {
                (Placed::Failed(e), _) => Err(e),
                (_, Err(e)) => Err(e.clone()),
                (Placed::Before(index), _) => before(index).map(|r| Receipt { repeated: true, ..r }),
                (Placed::Again(position), _) => answers.get(position).cloned().unwrap_or_else(|| Err(lost())),
                (Placed::Draft(place), Ok(note)) => match (drafts.get_mut(place), batch.entries.get_mut(place), proofs.next()) {
                    (Some(draft), Some(entry), Some(hashes)) => Ok(Receipt {
                        index: batch.first_index + place as u64,
                        at: draft.at,
                        record: draft.take_record(),
                        leaf: std::mem::take(&mut entry.leaf),
                        hashes,
                        note: note.clone(),
                        repeated: false,
                    }),
                    _ => Err(lost()),
                },
            };
            answers.push(answer);
        }
        answers
    }
}

fn lost() -> AppendError {
    AppendError::Unknown("the batch lost an entry".into())
}

/// The store, the head register and the key.
pub(crate) struct Hands<'a> {
    pub(crate) store: &'a mut dyn Store,
    pub(crate) register: &'a mut dyn Register,
    pub(crate) signer: &'a mut dyn Signer,
    pub(crate) vkey: &'a VKey,
}

impl Hands<'_> {
    /// Steps 2 to 4 of one commit by itself. On `Ok` its entries are committed, under this note.
    pub(crate) fn commit(&mut self, made: &Made) -> Result<Arc<[u8]>, AppendError> {
        if made.drafts.is_empty() {
            return Ok(Arc::new([]));
        }
        self.stage(&made.batch)?;
        let head = self.sign(&made.checkpoint)?;
        self.seal(&head, None)?;
        Ok(head.note.into())
    }

    /// Makes one batch after another durable and hands each to `done` with its note, until no more come or one fails. The one that failed, and
    /// one that was taken up after it, go to `done` with the error, which is returned too.
    pub(crate) fn commit_each<T>(
        &mut self,
        jobs: &Receiver<(Decided, T)>,
        mut done: impl FnMut((Decided, T), Result<Arc<[u8]>, AppendError>),
    ) -> Result<(), AppendError> {
        let mut next: Option<(Decided, T)> = None;
        loop {
            let staged = next.is_some();
            let Some(job) = next.take().or_else(|| jobs.recv().ok()) else { return Ok(()) };
            let made = &job.0.made;
            let signed = if staged { Ok(()) } else { self.stage(&made.batch) }.and_then(|()| self.sign(&made.checkpoint));
            let sealed = signed.and_then(|head| {
                // Whatever was decided meanwhile is staged by the same wait for the disk.
                next = jobs.try_recv().ok();
                self.seal(&head, next.as_ref().map(|(decided, _)| &decided.made.batch)).map(|()| head.note.into())
            });
            let failed = sealed.as_ref().err().cloned();
            done(job, sealed);
            if let Some(e) = failed {
                next.into_iter().for_each(|job| done(job, Err(e.clone())));
                return Err(e);
            }
        }
    }

    /// Step 2. Durable, and only if nobody staged that index. If we stop after it, recovery signs and seals this very batch.
    fn stage(&mut self, batch: &StagedBatch) -> Result<(), AppendError> {
        self.store.stage(batch).map_err(unknown)
    }

    /// Step 3. Signs, and checks in software what came back before anybody sees it.
    pub(crate) fn sign(&mut self, checkpoint: &Checkpoint) -> Result<Head, AppendError> {
        let text = checkpoint.to_text();
        let signature = self.signer.sign(text.as_bytes()).map_err(unknown)?;
        let note = note::format_note(&text, &[(self.vkey.name(), self.vkey.key_id(), signature.as_slice())]).map_err(unknown)?;
        let verified: VerifiedCheckpoint = Checkpoint::verify(note.as_bytes(), self.vkey).map_err(unknown)?;
        debug_assert_eq!(verified.checkpoint(), checkpoint);
        Ok(Head { size: checkpoint.size.0, note: note.into_bytes() })
    }

    /// Step 4. Durable, and only if nobody sealed that size, with the next batch if there is one already; then the register. If we stop before
    /// it, the staged batch has no signature anybody saw, and recovery makes one over the same root. If we stop after it and before the register,
    /// the store is ahead of the register, which is allowed, and recovery advances it.
    pub(crate) fn seal(&mut self, head: &Head, next: Option<&StagedBatch>) -> Result<(), AppendError> {
        match next {
            Some(next) => self.store.seal_and_stage(head, next).map_err(unknown)?,
            None => self.store.seal(head).map_err(unknown)?,
        }
        self.register.advance(head).map_err(unknown)
    }
}

fn unknown(e: impl ToString) -> AppendError {
    AppendError::Unknown(e.to_string())
}
