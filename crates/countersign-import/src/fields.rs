//! Records without a form of their own: what fields each kind has, and each field's type. The names and types are those of
//! `countersign_entry::record`, so that a row reads straight into a record.

use std::collections::BTreeMap;

use countersign_entry::ids::{Date, IdError, IssuerId, Line, ModelId, OrganizationId, PersonId, ProviderId, RecordId, SubmissionId, Token};
use countersign_entry::record::{
    AccessResult, Basis, Bound, CredentialKind, HolderRelation, InformationOwner, ListKind, MarkingLevel, Node, OrganizationKind,
    PersonStatus, RecusalScope, Relation, RelationshipKind, Tier,
};
use countersign_entry::time::Micros;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::accounting::{Canonical, Reason, digest};
use crate::cell::one_line;
use crate::date::{DateForm, read_date};
use crate::limits::LIST_MAX;
use crate::trade::Cells;

/// What can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Agencies, their components, developers, partners.
    Organization,
    /// People.
    Person,
    /// Credentials and accounts that point to a person.
    Credential,
    /// Issuers.
    Issuer,
    /// Providers.
    Provider,
    /// Models, as a public catalogue lists them.
    Model,
    /// Exposure edges.
    Exposure,
    /// Who is related to whom.
    Relationship,
    /// Holdings.
    Holding,
    /// Trades.
    Trade,
    /// Recusals.
    Recusal,
    /// Restricted and watch lists.
    List,
    /// What stands on them.
    ListItem,
    /// Requests for access.
    Grant,
    /// Access events.
    AccessEvent,
}

impl Kind {
    /// Its word, as in a mapping.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Organization => "organization",
            Kind::Person => "person",
            Kind::Credential => "credential",
            Kind::Issuer => "issuer",
            Kind::Provider => "provider",
            Kind::Model => "model",
            Kind::Exposure => "exposure",
            Kind::Relationship => "relationship",
            Kind::Holding => "holding",
            Kind::Trade => "trade",
            Kind::Recusal => "recusal",
            Kind::List => "list",
            Kind::ListItem => "list_item",
            Kind::Grant => "grant",
            Kind::AccessEvent => "access_event",
        }
    }

    /// All of them.
    pub const ALL: &'static [Kind] = &[
        Kind::Organization,
        Kind::Person,
        Kind::Credential,
        Kind::Issuer,
        Kind::Provider,
        Kind::Model,
        Kind::Exposure,
        Kind::Relationship,
        Kind::Holding,
        Kind::Trade,
        Kind::Recusal,
        Kind::List,
        Kind::ListItem,
        Kind::Grant,
        Kind::AccessEvent,
    ];
}

/// One row's fields, checked. A blank cell is null, a field the file does not ask for is not there; times are microseconds since the Unix epoch,
/// as in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    kind: Kind,
    values: BTreeMap<&'static str, Value>,
}

impl Fields {
    /// What the row tells of.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// A field's value.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// A field every record must have and that the file does not ask for: the row can only change a record that is there.
    pub fn only_updates(&self) -> bool {
        rules(self.kind).iter().any(|rule| rule.required && !self.values.contains_key(rule.name))
    }

    /// The row as a record of `countersign_entry::record`, with `extra` fields an import does not have, such as `supersedes`. What the file does
    /// not ask for stays as it is in `current`, the record this one would take the place of; a new record has nothing there.
    ///
    /// # Errors
    /// In serde's words, where the record asks for more than the row can say.
    pub fn record<T: DeserializeOwned>(&self, current: Option<&Value>, extra: &[(&str, Value)]) -> Result<T, serde_json::Error> {
        let known = |rule: &FieldRule| current.and_then(|c| c.get(rule.name)).cloned().unwrap_or_else(|| rule.nothing());
        let value = |rule: &FieldRule| self.values.get(rule.name).cloned().unwrap_or_else(|| known(rule));
        let own = rules(self.kind).iter().map(|rule| (rule.name.to_owned(), value(rule)));
        let extra = extra.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        serde_json::from_value(Value::Object(own.chain(extra).collect()))
    }
}

impl Canonical for Fields {
    fn canonical(&self) -> Vec<u8> {
        serde_json::to_vec(&(self.kind, &self.values)).unwrap_or_default()
    }

    fn key(&self) -> String {
        let id = self.values.get("id").and_then(Value::as_str).map(str::to_owned);
        let source = ["source", "source_id"].map(|k| self.values.get(k).and_then(Value::as_str));
        match (id, source) {
            (Some(id), _) => id,
            (None, [Some(system), Some(event)]) => format!("{system}/{event}"),
            // Nothing in the row names it, so it is named by all it says.
            _ => digest(&self.canonical()),
        }
    }
}

