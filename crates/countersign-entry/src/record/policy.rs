//! The rules' parameters as versioned data. Policy turns verdicts into a decision; it cannot make a verdict.

use serde::{Deserialize, Serialize};

use super::directory::Tier;
use super::ethics::AgreementKind;
use super::preclearance::PreclearancePolicy;
use crate::ids::{IdError, LeafIndex, Line, OrganizationId, RecordId};
use crate::time::Micros;

/// What a policy may demand signatures on, of whoever asks or of a second person: what lets somebody in, and what decides who may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SignedType {
    /// Requests for access.
    #[serde(rename = "grant.request")]
    GrantRequest,
    /// Moves of a grant that let somebody in: to approved, active, recused, waived, authorized.
    #[serde(rename = "grant.transition")]
    GrantTransition,
    /// Lists.
    #[serde(rename = "list")]
    List,
    /// What is on them.
    #[serde(rename = "list.item")]
    ListItem,
    /// Lists and what is on them, with the signature of a second person of the ethics office.
    #[serde(rename = "list.approval")]
    ListApproval,
    /// Policies.
    #[serde(rename = "policy")]
    Policy,
}

/// What a verdict's outcome does to the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing: access goes on, with its obligations.
    Allow,
    /// The ethics office decides.
    Refer,
    /// No.
    Deny,
}

/// The effect of each verdict on the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Effects {
    /// Of `participate`.
    pub participate: Effect,
    /// Of `hold`.
    pub hold: Effect,
    /// Of `trade`.
    pub trade: Effect,
}

/// A source that has to be read often enough for anybody to be let in on what it last said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// The importer that reads it, without its version: `house-ptr`.
    pub importer: Line,
    /// Seconds after which its last import is too old.
    pub max_age_seconds: u64,
}

/// One agency's ethics office may see what people of another file, and decide on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RoutineUse {
    /// Whose people file: an organization, and all under it.
    pub filers_of: OrganizationId,
    /// Whose ethics office sees it: an organization, and all under it.
    pub seen_by: OrganizationId,
    /// The notice that lets it: a routine use of the system of records (5 U.S.C. 552a(b)(3), (e)(4)(D)).
    pub authority: Line,
}

/// An agency's policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, try_from = "PolicyFields")]
pub struct Policy {
    /// Its id.
    pub id: RecordId,
    /// Its version, counting up.
    pub version: u32,
    /// When it takes effect: at this time, or when it is recorded if that is later.
    pub effective_from: Micros,
    /// Approvals a grant needs, by as many different people.
    pub approvals_required: u32,
    /// Agreements a person must have signed before access (NIST SP 800-53 PS-6).
    pub agreements_required: Vec<AgreementKind>,
    /// What a verdict of `refer` does.
    pub on_refer: Effects,
    /// What a verdict of `block` does.
    pub on_block: Effects,
    /// What `participate: block` does where the duty needs no participation: access is not participation (18 U.S.C. 208).
    pub on_block_without_participation: Effect,
    /// Seconds between openings of cases.
    pub case_cadence_seconds: u64,
    /// The farthest tier in which a trade after access becomes a case. One farther off is found all the same, and shown.
    pub case_tier_max: Tier,
    /// Seconds an access event's own time may lie ahead of the ledger's clock.
    pub clock_skew_seconds: u64,
    /// Sources without which, or with which too old, nobody is cleared and active grants are suspended.
    pub feeds: Vec<Feed>,
    /// How requests to trade are answered; none clears nothing and asks for no request.
    pub preclearance: Option<PreclearancePolicy>,
    /// Types of records that are only taken with the signature of whoever asks, by their own key. Left out where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures_required: Vec<SignedType>,
    /// Whose filings are seen beyond their own agency. Left out where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routine_uses: Vec<RoutineUse>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct PolicyFields {
    id: RecordId,
    version: u32,
    effective_from: Micros,
    approvals_required: u32,
    agreements_required: Vec<AgreementKind>,
    on_refer: Effects,
    on_block: Effects,
    on_block_without_participation: Effect,
    case_cadence_seconds: u64,
    case_tier_max: Tier,
    clock_skew_seconds: u64,
    feeds: Vec<Feed>,
    preclearance: Option<PreclearancePolicy>,
    #[serde(default)]
    signatures_required: Vec<SignedType>,
    #[serde(default)]
    routine_uses: Vec<RoutineUse>,
    supersedes: Option<LeafIndex>,
}

impl TryFrom<PolicyFields> for Policy {
    type Error = IdError;
    fn try_from(f: PolicyFields) -> Result<Self, IdError> {
        let bad = |rule| Err(IdError { what: "a policy", rule });
        if !(1..=8).contains(&f.approvals_required) {
            return bad("asks for 1 to 8 approvals");
        }
        if !(60..=604_800).contains(&f.case_cadence_seconds) {
            return bad("opens cases every 60 to 604,800 seconds");
        }
        if f.clock_skew_seconds > 86_400 {
            return bad("allows at most a day of clock skew");
        }
        if f.feeds.iter().any(|feed| !(3_600..=31_536_000).contains(&feed.max_age_seconds)) {
            return bad("lets a feed be an hour to a year old");
        }
        // A policy may be stricter than the verdicts, never blind to them: that is what "missing evidence never clears" means here.
        if f.on_refer.participate == Effect::Allow || f.on_block.participate != Effect::Deny {
            return bad("never lets a person take part against a verdict on participation");
        }
        Ok(Policy {
            id: f.id,
            version: f.version,
            effective_from: f.effective_from,
            approvals_required: f.approvals_required,
            agreements_required: f.agreements_required,
            on_refer: f.on_refer,
            on_block: f.on_block,
            on_block_without_participation: f.on_block_without_participation,
            case_cadence_seconds: f.case_cadence_seconds,
            case_tier_max: f.case_tier_max,
            clock_skew_seconds: f.clock_skew_seconds,
            feeds: f.feeds,
            preclearance: f.preclearance,
            signatures_required: f.signatures_required,
            routine_uses: f.routine_uses,
            supersedes: f.supersedes,
        })
    }
}
