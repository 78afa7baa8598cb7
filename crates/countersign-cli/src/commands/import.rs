//! `import`: a disclosure file's holdings or trades. First what it would do; with `--commit` all of it or, where a record would be refused,
//! nothing of it.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use countersign_conflict::Facts;
use countersign_entry::ids::{Date, LeafIndex, Line, PrincipalId, RecordId, RequestKey};
use countersign_entry::record::{Import, Record};
use countersign_import::limits::FILE_BYTES_MAX;
use countersign_import::mapping::{self, Mapping, MappingError};
use countersign_import::table::{Format, Table, read};
use countersign_import::{importers, quarantine};
use countersign_ledger::limits::{BATCH_MAX, REQUEST_BYTES_MAX};
use countersign_ledger::{Ledger, Request};

use super::import_rows::{Common, People, Plan, Standing, plan};
use super::linking::Linker;
use super::{DONE, bar, import_report, read_small, read_whole, write_new};
use crate::args::LedgerArgs;
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::session::Session;

/// Which file, and what it is.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// What the file is; `trades` and `holdings` take a --mapping.
    #[arg(long, value_name = "SOURCE")]
    source: SourceKind,
    /// The file: CSV, JSON, one JSON object a line, or a spreadsheet. A file that --quarantine wrote, corrected, is taken too.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// Which column is which field, as TOML or JSON, for `trades` and `holdings`.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Who the filers are: CSV with the columns filer and person. A filer that is a recorded person's id needs no line.
    #[arg(long, value_name = "FILE")]
    people: Option<PathBuf>,
    /// The day the file came in: no row lies after it, and what it says without a date was so on it. Without it: today, UTC.
    #[arg(long, value_name = "DATE")]
    received_on: Option<Date>,
    /// Record it. Without this nothing is recorded.
    #[arg(long)]
    commit: bool,
    /// Write the rows that cannot be used to this new file, to be corrected and imported again.
    #[arg(long, value_name = "FILE")]
    quarantine: Option<PathBuf>,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum SourceKind {
    /// Trades: House periodic transaction reports.
    HousePtr,
    /// Trades: Senate periodic transaction reports.
    SenatePtr,
    /// Trades: OGE Form 278-T.
    Oge278t,
    /// Holdings: OGE Form 278e.
    Oge278e,
    /// Trades, by a mapping.
    Trades,
    /// Holdings, by a mapping.
    Holdings,
}

pub(crate) fn run(args: &ImportArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let mapping = args.generic_mapping()?;
    let mut session = if args.commit { Session::to_write(&args.ledger)? } else { Session::to_read(&args.ledger)? };
    session.actor.must_be_ethics("importing holdings and trades")?;
    let table = args.table()?;
    let before = import_of(session.ledger.facts(), &table);
    if let (true, Some(entry)) = (args.commit, before) {
        import_report::tell_imported_before(entry, out)?;
        return Ok(DONE);
    }
    let plan = args.plan(&table, mapping.as_ref(), &session)?;
    let import = if args.commit { commit(&plan, &mut session.ledger, &session.actor.id)? } else { None };
    let aside = args.quarantine.as_deref().filter(|_| !plan.quarantined.is_empty());
    if let Some(path) = aside {
        write_new(path, &plan.quarantine, 0o600)?;
    }
    import_report::tell(&plan, args.commit, import, before, aside, out)?;
    Ok(if plan.quarantined.is_empty() { DONE } else { Exit::Partial })
}

impl ImportArgs {
    /// The mapping, where the source asks for one.
    fn generic_mapping(&self) -> Result<Option<Mapping>, Failure> {
        let generic = matches!(self.source, SourceKind::Trades | SourceKind::Holdings);
        let path = match (&self.mapping, generic) {
            (Some(path), true) => path,
            (None, false) => return Ok(None),
            (None, true) => return Err(Failure::Usage("--mapping is needed for this source".into())),
            (Some(_), false) => return Err(Failure::Usage("--mapping is for the sources trades and holdings".into())),
        };
        let bytes = read_small(path)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Failure::Invalid(format!("{} is not UTF-8", path.display())))?;
        let json = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
        let mapping = if json { Mapping::from_json(text) } else { Mapping::from_toml(text) };
        mapping.map(Some).map_err(|e| in_file(path, &e))
    }

    fn table(&self) -> Result<Table, Failure> {
        let bytes = read_whole(&self.file, FILE_BYTES_MAX)?;
        let format = match (Format::recognise(&bytes), self.source) {
            (Format::Json, SourceKind::SenatePtr) => importers::senate_format(),
            (format, _) => format,
        };
        // Its last columns tell a corrected file of quarantined rows.
        let corrected = if format == Format::CSV { quarantine::read_back(&bytes).ok() } else { None };
        corrected.map_or_else(|| read(&bytes, &format), Ok).map_err(|e| in_file(&self.file, &e))
    }

    fn plan(&self, table: &Table, mapping: Option<&Mapping>, session: &Session) -> Result<Plan, Failure> {
        let facts = session.ledger.facts();
        let received_on = self.received_on.clone().unwrap_or_else(|| Date::of(session.ledger.now()));
        let people = People::read(self.people.as_deref(), facts)?;
        let common = Common { people, linker: Linker::new(facts), facts, received_on: received_on.clone() };
        let bad = |e: MappingError| in_file(&self.file, &e);
        let mapping = || mapping.ok_or_else(|| Failure::Bug("a source without its mapping".into()));
        match self.source {
            SourceKind::HousePtr => plan(importers::house_ptr(table, &received_on).map_err(bad)?, table, common),
            SourceKind::SenatePtr => plan(importers::senate_ptr(table, &received_on).map_err(bad)?, table, common),
            SourceKind::Oge278t => plan(importers::oge278t(table, &received_on).map_err(bad)?, table, common),
            SourceKind::Oge278e => plan(importers::oge278e(table, &received_on).map_err(bad)?, table, common),
            SourceKind::Trades => plan(mapping::trades(table, mapping()?, &received_on).map_err(bad)?, table, common),
            SourceKind::Holdings => plan(mapping::holdings(table, mapping()?, &received_on).map_err(bad)?, table, common),
        }
    }
}

