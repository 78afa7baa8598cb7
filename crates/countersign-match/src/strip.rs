//! A name to the words that tell companies apart: legal forms and share classes go, abbreviations are widened.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::words::{HARD_LEGAL, LEGAL, PLACES, SOFT_TAIL, TAIL, UNLISTED, WEAK, WIDENED};

/// A name, stripped. Two are compared by their keys, or by [`crate::similar`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stripped {
    /// The words left, in order. Never empty unless the name has no letter or digit.
    pub tokens: Vec<String>,
    /// Whether the name carries a legal form that listed companies do not have (`LLC`, `GmbH`).
    pub unlisted_form: bool,
    /// The first legal form, in one spelling; it only tells apart what is otherwise equal.
    pub form: Option<&'static str>,
}

impl Stripped {
    /// Strips a name, already cleaned.
    pub fn new(name: &str) -> Self {
        Self::of(tokens(&without_brackets(without_registry(name))))
    }

    /// Strips a name, keeping what stands in brackets: "QUILL (JOHN) CO".
    pub fn with_brackets(name: &str) -> Self {
        Self::of(tokens(without_registry(name)))
    }

    fn of(all: Vec<String>) -> Self {
        const SHARES: &[&str] = &["common", "cmn", "adr", "ads", "ordinary", "ord"];
        let any = |list: &[&str]| all.iter().skip(1).any(|t| list.contains(&t.as_str()));
        let unlisted_form = any(UNLISTED) && !any(SHARES);
        let form = all.iter().skip(1).find_map(|t| form(t));
        Self { tokens: strip(all), unlisted_form, form }
    }

    /// The words with blanks between.
    pub fn text(&self) -> String {
        self.tokens.join(" ")
    }

    /// The words in alphabetical order, with blanks between.
    pub fn sorted(&self) -> String {
        let mut sorted: Vec<&str> = self.tokens.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        sorted.join(" ")
    }

    /// Keys of equality, strictest first: the words run together; the words in alphabetical order; and both again without words that come
    /// and go (`group`, `holdings`).
    pub fn keys(&self) -> [String; 3] {
        let loose: Vec<&str> = self.tokens.iter().map(String::as_str).filter(|t| !WEAK.contains(t)).collect();
        let loose = if loose.is_empty() { String::new() } else { format!("~{}", loose.concat()) };
        [self.tokens.concat(), format!("={}", self.sorted()), loose]
    }

    /// Numbers and Roman numerals: two names that differ in one are two companies.
    pub fn numerals(&self) -> BTreeSet<&str> {
        const ROMAN: &[&str] = &["ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv", "xx"];
        let numeral = |t: &&str| t.bytes().any(|b| b.is_ascii_digit()) || ROMAN.contains(t);
        self.tokens.iter().map(String::as_str).filter(numeral).collect()
    }
}

/// Lower-case words of letters and digits: accents, apostrophes and "and" go, single letters in a row join ("J. P. M." is "jpm").
pub fn tokens(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut joining = false;
    let folded: String = text.nfkd().filter(|c| !is_combining_mark(*c) && *c != '\'').flat_map(char::to_lowercase).collect();
    for word in folded.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty() && *w != "and") {
        let single = word.len() == 1 && word.bytes().all(|b| b.is_ascii_lowercase());
        match out.last_mut() {
            Some(last) if single && joining => last.push_str(word),
            _ => out.push(word.to_owned()),
        }
        joining = single;
    }
    out
}

/// The SEC marks where a registrant is registered, or what it is, behind a slash: `/DE/`, `/ADR`, ` / MA`.
fn without_registry(name: &str) -> &str {
    let bare = name.trim_end_matches([' ', '/']);
    let Some((before, mark)) = bare.rsplit_once('/') else { return bare };
    let mark = mark.trim();
    let known = matches!(
        mark.to_ascii_lowercase().as_str(),
        "adr" | "can" | "new" | "old" | "cayman" | "cayman islands" | "bermuda" | "pred" | "fund"
    );
    let state = mark.len() == 2 && mark.bytes().all(|b| b.is_ascii_uppercase());
    if known || state { without_registry(before) } else { bare }
}

/// Without what stands in brackets, if anything stands outside.
fn without_brackets(name: &str) -> String {
    let mut depth = 0_u32;
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => {
                depth = depth.saturating_sub(1);
                out.push(' ');
            }
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    if out.chars().any(char::is_alphanumeric) { out } else { name.to_owned() }
}

fn form(word: &str) -> Option<&'static str> {
    Some(match word {
        "inc" | "incorporated" => "inc",
        "corp" | "corporation" | "cp" => "corp",
        "ltd" | "limited" => "ltd",
        "plc" => "plc",
        "lp" => "lp",
        "llc" => "llc",
        "nv" => "nv",
        "co" | "company" => "co",
        _ => return None,
    })
}

/// A word of a list, or one of its long words misspelt by a letter.
fn listed(list: &[&str], word: &str) -> bool {
    const LONG: &[&str] =
        &["common", "sponsored", "unsponsored", "depositary", "corporation", "incorporated", "preferred", "ordinary", "registered"];
    list.contains(&word) || (word.len() >= 6 && LONG.iter().any(|l| list.contains(l) && strsim::osa_distance(l, word) <= 1))
}

