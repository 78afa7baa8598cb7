//! From a request to a receipt: idempotency, the ledger's queue, and what its refusals mean to a client.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_api::problem::{Kind, Problem};
use countersign_api::words::neutral_state;
use countersign_conflict::Refusal;
use countersign_conflict::officers::SignatureFault;
use countersign_entry::cose::Sign1;
use countersign_entry::ids::{PrincipalId, RequestKey};
use countersign_entry::record::{Marking, Record};
use countersign_ledger::{AppendError, Receipt, Request};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use crate::answer::{Failure, Recorded};
use crate::app::{App, Asked};

/// Header that names a request for ever.
pub const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Header that asks for what is to be signed; nothing is recorded then.
pub const DRAFT_HEADER: HeaderName = HeaderName::from_static("countersign-draft");
/// Header with the signature of whoever asks.
pub const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("countersign-signature");
/// Header with the signature of a second person, where one is wanted; more than one may be sent.
pub const APPROVAL_HEADER: HeaderName = HeaderName::from_static("countersign-approval");
/// Second signatures a request may carry.
const APPROVALS_MAX: usize = 8;

/// What a request says of signatures.
#[derive(Debug, Clone, Default)]
pub struct Signing {
    /// Whether it asks for what is to be signed.
    pub draft: bool,
    /// The signature of whoever asks, detached: what it is over is made from the request, and the ledger holds one against the other.
    pub signed: Option<Vec<u8>>,
    /// Those of others.
    pub approvals: Vec<Vec<u8>>,
}

impl Signing {
    /// As the headers say.
    ///
    /// # Errors
    /// One of them does not read, or both are there.
    pub fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        let bad = |what: &str| Failure::from(Kind::Validation.problem().saying(what));
        // What no schema says of a header's text.
        let wrong = |what: &str| Failure::from(Kind::Invalid.problem().saying(what));
        let draft = match headers.get(&DRAFT_HEADER).map(|value| value.as_bytes()) {
            None => false,
            Some(b"true") => true,
            Some(_) => return Err(bad("Countersign-Draft is true, or left out.")),
        };
        let detached = |value: &HeaderValue| {
            let sign1 = STANDARD.decode(value.as_bytes()).ok().and_then(|bytes| Sign1::decode(&bytes).ok());
            sign1
                .map(|sign1| Sign1 { payload: None, ..sign1 }.encode())
                .ok_or_else(|| wrong("A signature is a COSE_Sign1 with tag 18, in base64."))
        };
        let all = |name: &HeaderName| headers.get_all(name).iter().take(APPROVALS_MAX + 1).map(detached).collect::<Result<Vec<_>, _>>();
        let (mut own, approvals) = (all(&SIGNATURE_HEADER)?, all(&APPROVAL_HEADER)?);
        if own.len() > 1 || approvals.len() > APPROVALS_MAX || draft && own.len() + approvals.len() > 0 {
            return Err(wrong("A request is a draft, or has one signature of whoever asks and a few of others."));
        }
        Ok(Self { draft, signed: own.pop(), approvals })
    }

    /// Whether there is nothing to sign and no signature.
    pub fn is_none(&self) -> bool {
        !self.draft && self.signed.is_none() && self.approvals.is_empty()
    }
}

/// Requests that are being worked on, each by a hash that nobody outside can aim at. Two that have the same are taken for one, whose second half comes
/// again after a second.
#[derive(Default)]
pub struct InFlight {
    all: Arc<Mutex<HashSet<u64>>>,
    hashed: RandomState,
}

/// Until it is dropped, the same request is refused.
pub struct Worked {
    all: Arc<Mutex<HashSet<u64>>>,
    hash: u64,
    own: (PrincipalId, RequestKey),
}

impl InFlight {
    /// Takes a request as one that is worked on.
    ///
    /// # Errors
    /// [`Kind::KeyInUse`] where it is already.
    pub(crate) fn enter(&self, principal: &PrincipalId, key: &RequestKey) -> Result<Worked, Failure> {
        let own = (principal.clone(), key.clone());
        let hash = self.hashed.hash_one(&own);
        let fresh = self.all.lock().unwrap_or_else(PoisonError::into_inner).insert(hash);
        if fresh { Ok(Worked { all: Arc::clone(&self.all), hash, own }) } else { Err(Failure::from(Kind::KeyInUse).retry_after(1)) }
    }
}

impl Drop for Worked {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.hash);
    }
}

