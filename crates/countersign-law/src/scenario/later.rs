//! Service in the Government, what was done in it, and what a former employee does afterwards.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::matter::{Matter, Step};
use crate::day::Day;

/// A post in the Government.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Post {
    /// Department or agency.
    pub agency: String,
    /// Bureau or office in it, where OGE has designated it as a separate component (5 CFR part 2641, appendix B). Left out: the parent.
    pub designated_component: String,
    /// What kind of post.
    pub rank: Option<Rank>,
    /// First day.
    pub from: Option<Day>,
    /// Last day. Left out: still held.
    pub to: Option<Day>,
    /// Days worked as a special Government employee in the year before the end; any part of a day counts.
    pub sge_days_in_last_year: Option<u64>,
    /// Basic pay less 86.5 percent of level II of the Executive Schedule, in dollars a year; negative when below. For a detailee: the sum of pay from all
    /// sources, the university's or State's and the direct federal supplement together, never one of them alone. Locality and availability pay are not basic pay.
    pub pay_less_threshold: Option<i64>,
    /// A detailee: the department pays a part directly to the person.
    pub direct_federal_supplement: Option<bool>,
    /// A detailee: the post is ordinarily paid at the threshold or above.
    pub post_ordinarily_at_threshold: Option<bool>,
    /// A detailee: the employer is reimbursed at the threshold or above.
    pub reimbursed_at_threshold: Option<bool>,
    /// The next post followed without a break, or this is a short absence between meetings or drills.
    pub continues_in_other_post: Option<bool>,
    /// In which branch.
    pub branch: Option<Branch>,
}

/// Branch of government a post is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Branch {
    /// Executive branch, independent agencies and Government corporations.
    Executive,
    /// Legislative branch.
    Legislative,
    /// Judicial branch.
    Judicial,
}

/// What kind of post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// Paid under the General Schedule, or otherwise below 86.5 percent of level II.
    BelowThreshold,
    /// Not paid.
    Unpaid,
    /// Detailed from outside under the Intergovernmental Personnel Act.
    IpaDetail,
    /// Called a senior employee, or paid basic pay of 86.5 percent of level II or more.
    AtThreshold,
    /// General or flag officer (O-7 or above).
    FlagOfficer,
    /// Listed in, or paid at a rate fixed by, the Executive Schedule, levels II to V.
    ExecutiveSchedule,
    /// Level I (heads of departments), level II in the Executive Office of the President, the Vice President's and President's top appointees.
    LevelOneOrWhiteHouseTop,
}

/// What the person did in the Government in one matter.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PastWork {
    /// The matter as it stood then: whom it named or addressed at the time.
    pub matter: Matter,
    /// What the person did in it.
    pub steps: Vec<Step>,
    /// What authority the person had over it.
    pub authority: Vec<Authority>,
    /// It was pending there within the person's last year of service.
    pub pending_in_last_year: Option<bool>,
    /// How the matter of now hangs together with it, on paper. Left out: the same matter, if it has the same name.
    pub now: Option<Link>,
    /// What is different now.
    pub changes: Vec<Change>,
    /// The person worked on the award or oversight of the contract as a whole.
    pub on_the_whole_contract: Option<bool>,
    /// The first contract provided for the later one, or both serve one proceeding.
    pub contemplated_by_the_first: Option<bool>,
    /// Days in an acting or detailed post that gave the authority.
    pub acting_days: Option<u64>,
    /// While acting: the incumbent was only away, on travel or leave.
    pub incumbent_only_away: Option<bool>,
}

/// Authority over a matter, as a position description or an organization chart shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// Headed the agency.
    HeadOfAgency,
    /// Position description, statute or delegation gives the person such matters.
    ByPositionDescription,
    /// Supervised somebody who worked on it, or was assigned it as part of that person's duties.
    SupervisedSomebodyOnIt,
    /// It was referred to the person, to be assigned.
    ReferredToPersonForAssignment,
    /// Authority only over budget, schedule, format, equal employment or another side aspect.
    SideAspectOnly,
    /// None over others; worked on own assignments.
    OwnAssignmentsOnly,
    /// Supervised somebody who helped outside that person's own duties.
    SupervisedHelperOutsideDuties,
    /// The same question arose elsewhere and was never referred to the person's office.
    NeverReferred,
    /// Recused; another acted.
    Recused,
    /// Had it, and the position description was changed before.
    RemovedFromDescription,
    /// Was on leave.
    OnLeave,
}

