//! Dollar amounts that are known only within bounds, and arithmetic on them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::three::Three;

/// An amount in whole dollars: what it is at least, and at most. Without an upper bound there is none known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
#[schemars(with = "Written")]
pub struct Amount {
    low: u64,
    high: Option<u64>,
}

/// How people write an amount.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Written {
    /// Exactly this much. Excludes the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    exactly: Option<u64>,
    /// At least this much; 0 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_least: Option<u64>,
    /// At most this much; not known if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<u64>,
}

impl Amount {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { low: 0, high: None };
    /// Nothing at all.
    pub const ZERO: Self = Self { low: 0, high: Some(0) };

    /// Exactly so much.
    pub fn exactly(dollars: u64) -> Self {
        Self { low: dollars, high: Some(dollars) }
    }

    /// Between two bounds, both included; `None` if they are the wrong way round.
    pub fn between(low: u64, high: Option<u64>) -> Option<Self> {
        high.is_none_or(|high| low <= high).then_some(Self { low, high })
    }

    /// The least it can be.
    pub fn low(self) -> u64 {
        self.low
    }

    /// The most it can be, where that is known.
    pub fn high(self) -> Option<u64> {
        self.high
    }

    /// Both together. Sums beyond what a `u64` holds count as unbounded.
    pub fn plus(self, other: Self) -> Self {
        Self { low: self.low.saturating_add(other.low), high: self.high.zip(other.high).and_then(|(a, b)| a.checked_add(b)) }
    }

    /// The same, but never more than a ceiling.
    pub fn capped(self, ceiling: u64) -> Self {
        Self { low: self.low.min(ceiling), high: Some(self.high.map_or(ceiling, |h| h.min(ceiling))) }
    }

    /// Whether it does not exceed a limit ("does not exceed" includes the limit).
    pub fn within(self, limit: u64) -> Three {
        match self.high {
            Some(high) if high <= limit => Three::Yes,
            _ if self.low > limit => Three::No,
            _ => Three::Unknown,
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.high {
            Some(high) if high == self.low => write!(f, "${}", grouped(high)),
            Some(high) => write!(f, "between ${} and ${}", grouped(self.low), grouped(high)),
            None if self.low == 0 => f.write_str("of unknown value"),
            None => write!(f, "at least ${}", grouped(self.low)),
        }
    }
}

/// A number with commas between thousands.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

impl TryFrom<Written> for Amount {
    type Error = String;
    fn try_from(w: Written) -> Result<Self, String> {
        match (w.exactly, w.at_least, w.at_most) {
            (Some(n), None, None) => Ok(Self::exactly(n)),
            (Some(_), _, _) => Err("an amount is either `exactly` something or between `at_least` and `at_most`".into()),
            (None, low, high) => Self::between(low.unwrap_or(0), high).ok_or_else(|| "`at_least` is more than `at_most`".into()),
        }
    }
}

impl From<Amount> for Written {
    fn from(a: Amount) -> Self {
        if a.high == Some(a.low) {
            return Self { exactly: a.high, ..Self::default() };
        }
        Self { exactly: None, at_least: Some(a.low), at_most: a.high }
    }
}
