//! Why a command did not do what it was asked, as one sentence and an exit code.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use countersign_conflict::Refusal;
use countersign_intake::IntakeError;
use countersign_ledger::export::ExportError;
use countersign_ledger::query::ViewError;
use countersign_ledger::{AppendError, BackupError, DirectoryError, OpenError};
use countersign_server::local::{Because, Refused};
use countersign_sign::datakeys::DataKeysError;
use countersign_sign::officer::OfficerKeyError;
use countersign_sign::passphrase::PassphraseError;
use countersign_sign::pin::PinError;
use countersign_sign::pkcs11::TokenError;
use countersign_sign::software::KeyFileError;
use countersign_store::{RegisterError, StoreError};

/// Exit codes, one for each thing a script may want to tell apart. 10 to 13 are the verifier's verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done; verified; no conflict.
    Done = 0,
    /// Input or output failed, the ledger is in use, or a bug.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Something named is not there.
    NotFound = 3,
    /// The actor may not, or is not cleared.
    Denied = 4,
    /// The input cannot be recorded as it is.
    Invalid = 5,
    /// Some lines of several were not recorded.
    Partial = 6,
    /// What is stored contradicts itself.
    Damaged = 10,
    /// It could not be checked.
    CouldNotCheck = 11,
    /// Nobody trusted vouches for it.
    Untrusted = 12,
    /// A rule stands against it; for the ethics role alone.
    Conflict = 20,
    /// A human must decide; for the ethics role alone.
    NeedsReview = 21,
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line asks for something that does not go together.
    #[error("{0}")]
    Usage(String),
    /// Something named is not there.
    #[error("{0}")]
    NotFound(String),
    /// The actor may not.
    #[error("{0}")]
    Denied(String),
    /// The input is not what it has to be.
    #[error("{0}")]
    Invalid(String),
    /// A file could not be read or written.
    #[error("{path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The ledger was not made or not opened.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The ledger opened and holds something that does not.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Nothing was recorded, or it is unknown whether.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The ledger opened for reading alone, since it is not whole.
    #[error("nothing was recorded: {0}")]
    ReadOnly(String),
    /// Whoever serves the ledger did not record it.
    #[error(transparent)]
    Served(#[from] Refused),
    /// The export was not written.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A backup was not made, not checked or not restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A proof, or what it was checked against, does not hold.
    #[error("{what}")]
    Proof {
        /// In words.
        what: String,
        /// Which verdict that is.
        exit: Exit,
        /// What did not hold.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// A request was written to a file and not recorded, as was asked. Ends a command early, and is no failure.
    #[error("nothing is recorded yet; the request is in {0}")]
    Drafted(PathBuf),
    /// It was done in the token, and no entry says so.
    #[error("it is done in the token and not recorded ({0}): record it with `countersign key attest`")]
    Unrecorded(#[source] Box<Failure>),
    /// An officer's own key.
    #[error(transparent)]
    Officer(#[from] OfficerKeyError),
    /// The demo could not go on.
    #[error("{0}")]
    Demo(String),
    /// Standard output, or the operating system.
    #[error("cannot write the answer")]
    Output(#[source] io::Error),
    /// Whatever has no reason to happen.
    #[error("{0}: this is a bug, please report it")]
    Bug(String),
}

impl From<IntakeError> for Failure {
    fn from(e: IntakeError) -> Self {
        match e {
            IntakeError::Usage(what) => Self::Usage(what),
            IntakeError::File(what) | IntakeError::People(what) | IntakeError::Invalid(what) => Self::Invalid(what),
            IntakeError::NotFound(what) => Self::NotFound(what),
            IntakeError::Denied(what) => Self::Denied(what),
            IntakeError::Append(e) => Self::Append(e),
            IntakeError::Open(e) => Self::Open(e),
            IntakeError::Bug(what) => Self::Bug(what),
        }
    }
}

impl From<ViewError> for Failure {
    fn from(e: ViewError) -> Self {
        match e {
            ViewError::Beyond { .. } => Self::NotFound(e.to_string()),
            ViewError::Open(e) => Self::Open(e),
        }
    }
}

impl Failure {
    /// For `map_err`: a file operation that failed.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// The process's exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::NotFound(_) => Exit::NotFound,
            Self::Denied(_) => Exit::Denied,
            Self::Invalid(_) => Exit::Invalid,
            Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound => Exit::NotFound,
            Self::File { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => Exit::Invalid,
            Self::Directory(e) => directory_exit(e),
            Self::Token(e) => token_exit(e),
            Self::Open(e) => open_exit(e),
            Self::Append(e) => append_exit(e),
            Self::ReadOnly(_) => Exit::Damaged,
            Self::Served(e) => match e.because {
                Because::Denied => Exit::Denied,
                Because::NotFound => Exit::NotFound,
                Because::Invalid => Exit::Invalid,
                Because::Failed => Exit::Failed,
            },
            Self::Export(ExportError::Exists(_)) => Exit::Invalid,
            Self::Export(ExportError::Ledger(e)) => open_exit(e),
            Self::Backup(e) => backup_exit(e),
            Self::Proof { exit, .. } => *exit,
            Self::Drafted(_) => Exit::Done,
            Self::Unrecorded(_) => Exit::Failed,
            Self::Officer(e) => officer_exit(e),
            Self::File { .. } | Self::Export(_) | Self::Demo(_) | Self::Output(_) | Self::Bug(_) => Exit::Failed,
        }
    }

    /// Whether whoever reads our answer went away, which is no failure of ours.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(e) if e.kind() == io::ErrorKind::BrokenPipe)
    }

    /// One sentence: what failed, its causes, and what to do where that helps.
    pub(crate) fn sentence(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(e) = cause {
            let next = e.to_string();
            if !text.contains(&next) {
                text = format!("{text}: {next}");
            }
            cause = e.source();
        }
        match self.advice() {
            Some(advice) => format!("{text}. {advice}"),
            None => text,
        }
    }

    fn advice(&self) -> Option<&'static str> {
        let key = |e: &KeyFileError| match e {
            KeyFileError::WrongPassphrase(_) => Some("Name the right one with --passphrase-file"),
            KeyFileError::HardwareKeyNeeded { .. } => {
                Some("Name a key in a token with --signer pkcs11, or let the origin end in /software for a throw-away ledger")
            }
            KeyFileError::Token(e) => token_advice(e),
            _ => None,
        };
        match self {
            Self::Directory(DirectoryError::Key(e)) => key(e),
            Self::Token(e) | Self::Officer(OfficerKeyError::Token(e)) => token_advice(e),
            Self::Directory(DirectoryError::DataKeys(DataKeysError::File(e))) => key(e),
            Self::Directory(DirectoryError::Passphrase(PassphraseError::File { .. })) => {
                Some("Name the passphrase's file with --passphrase-file")
            }
            Self::Directory(DirectoryError::Open(OpenError::Store(StoreError::Locked(_)))) => {
                Some("Wait until it is done; beside `countersign serve` this command works only if it records one thing at a time")
            }
            Self::Append(AppendError::Refused(Refusal::Exists { .. })) => Some("Add --supersede to change it"),
            Self::ReadOnly(_) => Some("Run countersign verify and keep this disk"),
            _ => None,
        }
    }
}

fn backup_exit(e: &BackupError) -> Exit {
    match e {
        BackupError::Directory(e) => directory_exit(e),
        BackupError::Exists(_) | BackupError::Empty => Exit::Invalid,
        BackupError::NotABackup(_) => Exit::NotFound,
        BackupError::Redacting(_) => Exit::Failed,
        BackupError::Damaged { .. } => Exit::Damaged,
        BackupError::File { .. } => Exit::Failed,
    }
}

fn directory_exit(e: &DirectoryError) -> Exit {
    match e {
        DirectoryError::NotALedger(_) => Exit::NotFound,
        DirectoryError::Config { .. } => Exit::Damaged,
        DirectoryError::SoftwareOrigin(_) => Exit::Invalid,
        DirectoryError::File { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => Exit::Invalid,
        DirectoryError::File { .. } => Exit::Failed,
        DirectoryError::Key(e) | DirectoryError::DataKeys(DataKeysError::File(e)) => key_exit(e),
        DirectoryError::DataKeys(_) => Exit::Failed,
        DirectoryError::Passphrase(e) => passphrase_exit(e),
        DirectoryError::Open(e) => open_exit(e),
    }
}

fn key_exit(e: &KeyFileError) -> Exit {
    match e {
        KeyFileError::WrongPassphrase(_) => Exit::Denied,
        KeyFileError::Token(e) => token_exit(e),
        KeyFileError::NeedsToken(_) | KeyFileError::NeedsPassphrase(_) => Exit::Invalid,
        KeyFileError::Damaged { .. } | KeyFileError::OtherOrigin { .. } => Exit::Damaged,
        KeyFileError::Missing(_) => Exit::NotFound,
        KeyFileError::HardwareKeyNeeded { .. } | KeyFileError::Origin { .. } | KeyFileError::AlreadyExists(_) => Exit::Invalid,
        KeyFileError::Io { .. } | KeyFileError::Derive(_) | KeyFileError::Random(_) => Exit::Failed,
    }
}

fn token_exit(e: &TokenError) -> Exit {
    match e {
        TokenError::PinRefused { .. } => Exit::Denied,
        TokenError::Exists { .. } | TokenError::Unfit(_) | TokenError::OtherKey { .. } => Exit::Invalid,
        TokenError::Pin(PinError::Open(_) | PinError::Form(_)) => Exit::Invalid,
        TokenError::Tokens { count: 0, .. } | TokenError::Keys { count: 0, .. } | TokenError::Pin(PinError::File { .. }) => Exit::NotFound,
        TokenError::Tokens { .. } | TokenError::Keys { .. } => Exit::Invalid,
        TokenError::Module { .. } | TokenError::Away(_) | TokenError::Hung { .. } | TokenError::Half { .. } => Exit::Failed,
    }
}

fn officer_exit(e: &OfficerKeyError) -> Exit {
    match e {
        OfficerKeyError::File { source, .. } if source.kind() == io::ErrorKind::NotFound => Exit::NotFound,
        OfficerKeyError::File { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => Exit::Invalid,
        OfficerKeyError::WrongPassphrase(_) => Exit::Denied,
        OfficerKeyError::Token(e) => token_exit(e),
        OfficerKeyError::AsksEachTime(_) => Exit::Invalid,
        OfficerKeyError::Open(_) | OfficerKeyError::Form(_) | OfficerKeyError::Encrypted(_) | OfficerKeyError::Unsound(_) => Exit::Invalid,
        OfficerKeyError::File { .. } | OfficerKeyError::Sign(_) | OfficerKeyError::NoSignature(_) | OfficerKeyError::Random(_) => {
            Exit::Failed
        }
    }
}

fn token_advice(e: &TokenError) -> Option<&'static str> {
    match e {
        TokenError::Pin(PinError::File { .. }) => Some("Name the PIN's file with --pin-file"),
        TokenError::Away(_) | TokenError::Tokens { count: 0, .. } => Some("See that the token is plugged in or its network path is up"),
        TokenError::Keys { count: 0, .. } => Some("Make one with `countersign key init`, or name the right one"),
        _ => None,
    }
}

fn passphrase_exit(e: &PassphraseError) -> Exit {
    match e {
        PassphraseError::Empty | PassphraseError::TooLong | PassphraseError::NotText => Exit::Invalid,
        PassphraseError::Damaged => Exit::Damaged,
        PassphraseError::File { source, .. } if source.kind() == io::ErrorKind::NotFound => Exit::NotFound,
        PassphraseError::Random(_) | PassphraseError::File { .. } => Exit::Failed,
    }
}

fn open_exit(e: &OpenError) -> Exit {
    match e {
        OpenError::Store(e) => store_exit(e),
        OpenError::Register(e) => register_exit(e),
        OpenError::Damaged { .. } => Exit::Damaged,
        OpenError::Shut { erased: Some(_), .. } => Exit::NotFound,
        OpenError::Shut { erased: None, .. } => Exit::CouldNotCheck,
        OpenError::Index(_) => Exit::Failed,
        OpenError::Start(e) | OpenError::Finish(e) => append_exit(e),
    }
}

fn store_exit(e: &StoreError) -> Exit {
    match e {
        StoreError::Missing(_) | StoreError::NotSealed { .. } => Exit::NotFound,
        StoreError::Emptied(_) | StoreError::Damaged { .. } => Exit::Damaged,
        StoreError::AlreadyExists(_) => Exit::Invalid,
        _ => Exit::Failed,
    }
}

fn register_exit(e: &RegisterError) -> Exit {
    match e {
        RegisterError::Missing(_) | RegisterError::Damaged { .. } | RegisterError::WouldGoBack { .. } | RegisterError::OtherHead(_) => {
            Exit::Damaged
        }
        RegisterError::AlreadyExists(_) => Exit::Invalid,
        _ => Exit::Failed,
    }
}

/// The code of a request that was not acknowledged.
pub(crate) fn append_exit(e: &AppendError) -> Exit {
    match e {
        AppendError::Refused(Refusal::UnknownPrincipal(_) | Refusal::Role { .. } | Refusal::Recused | Refusal::OtherAgency) => Exit::Denied,
        AppendError::Refused(Refusal::Unknown { .. }) => Exit::NotFound,
        AppendError::Refused(_) | AppendError::Malformed(_) | AppendError::KeyReused(_) => Exit::Invalid,
        AppendError::Busy
        | AppendError::ClockBehind { .. }
        | AppendError::NoRoom
        | AppendError::ReadOnly(_)
        | AppendError::Unavailable(_)
        | AppendError::Unknown(_) => Exit::Failed,
    }
}
