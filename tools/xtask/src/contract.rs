//! The service beside its description: schemathesis, in a Python environment of its own under the target directory, against a service on loopback.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Findings, cargo};

/// The version this was last looked at with: a newer one finds other things, and is taken on purpose.
const VERSION: &str = "4.32.5";
/// Seconds it may take. What is not reached in them is told by schemathesis itself.
const SECONDS_MAX: &str = "110";

/// Runs it; says loudly where it cannot be had.
pub fn run(root: &Path) -> Findings {
    let program = match provide(root) {
        Ok(program) => program,
        Err(why) => {
            eprintln!("SKIPPED: schemathesis {VERSION} is not there ({why}); the service is not held to schemas/openapi.json");
            return Findings::new();
        }
    };
    // Built with the whole workspace: of one crate alone the dependencies would have other features, and all of them be built once more.
    let built = cargo(root).args(["build", "-q", "--locked", "--workspace", "--example", "contract"]).status();
    if !built.is_ok_and(|status| status.success()) {
        return vec!["the service that schemathesis asks cannot be built".into()];
    }
    let status = Command::new(target(root).join("debug/examples/contract"))
        .current_dir(root)
        .arg(program)
        // The same run each time: a test must not fail because of what was drawn today.
        .args(["--generation-deterministic", "--max-examples", "10", "--max-time", SECONDS_MAX, "--warnings", "off", "--no-color"])
        .status();
    match status {
        Ok(status) if status.success() => Findings::new(),
        Ok(status) => vec![format!("the service and schemas/openapi.json do not agree, or schemathesis failed ({status})")],
        Err(e) => vec![format!("the service that schemathesis asks did not start: {e}")],
    }
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// The program, installed where it is not there yet.
fn provide(root: &Path) -> Result<PathBuf, String> {
    let venv = target(root).join(format!("schemathesis-{VERSION}"));
    let program = venv.join("bin/schemathesis");
    if quiet(Command::new(&program).arg("--version")) {
        return Ok(program);
    }
    eprintln!("test: schemathesis is missing; installing {VERSION} to the target directory");
    if !quiet(Command::new("python3").args(["-m", "venv"]).arg(&venv)) {
        return Err("python3 -m venv failed".into());
    }
    let pip = venv.join("bin/pip");
    let package = format!("schemathesis=={VERSION}");
    if !quiet(Command::new(pip).args(["install", "-q", "--timeout", "15", "--retries", "1", &package])) {
        return Err("pip could not install it".into());
    }
    if quiet(Command::new(&program).arg("--version")) { Ok(program) } else { Err("it was installed and does not start".into()) }
}

fn quiet(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
