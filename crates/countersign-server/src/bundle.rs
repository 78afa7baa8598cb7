//! Evidence bundles (ledger-format section 8): the public plane of the whole log, and of some entries what may be shown of them, with everything that is
//! needed to check it by tools that are not ours. The same ledger and the same question give the same bytes.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use countersign_api::marking::banner;
use countersign_api::view::{Eyes, shown_fields};
use countersign_entry::record::{Marking, Record};
use countersign_ledger::export::{ExportError, Planes, export};
use countersign_ledger::{Ledger, OpenError};
use countersign_log::note::Note;
use countersign_log::vkey::{PublicKey, VKey};
use countersign_verify::files::DirSource;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::exports::{MARKING_FILE, fields};

/// Entries that are shown in one bundle.
pub const ENTRIES_MAX: usize = 1_000;
/// Checks all of it but the signature with nothing but Python's own library.
const CHECK: &str = include_str!("../bundle/check.py");
const README: &str = include_str!("../bundle/README.txt");
/// The list of all files, which `sha256sum -c` reads.
pub const MANIFEST: &str = "manifest.sha256";

/// Writes a bundle's files to a new directory. In the `eyes` of whoever asks: of entries they may not know of only leaf and receipt go along.
///
/// # Errors
/// The ledger cannot be read, or a file cannot be written.
pub fn write(
    ledger: &Ledger,
    to: &Path,
    entries: &[u64],
    eyes: &Eyes,
    marked: &Marking,
    progress: &mut dyn FnMut(u64),
) -> Result<(), ExportError> {
    fs::create_dir_all(to).map_err(|source| ExportError::File { path: to.to_owned(), source })?;
    let out = Out { to };
    export(ledger, &to.join("public"), Planes::Public, progress)?;
    for index in entries {
        entry(ledger, &out, *index, eyes)?;
    }
    keys(ledger, &out)?;
    let head = ledger.head()?;
    signed(ledger, &out, &head.note)?;
    let vkey = ledger.vkey();
    let policy = json!({
        "origin": ledger.origin(), "vkey": vkey.to_string(), "size": head.size, "root": ledger.root().to_string(), "witnesses": [], "quorum": 0,
        "says": "The log's own key is all that is asked for. Pin the vkey you got from elsewhere, not this one.",
    });
    out.put("policy.json", pretty(&policy).as_bytes())?;
    let report =
        countersign_verify::verify(&DirSource::new(to.join("public")), &countersign_verify::Options::new(vkey.clone()), &mut |_| {});
    out.put("report.json", pretty(&json!(report)).as_bytes())?;
    out.put("report.txt", report.to_string().as_bytes())?;
    out.put("check.py", CHECK.as_bytes())?;
    let readme = README.replace("{vkey}", &vkey.to_string()).replace("{signature}", &openssl(vkey)).replace("{banner}", &banner(marked));
    out.put("README.txt", readme.as_bytes())?;
    out.put("MARKING.txt", format!("{}\n", banner(marked)).as_bytes())?;
    out.put(MARKING_FILE, fields(marked).as_bytes())?;
    manifest(&out)
}

struct Out<'a> {
    to: &'a Path,
}

impl Out<'_> {
    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let path = self.to.join(name);
        let failed = |source| ExportError::File { path: path.clone(), source };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        fs::write(&path, bytes).map_err(failed)
    }
}

