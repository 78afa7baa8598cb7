//! Ledgers made by a second implementation: every public file is read, checked and made again, byte for byte.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use countersign_log::chain::{link, origin_hash};
use countersign_log::checkpoint::Checkpoint;
use countersign_log::note::{Note, VKey, format_note};
use countersign_log::proof::TlogProof;
use countersign_log::tile::{self, TileFile};
use countersign_log::tree::{CompactRange, LeafIndex, NodeHash, Tree, TreeSize, leaf_hash, verify_inclusion};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const LEDGERS: [(&str, u64); 3] = [("ledger-1", 1), ("ledger-7", 7), ("ledger-300", 300)];

struct Ledger {
    dir: PathBuf,
    made_by: Value,
    leaves: Vec<Vec<u8>>,
    records: Vec<Vec<u8>>,
}

impl Ledger {
    fn load(name: &str, size: u64) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/valid");
        let dir = root.join(name);
        let made_by = serde_json::from_slice(&fs::read(root.join(format!("{name}.json"))).unwrap()).unwrap();
        let (mut leaves, mut records) = (Vec::new(), Vec::new());
        for (index, width) in tile::bundles(TreeSize(size)) {
            let entries = fs::read(dir.join(tile::entries_path(index, width))).unwrap();
            leaves.extend(tile::decode_entries(&entries, width).unwrap().iter().map(|item| item.bytes.to_vec()));
            let sealed = fs::read(dir.join(tile::sealed_path(index, width))).unwrap();
            records.extend(tile::decode_sealed(&sealed, width).unwrap().iter().map(|item| item.bytes.to_vec()));
        }
        Self { dir, made_by, leaves, records }
    }

    fn text(&self, key: &str) -> &str {
        self.made_by[key].as_str().unwrap()
    }

    fn entries(&self) -> &[Value] {
        self.made_by["entries"].as_array().unwrap()
    }

    fn tree(&self) -> Tree {
        self.leaves.iter().map(|leaf| leaf_hash(leaf)).collect()
    }

    fn key(&self) -> VKey {
        VKey::parse(self.text("vkey")).unwrap()
    }

    fn signing_key(&self) -> SigningKey {
        SigningKey::from_bytes(&hex32(self.text("signing_seed")))
    }
}

fn ledgers() -> impl Iterator<Item = (Ledger, u64)> {
    LEDGERS.into_iter().map(|(name, size)| (Ledger::load(name, size), size))
}

fn hex32(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}

#[test]
fn the_checkpoint_verifies_and_is_made_again() {
    for (ledger, size) in ledgers() {
        let bytes = fs::read(ledger.dir.join("checkpoint")).unwrap();
        let key = ledger.key();
        let verified = Checkpoint::verify(&bytes, &key).unwrap();
        assert_eq!(verified.origin(), ledger.text("origin"));
        assert_eq!(verified.size(), TreeSize(size));
        assert_eq!(verified.root().to_string(), ledger.text("root"));
        assert_eq!(verified.root(), ledger.tree().root());

        let signing = ledger.signing_key();
        assert_eq!(VKey::new(key.name(), signing.verifying_key().as_bytes()).unwrap(), key);
        assert_eq!(key.to_string(), ledger.text("vkey"));
        let text = verified.checkpoint().to_text();
        let signature = signing.sign(text.as_bytes()).to_bytes();
        let rendered = format_note(&text, &[(key.name(), key.key_id(), &signature)]).unwrap();
        assert_eq!(rendered.as_bytes(), bytes);
    }
}

