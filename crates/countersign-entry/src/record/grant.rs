//! Grants and their states (domain.md section 5). A grant is named by the leaf index of its request.

use serde::{Deserialize, Serialize};

use super::assessment::Assessment;
use crate::ids::{LeafIndex, Line, PersonId, Reference, SubmissionId};
use crate::time::Micros;

/// Where a grant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    /// Being written; never recorded.
    Draft,
    /// Handed in.
    Submitted,
    /// The rules run.
    Checking,
    /// Cleared.
    Clear,
    /// The facts leave it open.
    Undetermined,
    /// Something was asked for.
    InfoRequested,
    /// A rule stands against it.
    Conflict,
    /// The ethics office decides.
    EthicsReview,
    /// Access without participation.
    Recused,
    /// Waived under 18 U.S.C. 208(b).
    Waived,
    /// Authorized under 5 CFR 2635.502(d).
    #[serde(rename = "authorized_502")]
    Authorized502,
    /// An interest is being given up.
    Divesting,
    /// No.
    Denied,
    /// Agreements are being signed.
    Agreement,
    /// Approved by everybody who must.
    Approved,
    /// Access is open.
    Active,
    /// Access is stopped for now.
    Suspended,
    /// The window or the grant's own time ran out.
    Expired,
    /// Taken back.
    Revoked,
    /// The person left.
    Departed,
    /// Duties go on after access.
    CoolingOff,
    /// Over.
    Closed,
}

/// A request for access. Its leaf index is the grant's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GrantRequest {
    /// Who is to have access.
    pub person: PersonId,
    /// To what.
    pub submission: SubmissionId,
    /// The duty it is for.
    pub duty: Line,
    /// Whether the duty needs participation in the matter. 18 U.S.C. 208 never bars access, only participation.
    pub needs_participation: bool,
    /// When the grant ends; never later than the window.
    pub expires_at: Micros,
    /// What the requester gets to name the request by. Filled in by the ledger.
    pub reference: Option<Reference>,
    /// What the rules said. Filled in by the ledger.
    pub assessment: Option<Assessment>,
    /// Where that left the grant. Filled in by the ledger.
    pub result: Option<GrantState>,
}

/// A move to another state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GrantTransition {
    /// The grant.
    pub grant: LeafIndex,
    /// The state asked for.
    pub to: GrantState,
    /// The entry that caused it, where one did.
    pub cause: Option<LeafIndex>,
    /// Why, in words.
    pub reason: Option<Line>,
    /// What the rules said when they were run again. Filled in by the ledger.
    pub assessment: Option<Assessment>,
    /// Where that left the grant. Filled in by the ledger.
    pub result: Option<GrantState>,
}
