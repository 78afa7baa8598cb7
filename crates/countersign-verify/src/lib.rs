//! Everything wrong with a ledger, from its bytes alone.
//!
//! In scope: both planes of a static export or of a data directory (ledger-format sections 2 to 10): leaves, chain, tree, tiles, checkpoints
//! and their keys over time, kept heads, stored records, contents, data keys, redactions, and every decision made again. One call,
//! [`verify`], reads through a [`Source`] and gives a [`Report`]; it goes on after a finding and says where each one lies.
//!
//! Not in scope: the hashes and formats themselves (`countersign-log`, `countersign-entry`), the rules of decisions (`countersign-conflict`),
//! repairing anything, and fetching: nothing here opens a file or a connection, except [`files`], a folder as a source.
//!
//! Limits: one file at a time is in memory (a bundle of 256 entries, or a segment of at most about 128 MiB); beside it a few dozen hashes,
//! 8 bytes for each entry that is not of kind 1, about 200 for each redacted one, and with keys 16 for each entry, besides the facts that
//! replay needs. Findings beyond the first hundred of their code are counted, not kept. Witness cosignatures are not judged yet.
//!
//! Where to start reading: [`codes`] lists all that can be found; `export.rs` and `datadir.rs` walk the two layouts; both feed `leaves.rs`
//! (public plane), `records.rs` (sealed plane) and `keys.rs` (who may sign).

pub mod codes;
mod datadir;
mod datakeys;
mod export;
mod fields;
pub mod files;
mod heads;
mod keys;
mod leaves;
mod officers;
mod records;
mod redaction;
mod replay;
mod report;
mod source;
mod tiles;

use std::collections::BTreeMap;

pub use countersign_log::note::VKey;

pub use self::report::{Check, FINDINGS_PER_CODE_MAX, Finding, NOT_CHECKED_MAX, Report, SCHEMA, Verdict};
pub use self::source::{FileEntry, Progress, Source, SourceError};

use self::heads::Head;
use self::keys::KeyWalk;
use self::leaves::Leaves;
use self::records::Records;
use self::report::Outcome;

/// What to check, and against what.
#[derive(Clone)]
pub struct Options {
    /// The key of the log that the caller trusts.
    pub vkey: VKey,
    /// Data keys by key id. Giving any, even none of them, asks for everything: contents that stay shut are then *could not check*.
    pub keys: Option<BTreeMap<u32, [u8; 32]>>,
    /// Signed checkpoints kept from earlier, or by somebody else.
    pub known_checkpoints: Vec<Vec<u8>>,
    /// The sealed plane is asked for even without keys: its absence is tampering.
    pub want_sealed: bool,
    /// The sealed plane is left alone, even if it is there. Without effect where keys are given.
    pub public_only: bool,
    /// Looks for damage in a data directory's key files, given path and bytes. Their format is the signer's; without this they are listed as not
    /// checked.
    pub key_files: Option<KeyFileCheck>,
}

/// Says what is wrong with a key file, if anything is.
pub type KeyFileCheck = fn(&str, &[u8]) -> Result<(), String>;

impl Options {
    /// Both planes as far as they are there, no keys, no kept heads.
    pub fn new(vkey: VKey) -> Self {
        Self { vkey, keys: None, known_checkpoints: Vec::new(), want_sealed: false, public_only: false, key_files: None }
    }

    fn looks_at_sealed(&self) -> bool {
        self.keys.is_some() || self.want_sealed || !self.public_only
    }
}

/// Checks a ledger. Export or data directory is told by the files. Never fails: what cannot be read is a finding.
pub fn verify(source: &dyn Source, options: &Options, progress: &mut dyn FnMut(Progress)) -> Report {
    let mut run = Run { source, options, progress, files: BTreeMap::new(), out: Outcome::default() };
    let head = match source.files() {
        Ok(files) => {
            run.files = files.into_iter().map(|f| (f.path, f.len)).collect();
            if datadir::is_one(&run.files) { datadir::check(&mut run) } else { export::check(&mut run) }
        }
        Err(e) => {
            run.out.find(Finding::new(codes::UNREADABLE, e.reason).file(&e.path));
            None
        }
    };
    run.out.not_checked("witness cosignatures: no trust policy was given");
    if options.known_checkpoints.is_empty() {
        run.out.not_checked("omission of checkpoints, and a rewritten past: only a head kept elsewhere can show them, and none was given");
    }
    let head = head.map(|h| (h.checkpoint.origin, h.checkpoint.size.0, h.checkpoint.root.to_string()));
    run.out.into_report(options.vkey.to_string(), head)
}

/// One verification under way.
struct Run<'r> {
    source: &'r dyn Source,
    options: &'r Options,
    progress: &'r mut dyn FnMut(Progress),
    /// Path to length.
    files: BTreeMap<String, u64>,
    out: Outcome,
}

impl<'r> Run<'r> {
    /// A listed file's bytes; `None`, with a finding, if it cannot be read.
    fn read(&mut self, path: &str) -> Option<Vec<u8>> {
        match self.source.read(path) {
            Ok(bytes) => Some(bytes),
            Err(e) => {
                self.out.find(Finding::new(codes::UNREADABLE, e.reason).file(path));
                None
            }
        }
    }

    /// The heads that were given, as far as they are checkpoints.
    fn known_heads(&mut self) -> Vec<Head> {
        let mut heads = Vec::new();
        for (note, n) in self.options.known_checkpoints.iter().zip(1..) {
            heads.extend(Head::read(note, &format!("known checkpoint {n}"), &self.options.vkey, &mut self.out));
        }
        heads
    }
}

/// The state that both layouts feed, entry by entry.
struct Planes<'o> {
    leaves: Leaves,
    keys: KeyWalk,
    records: Records<'o>,
}

impl<'o> Planes<'o> {
    fn new(origin: &str, options: &'o Options, wanted: impl IntoIterator<Item = u64>) -> Self {
        Self { leaves: Leaves::new(origin, wanted), keys: KeyWalk::new(origin, &options.vkey), records: Records::new(origin, options) }
    }
}
