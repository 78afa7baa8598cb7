//! Backups of a ledger that is written to, ledgers made from them, and what a loss leaves behind: nothing goes on from an old backup by itself, and
//! what was declared lost is told by whoever verifies.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a panic is a failed test")]

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_entry::ids::{Line, SubmissionId};
use countersign_ledger::{
    Access, AppendError, Backup, BackupError, Clock as _, Directory, Ledger, Loss, Opening, Request, SystemClock, Writer,
};
use countersign_store::register::FileRegister;
use countersign_store::{Head, Register as _};
use countersign_testing::ledger::{TestClock, access, cast, options, principal, record, stage_set, verified};
use countersign_verify::Verdict;

/// A ledger in a directory with its register elsewhere, and a place for its backups.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn start() -> (Self, Ledger, SubmissionId) {
        let dir = tempfile::tempdir().unwrap();
        let place = Self { dir };
        let mut ledger = Directory::create(
            &place.path("ledger"),
            "loss.example/software",
            &place.path("elsewhere/head"),
            place.opening(),
            &principal("founder"),
            &principal("sequencer"),
            cast(),
        )
        .unwrap();
        let submission = stage_set(&mut ledger);
        fs::copy(place.path("ledger/keys/passphrase"), place.path("passphrase")).unwrap();
        (place, ledger, submission)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The passphrase was kept elsewhere, as it is not in a backup.
    fn opening(&self) -> Opening {
        let file = Some(self.path("passphrase")).filter(|path| path.exists());
        Opening { passphrase_file: file, pin_file: None, clock: Box::new(SystemClock), told: Box::new(|_| {}) }
    }

    fn backup(&self, name: &str) -> Backup {
        Backup::create(&Directory::find(&self.path("ledger")).unwrap(), &self.path(name), SystemClock.now(), &mut |_, _| {}).unwrap()
    }

    fn open(&self, name: &str) -> Ledger {
        Directory::find(&self.path(name)).unwrap().open(Access::Write, self.opening()).unwrap()
    }

    fn register(&self) -> Head {
        FileRegister::open_reader(&self.path("elsewhere/head")).unwrap().load().unwrap().unwrap()
    }
}

fn some(ledger: &mut Ledger, submission: &SubmissionId, count: u64) {
    for n in 0..count {
        let now = ledger.now();
        let key = format!("event-{}-{n}", ledger.size());
        record(ledger, "gateway", &key, access("ada1", submission, None, now)).unwrap();
    }
}

fn loss(head: &Head) -> Loss {
    let approvers = vec![principal("approver1"), principal("approver2")];
    Loss { head: head.note.clone(), reason: Line::new("both disks burnt").unwrap(), approvers, signatures: Default::default() }
}

fn declare(place: &Place, name: &str, ledger: &mut Ledger, loss: Loss) -> Result<countersign_ledger::Receipt, AppendError> {
    let signer = Directory::find(&place.path(name)).unwrap().make_signing_key(Some(&place.path("passphrase"))).unwrap();
    let key = format!("loss-{}", fs::read_dir(place.path(name).join("keys")).unwrap().count());
    ledger.declare_loss(&principal("founder"), key.parse().unwrap(), signer, loss)
}

