//! Bare loops: what nobody can do without, with nothing around it.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use countersign_entry::seal::{DataKey, Scheme, seal};
use sha2::{Digest, Sha256};

/// How often in a second a file takes 640 bytes and an fdatasync, one after another.
pub struct Syncs {
    pub growing: f64,
    pub over_zeros: f64,
}

pub fn fdatasync(base: &Path) -> Syncs {
    let path = base.join("bare");
    let file = fs::File::create(&path).unwrap();
    let loop_for_a_second = || {
        let (began, mut n) = (Instant::now(), 0u64);
        while began.elapsed() < Duration::from_secs(1) {
            file.write_all_at(&[7; 640], n * 640).unwrap();
            file.sync_data().unwrap();
            n += 1;
        }
        n as f64 / began.elapsed().as_secs_f64()
    };
    let growing = loop_for_a_second();
    file.write_all_at(&vec![0; 32 << 20], 0).unwrap();
    file.sync_all().unwrap();
    let over_zeros = loop_for_a_second();
    fs::remove_file(path).unwrap();
    Syncs { growing, over_zeros }
}

/// Entries a second on one core: a commitment for each of 19 fields and one over them, the record sealed and hashed, the leaf hashed twice, a node.
pub fn hash_and_seal() -> f64 {
    let (leaf, content, field, key) = ([3u8; 121], [5u8; 850], [9u8; 48], DataKey::new([7; 32]));
    let (began, count) = (Instant::now(), 200_000u32);
    for n in 0..count {
        for _ in 0..19 {
            std::hint::black_box(Sha256::digest(field));
        }
        std::hint::black_box(Sha256::digest([1u8; 19 * 42]));
        let record = seal(&content, Scheme::XChaCha, 1, &key, &[2; 24], &[4; 32], n.into()).unwrap();
        std::hint::black_box(Sha256::digest(&record));
        std::hint::black_box(blake3::derive_key("countersign v1 chain", &leaf));
        std::hint::black_box(Sha256::digest(leaf));
        std::hint::black_box(Sha256::digest([9u8; 65]));
    }
    f64::from(count) / began.elapsed().as_secs_f64()
}

/// Seconds for SHA-256 and BLAKE3 over every byte of the segments, half of the files on each of two threads.
pub fn pass(dir: &Path) -> f64 {
    let mut files: Vec<PathBuf> = fs::read_dir(dir.join("segments")).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let began = Instant::now();
    let (left, right) = files.split_at(files.len() / 2);
    std::thread::scope(|scope| {
        for half in [left, right] {
            scope.spawn(move || {
                for path in half {
                    let bytes = fs::read(path).unwrap();
                    std::hint::black_box((Sha256::digest(&bytes), blake3::hash(&bytes)));
                }
            });
        }
    });
    began.elapsed().as_secs_f64()
}
