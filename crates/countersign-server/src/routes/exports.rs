//! `/api/v1/exports`, the static files that anybody can check, `/api/v1/bundles`, evidence of some entries, and `/api/v1/reports`, answers in the form
//! somebody outside asks for: made behind the service, asked for, looked after, and fetched as one archive. That it is asked for is an entry of its own, under
//! the caller's key, before anything is made: so the same request has one receipt, for ever, and begins one archive.

use std::convert::Infallible;
use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Of};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_api::body::{BundleBody, ExportBody, ExportPlanes, ReportBody, ReportKind};
use countersign_api::marking;
use countersign_api::problem::Kind;
use countersign_entry::ids::{RequestKey, SubmissionId};
use countersign_entry::limits::LINE_BYTES_MAX;
use countersign_entry::record::{Marking, MarkingLevel};
use countersign_ledger::export::Planes;
use countersign_ledger::{Ledger, unless_erased};
use http_body_util::channel::{Channel, Sender};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::OwnedSemaphorePermit;

use super::{body, invalid};
use crate::answer::{Failure, Marked, answered, mark};
use crate::app::{App, Asked, Question, Routes, Shared};
use crate::append::key;
use crate::bundle::ENTRIES_MAX;
use crate::exports::{State, Wanted};
use crate::report::{Report, TEMPLATES, Template, What};

/// Bytes of an archive that go out at once.
const CHUNK_BYTES: usize = 64 * 1024;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .add("POST", "/api/v1/exports", begin)
        .add("GET", "/api/v1/exports", |app, asked| own(app, asked, "export"))
        .add("GET", "/api/v1/exports/{id}", show)
        .add("GET", "/api/v1/exports/{id}/file", fetch)
        .add("POST", "/api/v1/bundles", bundle)
        .add("GET", "/api/v1/bundles", |app, asked| own(app, asked, "bundle"))
        .add("GET", "/api/v1/bundles/{id}", show)
        .add("GET", "/api/v1/bundles/{id}/file", fetch)
        .add("GET", "/api/v1/reports", kinds)
        .add("POST", "/api/v1/reports", report)
        .add("GET", "/api/v1/reports/{id}", show)
        .add("GET", "/api/v1/reports/{id}/file", fetch)
}

/// What stands over everything in it.
fn marking_of(app: &App, wanted: &Wanted) -> Marking {
    match wanted {
        // The public plane says nothing about people, models or issuers (ledger-format section 1).
        Wanted::Export(Planes::Public) => MarkingLevel::Unclassified.into(),
        Wanted::Report(Report { marking: Some(marking), .. }) => marking.clone(),
        Wanted::Export(Planes::Both) | Wanted::Bundle(..) | Wanted::Report(_) => app.marking().marking.clone(),
    }
}

/// What it is called in paths and names of files.
fn family(wanted: &Wanted) -> &'static str {
    match wanted {
        Wanted::Export(_) => "export",
        Wanted::Bundle(..) => "bundle",
        Wanted::Report(_) => "report",
    }
}

/// What is recorded of whoever fetches it: of a bundle which entries it shows, in as many questions as it takes to say so.
fn questions(wanted: &Wanted, size: u64) -> Vec<Question> {
    let all = usize::try_from(size).unwrap_or(usize::MAX);
    let subjects = match wanted {
        Wanted::Export(Planes::Public) => vec![("public".to_owned(), all)],
        Wanted::Export(Planes::Both) => vec![("both".to_owned(), all)],
        Wanted::Bundle(entries, _) => ranges(entries),
        Wanted::Report(report) => vec![(report.what.subject(), 1)],
    };
    let what = family(wanted);
    subjects.into_iter().map(|(subject, rows)| Question { what, subject, rows, as_of: size }).collect()
}

/// What is recorded of whoever asks to have it made. It follows from the request alone, so that the same request is the same record; no rows of no size,
/// since nothing is shown yet.
fn request(wanted: &Wanted) -> Question {
    let lines: Vec<String> = questions(wanted, 0).into_iter().map(|question| question.subject).collect();
    let subject = match (wanted, lines.as_slice()) {
        (Wanted::Report(Report { as_of: Some(size), .. }), [one]) => format!("{one} as of {size}"),
        (_, [one]) => one.clone(),
        (_, lines) => format!("{} lines, sha256 {}", lines.len(), hex::encode(Sha256::digest(lines.join(",")))),
    };
    Question { what: family(wanted), subject, rows: 0, as_of: 0 }
}

