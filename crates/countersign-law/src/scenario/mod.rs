//! What a scenario states. Every field is something a clerk can see on paper; none names a conclusion of law.
//!
//! A field that is left out is not known. Where the answer turns on it, the answer is a question, never a clearance.

mod adviser;
mod conduct;
mod interest;
mod job;
mod later;
mod matter;
mod person;
mod procurement;
mod tie;
mod trading;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::adviser::*;
pub use self::conduct::*;
pub use self::interest::*;
pub use self::job::*;
pub use self::later::*;
pub use self::matter::*;
pub use self::person::*;
pub use self::procurement::*;
pub use self::tie::*;
pub use self::trading::*;
use crate::answer::Point;
use crate::day::Day;

/// The facts of one case, as they stand on paper.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// Name of the scenario; comes back in the answer.
    pub id: String,
    /// What it is about, for people. No rule reads it.
    pub note: String,
    /// The points at issue. Names questions, never answers; only puts the findings on these points first.
    pub asks: Vec<Point>,
    /// The day the question is asked for.
    pub as_of: Option<Day>,
    /// The person.
    pub person: Person,
    /// The matter in which the person would act now, or on which a former employee contacts the Government. Left out: no matter is before the
    /// person.
    pub matter: Option<Matter>,
    /// What the person does, or is asked to do, in that matter. Left out: real work on its substance.
    pub steps: Vec<Step>,
    /// The person first learned of the interest or tie while already at work in the matter.
    pub learned_midway: Option<bool>,
    /// What the person, family, general partners and organizations served own, owe and are paid.
    pub interests: Vec<Interest>,
    /// Whom the person and people close to the person serve, deal with or are friends of, now or before.
    pub ties: Vec<Tie>,
    /// What a former employer paid on or around leaving.
    pub payments: Vec<Payment>,
    /// Exchanges about employment outside the Government, one for each possible employer.
    pub job_contacts: Vec<JobContact>,
    /// Posts held in the Government, oldest first.
    pub posts: Vec<Post>,
    /// What the person did in the Government in matters that bear on the one now.
    pub past_work: Vec<PastWork>,
    /// What a former employee does, or wants to do, after leaving.
    pub acts: Vec<Act>,
    /// Uses of position, title or authority.
    pub office_uses: Vec<OfficeUse>,
    /// Uses of information.
    pub information: Vec<InformationUse>,
    /// Procurements the person takes or took part in.
    pub procurements: Vec<Procurement>,
    /// Pay from contractors that a former official takes or is offered.
    pub compensation: Vec<Compensation>,
    /// Disclosures by issuers to some and not to all.
    pub selective_disclosures: Vec<SelectiveDisclosure>,
    /// Personal trades that a trading rule of the agency is held against.
    pub trades: Vec<PersonalTrade>,
    /// What an adviser's staff get to see, and their reports of holdings.
    pub access_person: Option<AccessPerson>,
    /// Inside information told to somebody outside who is asked to consent first ("wall crossing", market sounding).
    pub wall_crossings: Vec<WallCrossing>,
    /// Financial disclosure reports: the position, and the days that start clocks.
    pub filing: Option<Filing>,
    /// Requests for certificates of divestiture.
    pub certificates: Vec<CertificateRequest>,
    /// Waivers, authorizations, agreements, directions and prohibitions on paper.
    pub papers: Vec<Paper>,
}

/// Why a text is not a scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Not JSON, or not of the schema.
    #[error("at {place}: {source}; schemas/scenario.md says which field states what")]
    Json {
        /// The field, as a path.
        place: String,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// Two things in it share an id.
    #[error("two interests are called {0}; give each its own id")]
    SameId(String),
}

impl Scenario {
    /// Reads a scenario from JSON.
    ///
    /// # Errors
    /// Text that is not JSON or not of `schemas/scenario.schema.json`, or two interests of one id.
    pub fn from_json(text: &str) -> Result<Self, ScenarioError> {
        let mut json = serde_json::Deserializer::from_str(text);
        let scenario: Self = serde_path_to_error::deserialize(&mut json)
            .map_err(|e| ScenarioError::Json { place: e.path().to_string(), source: e.into_inner() })?;
        json.end().map_err(|source| ScenarioError::Json { place: "the end".into(), source })?;
        let mut ids: Vec<&str> = scenario.interests.iter().map(|i| i.id.as_str()).filter(|id| !id.is_empty()).collect();
        ids.sort_unstable();
        match ids.windows(2).find(|w| w.first() == w.last()).and_then(|w| w.first()) {
            Some(id) => Err(ScenarioError::SameId((*id).to_owned())),
            None => Ok(scenario),
        }
    }

    /// How somebody or something named stands to the matter: what is listed; nothing where the name is not listed.
    pub fn standing(&self, name: &str) -> Option<Standing> {
        self.matter.as_ref().and_then(|m| m.standing(name))
    }
}

/// The JSON Schema of a scenario, from the types that read it.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Scenario)
}

/// Whether two names are the same name: blanks at the ends and case do not count.
pub fn same_name(a: &str, b: &str) -> bool {
    a.trim().eq_ignore_ascii_case(b.trim())
}
