//! `/api/v1/grants`: requests for access and what becomes of them. A grant is named by the entry of its request.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use countersign_api::body::{DECIDED, GrantBody, MoveBody, transition};
use countersign_api::mnpi::Mnpi;
use countersign_api::problem::Kind;
use countersign_api::roles::View;
use countersign_api::told::{explain_json, neutral_text_after};
use countersign_api::words::state_for;
use countersign_conflict::{Facts, Grant};
use countersign_entry::ids::{LeafIndex, PersonId, SubmissionId};
use countersign_entry::record::{Assessment, Decision, GrantState, Record};
use countersign_entry::time::Micros;
use countersign_ledger::{Ledger, unless_erased};
use serde_json::{Value, json};

use super::then::ask;
use super::{Params, RawQuery, body, marking_of, name, ordered, page};
use crate::answer::{Failure, One, Recorded, Rows, Said, created, etag, mark};
use crate::app::{App, Asked, Routes, Shared, entry};
use crate::append::key;
use crate::limits::LOOKED_AT_MAX;

pub(super) fn add(routes: Routes) -> Routes {
    let routes =
        routes.add("POST", "/api/v1/grants", request).add("GET", "/api/v1/grants", list).add("GET", "/api/v1/grants/{entry}", show);
    let moves: [(&str, Option<GrantState>); 5] = [
        ("approve", Some(GrantState::Approved)),
        ("activate", Some(GrantState::Active)),
        ("suspend", Some(GrantState::Suspended)),
        ("revoke", Some(GrantState::Revoked)),
        ("decide", None),
    ];
    moves.into_iter().fold(routes, |routes, (verb, to)| {
        routes.add("POST", &format!("/api/v1/grants/{{entry}}/{verb}"), move |app, asked, path, headers, bytes| {
            go(app, asked, path, headers, bytes, to)
        })
    })
}

