//! `import`: a file of records. First what it would do; with `--commit` every row that can be used, and nothing where recording would fail half-way
//! for a reason that can be known before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use clap::builder::PossibleValue;
use clap::{Args, Subcommand, ValueEnum};
use countersign_conflict::Facts;
use countersign_entry::ids::{Date, PersonId, PrincipalId};
use countersign_import::limits::FILE_BYTES_MAX;
use countersign_import::mapping::Mapping;
use countersign_import::template;
use countersign_intake::disclosed::People;
use countersign_intake::report::Report;
use countersign_intake::requests::{import_of, requests, unfinished};
use countersign_intake::source::{self as intake, Source};
use countersign_intake::{Asker, IntakeError};
use countersign_ledger::Ledger;
use indicatif::ProgressBar;
use serde_json::json;

use super::import_write::{commit, write, write_here};
use super::{DONE, bar, import_report, read_small, read_whole, write_new};
use crate::args::LedgerArgs;
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::Session;

/// A file, or how to map one.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct ImportArgs {
    #[command(subcommand)]
    command: Option<ImportCommand>,
    #[command(flatten)]
    ledger: Option<LedgerArgs>,
    #[command(flatten)]
    file: Option<FileArgs>,
}

/// What else there is to importing.
#[derive(Debug, Subcommand)]
enum ImportCommand {
    /// Print every field of a source as a mapping to start from.
    PrintMapping {
        /// Which source.
        #[arg(value_name = "SOURCE")]
        source: SourceArg,
    },
}

/// Which file, and what it is.
#[derive(Debug, Args)]
struct FileArgs {
    /// What the file is.
    #[arg(long, value_name = "SOURCE")]
    source: SourceArg,
    /// The file: CSV, JSON, one JSON object a line, or a spreadsheet. A file that --quarantine wrote, corrected, is taken too.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// Which column is which field, as TOML or JSON. Not needed where the columns have our names (see `import print-mapping`).
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Which sheet of a spreadsheet. Without it: the first.
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// Who the filers of trades or holdings are: CSV with the columns filer and person. A filer that is a recorded person's id needs no line.
    #[arg(long, value_name = "FILE")]
    people: Option<PathBuf>,
    /// The day the file came in: no trade lies after it, and what it says without a date was so on it. Without it: today, UTC.
    #[arg(long, value_name = "DATE")]
    received_on: Option<Date>,
    /// Record it. Without this nothing is recorded.
    #[arg(long)]
    commit: bool,
    /// Write the rows that cannot be used to this new file, to be corrected and imported again.
    #[arg(long, value_name = "FILE")]
    quarantine: Option<PathBuf>,
}

/// A source, by its word.
#[derive(Debug, Clone, Copy)]
struct SourceArg(Source);

impl ValueEnum for SourceArg {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<SourceArg>> = LazyLock::new(|| Source::ALL.iter().copied().map(SourceArg).collect());
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.word()).help(self.0.help()).alias(match self.0 {
            Source::HousePtr => "house_ptr",
            Source::SenatePtr => "senate_ptr",
            other => other.word(),
        }))
    }
}

pub(crate) fn run(args: &ImportArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    match (&args.command, &args.ledger, &args.file) {
        (Some(ImportCommand::PrintMapping { source }), ..) => print_mapping(source.0, out),
        (None, Some(ledger), Some(args)) => args.run(ledger, out),
        _ => Err(Failure::Usage("DIR, --source and --file are needed".into())),
    }
}

/// What came of a file that the demo loads.
pub(crate) struct Loaded {
    /// Rows in the file.
    pub(crate) rows: u64,
    /// Rows that say again what an earlier one says.
    pub(crate) repeated: u64,
    /// Rows put aside, each with its reason.
    pub(crate) put_aside: Vec<(u64, String)>,
    /// The import's entry.
    pub(crate) entry: Option<u64>,
}

/// Loads trades of the House's form, or holdings of OGE Form 278e, into an open ledger, as `import --commit` does.
pub(crate) fn load(
    ledger: &mut Ledger,
    actor: &PrincipalId,
    filers: BTreeMap<String, PersonId>,
    bytes: &[u8],
    holdings: bool,
) -> Result<Loaded, Failure> {
    let file = intake::Loaded::read(if holdings { Source::Oge278e } else { Source::HousePtr }, None, None, bytes)?;
    let received_on = Date::of(ledger.now());
    let people = People::new(filers, ledger.facts());
    let plan = file.plan(Asker { ledger, actor, roles: &[] }, people, &received_on, &mut bars())?;
    let all = requests(&plan, ledger.facts(), actor)?;
    let (entry, _) = commit(all, |all| write_here(ledger, all))?;
    let put_aside = plan.quarantined.iter().map(|q| (q.number, q.reason.to_string())).collect();
    Ok(Loaded { rows: plan.report.total, repeated: plan.report.duplicates, put_aside, entry })
}