/// Entries in their order as `1-40,44,51-99`, in parts of what a line holds, each with how many there are in it.
pub(super) fn ranges(entries: &[u64]) -> Vec<(String, usize)> {
    let mut parts: Vec<(String, usize)> = Vec::new();
    for run in entries.chunk_by(|a, b| a.checked_add(1) == Some(*b)) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        let text = if first == last { first.to_string() } else { format!("{first}-{last}") };
        match parts.last_mut().filter(|(line, _)| line.len() + 1 + text.len() <= LINE_BYTES_MAX) {
            Some((line, rows)) => {
                line.push(',');
                line.push_str(&text);
                *rows += run.len();
            }
            None => parts.push((text, run.len())),
        }
    }
    parts
}

async fn begin(Of(app): Of<Shared>, Extension(asked): Extension<Asked>, headers: HeaderMap, bytes: Bytes) -> Result<Response, Failure> {
    let key = key(&headers, &asked)?;
    let told: ExportBody = body(&headers, &bytes)?;
    let planes = match told.planes {
        ExportPlanes::Public => Planes::Public,
        ExportPlanes::Both => Planes::Both,
    };
    start(&app, asked, key, Wanted::Export(planes)).await
}

/// What whoever asks may see of some entries, with all that proves it.
async fn bundle(Of(app): Of<Shared>, Extension(asked): Extension<Asked>, headers: HeaderMap, bytes: Bytes) -> Result<Response, Failure> {
    let key = key(&headers, &asked)?;
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
    start(&app, asked, key, Wanted::Bundle(entries, eyes)).await
}

/// Which reports there are, and what each needs to be told.
async fn kinds(Of(app): Of<Shared>, Extension(asked): Extension<Asked>) -> Result<Response, Failure> {
    let mut rows = Vec::new();
    for (id, _) in TEMPLATES {
        let form = Template::find(id).map_err(|_| Kind::Internal)?;
        rows.push(json!({
            "kind": "insiders", "template": id, "title": form.title, "cite": form.cite, "valid_from": form.valid_from, "valid_to": form.valid_to,
            "needs": ["submission"],
        }));
    }
    if asked.sees_why() {
        rows.push(json!({ "kind": "calendar", "title": "Who owes which report, notice or divestiture by when", "needs": [] }));
    }
    let (marked, made) = (app.marking(), kept(&app, &asked, "report")?);
    Ok(mark(axum::Json(json!({ "rows": rows, "kept": made, "marking": marked.told })).into_response(), &marked.marking))
}

/// Those archives of a family that are made for whoever asks, or kept for them.
async fn own(Of(app): Of<Shared>, Extension(asked): Extension<Asked>, of: &'static str) -> Result<Response, Failure> {
    let (marked, rows) = (app.marking(), kept(&app, &asked, of)?);
    Ok(mark(axum::Json(json!({ "rows": rows, "marking": marked.told })).into_response(), &marked.marking))
}

fn kept(app: &App, asked: &Asked, of: &str) -> Result<Vec<Value>, Failure> {
    let own = app.exports.of(&asked.caller()?.principal).into_iter().filter(|(_, wanted, _)| family(wanted) == of);
    Ok(own.map(|(id, wanted, state)| told(app, &id, &wanted, &state)).collect())
}

async fn report(Of(app): Of<Shared>, Extension(asked): Extension<Asked>, headers: HeaderMap, bytes: Bytes) -> Result<Response, Failure> {
    let key = key(&headers, &asked)?;
    let told: ReportBody = body(&headers, &bytes)?;
    let (eyes, as_of) = (asked.eyes(), told.as_of);
    let lacks = |what: &str| Failure::from(Kind::Invalid.problem().saying(what));
    let what = match told.kind {
        ReportKind::Insiders => {
            let (Some(submission), None) = (told.submission, told.person) else { return Err(lacks("An insider list is of a submission.")) };
            let template = told.template.unwrap_or_else(|| "us".into());
            if !TEMPLATES.iter().any(|(id, _)| *id == template) {
                return Err(lacks("There is no such template: GET /api/v1/reports lists them."));
            }
            What::Insiders(submission, template)
        }
        ReportKind::Calendar if !eyes.see_why() => return Err(Kind::ForbiddenRole.into()),
        ReportKind::Calendar if told.submission.is_some() || told.template.is_some() => {
            return Err(lacks("A calendar is of everybody, or of one person."));
        }
        ReportKind::Calendar => What::Calendar(told.person),
    };
    let wanted = app
        .look(move |ledger| {
            let facts = ledger.facts();
            let known = match &what {
                What::Insiders(submission, _) => facts.submission(submission).is_some(),
                What::Calendar(person) => person.as_ref().is_none_or(|person| facts.person(person).is_some()),
            };
            if !known || as_of.is_some_and(|size| size > ledger.size()) {
                return Err(Kind::UnknownReference.into());
            }
            if let (What::Insiders(submission, _), Some(size)) = (&what, as_of)
                && !was_there(ledger, submission, size)?
            {
                return Err(Kind::Invalid.problem().saying("The submission was recorded after that.").into());
            }
            let marking = if let What::Insiders(submission, _) = &what { marking_at(ledger, submission) } else { None };
            Ok(Report { what, eyes, as_of, marking })
        })
        .await?;
    start(&app, asked, key, Wanted::Report(wanted)).await
}

