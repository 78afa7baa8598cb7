//! `import`: a file of records. First what it would do; with `--commit` every row that can be used, and nothing where recording would fail half-way
//! for a reason that can be known before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use countersign_entry::ids::{Date, PersonId, PrincipalId};
use countersign_import::accounting::Source;
use countersign_import::fields::Kind;
use countersign_import::limits::FILE_BYTES_MAX;
use countersign_import::mapping::{self, Mapping, MappingError};
use countersign_import::public::{self, Public};
use countersign_import::table::{Format, Table, read};
use countersign_import::{IMPORTER_VERSION, importers, quarantine, template};
use serde_json::json;

use countersign_ledger::Ledger;

use super::import_plan::Plan;
use super::import_rows::{Common, People, plan};
use super::import_write::{commit, import_of, unfinished};
use super::linking::Linker;
use super::{DONE, import_records, import_report, read_small, read_whole, write_new};
use crate::actor::Actor;
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
        source: SourceKind,
    },
}

/// Which file, and what it is.
#[derive(Debug, Args)]
struct FileArgs {
    /// What the file is.
    #[arg(long, value_name = "SOURCE")]
    source: SourceKind,
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

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SourceKind {
    /// Trades: House periodic transaction reports.
    #[value(alias = "house_ptr")]
    HousePtr,
    /// Trades: Senate periodic transaction reports.
    #[value(alias = "senate_ptr")]
    SenatePtr,
    /// Trades: OGE Form 278-T.
    Oge278t,
    /// Holdings: OGE Form 278e.
    Oge278e,
    /// Trades.
    Trades,
    /// Holdings.
    Holdings,
    /// Agencies, components, developers, partners.
    Organizations,
    /// People.
    People,
    /// Accounts and cards elsewhere that point to a person.
    Credentials,
    /// Issuers.
    Issuers,
    /// Labs that develop models.
    Providers,
    /// Models, as a public catalogue lists them.
    Models,
    /// Edges between labs, hosts and issuers.
    Exposures,
    /// Ties of people to issuers and organizations.
    Relationships,
    /// Recusals.
    Recusals,
    /// Restricted lists and watch lists.
    Lists,
    /// What is on them.
    ListItems,
    /// Requests for access; each is decided when it is recorded.
    Grants,
    /// Accesses.
    AccessEvents,
    /// Issuers: the SEC's list (cik, ticker, exchange, name).
    SecIssuers,
    /// GICS sub-industries of issuers: the S&P 500 (Symbol, Security, GICS Sub-Industry, CIK, …).
    Sp500,
    /// Models: the models.dev catalogue.
    ModelsDev,
    /// Providers: the file of labs and their issuers.
    Labs,
    /// Exposures: the file of labs and their issuers.
    ExposureProviders,
    /// Exposures: the file of edges.
    ExposureEdges,
}

pub(crate) fn run(args: &ImportArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    match (&args.command, &args.ledger, &args.file) {
        (Some(ImportCommand::PrintMapping { source }), ..) => print_mapping(*source, out),
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
    let bad = |e: &dyn std::fmt::Display| Failure::Invalid(e.to_string());
    let table = read(bytes, &Format::recognise(bytes)).map_err(|e| bad(&e))?;
    let received_on = Date::of(ledger.now());
    let facts = ledger.facts();
    let (people, linker) = (People::new(filers, facts), Linker::new(facts));
    let common = Common { people, linker, facts, received_on: received_on.clone(), actor: actor.clone() };
    let plan = if holdings {
        plan(importers::oge278e(&table, &received_on).map_err(|e| bad(&e))?, &table, common)?
    } else {
        plan(importers::house_ptr(&table, &received_on).map_err(|e| bad(&e))?, &table, common)?
    };
    let (entry, _) = commit(&plan, ledger, actor)?;
    let put_aside = plan.quarantined.iter().map(|q| (q.number, q.reason.to_string())).collect();
    Ok(Loaded { rows: plan.report.total, repeated: plan.report.duplicates, put_aside, entry })
}

fn print_mapping(source: SourceKind, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let kind = source.kind().filter(|_| source.public().is_none());
    let kind = kind.ok_or_else(|| Failure::Usage("this source is a form of its own and takes no mapping".into()))?;
    let mapping = template::template(kind, &source.word());
    if out.is_json() {
        out.object("import-mapping", json!({ "mapping": mapping }))?
    } else {
        out.text(&mapping)?
    }
    Ok(DONE)
}

impl SourceKind {
    /// What its rows tell of, where they are mapped; none for the forms.
    fn kind(self) -> Option<Kind> {
        Some(match self {
            Self::HousePtr | Self::SenatePtr | Self::Oge278t | Self::Oge278e => return None,
            Self::Trades => Kind::Trade,
            Self::Holdings => Kind::Holding,
            Self::Organizations => Kind::Organization,
            Self::People => Kind::Person,
            Self::Credentials => Kind::Credential,
            Self::Issuers => Kind::Issuer,
            Self::Providers => Kind::Provider,
            Self::Models => Kind::Model,
            Self::Exposures => Kind::Exposure,
            Self::Relationships => Kind::Relationship,
            Self::Recusals => Kind::Recusal,
            Self::Lists => Kind::List,
            Self::ListItems => Kind::ListItem,
            Self::Grants => Kind::Grant,
            Self::AccessEvents => Kind::AccessEvent,
            public => public.public()?.kind,
        })
    }

    /// The public file it is, where it is one.
    fn public(self) -> Option<Public> {
        Some(match self {
            Self::SecIssuers => public::SEC_ISSUERS,
            Self::Sp500 => public::SP500,
            Self::ModelsDev => public::MODELS_DEV,
            Self::Labs => public::LABS,
            Self::ExposureProviders => public::EXPOSURE_PROVIDERS,
            Self::ExposureEdges => public::EXPOSURE_EDGES,
            _ => return None,
        })
    }

    /// The mapping its rows are read by where none is given; none for the forms.
    fn own_mapping(self) -> Option<Mapping> {
        let by_name = || self.kind().map(|kind| Mapping::by_name(kind, &self.word()));
        self.public().map_or_else(by_name, |public| Some(public.mapping(&self.word())))
    }

    /// Its word on the command line.
    fn word(self) -> String {
        self.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default()
    }

    /// Its name in records.
    fn importer(self, mapping: Option<&Mapping>) -> String {
        match self {
            Self::HousePtr => "house_ptr".into(),
            Self::SenatePtr => "senate_ptr".into(),
            _ => mapping.map_or_else(|| self.word(), |m| m.name.clone()),
        }
    }

    /// Refuses whoever may not know what such records say, before anything is told. The ledger refuses others who may not write them.
    fn must_be_allowed(self, actor: &Actor) -> Result<(), Failure> {
        let everybody = matches!(
            self.kind(),
            Some(
                Kind::Organization
                    | Kind::Person
                    | Kind::Credential
                    | Kind::Issuer
                    | Kind::Provider
                    | Kind::Model
                    | Kind::Exposure
                    | Kind::Grant
                    | Kind::AccessEvent
            )
        );
        if everybody { Ok(()) } else { actor.must_be_ethics(&format!("importing {}", self.word().replace('-', " "))) }
    }
}

impl FileArgs {
    fn run(&self, ledger: &LedgerArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
        let mapping = self.mapping()?;
        let mut session = if self.commit { Session::to_write_here(ledger)? } else { Session::to_read(ledger)? };
        self.source.must_be_allowed(&session.actor)?;
        let table = self.table()?;
        let importer = self.source.importer(mapping.as_ref());
        let source = Source { importer, version: IMPORTER_VERSION, file_sha256: table.sha256 };
        let before = import_of(session.ledger.facts(), &source)?;
        if let (true, Some(entry)) = (self.commit, before) {
            import_report::tell_imported_before(entry, session.ledger.facts(), out)?;
            return Ok(DONE);
        }
        if let Some(path) = self.quarantine.as_deref().filter(|p| p.exists()) {
            return Err(Failure::Invalid(format!("{} is there already: nothing was recorded", path.display())));
        }
        let half = unfinished(session.ledger.facts()).iter().any(|(_, hash)| *hash == table.sha256.to_string());
        let plan = self.plan(&table, mapping.as_ref(), &session)?;
        let told = import_report::Told::new(&plan, &session, before, half)?;
        let done = if self.commit { Some(commit(&plan, &mut session.ledger, &session.actor.id)?) } else { None };
        let aside = self.quarantine.as_deref().filter(|_| !plan.quarantined.is_empty());
        if let Some(path) = aside {
            write_new(path, &plan.quarantine, 0o600)?;
        }
        told.tell(done.as_ref(), aside, out)?;
        Ok(if plan.quarantined.is_empty() { DONE } else { Exit::Partial })
    }

    /// The mapping, where the source takes one: the file's, else the one by name.
    fn mapping(&self) -> Result<Option<Mapping>, Failure> {
        let path = match (&self.mapping, self.source.kind().filter(|_| self.source.public().is_none())) {
            (Some(path), Some(_)) => path,
            (None, _) => return Ok(self.source.own_mapping()),
            (Some(_), None) => return Err(Failure::Usage("--mapping is not for this source: it is a form of its own".into())),
        };
        let bytes = read_small(path)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Failure::Invalid(format!("{} is not UTF-8", path.display())))?;
        let json = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
        let mapping = if json { Mapping::from_json(text) } else { Mapping::from_toml(text) };
        mapping.map(Some).map_err(|e| in_file(path, &e))
    }

    fn table(&self) -> Result<Table, Failure> {
        let bytes = read_whole(&self.file, FILE_BYTES_MAX)?;
        let format = match (Format::recognise(&bytes), self.source, &self.sheet) {
            (Format::Json, SourceKind::SenatePtr, None) => importers::senate_format(),
            (Format::Xlsx { .. }, _, sheet) => Format::Xlsx { sheet: sheet.clone() },
            (_, _, Some(_)) => return Err(Failure::Usage("--sheet is for spreadsheets, and this file is none".into())),
            (format, _, None) => format,
        };
        // Its last columns tell a corrected file of quarantined rows.
        let corrected = if format == Format::CSV { quarantine::read_back(&bytes).ok() } else { None };
        corrected.map_or_else(|| read(&bytes, &format), Ok).map_err(|e| in_file(&self.file, &e))
    }

    fn plan(&self, table: &Table, mapping: Option<&Mapping>, session: &Session) -> Result<Plan, Failure> {
        let facts = session.ledger.facts();
        let received_on = self.received_on.clone().unwrap_or_else(|| Date::of(session.ledger.now()));
        let bad = |e: MappingError| in_file(&self.file, &e);
        let common = || -> Result<Common<'_>, Failure> {
            let people = People::read(self.people.as_deref(), facts)?;
            Ok(Common { people, linker: Linker::new(facts), facts, received_on: received_on.clone(), actor: session.actor.id.clone() })
        };
        let mapping = || mapping.ok_or_else(|| Failure::Bug("a source without its mapping".into()));
        match self.source {
            SourceKind::HousePtr => plan(importers::house_ptr(table, &received_on).map_err(bad)?, table, common()?),
            SourceKind::SenatePtr => plan(importers::senate_ptr(table, &received_on).map_err(bad)?, table, common()?),
            SourceKind::Oge278t => plan(importers::oge278t(table, &received_on).map_err(bad)?, table, common()?),
            SourceKind::Oge278e => plan(importers::oge278e(table, &received_on).map_err(bad)?, table, common()?),
            SourceKind::Trades => plan(mapping::trades(table, mapping()?, &received_on).map_err(bad)?, table, common()?),
            SourceKind::Holdings => plan(mapping::holdings(table, mapping()?, &received_on).map_err(bad)?, table, common()?),
            _ => {
                let mapping = mapping()?;
                if Some(mapping.kind) != self.source.kind() {
                    return Err(bad(MappingError::OtherKind(mapping.kind)));
                }
                let renamed = self.source.public().map(|public| public.rename(table)).transpose().map_err(bad)?;
                let table = renamed.as_ref().map_or(table, |r| &r.table);
                let mut imported = mapping::records(table, mapping, &received_on).map_err(bad)?;
                imported.report.elsewhere = renamed.as_ref().map_or(0, |r| r.elsewhere);
                imported.report.total += imported.report.elsewhere;
                if renamed.is_some() {
                    // Which fields a public file cannot have is no news.
                    imported.report.absent_columns.clear();
                }
                import_records::plan(imported, table, session)
            }
        }
    }
}

fn in_file(path: &Path, e: &dyn std::fmt::Display) -> Failure {
    Failure::Invalid(format!("{}: {e}", path.display()))
}
