//! `/scim/v2`: an agency's directory tells who serves where, and who left (RFC 7643, RFC 7644). A user is a person record and, for each name the directory
//! has for them, a credential record of kind `scim` that points to it; a directory sees and changes those it told of, and nobody else's. A group is an
//! organization and is read alone. Nothing here makes a login or gives a role.
//!
//! Clients send no idempotency key. That of a new person follows from the body, those of all other entries from what they say, and what stands already is
//! not recorded again: a request repeated changes nothing, and one that was cut short is completed by its repetition.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_api::problem::Kind;
use countersign_api::scim::{self, Filter, Patch, Shown, User, Work};
use countersign_conflict::{Facts, Known};
use countersign_entry::ids::{Date, Line, OrganizationId, PersonId, PrincipalId, RecordId, RequestKey};
use countersign_entry::record::{Credential, CredentialKind, Organization, Person, PersonStatus, Record};
use countersign_ledger::Ledger;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Params, RawQuery};
use crate::answer::{Failure, mark, which};
use crate::app::{App, Asked, Question, Routes, Shared};
use crate::limits::{PAGE_ROWS, PAGE_ROWS_MAX};

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .add("GET", "/scim/v2/Users", users)
        .add("POST", "/scim/v2/Users", create)
        .add("GET", "/scim/v2/Users/{id}", user)
        .add("PUT", "/scim/v2/Users/{id}", replace)
        .add("PATCH", "/scim/v2/Users/{id}", change)
        .add("GET", "/scim/v2/Groups", groups)
        .add("GET", "/scim/v2/Groups/{id}", group)
        .add("GET", "/scim/v2/ServiceProviderConfig", |app| fixed(app, scim::config))
        .add("GET", "/scim/v2/ResourceTypes", |app| fixed(app, scim::types))
        .add("GET", "/scim/v2/Schemas", |app| fixed(app, scim::schemas))
}

/// Names a directory has for somebody, each a credential of its own.
#[derive(Clone, Copy)]
enum Called {
    UserName,
    ExternalId,
    EmployeeNumber,
}

impl Called {
    const ALL: [Self; 3] = [Self::UserName, Self::ExternalId, Self::EmployeeNumber];

    /// The credential's id: one for each person, directory and kind of name.
    fn id(self, directory: &PrincipalId, person: &PersonId) -> Option<RecordId> {
        let word = match self {
            Self::UserName => "user",
            Self::ExternalId => "external",
            Self::EmployeeNumber => "number",
        };
        RecordId::new(format!("scim-{word}-{directory}-{person}")).ok()
    }

    /// Who gave the name out: the directory, by the account it tells under.
    fn issuer(self, directory: &PrincipalId) -> String {
        match self {
            Self::UserName => directory.to_string(),
            Self::ExternalId => format!("{directory}#externalId"),
            Self::EmployeeNumber => format!("{directory}#employeeNumber"),
        }
    }

    /// The name as it is kept: that of a user in small letters, since letter case does not count (RFC 7643 section 4.1.1).
    fn subject(self, told: &User) -> Option<Line> {
        match self {
            Self::UserName => told.user_name.as_ref().and_then(|name| Line::new(name.as_str().to_lowercase()).ok()),
            Self::ExternalId => told.external_id.clone(),
            Self::EmployeeNumber => told.work.as_ref().and_then(|work| work.employee_number.clone()),
        }
    }

    /// What stands of it for a person.
    fn of<'a>(self, facts: &'a Facts, directory: &PrincipalId, person: &PersonId) -> Option<&'a Known<Credential>> {
        facts.credential(&self.id(directory, person)?)
    }

    /// Whom a name points to, and whether it still does.
    fn whose(self, facts: &Facts, directory: &PrincipalId, subject: &str) -> Option<(PersonId, bool)> {
        let all = facts.credentials_at(CredentialKind::Scim, &self.issuer(directory), subject);
        let own = all.filter(|k| self.id(directory, &k.record.person).as_ref() == Some(&k.record.id));
        own.map(|k| (k.record.person.clone(), stands(k))).max_by_key(|(_, stands)| *stands)
    }
}

