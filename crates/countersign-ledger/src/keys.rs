//! The log's signing keys over time, as its own entries tell (ledger-format section 9): which of them sign a tree of a given size, and whose
//! signature on an old checkpoint counts.

use countersign_entry::record::{KeyLossDeclared, KeyRevoked, KeyRotated, Record};
use countersign_log::checkpoint::{Checkpoint, VerifiedCheckpoint};
use countersign_log::key_event::{revocation_text, rotation_text, verify_text};
use countersign_log::note::Note;
use countersign_log::tree::TreeSize;
use countersign_log::vkey::VKey;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq)]
struct LogKey {
    vkey: VKey,
    /// The first tree size it signs.
    from: u64,
    /// The last tree size it signs, once another followed it.
    until: Option<u64>,
    /// The last tree size it is trusted for, once revoked.
    revoked_after: Option<u64>,
}

/// All keys the log ever had, the first one first.
#[derive(Clone, PartialEq)]
pub(crate) struct LogKeys {
    keys: Vec<LogKey>,
    /// The newest known heads of what was declared lost, as signed notes.
    lost: Vec<Vec<u8>>,
}

/// A key as a snapshot keeps it: the vkey, and the sizes it signs from, signs until, and is trusted to.
type KeptKey = (String, u64, Option<u64>, Option<u64>);

/// The keys as a snapshot keeps them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptKeys {
    keys: Vec<KeptKey>,
    lost: Vec<serde_bytes::ByteBuf>,
}

impl LogKeys {
    pub(crate) fn new(first: &VKey) -> Self {
        Self { keys: vec![LogKey { vkey: first.clone(), from: 0, until: None, revoked_after: None }], lost: Vec::new() }
    }

    /// All of them, for a snapshot.
    pub(crate) fn kept(&self) -> KeptKeys {
        let keys = self.keys.iter().map(|key| (key.vkey.to_string(), key.from, key.until, key.revoked_after)).collect();
        KeptKeys { keys, lost: self.lost.iter().cloned().map(serde_bytes::ByteBuf::from).collect() }
    }

    /// What [`LogKeys::kept`] gave, if the first of them is the key everybody pins.
    pub(crate) fn of_kept(kept: KeptKeys, first: &VKey) -> Option<Self> {
        let key = |(vkey, from, until, revoked_after): KeptKey| Some(LogKey { vkey: VKey::parse(&vkey).ok()?, from, until, revoked_after });
        let lost = kept.lost.into_iter().map(serde_bytes::ByteBuf::into_vec).collect();
        let keys = kept.keys.into_iter().map(key).collect::<Option<Vec<_>>>()?;
        keys.first().is_some_and(|key| key.vkey == *first).then_some(Self { keys, lost })
    }

    /// The keys that sign a tree of this size: one, or two while one follows the other.
    pub(crate) fn signing(&self, size: u64) -> impl Iterator<Item = &VKey> {
        self.keys.iter().filter(move |key| key.signs(size)).map(|key| &key.vkey)
    }

    /// The newest key that signs a tree of this size.
    pub(crate) fn newest(&self, size: u64) -> Option<&VKey> {
        self.keys.iter().rev().find(|key| key.signs(size)).map(|key| &key.vkey)
    }

    /// Checks a stored checkpoint under the keys that sign for its size. One of them is enough; a verifier is who looks for the other.
    pub(crate) fn verify(&self, note: &[u8]) -> Result<VerifiedCheckpoint, String> {
        let parsed = Note::parse(note).map_err(|e| e.to_string())?;
        let size = Checkpoint::parse(parsed.text()).map_err(|e| e.to_string())?.size.0;
        let mut refused = format!("no key of this log signs for size {size}");
        for key in self.signing(size) {
            match Checkpoint::verify(note, key) {
                Ok(verified) => return Ok(verified),
                Err(e) => refused = format!("{e}, under {key}"),
            }
        }
        Err(refused)
    }

    /// Whether a key event may stand at `index`; what is wrong with it otherwise.
    pub(crate) fn check(&self, origin: &str, index: u64, record: &Record) -> Result<(), String> {
        match record {
            Record::KeyRotated(r) => self.check_rotation(origin, index, r),
            Record::KeyRevoked(r) => self.check_revocation(origin, index, r),
            Record::KeyLossDeclared(r) => self.check_loss(origin, index, r),
            _ => Ok(()),
        }
    }

