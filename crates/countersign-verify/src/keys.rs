//! The log's keys over time, walked from the pinned one through rotations and revocations (ledger-format section 9), and who must have
//! signed a checkpoint of a given size.

use ciborium::Value;
use countersign_entry::content::SIGNED;
use countersign_log::checkpoint::Checkpoint;
use countersign_log::key_event::{revocation_text, rotation_text, verify_text};
use countersign_log::note::{Note, NoteVerifyError, VKey, VKeyError};
use countersign_log::tree::TreeSize;

use crate::codes::{self, Code};
use crate::fields::{FieldFault, Fields};
use crate::heads::Head;
use crate::officers::Signed;
use crate::report::{Finding, Outcome};

struct LogKey {
    vkey: VKey,
    /// Whether the walk from the pinned key leads here. Other genesis keys are keys of the log, but nobody vouches for them.
    trusted: bool,
    /// The first tree size it may sign.
    from: u64,
    /// The last tree size it may sign, once another followed it.
    until: Option<u64>,
    /// The last tree size it is trusted for, once revoked.
    revoked_after: Option<u64>,
    /// The largest committed size that it alone signed, and the file, for a revocation that comes later.
    alone: Option<(u64, String)>,
}

struct Rotation {
    old: usize,
    new: usize,
    index: u64,
    both_until: u64,
}

/// Keys of one log. Holds the pinned key from the start.
pub(crate) struct KeyWalk {
    origin: String,
    keys: Vec<LogKey>,
    rotations: Vec<Rotation>,
    /// Officers' own keys, and what they signed.
    pub signed: Signed,
    /// Heads declared lost, and by which entry.
    lost: Vec<(u64, Checkpoint)>,
}