/// The key of a request as the ledger knows it: the client's, for this route alone. The actor scopes it to the principal.
///
/// # Errors
/// There is none, more than one, or it is not 16 to 64 letters, digits, '-' or '_'.
pub fn key(headers: &HeaderMap, asked: &Asked) -> Result<RequestKey, Failure> {
    let missing = || Failure::from(Kind::KeyMissing);
    let mut sent = headers.get_all(&KEY_HEADER).iter();
    let (Some(one), None) = (sent.next(), sent.next()) else { return Err(missing()) };
    let text = one.to_str().map_err(|_| missing())?;
    let fits = (16..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if !fits {
        return Err(missing());
    }
    RequestKey::new([asked.route.scope.as_str(), "-", text].concat()).map_err(|_| missing())
}

/// What keys begin with that are of one route, or of [`LINES`].
pub(crate) fn scope(of: &str) -> String {
    hex::encode(Sha256::digest(of).get(..3).unwrap_or_default())
}

/// What lines of a stream are scoped to that have no key of their own: the first line of the stream `K` is not the single request `K-1`.
const LINES: &str = "lines of a stream";

/// What the keys of such lines begin with, of the stream's key as [`key`] made it; behind it comes the line's number.
pub fn line_keys(stream: &RequestKey) -> String {
    let text = stream.as_str().split_once('-').map_or("", |(_, text)| text);
    format!("{}-{text}-", scope(LINES))
}

impl App {
    /// Records one thing for whoever asks, with their signature where they sent one, and waits for its receipt.
    ///
    /// # Errors
    /// A draft is [`Kind::ToBeSigned`], with what is to be signed; the same request is on its way; or as the ledger says.
    pub(crate) async fn append(&self, asked: &Asked, key: RequestKey, record: Record) -> Result<Recorded, Failure> {
        let worked = self.in_flight.enter(&asked.caller()?.principal, &key)?;
        self.append_entered(asked, &worked, record).await
    }

    /// As [`App::append`], for a request that goes on being worked on when it is recorded.
    ///
    /// # Errors
    /// As [`App::append`].
    pub(crate) async fn append_entered(&self, asked: &Asked, worked: &Worked, record: Record) -> Result<Recorded, Failure> {
        let (actor, key) = worked.own.clone();
        if asked.signing.draft {
            let request = record.canonical_request(&self.origin, actor.as_str(), key.as_str()).map_err(|_| Kind::Validation)?;
            return Err(Problem { request: Some(STANDARD.encode(request)), ..Kind::ToBeSigned.problem() }.into());
        }
        let record = approved(record, &asked.signing.approvals)?;
        let request = Request { actor, key, record, signed: asked.signing.signed.clone() };
        let recorded = self.submit(request, Recorded::of).map_err(|e| self.refused(e, asked))?.await;
        recorded.unwrap_or_else(|_| Err(AppendError::Unknown("the writer stopped".into()))).map_err(|e| self.refused(e, asked))?
    }

    /// Queues one thing; the answer comes when it is durable, with what was `made` of its receipt then. All that waits for the disk waits for that too.
    ///
    /// # Errors
    /// The queue is full, or the writer stopped: nothing was recorded.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        request: Request,
        made: impl FnOnce(Receipt) -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, AppendError>>, AppendError> {
        let (told, answer) = oneshot::channel();
        let (known, marked) = (Arc::clone(&self.known), Arc::clone(&self.marked));
        let marking = self.counted(&request.record);
        let of = marking.clone();
        let handed_in = self.door.submit_then(request, move |recorded| {
            known.heed(&recorded);
            of.iter().for_each(|marking| marked.settle(marking, may_stand(&recorded)));
            // A client that went away lost nothing: the entry stands, and its key gives the receipt.
            drop(told.send(recorded.map(made)));
        });
        if handed_in.is_err() {
            marking.iter().for_each(|marking| self.marked.settle(marking, false));
        }
        handed_in?;
        Ok(answer)
    }

    /// The marking of a record that may be higher than what everything else here is marked with; it counts from now on, until it is
    /// [settled](crate::answer::Highest::settle).
    fn counted(&self, record: &Record) -> Option<Marking> {
        let marking = match record {
            Record::Submission(submission) => Some(submission.marking.clone()),
            other => other.level().filter(|level| *level > self.marked.now().marking.level).map(Marking::from),
        };
        marking.iter().for_each(|marking| self.marked.wait_for(marking.clone()));
        marking
    }

    /// As [`App::submit`] for an access or a question, which change nobody's login, where no proof is told. What is held meanwhile is let go when the answer
    /// comes.
    ///
    /// # Errors
    /// As [`App::submit`].
    pub(crate) fn submit_bare(
        &self,
        request: Request,
        held: impl Send + 'static,
    ) -> Result<oneshot::Receiver<Result<countersign_ledger::Recorded, AppendError>>, AppendError> {
        let (told, answer) = oneshot::channel();
        let marking = self.counted(&request.record);
        let of = marking.clone().map(|marking| (Arc::clone(&self.marked), marking));
        let handed_in = self.door.submit_bare(request, move |recorded| {
            of.iter().for_each(|(marked, marking)| marked.settle(marking, may_stand(&recorded)));
            drop(held);
            drop(told.send(recorded));
        });
        if handed_in.is_err() {
            marking.iter().for_each(|marking| self.marked.settle(marking, false));
        }
        handed_in?;
        Ok(answer)
    }

    /// What a refusal is to a client; what only the operator can mend goes to the log.
    pub(crate) fn refused(&self, e: AppendError, asked: &Asked) -> Failure {
        let failure: Failure = problem_of(&e, asked.sees_why()).into();
        self.metrics.refused(failure.kind());
        if failure.kind().is_some_and(|kind| kind.status() >= 500) {
            tracing::warn!(target: "ledger", kind = failure.kind().map_or("-", Kind::slug), "a request was not recorded");
        }
        failure
    }
}

/// Whether what was handed in stands, or may.
fn may_stand<T>(recorded: &Result<T, AppendError>) -> bool {
    matches!(recorded, Ok(_) | Err(AppendError::Unknown(_)))
}

/// The record with the signatures of others, where records of its type carry any.
fn approved(mut record: Record, signatures: &[Vec<u8>]) -> Result<Record, Failure> {
    let none = match &mut record {
        _ if signatures.is_empty() => return Ok(record),
        Record::List(r) => &mut r.approvals,
        Record::ListItem(r) => &mut r.approvals,
        Record::EmergencyVoucher(r) => &mut r.approvals,
        Record::EmergencyUse(r) => &mut r.approvals,
        _ => {
            return Err(Kind::Validation
                .problem()
                .saying("Nobody else signs this: Countersign-Approval is for lists, what is on them, vouchers and their uses.")
                .into());
        }
    };
    *none = signatures.iter().cloned().map(ByteBuf::from).collect();
    Ok(record)
}

/// The problem of what the ledger said: in fixed words, since its own may name what others hold.
pub fn problem_of(e: &AppendError, sees_why: bool) -> Problem {
    match e {
        AppendError::Malformed(_) => Kind::Validation.problem(),
        AppendError::Refused(refusal) => match refusal {
            Refusal::UnknownPrincipal(_) | Refusal::Role { .. } => Kind::ForbiddenRole.problem(),
            Refusal::Recused => Kind::ForbiddenRecused.problem(),
            Refusal::OtherAgency => Kind::ForbiddenAgency.problem(),
            Refusal::Unknown { what, .. } => Kind::UnknownReference.problem().saying(format!("The {what} it names is not recorded.")),
            Refusal::Exists { what, current, .. } => {
                Kind::Exists.problem().saying(format!("A {what} of this id exists as entry {current}: change it with a PATCH."))
            }
            Refusal::Stale { .. } => Kind::StaleEtag.problem(),
            Refusal::Move { grant, from, to } => {
                let word = |state| if sees_why { countersign_api::words::word_of(&state) } else { neutral_state(state).to_owned() };
                Kind::Move.problem().saying(format!("Grant {grant} is {}; it cannot become {}.", word(*from), word(*to)))
            }
            Refusal::Held { .. } => Kind::Invalid.problem().saying("Nothing was recorded: a legal hold stands."),
            Refusal::Signature(SignatureFault::Unsigned(_) | SignatureFault::Alone | SignatureFault::ApprovalsMissing) => {
                Kind::ToBeSigned.problem()
            }
            Refusal::Signature(_) => Kind::Invalid.problem().saying(format!("Nothing was recorded: {refusal}.")),
            Refusal::Invalid(why) => Kind::Invalid.problem().saying(format!("Nothing was recorded: {why}.")),
        },
        AppendError::KeyReused(_) => Kind::KeyReused.problem(),
        AppendError::Busy => {
            Problem { recorded: Some(false), ..Kind::Overloaded.problem().saying("Nothing was recorded. Try again after a moment.") }
        }
        AppendError::ClockBehind { .. } => Kind::Clock.problem(),
        AppendError::NoRoom => Kind::DiskLow.problem(),
        AppendError::ReadOnly(_) => Kind::ReadOnly.problem(),
        AppendError::Unavailable(_) => Kind::KeyUnavailable.problem(),
        AppendError::Unknown(_) => Kind::Unknown.problem(),
    }
}