fn pretty(value: &serde_json::Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// Leaf, receipt, and what may be shown: the content in canonical CBOR, what is left out of it as its commitment, and the same for people to read.
fn entry(ledger: &Ledger, out: &Out<'_>, index: u64, eyes: &Eyes) -> Result<(), ExportError> {
    let proof = ledger.proof(index)?;
    let damaged = |what: String| OpenError::Damaged { entry: index, what };
    out.put(&format!("entries/{index}.leaf"), &proof.leaf)?;
    out.put(&format!("entries/{index}.tlog-proof"), proof.tlog_proof().map_err(|e| damaged(e.to_string()))?.as_bytes())?;
    let Some((_, meta, record)) = countersign_ledger::unless_erased(ledger.entry(index))? else { return Ok(()) };
    let Some((shown, told)) = shown_fields(eyes, ledger.facts(), &record) else { return Ok(()) };
    out.put(&format!("entries/{index}.content"), &ledger.disclosed(index, |key| shown.iter().any(|name| name == key))?)?;
    let read = json!({ "entry": index, "actor": meta.actor, "request": meta.request, "at": meta.at, "type": meta.kind, "record": told });
    out.put(&format!("entries/{index}.json"), pretty(&read).as_bytes())
}

/// Every key the log ever signed by, as the key events tell it: a line for each event, and each key as OpenSSL reads it.
fn keys(ledger: &Ledger, out: &Out<'_>) -> Result<(), ExportError> {
    let dir = out.to.join("public/control");
    let failed = |source| ExportError::File { path: dir.clone(), source };
    let mut events = Vec::new();
    for file in fs::read_dir(&dir).map_err(failed)? {
        let name = file.map_err(failed)?.file_name();
        events.extend(name.to_str().and_then(|name| name.parse::<u64>().ok()));
    }
    events.sort_unstable();
    let mut history = String::new();
    for index in events {
        let (_, _, record) = ledger.entry(index)?;
        let named: Vec<&str> = match &record {
            Record::Genesis(r) => r.keys.iter().map(|key| key.as_str()).collect(),
            Record::KeyRotated(r) => vec![r.new.as_str()],
            _ => Vec::new(),
        };
        for vkey in named.iter().filter_map(|text| VKey::parse(text).ok()) {
            out.put(&format!("keys/{}.pem", hex::encode(vkey.key_id().0)), pem(&vkey).as_bytes())?;
        }
        writeln!(history, "{}", json!({ "entry": index, "type": record.type_name(), "vkeys": named })).unwrap_or(());
    }
    out.put("keys/history.jsonl", history.as_bytes())
}

fn pem(vkey: &VKey) -> String {
    let base64 = STANDARD.encode(vkey.public_key().to_spki());
    let lines: Vec<&str> = base64.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

/// The checkpoint's text and its signature apart, as OpenSSL takes them.
fn signed(ledger: &Ledger, out: &Out<'_>, note: &[u8]) -> Result<(), ExportError> {
    let damaged = |what: &str| OpenError::Damaged { entry: ledger.size(), what: what.to_owned() };
    let note = Note::parse(note).map_err(|e| damaged(&e.to_string()))?;
    let by = note.signatures().iter().find(|line| line.name == ledger.origin()).ok_or_else(|| damaged("no signature by the log's key"))?;
    out.put("signed/checkpoint.text", note.text().as_bytes())?;
    out.put("signed/checkpoint.signature", &by.signature)?;
    out.put("signed/key", hex::encode(by.key_id.0).as_bytes())
}

/// How OpenSSL checks it.
fn openssl(vkey: &VKey) -> String {
    let key = "\"keys/$(cat signed/key).pem\"";
    match vkey.public_key() {
        PublicKey::Ed25519(_) => {
            format!("openssl pkeyutl -verify -pubin -inkey {key} -rawin -in signed/checkpoint.text -sigfile signed/checkpoint.signature")
        }
        PublicKey::Ecdsa(_) => {
            format!("openssl dgst -sha256 -verify {key} -signature signed/checkpoint.signature signed/checkpoint.text")
        }
    }
}

fn manifest(out: &Out<'_>) -> Result<(), ExportError> {
    let failed = |source| ExportError::File { path: out.to.to_owned(), source };
    let mut lines = String::new();
    for name in crate::exports::files(out.to).map_err(failed)? {
        let digest = Sha256::digest(fs::read(out.to.join(&name)).map_err(failed)?);
        writeln!(lines, "{}  {name}", hex::encode(digest)).unwrap_or(());
    }
    out.put(MANIFEST, lines.as_bytes())
}