/// How a matter of now hangs together with one of then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The same application, contract, case or file, at the same or a later stage.
    SameFile,
    /// A modification or extension of the contract or agreement.
    Modification,
    /// A dispute, claim or review under it.
    DisputeUnderIt,
    /// Another part, order, phase or site of one contract.
    OtherPartOfOneContract,
    /// A suit or appeal against what was decided in it.
    ReviewOfItsDecision,
    /// A case built on its evidence.
    CaseFromItsEvidence,
    /// The application, award or proceeding that it prepared.
    WhatItPrepared,
    /// A suit between private persons on the same facts.
    PrivateSuitOnSameFacts,
    /// A new contract after full and open competition.
    NewContractAfterCompetition,
    /// A new contract without competition.
    FollowOnWithoutCompetition,
    /// A rule or policy that came of it.
    RuleThatCameOfIt,
    /// A single case under a rule, programme, form or policy made then.
    CaseUnderTheRule,
    /// The same question with other parties.
    SameQuestionOtherParties,
    /// Nothing in common.
    Unrelated,
}

/// What is different between a matter of then and of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Price.
    Price,
    /// Quantity.
    Quantity,
    /// Delivery dates.
    DeliveryDates,
    /// Design or technology of what is delivered.
    Design,
    /// How or where it is delivered, such that new systems are needed.
    Delivery,
    /// Objective or scope.
    Objective,
    /// Kind of work.
    KindOfWork,
    /// Place.
    Place,
    /// Parties.
    Parties,
    /// Negotiated, ordered or competed separately.
    SeparatelyNegotiated,
    /// Another programme office or agency.
    OtherOffice,
}

/// What a former employee does.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Act {
    /// The day. Left out: the scenario's `as_of`.
    pub on: Option<Day>,
    /// How.
    pub form: Option<Form>,
    /// Whose name a paper made by the person bears, or how its author is known.
    pub named: Option<Named>,
    /// What it is for.
    pub purpose: Vec<Purpose>,
    /// The point is in dispute, or may well be.
    pub disputed: Option<bool>,
    /// How the person is present, where present.
    pub presence: Vec<Presence>,
    /// To or before whom.
    pub before: Vec<Recipient>,
    /// For whom, and as what.
    pub on_behalf_of: Option<Behalf>,
    /// Name of the one acted for.
    pub client: String,
    /// Paid by anybody for it: fee, salary or a standing retainer (expenses are not pay).
    pub paid: Option<bool>,
    /// What is said is facts the person observed.
    pub facts_observed: Option<bool>,
    /// Given under the agency's procedures for scientific or technological information.
    pub under_agency_science_procedures: Option<bool>,
    /// Beside the point itself, cost, risk or speed is mentioned only in passing.
    pub other_points_in_passing: Option<bool>,
    /// A public gathering or publication.
    pub forum: Option<Forum>,
    /// The person is employed by somebody else than a candidate, party or committee (or a firm that serves only those).
    pub has_other_employer: Option<bool>,
    /// Rests on agency records that the person had access to and that were designated as exempt from the Freedom of Information Act.
    pub uses_exempt_agency_records: Option<bool>,
    /// The one helped is a foreign government or foreign political party.
    pub foreign_government: Option<bool>,
}

/// How somebody acts towards the Government.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Speaks, in person.
    SpeaksInPerson,
    /// Telephones.
    Telephones,
    /// Writes, or signs and submits.
    WritesOrSigns,
    /// Is present and says nothing.
    PresentSilently,
    /// Prepares a paper that somebody else submits; say in `named` whose name it bears.
    PreparesForOthers,
    /// Advises or works for somebody without any contact with the Government.
    BehindTheScenes,
    /// Has a go-between tell the Government and be named as the source.
    ThroughGoBetweenAsSource,
    /// Speaks at a public gathering.
    SpeaksPublicly,
    /// Publishes.
    Publishes,
    /// Testifies under oath.
    TestifiesUnderOath,
}

/// Whose name a paper bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Named {
    /// The person's, as author.
    ThePerson,
    /// The person's own firm's.
    ThePersonsFirm,
    /// The person's, only as the investigator who will do the work.
    PersonAsInvestigator,
    /// Nobody's but the one who submits it.
    NotThePerson,
}

/// What a contact is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Asks for a grant, license, approval, award, funding, ruling or other action.
    AsksForAction,
    /// Asks to be dealt with sooner.
    AsksForSpeed,
    /// Complains, disputes, argues, persuades.
    ArguesOrComplains,
    /// Represents somebody in the matter, and no more is said.
    Represents,
    /// Presents options, proposals or work that may be found wanting.
    PresentsOptions,
    /// Supplies data in support of an application.
    SuppliesDataForApplication,
    /// Negotiates scope, hours or terms.
    Negotiates,
    /// Asks an official to speak to somebody else.
    AsksToContactOthers,
    /// Invites an official to something of the person's clients or firm.
    InvitesForClients,
    /// Asks for a date, the state of things, or a public paper.
    AsksStatusOrPublicPaper,
    /// Asks or answers factual questions in the ordinary course of a contract or visit.
    FactsInOrdinaryCourse,
    /// Answers what an official asks during a visit to the contractor's premises.
    AnswersDuringSiteVisit,
    /// Delivers what the contract calls for.
    DeliversWhatIsDue,
    /// Signs a tax return as preparer, or answers what records it rests on.
    TaxPreparer,
    /// Signs that she or he will direct the research.
    InvestigatorsAssurance,
    /// Files a form the SEC requires.
    SecForm,
    /// Purely social.
    Social,
    /// Asks a friend there for a private donation or the like, not as an official.
    PrivateFavorFromFriend,
    /// Listens only.
    ListensOnly,
    /// Gives scientific or technological information.
    ScienceOrTechnology,
    /// Gives costs, prices or other business terms.
    CostOrBusinessTerms,
    /// States what was done or seen.
    StatesFacts,
    /// Testifies to facts.
    FactTestimony,
    /// Testifies as an expert.
    ExpertTestimony,
}

