//! Bodies of requests, and the records they become. The command line and the server make records of them by the same functions.

use countersign_entry::ids::{Date, LeafIndex, Line, PersonId, RequestKey, SubmissionId, Token};
use countersign_entry::record::{
    AccessEvent, AccessResult, GrantRequest, GrantState, GrantTransition, InformationOwner, MarkingLevel, Record,
};
use countersign_entry::time::{Micros, TIME_PATTERN};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::mnpi::Mnpi;
use crate::words::texts_as_times;

/// Longest line of a stream of access events, in bytes. A request's own limit is a quarter of it.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// One access, as people and gateways tell it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessBody {
    /// Who.
    pub person: PersonId,
    /// What was touched.
    pub submission: SubmissionId,
    /// What was done: `view`, `query`, `download`, …
    pub action: Token,
    /// When, as the source tells.
    pub occurred_at: Time,
    /// The grant it happened under.
    #[serde(default, deserialize_with = "whole_or_none")]
    pub grant: Option<u64>,
    /// Which part: weights, card, a transcript.
    pub artefact: Option<Mnpi<Line>>,
    /// What came of it: `success`, `refused` or `error`.
    pub result: Option<AccessResult>,
    /// Which gateway or system tells.
    pub source: Option<Mnpi<Line>>,
    /// Its own id for the event.
    pub source_id: Option<Mnpi<Line>>,
    /// The session it belongs to.
    pub session: Option<Mnpi<Line>>,
    /// Marking of what was touched: `unclassified`, `cui`, `confidential`, `secret`, `top_secret`.
    pub marking: Option<MarkingLevel>,
    /// Who owns the information: `developer`, `agency` or `joint`.
    pub information_owner: Option<InformationOwner>,
    /// The entry of an earlier access this one corrects.
    #[serde(default, deserialize_with = "whole_or_none")]
    pub supersedes: Option<u64>,
    /// Anything else the source tells; never prompts or outputs.
    pub detail: Option<Mnpi<Value>>,
    /// Names this event for ever; without it the request's key and the line's number do.
    #[schemars(with = "Option<String>", regex(pattern = r"^[A-Za-z0-9_-]{1,64}$"))]
    pub idempotency_key: Option<RequestKey>,
}

/// RFC 3339 with an offset, or microseconds since 1970.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Time {
    /// RFC 3339.
    Text(#[schemars(extend("format" = "date-time", "pattern" = TIME_PATTERN))] String),
    /// Microseconds.
    Micros(
        #[serde(deserialize_with = "whole")]
        #[schemars(range(max = 253_402_300_799_999_999_u64))]
        u64,
    ),
}

impl Time {
    /// The time.
    ///
    /// # Errors
    /// It is none.
    pub fn micros(&self) -> Result<Micros, String> {
        match self {
            Self::Micros(micros) => Micros::new(*micros),
            Self::Text(text) => text.parse(),
        }
        .map_err(|e| e.to_string())
    }
}

impl AccessBody {
    /// The record of it.
    ///
    /// # Errors
    /// A time that is none, or a detail that CBOR cannot hold.
    pub fn event(self) -> Result<AccessEvent, String> {
        let occurred_at = self.occurred_at.micros().map_err(|e| format!("occurred_at: {e}"))?;
        let detail = self.detail.map_or_else(|| json!({}), Mnpi::open);
        Ok(AccessEvent {
            person: self.person,
            submission: self.submission,
            grant: self.grant.map(LeafIndex),
            action: self.action,
            occurred_at,
            artefact: self.artefact.map(Mnpi::open),
            result: self.result,
            source: self.source.map(Mnpi::open),
            source_id: self.source_id.map(Mnpi::open),
            session: self.session.map(Mnpi::open),
            marking: self.marking,
            information_owner: self.information_owner,
            detail: serde_json::from_value(detail).map_err(|_| "detail: holds a value that cannot be recorded".to_owned())?,
            assessment: None,
            supersedes: self.supersedes.map(LeafIndex),
        })
    }
}

