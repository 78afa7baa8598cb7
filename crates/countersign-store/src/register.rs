//! The head register in a file of its own, best on another file system than the store.
//!
//! The file's bytes are `countersign-log`'s, since a verifier reads them too.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use countersign_log::register;
use countersign_log::segment::NOTE_BYTES_MAX;

use crate::files::{beside, lock, on, read_bounded, replace};
use crate::{FileError, Head, Register, RegisterError};

/// A head register in one file of two slots, written in turn, each advance one write and one `fdatasync`; a head too long for a slot replaces
/// the file as a whole. Durable as [`Register`] says; one writer, held off by a lock file beside it.
#[derive(Debug)]
pub struct FileRegister {
    path: PathBuf,
    lock: Option<File>,
    poisoned: bool,
    given_up: Option<Head>,
}

impl FileRegister {
    /// Makes an empty register. Refuses if anything is there; for `init` alone.
    pub fn create(path: &Path) -> Result<Self, RegisterError> {
        if path.symlink_metadata().is_ok() {
            return Err(RegisterError::AlreadyExists(path.to_owned()));
        }
        let lock = writer_lock(path)?;
        replace(path, &register::encode_file(0, &[]))?;
        Ok(Self { path: path.to_owned(), lock: Some(lock), poisoned: false, given_up: None })
    }

    /// Opens a register for writing, alone.
    pub fn open_writer(path: &Path) -> Result<Self, RegisterError> {
        let reader = Self::open_reader(path)?;
        Ok(Self { lock: Some(writer_lock(path)?), ..reader })
    }

    /// Opens a register for reading, beside a writer.
    pub fn open_reader(path: &Path) -> Result<Self, RegisterError> {
        let register = Self { path: path.to_owned(), lock: None, poisoned: false, given_up: None };
        register.load()?;
        Ok(register)
    }
}

impl FileRegister {
    fn read(&self) -> Result<Vec<u8>, RegisterError> {
        let bytes = read_bounded(&self.path, register::FILE_BYTES_MAX as u64).map_err(|error| missing_or(error, &self.path))?;
        bytes.ok_or_else(|| self.damaged("too long"))
    }

    fn damaged(&self, what: &'static str) -> RegisterError {
        RegisterError::Damaged { path: self.path.clone(), what }
    }

    fn write(&self, before: &[u8], head: &Head) -> Result<(), FileError> {
        match (register::decode_slots(before), register::encode_slot(head.size, &head.note)) {
            (Ok((slot, _)), Some(bytes)) => {
                let file = OpenOptions::new().write(true).open(&self.path).map_err(on("open", &self.path))?;
                file.write_all_at(&bytes, slot * register::SLOT_BYTES as u64).map_err(on("write", &self.path))?;
                file.sync_data().map_err(on("sync", &self.path))
            }
            _ => replace(&self.path, &register::encode_file(head.size, &head.note)),
        }
    }
}

impl Register for FileRegister {
    fn load(&self) -> Result<Option<Head>, RegisterError> {
        let bytes = self.read()?;
        let head = register::decode(&bytes).map_err(|what| self.damaged(what))?;
        Ok(head.map(|(size, note)| Head { size, note: note.to_vec() }))
    }

    fn advance(&mut self, head: &Head) -> Result<(), RegisterError> {
        if self.poisoned {
            return Err(RegisterError::Poisoned);
        }
        if self.lock.is_none() {
            return Err(RegisterError::ReadOnly);
        }
        // Read again each time: the file lies apart, and whatever was done to it since is worth knowing before it is replaced.
        let before = self.read()?;
        let have = register::decode(&before).map_err(|what| self.damaged(what))?.map(|(size, note)| Head { size, note: note.to_vec() });
        let given_up = have.is_some() && have == self.given_up;
        if !is_ahead(head, have.as_ref().filter(|_| !given_up))? {
            return Ok(());
        }
        self.poisoned = true;
        if given_up {
            // As a whole: of two slots the greater size would count.
            replace(&self.path, &register::encode_file(head.size, &head.note))?;
            self.given_up = None;
        } else {
            self.write(&before, head)?;
        }
        self.poisoned = false;
        Ok(())
    }

    fn give_up(&mut self, lost: &Head) {
        self.given_up = Some(lost.clone());
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
