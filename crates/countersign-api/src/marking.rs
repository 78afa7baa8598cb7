//! Markings, structured and rendered. 32 CFR 2001.23(e): an electronic record carries the overall marking of what it holds; 32 CFR 2002.20: CUI carries
//! its banner. Of several sources the highest counts (32 CFR 2001.22), with the categories and controls of all.

use std::fmt::Write as _;

use countersign_entry::ids::Line;
use countersign_entry::record::{Marking, MarkingLevel};
use serde_json::{Value, json};

/// Levels and their words in a banner line.
const LEVELS: [(MarkingLevel, &str); 5] = [
    (MarkingLevel::Unclassified, "UNCLASSIFIED"),
    (MarkingLevel::Cui, "CUI"),
    (MarkingLevel::Confidential, "CONFIDENTIAL"),
    (MarkingLevel::Secret, "SECRET"),
    (MarkingLevel::TopSecret, "TOP SECRET"),
];

/// The banner line: level, categories, dissemination controls, `//` between the parts and `/` within one.
pub fn banner(marking: &Marking) -> String {
    let level = LEVELS.iter().find(|(level, _)| *level == marking.level).map_or("TOP SECRET", |(_, word)| word);
    let mut parts = vec![level.to_owned()];
    for part in [&marking.categories, &marking.dissemination] {
        if !part.is_empty() {
            parts.push(part.iter().map(|line| line.as_str()).collect::<Vec<_>>().join("/"));
        }
    }
    parts.join("//")
}

/// A marking out of its banner line. Of two parts the second is categories: which of the two it was does not stand in the line.
pub fn parse(banner: &str) -> Option<Marking> {
    let mut parts = banner.split("//");
    let word = parts.next()?;
    let level = LEVELS.iter().find(|(_, of)| *of == word)?.0;
    let mut lines = || parts.next().map_or(Some(Vec::new()), |part| part.split('/').map(|line| Line::new(line).ok()).collect());
    let (categories, dissemination) = (lines()?, lines()?);
    parts.next().is_none().then_some(Marking { level, categories, dissemination })
}

/// A text as a header's value takes it: what is no printable ASCII in percent signs, and those too, so that every marking can be said.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | b'"' => write!(out, "%{byte:02x}").unwrap_or(()),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02x}").unwrap_or(()),
        }
    }
    out
}

/// The banner line as a header's value.
pub fn header(marking: &Marking) -> String {
    ascii(&banner(marking))
}

/// The fields as a header's value: a dictionary of RFC 9651, whose lists are of display strings.
pub fn header_fields(marking: &Marking) -> String {
    let list = |lines: &[Line]| lines.iter().map(|line| format!("%\"{}\"", ascii(line.as_str()))).collect::<Vec<_>>().join(" ");
    let level = crate::words::word_of(&marking.level);
    format!("level={level}, categories=({}), dissemination=({})", list(&marking.categories), list(&marking.dissemination))
}

/// The highest of several, with the categories and controls of all of them; none where there are none.
pub fn highest<'a>(markings: impl IntoIterator<Item = &'a Marking>) -> Option<Marking> {
    let mut all = markings.into_iter();
    let mut sum = all.next()?.clone();
    for next in all {
        sum.level = sum.level.max(next.level);
        for (into, from) in [(&mut sum.categories, &next.categories), (&mut sum.dissemination, &next.dissemination)] {
            for line in from {
                if !into.contains(line) {
                    into.push(line.clone());
                }
            }
        }
    }
    Some(sum)
}

/// As an answer carries it. `whole` is false where it is the store's highest because not everything in the answer has a marking of its own.
pub fn told(marking: &Marking, whole: bool) -> Value {
    let warning = (!whole).then_some("the highest marking of this store: not everything here is marked by itself");
    json!({
        "level": marking.level, "categories": marking.categories, "dissemination": marking.dissemination, "banner": banner(marking), "warning": warning,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marking(level: MarkingLevel, categories: &[&str], dissemination: &[&str]) -> Marking {
        let lines = |all: &[&str]| all.iter().map(|l| l.parse().unwrap()).collect();
        Marking { level, categories: lines(categories), dissemination: lines(dissemination) }
    }

    #[test]
    fn the_highest_of_all_with_the_controls_of_all() {
        let cui = marking(MarkingLevel::Cui, &["SP-PROPIN"], &["FEDCON"]);
        let secret = marking(MarkingLevel::Secret, &[], &["NOFORN"]);
        assert_eq!(banner(&cui), "CUI//SP-PROPIN//FEDCON");
        assert_eq!(banner(&highest([&cui, &secret, &cui]).unwrap()), "SECRET//SP-PROPIN//FEDCON/NOFORN");
        assert_eq!(banner(&marking(MarkingLevel::Unclassified, &[], &[])), "UNCLASSIFIED");
        assert_eq!(highest([]), None);
    }

    #[test]
    fn a_banner_line_reads_as_what_it_was_made_of() {
        for of in [
            marking(MarkingLevel::TopSecret, &["SI", "TK"], &["NOFORN"]),
            marking(MarkingLevel::Cui, &["SP-PROPIN"], &[]),
            marking(MarkingLevel::Secret, &[], &[]),
        ] {
            assert_eq!(parse(&banner(&of)), Some(of));
        }
        for bad in ["", "cui", "CUI//", "SECRET//A//B//C", "VERY SECRET"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_marking_can_be_said_in_a_header() {
        let odd = marking(MarkingLevel::Secret, &["É%\""], &["FEDCON", "NOFORN"]);
        assert_eq!(header(&odd), "SECRET//%c3%89%25%22//FEDCON/NOFORN");
        assert_eq!(header_fields(&odd), "level=secret, categories=(%\"%c3%89%25%22\"), dissemination=(%\"FEDCON\" %\"NOFORN\")");
        assert_eq!(header_fields(&marking(MarkingLevel::TopSecret, &[], &[])), "level=top_secret, categories=(), dissemination=()");
    }
}
