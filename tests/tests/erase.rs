//! A data key is destroyed: what it sealed is gone for everybody, everything still proves, and decisions from there on are made, and made again, on what
//! is left (5 CFR 2634.603(g), Regulation (EU) 596/2014 article 18(5), against a ledger that never changes).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a panic is a failed test")]

use std::fs;

use countersign_entry::ids::{LeafIndex, Line, RecordId, SubmissionId};
use countersign_entry::record::{HoldScope, LegalHold, Record, Submission};
use countersign_entry::time::Micros;
use countersign_ledger::export::{Planes, export};
use countersign_ledger::query::{AsOf, Page};
use countersign_ledger::{Access, AppendError, Erasure, Ledger, OpenError, Receipt, Signatures};
use countersign_log::proof::TlogProof;
use countersign_store::memory::{Fault, Step};
use countersign_testing::ledger::{World, access, active_grant, options, principal, record, stage_set, submission_record, verified};
use countersign_verify::files::DirSource;
use countersign_verify::{Options, Report, Verdict};

const DAY: u64 = 86_400_000_000;
const YEAR: u64 = 365 * DAY;

/// A ledger with a submission that is over: public and cleansed, its two grants closed, five accesses under each. The world stands six years later.
fn old() -> (World, Ledger, SubmissionId) {
    let (mut world, ledger) = World::start();
    world.kept = Some((16, 1));
    drop(ledger);
    let mut ledger = world.open(Access::Write).unwrap();
    let submission = stage_set(&mut ledger);
    let grant = active_grant(&mut ledger, "ada1", &submission);
    let other = active_grant(&mut ledger, "bob1", &submission);
    for n in 0..5 {
        let now = ledger.now();
        record(&mut ledger, "gateway", &format!("use-{n}"), access("ada1", &submission, Some(grant), now)).unwrap();
        record(&mut ledger, "gateway", &format!("other-use-{n}"), access("bob1", &submission, Some(other), now)).unwrap();
    }
    world.clock.advance(30 * DAY);
    ledger.tick().unwrap();
    let known = ledger.facts().submission(&submission).unwrap();
    let public = Submission {
        public_release_at: Some(ledger.now()),
        cleansed_at: Some(ledger.now()),
        supersedes: Some(known.index),
        ..known.record.clone()
    };
    record(&mut ledger, "founder", "public", public).unwrap();
    world.clock.advance(6 * YEAR);
    ledger.tick().unwrap();
    (world, ledger, submission)
}

fn compartment(submission: &SubmissionId) -> String {
    format!("submission:{submission} 2026")
}

fn erase(ledger: &mut Ledger, key: &str, compartment: &str) -> Result<Vec<Receipt>, AppendError> {
    let approvers = vec![principal("approver1"), principal("approver2")];
    let authority = Line::new("kept five years: Regulation (EU) 596/2014 article 18(5)").unwrap();
    let erasure = Erasure { keys: ledger.keys_of(compartment), authority, approvers, signatures: Vec::new() };
    ledger.erase(&principal("founder"), &key.parse().unwrap(), &erasure)
}

fn verify(ledger: &Ledger, options: &Options) -> Report {
    let dir = tempfile::tempdir().unwrap();
    export(ledger, &dir.path().join("export"), Planes::Both, &mut |_| {}).unwrap();
    countersign_verify::verify(&DirSource::new(dir.path().join("export")), options, &mut |_| {})
}

/// What anybody can do without those records: another submission, from the first record to an access.
fn goes_on(ledger: &mut Ledger, name: &str) {
    let (now, submission) = (ledger.now(), SubmissionId::new(name).unwrap());
    let provider = countersign_entry::ids::ProviderId::new("lab").unwrap();
    record(ledger, "founder", &format!("{name}-is"), submission_record(&submission, &provider, now)).unwrap();
    let grant = active_grant(ledger, "bob1", &submission);
    record(ledger, "gateway", &format!("{name}-use"), access("bob1", &submission, Some(grant), now)).unwrap();
}

