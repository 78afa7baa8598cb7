//! Starts of every kind, the index, and questions to it. Each start is made in a process of its own, so that its memory is its own.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use countersign_entry::time::Micros;
use countersign_ledger::query::Page;
use countersign_ledger::{Access, Directory, Ledger, Notice, Opening, SystemClock};

use countersign_testing::table::{self, Table};

/// What a child process says of one start.
pub fn child(dir: &Path, replay_too: bool) {
    // When indexing told of itself first and last, and how many entries were done by then.
    let indexing = Arc::new(Mutex::new(None::<[(Instant, u64); 2]>));
    let seen = Arc::clone(&indexing);
    let told = move |notice: Notice<'_>| {
        if let Notice::Doing { what: "indexing", done, .. } = notice {
            let (mut seen, now) = (seen.lock().unwrap(), Instant::now());
            let first = seen.map_or((now, done), |[first, _]| first);
            *seen = Some([first, (now, done)]);
        }
    };
    let began = Instant::now();
    let opening = Opening { passphrase_file: None, pin_file: None, clock: Box::new(SystemClock), told: Box::new(told) };
    let mut ledger = Directory::find(dir).unwrap().open(Access::Write, opening).unwrap();
    let ready = began.elapsed().as_secs_f64();
    let [first, last] = indexing.lock().unwrap().unwrap_or([(began, 0); 2]);
    let indexed = (last.1 - first.1) as f64 / (last.0 - first.0).as_secs_f64().max(1e-9);
    let slowest = ask(&ledger);
    let (now, peak) = table::memory(None);
    let standing = ledger.standing();
    let replay = Instant::now();
    let replayed = ledger.replay_status().filter(|_| replay_too).map_or(0, |_| {
        let status = ledger.finish_replay().unwrap();
        assert_eq!(status.objection, None);
        status.done
    });
    println!(
        "{ready} {indexed} {slowest} {now} {peak} {} {} {} {} {replayed}",
        standing.run_bytes,
        standing.entity_bytes,
        standing.index_lag,
        replay.elapsed().as_secs_f64()
    );
}

/// The slowest of pages of fifty rows, each kind of question asked for several subjects, in milliseconds.
fn ask(ledger: &Ledger) -> f64 {
    let page = |offset| Page { offset, limit: 50 };
    let view = ledger.view();
    let facts = view.facts();
    let submission = |n: u64| facts.submissions().nth(usize::try_from(n * 37 % 1_000).unwrap()).unwrap().record.id.clone();
    let subject = |n: u64| facts.people_with_access().nth(usize::try_from(n * 131 % 900).unwrap()).unwrap().0.clone();
    let issuer = |n: u64| format!("cik-{:010}", n * 41 % 1_000).parse().unwrap();
    let ever = (Micros::EPOCH, Micros::EPOCH.plus(u64::MAX));
    let mut slowest = Duration::ZERO;
    for n in 0..20 {
        let questions: [(&str, &dyn Fn() -> usize); 7] = [
            ("issuer", &|| view.who_touched_issuer(&issuer(n), ever.0, ever.1, page(0)).unwrap().rows.len()),
            ("person", &|| view.person_timeline(&subject(n), page(0)).unwrap().rows.len()),
            ("person, from row 200 on", &|| view.person_timeline(&subject(n), page(200)).unwrap().rows.len()),
            ("submission", &|| view.people_of_submission(&submission(n), Page::ALL).unwrap().rows.len()),
            ("insiders", &|| view.insiders(&submission(n), Page::ALL).unwrap().unwrap().people.rows.len()),
            ("changed", &|| view.changed(ledger.size() / 20 * n, None, None, page(0)).unwrap().rows.len()),
            ("changed of a person", &|| view.changed(0, None, Some(&subject(n)), page(0)).unwrap().rows.len()),
        ];
        for (what, question) in questions {
            let began = Instant::now();
            let rows = question();
            let took = began.elapsed();
            if took > slowest {
                eprintln!("slowest page so far: {what}, {rows} rows in {:.1} ms", took.as_secs_f64() * 1e3);
                slowest = took;
            }
        }
    }
    slowest.as_secs_f64() * 1e3
}

/// Rows for a start with everything kept, with the index gone, and with snapshot and index gone.
pub fn measure(dir: &Path, size: u64, replay_too: bool, start: &dyn Fn() -> Vec<f64>, table: &mut Table) {
    // The first one after the load replays what came after the last snapshot, and writes another.
    start();
    let kept = start();
    let [ready, _, slowest, now, peak, runs, entities, lag, replay, replayed] = kept[..].try_into().unwrap();
    let each = |bytes: f64| bytes / size as f64;
    table.row("restart: snapshot and index kept, ready", format!("{ready:.2} s"), format!("{size} entries"), "10 s");
    table.row("  memory when ready and asked, now and at its peak", format!("{now:.0}, {peak:.0} MiB"), "", "1,024 MiB");
    let runs = format!("{:.1} in sorted runs, {:.1} in sled; {lag:.0} entries behind the head", each(runs), each(entities));
    table.row("  the index, bytes an entry", format!("{:.1}", each(kept[5] + kept[6])), runs, "");
    let snapshot = fs::metadata(dir.join("snapshot")).map_or(0.0, |m| m.len() as f64);
    table.row("  the facts snapshot", format!("{:.1} MB", snapshot / 1e6), "", "");
    table.row("  the slowest page of 140 questions", format!("{slowest:.1} ms"), "7 kinds of question, 20 subjects each", "100 ms");
    if replay_too {
        table.row(
            "  everything replayed in the background",
            format!("{:.0} /s", replayed / replay),
            format!("{replayed:.0} entries in {replay:.1} s"),
            "",
        );
    }
    forget(dir, &["index"]);
    let rebuilt = start();
    table.row("restart: the index made anew, ready", format!("{:.1} s", rebuilt[0]), "", "");
    table.row("  entries indexed", format!("{:.0} /s", rebuilt[1]), "", "150,000 /s");
    if !replay_too {
        return table.row("restart: everything replayed", "not measured", "at this size it takes minutes: run it with fewer entries", "");
    }
    forget(dir, &["index", "snapshot"]);
    let replayed = start();
    let rate = format!("{size} entries, {:.0} /s", size as f64 / replayed[0]);
    table.row("restart: everything replayed, the index made anew", format!("{:.1} s", replayed[0]), rate, "");
    table.row("  memory at its peak", format!("{:.0} MiB", replayed[4]), "", "");
}

fn forget(dir: &Path, kept: &[&str]) {
    for name in kept {
        let path = dir.join(name);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
}
