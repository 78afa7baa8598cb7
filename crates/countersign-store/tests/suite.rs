//! One suite for every backend: what a store and a register promise, whoever keeps it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::path::PathBuf;

use countersign_log::segment::{EncodeError, ROLLOVER_BYTES};
use countersign_store::memory::{Fault, MemoryDisk, MemoryRegister, MemoryStore, Step};
use countersign_store::register::FileRegister;
use countersign_store::segments::SegmentStore;
use countersign_store::{Head, Recovered, Register, RegisterError, Rewrite, StagedBatch, Store, StoreError, StoredEntry};
use proptest::prelude::*;

/// One place that can hold one store and one register.
trait Backend {
    fn create(&self) -> Result<Box<dyn Store>, StoreError>;
    fn writer(&self) -> Result<Box<dyn Store>, StoreError>;
    fn reader(&self) -> Result<Box<dyn Store>, StoreError>;
    fn create_register(&self) -> Result<Box<dyn Register>, RegisterError>;
    fn register_writer(&self) -> Result<Box<dyn Register>, RegisterError>;
    fn register_reader(&self) -> Result<Box<dyn Register>, RegisterError>;
}

struct Files {
    dir: tempfile::TempDir,
    rollover_bytes: u64,
}

impl Files {
    fn new(rollover_bytes: u64) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), rollover_bytes }
    }

    fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    fn register(&self) -> PathBuf {
        self.dir.path().join("register")
    }
}

fn boxed<T: Store + 'static, E>(store: Result<T, E>) -> Result<Box<dyn Store>, E> {
    store.map(|store| Box::new(store) as Box<dyn Store>)
}

fn boxed_register<T: Register + 'static, E>(register: Result<T, E>) -> Result<Box<dyn Register>, E> {
    register.map(|register| Box::new(register) as Box<dyn Register>)
}

impl Backend for Files {
    fn create(&self) -> Result<Box<dyn Store>, StoreError> {
        boxed(SegmentStore::create(&self.store(), self.rollover_bytes))
    }
    fn writer(&self) -> Result<Box<dyn Store>, StoreError> {
        boxed(SegmentStore::open_writer(&self.store(), self.rollover_bytes))
    }
    fn reader(&self) -> Result<Box<dyn Store>, StoreError> {
        boxed(SegmentStore::open_reader(&self.store()))
    }
    fn create_register(&self) -> Result<Box<dyn Register>, RegisterError> {
        boxed_register(FileRegister::create(&self.register()))
    }
    fn register_writer(&self) -> Result<Box<dyn Register>, RegisterError> {
        boxed_register(FileRegister::open_writer(&self.register()))
    }
    fn register_reader(&self) -> Result<Box<dyn Register>, RegisterError> {
        boxed_register(FileRegister::open_reader(&self.register()))
    }
}

impl Backend for MemoryDisk {
    fn create(&self) -> Result<Box<dyn Store>, StoreError> {
        boxed(MemoryStore::create(self))
    }
    fn writer(&self) -> Result<Box<dyn Store>, StoreError> {
        boxed(MemoryStore::open_writer(self))
    }
    fn reader(&self) -> Result<Box<dyn Store>, StoreError> {
        boxed(MemoryStore::open_reader(self))
    }
    fn create_register(&self) -> Result<Box<dyn Register>, RegisterError> {
        boxed_register(MemoryRegister::create(self))
    }
    fn register_writer(&self) -> Result<Box<dyn Register>, RegisterError> {
        boxed_register(MemoryRegister::open_writer(self))
    }
    fn register_reader(&self) -> Result<Box<dyn Register>, RegisterError> {
        boxed_register(MemoryRegister::open_reader(self))
    }
}

/// Each backend; segments once as long as they may be and once so short that nearly every batch starts one.
fn each_backend(check: impl Fn(&dyn Backend)) {
    check(&Files::new(ROLLOVER_BYTES));
    check(&Files::new(300));
    check(&MemoryDisk::new());
}

fn entry(index: u64) -> StoredEntry {
    StoredEntry { leaf: format!("leaf {index}").into_bytes(), sealed: vec![index as u8 ^ 0x5a; 20 + index as usize % 7] }
}

fn batch(first_index: u64, count: u64) -> StagedBatch {
    StagedBatch { first_index, entries: (first_index..first_index + count).map(entry).collect() }
}

