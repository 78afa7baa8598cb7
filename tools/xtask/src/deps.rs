//! Who may know whom. An edge that is not here, or one that is here and not in use, is a finding: the table is the house as it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::{Findings, cargo};

/// Crates of the workspace each crate may depend on. Edges point down only.
const ALLOWED: &[(&str, &[&str])] = &[
    ("countersign-entry", &[]),
    ("countersign-log", &[]),
    // The law's numbers, which decisions over a ledger and over a scenario compare with alike; the log, for the public keys that officers sign with, since a
    // signature is part of what is decided.
    ("countersign-conflict", &["countersign-entry", "countersign-law", "countersign-log"]),
    ("countersign-import", &["countersign-entry"]),
    ("countersign-law", &["countersign-entry"]),
    ("countersign-match", &["countersign-entry"]),
    ("countersign-sign", &["countersign-log"]),
    ("countersign-store", &["countersign-log"]),
    ("countersign-ledger", &["countersign-entry", "countersign-log", "countersign-conflict", "countersign-sign", "countersign-store"]),
    ("countersign-verify", &["countersign-entry", "countersign-log", "countersign-conflict"]),
    ("countersign-api", &["countersign-entry", "countersign-conflict"]),
    // The ledger, for what a request to it is and for what it holds; it records nothing. The interface's crate, for what a reader may see and in
    // which words.
    (
        "countersign-intake",
        &["countersign-api", "countersign-entry", "countersign-conflict", "countersign-import", "countersign-ledger", "countersign-match"],
    ),
    // The log, for tiles, proofs and leaf hashes as clients name them; signing and storing stay the ledger's. The verifier, for its report in evidence
    // bundles.
    (
        "countersign-server",
        &[
            "countersign-api",
            "countersign-entry",
            "countersign-conflict",
            "countersign-intake",
            "countersign-import",
            "countersign-ledger",
            "countersign-log",
            "countersign-verify",
        ],
    ),
    (
        "countersign-cli",
        &[
            "countersign-api",
            "countersign-server",
            "countersign-entry",
            "countersign-conflict",
            "countersign-import",
            "countersign-intake",
            "countersign-law",
            "countersign-log",
            "countersign-ledger",
            "countersign-match",
            "countersign-sign",
            "countersign-store",
            "countersign-verify",
        ],
    ),
    ("xtask", &[]),
];

/// Edges agreed on for crates that are still to come. One in use belongs into [`ALLOWED`].
const FUTURE: &[(&str, &[&str])] = &[];

/// Unpublished crates for tests; they may know any crate.
const FREE: &[&str] = &["countersign-testing", "countersign-tests"];

/// The one crate that tests of any crate may use beside those its crate may.
const TESTING: &str = "countersign-testing";

/// No I/O, clock, randomness or async.
const PURE: &[&str] = &[
    "countersign-entry",
    "countersign-log",
    "countersign-conflict",
    "countersign-api",
    "countersign-import",
    "countersign-law",
    "countersign-match",
    "countersign-verify",
];

/// What a pure crate comes by and never reaches: (pure crate, found, by).
const UNREACHED: &[(&str, &str, &str)] = &[
    // The zip crate draws random numbers only to write encrypted archives; spreadsheets are read.
    ("countersign-import", "getrandom", "zip"),
];

/// Crates that bring what a pure crate may not have, at whatever depth.
const IMPURE: &[&str] = &[
    "async-std",
    "chrono",
    "fastrand",
    "getrandom",
    "mio",
    "polling",
    "quanta",
    "rand",
    "reqwest",
    "rustix",
    "smol",
    "socket2",
    "tempfile",
    "time",
    "tokio",
];

/// How one crate of the workspace uses another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    Product,
    Tests,
}

/// What this task reads out of `cargo metadata`.
#[derive(Debug, Default)]
struct Graph {
    /// Edges between crates of the workspace.
    edges: BTreeSet<(String, String, Use)>,
    /// Each package's product dependencies, by name, and version where it is not the workspace's own: two versions of one package need not bring the
    /// same.
    below: BTreeMap<String, BTreeSet<String>>,
}

