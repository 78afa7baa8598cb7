//! One signing key follows another, or is revoked.

use ciborium::Value;
use countersign_entry::ids::{Line, PrincipalId, RequestKey};
use countersign_entry::record::{KeyRevoked, KeyRotated, Record};
use countersign_log::key_event::{revocation_text, rotation_text};
use countersign_log::tree::TreeSize;
use countersign_log::vkey::VKey;
use countersign_sign::pkcs11::{Class, Token};
use countersign_sign::software::KeyFileError;
use countersign_sign::{Signer, os_random};
use serde_bytes::ByteBuf;

use crate::commit::{AppendError, Request};
use crate::dir::{DirectoryError, wrapping_label};
use crate::durable::SealError;
use crate::open::Ledger;
use crate::receipt::Receipt;

/// What people signed with their own keys (ledger-format section 9); nothing, where the operator's word is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signatures {
    /// One of each approver, in their order.
    pub approvals: Vec<Vec<u8>>,
    /// The actor's.
    pub signed: Option<Vec<u8>>,
}

impl Signatures {
    /// The approvals as they stand in a record.
    pub(crate) fn approvals(&self) -> Vec<ByteBuf> {
        self.approvals.iter().cloned().map(ByteBuf::from).collect()
    }
}

/// How a key is to follow another.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// The tree size up to which both keys sign. Up to the size as it is: the new key alone, at once.
    pub both_until: u64,
    /// Why.
    pub reason: Line,
    /// Who approved.
    pub approvers: Vec<PrincipalId>,
    /// Their signatures, over [`Ledger::rotation_request`].
    pub signatures: Signatures,
    /// What the token says of the new key.
    pub attestation: Option<Value>,
}

/// How a key is to be revoked.
#[derive(Debug, Clone)]
pub struct Revocation {
    /// The key.
    pub vkey: VKey,
    /// The last tree size it is believed for.
    pub last_size: u64,
    /// Why.
    pub reason: Line,
    /// Who approved.
    pub approvers: Vec<PrincipalId>,
    /// Their signatures, over [`Ledger::revocation_request`].
    pub signatures: Signatures,
}

impl Ledger {
    /// Lets `new` follow the key that signs now. From this commit on `new` signs, and the old key beside it for as long as asked.
    ///
    /// # Errors
    /// As [`AppendError`] says; a key that is away signs nothing, and then nothing was recorded.
    pub fn rotate_key(
        &mut self,
        actor: &PrincipalId,
        key: RequestKey,
        new: Box<dyn Signer>,
        rotation: Rotation,
    ) -> Result<Receipt, AppendError> {
        self.ready()?;
        let signed = rotation.signatures.signed.clone();
        let record = self.rotation(new, &rotation)?;
        self.append(Request { actor: actor.clone(), key, record: record.into(), signed })
    }

    /// What is asked when `new` is to follow the key that signs now: the record without the keys' signatures, for approvers to sign.
    ///
    /// # Errors
    /// No key signs any more.
    pub fn rotation_request(&self, new: &VKey, rotation: &Rotation) -> Result<KeyRotated, AppendError> {
        Ok(KeyRotated {
            old: line(&self.newest_key()?)?,
            new: line(new)?,
            old_signature: Vec::new(),
            new_signature: Vec::new(),
            both_until: rotation.both_until,
            reason: rotation.reason.clone(),
            attestation: rotation.attestation.clone(),
            approvers: rotation.approvers.clone(),
            approvals: rotation.signatures.approvals(),
        })
    }

    /// The record of a rotation, signed by both keys; the new one is among those at hand from now on.
    pub(crate) fn rotation(&mut self, new: Box<dyn Signer>, rotation: &Rotation) -> Result<KeyRotated, AppendError> {
        let (old, vkey) = (self.newest_key()?, new.vkey().clone());
        let asked = self.rotation_request(&vkey, rotation)?;
        // It may be at hand already, from an attempt that was refused.
        if self.signers.iter().all(|s| *s.vkey() != vkey) {
            self.signers.push(new);
        }
        let text = rotation_text(self.origin(), &old, &vkey);
        Ok(KeyRotated { old_signature: self.sign_text(&old, &text)?, new_signature: self.sign_text(&vkey, &text)?, ..asked })
    }

