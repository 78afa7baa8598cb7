//! Cases: a finding that somebody has to look into, and everything that is done about it. A case is named by the leaf index of its opening.

use serde::{Deserialize, Serialize};

use crate::ids::{Hash32, LeafIndex, Line, PersonId, SubmissionId};

/// A finding became a case. Cases open in batches at a fixed cadence, so that they never show in a requester's numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CaseOpened {
    /// The rule that found it.
    pub rule: Line,
    /// Its version.
    pub version: u32,
    /// Where the rule comes from.
    pub cite: Line,
    /// The entry it was found in.
    pub finding: LeafIndex,
    /// Whom it is about.
    pub person: PersonId,
    /// What it is about; none where it is about no submission.
    pub submission: Option<SubmissionId>,
    /// The entries it rests on.
    pub evidence: Vec<LeafIndex>,
}

/// What is done about a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CaseStep {
    /// Something is noted, with entries or a document as evidence.
    Note,
    /// One ethics officer proposes how it ends.
    Dispose,
    /// Another signs that.
    Approve,
    /// It is taken up again: a proposal is sent back, or a closed case is opened.
    Reopen,
}

/// How a case ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// The match is wrong: another issuer, another person, a fault of the data.
    FalseMatch,
    /// It happened, and no rule stands against it.
    NoViolation,
    /// It rests on a plan, an instruction or an order from before the access (17 CFR 240.10b5-1(c)), or on somebody else's discretion.
    LawfulBasis,
    /// A rule was broken without knowing, and it was put right.
    Corrected,
    /// A rule was broken; the agency acts on it (5 CFR 2635.106).
    Violation,
    /// Handed on: a referral stands for it (28 U.S.C. 535).
    Referred,
}

/// A step in a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CaseEvent {
    /// The case's entry.
    pub case: LeafIndex,
    /// What is done.
    pub step: CaseStep,
    /// How it is to end, with [`CaseStep::Dispose`] and with nothing else.
    pub disposition: Option<Disposition>,
    /// What there is to say of it.
    pub text: Line,
    /// Entries that bear on it.
    pub evidence: Vec<LeafIndex>,
    /// SHA-256 of a document kept elsewhere.
    pub document_hash: Option<Hash32>,
}
