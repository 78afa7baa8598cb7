//! The few file operations everything durable here is made of.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A file operation that failed.
#[derive(Debug, Error)]
#[error("cannot {action} {path}")]
pub struct FileError {
    /// What was tried: a verb.
    pub action: &'static str,
    /// On which file or directory.
    pub path: PathBuf,
    /// What the operating system said.
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// Whether the disk, or the writer's share of it, is full.
    pub fn is_full(&self) -> bool {
        matches!(self.source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
    }

    /// Whether the file or directory is not there.
    pub fn is_missing(&self) -> bool {
        self.source.kind() == ErrorKind::NotFound
    }
}

/// For `map_err`: names what was tried on which path.
pub(crate) fn on<'a>(action: &'static str, path: &'a Path) -> impl Fn(io::Error) -> FileError + 'a {
    move |source| FileError { action, path: path.to_owned(), source }
}

/// Makes a directory's entries durable: a new or renamed file is only there after a crash once its directory was synced.
pub(crate) fn sync_directory(path: &Path) -> Result<(), FileError> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(on("sync", path))
}

/// The directory a path stands in.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// `path` with `extra` after its last character.
pub(crate) fn beside(path: &Path, extra: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(extra);
    name.into()
}

/// Makes a directory for the owner alone. Durable only after [`sync_directory`] of its parent.
pub(crate) fn make_directory(path: &Path) -> Result<(), FileError> {
    DirBuilder::new().mode(0o700).create(path).map_err(on("create", path))
}

/// Puts `bytes` at `path`, durably and at once: whoever reads sees what was there before or all of it. If we stop half-way a `.tmp`
/// file stays behind; it is ignored, and overwritten next time.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let tmp = beside(path, ".tmp");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&tmp).map_err(on("create", &tmp))?;
    file.write_all(bytes).map_err(on("write", &tmp))?;
    file.sync_all().map_err(on("sync", &tmp))?;
    std::fs::rename(&tmp, path).map_err(on("rename", &tmp))?;
    sync_directory(parent(path))
}

/// Reads a file whole, as long as it is now: what a writer appends meanwhile is left out. `None` if it is longer than `len_max`.
pub(crate) fn read_bounded(path: &Path, len_max: u64) -> Result<Option<Vec<u8>>, FileError> {
    let file = File::open(path).map_err(on("open", path))?;
    let len = file.metadata().map_err(on("read", path))?.len();
    if len > len_max {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
    file.take(len).read_to_end(&mut bytes).map_err(on("read", path))?;
    Ok(Some(bytes))
}

/// An exclusive lock, held until the file is dropped; `None` if somebody else has it.
pub(crate) fn lock(path: &Path) -> Result<Option<File>, FileError> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map_err(on("open", path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(on("lock", path)(source)),
    }
}
