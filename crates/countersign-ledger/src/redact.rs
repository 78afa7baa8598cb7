//! Fields of an entry are redacted: what they said is gone from this ledger, everything else stands and still proves (ledger-format section 5).
//!
//! The rewritten record is put by first, then the redaction is committed, then the one takes the place of the other. If we stop in between, the next start
//! finishes it, or forgets it where nothing was committed. Only fields that no rule reads are redacted, so every decision still replays.

use std::collections::BTreeMap;

use countersign_entry::content::Content;
use countersign_entry::ids::{Hash32, LeafIndex, Line, PrincipalId, RequestKey};
use countersign_entry::record::{Record, Redaction, redactable};
use countersign_entry::seal::{self, DataKey, Sealed};
use countersign_store::Rewrite;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::commit::{AppendError, Request};
use crate::open::{ERASED, Ledger, Mode, OpenError, damaged};
use crate::receipt::Receipt;
use crate::rotate::Signatures;
use crate::stored::content_of;

/// What is to be redacted, why, and who approved.
#[derive(Debug, Clone)]
pub struct Redact {
    /// The entry.
    pub target: LeafIndex,
    /// Names of its fields.
    pub fields: Vec<String>,
    /// Legal ground.
    pub authority: Line,
    /// Two people, neither of them the one who asks nor the one who asked for the entry.
    pub approvers: Vec<PrincipalId>,
    /// Their signatures, over [`Ledger::redaction_request`]; none, where the operator's word is enough.
    pub signatures: Signatures,
}

/// Stored records that are not the ones first written, and the redactions that explain them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rewritten {
    /// Hash of the stored record, by entry.
    found: BTreeMap<u64, Hash32>,
    /// Hash that the newest redaction of an entry gives for it.
    ordered: BTreeMap<u64, Hash32>,
}

impl Rewritten {
    /// An entry whose stored record is not the one its leaf commits to.
    pub(crate) fn found(&mut self, index: u64, stored: [u8; 32]) {
        self.found.insert(index, Hash32(stored));
    }

    /// What an entry says of another.
    pub(crate) fn take(&mut self, record: &Record) {
        if let Record::Redaction(r) = record {
            self.ordered.insert(r.target.0, r.resealed_hash);
        }
    }

    /// Whether a stored record is the one that the newest redaction of its entry gives.
    pub(crate) fn explains(&self, index: u64, stored: &[u8; 32]) -> bool {
        self.ordered.get(&index).is_some_and(|hash| hash.0 == *stored)
    }

    /// Redacted entries whose stored record is another than it should be by now.
    fn unfinished(&self) -> impl Iterator<Item = u64> {
        self.ordered.iter().filter(|(index, hash)| self.found.get(index) != Some(hash)).map(|(index, _)| *index)
    }

    /// What no redaction explains, and why.
    pub(crate) fn fault(&self) -> Option<OpenError> {
        let unexplained = self.found.keys().find(|index| !self.ordered.contains_key(index));
        let unexplained =
            unexplained.map(|index| damaged(*index, "the stored record is not the one the leaf commits to, nor was it redacted"));
        unexplained.or_else(|| {
            self.unfinished().next().map(|index| damaged(index, "it was redacted, and the stored record is another than the redacted one"))
        })
    }
}

impl Ledger {
    /// Redacts fields of an entry. The ledger takes nothing after it until it is opened again: what is in memory still knows what they said.
    ///
    /// Copies made before (backups, exports, replicas) still hold the first record, and whoever keeps them has to replace them.
    ///
    /// # Errors
    /// Fields that are not there, were redacted before or that rules read; an approver who asked for the entry; a legal hold; or as [`AppendError`] says.
    pub fn redact(&mut self, actor: &PrincipalId, key: &RequestKey, redact: &Redact) -> Result<Receipt, AppendError> {
        self.ready()?;
        let (mut redaction, content) = self.redaction_of(redact)?;
        let request = |redaction: Redaction| {
            let signed = redact.signatures.signed.clone();
            Request { actor: actor.clone(), key: key.clone(), record: redaction.into(), signed }
        };
        // Made again, it answers from the entry that stands.
        if !self.is_new(&request(redaction.clone()))? {
            return self.append(request(redaction));
        }
        let left = self.without(content, redact).map_err(AppendError::Malformed)?;
        let sealed = self.reseal(redact.target.0, &redaction, &left)?;
        redaction.resealed_hash = Hash32(Sha256::digest(&sealed).into());
        let put_by = self.store.stage_rewrite(&Rewrite { target: redact.target.0, sealed });
        put_by.map_err(|e| AppendError::Unavailable(format!("the rewritten record cannot be put by: {e}")))?;
        self.redacting = Some(redaction.resealed_hash);
        let answer = self.append(request(redaction));
        self.redacting = None;
        let unknown =
            |e: &dyn std::fmt::Display| AppendError::Unknown(format!("it is recorded that fields are redacted, and not done yet: {e}"));
        match &answer {
            Ok(_) => {
                self.mode = Mode::ReadOnly(ERASED.into());
                self.forget_beside().map_err(|e| unknown(&e))?;
                self.store.carry_out(redact.target.0).map_err(|e| unknown(&e))?;
            }
            // Refused, and nothing was recorded.
            Err(_) if matches!(self.mode, Mode::Writable) => {
                self.store.drop_rewrite(redact.target.0).map_err(|e| AppendError::Unknown(e.to_string()))?;
            }
            // It may stand, or wait for a key that is away: nothing more is taken before a start has finished it.
            Err(_) => self.mode = Mode::ReadOnly(ERASED.into()),
        }
        answer
    }

