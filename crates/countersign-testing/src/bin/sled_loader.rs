//! A naive store on sled alone, for the power cuts: `sled_loader DIR 0` acknowledges each entry after sled's `flush` came back, which promises
//! fsync and does not do it on Linux; `sled_loader DIR count` says how many entries there are without a gap. Never used by the ledger.
#![allow(clippy::unwrap_used, reason = "a tool of tests")]

use std::io::Write as _;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (dir, what) = (arguments.next().unwrap(), arguments.next().unwrap());
    let db = sled::open(dir).unwrap();
    let mut out = std::io::stdout().lock();
    let count = (0u64..).take_while(|n| db.contains_key(n.to_be_bytes()).unwrap_or(false)).count() as u64;
    if what == "count" {
        return writeln!(out, "{count}").unwrap();
    }
    for n in count.. {
        db.insert(n.to_be_bytes(), vec![n as u8; 900]).unwrap();
        db.flush().unwrap();
        writeln!(out, "{n}").unwrap();
        out.flush().unwrap();
    }
}
