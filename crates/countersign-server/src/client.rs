//! What the service asks of others: one address at a time, over https with roots of its own. No redirects, no other hosts, a bound on length and time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, Request, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, version};

/// Bytes of an answer that are read.
pub const BYTES_MAX: usize = 256 * 1024;
/// How long asking may take in all.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why somebody cannot be asked. Names files and addresses of the configuration alone.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// A file.
    #[error("{path}: {what}")]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The address is none that is asked, or does not answer as it should.
    #[error("{url}: {what}")]
    Address {
        /// Which.
        url: String,
        /// What is wrong.
        what: String,
    },
}

/// An address that can be asked.
pub struct Address {
    url: Uri,
    host: String,
    port: u16,
    /// None: without TLS, which is for this machine alone.
    tls: Option<TlsConnector>,
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl Address {
    /// Over https, held against these roots; without roots over http, to this machine alone.
    ///
    /// # Errors
    /// It is neither, or the roots cannot be read.
    pub fn new(url: &str, roots: Option<&Path>) -> Result<Self, AskError> {
        let bad = |what: &str| AskError::Address { url: url.to_owned(), what: what.to_owned() };
        let uri: Uri = url.parse().map_err(|_| bad("is no address"))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            // Not even repeated: it would stand in logs and in what `config show` prints.
            return Err(AskError::Address {
                url: "an address".to_owned(),
                what: "names a user: secrets do not stand in addresses".to_owned(),
            });
        }
        let host = uri.host().ok_or_else(|| bad("names no host"))?.to_owned();
        let (tls, port) = match (uri.scheme_str(), roots) {
            (Some("https"), Some(roots)) => (Some(connector(roots)?), 443),
            (Some("https"), None) => return Err(bad("is https: name the roots it is held against")),
            (Some("http"), None) if ["localhost", "127.0.0.1", "[::1]"].contains(&host.as_str()) => (None, 80),
            _ => return Err(bad("is neither https nor http on this machine")),
        };
        Ok(Self { port: uri.port_u16().unwrap_or(port), url: uri, host, tls })
    }

    /// The address as it stands in the configuration.
    pub fn url(&self) -> String {
        self.url.to_string()
    }

    /// Asks, once.
    ///
    /// # Errors
    /// Nobody answers in time, or not as HTTP has it; whatever the status, an answer is one.
    pub async fn ask(&self, request: axum::http::request::Builder, body: Bytes) -> Result<(StatusCode, Bytes), AskError> {
        let bad = |what: String| AskError::Address { url: self.url(), what };
        match tokio::time::timeout(PATIENCE, self.connected(request, body)).await {
            Ok(answer) => answer.map_err(|e| bad(e.to_string())),
            Err(_) => Err(bad("does not answer in time".into())),
        }
    }

    async fn connected(&self, request: axum::http::request::Builder, body: Bytes) -> Result<(StatusCode, Bytes), Failed> {
        let stream = TcpStream::connect((self.host.trim_matches(['[', ']']), self.port)).await?;
        let host = match self.url.port_u16() {
            Some(port) => HeaderValue::from_str(&format!("{}:{port}", self.host))?,
            None => HeaderValue::from_str(&self.host)?,
        };
        let path = self.url.path_and_query().map_or("/", |p| p.as_str());
        let request = request.uri(path).header(header::HOST, host).body(Full::new(body))?;
        match &self.tls {
            Some(tls) => send(tls.connect(ServerName::try_from(self.host.clone())?, stream).await?, request).await,
            None if stream.peer_addr()?.ip().is_loopback() => send(stream, request).await,
            None => Err("is not on this machine".into()),
        }
    }
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Bytes), Failed> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer, or when this does.
    let driver = tokio::spawn(connection);
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), BYTES_MAX).collect().await?.to_bytes();
    driver.abort();
    Ok((status, body))
}

fn connector(roots: &Path) -> Result<TlsConnector, AskError> {
    let bad = |what: String| AskError::File { path: roots.to_owned(), what };
    let mut store = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(roots).map_err(|e| bad(e.to_string()))? {
        store.add(root.map_err(|e| bad(e.to_string()))?).map_err(|e| bad(e.to_string()))?;
    }
    if store.is_empty() {
        return Err(bad("holds no certificate".into()));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&version::TLS13])
        .map_err(|e| bad(e.to_string()))?;
    let mut config = config.with_root_certificates(store).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tls_this_machine_alone_is_asked() {
        for good in ["http://localhost:9000/x", "http://127.0.0.1:9000/x", "http://[::1]:9000/x"] {
            assert!(Address::new(good, None).is_ok(), "{good}");
        }
        for bad in
            ["http://siem.example/x", "https://siem.example/x", "http://10.0.0.1/", "ftp://localhost/", "/x", "http://localhost.example/"]
        {
            assert!(Address::new(bad, None).is_err(), "{bad}");
        }
        assert!(Address::new("http://localhost/", Some(Path::new("roots.pem"))).is_err(), "roots are for https");
    }
}
