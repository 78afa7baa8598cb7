//! The one thread that writes, its bounded queue, and group commit: at once when idle, in larger batches under load.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::JoinHandle;

use crate::commit::{AppendError, Request};
use crate::limits::{BATCH_MAX, QUEUE_MAX};
use crate::open::Ledger;
use crate::receipt::Receipt;

type Reply = SyncSender<Result<Receipt, AppendError>>;

/// A ledger behind a queue. Dropping it, or [`Writer::stop`], finishes what is queued first.
pub struct Writer {
    queue: Option<SyncSender<(Request, Reply)>>,
    thread: Option<JoinHandle<Ledger>>,
}

/// An answer that is on its way.
pub struct Pending(Receiver<Result<Receipt, AppendError>>);

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
        let (queue, requests) = sync_channel::<(Request, Reply)>(QUEUE_MAX);
        let thread = std::thread::Builder::new().name("sequencer".into()).spawn(move || {
            while let Some(first) = next(&mut ledger, &requests) {
                let (batch, replies) = gather(first, &requests);
                for (answer, reply) in ledger.commit(batch).into_iter().zip(replies) {
                    // A client that went away lost nothing: the entry stands, and its key gives the receipt.
                    drop(reply.send(answer));
                }
            }
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
fn next(ledger: &mut Ledger, requests: &Receiver<(Request, Reply)>) -> Option<(Request, Reply)> {
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
fn gather(first: (Request, Reply), requests: &Receiver<(Request, Reply)>) -> (Vec<Request>, Vec<Reply>) {
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