fn stands(known: &Known<Credential>) -> bool {
    known.record.valid_to.is_none()
}

/// A person as a directory reads them; none where it did not tell of them, or took that back.
fn shown(facts: &Facts, directory: &PrincipalId, id: &PersonId) -> Option<Map<String, Value>> {
    let person = facts.person(id)?;
    let subject = |called: Called| called.of(facts, directory, id).filter(|k| stands(k)).map(|k| k.record.subject.as_str());
    let active = person.record.status != PersonStatus::Former;
    let (place, top) = (facts.organization(&person.record.organization)?, top(facts, &person.record.organization)?);
    Some(scim::user(&Shown {
        id: id.as_str(),
        changed: person.at.to_string(),
        user_name: subject(Called::UserName)?,
        external_id: subject(Called::ExternalId),
        name: person.record.name.as_str(),
        active,
        status: if active { Some(person.record.status) } else { facts.left(id).map(|(_, before)| before) },
        employee_number: subject(Called::EmployeeNumber),
        organization: top.record.name.as_str(),
        department: (place.record.id != top.record.id).then_some(place.record.name.as_str()),
    }))
}

/// An organization and those it belongs to, upwards. An organization that belongs to itself ends it.
fn upwards<'a>(facts: &'a Facts, id: &OrganizationId) -> impl Iterator<Item = &'a Known<Organization>> {
    let next = |known: &&'a Known<Organization>| known.record.parent.as_ref().and_then(|parent| facts.organization(parent));
    std::iter::successors(facts.organization(id), next).take(DEPTH_MAX)
}

/// Organizations above one another that are looked at.
const DEPTH_MAX: usize = 32;

fn top<'a>(facts: &'a Facts, id: &OrganizationId) -> Option<&'a Known<Organization>> {
    upwards(facts, id).last()
}

/// Where somebody serves: the department or division where it is recorded as a part of the organization, else the organization. A name that fits two is
/// no name.
fn place(facts: &Facts, work: &Work) -> Option<OrganizationId> {
    let named = |name: &Line, within: Option<&OrganizationId>| {
        let fits = |o: &&Known<Organization>| {
            let below = |all: &OrganizationId| o.record.id != *all && upwards(facts, &o.record.id).any(|above| above.record.id == *all);
            let called = o.record.id.as_str() == name.as_str() || o.record.name.as_str().eq_ignore_ascii_case(name.as_str());
            called && within.is_none_or(below)
        };
        let mut found = facts.organizations().filter(fits).map(|o| o.record.id.clone());
        found.next().filter(|_| found.next().is_none())
    };
    let whole = named(work.organization.as_ref()?, None)?;
    let part = [&work.department, &work.division].into_iter().flatten().find_map(|name| named(name, Some(&whole)));
    Some(part.unwrap_or(whole))
}

