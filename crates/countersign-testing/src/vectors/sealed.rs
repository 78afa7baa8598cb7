//! Section 5: stored records, their schemes, associated data, and data keys.

use ciborium::Value;
use countersign_entry::leaf::Kind;
use countersign_entry::seal::{DataKey, Scheme, plain};
use countersign_verify::Verdict;

use super::{Base, Vector};
use crate::forge::{Forge, Plan, data_key, sha, signing};
use crate::officers::public;

const SEALED: &str = "sealed/000.p/7";

pub(super) fn vectors(base: &Base) -> Vec<Vector> {
    let mut out = records(base);
    out.extend(schemes(base));
    out.extend(places(base));
    out.extend(data_keys(base));
    out
}

fn with(base: &Base, change: impl FnOnce(&mut Forge)) -> Forge {
    let mut forge = base.forge.clone();
    change(&mut forge);
    forge
}

fn pushed(base: &Base, plan: Plan) -> Forge {
    with(base, |f| {
        f.push(plan);
    })
}

fn records(base: &Base) -> Vec<Vector> {
    let raw = |n: u8, len: usize| -> Vec<u8> { [&[n][..], &vec![7; len - 1]].concat() };
    let forged = |name: &str, wrong: &str, record: Vec<u8>| {
        let code = if record.is_empty() { "record-missing" } else { "record-malformed" };
        base.forged(name, wrong, code, &with(base, |f| f.set_record(6, record))).entry(6).file(SEALED)
    };
    let mut key_zero = base.forge.parts[6].record.clone();
    key_zero[1..5].fill(0);
    let mut scheme_3 = base.forge.parts[6].record.clone();
    scheme_3[0] = 3;
    let mut bit = base.files.clone();
    let sealed = bit.get_mut(SEALED).unwrap();
    let last = sealed.len() - 1;
    sealed[last] ^= 1;
    let mut out = vec![
        forged("record-missing-committed", "The record of entry 6 has length 0, and the leaf commits to it.", vec![]),
        forged("record-scheme-3", "The record of entry 6 is of scheme 3, which is not defined.", scheme_3),
        forged("record-key-0", "The record of entry 6 names key_id 0.", key_zero),
        forged("record-short", "The record of entry 6 is shorter than scheme 1 needs.", raw(1, 40)),
        base.vector(
            "record-missing",
            "The record of entry 6 is stored with length 0.",
            "record-missing",
            with(base, |f| f.store(6, vec![])).export(),
            false,
        )
        .entry(6)
        .file(SEALED),
        base.vector("record-bit", "A bit of the stored record of entry 6 is flipped; no keys are given.", "sealed-hash", bit, false)
            .keys(None)
            .entry(6)
            .file(SEALED),
    ];
    let longest = raw(1, 65_536);
    out.push(
        base.forged(
            "record-too-long",
            "The record of entry 6 has 65,536 bytes.",
            "file-malformed",
            &with(base, |f| f.set_record(6, longest)),
        )
        .entry(6)
        .file(SEALED),
    );
    out
}

fn schemes(base: &Base) -> Vec<Vector> {
    let sealed = Some((Scheme::XChaCha, 1));
    let resealed = |index: usize, to: Option<(Scheme, u32)>| {
        with(base, |f| {
            let record = match to {
                None => plain(&f.opened(index)),
                to => f.seal(index, &f.opened(index), to),
            };
            f.set_record(index, record);
        })
    };
    let key_event = with(base, |f| {
        let fields = [
            ("principal", "pr-0001".into()),
            ("key", Value::Bytes(public(&signing("officer")))),
            ("reason", "enrolled".into()),
            ("approvers", Value::Array(vec![])),
        ];
        f.push(Plan { sealed, ..Plan::new(Kind::KeyEvent, "officer.enrolled", fields) });
    });
    let third = pushed(base, Plan { sealed, ..created(3) });
    let anchor = pushed(base, Plan { sealed, ..Plan::new(Kind::Anchor, "anchor.timestamp", []) });
    let case = |name: &str, kind: u8, index: usize, forge: &Forge| {
        base.forged(name, &format!("The record of entry {index} is of kind {kind} and sealed in scheme 1."), "record-scheme", forge)
            .entry(index)
    };
    vec![
        base.forged("scheme-0-kind-1", "The record of entry 6 is of kind 1 and in the clear.", "record-scheme", &resealed(6, None))
            .entry(6),
        case("scheme-1-kind-0", 0, 0, &resealed(0, sealed)).also(&["datakey-unknown"]),
        case("scheme-1-kind-2", 2, 7, &key_event),
        case("scheme-1-kind-3", 3, 7, &third),
        case("scheme-1-kind-4", 4, 7, &anchor),
    ]
}

