//! `kill -9` at random moments under load: nothing acknowledged is lost, and every restart verifies.
//!
//! This tests the order of a commit and recovery, not durability: the page cache survives a killed process. Power cuts are a test of their own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "tests")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use countersign_ledger::{Access, Directory, Ledger, Opening, SystemClock};
use countersign_testing::ledger::{active_grant, cast, options, principal, stage_set};
use countersign_verify::files::DirSource;

/// Unless `COUNTERSIGN_KILLS` says otherwise.
const KILLS: u64 = 200;
/// Kills a ledger gets before a new one is made: each restart replays everything, so an old ledger costs much and shows nothing new.
const KILLS_EACH: u64 = 20;

#[test]
fn nothing_acknowledged_is_lost() {
    let seed = std::env::var("COUNTERSIGN_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(|| u64::from(std::process::id()));
    let mut random = Random(seed);
    let (mut acknowledged, mut finished) = (0, 0);
    let kills = std::env::var("COUNTERSIGN_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    for group in 0..kills / KILLS_EACH {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("ledger");
        drop(make(&dir));
        for round in 0..KILLS_EACH {
            let acked = load_and_kill(&dir, group * KILLS_EACH + round, Duration::from_micros(500 + random.below(60_000)));
            let before = store_size(&dir);
            let ledger = open(&dir);
            assert_eq!(ledger.read_only(), None, "seed {seed}, kill {round} of group {group}");
            finished += u64::from(ledger.size() > before);
            for (key, index) in &acked {
                let (_, meta, _) = ledger.entry(*index).unwrap_or_else(|e| panic!("seed {seed}: acknowledged entry {index} is lost: {e}"));
                assert_eq!(&meta.request, key, "seed {seed}");
            }
            acknowledged += acked.len();
        }
        let ledger = open(&dir);
        let report = countersign_verify::verify(&DirSource::new(&dir), &options(&ledger), &mut |_| {});
        assert_eq!(report.exit_code, 0, "seed {seed}: {report}");
    }
    eprintln!(
        "{kills} kills, seed {seed}: {acknowledged} acknowledged entries, none lost; {finished} interrupted commits finished at restart"
    );
    assert!(acknowledged > 0);
}

fn make(dir: &Path) -> Ledger {
    let mut ledger = Directory::create(
        dir,
        "kill.example/software",
        Path::new("register/head"),
        opening(),
        &principal("founder"),
        &principal("sequencer"),
        cast(),
    )
    .unwrap();
    let submission = stage_set(&mut ledger);
    active_grant(&mut ledger, "ada1", &submission);
    ledger
}

fn opening() -> Opening {
    Opening { passphrase_file: None, pin_file: None, clock: Box::new(SystemClock), told: Box::new(|_| {}) }
}

fn open(dir: &Path) -> Ledger {
    Directory::find(dir).unwrap().open(Access::Write, opening()).unwrap()
}

/// Entries sealed, as somebody sees who does not finish an interrupted commit.
fn store_size(dir: &Path) -> u64 {
    Directory::find(dir).unwrap().open(Access::Read, opening()).unwrap().size()
}

/// Runs the loader until `after` past its first acknowledgement, kills it, and returns what it acknowledged: request and index.
fn load_and_kill(dir: &Path, round: u64, after: Duration) -> Vec<(String, u64)> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_loader")).arg(dir).arg(round.to_string()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let reader = std::thread::spawn(move || std::iter::once(first).chain(lines.map_while(Result::ok)).collect::<Vec<_>>());
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    let parse = |line: String| {
        line.split_once(' ').and_then(|(n, index)| Some((format!("{round}-{:012}", n.parse::<u64>().ok()?), index.parse().ok()?)))
    };
    reader.join().unwrap().into_iter().filter_map(parse).collect()
}

/// A small generator; good enough to choose moments.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}
