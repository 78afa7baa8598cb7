//! Officers' own keys: what has to be signed, by whom, and what a signature is good for.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use countersign_conflict::officers::{By, SignatureFault};
use countersign_conflict::{Facts, Refusal};
use countersign_entry::ids::{Hash32, LeafIndex, PrincipalId};
use countersign_entry::record::*;
use countersign_entry::time::Micros;
use countersign_testing::forge::signing;
use countersign_testing::ledger::{cast, policy, principal};
use countersign_testing::officers::{approvals, enrolment, revocation, sign};
use countersign_testing::scene::text;
use serde_bytes::ByteBuf;

const ORIGIN: &str = "ledger.example/officers";

/// Facts and a clock; everything is asked by the founder, who is an operator.
#[derive(Clone)]
struct Ledger {
    facts: Facts,
    at: Micros,
    next: u64,
}

impl Ledger {
    fn new(origin: &str) -> Self {
        let mut ledger = Self { facts: Facts::default(), at: Micros::EPOCH.plus(1), next: 0 };
        ledger.force(Genesis { origin: text(origin), format: 1, keys: vec![] });
        cast().into_iter().for_each(|record| ledger.force(record));
        ledger
    }

    /// One whose two approvers have keys.
    fn with_officers(origin: &str) -> Self {
        let mut ledger = Self::new(origin);
        for who in approvers() {
            ledger.ask("enroll", enrolment(&who, &signing(who.as_str()), &approvers()), None).unwrap();
        }
        ledger
    }

    fn force(&mut self, record: impl Into<Record>) {
        self.facts.apply(LeafIndex(self.next), self.at, &principal("founder"), &record.into());
        (self.next, self.at) = (self.next + 1, self.at.plus(1));
    }

    fn ask_as(&mut self, actor: &str, key: &str, record: impl Into<Record>, signed: Option<&[u8]>) -> Result<(), Refusal> {
        let actor = principal(actor);
        let decided = self.facts.decide(By { actor: &actor, request: key, signed, redacted: false }, self.at, record.into())?;
        self.facts.apply(LeafIndex(self.next), self.at, &actor, &decided);
        (self.next, self.at) = (self.next + 1, self.at.plus(1));
        Ok(())
    }

    fn ask(&mut self, key: &str, record: impl Into<Record>, signed: Option<&[u8]>) -> Result<(), Refusal> {
        self.ask_as("founder", key, record, signed)
    }
}

fn approvers() -> Vec<PrincipalId> {
    ["approver1", "approver2"].map(principal).to_vec()
}

/// The signing keys themselves are the ledger's to check, so any text does here.
fn rotated() -> KeyRotated {
    KeyRotated {
        old: text("old"),
        new: text("new"),
        old_signature: vec![1],
        new_signature: vec![2],
        both_until: 0,
        reason: text("yearly"),
        attestation: None,
        approvers: approvers(),
        approvals: vec![],
    }
}

fn signed(origin: &str, key: &str, record: KeyRotated) -> KeyRotated {
    let signatures = approvals(origin, &principal("founder"), key, record.clone(), &record.approvers);
    KeyRotated { approvals: signatures.into_iter().map(ByteBuf::from).collect(), ..record }
}

#[track_caller]
fn refused(answer: Result<(), Refusal>, wanted: fn(&SignatureFault) -> bool) {
    assert!(matches!(&answer, Err(Refusal::Signature(fault)) if wanted(fault)), "{answer:?}");
}

