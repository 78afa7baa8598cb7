//! The interface's description, OpenAPI 3.1: made from the table of roles and the types that are read, checked in as `schemas/openapi.json`, and compared
//! by a test, so that it says what the program does.

use std::collections::BTreeMap;

use countersign_entry::record as records;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::body::{AccessBody, GrantBody, MoveBody};
use crate::problem::{Kind, Problem};
use crate::roles::{Roles, Row};

/// What a route answers where nothing stands against it.
#[derive(Clone, Copy)]
enum Answer {
    Rows,
    One,
    Recorded,
    Decided,
    Text,
    Bytes,
    Events,
    Json,
}

/// What a route reads.
type Body = Option<fn(&mut SchemaGenerator) -> Value>;

struct Told {
    summary: &'static str,
    query: &'static [&'static str],
    body: Body,
    answer: Answer,
}

fn of<T: JsonSchema>() -> Body {
    Some(|generator| generator.subschema_for::<T>().to_value())
}

/// A record whose entry stands in the path, so that the body leaves its field out.
fn without<T: JsonSchema>(generator: &mut SchemaGenerator, field: &str) -> Value {
    let mut schema = T::json_schema(generator).to_value();
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.remove(field);
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| name != field);
    }
    schema
}

const ABOUT: &[&str] = &["person", "limit", "cursor"];
const AS_OF: &[&str] = &["as_of", "limit", "cursor"];
const SPAN: &[&str] = &["from", "until", "as_of", "limit", "cursor"];

/// Every route, but the families of records.
fn told(method: &str, route: &str) -> Option<Told> {
    use Answer::{Bytes, Decided, Events, Json, One, Recorded, Rows, Text};
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
            ("Entries, opened as far as the reader may see them", &["type", "person", "after", "limit", "cursor"], None, Rows)
        }
        ("GET", "/api/v1/log/entries/{index}") => ("One entry", &[], None, One),
        ("POST", "/api/v1/accesses") => ("Record an access; or, as lines of JSON, any number", &[], of::<AccessBody>(), Recorded),
        ("GET", "/api/v1/accesses") => ("Accesses", &["person", "submission", "from", "until", "limit", "cursor"], None, Rows),
        ("POST", "/api/v1/grants") => ("Ask for access for a person", &[], of::<GrantBody>(), Decided),
        ("GET", "/api/v1/grants") => ("Grants", &["person", "submission", "limit", "cursor"], None, Rows),
        ("GET", "/api/v1/grants/{entry}") => ("One grant and its history", &[], None, One),
        ("POST", "/api/v1/grants/{entry}/approve") => ("Approve a cleared request", &[], of::<MoveBody>(), Decided),
        ("POST", "/api/v1/grants/{entry}/activate") => ("Open access", &[], of::<MoveBody>(), Decided),
        ("POST", "/api/v1/grants/{entry}/suspend") => ("Stop access for now", &[], of::<MoveBody>(), Decided),
        ("POST", "/api/v1/grants/{entry}/revoke") => ("Take access back for good", &[], of::<MoveBody>(), Decided),
        ("POST", "/api/v1/grants/{entry}/decide") => ("Decide a request that was not cleared", &[], of::<MoveBody>(), Decided),
        ("GET", "/api/v1/persons/{id}/timeline") => ("Everything on a person the reader may know of", SPAN, None, Rows),
        ("GET", "/api/v1/persons/{id}/windows") => ("What a person had access to, and until when that binds them", &[], None, Rows),
        ("GET", "/api/v1/issuers/{id}/insiders") => ("Who had access to anything touching an issuer", SPAN, None, Rows),
        ("GET", "/api/v1/submissions/{id}/people") => ("Who asked for, had, or took access to a submission", AS_OF, None, Rows),
        ("GET", "/api/v1/submissions/{id}/insiders") => ("The insider list of a submission", AS_OF, None, Rows),
        ("POST", "/api/v1/checks") => {
            ("What a request for access would come to; only that somebody asked is recorded", &[], of::<GrantBody>(), One)
        }
        ("POST", "/api/v1/preclearances") => ("Ask before a trade", &[], of::<records::PreclearanceRequest>(), Decided),
        ("GET", "/api/v1/preclearances") => ("What was asked before trades", ABOUT, None, Rows),
        ("POST", "/api/v1/preclearances/{entry}/decisions") => {
            ("Decide on a request to trade", &[], Some(|g| without::<records::PreclearanceDecision>(g, "preclearance")), Recorded)
        }
        ("GET", "/api/v1/cases") => ("What was found", &["state", "limit", "cursor"], None, Rows),
        ("GET", "/api/v1/cases/{entry}") => ("One case, what it rests on and what was done about it", &[], None, One),
        ("POST", "/api/v1/cases/{entry}/decisions") => {
            ("A step in a case", &[], Some(|g| without::<records::CaseEvent>(g, "case")), Recorded)
        }
        ("GET", "/api/v1/events") => ("Entries as they are committed (server-sent events)", &[], None, Events),
        _ => return family(method, route),
    };
    Some(Told { summary, query, body, answer })
}

