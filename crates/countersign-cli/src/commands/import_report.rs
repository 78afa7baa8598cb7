//! What an import says of itself.

use std::path::Path;

use countersign_conflict::Facts;
use countersign_entry::ids::LeafIndex;
use countersign_entry::record::Record;
use countersign_intake::report::{Report, SHOWN_MAX, in_review, result, sample};
use countersign_intake::requests::Done;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::{Out, cells, shown};

const DISCLOSED: &[&str] = &["row", "person", "date", "text", "identifier", "class", "issuer", "linking"];
const OTHER: &[&str] = &["row", "type", "id", "says"];
const CHANGE: &[&str] = &["row", "id", "field", "old", "new"];
const QUARANTINED: &[&str] = &["row", "reason"];
const DUPLICATE: &[&str] = &["row", "of"];
const REQUEST: &[&str] = &["row", "person", "submission", "cleared", "reference", "entry"];

/// Says that the very same file is here already.
pub(super) fn tell_imported_before(entry: LeafIndex, facts: &Facts, out: &mut Out<'_>) -> Result<(), Failure> {
    let aside = facts.imports().find(|k| k.index == entry).map_or(0, |k| k.record.quarantined);
    if out.is_json() {
        return out.object("import", json!({ "recorded": false, "imported_before": entry, "quarantined_then": aside }));
    }
    out.line(format_args!("this file was imported before as entry {entry}; nothing changed"))?;
    match aside {
        0 => Ok(()),
        _ => out.line(format_args!(
            "{aside} of its rows were quarantined then: without --commit, --quarantine FILE writes them, to be corrected"
        )),
    }
}

/// What an import says at a terminal.
pub(super) struct Told<'p>(pub(super) Report<'p>);

impl Told<'_> {
    /// Says what an import would do, or did.
    pub(super) fn tell(&self, done: Option<&(Option<u64>, Vec<Done>)>, aside: Option<&Path>, out: &mut Out<'_>) -> Result<(), Failure> {
        if out.is_json() {
            let mut told = self.0.json(done);
            if let Value::Object(fields) = &mut told {
                fields.insert("quarantine_file".into(), json!(aside));
            }
            return out.object("import", told);
        }
        match done {
            Some((Some(entry), _)) => out.line(format_args!("imported: entry {entry}"))?,
            Some((None, _)) => out.line("no row can be used: nothing was recorded")?,
            None => out.line("preview: nothing was recorded; --commit records it")?,
        }
        if let Some(entry) = self.0.before {
            out.line(format_args!("this file was imported before as entry {entry}"))?;
        }
        if self.0.half {
            let what = if done.is_some() { "this one completed it" } else { "--commit completes it" };
            out.line(format_args!("an earlier import of this file stopped half-way; {what}"))?;
        }
        for (name, text) in self.lines(done.is_some()) {
            out.line(format_args!("{name:<12} {text}"))?;
        }
        match done {
            None => self.tables(out)?,
            Some((_, done)) => tell_requests(done, out)?,
        }
        match aside {
            Some(path) => out.line(format_args!("quarantined rows are in {}: correct them and import that file", path.display())),
            None if !self.0.plan.quarantined.is_empty() => {
                out.line("--quarantine FILE writes the quarantined rows, to be corrected and imported again")
            }
            None => Ok(()),
        }
    }

    fn lines(&self, done: bool) -> Vec<(&'static str, String)> {
        let (plan, report) = (self.0.plan, &self.0.plan.report);
        let aside = plan.quarantined.len();
        let elsewhere = match report.elsewhere {
            0 => String::new(),
            n => format!(", {n} joined to others or not for this source"),
        };
        let mut lines = vec![
            ("file", format!("{} {}/{}", plan.source.file_sha256, shown(&plan.source.importer), plan.source.version)),
            (
                "rows",
                format!(
                    "{}: {} usable, {aside} quarantined, {} repeated in the file{elsewhere}",
                    report.total, report.loaded, report.duplicates
                ),
            ),
        ];
        if aside > 0 {
            let reasons: Vec<String> = report.quarantined.iter().map(|(code, n)| format!("{code} {n}")).collect();
            lines.push(("quarantined", reasons.join(", ")));
        }
        lines.push(("usable", format!("{} new, {} changed, {} unchanged", self.0.new.len(), self.0.changed.len(), self.0.unchanged.len())));
        if plan.absent > 0 {
            lines.push(("absent", format!("{} recorded before are not in the file and stay as they are", plan.absent)));
        }
        if let Some(linking) = &self.0.linking {
            let counts: Vec<String> = linking.iter().map(|(word, n)| format!("{n} {}", word.replace('_', " "))).collect();
            lines.push(("instruments", counts.join(", ")));
        }
        if let Some(outlook) = self.0.outlook.as_ref().filter(|_| !done) {
            lines.push(("requests", outlook.line()));
        }
        if !report.absent_columns.is_empty() {
            lines.push(("not there", format!("columns {}", shown(&report.absent_columns.join(", ")))));
        }
        if !report.ignored_columns.is_empty() {
            lines.push(("not read", format!("columns {}", shown(&report.ignored_columns.join(", ")))));
        }
        lines
    }

    fn tables(&self, out: &mut Out<'_>) -> Result<(), Failure> {
        let row = if self.0.linking.is_some() { DISCLOSED } else { OTHER };
        let quarantined = |q: &countersign_import::accounting::Quarantined| json!({ "row": q.number, "reason": q.reason.to_string() });
        let duplicate = |d: &countersign_import::accounting::Duplicate| json!({ "row": d.number, "of": d.of });
        let tables = [
            ("new", row, sample(&self.0.new)),
            ("changes", CHANGE, self.0.changes.iter().take(SHOWN_MAX).map(without_nulls).collect()),
            ("unchanged", row, sample(&self.0.unchanged)),
            ("in review", row, in_review(self.0.plan)),
            ("quarantined", QUARANTINED, self.0.plan.quarantined.iter().take(SHOWN_MAX).map(quarantined).collect()),
            ("repeated", DUPLICATE, self.0.plan.duplicates.iter().take(SHOWN_MAX).map(duplicate).collect()),
        ];
        for (title, columns, mut rows) in tables {
            if !rows.is_empty() {
                rows.iter_mut().for_each(for_terminal);
                out.line(format_args!("\n{title}, at most the first {SHOWN_MAX}"))?;
                out.table(columns, &cells(&rows, columns))?;
            }
        }
        Ok(())
    }
}

fn tell_requests(done: &[Done], out: &mut Out<'_>) -> Result<(), Failure> {
    let requests: Vec<Value> = done.iter().filter(|d| matches!(d.receipt.record, Record::GrantRequest(_))).map(result).collect();
    if requests.is_empty() { Ok(()) } else { out.table(REQUEST, &cells(&requests, REQUEST)) }
}

fn for_terminal(row: &mut Value) {
    if let Value::Object(fields) = row {
        for (_, value) in fields.iter_mut() {
            if let Value::String(text) = value {
                *text = shown(text);
            }
        }
    }
}

/// A change's values as text: a list or a number may take the place of nothing.
fn without_nulls(change: &Value) -> Value {
    let mut change = change.clone();
    for name in ["old", "new"] {
        if let Some(value) = change.get_mut(name).filter(|v| !v.is_string() && !v.is_null()) {
            *value = value.to_string().into();
        }
    }
    change
}
