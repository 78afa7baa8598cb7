//! The one thread that writes, its bounded queue, and group commit: at once when idle, in larger batches under load, and then the next batch is
//! decided while the last one is sealed on a second thread and the one before made durable on a third.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use countersign_sign::Signer;
use countersign_store::{Register, Store};

use crate::batch::SealedDraft;
use crate::commit::{Answer, AppendError, Asking, Request};
use crate::durable::{Begun, Decided, Hands, SealError, Unsealed};
use crate::limits::{BATCH_MAX, HASHED_AHEAD_MIN, OVERLAP_MIN, OVERLAP_SMALL_MAX, QUEUE_MAX, RUNNING_TIMES, SEAL_ASIDE_MIN};
use crate::nowhere::Nowhere;
use crate::open::Ledger;
use crate::reader::{Reader, Shared};
use crate::receipt::{Receipt, Recorded};

type Reply = Box<dyn FnOnce(Answer) + Send>;
type Work = Box<dyn FnOnce(&mut Ledger) + Send>;
type Batch = (Vec<Asking>, Vec<Reply>);
type Job = (Decided, Vec<Reply>);

/// What waits for the writing thread.
enum Queued {
    Append(Asking, Reply),
    /// Something else that needs the ledger for itself.
    Work(Work),
}

/// How long the second thread is kept when nothing comes.
const IDLE: Duration = Duration::from_millis(2);

/// A ledger behind a queue. Dropping it, or [`Writer::stop`], finishes what is queued first.
pub struct Writer {
    queue: Option<SyncSender<Queued>>,
    thread: Option<JoinHandle<Option<Ledger>>>,
    shared: Arc<Shared>,
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
    pub fn start(ledger: Ledger) -> std::io::Result<Self> {
        Self::run(ledger, None)
    }