pub fn run(root: &Path) -> Findings {
    let graph = match metadata(root).and_then(|metadata| read(&metadata)) {
        Ok(graph) => graph,
        Err(e) => return vec![e],
    };
    let mut findings = hold(&graph, ALLOWED, FUTURE);
    findings.extend(impurities(&graph));
    if findings.is_empty() {
        println!("deps: {} edges between crates of the workspace, all allowed and all in use", graph.edges.len());
    }
    findings
}

/// Only this platform's packages: those of other platforms would have to be fetched to be told about.
fn metadata(root: &Path) -> Result<Value, String> {
    let version = Command::new("rustc").arg("-vV").output().map_err(|e| format!("rustc -vV: {e}"))?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc -vV does not name its host")?;
    let output = cargo(root)
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host])
        .output()
        .map_err(|e| format!("cargo metadata: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))
}

fn read(metadata: &Value) -> Result<Graph, String> {
    let list = |v: &Value, key: &str| v.get(key).and_then(Value::as_array).cloned().ok_or_else(|| format!("metadata has no {key}"));
    let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("metadata has no {key}"));
    let mut names = BTreeMap::new();
    for package in list(metadata, "packages")? {
        names.insert(text(&package, "id")?, text(&package, "name")?);
    }
    let mut versions = BTreeMap::new();
    for package in list(metadata, "packages")? {
        let version = package.get("version").and_then(Value::as_str).map(|version| format!("@{version}"));
        versions.insert(text(&package, "id")?, version.unwrap_or_default());
    }
    let name = |id: &str| names.get(id).cloned().ok_or_else(|| format!("metadata names no package {id}"));
    let mut members = BTreeSet::new();
    for id in list(metadata, "workspace_members")? {
        members.insert(name(id.as_str().unwrap_or_default())?);
    }
    let told = |id: &str| -> Result<String, String> {
        let name = name(id)?;
        let version = versions.get(id).filter(|_| !members.contains(&name)).cloned().unwrap_or_default();
        Ok(name + &version)
    };
    let mut graph = Graph::default();
    for node in list(metadata.get("resolve").unwrap_or(&Value::Null), "nodes")? {
        let (from, told_from) = (name(&text(&node, "id")?)?, told(&text(&node, "id")?)?);
        for dependency in list(&node, "deps")? {
            let (to, told_to) = (name(&text(&dependency, "pkg")?)?, told(&text(&dependency, "pkg")?)?);
            for kind in list(&dependency, "dep_kinds")? {
                let kind = match kind.get("kind").and_then(Value::as_str) {
                    None => Use::Product,
                    Some("dev") => Use::Tests,
                    Some(_) => continue,
                };
                if kind == Use::Product {
                    graph.below.entry(told_from.clone()).or_default().insert(told_to.clone());
                }
                if members.contains(&from) && members.contains(&to) {
                    graph.edges.insert((from.clone(), to.clone(), kind));
                }
            }
        }
    }
    Ok(graph)
}

fn hold(graph: &Graph, allowed: &[(&str, &[&str])], future: &[(&str, &[&str])]) -> Findings {
    let has = |table: &[(&str, &[&str])], from: &str, to: &str| table.iter().any(|(f, tos)| *f == from && tos.contains(&to));
    let mut findings = Findings::new();
    for (from, to, used) in &graph.edges {
        let free = FREE.contains(&from.as_str()) || (*used == Use::Tests && to == TESTING);
        if free || has(allowed, from, to) {
            continue;
        }
        findings.push(match (has(future, from, to), used) {
            (true, _) => format!("{from} -> {to} is in use, so it is no longer future: move it to ALLOWED"),
            (false, Use::Product) => format!("{from} -> {to} is not an allowed edge"),
            (false, Use::Tests) => format!("{from} -> {to} is not an allowed edge, nor one that tests may have"),
        });
    }
    for (from, tos) in allowed {
        for to in *tos {
            if !graph.edges.contains(&(from.to_string(), to.to_string(), Use::Product)) {
                findings.push(format!("{from} -> {to} is allowed and nobody uses it"));
            }
        }
    }
    findings
}

