//! Answers: rows with the size and root they are true for, one entry, a receipt, a problem.

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_api::marking;
use countersign_api::problem::{Kind, Problem};
use countersign_entry::ids::LeafIndex;
use countersign_entry::record::Marking;
use countersign_ledger::query::Answer;
use countersign_ledger::{Ledger, OpenError, Proof, Receipt};
use countersign_log::tree;
use serde::Serialize;
use serde_json::{Value, json};

use crate::app::{App, Question};

/// Header with the banner line of what an answer holds.
pub const MARKING_HEADER: HeaderName = HeaderName::from_static("countersign-marking");

/// What a problem is sent as (RFC 9457).
pub const PROBLEM: &str = "application/problem+json";

/// A problem on its way out.
#[derive(Debug, Clone)]
pub struct Failure {
    problem: Box<Problem>,
    kind: Option<Kind>,
    retry_after: Option<u32>,
}

impl Failure {
    /// After how many seconds it is worth trying again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Which kind it is.
    pub fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// The problem.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl From<Kind> for Failure {
    fn from(kind: Kind) -> Self {
        Self { problem: Box::new(kind.problem()), kind: Some(kind), retry_after: None }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let kind = Kind::ALL.iter().copied().find(|k| problem.kind.ends_with(&format!(":{}", k.slug())));
        Self { problem: Box::new(problem), kind, retry_after: None }
    }
}

impl From<OpenError> for Failure {
    fn from(e: OpenError) -> Self {
        if let OpenError::Shut { erased: Some(at), .. } = e {
            return Kind::Erased.problem().about(format!("entry {at}")).into();
        }
        // Storage errors name files and offsets, no contents.
        tracing::error!(target: "ledger", "cannot be read: {e}");
        Kind::Internal.into()
    }
}

/// What a problem's body says. It travels beside its response until the trace is known that joins it to the log.
#[derive(Debug, Clone, Serialize)]
pub struct Said {
    /// The problem.
    #[serde(flatten)]
    pub problem: Problem,
    /// What stands beside it: an object, none of whose fields is one of the problem's.
    #[serde(flatten)]
    pub beside: Option<Value>,
}

