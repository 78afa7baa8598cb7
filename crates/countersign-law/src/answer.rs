//! What an assessment says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::day::Day;

/// A kind of question. Outcomes of one kind are never those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Is it a particular matter?
    Classification,
    /// May the person take part (18 U.S.C. 208)?
    Participation,
    /// Does an exemption of 5 CFR part 2640 apply?
    Exemption,
    /// Would impartiality be questioned (5 CFR 2635.502, 503)?
    Impartiality,
    /// Can the agency authorize it (5 CFR 2635.502(d))?
    Authorization,
    /// May it be held (5 CFR 2635.403)?
    Holding,
    /// Job search (5 CFR part 2635, subpart F).
    Seeking,
    /// Use of office (5 CFR 2635.702).
    Misuse,
    /// Use of information (5 CFR 2635.703, securities and commodities law, Regulation FD, wall crossings, 41 U.S.C. 2102).
    NonpublicInfo,
    /// Personal trades and reports of them under a trading rule (5 CFR 4401.102, 17 CFR 275.204A-1).
    Trading,
    /// After Government service (18 U.S.C. 207).
    PostEmployment,
    /// Financial disclosure (5 CFR part 2634).
    Disclosure,
}

/// What comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are those of the question kinds; schemas/scenario.md lists them with their meaning")]
pub enum Outcome {
    Prohibited,
    Violation,
    UseProhibited,
    Disqualified,
    AuthorizationBarred,
    ExemptionUnavailable,
    Refer,
    DisqualifyingInterest,
    AuthorizationDoubtful,
    DivestMayBeRequired,
    ResignMayBeRequired,
    HoldingMayBeProhibited,
    ImpartialityQuestioned,
    #[serde(rename = "FOLLOW_502")]
    Follow502,
    RecusalMayContinue,
    NoticeRequired,
    NoticeSatisfied,
    NegotiatingYes,
    SeekingYes,
    SameMatterYes,
    SameMatterMayBeNew,
    Period,
    StatusYes,
    ElementMet,
    ReportBy,
    FileRequired,
    CertificateDenied,
    ParticularMatterYes,
    NoticeNotRequired,
    RecusalStatementNotRequired,
    SeekingNo,
    AuthorizationPossible,
    ImpartialityNotQuestioned,
    Exempt,
    MayParticipate,
    ElementNotMet,
    StatusNo,
    SameMatterNo,
    Permitted,
    NoViolation,
    FileNotRequired,
    CertificatePossible,
    ParticularMatterNo,
    ClassifyAsSectorFund,
}

/// A point a rule decides, and a scenario may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// Is it a particular matter?
    ParticularMatter,
    /// Is there an interest that the matter affects?
    FinancialInterest,
    /// May the person take part?
    Participation,
    /// Does an exemption apply?
    Exemption,
    /// Of which kind is the fund?
    FundClass,
    /// Would impartiality be questioned?
    Impartiality,
    /// Is the payment a covered one?
    CoveredPayment,
    /// Can it be authorized?
    Authorization,
    /// May it be held?
    Holding,
    /// Is it employment?
    Employment,
    /// Is the person seeking employment?
    Seeking,
    /// Is the person negotiating?
    Negotiating,
    /// Must somebody be notified of it?
    Notice,
    /// Must a recusal be filed in writing?
    RecusalStatement,
    /// May office be used so?
    UseOfOffice,
    /// May information be used so?
    UseOfInformation,
    /// Is it a communication or appearance?
    Contact,
    /// Is it made with intent to influence?
    IntentToInfluence,
    /// Is it to or before an employee of the United States, or of the former agency?
    ToEmployee,
    /// Is it on behalf of another?
    OnBehalf,
    /// Are there specific parties?
    SpecificParties,
    /// Is it the same matter?
    SameMatter,
    /// Was the participation personal?
    PersonalParticipation,
    /// Was the participation substantial?
    SubstantialParticipation,
    /// Is the United States a party or interested?
    UnitedStatesInterest,
    /// Was there official responsibility?
    OfficialResponsibility,
    /// Is official action sought?
    OfficialAction,
    /// Does an exception apply?
    Exception,
    /// Is the person a former employee?
    FormerStatus,
    /// Is, or was, the person a senior or very senior employee?
    SeniorStatus,
    /// How long does a bar run, and as to whom?
    Period,
    /// May the act be done?
    MayAct,
    /// Must a report be filed, and when?
    Report,
    /// May pay be taken from a contractor (41 U.S.C. 2104)?
    Compensation,
    /// May an issuer tell some and not all (Regulation FD)?
    SelectiveDisclosure,
    /// Does a personal trade keep to the trading rule?
    PersonalTrade,
    /// Are an adviser's staff's reports of holdings in time?
    HoldingsReports,
    /// Was inside information told across a wall in the right steps?
    WallCrossing,
    /// Can a certificate of divestiture be issued?
    Certificate,
}

