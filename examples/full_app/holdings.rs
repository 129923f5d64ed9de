//! Who holds which names.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
};

use crate::skeleton::Skeleton;

/// The names of each holder. Who has none leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Holdings<K>(HashMap<K, Vec<Skeleton>>);

impl<K> Default for Holdings<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Holdings<K> {
    pub(crate) fn of(&self, holder: K) -> &[Skeleton] {
        self.0.get(&holder).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn count(&self, holder: K) -> usize {
        self.of(holder).len()
    }

    pub(crate) fn add(&mut self, holder: K, name: Skeleton) {
        self.0.entry(holder).or_default().push(name);
    }

    pub(crate) fn remove(&mut self, holder: K, name: &Skeleton) {
        if let Entry::Occupied(mut names) = self.0.entry(holder) {
            names.get_mut().retain(|one| one != name);
            if names.get().is_empty() {
                names.remove();
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
