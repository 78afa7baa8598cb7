//! Trading plans, personal trades under an agency's or adviser's trading rule, and selective disclosure by issuers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::interest::{Asset, Holder};
use crate::day::Day;

/// What a trading plan, contract or instruction says beside its days (17 CFR 240.10b5-1(c)).
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TradingPlan {
    /// It binds: a contract, an instruction to somebody else, or a written plan. A standing limit order is one.
    pub binding: Option<bool>,
    /// It fixes amount, price and date, or a formula for them, or leaves them to somebody who does not know.
    pub fixes_terms: Option<bool>,
    /// The person can still bear on how, when or whether it trades.
    pub person_keeps_influence: Option<bool>,
    /// The person is a director or officer of the issuer.
    pub director_or_officer: Option<bool>,
    /// For directors and officers: the plan states that they know nothing material and adopt it in good faith.
    pub states_no_knowledge: Option<bool>,
    /// The day the issuer reported the results (10-Q, 10-K) of the quarter in which the plan was adopted.
    pub results_reported_on: Option<Day>,
    /// Another plan for the same issuer was open at the time.
    pub other_plan_open: Option<bool>,
    /// It trades everything at once, and another such plan was adopted within the twelve months before.
    pub second_single_trade_within_year: Option<bool>,
    /// The trade was made as the plan says, without a hedge or another trade against it.
    pub followed: Option<bool>,
}

/// A personal trade under a trading rule.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PersonalTrade {
    /// The rule the person is under.
    pub rule: Option<TradingRule>,
    /// Whose account.
    pub holder: Option<Holder>,
    /// What is traded.
    pub asset: Option<Asset>,
    /// The issuer.
    pub issuer: String,
    /// Which way.
    pub side: Option<Side>,
    /// The day of the trade.
    pub on: Option<Day>,
    /// The day it was cleared.
    pub cleared_on: Option<Day>,
    /// Nobody was asked before it was made.
    pub made_without_clearance: Option<bool>,
    /// For a sale: the day of the purchase.
    pub bought_on: Option<Day>,
    /// For a sale: the price is at most 90 percent of what was paid.
    pub at_most_90_percent_of_cost: Option<bool>,
    /// Carried on margin.
    pub on_margin: Option<bool>,
    /// In an initial public offering or direct listing, or within seven calendar days after its effective day.
    pub within_7_days_of_ipo: Option<bool>,
    /// The agency directly regulates the issuer.
    pub agency_regulates_issuer: Option<bool>,
    /// The issuer is under investigation by the agency, or a party to a proceeding before it or with it.
    pub issuer_in_agency_proceeding: Option<bool>,
    /// A mutual fund or unit trust concentrates in a sector.
    pub sector_fund: Option<bool>,
    /// The day its confirmation was received.
    pub confirmed_on: Option<Day>,
    /// The day it was reported.
    pub reported_on: Option<Day>,
    /// Bought in an offering by the issuer.
    pub offering: Option<Offering>,
    /// In an account over which the person has no influence or control, direct or indirect.
    pub account_without_influence: Option<bool>,
    /// Made by a plan that buys or sells by itself, on a schedule set before.
    pub automatic_plan: Option<bool>,
    /// A fund that the adviser, or somebody of its group, advises or underwrites.
    pub fund_of_the_adviser: Option<bool>,
    /// The day a broker's confirmation or statement that shows it reached the adviser.
    pub statement_received_on: Option<Day>,
}

/// How a security was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Offering {
    /// Registered with the SEC, by an issuer that had not reported to it before.
    InitialPublic,
    /// Exempt from registration: a private placement (Regulation D and the like).
    Limited,
    /// Neither: bought in the market, or from another holder.
    Neither,
}

/// Trading rules of agencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TradingRule {
    /// The SEC's rule for its own staff, 5 CFR 4401.102, or an agency policy adopted in its terms.
    #[serde(rename = "sec_staff_5_cfr_4401_102")]
    SecStaff,
    /// The code of ethics of an investment adviser, 17 CFR 275.204A-1, or an agreement or policy adopted in its terms.
    #[serde(rename = "adviser_code_17_cfr_275_204a_1")]
    AdviserCode,
    /// Another rule or policy; the scenario cannot state its terms.
    Other,
}

/// Which way a trade goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Buys.
    Purchase,
    /// Sells what is held.
    Sale,
    /// Sells what is not held.
    ShortSale,
}

/// An issuer, or somebody on its behalf, tells some and not all (Regulation FD).
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SelectiveDisclosure {
    /// The issuer has securities registered under section 12, or reports under section 15(d), of the Exchange Act.
    pub issuer_reports_to_sec: Option<bool>,
    /// Who speaks.
    pub speaker: Option<Speaker>,
    /// Who is told.
    pub told: Option<Told>,
    /// The one told agreed expressly to keep it in confidence.
    pub agreed_to_confidence: Option<bool>,
    /// The one told owes the issuer a duty of trust or confidence: attorney, banker, accountant.
    pub owes_duty_to_issuer: Option<bool>,
    /// The speaker knew, or was reckless in not knowing, that it was material and nonpublic. `false`: a slip.
    pub knowing: Option<bool>,
    /// The day a senior official learned of a slip.
    pub learned_on: Option<Day>,
    /// The day the issuer told the public.
    pub public_on: Option<Day>,
    /// The day it was told to some.
    pub on: Option<Day>,
}

/// Who speaks for an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// Director, executive officer, investor or public relations officer.
    SeniorOfficial,
    /// Somebody else of the issuer who regularly talks to the market or to holders.
    RegularSpokesperson,
    /// Somebody else of the issuer.
    OtherStaff,
    /// Somebody who tells it in breach of a duty to the issuer.
    InBreachOfDuty,
    /// Somebody who is not the issuer's: an agency, a partner, a reviewer.
    Outsider,
}

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Broker or dealer, or somebody of theirs, analysts among them.
    BrokerOrDealer,
    /// Investment adviser or institutional manager, or somebody of theirs.
    AdviserOrManager,
    /// Investment company or hedge fund, or an affiliate.
    Fund,
    /// Somebody who holds the issuer's securities and can be expected to trade on it.
    HolderLikelyToTrade,
    /// An agency of the Government, in its work.
    Government,
    /// The press.
    Press,
    /// Customer, supplier, partner in business.
    BusinessPartner,
    /// Somebody else.
    Other,
}
