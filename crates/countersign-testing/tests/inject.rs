//! Every system call of a commit × EIO and ENOSPC, by `strace -e inject`: what the client is told, and that the same key after opening the ledger
//! again gives one entry, never two, whatever failed. And a disk that is really full, with recovery in the same process.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use countersign_ledger::{Access, AppendError, Directory, DirectoryError, Ledger, OpenError, Opening, SystemClock};
use countersign_store::StoreError;
use countersign_testing::ledger::{access, cast, options, principal, record, stage_set};
use countersign_verify::files::DirSource;

/// Calls that touch files. The others of a commit are about memory, threads and time.
const FILE_CALLS: &[&str] = &[
    "openat",
    "read",
    "pread64",
    "write",
    "pwrite64",
    "fdatasync",
    "fsync",
    "ftruncate",
    "rename",
    "statx",
    "fstat",
    "newfstatat",
    "lseek",
    "close",
];
const ERRORS: [&str; 2] = ["EIO", "ENOSPC"];

#[test]
fn every_system_call_of_a_commit() {
    if !works("strace", &["-qq", "-o", "/dev/null", "true"]) {
        return eprintln!("SKIPPED: strace is missing or may not trace, so no system call was made to fail");
    }
    let base = tempfile::tempdir().unwrap();
    let original = base.path().join("original");
    drop(make(&original));
    let calls = calls_of_a_commit(base.path(), &original);
    assert!(calls.iter().any(|(call, _)| call == "fdatasync") && calls.iter().any(|(call, _)| call == "pwrite64"), "{calls:?}");
    let mut told: BTreeMap<(String, &str), BTreeSet<String>> = BTreeMap::new();
    for (call, nth) in &calls {
        for error in ERRORS {
            let answers = inject(base.path(), &original, call, *nth, error);
            told.entry((call.clone(), error)).or_default().insert(answers);
        }
    }
    for ((call, error), answers) in &told {
        eprintln!("{call:<10} {error:<7} {}", answers.iter().cloned().collect::<Vec<_>>().join(" | "));
    }
    eprintln!("{} system calls x {} errors: one entry for the key every time, every ledger verifies", calls.len(), ERRORS.len());
}

/// Runs one commit on a copy of the ledger with one call failing, and looks at what is there afterwards. What the client was told, in short.
fn inject(base: &Path, original: &Path, call: &str, nth: usize, error: &str) -> String {
    let what = format!("{call} {nth} {error}");
    let dir = base.join("copy");
    copy(original, &dir);
    let before = open(&dir).size();
    let inject = format!("inject={call}:error={error}:when={nth}");
    let done = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject])
        .arg(env!("CARGO_BIN_EXE_commit_once"))
        .arg(&dir)
        .arg("the-key")
        .output()
        .unwrap();
    let out = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{what}: {out}{}", String::from_utf8_lossy(&done.stderr));
    let words: Vec<&str> = out.lines().skip(1).map(|line| line.split(' ').next().unwrap()).collect();
    assert!(matches!(words[..], ["recorded"] | ["unknown" | "nothing", "recorded" | "repeated"]), "{what}: {out}");
    let ledger = open(&dir);
    assert_eq!(ledger.read_only(), None, "{what}");
    assert_eq!(ledger.size(), before + 1, "{what}: {out}");
    let (_, meta, _) = ledger.entry(before).unwrap();
    assert_eq!(meta.request, "the-key", "{what}");
    let report = countersign_verify::verify(&DirSource::new(&dir), &options(&ledger), &mut |_| {});
    assert_eq!(report.exit_code, 0, "{what}: {report}");
    drop(ledger);
    std::fs::remove_dir_all(&dir).unwrap();
    words.join(", then ")
}

/// The file calls between `ready` and the answer, each with its number among the calls of that name since the start, as strace counts them.
fn calls_of_a_commit(base: &Path, original: &Path) -> Vec<(String, usize)> {
    let (dir, log) = (base.join("copy"), base.join("log"));
    copy(original, &dir);
    let run = Command::new("strace")
        .args(["-qq", "-o"])
        .arg(&log)
        .arg(env!("CARGO_BIN_EXE_commit_once"))
        .arg(&dir)
        .arg("traced")
        .stdout(Stdio::null())
        .status();
    assert!(run.unwrap().success());
    std::fs::remove_dir_all(&dir).unwrap();
    let text = std::fs::read_to_string(log).unwrap();
    let (mut seen, mut within, mut found) = (BTreeMap::new(), false, Vec::new());
    for line in text.lines() {
        let Some((call, rest)) = line.split_once('(') else { continue };
        let nth: &mut usize = seen.entry(call.to_owned()).or_default();
        *nth += 1;
        match (call, rest.starts_with("1, \"")) {
            ("write", true) if rest.contains("ready") => within = true,
            ("write", true) => within = false,
            _ if within && FILE_CALLS.contains(&call) => found.push((call.to_owned(), *nth)),
            _ => {}
        }
    }
    found
}

