//! Staff of investment advisers, and information that is told across a wall.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::day::Day;

/// What somebody on an investment adviser's staff gets to see, and the reports of what is held (17 CFR 275.204A-1).
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccessPerson {
    /// Sees clients' purchases or sales, or holdings of a fund of the adviser, before the public does.
    pub sees_clients_trades: Option<bool>,
    /// Takes part in recommendations to clients, or sees them before the public does.
    pub sees_recommendations: Option<bool>,
    /// Director, officer or partner of the adviser.
    pub director_officer_or_partner: Option<bool>,
    /// Advice is the adviser's primary business.
    pub advice_is_primary_business: Option<bool>,
    /// Nobody else at the adviser sees any of this, and records of all holdings and transactions are kept.
    pub sole_with_records: Option<bool>,
    /// The day this began.
    pub since: Option<Day>,
    /// The reports of holdings, oldest first.
    pub holdings_reports: Vec<HoldingsReport>,
}

/// A report of what is held.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HoldingsReport {
    /// The day it was submitted.
    pub submitted_on: Option<Day>,
    /// The day its contents are of.
    pub current_as_of: Option<Day>,
}

/// Inside information is told to somebody outside, who is first asked whether to be told.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WallCrossing {
    /// What requires the steps.
    pub rule: Option<SoundingRule>,
    /// The issuer.
    pub issuer: String,
    /// The person is the one told. `false`: the one who tells.
    pub told_to_person: Option<bool>,
    /// Whether it is inside information was considered first, and written down with the reasons.
    pub considered_in_writing: Option<bool>,
    /// The issuer was named, or could be guessed, before there was consent.
    pub named_before_consent: Option<bool>,
    /// The other did not want to be told.
    pub declined: Option<bool>,
    /// The day the other agreed to be told inside information.
    pub consented_on: Option<Day>,
    /// The other was told not to trade on it, nor to cancel or change orders because of it.
    pub told_not_to_trade: Option<bool>,
    /// The other was told to keep it in confidence.
    pub told_to_keep_confidence: Option<bool>,
    /// The day the information was given.
    pub given_on: Option<Day>,
    /// What was told, to whom and when is on record.
    pub recorded: Option<bool>,
    /// The day it ceased to be inside information.
    pub ceased_on: Option<Day>,
    /// The day the other was told so ("cleansed").
    pub told_ceased_on: Option<Day>,
}

/// What requires the steps of a wall crossing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SoundingRule {
    /// Article 11 of Regulation (EU) No 596/2014, also as retained in the United Kingdom.
    MarketAbuseRegulation,
    /// An agreement or policy of the one who tells.
    AgreementOrPolicy,
}
