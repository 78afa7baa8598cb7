//! The figures of `docs/performance.md`, by one command: `cargo xtask bench [DIR] [--long] [--entries N] [--quick]`.
//!
//! It prints the machine, the figures, and their ratios to bare loops of the same work in the same run. Shared machines drift: quote the ratios.
//! The workload is that of the bars: access events of 15 fields under active grants, sealed, assessed against facts of 100,000 people, 10,000
//! issuers and 1,000 submissions, receipts rendered.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that fails should stop"
)]

mod bare;
mod starts;
mod workload;

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use countersign_entry::ids::LeafIndex;
use countersign_ledger::{Directory, Ledger, Opening, Pending, SystemClock, Writer};
use countersign_log::vkey::VKey;
use countersign_testing::ledger::{cast, options, principal};
use countersign_verify::files::DirSource;

use self::workload::Workload;
use countersign_testing::table::{self, Table};

/// The program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ORIGIN: &str = "bench.example/software";
const DEPTH: usize = 1_024;
/// Beyond so many entries nothing is measured that replays every decision.
const REPLAYED_MAX: u64 = 2_000_000;

struct Arguments {
    base: PathBuf,
    /// How long each load lasts.
    load: Duration,
    /// Entries of the ledger that is verified.
    entries: u64,
    write: bool,
}

fn main() {
    let mut arguments = std::env::args().skip(1).collect::<Vec<_>>();
    if arguments.first().is_some_and(|a| a == "verify") {
        return verify_child(Path::new(&arguments[1]), &arguments[2]);
    }
    if arguments.first().is_some_and(|a| a == "pass") {
        return println!("{}", bare::pass(Path::new(&arguments[1])));
    }
    if arguments.first().is_some_and(|a| a == "start") {
        return starts::child(Path::new(&arguments[1]), arguments[2] == "replay");
    }
    let arguments = parse(&mut arguments);
    fs::create_dir_all(&arguments.base).unwrap();
    let mut table = Table::new(&arguments.base);
    run(&arguments, &mut table);
    fs::remove_dir_all(&arguments.base).unwrap();
    if arguments.write {
        table.write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/performance.md"), "figures");
    }
}

fn parse(arguments: &mut Vec<String>) -> Arguments {
    let mut flag = |name: &str| arguments.iter().position(|a| a == name).map(|at| arguments.remove(at)).is_some();
    let (long, write) = (flag("--long"), !flag("--quick"));
    let entries = arguments.iter().position(|a| a == "--entries").map(|at| arguments.drain(at..at + 2).nth(1).unwrap());
    let entries = entries.map_or(1_000_000, |n| match n.strip_suffix('M') {
        Some(millions) => millions.parse::<u64>().unwrap() * 1_000_000,
        None => n.parse().unwrap(),
    });
    let base =
        arguments.pop().map_or_else(|| std::env::temp_dir().join(format!("countersign-bench-{}", std::process::id())), PathBuf::from);
    assert!(arguments.is_empty(), "usage: bench [DIR] [--long] [--entries N] [--quick]");
    Arguments { base, load: Duration::from_secs(if long { 60 } else { 10 }), entries, write }
}

fn opening() -> Opening {
    Opening { passphrase_file: None, pin_file: None, clock: Box::new(SystemClock), told: Box::new(|_| {}) }
}

fn run(arguments: &Arguments, table: &mut Table) {
    let dir = arguments.base.join("ledger");
    let founder = principal("founder");
    let mut ledger =
        Directory::create(&dir, ORIGIN, Path::new("register/head"), opening(), &founder, &principal("sequencer"), cast()).unwrap();
    let began = Instant::now();
    let workload = Workload::make(&mut ledger);
    eprintln!("{} entries of facts recorded in {:.0} s", ledger.size(), began.elapsed().as_secs_f64());
    let syncs = bare::fdatasync(&arguments.base);
    table.row("bare fdatasync of 640 more bytes", format!("{:.0} /s", syncs.growing), "", "");
    table.row("bare fdatasync of 640 bytes over zeros", format!("{:.0} /s", syncs.over_zeros), "", "");
    assess(&ledger, &workload, table);
    let ledger = depth_one(ledger, &workload, arguments.load.min(Duration::from_secs(10)), syncs.over_zeros, table);
    let ledger = deep(ledger, &workload, arguments, syncs.over_zeros, table);
    sizes(&dir, &ledger, table);
    let vkey = ledger.vkey().to_string();
    let size = ledger.size();
    if size <= REPLAYED_MAX {
        with_keys(&dir, &ledger, table);
    } else {
        table.row("verify with keys", "not measured", "at this size it takes minutes: run it with fewer entries", "");
    }
    drop(ledger);
    without_keys(&dir, &vkey, size, table);
    let replay_too = size <= REPLAYED_MAX;
    let how = if replay_too { "replay" } else { "no-replay" };
    starts::measure(&dir, size, replay_too, &|| child(&["start", dir.to_str().unwrap(), how]), table);
}