/// The four routes of a family of records.
fn family(method: &str, route: &str) -> Option<Told> {
    let (path, one) = match route.strip_prefix("/api/v1/")?.split_once('/') {
        None => (route.strip_prefix("/api/v1/")?, false),
        Some((path, "{id}")) => (path, true),
        Some(_) => return None,
    };
    let body = match path {
        "organizations" => of::<records::Organization>(),
        "persons" => of::<records::Person>(),
        "principals" => of::<records::Principal>(),
        "credentials" => of::<records::Credential>(),
        "logins" => of::<records::CredentialLinked>(),
        "providers" => of::<records::Provider>(),
        "models" => of::<records::Model>(),
        "issuers" => of::<records::Issuer>(),
        "identifiers" => of::<records::Identifier>(),
        "exposures" => of::<records::Exposure>(),
        "submissions" => of::<records::Submission>(),
        "agreements" => of::<records::Agreement>(),
        "recusals" => of::<records::Recusal>(),
        "lists" => of::<records::List>(),
        "list-items" => of::<records::ListItem>(),
        "holdings" => of::<records::Holding>(),
        "trades" => of::<records::Trade>(),
        "relationships" => of::<records::Relationship>(),
        "filers" => of::<records::Filer>(),
        _ => return None,
    };
    Some(match (method, one) {
        ("GET", false) => Told { summary: "The newest form of each", query: ABOUT, body: None, answer: Answer::Rows },
        ("GET", true) => Told { summary: "The newest form of one, with its ETag", query: &[], body: None, answer: Answer::One },
        ("POST", false) => Told { summary: "Record one", query: &[], body, answer: Answer::Recorded },
        // What changes alone: no field is needed, so the record's own schema would ask for too much.
        ("PATCH", true) => Told {
            summary: "Record what takes its place: the fields that change",
            query: &[],
            body: Some(|_| json!({ "type": "object", "minProperties": 1 })),
            answer: Answer::Recorded,
        },
        _ => return None,
    })
}

/// The whole document.
///
/// # Errors
/// A line of the table of roles that nothing is told of.
pub fn document() -> Result<Value, String> {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|s| {
            s.definitions_path = "/components/schemas".into();
            s.meta_schema = None;
        })
        .into_generator();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for row in Roles::built_in()?.rows() {
        let told = told(&row.method, &row.route).ok_or_else(|| format!("{} {} is not described", row.method, row.route))?;
        let operation = operation(row, &told, &mut generator);
        paths.entry(row.route.replace("{*", "{")).or_default().insert(row.method.to_lowercase(), operation);
    }
    generator.subschema_for::<Problem>();
    let mut schemas: BTreeMap<String, Value> = generator.take_definitions(true).into_iter().collect();
    schemas.extend(envelopes());
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "countersign",
            "version": "1",
            "description": "One append-only, hash-chained, signed ledger of accesses to pre-release AI models. Every answer carries its marking; every problem is RFC 9457; schemas/roles.csv says who may do what.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{ "certificate": [] }, { "key": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "certificate": { "type": "mutualTLS", "description": "A client certificate that an entry links to a principal." },
                "key": { "type": "http", "scheme": "bearer", "description": "A gateway's key. It may append access events and nothing else." },
            },
        },
    }))
}

