//! One raw cell to one line of plain text, and what stood in brackets around the name.
//!
//! Cleaning twice changes nothing: the steps are repeated until none of them finds anything.

use unicode_normalization::UnicodeNormalization;

/// Characters of a cell that are read; what follows is cut off.
pub const CHARS_MAX: usize = 1_000;

/// A cell, cleaned, and its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// The whole cell as one line: no markup, entities, mojibake, bullets, control characters or runs of blanks; NFKC.
    pub text: String,
    /// The text without account prefix, ticker prefix or suffix, and trailing brackets.
    pub name: String,
    /// What trailing brackets and prefixes said, in the order written.
    pub marks: Vec<Mark>,
}

/// One thing said beside the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// In trailing brackets or before a dash: may be a ticker, may be anything as short (`(ABC)`, `(CASH)`, `ABC - `).
    Symbol(String),
    /// A ticker that says it is one (`(symbol ABC)`, `(NYSE: ABC)`).
    NamedSymbol(String),
    /// An asset type code in square brackets (`[ST]`).
    AssetType(String),
    /// An exchange (`(NYSE)`).
    Exchange(String),
    /// An account that holds the asset (`Brokerage account #4: `).
    Account(String),
    /// Other words in brackets.
    Words(String),
}

/// Cleans a cell and takes it apart.
pub fn clean(raw: &str) -> Cleaned {
    let text = line(raw);
    let mut marks = Vec::new();
    let mut name = without_deed(&text);
    if let Some((account, rest)) = account(name) {
        marks.push(Mark::Account(account.to_owned()));
        name = rest;
    }
    while let Some((rest, inside, square)) = trailing_bracket(name) {
        marks.push(mark(inside, square));
        name = rest;
    }
    marks.reverse();
    while let Some((symbol, rest)) = leading_symbol(name) {
        marks.push(Mark::Symbol(symbol.to_owned()));
        name = rest;
    }
    if let Some((rest, symbol)) = trailing_symbol(name) {
        marks.push(Mark::Symbol(symbol.to_owned()));
        name = rest;
    }
    let name = name.trim().to_owned();
    Cleaned { text, name, marks }
}

/// "Purchase of Example Corp" is Example Corp.
fn without_deed(text: &str) -> &str {
    const DEEDS: [&str; 5] = ["Purchase of ", "Sale of ", "Partial sale of ", "Purchased ", "Sold "];
    let deed = DEEDS.iter().find(|d| text.get(..d.len()).is_some_and(|start| start.eq_ignore_ascii_case(d)));
    deed.and_then(|d| text.get(d.len()..)).filter(|rest| !rest.is_empty()).unwrap_or(text)
}

