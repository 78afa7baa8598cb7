//! The invalid test ledgers against the verifier: verdict, exit code, finding, and where it lies; and nothing else is found.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop where a library may not")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use countersign_testing::forge::Files;
use countersign_testing::vectors::{Bases, Description, all, files};
use countersign_verify::files::DirSource;
use countersign_verify::{Finding, Options, Report, Source, VKey, Verdict, codes, verify};

/// What somebody with the signing key makes right: where nothing but a rule may tell.
const HASH_LEVEL: &[&str] =
    &["chain-broken", "leaf-hash", "tile-hash", "leaf-and-tile", "root-mismatch", "signature-bad", "no-trusted-signature"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

fn bases() -> Bases {
    Bases::read(&root().join("valid"))
}

fn on_disk(folder: &str) -> Files {
    let source = DirSource::new(root().join(folder));
    source.files().unwrap().into_iter().map(|f| (f.path.clone(), source.read(&f.path).unwrap())).collect()
}

fn run(files: &Files, options: &Options) -> Report {
    verify(files, options, &mut |_| {})
}

/// A vector as anybody finds it on disk.
struct Stored {
    about: Description,
    files: Files,
    options: Options,
}

fn stored() -> Vec<Stored> {
    let mut disk = on_disk("invalid");
    let names: Vec<String> = disk.keys().filter_map(|p| p.strip_suffix(".json").filter(|n| !n.contains('/'))).map(str::to_owned).collect();
    let mut read = |name: &String| {
        let about: Description = serde_json::from_slice(&disk.remove(&format!("{name}.json")).unwrap()).unwrap();
        let known_checkpoints = about.known_checkpoints.iter().map(|path| disk.remove(path).unwrap()).collect();
        // "0" comes right behind "/": these are the paths inside the vector's folder.
        let mut of_it = disk.split_off(&format!("{name}/"));
        disk.append(&mut of_it.split_off(&format!("{name}0")));
        let files = of_it.into_iter().map(|(path, bytes)| (path[name.len() + 1..].to_owned(), bytes)).collect();
        let key = |hex: &String| <[u8; 32]>::try_from(hex::decode(hex).unwrap()).unwrap();
        let keys = about.keys.as_ref().map(|keys| keys.iter().map(|(id, hex)| (*id, key(hex))).collect());
        let options = Options { keys, known_checkpoints, ..Options::new(VKey::parse(&about.vkey).unwrap()) };
        Stored { about, files, options }
    };
    let out = names.iter().map(&mut read).collect();
    assert!(disk.is_empty(), "files of no vector: {:?}", disk.keys());
    out
}

#[test]
fn what_is_checked_in_is_what_the_generator_writes() {
    let mut generated = files(&bases());
    for folder in ["base", "invalid"] {
        for (path, bytes) in on_disk(folder) {
            let path = format!("{folder}/{path}");
            assert_eq!(generated.remove(&path), Some(bytes), "{path}: run `cargo run -p countersign-testing --bin vectors`");
        }
    }
    assert!(generated.is_empty(), "not checked in: {:?}", generated.keys());
}

#[test]
fn there_are_enough_and_each_is_its_own() {
    let all = all(&bases());
    let names: BTreeSet<&str> = all.iter().map(|v| v.name.as_str()).collect();
    let sentences: BTreeSet<&str> = all.iter().map(|v| v.wrong.as_str()).collect();
    assert_eq!((names.len(), sentences.len()), (all.len(), all.len()));
    assert!(all.len() >= 70 && all.iter().filter(|v| v.resigned).count() >= 30);
    let contents: BTreeSet<_> = all.iter().map(|v| (&v.files, &v.keys, &v.known)).collect();
    assert_eq!(contents.len(), all.len(), "two vectors are the same");
    let size: usize = files(&bases()).values().map(Vec::len).sum();
    assert!(size < 3_000_000, "{size} bytes");
}

#[test]
fn what_they_are_made_from_verifies() {
    let bases = bases();
    for base in bases.all() {
        let report = run(&base.files, &base.options());
        assert_eq!((report.verdict, report.findings.len()), (Verdict::Verified, 0), "{}:\n{report}", base.name);
    }
    let cut: BTreeSet<(&str, u64)> = all(&bases).iter().map(|v| v.base).collect();
    for (name, size) in cut {
        let base = bases.named(name);
        let report = run(&base.cut(size), &base.options());
        assert_eq!((report.verdict, report.findings.len()), (Verdict::Verified, 0), "{name}, the first {size}:\n{report}");
    }
    let report = run(&bases.ruled.files, &bases.ruled.options());
    assert!(report.checks.iter().any(|c| c.name == "decisions" && c.count >= 7), "{report}");
}

#[test]
fn every_vector_is_found_as_its_page_says() {
    let mut failed = Vec::new();
    for vector in stored() {
        let report = run(&vector.files, &vector.options);
        if let Err(why) = judge(&vector.about, &report) {
            failed.push(format!("{}: {}\n  {why}\n{report}", vector.about.name, vector.about.wrong));
        }
    }
    assert!(failed.is_empty(), "{} vectors are not found as they must be:\n\n{}", failed.len(), failed.join("\n"));
}

fn judge(about: &Description, report: &Report) -> Result<(), String> {
    let expect = &about.expect;
    let verdict = serde_json::to_value(report.verdict).unwrap();
    if (verdict.as_str(), report.exit_code) != (Some(expect.verdict.as_str()), expect.exit_code) {
        return Err(format!("wanted {} ({})", expect.verdict, expect.exit_code));
    }
    if !codes::ALL.iter().any(|c| c.name == expect.code) && !expect.code.starts_with("replay-") {
        return Err(format!("no such code: {}", expect.code));
    }
    let allowed = |code: &str| code == expect.code || expect.also.iter().any(|c| c == code);
    if let Some(stray) = report.findings.iter().find(|f| !allowed(f.code)) {
        return Err(format!("{} is no part of what is wrong ({})", stray.code, expect.code));
    }
    if let Some(idle) = expect.also.iter().find(|c| !report.findings.iter().any(|f| f.code == c.as_str())) {
        return Err(format!("{idle} was not found"));
    }
    let of_code: Vec<&Finding> = report.findings.iter().filter(|f| f.code == expect.code).collect();
    if !of_code.iter().any(|f| lies_there(about, f)) {
        return Err(format!("no {} where it lies: {:?}", expect.code, about.expect));
    }
    if about.resigned { hash_level(&expect.code, report) } else { Ok(()) }
}

/// Chain, tree and signature hold in what was re-done up to the signature; but for the one of them that is the point of the vector.
fn hash_level(code: &str, report: &Report) -> Result<(), String> {
    let is_one = |code: &str| HASH_LEVEL.contains(&code);
    if let Some(stray) = report.findings.iter().find(|f| is_one(f.code) && f.code != code) {
        return Err(format!("{} in what was signed again", stray.code));
    }
    let signed = report.checks.iter().any(|c| c.name == "signatures" && c.count > 0);
    // Nobody trusted signs in vectors about just that; a text that is no checkpoint has no size.
    let unsigned = is_one(code) || code == "signed-by-revoked" || report.size.is_none();
    if signed || unsigned { Ok(()) } else { Err("no good signature".to_owned()) }
}

fn lies_there(about: &Description, f: &Finding) -> bool {
    let expect = &about.expect;
    (expect.entries.is_empty() || f.entry.is_some_and(|e| expect.entries.contains(&e)))
        && (expect.file.is_none() || expect.file == f.file)
        && (expect.field.is_none() || expect.field == f.field)
        && (expect.line.is_none() || expect.line == f.line)
}

#[test]
fn the_valid_ledgers_verify_and_have_nothing_to_replay() {
    let bases = bases();
    let one = on_disk("valid/ledger-1");
    let seven = &bases.seven;
    let ledgers = BTreeMap::from([("ledger-1", &one), ("ledger-7", &seven.files), ("ledger-300", &bases.three_hundred.files)]);
    for (name, files) in ledgers {
        let report = run(files, &seven.options());
        assert_eq!((report.exit_code, report.findings.len()), (0, 0), "{name}:\n{report}");
        assert!(report.not_checked.iter().any(|l| l.contains("nothing to replay")), "{name}:\n{report}");
    }
}
