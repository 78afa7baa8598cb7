//! The socket in the ledger's directory, by which the command line records while the ledger is served: a request a line, a receipt a line. Who asks is
//! the operating system's user at the other end, as the kernel says, never what a line says.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream as Blocking;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use countersign_conflict::Refusal;
use countersign_entry::ids::RequestKey;
use countersign_entry::record::{Record, Role};
use countersign_entry::time::Micros;
use countersign_ledger::{AppendError, Proof, Receipt, Request};
use countersign_log::tree::{self, NodeHash};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::app::Shared;
use crate::append::problem_of;
use crate::limits::{GOODBYE, LOCAL_LINE_BYTES_MAX, LOCAL_WAITING_MAX};
use crate::listen::accepted_or_pause;

/// Name of the socket in the ledger's directory.
pub const SOCKET: &str = "serve.sock";
/// How long the command line waits for an answer. A commit waits for a key that is away for ten seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as a line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    key: RequestKey,
    #[serde(rename = "type")]
    kind: String,
    record: Value,
    /// The actor's own signature, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signed: Option<String>,
}

/// An answer as a line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    Recorded(Box<Recorded>),
    Refused(Refused),
}

#[derive(Serialize, Deserialize)]
struct Recorded {
    index: u64,
    at: Micros,
    #[serde(rename = "type")]
    kind: String,
    record: Value,
    leaf: String,
    hashes: Vec<String>,
    note: String,
    repeated: bool,
}

/// Why nothing was recorded, or nobody knows whether.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Refused {
    /// Who can do something about it.
    pub because: Because,
    /// In words.
    pub text: String,
}

/// Kinds of refusals, by who can do something about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// The user may not.
    Denied,
    /// Something named is not there.
    NotFound,
    /// It cannot be recorded as it is.
    Invalid,
    /// The ledger could not, or it is unknown.
    Failed,
}

/// The socket, made anew: whoever holds the ledger to write is the only one who serves it, so one that is there is left over.
///
/// # Errors
/// It cannot be made.
pub fn bind(dir: &Path) -> io::Result<UnixListener> {
    let path = dir.join(SOCKET);
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves until the app stops, then takes the socket away.
pub async fn serve(listener: UnixListener, app: Shared, dir: PathBuf) {
    let mut stopping = app.stopping.clone();
    let mut talks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let Some(stream) = accepted_or_pause(accepted.map(|(stream, _)| stream)).await else { continue };
        let app = Arc::clone(&app);
        talks.spawn(async move { talk(stream, &app).await });
        while talks.try_join_next().is_some() {}
    }
    drop(listener);
    std::fs::remove_file(dir.join(SOCKET)).unwrap_or(());
    // Each sees by itself that the service stops, once it has answered what it was asked.
    drop(tokio::time::timeout(GOODBYE, async { while talks.join_next().await.is_some() {} }).await);
}

/// What becomes of a line.
enum Taken {
    Refused(Refused),
    /// It is handed in; whether the one who asked may be told why comes with it.
    Waits(oneshot::Receiver<Result<Receipt, AppendError>>, bool),
}

/// Answers come in the order of the lines, and a line need not wait for the answer to the one before.
async fn talk(mut stream: UnixStream, app: &Shared) -> io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    let (reader, mut writer) = stream.split();
    let (handed_in, mut waiting) = mpsc::channel(LOCAL_WAITING_MAX);
    let give = async {
        while let Some(said) = waiting.recv().await {
            let mut out = serde_json::to_vec(&told(said).await)?;
            out.push(b'\n');
            writer.write_all(&out).await?;
        }
        Ok(())
    };
    tokio::try_join!(take(reader, uid, app, handed_in), give).map(|_| ())
}

async fn told(said: Taken) -> Told {
    let recorded = match said {
        Taken::Refused(refused) => Err(refused),
        Taken::Waits(answer, why) => {
            let receipt = answer.await.unwrap_or_else(|_| Err(AppendError::Unknown("the writer stopped".into())));
            receipt.map_err(|e| in_words(&e, why)).and_then(|receipt| recorded(&receipt))
        }
    };
    recorded.map_or_else(Told::Refused, |recorded| Told::Recorded(Box::new(recorded)))
}

async fn take(reader: impl AsyncRead + Unpin, uid: u32, app: &Shared, handed_in: mpsc::Sender<Taken>) -> io::Result<()> {
    let mut stopping = app.stopping.clone();
    let mut lines = tokio::io::BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        let most = u64::try_from(LOCAL_LINE_BYTES_MAX).unwrap_or(u64::MAX);
        // A request that is here in part when the service stops was not taken.
        let read = tokio::select! {
            read = async { (&mut lines).take(most).read_until(b'\n', &mut line).await } => read?,
            _ = stopping.wait_for(|stop| *stop) => return Ok(()),
        };
        if read == 0 || !line.ends_with(b"\n") {
            return Ok(());
        }
        let said = hand_in(uid, &line, app).await.unwrap_or_else(Taken::Refused);
        if handed_in.send(said).await.is_err() {
            return Ok(());
        }
    }
}

fn refused(because: Because, text: impl Into<String>) -> Refused {
    Refused { because, text: text.into() }
}

