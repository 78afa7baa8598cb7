//! Answers: rows with the size and root they are true for, one entry, a receipt, a problem.

use std::fmt::Write as _;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_api::marking;
use countersign_api::problem::{Kind, Problem};
use countersign_entry::ids::LeafIndex;
use countersign_entry::record::{Marking, Record};
use countersign_entry::time::Micros;
use countersign_ledger::query::Answer;
use countersign_ledger::{Ledger, OpenError, Proof, Receipt, unless_erased};
use countersign_log::tree::{self, LeafHash};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::app::{App, Question};

/// Header with the banner line of what an answer holds.
pub const MARKING_HEADER: HeaderName = HeaderName::from_static("countersign-marking");
/// Header with the same as fields (RFC 9651), for answers that are no JSON.
pub const MARKING_FIELDS_HEADER: HeaderName = HeaderName::from_static("countersign-marking-fields");

/// Header that says `waiting` where the ledger takes nothing now: who asked is recorded when it does.
pub const READ_HEADER: HeaderName = HeaderName::from_static("countersign-read");

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
        Self { kind: problem.which(), problem: Box::new(problem), retry_after: None }
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
        let pause = self.retry_after.or_else(|| self.kind.and_then(pause_after));
        let mut response = Said { problem: *self.problem, beside: None }.response();
        let status = response.status();
        let headers = response.headers_mut();
        // A problem holds nothing of what is recorded.
        headers.insert(MARKING_HEADER, HeaderValue::from_static("UNCLASSIFIED"));
        headers.insert(MARKING_FIELDS_HEADER, HeaderValue::from_static("level=unclassified, categories=(), dissemination=()"));
        if let Some(seconds) = pause {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Seconds after which what is not there now may be, where nobody knows better: what waits for somebody takes longer than what waits for its turn.
fn pause_after(kind: Kind) -> Option<u32> {
    match kind {
        Kind::Overloaded | Kind::Unknown => Some(1),
        kind if kind.status() == 503 => Some(30),
        _ => None,
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
        let marked = self.marking.unwrap_or_else(|| app.marking().marking.clone());
        let question = self.question.map(|(what, subject)| (what, which(&subject, &self.rows, key_of(what)), self.rows.len()));
        let body = json!({
            "rows": self.rows, "next": self.next, "as_of": self.frame.as_of, "as_of_at": self.frame.at, "root": self.frame.root,
            "complete": self.frame.incomplete.is_none(), "complete_for": if all { "everybody" } else { "your role" },
            "incomplete_because": self.frame.incomplete.map(|_| "the ledger takes no entries, or is behind its head register"),
            "marking": marking::told(&marked, whole),
        });
        let mut response = mark(Json(body).into_response(), &marked);
        if let Some((what, subject, rows)) = question {
            response.extensions_mut().insert(Question { what, subject, rows, as_of: self.frame.as_of });
        }
        response
    }
}

/// What was asked about with which of its rows were shown: the first and the last, by the field whose order they are in or that names them. With the
/// size the answer is true for that says which were between.
pub(crate) fn which(subject: &str, rows: &[Value], key: &str) -> String {
    let word = |row: Option<&Value>| {
        row.and_then(|row| row.pointer(key)).map(|named| named.as_str().map_or_else(|| named.to_string(), str::to_owned))
    };
    match (word(rows.first()), word(rows.last())) {
        (Some(first), Some(last)) => format!("{subject} {first}..{last}"),
        _ => subject.to_owned(),
    }
}

/// The field that names a row of an answer.
fn key_of(what: &str) -> &'static str {
    match what {
        "records" => "/record/id",
        "logins" => "/id",
        "grants" | "windows" => "/grant",
        "vouchers" => "/voucher",
        "preclearances" => "/preclearance",
        "cases" => "/case",
        "issuer" | "submission" | "insiders" => "/person",
        _ => "/entry",
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
        let marked = self.marking.unwrap_or_else(|| app.marking().marking.clone());
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

/// A marking as answers carry it; the store's highest is made when it changes.
pub struct Marked {
    /// The marking.
    pub marking: Marking,
    /// As a field of an answer, with a warning where it is the store's.
    pub told: Value,
    /// The same as text.
    text: String,
    banner: HeaderValue,
}

impl Marked {
    /// Of a marking, and whether all it stands over is marked.
    pub fn of(marking: Marking, whole: bool) -> Self {
        let told = marking::told(&marking, whole);
        Self { banner: value(marking::header(&marking)), text: told.to_string(), told, marking }
    }
}

/// The highest marking of what a store holds: the configuration's, with those of all its submissions, and the levels of accesses and designations. One that is handed in counts before it is decided,
/// since it may be seen as soon as it is; one that is refused does not count on.
pub struct Highest(RwLock<Standing>);

struct Standing {
    recorded: Marking,
    waiting: Vec<Marking>,
    shown: Arc<Marked>,
}

impl Highest {
    /// Beginning with what [`highest_of`] found.
    pub fn new(recorded: Marking) -> Self {
        Self(RwLock::new(Standing { shown: Arc::new(Marked::of(recorded.clone(), false)), waiting: Vec::new(), recorded }))
    }

    /// As it is now.
    pub fn now(&self) -> Arc<Marked> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).shown)
    }

    /// A submission with this marking is handed in.
    pub fn wait_for(&self, marking: Marking) {
        self.change(|standing| standing.waiting.push(marking));
    }

    /// It is recorded, or may be; or it was refused.
    pub fn settle(&self, marking: &Marking, recorded: bool) {
        self.change(|standing| {
            if let Some(at) = standing.waiting.iter().position(|waiting| waiting == marking) {
                standing.waiting.swap_remove(at);
            }
            if recorded && let Some(sum) = marking::highest([&standing.recorded, marking]) {
                standing.recorded = sum;
            }
        });
    }

    fn change(&self, how: impl FnOnce(&mut Standing)) {
        let mut standing = self.0.write().unwrap_or_else(PoisonError::into_inner);
        how(&mut standing);
        let sum = marking::highest(std::iter::once(&standing.recorded).chain(&standing.waiting));
        if let Some(sum) = sum.filter(|sum| *sum != standing.shown.marking) {
            standing.shown = Arc::new(Marked::of(sum, false));
        }
    }
}

