//! `/api/v1/imports`: a file of records in two steps. First what it would do, every row accounted for; then, by the digest of exactly that, it is
//! recorded, and each row has its result. The keys of its records follow from what they say, so the same file twice changes nothing, and an import
//! that stopped half-way is completed by sending it again.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Of};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use countersign_api::body::{CommitBody, ImportBody};
use countersign_api::mnpi::Mnpi;
use countersign_api::problem::Kind;
use countersign_entry::ids::{Date, PrincipalId};
use countersign_entry::record::Role;
use countersign_import::mapping::Mapping;
use countersign_intake::disclosed::People;
use countersign_intake::report::{Report, result};
use countersign_intake::requests::{Done, Requests, digest, import_of, requests, unfinished};
use countersign_intake::source::{Loaded, Source};
use countersign_intake::{Asker, IntakeError};
use countersign_ledger::{AppendError, Ledger, Receipt, Request};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{body, invalid};
use crate::answer::{Failure, mark};
use crate::app::{App, Asked, Question, Routes, Shared};
use crate::imports::{File, Import, State};
use crate::limits::{IMPORT_BODY_BYTES_MAX, STREAM_WAITING_MAX};

/// Pause before a record is handed in again where the ledger's queue is full.
const FULL: Duration = Duration::from_millis(5);

/// What the description's pattern takes: bits behind the last byte do not matter.
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .add("POST", "/api/v1/imports", preview)
        .add("GET", "/api/v1/imports", own)
        .add("GET", "/api/v1/imports/{id}", show)
        .add("GET", "/api/v1/imports/{id}/quarantine", quarantine)
        .add("POST", "/api/v1/imports/{id}/commit", commit)
}

/// What a file comes to, held against the ledger as it stands.
struct Planned {
    digest: String,
    report: Value,
    quarantine: Vec<u8>,
    size: u64,
    rows: u64,
    requests: Option<Requests>,
}

