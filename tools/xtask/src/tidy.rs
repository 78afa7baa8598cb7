//! What a reader would stumble over and a compiler does not see.

use std::path::{Path, PathBuf};

use crate::{Findings, TASKS};

/// Lines after which a source file is asked why.
const LINES_MAX: usize = 600;

/// Files over [`LINES_MAX`] that somebody looked at, with why they stay whole.
const LONG_ON_PURPOSE: &[(&str, &str)] = &[(
    "crates/countersign-testing/src/records.rs",
    "a generator for each record type, one after another; nothing to follow from one to the next",
)];

/// Traces of the machine somebody worked on. In pieces, so that this file does not find itself.
const MACHINE: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!(r"C:\Us", "ers")];

/// The path RFC 7644 gives users, which is nobody's machine.
const SCIM: &str = concat!("/scim/v2/Us", "ers/");

/// Package registries: which one is used is the user's own setting.
const REGISTRIES: &[&str] = &[
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("npmjs", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("jfrog", ".io"),
];

/// Work put off belongs into an issue.
const PUT_OFF: &[&str] = &[concat!("to", "do"), concat!("fix", "me")];

/// Reports of named people, even with the names taken out, are not ours to publish.
const DISCLOSURES: &[&str] = &["house_ptr", "senate_ptr", "oge278"];

/// Directories that are not the tree's own.
const NOT_OURS: &[&str] = &[".git", "target"];

/// One file: its path below the root with `/`, and its text where it has one.
struct File {
    path: String,
    text: Option<String>,
}

pub fn run(root: &Path) -> Findings {
    let mut files = Vec::new();
    if let Err(e) = collect(root, root, &mut files) {
        return vec![format!("the tree cannot be read: {e}")];
    }
    let exists = |path: &str| root.join(path).exists();
    let mut findings: Findings = files.iter().flat_map(|file| check(file, &exists)).collect();
    for (path, _) in LONG_ON_PURPOSE {
        if !files.iter().any(|f| f.path == *path && f.text.as_deref().is_some_and(too_long)) {
            findings.push(format!("{path} is no longer over {LINES_MAX} lines: take it off the list in tidy.rs"));
        }
    }
    if findings.is_empty() {
        println!("tidy: {} files", files.len());
    }
    findings
}

fn collect(root: &Path, directory: &Path, files: &mut Vec<File>) -> std::io::Result<()> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if NOT_OURS.contains(&name.as_ref()) || name.starts_with("countersign-demo") {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            let below = path.strip_prefix(root).unwrap_or(&path);
            let path_text = below.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
            let text = if is_prose_or_code(&path_text) { std::fs::read_to_string(&path).ok() } else { None };
            files.push(File { path: path_text, text });
        }
    }
    Ok(())
}

/// Written by us, so held to the rules of words; data files, vectors and the lock file are not.
fn is_prose_or_code(path: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, e)| e);
    ["rs", "md", "toml", "cddl", "sh", "json"].contains(&extension) && !path.starts_with("tests/vectors/") || path == ".ci/run"
}

fn check(file: &File, exists: &dyn Fn(&str) -> bool) -> Findings {
    let mut findings = Findings::new();
    let name = file.path.rsplit('/').next().unwrap_or_default();
    if DISCLOSURES.iter().any(|d| name.starts_with(d)) {
        findings.push("is disclosure data, which must not be in this repository".to_owned());
    }
    if let Some(text) = &file.text {
        findings.extend(words(&file.path, text));
        if file.path.ends_with(".md") {
            findings.extend(dead_ends(&file.path, text, exists));
            findings.extend(wrong_commands(text, exists));
        }
        let is_source = file.path.starts_with("crates/") && file.path.contains("/src/") && file.path.ends_with(".rs");
        if is_source && too_long(text) && !LONG_ON_PURPOSE.iter().any(|(path, _)| *path == file.path) {
            findings.push(format!("is over {LINES_MAX} lines: split it, or say why not in tidy.rs"));
        }
    }
    findings.into_iter().map(|finding| format!("{}: {finding}", file.path)).collect()
}

fn too_long(text: &str) -> bool {
    text.lines().count() > LINES_MAX
}

fn words(path: &str, text: &str) -> Findings {
    let mut findings = Findings::new();
    for (line, number) in text.lines().zip(1..) {
        let named = line.replace(SCIM, "");
        for trace in MACHINE.iter().chain(REGISTRIES) {
            if named.contains(trace) {
                findings.push(format!("line {number}: {trace:?} is somebody's machine or registry"));
            }
        }
        // Manifests name the lint that forbids it in code.
        let put_off = |w: &str| PUT_OFF.iter().any(|p| w.eq_ignore_ascii_case(p));
        if !path.ends_with(".toml") && line.split(|c: char| !c.is_alphanumeric()).any(put_off) {
            findings.push(format!("line {number}: work put off; open an issue instead"));
        }
    }
    findings
}

/// Links and paths of a page that lead nowhere.
fn dead_ends(path: &str, text: &str, exists: &dyn Fn(&str) -> bool) -> Findings {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut findings = Findings::new();
    for (line, number) in outside_fences(text) {
        for link in links(line) {
            if !below(directory, link).is_some_and(|p| exists(&p)) {
                findings.push(format!("line {number}: the link {link} leads nowhere"));
            }
        }
        for quoted in backticked(line).filter(|q| looks_like_a_path(q, exists)) {
            let there = |from| below(from, quoted).is_some_and(|p| exists(&p));
            if !there("") && !there(directory) {
                findings.push(format!("line {number}: there is no {quoted}"));
            }
        }
    }
    findings
}

