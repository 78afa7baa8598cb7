//! A toolbox for forgers: takes a ledger apart, changes one thing at a depth of the caller's choice, and puts everything above it together again.
//!
//! In scope: the depths at which somebody with the signing key could begin: stored bytes (nothing re-hashed), record, content, leaf, chain, tree
//! and tiles, checkpoint. Each method re-does what lies above its depth; [`Forge::export`] builds tree and tiles and signs.
//!
//! Not in scope: what is wrong with the result ([`crate::vectors`] says it for each vector, `countersign-verify` finds it).
//!
//! Limits: everything is in memory. Salts and nonces come out of a hash, so that the same calls give the same bytes for ever: never for real use.

use std::collections::BTreeMap;

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use ciborium::Value;
use countersign_entry::cbor;
use countersign_entry::content::{Content, Field};
use countersign_entry::leaf::{Kind, Leaf};
use countersign_entry::seal::{DataKey, Scheme, Sealed, open, plain, seal};
use countersign_log::chain::{link, origin_hash};
use countersign_log::checkpoint::Checkpoint;
use countersign_log::note::VKey;
use countersign_log::tile::{
    Width, bundles, decode_entries, decode_sealed, encode_entries, entries_path, hash_tile, hash_tiles, sealed_path, tile_path,
};
use countersign_log::tree::{RootHash, Tree, TreeSize, leaf_hash};
use countersign_log::vkey::{KeyId, key_id};
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest, Sha256};

/// The files of an export, by path. Also a source for the verifier.
pub type Files = BTreeMap<String, Vec<u8>>;
/// Data keys by key id.
pub type Keys = BTreeMap<u32, [u8; 32]>;

const PER_BUNDLE: usize = 256;
/// Microseconds between two entries that a forger adds.
const STEP: u64 = 7_000_001;

/// One entry, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The leaf's bytes.
    pub leaf: Vec<u8>,
    /// The record as it is stored now.
    pub record: Vec<u8>,
}

/// An entry to be added. What is `None` is filled in as a right ledger would.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The leaf's kind.
    pub kind: Kind,
    /// The content's `type`.
    pub type_name: String,
    /// Its fields beside the common four.
    pub fields: Vec<(String, Value)>,
    /// How the record is sealed; plain where `None`.
    pub sealed: Option<(Scheme, u32)>,
    /// Microseconds since the Unix epoch.
    pub at: Option<u64>,
    /// The actor.
    pub actor: String,
    /// The request.
    pub request: Option<String>,
}

impl Plan {
    /// An entry of a type; kind 1 is sealed under key 1, scheme 1.
    pub fn new<const N: usize>(kind: Kind, type_name: &str, fields: [(&str, Value); N]) -> Self {
        Self {
            kind,
            type_name: type_name.to_owned(),
            fields: fields.map(|(name, value)| (name.to_owned(), value)).into(),
            sealed: (kind == Kind::Entry).then_some((Scheme::XChaCha, 1)),
            at: None,
            actor: "pr-5c1f08e2".to_owned(),
            request: None,
        }
    }

    /// The same with one field set or added.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.fields.retain(|(n, _)| n != name);
        self.fields.push((name.to_owned(), value));
        self
    }

    /// The same without a field.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(n, _)| n != name);
        self
    }
}

/// A ledger in pieces, and the keys to put it together again.
#[derive(Debug, Clone)]
pub struct Forge {
    /// The log's name.
    pub origin: String,
    /// The log's signing key.
    pub signing: SigningKey,
    /// Its data keys.
    pub keys: Keys,
    /// Its entries.
    pub parts: Vec<Part>,
    clock: u64,
}

impl Forge {
    /// An empty ledger whose first entry will be at `start`, microseconds since the Unix epoch.
    pub fn new(origin: &str, signing: SigningKey, keys: Keys, start: u64) -> Self {
        Self { origin: origin.to_owned(), signing, keys, parts: Vec::new(), clock: start - STEP }
    }

