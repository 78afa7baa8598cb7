//! Power cuts, for real as far as software can: a ledger under load on ext4 on a loop device on a drive with a volatile cache ([`drive`]). At a
//! random moment the power goes. What the drive may hold then is mounted and opened: everything flushed; everything written; everything flushed
//! and a random part of the rest, block by block. Nothing acknowledged may be missing, and every ledger must verify. Beside it, on the same drive,
//! a naive store that trusts sled's `flush`, to show that the rig finds what it looks for.
//!
//! Needs root, /dev/fuse and loop devices; says so where they are refused. `COUNTERSIGN_CUTS` sets how many cuts, `COUNTERSIGN_SEED` the seed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]

mod drive;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use countersign_ledger::{Access, Directory, Ledger, Opening, SystemClock};
use countersign_testing::ledger::{active_grant, cast, options, principal, stage_set};
use countersign_verify::files::DirSource;

use self::drive::{Cut, Drive};

const DRIVE_BYTES: usize = 96 << 20;
const CUTS: u64 = 4;

/// What of the writes since the last flush reached the medium.
#[derive(Debug, Clone, Copy)]
enum Reached {
    Nothing,
    Everything,
    Some,
}

#[test]
fn nothing_acknowledged_is_lost_when_the_power_goes() {
    let Some(mut random) = rig() else { return };
    let (mut acknowledged, mut finished, mut unflushed) = (0, 0, 0);
    for cut in 0..cuts() {
        let what = format!("seed {}, cut {cut}", random.1);
        let state = load_and_cut(&mut random, |dir| drop(make(dir)), "loader", cut);
        unflushed += state.since.len();
        for reached in [Reached::Nothing, Reached::Everything, Reached::Some] {
            let after = Mounted::image(&after_the_cut(&state, reached, &mut random));
            let dir = after.0.join("ledger");
            let sealed = open(&dir, Access::Read).size();
            let ledger = open(&dir, Access::Write);
            assert_eq!(ledger.read_only(), None, "{what}, {reached:?}");
            finished += u64::from(ledger.size() > sealed);
            for line in &state.lines {
                let (n, index) = line.split_once(' ').unwrap();
                let (_, meta, _) =
                    ledger.entry(index.parse().unwrap()).unwrap_or_else(|e| panic!("{what}, {reached:?}: {line} is lost: {e}"));
                assert_eq!(meta.request, format!("{cut}-{:012}", n.parse::<u64>().unwrap()), "{what}, {reached:?}");
            }
            let report = countersign_verify::verify(&DirSource::new(&dir), &options(&ledger), &mut |_| {});
            assert_eq!(report.exit_code, 0, "{what}, {reached:?}: {report}");
        }
        acknowledged += state.lines.len();
    }
    eprintln!(
        "{} power cuts x 3 states of the drive, seed {}: {acknowledged} acknowledged entries, none lost; {unflushed} writes were not flushed; \
         {finished} interrupted commits finished at restart",
        cuts(),
        random.1
    );
    assert!(acknowledged > 0 && unflushed > 0);
}

/// The hole this design avoids. If it is not there, the rig is blind.
#[test]
fn a_store_that_trusts_sled_loses_what_it_acknowledged() {
    let Some(mut random) = rig() else { return };
    let (mut lost, mut worst, rounds) = (0, 0, cuts().min(10));
    for _ in 0..rounds {
        let state = load_and_cut(&mut random, |dir| std::fs::create_dir(dir).unwrap(), "sled_loader", 0);
        let after = Mounted::image(&after_the_cut(&state, Reached::Nothing, &mut random));
        let newest: u64 = state.lines.last().unwrap().parse().unwrap();
        let counted = Command::new(env!("CARGO_BIN_EXE_sled_loader")).arg(after.0.join("ledger")).arg("count").output().unwrap();
        let found: u64 = String::from_utf8_lossy(&counted.stdout).trim().parse().unwrap_or(0);
        lost += u64::from(found <= newest);
        worst = worst.max((newest + 1).saturating_sub(found));
    }
    eprintln!("sled alone: {lost} of {rounds} power cuts lost acknowledged entries, {worst} at most");
    assert!(lost > 0, "the rig did not find what is known to be there");
}