/// Shows on a terminal how far a plan is.
fn bars() -> impl FnMut(&'static str, u64, u64) {
    let mut shown: Option<(&'static str, ProgressBar)> = None;
    move |what, done, of| {
        if shown.as_ref().is_none_or(|(before, _)| *before != what) {
            shown = Some((what, bar(of, what)));
        }
        if let Some((_, bar)) = &shown {
            bar.set_position(done);
            if done >= of {
                bar.finish_and_clear();
            }
        }
    }
}

fn print_mapping(source: Source, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let kind = source.mapped().ok_or_else(|| Failure::Usage("this source is a form of its own and takes no mapping".into()))?;
    let mapping = template::template(kind, source.word());
    if out.is_json() {
        out.object("import-mapping", json!({ "mapping": mapping }))?
    } else {
        out.text(&mapping)?
    }
    Ok(DONE)
}

impl FileArgs {
    fn run(&self, ledger: &LedgerArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
        let source = self.source.0;
        let mapping = self.mapping()?;
        let mut session = if self.commit { Session::to_write(ledger)? } else { Session::to_read(ledger)? };
        source.must_be_allowed(&session.actor.eyes.roles)?;
        let bytes = read_whole(&self.file, FILE_BYTES_MAX)?;
        let file = intake::Loaded::read(source, mapping, self.sheet.as_deref(), &bytes).map_err(|e| in_file(&self.file, e))?;
        let named = file.named();
        let before = import_of(session.ledger.facts(), &named)?;
        if let (true, Some(entry)) = (self.commit, before) {
            import_report::tell_imported_before(entry, session.ledger.facts(), out)?;
            return Ok(DONE);
        }
        if let Some(path) = self.quarantine.as_deref().filter(|p| p.exists()) {
            return Err(Failure::Invalid(format!("{} is there already: nothing was recorded", path.display())));
        }
        let half = unfinished(session.ledger.facts()).iter().any(|(_, hash)| *hash == named.file_sha256.to_string());
        let received_on = self.received_on.clone().unwrap_or_else(|| Date::of(session.ledger.now()));
        let asker = Asker { ledger: &session.ledger, actor: &session.actor.id, roles: &session.actor.eyes.roles };
        let people = self.people(asker.ledger.facts())?;
        let plan = file.plan(asker, people, &received_on, &mut bars()).map_err(|e| in_file(&self.file, e))?;
        let told = import_report::Told(Report::new(&plan, asker, before, half)?);
        let done = if self.commit {
            let all = requests(&plan, session.ledger.facts(), &session.actor.id)?;
            Some(commit(all, |all| write(&mut session, all))?)
        } else {
            None
        };
        let aside = self.quarantine.as_deref().filter(|_| !plan.quarantined.is_empty());
        if let Some(path) = aside {
            write_new(path, &plan.quarantine, 0o600)?;
        }
        told.tell(done.as_ref(), aside, out)?;
        Ok(if plan.quarantined.is_empty() { DONE } else { Exit::Partial })
    }

    /// The mapping somebody gives, where the source takes one.
    fn mapping(&self) -> Result<Option<Mapping>, Failure> {
        let Some(path) = &self.mapping else { return Ok(None) };
        if self.source.0.mapped().is_none() {
            return Err(Failure::Usage("--mapping is not for this source: it is a form of its own".into()));
        }
        let bytes = read_small(path)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Failure::Invalid(format!("{} is not UTF-8", path.display())))?;
        let json = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
        let mapping = if json { Mapping::from_json(text) } else { Mapping::from_toml(text) };
        mapping.map(Some).map_err(|e| Failure::Invalid(format!("{}: {e}", path.display())))
    }

    /// Who the filers are.
    fn people<'a>(&self, facts: &'a Facts) -> Result<People<'a>, Failure> {
        let Some(path) = &self.people else { return Ok(People::new(BTreeMap::new(), facts)) };
        let named = |e: IntakeError| match e {
            IntakeError::NotFound(what) => Failure::NotFound(format!("{} {what}", path.display())),
            e => Failure::Invalid(format!("{}: {e}", path.display())),
        };
        People::read(&read_small(path)?, facts).map_err(named)
    }
}

/// What is wrong with a file's content names the file.
fn in_file(path: &Path, e: IntakeError) -> Failure {
    match e {
        IntakeError::File(what) => Failure::Invalid(format!("{}: {what}", path.display())),
        e => e.into(),
    }
}
