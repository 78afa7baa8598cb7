//! Break-glass: access while nothing can be recorded. It is recorded before, as a voucher, and told afterwards, as a use (NIST SP 800-53 AC-3(2), AC-5).

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::ids::{LeafIndex, Line, PrincipalId};
use crate::time::Micros;

/// One access under a grant may go ahead without a record while nothing can be recorded. It stands in for the ledger's being there and for nothing else:
/// what suspends or ends the grant ends it too. Its entry is its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EmergencyVoucher {
    /// The active grant whose person and submission it is for.
    pub grant: LeafIndex,
    /// When it ends; never later than the grant.
    pub expires_at: Micros,
    /// What it is kept for.
    pub reason: Line,
    /// Two or more: different people, none of them the one who asks or the one who gets access.
    pub approvers: Vec<PrincipalId>,
    /// `COSE_Sign1` of each approver's own key over the request, in the order of the approvers; left out where they did not sign.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub approvals: Vec<ByteBuf>,
}

/// A voucher was used. It becomes a case; until that is closed there are no new vouchers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EmergencyUse {
    /// The voucher's entry.
    pub voucher: LeafIndex,
    /// When access was opened.
    pub used_at: Micros,
    /// Why it could not wait.
    pub reason: Line,
    /// Who opened it together with the one who tells: another person.
    pub approvers: Vec<PrincipalId>,
    /// `COSE_Sign1` of their own key over the request; left out where they did not sign.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub approvals: Vec<ByteBuf>,
}
