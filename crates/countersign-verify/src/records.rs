//! The sealed plane: every stored record against its leaf, and every content that opens against the rules of its kind
//! (ledger-format sections 3 to 5).

use std::collections::{BTreeSet, HashSet};

use countersign_entry::content::{COMMON, Content, ContentError, Meta};
use countersign_entry::leaf::{Kind, Leaf};
use countersign_entry::record::{Record, RecordError};
use countersign_entry::seal::{SealError, Sealed, open};
use countersign_log::chain::origin_hash;
use sha2::{Digest, Sha256};

use crate::Options;
use crate::codes;
use crate::datakeys::DataKeys;
use crate::fields::{FieldFault, Fields};
use crate::keys::KeyWalk;
use crate::redaction::{Redactions, Rewritten};
use crate::replay::Decisions;
use crate::report::{Finding, Outcome};
use crate::source::At;

const DATAKEY_CREATED: &str = "datakey.created";
const DATAKEY_DESTROYED: &str = "datakey.destroyed";
const REDACTION: &str = "redaction";

/// State over the records seen so far.
pub(crate) struct Records<'o> {
    origin: String,
    origin_hash: [u8; 32],
    data_keys: DataKeys<'o>,
    redactions: Redactions,
    decisions: Decisions,
    keys_given: bool,
    last_at: Option<u64>,
    /// 16 bytes of the hash of each (actor, request).
    requests: HashSet<[u8; 16]>,
    genesis_keys: Vec<String>,
}

/// What an opened content says of an entry, where it could be read so far.
struct Opened {
    meta: Meta,
    content: Content,
    /// Its type belongs under the leaf's kind, so that its fields are worth reading.
    in_place: bool,
}

/// The hash by which a leaf commits to a stored record.
pub(crate) fn stored_hash(record: &[u8]) -> [u8; 32] {
    Sha256::digest(record).into()
}

impl<'o> Records<'o> {
    pub fn new(origin: &str, options: &'o Options) -> Self {
        Self {
            origin: origin.to_owned(),
            origin_hash: origin_hash(origin).0,
            data_keys: DataKeys::new(options.keys.as_ref()),
            redactions: Redactions::default(),
            decisions: Decisions::new(),
            keys_given: options.keys.is_some(),
            last_at: None,
            requests: HashSet::new(),
            genesis_keys: Vec::new(),
        }
    }

    /// The vkeys that genesis lists, as written; empty before it was read.
    pub fn genesis_keys(&self) -> &[String] {
        &self.genesis_keys
    }

    /// Takes the stored record of the next leaf, with its [`stored_hash`].
    pub fn record(&mut self, leaf: &Leaf, bytes: &[u8], stored: [u8; 32], at: At<'_>, keys: &mut KeyWalk, out: &mut Outcome) {
        out.count("records");
        if leaf.kind != Kind::Entry {
            self.redactions.not_kind_1(leaf.index);
        }
        let as_written = stored == leaf.sealed_hash;
        let find = |code, detail: String| Finding::new(code, detail).entry(leaf.index).at(at);
        if !as_written && leaf.kind != Kind::Entry {
            out.find(find(
                codes::SEALED_HASH,
                format!("the stored record hashes to {}, the leaf states {}", hex::encode(stored), hex::encode(leaf.sealed_hash)),
            ));
        }
        let sealed = match Sealed::parse(bytes) {
            Ok(sealed) => sealed,
            Err(e) => {
                let code = if e == SealError::Missing { codes::RECORD_MISSING } else { codes::RECORD_MALFORMED };
                out.find(find(code, e.to_string()));
                return self.decisions.stop(leaf.index, "cannot be read");
            }
        };
        if (leaf.kind == Kind::Entry) == matches!(sealed, Sealed::Plain(_)) {
            out.find(find(codes::RECORD_SCHEME, format!("scheme {} under kind {}", bytes.first().copied().unwrap_or(0), leaf.kind as u8)));
        }
        let opened = self.open(leaf, &sealed, at, keys, out);
        if leaf.kind == Kind::Entry {
            self.hold_erased(leaf, &sealed, opened.as_ref(), (stored, as_written), at, out);
        }
        match opened {
            Some(Opened { meta, content, in_place: true }) => self.read(leaf, &meta, &content, at, keys, out),
            Some(_) => self.decisions.stop(leaf.index, "is not what its kind allows"),
            None => match sealed {
                // Without keys nothing is replayed, and whoever has millions of leaves waits for each step of this.
                _ if !self.keys_given => {}
                Sealed::Encrypted { key_id, .. } if !self.data_keys.opens(key_id) => self.decisions.pass(leaf.index, key_id),
                _ => self.decisions.stop(leaf.index, "was not opened"),
            },
        }
    }

    /// The record of this leaf is not there.
    pub fn absent(&mut self, leaf: &Leaf) {
        if leaf.kind != Kind::Entry {
            self.redactions.not_kind_1(leaf.index);
        }
        self.decisions.stop(leaf.index, "is missing");
    }

