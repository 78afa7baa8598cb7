//! One rule broken at a time, in ledgers that are signed all the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)] // a test may stop where a library may not

mod support;

use ciborium::Value;
use countersign_entry::content::{Content, Field};
use countersign_entry::leaf::{Kind, Leaf};
use countersign_entry::seal::Scheme;
use countersign_log::key_event::{revocation_text, rotation_text};
use countersign_log::tree::{RootHash, TreeSize};
use countersign_verify::{Options, Verdict};
use ed25519_dalek::{Signer, SigningKey};
use support::*;

fn broken(code: &str, make: impl FnOnce(&mut Maker)) {
    let mut m = Maker::new();
    make(&mut m);
    let report = run(&m.export(), &options());
    assert!(codes(&report).contains(&code), "wanted {code}:\n{report}");
    assert_eq!(report.verdict, Verdict::Tampered, "{report}");
}

/// Replaces the leaf of the newest entry.
fn releaf(m: &mut Maker, change: impl FnOnce(&mut Leaf)) {
    let made = m.made.last_mut().unwrap();
    let mut leaf = Leaf::decode(&made.leaf).unwrap();
    change(&mut leaf);
    made.leaf = leaf.encode();
}

#[test]
fn a_made_ledger_is_right_to_begin_with() {
    let mut m = Maker::new();
    m.redact(|_| {});
    m.push(plan(Kind::Entry, "padding", vec![]));
    m.push(Plan { sealed: Some((Scheme::XChaCha, 1)), ..access("P-0003") });
    let report = run(&m.export(), &options());
    assert_eq!(codes(&report), Vec::<&str>::new(), "{report}");
    assert_eq!(run(&m.data_dir(&[&[3, 2], &[1, 1, 1]]), &options()).findings, vec![]);
}

#[test]
fn leaf_rules() {
    broken("leaf-kind", |m| {
        m.push(Plan { kind: Kind::Genesis, ..genesis(&[&vkey(&signer(1)).to_string()]) });
    });
    broken("leaf-index", |m| releaf(m, |l| l.index += 1));
    broken("leaf-minute", |m| {
        m.push(Plan { minute: Some(60), ..access("P-0001") });
    });
    broken("chain-broken", |m| {
        releaf(m, |l| l.prev[0] ^= 1);
    });
    broken("leaf-malformed", |m| m.made.last_mut().unwrap().leaf.push(0));
    broken("origin-hash", |m| {
        *m = Maker::empty();
        m.push(genesis(&[&vkey(&signer(1)).to_string()]));
        releaf(m, |l| l.prev = [0; 32]);
    });
}

#[test]
fn record_rules() {
    broken("record-scheme", |m| {
        m.push(Plan { sealed: None, ..access("P-0001") });
    });
    broken("record-scheme", |m| {
        m.push(Plan { sealed: Some((Scheme::XChaCha, 1)), ..created(3) });
    });
    broken("sealed-hash", |m| {
        let other = m.seal(3, &m.made[3].content.encode().unwrap().bytes.clone(), Some((Scheme::XChaCha, 1)));
        m.stored.insert(3, other);
    });
    broken("record-missing", |m| {
        m.stored.insert(3, vec![]);
    });
    broken("record-refused", |m| {
        let moved = m.made[3].record.clone();
        m.push(access("P-0001"));
        m.made.last_mut().unwrap().record = moved.clone();
        releaf(m, |l| l.sealed_hash = sha(&moved));
    });
    broken("record-malformed", |m| {
        m.made.last_mut().unwrap().record = vec![9, 9];
        releaf(m, |l| l.sealed_hash = sha(&[9, 9]));
    });
    broken("content-hash", |m| releaf(m, |l| l.content_hash[0] ^= 1));
    broken("content-malformed", |m| {
        let record = m.seal(5, &[0x80], Some((Scheme::XChaCha, 1)));
        m.push(access("P-0001"));
        m.made.last_mut().unwrap().record = record.clone();
        releaf(m, |l| l.sealed_hash = sha(&record));
    });
}

