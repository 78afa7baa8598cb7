//! First figures, by one command: `cargo xtask bench [DIR]`. Prints the machine, the figures, and their ratios to bare loops of the same work in
//! the same run. Shared machines drift: quote the ratios.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark that fails should stop"
)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use countersign_entry::ids::SubmissionId;
use countersign_ledger::{Access, Directory, Ledger, Opening, Pending, Request, SystemClock, Writer};
use countersign_testing::ledger::{access, active_grant, cast, options, principal, stage_set};
use countersign_verify::files::DirSource;
use sha2::{Digest, Sha256};

const ORIGIN: &str = "bench.example/software";
const SECONDS: u64 = 5;

fn main() {
    let base = std::env::args()
        .nth(1)
        .map_or_else(|| std::env::temp_dir().join(format!("countersign-bench-{}", std::process::id())), PathBuf::from);
    fs::create_dir_all(&base).unwrap();
    machine(&base);
    let dir = base.join("ledger");
    let opening = || Opening { passphrase_file: None, pin_file: None, clock: Box::new(SystemClock) };
    let mut ledger =
        Directory::create(&dir, ORIGIN, Path::new("register/head"), opening(), &principal("founder"), &principal("sequencer"), cast())
            .unwrap();
    let submission = stage_set(&mut ledger);
    let grant = active_grant(&mut ledger, "ada1", &submission);

    println!("\nappends: access events of 15 fields, sealed, assessed, receipt bytes made; software key; {SECONDS} s each");
    let syncs = bare_fdatasync(&base);
    let (ledger, first) = depth_one(ledger, &submission, grant);
    println!(
        "  depth 1     {:>9.0} /s   p50 {:>6.0} us   p99 {:>6.0} us   {:.2} of a bare fdatasync loop",
        first.rate,
        first.p50,
        first.p99,
        first.rate / syncs
    );
    let (ledger, entry_bytes) = deep(ledger, &submission, grant, syncs);
    assess(&ledger, &submission, grant);
    verify(&dir, &ledger, entry_bytes);
    drop(ledger);
    let began = Instant::now();
    let again = Directory::find(&dir).unwrap().open(Access::Write, opening()).unwrap();
    println!(
        "\nrestart: {} entries opened, replayed and ready in {:.2} s ({:.0} entries/s)",
        again.size(),
        began.elapsed().as_secs_f64(),
        again.size() as f64 / began.elapsed().as_secs_f64()
    );
    fs::remove_dir_all(&base).unwrap();
}

