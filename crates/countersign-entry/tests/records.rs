//! Every record type into bytes and back, and what the types refuse.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;

use ciborium::Value;
use countersign_entry::content::{COMMON, Content, ContentError, Field, SIGNED};
use countersign_entry::ids::Hash32;
use countersign_entry::record::*;
use countersign_entry::request::CanonicalRequest;
use countersign_testing::records;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const AT: u64 = 1_780_304_400_000_000;

/// The one type that has an id and that nothing takes the place of.
const NEVER_REPLACED: &str = "import";
/// The one type whose fields from outside may be left out (`? key` in the schema).
const MAY_BE_SHORT: &str = "access.event";

fn content(record: &Record) -> Content {
    let mut n = 0u8;
    let salt = || {
        n = n.wrapping_add(1);
        [n; 16]
    };
    record.content(AT, "pr-0001", "req-1", None, salt).unwrap()
}

fn without(content: &Content, key: &str) -> Content {
    Content::from_fields(content.fields().iter().filter(|(k, _)| k != key).cloned().collect())
}

fn with(content: &Content, key: &str, value: Value) -> Content {
    let mut fields = without(content, key).fields().to_vec();
    fields.push((key.to_owned(), Field::Shown { salt: [9; 16], value }));
    Content::from_fields(fields)
}

/// The keys that every record of its type has.
fn own_keys(record: &Record) -> BTreeSet<String> {
    record.fields().unwrap().into_iter().map(|(k, _)| k).filter(|k| !LEFT_OUT.contains(&k.as_str())).collect()
}

/// The record without its approvers' signatures.
fn unapproved(record: &Record) -> Record {
    Record::from_content(&without(&content(record), "approvals")).unwrap()
}

/// Without what the ledger and its keys fill in when it is recorded.
fn clear_filled_in(record: &mut Record) {
    record.clear_outcome();
    match record {
        Record::KeyRotated(r) => (r.old_signature, r.new_signature, r.attestation) = (vec![], vec![], None),
        Record::KeyRevoked(r) => r.signature = vec![],
        Record::Redaction(r) => (r.key_id, r.resealed_hash) = (0, Hash32([0; 32])),
        _ => {}
    }
}

