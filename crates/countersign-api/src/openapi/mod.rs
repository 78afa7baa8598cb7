//! The interface's description, OpenAPI 3.1: made from the table of roles and the types that are read, checked in as `schemas/openapi.json`, and compared
//! by a test, so that it says what the program does.

mod routes;

use std::collections::BTreeMap;

use countersign_entry::time::TIME_PATTERN;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use self::routes::{Answer, Told, told};
use crate::problem::{Kind, Problem};
use crate::roles::{Roles, Row};
use crate::scim;

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
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "countersign",
            "version": "1",
            "description": "One append-only, hash-chained, signed ledger of accesses to pre-release AI models. Every answer carries its marking; every problem is RFC 9457; schemas/roles.csv says who may do what.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{ "certificate": [] }, { "token": [] }, { "key": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "certificate": { "type": "mutualTLS", "description": "A client certificate that an entry links to a principal." },
                "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token of an OpenID Connect provider, whose issuer and subject an entry links to a principal." },
                "key": { "type": "http", "scheme": "bearer", "description": "A gateway's key. It may append access events and nothing else." },
            },
        },
    });
    bounded(&mut document);
    Ok(document)
}

/// Gives every number the end that its format means: tools know the formats of 32 and 64 bits with a sign alone.
fn bounded(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("format").and_then(Value::as_str) == Some("uint64") {
                fields.insert("maximum".into(), u64::MAX.into());
            }
            fields.values_mut().for_each(bounded);
        }
        Value::Array(items) => items.iter_mut().for_each(bounded),
        _ => {}
    }
}

