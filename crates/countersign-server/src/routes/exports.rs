//! `/api/v1/exports`, the static files that anybody can check, and `/api/v1/bundles`, evidence of some entries: made behind the service, asked for, looked
//! after, and fetched as one archive.

use std::convert::Infallible;
use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Of};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_api::body::{BundleBody, ExportBody, ExportPlanes};
use countersign_api::marking;
use countersign_api::problem::Kind;
use countersign_entry::record::{Marking, MarkingLevel};
use countersign_ledger::export::Planes;
use http_body_util::channel::{Channel, Sender};
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;

use super::{body, invalid};
use crate::answer::{Failure, mark};
use crate::app::{App, Asked, Question, Routes, Shared};
use crate::bundle::ENTRIES_MAX;
use crate::exports::{State, Wanted};

/// Bytes of an archive that go out at once.
const CHUNK_BYTES: usize = 64 * 1024;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .add("POST", "/api/v1/exports", begin)
        .add("GET", "/api/v1/exports/{id}", show)
        .add("GET", "/api/v1/exports/{id}/file", fetch)
        .add("POST", "/api/v1/bundles", bundle)
        .add("GET", "/api/v1/bundles/{id}", show)
        .add("GET", "/api/v1/bundles/{id}/file", fetch)
}

/// What stands over everything in it.
fn marking_of(app: &App, wanted: &Wanted) -> Marking {
    match wanted {
        // The public plane says nothing about people, models or issuers (ledger-format section 1).
        Wanted::Export(Planes::Public) => Marking { level: MarkingLevel::Unclassified, categories: Vec::new(), dissemination: Vec::new() },
        Wanted::Export(Planes::Both) | Wanted::Bundle(..) => app.marking().clone(),
    }
}

/// Which question it is, and what it is about.
fn words(wanted: &Wanted) -> (&'static str, &'static str, &'static str) {
    match wanted {
        Wanted::Export(Planes::Public) => ("export", "public", "exports"),
        Wanted::Export(Planes::Both) => ("export", "both", "exports"),
        Wanted::Bundle(..) => ("bundle", "entries", "bundles"),
    }
}

async fn begin(Of(app): Of<Shared>, Extension(asked): Extension<Asked>, headers: HeaderMap, bytes: Bytes) -> Result<Response, Failure> {
    let told: ExportBody = body(&headers, &bytes)?;
    let planes = match told.planes {
        ExportPlanes::Public => Planes::Public,
        ExportPlanes::Both => Planes::Both,
    };
    let size = app.look(|ledger| Ok(ledger.size())).await?;
    start(&app, &asked, Wanted::Export(planes), size)
}

/// What whoever asks may see of some entries, with all that proves it.
async fn bundle(Of(app): Of<Shared>, Extension(asked): Extension<Asked>, headers: HeaderMap, bytes: Bytes) -> Result<Response, Failure> {
    let told: BundleBody = body(&headers, &bytes)?;
    let mut entries = told.entries;
    entries.sort_unstable();
    entries.dedup();
    if entries.is_empty() || entries.len() > ENTRIES_MAX {
        return Err(invalid(format!("A bundle is of 1 to {ENTRIES_MAX} entries.")));
    }
    let size = app.look(|ledger| Ok(ledger.size())).await?;
    if entries.iter().any(|entry| *entry >= size) {
        return Err(Kind::UnknownReference.problem().saying("The ledger does not go so far.").into());
    }
    let eyes = asked.eyes();
    start(&app, &asked, Wanted::Bundle(entries, eyes), size)
}

