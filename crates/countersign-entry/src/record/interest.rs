//! What people hold, trade and are tied to; what was imported, and how names were matched to issuers.

use serde::{Deserialize, Serialize};

use crate::ids::{Date, Hash32, IdError, IssuerId, LeafIndex, Line, OrganizationId, PersonId, RawText, RecordId};

/// Whose interest it is, as seen from the person who reports it (18 U.S.C. 208(a); 5 CFR 2635.403(c); 17 CFR 240.10b5-2(b)(3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HolderRelation {
    /// The person's own.
    Own,
    /// Of the spouse.
    Spouse,
    /// Held jointly with the spouse.
    Joint,
    /// Of a minor child.
    MinorChild,
    /// Of a dependent child of any age.
    DependentChild,
    /// Of an adult child: not imputed under 18 U.S.C. 208.
    AdultChild,
    /// Of a parent.
    Parent,
    /// Of a sibling.
    Sibling,
    /// Of a member of the household.
    Household,
    /// Of a general partner.
    GeneralPartner,
    /// Of an organization the person serves.
    Organization,
    /// Of a prospective employer.
    ProspectiveEmployer,
    /// In an account somebody else manages.
    ManagedAccount,
    /// Held by a nominee.
    Nominee,
    /// The source does not say.
    Unknown,
}

/// What kind of thing is held or traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum InstrumentClass {
    /// Shares, depositary receipts among them.
    Equity,
    /// A listed option; looked at as its underlying.
    Option,
    /// A future.
    Future,
    /// A corporate bond or note.
    Bond,
    /// A municipal security.
    Municipal,
    /// A Treasury security.
    Treasury,
    /// A diversified fund: recorded, never linked to an issuer.
    DiversifiedFund,
    /// A fund of one sector.
    SectorFund,
    /// A leveraged or inverse product on one stock; looked at as its underlying.
    SingleStockProduct,
    /// A retirement or benefit plan.
    Plan,
    /// A stake that is not publicly traded: shares of a private company, an SPV, a SAFE.
    PrivateStake,
    /// Crypto-assets.
    Crypto,
    /// A contract on an event.
    EventContract,
    /// Real property.
    RealProperty,
    /// Cash, a deposit, a money-market instrument.
    Cash,
    /// A loan or another liability.
    Liability,
    /// Something else.
    Other,
    /// The source does not tell.
    Unknown,
}

/// How an instrument came to its issuer, or why it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Linking {
    /// Ticker and name agree, or the name alone leaves no doubt.
    Matched,
    /// Somebody decided.
    Decided,
    /// Waits in the review queue.
    InReview,
    /// Has no issuer by its nature: a fund, cash, property.
    NotLinked,
}

/// Whole US dollars, both ends inside; an end that is open or unknown is null. Forms give bands, never values (5 CFR 2634.301(d)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "Ends", into = "Ends")]
pub struct Band {
    lo: Option<u64>,
    hi: Option<u64>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Ends {
    lo: Option<u64>,
    hi: Option<u64>,
}

impl Band {
    /// Nothing is known of the value.
    pub const UNKNOWN: Band = Band { lo: None, hi: None };

    /// A band from `lo` to `hi`.
    ///
    /// # Errors
    /// `lo` greater than `hi`.
    pub fn new(lo: Option<u64>, hi: Option<u64>) -> Result<Self, IdError> {
        match (lo, hi) {
            (Some(lo), Some(hi)) if lo > hi => Err(IdError { what: "a band", rule: "begins before it ends" }),
            _ => Ok(Self { lo, hi }),
        }
    }

    /// The least it can be.
    pub fn lo(self) -> Option<u64> {
        self.lo
    }

    /// The most it can be.
    pub fn hi(self) -> Option<u64> {
        self.hi
    }
}

impl TryFrom<Ends> for Band {
    type Error = IdError;
    fn try_from(e: Ends) -> Result<Self, IdError> {
        Self::new(e.lo, e.hi)
    }
}

impl From<Band> for Ends {
    fn from(b: Band) -> Ends {
        Ends { lo: b.lo, hi: b.hi }
    }
}

/// What is held or traded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    /// Its kind.
    pub class: InstrumentClass,
    /// What the source calls it, as written.
    pub text: RawText,
    /// The ticker or another identifier as written.
    pub identifier: Option<Line>,
    /// The source's own word for its kind, as written: what it came to rests on this too.
    pub asset_type: Option<Line>,
    /// The issuer, or the underlying's.
    pub issuer: Option<IssuerId>,
    /// How it came to that issuer.
    pub linking: Linking,
    /// The industry, country or State a sector fund concentrates in, as its prospectus says (5 CFR 2640.201(b)); left out where nobody recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector: Option<Line>,
}

