//! TLS 1.3 by rustls with aws-lc-rs: who the server is, and which client certificates it takes. Revocation fails closed: a list that is missing, does
//! not read, is too old or of a time to come lets no certificate in. Whoever shows none is let in all the same: keys of gateways and tokens are held
//! against other things.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{CertificateError, Error, RootCertStore, ServerConfig, version};

use x509_parser::der_parser::asn1_rs::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;

use crate::certificate::{self, Name};
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
    /// A revocation list is not one of now.
    #[error("{path}: {what}: it is not believed, and nobody with a certificate is let in")]
    Stale {
        /// The file.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// The parts do not go together.
    #[error("{0}")]
    Setup(String),
}

/// Seconds a revocation list may be of a time to come: clocks are not all the same.
const SKEW: i64 = 300;
const HOUR: i64 = 3_600;

/// What a handshake goes by, made anew when the files it comes from change.
pub struct Keeper {
    files: Tls,
    current: RwLock<Result<Made, String>>,
    /// How often they were read.
    read: AtomicU64,
}

struct Made {
    /// Without a look at revocation lists.
    plain: Checks,
    /// With one, and until when in seconds since 1970 the lists are believed; none where there are none to look at.
    held: Result<Option<(Checks, i64)>, TlsError>,
    /// As how many-eth it was made.
    number: u64,
}

impl Made {
    /// What a certificate is held against now; none where that is not believed.
    fn checks(&self) -> Option<&Checks> {
        match &self.held {
            Ok(None) => Some(&self.plain),
            Ok(Some((checks, until))) => (now() < *until).then_some(checks),
            Err(_) => None,
        }
    }
}

/// Who the server is, and what a client's certificate is held against.
struct Checks {
    server: Arc<ServerConfig>,
    verifier: Arc<dyn ClientCertVerifier>,
}

impl Keeper {
    /// Reads the files.
    ///
    /// # Errors
    /// What is wrong with them; the service does not start. A list that is only stale is none of that: those who need none are served.
    pub fn start(files: Tls) -> Result<Self, TlsError> {
        let mut made = build(&files, now(), 1)?;
        made.held = match made.held {
            Err(stale @ TlsError::Stale { .. }) => Err(told(stale)),
            held => Ok(held?),
        };
        Ok(Self { files, current: RwLock::new(Ok(made)), read: AtomicU64::new(1) })
    }

    /// For the next handshake: where revocation lists are not believed, without a look at them, since keys and tokens are served all the same; why there is
    /// none where the files are no good any more.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn current(&self) -> Result<Arc<ServerConfig>, String> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let made = current.as_ref().map_err(Clone::clone)?;
        Ok(Arc::clone(&made.checks().unwrap_or(&made.plain).server))
    }

    /// Reads the files again. What is no good now lets nobody in until it is good again; of a revocation list that is nobody with a certificate.
    pub fn refresh(&self) {
        let number = self.read.fetch_add(1, Ordering::Relaxed) + 1;
        let made = build(&self.files, now(), number).map_err(|e| e.to_string());
        let made = made.map(|made| Made { held: made.held.map_err(told), ..made });
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = made;
    }
}

/// The certificate of a connection. Connections last: it is held against what there is whenever it stands for somebody, and not only at the beginning.
pub struct Card {
    /// By its names.
    pub names: Vec<Name>,
    chain: Vec<CertificateDer<'static>>,
    keeper: Arc<Keeper>,
    /// What it was held against last, by its number; 0 before.
    held: AtomicU64,
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Card")
    }
}

/// How a certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It holds.
    Holds,
    /// It was revoked, or its time is over.
    Void,
    /// Nobody knows whether it was revoked.
    Unknown,
}

