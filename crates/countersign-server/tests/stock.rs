//! Clients of other people over the service: Cloudflare's port of Go's checksum database (`tlog_tiles`, `signed_note`) reads and authenticates tiles,
//! proofs and receipts, and Google's `coset` a receipt of RFC 9942. Nothing of ours takes part in the checking but the transport.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coset::{CoseSign1, TaggedCborSerializable as _};
use serde_json::Value;
use signed_note::{Note, StandardVerifier, VerifierList};
use support::{Client, House};
use tlog_tiles::{
    Checkpoint, Error, Hash, Tile, TileHashReader, TileReader, check_record, check_tree, prove_record, prove_tree, record_hash,
};

/// Tiles over HTTP. Its own paths name the height, which C2SP fixes at 8.
struct Tiles<'a> {
    client: &'a Client,
    wrong: bool,
}

impl TileReader for Tiles<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |tile: &Tile| {
            let mut bytes = self.client.get(&format!("/{}", tile.path().replacen("tile/8/", "tile/", 1))).is(200).body;
            bytes[0] ^= u8::from(self.wrong);
            bytes
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

fn head(note: &[u8], vkey: &str) -> Checkpoint {
    let known = VerifierList::new(vec![Box::new(StandardVerifier::new(vkey).unwrap())]);
    let note = Note::from_bytes(note).unwrap();
    assert_eq!(note.verify(&known).unwrap().0.len(), 1);
    Checkpoint::from_bytes(note.text()).unwrap()
}

/// Leaves of the bundles up to a size, by C2SP tlog-tiles: each after its length, two bytes, the high one first.
fn leaves(client: &Client, size: u64) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for number in 0..size.div_ceil(256) {
        let partial = if size >= (number + 1) * 256 { String::new() } else { format!(".p/{}", size % 256) };
        let mut bytes = &client.get(&format!("/tile/entries/{number:03}{partial}")).is(200).body[..];
        while let [high, low, rest @ ..] = bytes {
            let (leaf, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            all.push(leaf.to_vec());
            bytes = rest;
        }
    }
    all
}

fn hashes(told: &Value) -> Vec<Hash> {
    told.as_array().unwrap().iter().map(|hash| Hash::parse_hash(hash.as_str().unwrap()).unwrap()).collect()
}

#[test]
fn other_peoples_clients_read_and_verify_it() {
    let house = House::start();
    let (nobody, vkey) = (house.nobody(), house.vkey().to_string());
    let first = head(&nobody.get("/checkpoint").is(200).body, &vkey);
    let line = r#"{"person":"P-ada1","submission":"S-0001","action":"query","occurred_at":"2026-06-01T12:00:00Z"}"#;
    let lines = format!("{line}\n").repeat(600);
    let headers = [("Content-Type", "application/x-ndjson"), ("Idempotency-Key", "six-hundred-events")];
    house.client("gateway").ask("POST", "/api/v1/accesses", &headers, lines.as_bytes()).unwrap().is(200);

    let now = head(&nobody.get("/checkpoint").is(200).body, &vkey);
    assert!(now.size() >= first.size() + 600 && now.origin() == support::ORIGIN);
    // Every hash that is read is authenticated against the signed root before it is used.
    let tiles = Tiles { client: &nobody, wrong: false };
    let reader = TileHashReader::new(now.size(), *now.hash(), &tiles);
    let leaves = leaves(&nobody, now.size());
    assert_eq!(leaves.len() as u64, now.size());
    for n in [0, 1, 255, 256, 511, 512, now.size() - 1] {
        let proof = prove_record(now.size(), n, &reader).unwrap();
        let hash = record_hash(&leaves[usize::try_from(n).unwrap()]);
        check_record(&proof, now.size(), *now.hash(), n, hash).unwrap();
        // The proof that the interface gives is the same one.
        let told = nobody.get(&format!("/api/v1/log/proofs/inclusion?index={n}&size={}", now.size())).is(200).json();
        assert_eq!(hashes(&told["hashes"]), proof);
        assert!(check_record(&proof, now.size(), *now.hash(), n, Hash([7; 32])).is_err());
    }
    let proof = prove_tree(now.size(), first.size(), &reader).unwrap();
    check_tree(&proof, now.size(), *now.hash(), first.size(), *first.hash()).unwrap();
    let told = nobody.get(&format!("/api/v1/log/proofs/consistency?from={}&to={}", first.size(), now.size())).is(200).json();
    assert_eq!(hashes(&told["hashes"]), proof);
    let wrong = Tiles { client: &nobody, wrong: true };
    assert!(prove_record(now.size(), 3, &TileHashReader::new(now.size(), *now.hash(), &wrong)).is_err());

    // A receipt: C2SP tlog-proof is the index, the hashes, an empty line, and the signed note.
    let index = first.size() + 300;
    let receipt = nobody.get(&format!("/api/v1/log/entries/{index}/receipt")).is(200).text();
    let (proof, note) = receipt.split_once("\n\n").unwrap();
    let mut lines = proof.lines();
    assert_eq!((lines.next(), lines.next()), (Some("c2sp.org/tlog-proof@v1"), Some(format!("index {index}").as_str())));
    let proof: Vec<Hash> = lines.map(|line| Hash::parse_hash(line).unwrap()).collect();
    let under = head(note.as_bytes(), &vkey);
    let leaf = &leaves[usize::try_from(index).unwrap()];
    check_record(&proof, under.size(), *under.hash(), index, record_hash(leaf)).unwrap();

    // The same of RFC 9942: signed is the root, which is the checkpoint's.
    let cose = CoseSign1::from_tagged_slice(&nobody.get(&format!("/api/v1/log/entries/{index}/cose")).is(200).body).unwrap();
    assert_eq!(cose.protected.header.alg, Some(coset::Algorithm::Assigned(coset::iana::Algorithm::EdDSA)));
    let key = STANDARD.decode(vkey.splitn(3, '+').nth(2).unwrap()).unwrap();
    let key = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.all.iter().find_map(|with| {
        let signed = |signature: &[u8], message: &[u8]| with.verify_signature(&key[1..], message, signature);
        cose.verify_detached_signature(&under.hash().0, b"", signed).ok()
    });
    assert!(key.is_some(), "no algorithm holds");
    house.verified();
}
