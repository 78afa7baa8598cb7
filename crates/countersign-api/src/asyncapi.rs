//! What the service tells by itself, AsyncAPI 3.0: server-sent events for whoever asks, and CloudEvents sent to webhooks. Made here, checked in as
//! `schemas/asyncapi.json`, and compared by a test; another holds what is sent to it.

use countersign_entry::record::TYPE_NAMES;
use serde_json::{Value, json};

/// The whole document.
pub fn document() -> Value {
    let text = json!({ "type": "string" });
    let entry = json!({ "type": "integer", "minimum": 0, "description": "The entry's number" });
    let kinds = json!({ "type": "string", "enum": TYPE_NAMES });
    let event_types: Vec<String> = TYPE_NAMES.iter().map(|kind| format!("countersign.{kind}")).collect();
    let fixed = |required: &[&str], properties: Value| json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false });
    let recorded = fixed(
        &["entry", "recorded_at", "type", "record"],
        json!({ "entry": entry, "recorded_at": { "type": "string", "format": "date-time" }, "type": kinds, "record": { "type": "object", "description": "The record, as far as the reader may see it" } }),
    );
    let cloud = fixed(
        &["specversion", "id", "source", "type", "time", "datacontenttype", "data"],
        json!({
            "specversion": { "const": "1.0" }, "id": { "type": "string", "pattern": "^[0-9]+$", "description": "The entry's number: with source, the same for ever" },
            "source": { "type": "string", "pattern": "^urn:countersign:ledger:", "description": "The ledger's origin" },
            "type": { "type": "string", "enum": event_types }, "time": { "type": "string", "format": "date-time" },
            "datacontenttype": { "const": "application/json" },
            "data": fixed(&["entry", "type"], json!({ "entry": entry, "type": kinds })),
        }),
    );
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "countersign events", "version": "1",
            "description": "Entries as they are committed, in their order, each as far as the role of whoever hears of it may know of it. Numbers are not continuous.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "channels": {
            "events": {
                "address": "/api/v1/events", "description": "Server-sent events; Last-Event-ID is an entry, and what comes after it is sent.",
                "messages": { "recorded": { "$ref": "#/components/messages/recorded" } },
            },
            "webhook": {
                "address": null, "description": "POST to each receiver of the configuration, one at a time, at least once, until it answers 2xx.",
                "messages": { "cloudevent": { "$ref": "#/components/messages/cloudevent" } },
            },
        },
        "operations": {
            "tell": { "action": "send", "channel": { "$ref": "#/channels/events" }, "messages": [{ "$ref": "#/channels/events/messages/recorded" }] },
            "deliver": { "action": "send", "channel": { "$ref": "#/channels/webhook" }, "messages": [{ "$ref": "#/channels/webhook/messages/cloudevent" }] },
        },
        "components": { "messages": {
            "recorded": { "name": "recorded", "contentType": "text/event-stream", "payload": recorded },
            "cloudevent": {
                "name": "cloudevent", "contentType": "application/cloudevents+json; charset=utf-8", "payload": cloud,
                "headers": { "type": "object", "required": ["content-digest", "signature-input", "signature"], "properties": {
                    "content-digest": text, "signature-input": text,
                    "signature": { "type": "string", "description": "RFC 9421, Ed25519, over @method, @target-uri, content-type and content-digest" },
                } },
            },
        } },
    })
}