impl Card {
    /// Of the chain a client showed; none where there is nothing in it.
    pub fn of(chain: &[CertificateDer<'_>], keeper: &Arc<Keeper>) -> Option<Self> {
        let names = certificate::names(chain.first()?);
        let chain = chain.iter().map(|c| c.clone().into_owned()).collect();
        Some(Self { names, chain, keeper: Arc::clone(keeper), held: AtomicU64::new(0) })
    }

    /// SHA-256 of the certificate, by which a token is bound to it (RFC 8705 section 3.1).
    pub fn thumbprint(&self) -> Option<[u8; 32]> {
        self.chain.first().map(|own| Sha256::digest(own).into())
    }

    /// How it stands now.
    pub fn standing(&self) -> Standing {
        let current = self.keeper.current.read().unwrap_or_else(PoisonError::into_inner);
        let Some((checks, number)) = current.as_ref().ok().and_then(|made| Some((made.checks()?, made.number))) else {
            return Standing::Unknown;
        };
        if self.held.load(Ordering::Relaxed) == number {
            return Standing::Holds;
        }
        let Some((own, others)) = self.chain.split_first() else { return Standing::Void };
        match checks.verifier.verify_client_cert(own, others, UnixTime::now()) {
            Ok(_) => {
                self.held.store(number, Ordering::Relaxed);
                Standing::Holds
            }
            Err(Error::InvalidCertificate(
                CertificateError::UnknownRevocationStatus
                | CertificateError::ExpiredRevocationList
                | CertificateError::ExpiredRevocationListContext { .. },
            )) => Standing::Unknown,
            Err(_) => Standing::Void,
        }
    }
}

fn told(e: TlsError) -> TlsError {
    tracing::error!(target: "tls", "nobody with a certificate is let in: {e}");
    e
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn build(files: &Tls, now: i64, number: u64) -> Result<Made, TlsError> {
    let held = match &files.revocation_lists {
        None => Ok(None),
        Some(path) => {
            believed(path, files.revocation_age_hours_max, now).and_then(|(lists, until)| Ok(Some((checks(files, lists)?, until))))
        }
    };
    Ok(Made { plain: checks(files, Vec::new())?, held, number })
}

fn checks(files: &Tls, lists: Vec<CertificateRevocationListDer<'static>>) -> Result<Checks, TlsError> {
    let setup = |e: &dyn std::fmt::Display| TlsError::Setup(e.to_string());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    for root in certificates(&files.client_roots)? {
        roots.add(root).map_err(|e| file(&files.client_roots, e))?;
    }
    let mut verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    if !lists.is_empty() {
        // Unknown status and a list past its own next update are refusals: that is rustls's default, and the second is asked for.
        verifier = verifier.with_crls(lists).enforce_revocation_expiration();
    }
    // Keys of gateways and the public plane come without a certificate; what they may do is the table's to say.
    let verifier = verifier.allow_unauthenticated().build().map_err(|e| setup(&e))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| file(&files.key, e))?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])
        .map_err(|e| setup(&e))?
        .with_client_cert_verifier(Arc::clone(&verifier))
        .with_single_cert(certificates(&files.certificate)?, key);
    let mut config = config.map_err(|e| setup(&e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A resumed session skips the look at the certificate; what was revoked must not come back through it.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(tokio_rustls::rustls::server::NoServerSessionStorage {});
    Ok(Checks { server: Arc::new(config), verifier })
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

/// The lists of a file, and until when in seconds since 1970 all of them are believed. A list says itself of when it is and until when it holds, which may
/// be long; how long it is believed without a newer one is the operator's to say. When the file was copied says nothing.
///
/// # Errors
/// [`TlsError::File`] where it is no file of lists, [`TlsError::Stale`] where one of them is not believed now.
pub(crate) fn believed(path: &Path, max: u32, now: i64) -> Result<(Vec<CertificateRevocationListDer<'static>>, i64), TlsError> {
    let lists = revocation_lists(path)?;
    let stale = |what: String| TlsError::Stale { path: path.to_owned(), what };
    let mut all = i64::MAX;
    for list in &lists {
        let (_, list) = CertificateRevocationList::from_der(list).map_err(|_| file(path, "a revocation list does not read"))?;
        let next = list.next_update().ok_or_else(|| file(path, "a revocation list says not until when it holds"))?.timestamp();
        let of = list.last_update().timestamp();
        if of > now + SKEW {
            return Err(stale(format!("its time lies {} seconds ahead", of - now)));
        }
        if next <= now {
            return Err(stale(format!("its next update was due {} hours ago", (now - next) / HOUR)));
        }
        let until = of.saturating_add(i64::from(max) * HOUR);
        if until <= now {
            return Err(stale(format!("it is {} hours old, and believed for {max}", (now - of) / HOUR)));
        }
        all = all.min(next).min(until);
    }
    Ok((lists, all))
}

fn file(path: &Path, what: impl std::fmt::Display) -> TlsError {
    TlsError::File { path: path.to_owned(), what: what.to_string() }
}
