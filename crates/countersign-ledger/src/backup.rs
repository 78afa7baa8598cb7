//! Backups of a ledger's directory, made beside a running writer, and ledgers made from them.
//!
//! ```text
//! BACKUP/manifest.sha256   every file below, for `sha256sum -c`; its first line says which ledger, which size, when
//! BACKUP/checkpoint        the newest signed checkpoint in it
//! BACKUP/ledger.toml       the ledger's countersign.toml
//! BACKUP/segments/…        the truth, up to the end of a commit
//! BACKUP/keys/…            as in the ledger, without a passphrase that lies there in the clear
//! ```
//!
//! A backup has no `countersign.toml` and no head register, so nothing takes it for a ledger and goes on from it by mistake. Everything that a
//! ledger can make anew is left out. It is written under another name and renamed when it is whole: what a crash leaves is never taken for a backup.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use countersign_entry::time::Micros;
use countersign_log::checkpoint::Checkpoint;
use countersign_log::note::Note;
use countersign_store::register::FileRegister;
use countersign_store::segments::{SegmentPart, SegmentStore};
use countersign_store::{Head, Register as _, RegisterError, Store as _, StoreError};
use sha2::{Digest, Sha256};

use crate::dir::{CONFIG, Directory, DirectoryError, sync_dir};

const MANIFEST: &str = "manifest.sha256";
const CHECKPOINT: &str = "checkpoint";
/// What a backup calls the ledger's configuration.
pub const KEPT_CONFIG: &str = "ledger.toml";
const PASSPHRASE: &str = "passphrase";

/// Why a backup was not made, not checked, or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The ledger's directory, or the new one.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The target exists.
    #[error("{0} exists already: a new path is needed")]
    Exists(PathBuf),
    /// Nothing was ever committed, so there is nothing to keep.
    #[error("nothing was ever committed")]
    Empty,
    /// A redaction was interrupted, and what it redacts would be kept.
    #[error("a redaction of entry {0} was interrupted: open the ledger to record once (`countersign tick`), then take the backup")]
    Redacting(u64),
    /// There is no backup at this path.
    #[error("{0} holds no whole backup (no {MANIFEST})")]
    NotABackup(PathBuf),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The backup is not what its manifest says.
    #[error("{path}: {what}. Nothing was restored from it: take another backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

impl From<StoreError> for BackupError {
    fn from(e: StoreError) -> Self {
        Self::Directory(e.into())
    }
}

impl From<RegisterError> for BackupError {
    fn from(e: RegisterError) -> Self {
        Self::Directory(e.into())
    }
}

/// A backup, its manifest read.
#[derive(Debug, Clone)]
pub struct Backup {
    path: PathBuf,
    head: Head,
    checkpoint: Checkpoint,
    files: BTreeMap<String, String>,
}

/// Told how many bytes of how many are done.
pub type Copied<'a> = &'a mut dyn FnMut(u64, u64);

