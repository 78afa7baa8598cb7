//! A model handed over for pre-release review, with its window.

use serde::{Deserialize, Serialize};

use crate::ids::{Hash32, LeafIndex, Line, ModelId, ProviderId, SubmissionId};
use crate::time::{Micros, Window};

/// The developer's voluntary offer: no offer, no grant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// When it was made.
    pub offered_at: Micros,
    /// SHA-256 of the terms document.
    pub terms_hash: Hash32,
    /// What access is for, in the developer's words.
    pub purpose: Line,
    /// When it was withdrawn.
    pub revoked_at: Option<Micros>,
}

/// What ended, or will end, the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WindowEndEvent {
    /// Release to other trusted partners: what the order's window runs to.
    TrustedPartnerRelease,
    /// Release to the public.
    PublicRelease,
    /// The developer withdrew the offer.
    Withdrawal,
    /// The days ran out.
    Lapse,
}

/// Whether work on a submission goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SubmissionStatus {
    /// Open.
    Open,
    /// Stopped for now: every grant under it is suspended.
    Suspended,
    /// Withdrawn or ended.
    Closed,
}

/// Who owns the information; with the basis of confidentiality it decides what can be charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum InformationOwner {
    /// The developer.
    Developer,
    /// The agency.
    Agency,
    /// Both.
    Joint,
}

/// Overall level of a marking, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MarkingLevel {
    /// Unclassified.
    Unclassified,
    /// Controlled unclassified information (32 CFR 2002).
    Cui,
    /// Confidential.
    Confidential,
    /// Secret.
    Secret,
    /// Top secret.
    TopSecret,
}

/// A marking as fields, never as free text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Marking {
    /// Overall level.
    pub level: MarkingLevel,
    /// CUI categories or control systems, in banner order.
    pub categories: Vec<Line>,
    /// Dissemination controls, in banner order.
    pub dissemination: Vec<Line>,
}

impl From<MarkingLevel> for Marking {
    /// The level alone.
    fn from(level: MarkingLevel) -> Self {
        Self { level, categories: Vec::new(), dissemination: Vec::new() }
    }
}

/// A submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// Random id.
    pub id: SubmissionId,
    /// Who offers the model.
    pub provider: ProviderId,
    /// The model, where its name may stand here; hosts that serve it touch the submission.
    pub model: Option<ModelId>,
    /// GICS sub-industries that what it can do bears on, named by the access officer: their listed issuers are downstream.
    pub downstream: Vec<Line>,
    /// What people call it here; a neutral label where the model's name is itself non-public.
    pub title: Line,
    /// Authority and section every grant under it cites.
    pub authority: Line,
    /// The voluntary offer; none yet means no grant.
    pub offer: Option<Offer>,
    /// Opaque reference to the designation on the high side. Benchmark values never enter the ledger.
    pub designation: Option<Line>,
    /// When review may happen.
    pub window: Window,
    /// What ends the window.
    pub window_end_event: WindowEndEvent,
    /// When the public got the model; none while it has not. What was seen stays non-public until then, whatever the window.
    pub public_release_at: Option<Micros>,
    /// When recipients were told that what they know is no longer inside information.
    pub cleansed_at: Option<Micros>,
    /// Whether work goes on.
    pub status: SubmissionStatus,
    /// Marking of what is shown under it.
    pub marking: Marking,
    /// Who owns the information.
    pub information_owner: InformationOwner,
    /// Why it is confidential.
    pub confidentiality_basis: Line,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}
