//! The ledgers of a second implementation: verified, opened, sealed again, and then damaged byte by byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)] // a test may stop where a library may not

mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;

use countersign_entry::content::Content;
use countersign_entry::leaf::Leaf;
use countersign_entry::seal::{DataKey, Sealed, open, plain, seal};
use countersign_log::chain::origin_hash;
use countersign_log::tile::{Width, bundles, decode_entries, decode_sealed, entries_path, sealed_path};
use countersign_log::tree::TreeSize;
use countersign_verify::files::DirSource;
use countersign_verify::{Options, Source, VKey, Verdict, verify};
use support::{Files, run};

struct Vector {
    files: Files,
    options: Options,
    origin: String,
    size: u64,
}

fn valid() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/valid")
}

fn load(name: &str) -> Vector {
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(valid().join(format!("{name}.json"))).unwrap()).unwrap();
    let source = DirSource::new(valid().join(name));
    let files = source.files().unwrap().into_iter().map(|f| (f.path.clone(), source.read(&f.path).unwrap())).collect();
    let keys: BTreeMap<u32, [u8; 32]> = json["keys"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(id, key)| (id.parse().unwrap(), hex::decode(key.as_str().unwrap()).unwrap().try_into().unwrap()))
        .collect();
    let options = Options { keys: Some(keys), ..Options::new(VKey::parse(json["vkey"].as_str().unwrap()).unwrap()) };
    Vector { files, options, origin: json["origin"].as_str().unwrap().to_owned(), size: json["size"].as_u64().unwrap() }
}

#[test]
fn all_three_verify_with_and_without_keys_and_without_the_sealed_plane() {
    for (name, size) in [("ledger-1", 1), ("ledger-7", 7), ("ledger-300", 300)] {
        let v = load(name);
        let report = run(&v.files, &v.options);
        assert_eq!((report.verdict, report.size), (Verdict::Verified, Some(size)), "{report}");
        let opened = report.checks.iter().find(|c| c.name == "contents").unwrap().count;
        assert_eq!(opened, size, "every content is opened");
        let keyless = Options { keys: None, ..v.options.clone() };
        assert_eq!(run(&v.files, &keyless).verdict, Verdict::Verified);
        let public: Files = v.files.clone().into_iter().filter(|(p, _)| !p.starts_with("sealed/")).collect();
        let report = run(&public, &keyless);
        assert_eq!(report.verdict, Verdict::Verified);
        assert!(report.not_checked.iter().any(|l| l.contains("public export")));
        assert_eq!(run(&public, &v.options).verdict, Verdict::Tampered, "keys were given and sealed/ is missing");
        let source = DirSource::new(valid().join(name));
        assert_eq!(verify(&source, &v.options, &mut |_| {}).verdict, Verdict::Verified);
    }
}

#[test]
fn every_record_seals_again_to_the_same_bytes() {
    for name in ["ledger-1", "ledger-7", "ledger-300"] {
        let v = load(name);
        let origin = origin_hash(&v.origin).0;
        let mut index = 0;
        for (n, width) in bundles(TreeSize(v.size)) {
            let leaves = decode_entries(&v.files[&entries_path(n, width)], width).unwrap();
            let records = decode_sealed(&v.files[&sealed_path(n, width)], width).unwrap();
            for (leaf, record) in leaves.iter().zip(&records) {
                let decoded = Leaf::decode(leaf.bytes).unwrap();
                assert_eq!(decoded.encode(), leaf.bytes);
                let sealed = Sealed::parse(record.bytes).unwrap();
                let again = match sealed {
                    Sealed::Plain(content) => plain(&Content::decode(content).unwrap().encode().unwrap().bytes),
                    Sealed::Encrypted { scheme, key_id, nonce, .. } => {
                        let key = DataKey::new(v.options.keys.as_ref().unwrap()[&key_id]);
                        let content = open(&sealed, &key, &origin, index).unwrap();
                        let encoded = Content::decode(&content).unwrap().encode().unwrap();
                        assert_eq!(encoded.hash, decoded.content_hash);
                        seal(&encoded.bytes, scheme, key_id, &key, nonce, &origin, index).unwrap()
                    }
                };
                assert_eq!(again, record.bytes, "{name} entry {index}");
                index += 1;
            }
        }
        assert_eq!(index, v.size);
    }
}

