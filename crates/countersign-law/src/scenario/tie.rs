//! Whom people serve, deal with and know.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::interest::{Holder, IfDecided};
use crate::amount::Amount;
use crate::day::Day;

/// A tie of the person, or of somebody close to the person, with somebody else.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tie {
    /// Whose tie it is: `self`, or the relative, friend or partner.
    pub who: Option<Holder>,
    /// With whom: the name by which the matter's `concerns` lists it.
    pub with: String,
    /// What they are to it.
    pub role: Option<TieRole>,
    /// The role is only sought so far.
    pub sought: Option<bool>,
    /// The day it ended. Left out: it goes on.
    pub ended_on: Option<Day>,
    /// For a former role: all financial ties were severed.
    pub severed: Option<bool>,
    /// Paid.
    pub paid: Option<bool>,
    /// What they do in the matter.
    pub part_in_matter: Option<PartInMatter>,
    /// What, on the papers, a decision of the matter does to their pay or job, or to the organization where the role is the person's own.
    pub if_decided: Option<IfDecided>,
    /// Does the role in an official capacity, assigned by the agency.
    pub official_capacity: Option<bool>,
    /// About the organization served.
    pub organization: Option<Organization>,
}

/// What somebody is to somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TieRole {
    /// Employee.
    Employee,
    /// Officer.
    Officer,
    /// Director, trustee, regent or member of a board.
    DirectorOrTrustee,
    /// General partner.
    GeneralPartner,
    /// Agent, attorney, consultant or contractor; also of a client.
    AgentAttorneyConsultantContractor,
    /// Takes part actively: chairs a committee or drive, speaks for it, directs its work.
    ActiveParticipant,
    /// Pays dues, donates, is a plain member.
    MemberOrDonor,
    /// Has or seeks a purchase, contract, loan or other business with it.
    BusinessDealing,
    /// Buys from it like any customer.
    Customer,
    /// The relative, friend or partner is that person.
    IsThatPerson,
    /// Limited partner.
    LimitedPartner,
}

/// What somebody does in a matter for the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartInMatter {
    /// Leads, signs, presents or promotes it.
    LeadsOrSigns,
    /// Works on it.
    WorksOnIt,
    /// Works on something else.
    WorksElsewhere,
}

/// About an organization somebody serves.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Organization {
    /// Tax-exempt under 26 U.S.C. 501(c)(3) or (4).
    pub tax_exempt: Option<bool>,
    /// The person has a part in choosing its investments.
    pub person_picks_investments: Option<bool>,
    /// Its only dealings with the issuer, beside routine purchases, are those of an investor.
    pub only_investor_in_issuer: Option<bool>,
    /// Institution of higher education.
    pub higher_education: Option<bool>,
    /// The person is on leave of absence from it.
    pub person_on_leave: Option<bool>,
    /// It agreed that the person returns to it.
    pub return_agreed: Option<bool>,
    /// State institution of several campuses, and the matter concerns another campus than the person's.
    pub other_campus: Option<bool>,
    /// The person has duties for more than one campus.
    pub duties_for_several_campuses: Option<bool>,
    /// Hospital or the like, whose only interest in the medical product is to buy it for patients.
    pub hospital_buying_for_patients: Option<bool>,
    /// State, local or tribal government.
    pub non_federal_government: Option<bool>,
}

/// A payment by a former employer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Payment {
    /// Former employer, client or partnership, or somebody who pays for it.
    pub from: String,
    /// What was paid or is to be, in whole dollars; cash or anything else.
    pub value: Option<Amount>,
    /// The day it was received.
    pub received_on: Option<Day>,
    /// It was decided on after the payer knew of the Government position.
    pub decided_after_position_known: Option<bool>,
    /// Paid under bylaws, a contract or another written plan.
    pub under_written_plan: Option<bool>,
    /// That plan gives more to those who enter the Government.
    pub plan_favors_government_service: Option<bool>,
    /// Without a written plan: others who left for elsewhere were paid alike.
    pub others_paid_alike: Option<bool>,
    /// The ethics file calls it a covered payment already, and nothing here is to question that.
    pub on_file_as_covered_payment: Option<bool>,
}
