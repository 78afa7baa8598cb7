//! Which requests were surely never made: one look in memory instead of one into every run.

use crate::sealed::Blind;

/// Requests a filter holds before the next one is begun: of 64 runs.
const FILTER_MAX: usize = 64 * 65_536;
/// 16 bits for each request and six probes: of strangers, a full filter sends about one in 900 to the runs in vain.
const WORDS: usize = FILTER_MAX * 16 / 64;
const PROBES: u64 = 6;

/// Filters, each full but the last.
#[derive(Default)]
pub(super) struct Bloom {
    filters: Vec<Vec<u64>>,
    count: usize,
}

impl Bloom {
    /// Takes a request in.
    pub(super) fn insert(&mut self, key: Blind) {
        if self.count.is_multiple_of(FILTER_MAX) {
            self.filters.push(vec![0; WORDS]);
        }
        self.count += 1;
        if let Some(filter) = self.filters.last_mut() {
            for (word, bit) in probes(key) {
                if let Some(word) = filter.get_mut(word) {
                    *word |= bit;
                }
            }
        }
    }

    /// Whether it may have been taken in; where it was not, mostly not.
    pub(super) fn may_hold(&self, key: Blind) -> bool {
        self.filters.iter().any(|filter| probes(key).all(|(word, bit)| filter.get(word).is_some_and(|word| word & bit != 0)))
    }
}

/// Probes in one cache line of eight words: the key is a keyed hash, so its bits are as good as drawn.
fn probes(key: Blind) -> impl Iterator<Item = (usize, u64)> {
    let [high, low] = [key.first_chunk::<8>(), key.last_chunk::<8>()].map(|half| u64::from_be_bytes(half.copied().unwrap_or_default()));
    let line = usize::try_from(high % (WORDS as u64 / 8)).unwrap_or(0) * 8;
    (0..PROBES).map(move |n| {
        let bits = low >> (n * 9) & 511;
        (line + usize::try_from(bits >> 6).unwrap_or(0), 1u64 << (bits & 63))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_taken_in_is_missed_and_few_others_are_found() {
        let key = |n: u64, half: u64| -> Blind {
            let hash = blake3::hash(&[n.to_be_bytes(), half.to_be_bytes()].concat());
            *hash.as_bytes().first_chunk().unwrap_or(&[0; 16])
        };
        let mut bloom = Bloom::default();
        (0..200_000).for_each(|n| bloom.insert(key(n, 0)));
        assert!((0..200_000).all(|n| bloom.may_hold(key(n, 0))));
        let strangers = (0..200_000).filter(|n| bloom.may_hold(key(*n, 1))).count();
        assert!(strangers < 200, "{strangers}");
    }
}
