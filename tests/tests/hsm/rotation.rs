//! One key follows another; the old one, stolen, makes nothing that verifies.

use std::fs;
use std::path::Path;

use countersign_conflict::Refusal;
use countersign_entry::ids::Line;
use countersign_entry::record::Record;
use countersign_ledger::export::{Planes, export};
use countersign_ledger::{Access, AppendError, Directory, Ledger, Revocation, Rotation, Signatures};
use countersign_log::checkpoint::Checkpoint;
use countersign_log::note::{Note, format_note};
use countersign_log::vkey::VKey;
use countersign_sign::Signer as _;
use countersign_sign::keyfile::TokenKey;
use countersign_sign::pkcs11::{Algorithm, TokenSigner};
use countersign_testing::ledger::{access, principal, record, stage_set, verified};
use countersign_testing::officers::{approvals, enroll_approvers};
use countersign_verify::files::DirSource;
use countersign_verify::{Options, Report, Verdict, verify};

use crate::{Bench, KEY, ORIGIN, alone};

const NEW: &str = "ledger-key-2";

fn rotation(both_until: u64, approvers: &[&str]) -> Rotation {
    let approvers = approvers.iter().map(|who| principal(who)).collect();
    Rotation { both_until, reason: Line::new("yearly").unwrap(), approvers, attestation: None, signatures: Signatures::default() }
}

/// What `approver1` and `approver2` sign of a request of the founder's.
fn signatures(key: &str, record: impl Into<Record>) -> Signatures {
    let approvers = ["approver1", "approver2"].map(principal);
    Signatures { approvals: approvals(ORIGIN, &principal("founder"), key, record, &approvers), signed: None }
}

fn list(bench: &Bench, new: &VKey) {
    let directory = Directory::find(&bench.ledger_dir()).unwrap();
    let mut file = directory.token_file().unwrap().unwrap();
    file.keys.push(TokenKey { label: NEW.into(), vkey: new.to_string() });
    directory.keep_token_file(&file).unwrap();
}

fn rotate(bench: &Bench, ledger: &mut Ledger, new: &VKey, both_for: u64) {
    list(bench, new);
    let asked = rotation(ledger.size() + both_for, &["approver1", "approver2"]);
    let signatures = signatures("rotate", ledger.rotation_request(new, &asked).unwrap());
    let signer = Box::new(TokenSigner::new(bench.token(), NEW, new.clone()));
    ledger.rotate_key(&principal("founder"), "rotate".parse().unwrap(), signer, Rotation { signatures, ..asked }).unwrap();
}

fn some_events(ledger: &mut Ledger, name: &str, count: u64) {
    let submission = "S-0001".parse().unwrap();
    for n in 0..count {
        let now = ledger.now();
        record(ledger, "gateway", &format!("{name}-{n}"), access("ada1", &submission, None, now)).unwrap();
    }
}

fn judged(dir: &Path, vkey: &VKey, known: Vec<Vec<u8>>) -> Report {
    verify(&DirSource::new(dir), &Options { known_checkpoints: known, ..Options::new(vkey.clone()) }, &mut |_| {})
}

