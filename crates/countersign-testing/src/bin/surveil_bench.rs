//! What looking back costs: a million trades against a million windows, beside a bare sort and merge of as many keys in the same run.
//! `cargo run --release -p countersign-testing --bin surveil_bench`. Shared machines drift: quote the ratios.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a benchmark that fails should stop")]

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use countersign_conflict::surveil::{Day, Surveillance, Trade, Window, join};
use countersign_entry::record::Tier;

const EACH: u32 = 1_000_000;
const ROUNDS: usize = 7;
const DAYS: u64 = 730;
const BAR: Duration = Duration::from_secs(2);

fn main() {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|l| l.strip_prefix("model name")).map_or("unknown", |l| l.trim_start_matches(['\t', ' ', ':']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("machine: {cpu}, {cores} cores, {}", if cfg!(debug_assertions) { "with debug assertions" } else { "release" });
    memory();
    println!("{EACH} trades against {EACH} windows of 1 to 60 days in {DAYS}; median (best) of {ROUNDS} rounds, one after another");
    for (what, people, issuers, skew) in [
        ("spread: 20,000 people, 500 issuers", 20_000, 500, false),
        ("dense: 2,000 people, 100 issuers", 2_000, 100, false),
        ("skewed: 20,000 people, 500 issuers, a few of each do most", 20_000, 500, true),
    ] {
        println!("\n{what}");
        measure(&windows(people, issuers, skew), &trades(people, issuers, skew));
    }
}

/// Before anything else, since memory once given back and taken again is not seen to grow.
fn memory() {
    let (windows, trades) = (windows(20_000, 500, false), trades(20_000, 500, false));
    let (_, _, bytes) = arrivals(&windows, &trades);
    println!(
        "{EACH} windows and {EACH} trades, nearly all of different pairs of person and issuer, held one by one: {} MiB resident",
        bytes >> 20
    );
}

fn measure(windows: &[Window], trades: &[Trade]) {
    let key = |person: u32, issuer: u32| u64::from(person) << 32 | u64::from(issuer);
    let left: Vec<u64> = windows.iter().map(|w| key(w.person, w.issuer)).collect();
    let right: Vec<u64> = trades.iter().map(|t| key(t.person, t.issuer)).collect();
    let (mut ours, mut one, mut two) = (Vec::new(), Vec::new(), Vec::new());
    let (mut hits, mut pairs) = (0, (0, 0));
    for _ in 0..ROUNDS {
        ours.push(timed(|| hits = join(windows, trades).unwrap().len()));
        one.push(timed(|| pairs.0 = bare(&left, &right, false)));
        two.push(timed(|| pairs.1 = bare(&left, &right, true)));
    }
    assert_eq!(pairs.0, pairs.1);
    let (ours, one, two) = (spread(ours), spread(one), spread(two));
    let ratio = |bare: Span| ours.median.as_secs_f64() / bare.median.as_secs_f64();
    println!("  join                    {ours}   {hits} hits; the bar of {BAR:?} is {}", if ours.median <= BAR { "met" } else { "MISSED" });
    println!("  bare join, one thread   {one}   {} pairs of equal keys; join takes {:.2} of it", pairs.0, ratio(one));
    println!("  bare join, two threads  {two}   join takes {:.2} of it", ratio(two));
    let (took, found, _) = arrivals(windows, trades);
    assert_eq!(found, hits, "one at a time finds what all at once finds");
    println!(
        "  one at a time           {:>6.0} ms: {:.0} ns a fact",
        took.as_secs_f64() * 1e3,
        took.as_nanos() as f64 / f64::from(2 * EACH)
    );
}

/// The same facts one at a time, windows and trades by turns: how long, what was found, how much more memory is resident.
fn arrivals(windows: &[Window], trades: &[Trade]) -> (Duration, usize, u64) {
    let before = resident();
    let mut surveillance = Surveillance::default();
    let mut hits = 0;
    let took = timed(|| {
        for (window, trade) in windows.iter().zip(trades) {
            hits += surveillance.add_window(*window).unwrap().1.len();
            hits += surveillance.add_trade(*trade).unwrap().len();
        }
    });
    let bytes = resident().saturating_sub(before);
    black_box(surveillance);
    (took, hits, bytes)
}

/// Sorts both arrays of keys and counts the pairs of equal ones: the least any sorted join does.
fn bare(left: &[u64], right: &[u64], threaded: bool) -> u64 {
    let sorted = |keys: &[u64]| {
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        keys
    };
    let (left, right) = if threaded {
        std::thread::scope(|scope| {
            let other = scope.spawn(|| sorted(right));
            (sorted(left), other.join().unwrap())
        })
    } else {
        (sorted(left), sorted(right))
    };
    let (mut i, mut j, mut pairs) = (0, 0, 0u64);
    while i < left.len() && j < right.len() {
        let key = left[i].min(right[j]);
        let (a, b) = (i, j);
        while left.get(i) == Some(&key) {
            i += 1;
        }
        while right.get(j) == Some(&key) {
            j += 1;
        }
        pairs += ((i - a) * (j - b)) as u64;
    }
    pairs
}

#[derive(Clone, Copy)]
struct Span {
    median: Duration,
    best: Duration,
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>6.0} ms ({:.0})", self.median.as_secs_f64() * 1e3, self.best.as_secs_f64() * 1e3)
    }
}

fn spread(mut times: Vec<Duration>) -> Span {
    times.sort_unstable();
    Span { median: times[times.len() / 2], best: times[0] }
}

fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

/// Bytes resident, with pages of 4 KiB.
fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4_096
}

/// Numbers below a bound; skewed ones are the product of two, so that low ones come often.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn pick(&mut self, bound: u64, skew: bool) -> u32 {
        let mut n = self.below(bound);
        for _ in 0..if skew { 3 } else { 0 } {
            n = n * self.below(bound) / bound;
        }
        u32::try_from(n).unwrap()
    }

    fn day(&mut self) -> Day {
        Day::try_from(self.below(DAYS)).unwrap()
    }
}

fn windows(people: u64, issuers: u64, skew: bool) -> Vec<Window> {
    let mut numbers = Numbers(1);
    let mut one = |submission| {
        let from = numbers.day();
        let until = from + 1 + Day::try_from(numbers.below(60)).unwrap();
        let (person, issuer) = (numbers.pick(people, skew), numbers.pick(issuers, skew));
        Window { person, issuer, submission, from, until, tier: Tier::One, confirmed: true }
    };
    (0..EACH).map(&mut one).collect()
}

fn trades(people: u64, issuers: u64, skew: bool) -> Vec<Trade> {
    let mut numbers = Numbers(2);
    (0..EACH)
        .map(|trade| Trade { person: numbers.pick(people, skew), issuer: numbers.pick(issuers, skew), day: numbers.day(), trade })
        .collect()
}
