//! Exports, evidence bundles and reports that are made for somebody, each one zip archive, behind the service. One is made at a time, few are
//! kept, for a while, in a directory of their own that a start empties.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use countersign_api::marking::{banner, told};
use countersign_api::problem::Kind;
use countersign_api::view::Eyes;
use countersign_entry::ids::PrincipalId;
use countersign_entry::record::Marking;
use countersign_ledger::Ledger;
use countersign_ledger::export::{ExportError, Planes, export};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::answer::Failure;
use crate::bundle;
use crate::limits::{ENTRY_BYTES, EXPORT_LEFT_BYTES, EXPORTS_KEPT, KEPT_FOR};
use crate::report::{self, Report, ReportError};

/// How far an export is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// So many entries are written.
    Making(u64),
    /// It can be had.
    Ready(Made),
    /// It came to nothing.
    Failed,
    /// It was asked for, and is kept no longer or went with a service that stopped.
    Gone,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Entries in it.
    pub size: u64,
    /// The root over them.
    pub root: String,
    /// Bytes of the archive.
    pub bytes: u64,
    /// SHA-256 of the archive.
    pub sha256: String,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// The static files.
    Export(Planes),
    /// An evidence bundle of these entries, as far as these roles may see them.
    Bundle(Vec<u64>, Eyes),
    /// A report.
    Report(Report),
}

struct Kept {
    owner: PrincipalId,
    wanted: Wanted,
    state: State,
    since: Instant,
}

/// All that are kept.
pub struct Exports {
    dir: PathBuf,
    all: Mutex<BTreeMap<String, Kept>>,
    /// One at a time: it reads every entry.
    pub(crate) turn: Arc<tokio::sync::Semaphore>,
    /// Readers of archives at once.
    pub(crate) downloads: Arc<tokio::sync::Semaphore>,
}

impl Exports {
    /// In a directory, which is emptied.
    ///
    /// # Errors
    /// It cannot be.
    pub fn new(dir: PathBuf) -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        match fs::remove_dir_all(&dir) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        fs::DirBuilder::new().mode(0o700).create(&dir)?;
        let (turn, downloads) = (Arc::new(tokio::sync::Semaphore::new(1)), Arc::new(tokio::sync::Semaphore::new(4)));
        Ok(Self { dir, all: Mutex::default(), turn, downloads })
    }

    /// Begins one, for whoever has the turn: others make room for it.
    pub fn begin(&self, id: &str, owner: &PrincipalId, wanted: Wanted) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let leaving = leaving(&all);
        self.remove(&mut all, leaving);
        all.insert(id.to_owned(), Kept { owner: owner.clone(), wanted, state: State::Making(0), since: Instant::now() });
    }

    /// Removes what was kept long enough. Evidence lies in the clear in these archives.
    pub fn sweep(&self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let over = over(&all);
        self.remove(&mut all, over);
    }

    fn remove(&self, all: &mut BTreeMap<String, Kept>, ids: Vec<String>) {
        for id in ids {
            all.remove(&id);
            // What is being read goes on to be read: the file has no name any more, that is all.
            fs::remove_file(self.archive(&id)).unwrap_or(());
        }
    }

    /// Whether one of so many entries has room beside those that stay: twice what it takes, for the files and then the archive, and something for the
    /// ledger to go on. Nothing is thrown away for it yet.
    ///
    /// # Errors
    /// [`Kind::DiskLow`].
    pub fn has_room(&self, entries: u64) -> Result<(), Failure> {
        let free = crate::room::free(&self.dir).map_err(|_| Kind::Internal)?;
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = |id| if let Some(State::Ready(made)) = all.get(id).map(|k: &Kept| &k.state) { made.bytes } else { 0 };
        let freed: u64 = leaving(&all).iter().map(bytes).sum();
        let needed = entries.saturating_mul(2 * ENTRY_BYTES).saturating_add(EXPORT_LEFT_BYTES);
        if free.saturating_add(freed) < needed { Err(Kind::DiskLow.into()) } else { Ok(()) }
    }

    /// How far one is, and of what; for others than its owner it is not there.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub fn find(&self, owner: &PrincipalId, id: &str) -> Result<(Wanted, State), Failure> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.get(id).filter(|kept| kept.owner == *owner);
        own.map(|kept| (kept.wanted.clone(), kept.state.clone())).ok_or_else(|| Kind::NotFound.into())
    }

    /// All of somebody's own: which, of what, how far.
    pub fn of(&self, owner: &PrincipalId) -> Vec<(String, Wanted, State)> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.iter().filter(|(_, kept)| kept.owner == *owner);
        own.map(|(id, kept)| (id.clone(), kept.wanted.clone(), kept.state.clone())).collect()
    }

    /// Says how far one is.
    pub fn set(&self, id: &str, state: State) {
        if let Some(kept) = self.all.lock().unwrap_or_else(PoisonError::into_inner).get_mut(id) {
            kept.state = state;
            kept.since = Instant::now();
        }
    }

    /// Opens the archive of one that is ready.
    ///
    /// # Errors
    /// It is gone.
    pub fn open(&self, id: &str) -> io::Result<File> {
        File::open(self.archive(id))
    }

    fn archive(&self, id: &str) -> PathBuf {
        self.dir.join(format!("{id}.zip"))
    }

    /// Makes it. `marked` is the marking of all that is in it. Blocks, for as long as reading every entry takes.
    ///
    /// # Errors
    /// The ledger cannot be read, or the files cannot be written.
    pub fn make(&self, id: &str, ledger: &Ledger, wanted: &Wanted, marked: &Marking) -> Result<Made, ReportError> {
        let files = self.dir.join(id);
        let mut progress = |entries| self.set(id, State::Making(entries));
        let done = match wanted {
            Wanted::Export(planes) => export(ledger, &files, *planes, &mut progress).map_err(ReportError::from).and_then(|_| {
                let text = marking(ledger, *planes, &banner(marked));
                [("MARKING.txt", text), (MARKING_FILE, fields(marked))].into_iter().try_for_each(|(name, text)| {
                    let path = files.join(name);
                    fs::write(&path, text).map_err(|source| ExportError::File { path, source }.into())
                })
            }),
            Wanted::Bundle(entries, eyes) => bundle::write(ledger, &files, entries, eyes, marked, &mut progress).map_err(ReportError::from),
            Wanted::Report(of) => report::write(ledger, &files, of, marked),
        };
        let made = done.and_then(|()| {
            let path = self.archive(id);
            let failed = |source| ExportError::File { path: path.clone(), source };
            let bytes = pack(&files, &path).map_err(failed)?;
            let sha256 = digest(&path).map_err(failed)?;
            Ok::<_, ReportError>(Made { size: ledger.size(), root: ledger.root().to_string(), bytes, sha256 })
        });
        fs::remove_dir_all(&files).unwrap_or(());
        if made.is_err() {
            fs::remove_file(self.archive(id)).unwrap_or(());
        }
        made
    }
}