async fn hand_in(uid: u32, line: &[u8], app: &Shared) -> Result<Taken, Refused> {
    let bad = |e: serde_json::Error| refused(Because::Invalid, format!("the request does not read: {e}"));
    let asked: Asked = serde_json::from_slice(line).map_err(bad)?;
    let record = Record::from_human(&asked.kind, asked.record).map_err(bad)?;
    let logins = app.logins().await.map_err(|f| refused(Because::Failed, f.problem().detail.clone()))?;
    let caller = logins.of_os_user(uid).ok_or_else(|| refused(Because::Denied, format!("uid {uid} has no principal in this ledger")))?;
    let why = caller.roles.contains(&Role::EthicsOfficer);
    let signed =
        asked.signed.map(hex::decode).transpose().map_err(|e| refused(Because::Invalid, format!("the signature does not read: {e}")))?;
    let request = Request { actor: caller.principal.clone(), key: asked.key, record, signed };
    Ok(Taken::Waits(app.submit(request, std::convert::identity).map_err(|e| in_words(&e, why))?, why))
}

/// What the user is told, as the command line tells it where it records by itself.
fn in_words(e: &AppendError, why: bool) -> Refused {
    let because = match e {
        AppendError::Refused(Refusal::UnknownPrincipal(_) | Refusal::Role { .. } | Refusal::Recused | Refusal::OtherAgency) => {
            Because::Denied
        }
        AppendError::Refused(Refusal::Unknown { .. }) => Because::NotFound,
        AppendError::Refused(_) | AppendError::Malformed(_) | AppendError::KeyReused(_) => Because::Invalid,
        _ => Because::Failed,
    };
    match e {
        AppendError::Refused(Refusal::Move { .. }) => refused(because, problem_of(e, why).detail),
        e => refused(because, e.to_string()),
    }
}

fn recorded(receipt: &Receipt) -> Result<Recorded, Refused> {
    let bug = |e: serde_json::Error| {
        refused(Because::Failed, format!("recorded as entry {}, and the answer cannot be written: {e}", receipt.index))
    };
    let mut json = Vec::new();
    receipt.record.to_human(&mut serde_json::Serializer::new(&mut json)).map_err(bug)?;
    Ok(Recorded {
        index: receipt.index,
        at: receipt.at,
        kind: receipt.record.type_name().to_owned(),
        record: serde_json::from_slice(&json).map_err(bug)?,
        leaf: hex::encode(&receipt.leaf),
        hashes: receipt.hashes.iter().map(|h| hex::encode(h.as_bytes())).collect(),
        note: String::from_utf8_lossy(&receipt.note).into_owned(),
        repeated: receipt.repeated,
    })
}

/// The command line's end.
pub struct Client(BufReader<Blocking>);

impl Client {
    /// Connects to whoever serves the ledger in a directory; `None` where nobody does, or this user may not ask.
    pub fn connect(dir: &Path) -> Option<Self> {
        let stream = Blocking::connect(dir.join(SOCKET)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        Some(Self(BufReader::new(stream)))
    }

    /// Records one thing, with the signature of whoever asks where they made one.
    ///
    /// # Errors
    /// As the service says. Where it says nothing, it is unknown whether something was recorded.
    pub fn record(&mut self, key: RequestKey, record: &Record, signed: Option<&[u8]>) -> Result<Receipt, Refused> {
        self.send(key, record, signed)?;
        self.receive()
    }

    /// Hands something in, to be [answered](Self::receive) in its turn. At most [`LOCAL_WAITING_MAX`] may wait.
    ///
    /// # Errors
    /// It cannot be sent.
    pub fn send(&mut self, key: RequestKey, record: &Record, signed: Option<&[u8]>) -> Result<(), Refused> {
        let bug = |e: serde_json::Error| refused(Because::Invalid, format!("the record cannot be sent: {e}"));
        let mut json = Vec::new();
        record.to_human(&mut serde_json::Serializer::new(&mut json)).map_err(bug)?;
        let (kind, signed) = (record.type_name().to_owned(), signed.map(hex::encode));
        let asked = Asked { key, kind, record: serde_json::from_slice(&json).map_err(bug)?, signed };
        let mut line = serde_json::to_vec(&asked).map_err(bug)?;
        line.push(b'\n');
        if line.len() > LOCAL_LINE_BYTES_MAX {
            return Err(refused(Because::Invalid, format!("the record is longer than {LOCAL_LINE_BYTES_MAX} bytes")));
        }
        self.0.get_mut().write_all(&line).map_err(|e| lost(&e.to_string()))
    }

    /// The answer to what was handed in first and is not answered.
    ///
    /// # Errors
    /// As [`Client::record`].
    pub fn receive(&mut self) -> Result<Receipt, Refused> {
        let mut answer = String::new();
        self.0.read_line(&mut answer).map_err(|e| lost(&e.to_string()))?;
        match serde_json::from_str(&answer) {
            Ok(Told::Recorded(recorded)) => receipt(*recorded).ok_or_else(|| lost("the answer does not read")),
            Ok(Told::Refused(refused)) => Err(refused),
            Err(_) => Err(lost("the service ended")),
        }
    }
}

fn lost(what: &str) -> Refused {
    refused(Because::Failed, format!("unknown whether it was recorded: {what}. Repeat with the same idempotency key"))
}

fn receipt(told: Recorded) -> Option<Receipt> {
    let hash = |text: &String| Some(NodeHash(hex::decode(text).ok()?.try_into().ok()?));
    let leaf = hex::decode(told.leaf).ok()?;
    let proof = Proof {
        index: told.index,
        leaf_hash: tree::leaf_hash(&leaf),
        leaf,
        hashes: told.hashes.iter().map(hash).collect::<Option<_>>()?,
        note: told.note.into_bytes().into(),
    };
    Some(Receipt { proof, at: told.at, record: Record::from_human(&told.kind, told.record).ok()?, repeated: told.repeated })
}