#[test]
fn every_tile_and_bundle_is_made_again_and_none_is_left_over() {
    for (ledger, size) in ledgers() {
        let tree = ledger.tree();
        let mut listed = BTreeSet::new();
        for file in tile::files(TreeSize(size)) {
            let slice = |items: &[Vec<u8>], index: u64, width: tile::Width| {
                let start = usize::try_from(index).unwrap() * 256;
                items[start..start + usize::from(width.count())].to_vec()
            };
            let made = match file {
                TileFile::Hashes { level, index, width } => tile::hash_tile(&tree, level, index, width).unwrap(),
                TileFile::Entries { index, width } => tile::encode_entries(&slice(&ledger.leaves, index, width)).unwrap(),
                TileFile::Sealed { index, width } => tile::encode_sealed(&slice(&ledger.records, index, width)).unwrap(),
            };
            assert_eq!(made, fs::read(ledger.dir.join(file.path())).unwrap(), "{}", file.path());
            listed.insert(file.path());
        }
        let stored: BTreeSet<String> = ["tile", "sealed"].iter().flat_map(|top| walk(&ledger.dir, top)).collect();
        assert_eq!(stored, listed);
        assert!(stored.iter().all(|path| TileFile::parse(path).unwrap().path() == *path));
    }
}

fn walk(root: &Path, relative: &str) -> Vec<String> {
    let path = root.join(relative);
    if path.is_file() {
        return vec![relative.to_owned()];
    }
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.flat_map(|name| walk(root, &format!("{relative}/{name}"))).collect()
}

#[test]
fn chain_leaf_hashes_and_inclusion_proofs_are_those_given() {
    for (ledger, size) in ledgers() {
        let tree = ledger.tree();
        let mut prev = vec![origin_hash(ledger.text("origin"))];
        prev.extend(ledger.leaves.iter().map(|leaf| link(leaf)));
        assert_eq!(prev.last().unwrap().to_string(), ledger.text("chain_head"));
        for entry in ledger.entries() {
            let field = |name: &str| entry[name].as_str().unwrap();
            let index = entry["index"].as_u64().unwrap();
            let position = usize::try_from(index).unwrap();
            let leaf = &ledger.leaves[position];
            assert_eq!(hex::encode(leaf), field("leaf"));
            assert_eq!(prev[position].to_string(), field("prev"));
            assert_eq!(prev[position + 1].to_string(), field("chain"));
            assert_eq!(leaf_hash(leaf).to_string(), field("leaf_hash"));
            assert_eq!(hex::encode(&ledger.records[position]), field("stored_record"));

            let given: Vec<NodeHash> =
                entry["inclusion"].as_array().unwrap().iter().map(|hash| NodeHash(hex32(hash.as_str().unwrap()))).collect();
            assert_eq!(tree.inclusion_proof(LeafIndex(index), TreeSize(size)).unwrap(), given);
            assert_eq!(verify_inclusion(leaf_hash(leaf), LeafIndex(index), TreeSize(size), &given, tree.root()), Ok(()));
        }
    }
}

#[test]
fn every_entry_has_a_receipt() {
    for (ledger, size) in ledgers() {
        let (tree, key) = (ledger.tree(), ledger.key());
        let note = Note::parse(&fs::read(ledger.dir.join("checkpoint")).unwrap()).unwrap();
        for (index, leaf) in (0..size).zip(&ledger.leaves) {
            let hashes = tree.inclusion_proof(LeafIndex(index), TreeSize(size)).unwrap();
            let file = TlogProof { extra: None, index: LeafIndex(index), hashes, note: note.clone() }.encode();
            let proven = TlogProof::parse(file.as_bytes()).unwrap().verify(leaf, &key).unwrap();
            assert_eq!((proven.index(), proven.size(), proven.root()), (LeafIndex(index), TreeSize(size), tree.root()));
        }
    }
}

#[test]
fn hash_tiles_alone_give_the_signed_root() {
    for (ledger, size) in ledgers() {
        let mut range = CompactRange::new();
        for (index, width) in tile::bundles(TreeSize(size)) {
            let bytes = fs::read(ledger.dir.join(tile::tile_path(0, index, width))).unwrap();
            for hash in tile::decode_hash_tile(&bytes, width).unwrap() {
                range.append(countersign_log::tree::LeafHash(hash.0));
            }
        }
        assert_eq!(range.root().to_string(), ledger.text("root"));
    }
}