/// Whether the rig can be built here; says why where it cannot.
fn rig() -> Option<Random> {
    let seed = std::env::var("COUNTERSIGN_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(|| u64::from(std::process::id()));
    let base = tempfile::tempdir().unwrap();
    match Drive::mount(base.path(), 1 << 20) {
        Ok(drive) if std::fs::read(drive.disk()).is_ok_and(|bytes| bytes.len() == 1 << 20) => Some(Random(seed, seed)),
        Ok(_) => panic!("the drive does not work"),
        Err(e) => {
            eprintln!("SKIPPED: no power was cut: mounting /dev/fuse takes root and was refused: {e}");
            None
        }
    }
}

fn cuts() -> u64 {
    std::env::var("COUNTERSIGN_CUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(CUTS)
}

/// Runs a loader on a fresh drive and cuts the power at a random write of its load.
fn load_and_cut(random: &mut Random, make: impl Fn(&Path), loader: &str, round: u64) -> Cut {
    let base = tempfile::tempdir().unwrap();
    let (at, mnt) = (base.path().join("drive"), base.path().join("mnt"));
    std::fs::create_dir(&at).unwrap();
    let drive = Drive::mount(&at, DRIVE_BYTES).unwrap();
    run("mkfs.ext4", &["-q", "-F", drive.disk().to_str().unwrap()]);
    let mounted = Mounted::at(&drive.disk(), mnt);
    let dir = mounted.0.join("ledger");
    make(&dir);
    run("sync", &["-f", mounted.0.to_str().unwrap()]);
    let program = if loader == "loader" { env!("CARGO_BIN_EXE_loader") } else { env!("CARGO_BIN_EXE_sled_loader") };
    let mut child = Command::new(program).arg(&dir).arg(round.to_string()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = drive::Lines::default();
    let reader = std::thread::spawn({
        let (lines, out) = (lines.clone(), child.stdout.take().unwrap());
        move || BufReader::new(out).lines().map_while(Result::ok).for_each(|line| lines.lock().unwrap().push(line))
    });
    while lines.lock().unwrap().is_empty() {
        std::thread::sleep(Duration::from_millis(1));
        assert!(child.try_wait().unwrap().is_none(), "the loader stopped");
    }
    drive.arm(1 + random.below(800), lines.clone());
    let began = Instant::now();
    let cut = loop {
        if let Some(cut) = drive.taken() {
            break cut;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "the load writes nothing");
        std::thread::sleep(Duration::from_millis(1));
    };
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    cut
}

fn after_the_cut(cut: &Cut, reached: Reached, random: &mut Random) -> Vec<u8> {
    let mut medium = cut.flushed.clone();
    for write in &cut.since {
        for (n, block) in write.bytes.chunks(4_096).enumerate() {
            // Of a block that was being written when the power went, some sectors may be there.
            let sectors = match reached {
                Reached::Nothing => 0,
                Reached::Everything => 8,
                Reached::Some if random.below(8) == 0 => random.below(8) as usize,
                Reached::Some => 8 * random.below(2) as usize,
            };
            let at = write.offset + n * 4_096;
            let len = block.len().min(sectors * 512);
            medium[at..at + len].copy_from_slice(&block[..len]);
        }
    }
    medium
}

/// A mounted file system, unmounted when dropped, with the directory that holds what it needs.
struct Mounted(PathBuf, Option<tempfile::TempDir>);

impl Mounted {
    fn at(image: &Path, mnt: PathBuf) -> Self {
        std::fs::create_dir(&mnt).unwrap();
        run("mount", &["-o", "loop", image.to_str().unwrap(), mnt.to_str().unwrap()]);
        Self(mnt, None)
    }

    /// An image of a drive, kept in memory where there is such a place.
    fn image(bytes: &[u8]) -> Self {
        let shm = Path::new("/dev/shm");
        let base = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.unwrap();
        let image = base.path().join("image");
        std::fs::write(&image, bytes).unwrap();
        let mnt = base.path().join("mnt");
        Self(Self::at(&image, mnt.clone()).keep(), Some(base))
    }

    fn keep(self) -> PathBuf {
        let path = self.0.clone();
        std::mem::forget(self);
        path
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        run("umount", &[self.0.to_str().unwrap()]);
        drop(self.1.take());
    }
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}: {status}");
}

fn opening() -> Opening {
    Opening { passphrase_file: None, pin_file: None, clock: Box::new(SystemClock) }
}

fn open(dir: &Path, access: Access) -> Ledger {
    Directory::find(dir).unwrap().open(access, opening()).unwrap()
}

fn make(dir: &Path) -> Ledger {
    let (register, origin) = (Path::new("register/head"), "power.example/software");
    let mut ledger = Directory::create(dir, origin, register, opening(), &principal("founder"), &principal("sequencer"), cast()).unwrap();
    let submission = stage_set(&mut ledger);
    active_grant(&mut ledger, "ada1", &submission);
    ledger
}

/// xorshift; the second number is the seed.
struct Random(u64, u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = (self.0 ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        self.0 ^= self.0 >> 29;
        self.0 % bound
    }
}