/// Whether some form of a submission was recorded at a size.
fn was_there(ledger: &Ledger, submission: &SubmissionId, size: u64) -> Result<bool, Failure> {
    let Some(known) = ledger.facts().submission(submission) else { return Ok(false) };
    let (mut index, mut before) = (known.index, known.record.supersedes);
    while index.0 >= size {
        let Some(earlier) = before else { return Ok(false) };
        let form = unless_erased(ledger.entry(earlier.0))?;
        (index, before) = (earlier, form.and_then(|(_, _, record)| record.supersedes()));
    }
    Ok(true)
}

/// The marking of a submission as it is now, whatever it was then.
fn marking_at(ledger: &Ledger, submission: &SubmissionId) -> Option<Marking> {
    ledger.facts().submission(submission).map(|s| s.record.marking.clone())
}

/// Records that it is asked for, then has it made. The same request again begins nothing: it has the same receipt, and says how far that is which was
/// begun.
async fn start(app: &Shared, asked: Asked, key: RequestKey, wanted: Wanted) -> Result<Response, Failure> {
    let caller = Arc::clone(asked.caller()?);
    // Until it is begun, so that nobody is told in between that it is gone.
    let worked = app.in_flight.enter(&caller.principal, &key)?;
    let actor = caller.principal.clone();
    let (size, known) = app
        .look(move |ledger| {
            let before = ledger.entry_of_request(&actor, &key).map_err(|_| Kind::Internal)?;
            Ok((ledger.size(), before.is_some()))
        })
        .await?;
    // What was asked before begins nothing, and so does a draft: neither waits for a turn or needs room.
    let turn = if known || asked.signing.draft {
        None
    } else {
        let turn = Arc::clone(&app.exports.turn).try_acquire_owned();
        let turn = turn.map_err(|_| Failure::from(Kind::RateLimited.problem().saying("One export is made at a time.")).retry_after(10))?;
        app.exports.has_room(size)?;
        Some(turn)
    };
    let asking = asked.read(request(&wanted))?.into();
    let (work, owner, made) = (Arc::clone(app), caller.principal.clone(), wanted.clone());
    // On its own: what is recorded is begun, whether or not somebody waits for it.
    let recording = tokio::spawn(async move {
        let recorded = work.append_entered(&asked, &worked, asking).await?;
        if let Some(turn) = turn.filter(|_| !recorded.repeated) {
            // Which entries it shows, where that is more than a line.
            for which in Some(questions(&made, size)).filter(|lines| lines.len() > 1).into_iter().flatten() {
                work.record_one(&asked, which).unwrap_or_else(|_| work.metrics.read_unrecorded());
            }
            let id = recorded.index.to_string();
            work.exports.begin(&id, &caller.principal, made.clone());
            tokio::spawn(make(work, id, made, turn));
        }
        Ok::<_, Failure>(recorded)
    });
    let recorded = recording.await.map_err(|_| Failure::from(Kind::Internal))??;
    let id = recorded.index.to_string();
    let (wanted, state) = app.exports.find(&owner, &id).unwrap_or((wanted, State::Gone));
    let (path, marked) = (family(&wanted), Marked::of(marking_of(app, &wanted), true));
    let fields = json!({ (path): told(app, &id, &wanted, &state) });
    let mut response = answered(&recorded, StatusCode::ACCEPTED, &fields, &marked);
    if state != State::Gone
        && let Ok(location) = HeaderValue::from_str(&format!("/api/v1/{path}s/{id}"))
    {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// On a handle apart, which stops nobody.
async fn make(app: Shared, id: String, wanted: Wanted, turn: OwnedSemaphorePermit) {
    let marking = marking_of(&app, &wanted);
    let (work, name) = (Arc::clone(&app), id.clone());
    let made = tokio::task::spawn_blocking(move || {
        let ledger = work.side.fresh()?;
        work.exports.make(&name, &ledger, &wanted, &marking).map_err(|e| {
            tracing::error!(target: "ledger", "an archive cannot be written: {e}");
            Failure::from(Kind::Internal)
        })
    });
    let state = made.await.ok().and_then(Result::ok).map_or(State::Failed, State::Ready);
    app.exports.set(&id, state);
    drop(turn);
}

/// How far it is.
fn told(app: &App, id: &str, wanted: &Wanted, state: &State) -> Value {
    let path = family(wanted);
    let planes = match wanted {
        Wanted::Export(Planes::Public) => Some("public"),
        Wanted::Export(Planes::Both) => Some("both"),
        _ => None,
    };
    let report = if let Wanted::Report(report) = wanted { Some(report.what.subject()) } else { None };
    let anew = "There is no archive. The same request under a new Idempotency-Key makes one.";
    let (word_of_state, done, made, detail) = match state {
        State::Making(done) => ("making", Some(*done), None, None),
        State::Ready(made) => ("ready", None, Some(made), None),
        State::Failed => ("failed", None, None, Some(anew)),
        State::Gone => ("gone", None, None, Some(anew)),
    };
    json!({
        "id": id, "planes": planes, "report": report,
        "entries": if let Wanted::Bundle(entries, _) = wanted { Some(entries) } else { None }, "state": word_of_state, "detail": detail, "entries_done": done, "size": made.map(|m| m.size), "root": made.map(|m| &m.root),
        "bytes": made.map(|m| m.bytes), "sha256": made.map(|m| &m.sha256), "file": made.map(|_| format!("/api/v1/{path}s/{id}/file")),
        "marking": marking::told(&marking_of(app, wanted), true),
    })
}

async fn show(Of(app): Of<Shared>, Extension(asked): Extension<Asked>, Path(id): Path<String>) -> Result<Response, Failure> {
    let (wanted, state) = app.exports.find(&asked.caller()?.principal, &id)?;
    Ok(mark(axum::Json(told(&app, &id, &wanted, &state)).into_response(), &marking_of(&app, &wanted)))
}

/// The archive, a chunk at a time, whatever its length.
async fn fetch(Of(app): Of<Shared>, Extension(asked): Extension<Asked>, Path(id): Path<String>) -> Result<Response, Failure> {
    let (wanted, state) = app.exports.find(&asked.caller()?.principal, &id)?;
    let State::Ready(made) = state else { return Err(Kind::NotFound.into()) };
    let turn = Arc::clone(&app.exports.downloads).try_acquire_owned().map_err(|_| Failure::from(Kind::RateLimited).retry_after(10))?;
    let file = app.exports.open(&id).map_err(|_| Kind::NotFound)?;
    let (sender, channel) = Channel::<Bytes, Infallible>::new(2);
    tokio::spawn(send(Arc::clone(&app), file, sender, turn));
    let disposition = format!("attachment; filename=\"countersign-{}.zip\"", family(&wanted));
    let disposition = HeaderValue::from_str(&disposition).map_err(|_| Kind::Internal)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/zip")),
        (header::CONTENT_LENGTH, HeaderValue::from(made.bytes)),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    let mut response = mark((headers, Body::new(channel)).into_response(), &marking_of(&app, &wanted));
    response.extensions_mut().insert(questions(&wanted, made.size));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a range says, one by one.
    fn said(parts: &[(String, usize)]) -> Vec<u64> {
        let of = |text: &str| {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            first.parse().unwrap()..=last.parse::<u64>().unwrap()
        };
        parts.iter().flat_map(|(line, _)| line.split(',').flat_map(of)).collect()
    }

    #[test]
    fn ranges_say_which_entries_and_each_line_holds_what_it_may() {
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), [("1-3,7,9-10".to_owned(), 6)]);
        assert_eq!(ranges(&[u64::MAX - 1, u64::MAX]).len(), 1);
        for step in [1, 2, 3] {
            let entries: Vec<u64> = (0..1_000).map(|n| 10_000_000_000 + n * step + n / 7).collect();
            let parts = ranges(&entries);
            assert!(parts.iter().all(|(line, _)| line.len() <= LINE_BYTES_MAX), "{parts:?}");
            assert_eq!((said(&parts), parts.iter().map(|(_, rows)| rows).sum::<usize>()), (entries, 1_000));
        }
    }
}
