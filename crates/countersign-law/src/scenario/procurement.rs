//! Procurements an official takes part in, and what contractors pay afterwards.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::job::JobRole;
use crate::amount::Amount;
use crate::day::Day;

/// A procurement, and the person's part in it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Procurement {
    /// Its name.
    pub name: String,
    /// Bidders and offerors still in it, by name.
    pub bidders: Vec<String>,
    /// Who got the contract, by name. Left out: it is not awarded yet.
    pub awarded_to: String,
    /// What the contract, modification, order, rate, payment or claim comes to, in whole dollars.
    pub value: Option<Amount>,
    /// The person's posts and decisions in it. Empty: real work on its substance, in none of these posts.
    pub roles: Vec<ProcurementRole>,
    /// The last day the person served in such a post, or the day of such a decision.
    pub last_on: Option<Day>,
    /// A written authorization to take part again, after talks with a bidder had ended or the bidder had left the procurement.
    pub resumption_authorized: Option<bool>,
}

/// A post or decision in a procurement (41 U.S.C. 2104(a)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProcurementRole {
    /// Procuring contracting officer, when the contractor was selected or got the contract.
    ContractingOfficer,
    /// Source selection authority.
    SourceSelectionAuthority,
    /// Member of the source selection evaluation board.
    EvaluationBoardMember,
    /// Chief of a financial or technical evaluation team.
    EvaluationTeamChief,
    /// Programme manager or deputy programme manager.
    ProgramManager,
    /// Administrative contracting officer.
    AdministrativeContractingOfficer,
    /// Decided to award a contract, subcontract, modification, task order or delivery order.
    DecidedAward,
    /// Decided overhead or other rates.
    DecidedRates,
    /// Approved a payment.
    ApprovedPayment,
    /// Decided to pay or settle a claim.
    SettledClaim,
    /// Any other work on it.
    OtherWork,
}

impl ProcurementRole {
    /// Whether the year without pay follows it (41 U.S.C. 2104(a)).
    pub fn is_listed(self) -> bool {
        self != Self::OtherWork
    }
}

/// Pay that somebody takes, or is offered, from a contractor.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Compensation {
    /// The contractor: the name by which `procurements` lists it.
    pub from: String,
    /// As what.
    pub role: Option<JobRole>,
    /// The day it is taken. Left out: the scenario's `as_of`.
    pub on: Option<Day>,
    /// It comes from a division or affiliate that makes nothing the same as, or similar to, what the contract was for.
    pub from_unrelated_division: Option<bool>,
}
