//! The preview: what an import would do to what is there. Nothing is deleted because a file lacks it; it is only told.

use std::collections::BTreeMap;

/// What an import would do. Each usable row stands in exactly one of the first five.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diff {
    /// Rows whose key is not there yet.
    pub new: Vec<u64>,
    /// Rows whose key is there with other content: each would supersede a record.
    pub changed: Vec<u64>,
    /// Rows that are there already, word for word.
    pub unchanged: Vec<u64>,
    /// Rows of the file that say different things under one key: none of them can be loaded before somebody decides.
    pub conflicting: Vec<Conflict>,
    /// Rows that say again what an earlier row of the file says under the same key.
    pub repeated: Vec<u64>,
    /// Keys that are there and not in the file.
    pub absent: Vec<String>,
}

/// Rows of one key with different content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The key.
    pub key: String,
    /// The rows.
    pub rows: Vec<u64>,
}

impl Diff {
    /// Whether loading would change nothing.
    pub fn changes_nothing(&self) -> bool {
        self.new.is_empty() && self.changed.is_empty() && self.conflicting.is_empty()
    }
}

/// Compares rows that have been turned into records with the records of their kind that are there: number, key and canonical bytes of each.
pub fn compare(existing: &BTreeMap<String, Vec<u8>>, incoming: impl IntoIterator<Item = (u64, String, Vec<u8>)>) -> Diff {
    let mut by_key: BTreeMap<String, Vec<(u64, Vec<u8>)>> = BTreeMap::new();
    for (number, key, bytes) in incoming {
        by_key.entry(key).or_default().push((number, bytes));
    }
    let mut out = Diff { absent: existing.keys().filter(|k| !by_key.contains_key(*k)).cloned().collect(), ..Diff::default() };
    for (key, rows) in by_key {
        let Some(((number, bytes), again)) = rows.split_first() else { continue };
        if again.iter().any(|(_, other)| other != bytes) {
            out.conflicting.push(Conflict { key, rows: rows.iter().map(|(n, _)| *n).collect() });
            continue;
        }
        out.repeated.extend(again.iter().map(|(n, _)| *n));
        match existing.get(&key) {
            None => out.new.push(*number),
            Some(there) if there == bytes => out.unchanged.push(*number),
            Some(_) => out.changed.push(*number),
        }
    }
    for list in [&mut out.new, &mut out.changed, &mut out.unchanged, &mut out.repeated] {
        list.sort_unstable();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(n: u64, key: &str, bytes: &str) -> (u64, String, Vec<u8>) {
        (n, key.to_owned(), bytes.as_bytes().to_vec())
    }

    #[test]
    fn each_row_goes_one_way() {
        let there = BTreeMap::from([("a".to_owned(), b"1".to_vec()), ("b".to_owned(), b"2".to_vec()), ("z".to_owned(), b"9".to_vec())]);
        let rows =
            [row(2, "a", "1"), row(3, "b", "3"), row(4, "c", "4"), row(5, "c", "4"), row(6, "d", "5"), row(7, "d", "6"), row(8, "d", "5")];
        assert_eq!(
            compare(&there, rows),
            Diff {
                new: vec![4],
                changed: vec![3],
                unchanged: vec![2],
                conflicting: vec![Conflict { key: "d".into(), rows: vec![6, 7, 8] }],
                repeated: vec![5],
                absent: vec!["z".into()],
            }
        );
    }

    proptest! {
        #[test]
        fn rows_add_up_and_the_same_again_changes_nothing(rows in proptest::collection::vec((0u8..6, 0u8..3), 0..20)) {
            let rows: Vec<_> = rows.iter().zip(1..).map(|((k, v), n)| row(n, &k.to_string(), &v.to_string())).collect();
            let first = compare(&BTreeMap::new(), rows.clone());
            let all = first.new.len() + first.repeated.len() + first.conflicting.iter().map(|c| c.rows.len()).sum::<usize>();
            prop_assert_eq!(all, rows.len());
            let loaded: BTreeMap<_, _> = rows.iter().filter(|r| first.new.contains(&r.0)).map(|r| (r.1.clone(), r.2.clone())).collect();
            let kept: Vec<_> = rows.into_iter().filter(|r| loaded.contains_key(&r.1)).collect();
            prop_assert!(compare(&loaded, kept).changes_nothing());
        }
    }
}