#[test]
fn no_flipped_bit_passes_in_silence() {
    let v = load("ledger-7");
    let keyless = Options { keys: None, ..v.options.clone() };
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let (mut flips, mut named) = (0, 0);
    for (path, bytes) in &v.files {
        let mut files = v.files.clone();
        for (at, original) in bytes.iter().enumerate() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            files.get_mut(path).unwrap()[at] ^= 1 << (state % 8);
            for options in [&v.options, &keyless] {
                let report = run(&files, options);
                let listed = report.not_checked.iter().any(|l| l.contains(path.as_str()));
                assert!(report.exit_code != 0 || listed, "{path} byte {at} passed");
                assert_eq!(report.verdict.exit_code(), report.exit_code);
                let localised = report.findings.iter().any(|f| f.file.as_deref() == Some(path) || f.entry.is_some());
                named += usize::from(localised);
                flips += 1;
            }
            files.get_mut(path).unwrap()[at] = *original;
        }
    }
    assert_eq!(flips, 2 * v.files.values().map(Vec::len).sum::<usize>());
    assert_eq!(named, flips, "each names the file or the entry");
}

#[test]
fn damage_is_laid_at_the_right_door() {
    let v = load("ledger-300");
    let mut files = v.files.clone();
    // Entry 5 by its content_hash, in the bundle alone: the tiles vouch against it.
    let bundle = files.get_mut("tile/entries/000").unwrap();
    let offset = decode_entries(&v.files["tile/entries/000"], Width::FULL).unwrap()[5].offset;
    bundle[offset + 60] ^= 1;
    let report = run(&files, &v.options);
    let leaf = report.findings.iter().find(|f| f.code == "leaf-hash").unwrap();
    assert_eq!((leaf.entry, leaf.file.as_deref(), leaf.offset), (Some(5), Some("tile/entries/000"), Some(offset as u64)));
    // The same hash in the tile: now the leaves vouch against it.
    let mut files = v.files.clone();
    files.get_mut("tile/0/000").unwrap()[5 * 32] ^= 1;
    let report = run(&files, &v.options);
    assert_eq!(support::codes(&report), ["tile-hash"]);
    assert_eq!((report.findings[0].entry, report.findings[0].offset), (Some(5), Some(160)));
    // And one level up.
    let mut files = v.files.clone();
    files.get_mut("tile/1/000.p/1").unwrap()[0] ^= 1;
    assert_eq!(support::codes(&run(&files, &v.options)), ["tile-hash"]);
}

#[test]
fn each_missing_or_short_file_is_named() {
    let v = load("ledger-300");
    for path in v.files.keys() {
        let mut files = v.files.clone();
        files.remove(path);
        let report = run(&files, &v.options);
        let wanted = if path == "checkpoint" { Verdict::CouldNotCheck } else { Verdict::Tampered };
        assert_eq!(report.verdict, wanted, "{path}: {report}");
        assert!(report.findings.iter().any(|f| f.file.as_deref() == Some(path)), "{path}: {report}");
        for cut in [0, 1, v.files[path].len() / 2, v.files[path].len() - 1] {
            files.insert(path.clone(), v.files[path][..cut].to_vec());
            assert_ne!(run(&files, &v.options).verdict, Verdict::Verified, "{path} cut to {cut}");
        }
        let longer = [v.files[path].as_slice(), b"\n"].concat();
        files.insert(path.clone(), longer);
        assert_ne!(run(&files, &v.options).verdict, Verdict::Verified, "{path} with a byte more");
    }
}

#[test]
fn random_damage_never_panics_and_never_passes() {
    let v = load("ledger-300");
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    let paths: Vec<&String> = v.files.keys().collect();
    for _ in 0..300 {
        let mut files = v.files.clone();
        let path = paths[next(paths.len())];
        let bytes = files.get_mut(path).unwrap();
        let (at, len) = (next(bytes.len()), 1 + next(40));
        let end = (at + len).min(bytes.len());
        match next(3) {
            0 => drop(bytes.drain(at..end)),
            1 => bytes[at..end].iter_mut().for_each(|b| *b = b.wrapping_add(1 + next(255) as u8)),
            _ => drop(bytes.splice(at..at, std::iter::repeat_n(next(256) as u8, len))),
        }
        if files[path] == v.files[path] {
            continue;
        }
        assert_ne!(run(&files, &v.options).verdict, Verdict::Verified, "{path} at {at}");
    }
}
