//! Calendar arithmetic on dates: days, months, and business days with the federal holidays (5 U.S.C. 6103). Nothing here reads a clock.
//!
//! Holidays are computed for any year by the rules as they stand now. Not computed: days off that an executive order gives for once, and
//! Inauguration Day, which is a holiday around Washington alone (5 U.S.C. 6103(c)). A term that such a day would prolong ends a day early here.

use jiff::ToSpan;
use jiff::civil::{Date as Civil, Weekday};

use crate::ids::Date;

impl Date {
    fn civil(&self) -> Civil {
        // The constructor parsed the same text, so the default is never reached.
        self.as_str().parse().unwrap_or_default()
    }

    fn from_civil(date: Civil) -> Self {
        Self::new(date.to_string()).unwrap_or_else(|_| Self::of(crate::time::Micros::EPOCH))
    }

    /// So many days later, earlier where negative; held at the ends of the calendar.
    pub fn plus_days(&self, days: i64) -> Self {
        Self::from_civil(self.civil().saturating_add(days.clamp(-3_000_000, 3_000_000).days()).max(FIRST))
    }

    /// The same day of the month so many months later, the last of the month where it has no such day; held at the ends of the calendar.
    pub fn plus_months(&self, months: i32) -> Self {
        Self::from_civil(self.civil().saturating_add(months.clamp(-100_000, 100_000).months()).max(FIRST))
    }

    /// Whole days from an earlier date to this one; negative where that one is later.
    pub fn days_since(&self, earlier: &Self) -> i64 {
        self.civil().since(earlier.civil()).map_or(0, |span| i64::from(span.get_days()))
    }

    /// The year.
    pub fn year(&self) -> i16 {
        self.civil().year()
    }

    /// A day of a year; none where there is no such day.
    pub fn from_parts(year: i16, month: i8, day: i8) -> Option<Self> {
        Self::new(Civil::new(year, month, day).ok()?.to_string()).ok()
    }

    /// Whether it is neither Saturday, Sunday nor a federal holiday as observed (5 U.S.C. 6103(a) and (b); E.O. 11582 for Sundays).
    pub fn is_business_day(&self) -> bool {
        let date = self.civil();
        !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) && !is_holiday(date)
    }

    /// The last day of a term of so many business days that begins after this day. No business days: this day itself.
    pub fn plus_business_days(&self, days: u32) -> Self {
        let (mut at, mut left) = (self.clone(), days);
        while left > 0 {
            let next = at.plus_days(1);
            if next == at {
                return at;
            }
            left -= u32::from(next.is_business_day());
            at = next;
        }
        at
    }
}

/// The first day whose text has the form of a [`Date`] without a sign.
const FIRST: Civil = Civil::constant(0, 1, 1);

/// Whether a weekday is a holiday. Fixed ones move to Friday from a Saturday and to Monday from a Sunday.
fn is_holiday(date: Civil) -> bool {
    let shifted = |days: i64| fixed(date.saturating_add(days.days()));
    fixed(date)
        || match date.weekday() {
            Weekday::Friday => shifted(1),
            Weekday::Monday => shifted(-1) || holiday_monday(date),
            Weekday::Thursday => date.month() == 11 && (22..=28).contains(&date.day()),
            _ => false,
        }
}

/// New Year's Day, Juneteenth (since 2021), Independence Day, Veterans Day, Christmas.
fn fixed(date: Civil) -> bool {
    match (date.month(), date.day()) {
        (1, 1) | (7, 4) | (11, 11) | (12, 25) => true,
        (6, 19) => date.year() >= 2021,
        _ => false,
    }
}

/// The birthdays of King and Washington, Memorial Day, Labor Day, Columbus Day.
fn holiday_monday(monday: Civil) -> bool {
    let week = (monday.day() - 1) / 7 + 1;
    match monday.month() {
        1 | 2 => week == 3,
        5 => monday.day() > 24,
        9 => week == 1,
        10 => week == 2,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> Date {
        Date::new(text).unwrap()
    }

    fn weekend(d: &Date) -> bool {
        matches!(d.civil().weekday(), Weekday::Saturday | Weekday::Sunday)
    }

    fn holidays(year: &str) -> Vec<String> {
        let first = date(&format!("{year}-01-01"));
        let days = (0..366).map(|n| first.plus_days(n)).filter(|d| d.as_str().starts_with(year));
        days.filter(|d| !weekend(d) && !d.is_business_day()).map(|d| d.to_string()).collect()
    }

    /// The lists the Office of Personnel Management publishes.
    #[test]
    fn federal_holidays_as_published() {
        assert_eq!(
            holidays("2026"),
            [
                "2026-01-01",
                "2026-01-19",
                "2026-02-16",
                "2026-05-25",
                "2026-06-19",
                "2026-07-03",
                "2026-09-07",
                "2026-10-12",
                "2026-11-11",
                "2026-11-26",
                "2026-12-25"
            ]
        );
        // New Year's Day of 2022 was a Saturday: observed in the year before; Juneteenth and Christmas fell on Sundays.
        assert!(holidays("2021").contains(&"2021-12-31".to_owned()));
        assert!(holidays("2022").contains(&"2022-06-20".to_owned()) && holidays("2022").contains(&"2022-12-26".to_owned()));
        assert!(!holidays("2020").contains(&"2020-06-19".to_owned()), "Juneteenth became a holiday in 2021");
    }

    #[test]
    fn terms() {
        assert_eq!(date("2026-07-01").plus_business_days(3), date("2026-07-07"), "the third is observed, then a weekend");
        assert_eq!(date("2026-06-01").plus_business_days(5), date("2026-06-08"));
        assert_eq!(date("2026-06-06").plus_business_days(0), date("2026-06-06"));
        // 5 CFR 2634.201(e) example 3: leaves 7 March 2015, reports by 6 April.
        assert_eq!(date("2015-03-07").plus_days(30), date("2015-04-06"));
        assert_eq!(date("2024-01-31").plus_months(1), date("2024-02-29"));
        assert_eq!(date("2026-03-05").days_since(&date("2026-02-28")), 5);
        assert_eq!(date("9999-12-31").plus_days(9), date("9999-12-31"));
        assert_eq!(date("9999-12-31").plus_business_days(9), date("9999-12-31"));
        assert_eq!(date("0000-01-01").plus_days(-1), date("0000-01-01"));
        assert_eq!(Date::from_parts(2026, 2, 30), None);
    }

    proptest! {
        /// Against counting one day after another.
        #[test]
        fn business_days_are_those_counted(start in 0..60_000u64, days in 0..40u32) {
            let start = Date::of(crate::time::Micros::new(start * crate::time::DAY).unwrap());
            let end = start.plus_business_days(days);
            let between = (1..=end.days_since(&start)).filter(|n| start.plus_days(*n).is_business_day()).count();
            prop_assert_eq!(between, days as usize);
            prop_assert!(days == 0 || end.is_business_day());
        }
    }
}
