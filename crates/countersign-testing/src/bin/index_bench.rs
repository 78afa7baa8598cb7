//! What the index and the facts snapshot cost and give: `index_bench [DIR] [--entries N]`. Makes a ledger of the facts and access events of `bench`,
//! then starts it in every way there is, rebuilds its index, and asks it. Shared machines drift: read the figures beside the bare loop.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark that fails should stop"
)]

#[path = "bench/workload.rs"]
mod workload;

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use countersign_entry::time::Micros;
use countersign_ledger::query::Page;
use countersign_ledger::{Access, Directory, Ledger, Notice, Opening, SystemClock, Writer};
use countersign_store::Store as _;
use countersign_store::segments::SegmentStore;
use countersign_testing::ledger::{cast, principal};
use workload::Workload;

const ORIGIN: &str = "bench.example/software";
const DEPTH: usize = 1_024;

/// When a start began and ended each of its phases.
type Phases = Arc<Mutex<Vec<(&'static str, Instant, Instant)>>>;

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let entries = arguments.iter().position(|a| a == "--entries").map(|at| arguments.drain(at..at + 2).nth(1).unwrap());
    let entries: u64 = entries.map_or(1_000_000, |n| n.parse().unwrap());
    let base = arguments.pop().map_or_else(|| std::env::temp_dir().join("countersign-index-bench"), PathBuf::from);
    fs::create_dir_all(&base).unwrap();
    let dir = base.join("ledger");
    if !dir.join("countersign.toml").exists() {
        make(&dir, entries);
    }
    println!("machine: {} processors; debug assertions {}", std::thread::available_parallelism().unwrap(), cfg!(debug_assertions));
    println!("bare SHA-256 of 1,024 bytes: {:.0} /s on one processor", bare());

    let store = Instant::now();
    let mut reader = SegmentStore::open_reader(&dir).unwrap();
    reader.recover().unwrap();
    println!("store alone, every frame read and checked      {:>9.2} s", store.elapsed().as_secs_f64());
    drop(reader);

    for (what, forget) in [
        ("start with snapshot and index", &[][..]),
        ("start with a snapshot, the index made anew", &["index"]),
        ("start with an index, everything replayed", &["snapshot"]),
        ("start with neither", &["snapshot", "index"]),
        ("start with snapshot and index, again", &[]),
    ] {
        for kept in forget {
            let path = dir.join(kept);
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap_or(()) }
        }
        let ledger = start(&dir, what);
        if forget.is_empty() {
            ask(&ledger);
            sizes(&dir, &ledger);
        }
    }
    let mut ledger = open(&dir, &Phases::default());
    let began = Instant::now();
    let status = ledger.finish_replay().unwrap();
    println!(
        "replay in the background, alone                {:>9.2} s   {} entries, objection: {:?}",
        began.elapsed().as_secs_f64(),
        status.done,
        status.objection
    );
}

fn bare() -> f64 {
    use sha2::Digest as _;
    let block = [7u8; 1_024];
    let began = Instant::now();
    for _ in 0..200_000 {
        std::hint::black_box(sha2::Sha256::digest(block));
    }
    200_000.0 / began.elapsed().as_secs_f64()
}

fn make(dir: &Path, entries: u64) {
    let opening = opening(&Phases::default());
    let mut ledger =
        Directory::create(dir, ORIGIN, Path::new("register/head"), opening, &principal("founder"), &principal("sequencer"), cast())
            .unwrap();
    let workload = Workload::make(&mut ledger);
    println!("{} entries of facts", ledger.size());
    let (first, began) = (ledger.size(), Instant::now());
    let writer = Writer::start(ledger).unwrap();
    let mut waiting = VecDeque::new();
    for n in 0..entries.saturating_sub(first) {
        while waiting.len() >= DEPTH {
            let receipt: countersign_ledger::Receipt = {
                let pending: countersign_ledger::Pending = waiting.pop_front().unwrap();
                pending.wait().unwrap()
            };
            std::hint::black_box(receipt.tlog_proof().unwrap());
        }
        waiting.push_back(writer.submit(workload.request(n)).unwrap());
    }
    waiting.into_iter().for_each(|pending| drop(pending.wait().unwrap()));
    let seconds = began.elapsed().as_secs_f64();
    let ledger = writer.stop().unwrap();
    println!(
        "{} access events appended in {seconds:.1} s, {:.0} /s, with the index kept: {:?}",
        ledger.size() - first,
        (ledger.size() - first) as f64 / seconds,
        ledger.standing()
    );
    println!("memory after that: {}", memory());
}