fn depth_one(ledger: Ledger, workload: &Workload, load: Duration, syncs: f64, table: &mut Table) -> Ledger {
    let writer = Writer::start(ledger).unwrap();
    let mut times = Vec::new();
    let (began, used) = (Instant::now(), table::processor());
    while began.elapsed() < load {
        let one = Instant::now();
        let receipt = writer.submit(workload.request(times.len() as u64)).unwrap().wait().unwrap();
        std::hint::black_box(receipt.tlog_proof().unwrap());
        times.push(one.elapsed());
    }
    let rate = times.len() as f64 / began.elapsed().as_secs_f64();
    times.sort();
    let at = |q: f64| times[((times.len() - 1) as f64 * q) as usize].as_secs_f64() * 1e3;
    table.row(
        "acknowledged append, one at a time, p50",
        format!("{:.2} ms", at(0.5)),
        format!("{rate:.0} /s, {:.2} of a bare fdatasync loop; p99 {:.2} ms", rate / syncs, at(0.99)),
        "1 ms",
    );
    let each = (table::processor() - used) / times.len() as f64 * 1e6;
    table.row("  processor time each", format!("{each:.0} us"), "the rest is waiting for the disk, three times, and for a processor", "");
    writer.stop().unwrap()
}

/// Keeps `DEPTH` requests waiting for the time of the load, and then goes on until the ledger has the entries that verification wants.
fn deep(ledger: Ledger, workload: &Workload, arguments: &Arguments, syncs: f64, table: &mut Table) -> Ledger {
    let (before, bare) = (ledger.size(), bare::hash_and_seal());
    let writer = Writer::start(ledger).unwrap();
    let mut waiting: VecDeque<Pending> = VecDeque::with_capacity(DEPTH);
    let (mut sent, mut done, mut bytes) = (1 << 40, 0u64, 0u64);
    let mut measured = None;
    let (began, used) = (Instant::now(), table::processor());
    while measured.is_none() || before + done < arguments.entries {
        while waiting.len() < DEPTH {
            waiting.push_back(writer.submit(workload.request(sent)).unwrap());
            sent += 1;
        }
        // Half a window at a time, as clients do who look when something has come.
        for pending in waiting.drain(..DEPTH / 2) {
            bytes += pending.wait().unwrap().tlog_proof().unwrap().len() as u64;
            done += 1;
        }
        if measured.is_none() && began.elapsed() >= arguments.load {
            let each = (table::processor() - used) / done as f64 * 1e6;
            measured = Some((done as f64 / began.elapsed().as_secs_f64(), each, table::memory(None)));
        }
    }
    let (rate, each, memory) = measured.unwrap();
    for pending in waiting {
        done += u64::from(pending.wait().is_ok());
    }
    table.row(
        format!("acknowledged appends, {DEPTH} waiting, for {} s", arguments.load.as_secs()),
        format!("{rate:.0} /s"),
        format!("{:.2} of a bare loop of hashing and sealing on one core, {:.0} x a bare fdatasync loop", rate / bare, rate / syncs),
        "60,000 /s",
    );
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    table.row(
        "  processor time each, the load generator's included",
        format!("{each:.1} us"),
        format!("{:.0} /s if {cores:.0} cores did nothing else", cores / each * 1e6),
        "33 us",
    );
    table.row("  a receipt", format!("{:.0} bytes", bytes as f64 / done as f64), "", "");
    table.row("  memory after that load", format!("{:.0} MiB", memory.0), format!("{} entries in the ledger", before + done), "");
    let ledger = writer.stop().unwrap();
    let standing = ledger.standing();
    assert_eq!((standing.index_trouble, ledger.size()), (None, before + done));
    table.row("  the index on disk, behind the head", format!("{} entries", standing.index_lag), "at most one run of 65,536", "");
    ledger
}

