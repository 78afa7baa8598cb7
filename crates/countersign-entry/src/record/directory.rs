//! Who and what there is: organizations, people, principals, providers, issuers, and the edges between them.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::interest::Provenance;
use crate::ids::{
    Date, IdError, IssuerId, LeafIndex, Line, ModelId, OrganizationId, PersonId, PrincipalId, ProviderId, RecordId, SubmissionId,
};

/// What an organization is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrganizationKind {
    /// A department or agency.
    Agency,
    /// A component of one (18 U.S.C. 207(c) treats designated components apart).
    Component,
    /// A developer of models.
    Developer,
    /// A trusted partner.
    Partner,
    /// A contractor.
    Contractor,
    /// A federally funded research and development centre.
    Ffrdc,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: Line,
    /// What it is.
    pub kind: OrganizationKind,
    /// The organization it belongs to.
    pub parent: Option<OrganizationId>,
    /// How to reach its ethics office.
    pub ethics_office: Option<Line>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// A person's status decides which law binds them (5 CFR 2635.102(h), 2635.103, 2641.104).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PersonStatus {
    /// Commissioned or warrant officer.
    Officer,
    /// Enlisted member: outside 5 CFR 2635 and 2641.
    Enlisted,
    /// Civilian employee.
    Civilian,
    /// Special Government employee.
    Sge,
    /// Presidential appointee.
    PresidentialAppointee,
    /// Detailee under the Intergovernmental Personnel Act: inside 5 CFR 2635.
    IpaDetailee,
    /// Employee of a contractor: bound by agreement.
    Contractor,
    /// Staff of an FFRDC: bound by agreement.
    Ffrdc,
    /// Staff of a trusted partner: bound by agreement.
    Partner,
    /// Left.
    Former,
}

impl PersonStatus {
    /// Whether duties come from an agreement alone, since 18 U.S.C. 208 and 5 CFR 2635 do not bind the person.
    pub fn bound_by_agreement_only(self) -> bool {
        matches!(self, PersonStatus::Contractor | PersonStatus::Ffrdc | PersonStatus::Partner)
    }
}

/// A person. This record alone holds the name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Random id.
    pub id: PersonId,
    /// Name.
    pub name: Line,
    /// Status.
    pub status: PersonStatus,
    /// Where they serve.
    pub organization: OrganizationId,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// What a principal may do; the table of roles and record types is the conflict crate's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the ledger; keeps directory and policy.
    Operator,
    /// Requests, activates and revokes grants; logs accesses.
    AccessOfficer,
    /// Approves grants.
    Approver,
    /// Keeps lists, recusals, exposures; sees why.
    EthicsOfficer,
    /// Verifies; reads.
    InspectorGeneral,
    /// A model gateway: appends access events and nothing else.
    Gateway,
    /// The ledger's own timers.
    Sequencer,
    /// Somebody whose own record is here.
    CoveredPerson,
    /// Has people under them whose recusals they have to keep work away from: sees that and for what, never why (5 CFR 2635.602(a)(2)).
    Supervisor,
    /// Speaks for the developer that their organization is: sees who had access under its offers.
    Developer,
    /// Cosigns checkpoints; sees the public plane alone.
    Witness,
    /// An agency's directory: tells who serves where and who left (SCIM), and nothing else.
    Provisioner,
}

/// An account that can act on the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// Random id.
    pub id: PrincipalId,
    /// The person behind it; none for gateways and the sequencer.
    pub person: Option<PersonId>,
    /// What it may do.
    pub roles: Vec<Role>,
    /// The operating system's user it acts as (`uid:1000`), where it does.
    pub os_user: Option<Line>,
    /// Whether it may act no longer.
    pub disabled: bool,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// What a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// A PIV card (FIPS 201).
    Piv,
    /// A common access card.
    Cac,
    /// Issuer and subject of an OpenID Connect provider.
    Oidc,
    /// A SCIM directory's id.
    Scim,
    /// A user of a model gateway.
    GatewayUser,
    /// A key of an interface, by its id, never the key.
    ApiKey,
    /// A certificate, by issuer and serial.
    Certificate,
    /// A user of an operating system.
    OsUser,
}