fn opening(phases: &Phases) -> Opening {
    let phases = Arc::clone(phases);
    let told = move |notice: Notice<'_>| match notice {
        Notice::Doing { what, .. } => {
            let (mut phases, now) = (phases.lock().unwrap(), Instant::now());
            match phases.last_mut().filter(|(before, ..)| *before == what) {
                Some((_, _, end)) => *end = now,
                None => phases.push((what, now, now)),
            }
        }
        Notice::Anew(why) => println!("  ({why})"),
    };
    Opening { passphrase_file: None, pin_file: None, clock: Box::new(SystemClock), told: Box::new(told) }
}

fn open(dir: &Path, phases: &Phases) -> Ledger {
    Directory::find(dir).unwrap().open(Access::Write, opening(phases)).unwrap()
}

fn start(dir: &Path, what: &str) -> Ledger {
    let phases = Phases::default();
    let began = Instant::now();
    let ledger = open(dir, &phases);
    let seconds = began.elapsed().as_secs_f64();
    println!("{what:<46} {seconds:>9.2} s   {} entries, {:.0} /s   {}", ledger.size(), ledger.size() as f64 / seconds, memory());
    let mut before = began;
    for (what, from, to) in phases.lock().unwrap().iter() {
        println!("    before {what:<12} {:>8.2} s, {what:<12} {:>8.2} s", (*from - before).as_secs_f64(), (*to - *from).as_secs_f64());
        before = *to;
    }
    println!(
        "    after              {:>8.2} s",
        (began + Duration::from_secs_f64(seconds)).saturating_duration_since(before).as_secs_f64()
    );
    ledger
}

fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = |name: &str| status.lines().find_map(|l| l.strip_prefix(name)).map_or("?", str::trim).to_owned();
    format!("resident {}, at most {}", line("VmRSS:"), line("VmHWM:"))
}

fn sizes(dir: &Path, ledger: &Ledger) {
    let standing = ledger.standing();
    let size = ledger.size() as f64;
    let snapshot = fs::metadata(dir.join("snapshot")).map_or(0, |m| m.len());
    println!(
        "index: {:.1} bytes an entry in runs, {:.1} in sled, {} entries behind the head; snapshot of size {}: {:.1} MB",
        standing.run_bytes as f64 / size,
        standing.entity_bytes as f64 / size,
        standing.index_lag,
        standing.snapshot_size,
        snapshot as f64 / 1e6
    );
}

/// Asks about the n-th subject; rows of the answer.
type Ask<'a> = Box<dyn Fn(u64) -> usize + 'a>;

/// Pages of fifty rows, each asked for several subjects; the slowest counts.
fn ask(ledger: &Ledger) {
    let page = |offset| Page { offset, limit: 50 };
    let view = ledger.view();
    let facts = view.facts();
    let submission = |n: u64| facts.submissions().nth(usize::try_from(n * 37 % 1_000).unwrap()).unwrap().record.id.clone();
    let subject = |n: u64| facts.people_with_access().nth(usize::try_from(n * 131 % 900).unwrap()).unwrap().0.clone();
    let issuer = |n: u64| format!("cik-{:010}", n * 41 % 1_000).parse().unwrap();
    let ever = (Micros::EPOCH, Micros::EPOCH.plus(u64::MAX));
    let mut questions: Vec<(&str, Ask<'_>)> = Vec::new();
    questions.push(("issuer, first page", Box::new(|n| view.who_touched_issuer(&issuer(n), ever.0, ever.1, page(0)).unwrap().rows.len())));
    questions.push(("person, first page", Box::new(|n| view.person_timeline(&subject(n), page(0)).unwrap().rows.len())));
    questions.push(("person, page after 200 rows", Box::new(|n| view.person_timeline(&subject(n), page(200)).unwrap().rows.len())));
    questions.push(("submission, whole", Box::new(|n| view.people_of_submission(&submission(n)).unwrap().rows.len())));
    questions.push(("insiders, whole", Box::new(|n| view.insiders(&submission(n)).unwrap().unwrap().people.rows.len())));
    questions.push(("changed, first page", Box::new(|n| view.changed(ledger.size() / 20 * n, None, None, page(0)).unwrap().rows.len())));
    questions.push(("changed of a person", Box::new(|n| view.changed(0, None, Some(&subject(n)), page(0)).unwrap().rows.len())));
    for (what, question) in &questions {
        let mut times: Vec<(Duration, usize)> = (0..20)
            .map(|n| {
                let began = Instant::now();
                let rows = question(n);
                (began.elapsed(), rows)
            })
            .collect();
        times.sort();
        let ms = |at: usize| times[at].0.as_secs_f64() * 1e3;
        println!("  {what:<28} median {:>8.1} ms   slowest {:>8.1} ms   {} rows", ms(10), ms(19), times[19].1);
    }
}
