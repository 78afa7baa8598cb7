//! `/api/v1/logins`: what stands for which principal over the network. The operator links it, an approver looked at the evidence, and nothing of it is
//! ever a secret: of an interface's key the hash is sent, and the key stays where it was drawn.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use countersign_api::problem::Kind;
use countersign_conflict::{Facts, Known};
use countersign_entry::ids::{Date, PersonId, RecordId};
use countersign_entry::record::{CredentialLinked, Record};
use countersign_entry::time::Micros;
use countersign_ledger::Ledger;
use serde_json::{Value, json};

use super::then::ask;
use super::{Params, RawQuery, fields, page, with_path};
use crate::answer::{Failure, One, Recorded, Rows, created, etag};
use crate::app::{Asked, Routes, Shared};
use crate::append::key;

pub(super) fn add(routes: Routes) -> Routes {
    routes.add("GET", "/api/v1/logins", list).add("POST", "/api/v1/logins", link).add("GET", "/api/v1/logins/{id}", show).add(
        "POST",
        "/api/v1/logins/{id}/revoke",
        revoke,
    )
}

/// As far as it is shown anywhere: without the hash of a key.
fn row(facts: &Facts, at: Micros, known: &Known<CredentialLinked>) -> Value {
    let l = &known.record;
    let holds = facts.standing_login(&l.id, &Date::of(at)).is_some();
    json!({
        "entry": known.index, "recorded_at": known.at.to_string(), "id": l.id, "principal": l.principal,
        "person": facts.principal(&l.principal).and_then(|p| p.record.person.as_ref()), "kind": l.kind, "issuer": l.issuer,
        "subject": l.subject, "valid_to": l.valid_to, "evidence": l.evidence, "approver": l.approver, "stands": facts.stands(l), "lets_in": holds,
    })
}

async fn list(State(app): State<Shared>, Extension(asked): Extension<Asked>, query: RawQuery) -> Result<Response, Failure> {
    let mut params = Params::of(query)?;
    let (person, as_of) = (params.take::<PersonId>("person")?, params.as_of()?);
    let (limit, cursor) = (params.limit()?, params.take::<String>("cursor")?);
    params.end()?;
    let aside = app.clone();
    let rows = ask(&app, as_of, move |then| {
        let facts = then.facts();
        let subject = person.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string);
        let of = |l: &CredentialLinked| facts.principal(&l.principal).and_then(|p| p.record.person.clone());
        let shown = facts.logins().filter(|known| person.is_none() || of(&known.record) == person);
        let told = shown.map(|known| (known.record.id.to_string(), known));
        let show = |known| Some(row(facts, then.at, known));
        let (rows, next) = page(&aside, &format!("logins {subject} {as_of:?}"), cursor.as_deref(), limit, told, show)?;
        Ok(Rows { rows, next, frame: then.frame(), marking: None, question: Some(("logins", subject)) })
    })
    .await?;
    Ok(rows.response(&app, asked.sees_all()))
}

async fn show(State(app): State<Shared>, Path(id): Path<String>, query: RawQuery) -> Result<Response, Failure> {
    let id = login(&id)?;
    let as_of = Params::only_as_of(query)?;
    let one = ask(&app, as_of, move |then| {
        let known = then.facts().login(&id).ok_or(Kind::NotFound)?;
        Ok(One {
            fields: row(then.facts(), then.at, known),
            entry: Some((known.index, etag(&then.ledger.leaf(known.index.0)?))),
            frame: then.frame(),
            marking: None,
            question: Some(("login", id.to_string())),
        })
    })
    .await?;
    Ok(one.response(&app))
}

fn login(text: &str) -> Result<RecordId, Failure> {
    text.parse().map_err(|_| Kind::NotFound.into())
}

async fn link(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Failure> {
    let key = key(&headers, &asked)?;
    let record = super::record("credential.linked", fields(&headers, &bytes)?)?;
    let Record::CredentialLinked(linked) = &record else { return Err(Kind::Internal.into()) };
    let id = linked.id.clone();
    let recorded = app.append(&asked, key, record).await?;
    tell(&app, &recorded, id).await
}

/// It holds for the next request, on connections that are open too.
async fn revoke(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Failure> {
    let id = login(&id)?;
    let key = key(&headers, &asked)?;
    let told = with_path(fields(&headers, &bytes)?, "id", json!(id))?;
    let recorded = app.append(&asked, key, super::record("credential.revoked", told)?).await?;
    tell(&app, &recorded, id).await
}

/// What was recorded, and whether the login lets anybody in now.
async fn tell(app: &Shared, recorded: &Recorded, id: RecordId) -> Result<Response, Failure> {
    let now = move |ledger: &Ledger| Ok(ledger.facts().standing_login(&id, &Date::of(ledger.now())).is_some());
    Ok(created(recorded, &json!({ "lets_in_now": app.look(now).await? }), app))
}
