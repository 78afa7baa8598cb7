//! Section 5: redactions, and data keys destroyed.

use ciborium::Value;
use countersign_entry::leaf::Kind;
use countersign_entry::seal::Scheme;

use super::{Base, Bases, Vector, officers};
use crate::forge::{Forge, Plan, sha, texts};

const TARGET: usize = 4;
const REDACTION: usize = 7;
const ACTOR: &str = "pr-9a0000cd";

/// `ledger-7`, entry 4 redacted by entry 7, and an access after it.
pub(super) fn base(seven: &Base) -> Base {
    let mut forge = seven.forge.clone();
    redact(&mut forge, &["person"], |p| p);
    forge.push(access());
    let files = forge.export();
    Base::made("redacted", forge, files)
}

/// `ledger-7`, two officers enrolled, key 1 destroyed by entry 9, and an access under key 2 after it. Key 1 is not given: nobody has it any more.
pub(super) fn destroyed(seven: &Base) -> Base {
    let mut forge = seven.forge.clone();
    officers::enroll(&mut forge);
    forge.push(officers::approved(&forge, destruction(1)));
    forge.push(Plan { sealed: Some((Scheme::AesGcm, 2)), ..access() });
    let files = forge.export();
    let mut base = Base::made("destroyed", forge, files);
    base.keys.remove(&1);
    base
}

pub(super) fn vectors(bases: &Bases) -> Vec<Vector> {
    let mut out = orders(&bases.seven, &bases.redacted);
    out.extend(approvers(&bases.seven, &bases.redacted));
    out.extend(stored(&bases.seven, &bases.redacted));
    out.extend(destructions(&bases.destroyed));
    out
}

pub(super) fn access() -> Plan {
    let fields = [
        ("person", "P-0008".into()),
        ("submission", "S-0001".into()),
        ("action", "view".into()),
        ("occurred_at", 1_780_000_039_000_006u64.into()),
        ("detail", Value::Null),
    ];
    Plan::new(Kind::Entry, "access.event", fields)
}

fn destruction(key_id: u32) -> Plan {
    let fields =
        [("key_id", key_id.into()), ("authority", "44 U.S.C. 3303a".into()), ("approvers", texts(&["pr-aaaa0001", "pr-aaaa0002"]))];
    Plan::new(Kind::Maintenance, "datakey.destroyed", fields)
}

/// Rewrites entry 4 without these fields and adds the redaction as `change` makes it.
fn redact(forge: &mut Forge, fields: &[&str], change: impl FnOnce(Plan) -> Plan) -> usize {
    let erased = fields.iter().fold(forge.content(TARGET), |c, name| c.erase(name).unwrap().unwrap());
    let record = forge.seal(TARGET, &erased.encode().unwrap().bytes, forge.sealed_with(TARGET));
    let plan = order(fields, sha(&record));
    forge.store(TARGET, record);
    forge.push(change(plan))
}

fn order(fields: &[&str], resealed_hash: [u8; 32]) -> Plan {
    let plan = Plan::new(
        Kind::Maintenance,
        "redaction",
        [
            ("target", (TARGET as u64).into()),
            ("fields", texts(fields)),
            ("key_id", 1.into()),
            ("authority", "5 U.S.C. 552a(e)(5)".into()),
            ("approvers", texts(&["pr-aaaa0001", "pr-aaaa0002"])),
            ("resealed_hash", Value::Bytes(resealed_hash.to_vec())),
        ],
    );
    Plan { actor: ACTOR.to_owned(), ..plan }
}

/// The base again, with a redaction that says something else.
fn spoilt(seven: &Base, name: &str, value: Value) -> Forge {
    let mut forge = seven.forge.clone();
    redact(&mut forge, &["person"], |p| p.with(name, value));
    forge.push(access());
    forge
}

