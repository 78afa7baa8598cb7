//! `countersign demo DIR`: a believable ledger in one command. Real issuers, model releases and exposures; invented people; a clock that the
//! script turns, so that windows around the releases are open while it runs.

mod cards;
mod cast;
mod data;
mod filings;
mod stage;
mod story;

use std::io::Write;
use std::path::Path;

/// The demo could not go on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct DemoError(pub(crate) String);

macro_rules! from_errors {
    ($($t:ty),*) => { $(impl From<$t> for DemoError { fn from(e: $t) -> Self { DemoError(e.to_string()) } })* };
}

from_errors!(
    std::io::Error,
    countersign_ledger::AppendError,
    countersign_ledger::DirectoryError,
    countersign_ledger::OpenError,
    countersign_ledger::export::ExportError,
    countersign_entry::ids::IdError,
    getrandom::Error
);

/// Plays the demo into a new directory and tells it on `out`.
///
/// # Errors
/// The directory exists, or something could not be written.
pub(crate) fn run(dir: &Path, out: &mut dyn Write) -> Result<(), DemoError> {
    story::tell(dir, out)
}
