//! Break-glass: who may have a voucher made for whom, what it is good for, and what follows its use.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use countersign_conflict::emergency::{GOOD_AT_ONCE_MAX, GOOD_FOR_MAX, TOLD_WITHIN};
use countersign_conflict::officers::{By, SignatureFault};
use countersign_conflict::{CaseState, Facts, Refusal, rules};
use countersign_entry::ids::LeafIndex;
use countersign_entry::record::*;
use countersign_entry::time::{DAY, Micros};
use countersign_testing::ledger::{cast, principal};
use countersign_testing::scene::text;

const HOUR: u64 = DAY / 24;

/// Facts, a clock, and one active grant of P-ada1, recorded by whoever a test says.
#[derive(Clone)]
struct Ledger {
    facts: Facts,
    at: Micros,
    next: u64,
    grant: LeafIndex,
}

impl Ledger {
    fn new(origin: &str) -> Self {
        let mut ledger = Self { facts: Facts::default(), at: text("2026-06-01T09:00:00Z"), next: 0, grant: LeafIndex(0) };
        ledger.force(Genesis { origin: text(origin), format: 1, keys: vec![] });
        for record in cast() {
            ledger.force(record);
        }
        let request = GrantRequest {
            person: text("P-ada1"),
            submission: text("S-0001"),
            duty: text("Evaluate"),
            needs_participation: false,
            expires_at: ledger.at.plus(60 * DAY),
            reference: None,
            assessment: None,
            result: Some(GrantState::Approved),
        };
        ledger.grant = ledger.force(request);
        ledger.move_to(GrantState::Active);
        ledger
    }

    fn force(&mut self, record: impl Into<Record>) -> LeafIndex {
        let index = LeafIndex(self.next);
        self.facts.apply(index, self.at, &principal("officer"), &record.into());
        (self.next, self.at) = (self.next + 1, self.at.plus(1));
        index
    }

    fn move_to(&mut self, to: GrantState) {
        let moved = GrantTransition { grant: self.grant, to, cause: None, reason: None, assessment: None, result: Some(to) };
        self.force(moved);
    }

    fn ask(&mut self, actor: &str, record: impl Into<Record>) -> Result<LeafIndex, Refusal> {
        let actor = principal(actor);
        let decided = self.facts.decide(By { actor: &actor, request: "k", signed: None, redacted: false }, self.at, record.into())?;
        let index = LeafIndex(self.next);
        self.facts.apply(index, self.at, &actor, &decided);
        (self.next, self.at) = (self.next + 1, self.at.plus(1));
        Ok(index)
    }

    fn voucher(&self) -> EmergencyVoucher {
        EmergencyVoucher {
            grant: self.grant,
            expires_at: self.at.plus(DAY),
            reason: text("Red-team week"),
            approvers: ["approver1", "approver2"].map(principal).to_vec(),
            approvals: vec![],
        }
    }

    fn used(&self, voucher: LeafIndex) -> EmergencyUse {
        EmergencyUse {
            voucher,
            used_at: self.at,
            reason: text("The token was away"),
            approvers: vec![principal("approver1")],
            approvals: vec![],
        }
    }

    fn good(&self, voucher: LeafIndex) -> bool {
        self.facts.voucher_is_good(self.facts.voucher(voucher).unwrap(), self.at)
    }

    /// Opens the case that waits.
    fn open_case(&mut self) -> LeafIndex {
        self.at = self.at.plus(2 * HOUR);
        let Some(Record::CaseOpened(case)) = self.facts.due(self.at) else { panic!("no case is due") };
        assert_eq!(case.rule.as_str(), rules::EMERGENCY);
        self.force(case)
    }
}

fn invalid(answer: Result<LeafIndex, Refusal>) -> bool {
    matches!(answer, Err(Refusal::Invalid(_)))
}

#[test]
fn a_voucher_is_made_by_three_people_of_whom_none_is_the_one_it_is_for() {
    let ledger = Ledger::new("ledger.example/t/software");
    let ask = |actor: &str, change: &dyn Fn(&mut EmergencyVoucher)| {
        let (mut copy, mut voucher) = (ledger.clone(), ledger.voucher());
        change(&mut voucher);
        copy.ask(actor, voucher)
    };
    assert!(ask("officer", &|_| {}).is_ok());
    assert!(matches!(ask("gateway", &|_| {}), Err(Refusal::Role { .. })));
    assert!(matches!(ask("ethics", &|_| {}), Err(Refusal::Role { .. })));
    assert!(invalid(ask("officer", &|v| drop(v.approvers.pop()))), "one approver");
    assert!(invalid(ask("officer", &|v| v.approvers = vec![principal("approver1"); 2])), "the same approver twice");
    assert!(invalid(ask("officer", &|v| v.approvers = ["approver1", "officer"].map(principal).to_vec())), "the one who asks");
    assert!(invalid(ask("officer", &|v| v.approvers = ["approver1", "ethics"].map(principal).to_vec())), "no approver");
    assert!(matches!(ask("officer", &|v| v.grant = LeafIndex(1)), Err(Refusal::Unknown { .. })));
    assert!(invalid(ask("officer", &|v| v.expires_at = ledger.at)), "over already");
    assert!(invalid(ask("officer", &|v| v.expires_at = ledger.at.plus(GOOD_FOR_MAX + 1))), "too long");
    // The one it is for has a hand in it.
    let mut own = ledger.clone();
    let approver = Principal {
        id: principal("approver3"),
        person: Some(text("P-ada1")),
        roles: vec![Role::Approver],
        os_user: None,
        disabled: false,
        supersedes: None,
    };
    own.force(approver);
    let voucher = EmergencyVoucher { approvers: ["approver1", "approver3"].map(principal).to_vec(), ..own.voucher() };
    assert!(invalid(own.ask("officer", voucher)));
}