fn orders(seven: &Base, base: &Base) -> Vec<Vector> {
    let case =
        |name: &str, wrong: &str, code: &str, field: &str, value: Value| base.forged(name, wrong, code, &spoilt(seven, field, value));
    let undone = |name: &str, wrong: &str, target: u64| {
        // Nothing is rewritten, so that the target alone is wrong.
        let mut forge = seven.forge.clone();
        forge.push(order(&["person"], [1; 32]).with("target", target.into()));
        forge.push(access());
        base.forged(name, wrong, "redaction-target", &forge).entry(REDACTION).field("target")
    };
    let mut twice = seven.forge.clone();
    redact(&mut twice, &["person"], |p| p);
    let again = twice.seal(TARGET, &twice.opened(TARGET), Some((Scheme::XChaCha, 1)));
    let record = if again == twice.parts[TARGET].record { reseal_differently(&twice) } else { again };
    let second = order(&["person"], sha(&record));
    twice.store(TARGET, record);
    twice.push(second);
    let no_authority = {
        let mut forge = seven.forge.clone();
        redact(&mut forge, &["person"], |p| p.without("authority"));
        forge.push(access());
        forge
    };
    vec![
        undone("redaction-target-later", "The redaction at entry 7 names entry 8.", 8),
        undone("redaction-target-itself", "The redaction at entry 7 names itself.", 7),
        undone("redaction-target-kind-3", "The redaction at entry 7 names entry 1, which is of kind 3.", 1),
        undone("redaction-target-genesis", "The redaction at entry 7 names genesis.", 0),
        case(
            "redaction-field-absent",
            "The redaction names a field that entry 4 does not have.",
            "redaction-erased",
            "fields",
            texts(&["person", "absent"]),
        )
        .entries(&[TARGET, REDACTION]),
        case(
            "redaction-field-common",
            "The redaction names actor, which can never be erased.",
            "redaction-field",
            "fields",
            texts(&["person", "actor"]),
        )
        .also(&["redaction-erased"])
        .entry(REDACTION)
        .field("fields"),
        case("redaction-field-twice", "The redaction names person twice.", "redaction-field", "fields", texts(&["person", "person"]))
            .entry(REDACTION)
            .field("fields"),
        base.forged("redaction-again", "Entry 8 redacts person, which entry 7 redacted already.", "redaction-field", &twice)
            .entry(8)
            .field("fields"),
        case("redaction-other-key", "The redaction names key 2, and entry 4 is sealed under key 1.", "redaction-key", "key_id", 2.into())
            .entry(REDACTION)
            .field("key_id"),
        base.forged("redaction-no-authority", "The redaction names no legal ground.", "control-fields", &no_authority)
            .also(&["sealed-hash"])
            .entry(REDACTION)
            .field("authority"),
    ]
}

/// The stored record of the target under another nonce.
fn reseal_differently(forge: &Forge) -> Vec<u8> {
    let content = forge.opened(TARGET);
    let mut padded = [&content[..], &[0x80]].concat();
    padded.resize(padded.len().next_multiple_of(128), 0);
    forge.seal_padded(TARGET, &padded, 1)
}

fn approvers(seven: &Base, base: &Base) -> Vec<Vector> {
    let target_actor = seven.forge.content(TARGET).meta().unwrap().actor;
    let case = |name: &str, wrong: &str, approvers: &[&str]| {
        base.forged(name, wrong, "redaction-approvers", &spoilt(seven, "approvers", texts(approvers))).entry(REDACTION).field("approvers")
    };
    vec![
        case("redaction-one-approver", "One person approved the redaction.", &["pr-aaaa0001"]),
        case("redaction-same-approver", "The redaction names one approver twice.", &["pr-aaaa0001", "pr-aaaa0001"]),
        case("redaction-own-approval", "The actor of the redaction is one of its approvers.", &["pr-aaaa0001", ACTOR]),
        case("redaction-target-approval", "The actor of the redacted entry is one of the approvers.", &["pr-aaaa0001", &target_actor]),
    ]
}

