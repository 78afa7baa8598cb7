//! What the ethics office works with: checks ahead of a request, pre-clearances, cases.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use countersign_api::problem::Kind;
use countersign_api::roles::View;
use countersign_api::told::{caveat, explain_json, neutral_text};
use countersign_api::view::{Eyes, visible};
use countersign_api::words::word_of;
use countersign_conflict::{Ask, Facts, Preclearance, assess, rules};
use countersign_entry::ids::{LeafIndex, PersonId};
use countersign_entry::record::{CaseOpened, Decision, Record, Role};
use countersign_ledger::{Ledger, OpenError};
use serde_json::{Value, json};

use super::grants::not_cleared;
use super::then::ask;
use super::{Params, RawQuery, body, invalid, name, ordered, page, with_path};
use crate::answer::{Failure, Frame, One, Rows, created, etag};
use crate::app::{Asked, Routes, Shared, entry};
use crate::append::key;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .add("POST", "/api/v1/checks", check)
        .add("POST", "/api/v1/preclearances", preclear)
        .add("GET", "/api/v1/preclearances", preclearances)
        .add("GET", "/api/v1/preclearances/{entry}", one_preclearance)
        .add("POST", "/api/v1/preclearances/{entry}/decisions", |app, asked, path, headers, bytes| {
            decide(app, asked, path, headers, bytes, "preclearance.decision", "preclearance")
        })
        .add("GET", "/api/v1/cases", cases)
        .add("GET", "/api/v1/cases/{entry}", case)
        .add("POST", "/api/v1/cases/{entry}/decisions", |app, asked, path, headers, bytes| {
            decide(app, asked, path, headers, bytes, "case.event", "case")
        })
}

