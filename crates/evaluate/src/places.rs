//! What is resampled as a whole: seeds of one place are alike, whoever's reads they are of.

use serde::Serialize;

/// Bases of a place.
const PLACE_BASES: u32 = 1_000;

/// What a resample counts as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Resampled {
    /// All pairs whose best regions start within the same thousand bases; a pair without a region stands for itself.
    #[default]
    Places,
    /// Read pairs.
    Pairs,
}

impl Resampled {
    /// The name that options and reports give it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Places => "places",
            Self::Pairs => "pairs",
        }
    }
}

impl std::str::FromStr for Resampled {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::Places, Self::Pairs]
            .into_iter()
            .find(|resampled| resampled.name() == name)
            .ok_or_else(|| format!("`{name}`; valid are places, pairs"))
    }
}

/// Gives each seed the place of its pair, while rows of whole pairs go by.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Places of all rows so far.
    places: Vec<u64>,
    /// Hash of the present pair's name, its first row, and whether it has a place.
    pair: Option<(u64, usize, bool)>,
}

impl Places {
    /// The next row: hash of the pair's name, and where its read's best region starts.
    pub(crate) fn push(&mut self, read_hash: u64, locus: Option<(&str, u32)>) {
        let (first, placed) = match self.pair {
            Some((pair, first, placed)) if pair == read_hash => (first, placed),
            _ => (self.places.len(), false),
        };
        let place = match locus {
            _ if placed => self.places[first],
            Some((contig, position)) => place(contig, position),
            None => read_hash,
        };
        self.places.push(place);
        if !placed && locus.is_some() {
            // The mate that came first has no region.
            self.places[first..].fill(place);
        }
        self.pair = Some((read_hash, first, placed || locus.is_some()));
    }

    pub(crate) fn into_inner(self) -> Vec<u64> {
        self.places
    }
}

/// A number that tells places apart (FNV-1a, 64 bits).
fn place(contig: &str, position: u32) -> u64 {
    let block = (position / PLACE_BASES).to_le_bytes();
    contig
        .bytes()
        .chain(block)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_has_the_place_of_its_first_read_that_has_one() {
        let mut places = Places::default();
        for (read, locus) in [
            (1, None),
            (1, Some(("chr1", 5_100))),
            (1, Some(("chr1", 99_000))),
            (2, Some(("chr1", 5_900))),
            (3, None),
            (3, None),
            (4, Some(("chr1", 6_000))),
            (5, Some(("chr2", 5_100))),
        ] {
            places.push(read, locus);
        }
        let found = places.into_inner();
        assert!(found[..4].iter().all(|place| *place == found[0]), "{found:?}");
        assert_eq!(found[4..6], [3, 3], "no region: the pair itself");
        assert!(found[6] != found[0] && found[7] != found[0] && found[6] != found[7], "{found:?}");
    }
}
