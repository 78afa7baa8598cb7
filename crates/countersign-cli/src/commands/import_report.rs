//! What an import says of itself.

use std::collections::BTreeMap;
use std::path::Path;

use countersign_entry::ids::LeafIndex;
use countersign_entry::record::{Instrument, Linking, Record};
use serde_json::{Value, json};

use super::import_rows::{Plan, Planned, Standing};
use crate::failure::Failure;
use crate::output::{Out, cells, shown};
use crate::words::word_of;

/// Rows shown of each kind.
const SHOWN_MAX: usize = 10;

const ROW: &[&str] = &["row", "person", "date", "text", "identifier", "class", "issuer", "linking"];
const QUARANTINED: &[&str] = &["row", "reason"];
const DUPLICATE: &[&str] = &["row", "of"];

/// Says that the very same file is here already.
pub(super) fn tell_imported_before(entry: LeafIndex, out: &mut Out<'_>) -> Result<(), Failure> {
    if out.is_json() {
        return out.object("import", json!({ "recorded": false, "imported_before": entry }));
    }
    out.line(format_args!("this file was imported before as entry {entry}; nothing changed"))
}

/// Says what an import would do, or did.
pub(super) fn tell(
    plan: &Plan,
    commit: bool,
    import: Option<u64>,
    before: Option<LeafIndex>,
    aside: Option<&Path>,
    out: &mut Out<'_>,
) -> Result<(), Failure> {
    let counted = Counted::of(plan);
    if out.is_json() {
        return out.object("import", counted.json(plan, import, before, aside));
    }
    match (commit, import) {
        (true, Some(entry)) => out.line(format_args!("imported: entry {entry}"))?,
        (true, None) => out.line("no row can be used: nothing was recorded")?,
        (false, _) => out.line("preview: nothing was recorded; --commit records it")?,
    }
    if let Some(entry) = before {
        out.line(format_args!("this file was imported before as entry {entry}"))?;
    }
    for (name, text) in counted.lines(plan) {
        out.line(format_args!("{name:<12} {text}"))?;
    }
    if !commit {
        counted.tables(plan, out)?;
    }
    match aside {
        Some(path) => out.line(format_args!("quarantined rows are in {}: correct them and import that file", path.display())),
        None if !plan.quarantined.is_empty() => {
            out.line("--quarantine FILE writes the quarantined rows, to be corrected and imported again")
        }
        None => Ok(()),
    }
}

/// Usable rows by how they stand, and records by what their instruments came to.
struct Counted<'p> {
    new: Vec<&'p Planned>,
    changed: Vec<&'p Planned>,
    unchanged: Vec<&'p Planned>,
    linking: BTreeMap<String, u64>,
}

impl<'p> Counted<'p> {
    fn of(plan: &'p Plan) -> Self {
        let all = [Linking::Matched, Linking::Decided, Linking::InReview, Linking::NotLinked];
        let linking = all.iter().map(|l| (word_of(l), 0)).collect();
        let mut counted = Self { new: Vec::new(), changed: Vec::new(), unchanged: Vec::new(), linking };
        for row in &plan.rows {
            match row.standing() {
                Standing::New => counted.new.push(row),
                Standing::Changed(_) => counted.changed.push(row),
                Standing::Unchanged => counted.unchanged.push(row),
            }
            for (record, _) in &row.records {
                let linking = instrument(record).map(|i| word_of(&i.linking)).unwrap_or_default();
                *counted.linking.entry(linking).or_default() += 1;
            }
        }
        counted
    }

    fn json(&self, plan: &Plan, import: Option<u64>, before: Option<LeafIndex>, aside: Option<&Path>) -> Value {
        json!({
            "recorded": import.is_some(),
            "import_entry": import,
            "imported_before": before,
            "importer": plan.source.importer,
            "importer_version": plan.source.version,
            "file_sha256": plan.source.file_sha256,
            "accounting": plan.report,
            "new": self.new.len(),
            "changed": self.changed.len(),
            "unchanged": self.unchanged.len(),
            "linking": self.linking,
            "sample": {
                "new": sample(&self.new), "changed": sample(&self.changed), "unchanged": sample(&self.unchanged),
                "in_review": in_review(plan), "quarantined": quarantined(plan), "duplicates": duplicates(plan),
            },
            "quarantine_file": aside,
        })
    }