/// A request for access.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantBody {
    /// Who is to have access.
    pub person: PersonId,
    /// To what.
    pub submission: SubmissionId,
    /// The duty it is for.
    pub duty: Mnpi<Line>,
    /// Whether the duty needs participation in the matter, which is judged more strictly. Left out: it does.
    pub needs_participation: Option<bool>,
    /// When the grant ends. Left out: when the submission's window closes.
    pub expires_at: Option<Time>,
}

impl GrantBody {
    /// The record of it. `window_closes_at` is the submission's, where that is recorded.
    ///
    /// # Errors
    /// `None` in the place of a record where neither the request nor a recorded submission says when the grant ends.
    pub fn request(self, window_closes_at: Option<Micros>) -> Result<Option<GrantRequest>, String> {
        let told = self.expires_at.map(|at| at.micros()).transpose().map_err(|e| format!("expires_at: {e}"))?;
        Ok(told.or(window_closes_at).map(|expires_at| GrantRequest {
            person: self.person,
            submission: self.submission,
            duty: self.duty.open(),
            needs_participation: self.needs_participation.unwrap_or(true),
            expires_at,
            reference: None,
            assessment: None,
            result: None,
        }))
    }
}

/// Why a grant is moved.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveBody {
    /// Why, in words.
    pub reason: Option<Mnpi<Line>>,
    /// Where to, for `decide` alone: `info_requested`, `ethics_review`, `denied`, `recused` or `departed`.
    pub to: Option<GrantState>,
}

/// Where a grant goes that was not cleared, as whoever decides says.
pub const DECIDED: [GrantState; 5] =
    [GrantState::InfoRequested, GrantState::EthicsReview, GrantState::Denied, GrantState::Recused, GrantState::Departed];

/// A file of records, to be looked at before it is recorded.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportBody {
    /// What the file is, as `countersign import --source` has it: `people`, `trades`, `house-ptr`, …
    #[schemars(regex(pattern = r"^[a-z0-9]+([_-][a-z0-9]+)*$"))]
    pub source: String,
    /// The file in base64 (RFC 4648 section 4): CSV, JSON, one JSON object a line, or a spreadsheet.
    #[schemars(regex(pattern = r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"), extend("contentEncoding" = "base64"))]
    pub file: Mnpi<String>,
    /// Who the filers of trades or holdings are: CSV with the columns filer and person.
    pub people: Option<Mnpi<String>>,
    /// Which column is which field: TOML.
    pub mapping: Option<Mnpi<String>>,
    /// Which sheet of a spreadsheet.
    pub sheet: Option<String>,
    /// The day the file came in. Left out: today, UTC.
    pub received_on: Option<Date>,
}

/// What whoever commits an import has looked at.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitBody {
    /// The digest of what the import would do, as it was told.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub digest: String,
}

/// What an export is to hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportBody {
    /// How much.
    pub planes: ExportPlanes,
}

/// What an evidence bundle is to show.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleBody {
    /// The entries, by their numbers.
    #[serde(deserialize_with = "wholes")]
    #[schemars(length(min = 1, max = 1000))]
    pub entries: Vec<u64>,
}

/// Which report.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportBody {
    /// Its kind, as `GET /api/v1/reports` lists them.
    pub kind: ReportKind,
    /// The submission, of an insider list.
    pub submission: Option<SubmissionId>,
    /// The form, of an insider list: `us`, `uk-2016-347`, `eu-2022-1210`, `eu-2026`.
    pub template: Option<String>,
    /// The person, of a calendar of one alone.
    pub person: Option<PersonId>,
    /// The size of the ledger it is to be true for. Left out: now.
    #[serde(default, deserialize_with = "whole_or_none")]
    pub as_of: Option<u64>,
}

