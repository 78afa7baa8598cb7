//! Questions over the whole ledger: everything on a person, who knew what touching an issuer, who had access to a submission. As of now, or as of any
//! entry or time.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use countersign_api::problem::Kind;
use countersign_api::roles::View;
use countersign_api::view::visible;
use countersign_api::words::{state_for, times_as_text};
use countersign_entry::ids::{IssuerId, PersonId, SubmissionId};
use countersign_entry::record::{GrantState, Marking};
use countersign_entry::time::Micros;
use countersign_ledger::Ledger;
use countersign_ledger::query::{AsOf, Page, View as Knowledge, ViewError};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Params, RawQuery, marking_of, ordered, page};
use crate::answer::{Failure, Frame, Rows};
use crate::app::{App, Asked, Routes, Shared};

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .add("GET", "/api/v1/persons/{id}/timeline", timeline)
        .add("GET", "/api/v1/persons/{id}/windows", windows)
        .add("GET", "/api/v1/issuers/{id}/insiders", issuer)
        .add("GET", "/api/v1/submissions/{id}/people", people)
        .add("GET", "/api/v1/submissions/{id}/insiders", insiders)
}

/// What every question has: itself, as of when, and which page. The page's cursor names the size it was answered for, so that rows stay where they are.
struct Framed {
    question: String,
    as_of: Option<AsOf>,
    page: Page,
}

impl Framed {
    /// Of the parameters, which are used up.
    fn of(app: &App, mut params: Params, question: String) -> Result<Self, Failure> {
        let as_of = params.as_of()?;
        let (limit, cursor) = (params.limit()?, params.take::<String>("cursor")?);
        params.end()?;
        let question = format!("{question} {as_of:?}");
        let Some(cursor) = cursor else { return Ok(Self { question, as_of, page: Page { offset: 0, limit } }) };
        let last = app.cursors.read(&question, &cursor)?;
        let (size, offset) = last.split_once(' ').ok_or(Kind::Cursor)?;
        let (size, offset) = (size.parse().map_err(|_| Kind::Cursor)?, offset.parse().map_err(|_| Kind::Cursor)?);
        Ok(Self { question, as_of: Some(AsOf::Size(size)), page: Page { offset, limit } })
    }

    /// The page out of all rows; the cursor of the next one.
    fn cut<Row>(&self, app: &App, rows: &mut Vec<Row>, as_of: u64) -> Option<String> {
        let more = self.page.cut(rows);
        self.next(app, rows.len(), as_of, more)
    }

    fn next(&self, app: &App, rows: usize, as_of: u64, more: bool) -> Option<String> {
        more.then(|| app.cursors.make(&self.question, &format!("{as_of} {}", self.page.offset + rows)))
    }
}

/// Asks a view as of then: of the running ledger where that is what it knows now, else of a handle apart, since an older size is read again from the
/// first entry.
async fn ask<T: Send + 'static>(
    app: &Shared,
    as_of: Option<AsOf>,
    question: impl Fn(&Ledger, &Knowledge<'_>) -> Result<T, Failure> + Send + Sync + 'static,
) -> Result<T, Failure> {
    let question = Arc::new(question);
    let again = Arc::clone(&question);
    let now = app
        .look(move |ledger| {
            let size = as_of.map_or(Ok(ledger.size()), |as_of| ledger.size_as_of(as_of)).map_err(of_view)?;
            if size == ledger.size() { again(ledger, &ledger.view()).map(Ok) } else { Ok(Err(size)) }
        })
        .await?;
    match now {
        Ok(answer) => Ok(answer),
        Err(size) => {
            let aside = move |ledger: &Ledger| question(ledger, &ledger.view_as_of(AsOf::Size(size), &mut |_, _| {}).map_err(of_view)?);
            app.look_aside(size, aside).await
        }
    }
}

fn of_view(e: ViewError) -> Failure {
    match e {
        ViewError::Beyond { .. } => Kind::NotFound.problem().saying("The ledger does not go so far.").into(),
        ViewError::Open(e) => e.into(),
    }
}

fn id<T: std::str::FromStr>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(|_| Kind::NotFound.into())
}

/// Whoever sees only their own asks about themselves; for them nobody else is there.
fn own(asked: &Asked, person: &PersonId) -> Result<(), Failure> {
    if asked.view == View::Own && asked.caller()?.person.as_ref() != Some(person) { Err(Kind::NotFound.into()) } else { Ok(()) }
}

