//! `/api/v1/events`: entries as they are committed, as server-sent events. `Last-Event-ID` is an entry: what comes after it is sent, however long ago it
//! was recorded. Ids are not continuous: what a role may not know of is not there.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use countersign_api::problem::Kind;
use countersign_api::view::{Eyes, visible};
use countersign_entry::ids::LeafIndex;
use countersign_ledger::query::Page;
use http_body_util::channel::{Channel, Sender};
use serde_json::{Value, json};

use super::exports::ranges;
use super::invalid;
use crate::answer::{Failure, Marked, mark};
use crate::app::{App, Asked, Question, Routes, Shared};
use crate::limits::PAGE_ROWS;

/// How often the ledger is looked at for something new. Cases and the like come in batches anyhow, and nothing here decides an access.
const EVERY: Duration = Duration::from_millis(500);
/// What following is called where it is recorded.
const EVENTS: &str = "events";
/// How often a line goes out where nothing happens, so that whoever is in between keeps the connection.
const ALIVE: u32 = 30;

pub(super) fn add(routes: Routes) -> Routes {
    routes.add("GET", "/api/v1/events", events)
}

async fn events(State(app): State<Shared>, Extension(asked): Extension<Asked>, headers: HeaderMap) -> Result<Response, Failure> {
    let after = match headers.get("last-event-id") {
        Some(id) => Some(id.to_str().ok().and_then(|id| id.parse::<u64>().ok()).ok_or_else(|| invalid("Last-Event-ID is an entry."))?),
        None => None,
    };
    let size = app.look(|ledger| Ok(ledger.size())).await?;
    // Of a ledger that was set back, or of another one: whoever goes on from there would hear of nothing and not know it.
    if after.is_some_and(|after| after >= size) {
        return Err(Kind::Cursor
            .problem()
            .saying("The ledger has no such entry: begin again without Last-Event-ID, or from one it has.")
            .into());
    }
    let next = after.map_or(size, |after| after.saturating_add(1));
    app.record_one(&asked, Question { what: EVENTS, subject: format!("from {next}"), rows: 0, as_of: size })?;
    let (sender, channel) = Channel::<Bytes, Infallible>::new(4);
    let marked = app.marking();
    tokio::spawn(follow(Arc::clone(&app), asked, headers, next, sender, Arc::clone(&marked)));
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))];
    Ok(mark((kind, Body::new(channel)).into_response(), &marked.marking))
}

/// What is recorded of a page before it is sent: which entries are in it. A page of nothing but such records is not recorded again: two who follow and
/// may see who asks what would make pages for one another for ever.
fn questions(events: &[Told], reached: u64) -> Vec<Question> {
    if events.iter().all(|told| told.kind == "read" && told.record.get("question").is_some_and(|what| what == EVENTS)) {
        return Vec::new();
    }
    let entries: Vec<u64> = events.iter().map(|told| told.entry.0).collect();
    ranges(&entries).into_iter().map(|(subject, rows)| Question { what: EVENTS, subject, rows, as_of: reached }).collect()
}

/// Sends until nobody listens, the service stops, or what was said of the marking is so no longer: whoever connects again hears of that first. What
/// was shown a while ago is looked at again with every page: cards and keys are revoked, tokens end, and roles are taken away.
async fn follow(
    app: Shared,
    mut asked: Asked,
    headers: HeaderMap,
    mut next: u64,
    mut sender: Sender<Bytes, Infallible>,
    marked: Arc<Marked>,
) {
    let mut stopping = app.stopping.clone();
    let mut quiet = 0;
    loop {
        let Ok(again) = app.again(&asked, "GET", &headers).await else { return };
        asked = again;
        let Ok((events, reached)) = told_after(&app, asked.eyes(), next).await else { return };
        // What cannot be recorded is not sent either; whoever connects again goes on from there.
        if !Arc::ptr_eq(&marked, &app.marking())
            || !questions(&events, reached).into_iter().all(|question| app.record_one(&asked, question).is_ok())
        {
            return;
        }
        let mut out = Vec::new();
        for told in &events {
            let data = json!({ "entry": told.entry, "recorded_at": told.at, "type": told.kind, "record": told.record });
            out.extend_from_slice(format!("id: {}\nevent: {}\ndata: {data}\n\n", told.entry, told.kind).as_bytes());
        }
        let moved = reached > next;
        next = reached;
        quiet = if out.is_empty() { quiet + 1 } else { 0 };
        let chunk = if quiet >= ALIVE { Bytes::from_static(b":\n\n") } else { Bytes::from(out) };
        if quiet >= ALIVE {
            quiet = 0;
        }
        if !chunk.is_empty() && sender.send_data(chunk).await.is_err() {
            return;
        }
        if !moved {
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        } else if *stopping.borrow() {
            return;
        }
    }
}

/// An entry as somebody may hear of it.
pub(crate) struct Told {
    /// Which.
    pub(crate) entry: LeafIndex,
    /// When it was recorded, RFC 3339.
    pub(crate) at: String,
    /// The record's type.
    pub(crate) kind: &'static str,
    /// The record, as far as they may see it.
    pub(crate) record: Value,
}

/// Some of the entries from `next` on that these roles may know of, and where those that were looked at end.
pub(crate) async fn told_after(app: &App, eyes: Eyes, next: u64) -> Result<(Vec<Told>, u64), Failure> {
    app.look(move |ledger| {
        if next >= ledger.size() {
            return Ok((Vec::new(), next));
        }
        let answer = ledger.view().changed(next, None, None, Page { offset: 0, limit: PAGE_ROWS })?;
        let reached = answer.rows.last().map_or(next, |row| row.entry.0 + 1);
        let told = answer.rows.iter().filter_map(|row| {
            let record = visible(&eyes, ledger.facts(), &row.record)?;
            Some(Told { entry: row.entry, at: row.recorded_at.to_string(), kind: row.record.type_name(), record })
        });
        Ok((told.collect(), reached))
    })
    .await
}
