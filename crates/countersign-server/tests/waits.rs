//! What has to wait, and what must not: a ledger that takes long to open, or cannot be opened to write, under a running service.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "a panic is a failed test")]

mod support;

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use countersign_entry::record::{AgreementKind, GrantState, Person, PersonStatus, Record};
use countersign_ledger::{Access, DirectoryError, Ledger, Request};
use countersign_server::limits::{LOOKED_AT_MAX, OPENED_MAX, OPERATIONS_MAX, PASSED_MAX};
use countersign_testing::ledger::{Fault, Step, access, active_grant, agreement, principal, record, transition};
use serde_json::{Value, json};

use crate::support::{Answer, Client, House};

/// Who opens the ledger once more: as often as it is asked, when it may.
#[derive(Clone, Default)]
struct Gate(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Whether whoever opens it to read waits.
    shut: Mutex<bool>,
    changed: Condvar,
    /// How often it was opened to read.
    opened: AtomicUsize,
    /// Whether it does not open to write.
    broken: AtomicBool,
}

impl Gate {
    fn shut(&self, shut: bool) {
        *self.0.shut.lock().unwrap() = shut;
        self.0.changed.notify_all();
    }

    fn opened(&self) -> usize {
        self.0.opened.load(Ordering::SeqCst)
    }

    fn broken(&self, broken: bool) {
        self.0.broken.store(broken, Ordering::SeqCst);
    }

    /// The same house behind this gate.
    fn before(&self, house: &mut House) {
        house.running.take().unwrap().stop();
        let (gate, open) = (Arc::clone(&self.0), house.world.opener());
        house.run_by(move |access| {
            if access == Access::Write {
                let broken = gate.broken.load(Ordering::SeqCst);
                return if broken { Err(DirectoryError::NotALedger(PathBuf::from("nowhere"))) } else { open(access) };
            }
            gate.opened.fetch_add(1, Ordering::SeqCst);
            drop(gate.changed.wait_while(gate.shut.lock().unwrap(), |shut| *shut).unwrap());
            open(access)
        });
    }
}

