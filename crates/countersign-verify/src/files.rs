//! The one module of this crate that touches the file system: a folder as a [`Source`]. The rest of the library is pure.

use std::fs;
use std::path::{Path, PathBuf};

use crate::source::{FileEntry, Source, SourceError};

/// A folder on disk, read only. Symbolic links are followed for files and never for folders, so that a listing always ends.
#[derive(Debug, Clone)]
pub struct DirSource {
    root: PathBuf,
}

impl DirSource {
    /// The folder that holds `checkpoint` (an export) or `segments/` (a data directory).
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn list(&self, folder: &Path, prefix: &str, out: &mut Vec<FileEntry>) -> Result<(), SourceError> {
        let failed = |e: std::io::Error| SourceError { path: folder.display().to_string(), reason: e.to_string() };
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type().map_err(failed)?.is_dir() {
                self.list(&entry.path(), &format!("{path}/"), out)?;
            } else {
                let len = fs::metadata(entry.path()).map_or(0, |m| m.len());
                out.push(FileEntry { path, len });
            }
        }
        Ok(())
    }
}

impl Source for DirSource {
    fn files(&self) -> Result<Vec<FileEntry>, SourceError> {
        let mut out = Vec::new();
        self.list(&self.root, "", &mut out)?;
        Ok(out)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        fs::read(self.root.join(path)).map_err(|e| SourceError { path: path.to_owned(), reason: e.to_string() })
    }
}
