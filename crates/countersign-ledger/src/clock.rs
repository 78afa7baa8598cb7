//! What time it is. The only clock of the ledger.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign_entry::time::Micros;

/// A source of time.
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> Micros;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Micros {
        // Before 1970 or past 9999 reads as 1970: behind every entry, so the ledger stops and says so.
        let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_micros()).unwrap_or(0));
        Micros::new(micros).unwrap_or(Micros::EPOCH)
    }
}