/// Kinds of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// Who had access to a submission, in the form a regulation asks for.
    Insiders,
    /// Who owes which report, notice or divestiture by when; for the ethics role.
    Calendar,
}

/// How much an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportPlanes {
    /// What says nothing about people, models or issuers.
    Public,
    /// Sealed records too.
    Both,
}

/// A grant's move, ready to be recorded.
pub fn transition(grant: LeafIndex, to: GrantState, reason: Option<Line>) -> GrantTransition {
    GrantTransition { grant, to, cause: None, reason, assessment: None, result: None }
}

/// A record of any type from a JSON object with its fields, times as RFC 3339. Some types have days where others have times: what reads with times
/// read as times is taken so, else as it stands.
///
/// # Errors
/// What the fields break, in serde's words, which may hold what was sent.
pub fn record(kind: &str, mut told: Value) -> Result<Record, serde_json::Error> {
    whole_numbers(&mut told);
    let mut timed = told.clone();
    texts_as_times(&mut timed);
    // Where neither reads, what the first found is what is wrong: the second stumbles over the first time.
    Record::from_human(kind, timed).or_else(|e| Record::from_human(kind, told).map_err(|_| e))
}

/// JSON does not tell 7 from 7.0 (RFC 8259 section 6), nor do schemas: a number without a fraction is a whole one. Beyond 2^53 it is no longer sure
/// which one was meant, and it stays as it is.
fn whole_number(n: f64) -> Option<u64> {
    const SURE: f64 = 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, not negative and under 2^53")]
    (n.fract() == 0.0 && (0.0..SURE).contains(&n)).then_some(n as u64)
}

/// Every number without a fraction in a value as a whole one.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(n) if n.is_f64() => {
            if let Some(whole) = n.as_f64().and_then(whole_number) {
                *value = whole.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

fn whole<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    whole_or_none(d)?.ok_or_else(|| D::Error::custom("a whole number is needed"))
}

fn whole_or_none<'de, D: Deserializer<'de>>(d: D) -> Result<Option<u64>, D::Error> {
    Option::<serde_json::Number>::deserialize(d)?.map(read_whole).transpose()
}

fn wholes<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u64>, D::Error> {
    Vec::<serde_json::Number>::deserialize(d)?.into_iter().map(read_whole).collect()
}

fn read_whole<E: Error>(n: serde_json::Number) -> Result<u64, E> {
    n.as_u64().or_else(|| n.as_f64().and_then(whole_number)).ok_or_else(|| E::custom("a whole number is needed"))
}

/// Whether each field of a body fits, and what they say together does not: a window that ends before it begins. `fault` says it in words.
pub fn is_rule(e: &serde_json::Error) -> bool {
    let text = e.to_string();
    ["a window ", "a band "].iter().any(|what| text.starts_with(what))
}

