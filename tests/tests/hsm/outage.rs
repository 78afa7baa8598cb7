//! The token goes away under load and comes back.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use countersign_ledger::limits::SEAL_PATIENCE;
use countersign_ledger::{Access, AppendError, Clock as _, Pending, Request, SystemClock, Writer};
use countersign_sign::pkcs11::Algorithm;
use countersign_testing::ledger::{access, active_grant, principal, record, stage_set, verified};

use crate::{Bench, alone};

/// When each acknowledgement came.
struct Load {
    acknowledged: Vec<Instant>,
    refused: u64,
    unknown: u64,
}

fn load(writer: &Writer, submission: &countersign_entry::ids::SubmissionId, grant: u64, stop: &AtomicBool) -> Load {
    let mut load = Load { acknowledged: Vec::new(), refused: 0, unknown: 0 };
    let mut waiting: VecDeque<Pending> = VecDeque::new();
    let mut sent = 0u64;
    let take = |answer: Result<_, AppendError>, load: &mut Load| match answer {
        Ok(_) => load.acknowledged.push(Instant::now()),
        Err(AppendError::Unknown(_)) => load.unknown += 1,
        Err(AppendError::Unavailable(_) | AppendError::Busy) => {
            load.refused += 1;
            std::thread::sleep(Duration::from_micros(200));
        }
        Err(e) => panic!("{e}"),
    };
    while !stop.load(Ordering::SeqCst) {
        while waiting.len() < 256 {
            let now = SystemClock.now();
            let record = access("ada1", submission, Some(grant), now).into();
            let request = Request { actor: principal("gateway"), key: format!("load-{sent:012}").parse().unwrap(), record, signed: None };
            sent += 1;
            match writer.submit(request) {
                Ok(pending) => waiting.push_back(pending),
                Err(e) => take(Err(e), &mut load),
            }
        }
        if let Some(pending) = waiting.pop_front() {
            take(pending.wait(), &mut load);
        }
    }
    for pending in waiting {
        take(pending.wait(), &mut load);
    }
    load
}

#[test]
fn the_token_goes_away_under_load_and_comes_back() {
    alone("outage::the_token_goes_away_under_load_and_comes_back", |bench| drop(outage(bench, Duration::from_secs(3))));
}

#[test]
fn the_token_stays_away_for_longer_than_anybody_is_kept_waiting() {
    alone("outage::the_token_stays_away_for_longer_than_anybody_is_kept_waiting", |bench| {
        let load = outage(bench, SEAL_PATIENCE + Duration::from_secs(3));
        // Those who waited were told that it is unknown, those who came later that nothing was recorded.
        assert!(load.unknown > 0 && load.refused > 0, "{} unknown, {} refused", load.unknown, load.refused);
    });
}

