//! Value bands of the public forms (OGE Form 278e and 278-T, the House's and the Senate's periodic transaction reports), as whole US dollars.

use serde::{Deserialize, Serialize};

/// A range of whole US dollars, both ends inside; no upper end where the form has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Band {
    /// The least it can be.
    pub lo: u64,
    /// The most it can be.
    pub hi: Option<u64>,
}

/// A value as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// What it says; none where it says nothing.
    pub band: Option<Band>,
    /// How it says it.
    pub shape: AmountShape,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountShape {
    /// A range of the forms.
    Range,
    /// A range of the forms with a line break inside.
    BrokenRange,
    /// A range that is none of the forms'.
    OffForm,
    /// A range cut off after its lower end: the one band of the forms that starts there.
    CutOff,
    /// Dollars; a band of one dollar, or of two around cents.
    Exact,
    /// More than a sum.
    Over,
    /// None, or less than a sum.
    NoneOrLess,
    /// Blank, or a word for it.
    Blank,
}

/// Why a text is no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountFault {
    /// Not a value.
    #[error("{0:?} is not an amount of dollars or a range of the forms")]
    Unreadable(String),
    /// The upper end lies below the lower.
    #[error("{0:?} ends below where it starts")]
    Backwards(String),
    /// Cut off, and no band of the forms starts there.
    #[error("{0:?} is cut off and no band of the forms starts there")]
    NoSuchBand(String),
}

/// The bands of the forms: 5 CFR 2634.301(d) and 2634.309 for the executive branch, the same steps on the Hill, and the two lowest steps of the
/// House's asset schedule.
pub const FORM_BANDS: [(u64, u64); 10] = [
    (1, 1_000),
    (1_001, 15_000),
    (15_001, 50_000),
    (50_001, 100_000),
    (100_001, 250_000),
    (250_001, 500_000),
    (500_001, 1_000_000),
    (1_000_001, 5_000_000),
    (5_000_001, 25_000_000),
    (25_000_001, 50_000_000),
];

/// Reads a value.
///
/// # Errors
/// Text that is there and cannot be understood. Blank is no error: it is unknown.
pub fn read_amount(text: &str) -> Result<Amount, AmountFault> {
    let broken = text.trim().contains(['\n', '\r']);
    let flat = flatten(text);
    if flat.is_empty() || matches!(flat.as_str(), "-" | "--" | "n/a" | "unknown" | "unascertainable") {
        return Ok(Amount { band: None, shape: AmountShape::Blank });
    }
    if let Some(found) = worded(&flat) {
        return Ok(found);
    }
    let unreadable = || AmountFault::Unreadable(text.to_owned());
    let Some((lo, hi)) = flat.split_once('-') else {
        let (lo, hi) = dollars(&flat).ok_or_else(unreadable)?;
        return Ok(Amount { band: Some(Band { lo, hi: Some(hi) }), shape: AmountShape::Exact });
    };
    let (lo, _) = dollars(lo).ok_or_else(unreadable)?;
    if hi.trim().is_empty() {
        let (lo, hi) = FORM_BANDS.into_iter().find(|band| band.0 == lo).ok_or_else(|| AmountFault::NoSuchBand(text.to_owned()))?;
        return Ok(Amount { band: Some(Band { lo, hi: Some(hi) }), shape: AmountShape::CutOff });
    }
    let (_, hi) = dollars(hi).ok_or_else(unreadable)?;
    if hi < lo {
        return Err(AmountFault::Backwards(text.to_owned()));
    }
    let shape = match (FORM_BANDS.contains(&(lo, hi)), broken) {
        (false, _) => AmountShape::OffForm,
        (true, true) => AmountShape::BrokenRange,
        (true, false) => AmountShape::Range,
    };
    Ok(Amount { band: Some(Band { lo, hi: Some(hi) }), shape })
}