    /// As [`Writer::start`], and what time alone makes due is recorded at least so often while nothing else comes.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start_ticking(ledger: Ledger, every: Duration) -> std::io::Result<Self> {
        Self::run(ledger, Some(every))
    }

    fn run(ledger: Ledger, tick: Option<Duration>) -> std::io::Result<Self> {
        let (queue, requests) = sync_channel::<Queued>(QUEUE_MAX);
        let shared = Arc::new(Shared::new(ledger));
        let thread = std::thread::Builder::new().name("sequencer".into()).spawn({
            let shared = Arc::clone(&shared);
            move || {
                let mut ticks = Ticks { every: tick, last: Instant::now() };
                while let Some(first) = next(&shared, &requests, &mut ticks) {
                    serve(&shared, first, &requests);
                }
                let mut ledger = shared.take();
                if let Some(ledger) = &mut ledger {
                    ledger.keep_snapshot(1);
                }
                ledger
            }
        })?;
        Ok(Self { queue: Some(queue), thread: Some(thread), shared })
    }

    /// A way to look at what is committed, from any thread.
    pub fn reader(&self) -> Reader {
        Reader::of(Arc::clone(&self.shared))
    }

    /// Queues a request.
    ///
    /// # Errors
    /// [`AppendError::Busy`] at once where the queue is full: what cannot be taken is refused before it is sequenced.
    pub fn submit(&self, request: Request) -> Result<Pending, AppendError> {
        let (reply, answer) = sync_channel(1);
        // A client that went away lost nothing: the entry stands, and its key gives the receipt.
        self.submit_then(request, move |told| drop(reply.send(told)))?;
        Ok(Pending(answer))
    }

    /// Queues a request whose answer goes to `reply`, on the writing thread or the one beside it, so it has to be quick. A writer that dies drops it
    /// unanswered, which means *unknown*.
    ///
    /// # Errors
    /// As [`Writer::submit`].
    pub fn submit_then(&self, request: Request, reply: impl FnOnce(Answer) + Send + 'static) -> Result<(), AppendError> {
        self.enqueue(Queued::Append(self.asking(request, true), Box::new(reply)))
    }

    /// As [`Writer::submit_then`], for whoever wants no proof of it now: made for each line of a stream, proofs were 3 % of what its profile shows. Its key gives
    /// the receipt.
    ///
    /// # Errors
    /// As [`Writer::submit`].
    pub fn submit_bare(
        &self,
        request: Request,
        reply: impl FnOnce(Result<Recorded, AppendError>) + Send + 'static,
    ) -> Result<(), AppendError> {
        let bare = |answer: Answer| reply(answer.map(|receipt| Recorded { index: receipt.index, repeated: receipt.repeated }));
        self.enqueue(Queued::Append(self.asking(request, false), Box::new(bare)))
    }

    /// Queues something else that needs the ledger for itself, such as a signature. It stops the writing while it runs.
    ///
    /// # Errors
    /// As [`Writer::submit`].
    pub fn with(&self, work: impl FnOnce(&mut Ledger) + Send + 'static) -> Result<(), AppendError> {
        self.enqueue(Queued::Work(Box::new(work)))
    }

    /// Few that wait are hashed by the thread that decides: while it waits for the disk, those that serve have more to do than it.
    fn asking(&self, request: Request, proved: bool) -> Asking {
        Asking::new(request, proved, self.shared.waiting() >= HASHED_AHEAD_MIN)
    }

    fn enqueue(&self, queued: Queued) -> Result<(), AppendError> {
        let stopped = || AppendError::Unknown("the writer stopped".into());
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        let asks = matches!(queued, Queued::Append(..));
        if asks {
            self.shared.comes();
        }
        let sent = queue.try_send(queued);
        if asks && sent.is_err() {
            self.shared.taken(1);
        }
        sent.map_err(|e| match e {
            TrySendError::Full(_) => AppendError::Busy,
            TrySendError::Disconnected(_) => stopped(),
        })
    }

    /// Whether the thread that writes is there. It ends with [`Writer::stop`] alone, unless a defect ended it.
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Finishes what is queued and gives the ledger back. `None` if the thread died, which is a bug.
    pub fn stop(mut self) -> Option<Ledger> {
        self.queue = None;
        self.thread.take().and_then(|t| t.join().ok().flatten())
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

/// When what time makes due was recorded last, where that is this thread's to do.
struct Ticks {
    every: Option<Duration>,
    last: Instant,
}

impl Ticks {
    fn left(&self) -> Option<Duration> {
        self.every.map(|every| every.saturating_sub(self.last.elapsed()))
    }
}

/// What comes next. While it waits it asks a key that is away again, so that a staged batch does not wait for somebody to come, and records what
/// time makes due.
fn next(shared: &Shared, requests: &Receiver<Queued>, ticks: &mut Ticks) -> Option<Queued> {
    loop {
        let retry = shared.write(|ledger| ledger.key_retry())?;
        let Some(pause) = retry.into_iter().chain(ticks.left()).min() else { return requests.recv().ok() };
        match requests.recv_timeout(pause) {
            Ok(first) => return Some(first),
            Err(RecvTimeoutError::Disconnected) => return None,
            // Whether the key is back shows in `key_retry`, and what a tick could not record the next one will.
            Err(RecvTimeoutError::Timeout) if retry.is_some() => drop(shared.write(Ledger::ready)),
            Err(RecvTimeoutError::Timeout) => {
                ticks.last = Instant::now();
                drop(shared.write(Ledger::tick));
            }
        }
    }
}

/// Commits what is waiting, then does the other work that came up.
fn serve(shared: &Shared, first: Queued, requests: &Receiver<Queued>) {
    let mut batch = Batch::default();
    let work = gather(&mut batch, Some(first), requests, shared);
    let work = match batch.0.len() {
        0 => work,
        1..OVERLAP_MIN => {
            let (batch, replies) = batch;
            answer(shared.write(|ledger| ledger.commit_asking(batch)).unwrap_or_default(), replies);
            work
        }
        _ => shared.write(|ledger| overlap(ledger, (batch, work), requests, shared)).flatten(),
    };
    if let Some(work) = work {
        shared.write(work).unwrap_or_default();
    }
}

/// Takes what is waiting into a batch, as much as it has room for, and what other work came behind it. What arrives while a batch is written makes the
/// next one.
fn gather(batch: &mut Batch, first: Option<Queued>, requests: &Receiver<Queued>, shared: &Shared) -> Option<Work> {
    let (before, mut next, mut work) = (batch.0.len(), first, None);
    while let Some(queued) = next.take() {
        match queued {
            Queued::Work(found) => work = Some(found),
            Queued::Append(request, reply) => {
                batch.0.push(request);
                batch.1.push(reply);
                next = if batch.0.len() < BATCH_MAX { requests.try_recv().ok() } else { None };
            }
        }
    }
    shared.taken(batch.0.len() - before);
    work
}

fn answer(answers: Vec<Answer>, replies: Vec<Reply>) {
    for (answer, reply) in answers.into_iter().zip(replies) {
        reply(answer);
    }
}

/// Decides batch after batch here, seals them on a second thread and makes them durable on a third, until little comes, somebody waits to read, an
/// answer needs the store, a snapshot is due, or something fails. Gives back the work that came up.
fn overlap(ledger: &mut Ledger, first: (Batch, Option<Work>), requests: &Receiver<Queued>, shared: &Shared) -> Option<Work> {
    // Here the store is at hand and everything decided is durable, as in [`Ledger::commit`].
    ledger.keep_snapshot(RUNNING_TIMES);
    let (jobs, taken) = sync_channel(1);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let mut lent = Lent::of(ledger);
    let committing = std::thread::Builder::new().name("committer".into()).spawn(move || {
        let committed = lent.commit_each(&taken, &stopped);
        (lent, committed)
    });
    // No thread, no overlap: only slower.
    let aside = Aside::start(ledger).ok();
    let mut line = Line { ledger, jobs, aside, sealing: None, left: Vec::new() };
    let (undecided, work) = line.decide_each(first, requests, &stop, shared);
    // Without jobs to come both threads end.
    let left = std::mem::take(&mut line.left);
    drop(line);
    let died = || SealError::Failed(AppendError::Unknown("the committing thread died".into()));
    let committed = match committing.map(JoinHandle::join) {
        Ok(Ok((lent, committed))) => {
            lent.give_back(ledger);
            committed
        }
        _ => Err((died(), Vec::new())),
    };
    match committed {
        Ok(()) => left.into_iter().for_each(|(decided, replies)| answer(ledger.finish(decided), replies)),
        Err((e, mut unsealed)) => {
            for (decided, replies) in left {
                unsealed.push(Unsealed::of(&decided.made, false));
                answer(decided.answers(Err(e.told()), |_| Err(e.told())), replies);
            }
            ledger.stop(e, unsealed);
        }
    }
    // Nothing of it was decided, so after a failure nothing of it is recorded, and that is what its answers say.
    if let Some((batch, replies)) = undecided {
        answer(ledger.commit_asking(batch), replies);
    }
    work
}

/// Batches on their way from being decided to the thread that makes them durable.
struct Line<'a> {
    ledger: &'a mut Ledger,
    jobs: SyncSender<Job>,
    aside: Option<Aside>,
    /// Who waits for the batch that is being sealed.
    sealing: Option<Vec<Reply>>,
    /// What was not handed over: its answers need the store, or the other thread is gone.
    left: Vec<Job>,
}