/// The highest of a marking and those of all submissions a ledger holds, in every form they had, since who sees the log sees those too; and of the levels
/// that accesses and designations have of their own.
///
/// # Errors
/// An earlier form cannot be read.
pub fn highest_of(ledger: &Ledger, least: &Marking) -> Result<Marking, OpenError> {
    let mut found = vec![least.clone()];
    found.extend(ledger.facts().level_marked().map(Marking::from));
    for known in ledger.facts().submissions() {
        found.push(known.record.marking.clone());
        let mut before = known.record.supersedes;
        while let Some(index) = before {
            before = None;
            if let Some((_, _, Record::Submission(earlier))) = unless_erased(ledger.entry(index.0))? {
                found.push(earlier.marking);
                before = earlier.supersedes;
            }
        }
    }
    Ok(marking::highest(&found).unwrap_or_else(|| least.clone()))
}

/// A header's value of printable ASCII, which is what all of these are.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("TOP SECRET"))
}

/// Puts a marking on a response: its banner line, and its fields.
pub fn mark(mut response: Response, marking: &Marking) -> Response {
    response.headers_mut().insert(MARKING_HEADER, value(marking::header(marking)));
    response.headers_mut().insert(MARKING_FIELDS_HEADER, value(marking::header_fields(marking)));
    response
}

/// The ETag of an entry: its leaf's hash in the tree.
pub fn etag(leaf: &[u8]) -> String {
    etag_of(&tree::leaf_hash(leaf))
}

fn etag_of(leaf: &LeafHash) -> String {
    format!("\"{}\"", hex_text(&leaf.0))
}

