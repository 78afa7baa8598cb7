//! Section 9: the log's keys over time.

use ciborium::Value;
use countersign_entry::leaf::Kind;
use countersign_log::encoding::base64;
use countersign_log::key_event::{revocation_text, rotation_text};
use countersign_log::tree::TreeSize;
use countersign_log::vkey::key_id;
use countersign_verify::Verdict;
use ed25519_dalek::{Signer as _, SigningKey};

use super::{Base, Bases, Vector, officers};
use crate::forge::{Files, Forge, Plan, note, signing, texts, vkey};

const ROTATION: usize = 9;
const REVOCATION: usize = 10;
/// To this size both keys sign.
const BOTH_UNTIL: u64 = 11;

/// `ledger-7`, two officers enrolled, the key rotated by entry 9, two entries more. Both keys sign up to size 11, the new one alone signs size 12.
pub(super) fn rotated(seven: &Base) -> Base {
    let (old, new) = (seven.forge.signing.clone(), next());
    let mut forge = seven.forge.clone();
    officers::enroll(&mut forge);
    forge.push(officers::approved(&forge, rotation(&forge, &old, &new, BOTH_UNTIL)));
    forge.push(padding());
    forge.push(padding());
    let files = export(&forge, &[(9, &[&old]), (10, &[&old, &new]), (11, &[&old, &new])], &[&new]);
    Base::made("rotated", forge, files)
}

/// `ledger-7`, two officers enrolled, the key rotated by entry 9, the old one revoked by entry 10, an entry more. The new key alone signs from then on.
pub(super) fn revoked(seven: &Base) -> Base {
    let (old, new) = (seven.forge.signing.clone(), next());
    let mut forge = seven.forge.clone();
    officers::enroll(&mut forge);
    forge.push(officers::approved(&forge, rotation(&forge, &old, &new, 20)));
    forge.push(officers::approved(&forge, revocation(&forge, &old, &new, 10)));
    forge.push(padding());
    let files = export(&forge, &[(9, &[&old]), (10, &[&old, &new]), (11, &[&new])], &[&new]);
    Base::made("revoked", forge, files)
}

pub(super) fn vectors(bases: &Bases) -> Vec<Vector> {
    let mut out = rotations(&bases.seven, &bases.rotated);
    out.extend(who_signed(&bases.rotated));
    out.extend(revocations(&bases.revoked, &bases.seven));
    out.extend(officers::vectors(&bases.rotated));
    out.extend(malformed_officers(&bases.seven));
    out
}

fn next() -> SigningKey {
    signing("next")
}

fn padding() -> Plan {
    Plan::new(Kind::Entry, "padding", [])
}

fn signed(key: &SigningKey, text: &str) -> Value {
    Value::Bytes(key.sign(text.as_bytes()).to_bytes().to_vec())
}

fn rotation(forge: &Forge, old: &SigningKey, new: &SigningKey, both_until: u64) -> Plan {
    let (old_vkey, new_vkey) = (vkey(&forge.origin, old), vkey(&forge.origin, new));
    let text = rotation_text(&forge.origin, &old_vkey, &new_vkey);
    let fields = [
        ("old", old_vkey.to_string().into()),
        ("new", new_vkey.to_string().into()),
        ("old_signature", signed(old, &text)),
        ("new_signature", signed(new, &text)),
        ("both_until", both_until.into()),
        ("reason", "yearly".into()),
        ("attestation", Value::Null),
        ("approvers", texts(&["pr-aaaa0001", "pr-aaaa0002"])),
    ];
    Plan::new(Kind::KeyEvent, "key.rotated", fields)
}

fn revocation(forge: &Forge, revoked: &SigningKey, by: &SigningKey, last_size: u64) -> Plan {
    let revoked = vkey(&forge.origin, revoked);
    let fields = [
        ("vkey", revoked.to_string().into()),
        ("last_size", last_size.into()),
        ("by", vkey(&forge.origin, by).to_string().into()),
        ("signature", signed(by, &revocation_text(&forge.origin, &revoked, TreeSize(last_size)))),
        ("reason", "lost".into()),
        ("approvers", texts(&["pr-aaaa0001", "pr-aaaa0002"])),
    ];
    Plan::new(Kind::KeyEvent, "key.revoked", fields)
}