/// What is wrong with a key event: code, field, words.
struct EventFault(Code, &'static str, String);

impl From<FieldFault> for EventFault {
    fn from(f: FieldFault) -> Self {
        EventFault(codes::CONTROL_FIELDS, "", format!("field {}: {}", f.field, f.detail))
    }
}

impl KeyWalk {
    pub fn new(origin: &str, pinned: &VKey) -> Self {
        let first = LogKey { vkey: pinned.clone(), trusted: true, from: 0, until: None, revoked_after: None, alone: None };
        Self { origin: origin.to_owned(), keys: vec![first], rotations: Vec::new(), signed: Signed::default(), lost: Vec::new() }
    }

    /// The keys that genesis lists.
    pub fn genesis(&mut self, texts: &[&str], out: &mut Outcome) {
        for text in texts {
            match VKey::parse(text) {
                Ok(vkey) if self.position(&vkey).is_none() => {
                    self.keys.push(LogKey { vkey, trusted: false, from: 0, until: None, revoked_after: None, alone: None });
                }
                Ok(_) => {}
                Err(VKeyError::UnsupportedAlgorithm { algorithm }) => {
                    out.not_checked(format!("signatures by the genesis key of type {algorithm:#04x}: {text}"));
                }
                Err(e) => out.find(Finding::new(codes::GENESIS_KEYS, format!("{text}: {}", words(&e))).entry(0).field("keys")),
            }
        }
        let pinned = self.keys.first().map(|k| k.vkey.to_string()).unwrap_or_default();
        if !texts.contains(&pinned.as_str()) {
            out.find(Finding::new(codes::GENESIS_WITHOUT_KEY, format!("{pinned} is not among the keys of genesis")).entry(0).field("keys"));
        }
    }

    /// A content of kind 2 at `index`.
    pub fn event(&mut self, index: u64, kind: &str, fields: &Fields<'_>, out: &mut Outcome) {
        out.count("key-events");
        let done = match kind {
            "key.rotated" => self.rotated(index, fields),
            "key.revoked" => self.revoked(index, fields),
            "key.attested" => self.attested(index, fields, out),
            "key.loss.declared" => self.loss_declared(index, fields, out),
            "officer.enrolled" | "officer.revoked" => officer(fields),
            other => return out.not_checked(format!("entry {index}: key event of a type this version does not know ({other})")),
        };
        if let Err(EventFault(code, field, detail)) = done {
            let finding = Finding::new(code, detail).entry(index);
            out.find(if field.is_empty() { finding } else { finding.field(field) });
        }
    }

    fn rotated(&mut self, index: u64, fields: &Fields<'_>) -> Result<(), EventFault> {
        fields.only(
            &["old", "new", "old_signature", "new_signature", "both_until", "reason", "approvers"],
            &["attestation", "approvals", SIGNED],
        )?;
        fields.text("reason")?;
        fields.texts("approvers")?;
        let both_until = fields.uint("both_until")?;
        let old = self.standing(fields.text("old")?, "old", index)?;
        let new = self.sound(fields.text("new")?, "new")?;
        if self.position(&new).is_some() {
            return Err(EventFault(codes::KEY_EVENT_KEY, "new", format!("{new} is a key of this log already")));
        }
        let (old_signature, new_signature) = (fields.bytes("old_signature")?, fields.bytes("new_signature")?);
        let Some(key) = self.keys.get_mut(old) else { return Ok(()) };
        let text = rotation_text(&self.origin, &key.vkey, &new);
        signed(&key.vkey, &text, old_signature, "old_signature")?;
        signed(&new, &text, new_signature, "new_signature")?;
        key.until = Some(both_until.max(index));
        let trusted = key.trusted;
        self.rotations.push(Rotation { old, new: self.keys.len(), index, both_until });
        self.keys.push(LogKey { vkey: new, trusted, from: index.saturating_add(1), until: None, revoked_after: None, alone: None });
        Ok(())
    }

    fn revoked(&mut self, index: u64, fields: &Fields<'_>) -> Result<(), EventFault> {
        fields.only(&["vkey", "last_size", "by", "signature", "reason", "approvers"], &["approvals", SIGNED])?;
        fields.text("reason")?;
        fields.texts("approvers")?;
        let last_size = fields.uint("last_size")?;
        let vkey = self.sound(fields.text("vkey")?, "vkey")?;
        let unknown = || EventFault(codes::KEY_EVENT_KEY, "vkey", format!("{vkey} is not a key of this log"));
        let revoked = self.position(&vkey).ok_or_else(unknown)?;
        let by = self.standing(fields.text("by")?, "by", index)?;
        if by == revoked {
            return Err(EventFault(codes::KEY_EVENT_KEY, "by", "a key cannot revoke itself: by is a key trusted afterwards".to_owned()));
        }
        let text = revocation_text(&self.origin, &vkey, TreeSize(last_size));
        if let Some(by) = self.keys.get(by) {
            signed(&by.vkey, &text, fields.bytes("signature")?, "signature")?;
        }
        if let Some(key) = self.keys.get_mut(revoked) {
            key.revoked_after = Some(key.revoked_after.map_or(last_size, |old| old.min(last_size)));
        }
        Ok(())
    }

    /// A token's words about a key. They are shown, and nobody but the operator vouches for them.
    fn attested(&self, index: u64, fields: &Fields<'_>, out: &mut Outcome) -> Result<(), EventFault> {
        fields.only(&["vkey", "attestation", "transcript"], &[SIGNED])?;
        let vkey = self.sound(fields.text("vkey")?, "vkey")?;
        if self.position(&vkey).is_none() {
            return Err(EventFault(codes::KEY_EVENT_KEY, "vkey", format!("{vkey} is not a key of this log")));
        }
        let said = fields.value("attestation")?;
        out.not_checked(format!("entry {index}: what its token says of {vkey}, told by the operator's program: {}", said_in_words(said)));
        Ok(())
    }

    /// Entries that are lost for good. What is not here cannot be checked, so it is said, and that it was declared is not held against the ledger.
    fn loss_declared(&mut self, index: u64, fields: &Fields<'_>, out: &mut Outcome) -> Result<(), EventFault> {
        fields.only(&["first", "head", "reason", "approvers"], &["approvals", SIGNED])?;
        let (first, reason, approvers) = (fields.uint("first")?, fields.text("reason")?, fields.texts("approvers")?);
        let refused = |what: String| EventFault(codes::KEY_EVENT_KEY, "head", what);
        let note = Note::parse(fields.bytes("head")?).map_err(|e| refused(words(&e)))?;
        let head = Checkpoint::parse(note.text()).map_err(|e| refused(words(&e)))?;
        let size = head.size.0;
        if head.origin != self.origin || size <= first || first >= index {
            return Err(refused(format!("a head of {} at size {size} is none that was lost from entry {first} on", head.origin)));
        }
        if !self.keys.iter().any(|key| key.until == Some(first) && note.verify(&key.vkey).is_ok()) {
            return Err(EventFault(codes::KEY_EVENT_SIGNATURE, "head", format!("no key that another followed at entry {first} signed it")));
        }
        out.not_checked(format!(
            "entries {first} to {} of an earlier past: declared lost by entry {index}, approved by {} ({reason}). Their newest known head is size {size}, root {}",
            size - 1,
            approvers.join(", "),
            head.root
        ));
        self.lost.push((index, head));
        Ok(())
    }

    fn sound(&self, text: &str, field: &'static str) -> Result<VKey, EventFault> {
        let vkey = VKey::parse(text).map_err(|e| EventFault(codes::KEY_EVENT_KEY, field, format!("{text}: {}", words(&e))))?;
        if vkey.name() != self.origin {
            return Err(EventFault(codes::KEY_EVENT_KEY, field, format!("{text} has another name than the origin")));
        }
        Ok(vkey)
    }

    /// A key of the log that may sign from the tree with this entry on.
    fn standing(&self, text: &str, field: &'static str, index: u64) -> Result<usize, EventFault> {
        let refused = |why: &str| EventFault(codes::KEY_EVENT_KEY, field, format!("{text} {why}"));
        let vkey = self.sound(text, field)?;
        let position = self.position(&vkey).ok_or_else(|| refused("is not a key of this log"))?;
        match self.keys.get(position) {
            Some(key) if key.revoked_after.is_some() => Err(refused("was revoked before")),
            Some(key) if key.until.is_some_and(|until| until <= index) => Err(refused("was followed by another key before")),
            _ => Ok(position),
        }
    }

    fn position(&self, vkey: &VKey) -> Option<usize> {
        self.keys.iter().position(|k| k.vkey == *vkey)
    }

    /// Holds a well-formed checkpoint's signatures against the keys for its size. True if a trusted key signed it.
    pub fn judge(&mut self, head: &Head, out: &mut Outcome) -> bool {
        let size = head.checkpoint.size.0;
        let good = self.good_signatures(head, out);
        let counted: Vec<usize> = good.iter().copied().filter(|k| self.keys.get(*k).is_some_and(|k| k.may_sign(size))).collect();
        if let [only] = counted.as_slice() {
            self.note_alone(*only, head);
        }
        out.count_many("signatures", counted.len() as u64);
        if counted.is_empty() {
            let revoked = good.iter().any(|k| self.keys.get(*k).is_some_and(|k| k.trusted && k.is_revoked_at(size)));
            let code = if revoked { codes::SIGNED_BY_REVOKED } else { codes::NO_TRUSTED_SIGNATURE };
            let lost = self.lost.iter().find(|(_, lost)| *lost == head.checkpoint);
            let lost = lost.map(|(index, _)| format!(" It is the head that entry {index} declares lost.")).unwrap_or_default();
            out.find(head.finding(code, format!("size {size}: {}{lost}", code.meaning)));
            return false;
        }
        self.both_signed(&good, head, out);
        true
    }

    fn note_alone(&mut self, key: usize, head: &Head) {
        let size = head.checkpoint.size.0;
        if let Some(key) = self.keys.get_mut(key)
            && key.alone.as_ref().is_none_or(|(largest, _)| *largest < size)
        {
            key.alone = Some((size, head.name.clone()));
        }
    }

    /// The keys whose signature holds. A line under a key's name and id that does not hold is tampering, whatever else signed.
    fn good_signatures(&self, head: &Head, out: &mut Outcome) -> Vec<usize> {
        let mut good = Vec::new();
        for (position, key) in self.keys.iter().enumerate() {
            match head.note.verify(&key.vkey) {
                Ok(_) => good.push(position),
                Err(NoteVerifyError::NoLine { .. }) => {}
                Err(e @ NoteVerifyError::BadSignature { line, .. }) => {
                    out.find(head.finding(codes::SIGNATURE_BAD, words(&e)).line(Some(line)));
                }
            }
        }
        good
    }

    fn both_signed(&self, good: &[usize], head: &Head, out: &mut Outcome) {
        let size = head.checkpoint.size.0;
        for rotation in self.rotations.iter().filter(|r| r.index < size && size <= r.both_until) {
            let absent = [rotation.old, rotation.new].into_iter().filter(|k| !good.contains(k));
            for key in absent.filter_map(|k| self.keys.get(k)).filter(|k| !k.is_revoked_at(size)) {
                let detail = format!("size {size} lies in the rotation at entry {} and {} did not sign", rotation.index, key.vkey);
                out.find(head.finding(codes::SIGNATURE_BOTH, detail));
            }
        }
    }

    /// Revocations reach back: commits that the revoked key alone signed beyond its last size are untrusted.
    pub fn finish(&self, out: &mut Outcome) {
        self.signed.finish(out);
        for key in &self.keys {
            if let (Some(last), Some((size, file))) = (key.revoked_after, &key.alone)
                && *size > last
            {
                let detail = format!("size {size} is signed only by {}, revoked after size {last}", key.vkey);
                out.find(Finding::new(codes::SIGNED_BY_REVOKED, detail).file(file));
            }
        }
    }
}

impl LogKey {
    fn may_sign(&self, size: u64) -> bool {
        self.trusted && size >= self.from && self.until.is_none_or(|until| size <= until) && !self.is_revoked_at(size)
    }

    fn is_revoked_at(&self, size: u64) -> bool {
        self.revoked_after.is_some_and(|last| size > last)
    }
}

fn signed(key: &VKey, text: &str, signature: &[u8], field: &'static str) -> Result<(), EventFault> {
    verify_text(key, text, signature).map_err(|e| EventFault(codes::KEY_EVENT_SIGNATURE, field, format!("by {key}: {}", words(&e))))
}

/// An attestation's values on one line; its shape is the signer's.
fn said_in_words(said: &Value) -> String {
    match said {
        Value::Map(pairs) => {
            let pair = |(key, value): &(Value, Value)| format!("{} {}", said_in_words(key), said_in_words(value));
            pairs.iter().map(pair).collect::<Vec<_>>().join(", ")
        }
        Value::Text(text) => text.clone(),
        Value::Bool(is) => is.to_string(),
        Value::Null => "not said".to_owned(),
        _ => "…".to_owned(),
    }
}

fn officer(fields: &Fields<'_>) -> Result<(), EventFault> {
    fields.only(&["principal", "key", "reason", "approvers"], &["approvals", SIGNED])?;
    fields.text("principal")?;
    fields.bytes("key")?;
    fields.text("reason")?;
    fields.texts("approvers")?;
    Ok(())
}

/// An error and its causes on one line.
pub(crate) fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
