//! Tasks of the workspace: `cargo xtask <task>`.
//!
//! In scope: what a developer and the CI run, in one place, with no tool beyond cargo itself. Not in scope: anything the product needs.
//! Limits: it reads the tree it is run in and writes nothing to it; `test` may install packages, when root, from the table in `test.rs`, and one Python
//! program in the target directory.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task runner talks to the terminal")]

mod contract;
mod deps;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Every task, with what it does; README may name these and no others.
const TASKS: &[(&str, &str)] = &[
    ("test", "run every test of the workspace and add up the results"),
    ("ci", "format, lints, deps, tidy and test: what a change must pass"),
    ("deps", "hold the edges between crates against the allowed list"),
    ("bench", "the figures of docs/performance.md, written there: [DIR] [--long] [--entries N] [--quick]"),
    ("tidy", "dead links, wrong commands, files too long, traces of a machine, data that must not be here"),
];

/// What a task found wrong; empty when all is well.
type Findings = Vec<String>;

/// A task, given the root of the tree.
type Step = fn(&Path) -> Findings;

fn main() -> ExitCode {
    let root = root();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let findings = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test"] => test::run(&root),
        ["ci"] => ci(&root),
        ["deps"] => deps::run(&root),
        ["tidy"] => tidy::run(&root),
        ["bench", rest @ ..] => bench(&root, rest),
        _ => usage(),
    };
    for finding in &findings {
        eprintln!("xtask: {finding}");
    }
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs every step even after one failed, so that one run tells all that is wrong. Tests come last: their totals are the last lines.
fn ci(root: &Path) -> Findings {
    let steps: [(&str, Step); 5] = [("format", format), ("lints", lints), ("deps", deps::run), ("tidy", tidy::run), ("test", test::run)];
    let mut all = Findings::new();
    for (name, step) in steps {
        eprintln!("== {name}");
        all.extend(step(root).into_iter().map(|finding| format!("{name}: {finding}")));
    }
    all
}

fn bench(root: &Path, options: &[&str]) -> Findings {
    let run = |bin: &str, options: &[&str]| {
        cargo_step(root, &[&["run", "--release", "-q", "-p", "countersign-testing", "--bin", bin, "--"], options].concat())
    };
    let quick: &[&str] = if options.contains(&"--quick") { &["--quick"] } else { &[] };
    let serve = [&["run", "--release", "-q", "-p", "countersign-server", "--example", "serve_bench", "--"], quick].concat();
    run("bench", options).into_iter().chain(run("token_bench", quick)).chain(cargo_step(root, &serve)).collect()
}

fn format(root: &Path) -> Findings {
    cargo_step(root, &["fmt", "--all", "--check"])
}

fn lints(root: &Path) -> Findings {
    cargo_step(root, &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
}

fn cargo_step(root: &Path, arguments: &[&str]) -> Findings {
    match cargo(root).args(arguments).status() {
        Ok(status) if status.success() => Findings::new(),
        Ok(status) => vec![format!("cargo {}: {status}", arguments.join(" "))],
        Err(e) => vec![format!("cargo {} did not start: {e}", arguments.join(" "))],
    }
}

fn usage() -> Findings {
    let tasks: Vec<String> = TASKS.iter().map(|(name, what)| format!("  cargo xtask {name:<5} {what}")).collect();
    vec![format!("no such task; these are the tasks\n{}", tasks.join("\n"))]
}

/// The cargo that started us, in the root of the tree.
fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// `cargo run` says where this package lies; the root is two levels up.
fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    here.as_deref().and_then(Path::parent).and_then(Path::parent).map_or_else(|| PathBuf::from("."), Path::to_owned)
}
