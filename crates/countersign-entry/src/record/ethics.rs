//! What binds people: agreements, recusals, lists.

use core::fmt;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::ids::{Hash32, IdError, IssuerId, LeafIndex, Line, OrganizationId, PersonId, ProviderId, RecordId, SubmissionId};
use crate::time::Micros;

/// What was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AgreementKind {
    /// Non-disclosure and terms of access, with the acknowledgement of a duty of trust (17 CFR 240.10b5-2(b)(1)).
    AccessTerms,
    /// Notice of duties and sanctions, acknowledged.
    DutyNotice,
    /// The person's signed certification that they hold no interest in an issuer the submission touches.
    NoInterestCertification,
    /// A waiver under 18 U.S.C. 208(b), signed by the appointing official before the person takes part (5 CFR 2640.301, 2640.302).
    #[serde(rename = "waiver_208")]
    Waiver208,
    /// The agency designee's authorization under 5 CFR 2635.502(d).
    #[serde(rename = "authorization_502")]
    Authorization502,
    /// The person's certificate that what their organization was given of a submission is destroyed or returned, as its terms ask. Its developer sees it.
    DestructionCertificate,
}

/// A signed agreement, acknowledgement or certification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// Its id.
    pub id: RecordId,
    /// Who signed.
    pub person: PersonId,
    /// What.
    pub kind: AgreementKind,
    /// The submission it covers; none covers all.
    pub submission: Option<SubmissionId>,
    /// Version of the text.
    pub version: Line,
    /// SHA-256 of the signed document.
    pub document_hash: Hash32,
    /// When it was signed.
    pub signed_at: Micros,
    /// When it ends.
    pub expires_at: Option<Micros>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// What a person is recused from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("pattern" = "^(submission:S-[A-Za-z0-9]{4,32}|(provider|issuer):[A-Za-z0-9][A-Za-z0-9_.-]{0,95})$")))]
#[serde(try_from = "String", into = "String")]
pub enum RecusalScope {
    /// Everything of a provider.
    Provider(ProviderId),
    /// Everything that touches an issuer.
    Issuer(IssuerId),
    /// One submission.
    Submission(SubmissionId),
}

/// What a list item names.
pub type ListSubject = RecusalScope;

impl TryFrom<String> for RecusalScope {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Ok(match text.split_once(':') {
            Some(("provider", id)) => RecusalScope::Provider(ProviderId::new(id)?),
            Some(("issuer", id)) => RecusalScope::Issuer(IssuerId::new(id)?),
            Some(("submission", id)) => RecusalScope::Submission(SubmissionId::new(id)?),
            _ => return Err(IdError { what: "a scope", rule: "is provider:ID, issuer:ID or submission:ID" }),
        })
    }
}

impl core::str::FromStr for RecusalScope {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::try_from(text.to_owned())
    }
}

impl From<RecusalScope> for String {
    fn from(scope: RecusalScope) -> String {
        scope.to_string()
    }
}

impl fmt::Display for RecusalScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecusalScope::Provider(id) => write!(f, "provider:{id}"),
            RecusalScope::Issuer(id) => write!(f, "issuer:{id}"),
            RecusalScope::Submission(id) => write!(f, "submission:{id}"),
        }
    }
}

/// A person does not take part (5 CFR 2635.402(c), 2635.502(e)).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Recusal {
    /// Its id.
    pub id: RecordId,
    /// Who.
    pub person: PersonId,
    /// From what.
    pub scope: RecusalScope,
    /// Since when.
    pub from: Micros,
    /// Until when; open where it goes on.
    pub until: Option<Micros>,
    /// On what ground; the ethics role alone sees it.
    pub ground: Line,
    /// Who keeps matters away from the person.
    pub screening_contact: Option<Line>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// What a list is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ListKind {
    /// Known; trading prohibited.
    Restricted,
    /// Secret; drives surveillance, changes nothing a requester can see.
    Watch,
    /// What some people may neither acquire nor hold, by a statute, a supplemental regulation or a determination about one of them (5 CFR 2635.403).
    ProhibitedHolding,
}

/// Whom a list of prohibited holdings binds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("pattern" = "^(organization:[A-Za-z0-9][A-Za-z0-9_.-]{0,95}|person:P-[A-Za-z0-9]{4,32})$")))]
#[serde(try_from = "String", into = "String")]
pub enum Bound {
    /// Whoever serves in an organization or in one below it (5 CFR 2635.403(a)).
    Organization(OrganizationId),
    /// One person (5 CFR 2635.403(b)).
    Person(PersonId),
}

impl TryFrom<String> for Bound {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Ok(match text.split_once(':') {
            Some(("organization", id)) => Bound::Organization(OrganizationId::new(id)?),
            Some(("person", id)) => Bound::Person(PersonId::new(id)?),
            _ => return Err(IdError { what: "whom a list binds", rule: "is organization:ID or person:ID" }),
        })
    }
}

impl core::str::FromStr for Bound {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::try_from(text.to_owned())
    }
}

impl From<Bound> for String {
    fn from(bound: Bound) -> String {
        bound.to_string()
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Organization(id) => write!(f, "organization:{id}"),
            Bound::Person(id) => write!(f, "person:{id}"),
        }
    }
}

/// A list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Its id.
    pub id: RecordId,
    /// Restricted, watch or of prohibited holdings.
    pub kind: ListKind,
    /// Its name.
    pub name: Line,
    /// The statute, supplemental regulation, determination, agreement or agency policy that lets it bar trading or holding. A restricted list without
    /// one refers, and a list of prohibited holdings has one: no prohibition is invented (5 CFR 2635.403).
    pub authority: Option<Line>,
    /// Whom a list of prohibited holdings binds; left out in every other list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binds: Option<Bound>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
    /// `COSE_Sign1` of others of the ethics office over the request, by their own keys; left out where nobody else signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub approvals: Vec<ByteBuf>,
}

/// A subject on a list, for a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ListItem {
    /// Its id.
    pub id: RecordId,
    /// The list.
    pub list: RecordId,
    /// What is listed.
    pub subject: ListSubject,
    /// Since when.
    pub from: Micros,
    /// Until when; open where it goes on.
    pub until: Option<Micros>,
    /// Why.
    pub reason: Line,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
    /// `COSE_Sign1` of others of the ethics office over the request, by their own keys; left out where nobody else signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub approvals: Vec<ByteBuf>,
}