/// The records that make it so; none where it is so already. That somebody left comes first, whatever else is said with it.
fn records(facts: &Facts, directory: &PrincipalId, id: &PersonId, told: &User, today: &Date) -> Result<Vec<Record>, Failure> {
    let before = facts.person(id);
    let left = facts.left(id).map(|(_, status)| status);
    let active = told.active.unwrap_or_else(|| before.is_none_or(|k| k.record.status != PersonStatus::Former));
    let place = told.work.as_ref().and_then(|work| place(facts, work));
    let kept = before.map(|k| &k.record);
    // Of somebody who leaves what is recorded is enough: nothing in the request may keep that from being recorded.
    let lenient = |what: Option<OrganizationId>| if active { what } else { what.or_else(|| kept.map(|k| k.organization.clone())) };
    let status = match told.user_type {
        _ if !active => Some(PersonStatus::Former),
        Some(PersonStatus::Former) => return Err(invalid("Whoever left is sent with active, false.")),
        Some(told) => Some(told),
        None => kept.map(|k| k.status).filter(|s| *s != PersonStatus::Former).or(left),
    };
    let person = Person {
        id: id.clone(),
        name: told.told_name().or_else(|| kept.map(|k| k.name.clone())).ok_or_else(|| invalid("A user has a name."))?,
        status: status.ok_or_else(|| invalid("userType says which law binds them: civilian, sge, officer, enlisted, presidential_appointee, ipa_detailee, contractor, ffrdc or partner."))?,
        organization: lenient(place).ok_or_else(|| {
            let detail = "The extension's organization is not the id or the name of one organization that is recorded.";
            Failure::from(Kind::UnknownReference.problem().saying(detail))
        })?,
        supersedes: before.map(|k| k.index),
    };
    let mut records = Vec::new();
    if kept != Some(&Person { supersedes: kept.and_then(|k| k.supersedes), ..person.clone() }) {
        records.push(person.into());
    }
    for called in Called::ALL {
        match name(facts, directory, id, called, called.subject(told), today) {
            Ok(more) => records.extend(more),
            Err(taken) if active => return Err(taken),
            // Whoever leaves leaves; what they are called stays as it is, and the answer says so.
            Err(_) => {}
        }
    }
    Ok(records)
}

/// The record that makes a name point to somebody, or no longer.
fn name(
    facts: &Facts,
    directory: &PrincipalId,
    id: &PersonId,
    called: Called,
    subject: Option<Line>,
    today: &Date,
) -> Result<Option<Record>, Failure> {
    let before = called.of(facts, directory, id);
    let (subject, valid_to) = match (subject, before) {
        (Some(subject), Some(k)) if stands(k) && k.record.subject == subject => return Ok(None),
        (Some(subject), _) => (subject, None),
        (None, Some(k)) if stands(k) => (k.record.subject.clone(), Some(today.clone())),
        (None, _) => return Ok(None),
    };
    let taken = called.whose(facts, directory, subject.as_str()).is_some_and(|(person, stands)| stands && person != *id);
    if valid_to.is_none() && taken {
        return Err(Kind::Exists.problem().saying("Another user has this name or number.").into());
    }
    let credential = Credential {
        id: called.id(directory, id).ok_or(Kind::Internal)?,
        person: id.clone(),
        kind: CredentialKind::Scim,
        issuer: Line::new(called.issuer(directory)).map_err(|_| Kind::Internal)?,
        subject,
        valid_from: before.map_or_else(|| Some(today.clone()), |k| k.record.valid_from.clone()),
        valid_to,
        provenance: None,
        supersedes: before.map(|k| k.index),
    };
    Ok(Some(credential.into()))
}

fn invalid(detail: &str) -> Failure {
    Kind::Invalid.problem().saying(detail).into()
}

fn digest(text: &[u8]) -> Result<RequestKey, Failure> {
    let digest = Sha256::digest(text);
    RequestKey::new(format!("scim-{}", hex::encode(digest.get(..16).unwrap_or_default()))).map_err(|_| Kind::Internal.into())
}

fn object(headers: &HeaderMap, bytes: &[u8]) -> Result<Value, Failure> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).map(|v| v.split(';').next().unwrap_or_default().trim());
    if !matches!(kind, Some(scim::MEDIA | "application/json")) {
        return Err(Kind::MediaType.problem().saying("Send application/scim+json.").into());
    }
    super::json(bytes)
}

fn told(body: &Value) -> Result<User, Failure> {
    let Value::Object(fields) = body else { return Err(super::invalid("The body is an object.")) };
    User::of(fields).map_err(unfit)
}

fn unfit(e: serde_json::Error) -> Failure {
    super::invalid(format!("The body does not fit: {}.", countersign_api::body::fault(&e)))
}

fn answer(app: &App, status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(scim::MEDIA))];
    mark((status, kind, body.to_string()).into_response(), &app.marking().marking)
}