fn stored(seven: &Base, base: &Base) -> Vec<Vector> {
    let with = |change: &dyn Fn(&mut Forge)| {
        let mut forge = base.forge.clone();
        change(&mut forge);
        forge
    };
    let first = seven.forge.parts[TARGET].record.clone();
    let first_hash = sha(&first);
    let nothing = {
        let mut forge = seven.forge.clone();
        forge.push(order(&["person"], first_hash));
        forge.push(access());
        forge
    };
    let more = {
        let mut forge = seven.forge.clone();
        redact(&mut forge, &["person", "action"], |p| p.with("fields", texts(&["person"])));
        forge.push(access());
        forge
    };
    let less = spoilt(seven, "fields", texts(&["person", "action"]));
    let other = with(&|f| f.store(TARGET, reseal_differently(f)));
    let older = with(&|f| {
        let before = f.parts[TARGET].record.clone();
        redact(f, &["action"], |p| p);
        f.store(TARGET, before);
    });
    let changed = {
        let mut forge = seven.forge.clone();
        redact(&mut forge, &["person"], |p| p);
        let mut fields = forge.content(TARGET).fields().to_vec();
        for (_, field) in fields.iter_mut().filter(|(n, _)| n == "action") {
            if let countersign_entry::content::Field::Shown { value, .. } = field {
                *value = "export".into();
            }
        }
        let bytes = countersign_entry::content::Content::from_fields(fields).encode().unwrap().bytes;
        let record = forge.seal(TARGET, &bytes, Some((Scheme::XChaCha, 1)));
        let hash = Value::Bytes(sha(&record).to_vec());
        forge.store(TARGET, record);
        forge.set_field(REDACTION, "resealed_hash", hash);
        forge.push(access());
        forge
    };
    vec![
        base.vector(
            "redaction-not-carried-out",
            "The first record of entry 4 is still stored.",
            "redaction-not-carried-out",
            with(&|f| f.store(TARGET, first.clone())).export(),
            false,
        )
        .entry(TARGET),
        base.forged(
            "redaction-nothing-rewritten",
            "resealed_hash of the redaction is the sealed_hash of entry 4, which is still stored.",
            "redaction-not-carried-out",
            &nothing,
        )
        .entries(&[TARGET, REDACTION]),
        base.forged(
            "redaction-erased-more",
            "action is erased in entry 4 beside person, and the redaction names person alone.",
            "redaction-erased",
            &more,
        )
        .entry(TARGET)
        .field("action"),
        base.forged(
            "redaction-erased-less",
            "The redaction names action beside person, and person alone is erased.",
            "redaction-erased",
            &less,
        )
        .entry(TARGET)
        .field("action"),
        base.vector(
            "redaction-other-record",
            "The stored record of entry 4 is sealed under another nonce than the one the redaction names.",
            "redaction-hash",
            other.export(),
            false,
        )
        .entry(TARGET),
        base.vector(
            "redaction-older-record",
            "Entry 4 was redacted twice, and the record of the first redaction is stored; no keys are given.",
            "redaction-hash",
            older.export(),
            true,
        )
        .keys(None)
        .entry(TARGET),
        base.forged("redaction-value-changed", "The record rewritten by the redaction has another action.", "content-hash", &changed)
            .entry(TARGET),
    ]
}

fn destructions(base: &Base) -> Vec<Vector> {
    let with = |plan: Plan| {
        let mut forge = base.forge.clone();
        let plan = if plan.type_name == "datakey.destroyed" { officers::approved(&forge, plan) } else { plan };
        forge.push(plan);
        forge
    };
    let redaction = {
        let mut forge = base.forge.clone();
        redact(&mut forge, &["person"], |p| p);
        forge
    };
    vec![
        base.forged("destroyed-twice", "Entry 11 destroys key 1, which entry 9 destroyed.", "datakey-destroyed", &with(destruction(1)))
            .entry(11),
        base.forged(
            "destroyed-used-later",
            "Entry 11 is sealed under key 1, which entry 9 destroyed.",
            "datakey-destroyed",
            &with(access()),
        )
        .entry(11),
        base.forged(
            "destroyed-rewritten-later",
            "Entry 11 redacts entry 4 under key 1, which entry 9 destroyed.",
            "datakey-destroyed",
            &redaction,
        )
        .entry(11),
        base.forged("destroyed-unknown", "Entry 11 destroys key 5, which no entry created.", "datakey-unknown", &with(destruction(5)))
            .entry(11)
            .field("key_id"),
        base.forged(
            "destroyed-no-authority",
            "Entry 11 destroys key 2 and names no legal ground.",
            "control-fields",
            &with(destruction(2).without("authority")),
        )
        .entry(11)
        .field("authority"),
    ]
}
