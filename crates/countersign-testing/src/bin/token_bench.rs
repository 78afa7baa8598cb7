//! Keys in files and keys in a token, side by side in one run: `cargo xtask bench` runs it after the first figures. Signatures a second by the signer
//! alone, and appends a second with it, one at a time and 1,024 at a time. Shared machines drift: quote the ratios. Writes its part of
//! `docs/performance.md`; with `--quick` it measures for a moment and writes nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark that fails should stop"
)]

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use countersign_entry::ids::SubmissionId;
use countersign_ledger::{Clock as _, Directory, InToken, Ledger, Opening, Pending, Request, SystemClock, Writer};
use countersign_log::vkey::VKey;
use countersign_sign::Signer;
use countersign_sign::passphrase::Passphrase;
use countersign_sign::pkcs11::{Algorithm, Place, Token, TokenSigner};
use countersign_sign::software::SoftwareSigner;
use countersign_sign::unlock::Unlock;
use countersign_testing::ledger::{access, active_grant, cast, principal, stage_set};
use countersign_testing::table::Table;

const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
];
const DIR: &str = "COUNTERSIGN_TOKEN_BENCH";
const ROUNDS: usize = 3;
const SPAN: Duration = Duration::from_secs(3);
const SPAN_QUICK: Duration = Duration::from_millis(300);
const DEEP: usize = 1_024;

fn main() -> ExitCode {
    let Some(module) = MODULES.iter().map(Path::new).find(|path| path.exists()) else {
        println!("SKIPPED: SoftHSM 2 is not installed, so keys in a token are not measured");
        return ExitCode::SUCCESS;
    };
    match std::env::var_os(DIR) {
        Some(dir) => measure(module, &PathBuf::from(dir)),
        None => return with_token(),
    }
    ExitCode::SUCCESS
}