fn head(size: u64) -> Head {
    Head { size, note: format!("origin\n{size}\nroot\n\n— origin signature {size}\n").into_bytes() }
}

/// Commits batches of these counts after one another, from the sealed size `size`.
fn commit(store: &mut dyn Store, mut size: u64, counts: &[u64]) {
    for count in counts {
        store.stage(&batch(size, *count)).unwrap();
        size += count;
        store.seal(&head(size)).unwrap();
    }
}

/// Everything a store answers must be what was committed in batches of these counts.
fn assert_holds(store: &dyn Store, counts: &[u64]) {
    let size: u64 = counts.iter().sum();
    for from in [0, 1, size / 2, size] {
        let mut next = from;
        let mut each = |index: u64, leaf: &[u8], sealed: &[u8]| {
            assert_eq!((index, leaf, sealed), (next, &*entry(next).leaf, &*entry(next).sealed));
            next += 1;
            ControlFlow::Continue(())
        };
        store.scan(from, &mut each).unwrap();
        assert_eq!(next, size.max(from));
    }
    for index in 0..size {
        assert_eq!(store.read(index).unwrap(), entry(index));
    }
    assert!(matches!(store.read(size), Err(StoreError::NotSealed { .. })));
    let sizes: Vec<u64> = counts
        .iter()
        .scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        })
        .collect();
    for size_min in 0..=size + 1 {
        let wanted: Vec<Head> = sizes.iter().filter(|size| **size >= size_min).map(|size| head(*size)).collect();
        assert_eq!(seals(store, size_min), wanted);
    }
}

fn seals(store: &dyn Store, size_min: u64) -> Vec<Head> {
    let mut found = Vec::new();
    let mut each = |size: u64, note: &[u8]| {
        found.push(Head { size, note: note.to_vec() });
        ControlFlow::Continue(())
    };
    store.seals(size_min, &mut each).unwrap();
    found
}

fn clean(size: u64) -> Recovered {
    Recovered { head: (size > 0).then(|| head(size)), staged: None, torn_bytes: 0 }
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    each_backend(|backend| {
        let counts = [1, 2, 3, 1, 5, 8];
        let mut store = backend.create().unwrap();
        assert_eq!(store.recover(0).unwrap(), clean(0));
        commit(&mut *store, 0, &counts[..4]);
        assert_holds(&*store, &counts[..4]);
        drop(store);
        let mut store = backend.writer().unwrap();
        assert_eq!(store.recover(0).unwrap(), clean(7));
        assert_holds(&*store, &counts[..4]);
        commit(&mut *store, 7, &counts[4..]);
        assert_holds(&*store, &counts);
        let mut reader = backend.reader().unwrap();
        assert_eq!(reader.recover(0).unwrap(), clean(20));
        assert_holds(&*reader, &counts);
    });
}

#[test]
fn a_staged_batch_waits_to_be_sealed() {
    each_backend(|backend| {
        let mut store = backend.create().unwrap();
        store.recover(0).unwrap();
        commit(&mut *store, 0, &[2]);
        store.stage(&batch(2, 3)).unwrap();
        drop(store);
        let mut reader = backend.reader().unwrap();
        assert_eq!(reader.recover(0).unwrap(), clean(2), "a reader sees what is sealed");
        let mut store = backend.writer().unwrap();
        assert_eq!(store.recover(0).unwrap(), Recovered { staged: Some(batch(2, 3)), ..clean(2) });
        assert!(matches!(store.read(2), Err(StoreError::NotSealed { index: 2, size: 2 })));
        assert!(matches!(store.stage(&batch(2, 3)), Err(StoreError::AlreadyStaged(2))));
        store.seal(&head(5)).unwrap();
        assert_holds(&*store, &[2, 3]);
        assert_eq!(reader.recover(0).unwrap(), clean(5), "a reader that looks again sees what was sealed since");
        assert_holds(&*reader, &[2, 3]);
    });
}

