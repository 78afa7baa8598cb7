//! Whose asset a row tells of, in each form's own words.

use serde::{Deserialize, Serialize};

/// How the holder stands to the filer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderRelation {
    /// The filer.
    Filer,
    /// The spouse.
    Spouse,
    /// The filer and somebody else together.
    Joint,
    /// A dependent child.
    DependentChild,
    /// The form does not say; never taken for the filer, never left out.
    Unknown,
}

/// What a cell said about the holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerCell {
    /// One of the known words.
    Known(HolderRelation),
    /// Nothing, or a dash.
    Blank,
    /// A part of a form that covers filer, spouse and children alike (OGE Form 278e part 6).
    AnyOfThem,
    /// A word nobody told us of.
    NotUnderstood,
}

impl OwnerCell {
    /// The relation; unknown wherever the cell does not tell.
    pub fn relation(self) -> HolderRelation {
        match self {
            OwnerCell::Known(relation) => relation,
            OwnerCell::Blank | OwnerCell::AnyOfThem | OwnerCell::NotUnderstood => HolderRelation::Unknown,
        }
    }
}

/// Reads an owner's cell: the House's and the Senate's words, the House's codes, OGE's parts 2, 5 and 6.
pub fn read_owner(text: &str) -> OwnerCell {
    use HolderRelation::{DependentChild, Filer, Joint, Spouse};
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    OwnerCell::Known(match flat.as_str() {
        "" | "-" | "--" | "n/a" => return OwnerCell::Blank,
        "self" | "filer" => Filer,
        "spouse" | "sp" => Spouse,
        "joint" | "jt" => Joint,
        "dependent child" | "dependent" | "child" | "dc" => DependentChild,
        "2" | "part 2" | "2 filer employment assets" => Filer,
        "5" | "part 5" | "5 spouse employment assets" => Spouse,
        "6" | "part 6" | "6 other assets" => return OwnerCell::AnyOfThem,
        _ => return OwnerCell::NotUnderstood,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_vocabulary_and_nothing_guessed() {
        use HolderRelation::*;
        for (text, relation) in [
            ("Self", Filer),
            ("SP", Spouse),
            (" joint\n", Joint),
            ("Dependent  Child", DependentChild),
            ("Child", DependentChild),
            ("2 filer employment assets", Filer),
            ("5 spouse employment assets", Spouse),
        ] {
            assert_eq!(read_owner(text), OwnerCell::Known(relation), "{text}");
        }
        assert_eq!(read_owner("--"), OwnerCell::Blank);
        assert_eq!(read_owner("6 other assets"), OwnerCell::AnyOfThem);
        for odd in ["Trust", "26 x", "selfish", "2nd cousin", "2 cats"] {
            assert_eq!(read_owner(odd), OwnerCell::NotUnderstood, "{odd}");
            assert_eq!(read_owner(odd).relation(), Unknown);
        }
    }
}
