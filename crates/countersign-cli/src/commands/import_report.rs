//! What an import says of itself.

use std::collections::BTreeMap;
use std::path::Path;

use countersign_conflict::Facts;
use countersign_conflict::officers::By;
use countersign_entry::ids::LeafIndex;
use countersign_entry::record::{Assessment, Decision, Instrument, Linking, Record};
use serde_json::{Value, json};

use super::import_plan::{Plan, Planned, Standing};
use super::import_records::{identity, said};
use super::import_write::Done;
use crate::failure::Failure;
use crate::output::{Out, cells, shown};
use crate::session::Session;
use crate::words::{times_as_text, word_of};

/// Rows shown of each kind.
const SHOWN_MAX: usize = 10;

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

/// What there is to tell, out of the ledger as it stood before.
pub(super) struct Told<'p> {
    plan: &'p Plan,
    before: Option<LeafIndex>,
    /// An earlier import of the file stopped half-way.
    half: bool,
    new: Vec<&'p Planned>,
    changed: Vec<&'p Planned>,
    unchanged: Vec<&'p Planned>,
    /// Records by what their instruments came to, where they have any.
    linking: Option<BTreeMap<String, u64>>,
    /// Each field that would be another, old and new.
    changes: Vec<Value>,
    outlook: Option<Outlook>,
}

impl<'p> Told<'p> {
    pub(super) fn new(plan: &'p Plan, session: &Session, before: Option<LeafIndex>, half: bool) -> Result<Self, Failure> {
        let standing = |which: fn(Standing) -> bool| plan.rows.iter().filter(|row| which(row.standing())).collect::<Vec<_>>();
        Ok(Self {
            plan,
            before,
            half: half && before.is_none(),
            new: standing(|s| s == Standing::New),
            changed: standing(|s| matches!(s, Standing::Changed(_))),
            unchanged: standing(|s| s == Standing::Unchanged),
            linking: linking(plan),
            changes: changes(plan, session)?,
            outlook: Outlook::of(plan, session),
        })
    }

    /// Says what an import would do, or did.
    pub(super) fn tell(&self, done: Option<&(Option<u64>, Vec<Done>)>, aside: Option<&Path>, out: &mut Out<'_>) -> Result<(), Failure> {
        if out.is_json() {
            return out.object("import", self.json(done, aside));
        }
        match done {
            Some((Some(entry), _)) => out.line(format_args!("imported: entry {entry}"))?,
            Some((None, _)) => out.line("no row can be used: nothing was recorded")?,
            None => out.line("preview: nothing was recorded; --commit records it")?,
        }
        if let Some(entry) = self.before {
            out.line(format_args!("this file was imported before as entry {entry}"))?;
        }
        if self.half {
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
            None if !self.plan.quarantined.is_empty() => {
                out.line("--quarantine FILE writes the quarantined rows, to be corrected and imported again")
            }
            None => Ok(()),
        }
    }

    fn json(&self, done: Option<&(Option<u64>, Vec<Done>)>, aside: Option<&Path>) -> Value {
        let (import, results) = match done {
            Some((import, done)) => (*import, Some(done.iter().map(result).collect::<Vec<_>>())),
            None => (None, None),
        };
        let plan = self.plan;
        json!({
            "recorded": import.is_some(),
            "import_entry": import,
            "imported_before": self.before,
            "completes_half": self.half,
            "importer": plan.source.importer,
            "importer_version": plan.source.version,
            "file_sha256": plan.source.file_sha256,
            "accounting": plan.report,
            "new": self.new.len(),
            "changed": self.changed.len(),
            "unchanged": self.unchanged.len(),
            "absent": plan.absent,
            "linking": self.linking,
            "would_be": self.outlook.as_ref().map(Outlook::json),
            "changes": self.changes,
            "results": results,
            "sample": {
                "new": sample(&self.new), "changed": sample(&self.changed), "unchanged": sample(&self.unchanged), "in_review": in_review(plan),
            },
            "quarantined": plan.quarantined.iter().map(|q| json!({ "row": q.number, "code": q.reason.code(), "reason": q.reason.to_string() })).collect::<Vec<_>>(),
            "duplicates": plan.duplicates.iter().map(|d| json!({ "row": d.number, "of": d.of })).collect::<Vec<_>>(),
            "quarantine_file": aside,
        })
    }