    /// Revokes a key that another has followed.
    ///
    /// # Errors
    /// As [`AppendError`] says.
    pub fn revoke_key(&mut self, actor: &PrincipalId, key: RequestKey, revocation: Revocation) -> Result<Receipt, AppendError> {
        self.ready()?;
        let (by, asked) = (self.newest_key()?, self.revocation_request(&revocation)?);
        let text = revocation_text(self.origin(), &revocation.vkey, TreeSize(revocation.last_size));
        let record = KeyRevoked { signature: self.sign_text(&by, &text)?, ..asked };
        self.append(Request { actor: actor.clone(), key, record: record.into(), signed: revocation.signatures.signed })
    }

    /// What is asked when a key is to be revoked: the record without the newest key's signature, for approvers to sign.
    ///
    /// # Errors
    /// No key signs any more.
    pub fn revocation_request(&self, revocation: &Revocation) -> Result<KeyRevoked, AppendError> {
        Ok(KeyRevoked {
            vkey: line(&revocation.vkey)?,
            last_size: revocation.last_size,
            by: line(&self.newest_key()?)?,
            signature: Vec::new(),
            reason: revocation.reason.clone(),
            approvers: revocation.approvers.clone(),
            approvals: revocation.signatures.approvals(),
        })
    }

    /// Wraps the data keys under a new key of the token, makes that durable, and destroys the key before it there: no older copy of their file opens
    /// any more. `label` is what the signing key is called. Gives the labels of the new key and of the one before.
    ///
    /// # Errors
    /// The data keys are under a passphrase, or the token or the file failed. Both keys are in the token then, and the file opens under one of them.
    pub fn rewrap_data_keys(&mut self, token: &Token, label: &str) -> Result<(String, String), DirectoryError> {
        let before = self.keys.wrapping_label().ok_or_else(|| KeyFileError::NeedsPassphrase("keys/data.keys".into()))?.to_owned();
        let new = wrapping_label(label)?;
        token.make_wrapping_key(&new).map_err(KeyFileError::from)?;
        self.keys.rewrap(token, &new, &mut os_random)?;
        token.destroy(Class::Wrapping, &before).map_err(KeyFileError::from)?;
        Ok((new, before))
    }

    /// Whether this key signs now, alone or beside another.
    #[must_use]
    pub fn signs_with(&self, vkey: &str) -> bool {
        self.state.keys.signing(self.size()).any(|key| key.to_string() == vkey)
    }

    /// The key that signs now, beside others while it follows them.
    #[must_use]
    pub fn signing_key(&self) -> Option<&VKey> {
        self.state.keys.newest(self.size())
    }

    /// Key events are signed texts, so they are held against the log's keys before they are decided; and the log can go on signing after them.
    pub(crate) fn check_key_event(&self, record: &Record) -> Result<(), String> {
        if let Record::DataKeyDestroyed(r) = record
            && !self.erasing.contains(&r.key_id)
        {
            return Err("a data key is destroyed by `countersign key erase`, and by nothing else".into());
        }
        if let Record::Redaction(r) = record
            && self.redacting != Some(r.resealed_hash)
        {
            return Err("an entry is redacted by `countersign redact`, and by nothing else".into());
        }
        let index = self.state.facts.size();
        self.state.keys.check(&self.state.origin, index, record)?;
        let Record::KeyRotated(r) = record else { return Ok(()) };
        let here = self.signers.iter().any(|s| s.vkey().to_string() == r.new.as_str());
        if here { Ok(()) } else { Err(format!("nothing here signs as {}: rotate with that key at hand", r.new)) }
    }

    fn newest_key(&self) -> Result<VKey, AppendError> {
        self.signing_key().cloned().ok_or_else(|| AppendError::Unavailable("no key of this log signs any more".into()))
    }

    fn sign_text(&mut self, key: &VKey, text: &str) -> Result<Vec<u8>, AppendError> {
        self.sign_by(key, text).map_err(|e| match e {
            SealError::KeyAway(why) => AppendError::Unavailable(why),
            SealError::Failed(e) => AppendError::Unavailable(e.to_string()),
        })
    }
}

fn line(vkey: &VKey) -> Result<Line, AppendError> {
    Line::new(vkey.to_string()).map_err(|e| AppendError::Malformed(e.to_string()))
}
