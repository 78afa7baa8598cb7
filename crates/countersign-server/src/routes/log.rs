//! The log: C2SP tlog-tiles at the root, and the same and more by entry under `/api/v1/log`.

use std::ops::Range;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_api::problem::Kind;
use countersign_api::view::visible;
use countersign_entry::ids::{LeafIndex, PersonId};
use countersign_entry::record::MarkingLevel;
use countersign_ledger::query::Page;
use countersign_log::tile::{TileFile, Width};
use countersign_log::tree::{NodeHash, TreeSize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::then::bound;
use super::{Params, RawQuery};
use crate::answer::{Failure, Frame, One, Rows, etag, mark};
use crate::app::{App, Asked, Routes, Shared, entry};
use crate::limits::LOOKED_AT_MAX;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .add("GET", "/checkpoint", checkpoint)
        .add("GET", "/tile/{*path}", tile)
        .add("GET", "/control/{index}", control)
        .add("GET", "/api/v1/log/checkpoints/latest", latest)
        .add("GET", "/api/v1/log/proofs/inclusion", inclusion)
        .add("GET", "/api/v1/log/proofs/consistency", consistency)
        .add("GET", "/api/v1/log/entries", entries)
        .add("GET", "/api/v1/log/entries/{index}", one)
        .add("GET", "/api/v1/log/entries/{index}/receipt", receipt)
        .add("GET", "/api/v1/log/entries/{index}/cose", cose)
}

/// For how long an answer may be kept, and by whom: by whoever is in between only where anybody may ask for it, which is what is published, where anybody
/// may ask at all.
fn kept(app: &App, end: u64, for_ever: bool) -> HeaderValue {
    let published = if app.config.publish.is_none() { u64::MAX } else { app.board.newest().map_or(0, |newest| newest.size) };
    HeaderValue::from_static(match (app.config.anonymous && end <= published, for_ever) {
        // A tile or entry never changes once it is full, and a partial one of a width never does either.
        (true, true) => "public, max-age=31536000, immutable",
        (false, true) => "private, max-age=31536000, immutable",
        // The newest checkpoint is another after the next commit.
        (true, false) => "no-cache",
        (false, false) => "private, no-cache",
    })
}

fn public(bytes: impl Into<axum::body::Body>, kind: &'static str, cache: HeaderValue) -> Response {
    let response = ([(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CACHE_CONTROL, cache)], bytes.into()).into_response();
    // The public plane says nothing about people, models or issuers (ledger-format section 1).
    mark(response, &MarkingLevel::Unclassified.into())
}

/// How far whoever asks may see: whoever sees the public plane alone, as far as is published.
fn reach(app: &App, asked: &Asked) -> Result<u64, Failure> {
    if app.config.publish.is_none() || asked.knows_committed() {
        return Ok(u64::MAX);
    }
    Ok(app.board.newest().ok_or(Kind::KeyUnavailable)?.size)
}

/// The newest published checkpoint: the newest there is, where no cadence is configured.
async fn checkpoint(State(app): State<Shared>, headers: HeaderMap) -> Result<Response, Failure> {
    let note = match (app.config.publish, app.board.newest()) {
        (None, _) => app.look(|ledger| Ok(ledger.head()?)).await?.note,
        (Some(_), Some(published)) => published.note.to_vec(),
        (Some(_), None) => return Err(Kind::KeyUnavailable.into()),
    };
    Ok(signed(note, &headers, kept(&app, 0, false)))
}

/// A checkpoint, or that it is the one the client has (RFC 9110 section 13.1.2): whoever polls for it hears nothing twice.
fn signed(note: Vec<u8>, headers: &HeaderMap, cache: HeaderValue) -> Response {
    let etag = format!("\"{}\"", hex::encode(Sha256::digest(&note)));
    let sent = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let has = sent.flat_map(|value| value.split(',')).map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag);
    let mut response = public(if has { Vec::new() } else { note }, "text/plain; charset=utf-8", cache);
    if has {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    response.headers_mut().extend(HeaderValue::try_from(etag).ok().map(|etag| (header::ETAG, etag)));
    response
}

/// The newest committed checkpoint, for whoever may know of it.
async fn latest(State(app): State<Shared>, Extension(asked): Extension<Asked>, headers: HeaderMap) -> Result<Response, Failure> {
    if !asked.knows_committed() {
        return checkpoint(State(app), headers).await;
    }
    let head = app.look(|ledger| Ok(ledger.head()?)).await?;
    Ok(signed(head.note, &headers, kept(&app, head.size, false)))
}

/// Leaves a tile or bundle reaches to.
fn end_of(file: TileFile) -> Option<u64> {
    let (level, index, width) = match file {
        TileFile::Hashes { level, index, width } => (level, index, width),
        TileFile::Entries { index, width } | TileFile::Sealed { index, width } => (0, index, width),
    };
    let hashes = index.checked_mul(Width::FULL.count().into())?.checked_add(width.count().into())?;
    hashes.checked_mul(u64::from(Width::FULL.count()).checked_pow(level.into())?)
}

