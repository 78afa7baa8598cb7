//! Pre-clearance policies to start from, after published rules; the data files say which.

use countersign_entry::ids::IdError;
use countersign_entry::record::PreclearancePolicy;
use serde::Deserialize;

/// Name and file of each, the one a new ledger starts with first.
pub(crate) const PRESETS: &[(&str, &str)] = &[
    ("agency", include_str!("../data/preclearance/agency.json")),
    ("sec-4401-102", include_str!("../data/preclearance/sec-4401-102.json")),
    ("fomc", include_str!("../data/preclearance/fomc.json")),
];

#[derive(Deserialize)]
struct File {
    preclearance: PreclearancePolicy,
}

/// The one a new ledger starts with.
///
/// # Errors
/// The shipped file does not read; a test holds it to.
pub(crate) fn default_policy() -> Result<PreclearancePolicy, IdError> {
    let unreadable = IdError { what: "the pre-clearance policy of a new ledger", rule: "reads from its data file" };
    let (_, file) = PRESETS.first().ok_or_else(|| unreadable.clone())?;
    serde_json::from_str::<File>(file).map(|f| f.preclearance).map_err(|_| unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_a_policy() {
        for (name, file) in PRESETS {
            let read: File = serde_json::from_str(file).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(!read.preclearance.never_cleared.is_empty(), "{name}");
        }
        assert_eq!(default_policy().unwrap().execute_business_days, 5);
    }
}