    /// Takes an export apart.
    pub fn take_apart(files: &Files, origin: &str, signing: SigningKey, keys: Keys, size: u64) -> Self {
        let mut forge = Self::new(origin, signing, keys, STEP);
        for (index, width) in bundles(TreeSize(size)) {
            let leaves = decode_entries(&files[&entries_path(index, width)], width).unwrap();
            let records = decode_sealed(&files[&sealed_path(index, width)], width).unwrap();
            forge.parts.extend(leaves.iter().zip(&records).map(|(l, r)| Part { leaf: l.bytes.to_vec(), record: r.bytes.to_vec() }));
        }
        forge.clock = forge.content(forge.parts.len() - 1).meta().unwrap().at;
        forge
    }

    /// Entries.
    pub fn size(&self) -> u64 {
        self.parts.len() as u64
    }

    /// The log's vkey.
    pub fn vkey(&self) -> VKey {
        vkey(&self.origin, &self.signing)
    }

    /// A leaf, decoded.
    pub fn leaf(&self, index: usize) -> Leaf {
        Leaf::decode(&self.parts[index].leaf).unwrap()
    }

    /// The bytes of a content, opened.
    pub fn opened(&self, index: usize) -> Vec<u8> {
        match Sealed::parse(&self.parts[index].record).unwrap() {
            Sealed::Plain(content) => content.to_vec(),
            sealed @ Sealed::Encrypted { key_id, .. } => {
                open(&sealed, &DataKey::new(self.keys[&key_id]), &origin_hash(&self.origin).0, index as u64).unwrap()
            }
        }
    }

    /// A content, opened.
    pub fn content(&self, index: usize) -> Content {
        Content::decode(&self.opened(index)).unwrap()
    }

    /// How a record is sealed.
    pub fn sealed_with(&self, index: usize) -> Option<(Scheme, u32)> {
        match Sealed::parse(&self.parts[index].record).unwrap() {
            Sealed::Plain(_) => None,
            Sealed::Encrypted { scheme, key_id, .. } => Some((scheme, key_id)),
        }
    }

    /// Seals bytes for a place in this ledger.
    pub fn seal(&self, index: usize, content: &[u8], sealed: Option<(Scheme, u32)>) -> Vec<u8> {
        match sealed {
            None => plain(content),
            Some((scheme, key_id)) => self.seal_as(index, content, scheme, key_id, &self.keys[&key_id], &self.origin),
        }
    }

    /// Seals bytes under any key and for any place.
    pub fn seal_as(&self, index: usize, content: &[u8], scheme: Scheme, key_id: u32, key: &[u8; 32], origin: &str) -> Vec<u8> {
        let nonce = &drawn(&[b"nonce", &index.to_be_bytes(), content])[..scheme.nonce_len()];
        seal(content, scheme, key_id, &DataKey::new(*key), nonce, &origin_hash(origin).0, index as u64).unwrap()
    }

    /// Scheme 1 over a plaintext whose padding is the caller's.
    pub fn seal_padded(&self, index: usize, plaintext: &[u8], key_id: u32) -> Vec<u8> {
        let nonce = &drawn(&[b"padded", &index.to_be_bytes(), plaintext])[..24];
        let aad = [&origin_hash(&self.origin).0[..], &(index as u64).to_be_bytes(), &[1], &key_id.to_be_bytes()].concat();
        let payload = Payload { msg: plaintext, aad: &aad };
        let ciphertext = XChaCha20Poly1305::new(&self.keys[&key_id].into()).encrypt(nonce.try_into().unwrap(), payload).unwrap();
        [&[1][..], &key_id.to_be_bytes(), nonce, &ciphertext].concat()
    }

    /// Puts other bytes in the store. Nothing is re-hashed.
    pub fn store(&mut self, index: usize, record: Vec<u8>) {
        self.parts[index].record = record;
    }

    /// Puts another record in place; its hash and everything above are re-done.
    pub fn set_record(&mut self, index: usize, record: Vec<u8>) {
        let sealed_hash = sha(&record);
        self.store(index, record);
        self.edit_leaf(index, |leaf| leaf.sealed_hash = sealed_hash);
    }

    /// Puts another content in place, sealed as the old one was; hashes, record and everything above are re-done.
    pub fn set_content(&mut self, index: usize, bytes: &[u8], content_hash: [u8; 32]) {
        let record = self.seal(index, bytes, self.sealed_with(index));
        self.set_record(index, record);
        self.edit_leaf(index, |leaf| leaf.content_hash = content_hash);
    }

