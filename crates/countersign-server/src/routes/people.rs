//! Questions over the whole ledger: everything on a person, who knew what touching an issuer, who had access to a submission. As of now, or as of any
//! entry or time.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use countersign_api::problem::Kind;
use countersign_api::roles::View;
use countersign_api::view::{Eyes, visible};
use countersign_api::words::{state_for, times_as_text};
use countersign_conflict::Facts;
use countersign_entry::ids::{IssuerId, LeafIndex, PersonId, SubmissionId};
use countersign_entry::record::{GrantState, Marking};
use countersign_entry::time::Micros;
use countersign_ledger::query::{AsOf, Page, View as Knowledge};
use countersign_ledger::{Ledger, unless_erased};
use serde::Serialize;
use serde_json::{Value, json};

use super::then::ask;
use super::{Params, RawQuery, marking_of, ordered, page};
use crate::answer::{Failure, Frame, Rows};
use crate::app::{App, Asked, Routes, Shared};
use crate::limits::{LOOKED_AT_MAX, OPENED_MAX};

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .add("GET", "/api/v1/persons/{id}/timeline", timeline)
        .add("GET", "/api/v1/persons/{id}/windows", windows)
        .add("GET", "/api/v1/issuers/{id}/insiders", issuer)
        .add("GET", "/api/v1/submissions/{id}/people", people)
        .add("GET", "/api/v1/submissions/{id}/insiders", insiders)
}

/// What every question has: itself, as of when, and which page. The page's cursor names the size it was answered for, so that rows stay where they are,
/// and how many rows came before it; of a timeline, the entry it goes on from.
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

    fn next(&self, app: &App, rows: usize, as_of: u64, more: bool) -> Result<Option<String>, Failure> {
        more.then(|| self.cursor(app, as_of, self.page.offset + rows)).transpose()
    }

    fn cursor(&self, app: &App, as_of: u64, offset: usize) -> Result<String, Failure> {
        app.cursors.make(&self.question, &format!("{as_of} {offset}"))
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
    let (first, limit) = (u64::try_from(framed.page.offset).unwrap_or(u64::MAX), framed.page.limit);
    // A page is one of what the reader may see: rows missing from it would be counted. One more says whether others follow; what comes after that is
    // not opened.
    let seen = Arc::new(Seen { eyes: asked.eyes(), from, until, enough: limit.saturating_add(1) });
    let about = person.clone();
    // Which entries are about somebody is asked once. They never change; who may know of them is judged by what is known now, whatever was then.
    let (mut part, frame) = ask(&app, framed.as_of, move |then| {
        let mut left = then.view.entries_about_person(&about)?;
        if left.is_empty() {
            return Err(Kind::NotFound.into());
        }
        left.retain(|entry| entry.0 >= first);
        Ok((Part { left: left.into(), ..Part::default() }, then.frame()))
    })
    .await?;
    while part.rows.len() < seen.enough && part.opened < OPENED_MAX && !part.left.is_empty() {
        let (of, before) = (Arc::clone(&seen), std::mem::take(&mut part));
        part = app.look(move |ledger| of.some(ledger, ledger.facts(), before, LOOKED_AT_MAX)).await?;
    }
    let beyond = if part.rows.len() > limit { part.rows.drain(limit..).next() } else { None };
    let goes_on = beyond.map(|(entry, _)| entry).or_else(|| part.left.front().copied());
    let goes_on = goes_on.map(|entry| usize::try_from(entry.0).unwrap_or(usize::MAX));
    let next = goes_on.map(|entry| framed.cursor(&app, frame.as_of(), entry)).transpose()?;
    let rows = part.rows.into_iter().map(|(_, row)| row).collect();
    Ok(Rows { rows, next, frame, marking: None, question: Some(("person", person.to_string())) }.response(&app, asked.sees_all()))
}

/// What is shown of a timeline.
struct Seen {
    eyes: Eyes,
    from: Option<Micros>,
    until: Option<Micros>,
    /// Rows after which no entry is opened.
    enough: usize,
}

/// As much of a timeline as was looked at.
#[derive(Default)]
struct Part {
    rows: Vec<(LeafIndex, Value)>,
    opened: usize,
    /// Entries not opened yet.
    left: VecDeque<LeafIndex>,
}

