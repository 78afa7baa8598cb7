//! Cells that name a security. Their text is kept as it is, white space aside: what it means is for `countersign-match`. The one thing done
//! here is to take apart the two legs of an exchange, because they are two securities in one cell.

/// A ticker's cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TickerCell {
    /// What each leg says, without markup; none where a leg has a dash. One leg, or two.
    pub legs: Vec<Option<String>>,
    /// The cell had markup.
    pub markup: bool,
    /// A leg has a dash for its ticker.
    pub dash: bool,
}

/// Reads a ticker's cell.
pub fn read_ticker(text: &str) -> TickerCell {
    let legs: Vec<String> = split_breaks(text).into_iter().map(|leg| one_line(&without_tags(leg))).filter(|leg| !leg.is_empty()).collect();
    let dashed = |leg: &String| matches!(leg.as_str(), "-" | "--");
    TickerCell {
        dash: legs.iter().any(dashed),
        legs: legs.into_iter().map(|leg| (!dashed(&leg)).then_some(leg)).collect(),
        markup: has_tags(text),
    }
}

/// The two legs of an exchange: `given (Exchanged) <br> got (Received)`. Nothing where the text is not exactly that.
pub fn exchange_legs(text: &str) -> Option<(String, String)> {
    let parts = split_breaks(text);
    let (first, second) = parts.split_first()?;
    let (given, after) = first.rsplit_once("(Exchanged)")?;
    if !after.trim().is_empty() {
        return None;
    }
    // What comes after the second break, such as a bond's coupon, still describes what was received.
    let got = second.join(" ");
    let (got, details) = got.split_once("(Received)")?;
    let (given, got, details) = (one_line(given), one_line(got), one_line(details));
    (!given.is_empty() && !got.is_empty()).then(|| (given, one_line(&format!("{got} {details}"))))
}

/// Whether a cell has tags.
pub fn has_tags(text: &str) -> bool {
    without_tags(text) != text
}

/// Whether a cell has character references such as `&amp;`.
pub fn has_entities(text: &str) -> bool {
    text.split('&').skip(1).any(|after| {
        after.split_once(';').is_some_and(|(name, _)| {
            let name = name.strip_prefix('#').unwrap_or(name);
            (1..=10).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric())
        })
    })
}

/// White space of any kind and length as one space.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Cuts at `<br>`, `<br/>` and `<br …>`.
fn split_breaks(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut rest, mut from) = (text, 0);
    while let Some((at, length)) = rest.get(from..).and_then(tag) {
        let (start, end) = (from + at, from + at + length);
        let is_break = rest.get(start..end).is_some_and(is_break);
        if is_break {
            parts.push(rest.get(..start).unwrap_or_default());
            rest = rest.get(end..).unwrap_or_default();
            from = 0;
        } else {
            from = end;
        }
    }
    parts.push(rest);
    parts
}

fn is_break(tag: &str) -> bool {
    let name: String = tag.chars().skip(1).take_while(char::is_ascii_alphabetic).collect();
    name.eq_ignore_ascii_case("br")
}

fn without_tags(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((at, length)) = tag(rest) {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + length..).unwrap_or_default();
    }
    out + rest
}

/// Where the next tag starts and how long it is. `<` before anything but a letter or `/` is only a sign.
fn tag(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let start = from + text.get(from..)?.find('<')?;
        let after = text.get(start + 1..)?;
        if after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') {
            return after.find('>').map(|end| (start, end + 2));
        }
        from = start + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tickers_lose_markup_and_two_stay_two() {
        let link = |t: &str| format!("<a href=\"https://quotes.example/q?s={t}\" target=\"_blank\">{t}</a>");
        let one = read_ticker(&link("QQZA"));
        assert_eq!((one.legs, one.markup, one.dash), (vec![Some("QQZA".to_owned())], true, false));
        let two = read_ticker(&format!("{}     \n <br> {}", link("QQZA"), link("QQZB")));
        assert_eq!(two.legs, [Some("QQZA".to_owned()), Some("QQZB".to_owned())]);
        let half = read_ticker(&format!("-- <br/> {}", link("QQZB")));
        assert_eq!((half.legs, half.dash), (vec![None, Some("QQZB".to_owned())], true));
        assert_eq!(read_ticker("--"), TickerCell { legs: vec![None], markup: false, dash: true });
        assert_eq!(read_ticker("  "), TickerCell::default());
        assert_eq!(read_ticker("BRK.B").legs, [Some("BRK.B".to_owned())]);
    }

    #[test]
    fn exchanges_come_apart_only_when_they_say_so() {
        assert_eq!(
            exchange_legs(
                "Lantern Mills, Inc. (Exchanged) <br> Harbour &amp; Sons plc (Received) <div class=\"x\"><em>Rate:</em> 2%</div>"
            ),
            Some(("Lantern Mills, Inc.".into(), "Harbour &amp; Sons plc <div class=\"x\"><em>Rate:</em> 2%</div>".into()))
        );
        for no in ["Lantern Mills", "A (Exchanged)", "A (Exchanged) B <br> C (Received)", "A <br> B", "(Exchanged)<br>(Received)"] {
            assert_eq!(exchange_legs(no), None, "{no}");
        }
    }

    #[test]
    fn signs_are_not_tags() {
        assert!(!has_tags("A < B > C") && has_tags("A<br>B") && has_tags("</div>") && !has_tags("<unclosed"));
        assert!(has_entities("Salt &amp; Co") && has_entities("&#8217;") && !has_entities("Salt & Co; Sons") && !has_entities("A&B"));
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "([<>/&;()a-z \n]|<br>|<a>|é|\\(Exchanged\\)|\\(Received\\)){0,30}") {
            let cell = read_ticker(&text);
            prop_assert!(cell.legs.iter().flatten().all(|leg| !leg.is_empty()));
            prop_assert_eq!(split_breaks(&text).concat().len() <= text.len(), true);
            exchange_legs(&text);
        }
    }
}
