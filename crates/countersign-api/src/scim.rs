//! Personnel sync by SCIM 2.0: what a directory tells of a person, as far as a record has a place for it (RFC 7643), and how it changes (RFC 7644). What
//! has no place here (addresses, managers, groups, whatever is said of roles) is passed over and kept nowhere: a claim of a directory authorises nothing.

use countersign_entry::ids::Line;
use countersign_entry::record::PersonStatus;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use crate::problem::{Kind, Problem};

/// What SCIM is sent as (RFC 7644 section 3.1).
pub const MEDIA: &str = "application/scim+json";
/// Where its routes begin.
pub const PATH: &str = "/scim/v2";
/// Where users are.
pub const USERS: &str = "/scim/v2/Users";
/// The schema of a user.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of a group.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The extension with what an employer knows.
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// Attributes that a record has a place for: of the user, of its name, of the extension.
const OF_USER: &[&str] = &["userName", "externalId", "active", "displayName", "userType"];
const OF_NAME: &[&str] = &["formatted", "givenName", "familyName"];
const OF_WORK: &[&str] = &["employeeNumber", "organization", "division", "department"];

/// What a directory tells of a person.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// What they sign in as at the directory. Letter case does not count.
    pub user_name: Option<Line>,
    /// The directory's own id for them.
    pub external_id: Option<Line>,
    /// Whether they serve still. `false` ends what access they have.
    #[serde(default, deserialize_with = "yes_or_no")]
    #[schemars(with = "Option<bool>")]
    pub active: Option<bool>,
    /// Their name, where `name` does not say it.
    pub display_name: Option<Line>,
    /// What they are to the government, which decides which law binds them.
    pub user_type: Option<PersonStatus>,
    /// Their name.
    pub name: Option<Name>,
    /// Where they serve.
    #[serde(rename = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")]
    pub work: Option<Work>,
}

/// A name in parts.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Name {
    /// The whole of it.
    pub formatted: Option<Line>,
    /// First name.
    pub given_name: Option<Line>,
    /// Last name.
    pub family_name: Option<Line>,
}

/// What an employer knows.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Work {
    /// Their number.
    pub employee_number: Option<Line>,
    /// Where they serve: an organization's id or name, as it is recorded.
    pub organization: Option<Line>,
    /// A part of it. Where it is recorded they serve there.
    pub division: Option<Line>,
    /// A part of that, or of the organization.
    pub department: Option<Line>,
}

/// A change of some attributes (RFC 7644 section 3.5.2).
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Patch {
    /// One after the other.
    #[serde(rename = "Operations")]
    #[schemars(length(min = 1, max = 100))]
    pub operations: Vec<Operation>,
}

/// One change.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Operation {
    /// `add`, `replace` or `remove`, in any letter case.
    #[schemars(regex(pattern = r"^(add|replace|remove)$"))]
    pub op: String,
    /// Which attribute. Left out: `value` is an object of attributes.
    pub path: Option<String>,
    /// Its new value.
    pub value: Option<Value>,
}

/// Some directories send the words.
fn yes_or_no<'de, D: Deserializer<'de>>(d: D) -> Result<Option<bool>, D::Error> {
    match Option::<Value>::deserialize(d)? {
        None => Ok(None),
        Some(Value::Bool(yes)) => Ok(Some(yes)),
        Some(Value::String(word)) if word.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(word)) if word.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(_) => Err(D::Error::custom("a value that is neither true nor false")),
    }
}

impl User {
    /// Of a body: attributes nobody asks for are passed over, and letter case of names does not count (RFC 7643 section 2.1).
    ///
    /// # Errors
    /// An attribute that does not fit.
    pub fn of(body: &Map<String, Value>) -> Result<Self, serde_json::Error> {
        let mut kept = Map::new();
        body.iter().for_each(|(name, value)| set(&mut kept, name, value));
        serde_json::from_value(Value::Object(kept))
    }

