//! What a product, an option or a bond is on: the name inside its name.

use crate::clean::Cleaned;
use crate::strip::tokens;
use crate::words::{BASKETS, HARD_LEGAL, PRODUCT_WORDS};

/// What is left of a leveraged product's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Underlying {
    /// A market, metal or basket.
    Basket,
    /// Words that should be one issuer's name, and the word as written where it is one in capitals: a ticker, perhaps.
    Name(String, Option<String>),
}

/// The name inside a leveraged product's name.
pub(crate) fn of_product(cleaned: &Cleaned) -> Underlying {
    let own_symbols: Vec<&str> = cleaned
        .marks
        .iter()
        .filter_map(|m| match m {
            crate::clean::Mark::Symbol(s) | crate::clean::Mark::NamedSymbol(s) => Some(s.as_str()),
            _ => None,
        })
        .filter(|s| !s.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    let text: String = own_symbols.iter().fold(cleaned.text.clone(), |text, s| text.replace(&format!("({s})"), " "));
    let all = tokens(&text);
    let left: Vec<String> = all.iter().filter(|t| !PRODUCT_WORDS.contains(&t.as_str())).cloned().collect();
    if left.is_empty() || left.iter().any(|t| BASKETS.contains(&t.as_str())) {
        return Underlying::Basket;
    }
    let symbol = match left.as_slice() {
        [one] => {
            text.split(|c: char| !c.is_ascii_alphanumeric()).find(|w| w.len() >= 2 && *w == one.to_ascii_uppercase()).map(str::to_owned)
        }
        _ => None,
    };
    Underlying::Name(left.join(" "), symbol)
}

/// The name inside an option's description, and the ticker in brackets or in the option's code.
pub(crate) fn of_option(text: &str) -> (String, Option<String>) {
    let (outside, brackets) = split_brackets(text);
    let mut symbol = brackets.into_iter().find(|b| (1..=6).contains(&b.len()) && b.bytes().all(|c| c.is_ascii_uppercase() || c == b'.'));
    let mut name = Vec::new();
    for word in outside.split(' ').filter(|w| !w.is_empty()) {
        if is_option_code(word) {
            let root = word.find(|c: char| c.is_ascii_digit()).and_then(|at| word.get(..at)).unwrap_or_default();
            symbol = symbol.or_else(|| Some(root.to_owned()));
            continue;
        }
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let leads = name.is_empty()
            && matches!(
                bare.as_str(),
                "call" | "calls" | "put" | "puts" | "written" | "covered" | "options" | "option" | "on" | "stock" | "vested" | "unvested"
            );
        if leads || bare.is_empty() && !word.contains('&') {
            continue;
        }
        if ends_name(&bare) || word.starts_with('$') {
            break;
        }
        name.push(word);
    }
    (name.join(" ").trim_end_matches([',', ':', '-', ' ']).to_owned(), symbol)
}

/// The name before a bond's terms.
pub(crate) fn of_bond(text: &str) -> String {
    let (outside, _) = split_brackets(text);
    // "Quill Secured Finance LLP 11.9%": a word of terms before the legal form is the name's own.
    let number = |w: &&str| w.starts_with(|c: char| c.is_ascii_digit()) && w.contains(['%', '/', '.']);
    let before: Vec<&str> = outside.split(' ').filter(|w| !w.is_empty()).take_while(|w| !number(w)).collect();
    let form = |w: &&str| HARD_LEGAL.contains(&plain(w).as_str()) || plain(w) == "llp";
    if let Some(at) = before.iter().skip(1).position(form) {
        return before.iter().take(at + 2).copied().collect::<Vec<_>>().join(" ");
    }
    let mut name = Vec::new();
    for word in outside.split(' ').filter(|w| !w.is_empty()) {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let terms = matches!(
            bare.as_str(),
            "bond"
                | "bonds"
                | "note"
                | "notes"
                | "nt"
                | "nts"
                | "senior"
                | "sr"
                | "subord"
                | "sub"
                | "mtn"
                | "debenture"
                | "deb"
                | "rate/coupon"
                | "rate"
                | "matures"
                | "due"
                | "dtd"
                | "b/e"
                | "be"
                | "ser"
                | "series"
                | "hybrid"
                | "medium"
                | "unsecured"
                | "secured"
                | "callable"
                | "call"
                | "float"
                | "variable"
                | "cpn"
                | "cusip"
                | "isin"
                | "term"
                | "fixed"
                | "loan"
        );
        let number =
            !name.is_empty() && bare.starts_with(|c: char| c.is_ascii_digit()) && (word.contains(['%', '/', '.']) || bare.len() > 3);
        if terms && !name.is_empty() || number {
            break;
        }
        name.push(word);
    }
    name.join(" ").trim_end_matches([',', ':', '-', ' ']).to_owned()
}

/// A listed option's code, as the Options Clearing Corporation writes it: root, six digits of date, C or P, eight digits of price.
pub(crate) fn is_option_code(word: &str) -> bool {
    let Some((root, rest)) = word.find(|c: char| c.is_ascii_digit()).and_then(|at| word.split_at_checked(at)) else { return false };
    let shape: Vec<bool> = rest.bytes().map(|b| b.is_ascii_digit()).collect();
    let side = rest.get(6..7);
    let digits = shape.iter().enumerate().all(|(i, d)| *d == (i != 6));
    (1..=6).contains(&root.len())
        && root.bytes().all(|b| b.is_ascii_uppercase())
        && rest.len() == 15
        && matches!(side, Some("C" | "P"))
        && digits
}

fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The name a structured note pays by: behind "autocall" and "linked to".
pub(crate) fn of_note(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let (at, label) = ["autocallable", "autocall", "linked to"].iter().find_map(|l| Some((lower.find(l)?, l)))?;
    let rest = text.get(at + label.len()..)?;
    let words = rest.split(' ').filter(|w| !w.is_empty() && !matches!(*w, "on" | "to"));
    let name: Vec<&str> = words
        .take_while(|w| {
            !w.starts_with(|c: char| c.is_ascii_digit()) && !matches!(plain(w).as_str(), "due" | "ratecoupon" | "matures" | "rate")
        })
        .collect();
    (!name.is_empty()).then(|| name.join(" "))
}

fn ends_name(bare: &str) -> bool {
    const MONTHS: &[&str] = &[
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "oct",
        "nov",
        "dec",
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    const TERMS: &[&str] = &[
        "call",
        "calls",
        "put",
        "puts",
        "option",
        "options",
        "strike",
        "exp",
        "expires",
        "expiration",
        "expiring",
        "open",
        "closed",
        "position",
        "written",
        "vested",
        "unvested",
        "stock",
        "nonstatutory",
        "incentive",
        "contracts",
        "contract",
        "at",
    ];
    MONTHS.contains(&bare) || TERMS.contains(&bare) || bare.starts_with(|c: char| c.is_ascii_digit()) && bare.contains('/')
}

/// What stands outside brackets, and what inside each.
fn split_brackets(text: &str) -> (String, Vec<String>) {
    let (mut outside, mut inside, mut current) = (String::new(), Vec::new(), None::<String>);
    for c in text.chars() {
        match (&mut current, c) {
            (None, '(') => current = Some(String::new()),
            (None, c) => outside.push(c),
            (Some(_), ')') => {
                inside.extend(current.take());
                outside.push(' ');
            }
            (Some(held), c) => held.push(c),
        }
    }
    outside.push_str(&current.unwrap_or_default());
    (outside, inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(text: &str) -> Underlying {
        of_product(&crate::clean::clean(text))
    }

    #[test]
    fn products_name_what_they_are_on() {
        let name = |n: &str, s: Option<&str>| Underlying::Name(n.to_owned(), s.map(str::to_owned));
        assert_eq!(product("GraniteShares 2x Long QLL Daily ETF"), name("qll", Some("QLL")));
        assert_eq!(product("T-Rex 2X Inverse Quill Daily Target ETF (QLZ)"), name("quill", None));
        assert_eq!(product("CSOP Quill Daily (-2x) Inverse Product"), name("quill", None));
        assert_eq!(product("Direxion Daily Semiconductor Bull 3X Shares (SOXL)"), Underlying::Basket);
        assert_eq!(product("ProShares Short Nasdaq"), Underlying::Basket);
    }

    #[test]
    fn options_name_what_they_are_on() {
        let on = |n: &str, s: Option<&str>| (n.to_owned(), s.map(str::to_owned));
        assert_eq!(of_option("CALL (QLL) QUILL-PEN CORP JUL 18 25 $155 (100 SHS)"), on("QUILL-PEN CORP", Some("QLL")));
        assert_eq!(of_option("Quill.com, Inc, open position for written call option, $230 strike"), on("Quill.com, Inc", None));
        assert_eq!(of_option("QLL250117C00120000"), on("", Some("QLL")));
        assert_eq!(of_option("Call Quill Lines Inc (QLL) Jul 18 25 $65"), on("Quill Lines Inc", Some("QLL")));
    }

    #[test]
    fn bonds_name_who_owes() {
        assert_eq!(of_bond("QUILL CORP HYBRID MTN 01/20/2028 USD SR LIEN"), "QUILL CORP");
        assert_eq!(of_bond("Quill & Ink 3.5% 060324"), "Quill & Ink");
        assert_eq!(of_bond("Quill Inc (Bond)"), "Quill Inc");
        assert_eq!(of_bond("Quill Secured Finance LLP 11.93 08/28/28 Bond"), "Quill Secured Finance LLP");
        assert_eq!(of_note("QB Contingent Autocall on Quill Corp 9% due 9/5/27").unwrap(), "Quill Corp");
    }
}