#[test]
fn content_rules() {
    broken("content-minute", |m| {
        m.push(Plan { minute: Some(1_780_000_080), ..access("P-0001") });
    });
    broken("content-time", |m| {
        m.push(Plan { at: Some(1_780_000_000_000_000), ..access("P-0001") });
    });
    broken("request-repeated", |m| {
        m.push(Plan { request: Some("req-3"), ..access("P-0001") });
    });
    broken("content-common", |m| {
        let content = Content::from_fields(vec![("type".into(), Field::Shown { salt: [1; 16], value: "padding".into() })]);
        m.push_content(Kind::Entry, content, 1_780_000_020, Some((Scheme::XChaCha, 1)));
    });
    broken("padding-fields", |m| {
        m.push(plan(Kind::Entry, "padding", vec![("x", Value::Null)]));
    });
    for (kind, name) in [
        (Kind::Entry, "genesis"),
        (Kind::Entry, "key.rotated"),
        (Kind::Entry, "anchor.rfc3161"),
        (Kind::Entry, "redaction"),
        (Kind::KeyEvent, "access.event"),
        (Kind::Maintenance, "padding"),
        (Kind::Maintenance, "datakey.lost"),
        (Kind::Anchor, "padding"),
    ] {
        broken("content-type", |m| {
            m.push(plan(kind, name, vec![]));
        });
    }
    broken("content-erased", |m| {
        let erased = m.made[3].content.erase("person").unwrap().unwrap();
        let fields = erased.fields().iter().map(|(k, f)| {
            let value = |v: Value| Field::Shown { salt: [7; 16], value: v };
            match k.as_str() {
                "at" => (k.clone(), value(1_780_000_035_000_010u64.into())),
                "request" => (k.clone(), value("req-x".into())),
                _ => (k.clone(), f.clone()),
            }
        });
        m.push_content(Kind::Entry, Content::from_fields(fields.collect()), 1_780_000_020, Some((Scheme::XChaCha, 1)));
    });
}

#[test]
fn genesis_rules() {
    let key = vkey(&signer(1)).to_string();
    let with = |fields: Vec<(&'static str, Value)>| {
        let mut m = Maker::empty();
        m.push(plan(Kind::Genesis, "genesis", fields));
        run(&m.export(), &options())
    };
    let report = with(vec![("origin", ORIGIN.into()), ("format", 1.into()), ("keys", texts(&[&vkey(&signer(2)).to_string()]))]);
    assert_eq!((report.verdict, codes(&report)), (Verdict::Untrusted, vec!["genesis-without-key"]), "{report}");
    let report = with(vec![("origin", "another.example".into()), ("format", 1.into()), ("keys", texts(&[&key]))]);
    assert_eq!(codes(&report), ["genesis-origin"]);
    let report = with(vec![("origin", ORIGIN.into()), ("format", 2.into()), ("keys", texts(&[&key]))]);
    assert_eq!(codes(&report), ["genesis-format"]);
    let report = with(vec![("origin", ORIGIN.into()), ("format", 1.into()), ("keys", texts(&[&key, "nonsense"]))]);
    assert_eq!(codes(&report), ["genesis-keys"]);
    let report = with(vec![("origin", ORIGIN.into()), ("format", 1.into())]);
    assert_eq!(codes(&report), ["control-fields"]);
    assert_eq!(report.findings[0].field.as_deref(), Some("keys"));
}

#[test]
fn data_key_rules() {
    broken("datakey-id", |m| {
        m.push(created(1));
    });
    broken("datakey-id", |m| {
        m.push(plan(Kind::Maintenance, "datakey.created", vec![("key_id", 0.into()), ("check", Value::Bytes(vec![0; 32]))]));
    });
    broken("datakey-unknown", |m| {
        m.push(Plan { sealed: Some((Scheme::XChaCha, 3)), ..access("P-0001") });
    });
    broken("datakey-unknown", |m| {
        m.push(destroyed(3));
    });
    broken("datakey-destroyed", |m| {
        m.push(destroyed(1));
        m.push(access("P-0001"));
    });
    broken("datakey-destroyed", |m| {
        m.push(destroyed(1));
        m.push(destroyed(1));
    });
    broken("datakey-destroyed", |m| {
        m.push(destroyed(1));
        m.redact(|_| {});
    });
    let mut m = Maker::new();
    m.push(destroyed(1));
    let keys = Options { keys: Some([(2, data_key(2))].into()), ..options() };
    let report = run(&m.export(), &keys);
    assert_eq!(report.verdict, Verdict::Verified, "{report}");
    assert!(report.not_checked.iter().any(|l| l.contains("erased under #5")));
}

