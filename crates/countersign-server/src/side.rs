//! A handle of its own on the ledger, opened for reading: for questions as of an older size, which read every entry up to it, and for the time a commit
//! has not come through. Opening it takes as long as a start; it is kept until something newer is asked for.

use std::sync::{Arc, Mutex, PoisonError};

use countersign_api::problem::Kind;
use countersign_ledger::{Access, DirectoryError, Ledger};

use crate::answer::Failure;

/// How the ledger is opened once more.
pub type Open = Arc<dyn Fn(Access) -> Result<Ledger, DirectoryError> + Send + Sync>;

/// The handle.
#[derive(Clone)]
pub struct Side {
    open: Open,
    kept: Arc<Mutex<Option<Ledger>>>,
}

impl Side {
    /// Not open yet.
    pub fn new(open: Open) -> Self {
        Self { open, kept: Arc::new(Mutex::new(None)) }
    }

    /// Looks at the ledger as it was opened last, or opens it again where it has fewer than `size` entries; 0 wants the newest there is. One looks at a
    /// time. Blocks.
    ///
    /// # Errors
    /// The ledger does not open, or as the look says.
    pub fn read<T>(&self, size: u64, look: impl FnOnce(&Ledger) -> T) -> Result<T, Failure> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = |ledger: &Ledger| size > 0 && ledger.size() >= size;
        if !kept.as_ref().is_some_and(enough) {
            *kept = None;
            *kept = Some(self.fresh()?);
        }
        kept.as_ref().map(look).ok_or_else(|| Kind::Internal.into())
    }

    /// A handle of one's own, for what takes so long that nobody is to wait for it. Blocks.
    ///
    /// # Errors
    /// The ledger does not open.
    pub fn fresh(&self) -> Result<Ledger, Failure> {
        (self.open)(Access::Read).map_err(|e| {
            tracing::error!(target: "ledger", "cannot be opened for reading: {e}");
            Failure::from(Kind::Internal)
        })
    }
}
