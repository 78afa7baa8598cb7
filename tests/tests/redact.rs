//! Words are taken out of an entry: they are gone from the ledger, everything else in the entry stands, every decision replays, and all of it still proves
//! (ledger-format section 5).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a panic is a failed test")]

use countersign_entry::ids::{LeafIndex, Line, RecordId};
use countersign_entry::record::{AccessEvent, GrantRequest, HoldScope, LegalHold, REDACTED, Record, Redaction};
use countersign_ledger::{Access, AppendError, Ledger, Receipt, Redact, Signatures};
use countersign_log::proof::TlogProof;
use countersign_store::memory::{Fault, Step};
use countersign_testing::ledger::{World, access, active_grant, principal, record, stage_set, verified};
use countersign_testing::scene::text;

const SPILT: &str = "the words that should not be here";

/// A ledger in which somebody wrote what they should not have into an access event.
fn spilt() -> (World, Ledger, u64) {
    let (mut world, ledger) = World::start();
    world.kept = Some((16, 8));
    drop(ledger);
    let mut ledger = world.open(Access::Write).unwrap();
    let submission = stage_set(&mut ledger);
    let grant = active_grant(&mut ledger, "ada1", &submission);
    let now = ledger.now();
    let event = AccessEvent { artefact: Some(text(SPILT)), session: Some(text("s-1")), ..access("ada1", &submission, Some(grant), now) };
    let spilt = record(&mut ledger, "gateway", "use", event).unwrap().index;
    for n in 0..20 {
        let now = ledger.now();
        record(&mut ledger, "gateway", &format!("use-{n}"), access("ada1", &submission, Some(grant), now)).unwrap();
    }
    (world, ledger, spilt)
}

fn of(target: u64, fields: &[&str]) -> Redact {
    Redact {
        target: LeafIndex(target),
        fields: fields.iter().map(|f| (*f).to_owned()).collect(),
        authority: Line::new("spill, 32 CFR 2001.48").unwrap(),
        approvers: vec![principal("approver1"), principal("approver2")],
        signatures: Signatures::default(),
    }
}

fn redact(ledger: &mut Ledger, key: &str, redact: &Redact) -> Result<Receipt, AppendError> {
    ledger.redact(&principal("founder"), &key.parse().unwrap(), redact)
}

fn artefact(ledger: &Ledger, index: u64) -> (Option<String>, Option<String>) {
    let Record::AccessEvent(e) = ledger.entry(index).unwrap().2 else { panic!("an access") };
    (e.artefact.map(|l| l.to_string()), e.session.map(|l| l.to_string()))
}

#[test]
fn words_are_gone_and_everything_else_stands() {
    let (world, mut ledger, spilt) = spilt();
    let (size, proof) = (ledger.size(), ledger.proof(spilt).unwrap());
    let before = ledger.facts().clone();
    let receipt = redact(&mut ledger, "redact-1", &of(spilt, &["artefact"])).unwrap();
    assert_eq!(receipt.index, size);
    let refused = record(&mut ledger, "gateway", "late", Record::Padding).unwrap_err();
    assert!(matches!(refused, AppendError::ReadOnly(_)), "{refused}");
    drop(ledger);

    for access in [Access::Write, Access::Write, Access::Read] {
        let ledger = world.open(access).unwrap();
        assert_eq!(artefact(&ledger, spilt), (Some(REDACTED.to_owned()), Some("s-1".to_owned())));
        assert_eq!(ledger.facts().grants().collect::<Vec<_>>(), before.grants().collect::<Vec<_>>());
        let report = verified(&ledger).to_string();
        assert!(report.contains("redactions"), "{report}");
        assert!(!report.contains("erased"), "every decision replays: {report}");
        for proof in [&proof, &ledger.proof(spilt).unwrap()] {
            let text = proof.tlog_proof().unwrap();
            assert_eq!(TlogProof::parse(text.as_bytes()).unwrap().verify(&proof.leaf, ledger.vkey()).unwrap().index().0, spilt);
        }
    }

    // The same request again is the same entry; another field of the same entry is another redaction.
    let mut ledger = world.open(Access::Write).unwrap();
    let again = redact(&mut ledger, "redact-1", &of(spilt, &["artefact"])).unwrap();
    assert!(again.repeated && again.index == size);
    let twice = redact(&mut ledger, "redact-3", &of(spilt, &["artefact"])).unwrap_err();
    assert!(twice.to_string().contains("redacted already"), "{twice}");
    redact(&mut ledger, "redact-2", &of(spilt, &["session"])).unwrap();
    drop(ledger);
    let mut ledger = world.open(Access::Write).unwrap();
    assert_eq!(artefact(&ledger, spilt), (Some(REDACTED.to_owned()), Some(REDACTED.to_owned())));
    assert_eq!(ledger.read_only(), None);
    let now = ledger.now();
    let grant = ledger.facts().grants().next().unwrap();
    let (index, submission) = (grant.0.0, grant.1.request.submission.clone());
    record(&mut ledger, "gateway", "on", access("ada1", &submission, Some(index), now)).unwrap();
    verified(&ledger);
}

