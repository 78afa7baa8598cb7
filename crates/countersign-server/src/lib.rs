//! The ledger over HTTP.
//!
//! In scope: TLS and who is asking ([`who`], [`certificate`], [`oidc`], [`tls`]), the table of roles asked for every request ([`app`]), the routes
//! ([`routes`]), bounds, the queue of questions that become entries, health and metrics, the configuration ([`config`]), and the socket in the ledger's
//! directory by which the command line records while this runs ([`local`]).
//!
//! Not in scope: what is said and in which words (`countersign-api`), what may be recorded (`countersign-conflict`), recording it
//! (`countersign-ledger`).
//!
//! The ledger is synchronous: one thread writes, behind a bounded queue, and a request waits for its answer without holding a thread. Looks at the ledger
//! run on threads that may wait, in between two commits. Bounds are in [`limits`] and [`config::Limits`].

pub mod answer;
pub mod app;
pub mod append;
pub mod bundle;
pub mod certificate;
pub mod client;
pub mod config;
pub mod cursor;
pub mod doctor;
pub mod door;
pub mod exports;
pub mod front;
pub mod imports;
pub mod limits;
pub mod listen;
pub mod local;
pub mod log;
pub mod metrics;
pub mod oidc;
pub mod ops;
pub mod pasts;
pub mod publish;
pub mod rate;
pub mod reads;
pub mod report;
pub mod room;
pub mod routes;
pub mod service;
pub mod side;
pub mod tls;
pub mod trace;
pub mod webhook;
pub mod who;

pub use self::config::{CONFIG_FILE, Config, ConfigError};
pub use self::service::{Running, ServeError, Service};