/// SoftHSM finds its tokens by an environment variable, so the figures come from a process of their own.
fn with_token() -> ExitCode {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("softhsm2.conf");
    std::fs::create_dir(dir.path().join("tokens")).unwrap();
    let tokens = dir.path().join("tokens");
    std::fs::write(&config, format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", tokens.display()))
        .unwrap();
    let init = ["--init-token", "--free", "--label", "bench", "--so-pin", "12345678", "--pin", "12345678"];
    assert!(Command::new("softhsm2-util").args(init).env("SOFTHSM2_CONF", &config).output().unwrap().status.success());
    let arguments = std::env::args().skip(1);
    let status =
        Command::new(std::env::current_exe().unwrap()).args(arguments).env("SOFTHSM2_CONF", &config).env(DIR, dir.path()).status().unwrap();
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(module: &Path, dir: &Path) {
    let pin_file = dir.join("pin");
    std::fs::write(&pin_file, "12345678").unwrap();
    std::fs::set_permissions(&pin_file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let place = Place { module: module.to_owned(), token: "bench".into(), pin_file };
    let token = Token::at(place.clone());
    let mut keys = Vec::new();
    for (label, algorithm) in [("ed25519", Algorithm::Ed25519), ("p256", Algorithm::P256)] {
        let key = token.make_signing_key(label, algorithm).unwrap();
        let vkey = match algorithm {
            Algorithm::Ed25519 => VKey::new("bench.example/token", &key),
            Algorithm::P256 => VKey::ecdsa("bench.example/token", &key),
        };
        keys.push((label, vkey.unwrap()));
    }
    let quick = std::env::args().any(|a| a == "--quick");
    let span = if quick { SPAN_QUICK } else { SPAN };
    println!("\nkeys in files and in a token (SoftHSM 2), medians of {ROUNDS} rounds of {} ms, round by round in turn", span.as_millis());
    let mut table = Table::new(dir);
    let mut unlock = Unlock::new(Passphrase::new("bench").unwrap());
    let software =
        SoftwareSigner::create(&dir.join("key"), "bench.example/software", &mut unlock, &mut countersign_sign::os_random).unwrap();
    let mut cases = vec![Case::new("Ed25519 in a file", Box::new(software), software_ledger(&dir.join("software")))];
    for (label, vkey) in &keys {
        let name = format!("{label} in the token");
        let signer = Box::new(TokenSigner::new(token.clone(), label, vkey.clone()));
        cases.push(Case::new(&name, signer, token_ledger(&dir.join(label), &place, label, vkey)));
    }
    for _ in 0..ROUNDS {
        for case in &mut cases {
            case.round(span);
        }
    }
    let base: Vec<f64> = cases[0].medians();
    for (n, (what, bar)) in [("signatures", ""), ("appends, one at a time", ""), ("appends, 1,024 waiting", "0.8")].into_iter().enumerate()
    {
        for (place, case) in cases.iter().enumerate() {
            let figure = case.medians()[n];
            let (against, bar) =
                if place == 0 { (String::new(), "") } else { (format!("{:.2} of the key in a file", figure / base[n]), bar) };
            table.row(format!("{what}: {}", case.name), format!("{figure:.0} /s"), against, bar);
        }
    }
    if !quick {
        table.write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/performance.md"), "token");
    }
}

struct Case {
    name: String,
    signer: Box<dyn Signer>,
    ledger: Option<Ledger>,
    submission: SubmissionId,
    grant: u64,
    sent: u64,
    figures: [Vec<f64>; 3],
}

impl Case {
    fn new(name: &str, signer: Box<dyn Signer>, mut ledger: Ledger) -> Self {
        let submission = stage_set(&mut ledger);
        let grant = active_grant(&mut ledger, "ada1", &submission);
        Self { name: name.to_owned(), signer, ledger: Some(ledger), submission, grant, sent: 0, figures: Default::default() }
    }

    fn round(&mut self, span: Duration) {
        let began = Instant::now();
        let mut signed = 0u32;
        while began.elapsed() < span {
            std::hint::black_box(self.signer.sign(format!("bench.example\n{signed}\n").as_bytes()).unwrap());
            signed += 1;
        }
        self.figures[0].push(f64::from(signed) / began.elapsed().as_secs_f64());
        for (figure, depth) in [(1, 1), (2, DEEP)] {
            let rate = self.appends(depth, span);
            self.figures[figure].push(rate);
        }
    }

    fn appends(&mut self, depth: usize, span: Duration) -> f64 {
        let writer = Writer::start(self.ledger.take().unwrap()).unwrap();
        let mut waiting: VecDeque<Pending> = VecDeque::new();
        let mut done = 0u64;
        let began = Instant::now();
        while began.elapsed() < span || !waiting.is_empty() {
            while began.elapsed() < span && waiting.len() < depth {
                waiting.push_back(writer.submit(self.request()).unwrap());
            }
            if let Some(pending) = waiting.pop_front() {
                std::hint::black_box(pending.wait().unwrap().tlog_proof().unwrap());
                done += 1;
            }
        }
        let rate = done as f64 / began.elapsed().as_secs_f64();
        self.ledger = writer.stop();
        rate
    }

    fn request(&mut self) -> Request {
        self.sent += 1;
        let record = access("ada1", &self.submission, Some(self.grant), SystemClock.now()).into();
        Request { actor: principal("gateway"), key: format!("bench-{:012}", self.sent).parse().unwrap(), record, signed: None }
    }

    fn medians(&self) -> Vec<f64> {
        let median = |figures: &Vec<f64>| {
            let mut sorted = figures.clone();
            sorted.sort_by(f64::total_cmp);
            sorted[sorted.len() / 2]
        };
        self.figures.iter().map(median).collect()
    }
}

fn opening() -> Opening {
    Opening { passphrase_file: None, pin_file: None, clock: Box::new(SystemClock), told: Box::new(|_| {}) }
}

fn software_ledger(dir: &Path) -> Ledger {
    let (founder, sequencer) = (principal("founder"), principal("sequencer"));
    Directory::create(dir, "bench.example/software", Path::new("register/head"), opening(), &founder, &sequencer, cast()).unwrap()
}

fn token_ledger(dir: &Path, place: &Place, label: &str, vkey: &VKey) -> Ledger {
    let (founder, sequencer) = (principal("founder"), principal("sequencer"));
    let key = InToken { place, label, vkey };
    Directory::create_in_token(dir, key, Path::new("register/head"), opening(), &founder, &sequencer, cast()).unwrap()
}