fn outside_fences(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut fenced = false;
    text.lines().zip(1..).filter(move |(line, _)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// Targets of `[text](target)` that lie in the tree.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?.split('#').next()?;
        (!target.is_empty() && !target.contains(':')).then_some(target)
    })
}

fn backticked(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Only what can hardly be anything else: a page's file name, or a path that begins with something at the root. A ledger's own paths
/// (`tile/entries/000`), types and patterns are left alone.
fn looks_like_a_path(quoted: &str, exists: &dyn Fn(&str) -> bool) -> bool {
    let plain = quoted.chars().all(|c| c.is_ascii_alphanumeric() || "./-_".contains(c));
    let starts_at_root = quoted.split_once('/').is_some_and(|(first, rest)| !rest.is_empty() && first.len() > 2 && exists(first));
    plain && (starts_at_root || (quoted.ends_with(".md") && !quoted.starts_with("../")))
}

/// The path from the root; `None` where it leads out of the tree, as nothing there can be relied on.
fn below(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|p| !p.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            other => parts.push(other),
        }
    }
    Some(parts.join("/"))
}

/// Commands a page tells to run: tasks that do not exist, packages that do not exist.
fn wrong_commands(text: &str, exists: &dyn Fn(&str) -> bool) -> Findings {
    let mut findings = Findings::new();
    for (line, number) in text.lines().zip(1..) {
        let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || "`()|,;".contains(c)).filter(|w| !w.is_empty()).collect();
        for window in words.windows(3) {
            if let ["cargo", "xtask", task] = window {
                let task = task.trim_end_matches(['.', ':']);
                if task.chars().all(|c| c.is_ascii_alphabetic()) && !TASKS.iter().any(|(name, _)| *name == task) {
                    findings.push(format!("line {number}: cargo xtask has no task {task}"));
                }
            }
        }
        let is_cargo = words.windows(2).any(|w| matches!(w, ["cargo", "run" | "test" | "build" | "install"]));
        for window in words.windows(2).filter(|_| is_cargo) {
            if let ["-p" | "--package", package] = window {
                let there = exists(&format!("crates/{package}")) || exists(&format!("tools/{package}")) || *package == "countersign-tests";
                if !there {
                    findings.push(format!("line {number}: there is no package {package}"));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(path: &str) -> bool {
        ["README.md", "crates", "crates/countersign-log", "schemas", "schemas/entry.cddl", "schemas/README.md"].contains(&path)
    }

    fn found(path: &str, text: &str) -> usize {
        check(&File { path: path.into(), text: Some(text.into()) }, &tree).len()
    }

    #[test]
    fn links_and_paths_lead_somewhere() {
        for good in [
            "[x](schemas/entry.cddl#leaf) and [y](https://c2sp.org/tlog-tiles) and [z](#here)",
            "`schemas/entry.cddl`, `crates/countersign-log`, `README.md`",
            "`tile/entries/000`, `control/<index>`, `crates/*/src`, `../shared/notes.md`, `a/b`, `18/208`",
            "```\n`schemas/none`\n```",
        ] {
            assert_eq!(found("README.md", good), 0, "{good}");
        }
        assert_eq!(found("schemas/README.md", "[x](entry.cddl), [up](../README.md), `README.md`, `schemas/entry.cddl`"), 0);
        for bad in ["[x](schemas/none)", "[x](../outside.md)", "`schemas/none.cddl`", "`NONE.md`", "a [b](schemas/entry.cddl) [c](none)"] {
            assert_eq!(found("README.md", bad), 1, "{bad}");
        }
    }

    #[test]
    fn commands_are_real() {
        assert_eq!(found("README.md", "Run `cargo xtask test`. Or cargo xtask ci, cargo xtask <task>"), 0);
        assert_eq!(found("README.md", "cargo run -q -p countersign-log -- demo"), 0);
        assert_eq!(found("README.md", "Run `cargo xtask tests`."), 1);
        assert_eq!(found("README.md", "cargo run -p countersign-lag"), 1);
        assert_eq!(found("README.md", "mkdir -p somewhere"), 0);
    }

    #[test]
    fn traces_and_work_put_off_are_found() {
        for bad in [format!("see {}x", MACHINE[0]), format!("from {}", REGISTRIES[0]), format!("// {}: later", PUT_OFF[1].to_uppercase())] {
            assert_eq!(found("crates/countersign-log/src/lib.rs", &bad), 1, "{bad}");
        }
        assert_eq!(found("Cargo.toml", &format!("{} = \"deny\"", PUT_OFF[0])), 0);
        assert_eq!(found("crates/countersign-log/src/lib.rs", "mastodon"), 0);
        assert_eq!(found("crates/countersign-log/src/lib.rs", &format!("{SCIM}one")), 0);
        assert_eq!(found("crates/countersign-log/src/lib.rs", &format!("{SCIM} and {}me", MACHINE[3])), 1);
    }

    #[test]
    fn long_files_and_disclosures_are_found() {
        let long = "x\n".repeat(LINES_MAX + 1);
        assert_eq!(found("crates/countersign-log/src/lib.rs", &long), 1);
        assert_eq!(found("crates/countersign-log/src/lib.rs", &long[2..]), 0);
        assert_eq!(found("crates/countersign-log/tests/x.rs", &long), 0);
        assert_eq!(found(LONG_ON_PURPOSE[0].0, &long), 0);
        let data = |path: &str| check(&File { path: path.into(), text: None }, &tree).len();
        assert_eq!(data("tests/vectors/senate_ptr_raw_dev.json"), 1);
        assert_eq!(data("tests/vectors/sec_issuers.csv"), 0);
    }
}
