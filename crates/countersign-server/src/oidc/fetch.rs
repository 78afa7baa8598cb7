//! Where a provider's keys come from: a file, or an https address with roots of its own. No redirects, no other hosts, a bound on length and time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, version};

use crate::config::Oidc;

/// Bytes of a set of keys.
const BYTES_MAX: usize = 256 * 1024;
/// How long asking may take in all.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why keys cannot be had. Names files and addresses of the configuration alone.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file.
    #[error("{path}: {what}")]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The configuration names no place keys may come from.
    #[error("{0}")]
    Config(&'static str),
    /// The address does not answer as it should.
    #[error("{url}: {what}")]
    Address {
        /// Which.
        url: String,
        /// What is wrong.
        what: String,
    },
}

/// Where keys come from.
pub(super) enum Source {
    File(PathBuf),
    Address { url: Uri, host: String, port: u16, tls: TlsConnector },
}

impl Source {
    pub(super) fn new(config: &Oidc) -> Result<Self, KeysError> {
        match (&config.keys, &config.keys_url, &config.keys_roots) {
            (Some(path), None, None) => Ok(Self::File(path.clone())),
            (None, Some(url), Some(roots)) => {
                let bad = |what: &str| KeysError::Address { url: url.clone(), what: what.to_owned() };
                let uri: Uri = url.parse().map_err(|_| bad("is no address"))?;
                if uri.scheme_str() != Some("https") {
                    return Err(bad("is not https"));
                }
                let host = uri.host().ok_or_else(|| bad("names no host"))?.to_owned();
                let port = uri.port_u16().unwrap_or(443);
                Ok(Self::Address { host, port, tls: connector(roots)?, url: uri })
            }
            _ => Err(KeysError::Config("oidc: name either keys, a file, or keys_url and keys_roots")),
        }
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// The set of keys as it stands there.
    pub(super) async fn keys(&self) -> Result<Bytes, KeysError> {
        match self {
            Self::File(path) => {
                let from = path.clone();
                let read = tokio::task::spawn_blocking(move || std::fs::read(from)).await;
                let bad = |what: String| KeysError::File { path: path.clone(), what };
                let bytes = read.map_err(|e| bad(e.to_string()))?.map_err(|e| bad(e.to_string()))?;
                if bytes.len() > BYTES_MAX { Err(bad(format!("is longer than {BYTES_MAX} bytes"))) } else { Ok(bytes.into()) }
            }
            Self::Address { url, host, port, tls } => {
                let bad = |what: String| KeysError::Address { url: url.to_string(), what };
                match tokio::time::timeout(PATIENCE, get(url, host, *port, tls)).await {
                    Ok(answer) => answer.map_err(|e| bad(e.to_string())),
                    Err(_) => Err(bad("does not answer in time".into())),
                }
            }
        }
    }
}

fn connector(roots: &PathBuf) -> Result<TlsConnector, KeysError> {
    let bad = |what: String| KeysError::File { path: roots.clone(), what };
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

async fn get(url: &Uri, host: &str, port: u16, tls: &TlsConnector) -> Result<Bytes, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect((host, port)).await?;
    let stream = tls.connect(ServerName::try_from(host.to_owned())?, stream).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer, or when this does.
    let driver = tokio::spawn(connection);
    let path = url.path_and_query().map_or("/", |p| p.as_str());
    let request = Request::get(path).header(header::HOST, host).header(header::ACCEPT, "application/json").body(Empty::<Bytes>::new())?;
    let answer = sender.send_request(request).await?;
    if answer.status() != StatusCode::OK {
        return Err(format!("answers {}", answer.status().as_u16()).into());
    }
    let body = Limited::new(answer.into_body(), BYTES_MAX).collect().await?.to_bytes();
    driver.abort();
    Ok(body)
}
