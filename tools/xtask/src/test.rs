//! The test command: checks what tests need, installs it where it may, runs them, adds up what they said.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Findings, cargo};

/// Something outside cargo that tests need.
struct Need {
    what: &'static str,
    /// A command that succeeds where it is there.
    probe: &'static [&'static str],
    /// Debian packages that bring it.
    packages: &'static [&'static str],
    /// Where it stays away, the tests that need it say that they do nothing, and the others run.
    optional: bool,
}

/// Steps to come add rows here: postgresql (a store), chromium (the console).
const NEEDS: &[Need] = &[
    Need { what: "a C compiler", probe: &["cc", "--version"], packages: &["gcc", "libc6-dev"], optional: false },
    Need { what: "SoftHSM 2", probe: &["softhsm2-util", "--version"], packages: &["softhsm2"], optional: true },
    Need { what: "strace", probe: &["strace", "--version"], packages: &["strace"], optional: true },
    Need { what: "mkfs.ext4", probe: &["mkfs.ext4", "-V"], packages: &["e2fsprogs"], optional: true },
];

/// Added up over every test binary.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Totals {
    passed: u64,
    failed: u64,
    skipped: u64,
}

pub fn run(root: &Path) -> Findings {
    let mut findings: Findings = NEEDS.iter().filter_map(provide).collect();
    if !root.join("../shared").is_dir() {
        eprintln!("SKIPPED: ../shared is not beside this tree, so tests that read its cases and data pass without doing anything");
    }
    let totals = match cargo_test(root) {
        Ok((totals, success)) => {
            if !success {
                findings.push("cargo test failed".into());
            } else if totals.passed == 0 {
                findings.push("not one test ran".into());
            }
            totals
        }
        Err(e) => {
            findings.push(e);
            Totals::default()
        }
    };
    findings.extend(crate::contract::run(root));
    println!("{} passed, {} failed, {} skipped", totals.passed, totals.failed, totals.skipped);
    findings
}

/// Says what is there; installs what is not, where this may; a finding where it stays away.
fn provide(need: &Need) -> Option<String> {
    let there = || succeeds(need.probe);
    if there() {
        eprintln!("test: {} is there", need.what);
        return None;
    }
    if succeeds(&["sh", "-c", "test \"$(id -u)\" = 0 && command -v apt-get"]) {
        eprintln!("test: {} is missing; installing {}", need.what, need.packages.join(", "));
        let install = [&["apt-get", "install", "-y", "--no-install-recommends"], need.packages].concat();
        if (succeeds(&install) || (succeeds(&["apt-get", "update"]) && succeeds(&install))) && there() {
            return None;
        }
    }
    let missing = format!("{} is missing: install {}", need.what, need.packages.join(", "));
    if need.optional {
        eprintln!("SKIPPED: {missing}; tests that need it pass without doing anything");
        return None;
    }
    Some(missing)
}

fn succeeds(command: &[&str]) -> bool {
    let Some((program, arguments)) = command.split_first() else { return false };
    let quiet = || Stdio::null();
    Command::new(program)
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(quiet())
        .stdout(quiet())
        .stderr(quiet())
        .status()
        .is_ok_and(|status| status.success())
}

/// Plain `cargo test`, its lines passed on as they come.
fn cargo_test(root: &Path) -> Result<(Totals, bool), String> {
    let mut child = cargo(root)
        .args(["test", "--workspace", "--locked", "--no-fail-fast"])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cargo test did not start: {e}"))?;
    let mut totals = Totals::default();
    let output = child.stdout.take().ok_or("cargo test has no output")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = line.map_err(|e| format!("output of cargo test: {e}"))?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        totals = totals.plus(result_line(&line).unwrap_or_default());
    }
    let status = child.wait().map_err(|e| format!("cargo test: {e}"))?;
    Ok((totals, status.success()))
}

impl Totals {
    fn plus(self, other: Totals) -> Totals {
        Totals { passed: self.passed + other.passed, failed: self.failed + other.failed, skipped: self.skipped + other.skipped }
    }
}

/// What one test binary says at its end: `test result: ok. 8 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; …`.
fn result_line(line: &str) -> Option<Totals> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |word: &str| {
        let number = counts.split(';').find_map(|part| part.trim().strip_suffix(word))?;
        number.trim().parse::<u64>().ok()
    };
    Some(Totals { passed: count("passed")?, failed: count("failed")?, skipped: count("ignored")? + count("filtered out").unwrap_or(0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_read_and_others_are_not() {
        let ok = "test result: ok. 8 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 1.42s";
        assert_eq!(result_line(ok), Some(Totals { passed: 8, failed: 0, skipped: 3 }));
        let failed = "test result: FAILED. 7 passed; 12 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.26s";
        assert_eq!(result_line(failed), Some(Totals { passed: 7, failed: 12, skipped: 0 }));
        for other in ["test result_is_kept ... ok", "test result: ok.", "running 8 tests", "", "test result: ok. many passed; 0 failed"] {
            assert_eq!(result_line(other), None, "{other}");
        }
        assert_eq!(result_line(ok).unwrap().plus(result_line(failed).unwrap()), Totals { passed: 15, failed: 12, skipped: 3 });
    }

    #[test]
    fn a_need_that_is_met_is_no_finding() {
        assert_eq!(provide(&Need { what: "cargo", probe: &["cargo", "--version"], packages: &[], optional: false }), None);
        assert!(!succeeds(&["no-such-program-anywhere"]));
        assert!(!succeeds(&[]));
    }
}