fn overloaded(answer: Answer) {
    assert_eq!(answer.headers.get("retry-after").map(String::as_str), Some("1"), "{answer:?}");
    let told = answer.problem(503, "overloaded");
    assert!(told.get("recorded").is_none() && !told["detail"].as_str().unwrap().contains("Nothing was recorded"), "{told}");
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Entries of reads by somebody.
fn reads(ledger: &Ledger, by: &str) -> usize {
    let entries = (0..ledger.size()).map(|i| ledger.entry(i).unwrap());
    entries.filter(|(_, meta, record)| meta.actor == by && matches!(record, Record::Read(_))).count()
}

#[test]
fn what_was_known_then_is_read_once_and_nobody_else_waits_for_it() {
    let house = House::start_with(|config| config.limits.request_seconds_max = 2, |_| {});
    let disk = house.world.disk.clone();
    let path = "/api/v1/persons/P-ada1/timeline?as_of=";
    let size = house.world.open(Access::Read).unwrap().size() - 1;
    let then = format!("{path}{size}");
    let covered = house.client("covered");
    disk.hold_readers(true);
    let waiting: Vec<_> = (0..4).map(|_| (covered.clone(), then.clone())).collect();
    let waiting: Vec<_> = waiting.into_iter().map(|(covered, then)| std::thread::spawn(move || covered.get(&then))).collect();
    until("nobody reads it", || disk.held_readers() == 1);
    // Whoever does not look back is not kept waiting.
    house.client("officer").get("/api/v1/persons?limit=1").is(200);
    let not_yet = |answer: Answer| {
        assert_eq!(answer.headers.get("retry-after").map(String::as_str), Some("5"), "{answer:?}");
        let told = answer.problem(503, "overloaded");
        assert!(told["detail"].as_str().unwrap().contains("being read"), "{told}");
    };
    waiting.into_iter().for_each(|waiting| not_yet(waiting.join().unwrap()));
    // Their requests are over, the reading is not.
    not_yet(covered.get(&then));
    assert_eq!(disk.held_readers(), 1);
    disk.hold_readers(false);
    until("it is not answered", || covered.get(&then).status == 200);
    // What is known then is asked without reading anything again, of the size before last as well; a third takes the place of one of them.
    covered.get(&format!("{path}{}", size - 1)).is(200);
    disk.hold_readers(true);
    for kept in [size, size - 1] {
        covered.get(&format!("{path}{kept}")).is(200);
    }
    not_yet(covered.get(&format!("{path}{}", size - 2)));
    disk.hold_readers(false);
    // Before the first entry there is nothing, and nothing to read for it.
    for none in ["0", "1999-01-01T00:00:00Z"] {
        covered.get(&format!("{path}{none}")).problem(404, "not-found");
    }
    house.verified();
}

fn person(client: &Client, id: &str) -> Answer {
    let told = json!({ "id": id, "name": "Somebody", "status": "civilian", "organization": "agency" });
    client.post("/api/v1/persons", &format!("a-person-named-{id}"), &told)
}

#[test]
fn in_an_outage_the_ledger_is_opened_once_and_who_asks_meanwhile_is_recorded_when_it_is_over() {
    let mut house = House::start_with(|config| config.limits.request_seconds_max = 2, |_| {});
    let gate = Gate::default();
    gate.before(&mut house);
    let (founder, inspector) = (house.client("founder"), house.client("inspector"));
    let mut asked = 0;
    let fail = |id: &str| {
        gate.broken(true);
        house.world.disk.arm(Step::Stage, 0, Fault::Fail);
        person(&founder, id).problem(503, "outcome-unknown");
    };
    gate.shut(true);
    fail("P-first");
    // Not even who asks is known again yet, and that has its time too.
    let began = Instant::now();
    let told = inspector.get("/api/v1/persons/P-ada1");
    assert!([408, 503].contains(&told.status) && began.elapsed() < Duration::from_secs(20), "{told:?}");
    gate.shut(false);
    until("nobody is answered", || {
        let status = inspector.get("/api/v1/persons/P-ada1").status;
        asked += usize::from(status == 200);
        status == 200
    });
    // It is closed to be opened again meanwhile, which does not come about.
    let meanwhile = Instant::now();
    let mut waits = false;
    while meanwhile.elapsed() < Duration::from_secs(3) || !waits {
        let answer = inspector.get("/api/v1/persons/P-ada1").is(200);
        asked += 1;
        waits |= answer.headers.get("countersign-read").is_some_and(|word| word == "waiting");
        assert!(meanwhile.elapsed() < Duration::from_secs(60), "nobody says that it is not recorded yet");
    }
    inspector.get("/api/v1/persons/P-first").problem(404, "not-found");
    assert!(asked > 10 && gate.opened() <= 3, "{asked} asked, opened {} times", gate.opened());
    let ready = || house.operations("/readyz").status == 200;
    gate.broken(false);
    until("it is not opened again", ready);
    let told = person(&founder, "P-first");
    assert!([200, 201].contains(&told.status), "{told:?}");
    // What was recorded since is there in the next outage.
    let before = gate.opened();
    fail("P-second");
    inspector.get("/api/v1/persons/P-first").is(200);
    asked += 1;
    assert!(gate.opened() > before);
    gate.broken(false);
    until("it is not opened again", ready);
    let answer = inspector.get("/api/v1/persons/P-ada1").is(200);
    asked += 1;
    drop(answer);
    let ledger = house.verified();
    assert_eq!(reads(&ledger, "pr-inspector"), asked, "each answer once");
}

#[test]
fn a_stop_waits_for_no_half_request_and_no_export_and_leaves_no_writer() {
    let mut house = House::start();
    let gate = Gate::default();
    gate.before(&mut house);
    let mut half = std::net::TcpStream::connect(("127.0.0.1", house.operations)).unwrap();
    half.write_all(b"GET /healthz HTTP/1.1\r\nHost: lo").unwrap();
    gate.shut(true);
    let body = json!({ "planes": "public" });
    house.client("inspector").post("/api/v1/exports", "an-export-that-waits", &body).is(202);
    until("it is not made", || gate.opened() == 1);
    let began = Instant::now();
    house.running.take().unwrap().stop();
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    // Nobody has it open to write, though the export still waits for its turn to read.
    drop(house.world.open(Access::Write).unwrap());
    gate.shut(false);
}

/// Records that many accesses of somebody.
fn accesses(ledger: &mut Ledger, count: usize) {
    let now = ledger.now();
    for first in (0..count).step_by(500) {
        let batch = (first..count.min(first + 500)).map(|n| Request {
            actor: principal("gateway"),
            key: format!("access-number-{n:06}").parse().unwrap(),
            record: access("ada1", &"S-0001".parse().unwrap(), None, now).into(),
            signed: None,
        });
        assert!(ledger.commit(batch.collect()).into_iter().all(|answer| answer.is_ok()));
    }
}

/// Rows of every page.
fn pages(client: &Client, path: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("{path}{cursor}")).is(200).json();
        pages.push(page["rows"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return pages,
        }
    }
}

