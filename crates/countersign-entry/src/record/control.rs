//! Records the format itself defines: genesis, data keys, redactions, key events (ledger-format sections 4, 5 and 9).

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::ids::{Hash32, LeafIndex, Line, PrincipalId};

/// Entry 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// The log's name, equal to every checkpoint's.
    pub origin: Line,
    /// The format's version, `1`.
    pub format: u32,
    /// C2SP vkeys, the pinned one among them.
    pub keys: Vec<Line>,
}

/// A data key exists from here on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataKeyCreated {
    /// Unique in the log, never 0, never reused.
    pub key_id: u32,
    /// Hash by which a key that is handed over can be told from another.
    pub check: Hash32,
}

/// Every wrapped copy of a data key is erased.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataKeyDestroyed {
    /// The key.
    pub key_id: u32,
    /// Legal ground.
    pub authority: Line,
    /// Who approved.
    pub approvers: Vec<PrincipalId>,
    /// `COSE_Sign1` of each approver's own key over the request, in the order of the approvers; left out where they did not sign.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ByteBuf>,
}

/// Fields of an earlier entry are erased.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redaction {
    /// An earlier entry of kind 1.
    pub target: LeafIndex,
    /// Fields present and not yet erased, none of the common four.
    pub fields: Vec<String>,
    /// The target's key.
    pub key_id: u32,
    /// Legal ground.
    pub authority: Line,
    /// Two or more, neither the actor of the redaction nor of the target.
    pub approvers: Vec<PrincipalId>,
    /// SHA-256 of the rewritten record.
    pub resealed_hash: Hash32,
    /// `COSE_Sign1` of each approver's own key over the request, in the order of the approvers; left out where they did not sign.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ByteBuf>,
}

/// The log's key changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRotated {
    /// vkey signing until now.
    pub old: Line,
    /// vkey signing from now on.
    pub new: Line,
    /// By the old key over the rotation text.
    #[serde(with = "serde_bytes")]
    pub old_signature: Vec<u8>,
    /// By the new key over the rotation text.
    #[serde(with = "serde_bytes")]
    pub new_signature: Vec<u8>,
    /// Tree size to which both keys sign every checkpoint.
    pub both_until: u64,
    /// Why.
    pub reason: Line,
    /// The token's own statement about the key, where it gives one.
    pub attestation: Option<ciborium::Value>,
    /// Who approved.
    pub approvers: Vec<PrincipalId>,
    /// `COSE_Sign1` of each approver's own key over the request, in the order of the approvers; left out where they did not sign.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ByteBuf>,
}

/// A key is trusted no longer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRevoked {
    /// The key.
    pub vkey: Line,
    /// The last tree size it is trusted for.
    pub last_size: u64,
    /// A vkey trusted afterwards.
    pub by: Line,
    /// By that key over the revocation text.
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
    /// Why.
    pub reason: Line,
    /// Who approved.
    pub approvers: Vec<PrincipalId>,
    /// `COSE_Sign1` of each approver's own key over the request, in the order of the approvers; left out where they did not sign.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ByteBuf>,
}

/// What the token says of a signing key, as the operator's program read it: the token signs nothing of this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyAttested {
    /// The key, a vkey of this log.
    pub vkey: Line,
    /// Maker, model, serial number and versions of token and module; where and how the key was made, and whether it can leave.
    pub attestation: ciborium::Value,
    /// SHA-256 of the transcript of the ceremony in which the key was made, where there was one.
    pub transcript: Option<Hash32>,
}

/// Entries are lost for good: the ledger goes on from a backup, under a key that followed the one that signed them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyLossDeclared {
    /// Index of the first lost entry: the size of what was restored.
    pub first: u64,
    /// The newest head known of what was lost, as a signed note: its size is one more than the index of the last entry known to be lost.
    #[serde(with = "serde_bytes")]
    pub head: Vec<u8>,
    /// Why.
    pub reason: Line,
    /// Who approved.
    pub approvers: Vec<PrincipalId>,
    /// `COSE_Sign1` of each approver's own key over the request, in the order of the approvers; left out where they did not sign.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ByteBuf>,
}

/// An officer's own key (PIV/CAC or another X.509 key): what it signs from here on, this principal asked or approved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficerEnrolled {
    /// Whose.
    pub principal: PrincipalId,
    /// SubjectPublicKeyInfo, DER.
    #[serde(with = "serde_bytes")]
    pub key: Vec<u8>,
    /// Why.
    pub reason: Line,
    /// Who approved.
    pub approvers: Vec<PrincipalId>,
    /// `COSE_Sign1` of each approver's own key over the request, in the order of the approvers; left out where they did not sign.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ByteBuf>,
}

/// An officer's key is trusted no longer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficerRevoked {
    /// Whose.
    pub principal: PrincipalId,
    /// SubjectPublicKeyInfo, DER.
    #[serde(with = "serde_bytes")]
    pub key: Vec<u8>,
    /// Why.
    pub reason: Line,
    /// Who approved.
    pub approvers: Vec<PrincipalId>,
    /// `COSE_Sign1` of each approver's own key over the request, in the order of the approvers; left out where they did not sign.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ByteBuf>,
}