    /// What is asked when fields are to be redacted, for approvers to sign.
    ///
    /// # Errors
    /// As [`Ledger::redact`], as far as it can be told without recording anything.
    pub fn redaction_request(&self, redact: &Redact) -> Result<Record, AppendError> {
        let (redaction, content) = self.redaction_of(redact)?;
        self.without(content, redact).map_err(AppendError::Malformed)?;
        Ok(redaction.into())
    }

    fn redaction_of(&self, redact: &Redact) -> Result<(Redaction, Content), AppendError> {
        let target = redact.target.0;
        let unreadable = |e: OpenError| AppendError::Malformed(e.to_string());
        let stored = self.store.read(target).map_err(|e| unreadable(e.into()))?;
        let Ok(Sealed::Encrypted { key_id, .. }) = Sealed::parse(&stored.sealed) else {
            return Err(AppendError::Malformed(format!("entry {target} is of the ledger itself: nothing in it can be redacted")));
        };
        let content = content_of(target, &stored.sealed, &self.keys, &self.state.origin_hash).map_err(unreadable)?;
        let content = Content::decode(&content).map_err(|e| unreadable(damaged(target, e)))?;
        let (fields, authority, approvers) = (redact.fields.clone(), redact.authority.clone(), redact.approvers.clone());
        let approvals = redact.signatures.approvals();
        let redaction =
            Redaction { target: redact.target, fields, key_id, authority, approvers, resealed_hash: Hash32([0; 32]), approvals };
        Ok((redaction, content))
    }

    /// The content with the fields erased.
    fn without(&self, content: Content, redact: &Redact) -> Result<Content, String> {
        let target = redact.target;
        let meta = content.meta().map_err(|e| e.to_string())?;
        if redact.approvers.iter().any(|approver| approver.as_str() == meta.actor) {
            return Err(format!("an approver is the one who asked for entry {target}: somebody else has to approve"));
        }
        if meta.request.contains('/') || meta.request.starts_with("timer-") {
            return Err(format!(
                "entry {target} follows from others, and the ledger wrote its words itself: there is nothing to redact in it"
            ));
        }
        if redact.fields.is_empty() {
            return Err("name the fields to redact".into());
        }
        let mut left = content;
        for name in &redact.fields {
            let can = redactable(&meta.kind);
            if !can.contains(&name.as_str()) {
                let those = if can.is_empty() { "nothing".to_owned() } else { can.join(", ") };
                return Err(format!(
                    "{name} of a {} cannot be redacted, {those} can: what a rule reads is superseded by a newer record, and erased with its data key when its years are over",
                    meta.kind
                ));
            }
            let stands = left.value(name).is_some_and(|value| !value.is_null());
            let erased = left.erase(name).map_err(|e| e.to_string())?.filter(|_| stands);
            left =
                erased.ok_or_else(|| format!("entry {target} has no field {name} that stands: it was left out, or is redacted already"))?;
        }
        Ok(left)
    }

    fn reseal(&mut self, target: u64, redaction: &Redaction, left: &Content) -> Result<Vec<u8>, AppendError> {
        let malformed = |e: &dyn std::fmt::Display| AppendError::Malformed(e.to_string());
        let stored = self.store.read(target).map_err(|e| malformed(&e))?;
        let Ok(Sealed::Encrypted { scheme, .. }) = Sealed::parse(&stored.sealed) else { return Err(malformed(&"not sealed")) };
        let key = self.keys.key(redaction.key_id).ok_or_else(|| malformed(&"its data key is not there"))?;
        let key = DataKey::new(***key);
        let mut nonce = vec![0; scheme.nonce_len()];
        self.entropy.fill(&mut nonce).map_err(|e| AppendError::Unavailable(e.to_string()))?;
        let bytes = left.encode().map_err(|e| malformed(&e))?.bytes;
        seal::seal(&bytes, scheme, redaction.key_id, &key, &nonce, &self.state.origin_hash, target).map_err(|e| malformed(&e))
    }

    /// Carries out redactions that entries say were made and that a crash kept from the store. Whether there were any.
    pub(crate) fn finish_redactions(&mut self) -> Result<bool, AppendError> {
        let put_by = self.store.staged_rewrites().map_err(|e| AppendError::Unknown(e.to_string()))?;
        let left: Vec<u64> = self.state.rewritten.unfinished().collect();
        let due = put_by
            .iter()
            .filter(|r| left.contains(&r.target) && self.state.rewritten.explains(r.target, &Sha256::digest(&r.sealed).into()));
        let due: Vec<u64> = due.map(|r| r.target).collect();
        if due.is_empty() || self.opened_for_reading() {
            return Ok(false);
        }
        let unknown = |e: &dyn std::fmt::Display| AppendError::Unknown(format!("fields are redacted and not yet gone: {e}"));
        self.forget_beside().map_err(|e| unknown(&e))?;
        for target in due {
            self.store.carry_out(target).map_err(|e| unknown(&e))?;
        }
        Ok(true)
    }

    /// Forgets records that were put by for redactions that nobody committed. Comes when every entry is known and nothing is staged.
    pub(crate) fn drop_rewrites(&mut self) -> Result<(), AppendError> {
        let unknown = |e: countersign_store::StoreError| AppendError::Unknown(e.to_string());
        for rewrite in self.store.staged_rewrites().map_err(unknown)? {
            self.store.drop_rewrite(rewrite.target).map_err(unknown)?;
        }
        Ok(())
    }
}
