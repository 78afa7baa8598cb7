//! The one thread that writes, its bounded queue, and group commit: at once when idle, in larger batches under load, and then the next batch is
//! decided while the last one is made durable on a second thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use countersign_sign::Signer;
use countersign_store::{Register, Store};

use crate::commit::{Answer, AppendError, Request};
use crate::durable::{Decided, Hands, SealError, Unsealed};
use crate::limits::{BATCH_MAX, OVERLAP_MIN, OVERLAP_SMALL_MAX, QUEUE_MAX};
use crate::nowhere::Nowhere;
use crate::open::Ledger;
use crate::receipt::Receipt;

type Reply = SyncSender<Answer>;
type Queued = (Request, Reply);
type Batch = (Vec<Request>, Vec<Reply>);
type Job = (Decided, Vec<Reply>);

/// How long the second thread is kept when nothing comes.
const IDLE: Duration = Duration::from_millis(2);

/// A ledger behind a queue. Dropping it, or [`Writer::stop`], finishes what is queued first.
pub struct Writer {
    queue: Option<SyncSender<Queued>>,
    thread: Option<JoinHandle<Ledger>>,
}

/// An answer that is on its way.
pub struct Pending(Receiver<Answer>);

impl Pending {
    /// Waits for the answer.
    ///
    /// # Errors
    /// As [`AppendError`] says. A writer that is gone without an answer is [`AppendError::Unknown`].
    pub fn wait(self) -> Result<Receipt, AppendError> {
        self.0.recv().unwrap_or_else(|_| Err(AppendError::Unknown("the writer stopped".into())))
    }
}