    /// Changes the fields of a content; hashes, record and everything above are re-done. The minute stays.
    pub fn edit_content(&mut self, index: usize, change: impl FnOnce(&mut Vec<(String, Field)>)) {
        let mut fields = self.content(index).fields().to_vec();
        change(&mut fields);
        let encoded = Content::from_fields(fields).encode().unwrap();
        self.set_content(index, &encoded.bytes, encoded.hash);
    }

    /// Sets one field of a content to another value, under its salt.
    pub fn set_field(&mut self, index: usize, name: &str, to: Value) {
        self.edit_content(index, |fields| {
            for (_, field) in fields.iter_mut().filter(|(n, _)| n == name) {
                if let Field::Shown { value, .. } = field {
                    *value = to.clone();
                }
            }
        });
    }

    /// Changes a content as a CBOR map, right or wrong; the hash is that of the map of its fields' bytes.
    pub fn edit_map(&mut self, index: usize, change: impl FnOnce(&mut Vec<(Value, Value)>)) {
        let Value::Map(mut pairs) = cbor::decode(&self.opened(index)).unwrap() else { unreachable!() };
        change(&mut pairs);
        let committed = |v: &Value| match v {
            Value::Bytes(_) => v.clone(),
            shown => Value::Bytes(sha(&loose(shown)).to_vec()),
        };
        let hash = sha(&loose(&Value::Map(pairs.iter().map(|(k, v)| (k.clone(), committed(v))).collect())));
        self.set_content(index, &loose(&Value::Map(pairs)), hash);
    }

    /// Changes a leaf; the chain after it is linked again.
    pub fn edit_leaf(&mut self, index: usize, change: impl FnOnce(&mut Leaf)) {
        let mut leaf = self.leaf(index);
        change(&mut leaf);
        self.set_leaf(index, leaf.encode());
    }

    /// Puts any bytes in a leaf's place; the chain after it is linked again.
    pub fn set_leaf(&mut self, index: usize, bytes: Vec<u8>) {
        self.parts[index].leaf = bytes;
        self.relink(index + 1);
    }

    /// Adds an entry and gives its index.
    pub fn push(&mut self, plan: Plan) -> usize {
        let index = self.parts.len();
        self.clock = plan.at.unwrap_or(self.clock + STEP);
        let mut fields = plan.fields;
        fields.push(("type".into(), plan.type_name.into()));
        fields.push(("at".into(), self.clock.into()));
        fields.push(("actor".into(), plan.actor.into()));
        fields.push(("request".into(), plan.request.unwrap_or_else(|| format!("forged-{index}")).into()));
        let mut n = 0u64;
        let content = Content::new(fields, || {
            n += 1;
            drawn(&[b"salt", &index.to_be_bytes(), &n.to_be_bytes()])[..16].try_into().unwrap()
        });
        self.push_content(plan.kind, &content, self.clock, plan.sealed)
    }

    /// Adds an entry with this content and gives its index.
    pub fn push_content(&mut self, kind: Kind, content: &Content, at: u64, sealed: Option<(Scheme, u32)>) -> usize {
        let index = self.parts.len();
        let encoded = content.encode().unwrap();
        let record = self.seal(index, &encoded.bytes, sealed);
        let leaf = Leaf {
            index: index as u64,
            kind,
            minute: at / 60_000_000 * 60,
            prev: [0; 32],
            content_hash: encoded.hash,
            sealed_hash: sha(&record),
        };
        self.parts.push(Part { leaf: leaf.encode(), record });
        self.relink(index);
        index
    }

    /// Links the chain again from `first` on, through the leaves as they are.
    pub fn relink(&mut self, first: usize) {
        for index in first..self.parts.len() {
            let prev = match index {
                0 => origin_hash(&self.origin).0,
                _ => link(&self.parts[index - 1].leaf).0,
            };
            self.parts[index].leaf = Leaf { prev, ..self.leaf(index) }.encode();
        }
    }

