//! The routes, one module for each resource or family of resources.

mod accesses;
mod emergency;
mod ethics;
mod events;
mod exports;
mod grants;
mod imports;
mod log;
mod logins;
mod once;
mod people;
mod records;
mod scim;
mod stream;
mod then;
mod within;

use std::collections::BTreeMap;

use axum::Json;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use countersign_api::problem::Kind;
use countersign_conflict::Facts;
use countersign_entry::ids::PersonId;
use countersign_entry::record::{Marking, Record};
use countersign_ledger::query::AsOf;
use http_body_util::{BodyExt as _, Limited};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::answer::Failure;
use crate::app::{App, Asked, Routes, Shared};
use crate::limits::{JSON_DEPTH_MAX, PAGE_ROWS, PAGE_ROWS_MAX};

pub(crate) use self::events::{Told, told_after};

/// A request's parameters as axum reads them.
pub(crate) type RawQuery = Result<Query<Vec<(String, String)>>, axum::extract::rejection::QueryRejection>;

/// Every route there is.
pub fn all() -> Routes {
    let routes = Routes::new().add("GET", "/api/v1/whoami", whoami);
    let families = [
        log::add,
        accesses::add,
        grants::add,
        emergency::add,
        people::add,
        records::add,
        logins::add,
        scim::add,
        within::add,
        ethics::add,
        imports::add,
        exports::add,
        events::add,
    ];
    families.into_iter().fold(routes, |routes, add| add(routes))
}

async fn whoami(State(app): State<Shared>, asked: axum::Extension<Asked>) -> Result<Response, Failure> {
    let caller = asked.caller()?;
    let marked = app.marking();
    let body = json!({
        "principal": caller.principal, "person": caller.person, "organization": caller.organization, "roles": caller.roles,
        "marking": marked.told,
    });
    Ok(crate::answer::mark(Json(body).into_response(), &marked.marking))
}

/// A body of JSON, not too deep, of a type; without a word of what it holds where it does not fit.
pub(crate) fn body<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Failure> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).map(|v| v.split(';').next().unwrap_or_default().trim());
    if kind != Some("application/json") {
        return Err(Kind::MediaType.into());
    }
    json(bytes)
}

/// As [`body`], the fields of a record, whatever they are: none of them twice.
pub(crate) fn fields(headers: &HeaderMap, bytes: &[u8]) -> Result<serde_json::Value, Failure> {
    let told = body(headers, bytes)?;
    if once::has_no_name_twice(bytes) { Ok(told) } else { Err(invalid("The body has a field twice.")) }
}

/// A body whole, of at most so many bytes; one that says it is longer is not read at all.
pub(crate) async fn whole(body: Body, most: usize) -> Result<Bytes, Failure> {
    if usize::try_from(body.size_hint().lower()).map_or(true, |least| least > most) {
        return Err(Kind::TooLarge.into());
    }
    Ok(Limited::new(body, most).collect().await.map_err(|_| Kind::TooLarge)?.to_bytes())
}

/// As [`body`], where what it is has been asked already.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    // No more stand inside one another than there are; counting those is quick.
    let opened = memchr::memchr2_iter(b'[', b'{', bytes).count();
    if opened > JSON_DEPTH_MAX && depth(bytes) > JSON_DEPTH_MAX {
        return Err(invalid(format!("The body holds more than {JSON_DEPTH_MAX} objects and arrays inside one another.")));
    }
    // Once for all of it: else it is asked of each text in it.
    let text = std::str::from_utf8(bytes).map_err(|_| invalid("The body does not fit: it is not UTF-8."))?;
    serde_json::from_str(text).map_err(|e| invalid(format!("The body does not fit: {}.", countersign_api::body::fault(&e))))
}

/// A record of a type out of a body's fields.
pub(crate) fn record(kind: &str, told: serde_json::Value) -> Result<Record, Failure> {
    countersign_api::body::record(kind, told).map_err(|e| {
        let fault = countersign_api::body::fault(&e);
        if countersign_api::body::is_rule(&e) {
            Kind::Invalid.problem().saying(format!("Nothing was recorded: {fault}.")).into()
        } else {
            invalid(format!("The body does not fit: {fault}."))
        }
    })
}

/// A body's fields, with the one beside them that the path says and the body therefore leaves out.
pub(crate) fn with_path(mut told: serde_json::Value, field: &'static str, said: serde_json::Value) -> Result<serde_json::Value, Failure> {
    match &mut told {
        serde_json::Value::Object(fields) if !fields.contains_key(field) => drop(fields.insert(field.to_owned(), said)),
        _ => return Err(invalid("The body is an object; what it is about stands in the path alone.")),
    }
    Ok(told)
}

/// A [`Kind::Validation`] that says more.
pub(crate) fn invalid(detail: impl Into<String>) -> Failure {
    Kind::Validation.problem().saying(detail).into()
}