    /// This one, as [`user`] wrote it, changed.
    ///
    /// # Errors
    /// An attribute that does not fit, or a change that is none.
    pub fn patched(mut fields: Map<String, Value>, patch: &Patch) -> Result<Self, serde_json::Error> {
        for change in &patch.operations {
            match (change.op.to_ascii_lowercase().as_str(), &change.path, &change.value) {
                ("add" | "replace", Some(path), Some(value)) => set(&mut fields, path, value),
                ("add" | "replace", None, Some(Value::Object(all))) => all.iter().for_each(|(name, value)| set(&mut fields, name, value)),
                ("remove", Some(path), _) => set(&mut fields, path, &Value::Null),
                _ => return Err(serde_json::Error::custom("a change that is none: op is add, replace or remove, with path or value")),
            }
        }
        Self::of(&fields)
    }

    /// The name on one line, as records have it.
    pub fn told_name(&self) -> Option<Line> {
        let name = self.name.as_ref();
        let both = name.and_then(|n| n.given_name.as_ref().zip(n.family_name.as_ref()));
        let whole = name.and_then(|n| n.formatted.clone());
        whole.or_else(|| both.and_then(|(given, family)| Line::new(format!("{given} {family}")).ok())).or_else(|| self.display_name.clone())
    }
}

/// Puts an attribute where it belongs, by its name, `name.part`, or the extension's name and a colon before it; one nobody asks for nowhere. What is
/// empty is not there.
fn set(fields: &mut Map<String, Value>, path: &str, value: &Value) {
    let path = behind(path, USER).unwrap_or(path);
    let (group, known, part) = if let Some(part) = behind(path, ENTERPRISE) {
        (ENTERPRISE, OF_WORK, part)
    } else if path.eq_ignore_ascii_case(ENTERPRISE) {
        return set_all(fields, ENTERPRISE, OF_WORK, value);
    } else if path.eq_ignore_ascii_case("name") {
        return set_all(fields, "name", OF_NAME, value);
    } else if path.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("name.")) {
        ("name", OF_NAME, path.get(5..).unwrap_or_default())
    } else {
        return put(fields, OF_USER, path, value);
    };
    let within = fields.entry(group).or_insert_with(|| json!({}));
    if let Value::Object(within) = within {
        put(within, known, part, value);
    }
}

/// What follows a schema's name and a colon.
fn behind<'a>(path: &'a str, schema: &str) -> Option<&'a str> {
    let (start, rest) = (path.get(..schema.len())?, path.get(schema.len()..)?);
    if start.eq_ignore_ascii_case(schema) { rest.strip_prefix(':') } else { None }
}

fn set_all(fields: &mut Map<String, Value>, group: &str, known: &[&str], value: &Value) {
    match value {
        Value::Object(all) => {
            let within = fields.entry(group).or_insert_with(|| json!({}));
            if let Value::Object(within) = within {
                all.iter().for_each(|(name, value)| put(within, known, name, value));
            }
        }
        Value::Null => drop(fields.remove(group)),
        // What is no object does not fit, and the type says so.
        other => drop(fields.insert(group.to_owned(), other.clone())),
    }
}

fn put(fields: &mut Map<String, Value>, known: &[&str], name: &str, value: &Value) {
    let Some(name) = known.iter().find(|known| known.eq_ignore_ascii_case(name)) else { return };
    match value {
        Value::Null => drop(fields.remove(*name)),
        Value::String(text) if text.is_empty() => drop(fields.remove(*name)),
        other => drop(fields.insert((*name).to_owned(), other.clone())),
    }
}

/// What is kept of a person, as a directory reads it.
#[derive(Debug, Clone)]
pub struct Shown<'a> {
    /// The person's id.
    pub id: &'a str,
    /// When its newest form was recorded.
    pub changed: String,
    /// As of [`User`].
    pub user_name: &'a str,
    /// As of [`User`].
    pub external_id: Option<&'a str>,
    /// The name.
    pub name: &'a str,
    /// As of [`User`].
    pub active: bool,
    /// What they are, or were before they left.
    pub status: Option<PersonStatus>,
    /// As of [`Work`].
    pub employee_number: Option<&'a str>,
    /// The name of the organization.
    pub organization: &'a str,
    /// The name of the part of it.
    pub department: Option<&'a str>,
}