fn operation(row: &Row, told: &Told, generator: &mut SchemaGenerator) -> Value {
    let writes = row.method != "GET" && row.route != "/api/v1/checks";
    let mut parameters: Vec<Value> = path_names(&row.route).map(|name| parameter("path", name, json!({ "type": "string" }))).collect();
    parameters.extend(told.query.iter().map(|name| query(name)));
    if writes {
        let key = json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{16,64}$" });
        parameters.push(parameter("header", "Idempotency-Key", key));
    }
    if row.method == "PATCH" {
        parameters.push(parameter("header", "If-Match", json!({ "type": "string" })));
    }
    if matches!(told.answer, Answer::Events) {
        let mut id = parameter("header", "Last-Event-ID", json!({ "type": "string", "pattern": "^[0-9]+$" }));
        put(&mut id, "required", false.into());
        parameters.push(id);
    }
    let mut responses = Map::new();
    for (status, description, content) in successes(told.answer, &row.route) {
        responses.insert(status.into(), json!({ "description": description, "content": content }));
    }
    let problem = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
    responses.insert("default".into(), json!({ "description": "A problem", "content": problem }));
    let mut operation = json!({ "summary": told.summary, "operationId": name(row), "parameters": parameters, "responses": responses });
    if let Some(body) = told.body {
        let mut content = json!({ "application/json": { "schema": body(generator) } });
        if row.route == "/api/v1/accesses" {
            put(
                &mut content,
                "application/x-ndjson",
                json!({ "schema": { "type": "string", "description": "One access in JSON a line, any number of lines." } }),
            );
        }
        put(&mut operation, "requestBody", json!({ "required": true, "content": content }));
    }
    operation
}

fn name(row: &Row) -> String {
    let words = row.route.trim_start_matches("/api/v1").split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    std::iter::once(row.method.to_lowercase()).chain(words.map(str::to_owned)).collect::<Vec<_>>().join("_")
}

fn path_names(route: &str) -> impl Iterator<Item = &str> {
    route.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(|name| name.trim_start_matches('*'))
}

fn parameter(place: &str, name: &str, schema: Value) -> Value {
    json!({ "in": place, "name": name, "required": true, "schema": schema })
}

fn query(name: &str) -> Value {
    let number = json!({ "type": "integer", "minimum": 0 });
    let (name, required, schema) = match name {
        "index" => (name, true, number),
        "from_size" => ("from", true, number),
        "to_size" => ("to", false, number),
        "size" | "after" => (name, false, number),
        "limit" => (name, false, json!({ "type": "integer", "minimum": 1, "maximum": 1000, "default": 100 })),
        "from" | "until" => (name, false, json!({ "type": "string", "format": "date-time" })),
        "as_of" => (name, false, json!({ "type": "string", "description": "A tree size, a time or a date" })),
        "person" => (name, false, json!({ "type": "string", "pattern": "^P-[A-Za-z0-9]{4,32}$" })),
        "submission" => (name, false, json!({ "type": "string", "pattern": "^S-[A-Za-z0-9]{4,32}$" })),
        "state" => (name, false, json!({ "type": "string", "enum": ["open", "proposed", "closed"] })),
        other => (other, false, json!({ "type": "string" })),
    };
    json!({ "in": "query", "name": name, "required": required, "schema": schema })
}

