//! Maps whose keys are numbers that we give out ourselves: nobody can aim at collisions, so no keyed hash is needed.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// Of `CallId`, `SessionId`, `StreamId` and the like.
pub(super) type Numbered<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;

/// Spreads a number over all 64 bits by one multiplication (Fibonacci hashing).
#[derive(Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(byte.into()));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        let product = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // A map looks at the lowest bits and at the highest; a product is spread best at its top.
        self.0 = product ^ product >> 32;
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, hash::BuildHasher as _};

    use super::*;

    #[test]
    fn neighbours_land_apart() {
        let build = BuildHasherDefault::<Spread>::default();
        let places: HashSet<u64> = (0..1024u64).map(|number| build.hash_one(number) & 1023).collect();
        assert!(places.len() > 600, "{}", places.len());
    }
}
