//! The static export: exactly the files of ledger-format section 6 for the newest checkpoint's size.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use countersign_entry::leaf::{Kind, Leaf};
use countersign_log::tile::{self, Width};
use countersign_log::tree::{self, TreeSize};

use crate::open::{Ledger, OpenError};

/// Whether sealed records go along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planes {
    /// Leaves, tiles, checkpoint, key events: says nothing about people, models or issuers.
    Public,
    /// Sealed records too.
    Both,
}

/// Why an export was not written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] OpenError),
    /// A file could not be written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// An entry does not fit its bundle; a ledger that opened has none such.
    #[error("bundle {0}: {1}")]
    Bundle(u64, String),
    /// The target exists.
    #[error("{0} exists already: an export is written to a new directory")]
    Exists(PathBuf),
}

/// Writes an export to a new directory. `progress` hears entries done. Returns the number of files.
///
/// # Errors
/// As [`ExportError`] says; what was written until then stays, and has no `checkpoint`, which comes last.
pub fn export(ledger: &Ledger, to: &Path, planes: Planes, progress: &mut dyn FnMut(u64)) -> Result<u64, ExportError> {
    if to.exists() {
        return Err(ExportError::Exists(to.to_owned()));
    }
    let head = ledger.head()?;
    let size = TreeSize(head.size);
    let mut out = Out { to, files: 0 };
    let widths: BTreeMap<u64, Width> = tile::bundles(size).collect();
    let mut bundle = Bundle::default();
    let mut failed = None;
    ledger
        .store
        .scan(0, &mut |index, leaf, sealed| {
            bundle.take(leaf, sealed);
            let number = index / u64::from(Width::FULL.count());
            let full = widths.get(&number).is_some_and(|w| usize::from(w.count()) == bundle.leaves.len());
            let done = out.control(index, leaf, sealed).and_then(|()| match widths.get(&number) {
                Some(width) if full => {
                    progress(index + 1);
                    std::mem::take(&mut bundle).write(&mut out, number, *width, planes)
                }
                _ => Ok(()),
            });
            match done {
                Ok(()) => ControlFlow::Continue(()),
                Err(e) => {
                    failed = Some(e);
                    ControlFlow::Break(())
                }
            }
        })
        .map_err(OpenError::from)?;
    if let Some(e) = failed {
        return Err(e);
    }
    // The lowest level was written from the leaves: the tree forgets them with time.
    for (level, index, width) in tile::hash_tiles(size).filter(|(level, ..)| *level > 0) {
        let bytes = tile::hash_tile(&ledger.state.tree, level, index, width);
        let bytes = bytes.ok_or_else(|| ExportError::Bundle(index, "the tree lacks a tile".into()))?;
        out.write(&tile::tile_path(level, index, width), &bytes)?;
    }
    out.write(&format!("checkpoints/{}", head.size), &head.note)?;
    out.write("checkpoint", &head.note)?;
    Ok(out.files)
}

#[derive(Default)]
struct Bundle {
    leaves: Vec<Vec<u8>>,
    sealed: Vec<Vec<u8>>,
}

impl Bundle {
    fn take(&mut self, leaf: &[u8], sealed: &[u8]) {
        self.leaves.push(leaf.to_vec());
        self.sealed.push(sealed.to_vec());
    }

    fn write(self, out: &mut Out<'_>, number: u64, width: Width, planes: Planes) -> Result<(), ExportError> {
        let bad = |e: tile::BundleEncodeError| ExportError::Bundle(number, e.to_string());
        out.write(&tile::entries_path(number, width), &tile::encode_entries(&self.leaves).map_err(bad)?)?;
        let hashes: Vec<u8> = self.leaves.iter().flat_map(|leaf| tree::leaf_hash(leaf).0).collect();
        out.write(&tile::tile_path(0, number, width), &hashes)?;
        if planes == Planes::Both {
            out.write(&tile::sealed_path(number, width), &tile::encode_sealed(&self.sealed).map_err(bad)?)?;
        }
        Ok(())
    }
}

struct Out<'a> {
    to: &'a Path,
    files: u64,
}

impl Out<'_> {
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let path = self.to.join(path);
        let failed = |source| ExportError::File { path: path.clone(), source };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        fs::write(&path, bytes).map_err(failed)?;
        self.files += 1;
        Ok(())
    }

    /// Genesis and key events stand apart too, so that a public verifier can walk the keys.
    fn control(&mut self, index: u64, leaf: &[u8], sealed: &[u8]) -> Result<(), ExportError> {
        match Leaf::decode(leaf).map(|l| l.kind) {
            Ok(Kind::Genesis | Kind::KeyEvent) => self.write(&format!("control/{index}"), sealed),
            _ => Ok(()),
        }
    }
}