/// What goes with an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// A waiver under 18 U.S.C. 208(b) would permit it.
    WaiverPossible,
    /// Rests on such a waiver.
    Waived,
    /// The agency designee may authorize it under 5 CFR 2635.502(d).
    AuthorizationPossible,
    /// Rests on such an authorization.
    Authorized,
    /// 18 U.S.C. 208 is not engaged, and another rule is.
    #[serde(rename = "s208_not_triggered")]
    S208NotTriggered,
    /// A written recusal is prudent, not required.
    WrittenRecusalPrudent,
    /// Notice of the recusal may be given by word of mouth or in writing.
    WrittenRecusalOptional,
    /// Found out in the middle of the matter.
    MidMatterDiscovery,
    /// Selling what exceeds the limit cures it.
    PartialDivestitureCures,
    /// Holds on a condition that the finding names.
    Conditional,
    /// Some of what is asked is allowed, some is not.
    MixedOutcome,
    /// 18 U.S.C. 207(b) or (f) may bar it as well.
    #[serde(rename = "also_207b_207f")]
    Also207b207f,
    /// 18 U.S.C. 205 may be broken as well.
    #[serde(rename = "also_205")]
    Also205,
    /// Securities or commodities law may be broken as well.
    AlsoSecuritiesLaw,
    /// 18 U.S.C. 209 must be looked at as well.
    #[serde(rename = "also_209")]
    Also209,
}

/// One thing a rule found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Finding {
    /// What came out.
    pub outcome: Outcome,
    /// The point it decides.
    pub point: Point,
    /// The rule's id.
    pub rule: &'static str,
    /// Where the rule stands.
    pub cite: &'static str,
    /// Why, in plain words.
    pub because: String,
    /// The facts used, as places in the scenario.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<String>,
    /// Sums and comparisons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arithmetic: Vec<String>,
    /// What goes with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// The last day it holds, where a clock runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
    /// For `REFER`: the question to put to a human.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// For `REFER`: the fact that would settle it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_by: Option<String>,
}

/// The answer to one kind of question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KindAnswer {
    /// Its kind.
    pub kind: Kind,
    /// The outcome that decides: of the points asked for, else the gravest.
    pub outcome: Outcome,
    /// Everything found of this kind, that one first.
    pub findings: Vec<Finding>,
}

/// One of the three verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing in the facts stands against it.
    Yes,
    /// It cannot be told from the facts.
    Undetermined,
    /// A rule stands against it.
    No,
}

/// May take part, hold, trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verdicts {
    /// May the person take part in the matter?
    pub participate: Verdict,
    /// May what is held be held?
    pub hold: Verdict,
    /// May the person trade on what the scenario states?
    pub trade: Verdict,
}

/// Something somebody must do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Obligation {
    /// Who.
    pub who: &'static str,
    /// What.
    pub what: String,
    /// By when, where a day can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Day>,
    /// Where that stands.
    pub cite: &'static str,
}

/// A question for a human.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Question {
    /// Of which kind.
    pub kind: Kind,
    /// The question.
    pub question: String,
    /// The fact that would settle it.
    pub settled_by: String,
    /// The rule that asks.
    pub rule: &'static str,
}

/// What an answer was made under: by these an old answer can be made again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PolicyName {
    /// The edition of the numbers.
    pub edition: String,
    /// SHA-256 of the edition, in hex.
    pub digest: String,
    /// Digest of the rules, in hex: ids, versions, citations and titles.
    pub rule_set: String,
}

/// Everything the rules say of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Answer {
    /// The scenario's id.
    pub scenario: String,
    /// Rules and numbers it was made under.
    pub policy: PolicyName,
    /// The three verdicts.
    pub verdicts: Verdicts,
    /// One answer for each kind the facts engage, in the order of [`Kind`].
    pub answers: Vec<KindAnswer>,
    /// Who must do what.
    pub obligations: Vec<Obligation>,
    /// What to ask.
    pub questions: Vec<Question>,
    /// What every answer says of itself.
    pub notice: &'static str,
}

/// The JSON Schema of an answer.
pub fn schema() -> schemars::Schema {
    schemars::generate::SchemaSettings::default().for_serialize().into_generator().into_root_schema_for::<Answer>()
}

impl Answer {
    /// The answer of one kind.
    pub fn of(&self, kind: Kind) -> Option<&KindAnswer> {
        self.answers.iter().find(|a| a.kind == kind)
    }
}