async fn timeline(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(person): Path<String>,
    query: RawQuery,
) -> Result<Response, Failure> {
    let person: PersonId = id(&person)?;
    own(&asked, &person)?;
    let mut params = Params::of(query)?;
    let (from, until) = (params.take::<Micros>("from")?, params.take::<Micros>("until")?);
    let framed = Framed::of(&app, params, format!("timeline {person} {from:?} {until:?} {:?}", asked.view))?;
    let (aside, all) = (Arc::clone(&app), asked.sees_why());
    let rows = ask(&app, framed.as_of, move |ledger, view| {
        let entries = view.entries_about_person(&person)?;
        if entries.is_empty() {
            return Err(Kind::NotFound.into());
        }
        let eyes = asked.eyes();
        let in_range = |at: Micros| from.is_none_or(|from| from <= at) && until.is_none_or(|until| at < until);
        // A page is one of what the reader may see: rows missing from it would be counted. What comes after it is not opened.
        let (mut rows, enough) = (Vec::new(), framed.page.offset.saturating_add(framed.page.limit).saturating_add(1));
        for entry in entries {
            let (_, meta, record) = ledger.entry(entry.0)?;
            let at = Micros::new(meta.at).map_err(|_| Kind::Internal)?;
            if let Some(fields) = visible(&eyes, view.facts(), &record).filter(|_| in_range(at)) {
                rows.push(json!({ "entry": entry, "recorded_at": at.to_string(), "type": record.type_name(), "record": fields }));
            }
            if rows.len() >= enough {
                break;
            }
        }
        let answer = view.answer(Vec::<()>::new());
        let next = framed.cut(&aside, &mut rows, answer.as_of);
        Ok(Rows { rows, next, frame: Frame::of(&answer), marking: None, question: Some(("person", person.to_string())) })
    })
    .await?;
    Ok(rows.response(&app, all))
}

/// What somebody had access to, and until when what they saw there binds them.
async fn windows(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(person): Path<String>,
    query: RawQuery,
) -> Result<Response, Failure> {
    let person: PersonId = id(&person)?;
    own(&asked, &person)?;
    let mut params = Params::of(query)?;
    let (limit, cursor) = (params.limit()?, params.take::<String>("cursor")?);
    params.end()?;
    let (aside, all) = (Arc::clone(&app), asked.sees_why());
    let rows = app
        .look(move |ledger| {
            let facts = ledger.facts();
            facts.person(&person).ok_or(Kind::NotFound)?;
            let opened = facts.grants().filter(|(_, g)| g.request.person == person && !g.open.is_empty());
            let of = opened.filter_map(|(index, g)| Some((ordered(index.0), (index, g, &facts.submission(&g.request.submission)?.record))));
            let (of, next) = page(&aside, &format!("windows {person}"), cursor.as_deref(), limit, of, Some)?;
            let rows = of.iter().map(|(index, grant, submission)| {
                let open = grant.open.iter().map(|(from, until)| json!({ "from": from.to_string(), "until": until.map(|at| at.to_string()) }));
                json!({
                    "submission": submission.id, "title": submission.title, "grant": index, "state": state_for(false, grant.state),
                    "open": open.collect::<Vec<_>>(), "window_closes_at": submission.window.closes_at().to_string(),
                    "public_release_at": submission.public_release_at.map(|at| at.to_string()),
                    "cleansed_at": submission.cleansed_at.map(|at| at.to_string()),
                    // The words are the same for everybody with access, whatever they hold (5 CFR 2635.703).
                    "duty": "Do not trade, or cause or advise trades, in issuers it touches until it is public and you are told that it is.",
                })
            });
            let marking = marking_of(ledger, of.iter().map(|(_, _, s)| &s.id));
            Ok(Rows {
                rows: rows.collect(),
                next,
                frame: Frame::now(ledger),
                marking,
                question: Some(("windows", person.to_string())),
            })
        })
        .await?;
    Ok(rows.response(&app, all))
}

