//! Which version each part of a ledger's directory has, and the version this program writes.
//!
//! Entries are never rewritten: a change to them is a new version of the format, which stands in genesis. The other parts may be carried to a newer
//! form, and only forward; what a ledger can make anew is made anew.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::dir::{CONFIG, Directory, DirectoryError};

/// How much of a file says what it is.
const HEAD_BYTES: u64 = 4_096;

/// One part of a ledger's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub what: &'static str,
    /// Where.
    pub path: PathBuf,
    /// Its version; none where it is nothing this program knows.
    pub found: Option<u32>,
    /// The version this program writes.
    pub written: u32,
}

impl Part {
    /// Whether this program reads and writes it as it is.
    pub fn is_current(&self) -> bool {
        self.found == Some(self.written)
    }
}

/// What a part begins with, up to its version; the version written; its name.
const KINDS: [(&str, u32, &str); 11] = [
    ("# countersign ledger, version ", 1, "configuration"),
    ("countersign seg", 1, "segment"),
    // Two forms of one version: two slots, or one head that is too long for a slot.
    ("countersign register slot ", 1, "head register"),
    ("countersign register ", 1, "head register"),
    // And two of data keys: under a passphrase, and under a key in a token.
    ("countersign data keys 1", 1, "data keys"),
    ("countersign data keys 2", 1, "data keys in a token"),
    ("countersign software key ", 1, "signing key"),
    ("countersign token ", 1, "keys in a token"),
    ("countersign snapshot v", 1, "facts snapshot"),
    ("countersign run", 1, "index"),
    ("countersign backup ", 1, "backup"),
];

impl Directory {
    /// Every part there is, with its version.
    ///
    /// # Errors
    /// A file or folder that cannot be read.
    pub fn parts(&self) -> Result<Vec<Part>, DirectoryError> {
        let mut paths = vec![self.path().join(CONFIG), self.register().to_owned()];
        for folder in ["segments", "keys", "snapshots", "index"] {
            paths.extend(files(&self.path().join(folder))?);
        }
        paths.push(self.path().join("snapshot"));
        // A passphrase is a text, and what seals the index is random bytes: neither has a form of its own.
        let nameless = [self.path().join("keys/passphrase"), self.path().join("index/key")];
        paths.retain(|path| path.is_file() && !nameless.contains(path));
        paths.into_iter().map(part).collect()
    }
}

fn part(path: PathBuf) -> Result<Part, DirectoryError> {
    let failed = |source| DirectoryError::File { path: path.clone(), source };
    let mut head = Vec::new();
    File::open(&path).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head)).map_err(failed)?;
    // Key files are JSON; the form is their first text.
    let text: String = head.iter().map(|b| char::from(*b)).collect();
    let start = text.find("countersign ").map_or(text.as_str(), |at| text.get(at.saturating_sub(2)..).unwrap_or_default());
    let start = start.strip_prefix("# ").map_or_else(|| start.trim_start_matches(|c| c != 'c'), |_| start);
    let known = KINDS.iter().find_map(|(before, written, what)| {
        let rest = start.strip_prefix(before)?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        // A form whose whole name stands in the table has no digits left.
        let found = if digits.is_empty() { Some(*written) } else { digits.parse().ok() };
        Some(Part { what, path: path.clone(), found, written: *written })
    });
    Ok(known.unwrap_or(Part { what: "unknown", path, found: None, written: 0 }))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, DirectoryError> {
    let failed = |source| DirectoryError::File { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}
