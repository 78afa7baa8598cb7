//! Words, ids and times between the ledger's types and the command line.

use countersign_conflict::Facts;
use countersign_entry::ids::{PersonId, RequestKey};
use countersign_entry::record::GrantState;
use countersign_entry::time::Micros;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::failure::Failure;

/// A word of a small vocabulary, from the command line. `access-officer` is as good as `access_officer`.
pub(crate) fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(Value::String(text.replace('-', "_"))).map_err(|e| e.to_string())
}

/// A value whose text form is its JSON string, such as a hash in hex.
pub(crate) fn text<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(Value::String(text.to_owned())).map_err(|e| e.to_string())
}

/// The word a value of a small vocabulary has in JSON.
pub(crate) fn word_of(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// Where a grant stands, for somebody who may not know why: a referral and a conflict read the same.
pub(crate) fn neutral_state(state: GrantState) -> &'static str {
    use GrantState::*;
    match state {
        Draft | Submitted | Checking => "submitted",
        Clear | Recused | Waived | Authorized502 => "cleared",
        Undetermined | InfoRequested | Conflict | EthicsReview | Divesting | Denied => "not_cleared",
        Agreement => "agreement",
        Approved => "approved",
        Active => "active",
        Suspended => "suspended",
        Expired => "expired",
        Revoked => "revoked",
        Departed => "departed",
        CoolingOff | Closed => "closed",
    }
}

/// Where a grant stands, in the words the reader may see.
pub(crate) fn state_for(ethics: bool, state: GrantState) -> String {
    if ethics { word_of(&state) } else { neutral_state(state).to_owned() }
}

/// A person's name, from the directory.
pub(crate) fn name(facts: &Facts, person: &PersonId) -> String {
    facts.person(person).map_or_else(|| "(not recorded)".into(), |p| p.record.name.to_string())
}

/// Letters and digits nobody mistakes for one another.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

fn letters(bytes: &[u8]) -> String {
    bytes.iter().filter_map(|b| ALPHABET.get(usize::from(b % 32))).map(|b| char::from(*b)).collect()
}

/// Random letters and digits.
pub(crate) fn random_letters<const N: usize>() -> Result<String, Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| Failure::Output(std::io::Error::other(e)))?;
    Ok(letters(&bytes))
}

/// A new id: prefix and 12 characters. Drawn at random, or from the idempotency key where the caller gave one, so that the same request made
/// again is the same request.
pub(crate) fn new_id(prefix: &str, key: Option<&RequestKey>) -> Result<String, Failure> {
    let rest = match key {
        None => random_letters::<12>()?,
        Some(key) => letters(Sha256::digest(format!("countersign id {prefix} {key}")).first_chunk::<12>().map_or(&[], |c| c.as_slice())),
    };
    Ok(format!("{prefix}{rest}"))
}

const TIMES: &[&str] = &["first", "last", "from", "until", "due", "effective_from", "at"];

/// Whether a field of this name, where it holds a number, holds microseconds.
fn is_time(name: &str) -> bool {
    name.ends_with("_at") || TIMES.contains(&name)
}

/// Microseconds become RFC 3339 wherever a field's name says that it is a time: nobody reads microseconds.
pub(crate) fn times_as_text(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_u64().filter(|_| is_time(name)).and_then(|n| Micros::new(n).ok()) {
                    Some(at) => *value = at.to_string().into(),
                    None => times_as_text(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(times_as_text),
        _ => {}
    }
}

/// The way back, for files people write. A text that is no time stays, and the type it does not fit says so.
pub(crate) fn texts_as_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str().filter(|_| is_time(name)).and_then(|t| t.parse::<Micros>().ok()) {
                    Some(at) => *value = at.value().into(),
                    None => texts_as_times(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(texts_as_times),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_entry::record::Role;
    use serde_json::json;

    #[test]
    fn times_go_there_and_back() {
        let before = json!({ "effective_from": 1_780_000_000_000_000u64, "size": 3, "window": { "opens_at": 0 }, "from": "provider:x", "rows": [{ "at": 5 }] });
        let mut there = before.clone();
        times_as_text(&mut there);
        assert_eq!(there.pointer("/window/opens_at"), Some(&json!("1970-01-01T00:00:00Z")));
        assert_eq!(there["size"], json!(3));
        texts_as_times(&mut there);
        assert_eq!(there, before);
    }

    #[test]
    fn a_referral_reads_as_a_conflict() {
        assert_eq!(neutral_state(GrantState::Undetermined), neutral_state(GrantState::Conflict));
        assert_eq!(neutral_state(GrantState::Clear), neutral_state(GrantState::Recused));
    }

    #[test]
    fn words_and_ids() {
        assert_eq!(word::<Role>("access-officer"), Ok(Role::AccessOfficer));
        assert!(word::<Role>("king").is_err_and(|e| e.contains("ethics_officer")));
        let key = RequestKey::new("k-1").unwrap();
        assert_eq!(new_id("P-", Some(&key)).unwrap(), new_id("P-", Some(&key)).unwrap());
        assert_ne!(new_id("P-", None).unwrap(), new_id("P-", None).unwrap());
        assert!(PersonId::new(new_id("P-", None).unwrap()).is_ok());
    }
}