fn in_file(path: &Path, e: &dyn std::fmt::Display) -> Failure {
    Failure::Invalid(format!("{}: {e}", path.display()))
}

/// The import of the very same file.
fn import_of(facts: &Facts, table: &Table) -> Option<LeafIndex> {
    facts.imports().find(|k| k.record.file_hash == table.sha256).map(|k| k.index)
}

/// Records what is new, then the import. Returns the import's entry; none where no row could be used, so that the file may come again.
fn commit(plan: &Plan, ledger: &mut Ledger, actor: &PrincipalId) -> Result<Option<u64>, Failure> {
    if plan.rows.is_empty() && plan.report.total > 0 {
        return Ok(None);
    }
    let mut requests = Vec::new();
    for row in &plan.rows {
        for (record, standing) in row.records.iter().filter(|(_, s)| *s != Standing::Unchanged) {
            let request = request(record, *standing, actor)?;
            admissible(ledger.facts(), &request).map_err(|why| refused(&format!("row {}: {why}", row.number)))?;
            requests.push(request);
        }
    }
    let last = import_request(plan, actor)?;
    admissible(ledger.facts(), &last).map_err(|why| refused(&why))?;
    write(ledger, requests)?;
    Ok(Some(ledger.append(last)?.index))
}

fn refused(why: &str) -> Failure {
    Failure::Invalid(format!("{why}; nothing was recorded"))
}

/// What the ledger would say to a request now. No record of an import refers to another of it, so now is as good as then.
pub(super) fn admissible(facts: &Facts, request: &Request) -> Result<(), String> {
    facts.check(&request.actor, &request.record).map_err(|e| e.to_string())?;
    let bytes = request.record.request_bytes().map_err(|e| e.to_string())?;
    if bytes.len() > REQUEST_BYTES_MAX {
        return Err(format!("{} bytes; at most {REQUEST_BYTES_MAX} are taken", bytes.len()));
    }
    Ok(())
}

/// Records many, a batch at a time; stops at the first that is not acknowledged.
pub(super) fn write(ledger: &mut Ledger, requests: Vec<Request>) -> Result<(), Failure> {
    let bar = bar(requests.len() as u64, "recording");
    let mut waiting = requests.into_iter();
    loop {
        let batch: Vec<Request> = waiting.by_ref().take(BATCH_MAX).collect();
        if batch.is_empty() {
            bar.finish_and_clear();
            return Ok(());
        }
        for answer in ledger.commit(batch) {
            answer?;
            bar.inc(1);
        }
    }
}

/// A request whose key follows from its record, so that the same import made again is the same request.
fn request(record: &Record, standing: Standing, actor: &PrincipalId) -> Result<Request, Failure> {
    let id = record.entity().unwrap_or_default();
    let key = match standing {
        Standing::Changed(index) => format!("{id}-{index}"),
        Standing::New | Standing::Unchanged => id.to_owned(),
    };
    let key = RequestKey::new(key).map_err(|e| Failure::Bug(e.to_string()))?;
    Ok(Request { actor: actor.clone(), key, record: record.clone() })
}

fn import_request(plan: &Plan, actor: &PrincipalId) -> Result<Request, Failure> {
    let bug = |e: countersign_entry::ids::IdError| Failure::Bug(e.to_string());
    let hash: String = plan.source.file_sha256.to_string().chars().take(32).collect();
    let recorded = plan.rows.iter().filter(|row| row.standing() != Standing::Unchanged).count() as u64;
    let import = Import {
        id: RecordId::new(format!("imp-{hash}")).map_err(bug)?,
        importer: Line::new(format!("{}/{}", plan.source.importer, plan.source.version)).map_err(bug)?,
        file_hash: plan.source.file_sha256,
        rows: plan.report.total,
        recorded,
        repeated: plan.report.duplicates + plan.rows.len() as u64 - recorded,
        quarantined: plan.quarantined.len() as u64,
    };
    Ok(Request { actor: actor.clone(), key: RequestKey::new(format!("imp-file-{hash}")).map_err(bug)?, record: import.into() })
}
