//! What serving costs and what it withstands, by one command: `cargo run --release -p countersign-server --example serve_bench [DIR] [--quick] [--preempts]`.
//!
//! A ledger on the disk DIR lies on, a service over it in a process of its own, and clients here: single accesses beside an echo, in a process of its own
//! too, by the same framework with the same TLS, client certificate and sizes; a stream of lines; whether an answer tells of a watch list by the time it takes, over TLS; and what
//! hostile clients, in a third process, leave of the rate. Writes its part of `docs/performance.md`; `--quick` measures for a moment and writes nothing. Clients leave
//! the processor to the service, as those on other machines do (`SCHED_BATCH`); with `--preempts` each answer wakes one that takes it from the service.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that fails should stop"
)]

mod client;
mod equal;
mod hostile;
mod load;
mod scene;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use countersign_testing::table::{Table, memory};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use self::client::Client;

/// The program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Says that whoever asks runs as it was started.
const PREEMPTS: &str = "--preempts";

struct Sizes {
    seconds: u64,
    lines: u64,
    /// How long the ledger is made in the end.
    entries: u64,
    pairs: usize,
    idle: usize,
}

fn main() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("serve") => return scene::serve(Path::new(&arguments[1])),
        Some("echo") => return load::serve_echo(Path::new(&arguments[1]), arguments[2].parse().unwrap()),
        Some("hostile") => {
            return hostile::run(&arguments[1], arguments[2].parse().unwrap(), Path::new(&arguments[3]), arguments[4].parse().unwrap());
        }
        _ => {}
    }
    let mut says = |word: &str| arguments.iter().position(|a| a == word).map(|at| arguments.remove(at)).is_some();
    let (quick, preempts) = (says("--quick"), says(PREEMPTS));
    if !preempts {
        return wait_for_others(quick, arguments);
    }
    let base =
        arguments.pop().map_or_else(|| std::env::temp_dir().join(format!("countersign-serve-{}", std::process::id())), PathBuf::from);
    let sizes = if quick {
        Sizes { seconds: 3, lines: 20_000, entries: 200_000, pairs: 500, idle: 10_000 }
    } else {
        Sizes { seconds: 10, lines: 500_000, entries: 10_000_000, pairs: 10_000, idle: 10_000 }
    };
    std::fs::create_dir_all(&base).unwrap();
    let mut table = Table::new(&base);
    load::UNDER.set(scene::make(&base, sizes.pairs + equal::WARM)).unwrap();
    let mut service = Served::start(&["serve", base.to_str().unwrap()]);
    tokio::runtime::Runtime::new().unwrap().block_on(run(&mut service, &base, &sizes, &mut table));
    service.stop();
    std::fs::remove_dir_all(&base).unwrap();
    if !quick {
        table.write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/performance.md"), "service");
    }
}

/// The service, or what it stands beside, in a process of its own.
struct Served {
    child: Child,
    port: u16,
}

impl Served {
    fn start(arguments: &[&str]) -> Self {
        // What a service tells goes to a file, as where one is run; so does why it died.
        let told = std::fs::File::create(Path::new(arguments[1]).join(format!("{}.log", arguments[0]))).unwrap();
        let mut child = again(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(told).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, port: line.trim().parse().expect("it says its port") }
    }

