//! The head register in a file of its own, best on another file system than the store.
//!
//! The file is a line `countersign register 1`, a line with the size, a line with a checksum over size and note, and then the note. The
//! checksum finds rot; whether the note is genuine is for its signature to say.

use std::fs::File;
use std::path::{Path, PathBuf};

use countersign_log::segment::NOTE_BYTES_MAX;

use crate::files::{beside, lock, read_bounded, replace};
use crate::{FileError, Head, Register, RegisterError};

const TAG: &str = "countersign register 1";
const CONTEXT: &str = "countersign v1 head register";
/// Tag, size and checksum lines are far shorter than this.
const LINES_LEN_MAX: usize = 256;

/// A head register in one file, replaced as a whole with each advance. Durable as [`Register`] says; one writer, held off by a lock
/// file beside it.
#[derive(Debug)]
pub struct FileRegister {
    path: PathBuf,
    lock: Option<File>,
    poisoned: bool,
}

impl FileRegister {
    /// Makes an empty register. Refuses if anything is there; for `init` alone.
    pub fn create(path: &Path) -> Result<Self, RegisterError> {
        if path.symlink_metadata().is_ok() {
            return Err(RegisterError::AlreadyExists(path.to_owned()));
        }
        let lock = writer_lock(path)?;
        replace(path, &encode(&Head { size: 0, note: Vec::new() }))?;
        Ok(Self { path: path.to_owned(), lock: Some(lock), poisoned: false })
    }

    /// Opens a register for writing, alone.
    pub fn open_writer(path: &Path) -> Result<Self, RegisterError> {
        let reader = Self::open_reader(path)?;
        Ok(Self { lock: Some(writer_lock(path)?), ..reader })
    }

    /// Opens a register for reading, beside a writer.
    pub fn open_reader(path: &Path) -> Result<Self, RegisterError> {
        let register = Self { path: path.to_owned(), lock: None, poisoned: false };
        register.load()?;
        Ok(register)
    }
}

impl Register for FileRegister {
    fn load(&self) -> Result<Option<Head>, RegisterError> {
        let len_max = (LINES_LEN_MAX + NOTE_BYTES_MAX) as u64;
        let damaged = |what| RegisterError::Damaged { path: self.path.clone(), what };
        let bytes = read_bounded(&self.path, len_max).map_err(|error| missing_or(error, &self.path))?;
        let head = decode(&bytes.ok_or_else(|| damaged("too long"))?).map_err(damaged)?;
        Ok(head.filter(|head| head.size > 0))
    }

    fn advance(&mut self, head: &Head) -> Result<(), RegisterError> {
        if self.poisoned {
            return Err(RegisterError::Poisoned);
        }
        if self.lock.is_none() {
            return Err(RegisterError::ReadOnly);
        }
        // Read again each time: the file lies apart, and whatever was done to it since is worth knowing before it is replaced.
        if !is_ahead(head, self.load()?.as_ref())? {
            return Ok(());
        }
        self.poisoned = true;
        replace(&self.path, &encode(head))?;
        self.poisoned = false;
        Ok(())
    }
}

/// Whether `head` is further than `have`; an error if it is behind, or beside it.
pub(crate) fn is_ahead(head: &Head, have: Option<&Head>) -> Result<bool, RegisterError> {
    if head.note.is_empty() || head.note.len() > NOTE_BYTES_MAX {
        return Err(RegisterError::Note(head.note.len()));
    }
    let size = have.map_or(0, |have| have.size);
    match have {
        Some(have) if have == head => Ok(false),
        Some(have) if have.size == head.size => Err(RegisterError::OtherHead(size)),
        _ if head.size <= size => Err(RegisterError::WouldGoBack { have: size, asked: head.size }),
        _ => Ok(true),
    }
}

fn writer_lock(path: &Path) -> Result<File, RegisterError> {
    let lock_path = beside(path, ".lock");
    lock(&lock_path)?.ok_or(RegisterError::Locked(lock_path))
}

fn missing_or(error: FileError, path: &Path) -> RegisterError {
    if error.is_missing() { RegisterError::Missing(path.to_owned()) } else { error.into() }
}

fn checksum(head: &Head) -> String {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    hasher.update(&head.size.to_be_bytes());
    hasher.update(&head.note);
    hasher.finalize().to_hex().to_string()
}

fn encode(head: &Head) -> Vec<u8> {
    let mut bytes = format!("{TAG}\n{}\n{}\n", head.size, checksum(head)).into_bytes();
    bytes.extend_from_slice(&head.note);
    bytes
}

fn decode(bytes: &[u8]) -> Result<Option<Head>, &'static str> {
    let mut parts = bytes.splitn(4, |byte| *byte == b'\n');
    let mut line = || parts.next().and_then(|line| std::str::from_utf8(line).ok());
    if line() != Some(TAG) {
        return Err("not a head register of this version");
    }
    let size = line().and_then(|size| size.parse().ok()).ok_or("no size")?;
    line().ok_or("no checksum")?;
    let head = Head { size, note: parts.next().ok_or("no note")?.to_vec() };
    // One form only: what was read must be what would be written.
    if encode(&head) != bytes {
        return Err("checksum does not match");
    }
    match (head.size, head.note.is_empty()) {
        (0, true) => Ok(None),
        (1.., false) => Ok(Some(head)),
        _ => Err("size without a note, or a note without a size"),
    }
}
