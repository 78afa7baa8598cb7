//! Webhooks: what `/api/v1/events` tells of what is recorded, sent to receivers that cannot ask. Each event is a CloudEvent (CloudEvents 1.0, structured
//! mode) that names an entry and its type and says nothing of what it holds; a receiver gets those its role may know of. The message is signed
//! (RFC 9421, Ed25519) over its target and the digest of its body (RFC 9530), with a key of its own.
//!
//! At least once and in order: the next event goes out when the one before was answered with 2xx, and what was answered is kept in a small file, from
//! which a start goes on. A receiver that does not answer is asked again, ever more seldom, and holds up nobody but itself.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use countersign_api::roles::{Roles, View};
use countersign_api::view::Eyes;
use countersign_entry::record::Role;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::SignatureScheme;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::sign::SigningKey;

use crate::app::{App, Shared};
use crate::client::{Address, AskError};
use crate::limits::{WEBHOOK_EVERY, WEBHOOK_PAUSE_MAX, WEBHOOK_PAUSE_MIN};
use crate::routes::{Told, told_after};

/// What the messages are sent as.
const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";
/// What of the message is signed (RFC 9421 section 2).
const COVERED: &str = r#"("@method" "@target-uri" "content-type" "content-digest")"#;

/// A receiver, as the configuration has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Its name here, which the file of what it was sent carries: small letters, digits and `-`.
    pub name: String,
    /// Where it is: https, or http on this machine.
    pub url: String,
    /// The roots its certificate is held against, PEM; for https.
    pub roots: Option<PathBuf>,
    /// In whose eyes events are chosen: what `/api/v1/events` tells somebody with this role.
    pub role: Role,
    /// The Ed25519 key that signs, PEM (PKCS #8). It is no key of the ledger.
    pub key: PathBuf,
}

impl Webhook {
    /// Whether it makes sense among others.
    ///
    /// # Errors
    /// Says what does not.
    pub fn check(&self, all: &[Webhook]) -> Result<(), &'static str> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if self.name.is_empty() || self.name.len() > 32 || !self.name.bytes().all(plain) {
            return Err("webhook: name is 1 to 32 small letters, digits and '-'");
        }
        if all.iter().filter(|w| w.name == self.name).count() > 1 {
            return Err("webhook: a name stands twice");
        }
        Ok(())
    }
}

/// Why a webhook cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Its address, or its roots.
    #[error("webhook: {0}")]
    Address(#[from] AskError),
    /// Its key.
    #[error("webhook: {path}: {what}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Its role sees no events.
    #[error("webhook {0}: its role is told of no events")]
    Role(String),
    /// Where it is kept how far it is.
    #[error("webhook: {path}: {source}")]
    Kept {
        /// The file or directory.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
}

/// Signs messages.
pub struct Signer {
    key: Arc<dyn SigningKey>,
    id: String,
}

impl Signer {
    /// With the key of a file.
    ///
    /// # Errors
    /// There is none, or it is no Ed25519 key.
    pub fn open(path: &Path) -> Result<Self, WebhookError> {
        let bad = |what: String| WebhookError::Key { path: path.to_owned(), what };
        let der = PrivateKeyDer::from_pem_file(path).map_err(|e| bad(e.to_string()))?;
        let key = aws_lc_rs::sign::any_eddsa_type(&match der {
            PrivateKeyDer::Pkcs8(der) => der,
            _ => return Err(bad("is not PKCS #8".into())),
        });
        let key = key.map_err(|_| bad("is no Ed25519 key".into()))?;
        let public = key.public_key().ok_or_else(|| bad("gives no public key".into()))?;
        let id = hex::encode(Sha256::digest(&public).get(..8).unwrap_or_default());
        Ok(Self { key, id })
    }

    /// Content-Digest, Signature-Input and Signature of a POST.
    fn headers(&self, url: &str, body: &[u8], created: u64) -> Option<[(&'static str, String); 3]> {
        let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)));
        let params = format!("{COVERED};created={created};keyid=\"{}\";alg=\"ed25519\"", self.id);
        let base = format!(
            "\"@method\": POST\n\"@target-uri\": {url}\n\"content-type\": {CONTENT_TYPE}\n\"content-digest\": {digest}\n\"@signature-params\": {params}"
        );
        let signature = self.key.choose_scheme(&[SignatureScheme::ED25519])?.sign(base.as_bytes()).ok()?;
        Some([
            ("content-digest", digest),
            ("signature-input", format!("countersign={params}")),
            ("signature", format!("countersign=:{}:", STANDARD.encode(signature))),
        ])
    }
}

/// A receiver that is served.
pub struct Receiver {
    name: String,
    address: Address,
    signer: Signer,
    role: Role,
    kept: PathBuf,
}

/// Every receiver of a configuration, each with its file in a directory.
///
/// # Errors
/// As [`WebhookError`] says.
pub fn receivers(all: &[Webhook], dir: &Path, roles: &Roles) -> Result<Vec<Receiver>, WebhookError> {
    if all.is_empty() {
        return Ok(Vec::new());
    }
    use std::os::unix::fs::DirBuilderExt as _;
    let made = fs::DirBuilder::new().mode(0o700).recursive(true).create(dir);
    made.map_err(|source| WebhookError::Kept { path: dir.to_owned(), source })?;
    let receiver = |of: &Webhook| {
        let row = roles.find("GET", "/api/v1/events");
        let view = row.and_then(|row| roles.view(row, Some(&[of.role]))).filter(|view| *view >= View::Neutral);
        view.ok_or_else(|| WebhookError::Role(of.name.clone()))?;
        Ok(Receiver {
            name: of.name.clone(),
            address: Address::new(&of.url, of.roots.as_deref())?,
            signer: Signer::open(&of.key)?,
            role: of.role,
            kept: dir.join(&of.name),
        })
    };
    all.iter().map(receiver).collect()
}

