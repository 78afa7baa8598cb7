//! Wiring: a ledger and a configuration in, a running service out.

use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use countersign_api::marking;
use countersign_api::roles::Roles;
use countersign_ledger::{Clock, Ledger, OpenError};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::answer::{Highest, highest_of};
use crate::app::{App, Shared};
use crate::append::InFlight;
use crate::config::Config;
use crate::cursor::Cursors;
use crate::doctor::{self, Health};
use crate::door::Door;
use crate::exports::Exports;
use crate::imports::Imports;
use crate::limits::GOODBYE;
use crate::listen::Threads;
use crate::metrics::Metrics;
use crate::oidc::{KeysError, Providers};
use crate::publish::{Board, publish, publish_all};
use crate::rate::Rates;
use crate::reads::{Reads, record_all};
use crate::room::{Room, watch_room};
use crate::side::{Open, Side};
use crate::tls::{Keeper, TlsError};
use crate::webhook::{WebhookError, deliver_all, receivers};
use crate::who::Known;
use crate::{door, listen, local, ops, routes};

/// Where exports are made in the ledger's directory.
const EXPORTS: &str = "serve-exports";
/// Where it is kept in the ledger's directory how far webhooks were told.
const WEBHOOKS: &str = "serve-webhooks";
/// How often certificates and revocation lists are read again.
const REFRESH: Duration = Duration::from_secs(30);