async fn fixed(State(app): State<Shared>, what: fn() -> Value) -> Response {
    answer(&app, StatusCode::OK, &what())
}

fn person(text: &str) -> Result<PersonId, Failure> {
    text.parse().map_err(|_| Kind::NotFound.into())
}

/// Records them one after the other, as whoever asks.
async fn settle(app: &Shared, asked: &Asked, records: Vec<Record>, first: Option<RequestKey>) -> Result<(), Failure> {
    let mut first = first;
    for record in records {
        let key = match first.take() {
            Some(key) => key,
            None => digest(&record.request_bytes().map_err(|_| Kind::Internal)?)?,
        };
        app.append(asked, key, record).await?;
    }
    Ok(())
}

/// A user as they stand.
async fn shown_now(app: &Shared, asked: &Asked, id: PersonId, status: StatusCode) -> Result<Response, Failure> {
    let (directory, whom) = (asked.caller()?.principal.clone(), id.clone());
    let fields = app.look(move |ledger| Ok(shown(ledger.facts(), &directory, &whom).ok_or(Kind::NotFound)?)).await?;
    let mut response = answer(app, status, &Value::Object(fields));
    if let Ok(location) = HeaderValue::from_str(&format!("{}/{id}", scim::USERS)) {
        response.headers_mut().insert(if status == StatusCode::CREATED { header::LOCATION } else { header::CONTENT_LOCATION }, location);
    }
    Ok(response)
}

/// Whom a request to make a user is about: whether they are to be made, to be made as told, or made already.
enum Found {
    /// By this request, whose answer may not have come through.
    Made(PersonId),
    /// Nobody yet, or somebody who was taken back, or whose making was cut short.
    ToBe(PersonId, Vec<Record>),
}