fn strip(mut tokens: Vec<String>) -> Vec<String> {
    if tokens.len() > 1 && tokens.first().is_some_and(|t| t == "the") {
        tokens.remove(0);
    }
    cut_at_phrase(&mut tokens);
    cut_after_form(&mut tokens);
    strip_tail(&mut tokens);
    // A legal form that is left stands in the middle.
    let whole = tokens.clone();
    let mut first = true;
    tokens.retain(|t| core::mem::take(&mut first) || !HARD_LEGAL.contains(&t.as_str()));
    if tokens.is_empty() {
        tokens = whole;
    }
    for token in &mut tokens {
        if let Some((_, wide)) = WIDENED.iter().find(|(short, _)| short == token) {
            *token = (*wide).to_owned();
        }
    }
    tokens
}

/// Cuts where two words begin what is never part of a name.
fn cut_at_phrase(tokens: &mut Vec<String>) {
    const FIRST: &[&str] = &["american", "public", "pub", "each", "common", "sponsored", "spon"];
    const SECOND: &[&str] =
        &["depositary", "depository", "limited", "ltd", "limi", "representing", "repstg", "stock", "shares", "units", "adr", "ads"];
    let begins = |pair: (&String, &String)| FIRST.contains(&pair.0.as_str()) && SECOND.contains(&pair.1.as_str());
    let at = tokens.iter().zip(tokens.iter().skip(1)).skip(1).position(begins);
    if let Some(at) = at {
        tokens.truncate(at + 1);
    }
}

/// Cuts behind a legal form where nothing but share classes, places and more forms follow.
fn cut_after_form(tokens: &mut Vec<String>) {
    let noise = |t: &String| {
        let t = t.as_str();
        listed(LEGAL, t) || listed(TAIL, t) || PLACES.contains(&t) || t.len() == 1
    };
    let form = (1..tokens.len()).find(|at| tokens.get(*at).is_some_and(|t| HARD_LEGAL.contains(&t.as_str())));
    if let Some(at) = form
        && tokens.iter().skip(at + 1).all(noise)
    {
        tokens.truncate(at);
    }
}

fn strip_tail(tokens: &mut Vec<String>) {
    let mut stripped = false;
    while tokens.len() > 1 {
        let Some(last) = tokens.last().map(String::as_str) else { break };
        let before = tokens.len().checked_sub(2).and_then(|at| tokens.get(at)).map_or("", String::as_str);
        let class_mark = matches!(before, "class" | "cl" | "series" | "ser") && last.len() <= 2;
        let legal = listed(LEGAL, last);
        // A soft word goes only where it cannot be the name's own: behind it something went already, or before it stands another such word.
        let soft = SOFT_TAIL.contains(&last) && !(stripped || listed(TAIL, before) || listed(LEGAL, before));
        if !(class_mark || legal || (listed(TAIL, last) && !soft)) {
            break;
        }
        stripped = stripped || !legal;
        tokens.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(name: &str) -> String {
        Stripped::new(name).text()
    }

    #[test]
    fn forms_and_classes_go() {
        for name in [
            "Quill, Inc.",
            "QUILL INC CMN",
            "The Quill Company",
            "Quill Inc. - Class A Common Stock",
            "QUILL CORP /DE/",
            "Quill Ltd./ADR",
            "Quill plc American Depositary Shares",
            "QUILL N.V. SPON ADR NEW",
            "Quill.com Inc",
            "QUILL INC (DELA)",
            "Quill Corp Washington",
            "Quill Corproation Commmon Stock",
            "QUILL CO/THE",
            "QUILL COS INC",
            "Quill Inc Cap Stk Cl A",
            "Quill New",
            "Quill Public Limited Company",
            "Quill S.A. American Depositary Shares Each Representing one common share",
        ] {
            assert_eq!(stripped(name), "quill", "{name}");
        }
    }

    #[test]
    fn words_of_the_name_stay() {
        assert_eq!(stripped("Quill Capital Corp"), "quill capital");
        assert_eq!(stripped("Bank of Quill"), "bank of quill");
        assert_eq!(stripped("Pan American"), "pan american");
        assert_eq!(stripped("Inc"), "inc");
        assert_eq!(stripped("Quill Partners"), "quill partners");
        assert_eq!(Stripped::with_brackets("QUILL (JOHN) CO COM STK").sorted(), Stripped::new("John Quill").sorted());
    }

    #[test]
    fn abbreviations_and_initials() {
        assert_eq!(stripped("QUILL INTL HLDGS"), stripped("Quill International Holdings, Inc."));
        assert_eq!(stripped("J. P. Quill & Co."), stripped("JP QUILL"));
        assert_eq!(Stripped::new("QUILL D R INC").sorted(), Stripped::new("D.R. Quill, Inc.").sorted());
        assert_eq!(stripped("Quill & Ink"), stripped("Quill and Ink"));
        assert_eq!(stripped("Éclat Lòrraine"), "eclat lorraine");
    }

    #[test]
    fn keys_part_and_join() {
        let keys = |name| Stripped::new(name).keys();
        assert_eq!(keys("Qui-ll Corp")[0], keys("Quill")[0]);
        assert_ne!(keys("Quill Acquisition II")[2], keys("Quill Acquisition III")[2]);
        assert_eq!(keys("Quill Group")[2], keys("Quill Holdings")[2]);
    }
}