    fn check_rotation(&self, origin: &str, index: u64, r: &KeyRotated) -> Result<(), String> {
        let old = self.standing(r.old.as_str(), index)?;
        let new = named(origin, r.new.as_str())?;
        if self.keys.iter().any(|key| key.vkey == new) {
            return Err(format!("{new} is a key of this log already"));
        }
        let text = rotation_text(origin, &old, &new);
        for (key, signature) in [(&old, &r.old_signature), (&new, &r.new_signature)] {
            verify_text(key, &text, signature).map_err(|e| format!("the signature by {key}: {e}"))?;
        }
        Ok(())
    }

    fn check_revocation(&self, origin: &str, index: u64, r: &KeyRevoked) -> Result<(), String> {
        let (vkey, by) = (named(origin, r.vkey.as_str())?, self.standing(r.by.as_str(), index)?);
        if vkey == by {
            return Err("a key cannot revoke itself: let another follow it first".into());
        }
        if !self.keys.iter().any(|key| key.vkey == vkey) {
            return Err(format!("{vkey} is not a key of this log"));
        }
        let text = revocation_text(origin, &vkey, TreeSize(r.last_size));
        verify_text(&by, &text, &r.signature).map_err(|e| format!("the signature by {by}: {e}"))
    }

    /// What was lost was signed by a key that signs no longer where the loss begins, so no size has two heads under one key.
    fn check_loss(&self, origin: &str, index: u64, r: &KeyLossDeclared) -> Result<(), String> {
        let note = Note::parse(&r.head).map_err(|e| e.to_string())?;
        let head = Checkpoint::parse(note.text()).map_err(|e| e.to_string())?;
        if head.origin != origin || head.size.0 <= r.first || r.first >= index {
            return Err(format!("a head of {} at size {} is none that was lost from entry {} on", head.origin, head.size, r.first));
        }
        let signed = self.keys.iter().any(|key| key.until == Some(r.first) && Checkpoint::verify(&r.head, &key.vkey).is_ok());
        if signed { Ok(()) } else { Err(format!("no key that another followed at entry {} signed the lost head", r.first)) }
    }

    /// Whether an entry declares this signed note the newest known head of what is lost.
    pub(crate) fn declares_lost(&self, note: &[u8]) -> bool {
        self.lost.iter().any(|lost| lost == note)
    }

    /// A key that may sign from the tree with the entry at `index` on.
    fn standing(&self, text: &str, index: u64) -> Result<VKey, String> {
        match self.keys.iter().find(|key| key.vkey.to_string() == text) {
            None => Err(format!("{text} is not a key of this log")),
            Some(key) if key.revoked_after.is_some() => Err(format!("{text} was revoked before")),
            Some(key) if key.until.is_some_and(|until| until <= index) => Err(format!("{text} was followed by another key before")),
            Some(key) => Ok(key.vkey.clone()),
        }
    }

    /// Takes a key event in that [`LogKeys::check`] let pass, now or when it was recorded.
    pub(crate) fn take(&mut self, index: u64, record: &Record) {
        match record {
            Record::KeyRotated(r) => {
                if let Some(old) = self.find(r.old.as_str()) {
                    old.until = Some(r.both_until.max(index));
                }
                if let Ok(vkey) = VKey::parse(r.new.as_str()) {
                    self.keys.push(LogKey { vkey, from: index.saturating_add(1), until: None, revoked_after: None });
                }
            }
            Record::KeyRevoked(r) => {
                if let Some(key) = self.find(r.vkey.as_str()) {
                    key.revoked_after = Some(key.revoked_after.map_or(r.last_size, |before| before.min(r.last_size)));
                }
            }
            Record::KeyLossDeclared(r) => self.lost.push(r.head.clone()),
            _ => {}
        }
    }

    fn find(&mut self, text: &str) -> Option<&mut LogKey> {
        self.keys.iter_mut().find(|key| key.vkey.to_string() == text)
    }
}

impl LogKey {
    fn signs(&self, size: u64) -> bool {
        size >= self.from && self.until.is_none_or(|until| size <= until) && self.revoked_after.is_none_or(|last| size <= last)
    }
}

fn named(origin: &str, text: &str) -> Result<VKey, String> {
    let vkey = VKey::parse(text).map_err(|e| format!("{text}: {e}"))?;
    if vkey.name() == origin { Ok(vkey) } else { Err(format!("{text} has another name than the origin")) }
}