async fn tile(State(app): State<Shared>, Extension(asked): Extension<Asked>, Path(path): Path<String>) -> Result<Response, Failure> {
    let file = TileFile::parse(&format!("tile/{path}")).map_err(|_| Kind::NotFound)?;
    let reach = reach(&app, &asked)?;
    let end = end_of(file).filter(|end| *end <= reach).ok_or(Kind::NotFound)?;
    let bytes = app.look(move |ledger| Ok(ledger.tile(file)?)).await?.ok_or(Kind::NotFound)?;
    Ok(public(bytes, "application/octet-stream", kept(&app, end, true)))
}

async fn control(State(app): State<Shared>, Extension(asked): Extension<Asked>, Path(index): Path<String>) -> Result<Response, Failure> {
    let index = within(&app, &asked, &index)?;
    let bytes = app.look(move |ledger| Ok(ledger.control(index.0)?)).await?.ok_or(Kind::NotFound)?;
    Ok(public(bytes, "application/cbor", kept(&app, index.0.saturating_add(1), true)))
}

fn hashes(proof: &[NodeHash]) -> Vec<String> {
    proof.iter().map(|hash| STANDARD.encode(hash.as_bytes())).collect()
}

/// An entry's number out of a path, where whoever asks may know that there is one.
fn within(app: &App, asked: &Asked, index: &str) -> Result<LeafIndex, Failure> {
    let (index, reach) = (entry(index)?, reach(app, asked)?);
    if index.0 < reach { Ok(index) } else { Err(Kind::NotFound.into()) }
}

async fn inclusion(State(app): State<Shared>, Extension(asked): Extension<Asked>, query: RawQuery) -> Result<Response, Failure> {
    let mut params = Params::of(query)?;
    let (index, size) = (params.take::<u64>("index")?, params.take::<u64>("size")?);
    params.end()?;
    let index = index.ok_or_else(|| super::invalid("The parameter index is missing."))?;
    let reach = reach(&app, &asked)?;
    let (fields, size) = app
        .look(move |ledger| {
            let size = size.unwrap_or_else(|| ledger.size().min(reach));
            let proof = ledger.inclusion(index, size).filter(|_| size <= reach).ok_or(Kind::NotFound)?;
            Ok((json!({ "index": index, "size": size, "hashes": hashes(&proof) }), size))
        })
        .await?;
    Ok(public(fields.to_string(), "application/json", kept(&app, size, false)))
}

async fn consistency(State(app): State<Shared>, Extension(asked): Extension<Asked>, query: RawQuery) -> Result<Response, Failure> {
    let mut params = Params::of(query)?;
    let (from, to) = (params.take::<u64>("from")?, params.take::<u64>("to")?);
    params.end()?;
    let from = from.ok_or_else(|| super::invalid("The parameter from is missing."))?;
    let reach = reach(&app, &asked)?;
    let (fields, to) = app
        .look(move |ledger| {
            let to = to.unwrap_or_else(|| ledger.size().min(reach));
            let proof = ledger.consistency(from, to).filter(|_| to <= reach).ok_or(Kind::NotFound)?;
            let root = |size| ledger.root_of(TreeSize(size)).map(|root| root.to_string());
            Ok((json!({ "from": from, "to": to, "from_root": root(from), "to_root": root(to), "hashes": hashes(&proof) }), to))
        })
        .await?;
    Ok(public(fields.to_string(), "application/json", kept(&app, to, false)))
}

