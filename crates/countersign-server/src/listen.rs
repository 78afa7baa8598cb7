//! Sockets: accepting, shaking hands, serving HTTP/1.1, and an end that finishes what is in hand.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use crate::app::Shared;
use crate::front::Front;
use crate::limits::{CONNECTIONS_TOGETHER, FAREWELL, GOODBYE, HANDSHAKE, HEAD_BYTES_MAX, HEADERS_MAX, OPERATIONS_MAX, OPERATIONS_PATIENCE};
use crate::tls::{Card, Keeper};
use crate::who::Shown;

/// The threads that serve connections. A connection stays on the one it was put on, and as long as there are few connections all are on the first:
/// two threads wake one another, and what both touch goes from cache to cache between them (docs/performance.md).
pub struct Threads(Vec<Thread>);

struct Thread {
    runtime: Handle,
    /// Held by each of its connections.
    open: Arc<()>,
}

impl Threads {
    /// On these runtimes, of one thread each.
    pub fn of(runtimes: &[Runtime]) -> Self {
        Self(runtimes.iter().map(|runtime| Thread { runtime: runtime.handle().clone(), open: Arc::default() }).collect())
    }

    /// Where the next connection goes: to the first that has room, and where all are full, to the one with the fewest.
    fn next(&self) -> Option<&Thread> {
        let open = |thread: &&Thread| Arc::strong_count(&thread.open);
        self.0.iter().find(|thread| open(thread) <= CONNECTIONS_TOGETHER).or_else(|| self.0.iter().min_by_key(open))
    }
}

/// Serves until the app stops.
pub async fn over_tls(listener: TcpListener, threads: Threads, front: Front, app: Shared, keeper: Arc<Keeper>) {
    let places = Arc::new(Semaphore::new(app.config.limits.connections_max));
    let mut stopping = app.stopping.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let Some(stream) = accepted_or_pause(accepted.map(|(stream, _)| stream)).await else { continue };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            app.metrics.connection_refused();
            continue;
        };
        let (front, app, keeper) = (front.clone(), Arc::clone(&app), Arc::clone(&keeper));
        let (Some(thread), Ok(stream)) = (threads.next(), stream.into_std()) else {
            app.metrics.connection_refused();
            continue;
        };
        let open = Arc::clone(&thread.open);
        thread.runtime.spawn(async move {
            app.metrics.connection(1);
            if let Some((stream, shown)) = shake_hands(stream, &keeper).await {
                serve(stream, front, &app, shown).await;
            } else {
                app.metrics.handshake_failed();
            }
            app.metrics.connection(-1);
            drop((place, open));
        });
    }
    drop(listener);
    // Each connection sees that the service stops; this waits until they are gone or out of time.
    let all = u32::try_from(app.config.limits.connections_max).unwrap_or(u32::MAX);
    drop(tokio::time::timeout(GOODBYE, places.acquire_many(all)).await);
}

/// Serves what is for the machine alone, without TLS: one request a connection, few at once and none that takes long. Whoever watches asks again.
pub async fn plainly(listener: TcpListener, router: axum::Router, mut stopping: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(OPERATIONS_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let Some(stream) = accepted_or_pause(accepted.map(|(stream, _)| stream)).await else { continue };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let router = router.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| router.clone().call(request.map(Body::new)));
            let served = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service);
            drop(tokio::time::timeout(OPERATIONS_PATIENCE, served).await);
            drop(place);
        });
    }
    drop(listener);
    // Half a request is not waited for.
    drop(tokio::time::timeout(FAREWELL, places.acquire_many(u32::try_from(OPERATIONS_MAX).unwrap_or(u32::MAX))).await);
}

/// What an accept gave. Out of file descriptors is no reason to stop, nor to spin.
pub async fn accepted_or_pause<T>(accepted: io::Result<T>) -> Option<T> {
    match accepted {
        Ok(stream) => Some(stream),
        Err(e) => {
            tracing::warn!(target: "listen", "cannot accept: {}", e.kind());
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

async fn shake_hands(stream: std::net::TcpStream, keeper: &Arc<Keeper>) -> Option<(tokio_rustls::server::TlsStream<TcpStream>, Shown)> {
    // Here, so that its thread is the one that is told of what comes.
    let stream = TcpStream::from_std(stream).ok()?;
    stream.set_nodelay(true).ok()?;
    let config = match keeper.current() {
        Ok(config) => config,
        Err(why) => {
            tracing::error!(target: "tls", "nobody is let in: {why}");
            return None;
        }
    };
    let stream = tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await.ok()?.ok()?;
    let card = stream.get_ref().1.peer_certificates().and_then(|chain| Card::of(chain, keeper));
    let shown = card.map_or(Shown::Nothing, Shown::Certificate);
    Some((stream, shown))
}

/// One connection, of whoever shows this.
async fn serve<S>(stream: S, front: Front, app: &Shared, shown: Shown)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let front = Arc::new((front, Arc::new(shown)));
    let service = service_fn(move |request: Request<Incoming>| {
        let front = Arc::clone(&front);
        Box::pin(async move { Ok::<_, Infallible>(front.0.answer(&front.1, request.map(Body::new)).await) })
    });
    let mut http = http1::Builder::new();
    // Whoever stopped sending may still listen, and what they asked is recorded either way; and a buffer that nobody waits to read into is used again.
    http.half_close(true);
    http.timer(TokioTimer::new()).header_read_timeout(app.config.limits.head()).max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
    let mut stream = TimeoutStream::new(stream);
    // Who does not take what they asked for is not waited for.
    stream.set_write_timeout(Some(app.config.limits.request()));
    let mut connection = http.serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut stopping = app.stopping.clone();
    // What ends a connection early is the client's affair; what it asked has its own line in the log.
    let mut ended = tokio::select! {
        _ = poll_fn(|cx| connection.poll_without_shutdown(cx)) => true,
        _ = stopping.wait_for(|stop| *stop) => false,
        () = tokio::time::sleep(app.config.limits.connection()) => false,
    };
    if !ended {
        Pin::new(&mut connection).graceful_shutdown();
        // What is in hand comes to its end: a stream of lines lasts as long as lines come.
        ended = tokio::select! {
            _ = poll_fn(|cx| connection.poll_without_shutdown(cx)) => true,
            _ = stopping.wait_for(|stop| *stop) => false,
        };
    }
    if !ended {
        let rest = poll_fn(|cx| connection.poll_without_shutdown(cx));
        drop(tokio::time::timeout(GOODBYE.max(app.config.limits.request()), rest).await);
    }
    // However it ended, TLS says goodbye: else a client cannot tell an end from a cut.
    let mut stream = connection.into_parts().io.into_inner();
    drop(tokio::time::timeout(FAREWELL, stream.shutdown()).await);
}