/// A field of a kind.
#[derive(Debug, Clone, Copy)]
pub struct FieldRule {
    /// Its name, as in the record.
    pub name: &'static str,
    /// Whether a row without it is quarantined.
    pub required: bool,
    pub(crate) form: Form,
}

impl FieldRule {
    fn nothing(&self) -> Value {
        if matches!(self.form, Form::Lines | Form::FormerNames) { Value::Array(Vec::new()) } else { Value::Null }
    }

    /// What its cells hold, in words.
    pub fn holds(&self) -> String {
        match self.form {
            Form::Text(check) => check("\u{202e}").err().map(|e| e.rule.to_owned()).unwrap_or_default(),
            Form::Lines => "several lines, with ';' between them".to_owned(),
            Form::FormerNames => "several names, with ';' between them, each with its last day behind a '|' where it is known".to_owned(),
            Form::Word(known) => known("").err().unwrap_or_default(),
            Form::Date => "a date".to_owned(),
            Form::Time => "a date, or a time with its offset, such as 2026-06-01T09:00:00Z".to_owned(),
            Form::Bool => "yes or no".to_owned(),
            Form::Count => "a whole number".to_owned(),
            Form::Tier => "1, 2 or 3".to_owned(),
            Form::Elsewhere => String::new(),
        }
    }
}

/// How a field's text is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// Into a checked newtype that is written as text.
    Text(fn(&str) -> Result<(), IdError>),
    /// Several lines, `;` between them, or a JSON array.
    Lines,
    /// Names of another time, `;` between them, each with its last day after a `|` where that is known.
    FormerNames,
    /// A word of an enum of `countersign_entry::record`; else which there are.
    Word(fn(&str) -> Result<(), String>),
    Date,
    Time,
    Bool,
    Count,
    Tier,
    /// Read by [`crate::trade`].
    Elsewhere,
}

/// The fields of a kind.
pub fn rules(kind: Kind) -> &'static [FieldRule] {
    match kind {
        Kind::Organization => ORGANIZATION,
        Kind::Person => PERSON,
        Kind::Credential => CREDENTIAL,
        Kind::Issuer => ISSUER,
        Kind::Provider => PROVIDER,
        Kind::Model => MODEL,
        Kind::Exposure => EXPOSURE,
        Kind::Relationship => RELATIONSHIP,
        Kind::Holding => HOLDING,
        Kind::Trade => TRADE,
        Kind::Recusal => RECUSAL,
        Kind::List => LIST,
        Kind::ListItem => LIST_ITEM,
        Kind::Grant => GRANT,
        Kind::AccessEvent => ACCESS_EVENT,
    }
}

const fn must(name: &'static str, form: Form) -> FieldRule {
    FieldRule { name, required: true, form }
}

const fn may(name: &'static str, form: Form) -> FieldRule {
    FieldRule { name, required: false, form }
}

const PERSON_ID: Form = Form::Text(|t| PersonId::new(t).map(drop));
const SUBMISSION_ID: Form = Form::Text(|t| SubmissionId::new(t).map(drop));
const ORGANIZATION_ID: Form = Form::Text(|t| OrganizationId::new(t).map(drop));
const PROVIDER_ID: Form = Form::Text(|t| ProviderId::new(t).map(drop));
const ISSUER_ID: Form = Form::Text(|t| IssuerId::new(t).map(drop));
const MODEL_ID: Form = Form::Text(|t| ModelId::new(t).map(drop));
const RECORD_ID: Form = Form::Text(|t| RecordId::new(t).map(drop));
const TOKEN: Form = Form::Text(|t| Token::new(t).map(drop));
const LINE: Form = Form::Text(|t| Line::new(t).map(drop));
const NODE: Form = Form::Text(|t| t.parse::<Node>().map(drop));
const SCOPE: Form = Form::Text(|t| t.parse::<RecusalScope>().map(drop));
const BOUND: Form = Form::Text(|t| t.parse::<Bound>().map(drop));

