//! Whoever asks signs what lets somebody in, where policy demands it: the writer, a start from a snapshot, replay and the verifier see the same.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a panic is a failed test")]

use countersign_conflict::Refusal;
use countersign_conflict::officers::SignatureFault;
use countersign_entry::record::{GrantState, Policy, Record, SignedType};
use countersign_ledger::{Access, AppendError, Ledger, Receipt, Request};
use countersign_testing::forge::signing;
use countersign_testing::ledger::{ORIGIN, World, access, grant_request, policy, principal, record, stage_set, transition, verified};
use countersign_testing::officers::{approved, enroll_approvers, enrolment, sign};

const DAY: u64 = 86_400_000_000;

/// Asks, with the signature of whoever asks by the key of their name.
fn signed(ledger: &mut Ledger, who: &str, key: &str, record: impl Into<Record>) -> Result<Receipt, AppendError> {
    let (record, actor) = (record.into(), principal(who));
    let request = record.canonical_request(ORIGIN, actor.as_str(), key).unwrap();
    let signed = Some(sign(&signing(actor.as_str()), &request));
    ledger.append(Request { actor, key: key.parse().unwrap(), record, signed })
}

#[track_caller]
fn unsigned(answer: Result<Receipt, AppendError>, kind: &str) {
    assert!(matches!(&answer, Err(AppendError::Refused(Refusal::Signature(SignatureFault::Unsigned(k)))) if *k == kind), "{answer:?}");
}

#[test]
fn a_policy_that_demands_signatures_is_kept_from_asking_to_verifying() {
    let (mut world, ledger) = World::start();
    // A snapshot every few entries, so that a start goes on from facts that were kept.
    world.kept = Some((16, 4));
    drop(ledger);
    let mut ledger = world.open(Access::Write).unwrap();
    let submission = stage_set(&mut ledger);
    enroll_approvers(&mut ledger);
    let both = ["approver1", "approver2"].map(principal);
    let officer = enrolment(&principal("officer"), &signing(principal("officer").as_str()), &both);
    let refused = record(&mut ledger, "founder", "officer", officer.clone());
    assert!(matches!(refused, Err(AppendError::Refused(Refusal::Signature(SignatureFault::ApprovalsMissing)))), "{refused:?}");
    let officer = approved(ORIGIN, &principal("founder"), "officer", officer);
    record(&mut ledger, "founder", "officer", officer).unwrap();
    let known = ledger.facts().policy(ledger.now()).unwrap().index;
    let signatures_required = vec![SignedType::GrantRequest, SignedType::GrantTransition];
    record(&mut ledger, "founder", "policy", Policy { version: 2, signatures_required, supersedes: Some(known), ..policy() }).unwrap();

    let asked = grant_request("ada1", &submission, ledger.now().plus(5 * DAY));
    unsigned(record(&mut ledger, "officer", "g", asked.clone()), "grant.request");
    let grant = signed(&mut ledger, "officer", "g", asked.clone()).unwrap();
    // The same request again, signed or not, is the same request.
    assert_eq!(signed(&mut ledger, "officer", "g", asked.clone()).unwrap().index, grant.index);
    assert_eq!(record(&mut ledger, "officer", "g", asked).unwrap().index, grant.index);
    let grant = grant.index;
    unsigned(record(&mut ledger, "approver1", "a1", transition(grant, GrantState::Approved)), "grant.transition");
    signed(&mut ledger, "approver1", "a1", transition(grant, GrantState::Approved)).unwrap();
    drop(ledger);
    let mut ledger = world.open(Access::Write).unwrap();
    unsigned(record(&mut ledger, "approver2", "a2", transition(grant, GrantState::Approved)), "grant.transition");
    signed(&mut ledger, "approver2", "a2", transition(grant, GrantState::Approved)).unwrap();
    signed(&mut ledger, "officer", "on", transition(grant, GrantState::Active)).unwrap();
    let now = ledger.now();
    record(&mut ledger, "gateway", "use", access("ada1", &submission, Some(grant), now)).unwrap();
    // What takes access away waits for no card.
    record(&mut ledger, "officer", "off", transition(grant, GrantState::Suspended)).unwrap();

    let report = verified(&ledger);
    let count = |name: &str| report.checks.iter().find(|c| c.name == name).unwrap().count;
    assert_eq!((count("own-signatures"), count("approvals")), (4, 2), "{report}");
    assert!(
        report.not_checked.iter().any(|line| line.starts_with("who approved 2 entries: approvals asserted by the operator")),
        "{report}"
    );
    drop(ledger);
    let mut ledger = world.open(Access::Write).unwrap();
    assert_eq!(ledger.finish_replay().and_then(|status| status.objection), None);
    assert_eq!(ledger.read_only(), None);
    verified(&ledger);
}
