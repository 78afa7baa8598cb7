//! Dates as filers write them.

use countersign_entry::ids::Date;
use countersign_entry::time::DAY;
use serde::{Deserialize, Serialize};

use crate::limits::YEARS;

/// The order of day and month where a date is written with slashes. ISO dates are read under each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateForm {
    /// Nothing but `YYYY-MM-DD`.
    #[default]
    Iso,
    /// `MM/DD/YYYY`, `M/D/YY`: the forms of the United States.
    MonthFirst,
    /// `DD/MM/YYYY`.
    DayFirst,
}

/// A date and what was assumed to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadDate {
    /// The date.
    pub date: Date,
    /// The year had two digits and was taken as the latest one not after the day the file was received.
    pub short_year: bool,
}

/// Why a text is no date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DateFault {
    /// Nothing there.
    #[error("no date")]
    Blank,
    /// Not written as a date of the form.
    #[error("{0:?} is not a date")]
    Unreadable(String),
    /// No such day in the calendar.
    #[error("{0:?} is a day the calendar does not have")]
    Impossible(String),
    /// A year nobody can have meant.
    #[error("{0:?} has a garbled year")]
    GarbledYear(String),
    /// After the day the file was received.
    #[error("{0:?} lies after the day the file was received")]
    Future(String),
}

/// Reads a date. `received` is the day the file came in; a two-digit year is the latest that does not lie after it.
///
/// # Errors
/// What is wrong with the text.
pub fn read_date(text: &str, form: DateForm, received: &Date) -> Result<ReadDate, DateFault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(DateFault::Blank);
    }
    let unreadable = || DateFault::Unreadable(text.to_owned());
    let (separator, iso) = if text.contains('/') { ('/', false) } else { ('-', true) };
    let parts: Vec<&str> = text.split(separator).collect();
    let (year, month, day) = match (parts.as_slice(), iso, form) {
        ([y, m, d], true, _) if y.len() == 4 && m.len() == 2 && d.len() == 2 => (*y, *m, *d),
        ([m, d, y], false, DateForm::MonthFirst) => (*y, *m, *d),
        ([d, m, y], false, DateForm::DayFirst) => (*y, *m, *d),
        _ => return Err(unreadable()),
    };
    let short_year = year.len() == 2;
    if !(short_year || year.len() == 4) || !(1..=2).contains(&month.len()) || !(1..=2).contains(&day.len()) {
        return Err(unreadable());
    }
    let [year, month, day] = [year, month, day].map(number);
    let (Some(year), Some(month), Some(day)) = (year, month, day) else { return Err(unreadable()) };
    let year = if short_year { century(year, month, day, received) } else { year };
    let date = Date::new(format!("{year:04}-{month:02}-{day:02}")).map_err(|_| DateFault::Impossible(text.to_owned()))?;
    if !YEARS.contains(&year) {
        return Err(DateFault::GarbledYear(text.to_owned()));
    }
    Ok(ReadDate { date, short_year })
}

/// Reads a date of something that has happened: none after `received`.
///
/// # Errors
/// As [`read_date`], [`DateFault::Future`], and [`DateFault::GarbledYear`] where the date lies in a later year than the file.
pub fn read_past_date(text: &str, form: DateForm, received: &Date) -> Result<ReadDate, DateFault> {
    let read = read_date(text, form, received)?;
    let year = |d: &Date| d.as_str().get(..4).map(str::to_owned);
    match read.date > *received {
        false => Ok(read),
        true if year(&read.date) > year(received) => Err(DateFault::GarbledYear(text.trim().to_owned())),
        true => Err(DateFault::Future(text.trim().to_owned())),
    }
}

/// Whether markets were closed for the weekend; none for a date before 1970.
pub fn is_weekend(date: &Date) -> Option<bool> {
    // The first day of the epoch was a Thursday.
    let weekday_from_monday = (date.start()?.value() / DAY + 3) % 7;
    Some(weekday_from_monday >= 5)
}