const ORGANIZATION: &[FieldRule] = &[
    must("id", ORGANIZATION_ID),
    must("name", LINE),
    must("kind", Form::Word(is_word::<OrganizationKind>)),
    may("parent", ORGANIZATION_ID),
    may("ethics_office", LINE),
];
const PERSON: &[FieldRule] = &[
    must("id", PERSON_ID),
    must("name", LINE),
    must("status", Form::Word(is_word::<PersonStatus>)),
    must("organization", ORGANIZATION_ID),
];
const CREDENTIAL: &[FieldRule] = &[
    must("id", RECORD_ID),
    must("person", PERSON_ID),
    must("kind", Form::Word(is_word::<CredentialKind>)),
    must("issuer", LINE),
    must("subject", LINE),
    may("valid_from", Form::Date),
    may("valid_to", Form::Date),
];
const ISSUER: &[FieldRule] = &[
    must("id", ISSUER_ID),
    must("name", LINE),
    may("cik", LINE),
    may("tickers", Form::Lines),
    may("former_names", Form::FormerNames),
    may("sub_industry", LINE),
];
const PROVIDER: &[FieldRule] = &[must("id", PROVIDER_ID), must("name", LINE)];
const MODEL: &[FieldRule] = &[
    must("id", MODEL_ID),
    must("provider", PROVIDER_ID),
    must("name", LINE),
    may("family", LINE),
    may("released_on", Form::Date),
    may("open_weights", Form::Bool),
    may("stopped", Form::Bool),
];
const EXPOSURE: &[FieldRule] = &[
    must("id", RECORD_ID),
    must("from", NODE),
    must("relation", Form::Word(is_word::<Relation>)),
    must("to", NODE),
    must("tier", Form::Tier),
    may("valid_from", Form::Date),
    may("valid_to", Form::Date),
    must("basis", Form::Word(is_word::<Basis>)),
    must("confirmed", Form::Bool),
    may("evidence", LINE),
];
const RELATIONSHIP: &[FieldRule] = &[
    must("id", RECORD_ID),
    must("person", PERSON_ID),
    must("kind", Form::Word(is_word::<RelationshipKind>)),
    must("relation", Form::Word(is_word::<HolderRelation>)),
    // To one of the two, or to both.
    may("issuer", ISSUER_ID),
    may("organization", ORGANIZATION_ID),
    may("from", Form::Date),
    may("until", Form::Date),
];
const RECUSAL: &[FieldRule] = &[
    must("id", RECORD_ID),
    must("person", PERSON_ID),
    must("scope", SCOPE),
    must("from", Form::Time),
    may("until", Form::Time),
    must("ground", LINE),
    may("screening_contact", LINE),
];
const LIST: &[FieldRule] = &[
    must("id", RECORD_ID),
    must("kind", Form::Word(is_word::<ListKind>)),
    must("name", LINE),
    may("authority", LINE),
    may("binds", BOUND),
];
const LIST_ITEM: &[FieldRule] = &[
    must("id", RECORD_ID),
    must("list", RECORD_ID),
    must("subject", SCOPE),
    must("from", Form::Time),
    may("until", Form::Time),
    must("reason", LINE),
];
const GRANT: &[FieldRule] = &[
    must("person", PERSON_ID),
    must("submission", SUBMISSION_ID),
    must("duty", LINE),
    must("needs_participation", Form::Bool),
    must("expires_at", Form::Time),
];
const ACCESS_EVENT: &[FieldRule] = &[
    must("person", PERSON_ID),
    must("submission", SUBMISSION_ID),
    may("grant", Form::Count),
    must("action", TOKEN),
    must("occurred_at", Form::Time),
    may("artefact", LINE),
    may("result", Form::Word(is_word::<AccessResult>)),
    may("source", LINE),
    may("source_id", LINE),
    may("session", LINE),
    may("marking", Form::Word(is_word::<MarkingLevel>)),
    may("information_owner", Form::Word(is_word::<InformationOwner>)),
];
const TRADE: &[FieldRule] = &[
    must("filer", Form::Elsewhere),
    may("filing_id", Form::Elsewhere),
    may("agency", Form::Elsewhere),
    may("line_no", Form::Elsewhere),
    may("holder", Form::Elsewhere),
    // Kind and date stand in two columns, or both in `transaction`.
    may("traded_on", Form::Elsewhere),
    may("kind", Form::Elsewhere),
    may("transaction", Form::Elsewhere),
    may("disclosed_on", Form::Elsewhere),
    may("ticker", Form::Elsewhere),
    may("asset", Form::Elsewhere),
    may("asset_type", Form::Elsewhere),
    may("amount", Form::Elsewhere),
    may("quantity", Form::Elsewhere),
    may("comment", Form::Elsewhere),
];
const HOLDING: &[FieldRule] = &[
    must("filer", Form::Elsewhere),
    may("filing_id", Form::Elsewhere),
    may("agency", Form::Elsewhere),
    may("line_no", Form::Elsewhere),
    may("part", Form::Elsewhere),
    may("holder", Form::Elsewhere),
    may("as_of", Form::Elsewhere),
    may("ticker", Form::Elsewhere),
    may("asset", Form::Elsewhere),
    may("asset_type", Form::Elsewhere),
    may("sector", Form::Elsewhere),
    may("amount", Form::Elsewhere),
    may("income_type", Form::Elsewhere),
];