#[test]
fn a_seal_and_the_next_batch_go_together() {
    each_backend(|backend| {
        let mut store = backend.create().unwrap();
        store.recover(0).unwrap();
        assert!(matches!(store.seal_and_stage(&head(1), &batch(1, 1)), Err(StoreError::NothingStaged(1))));
        store.stage(&batch(0, 2)).unwrap();
        assert!(matches!(store.seal_and_stage(&head(3), &batch(3, 1)), Err(StoreError::SealSize { expected: 2, found: 3 })));
        store.seal_and_stage(&head(2), &batch(2, 3)).unwrap();
        assert_holds(&*store, &[2]);
        assert!(matches!(store.stage(&batch(5, 1)), Err(StoreError::AlreadyStaged(2))));
        store.seal_and_stage(&head(5), &batch(5, 1)).unwrap();
        drop(store);
        let mut reader = backend.reader().unwrap();
        assert_eq!(reader.recover(0).unwrap(), clean(5));
        assert_holds(&*reader, &[2, 3]);
        let mut store = backend.writer().unwrap();
        assert_eq!(store.recover(0).unwrap(), Recovered { staged: Some(batch(5, 1)), ..clean(5) });
        store.seal(&head(6)).unwrap();
        assert_holds(&*store, &[2, 3, 1]);
    });
}

#[test]
fn what_does_not_follow_is_refused_and_harms_nothing() {
    each_backend(|backend| {
        let mut store = backend.create().unwrap();
        store.recover(0).unwrap();
        assert!(matches!(store.seal(&head(1)), Err(StoreError::NothingStaged(1))));
        commit(&mut *store, 0, &[2]);
        assert!(matches!(store.stage(&batch(1, 1)), Err(StoreError::NotNext { size: 2, found: 1 })));
        assert!(matches!(store.stage(&batch(3, 1)), Err(StoreError::NotNext { size: 2, found: 3 })));
        assert!(matches!(store.seal(&head(2)), Err(StoreError::AlreadySealed(2))));
        assert!(matches!(store.seal(&head(1)), Err(StoreError::AlreadySealed(1))));
        assert!(matches!(store.seal(&head(3)), Err(StoreError::NothingStaged(3))));
        assert!(matches!(store.stage(&batch(2, 0)), Err(StoreError::Encode(EncodeError::Count(0)))));
        let long = StagedBatch { first_index: 2, entries: vec![StoredEntry { leaf: vec![0; 1025], sealed: vec![0] }] };
        assert!(matches!(store.stage(&long), Err(StoreError::Encode(EncodeError::Leaf { .. }))));
        store.stage(&batch(2, 2)).unwrap();
        assert!(matches!(store.stage(&batch(2, 2)), Err(StoreError::AlreadyStaged(2))));
        assert!(matches!(store.stage(&batch(4, 2)), Err(StoreError::AlreadyStaged(2))));
        assert!(matches!(store.seal(&head(3)), Err(StoreError::SealSize { expected: 4, found: 3 })));
        assert!(matches!(store.seal(&head(2)), Err(StoreError::AlreadySealed(2))));
        assert!(matches!(store.seal(&Head { size: 4, note: vec![] }), Err(StoreError::Encode(EncodeError::Note(0)))));
        store.seal(&head(4)).unwrap();
        assert_holds(&*store, &[2, 2]);
    });
}

#[test]
fn one_writer_and_readers_that_cannot_write() {
    each_backend(|backend| {
        assert!(matches!(backend.writer().err().unwrap(), StoreError::Missing(_)));
        assert!(matches!(backend.reader().err().unwrap(), StoreError::Missing(_)));
        let mut store = backend.create().unwrap();
        assert!(matches!(backend.create().err().unwrap(), StoreError::AlreadyExists(_)));
        assert!(matches!(backend.writer().err().unwrap(), StoreError::Locked(_)));
        assert!(matches!(store.stage(&batch(0, 1)), Err(StoreError::NotRecovered)));
        assert!(matches!(store.read(0), Err(StoreError::NotRecovered)));
        store.recover(0).unwrap();
        let mut reader = backend.reader().unwrap();
        reader.recover(0).unwrap();
        assert!(matches!(reader.stage(&batch(0, 1)), Err(StoreError::ReadOnly)));
        assert!(matches!(reader.seal(&head(1)), Err(StoreError::ReadOnly)));
        drop(reader);
        assert!(matches!(backend.writer().err().unwrap(), StoreError::Locked(_)), "a reader that goes must not take the lock along");
        drop(store);
        backend.writer().unwrap();
    });
}

