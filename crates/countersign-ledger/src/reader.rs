//! Looking at a ledger that another thread writes: in between two commits, so that nothing is seen that is not sealed.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};

use crate::open::Ledger;

/// A way to look at what is committed. Any number of readers look at once; the next commit waits until they are done, so a look has to be short.
#[derive(Clone)]
pub struct Reader(Arc<Shared>);

impl Reader {
    pub(crate) fn of(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Looks at the ledger. `None` once the writer stopped.
    ///
    /// Between commits the ledger holds what is sealed, and no more, unless [`Ledger::key_is_away`] or a commit failed ([`Ledger::read_only`]): then
    /// what it knows may run ahead of what is signed.
    pub fn read<T>(&self, look: impl FnOnce(&Ledger) -> T) -> Option<T> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        let ledger = self.0.ledger.read();
        self.0.entered.fetch_add(1, Ordering::SeqCst);
        ledger.ok()?.as_ref().map(look)
    }
}

/// A ledger between the thread that writes and those that read.
pub(crate) struct Shared {
    ledger: RwLock<Option<Ledger>>,
    /// Readers that ever asked to come in.
    asked: AtomicU64,
    /// Those of them that did.
    entered: AtomicU64,
    /// Requests in the queue.
    waiting: AtomicUsize,
}

impl Shared {
    pub(crate) fn new(ledger: Ledger) -> Self {
        let (asked, entered) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { ledger: RwLock::new(Some(ledger)), asked, entered, waiting: AtomicUsize::new(0) }
    }

    /// Requests in the queue, but for those that come or are taken at this moment.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(crate) fn comes(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn taken(&self, count: usize) {
        self.waiting.fetch_sub(count, Ordering::Relaxed);
    }

    /// Whether somebody waits to read.
    pub(crate) fn is_wanted(&self) -> bool {
        self.entered.load(Ordering::SeqCst) < self.asked.load(Ordering::SeqCst)
    }

    /// The ledger to oneself. Whoever asked to read before comes first: one commit after another would otherwise keep them out for ever, as one
    /// reader after another would keep out the writer, were those that come later let in too.
    pub(crate) fn write<T>(&self, change: impl FnOnce(&mut Ledger) -> T) -> Option<T> {
        let asked = self.asked.load(Ordering::SeqCst);
        while self.entered.load(Ordering::SeqCst) < asked {
            std::thread::yield_now();
        }
        self.ledger.write().ok()?.as_mut().map(change)
    }

    /// Ends the sharing.
    pub(crate) fn take(&self) -> Option<Ledger> {
        self.ledger.write().ok()?.take()
    }
}