/// Lower case, one space between words, one kind of dash.
fn flatten(text: &str) -> String {
    let dashed: String = text.chars().map(|c| if matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}') { '-' } else { c }).collect();
    dashed.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// "Over $50,000,000", "Spouse/DC over $1,000,000", "None (or less than $1,001)", "$1,000,000 +".
fn worded(flat: &str) -> Option<Amount> {
    let sum = |text: &str| dollars(text.trim_end_matches(')'));
    let over = flat.rsplit_once("over ").filter(|(before, _)| matches!(before.trim(), "" | "spouse/dc" | "spouse/dependent child"));
    if let Some((_, rest)) = over {
        let (_, n) = sum(rest)?;
        return Some(Amount { band: Some(Band { lo: n.checked_add(1)?, hi: None }), shape: AmountShape::Over });
    }
    if let Some(rest) = flat.strip_suffix('+') {
        return Some(Amount { band: Some(Band { lo: sum(rest)?.0, hi: None }), shape: AmountShape::Over });
    }
    if flat == "none" {
        return Some(Amount { band: Some(Band { lo: 0, hi: Some(0) }), shape: AmountShape::NoneOrLess });
    }
    let less = flat.rsplit_once("less than ").filter(|(before, _)| matches!(before.trim(), "" | "none (or" | "none or"))?;
    let below = sum(less.1)?.0.checked_sub(1)?;
    Some(Amount { band: Some(Band { lo: 0, hi: Some(below) }), shape: AmountShape::NoneOrLess })
}

/// Whole dollars around a sum, below and above: equal but for cents.
fn dollars(text: &str) -> Option<(u64, u64)> {
    let text = text.trim();
    let text = text.strip_prefix('$').unwrap_or(text).trim();
    let (whole, cents) = text.split_once('.').unwrap_or((text, ""));
    if !grouped(whole) || cents.len() > 2 || !cents.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let lo: u64 = whole.replace(',', "").parse().ok()?;
    let more = cents.bytes().any(|b| b != b'0');
    Some((lo, if more { lo.checked_add(1)? } else { lo }))
}

/// Digits, with commas only where thousands have them: "1,0001" is a slip and not a number.
fn grouped(whole: &str) -> bool {
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let digits = |g: &str| !g.is_empty() && g.bytes().all(|b| b.is_ascii_digit());
    let plain = !whole.contains(',');
    digits(first) && (plain || first.len() <= 3) && groups.all(|g| g.len() == 3 && digits(g))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn band(text: &str) -> (u64, Option<u64>, AmountShape) {
        let a = read_amount(text).unwrap();
        let b = a.band.unwrap();
        (b.lo, b.hi, a.shape)
    }

    #[test]
    fn every_shape_of_the_forms() {
        use AmountShape::*;
        assert_eq!(band("$15,001 - $50,000"), (15_001, Some(50_000), Range));
        assert_eq!(band("$15,001 -\n$50,000"), (15_001, Some(50_000), BrokenRange));
        assert_eq!(band("$15,001 -\r\n$50,000"), (15_001, Some(50_000), BrokenRange));
        assert_eq!(band("15001\u{2013}50000"), (15_001, Some(50_000), Range));
        assert_eq!(band("$15,001 -"), (15_001, Some(50_000), CutOff));
        assert_eq!(band("$1,000,001 -"), (1_000_001, Some(5_000_000), CutOff));
        assert_eq!(band("$2,000 - $3,000"), (2_000, Some(3_000), OffForm));
        assert_eq!(band("$224.00"), (224, Some(224), Exact));
        assert_eq!(band("$1,118.07"), (1_118, Some(1_119), Exact));
        assert_eq!(band("Over $50,000,000"), (50_000_001, None, Over));
        assert_eq!(band("Spouse/DC over $1,000,000"), (1_000_001, None, Over));
        assert_eq!(band("$1,000,000 +"), (1_000_000, None, Over));
        assert_eq!(band("None (or less than $1,001)"), (0, Some(1_000), NoneOrLess));
        assert_eq!(band("None (or less than $201)"), (0, Some(200), NoneOrLess));
        for blank in ["", " ", "--", "\n"] {
            assert_eq!(read_amount(blank), Ok(Amount { band: None, shape: Blank }));
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for bad in
            ["lots", "$1,0001 - $15,000", "$-5", "-$5", "$1,001 - $15,000 - $3", "over lots", "$1.234", "$15,001 - $50,0", "$", "1e9"]
        {
            assert!(matches!(read_amount(bad), Err(AmountFault::Unreadable(_))), "{bad}: {:?}", read_amount(bad));
        }
        assert!(matches!(read_amount("$50,000 - $15,001"), Err(AmountFault::Backwards(_))));
        assert!(matches!(read_amount("$15,000 -"), Err(AmountFault::NoSuchBand(_))));
        assert!(read_amount("$99,999,999,999,999,999,999").is_err());
        assert!(matches!(read_amount("not over $5"), Err(AmountFault::Unreadable(_))));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[$0-9,. \\-\n+a-z()]{0,24}") {
            if let Ok(Amount { band: Some(b), .. }) = read_amount(&text) {
                prop_assert!(b.hi.is_none_or(|hi| b.lo <= hi));
            }
        }

        #[test]
        fn what_is_printed_is_read_back(lo in 0u64..100_000_000, more in 0u64..100_000_000) {
            let group = |n: u64| {
                let digits = n.to_string();
                let rest = digits.len() % 3;
                digits.char_indices().map(|(i, c)| if i > 0 && i % 3 == rest { format!(",{c}") } else { c.to_string() }).collect::<String>()
            };
            let read = read_amount(&format!("${} - ${}", group(lo), group(lo + more))).unwrap();
            prop_assert_eq!(read.band, Some(Band { lo, hi: Some(lo + more) }));
        }
    }
}
