//! A ledger in a directory: where its files are, how one is made, how one is opened.
//!
//! ```text
//! DIR/countersign.toml     origin, key, where the head register is
//! DIR/segments/…           the truth: leaves, sealed records, signed checkpoints
//! DIR/register/head        the newest head once more; best on another file system
//! DIR/keys/signing.key     the signing key, under the passphrase
//! DIR/keys/data.keys       the data keys, under the passphrase
//! DIR/keys/passphrase      only where init made the passphrase up: then whoever has the directory has the keys
//! ```

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use countersign_entry::ids::PrincipalId;
use countersign_entry::record::Record;
use countersign_log::segment::ROLLOVER_BYTES;
use countersign_log::vkey::VKey;
use countersign_sign::Signer as _;
use countersign_sign::datakeys::{DataKeys, DataKeysError};
use countersign_sign::os_random;
use countersign_sign::passphrase::{Passphrase, PassphraseError, generate_passphrase_file};
use countersign_sign::software::KeyFileError;
use countersign_sign::software::SoftwareSigner;
use countersign_sign::unlock::Unlock;
use countersign_store::register::FileRegister;
use countersign_store::segments::SegmentStore;
use serde::Deserialize;

use crate::open::{Access, Ledger, OpenError, Parts};
use crate::{Clock, SystemEntropy};

/// Name of the configuration file.
pub const CONFIG: &str = "countersign.toml";

/// Why a directory is not made, or not opened, as a ledger.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// There is no ledger at this path.
    #[error("{0} holds no ledger (no {CONFIG}): a ledger is made by `countersign init`, and nothing else makes one")]
    NotALedger(PathBuf),
    /// The configuration is not one this version wrote.
    #[error("{path} is damaged: {what}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// A key file, or the passphrase for it.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The data keys.
    #[error(transparent)]
    DataKeys(#[from] DataKeysError),
    /// The passphrase's own file.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The ledger itself.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<countersign_store::StoreError> for DirectoryError {
    fn from(e: countersign_store::StoreError) -> Self {
        Self::Open(e.into())
    }
}

impl From<countersign_store::RegisterError> for DirectoryError {
    fn from(e: countersign_store::RegisterError) -> Self {
        Self::Open(e.into())
    }
}

/// A ledger's directory, its configuration read.
#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
    origin: String,
    vkey: VKey,
    register: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    origin: String,
    vkey: String,
    register: String,
}

/// Where the passphrase comes from, and the clock.
pub struct Opening {
    /// A file that holds the passphrase; the ledger's own `keys/passphrase` where none is given.
    pub passphrase_file: Option<PathBuf>,
    /// The clock.
    pub clock: Box<dyn Clock>,
}

