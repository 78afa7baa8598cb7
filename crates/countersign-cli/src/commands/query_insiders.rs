//! `query insiders`: the insider list of a submission.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use countersign_entry::ids::SubmissionId;
use countersign_ledger::query::{InsiderRow, Page, View};
use serde_json::{Value, json};

use super::insider_template::TEMPLATES;
use super::query::{AsOfArgs, FormArgs, Told, not_recorded, set};
use crate::args::LedgerArgs;
use crate::failure::Failure;
use crate::session::Session;
use crate::words::{state_for, times_as_text};

/// Which submission.
#[derive(Debug, Args)]
pub(crate) struct InsidersArgs {
    #[command(flatten)]
    pub(super) ledger: LedgerArgs,
    /// The submission.
    #[arg(value_name = "ID")]
    id: SubmissionId,
    /// In the form a regulation asks for: us, uk-2016-347, eu-2022-1210 or eu-2026. Columns the ledger holds nothing for stay empty, and the answer
    /// says which.
    #[arg(long, value_name = "ID", value_parser = PossibleValuesParser::new(TEMPLATES.iter().map(|t| t.0)))]
    pub(super) template: Option<String>,
    /// Write it to this new file as an Excel workbook.
    #[arg(long, value_name = "FILE", requires = "template", conflicts_with = "csv")]
    pub(super) xlsx: Option<PathBuf>,
    #[command(flatten)]
    pub(super) as_of: AsOfArgs,
    #[command(flatten)]
    pub(super) form: FormArgs,
}

const INSIDERS: &[&str] = &[
    "name",
    "person",
    "organization",
    "status",
    "duties",
    "standing",
    "grant",
    "state",
    "granted_at",
    "expires_at",
    "obtained_at",
    "last_access_at",
    "accesses",
    "uncleared",
    "corrected",
    "ceased_at",
    "ceased_because",
    "agreements",
    "recusals",
    "still_inside",
    "tier_1",
];

pub(super) fn insiders(args: &InsidersArgs, view: &View<'_>, session: &Session) -> Result<Told, Failure> {
    let list = view.insiders(&args.id, Page::ALL)?.ok_or_else(|| not_recorded("submission", args.id.as_str(), view))?;
    let rows = list.people.rows.iter().map(|r| row(r, session.actor.is_ethics())).collect();
    let mut told = Told::new("insiders", args.id.as_str(), INSIDERS, &list.people, rows);
    told.header = vec![
        ("submission", json!(list.submission)),
        ("title", json!(list.title)),
        ("created_at", list.created_at.to_string().into()),
        ("updated_at", list.updated_at.to_string().into()),
        ("inside_until", list.inside_until.map(|t| t.to_string()).into()),
        ("still_inside", list.still_inside.into()),
        ("tier_1", json!(list.tier_1)),
    ];
    told.flat = flat;
    Ok(told)
}

fn row(insider: &InsiderRow, ethics: bool) -> Value {
    let mut row = serde_json::to_value(insider).unwrap_or_default();
    times_as_text(&mut row);
    for (name, state) in [("state", insider.state), ("ceased_because", insider.ceased_because)] {
        set(&mut row, name, state.map(|s| state_for(ethics, s)).into());
    }
    row
}

/// Lists inside a row as one cell each: `access_terms 2026-06-01T09:00:00Z (entry 23); …`.
fn flat(row: &mut Value) {
    let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    let entry = |item: &Value| item.get("entry").and_then(Value::as_u64).unwrap_or_default();
    let joined = |list: &Value, one: &dyn Fn(&Value) -> String| {
        list.as_array().filter(|items| !items.is_empty()).map(|items| items.iter().map(one).collect::<Vec<_>>().join("; "))
    };
    let signed = |a: &Value| {
        let until = text(a, "expires_at").map(|u| format!(" until {u}")).unwrap_or_default();
        format!("{} {}{until} (entry {})", text(a, "kind").unwrap_or_default(), text(a, "signed_at").unwrap_or_default(), entry(a))
    };
    let aside = |r: &Value| {
        let until = text(r, "until").map(|u| format!(" until {u}")).unwrap_or_default();
        format!("{} from {}{until} (entry {})", text(r, "scope").unwrap_or_default(), text(r, "from").unwrap_or_default(), entry(r))
    };
    let duties = joined(row.get("duties").unwrap_or(&Value::Null), &|d| d.as_str().unwrap_or_default().to_owned());
    let agreements = joined(row.get("agreements").unwrap_or(&Value::Null), &signed);
    let recusals = joined(row.get("recusals").unwrap_or(&Value::Null), &aside);
    for (name, cell) in [("duties", duties), ("agreements", agreements), ("recusals", recusals)] {
        set(row, name, cell.into());
    }
}
