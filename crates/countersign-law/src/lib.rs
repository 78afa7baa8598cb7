//! The law as rules over the facts of one scenario.
//!
//! In scope: what a scenario states ([`Scenario`]); [`assess`], which answers whether the person may take part, hold and trade, and one answer
//! for each kind of question the facts engage; the limits and clocks the rules use, dated and cited ([`limits`]); the table of rules
//! ([`rules::RULES`]).
//!
//! Not in scope: the ledger and its facts (`countersign-conflict`), files and command lines (`countersign-cli`). No I/O, no clock: the same
//! scenario gives the same answer for ever.
//!
//! A field that is not stated is not known. Where the answer turns on it, the answer is `REFER` with the question to put to a human. A rule never
//! clears what it cannot compute, and nothing here panics.

pub mod amount;
mod answer;
mod assess;
pub mod day;
mod law;
pub mod limits;
pub mod rules;
mod scenario;
mod three;

pub use self::amount::grouped;
pub use self::answer::{
    Answer, Finding, Flag, Kind, KindAnswer, Obligation, Outcome, Point, PolicyName, Question, Verdict, Verdicts, schema as answer_schema,
};
pub use self::assess::{NOTICE, NOTICE_CLEAR, assess, assess_under};
pub use self::scenario::*;
pub use self::three::Three;