fn machine(base: &Path) {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|l| l.strip_prefix("model name")).map_or("unknown", |l| l.trim_start_matches(['\t', ' ', ':']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory =
        memory.lines().next().unwrap_or_default().split_whitespace().nth(1).and_then(|k| k.parse::<u64>().ok()).unwrap_or(0) / 1_048_576;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let base = fs::canonicalize(base).unwrap();
    let on = mounts
        .lines()
        .filter_map(|l| {
            let f: Vec<_> = l.split(' ').collect();
            base.starts_with(f[1]).then(|| (f[1].len(), f[2].to_owned()))
        })
        .max();
    let profile = if cfg!(debug_assertions) { "with debug assertions" } else { "release" };
    println!(
        "machine: {model}, {cores} cores, {memory} GiB, Linux {}, {}, {profile}",
        kernel.trim(),
        on.map_or("unknown file system".into(), |(_, t)| t)
    );
}

/// How often a growing file takes 640 bytes and an fdatasync, one after another: what a commit of one entry cannot beat, twice over, since it
/// stages and then seals.
fn bare_fdatasync(base: &Path) -> f64 {
    let path = base.join("bare");
    let file = fs::File::create(&path).unwrap();
    let began = Instant::now();
    let mut n = 0u64;
    while began.elapsed() < Duration::from_secs(2) {
        file.write_all_at(&[7; 640], n * 640).unwrap();
        file.sync_data().unwrap();
        n += 1;
    }
    let rate = n as f64 / began.elapsed().as_secs_f64();
    fs::remove_file(path).unwrap();
    println!("  bare fdatasync of 640 more bytes: {rate:.0} /s");
    rate
}

struct Figure {
    rate: f64,
    p50: f64,
    p99: f64,
}

fn request(submission: &SubmissionId, grant: u64, n: u64) -> Request {
    let now = countersign_ledger::Clock::now(&SystemClock);
    Request {
        actor: principal("gateway"),
        key: format!("bench-{n:012}").parse().unwrap(),
        record: access("ada1", submission, Some(grant), now).into(),
    }
}

fn depth_one(ledger: Ledger, submission: &SubmissionId, grant: u64) -> (Ledger, Figure) {
    let writer = Writer::start(ledger).unwrap();
    let mut times = Vec::new();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(SECONDS) {
        let one = Instant::now();
        let receipt = writer.submit(request(submission, grant, times.len() as u64)).unwrap().wait().unwrap();
        std::hint::black_box(receipt.tlog_proof().unwrap());
        times.push(one.elapsed());
    }
    let rate = times.len() as f64 / began.elapsed().as_secs_f64();
    times.sort();
    let at = |q: f64| times[((times.len() - 1) as f64 * q) as usize].as_secs_f64() * 1e6;
    (writer.stop().unwrap(), Figure { rate, p50: at(0.5), p99: at(0.99) })
}

fn deep(ledger: Ledger, submission: &SubmissionId, grant: u64, syncs: f64) -> (Ledger, f64) {
    let before = ledger.size();
    let writer = Writer::start(ledger).unwrap();
    let mut waiting: std::collections::VecDeque<Pending> = std::collections::VecDeque::new();
    let mut done = 0u64;
    let mut sent = 10_000_000u64;
    let mut bytes = 0u64;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(SECONDS) {
        while waiting.len() < 1_024 {
            waiting.push_back(writer.submit(request(submission, grant, sent)).unwrap());
            sent += 1;
        }
        let receipt = waiting.pop_front().unwrap().wait().unwrap();
        bytes += receipt.tlog_proof().unwrap().len() as u64;
        done += 1;
    }
    for pending in waiting {
        bytes += pending.wait().unwrap().tlog_proof().unwrap().len() as u64;
        done += 1;
    }
    let seconds = began.elapsed().as_secs_f64();
    let rate = done as f64 / seconds;
    let ledger = writer.stop().unwrap();
    assert_eq!(ledger.size() - before, done);
    let mut stored = 0usize;
    for index in before..(before + 100).min(ledger.size()) {
        stored += ledger.stored_len(index).unwrap();
    }
    let entry_bytes = stored as f64 / 100.0;
    let hashing = bare_hashing(entry_bytes as usize, 200_000);
    println!(
        "  depth 1024  {rate:>9.0} /s   receipts {:.0} bytes each   {entry_bytes:.0} bytes an entry   {:.3} of the bare hashes   {:.1} of a bare fdatasync loop",
        bytes as f64 / done as f64,
        rate / hashing,
        rate / syncs
    );
    (ledger, entry_bytes)
}

/// BLAKE3 over a leaf, SHA-256 over a leaf and over the rest of an entry, one core: the hashes nobody can leave out.
fn bare_hashing(entry_bytes: usize, count: u32) -> f64 {
    let leaf = [3u8; 121];
    let sealed = vec![5u8; entry_bytes.saturating_sub(121)];
    let began = Instant::now();
    for _ in 0..count {
        std::hint::black_box(blake3::derive_key("countersign v1 chain", &leaf));
        std::hint::black_box(Sha256::digest(leaf));
        std::hint::black_box(Sha256::digest([9u8; 65]));
        std::hint::black_box(Sha256::digest(&sealed));
    }
    f64::from(count) / began.elapsed().as_secs_f64()
}

fn assess(ledger: &Ledger, submission: &SubmissionId, grant: u64) {
    let person = countersign_testing::ledger::person("ada1");
    let now = ledger.now();
    let mut times: Vec<_> = (0..100_000)
        .map(|_| {
            let one = Instant::now();
            let ask = countersign_conflict::Ask::Access { grant: Some(countersign_entry::ids::LeafIndex(grant)), occurred_at: now };
            std::hint::black_box(countersign_conflict::assess(ledger.facts(), now, &person, submission, ask));
            one.elapsed()
        })
        .collect();
    times.sort();
    let mean = times.iter().sum::<Duration>().as_secs_f64() / times.len() as f64;
    println!("\nassess (a handful of facts): mean {:.2} us, p99 {:.2} us", mean * 1e6, times[times.len() * 99 / 100].as_secs_f64() * 1e6);
}

fn verify(dir: &Path, ledger: &Ledger, entry_bytes: f64) {
    println!("\nverify of the data directory, {} entries", ledger.size());
    let hashing = bare_hashing(entry_bytes as usize, 200_000);
    let all = options(ledger);
    let mut public = all.clone();
    public.keys = None;
    for (what, options) in [("without keys", public), ("with keys, every decision replayed", all)] {
        let began = Instant::now();
        let report = countersign_verify::verify(&DirSource::new(dir), &options, &mut |_| {});
        let seconds = began.elapsed().as_secs_f64();
        assert_eq!(report.exit_code, 0, "{report}");
        let rate = ledger.size() as f64 / seconds;
        println!("  {what:<36} {rate:>9.0} entries/s   {:.3} of the bare hashes (one core)", rate / hashing);
    }
    std::io::stdout().flush().unwrap();
}