/// An account or card somewhere else that points to a person, so that what that place logs can be told of them. It lets nobody act on the
/// ledger and gives no role: who may is a [`Principal`]'s to say, and what stands for a principal is a
/// [`CredentialLinked`](super::CredentialLinked)'s.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// Its id.
    pub id: RecordId,
    /// Whose.
    pub person: PersonId,
    /// What it is.
    pub kind: CredentialKind,
    /// Who gave it out: a certificate authority, an identity provider, a gateway.
    pub issuer: Line,
    /// What the issuer calls the person.
    pub subject: Line,
    /// First day it holds; open where unknown.
    pub valid_from: Option<Date>,
    /// Last day it holds; open where it still does.
    pub valid_to: Option<Date>,
    /// Where it is known from; none where it was entered by hand.
    pub provenance: Option<Provenance>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

impl Credential {
    /// Whether both hold on some day.
    pub fn overlaps(&self, other: &Self) -> bool {
        let begins_by = |from: &Option<Date>, to: &Option<Date>| !matches!((from, to), (Some(from), Some(to)) if from > to);
        begins_by(&self.valid_from, &other.valid_to) && begins_by(&other.valid_from, &self.valid_to)
    }
}

/// A lab that develops models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// Its name.
    pub name: Line,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// A model, as it became known to the public. Before its release a submission under a neutral title says all there is to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its id.
    pub id: ModelId,
    /// Who made it.
    pub provider: ProviderId,
    /// Its name.
    pub name: Line,
    /// The family it belongs to.
    pub family: Option<Line>,
    /// The day the public got it.
    pub released_on: Option<Date>,
    /// Whether anybody can have its weights.
    pub open_weights: Option<bool>,
    /// Whether all work on it is stopped: every grant under any submission of it is suspended in the same commit.
    pub stopped: Option<bool>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// A name an issuer had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FormerName {
    /// The name.
    pub name: Line,
    /// First day; open where unknown.
    pub from: Option<Date>,
    /// Last day; open where unknown.
    pub to: Option<Date>,
}

/// A company whose securities, or private stakes, somebody may hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Its id.
    pub id: IssuerId,
    /// Its name.
    pub name: Line,
    /// SEC Central Index Key, ten digits; none where private or foreign.
    pub cik: Option<Line>,
    /// Ticker symbols today. Those of another time are [`Identifier`](super::Identifier) records, with their dates. None: not listed.
    pub tickers: Vec<Line>,
    /// Names it had: filers write them for years.
    pub former_names: Vec<FormerName>,
    /// GICS sub-industry: listed issuers of one compete with one another.
    pub sub_industry: Option<Line>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// An end of an exposure edge: `submission:S-…`, `model:openai/gpt-5`, `provider:anthropic`, `host:azure`, `issuer:cik-…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("pattern" = "^(submission:S-[A-Za-z0-9]{4,32}|model:[A-Za-z0-9][A-Za-z0-9_./-]{0,95}|(provider|host|issuer):[A-Za-z0-9][A-Za-z0-9_.-]{0,95})$")))]
#[serde(try_from = "String", into = "String")]
pub enum Node {
    /// A provider.
    Provider(ProviderId),
    /// A submission.
    Submission(SubmissionId),
    /// A model.
    Model(ModelId),
    /// An issuer.
    Issuer(IssuerId),
    /// A service that serves models.
    Host(RecordId),
}

