//! What belongs to one person or list, asked for at its place: a person's identities, a list's items.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use countersign_api::problem::Kind;
use countersign_api::roles::View;
use countersign_api::view::visible;
use countersign_conflict::Known;
use countersign_entry::ids::{Date, PersonId, RecordId};
use countersign_entry::record::{ListItem, Record};
use serde_json::{Value, json};

use super::records::made;
use super::then::ask;
use super::{Params, RawQuery, fields, ordered, page, with_path};
use crate::answer::{Failure, Rows};
use crate::app::{Asked, Routes, Shared};

pub(super) fn add(routes: Routes) -> Routes {
    routes.add("GET", "/api/v1/persons/{id}/identities", identities).add("GET", "/api/v1/lists/{id}/items", items).add(
        "POST",
        "/api/v1/lists/{id}/items",
        put_on,
    )
}

/// Accounts and cards that point to a person, and those of them that let somebody act here: one row for each, by its entry.
async fn identities(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(person): Path<String>,
    query: RawQuery,
) -> Result<Response, Failure> {
    let person: PersonId = person.parse().map_err(|_| Kind::NotFound)?;
    if asked.view == View::Own && asked.caller()?.person.as_ref() != Some(&person) {
        return Err(Kind::NotFound.into());
    }
    let mut params = Params::of(query)?;
    let as_of = params.as_of()?;
    let (limit, cursor) = (params.limit()?, params.take::<String>("cursor")?);
    params.end()?;
    let aside = Arc::clone(&app);
    let rows = ask(&app, as_of, move |then| {
        let (facts, today) = (then.facts(), Date::of(then.at));
        facts.person(&person).ok_or(Kind::NotFound)?;
        let told = facts.credentials().filter(|k| k.record.person == person).map(|k| {
            let c = &k.record;
            (k.index, json!({ "entry": k.index, "id": c.id, "kind": c.kind, "issuer": c.issuer, "subject": c.subject, "lets_in": false }))
        });
        let acts =
            facts.logins().filter(|k| facts.principal(&k.record.principal).is_some_and(|p| p.record.person.as_ref() == Some(&person)));
        let acts = acts.map(|k| {
            let (l, lets_in) = (&k.record, facts.standing_login(&k.record.id, &today).is_some());
            let row = json!({
                "entry": k.index, "id": l.id, "kind": l.kind, "issuer": l.issuer, "subject": l.subject, "lets_in": lets_in,
                "principal": l.principal, "evidence": l.evidence, "approver": l.approver, "valid_to": l.valid_to,
            });
            (k.index, row)
        });
        let mut found: Vec<_> = told.chain(acts).collect();
        found.sort_by_key(|(index, _)| *index);
        let found = found.into_iter().map(|(index, row)| (ordered(index.0), row));
        let (rows, next) = page(&aside, &format!("identities {person} {as_of:?}"), cursor.as_deref(), limit, found, Some::<Value>)?;
        Ok(Rows { rows, next, frame: then.frame(), marking: None, question: Some(("identities", person.to_string())) })
    })
    .await?;
    Ok(rows.response(&app, asked.sees_all()))
}

/// Puts something on a list.
async fn put_on(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(list): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Failure> {
    let list: RecordId = list.parse().map_err(|_| Kind::NotFound)?;
    let told = with_path(fields(&headers, &bytes)?, "list", json!(list))?;
    made(&app, &asked, &headers, "list.item", told).await
}

/// What is on a list, for whoever may know of the list.
async fn items(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(list): Path<String>,
    query: RawQuery,
) -> Result<Response, Failure> {
    let list: RecordId = list.parse().map_err(|_| Kind::NotFound)?;
    let mut params = Params::of(query)?;
    let as_of = params.as_of()?;
    let (limit, cursor) = (params.limit()?, params.take::<String>("cursor")?);
    params.end()?;
    let (aside, all, eyes) = (Arc::clone(&app), asked.sees_why(), asked.eyes());
    let (now, by) = (list.clone(), eyes.clone());
    let mut rows = ask(&app, as_of, move |then| {
        let facts = then.facts();
        let known = facts.list(&list).ok_or(Kind::NotFound)?;
        visible(&eyes, facts, &known.record.clone().into()).ok_or(Kind::NotFound)?;
        let on = facts.items().filter(|k| k.record.list == list).map(|k| (k.record.id.to_string(), k));
        let show = |k: &Known<ListItem>| {
            let fields = visible(&eyes, facts, &Record::ListItem(k.record.clone()))?;
            Some(json!({ "entry": k.index, "recorded_at": k.at.to_string(), "record": fields }))
        };
        let (rows, next) = page(&aside, &format!("items {list} {all} {as_of:?}"), cursor.as_deref(), limit, on, show)?;
        let question = Some(("listed", format!("list-items of {}", known.index)));
        Ok(Rows { rows, next, frame: then.frame(), marking: None, question })
    })
    .await?;
    if as_of.is_some() {
        // What whoever asks may not know of now they hear nothing of either, whatever it was then.
        rows = app
            .look(move |ledger| {
                let facts = ledger.facts();
                let sees = |record: &Record| visible(&by, facts, record).is_some();
                facts.list(&now).filter(|k| sees(&k.record.clone().into())).ok_or(Kind::NotFound)?;
                let item = |row: &Value| facts.item(&row.pointer("/record/id")?.as_str()?.parse().ok()?).map(|k| k.record.clone().into());
                rows.rows.retain(|row| item(row).is_some_and(|record| sees(&record)));
                Ok(rows)
            })
            .await?;
    }
    Ok(rows.response(&app, asked.sees_all()))
}