/// What is wrong with a body, without a word of what it holds.
pub fn fault(e: &serde_json::Error) -> String {
    let text = e.to_string();
    let place = if e.line() > 0 { format!(" (line {}, column {})", e.line(), e.column()) } else { String::new() };
    // serde names the value between what is wrong and what was expected; the last "expected" is its own, whatever the value says.
    let expected = text.rfind(", expected ").and_then(|at| text.get(at..)).map(|t| t.split(" at line ").next().unwrap_or_default());
    let echoes = ["unknown field", "unknown variant", "invalid type", "invalid value", "invalid length"];
    if let Some(what) = echoes.iter().find(|what| text.starts_with(**what)) {
        return format!("{what}{}{place}", expected.unwrap_or_default());
    }
    let fixed = ["missing field", "duplicate field", "a ", "an ", "one line", "raw text"];
    if fixed.iter().any(|start| text.starts_with(start)) {
        return text.split(" at line ").next().map(|t| format!("{t}{place}")).unwrap_or_default();
    }
    if e.is_data() { format!("a value does not fit{place}") } else { format!("not JSON{place}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::word_of;

    #[test]
    fn a_line_is_an_event_or_says_why_not() {
        let parse = |text: &str| serde_json::from_str::<AccessBody>(text).map_err(|e| e.to_string()).and_then(AccessBody::event);
        let good = r#"{"person":"P-0001","submission":"S-0001","action":"view","occurred_at":"2026-06-01T09:00:00Z","result":"success"}"#;
        let event = parse(good).unwrap();
        assert_eq!(event.occurred_at.to_string(), "2026-06-01T09:00:00Z");
        assert_eq!(word_of(&event.result), "success");
        for bad in [
            good.replace("view", "\\ud800"),
            good.replace("\"result\"", "\"outcome\""),
            good.replace("09:00:00Z", "09:00:00"),
            good.replace("\"result\":\"success\"", "\"person\":\"P-0002\""),
            format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)),
        ] {
            assert!(parse(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_number_without_a_fraction_is_a_whole_one() {
        let parse = |grant: &str| {
            let body =
                format!(r#"{{"person":"P-0001","submission":"S-0001","action":"view","occurred_at":1780000000000000.0,"grant":{grant}}}"#);
            serde_json::from_str::<AccessBody>(&body).map(|b| b.grant)
        };
        assert_eq!(parse("7.0").unwrap(), Some(7));
        assert_eq!(parse("18446744073709551615").unwrap(), Some(u64::MAX));
        assert_eq!(parse("null").unwrap(), None);
        assert!(["7.5", "-1", "-1.0", "1e300", "\"7\"", "9007199254740993.0"].iter().all(|bad| parse(bad).is_err()));
        let edge = json!({ "id": "x-1", "name": "X", "supersedes": 3.0 });
        assert_eq!(record("provider", edge).unwrap().supersedes(), Some(LeafIndex(3)));
        let entries = |text| serde_json::from_str::<BundleBody>(text).map(|body| body.entries);
        assert_eq!(entries(r#"{"entries":[3.0,18446744073709551615]}"#).unwrap(), [3, u64::MAX]);
        assert!(entries(r#"{"entries":[3.5]}"#).is_err());
    }

    #[test]
    fn days_and_times_both_read() {
        let tie =
            json!({ "id": "r-1", "person": "P-0001", "kind": "serves", "relation": "own", "organization": "halden", "from": "2026-01-01" });
        assert!(matches!(record("relationship", tie), Ok(Record::Relationship(_))));
        let on = json!({ "id": "ro-1", "organization": "halden", "person": "P-0001", "contact": true, "from": "2026-01-01T00:00:00Z" });
        assert!(matches!(record("roster.entry", on), Ok(Record::RosterEntry(_))));
        assert!(record("roster.entry", json!({ "id": "ro-1" })).is_err() && record("king", json!({})).is_err());
    }

    #[test]
    fn a_fault_says_what_is_expected_and_nothing_of_what_came() {
        const CANARY: &str = "CANARY, expected nothing";
        let bodies = [
            format!(r#"{{"person":"{CANARY}"}}"#),
            format!(r#"{{"{CANARY}":1}}"#),
            format!(r#"{{"person":"P-0001","submission":"S-0001","action":"view","occurred_at":["{CANARY}"]}}"#),
            format!(r#"{{"result":"{CANARY}"}}"#),
            format!(r#"{{"grant":"{CANARY}"}}"#),
            format!(r#"{{"detail":{CANARY}}}"#),
            format!(r#"["{CANARY}"]"#),
            r#"{}"#.to_owned(),
        ];
        let told: Vec<String> = bodies.iter().map(|b| fault(&serde_json::from_str::<AccessBody>(b).unwrap_err())).collect();
        assert!(told.iter().all(|t| !t.contains("CANARY")), "{told:?}");
        assert!(told[0].starts_with("a person id is P-"), "{told:?}");
        assert!(told[1].starts_with("unknown field, expected one of"), "{told:?}");
        assert_eq!(told[7], "missing field `person` (line 1, column 2)");
    }
}