async fn request(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Failure> {
    let key = key(&headers, &asked)?;
    let told: GrantBody = body(&headers, &bytes)?;
    let submission = told.submission.clone();
    let window = match told.expires_at {
        Some(_) => None,
        None => {
            let (actor, named) = (asked.caller()?.principal.clone(), key.clone());
            app.look(move |ledger| {
                // The same request again asks for what it asked for, although the window may be another by now.
                let before = ledger.entry_of_request(&actor, &named).map_err(|_| Kind::Internal)?;
                let before = before.map(|entry| unless_erased(ledger.entry(entry))).transpose()?.flatten();
                if let Some((_, _, Record::GrantRequest(before))) = before {
                    return Ok(Some(before.expires_at));
                }
                Ok(ledger.facts().submission(&submission).map(|s| s.record.window.closes_at()))
            })
            .await?
        }
    };
    let made = told.request(window).map_err(|why| super::invalid(format!("The body does not fit: {why}.")))?;
    let unknown = || Kind::UnknownReference.problem().saying("The submission it names is not recorded.");
    let recorded = app.append(&asked, key, made.ok_or_else(unknown)?.into()).await?;
    let grant = LeafIndex(recorded.index);
    tell(&app, &asked, grant, recorded).await
}

async fn go(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(grant): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
    to: Option<GrantState>,
) -> Result<Response, Failure> {
    let grant = entry(&grant)?;
    let key = key(&headers, &asked)?;
    let told: MoveBody = body(&headers, &bytes)?;
    let to = match (to, told.to) {
        (Some(to), None) => to,
        (None, Some(to)) if DECIDED.contains(&to) => to,
        _ => return Err(super::invalid("The field to is for decide alone: info_requested, ethics_review, denied, recused or departed.")),
    };
    let recorded = app.append(&asked, key, transition(grant, to, told.reason.map(Mnpi::open)).into()).await?;
    tell(&app, &asked, grant, recorded).await
}

/// What was decided. The words, the fields and the status are the same whatever stands against a request, and whatever is on a watch list.
async fn tell(app: &Shared, asked: &Asked, grant: LeafIndex, recorded: Recorded) -> Result<Response, Failure> {
    let eyes = asked.eyes();
    let (recorded, text, known, why) = app
        .look(move |ledger| {
            let facts = ledger.facts();
            let text = neutral_text_after(&recorded.record, facts);
            let why = eyes.see_why_in(facts, &recorded.record);
            Ok((recorded, text, facts.grant(grant).cloned(), why))
        })
        .await?;
    let assessment = recorded.record.assessment();
    let cleared = assessment.map(|a| a.decision == Decision::Cleared);
    let reference = known.as_ref().and_then(|g| g.request.reference.as_ref()).map(|r| r.as_str().to_owned());
    // The state as the request left it: what a later entry made of it is for GET to say.
    let result = match &recorded.record {
        Record::GrantRequest(r) => r.result,
        Record::GrantTransition(t) => t.result,
        _ => None,
    };
    let fields = json!({
        "grant": grant, "reference": reference, "cleared": cleared, "text": text, "state": result.map(|s| state_for(why, s)),
        "state_now": known.as_ref().map(|g| state_for(why, g.state)),
        "assessment": explained(assessment, why),
    });
    if cleared == Some(false) {
        let remedies = &["record-recusal", "ask-ethics-office", "choose-another-person"];
        return not_cleared(app, &recorded, &text, (reference.as_deref(), remedies), fields);
    }
    Ok(created(&recorded, &fields, app))
}

fn explained(assessment: Option<&Assessment>, sees_why: bool) -> Value {
    assessment.filter(|_| sees_why).map_or(Value::Null, explain_json)
}

/// A request that was recorded and not cleared: a problem, with the receipt of the attempt and what may lawfully be done about it.
pub(super) fn not_cleared(
    app: &App,
    recorded: &Recorded,
    text: &str,
    (reference, remedies): (Option<&str>, &[&str]),
    fields: Value,
) -> Result<Response, Failure> {
    let mut problem = Kind::NotCleared.problem().saying(text);
    problem.instance = reference.map(|r| format!("urn:countersign:reference:{r}"));
    problem.remedies = remedies.iter().map(|remedy| (*remedy).to_owned()).collect();
    // The receipt says so.
    problem.recorded = None;
    let mut beside = recorded.fields()?;
    if let Value::Object(fields) = fields {
        beside.extend(fields);
    }
    let mut response = Said { problem, beside: Some(Value::Object(beside)) }.response();
    recorded.place(response.headers_mut());
    Ok(mark(response, &app.marking().marking))
}

async fn list(State(app): State<Shared>, Extension(asked): Extension<Asked>, query: RawQuery) -> Result<Response, Failure> {
    let mut params = Params::of(query)?;
    let (mut person, submission) = (params.take::<PersonId>("person")?, params.take::<SubmissionId>("submission")?);
    let as_of = params.as_of()?;
    let (limit, cursor) = (params.limit()?, params.take::<String>("cursor")?);
    params.end()?;
    if asked.view == View::Own {
        let own = asked.caller()?.person.clone();
        person = Some(own.filter(|own| person.as_ref().is_none_or(|p| p == own)).ok_or(Kind::NotFound)?);
    }
    let (aside, eyes) = (Arc::clone(&app), asked.eyes());
    let rows = ask(&app, as_of, move |then| {
        let facts = then.facts();
        let subject =
            person.as_ref().map(ToString::to_string).or(submission.as_ref().map(ToString::to_string)).unwrap_or_else(|| "all".into());
        let question = format!("grants {subject} {submission:?} {as_of:?}");
        let wanted = |g: &Grant| {
            person.as_ref().is_none_or(|p| *p == g.request.person) && submission.as_ref().is_none_or(|s| *s == g.request.submission)
        };
        let grants = facts.grants().filter(|(_, g)| wanted(g)).map(|(i, g)| (ordered(i.0), (i, g)));
        let (grants, next) = page(&aside, &question, cursor.as_deref(), limit, grants, Some)?;
        // What was marked then may be marked higher now.
        let marking = if as_of.is_none() { marking_of(facts, grants.iter().map(|(_, g)| &g.request.submission)) } else { None };
        let rows = grants.iter().map(|(i, g)| row(facts, *i, g, eyes.see_why_of(facts, &g.request.person))).collect();
        Ok(Rows { rows, next, frame: then.frame(), marking, question: Some(("grants", subject)) })
    })
    .await?;
    Ok(rows.response(&app, asked.sees_all()))
}

fn row(facts: &Facts, index: LeafIndex, g: &Grant, sees_why: bool) -> Value {
    json!({
        "grant": index, "reference": g.request.reference, "name": name(facts, &g.request.person), "person": g.request.person,
        "submission": g.request.submission, "state": state_for(sees_why, g.state), "approvals": g.approvers.len(),
        "expires_at": g.request.expires_at.to_string(),
    })
}

async fn show(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(index): Path<String>,
    query: RawQuery,
) -> Result<Response, Failure> {
    let index = entry(&index)?;
    let as_of = Params::only_as_of(query)?;
    let (own, eyes, only_own) = (asked.caller()?.person.clone(), asked.eyes(), asked.view == View::Own);
    let (mut fields, sees_why, entries, frame, marking) = ask(&app, as_of, move |then| {
        let facts = then.facts();
        let grant = facts.grant(index).ok_or(Kind::NotFound)?;
        // Somebody else's is not there, for whoever sees only their own.
        if only_own && own.as_ref() != Some(&grant.request.person) {
            return Err(Kind::NotFound.into());
        }
        let sees_why = eyes.see_why_of(facts, &grant.request.person);
        let mut fields = row(facts, index, grant, sees_why);
        if let Value::Object(fields) = &mut fields {
            fields.insert("duty".into(), grant.request.duty.as_str().into());
            fields.insert("needs_participation".into(), grant.request.needs_participation.into());
            fields.insert("requester".into(), grant.requester.as_str().into());
            fields.insert("approvers".into(), json!(grant.approvers));
        }
        let mut entries = then.view.entries_about_person(&grant.request.person)?;
        // Accesses are most of what there is of a person, and no step of a grant.
        entries.retain(|i| *i >= index && !facts.is_access(*i));
        let marking = if as_of.is_none() { marking_of(facts, [&grant.request.submission]) } else { None };
        Ok((fields, sees_why, entries, then.frame(), marking))
    })
    .await?;
    // Few at once, since a look holds up the next commit.
    let mut history = Vec::new();
    for part in entries.chunks(LOOKED_AT_MAX) {
        let part = part.to_vec();
        history.extend(app.look(move |ledger| steps(ledger, index, &part, sees_why)).await?);
    }
    let newest = history.iter().rev().find_map(|step| step.assessment.as_ref());
    if let Value::Object(fields) = &mut fields {
        fields.insert("history".into(), history.iter().map(|step| step.row.clone()).collect());
        fields.insert("assessment".into(), explained(newest, sees_why));
    }
    let entry = history.pop().map(|last| (last.entry, last.etag));
    Ok(One { fields, entry, frame, marking, question: Some(("grant", index.to_string())) }.response(&app))
}

/// An entry of a grant, with what was decided.
struct Step {
    entry: LeafIndex,
    etag: String,
    row: Value,
    assessment: Option<Assessment>,
}

/// Which of some entries are a grant's, its request first.
fn steps(ledger: &Ledger, index: LeafIndex, entries: &[LeafIndex], sees_why: bool) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    for entry in entries.iter().copied() {
        // An erased one is none of a grant that still is: they went by the same key.
        let Some((leaf, meta, record)) = unless_erased(ledger.entry(entry.0))? else { continue };
        let (what, state, reason, cause) = match &record {
            Record::GrantRequest(r) if entry == index => ("requested".to_owned(), r.result, None, None),
            // Why a grant was moved may say what others than the ethics role must not know.
            Record::GrantTransition(t) if t.grant == index => (
                format!("to {}", state_for(sees_why, t.to)),
                t.result,
                t.reason.as_ref().filter(|_| sees_why),
                t.cause.filter(|_| sees_why),
            ),
            _ => continue,
        };
        let at = Micros::new(meta.at).map_err(|_| Kind::Internal)?;
        let row = json!({
            "entry": entry, "recorded_at": at.to_string(), "actor": meta.actor, "what": what,
            "state": state.map(|s| state_for(sees_why, s)), "reason": reason, "cause": cause,
        });
        steps.push(Step { entry, etag: etag(&leaf), row, assessment: record.assessment().cloned() });
    }
    Ok(steps)
}
