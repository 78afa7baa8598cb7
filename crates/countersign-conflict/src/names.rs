//! Names of rules and record types, which the facts hold as the program's own texts, out of bytes and into them.

use std::collections::BTreeMap;

use countersign_entry::ids::LeafIndex;
use countersign_entry::record::TYPE_NAMES;
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::Serializer;

use crate::facts::{FindingKey, PendingFinding};
use crate::rules;

/// Maps by record type and id.
pub(crate) mod types {
    use super::*;

    type Newest = BTreeMap<(&'static str, String), LeafIndex>;

    pub(crate) fn serialize<S: Serializer>(map: &Newest, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(map)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Newest, D::Error> {
        let known =
            |name: String| TYPE_NAMES.iter().find(|known| **known == name).copied().ok_or_else(|| D::Error::custom("a record type"));
        let pairs: Vec<((String, String), LeafIndex)> = Vec::deserialize(d)?;
        pairs.into_iter().map(|((name, id), entry)| Ok(((known(name)?, id), entry))).collect()
    }
}

/// Maps by rule, person and submission.
pub(crate) mod findings {
    use super::*;

    type Pending = BTreeMap<FindingKey, PendingFinding>;

    pub(crate) fn serialize<S: Serializer>(map: &Pending, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(map)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Pending, D::Error> {
        let pairs: Vec<((String, _, _, u32), PendingFinding)> = Vec::deserialize(d)?;
        let known = |name: String| rules::rule(&name).map(|rule| rule.id).ok_or_else(|| D::Error::custom("a rule"));
        pairs.into_iter().map(|((rule, person, submission, n), found)| Ok(((known(rule)?, person, submission, n), found))).collect()
    }
}
