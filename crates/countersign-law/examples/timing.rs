//! How long one assessment takes: `cargo run --release -p countersign-law --example timing -- tests/vectors/assess/open tests/vectors/assess/printed`.
#![allow(clippy::print_stdout, reason = "it prints figures")]

use std::hint::black_box;
use std::time::Instant;

use countersign_law::{Scenario, assess};

/// Rounds over all scenarios.
const ROUNDS: usize = 400;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut scenarios = Vec::new();
    for dir in std::env::args().skip(1) {
        for file in std::fs::read_dir(dir)? {
            scenarios.push(Scenario::from_json(&std::fs::read_to_string(file?.path())?)?);
        }
    }
    let mut nanos = Vec::with_capacity(scenarios.len() * ROUNDS);
    for _ in 0..ROUNDS {
        for scenario in &scenarios {
            let start = Instant::now();
            black_box(assess(black_box(scenario)));
            nanos.push(start.elapsed().as_nanos());
        }
    }
    nanos.sort_unstable();
    let mean = nanos.iter().sum::<u128>() / u128::try_from(nanos.len().max(1))?;
    let at = |share: usize| nanos.get((nanos.len() * share / 1000).min(nanos.len().saturating_sub(1))).copied().unwrap_or(0);
    println!(
        "{} scenarios, {} assessments: mean {mean} ns, p50 {} ns, p99 {} ns, p99.9 {} ns",
        scenarios.len(),
        nanos.len(),
        at(500),
        at(990),
        at(999)
    );
    Ok(())
}