/// A file system that is full: nothing is acknowledged, reading goes on, and with room again the same process goes on where it was.
#[test]
fn a_full_disk_and_room_again() {
    let base = tempfile::tempdir().unwrap();
    let Some(small) = Small::mount(base.path()) else {
        return eprintln!("SKIPPED: mounting a small file system was refused (it takes root), so no disk was really full");
    };
    let dir = small.0.join("ledger");
    let mut ledger = make(&dir);
    let submission = ledger.facts().submissions().next().unwrap().record.id.clone();
    let ballast = small.0.join("ballast");
    std::fs::write(&ballast, vec![1; 2 << 20]).unwrap();
    let (mut n, mut acknowledged) = (0, Vec::new());
    let failed = loop {
        let now = ledger.now();
        let requests = (n..n + 100).map(|n| countersign_ledger::Request {
            actor: principal("gateway"),
            key: format!("event-{n}").parse().unwrap(),
            record: access("ada1", &submission, None, now).into(),
            signed: None,
        });
        let answers = ledger.commit(requests.collect());
        match answers.into_iter().collect::<Result<Vec<_>, _>>() {
            Ok(receipts) => acknowledged.extend(receipts.into_iter().map(|r| (n, r.index))),
            Err(e) => break e,
        }
        n += 100;
        assert!(n < 100_000, "the disk never filled");
    };
    assert!(matches!(&failed, AppendError::Unknown(why) if why.contains("no space")), "{failed}");
    let event = access("ada1", &submission, None, ledger.now());
    let refused = record(&mut ledger, "gateway", "more", event.clone()).unwrap_err();
    assert!(matches!(refused, AppendError::ReadOnly(_)), "{refused}");
    assert!(acknowledged.iter().all(|(_, index)| ledger.entry(*index).is_ok()), "reading goes on");
    let before = acknowledged.len();
    drop(ledger);
    std::fs::remove_file(ballast).unwrap();
    let mut ledger = open(&dir);
    assert_eq!(ledger.read_only(), None);
    let again = record(&mut ledger, "gateway", "room-again", event).unwrap();
    assert!(again.index as usize >= before);
    let report = countersign_verify::verify(&DirSource::new(&dir), &options(&ledger), &mut |_| {});
    assert_eq!(report.exit_code, 0, "{report}");
    eprintln!("full after {before} entries: told {failed}; with room again entry {} in the same process", again.index);
}

/// A file system of a few megabytes, unmounted when dropped.
struct Small(PathBuf);

impl Small {
    fn mount(base: &Path) -> Option<Self> {
        let (image, at) = (base.join("image"), base.join("small"));
        std::fs::write(&image, vec![0; 12 << 20]).unwrap();
        std::fs::create_dir(&at).unwrap();
        let (image, path) = (image.to_str().unwrap(), at.to_str().unwrap());
        (works("mkfs.ext4", &["-q", image]) && works("mount", &["-o", "loop", image, path])).then_some(Self(at.clone()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        works("umount", &["-l", self.0.to_str().unwrap()]);
    }
}

fn works(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn copy(from: &Path, to: &Path) {
    assert!(works("cp", &["-r", from.to_str().unwrap(), to.to_str().unwrap()]));
}

fn opening() -> Opening {
    Opening { passphrase_file: None, pin_file: None, clock: Box::new(SystemClock), told: Box::new(|_| {}) }
}

fn open(dir: &Path) -> Ledger {
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        match Directory::find(dir).unwrap().open(Access::Write, opening()) {
            // Another test's child that is between its fork and its exec holds our lock until then.
            Err(DirectoryError::Open(OpenError::Store(StoreError::Locked(_)))) if Instant::now() < patience => {
                std::thread::sleep(Duration::from_millis(10));
            }
            opened => return opened.unwrap(),
        }
    }
}

fn make(dir: &Path) -> Ledger {
    let (register, origin) = (Path::new("register/head"), "inject.example/software");
    let mut ledger = Directory::create(dir, origin, register, opening(), &principal("founder"), &principal("sequencer"), cast()).unwrap();
    stage_set(&mut ledger);
    // The compartment of accesses has its key, so that what follows are commits like any other.
    let submission = ledger.facts().submissions().next().unwrap().record.id.clone();
    let now = ledger.now();
    record(&mut ledger, "gateway", "first", access("ada1", &submission, None, now)).unwrap();
    ledger
}
