//! What a file is, and how it is read: forms that have their own importer, public files, and records mapped by the names of their columns.

use countersign_conflict::Facts;
use countersign_entry::ids::Date;
use countersign_entry::record::Role;
use countersign_import::accounting;
use countersign_import::fields::Kind;
use countersign_import::mapping::{self, Mapping, MappingError};
use countersign_import::public::{self, Public};
use countersign_import::table::{Format, Table, read};
use countersign_import::{IMPORTER_VERSION, importers, quarantine};

use crate::disclosed::{self, Common, People};
use crate::linking::Linker;
use crate::plan::Plan;
use crate::{Asker, IntakeError, Progress, records};

macro_rules! sources {
    ($($name:ident = $word:literal, $help:literal;)*) => {
        /// What a file is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Source {
            $(#[doc = $help] $name,)*
        }

        impl Source {
            /// All there are.
            pub const ALL: &[Source] = &[$(Source::$name,)*];

            /// Its word.
            pub fn word(self) -> &'static str {
                match self { $(Source::$name => $word,)* }
            }

            /// What it is, in a line.
            pub fn help(self) -> &'static str {
                match self { $(Source::$name => $help,)* }
            }
        }
    };
}

sources! {
    HousePtr = "house-ptr", "Trades: House periodic transaction reports";
    SenatePtr = "senate-ptr", "Trades: Senate periodic transaction reports";
    Oge278t = "oge278t", "Trades: OGE Form 278-T";
    Oge278e = "oge278e", "Holdings: OGE Form 278e";
    Trades = "trades", "Trades";
    Holdings = "holdings", "Holdings";
    Organizations = "organizations", "Agencies, components, developers, partners";
    People = "people", "People";
    Credentials = "credentials", "Accounts and cards elsewhere that point to a person";
    Issuers = "issuers", "Issuers";
    Providers = "providers", "Labs that develop models";
    Models = "models", "Models, as a public catalogue lists them";
    Exposures = "exposures", "Edges between labs, hosts and issuers";
    Relationships = "relationships", "Ties of people to issuers and organizations";
    Recusals = "recusals", "Recusals";
    Lists = "lists", "Restricted lists and watch lists";
    ListItems = "list-items", "What is on them";
    Grants = "grants", "Requests for access; each is decided when it is recorded";
    AccessEvents = "access-events", "Accesses";
    SecIssuers = "sec-issuers", "Issuers: the SEC's list (cik, ticker, exchange, name)";
    Sp500 = "sp500", "GICS sub-industries of issuers: the S&P 500 (Symbol, Security, GICS Sub-Industry, CIK, …)";
    ModelsDev = "models-dev", "Models: the models.dev catalogue";
    Labs = "labs", "Providers: the file of labs and their issuers";
    ExposureProviders = "exposure-providers", "Exposures: the file of labs and their issuers";
    ExposureEdges = "exposure-edges", "Exposures: the file of edges";
}

impl Source {
    /// The one of a word; `house_ptr` is as good as `house-ptr`.
    pub fn of_word(word: &str) -> Option<Self> {
        let word = word.replace('_', "-");
        Self::ALL.iter().copied().find(|s| s.word() == word)
    }

    /// What its rows tell of, where they are mapped; none for the forms.
    pub fn kind(self) -> Option<Kind> {
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

    /// What its rows tell of, where somebody may say which column is which.
    pub fn mapped(self) -> Option<Kind> {
        self.kind().filter(|_| self.public().is_none())
    }

    /// The mapping its rows are read by where none is given; none for the forms.
    pub fn own_mapping(self) -> Option<Mapping> {
        let by_name = || self.kind().map(|kind| Mapping::by_name(kind, self.word()));
        self.public().map_or_else(by_name, |public| Some(public.mapping(self.word())))
    }

    /// Its name in records.
    fn importer(self, mapping: Option<&Mapping>) -> String {
        match self {
            Self::HousePtr => "house_ptr".into(),
            Self::SenatePtr => "senate_ptr".into(),
            _ => mapping.map_or_else(|| self.word().to_owned(), |m| m.name.clone()),
        }
    }

    /// Refuses whoever may not know what such records say, before anything is told. The ledger refuses others who may not write them.
    ///
    /// # Errors
    /// [`IntakeError::Denied`].
    pub fn must_be_allowed(self, roles: &[Role]) -> Result<(), IntakeError> {
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
        if everybody || roles.contains(&Role::EthicsOfficer) {
            return Ok(());
        }
        let what = self.word().replace('-', " ");
        Err(IntakeError::Denied(format!("importing {what} is for the ethics role (ethics_officer) alone")))
    }
}

/// A file that was read, and how its rows are.
pub struct Loaded {
    /// What it is.
    pub source: Source,
    /// Its rows.
    pub table: Table,
    /// Which column is which; none for the forms.
    pub mapping: Option<Mapping>,
}

impl Loaded {
    /// Reads a file: CSV, JSON, one JSON object a line, a spreadsheet, or a file of quarantined rows that was corrected.
    ///
    /// # Errors
    /// It is none of these, or there is no such sheet.
    pub fn read(source: Source, mapping: Option<Mapping>, sheet: Option<&str>, bytes: &[u8]) -> Result<Self, IntakeError> {
        let format = match (Format::recognise(bytes), source, sheet) {
            (Format::Json, Source::SenatePtr, None) => importers::senate_format(),
            (Format::Xlsx { .. }, _, sheet) => Format::Xlsx { sheet: sheet.map(str::to_owned) },
            (_, _, Some(_)) => return Err(IntakeError::Usage("--sheet is for spreadsheets, and this file is none".into())),
            (format, _, None) => format,
        };
        // Its last columns tell a corrected file of quarantined rows.
        let corrected = if format == Format::CSV { quarantine::read_back(bytes).ok() } else { None };
        let table = corrected.map_or_else(|| read(bytes, &format), Ok).map_err(|e| IntakeError::File(e.to_string()))?;
        Ok(Self { source, table, mapping: mapping.or_else(|| source.own_mapping()) })
    }