/// The rotation of the base, as the next entry of this ledger, unsigned by its approvers.
pub(super) fn rotation_plan(forge: &Forge) -> Plan {
    rotation(forge, &forge.signing, &next(), BOTH_UNTIL)
}

/// A vector of a ledger that ends in a rotation, under both keys.
pub(super) fn rotated_further(base: &Base, forge: Forge, name: &str, wrong: &str, code: &str) -> Vector {
    let files = export(&forge, &[], &[&forge.signing, &next()]);
    base.vector(name, wrong, code, files, true)
}

fn note_by(forge: &Forge, size: u64, signers: &[&SigningKey]) -> Vec<u8> {
    let signers: Vec<(&str, &SigningKey)> = signers.iter().map(|k| (forge.origin.as_str(), *k)).collect();
    note(&forge.text(size), &signers)
}

fn export(forge: &Forge, published: &[(u64, &[&SigningKey])], last: &[&SigningKey]) -> Files {
    let mut files = forge.export_under(note_by(forge, forge.size(), last));
    files.extend(published.iter().map(|(size, signers)| (format!("checkpoints/{size}"), note_by(forge, *size, signers))));
    files
}

/// A rotation that does not hold. The old key goes on signing, and the new one beside it, so that the event alone is wrong.
fn rotations(seven: &Base, base: &Base) -> Vec<Vector> {
    let (old, new, stranger) = (seven.forge.signing.clone(), next(), signing("stranger"));
    let case = |name: &str, wrong: &str, code: &str, field: &str, plan: Plan| {
        let mut forge = seven.forge.clone();
        officers::enroll(&mut forge);
        forge.push(officers::approved(&forge, plan));
        forge.push(padding());
        forge.push(padding());
        let files = export(&forge, &[], &[&old, &new]);
        let vector = base.vector(name, wrong, code, files, true).entry(ROTATION);
        if field.is_empty() { vector } else { vector.field(field) }
    };
    let good = rotation(&seven.forge, &old, &new, BOTH_UNTIL);
    let origin = &seven.forge.origin;
    let elsewhere = rotation_text("ledger.example/another", &vkey(origin, &old), &vkey(origin, &new));
    let mut identity = [0; 32];
    identity[0] = 1;
    let small_order = format!("{origin}+{}+{}", key_id(origin, 1, &identity), base64(&[&[1], &identity[..]].concat()));
    let other_name = vkey("ledger.example/another", &new).to_string();
    vec![
        case(
            "rotation-old-signature",
            "The old key's signature on the rotation is the new key's.",
            "key-event-signature",
            "old_signature",
            {
                let text = rotation_text(origin, &vkey(origin, &old), &vkey(origin, &new));
                good.clone().with("old_signature", signed(&new, &text))
            },
        ),
        case("rotation-new-signature", "The new key's signature on the rotation is all zeros.", "key-event-signature", "new_signature", {
            good.clone().with("new_signature", Value::Bytes(vec![0; 64]))
        }),
        case("rotation-other-origin", "The old key signed the rotation of another log.", "key-event-signature", "old_signature", {
            good.clone().with("old_signature", signed(&old, &elsewhere))
        }),
        case(
            "rotation-by-stranger",
            "A key that is none of the log's hands over to the new one.",
            "key-event-key",
            "old",
            rotation(&seven.forge, &stranger, &new, BOTH_UNTIL),
        ),
        case(
            "rotation-to-itself",
            "The pinned key hands over to itself.",
            "key-event-key",
            "new",
            rotation(&seven.forge, &old, &old, BOTH_UNTIL),
        ),
        case(
            "rotation-small-order",
            "The new key is of small order.",
            "key-event-key",
            "new",
            good.clone().with("new", small_order.into()),
        ),
        case(
            "rotation-other-name",
            "The new key has another name than the origin.",
            "key-event-key",
            "new",
            good.clone().with("new", other_name.into()),
        ),
        case(
            "rotation-no-both-until",
            "The rotation does not say how long both keys sign.",
            "control-fields",
            "",
            good.clone().without("both_until"),
        ),
        case(
            "rotation-extra-field",
            "The rotation has a field that it does not have.",
            "control-fields",
            "",
            good.with("comment", "x".into()),
        ),
    ]
}