/// What a request for access would come to. Nothing is recorded but that somebody asked; the ledger decides anew when the request is made.
async fn check(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Failure> {
    let told: countersign_api::body::GrantBody = body(&headers, &bytes)?;
    let caller = Arc::clone(asked.caller()?);
    let at = app.now();
    let one = app
        .look(move |ledger| {
            let facts = ledger.facts();
            let window = facts.submission(&told.submission).map(|s| s.record.window.closes_at());
            let subject = told.person.to_string();
            let request =
                told.request(window).map_err(|why| invalid(format!("The body does not fit: {why}.")))?.ok_or(Kind::UnknownReference)?;
            let ask = Ask::Request {
                requester: &caller.principal,
                needs_participation: request.needs_participation,
                expires_at: request.expires_at,
            };
            let assessed = assess(facts, at, &request.person, &request.submission, ask);
            let cleared = assessed.get().decision == Decision::Cleared;
            let why = asked.eyes().see_why_of(facts, &request.person);
            let text = if cleared { "Cleared as things stand." } else { "Not cleared as things stand. The ethics office can decide." };
            Ok(One {
                fields: json!({ "cleared": cleared, "text": text, "assessment": why.then(|| explain_json(assessed.get())) }),
                entry: None,
                frame: Frame::now(ledger),
                marking: None,
                question: Some(("check", subject)),
            })
        })
        .await?;
    Ok(one.response(&app))
}

async fn preclear(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Failure> {
    let key = key(&headers, &asked)?;
    let record = super::record("preclearance.request", super::fields(&headers, &bytes)?)?;
    let Record::PreclearanceRequest(request) = &record else { return Err(Kind::Internal.into()) };
    if request.reference.is_some() || request.assessment.is_some() || request.cleared_until.is_some() {
        return Err(invalid("The ledger fills in reference, assessment and cleared_until."));
    }
    if asked.view == View::Own && asked.caller()?.person.as_ref() != Some(&request.person) {
        return Err(Kind::ForbiddenRole.into());
    }
    let recorded = app.append(&asked, key, record).await?;
    let Record::PreclearanceRequest(r) = &recorded.record else { return Err(Kind::Internal.into()) };
    let (text, cleared) = (neutral_text(&recorded.record), r.cleared_until.is_some());
    let now = now(&app, "preclearance", LeafIndex(recorded.index)).await?;
    let fields = json!({
        "text": text, "cleared": cleared, "cleared_until": r.cleared_until, "cleared_until_now": now.get("cleared_until_now"), "reference": r.reference,
        "caveat": cleared.then(|| caveat(LeafIndex(recorded.index))),
        "assessment": r.assessment.as_ref().filter(|_| asked.sees_why()).map(explain_json),
    });
    if cleared {
        Ok(created(&recorded, &fields, &app))
    } else {
        // Whoever may not trade has nobody to choose in their place.
        not_cleared(&app, &recorded, &text, (r.reference.as_ref().map(|x| x.as_str()), &["ask-ethics-office"]), fields)
    }
}

async fn preclearances(State(app): State<Shared>, Extension(asked): Extension<Asked>, query: RawQuery) -> Result<Response, Failure> {
    let mut params = Params::of(query)?;
    let (mut person, as_of) = (params.take::<PersonId>("person")?, params.as_of()?);
    let (limit, cursor) = (params.limit()?, params.take::<String>("cursor")?);
    params.end()?;
    if asked.view == View::Own {
        let own = asked.caller()?.person.clone();
        person = Some(own.filter(|own| person.as_ref().is_none_or(|p| p == own)).ok_or(Kind::NotFound)?);
    }
    let (aside, why, eyes) = (Arc::clone(&app), asked.sees_why(), asked.eyes());
    let rows = ask(&app, as_of, move |then| {
        let facts = then.facts();
        let subject = person.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string);
        let question = format!("preclearances {subject} {why} {as_of:?}");
        let all = facts.preclearances().filter(|(_, p)| person.as_ref().is_none_or(|id| *id == p.request.person));
        // Of people of another agency the ethics role does not hear that they ask.
        let all = all.filter(|(_, p)| !why || eyes.see_why_of(facts, &p.request.person));
        let told = all.map(|(index, p)| (ordered(index.0), (index, p)));
        let show = |(index, p)| Some(preclearance(index, p, why));
        let (rows, next) = page(&aside, &question, cursor.as_deref(), limit, told, show)?;
        Ok(Rows { rows, next, frame: then.frame(), marking: None, question: Some(("preclearances", subject)) })
    })
    .await?;
    Ok(rows.response(&app, asked.sees_all()))
}

/// One question before a trade, for whoever asked it or answers it.
async fn one_preclearance(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(index): Path<String>,
    query: RawQuery,
) -> Result<Response, Failure> {
    let index = entry(&index)?;
    let as_of = Params::only_as_of(query)?;
    let (own, why, eyes) = (asked.caller()?.person.clone(), asked.sees_why(), asked.eyes());
    let one = ask(&app, as_of, move |then| {
        let (facts, own) = (then.facts(), |person: &PersonId| own.as_ref() == Some(person));
        let known = facts.preclearance(index).filter(|p| own(&p.request.person) || eyes.see_why_of(facts, &p.request.person));
        let known = known.ok_or(Kind::NotFound)?;
        let newest = known.decisions.last().map_or(index, |(entry, ..)| *entry);
        Ok(One {
            fields: preclearance(index, known, why),
            entry: Some((newest, etag(&then.ledger.leaf(newest.0)?))),
            frame: then.frame(),
            marking: None,
            question: Some(("preclearance", index.to_string())),
        })
    })
    .await?;
    Ok(one.response(&app))
}

fn preclearance(index: LeafIndex, p: &Preclearance, why: bool) -> Value {
    let r = &p.request;
    let decided: Vec<LeafIndex> = p.decisions.iter().map(|(entry, ..)| *entry).collect();
    json!({
        "preclearance": index, "reference": r.reference, "person": r.person, "instrument": r.instrument, "kind": r.kind, "from": r.from,
        "until": r.until, "cleared_until": p.cleared_until().map(ToString::to_string), "decisions": decided,
        "assessment": r.assessment.as_ref().filter(|_| why).map(explain_json),
    })
}

fn row(facts: &Facts, case: LeafIndex, c: &CaseOpened) -> Value {
    let file = facts.case_file(case);
    json!({
        "case": case, "rule": c.rule, "version": c.version, "asks": rules::rule(c.rule.as_str()).map(|r| r.title), "cite": c.cite,
        "name": name(facts, &c.person), "person": c.person, "submission": c.submission, "finding": c.finding, "evidence": c.evidence,
        "state": file.map(|f| word_of(&f.state)), "disposition": file.and_then(|f| f.disposition).map(|d| word_of(&d)),
        "opened_at": file.map(|f| f.opened_at.to_string()), "referrals": file.map(|f| &f.referrals), "holds": file.map(|f| &f.holds),
    })
}

/// An inspector knows of every case; an ethics office of those of its own agency's people.
fn knows_of_case(eyes: &Eyes, facts: &Facts, case: &CaseOpened) -> bool {
    eyes.roles.contains(&Role::InspectorGeneral) || eyes.see_why_of(facts, &case.person)
}

async fn cases(State(app): State<Shared>, Extension(asked): Extension<Asked>, query: RawQuery) -> Result<Response, Failure> {
    let mut params = Params::of(query)?;
    let (state, as_of) = (params.take::<String>("state")?, params.as_of()?);
    let (limit, cursor) = (params.limit()?, params.take::<String>("cursor")?);
    params.end()?;
    if state.as_ref().is_some_and(|s| !["open", "proposed", "closed"].contains(&s.as_str())) {
        return Err(invalid("state is open, proposed or closed."));
    }
    let (aside, eyes) = (Arc::clone(&app), asked.eyes());
    let rows = ask(&app, as_of, move |then| {
        let facts = then.facts();
        let question = format!("cases {state:?} {as_of:?}");
        let stands = |case| facts.case_file(case).map(|file| word_of(&file.state));
        let told = facts.cases().filter(|(case, _)| state.is_none() || stands(*case) == state);
        let told = told.filter(|(_, c)| knows_of_case(&eyes, facts, c)).map(|(case, c)| (ordered(case.0), (case, c)));
        let show = |(case, c)| Some(row(facts, case, c));
        let (rows, next) = page(&aside, &question, cursor.as_deref(), limit, told, show)?;
        Ok(Rows { rows, next, frame: then.frame(), marking: None, question: Some(("cases", "all".into())) })
    })
    .await?;
    Ok(rows.response(&app, asked.sees_all()))
}

async fn case(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(case): Path<String>,
    query: RawQuery,
) -> Result<Response, Failure> {
    let case = entry(&case)?;
    let as_of = Params::only_as_of(query)?;
    let eyes = asked.eyes();
    let (mut fields, evidence, entries, frame) = ask(&app, as_of, move |then| {
        let facts = then.facts();
        let known = facts.case_at(case).filter(|c| knows_of_case(&eyes, facts, c)).ok_or(Kind::NotFound)?;
        let entries = facts.case_file(case).map(|f| f.entries.clone()).unwrap_or_default();
        Ok((row(facts, case, known), known.evidence.clone(), entries, then.frame()))
    })
    .await?;
    // Entries never change; who may know of them is judged by what is known now, whatever was then.
    let look = move |ledger: &Ledger| {
        let told = |entries: &[LeafIndex]| -> Result<Vec<Value>, Failure> {
            entries
                .iter()
                .map(|index| {
                    let (meta, record) = match ledger.entry(index.0) {
                        Err(OpenError::Shut { erased: Some(at), .. }) => return Ok(json!({ "entry": index, "erased_under": at })),
                        opened => opened.map(|(_, meta, record)| (meta, record))?,
                    };
                    let shown = visible(&asked.eyes(), ledger.facts(), &record);
                    Ok(json!({ "entry": index, "actor": meta.actor, "type": record.type_name(), "record": shown }))
                })
                .collect()
        };
        if let Value::Object(fields) = &mut fields {
            fields.insert("rests_on".into(), told(&evidence)?.into());
            fields.insert("timeline".into(), told(&entries)?.into());
        }
        let newest = entries.last().copied().unwrap_or(case);
        let leaf = ledger.leaf(newest.0)?;
        Ok(One { fields, entry: Some((newest, etag(&leaf))), frame, marking: None, question: Some(("case", case.to_string())) })
    };
    let one = app.look(look).await?;
    Ok(one.response(&app))
}

/// A step in a case, or a decision on a request: the record's fields, but for the entry it is about, which the path names.
async fn decide(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(about): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
    kind: &'static str,
    field: &'static str,
) -> Result<Response, Failure> {
    let about = entry(&about)?;
    let key = key(&headers, &asked)?;
    let told = with_path(super::fields(&headers, &bytes)?, field, json!(about))?;
    let recorded = app.append(&asked, key, super::record(kind, told)?).await?;
    Ok(created(&recorded, &now(&app, field, about).await?, &app))
}

/// Where a request or a case stands now, whatever the entry answered for made of it.
async fn now(app: &Shared, what: &'static str, about: LeafIndex) -> Result<Value, Failure> {
    app.look(move |ledger| {
        let facts = ledger.facts();
        Ok(match what {
            "case" => json!({ "state_now": facts.case_file(about).map(|file| word_of(&file.state)) }),
            _ => json!({ "cleared_until_now": facts.preclearance(about).and_then(|p| p.cleared_until()) }),
        })
    })
    .await
}
