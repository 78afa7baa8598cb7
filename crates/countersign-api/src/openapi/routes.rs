//! What each route reads and answers.

use countersign_entry::record as records;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::body::{AccessBody, BundleBody, CommitBody, DECIDED, ExportBody, GrantBody, ImportBody, MoveBody, ReportBody};
use crate::scim;
use crate::words::word_of;

/// What a route answers where nothing stands against it.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    Rows,
    One,
    Recorded,
    Decided,
    Text,
    Bytes,
    Events,
    Json,
    /// Made, and recorded nowhere by that alone.
    Made,
    /// Recorded, and begun; it is looked after where Location says.
    Begun,
    Csv,
    Zip,
    /// What RFC 7644 has: a resource, or a list.
    Scim,
}

/// What a route reads.
type Body = Option<fn(&mut SchemaGenerator) -> Value>;

pub(super) struct Told {
    pub(super) summary: &'static str,
    pub(super) query: &'static [&'static str],
    pub(super) body: Body,
    pub(super) answer: Answer,
}

fn of<T: JsonSchema>() -> Body {
    Some(|generator| generator.subschema_for::<T>().to_value())
}

/// A type's own schema, changed.
fn changed<T: JsonSchema>(generator: &mut SchemaGenerator, change: impl FnOnce(&mut Map<String, Value>)) -> Value {
    let mut schema = T::json_schema(generator).to_value();
    if let Value::Object(schema) = &mut schema {
        change(schema);
    }
    schema
}

fn properties(schema: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    schema.get_mut("properties").and_then(Value::as_object_mut)
}

/// A record whose entry stands in the path, so that the body leaves its field out.
fn without<T: JsonSchema>(generator: &mut SchemaGenerator, field: &str) -> Value {
    changed::<T>(generator, |schema| leave_out(schema, field))
}

fn leave_out(schema: &mut Map<String, Value>, field: &str) {
    properties(schema).map(|p| p.remove(field));
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| name != field);
    }
}

/// A body some fields of which are not the client's to fill in: there, and null.
fn null_in<T: JsonSchema>(generator: &mut SchemaGenerator, fields: &[&str]) -> Value {
    changed::<T>(generator, |schema| make_null(schema, fields))
}

fn make_null(schema: &mut Map<String, Value>, fields: &[&str]) {
    for (name, field) in properties(schema).into_iter().flatten() {
        if fields.contains(&name.as_str()) {
            *field = json!({ "type": "null", "description": "Not to be sent here." });
        }
    }
}

/// A record that is new.
fn fresh<T: JsonSchema>() -> Body {
    Some(|generator| null_in::<T>(generator, &["supersedes"]))
}

/// What is put on the list that the path names.
fn put_on(generator: &mut SchemaGenerator) -> Value {
    changed::<records::ListItem>(generator, |schema| {
        leave_out(schema, "list");
        make_null(schema, &["supersedes"]);
    })
}

/// The fields of a record that change.
fn some_of<T: JsonSchema>() -> Body {
    Some(|generator| {
        changed::<T>(generator, |schema| {
            schema.remove("required");
            schema.insert("minProperties".into(), 1.into());
            properties(schema).map(|p| (p.remove("id"), p.remove("supersedes")));
        })
    })
}

/// A move of a grant whose end the route names.
fn moved() -> Body {
    Some(|generator| null_in::<MoveBody>(generator, &["to"]))
}

/// A move of a grant whose end the body names.
fn decided(generator: &mut SchemaGenerator) -> Value {
    let to: Vec<String> = DECIDED.iter().map(word_of).collect();
    changed::<MoveBody>(generator, |schema| {
        schema.insert("required".into(), json!(["to"]));
        properties(schema).map(|p| p.insert("to".into(), json!({ "type": "string", "enum": to, "description": "Where to." })));
    })
}

const ABOUT: &[&str] = &["person", "as_of", "limit", "cursor"];
const PAGE: &[&str] = &["filter", "startIndex", "count"];
const AS_OF: &[&str] = &["as_of", "limit", "cursor"];
const THEN: &[&str] = &["as_of"];
const SPAN: &[&str] = &["from", "until", "as_of", "limit", "cursor"];

