//! Records that have an id and a newest form: people, models, issuers, lists, holdings and so on, all by the same four routes. A POST makes one, a PATCH
//! with the ETag of what it changes takes its place, and nothing is ever deleted. What a list is about is also changed by `POST …/supersede`, which is the
//! same, for clients that know no PATCH.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use countersign_api::marking::highest;
use countersign_api::problem::Kind;
use countersign_api::roles::View;
use countersign_api::view::{fields_of, visible};
use countersign_conflict::{Facts, owner};
use countersign_entry::ids::{LeafIndex, PersonId};
use countersign_entry::record::{AgreementKind, LEFT_OUT, Record};
use countersign_entry::time::Micros;
use countersign_ledger::{Ledger, unless_erased};
use serde_json::{Value, json};

use super::accesses::speaks_for;
use super::then::{Then, ask};
use super::{Params, RawQuery, fields};
use crate::answer::{Failure, Frame, One, Rows, created, etag};
use crate::app::{Asked, Routes, Shared};
use crate::append::key;
use crate::limits::{LOOKED_AT_MAX, PASSED_MAX};
use crate::who::Caller;

/// One newest form: its entry, when it was recorded, what it says.
type Newest = (LeafIndex, Micros, Record);

/// A family of records.
#[derive(Clone, Copy)]
pub struct Resource {
    /// Last part of its path.
    pub path: &'static str,
    /// Type of its records.
    pub kind: &'static str,
    after: for<'a> fn(&'a Facts, Option<&str>) -> Box<dyn Iterator<Item = &'a str> + 'a>,
    one: fn(&Facts, &str) -> Option<Newest>,
}

macro_rules! resources {
    ($($path:literal = $kind:literal, $one:ident, $after:ident;)*) => {
        /// Every family.
        pub const RESOURCES: &[Resource] = &[$(Resource {
            path: $path,
            kind: $kind,
            // What is no id comes before every one.
            after: |facts, id| Box::new(facts.$after(id.and_then(|id| id.parse().ok()).as_ref()).map(|k| k.record.id.as_str())),
            one: |facts, id| {
                let known = facts.$one(&id.parse().ok()?)?;
                Some((known.index, known.at, known.record.clone().into()))
            },
        },)*];
    };
}

resources! {
    "organizations" = "organization", organization, organizations_after;
    "persons" = "person", person, persons_after;
    "principals" = "principal", principal, principals_after;
    "credentials" = "credential", credential, credentials_after;
    "providers" = "provider", provider, providers_after;
    "models" = "model", model, models_after;
    "issuers" = "issuer", issuer, issuers_after;
    "identifiers" = "identifier", identifier, identifiers_after;
    "exposures" = "exposure", exposure, exposures_after;
    "submissions" = "submission", submission, submissions_after;
    "agreements" = "agreement", agreement, agreements_after;
    "recusals" = "recusal", recusal, recusals_after;
    "lists" = "list", list, lists_after;
    "list-items" = "list.item", item, items_after;
    "holdings" = "holding", holding, holdings_after;
    "trades" = "trade", trade, trades_after;
    "relationships" = "relationship", relationship, relationships_after;
    "filers" = "filer", filer, filers_after;
}

/// Families that `POST …/supersede` changes too.
const SUPERSEDED: &[&str] = &["models", "issuers", "lists", "list-items"];

pub(super) fn add(mut routes: Routes) -> Routes {
    for resource in RESOURCES.iter().copied() {
        let all = format!("/api/v1/{}", resource.path);
        let one = format!("{all}/{{id}}");
        routes = routes
            .add("GET", &all, move |app, asked, query| list(app, asked, query, resource))
            .add("POST", &all, move |app, asked, headers, bytes| make(app, asked, headers, bytes, resource))
            .add("GET", &one, move |app, asked, path, query| show(app, asked, path, query, resource))
            .add("PATCH", &one, move |app, asked, path, headers, bytes| change(app, asked, path, headers, bytes, resource));
        if SUPERSEDED.contains(&resource.path) {
            let supersede = format!("{one}/supersede");
            routes =
                routes.add("POST", &supersede, move |app, asked, path, headers, bytes| change(app, asked, path, headers, bytes, resource));
        }
    }
    routes
}

