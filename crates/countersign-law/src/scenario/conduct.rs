//! Use of office and of information; reports and certificates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::interest::Holder;
use super::matter::{Standing, Step};
use super::trading::TradingPlan;
use crate::amount::Amount;
use crate::day::Day;

/// A use of position, title or authority.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OfficeUse {
    /// What is done.
    pub what: Option<OfficeUseKind>,
    /// For whose benefit.
    pub benefits: Option<Holder>,
    /// For a letter: the person dealt with its subject in federal employment.
    pub knows_subject_from_federal_work: Option<bool>,
    /// For a letter: the position it recommends for is a federal one.
    pub for_federal_employment: Option<bool>,
    /// A statute gives the agency the task of promoting such products or exports.
    pub statute_says_promote: Option<bool>,
    /// It documents compliance with the agency's standards, or recognizes achievement under a programme of the agency.
    pub documents_compliance: Option<bool>,
    /// A subordinate does it outside duty hours, of his or her own free will, and for appropriate pay.
    pub freely_off_duty_for_fair_pay: Option<bool>,
    /// It has happened already.
    pub done: Option<bool>,
}

/// What is done with an office.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfficeUseKind {
    /// Names the position or what it is responsible for, to somebody from whom something private is wanted.
    NamesPositionToGetSomething,
    /// Brings a private request into official channels, or asks colleagues to act on it.
    BringsPrivateRequestIntoOffice,
    /// Asks a subordinate for a private service or benefit.
    AsksSubordinateForBenefit,
    /// Recommends somebody on official stationery, or signs with the title.
    RecommendsWithTitleOrStationery,
    /// Mentions the position in the text of a private letter. To mention it in an endorsement is `endorses_with_title`.
    MentionsPositionInText,
    /// Lists the position as occupation in a private account.
    ListsPositionInProfile,
    /// Shows the seal, or says that the agency backs private views.
    ShowsSealOrClaimsBacking,
    /// Endorses a product, service, book or enterprise with title or position, be it in the text alone.
    EndorsesWithTitle,
    /// Supports a company as part of official duties.
    SupportsCompanyAsDuty,
    /// Signs an official letter about a company.
    OfficialLetterAboutCompany,
    /// Is addressed by rank or a general form of address.
    UsesFormOfAddress,
}

/// A use of information.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InformationUse {
    /// How the person came by it.
    pub gained: Option<Gained>,
    /// How it is marked or kept.
    pub protection: Option<Protection>,
    /// The public has it.
    pub public: Option<bool>,
    /// The day the public gets or got it.
    pub public_on: Option<Day>,
    /// What is done with it.
    pub what: Option<InformationUseKind>,
    /// In whose interest.
    pub benefits: Option<Holder>,
    /// Knowingly. `false`: by mistake.
    pub knowingly: Option<bool>,
    /// By the agency's own procedures.
    pub by_agency_procedure: Option<bool>,
    /// How the issuer that is traded, or the company helped, stands to what is known.
    pub about: Option<Standing>,
    /// A binding plan or instruction to trade was adopted on this day.
    pub plan_adopted_on: Option<Day>,
    /// The day the person first knew.
    pub known_on: Option<Day>,
    /// The day of the trade.
    pub on: Option<Day>,
    /// The day of the last change of that plan.
    pub plan_modified_on: Option<Day>,
    /// What the plan says beside its days.
    pub plan: Option<TradingPlan>,
    /// Who told the person, where somebody close or a friend did.
    pub told_by: Option<Holder>,
    /// The two have a history, pattern or practice of sharing confidences.
    pub shares_confidences: Option<bool>,
    /// The person agreed to keep it in confidence.
    pub agreed_to_confidence: Option<bool>,
}

/// How information was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gained {
    /// In official duties, or because of federal employment.
    ThroughFederalEmployment,
    /// Under an agreement to keep it confidential.
    UnderAgreement,
    /// From a spouse, parent, child or sibling, or in confidence.
    InConfidence,
    /// Told by a federal employee who had it from federal employment.
    ToldByFederalEmployee,
    /// Taken without leave from an agency, or from somebody who kept it in confidence.
    Stolen,
    /// Elsewhere, as anybody could.
    AsAnybodyCould,
}

/// How information is marked or kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Exempt from the Freedom of Information Act, or protected by statute, order or regulation.
    ExemptOrProtected,
    /// Marked confidential by the agency.
    MarkedConfidential,
    /// Proprietary to a company.
    Proprietary,
    /// Bid, proposal or source selection information before award.
    SourceSelection,
    /// Not marked, and not given out to the public.
    NotGivenOut,
    /// Given to anybody who asks.
    GivenToAnybody,
}

/// What is done with information.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InformationUseKind {
    /// Trades a security, also an option.
    TradesSecurity,
    /// Trades a commodity, swap or event contract.
    TradesCommodityOrEventContract,
    /// Advises or tips somebody else to trade.
    TipsOthers,
    /// Tells a bidder, competitor or somebody who works for one.
    TellsBidder,
    /// Gets it, or tries to, before the award of the contract it relates to.
    ObtainsBeforeAward,
    /// Helps another company to compete.
    HelpsCompetitor,
    /// Gives it to an organization or a reporter.
    GivesToOrganizationOrPress,
    /// Lets it out by mistake with an official release.
    ReleasedByMistake,
    /// Uses it in official duties.
    OfficialUse,
}