/// Every route, but the families of records.
pub(super) fn told(method: &str, route: &str) -> Option<Told> {
    use Answer::{Begun, Bytes, Csv, Decided, Events, Json, Made, One, Recorded, Rows, Scim, Text, Zip};
    let (summary, query, body, answer): (&str, &[&str], Body, Answer) = match (method, route) {
        ("GET", "/checkpoint") => ("The newest signed checkpoint (C2SP tlog-checkpoint)", &[], None, Text),
        ("GET", "/tile/{*path}") => ("A tile or an entry bundle (C2SP tlog-tiles)", &[], None, Bytes),
        ("GET", "/control/{index}") => ("The record of genesis or of a key event", &[], None, Bytes),
        ("GET", "/api/v1/log/checkpoints/latest") => ("The newest signed checkpoint", &[], None, Text),
        ("GET", "/api/v1/log/proofs/inclusion") => ("The way from a leaf to a root", &["index", "size"], None, Json),
        ("GET", "/api/v1/log/proofs/consistency") => ("That a tree is the beginning of a later one", &["from_size", "to_size"], None, Json),
        ("GET", "/api/v1/log/entries/{index}/receipt") => ("An entry's receipt (C2SP tlog-proof)", &[], None, Text),
        ("GET", "/api/v1/log/entries/{index}/cose") => ("An entry's receipt (RFC 9942)", &[], None, Bytes),
        ("GET", "/api/v1/whoami") => ("Who asks, and in which roles", &[], None, Json),
        ("GET", "/api/v1/log/entries") => {
            ("Entries, opened as far as the reader may see them", &["type", "person", "after", "as_of", "limit", "cursor"], None, Rows)
        }
        ("GET", "/api/v1/log/entries/{index}") => ("One entry", &[], None, One),
        ("POST", "/api/v1/accesses") => {
            ("Record an access; or, as lines of JSON, any number", &[], Some(|g| null_in::<AccessBody>(g, &["idempotency_key"])), Recorded)
        }
        ("GET", "/api/v1/accesses") => ("Accesses", &["person", "submission", "from", "until", "as_of", "limit", "cursor"], None, Rows),
        ("POST", "/api/v1/grants") => ("Ask for access for a person", &[], of::<GrantBody>(), Decided),
        ("GET", "/api/v1/grants") => ("Grants", &["person", "submission", "as_of", "limit", "cursor"], None, Rows),
        ("GET", "/api/v1/grants/{entry}") => ("One grant and its history", THEN, None, One),
        ("POST", "/api/v1/grants/{entry}/approve") => ("Approve a cleared request", &[], moved(), Decided),
        ("POST", "/api/v1/grants/{entry}/activate") => ("Open access", &[], moved(), Decided),
        ("POST", "/api/v1/grants/{entry}/suspend") => ("Stop access for now", &[], moved(), Decided),
        ("POST", "/api/v1/grants/{entry}/revoke") => ("Take access back for good", &[], moved(), Decided),
        ("POST", "/api/v1/grants/{entry}/decide") => ("Decide a request that was not cleared", &[], Some(decided), Decided),
        ("GET", "/api/v1/vouchers") => ("Vouchers for access while nothing can be recorded", ABOUT, None, Rows),
        ("GET", "/api/v1/vouchers/{entry}") => ("One voucher", THEN, None, One),
        ("POST", "/api/v1/vouchers") => {
            ("Have a voucher made: two approvers beside whoever asks", &[], of::<records::EmergencyVoucher>(), Recorded)
        }
        ("POST", "/api/v1/vouchers/{entry}/uses") => {
            ("Tell that a voucher was used; it becomes a case", &[], Some(|g| without::<records::EmergencyUse>(g, "voucher")), Recorded)
        }
        ("GET", "/api/v1/logins") => ("What stands for which principal over the network", ABOUT, None, Rows),
        ("GET", "/api/v1/logins/{id}") => ("One of these", THEN, None, One),
        ("POST", "/api/v1/logins") => {
            ("Link a credential to a principal, with evidence and an approver", &[], of::<records::CredentialLinked>(), Recorded)
        }
        ("POST", "/api/v1/logins/{id}/revoke") => {
            ("Let a credential stand for nobody any more", &[], Some(|g| without::<records::CredentialRevoked>(g, "id")), Recorded)
        }
        ("GET", "/api/v1/persons/{id}/identities") => {
            ("Accounts and cards of a person, and which of them let somebody act here", AS_OF, None, Rows)
        }
        ("GET", "/api/v1/lists/{id}/items") => ("What is on a list", AS_OF, None, Rows),
        ("POST", "/api/v1/lists/{id}/items") => ("Put something on a list", &[], Some(put_on), Recorded),
        ("GET", "/api/v1/persons/{id}/timeline") => ("Everything on a person the reader may know of", SPAN, None, Rows),
        ("GET", "/api/v1/persons/{id}/windows") => ("What a person had access to, and until when that binds them", AS_OF, None, Rows),
        ("GET", "/api/v1/issuers/{id}/insiders") => ("Who had access to anything touching an issuer", SPAN, None, Rows),
        ("GET", "/api/v1/submissions/{id}/people") => ("Who asked for, had, or took access to a submission", AS_OF, None, Rows),
        ("GET", "/api/v1/submissions/{id}/insiders") => ("The insider list of a submission", AS_OF, None, Rows),
        ("POST", "/api/v1/checks") => {
            ("What a request for access would come to; only that somebody asked is recorded", &[], of::<GrantBody>(), One)
        }
        ("POST", "/api/v1/preclearances") => (
            "Ask before a trade",
            &[],
            Some(|g| null_in::<records::PreclearanceRequest>(g, &["reference", "assessment", "cleared_until"])),
            Decided,
        ),
        ("GET", "/api/v1/preclearances") => ("What was asked before trades", ABOUT, None, Rows),
        ("GET", "/api/v1/preclearances/{entry}") => ("One question before a trade, and what was decided", THEN, None, One),
        ("POST", "/api/v1/preclearances/{entry}/decisions") => {
            ("Decide on a request to trade", &[], Some(|g| without::<records::PreclearanceDecision>(g, "preclearance")), Recorded)
        }
        ("GET", "/api/v1/cases") => ("What was found", &["state", "as_of", "limit", "cursor"], None, Rows),
        ("GET", "/api/v1/cases/{entry}") => ("One case, what it rests on and what was done about it", THEN, None, One),
        ("POST", "/api/v1/cases/{entry}/decisions") => {
            ("A step in a case", &[], Some(|g| without::<records::CaseEvent>(g, "case")), Recorded)
        }
        ("POST", "/api/v1/imports") => {
            ("Say what a file of records would do; nothing is recorded but that somebody asked", &[], of::<ImportBody>(), Made)
        }
        ("GET", "/api/v1/imports") => ("The files whoever asks sent, while they are kept", &[], None, Json),
        ("GET", "/api/v1/imports/{id}") => ("What a file would do, or did; each row with its result", &[], None, Json),
        ("GET", "/api/v1/imports/{id}/quarantine") => ("The rows that cannot be used, to be corrected and sent again", &[], None, Csv),
        ("POST", "/api/v1/imports/{id}/commit") => ("Record exactly what was looked at", &[], of::<CommitBody>(), Made),
        ("POST", "/api/v1/exports") => ("Have the static files made that anybody can check", &[], of::<ExportBody>(), Begun),
        ("GET", "/api/v1/exports") => ("The exports of whoever asks, while they are kept", &[], None, Json),
        ("GET", "/api/v1/exports/{id}") => ("How far an export is", &[], None, Json),
        ("GET", "/api/v1/exports/{id}/file") => ("An export as a zip archive", &[], None, Zip),
        ("POST", "/api/v1/bundles") => {
            ("Have evidence of some entries made, to be checked without this service", &[], of::<BundleBody>(), Begun)
        }
        ("GET", "/api/v1/bundles") => ("The bundles of whoever asks, while they are kept", &[], None, Json),
        ("GET", "/api/v1/bundles/{id}") => ("How far a bundle is", &[], None, Json),
        ("GET", "/api/v1/bundles/{id}/file") => ("A bundle as a zip archive", &[], None, Zip),
        ("GET", "/api/v1/reports") => ("Which reports there are, and those of whoever asks, while they are kept", &[], None, Json),
        ("POST", "/api/v1/reports") => ("Have a report made", &[], of::<ReportBody>(), Begun),
        ("GET", "/api/v1/reports/{id}") => ("How far a report is", &[], None, Json),
        ("GET", "/api/v1/reports/{id}/file") => ("A report as a zip archive: CSV, JSON, its marking", &[], None, Zip),
        ("GET", "/scim/v2/Users") => ("Those a directory told of", PAGE, None, Scim),
        ("POST", "/scim/v2/Users") => ("Tell of somebody who serves", &[], of::<scim::User>(), Scim),
        ("GET", "/scim/v2/Users/{id}") => ("One of them", &[], None, Scim),
        ("PUT", "/scim/v2/Users/{id}") => {
            ("What is so of them now; active, false: they left, and their access ends", &[], of::<scim::User>(), Scim)
        }
        ("PATCH", "/scim/v2/Users/{id}") => ("What changed of them", &[], of::<scim::Patch>(), Scim),
        ("GET", "/scim/v2/Groups") => ("Organizations", PAGE, None, Scim),
        ("GET", "/scim/v2/Groups/{id}") => ("One organization, and which of those the directory told of serve there", &[], None, Scim),
        ("GET", "/scim/v2/ServiceProviderConfig") => ("What of SCIM is there", &[], None, Scim),
        ("GET", "/scim/v2/ResourceTypes") => ("Which resources of SCIM there are", &[], None, Scim),
        ("GET", "/scim/v2/Schemas") => ("Which attributes of SCIM are kept", &[], None, Scim),
        ("GET", "/api/v1/events") => ("Entries as they are committed (server-sent events)", &[], None, Events),
        _ => return family(method, route),
    };
    Some(Told { summary, query, body, answer })
}

