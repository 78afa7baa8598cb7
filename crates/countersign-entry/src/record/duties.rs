//! Who files what, and what became of each duty that has a date: reports, notices, divestitures, ethics agreements.

use serde::{Deserialize, Serialize};

use crate::ids::{Date, Hash32, LeafIndex, Line, PersonId, RecordId};

/// Which financial disclosure report somebody files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// OGE Form 278e, public (5 CFR 2634.202).
    Public,
    /// OGE Form 450, confidential (5 CFR 2634.904).
    Confidential,
}

/// Somebody holds a position whose incumbent files a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Filer {
    /// Its id.
    pub id: RecordId,
    /// Who.
    pub person: PersonId,
    /// Which report.
    pub report: Report,
    /// The day they assumed the position.
    pub from: Date,
    /// The day they left it.
    pub until: Option<Date>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// A duty that has a date. Each is named by whose it is, its kind, and the day it counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DutyKind {
    /// The report on assuming the position: counts from that day (5 CFR 2634.201(b), 2634.903(b)).
    NewEntrant,
    /// The annual report: counts from 1 January of the year it is due in (5 CFR 2634.201(a), 2634.903(a)).
    Annual,
    /// The report on leaving: counts from that day (5 CFR 2634.201(e)).
    Termination,
    /// The report of transactions, OGE Form 278-T: counts from the day of the trade (5 CFR 2634.201(f)).
    Transactions,
    /// The agency's review of a report: counts from the day it was received (5 CFR 2634.605(a)).
    Review,
    /// The notice that talks about a job began: counts from that day (5 CFR 2635.607).
    NegotiationNotice,
    /// Giving up an interest: counts from the direction to (5 CFR 2635.403(d)).
    Divestiture,
    /// What an ethics agreement promises: counts from its day (5 CFR 2634.802(b)).
    EthicsAgreement,
}

/// What happened with a duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DutyStep {
    /// It was imposed, where no other record says so: a divestiture, an ethics agreement.
    Imposed,
    /// Whoever owes it was reminded.
    Reminded,
    /// It has another day, for cause or hardship.
    Extended,
    /// It was met: the report, notice or evidence was received.
    Met,
}

/// Something happened with a duty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DutyEvent {
    /// Whose duty.
    pub person: PersonId,
    /// Which.
    pub duty: DutyKind,
    /// The day it counts from.
    pub since: Date,
    /// What happened.
    pub step: DutyStep,
    /// On which day.
    pub on: Date,
    /// The day it is due instead, with [`DutyStep::Extended`] and with nothing else.
    pub until: Option<Date>,
    /// SHA-256 of the report, notice or reminder, kept elsewhere.
    pub document_hash: Option<Hash32>,
    /// What there is to say of it.
    pub text: Option<Line>,
}
