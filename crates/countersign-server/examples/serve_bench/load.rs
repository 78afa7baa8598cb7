//! Single accesses and streams of them, as fast as answers come, and the echo they stand beside.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use countersign_entry::time::Micros;
use countersign_server::config::Tls;
use countersign_server::tls::Keeper;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::client::{self, Client};

pub const ACCESSES: &str = "/api/v1/accesses";

/// What the result of a line says that was recorded.
const RECORDED: &[u8] = b"\"recorded\":true";

/// Each request is one that was never made before.
static NEXT: AtomicU64 = AtomicU64::new(0);
/// The grant that accesses are made under, and when they happen.
pub static UNDER: OnceLock<(u64, Micros)> = OnceLock::new();

fn event(n: u64) -> String {
    let mut event = String::with_capacity(512);
    write_event(&mut event, n);
    event
}

/// Into what the lines of a stream share: whoever sends them shares the cores with whoever records them.
fn write_event(to: &mut String, n: u64) {
    let (grant, at) = UNDER.get().unwrap();
    let written = write!(
        to,
        r#"{{"person":"P-ada1","submission":"S-0001","grant":{grant},"action":"query","occurred_at":"{at}","artefact":"endpoint/chat","result":"success","source":"gateway-1","source_id":"evt-{n:020}","session":"sess-42","marking":"cui","information_owner":"developer"}}"#
    );
    written.unwrap();
}

/// What came of a load.
pub struct Measured {
    /// Acknowledged, a second.
    pub rate: f64,
    /// Answered 503 or 429.
    pub refused: usize,
    pub p50: Duration,
    pub p99: Duration,
    /// Bytes of the last body.
    pub length: usize,
}

pub async fn load(client: &Client, path: &'static str, connections: usize, seconds: u64) -> Measured {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(client.connect().await);
    }
    let until = Instant::now() + Duration::from_secs(seconds);
    let tasks: Vec<_> = open
        .into_iter()
        .map(|mut connection| {
            tokio::spawn(async move {
                let (mut took, mut length, mut refused) = (Vec::new(), 0, 0);
                while Instant::now() < until {
                    let n = NEXT.fetch_add(1, Ordering::Relaxed);
                    let request = client::post(path, &format!("bench-key-{n:020}"), &event(n));
                    let began = Instant::now();
                    match connection.ask(&request).await {
                        (200 | 201, bytes) => {
                            took.push(began.elapsed());
                            length = bytes;
                        }
                        (429 | 503, _) => refused += 1,
                        (status, _) => panic!("{status}: {}", String::from_utf8_lossy(&connection.answer)),
                    }
                }
                (took, length, refused)
            })
        })
        .collect();
    let (mut all, mut length, mut refused) = (Vec::new(), 0, 0);
    for task in tasks {
        let (took, bytes, no) = task.await.unwrap();
        all.extend(took);
        length = length.max(bytes);
        refused += no;
    }
    all.sort_unstable();
    let at = |share: f64| all[((all.len() - 1) as f64 * share) as usize];
    Measured { rate: all.len() as f64 / seconds as f64, refused, p50: at(0.5), p99: at(0.99), length }
}

pub async fn stream(client: &Client, events: u64) -> f64 {
    let (mut reader, mut writer) = tokio::io::split(client.stream().await.unwrap());
    let began = Instant::now();
    let writing = tokio::spawn(async move {
        let first = NEXT.fetch_add(events, Ordering::Relaxed);
        let head = format!(
            "POST {ACCESSES} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\nIdempotency-Key: bench-stream-{first:08}\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        writer.write_all(head.as_bytes()).await.unwrap();
        for chunk in 0..events / 100 {
            let mut lines = String::with_capacity(32 * 1024);
            for n in 0..100 {
                write_event(&mut lines, first + chunk * 100 + n);
                lines.push('\n');
            }
            writer.write_all(format!("{:x}\r\n{lines}\r\n", lines.len()).as_bytes()).await.unwrap();
        }
        writer.write_all(b"0\r\n\r\n").await.unwrap();
        // What TLS keeps back when the socket is full goes nowhere by itself.
        writer.flush().await.unwrap();
        writer
    });
    let (mut buffer, mut recorded, mut tail) = (vec![0; 1 << 16], 0_u64, Vec::new());
    while let Ok(read) = reader.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        tail.extend_from_slice(&buffer[..read]);
        recorded += memchr::memmem::find_iter(&tail, RECORDED).count() as u64;
        tail.drain(..tail.len().saturating_sub(RECORDED.len() - 1));
    }
    drop(writing.await.unwrap());
    assert_eq!(recorded, events);
    events as f64 / began.elapsed().as_secs_f64()
}

/// Answers every POST with as many bytes as the service does, until nobody holds the input; says its port in a line.
pub fn serve_echo(dir: &Path, length: usize) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    println!("{}", runtime.block_on(echo(dir, length)));
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

async fn echo(dir: &Path, length: usize) -> u16 {
    let file = |name: &str| dir.join(name);
    let files = Tls {
        certificate: file("server.pem"),
        key: file("server.key"),
        client_roots: file("roots.pem"),
        revocation_lists: None,
        revocation_age_hours_max: 24,
    };
    let keeper = Keeper::start(files).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let body = Bytes::from(vec![b'x'; length]);
    let router = Router::new().route("/", post(move |_: Bytes| async move { body.clone() }));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (acceptor, router) = (TlsAcceptor::from(keeper.current().unwrap()), router.clone());
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await.unwrap();
                drop(http1::Builder::new().serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await);
            });
        }
    });
    port
}
