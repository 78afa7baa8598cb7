//! Sections 2 and 4: what a content may be, under a leaf that commits to it.

use ciborium::Value;
use countersign_entry::content::Field;
use countersign_entry::leaf::Kind;
use countersign_entry::seal::Scheme;
use countersign_verify::Verdict;

use super::{Base, Bases, Vector, ruled};
use crate::forge::{Forge, Plan, sha};

type Pairs = Vec<(Value, Value)>;

pub(super) fn vectors(bases: &Bases) -> Vec<Vector> {
    let base = &bases.seven;
    let mut out = malformed(base);
    out.extend(rules(base));
    out.extend(types(base));
    out.push(unknown_field(&bases.ruled));
    out
}

fn text(name: &str) -> Value {
    Value::from(name)
}

fn salted(value: Value) -> Value {
    Value::Array(vec![Value::Bytes(vec![9; 16]), value])
}

fn field<'p>(pairs: &'p mut Pairs, name: &str) -> &'p mut Value {
    &mut pairs.iter_mut().find(|(k, _)| *k == text(name)).unwrap().1
}

/// Entry 6, whose content is not one; leaf, record and hashes agree with it.
fn malformed(base: &Base) -> Vec<Vector> {
    type Change = fn(&mut Pairs);
    let cases: [(&str, &str, Change); 11] = [
        ("content-salt", "The salt of person in entry 6 has 15 bytes.", |p| {
            *field(p, "person") = Value::Array(vec![Value::Bytes(vec![9; 15]), text("P-0006")]);
        }),
        ("content-no-salt", "person in entry 6 has no salt.", |p| *field(p, "person") = Value::Array(vec![text("P-0006")])),
        ("content-bare-value", "person in entry 6 is a value without its array.", |p| *field(p, "person") = text("P-0006")),
        ("content-commitment-length", "person in entry 6 stands as a commitment of 31 bytes.", |p| {
            *field(p, "person") = Value::Bytes(vec![1; 31])
        }),
        ("content-unordered", "Two fields of entry 6 stand in the wrong order.", |p| p.swap(0, 1)),
        ("content-duplicate", "Entry 6 has detail twice.", |p| {
            let at = p.iter().position(|(k, _)| *k == text("detail")).unwrap();
            p.insert(at, p[at].clone());
        }),
        ("content-integer-key", "A field of entry 6 is named by a number.", |p| p.insert(0, (Value::from(1), salted(Value::Null)))),
        ("content-float", "detail of entry 6 is a floating-point number.", |p| *field(p, "detail") = salted(Value::Float(0.5))),
        ("content-tag", "detail of entry 6 carries a CBOR tag.", |p| {
            *field(p, "detail") = salted(Value::Tag(1, Box::new(Value::from(1))));
        }),
        ("content-depth", "detail of entry 6 nests arrays deeper than 16.", |p| {
            *field(p, "detail") = salted((0..15).fold(Value::Null, |inner, _| Value::Array(vec![inner])));
        }),
        ("content-negative", "detail of entry 6 is an integer below -2^63.", |p| {
            let below = ciborium::value::Integer::try_from(-(1i128 << 63) - 1).unwrap();
            *field(p, "detail") = salted(Value::Integer(below));
        }),
    ];
    let mut out: Vec<Vector> = cases
        .into_iter()
        .map(|(name, wrong, change)| {
            let mut forge = base.forge.clone();
            forge.edit_map(6, change);
            base.forged(name, wrong, "content-malformed", &forge).entry(6)
        })
        .collect();
    out.extend(malformed_bytes(base));
    out
}

fn malformed_bytes(base: &Base) -> Vec<Vector> {
    let (bytes, hash) = (base.forge.opened(6), base.forge.leaf(6).content_hash);
    let cases: [(&str, &str, Vec<u8>); 4] = [
        ("content-indefinite", "The content of entry 6 is a map of indefinite length.", [&[0xbf], &bytes[1..], &[0xff]].concat()),
        ("content-trailing", "A byte follows the content of entry 6.", [&bytes[..], &[0]].concat()),
        (
            "content-non-minimal",
            "The content of entry 6 states its number of fields in a byte more than it needs.",
            [&[0xb8, bytes[0] & 31], &bytes[1..]].concat(),
        ),
        ("content-cut", "The content of entry 6 ends in the middle of a field.", bytes[..bytes.len() - 1].to_vec()),
    ];
    cases
        .into_iter()
        .map(|(name, wrong, bytes)| {
            let mut forge = base.forge.clone();
            forge.set_content(6, &bytes, hash);
            base.forged(name, wrong, "content-malformed", &forge).entry(6)
        })
        .collect()
}

