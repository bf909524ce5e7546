use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// First 8 bytes (big-endian) of the SHA-256 of a read's name: the same for both mates.
#[must_use]
pub fn read_hash(name: &[u8]) -> u64 {
    first_eight(&Sha256::digest(name))
}

fn first_eight(digest: &[u8]) -> u64 {
    u64::from_be_bytes(digest[..8].try_into().expect("a SHA-256 has 32 bytes"))
}

/// A reproducible choice of read names, whatever the order of the reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subsample {
    /// Pairs (or single reads) to keep.
    pub pairs: usize,
    /// Another seed chooses other reads.
    pub seed: u64,
}

/// Which names a [`Subsample`] keeps of those that it was shown.
#[derive(Debug, Clone)]
pub(crate) struct Sampler {
    subsample: Subsample,
    smallest: BTreeSet<u64>,
}

impl Sampler {
    pub(crate) fn new(subsample: Subsample) -> Self {
        Self { subsample, smallest: BTreeSet::new() }
    }

    /// Shows a name; the second time does not count.
    pub(crate) fn see(&mut self, name: &[u8]) {
        let key = self.key(name);
        if self.smallest.len() < self.subsample.pairs {
            self.smallest.insert(key);
        } else if self.smallest.last().is_some_and(|&last| key < last) && self.smallest.insert(key) {
            self.smallest.pop_last();
        }
    }

    /// Whether a name that was shown is among those with the smallest keys.
    pub(crate) fn keeps(&self, name: &[u8]) -> bool {
        self.smallest.last().is_some_and(|&last| self.key(name) <= last)
    }

    fn key(&self, name: &[u8]) -> u64 {
        let digest = Sha256::new_with_prefix(self.subsample.seed.to_be_bytes()).chain_update(name).finalize();
        first_eight(&digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(seed: u64, names: &[String]) -> BTreeSet<String> {
        let mut sampler = Sampler::new(Subsample { pairs: 50, seed });
        for name in names {
            sampler.see(name.as_bytes());
            sampler.see(name.as_bytes());
        }
        names.iter().filter(|name| sampler.keeps(name.as_bytes())).cloned().collect()
    }

    #[test]
    fn the_stated_number_is_kept_whatever_the_order() {
        let mut names: Vec<String> = (0..1000).map(|number| format!("read{number}")).collect();
        let forward = chosen(7, &names);
        names.reverse();
        assert_eq!(forward.len(), 50);
        assert_eq!(forward, chosen(7, &names));
        assert_ne!(forward, chosen(8, &names));
    }

    #[test]
    fn fewer_reads_than_wanted_are_all_kept() {
        let names: Vec<String> = (0..20).map(|number| format!("read{number}")).collect();
        assert_eq!(chosen(7, &names).len(), 20);
    }

    #[test]
    fn the_hash_is_the_start_of_the_sha256() {
        // printf r1 | sha256sum | cut -c1-16
        assert_eq!(read_hash(b"r1"), 0x82f3_e9c6_95dc_6b8d);
    }
}