fn outage(bench: &Bench, span: Duration) -> Load {
    let mut ledger = bench.ledger(Algorithm::Ed25519);
    let submission = stage_set(&mut ledger);
    let grant = active_grant(&mut ledger, "ada1", &submission);
    let before = ledger.size();
    let writer = Writer::start(ledger).unwrap();
    let stop = AtomicBool::new(false);
    let (tokens, hidden) = (bench.dir.join("tokens"), bench.dir.join("hidden"));
    let (load, away, back) = std::thread::scope(|scope| {
        let load = scope.spawn(|| load(&writer, &submission, grant, &stop));
        std::thread::sleep(Duration::from_secs(2));
        std::fs::rename(&tokens, &hidden).unwrap();
        let away = Instant::now();
        std::thread::sleep(span);
        // Reading goes on beside it, by whoever has the data keys open; verifying needs no token at all.
        let vkey = std::fs::read_to_string(bench.ledger_dir().join("countersign.toml")).unwrap();
        let vkey = vkey.lines().find_map(|l| l.strip_prefix("vkey = \"")?.strip_suffix('"')).unwrap().to_owned();
        let options = countersign_verify::Options::new(countersign_verify::VKey::parse(&vkey).unwrap());
        let source = countersign_verify::files::DirSource::new(bench.ledger_dir());
        let report = countersign_verify::verify(&source, &options, &mut |_| {});
        assert_eq!(report.verdict, countersign_verify::Verdict::Verified, "{report}");
        let back = Instant::now();
        std::fs::rename(&hidden, &tokens).unwrap();
        std::thread::sleep(Duration::from_secs(3));
        stop.store(true, Ordering::SeqCst);
        (load.join().unwrap(), away, back)
    });
    let rate = |from: Instant, to: Instant| load.acknowledged.iter().filter(|at| (from..to).contains(at)).count();
    let first = *load.acknowledged.first().unwrap();
    let before_rate = rate(first, away) as f64 / (away - first).as_secs_f64();
    // A batch that was signed just before may be sealed and answered just after.
    let settled = away + Duration::from_secs(1);
    let meanwhile = rate(settled, back);
    let after = load.acknowledged.iter().find(|at| **at >= back).copied().expect("no acknowledgement after the token came back");
    println!(
        "{before_rate:.0} acknowledgements/s before; {meanwhile} while the token was away for {:.1} s; the first {:.3} s after it came back; {} refused, {} unknown",
        (back - away).as_secs_f64(),
        (after - back).as_secs_f64(),
        load.refused,
        load.unknown
    );
    assert_eq!(meanwhile, 0);
    // How fast a machine is is no property of this program, and a slow one shows nothing of the bar.
    if before_rate < 1_000.0 {
        println!("NOTE: fewer than 1,000 acknowledgements/s before, so this machine does not show the outage under that load");
    }
    let ledger = writer.stop().unwrap();
    assert_eq!(ledger.read_only(), None);
    // Every acknowledged entry is there, and no unknown one is there twice: the verifier refuses a repeated request.
    assert!(ledger.size() - before >= load.acknowledged.len() as u64);
    verified(&ledger);
    drop(ledger);
    let mut ledger = bench.open(Access::Write);
    record(&mut ledger, "gateway", "last", access("ada1", &submission, Some(grant), SystemClock.now())).unwrap();
    load
}

#[test]
fn a_batch_left_staged_is_signed_when_the_key_is_back() {
    alone("outage::a_batch_left_staged_is_signed_when_the_key_is_back", |bench| {
        let mut ledger = bench.ledger(Algorithm::P256);
        let submission = stage_set(&mut ledger);
        let size = ledger.size();
        let (tokens, hidden) = (bench.dir.join("tokens"), bench.dir.join("hidden"));
        std::fs::rename(&tokens, &hidden).unwrap();
        let event = access("ada1", &submission, None, ledger.now());
        let unknown = record(&mut ledger, "gateway", "one", event.clone());
        assert!(matches!(unknown, Err(AppendError::Unknown(_))), "{unknown:?}");
        // The program stops with the batch staged, and is started again when the token is back.
        drop(ledger);
        std::fs::rename(&hidden, &tokens).unwrap();
        let mut ledger = bench.open(Access::Write);
        assert_eq!((ledger.read_only(), ledger.size()), (None, size + 1));
        let again = record(&mut ledger, "gateway", "one", event).unwrap();
        assert!(again.repeated);
        verified(&ledger);
    });
}

#[test]
fn an_idle_writer_signs_a_staged_batch_by_itself() {
    alone("outage::an_idle_writer_signs_a_staged_batch_by_itself", |bench| {
        let mut ledger = bench.ledger(Algorithm::Ed25519);
        let submission = stage_set(&mut ledger);
        let size = ledger.size();
        let (tokens, hidden) = (bench.dir.join("tokens"), bench.dir.join("hidden"));
        let writer = Writer::start(ledger).unwrap();
        std::fs::rename(&tokens, &hidden).unwrap();
        let record = access("ada1", &submission, None, SystemClock.now()).into();
        let request = Request { actor: principal("gateway"), key: "one".parse().unwrap(), record, signed: None };
        let unknown = writer.submit(request).unwrap().wait();
        assert!(matches!(unknown, Err(AppendError::Unknown(_))), "{unknown:?}");
        std::fs::rename(&hidden, &tokens).unwrap();
        let patience = Instant::now() + Duration::from_secs(10);
        while bench.open(Access::Read).size() == size && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(bench.open(Access::Read).size(), size + 1);
        assert_eq!(writer.stop().unwrap().read_only(), None);
    });
}
