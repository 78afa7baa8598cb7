//! A mapping to start from: every field of a kind, with what its cells hold, as TOML that reads as it stands.

use crate::fields::{FieldRule, Kind, rules};

/// Writes the mapping of a file whose columns have our names, for somebody to put their own columns in.
pub fn template(kind: Kind, name: &str) -> String {
    let kind_word = kind.word();
    let mut out = format!(
        "# Each line of [columns]: our field = your column, or a list of names of which the first that the file has is taken.\n\
         # Take out optional fields your file has no column for; what is recorded of them then stays.\n\
         name = \"{name}\"\nkind = \"{kind_word}\"\n\n\
         # How dates with slashes are written: iso (not at all), month_first or day_first.\ndate_form = \"iso\"\n\n[columns]\n"
    );
    for rule in rules(kind) {
        out += &line(rule);
    }
    out += alternatives(kind);
    out + "\n# One value for all rows:\n# [constants]\n# FIELD = \"value\"\n\n# Their words and ours:\n# [words.FIELD]\n# \"Their word\" = \"our_word\"\n"
}

fn line(rule: &FieldRule) -> String {
    let (name, holds) = (rule.name, rule.holds());
    let need = if rule.required { "required" } else { "optional" };
    let colon = if holds.is_empty() { "" } else { ": " };
    format!("{:<40} # {need}{colon}{holds}\n", format!("{name} = \"{name}\""))
}

fn alternatives(kind: Kind) -> &'static str {
    match kind {
        Kind::Trade => "# Needed: asset or ticker; and kind with traded_on, or transaction, which has both: \"Purchase, 6/1/2026\".\n",
        Kind::Holding => "# Needed: asset or ticker.\n",
        Kind::Relationship => "# Needed: issuer or organization.\n",
        _ => "",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::mapping::Mapping;

    #[test]
    fn a_template_is_the_mapping_by_name() {
        for kind in Kind::ALL {
            let text = template(*kind, "mine");
            assert_eq!(Mapping::from_toml(&text).unwrap(), Mapping::by_name(*kind, "mine"), "{text}");
        }
        let people = template(Kind::Person, "people");
        assert!(people.contains("required: is P- followed by 4 to 32 letters or digits"), "{people}");
        assert!(people.contains("one of officer, enlisted, civilian"), "{people}");
    }
}