async fn issuer(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(issuer): Path<String>,
    query: RawQuery,
) -> Result<Response, Failure> {
    let issuer: IssuerId = id(&issuer)?;
    let mut params = Params::of(query)?;
    let (from, until) = (params.take::<Micros>("from")?, params.take::<Micros>("until")?);
    let framed = Framed::of(&app, params, format!("issuer {issuer} {from:?} {until:?}"))?;
    let aside = Arc::clone(&app);
    let rows = ask(&app, framed.as_of, move |_, view| {
        view.facts().issuer(&issuer).ok_or(Kind::NotFound)?;
        let (first, last) = (from.unwrap_or(Micros::EPOCH), until.unwrap_or_else(|| Micros::EPOCH.plus(u64::MAX)));
        let answer = view.who_touched_issuer(&issuer, first, last, framed.page)?;
        let rows = values(&answer.rows, view, |_, _| {});
        let next = framed.next(&aside, rows.len(), answer.as_of, answer.more);
        Ok(Rows { rows, next, frame: Frame::of(&answer), marking: None, question: Some(("issuer", issuer.to_string())) })
    })
    .await?;
    Ok(rows.response(&app, asked.sees_why()))
}

async fn people(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(submission): Path<String>,
    query: RawQuery,
) -> Result<Response, Failure> {
    let submission: SubmissionId = id(&submission)?;
    let framed = Framed::of(&app, Params::of(query)?, format!("people {submission} {:?}", asked.view))?;
    let (aside, why) = (Arc::clone(&app), asked.sees_why());
    let rows = ask(&app, framed.as_of, move |_, view| {
        let answer = view.people_of_submission(&submission, framed.page)?;
        if answer.rows.is_empty() && view.facts().submission(&submission).is_none() {
            return Err(Kind::NotFound.into());
        }
        let next = framed.next(&aside, answer.rows.len(), answer.as_of, answer.more);
        let rows = values(&answer.rows, view, |row, known| put_state(row, "state", known.state, why));
        let marking = marking_at(view, &submission);
        Ok(Rows { rows, next, frame: Frame::of(&answer), marking, question: Some(("submission", submission.to_string())) })
    })
    .await?;
    Ok(rows.response(&app, why))
}

async fn insiders(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(submission): Path<String>,
    query: RawQuery,
) -> Result<Response, Failure> {
    let submission: SubmissionId = id(&submission)?;
    let framed = Framed::of(&app, Params::of(query)?, format!("insiders {submission} {:?}", asked.view))?;
    let (aside, why) = (Arc::clone(&app), asked.sees_why());
    let rows = ask(&app, framed.as_of, move |_, view| {
        let list = view.insiders(&submission, framed.page)?.ok_or(Kind::NotFound)?;
        let next = framed.next(&aside, list.people.rows.len(), list.people.as_of, list.people.more);
        let rows = values(&list.people.rows, view, |row, known| {
            put_state(row, "state", known.state, why);
            put_state(row, "ceased_because", known.ceased_because, why);
        });
        let marking = marking_at(view, &submission);
        Ok(Rows { rows, next, frame: Frame::of(&list.people), marking, question: Some(("insiders", submission.to_string())) })
    })
    .await?;
    Ok(rows.response(&app, why))
}

fn marking_at(view: &Knowledge<'_>, submission: &SubmissionId) -> Option<Marking> {
    view.facts().submission(submission).map(|s| s.record.marking.clone())
}

/// Where a grant stands, in the words the reader may see: its own word says why.
fn put_state(row: &mut Value, name: &str, state: Option<GrantState>, why: bool) {
    if let Value::Object(fields) = row {
        fields.insert(name.to_owned(), state.map(|s| state_for(why, s)).into());
    }
}

/// Rows as JSON, people with their names, times as text.
fn values<Row: Serialize>(rows: &[Row], view: &Knowledge<'_>, finish: impl Fn(&mut Value, &Row)) -> Vec<Value> {
    let value = |row: &Row| {
        let mut value = serde_json::to_value(row).unwrap_or_default();
        times_as_text(&mut value);
        let person = value.get("person").and_then(Value::as_str).and_then(|p| PersonId::new(p).ok());
        let name = person.and_then(|p| view.facts().person(&p)).map(|p| p.record.name.to_string());
        if let Value::Object(fields) = &mut value {
            fields.insert("name".into(), name.into());
        }
        finish(&mut value, row);
        value
    };
    rows.iter().map(value).collect()
}