fn assess(ledger: &Ledger, workload: &Workload, table: &mut Table) {
    let mut times: Vec<_> = (0..200_000)
        .map(|n| {
            let (person, submission, grant) = workload.subject(n);
            let now = ledger.now();
            let one = Instant::now();
            let ask = countersign_conflict::Ask::Access { grant: Some(LeafIndex(grant)), occurred_at: now };
            std::hint::black_box(countersign_conflict::assess(ledger.facts(), now, person, submission, ask));
            one.elapsed()
        })
        .collect();
    times.sort();
    let mean = times.iter().sum::<Duration>().as_secs_f64() / times.len() as f64 * 1e6;
    let p99 = times[times.len() * 99 / 100].as_secs_f64() * 1e6;
    let facts = "100,000 people, 10,000 issuers, 1,000 submissions";
    table.row("assess, mean", format!("{mean:.2} us"), facts, "5 us");
    table.row("assess, p99", format!("{p99:.2} us"), facts, "50 us");
}

fn sizes(dir: &Path, ledger: &Ledger, table: &mut Table) {
    let (mut public, mut sealed) = (0, 0);
    let last = ledger.size() - 1_000;
    for index in last..ledger.size() {
        let (leaf, _, _) = ledger.entry(index).unwrap();
        public += leaf.len();
        sealed += ledger.stored_len(index).unwrap() - leaf.len();
    }
    let stored: u64 = fs::read_dir(dir.join("segments")).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).sum();
    table.row("an entry on the public plane", format!("{:.0} bytes", public as f64 / 1e3), "leaf; 32 more for its hash in a tile", "");
    table.row(
        "an entry on the sealed plane",
        format!("{:.0} bytes", sealed as f64 / 1e3),
        "content of 19 salted fields, padded to 128",
        "",
    );
    let each = stored as f64 / ledger.size() as f64;
    table.row("an entry in the segments, all told", format!("{each:.0} bytes"), "facts and zeros ahead included", "");
}

fn with_keys(dir: &Path, ledger: &Ledger, table: &mut Table) {
    let began = Instant::now();
    let report = countersign_verify::verify(&DirSource::new(dir), &options(ledger), &mut |_| {});
    assert_eq!(report.exit_code, 0, "{report}");
    let seconds = began.elapsed().as_secs_f64();
    table.row(
        "verify with keys, every decision replayed",
        format!("{:.0} /s", ledger.size() as f64 / seconds),
        format!("{} entries in {seconds:.1} s", ledger.size()),
        "",
    );
}

/// Numbers that a process of its own says.
fn child(arguments: &[&str]) -> Vec<f64> {
    let done = std::process::Command::new(std::env::current_exe().unwrap()).args(arguments).stderr(std::process::Stdio::inherit()).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", done.status);
    String::from_utf8(done.stdout).unwrap().split_whitespace().map(|n| n.parse::<f64>().unwrap()).collect()
}

/// In a process of its own, so that its memory is its own; the best of three, since the first brings the files into memory.
fn without_keys(dir: &Path, vkey: &str, size: u64, table: &mut Table) {
    let path = dir.to_str().unwrap();
    let best = |arguments: &[&str]| (0..3).map(|_| child(arguments)).min_by(|a, b| a[0].total_cmp(&b[0])).unwrap();
    let pass = best(&["pass", path])[0];
    let verified = best(&["verify", path, vkey]);
    let (seconds, peak) = (verified[0], verified[1]);
    table.row("bare pass: SHA-256 and BLAKE3 over the segments", format!("{pass:.2} s"), "two threads, files in memory, best of three", "");
    table.row(
        "verify without keys, warm",
        format!("{seconds:.2} s"),
        format!("{size} entries, {:.0} /s", size as f64 / seconds),
        "10 s for 10 million",
    );
    table.row("  against the bare pass", format!("{:.2}", seconds / pass), "", "2.5");
    table.row("  memory at its peak", format!("{peak:.0} MiB"), "", "256 MiB");
}

fn verify_child(dir: &Path, vkey: &str) {
    let options = countersign_verify::Options::new(VKey::parse(vkey).unwrap());
    let began = Instant::now();
    let report = countersign_verify::verify(&DirSource::new(dir), &options, &mut |_| {});
    assert_eq!(report.exit_code, 0, "{report}");
    println!("{} {}", began.elapsed().as_secs_f64(), table::memory(None).1);
}
