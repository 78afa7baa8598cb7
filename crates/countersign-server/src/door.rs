//! The writer, and its ledger opened again after a commit that failed: a failed commit leaves the handle reading alone, since what it knows may run ahead
//! of what is stored; opened again, the ledger knows what was recorded, and a request repeated with its key gets its receipt.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use countersign_ledger::{Access, AppendError, Ledger, Reader, Receipt, Recorded, Request, Writer};

use crate::app::Shared;
use crate::limits::{MEND_MAX, MEND_MIN, TICK};
use crate::room::Room;
use crate::side::Open;

/// Why nothing can be recorded, in the words of `/readyz`.
pub const AGAIN: &str = "a commit failed, and the ledger is opened again";

/// A writer that is there, but for the while in which its ledger is opened again.
pub struct Door {
    open: Open,
    writer: RwLock<Option<Writer>>,
    /// Whether the ledger took entries when it was opened. One that did not is for somebody to look at; opening it again changes nothing.
    took: AtomicBool,
    /// How often the writer was put here or taken away.
    opened: AtomicU64,
    room: Room,
}

impl Door {
    /// For a ledger that is open.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn new(mut ledger: Ledger, open: Open, room: Room) -> std::io::Result<Self> {
        ledger.heed_room(room.low());
        let took = AtomicBool::new(takes(&ledger));
        Ok(Self { open, took, room, opened: AtomicU64::new(0), writer: RwLock::new(Some(Writer::start_ticking(ledger, TICK)?)) })
    }

    /// As [`Writer::submit_then`].
    ///
    /// # Errors
    /// As [`Writer::submit`]; [`AppendError::Unknown`] while the ledger is opened again.
    pub fn submit_then(
        &self,
        request: Request,
        reply: impl FnOnce(Result<Receipt, AppendError>) + Send + 'static,
    ) -> Result<(), AppendError> {
        self.writer(|writer| writer.submit_then(request, reply))
    }

    /// As [`Writer::submit_bare`].
    ///
    /// # Errors
    /// As [`Door::submit_then`].
    pub fn submit_bare(
        &self,
        request: Request,
        reply: impl FnOnce(Result<Recorded, AppendError>) + Send + 'static,
    ) -> Result<(), AppendError> {
        self.writer(|writer| writer.submit_bare(request, reply))
    }

    /// As [`Writer::with`].
    ///
    /// # Errors
    /// As [`Door::submit_then`].
    pub fn with(&self, work: impl FnOnce(&mut Ledger) + Send + 'static) -> Result<(), AppendError> {
        self.writer(|writer| writer.with(work))
    }

    /// As [`Reader::read`]: `None` also while the ledger is opened again.
    pub fn read<T>(&self, look: impl FnOnce(&Ledger) -> T) -> Option<T> {
        let reader = self.held().as_ref().map(Writer::reader);
        reader.and_then(|reader: Reader| reader.read(look))
    }

    /// The room on the ledger's disk.
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// How often the ledger was opened or closed here: one that was looked at before that says nothing of what is sealed after it.
    pub fn opened(&self) -> u64 {
        self.opened.load(Ordering::SeqCst)
    }

    /// Size, and in fixed words why nothing can be recorded, where that is so.
    pub fn standing(&self) -> (u64, Option<&'static str>) {
        // A defect may end the thread between two commits: nothing is wrong with the ledger then, and nobody writes.
        let alive = self.held().as_ref().is_some_and(Writer::is_alive);
        let looked = self.read(|ledger| {
            let why = match ledger.read_only() {
                _ if !alive => Some(AGAIN),
                None if self.room.is_low() => Some("there is hardly any room left on the disk"),
                None => None,
                Some(_) if ledger.key_is_away() => Some("the signing key is away"),
                // What the background replay objects to is for somebody to look at: opened again, the ledger would go on from the same snapshot.
                Some(_) if self.took.load(Ordering::SeqCst) && ledger.replay_status().is_none_or(|s| s.objection.is_none()) => Some(AGAIN),
                Some(_) => Some("the ledger is read-only"),
            };
            (ledger.size(), why)
        });
        looked.unwrap_or((0, Some(AGAIN)))
    }

    /// Opens the ledger again where a commit failed. Says whether it was opened; none where nothing is wrong. Blocks.
    pub fn mend(&self) -> Option<bool> {
        if self.standing().1 != Some(AGAIN) {
            return None;
        }
        let failed = self.writer.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(failed) = failed {
            self.opened.fetch_add(1, Ordering::SeqCst);
            // Closed before it is opened: there is one writer.
            drop(failed.stop());
        }
        let opened = (self.open)(Access::Write).map_err(|e| e.to_string()).and_then(|mut ledger| {
            ledger.heed_room(self.room.low());
            let took = takes(&ledger);
            Ok((took, Writer::start_ticking(ledger, TICK).map_err(|e| e.to_string())?))
        });
        match opened {
            Ok((took, writer)) => {
                self.took.store(took, Ordering::SeqCst);
                *self.writer.write().unwrap_or_else(PoisonError::into_inner) = Some(writer);
                self.opened.fetch_add(1, Ordering::SeqCst);
                tracing::warn!(target: "ledger", takes_entries = took, "a commit had failed; the ledger was opened again");
                Some(true)
            }
            Err(e) => {
                tracing::error!(target: "ledger", "a commit had failed, and the ledger cannot be opened again: {e}");
                Some(false)
            }
        }
    }

    /// Finishes what is queued and closes the ledger, for good where nobody mends any more. Blocks.
    pub fn stop(&self) {
        let writer = self.writer.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(writer.map(Writer::stop));
    }

    fn held(&self) -> std::sync::RwLockReadGuard<'_, Option<Writer>> {
        self.writer.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self, ask: impl FnOnce(&Writer) -> Result<(), AppendError>) -> Result<(), AppendError> {
        // What a commit that failed left staged may stand when it is open again, so that nobody can say now that something was not recorded.
        self.held().as_ref().map_or_else(|| Err(AppendError::Unknown(AGAIN.to_owned())), ask)
    }
}

fn takes(ledger: &Ledger) -> bool {
    ledger.read_only().is_none() || ledger.key_is_away()
}

/// Looks after the door until the service stops, ever more seldom while opening does not help.
pub async fn mend_all(app: Shared) {
    let (mut stopping, mut pause) = (app.stopping.clone(), MEND_MIN);
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(pause) => {}
        }
        let door = Arc::clone(&app.door);
        let mended = tokio::task::spawn_blocking(move || door.mend()).await.unwrap_or(Some(false));
        if mended == Some(true) {
            app.known.forget();
            app.pasts.forget();
        }
        pause = if mended.is_none() { MEND_MIN } else { Duration::min(pause.saturating_mul(2), MEND_MAX) };
    }
}
