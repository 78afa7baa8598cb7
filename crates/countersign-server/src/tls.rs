//! TLS 1.3 by rustls with aws-lc-rs: who the server is, and which client certificates it takes. Revocation fails closed: a list that is missing, does
//! not read or is too old lets no certificate in.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, version};

use crate::config::Tls;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing, or holds nothing of what it should.
    #[error("{path}: {what}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The revocation list was not replaced in time.
    #[error("{path} is {hours} hours old; after {max} it is not believed, and nobody with a certificate is let in")]
    Old {
        /// The file.
        path: PathBuf,
        /// Its age.
        hours: u64,
        /// The limit.
        max: u32,
    },
    /// The parts do not go together.
    #[error("{0}")]
    Setup(String),
}

/// What a handshake goes by, made anew when the files it comes from change.
pub struct Keeper {
    files: Tls,
    current: RwLock<Result<Arc<ServerConfig>, String>>,
}

impl Keeper {
    /// Reads the files.
    ///
    /// # Errors
    /// What is wrong with them; the service does not start.
    pub fn start(files: Tls) -> Result<Self, TlsError> {
        let config = build(&files)?;
        Ok(Self { files, current: RwLock::new(Ok(config)) })
    }

    /// For the next handshake; why there is none where the files are no good any more.
    pub fn current(&self) -> Result<Arc<ServerConfig>, String> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files again. What is no good now lets nobody in until it is good again.
    pub fn refresh(&self) {
        let made = build(&self.files).map_err(|e| e.to_string());
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = made;
    }
}

fn build(files: &Tls) -> Result<Arc<ServerConfig>, TlsError> {
    let setup = |e: &dyn std::fmt::Display| TlsError::Setup(e.to_string());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    for root in certificates(&files.client_roots)? {
        roots.add(root).map_err(|e| file(&files.client_roots, e))?;
    }
    let mut verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    if let Some(path) = &files.revocation_lists {
        fresh(path, files.revocation_age_hours_max)?;
        // Unknown status and a list past its own next update are refusals: that is rustls's default, and the second is asked for.
        verifier = verifier.with_crls(revocation_lists(path)?).enforce_revocation_expiration();
    }
    // Keys of gateways and the public plane come without a certificate; what they may do is the table's to say.
    let verifier = verifier.allow_unauthenticated().build().map_err(|e| setup(&e))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| file(&files.key, e))?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])
        .map_err(|e| setup(&e))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates(&files.certificate)?, key);
    let mut config = config.map_err(|e| setup(&e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A resumed session skips the look at the certificate; what was revoked must not come back through it.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(tokio_rustls::rustls::server::NoServerSessionStorage {});
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(|e| file(path, e))?.collect();
    let found = read.map_err(|e| file(path, e))?;
    if found.is_empty() { Err(file(path, "holds no certificate")) } else { Ok(found) }
}

fn revocation_lists(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateRevocationListDer::pem_file_iter(path).map_err(|e| file(path, e))?.collect();
    let found = read.map_err(|e| file(path, e))?;
    if found.is_empty() { Err(file(path, "holds no revocation list")) } else { Ok(found) }
}

/// A list says itself until when it holds, which may be long; how long it is believed without being replaced is the operator's to say.
fn fresh(path: &Path, max: u32) -> Result<(), TlsError> {
    let changed = std::fs::metadata(path).and_then(|m| m.modified()).map_err(|e| file(path, e))?;
    // A time to come is no age.
    let age = SystemTime::now().duration_since(changed).unwrap_or(Duration::ZERO);
    let hours = age.as_secs() / 3_600;
    if hours >= u64::from(max) { Err(TlsError::Old { path: path.to_owned(), hours, max }) } else { Ok(()) }
}

fn file(path: &Path, what: impl std::fmt::Display) -> TlsError {
    TlsError::File { path: path.to_owned(), what: what.to_string() }
}