#[test]
fn a_long_timeline_is_looked_at_in_parts_and_a_page_ends_after_so_many() {
    let house = House::start_with(|_| {}, |ledger| accesses(ledger, OPENED_MAX + 100));
    let covered = house.client("covered");
    let pages_of = |path: &str| pages(&covered, &format!("/api/v1/persons/P-ada1/timeline?{path}"));
    let all = pages_of("limit=1000");
    let entries: Vec<u64> = all.iter().flatten().map(|row| row["entry"].as_u64().unwrap()).collect();
    assert!(entries.len() > OPENED_MAX + 100 && entries.windows(2).all(|two| two[0] < two[1]), "{}", entries.len());
    assert!(all.iter().rev().skip(1).all(|page| page.len() == 1_000));
    // Nothing to show: what was opened ends the page all the same.
    let none = pages_of("until=1999-01-01T00:00:00Z");
    assert_eq!(none.iter().map(Vec::len).collect::<Vec<_>>(), [0, 0]);
    let few = pages_of("limit=7&until=2999-01-01T00:00:00Z");
    let again: Vec<u64> = few.iter().take(3).flatten().map(|row| row["entry"].as_u64().unwrap()).collect();
    assert_eq!(again, entries[..21]);
}

#[test]
fn what_stands_between_is_passed_over_in_parts() {
    let furnish = |ledger: &mut Ledger| {
        let grant = active_grant(ledger, "ada1", &"S-0001".parse().unwrap());
        let now = ledger.now();
        for n in 0..2 * LOOKED_AT_MAX + 6 {
            let name = format!("agreement-{n:04}");
            record(ledger, "officer", &name, agreement(&name, "ada1", AgreementKind::NoInterestCertification, now)).unwrap();
        }
        record(ledger, "officer", "revoke-at-the-end", transition(grant, GrantState::Revoked)).unwrap();
        let batch = (0..2 * PASSED_MAX).map(|n| Request {
            actor: principal("founder"),
            key: format!("person-number-{n:06}").parse().unwrap(),
            record: Person {
                id: format!("P-many{n:05}").parse().unwrap(),
                name: "Somebody".parse().unwrap(),
                status: PersonStatus::Civilian,
                organization: "agency".parse().unwrap(),
                supersedes: None,
            }
            .into(),
            signed: None,
        });
        assert!(ledger.commit(batch.collect()).into_iter().all(|answer| answer.is_ok()));
    };
    let house = House::start_with(|_| {}, furnish);
    let officer = house.client("officer");
    let grant = officer.get("/api/v1/grants").is(200).json()["rows"][0]["grant"].to_string();
    let shown = officer.get(&format!("/api/v1/grants/{grant}")).is(200);
    let history = shown.json()["history"].as_array().unwrap().clone();
    let what: Vec<&str> = history.iter().map(|step| step["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["requested", "to approved", "to approved", "to active", "to revoked", "to closed"]);
    let last = officer.get(&format!("/api/v1/log/entries/{}", history[5]["entry"])).is(200);
    assert_eq!(shown.headers["etag"], last.headers["etag"]);
    // One among thousands, and all of them.
    let one = officer.get("/api/v1/persons?person=P-many02047").is(200).json();
    assert_eq!((one["rows"].as_array().unwrap().len(), &one["next"]), (1, &Value::Null));
    let ids: Vec<String> =
        pages(&officer, "/api/v1/persons?limit=900").iter().flatten().map(|row| row["record"]["id"].as_str().unwrap().to_owned()).collect();
    assert!(ids.len() > 2 * PASSED_MAX && ids.windows(2).all(|two| two[0] < two[1]), "{}", ids.len());
}

#[test]
fn whoever_is_refused_or_unknown_has_a_rate_too() {
    let house = House::start_with(
        |config| {
            config.limits.requests_per_second_max = 1;
            config.limits.requests_burst_max = 5;
        },
        |_| {},
    );
    let asks = |client: Client, path: &str, before: u16| {
        let answers: Vec<Answer> = (0..12).map(|_| client.get(path)).collect();
        let refused: Vec<&Answer> = answers.iter().filter(|a| a.status == 429).collect();
        assert!(!refused.is_empty() && refused.iter().all(|a| a.headers.contains_key("retry-after")), "{path}");
        assert!(answers.iter().filter(|a| a.status == before).count() >= 5, "{path}");
    };
    asks(house.nobody(), "/checkpoint", 200);
    asks(house.gateway_key(), "/api/v1/grants", 403);
    asks(house.client("officer"), "/nowhere", 404);
    // What lets nobody in has a rate too, and takes nothing from those who show nothing.
    let mut wrong = house.nobody();
    wrong.headers.push(("Authorization".into(), format!("Bearer csk_{}_key-1", "00".repeat(32))));
    asks(wrong, "/checkpoint", 401);
    house.client("ethics").get("/checkpoint").is(200);
}

#[test]
fn the_same_request_is_refused_while_it_is_worked_on() {
    let mut house = House::start();
    let gate = Gate::default();
    gate.before(&mut house);
    let inspector = house.client("inspector");
    inspector.get("/api/v1/whoami").is(200);
    gate.broken(true);
    gate.shut(true);
    house.world.disk.arm(Step::Stage, 0, Fault::Fail);
    let access = json!({ "person": "P-ada1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z" });
    let headers = [("Content-Type", "application/x-ndjson"), ("Idempotency-Key", "a-line-that-fails-1")];
    let lines = house.gateway_key().ask("POST", "/api/v1/accesses", &headers, format!("{access}\n").as_bytes()).unwrap().is(200);
    assert!(lines.text().contains("outcome-unknown"), "{}", lines.text());
    let export = |client: &Client| client.post("/api/v1/exports", "an-export-in-work-1", &json!({ "planes": "public" }));
    let other = inspector.clone();
    let working = std::thread::spawn(move || export(&other));
    until("nobody works on it", || gate.opened() == 1);
    let told = export(&inspector).problem(409, "idempotency-in-progress");
    assert!(told.get("recorded").is_none(), "{told}");
    gate.shut(false);
    // It is opened again: until then nobody can say what stands.
    assert!([409, 503].contains(&export(&inspector).status));
    gate.broken(false);
    until("it is not opened again", || house.operations("/readyz").status == 200);
    // The first one was not recorded before, and says so or that it is not known.
    assert_eq!(working.join().unwrap().status, 503);
    until("it is not begun", || export(&inspector).status == 202);
    house.verified();
}

#[test]
fn one_root_is_signed_at_a_time_and_nobody_waits_in_line_for_it() {
    let house = House::start();
    let done = AtomicBool::new(false);
    let refused = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        // Commits, so that a signature has to wait for its turn on the thread that writes.
        scope.spawn(|| {
            let gateway = house.gateway_key();
            let event = json!({ "person": "P-ada1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z" });
            let lines = (0..2_000).map(|_| format!("{event}\n")).collect::<String>();
            for n in 0.. {
                if done.load(Ordering::SeqCst) {
                    return;
                }
                let headers = [("Content-Type", "application/x-ndjson"), ("Idempotency-Key", &*format!("a-stream-of-lines-{n}"))];
                gateway.ask("POST", "/api/v1/accesses", &headers, lines.as_bytes()).unwrap().is(200);
            }
        });
        let began = Instant::now();
        let (refused, house) = (&refused, &house);
        let asking: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(move || {
                    let nobody = house.nobody();
                    while refused.load(Ordering::SeqCst) == 0 && began.elapsed() < Duration::from_secs(60) {
                        let size = house.world.open(Access::Read).unwrap().size();
                        let answer = nobody.get(&format!("/api/v1/log/entries/{}/cose", size - 1));
                        if answer.status == 503 {
                            overloaded(answer);
                            refused.fetch_add(1, Ordering::SeqCst);
                        } else {
                            answer.is(200);
                        }
                    }
                })
            })
            .collect();
        asking.into_iter().for_each(|asking| asking.join().unwrap());
        done.store(true, Ordering::SeqCst);
    });
    assert!(refused.load(Ordering::SeqCst) > 0);
    house.nobody().get("/api/v1/log/entries/3/cose").is(200);
    house.verified();
}

