//! Access events as lines of JSON, of any number, with a line of JSON for each as it becomes durable. Only so many wait at once, so memory stays the
//! same however long the stream is, and a client that does not read its results is not read from either.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::{Buf, Bytes, BytesMut};
use countersign_api::body::{AccessBody, LINE_BYTES_MAX};
use countersign_api::problem::{Kind, Problem};
use countersign_entry::ids::{PrincipalId, RequestKey};
use countersign_entry::record::AccessEvent;
use countersign_ledger::{AppendError, Recorded, Request};
use http_body_util::BodyExt as _;
use http_body_util::channel::{Channel, Sender};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::json;
use crate::answer::{Failure, mark};
use crate::app::{Asked, Shared};
use crate::append::line_keys;
use crate::limits::{STREAM_WAITING_MAX, STREAMED_MAX};

/// Bytes of results that go out at once while more come.
const CHUNK_BYTES: usize = 16 * 1024;
/// Chunks of results on their way to the client.
const CHUNKS: usize = 4;
/// How long whoever sends a stream is taken for who they were.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Pause before a line is handed in again where the ledger's queue is full.
const FULL: Duration = Duration::from_millis(5);

/// What came of one line.
#[derive(Serialize)]
struct Outcome<'a> {
    /// Its number, from 1. Empty lines count and have no result.
    line: u64,
    /// Whether it is recorded; null where that is unknown.
    recorded: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    repeated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a Problem>,
}

/// A line on its way: handed in, or why it was not.
enum Line {
    Queued(u64, oneshot::Receiver<Result<Recorded, AppendError>>),
    Failed(u64, Failure),
}