impl Receiver {
    /// The entry it was not told of yet; none where it was never told of any.
    fn next(&self) -> Result<Option<u64>, WebhookError> {
        let bad = |source| WebhookError::Kept { path: self.kept.clone(), source };
        match fs::read_to_string(&self.kept) {
            Ok(text) => text.trim().parse().map(Some).map_err(|e| bad(std::io::Error::other(e))),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(bad(e)),
        }
    }

    /// Keeps how far it is: beside the old file, then in its place. On a thread that may wait for the disk.
    async fn keep(&self, next: u64) -> Result<(), WebhookError> {
        let (kept, beside) = (self.kept.clone(), self.kept.with_extension("new"));
        let written = tokio::task::spawn_blocking(move || {
            let mut file = fs::File::create(&beside)?;
            writeln!(file, "{next}")?;
            file.sync_all()?;
            fs::rename(&beside, &kept)
        });
        let written = written.await.unwrap_or_else(|e| Err(std::io::Error::other(e)));
        written.map_err(|source| WebhookError::Kept { path: self.kept.clone(), source })
    }

    /// One event, as CloudEvents has it.
    fn event(&self, origin: &str, told: &Told) -> Bytes {
        let event = json!({
            "specversion": "1.0", "id": told.entry.to_string(), "source": format!("urn:countersign:ledger:{origin}"),
            "type": format!("countersign.{}", told.kind), "time": told.at, "datacontenttype": "application/json",
            "data": { "entry": told.entry, "type": told.kind },
        });
        event.to_string().into()
    }

    /// Sends one event once.
    async fn send(&self, app: &App, told: &Told) -> Result<StatusCode, AskError> {
        let (url, body) = (self.address.url(), self.event(&app.origin, told));
        let bad = |what: &str| AskError::Address { url: url.clone(), what: what.to_owned() };
        let signed = self.signer.headers(&url, &body, app.now().value() / 1_000_000).ok_or_else(|| bad("the message cannot be signed"))?;
        let mut request = Request::post("/").header(header::CONTENT_TYPE, CONTENT_TYPE);
        for (name, value) in signed {
            request = request.header(name, value);
        }
        Ok(self.address.ask(request, body).await?.0)
    }
}

/// Serves one receiver until the service stops. It begins with what is recorded after it was first configured.
pub async fn deliver_all(app: Shared, receiver: Receiver) {
    let ended = tokio::select! {
        ended = deliver(&app, &receiver) => ended,
        () = stopped(&app) => return,
    };
    if let Err(e) = ended {
        tracing::error!(target: "webhook", name = receiver.name, "its events are sent no longer: {e}");
    }
}

async fn stopped(app: &App) {
    let mut stopping = app.stopping.clone();
    drop(stopping.wait_for(|stop| *stop).await);
}

async fn deliver(app: &Shared, receiver: &Receiver) -> Result<(), WebhookError> {
    let mut next = match receiver.next()? {
        Some(next) => next,
        None => {
            let size = loop {
                match app.look(|ledger| Ok(ledger.size())).await {
                    Ok(size) => break size,
                    Err(_) => tokio::time::sleep(WEBHOOK_EVERY).await,
                }
            };
            until_kept(app, receiver, size).await;
            size
        }
    };
    loop {
        let Ok((events, reached)) = told_after(app, Eyes { roles: vec![receiver.role], organization: None, at: app.now() }, next).await
        else {
            tokio::time::sleep(WEBHOOK_EVERY).await;
            continue;
        };
        for told in &events {
            until_taken(app, receiver, told).await;
            until_kept(app, receiver, told.entry.0 + 1).await;
        }
        if reached == next {
            tokio::time::sleep(WEBHOOK_EVERY).await;
        } else {
            // What it may not know of is not looked at again either.
            until_kept(app, receiver, reached).await;
            next = reached;
        }
    }
}

/// Sends an event until it is answered with 2xx.
async fn until_taken(app: &App, receiver: &Receiver, told: &Told) {
    let mut pause = WEBHOOK_PAUSE_MIN;
    loop {
        let why = match receiver.send(app, told).await {
            Ok(status) if status.is_success() => return,
            Ok(status) => format!("it answers {}", status.as_u16()),
            Err(e) => e.to_string(),
        };
        app.metrics.undelivered();
        tracing::warn!(target: "webhook", name = receiver.name, entry = told.entry.0, "an event was not taken: {why}");
        wait(&mut pause).await;
    }
}

/// Keeps how far it is until that is written. Nothing is sent meanwhile: after a restart it would be sent again.
async fn until_kept(app: &App, receiver: &Receiver, next: u64) {
    let mut pause = WEBHOOK_PAUSE_MIN;
    while let Err(e) = receiver.keep(next).await {
        app.metrics.undelivered();
        tracing::warn!(target: "webhook", name = receiver.name, entry = next, "what comes next cannot be kept: {e}");
        wait(&mut pause).await;
    }
}

/// Ever longer, up to a bound.
async fn wait(pause: &mut Duration) {
    tokio::time::sleep(*pause).await;
    *pause = Duration::min(pause.saturating_mul(2), WEBHOOK_PAUSE_MAX);
}
