//! Keeps a ledger under load until somebody kills it: `loader DIR ROUND`. Prints a line for each acknowledgement, after it: number and index.
#![allow(clippy::unwrap_used, reason = "a loader that fails should stop")]

use std::collections::VecDeque;
use std::io::Write as _;
use std::path::Path;

use countersign_ledger::{Access, Directory, Opening, Request, SystemClock, Writer};
use countersign_testing::ledger::{access, principal};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (dir, round) = (arguments.next().unwrap(), arguments.next().unwrap());
    let opening = Opening { passphrase_file: None, pin_file: None, clock: Box::new(SystemClock), told: Box::new(|_| {}) };
    let ledger = Directory::find(Path::new(&dir)).unwrap().open(Access::Write, opening).unwrap();
    let submission = ledger.facts().submissions().next().unwrap().record.id.clone();
    let grant = ledger.facts().grants().next().unwrap().0.0;
    let writer = Writer::start(ledger).unwrap();
    let depth = round.parse::<u64>().unwrap() * 7;
    let mut waiting = VecDeque::new();
    let mut out = std::io::stdout().lock();
    for n in 0u64.. {
        let now = countersign_ledger::Clock::now(&SystemClock);
        let key = format!("{round}-{n:012}").parse().unwrap();
        let request =
            Request { actor: principal("gateway"), key, record: access("ada1", &submission, Some(grant), now).into(), signed: None };
        waiting.push_back((n, writer.submit(request).unwrap()));
        // Between one and a thousand on their way, other numbers in each round, so that kills and cuts meet small commits and large ones, and one
        // being decided while another is made durable.
        while waiting.len() as u64 > ((n / 50 + depth) % 32).pow(2) {
            let (n, pending) = waiting.pop_front().unwrap();
            let receipt = pending.wait().unwrap();
            writeln!(out, "{n} {}", receipt.index).unwrap();
            out.flush().unwrap();
        }
    }
}