async fn create(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Failure> {
    let body = object(&headers, &bytes)?;
    let told = told(&body)?;
    let user_name = Called::UserName.subject(&told).ok_or_else(|| invalid("A user has a userName."))?;
    let key = digest(body.to_string().as_bytes())?;
    let (directory, today, fresh) = (asked.caller()?.principal.clone(), Date::of(app.now()), random()?);
    let turn = app.scim.lock().await;
    let first = key.clone();
    let found = app
        .look(move |ledger| {
            let facts = ledger.facts();
            let made = made_by(ledger, &directory, &key)?;
            let id = match Called::UserName.whose(facts, &directory, user_name.as_str()) {
                Some((person, true)) if made.as_ref() == Some(&person) => return Ok(Found::Made(person)),
                Some((_, true)) => return Err(Kind::Exists.problem().saying("There is a user of this userName.").into()),
                // The directory's own id for somebody is theirs for ever; a userName may be given to another.
                _ => made.or_else(|| Called::ExternalId.whose(facts, &directory, told.external_id.as_ref()?.as_str()).map(|(p, _)| p)),
            };
            let id = id.unwrap_or(fresh);
            let records = records(facts, &directory, &id, &told, &today)?;
            Ok(Found::ToBe(id, records))
        })
        .await?;
    let id = match found {
        Found::Made(id) => id,
        Found::ToBe(id, records) => {
            let new = matches!(records.first(), Some(Record::Person(p)) if p.supersedes.is_none());
            settle(&app, &asked, records, Some(first).filter(|_| new)).await?;
            id
        }
    };
    drop(turn);
    shown_now(&app, &asked, id, StatusCode::CREATED).await
}

/// Whom this very request made before.
fn made_by(ledger: &Ledger, directory: &PrincipalId, key: &RequestKey) -> Result<Option<PersonId>, Failure> {
    let entry = ledger.entry_of_request(directory, key).map_err(|_| Kind::Internal)?;
    let record = entry.map(|entry| countersign_ledger::unless_erased(ledger.entry(entry))).transpose()?.flatten();
    Ok(record.and_then(|(_, _, record)| if let Record::Person(p) = record { Some(p.id) } else { None }))
}

fn random() -> Result<PersonId, Failure> {
    PersonId::new(format!("P-{}", crate::imports::random()?)).map_err(|_| Kind::Internal.into())
}

async fn replace(
    app: State<Shared>,
    asked: Extension<Asked>,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Failure> {
    let told = told(&object(&headers, &bytes)?)?;
    if told.user_name.is_none() {
        return Err(invalid("A user has a userName."));
    }
    alter(app, asked, person(&id)?, move |_| Ok(told)).await
}

async fn change(
    app: State<Shared>,
    asked: Extension<Asked>,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Failure> {
    let patch: Patch = serde_json::from_value(object(&headers, &bytes)?).map_err(unfit)?;
    alter(app, asked, person(&id)?, move |before| {
        let told = User::patched(before, &patch).map_err(unfit)?;
        if told.user_name.is_some() {
            Ok(told)
        } else {
            Err(invalid("A user keeps a userName; whoever leaves is sent with active, false."))
        }
    })
    .await
}

/// Makes a user be what the request says, from what they are.
async fn alter(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    id: PersonId,
    to: impl FnOnce(Map<String, Value>) -> Result<User, Failure> + Send + 'static,
) -> Result<Response, Failure> {
    let (directory, today, whom) = (asked.caller()?.principal.clone(), Date::of(app.now()), id.clone());
    let turn = app.scim.lock().await;
    let records = app
        .look(move |ledger| {
            let before = shown(ledger.facts(), &directory, &whom).ok_or(Kind::NotFound)?;
            records(ledger.facts(), &directory, &whom, &to(before)?, &today)
        })
        .await?;
    settle(&app, &asked, records, None).await?;
    drop(turn);
    shown_now(&app, &asked, id, StatusCode::OK).await
}

/// Which part of a list is wanted, and by which filter. What else a client may ask for of attributes and order is passed over: all of them are told.
struct Wanted {
    first: usize,
    count: usize,
    filter: Option<Filter>,
}

impl Wanted {
    fn of(query: RawQuery) -> Result<Self, Failure> {
        let mut params = Params::of(query)?;
        let (first, count) = (params.take::<i64>("startIndex")?, params.take::<i64>("count")?);
        let filter = params.take::<String>("filter")?.map(|text| Filter::parse(&text).ok_or(Kind::Filter)).transpose()?;
        for passed in ["attributes", "excludedAttributes", "sortBy", "sortOrder"] {
            params.take::<String>(passed)?;
        }
        params.end()?;
        // Less than it may be counts as the least it may be (RFC 7644 section 3.4.2.4).
        let count = count.map_or(PAGE_ROWS, |count| usize::try_from(count).unwrap_or(0).min(PAGE_ROWS_MAX));
        Ok(Self { first: first.map_or(1, |first| usize::try_from(first).unwrap_or(1).max(1)), count, filter })
    }

    fn page(&self, all: Vec<PersonId>, show: impl Fn(&PersonId) -> Option<Value>) -> Value {
        let part = all.iter().skip(self.first - 1).take(self.count).filter_map(show).collect();
        scim::list(part, all.len(), self.first)
    }
}

async fn users(State(app): State<Shared>, Extension(asked): Extension<Asked>, query: RawQuery) -> Result<Response, Failure> {
    let (wanted, directory) = (Wanted::of(query)?, asked.caller()?.principal.clone());
    let (body, size) = app
        .look(move |ledger| {
            let facts = ledger.facts();
            let one = |called: Called, subject: &str| {
                let found = called.whose(facts, &directory, subject).filter(|(_, stands)| *stands).map(|(person, _)| person);
                found.filter(|person| shown(facts, &directory, person).is_some()).into_iter().collect()
            };
            let all = match &wanted.filter {
                Some(Filter::UserName(name)) => one(Called::UserName, &name.to_lowercase()),
                Some(Filter::ExternalId(id)) => one(Called::ExternalId, id),
                Some(Filter::DisplayName(_)) => return Err(Kind::Filter.into()),
                None => everybody(facts, &directory),
            };
            let body = wanted.page(all, |person| shown(facts, &directory, person).map(Value::Object));
            Ok((body, ledger.size()))
        })
        .await?;
    let mut response = answer(&app, StatusCode::OK, &body);
    let shown = body.get("Resources").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    response.extensions_mut().insert(Question { what: "scim", subject: which("users", shown, "/id"), rows: shown.len(), as_of: size });
    Ok(response)
}

/// Everybody a directory told of, in the order of their ids.
fn everybody(facts: &Facts, directory: &PrincipalId) -> Vec<PersonId> {
    let own = |k: &&Known<Credential>| stands(k) && Called::UserName.id(directory, &k.record.person).as_ref() == Some(&k.record.id);
    let scim = facts.credentials().filter(|k| k.record.kind == CredentialKind::Scim && k.record.issuer.as_str() == directory.as_str());
    scim.filter(own).map(|k| k.record.person.clone()).collect()
}

async fn user(State(app): State<Shared>, Extension(asked): Extension<Asked>, Path(id): Path<String>) -> Result<Response, Failure> {
    let (id, size) = (person(&id)?, app.look(|ledger| Ok(ledger.size())).await?);
    let mut response = shown_now(&app, &asked, id.clone(), StatusCode::OK).await?;
    response.extensions_mut().insert(Question { what: "scim", subject: id.to_string(), rows: 1, as_of: size });
    Ok(response)
}

fn group_of(organization: &Organization) -> Value {
    json!({
        "schemas": [scim::GROUP], "id": organization.id, "displayName": organization.name,
        "meta": { "resourceType": "Group", "location": format!("{}/Groups/{}", scim::PATH, organization.id) },
    })
}

/// Organizations, without who serves there.
async fn groups(State(app): State<Shared>, query: RawQuery) -> Result<Response, Failure> {
    let wanted = Wanted::of(query)?;
    let body = app
        .look(move |ledger| {
            let all = ledger.facts().organizations().map(|k| &k.record);
            let all: Vec<&Organization> = match &wanted.filter {
                Some(Filter::DisplayName(name)) => all.filter(|o| o.name.as_str().eq_ignore_ascii_case(name)).collect(),
                Some(_) => return Err(Kind::Filter.into()),
                None => all.collect(),
            };
            let part = all.iter().skip(wanted.first - 1).take(wanted.count).map(|o| group_of(o)).collect();
            Ok(scim::list(part, all.len(), wanted.first))
        })
        .await?;
    Ok(answer(&app, StatusCode::OK, &body))
}

/// An organization, with those of one's own users who serve there.
async fn group(
    State(app): State<Shared>,
    Extension(asked): Extension<Asked>,
    Path(id): Path<String>,
    query: RawQuery,
) -> Result<Response, Failure> {
    Wanted::of(query)?;
    let (id, directory): (OrganizationId, _) = (id.parse().map_err(|_| Kind::NotFound)?, Arc::clone(asked.caller()?));
    let (body, subject, rows, size) = app
        .look(move |ledger| {
            let facts = ledger.facts();
            let mut body = group_of(&facts.organization(&id).ok_or(Kind::NotFound)?.record);
            let serves =
                |p: &PersonId| facts.person(p).is_some_and(|k| k.record.organization == id && k.record.status != PersonStatus::Former);
            let members: Vec<Value> = everybody(facts, &directory.principal)
                .iter()
                .filter(|p| serves(p))
                .map(|p| json!({ "value": p, "$ref": format!("{}/{p}", scim::USERS), "type": "User" }))
                .collect();
            let (subject, rows) = (which(id.as_str(), &members, "/value"), members.len());
            if let Value::Object(fields) = &mut body {
                fields.insert("members".into(), members.into());
            }
            Ok((body, subject, rows, ledger.size()))
        })
        .await?;
    let mut response = answer(&app, StatusCode::OK, &body);
    response.extensions_mut().insert(Question { what: "scim", subject, rows, as_of: size });
    Ok(response)
}