    /// The file and who imports it, as records name them.
    pub fn named(&self) -> accounting::Source {
        let importer = self.source.importer(self.mapping.as_ref());
        accounting::Source { importer, version: IMPORTER_VERSION, file_sha256: self.table.sha256 }
    }

    /// What importing it would do. `people` says who the filers of trades or holdings are; `received_on` is the day the file came in.
    ///
    /// # Errors
    /// The file is none of its source, or the actor may record nothing of it.
    pub fn plan(&self, asker: Asker<'_>, people: People<'_>, received_on: &Date, told: Progress<'_>) -> Result<Plan, IntakeError> {
        let table = &self.table;
        let bad = |e: MappingError| IntakeError::File(e.to_string());
        let facts: &Facts = asker.ledger.facts();
        let common = || Common { people, linker: Linker::new(facts), facts, received_on: received_on.clone(), actor: asker.actor.clone() };
        let mapping = || self.mapping.as_ref().ok_or_else(|| IntakeError::Bug("a source without its mapping".into()));
        match self.source {
            Source::HousePtr => disclosed::plan(importers::house_ptr(table, received_on).map_err(bad)?, table, common(), told),
            Source::SenatePtr => disclosed::plan(importers::senate_ptr(table, received_on).map_err(bad)?, table, common(), told),
            Source::Oge278t => disclosed::plan(importers::oge278t(table, received_on).map_err(bad)?, table, common(), told),
            Source::Oge278e => disclosed::plan(importers::oge278e(table, received_on).map_err(bad)?, table, common(), told),
            Source::Trades => disclosed::plan(mapping::trades(table, mapping()?, received_on).map_err(bad)?, table, common(), told),
            Source::Holdings => disclosed::plan(mapping::holdings(table, mapping()?, received_on).map_err(bad)?, table, common(), told),
            _ => self.records(mapping()?, asker, received_on, told),
        }
    }

    fn records(&self, mapping: &Mapping, asker: Asker<'_>, received_on: &Date, told: Progress<'_>) -> Result<Plan, IntakeError> {
        let bad = |e: MappingError| IntakeError::File(e.to_string());
        if Some(mapping.kind) != self.source.kind() {
            return Err(bad(MappingError::OtherKind(mapping.kind)));
        }
        let renamed = self.source.public().map(|public| public.rename(&self.table)).transpose().map_err(bad)?;
        let table = renamed.as_ref().map_or(&self.table, |r| &r.table);
        let mut imported = mapping::records(table, mapping, received_on).map_err(bad)?;
        imported.report.elsewhere = renamed.as_ref().map_or(0, |r| r.elsewhere);
        imported.report.total += imported.report.elsewhere;
        if renamed.is_some() {
            // Which fields a public file cannot have is no news.
            imported.report.absent_columns.clear();
        }
        records::plan(imported, table, asker, told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_found_by_its_word_and_reads_rows_or_is_a_form() {
        for source in Source::ALL {
            assert_eq!(Source::of_word(source.word()), Some(*source));
            assert_eq!(source.own_mapping().is_some(), source.kind().is_some(), "{}", source.word());
        }
        assert_eq!(Source::of_word("house_ptr"), Some(Source::HousePtr));
        assert_eq!(Source::of_word("king"), None);
    }

    #[test]
    fn what_says_something_of_interests_is_for_the_ethics_role() {
        for source in [Source::Trades, Source::Oge278e, Source::Lists, Source::Recusals, Source::Relationships] {
            assert!(source.must_be_allowed(&[Role::Operator, Role::AccessOfficer]).is_err(), "{}", source.word());
            assert!(source.must_be_allowed(&[Role::EthicsOfficer]).is_ok());
        }
        assert!(Source::SecIssuers.must_be_allowed(&[Role::Operator]).is_ok());
    }
}
