//! `query exposure`: which issuers a submission touched on a day, as far as was known at a size: when it was true and when it was known are two
//! questions.

use clap::Args;
use countersign_conflict::Exposed;
use countersign_entry::ids::{Date, LeafIndex, SubmissionId};
use countersign_entry::record::{Node, Record};
use countersign_entry::time::Micros;
use countersign_ledger::query::View;
use serde_json::{Value, json};

use super::query::{AsOfArgs, FormArgs, Told, not_recorded};
use crate::args::LedgerArgs;
use crate::failure::Failure;
use crate::session::Session;
use crate::words::word_of;

/// Which submission, and on which day.
#[derive(Debug, Args)]
pub(crate) struct ExposureArgs {
    #[command(flatten)]
    pub(super) ledger: LedgerArgs,
    /// The submission.
    #[arg(value_name = "ID")]
    id: SubmissionId,
    /// The day it is asked about. Without it: the day of the newest entry.
    #[arg(long, value_name = "DATE")]
    on: Option<Date>,
    #[command(flatten)]
    pub(super) as_of: AsOfArgs,
    #[command(flatten)]
    pub(super) form: FormArgs,
}

const EXPOSURE: &[&str] = &["issuer", "name", "tickers", "tier", "relation", "confirmed", "way", "via", "known_since"];

pub(super) fn exposure(args: &ExposureArgs, view: &View<'_>, session: &Session) -> Result<Told, Failure> {
    let facts = view.facts();
    let submission = facts.submission(&args.id).ok_or_else(|| not_recorded("submission", args.id.as_str(), view))?;
    let on = args.on.clone().unwrap_or_else(|| Date::of(view.at()));
    let exposed = facts.everything_exposed(submission, &on);
    let rows = exposed.iter().map(|e| row(e, view, session)).collect::<Result<Vec<_>, _>>()?;
    let mut told = Told::new("exposure", args.id.as_str(), EXPOSURE, &view.answer(exposed), rows);
    told.header = vec![("on", json!(on)), ("provider", json!(submission.record.provider)), ("model", json!(submission.record.model))];
    Ok(told)
}

fn row(e: &Exposed<'_>, view: &View<'_>, session: &Session) -> Result<Value, Failure> {
    let issuer = view.facts().issuer(e.issuer).map(|k| &k.record);
    let mut way = Vec::new();
    let mut known_since = Micros::EPOCH;
    for entry in &e.via {
        let (step, at) = step(*entry, session)?;
        way.push(step);
        known_since = known_since.max(at);
    }
    Ok(json!({
        "issuer": e.issuer, "name": issuer.map(|i| &i.name), "tickers": issuer.map(|i| &i.tickers), "tier": e.tier, "relation": word_of(&e.relation),
        "confirmed": e.confirmed, "way": way.join("; "), "via": e.via, "known_since": known_since.to_string(),
    }))
}

/// A step of the way in words, and when it was recorded.
fn step(entry: LeafIndex, session: &Session) -> Result<(String, Micros), Failure> {
    let (_, meta, record) = session.ledger.entry(entry.0)?;
    let at = Micros::new(meta.at).map_err(|e| Failure::Bug(e.to_string()))?;
    let step = match record {
        Record::Exposure(e) => {
            let days = [e.valid_from.map(|d| format!(" from {d}")), e.valid_to.map(|d| format!(" to {d}"))];
            let to = if let Node::Issuer(id) = &e.to { id.to_string() } else { e.to.to_string() };
            format!("{} {} {to}{}", e.from, word_of(&e.relation), days.into_iter().flatten().collect::<String>())
        }
        Record::Issuer(i) => format!("{} in {}", i.id, i.sub_industry.map_or_else(|| "no industry".to_owned(), String::from)),
        Record::Submission(s) => format!("{} names the industry", s.id),
        other => other.type_name().to_owned(),
    };
    Ok((step, at))
}
