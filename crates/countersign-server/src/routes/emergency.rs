//! `/api/v1/vouchers`: break-glass, prepared while the ledger is there and told once it is there again.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use countersign_api::problem::Kind;
use countersign_api::view::Eyes;
use countersign_conflict::Facts;
use countersign_conflict::emergency::Voucher;
use countersign_entry::ids::{LeafIndex, PersonId};
use countersign_entry::time::Micros;
use countersign_ledger::Ledger;
use serde_json::{Value, json};

use super::then::ask;
use super::{Params, RawQuery, fields, invalid, ordered, page, with_path};
use crate::answer::{Failure, One, Recorded, Rows, created, etag};
use crate::app::{Asked, Routes, Shared, entry};
use crate::append::key;

pub(super) fn add(routes: Routes) -> Routes {
    routes.add("GET", "/api/v1/vouchers", list).add("POST", "/api/v1/vouchers", make).add("GET", "/api/v1/vouchers/{entry}", show).add(
        "POST",
        "/api/v1/vouchers/{entry}/uses",
        used,
    )
}

fn row(facts: &Facts, at: Micros, index: LeafIndex, voucher: &Voucher, eyes: &Eyes) -> Value {
    let r = &voucher.known.record;
    let grant = facts.grant(r.grant).map(|g| &g.request);
    let why = grant.is_some_and(|g| eyes.see_why_of(facts, &g.person));
    json!({
        "voucher": index, "grant": r.grant, "person": grant.map(|g| &g.person), "submission": grant.map(|g| &g.submission),
        "recorded_at": voucher.known.at.to_string(), "expires_at": r.expires_at.to_string(), "approvers": r.approvers,
        "good": facts.voucher_is_good(voucher, at), "uses": voucher.uses, "reason": why.then_some(&r.reason),
    })
}

async fn list(State(app): State<Shared>, Extension(asked): Extension<Asked>, query: RawQuery) -> Result<Response, Failure> {
    let mut params = Params::of(query)?;
    let (person, as_of) = (params.take::<PersonId>("person")?, params.as_of()?);
    let (limit, cursor) = (params.limit()?, params.take::<String>("cursor")?);
    params.end()?;
    let (aside, why, eyes) = (app.clone(), asked.sees_why(), asked.eyes());
    let rows = ask(&app, as_of, move |then| {
        let facts = then.facts();
        let subject = person.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string);
        let of = |voucher: &Voucher| facts.grant(voucher.known.record.grant).map(|g| &g.request.person);
        let all = facts.vouchers().filter(|(_, v)| person.as_ref().is_none_or(|p| of(v) == Some(p)));
        let told = all.map(|(index, voucher)| (ordered(index.0), (index, voucher)));
        let show = |(index, voucher)| Some(row(facts, then.at, index, voucher, &eyes));
        let (rows, next) = page(&aside, &format!("vouchers {subject} {why} {as_of:?}"), cursor.as_deref(), limit, told, show)?;
        Ok(Rows { rows, next, frame: then.frame(), marking: None, question: Some(("vouchers", subject)) })
    })
    .await?;
    Ok(rows.response(&app, asked.sees_all()))
}

async fn show(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(index): Path<String>,
    query: RawQuery,
) -> Result<Response, Failure> {
    let (index, eyes) = (entry(&index)?, asked.eyes());
    let as_of = Params::only_as_of(query)?;
    let one = ask(&app, as_of, move |then| {
        let voucher = then.facts().voucher(index).ok_or(Kind::NotFound)?;
        Ok(One {
            fields: row(then.facts(), then.at, index, voucher, &eyes),
            entry: Some((index, etag(&then.ledger.leaf(index.0)?))),
            frame: then.frame(),
            marking: None,
            question: Some(("voucher", index.to_string())),
        })
    })
    .await?;
    Ok(one.response(&app))
}

async fn make(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Failure> {
    let key = key(&headers, &asked)?;
    let told = fields(&headers, &bytes)?;
    let record = super::record("emergency.voucher", unsigned(told)?)?;
    let recorded = app.append(&asked, key, record).await?;
    tell(&app, &recorded, LeafIndex(recorded.index)).await
}

async fn used(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(voucher): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Failure> {
    let voucher = entry(&voucher)?;
    let key = key(&headers, &asked)?;
    let told = with_path(unsigned(fields(&headers, &bytes)?)?, "voucher", json!(voucher))?;
    let recorded = app.append(&asked, key, super::record("emergency.use", told)?).await?;
    tell(&app, &recorded, voucher).await
}

/// What was recorded, and how the voucher stands now.
async fn tell(app: &Shared, recorded: &Recorded, voucher: LeafIndex) -> Result<Response, Failure> {
    let now = move |ledger: &Ledger| {
        let known = ledger.facts().voucher(voucher);
        let (good, uses) = (known.map(|v| ledger.facts().voucher_is_good(v, ledger.now())), known.map(|v| &v.uses));
        Ok(json!({ "voucher": voucher, "good_now": good, "uses_now": uses }))
    };
    Ok(created(recorded, &app.look(now).await?, app))
}

/// A body without signatures, which have a header of their own.
fn unsigned(told: Value) -> Result<Value, Failure> {
    if told.get("approvals").is_some() { Err(invalid("Signatures of others are sent in Countersign-Approval.")) } else { Ok(told) }
}
