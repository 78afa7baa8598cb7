//! A sealed record in the place of the first one, after a redaction: put by in `DIR/rewrites/<index>.record` until the redaction is committed, then
//! written into its segment, which is made anew beside the old one and renamed over it.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use countersign_log::segment::{self, RewriteError, SEALED_BYTES_MAX};

use crate::content::Loaded;
use crate::files::{make_directory, on, read_bounded, replace, sync_directory};
use crate::segments::{SegmentStore, damaged};
use crate::{Rewrite, Store as _, StoreError};

const SUFFIX: &str = ".record";

impl SegmentStore {
    fn rewrites_dir(&self) -> PathBuf {
        self.dir.join("rewrites")
    }

    fn rewrite_path(&self, target: u64) -> PathBuf {
        self.rewrites_dir().join(format!("{target:016x}{SUFFIX}"))
    }

    /// First index of the segment that holds the target, and its bytes with the other record. Zeros ahead and a torn tail are left out.
    fn rewritten(&self, rewrite: &Rewrite) -> Result<(u64, Vec<u8>), StoreError> {
        let content = self.writable()?;
        if content.position.staged_size.is_some() {
            return Err(StoreError::AlreadyStaged(content.position.size));
        }
        content.position.may_read(rewrite.target)?;
        let missing = StoreError::NotSealed { index: rewrite.target, size: content.position.size };
        let first = content.find(rewrite.target).ok_or(missing)?.first_index;
        let (path, newest) = (self.segment_path(first), content.newest_first() == Some(first));
        let too_long = || damaged(&path, 0, "longer than any segment".into());
        let mut bytes = read_bounded(&path, segment::SEGMENT_BYTES_MAX)?.ok_or_else(too_long)?;
        if newest {
            bytes.truncate(usize::try_from(content.end).unwrap_or(usize::MAX));
        }
        let anew = segment::rewrite(&bytes, first, rewrite.target, &rewrite.sealed).map_err(|error| match error {
            RewriteError::Read(fault) => damaged(&path, 0, fault.to_string()),
            RewriteError::Encode(error) => error.into(),
        })?;
        // Nothing takes the place of a segment that could not be read again.
        Loaded::read(&anew, first, newest).map_err(|(offset, what)| damaged(&path, offset, what))?;
        Ok((first, anew))
    }

    pub(crate) fn put_by(&mut self, rewrite: &Rewrite) -> Result<(), StoreError> {
        self.rewritten(rewrite)?;
        let dir = self.rewrites_dir();
        match make_directory(&dir) {
            Err(error) if error.source.kind() == ErrorKind::AlreadyExists => {}
            made => {
                made?;
                sync_directory(&self.dir)?;
            }
        }
        Ok(replace(&self.rewrite_path(rewrite.target), &rewrite.sealed)?)
    }

    pub(crate) fn list_put_by(&self) -> Result<Vec<Rewrite>, StoreError> {
        let dir = self.rewrites_dir();
        let entries = match std::fs::read_dir(&dir) {
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(on("list", &dir))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(on("list", &dir))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(SUFFIX));
            let Some(target) = name.and_then(|hex| u64::from_str_radix(hex, 16).ok()) else { continue };
            let sealed = read_bounded(&path, SEALED_BYTES_MAX as u64)?;
            found.push(Rewrite { target, sealed: sealed.ok_or_else(|| damaged(&path, 0, "longer than any record".into()))? });
        }
        found.sort_by_key(|rewrite| rewrite.target);
        Ok(found)
    }

    pub(crate) fn put_in_place(&mut self, target: u64) -> Result<(), StoreError> {
        let found = self.list_put_by()?.into_iter().find(|rewrite| rewrite.target == target);
        let Some(rewrite) = found else { return Err(StoreError::NoRewrite(target)) };
        let (first, anew) = self.rewritten(&rewrite)?;
        let content = self.content()?;
        let size = content.position.size;
        let segment = content.find(target).ok_or(StoreError::NotRecovered)?;
        let place = self.table(segment)?.place(target - first).copied().ok_or(StoreError::NotRecovered)?;
        let path = self.segment_path(first);
        let old = OpenOptions::new().write(true).open(&path).map_err(on("open", &path))?;
        self.poisoned = true;
        self.ahead.finish();
        replace(&path, &anew)?;
        // The old file has no name any more; what was redacted is taken out of its blocks as far as a file system lets us.
        blank(&old, place.sealed()).map_err(on("write", &path))?;
        self.poisoned = false;
        self.recover(size)?;
        self.forget_put_by(target)
    }

    pub(crate) fn forget_put_by(&mut self, target: u64) -> Result<(), StoreError> {
        let path = self.rewrite_path(target);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() == ErrorKind::NotFound => Ok(()),
            removed => {
                removed.map_err(on("remove", &path))?;
                Ok(sync_directory(&self.rewrites_dir())?)
            }
        }
    }
}

fn blank(file: &File, range: std::ops::Range<u64>) -> std::io::Result<()> {
    let zeros = vec![0; usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0)];
    file.write_all_at(&zeros, range.start)?;
    file.sync_data()
}
