//! The matter: what it is, whom it names or addresses, and how everybody stands to it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::same_name;

/// A matter before the Government.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Matter {
    /// Its name.
    pub name: String,
    /// What kind of paper or proceeding it is.
    pub kind: Option<MatterKind>,
    /// Whom it names or addresses, on its face. Needed for rules, legislation, policy and the like.
    pub addresses: Option<Addressed>,
    /// Everybody it concerns, by name, and how they stand to it. List an organization that something is held in, or that somebody serves, even
    /// if only to say `not_concerned`.
    pub concerns: Vec<Concerned>,
    /// The part the United States has in it, where the matter is not simply pending in an agency.
    pub united_states: Option<UnitedStatesPart>,
    /// How far it has come.
    pub stage: Option<Stage>,
    /// Nobody else can readily do the person's part.
    pub nobody_else_can: Option<bool>,
    /// Others review what the person does in it.
    pub reviewed_above: Option<bool>,
    /// For credit by a Reserve Bank: its President found the institution to be in a hazardous financial condition.
    pub hazardous_financial_condition: Option<bool>,
    /// A sale or award exceeds the simplified acquisition threshold.
    pub above_simplified_acquisition_threshold: Option<bool>,
}

impl Matter {
    /// How somebody named stands to it.
    pub fn standing(&self, name: &str) -> Option<Standing> {
        self.concerns.iter().find(|c| same_name(&c.name, name)).map(|c| c.stands_as)
    }

    /// Whether it lists an identified party.
    pub fn names_a_party(&self) -> bool {
        self.concerns.iter().any(|c| c.stands_as.is_party())
    }
}

/// Kinds of matter. Choose by what the paper is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MatterKind {
    /// A contract, its administration, performance or modification.
    Contract,
    /// A purchase or award: solicitation, evaluation of bids, selection.
    Procurement,
    /// A grant or cooperative agreement, its application, review or performance.
    Grant,
    /// A subsidy, loan or loan guarantee.
    SubsidyOrLoan,
    /// A license, permit or their renewal.
    License,
    /// A lease.
    Lease,
    /// An application for approval of a product, or guidance to one prospective applicant.
    ProductApplication,
    /// Another application or request for a ruling or determination on somebody's own case.
    RequestForRuling,
    /// A request for a meeting, and whether to grant it.
    RequestForMeeting,
    /// Review of a routine filing.
    RoutineFiling,
    /// Review of a merger.
    MergerReview,
    /// An audit, also of taxes.
    Audit,
    /// An inspection, test or evaluation of somebody's product, site, compliance or performance.
    InspectionOrTest,
    /// A study under a contract or of one place or product.
    Study,
    /// An investigation, also a wiretap.
    Investigation,
    /// An enforcement action, prosecution or arrest, also the deliberation whether to bring one.
    EnforcementOrProsecution,
    /// A lawsuit with the Government in it.
    Lawsuit,
    /// A lawsuit between private persons.
    PrivateLawsuit,
    /// A hearing or adjudication.
    Hearing,
    /// A complaint, claim or controversy.
    ComplaintOrClaim,
    /// A hiring decision or selection for a position.
    Hiring,
    /// Promotion, pay, award, travel or another personnel action.
    PersonnelAction,
    /// Use, closing, seizure, annexation or transfer of a certain place, plant or land.
    ActionOnOneProperty,
    /// Treaty or agreement with one state about one territory, property or claim.
    BilateralAgreement,
    /// Treaty or agreement of many states, or on many subjects.
    MultilateralAgreement,
    /// A regulation, standard or guideline.
    Rulemaking,
    /// Legislation.
    Legislation,
    /// A private relief bill for a named person.
    PrivateReliefBill,
    /// Policy, strategy, recommendations.
    Policy,
    /// A programme of grants or benefits, before anybody applies.
    ProgramDesign,
    /// A standard form, clause or method for all future cases.
    StandardForm,
    /// How resources, staff or money are spread among kinds of work.
    ResourceAllocation,
    /// Concept, feasibility or need for something that may be bought later.
    ConceptOrFeasibility,
    /// Reorganization, abolition of positions, conversion or privatization of a function.
    Reorganization,
    /// Rates, charges and monetary policy.
    Rates,
    /// An extension of credit, advance or discount by a Federal Reserve Bank to one depository institution.
    ReserveBankCredit,
    /// A census.
    Census,
    /// An invitation, donation or other thing that is not agency business.
    SocialOrCharity,
    /// None of these.
    Other,
}

/// Whom a matter names or addresses on its face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Addressed {
    /// Persons, firms, plants or places by name.
    NamedPersons,
    /// One industry, trade, profession, product's makers, kind of institution, programme's grantees, or the staff of one office.
    OneClass,
    /// Businesses, employers or taxpayers of every kind.
    EveryKindOfBusiness,
    /// Members of the public, beneficiaries of a general programme, the whole population.
    PublicAtLarge,
    /// The economy, the nation or foreign policy as a whole.
    WholeNation,
    /// The Government's own resources and routines, without choosing among outside persons.
    GovernmentItself,
}