#[test]
fn wrong_and_missing_keys_are_could_not_check() {
    let files = Maker::new().export();
    let report = run(&files, &Options { keys: Some([(1, data_key(1))].into()), ..options() });
    assert_eq!((report.verdict, codes(&report)), (Verdict::CouldNotCheck, vec!["keys-missing"]));
    assert!(report.not_checked.iter().any(|l| l.starts_with("contents under key_id 2: 1 records")));
    let report = run(&files, &Options { keys: Some([(1, data_key(1)), (2, data_key(1))].into()), ..options() });
    assert_eq!((report.verdict, codes(&report)), (Verdict::CouldNotCheck, vec!["key-check"]));
    let report = run(&files, &Options { keys: Some([].into()), ..options() });
    assert_eq!(report.verdict, Verdict::CouldNotCheck);
}

#[test]
fn redaction_rules() {
    fn set(p: &mut Plan, name: &'static str, value: Value) {
        p.fields.iter_mut().filter(|(k, _)| *k == name).for_each(|(_, v)| *v = value.clone());
    }
    let spoilt = |code: &str, name: &'static str, value: Value| {
        broken(code, |m| {
            m.redact(|p| set(p, name, value));
        })
    };
    spoilt("redaction-target", "target", 99.into());
    spoilt("redaction-target", "target", 1.into());
    spoilt("redaction-not-carried-out", "target", 4.into());
    spoilt("redaction-field", "fields", texts(&["actor"]));
    spoilt("redaction-field", "fields", texts(&["person", "person"]));
    spoilt("redaction-erased", "fields", texts(&["person", "action"]));
    spoilt("redaction-erased", "fields", texts(&["action"]));
    spoilt("redaction-key", "key_id", 2.into());
    spoilt("redaction-approvers", "approvers", texts(&["pr-0002"]));
    spoilt("redaction-approvers", "approvers", texts(&["pr-0002", "pr-0002"]));
    spoilt("redaction-approvers", "approvers", texts(&["pr-0002", "pr-0009"]));
    spoilt("redaction-approvers", "approvers", texts(&["pr-0002", "pr-0001"]));
    spoilt("redaction-hash", "resealed_hash", Value::Bytes(vec![1; 32]));
    spoilt("control-fields", "authority", 1.into());
    broken("redaction-not-carried-out", |m| {
        m.redact(|_| {});
        m.stored.clear();
    });
    broken("redaction-field", |m| {
        m.redact(|_| {});
        let again = m.made[3].content.encode().unwrap().bytes;
        let record = m.seal(3, &again, Some((Scheme::XChaCha, 1)));
        m.stored.insert(3, record.clone());
        let fields = vec![
            ("target", 3.into()),
            ("fields", texts(&["person"])),
            ("key_id", 1.into()),
            ("authority", "again".into()),
            ("approvers", texts(&["pr-0002", "pr-0003"])),
            ("resealed_hash", Value::Bytes(sha(&record).to_vec())),
        ];
        m.push(plan(Kind::Maintenance, "redaction", fields));
    });
    // Twice over, each time another field: only the newest record counts.
    let mut m = Maker::new();
    m.redact(|_| {});
    let first = m.stored[&3].clone();
    m.redact_field(3, "action", (Scheme::XChaCha, 1), |_| {});
    assert_eq!(run(&m.export(), &options()).verdict, Verdict::Verified);
    m.stored.insert(3, first);
    assert!(codes(&run(&m.export(), &options())).contains(&"redaction-hash"));
    assert_eq!(codes(&run(&m.export(), &without_keys())), ["redaction-hash"], "stored bytes are checked without a key");
}

fn rotation(old: &SigningKey, new: &SigningKey, both_until: u64) -> Plan {
    let text = rotation_text(ORIGIN, &vkey(old), &vkey(new));
    let fields = vec![
        ("old", vkey(old).to_string().into()),
        ("new", vkey(new).to_string().into()),
        ("old_signature", Value::Bytes(old.sign(text.as_bytes()).to_bytes().to_vec())),
        ("new_signature", Value::Bytes(new.sign(text.as_bytes()).to_bytes().to_vec())),
        ("both_until", both_until.into()),
        ("reason", "yearly".into()),
        ("attestation", Value::Null),
        ("approvers", texts(&["pr-0002"])),
    ];
    plan(Kind::KeyEvent, "key.rotated", fields)
}

