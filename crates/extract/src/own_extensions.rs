/// Of which seeds the own extension is computed where the aligner leaves the seed out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OwnExtensions {
    /// Share of the reads of which it is computed for every seed, 0 to 1.
    part: f64,
    /// Of the other reads, too, for the seeds of chains that the chain filter keeps.
    kept_chains: bool,
}

impl OwnExtensions {
    /// Of all seeds.
    pub const ALL: Self = Self { part: 1.0, kept_chains: false };
    /// Of the seeds of chains that the chain filter keeps: all that the aligner looks at behind it.
    pub const OF_KEPT_CHAINS: Self = Self { part: 0.0, kept_chains: true };

    /// Of a share of the reads, chosen by the hash of their names, both mates of a pair together. `None` unless it is 0 to 1.
    #[must_use]
    pub fn of_part(part: f64) -> Option<Self> {
        (0.0..=1.0).contains(&part).then_some(Self { part, kept_chains: false })
    }

    /// As `dataset.json` states it: the share of the reads, or `kept`.
    pub(crate) fn stated(self) -> serde_json::Value {
        if self.kept_chains { "kept".into() } else { self.part.into() }
    }

    /// Whether a seed is one of them: by the hash of its read's name, and whether its chain is kept.
    pub(crate) fn includes(self, read_hash: u64, chain_kept: bool) -> bool {
        // Of the whole range, 1 would be a number too many for an integer.
        (self.kept_chains && chain_kept) || self.part >= 1.0 || (read_hash as f64) < self.part * 2f64.powi(64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_hash;

    #[test]
    fn a_share_of_the_names_is_included() {
        let included = |part: f64| {
            let own = OwnExtensions::of_part(part).unwrap();
            (0..10_000).filter(|number| own.includes(read_hash(format!("read{number}").as_bytes()), false)).count()
        };
        assert_eq!((included(0.0), included(1.0)), (0, 10_000));
        assert!((900..1100).contains(&included(0.1)), "{}", included(0.1));
        assert_eq!(OwnExtensions::of_part(1.5), None);
        assert_eq!(OwnExtensions::of_part(f64::NAN), None);
        let kept = OwnExtensions::OF_KEPT_CHAINS;
        assert!(kept.includes(7, true) && !kept.includes(7, false));
        assert!(!OwnExtensions::of_part(0.0).unwrap().includes(7, true));
    }
}