/// The most objects and arrays that stand open at once, strings left out. No parser has to take the depth first.
fn depth(bytes: &[u8]) -> usize {
    let (mut open, mut most, mut text, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match (text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => text = !text,
            (false, b'[' | b'{') => {
                open += 1;
                most = most.max(open);
            }
            (false, b']' | b'}') => open = open.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// Parameters of a query, each of which has to be used.
pub(crate) struct Params(BTreeMap<String, String>);

impl Params {
    /// Out of a request's query.
    ///
    /// # Errors
    /// One twice, or what is no query.
    pub(crate) fn of(query: RawQuery) -> Result<Self, Failure> {
        let Query(pairs) = query.map_err(|_| invalid("The query does not read."))?;
        let mut all = BTreeMap::new();
        for (name, value) in pairs {
            if all.insert(name, value).is_some() {
                return Err(invalid("A parameter is given twice."));
            }
        }
        Ok(Self(all))
    }

    /// One parameter.
    ///
    /// # Errors
    /// It does not read as what it should be.
    pub(crate) fn take<T: std::str::FromStr>(&mut self, name: &'static str) -> Result<Option<T>, Failure> {
        self.0.remove(name).map(|text| text.parse().map_err(|_| invalid(format!("The parameter {name} does not read.")))).transpose()
    }

    /// That nothing is left.
    ///
    /// # Errors
    /// There is a parameter nobody asked for.
    pub(crate) fn end(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(invalid("There is a parameter this question does not have.")) }
    }

    /// As of when, where that is asked: a tree size, a time or a date.
    ///
    /// # Errors
    /// None of these.
    pub(crate) fn as_of(&mut self) -> Result<Option<AsOf>, Failure> {
        let Some(text) = self.take::<String>("as_of")? else { return Ok(None) };
        let read =
            if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().map(AsOf::Size).ok() } else { text.parse().map(AsOf::Time).ok() };
        read.map(Some).ok_or_else(|| invalid("as_of is neither a tree size nor a time."))
    }

    /// As of when, for a question that has nothing else to say.
    ///
    /// # Errors
    /// As [`Params::as_of`], or there is another parameter.
    pub(crate) fn only_as_of(query: RawQuery) -> Result<Option<AsOf>, Failure> {
        let mut params = Self::of(query)?;
        let as_of = params.as_of()?;
        params.end()?;
        Ok(as_of)
    }

    /// Rows of a page.
    ///
    /// # Errors
    /// More than [`PAGE_ROWS_MAX`], or none.
    pub(crate) fn limit(&mut self) -> Result<usize, Failure> {
        match self.take::<usize>("limit")? {
            None => Ok(PAGE_ROWS),
            Some(rows) if (1..=PAGE_ROWS_MAX).contains(&rows) => Ok(rows),
            Some(_) => Err(invalid(format!("limit is 1 to {PAGE_ROWS_MAX}."))),
        }
    }
}

/// The part of what there is after a cursor, each named by a key in whose order they stand and made a row of by `show` where it is one, and the cursor
/// behind them where more follow. Nothing but that part is made rows of: a look holds up the next commit.
pub(crate) fn page<T, Row>(
    app: &App,
    question: &str,
    cursor: Option<&str>,
    limit: usize,
    all: impl Iterator<Item = (String, T)>,
    show: impl Fn(T) -> Option<Row>,
) -> Result<(Vec<Row>, Option<String>), Failure> {
    let after = cursor.map(|cursor| app.cursors.read(question, cursor)).transpose()?;
    let rest = all.skip_while(|(key, _)| after.as_ref().is_some_and(|after| key <= after));
    let mut rows = rest.filter_map(|(key, of)| Some((key, show(of)?)));
    let (mut out, mut last) = (Vec::new(), None);
    for (key, row) in rows.by_ref().take(limit) {
        out.push(row);
        last = Some(key);
    }
    let more = rows.next().is_some();
    Ok((out, last.filter(|_| more).map(|last| app.cursors.make(question, &last)).transpose()?))
}

/// A number as a key that orders as numbers do.
pub(crate) fn ordered(number: u64) -> String {
    format!("{number:020}")
}

/// The marking of some submissions; none where one of them has none on record.
pub(crate) fn marking_of<'a>(
    facts: &'a Facts,
    submissions: impl IntoIterator<Item = &'a countersign_entry::ids::SubmissionId>,
) -> Option<Marking> {
    let mut found = Vec::new();
    for id in submissions {
        found.push(&facts.submission(id)?.record.marking);
    }
    countersign_api::marking::highest(found)
}

/// A person's name, from the directory.
pub(crate) fn name(facts: &Facts, person: &PersonId) -> String {
    facts.person(person).map_or_else(|| "(not recorded)".into(), |p| p.record.name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_of_texts() {
        assert_eq!(depth(b"{}"), 1);
        assert_eq!(depth(br#"{"a":[[1],[2]],"b":"[[[[\"{{{"}"#), 3);
        assert_eq!(depth(b"]]]][[["), 3);
        assert!(json::<serde_json::Value>("[".repeat(100_000).as_bytes()).is_err());
    }
}