fn number(text: &str) -> Option<u16> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

fn century(year: u16, month: u16, day: u16, received: &Date) -> u16 {
    let late = 2000 + year;
    if format!("{late:04}-{month:02}-{day:02}").as_str() <= received.as_str() { late } else { 1900 + year }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn us(text: &str) -> Result<String, DateFault> {
        read_past_date(text, DateForm::MonthFirst, &Date::new("2026-06-30").unwrap()).map(|r| r.date.to_string())
    }

    #[test]
    fn dates_as_filers_write_them() {
        for (text, date) in [
            ("04/14/2026", "2026-04-14"),
            ("4/4/2026", "2026-04-04"),
            ("4/4/26", "2026-04-04"),
            ("4/4/87", "1987-04-04"),
            ("7/1/26", "1926-07-01"),
            (" 2025-04-10 ", "2025-04-10"),
            ("02/29/2024", "2024-02-29"),
        ] {
            let read = us(text);
            if date.starts_with("1926") {
                // A short year that would lie ahead falls a century back, where nobody traded: refused, not guessed.
                assert!(matches!(read, Err(DateFault::GarbledYear(_))), "{text}");
            } else {
                assert_eq!(read.unwrap(), date, "{text}");
            }
        }
        assert_eq!(read_date("14/04/2026", DateForm::DayFirst, &Date::new("2026-06-30").unwrap()).unwrap().date.as_str(), "2026-04-14");
    }

    #[test]
    fn each_kind_of_bad_date_has_its_reason() {
        assert!(matches!(us("1/33/2026"), Err(DateFault::Impossible(_))));
        assert!(matches!(us("02/29/2025"), Err(DateFault::Impossible(_))));
        assert!(matches!(us("13/01/2025"), Err(DateFault::Impossible(_))));
        assert!(matches!(us("09/19/2202"), Err(DateFault::GarbledYear(_))));
        assert!(matches!(us("2225-01-02"), Err(DateFault::GarbledYear(_))));
        assert!(matches!(us("0202-01-02"), Err(DateFault::GarbledYear(_))));
        assert!(matches!(us("07/01/2026"), Err(DateFault::Future(_))));
        assert!(matches!(us("07/01/2027"), Err(DateFault::GarbledYear(_))));
        assert!(matches!(us(""), Err(DateFault::Blank)));
        for bad in ["04/14", "04/14/026", "4-14-2026", "April 14", "04/14/2026 10:00", "+4/14/2026", "٤/14/2026", "2026-4-1"] {
            assert!(matches!(us(bad), Err(DateFault::Unreadable(_))), "{bad}");
        }
        assert!(read_date("04/14/2026", DateForm::Iso, &Date::new("2026-06-30").unwrap()).is_err());
    }

    #[test]
    fn weekends() {
        let weekend = |d: &str| is_weekend(&Date::new(d).unwrap());
        assert_eq!((weekend("2026-05-08"), weekend("2026-05-09"), weekend("2026-05-10")), (Some(false), Some(true), Some(true)));
        assert_eq!(weekend("1970-01-01"), Some(false));
        assert_eq!(weekend("1969-12-31"), None);
    }

    proptest! {
        #[test]
        fn both_spellings_agree(y in 1950u16..=2026, m in 1u8..=14, d in 0u8..=32) {
            let received = Date::new("2026-12-31").unwrap();
            let read = |t: String| read_past_date(&t, DateForm::MonthFirst, &received).ok().map(|r| r.date);
            prop_assert_eq!(read(format!("{y:04}-{m:02}-{d:02}")), read(format!("{m}/{d}/{y}")));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9/\\- ]{0,12}") {
            let received = Date::new("2026-12-31").unwrap();
            if let Ok(r) = read_past_date(&text, DateForm::MonthFirst, &received) {
                prop_assert!(r.date <= received);
            }
        }
    }
}
