//! Ticker symbols as filers write them.

use core::fmt;

/// A symbol in the form of the SEC's list: upper case, a share class after `-` (`BRK-B`), at most 12 characters.
///
/// Whether anybody trades under it is the catalogue's to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticker(String);

/// What a ticker cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TickerCell {
    /// Nothing, or a sign for nothing (`--`, `N/A`).
    None,
    /// One symbol.
    One(Ticker),
    /// Two or more different symbols, in order, or one beside a sign for nothing: a two-leg exchange, or a list. Which one the row means is not
    /// to be guessed.
    Several(Vec<Ticker>),
    /// Text that is no symbol.
    Unreadable(String),
}

impl Ticker {
    /// Takes one symbol: `BRK.B`, `brk-b`, `BRK/B` and `BRK B` are the same; a leading `$` or `*` and an exchange before a colon are dropped.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim().rsplit(':').next().unwrap_or_default().trim();
        let text = text.trim_start_matches(['$', '*']).trim_end_matches(['*', '.', ',']);
        let mut symbol = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                c if c.is_ascii_alphanumeric() => symbol.push(c.to_ascii_uppercase()),
                '.' | '-' | '/' | ' ' | '_' if !symbol.ends_with('-') => symbol.push('-'),
                _ => return None,
            }
        }
        let letters = symbol.bytes().any(|b| b.is_ascii_uppercase());
        let parts = symbol.split('-').count();
        let edges = symbol.starts_with('-') || symbol.ends_with('-');
        (letters && parts <= 2 && !edges && symbol.len() <= 12).then_some(Self(symbol))
    }

    /// The symbol.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Five letters ending in X: how Nasdaq marks mutual funds, and nothing else.
    pub fn is_mutual_fund(&self) -> bool {
        self.0.len() == 5 && self.0.ends_with('X') && self.0.bytes().all(|b| b.is_ascii_uppercase())
    }

    /// The same symbol as other sources spell it: `BRKB` for `BRK-B`.
    pub(crate) fn with_class_split(&self) -> Option<String> {
        let (root, class) = self.0.split_at_checked(self.0.len().checked_sub(1)?)?;
        (root.len() >= 2 && !self.0.contains('-')).then(|| format!("{root}-{class}"))
    }
}

impl fmt::Display for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TickerCell {
    /// Reads a ticker cell: HTML links and entities go, several symbols stay several.
    pub fn read(cell: &str) -> Self {
        let text = crate::clean::clean(cell).text;
        let bare = text.trim_matches(|c: char| !c.is_alphanumeric());
        if bare.is_empty() || matches!(bare.to_ascii_lowercase().as_str(), "n/a" | "na" | "none" | "null" | "unknown") {
            return Self::None;
        }
        if let Some(one) = Self::single(&text) {
            return Self::One(one);
        }
        let mut symbols: Vec<Ticker> = Vec::new();
        for part in text.split([' ', ',', ';', '|', '&']).filter(|p| p.chars().any(char::is_alphanumeric)) {
            match Ticker::new(part) {
                Some(t) if !symbols.contains(&t) => symbols.push(t),
                Some(_) => {}
                None => return Self::Unreadable(text),
            }
        }
        // "--" beside a symbol: of the two legs of an exchange, one has no symbol.
        let legs = text.split(' ').any(|p| p == "--");
        match (symbols.len(), symbols.pop()) {
            (1, Some(one)) if !legs => Self::One(one),
            (_, Some(last)) => {
                symbols.push(last);
                Self::Several(symbols)
            }
            _ => Self::Unreadable(text),
        }
    }

    /// One symbol, unless a blank in it parts two: `BRK B` is one, `AB CDE` is two.
    fn single(text: &str) -> Option<Ticker> {
        let text = text.rsplit(':').next().unwrap_or_default().trim();
        let parted = text.split_once(' ').is_some_and(|(_, class)| class.len() != 1);
        // Two symbols are also parted by a slash; the classes of one symbol have a letter or two.
        let slashed = text.split_once('/').is_some_and(|(_, class)| class.len() > 2);
        if parted || slashed { None } else { Ticker::new(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> TickerCell {
        TickerCell::One(Ticker(text.to_owned()))
    }

    #[test]
    fn class_shares_have_one_spelling() {
        for text in ["BRK.B", "BRK-B", "BRK/B", "brk b", "$BRK.B", "NYSE: BRK.B"] {
            assert_eq!(TickerCell::read(text), one("BRK-B"), "{text}");
        }
        assert_eq!(Ticker::new("BRKB").unwrap().with_class_split().unwrap(), "BRK-B");
    }

    #[test]
    fn links_and_signs_for_nothing() {
        assert_eq!(TickerCell::read(r#"<a href="https://example.org/q?s=XYZQ" target="_blank">XYZQ</a>"#), one("XYZQ"));
        for text in ["--", "", "  ", "N/A", "&nbsp;", "—"] {
            assert_eq!(TickerCell::read(text), TickerCell::None, "{text}");
        }
    }

    #[test]
    fn two_symbols_are_ambiguous() {
        let two = |text| matches!(TickerCell::read(text), TickerCell::Several(s) if s.len() == 2);
        assert!(two("ABC DEF") && two("ABC, DEF") && two("<a href='x'>ABC</a><br><a href='y'>DEF</a>"));
        assert!(matches!(TickerCell::read("-- <br> <a href='x'>ABC</a>"), TickerCell::Several(s) if s.len() == 1));
        assert_eq!(TickerCell::read("ABC, abc"), one("ABC"));
        assert!(matches!(TickerCell::read("see note below!"), TickerCell::Unreadable(_) | TickerCell::Several(_)));
    }

    #[test]
    fn mutual_funds_by_their_symbol() {
        assert!(Ticker::new("ABCDX").unwrap().is_mutual_fund());
        assert!(!Ticker::new("ABCX").unwrap().is_mutual_fund());
    }
}
