//! Reports: an answer of the ledger in the form somebody outside asks for, as files. The command line prints the same by the same functions.

use std::fs;
use std::path::Path;

use countersign_api::marking::banner;
use countersign_api::view::Eyes;
use countersign_api::words::{state_for, times_as_text, word_of};
use countersign_conflict::{Duty, DutyState, Facts};
use countersign_entry::ids::{Date, PersonId, SubmissionId};
use countersign_entry::record::{DutyKind, Marking, Report as Form};
use countersign_entry::time::Micros;
use countersign_import::defuse::table;
use countersign_ledger::export::ExportError;
use countersign_ledger::query::{Answer, AsOf, InsiderList, InsiderRow, Page, ViewError};
use countersign_ledger::{Ledger, OpenError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::exports::{MARKING_FILE, fields};

/// The forms of insider lists this program comes with, by their ids.
pub const TEMPLATES: &[(&str, &str)] = &[
    ("us", include_str!("../data/insiders/us.toml")),
    ("uk-2016-347", include_str!("../data/insiders/uk-2016-347.toml")),
    ("eu-2022-1210", include_str!("../data/insiders/eu-2022-1210.toml")),
    ("eu-2026", include_str!("../data/insiders/eu-2026.toml")),
];

/// A report that is asked for.
#[derive(Debug, Clone)]
pub struct Report {
    /// Which.
    pub what: What,
    /// In whose eyes it is made.
    pub eyes: Eyes,
    /// The size of the ledger it is true for; none: as it stands when it is made.
    pub as_of: Option<u64>,
    /// What stands over it; none: the store's highest.
    pub marking: Option<Marking>,
}

/// Kinds of reports.
#[derive(Debug, Clone)]
pub enum What {
    /// The insider list of a submission, in the form of one of [`TEMPLATES`].
    Insiders(SubmissionId, String),
    /// Who owes which report, notice or divestiture by when; of one person, or everybody.
    Calendar(Option<PersonId>),
}

impl What {
    /// What it is about: ids, never names.
    pub fn subject(&self) -> String {
        match self {
            Self::Insiders(submission, template) => format!("insiders {submission} {template}"),
            Self::Calendar(person) => format!("calendar {}", person.as_ref().map_or("all", PersonId::as_str)),
        }
    }
}

/// A list's form: which columns, in whose words, and where each comes from, with days of validity.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The rule that asks for it.
    pub cite: String,
    /// How its fields are known.
    pub known_from: String,
    /// First day the rule is in force.
    pub valid_from: Option<Date>,
    /// Last day.
    pub valid_to: Option<Date>,
    /// How long a list of this form is kept, and what then.
    kept: Option<String>,
    header: Vec<Head>,
    /// Its columns.
    pub column: Vec<Column>,
}

/// A line above the rows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    title: String,
    /// A field of the list; empty where the ledger holds nothing for it.
    source: String,
}

/// A column.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its title.
    pub title: String,
    /// Fields of a row; the first that has a value stands. None where the ledger holds nothing for it.
    source: Vec<String>,
    note: Option<String>,
}

impl Template {
    /// One of [`TEMPLATES`].
    ///
    /// # Errors
    /// There is none of this id, or it does not read; a test holds that all do.
    pub fn find(id: &str) -> Result<Self, String> {
        let (_, text) = TEMPLATES.iter().find(|t| t.0 == id).ok_or_else(|| format!("there is no template {id}"))?;
        toml::from_str(text).map_err(|e| format!("the template {id} does not read: {e}"))
    }
}

/// A list in its form.
#[derive(Debug)]
pub struct Filled {
    /// The form.
    pub template: Template,
    /// Lines above the rows: title and value.
    pub head: Vec<(String, String)>,
    /// The rows, a cell for each column.
    pub rows: Vec<Vec<String>>,
    /// What somebody has to know before they hand the list on.
    pub notes: Vec<String>,
}