/// Bytes in hex, many at once: `hex::encode` goes character by character, which shows where each answer has a leaf.
fn hex_text(bytes: &[u8]) -> String {
    // Without a branch or a table, which the compiler makes instructions of that take sixteen.
    let digit = |half: u8| half.wrapping_add(b'0').wrapping_add(u8::from(half > 9).wrapping_mul(b'a' - b'9' - 1));
    let mut text = vec![0; bytes.len() * 2];
    for (to, byte) in text.as_chunks_mut().0.iter_mut().zip(bytes) {
        *to = [digit(byte >> 4), digit(byte & 15)];
    }
    // Digits are UTF-8.
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

/// What was recorded: its receipt, and what each answer says of it. Made where it was made durable, on a thread that has less to do than those that serve.
pub struct Recorded {
    receipt: Receipt,
    /// Where, when and the receipt, as the JSON of an answer begins.
    begun: String,
    location: HeaderValue,
    etag: HeaderValue,
}

impl Deref for Recorded {
    type Target = Receipt;

    fn deref(&self) -> &Receipt {
        &self.receipt
    }
}

impl Recorded {
    /// Of a receipt.
    ///
    /// # Errors
    /// A checkpoint that does not read; a ledger that opened has none such.
    pub fn of(receipt: Receipt) -> Result<Self, Failure> {
        let proof = receipt.tlog_proof().map_err(unreadable)?;
        Ok(Self {
            begun: begin(receipt.repeated, receipt.index, receipt.at, size_of(&receipt)?, &proof, &receipt.leaf),
            location: HeaderValue::try_from(format!("/api/v1/log/entries/{}", receipt.index)).map_err(unreadable)?,
            etag: HeaderValue::try_from(etag_of(&receipt.leaf_hash)).map_err(unreadable)?,
            receipt,
        })
    }

    /// The fields of an answer that say so.
    ///
    /// # Errors
    /// They are no object, which they are.
    pub fn fields(&self) -> Result<Map<String, Value>, Failure> {
        serde_json::from_str(&format!("{}}}", self.begun)).map_err(unreadable)
    }

    /// Where what was recorded is.
    pub fn place(&self, headers: &mut HeaderMap) {
        headers.insert(header::LOCATION, self.location.clone());
        headers.insert(header::ETAG, self.etag.clone());
    }
}

/// The JSON of an answer up to what its route adds to it. By hand, since in half a receipt's two thousand characters there is nothing to be escaped but the
/// ends of its lines, and looking for more was what an access cost most where it is answered.
fn begin(repeated: bool, entry: u64, at: Micros, size: u64, receipt: &str, leaf: &[u8]) -> String {
    let mut text = String::with_capacity(receipt.len() + leaf.len() * 2 + 256);
    let begun = write!(text, r#"{{"recorded":true,"repeated":{repeated},"entry":{entry},"at":"{at}","size":{size},"receipt":""#);
    // Into a text nothing fails.
    begun.unwrap_or(());
    push_lines(&mut text, receipt);
    text.push_str(r#"","leaf":""#);
    text.push_str(&hex_text(leaf));
    text.push('"');
    text
}

/// The rest of it: other fields, and a marking.
fn finish(begun: &str, fields: &Value, marked: &Marked) -> String {
    let mut text = String::with_capacity(begun.len() + marked.text.len() + 256);
    text.push_str(begun);
    for (name, told) in fields.as_object().into_iter().flatten() {
        write!(text, ",{}:{told}", Value::from(name.as_str())).unwrap_or(());
    }
    text.push_str(r#","marking":"#);
    text.push_str(&marked.text);
    text.push('}');
    text
}

/// Appends lines as they stand inside a string of JSON.
fn push_lines(to: &mut String, lines: &str) {
    let ends = memchr::memchr_iter(b'\n', lines.as_bytes());
    let mut from = 0;
    for end in ends.chain([lines.len()]) {
        let line = lines.get(from..end).unwrap_or_default();
        if from > 0 {
            to.push_str("\\n");
        }
        from = end + 1;
        // To the end of the line, come what may: so it is sixteen characters at a time.
        if line.bytes().fold(false, |found, byte| found | (byte < b' ') | (byte == b'"') | (byte == b'\\')) {
            let quoted = Value::from(line).to_string();
            to.push_str(quoted.get(1..quoted.len() - 1).unwrap_or_default());
        } else {
            to.push_str(line);
        }
    }
}

/// An answer to something that was recorded: 201, where it is, and its receipt. The same request again gets the same, and 200. `fields` is an object, none
/// of whose fields is one of [`Recorded`].
pub fn created(recorded: &Recorded, fields: &Value, app: &App) -> Response {
    answered(recorded, StatusCode::CREATED, fields, &app.marking())
}

/// As [`created`], with the status the first answer has, and another marking.
pub fn answered(recorded: &Recorded, first: StatusCode, fields: &Value, marked: &Marked) -> Response {
    let mut response = Response::new(Body::from(finish(&recorded.begun, fields, marked)));
    *response.status_mut() = if recorded.repeated { StatusCode::OK } else { first };
    // Room for what is put in here and by whoever sends it.
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(MARKING_HEADER, marked.banner.clone());
    recorded.place(&mut headers);
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
mod tests {
    use countersign_entry::record::MarkingLevel;

    use super::*;

    #[test]
    fn an_answer_is_the_json_of_its_fields() {
        let marking = Marking { level: MarkingLevel::Cui, categories: vec!["A \"B\"".parse().unwrap()], dissemination: vec![] };
        let marked = Marked::of(marking, false);
        for receipt in ["c2sp.org/tlog-proof@v1\nindex 7\n\nlog.example\n8\n\n— log.example k+x=\n", "a\"b\\c\n\u{1}\t\n\n", ""] {
            for fields in [json!({}), json!({ "reference": "R-2345", "grant": 7, "odd \"name\"": [{ "of": null }] })] {
                let (at, leaf) = ("2026-06-01T09:00:00.000001Z", (0..=255).collect::<Vec<u8>>());
                let begun = begin(false, 7, at.parse().unwrap(), 8, receipt, &leaf);
                let mut expected = json!({
                    "recorded": true, "repeated": false, "entry": 7, "at": at, "size": 8, "receipt": receipt, "leaf": hex::encode(&leaf),
                    "marking": marked.told,
                });
                expected.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
                assert_eq!(serde_json::from_str::<Value>(&finish(&begun, &fields, &marked)).unwrap(), expected);
            }
        }
    }

    #[test]
    fn what_is_not_there_now_says_when_to_come_back() {
        for kind in Kind::ALL.iter().copied() {
            let response = Failure::from(kind).into_response();
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), kind.status() == 503, "{}", kind.slug());
        }
        let response = Failure::from(Kind::Overloaded).retry_after(60).into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "60");
    }
}
