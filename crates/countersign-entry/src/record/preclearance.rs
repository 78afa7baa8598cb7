//! Asking before trading: requests, what the ethics office makes of them, and the policy they are held against.

use serde::{Deserialize, Serialize};

use super::assessment::Assessment;
use super::interest::{Band, HolderRelation, Instrument, InstrumentClass, TradeKind};
use crate::ids::{Date, IdError, LeafIndex, Line, PersonId, Reference};

/// A way of trading that some rules forbid, whatever is traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TradeTerm {
    /// Sells what is not held.
    ShortSale,
    /// Carried on margin.
    OnMargin,
    /// In an initial public offering or direct listing, or within seven days after its effective day.
    InitialOffering,
}

/// A way of trading that a policy never clears, and the text that lets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ForbiddenTerm {
    /// Which.
    pub term: TradeTerm,
    /// The statute, regulation or agency policy: no prohibition is invented.
    pub authority: Line,
}

/// Somebody asks whether they may make a trade. Its leaf index is the pre-clearance's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PreclearanceRequest {
    /// Who is to trade, or whose household is.
    pub person: PersonId,
    /// Whose account it is.
    pub relation: HolderRelation,
    /// In what.
    pub instrument: Instrument,
    /// Which way.
    pub kind: TradeKind,
    /// How many units at most: shares, contracts. Part of a unit counts as a whole one.
    pub quantity: Option<u64>,
    /// Ways of trading that rules may forbid.
    pub terms: Vec<TradeTerm>,
    /// For how much. The upper end is what must not be exceeded.
    pub value: Band,
    /// First day they mean to trade on.
    pub from: Date,
    /// Last day they mean to trade on.
    pub until: Date,
    /// What the requester gets to name the request by. Filled in by the ledger.
    pub reference: Option<Reference>,
    /// What the rules said. Filled in by the ledger.
    pub assessment: Option<Assessment>,
    /// The last day the trade is cleared for; none where it is not cleared. Filled in by the ledger.
    pub cleared_until: Option<Date>,
}

/// What the ethics office decides on a request, whatever the rules said of it. The newest decision stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PreclearanceDecision {
    /// The request's entry.
    pub preclearance: LeafIndex,
    /// The last day the trade is cleared for; none takes a clearance back, or leaves it refused.
    pub cleared_until: Option<Date>,
    /// Why; the ethics role alone sees it.
    pub reason: Line,
}

/// Who has to ask before trading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PreclearanceScope {
    /// Whoever had access to something that is not both public and cleansed.
    PeopleWithAccess,
    /// Everybody in the directory.
    Everybody,
}

/// What access does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccessBar {
    /// Nothing is cleared for whoever has access, but the classes always cleared: a rule everybody can read, so that the answer tells nothing.
    Everything,
    /// What touches the issuer, in any tier. The answer then tells something of what touches what; choose it knowingly.
    Touched,
}

/// The part of an agency's policy that answers requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, try_from = "PreclearancePolicyFields")]
pub struct PreclearancePolicy {
    /// The published rule this is taken from, such as `5 CFR 4401.102`.
    pub basis: Line,
    /// Who has to ask.
    pub required_of: PreclearanceScope,
    /// What access does.
    pub access_bars: AccessBar,
    /// Classes that are always cleared and need no request. What nobody knows the class of is never one of them.
    pub always_cleared: Vec<InstrumentClass>,
    /// Classes that are never cleared by rule, whatever stands above.
    pub never_cleared: Vec<InstrumentClass>,
    /// Ways of trading that are never cleared, each with its authority, also for classes that are always cleared.
    pub forbidden_terms: Vec<ForbiddenTerm>,
    /// Calendar days between request and trade.
    pub notice_days: u32,
    /// Business days a clearance lasts, after the notice is over.
    pub execute_business_days: u32,
    /// Months a purchase is held before a sale is cleared.
    pub hold_months: u32,
    /// Requests a person may make on a day.
    pub daily_quota: u32,
    /// Different instruments a person may ask about within [`Self::probing_days`] before that itself is looked into.
    pub probing_instruments: u32,
    /// Days over which they are counted.
    pub probing_days: u32,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct PreclearancePolicyFields {
    basis: Line,
    required_of: PreclearanceScope,
    access_bars: AccessBar,
    always_cleared: Vec<InstrumentClass>,
    never_cleared: Vec<InstrumentClass>,
    forbidden_terms: Vec<ForbiddenTerm>,
    notice_days: u32,
    execute_business_days: u32,
    hold_months: u32,
    daily_quota: u32,
    probing_instruments: u32,
    probing_days: u32,
}

impl TryFrom<PreclearancePolicyFields> for PreclearancePolicy {
    type Error = IdError;
    fn try_from(f: PreclearancePolicyFields) -> Result<Self, IdError> {
        let bad = |rule| Err(IdError { what: "a pre-clearance policy", rule });
        if !(1..=30).contains(&f.execute_business_days) || f.notice_days > 366 || f.hold_months > 120 {
            return bad("gives 1 to 30 business days to trade, asks for at most 366 days of notice and 120 months of holding");
        }
        if !(1..=1_000).contains(&f.daily_quota) || !(2..=1_000).contains(&f.probing_instruments) || !(1..=366).contains(&f.probing_days) {
            return bad("takes 1 to 1,000 requests a day, and looks into 2 to 1,000 instruments in 1 to 366 days");
        }
        Ok(Self {
            basis: f.basis,
            required_of: f.required_of,
            access_bars: f.access_bars,
            always_cleared: f.always_cleared,
            never_cleared: f.never_cleared,
            forbidden_terms: f.forbidden_terms,
            notice_days: f.notice_days,
            execute_business_days: f.execute_business_days,
            hold_months: f.hold_months,
            daily_quota: f.daily_quota,
            probing_instruments: f.probing_instruments,
            probing_days: f.probing_days,
        })
    }
}