fn revocation(revoked: &SigningKey, by: &SigningKey, last_size: u64) -> Plan {
    let text = revocation_text(ORIGIN, &vkey(revoked), TreeSize(last_size));
    let fields = vec![
        ("vkey", vkey(revoked).to_string().into()),
        ("last_size", last_size.into()),
        ("by", vkey(by).to_string().into()),
        ("signature", Value::Bytes(by.sign(text.as_bytes()).to_bytes().to_vec())),
        ("reason", "lost".into()),
        ("approvers", texts(&["pr-0002"])),
    ];
    plan(Kind::KeyEvent, "key.revoked", fields)
}

#[test]
fn keys_are_walked_from_the_pinned_one() {
    let (a, b, c) = (signer(1), signer(2), signer(3));
    let mut m = Maker::new();
    m.push(rotation(&a, &b, 7));
    let verdict = |m: &Maker, signers: &[&SigningKey]| {
        let report = run(&m.export_signed(signers), &options());
        (report.verdict, codes(&report))
    };
    assert_eq!(verdict(&m, &[&a, &b]), (Verdict::Verified, vec![]));
    assert_eq!(verdict(&m, &[&a]), (Verdict::Tampered, vec!["signature-both"]));
    assert_eq!(verdict(&m, &[&b]), (Verdict::Tampered, vec!["signature-both"]));
    m.push(access("P-0001"));
    assert_eq!(verdict(&m, &[&a, &b]), (Verdict::Verified, vec![]));
    m.push(access("P-0001"));
    assert_eq!(verdict(&m, &[&b]), (Verdict::Verified, vec![]), "after both_until the new key alone");
    assert_eq!(verdict(&m, &[&a]), (Verdict::Untrusted, vec!["no-trusted-signature"]));
    assert_eq!(verdict(&m, &[&c]), (Verdict::Untrusted, vec!["no-trusted-signature"]));
    let public: Files = m.export_signed(&[&b]).into_iter().filter(|(p, _)| !p.starts_with("sealed")).collect();
    assert_eq!(run(&public, &without_keys()).verdict, Verdict::Verified, "control/ is enough to walk the keys");
    m.push(rotation(&a, &c, 20));
    assert_eq!(verdict(&m, &[&b]), (Verdict::Tampered, vec!["key-event-key"]), "the old key has no standing any more");
}

#[test]
fn revoked_keys_and_bad_key_events() {
    let (a, b) = (signer(1), signer(2));
    let mut m = Maker::new();
    m.push(rotation(&a, &b, 20));
    m.push(revocation(&a, &b, 6));
    let report = run(&m.export_signed(&[&b]), &options());
    assert_eq!((report.verdict, codes(&report)), (Verdict::Verified, vec![]), "a revoked key need not sign");
    let report = run(&m.export_signed(&[&a]), &options());
    assert_eq!((report.verdict, codes(&report)), (Verdict::Untrusted, vec!["signed-by-revoked"]));
    broken("key-event-key", |m| {
        m.push(revocation(&signer(1), &signer(1), 6));
    });
    broken("key-event-key", |m| {
        m.push(revocation(&signer(2), &signer(1), 6));
    });
    broken("key-event-key", |m| {
        m.push(rotation(&signer(2), &signer(3), 6));
    });
    broken("key-event-signature", |m| {
        let mut p = rotation(&signer(1), &signer(2), 0);
        p.fields[3].1 = Value::Bytes(vec![0; 64]);
        m.push(p);
    });
    broken("control-fields", |m| {
        m.push(plan(Kind::KeyEvent, "officer.enrolled", vec![("principal", "pr-0001".into())]));
    });
}