/// How somebody is present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Introduced as adviser, officer or representative.
    IntroducedAsRepresentative,
    /// Sits with the public.
    SitsWithThePublic,
    /// Is paid for being there.
    PaidForBeingThere,
    /// May commit or argue.
    MayCommit,
    /// Others refer to the person's views or work.
    ReferredTo,
    /// Nobody refers to the person.
    NotReferredTo,
    /// Is there to listen and take notes.
    TakesNotesOnly,
    /// Has entered a formal appearance.
    FormalAppearance,
    /// Those present are former subordinates or of the same chain of command.
    BeforeFormerSubordinates,
}

/// To or before whom.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Recipient {
    /// Who.
    pub who: Option<RecipientKind>,
    /// Department or agency.
    pub agency: String,
    /// Designated separate component of it. Left out: the parent, or a part that is not designated.
    pub designated_component: String,
    /// Holds a position listed in 5 U.S.C. 5312 to 5316 (being paid at such a rate is not enough).
    pub holds_listed_position: Option<bool>,
    /// Is expected to pass it on to somebody who holds a listed position, and to say from whom it comes.
    pub passes_on_to_listed_official: Option<bool>,
    /// Is addressed as an official. `false`: as a private person, or merely overhears.
    pub as_official: Option<bool>,
    /// The agency came after a reorganization of the person's former agency.
    pub successor: Option<Successor>,
}

/// Who is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecipientKind {
    /// An agency, Government corporation or court, or somebody employed by or detailed to one.
    AgencyEmployee,
    /// Member of Congress or of a Member's or committee's staff.
    Congress,
    /// President or Vice President.
    PresidentOrVicePresident,
    /// Staff of a contractor who work side by side with the agency.
    ContractorStaffBesideAgency,
    /// A private body.
    PrivateBody,
    /// State or local official.
    StateOrLocalOfficial,
    /// A public audience.
    Public,
}

/// How an agency of now came of the former agency.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Successor {
    /// Name of the agency the person served.
    pub of: String,
    /// Its functions were spread over several bodies.
    pub functions_dispersed: Option<bool>,
    /// Its mission goes on in this body, wider, narrower or renamed.
    pub mission_goes_on: Option<bool>,
    /// The official addressed was moved out of that body to another.
    pub official_moved_elsewhere: Option<bool>,
}

/// As what somebody acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Behalf {
    /// For herself or himself.
    Own,
    /// As an employee, officer or partner.
    Employee,
    /// As a consultant, attorney or agent.
    ConsultantOrAgent,
    /// As a volunteer who may act for an organization, on its letterhead or with its leave.
    VolunteerWithLeaveToAct,
    /// Not employed, but asked or agreed with to do it.
    AskedToDoIt,
    /// To give own views on the agency's request, on leave from an employer who does not direct it.
    OwnViewsAtAgencysRequest,
    /// As an elected official of a State or local government.
    ElectedStateOrLocalOfficial,
    /// As an employee (not consultant) of a State or local government.
    StateOrLocalEmployee,
    /// As an employee of a hospital or medical research organization exempt under 501(c)(3).
    HospitalOrMedicalResearchEmployee,
    /// As an employee of an accredited university or college.
    UniversityEmployee,
    /// As an employee of an association whose members are public bodies, without governmental authority of its own.
    AssociationOfPublicBodiesEmployee,
    /// As an employee of the United States: agency, Government corporation, Congress.
    UnitedStatesEmployee,
    /// Under a contract with the United States to represent it.
    RepresentsUnitedStates,
    /// As a witness the United States or Congress called.
    WitnessCalledByUnitedStates,
    /// For a candidate as candidate, or for a party or its committee.
    CandidateOrParty,
    /// For a candidate in some other affair.
    CandidatesPrivateAffair,
    /// For an international organization, under a waiver.
    InternationalOrganization,
    /// As an employee of a tribal organization, after giving notice.
    TribalOrganization,
    /// For no one: to say what was seen, at a court's or an opponent's call.
    NoOne,
}

/// A public gathering or publication.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Forum {
    /// Sponsored or co-sponsored by the Government (for senior employees: by the former agency).
    pub government_sponsors: Option<bool>,
    /// How many attend.
    pub attendance: Option<u64>,
    /// How many of them are employees of the United States.
    pub government_attendance: Option<u64>,
}
