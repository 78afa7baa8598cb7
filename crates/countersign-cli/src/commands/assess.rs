//! `assess`: scenarios under the federal conflict-of-interest rules. Reads files, asks no ledger, records nothing.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use countersign_law::limits::Edition;
use countersign_law::{Answer, Finding, KindAnswer, Scenario, Verdict, assess, assess_under};
use serde_json::{Value, json};

use super::{DONE, FILE_BYTES_MAX, read_small};
use crate::failure::{Exit, Failure};
use crate::output::Out;

/// What to answer.
#[derive(Debug, Args)]
pub(crate) struct AssessArgs {
    /// A scenario (JSON of schemas/scenario.schema.json; schemas/scenario.md says which field states what), a directory of them, or - for standard
    /// input. May be given several times; with --json each answer is one line.
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    scenario: Vec<PathBuf>,
    /// Numbers to answer under (JSON of schemas/law-policy.schema.json), such as those an old answer names. Without it: the built-in edition of the
    /// day asked for; `countersign rules --json` lists them.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

pub(crate) fn run(args: &AssessArgs, out: &mut Out<'_>) -> Result<Exit, Failure> {
    let files = files(&args.scenario)?;
    let policy = args.policy.as_deref().map(edition).transpose()?;
    let alone = files.len() == 1;
    let mut failed = 0;
    for (n, path) in files.iter().enumerate() {
        match one(path, policy.as_ref()) {
            Ok((scenario, answer)) => tell(&scenario, &answer, n, out)?,
            Err(e) if alone => return Err(e),
            Err(e) => {
                failed += 1;
                refuse(path, &e, out)?;
            }
        }
    }
    Ok(if failed > 0 { Exit::Partial } else { DONE })
}

/// Files named, and those of directories named, in order of their names.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).map_err(Failure::file(path))?;
        let mut inside: Vec<PathBuf> =
            entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.extension().is_some_and(|x| x == "json")).collect();
        if inside.is_empty() {
            return Err(Failure::NotFound(format!("{} holds no .json file", path.display())));
        }
        inside.sort();
        files.append(&mut inside);
    }
    Ok(files)
}

fn edition(path: &Path) -> Result<Edition, Failure> {
    Edition::from_json(&read_small(path)?).map_err(|e| Failure::Invalid(format!("{}: {e}", path.display())))
}

fn one(path: &Path, policy: Option<&Edition>) -> Result<(Scenario, Answer), Failure> {
    let bytes = if path == Path::new("-") { standard_input()? } else { read_small(path)? };
    let text = String::from_utf8(bytes).map_err(|_| Failure::Invalid(format!("{} is not UTF-8", path.display())))?;
    let scenario = Scenario::from_json(&text).map_err(|e| Failure::Invalid(format!("{}: {e}", path.display())))?;
    let answer = policy.map_or_else(|| assess(&scenario), |edition| assess_under(&scenario, edition));
    Ok((scenario, answer))
}

fn standard_input() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(Failure::file("-"))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Failure::Invalid(format!("standard input is longer than {FILE_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

fn refuse(path: &Path, e: &Failure, out: &mut Out<'_>) -> Result<(), Failure> {
    let sentence = e.sentence();
    if out.is_json() {
        out.object("assess", json!({"file": path.display().to_string(), "error": sentence}))
    } else {
        out.line(format_args!("{sentence}\n"))
    }
}

fn tell(scenario: &Scenario, answer: &Answer, n: usize, out: &mut Out<'_>) -> Result<(), Failure> {
    if out.is_json() {
        let fields: Value = serde_json::to_value(answer).map_err(|e| Failure::Bug(e.to_string()))?;
        return out.object("assess", fields);
    }
    if n > 0 {
        out.text("\n")?;
    }
    out.text(&memo(scenario, answer))
}

/// An answer as a short memo.
fn memo(scenario: &Scenario, answer: &Answer) -> String {
    let mut lines = vec![format!("Scenario {}", if answer.scenario.is_empty() { "without an id" } else { &answer.scenario })];
    if !scenario.note.is_empty() {
        lines.push(scenario.note.clone());
    }
    let v = &answer.verdicts;
    lines.push(format!("\nMay take part: {}. May hold: {}. May trade: {}.", word(v.participate), word(v.hold), word(v.trade)));
    if answer.answers.is_empty() {
        lines.push("\nThe facts engage no rule. State the person, the matter, what is held and what is asked.".into());
    }
    for of in &answer.answers {
        lines.extend(section(of));
    }
    lines.extend(list(
        "To do",
        answer.obligations.iter().map(|o| {
            let by = o.by.map_or_else(String::new, |day| format!(", by {day}"));
            format!("{}: {}{by} ({})", o.who, o.what, o.cite)
        }),
    ));
    lines.extend(list("To ask", answer.questions.iter().map(|q| format!("{} Settled by: {}.", q.question, q.settled_by))));
    lines.push(format!(
        "\nMade under the numbers of {} ({:.16}) and rule set {:.16}.",
        answer.policy.edition, answer.policy.digest, answer.policy.rule_set
    ));
    lines.push(answer.notice.to_owned());
    lines.join("\n") + "\n"
}

fn word(v: Verdict) -> &'static str {
    match v {
        Verdict::Yes => "yes",
        Verdict::No => "no",
        Verdict::Undetermined => "undetermined",
    }
}

/// A name as it stands in the JSON.
fn name(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn section(of: &KindAnswer) -> Vec<String> {
    let kind = name(of.kind).replace('_', " ");
    let mut lines = vec![format!("\n{}: {}", capital(&kind), name(of.outcome))];
    lines.extend(grouped(&of.findings).iter().flat_map(finding));
    lines
}

/// Findings that say the same of several interests or ties, told once, with all they rest on.
fn grouped(findings: &[Finding]) -> Vec<Finding> {
    let mut told: Vec<Finding> = Vec::new();
    for f in findings {
        let same = |t: &&mut Finding| {
            (t.outcome, t.rule, &t.because, &t.question, t.until, &t.flags)
                == (f.outcome, f.rule, &f.because, &f.question, f.until, &f.flags)
        };
        match told.iter_mut().find(same) {
            Some(t) => {
                t.facts.extend(f.facts.iter().filter(|x| !t.facts.contains(x)).cloned().collect::<Vec<_>>());
                t.arithmetic.extend(f.arithmetic.iter().filter(|x| !t.arithmetic.contains(x)).cloned().collect::<Vec<_>>());
            }
            None => told.push(f.clone()),
        }
    }
    told
}

fn finding(f: &Finding) -> Vec<String> {
    let why = f.question.clone().unwrap_or_else(|| f.because.clone());
    let mut lines = vec![format!("  {}: {why}", name(f.outcome)), format!("    rule {}, {}", f.rule, f.cite)];
    if !f.facts.is_empty() {
        lines.push(format!("    from {}", f.facts.join(", ")));
    }
    lines.extend(f.arithmetic.iter().map(|line| format!("    {line}")));
    if let Some(until) = f.until {
        lines.push(format!("    until {until}"));
    }
    if !f.flags.is_empty() {
        lines.push(format!("    {}", f.flags.iter().map(name).collect::<Vec<_>>().join(", ")));
    }
    lines
}

fn list(head: &str, items: impl Iterator<Item = String>) -> Vec<String> {
    let items: Vec<String> = items.map(|item| format!("  {item}")).collect();
    if items.is_empty() { items } else { [vec![format!("\n{head}:")], items].concat() }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
