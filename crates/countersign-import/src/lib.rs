//! Dirty rows in, typed rows out, every row accounted for.
//!
//! In scope: reading a file's bytes into cells ([`table`]), reading cells into values ([`amount`], [`date`], [`owner`], [`trade_kind`],
//! [`cell`]), one importer for each known source and a mapping for all others ([`importers`],
//! [`public`], [`mapping`]), the accounting that no row escapes
//! ([`accounting`]), a mapping to start from ([`template`]), the file of quarantined rows that can be corrected and loaded again ([`quarantine`]), the preview against what the ledger
//! holds ([`diff`](mod@diff)), and making cells harmless for spreadsheet programs ([`defuse`](mod@defuse)).
//!
//! Not in scope: which issuer an asset means (`countersign-match`), writing records (`countersign-ledger`), opening files, and the clock: the
//! day a file was received is an argument.
//!
//! Limits are in [`limits`]. Nothing here panics on any input. A file is read whole or refused whole; inside a readable file a bad row is
//! quarantined with its reason and never dropped.

pub mod accounting;
pub mod amount;
pub mod cell;
pub mod date;
pub mod defuse;
pub mod diff;
pub mod fields;
pub mod importers;
pub mod limits;
pub mod mapping;
pub mod owner;
pub mod public;
pub mod quarantine;
pub mod table;
pub mod template;
pub mod trade;
pub mod trade_kind;

/// Version of the rules in this crate; recorded with every import, so that a row can be read again as it was read then.
pub const IMPORTER_VERSION: u32 = 1;