/// A time in the midst of what was erased is answered with what is left.
fn questions_pass_over_it(ledger: &Ledger, first: u64) {
    let minute = |index: u64| countersign_entry::leaf::Leaf::decode(&ledger.leaf(index).unwrap()).unwrap().minute;
    let at = Micros::new((minute(first) + 60) * 1_000_000).unwrap();
    let size = ledger.size_as_of(AsOf::Time(at)).unwrap();
    assert!(size > first && minute(size - 1) <= minute(first) + 60 && minute(size) >= minute(first) + 60, "{first} {size}");
    assert_eq!(ledger.view_as_of(AsOf::Time(at), &mut |_| {}).unwrap().size(), size);
}

#[test]
fn what_takes_the_place_of_something_erased_is_told_without_it() {
    let (world, mut ledger, submission) = old();
    let known = ledger.facts().submission(&submission).unwrap();
    let corrected = Submission { title: Line::new("its other name").unwrap(), supersedes: Some(known.index), ..known.record.clone() };
    let corrected = record(&mut ledger, "founder", "corrected", corrected).unwrap().index;
    erase(&mut ledger, "erase-1", &compartment(&submission)).unwrap();
    drop(ledger);
    let ledger = world.open(Access::Read).unwrap();
    let changes = ledger.view().changed(0, None, None, Page { offset: 0, limit: 10_000 }).unwrap().rows;
    let row = changes.iter().find(|c| c.entry.0 == corrected).unwrap();
    assert!(row.record.supersedes().is_some() && row.before.is_none());
    verified(&ledger);
}

#[test]
fn what_a_key_sealed_is_gone_and_everything_still_proves() {
    let (world, mut ledger, submission) = old();
    let (size, before) = (ledger.size(), options(&ledger));
    let first = (0..size).find(|i| matches!(ledger.entry(*i).unwrap().2, Record::Submission(_))).unwrap();
    let proof_before = ledger.proof(first).unwrap();
    let old_keys = fs::read(world.beside_path().join("data.keys")).unwrap();
    let older = world.beside_path().join("snapshots");
    assert!(fs::read_dir(&older).unwrap().next().is_some(), "none is kept that knows what is to be erased");
    let erased = erase(&mut ledger, "erase-1", &compartment(&submission)).unwrap();
    assert!(!older.exists(), "what was known before is kept");
    assert_eq!(erased.iter().map(|r| r.index).collect::<Vec<_>>(), [size, size + 1, size + 2], "the submission's, and each person's");
    let now = ledger.now();
    let refused = record(&mut ledger, "gateway", "late", access("ada1", &submission, None, now)).unwrap_err();
    assert!(matches!(refused, AppendError::ReadOnly(_)), "what it knows in memory is more than it may: {refused}");
    drop(ledger);

    for copy_kept in [false, true] {
        if copy_kept {
            // As if it had stopped before the key was gone: the entry stands, so the key goes now.
            fs::write(world.beside_path().join("data.keys"), &old_keys).unwrap();
        }
        let mut ledger = world.open(Access::Write).unwrap();
        assert_eq!(ledger.read_only(), None);
        assert!(matches!(ledger.entry(first), Err(OpenError::Shut { entry, erased: Some(at), .. }) if (entry, at) == (first, size)));
        assert!(
            ledger.facts().submission(&submission).is_none() && ledger.facts().grants().all(|(_, g)| g.request.submission != submission)
        );
        let stored = fs::read(world.beside_path().join("data.keys")).unwrap();
        assert_ne!(stored, old_keys, "the key is gone from the file");
        let at = if copy_kept { "S-0003" } else { "S-0002" };
        goes_on(&mut ledger, at);
        let report = verified(&ledger);
        let said = report.to_string();
        assert!(said.contains(&format!("erased under #{size}")), "{said}");
        assert!(said.contains("decided before something they may rest on was erased"), "{said}");
        // Whoever has the leaf and its proof of before proves what they proved, and whoever asks now gets the same; there is no content to show.
        for proof in [&proof_before, &ledger.proof(first).unwrap()] {
            let text = proof.tlog_proof().unwrap();
            let proven = TlogProof::parse(text.as_bytes()).unwrap().verify(&proof_before.leaf, ledger.vkey()).unwrap();
            assert_eq!(proven.index().0, first);
        }
        let refused = ledger.receipt(first).unwrap_err().to_string();
        assert!(refused.contains(&format!("entry {size} says that it was destroyed")), "{refused}");
        questions_pass_over_it(&ledger, first);
        drop(ledger);
        // The same from the first entry, from a snapshot, and for reading.
        for access in [Access::Write, Access::Read] {
            let again = world.open(access).unwrap();
            assert!(again.facts().submission(&submission).is_none() && again.facts().submission(&at.parse().unwrap()).is_some());
        }
    }

    // Somebody who kept the key reads what was erased, and is told that this is not what the ledger went on from.
    let ledger = world.open(Access::Read).unwrap();
    let report = verify(
        &ledger,
        &Options {
            keys: before.keys.clone().map(|mut keys| {
                keys.extend(options(&ledger).keys.unwrap());
                keys
            }),
            ..options(&ledger)
        },
    );
    assert_eq!(report.verdict, Verdict::Verified, "{report}");
    assert!(report.to_string().contains("destroys a data key that was given"), "{report}");
}

