//! What the rules said about one request, as an entry holds it.

use serde::{Deserialize, Serialize};

use crate::ids::{Hash32, LeafIndex, Line};
use crate::time::Micros;

/// A verdict's value. Ordered from clear to block: the worst reason decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing recorded stands against it.
    Clear,
    /// A human must decide, or evidence is missing.
    Refer,
    /// A rule with an authority stands against it.
    Block,
}

/// The three questions an assessment answers, and the conditions of access beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// May the person take part in the matter (18 U.S.C. 208, 5 CFR 2635.402, 2635.502)?
    Participate,
    /// May the person hold what they hold (5 CFR 2635.403)?
    Hold,
    /// May the person trade (5 CFR 2635.703, 17 CFR 240.10b5-1)?
    Trade,
    /// Conditions of access itself: agreement, window, separation of duties, a standing grant.
    Access,
}

/// What agency policy made of the verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Go on.
    Cleared,
    /// The ethics office decides.
    Referred,
    /// No.
    Denied,
}

/// One rule that did not come out clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The rule's id, such as `R-REC-1`.
    pub rule: Line,
    /// The rule's version.
    pub version: u32,
    /// The verdict it bears on.
    pub bears_on: Verdict,
    /// What it says.
    pub outcome: Outcome,
    /// Where the rule comes from.
    pub cite: Line,
    /// The entries it rests on.
    pub evidence: Vec<LeafIndex>,
}

/// Who has to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ObligedParty {
    /// The person who gets access.
    Subject,
    /// The access officer.
    AccessOfficer,
    /// The ethics office.
    EthicsOffice,
}

/// What has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ObligationKind {
    /// Not trade, and not cause or advise trades, in issuers the submission touches (5 CFR 2635.703; 17 CFR 240.10b5-1).
    NoTrading,
    /// Sign the agreement that is missing.
    SignAgreement,
    /// Say what is held.
    StateInterests,
    /// Keep to the recusal.
    KeepRecusal,
    /// Decide what was referred.
    DecideReferral,
}

/// Who must do what by when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Obligation {
    /// Who.
    pub who: ObligedParty,
    /// What.
    pub what: ObligationKind,
    /// By when, or until when; none where an event ends it.
    pub due: Option<Micros>,
}

/// Three verdicts, what stands behind them, and the decision policy made of them. The conflict crate alone makes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// Digest of the rule set.
    pub rule_set: Hash32,
    /// The policy in force.
    pub policy: Option<LeafIndex>,
    /// May the person take part?
    pub participate: Outcome,
    /// May they hold what they hold?
    pub hold: Outcome,
    /// May they trade in the issuers touched?
    pub trade: Outcome,
    /// What policy made of it.
    pub decision: Decision,
    /// Every rule that did not come out clear.
    pub reasons: Vec<Reason>,
    /// Watch-list items the request touches. They change nothing above; the ethics role alone sees them.
    pub watch: Vec<LeafIndex>,
    /// Who must do what by when.
    pub obligations: Vec<Obligation>,
}
