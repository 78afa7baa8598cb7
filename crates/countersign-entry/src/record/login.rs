//! What somebody shows to act on the ledger over the network, and for which principal it stands.

use serde::{Deserialize, Serialize};

use super::CredentialKind;
use crate::ids::{Date, Hash32, Line, PrincipalId, RecordId};

/// Whoever shows this credential acts as the principal. What it may do is in the principal's roles, and nowhere else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CredentialLinked {
    /// Its id, used once. Of an interface's key it is the public part.
    pub id: RecordId,
    /// For whom it stands.
    pub principal: PrincipalId,
    /// What it is: `piv` by its user principal name, `cac` by the number (EDIPI) in its common name, `certificate` by the SHA-256 of its DER in hex,
    /// `oidc` by issuer and subject, `api_key` by its hash. Others let nobody act.
    pub kind: CredentialKind,
    /// Who gave it out: of a certificate its issuer's distinguished name (RFC 4514), of a token its `iss`, of an interface's key the ledger's origin.
    pub issuer: Line,
    /// What the issuer calls its holder: user principal name, EDIPI, thumbprint, `sub`, or the key's id. Never an e-mail address that may be
    /// handed on to somebody else.
    pub subject: Line,
    /// SHA-256 of an interface's key, which is 32 random bytes; none of other kinds. The key itself is nowhere.
    pub secret_hash: Option<Hash32>,
    /// Last day it holds; open where only a revocation ends it.
    pub valid_to: Option<Date>,
    /// What shows that it is the principal's.
    pub evidence: Line,
    /// Who looked at that: an approver who is neither the actor nor the person it stands for.
    pub approver: PrincipalId,
}

/// The credential stands for nobody any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CredentialRevoked {
    /// The credential.
    pub id: RecordId,
    /// Why.
    pub reason: Line,
}