fn impurities(graph: &Graph) -> Findings {
    let mut findings = Findings::new();
    for pure in PURE {
        for (found, by) in reached(graph, pure) {
            let plain = |told: &str| told.split('@').next().unwrap_or_default().to_owned();
            let (found, by) = (plain(&found), plain(&by));
            if IMPURE.contains(&found.as_str()) && !UNREACHED.contains(&(*pure, found.as_str(), by.as_str())) {
                findings.push(format!("{pure} is pure and comes by {found} through {by}"));
            }
        }
    }
    findings
}

/// Every package below one, each with the package that brings it.
fn reached(graph: &Graph, from: &str) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    let mut open = vec![from.to_owned()];
    while let Some(at) = open.pop() {
        for to in graph.below.get(&at).into_iter().flatten() {
            if !seen.contains_key(to) {
                seen.insert(to.clone(), at.clone());
                open.push(to.clone());
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn metadata(edges: &[(&str, &str, Option<&str>)]) -> Value {
        let mut ids: BTreeSet<&str> = edges.iter().flat_map(|(from, to, _)| [*from, *to]).collect();
        ids.insert("entry");
        let node = |id: &&str| {
            let deps: Vec<Value> = edges
                .iter()
                .filter(|(from, _, _)| from == id)
                .map(|(_, to, kind)| json!({ "pkg": to, "dep_kinds": [{ "kind": kind }] }))
                .collect();
            json!({ "id": id, "deps": deps })
        };
        json!({
            "packages": ids.iter().map(|id| json!({ "id": id, "name": id })).collect::<Vec<_>>(),
            "workspace_members": ids.iter().filter(|id| !IMPURE.contains(id)).collect::<Vec<_>>(),
            "resolve": { "nodes": ids.iter().map(node).collect::<Vec<_>>() },
        })
    }

    fn findings(edges: &[(&str, &str, Option<&str>)]) -> Findings {
        hold(&read(&metadata(edges)).unwrap(), &[("a", &["b"])], &[("a", &["later"])])
    }

    #[test]
    fn an_edge_is_in_the_table_or_a_finding() {
        assert_eq!(findings(&[("a", "b", None)]), Findings::new());
        assert_eq!(findings(&[("a", "b", None), ("b", "a", None)]), ["b -> a is not an allowed edge"]);
        assert_eq!(findings(&[]), ["a -> b is allowed and nobody uses it"]);
        assert_eq!(findings(&[("a", "b", Some("dev"))]), ["a -> b is allowed and nobody uses it"]);
        assert_eq!(findings(&[("a", "b", None), ("a", "later", None)]).len(), 1);
    }

    #[test]
    fn tests_may_use_the_testing_crate_and_nothing_else_beside() {
        assert_eq!(findings(&[("a", "b", None), ("b", TESTING, Some("dev"))]), Findings::new());
        assert_eq!(findings(&[("a", "b", None), ("b", TESTING, None)]).len(), 1);
        assert_eq!(findings(&[("a", "b", None), ("b", "c", Some("dev"))]).len(), 1);
        assert_eq!(findings(&[("a", "b", None), (TESTING, "b", None), ("countersign-tests", "a", None)]), Findings::new());
    }

    #[test]
    fn impure_crates_are_found_at_any_depth_but_not_in_tests() {
        let found = |edges: &[_]| impurities(&read(&metadata(edges)).unwrap());
        assert_eq!(found(&[("countersign-log", "tokio", None)]), ["countersign-log is pure and comes by tokio through countersign-log"]);
        assert_eq!(found(&[("countersign-log", "x", None), ("x", "rand", None)]), ["countersign-log is pure and comes by rand through x"]);
        assert_eq!(found(&[("countersign-log", "rand", Some("dev"))]), Findings::new());
        assert_eq!(found(&[("countersign-ledger", "getrandom", None)]), Findings::new());
        assert_eq!(found(&[("countersign-import", "zip", None), ("zip", "getrandom", None)]), Findings::new());
        assert_eq!(found(&[("countersign-import", "x", None), ("x", "getrandom", None)]).len(), 1);
    }

    #[test]
    fn metadata_of_another_shape_is_an_error() {
        assert!(read(&json!({})).is_err());
        assert!(read(&json!({ "packages": [], "workspace_members": ["x"], "resolve": { "nodes": [] } })).is_err());
    }
}