/// The whole cell as one clean line.
pub fn line(raw: &str) -> String {
    let mut text = cut(raw).to_owned();
    // Each step only removes or composes, so this ends; the bound says so to the reader too.
    for _ in 0..=CHARS_MAX {
        let next = cut(&pass(&text)).trim_end().to_owned();
        if next == text {
            break;
        }
        text = next;
    }
    text
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(CHARS_MAX).and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

fn pass(text: &str) -> String {
    let text = without_tags(&entities(text));
    let text: String = mojibake(&text).chars().filter(|c| !matches!(c, '™' | '®' | '©' | '℠')).nfkc().collect();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}' | '\u{fffd}' => {}
            '™' | '®' | '©' | '℠' => {}
            '•' | '◦' | '▪' | '●' | '■' | '·' | '‣' | '⁃' | '∙' => out.push(' '),
            '‘' | '’' | '‛' | '`' | '´' => out.push('\''),
            '“' | '”' | '„' | '«' | '»' => out.push('"'),
            '‐'..='―' | '−' => out.push('-'),
            c if c.is_whitespace() || c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    let mut line = String::with_capacity(out.len());
    for word in out.split(' ').filter(|w| !w.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// HTML character references, named and numbered. An unknown name stays.
fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        match after.split_once(';').and_then(|(name, tail)| Some((entity(name)?, tail))) {
            Some((c, tail)) => {
                out.push(c);
                rest = tail;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" | "AMP" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" | "rsquo" | "lsquo" => '\'',
        "nbsp" | "ensp" | "emsp" | "thinsp" => ' ',
        "ndash" | "mdash" | "minus" => '-',
        "reg" => '®',
        "trade" => '™',
        "copy" => '©',
        "bull" | "middot" => '•',
        "hellip" => '…',
        "eacute" => 'é',
        "egrave" => 'è',
        "agrave" => 'à',
        "aacute" => 'á',
        "oacute" => 'ó',
        "iacute" => 'í',
        "uacute" => 'ú',
        "ntilde" => 'ñ',
        "ccedil" => 'ç',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "szlig" => 'ß',
        "oslash" => 'ø',
        "aring" => 'å',
        _ => return None,
    })
}

/// Tags become blanks. A `<` that opens no tag stays: "yield <5%".
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let opens = after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!'));
        match after.split_once('>') {
            Some((_, tail)) if opens => {
                out.push(' ');
                rest = tail;
            }
            _ => {
                out.push('<');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// UTF-8 that was read as Windows-1252 and written again ("Â®", "Ã©", "â€™"), put right where the bytes do make characters.
fn mojibake(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (c, used) = decoded(rest).unwrap_or((first, first.len_utf8()));
        out.push(c);
        rest = rest.get(used..).unwrap_or_default();
    }
    out
}

/// The character that the start of `text` was before it was misread, and how many bytes of `text` it takes.
fn decoded(text: &str) -> Option<(char, usize)> {
    let lead = windows_1252(text.chars().next()?)?;
    let length = match lead {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let mut bytes = Vec::with_capacity(length);
    let mut used = 0;
    for c in text.chars().take(length) {
        bytes.push(windows_1252(c)?);
        used += c.len_utf8();
    }
    let c = core::str::from_utf8(&bytes).ok()?.chars().next()?;
    Some((c, used))
}

fn windows_1252(c: char) -> Option<u8> {
    // The positions where Windows-1252 differs from Latin-1.
    const DIFFERENT: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    match u32::from(c) {
        code @ 0x80..=0xff => u8::try_from(code).ok(),
        code if code < 0x80 => None,
        _ => DIFFERENT.chars().position(|d| d == c).and_then(|at| u8::try_from(at + 0x80).ok()),
    }
}

/// "Brokerage account #4: Example Corp" and "Brokerage acct #4- EXAMPLE CORP": the words before name an account, not the asset.
fn account(text: &str) -> Option<(&str, &str)> {
    // Not "trust": that is part of many a company's name.
    const WORDS: [&str; 15] = [
        "account",
        "accounts",
        "acct",
        "ira",
        "plan",
        "401(k)",
        "401k",
        "403(b)",
        "roth",
        "hsa",
        "sep",
        "brokerage",
        "custodial",
        "utma",
        "revocable",
    ];
    let accounts = |word: &str| WORDS.contains(&word.to_lowercase().as_str());
    let (before, after) =
        text.split_once(": ").or_else(|| numbered(text)).or_else(|| text.split_once("- ")).or_else(|| text.split_once(" -"))?;
    // A plan that is written of without an asset stays whole, so that it is known as a plan.
    let asset = after.split_whitespace().next().is_some_and(|w| !accounts(w));
    (asset && before.split([' ', '-', '#']).any(accounts)).then_some((before.trim(), after.trim()))
}

/// "acct #4-EXAMPLE CORP": the first dash behind the number, with or without a blank.
fn numbered(text: &str) -> Option<(&str, &str)> {
    let number = text.find('#')?;
    let dash = number + text.get(number..)?.find('-')?;
    let digits = text.get(number + 1..dash)?.trim();
    let fits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if fits { Some((text.get(..dash)?, text.get(dash + 1..)?)) } else { None }
}

fn trailing_bracket(text: &str) -> Option<(&str, &str, bool)> {
    let text = text.trim_end_matches([' ', ',', '.', ';', '*']);
    let (open, square) = if text.ends_with(')') {
        ('(', false)
    } else if text.ends_with(']') {
        ('[', true)
    } else {
        return None;
    };
    let at = text.rfind(open)?;
    let before = text.get(..at)?.trim_end_matches([' ', '-', ',']);
    let inside = text.get(at + 1..)?.trim_end_matches([')', ']']).trim();
    // "401(k)" is one word; a text that is nothing but brackets is its own name.
    let glued = text.get(..at)?.ends_with(|c: char| c.is_ascii_digit()) && inside.len() == 1;
    (!before.is_empty() && !glued).then_some((before, inside, square))
}

fn mark(inside: &str, square: bool) -> Mark {
    const FORMS: &[&str] = &[
        "REIT", "REITS", "PUBL", "DELA", "DEL", "NEW", "THE", "ADR", "ADS", "INC", "CORP", "LTD", "PLC", "COMMON", "STOCK", "HLDG",
        "HLDGS", "HOLDING", "UK", "USD",
    ];
    const EXCHANGES: &[&str] =
        &["NYSE", "NASDAQ", "NASDAQGS", "AMEX", "OTC", "NYSEARCA", "NYSE ARCA", "CBOE", "TSX", "LSE", "BATS", "OTCMKTS"];
    let upper = inside.to_ascii_uppercase();
    if square && upper.len() == 2 {
        return Mark::AssetType(upper);
    }
    if EXCHANGES.contains(&upper.as_str()) {
        return Mark::Exchange(upper);
    }
    for label in ["SYMBOL:", "SYMBOL ", "TICKER:", "TICKER ", "SYM:"] {
        if let Some(rest) = upper.strip_prefix(label) {
            return Mark::NamedSymbol(rest.trim().to_owned());
        }
    }
    if let Some((exchange, symbol)) = upper.split_once(':')
        && EXCHANGES.contains(&exchange.trim())
    {
        return Mark::NamedSymbol(symbol.trim().to_owned());
    }
    if FORMS.contains(&upper.as_str()) {
        return Mark::Words(inside.to_owned());
    }
    if symbol_like(inside.trim_start_matches('*'), true) { Mark::Symbol(inside.to_owned()) } else { Mark::Words(inside.to_owned()) }
}

/// "ABC - Abc Corp", "ABC-ABC-Abc Corp": only before a name that is not written in capitals, or a dash with blanks; "T-Bone" is a name.
fn leading_symbol(text: &str) -> Option<(&str, &str)> {
    let (symbol, rest) = text.split_once('-')?;
    let spaced = symbol.ends_with(' ') && rest.starts_with(' ');
    let (symbol, rest) = (symbol.trim(), rest.trim());
    // What follows begins again with the symbol, or with a word of its own in mixed case.
    let again = rest.strip_prefix(symbol).is_some_and(|r| r.starts_with('-'));
    let first = rest.split([' ', '-']).next().unwrap_or_default();
    let second = rest.split(' ').nth(1).is_some();
    // "QUI-LL CO" in capitals is a name; "QLL-Quill Inc" is not.
    let mixed = rest.bytes().any(|b| b.is_ascii_lowercase()) && first.starts_with(|c: char| c.is_ascii_uppercase());
    let own_word = first.len() > 1 && second && (mixed || spaced);
    let fits = symbol_like(symbol, false) && symbol.len() <= 5 && (symbol.len() > 1 || spaced) && (again || own_word);
    fits.then_some((symbol, rest))
}

/// "EXAMPLE SCIENTIFIC CORP - EXS".
fn trailing_symbol(text: &str) -> Option<(&str, &str)> {
    let (name, symbol) = text.rsplit_once(" - ")?;
    (symbol_like(symbol, false) && name.split(' ').count() > 1).then_some((name, symbol))
}

/// One to six letters or digits, perhaps with a class after a dot, dash or slash; in capitals unless `any_case`.
fn symbol_like(text: &str, any_case: bool) -> bool {
    let (root, class) = text.split_once(['.', '-', '/']).unwrap_or((text, ""));
    let fits = |part: &str, max: usize| {
        part.len() <= max && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || (any_case && b.is_ascii_lowercase()))
    };
    // Small letters only where all are small: "(lly)" is a ticker, "(Bond)" is a word.
    let mixed = text.bytes().any(|b| b.is_ascii_lowercase()) && text.bytes().any(|b| b.is_ascii_uppercase());
    let words = any_case && text.bytes().any(|b| b.is_ascii_lowercase()) && text.len() > 5;
    !root.is_empty() && !mixed && !words && fits(root, 6) && fits(class, 2) && root.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(text: &str) -> (String, Vec<Mark>) {
        let cleaned = clean(text);
        (cleaned.name, cleaned.marks)
    }

    #[test]
    fn markup_and_entities_go() {
        assert_eq!(line("Quill &amp; Ink <div class=\"muted\"><em>Rate:</em> 5%</div>"), "Quill & Ink Rate: 5%");
        assert_eq!(line("Quill &amp;amp; Ink&nbsp;Co"), "Quill & Ink Co");
        assert_eq!(line("&lt;b&gt;Quill&lt;/b&gt;"), "Quill");
        assert_eq!(line("Quill &#39;n&#x2019; Ink"), "Quill 'n' Ink");
        assert_eq!(line("A & B; yield <5% and >2%"), "A & B; yield <5% and >2%");
    }

    #[test]
    fn mojibake_is_put_right() {
        assert_eq!(line("Quill Fund\u{c2}\u{ae}"), "Quill Fund");
        assert_eq!(line("CafÃ© du Lac"), "Café du Lac");
        assert_eq!(line("Quillâ€™s Best"), "Quill's Best");
        // What is no mojibake stays: Ä and ß side by side make no UTF-8.
        assert_eq!(line("STRÄßE"), "STRÄßE");
    }

    #[test]
    fn bullets_tabs_and_blanks() {
        assert_eq!(line("\u{2022}\tQuill\u{a0}\u{a0}Corp\n(QLL)"), "Quill Corp (QLL)");
        assert_eq!(line("Ｑｕｉｌｌ Ｃｏｒｐ"), "Quill Corp");
        assert_eq!(line("Qu\u{200b}ill\u{ad} Corp™"), "Quill Corp");
    }

    #[test]
    fn brackets_say_what_they_are() {
        assert_eq!(marks("Quill Corp. (QLL)"), ("Quill Corp.".into(), vec![Mark::Symbol("QLL".into())]));
        assert_eq!(marks("Quill Corp (qll) [ST]"), ("Quill Corp".into(), vec![Mark::Symbol("qll".into()), Mark::AssetType("ST".into())]));
        assert_eq!(marks("Quill Corp (NYSE)"), ("Quill Corp".into(), vec![Mark::Exchange("NYSE".into())]));
        assert_eq!(marks("Quill Corp (Nasdaq: QLL)"), ("Quill Corp".into(), vec![Mark::NamedSymbol("QLL".into())]));
        assert_eq!(marks("QUILL CORP(symbol QLL)"), ("QUILL CORP".into(), vec![Mark::NamedSymbol("QLL".into())]));
        assert_eq!(marks("Quill Inc (Bond)"), ("Quill Inc".into(), vec![Mark::Words("Bond".into())]));
        assert_eq!(marks("Quill Inc (makes quills)").0, "Quill Inc");
        assert_eq!(marks("Quill Corp (REIT)"), ("Quill Corp".into(), vec![Mark::Words("REIT".into())]));
        assert_eq!(marks("Quill 401(k)"), ("Quill 401(k)".into(), vec![]));
    }

    #[test]
    fn symbols_before_and_behind() {
        assert_eq!(marks("QLL - Quill Inc."), ("Quill Inc.".into(), vec![Mark::Symbol("QLL".into())]));
        assert_eq!(marks("QLL-QLL-Quill Inc.").0, "Quill Inc.");
        assert_eq!(marks("QUILL SCIENTIFIC CORP - QLL"), ("QUILL SCIENTIFIC CORP".into(), vec![Mark::Symbol("QLL".into())]));
        for name in ["T-Quill US, Inc.", "QUI-LL COMPANY CMN"] {
            assert_eq!(marks(name).0, name);
        }
    }

    #[test]
    fn accounts_are_not_assets() {
        assert_eq!(marks("Brokerage acct #4- QUILL CORP NEW(symbol QLL)").0, "QUILL CORP NEW");
        assert_eq!(marks("SEP-IRA plan brokerage account: Quill.com, Inc. (QLL)").0, "Quill.com, Inc.");
        assert_eq!(marks("Brokerage acct #10-QUILL CORP").0, "QUILL CORP");
        assert_eq!(marks("Purchase of Quill Corp. Stock (QLL)").0, "Quill Corp. Stock");
        assert_eq!(marks("Quill Trust - Common Stock").0, "Quill Trust - Common Stock");
        assert_eq!(marks("Roth IRA").0, "Roth IRA");
    }
}
