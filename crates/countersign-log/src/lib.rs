//! The public plane of a ledger as bytes: chain, tree, tiles, notes, checkpoints, cosignatures, proofs, signed key texts and segment files.
//!
//! In scope: computing and checking hashes and signatures, and reading and writing the formats of C2SP signed-note,
//! tlog-checkpoint, tlog-cosignature, tlog-tiles and tlog-proof strictly, so that two readers never differ over the same bytes.
//!
//! Not in scope: what a leaf says and how its record is sealed (`countersign-entry`); holding private keys (`countersign-sign`);
//! files and durability (`countersign-store`); verdicts and reports (`countersign-verify`); COSE receipts (`countersign-ledger`).
//! This crate does no I/O, has no clock and no randomness, and knows no other crate of the workspace.
//!
//! Limits: every size that a reader will accept is in [`limits`]. A log's signatures are Ed25519 (signed-note type `01`) or ECDSA over
//! P-256 (type `02`), a witness's Ed25519 (type `04`); lines by other algorithms are carried along and never believed. [`tree::Tree`] keeps about 64 bytes of memory for each leaf;
//! [`tree::CompactRange`] keeps a few dozen hashes whatever the size.

pub mod chain;
pub mod checkpoint;
pub mod cosignature;
pub mod ecdsa;
pub mod ed25519;
pub mod encoding;
mod hash;
pub mod key_event;
pub mod limits;
pub mod note;
pub mod proof;
pub mod recall;
pub mod register;
pub mod segment;
pub mod spki;
pub mod tile;
pub mod tree;
pub mod vkey;
