//! A client that knows of HTTP no more than it needs.

use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, version};

/// Who asks, and whom.
#[derive(Clone)]
pub struct Client {
    tls: TlsConnector,
    pub port: u16,
}

/// A connection.
pub struct Connection {
    stream: TlsStream<TcpStream>,
    pub answer: Vec<u8>,
}

impl Client {
    pub fn new(dir: &Path, part: &str, port: u16) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(dir.join("roots.pem")).unwrap()).unwrap();
        let chain = vec![CertificateDer::from_pem_file(dir.join(format!("{part}.pem"))).unwrap()];
        let key = PrivateKeyDer::from_pem_file(dir.join(format!("{part}.key"))).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key);
        Self { tls: TlsConnector::from(Arc::new(config.unwrap())), port }
    }

    pub async fn stream(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.set_nodelay(true)?;
        self.tls.connect(ServerName::try_from("localhost").unwrap(), stream).await
    }

    pub async fn connect(&self) -> Connection {
        Connection { stream: self.stream().await.unwrap(), answer: Vec::with_capacity(8_192) }
    }
}

impl Connection {
    /// Sends a request and reads its answer; the status, and the length of the body, which stands in `answer`.
    pub async fn ask(&mut self, request: &[u8]) -> (u16, usize) {
        self.stream.write_all(request).await.unwrap();
        self.answer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.answer).await.unwrap();
            assert!(read > 0, "closed: {}", String::from_utf8_lossy(&self.answer));
            let Some(end) = memchr::memmem::find(&self.answer, b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&self.answer[..end]).unwrap();
            let length = head.split("\r\n").find_map(|l| l.strip_prefix("content-length: ")).unwrap().parse::<usize>().unwrap();
            let status = head[9..12].parse().unwrap();
            while self.answer.len() < end + 4 + length {
                assert!(self.stream.read_buf(&mut self.answer).await.unwrap() > 0);
            }
            self.answer.drain(..end + 4);
            return (status, length);
        }
    }
}

/// A question.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

/// A POST with a key of its own.
pub fn post(path: &str, key: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