fn operation(row: &Row, told: &Told, generator: &mut SchemaGenerator) -> Value {
    let by_scim = matches!(told.answer, Answer::Scim);
    let mut parameters: Vec<Value> = path_names(&row.route).map(|name| parameter("path", name, json!({ "type": "string" }))).collect();
    parameters.extend(told.query.iter().map(|name| query(name)));
    if writes(row) {
        let key = json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{16,64}$" });
        parameters.push(parameter("header", "Idempotency-Key", key));
        parameters.push(left_out("Countersign-Draft", json!({ "const": "true" })));
        let base64 = json!({ "type": "string", "pattern": "^[A-Za-z0-9+/]+={0,2}$", "contentEncoding": "base64", "description": "COSE_Sign1 over the canonical request, the payload detached" });
        parameters.push(left_out("Countersign-Signature", base64.clone()));
        if ["/api/v1/list", "/api/v1/vouchers"].iter().any(|path| row.route.starts_with(path)) {
            parameters.push(left_out("Countersign-Approval", base64));
        }
    }
    if row.recorded {
        let number = json!({ "type": "string", "pattern": "^[!-~]([ -~]{0,1022}[!-~])?$", "description": "The inquiry it is asked under, recorded with the question; whoever sees the answer as an inspector alone names one" });
        parameters.push(left_out("Countersign-Inquiry", number));
    }
    if supersedes(row) {
        parameters.push(parameter("header", "If-Match", json!({ "type": "string", "pattern": "^\"[0-9a-f]{64}\"$" })));
    }
    if matches!(told.answer, Answer::Events) {
        parameters.push(left_out("Last-Event-ID", json!({ "type": "string", "pattern": "^[0-9]+$" })));
    }
    let mut responses = Map::new();
    for (status, description, content) in successes(told.answer, &row.route) {
        responses.insert(status.into(), json!({ "description": description, "content": content }));
    }
    let problem = if by_scim {
        json!({ scim::MEDIA: { "schema": { "$ref": "#/components/schemas/ScimError" } } })
    } else {
        json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } })
    };
    for (status, description) in refusals(row, told) {
        responses.entry(status).or_insert_with(|| json!({ "description": description, "content": problem }));
    }
    responses.insert("default".into(), json!({ "description": "A problem", "content": problem }));
    let mut operation = json!({ "summary": told.summary, "operationId": name(row), "parameters": parameters, "responses": responses });
    if let Some(body) = told.body {
        let kind = if by_scim { scim::MEDIA } else { "application/json" };
        let mut content = json!({ kind: { "schema": body(generator) } });
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

/// Whether it records one thing, under the client's key. What records nothing by itself, and imports and directories, whose records carry keys that follow
/// from what they say, need none.
pub fn writes(row: &Row) -> bool {
    let keyless = ["/api/v1/checks", "/api/v1/imports", "/api/v1/imports/{id}/commit"];
    row.method != "GET" && !row.route.starts_with(scim::PATH) && !keyless.contains(&row.route.as_str())
}

/// Whether it takes the place of a record.
fn supersedes(row: &Row) -> bool {
    (row.method == "PATCH" && !row.route.starts_with(scim::PATH)) || row.route.ends_with("/supersede")
}

/// What a request that fits its schema may be refused with.
fn refusals(row: &Row, told: &Told) -> Vec<(&'static str, &'static str)> {
    let mut all =
        vec![("400", "It does not fit"), ("401", "Nobody is known to ask"), ("403", "Not for this role"), ("404", "Nothing is there")];
    // SCIM has a 400 for it (RFC 7644 section 3.12).
    if !matches!(told.answer, Answer::Scim) && (told.body.is_some() || told.query.contains(&"cursor")) {
        all.push(("422", "It fits, and a rule or what is recorded stands against it"));
    }
    if told.body.is_some() {
        all.extend([("409", "It is there, it is being worked on, or it cannot move so"), ("413", "Too long"), ("415", "Not JSON")]);
    }
    if row.route.ends_with("/commit") {
        all.push(("412", "What the file would do is no longer what was looked at"));
    }
    if row.method != "GET" {
        all.push(("507", "There is no room for it"));
    }
    if supersedes(row) {
        all.extend([("412", "It was changed since"), ("428", "If-Match is missing (RFC 6585)")]);
    }
    all.extend([("429", "Too much is asked at once"), ("503", "Nothing can be recorded now, or it is unknown whether it was")]);
    all
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

/// A header that may be left out.
fn left_out(name: &str, schema: Value) -> Value {
    json!({ "in": "header", "name": name, "required": false, "schema": schema })
}

fn query(name: &str) -> Value {
    let number = json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX });
    let time = json!({ "type": "string", "format": "date-time", "pattern": TIME_PATTERN });
    let (name, required, schema) = match name {
        "index" => (name, true, number),
        "from_size" => ("from", true, number),
        "to_size" => ("to", false, number),
        "size" | "after" => (name, false, number),
        "limit" => (name, false, json!({ "type": "integer", "minimum": 1, "maximum": 1000, "default": 100 })),
        "from" | "until" => (name, false, time),
        "as_of" => (name, false, json!({ "description": "A tree size or a time", "anyOf": [number, time] })),
        "cursor" => (name, false, json!({ "type": "string", "pattern": "^([0-9a-f]{2}){40,512}$" })),
        "person" => (name, false, json!({ "type": "string", "pattern": "^P-[A-Za-z0-9]{4,32}$" })),
        "submission" => (name, false, json!({ "type": "string", "pattern": "^S-[A-Za-z0-9]{4,32}$" })),
        "startIndex" | "count" => (name, false, json!({ "type": "integer" })),
        "filter" => (name, false, json!({ "type": "string", "pattern": "^(userName|externalId|displayName) eq \"[A-Za-z0-9@. _-]*\"$" })),
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
        Answer::Events => {
            let text = json!({ "type": "string" });
            let event = json!({
                "type": "object", "description": "Each event: an entry, its type, and its record as JSON.", "required": ["data"],
                "properties": { "id": text, "event": text, "data": text },
            });
            vec![("200", "Events", json!({ "text/event-stream": { "schema": event } }))]
        }
        Answer::Made => vec![
            ("200", "There already, or done before: nothing changed", json!({ "application/json": { "schema": { "type": "object" } } })),
            ("201", "Made, or recorded", json!({ "application/json": { "schema": { "type": "object" } } })),
        ],
        Answer::Begun => vec![
            ("200", "Recorded before, under the same key: the same receipt, and how far it is now", envelope("Recorded")),
            ("202", "Recorded and begun; Location says where it is", envelope("Recorded")),
        ],
        Answer::Csv => vec![("200", "Rows as a file", json!({ "text/csv": { "schema": { "type": "string" } } }))],
        Answer::Scim => {
            let body = || json!({ scim::MEDIA: { "schema": { "type": "object" } } });
            vec![("200", "As RFC 7644 has it", body()), ("201", "Recorded", body())]
        }
        Answer::Zip => vec![("200", "The archive", json!({ "application/zip": {} }))],
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
            "ScimError".into(),
            json!({
                "type": "object", "required": ["schemas", "status", "detail", "trace_id"],
                "properties": { "schemas": { "type": "array", "items": text }, "status": text, "scimType": text, "detail": text, "trace_id": text },
            }),
        ),
        (
            "ProblemKinds".into(),
            json!({ "description": "Every type a problem may have", "enum": Kind::ALL.iter().map(|k| format!("urn:countersign:problem:{}", k.slug())).collect::<Vec<_>>() }),
        ),
    ]
}
