//! A handle of its own on the ledger, opened for reading: for files that are held against it row by row, for archives, and for the time a commit has not
//! come through. Opening it takes as long as a start; it is kept until something newer is asked for. Any number look through it at once; one
//! opens it.

use std::sync::{Arc, Mutex, PoisonError};

use countersign_api::problem::Kind;
use countersign_ledger::{Access, DirectoryError, Ledger};

use crate::answer::Failure;

/// How the ledger is opened once more.
pub type Open = Arc<dyn Fn(Access) -> Result<Ledger, DirectoryError> + Send + Sync>;

/// A time in which what the running ledger knows may run ahead of what is sealed. What is sealed does not change while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// How often the running ledger was opened or closed before.
    pub opened: u64,
    /// Its size, with what waits to be sealed, and whether that waits for the key; none while it is closed.
    pub stands: Option<(u64, bool)>,
}

/// The handle.
#[derive(Clone)]
pub struct Side {
    open: Open,
    kept: Arc<Mutex<Option<Kept>>>,
}

struct Kept {
    ledger: Arc<Ledger>,
    /// The outage it was opened in.
    outage: Option<Outage>,
}

impl Side {
    /// Not open yet.
    pub fn new(open: Open) -> Self {
        Self { open, kept: Arc::new(Mutex::new(None)) }
    }

    /// The ledger as it was opened last, or opened again where it has fewer than `size` entries. Blocks.
    ///
    /// # Errors
    /// The ledger does not open.
    pub fn of_size(&self, size: u64) -> Result<Arc<Ledger>, Failure> {
        self.kept_or_opened(None, |kept| kept.ledger.size() >= size)
    }

    /// What is sealed while an outage lasts. Blocks.
    ///
    /// # Errors
    /// The ledger does not open.
    pub fn during(&self, outage: Outage) -> Result<Arc<Ledger>, Failure> {
        // One that was opened after it had more to read, not less.
        self.kept_or_opened(Some(outage), |kept| kept.outage.is_some_and(|of| of == outage || of.opened > outage.opened))
    }

    fn kept_or_opened(&self, outage: Option<Outage>, will_do: impl FnOnce(&Kept) -> bool) -> Result<Arc<Ledger>, Failure> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_ref().filter(|kept| will_do(kept)) {
            return Ok(Arc::clone(&kept.ledger));
        }
        // Two indexes take twice the memory; whoever still looks through the one before keeps it that long.
        *kept = None;
        let ledger = Arc::new(self.fresh()?);
        *kept = Some(Kept { ledger: Arc::clone(&ledger), outage });
        Ok(ledger)
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
