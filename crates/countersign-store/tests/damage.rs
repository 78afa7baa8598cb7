//! What happens to the files of a store, and what the store says to it: a torn tail is cut, damage is an alarm, and nothing is lost silently.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use countersign_log::segment::{self, ROLLOVER_BYTES};
use countersign_store::register::FileRegister;
use countersign_store::segments::SegmentStore;
use countersign_store::{Head, Recovered, Register, RegisterError, StagedBatch, Store, StoreError, StoredEntry};

fn batch(first_index: u64, count: u64) -> StagedBatch {
    let entry = |index: u64| StoredEntry { leaf: vec![b'a' + index as u8; 6], sealed: vec![0x80 + index as u8; 11] };
    StagedBatch { first_index, entries: (first_index..first_index + count).map(entry).collect() }
}

fn head(size: u64) -> Head {
    Head { size, note: format!("note {size}").into_bytes() }
}

struct Place {
    dir: tempfile::TempDir,
    rollover_bytes: u64,
}

impl Place {
    fn new(rollover_bytes: u64) -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap(), rollover_bytes };
        SegmentStore::create(&place.store(), rollover_bytes).unwrap();
        place
    }

    fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    fn segment(&self, first_index: u64) -> PathBuf {
        self.store().join("segments").join(segment::file_name(first_index))
    }

    fn writer(&self) -> SegmentStore {
        SegmentStore::open_writer(&self.store(), self.rollover_bytes).unwrap()
    }

    fn recover(&self) -> Result<Recovered, StoreError> {
        self.writer().recover(0)
    }

    fn commit(&self, from: u64, counts: &[u64]) -> u64 {
        let mut store = self.writer();
        store.recover(0).unwrap();
        counts.iter().fold(from, |size, count| {
            store.stage(&batch(size, *count)).unwrap();
            store.seal(&head(size + count)).unwrap();
            size + count
        })
    }

    /// Goes on writing after a recovery, and reopens: everything must be in order again.
    fn goes_on(&self) {
        let mut store = self.writer();
        let found = store.recover(0).unwrap();
        let mut size = found.head.map_or(0, |head| head.size);
        if let Some(staged) = found.staged {
            size += staged.entries.len() as u64;
            store.seal(&head(size)).unwrap();
        }
        drop(store);
        let size = self.commit(size, &[1]);
        assert_eq!(self.recover().unwrap(), Recovered { head: Some(head(size)), staged: None, torn_bytes: 0 });
        let mut store = self.writer();
        store.recover(0).unwrap();
        (0..size).for_each(|index| assert_eq!(store.read(index).unwrap(), batch(index, 1).entries[0]));
    }
}

fn size(found: &Recovered) -> u64 {
    found.head.as_ref().map_or(0, |head| head.size)
}

