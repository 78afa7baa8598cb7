//! Days, and the clocks of the rules: calendar months and years, and business days with federal holidays.

use std::fmt;

use countersign_entry::ids::Date as EntryDate;
use jiff::civil::Date;
use jiff::{Span, ToSpan};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A day of the Gregorian calendar, written `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

impl Day {
    /// A day; `None` where there is no such day.
    pub fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        Date::new(year, month, day).ok().map(Self)
    }

    /// The day of an entry's date; `None` before the year 1.
    pub fn of(date: &EntryDate) -> Option<Self> {
        date.as_str().parse().ok().map(Self)
    }

    fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span))
    }

    /// The last day of its calendar quarter.
    pub fn quarter_end(self) -> Self {
        let last_month = (self.0.month() - 1) / 3 * 3 + 3;
        Self::new(self.0.year(), last_month, 1).map_or(self, |first| Self(first.0.last_of_month()))
    }

    /// So many days later (earlier when negative).
    pub fn plus_days(self, days: i64) -> Self {
        // Beyond what a span holds lies the end of the calendar; `saturating_add` stops there as well.
        self.plus(days.clamp(-3_000_000, 3_000_000).days())
    }

    /// The same day of the month so many months later; the last of the month where it has no such day.
    pub fn plus_months(self, months: i32) -> Self {
        self.plus(months.clamp(-100_000, 100_000).months())
    }

    /// Whole days from an earlier day to this one; negative when that day is later.
    pub fn days_since(self, earlier: Self) -> i64 {
        self.0.since(earlier.0).map_or(0, |span| i64::from(span.get_days()))
    }

    /// The year.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// The end of a term of so many business days that begins after this day: neither weekends nor federal holidays as observed count
    /// (5 U.S.C. 6103).
    pub fn plus_business_days(self, days: u32) -> Self {
        let date = EntryDate::from_parts(self.0.year(), self.0.month(), self.0.day()).map(|date| date.plus_business_days(days));
        // No entry writes a day before the year 0, and no term begins there.
        date.as_ref().and_then(Self::of).unwrap_or(self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
        date.map(Self).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a day; write YYYY-MM-DD")))
    }
}

impl JsonSchema for Day {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date", "description": "A day, YYYY-MM-DD. Where the paper gives only intervals, choose a day and count from it."})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        serde_json::from_value(text.into()).unwrap()
    }

    #[test]
    fn terms_end_where_the_texts_say() {
        // 5 CFR 2634.201(e) example 3: leaves 7 March 2015, report by 6 April.
        assert_eq!(day("2015-03-07").plus_days(30), day("2015-04-06"));
        assert_eq!(day("2024-01-31").plus_months(1), day("2024-02-29"));
        assert_eq!(day("2026-03-05").days_since(day("2026-02-28")), 5);
    }

    #[test]
    fn business_days_skip_weekends_and_holidays() {
        assert_eq!(day("2026-07-01").plus_business_days(3), day("2026-07-07"));
        assert_eq!(day("2026-07-01").plus_business_days(0), day("2026-07-01"));
        assert!(serde_json::from_value::<Day>("2026-02-30".into()).is_err());
    }
}