fn who_signed(base: &Base) -> Vec<Vector> {
    let (old, new) = (base.forge.signing.clone(), next());
    let with = |name: &str, wrong: &str, code: &str, path: &str, size: u64, signers: &[&SigningKey]| {
        let mut files = base.files.clone();
        files.insert(path.to_owned(), note_by(&base.forge, size, signers));
        base.vector(name, wrong, code, files, true).file(path)
    };
    let missing = base
        .edited("rotation-control-missing", "control/9, the rotation, is missing.", "file-missing", |f| drop(f.remove("control/9")))
        .entry(9)
        .file("control/9");
    let mut past = base.forge.clone();
    let again = officers::approved(&past, rotation(&past, &old, &signing("third"), 14));
    past.push(again);
    let files = export(&past, &[], &[&new]);
    vec![
        with(
            "rotation-new-before",
            "The new key alone signs size 9, before the rotation.",
            "no-trusted-signature",
            "checkpoints/9",
            9,
            &[&new],
        )
        .verdict(Verdict::Untrusted),
        with("rotation-old-alone", "The old key alone signs size 10, while both must.", "signature-both", "checkpoints/10", 10, &[&old]),
        with("rotation-new-alone", "The new key alone signs size 11, while both must.", "signature-both", "checkpoints/11", 11, &[&new]),
        with("rotation-old-after", "The old key alone signs size 12, after its time.", "no-trusted-signature", "checkpoint", 12, &[&old])
            .verdict(Verdict::Untrusted),
        missing,
        base.vector("rotation-by-old-after", "Entry 12 is a rotation by the key that was followed before.", "key-event-key", files, true)
            .entry(12)
            .field("old"),
    ]
}

fn revocations(base: &Base, seven: &Base) -> Vec<Vector> {
    let (old, new) = (seven.forge.signing.clone(), next());
    let case = |name: &str, wrong: &str, code: &str, field: &str, plan: Plan| {
        let mut forge = seven.forge.clone();
        officers::enroll(&mut forge);
        forge.push(officers::approved(&forge, rotation(&forge, &old, &new, 20)));
        forge.push(officers::approved(&forge, plan));
        forge.push(padding());
        let files = export(&forge, &[], &[&old, &new]);
        base.vector(name, wrong, code, files, true).entry(REVOCATION).field(field)
    };
    let good = revocation(&seven.forge, &old, &new, 10);
    let with = |name: &str, wrong: &str, path: &str, size: u64| {
        let mut files = base.files.clone();
        files.insert(path.to_owned(), note_by(&base.forge, size, &[&old]));
        base.vector(name, wrong, "signed-by-revoked", files, true).verdict(Verdict::Untrusted).file(path)
    };
    vec![
        with("revoked-signs", "The revoked key alone signs the checkpoint.", "checkpoint", 12),
        with("revoked-signs-published", "The revoked key alone signs checkpoints/11.", "checkpoints/11", 11),
        case(
            "revocation-signature",
            "The signature on the revocation is over another size.",
            "key-event-signature",
            "signature",
            good.clone().with("last_size", 9.into()),
        ),
        case(
            "revocation-by-itself",
            "The revoked key signs its own revocation.",
            "key-event-key",
            "by",
            revocation(&seven.forge, &old, &old, 10),
        ),
        case(
            "revocation-by-stranger",
            "A key that is none of the log's revokes the old one.",
            "key-event-key",
            "by",
            revocation(&seven.forge, &old, &signing("stranger"), 10),
        ),
        case(
            "revocation-of-stranger",
            "A key that is none of the log's is revoked.",
            "key-event-key",
            "vkey",
            revocation(&seven.forge, &signing("stranger"), &new, 10),
        ),
    ]
}

fn malformed_officers(base: &Base) -> Vec<Vector> {
    let fields = [
        ("principal", "pr-0001".into()),
        ("key", Value::Bytes(vec![0x30; 44])),
        ("reason", "hired".into()),
        ("approvers", texts(&["pr-aaaa0001"])),
    ];
    let good = Plan::new(Kind::KeyEvent, "officer.enrolled", fields);
    let case = |name: &str, wrong: &str, plan: Plan| {
        let mut forge = base.forge.clone();
        forge.push(plan);
        base.forged(name, wrong, "control-fields", &forge).entry(7)
    };
    vec![
        case("officer-no-key", "An officer is enrolled without a key.", good.clone().without("key")),
        case("officer-key-text", "The key of an enrolled officer is text.", good.with("key", "MCow".into())),
    ]
}
