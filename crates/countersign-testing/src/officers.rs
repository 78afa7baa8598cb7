//! Officers of test ledgers, whose keys are no secret, and what they sign.

use countersign_entry::cose::{EDDSA, Sign1, protected, to_be_signed};
use countersign_entry::ids::{Line, PrincipalId};
use countersign_entry::record::{OfficerEnrolled, OfficerRevoked, Record};
use countersign_ledger::{Ledger, Request};
use countersign_log::spki;
use countersign_log::vkey::PublicKey;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_bytes::ByteBuf;

use crate::forge::signing;
use crate::ledger::principal;

/// The public half of a key, as SubjectPublicKeyInfo.
pub fn public(key: &SigningKey) -> Vec<u8> {
    let sound = countersign_log::ed25519::PublicKey::from_bytes(key.verifying_key().as_bytes()).unwrap();
    PublicKey::Ed25519(sound).to_spki()
}

/// A detached signature over a canonical request.
pub fn sign(key: &SigningKey, request: &[u8]) -> Vec<u8> {
    let protected = protected(EDDSA, &spki::key_id(&public(key)));
    let signature = key.sign(&to_be_signed(&protected, request)).to_bytes().to_vec();
    Sign1 { protected, payload: None, signature }.encode()
}

/// The enrolment of an account's key.
pub fn enrolment(who: &PrincipalId, key: &SigningKey, approvers: &[PrincipalId]) -> OfficerEnrolled {
    let (reason, key) = (Line::new("hired").unwrap(), public(key));
    OfficerEnrolled { principal: who.clone(), key, reason, approvers: approvers.to_vec(), approvals: Vec::new() }
}

/// Its end.
pub fn revocation(who: &PrincipalId, key: &SigningKey, approvers: &[PrincipalId]) -> OfficerRevoked {
    let (reason, key) = (Line::new("card lost").unwrap(), public(key));
    OfficerRevoked { principal: who.clone(), key, reason, approvers: approvers.to_vec(), approvals: Vec::new() }
}

/// Enrols keys for `approver1` and `approver2` of a test ledger, on the founder's word: nobody is there to sign yet.
pub fn enroll_approvers(ledger: &mut Ledger) {
    let approvers = ["approver1", "approver2"].map(principal);
    for (who, n) in approvers.iter().zip(1..) {
        let record = enrolment(who, &signing(who.as_str()), &approvers).into();
        let key = format!("enroll-{n}").parse().unwrap();
        ledger.append(Request { actor: principal("founder"), key, record, signed: None }).unwrap();
    }
}

/// What these accounts sign of a request, with the keys of their names.
pub fn approvals(origin: &str, actor: &PrincipalId, key: &str, record: impl Into<Record>, approvers: &[PrincipalId]) -> Vec<Vec<u8>> {
    let request = record.into().canonical_request(origin, actor.as_str(), key).unwrap();
    approvers.iter().map(|who| sign(&signing(who.as_str()), &request)).collect()
}

/// The enrolment with what its approvers sign of it, with the keys of their names.
pub fn approved(origin: &str, actor: &PrincipalId, key: &str, record: OfficerEnrolled) -> OfficerEnrolled {
    let signatures = approvals(origin, actor, key, record.clone(), &record.approvers);
    OfficerEnrolled { approvals: signatures.into_iter().map(ByteBuf::from).collect(), ..record }
}