#[test]
fn a_voucher_ends_with_its_grant_and_no_more_than_a_few_are_good_at_once() {
    let mut ledger = Ledger::new("ledger.example/t/software");
    let voucher = ledger.voucher();
    let first = ledger.ask("officer", voucher).unwrap();
    for _ in 1..GOOD_AT_ONCE_MAX {
        let voucher = ledger.voucher();
        ledger.ask("officer", voucher).unwrap();
    }
    let voucher = ledger.voucher();
    assert!(invalid(ledger.ask("officer", voucher)));
    assert!(ledger.good(first));
    let mut later = ledger.clone();
    later.at = later.at.plus(DAY);
    assert!(!later.good(first), "its own end");
    // A recusal suspends the grant: what stands against somebody is lifted by no voucher.
    ledger.move_to(GrantState::Suspended);
    assert!(!ledger.good(first));
    let voucher = ledger.voucher();
    assert!(invalid(ledger.ask("officer", voucher)), "the grant is not active");
}

#[test]
fn a_use_becomes_a_case_and_there_is_no_new_voucher_until_it_is_closed() {
    let mut ledger = Ledger::new("ledger.example/t/software");
    let voucher = ledger.voucher();
    let voucher = ledger.ask("officer", voucher).unwrap();
    let used = ledger.used(voucher);
    assert!(invalid(ledger.clone().ask("officer", EmergencyUse { approvers: vec![], ..used.clone() })), "alone");
    assert!(invalid(ledger.clone().ask("officer", EmergencyUse { approvers: vec![principal("officer")], ..used.clone() })));
    assert!(invalid(ledger.clone().ask("officer", EmergencyUse { used_at: ledger.at.plus(1), ..used.clone() })), "not yet");
    assert!(matches!(ledger.clone().ask("officer", EmergencyUse { voucher: ledger.grant, ..used.clone() }), Err(Refusal::Unknown { .. })));
    let told = ledger.ask("officer", used.clone()).unwrap();
    assert!(!ledger.good(voucher), "it was good for one");
    let next = ledger.voucher();
    assert!(invalid(ledger.ask("officer", next.clone())), "before its case is even open");
    let case = ledger.open_case();
    let opened = ledger.facts.case_at(case).unwrap();
    assert_eq!((opened.person.as_str(), &opened.evidence), ("P-ada1", &vec![told, voucher, ledger.grant]));
    let next = EmergencyVoucher { expires_at: ledger.at.plus(DAY), ..next };
    assert!(invalid(ledger.ask("officer", next.clone())), "nobody looked at it");
    for (step, by) in [(CaseStep::Dispose, "ethics"), (CaseStep::Approve, "ethics2")] {
        let disposition = (step == CaseStep::Dispose).then_some(Disposition::NoViolation);
        let step = CaseEvent { case, step, disposition, text: text("Looked at"), evidence: vec![], document_hash: None };
        let actor = principal(by);
        ledger.facts.apply(LeafIndex(ledger.next), ledger.at, &actor, &step.into());
        ledger.next += 1;
    }
    assert_eq!(ledger.facts.case_file(case).unwrap().state, CaseState::Closed);
    assert!(ledger.ask("officer", next).is_ok());
    // The same voucher once more: it happened, so it is told, and looked at.
    assert!(ledger.ask("officer", EmergencyUse { used_at: ledger.at, ..used }).is_ok());
    ledger.open_case();
}

#[test]
fn what_is_told_too_late_ends_every_voucher() {
    let mut ledger = Ledger::new("ledger.example/t/software");
    let (one, other) = (ledger.voucher(), ledger.voucher());
    let one = ledger.ask("officer", one).unwrap();
    let other = ledger.ask("officer", EmergencyVoucher { expires_at: other.expires_at.plus(9 * DAY), ..other }).unwrap();
    let used = ledger.used(one);
    let mut in_time = ledger.clone();
    in_time.at = used.used_at.plus(TOLD_WITHIN);
    in_time.ask("officer", used.clone()).unwrap();
    assert!(in_time.good(other));
    ledger.at = used.used_at.plus(TOLD_WITHIN + 1);
    ledger.ask("officer", used).unwrap();
    assert!(!ledger.good(other));
}

#[test]
fn outside_of_throw_away_ledgers_everybody_signs() {
    let mut ledger = Ledger::new("ledger.example/real");
    let voucher = ledger.voucher();
    assert!(matches!(ledger.ask("officer", voucher), Err(Refusal::Signature(SignatureFault::ApprovalsMissing))));
    let voucher = ledger.voucher();
    let voucher = ledger.force(voucher);
    let used = ledger.used(voucher);
    assert!(matches!(ledger.ask("officer", used), Err(Refusal::Signature(SignatureFault::ApprovalsMissing))));
}
