//! What surrounds a review: authority, designation, partners, flaws under embargo, referrals, holds.

use serde::{Deserialize, Serialize};

use super::submission::MarkingLevel;
use crate::ids::{Date, Hash32, IdError, IssuerId, LeafIndex, Line, OrganizationId, PersonId, RecordId, SubmissionId};
use crate::time::Micros;

/// A kind of identifier an issuer or a security has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum IdentifierScheme {
    /// SEC Central Index Key.
    Cik,
    /// Legal entity identifier (ISO 17442).
    Lei,
    /// Financial instrument global identifier.
    Figi,
    /// ISO 6166.
    Isin,
    /// CUSIP; licensed data, held only where a filer wrote it.
    Cusip,
    /// A ticker symbol, which changes owners: the dates matter.
    Ticker,
}

/// An identifier of an issuer, for a time. Check digits are the importer's to hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Identifier {
    /// Its id.
    pub id: RecordId,
    /// Whose.
    pub issuer: IssuerId,
    /// What kind.
    pub scheme: IdentifierScheme,
    /// The identifier.
    pub value: Line,
    /// First day it holds.
    pub valid_from: Option<Date>,
    /// Last day it holds.
    pub valid_to: Option<Date>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// An order, statute or policy that grants under it cite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// Its id.
    pub id: RecordId,
    /// What it is called.
    pub title: Line,
    /// The section.
    pub section: Option<Line>,
    /// SHA-256 of its text, where the agency holds it.
    pub text_hash: Option<Hash32>,
    /// First day it is in force.
    pub from: Date,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// That a model is covered, by an opaque reference. Benchmark values never enter the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Designation {
    /// Its id.
    pub id: RecordId,
    /// Of which submission.
    pub submission: SubmissionId,
    /// Reference to the record on the high side.
    pub reference: Line,
    /// Who decided, by office.
    pub decided_by: Line,
    /// When.
    pub decided_at: Micros,
    /// Marking of the fact that it is designated.
    pub marking: MarkingLevel,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// A person on a partner's roster. Outside providers keep their own list; ours names a contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RosterEntry {
    /// Its id.
    pub id: RecordId,
    /// The partner.
    pub organization: OrganizationId,
    /// Who.
    pub person: PersonId,
    /// Whether this is the partner's contact.
    pub contact: bool,
    /// Since when.
    pub from: Micros,
    /// Until when.
    pub until: Option<Micros>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// Government and developer chose a partner together; each signed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Its id.
    pub id: RecordId,
    /// The partner.
    pub organization: OrganizationId,
    /// For which submission.
    pub submission: SubmissionId,
    /// SHA-256 of the document the government signed.
    pub government_hash: Hash32,
    /// SHA-256 of the document the developer signed.
    pub developer_hash: Hash32,
    /// When the later of the two signed.
    pub signed_at: Micros,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// An unpatched flaw, handled through the clearinghouse: knowing of it is material about its vendor and about those who use the product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Vulnerability {
    /// Its id.
    pub id: RecordId,
    /// Reference at the clearinghouse.
    pub reference: Line,
    /// The vendor.
    pub vendor: Option<IssuerId>,
    /// Others it touches.
    pub affected: Vec<IssuerId>,
    /// Until when it is embargoed; none where an event ends it.
    pub embargo_until: Option<Micros>,
    /// The event that ends the embargo.
    pub embargo_event: Option<Line>,
    /// Who coordinates.
    pub coordinator: Option<Line>,
    /// When it became public.
    pub public_at: Option<Micros>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// A case handed on (28 U.S.C. 535; OGE Form 202 under 5 CFR 2638.206).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Referral {
    /// Its id.
    pub id: RecordId,
    /// The case's entry.
    pub case: LeafIndex,
    /// To whom.
    pub to: Line,
    /// On which form.
    pub form: Option<Line>,
    /// SHA-256 of what was sent.
    pub document_hash: Hash32,
    /// When.
    pub referred_at: Micros,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// What a hold keeps from being erased: a person's records, a submission's, or one case's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub enum HoldScope {
    /// Everything on a person.
    Person(PersonId),
    /// Everything on a submission.
    Submission(SubmissionId),
    /// A case, by its entry.
    Case(LeafIndex),
}

impl TryFrom<String> for HoldScope {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        let bad = IdError { what: "a hold's scope", rule: "is person:ID, submission:ID or case:ENTRY" };
        Ok(match text.split_once(':') {
            Some(("person", id)) => HoldScope::Person(PersonId::new(id)?),
            Some(("submission", id)) => HoldScope::Submission(SubmissionId::new(id)?),
            Some(("case", entry)) if entry.parse::<u64>().is_ok_and(|n| n.to_string() == entry) => {
                HoldScope::Case(LeafIndex(entry.parse().map_err(|_| bad)?))
            }
            _ => return Err(bad),
        })
    }
}

impl From<HoldScope> for String {
    fn from(scope: HoldScope) -> String {
        match scope {
            HoldScope::Person(id) => format!("person:{id}"),
            HoldScope::Submission(id) => format!("submission:{id}"),
            HoldScope::Case(entry) => format!("case:{entry}"),
        }
    }
}

/// Nothing in the scope may be erased while it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LegalHold {
    /// Its id.
    pub id: RecordId,
    /// What it keeps.
    pub scope: HoldScope,
    /// On what ground.
    pub authority: Line,
    /// Since when.
    pub from: Micros,
    /// Until when; open while it stands.
    pub until: Option<Micros>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// Says that an earlier entry is wrong where no superseding record can say it, such as a read or a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// The entry.
    pub target: LeafIndex,
    /// What is wrong with it.
    pub reason: Line,
}
