//! Every finding there is: its code, the verdict it alone leads to, and what it means. Test vectors name these codes; they never change.

use crate::report::Verdict;

/// The kind of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Stable name, in kebab case.
    pub name: &'static str,
    /// The verdict such a finding leads to, unless a graver one is found.
    pub verdict: Verdict,
    /// One line for people.
    pub meaning: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $name:literal, $verdict:ident, $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $constant: Code = Code { name: $name, verdict: Verdict::$verdict, meaning: $meaning };)*
        /// Every code.
        pub const ALL: &[Code] = &[$($constant,)*];
    };
}

codes! {
    LEAF_MALFORMED = "leaf-malformed", Tampered, "A leaf is not the one encoding of a version 1 leaf.";
    LEAF_INDEX = "leaf-index", Tampered, "A leaf states another index than its position.";
    LEAF_KIND = "leaf-kind", Tampered, "Genesis elsewhere than at index 0, or another kind at index 0.";
    LEAF_MINUTE = "leaf-minute", Tampered, "A leaf's minute is before that of the leaf before it.";
    CHAIN_BROKEN = "chain-broken", Tampered, "A leaf's bytes do not hash to what the next leaf's prev states.";
    ORIGIN_HASH = "origin-hash", Tampered, "The first leaf's prev is not the hash of the origin.";
    LEAF_HASH = "leaf-hash", Tampered, "A leaf is altered: the tiles give the signed root, the leaf does not fit them.";
    TILE_HASH = "tile-hash", Tampered, "A hash tile is altered: the leaves give the signed root, the tile does not fit them.";
    LEAF_AND_TILE = "leaf-and-tile", Tampered, "Leaf and tile disagree, and neither set gives the signed root.";
    ROOT_MISMATCH = "root-mismatch", Tampered, "The leaves do not give the root in the checkpoint.";
    FILE_MISSING = "file-missing", Tampered, "A file that the size demands is missing.";
    FILE_MALFORMED = "file-malformed", Tampered, "A tile, bundle or segment is short, too long or not of its format.";
    SEALED_MISSING = "sealed-missing", Tampered, "The sealed plane was asked for and there is no sealed/.";
    CONTROL_DIFFERS = "control-differs", Tampered, "control/<index> is not the record the leaf commits to.";
    RECORD_MISSING = "record-missing", Tampered, "A record of length 0.";
    RECORD_MALFORMED = "record-malformed", Tampered, "A stored record cannot be taken apart (scheme, length, key 0).";
    RECORD_SCHEME = "record-scheme", Tampered, "A kind 1 record in scheme 0, or another kind in an encrypted scheme.";
    SEALED_HASH = "sealed-hash", Tampered, "A stored record is not the one the leaf commits to, and no redaction explains it.";
    RECORD_REFUSED = "record-refused", Tampered, "A record does not open, or is wrongly padded, under a key that passes its check.";
    CONTENT_MALFORMED = "content-malformed", Tampered, "What a record holds is not a content.";
    CONTENT_HASH = "content-hash", Tampered, "A content does not give the leaf's content_hash.";
    CONTENT_COMMON = "content-common", Tampered, "type, at, actor or request is missing, erased or of the wrong type; or signed is erased or of the wrong type.";
    CONTENT_MINUTE = "content-minute", Tampered, "The leaf's minute is not at, rounded down.";
    CONTENT_TIME = "content-time", Tampered, "at does not increase.";
    REQUEST_REPEATED = "request-repeated", Tampered, "The same actor and request appear twice.";
    CONTENT_TYPE = "content-type", Tampered, "A type that does not belong under the leaf's kind.";
    CONTENT_ERASED = "content-erased", Tampered, "Fields stand erased that no redaction names, or in an entry that is not of kind 1.";
    CONTROL_FIELDS = "control-fields", Tampered, "A genesis, key, officer, data key or redaction record with missing, unknown or wrongly typed fields.";
    PADDING_FIELDS = "padding-fields", Tampered, "A padding entry that holds something.";
    GENESIS_ORIGIN = "genesis-origin", Tampered, "Genesis names another origin than the checkpoint.";
    GENESIS_FORMAT = "genesis-format", Tampered, "Genesis states another format than 1.";
    GENESIS_KEYS = "genesis-keys", Tampered, "Genesis lists something that is not a sound vkey.";
    DATAKEY_ID = "datakey-id", Tampered, "A data key id is 0 or created twice.";
    DATAKEY_UNKNOWN = "datakey-unknown", Tampered, "A data key is used, or destroyed, that no earlier entry creates.";
    DATAKEY_DESTROYED = "datakey-destroyed", Tampered, "A data key is used, or destroyed again, after it was destroyed.";
    REDACTION_TARGET = "redaction-target", Tampered, "A redaction's target is not an earlier entry of kind 1.";
    REDACTION_FIELD = "redaction-field", Tampered, "A redaction names one of the four common fields, a signature, or a field erased already.";
    REDACTION_KEY = "redaction-key", Tampered, "A redaction's key_id is not the target's.";
    REDACTION_APPROVERS = "redaction-approvers", Tampered, "Fewer than two different approvers, or one who is the actor of the redaction or of the target.";
    REDACTION_HASH = "redaction-hash", Tampered, "The stored record is not the newest rewritten one, or resealed_hash equals sealed_hash.";
    REDACTION_NOT_DONE = "redaction-not-carried-out", Tampered, "A redaction stands in the log and its target's first record is still stored.";
    REDACTION_ERASED = "redaction-erased", Tampered, "The fields erased are not exactly those redacted.";
    KEY_EVENT_KEY = "key-event-key", Tampered, "A key event names a key that is unsound, of another origin, or has no standing at that point.";
    KEY_EVENT_SIGNATURE = "key-event-signature", Tampered, "A signature in a key event does not hold.";
    APPROVAL_MISSING = "approval-missing", Tampered, "An entry that needs a signature of each approver by their own key does not have them.";
    OFFICER_SIGNATURE = "officer-signature", Tampered, "An officer's own signature does not hold over the request of this entry in this ledger.";
    OFFICER_SIGNATURE_KEY = "officer-signature-key", Tampered, "An officer's own signature is by a key that is not enrolled for them at this entry.";
    OFFICER_KEY = "officer-key", Tampered, "An officer's key is unsound, was enrolled before, or is revoked and does not stand.";
    SIGNATURE_BAD = "signature-bad", Tampered, "A signature line under the name and key id of the log's key does not hold.";
    SIGNATURE_BOTH = "signature-both", Tampered, "A checkpoint during a rotation is not signed by both keys.";
    CHECKPOINT_TEXT = "checkpoint-text", Tampered, "The key signed a text that is not a checkpoint.";
    CHECKPOINT_NAME = "checkpoint-name", Tampered, "checkpoints/<size> holds a checkpoint of another size.";
    CHECKPOINT_ROOT = "checkpoint-root", Tampered, "A published or committed checkpoint is not a prefix of this ledger.";
    KNOWN_HEAD_DIVERGES = "known-head-diverges", Tampered, "A kept head is not a prefix of this ledger: another past.";
    SEGMENT_DAMAGED = "segment-damaged", Tampered, "A segment is damaged before its last seal.";
    SEGMENT_MISSING = "segment-missing", Tampered, "The segments do not continue one another.";
    REGISTER_MISSING = "register-missing", Tampered, "There is no head register beside the segments.";
    REGISTER_DAMAGED = "register-damaged", Tampered, "The head register is not of its one form.";
    REGISTER_AHEAD = "register-ahead", Tampered, "The store is shorter than its head register.";
    CONFIG_DIFFERS = "config-differs", Tampered, "countersign.toml is missing or not what genesis gives.";
    LOCK_NOT_EMPTY = "lock-not-empty", Tampered, "The lock file holds something.";
    KEY_FILE = "key-file", Tampered, "A key file is damaged.";
    REPLAY = "replay", Tampered, "A recorded decision is not what the rules give on the facts before it.";
    REPLAY_UNDECIDED = "replay-undecided", CouldNotCheck, "A recorded decision that this version's rules cannot make again.";
    NO_TRUSTED_SIGNATURE = "no-trusted-signature", Untrusted, "No signature by a trusted key.";
    SIGNED_BY_REVOKED = "signed-by-revoked", Untrusted, "Signed only by a key revoked for that size.";
    WRONG_ORIGIN = "wrong-origin", Untrusted, "A checkpoint of another log.";
    GENESIS_WITHOUT_KEY = "genesis-without-key", Untrusted, "Genesis does not list the pinned key.";
    SHORTER_THAN_KNOWN = "shorter-than-known-head", Stale, "The ledger is shorter than a kept or published head.";
    NO_CHECKPOINT = "no-checkpoint", CouldNotCheck, "There is no checkpoint.";
    NOTE_MALFORMED = "note-malformed", CouldNotCheck, "Not a signed note.";
    EMPTY_LEDGER = "empty-ledger", CouldNotCheck, "The checkpoint is of size 0.";
    UNREADABLE = "unreadable", CouldNotCheck, "A file could not be read.";
    KEY_CHECK = "key-check", CouldNotCheck, "A data key that was given is not the one the log created.";
    KEYS_MISSING = "keys-missing", CouldNotCheck, "Everything was asked for and some data keys were not given.";
    RECORD_FIELDS = "record-fields", CouldNotCheck, "A record of a known type has fields this version cannot read.";
    TOO_MANY = "too-many", CouldNotCheck, "More rewritten records than the verifier keeps track of.";
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_lists_every_code_with_its_meaning() {
        let page = include_str!("../../../schemas/verify-report.md");
        for code in super::ALL {
            assert!(page.contains(&format!("| `{}` |", code.name)) && page.contains(code.meaning), "{}", code.name);
        }
    }

    #[test]
    fn names_are_kebab_and_unique() {
        let mut names: Vec<&str> = super::ALL.iter().map(|c| c.name).collect();
        names.sort_unstable();
        let before = names.len();
        names.dedup();
        assert_eq!(before, names.len());
        assert!(names.iter().all(|n| n.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
    }
}