#[test]
fn backups_beside_a_writer_are_whole_and_none_of_them_goes_on_by_itself() {
    let (place, ledger, submission) = Place::start();
    let writer = Writer::start(ledger).unwrap();
    let stop = AtomicBool::new(false);
    let backups = std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut waiting = VecDeque::new();
            for n in 0u64.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let record = access("ada1", &submission, None, SystemClock.now()).into();
                waiting.push_back(
                    writer
                        .submit(Request { actor: principal("gateway"), key: format!("load-{n}").parse().unwrap(), record, signed: None })
                        .unwrap(),
                );
                if waiting.len() > 200 {
                    waiting.pop_front().unwrap().wait().unwrap();
                }
            }
            waiting.into_iter().for_each(|pending| drop(pending.wait().unwrap()));
        });
        let backups: Vec<Backup> = (0..6).map(|n| place.backup(&format!("backup-{n}"))).collect();
        stop.store(true, Ordering::Relaxed);
        load.join().unwrap();
        backups
    });
    let ledger = writer.stop().unwrap();
    let (size, options) = (ledger.size(), options(&ledger));
    drop(ledger);
    assert_eq!(place.register().size, size);
    for (n, backup) in backups.iter().enumerate() {
        assert!(backup.checkpoint().size.0 < size);
        assert!(!backup.files().contains_key("keys/passphrase"));
        assert_eq!(Backup::open(backup.path()).unwrap().check(&mut |_, _| {}).unwrap(), [] as [String; 0]);
        // Nothing takes it for a ledger.
        assert!(Directory::find(backup.path()).is_err());
        let name = format!("restored-{n}");
        backup.restore(&place.path(&name), None, &mut |_, _| {}).unwrap();
        let mut restored = place.open(&name);
        let (from, until) = (restored.size(), restored.missing_until().unwrap().size);
        assert_eq!((from, until), (backup.checkpoint().size.0, size));
        let refused = record(&mut restored, "gateway", "fork", access("ada1", &submission, None, SystemClock.now())).unwrap_err();
        assert!(matches!(refused, AppendError::ReadOnly(_)), "{refused}");
        verified(&restored);
    }
    let whole = place.backup("whole");
    whole.restore(&place.path("moved"), None, &mut |_, _| {}).unwrap();
    let mut moved = place.open("moved");
    assert_eq!((moved.size(), moved.read_only()), (size, None));
    some(&mut moved, &submission, 1);
    assert_eq!(options.vkey, *moved.vkey());
    verified(&moved);
}

#[test]
fn a_damaged_backup_is_named_and_never_restored() {
    let (place, mut ledger, submission) = Place::start();
    some(&mut ledger, &submission, 20);
    drop(ledger);
    let backup = place.backup("backup");
    let files: Vec<String> = backup.files().keys().cloned().collect();
    for (n, name) in files.iter().enumerate() {
        let path = place.path("backup").join(name);
        let bytes = fs::read(&path).unwrap();
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 1;
        let cut = bytes[..bytes.len() - 1].to_vec();
        for (k, other) in [flipped, cut, Vec::new()].into_iter().enumerate() {
            fs::write(&path, other).unwrap();
            let target = place.path(&format!("target-{n}-{k}"));
            match Backup::open(&place.path("backup")) {
                Ok(backup) => {
                    let faults = backup.check(&mut |_, _| {}).unwrap();
                    assert!(faults.len() == 1 && faults[0].starts_with(&format!("{name}: ")), "{faults:?}");
                    if name != "checkpoint" {
                        let refused = backup.restore(&target, None, &mut |_, _| {}).unwrap_err();
                        assert!(matches!(refused, BackupError::Damaged { .. }), "{refused}");
                        assert!(Directory::find(&target).is_err());
                    }
                }
                Err(e) => assert!(name == "checkpoint" && matches!(e, BackupError::Damaged { .. }), "{name}: {e}"),
            }
        }
        fs::write(&path, bytes).unwrap();
    }
    fs::write(place.path("backup/segments/stray"), b"x").unwrap();
    assert_eq!(backup.check(&mut |_, _| {}).unwrap(), ["segments/stray: not in the manifest"]);
    fs::remove_file(place.path("backup/segments/stray")).unwrap();
    fs::remove_file(place.path("backup").join(&files[0])).unwrap();
    assert!(Backup::open(&place.path("backup")).is_err() || !backup.check(&mut |_, _| {}).unwrap().is_empty());
    assert!(matches!(Backup::open(&place.path("nothing")).unwrap_err(), BackupError::NotABackup(_)));
}

