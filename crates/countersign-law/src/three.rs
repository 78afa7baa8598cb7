//! Three values.

/// Yes, no, or not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Three {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// The facts do not say.
    Unknown,
}

use Three::{No, Unknown, Yes};

impl Three {
    /// Both.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (No, _) | (_, No) => No,
            (Yes, Yes) => Yes,
            _ => Unknown,
        }
    }

    /// Either.
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Yes, _) | (_, Yes) => Yes,
            (No, No) => No,
            _ => Unknown,
        }
    }

    /// The opposite.
    #[expect(clippy::should_implement_trait, reason = "reads like `and` and `or`")]
    pub fn not(self) -> Self {
        match self {
            Yes => No,
            No => Yes,
            Unknown => Unknown,
        }
    }
}

impl From<bool> for Three {
    fn from(b: bool) -> Self {
        if b { Yes } else { No }
    }
}

impl From<Option<bool>> for Three {
    fn from(b: Option<bool>) -> Self {
        b.map_or(Unknown, Self::from)
    }
}