#[test]
fn scans_stop_when_told() {
    each_backend(|backend| {
        let mut store = backend.create().unwrap();
        store.recover(0).unwrap();
        commit(&mut *store, 0, &[3, 3, 3]);
        let seen = RefCell::new(Vec::new());
        let stop_at = |stop: u64| {
            let seen = &seen;
            move |n: u64| {
                seen.borrow_mut().push(n);
                if n == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
        };
        let stop = stop_at(4);
        store.scan(2, &mut |index, _, _| stop(index)).unwrap();
        assert_eq!(seen.take(), [2, 3, 4]);
        let stop = stop_at(6);
        store.seals(2, &mut |size, _| stop(size)).unwrap();
        assert_eq!(seen.take(), [3, 6]);
        store.scan(u64::MAX, &mut |_, _, _| panic!("nothing is there")).unwrap();
        store.seals(u64::MAX, &mut |_, _| panic!("nothing is there")).unwrap();
    });
}

#[test]
fn a_register_goes_forward_only() {
    each_backend(|backend| {
        assert!(matches!(backend.register_writer().err().unwrap(), RegisterError::Missing(_)));
        assert!(matches!(backend.register_reader().err().unwrap(), RegisterError::Missing(_)));
        let mut register = backend.create_register().unwrap();
        assert!(matches!(backend.create_register().err().unwrap(), RegisterError::AlreadyExists(_)));
        assert!(matches!(backend.register_writer().err().unwrap(), RegisterError::Locked(_)));
        assert_eq!(register.load().unwrap(), None);
        assert!(matches!(register.advance(&Head { size: 1, note: vec![] }), Err(RegisterError::Note(0))));
        assert!(matches!(register.advance(&head(0)), Err(RegisterError::WouldGoBack { have: 0, asked: 0 })));
        register.advance(&head(3)).unwrap();
        register.advance(&head(3)).unwrap();
        register.advance(&head(9)).unwrap();
        assert!(matches!(register.advance(&head(3)), Err(RegisterError::WouldGoBack { have: 9, asked: 3 })));
        let other = Head { note: b"another".to_vec(), ..head(9) };
        assert!(matches!(register.advance(&other), Err(RegisterError::OtherHead(9))));
        assert_eq!(register.load().unwrap(), Some(head(9)));
        let mut reader = backend.register_reader().unwrap();
        assert_eq!(reader.load().unwrap(), Some(head(9)));
        assert!(matches!(reader.advance(&head(10)), Err(RegisterError::ReadOnly)));
        drop(register);
        let mut register = backend.register_writer().unwrap();
        assert_eq!(register.load().unwrap(), Some(head(9)));
        register.advance(&head(10)).unwrap();
        assert_eq!(reader.load().unwrap(), Some(head(10)));
    });
}

#[derive(Clone, Debug)]
enum Call {
    Stage { first_index: u64, count: u64 },
    Seal(u64),
    SealAndStage { size: u64, count: u64 },
    Reopen { known: u64 },
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        4 => (0u64..12, 1u64..4).prop_map(|(first_index, count)| Call::Stage { first_index, count }),
        4 => (0u64..14).prop_map(Call::Seal),
        4 => (0u64..14, 1u64..4).prop_map(|(size, count)| Call::SealAndStage { size, count }),
        1 => (0u64..40).prop_map(|known| Call::Reopen { known }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Any calls in any order: files and memory agree with one another and with two plain variables.
    #[test]
    fn backends_agree(calls in prop::collection::vec(call(), 1..60), rollover_bytes in 100u64..600) {
        let (files, disk) = (Files::new(rollover_bytes), MemoryDisk::new());
        let mut stores = [files.create().unwrap(), disk.create().unwrap()];
        stores.iter_mut().for_each(|store| { store.recover(0).unwrap(); });
        let (mut counts, mut pending) = (Vec::new(), None);
        for call in calls {
            let size: u64 = counts.iter().sum();
            match call {
                Call::Stage { first_index, count } => {
                    let allowed = pending.is_none() && first_index == size;
                    for store in &mut stores {
                        prop_assert_eq!(store.stage(&batch(first_index, count)).is_ok(), allowed);
                    }
                    pending = if allowed { Some(count) } else { pending };
                }
                Call::Seal(new_size) => {
                    let allowed = pending.is_some_and(|count| size + count == new_size);
                    for store in &mut stores {
                        prop_assert_eq!(store.seal(&head(new_size)).is_ok(), allowed);
                    }
                    if allowed {
                        counts.extend(pending.take());
                    }
                }
                Call::SealAndStage { size: new_size, count } => {
                    let allowed = pending.is_some_and(|count| size + count == new_size);
                    for store in &mut stores {
                        prop_assert_eq!(store.seal_and_stage(&head(new_size), &batch(new_size, count)).is_ok(), allowed);
                    }
                    if allowed {
                        counts.extend(pending.replace(count));
                    }
                }
                Call::Reopen { known } => {
                    drop(stores);
                    stores = [files.writer().unwrap(), disk.writer().unwrap()];
                    for store in &mut stores {
                        let staged = pending.map(|count| batch(size, count));
                        // However much the caller has by other means, what is found is the same, and so is what can be read then.
                        prop_assert_eq!(store.recover(known).unwrap(), Recovered { staged, ..clean(size) });
                        assert_holds(&**store, &counts);
                    }
                }
            }
        }
        stores.iter().for_each(|store| assert_holds(&**store, &counts));
    }
}

/// Memory only: what each fault leaves, for each kind of write.
#[test]
fn faults_leave_what_they_say() {
    let all = [Fault::Fail, Fault::Full, Fault::FailPersisted, Fault::CrashBefore, Fault::CrashTorn, Fault::CrashAfter];
    for fault in all {
        let persisted = matches!(fault, Fault::FailPersisted | Fault::CrashAfter);
        let crashed = matches!(fault, Fault::CrashBefore | Fault::CrashTorn | Fault::CrashAfter);
        for step in [Step::Stage, Step::Seal] {
            let disk = MemoryDisk::new();
            let mut store = disk.create().unwrap();
            store.recover(0).unwrap();
            disk.arm(step, 1, fault);
            commit(&mut *store, 0, &[2]);
            let error = match step {
                Step::Stage => store.stage(&batch(2, 1)),
                _ => store.stage(&batch(2, 1)).and_then(|()| store.seal(&head(3))),
            };
            assert_eq!(matches!(error, Err(StoreError::Full(_))), fault == Fault::Full);
            assert!(error.is_err() && disk.is_down() == crashed && disk.steps(step) == 2);
            assert!(matches!(store.stage(&batch(2, 1)), Err(StoreError::Poisoned)));
            assert!(matches!(store.seal(&head(3)), Err(StoreError::Poisoned)));
            assert_eq!(store.read(0).is_err(), crashed);
            assert!(disk.writer().is_err());
            if crashed {
                disk.restart()
            } else {
                drop(store)
            }
            let mut store = disk.writer().unwrap();
            let staged = (persisted == (step == Step::Stage)).then(|| batch(2, 1));
            let size = if step == Step::Seal && persisted { 3 } else { 2 };
            let found = store.recover(0).unwrap();
            assert_eq!((found.head, found.staged, found.torn_bytes > 0), (Some(head(size)), staged, fault == Fault::CrashTorn));
        }
        let disk = MemoryDisk::new();
        let mut register = disk.create_register().unwrap();
        disk.arm(Step::Register, 1, fault);
        register.advance(&head(1)).unwrap();
        assert!(register.advance(&head(2)).is_err());
        assert!(matches!(register.advance(&head(2)), Err(RegisterError::Poisoned)));
        if crashed {
            disk.restart()
        } else {
            drop(register)
        }
        assert_eq!(disk.register_writer().unwrap().load().unwrap(), Some(head(if persisted { 2 } else { 1 })));
    }
}

#[test]
fn a_fork_goes_its_own_way() {
    let disk = MemoryDisk::new();
    let mut store = disk.create().unwrap();
    store.recover(0).unwrap();
    commit(&mut *store, 0, &[2]);
    let fork = disk.fork();
    commit(&mut *store, 2, &[2]);
    let mut old = fork.writer().unwrap();
    assert_eq!(old.recover(0).unwrap(), clean(2));
    assert_holds(&*store, &[2, 2]);
}

fn other(target: u64, len: usize) -> Rewrite {
    Rewrite { target, sealed: vec![0xcc; len] }
}

/// Every entry, one by one and in one go, against what was written but for these.
fn holds(store: &dyn Store, size: u64, rewritten: &[Rewrite]) {
    let expected = |index: u64| match rewritten.iter().rev().find(|r| r.target == index) {
        Some(r) => StoredEntry { sealed: r.sealed.clone(), ..entry(index) },
        None => entry(index),
    };
    let mut scanned = Vec::new();
    let scan = store.scan(0, &mut |_, leaf, sealed| {
        scanned.push(StoredEntry { leaf: leaf.to_vec(), sealed: sealed.to_vec() });
        ControlFlow::Continue(())
    });
    scan.unwrap();
    assert_eq!(scanned, (0..size).map(expected).collect::<Vec<_>>());
    (0..size).for_each(|index| assert_eq!(store.read(index).unwrap(), expected(index)));
}

#[test]
fn a_rewritten_record_is_put_by_and_then_takes_the_place_of_the_first() {
    each_backend(|backend| {
        let mut store = backend.create().unwrap();
        store.recover(0).unwrap();
        commit(&mut *store, 0, &[3, 1, 5]);
        store.stage(&batch(9, 2)).unwrap();
        assert!(matches!(store.stage_rewrite(&other(1, 30)), Err(StoreError::AlreadyStaged(_))));
        store.seal_and_stage(&head(11), &batch(11, 1)).unwrap();
        store.seal(&head(12)).unwrap();
        assert!(matches!(store.stage_rewrite(&other(12, 30)), Err(StoreError::NotSealed { .. })));
        assert!(matches!(store.carry_out(1), Err(StoreError::NoRewrite(1))));
        let mut done = Vec::new();
        let mut size = 12;
        for rewrite in [other(1, 30), other(0, 5), other(10, 4_000), other(11, 1), other(1, 31)] {
            store.stage_rewrite(&other(rewrite.target, 7)).unwrap();
            store.stage_rewrite(&rewrite).unwrap();
            assert_eq!(store.staged_rewrites().unwrap(), std::slice::from_ref(&rewrite));
            holds(&*store, size, &done);
            commit(&mut *store, size, &[1]);
            size += 1;
            // Another handle, as after a crash: it is still put by.
            drop(store);
            store = backend.writer().unwrap();
            store.recover(0).unwrap();
            assert_eq!(store.staged_rewrites().unwrap(), std::slice::from_ref(&rewrite));
            store.carry_out(rewrite.target).unwrap();
            assert!(store.staged_rewrites().unwrap().is_empty());
            done.push(rewrite);
            holds(&*store, size, &done);
            commit(&mut *store, size, &[2]);
            size += 2;
            holds(&*store, size, &done);
        }
        store.stage_rewrite(&other(3, 9)).unwrap();
        store.drop_rewrite(3).unwrap();
        store.drop_rewrite(4).unwrap();
        assert!(store.staged_rewrites().unwrap().is_empty());
        let mut reader = backend.reader().unwrap();
        reader.recover(0).unwrap();
        holds(&*reader, size, &done);
        assert!(matches!(reader.stage_rewrite(&other(1, 30)), Err(StoreError::ReadOnly)));
        assert!(matches!(reader.carry_out(1), Err(StoreError::ReadOnly | StoreError::NoRewrite(1))));
    });
}

/// What was redacted is in no file of the store any more, not even in what stands behind the frames.
#[test]
fn what_was_rewritten_is_gone_from_the_files() {
    let files = Files::new(ROLLOVER_BYTES);
    let mut store = files.create().unwrap();
    store.recover(0).unwrap();
    let secret = b"the words that should not be here".repeat(4);
    let spilt = StoredEntry { sealed: secret.clone(), ..entry(1) };
    store.stage(&StagedBatch { first_index: 0, entries: vec![entry(0), spilt, entry(2)] }).unwrap();
    store.seal(&head(3)).unwrap();
    // A second name for the old file, as whoever holds it open has.
    let (segment, kept) = (files.store().join("segments/0000000000000000.seg"), files.dir.path().join("kept"));
    std::fs::hard_link(&segment, &kept).unwrap();
    store.stage_rewrite(&other(1, 200)).unwrap();
    store.carry_out(1).unwrap();
    for path in [&segment, &kept] {
        let bytes = std::fs::read(path).unwrap();
        assert!(!bytes.windows(20).any(|window| secret.starts_with(window)), "{}", path.display());
    }
    assert_eq!(store.read(1).unwrap().sealed, other(1, 200).sealed);
    commit(&mut *store, 3, &[1]);
}