#[test]
fn a_clock_that_is_wrong_records_nothing_new_and_forgets_nothing() {
    let house = House::start();
    let founder = house.client("founder");
    let first = person(&founder, "P-first").is(201).json();
    let now = countersign_ledger::Clock::now(&house.world.clock);
    house.world.clock.set(now.value() - 3_600_000_000);
    let told = person(&founder, "P-second").problem(503, "clock");
    assert_eq!(told["recorded"], false);
    assert_eq!(person(&founder, "P-first").is(200).json()["entry"], first["entry"]);
    house.world.clock.set(now.value());
    person(&founder, "P-second").is(201);
    house.verified();
}

#[test]
fn one_connection_more_than_there_may_be_is_closed_at_once() {
    let house = House::start_with(|config| config.limits.connections_max = 3, |_| {});
    let officer = house.client("officer");
    let held: Vec<_> = (0..3).map(|_| std::net::TcpStream::connect(("127.0.0.1", house.address)).unwrap()).collect();
    until("there is room for another", || officer.ask("GET", "/api/v1/whoami", &[], b"").is_err());
    assert!(house.operations("/metrics").text().contains("countersign_connections_refused_total"));
    drop(held);
    until("nobody is let in any more", || officer.ask("GET", "/api/v1/whoami", &[], b"").is_ok_and(|answer| answer.status == 200));
    house.verified();
}