/// A user as SCIM has it; nothing of it is made up or remembered beside the records.
pub fn user(of: &Shown<'_>) -> Map<String, Value> {
    let mut fields = Map::new();
    let told = [
        ("schemas", json!([USER, ENTERPRISE])),
        ("id", of.id.into()),
        ("userName", of.user_name.into()),
        ("externalId", of.external_id.into()),
        ("displayName", of.name.into()),
        ("active", of.active.into()),
        ("userType", json!(of.status)),
        (ENTERPRISE, json!({ "employeeNumber": of.employee_number, "organization": of.organization, "department": of.department })),
        ("meta", json!({ "resourceType": "User", "location": format!("{USERS}/{}", of.id), "lastModified": of.changed })),
    ];
    fields.extend(told.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)));
    if let Some(Value::Object(work)) = fields.get_mut(ENTERPRISE) {
        work.retain(|_, value| !value.is_null());
    }
    fields
}

/// A page of a list (RFC 7644 section 3.4.2). `first` counts from 1.
pub fn list(resources: Vec<Value>, total: usize, first: usize) -> Value {
    json!({ "schemas": [LIST], "totalResults": total, "startIndex": first, "itemsPerPage": resources.len(), "Resources": resources })
}

/// What a filter asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// `userName eq "…"`
    UserName(String),
    /// `externalId eq "…"`
    ExternalId(String),
    /// `displayName eq "…"`, of groups.
    DisplayName(String),
}

impl Filter {
    /// Reads one: an attribute, `eq` and a text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(3, ' ');
        let (name, op, value) = (parts.next()?, parts.next()?, parts.next()?);
        let value: String = serde_json::from_str(value.trim()).ok().filter(|_| op.eq_ignore_ascii_case("eq"))?;
        match behind(name, USER).unwrap_or(name).to_ascii_lowercase().as_str() {
            "username" => Some(Self::UserName(value)),
            "externalid" => Some(Self::ExternalId(value)),
            "displayname" => Some(Self::DisplayName(value)),
            _ => None,
        }
    }
}

/// A problem as SCIM tells it (RFC 7644 section 3.12): the same words, and the trace that stands in the log.
pub fn error(problem: &Problem) -> Value {
    let of = |kind: Kind| problem.kind == kind.problem().kind;
    let keyword = [
        (Kind::Filter, "invalidFilter"),
        (Kind::Exists, "uniqueness"),
        (Kind::Validation, "invalidValue"),
        (Kind::Invalid, "invalidValue"),
        (Kind::UnknownReference, "invalidValue"),
    ];
    let keyword = keyword.iter().find(|(kind, _)| of(*kind)).map(|(_, word)| word);
    let mut told =
        json!({ "schemas": [ERROR], "status": problem.status.to_string(), "detail": problem.detail, "trace_id": problem.trace_id });
    if let (Value::Object(told), Some(keyword)) = (&mut told, keyword) {
        told.insert("scimType".into(), (*keyword).into());
    }
    told
}

/// What of the protocol is there (RFC 7643 section 5).
pub fn config() -> Value {
    let no = json!({ "supported": false });
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"], "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 }, "filter": { "supported": true, "maxResults": 1000 },
        "changePassword": no, "sort": no, "etag": no,
        "authenticationSchemes": [
            { "type": "oauthbearertoken", "name": "Bearer", "description": "A key of a provisioner, or a token of a provider whose account an entry links to one." },
            { "type": "httpbasic", "name": "Client certificate", "description": "Mutual TLS; no password is taken." },
        ],
        "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{PATH}/ServiceProviderConfig") },
    })
}

/// Which resources there are (RFC 7643 section 6).
pub fn types() -> Value {
    let kind = |name: &str, schema: &str, extensions: Value| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"], "id": name, "name": name, "endpoint": format!("/{name}s"),
            "schema": schema, "schemaExtensions": extensions,
            "meta": { "resourceType": "ResourceType", "location": format!("{PATH}/ResourceTypes/{name}") },
        })
    };
    let all = vec![kind("User", USER, json!([{ "schema": ENTERPRISE, "required": true }])), kind("Group", GROUP, json!([]))];
    let total = all.len();
    list(all, total, 1)
}