/// Records that were not sealed for their place.
fn places(base: &Base) -> Vec<Vector> {
    let refused = |name: &str, wrong: &str, forge: &Forge| base.forged(name, wrong, "record-refused", forge).entry(6).file(SEALED);
    let content = base.forge.opened(6);
    let as_if = |index: usize, key_id: u32, key: u32, origin: &str| {
        with(base, |f| {
            let key = f.keys[&key];
            f.set_record(6, f.seal_as(index, &content, Scheme::XChaCha, key_id, &key, origin));
        })
    };
    let own = base.forge.origin.as_str();
    let padded = |plaintext: Vec<u8>| with(base, |f| f.set_record(6, f.seal_padded(6, &plaintext, 1)));
    let fewest = (content.len() + 1).next_multiple_of(128);
    let pad = |mark: u8, len: usize| {
        let mut out = [&content[..], &[mark]].concat();
        out.resize(len, 0);
        out
    };
    let mut late_byte = pad(0x80, fewest);
    *late_byte.last_mut().unwrap() = 1;
    let relabelled = with(base, |f| {
        let mut record = f.parts[6].record.clone();
        record[4] = 2;
        f.set_record(6, record);
    });
    vec![
        refused(
            "record-moved",
            "Entry 6 holds the record of entry 4, and its leaf commits to that record and its content.",
            &with(base, |f| {
                let (record, hash) = (f.parts[4].record.clone(), f.leaf(4).content_hash);
                f.set_record(6, record);
                f.edit_leaf(6, |l| l.content_hash = hash);
            }),
        ),
        refused("record-other-index", "The record of entry 6 was sealed for index 5.", &as_if(5, 1, 1, own)),
        refused("record-other-origin", "The record of entry 6 was sealed for another origin.", &as_if(6, 1, 1, "ledger.example/another")),
        refused("record-other-key", "The record of entry 6 names key 1 and was sealed with key 2.", &as_if(6, 1, 2, own)),
        refused("record-relabelled", "The record of entry 6 was sealed with key 1 and names key 2.", &relabelled),
        refused(
            "padding-block-more",
            "The plaintext of entry 6 is padded by a block more than it needs.",
            &padded(pad(0x80, fewest + 128)),
        ),
        refused("padding-mark", "The padding of entry 6 begins with 81.", &padded(pad(0x81, fewest))),
        refused("padding-not-zero", "The padding of entry 6 ends in a byte that is not zero.", &padded(late_byte)),
        refused("padding-none", "The plaintext of entry 6 is padded with zeros alone.", &padded(pad(0, fewest))),
    ]
}

fn created(id: u32) -> Plan {
    let check = DataKey::new(data_key(id)).check(id);
    Plan::new(Kind::Maintenance, "datakey.created", [("key_id", id.into()), ("check", Value::Bytes(check.to_vec()))])
}

fn data_keys(base: &Base) -> Vec<Vector> {
    let early = with(base, |f| {
        f.keys.insert(3, data_key(3));
        f.push(Plan { sealed: Some((Scheme::XChaCha, 3)), ..Plan::new(Kind::Entry, "padding", []) });
        f.push(created(3));
    });
    let mut three = base.keys.clone();
    three.insert(3, data_key(3));
    let mut wrong = base.keys.clone();
    wrong.insert(1, sha(b"another key"));
    let mut one = base.keys.clone();
    one.remove(&2);
    let unused = with(base, |f| {
        let record = f.seal_as(6, &f.opened(6), Scheme::XChaCha, 9, &data_key(9), &f.origin);
        f.set_record(6, record);
    });
    let twice = with(base, |f| {
        let again = Plan::new(
            Kind::Maintenance,
            "datakey.created",
            [("key_id", 1.into()), ("check", f.content(1).value("check").unwrap().clone())],
        );
        f.push(again);
    });
    let zero = pushed(base, created(0));
    let no_check = pushed(base, created(3).without("check"));
    let extra = pushed(base, created(3).with("submission", "S-0001".into()));
    vec![
        base.forged("datakey-before-creation", "Entry 7 is sealed under key 3, which entry 8 creates.", "datakey-unknown", &early)
            .keys(Some(three))
            .entry(7),
        base.forged("datakey-never-created", "Entry 6 is sealed under key 9, which no entry creates.", "datakey-unknown", &unused)
            .also(&["keys-missing"])
            .entry(6),
        base.forged("datakey-twice", "Entry 7 creates key 1 a second time.", "datakey-id", &twice).entry(7).field("key_id"),
        base.forged("datakey-zero", "Entry 7 creates a key 0.", "datakey-id", &zero).entry(7).field("key_id"),
        base.forged("datakey-no-check", "Entry 7 creates key 3 without its check.", "control-fields", &no_check).entry(7).field("check"),
        base.forged("datakey-extra-field", "Entry 7 creates key 3 and names a submission.", "control-fields", &extra)
            .entry(7)
            .field("submission"),
        base.edited("key-wrong", "The key given for key_id 1 is not the one entry 1 created; the ledger is right.", "key-check", |_| {})
            .keys(Some(wrong))
            .verdict(Verdict::CouldNotCheck)
            .entry(1),
        base.edited("key-not-given", "No key is given for key_id 2; the ledger is right.", "keys-missing", |_| {})
            .keys(Some(one))
            .verdict(Verdict::CouldNotCheck)
            .entry(3),
    ]
}
