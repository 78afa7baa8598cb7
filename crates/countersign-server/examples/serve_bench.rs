//! What serving costs, beside an echo by the same framework with the same TLS, client certificate and sizes, in one run:
//!
//! `cargo run --release -p countersign-server --example serve_bench ADDRESS DIR PERSON SUBMISSION [CONNECTIONS] [SECONDS]`
//!
//! ADDRESS is a service that runs; DIR holds its `server.pem`, `server.key` and `roots.pem`, and a gateway's `gateway.pem` and `gateway.key`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout, reason = "a benchmark")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use countersign_server::config::Tls;
use countersign_server::tls::Keeper;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, version};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Keys of requests go on from the time the run began, so that a second run asks for nothing the first did.
static NEXT: AtomicU64 = AtomicU64::new(0);
static WHOM: std::sync::OnceLock<(String, String)> = std::sync::OnceLock::new();

fn event(n: u64) -> String {
    let (person, submission) = WHOM.get().unwrap();
    format!(
        r#"{{"person":"{person}","submission":"{submission}","action":"query","occurred_at":"2026-06-01T12:00:00Z","artefact":"endpoint/chat","result":"success","source":"gateway-1","source_id":"evt-{n:020}","session":"sess-42","marking":"cui","information_owner":"developer"}}"#
    )
}

fn request(path: &str) -> Vec<u8> {
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let body = event(n);
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: bench-key-{n:020}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

async fn connect(port: u16, tls: &Arc<ClientConfig>) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    TlsConnector::from(Arc::clone(tls)).connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
}

/// Reads one answer; its status and length.
async fn answer(stream: &mut TlsStream<TcpStream>, buffer: &mut Vec<u8>) -> (u16, usize) {
    buffer.clear();
    loop {
        let read = stream.read_buf(buffer).await.unwrap();
        assert!(read > 0, "closed: {}", String::from_utf8_lossy(buffer));
        let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end]).unwrap();
        let length = head.split("\r\n").find_map(|l| l.strip_prefix("content-length: ")).unwrap().parse::<usize>().unwrap();
        while buffer.len() < end + 4 + length {
            assert!(stream.read_buf(buffer).await.unwrap() > 0);
        }
        return (std::str::from_utf8(&buffer[9..12]).unwrap().parse().unwrap(), length);
    }
}

struct Measured {
    rate: f64,
    p50: Duration,
    p99: Duration,
    length: usize,
}

async fn load(port: u16, tls: &Arc<ClientConfig>, path: &'static str, connections: usize, seconds: u64) -> Measured {
    let until = Instant::now() + Duration::from_secs(seconds);
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            let tls = Arc::clone(tls);
            tokio::spawn(async move {
                let mut stream = connect(port, &tls).await;
                let (mut buffer, mut took, mut length) = (Vec::with_capacity(8192), Vec::new(), 0);
                while Instant::now() < until {
                    let began = Instant::now();
                    stream.write_all(&request(path)).await.unwrap();
                    let (status, bytes) = answer(&mut stream, &mut buffer).await;
                    assert!(status == 201 || status == 200, "{}", String::from_utf8_lossy(&buffer));
                    took.push(began.elapsed());
                    length = bytes;
                }
                (took, length)
            })
        })
        .collect();
    let (mut all, mut length) = (Vec::new(), 0);
    for task in tasks {
        let (took, bytes) = task.await.unwrap();
        all.extend(took);
        length = bytes;
    }
    all.sort_unstable();
    let at = |share: f64| all[((all.len() - 1) as f64 * share) as usize];
    Measured { rate: all.len() as f64 / seconds as f64, p50: at(0.5), p99: at(0.99), length }
}

async fn stream(port: u16, tls: &Arc<ClientConfig>, events: u64) -> f64 {
    let (mut reader, mut writer) = tokio::io::split(connect(port, tls).await);
    let began = Instant::now();
    let writing = tokio::spawn(async move {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let head = format!(
            "POST /api/v1/accesses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\nIdempotency-Key: bench-stream-{n:020}\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        writer.write_all(head.as_bytes()).await.unwrap();
        for chunk in 0..events / 100 {
            let lines: String = (0..100).map(|n| event(chunk * 100 + n) + "\n").collect();
            writer.write_all(format!("{:x}\r\n{lines}\r\n", lines.len()).as_bytes()).await.unwrap();
        }
        writer.write_all(b"0\r\n\r\n").await.unwrap();
        writer
    });
    let (mut buffer, mut recorded, mut tail) = (vec![0; 1 << 16], 0_u64, Vec::new());
    while let Ok(read) = reader.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        tail.extend_from_slice(&buffer[..read]);
        recorded += tail.windows(15).filter(|w| w == b"\"recorded\":true").count() as u64;
        tail.drain(..tail.len().saturating_sub(14));
    }
    drop(writing.await.unwrap());
    assert_eq!(recorded, events);
    events as f64 / began.elapsed().as_secs_f64()
}

fn client(dir: &std::path::Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(dir.join("roots.pem")).unwrap()).unwrap();
    let chain = vec![CertificateDer::from_pem_file(dir.join("gateway.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(dir.join("gateway.key")).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key);
    Arc::new(config.unwrap())
}

/// Answers every POST with as many bytes as the service does.
async fn echo(dir: PathBuf, length: usize) -> u16 {
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

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (address, dir) = (args[0].rsplit(':').next().unwrap().parse::<u16>().unwrap(), PathBuf::from(&args[1]));
    WHOM.set((args[2].clone(), args[3].clone())).unwrap();
    let number = |at: usize, or: u64| args.get(at).map_or(or, |a| a.parse().unwrap());
    let (connections, seconds) = (number(4, 256) as usize, number(5, 5));
    let began = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    NEXT.store(began * 1_000_000, Ordering::Relaxed);
    let tls = client(&dir);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let one = load(address, &tls, "/api/v1/accesses", 1, seconds).await;
        let port = echo(dir.clone(), one.length).await;
        let echo_one = load(port, &tls, "/", 1, seconds).await;
        let echo_many = load(port, &tls, "/", connections, seconds).await;
        let many = load(address, &tls, "/api/v1/accesses", connections, seconds).await;
        let told =
            |what: String, m: &Measured| println!("{what:<44} {:>9.0} /s  p50 {:?}  p99 {:?}  {} bytes", m.rate, m.p50, m.p99, m.length);
        told("echo, 1 connection".into(), &echo_one);
        told("accesses, 1 connection".into(), &one);
        told(format!("echo, {connections} connections"), &echo_many);
        told(format!("accesses, {connections} connections, acknowledged"), &many);
        println!("of the echo: {:.2}", many.rate / echo_many.rate);
        println!("a stream of 100,000 lines: {:.0} events/s", stream(address, &tls, 100_000).await);
    });
}
