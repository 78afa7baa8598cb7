//! A ledger opened for one command, with the actor who asks.

use std::io;
use std::path::{Path, PathBuf};

use countersign_conflict::Refusal;
use countersign_entry::ids::{LeafIndex, Line, RequestKey, Token};
use countersign_entry::record::{Read, Record};
use countersign_ledger::limits::BATCH_MAX;
use countersign_ledger::{
    Access, AppendError, Directory, DirectoryError, Ledger, Notice, OpenError, Opening, Receipt, Request, SystemClock,
};
use countersign_log::checkpoint::Checkpoint;
use countersign_log::note::Note;
use countersign_server::limits::LOCAL_WAITING_MAX;
use countersign_server::local::Client;
use countersign_store::{FileError, RegisterError, StoreError};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::actor::Actor;
use crate::args::{LedgerArgs, WriteArgs};
use crate::commands::{bar, pin_credential};
use crate::draft::{self, Draft};
use crate::failure::Failure;
use crate::output::say;
use crate::words::{neutral_state, random_letters, word_of};

/// A ledger and who asks it.
pub(crate) struct Session {
    /// The ledger.
    pub(crate) ledger: Ledger,
    /// Who asks.
    pub(crate) actor: Actor,
    /// The inquiry they ask under, where they ask and name one.
    inquiry: Option<Line>,
    /// Why a question cannot be recorded, where it cannot.
    unrecordable: Option<String>,
    /// Whoever serves the ledger and records for this command, where somebody does; the ledger is then open for reading.
    served: Option<Served>,
}

/// A ledger that somebody else has open to write, and serves.
struct Served {
    client: Client,
    args: LedgerArgs,
}

/// Opens a ledger without asking who asks: for what concerns everybody who holds its keys.
pub(crate) fn open(args: &LedgerArgs, access: Access) -> Result<Ledger, Failure> {
    let directory = Directory::find(&args.dir)?;
    Ok(directory.open(access, opening(args.passphrase_file.as_deref(), args.pin_file.as_deref()))?)
}

/// Where passphrase and PIN are: the files named, systemd's credentials, else the ledger's own.
pub(crate) fn opening(passphrase_file: Option<&Path>, pin_file: Option<&Path>) -> Opening {
    Opening {
        passphrase_file: passphrase_file.map(Path::to_owned).or_else(credential),
        pin_file: pin_file.map(Path::to_owned).or_else(pin_credential),
        clock: Box::new(SystemClock),
        told: telling(),
    }
}

