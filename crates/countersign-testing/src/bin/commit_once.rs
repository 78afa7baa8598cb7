//! One commit, for tests that make system calls fail: `commit_once DIR KEY`. Says `ready` before it, then what the client would be told; after an
//! error it opens the ledger again in the same process, repeats the request with the same key, and says what it is told then.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool of tests")]

use std::path::Path;

use countersign_ledger::{Access, AppendError, Directory, Ledger, Opening, Receipt, Request, SystemClock};
use countersign_testing::ledger::{access, principal};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (dir, key) = (arguments.next().unwrap(), arguments.next().unwrap());
    let mut ledger = open(&dir);
    let submission = ledger.facts().submissions().next().unwrap().record.id.clone();
    let now = ledger.now();
    let request = || Request {
        actor: principal("gateway"),
        key: key.parse().unwrap(),
        record: access("ada1", &submission, None, now).into(),
        signed: None,
    };
    println!("ready");
    let first = ledger.append(request());
    tell(&first);
    if first.is_err() {
        drop(ledger);
        tell(&open(&dir).append(request()));
    }
}

fn open(dir: &str) -> Ledger {
    let opening = Opening { passphrase_file: None, pin_file: None, clock: Box::new(SystemClock), told: Box::new(|_| {}) };
    Directory::find(Path::new(dir)).unwrap().open(Access::Write, opening).unwrap()
}

fn tell(answer: &Result<Receipt, AppendError>) {
    match answer {
        Ok(receipt) if receipt.repeated => println!("repeated {}", receipt.index),
        Ok(receipt) => println!("recorded {}", receipt.index),
        Err(AppendError::Unknown(why)) => println!("unknown {}", why.lines().next().unwrap_or_default()),
        Err(nothing) => println!("nothing {nothing}"),
    }
}