fn segments(place: &Place) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(place.store().join("segments")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn damaged(result: Result<Recovered, StoreError>, path: &Path) -> u64 {
    match result {
        Err(StoreError::Damaged { path: found, offset, .. }) if found == path => offset,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_frame_torn_at_any_byte_is_cut() {
    for staged_only in [true, false] {
        let place = Place::new(ROLLOVER_BYTES);
        place.commit(0, &[2]);
        let path = place.segment(0);
        let mut before = fs::read(&path).unwrap().len();
        let mut store = place.writer();
        store.recover(0).unwrap();
        store.stage(&batch(2, 3)).unwrap();
        if !staged_only {
            before = fs::read(&path).unwrap().len();
            store.seal(&head(5)).unwrap();
        }
        drop(store);
        let whole = fs::read(&path).unwrap();
        let staged = (!staged_only).then(|| batch(2, 3));
        for cut in before..whole.len() {
            // The file may end there, or the blocks from there on may never have been written, or only those up to there.
            let mut hole_behind = whole.clone();
            hole_behind[cut..].fill(0);
            let mut hole_before = whole.clone();
            hole_before[before..=cut].fill(0);
            for (bytes, what) in [(whole[..cut].to_vec(), "short"), (hole_behind, "hole behind"), (hole_before, "hole before")] {
                fs::write(&path, &bytes).unwrap();
                let found = place.recover().unwrap();
                assert_eq!((found.head, found.staged), (Some(head(2)), staged.clone()), "{what} at {cut}");
                let zeros = bytes[before..].iter().all(|byte| *byte == 0);
                assert_eq!(found.torn_bytes, if zeros { 0 } else { bytes.len() - before } as u64, "{what} at {cut}");
                assert_eq!(fs::read(&path).unwrap(), bytes, "looking must change nothing");
            }
        }
        for cut in [before, before + 1, before + 30, whole.len() - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            place.goes_on();
            fs::write(&path, [&whole[..cut], &[0; 500]].concat()).unwrap();
            place.goes_on();
        }
    }
}

#[test]
fn the_first_batch_of_all_may_be_torn() {
    let place = Place::new(ROLLOVER_BYTES);
    let mut store = place.writer();
    store.recover(0).unwrap();
    store.stage(&batch(0, 1)).unwrap();
    drop(store);
    let whole = fs::read(place.segment(0)).unwrap();
    for cut in segment::HEADER_LEN..whole.len() {
        fs::write(place.segment(0), &whole[..cut]).unwrap();
        let found = place.recover().unwrap();
        assert_eq!(found, Recovered { head: None, staged: None, torn_bytes: (cut - segment::HEADER_LEN) as u64 });
    }
    place.goes_on();
}

#[test]
fn zeros_written_ahead_are_written_over() {
    let place = Place::new(ROLLOVER_BYTES);
    place.commit(0, &[2]);
    let bytes = fs::read(place.segment(0)).unwrap();
    fs::write(place.segment(0), [bytes.as_slice(), &[0; 4096]].concat()).unwrap();
    assert_eq!(place.recover().unwrap(), Recovered { head: Some(head(2)), staged: None, torn_bytes: 0 });
    let mut store = place.writer();
    store.recover(0).unwrap();
    store.stage(&batch(2, 1)).unwrap();
    store.seal(&head(3)).unwrap();
    assert_eq!(fs::read(place.segment(0)).unwrap().len(), bytes.len() + 4096, "into the zeros, not behind them");
    drop(store);
    place.goes_on();
}

/// A long segment gets zeros ahead, in the background, while frames are small; frames and zeros never meet.
#[test]
fn frames_and_zeros_ahead_never_meet() {
    let is_busy = |index: u64| (index / 300).is_multiple_of(2);
    let entry = |index: u64| {
        let bytes = if is_busy(index) { 60_000 } else { 20_000 };
        StoredEntry { leaf: vec![b'a' + (index % 26) as u8; 6], sealed: vec![0x80 | index as u8; bytes] }
    };
    let last_byte = |path: &Path| {
        let file = fs::File::open(path).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, file.metadata().unwrap().len() - 1).unwrap();
        byte[0]
    };
    let place = Place::new(ROLLOVER_BYTES);
    let mut store = place.writer();
    store.recover(0).unwrap();
    let (mut size, mut filled) = (0, 0);
    while size < 2_600 {
        let count = if is_busy(size) { 1 + size % 13 } else { 1 };
        let next = StagedBatch { first_index: size, entries: (size..size + count).map(entry).collect() };
        store.stage(&next).unwrap();
        size += count;
        store.seal(&head(size)).unwrap();
        filled += usize::from(last_byte(&segments(&place).pop().unwrap()) == 0);
    }
    assert!(filled > 0 && segments(&place).len() == 2, "{filled}");
    for index in 0..size {
        assert_eq!(store.read(index).unwrap(), entry(index));
    }
    drop(store);
    let last = segments(&place).pop().unwrap();
    assert_eq!(Some(&last_byte(&last)), head(size).note.last(), "zeros not needed go with the writer");
    assert_eq!(place.recover().unwrap(), Recovered { head: Some(head(size)), staged: None, torn_bytes: 0 });
}

#[test]
fn damage_before_the_last_seal_is_an_alarm() {
    let place = Place::new(ROLLOVER_BYTES);
    place.commit(0, &[2, 1, 2]);
    let path = place.segment(0);
    let whole = fs::read(&path).unwrap();
    let last_seal = whole.len() - segment::FRAME_HEADER_LEN - 8 - head(5).note.len();
    let sealed_at = |byte: u8| (0x80..0x85).contains(&byte);
    for at in 0..last_seal {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&path, &bytes).unwrap();
        if sealed_at(whole[at]) && whole[at.saturating_sub(11)..(at + 11).min(last_seal)].iter().filter(|b| **b == whole[at]).count() >= 11
        {
            // Sealed records of a sealed batch are the leaf's business: a redaction changes them.
            assert_eq!(place.recover().unwrap().head, Some(head(5)), "byte {at}");
        } else {
            assert!(damaged(place.recover(), &path) <= at as u64);
            assert!(matches!(SegmentStore::open_reader(&place.store()).unwrap().recover(0), Err(StoreError::Damaged { .. })));
        }
        assert_eq!(fs::read(&path).unwrap(), bytes, "damage must stay to be looked at");
    }
    // In the very last seal damage looks like a write that never finished. The head falls back; the register has to notice.
    for at in last_seal..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&path, &bytes).unwrap();
        let found = place.recover().unwrap();
        assert_eq!((found.head, found.staged), (Some(head(3)), Some(batch(3, 2))));
    }
}