impl Directory {
    /// Reads a ledger's configuration.
    ///
    /// # Errors
    /// There is no ledger, or its configuration was changed.
    pub fn find(path: &Path) -> Result<Self, DirectoryError> {
        let file = path.join(CONFIG);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(DirectoryError::NotALedger(path.to_owned())),
            Err(source) => return Err(DirectoryError::File { path: file, source }),
        };
        let bad = |what: String| DirectoryError::Config { path: file.clone(), what };
        let config: Config = toml::from_str(&text).map_err(|e| bad(e.message().to_owned()))?;
        let vkey = VKey::parse(&config.vkey).map_err(|e| bad(e.to_string()))?;
        if vkey.name() != config.origin || render_config(&config.origin, &config.vkey, &config.register) != text {
            return Err(bad("it is not as init wrote it".into()));
        }
        Ok(Self { path: path.to_owned(), origin: config.origin, vkey, register: path.join(config.register) })
    }

    /// Makes a ledger: keys, store, register, and a first commit that holds `records`, the principals among them.
    ///
    /// # Errors
    /// The path exists, the origin is not one for a software key, or something could not be written. What was written until then stays.
    pub fn create(
        path: &Path,
        origin: &str,
        register: &Path,
        opening: Opening,
        founder: &PrincipalId,
        sequencer: &PrincipalId,
        records: Vec<Record>,
    ) -> Result<Ledger, DirectoryError> {
        countersign_sign::software::check_origin(origin)?;
        let store = SegmentStore::create(path, ROLLOVER_BYTES)?;
        let keys_dir = path.join("keys");
        make_dir(&keys_dir)?;
        let passphrase = match &opening.passphrase_file {
            Some(file) => Passphrase::from_file(file)?,
            None => generate_passphrase_file(&keys_dir.join("passphrase"), &mut os_random)?,
        };
        let mut unlock = Unlock::new(passphrase);
        let signer = SoftwareSigner::create(&keys_dir.join("signing.key"), origin, &mut unlock, &mut os_random)?;
        let keys = DataKeys::create(&keys_dir.join("data.keys"), origin, &mut unlock, &mut os_random)?;
        let register_path = path.join(register);
        if let Some(parent) = register_path.parent() {
            fs::create_dir_all(parent).map_err(|source| DirectoryError::File { path: parent.to_owned(), source })?;
        }
        let register_file = FileRegister::create(&register_path)?;
        let vkey = signer.vkey().to_string();
        let parts = Parts {
            store: Box::new(store),
            register: Box::new(register_file),
            vkey: signer.vkey().clone(),
            signers: vec![Box::new(signer)],
            keys,
            clock: opening.clock,
            entropy: Box::new(SystemEntropy::default()),
        };
        let ledger = Ledger::start(parts, founder, sequencer, records)?;
        // Written last: until it is there, nothing takes the directory for a ledger.
        write_new(&path.join(CONFIG), &render_config(origin, &vkey, &register.to_string_lossy()))?;
        Ok(ledger)
    }

    /// Opens the ledger.
    ///
    /// # Errors
    /// A wrong passphrase, another writer, damage; each says what to do.
    pub fn open(&self, access: Access, opening: Opening) -> Result<Ledger, DirectoryError> {
        let keys_dir = self.path.join("keys");
        let store: Box<dyn countersign_store::Store> = match access {
            Access::Write => Box::new(SegmentStore::open_writer(&self.path, ROLLOVER_BYTES)?),
            Access::Read => Box::new(SegmentStore::open_reader(&self.path)?),
        };
        let register: Box<dyn countersign_store::Register> = match access {
            Access::Write => Box::new(FileRegister::open_writer(&self.register)?),
            Access::Read => Box::new(FileRegister::open_reader(&self.register)?),
        };
        let file = opening.passphrase_file.unwrap_or_else(|| keys_dir.join("passphrase"));
        let mut unlock = Unlock::new(Passphrase::from_file(&file)?);
        let signer = SoftwareSigner::open(&keys_dir.join("signing.key"), &self.origin, &mut unlock)?;
        if signer.vkey() != &self.vkey {
            return Err(DirectoryError::Config { path: self.path.join(CONFIG), what: "its key is not the one in keys/signing.key".into() });
        }
        let keys = DataKeys::open(&keys_dir.join("data.keys"), &self.origin, &mut unlock)?;
        let parts = Parts {
            store,
            register,
            vkey: self.vkey.clone(),
            signers: vec![Box::new(signer)],
            keys,
            clock: opening.clock,
            entropy: Box::new(SystemEntropy::default()),
        };
        Ok(Ledger::open(parts, access)?)
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The log's key.
    pub fn vkey(&self) -> &VKey {
        &self.vkey
    }
}

fn render_config(origin: &str, vkey: &str, register: &str) -> String {
    // Origins, vkeys and paths with quotes or backslashes are refused by their own types or by the comparison when the file is read.
    format!("# countersign ledger, version 1\norigin = \"{origin}\"\nvkey = \"{vkey}\"\nregister = \"{register}\"\n")
}

fn make_dir(path: &Path) -> Result<(), DirectoryError> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().mode(0o700).create(path).map_err(|source| DirectoryError::File { path: path.to_owned(), source })
}

fn write_new(path: &Path, text: &str) -> Result<(), DirectoryError> {
    let failed = |source| DirectoryError::File { path: path.to_owned(), source };
    let mut file = fs::File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::File::open(parent).and_then(|dir| dir.sync_all()).map_err(failed)
}