fn is_word<T: DeserializeOwned>(word: &str) -> Result<(), String> {
    // "unknown variant `x`, expected one of `a`, `b`", in serde's words.
    let expected = |e: serde_json::Error| e.to_string().split_once("expected ").map_or_else(String::new, |(_, list)| list.replace('`', ""));
    serde_json::from_value::<T>(Value::from(word)).map(drop).map_err(expected)
}

pub(crate) fn read_fields(kind: Kind, cells: &dyn Cells, form: DateForm, received_on: &Date) -> Result<Fields, Reason> {
    let mut values = BTreeMap::new();
    for rule in rules(kind) {
        let value = match cells.cell(rule.name) {
            Some(text) => read_field(rule, text, form, received_on)?,
            None if !cells.asks_for(rule.name) => continue,
            None if rule.required => return Err(Reason::Missing(rule.name)),
            None => rule.nothing(),
        };
        values.insert(rule.name, value);
    }
    let tied = ["issuer", "organization"].iter().any(|name| values.get(name).is_some_and(|v| !v.is_null()));
    if kind == Kind::Relationship && !tied {
        return Err(Reason::Missing("issuer or organization"));
    }
    Ok(Fields { kind, values })
}

fn read_field(rule: &FieldRule, text: &str, form: DateForm, received_on: &Date) -> Result<Value, Reason> {
    let field = rule.name;
    let refused = |detail: String| Reason::Field { field, detail };
    let date = |text: &str| read_date(text, form, received_on).map(|r| r.date).map_err(|fault| Reason::Date { field, fault });
    Ok(match rule.form {
        Form::Text(check) => {
            let line = one_line(text);
            check(&line).map_err(|e| refused(format!("{line:?} is not accepted: {e}")))?;
            Value::from(line)
        }
        Form::Lines => Value::from(lines(text).map_err(refused)?),
        Form::FormerNames => lines(text).map_err(&refused)?.iter().map(|name| former_name(name, date)).collect::<Result<_, _>>()?,
        Form::Word(known) => word(text, known).map_err(|words| refused(format!("{text:?} is not {words}")))?,
        Form::Date => Value::from(date(text)?.as_str()),
        Form::Time => Value::from(
            time(text, date).map_err(|e| e.unwrap_or_else(|| refused(format!("{text:?} needs a date, or a time with its offset"))))?,
        ),
        Form::Bool => Value::from(truth(text).ok_or_else(|| refused(format!("{text:?} is neither yes nor no")))?),
        Form::Count => Value::from(text.parse::<u64>().map_err(|e| refused(format!("{text:?}: {e}")))?),
        Form::Tier => {
            let tier = text.parse().ok().and_then(|n: u8| Tier::try_from(n).ok());
            Value::from(u8::from(tier.ok_or_else(|| refused(format!("{text:?} is not 1, 2 or 3")))?))
        }
        Form::Elsewhere => Value::from(text),
    })
}

/// A word in the ledger's spelling: lower case, `_` between its parts.
fn word(text: &str, known: impl Fn(&str) -> Result<(), String>) -> Result<Value, String> {
    let word = text.trim().to_lowercase().replace([' ', '-'], "_");
    known(&word).map(|()| Value::from(word))
}

/// Microseconds. A time of day without an offset is refused: nobody can say which moment it was.
fn time(text: &str, date: impl Fn(&str) -> Result<Date, Reason>) -> Result<u64, Option<Reason>> {
    if let Ok(at) = text.parse::<Micros>() {
        return Ok(at.value());
    }
    if text.contains(':') {
        return Err(None);
    }
    date(text).map_err(Some)?.start().map(Micros::value).ok_or(None)
}

fn former_name(text: &str, date: impl Fn(&str) -> Result<Date, Reason>) -> Result<Value, Reason> {
    let (name, to) = match text.rsplit_once('|') {
        Some((name, day)) => (name.trim(), Value::from(date(day.trim())?.as_str())),
        None => (text, Value::Null),
    };
    Ok(serde_json::json!({ "name": name, "from": null, "to": to }))
}

fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" => Some(true),
        "false" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

fn lines(text: &str) -> Result<Vec<String>, String> {
    let found: Vec<String> = if text.starts_with('[') {
        serde_json::from_str(text).map_err(|e| format!("{text:?} is not a list of texts: {e}"))?
    } else {
        text.split(';').map(one_line).filter(|l| !l.is_empty()).collect()
    };
    if found.len() > LIST_MAX {
        return Err(format!("more than {LIST_MAX} values"));
    }
    match found.iter().find_map(|l| Line::new(l.as_str()).err()) {
        Some(e) => Err(e.to_string()),
        None => Ok(found),
    }
}