#[test]
fn records_damaged_behind_a_torn_seal_are_an_alarm() {
    let place = Place::new(ROLLOVER_BYTES);
    place.commit(0, &[2]);
    let path = place.segment(0);
    let mut bytes = fs::read(&path).unwrap();
    let seal_len = segment::FRAME_HEADER_LEN + 8 + head(2).note.len();
    let last_record = bytes.len() - seal_len - 1;
    bytes[last_record] ^= 1;
    bytes.truncate(last_record + 5);
    fs::write(&path, &bytes).unwrap();
    assert_eq!(damaged(place.recover(), &path), last_record as u64 + 1);
}

#[test]
fn segments_roll_over_and_none_may_be_missing() {
    let place = Place::new(200);
    let counts = [1, 2, 3, 1, 2, 3];
    assert_eq!(place.commit(0, &counts), 12);
    let paths = segments(&place);
    assert!(paths.len() >= 4, "{paths:?}");
    assert_eq!(place.recover().unwrap().head, Some(head(12)));
    let leftover = place.segment(12).with_extension("seg.tmp");
    fs::write(&leftover, b"from a crash before the rename").unwrap();
    assert_eq!(place.recover().unwrap().head, Some(head(12)), "a leftover is nothing");
    for (position, path) in paths.iter().enumerate() {
        let bytes = fs::read(path).unwrap();
        let newest = position + 1 == paths.len();
        // Emptied, or cut inside its header or at the end of it: never a crash's doing (but for a store nothing was written to).
        for len in [0, 1, 31, 32] {
            fs::write(path, &bytes[..len]).unwrap();
            damaged(place.recover(), path);
        }
        // Cut anywhere further: an alarm in an old segment; in the newest a crash can have done it, unless its first batch is not whole.
        for len in segment::HEADER_LEN + 1..bytes.len() {
            fs::write(path, &bytes[..len]).unwrap();
            match place.recover() {
                Ok(found) => assert!(newest && size(&found) < 12, "{len} of {}", bytes.len()),
                Err(StoreError::Damaged { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
        // Something behind the last seal: only in the newest can it be a write that never finished.
        fs::write(path, [bytes.as_slice(), b"\x01garbage"].concat()).unwrap();
        match place.recover() {
            Ok(found) => assert_eq!((newest, size(&found), found.torn_bytes), (true, 12, 8)),
            Err(error) => {
                assert!(!newest && matches!(error, StoreError::Damaged { offset, .. } if offset == bytes.len() as u64), "{error}")
            }
        }
        fs::remove_file(path).unwrap();
        match place.recover() {
            Ok(found) => assert!(newest && size(&found) < 12, "only the register can tell that the newest segment is gone"),
            Err(error) => assert!(matches!(error, StoreError::Damaged { offset: 0, .. }), "{error}"),
        }
        fs::write(path, &bytes).unwrap();
    }
    place.goes_on();
}

#[test]
fn an_emptied_store_is_not_a_new_one() {
    let place = Place::new(200);
    place.commit(0, &[3, 3]);
    segments(&place).iter().for_each(|path| fs::remove_file(path).unwrap());
    assert!(matches!(place.recover(), Err(StoreError::Emptied(_))));
    fs::remove_dir(place.store().join("segments")).unwrap();
    assert!(matches!(place.recover(), Err(StoreError::Emptied(_))));
    assert!(matches!(SegmentStore::create(&place.store(), 200), Err(StoreError::AlreadyExists(_))));
    fs::remove_dir_all(place.store()).unwrap();
    assert!(matches!(SegmentStore::open_writer(&place.store(), 200), Err(StoreError::Missing(_))));
    assert!(!place.store().exists(), "opening must create nothing");
}

#[test]
fn a_failed_write_latches_the_handle() {
    let place = Place::new(ROLLOVER_BYTES);
    let mut store = place.writer();
    store.recover(0).unwrap();
    let away = place.segment(0).with_extension("away");
    fs::rename(place.segment(0), &away).unwrap();
    assert!(matches!(store.stage(&batch(0, 1)), Err(StoreError::Io(_))));
    fs::rename(&away, place.segment(0)).unwrap();
    assert!(matches!(store.stage(&batch(0, 1)), Err(StoreError::Poisoned)));
    assert!(matches!(store.recover(0), Err(StoreError::Poisoned)));
    drop(store);
    place.goes_on();
}

#[test]
fn a_full_disk_is_named() {
    // A file that always says so, where there is one.
    if !Path::new("/dev/full").exists() {
        return;
    }
    let place = Place::new(ROLLOVER_BYTES);
    let mut store = place.writer();
    store.recover(0).unwrap();
    fs::remove_file(place.segment(0)).unwrap();
    std::os::unix::fs::symlink("/dev/full", place.segment(0)).unwrap();
    assert!(matches!(store.stage(&batch(0, 1)), Err(StoreError::Full(_))));
}

#[test]
fn only_the_owner_may_look() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new(100);
    place.commit(0, &[2, 2]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&place.store()), mode(&place.store().join("segments")), mode(&place.store().join("lock"))), (0o700, 0o700, 0o600));
    segments(&place).iter().for_each(|path| assert_eq!(mode(path), 0o600));
}

#[test]
fn a_changed_register_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("register");
    let mut register = FileRegister::create(&path).unwrap();
    // Empty, one head, two heads, and one head that is too long for a slot.
    let long = Head { size: 9, note: vec![b'n'; 700] };
    for newest in [None, Some(head(5)), Some(head(7)), Some(long.clone())] {
        newest.iter().for_each(|newest| register.advance(newest).unwrap());
        let whole = fs::read(&path).unwrap();
        // Every byte of what is written, and some of those that are not.
        let bits = (0..whole.len()).filter(|at| whole[*at] != 0 || at % 61 == 0).map(|at| at * 8 + at % 8);
        for bit in bits {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &bytes).unwrap();
            assert!(matches!(register.load(), Err(RegisterError::Damaged { .. })), "bit {bit}");
            assert!(matches!(register.advance(&head(20)), Err(RegisterError::Damaged { .. })));
        }
        for len in (0..whole.len()).filter(|len| *len < 600 || len % 61 == 0) {
            fs::write(&path, &whole[..len]).unwrap();
            assert!(matches!(register.load(), Err(RegisterError::Damaged { .. })), "cut at {len}");
        }
        fs::write(&path, &whole).unwrap();
        assert_eq!(register.load().unwrap(), newest);
    }
    fs::write(dir.path().join("register.tmp"), b"from a crash before the rename").unwrap();
    // Back into slots, and on in them.
    for size in [10, 11, 12] {
        register.advance(&head(size)).unwrap();
        assert_eq!(register.load().unwrap(), Some(head(size)));
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(register.advance(&head(20)), Err(RegisterError::Missing(_))), "a register that is gone must not come back by itself");
}

