//! Markings, structured and rendered. 32 CFR 2001.23(e): an electronic record carries the overall marking of what it holds; 32 CFR 2002.20: CUI carries
//! its banner. Of several sources the highest counts (32 CFR 2001.22), with the categories and controls of all.

use countersign_entry::record::{Marking, MarkingLevel};
use serde_json::{Value, json};

/// The banner line: level, categories, dissemination controls, `//` between the parts and `/` within one.
pub fn banner(marking: &Marking) -> String {
    let level = match marking.level {
        MarkingLevel::Unclassified => "UNCLASSIFIED",
        MarkingLevel::Cui => "CUI",
        MarkingLevel::Confidential => "CONFIDENTIAL",
        MarkingLevel::Secret => "SECRET",
        MarkingLevel::TopSecret => "TOP SECRET",
    };
    let mut parts = vec![level.to_owned()];
    for part in [&marking.categories, &marking.dissemination] {
        if !part.is_empty() {
            parts.push(part.iter().map(|line| line.as_str()).collect::<Vec<_>>().join("/"));
        }
    }
    parts.join("//")
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
}
