//! Officers' own keys: whose they are from which entry to which, and whether what officers signed holds (NIST SP 800-53 AU-10; ledger-format section 9).
//!
//! All of it follows from key events, which are public, so that a verifier without data keys comes to the same answer from the same code.

use std::collections::BTreeSet;

use countersign_entry::cose::{self, Sign1};
use countersign_entry::ids::{LeafIndex, Line, PrincipalId};
use countersign_entry::record::{GrantState, Policy, Record, Role, SignedType};
use countersign_entry::time::Micros;
use countersign_log::spki;
use countersign_log::vkey::PublicKey;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::check::Refusal;
use crate::facts::Facts;

/// What the origin of a throw-away ledger ends in (ledger-format section 2).
const SOFTWARE: &str = "/software";
/// How many approvers have to have keys for officers' keys to change by signature alone.
const APPROVERS_MIN: usize = 2;

/// Who asks, under which idempotency key, and their own signature over the request where they made one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By<'a> {
    /// The authenticated principal.
    pub actor: &'a PrincipalId,
    /// The idempotency key.
    pub request: &'a str,
    /// `COSE_Sign1`.
    pub signed: Option<&'a [u8]>,
    /// Fields of the request were redacted since, so what was signed cannot be held against it.
    pub redacted: bool,
}

/// A key that is or was an officer's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficerKey {
    /// Whose.
    pub principal: PrincipalId,
    /// SubjectPublicKeyInfo, DER.
    pub key: ByteBuf,
    /// The entry that enrolled it.
    pub from: LeafIndex,
    /// The entry that revoked it.
    pub until: Option<LeafIndex>,
}

/// Officers' keys as the key events so far tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Officers {
    origin: Option<Line>,
    keys: Vec<OfficerKey>,
    /// Principals that key events named as approvers.
    approvers: BTreeSet<PrincipalId>,
}

/// What is wrong with signatures, or with a key. Nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// Approvers have to sign this.
    #[error(
        "the approvers have to sign this with their own keys: write the request with --draft, have each approver sign it with \
             `countersign officer sign`, and record it with `countersign record signed`"
    )]
    ApprovalsMissing,
    /// Policy asks for the signature of whoever asks.
    #[error(
        "policy takes {0} only with the signature of whoever asks: write the request with --draft, sign it with `countersign officer sign`, \
             and record it with `countersign record signed`"
    )]
    Unsigned(&'static str),
    /// Policy asks for the signature of a second person.
    #[error(
        "policy takes changes of lists only with the signature of a second person of the ethics office, by their own key, over the request"
    )]
    Alone,
    /// A signature of nobody who may sign here, or of the one who asks.
    #[error("whoever signs a change of a list beside the one who asks is another person of the ethics office, and signs once")]
    Second,
    /// Not one signature for each approver.
    #[error("{found} signatures of {approvers} approvers: there is one of each, in the order of the approvers")]
    Count {
        /// Signatures.
        found: usize,
        /// Approvers.
        approvers: usize,
    },
    /// Not a signature in the one form there is.
    #[error("the signature of {0} is not in the form of ledger-format section 9")]
    Form(PrincipalId),
    /// By a key that is not this officer's, or is no longer.
    #[error("the signature of {0} is by a key that is not enrolled for them at this entry")]
    Key(PrincipalId),
    /// Not over this request.
    #[error("the signature of {0} does not hold over this request of this ledger: another one was signed, or it was changed since")]
    Wrong(PrincipalId),
    /// A key that is not sound, or not of a kind that is taken.
    #[error("the officer's key: {0}")]
    Unsound(#[from] spki::SpkiError),
    /// A key that is or was enrolled before.
    #[error("the key was enrolled by entry {0} already, and a key is one officer's for ever")]
    Enrolled(LeafIndex),
    /// A key to revoke that is not this officer's, or is no longer.
    #[error("{0} has no such key that stands")]
    NotEnrolled(PrincipalId),
}

impl Officers {
    /// Every key that is or was enrolled, in order.
    pub fn keys(&self) -> &[OfficerKey] {
        &self.keys
    }

    /// Whose key this is, if it stands, by its id ([`spki::key_id`]).
    pub fn holder(&self, key_id: &[u8; 32]) -> Option<&OfficerKey> {
        self.keys.iter().find(|known| known.until.is_none() && spki::key_id(&known.key) == *key_id)
    }