/// Facts about a financial disclosure report.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Filing {
    /// What kind of position.
    pub position: Option<PositionLevel>,
    /// First day in the position.
    pub assumed_on: Option<Day>,
    /// Last day in the position.
    pub left_on: Option<Day>,
    /// Days in the position in the calendar year. Left out: counted from the days given.
    pub days_in_year: Option<u64>,
    /// Held, or took up, another position of public filers within 30 days before or after.
    pub other_filer_position_within_30_days: Option<bool>,
    /// Day of transmittal of a nomination to the Senate.
    pub nominated_on: Option<Day>,
    /// Has filed as a nominee or candidate already.
    pub filed_as_nominee: Option<bool>,
    /// Day a candidate for President or Vice President became one.
    pub candidate_since: Option<Day>,
    /// What the duties are about.
    pub duties: Vec<FilingDuty>,
    /// What the person does in them.
    pub steps: Vec<Step>,
    /// How closely others look over the work.
    pub supervision: Option<Supervision>,
    /// The agency decided under 2634.904(a)(1)(ii) that the position must file.
    pub agency_requires: Option<bool>,
    /// The agency decided that a conflict is remote and excluded the position.
    pub agency_excludes: Option<bool>,
    /// Makes policy or is in a confidential relation to those who do (Schedule C and the like).
    pub policy_making: Option<bool>,
    /// An alternative procedure that OGE approved in writing is used instead of the confidential report (2634.905).
    pub alternative_procedure_approved: Option<bool>,
    /// Day the report was filed.
    pub filed_on: Option<Day>,
    /// A transaction to be reported.
    pub transaction: Option<Transaction>,
    /// A combat zone extension runs from this day.
    pub combat_zone_service_ended_on: Option<Day>,
    /// Further days granted for good cause (at most 45, twice).
    pub extension_days: Option<u64>,
}

/// Kinds of position, as pay records show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PositionLevel {
    /// Senior Executive Service, above GS-15, 120 percent of GS-15 or more, O-7 or above, administrative law judge, Postal equivalent.
    SeniorOrEquivalent,
    /// GS-15 or below, below 120 percent of GS-15, below O-7.
    #[serde(rename = "gs_15_or_below")]
    Gs15OrBelow,
    /// Excepted from the competitive service for its policy-making or confidential character (Schedule C).
    ScheduleC,
    /// Acting in, or detailed to, a position of the first kind.
    ActingInSenior,
    /// Special Government employee.
    Sge,
    /// Independent contractor.
    IndependentContractor,
    /// Nominee whom the Senate must confirm.
    SenateNominee,
    /// Nominee for officer of the uniformed services, or Foreign Service officer.
    UniformedOrForeignServiceNominee,
}

/// What duties are about (5 CFR 2634.904(a)(1)(i)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FilingDuty {
    /// Contracting or procurement.
    Contracting,
    /// Grants, subsidies, licenses, other benefits.
    GrantsOrLicenses,
    /// Regulating, inspecting or auditing somebody outside.
    RegulatingOrAuditing,
    /// Investigating or prosecuting violations of law.
    InvestigatingOrProsecuting,
    /// Other decisions of direct and large economic effect on somebody outside.
    OtherEconomicEffect,
    /// Advises on policy, or sits on an advisory committee.
    AdvisesOnPolicy,
    /// Office support, drawings, data.
    SupportOnly,
}

/// How closely others look over the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Supervision {
    /// Works largely by own judgment.
    LargelyIndependent,
    /// Superiors review the work before anything is decided.
    ReviewedBeforeDecision,
}

/// A transaction of a public filer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Transaction {
    /// What it comes to.
    pub value: Option<Amount>,
    /// Day of the trade.
    pub on: Option<Day>,
    /// Day the filer was told of it.
    pub told_on: Option<Day>,
    /// What was traded.
    pub asset: Option<super::interest::Asset>,
    /// Whose it is.
    pub holder: Option<Holder>,
}

/// A request for a certificate of divestiture.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CertificateRequest {
    /// A direction, statute, regulation, agreement or waiver condition requires the sale.
    pub divestiture_required: Option<bool>,
    /// Sold before the certificate.
    pub already_sold: Option<bool>,
    /// Who has title.
    pub holder: Option<Holder>,
    /// The gain is taxed as a capital gain. `false`: as ordinary income.
    pub capital_gain: Option<bool>,
    /// Sold down to what an exemption allows before, under a certificate, and it rose again.
    pub second_after_partial_sale: Option<bool>,
    /// The person is an employee at the time of the request (a special Government employee is not eligible).
    pub eligible_person: Option<bool>,
    /// Held in an individual retirement account, 529 plan, 401(k) or the like, in which it can be exchanged without a gain being taxed, or in a plan
    /// that can be rolled over.
    pub in_tax_deferred_account: Option<bool>,
    /// Acquired when a statute, regulation or order forbade that.
    pub acquired_against_prohibition: Option<bool>,
    /// Agrees to sell everything that presents the conflict (what an exemption covers may be kept).
    pub divests_all_conflicting: Option<bool>,
    /// Held in a trust with people who are not eligible, whose part cannot be taken out.
    pub in_trust_with_others: Option<bool>,
    /// What the proceeds are to be put in.
    pub reinvestment: Option<Reinvestment>,
}

/// What proceeds are to be put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reinvestment {
    /// Obligations of the United States or diversified funds.
    PermittedProperty,
    /// Something else.
    Else,
}
