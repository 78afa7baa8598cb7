//! What the real program does with wrong input, other users, damage, and ledgers in use: an exit code and one sentence, and nothing changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::{Value, json};
use support::Scene;

const SIZE_OF_NEW: u64 = 22;
const FIRST_SEGMENT: &str = "segments/0000000000000000.seg";

fn event(action: &str) -> String {
    json!({ "person": "P-0001", "submission": "S-0001", "action": action, "occurred_at": "2026-06-01T09:00:00Z" }).to_string()
}

#[test]
fn there_is_no_ledger_unless_init_made_one() {
    let s = Scene::empty();
    let told = s.run(&["status", "DIR", "--json"]).exits(3);
    assert_eq!(told.json()["exit_code"], 3);
    assert!(told.err.contains("countersign init") && !s.dir.exists(), "{}", told.err);
    s.run(&["init", "DIR", "--origin", "agency.example/access"]).exits(5);
    assert!(!s.dir.exists());
    fs::create_dir(&s.dir).unwrap();
    s.run(&["person", "show", "DIR"]).exits(3);
    assert_eq!(fs::read_dir(&s.dir).unwrap().count(), 0);
}

#[test]
fn a_wrong_command_line_is_usage_in_either_form() {
    let s = Scene::empty();
    s.run(&["frobnicate"]).exits(2);
    let told = s.run(&["grant", "request", "DIR", "--json"]).exits(2);
    assert_eq!(told.json()["schema"], "countersign/error/1");
    assert!(s.run(&["--help"]).exits(0).out.contains("grant"));
    assert!(s.run(&["--version"]).exits(0).out.starts_with("countersign "));
    s.run(&["verify", "DIR", "--vkey", "nonsense"]).exits(2);
}

