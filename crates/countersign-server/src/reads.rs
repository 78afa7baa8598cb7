//! Who looked at whose record becomes an entry. Questions wait in a queue of their own and are recorded a batch at a time, so that an answer does not
//! wait for the disk. While nothing can be recorded they wait, answers go on and say so, until the queue is full. What the ledger refuses for good is
//! counted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};
use countersign_api::problem::Kind;
use countersign_entry::ids::{Line, PrincipalId, RequestKey};
use countersign_entry::record::Read;
use countersign_ledger::{AppendError, Request};
use tokio::sync::mpsc;

use crate::answer::Failure;
use crate::app::Shared;
use crate::limits::{READS_AT_ONCE, READS_PAUSE_MAX, READS_PAUSE_MIN, READS_WAITING_MAX};

/// Header with the asker's own number of the inquiry something is asked under.
pub const INQUIRY_HEADER: HeaderName = HeaderName::from_static("countersign-inquiry");

/// The inquiry something is asked under, where one is named.
///
/// # Errors
/// [`Kind::Validation`] where more than one is, or it is no line of printable ASCII (RFC 9110 section 5.5).
pub fn inquiry(headers: &HeaderMap) -> Result<Option<Line>, Failure> {
    let mut sent = headers.get_all(&INQUIRY_HEADER).iter();
    let (Some(one), more) = (sent.next(), sent.next()) else { return Ok(None) };
    let number = one.to_str().ok().filter(|_| more.is_none()).and_then(|text| Line::new(text).ok());
    number.map(Some).ok_or_else(|| Kind::Validation.problem().saying("Countersign-Inquiry is one line of printable ASCII, once.").into())
}

/// A question and who asked it.
pub struct Asking {
    /// Who.
    pub principal: PrincipalId,
    /// What.
    pub read: Read,
}

/// Where questions wait.
pub struct Reads {
    queue: Mutex<Option<mpsc::Sender<Asking>>>,
    /// Whether they wait for a ledger that takes nothing now.
    held: AtomicBool,
}

impl Reads {
    /// The queue, and its end for [`record_all`].
    pub fn new() -> (Self, mpsc::Receiver<Asking>) {
        let (sender, receiver) = mpsc::channel(READS_WAITING_MAX);
        (Self { queue: Mutex::new(Some(sender)), held: AtomicBool::new(false) }, receiver)
    }

    /// Takes a question.
    ///
    /// Says no where so many wait that the answer has to be kept back.
    #[must_use]
    pub fn record(&self, asking: Asking) -> bool {
        let sender = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        sender.as_ref().is_some_and(|sender| sender.try_send(asking).is_ok())
    }

    /// Whether what is taken waits until the ledger takes entries again.
    pub fn are_held(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }

    /// Takes no more; what waits is recorded.
    pub fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Records what comes, until the queue is closed and empty.
pub async fn record_all(app: Shared, mut waiting: mpsc::Receiver<Asking>) {
    let mut batch = Vec::with_capacity(READS_AT_ONCE);
    while waiting.recv_many(&mut batch, READS_AT_ONCE).await > 0 {
        let mut left: Vec<Request> = batch.drain(..).filter_map(|asking| request(&app, asking)).collect();
        let mut pause = READS_PAUSE_MIN;
        loop {
            left = record(&app, left).await;
            app.reads.held.store(!left.is_empty(), Ordering::Relaxed);
            if left.is_empty() {
                break;
            }
            tokio::time::sleep(pause).await;
            pause = Duration::min(pause.saturating_mul(2), READS_PAUSE_MAX);
        }
    }
}

/// A question under a key it keeps, however often it is tried.
fn request(app: &Shared, asking: Asking) -> Option<Request> {
    let mut bytes = [0; 16];
    let key = getrandom::fill(&mut bytes).ok().and_then(|()| RequestKey::new(format!("read-{}", hex::encode(bytes))).ok());
    if key.is_none() {
        app.metrics.read_unrecorded();
    }
    Some(Request { actor: asking.principal, key: key?, record: asking.read.into(), signed: None })
}

/// Records these in one go; gives back those that are to be tried again.
async fn record(app: &Shared, requests: Vec<Request>) -> Vec<Request> {
    let answers: Vec<_> = requests.into_iter().map(|request| (request.clone(), app.submit_bare(request, ()))).collect();
    let mut again = Vec::new();
    for (request, answer) in answers {
        let recorded = match answer {
            Ok(answer) => answer.await.unwrap_or_else(|_| Err(AppendError::Unknown("the writer stopped".into()))),
            Err(e) => Err(e),
        };
        match recorded {
            Ok(_) => {}
            // Said of this question, so for good.
            Err(AppendError::Malformed(_) | AppendError::Refused(_) | AppendError::KeyReused(_)) => app.metrics.read_unrecorded(),
            Err(_) => again.push(request),
        }
    }
    again
}
