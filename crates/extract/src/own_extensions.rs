/// Of which reads the own extension of every seed is computed, also where the aligner leaves the seed out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OwnExtensions {
    /// Share of the reads, 0 to 1.
    part: f64,
}

impl OwnExtensions {
    /// Of all reads.
    pub const ALL: Self = Self { part: 1.0 };

    /// Of a share of the reads, chosen by the hash of their names, both mates of a pair together. `None` unless it is 0 to 1.
    #[must_use]
    pub fn of_part(part: f64) -> Option<Self> {
        (0.0..=1.0).contains(&part).then_some(Self { part })
    }

    /// The share of the reads.
    #[must_use]
    pub fn part(self) -> f64 {
        self.part
    }

    /// Whether a read with this hash of its name is one of them.
    pub(crate) fn includes(self, read_hash: u64) -> bool {
        // Of the whole range, 1 would be a number too many for an integer.
        self.part >= 1.0 || (read_hash as f64) < self.part * 2f64.powi(64)
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
            (0..10_000).filter(|number| own.includes(read_hash(format!("read{number}").as_bytes()))).count()
        };
        assert_eq!((included(0.0), included(1.0)), (0, 10_000));
        assert!((900..1100).contains(&included(0.1)), "{}", included(0.1));
        assert_eq!(OwnExtensions::of_part(1.5), None);
        assert_eq!(OwnExtensions::of_part(f64::NAN), None);
    }
}
