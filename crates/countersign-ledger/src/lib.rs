//! The one place where effects are put in order.
//!
//! In scope: the sequencer, which decides, records, signs and acknowledges ([`Ledger::commit`]); recovery and the gate at start
//! ([`Ledger::open`]); the thread with its bounded queue that makes batches ([`Writer`]); receipts; questions over the whole ledger
//! ([`query`]); the static export ([`export`]).
//!
//! Not in scope: bytes (`countersign-entry`, `countersign-log`), rules (`countersign-conflict`), keys (`countersign-sign`), disks
//! (`countersign-store`), people's rights over HTTP (`countersign-server`, not yet).
//!
//! Limits are in [`limits`]. Facts live in memory; a start goes on from a snapshot of them that this ledger's keys sealed, or replays every entry
//! ([`Beside`]). The index lies in memory for the newest entries and on disk for the rest. Snapshot and index are made anew whenever anything about
//! them is wrong; a handle opened for reading makes an index of its own, in memory.

mod audit;
mod backup;
mod batch;
mod beside;
mod clock;
mod commit;
mod compartments;
mod cose;
mod dir;
mod disclose;
mod durable;
mod entropy;
mod erase;
pub mod export;
mod index;
mod keys;
pub mod limits;
mod loss;
mod nowhere;
mod open;
#[cfg(test)]
mod place;
mod public;
pub mod query;
mod reader;
mod receipt;
mod redact;
mod rotate;
mod sealed;
mod signing;
mod snapshot;
mod state;
mod stored;
mod trial;
mod versions;
mod writer;

pub use self::audit::AuditStatus;
pub use self::backup::{Backup, BackupError, Copied, KEPT_CONFIG};
pub use self::beside::{Beside, Notice, Standing};
pub use self::clock::{Clock, SystemClock};
pub use self::commit::{AppendError, Request};
pub use self::cose::{CoseError, CoseRoot};
pub use self::dir::{CONFIG, Directory, DirectoryError, InToken, Opening};
pub use self::entropy::{Entropy, EntropyError, SystemEntropy};
pub use self::erase::Erasure;
pub use self::index::RUN_LEN;
pub use self::loss::Loss;
pub use self::open::{Access, Ledger, OpenError, Parts, unless_erased};
pub use self::reader::Reader;
pub use self::receipt::{Proof, Receipt, Recorded};
pub use self::redact::Redact;
pub use self::rotate::{Revocation, Rotation, Signatures};
pub use self::versions::Part;
pub use self::writer::{Pending, Writer};
