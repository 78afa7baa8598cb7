//! `countersign assess` as its user runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/assess")
}

fn assess(args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.arg("assess").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn one_scenario_reads_like_a_memo() {
    let file = vectors().join("open/2640.202-a-2.json");
    let out = assess(&["--scenario", file.to_str().unwrap()], "");
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success(), "{text}");
    for told in [
        "May take part: no",
        "together $16,000, which exceeds $15,000",
        "5 CFR 2640.202(a)",
        "To do:",
        "Not ethics advice unless an ethics official adopts it",
    ] {
        assert!(text.contains(told), "{told}\n{text}");
    }
}

#[test]
fn a_directory_gives_one_line_for_each() {
    let out = assess(&["--json", "--scenario", vectors().join("open").to_str().unwrap()], "");
    let lines: Vec<Value> = String::from_utf8(out.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((lines.len(), out.status.code()), (108, Some(0)));
    assert!(lines.iter().all(|l| l["schema"] == "countersign/assess/1" && l["verdicts"]["trade"].is_string() && l["scenario"] != ""));
}

#[test]
fn what_is_no_scenario_is_refused_with_its_place() {
    let out = assess(&["--scenario", "-"], r#"{"interests": [{"substantial": true}]}"#);
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(5), "{said}");
    assert!(said.contains("interests[0]") && said.contains("substantial") && said.contains("schemas/scenario.md"), "{said}");
    assert_eq!(assess(&["--scenario", "no-such-file.json"], "").status.code(), Some(3));
}
