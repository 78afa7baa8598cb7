//! A ledger in a directory: where its files are, how one is made, how one is opened.
//!
//! ```text
//! DIR/countersign.toml     origin, key, where the head register is
//! DIR/segments/…           the truth: leaves, sealed records, signed checkpoints
//! DIR/register/head        the newest head once more; best on another file system
//! DIR/snapshot             what was known after a commit, sealed; made anew if it is gone
//! DIR/snapshots/…          some that came before, for questions as of then; made anew where everything is replayed
//! DIR/index/…              which entries concern whom, sealed; made anew if it is gone
//! DIR/keys/data.keys       the data keys, under the passphrase or under a key in the token
//! DIR/keys/token.json      where the signing keys are in the token
//! DIR/keys/signing.key     in a throw-away ledger instead: the signing key, under the passphrase
//! DIR/keys/signing-2.key   there, the key that followed it after a loss was declared; and so on
//! DIR/keys/passphrase      there, and only where init made the passphrase up: then whoever has the directory has the keys
//! ```

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use countersign_entry::ids::PrincipalId;
use countersign_entry::record::Record;
use countersign_log::segment::ROLLOVER_BYTES;
use countersign_log::vkey::VKey;
use countersign_sign::datakeys::{DataKeys, DataKeysError, FileKey};
use countersign_sign::keyfile::{TokenFile, TokenKey};
use countersign_sign::passphrase::{Passphrase, PassphraseError, generate_passphrase_file};
use countersign_sign::pkcs11::{Place, Token, TokenSigner};
use countersign_sign::software::KeyFileError;
use countersign_sign::software::SOFTWARE_SUFFIX;
use countersign_sign::software::SoftwareSigner;
use countersign_sign::unlock::Unlock;
use countersign_sign::{Signer, os_random};
use countersign_store::register::FileRegister;
use countersign_store::segments::SegmentStore;
use serde::Deserialize;

use crate::open::{Access, Ledger, OpenError, Parts};
use crate::{Beside, Clock, Notice, SystemEntropy};

/// Name of the configuration file.
pub const CONFIG: &str = "countersign.toml";

const DATA_KEYS: &str = "data.keys";
const TOKEN: &str = "token.json";

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
    /// An origin that says its keys are in files.
    #[error("{0:?} says that its keys are in files: an origin with keys in a token does not end in {SOFTWARE_SUFFIX}")]
    SoftwareOrigin(String),
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

/// A ledger's directory, its configuration read. Once it opened a ledger whose keys are in a token, it opens it again for reading while the token is away.
#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
    origin: String,
    vkey: VKey,
    register: PathBuf,
    /// What the token gave for the data keys.
    file_key: Arc<Mutex<Option<FileKey>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    origin: String,
    vkey: String,
    register: String,
}

/// Where the passphrase or the PIN comes from, and the clock.
pub struct Opening {
    /// A file that holds the passphrase; the ledger's own `keys/passphrase` where none is given.
    pub passphrase_file: Option<PathBuf>,
    /// A file that holds the token's PIN; the one named when the ledger was made where none is given.
    pub pin_file: Option<PathBuf>,
    /// The clock.
    pub clock: Box<dyn Clock>,
    /// Told what a start is doing, and why.
    pub told: Box<dyn FnMut(Notice<'_>) + Send + Sync>,
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
        Ok(Self { path: path.to_owned(), origin: config.origin, vkey, register: path.join(config.register), file_key: Arc::default() })
    }

