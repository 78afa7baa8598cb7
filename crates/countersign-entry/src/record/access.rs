//! Accesses, and reads of the ledger itself.

use ciborium::Value;
use serde::{Deserialize, Serialize};

use super::assessment::Assessment;
use super::submission::{InformationOwner, MarkingLevel};
use crate::ids::{LeafIndex, Line, PersonId, SubmissionId, Token};
use crate::time::Micros;

/// What came of an access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccessResult {
    /// It happened.
    Success,
    /// The enforcement point refused.
    Refused,
    /// It failed.
    Error,
}

/// Somebody touched pre-release model information (NIST SP 800-53 AU-3: what, when, where, source, outcome, identity).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AccessEvent {
    /// Who.
    pub person: PersonId,
    /// What was touched.
    pub submission: SubmissionId,
    /// The grant it happened under; none where there was none, which opens a case.
    #[serde(default)]
    pub grant: Option<LeafIndex>,
    /// What was done: `view`, `query`, `download`, …
    pub action: Token,
    /// When, as the source tells.
    pub occurred_at: Micros,
    /// Which part: weights, card, a transcript.
    #[serde(default)]
    pub artefact: Option<Line>,
    /// What came of it.
    #[serde(default)]
    pub result: Option<AccessResult>,
    /// Which gateway or system tells.
    #[serde(default)]
    pub source: Option<Line>,
    /// Its own id for the event.
    #[serde(default)]
    pub source_id: Option<Line>,
    /// The session it belongs to.
    #[serde(default)]
    pub session: Option<Line>,
    /// Marking of what was touched.
    #[serde(default)]
    pub marking: Option<MarkingLevel>,
    /// Who owns the information.
    #[serde(default)]
    pub information_owner: Option<InformationOwner>,
    /// Anything else the source tells; never prompts or outputs.
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, String>"))]
    pub detail: Value,
    /// What the rules said. Filled in by the ledger.
    #[serde(default)]
    pub assessment: Option<Assessment>,
    /// The record this one takes the place of.
    #[serde(default)]
    pub supersedes: Option<LeafIndex>,
}

/// Somebody looked at the ledger. The actor is the reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// What was asked: `issuer`, `person`, `submission`, …
    pub question: Token,
    /// About what: an id, never a name.
    pub subject: Line,
    /// Rows that came back.
    pub rows: u64,
    /// Tree size the answer was true for; 0 where something was asked to be made, and nothing is shown yet.
    pub as_of: u64,
    /// The reader's own number of the inquiry it was asked under, as an inspector general's has one (5 U.S.C. 406(a)(1)); left out where none was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inquiry: Option<Line>,
}