impl Line<'_> {
    /// Decides and hands over. Gives back a batch that was not decided, since the committing thread met a failure, and the work that came up.
    fn decide_each(
        &mut self,
        first: (Batch, Option<Work>),
        requests: &Receiver<Queued>,
        stop: &AtomicBool,
        shared: &Shared,
    ) -> (Option<Batch>, Option<Work>) {
        let (mut next, mut small) = (Some(first), 0);
        while let Some(((batch, replies), work)) = next.take() {
            if stop.load(Ordering::Acquire) {
                self.hand_over();
                return (Some((batch, replies)), work);
            }
            small = if batch.len() < OVERLAP_MIN { small + 1 } else { 0 };
            let go_on = self.decide(batch, replies);
            if !go_on || work.is_some() {
                self.hand_over();
                return (None, work);
            }
            if small <= OVERLAP_SMALL_MAX && !shared.is_wanted() && !self.ledger.is_snapshot_due(RUNNING_TIMES) {
                next = self.wait(requests, shared);
            }
        }
        self.hand_over();
        (None, None)
    }

    /// Decides a batch and has it sealed. Whether to go on.
    fn decide(&mut self, batch: Vec<Asking>, replies: Vec<Reply>) -> bool {
        match self.ledger.begin(batch) {
            Err(refused) => {
                answer(refused, replies);
                false
            }
            Ok(begun) if begun.asks_store() => {
                self.hand_over();
                self.seal_here(begun, replies, |line, job| line.left.push(job));
                false
            }
            Ok(begun) if begun.drafts.is_empty() => {
                let answers = self.ledger.complete(begun, Ok(Vec::new()));
                answer(answers.map_or_else(|refused| refused, |decided| decided.answers(Ok(Arc::new([])), |_| Err(lent()))), replies);
                true
            }
            Ok(begun) => {
                let before = self.sealed();
                let here = match &self.aside {
                    Some(aside) if begun.drafts.len() >= SEAL_ASIDE_MIN => match aside.begun.send(begun) {
                        Ok(()) => {
                            self.sealing = Some(replies);
                            None
                        }
                        Err(unsent) => Some((unsent.0, replies)),
                    },
                    _ => Some((begun, replies)),
                };
                // The one before is linked while this one is sealed.
                before.into_iter().for_each(|(sealed, replies)| self.hand_over_sealed(sealed, replies));
                here.into_iter().for_each(|(begun, replies)| self.seal_here(begun, replies, Self::send));
                self.left.is_empty()
            }
        }
    }

    /// What comes next. What is being sealed is handed over first, unless so much waits that it may as well be decided meanwhile.
    fn wait(&mut self, requests: &Receiver<Queued>, shared: &Shared) -> Option<(Batch, Option<Work>)> {
        let mut batch = Batch::default();
        let mut work = gather(&mut batch, requests.try_recv().ok(), requests, shared);
        if work.is_none() && batch.0.len() < SEAL_ASIDE_MIN {
            self.hand_over();
            let patience = if batch.0.is_empty() { IDLE } else { Duration::ZERO };
            work = gather(&mut batch, requests.recv_timeout(patience).ok(), requests, shared);
        }
        (work.is_some() || !batch.0.is_empty()).then_some((batch, work))
    }

    /// Hands over the batch that is being sealed, if there is one.
    fn hand_over(&mut self) {
        self.sealed().into_iter().for_each(|(sealed, replies)| self.hand_over_sealed(sealed, replies));
    }

    /// Waits for the batch that is being sealed, if there is one; none in its place where the sealing thread died.
    fn sealed(&mut self) -> Option<(Option<Sealed>, Vec<Reply>)> {
        let replies = self.sealing.take()?;
        Some((self.aside.as_ref().and_then(|aside| aside.sealed.recv().ok()), replies))
    }

    fn hand_over_sealed(&mut self, sealed: Option<Sealed>, replies: Vec<Reply>) {
        match sealed {
            Some((begun, sealed)) => self.complete(begun, sealed, replies, Self::send),
            None => {
                let e = self.ledger.fail(AppendError::Unknown("the sealing thread died".into()));
                answer(vec![Err(e); replies.len()], replies);
            }
        }
    }

    fn seal_here(&mut self, begun: Begun, replies: Vec<Reply>, then: impl FnOnce(&mut Self, Job)) {
        let sealed = begun.seal(&self.ledger.state.origin_hash, &mut *self.ledger.entropy);
        self.complete(begun, sealed, replies, then);
    }

    fn complete(
        &mut self,
        begun: Begun,
        sealed: Result<Vec<SealedDraft>, AppendError>,
        replies: Vec<Reply>,
        then: impl FnOnce(&mut Self, Job),
    ) {
        match self.ledger.complete(begun, sealed) {
            Ok(decided) => then(self, (decided, replies)),
            Err(refused) => answer(refused, replies),
        }
    }

    fn send(&mut self, job: Job) {
        // In the order they were decided: behind one that nobody takes none is taken.
        if let Err(unsent) = self.jobs.send(job) {
            self.left.push(unsent.0);
        }
    }
}

/// A thread that seals what was begun while the next batch is decided.
struct Aside {
    begun: SyncSender<Begun>,
    sealed: Receiver<Sealed>,
}

type Sealed = (Begun, Result<Vec<SealedDraft>, AppendError>);

impl Aside {
    fn start(ledger: &Ledger) -> std::io::Result<Self> {
        let (begun, work) = sync_channel::<Begun>(1);
        let (done, sealed) = sync_channel(1);
        let (origin_hash, mut entropy) = (ledger.state.origin_hash, ledger.entropy.another());
        std::thread::Builder::new().name("sealer".into()).spawn(move || {
            for begun in work {
                let sealed = begun.seal(&origin_hash, &mut *entropy);
                if done.send((begun, sealed)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { begun, sealed })
    }
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
