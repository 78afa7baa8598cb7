//! What a filer wrote, and the issuer it means.
//!
//! In scope: cleaning one cell of text ([`clean`]); identifiers and their check digits ([`identifiers`], [`ticker`]); what kind of thing the
//! text names ([`InstrumentClass`]); and [`match_asset`], which finds the issuer in a [`Catalogue`], or says why a person has to look.
//!
//! Not in scope: reading files and rows, amounts, dates and owners (the import in `countersign-cli`); recording anything
//! (`countersign-ledger`); what an issuer means for a request (`countersign-conflict`). Everything here is a function of its arguments: no
//! clock, no randomness, no I/O, no panic. The same catalogue, text and [`MATCHER_VERSION`] give the same [`Outcome`] for ever.
//!
//! The rule, from the design page on matching: a link is made without a person only where ticker and stripped name agree for the trade date,
//! or where there is no ticker and one issuer alone has that stripped name, or one alone comes close in two measures at once. Everything else is
//! an outcome that says what it is. Nothing is guessed and nothing is dropped.
//!
//! Limits: text up to [`clean::CHARS_MAX`] characters, the rest is cut off; Latin script (a name in another script matches only if it is
//! written the same); one language of fund and security wording, American English. A catalogue holds fewer than 2^32 names.

pub mod catalogue;
pub mod class;
pub mod clean;
pub mod identifiers;
mod matching;
pub mod outcome;
mod product;
pub mod similar;
pub mod strip;
pub mod ticker;
mod words;

pub use self::catalogue::{Catalogue, DatedTicker, FormerName, IssuerEntry};
pub use self::class::InstrumentClass;
pub use self::matching::match_asset;
pub use self::outcome::{Candidate, Decision, How, Outcome, Reason, Why};

/// The rules as they stand. An outcome carries it, so that a record says by which rules it was made; every change of a rule, a word list or a
/// threshold changes it.
pub const MATCHER_VERSION: &str = "match-2";