impl Said {
    /// A response whose body is still to be said.
    pub fn response(self) -> Response {
        let mut response = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Said { problem: *self.problem, beside: None }.response();
        let status = response.status();
        let headers = response.headers_mut();
        // A problem holds nothing of what is recorded.
        headers.insert(MARKING_HEADER, HeaderValue::from_static("UNCLASSIFIED"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Rows of an answer with what they are an answer about, ready to be shown.
pub struct Rows {
    /// The rows, in the reader's words.
    pub rows: Vec<Value>,
    /// Where the next page begins, where there is one.
    pub next: Option<String>,
    /// Size, time, root, completeness.
    pub frame: Frame,
    /// The marking of what the rows are about, where all of it is marked.
    pub marking: Option<Marking>,
    /// What is recorded of the question, where it is to be.
    pub question: Option<(&'static str, String)>,
}

/// What an answer is true for.
#[derive(Debug, Clone)]
pub struct Frame {
    as_of: u64,
    at: String,
    root: String,
    incomplete: Option<String>,
}

impl Frame {
    /// Of an answer.
    pub fn of<Row>(answer: &Answer<Row>) -> Self {
        Self { as_of: answer.as_of, at: answer.at.to_string(), root: answer.root.to_string(), incomplete: answer.incomplete.clone() }
    }

    /// Of the ledger as it stands.
    pub fn now(ledger: &Ledger) -> Self {
        Self::of(&ledger.view().answer(Vec::<()>::new()))
    }

    /// Size it is true for.
    pub fn as_of(&self) -> u64 {
        self.as_of
    }
}

impl Rows {
    /// As a response. `all` says whether the reader may know of everything.
    pub fn response(self, app: &App, all: bool) -> Response {
        let whole = self.marking.is_some();
        let marked = self.marking.unwrap_or_else(|| app.marking().clone());
        let body = json!({
            "rows": self.rows, "next": self.next, "as_of": self.frame.as_of, "as_of_at": self.frame.at, "root": self.frame.root,
            "complete": self.frame.incomplete.is_none(), "complete_for": if all { "everybody" } else { "your role" },
            "incomplete_because": self.frame.incomplete.map(|_| "the ledger takes no entries, or is behind its head register"),
            "marking": marking::told(&marked, whole),
        });
        let mut response = mark(Json(body).into_response(), &marked);
        if let Some((what, subject)) = self.question {
            response.extensions_mut().insert(Question { what, subject, rows: self.rows.len(), as_of: self.frame.as_of });
        }
        response
    }
}

/// One thing, its fields beside what they are true for.
pub struct One {
    /// The fields.
    pub fields: Value,
    /// The entry that holds its newest form, and that entry's ETag.
    pub entry: Option<(LeafIndex, String)>,
    /// Size, time, root.
    pub frame: Frame,
    /// As of [`Rows`].
    pub marking: Option<Marking>,
    /// As of [`Rows`].
    pub question: Option<(&'static str, String)>,
}

impl One {
    /// As a response.
    pub fn response(self, app: &App) -> Response {
        let whole = self.marking.is_some();
        let marked = self.marking.unwrap_or_else(|| app.marking().clone());
        let mut body = self.fields;
        if let Value::Object(fields) = &mut body {
            fields.insert("as_of".into(), self.frame.as_of.into());
            fields.insert("as_of_at".into(), self.frame.at.into());
            fields.insert("root".into(), self.frame.root.into());
            fields.insert("marking".into(), marking::told(&marked, whole));
        }
        let mut response = mark(Json(body).into_response(), &marked);
        if let Some(etag) = self.entry.and_then(|(_, etag)| HeaderValue::from_str(&etag).ok()) {
            response.headers_mut().insert(header::ETAG, etag);
        }
        if let Some((what, subject)) = self.question {
            response.extensions_mut().insert(Question { what, subject, rows: 1, as_of: self.frame.as_of });
        }
        response
    }
}

/// The store's highest marking as answers carry it, made once.
pub struct Marked {
    banner: HeaderValue,
    told: Value,
}

impl Marked {
    /// Of a marking; none where its banner line is no header.
    pub fn of(highest: &Marking) -> Option<Self> {
        Some(Self { banner: HeaderValue::from_str(&marking::banner(highest)).ok()?, told: marking::told(highest, false) })
    }
}

/// Puts the banner line on a response.
pub fn mark(mut response: Response, marking: &Marking) -> Response {
    if let Ok(banner) = HeaderValue::from_str(&marking::banner(marking)) {
        response.headers_mut().insert(MARKING_HEADER, banner);
    }
    response
}

/// The ETag of an entry: its leaf's hash in the tree.
pub fn etag(leaf: &[u8]) -> String {
    format!("\"{}\"", hex_text(&tree::leaf_hash(leaf).0))
}

/// Bytes in hex, at once: `hex::encode` goes character by character, which shows where each answer has a leaf.
fn hex_text(bytes: &[u8]) -> String {
    let mut text = vec![0; bytes.len() * 2];
    // Room for two digits of each byte, so nothing fails; and digits are UTF-8.
    hex::encode_to_slice(bytes, &mut text).unwrap_or(());
    String::from_utf8(text).unwrap_or_default()
}

fn unreadable(e: impl std::fmt::Display) -> Failure {
    tracing::error!(target: "ledger", "a receipt does not read: {e}");
    Kind::Internal.into()
}

/// The size of the checkpoint a receipt stands under: its second line (C2SP tlog-checkpoint).
///
/// # Errors
/// A checkpoint that does not read; a ledger that opened has none such.
pub fn size_of(proof: &Proof) -> Result<u64, Failure> {
    let line = proof.note.split(|b| *b == b'\n').nth(1).unwrap_or_default();
    std::str::from_utf8(line).map_err(unreadable)?.parse().map_err(unreadable)
}

/// What was recorded, as the fields of an answer: where, when, and the receipt.
#[derive(Serialize)]
pub struct Recorded {
    recorded: bool,
    repeated: bool,
    entry: u64,
    at: String,
    size: u64,
    receipt: String,
    leaf: String,
}

impl Recorded {
    /// Of a receipt.
    ///
    /// # Errors
    /// A checkpoint that does not read; a ledger that opened has none such.
    pub fn of(receipt: &Receipt) -> Result<Self, Failure> {
        Ok(Self {
            recorded: true,
            repeated: receipt.repeated,
            entry: receipt.index,
            at: receipt.at.to_string(),
            size: size_of(receipt)?,
            receipt: receipt.tlog_proof().map_err(unreadable)?,
            leaf: hex_text(&receipt.leaf),
        })
    }
}

#[derive(Serialize)]
struct Created<'a> {
    #[serde(flatten)]
    recorded: Recorded,
    #[serde(flatten)]
    fields: Value,
    marking: &'a Value,
}

/// An answer to something that was recorded: 201, where it is, and its receipt. The same request again gets the same, and 200. `fields` is an object, none
/// of whose fields is one of [`Recorded`].
pub fn created(receipt: &Receipt, fields: Value, app: &App) -> Result<Response, Failure> {
    let body = Created { recorded: Recorded::of(receipt)?, fields, marking: &app.marked.told };
    let status = if receipt.repeated { StatusCode::OK } else { StatusCode::CREATED };
    // A receipt of a large ledger has about two thousand bytes; what axum begins with would be moved five times.
    let mut text = Vec::with_capacity(4_096);
    serde_json::to_writer(&mut text, &body).map_err(unreadable)?;
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    // Room for what is put in here and by whoever sends it.
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(MARKING_HEADER, app.marked.banner.clone());
    place(&mut headers, receipt);
    *response.headers_mut() = headers;
    Ok(response)
}

/// Where what was recorded is.
pub fn place(headers: &mut HeaderMap, receipt: &Receipt) {
    if let Ok(location) = HeaderValue::from_str(&format!("/api/v1/log/entries/{}", receipt.index)) {
        headers.insert(header::LOCATION, location);
    }
    if let Ok(etag) = HeaderValue::from_str(&etag(&receipt.leaf)) {
        headers.insert(header::ETAG, etag);
    }
}
