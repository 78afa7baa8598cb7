//! Clients that do harm, in a process of their own: until nobody holds its input.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;

use crate::client::Client;

pub fn run(kind: &str, count: usize, dir: &Path, port: u16) {
    let client = Client::new(dir, "gateway", port);
    let up = Arc::new(AtomicUsize::new(0));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // So many shake hands at once, and no more: else they time out against one another.
    let turns = Arc::new(Semaphore::new(64));
    for n in 0..count {
        let (client, up, turns, kind) = (client.clone(), Arc::clone(&up), Arc::clone(&turns), kind.to_owned());
        runtime.spawn(async move {
            loop {
                let turn = turns.acquire().await.unwrap();
                let stream = client.stream().await;
                drop(turn);
                let Ok(mut stream) = stream else { continue };
                up.fetch_add(1, Ordering::SeqCst);
                match kind.as_str() {
                    "slow" => slow(&mut stream).await,
                    "giant" => giant(&mut stream, n % 2 == 0).await,
                    // What the service closes stays closed.
                    _ => return std::future::pending().await,
                }
            }
        });
    }
    while up.load(Ordering::SeqCst) < count {
        std::thread::sleep(Duration::from_millis(50));
    }
    println!("connected");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    runtime.shutdown_timeout(Duration::from_millis(100));
}

/// A byte of a head a second.
async fn slow(stream: &mut (impl tokio::io::AsyncWrite + Unpin)) {
    for byte in b"POST /api/v1/accesses HTTP/1.1\r\nHost: localhost\r\n".iter().chain(std::iter::repeat(&b'x')) {
        if stream.write_all(&[*byte]).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// A body without an end, which says how long it is or does not.
async fn giant(stream: &mut (impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin), says: bool) {
    let length = if says { "Content-Length: 10737418240" } else { "Transfer-Encoding: chunked" };
    let head = format!(
        "POST /api/v1/accesses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: giant-giant-giant\r\n{length}\r\n\r\n"
    );
    if stream.write_all(head.as_bytes()).await.is_err() {
        return;
    }
    let data = vec![b' '; 1 << 16];
    let chunk = if says { data } else { [b"10000\r\n".as_slice(), &data, b"\r\n"].concat() };
    while stream.write_all(&chunk).await.is_ok() {}
    drop(stream.read(&mut [0; 1_024]).await);
}