/// What a POST and a PATCH of a record read.
fn both<T: JsonSchema>() -> (Body, Body) {
    (fresh::<T>(), some_of::<T>())
}

/// The four routes of a family of records.
fn family(method: &str, route: &str) -> Option<Told> {
    let (path, one) = match route.strip_prefix("/api/v1/")?.split_once('/') {
        None => (route.strip_prefix("/api/v1/")?, false),
        Some((path, "{id}" | "{id}/supersede")) => (path, true),
        Some(_) => return None,
    };
    let (new, change) = match path {
        "organizations" => both::<records::Organization>(),
        "persons" => both::<records::Person>(),
        "principals" => both::<records::Principal>(),
        "credentials" => both::<records::Credential>(),
        "providers" => both::<records::Provider>(),
        "models" => both::<records::Model>(),
        "issuers" => both::<records::Issuer>(),
        "identifiers" => both::<records::Identifier>(),
        "exposures" => both::<records::Exposure>(),
        "submissions" => both::<records::Submission>(),
        "agreements" => both::<records::Agreement>(),
        "recusals" => both::<records::Recusal>(),
        "lists" => both::<records::List>(),
        "list-items" => both::<records::ListItem>(),
        "holdings" => both::<records::Holding>(),
        "trades" => both::<records::Trade>(),
        "relationships" => both::<records::Relationship>(),
        "filers" => both::<records::Filer>(),
        _ => return None,
    };
    Some(match (method, one) {
        ("GET", false) => Told { summary: "The newest form of each", query: ABOUT, body: None, answer: Answer::Rows },
        ("GET", true) => Told { summary: "The newest form of one, with its ETag", query: THEN, body: None, answer: Answer::One },
        ("POST", false) => Told { summary: "Record one", query: &[], body: new, answer: Answer::Recorded },
        ("PATCH" | "POST", true) => {
            Told { summary: "Record what takes its place: the fields that change", query: &[], body: change, answer: Answer::Recorded }
        }
        _ => return None,
    })
}