/// Whoever has the entries by other means need not wait for old segments. What is wrong there shows when they are read.
#[test]
fn segments_nobody_needs_yet_are_left_until_they_are_read() {
    let place = Place::new(200);
    let counts = [1, 2, 3, 1, 2, 3];
    assert_eq!(place.commit(0, &counts), 12);
    let paths = segments(&place);
    let open = |known: u64| {
        let mut store = place.writer();
        store.recover(known).map(|found| (store, found))
    };
    let old = fs::read(&paths[0]).unwrap();
    fs::write(&paths[0], b"not a segment at all").unwrap();
    damaged(place.recover(), &paths[0]);
    let (store, found) = open(12).unwrap();
    assert_eq!(found, Recovered { head: Some(head(12)), staged: None, torn_bytes: 0 });
    assert_eq!(store.read(11).unwrap(), batch(11, 1).entries[0]);
    assert!(matches!(store.read(0), Err(StoreError::Damaged { path, .. }) if path == paths[0]));
    assert!(matches!(store.scan(0, &mut |_, _, _| std::ops::ControlFlow::Continue(())), Err(StoreError::Damaged { .. })));
    let mut seals = 0;
    store
        .seals(12, &mut |_, _| {
            seals += 1;
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seals, 1, "the newest seal stands in no old segment");
    drop(store);

    // One that is gone shows in the one before it, or in there being no first.
    fs::write(&paths[0], &old).unwrap();
    fs::remove_file(&paths[1]).unwrap();
    let (store, _) = open(12).unwrap();
    assert!(matches!(store.read(0), Err(StoreError::Damaged { path, .. }) if path == paths[0]));
    drop(store);
    fs::remove_file(&paths[0]).unwrap();
    assert!(matches!(open(12), Err(StoreError::Damaged { .. })));
}