async fn list(State(app): State<Shared>, Extension(asked): Extension<Asked>, query: RawQuery, of: Resource) -> Result<Response, Failure> {
    let mut params = Params::of(query)?;
    let (person, as_of) = (params.take::<PersonId>("person")?, params.as_of()?);
    let (limit, cursor) = (params.limit()?, params.take::<String>("cursor")?);
    params.end()?;
    let subject = person.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string);
    let question = format!("{} {subject} {:?} {as_of:?}", of.path, asked.view);
    let recorded_as = if app.may_tell_of_watch_lists(&asked) { "listed" } else { "records" };
    let mut after = cursor.map(|cursor| app.cursors.read(&question, &cursor)).transpose()?;
    let who = Arc::new((Arc::clone(asked.caller()?), asked, person));
    let mut found: Vec<(String, Value)> = Vec::new();
    // Few at once, since a look holds up the next commit. One more than is shown says whether there are others; those nobody may know of say nothing.
    let frame = loop {
        let (who, who_now, from, wanted) = (Arc::clone(&who), Arc::clone(&who), after.take(), limit + 1 - found.len());
        let part = ask(&app, as_of, move |then| Ok(part(then, &who, of, from.as_deref(), wanted))).await?;
        found.extend(if as_of.is_some() { still_seen(&app, &who_now, of, part.rows).await? } else { part.rows });
        match part.went_to {
            Some(last) if found.len() <= limit => after = Some(last),
            _ => break part.frame,
        }
    };
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(last, _)| app.cursors.make(&question, last)).transpose()?;
    let rows = found.into_iter().map(|(_, row)| row).collect();
    let rows = Rows { rows, next, frame, marking: None, question: Some((recorded_as, format!("{} {subject}", of.path))) };
    Ok(rows.response(&app, who.1.sees_all()))
}

/// Some records that were looked at.
struct Part {
    rows: Vec<(String, Value)>,
    /// The last one looked at, where there may be others behind it.
    went_to: Option<String>,
    frame: Frame,
}

/// So many of what whoever asks sees after an id, or as far as one look goes.
fn part(then: &Then<'_>, who: &(Arc<Caller>, Asked, Option<PersonId>), of: Resource, after: Option<&str>, wanted: usize) -> Part {
    let ((caller, asked, person), facts) = (who, then.facts());
    let rows_max = wanted.min(LOOKED_AT_MAX);
    let mut part = Part { rows: Vec::new(), went_to: None, frame: then.frame() };
    for (n, id) in (of.after)(facts, after).enumerate() {
        if part.rows.len() >= rows_max || n >= PASSED_MAX {
            return part;
        }
        part.went_to = Some(id.to_owned());
        let Some((index, at, record)) = (of.one)(facts, id) else { continue };
        if person.as_ref().is_none_or(|p| owner(&record) == Some(p))
            && let Some(fields) = seen(facts, asked, caller, &record)
        {
            part.rows.push((id.to_owned(), json!({ "entry": index, "recorded_at": at.to_string(), "record": fields })));
        }
    }
    part.went_to = None;
    part
}

/// Of what was known then, what whoever asks may know of now: of a list that was made a watch list since they hear no more.
async fn still_seen(
    app: &Shared,
    who: &Arc<(Arc<Caller>, Asked, Option<PersonId>)>,
    of: Resource,
    mut found: Vec<(String, Value)>,
) -> Result<Vec<(String, Value)>, Failure> {
    let who = Arc::clone(who);
    app.look(move |ledger| {
        let facts = ledger.facts();
        found.retain(|(id, _)| (of.one)(facts, id).is_some_and(|(_, _, record)| seen(facts, &who.1, &who.0, &record).is_some()));
        Ok(found)
    })
    .await
}