    /// Holds a record that comes next against the keys that stand: every signature in it, and those that have to be there and are not. Gives the number
    /// of signatures that hold.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self, by: By<'_>, record: &Record) -> Result<usize, SignatureFault> {
        self.check_key(record)?;
        let (approvers, approvals) = approvals(record).unwrap_or_default();
        if approvals.is_empty() && self.must_be_approved(record) {
            return Err(SignatureFault::ApprovalsMissing);
        }
        let seconds = seconds(record);
        if approvals.is_empty() && seconds.is_empty() && by.signed.is_none() {
            return Ok(0);
        }
        if !approvals.is_empty() && approvals.len() != approvers.len() {
            return Err(SignatureFault::Count { found: approvals.len(), approvers: approvers.len() });
        }
        if by.redacted {
            return Ok(0);
        }
        let origin = self.origin.as_ref().map(Line::as_str).unwrap_or_default();
        let wrong = |_| SignatureFault::Form(by.actor.clone());
        let request = record.canonical_request(origin, by.actor.as_str(), by.request).map_err(wrong)?;
        let own = by.signed.map(|signed| (by.actor, signed));
        let signatures = approvers.iter().zip(approvals.iter().map(|a| a.as_slice())).chain(own);
        let mut held = 0;
        for (officer, signature) in signatures {
            self.holds(officer, signature, &request)?;
            held += 1;
        }
        for signature in seconds {
            self.holds(self.signer(signature)?, signature, &request)?;
            held += 1;
        }
        Ok(held)
    }

    /// Whose key a signature names, if it stands: not yet that the signature is by it.
    fn signer(&self, signature: &[u8]) -> Result<&PrincipalId, SignatureFault> {
        let key_id = Sign1::decode(signature).ok().and_then(|sign1| sign1.key_id());
        key_id.and_then(|id| self.holder(&id)).map(|known| &known.principal).ok_or(SignatureFault::Second)
    }

    /// Takes a record in that [`Officers::check`] let pass, now or when it was recorded.
    pub fn take(&mut self, index: LeafIndex, record: &Record) {
        match record {
            Record::Genesis(r) => self.origin = Some(r.origin.clone()),
            Record::OfficerEnrolled(r) => {
                self.keys.push(OfficerKey { principal: r.principal.clone(), key: ByteBuf::from(r.key.clone()), from: index, until: None });
            }
            Record::OfficerRevoked(r) => {
                let mut own = self.keys.iter_mut().filter(|known| known.principal == r.principal && known.until.is_none());
                if let Some(known) = own.find(|known| known.key == r.key) {
                    known.until = Some(index);
                }
            }
            _ => {}
        }
        if let Some((approvers, _)) = approvals(record) {
            self.approvers.extend(approvers.iter().cloned());
        }
    }

    fn check_key(&self, record: &Record) -> Result<(), SignatureFault> {
        match record {
            Record::OfficerEnrolled(r) => {
                PublicKey::from_spki(&r.key)?;
                self.keys.iter().find(|known| known.key == r.key).map_or(Ok(()), |known| Err(SignatureFault::Enrolled(known.from)))
            }
            Record::OfficerRevoked(r) => match self.holder(&spki::key_id(&r.key)) {
                Some(known) if known.principal == r.principal => Ok(()),
                _ => Err(SignatureFault::NotEnrolled(r.principal.clone())),
            },
            _ => Ok(()),
        }
    }

    /// Outside throw-away ledgers the log's keys and data keys change by signed approvals alone. Officers' keys do so from when two approvers have some:
    /// before that, nobody is there to sign, and the operator's word is all there is.
    fn must_be_approved(&self, record: &Record) -> bool {
        match record {
            Record::KeyRotated(_) | Record::KeyRevoked(_) | Record::KeyLossDeclared(_) | Record::DataKeyDestroyed(_) => !self.throw_away(),
            Record::OfficerEnrolled(_) | Record::OfficerRevoked(_) => {
                let can_sign = |who: &&PrincipalId| self.keys.iter().any(|known| known.principal == **who && known.until.is_none());
                self.approvers.iter().filter(can_sign).count() >= APPROVERS_MIN
            }
            _ => false,
        }
    }

    fn throw_away(&self) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.as_str().ends_with(SOFTWARE))
    }

    fn holds(&self, officer: &PrincipalId, signature: &[u8], request: &[u8]) -> Result<(), SignatureFault> {
        let sign1 = Sign1::decode(signature).ok().filter(|sign1| sign1.payload.is_none());
        let sign1 = sign1.ok_or_else(|| SignatureFault::Form(officer.clone()))?;
        let key_id = sign1.key_id().ok_or_else(|| SignatureFault::Form(officer.clone()))?;
        let known = self.holder(&key_id).filter(|known| known.principal == *officer);
        let known = known.ok_or_else(|| SignatureFault::Key(officer.clone()))?;
        let key = PublicKey::from_spki(&known.key)?;
        if sign1.protected != cose::protected(algorithm(&key), &key_id) {
            return Err(SignatureFault::Form(officer.clone()));
        }
        let message = cose::to_be_signed(&sign1.protected, request);
        key.verify_fixed(&message, &sign1.signature).map_err(|_| SignatureFault::Wrong(officer.clone()))
    }
}

