//! Makes small ledgers from nothing, right or wrong as a test wants them.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, missing_docs)] // each test file uses its part; a test may stop

use std::collections::BTreeMap;

use ciborium::Value;
use countersign_entry::content::Content;
use countersign_entry::leaf::{Kind, Leaf};
use countersign_entry::seal::{DataKey, Scheme, plain, seal};
use countersign_log::chain::{link, origin_hash};
use countersign_log::checkpoint::Checkpoint;
use countersign_log::note::format_note;
use countersign_log::segment::{encode_batch, encode_header, encode_seal, file_name};
use countersign_log::tile::{Width, bundles, encode_entries, encode_sealed, entries_path, hash_tile, hash_tiles, sealed_path, tile_path};
use countersign_log::tree::{RootHash, Tree, TreeSize, leaf_hash};
use countersign_verify::{Options, Report, VKey, verify};
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};

pub const ORIGIN: &str = "ledger.example/made/software";
pub type Files = BTreeMap<String, Vec<u8>>;

pub fn sha(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub fn signer(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

pub fn vkey(key: &SigningKey) -> VKey {
    VKey::new(ORIGIN, key.verifying_key().as_bytes()).unwrap()
}

pub fn data_key(n: u32) -> [u8; 32] {
    [n as u8 + 100; 32]
}

pub fn texts(items: &[&str]) -> Value {
    Value::Array(items.iter().map(|t| Value::from(*t)).collect())
}

pub struct Made {
    pub leaf: Vec<u8>,
    pub record: Vec<u8>,
    pub content: Content,
    pub kind: Kind,
}

/// What one entry is to be; the common four are filled in unless given.
pub struct Plan {
    pub kind: Kind,
    pub name: &'static str,
    pub fields: Vec<(&'static str, Value)>,
    pub sealed: Option<(Scheme, u32)>,
    pub at: Option<u64>,
    pub minute: Option<u64>,
    pub actor: &'static str,
    pub request: Option<&'static str>,
}

pub fn plan(kind: Kind, name: &'static str, fields: Vec<(&'static str, Value)>) -> Plan {
    let sealed = (kind == Kind::Entry).then_some((Scheme::XChaCha, 1));
    Plan { kind, name, fields, sealed, at: None, minute: None, actor: "pr-0001", request: None }
}

pub struct Maker {
    pub made: Vec<Made>,
    /// Replaces a sealed record in what is stored (redactions, tampering).
    pub stored: BTreeMap<usize, Vec<u8>>,
    salt: u64,
}

impl Maker {
    pub fn empty() -> Self {
        Self { made: Vec::new(), stored: BTreeMap::new(), salt: 0 }
    }

    /// Genesis, data keys 1 (XChaCha) and 2, and two accesses.
    pub fn new() -> Self {
        let mut m = Self::empty();
        m.push(genesis(&[&vkey(&signer(1)).to_string()]));
        m.push(created(1));
        m.push(created(2));
        m.push(access("P-0001"));
        m.push(Plan { sealed: Some((Scheme::AesGcm, 2)), ..access("P-0002") });
        m
    }

    pub fn len(&self) -> u64 {
        self.made.len() as u64
    }

    fn salt(&mut self) -> [u8; 16] {
        self.salt += 1;
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.salt.to_be_bytes());
        salt
    }

    pub fn push(&mut self, p: Plan) -> u64 {
        let index = self.len();
        let at = p.at.unwrap_or(1_780_000_000_000_000 + index * 7_000_001);
        let mut fields: Vec<(String, Value)> = p.fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        fields.push(("type".into(), p.name.into()));
        fields.push(("at".into(), at.into()));
        fields.push(("actor".into(), p.actor.into()));
        fields.push(("request".into(), p.request.map_or(format!("req-{index}"), str::to_owned).into()));
        let content = Content::new(fields, || self.salt());
        let minute = p.minute.unwrap_or(at / 60_000_000 * 60);
        self.push_content(p.kind, content, minute, p.sealed)
    }

    pub fn push_content(&mut self, kind: Kind, content: Content, minute: u64, sealed: Option<(Scheme, u32)>) -> u64 {
        let index = self.len();
        let encoded = content.encode().unwrap();
        let record = self.seal(index, &encoded.bytes, sealed);
        let prev = self.made.last().map_or(origin_hash(ORIGIN).0, |m| link(&m.leaf).0);
        let leaf = Leaf { index, kind, minute, prev, content_hash: encoded.hash, sealed_hash: sha(&record) }.encode();
        self.made.push(Made { leaf, record, content, kind });
        index
    }

    pub fn seal(&mut self, index: u64, content: &[u8], sealed: Option<(Scheme, u32)>) -> Vec<u8> {
        match sealed {
            None => plain(content),
            Some((scheme, key_id)) => {
                let nonce = vec![self.salt()[7]; scheme.nonce_len()];
                seal(content, scheme, key_id, &DataKey::new(data_key(key_id)), &nonce, &origin_hash(ORIGIN).0, index).unwrap()
            }
        }
    }

    /// Rewrites entry 3 without `person` and records that; gives the redaction's index. `change` may spoil the redaction.
    pub fn redact(&mut self, change: impl FnOnce(&mut Plan)) -> u64 {
        self.redact_field(3, "person", (Scheme::XChaCha, 1), change)
    }

    pub fn redact_field(&mut self, target: usize, field: &'static str, sealed: (Scheme, u32), change: impl FnOnce(&mut Plan)) -> u64 {
        let erased = self.made[target].content.erase(field).unwrap().unwrap();
        let bytes = erased.encode().unwrap().bytes;
        let record = self.seal(target as u64, &bytes, Some(sealed));
        let fields = vec![
            ("target", Value::from(target as u64)),
            ("fields", texts(&[field])),
            ("key_id", Value::from(sealed.1)),
            ("authority", Value::from("5 U.S.C. 552a(e)(5)")),
            ("approvers", texts(&["pr-0002", "pr-0003"])),
            ("resealed_hash", Value::Bytes(sha(&record).to_vec())),
        ];
        let mut p = Plan { actor: "pr-0009", ..plan(Kind::Maintenance, "redaction", fields) };
        change(&mut p);
        self.made[target].content = erased;
        self.stored.insert(target, record);
        self.push(p)
    }

    pub fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        self.made.iter().for_each(|m| {
            tree.append(leaf_hash(&m.leaf));
        });
        tree
    }

    pub fn record(&self, index: usize) -> Vec<u8> {
        self.stored.get(&index).unwrap_or(&self.made[index].record).clone()
    }

    pub fn note(&self, size: u64, signers: &[&SigningKey]) -> Vec<u8> {
        note(ORIGIN, size, self.tree().root_at(TreeSize(size)).unwrap(), signers)
    }

    pub fn export(&self) -> Files {
        self.export_signed(&[&signer(1)])
    }

    pub fn export_signed(&self, signers: &[&SigningKey]) -> Files {
        let tree = self.tree();
        let size = tree.size();
        let mut files = Files::new();
        files.insert("checkpoint".into(), self.note(size.0, signers));
        for (level, index, width) in hash_tiles(size) {
            files.insert(tile_path(level, index, width), hash_tile(&tree, level, index, width).unwrap());
        }
        for (index, width) in bundles(size) {
            let range = index as usize * 256..index as usize * 256 + usize::from(Width::count(width));
            let leaves: Vec<&[u8]> = self.made[range.clone()].iter().map(|m| m.leaf.as_slice()).collect();
            files.insert(entries_path(index, width), encode_entries(&leaves).unwrap());
            let records: Vec<Vec<u8>> = range.map(|i| self.record(i)).collect();
            files.insert(sealed_path(index, width), encode_sealed(&records).unwrap());
        }
        for (i, m) in self.made.iter().enumerate().filter(|(_, m)| matches!(m.kind, Kind::Genesis | Kind::KeyEvent)) {
            files.insert(format!("control/{i}"), m.record.clone());
        }
        files
    }

    /// Commits of the given sizes; each inner list is one segment.
    pub fn data_dir(&self, segments: &[&[usize]]) -> Files {
        let mut files = Files::new();
        let mut next = 0;
        for batches in segments {
            let first = next as u64;
            let mut bytes = encode_header(first).to_vec();
            for count in *batches {
                let records: Vec<Vec<u8>> = (next..next + count).map(|i| self.record(i)).collect();
                let items: Vec<(&[u8], &[u8])> =
                    self.made[next..next + count].iter().zip(&records).map(|(m, r)| (m.leaf.as_slice(), r.as_slice())).collect();
                bytes.extend(encode_batch(first, bytes.len() as u64, next as u64, &items).unwrap());
                next += count;
                let note = self.note(next as u64, &[&signer(1)]);
                bytes.extend(encode_seal(first, bytes.len() as u64, next as u64, &note).unwrap());
            }
            files.insert(format!("segments/{}", file_name(first)), bytes);
        }
        let v = vkey(&signer(1));
        let config = format!("# countersign ledger, version 1\norigin = \"{ORIGIN}\"\nvkey = \"{v}\"\nregister = \"register/head\"\n");
        files.insert("countersign.toml".into(), config.into_bytes());
        let note = self.note(next as u64, &[&signer(1)]);
        files.insert("register/head".into(), countersign_log::register::encode(next as u64, &note));
        files.insert("lock".into(), Vec::new());
        files
    }
}