impl Writer {
    /// Starts the writing thread.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(mut ledger: Ledger) -> std::io::Result<Self> {
        let (queue, requests) = sync_channel::<Queued>(QUEUE_MAX);
        let thread = std::thread::Builder::new().name("sequencer".into()).spawn(move || {
            while let Some(first) = next(&mut ledger, &requests) {
                let (batch, replies) = gather(first, &requests);
                if batch.len() < OVERLAP_MIN {
                    answer(ledger.commit(batch), replies);
                } else {
                    overlap(&mut ledger, (batch, replies), &requests);
                }
            }
            ledger.keep_snapshot(1);
            ledger
        })?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Queues a request.
    ///
    /// # Errors
    /// [`AppendError::Busy`] at once where the queue is full: what cannot be taken is refused before it is sequenced.
    pub fn submit(&self, request: Request) -> Result<Pending, AppendError> {
        let (reply, answer) = sync_channel(1);
        let stopped = || AppendError::ReadOnly("the writer stopped".into());
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        match queue.try_send((request, reply)) {
            Ok(()) => Ok(Pending(answer)),
            Err(TrySendError::Full(_)) => Err(AppendError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(stopped()),
        }
    }

    /// Finishes what is queued and gives the ledger back. `None` if the thread died, which is a bug.
    pub fn stop(mut self) -> Option<Ledger> {
        self.queue = None;
        self.thread.take().and_then(|t| t.join().ok())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// The next request. While it waits for one it asks a key that is away again, so that a staged batch does not wait for somebody to come.
fn next(ledger: &mut Ledger, requests: &Receiver<Queued>) -> Option<Queued> {
    while let Some(pause) = ledger.key_retry() {
        match requests.recv_timeout(pause) {
            Ok(first) => return Some(first),
            Err(RecvTimeoutError::Disconnected) => return None,
            // Whether it is back shows in `key_retry`.
            Err(RecvTimeoutError::Timeout) => drop(ledger.ready()),
        }
    }
    requests.recv().ok()
}

/// Takes what is waiting, up to a batch. What arrives while a batch is written makes the next one.
fn gather(first: Queued, requests: &Receiver<Queued>) -> Batch {
    let mut batch = vec![first.0];
    let mut replies = vec![first.1];
    while batch.len() < BATCH_MAX {
        match requests.try_recv() {
            Ok((request, reply)) => {
                batch.push(request);
                replies.push(reply);
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    (batch, replies)
}

fn answer(answers: Vec<Answer>, replies: Vec<Reply>) {
    for (answer, reply) in answers.into_iter().zip(replies) {
        // A client that went away lost nothing: the entry stands, and its key gives the receipt.
        drop(reply.send(answer));
    }
}

/// Decides batch after batch here and makes them durable on a second thread, until little comes, an answer needs the store, or something fails.
fn overlap(ledger: &mut Ledger, first: Batch, requests: &Receiver<Queued>) {
    let (jobs, taken) = sync_channel(1);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let mut lent = Lent::of(ledger);
    let committing = std::thread::Builder::new().name("committer".into()).spawn(move || {
        let committed = lent.commit_each(&taken, &stopped);
        (lent, committed)
    });
    let left = decide_each(ledger, first, requests, &jobs, &stop);
    drop(jobs);
    let died = || SealError::Failed(AppendError::Unknown("the committing thread died".into()));
    let committed = match committing.map(JoinHandle::join) {
        Ok(Ok((lent, committed))) => {
            lent.give_back(ledger);
            committed
        }
        _ => Err((died(), Vec::new())),
    };
    match (left, committed) {
        (Left::Nothing, Ok(())) => {}
        (Left::Undecided(batch, replies), Ok(())) => answer(ledger.commit(batch), replies),
        (Left::Decided(decided, replies), Ok(())) => answer(ledger.finish(decided), replies),
        (left, Err((e, mut unsealed))) => {
            if let Left::Decided(decided, replies) = left {
                unsealed.push(Unsealed::of(&decided.made, false));
                answer(decided.answers(Err(e.told()), |_| Err(e.told())), replies);
                ledger.stop(e, unsealed);
            } else {
                ledger.stop(e, unsealed);
                // Nothing of it was decided, so nothing of it is recorded, and that is what its answers say.
                if let Left::Undecided(batch, replies) = left {
                    answer(ledger.commit(batch), replies);
                }
            }
        }
    }
}

/// What is left when batches are handed over no longer.
enum Left {
    Nothing,
    /// Its answers need the store, or the other thread met a failure.
    Decided(Decided, Vec<Reply>),
    /// The other thread met a failure.
    Undecided(Vec<Request>, Vec<Reply>),
}

/// Decides and hands over.
fn decide_each(ledger: &mut Ledger, first: Batch, requests: &Receiver<Queued>, jobs: &SyncSender<Job>, stop: &AtomicBool) -> Left {
    let (mut next, mut small) = (Some(first), 0);
    while let Some((batch, replies)) = next.take() {
        if stop.load(Ordering::Acquire) {
            return Left::Undecided(batch, replies);
        }
        small = if batch.len() < OVERLAP_MIN { small + 1 } else { 0 };
        match ledger.decide(batch) {
            Err(refused) => {
                answer(refused, replies);
                return Left::Nothing;
            }
            Ok(decided) if decided.asks_store() => return Left::Decided(decided, replies),
            Ok(decided) if decided.made.drafts.is_empty() => answer(decided.answers(Ok(Arc::new([])), |_| Err(lent())), replies),
            Ok(decided) => {
                if let Err(unsent) = jobs.send((decided, replies)) {
                    return Left::Decided(unsent.0.0, unsent.0.1);
                }
            }
        }
        if small <= OVERLAP_SMALL_MAX {
            next = requests.recv_timeout(IDLE).ok().map(|first| gather(first, requests));
        }
    }
    Left::Nothing
}

/// Never seen: what needs the store is kept back until the store is here again.
fn lent() -> AppendError {
    AppendError::Unknown("the store was lent to another thread".into())
}

/// Store, register and keys of a ledger, on their way to another thread and back.
struct Lent {
    store: Box<dyn Store>,
    register: Box<dyn Register>,
    signers: Vec<Box<dyn Signer>>,
}

impl Lent {
    fn of(ledger: &mut Ledger) -> Self {
        Self {
            store: std::mem::replace(&mut ledger.store, Box::new(Nowhere)),
            register: std::mem::replace(&mut ledger.register, Box::new(Nowhere)),
            signers: std::mem::take(&mut ledger.signers),
        }
    }

    fn give_back(self, ledger: &mut Ledger) {
        (ledger.store, ledger.register, ledger.signers) = (self.store, self.register, self.signers);
    }

    fn commit_each(&mut self, jobs: &Receiver<Job>, stop: &AtomicBool) -> Result<(), (SealError, Vec<Unsealed>)> {
        let mut hands = Hands { store: &mut *self.store, register: &mut *self.register, signers: &mut self.signers };
        hands.commit_each(jobs, stop, |(decided, replies), note| answer(decided.answers(note, |_| Err(lent())), replies))
    }
}
