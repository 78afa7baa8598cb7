//! The one thread that speaks to a module, so that a call that never comes back costs a thread and not the program.
//!
//! A thread that hangs is abandoned: nobody waits for it, and when its call does come back it ends. Another takes its place, a few times over.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cryptoki::context::Pkcs11;

use super::TokenError;
use super::connection::{Climb, Connection};

/// Threads that may hang in one module before no more are spent on it.
const HUNG_MAX: usize = 3;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A module of this process. PKCS#11 knows one initialisation for each process, so there is one of these for each path.
pub(crate) struct Module {
    path: PathBuf,
    thread: Mutex<Option<Thread>>,
    shared: Arc<Shared>,
}

/// What the threads of a module have in common.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) library: Mutex<Option<Pkcs11>>,
    /// Threads that hang in a call.
    pub(crate) hung: AtomicUsize,
    pub(crate) climb: Mutex<Option<Climb>>,
}

#[derive(Clone)]
struct Thread {
    jobs: Sender<Job>,
    progress: Arc<Progress>,
}

/// What a thread is at, and since when.
#[derive(Default)]
pub(crate) struct Progress {
    step: Mutex<Option<(Instant, String)>>,
    abandoned: AtomicBool,
}

static MODULES: Mutex<BTreeMap<PathBuf, Arc<Module>>> = Mutex::new(BTreeMap::new());

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Module {
    /// The module of this path.
    pub(crate) fn at(path: &Path) -> Arc<Self> {
        let made = || Arc::new(Self { path: path.to_owned(), thread: Mutex::new(None), shared: Arc::default() });
        lock(&MODULES).entry(path.to_owned()).or_insert_with(made).clone()
    }

    /// Has the thread do a job. No step of it may take longer than `step_max`.
    pub(crate) fn run<T, F>(&self, step_max: Duration, job: F) -> Result<T, TokenError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, TokenError> + Send + 'static,
    {
        let thread = self.thread()?;
        let (reply, answer) = sync_channel(1);
        // A panic in the wrapper, say. The next caller gets a new thread.
        let ended = || {
            self.forget(&thread);
            TokenError::Away("the thread that speaks to the PKCS#11 module ended".into())
        };
        // Whoever asked may have given up by the time there is an answer.
        thread.jobs.send(Box::new(move |connection| drop(reply.send(job(connection))))).map_err(|_| ended())?;
        loop {
            let (left, doing) = thread.progress.left(step_max);
            match answer.recv_timeout(left) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Disconnected) => return Err(ended()),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => {
                    self.abandon(&thread);
                    return Err(TokenError::Hung { doing, seconds: step_max.as_secs(), more: None });
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    pub(crate) fn last_climb(&self) -> Option<Climb> {
        lock(&self.shared.climb).clone()
    }

    fn thread(&self) -> Result<Thread, TokenError> {
        let mut slot = lock(&self.thread);
        if let Some(thread) = slot.as_ref().filter(|t| !t.progress.ended()) {
            return Ok(thread.clone());
        }
        let hung = self.shared.hung.load(Ordering::SeqCst);
        if hung >= HUNG_MAX {
            return Err(TokenError::Hung { doing: "a call".into(), seconds: super::STEP_MAX.as_secs(), more: Some(hung - 1) });
        }
        let (jobs, queue) = channel();
        let progress = Arc::new(Progress::default());
        let mut connection = Connection::new(self.path.clone(), self.shared.clone(), progress.clone());
        let started = std::thread::Builder::new().name("pkcs11".into()).spawn(move || work(&mut connection, &queue));
        started.map_err(|e| TokenError::Away(format!("no thread for the PKCS#11 module: {e}")))?;
        Ok(slot.insert(Thread { jobs, progress }).clone())
    }

    fn forget(&self, thread: &Thread) {
        let mut slot = lock(&self.thread);
        if slot.as_ref().is_some_and(|t| Arc::ptr_eq(&t.progress, &thread.progress)) {
            *slot = None;
        }
    }

    fn abandon(&self, thread: &Thread) {
        // Two callers may have waited for the same thread.
        if !thread.progress.abandoned.swap(true, Ordering::SeqCst) {
            self.shared.hung.fetch_add(1, Ordering::SeqCst);
        }
        self.forget(thread);
    }
}

fn work(connection: &mut Connection, queue: &Receiver<Job>) {
    let progress = connection.progress();
    let shared = connection.shared();
    while let Ok(job) = queue.recv() {
        progress.at("a job");
        job(connection);
        *lock(&progress.step) = None;
        if progress.ended() {
            // It did come back. What waits behind it was given up by whoever asked.
            shared.hung.fetch_sub(1, Ordering::SeqCst);
            return;
        }
    }
}

impl Progress {
    /// A new step begins, with a deadline of its own.
    pub(crate) fn at(&self, doing: &str) {
        *lock(&self.step) = Some((Instant::now(), doing.to_owned()));
    }

    /// Whether nobody waits for this thread any more.
    pub(crate) fn ended(&self) -> bool {
        self.abandoned.load(Ordering::SeqCst)
    }

    fn left(&self, step_max: Duration) -> (Duration, String) {
        match &*lock(&self.step) {
            Some((since, doing)) => (step_max.saturating_sub(since.elapsed()), doing.clone()),
            None => (step_max, String::new()),
        }
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Module({})", self.path.display())
    }
}
