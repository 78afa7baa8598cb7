//! From decided records to the bytes of a batch. Contents are committed to and sealed without knowing facts or chain, so under load on a thread of its own;
//! linking comes last.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use countersign_entry::ids::PrincipalId;
use countersign_entry::leaf::{Kind, Leaf};
use countersign_entry::record::Record;
use countersign_entry::seal::{self, Scheme};
use countersign_entry::time::Micros;
use countersign_sign::datakeys::KeptKey;
use countersign_store::StoredEntry;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::commit::AppendError;
use crate::entropy::Entropy;

/// An entry that was decided and has its place, but no bytes yet.
pub(crate) struct Draft {
    pub(crate) at: Micros,
    pub(crate) actor: PrincipalId,
    pub(crate) request: String,
    pub(crate) record: Record,
    pub(crate) signed: Option<Vec<u8>>,
    /// The data key that seals it, by its number; kind 1 alone has one.
    pub(crate) key: Option<(u32, KeptKey)>,
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

/// Commits to the fields of each draft and seals it for its place, the first at index `first`.
pub(crate) fn seal_all(
    drafts: &[Draft],
    first: u64,
    origin_hash: &[u8; 32],
    entropy: &mut dyn Entropy,
) -> Result<Vec<SealedDraft>, AppendError> {
    let each = drafts.iter().zip(first..).map(|(draft, index)| seal_draft(draft, index, origin_hash, entropy));
    each.collect::<Result<_, _>>().map_err(AppendError::Unavailable)
}

fn seal_draft(draft: &Draft, index: u64, origin_hash: &[u8; 32], entropy: &mut dyn Entropy) -> Result<SealedDraft, String> {
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
    let sealed = match &draft.key {
        None => seal::plain(&encoded.bytes),
        Some((key_id, key)) => {
            let mut nonce = [0; 24];
            entropy.fill(&mut nonce).map_err(|e| e.to_string())?;
            let encrypt = |associated: &[u8], text: &mut [u8]| xchacha(key, &nonce, associated, text);
            seal::seal_by(&encoded.bytes, Scheme::XChaCha, *key_id, &nonce, origin_hash, index, encrypt).map_err(|e| e.to_string())?
        }
    };
    let sealed_hash = Sha256::digest(&sealed).into();
    Ok(SealedDraft { kind: draft.record.kind(), minute: draft.at.minute(), content_hash: encoded.hash, sealed_hash, sealed })
}

/// XChaCha20-Poly1305 by AWS-LC, which TLS here is made of: a third of the time of the implementation that opens records, and so a second one that each
/// record is read with (draft-irtf-cfrg-xchacha-03 section 2.3).
fn xchacha(key: &[u8; 32], nonce: &[u8; 24], associated: &[u8], text: &mut [u8]) -> Option<[u8; seal::TAG_LEN]> {
    let (first, rest) = nonce.split_first_chunk::<16>()?;
    let subkey = Zeroizing::new(<[u8; 32]>::from(chacha20::hchacha::<chacha20::R20>(key.into(), first.into())));
    let mut short = [0; 12];
    short.iter_mut().skip(4).zip(rest).for_each(|(to, from)| *to = *from);
    let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &*subkey).ok()?);
    let tag = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(short), Aad::from(associated), text).ok()?;
    tag.as_ref().try_into().ok()
}

/// Gives an entry its leaf.
pub(crate) fn link(draft: SealedDraft, index: u64, prev: [u8; 32]) -> StoredEntry {
    let SealedDraft { kind, minute, content_hash, sealed_hash, sealed } = draft;
    StoredEntry { leaf: Leaf { index, kind, minute, prev, content_hash, sealed_hash }.encode(), sealed }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use countersign_entry::seal::DataKey;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_one_implementation_seals_is_what_the_other_does(
            content in prop::collection::vec(any::<u8>(), 0..3000), key: [u8; 32], nonce: [u8; 24], origin: [u8; 32], index: u64, key_id in 1u32..,
        ) {
            let ours = seal::seal_by(&content, Scheme::XChaCha, key_id, &nonce, &origin, index, |associated, text| xchacha(&key, &nonce, associated, text));
            prop_assert_eq!(ours, seal::seal(&content, Scheme::XChaCha, key_id, &DataKey::new(key), &nonce, &origin, index));
        }
    }
}