    /// The first `size` entries alone.
    #[must_use]
    pub fn cut(&self, size: usize) -> Self {
        let mut cut = self.clone();
        cut.parts.truncate(size);
        cut.clock = cut.content(size - 1).meta().unwrap().at;
        cut
    }

    /// The tree over the leaves.
    pub fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        for part in &self.parts {
            tree.append(leaf_hash(&part.leaf));
        }
        tree
    }

    /// What a checkpoint over the first `size` leaves says.
    pub fn text(&self, size: u64) -> String {
        text(&self.origin, size, self.tree().root_at(TreeSize(size)).unwrap())
    }

    /// A checkpoint over the first `size` leaves, signed by the log's key.
    pub fn note(&self, size: u64) -> Vec<u8> {
        note(&self.text(size), &[(&self.origin, &self.signing)])
    }

    /// The export of both planes, signed by the log's key.
    pub fn export(&self) -> Files {
        let tree = self.tree();
        let mut files = Files::from([("checkpoint".to_owned(), self.note(self.size()))]);
        for (level, index, width) in hash_tiles(tree.size()) {
            files.insert(tile_path(level, index, width), hash_tile(&tree, level, index, width).unwrap());
        }
        for (index, width) in bundles(tree.size()) {
            let first = usize::try_from(index).unwrap() * PER_BUNDLE;
            let parts = &self.parts[first..first + usize::from(Width::count(width))];
            files.insert(entries_path(index, width), encode_entries(&parts.iter().map(|p| &p.leaf).collect::<Vec<_>>()).unwrap());
            // By hand: the encoder would refuse what a forger may want to store.
            let sealed = parts.iter().flat_map(|p| [&u32::try_from(p.record.len()).unwrap().to_be_bytes()[..], &p.record].concat());
            files.insert(sealed_path(index, width), sealed.collect());
        }
        for (index, part) in self.parts.iter().enumerate() {
            if matches!(Leaf::decode(&part.leaf), Ok(Leaf { kind: Kind::Genesis | Kind::KeyEvent, .. })) {
                files.insert(format!("control/{index}"), part.record.clone());
            }
        }
        files
    }

    /// The export with another checkpoint.
    pub fn export_under(&self, checkpoint: Vec<u8>) -> Files {
        let mut files = self.export();
        files.insert("checkpoint".to_owned(), checkpoint);
        files
    }
}

/// SHA-256.
pub fn sha(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A signing key that is no secret.
pub fn signing(label: &str) -> SigningKey {
    SigningKey::from_bytes(&drawn(&[b"signing key", label.as_bytes()]))
}

/// A data key that is no secret.
pub fn data_key(key_id: u32) -> [u8; 32] {
    drawn(&[b"data key", &key_id.to_be_bytes()])
}

/// The vkey of a signing key.
pub fn vkey(origin: &str, signing: &SigningKey) -> VKey {
    VKey::new(origin, signing.verifying_key().as_bytes()).unwrap()
}

/// What a checkpoint says.
pub fn text(origin: &str, size: u64, root: RootHash) -> String {
    Checkpoint { origin: origin.to_owned(), size: TreeSize(size), root }.to_text()
}

/// A signed note over any text, right or wrong.
pub fn note(text: &str, signers: &[(&str, &SigningKey)]) -> Vec<u8> {
    let mut out = format!("{text}\n");
    for (name, key) in signers {
        let id = key_id(name, 1, key.verifying_key().as_bytes());
        out.push_str(&signature_line(name, id, &key.sign(text.as_bytes()).to_bytes()));
    }
    out.into_bytes()
}

/// One signature line of a note.
pub fn signature_line(name: &str, id: KeyId, signature: &[u8]) -> String {
    format!("\u{2014} {name} {}\n", countersign_log::encoding::base64(&[&id.0[..], signature].concat()))
}

/// An array of texts.
pub fn texts(items: &[&str]) -> Value {
    Value::Array(items.iter().map(|t| Value::from(*t)).collect())
}

/// CBOR as it stands: maps in the order given, with whatever keys, lengths minimal. What is canonical comes out as the canonical writer has it.
fn loose(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    ciborium::into_writer(value, &mut out).unwrap();
    out
}

/// 32 bytes that look random and are the same each time.
fn drawn(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"countersign test vectors");
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}
