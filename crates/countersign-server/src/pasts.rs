//! What was known then, kept between the pages of an answer: making it anew reads the entries after a snapshot of the ledger's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use countersign_api::problem::Kind;
use countersign_ledger::Notice;
use countersign_ledger::query::{Past, Recollection, ViewError};

use crate::answer::Failure;
use crate::app::App;
use crate::limits::{PAST_KEPT_FOR, PAST_RETRY, PASTS_KEPT};

/// What was known at the sizes that were asked for last.
#[derive(Default)]
pub struct Pasts {
    kept: Mutex<Vec<Kept>>,
    /// Whoever makes one. It takes a processor and a half, and as much memory as the ledger's own facts.
    making: Arc<tokio::sync::Mutex<()>>,
    /// How often all were forgotten.
    forgotten: AtomicU64,
    /// Entries read for the one that is being made, and entries there are to read.
    done: AtomicU64,
    of: AtomicU64,
}

struct Kept {
    past: Arc<Past>,
    used: Instant,
}

impl Pasts {
    fn all(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, size: u64) -> Option<Arc<Past>> {
        self.all().iter_mut().find(|kept| kept.past.size() == size).map(|kept| {
            kept.used = Instant::now();
            Arc::clone(&kept.past)
        })
    }

    /// Makes one and keeps it, in the place of the one that nobody asked of for longest. Blocks.
    fn make(&self, recollection: Recollection, since: u64) -> Result<Arc<Past>, Failure> {
        let mut all = self.all();
        // Before, and not when it is made: that would be one more in memory.
        while all.len() >= PASTS_KEPT {
            let oldest = all.iter().enumerate().min_by_key(|(_, kept)| kept.used).map_or(0, |(place, _)| place);
            drop(all.remove(oldest));
        }
        drop(all);
        let past = recollection.run(&mut |notice| match notice {
            Notice::Doing { done, of, .. } => {
                self.done.store(done, Ordering::Relaxed);
                self.of.store(of, Ordering::Relaxed);
            }
            Notice::Anew(why) => tracing::warn!(target: "ledger", "a question as of then: {why}"),
        });
        self.of.store(0, Ordering::Relaxed);
        let past = Arc::new(past?);
        let mut all = self.all();
        if self.forgotten.load(Ordering::SeqCst) != since {
            // It may know what was erased meanwhile.
            return Err(Failure::from(Kind::Overloaded).retry_after(PAST_RETRY));
        }
        all.push(Kept { past: Arc::clone(&past), used: Instant::now() });
        drop(all);
        Ok(past)
    }

    /// Forgets all of them: the ledger was opened again, which it is when something was erased.
    pub fn forget(&self) {
        let mut all = self.all();
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        all.clear();
    }

    /// Forgets those that nobody asked of for a while.
    pub fn sweep(&self) {
        self.all().retain(|kept| kept.used.elapsed() < PAST_KEPT_FOR);
    }

    /// What is said to whoever does not wait any longer.
    fn being_read(&self) -> Failure {
        let (done, of) = (self.done.load(Ordering::Relaxed), self.of.load(Ordering::Relaxed));
        let how_far = if of == 0 { String::new() } else { format!(", {done} of {of} so far") };
        let said = Kind::Overloaded.problem().saying(format!("What was known then is being read from the entries{how_far}. Ask again."));
        Failure::from(said).retry_after(PAST_RETRY)
    }
}

impl App {
    /// What was known at a size that is not the newest. One is made at a time, and goes on being made where a request is over.
    ///
    /// # Errors
    /// [`Kind::Overloaded`] where it takes so long that the answer would be late; as [`App::look`] where the ledger cannot be asked.
    pub(crate) async fn past(&self, size: u64) -> Result<Arc<Past>, Failure> {
        if let Some(past) = self.pasts.find(size) {
            return Ok(past);
        }
        let made = async {
            let turn = Arc::clone(&self.pasts.making).lock_owned().await;
            if let Some(past) = self.pasts.find(size) {
                return Ok(past);
            }
            let (pasts, since) = (Arc::clone(&self.pasts), self.pasts.forgotten.load(Ordering::SeqCst));
            let recollection = self.look(move |ledger| ledger.recollection(size).map_err(of_view)).await?;
            let making = tokio::task::spawn_blocking(move || {
                let made = pasts.make(recollection, since);
                drop(turn);
                made
            });
            making.await.map_err(|_| Failure::from(Kind::Internal))?
        };
        // What is left is for the answer itself.
        let patience = self.config.limits.request().mul_f64(0.75);
        tokio::time::timeout(patience, made).await.unwrap_or_else(|_| Err(self.pasts.being_read()))
    }
}

/// Why there is no view, as a problem.
pub(crate) fn of_view(e: ViewError) -> Failure {
    match e {
        ViewError::Beyond { .. } => Kind::NotFound.problem().saying("The ledger does not go so far.").into(),
        ViewError::Open(e) => e.into(),
    }
}
