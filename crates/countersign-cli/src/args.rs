//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use countersign_entry::ids::{Line, RequestKey};

use crate::commands::{
    access, assess, backup, bundle, calendar, cases, directory, doctor, export, fields, grant, import, init, key, keys, login, memo,
    migrate, officer, policy, preclear, proof, query, record, restore, review, rules, serve, status, tick, verify,
};

/// Record who had access to pre-release model information, and prove it.
///
/// Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 denied or not cleared, 5 invalid input, 6 some lines or rows not recorded, 10 tampered or
/// damaged, 11 could not check, 12 untrusted, 13 stale; 20 conflict and 21 needs review for the ethics role with --explain.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, max_term_width = 120)]
pub(crate) struct Cli {
    /// Answer with one JSON object on standard output.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which ledger, and how it opens.
#[derive(Debug, Clone, Args)]
pub(crate) struct LedgerArgs {
    /// The ledger's directory.
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// File that holds the passphrase. Without it: $CREDENTIALS_DIRECTORY/countersign-passphrase if that exists, else DIR/keys/passphrase.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// File that holds the PIN of the token with the ledger's keys. Without it: $CREDENTIALS_DIRECTORY/countersign-pin if that exists, else the file
    /// named when the ledger was made.
    #[arg(long, value_name = "FILE")]
    pub(crate) pin_file: Option<PathBuf>,
    /// The inquiry you ask under, by your own number of it: recorded with every question that is. Whoever may ask it as an inspector alone has to name
    /// one.
    #[arg(long, value_name = "TEXT")]
    pub(crate) inquiry: Option<Line>,
}

/// How a record is made.
#[derive(Debug, Clone, Args)]
pub(crate) struct WriteArgs {
    /// Names this request for ever: the same request under the same key is recorded once. Give times yourself when you may repeat it.
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<RequestKey>,
    /// Record nothing, and write the request to a new file for officers to sign with their own keys (`officer sign`); `record signed` records it.
    #[arg(long, value_name = "FILE")]
    pub(crate) draft: Option<PathBuf>,
}

/// Where the demo goes.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// A new directory for the ledger; what the demo exports goes beside it, to DIR-out.
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a throw-away ledger of real issuers and invented people, and show on it what this program is for.
    Demo(DemoArgs),
    /// Make a ledger in a new directory.
    Init(init::InitArgs),
    /// Say where a ledger stands.
    Status(status::StatusArgs),
    /// Organizations.
    #[command(subcommand)]
    Org(directory::RecordCommand<fields::OrganizationFields>),
    /// People.
    #[command(subcommand)]
    Person(directory::RecordCommand<fields::PersonFields>),
    /// Accounts that can act.
    #[command(subcommand)]
    Principal(directory::RecordCommand<fields::PrincipalFields>),
    /// Labs that develop models.
    #[command(subcommand)]
    Provider(directory::RecordCommand<fields::ProviderFields>),
    /// Models the public knows.
    #[command(subcommand)]
    Model(directory::RecordCommand<fields::ModelFields>),
    /// Companies whose securities or stakes somebody may hold.
    #[command(subcommand)]
    Issuer(directory::RecordCommand<fields::IssuerFields>),
    /// How a provider or a submission touches an issuer.
    #[command(subcommand)]
    Exposure(directory::RecordCommand<fields::ExposureFields>),
    /// Models handed over for pre-release review.
    #[command(subcommand)]
    Submission(Box<directory::RecordCommand<fields::SubmissionFields>>),
    /// Signed agreements and certifications.
    #[command(subcommand)]
    Agreement(directory::RecordCommand<fields::AgreementFields>),
    /// Recusals.
    #[command(subcommand)]
    Recusal(directory::RecordCommand<fields::RecusalFields>),
    /// Restricted lists and watch lists, and what is on them.
    #[command(subcommand)]
    List(directory::ListCommand),
    /// The rules' parameters.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Requests for access, and what becomes of them.
    #[command(subcommand)]
    Grant(grant::GrantCommand),
    /// Accesses.
    #[command(subcommand)]
    Access(access::AccessCommand),
    /// Records of any type, from a file.
    #[command(subcommand)]
    Record(record::RecordCommand),
    /// Import records of any kind from a file; without --commit only say what that would do.
    Import(import::ImportArgs),
    /// Assets whose issuer somebody has to decide.
    Review(review::ReviewArgs),
    /// Ask who knew what; the question is recorded too.
    #[command(subcommand)]
    Query(query::QueryCommand),
    /// Asking before a trade, and what the ethics office makes of it.
    #[command(subcommand)]
    Preclear(preclear::PreclearCommand),
    /// What was found and what is done about it, for the ethics role.
    #[command(subcommand)]
    Cases(cases::CasesCommand),
    /// Positions whose incumbents file a financial disclosure report.
    #[command(subcommand)]
    Filer(directory::RecordCommand<fields::FilerFields>),
    /// Who owes which report, notice or divestiture by when; for the ethics role.
    Calendar(calendar::CalendarArgs),
    /// Record what happened with a duty of the calendar.
    Duty(calendar::DutyArgs),
    /// Tell a case, a request, an access or a trade as a memo: facts, rules, evidence, what is open; for the ethics role.
    Explain(memo::ExplainArgs),
    /// Answer scenarios under the federal conflict-of-interest rules: facts in a file, no ledger.
    Assess(assess::AssessArgs),
    /// List the rules that decide: id, version, what each rests on, and the numbers they compare with, by digest.
    Rules(rules::RulesArgs),
    /// Record what time alone has made due.
    Tick(tick::TickArgs),
    /// Write a static export to a new directory.
    Export(export::ExportArgs),
    /// Make a file of evidence of some entries, which anybody can check without this program.
    Bundle(bundle::BundleArgs),
    /// Write the proof that an entry is in the log, or check one offline.
    Proof(proof::ProofArgs),
    /// Check a ledger or an export, offline, and say everything that is wrong with it.
    Verify(verify::VerifyArgs),
    /// Copies of a ledger, and whether they are whole.
    #[command(subcommand)]
    Backup(backup::BackupCommand),
    /// Make a ledger from a backup; declare lost what no backup holds.
    Restore(restore::RestoreArgs),
    /// Versions of a ledger's parts, and carrying older ones forward.
    #[command(subcommand)]
    Migrate(migrate::MigrateCommand),
    /// Signing keys in a token (smart card, hardware security module): make, look at, change, destroy.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Officers' own keys, with which they sign what they ask and approve.
    #[command(subcommand)]
    Officer(officer::OfficerCommand),
    /// Say whether a ledger and the service over it have what they need, and what to do where they have not.
    Doctor(doctor::DoctorArgs),
    /// Serve a ledger over the network, until asked to stop.
    Serve(serve::ServeArgs),
    /// What stands for a principal over the network: certificates, accounts at providers of tokens, and keys of gateways.
    #[command(subcommand)]
    Login(login::LoginCommand),
    /// The configuration of `serve`.
    #[command(subcommand)]
    Config(serve::ConfigCommand),
    /// Write the data keys for an inspector. Whoever has them reads everything.
    ExportKeys(keys::KeysArgs),
}
