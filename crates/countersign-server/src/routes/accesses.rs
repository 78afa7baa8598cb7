//! `/api/v1/accesses`: who touched what. One event as JSON, or any number as lines of JSON, each with a result of its own.

use std::ops::Range;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;
use countersign_api::body::AccessBody;
use countersign_api::marking::highest;
use countersign_api::problem::Kind;
use countersign_api::roles::View;
use countersign_conflict::Facts;
use countersign_entry::ids::{LeafIndex, PersonId, SubmissionId};
use countersign_entry::record::{AccessEvent, Decision, Marking, OrganizationKind, Record};
use countersign_entry::time::Micros;
use countersign_ledger::{Ledger, unless_erased};
use serde_json::{Value, json};

use super::then::bound;
use super::{Params, RawQuery, json as read_json, name, stream};
use crate::answer::{Failure, Frame, Rows, created};
use crate::app::{Asked, Routes, Shared};
use crate::append::key;
use crate::limits::{BODY_BYTES_MAX, LOOKED_AT_MAX, OPENED_MAX};
use crate::who::Caller;

pub(super) fn add(routes: Routes) -> Routes {
    routes.add("POST", "/api/v1/accesses", record).add("GET", "/api/v1/accesses", list)
}

async fn record(State(app): State<Shared>, request: Request) -> Result<Response, Failure> {
    // Taken apart here: extractors would copy the headers, for each of a million.
    let (mut parts, body) = request.into_parts();
    let asked = parts.extensions.remove::<Asked>().ok_or(Kind::Internal)?;
    let key = key(&parts.headers, &asked)?;
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).map(|v| v.split(';').next().unwrap_or_default().trim());
    match kind {
        Some("application/json") => {
            let bytes = super::whole(body, BODY_BYTES_MAX).await?;
            let told: AccessBody = read_json(&bytes)?;
            if told.idempotency_key.is_some() {
                return Err(super::invalid("The Idempotency-Key header names a single event; idempotency_key is for lines of a stream."));
            }
            let event = told.event().map_err(|why| super::invalid(format!("The body does not fit: {why}.")))?;
            let recorded = app.append(&asked, key, event.into()).await?;
            Ok(created(&recorded, &json!({}), &app))
        }
        Some("application/x-ndjson") => {
            if !asked.signing.is_none() {
                return Err(super::invalid("A signature is of one request: lines of a stream have none."));
            }
            let principal = asked.caller()?.principal.clone();
            Ok(stream::record(&app, (asked, parts.headers), principal, key, body))
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

impl Wanted {
    fn wants(&self, e: &AccessEvent) -> bool {
        self.person.as_ref().is_none_or(|p| *p == e.person)
            && self.submission.as_ref().is_none_or(|s| *s == e.submission)
            && self.from.is_none_or(|from| from <= e.occurred_at)
            && self.until.is_none_or(|until| e.occurred_at < until)
    }
}

async fn list(State(app): State<Shared>, Extension(asked): Extension<Asked>, query: RawQuery) -> Result<Response, Failure> {
    let mut params = Params::of(query)?;
    let mut wanted = Wanted {
        person: params.take("person")?,
        submission: params.take("submission")?,
        from: params.take("from")?,
        until: params.take("until")?,
    };
    let as_of = params.as_of()?;
    let (limit, cursor) = (params.limit()?, params.take::<String>("cursor")?);
    params.end()?;
    let caller = Arc::clone(asked.caller()?);
    if asked.view == View::Own {
        // Of oneself alone, whoever is asked about.
        wanted.person = Some(caller.person.clone().filter(|own| wanted.person.as_ref().is_none_or(|p| p == own)).ok_or(Kind::NotFound)?);
    }
    let subject = wanted.person.as_ref().map(ToString::to_string).or(wanted.submission.as_ref().map(ToString::to_string));
    let subject = subject.unwrap_or_else(|| "all".to_owned());
    let question = format!("accesses {subject} {:?} {:?} {:?} {:?} {as_of:?}", wanted.submission, wanted.from, wanted.until, asked.view);
    let mut first = match cursor {
        Some(cursor) => app.cursors.read(&question, &cursor)?.parse::<u64>().map_err(|_| Kind::Cursor)?.saturating_add(1),
        None => 0,
    };
    let bound = bound(&app, as_of).await?;
    let end = bound.as_ref().map_or(u64::MAX, |(_, size)| *size);
    // Few at once, since a look holds up the next commit; which entries are about somebody is asked once.
    let at_once = if wanted.person.is_none() && wanted.submission.is_none() { LOOKED_AT_MAX } else { OPENED_MAX };
    let who = Arc::new((asked, caller, wanted));
    let (mut found, mut opened) = (Vec::new(), 0);
    let (frame, more) = loop {
        let (who, rows_left, left) = (Arc::clone(&who), limit - found.len(), at_once.min(OPENED_MAX - opened));
        let part = app.look(move |ledger| find(ledger, &who, first..end, rows_left, left)).await?;
        found.extend(part.rows);
        opened += part.opened;
        match part.last {
            Some(last) if part.more && found.len() < limit && opened < OPENED_MAX => first = last.saturating_add(1),
            last => break (part.frame, last.filter(|_| part.more)),
        }
    };
    let frame = bound.map_or(frame, |(frame, _)| frame);
    let next = more.map(|last| app.cursors.make(&question, &last.to_string())).transpose()?;
    let marked: Option<Vec<Marking>> = found.iter().map(|(_, marking)| marking.clone()).collect();
    let marking = marked.and_then(|marked| highest(&marked));
    let rows = found.into_iter().map(|(row, _)| row).collect();
    let rows = Rows { rows, next, frame, marking, question: Some(("access", subject)) };
    Ok(rows.response(&app, false))
}

/// Some accesses that were looked at.
struct Part {
    /// Each with the marking of its submission, where that has one on record, and its own.
    rows: Vec<(Value, Option<Marking>)>,
    opened: usize,
    /// The last one looked at.
    last: Option<u64>,
    /// Whether there are others behind it.
    more: bool,
    frame: Frame,
}

fn find(ledger: &Ledger, who: &(Asked, Arc<Caller>, Wanted), of: Range<u64>, limit: usize, open: usize) -> Result<Part, Failure> {
    let (asked, caller, wanted) = who;
    let entries: Box<dyn Iterator<Item = LeafIndex> + '_> = match (&wanted.person, &wanted.submission) {
        (Some(person), _) => Box::new(ledger.view().entries_about_person(person)?.into_iter().filter(|i| of.contains(&i.0))),
        (None, Some(submission)) => Box::new(ledger.view().entries_about_submission(submission)?.into_iter().filter(|i| of.contains(&i.0))),
        (None, None) => Box::new((of.start..of.end.min(ledger.size())).map(LeafIndex)),
    };
    let mut part = Part { rows: Vec::new(), opened: 0, last: None, more: false, frame: Frame::now(ledger) };
    for index in entries.filter(|i| ledger.facts().is_access(*i)) {
        if part.rows.len() >= limit || part.opened >= open {
            part.more = true;
            break;
        }
        (part.opened, part.last) = (part.opened + 1, Some(index.0));
        if let Some((_, _, Record::AccessEvent(event))) = unless_erased(ledger.entry(index.0))?
            && wanted.wants(&event)
        {
            // One's own is seen whole, whatever else a role shows of what one's organization offered.
            let own = asked.own && caller.person.as_ref() == Some(&event.person);
            let offered = asked.view == View::Offer && !own;
            if offered && !speaks_for(ledger.facts(), caller, &event.submission) {
                continue;
            }
            let own = event.marking.map(Marking::from);
            let marking =
                ledger.facts().submission(&event.submission).and_then(|s| highest(std::iter::once(&s.record.marking).chain(&own)));
            part.rows.push((row(ledger, offered, index, &event), marking));
        }
    }
    Ok(part)
}

/// Whether somebody speaks for the developer that offered a submission: their organization is a developer and has the provider's id.
pub(super) fn speaks_for(facts: &Facts, caller: &Caller, submission: &SubmissionId) -> bool {
    let provider = facts.submission(submission).map(|s| s.record.provider.as_str());
    let organization = caller.organization.as_ref().and_then(|id| facts.organization(id)).map(|o| &o.record);
    organization.is_some_and(|o| o.kind == OrganizationKind::Developer && Some(o.id.as_str()) == provider)
}

fn row(ledger: &Ledger, offered: bool, index: LeafIndex, e: &AccessEvent) -> Value {
    if offered {
        // Who of which organization, what and when (domain.md section 6): nothing of grants and verdicts.
        let organization = ledger.facts().person(&e.person).map(|p| p.record.organization.clone());
        return json!({
            "entry": index, "occurred_at": e.occurred_at.to_string(), "person": e.person, "organization": organization,
            "submission": e.submission, "action": e.action, "artefact": e.artefact, "result": e.result,
        });
    }
    json!({
        "entry": index, "occurred_at": e.occurred_at.to_string(), "name": name(ledger.facts(), &e.person), "person": e.person, "submission": e.submission,
        "action": e.action, "grant": e.grant, "artefact": e.artefact, "result": e.result, "source": e.source, "source_id": e.source_id,
        "session": e.session, "cleared": e.assessment.as_ref().is_some_and(|a| a.decision == Decision::Cleared), "supersedes": e.supersedes,
    })
}