#[test]
fn what_cannot_be_redacted_says_why_and_leaves_the_ledger_as_it_is() {
    let (world, mut ledger, spilt) = spilt();
    let says = |answer: Result<Receipt, AppendError>, what: &str| {
        let refused = answer.unwrap_err().to_string();
        assert!(refused.contains(what), "{refused}");
    };
    let ask = |ledger: &mut Ledger, n: u32, wrong: Redact| redact(ledger, &format!("no-{n}"), &wrong);
    says(ask(&mut ledger, 1, of(spilt, &["person"])), "cannot be redacted, artefact, session can");
    says(ask(&mut ledger, 2, of(spilt, &["actor"])), "cannot be redacted");
    says(ask(&mut ledger, 3, of(spilt, &["artefact", "artefact"])), "redacted already");
    let active = |r: Record| matches!(r, Record::GrantTransition(t) if t.to == countersign_entry::record::GrantState::Active);
    let activation = (0..ledger.size()).find(|i| active(ledger.entry(*i).unwrap().2)).unwrap();
    says(ask(&mut ledger, 4, of(activation, &["reason"])), "no field reason that stands");
    says(ask(&mut ledger, 5, of(0, &["origin"])), "of the ledger itself");
    says(ask(&mut ledger, 6, of(9_999, &["artefact"])), "9999");
    says(ask(&mut ledger, 7, of(spilt, &[])), "name the fields");
    let one = Redact { approvers: vec![principal("approver1")], ..of(spilt, &["artefact"]) };
    says(ask(&mut ledger, 8, one), "two approvers are needed");
    let own = (0..ledger.size()).find(|i| matches!(ledger.entry(*i).unwrap().2, Record::GrantTransition(_))).unwrap();
    let actor = ledger.entry(own).unwrap().1.actor;
    assert_eq!(actor, principal("approver1").as_str());
    let request = (0..ledger.size()).find(|i| matches!(ledger.entry(*i).unwrap().2, Record::GrantRequest(_))).unwrap();
    says(ask(&mut ledger, 9, of(own, &["reason"])), "an approver is the one who asked");
    let hold = LegalHold {
        id: RecordId::new("H-1").unwrap(),
        scope: HoldScope::Person("P-ada1".parse().unwrap()),
        authority: Line::new("inspector general, case 12").unwrap(),
        from: ledger.now(),
        until: None,
        supersedes: None,
    };
    let held = record(&mut ledger, "ethics", "hold", hold.clone()).unwrap().index;
    says(ask(&mut ledger, 10, of(spilt, &["artefact"])), "legal hold H-1 stands");
    let ended = LegalHold { until: Some(ledger.now()), supersedes: Some(LeafIndex(held)), ..hold };
    record(&mut ledger, "ethics", "hold-ends", ended).unwrap();
    let Record::Redaction(raw) = ledger.redaction_request(&of(spilt, &["artefact"])).unwrap() else { panic!("a redaction") };
    says(record(&mut ledger, "founder", "raw", Redaction { ..raw }), "and by nothing else");

    assert_eq!(ledger.read_only(), None);
    assert_eq!(artefact(&ledger, spilt).0.as_deref(), Some(SPILT));
    redact(&mut ledger, "yes", &of(request, &["duty"])).unwrap();
    drop(ledger);
    let ledger = world.open(Access::Write).unwrap();
    assert!(matches!(ledger.entry(request).unwrap().2, Record::GrantRequest(GrantRequest { duty, .. }) if duty.as_str() == REDACTED));
    verified(&ledger);
}

/// Wherever it stops, the next start finds either a ledger that was never asked, or one without the words; and what it records then replays.
#[test]
fn a_stop_at_any_step_leaves_the_words_or_takes_them() {
    for step in [Step::StageRewrite, Step::Stage, Step::Seal, Step::Register, Step::CarryOut] {
        for fault in [Fault::Fail, Fault::Full, Fault::FailPersisted, Fault::CrashBefore, Fault::CrashTorn, Fault::CrashAfter] {
            let what = format!("{step:?} × {fault:?}");
            let (world, mut ledger, spilt) = spilt();
            let size = ledger.size();
            world.disk.arm(step, 0, fault);
            let answer = redact(&mut ledger, "redact-1", &of(spilt, &["artefact"]));
            drop(ledger);
            world.disk.restart();
            let mut ledger = world.open(Access::Write).unwrap_or_else(|e| panic!("{what}: {e}"));
            if ledger.read_only().is_some_and(|why| why.contains("something was erased")) {
                drop(ledger);
                ledger = world.open(Access::Write).unwrap();
            }
            assert_eq!(ledger.read_only(), None, "{what}");
            let recorded = ledger.size() > size;
            assert!(recorded || answer.is_err(), "{what}");
            assert_eq!(artefact(&ledger, spilt).0.as_deref(), Some(if recorded { REDACTED } else { SPILT }), "{what}");
            verified(&ledger);
            if !recorded {
                // Asked again, it is done.
                redact(&mut ledger, "redact-1", &of(spilt, &["artefact"])).unwrap_or_else(|e| panic!("{what}: {e}"));
                drop(ledger);
                ledger = world.open(Access::Write).unwrap();
            }
            assert_eq!(artefact(&ledger, spilt).0.as_deref(), Some(REDACTED), "{what}");
            verified(&ledger);
        }
    }
}
