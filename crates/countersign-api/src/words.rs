//! Words and times as people read them.

use countersign_entry::record::GrantState;
use countersign_entry::time::Micros;
use serde::Serialize;
use serde_json::Value;

/// The word a value of a small vocabulary has in JSON.
pub fn word_of(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// Where a grant stands, for somebody who may not know why: a referral and a conflict read the same.
pub fn neutral_state(state: GrantState) -> &'static str {
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
pub fn state_for(ethics: bool, state: GrantState) -> String {
    if ethics { word_of(&state) } else { neutral_state(state).to_owned() }
}

const TIMES: &[&str] = &["first", "last", "from", "until", "due", "effective_from", "at"];

/// Whether a field of this name, where it holds a number, holds microseconds.
fn is_time(name: &str) -> bool {
    name.ends_with("_at") || TIMES.contains(&name)
}

/// Microseconds become RFC 3339 wherever a field's name says that it is a time: nobody reads microseconds.
pub fn times_as_text(value: &mut Value) {
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
pub fn texts_as_times(value: &mut Value) {
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
}