    pub fn finish(self, out: &mut Outcome) {
        let opened = self.keys_given || !self.data_keys.any_unopened();
        if !opened {
            out.not_checked("decisions: no keys were given");
        }
        self.data_keys.finish(out);
        self.redactions.finish(out);
        self.decisions.finish(opened, out);
    }

    fn open(&mut self, leaf: &Leaf, sealed: &Sealed<'_>, at: At<'_>, keys: &mut KeyWalk, out: &mut Outcome) -> Option<Opened> {
        let content = match *sealed {
            Sealed::Plain(content) => content.to_vec(),
            Sealed::Encrypted { key_id, .. } => {
                self.data_keys.usable(leaf.index, key_id, "key_id", out);
                let key = self.data_keys.open(leaf.index, key_id)?;
                match open(sealed, key, &self.origin_hash, leaf.index) {
                    Ok(content) => content,
                    Err(e) => {
                        let detail = format!("key_id {key_id}: {e}");
                        out.find(Finding::new(codes::RECORD_REFUSED, detail).entry(leaf.index).at(at));
                        return None;
                    }
                }
            }
        };
        self.content(leaf, &content, at, keys, out)
    }

    /// Everything section 4 asks of a content.
    fn content(&mut self, leaf: &Leaf, bytes: &[u8], at: At<'_>, keys: &mut KeyWalk, out: &mut Outcome) -> Option<Opened> {
        let find = |code, detail: String| Finding::new(code, detail).entry(leaf.index).at(at);
        let decoded = Content::decode(bytes).and_then(|content| content.encode().map(|encoded| (content, encoded.hash)));
        let (content, hash) = match decoded {
            Ok(decoded) => decoded,
            Err(e) => {
                out.find(find(codes::CONTENT_MALFORMED, e.to_string()));
                return None;
            }
        };
        out.count("contents");
        if hash != leaf.content_hash {
            // An opening proves nothing without the hash: nothing of it is shown or used.
            out.find(find(
                codes::CONTENT_HASH,
                format!("the content gives {}, the leaf states {}", hex::encode(hash), hex::encode(leaf.content_hash)),
            ));
            return None;
        }
        let meta = match content.meta() {
            Ok(meta) => meta,
            Err(e) => {
                let finding = find(codes::CONTENT_COMMON, e.to_string());
                out.find(if let ContentError::Common(name) = e { finding.field(name) } else { finding });
                return None;
            }
        };
        self.common(leaf, &meta, at, out);
        let fits = type_fits(leaf.kind, &meta.kind);
        let stuffed = meta.kind == "padding" && content.fields().len() != COMMON.len();
        let in_place = fits && !stuffed;
        if !fits {
            out.find(find(codes::CONTENT_TYPE, format!("type {:?} under kind {}", meta.kind, leaf.kind as u8)).field("type"));
        } else if leaf.kind != Kind::Entry {
            self.control(leaf, &meta, &content, at, keys, out);
        } else if stuffed {
            out.find(find(codes::PADDING_FIELDS, "padding holds nothing beside the four common fields".to_owned()));
        }
        Some(Opened { meta, content, in_place })
    }

    fn common(&mut self, leaf: &Leaf, meta: &Meta, at: At<'_>, out: &mut Outcome) {
        let mut find = |code, field: &str, detail: String| out.find(Finding::new(code, detail).entry(leaf.index).field(field).at(at));
        if meta.at / 60_000_000 * 60 != leaf.minute {
            find(codes::CONTENT_MINUTE, "at", format!("at is {}, the leaf's minute {}", meta.at, leaf.minute));
        }
        if self.last_at.is_some_and(|last| meta.at <= last) {
            find(codes::CONTENT_TIME, "at", format!("at {} is not after {}", meta.at, self.last_at.unwrap_or(0)));
        }
        self.last_at = Some(self.last_at.map_or(meta.at, |last| last.max(meta.at)));
        let mut hasher = Sha256::new();
        hasher.update((meta.actor.len() as u64).to_be_bytes());
        hasher.update(&meta.actor);
        hasher.update(&meta.request);
        let digest: [u8; 32] = hasher.finalize().into();
        let mut short = [0; 16];
        short.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        if !self.requests.insert(short) {
            find(codes::REQUEST_REPEATED, "request", "this actor has used this request before".to_owned());
        }
    }