#[test]
fn keys_change_by_signed_approvals_outside_throw_away_ledgers() {
    let mut ledger = Ledger::with_officers(ORIGIN);
    refused(ledger.ask("r1", rotated(), None), |f| *f == SignatureFault::ApprovalsMissing);
    let revoked = KeyRevoked {
        vkey: text("old"),
        last_size: 1,
        by: text("new"),
        signature: vec![],
        reason: text("x"),
        approvers: approvers(),
        approvals: vec![],
    };
    refused(ledger.ask("r2", revoked, None), |f| *f == SignatureFault::ApprovalsMissing);
    let lost = KeyLossDeclared { first: 1, head: vec![], reason: text("x"), approvers: approvers(), approvals: vec![] };
    refused(ledger.ask("r3", lost, None), |f| *f == SignatureFault::ApprovalsMissing);
    let destroyed = DataKeyDestroyed { key_id: 1, authority: text("x"), approvers: approvers(), approvals: vec![] };
    refused(ledger.ask("r4", destroyed, None), |f| *f == SignatureFault::ApprovalsMissing);
    let redaction = Redaction {
        target: LeafIndex(0),
        fields: vec!["name".into()],
        key_id: 1,
        authority: text("x"),
        approvers: approvers(),
        resealed_hash: Hash32([1; 32]),
        approvals: vec![],
    };
    refused(ledger.ask("r5", redaction.clone(), None), |f| *f == SignatureFault::ApprovalsMissing);
    let signatures = approvals(ORIGIN, &principal("founder"), "r5", redaction.clone(), &redaction.approvers);
    // Which key seals the target and what the rewritten record hashes to, the ledger fills in.
    let filled = Redaction {
        key_id: 7,
        resealed_hash: Hash32([2; 32]),
        approvals: signatures.into_iter().map(ByteBuf::from).collect(),
        ..redaction
    };
    refused(ledger.ask("r5", Redaction { target: LeafIndex(1), ..filled.clone() }, None), |f| matches!(f, SignatureFault::Wrong(_)));
    ledger.ask("r5", filled, None).unwrap();
    ledger.ask("r1", signed(ORIGIN, "r1", rotated()), None).unwrap();

    let software = "ledger.example/officers/software";
    let mut throw_away = Ledger::new(software);
    throw_away.ask("r1", rotated(), None).unwrap();
    // What is signed there has to hold all the same.
    refused(throw_away.ask("r2", signed(software, "r2", rotated()), None), |f| matches!(f, SignatureFault::Key(_)));
    // Before genesis says otherwise, nothing is a throw-away ledger.
    let bare = Facts::default();
    let actor = principal("founder");
    assert!(bare.officers().check(By { actor: &actor, request: "r", signed: None, redacted: false }, &rotated().into()).is_err());
}

#[test]
fn a_stolen_approval_is_good_for_nothing_else() {
    let mut ledger = Ledger::with_officers(ORIGIN);
    let good = signed(ORIGIN, "r1", rotated());
    let stolen = |record: KeyRotated| KeyRotated { approvals: good.approvals.clone(), ..record };
    let wrong = |f: &SignatureFault| matches!(f, SignatureFault::Wrong(_));
    for changed in [
        KeyRotated { new: text("another"), ..rotated() },
        KeyRotated { old: text("another"), ..rotated() },
        KeyRotated { both_until: 1, ..rotated() },
        KeyRotated { reason: text("another"), ..rotated() },
    ] {
        refused(ledger.ask("r1", stolen(changed), None), wrong);
    }
    refused(ledger.ask("r2", good.clone(), None), wrong);
    let mut other = Ledger::with_officers("ledger.example/another");
    refused(other.ask("r1", good.clone(), None), wrong);
    // Another operator with the same approvals.
    ledger.force(Principal { roles: vec![Role::Operator], ..of(&ledger, "officer") });
    refused(ledger.ask_as("officer", "r1", good.clone(), None), wrong);
    // What the ledger fills in is not the approvers' to sign.
    let filled = KeyRotated { old_signature: vec![9], new_signature: vec![9], attestation: Some(1.into()), ..good };
    ledger.ask("r1", filled, None).unwrap();
}

fn of(ledger: &Ledger, who: &str) -> Principal {
    ledger.facts.principal(&principal(who)).unwrap().record.clone()
}

#[test]
fn each_approver_signs_with_their_own_key() {
    let mut ledger = Ledger::with_officers(ORIGIN);
    let good = signed(ORIGIN, "r", rotated());
    let [one, two] = [&good.approvals[0], &good.approvals[1]];
    let with = |list: &[&ByteBuf]| KeyRotated { approvals: list.iter().map(|a| (*a).clone()).collect(), ..rotated() };
    refused(ledger.ask("r", with(&[one]), None), |f| *f == SignatureFault::Count { found: 1, approvers: 2 });
    refused(ledger.ask("r", with(&[two, one]), None), |f| matches!(f, SignatureFault::Key(_)));
    refused(ledger.ask("r", with(&[one, one]), None), |f| matches!(f, SignatureFault::Key(_)));
    refused(ledger.ask("r", with(&[one, two, one]), None), |f| matches!(f, SignatureFault::Count { .. }));
    refused(ledger.ask("r", with(&[one, &ByteBuf::from(b"yes".to_vec())]), None), |f| matches!(f, SignatureFault::Form(_)));
    for bit in (0..one.len() * 8).step_by(7) {
        let mut bent = (*one).clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        assert!(ledger.ask("r", with(&[&bent, two]), None).is_err(), "bit {bit}");
    }
    ledger.ask("r", with(&[one, two]), None).unwrap();
}