/// Status, what it means, and the body.
fn successes(answer: Answer, route: &str) -> Vec<(&'static str, &'static str, Value)> {
    let envelope = |name: &str| json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } } });
    let again = "Recorded before, under the same key: the same receipt";
    match answer {
        Answer::Rows => vec![("200", "Rows, with what they are true for", envelope("Rows"))],
        Answer::One => vec![("200", "One, with what it is true for", envelope("One"))],
        Answer::Recorded if route == "/api/v1/accesses" => {
            let mut lines = envelope("Recorded");
            put(
                &mut lines,
                "application/x-ndjson",
                json!({ "schema": { "type": "string", "description": "For each line of a stream, what came of it." } }),
            );
            vec![("200", "Recorded before, or a result for each line of a stream", lines), ("201", "Recorded", envelope("Recorded"))]
        }
        Answer::Recorded => vec![("200", again, envelope("Recorded")), ("201", "Recorded", envelope("Recorded"))],
        Answer::Decided => vec![
            ("200", again, envelope("Recorded")),
            ("201", "Recorded and cleared", envelope("Recorded")),
            ("409", "Recorded and not cleared, or not recorded", json!({ "application/problem+json": { "schema": { "type": "object" } } })),
        ],
        Answer::Text => {
            let text = json!({ "text/plain": { "schema": { "type": "string" } }, "application/json": { "schema": { "type": "object" } } });
            vec![("200", "As C2SP has it", text)]
        }
        Answer::Bytes => {
            vec![("200", "As C2SP has it", json!({ "application/octet-stream": {}, "application/cbor": {}, "application/cose": {} }))]
        }
        Answer::Events => vec![("200", "Events", json!({ "text/event-stream": { "schema": { "type": "string" } } }))],
        Answer::Json => vec![("200", "Fields", json!({ "application/json": { "schema": { "type": "object" } } }))],
    }
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value);
    }
}

/// What every answer has around it.
fn envelopes() -> Vec<(String, Value)> {
    let text = json!({ "type": "string" });
    let number = json!({ "type": "integer", "minimum": 0 });
    let marking = json!({
        "type": "object", "required": ["level", "categories", "dissemination", "banner"],
        "properties": { "level": text, "categories": { "type": "array", "items": text }, "dissemination": { "type": "array", "items": text }, "banner": text, "warning": { "type": ["string", "null"] } },
    });
    let frame = json!({ "as_of": number, "as_of_at": text, "root": text, "marking": { "$ref": "#/components/schemas/Marked" } });
    let mut rows = frame.clone();
    put(&mut rows, "rows", json!({ "type": "array", "items": { "type": "object" } }));
    put(&mut rows, "next", json!({ "type": ["string", "null"], "description": "The cursor of the next page" }));
    put(&mut rows, "complete", json!({ "type": "boolean" }));
    put(&mut rows, "complete_for", json!({ "enum": ["everybody", "your role"] }));
    let recorded = json!({
        "recorded": { "const": true }, "repeated": { "type": "boolean" }, "entry": number, "size": number, "at": text,
        "receipt": { "type": "string", "description": "C2SP tlog-proof" }, "leaf": { "type": "string", "description": "The leaf's bytes in hex" },
    });
    let object = |properties: Value, required: &[&str]| json!({ "type": "object", "required": required, "properties": properties });
    vec![
        ("Marked".into(), marking),
        ("Rows".into(), object(rows, &["rows", "next", "as_of", "root", "complete", "marking"])),
        ("One".into(), object(frame, &["as_of", "root", "marking"])),
        ("Recorded".into(), object(recorded, &["recorded", "repeated", "entry", "size", "at", "receipt", "leaf"])),
        (
            "ProblemKinds".into(),
            json!({ "description": "Every type a problem may have", "enum": Kind::ALL.iter().map(|k| format!("urn:countersign:problem:{}", k.slug())).collect::<Vec<_>>() }),
        ),
    ]
}