    /// Makes a throw-away ledger with its keys in files, and a first commit that holds `records`, the principals among them.
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
        let keys = DataKeys::create(&keys_dir.join(DATA_KEYS), origin, &mut unlock, &mut os_random)?;
        let made = New { path, register, store, signer: Box::new(signer), keys, opening };
        made.start(founder, sequencer, records)
    }

    /// Makes a ledger whose signing key is in a token already, under `label`. The key that wraps its data keys is made beside it.
    ///
    /// # Errors
    /// The path exists, the origin is one for software keys, the token is away or has another key, or something could not be written. What was
    /// written until then stays.
    pub fn create_in_token(
        path: &Path,
        key: InToken<'_>,
        register: &Path,
        opening: Opening,
        founder: &PrincipalId,
        sequencer: &PrincipalId,
        records: Vec<Record>,
    ) -> Result<Ledger, DirectoryError> {
        let origin = key.vkey.name();
        if origin.ends_with(SOFTWARE_SUFFIX) {
            return Err(DirectoryError::SoftwareOrigin(origin.to_owned()));
        }
        let store = SegmentStore::create(path, ROLLOVER_BYTES)?;
        let token = Token::at(key.place.clone());
        let wrapping = wrapping_label(key.label)?;
        token.make_wrapping_key(&wrapping).map_err(KeyFileError::from)?;
        let keys_dir = path.join("keys");
        make_dir(&keys_dir)?;
        let keys = DataKeys::create_in_token(&keys_dir.join(DATA_KEYS), origin, &token, &wrapping, &mut os_random)?;
        let listed = TokenKey { label: key.label.to_owned(), vkey: key.vkey.to_string() };
        TokenFile::new(origin, key.place, listed).create(&keys_dir.join(TOKEN))?;
        let signer = TokenSigner::new(token, key.label, key.vkey.clone());
        let made = New { path, register, store, signer: Box::new(signer), keys, opening };
        made.start(founder, sequencer, records)
    }

    /// Opens the ledger.
    ///
    /// # Errors
    /// A wrong passphrase or PIN, another writer, damage; each says what to do.
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
        let (signers, keys) = match self.token_file()? {
            Some(file) => self.open_token(&file, opening.pin_file.as_deref())?,
            None => {
                let file = opening.passphrase_file.unwrap_or_else(|| keys_dir.join("passphrase"));
                self.open_software(&mut Unlock::new(Passphrase::from_file(&file)?))?
            }
        };
        let parts = Parts {
            store,
            register,
            vkey: self.vkey.clone(),
            signers,
            keys,
            clock: opening.clock,
            entropy: Box::new(SystemEntropy::default()),
            beside: Some(Beside::new(self.path.clone(), opening.told)),
        };
        let mut ledger = Ledger::open(parts, access)?;
        if access == Access::Write {
            ledger.replay_in_background(Box::new(SegmentStore::open_reader(&self.path)?))?;
        }
        Ok(ledger)
    }

    fn open_software(&self, unlock: &mut Unlock) -> Result<(Vec<Box<dyn Signer>>, DataKeys), DirectoryError> {
        let keys_dir = self.path.join("keys");
        let signer = SoftwareSigner::open(&keys_dir.join("signing.key"), &self.origin, unlock)?;
        if signer.vkey() != &self.vkey {
            return Err(DirectoryError::Config { path: self.path.join(CONFIG), what: "its key is not the one in keys/signing.key".into() });
        }
        let mut signers: Vec<Box<dyn Signer>> = vec![Box::new(signer)];
        for number in 2.. {
            match SoftwareSigner::open(&self.signing_key_path(number), &self.origin, unlock) {
                Ok(signer) => signers.push(Box::new(signer)),
                Err(KeyFileError::Missing(_)) => break,
                Err(e) => return Err(e.into()),
            }
        }
        let keys = DataKeys::open(&keys_dir.join(DATA_KEYS), &self.origin, unlock)?;
        Ok((signers, keys))
    }

    /// Makes one more signing key in a file, for a throw-away ledger whose key has to be followed by another.
    ///
    /// # Errors
    /// The ledger's keys are in a token, or the file or the passphrase failed.
    pub fn make_signing_key(&self, passphrase_file: Option<&Path>) -> Result<Box<dyn Signer>, DirectoryError> {
        let file = passphrase_file.map_or_else(|| self.path.join("keys/passphrase"), Path::to_owned);
        let mut unlock = Unlock::new(Passphrase::from_file(&file)?);
        // Each file is a key of this ledger; one that nothing followed to does no harm.
        let free = (2u32..).map(|number| self.signing_key_path(number)).find(|path| !path.exists());
        let path = free.unwrap_or_else(|| self.signing_key_path(2));
        Ok(Box::new(SoftwareSigner::create(&path, &self.origin, &mut unlock, &mut os_random)?))
    }

    fn signing_key_path(&self, number: u32) -> PathBuf {
        self.path.join("keys").join(format!("signing-{number}.key"))
    }

    fn open_token(&self, file: &TokenFile, pin_file: Option<&Path>) -> Result<(Vec<Box<dyn Signer>>, DataKeys), DirectoryError> {
        let token = file.token(pin_file);
        let mut signers: Vec<Box<dyn Signer>> = Vec::new();
        for key in &file.keys {
            let bad = |e: countersign_log::vkey::VKeyError| DirectoryError::Config { path: self.token_path(), what: e.to_string() };
            let vkey = VKey::parse(&key.vkey).map_err(bad)?;
            signers.push(Box::new(TokenSigner::new(token.clone(), &key.label, vkey)));
        }
        let mut kept = self.file_key.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = DataKeys::open_with_token(&self.path.join("keys").join(DATA_KEYS), &self.origin, &token, &mut kept)?;
        Ok((signers, keys))
    }

    /// Where the ledger's keys are in a token; `None` where they are in files.
    ///
    /// # Errors
    /// The file that says so is damaged.
    pub fn token_file(&self) -> Result<Option<TokenFile>, DirectoryError> {
        match TokenFile::open(&self.token_path(), &self.origin) {
            Ok(file) => Ok(Some(file)),
            Err(KeyFileError::Missing(_)) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Writes down anew where the keys are.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep_token_file(&self, file: &TokenFile) -> Result<(), DirectoryError> {
        Ok(file.replace(&self.token_path())?)
    }

    fn token_path(&self) -> PathBuf {
        self.path.join("keys").join(TOKEN)
    }

    /// Where the ledger is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the head register is.
    pub fn register(&self) -> &Path {
        &self.register
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

/// A signing key that is in a token already.
#[derive(Debug, Clone, Copy)]
pub struct InToken<'a> {
    /// The token.
    pub place: &'a Place,
    /// The key's label.
    pub label: &'a str,
    /// Its public half, named by the origin.
    pub vkey: &'a VKey,
}

/// A label for a ledger's key-encryption key that none has yet: one may be left over from a ledger that was not made to the end.
pub(crate) fn wrapping_label(label: &str) -> Result<String, DirectoryError> {
    let mut number = [0; 4];
    os_random(&mut number).map_err(KeyFileError::from)?;
    Ok(format!("{label}-wrap-{:08x}", u32::from_be_bytes(number)))
}

/// A ledger that has its keys and nothing else yet.
struct New<'a> {
    path: &'a Path,
    register: &'a Path,
    store: SegmentStore,
    signer: Box<dyn Signer>,
    keys: DataKeys,
    opening: Opening,
}

impl New<'_> {
    fn start(self, founder: &PrincipalId, sequencer: &PrincipalId, records: Vec<Record>) -> Result<Ledger, DirectoryError> {
        let register_path = self.path.join(self.register);
        if let Some(parent) = register_path.parent() {
            fs::create_dir_all(parent).map_err(|source| DirectoryError::File { path: parent.to_owned(), source })?;
        }
        let register = FileRegister::create(&register_path)?;
        let vkey = self.signer.vkey().clone();
        let parts = Parts {
            store: Box::new(self.store),
            register: Box::new(register),
            vkey: vkey.clone(),
            signers: vec![self.signer],
            keys: self.keys,
            clock: self.opening.clock,
            entropy: Box::new(SystemEntropy::default()),
            beside: Some(Beside::new(self.path.to_owned(), self.opening.told)),
        };
        let ledger = Ledger::start(parts, founder, sequencer, records)?;
        // Written last: until it is there, nothing takes the directory for a ledger.
        write_new(&self.path.join(CONFIG), &render_config(vkey.name(), &vkey.to_string(), &self.register.to_string_lossy()))?;
        Ok(ledger)
    }
}

fn render_config(origin: &str, vkey: &str, register: &str) -> String {
    // Origins, vkeys and paths with quotes or backslashes are refused by their own types or by the comparison when the file is read.
    format!("# countersign ledger, version 1\norigin = \"{origin}\"\nvkey = \"{vkey}\"\nregister = \"{register}\"\n")
}

/// The head register that a configuration names, as it names it.
pub(crate) fn register_in(config: &str) -> Option<PathBuf> {
    toml::from_str::<Config>(config).ok().map(|config| PathBuf::from(config.register))
}

/// Makes what was made or renamed in a directory durable.
pub(crate) fn sync_dir(path: &Path) -> Result<(), DirectoryError> {
    fs::File::open(path).and_then(|dir| dir.sync_all()).map_err(|source| DirectoryError::File { path: path.to_owned(), source })
}

fn make_dir(path: &Path) -> Result<(), DirectoryError> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().mode(0o700).create(path).map_err(|source| DirectoryError::File { path: path.to_owned(), source })
}

fn write_new(path: &Path, text: &str) -> Result<(), DirectoryError> {
    let failed = |source| DirectoryError::File { path: path.to_owned(), source };
    let mut file = fs::File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    sync_dir(path.parent().unwrap_or(Path::new(".")))
}