#[test]
fn an_old_key_stolen_after_rotation_makes_nothing_that_verifies() {
    alone("rotation::an_old_key_stolen_after_rotation_makes_nothing_that_verifies", |bench| {
        let mut ledger = bench.ledger(Algorithm::Ed25519);
        stage_set(&mut ledger);
        enroll_approvers(&mut ledger);
        some_events(&mut ledger, "before", 3);
        let before = bench.dir.join("before");
        export(&ledger, &before, Planes::Public, &mut |_| {}).unwrap();
        let pinned = ledger.vkey().clone();
        // To another algorithm even.
        let new = bench.key(NEW, Algorithm::P256);
        rotate(bench, &mut ledger, &new, 0);
        some_events(&mut ledger, "after", 3);
        assert_eq!(ledger.signing_key(), Some(&new));
        verified(&ledger);
        let honest = bench.dir.join("honest");
        export(&ledger, &honest, Planes::Public, &mut |_| {}).unwrap();
        let kept = fs::read(honest.join("checkpoint")).unwrap();
        assert_eq!(judged(&honest, &pinned, vec![kept.clone()]).verdict, Verdict::Verified);

        // The thief has the old key. First, the ledger as it is, under the old key alone.
        let mut stolen = TokenSigner::new(bench.token(), KEY, pinned.clone());
        let mut resign = |dir: &Path, text: &str| {
            let signature = stolen.sign(text.as_bytes()).unwrap();
            let note = format_note(text, &[(pinned.name(), pinned.key_id(), &signature)]).unwrap();
            fs::write(dir.join("checkpoint"), note).unwrap();
        };
        let text = Note::parse(&kept).unwrap().text().to_owned();
        resign(&honest, &text);
        assert_eq!(judged(&honest, &pinned, Vec::new()).verdict, Verdict::Untrusted);
        // Second, another root for the newest size.
        let forged = Checkpoint { root: countersign_log::tree::RootHash([9; 32]), ..Checkpoint::parse(&text).unwrap() };
        resign(&honest, &forged.to_text());
        let report = judged(&honest, &pinned, Vec::new());
        assert!(matches!(report.verdict, Verdict::Untrusted | Verdict::Tampered), "{report}");
        // Third, the ledger as it was before the rotation: the old key's to sign then. Whoever kept a head from after it sees that it is signed by a
        // key this one does not lead to; nobody else can see anything.
        assert_eq!(judged(&before, &pinned, vec![kept]).verdict, Verdict::Untrusted);
        assert_eq!(judged(&before, &pinned, Vec::new()).verdict, Verdict::Verified);
        // A revocation makes even checkpoints that the old key made alone, later than said, untrusted; the ledger itself goes on.
        let last_size = ledger.size();
        let revocation = Revocation {
            vkey: pinned.clone(),
            last_size,
            reason: Line::new("stolen").unwrap(),
            approvers: vec![principal("approver1"), principal("approver2")],
            signatures: Signatures::default(),
        };
        let signatures = signatures("revoke", ledger.revocation_request(&revocation).unwrap());
        ledger.revoke_key(&principal("founder"), "revoke".parse().unwrap(), Revocation { signatures, ..revocation }).unwrap();
        some_events(&mut ledger, "revoked", 1);
        verified(&ledger);
        drop(ledger);
        let ledger = bench.open(Access::Write);
        assert_eq!((ledger.read_only(), ledger.signing_key()), (None, Some(&new)));
    });
}

#[test]
fn both_keys_sign_while_one_follows_the_other() {
    alone("rotation::both_keys_sign_while_one_follows_the_other", |bench| {
        let mut ledger = bench.ledger(Algorithm::Ed25519);
        stage_set(&mut ledger);
        enroll_approvers(&mut ledger);
        let new = bench.key(NEW, Algorithm::Ed25519);
        let start = ledger.size();
        rotate(bench, &mut ledger, &new, 3);
        let mut lines = Vec::new();
        for n in 0..4 {
            lines.push(Note::parse(&ledger.head().unwrap().note).unwrap().signatures().len());
            some_events(&mut ledger, &format!("event-{n}"), 1);
        }
        assert_eq!(lines, [2, 2, 2, 1], "from size {}", start + 1);
        verified(&ledger);
        // The same from the disk, in the middle of it or after.
        drop(ledger);
        let mut ledger = bench.open(Access::Write);
        some_events(&mut ledger, "again", 1);
        verified(&ledger);
    });
}

