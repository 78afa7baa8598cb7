//! The person, and papers that bear on what the person may do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::day::Day;

/// Who the person is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Person {
    /// Status at the time the question is asked.
    pub status: Option<Status>,
    /// Agency or department served.
    pub agency: String,
    /// What the person does there, in words. No rule reads it.
    pub position: String,
    /// Files a public report (OGE 278e).
    pub public_filer: Option<bool>,
    /// Decides which work comes to the person, instead of a superior.
    pub assigns_own_work: Option<bool>,
    /// Advisory committee the person sits on.
    pub committee: Option<Committee>,
    /// Is being considered for a position, or a promotion, in which the matter would be part of the duties.
    pub considered_for_position_with_these_duties: Option<bool>,
    /// How much of the duties such matters make up.
    pub share_of_duties: Option<ShareOfDuties>,
    /// Director of a Federal Reserve Bank or of a branch of one.
    pub federal_reserve_bank_director: Option<bool>,
    /// For contractors, FFRDC and partner staff: the contract the person works under.
    pub contract: Option<ContractWork>,
}

/// Status under the ethics rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Civilian officer or employee.
    Employee,
    /// Commissioned or warrant officer of the armed forces.
    Officer,
    /// Enlisted member of the armed forces.
    Enlisted,
    /// Special Government employee (at most 130 days in 365).
    Sge,
    /// Appointed by the President.
    PresidentialAppointee,
    /// Detailed or appointed under the Intergovernmental Personnel Act.
    IpaDetailee,
    /// Nominated, not yet sworn in.
    Nominee,
    /// Candidate for an elected office.
    Candidate,
    /// Contractor's employee, or independent contractor.
    Contractor,
    /// Staff of a federally funded research and development center.
    Ffrdc,
    /// Staff of a trusted partner.
    Partner,
    /// Has left the Government.
    Former,
}

/// Work under a contract with the Government.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContractWork {
    /// The contract has the clause FAR 52.203-16 (preventing personal conflicts of interest).
    pub has_far_52_203_16: Option<bool>,
    /// The person plans, evaluates, awards, administers or terminates contracts for the agency, or advises it on that. Testing or red-teaming
    /// a model is none of these.
    pub performs_acquisition_functions: Option<bool>,
    /// The interests that the task might affect were disclosed to the employer when the person was assigned, and kept up.
    pub interests_disclosed: Option<bool>,
    /// The employer has prevented or mitigated the conflict in consultation with the agency.
    pub mitigated_with_agency: Option<bool>,
}

/// How much of the duties such matters make up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShareOfDuties {
    /// The main work of the position, which it cannot be done without.
    Main,
    /// Some of it.
    Some,
    /// Now and then.
    Rare,
}

/// An advisory committee.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Committee {
    /// Chartered under the Federal Advisory Committee Act.
    pub federal_advisory_committee_act: Option<bool>,
    /// A standing committee of the Food and Drug Administration with representative members.
    pub food_and_drug_administration: Option<bool>,
    /// The seat.
    pub seat: Option<Seat>,
    /// What the committee is about is a medical product.
    pub medical_product: Option<bool>,
}

/// A seat on a committee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Seat {
    /// Votes, or gives own advice.
    Member,
    /// Does not vote; represents the industry.
    NonvotingIndustryRepresentative,
    /// Does not vote; represents consumers.
    NonvotingConsumerRepresentative,
    /// Represents a group; not a special Government employee.
    GroupRepresentative,
}

/// A paper that permits, directs or forbids.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Paper {
    /// What it is.
    pub kind: Option<PaperKind>,
    /// The day it was issued, signed or directed.
    pub on: Option<Day>,
    /// In writing.
    pub written: Option<bool>,
    /// By the official who appoints the person, or who holds that power by delegation; for an authorization, the agency designee.
    pub by_the_right_official: Option<bool>,
    /// The interest and the matter were fully disclosed to that official first.
    pub after_full_disclosure: Option<bool>,
    /// It was there before the person did anything in the matter.
    pub before_acting: Option<bool>,
    /// Names of matters or of persons it covers. Empty: everything in this scenario.
    pub covers: Vec<String>,
    /// For an agreement: what the person promised in it.
    pub promises: Vec<Promise>,
    /// For a direction to divest: whether the agency found unusual hardship and gave longer than 90 days.
    pub hardship_extension: Option<bool>,
}

/// Kinds of paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaperKind {
    /// Waiver under 18 U.S.C. 208(b)(1).
    #[serde(rename = "waiver_208_b_1")]
    Waiver208b1,
    /// Waiver under 18 U.S.C. 208(b)(3), for members of advisory committees.
    #[serde(rename = "waiver_208_b_3")]
    Waiver208b3,
    /// Authorization under 5 CFR 2635.502(d).
    #[serde(rename = "authorization_502_d")]
    Authorization502d,
    /// The agency designee's finding under 5 CFR 2635.502(c)(3) that no reasonable person would question.
    #[serde(rename = "determination_502_c_not_questioned")]
    Determination502cNotQuestioned,
    /// Waiver under 5 CFR 2635.503(c), by the head of the agency.
    #[serde(rename = "waiver_503_c")]
    Waiver503c,
    /// A recusal, recorded.
    Recusal,
    /// Ethics agreement with a promise to divest or resign.
    EthicsAgreement,
    /// Direction to divest.
    DirectionToDivest,
    /// A statute that forbids holding this.
    HoldingForbiddenByStatute,
    /// A supplemental agency regulation that forbids holding this.
    HoldingForbiddenByRegulation,
    /// An individual determination that this employee may not hold this.
    HoldingForbiddenByDetermination,
    /// A restricted list with an authority, on which what is held stands.
    RestrictedList,
    /// An agreement the person signed: access terms, non-disclosure agreement, partner agreement; say in `promises` what it holds.
    AccessAgreement,
    /// A certificate under 18 U.S.C. 207(j)(5), published.
    ScienceCertification,
    /// An order of a court that this person may testify as an expert.
    CourtOrderExpert,
    /// A waiver of 18 U.S.C. 207 by the President or the Secretary of State.
    #[serde(rename = "waiver_207")]
    Waiver207,
}

/// What somebody promised in an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// To keep what is seen in confidence.
    KeepConfidence,
    /// Not to trade, or have others trade, on what is seen or in what it touches.
    NoTrading,
    /// Not to trade event contracts on it.
    NoEventContracts,
    /// To disclose interests that the work might affect, and to keep that up.
    DiscloseInterests,
    /// Not to take part where an interest of one's own is affected.
    NoParticipationWithInterest,
    /// Not to use it for personal gain.
    NoPersonalGain,
}