    fn lines(&self, plan: &Plan) -> Vec<(&'static str, String)> {
        let report = &plan.report;
        let aside = plan.quarantined.len();
        let count = |l: &str| self.linking.get(l).copied().unwrap_or_default();
        let mut lines = vec![
            ("file", format!("{} {}/{}", plan.source.file_sha256, plan.source.importer, plan.source.version)),
            (
                "rows",
                format!("{}: {} usable, {aside} quarantined, {} repeated in the file", report.total, report.loaded, report.duplicates),
            ),
        ];
        if aside > 0 {
            let reasons: Vec<String> = report.quarantined.iter().map(|(code, n)| format!("{code} {n}")).collect();
            lines.push(("quarantined", reasons.join(", ")));
        }
        lines.push(("usable", format!("{} new, {} changed, {} unchanged", self.new.len(), self.changed.len(), self.unchanged.len())));
        lines.push((
            "instruments",
            format!(
                "{} linked, {} decided, {} in review, {} not linked",
                count("matched"),
                count("decided"),
                count("in_review"),
                count("not_linked")
            ),
        ));
        if !report.absent_columns.is_empty() {
            lines.push(("not there", format!("columns {}", shown(&report.absent_columns.join(", ")))));
        }
        if !report.ignored_columns.is_empty() {
            lines.push(("not read", format!("columns {}", shown(&report.ignored_columns.join(", ")))));
        }
        lines
    }

    fn tables(&self, plan: &Plan, out: &mut Out<'_>) -> Result<(), Failure> {
        let tables = [
            ("new", ROW, sample(&self.new)),
            ("changed", ROW, sample(&self.changed)),
            ("unchanged", ROW, sample(&self.unchanged)),
            ("in review", ROW, in_review(plan)),
            ("quarantined", QUARANTINED, quarantined(plan)),
            ("repeated", DUPLICATE, duplicates(plan)),
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

fn for_terminal(row: &mut Value) {
    if let Value::Object(fields) = row {
        for (_, value) in fields.iter_mut() {
            if let Value::String(text) = value {
                *text = shown(text);
            }
        }
    }
}

fn sample(rows: &[&Planned]) -> Vec<Value> {
    rows.iter().flat_map(|row| told(row)).take(SHOWN_MAX).collect()
}

fn in_review(plan: &Plan) -> Vec<Value> {
    plan.rows.iter().flat_map(told).filter(|row| row.get("linking").is_some_and(|l| l == "in_review")).take(SHOWN_MAX).collect()
}

fn quarantined(plan: &Plan) -> Vec<Value> {
    plan.quarantined.iter().take(SHOWN_MAX).map(|q| json!({ "row": q.number, "reason": q.reason.to_string() })).collect()
}

fn duplicates(plan: &Plan) -> Vec<Value> {
    plan.duplicates.iter().take(SHOWN_MAX).map(|d| json!({ "row": d.number, "of": d.of })).collect()
}

fn told(row: &Planned) -> Vec<Value> {
    let told = |record: &Record| {
        let (person, date) = match record {
            Record::Trade(r) => (&r.person, &r.traded_on),
            Record::Holding(r) => (&r.person, &r.as_of),
            _ => return None,
        };
        let i = instrument(record)?;
        Some(json!({
            "row": row.number, "id": record.entity(), "person": person, "date": date, "text": i.text, "identifier": i.identifier,
            "class": i.class, "issuer": i.issuer, "linking": i.linking,
        }))
    };
    row.records.iter().filter_map(|(record, _)| told(record)).collect()
}

fn instrument(record: &Record) -> Option<&Instrument> {
    match record {
        Record::Trade(r) => Some(&r.instrument),
        Record::Holding(r) => Some(&r.instrument),
        _ => None,
    }
}
