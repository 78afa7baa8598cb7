//! Identifiers with check digits. A text that fails its check is not the identifier, whatever its shape.
//!
//! Sources: ISO 17442-1 (LEI, check by ISO/IEC 7064 mod 97-10), ISO 6166 (ISIN), ANSI X9.6 (CUSIP), the OMG's Financial Instrument Global
//! Identifier (FIGI). A CIK is the SEC's Central Index Key and has no check digit. Nothing here says that an identifier was ever issued.

use core::fmt;

/// Why a text is not the identifier it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Wrong length or characters.
    #[error("{0} {1}")]
    Shape(&'static str, &'static str),
    /// The check digit does not fit.
    #[error("{0} has the wrong check digit")]
    Check(&'static str),
}

macro_rules! checked {
    ($(#[$doc:meta])* $name:ident, $parse:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks and takes a text; letter case does not matter, the identifier is kept in upper case.
            ///
            /// # Errors
            /// Says what the shape is, or that the check digit is wrong.
            pub fn new(text: &str) -> Result<Self, IdentifierError> {
                $parse(&text.trim().to_ascii_uppercase()).map(Self)
            }

            /// The identifier.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl core::str::FromStr for $name {
            type Err = IdentifierError;
            fn from_str(text: &str) -> Result<Self, IdentifierError> {
                Self::new(text)
            }
        }
    };
}

checked!(
    /// The SEC's Central Index Key: 1 to 10 digits, kept in the ten-digit form.
    Cik, cik
);
checked!(
    /// Legal Entity Identifier: 18 letters or digits and two check digits.
    Lei, lei
);
checked!(
    /// International Securities Identification Number: two letters, nine letters or digits, one check digit.
    Isin, isin
);
checked!(
    /// CUSIP: eight characters of an issuer and issue, one check digit. `*`, `@` and `#` count as characters.
    Cusip, cusip
);
checked!(
    /// Financial Instrument Global Identifier: two letters, `G`, eight consonants or digits, one check digit.
    Figi, figi
);

/// An identifier found inside other text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Found {
    /// An ISIN.
    Isin(Isin),
    /// A CUSIP.
    Cusip(Cusip),
}

impl Found {
    /// One text for one security: a US or Canadian ISIN holds the CUSIP, so either finds the other.
    pub(crate) fn key(&self) -> String {
        match self {
            Found::Cusip(cusip) => cusip.as_str().to_owned(),
            Found::Isin(isin) => {
                let inner = isin.as_str().get(2..11).filter(|_| isin.as_str().starts_with("US") || isin.as_str().starts_with("CA"));
                inner.unwrap_or(isin.as_str()).to_owned()
            }
        }
    }
}

/// Every ISIN and CUSIP in a text, in order, in whatever case and glued to whatever label ("Isin#Ie0005711209").
///
/// An ISIN counts wherever it stands alone between characters that are not letters or digits, or directly after the word ISIN. A CUSIP, nine
/// characters with one check digit, comes about by chance too easily: it counts only after the word CUSIP, or where it holds both a letter
/// and at least five digits.
pub fn find(text: &str) -> Vec<Found> {
    let upper = text.to_ascii_uppercase();
    upper.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '*' | '@'))).scan(false, found_in_word).flatten().collect()
}

fn found_in_word(after_label: &mut bool, word: &str) -> Option<Option<Found>> {
    if word.is_empty() {
        return Some(None);
    }
    let (word, labelled) = unlabelled(word, *after_label);
    *after_label = matches!(word, "") && labelled || (*after_label && matches!(word, "NO" | "NUMBER" | "ID"));
    if let Ok(isin) = Isin::new(word) {
        return Some(Some(Found::Isin(isin)));
    }
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let likely = labelled || (digits >= 5 && digits < word.len());
    Some(if likely { Cusip::new(word).ok().map(Found::Cusip) } else { None })
}

/// A word without the label before it, and whether it has one, its own or the word before.
fn unlabelled(word: &str, after_label: bool) -> (&str, bool) {
    for label in ["ISIN", "CUSIP"] {
        if let Some(rest) = word.strip_prefix(label) {
            return (rest, true);
        }
    }
    (word, after_label)
}

fn cik(text: &str) -> Result<String, IdentifierError> {
    let digits = text.strip_prefix("CIK").map_or(text, |rest| rest.trim_start_matches(['-', ' ']));
    let fits = (1..=10).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && digits.bytes().any(|b| b != b'0');
    if fits { Ok(format!("{digits:0>10}")) } else { Err(IdentifierError::Shape("a CIK", "is 1 to 10 digits, not all zero")) }
}

fn lei(text: &str) -> Result<String, IdentifierError> {
    const SHAPE: IdentifierError = IdentifierError::Shape("an LEI", "is 18 letters or digits and 2 digits");
    let (body, check) = text.split_at_checked(18).ok_or(SHAPE)?;
    if !alphanumeric(body) || check.len() != 2 || !check.bytes().all(|b| b.is_ascii_digit()) {
        return Err(SHAPE);
    }
    let remainder = text.chars().filter_map(|c| c.to_digit(36)).fold(0, |sum, v| (if v < 10 { sum * 10 } else { sum * 100 } + v) % 97);
    // 00, 01 and 99 would pass for 97, 98 and 02: ISO/IEC 7064 never gives them.
    let given = matches!(check, "00" | "01" | "99");
    if remainder == 1 && !given { Ok(text.to_owned()) } else { Err(IdentifierError::Check("an LEI")) }
}