/// Shows on a terminal how far a long start is, and says what had to be made anew.
fn telling() -> Box<dyn FnMut(Notice<'_>) + Send + Sync> {
    let mut shown: Option<(&'static str, ProgressBar)> = None;
    Box::new(move |notice| match notice {
        Notice::Doing { what, done, of } => {
            if shown.as_ref().is_none_or(|(before, _)| *before != what) {
                shown = Some((what, bar(of, what)));
            }
            if let Some((_, bar)) = &shown {
                bar.set_position(done);
                if done + 1 >= of {
                    bar.finish_and_clear();
                }
            }
        }
        Notice::Anew(why) => say(why),
    })
}

fn credential() -> Option<PathBuf> {
    let file = Path::new(&std::env::var_os("CREDENTIALS_DIRECTORY")?).join("countersign-passphrase");
    file.exists().then_some(file)
}

impl Session {
    /// To record: here, or through whoever serves the ledger.
    pub(crate) fn to_write(args: &LedgerArgs) -> Result<Self, Failure> {
        match open(args, Access::Write) {
            Err(Failure::Directory(DirectoryError::Open(e))) if is_locked(&e) => match Client::connect(&args.dir) {
                Some(client) => Self::served(args, client),
                None => Err(Failure::Directory(DirectoryError::Open(e))),
            },
            opened => Self::to_write_in(opened?, args),
        }
    }

    /// To record what needs the ledger itself, which nobody else may have open to write then.
    pub(crate) fn to_write_here(args: &LedgerArgs) -> Result<Self, Failure> {
        Self::to_write_in(open(args, Access::Write)?, args)
    }

    fn to_write_in(ledger: Ledger, args: &LedgerArgs) -> Result<Self, Failure> {
        let actor = Actor::find(ledger.facts(), ledger.now(), &args.dir)?;
        match ledger.read_only() {
            Some(why) if ledger.key_is_away() => Err(AppendError::Unavailable(why.to_owned()).into()),
            Some(why) => Err(Failure::ReadOnly(why.to_owned())),
            None => Ok(Self { ledger, actor, inquiry: None, unrecordable: None, served: None }),
        }
    }

    fn served(args: &LedgerArgs, client: Client) -> Result<Self, Failure> {
        let ledger = open(args, Access::Read)?;
        let actor = Actor::find(ledger.facts(), ledger.now(), &args.dir)?;
        Ok(Self { ledger, actor, inquiry: None, unrecordable: None, served: Some(Served { client, args: args.clone() }) })
    }

    /// To look at records.
    pub(crate) fn to_read(args: &LedgerArgs) -> Result<Self, Failure> {
        let session = Self::for_oneself(args)?;
        session.actor.must_read()?;
        Ok(session)
    }

    /// To look at what is recorded of oneself; whoever shows more asks for the role first.
    pub(crate) fn for_oneself(args: &LedgerArgs) -> Result<Self, Failure> {
        let ledger = open(args, Access::Read)?;
        let actor = Actor::find(ledger.facts(), ledger.now(), &args.dir)?;
        Ok(Self { ledger, actor, inquiry: None, unrecordable: Some("the ledger was opened for reading".into()), served: None })
    }

    /// To ask a question that is itself recorded.
    pub(crate) fn to_ask(args: &LedgerArgs) -> Result<Self, Failure> {
        let session = Self::for_questions(args)?;
        session.actor.must_read()?;
        Ok(session)
    }

    /// As [`Session::to_ask`], for whoever may ask about themselves alone as well.
    pub(crate) fn for_questions(args: &LedgerArgs) -> Result<Self, Failure> {
        let session = Self::asking(args)?;
        let inquiry = args.inquiry.clone();
        Ok(Self { actor: session.actor.inquiring(inquiry.is_some()), inquiry, ..session })
    }

    /// Beside another writer, or without the right to write the files, questions are asked all the same: answers never stop.
    fn asking(args: &LedgerArgs) -> Result<Self, Failure> {
        let (ledger, why) = match open(args, Access::Write) {
            // What the key has not signed is not shown: a handle for reading does not have it.
            Ok(ledger) if ledger.key_is_away() => {
                let why = ledger.read_only().map(str::to_owned);
                drop(ledger);
                (open(args, Access::Read)?, why)
            }
            Ok(ledger) => {
                let why = ledger.read_only().map(str::to_owned);
                (ledger, why)
            }
            Err(Failure::Directory(DirectoryError::Open(e))) if only_writing_failed(&e) => match Client::connect(&args.dir) {
                Some(client) => return Self::served(args, client),
                None => (open(args, Access::Read)?, Some(e.to_string())),
            },
            Err(e) => return Err(e),
        };
        let actor = Actor::find(ledger.facts(), ledger.now(), &args.dir)?;
        Ok(Self { ledger, actor, inquiry: None, unrecordable: why, served: None })
    }

    /// The ledger, and whoever serves it where somebody does.
    pub(crate) fn into_parts(self) -> (Ledger, Option<Client>) {
        (self.ledger, self.served.map(|served| served.client))
    }

    /// Records one thing.
    pub(crate) fn record(&mut self, write: &WriteArgs, record: Record) -> Result<Receipt, Failure> {
        let key = write.key()?;
        if let Some(file) = &write.draft {
            return Err(drafted(&self.ledger, &self.actor, file, &[(key, record)]));
        }
        self.append(Request { actor: self.actor.id.clone(), key, record, signed: None })
    }

    /// Records a request of the actor's.
    pub(crate) fn append(&mut self, request: Request) -> Result<Receipt, Failure> {
        let Some(served) = &mut self.served else {
            return self.ledger.append(request).map_err(|e| self.told(e));
        };
        let receipt = served.client.record(request.key, &request.record, request.signed.as_deref())?;
        // What is told of the receipt is told of the ledger that holds it.
        self.ledger = open(&served.args, Access::Read)?;
        Ok(receipt)
    }

    /// Records many requests of the actor's, in order; stops at the first that is not acknowledged. What was on its way with it may be recorded too: the same
    /// again records what is missing. `done` hears of each.
    pub(crate) fn append_all(&mut self, requests: Vec<Request>, done: &mut dyn FnMut()) -> Result<Vec<Receipt>, Failure> {
        let Some(served) = &mut self.served else { return commit_all(&mut self.ledger, requests, done) };
        let mut receipts = Vec::with_capacity(requests.len());
        let (mut waiting, mut sent) = (requests.into_iter().peekable(), 0);
        while waiting.peek().is_some() || receipts.len() < sent {
            while let Some(request) = waiting.next_if(|_| sent - receipts.len() < LOCAL_WAITING_MAX) {
                served.client.send(request.key, &request.record, request.signed.as_deref())?;
                sent += 1;
            }
            receipts.push(served.client.receive()?);
            done();
        }
        // What is told of the receipts is told of the ledger that holds them.
        self.ledger = open(&served.args, Access::Read)?;
        Ok(receipts)
    }

    /// What the actor may be told of a refusal: where a grant stands says why, so others than the ethics role get the neutral word.
    fn told(&self, e: AppendError) -> Failure {
        match e {
            AppendError::Refused(Refusal::Move { grant, from, to }) => {
                let from = if self.actor.is_ethics() { word_of(&from) } else { neutral_state(from).to_owned() };
                Failure::Invalid(format!("grant {grant} is {from}; it cannot become {}", word_of(&to)))
            }
            e => e.into(),
        }
    }

    /// Records that somebody asked, and as of which size, before they get the answer. Returns the entry; where it cannot be recorded, why.
    pub(crate) fn record_read(&mut self, question: &str, subject: &str, rows: usize, as_of: u64) -> Result<Result<u64, String>, Failure> {
        if let Some(why) = &self.unrecordable {
            return Ok(Err(why.clone()));
        }
        let bug = |e: countersign_entry::ids::IdError| Failure::Invalid(e.to_string());
        let read = Read {
            question: Token::new(question).map_err(bug)?,
            subject: Line::new(subject).map_err(bug)?,
            rows: u64::try_from(rows).unwrap_or(u64::MAX),
            as_of,
            inquiry: self.inquiry.clone(),
        };
        let key = random_key()?;
        if let Some(served) = &mut self.served {
            return Ok(served.client.record(key, &read.into(), None).map(|r| r.index).map_err(|e| e.to_string()));
        }
        let request = Request { actor: self.actor.id.clone(), key, record: read.into(), signed: None };
        Ok(self.ledger.append(request).map(|r| r.index).map_err(|e| e.to_string()))
    }

    /// An entry's record, if there is such an entry and it opens.
    pub(crate) fn entry(&self, index: LeafIndex) -> Result<Record, Failure> {
        if index.0 >= self.ledger.size() {
            return Err(Failure::NotFound(format!("entry {index} is not recorded: the ledger has {} entries", self.ledger.size())));
        }
        Ok(self.ledger.entry(index.0)?.2)
    }
}

/// Records many in a ledger that is open here, a batch at a time; stops at the first that is not acknowledged.
pub(crate) fn commit_all(ledger: &mut Ledger, requests: Vec<Request>, done: &mut dyn FnMut()) -> Result<Vec<Receipt>, Failure> {
    let mut receipts = Vec::with_capacity(requests.len());
    let mut waiting = requests.into_iter().peekable();
    while waiting.peek().is_some() {
        for answer in ledger.commit(waiting.by_ref().take(BATCH_MAX).collect()) {
            receipts.push(answer?);
            done();
        }
    }
    Ok(receipts)
}

/// Writes requests to a file for officers to sign, and ends the command with that. What would be refused is refused now.
pub(crate) fn drafted(ledger: &Ledger, actor: &Actor, file: &Path, requests: &[(RequestKey, Record)]) -> Failure {
    let draft = |(key, record): &(RequestKey, Record)| {
        ledger.facts().check(&actor.id, record).map_err(AppendError::from)?;
        Draft::new(ledger.origin(), actor.id.as_str(), key, record)
    };
    let written = requests.iter().map(draft).collect::<Result<Vec<_>, Failure>>().and_then(|drafts| draft::write(file, &drafts));
    written.map_or_else(|e| e, |()| Failure::Drafted(file.to_owned()))
}

fn is_locked(e: &OpenError) -> bool {
    matches!(e, OpenError::Store(StoreError::Locked(_)) | OpenError::Register(RegisterError::Locked(_)))
}

fn only_writing_failed(e: &OpenError) -> bool {
    let denied = |e: &FileError| matches!(e.source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem);
    match e {
        e if is_locked(e) => true,
        OpenError::Store(StoreError::Io(e)) | OpenError::Register(RegisterError::Io(e)) => denied(e),
        _ => false,
    }
}

impl WriteArgs {
    /// The key given, or a fresh one.
    pub(crate) fn key(&self) -> Result<RequestKey, Failure> {
        self.idempotency_key.clone().map_or_else(random_key, Ok)
    }
}

/// A fresh idempotency key.
pub(crate) fn random_key() -> Result<RequestKey, Failure> {
    RequestKey::new(format!("cli-{}", random_letters::<24>()?)).map_err(|e| Failure::Bug(e.to_string()))
}

/// Tree size of the checkpoint a receipt stands under.
pub(crate) fn receipt_size(receipt: &Receipt) -> Result<u64, Failure> {
    let bug = |e: String| Failure::Bug(format!("a receipt's checkpoint does not read ({e})"));
    let note = Note::parse(&receipt.note).map_err(|e| bug(e.to_string()))?;
    Ok(Checkpoint::parse(note.text()).map_err(|e| bug(e.to_string()))?.size.0)
}

/// What was recorded, as the fields of an answer.
pub(crate) fn recorded(receipt: &Receipt) -> Result<Value, Failure> {
    let size = receipt_size(receipt)?;
    Ok(json!({ "recorded": true, "repeated": receipt.repeated, "entry": receipt.index, "size": size, "at": receipt.at.to_string() }))
}

/// What was recorded, as a line.
pub(crate) fn recorded_line(receipt: &Receipt) -> Result<String, Failure> {
    let before = if receipt.repeated { "recorded before" } else { "recorded" };
    Ok(format!("{before}: entry {}, checkpoint {}", receipt.index, receipt_size(receipt)?))
}
