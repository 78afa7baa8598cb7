//! `/api/v1/accesses`: who touched what. One event as JSON, or any number as lines of JSON, each with a result of its own.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use countersign_api::body::AccessBody;
use countersign_api::problem::Kind;
use countersign_api::roles::View;
use countersign_entry::ids::{LeafIndex, PersonId, SubmissionId};
use countersign_entry::record::{AccessEvent, Decision, OrganizationKind, Record};
use countersign_entry::time::Micros;
use countersign_ledger::Ledger;
use http_body_util::{BodyExt as _, Limited};
use serde_json::{Value, json};

use super::{Params, RawQuery, json as read_json, marking_of, name, ordered, page, stream};
use crate::answer::{Failure, Frame, Rows, created};
use crate::app::{App, Asked, Routes, Shared};
use crate::append::key;
use crate::limits::BODY_BYTES_MAX;
use crate::who::Caller;

pub(super) fn add(routes: Routes) -> Routes {
    routes.add("POST", "/api/v1/accesses", record).add("GET", "/api/v1/accesses", list)
}

async fn record(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let key = key(&headers, &asked)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).map(|v| v.split(';').next().unwrap_or_default().trim());
    match kind {
        Some("application/json") => {
            let bytes = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|_| Kind::TooLarge)?.to_bytes();
            let told: AccessBody = read_json(&bytes)?;
            if told.idempotency_key.is_some() {
                return Err(super::invalid("The Idempotency-Key header names a single event; idempotency_key is for lines of a stream."));
            }
            let event = told.event().map_err(|why| super::invalid(format!("The body does not fit: {why}.")))?;
            let receipt = app.append(&asked, key, event.into()).await?;
            created(&receipt, json!({}), &app)
        }
        Some("application/x-ndjson") => {
            let principal = asked.caller()?.principal.clone();
            Ok(stream::record(&app, &asked, principal, key, body))
        }
        _ => Err(Kind::MediaType.into()),
    }
}

/// What is asked for.
struct Wanted {
    person: Option<PersonId>,
    submission: Option<SubmissionId>,
    from: Option<Micros>,
    until: Option<Micros>,
}

async fn list(State(app): State<Shared>, Extension(asked): Extension<Asked>, query: RawQuery) -> Result<Response, Failure> {
    let mut params = Params::of(query)?;
    let mut wanted = Wanted {
        person: params.take("person")?,
        submission: params.take("submission")?,
        from: params.take("from")?,
        until: params.take("until")?,
    };
    let (limit, cursor) = (params.limit()?, params.take::<String>("cursor")?);
    params.end()?;
    let caller = Arc::clone(asked.caller()?);
    if asked.view == View::Own {
        // Of oneself alone, whoever is asked about.
        wanted.person = Some(caller.person.clone().filter(|own| wanted.person.as_ref().is_none_or(|p| p == own)).ok_or(Kind::NotFound)?);
    }
    let aside = Arc::clone(&app);
    let rows = app.look(move |ledger| find(&aside, ledger, &asked, &caller, &wanted, limit, cursor.as_deref())).await?;
    Ok(rows.response(&app, false))
}

fn find(
    app: &App,
    ledger: &Ledger,
    asked: &Asked,
    caller: &Caller,
    wanted: &Wanted,
    limit: usize,
    cursor: Option<&str>,
) -> Result<Rows, Failure> {
    let subject = wanted.person.as_ref().map(ToString::to_string).or(wanted.submission.as_ref().map(ToString::to_string));
    let subject = subject.unwrap_or_else(|| "all".to_owned());
    let question = format!("accesses {subject} {:?} {:?} {:?} {:?}", wanted.submission, wanted.from, wanted.until, asked.view);
    let facts = ledger.facts();
    let view = ledger.view();
    let entries: Vec<LeafIndex> = match (&wanted.person, &wanted.submission) {
        (Some(person), _) => view.entries_about_person(person)?,
        (None, Some(submission)) => view.entries_about_submission(submission)?,
        (None, None) => (0..ledger.size()).map(LeafIndex).collect(),
    };
    let offered = |submission: &SubmissionId| match asked.view {
        View::Offer => speaks_for(ledger, caller, submission),
        _ => true,
    };
    let event = |index: LeafIndex| match ledger.entry(index.0) {
        Ok((_, _, Record::AccessEvent(e))) => Some(e),
        _ => None,
    };
    let wanted_too = |e: &AccessEvent| {
        wanted.person.as_ref().is_none_or(|p| *p == e.person)
            && wanted.submission.as_ref().is_none_or(|s| *s == e.submission)
            && wanted.from.is_none_or(|from| from <= e.occurred_at)
            && wanted.until.is_none_or(|until| e.occurred_at < until)
            && offered(&e.submission)
    };
    let rows = entries.into_iter().filter(|i| facts.is_access(*i));
    let rows = rows.filter_map(|i| event(i).filter(&wanted_too).map(|e| (ordered(i.0), (i, e))));
    let (rows, next) = page(app, &question, cursor, limit, rows)?;
    let marking = marking_of(ledger, rows.iter().map(|(_, e)| &e.submission));
    let rows = rows.iter().map(|(i, e)| row(ledger, asked, *i, e)).collect();
    Ok(Rows { rows, next, frame: Frame::now(ledger), marking, question: Some(("access", subject)) })
}

/// Whether somebody speaks for the developer that offered a submission: their organization is a developer and has the provider's id.
pub(super) fn speaks_for(ledger: &Ledger, caller: &Caller, submission: &SubmissionId) -> bool {
    let facts = ledger.facts();
    let provider = facts.submission(submission).map(|s| s.record.provider.as_str());
    let organization = caller.organization.as_ref().and_then(|id| facts.organization(id)).map(|o| &o.record);
    organization.is_some_and(|o| o.kind == OrganizationKind::Developer && Some(o.id.as_str()) == provider)
}

fn row(ledger: &Ledger, asked: &Asked, index: LeafIndex, e: &AccessEvent) -> Value {
    if asked.view == View::Offer {
        // Who of which organization, what and when (domain.md section 6): nothing of grants and verdicts.
        let organization = ledger.facts().person(&e.person).map(|p| p.record.organization.clone());
        return json!({
            "entry": index, "occurred_at": e.occurred_at.to_string(), "person": e.person, "organization": organization,
            "submission": e.submission, "action": e.action, "artefact": e.artefact, "result": e.result,
        });
    }
    json!({
        "entry": index, "occurred_at": e.occurred_at.to_string(), "name": name(ledger, &e.person), "person": e.person, "submission": e.submission,
        "action": e.action, "grant": e.grant, "artefact": e.artefact, "result": e.result, "source": e.source, "source_id": e.source_id,
        "session": e.session, "cleared": e.assessment.as_ref().is_some_and(|a| a.decision == Decision::Cleared), "supersedes": e.supersedes,
    })
}
