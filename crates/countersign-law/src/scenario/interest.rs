//! What is owned, owed and earned.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::day::Day;

/// One thing somebody owns, owes or is paid.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Interest {
    /// Name of it, for the answer. Left out: its place in the list.
    pub id: String,
    /// Whose it is.
    pub holder: Option<Holder>,
    /// What it is.
    pub asset: Option<Asset>,
    /// Issuer, debtor, sponsor, payer or place. The name by which the matter's `concerns` lists it.
    pub issuer: String,
    /// Listed on a national exchange and registered with the SEC (for bonds: registered, of a listed issuer).
    pub publicly_traded: Option<bool>,
    /// What it is worth, in whole dollars. Left out: not known.
    pub value: Option<Amount>,
    /// The person knows that it is held.
    pub known_to_person: Option<bool>,
    /// The person knows what it is worth now.
    pub value_known_to_person: Option<bool>,
    /// A standing order sells whatever exceeds this value.
    pub sold_above: Option<u64>,
    /// The day it was sold or given up.
    pub divested_on: Option<Day>,
    /// What, on the papers, a decision of the matter one way or the other does to the holder.
    pub if_decided: Option<IfDecided>,
    /// Mutual funds and unit trusts.
    pub fund: Option<Fund>,
    /// Pension and other benefit plans.
    pub plan: Option<Plan>,
    /// Loyalty programmes: open to everybody.
    pub open_to_public: Option<bool>,
    /// Federal pay and benefits: the matter is about this holder's own pay, position or award, alone or as one of a few who are named; `false`: it is about a
    /// group, such as everybody of a grade.
    pub about_this_holder_alone: Option<bool>,
    /// A general partner's: how the partnership stands to it.
    pub partnership: Option<Partnership>,
    /// How it was come by or is kept where a paper forbids it.
    pub held_against: Option<HeldAgainst>,
    /// What the agency does to the issuer or to its kind.
    pub agency_towards_issuer: Option<AgencyTowardsIssuer>,
}

/// Whose an interest is, or who has a tie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// The person.
    #[serde(rename = "self")]
    Own,
    /// Spouse.
    Spouse,
    /// Minor child.
    MinorChild,
    /// Adult child.
    AdultChild,
    /// Child whose age is not stated.
    Child,
    /// Parent.
    Parent,
    /// Sibling.
    Sibling,
    /// Another relative with whom the person is close.
    CloseRelative,
    /// Somebody else who lives in the household.
    HouseholdMember,
    /// A general partner of the person.
    GeneralPartner,
    /// An organization the person serves; say in `ties` in which role.
    Organization,
    /// Somebody with whom the person talks about a job; say in `job_contacts` how far it has come.
    ProspectiveEmployer,
    /// Friend.
    Friend,
    /// Somebody else.
    Other,
}

/// What an interest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Asset {
    /// Common or preferred stock.
    Stock,
    /// Corporate bond.
    CorporateBond,
    /// Bond of a State, city or their instrumentality.
    MunicipalBond,
    /// Treasury bond or note of more than a year.
    TreasuryBond,
    /// Treasury bill of a year or less, or savings bond.
    TreasuryBillOrSavingsBond,
    /// Mutual fund, open or closed, or money market fund; fill in `fund`.
    MutualFund,
    /// Unit investment trust; fill in `fund`.
    UnitTrust,
    /// Limited partnership interest.
    LimitedPartnership,
    /// General partnership interest.
    GeneralPartnership,
    /// Stake in a venture or private fund, special purpose vehicle, SAFE, profits interest.
    PrivateStake,
    /// Option or warrant.
    Option,
    /// Future or other derivative.
    Derivative,
    /// Cryptocurrency, stablecoin or token.
    Crypto,
    /// Event contract.
    EventContract,
    /// Land, house, mineral or other right in property.
    RealProperty,
    /// Money the holder owes on fixed terms.
    LoanOwed,
    /// Money owed to the holder.
    LoanMade,
    /// Salary.
    Salary,
    /// Bonus, profit share or pay that moves with results.
    BonusOrProfitShare,
    /// Fee for work on this very matter.
    FeeForThisMatter,
    /// Contract or subcontract of the holder.
    ContractOrSubcontract,
    /// Practice, shop or business of the holder's own.
    OwnBusiness,
    /// Pension, 401(k) or another benefit plan of a private employer; fill in `plan`.
    BenefitPlan,
    /// Pension plan of a State or local government; fill in `plan`.
    StateOrLocalPension,
    /// Thrift Savings Plan.
    ThriftSavingsPlan,
    /// Policy with a mutual insurance company.
    MutualInsurancePolicy,
    /// Frequent flier, discount or other loyalty programme.
    LoyaltyProgram,
    /// Federal salary, award, benefit, position, travel or fees.
    FederalPayOrBenefits,
    /// Share by birthright in a tribe, in an allotment held in trust, or in a claims fund held in trust; `issuer` names it.
    IndianBirthright,
    /// Social Security or veterans' benefits.
    SocialSecurityOrVeteransBenefits,
    /// Use of a medical product, or prescribing it for patients.
    MedicalUse,
    /// Use of electric power.
    ElectricPower,
    /// What an organization itself gains or loses.
    OrganizationsOwnAffairs,
    /// Investment of an organization, such as an endowment.
    OrganizationsInvestment,
    /// Something else.
    Other,
}