/// Asks a house whose disk has hardly any room: what is still recorded, and what is answered.
fn with_hardly_any_room(house: &House, grant: u64, first: &Value) {
    let (founder, officer) = (house.client("founder"), house.client("officer"));
    let told = person(&founder, "P-second").problem(507, "disk-low");
    assert_eq!(told["recorded"], false);
    // The same request has the same receipt, and what takes access away is recorded.
    assert_eq!(person(&founder, "P-first").is(200).json()["entry"], first["entry"]);
    officer.post(&format!("/api/v1/grants/{grant}/revoke"), "revoke-for-want-of-1", &json!({})).is(201);
    let access = json!({ "person": "P-ada1", "submission": "S-0001", "action": "query", "occurred_at": "2026-06-01T12:00:00Z" });
    let gateway = house.gateway_key();
    gateway.post("/api/v1/accesses", "an-access-of-ada-01", &access).problem(507, "disk-low");
    let headers = [("Content-Type", "application/x-ndjson"), ("Idempotency-Key", "a-stream-without-room")];
    let lines = gateway.ask("POST", "/api/v1/accesses", &headers, format!("{access}\n{access}\n").as_bytes()).unwrap().is(200).text();
    assert_eq!(lines.lines().filter(|line| line.contains("disk-low")).count(), 2, "{lines}");
    // Reading goes on, and says that who asked is not recorded yet.
    let read = officer.get("/api/v1/persons/P-ada1").is(200);
    let read = if read.headers.contains_key("countersign-read") { read } else { officer.get("/api/v1/persons/P-ada1").is(200) };
    assert!(read.headers.contains_key("countersign-read") || reads_wait(house), "{read:?}");
    let ready = house.operations("/readyz");
    assert_eq!((ready.status, ready.json()["because"].as_str()), (503, Some("there is hardly any room left on the disk")));
}

/// Whether a question that was asked says, in a while, that it waits to be recorded.
fn reads_wait(house: &House) -> bool {
    let officer = house.client("officer");
    (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        officer.get("/api/v1/persons/P-ada1").is(200).headers.contains_key("countersign-read")
    })
}