fn rules(base: &Base) -> Vec<Vector> {
    let with = |change: &dyn Fn(&mut Forge)| {
        let mut forge = base.forge.clone();
        change(&mut forge);
        forge
    };
    let erase = |forge: &mut Forge, name: &str| {
        forge.edit_content(6, |fields| {
            for (_, field) in fields.iter_mut().filter(|(n, _)| n == name) {
                *field = Field::Erased(field.commitment().unwrap());
            }
        });
    };
    let fifth = base.forge.content(5).meta().unwrap();
    let in_store = with(&|f| {
        let erased = f.content(6).erase("person").unwrap().unwrap().encode().unwrap().bytes;
        let record = f.seal(6, &erased, f.sealed_with(6));
        f.store(6, record);
    });
    let padding = |fields: &dyn Fn(Plan) -> Plan| {
        with(&|f| {
            f.push(fields(Plan::new(Kind::Entry, "padding", [])));
        })
    };
    vec![
        base.forged(
            "content-hash",
            "content_hash of entry 6 is not that of its content.",
            "content-hash",
            &with(&|f| f.edit_leaf(6, |l| l.content_hash[0] ^= 1)),
        )
        .entry(6),
        base.forged(
            "content-value",
            "The person in the stored content of entry 6 was changed; record and leaf were hashed again, content_hash was not.",
            "content-hash",
            &with(&|f| {
                let before = f.leaf(6).content_hash;
                f.set_field(6, "person", "P-9999".into());
                f.edit_leaf(6, |l| l.content_hash = before);
            }),
        )
        .entry(6),
        base.forged(
            "content-swapped",
            "Entry 6 holds the content of entry 4, sealed anew; content_hash was not re-done.",
            "content-hash",
            &with(&|f| {
                let (other, own) = (f.opened(4), f.leaf(6).content_hash);
                f.set_content(6, &other, own);
            }),
        )
        .entry(6),
        base.forged("content-common-erased", "actor of entry 6 stands erased.", "content-common", &with(&|f| erase(f, "actor")))
            .entry(6)
            .field("actor"),
        base.forged(
            "content-common-missing",
            "Entry 6 has no request.",
            "content-common",
            &with(&|f| f.edit_content(6, |c| c.retain(|(n, _)| n != "request"))),
        )
        .entry(6)
        .field("request"),
        base.forged(
            "content-common-type",
            "at of entry 6 is text.",
            "content-common",
            &with(&|f| f.set_field(6, "at", "1780000042000006".into())),
        )
        .entry(6)
        .field("at"),
        base.forged(
            "content-erased-at-birth",
            "person of entry 6 stands erased in the record first written.",
            "content-erased",
            &with(&|f| erase(f, "person")),
        )
        .entry(6)
        .field("person"),
        base.forged(
            "content-erased-in-store",
            "person of entry 6 is erased in the stored record, and no redaction says so.",
            "sealed-hash",
            &in_store,
        )
        .entry(6),
        base.forged(
            "content-time-equal",
            "Entry 6 was recorded at the same microsecond as entry 5.",
            "content-time",
            &with(&|f| f.set_field(6, "at", fifth.at.into())),
        )
        .entry(6)
        .field("at"),
        base.forged(
            "content-request-repeated",
            "Entry 6 has the actor and the request of entry 5.",
            "request-repeated",
            &with(&|f| f.set_field(6, "request", fifth.request.clone().into())),
        )
        .entry(6)
        .field("request"),
        base.forged("padding-field", "The padding at entry 7 holds a field.", "padding-fields", &padding(&|p| p.with("note", Value::Null)))
            .entry(7),
        base.forged(
            "control-erased",
            "check of the data key created by entry 2 stands erased, in an entry of kind 3.",
            "content-erased",
            &with(&|f| {
                let erased = f.content(2).erase("check").unwrap().unwrap().encode().unwrap();
                f.set_content(2, &erased.bytes, erased.hash);
            }),
        )
        .also(&["datakey-unknown"])
        .entry(2),
    ]
}

/// Types under a kind that is not theirs; each otherwise as its kind has it.
fn types(base: &Base) -> Vec<Vector> {
    let cases = [
        ("type-redaction-kind-1", Kind::Entry, "redaction"),
        ("type-genesis-kind-1", Kind::Entry, "genesis"),
        ("type-key-event-kind-1", Kind::Entry, "key.revoked"),
        ("type-anchor-kind-1", Kind::Entry, "anchor.timestamp"),
        ("type-access-kind-2", Kind::KeyEvent, "access.event"),
        ("type-access-kind-3", Kind::Maintenance, "access.event"),
        ("type-padding-kind-4", Kind::Anchor, "padding"),
    ];
    cases
        .into_iter()
        .map(|(name, kind, type_name)| {
            let mut forge = base.forge.clone();
            forge.push(Plan::new(kind, type_name, []));
            let wrong = format!("Entry 7 is of type {type_name} under kind {}.", kind as u8);
            base.forged(name, &wrong, "content-type", &forge).entry(7).field("type")
        })
        .collect()
}

/// Where rules are replayed, a record that cannot be read whole stops the replay: that is no clean answer.
fn unknown_field(base: &Base) -> Vector {
    let mut story = ruled::Story::tell();
    let read = story.label("read-1");
    story.cut(read + 1);
    let mut forge = story.forge();
    forge.edit_content(read, |fields| {
        let salt = sha(b"a field nobody knows")[..16].try_into().unwrap();
        fields.push(("unheard_of".into(), Field::Shown { salt, value: Value::Null }));
    });
    assert_eq!(forge.sealed_with(read), Some((Scheme::XChaCha, 1)));
    base.forged("content-unknown-field", "A record of a known type has a field that its type does not have.", "record-fields", &forge)
        .verdict(Verdict::CouldNotCheck)
        .entry(read)
        .cut_from(read + 1)
}