#[test]
fn what_is_lost_is_declared_by_two_and_told_for_ever() {
    let (place, mut ledger, submission) = Place::start();
    some(&mut ledger, &submission, 5);
    let backup = place.backup("backup");
    let middle = ledger.head().unwrap();
    some(&mut ledger, &submission, 7);
    let lost = ledger.head().unwrap();
    drop(ledger);
    let first = backup.checkpoint().size.0;
    backup.restore(&place.path("again"), None, &mut |_, _| {}).unwrap();
    let mut again = place.open("again");
    assert_eq!(again.missing_until(), Some(&lost));

    // One approver, an older head, a head that nobody signed: nothing is recorded.
    let one = Loss { approvers: vec![principal("approver1")], ..loss(&lost) };
    let forged = Head {
        size: lost.size + 1,
        note: String::from_utf8(lost.note.clone()).unwrap().replacen(&lost.size.to_string(), &(lost.size + 1).to_string(), 1).into_bytes(),
    };
    for wrong in [one, loss(&middle), loss(&forged)] {
        assert!(declare(&place, "again", &mut again, wrong).is_err());
        assert_eq!((again.size(), place.register()), (first, lost.clone()));
        assert!(again.read_only().is_some());
        drop(again);
        again = place.open("again");
    }
    // A clock that lies behind refuses it, and the ledger stays as shut as it was.
    drop(again);
    let behind = Opening { clock: Box::new(TestClock::new()), ..place.opening() };
    again = Directory::find(&place.path("again")).unwrap().open(Access::Write, behind).unwrap();
    let refused = declare(&place, "again", &mut again, loss(&lost)).unwrap_err();
    assert!(matches!(refused, AppendError::ClockBehind { .. }), "{refused}");
    assert!(again.read_only().is_some() && again.missing_until().is_some());
    let refused = record(&mut again, "gateway", "fork", access("ada1", &submission, None, SystemClock.now())).unwrap_err();
    assert!(matches!(refused, AppendError::ReadOnly(_)), "{refused}");
    drop(again);
    again = place.open("again");
    let receipt = declare(&place, "again", &mut again, loss(&lost)).unwrap();
    assert_eq!((again.read_only(), again.missing_until(), receipt.index), (None, None, first + 1));
    some(&mut again, &submission, 3);
    assert!(place.register().size < lost.size + 7 && place.register() == again.head().unwrap());
    let report = verified(&again);
    let told = report.not_checked.iter().any(|line| line.contains("declared lost") && line.contains("both disks burnt"));
    assert!(told, "{report}");

    // Whoever kept a head of the lost past sees that this is another, and that it was declared.
    let dir = place.path("export");
    countersign_ledger::export::export(&again, &dir, countersign_ledger::export::Planes::Both, &mut |_| {}).unwrap();
    let mut kept = options(&again);
    kept.known_checkpoints = vec![lost.note.clone()];
    let report = countersign_verify::verify(&countersign_verify::files::DirSource::new(&dir), &kept, &mut |_| {});
    assert_eq!(report.verdict, Verdict::Untrusted, "{report}");
    assert!(report.to_string().contains(&format!("entry {} declares lost", first + 1)), "{report}");
    // One from before the loss is still its past.
    kept.known_checkpoints = vec![backup.note().to_vec()];
    let report = countersign_verify::verify(&countersign_verify::files::DirSource::new(&dir), &kept, &mut |_| {});
    assert_eq!(report.verdict, Verdict::Verified, "{report}");
    let newest = again.head().unwrap();
    drop(again);

    // If we stop between the seal and the register, the next start goes on, since the ledger itself declares what the register knows lost.
    set_register(&place.path("elsewhere/head"), &lost);
    let mut again = place.open("again");
    assert_eq!((again.read_only(), again.size(), place.register()), (None, newest.size, newest.clone()));
    some(&mut again, &submission, 1);
    // Nothing is missing any more, so nothing can be declared lost.
    assert!(declare(&place, "again", &mut again, loss(&lost)).is_err());
    drop(again);

    // A register that knows another head, one nobody declared lost, keeps the ledger shut.
    let other = Head { size: 10_000, note: newest.note.clone() };
    set_register(&place.path("elsewhere/head"), &other);
    assert!(Directory::find(&place.path("again")).unwrap().open(Access::Write, place.opening()).is_ok_and(|l| l.read_only().is_some()));
}

fn set_register(path: &Path, head: &Head) {
    fs::write(path, countersign_log::register::encode_file(head.size, &head.note)).unwrap();
}

#[test]
fn without_its_register_a_restored_ledger_goes_by_the_newest_head_anybody_has() {
    let (place, mut ledger, submission) = Place::start();
    let backup = place.backup("backup");
    some(&mut ledger, &submission, 3);
    let newest = ledger.head().unwrap();
    drop(ledger);
    fs::remove_file(place.path("elsewhere/head")).unwrap();
    backup.restore(&place.path("known"), Some(&newest.note), &mut |_, _| {}).unwrap();
    let mut known = place.open("known");
    assert_eq!(known.missing_until(), Some(&newest));
    declare(&place, "known", &mut known, loss(&newest)).unwrap();
    drop(known);
    assert_eq!(place.open("known").read_only(), None);
    fs::remove_file(place.path("elsewhere/head")).unwrap();
    // Nobody knows better: it opens, and whoever restored it has been told to look for newer heads.
    backup.restore(&place.path("unknown"), None, &mut |_, _| {}).unwrap();
    assert_eq!(place.open("unknown").read_only(), None);
}
