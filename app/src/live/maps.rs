//! Maps and lists in order, with little code to download for each.
//!
//! A tree of the standard library's is five kilobytes for every type that it
//! keeps, and collecting into one sorts the pairs first, with a sort of its own.
//! What a page keeps is a few hundred things, for which a list in order is as
//! quick. Does not know what is kept.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Values by keys, in the order of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map<K, V>(Vec<(K, V)>);

/// Keys alone, in order.
pub type Set<K> = Map<K, ()>;

impl<K: Ord + Copy, V> Map<K, V> {
    /// Where `key` is, or where it belongs.
    fn place(&self, key: &K) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(key))
    }

    /// What is kept under `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.place(key).ok().map(|place| &self.0[place].1)
    }

    /// What is kept under `key`; `new` where nothing was.
    pub fn at(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        let place = self.place(&key).unwrap_or_else(|place| {
            self.0.insert(place, (key, new()));
            place
        });
        &mut self.0[place].1
    }

    /// Keeps `value` under `key`, in the place of what was there.
    pub fn insert(&mut self, key: K, value: V) {
        match self.place(&key) {
            Ok(place) => self.0[place].1 = value,
            Err(place) => self.0.insert(place, (key, value)),
        }
    }

    /// Forgets what is kept under `key`.
    pub fn remove(&mut self, key: &K) {
        if let Ok(place) = self.place(key) {
            self.0.remove(place);
        }
    }

    /// Whether something is kept under `key`.
    pub fn contains(&self, key: &K) -> bool {
        self.place(key).is_ok()
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = K> {
        self.0.iter().map(|(key, _)| *key)
    }

    /// The values, in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// The values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// Keys and values.
    pub fn pairs(&self) -> &[(K, V)] {
        &self.0
    }

    /// The pairs as a map; of equal keys the last.
    pub fn of(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut map = Self::default();
        for (key, value) in pairs {
            map.insert(key, value);
        }
        map
    }
}

impl<K: Ord + Copy> Set<K> {
    /// Adds all of `keys`.
    pub fn extend(&mut self, keys: impl IntoIterator<Item = K>) {
        for key in keys {
            self.insert(key, ());
        }
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// The pairs as the engine keeps them.
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
        let pairs = [(1, 'a'), (2, 'b'), (1, 'c')];
        assert_eq!(map(pairs).into_iter().collect::<Vec<_>>(), [(1, 'c'), (2, 'b')]);
        assert_eq!(Map::of(pairs).pairs(), [(1, 'c'), (2, 'b')]);
    }

    #[test]
    fn a_map_does_what_a_tree_does() {
        let (mut map, mut tree) = (Map::default(), BTreeMap::new());
        // Every key twice and more, in no order.
        for turn in 0..1_000_u32 {
            let key = turn * 7_919 % 101;
            if turn % 3 == 0 {
                map.remove(&key);
                tree.remove(&key);
            } else if turn % 3 == 1 {
                map.insert(key, turn);
                tree.insert(key, turn);
            } else {
                *map.at(key, || 5) += 1;
                *tree.entry(key).or_insert(5) += 1;
            }
            assert_eq!((map.get(&key), map.contains(&key)), (tree.get(&key), tree.contains_key(&key)));
        }
        assert!(map.values().eq(tree.values()) && map.keys().eq(tree.keys().copied()));
    }
}
