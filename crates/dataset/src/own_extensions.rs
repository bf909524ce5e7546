use crate::LabelPolicy;
use serde_json::{Map, Value};

/// Key of `dataset.json`'s settings; without it the own extension was computed of every seed.
const SETTING: &str = "own_extensions";
const KEPT: &str = "kept";
/// What a share of the reads is stated behind where the seeds of kept chains are computed, too.
const SAMPLE: &str = "sample:";

/// Of which seeds the own extension is computed where the aligner leaves the seed out. Of the others it is a lower bound.
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
    /// Of none but those that the aligner extends itself.
    pub const OF_NONE: Self = Self { part: 0.0, kept_chains: false };
    /// Of the seeds of chains that the chain filter keeps: all that the aligner looks at behind it.
    pub const OF_KEPT_CHAINS: Self = Self { part: 0.0, kept_chains: true };

    /// Of a share of the reads, chosen by the hash of their names, both mates of a pair together. `None` unless it is 0 to 1.
    #[must_use]
    pub fn of_part(part: f64) -> Option<Self> {
        (0.0..=1.0).contains(&part).then_some(Self { part, kept_chains: false })
    }

    /// The same, and of the seeds of kept chains of the other reads.
    #[must_use]
    pub fn of_sample(part: f64) -> Option<Self> {
        Self::of_part(part).map(|share| Self { kept_chains: true, ..share })
    }

    /// Adds it to the settings of `dataset.json`: the share of the reads, `kept`, or `sample:SHARE` for both. All seeds are
    /// not stated, so that data sets merge with those of earlier versions.
    pub fn state_in(self, settings: &mut Map<String, Value>) {
        let stated = match self {
            Self::ALL => return,
            Self::OF_KEPT_CHAINS => KEPT.into(),
            Self { part, kept_chains: true } => format!("{SAMPLE}{part}").into(),
            Self { part, kept_chains: false } => part.into(),
        };
        settings.insert(SETTING.to_owned(), stated);
    }

    /// What the settings of `dataset.json` state; the error is a value that is not valid.
    ///
    /// # Errors
    /// The value, in words.
    pub fn stated_in(settings: &Map<String, Value>) -> Result<Self, String> {
        let Some(stated) = settings.get(SETTING) else { return Ok(Self::ALL) };
        let found = match stated {
            Value::Number(part) => part.as_f64().and_then(Self::of_part),
            Value::String(text) if text == KEPT => Some(Self::OF_KEPT_CHAINS),
            Value::String(text) => text.strip_prefix(SAMPLE).and_then(|part| Self::of_sample(part.parse().ok()?)),
            _ => None,
        };
        found.ok_or_else(|| {
            format!("{SETTING} is {stated}; valid are a share from 0 to 1, \"{KEPT}\", \"{SAMPLE}SHARE\"")
        })
    }

    /// Whether it is computed of a seed for certain: by the hash of its read's name, and whether its chain is kept.
    #[must_use]
    pub fn includes(self, read_hash: u64, chain_kept: bool) -> bool {
        // Of the whole range, 1 would be a number too many for an integer.
        (self.kept_chains && chain_kept) || self.part >= 1.0 || (read_hash as f64) < self.part * 2f64.powi(64)
    }

    /// Whether `policy` can tell if such a seed is viable. Also where one of the others happens to be known it is not told:
    /// seeds that are easy to extend are known more often, and what is told is to stand for all.
    #[must_use]
    pub fn tell(self, policy: LabelPolicy, read_hash: u64, chain_kept: bool) -> bool {
        !policy.looks_at_own_extension() || self.includes(read_hash, chain_kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes spread evenly.
    fn hashes() -> impl Iterator<Item = u64> {
        (0..10_000u64).map(|number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    #[test]
    fn a_share_of_the_names_is_included() {
        let included = |own: OwnExtensions| hashes().filter(|&hash| own.includes(hash, false)).count();
        let share = |part: f64| included(OwnExtensions::of_part(part).unwrap());
        assert_eq!((share(0.0), share(1.0)), (0, 10_000));
        assert!((900..1100).contains(&share(0.1)), "{}", share(0.1));
        assert_eq!(included(OwnExtensions::of_sample(0.1).unwrap()), share(0.1));
        assert_eq!(OwnExtensions::of_part(1.5), None);
        assert_eq!(OwnExtensions::of_sample(f64::NAN), None);
    }

    #[test]
    fn seeds_of_kept_chains_are_included_where_they_are_asked_for() {
        let (none, kept) = (OwnExtensions::of_part(0.0).unwrap(), OwnExtensions::OF_KEPT_CHAINS);
        assert!(kept.includes(7, true) && !kept.includes(u64::MAX, false));
        assert!(OwnExtensions::of_sample(0.1).unwrap().includes(u64::MAX, true));
        assert!(!none.includes(7, true));
        assert!(!none.tell(LabelPolicy::NearBest, 7, true) && none.tell(LabelPolicy::Contributed, 7, true));
    }

    #[test]
    fn settings_state_each_way() {
        let ways = [Some(OwnExtensions::ALL), OwnExtensions::of_part(0.0), OwnExtensions::of_part(0.25)];
        let kept = [Some(OwnExtensions::OF_KEPT_CHAINS), OwnExtensions::of_sample(0.1)];
        for own in ways.into_iter().chain(kept).flatten() {
            let mut settings = Map::new();
            own.state_in(&mut settings);
            assert_eq!(OwnExtensions::stated_in(&settings), Ok(own), "{settings:?}");
        }
        for wrong in [Value::from(1.5), "sample:2".into(), "sample".into(), "most".into(), Value::Null] {
            let settings = Map::from_iter([(SETTING.to_owned(), wrong)]);
            assert!(OwnExtensions::stated_in(&settings).unwrap_err().contains("valid are"));
        }
    }
}
