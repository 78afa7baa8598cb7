//! What an import says of itself: before, what it would do; afterwards, what became of each row.

use std::collections::BTreeMap;

use countersign_api::words::{times_as_text, word_of};
use countersign_conflict::officers::By;
use countersign_entry::ids::LeafIndex;
use countersign_entry::record::{Assessment, Decision, Instrument, Linking, Record};
use serde_json::{Value, json};

use crate::plan::{Plan, Planned, Standing};
use crate::records::{identity, said};
use crate::requests::Done;
use crate::{Asker, IntakeError};

/// Rows shown of each kind.
pub const SHOWN_MAX: usize = 10;

/// What there is to tell, out of the ledger as it stood before.
pub struct Report<'p> {
    /// The plan.
    pub plan: &'p Plan,
    /// The import of the very same file.
    pub before: Option<LeafIndex>,
    /// An earlier import of the file stopped half-way.
    pub half: bool,
    /// Rows that are new.
    pub new: Vec<&'p Planned>,
    /// Rows that would take the place of something.
    pub changed: Vec<&'p Planned>,
    /// Rows that are there already.
    pub unchanged: Vec<&'p Planned>,
    /// Records by what their instruments came to, where they have any.
    pub linking: Option<BTreeMap<String, u64>>,
    /// Each field that would be another, old and new.
    pub changes: Vec<Value>,
    /// How requests for access would be decided now, for the ethics role alone.
    pub outlook: Option<Outlook>,
}

impl<'p> Report<'p> {
    /// Of a plan, out of the ledger as it stands before.
    ///
    /// # Errors
    /// An entry that would be superseded does not open.
    pub fn new(plan: &'p Plan, asker: Asker<'_>, before: Option<LeafIndex>, half: bool) -> Result<Self, IntakeError> {
        let standing = |which: fn(Standing) -> bool| plan.rows.iter().filter(|row| which(row.standing())).collect::<Vec<_>>();
        Ok(Self {
            plan,
            before,
            half: half && before.is_none(),
            new: standing(|s| s == Standing::New),
            changed: standing(|s| matches!(s, Standing::Changed(_))),
            unchanged: standing(|s| s == Standing::Unchanged),
            linking: linking(plan),
            changes: changes(plan, asker)?,
            outlook: Outlook::of(plan, asker),
        })
    }

    /// As JSON. `done`: what was recorded, the import's own entry first.
    pub fn json(&self, done: Option<&(Option<u64>, Vec<Done>)>) -> Value {
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
        })
    }
}

/// How requests for access would be decided if they were recorded now: for the ethics role alone. For everybody else to ask is to record, else
/// previews would be a way to try out, unseen, whom a list stands against.
pub struct Outlook {
    cleared: u64,
    not_cleared: u64,
    rules: BTreeMap<String, u64>,
}

impl Outlook {
    fn of(plan: &Plan, asker: Asker<'_>) -> Option<Self> {
        if !asker.is_ethics() {
            return None;
        }
        let mut outlook = Self { cleared: 0, not_cleared: 0, rules: BTreeMap::new() };
        let mut any = false;
        for (_, record, _) in plan.to_record().filter(|(_, record, _)| matches!(record, Record::GrantRequest(_))) {
            any = true;
            let by = By { actor: asker.actor, request: "import", signed: None, redacted: false };
            let decided = asker.ledger.facts().decide(by, asker.ledger.now(), record.clone());
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

    /// In a line.
    pub fn line(&self) -> String {
        let rules: Vec<String> = self.rules.iter().map(|(rule, n)| format!("{rule} {n}")).collect();
        let why = if rules.is_empty() { String::new() } else { format!(": {}", rules.join(", ")) };
        format!("{} would be cleared now, {} not{why}", self.cleared, self.not_cleared)
    }
}

fn cleared(assessment: Option<&Assessment>) -> bool {
    assessment.is_some_and(|a| a.decision == Decision::Cleared)
}

/// What became of a row's record.
pub fn result(done: &Done) -> Value {
    let mut told = json!({ "row": done.row, "entry": done.receipt.index });
    if let (Record::GrantRequest(r), Value::Object(fields)) = (&done.receipt.record, &mut told) {
        fields.insert("person".into(), json!(r.person));
        fields.insert("submission".into(), json!(r.submission));
        fields.insert("cleared".into(), cleared(r.assessment.as_ref()).into());
        fields.insert("reference".into(), json!(r.reference));
    }
    told
}

fn changes(plan: &Plan, asker: Asker<'_>) -> Result<Vec<Value>, IntakeError> {
    let mut changes = Vec::new();
    for (row, record, standing) in plan.to_record() {
        let Standing::Changed(index) = standing else { continue };
        let [mut old, mut new] = [said(&asker.entry(index)?), said(record)];
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

/// The first of some rows.
pub fn sample(rows: &[&Planned]) -> Vec<Value> {
    rows.iter().flat_map(|row| told(row)).take(SHOWN_MAX).collect()
}

/// The first rows whose instruments a person has to look at.
pub fn in_review(plan: &Plan) -> Vec<Value> {
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