async fn show(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(id): Path<String>,
    query: RawQuery,
    of: Resource,
) -> Result<Response, Failure> {
    let as_of = Params::only_as_of(query)?;
    let caller = Arc::clone(asked.caller()?);
    let by_entry = app.may_tell_of_watch_lists(&asked);
    // Whoever may not know of it now hears nothing of what it was.
    let (now, eyes) = (id.clone(), (asked.clone(), Arc::clone(&caller)));
    let marking_now = app
        .look(move |ledger| {
            let (_, _, record) = (of.one)(ledger.facts(), &now).ok_or(Kind::NotFound)?;
            seen(ledger.facts(), &eyes.0, &eyes.1, &record).ok_or(Kind::NotFound)?;
            Ok(if let Record::Submission(s) = record { Some(s.marking) } else { None })
        })
        .await?;
    let one = ask(&app, as_of, move |then| {
        let (index, at, record) = (of.one)(then.facts(), &id).ok_or(Kind::NotFound)?;
        let fields = seen(then.facts(), &asked, &caller, &record).ok_or(Kind::NotFound)?;
        let (leaf, meta, _) = then.ledger.entry(index.0)?;
        let marking = if let Record::Submission(s) = &record { highest(marking_now.iter().chain([&s.marking])) } else { None };
        Ok(One {
            fields: json!({ "entry": index, "recorded_at": at.to_string(), "actor": meta.actor, "type": of.kind, "record": fields }),
            entry: Some((index, etag(&leaf))),
            frame: then.frame(),
            marking,
            question: Some(("record", if by_entry { format!("{} {index}", of.path) } else { format!("{} {id}", of.path) })),
        })
    })
    .await?;
    Ok(one.response(&app))
}

/// What of a record somebody sees who has this view of its kind.
fn seen(facts: &Facts, asked: &Asked, caller: &Caller, record: &Record) -> Option<Value> {
    // Whoever sees their own sees it whole, also where another role shows them a part of it with what is others'.
    if asked.own && asked.view < View::Neutral && caller.person.is_some() && owner(record) == caller.person.as_ref() {
        return Some(own_fields(record));
    }
    match asked.view {
        View::Scope => scope(facts, caller, record),
        View::Offer => match record {
            Record::Submission(s) if speaks_for(facts, caller, &s.id) => visible(&asked.eyes(), facts, record),
            // What became of what was offered (domain.md section 6); who else signed what is not theirs to know.
            Record::Agreement(r) if r.kind == AgreementKind::DestructionCertificate => {
                let theirs = r.submission.as_ref().is_some_and(|id| speaks_for(facts, caller, id));
                if theirs { visible(&asked.eyes(), facts, record) } else { None }
            }
            _ => None,
        },
        View::Neutral | View::Full => visible(&asked.eyes(), facts, record),
        View::Public | View::Append | View::Own => None,
    }
}

/// One's own record, whole but for what the ethics office writes down of its grounds.
fn own_fields(record: &Record) -> Value {
    let mut fields = fields_of(record);
    if let Value::Object(fields) = &mut fields {
        fields.remove("ground");
    }
    countersign_api::words::times_as_text(&mut fields);
    fields
}

/// That somebody of one's own organization is recused, and from what; never why (5 CFR 2635.602(a)(2), domain.md section 6).
fn scope(facts: &Facts, caller: &Caller, record: &Record) -> Option<Value> {
    let Record::Recusal(r) = record else { return None };
    let serves = facts.person(&r.person).map(|p| &p.record.organization);
    (caller.organization.is_some() && serves == caller.organization.as_ref()).then(|| {
        json!({
            "id": r.id, "person": r.person, "scope": r.scope, "from": r.from.to_string(), "until": r.until.map(|at| at.to_string()),
        })
    })
}