impl Backup {
    /// Makes a backup of a ledger, in a new directory, without stopping its writer.
    ///
    /// # Errors
    /// As [`BackupError`] says. What was written until then stays beside the target, as `TO.part`.
    pub fn create(ledger: &Directory, to: &Path, now: Micros, copied: Copied<'_>) -> Result<Self, BackupError> {
        let part = part_of(to)?;
        let mut store = SegmentStore::open_reader(ledger.path())?;
        let head = store.recover(0)?.head.ok_or(BackupError::Empty)?;
        if let Some(rewrite) = store.staged_rewrites()?.first() {
            return Err(BackupError::Redacting(rewrite.target));
        }
        let checkpoint = checkpoint_of(&part, &head.note)?;
        // The keys come after the entries: there are never entries without the keys that sealed them.
        let segments = store.parts()?;
        let of = segments.iter().map(|segment| segment.bytes).sum();
        for dir in [part.clone(), part.join("segments"), part.join("keys")] {
            make_private_dir(&dir)?;
        }
        let (mut done, mut files) = (0, BTreeMap::new());
        let told = &mut |bytes| {
            done += bytes;
            copied(done, of);
        };
        for SegmentPart { path, bytes, then } in segments {
            let name = format!("segments/{}", name_of(&path));
            let hash = copy(&path, bytes, &then, &part.join(&name), told)?;
            files.insert(name, hash);
        }
        let keys = list(&ledger.path().join("keys"))?.into_iter().filter(|path| name_of(path) != PASSPHRASE);
        let keys = keys.map(|path| (format!("keys/{}", name_of(&path)), path));
        for (name, path) in keys.chain([(KEPT_CONFIG.to_owned(), ledger.path().join(CONFIG))]) {
            let hash = copy(&path, u64::MAX, &[], &part.join(&name), &mut |_| {})?;
            files.insert(name, hash);
        }
        write(&part.join(CHECKPOINT), &head.note)?;
        files.insert(CHECKPOINT.to_owned(), hex(&Sha256::digest(&head.note)));
        let backup = Self { path: to.to_owned(), head, checkpoint, files };
        write(&part.join(MANIFEST), backup.manifest(now).as_bytes())?;
        for dir in [part.join("segments"), part.join("keys"), part.clone()] {
            sync_dir(&dir)?;
        }
        fs::rename(&part, to).map_err(failed(to))?;
        sync_dir(to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
        Ok(backup)
    }

    fn manifest(&self, now: Micros) -> String {
        let (origin, size) = (&self.checkpoint.origin, self.head.size);
        let lines = self.files.iter().map(|(name, hash)| format!("{hash}  {name}\n")).collect::<String>();
        format!("# countersign backup 1 of {origin} at size {size}, made {now}\n{lines}")
    }

    /// Reads a backup's manifest. Its files are looked at by [`Backup::check`], or on the way by [`Backup::restore`].
    ///
    /// # Errors
    /// There is no backup, or its manifest is damaged.
    pub fn open(path: &Path) -> Result<Self, BackupError> {
        let manifest = match fs::read_to_string(path.join(MANIFEST)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(BackupError::NotABackup(path.to_owned())),
            read => read.map_err(failed(&path.join(MANIFEST)))?,
        };
        let damaged = |what: &str| BackupError::Damaged { path: path.join(MANIFEST), what: what.to_owned() };
        let mut lines = manifest.lines();
        if !lines.next().is_some_and(|first| first.starts_with("# countersign backup 1 of ")) {
            return Err(damaged("not the manifest of a backup of this version"));
        }
        let mut files = BTreeMap::new();
        for line in lines {
            let (hash, name) = line.split_once("  ").ok_or_else(|| damaged("a line that names no file"))?;
            if !is_ours(name) || files.insert(name.to_owned(), hash.to_owned()).is_some() {
                return Err(damaged("it names a file that no backup has, or one twice"));
            }
        }
        if ![KEPT_CONFIG, CHECKPOINT, "keys/data.keys"].iter().all(|name| files.contains_key(*name)) {
            return Err(damaged("a file that every backup has is not in it"));
        }
        let note = fs::read(path.join(CHECKPOINT)).map_err(failed(&path.join(CHECKPOINT)))?;
        let checkpoint = checkpoint_of(&path.join(CHECKPOINT), &note)?;
        Ok(Self { path: path.to_owned(), head: Head { size: checkpoint.size.0, note }, checkpoint, files })
    }

    /// Holds every file against the manifest; a file that is not in it is a fault too. Returns what is wrong, nothing where all is well.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    pub fn check(&self, copied: Copied<'_>) -> Result<Vec<String>, BackupError> {
        let mut faults = Vec::new();
        for folder in ["", "segments", "keys"] {
            for path in list(&self.path.join(folder))? {
                let name = if folder.is_empty() { name_of(&path) } else { format!("{folder}/{}", name_of(&path)) };
                if name != MANIFEST && !self.files.contains_key(&name) && path.is_file() {
                    faults.push(format!("{name}: not in the manifest"));
                }
            }
        }
        let (of, mut done) = (self.bytes(), 0);
        for (name, expected) in &self.files {
            let told = &mut |bytes| {
                done += bytes;
                copied(done, of);
            };
            match File::open(self.path.join(name)).and_then(|file| hash(file, &mut io::sink(), told)) {
                Ok(found) if found == *expected => {}
                Ok(_) => faults.push(format!("{name}: not the bytes that were backed up")),
                Err(e) => faults.push(format!("{name}: {e}")),
            }
        }
        Ok(faults)
    }