/// The COSE algorithm a key signs with.
pub fn algorithm(key: &PublicKey) -> i64 {
    match key {
        PublicKey::Ed25519(_) => cose::EDDSA,
        PublicKey::Ecdsa(_) => cose::ES256,
    }
}

/// The approvers a key event, the end of a data key, a redaction or something of an emergency names, and their signatures.
pub fn approvals(record: &Record) -> Option<(&[PrincipalId], &[ByteBuf])> {
    Some(match record {
        Record::KeyRotated(r) => (&r.approvers, &r.approvals),
        Record::KeyRevoked(r) => (&r.approvers, &r.approvals),
        Record::KeyLossDeclared(r) => (&r.approvers, &r.approvals),
        Record::DataKeyDestroyed(r) => (&r.approvers, &r.approvals),
        Record::Redaction(r) => (&r.approvers, &r.approvals),
        Record::OfficerEnrolled(r) => (&r.approvers, &r.approvals),
        Record::OfficerRevoked(r) => (&r.approvers, &r.approvals),
        Record::EmergencyVoucher(r) => (&r.approvers, &r.approvals),
        Record::EmergencyUse(r) => (&r.approvers, &r.approvals),
        _ => return None,
    })
}

/// The signatures of a second person that a change of a list carries.
pub fn seconds(record: &Record) -> &[ByteBuf] {
    match record {
        Record::List(r) => &r.approvals,
        Record::ListItem(r) => &r.approvals,
        _ => &[],
    }
}

impl Facts {
    /// Officers' keys.
    pub fn officers(&self) -> &Officers {
        &self.officers
    }

    pub(crate) fn check_signatures(&self, by: By<'_>, at: Micros, record: &Record) -> Result<(), Refusal> {
        self.officers.check(by, record)?;
        // The format leaves it to policy whether those who approve a redaction sign it; this program's ledgers always ask for it, and for vouchers too.
        let signed_by_all = matches!(record, Record::Redaction(_) | Record::EmergencyVoucher(_) | Record::EmergencyUse(_));
        if signed_by_all && approvals(record).is_some_and(|(_, signatures)| signatures.is_empty()) && !self.officers.throw_away() {
            return Err(SignatureFault::ApprovalsMissing.into());
        }
        self.check_seconds(by.actor, at, record)?;
        let demanded = by.signed.is_none() && self.demands_signature(at, record);
        if demanded { Err(SignatureFault::Unsigned(record.type_name()).into()) } else { Ok(()) }
    }

    /// A list that decides who may know and trade changes under dual control, where policy says so (NIST SP 800-53 AC-3(2), AC-5): who signs beside the one
    /// who asks is another person, and of the ethics office, since nobody else may know of a watch list (domain.md section 6).
    fn check_seconds(&self, actor: &PrincipalId, at: Micros, record: &Record) -> Result<(), SignatureFault> {
        let second = seconds(record);
        if second.is_empty() {
            let list = matches!(record, Record::List(_) | Record::ListItem(_));
            let demanded = |policy: &Policy| policy.signatures_required.contains(&SignedType::ListApproval);
            let alone = list && self.policy(at).is_some_and(|policy| demanded(&policy.record));
            return if alone { Err(SignatureFault::Alone) } else { Ok(()) };
        }
        let mut people = BTreeSet::from([self.principal(actor).and_then(|p| p.record.person.clone())]);
        for signature in second {
            let known = self.principal(self.officers.signer(signature)?).map(|p| &p.record);
            let known = known.filter(|p| !p.disabled && p.roles.contains(&Role::EthicsOfficer)).ok_or(SignatureFault::Second)?;
            if !people.insert(known.person.clone()) {
                return Err(SignatureFault::Second);
            }
        }
        Ok(())
    }

    /// What takes access away never waits for a card.
    fn demands_signature(&self, at: Micros, record: &Record) -> bool {
        use GrantState::{Active, Approved, Authorized502, Recused, Waived};
        let kind = match record {
            Record::GrantTransition(t) if matches!(t.to, Approved | Active | Recused | Waived | Authorized502) => {
                SignedType::GrantTransition
            }
            Record::GrantRequest(_) => SignedType::GrantRequest,
            Record::List(_) => SignedType::List,
            Record::ListItem(_) => SignedType::ListItem,
            Record::Policy(_) => SignedType::Policy,
            _ => return false,
        };
        self.policy(at).is_some_and(|policy| policy.record.signatures_required.contains(&kind))
    }
}