fn isin(text: &str) -> Result<String, IdentifierError> {
    const SHAPE: IdentifierError = IdentifierError::Shape("an ISIN", "is 2 letters, 9 letters or digits and a digit");
    let (country, rest) = text.split_at_checked(2).ok_or(SHAPE)?;
    let (body, check) = rest.split_at_checked(9).ok_or(SHAPE)?;
    if !country.bytes().all(|b| b.is_ascii_uppercase()) || !alphanumeric(body) || check.len() != 1 {
        return Err(SHAPE);
    }
    let check = check.chars().next().and_then(|c| c.to_digit(10)).ok_or(SHAPE)?;
    let mut digits = Vec::with_capacity(24);
    for v in country.chars().chain(body.chars()).filter_map(|c| c.to_digit(36)) {
        if v >= 10 {
            digits.push(v / 10);
        }
        digits.push(v % 10);
    }
    // Luhn: from the right, every other digit doubled, beginning with the one beside the check digit.
    let sum: u32 = digits.iter().rev().enumerate().map(|(i, d)| digit_sum(if i % 2 == 0 { d * 2 } else { *d })).sum();
    if (sum + check).is_multiple_of(10) { Ok(text.to_owned()) } else { Err(IdentifierError::Check("an ISIN")) }
}

fn cusip(text: &str) -> Result<String, IdentifierError> {
    const SHAPE: IdentifierError = IdentifierError::Shape("a CUSIP", "is 8 letters, digits, '*', '@' or '#' and a digit");
    let value = |c: char| match c {
        '*' => Some(36),
        '@' => Some(37),
        '#' => Some(38),
        c => c.to_digit(36),
    };
    let (body, check) = text.split_at_checked(8).ok_or(SHAPE)?;
    let values: Vec<u32> = body.chars().map(value).collect::<Option<_>>().ok_or(SHAPE)?;
    every_other_doubled(&values, check, SHAPE, "a CUSIP").map(|()| text.to_owned())
}

fn figi(text: &str) -> Result<String, IdentifierError> {
    const SHAPE: IdentifierError = IdentifierError::Shape("a FIGI", "is 2 consonants, G, 8 consonants or digits and a digit");
    let (body, check) = text.split_at_checked(11).ok_or(SHAPE)?;
    let consonant = |c: char| c.is_ascii_uppercase() && !matches!(c, 'A' | 'E' | 'I' | 'O' | 'U');
    let fits = body.chars().enumerate().all(|(i, c)| match i {
        0 | 1 => consonant(c),
        2 => c == 'G',
        _ => consonant(c) || c.is_ascii_digit(),
    });
    // Country codes that would make a FIGI read as an ISIN are never given out.
    let reserved = ["BS", "BM", "GG", "GB", "GH", "KY", "VG"].iter().any(|p| body.starts_with(p));
    if !fits || reserved {
        return Err(SHAPE);
    }
    let values: Vec<u32> = body.chars().filter_map(|c| c.to_digit(36)).collect();
    every_other_doubled(&values, check, SHAPE, "a FIGI").map(|()| text.to_owned())
}

/// Modulus 10 "double add double": from the left, every second value doubled, and the digits of each value added.
fn every_other_doubled(values: &[u32], check: &str, shape: IdentifierError, what: &'static str) -> Result<(), IdentifierError> {
    let check = match (check.len(), check.chars().next().and_then(|c| c.to_digit(10))) {
        (1, Some(check)) => check,
        _ => return Err(shape),
    };
    let sum: u32 = values.iter().enumerate().map(|(i, v)| digit_sum(if i % 2 == 1 { v * 2 } else { *v })).sum();
    if (10 - sum % 10) % 10 == check { Ok(()) } else { Err(IdentifierError::Check(what)) }
}

fn digit_sum(value: u32) -> u32 {
    value / 10 + value % 10
}

fn alphanumeric(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Examples that descriptions of the standards print.
    #[test]
    fn published_examples_pass() {
        assert!(Isin::new("US0378331005").is_ok());
        assert!(Isin::new("AU0000XVGZA3").is_ok());
        assert!(Cusip::new("037833100").is_ok());
        assert!(Cusip::new("38259P508").is_ok());
        assert!(Figi::new("BBG000BLNQ16").is_ok());
        assert!(Lei::new("5493001KJTIIGC8Y1R12").is_ok());
        assert_eq!(Cik::new("320193").unwrap().as_str(), "0000320193");
        assert_eq!(Cik::new("cik-0001045810").unwrap().as_str(), "0001045810");
    }

    #[test]
    fn shapes_that_are_not() {
        assert!(Cik::new("").is_err() && Cik::new("0000000000").is_err() && Cik::new("12345678901").is_err());
        assert!(Isin::new("U50378331005").is_err());
        assert!(Lei::new("5493001KJTIIGC8Y1RÄ2").is_err());
        assert!(Figi::new("GBG000BLNQ16").is_err());
        assert_eq!(Cusip::new("037833101"), Err(IdentifierError::Check("a CUSIP")));
    }

    #[test]
    fn identifiers_are_found_in_mangled_text() {
        assert_eq!(find("Irish Thing Isin#Ie0005711209 Class B"), [Found::Isin(Isin::new("IE0005711209").unwrap())]);
        assert_eq!(find("bond (Cusip 037833100)"), [Found::Cusip(Cusip::new("037833100").unwrap())]);
        assert_eq!(find("cusip: 38259p508, isin us0378331005").len(), 2);
        assert_eq!(find("CUSIP NO. 037833100").len(), 1);
        // Nine digits are a telephone number as often as a CUSIP.
        assert_eq!(find("account 037833100"), []);
        assert_eq!(find("Isin#Ie0005711208"), []);
    }
}
