//! What came of matching one text.

use crate::class::InstrumentClass;

/// The outcome for one text, with everything a record has to keep to say how it came about. The raw text is the caller's to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What kind of thing the text names.
    pub class: InstrumentClass,
    /// The whole cell, cleaned.
    pub text: String,
    /// The name inside it, stripped, as it was compared.
    pub stripped: String,
    /// The symbol that was looked up, from the ticker cell or from the text.
    pub ticker: Option<String>,
    /// [`crate::MATCHER_VERSION`].
    pub version: &'static str,
    /// What is to be done with it.
    pub decision: Decision,
}

/// What is to be done with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It means this issuer.
    Linked {
        /// The issuer's id, as the catalogue has it.
        issuer: String,
        /// In thousandths; 1,000 is equality of ticker and stripped name.
        score: u16,
        /// By which rule.
        how: How,
    },
    /// A diversified fund or a plan: recorded, never linked.
    Fund,
    /// No company issued it: government paper, a coin, money, land.
    NotASecurity(InstrumentClass),
    /// A stake in a company that is not listed and not known here.
    Private {
        /// The company's name as cleaned.
        name: String,
        /// Unlisted issuers of the catalogue whose name stands in the text.
        candidates: Vec<Candidate>,
    },
    /// A person has to look.
    Review {
        /// Issuers it may mean, best first; may be empty. At most [`CANDIDATES_MAX`].
        candidates: Vec<Candidate>,
        /// Why nothing was linked.
        reason: Reason,
    },
    /// Nothing in the catalogue comes near.
    Unmatched,
}

/// Candidates that a review shows.
pub const CANDIDATES_MAX: usize = 5;

/// The rule that made a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum How {
    /// The ticker's owner on the date has this name.
    TickerAndName,
    /// No ticker; one issuer alone has this stripped name.
    NameExact,
    /// No ticker; one issuer alone comes close in both measures.
    NameFuzzy,
    /// The text names something written on, or lent to, the issuer.
    Underlying,
    /// An ISIN or a CUSIP in it is the issuer's, and neither ticker nor name is another's.
    Identifier,
}

/// Why a person has to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The ticker's owner and the name are different issuers.
    TickerNameDisagree,
    /// What stands in the ticker's place is probably no ticker: `(CASH)`, `(DE)`.
    NotATicker,
    /// More than one issuer fits, or more than one ticker is given.
    Ambiguous,
    /// Something comes near, not near enough.
    Weak,
    /// Nobody in the catalogue trades under the ticker on the date.
    TickerUnknown,
    /// An ISIN or a CUSIP in the text is one issuer's; ticker, name or another identifier is another's.
    IdentifierDisagrees,
}

/// An issuer a text may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The issuer's id.
    pub issuer: String,
    /// How near the name comes, in thousandths.
    pub score: u16,
    /// What brought it up.
    pub why: Why,
}

/// What brought a candidate up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// It owns the ticker.
    Ticker,
    /// It has the ISIN or CUSIP.
    Identifier,
    /// It has the stripped name.
    NameExact,
    /// It had the stripped name once, or has it at another date.
    FormerName,
    /// Its name is near.
    NameNear,
}

impl Outcome {
    /// The issuer, if the text was linked.
    pub fn issuer(&self) -> Option<&str> {
        match &self.decision {
            Decision::Linked { issuer, .. } => Some(issuer),
            _ => None,
        }
    }
}