impl TryFrom<String> for Node {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Ok(match text.split_once(':') {
            Some(("provider", id)) => Node::Provider(ProviderId::new(id)?),
            Some(("submission", id)) => Node::Submission(SubmissionId::new(id)?),
            Some(("model", id)) => Node::Model(ModelId::new(id)?),
            Some(("issuer", id)) => Node::Issuer(IssuerId::new(id)?),
            Some(("host", id)) => Node::Host(RecordId::new(id)?),
            _ => return Err(IdError { what: "a node", rule: "is submission:ID, model:ID, provider:ID, host:ID or issuer:ID" }),
        })
    }
}

impl core::str::FromStr for Node {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::try_from(text.to_owned())
    }
}

impl From<Node> for String {
    fn from(node: Node) -> String {
        node.to_string()
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Provider(id) => write!(f, "provider:{id}"),
            Node::Submission(id) => write!(f, "submission:{id}"),
            Node::Model(id) => write!(f, "model:{id}"),
            Node::Issuer(id) => write!(f, "issuer:{id}"),
            Node::Host(id) => write!(f, "host:{id}"),
        }
    }
}

/// How the start of an edge touches its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Is the issuer, or a part of it.
    Is,
    /// Is owned by the issuer.
    OwnedBy,
    /// The issuer holds equity in it.
    EquityHeldBy,
    /// The host, or the issuer, serves it.
    ServedBy,
    /// The host is run by the issuer.
    OperatedBy,
    /// The issuer supplies it.
    Supplier,
    /// The issuer buys from it.
    Customer,
    /// The issuer competes with it.
    Competitor,
    /// The issuer's business uses, or is threatened by, what it makes.
    Downstream,
}

/// How close an exposure is: 1 the lab itself, its owner or equity holder; 2 host, large supplier or customer; 3 competitor or downstream sector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = 3)))]
#[serde(try_from = "u8", into = "u8")]
pub enum Tier {
    /// The lab, its owner, an equity holder.
    One,
    /// Host, large supplier or customer.
    Two,
    /// Competitor, downstream sector.
    Three,
}

impl TryFrom<u8> for Tier {
    type Error = IdError;
    fn try_from(n: u8) -> Result<Self, IdError> {
        Ok(match n {
            1 => Tier::One,
            2 => Tier::Two,
            3 => Tier::Three,
            _ => return Err(IdError { what: "a tier", rule: "is 1, 2 or 3" }),
        })
    }
}

impl From<Tier> for u8 {
    fn from(tier: Tier) -> u8 {
        match tier {
            Tier::One => 1,
            Tier::Two => 2,
            Tier::Three => 3,
        }
    }
}

/// Where an edge is known from. An unconfirmed edge may refer, never block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A public filing.
    PublicFiling,
    /// The press; never printed as law.
    Press,
    /// Computed from public data sets.
    Computed,
    /// Names agree.
    NameMatch,
    /// Stated by an officer.
    Officer,
    /// Stated by the developer.
    Developer,
}

/// A dated, tiered edge. From what was seen edges lead to issuers: at once, or over the hosts that serve a model, or over the issuer that the
/// provider is or belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Exposure {
    /// Its id.
    pub id: RecordId,
    /// Where it starts.
    pub from: Node,
    /// How its start touches its end.
    pub relation: Relation,
    /// Where it ends: an issuer, or a host.
    pub to: Node,
    /// How close.
    pub tier: Tier,
    /// First day it holds; open where unknown.
    pub valid_from: Option<Date>,
    /// Last day it holds; open where it still does.
    pub valid_to: Option<Date>,
    /// Where it is known from.
    pub basis: Basis,
    /// Whether somebody checked it. An unconfirmed edge may refer, never block.
    pub confirmed: bool,
    /// What shows it.
    pub evidence: Option<Line>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

impl Exposure {
    /// Whether the edge holds on a day.
    pub fn holds_on(&self, day: &Date) -> bool {
        self.valid_from.as_ref().is_none_or(|from| from <= day) && self.valid_to.as_ref().is_none_or(|to| day <= to)
    }
}