/// Somebody or something the matter concerns.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Concerned {
    /// Name; the same as in interests, ties and contacts.
    pub name: String,
    /// How it stands to the matter.
    pub stands_as: Standing,
}

/// How somebody or something stands to a matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Submitted an offer, bid or proposal.
    Offeror,
    /// Holds or is to get the contract, order or lease.
    Contractor,
    /// Applies for a grant, license, approval, ruling, position or benefit.
    Applicant,
    /// Holds the grant, license or benefit.
    GranteeOrLicensee,
    /// Is audited, inspected, tested, investigated, charged, sued or named by an action.
    Target,
    /// Brought the complaint, claim or suit.
    ComplainantOrPlaintiff,
    /// Another identified party.
    Party,
    /// Represents a party in this matter.
    RepresentsParty,
    /// Subcontractor under the contract or proposal.
    Subcontractor,
    /// Is paid for work under the contract or grant, without being a party.
    PaidForWorkUnderIt,
    /// Owns a party.
    ParentOfParty,
    /// Is owned by a party.
    SubsidiaryOfParty,
    /// Another company of a party's group.
    AffiliateOfParty,
    /// Competes with a party in business at large.
    CompetitorOfParty,
    /// Makes the only product, or one of very few, that the one under decision would compete with.
    MakerOfOnlyRivalProduct,
    /// Supplies a party.
    SupplierOfParty,
    /// Has other business with a party, not this matter.
    OtherBusinessWithParty,
    /// Insures a party, or has invested in what a party issued.
    InsurerOrInvestorOfParty,
    /// Employs an applicant for a Government position.
    EmployerOfApplicant,
    /// One of the class a rule, policy or bill addresses.
    MemberOfClass,
    /// One of the class, and one of very few, or of itself, that the measure reaches in a way of its own.
    SingledOutInClass,
    /// Land or property whose worth the decision bears on.
    PropertyNearby,
    /// The matter has nothing to do with it.
    NotConcerned,
}

impl Standing {
    /// Whether this is an identified party.
    pub fn is_party(self) -> bool {
        use Standing::*;
        matches!(self, Offeror | Contractor | Applicant | GranteeOrLicensee | Target | ComplainantOrPlaintiff | Party)
    }

    /// Whether this is one of the class a general matter addresses.
    pub fn in_class(self) -> bool {
        matches!(self, Self::MemberOfClass | Self::SingledOutInClass)
    }
}

/// The part of the United States in a matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnitedStatesPart {
    /// Party, or the matter is pending before one of its agencies.
    PartyOrPending,
    /// A Government case on the same facts is open.
    OwnCaseOpen,
    /// The Government's case on the same facts is closed, and it has no other part.
    OwnCaseClosed,
    /// A federal statute is at issue, or a federal court is the forum, and that is all.
    StatuteOrForumOnly,
    /// Has money at stake, gave witnesses or evidence, or its programmes would be affected.
    ProgramsOrMoneyAffected,
}

/// How far a matter has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Inside the Government; nothing filed, nobody outside asked.
    InternalOnly,
    /// Under way.
    UnderWay,
    /// All but finished.
    NearlyComplete,
    /// Over.
    Closed,
}

/// What somebody does in a matter, as an observer would see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Decides, approves, disapproves, signs for the agency.
    Decides,
    /// Approves under an authority delegated beforehand for such cases.
    ApprovesUnderPriorDelegation,
    /// Recommends or concurs.
    Recommends,
    /// Evaluates, scores, reviews the merits, tests, audits, inspects.
    Evaluates,
    /// Advises on substance.
    Advises,
    /// Investigates or prosecutes.
    Investigates,
    /// Drafts a part of it.
    Drafts,
    /// Negotiates, or monitors performance.
    NegotiatesOrMonitors,
    /// Takes part in deliberations or discussions of substance.
    Deliberates,
    /// Directs a subordinate's work on it.
    DirectsSubordinate,
    /// Leaves it undecided on purpose, with an eye to the outcome.
    WithholdsActionOnPurpose,
    /// Asks for something for herself or himself, or for somebody else.
    Requests,
    /// Presides.
    Presides,
    /// Asks where it stands, without a word on the merits.
    AsksStatus,
    /// Gives administrative information: personnel, budget, scheduling.
    AdministrativeInformation,
    /// Enters data, runs a program, types, files.
    Clerical,
    /// Wrote a standard form, clause or tool that others used in it without asking.
    WroteToolUsedByOthers,
    /// Knows of it only.
    KnowsOfItOnly,
    /// Was assigned it and has not begun.
    AssignedNotBegun,
    /// Recused, and did not take part.
    Recused,
}

impl Step {
    /// Whether it touches the substance of a matter (5 CFR 2635.402(b)(4), 2641.201(i)(3)).
    pub fn of_substance(self) -> bool {
        use Step::*;
        !matches!(
            self,
            AsksStatus | AdministrativeInformation | Clerical | WroteToolUsedByOthers | KnowsOfItOnly | AssignedNotBegun | Recused
        )
    }
}