#[test]
fn nothing_changes_when_a_command_fails() {
    let s = Scene::new();
    let before = s.bytes();
    let wrong = s.write("wrong", "not the passphrase\n");
    let told = s.run(&["status", "DIR", "--passphrase-file", &wrong]).exits(4);
    assert!(told.err.contains("wrong passphrase") && told.err.contains("--passphrase-file"), "{}", told.err);
    s.run(&["status", "DIR", "--passphrase-file", "/nonexistent/file"]).exits(3);
    s.run(&["person", "add", "DIR", "--name", "Bo"]).exits(2);
    s.run(&["person", "add", "DIR", "--name", "Bo", "--status", "civilian", "--organization", "nowhere"]).exits(3);
    s.run(&["person", "add", "DIR", "--id", "Bo Tester", "--name", "Bo", "--status", "civilian"]).exits(5);
    s.run(&["principal", "add", "DIR", "--os-user", "root", "--role", "gateway"]).exits(2);
    s.run(&["list", "add-item", "DIR", "--list", "none", "--subject", "provider:x", "--reason", "r"]).exits(3);
    for (name, text, code) in [
        ("deep", format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)), 5),
        ("long", format!("{{{}}}", " ".repeat(4 << 20)), 5),
        ("surrogate", r#"{"id":"\ud800"}"#.to_owned(), 5),
        ("array", "[1]".to_owned(), 5),
        ("unknown", r#"{"approvals":1}"#.to_owned(), 5),
        ("past", r#"{"effective_from":"2001-01-01"}"#.to_owned(), 5),
    ] {
        let file = s.write(name, text);
        s.run(&["policy", "set", "DIR", "--file", &file]).exits(code);
    }
    s.run(&["policy", "set", "DIR", "--file", "/nonexistent"]).exits(3);
    s.run(&["access", "log", "DIR", "--file", "/nonexistent"]).exits(3);
    s.run(&["query", "issuer", "DIR", "nobody"]).exits(3);
    s.run(&["grant", "show", "DIR", "0"]).exits(3);
    s.run(&["status", "DIR"]).exits(0);
    s.run(&["tick", "DIR"]).exits(0);
    assert!(before == s.bytes());
}

#[test]
fn a_given_passphrase_file_is_the_only_way_in() {
    let s = Scene::empty();
    let file = s.write("pass", "correct horse battery staple\n");
    s.run(&["init", "DIR", "--origin", support::ORIGIN, "--passphrase-file", &file]).exits(0);
    assert!(!s.dir.join("keys/passphrase").exists());
    let told = s.run(&["status", "DIR"]).exits(3);
    assert!(told.err.contains("--passphrase-file"), "{}", told.err);
    s.run(&["status", "DIR", "--passphrase-file", &file]).exits(0);
    fs::create_dir(s.path("cred")).unwrap();
    fs::copy(&file, s.path("cred/countersign-passphrase")).unwrap();
    let mut command = s.command(&["status", "DIR"]);
    command.env("CREDENTIALS_DIRECTORY", s.path("cred"));
    support::finish(command, &["status with a systemd credential"]).exits(0);
}

#[test]
fn a_register_apart_is_found_from_anywhere() {
    let s = Scene::empty();
    fs::create_dir(s.path("apart")).unwrap();
    let mut command = s.command(&["init", "DIR", "--origin", support::ORIGIN, "--register", "apart/head"]);
    command.current_dir(s.tmp.path());
    support::finish(command, &["init --register"]).exits(0);
    assert!(s.path("apart/head").exists());
    s.add(&["org", "add", "DIR", "--id", "nist", "--name", "NIST", "--kind", "agency"]);
    assert_eq!(s.json(&["status", "DIR"])["register_size"], SIZE_OF_NEW + 1);
    let quoted = Scene::empty();
    quoted.run(&["init", "DIR", "--origin", support::ORIGIN, "--register", "a\"b"]).exits(5);
    assert!(!quoted.dir.exists());
}

#[test]
fn a_damaged_ledger_is_told_and_left_alone() {
    type Damage = fn(&Scene);
    let damages: [(&str, Damage); 6] = [
        ("emptied", |s| fs::remove_dir_all(s.dir.join("segments")).unwrap()),
        ("a flipped byte", |s| flip(s, FIRST_SEGMENT, 300)),
        ("the configuration", |s| flip(s, "countersign.toml", 3)),
        ("the key file", |s| flip(s, "keys/signing.key", 60)),
        ("the passphrase", |s| flip(s, "keys/passphrase", 40)),
        ("the register", |s| flip(s, "register/head", 20)),
    ];
    for (name, damage) in damages {
        let s = Scene::new();
        let vkey = s.vkey();
        damage(&s);
        let before = s.bytes();
        for args in [&["status", "DIR"][..], &["person", "add", "DIR", "--name", "x", "--status", "civilian"], &["tick", "DIR"]] {
            let told = s.run(args).exits(10);
            assert!(!told.err.is_empty(), "{name}");
        }
        s.run(&["verify", "DIR", "--vkey", &vkey]).exits(10);
        assert!(before == s.bytes(), "{name}: nothing may be repaired");
    }
}

fn flip(s: &Scene, file: &str, at: usize) {
    let path = s.dir.join(file);
    let mut bytes = fs::read(&path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_store_behind_its_register_takes_nothing_and_still_answers() {
    let s = Scene::new();
    let segment = s.dir.join(FIRST_SEGMENT);
    let earlier = fs::read(&segment).unwrap();
    s.add(&["org", "add", "DIR", "--id", "nist", "--name", "NIST", "--kind", "agency"]);
    let (vkey, cut) = (s.vkey(), fs::read(&segment).unwrap());
    fs::write(&segment, &earlier).unwrap();
    let before = s.bytes();
    let status = s.json(&["status", "DIR"]);
    assert_eq!((&status["size"], &status["register_size"]), (&json!(SIZE_OF_NEW), &json!(SIZE_OF_NEW + 1)));
    assert!(status["read_only"].as_str().unwrap().contains("entries are missing"), "{status}");
    let told = s.run(&["org", "add", "DIR", "--id", "x", "--name", "X", "--kind", "agency"]).exits(10);
    assert!(told.err.contains("nothing was recorded") && told.err.contains("restore"), "{}", told.err);
    // Questions are answered all the same, and say that they are not recorded.
    let person = s.json(&["person", "show", "DIR"])["rows"][0]["id"].as_str().unwrap().to_owned();
    let asked = s.run(&["query", "person", "DIR", &person]).exits(0);
    assert!(asked.err.contains("this question is not recorded"), "{}", asked.err);
    s.run(&["verify", "DIR", "--vkey", &vkey]).exits(10);
    assert!(before == s.bytes());

    // A torn tail, which a crash leaves: the last commit is lost only if its seal was cut, and then the register knows.
    fs::write(&segment, &cut[..cut.len() - 7]).unwrap();
    s.run(&["org", "add", "DIR", "--id", "x", "--name", "X", "--kind", "agency"]).exits(10);
}

#[test]
fn every_line_of_a_file_gets_its_result() {
    let s = Scene::new();
    let nested = format!("{{\"detail\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    let lines = [
        event("view"),
        "not json".to_owned(),
        String::new(),
        event("view").replace("\"view\"", "\"\\ud800\""),
        event("query"),
        format!("[{}", "[".repeat(30_000)),
        event("x").replace("\"x\"", &format!("\"{}\"", "x".repeat(200_000))),
        event("view").replace("\"person\":\"P-0001\"", "\"person\":\"P-0001\",\"person\":\"P-0002\""),
        nested,
        event("view").trim_end_matches('}').to_owned() + &format!(",\"detail\":{}1{}}}", "[".repeat(40), "]".repeat(40)),
        event("view").trim_end_matches('}').to_owned() + ",\"detail\":{\"path\":\"/weights\",\"bytes\":7}}",
        event("download"),
    ];
    let mut bytes = lines.join("\n").into_bytes();
    bytes.extend_from_slice(b"\n\xff\xfe\n");
    let file = s.write("events.ndjson", bytes);
    let before = s.size();
    let told = s.run(&["access", "log", "DIR", "--file", &file, "--json"]).exits(6).json();
    assert_eq!((&told["recorded"], &told["failed"]), (&json!(4), &json!(8)));
    let results = told["lines"].as_array().unwrap();
    let by_line = |n: u64| results.iter().find(|r| r["line"] == n);
    for good in [1, 5, 11, 12] {
        assert_eq!(by_line(good).unwrap()["recorded"], true, "line {good}");
    }
    for bad in [2, 4, 6, 7, 8, 9, 10, 13] {
        assert!(by_line(bad).unwrap()["error"].as_str().is_some_and(|e| !e.is_empty()), "line {bad}");
    }
    assert_eq!((by_line(3), results.len()), (None, 12));
    assert_eq!(s.size(), before + 4);

    let good = s.write("good.ndjson", format!("{}\n{}", event("view"), event("query")));
    let args = ["access", "log", "DIR", "--file", &good, "--idempotency-key", "file-1"];
    let first = s.run(&args).exits(0).out;
    assert!(
        first.lines().next().unwrap().starts_with("line 1: recorded: entry ") && first.ends_with("2 recorded, 0 not recorded\n"),
        "{first}"
    );
    assert_eq!(s.run(&args).exits(0).out, first, "the same file under the same key is recorded once");
    s.run(&["access", "log", "DIR", "--file", &good, "--person", "P-0001"]).exits(2);
    s.run(&["access", "log", "DIR"]).exits(2);
}

#[test]
fn many_lines_make_few_commits() {
    let s = Scene::new();
    let lines: Vec<String> = (0..3_000).map(|n| event("view").replace("P-0001", &format!("P-{n:04}"))).collect();
    let file = s.write("many.ndjson", lines.join("\n"));
    let before = s.size();
    s.run(&["access", "log", "DIR", "--file", &file]).exits(0);
    assert_eq!(s.size(), before + 3_000);
    let signature = format!("\u{2014} {} ", support::ORIGIN).into_bytes();
    let segment = fs::read(s.dir.join(FIRST_SEGMENT)).unwrap();
    let commits = segment.windows(signature.len()).filter(|w| *w == signature).count();
    assert!((2..500).contains(&commits), "{commits} commits");
}

#[test]
fn one_writer_at_a_time_and_readers_beside_it() {
    let s = Scene::new();
    let mut writer = s.command(&["access", "log", "DIR", "--file", "-"]);
    let mut writer = writer.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut feed, mut told) = (writer.stdin.take().unwrap(), BufReader::new(writer.stdout.take().unwrap()));
    let mut result = String::new();
    for n in 1..=2 {
        writeln!(feed, "{}", event("view")).unwrap();
        result.clear();
        // Acknowledged while the next line is waited for, not at the end.
        told.read_line(&mut result).unwrap();
        assert!(result.starts_with(&format!("line {n}: recorded: entry ")), "{result}");
    }
    let second = s.run(&["org", "add", "DIR", "--id", "nist", "--name", "NIST", "--kind", "agency"]).exits(1);
    assert!(second.err.contains("another writer"), "{}", second.err);
    assert_eq!(s.size(), SIZE_OF_NEW + 2);
    let asked = s.run(&["access", "list", "DIR", "--json"]).exits(0);
    assert!(asked.err.contains("this question is not recorded: another writer"), "{}", asked.err);
    assert_eq!(asked.json()["rows"].as_array().unwrap().len(), 2);
    assert_eq!(asked.json()["read_entry"], Value::Null);
    drop(feed);
    assert!(writer.wait().unwrap().success());
    s.add(&["org", "add", "DIR", "--id", "nist", "--name", "NIST", "--kind", "agency"]);
}

#[test]
fn a_closed_pipe_is_quiet_and_loses_no_access() {
    let s = Scene::new();
    let lines: Vec<String> = (0..50).map(|_| event("view")).collect();
    let file = s.write("events.ndjson", lines.join("\n"));
    // The reader is gone before the program starts, so that it cannot get a word in.
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    let output = s.command(&["access", "log", "DIR", "--file", &file]).stdout(closed()).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(s.size(), SIZE_OF_NEW + 50);
    let status = s.command(&["verify", "DIR", "--vkey", &s.vkey()]).stdout(closed()).status().unwrap();
    assert_eq!(status.code(), Some(1), "a verdict that nobody could read is not one that was read");
}