    fn lines(&self, done: bool) -> Vec<(&'static str, String)> {
        let (plan, report) = (self.plan, &self.plan.report);
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
        lines.push(("usable", format!("{} new, {} changed, {} unchanged", self.new.len(), self.changed.len(), self.unchanged.len())));
        if plan.absent > 0 {
            lines.push(("absent", format!("{} recorded before are not in the file and stay as they are", plan.absent)));
        }
        if let Some(linking) = &self.linking {
            let counts: Vec<String> = linking.iter().map(|(word, n)| format!("{n} {}", word.replace('_', " "))).collect();
            lines.push(("instruments", counts.join(", ")));
        }
        if let Some(outlook) = self.outlook.as_ref().filter(|_| !done) {
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
        let row = if self.linking.is_some() { DISCLOSED } else { OTHER };
        let quarantined = |q: &countersign_import::accounting::Quarantined| json!({ "row": q.number, "reason": q.reason.to_string() });
        let duplicate = |d: &countersign_import::accounting::Duplicate| json!({ "row": d.number, "of": d.of });
        let tables = [
            ("new", row, sample(&self.new)),
            ("changes", CHANGE, self.changes.iter().take(SHOWN_MAX).map(without_nulls).collect()),
            ("unchanged", row, sample(&self.unchanged)),
            ("in review", row, in_review(self.plan)),
            ("quarantined", QUARANTINED, self.plan.quarantined.iter().take(SHOWN_MAX).map(quarantined).collect()),
            ("repeated", DUPLICATE, self.plan.duplicates.iter().take(SHOWN_MAX).map(duplicate).collect()),
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

/// How requests for access would be decided if they were recorded now: for the ethics role alone. For everybody else to ask is to record, else
/// previews would be a way to try out, unseen, whom a list stands against.
struct Outlook {
    cleared: u64,
    not_cleared: u64,
    rules: BTreeMap<String, u64>,
}

impl Outlook {
    fn of(plan: &Plan, session: &Session) -> Option<Self> {
        if !session.actor.is_ethics() {
            return None;
        }
        let mut outlook = Self { cleared: 0, not_cleared: 0, rules: BTreeMap::new() };
        let mut any = false;
        for (_, record, _) in plan.to_record().filter(|(_, record, _)| matches!(record, Record::GrantRequest(_))) {
            any = true;
            let by = By { actor: &session.actor.id, request: "import", signed: None };
            let decided = session.ledger.facts().decide(by, session.ledger.now(), record.clone());
            let assessment = decided.as_ref().ok().and_then(Record::assessment);
            if cleared(assessment) {
                outlook.cleared += 1
            } else {
                outlook.not_cleared += 1
            }
            let reasons = assessment.filter(|_| !cleared(assessment)).into_iter().flat_map(|a| &a.reasons);
            for reason in reasons {
                *outlook.rules.entry(format!("{} {}", reason.rule, word_of(&reason.outcome))).or_default() += 1;
            }
        }
        any.then_some(outlook)
    }

    fn json(&self) -> Value {
        json!({ "cleared": self.cleared, "not_cleared": self.not_cleared, "rules": self.rules })
    }

    fn line(&self) -> String {
        let rules: Vec<String> = self.rules.iter().map(|(rule, n)| format!("{rule} {n}")).collect();
        let why = if rules.is_empty() { String::new() } else { format!(": {}", rules.join(", ")) };
        format!("{} would be cleared now, {} not{why}", self.cleared, self.not_cleared)
    }
}

fn cleared(assessment: Option<&Assessment>) -> bool {
    assessment.is_some_and(|a| a.decision == Decision::Cleared)
}

/// What became of a row's record.
fn result(done: &Done) -> Value {
    let mut told = json!({ "row": done.row, "entry": done.receipt.index });
    if let (Record::GrantRequest(r), Value::Object(fields)) = (&done.receipt.record, &mut told) {
        fields.insert("person".into(), json!(r.person));
        fields.insert("submission".into(), json!(r.submission));
        fields.insert("cleared".into(), cleared(r.assessment.as_ref()).into());
        fields.insert("reference".into(), json!(r.reference));
    }
    told
}

fn tell_requests(done: &[Done], out: &mut Out<'_>) -> Result<(), Failure> {
    let requests: Vec<Value> = done.iter().filter(|d| matches!(d.receipt.record, Record::GrantRequest(_))).map(result).collect();
    if requests.is_empty() { Ok(()) } else { out.table(REQUEST, &cells(&requests, REQUEST)) }
}

fn changes(plan: &Plan, session: &Session) -> Result<Vec<Value>, Failure> {
    let mut changes = Vec::new();
    for (row, record, standing) in plan.to_record() {
        let Standing::Changed(index) = standing else { continue };
        let [mut old, mut new] = [said(&session.entry(index)?), said(record)];
        [&mut old, &mut new].into_iter().for_each(times_as_text);
        let fields = new.as_object().into_iter().flatten().filter(|(name, value)| old.get(name) != Some(value));
        let id = identity(record);
        changes.extend(fields.map(|(field, new)| json!({ "row": row, "id": id, "field": field, "old": old.get(field), "new": new })));
    }
    Ok(changes)
}

fn linking(plan: &Plan) -> Option<BTreeMap<String, u64>> {
    let all = [Linking::Matched, Linking::Decided, Linking::InReview, Linking::NotLinked];
    let mut counts: BTreeMap<String, u64> = all.iter().map(|l| (word_of(l), 0)).collect();
    let instruments = plan.rows.iter().flat_map(|row| &row.records).filter_map(|(record, _)| instrument(record));
    let mut any = false;
    for instrument in instruments {
        any = true;
        *counts.entry(word_of(&instrument.linking)).or_default() += 1;
    }
    any.then_some(counts)
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

fn sample(rows: &[&Planned]) -> Vec<Value> {
    rows.iter().flat_map(|row| told(row)).take(SHOWN_MAX).collect()
}

fn in_review(plan: &Plan) -> Vec<Value> {
    plan.rows.iter().flat_map(told).filter(|row| row.get("linking").is_some_and(|l| l == "in_review")).take(SHOWN_MAX).collect()
}

fn told(row: &Planned) -> Vec<Value> {
    let told = |record: &Record| {
        let (person, date) = match record {
            Record::Trade(r) => (&r.person, &r.traded_on),
            Record::Holding(r) => (&r.person, &r.as_of),
            other => return json!({ "row": row.number, "type": other.type_name(), "id": other.entity(), "says": says(other) }),
        };
        let i = instrument(record);
        json!({
            "row": row.number, "id": record.entity(), "person": person, "date": date, "text": i.map(|i| &i.text),
            "identifier": i.map(|i| &i.identifier), "class": i.map(|i| i.class), "issuer": i.map(|i| &i.issuer), "linking": i.map(|i| i.linking),
        })
    };
    row.records.iter().map(|(record, _)| told(record)).collect()
}

/// A record's fields in a line.
fn says(record: &Record) -> String {
    let mut said = said(record);
    times_as_text(&mut said);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields = said.as_object().into_iter().flatten().filter(|(name, value)| *name != "id" && !value.is_null());
    fields.map(|(name, value)| format!("{name}={}", text(value))).collect::<Vec<_>>().join(" ")
}

fn instrument(record: &Record) -> Option<&Instrument> {
    match record {
        Record::Trade(r) => Some(&r.instrument),
        Record::Holding(r) => Some(&r.instrument),
        _ => None,
    }
}
