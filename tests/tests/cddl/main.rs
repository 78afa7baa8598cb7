//! `schemas/entry.cddl` and the record types say the same thing, in both directions.
//!
//! What the schema allows, the code reads, keeps whole and writes back under the same names; what the code writes, the schema allows; every
//! word of an enumeration is in both. Where the format is narrower than a type of the code, the schema has the format's bound.

#[cfg(test)]
mod schema;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use ciborium::Value;
    use countersign_entry::content::{COMMON, Content, Field, SIGNED};
    use countersign_entry::leaf::{Kind, Leaf};
    use countersign_entry::record::{self, Record, TYPE_NAMES};
    use countersign_entry::{cbor, seal};
    use proptest::prelude::*;
    use serde::de::DeserializeOwned;

    use crate::schema::{Entry, Schema, Type};

    fn schema() -> Schema {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/entry.cddl");
        Schema::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// The rule that stands for a record type.
    fn rule_name(type_name: &str) -> String {
        type_name.replace('.', "-")
    }

    /// Numbers below an argument, all from one seed (splitmix64).
    fn numbers(mut seed: u64) -> impl FnMut(u64) -> u64 {
        move |below| {
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (z ^ (z >> 31)) % below.max(1)
        }
    }

    fn key(entry: &Entry) -> String {
        match &entry.key {
            Some(Type::Text(name)) => name.clone(),
            other => panic!("{other:?} is not a field's name"),
        }
    }

    /// A content of the type with no field erased.
    fn drawn(schema: &Schema, type_name: &str, seed: u64) -> Content {
        let mut draw = numbers(seed);
        let mut fields = Vec::new();
        for entry in schema.entries(&rule_name(type_name)) {
            let Type::Name(wrapper, arguments) = &entry.value else { panic!("{entry:?} is not shown or field") };
            assert!(wrapper == "shown" || wrapper == "field", "{wrapper}");
            fields.push((key(&entry), schema.draw(&arguments[0], &mut draw, 0)));
        }
        Content::new(fields, || [7; 16])
    }

    fn as_value(content: &Content) -> Value {
        cbor::decode(&content.encode().unwrap().bytes).unwrap()
    }

    #[test]
    fn every_type_has_its_rule_in_the_same_order() {
        let types: Vec<String> = TYPE_NAMES.iter().map(|t| rule_name(t)).collect();
        assert_eq!(schema().choices("content"), types);
    }

    proptest! {
        // Some 40 contents of each type.
        #![proptest_config(ProptestConfig { cases: 1_000, max_global_rejects: 10_000, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn what_the_schema_allows_the_code_keeps_whole(at in 0..TYPE_NAMES.len(), seed in any::<u64>()) {
            let (schema, name) = (schema(), TYPE_NAMES[at]);
            let content = drawn(&schema, name, seed);
            let value = as_value(&content);
            prop_assert_eq!(schema.check(&rule_name(name), &value), Ok(()));
            prop_assert_eq!(schema.check("content", &value), Ok(()));

            let read = |content: &Content| Record::from_content(content).map_err(|e| TestCaseError::fail(format!("{name}: {e}")));
            let record = read(&content)?;
            let meta = content.meta().unwrap();
            let again = record.content(meta.at, &meta.actor, &meta.request, meta.signed.as_deref(), || [7; 16]).unwrap();
            prop_assert_eq!(&again, &content);

            // What the schema calls optional, the code does without.
            let must = |k: &str| schema.entries(&rule_name(name)).iter().any(|e| key(e) == k && e.times.min == 1);
            let fewest = content.fields().iter().filter(|(k, _)| must(k)).cloned().collect();
            read(&Content::from_fields(fewest))?;
        }

        #[test]
        fn what_the_code_writes_the_schema_allows(record in countersign_testing::records::record()) {
            // Of the other kinds the format has bounds that a verifier holds and the types do not (two approvers, no key 0).
            prop_assume!(record.kind() == Kind::Entry);
            let schema = schema();
            let content = record.content(1, "pr-0001", "req-1", None, || [7; 16]).unwrap();
            prop_assert_eq!(schema.check(&rule_name(record.type_name()), &as_value(&content)), Ok(()));
        }

        #[test]
        fn one_change_to_a_content_and_it_breaks_the_schema(at in 0..TYPE_NAMES.len(), seed in any::<u64>()) {
            let (schema, name) = (schema(), TYPE_NAMES[at]);
            let rule = rule_name(name);
            let Value::Map(pairs) = as_value(&drawn(&schema, name, seed)) else { panic!() };
            let broken = |pairs: Vec<(Value, Value)>| schema.check(&rule, &Value::Map(pairs)).is_err();
            let shown = |v: Value| Value::Array(vec![Value::Bytes(vec![7; 16]), v]);

            prop_assert!(broken([pairs.clone(), vec![("another".into(), shown(Value::Null))]].concat()));
            for (i, (field, value)) in pairs.iter().enumerate() {
                let entry = schema.entries(&rule).into_iter().find(|e| Value::from(key(e)) == *field).unwrap();
                let changed = |v: Value| { let mut p = pairs.clone(); p[i].1 = v; broken(p) };
                let mut without = pairs.clone();
                without.remove(i);
                prop_assert_eq!(broken(without), entry.times.min == 1, "{:?} left out", field);
                let Value::Array(items) = value else { panic!() };
                prop_assert!(changed(Value::Array(vec![items[1].clone()])), "{:?} without its salt", field);
                prop_assert!(changed(Value::Array(vec![Value::Bytes(vec![7; 15]), items[1].clone()])), "{:?} with a short salt", field);
                let any_value = ["detail", "attestation"].contains(&field.as_text().unwrap());
                prop_assert_eq!(changed(shown(Value::Map(vec![(1.into(), 1.into())]))), !any_value, "{:?} as another type", field);
            }
        }
    }

    #[test]
    fn only_entries_have_erased_fields_and_never_the_common_four() {
        let schema = schema();
        for name in TYPE_NAMES {
            let content = drawn(&schema, name, 11);
            let kind = Record::from_content(&content).unwrap().kind();
            for (field, _) in content.fields() {
                let fields = content
                    .fields()
                    .iter()
                    .map(|(k, f)| (k.clone(), if k == field { Field::Erased([1; 32]) } else { f.clone() }))
                    .collect();
                let erased = as_value(&Content::from_fields(fields));
                let allowed = kind == Kind::Entry && !COMMON.contains(&field.as_str()) && field != SIGNED;
                assert_eq!(schema.check(&rule_name(name), &erased).is_ok(), allowed, "{field} of {name} erased");
            }
        }
    }

    /// The words serde knows, from what it says about a word it does not know.
    fn words_of<T: DeserializeOwned>() -> BTreeSet<String> {
        let says = Value::from("no such word").deserialized::<T>().err().unwrap().to_string();
        let (_, expected) = says.split_once("expected").unwrap();
        expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn enumerations_have_the_same_words() {
        let expected: Vec<(&str, BTreeSet<String>)> = vec![
            ("organization-kind", words_of::<record::OrganizationKind>()),
            ("person-status", words_of::<record::PersonStatus>()),
            ("role", words_of::<record::Role>()),
            ("relation", words_of::<record::Relation>()),
            ("basis", words_of::<record::Basis>()),
            ("window-end-event", words_of::<record::WindowEndEvent>()),
            ("submission-status", words_of::<record::SubmissionStatus>()),
            ("marking-level", words_of::<record::MarkingLevel>()),
            ("information-owner", words_of::<record::InformationOwner>()),
            ("agreement-kind", words_of::<record::AgreementKind>()),
            ("list-kind", words_of::<record::ListKind>()),
            ("grant-state", words_of::<record::GrantState>()),
            ("outcome", words_of::<record::Outcome>()),
            ("decision", words_of::<record::Decision>()),
            ("verdict", words_of::<record::Verdict>()),
            ("obliged-party", words_of::<record::ObligedParty>()),
            ("obligation-kind", words_of::<record::ObligationKind>()),
            ("access-result", words_of::<record::AccessResult>()),
            ("signed-type", words_of::<record::SignedType>()),
            ("effect", words_of::<record::Effect>()),
            ("identifier-scheme", words_of::<record::IdentifierScheme>()),
            ("holder-relation", words_of::<record::HolderRelation>()),
            ("instrument-class", words_of::<record::InstrumentClass>()),
            ("linking", words_of::<record::Linking>()),
            ("trade-kind", words_of::<record::TradeKind>()),
            ("trade-term", words_of::<record::TradeTerm>()),
            ("relationship-kind", words_of::<record::RelationshipKind>()),
            ("credential-kind", words_of::<record::CredentialKind>()),
            ("case-step", words_of::<record::CaseStep>()),
            ("disposition", words_of::<record::Disposition>()),
            ("preclearance-scope", words_of::<record::PreclearanceScope>()),
            ("access-bar", words_of::<record::AccessBar>()),
            ("report", words_of::<record::Report>()),
            ("duty-kind", words_of::<record::DutyKind>()),
            ("duty-step", words_of::<record::DutyStep>()),
        ];
        let mut found = schema().enumerations();
        for (rule, words) in expected {
            let listed = found.remove(rule).unwrap_or_else(|| panic!("no rule {rule}"));
            assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), words, "{rule}");
            assert_eq!(listed.len(), words.len(), "{rule} has a word twice");
        }
        assert_eq!(found.into_keys().collect::<Vec<_>>(), Vec::<String>::new(), "enumerations nobody holds against the code");
    }

    #[test]
    fn the_vectors_meet_the_schema() {
        let schema = schema();
        let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/valid");
        for (ledger, bundle, leaves) in [("ledger-1", "000.p/1", 1), ("ledger-7", "000.p/7", 7), ("ledger-300", "000", 256)] {
            let read = |path: String| std::fs::read(vectors.join(ledger).join(path)).unwrap();
            let (mut rest, mut count) = (&read(format!("tile/entries/{bundle}"))[..], 0);
            while let Some((head, after)) = rest.split_first_chunk::<2>() {
                let (leaf, after) = after.split_at(usize::from(u16::from_be_bytes(*head)));
                assert_eq!(schema.check("leaf", &cbor::decode(leaf).unwrap()), Ok(()));
                (rest, count) = (after, count + 1);
            }
            assert_eq!(count, leaves, "{ledger}");

            let control = read("control/0".into());
            let seal::Sealed::Plain(content) = seal::Sealed::parse(&control).unwrap() else { panic!() };
            assert_eq!(schema.check("genesis", &cbor::decode(content).unwrap()), Ok(()));
        }
    }

    #[test]
    fn leaves_of_the_code_meet_the_schema_and_others_do_not() {
        let schema = schema();
        let check = |bytes: &[u8]| schema.check("leaf", &cbor::decode(bytes).unwrap()).is_ok();
        for kind in [Kind::Genesis, Kind::Entry, Kind::KeyEvent, Kind::Maintenance, Kind::Anchor] {
            let leaf = Leaf { index: u64::MAX, kind, minute: 60, prev: [1; 32], content_hash: [2; 32], sealed_hash: [3; 32] };
            assert!(check(&leaf.encode()));
        }
        let leaf = Leaf { index: 1, kind: Kind::Entry, minute: 60, prev: [1; 32], content_hash: [2; 32], sealed_hash: [3; 32] };
        let with = |at: usize, byte: u8| {
            let mut bytes = leaf.encode();
            bytes[at] = byte;
            bytes
        };
        assert!(!check(&with(2, 2)), "version 2");
        assert!(!check(&with(6, 5)), "kind 5");
        assert!(!check(&[0xa1, 1, 1]), "one key");
    }

    #[test]
    fn the_reader_refuses_what_it_would_misread() {
        for bad in
            ["a = b", "a = 1 a = 2", "a = any", "a = { b: tstr", "a = tstr .regexp \"a+\"", "a = 3..1", "a = tstr .lt 3", "a = #6.1(uint)"]
        {
            assert!(Schema::parse(bad).is_err(), "{bad}");
        }
    }
}