#[test]
fn one_person_is_erased_and_the_others_stay() {
    let (world, mut ledger, submission) = old();
    let of = |ledger: &Ledger, person: &str| -> Vec<u64> {
        (0..ledger.size())
            .filter(|i| matches!(ledger.entry(*i), Ok((_, _, Record::AccessEvent(e))) if e.person.as_str() == person))
            .collect()
    };
    let (ada, bob) = (of(&ledger, "P-ada1"), of(&ledger, "P-bob1"));
    assert_eq!((ada.len(), bob.len()), (5, 5));
    assert_eq!(erase(&mut ledger, "erase-1", &format!("submission:{submission} P-ada1 2026")).unwrap().len(), 1);
    drop(ledger);
    let mut ledger = world.open(Access::Write).unwrap();
    assert!(of(&ledger, "P-ada1").is_empty() && ledger.facts().submission(&submission).is_some());
    assert_eq!(of(&ledger, "P-bob1"), bob);
    assert!(ada.iter().all(|i| matches!(ledger.entry(*i), Err(OpenError::Shut { erased: Some(_), .. }))));
    goes_on(&mut ledger, "S-0002");
    verified(&ledger);
    drop(ledger);
    // Each compartment keeps its key from start to start, and none is shared.
    let names =
        |ledger: &Ledger| ledger.compartments().map(|(key_id, name)| (key_id, name.to_owned())).collect::<std::collections::BTreeSet<_>>();
    let ledger = world.open(Access::Write).unwrap();
    let kept = names(&ledger);
    assert_eq!(kept.iter().map(|(key_id, _)| key_id).collect::<std::collections::BTreeSet<_>>().len(), kept.len(), "{kept:?}");
    assert!(kept.iter().any(|(_, name)| name == &format!("submission:{submission} P-bob1 2026")), "{kept:?}");
    drop(ledger);
    fs::remove_file(world.beside_path().join("snapshot")).unwrap();
    assert_eq!(names(&world.open(Access::Write).unwrap()), kept);
}