fn start(app: &Shared, asked: &Asked, wanted: Wanted, size: u64) -> Result<Response, Failure> {
    let owner = asked.caller()?.principal.clone();
    let turn = Arc::clone(&app.exports.turn).try_acquire_owned();
    let turn = turn.map_err(|_| Failure::from(Kind::RateLimited.problem().saying("One export is made at a time.")).retry_after(10))?;
    let id = app.exports.begin(&owner, wanted.clone(), size)?;
    let mut response = answer(app, StatusCode::ACCEPTED, &id, &wanted, &State::Making(0));
    let (what, subject, path) = words(&wanted);
    let rows = match &wanted {
        Wanted::Export(_) => usize::try_from(size).unwrap_or(usize::MAX),
        Wanted::Bundle(entries, _) => entries.len(),
    };
    tokio::spawn(make(Arc::clone(app), id.clone(), wanted, turn));
    if let Ok(location) = HeaderValue::from_str(&format!("/api/v1/{path}/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response.extensions_mut().insert(Question { what, subject: subject.to_owned(), rows, as_of: size });
    Ok(response)
}

/// On a handle apart, which stops nobody.
async fn make(app: Shared, id: String, wanted: Wanted, turn: OwnedSemaphorePermit) {
    let banner = marking::banner(&marking_of(&app, &wanted));
    let (work, name) = (Arc::clone(&app), id.clone());
    let made = tokio::task::spawn_blocking(move || {
        let ledger = work.side.fresh()?;
        work.exports.make(&name, &ledger, &wanted, &banner).map_err(|e| {
            tracing::error!(target: "ledger", "an archive cannot be written: {e}");
            Failure::from(Kind::Internal)
        })
    });
    let state = made.await.ok().and_then(Result::ok).map_or(State::Failed, State::Ready);
    app.exports.set(&id, state);
    drop(turn);
}

fn answer(app: &App, status: StatusCode, id: &str, wanted: &Wanted, state: &State) -> Response {
    let (marked, (_, subject, path)) = (marking_of(app, wanted), words(wanted));
    let (word_of_state, done, made) = match state {
        State::Making(done) => ("making", Some(*done), None),
        State::Ready(made) => ("ready", None, Some(made)),
        State::Failed => ("failed", None, None),
    };
    let told = json!({
        "id": id, "planes": matches!(wanted, Wanted::Export(_)).then_some(subject),
        "entries": if let Wanted::Bundle(entries, _) = wanted { Some(entries) } else { None }, "state": word_of_state, "entries_done": done, "size": made.map(|m| m.size), "root": made.map(|m| &m.root),
        "bytes": made.map(|m| m.bytes), "sha256": made.map(|m| &m.sha256), "file": made.map(|_| format!("/api/v1/{path}/{id}/file")),
        "marking": marking::told(&marked, true),
    });
    mark((status, axum::Json(told)).into_response(), &marked)
}

async fn show(Of(app): Of<Shared>, Extension(asked): Extension<Asked>, Path(id): Path<String>) -> Result<Response, Failure> {
    let (wanted, state) = app.exports.find(&asked.caller()?.principal, &id)?;
    Ok(answer(&app, StatusCode::OK, &id, &wanted, &state))
}

/// The archive, a chunk at a time, whatever its length.
async fn fetch(Of(app): Of<Shared>, Extension(asked): Extension<Asked>, Path(id): Path<String>) -> Result<Response, Failure> {
    let (wanted, state) = app.exports.find(&asked.caller()?.principal, &id)?;
    let State::Ready(made) = state else { return Err(Kind::NotFound.into()) };
    let turn = Arc::clone(&app.exports.downloads).try_acquire_owned().map_err(|_| Failure::from(Kind::RateLimited).retry_after(10))?;
    let file = app.exports.open(&id).map_err(|_| Kind::NotFound)?;
    let (sender, channel) = Channel::<Bytes, Infallible>::new(2);
    tokio::spawn(send(Arc::clone(&app), file, sender, turn));
    let (what, subject, _) = words(&wanted);
    let disposition = match wanted {
        Wanted::Export(_) => HeaderValue::from_static("attachment; filename=\"countersign-export.zip\""),
        Wanted::Bundle(..) => HeaderValue::from_static("attachment; filename=\"countersign-bundle.zip\""),
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/zip")),
        (header::CONTENT_LENGTH, HeaderValue::from(made.bytes)),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    let mut response = mark((headers, Body::new(channel)).into_response(), &marking_of(&app, &wanted));
    let rows = usize::try_from(made.size).unwrap_or(usize::MAX);
    response.extensions_mut().insert(Question { what, subject: subject.to_owned(), rows, as_of: made.size });
    Ok(response)
}

/// Sends until it is out, the service stops, or whoever reads does not.
async fn send(app: Shared, mut file: File, mut sender: Sender<Bytes, Infallible>, turn: OwnedSemaphorePermit) {
    let mut stopping = app.stopping.clone();
    loop {
        let read = tokio::task::spawn_blocking(move || {
            let mut chunk = vec![0; CHUNK_BYTES];
            let read = file.read(&mut chunk).unwrap_or(0);
            chunk.truncate(read);
            (file, chunk)
        });
        let Ok((again, chunk)) = read.await else { break };
        file = again;
        if chunk.is_empty() {
            break;
        }
        let sent = tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => break,
            sent = tokio::time::timeout(app.config.limits.request(), sender.send_data(chunk.into())) => sent,
        };
        if !matches!(sent, Ok(Ok(()))) {
            break;
        }
    }
    drop(turn);
}
