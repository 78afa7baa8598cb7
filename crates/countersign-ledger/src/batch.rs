//! From decided records to the bytes of a batch. Contents are committed to and sealed without knowing the chain, so side by side; linking comes
//! last.

use countersign_entry::ids::PrincipalId;
use countersign_entry::leaf::{Kind, Leaf};
use countersign_entry::record::Record;
use countersign_entry::seal::{self, DataKey, Scheme};
use countersign_entry::time::Micros;
use countersign_sign::datakeys::DataKeys;
use countersign_store::StoredEntry;
use sha2::{Digest, Sha256};

use crate::entropy::Entropy;
use crate::limits::SIDE_BY_SIDE_MIN;

/// An entry that was decided and has its place, but no bytes yet.
pub(crate) struct Draft {
    pub(crate) at: Micros,
    pub(crate) actor: PrincipalId,
    pub(crate) request: String,
    pub(crate) record: Record,
    pub(crate) signed: Option<Vec<u8>>,
    /// The data key that seals it; kind 1 alone has one.
    pub(crate) key_id: Option<u32>,
}

impl Draft {
    /// The record, for whoever asked; the draft is of no more use.
    pub(crate) fn take_record(&mut self) -> Record {
        std::mem::replace(&mut self.record, Record::Padding)
    }
}

/// An entry's bytes before it is linked.
pub(crate) struct SealedDraft {
    kind: Kind,
    minute: u64,
    content_hash: [u8; 32],
    sealed_hash: [u8; 32],
    sealed: Vec<u8>,
}

/// Commits to the fields of each draft and seals it for its place, the first at index `first`. Of a large batch two threads do half each.
pub(crate) fn seal_all(
    drafts: &[Draft],
    first: u64,
    origin_hash: &[u8; 32],
    keys: &DataKeys,
    entropy: &mut dyn Entropy,
) -> Result<Vec<SealedDraft>, String> {
    let each = |drafts: &[Draft], first: u64, entropy: &mut dyn Entropy| -> Result<Vec<SealedDraft>, String> {
        drafts.iter().zip(first..).map(|(draft, index)| seal_draft(draft, index, origin_hash, keys, entropy)).collect()
    };
    if drafts.len() < SIDE_BY_SIDE_MIN {
        return each(drafts, first, entropy);
    }
    let (left, right) = drafts.split_at(drafts.len() / 2);
    let mut other = entropy.another();
    std::thread::scope(|scope| {
        let right = scope.spawn(move || each(right, first + left.len() as u64, &mut *other));
        let mut sealed = each(left, first, entropy)?;
        sealed.append(&mut right.join().map_err(|_| "the thread that sealed half of the batch died".to_owned())??);
        Ok(sealed)
    })
}

/// A draft of kind 1 names its data key, and no other does.
fn seal_draft(
    draft: &Draft,
    index: u64,
    origin_hash: &[u8; 32],
    keys: &DataKeys,
    entropy: &mut dyn Entropy,
) -> Result<SealedDraft, String> {
    let mut failed = None;
    let encoded = draft.record.encode(draft.at.value(), draft.actor.as_str(), &draft.request, draft.signed.as_deref(), || {
        let mut salt = [0; 16];
        if let Err(e) = entropy.fill(&mut salt) {
            failed = Some(e.to_string());
        }
        salt
    });
    let encoded = encoded.map_err(|e| e.to_string())?;
    if let Some(e) = failed {
        return Err(e);
    }
    let sealed = match draft.key_id {
        None => seal::plain(&encoded.bytes),
        Some(key_id) => {
            let key = DataKey::new(*keys.key(key_id).ok_or_else(|| format!("data key {key_id} is missing"))?);
            let mut nonce = [0; 24];
            entropy.fill(&mut nonce).map_err(|e| e.to_string())?;
            seal::seal(&encoded.bytes, Scheme::XChaCha, key_id, &key, &nonce, origin_hash, index).map_err(|e| e.to_string())?
        }
    };
    let sealed_hash = Sha256::digest(&sealed).into();
    Ok(SealedDraft { kind: draft.record.kind(), minute: draft.at.minute(), content_hash: encoded.hash, sealed_hash, sealed })
}

/// Gives an entry its leaf.
pub(crate) fn link(draft: SealedDraft, index: u64, prev: [u8; 32]) -> StoredEntry {
    let SealedDraft { kind, minute, content_hash, sealed_hash, sealed } = draft;
    StoredEntry { leaf: Leaf { index, kind, minute, prev, content_hash, sealed_hash }.encode(), sealed }
}