#[test]
fn nothing_is_erased_too_early_under_a_hold_or_while_something_rests_on_it() {
    let (world, mut ledger, submission) = old();
    let says = |refused: AppendError, what: &str| assert!(refused.to_string().contains(what), "{refused}");
    says(erase(&mut ledger, "no-1", "directory 2026").unwrap_err(), "it is not erased");
    says(erase(&mut ledger, "no-2", "ethics 2026").unwrap_err(), "until the end of 2032");
    says(erase(&mut ledger, "no-3", "submission:S-0009 2026").unwrap_err(), "there is no compartment");
    let (keys, authority) = (ledger.keys_of(&compartment(&submission)), Line::new("none").unwrap());
    let alone = Erasure { keys, authority, approvers: vec![principal("approver1")], signatures: Vec::new() };
    says(ledger.erase(&principal("founder"), &"no-4".parse().unwrap(), &alone).unwrap_err(), "two approvers are needed");

    // Article 18(5) says delete, an investigation says keep: it is kept, and the refusal says why.
    let hold = LegalHold {
        id: RecordId::new("H-1").unwrap(),
        scope: HoldScope::Person("P-ada1".parse().unwrap()),
        authority: Line::new("inspector general, case 12").unwrap(),
        from: ledger.now(),
        until: None,
        supersedes: None,
    };
    let held = record(&mut ledger, "ethics", "hold", hold.clone()).unwrap().index;
    says(erase(&mut ledger, "no-5", &compartment(&submission)).unwrap_err(), "legal hold H-1 stands as entry");
    let ended = LegalHold { until: Some(ledger.now()), supersedes: Some(LeafIndex(held)), ..hold };
    record(&mut ledger, "ethics", "hold-ends", ended).unwrap();

    // Something recorded this year under the same submission is sealed under another key; what stands under the old one is in the way.
    let (young, mut other) = World::start();
    let submission_2 = stage_set(&mut other);
    young.clock.advance(6 * YEAR + 40 * DAY);
    other.tick().unwrap();
    says(
        erase(&mut other, "no-6", &compartment(&submission_2)).unwrap_err(),
        "a submission that is not public and cleansed recorded as entry",
    );

    // All of a submission's keys or none: one approval that does not hold, and nothing of it is recorded.
    let keys = ledger.keys_of(&compartment(&submission));
    let wrong = Signatures { approvals: vec![vec![1], vec![2]], signed: None };
    let signatures = (0..keys.len()).map(|n| if n == 1 { wrong.clone() } else { Signatures::default() }).collect();
    let (authority, approvers) = (Line::new("none").unwrap(), vec![principal("approver1"), principal("approver2")]);
    let (size, partly) = (ledger.size(), Erasure { keys, authority, approvers, signatures });
    says(ledger.erase(&principal("founder"), &"no-7".parse().unwrap(), &partly).unwrap_err(), "signature of");
    assert_eq!(ledger.size(), size);

    assert_eq!(ledger.read_only(), None, "a refusal leaves it as it is");
    erase(&mut ledger, "yes", &compartment(&submission)).unwrap();
    drop(ledger);
    let mut ledger = world.open(Access::Write).unwrap();
    goes_on(&mut ledger, "S-0002");
    verified(&ledger);
    let raw = countersign_entry::record::DataKeyDestroyed {
        key_id: 2,
        authority: Line::new("x").unwrap(),
        approvers: vec![principal("approver1"), principal("approver2")],
        approvals: vec![],
    };
    says(record(&mut ledger, "founder", "raw", raw).unwrap_err(), "and by nothing else");
}

/// Wherever it stops, the next start finds either a ledger that was never asked, or one without the key; and what it records then replays.
#[test]
fn a_stop_at_any_step_leaves_the_key_or_ends_it() {
    for step in [Step::Stage, Step::Seal, Step::Register] {
        for fault in [Fault::Fail, Fault::Full, Fault::FailPersisted, Fault::CrashBefore, Fault::CrashTorn, Fault::CrashAfter] {
            let what = format!("{step:?} × {fault:?}");
            let (world, mut ledger, submission) = old();
            let size = ledger.size();
            world.disk.arm(step, 0, fault);
            let erased = erase(&mut ledger, "erase-1", &compartment(&submission));
            if erased.is_err() {
                let now = ledger.now();
                record(&mut ledger, "gateway", "late", access("ada1", &submission, None, now)).expect_err(&what);
            }
            drop(ledger);
            world.disk.restart();
            let mut ledger = world.open(Access::Write).unwrap();
            if ledger.read_only().is_some_and(|why| why.contains("something was erased")) {
                drop(ledger);
                ledger = world.open(Access::Write).unwrap();
            }
            assert_eq!(ledger.read_only(), None, "{what}");
            let recorded = ledger.size() > size;
            assert_eq!(ledger.facts().submission(&submission).is_none(), recorded, "{what}");
            assert_eq!(ledger.compartments().any(|(_, name)| name == compartment(&submission)), !recorded, "{what}");
            goes_on(&mut ledger, "S-0002");
            verified(&ledger);
        }
    }
}
