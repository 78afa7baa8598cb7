//! Exchanges about employment outside the Government.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::day::Day;

/// What passed between the person and one possible employer, in order.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JobContact {
    /// The possible employer: the name by which the matter's `concerns` lists it.
    pub with: String,
    /// What the person would do for it.
    pub role: Option<JobRole>,
    /// Paid.
    pub paid: Option<bool>,
    /// What happened, in order.
    pub events: Vec<JobEvent>,
    /// A public filer's signed statement naming it reached the ethics official on this day.
    pub notice_filed_on: Option<Day>,
    /// A recusal statement reached the ethics official on this day.
    pub recusal_filed_on: Option<Day>,
    /// The contact was reported in writing to the supervisor on this day.
    pub reported_to_supervisor_on: Option<Day>,
    /// The contact was reported in writing to the ethics official on this day. A notice under `notice_filed_on` is one as well.
    pub reported_to_ethics_on: Option<Day>,
}

/// What a person would do for a possible employer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobRole {
    /// Employee, officer, partner.
    EmployeeOrOfficer,
    /// Member of a board, paid or not.
    DirectorOrTrustee,
    /// Consultant, contractor, agent, attorney.
    ConsultantOrContractor,
    /// Paid teaching, speaking or writing.
    TeachingSpeakingWriting,
    /// Gives time without pay, in no office: serves meals and the like.
    PlainVolunteer,
    /// A position in the Government.
    FederalPosition,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobEvent {
    /// What.
    pub what: JobEventKind,
    /// When.
    #[serde(default)]
    pub on: Option<Day>,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobEventKind {
    /// The person asked for an application form, and nothing else.
    AskedForForm,
    /// The person put a profile or resume where anybody may read it.
    PostedProfile,
    /// The employer looked at the profile.
    ProfileViewed,
    /// The two met or talked, and nobody spoke of the person's own possible employment.
    InformationalTalk,
    /// The person sent a resume, letter or proposal that nobody had asked for.
    SentUnsolicited,
    /// The person's agent or service told the person that this employer got the resume or was approached.
    AgentNamedEmployer,
    /// An agent approached the person for an employer it has not named.
    AgentKeptEmployerSecret,
    /// The employer asked whether the person is interested.
    EmployerApproached,
    /// The person asked about the work, or answered with interest.
    RepliedWithInterest,
    /// The person put talks off to a foreseeable time or event, and would like them then.
    RepliedLaterYes,
    /// The person said no, or that there will be no such talk while in the Government.
    RepliedNo,
    /// The person thanked, said that no other job is wanted, and will remember the interest.
    RepliedThanksNotInterested,
    /// The person did not answer.
    DidNotReply,
    /// The employer confirmed receipt, and nothing else.
    EmployerAcknowledged,
    /// The employer said it would like to talk.
    EmployerInterested,
    /// Both talked of duties, qualifications, pay or other terms of a possible job.
    BothDiscussedTheJob,
    /// A meeting to begin such talk was set for later.
    MeetingSet,
    /// The employer offered.
    Offered,
    /// The person accepted, or the two agreed.
    Agreed,
    /// The employer said no, or made no offer at the end.
    EmployerSaidNo,
    /// The person withdrew or turned it down.
    PersonWithdrew,
    /// The person intends to send a resume or begin talks.
    PersonIntendsTo,
}
