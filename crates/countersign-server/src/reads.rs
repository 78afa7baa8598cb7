//! Who looked at whose record becomes an entry. Questions wait in a queue of their own and are recorded a batch at a time, so that an answer does not
//! wait for the disk; what cannot be recorded is counted, and answers go on.

use std::sync::{Arc, Mutex, PoisonError};

use countersign_entry::ids::{PrincipalId, RequestKey};
use countersign_entry::record::Read;
use tokio::sync::mpsc;

use crate::app::Shared;
use crate::limits::{READS_AT_ONCE, READS_WAITING_MAX};

/// A question and who asked it.
pub struct Asking {
    /// Who.
    pub principal: PrincipalId,
    /// What.
    pub read: Read,
}

/// Where questions wait.
pub struct Reads(Mutex<Option<mpsc::Sender<Asking>>>);

impl Reads {
    /// The queue, and its end for [`record_all`].
    pub fn new() -> (Self, mpsc::Receiver<Asking>) {
        let (sender, receiver) = mpsc::channel(READS_WAITING_MAX);
        (Self(Mutex::new(Some(sender))), receiver)
    }

    /// Takes a question.
    ///
    /// Says no where so many wait that the answer has to be kept back.
    #[must_use]
    pub fn record(&self, asking: Asking) -> bool {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sender.as_ref().is_some_and(|sender| sender.try_send(asking).is_ok())
    }

    /// Takes no more; what waits is recorded.
    pub fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Records what comes, until the queue is closed and empty.
pub async fn record_all(app: Shared, mut waiting: mpsc::Receiver<Asking>) {
    let mut batch = Vec::with_capacity(READS_AT_ONCE);
    while waiting.recv_many(&mut batch, READS_AT_ONCE).await > 0 {
        let answers: Vec<_> = batch.drain(..).map(|asking| submit(&app, asking)).collect();
        for answer in answers {
            let recorded = match answer {
                Some(answer) => answer.await.unwrap_or(false),
                None => false,
            };
            if !recorded {
                app.metrics.read_unrecorded();
            }
        }
    }
}

fn submit(app: &Shared, asking: Asking) -> Option<tokio::sync::oneshot::Receiver<bool>> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    let key = RequestKey::new(format!("read-{}", hex::encode(bytes))).ok()?;
    let request = countersign_ledger::Request { actor: asking.principal, key, record: asking.read.into(), signed: None };
    let (told, answer) = tokio::sync::oneshot::channel();
    let known = Arc::clone(&app.known);
    app.door
        .submit_then(request, move |recorded| {
            known.heed(&recorded);
            // Whoever waits for it may be gone with the service.
            told.send(recorded.is_ok()).unwrap_or_default();
        })
        .ok()?;
    Some(answer)
}
