//! What tests of every crate share (unpublished).
//!
//! In scope: any valid value of every record type ([`records`]); a small furnished world that is recorded the way a sequencer must record it, and
//! kept for replay ([`scene`]); random histories of that world ([`history`]); a clock moved by hand ([`clock`]); whole ledgers ([`ledger`]); a
//! toolbox that takes ledgers apart and forges them ([`forge`]), and the invalid test ledgers made with it ([`vectors`]); the table of a benchmark
//! ([`table`]).
//!
//! Not in scope: the tests themselves; they stand beside the crates they test.
//!
//! Limits: a [`scene::Scene`] keeps every entry in memory. What cannot fail in a test panics here, because that is a failed test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests only: a panic is a failed test"
)]

pub mod clock;
pub mod forge;
pub mod history;
pub mod ledger;
pub mod officers;
pub mod records;
pub mod scene;
pub mod table;
pub mod vectors;
