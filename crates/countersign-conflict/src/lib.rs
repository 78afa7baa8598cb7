//! Facts, rules, and the one function that decides.
//!
//! In scope: what the ledger knows at an index ([`Facts`]); [`assess`], which answers whether a person may take part, hold and trade, and what
//! policy makes of it; [`assess_trade`], which answers whoever asks before a trade; trades held against what was seen and what was cleared; the
//! grant states ([`grants`]); who may record what ([`roles`]); the entries that follow from another entry or from
//! time ([`Facts::consequences`], [`Facts::due`]); and [`replay`], which does all of it again over a recorded ledger.
//!
//! Not in scope: bytes and hashes (`countersign-entry`, `countersign-log`); order, clocks and storage (`countersign-ledger`). Everything here is a
//! function of the records before an index and of the time given: the same ledger gives the same decisions for ever.
//!
//! Rules stand in [`rules`], one small function each. A rule that cannot be computed refers; it never clears. Nothing here panics.

mod about;
mod after;
mod aside;
mod assess;
mod cases;
mod check;
mod decide;
mod duties;
pub mod emergency;
mod execution;
mod exposure;
mod facts;
mod follow;
pub mod grants;
mod logins;
mod names;
pub mod officers;
mod pending;
mod preclear;
mod reach;
pub mod replay;
pub mod roles;
pub mod rules;
mod standing;
pub mod surveil;
mod touched;
mod trades;

pub use self::about::{bound, owner};
pub use self::after::Clocks;
pub use self::assess::{Ask, Assessed, Question, assess};
pub use self::cases::{CaseFile, CaseState};
pub use self::check::Refusal;
pub use self::duties::{Duty, DutyState};
pub use self::execution::Execution;
pub use self::exposure::Exposed;
pub use self::facts::{FACTS_VERSION, Facts, Grant, Known, PendingFinding};
pub use self::logins::holds_keys;
pub use self::preclear::{Preclearance, assess_trade};
pub use self::touched::{Touch, Touches};
pub use self::trades::{ListedTrade, TradeFinding};