/// Which attributes there are (RFC 7643 section 7).
pub fn schemas() -> Value {
    let attribute = |name: &&str, writes: bool| {
        json!({
            "name": name, "type": if *name == "active" { "boolean" } else { "string" }, "multiValued": false, "required": *name == "userName",
            "caseExact": !["userName", "displayName"].contains(name), "mutability": if writes { "readWrite" } else { "readOnly" },
            "returned": "default", "uniqueness": if *name == "userName" { "server" } else { "none" },
        })
    };
    let parts = |known: &[&str]| known.iter().map(|name| attribute(name, true)).collect::<Vec<_>>();
    let mut user = parts(OF_USER);
    user.push(json!({ "name": "name", "type": "complex", "multiValued": false, "required": false, "subAttributes": parts(OF_NAME) }));
    let group = ["displayName"].iter().map(|name| attribute(name, false)).collect();
    let schema = |id: &str, name: &str, attributes: Vec<Value>| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"], "id": id, "name": name, "attributes": attributes,
            "meta": { "resourceType": "Schema", "location": format!("{PATH}/Schemas/{id}") },
        })
    };
    let all = vec![schema(USER, "User", user), schema(ENTERPRISE, "EnterpriseUser", parts(OF_WORK)), schema(GROUP, "Group", group)];
    let total = all.len();
    list(all, total, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn what_has_no_place_is_passed_over_and_letter_case_does_not_count() {
        let body = json!({
            "schemas": [USER, ENTERPRISE], "USERNAME": "Ada@agency.example", "active": "False", "userType": "civilian", "externalId": "",
            "name": { "GivenName": "Ada", "familyName": "Byron", "middleName": "X" }, "emails": [{ "value": "ada@agency.example" }], "roles": ["admin"],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user": { "Department": "Testing", "organization": "Agency", "manager": { "value": "7" } },
        });
        let user = User::of(&map(body)).unwrap();
        assert_eq!((user.active, user.external_id.as_ref()), (Some(false), None));
        assert_eq!(user.told_name().unwrap().as_str(), "Ada Byron");
        assert_eq!(user.work.unwrap().department.unwrap().as_str(), "Testing");
        assert!(User::of(&map(json!({ "userName": 7 }))).is_err() && User::of(&map(json!({ "active": "perhaps" }))).is_err());
        assert!(User::of(&map(json!({ "name": "Ada" }))).is_err());
    }

    #[test]
    fn changes_are_made_by_every_way_directories_write_them() {
        let before = Shown {
            id: "P-ada1",
            changed: "2026-06-01T12:00:00Z".into(),
            user_name: "ada@agency.example",
            external_id: Some("7"),
            name: "Ada",
            active: true,
            status: Some(PersonStatus::Civilian),
            employee_number: None,
            organization: "Agency",
            department: Some("Testing"),
        };
        let changed =
            |operations: Value| User::patched(user(&before), &serde_json::from_value(json!({ "Operations": operations })).unwrap());
        for off in [
            json!([{ "op": "Replace", "path": "active", "value": "False" }]),
            json!([{ "op": "replace", "value": { "active": false } }]),
            json!([{ "op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": false }]),
            json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "x" }, { "op": "replace", "path": "active", "value": false }]),
        ] {
            let user = changed(off.clone()).unwrap();
            assert_eq!((user.active, user.external_id.unwrap().as_str()), (Some(false), "7"), "{off}");
        }
        let moved = changed(json!([
            { "op": "replace", "path": format!("{ENTERPRISE}:department"), "value": "Audit" }, { "op": "remove", "path": "externalId" },
            { "op": "replace", "path": "name.formatted", "value": "Ada Byron" },
        ]));
        let moved = moved.unwrap();
        assert_eq!((moved.told_name().unwrap().as_str(), moved.external_id.as_ref()), ("Ada Byron", None));
        assert_eq!(moved.work.unwrap().department.unwrap().as_str(), "Audit");
        for bad in [json!([{ "op": "move", "path": "active" }]), json!([{ "op": "remove" }]), json!([{ "op": "replace", "value": 7 }])] {
            assert!(changed(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_filter_is_an_attribute_eq_and_a_text() {
        assert_eq!(Filter::parse(r#"userName eq "ada\"x""#), Some(Filter::UserName("ada\"x".into())));
        assert_eq!(Filter::parse(r#"EXTERNALID Eq "a b""#), Some(Filter::ExternalId("a b".into())));
        for bad in [
            "",
            "userName",
            "userName pr",
            r#"userName co "a""#,
            r#"emails eq "a""#,
            "userName eq ada",
            r#"userName eq "a" or active eq true"#,
        ] {
            assert_eq!(Filter::parse(bad), None, "{bad}");
        }
    }
}