/// A receipt: C2SP tlog-proof, with the leaf beside it in base64 where JSON is asked for.
async fn receipt(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(index): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let index = within(&app, &asked, &index)?;
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let (proof, leaf, size) = app
        .look(move |ledger| {
            if index.0 >= ledger.size() {
                return Err(Kind::NotFound.into());
            }
            let proof = ledger.proof(index.0)?;
            let size = crate::answer::size_of(&proof)?;
            Ok((proof.tlog_proof().map_err(|_| Kind::Internal)?, proof.leaf, size))
        })
        .await?;
    let cache = kept(&app, size, true);
    let mut response = if accept.contains("application/json") {
        public(json!({ "index": index, "receipt": proof, "leaf": STANDARD.encode(&leaf) }).to_string(), "application/json", cache)
    } else {
        public(proof, "text/plain; charset=utf-8", cache)
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}

/// A receipt of RFC 9942, for whoever has a COSE library.
async fn cose(State(app): State<Shared>, Extension(asked): Extension<Asked>, Path(index): Path<String>) -> Result<Response, Failure> {
    let index = within(&app, &asked, &index)?;
    let (size, path) = app
        .look(move |ledger| {
            if index.0 >= ledger.size() {
                return Err(Kind::NotFound.into());
            }
            let proof = ledger.proof(index.0)?;
            Ok((crate::answer::size_of(&proof)?, proof.hashes))
        })
        .await?;
    let root = app.cose_root(size).await?;
    Ok(public(root.receipt(index.0, &path), "application/cose; cose-type=\"cose-sign1\"", kept(&app, size, true)))
}

async fn one(State(app): State<Shared>, Extension(asked): Extension<Asked>, Path(index): Path<String>) -> Result<Response, Failure> {
    let index = entry(&index)?;
    let answer = app
        .look(move |ledger| {
            if index.0 >= ledger.size() {
                return Err(Kind::NotFound.into());
            }
            let (leaf, meta, record) = ledger.entry(index.0)?;
            let fields = visible(&asked.eyes(), ledger.facts(), &record).ok_or(Kind::NotFound)?;
            let at = countersign_entry::time::Micros::new(meta.at).map_err(|_| Kind::Internal)?;
            Ok(One {
                fields: json!({ "entry": index, "recorded_at": at.to_string(), "actor": meta.actor, "type": record.type_name(), "record": fields }),
                entry: Some((index, etag(&leaf))),
                frame: Frame::now(ledger),
                marking: None,
                question: Some(("entry", index.to_string())),
            })
        })
        .await?;
    Ok(answer.response(&app))
}

async fn entries(State(app): State<Shared>, Extension(asked): Extension<Asked>, query: RawQuery) -> Result<Response, Failure> {
    let mut params = Params::of(query)?;
    let (kind, person) = (params.take::<String>("type")?, params.take::<PersonId>("person")?);
    let (after, as_of) = (params.take::<u64>("after")?, params.as_of()?);
    let (limit, cursor) = (params.limit()?, params.take::<String>("cursor")?);
    params.end()?;
    let subject = person.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string);
    let question = format!("entries {} {subject} {after:?} {as_of:?} {}", kind.as_deref().unwrap_or("-"), asked.sees_why());
    let since = match cursor {
        Some(cursor) => app.cursors.read(&question, &cursor)?.parse().map_err(|_| Kind::Cursor)?,
        None => after.map_or(0, |after| after.saturating_add(1)),
    };
    // As many as a page has are looked at, whatever their type: a rare one would else be looked for through the whole ledger. Few at once, since a look
    // holds up the next commit; what a person's entries are is asked once.
    let part = if person.is_some() { limit } else { limit.min(LOOKED_AT_MAX) };
    let (person, kind) = (std::sync::Arc::new(person), std::sync::Arc::new(kind));
    let bound = bound(&app, as_of).await?;
    let end = bound.as_ref().map_or(u64::MAX, |(_, size)| *size);
    let (mut all, mut opened, mut since) = (Vec::new(), 0, since);
    let (frame, next) = loop {
        let page = Page { offset: 0, limit: part.min(limit - opened) };
        let looked = look(&app, &asked, since..end, (Arc::clone(&person), Arc::clone(&kind)), page).await?;
        all.extend(looked.rows);
        opened += looked.opened;
        match looked.next {
            Some(next) if opened < limit => since = next,
            next => break (looked.frame, next),
        }
    };
    let frame = bound.map_or(frame, |(frame, _)| frame);
    let next = next.map(|next| app.cursors.make(&question, &next.to_string())).transpose()?;
    let rows = Rows { rows: all, next, frame, marking: None, question: Some(("entries", subject)) };
    Ok(rows.response(&app, asked.sees_all()))
}

/// Some entries that were looked at.
struct Looked {
    rows: Vec<Value>,
    opened: usize,
    /// Where what was not looked at begins, where anything is left.
    next: Option<u64>,
    frame: Frame,
}

type Of = (Arc<Option<PersonId>>, Arc<Option<String>>);

async fn look(app: &App, asked: &Asked, of: Range<u64>, (person, kind): Of, page: Page) -> Result<Looked, Failure> {
    let eyes = asked.eyes();
    app
        .look(move |ledger| {
            let view = ledger.view();
            let mut answer = view.changed(of.start, None, (*person).as_ref(), page)?;
            let looked_at = answer.rows.len();
            answer.rows.retain(|row| of.contains(&row.entry.0));
            answer.more &= answer.rows.len() == looked_at;
            let of_kind = answer.rows.iter().filter(|row| (*kind).as_deref().is_none_or(|kind| row.record.type_name() == kind));
            let shown = of_kind.filter_map(|row| Some((row, visible(&eyes, ledger.facts(), &row.record)?)));
            let rows: Vec<Value> = shown
                .map(|(row, fields)| {
                    json!({ "entry": row.entry, "recorded_at": row.recorded_at.to_string(), "actor": row.actor, "type": row.record.type_name(), "record": fields })
                })
                .collect();
            // What is left out is not counted: the next page begins after the last entry looked at, seen or not.
            let next = answer.rows.last().map(|row| row.entry.0 + 1).filter(|_| answer.more);
            Ok(Looked { rows, opened: answer.rows.len(), next, frame: Frame::of(&answer) })
        })
        .await
}