/// File of an archive with its marking as fields.
pub const MARKING_FILE: &str = "marking.json";

/// What stands in [`MARKING_FILE`].
pub(crate) fn fields(marked: &Marking) -> String {
    format!("{:#}\n", told(marked, true))
}

/// Those that were kept long enough since they are done.
fn over(all: &BTreeMap<String, Kept>) -> Vec<String> {
    let over = |k: &Kept| !matches!(k.state, State::Making(_)) && k.since.elapsed() >= KEPT_FOR;
    all.iter().filter(|(_, k)| over(k)).map(|(id, _)| id.clone()).collect()
}

/// Those that make room for one more: whatever was kept long enough, and where there are as many as may be the first of whoever keeps most. None of them
/// is being made, since one is made at a time.
fn leaving(all: &BTreeMap<String, Kept>) -> Vec<String> {
    let mut gone = over(all);
    let stay = || all.iter().filter(|(id, _)| !gone.contains(id));
    if stay().count() >= EXPORTS_KEPT {
        let of = |owner: &PrincipalId| stay().filter(|(_, k)| k.owner == *owner).count();
        let first = stay().max_by_key(|(_, k)| (of(&k.owner), k.since.elapsed())).map(|(id, _)| id.clone());
        gone.extend(first);
    }
    gone
}

fn marking(ledger: &Ledger, planes: Planes, banner: &str) -> String {
    let what = match planes {
        Planes::Public => "Leaves, tiles, checkpoints and key events. Nothing in it says anything of people, models or issuers.",
        Planes::Both => "The whole ledger; what is sealed in it opens with its data keys alone.",
    };
    format!(
        "{banner}\n\n{what}\n{} entries, root {}\nCheck it anywhere: countersign verify DIR --vkey {}\n\n{banner}\n",
        ledger.size(),
        ledger.root(),
        ledger.vkey()
    )
}

/// Packs every file of a directory, in the order of their names and without their times, so that the same ledger gives the same archive.
///
/// # Errors
/// A file cannot be read, or the archive not be written; it must not be there.
pub fn pack(from: &Path, to: &Path) -> io::Result<u64> {
    let mut zip = ZipWriter::new(io::BufWriter::new(File::create_new(to)?));
    // What is sealed does not get shorter.
    let how = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).last_modified_time(zip::DateTime::default());
    for name in files(from)? {
        zip.start_file(name.as_str(), how)?;
        io::copy(&mut File::open(from.join(&name))?, &mut zip)?;
    }
    let file = zip.finish()?.into_inner().map_err(|e| e.into_error())?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

/// Every file of a directory and below it, in the order of their names.
pub(crate) fn files(of: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    walk(of, of, &mut names)?;
    names.sort();
    Ok(names)
}

fn walk(root: &Path, dir: &Path, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(root, &path, names)?;
        } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            names.push(name.to_owned());
        }
    }
    Ok(())
}

fn digest(path: &Path) -> io::Result<String> {
    use sha2::Digest as _;
    let mut hash = sha2::Sha256::new();
    let (mut file, mut buffer) = (File::open(path)?, vec![0; 1 << 16]);
    loop {
        let read = io::Read::read(&mut file, &mut buffer)?;
        if read == 0 {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(buffer.get(..read).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn room_is_made_by_whoever_keeps_most_and_by_what_is_over() {
        let now = Instant::now();
        let kept = |owner: &str, age: u64, state| Kept {
            owner: owner.parse().unwrap(),
            wanted: Wanted::Export(Planes::Public),
            state,
            since: now.checked_sub(Duration::from_secs(age)).unwrap(),
        };
        let all = |kept: Vec<Kept>| -> BTreeMap<String, Kept> { kept.into_iter().enumerate().map(|(n, k)| (n.to_string(), k)).collect() };
        let full = || vec![kept("pr-first", 9, State::Failed), kept("pr-other", 3, State::Failed), kept("pr-other", 2, State::Failed)];
        assert_eq!(EXPORTS_KEPT, full().len());
        assert_eq!(leaving(&all(full())), ["1"], "the first of the two of one owner, although another's is older");
        let mut over = full();
        over.push(kept("pr-other", KEPT_FOR.as_secs() + 1, State::Gone));
        assert_eq!(leaving(&all(over)), ["3", "1"]);
        let made = kept("pr-first", KEPT_FOR.as_secs() + 1, State::Making(7));
        assert_eq!(leaving(&all(vec![made])), Vec::<String>::new(), "what takes long is not over");
    }
}