impl Asset {
    /// Whether it is one of the securities the exemptions of 5 CFR 2640.202 can reach (2640.102(r)).
    pub fn is_security(self) -> bool {
        use Asset::*;
        matches!(self, Stock | CorporateBond | MunicipalBond | TreasuryBond | LimitedPartnership)
    }
}

/// What a decision does to a holder, on the papers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IfDecided {
    /// The issuer or organization gains, pays, wins, loses or must do something because of it.
    IssuerGainsOrPays,
    /// The holder's pay, bonus, fee or job changes.
    HoldersPayOrJobChanges,
    /// What is held rises or falls in value.
    ValueChanges,
    /// It impairs what the issuer, insurer or plan sponsor is able to pay.
    AbilityToPayImpaired,
    /// A new position outside the Government comes to the holder.
    NewOutsidePosition,
    /// Something changes only if other events, which do not depend on the matter, follow.
    OnlyIfOtherEventsFollow,
    /// Something changes only because the economy at large does.
    OnlyThroughTheEconomy,
    /// The papers show no change for the holder.
    NothingChanges,
}

/// A mutual fund or unit trust.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fund {
    /// What the prospectus says it concentrates in.
    pub prospectus_concentrates_in: Option<Concentration>,
    /// The industry, business, country or State it names.
    pub sector: String,
    /// Name of the holding that the matter concerns.
    pub holding: String,
    /// That holding is of the sector the fund concentrates in.
    pub holding_is_in_that_sector: Option<bool>,
    /// The matter is about the fund or its manager, not about what it holds.
    pub matter_is_about_the_fund: Option<bool>,
}

/// What a fund concentrates in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Concentration {
    /// States no such policy.
    Nothing,
    /// An industry.
    Industry,
    /// A business.
    Business,
    /// One country other than the United States.
    OneForeignCountry,
    /// Bonds of one State.
    BondsOfOneState,
}

/// A benefit plan.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// The trustee or manager has a written policy of varying investments.
    pub written_policy_of_varying: Option<bool>,
    /// The trustee is independent, or a registered adviser.
    pub independent_trustee: Option<bool>,
    /// The holder picks single investments (choosing among categories is not that).
    pub holder_picks_investments: Option<bool>,
    /// Profit-sharing or stock bonus plan (a 401(k) plan is not one).
    pub profit_sharing_or_stock_bonus: Option<bool>,
    /// Name of a holding of the plan that the matter concerns.
    pub holding: String,
    /// The matter bears on the plan's sponsor, not only on what the plan holds.
    pub matter_is_about_sponsor: Option<bool>,
    /// Guarantees fixed payments.
    pub fixed_payments: Option<bool>,
}

/// How a partnership stands to a general partner's interest.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Partnership {
    /// The interest has to do with the partnership: belongs to it, is pledged for it, came through it.
    pub interest_has_to_do_with_it: Option<bool>,
    /// The person is in it as a limited partner.
    pub person_is_limited_partner: Option<bool>,
    /// How many limited partners it has.
    pub limited_partners: Option<u64>,
}

/// A rule that the interest is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeldAgainst {
    /// A statute.
    Statute,
    /// A supplemental regulation of the agency.
    SupplementalRegulation,
    /// An individual determination under 5 CFR 2635.403(b).
    IndividualDetermination,
    /// Nothing forbids it.
    Nothing,
}

/// What the agency does to an issuer or to its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgencyTowardsIssuer {
    /// Regulates, examines, licenses or insures it.
    RegulatesOrExamines,
    /// Buys from it, funds it or decides policies it comments on.
    BuysFundsOrDecidesPolicyFor,
    /// Nothing.
    Nothing,
}