/// What a service is made of.
pub struct Service {
    /// The ledger, opened to write.
    pub ledger: Ledger,
    /// How it is opened once more: for reading beside the writer, and to write after a commit that failed.
    pub reopen: Open,
    /// The clock.
    pub clock: Box<dyn Clock>,
    /// The configuration.
    pub config: Config,
    /// The ledger's directory, for the command line's socket; none where the ledger is in no directory.
    pub dir: Option<PathBuf>,
}

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Certificates, keys, revocation lists.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Whose tokens are taken.
    #[error(transparent)]
    Oidc(#[from] KeysError),
    /// Who is told of what is recorded.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// An address, a thread, randomness.
    #[error("{what}: {source}")]
    Io {
        /// What was wanted.
        what: String,
        /// The operating system's error.
        source: io::Error,
    },
    /// The ledger cannot be read.
    #[error("the ledger cannot be read: {0}")]
    Ledger(#[from] OpenError),
    /// The table of roles this program was built with does not read, or lacks a route.
    #[error("{0}: this is a bug, please report it")]
    Bug(String),
}

fn on(what: impl Into<String>) -> impl FnOnce(io::Error) -> ServeError {
    let what = what.into();
    move |source| ServeError::Io { what, source }
}

/// A service that runs. Dropping it stops it.
pub struct Running {
    /// What everything but connections runs on, and what those do.
    parts: Option<(Runtime, Vec<Runtime>, Shared)>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    reading: Option<JoinHandle<()>>,
    address: SocketAddr,
    operations: SocketAddr,
}

impl Service {
    /// Starts it. Returns when it listens.
    ///
    /// # Errors
    /// As [`ServeError`] says; nothing listens then.
    pub fn start(self) -> Result<Running, ServeError> {
        let roles = Roles::built_in().map_err(ServeError::Bug)?;
        let all = routes::all();
        if let Some((method, route)) = all.listed().iter().find(|(method, route)| roles.find(method, route).is_none()) {
            return Err(ServeError::Bug(format!("{method} {route} has no line in the table of roles")));
        }
        for found in doctor::keys(&self.config).into_iter().filter(|found| found.health != Health::Ok) {
            tracing::warn!(target: "serve", "{}", found.text);
        }
        // A page of two megabytes is cleared while everybody waits for the few bytes that are needed of it: without them answers come a twentieth
        // sooner (docs/performance.md). Where the kernel has none there are none to do without.
        #[cfg(target_os = "linux")]
        rustix::thread::disable_transparent_huge_pages(true).unwrap_or_default();
        let keeper = Arc::new(Keeper::start(self.config.tls.clone())?);
        let threads = |name: &str| Builder::new_multi_thread().worker_threads(1).enable_all().thread_name(name).build();
        let runtime = threads("service").map_err(on("threads"))?;
        let serving = (0..std::thread::available_parallelism().map_or(1, NonZero::get)).map(|_| threads("serve"));
        let serving: Vec<Runtime> = serving.collect::<Result<_, _>>().map_err(on("threads"))?;
        let bind = |address: SocketAddr| runtime.block_on(TcpListener::bind(address)).map_err(on(format!("listening on {address}")));
        let (listener, operations) = (bind(self.config.listen.address)?, bind(self.config.listen.operations)?);
        let addresses = (listener.local_addr().map_err(on("listening"))?, operations.local_addr().map_err(on("listening"))?);
        let socket = match &self.dir {
            Some(dir) => {
                let entered = runtime.enter();
                let bound = local::bind(dir).map_err(on(format!("{}", dir.join(local::SOCKET).display())))?;
                drop(entered);
                Some((bound, dir.clone()))
            }
            None => None,
        };
        let (stop, stopping) = watch::channel(false);
        let (reads, waiting) = Reads::new();
        let providers = Arc::new(Providers::new(&self.config.oidc)?);
        let kept = self.config.exports.clone().or_else(|| Some(self.dir.as_ref()?.join(EXPORTS)));
        let kept = kept.unwrap_or_else(|| std::env::temp_dir().join(format!("countersign-{EXPORTS}-{}", addresses.0.port())));
        let exports = Exports::new(kept.clone()).map_err(on(format!("{}", kept.display())))?;
        let told = self.config.webhook_state.clone().or_else(|| Some(self.dir.as_ref()?.join(WEBHOOKS)));
        let told = match (told, self.config.webhook.is_empty()) {
            (Some(dir), _) => receivers(&self.config.webhook, &dir, &roles)?,
            (None, true) => Vec::new(),
            (None, false) => return Err(ServeError::Bug("webhooks have no directory to be kept in".into())),
        };
        let origin = self.ledger.origin().to_owned();
        let highest = highest_of(&self.ledger, &self.config.marking)?;
        if highest != self.config.marking {
            let (is, said) = (marking::banner(&highest), marking::banner(&self.config.marking));
            tracing::warn!(target: "serve", "the store holds {is}, and its configuration says {said}: answers are marked by what it holds");
        }
        let room = Room::new(self.dir, self.config.limits.disk_free_mib_min);
        let door = Door::new(self.ledger, Arc::clone(&self.reopen), room).map_err(on("the writing thread"))?;
        let app: Shared = Arc::new(App {
            origin,
            roles,
            door: Arc::new(door),
            side: Side::new(self.reopen),
            pasts: Arc::default(),
            known: Arc::new(Known::default()),
            in_flight: InFlight::default(),
            streamed: Arc::default(),
            rates: Rates::default(),
            reads,
            metrics: Metrics::default(),
            looks: App::looks(),
            asides: App::asides(),
            cursors: Cursors::new().map_err(|e| on("randomness")(io::Error::other(e)))?,
            marked: Arc::new(Highest::new(highest)),
            cose: Mutex::default(),
            cose_turn: Arc::new(Semaphore::new(1)),
            providers: Arc::clone(&providers),
            imports: Imports::default(),
            files: App::files(),
            exports,
            scim: tokio::sync::Mutex::default(),
            board: Board::default(),
            clock: self.clock,
            config: self.config,
            stopping: stopping.clone(),
        });
        if let Some(how) = app.config.publish
            && runtime.block_on(publish(&app, how.size_multiple)).is_err()
        {
            tracing::warn!(target: "publish", "no checkpoint is published yet: nothing can be recorded now");
        }
        let front = all.front(&app).map_err(ServeError::Bug)?;
        let mut tasks = vec![
            runtime.spawn(listen::over_tls(listener, Threads::of(&serving), front, Arc::clone(&app), Arc::clone(&keeper))),
            runtime.spawn(listen::plainly(operations, ops::router(Arc::clone(&app)), stopping.clone())),
            runtime.spawn(refresh(Arc::clone(&app), keeper, stopping.clone())),
            runtime.spawn(ask_again(providers, stopping)),
            runtime.spawn(door::mend_all(Arc::clone(&app))),
            runtime.spawn(watch_room(Arc::clone(&app))),
            runtime.spawn(publish_all(Arc::clone(&app))),
        ];
        tasks.extend(told.into_iter().map(|receiver| runtime.spawn(deliver_all(Arc::clone(&app), receiver))));
        if let Some((socket, dir)) = socket {
            tasks.push(runtime.spawn(local::serve(socket, Arc::clone(&app), dir)));
        }
        let reading = runtime.spawn(record_all(Arc::clone(&app), waiting));
        tracing::info!(target: "serve", address = %addresses.0, operations = %addresses.1, "listening");
        Ok(Running {
            parts: Some((runtime, serving, app)),
            stop,
            tasks,
            reading: Some(reading),
            address: addresses.0,
            operations: addresses.1,
        })
    }
}

/// Reads certificates and revocation lists again, and removes what was kept long enough.
async fn refresh(app: Shared, keeper: Arc<Keeper>, mut stopping: watch::Receiver<bool>) {
    while still(&mut stopping).await {
        let (app, keeper) = (Arc::clone(&app), Arc::clone(&keeper));
        let again = move || {
            keeper.refresh();
            app.exports.sweep();
            app.imports.sweep();
            app.pasts.sweep();
        };
        drop(tokio::task::spawn_blocking(again).await);
    }
}

/// Asks providers for their keys again, which takes as long as they do.
async fn ask_again(providers: Arc<Providers>, mut stopping: watch::Receiver<bool>) {
    loop {
        providers.refresh_all().await;
        if !still(&mut stopping).await {
            return;
        }
    }
}

/// Waits; whether the service still runs then.
async fn still(stopping: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        _ = stopping.wait_for(|stop| *stop) => false,
        () = tokio::time::sleep(REFRESH) => true,
    }
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where health and metrics are.
    pub fn operations(&self) -> SocketAddr {
        self.operations
    }

    /// Waits until the process is asked to stop (SIGTERM, SIGINT).
    ///
    /// # Errors
    /// The operating system does not tell of signals.
    pub fn wait_for_signal(&self) -> io::Result<()> {
        let Some((runtime, ..)) = &self.parts else { return Ok(()) };
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            Ok(())
        })
    }

    /// Takes nothing new, finishes what is in hand, the commit too.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some((runtime, serving, app)) = self.parts.take() else { return };
        tracing::info!(target: "serve", "stopping");
        self.stop.send(true).unwrap_or(());
        let (tasks, reading) = (std::mem::take(&mut self.tasks), self.reading.take());
        runtime.block_on(async {
            // Most bound themselves; a publication waits for a key that is away.
            let all = async {
                for task in tasks {
                    task.await.unwrap_or(());
                }
            };
            if tokio::time::timeout(2 * GOODBYE, all).await.is_err() {
                tracing::warn!(target: "serve", "not everything came to its end");
            }
            // Nobody asks any more, so what waits is all there is.
            app.reads.close();
            if let Some(reading) = reading {
                match tokio::time::timeout(GOODBYE, reading).await {
                    Ok(ended) => ended.unwrap_or(()),
                    Err(_) => tracing::warn!(target: "serve", "questions are left that are not recorded"),
                }
            }
        });
        // Most have nothing left to do; all together have so long.
        let until = Instant::now() + GOODBYE;
        for runtime in serving.into_iter().chain([runtime]) {
            runtime.shutdown_timeout(until.saturating_duration_since(Instant::now()));
        }
        // Whoever is left on a thread that blocks, such as an export, holds the app and no longer the writer.
        app.door.stop();
        tracing::info!(target: "serve", "stopped");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