    /// Makes a ledger from this backup in a new directory, and gives it a head register: the one its configuration names, if that is still there;
    /// else a new one, that stands at `newest_known` or at the backup's own head. Where that is more than the backup holds, the ledger will open for
    /// reading alone.
    ///
    /// # Errors
    /// As [`BackupError`] says. The configuration is written last, so what was written until then is no ledger.
    pub fn restore(&self, to: &Path, newest_known: Option<&[u8]>, copied: Copied<'_>) -> Result<Directory, BackupError> {
        if to.symlink_metadata().is_ok() {
            return Err(BackupError::Exists(to.to_owned()));
        }
        let newest = match newest_known {
            Some(note) => {
                let size = checkpoint_of(Path::new("the newest known head"), note)?.size.0;
                Some(Head { size, note: note.to_vec() }).filter(|known| known.size > self.head.size)
            }
            None => None,
        };
        for dir in [to.to_owned(), to.join("segments"), to.join("keys")] {
            make_private_dir(&dir)?;
        }
        let (of, mut done) = (self.bytes(), 0);
        let entries = self.files.iter().filter(|(name, _)| *name != CHECKPOINT && *name != KEPT_CONFIG);
        for (name, expected) in entries.chain(self.files.get_key_value(KEPT_CONFIG)) {
            let mut target = to.join(name);
            if name == KEPT_CONFIG {
                self.place_register(to, newest.as_ref().unwrap_or(&self.head))?;
                target = to.join(CONFIG);
            }
            let found = copy(&self.path.join(name), u64::MAX, &[], &target, &mut |bytes| {
                done += bytes;
                copied(done, of);
            })?;
            if found != *expected {
                // Nobody is to take half a copy of a damaged file for a ledger.
                drop(fs::remove_file(&target));
                return Err(BackupError::Damaged { path: self.path.join(name), what: "not the bytes that were backed up".into() });
            }
        }
        for dir in [to.join("segments"), to.join("keys"), to.to_owned()] {
            sync_dir(&dir)?;
        }
        Ok(Directory::find(to)?)
    }

    /// A register that survived knows more than any backup, so it stays as it is.
    fn place_register(&self, to: &Path, head: &Head) -> Result<(), BackupError> {
        let kept = self.path.join(KEPT_CONFIG);
        let config = fs::read_to_string(&kept).map_err(failed(&kept))?;
        let register = to.join(
            crate::dir::register_in(&config)
                .ok_or_else(|| BackupError::Damaged { path: self.path.join(CONFIG), what: "it names no head register".into() })?,
        );
        if register.symlink_metadata().is_ok() {
            return Ok(());
        }
        if let Some(parent) = register.parent() {
            fs::create_dir_all(parent).map_err(failed(parent))?;
        }
        Ok(FileRegister::create(&register)?.advance(head)?)
    }

    fn bytes(&self) -> u64 {
        self.files.keys().filter_map(|name| fs::metadata(self.path.join(name)).ok()).map(|m| m.len()).sum()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds: origin, size, root. A claim, until a verifier looked.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The signed note of that.
    pub fn note(&self) -> &[u8] {
        &self.head.note
    }

    /// Its files and their SHA-256.
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }
}

fn is_ours(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')) && !part.starts_with('.')
    };
    match name.split_once('/') {
        None => name == KEPT_CONFIG || name == CHECKPOINT,
        Some(("segments" | "keys", file)) => plain(file),
        Some(_) => false,
    }
}

fn checkpoint_of(path: &Path, note: &[u8]) -> Result<Checkpoint, BackupError> {
    let damaged = |what: String| BackupError::Damaged { path: path.to_owned(), what };
    let parsed = Note::parse(note).map_err(|e| damaged(e.to_string()))?;
    Checkpoint::parse(parsed.text()).map_err(|e| damaged(e.to_string()))
}

fn part_of(to: &Path) -> Result<PathBuf, BackupError> {
    let part = to.with_file_name(format!("{}.part", name_of(to)));
    if let Some(there) = [to, part.as_path()].into_iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(BackupError::Exists(there.to_owned()));
    }
    Ok(part)
}

fn list(dir: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let entries = fs::read_dir(dir).map_err(failed(dir))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(failed(dir))?;
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Makes a new file of the first `len` bytes of another and of `then`, durably, and gives its SHA-256.
fn copy(from: &Path, len: u64, then: &[u8], to: &Path, done: &mut dyn FnMut(u64)) -> Result<String, BackupError> {
    let mut out = private(to)?;
    let file = File::open(from).map_err(failed(from))?.take(len).chain(then);
    let hash = hash(file, &mut out, done).map_err(failed(from))?;
    out.sync_all().map_err(failed(to))?;
    Ok(hash)
}

fn hash(mut bytes: impl Read, out: &mut dyn io::Write, done: &mut dyn FnMut(u64)) -> io::Result<String> {
    let (mut hasher, mut block) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        let count = bytes.read(&mut block)?;
        let Some(read) = block.get(..count).filter(|read| !read.is_empty()) else { return Ok(hex(&hasher.finalize())) };
        hasher.update(read);
        out.write_all(read)?;
        done(count as u64);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let mut file = private(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed(path))
}

fn private(path: &Path) -> Result<File, BackupError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().write(true).create_new(true).mode(0o600).open(path).map_err(failed(path))
}

fn make_private_dir(path: &Path) -> Result<(), BackupError> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().mode(0o700).create(path).map_err(failed(path))
}

fn failed(path: &Path) -> impl Fn(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { path: path.clone(), source }
}