/// A house, a grant that is active, and what was recorded while there was room.
fn house_with_room() -> (House, u64, Value) {
    let mut grant = 0;
    let house = House::start_with(
        |_| {},
        |ledger| {
            let submission = "S-0001".parse().unwrap();
            grant = active_grant(ledger, "ada1", &submission);
        },
    );
    let first = person(&house.client("founder"), "P-first").is(201).json();
    (house, grant, first)
}

#[test]
fn with_hardly_any_room_only_what_takes_access_away_is_recorded() {
    let (mut house, grant, first) = house_with_room();
    house.running.take().unwrap().stop();
    house.dir = Some(house.files.path().to_owned());
    house.config.limits.disk_free_mib_min = u32::MAX;
    house.run();
    with_hardly_any_room(&house, grant, &first);
    // The questions that wait are recorded where there is room again.
    house.running.take().unwrap().stop();
    house.config.limits.disk_free_mib_min = 0;
    house.run();
    person(&house.client("founder"), "P-second").is(201);
    house.verified();
}

/// The same on a real file system that fills up, and is made room on: no restart.
#[test]
fn when_there_is_room_again_recording_goes_on() {
    let disk = tempfile::tempdir().unwrap();
    let mounted = std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=64m", "none"]).arg(disk.path()).output();
    if !mounted.as_ref().is_ok_and(|m| m.status.success()) {
        eprintln!("SKIPPED when_there_is_room_again_recording_goes_on: no file system can be mounted here ({mounted:?})");
        return;
    }
    let (mut house, grant, first) = house_with_room();
    house.running.take().unwrap().stop();
    house.dir = Some(disk.path().to_owned());
    house.config.limits.disk_free_mib_min = 32;
    house.run();
    house.client("founder").get("/api/v1/whoami").is(200);
    assert_eq!(house.operations("/readyz").status, 200);
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![0; 48 << 20]).unwrap();
    until("it is not noticed that the disk is full", || house.operations("/readyz").status == 503);
    with_hardly_any_room(&house, grant, &first);
    std::fs::remove_file(ballast).unwrap();
    until("it is not noticed that there is room", || house.operations("/readyz").status == 200);
    person(&house.client("founder"), "P-second").is(201);
    let asked_by = "pr-officer";
    until("what was asked meanwhile is not recorded", || reads(&house.world.open(Access::Read).unwrap(), asked_by) > 0);
    house.verified();
    assert!(std::process::Command::new("umount").arg(disk.path()).status().unwrap().success());
}

/// A stream lasts from line to line: bytes alone keep none open.
#[test]
fn a_line_that_never_ends_keeps_no_stream_open() {
    let house = House::start_with(|config| config.limits.request_seconds_max = 2, |_| {});
    let gateway = house.gateway_key();
    let mut stream = gateway.connect().unwrap();
    let mut head = "POST /api/v1/accesses HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n".to_owned();
    head.push_str("Content-Type: application/x-ndjson\r\nIdempotency-Key: a-line-without-end\r\n");
    for (name, value) in &gateway.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.sock.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let (began, mut told) = (Instant::now(), Vec::new());
    while !String::from_utf8_lossy(&told).contains("problem:timeout") {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", String::from_utf8_lossy(&told));
        stream.write_all(b"1\r\nx\r\n").unwrap();
        let mut bytes = [0; 4096];
        let len = stream.read(&mut bytes).unwrap_or(0);
        told.extend_from_slice(&bytes[..len]);
    }
    drop(stream);
    house.verified();
}

/// Where health is asked for nobody has to show who they are, so it holds out by itself: half requests are cut off, and more than so many at once.
#[test]
fn whoever_asks_for_half_a_health_keeps_nobody_from_it_for_long() {
    let house = House::start();
    let half = || {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", house.operations)).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\n").unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    };
    let mut held: Vec<_> = (0..OPERATIONS_MAX).map(|_| half()).collect();
    // One more is closed at once, and each of them after a while.
    until("one more is let in", || half().read(&mut [0; 1]).is_ok_and(|read| read == 0));
    for stream in &mut held {
        assert_eq!(stream.read(&mut [0; 1]).unwrap_or(0), 0);
    }
    assert_eq!(house.operations("/healthz").status, 200);
    house.verified();
}
