//! The small binary: exit codes, JSON and usage.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)] // a test may stop where a library may not

use std::path::PathBuf;
use std::process::{Command, Output};

fn vector(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/valid").join(name)
}

fn binary(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_countersign-verify")).args(arguments).output().unwrap()
}

#[test]
fn it_reports_and_exits_by_verdict() {
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(vector("ledger-7.json")).unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys.json");
    std::fs::write(&keys, json["keys"].to_string()).unwrap();
    let (path, vkey) = (vector("ledger-7"), json["vkey"].as_str().unwrap());
    let (path, keys) = (path.to_str().unwrap(), keys.to_str().unwrap());
    let out = binary(&[path, "--vkey", vkey, "--keys", keys]);
    assert_eq!(out.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&out.stdout).starts_with("VERIFIED  entries 0..6  root 31b33ee0"));
    assert!(out.stderr.is_empty(), "no progress where nobody watches");

    let known = dir.path().join("known");
    std::fs::write(&known, std::fs::read(vector("ledger-300/checkpoint")).unwrap()).unwrap();
    let out = binary(&[path, &format!("--vkey={vkey}"), "--known-checkpoint", known.to_str().unwrap(), "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((out.status.code(), report["verdict"].as_str(), report["exit_code"].as_u64()), (Some(13), Some("stale"), Some(13)));
    assert_eq!(report["schema"], "countersign/verify-report/1");

    assert_eq!(binary(&["/nowhere/at/all", "--vkey", vkey]).status.code(), Some(11));
    for usage in [
        vec![path],
        vec![path, "--vkey", "x"],
        vec!["--vkey", vkey],
        vec![path, "--vkey", vkey, "--what"],
        vec![path, path, "--vkey", vkey],
    ] {
        let out = binary(&usage);
        assert_eq!(out.status.code(), Some(2), "{usage:?}");
        assert!(out.stdout.is_empty());
    }
}