#[test]
fn a_key_is_one_officers_from_its_enrolment_to_its_end() {
    let mut ledger = Ledger::with_officers(ORIGIN);
    let [one, two] = [principal("approver1"), principal("approver2")];
    let by = |key: &str, record: Record| -> Record {
        let signatures: Vec<ByteBuf> =
            approvals(ORIGIN, &principal("founder"), key, record.clone(), &approvers()).into_iter().map(ByteBuf::from).collect();
        match record {
            Record::OfficerEnrolled(r) => OfficerEnrolled { approvals: signatures, ..r }.into(),
            Record::OfficerRevoked(r) => OfficerRevoked { approvals: signatures, ..r }.into(),
            other => other,
        }
    };
    // Once two approvers have keys, the operator's word is not enough.
    let third = enrolment(&principal("officer"), &signing("third"), &approvers());
    refused(ledger.ask("e", third.clone(), None), |f| *f == SignatureFault::ApprovalsMissing);
    ledger.ask("e", by("e", third.clone().into()), None).unwrap();
    refused(ledger.ask("e2", by("e2", third.into()), None), |f| matches!(f, SignatureFault::Enrolled(_)));
    let anothers = enrolment(&principal("ethics"), &signing("third"), &approvers());
    refused(ledger.ask("e3", by("e3", anothers.into()), None), |f| matches!(f, SignatureFault::Enrolled(_)));
    let nobody = enrolment(&text("pr-nobody"), &signing("fourth"), &approvers());
    assert!(matches!(ledger.ask("e4", by("e4", nobody.into()), None), Err(Refusal::Unknown { .. })));
    let gateway = enrolment(&principal("gateway"), &signing("fourth"), &approvers());
    assert!(matches!(ledger.ask("e5", by("e5", gateway.into()), None), Err(Refusal::Unknown { .. })));
    let unsound = OfficerEnrolled { key: vec![0x30; 44], ..enrolment(&principal("ethics"), &signing("fourth"), &approvers()) };
    refused(ledger.ask("e6", by("e6", unsound.into()), None), |f| matches!(f, SignatureFault::Unsound(_)));
    // It ends by the same hands, for its own officer, and never comes back.
    let of_another = revocation(&one, &signing("third"), &approvers());
    refused(ledger.ask("v1", by("v1", of_another.into()), None), |f| matches!(f, SignatureFault::NotEnrolled(_)));
    let end = revocation(&two, &signing(two.as_str()), &approvers());
    refused(ledger.ask("v2", end.clone(), None), |f| *f == SignatureFault::ApprovalsMissing);
    let signed_before = signed(ORIGIN, "r", rotated());
    ledger.ask("v2", by("v2", end.clone().into()), None).unwrap();
    refused(ledger.ask("r", signed_before, None), |f| matches!(f, SignatureFault::Key(_)));
    assert_eq!(ledger.facts.officers().keys().iter().filter(|k| k.until.is_some()).count(), 1);
    // One approver with a key is too few to sign, so the operator's word has to do again; the old key stays dead.
    let again = enrolment(&two, &signing(two.as_str()), &approvers());
    refused(ledger.ask("e7", again, None), |f| matches!(f, SignatureFault::Enrolled(_)));
    ledger.ask("e8", enrolment(&two, &signing("new card"), &approvers()), None).unwrap();
}

#[test]
fn officers_that_nobody_names_as_approvers_do_not_shut_the_door() {
    let mut ledger = Ledger::new(ORIGIN);
    for who in ["officer", "ethics", "approver1", "approver2"] {
        ledger.ask(who, enrolment(&principal(who), &signing(who), &approvers()), None).unwrap();
    }
    refused(ledger.ask("more", enrolment(&principal("founder"), &signing("more"), &approvers()), None), |f| {
        *f == SignatureFault::ApprovalsMissing
    });
}