async fn make(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    headers: HeaderMap,
    bytes: Bytes,
    of: Resource,
) -> Result<Response, Failure> {
    let told = fields(&headers, &bytes)?;
    made(&app, &asked, &headers, of.kind, told).await
}

/// Records one of a kind, which takes nothing's place.
pub(super) async fn made(app: &Shared, asked: &Asked, headers: &HeaderMap, kind: &str, told: Value) -> Result<Response, Failure> {
    let key = key(headers, asked)?;
    if told.get("approvals").is_some() {
        return Err(super::invalid("Signatures of others are sent in Countersign-Approval."));
    }
    let record = super::record(kind, told)?;
    if record.supersedes().is_some() {
        return Err(super::invalid("To change a record, send a PATCH to it with the ETag of what it takes the place of."));
    }
    Ok(created(&app.append(asked, key, record).await?, &json!({}), app))
}

async fn change(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
    of: Resource,
) -> Result<Response, Failure> {
    let key = key(&headers, &asked)?;
    let changes = fields(&headers, &bytes)?;
    let Value::Object(changes) = changes else { return Err(super::invalid("The body is an object with the fields that change.")) };
    let wanted = headers.get(header::IF_MATCH).ok_or(Kind::EtagMissing)?.to_str().ok().filter(|text| is_etag(text));
    let wanted = wanted.ok_or_else(|| super::invalid("If-Match is one ETag, as an answer gave it."))?.to_owned();
    let caller = Arc::clone(asked.caller()?);
    let asked_too = asked.clone();
    let record = app
        .look(move |ledger| {
            let newest = (of.one)(ledger.facts(), &id).ok_or(Kind::NotFound)?;
            seen(ledger.facts(), &asked_too, &caller, &newest.2).ok_or(Kind::NotFound)?;
            // What does not fit at all is told before what changed meanwhile.
            changed(of.kind, &newest.2, newest.0, &changes)?;
            // What takes the place of something is made from what was there when the client looked: made again from the same ETag, it is the same request.
            let entry = of_etag(ledger, newest, &wanted)?;
            changed(of.kind, &ledger.entry(entry.0)?.2, entry, &changes)
        })
        .await?;
    Ok(created(&app.append(&asked, key, record).await?, &json!({}), &app))
}

fn is_etag(text: &str) -> bool {
    let hash = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    hash.is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
}

/// A record with some of its fields changed, to take its place.
fn changed(kind: &str, record: &Record, index: LeafIndex, changes: &serde_json::Map<String, Value>) -> Result<Record, Failure> {
    let mut fields = fields_of(record);
    if let Value::Object(fields) = &mut fields {
        // What was signed was the form before.
        fields.remove("approvals");
        // What is left out of a record that has nothing to say there may be said all the same; of a type that has no such field it does not read.
        let changes_some = |name: &String| fields.contains_key(name) || LEFT_OUT.contains(&name.as_str());
        if changes.is_empty()
            || changes.keys().any(|name| !changes_some(name) || ["id", "supersedes", "approvals"].contains(&name.as_str()))
        {
            return Err(super::invalid("The body has no field of the record that may change, or one that is not the record's."));
        }
        fields.extend(changes.clone());
        fields.insert("supersedes".into(), json!(index));
    }
    super::record(kind, fields)
}

/// The entry an ETag names, which is the newest form or an earlier one of the same record: the ledger refuses to supersede that, or knows the request.
fn of_etag(ledger: &Ledger, newest: Newest, wanted: &str) -> Result<LeafIndex, Failure> {
    let (mut index, _, mut record) = newest;
    loop {
        if etag(&ledger.leaf(index.0)?) == wanted {
            return Ok(index);
        }
        index = record.supersedes().ok_or(Kind::StaleEtag)?;
        record = unless_erased(ledger.entry(index.0))?.ok_or(Kind::StaleEtag)?.2;
    }
}
