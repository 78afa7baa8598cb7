//! The words of the domain and their one encoding.
//!
//! In scope: canonical CBOR ([`cbor`], [`canonical`]), salted fields and their commitments ([`content`]), the public leaf ([`leaf`]), the sealed record
//! ([`seal`]), identifiers, times and the calendar ([`ids`], [`time`], [`calendar`]), and every record type the ledger can hold ([`record`]).
//!
//! Not in scope: hashing leaves into a chain or tree and signing it (`countersign-log`), deciding anything (`countersign-conflict`), drawing
//! salts, nonces or keys, reading a clock or a file: they come in as arguments.
//!
//! Limits are in [`limits`]. Nothing here panics on any input.

pub mod calendar;
pub mod canonical;
pub mod cbor;
pub mod content;
pub mod cose;
pub mod ids;
pub mod leaf;
pub mod limits;
pub mod record;
pub mod request;
pub mod seal;
pub mod time;