    /// It stops when nobody holds its input.
    fn stop(&mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

/// This program again, as whoever starts a service has it run.
fn again(arguments: &[&str]) -> Command {
    let mut command = scheduled("--other");
    command.args(arguments);
    command
}

/// Has whoever asks take turns with whoever answers (`SCHED_BATCH`, sched(7)): by default each answer wakes a client that takes the processor away from the
/// service for it, as no client on another machine can. Service and echo run as usual.
fn wait_for_others(quick: bool, arguments: Vec<String>) {
    let mut command = scheduled("--batch");
    command.arg(PREEMPTS).args(quick.then_some("--quick")).args(arguments);
    assert!(command.status().expect("chrt (util-linux)").success());
}

/// This program under a policy of the scheduler.
fn scheduled(policy: &str) -> Command {
    let mut command = Command::new("chrt");
    command.args([policy, "0"]).arg(std::env::current_exe().unwrap());
    command
}

async fn run(service: &mut Served, base: &Path, sizes: &Sizes, table: &mut Table) {
    let (port, dir) = (service.port, base.to_owned());
    let gateway = Client::new(&dir, "gateway", port);
    let one = load::load(&gateway, load::ACCESSES, 1, sizes.seconds).await;
    let mut bare = Served::start(&["echo", dir.to_str().unwrap(), &one.length.to_string()]);
    let echo = Client::new(&dir, "gateway", bare.port);
    let echo_one = load::load(&echo, "/", 1, sizes.seconds).await;
    let echo_many = load::load(&echo, "/", 256, sizes.seconds).await;
    bare.stop();
    let many = load::load(&gateway, load::ACCESSES, 256, sizes.seconds).await;
    let took = |m: &load::Measured| format!("p50 {:.2} ms, p99 {:.2} ms", millis(m.p50), millis(m.p99));
    table.row("echo, one connection", format!("{:.0} /s", echo_one.rate), took(&echo_one), "");
    table.row(
        "an access, one connection, p50",
        format!("{:.2} ms", millis(one.p50)),
        format!("{:.0} /s; {}", one.rate, took(&one)),
        "1 ms",
    );
    table.row("echo, 256 connections", format!("{:.0} /s", echo_many.rate), took(&echo_many), "");
    table.row("accesses, 256 connections, acknowledged", format!("{:.0} /s", many.rate), took(&many), "");
    table.row("of the echo", format!("{:.2}", many.rate / echo_many.rate), "the same TLS, client certificate and sizes", "0.35");
    table.row("p99 at 256 connections", format!("{:.2} ms", millis(many.p99)), "", "15 ms");
    let stream = load::stream(&gateway, sizes.lines).await;
    table.row("a stream of lines", format!("{stream:.0} events/s"), format!("{} lines, each with its result", sizes.lines), "100,000 /s");
    equal::measure(&dir, port, sizes.pairs, table).await;
    withstand(&gateway, &dir, sizes, table).await;
    let held = |table: &mut Table, when: String| {
        let (now, peak) = memory(Some(service.child.id()));
        table.row(
            format!("memory of the service, at its peak, {when}"),
            format!("{peak:.0} MiB"),
            format!("{now:.0} MiB then"),
            "1,024 MiB",
        );
    };
    held(table, "after all that".to_owned());
    let officer = Client::new(&dir, "officer", port);
    let size = size(&officer).await;
    let lines = sizes.entries.saturating_sub(size).next_multiple_of(100);
    let rate = load::stream(&gateway, lines).await;
    table.row("a stream up to the end", format!("{rate:.0} events/s"), format!("{lines} lines"), "");
    held(table, format!("with {} entries", size + lines));
    for (what, as_of) in [("the middle", sizes.entries / 2), ("not long ago", sizes.entries - 1_000)] {
        let question = client::get(&format!("/api/v1/persons?limit=1&as_of={as_of}"));
        let mut took = Vec::new();
        for _ in 0..2 {
            let began = Instant::now();
            let (status, _) = officer.connect().await.ask(&question).await;
            took.push(format!("{:.3} s, answered {status}", began.elapsed().as_secs_f64()));
        }
        let again = format!("{as_of} entries; asked again on another connection: {}", took[1]);
        table.row(format!("a question as of {what}"), took[0].clone(), again, "");
    }
    held(table, "after these questions".to_owned());
}

/// The size a question is answered for.
async fn size(officer: &Client) -> u64 {
    let mut officer = officer.connect().await;
    let (status, _) = officer.ask(&client::get("/api/v1/persons?limit=1")).await;
    let answer = String::from_utf8_lossy(&officer.answer).into_owned();
    assert_eq!(status, 200, "{answer}");
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    answer["as_of"].as_u64().unwrap()
}

/// What is left of the rate at 256 connections while others do harm; held against the rate without them right before and after.
async fn withstand(gateway: &Client, dir: &Path, sizes: &Sizes, table: &mut Table) {
    let alone = async || load::load(gateway, load::ACCESSES, 256, sizes.seconds).await.rate;
    let kinds = [
        ("slow", 1_000, "1,000 that send a byte of a head a second"),
        ("giant", 32, "32 that send bodies without an end"),
        ("idle", sizes.idle, "connections that do nothing"),
    ];
    for (kind, count, what) in kinds {
        let before = alone().await;
        let mut harm = again(&["hostile", kind, &count.to_string(), dir.to_str().unwrap(), &gateway.port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(harm.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let during = load::load(gateway, load::ACCESSES, 256, sizes.seconds).await;
        drop(harm.stdin.take());
        harm.wait().unwrap();
        // Connections that are gone are gone when the service has seen it.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let without = (before + alone().await) / 2.0;
        let name = format!("accesses beside {what}");
        let what = format!("{count} {}; {without:.0} /s without; {} refused", ready.trim(), during.refused);
        table.row(name, format!("{:.0} /s, {:.2}", during.rate, during.rate / without), what, "0.8");
    }
    let before = alone().await;
    let tenfold = load::load(gateway, load::ACCESSES, 2_560, sizes.seconds).await;
    let without = (before + alone().await) / 2.0;
    let took = format!("{without:.0} /s at 256; p99 {:.0} ms; {} refused", millis(tenfold.p99), tenfold.refused);
    table.row("accesses, 2,560 connections, acknowledged", format!("{:.0} /s, {:.2}", tenfold.rate, tenfold.rate / without), took, "0.8");
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}