/// Where an imported record comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The importer and its version, such as `house_ptr/1`.
    pub importer: Line,
    /// SHA-256 of the file.
    pub file_hash: Hash32,
    /// The row, from 1.
    pub row: u64,
    /// The row as it stood in the file.
    pub raw: RawText,
}

/// Something a person, or somebody whose interest counts as theirs, holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Holding {
    /// Its id.
    pub id: RecordId,
    /// Who reports it.
    pub person: PersonId,
    /// Whose it is.
    pub relation: HolderRelation,
    /// What.
    pub instrument: Instrument,
    /// How much.
    pub value: Band,
    /// The day it was held.
    pub as_of: Date,
    /// Where it is known from; none where it was entered by hand.
    pub provenance: Option<Provenance>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// Which way a trade went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TradeKind {
    /// Bought.
    Purchase,
    /// Sold, all of it or not said how much.
    Sale,
    /// Sold in part.
    PartialSale,
    /// Exchanged.
    Exchange,
    /// The source does not say.
    Unknown,
}

/// A trade (OGE Form 278-T, a House or Senate periodic transaction report, a broker's statement).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Trade {
    /// Its id.
    pub id: RecordId,
    /// Who reports it.
    pub person: PersonId,
    /// Whose it is.
    pub relation: HolderRelation,
    /// What.
    pub instrument: Instrument,
    /// Which way.
    pub kind: TradeKind,
    /// The day of the trade.
    pub traded_on: Date,
    /// The day the person was told of it.
    pub notified_on: Option<Date>,
    /// The day it was reported.
    pub filed_on: Option<Date>,
    /// How much.
    pub value: Band,
    /// How many units: shares, contracts. Part of a unit counts as a whole one.
    pub quantity: Option<u64>,
    /// Where it is known from; none where it was entered by hand.
    pub provenance: Option<Provenance>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// What ties a person to somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RelationshipKind {
    /// Employed by, or serves as officer, director, trustee or general partner.
    Serves,
    /// Served within the last year (5 CFR 2635.502(b)(1)(iv)).
    Served,
    /// Seeks employment with, or has an arrangement with (5 CFR 2635.603).
    Seeking,
    /// Business or financial beyond routine consumer dealings (5 CFR 2635.502(b)(1)(i)).
    Business,
    /// Active in the organization (5 CFR 2635.502(b)(1)(v)).
    ActiveIn,
    /// Received a covered payment (5 CFR 2635.503).
    CoveredPayment,
}

/// A tie of a person, or of somebody close to them, to an issuer or an organization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Relationship {
    /// Its id.
    pub id: RecordId,
    /// Who.
    pub person: PersonId,
    /// How.
    pub kind: RelationshipKind,
    /// Whose tie it is. A spouse's, a minor child's and a general partner's interests count as the person's own (18 U.S.C. 208(a)); the ties of a
    /// parent, of any dependent child and of the household are looked at under 5 CFR 2635.502(b)(1)(ii) and (iii).
    pub relation: HolderRelation,
    /// To which issuer, where it is one.
    pub issuer: Option<IssuerId>,
    /// To which organization, where it is one.
    pub organization: Option<OrganizationId>,
    /// Since when.
    pub from: Option<Date>,
    /// Until when.
    pub until: Option<Date>,
    /// Where it is known from; none where it was entered by hand.
    pub provenance: Option<Provenance>,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}

/// A file that was imported, with every row accounted for. The same file again changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Its id.
    pub id: RecordId,
    /// The importer and its version.
    pub importer: Line,
    /// SHA-256 of the file.
    pub file_hash: Hash32,
    /// Rows in the file.
    pub rows: u64,
    /// Rows recorded by this import.
    pub recorded: u64,
    /// Rows that were known already, or stand twice in the file.
    pub repeated: u64,
    /// Rows put aside with a reason.
    pub quarantined: u64,
}

/// What somebody decided in the review queue: which issuer an asset text means, or that it means none. Later imports of the same text follow it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MatchDecision {
    /// Its id.
    pub id: RecordId,
    /// The asset text, as written.
    pub text: RawText,
    /// The identifier written with it.
    pub identifier: Option<Line>,
    /// The issuer; none where it is no issuer's.
    pub issuer: Option<IssuerId>,
    /// What kind of thing it is.
    pub class: InstrumentClass,
    /// Why.
    pub reason: Line,
    /// The record this one takes the place of.
    pub supersedes: Option<LeafIndex>,
}