/// Some records of a type, the same ones in every run.
fn some(type_name: &str, count: usize) -> Vec<Record> {
    let mut runner = TestRunner::deterministic();
    let strategy = records::record_of(type_name);
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_record_comes_back_from_its_bytes(record in records::record()) {
        let encoded = content(&record).encode().unwrap();
        let back = Content::decode(&encoded.bytes).unwrap();
        prop_assert_eq!(&Record::from_content(&back).unwrap(), &record);
        let again = back.encode().unwrap();
        prop_assert_eq!(&again, &encoded);
        let meta = back.meta().unwrap();
        prop_assert_eq!((meta.kind.as_str(), meta.at, meta.actor.as_str(), meta.request.as_str()), (record.type_name(), AT, "pr-0001", "req-1"));
    }

    /// The straight encoder against the slow one through values.
    #[test]
    fn both_encoders_give_the_same_bytes(record in records::record()) {
        let mut n = 0u8;
        let salt = || {
            n = n.wrapping_add(1);
            [n; 16]
        };
        prop_assert_eq!(record.encode(AT, "pr-0001", "req-1", None, salt).unwrap(), content(&record).encode().unwrap());
    }

    #[test]
    fn an_unknown_key_is_refused(record in records::record(), key in "[a-z]{1,12}_x") {
        let more = with(&content(&record), &key, Value::Null);
        prop_assert!(matches!(Record::from_content(&more), Err(RecordError::Fields { .. })), "{} takes {key}", record.type_name());
    }

    #[test]
    fn an_erased_field_is_named_and_the_hash_stays(record in records::record(), pick in any::<prop::sample::Index>()) {
        let whole = content(&record);
        let keys: Vec<String> = own_keys(&record).into_iter().collect();
        prop_assume!(!keys.is_empty());
        let key = pick.get(&keys);
        let erased = whole.erase(key).unwrap().unwrap();
        if redactable(record.type_name()).contains(&key.as_str()) {
            // What is left reads as it was, but for the one field.
            let read = content(&Record::from_content(&erased).unwrap());
            prop_assert_eq!(read.value(key), Some(&Value::from(REDACTED)));
            prop_assert!(own_keys(&record).iter().filter(|k| *k != key).all(|k| read.value(k) == whole.value(k)));
        } else {
            prop_assert_eq!(Record::from_content(&erased), Err(RecordError::Erased(vec![key.clone()])));
        }
        prop_assert!(erased.meta().unwrap().erased && !whole.meta().unwrap().erased);
        prop_assert_eq!(erased.encode().unwrap().hash, whole.encode().unwrap().hash);
    }

    #[test]
    fn the_request_does_not_hold_what_the_ledger_fills_in(record in records::record()) {
        let mut asked = record.clone();
        asked.clear_outcome();
        prop_assert!(asked.assessment().is_none());
        prop_assert_eq!(record.request_bytes().unwrap(), asked.request_bytes().unwrap());
    }

    #[test]
    fn two_requests_agree_only_where_the_records_do(a in records::record(), b in records::record()) {
        let (mut x, mut y) = (unapproved(&a), unapproved(&b));
        [&mut x, &mut y].into_iter().for_each(clear_filled_in);
        prop_assert_eq!(x == y, a.request_bytes().unwrap() == b.request_bytes().unwrap());
    }

    #[test]
    fn a_canonical_request_gives_what_is_asked_and_no_more(record in records::record()) {
        let bytes = record.canonical_request("ledger.example/a", "pr-0001", "req-1").unwrap();
        let read = CanonicalRequest::decode(&bytes).unwrap();
        prop_assert_eq!((read.origin.as_str(), read.actor.as_str(), read.request.as_str()), ("ledger.example/a", "pr-0001", "req-1"));
        let asked = read.record().unwrap();
        prop_assert_eq!(asked.canonical_request("ledger.example/a", "pr-0001", "req-1").unwrap(), bytes);
        let mut cleared = unapproved(&record);
        clear_filled_in(&mut cleared);
        prop_assert_eq!(asked, cleared);
    }

    #[test]
    fn a_canonical_request_with_more_or_less_in_it_is_refused(record in records::record(), pick in any::<prop::sample::Index>()) {
        let bytes = record.canonical_request("ledger.example/a", "pr-0001", "req-1").unwrap();
        let mut read = CanonicalRequest::decode(&bytes).unwrap();
        let more = CanonicalRequest { fields: [read.fields.clone(), vec![("approvals".into(), Value::Array(vec![]))]].concat(), ..read.clone() };
        prop_assert!(more.record().is_err());
        let droppable: Vec<usize> = read.fields.iter().enumerate().filter(|(_, (k, _))| !LEFT_OUT.contains(&k.as_str())).map(|(i, _)| i).collect();
        prop_assume!(!droppable.is_empty());
        read.fields.remove(*pick.get(&droppable));
        prop_assert!(read.record().is_err());
        for cut in 0..bytes.len().min(40) {
            prop_assert!(CanonicalRequest::decode(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn a_signature_stands_beside_the_record(record in records::record(), signed in prop::collection::vec(any::<u8>(), 0..200)) {
        let salt = || [7; 16];
        let content = record.content(AT, "pr-0001", "req-1", Some(&signed), salt).unwrap();
        prop_assert_eq!(record.encode(AT, "pr-0001", "req-1", Some(&signed), salt).unwrap(), content.encode().unwrap());
        prop_assert_eq!(content.meta().unwrap().signed, Some(signed));
        prop_assert_eq!(Record::from_content(&content).unwrap(), record);
        let erased = content.erase(SIGNED).unwrap().unwrap();
        prop_assert_eq!(erased.meta(), Err(ContentError::Common(SIGNED)));
    }

    #[test]
    fn flipping_a_bit_never_gives_the_same_record(record in records::record(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut bytes = content(&record).encode().unwrap().bytes;
        let hash = content(&record).encode().unwrap().hash;
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        // A salt may change and leave the record alone; the hash never stays.
        if let Ok(back) = Content::decode(&bytes) {
            prop_assert_ne!(back.encode().unwrap().hash, hash);
        }
    }
}

#[test]
fn the_generators_cover_every_type() {
    for name in TYPE_NAMES {
        assert!(some(name, 3).iter().all(|r| r.type_name() == *name), "{name}");
    }
}

#[test]
fn every_record_of_a_type_has_the_same_keys() {
    for name in TYPE_NAMES {
        let keys: BTreeSet<BTreeSet<String>> = some(name, 40).iter().map(own_keys).collect();
        assert_eq!(keys.len(), 1, "{name}: {keys:?}");
    }
}

#[test]
fn each_missing_key_is_refused() {
    let mut refused = 0;
    for name in TYPE_NAMES.iter().filter(|n| **n != MAY_BE_SHORT) {
        for record in some(name, 5) {
            for key in own_keys(&record) {
                let short = without(&content(&record), &key);
                assert!(matches!(Record::from_content(&short), Err(RecordError::Fields { .. })), "{name} without {key}");
                refused += 1;
            }
        }
    }
    assert!(refused > 1_000, "{refused}");
}

#[test]
fn what_holds_nothing_is_left_out() {
    let (rotated, policy) = (unapproved(&some("key.rotated", 1).remove(0)), some("policy", 1).remove(0));
    let policy = Record::from_content(&without(&without(&content(&policy), "signatures_required"), "routine_uses")).unwrap();
    let list = Record::from_content(&without(&content(&some("list", 1).remove(0)), "binds")).unwrap();
    let read = read(None);
    let all =
        [(rotated, "approvals"), (policy.clone(), "signatures_required"), (policy, "routine_uses"), (list, "binds"), (read, "inquiry")];
    for (record, key) in all {
        assert!(content(&record).value(key).is_none(), "{key}");
        for nothing in [Value::Array(vec![]), Value::Null] {
            assert!(matches!(Record::from_content(&with(&content(&record), key, nothing)), Err(RecordError::Fields { .. })), "{key}");
        }
    }
}

#[test]
fn a_canonical_request_has_these_bytes() {
    let text = |t: &str| format!("{:02x}{}", 0x60 + t.len(), hex::encode(t));
    let field = |name: &str, value: String| text(name) + &value;
    let (rows, as_of) = (field("rows", "02".into()), field("as_of", "19012c".into()));
    let (subject, question) = (field("subject", text("P-1")), field("question", text("person")));
    let head = ["86".into(), text("countersign v1 request"), text("a.example/l"), text("pr-1"), text("k"), text("read")].concat();
    for (inquiry, fields) in [
        (None, ["a4", &rows, &as_of, &subject, &question].concat()),
        (Some("26-0117"), ["a5", &rows, &as_of, &field("inquiry", text("26-0117")), &subject, &question].concat()),
    ] {
        let bytes = read(inquiry).canonical_request("a.example/l", "pr-1", "k").unwrap();
        assert_eq!(hex::encode(bytes), format!("{head}{fields}"));
    }
}

fn read(inquiry: Option<&str>) -> Record {
    let inquiry = inquiry.map(|number| number.parse().unwrap());
    Read { question: "person".parse().unwrap(), subject: "P-1".parse().unwrap(), rows: 2, as_of: 300, inquiry }.into()
}

/// What somebody wrote into it by mistake can be taken out again.
#[test]
fn the_inquiry_of_a_read_can_be_redacted() {
    let erased = content(&read(Some("Ada's spouse"))).erase("inquiry").unwrap().unwrap();
    assert_eq!(Record::from_content(&erased).unwrap(), read(Some(REDACTED)));
}

#[test]
fn an_access_event_needs_five_fields_and_no_more() {
    for record in some(MAY_BE_SHORT, 5) {
        for key in own_keys(&record) {
            let back = Record::from_content(&without(&content(&record), &key));
            let needed = ["person", "submission", "action", "occurred_at", "detail"].contains(&key.as_str());
            assert_eq!(back.is_err(), needed, "{key}");
        }
    }
}

#[test]
fn a_missing_common_field_is_named() {
    let record = some("person", 1).remove(0);
    for key in COMMON {
        assert!(matches!(Record::from_content(&without(&content(&record), key)), Err(RecordError::Content(_))), "{key}");
    }
    let other = with(&content(&record), "type", Value::from("persons"));
    assert_eq!(Record::from_content(&other), Err(RecordError::UnknownType("persons".into())));
    let full = with(&content(&Record::Padding), "reason", Value::from("x"));
    assert!(matches!(Record::from_content(&full), Err(RecordError::Fields { .. })));
}

#[test]
fn values_a_type_does_not_allow_are_refused() {
    let day = 86_400_000_000u64;
    let window = |opens: u64, closes: u64| {
        Value::Map(vec![(Value::from("opens_at"), Value::from(opens)), (Value::from("closes_at"), Value::from(closes))])
    };
    let effects = |p: &str| {
        Value::Map(
            ["participate", "hold", "trade"].map(|k| (Value::from(k), Value::from(if k == "participate" { p } else { "deny" }))).into(),
        )
    };
    let band = |lo: Value, hi: Value| Value::Map(vec![(Value::from("lo"), lo), (Value::from("hi"), hi)]);
    let bad = [
        ("submission", "window", window(0, 30 * day + 1)),
        ("submission", "window", window(5, 5)),
        ("submission", "window", window(6, 5)),
        ("submission", "title", Value::from("a\u{202e}b")),
        ("submission", "title", Value::from("a\nb")),
        ("submission", "title", Value::from("")),
        ("submission", "title", Value::from("x".repeat(1_025))),
        ("submission", "status", Value::from("Open")),
        ("submission", "id", Value::from("S-model-name")),
        ("exposure", "tier", Value::from(4)),
        ("exposure", "tier", Value::from(0)),
        ("exposure", "from", Value::from("person:P-0001")),
        ("exposure", "valid_from", Value::from("2026-02-29")),
        ("exposure", "confirmed", Value::from("true")),
        ("person", "id", Value::from("P-Ada Lovelace")),
        ("person", "status", Value::from("consultant")),
        ("principal", "roles", Value::Array(vec![Value::from("root")])),
        ("recusal", "scope", Value::from("host:azure")),
        ("recusal", "from", Value::from(253_402_300_800_000_000u64)),
        ("recusal", "from", Value::from(-1)),
        ("agreement", "document_hash", Value::Bytes(vec![0; 31])),
        ("agreement", "document_hash", Value::from("00".repeat(32))),
        ("policy", "approvals_required", Value::from(0)),
        ("policy", "approvals_required", Value::from(9)),
        ("policy", "case_cadence_seconds", Value::from(59)),
        ("policy", "signatures_required", Value::Array(vec![Value::from("access.event")])),
        ("key.rotated", "approvals", Value::Array(vec![Value::from("text")])),
        ("policy", "clock_skew_seconds", Value::from(86_401)),
        ("policy", "on_refer", effects("allow")),
        ("policy", "on_block", effects("refer")),
        ("holding", "value", band(Value::from(2), Value::from(1))),
        ("holding", "value", band(Value::from(-1), Value::Null)),
        ("holding", "value", band(Value::from("1,001"), Value::Null)),
        ("trade", "value", Value::Null),
        ("holding", "relation", Value::from("child")),
        ("holding", "as_of", Value::Null),
        ("trade", "kind", Value::from("buy")),
        ("trade", "traded_on", Value::from("2026-02-30")),
        ("trade", "filed_on", Value::from("02/01/2026")),
        ("trade", "person", Value::from("Ada Lovelace")),
        ("relationship", "kind", Value::from("friend")),
        ("import", "rows", Value::from(-1)),
        ("import", "file_hash", Value::Bytes(vec![0; 33])),
        ("match.decision", "text", Value::from("a\0b")),
        ("match.decision", "text", Value::from("")),
        ("match.decision", "text", Value::from("x".repeat(4_097))),
        ("match.decision", "class", Value::from("stock")),
        ("match.decision", "reason", Value::from("a\nb")),
        ("identifier", "scheme", Value::from("sedol")),
        ("designation", "marking", Value::from("ts_sci")),
        ("roster.entry", "contact", Value::from(1)),
        ("vulnerability", "affected", Value::Array(vec![Value::from("")])),
        ("vulnerability", "affected", Value::Null),
        ("legal.hold", "scope", Value::from("case:01")),
        ("legal.hold", "scope", Value::from("case:+1")),
        ("legal.hold", "scope", Value::from("case:")),
        ("legal.hold", "scope", Value::from("case:18446744073709551616")),
        ("legal.hold", "scope", Value::from("provider:lab")),
        ("legal.hold", "scope", Value::from("person:S-0001")),
        ("legal.hold", "scope", Value::from("P-0001")),
        ("correction", "target", Value::from(-1)),
        ("access.event", "action", Value::from("Query")),
        ("grant.request", "reference", Value::from("R-1")),
        ("case.event", "disposition", Value::from("dismissed")),
        ("case.event", "text", Value::Null),
        ("preclearance.request", "kind", Value::from("short")),
        ("preclearance.request", "quantity", Value::from(-1)),
        ("preclearance.request", "from", Value::Null),
        ("preclearance.decision", "reason", Value::Null),
        ("filer", "report", Value::from("278")),
        ("duty.event", "since", Value::Null),
        ("grant.transition", "to", Value::from("authorized502")),
    ];
    for (name, key, value) in bad {
        let record = some(name, 1).remove(0);
        let wrong = with(&content(&record), key, value.clone());
        assert!(matches!(Record::from_content(&wrong), Err(RecordError::Fields { .. })), "{name} {key} {value:?}");
    }
}

/// A map inside a field takes no key that is not its own.
#[test]
fn a_key_too_many_inside_a_field_is_refused() {
    for (name, key) in [("holding", "instrument"), ("trade", "value"), ("trade", "provenance"), ("submission", "window")] {
        let whole = some(name, 20).iter().map(content).find(|c| c.value(key).is_some_and(Value::is_map)).unwrap();
        let Some(Value::Map(mut pairs)) = whole.value(key).cloned() else { panic!("{key} is a map") };
        pairs.push((Value::from("note"), Value::Null));
        let more = with(&whole, key, Value::Map(pairs));
        assert!(matches!(Record::from_content(&more), Err(RecordError::Fields { .. })), "{name} {key}");
    }
}

#[test]
fn values_at_the_edge_are_taken() {
    let day = 86_400_000_000u64;
    let band = |lo: Value, hi: Value| Value::Map(vec![(Value::from("lo"), lo), (Value::from("hi"), hi)]);
    let good = [
        (
            "submission",
            "window",
            Value::Map(vec![(Value::from("closes_at"), Value::from(30 * day)), (Value::from("opens_at"), Value::from(0))]),
        ),
        ("submission", "title", Value::from("x".repeat(1_024))),
        ("exposure", "tier", Value::from(3)),
        ("exposure", "valid_from", Value::from("2028-02-29")),
        ("recusal", "from", Value::from(253_402_300_799_999_999u64)),
        ("policy", "approvals_required", Value::from(8)),
        ("grant.transition", "to", Value::from("authorized_502")),
        ("holding", "value", band(Value::from(1_001), Value::from(1_001))),
        ("holding", "value", band(Value::Null, Value::Null)),
        ("trade", "value", band(Value::from(u64::MAX), Value::Null)),
        ("trade", "traded_on", Value::from("2028-02-29")),
        ("match.decision", "text", Value::from("\u{202e}x".repeat(1_024))),
        ("match.decision", "text", Value::from(" \t\r\n\u{1b}")),
        ("legal.hold", "scope", Value::from("case:0")),
        ("legal.hold", "scope", Value::from("case:18446744073709551615")),
        ("legal.hold", "scope", Value::from("person:P-0001")),
        ("vulnerability", "affected", Value::Array(vec![])),
    ];
    for (name, key, value) in good {
        let record = some(name, 1).remove(0);
        let edge = with(&content(&record), key, value);
        assert!(Record::from_content(&edge).is_ok(), "{name} {key}");
    }
}

fn through_json<T: serde::Serialize + serde::de::DeserializeOwned + Into<Record>>(r: &T) -> Record {
    let json = serde_json::to_string(r).unwrap();
    serde_json::from_str::<T>(&json).unwrap_or_else(|e| panic!("{e}: {json}")).into()
}

fn json_can_hold(value: &Value) -> bool {
    match value {
        Value::Bytes(_) => false,
        Value::Array(items) => items.iter().all(json_can_hold),
        Value::Map(pairs) => pairs.iter().all(|(k, v)| k.is_text() && json_can_hold(v)),
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_record_comes_back_from_json(record in records::record()) {
        let back = match &record {
            Record::Genesis(r) => through_json(r),
            Record::DataKeyCreated(r) => through_json(r),
            Record::DataKeyDestroyed(r) => through_json(r),
            Record::Redaction(r) => through_json(r),
            Record::KeyRotated(r) => {
                prop_assume!(r.attestation.as_ref().is_none_or(json_can_hold));
                through_json(r)
            }
            Record::KeyRevoked(r) => through_json(r),
            Record::KeyAttested(r) => {
                prop_assume!(json_can_hold(&r.attestation));
                through_json(r)
            }
            Record::KeyLossDeclared(r) => through_json(r),
            Record::OfficerEnrolled(r) => through_json(r),
            Record::OfficerRevoked(r) => through_json(r),
            Record::Organization(r) => through_json(r),
            Record::Person(r) => through_json(r),
            Record::Principal(r) => through_json(r),
            Record::Credential(r) => through_json(r),
            Record::CredentialLinked(r) => through_json(r),
            Record::CredentialRevoked(r) => through_json(r),
            Record::Provider(r) => through_json(r),
            Record::Model(r) => through_json(r),
            Record::Issuer(r) => through_json(r),
            Record::Exposure(r) => through_json(r),
            Record::Submission(r) => through_json(r),
            Record::Agreement(r) => through_json(r),
            Record::Recusal(r) => through_json(r),
            Record::List(r) => through_json(r),
            Record::ListItem(r) => through_json(r),
            Record::GrantRequest(r) => through_json(r),
            Record::GrantTransition(r) => through_json(r),
            Record::AccessEvent(r) => {
                prop_assume!(json_can_hold(&r.detail));
                through_json(r)
            }
            Record::CaseOpened(r) => through_json(r),
            Record::CaseEvent(r) => through_json(r),
            Record::PreclearanceRequest(r) => through_json(r),
            Record::PreclearanceDecision(r) => through_json(r),
            Record::Filer(r) => through_json(r),
            Record::DutyEvent(r) => through_json(r),
            Record::Policy(r) => through_json(r),
            Record::Read(r) => through_json(r),
            Record::Identifier(r) => through_json(r),
            Record::Holding(r) => through_json(r),
            Record::Trade(r) => through_json(r),
            Record::Relationship(r) => through_json(r),
            Record::Import(r) => through_json(r),
            Record::MatchDecision(r) => through_json(r),
            Record::Authority(r) => through_json(r),
            Record::Designation(r) => through_json(r),
            Record::RosterEntry(r) => through_json(r),
            Record::Selection(r) => through_json(r),
            Record::Vulnerability(r) => through_json(r),
            Record::Referral(r) => through_json(r),
            Record::LegalHold(r) => through_json(r),
            Record::EmergencyVoucher(r) => through_json(r),
            Record::EmergencyUse(r) => through_json(r),
            Record::Correction(r) => through_json(r),
            Record::Padding => Record::Padding,
        };
        prop_assert_eq!(back, record);
    }
}

#[test]
fn hashes_are_hex_in_json() {
    let Record::DataKeyCreated(r) = some("datakey.created", 1).remove(0) else { panic!("the generator gives the type asked for") };
    let json: serde_json::Value = serde_json::to_value(&r).unwrap();
    assert_eq!(json["check"].as_str().unwrap(), hex::encode(r.check.0));
    for bad in ["00", "zz", &"00".repeat(33)] {
        let json = serde_json::json!({ "key_id": 1, "check": bad });
        assert!(serde_json::from_value::<DataKeyCreated>(json).is_err(), "{bad}");
    }
}

#[test]
fn supersedes_and_entity_go_together() {
    for name in TYPE_NAMES {
        let records = some(name, 20);
        let has_key = own_keys(&records[0]).contains("supersedes");
        assert_eq!(records.iter().any(|r| r.supersedes().is_some()), has_key, "{name}");
        let has_id = (has_key && *name != MAY_BE_SHORT) || *name == NEVER_REPLACED;
        assert!(records.iter().all(|r| r.entity().is_some() == has_id), "{name}");
    }
}
