//! What the rules said about one request, as an entry holds it.

use serde::{Deserialize, Serialize};

use crate::ids::{Hash32, LeafIndex, Line};
use crate::time::Micros;

/// A verdict's value. Ordered from clear to block: the worst reason decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing recorded stands against it.
    Clear,
    /// A human must decide, or evidence is missing.
    Refer,
    /// A rule with an authority stands against it.
    Block,
}

/// The three questions an assessment answers, and the conditions of access beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// May the person take part in the matter (18 U.S.C. 208, 5 CFR 2635.402, 2635.502)?
    Participate,
    /// May the person hold what they hold (5 CFR 2635.403)?
    Hold,
    /// May the person trade (5 CFR 2635.703, 17 CFR 240.10b5-1)?
    Trade,
    /// Conditions of access itself: agreement, window, separation of duties, a standing grant.
    Access,
}

/// What agency policy made of the verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Go on.
    Cleared,
    /// The ethics office decides.
    Referred,
    /// No.
    Denied,
}

/// One rule that did not come out clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The rule's id, such as `R-REC-1`.
    pub rule: Line,
    /// The rule's version.
    pub version: u32,
    /// The verdict it bears on.
    pub bears_on: Verdict,
    /// What it says.
    pub outcome: Outcome,
    /// Where the rule comes from.
    pub cite: Line,
    /// The entries it rests on.
    pub evidence: Vec<LeafIndex>,
}

/// Who has to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ObligedParty {
    /// The person who gets access.
    Subject,
    /// The access officer.
    AccessOfficer,
    /// The ethics office.
    EthicsOffice,
}

/// What has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ObligationKind {
    /// Not trade, and not cause or advise trades, in issuers the submission touches (5 CFR 2635.703; 17 CFR 240.10b5-1).
    NoTrading,
    /// Sign the agreement that is missing.
    SignAgreement,
    /// Say what is held.
    StateInterests,
    /// Keep to the recusal.
    KeepRecusal,
    /// Decide what was referred.
    DecideReferral,
    /// Give up what may not be held, by the day directed; without a day, none was directed yet (5 CFR 2635.403(d)).
    Divest,
}

/// Who must do what by when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Obligation {
    /// Who.
    pub who: ObligedParty,
    /// What.
    pub what: ObligationKind,
    /// By when, or until when; none where an event ends it.
    pub due: Option<Micros>,
}

/// Watch-list items an entry names at most.
pub const WATCH_ITEMS_MAX: usize = 48;

/// Three verdicts, what stands behind them, and the decision policy made of them. The conflict crate alone makes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// Digest of the rule set.
    pub rule_set: Hash32,
    /// The policy in force.
    pub policy: Option<LeafIndex>,
    /// May the person take part?
    pub participate: Outcome,
    /// May they hold what they hold?
    pub hold: Outcome,
    /// May they trade in the issuers touched?
    pub trade: Outcome,
    /// What policy made of it.
    pub decision: Decision,
    /// Every rule that did not come out clear.
    pub reasons: Vec<Reason>,
    /// Watch-list items the request touches. They change nothing above; the ethics role alone sees them. In bytes they take the same room whether there
    /// are none or six, so that the size of an entry does not tell.
    #[serde(with = "slots")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<LeafIndex>"))]
    pub watch: Vec<LeafIndex>,
    /// Who must do what by when.
    pub obligations: Vec<Obligation>,
}

/// Entries in slots of eight bytes, six slots at a time: an entry's index plus one, or zero for none. People and JSON get a plain list.
mod slots {
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::ids::LeafIndex;

    /// Bytes of a slot.
    const SLOT: usize = 8;
    /// Slots that are always there, and by how many more there are.
    const GROUP: usize = 6;

    pub(super) fn serialize<S: Serializer>(items: &[LeafIndex], s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            return items.serialize(s);
        }
        if items.len() > super::WATCH_ITEMS_MAX {
            return Err(S::Error::custom("more watch items than an entry names"));
        }
        let slots = items.len().max(1).next_multiple_of(GROUP);
        let mut bytes = Vec::with_capacity(slots * SLOT);
        for item in items {
            let number = item.0.checked_add(1).ok_or_else(|| S::Error::custom("no entry has this index"))?;
            bytes.extend(number.to_be_bytes());
        }
        bytes.resize(slots * SLOT, 0);
        serde_bytes::serialize(&bytes, s)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<LeafIndex>, D::Error> {
        if d.is_human_readable() {
            return Vec::deserialize(d);
        }
        let bytes: Vec<u8> = serde_bytes::deserialize(d)?;
        let numbers: Vec<u64> = bytes.chunks(SLOT).map(|slot| slot.iter().fold(0, |n, b| n << 8 | u64::from(*b))).collect();
        let used = numbers.iter().take_while(|n| **n > 0).count();
        let fits = used <= super::WATCH_ITEMS_MAX && bytes.len() == used.max(1).next_multiple_of(GROUP) * SLOT;
        if !fits || numbers.iter().skip(used).any(|n| *n > 0) {
            return Err(D::Error::custom("watch items stand in the first slots of as few groups of six as hold them"));
        }
        Ok(numbers.into_iter().take(used).map(|n| LeafIndex(n - 1)).collect())
    }
}
