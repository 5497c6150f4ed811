//! Maps and lists in order, with little code to download for each.
//!
//! Collecting into a map sorts the pairs first, and every type that is sorted
//! brings a sort of its own: four kilobytes of the browser's bundle. Does not
//! know what is kept.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The pairs as a map.
pub(crate) fn map<K: Ord, V>(pairs: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    map.extend(pairs);
    map
}

/// `items` in order; equals stay as they were.
pub(crate) fn sorted<T>(items: Vec<T>, order: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let places = places(items.len(), &|a, b| order(&items[a], &items[b]));
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    places.into_iter().filter_map(|place| items[place].take()).collect()
}

/// The places `0..count` in the order of what stands there.
fn places(count: usize, order: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|a, b| order(*a, *b));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_stay_as_they_were() {
        let items = vec![(2, 'a'), (1, 'b'), (2, 'c'), (1, 'd')];
        let in_order = sorted(items, |a, b| a.0.cmp(&b.0));
        assert_eq!(in_order, [(1, 'b'), (1, 'd'), (2, 'a'), (2, 'c')]);
    }

    #[test]
    fn the_last_of_equal_keys_is_kept() {
        let kept = map([(1, 'a'), (2, 'b'), (1, 'c')]);
        assert_eq!(kept.into_iter().collect::<Vec<_>>(), [(1, 'c'), (2, 'b')]);
    }
}