impl Seen {
    /// A few entries more.
    fn some(&self, ledger: &Ledger, facts: &Facts, mut part: Part, open: usize) -> Result<Part, Failure> {
        let most = part.opened + open;
        while part.rows.len() < self.enough
            && part.opened < most
            && let Some(entry) = part.left.pop_front()
        {
            part.opened += 1;
            // An erased one is about nobody any more.
            let Some((_, meta, record)) = unless_erased(ledger.entry(entry.0))? else { continue };
            let at = Micros::new(meta.at).map_err(|_| Kind::Internal)?;
            let in_range = self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until);
            if let Some(fields) = visible(&self.eyes, facts, &record).filter(|_| in_range) {
                let row = json!({ "entry": entry, "recorded_at": at.to_string(), "type": record.type_name(), "record": fields });
                part.rows.push((entry, row));
            }
        }
        Ok(part)
    }
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
    let as_of = params.as_of()?;
    let (limit, cursor) = (params.limit()?, params.take::<String>("cursor")?);
    params.end()?;
    let aside = Arc::clone(&app);
    let rows = ask(&app, as_of, move |then| {
        let facts = then.facts();
        facts.person(&person).ok_or(Kind::NotFound)?;
        let opened = facts.grants().filter(|(_, g)| g.request.person == person && !g.open.is_empty());
        let of = opened.filter_map(|(index, g)| Some((ordered(index.0), (index, g, &facts.submission(&g.request.submission)?.record))));
        let (of, next) = page(&aside, &format!("windows {person} {as_of:?}"), cursor.as_deref(), limit, of, Some)?;
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
        // What was marked then may be marked higher now.
        let marking = if as_of.is_none() { marking_of(facts, of.iter().map(|(_, _, s)| &s.id)) } else { None };
        Ok(Rows { rows: rows.collect(), next, frame: then.frame(), marking, question: Some(("windows", person.to_string())) })
    })
    .await?;
    Ok(rows.response(&app, asked.sees_all()))
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
    let rows = ask(&app, framed.as_of, move |then| {
        let view = &then.view;
        view.facts().issuer(&issuer).ok_or(Kind::NotFound)?;
        let (first, last) = (from.unwrap_or(Micros::EPOCH), until.unwrap_or_else(|| Micros::EPOCH.plus(u64::MAX)));
        let answer = view.who_touched_issuer(&issuer, first, last, framed.page)?;
        let rows = values(&answer.rows, view, |_, _| {});
        let next = framed.next(&aside, rows.len(), answer.as_of, answer.more)?;
        Ok(Rows { rows, next, frame: Frame::of(&answer), marking: None, question: Some(("issuer", issuer.to_string())) })
    })
    .await?;
    Ok(rows.response(&app, asked.sees_all()))
}

async fn people(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(submission): Path<String>,
    query: RawQuery,
) -> Result<Response, Failure> {
    let submission: SubmissionId = id(&submission)?;
    let framed = Framed::of(&app, Params::of(query)?, format!("people {submission} {:?}", asked.view))?;
    let (aside, eyes, of) = (Arc::clone(&app), asked.eyes(), submission.clone());
    let rows = ask(&app, framed.as_of, move |then| {
        let view = &then.view;
        let answer = view.people_of_submission(&submission, framed.page)?;
        if answer.rows.is_empty() && view.facts().submission(&submission).is_none() {
            return Err(Kind::NotFound.into());
        }
        let next = framed.next(&aside, answer.rows.len(), answer.as_of, answer.more)?;
        let rows =
            values(&answer.rows, view, |row, known| put_state(row, "state", known.state, eyes.see_why_of(view.facts(), &known.person)));
        Ok(Rows { rows, next, frame: Frame::of(&answer), marking: None, question: Some(("submission", submission.to_string())) })
    })
    .await?;
    Ok(Rows { marking: marking_now(&app, of).await?, ..rows }.response(&app, asked.sees_all()))
}

async fn insiders(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(submission): Path<String>,
    query: RawQuery,
) -> Result<Response, Failure> {
    let submission: SubmissionId = id(&submission)?;
    let framed = Framed::of(&app, Params::of(query)?, format!("insiders {submission} {:?}", asked.view))?;
    let (aside, eyes, of) = (Arc::clone(&app), asked.eyes(), submission.clone());
    let rows = ask(&app, framed.as_of, move |then| {
        let view = &then.view;
        let list = view.insiders(&submission, framed.page)?.ok_or(Kind::NotFound)?;
        let next = framed.next(&aside, list.people.rows.len(), list.people.as_of, list.people.more)?;
        let rows = values(&list.people.rows, view, |row, known| {
            let why = eyes.see_why_of(view.facts(), &known.person);
            put_state(row, "state", known.state, why);
            put_state(row, "ceased_because", known.ceased_because, why);
        });
        Ok(Rows { rows, next, frame: Frame::of(&list.people), marking: None, question: Some(("insiders", submission.to_string())) })
    })
    .await?;
    Ok(Rows { marking: marking_now(&app, of).await?, ..rows }.response(&app, asked.sees_all()))
}

/// The marking of a submission as it is now, whatever it was at the time an answer is true for.
async fn marking_now(app: &App, submission: SubmissionId) -> Result<Option<Marking>, Failure> {
    app.look(move |ledger| Ok(marking_of(ledger.facts(), [&submission]))).await
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