async fn preview(Of(app): Of<Shared>, Extension(asked): Extension<Asked>, headers: HeaderMap, sent: Body) -> Result<Response, Failure> {
    // Taken before anything is read: so many files at once, and no more, are held.
    let turn = Arc::clone(&app.files).acquire_owned().await.map_err(|_| Failure::from(Kind::Internal))?;
    let bytes = super::whole(sent, IMPORT_BODY_BYTES_MAX).await?;
    let today = Date::of(app.now());
    // Megabytes to parse and decode hold up nobody who is served.
    let read = tokio::task::spawn_blocking(move || Ok::<_, Failure>((file(body(&headers, &bytes)?, today)?, turn)));
    // The turn goes with the work: a request that is given up leaves that running.
    let (file, turn) = read.await.map_err(|_| Failure::from(Kind::Internal))??;
    let file = Arc::new(file);
    let planned = plan(&app, &asked, Arc::clone(&file)).await?;
    drop(turn);
    let (size, rows) = (planned.size, planned.rows);
    let import = Import {
        file,
        digest: planned.digest,
        before: planned.report.get("imported_before").is_none_or(|before| !before.is_null()),
        report: rendered(&planned.report)?,
        quarantine: Arc::new(planned.quarantine),
        state: State::Preview,
    };
    let id = app.imports.keep(&asked.caller()?.principal, import.clone())?;
    let mut response = answer(&app, StatusCode::CREATED, &id, &import);
    if let Ok(location) = HeaderValue::from_str(&format!("/api/v1/imports/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    let subject = import.file.source.word().to_owned();
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    response.extensions_mut().insert(Question { what: "import", subject, rows, as_of: size });
    Ok(response)
}

/// The file in a body. Nothing of what it holds is said where it does not read.
fn file(told: ImportBody, today: Date) -> Result<File, Failure> {
    let unfit = |what: &str| -> Failure { Kind::Invalid.problem().saying(what).into() };
    let source = Source::of_word(&told.source).ok_or_else(|| {
        let words: Vec<&str> = Source::ALL.iter().map(|source| source.word()).collect();
        unfit(&format!("There is no such source; there are {}.", words.join(", ")))
    })?;
    let bytes = BASE64.decode(told.file.open()).map_err(|_| invalid("The field file is not base64 (RFC 4648 section 4, with padding)."))?;
    let mapping = match (told.mapping, source.mapped()) {
        (None, _) => None,
        (Some(_), None) => return Err(unfit("This source is a form of its own and takes no mapping.")),
        (Some(text), Some(_)) => Some(Mapping::from_toml(&text.open()).map_err(|_| unfit("The mapping does not read as one."))?),
    };
    Ok(File {
        source,
        bytes,
        people: told.people.map(Mnpi::open).unwrap_or_default().into_bytes(),
        mapping,
        sheet: told.sheet,
        received_on: told.received_on.unwrap_or(today),
    })
}

/// Makes the plan on a handle apart, as the ledger stands now: a long file stops nobody.
async fn plan(app: &Shared, asked: &Asked, file: Arc<File>) -> Result<Planned, Failure> {
    let roles = asked.eyes().roles;
    file.source.must_be_allowed(&roles).map_err(refused)?;
    let actor = asked.caller()?.principal.clone();
    let size = app.look(|ledger| Ok(ledger.size())).await?;
    app.look_aside(size, move |ledger| planned(ledger, &actor, &roles, &file).map_err(refused)).await
}

fn planned(ledger: &Ledger, actor: &PrincipalId, roles: &[Role], file: &File) -> Result<Planned, IntakeError> {
    let facts = ledger.facts();
    let asker = Asker { ledger, actor, roles };
    let loaded = Loaded::read(file.source, file.mapping.clone(), file.sheet.as_deref(), &file.bytes)?;
    let named = loaded.named();
    let before = import_of(facts, &named)?;
    let half = unfinished(facts).iter().any(|(_, hash)| *hash == named.file_sha256.to_string());
    let plan = loaded.plan(asker, People::read(&file.people, facts)?, &file.received_on, &mut |_, _, _| {})?;
    let report = Report::new(&plan, asker, before, half)?.json(None);
    // What came before is not made again.
    let requests = if before.is_some() { None } else { requests(&plan, facts, actor)? };
    let digest = digest(&plan, requests.as_ref())?;
    let (size, rows) = (ledger.size(), plan.report.total);
    Ok(Planned { digest, report, quarantine: plan.quarantine, size, rows, requests })
}

/// What stands against an import, in fixed words: the crate's own name rows and what is in them.
fn refused(e: IntakeError) -> Failure {
    match e {
        IntakeError::Usage(_) => Kind::Invalid.problem().saying("A sheet is for spreadsheets, and this file is none.").into(),
        IntakeError::File(_) => {
            Kind::Invalid.problem().saying("The file does not read as this source: a column is missing, or it is of another form.").into()
        }
        IntakeError::People(_) => {
            Kind::Invalid.problem().saying("The list of people does not read: two columns, filer and person, each filer one person.").into()
        }
        IntakeError::Invalid(_) => Kind::Invalid.into(),
        IntakeError::NotFound(_) => {
            Kind::UnknownReference.problem().saying("The list of people names somebody who is not recorded.").into()
        }
        IntakeError::Denied(_) => Kind::ForbiddenRole.into(),
        IntakeError::Append(e) => crate::append::problem_of(&e, false).into(),
        IntakeError::Open(e) => e.into(),
        IntakeError::Bug(_) => Kind::Internal.into(),
    }
}

fn answer(app: &App, status: StatusCode, id: &str, import: &Import) -> Response {
    let (state, ended) = stands(import);
    // What was told is an object and is not taken apart again: what changes goes before its other fields.
    let now = json!({ "id": id, "digest": import.digest, "state": state, "marking": app.marking().told }).to_string();
    let told = ended.unwrap_or(&import.report);
    let body = [now.strip_suffix('}').unwrap_or_default().as_bytes(), b",", told.get(1..).unwrap_or_default()].concat();
    mark((status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response(), &app.marking().marking)
}

/// How far it is, and what came of it.
fn stands(import: &Import) -> (&'static str, Option<&Arc<[u8]>>) {
    match &import.state {
        State::Preview => ("preview", None),
        State::Recording => ("recording", None),
        State::Ended(ended) => ("ended", Some(ended)),
    }
}

/// Those of whoever asks that are kept, without their rows.
async fn own(Of(app): Of<Shared>, Extension(asked): Extension<Asked>) -> Result<Response, Failure> {
    let row = |(id, import): (String, Import)| json!({ "id": id, "source": import.file.source.word(), "digest": import.digest, "state": stands(&import).0 });
    let rows: Vec<Value> = app.imports.of(&asked.caller()?.principal).into_iter().map(row).collect();
    let marked = app.marking();
    Ok(mark(axum::Json(json!({ "rows": rows, "marking": marked.told })).into_response(), &marked.marking))
}

/// A report as it is kept.
fn rendered(report: &Value) -> Result<Arc<[u8]>, Failure> {
    Ok(serde_json::to_vec(report).map_err(|_| Kind::Internal)?.into())
}

async fn show(Of(app): Of<Shared>, Extension(asked): Extension<Asked>, Path(id): Path<String>) -> Result<Response, Failure> {
    let import = app.imports.find(&asked.caller()?.principal, &id)?;
    let size = app.look(|ledger| Ok(ledger.size())).await?;
    let mut response = answer(&app, StatusCode::OK, &id, &import);
    response.extensions_mut().insert(Question { what: "import", subject: import.file.source.word().to_owned(), rows: 1, as_of: size });
    Ok(response)
}

/// The rows that were put aside, to be corrected and sent again.
async fn quarantine(Of(app): Of<Shared>, Extension(asked): Extension<Asked>, Path(id): Path<String>) -> Result<Response, Failure> {
    let import = app.imports.find(&asked.caller()?.principal, &id)?;
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"))];
    Ok(mark((kind, import.quarantine.to_vec()).into_response(), &app.marking().marking))
}

async fn commit(
    Of(app): Of<Shared>,
    Extension(asked): Extension<Asked>,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Failure> {
    let told: CommitBody = body(&headers, &bytes)?;
    let actor = asked.caller()?.principal.clone();
    let import = app.imports.find(&actor, &id)?;
    if told.digest != import.digest {
        return Err(changed());
    }
    if let State::Ended(_) = &import.state {
        return Ok(answer(&app, StatusCode::OK, &id, &import));
    }
    app.imports.set(&id, State::Recording)?;
    // On its own: what was begun is finished whether or not somebody waits for it.
    let (done, work) = (id.clone(), Arc::clone(&app));
    let recording = tokio::spawn(async move {
        let ended = record(&work, &asked, &import, &actor).await;
        let state = match &ended {
            Ok(told) => State::Ended(Arc::clone(told)),
            Err(_) => State::Preview,
        };
        drop(work.imports.set(&done, state));
        ended.map(|told| Import { state: State::Ended(told), ..import })
    });
    let import = recording.await.map_err(|_| Failure::from(Kind::Internal))??;
    let status = if import.before { StatusCode::OK } else { StatusCode::CREATED };
    Ok(answer(&app, status, &id, &import))
}

fn changed() -> Failure {
    let what = "What the file would do is no longer what you looked at. Send it again and look.";
    Kind::StaleEtag.problem().saying(what).into()
}

/// Records what was looked at, if that is still what it would do.
async fn record(app: &Shared, asked: &Asked, import: &Import, actor: &PrincipalId) -> Result<Arc<[u8]>, Failure> {
    let planned = plan(app, asked, Arc::clone(&import.file)).await?;
    let mut report = planned.report;
    // A file that came before is no error: it changes nothing, whatever was looked at.
    let Some(all) = planned.requests else { return rendered(&report) };
    if planned.digest != import.digest {
        return Err(changed());
    }
    let (rows, mut waiting): (Vec<u64>, Vec<Request>) = all.rows.into_iter().unzip();
    waiting.push(all.import);
    let mut receipts = submit(app, asked, actor, waiting).await?;
    let entry = receipts.pop().map(|receipt| receipt.index);
    let done = rows.into_iter().zip(receipts).map(|(row, receipt)| result(&Done { row, receipt }));
    if let Value::Object(fields) = &mut report {
        fields.insert("results".into(), done.collect());
        fields.insert("recorded".into(), true.into());
        fields.insert("import_entry".into(), json!(entry));
    }
    rendered(&report)
}

/// Hands in one after the other, so many at once, and stops at the first that is not acknowledged.
async fn submit(app: &Shared, asked: &Asked, actor: &PrincipalId, requests: Vec<Request>) -> Result<Vec<Receipt>, Failure> {
    let mut receipts = Vec::with_capacity(requests.len());
    let mut waiting: std::collections::VecDeque<oneshot::Receiver<Result<Receipt, AppendError>>> = std::collections::VecDeque::new();
    let told = |answer: Result<Result<Receipt, AppendError>, oneshot::error::RecvError>| {
        let answer = answer.unwrap_or_else(|_| Err(AppendError::Unknown("the writer stopped".into())));
        answer.map_err(|e| app.refused(e, asked))
    };
    // The import itself says that all of it is there: it goes in alone, behind everything.
    let last = requests.len().saturating_sub(1);
    for (n, request) in requests.into_iter().enumerate() {
        while waiting.len() >= STREAM_WAITING_MAX || (n == last && !waiting.is_empty()) {
            if let Some(next) = waiting.pop_front() {
                receipts.push(told(next.await)?);
            }
        }
        waiting.push_back(hand_in(app, asked, actor, request).await?);
    }
    while let Some(next) = waiting.pop_front() {
        receipts.push(told(next.await)?);
    }
    Ok(receipts)
}

async fn hand_in(
    app: &Shared,
    asked: &Asked,
    actor: &PrincipalId,
    request: Request,
) -> Result<oneshot::Receiver<Result<Receipt, AppendError>>, Failure> {
    let mut waited = Duration::ZERO;
    loop {
        match app.submit(Request { actor: actor.clone(), signed: None, ..request.clone() }, std::convert::identity) {
            Err(AppendError::Busy) if waited < app.config.limits.request() => {
                tokio::time::sleep(FULL).await;
                waited += FULL;
            }
            answer => return answer.map_err(|e| app.refused(e, asked)),
        }
    }
}
