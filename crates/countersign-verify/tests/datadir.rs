//! The other layout: segments, register, configuration.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)] // a test may stop where a library may not

mod support;

use countersign_log::register;
use countersign_log::tree::RootHash;
use countersign_verify::Verdict;
use support::*;

fn sample() -> (Maker, Files) {
    let mut m = Maker::new();
    m.redact(|_| {});
    m.push(access("P-0003"));
    let files = m.data_dir(&[&[3, 2], &[1, 1]]);
    (m, files)
}

#[test]
fn it_verifies_and_names_what_it_leaves_out() {
    let (_, mut files) = sample();
    files.insert("keys/data.keys".into(), b"x".to_vec());
    let report = run(&files, &options());
    assert_eq!((report.verdict, report.size), (Verdict::Verified, Some(7)), "{report}");
    assert!(report.not_checked.iter().any(|l| l.contains("keys/data.keys")));
    assert_eq!(report.checks.iter().find(|c| c.name == "signatures").unwrap().count, 5, "four seals and the register");
}

#[test]
fn no_flipped_bit_passes_in_silence() {
    let (_, files) = sample();
    let mut named = 0;
    for (path, bytes) in &files {
        let mut files = files.clone();
        for (at, original) in bytes.iter().enumerate() {
            files.get_mut(path).unwrap()[at] ^= 1 << (at % 8);
            let report = run(&files, &options());
            assert!(report.exit_code != 0 || report.not_checked.iter().any(|l| l.contains(path.as_str())), "{path} byte {at}");
            named += 1;
            files.get_mut(path).unwrap()[at] = *original;
        }
    }
    assert_eq!(named, files.values().map(Vec::len).sum::<usize>());
}

#[test]
fn a_cut_store_is_behind_its_register() {
    let (m, mut files) = sample();
    let name = "segments/0000000000000005.seg";
    let whole = files[name].clone();
    for cut in 32..whole.len() {
        files.insert(name.into(), whole[..cut].to_vec());
        let report = run(&files, &options());
        assert_eq!(report.verdict, Verdict::Tampered, "cut to {cut}");
    }
    // A register that lags by a commit is what a crash leaves.
    files.insert(name.into(), whole.clone());
    files.insert("register/head".into(), register::encode(6, &m.note(6, &[&signer(1)])));
    assert_eq!(run(&files, &options()).verdict, Verdict::Verified);
    // With it, a torn last commit is a torn tail.
    files.insert(name.into(), whole[..whole.len() - 10].to_vec());
    let report = run(&files, &options());
    assert_eq!((report.verdict, report.size), (Verdict::Verified, Some(6)), "{report}");
    assert!(report.not_checked.iter().any(|l| l.contains(name)));
    let other = support::note(ORIGIN, 6, RootHash([1; 32]), &[&signer(1)]);
    files.insert("register/head".into(), register::encode(6, &other));
    assert!(codes(&run(&files, &options())).contains(&"known-head-diverges"));
    files.remove("register/head");
    assert!(codes(&run(&files, &options())).contains(&"register-missing"));
}

#[test]
fn missing_segments_and_other_files() {
    let (_, files) = sample();
    for name in ["segments/0000000000000000.seg", "segments/0000000000000005.seg"] {
        let mut cut = files.clone();
        cut.remove(name);
        assert_eq!(run(&cut, &options()).verdict, Verdict::Tampered, "{name}");
    }
    let mut empty = files.clone();
    empty.retain(|path, _| !path.starts_with("segments/"));
    let report = run(&empty, &options());
    assert_eq!(codes(&report), ["no-checkpoint", "register-ahead"]);
    let mut locked = files.clone();
    locked.insert("lock".into(), b"1".to_vec());
    assert_eq!(codes(&run(&locked, &options())), ["lock-not-empty"]);
    let mut bare = files;
    bare.remove("countersign.toml");
    assert_eq!(codes(&run(&bare, &options())), ["config-differs"]);
}

#[test]
fn a_bit_in_an_old_commit_names_the_segment() {
    let (_, mut files) = sample();
    let name = "segments/0000000000000000.seg";
    files.get_mut(name).unwrap()[100] ^= 1;
    let report = run(&files, &options());
    let found = report.findings.iter().find(|f| f.code == "segment-damaged").unwrap();
    assert_eq!((found.file.as_deref(), found.offset, found.entry), (Some(name), Some(32), Some(0)), "{report}");
}
