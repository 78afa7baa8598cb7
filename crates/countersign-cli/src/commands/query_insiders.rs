//! `query insiders`: the insider list of a submission.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use countersign_entry::ids::SubmissionId;
use countersign_ledger::query::{Page, View};
use countersign_server::report::{TEMPLATES, flat, insider_header, insider_row};

use super::query::{AsOfArgs, FormArgs, Told, not_recorded};
use crate::args::LedgerArgs;
use crate::failure::Failure;
use crate::session::Session;

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
    let rows = list.people.rows.iter().map(|r| insider_row(r, session.actor.eyes.see_why_of(view.facts(), &r.person))).collect();
    let mut told = Told::new("insiders", args.id.as_str(), INSIDERS, &list.people, rows);
    told.header = insider_header(&list);
    told.flat = flat;
    Ok(told)
}