    /// The records that the format itself defines.
    fn control(&mut self, leaf: &Leaf, meta: &Meta, content: &Content, at: At<'_>, keys: &mut KeyWalk, out: &mut Outcome) {
        if let Some(name) = content.erased().next() {
            let finding = Finding::new(codes::CONTENT_ERASED, "only kind 1 has erased fields");
            return out.find(finding.entry(leaf.index).field(name).at(at));
        }
        let fields = Fields(content);
        let done = match (leaf.kind, meta.kind.as_str()) {
            (Kind::Genesis, _) => self.genesis(&fields, at, keys, out),
            (Kind::KeyEvent, kind) => {
                keys.event(leaf.index, kind, &fields, out);
                Ok(())
            }
            (_, DATAKEY_CREATED) => self.data_keys.created(leaf.index, &fields, out),
            (_, DATAKEY_DESTROYED) => self.data_keys.destroyed(leaf.index, &fields, out).map(|kept| {
                if kept {
                    self.decisions
                        .stop(leaf.index, "destroys a data key that was given: without it the decisions after it can be made again");
                }
            }),
            (_, REDACTION) => self.redactions.order(leaf.index, meta, &fields, out).map(|key_id| {
                self.data_keys.usable(leaf.index, key_id, "key_id", out);
            }),
            (_, other) => {
                out.not_checked(format!("entry {}: evidence of type {other}", leaf.index));
                Ok(())
            }
        };
        if let Err(FieldFault { field, detail }) = done {
            out.find(Finding::new(codes::CONTROL_FIELDS, detail).entry(leaf.index).field(&field).at(at));
        }
    }

    fn genesis(&mut self, fields: &Fields<'_>, at: At<'_>, keys: &mut KeyWalk, out: &mut Outcome) -> Result<(), FieldFault> {
        fields.only(&["origin", "format", "keys"], &[])?;
        let (origin, format, listed) = (fields.text("origin")?, fields.uint("format")?, fields.texts("keys")?);
        let find = |code, field: &str, detail: String| Finding::new(code, detail).entry(0).field(field).at(at);
        if origin != self.origin {
            out.find(find(codes::GENESIS_ORIGIN, "origin", format!("genesis names {origin:?}, the checkpoint {:?}", self.origin)));
        }
        if format != 1 {
            out.find(find(codes::GENESIS_FORMAT, "format", format!("format {format}")));
        }
        keys.genesis(&listed, out);
        self.genesis_keys = listed.into_iter().map(str::to_owned).collect();
        Ok(())
    }

    /// Which fields of a kind 1 record may stand erased is known once all redactions are.
    fn hold_erased(
        &mut self,
        leaf: &Leaf,
        sealed: &Sealed<'_>,
        opened: Option<&Opened>,
        (stored, as_written): ([u8; 32], bool),
        at: At<'_>,
        out: &mut Outcome,
    ) {
        let erased: Option<BTreeSet<String>> = opened.map(|o| o.content.erased().map(str::to_owned).collect());
        if as_written {
            for name in erased.into_iter().flatten() {
                let detail = "erased, though the record is the one first written";
                out.find(Finding::new(codes::CONTENT_ERASED, detail).entry(leaf.index).field(&name).at(at));
            }
            return;
        }
        let key_id = match *sealed {
            Sealed::Encrypted { key_id, .. } => Some(key_id),
            Sealed::Plain(_) => None,
        };
        let opened = opened.zip(erased).map(|(o, erased)| (o.meta.actor.clone(), erased));
        let record =
            Rewritten { sealed_hash: leaf.sealed_hash, stored_hash: stored, key_id, file: at.file.to_owned(), offset: at.offset, opened };
        self.redactions.rewritten(leaf.index, record, out);
    }

    /// Reads the record for what officers signed, and for replay: without keys there is nothing to replay.
    fn read(&mut self, leaf: &Leaf, meta: &Meta, content: &Content, at: At<'_>, keys: &mut KeyWalk, out: &mut Outcome) {
        let read = Record::from_content(content);
        if let Ok(record) = &read {
            keys.signed.step(leaf.index, meta, record, out);
        }
        if !self.keys_given {
            return;
        }
        match read {
            Ok(record) => self.decisions.step(leaf.index, meta, &record, out),
            // The format's own records were held against the format above; the rules do not need them.
            Err(_) if leaf.kind != Kind::Entry => {}
            Err(RecordError::Erased(_)) => self.decisions.stop(leaf.index, "was redacted"),
            Err(RecordError::UnknownType(kind)) => {
                out.not_checked(format!("entry {}: a record of type {kind:?}, which this version does not know", leaf.index));
                self.decisions.stop(leaf.index, "is of an unknown type");
            }
            Err(e) => {
                out.find(Finding::new(codes::RECORD_FIELDS, e.to_string()).entry(leaf.index).at(at));
                self.decisions.stop(leaf.index, "cannot be read");
            }
        }
    }
}

fn type_fits(kind: Kind, name: &str) -> bool {
    let key_event = name.starts_with("key.") || name.starts_with("officer.");
    let maintenance = matches!(name, REDACTION | DATAKEY_CREATED | DATAKEY_DESTROYED);
    let anchor = name.starts_with("anchor.");
    match kind {
        Kind::Genesis => name == "genesis",
        Kind::KeyEvent => key_event,
        Kind::Maintenance => maintenance,
        Kind::Anchor => anchor,
        Kind::Entry => !(name == "genesis" || key_event || maintenance || anchor),
    }
}
