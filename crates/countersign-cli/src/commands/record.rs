//! `record`: any type of record from a file, for those that have no command of their own: partners' rosters and selections, authorities,
//! designations, flaws under embargo, referrals, legal holds, corrections, identifiers, ties, holdings and trades entered by hand.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_api::body;
use countersign_entry::record::{Identifier, IdentifierScheme, Record, TYPE_NAMES};
use countersign_match::identifiers::{Cik, Cusip, Figi, Isin, Lei};
use serde_json::{Value, json};

use super::redact::{self, RedactArgs};
use super::signed::{self, SignedArgs};
use super::visible::{fields_of, visible};
use super::{DONE, read_small};
use crate::args::{LedgerArgs, WriteArgs};
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::{Session, recorded, recorded_line};

/// Records of any type.
#[derive(Debug, Subcommand)]
pub(crate) enum RecordCommand {
    /// Record what a file says.
    Add(AddArgs),
    /// Record a request that --draft wrote, with what officers signed of it.
    Signed(SignedArgs),
    /// Take words out of an entry for good.
    Redact(RedactArgs),
    /// Print one entry's record.
    Show(ShowArgs),
    /// Print the types of records.
    Types,
}

/// What to record.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The type, such as roster.entry (`countersign record types` lists them; `schemas/entry.cddl` has their fields).
    #[arg(long = "type", value_name = "TYPE")]
    kind: String,
    /// A JSON object with the record's fields. A field left out is null; times are RFC 3339.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// Take the place of the newest record of this type and id.
    #[arg(long)]
    supersede: bool,
    #[command(flatten)]
    write: WriteArgs,
}

/// Which entry.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The entry.
    #[arg(value_name = "INDEX")]
    index: u64,
}

pub(crate) fn run(command: &RecordCommand, out: &mut Out<'_>) -> Result<Exit, Failure> {
    match command {
        RecordCommand::Add(args) => add(args, out),
        RecordCommand::Signed(args) => signed::run(args, out),
        RecordCommand::Redact(args) => redact::run(args, out),
        RecordCommand::Show(args) => show(args, out),
        RecordCommand::Types if out.is_json() => out.object("record-types", json!({ "types": TYPE_NAMES })).map(|()| DONE),
        RecordCommand::Types => out.text(&format!("{}\n", TYPE_NAMES.join("\n"))).map(|()| DONE),
    }
}

fn add(args: &AddArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let bytes = read_small(&args.file)?;
    let bad = |e: serde_json::Error| Failure::Invalid(format!("{}: {e}", args.file.display()));
    let told: Value = serde_json::from_slice(&bytes).map_err(bad)?;
    let mut record = body::record(&args.kind, told).map_err(bad)?;
    if let Record::Identifier(i) = &record {
        check_digits(i)?;
    }
    let mut session = Session::to_write(&args.ledger)?;
    if args.supersede {
        let current = session.ledger.facts().current(&record);
        let current = current.ok_or_else(|| Failure::NotFound(format!("there is no {} of this id to take the place of", args.kind)))?;
        let mut fields = fields_of(&record);
        if let Value::Object(fields) = &mut fields {
            fields.insert("supersedes".into(), json!(current));
        }
        record = Record::from_human(&args.kind, fields).map_err(bad)?;
    }
    let receipt = session.record(&args.write, record)?;
    if out.is_json() {
        out.object("record-add", recorded(&receipt)?)?;
    } else {
        out.line(recorded_line(&receipt)?)?;
    }
    Ok(DONE)
}

/// An identifier that cannot be one would send assets to the wrong issuer, or to none.
fn check_digits(identifier: &Identifier) -> Result<(), Failure> {
    let text = identifier.value.as_str();
    let checked = match identifier.scheme {
        IdentifierScheme::Cik => Cik::new(text).map(drop),
        IdentifierScheme::Lei => Lei::new(text).map(drop),
        IdentifierScheme::Figi => Figi::new(text).map(drop),
        IdentifierScheme::Isin => Isin::new(text).map(drop),
        IdentifierScheme::Cusip => Cusip::new(text).map(drop),
        IdentifierScheme::Ticker => Ok(()),
    };
    checked.map_err(|e| Failure::Invalid(format!("{text:?}: {e}")))
}

fn show(args: &ShowArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let session = Session::to_read(&args.ledger)?;
    let record = session.entry(countersign_entry::ids::LeafIndex(args.index))?;
    let facts = session.ledger.facts();
    let fields = visible(&session.actor, facts, &record).ok_or_else(|| Failure::Denied("this record is for the ethics role".into()))?;
    if out.is_json() {
        out.object("record", json!({ "entry": args.index, "type": record.type_name(), "record": fields }))?;
    } else {
        let text = serde_json::to_string_pretty(&fields).map_err(|e| Failure::Bug(e.to_string()))?;
        out.line(format_args!("entry {}: {}\n{text}", args.index, record.type_name()))?;
    }
    Ok(DONE)
}