/// Takes a stream in and answers with one. 200 says that lines follow, each with what came of it; none is left out. Who sends it is asked again and again
/// by what the request showed.
pub(super) fn record(app: &Shared, shown: (Asked, HeaderMap), principal: PrincipalId, key: RequestKey, body: Body) -> Response {
    let (lines, results) = mpsc::channel(STREAM_WAITING_MAX);
    let (sender, channel) = Channel::<Bytes, std::convert::Infallible>::new(CHUNKS);
    let give = Give { app: Arc::clone(app), asked: shown.0.clone(), sender, out: Vec::new(), heard: true };
    let take = Take { app: Arc::clone(app), shown, asked_at: Instant::now(), principal, line_keys: line_keys(&key), key, lines, number: 0 };
    tokio::spawn(take.all(body));
    tokio::spawn(give.all(results));
    let response = ([(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"))], Body::new(channel)).into_response();
    mark(response, &app.marking().marking)
}

/// A line of any stream that waits for its receipt, of [`STREAMED_MAX`]. Whoever does not take what they are told holds none: that is their own stream's.
struct Streamed(Arc<AtomicUsize>);

impl Streamed {
    /// One more, where there is room.
    fn one_more(all: &Arc<AtomicUsize>) -> Option<Self> {
        let before = all.fetch_add(1, Ordering::Relaxed);
        let held = Self(Arc::clone(all));
        (before < STREAMED_MAX).then_some(held)
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Reads lines and hands them in.
struct Take {
    app: Shared,
    shown: (Asked, HeaderMap),
    asked_at: Instant,
    principal: PrincipalId,
    key: RequestKey,
    /// What keys of lines begin with that have none of their own.
    line_keys: String,
    lines: mpsc::Sender<Line>,
    number: u64,
}

impl Take {
    async fn all(mut self, mut body: Body) {
        let mut left = BytesMut::new();
        // Of a line that is too long what comes of it is read past, not kept.
        let mut skipping = false;
        // From line to line and not from byte to byte: nobody keeps a stream open by sending one that never ends.
        let patience = self.app.config.limits.request();
        let mut due = tokio::time::Instant::now() + patience;
        loop {
            let frame = match tokio::time::timeout_at(due, body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(None) => break,
                Ok(Some(Err(_))) => return,
                Err(_) => {
                    self.fail(Kind::Timeout.into()).await;
                    return;
                }
            };
            let Ok(mut data) = frame.into_data() else { continue };
            while let Some(end) = memchr::memchr(b'\n', &data) {
                left.extend_from_slice(data.get(..end).unwrap_or_default());
                data.advance(end + 1);
                let line = left.split();
                if !self.line(&line, std::mem::take(&mut skipping)).await {
                    return;
                }
                due = tokio::time::Instant::now() + patience;
            }
            if left.len() + data.len() > LINE_BYTES_MAX {
                skipping = true;
                left.clear();
            }
            if !skipping {
                left.extend_from_slice(&data);
            }
        }
        if skipping || !left.is_empty() {
            self.line(&left.split(), skipping).await;
        }
    }

    /// One line. Whether to go on.
    async fn line(&mut self, line: &[u8], too_long: bool) -> bool {
        self.number += 1;
        if too_long || line.len() > LINE_BYTES_MAX {
            return self.fail(Kind::TooLarge.problem().saying(format!("A line has at most {LINE_BYTES_MAX} bytes.")).into()).await;
        }
        if line.trim_ascii().is_empty() {
            return true;
        }
        if let Err(failure) = self.stands().await {
            self.fail(failure).await;
            return false;
        }
        match self.parse(line) {
            Ok(asked) => self.hand_in(asked, line).await,
            Err(failure) => self.fail(failure).await,
        }
    }

    /// That whoever sends this would be let in now too: keys and cards are revoked while a stream goes on.
    async fn stands(&mut self) -> Result<(), Failure> {
        if self.asked_at.elapsed() >= ASK_AGAIN {
            let (asked, headers) = &self.shown;
            self.app.again(asked, "POST", headers).await?;
            self.asked_at = Instant::now();
        }
        Ok(())
    }

    fn parse(&self, line: &[u8]) -> Result<(RequestKey, AccessEvent), Failure> {
        let told: AccessBody = json(line)?;
        let long = || super::invalid("The key of this line is too long: give it one of its own.");
        let route = self.key.as_str().split_once('-').map_or("", |(route, _)| route);
        let key = match &told.idempotency_key {
            Some(own) => RequestKey::new(format!("{route}-{own}")),
            None => RequestKey::new(format!("{}{}", self.line_keys, self.number)),
        };
        let event = told.event().map_err(|why| super::invalid(format!("The line does not fit: {why}.")))?;
        Ok((key.map_err(|_| long())?, event))
    }

    /// Waits its turn where as many lines of streams wait as may, or the ledger's queue is full: a stream is slowed down, a single request refused.
    /// What a full queue did not take is read from its line once more: kept, it would be copied for each line.
    async fn hand_in(&self, asked: (RequestKey, AccessEvent), line: &[u8]) -> bool {
        let (mut waited, mut asked) = (Duration::ZERO, Some(asked));
        loop {
            // Taken before the event is handed in, so that as many wait as may.
            let Ok(place) = self.lines.reserve().await else { return false };
            let handed_in = match (Streamed::one_more(&self.app.streamed), asked.take().map_or_else(|| self.parse(line), Ok)) {
                (Some(held), Ok((key, event))) => {
                    let request = Request { actor: self.principal.clone(), key, record: event.into(), signed: None };
                    self.app.submit_bare(request, held)
                }
                (None, again) => {
                    asked = again.ok();
                    Err(AppendError::Busy)
                }
                (_, Err(failure)) => {
                    place.send(Line::Failed(self.number, failure));
                    return true;
                }
            };
            match handed_in {
                Ok(answer) => {
                    place.send(Line::Queued(self.number, answer));
                    return true;
                }
                Err(AppendError::Busy) if waited < self.app.config.limits.request() => {
                    drop(place);
                    tokio::time::sleep(FULL).await;
                    waited += FULL;
                }
                Err(e) => {
                    place.send(Line::Failed(self.number, crate::append::problem_of(&e, false).into()));
                    return true;
                }
            }
        }
    }

    async fn fail(&self, failure: Failure) -> bool {
        self.lines.send(Line::Failed(self.number, failure)).await.is_ok()
    }
}

/// Tells results, in the order of the lines.
struct Give {
    app: Shared,
    asked: Asked,
    sender: Sender<Bytes, std::convert::Infallible>,
    out: Vec<u8>,
    /// Whether somebody still listens. What was handed in is recorded all the same.
    heard: bool,
}

impl Give {
    async fn all(mut self, mut lines: mpsc::Receiver<Line>) {
        while let Some(line) = lines.recv().await {
            match line {
                Line::Failed(number, failure) => self.tell(number, Err(failure)),
                Line::Queued(number, mut answer) => {
                    // What is there goes out before anything is waited for.
                    let told = match answer.try_recv() {
                        Ok(told) => told,
                        Err(_) => {
                            self.flush(lines.is_empty()).await;
                            answer.await.unwrap_or_else(|_| Err(AppendError::Unknown("the writer stopped".into())))
                        }
                    };
                    self.tell(number, told.map_err(|e| self.app.refused(e, &self.asked)));
                }
            }
            let idle = lines.is_empty();
            self.flush(idle).await;
        }
        self.flush(true).await;
    }

    fn tell(&mut self, line: u64, told: Result<Recorded, Failure>) {
        self.app.metrics.event(told.is_ok());
        let outcome = match &told {
            Ok(made) => Outcome { line, recorded: Some(true), entry: Some(made.index), repeated: made.repeated, problem: None },
            Err(failure) => {
                Outcome { line, recorded: failure.problem().recorded, entry: None, repeated: false, problem: Some(failure.problem()) }
            }
        };
        // Numbers, booleans and fixed words: nothing in it fails to be JSON.
        serde_json::to_writer(&mut self.out, &outcome).unwrap_or(());
        self.out.push(b'\n');
    }

    async fn flush(&mut self, now: bool) {
        if self.out.is_empty() || (!now && self.out.len() < CHUNK_BYTES) {
            return;
        }
        let chunk = Bytes::from(std::mem::take(&mut self.out));
        if self.heard {
            self.heard = self.sender.send_data(chunk).await.is_ok();
        }
    }
}