#[test]
fn checkpoints_and_their_signatures() {
    let m = Maker::new();
    let (files, a) = (m.export(), signer(1));
    let with = |note: Vec<u8>| {
        let mut files = files.clone();
        files.insert("checkpoint".into(), note);
        let report = run(&files, &options());
        (report.verdict, codes(&report))
    };
    let root = m.tree().root();
    assert_eq!(with(b"not a note".to_vec()), (Verdict::CouldNotCheck, vec!["note-malformed"]));
    assert_eq!(with(note(ORIGIN, 5, RootHash([1; 32]), &[&a])), (Verdict::Tampered, vec!["root-mismatch"]));
    assert_eq!(with(note(ORIGIN, 5, root, &[&signer(9)])), (Verdict::Untrusted, vec!["no-trusted-signature"]));
    assert_eq!(with(note("other.example", 5, root, &[&a])).0, Verdict::Tampered, "signed, but not the origin of the leaves");
    assert_eq!(with(note_of("x\n", &[&a])), (Verdict::Tampered, vec!["checkpoint-text"]));
    let extended = format!("{}more\n", String::from_utf8(m.note(5, &[&a])).unwrap().split("\n\n").next().unwrap().to_owned() + "\n");
    assert_eq!(with(note_of(&extended, &[&a])), (Verdict::Tampered, vec!["checkpoint-text"]));
    let mut bad = m.note(5, &[&a]);
    let last = bad.len() - 6;
    bad[last] = if bad[last] == b'A' { b'B' } else { b'A' };
    assert_eq!(with(bad), (Verdict::Tampered, vec!["signature-bad", "no-trusted-signature"]));
    assert_eq!(with(note(ORIGIN, 0, countersign_log::tree::empty_root(), &[&a])).0, Verdict::CouldNotCheck);
    assert_eq!(with(note(ORIGIN, u64::MAX, root, &[&a])).0, Verdict::Tampered, "and it ends");
}

#[test]
fn a_ledger_of_somebody_else_is_untrusted_and_no_more() {
    let mut files = Maker::new().export();
    let stranger = Options {
        keys: options().keys,
        ..Options::new(countersign_verify::VKey::new("x.example", signer(5).verifying_key().as_bytes()).unwrap())
    };
    assert_eq!(run(&files, &stranger).verdict, Verdict::Untrusted);
    // Tampering outranks it.
    files.get_mut("tile/0/000.p/5").unwrap()[0] ^= 1;
    assert_eq!(run(&files, &stranger).verdict, Verdict::Tampered);
}

#[test]
fn kept_heads() {
    let mut m = Maker::new();
    let (early, a) = (m.note(5, &[&signer(1)]), signer(1));
    let short = m.export();
    m.push(access("P-0001"));
    let late = m.note(6, &[&a]);
    let long = m.export();
    let kept = |files: &Files, notes: &[&Vec<u8>]| {
        let report = run(files, &Options { known_checkpoints: notes.iter().map(|n| n.to_vec()).collect(), ..options() });
        (report.verdict, codes(&report))
    };
    assert_eq!(kept(&long, &[&early, &late]), (Verdict::Verified, vec![]));
    assert_eq!(kept(&short, &[&late]), (Verdict::Stale, vec!["shorter-than-known-head"]));
    let other = note(ORIGIN, 3, RootHash([3; 32]), &[&a]);
    assert_eq!(kept(&long, &[&other]), (Verdict::Tampered, vec!["known-head-diverges"]));
    assert_eq!(kept(&short, &[&late, &other]), (Verdict::Tampered, vec!["shorter-than-known-head", "known-head-diverges"]));
    assert_eq!(kept(&long, &[&note(ORIGIN, 3, RootHash([3; 32]), &[&signer(9)])]).0, Verdict::Untrusted);
    // The same under checkpoints/.
    let mut files = long.clone();
    files.insert("checkpoints/5".into(), early.clone());
    assert_eq!(kept(&files, &[]).0, Verdict::Verified);
    files.insert("checkpoints/4".into(), early);
    assert_eq!(kept(&files, &[]).1, ["checkpoint-name"]);
    files.insert("checkpoints/4".into(), note(ORIGIN, 4, RootHash([3; 32]), &[&a]));
    assert_eq!(kept(&files, &[]).1, ["checkpoint-root"]);
    files.remove("checkpoints/4");
    files.insert("notes.txt".into(), vec![]);
    let report = run(&files, &options());
    assert!(report.not_checked.iter().any(|l| l.contains("notes.txt")));
}

#[test]
fn control_copies() {
    let mut files = Maker::new().export();
    files.get_mut("control/0").unwrap()[20] ^= 1;
    assert_eq!(codes(&run(&files, &options())), ["control-differs"]);
}
