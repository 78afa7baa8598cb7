//! Files that were sent to be imported: what each would do was told, and whether it is recorded is still to be said. They are kept in memory, few of
//! them, for a while, and within a number of bytes: what people hold is written nowhere but into the ledger. A service that starts again knows none, and
//! a file may always be sent again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use countersign_api::problem::Kind;
use countersign_entry::ids::{Date, PrincipalId};
use countersign_import::mapping::Mapping;
use countersign_intake::source::Source;

use crate::answer::Failure;
use crate::limits::{IMPORT_BYTES_KEPT, IMPORTS_KEPT, IMPORTS_KEPT_OF_ONE, KEPT_FOR};

/// A file, and how it is to be read.
pub struct File {
    /// What it is.
    pub source: Source,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Who the filers are: CSV.
    pub people: Vec<u8>,
    /// Which column is which.
    pub mapping: Option<Mapping>,
    /// Which sheet.
    pub sheet: Option<String>,
    /// The day it came in.
    pub received_on: Date,
}

/// How far it is.
#[derive(Clone)]
pub enum State {
    /// Nothing is recorded.
    Preview,
    /// It is being recorded.
    Recording,
    /// It is recorded; as the answer says it.
    Ended(Arc<[u8]>),
}

/// A file that was sent.
#[derive(Clone)]
pub struct Import {
    /// The file.
    pub file: Arc<File>,
    /// What was told of it: names what whoever commits has looked at.
    pub digest: String,
    /// Whether it was imported before.
    pub before: bool,
    /// The answer to it, as JSON: as a tree of values it would take many times as much.
    pub report: Arc<[u8]>,
    /// Rows that were put aside, as a file.
    pub quarantine: Arc<Vec<u8>>,
    /// How far it is.
    pub state: State,
}

impl Import {
    /// Bytes it takes.
    fn bytes(&self) -> usize {
        let ended = if let State::Ended(told) = &self.state { told.len() } else { 0 };
        self.file.bytes.len() + self.file.people.len() + self.report.len() + self.quarantine.len() + ended
    }
}

struct Kept {
    owner: PrincipalId,
    import: Import,
    since: Instant,
}

/// All that are kept.
#[derive(Default)]
pub struct Imports(Mutex<BTreeMap<String, Kept>>);

impl Imports {
    /// Keeps one under a new name.
    ///
    /// # Errors
    /// Too many are kept, of all or of one, or too much of them; or there is no randomness.
    pub fn keep(&self, owner: &PrincipalId, import: Import) -> Result<String, Failure> {
        let id = random()?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sweep(&mut all);
        let own = all.values().filter(|kept| kept.owner == *owner).count();
        if own >= IMPORTS_KEPT_OF_ONE {
            // Whoever sends one more has done with the first that nobody works on.
            let oldest =
                all.iter().filter(|(_, k)| k.owner == *owner && !matches!(k.import.state, State::Recording)).min_by_key(|(_, k)| k.since);
            let oldest = oldest.map(|(id, _)| id.clone()).ok_or_else(|| Failure::from(Kind::RateLimited).retry_after(5))?;
            all.remove(&oldest);
        }
        let kept: usize = all.values().map(|kept| kept.import.bytes()).sum();
        if all.len() >= IMPORTS_KEPT || kept.saturating_add(import.bytes()) > IMPORT_BYTES_KEPT {
            return Err(Failure::from(Kind::Overloaded).retry_after(60));
        }
        all.insert(id.clone(), Kept { owner: owner.clone(), import, since: Instant::now() });
        Ok(id)
    }

    /// Forgets what was kept long enough.
    pub fn sweep(&self) {
        sweep(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// One of somebody's own; for everybody else it is not there.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub fn find(&self, owner: &PrincipalId, id: &str) -> Result<Import, Failure> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.get(id).filter(|kept| kept.owner == *owner);
        own.map(|kept| kept.import.clone()).ok_or_else(|| Kind::NotFound.into())
    }

    /// All of somebody's own.
    pub fn of(&self, owner: &PrincipalId) -> Vec<(String, Import)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|(_, kept)| kept.owner == *owner).map(|(id, kept)| (id.clone(), kept.import.clone())).collect()
    }

    /// Says how far one is. Only one can begin to record.
    ///
    /// # Errors
    /// [`Kind::KeyInUse`] where it is being recorded already.
    pub fn set(&self, id: &str, state: State) -> Result<(), Failure> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = all.get_mut(id) else { return Err(Kind::NotFound.into()) };
        if matches!((&kept.import.state, &state), (State::Recording, State::Recording)) {
            return Err(Failure::from(Kind::KeyInUse).retry_after(1));
        }
        kept.import.state = state;
        Ok(())
    }
}

fn sweep(all: &mut BTreeMap<String, Kept>) {
    all.retain(|_, kept| kept.since.elapsed() < KEPT_FOR || matches!(kept.import.state, State::Recording));
}

/// A name that nobody guesses.
///
/// # Errors
/// The operating system has no randomness.
pub(crate) fn random() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Failure::from(Kind::Internal))?;
    Ok(hex::encode(bytes))
}