/// The signature of whoever asks.
fn own(key: &str, actor: &str, request: &str, record: impl Into<Record>) -> Vec<u8> {
    sign(&signing(key), &record.into().canonical_request(ORIGIN, principal(actor).as_str(), request).unwrap())
}

#[test]
fn policy_demands_signatures_on_what_lets_somebody_in() {
    let mut ledger = Ledger::with_officers(ORIGIN);
    let list = || List {
        id: text("watch"),
        kind: ListKind::Watch,
        name: text("Watch"),
        authority: None,
        binds: None,
        supersedes: None,
        approvals: vec![],
    };
    ledger.force(enrolment(&principal("ethics"), &signing("ethics card"), &approvers()));
    // Nobody asks for it yet; what is signed has to hold.
    refused(ledger.ask_as("ethics", "l0", list(), Some(&own("ethics card", "ethics", "l1", list()))), |f| {
        matches!(f, SignatureFault::Wrong(_))
    });
    refused(ledger.ask_as("ethics", "l0", list(), Some(&own("approver1", "ethics", "l0", list()))), |f| {
        matches!(f, SignatureFault::Key(_))
    });
    ledger.ask_as("ethics", "l0", list(), None).unwrap();
    ledger.force(Policy { version: 2, signatures_required: vec![SignedType::ListItem, SignedType::GrantTransition], ..policy() });
    let item = ListItem {
        id: text("i"),
        list: text("watch"),
        subject: text("provider:lab"),
        from: Micros::EPOCH,
        until: None,
        reason: text("x"),
        supersedes: None,
        approvals: vec![],
    };
    ledger.force(Provider { id: text("lab"), name: text("Lab"), supersedes: None });
    refused(ledger.ask_as("ethics", "l1", item.clone(), None), |f| *f == SignatureFault::Unsigned("list.item"));
    ledger.ask_as("ethics", "l1", item.clone(), Some(&own("ethics card", "ethics", "l1", item))).unwrap();
    ledger.ask_as("ethics", "l2", List { id: text("other"), ..list() }, None).unwrap();
}

#[test]
fn policy_demands_a_second_person_for_lists() {
    let mut ledger = Ledger::with_officers(ORIGIN);
    let list = || List {
        id: text("watch"),
        kind: ListKind::Watch,
        name: text("Watch"),
        authority: None,
        binds: None,
        supersedes: None,
        approvals: vec![],
    };
    for card in ["ethics", "ethics2"] {
        ledger.force(enrolment(&principal(card), &signing(card), &approvers()));
    }
    let (id, name) = (text("P-ethics2"), text("Somebody"));
    ledger.force(Person { id, name, status: PersonStatus::Civilian, organization: text("agency"), supersedes: None });
    let second = |id: &str, person: &str| Principal {
        id: principal(id),
        person: Some(text(person)),
        roles: vec![Role::EthicsOfficer],
        os_user: None,
        disabled: false,
        supersedes: None,
    };
    ledger.force(second("ethics2", "P-ethics2"));
    ledger.force(Policy { version: 2, signatures_required: vec![SignedType::ListApproval], ..policy() });
    let signed_by = |cards: &[&str], request: &str| {
        let approvals = cards.iter().map(|card| own(card, "ethics", request, list()).into()).collect();
        List { approvals, ..list() }
    };
    refused(ledger.ask_as("ethics", "l1", list(), None), |f| *f == SignatureFault::Alone);
    // The one who asks; an approver, who may not know of a watch list; the same person twice; and one whose account is disabled.
    for cards in [&["ethics"][..], &["pr-approver1"], &["ethics2", "ethics2"]] {
        refused(ledger.ask_as("ethics", "l1", signed_by(cards, "l1"), None), |f| *f == SignatureFault::Second);
    }
    refused(ledger.ask_as("ethics", "l1", signed_by(&["ethics2"], "l2"), None), |f| matches!(f, SignatureFault::Wrong(_)));
    refused(ledger.ask_as("ethics", "l1", signed_by(&["nobody's"], "l1"), None), |f| *f == SignatureFault::Second);
    let mut other = ledger.clone();
    other.force(Principal { disabled: true, ..second("ethics2", "P-ethics2") });
    refused(other.ask_as("ethics", "l1", signed_by(&["ethics2"], "l1"), None), |f| *f == SignatureFault::Second);
    ledger.ask_as("ethics", "l1", signed_by(&["ethics2"], "l1"), None).unwrap();
}
