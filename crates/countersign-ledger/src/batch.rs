//! From decided records to the bytes of a batch. Contents are committed to and sealed one by one, without knowing the chain; linking comes last.

use countersign_conflict::Facts;
use countersign_entry::ids::PrincipalId;
use countersign_entry::leaf::{Kind, Leaf};
use countersign_entry::record::Record;
use countersign_entry::seal::{self, DataKey, Scheme};
use countersign_entry::time::Micros;
use countersign_store::StoredEntry;
use sha2::{Digest, Sha256};

use crate::entropy::Entropy;

/// An entry that was decided and has its place, but no bytes yet.
pub(crate) struct Draft {
    pub(crate) at: Micros,
    pub(crate) actor: PrincipalId,
    pub(crate) request: String,
    pub(crate) record: Record,
    /// The data key that seals it; kind 1 alone has one.
    pub(crate) key_id: Option<u32>,
}

/// An entry's bytes before it is linked.
pub(crate) struct SealedDraft {
    kind: Kind,
    minute: u64,
    content_hash: [u8; 32],
    sealed: Vec<u8>,
}

/// Commits to a draft's fields and seals it for its place. `key` is given for kind 1 and for no other.
pub(crate) fn seal_draft(
    draft: &Draft,
    index: u64,
    origin_hash: &[u8; 32],
    key: Option<(u32, &DataKey)>,
    entropy: &mut dyn Entropy,
) -> Result<SealedDraft, String> {
    let mut failed = None;
    let content = draft.record.content(draft.at.value(), draft.actor.as_str(), &draft.request, || {
        let mut salt = [0; 16];
        if let Err(e) = entropy.fill(&mut salt) {
            failed = Some(e.to_string());
        }
        salt
    });
    let encoded = content.map_err(|e| e.to_string())?.encode().map_err(|e| e.to_string())?;
    if let Some(e) = failed {
        return Err(e);
    }
    let sealed = match key {
        None => seal::plain(&encoded.bytes),
        Some((key_id, key)) => {
            let mut nonce = [0; 24];
            entropy.fill(&mut nonce).map_err(|e| e.to_string())?;
            seal::seal(&encoded.bytes, Scheme::XChaCha, key_id, key, &nonce, origin_hash, index).map_err(|e| e.to_string())?
        }
    };
    Ok(SealedDraft { kind: draft.record.kind(), minute: draft.at.minute(), content_hash: encoded.hash, sealed })
}

/// Gives an entry its leaf.
pub(crate) fn link(draft: SealedDraft, index: u64, prev: [u8; 32]) -> StoredEntry {
    let sealed_hash = Sha256::digest(&draft.sealed).into();
    let leaf = Leaf { index, kind: draft.kind, minute: draft.minute, prev, content_hash: draft.content_hash, sealed_hash };
    StoredEntry { leaf: leaf.encode(), sealed: draft.sealed }
}

/// The compartment whose data key seals a record of kind 1, for one year of retention, which begins with recording.
pub(crate) fn compartment(record: &Record, at: Micros, facts: &Facts) -> String {
    let year: String = at.to_string().chars().take_while(|c| *c != '-').collect();
    format!("{} {year}", subject_matter(record, facts))
}

fn subject_matter(record: &Record, facts: &Facts) -> String {
    let submission = match record {
        Record::Submission(r) => Some(&r.id),
        Record::GrantRequest(r) => Some(&r.submission),
        Record::AccessEvent(r) => Some(&r.submission),
        Record::GrantTransition(r) => facts.grant(r.grant).map(|g| &g.request.submission),
        Record::Agreement(_)
        | Record::Recusal(_)
        | Record::List(_)
        | Record::ListItem(_)
        | Record::CaseOpened(_)
        | Record::Holding(_)
        | Record::Trade(_)
        | Record::Relationship(_)
        | Record::MatchDecision(_)
        | Record::Vulnerability(_)
        | Record::Referral(_)
        | Record::LegalHold(_) => {
            return "ethics".to_owned();
        }
        _ => return "directory".to_owned(),
    };
    // An access to something nobody recorded must not make a key for every name a gateway can invent.
    match submission.filter(|id| matches!(record, Record::Submission(_)) || facts.submission(id).is_some()) {
        Some(id) => format!("submission:{id}"),
        None => "unfiled".to_owned(),
    }
}