impl Filled {
    /// A form with what a list holds. `rows` are the list's, each as [`insider_row`] and [`flat`] make it.
    pub fn of(template: Template, header: &[(&'static str, Value)], rows: &[Value], at: Micros) -> Self {
        let field = |name: &str| header.iter().find(|(n, _)| *n == name).map(|(_, v)| cell(v)).unwrap_or_default();
        let head = template.header.iter().map(|h| (h.title.clone(), field(&h.source))).collect();
        let first = |row: &Value, column: &Column| {
            let mut values = column.source.iter().filter_map(|s| row.get(s)).map(cell);
            values.find(|text| !text.is_empty()).unwrap_or_default()
        };
        let rows = rows.iter().map(|row| template.column.iter().map(|c| first(row, c)).collect()).collect();
        let notes = notes(&template, at);
        Self { template, head, rows, notes }
    }

    /// The titles of the columns.
    pub fn titles(&self) -> Vec<&str> {
        self.template.column.iter().map(|c| c.title.as_str()).collect()
    }

    /// As JSON, without what it is true for.
    pub fn told(&self) -> Value {
        let t = &self.template;
        json!({
            "template": t.id, "title": t.title, "cite": t.cite, "known_from": t.known_from, "valid_from": t.valid_from, "valid_to": t.valid_to,
            "header": self.head.iter().map(|(k, v)| json!({ "title": k, "value": v })).collect::<Vec<_>>(),
            "columns": self.titles(), "rows": self.rows, "notes": self.notes,
        })
    }
}

fn notes(t: &Template, at: Micros) -> Vec<String> {
    let mut notes = vec![format!("fields known from: {}", t.known_from)];
    let heads = t.header.iter().filter(|h| h.source.is_empty()).map(|h| &h.title);
    let empty: Vec<&str> = heads.chain(t.column.iter().filter(|c| c.source.is_empty()).map(|c| &c.title)).map(String::as_str).collect();
    if !empty.is_empty() {
        notes.push(format!("left empty, since this ledger holds nothing for them: {}", empty.join("; ")));
    }
    notes.extend(t.column.iter().filter_map(|c| Some(format!("{}: {}", c.title, c.note.as_ref()?))));
    notes.extend(t.kept.clone());
    let day = Date::of(at);
    if t.valid_from.as_ref().is_some_and(|from| day < *from) || t.valid_to.as_ref().is_some_and(|to| *to < day) {
        notes.push(format!("{} was not in force on {day}", t.cite));
    }
    notes
}

/// A value as a regulation writes it: times as `yyyy-mm-dd, hh:mm UTC`, lists with semicolons.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => time(text).unwrap_or_else(|| text.clone()),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

fn time(text: &str) -> Option<String> {
    let (day, rest) = text.split_once('T')?;
    text.parse::<Micros>().ok()?;
    Some(format!("{day}, {} UTC", rest.get(..5)?))
}

/// What an insider list says of itself.
pub fn insider_header(list: &InsiderList) -> Vec<(&'static str, Value)> {
    vec![
        ("submission", json!(list.submission)),
        ("title", json!(list.title)),
        ("created_at", list.created_at.to_string().into()),
        ("updated_at", list.updated_at.to_string().into()),
        ("inside_until", list.inside_until.map(|t| t.to_string()).into()),
        ("still_inside", list.still_inside.into()),
        ("tier_1", json!(list.tier_1)),
    ]
}

/// Somebody on an insider list, in the words the reader may see.
pub fn insider_row(insider: &InsiderRow, why: bool) -> Value {
    let mut row = serde_json::to_value(insider).unwrap_or_default();
    times_as_text(&mut row);
    for (name, state) in [("state", insider.state), ("ceased_because", insider.ceased_because)] {
        set(&mut row, name, state.map(|s| state_for(why, s)).into());
    }
    row
}

fn set(row: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = row {
        fields.insert(name.to_owned(), value);
    }
}

/// Lists inside a row as one cell each: `access_terms 2026-06-01T09:00:00Z (entry 23); …`.
pub fn flat(row: &mut Value) {
    let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    let entry = |item: &Value| item.get("entry").and_then(Value::as_u64).unwrap_or_default();
    let joined = |list: &Value, one: &dyn Fn(&Value) -> String| {
        list.as_array().filter(|items| !items.is_empty()).map(|items| items.iter().map(one).collect::<Vec<_>>().join("; "))
    };
    let signed = |a: &Value| {
        let until = text(a, "expires_at").map(|u| format!(" until {u}")).unwrap_or_default();
        format!("{} {}{until} (entry {})", text(a, "kind").unwrap_or_default(), text(a, "signed_at").unwrap_or_default(), entry(a))
    };
    let aside = |r: &Value| {
        let until = text(r, "until").map(|u| format!(" until {u}")).unwrap_or_default();
        format!("{} from {}{until} (entry {})", text(r, "scope").unwrap_or_default(), text(r, "from").unwrap_or_default(), entry(r))
    };
    let duties = joined(row.get("duties").unwrap_or(&Value::Null), &|d| d.as_str().unwrap_or_default().to_owned());
    let agreements = joined(row.get("agreements").unwrap_or(&Value::Null), &signed);
    let recusals = joined(row.get("recusals").unwrap_or(&Value::Null), &aside);
    for (name, cell) in [("duties", duties), ("agreements", agreements), ("recusals", recusals)] {
        set(row, name, cell.into());
    }
}

/// Columns of [`calendar`].
pub const CALENDAR: &[&str] =
    &["due", "state", "name", "person", "duty", "report", "since", "met", "reminded", "due_by_rule", "cite", "evidence"];

/// Duties of everybody whose they may know, or of one person, as they stand on a day: the next one first.
pub fn calendar(facts: &Facts, eyes: &Eyes, person: Option<&PersonId>, today: &Date, late: bool) -> Vec<Value> {
    let mut duties = facts.duties(person, today);
    duties.retain(|d| (!late || d.state(today) == DutyState::Late) && eyes.see_why_of(facts, &d.person));
    duties.sort_by(|a, b| (&a.due, &a.person, a.kind).cmp(&(&b.due, &b.person, b.kind)));
    duties.iter().map(|d| duty(facts, d, today)).collect()
}

fn duty(facts: &Facts, d: &Duty, today: &Date) -> Value {
    let state = match d.state(today) {
        DutyState::Late => "late",
        DutyState::Due => "due",
        DutyState::MetLate => "met_late",
        DutyState::Met => "met",
    };
    let form = d.report.map(|r| match r {
        Form::Public if d.kind == DutyKind::Transactions => "OGE 278-T",
        Form::Public => "OGE 278e",
        Form::Confidential => "OGE 450",
    });
    let name = facts.person(&d.person).map_or_else(|| "(not recorded)".to_owned(), |p| p.record.name.to_string());
    json!({
        "due": d.due, "state": state, "name": name, "person": d.person, "duty": word_of(&d.kind), "report": form,
        "since": d.since, "met": d.met, "reminded": d.reminded, "due_by_rule": d.due_by_rule, "cite": d.cite, "evidence": d.evidence,
    })
}

/// Why a report is not there.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The ledger cannot be read, or a file cannot be written.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// What it is asked about is not there. Nothing is wrong with the ledger.
    #[error("it has no answer: {0}")]
    Without(String),
}

impl From<OpenError> for ReportError {
    fn from(e: OpenError) -> Self {
        Self::Export(e.into())
    }
}

/// Writes a report's files to a new directory: `report.csv`, `report.json` with what it is true for, `MARKING.txt`, and the marking as fields.
///
/// # Errors
/// As [`ReportError`] says.
pub fn write(ledger: &Ledger, to: &Path, of: &Report, marked: &Marking) -> Result<(), ReportError> {
    let view = match of.as_of {
        None => ledger.view(),
        Some(size) => ledger.view_as_of(AsOf::Size(size), &mut |_| {}).map_err(|e| match e {
            ViewError::Open(e) => e.into(),
            beyond @ ViewError::Beyond { .. } => ReportError::Without(beyond.to_string()),
        })?,
    };
    let (mut told, titles, rows, frame) = match &of.what {
        What::Insiders(submission, template) => {
            let list = view.insiders(submission, Page::ALL)?;
            let list = list.ok_or_else(|| ReportError::Without(format!("the submission is not recorded as of size {}", view.size())))?;
            let mut rows: Vec<Value> =
                list.people.rows.iter().map(|row| insider_row(row, of.eyes.see_why_of(view.facts(), &row.person))).collect();
            rows.iter_mut().for_each(flat);
            let filled = Filled::of(Template::find(template).map_err(ReportError::Without)?, &insider_header(&list), &rows, list.people.at);
            let titles = filled.titles().into_iter().map(str::to_owned).collect();
            (filled.told(), titles, filled.rows, view.answer(Vec::<()>::new()))
        }
        What::Calendar(person) => {
            let today = Date::of(if of.as_of.is_some() { view.at() } else { ledger.now() });
            let rows = calendar(view.facts(), &of.eyes, person.as_ref(), &today, false);
            let cells = |row: &Value| CALENDAR.iter().map(|name| row.get(name).map(cell).unwrap_or_default()).collect();
            let table = rows.iter().map(cells).collect();
            (
                json!({ "today": today, "rows": rows }),
                CALENDAR.iter().map(|t| (*t).to_owned()).collect(),
                table,
                view.answer(Vec::<()>::new()),
            )
        }
    };
    let banner = banner(marked);
    finish(&mut told, &frame, &banner);
    put(to, "report.json", &serde_json::to_vec_pretty(&told).unwrap_or_default())?;
    let titles: Vec<String> = titles;
    let csv = table(&titles.iter().map(String::as_str).collect::<Vec<_>>(), &rows);
    let path = to.join("report.csv");
    put(to, "report.csv", csv.map_err(|source| ExportError::File { path, source })?.as_bytes())?;
    put(to, "MARKING.txt", format!("{banner}\n").as_bytes())?;
    Ok(put(to, MARKING_FILE, fields(marked).as_bytes())?)
}

fn finish<Row>(told: &mut Value, of: &Answer<Row>, banner: &str) {
    let frame = [
        ("as_of", of.as_of.into()),
        ("as_of_at", of.at.to_string().into()),
        ("root", of.root.to_string().into()),
        ("complete", of.incomplete.is_none().into()),
        ("marking", banner.into()),
    ];
    frame.into_iter().for_each(|(name, value)| set(told, name, value));
}

fn put(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
    let path = dir.join(name);
    let written = fs::create_dir_all(dir).and_then(|()| fs::write(&path, bytes));
    written.map_err(|source| ExportError::File { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_reads_and_names_itself() {
        for (name, _) in TEMPLATES {
            let t = Template::find(name).unwrap();
            assert_eq!(t.id, *name);
            assert!(!t.column.is_empty() && !t.cite.is_empty());
        }
        assert!(Template::find("us-1789").is_err());
    }

    #[test]
    fn times_as_the_regulations_write_them() {
        assert_eq!(cell(&json!("2026-06-01T09:05:59.000001Z")), "2026-06-01, 09:05 UTC");
        assert_eq!(cell(&json!(["a", "b"])), "a; b");
        assert_eq!(cell(&json!("Test T")), "Test T");
    }
}