#[test]
fn a_rotation_needs_two_approvers_and_a_key_at_hand() {
    alone("rotation::a_rotation_needs_two_approvers_and_a_key_at_hand", |bench| {
        let mut ledger = bench.ledger(Algorithm::Ed25519);
        stage_set(&mut ledger);
        enroll_approvers(&mut ledger);
        let new = bench.key(NEW, Algorithm::Ed25519);
        let size = ledger.size();
        for approvers in [&["approver1"][..], &["approver1", "approver1"], &["approver1", "ethics"], &["founder", "approver1"], &[]] {
            let signer = Box::new(TokenSigner::new(bench.token(), NEW, new.clone()));
            let refused = ledger.rotate_key(&principal("founder"), "r".parse().unwrap(), signer, rotation(0, approvers));
            assert!(matches!(refused, Err(AppendError::Refused(Refusal::Invalid(_)))), "{approvers:?}: {refused:?}");
        }
        let signer = Box::new(TokenSigner::new(bench.token(), NEW, new.clone()));
        let refused = ledger.rotate_key(&principal("officer"), "r".parse().unwrap(), signer, rotation(0, &["approver1", "approver2"]));
        assert!(matches!(refused, Err(AppendError::Refused(Refusal::Role { .. }))), "{refused:?}");
        // A key that is not in the token cannot follow.
        let other = bench.key("other", Algorithm::Ed25519);
        let signer = Box::new(TokenSigner::new(bench.token(), "absent", other));
        let refused = ledger.rotate_key(&principal("founder"), "r".parse().unwrap(), signer, rotation(0, &["approver1", "approver2"]));
        assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
        assert_eq!((ledger.size(), ledger.read_only()), (size, None));
        some_events(&mut ledger, "on", 1);
        verified(&ledger);
    });
}

#[test]
fn approvers_sign_a_rotation_and_what_they_signed_is_good_for_nothing_else() {
    alone("rotation::approvers_sign_a_rotation_and_what_they_signed_is_good_for_nothing_else", |bench| {
        let mut ledger = bench.ledger(Algorithm::Ed25519);
        stage_set(&mut ledger);
        let (pinned, new) = (ledger.vkey().clone(), bench.key(NEW, Algorithm::Ed25519));
        list(bench, &new);
        let attempt = |ledger: &mut Ledger, key: &str, asked: Rotation| {
            let signer = Box::new(TokenSigner::new(bench.token(), NEW, new.clone()));
            ledger.rotate_key(&principal("founder"), key.parse().unwrap(), signer, asked)
        };
        let refused = |answer: Result<_, AppendError>| matches!(answer, Err(AppendError::Refused(Refusal::Signature(_))));
        let asked = rotation(ledger.size(), &["approver1", "approver2"]);
        let signatures = signatures("first", ledger.rotation_request(&new, &asked).unwrap());
        let signed = Rotation { signatures, ..asked.clone() };
        assert!(refused(attempt(&mut ledger, "first", signed.clone())), "nobody's keys are enrolled");
        enroll_approvers(&mut ledger);
        assert!(refused(attempt(&mut ledger, "first", asked)), "nobody signed");
        let later = Rotation { both_until: 1_000, ..signed.clone() };
        assert!(refused(attempt(&mut ledger, "first", later)), "another rotation was signed");
        assert!(refused(attempt(&mut ledger, "second", signed.clone())), "the same, asked another time");
        let size = ledger.size();
        attempt(&mut ledger, "first", signed.clone()).unwrap();
        some_events(&mut ledger, "after", 2);
        // The third key, with the approvals of the second: they name another.
        let third = bench.key("ledger-key-3", Algorithm::Ed25519);
        let signer = Box::new(TokenSigner::new(bench.token(), "ledger-key-3", third));
        assert!(refused(ledger.rotate_key(&principal("founder"), "third".parse().unwrap(), signer, signed)), "stolen");
        verified(&ledger);
        let out = bench.dir.join("out");
        export(&ledger, &out, Planes::Public, &mut |_| {}).unwrap();
        let report = judged(&out, &pinned, Vec::new());
        assert_eq!(report.verdict, Verdict::Verified, "{report}");
        assert_eq!(report.checks.iter().find(|check| check.name == "approvals").unwrap().count, 2, "{report}");
        assert!(report.not_checked.iter().any(|line| line.starts_with("who approved 2 entries")), "{report}");
        drop(ledger);
        let ledger = bench.open(Access::Write);
        assert_eq!((ledger.read_only(), ledger.size() > size), (None, true));
    });
}
