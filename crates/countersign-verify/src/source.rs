//! Where a ledger's bytes come from. The library reads through [`Source`] alone and never opens a file itself.

/// One file: its path with `/` between the parts, relative to the ledger's root, and its length in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Relative path.
    pub path: String,
    /// Bytes.
    pub len: u64,
}

/// A file that could not be listed or read. Never evidence of tampering in itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct SourceError {
    /// Which file or folder.
    pub path: String,
    /// What the system said.
    pub reason: String,
}

/// The files of one ledger. `Sync`, because files are read on one thread while another looks at what they hold.
pub trait Source: Sync {
    /// Every file there is, in any order.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    fn files(&self) -> Result<Vec<FileEntry>, SourceError>;

    /// The whole of one file.
    ///
    /// # Errors
    /// A file that is not there or cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError>;
}

/// How far the re-hashing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Entries done.
    pub entries: u64,
    /// Entries in all, as the checkpoint says; 0 where that is not known yet.
    pub of: u64,
}

/// Where something stands: a file and an offset in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    pub file: &'a str,
    pub offset: u64,
}

impl Source for std::collections::BTreeMap<String, Vec<u8>> {
    fn files(&self) -> Result<Vec<FileEntry>, SourceError> {
        Ok(self.iter().map(|(path, bytes)| FileEntry { path: path.clone(), len: bytes.len() as u64 }).collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        self.get(path).cloned().ok_or_else(|| SourceError { path: path.to_owned(), reason: "no such file".to_owned() })
    }
}
