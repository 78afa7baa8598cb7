//! Times: microseconds since the Unix epoch, UTC. Nothing here reads a clock.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::IdError;
use crate::limits::{MICROS_MAX, WINDOW_DAYS_MAX};

/// A point in time: microseconds since the Unix epoch, UTC, up to the year 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Micros(u64);

/// What the schemas say of a time, for tools: RFC 3339 with an offset, from 1970 on, on days that there are.
#[cfg(feature = "schema")]
pub const TIME_PATTERN: &str = r"^((19[7-9][0-9]|[2-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|(19(7[26]|8[048]|9[26])|[2-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[3579][26])00)-02-29)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";

/// As people write it in JSON, where it is a text.
#[cfg(feature = "schema")]
impl schemars::JsonSchema for Micros {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time", "pattern": TIME_PATTERN, "description": "RFC 3339 with an offset" })
    }
}

/// Microseconds in a day.
pub const DAY: u64 = 86_400_000_000;

impl Micros {
    /// The Unix epoch.
    pub const EPOCH: Micros = Micros(0);

    /// Takes microseconds since the epoch.
    ///
    /// # Errors
    /// A time past the year 9999.
    pub fn new(micros: u64) -> Result<Self, IdError> {
        if micros > MICROS_MAX { Err(IdError { what: "a time", rule: "lies between the years 1970 and 9999" }) } else { Ok(Self(micros)) }
    }

    /// Microseconds since the epoch.
    pub fn value(self) -> u64 {
        self.0
    }

    /// This time plus `micros`, held at the year 9999.
    pub fn plus(self, micros: u64) -> Self {
        Self(self.0.saturating_add(micros).min(MICROS_MAX))
    }

    /// Unix seconds rounded down to a multiple of 60, as a leaf holds them.
    pub fn minute(self) -> u64 {
        self.0 / 60_000_000 * 60
    }

    /// The year, UTC.
    pub fn year(self) -> i16 {
        jiff::tz::Offset::UTC.to_datetime(self.timestamp()).year()
    }

    pub(crate) fn timestamp(self) -> jiff::Timestamp {
        // The constructor keeps the value inside jiff's range, so the default is never reached.
        jiff::Timestamp::from_microsecond(i64::try_from(self.0).unwrap_or(0)).unwrap_or_default()
    }
}

impl TryFrom<u64> for Micros {
    type Error = IdError;
    fn try_from(micros: u64) -> Result<Self, IdError> {
        Self::new(micros)
    }
}

impl From<Micros> for u64 {
    fn from(at: Micros) -> u64 {
        at.0
    }
}

impl core::str::FromStr for Micros {
    type Err = IdError;
    /// An RFC 3339 time with its offset, or a date (midnight UTC).
    fn from_str(text: &str) -> Result<Self, IdError> {
        let bad = IdError { what: "a time", rule: "is RFC 3339 with an offset (2026-06-01T09:00:00Z) or a date (2026-06-01)" };
        if let Ok(date) = crate::ids::Date::new(text) {
            return date.start().ok_or(bad);
        }
        let stamp: jiff::Timestamp = text.parse().map_err(|_| bad.clone())?;
        Self::new(u64::try_from(stamp.as_microsecond()).map_err(|_| bad)?)
    }
}

impl fmt::Display for Micros {
    /// RFC 3339, UTC, in the precision the time has.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.timestamp().fmt(f)
    }
}

/// A submission's window: opens before it closes, and lasts at most 30 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "Bounds", into = "Bounds")]
pub struct Window {
    opens_at: Micros,
    closes_at: Micros,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Bounds {
    opens_at: Micros,
    closes_at: Micros,
}

impl Window {
    /// A window from `opens_at` up to, but not including, `closes_at`.
    ///
    /// # Errors
    /// A window that closes before it opens, or lasts more than 30 days (EO 14409: "up to 30 days"; an extension is a new signed offer).
    pub fn new(opens_at: Micros, closes_at: Micros) -> Result<Self, IdError> {
        let bad = |rule| Err(IdError { what: "a window", rule });
        match closes_at.0.checked_sub(opens_at.0) {
            None | Some(0) => bad("opens before it closes"),
            Some(length) if length > WINDOW_DAYS_MAX * DAY => bad("lasts at most 30 days"),
            Some(_) => Ok(Self { opens_at, closes_at }),
        }
    }

    /// First moment inside.
    pub fn opens_at(&self) -> Micros {
        self.opens_at
    }

    /// First moment after.
    pub fn closes_at(&self) -> Micros {
        self.closes_at
    }

    /// Whether `at` lies inside.
    pub fn contains(&self, at: Micros) -> bool {
        self.opens_at <= at && at < self.closes_at
    }
}

impl TryFrom<Bounds> for Window {
    type Error = IdError;
    fn try_from(b: Bounds) -> Result<Self, IdError> {
        Self::new(b.opens_at, b.closes_at)
    }
}

impl From<Window> for Bounds {
    fn from(w: Window) -> Bounds {
        Bounds { opens_at: w.opens_at, closes_at: w.closes_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_and_print() {
        let t: Micros = "2026-06-01T09:00:00.000001+02:00".parse().unwrap();
        assert_eq!(t.to_string(), "2026-06-01T07:00:00.000001Z");
        assert_eq!("2026-06-01".parse::<Micros>().unwrap().to_string(), "2026-06-01T00:00:00Z");
        assert!("2026-06-01T09:00:00".parse::<Micros>().is_err());
        assert!(Micros::new(u64::MAX).is_err());
        assert_eq!(t.minute() % 60, 0);
    }

    #[test]
    fn a_window_is_at_most_thirty_days() {
        let open = Micros::new(DAY).unwrap();
        assert!(Window::new(open, open.plus(30 * DAY)).is_ok());
        assert!(Window::new(open, open.plus(30 * DAY + 1)).is_err());
        assert!(Window::new(open, open).is_err());
        let w = Window::new(open, open.plus(DAY)).unwrap();
        assert!(w.contains(open) && !w.contains(open.plus(DAY)));
    }
}
