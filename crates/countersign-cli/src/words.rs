//! Words, ids and times between the ledger's types and the command line.

use countersign_conflict::Facts;
use countersign_entry::ids::{PersonId, RequestKey};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::failure::Failure;

pub(crate) use countersign_api::words::{neutral_state, state_for, texts_as_times, times_as_text, word_of};

/// A word of a small vocabulary, from the command line. `access-officer` is as good as `access_officer`.
pub(crate) fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(Value::String(text.replace('-', "_"))).map_err(|e| e.to_string())
}

/// A value whose text form is its JSON string, such as a hash in hex.
pub(crate) fn text<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(Value::String(text.to_owned())).map_err(|e| e.to_string())
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

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_entry::record::Role;

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