pub fn note(origin: &str, size: u64, root: RootHash, signers: &[&SigningKey]) -> Vec<u8> {
    let text = Checkpoint { origin: origin.into(), size: TreeSize(size), root }.to_text();
    note_of(&text, signers)
}

pub fn note_of(text: &str, signers: &[&SigningKey]) -> Vec<u8> {
    let made: Vec<_> = signers.iter().map(|s| (vkey(s).key_id(), s.sign(text.as_bytes()).to_bytes())).collect();
    let lines: Vec<_> = made.iter().map(|(id, sig)| (ORIGIN, *id, sig.as_slice())).collect();
    format_note(text, &lines).unwrap().into_bytes()
}

pub fn genesis(keys: &[&str]) -> Plan {
    plan(Kind::Genesis, "genesis", vec![("origin", ORIGIN.into()), ("format", 1.into()), ("keys", texts(keys))])
}

pub fn created(id: u32) -> Plan {
    let check = DataKey::new(data_key(id)).check(id);
    plan(Kind::Maintenance, "datakey.created", vec![("key_id", id.into()), ("check", Value::Bytes(check.to_vec()))])
}

pub fn destroyed(id: u32) -> Plan {
    let fields = vec![("key_id", id.into()), ("authority", "a schedule".into()), ("approvers", texts(&["pr-0002"]))];
    plan(Kind::Maintenance, "datakey.destroyed", fields)
}

pub fn access(person: &'static str) -> Plan {
    let fields = vec![
        ("person", person.into()),
        ("submission", "S-0001".into()),
        ("action", "view".into()),
        ("occurred_at", Value::from(1_780_000_000_000_000u64)),
        ("detail", Value::Null),
    ];
    plan(Kind::Entry, "access.event", fields)
}

pub fn options() -> Options {
    Options { keys: Some((1..=3).map(|n| (n, data_key(n))).collect()), ..Options::new(vkey(&signer(1))) }
}

pub fn without_keys() -> Options {
    Options::new(vkey(&signer(1)))
}

pub fn run(files: &Files, options: &Options) -> Report {
    verify(files, options, &mut |_| {})
}

pub fn codes(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|f| f.code).collect()
}
