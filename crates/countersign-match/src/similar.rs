//! How close two stripped names are.
//!
//! The stripping does the work; the measures only catch what is misspelt or cut short. None of them ever sees an unstripped name, and set or
//! partial ratios are not here: they link three funds in ten.

use crate::strip::Stripped;

/// Jaro-Winkler similarity a link by name needs.
pub const JARO_WINKLER_MIN: f64 = 0.92;
/// Token sort ratio a link by name needs.
pub const TOKEN_SORT_MIN: f64 = 0.80;
/// Jaro-Winkler similarity below which a name is not worth a person's time.
pub const CANDIDATE_MIN: f64 = 0.84;

/// Two names measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Jaro-Winkler of the stripped names, 0 to 1.
    pub jaro_winkler: f64,
    /// Twice the longest common subsequence over the length of both, of the names with their words sorted, 0 to 1.
    pub token_sort: f64,
    /// Whether the words pair off: same, misspelt by a letter or two, or cut short, with nothing left over that tells companies apart.
    pub words_pair: bool,
}

impl Measured {
    /// Measures two names.
    pub fn of(a: &Stripped, b: &Stripped) -> Self {
        Self {
            jaro_winkler: strsim::jaro_winkler(&a.text(), &b.text()).max(strsim::jaro_winkler(&a.tokens.concat(), &b.tokens.concat())),
            token_sort: indel(&a.sorted(), &b.sorted()),
            words_pair: a.numerals() == b.numerals() && pair(&a.tokens, &b.tokens, true),
        }
    }

    /// Close enough to link by name alone.
    pub fn close(&self) -> bool {
        self.jaro_winkler >= JARO_WINKLER_MIN && self.token_sort >= TOKEN_SORT_MIN && self.words_pair
    }

    /// The lesser of the two measures, in thousandths, rounded down.
    pub fn score(&self) -> u16 {
        thousandths(self.jaro_winkler.min(self.token_sort))
    }
}

/// Whether the shorter name's words all stand in the longer, the first ones paired: "Quill Scientific" in "Quill Scientific Instruments".
/// For use beside a ticker only.
pub fn begins_alike(a: &Stripped, b: &Stripped) -> bool {
    let first = match (a.tokens.first(), b.tokens.first()) {
        (Some(a), Some(b)) => same_word(a, b),
        _ => false,
    };
    let telling =
        |s: &Stripped| -> Vec<String> { s.tokens.iter().filter(|t| !crate::words::WEAK.contains(&t.as_str())).cloned().collect() };
    first && a.numerals() == b.numerals() && pair(&telling(a), &telling(b), false)
}

/// Whether two names are one company's as far as names tell: stripped equal, or close. For names alone, without a catalogue.
pub fn same_name(a: &str, b: &str) -> bool {
    let stripped = |name: &str| Stripped::new(&crate::clean::line(name));
    let (a, b) = (stripped(a), stripped(b));
    let equal = a.keys().iter().zip(b.keys().iter()).any(|(a, b)| !a.is_empty() && a == b);
    equal || Measured::of(&a, &b).close()
}

/// A share of one, in thousandths.
pub(crate) fn thousandths(share: f64) -> u16 {
    // In range by the clamp; a share is never NaN, and NaN would cast to 0.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let value = (share.clamp(0.0, 1.0) * 1000.0) as u16;
    value
}

/// Pairs every word of the shorter name with one of the longer; what is left over must be weak if `tight`.
fn pair(a: &[String], b: &[String], tight: bool) -> bool {
    const LEFT_OVER: &[&str] = &[
        "group",
        "holdings",
        "the",
        "us",
        "usa",
        "com",
        "class",
        "new",
        "reit",
        "of",
        "shares",
        "sponsored",
        "american",
        "inc",
        "corp",
        "co",
        "ltd",
        "plc",
        "sa",
        "nv",
        "ag",
    ];
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let mut left: Vec<&str> = long.iter().map(String::as_str).collect();
    let mut unpaired = Vec::new();
    for word in short {
        match left.iter().position(|w| *w == word).or_else(|| left.iter().position(|w| same_word(w, word))) {
            Some(at) => {
                left.remove(at);
            }
            None => unpaired.push(word.as_str()),
        }
    }
    // Words run together or apart, "jp morgan" and "jpmorgan", leave words on both sides that are one text.
    let joined =
        unpaired.concat() == left.concat() || (!unpaired.is_empty() && strsim::osa_distance(&unpaired.concat(), &left.concat()) <= 1);
    (unpaired.is_empty() && (!tight || left.iter().all(|w| LEFT_OVER.contains(w)))) || (joined && !left.is_empty())
}

/// The same word, misspelt by a letter (two from nine letters on), or cut short to three letters or more.
fn same_word(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short == long || (short.len() >= 3 && long.len() >= 5 && long.starts_with(short)) {
        return true;
    }
    let allowed = match short.chars().count() {
        0..=4 => 0,
        5..=8 => 1,
        _ => 2,
    };
    strsim::osa_distance(short, long) <= allowed
}

/// Insertions and deletions only: 2 x the longest common subsequence over the sum of the lengths.
fn indel(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let total = a.len() + b.len();
    if total == 0 {
        return 1.0;
    }
    // One row of the table at a time: row[j] is the length for the characters of `a` so far and the first j+1 of `b`.
    let mut row = vec![0_u32; b.len()];
    for x in &a {
        let (mut diagonal, mut left) = (0, 0);
        for (cell, y) in row.iter_mut().zip(&b) {
            let above = *cell;
            *cell = if x == y { diagonal + 1 } else { above.max(left) };
            (diagonal, left) = (above, *cell);
        }
    }
    #[allow(clippy::cast_precision_loss)]
    let ratio = 2.0 * f64::from(row.last().copied().unwrap_or(0)) / total as f64;
    ratio
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn measured(a: &str, b: &str) -> Measured {
        Measured::of(&Stripped::new(a), &Stripped::new(b))
    }

    /// The definition, slowly.
    fn common(a: &[char], b: &[char]) -> usize {
        match (a.split_first(), b.split_first()) {
            (Some((x, a_rest)), Some((y, b_rest))) if x == y => 1 + common(a_rest, b_rest),
            (Some((_, a_rest)), Some((_, b_rest))) => common(a_rest, b).max(common(a, b_rest)),
            _ => 0,
        }
    }

    proptest! {
        #[test]
        fn indel_is_its_definition(a in "[abc]{0,7}", b in "[abc]{0,7}") {
            let (x, y): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            let total = x.len() + y.len();
            let expected = if total == 0 { 1.0 } else { 2.0 * common(&x, &y) as f64 / total as f64 };
            prop_assert!((indel(&a, &b) - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn misspelt_names_are_close_and_neighbours_are_not() {
        assert!(measured("Quilldata Corp", "Quildata Inc").close());
        assert!(measured("Automatic Quill Processng", "Automatic Quill Processing").close());
        assert!(!measured("Northern Tower", "Northern Water").close());
        assert!(!measured("Quill Acquisition II", "Quill Acquisition III").close());
        assert!(!measured("Quill Bank", "Quill").close());
    }

    #[test]
    fn beside_a_ticker_a_beginning_is_enough() {
        let alike = |a, b| begins_alike(&Stripped::new(a), &Stripped::new(b));
        assert!(alike("Quill Scientific", "Quill Scientific Instruments Corp"));
        assert!(!alike("Scientific Instruments", "Quill Scientific Instruments Corp"));
        assert!(!alike("Quill Energy", "Quill Water"));
    }
}
