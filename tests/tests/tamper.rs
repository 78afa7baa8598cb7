//! One bit of every byte of every file of a ledger of 200 entries, as a data directory and as an export: the finding names the entry or the file,
//! and nothing passes in silence.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "a panic is a failed test")]

use std::collections::BTreeMap;
use std::path::Path;

use countersign_entry::record::{GrantState, Record};
use countersign_ledger::export::{Planes, export};
use countersign_ledger::{Directory, Ledger, Opening};
use countersign_testing::ledger::*;
use countersign_verify::{Options, verify};

type Files = BTreeMap<String, Vec<u8>>;

const ENTRIES: u64 = 200;
/// With keys every decision is replayed each time, which is ten times the work; every so many bytes are enough there.
const STRIDE_WITH_KEYS: usize = 29;

fn ledger(dir: &Path) -> Ledger {
    let opening = Opening { passphrase_file: None, pin_file: None, clock: Box::new(TestClock::new()), told: Box::new(|_| {}) };
    let mut ledger = Directory::create(
        dir,
        "tamper.example/software",
        Path::new("register/head"),
        opening,
        &principal("founder"),
        &principal("sequencer"),
        cast(),
    )
    .unwrap();
    let submission = stage_set(&mut ledger);
    let grant = active_grant(&mut ledger, "ada1", &submission);
    record(&mut ledger, "officer", "suspend", transition(grant, GrantState::Suspended)).unwrap();
    // Commits of one entry and of many; not only small ones, since every commit's signature is checked at every flip.
    while ledger.size() < ENTRIES {
        let now = ledger.now();
        let count = (ledger.size() % 90 + 1).min(ENTRIES - ledger.size());
        let first = ledger.size();
        let requests = (0..count)
            .map(|n| countersign_ledger::Request {
                actor: principal("gateway"),
                key: format!("event-{}", first + n).parse().unwrap(),
                record: Record::from(access("ada1", &submission, Some(grant), now)),
                signed: None,
            })
            .collect();
        assert!(ledger.commit(requests).iter().all(Result::is_ok));
    }
    ledger
}

fn read(dir: &Path) -> Files {
    fn walk(root: &Path, dir: &Path, out: &mut Files) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, out);
            } else {
                out.insert(path.strip_prefix(root).unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    let mut out = Files::new();
    walk(dir, dir, &mut out);
    out
}

/// Flips a bit of every `stride`-th byte. Returns how many there were, and those that went unnoticed or were laid at nobody's door.
fn flip_all(files: &Files, options: &Options, stride: usize) -> (usize, Vec<String>) {
    let places: Vec<(&str, usize)> =
        files.iter().flat_map(|(path, bytes)| (0..bytes.len()).map(move |at| (path.as_str(), at))).step_by(stride).collect();
    let halves = places.split_at(places.len() / 2);
    let run = |places: &[(&str, usize)]| -> Vec<String> {
        let mut files = files.clone();
        let mut bad = Vec::new();
        for (path, at) in places {
            let bit = 1u8 << ((at * 31 + path.len() * 7) % 8);
            files.get_mut(*path).unwrap()[*at] ^= bit;
            let report = verify(&files, options, &mut |_| {});
            files.get_mut(*path).unwrap()[*at] ^= bit;
            let named = report.findings.iter().any(|f| f.entry.is_some() || f.file.is_some());
            if report.exit_code == 0 || !named {
                bad.push(format!("{path} byte {at} bit {bit:#04x}: exit {}, {} findings", report.exit_code, report.findings.len()));
            }
        }
        bad
    };
    let bad = std::thread::scope(|s| {
        let other = s.spawn(|| run(halves.1));
        let mut bad = run(halves.0);
        bad.extend(other.join().unwrap());
        bad
    });
    (places.len(), bad)
}

fn every_byte(what: &str, files: &Files, ledger: &Ledger) {
    let with_keys = options(ledger);
    let mut without = with_keys.clone();
    without.keys = None;
    for (options, stride, keys) in [(without, 1, "without"), (with_keys, STRIDE_WITH_KEYS, "with")] {
        let report = verify(files, &options, &mut |_| {});
        assert_eq!(report.exit_code, 0, "{what} before anything was changed: {report}");
        let (count, bad) = flip_all(files, &options, stride);
        eprintln!("{what}, {keys} keys: {count} flips over {} files, {} unnoticed or unnamed", files.len(), bad.len());
        assert!(bad.is_empty(), "{what}, {keys} keys: {} of {count}:\n{}", bad.len(), bad[..bad.len().min(20)].join("\n"));
    }
}

#[test]
fn data_directory() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("ledger");
    let ledger = ledger(&dir);
    every_byte("data directory", &read(&dir), &ledger);
}

#[test]
fn static_export() {
    let base = tempfile::tempdir().unwrap();
    let ledger = ledger(&base.path().join("ledger"));
    let to = base.path().join("export");
    export(&ledger, &to, Planes::Both, &mut |_| {}).unwrap();
    every_byte("export", &read(&to), &ledger);
}
