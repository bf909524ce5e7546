//! Which seeds of a read need no region of their own, because another seed's extension runs through them.

use bwa_seed::MemSeed;

use crate::{AlignOptions, SeedExtension};

/// A seed at least this long, as a part of another's length, may lead to another alignment than that one's.
const COMPARABLE_LENGTH: f64 = 0.95;
/// A seed that is longer than a region's founding seed by more than this part of the read may lead to a better alignment
/// than that region.
const BETTER_SEED: f64 = 0.1;

fn diagonal(seed: &MemSeed) -> i64 {
    seed.rbeg - i64::from(seed.qbeg)
}

/// Whether `other` competes with `seed` for the same part of the read: of comparable length, overlapping it by at least
/// a quarter, and on another diagonal.
fn competes(other: &MemSeed, seed: &MemSeed) -> bool {
    let (first, second) = if other.qbeg <= seed.qbeg { (other, seed) } else { (seed, other) };
    f64::from(other.len) >= f64::from(seed.len) * COMPARABLE_LENGTH
        && first.qbeg + first.len - second.qbeg >= seed.len >> 2
        && diagonal(other) != diagonal(seed)
}

/// Whether the extension of `seeds[number]` is certain to be absorbed: a longer seed of the chain covers it on its own
/// diagonal and no seed of the chain competes with it. Extending such a seed changes nothing in the output.
pub(crate) fn is_shadowed(seeds: &[MemSeed], number: usize) -> bool {
    let seed = &seeds[number];
    let covered = seeds.iter().any(|longer| {
        longer.len > seed.len
            && diagonal(longer) == diagonal(seed)
            && longer.qbeg <= seed.qbeg
            && seed.qbeg + seed.len <= longer.qbeg + longer.len
    });
    covered && !seeds.iter().enumerate().any(|(i, other)| i != number && competes(other, seed))
}

/// A seed of a read's chains, in the order in which bwa extends them.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// Number of the seed's chain in the read.
    pub(crate) chain: usize,
    /// Number of the seed in its chain.
    pub(crate) number: usize,
    pub(crate) seed: MemSeed,
    /// Not there as long as the seed has not been extended.
    pub(crate) extension: Option<SeedExtension>,
    /// Whether the extension is one that the extension gate put in its place.
    pub(crate) stands_in: bool,
}

impl Candidate {
    /// Whether Smith-Waterman extended the seed.
    pub(crate) fn is_extended(&self) -> bool {
        self.extension.is_some() && !self.stands_in
    }
}

impl Candidate {
    /// Whether this candidate, not yet decided upon itself, can have a say in what becomes of `later`: by absorbing it, or
    /// by competing with it.
    fn bears_on(&self, options: &AlignOptions, read_length: i32, later: &Self) -> bool {
        // A region leaves its seed's diagonal by the widest band at most, and absorbs seeds within a gap of that length.
        let reach = 4 * i64::from(options.mem.w);
        let near = (diagonal(&self.seed) - diagonal(&later.seed)).abs() <= reach
            && !is_better_seed(read_length, &later.seed, &self.seed);
        near || (self.chain == later.chain && competes(&self.seed, &later.seed))
    }
}

/// What is known of a read's candidates.
pub(crate) struct Survey {
    /// Those whose regions stay, in the order of extension.
    pub(crate) survivors: Vec<usize>,
    /// Those that have to be extended before more can be known.
    pub(crate) wanted: Vec<usize>,
    /// Those that are neither absorbed nor known to stay, `wanted` among them.
    pub(crate) undecided: Vec<usize>,
}

/// Decides on a read's candidates as far as their extensions are known.
///
/// bwa extends one seed after the other: a region goes when an earlier one that stays runs through its seed and no earlier
/// seed of its own chain that stays competes with it. So a candidate on which no undecided one bears is decided without
/// its own extension where it is absorbed, and has to be extended where it is not.
pub(crate) fn survey(options: &AlignOptions, read_length: i32, candidates: &[Candidate]) -> Survey {
    let mut survey = Survey { survivors: Vec::new(), wanted: Vec::new(), undecided: Vec::new() };
    let mut regions = Nearby::default();
    let mut undecided = Nearby::default();
    let reach = 4 * i64::from(options.mem.w);
    for (number, candidate) in candidates.iter().enumerate() {
        // Candidates come chain by chain, so those of its own are the last ones.
        let of_chain = |numbers: &[usize]| {
            numbers
                .iter()
                .rev()
                .map(|&earlier| &candidates[earlier])
                .take_while(|c| c.chain == candidate.chain)
                .any(|earlier| competes(&earlier.seed, &candidate.seed))
        };
        let place = diagonal(&candidate.seed);
        let open = undecided
            .within(place - reach, place + reach)
            .any(|earlier| candidates[earlier].bears_on(options, read_length, candidate))
            || of_chain(&survey.undecided);
        if open {
            survey.undecided.push(number);
            undecided.insert(place, number);
            continue;
        }
        let start = candidate.seed.rbeg;
        let absorbed = regions
            .within(start - regions.longest, start)
            .any(|region| runs_through(options, read_length, &candidates[region], &candidate.seed))
            && !of_chain(&survey.survivors);
        if absorbed {
            continue;
        }
        if let Some(extension) = &candidate.extension {
            survey.survivors.push(number);
            regions.longest = regions.longest.max(extension.reference_end - extension.reference_start);
            regions.insert(extension.reference_start, number);
        } else {
            survey.wanted.push(number);
            survey.undecided.push(number);
            undecided.insert(place, number);
        }
    }
    survey
}

/// Candidates in the order of some place, so that those near another one are found without a look at all of them.
#[derive(Default)]
struct Nearby {
    by_place: Vec<(i64, usize)>,
    /// Longest extent that reaches on from a place.
    longest: i64,
}

impl Nearby {
    fn insert(&mut self, place: i64, number: usize) {
        let next = self.by_place.partition_point(|&(other, _)| other <= place);
        self.by_place.insert(next, (place, number));
    }

    /// Those in `[first, last]`.
    fn within(&self, first: i64, last: i64) -> impl Iterator<Item = usize> + '_ {
        let next = self.by_place.partition_point(|&(place, _)| place < first);
        self.by_place[next..].iter().take_while(move |(place, _)| *place <= last).map(|&(_, number)| number)
    }
}

/// Whether `seed` is so much longer than the one that founded a region that it may lead to a better alignment.
fn is_better_seed(read_length: i32, seed: &MemSeed, founding: &MemSeed) -> bool {
    f64::from(seed.len - founding.len) > BETTER_SEED * f64::from(read_length)
}

/// Whether the extension of `region` passes through `seed`, or so near that the two are one alignment: the seed lies
/// within its bounds, and at one of its ends the diagonals differ by less than a gap can be long there.
fn runs_through(options: &AlignOptions, read_length: i32, region: &Candidate, seed: &MemSeed) -> bool {
    let Some(extension) = &region.extension else { return false };
    let (seed_query_end, seed_reference_end) = (seed.qbeg + seed.len, seed.rbeg + i64::from(seed.len));
    let inside = extension.query_start <= seed.qbeg
        && seed_query_end <= extension.query_end
        && extension.reference_start <= seed.rbeg
        && seed_reference_end <= extension.reference_end;
    if !inside || is_better_seed(read_length, seed, &region.seed) {
        return false;
    }
    let near = |query: i64, reference: i64| {
        let gap = options.longest_gap(query.min(reference) as i32).min(extension.band);
        (query - reference).abs() < i64::from(gap)
    };
    near(i64::from(seed.qbeg - extension.query_start), seed.rbeg - extension.reference_start)
        || near(i64::from(extension.query_end - seed_query_end), extension.reference_end - seed_reference_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(qbeg: i32, rbeg: i64, len: i32) -> MemSeed {
        MemSeed { rbeg, qbeg, len, score: len }
    }

    fn extended(chain: usize, seed: MemSeed, query: (i32, i32), reference: (i64, i64)) -> Candidate {
        let extension = SeedExtension {
            score: query.1 - query.0,
            left_score: query.1 - query.0,
            true_score: query.1 - query.0,
            query_start: query.0,
            query_end: query.1,
            reference_start: reference.0,
            reference_end: reference.1,
            band: 100,
        };
        Candidate { chain, number: 0, seed, extension: Some(extension), stands_in: false }
    }

    fn survivors(candidates: &[Candidate]) -> Vec<usize> {
        let survey = survey(&AlignOptions::default(), 150, candidates);
        assert!(survey.undecided.is_empty() && survey.wanted.is_empty());
        survey.survivors
    }

    #[test]
    fn a_seed_inside_a_longer_one_on_its_diagonal_is_shadowed() {
        assert!(is_shadowed(&[seed(0, 1000, 60), seed(20, 1020, 25)], 1));
        assert!(!is_shadowed(&[seed(0, 1000, 60), seed(20, 1021, 25)], 1), "another diagonal");
        assert!(!is_shadowed(&[seed(0, 1000, 60), seed(40, 1040, 25)], 1), "sticks out");
        assert!(!is_shadowed(&[seed(0, 1000, 60), seed(20, 1020, 25), seed(22, 1030, 25)], 1), "a competitor");
        assert!(is_shadowed(&[seed(0, 1000, 60), seed(20, 1020, 25), seed(41, 1049, 25)], 1), "overlaps too little");
        assert!(!is_shadowed(&[seed(0, 1000, 60), seed(20, 1020, 25), seed(37, 1045, 25)], 1), "overlaps by a third");
    }

    #[test]
    fn a_region_through_the_seed_absorbs_it_unless_a_competitor_of_its_chain_stays() {
        let long = || extended(0, seed(0, 1000, 60), (0, 150), (1000, 1150));
        let inner = || extended(0, seed(80, 1080, 25), (0, 150), (1000, 1150));
        assert_eq!(survivors(&[long(), inner()]), [0]);

        let competitor = extended(0, seed(78, 5078, 26), (70, 120), (5070, 5120));
        assert_eq!(survivors(&[long(), competitor, inner()]), [0, 1, 2]);

        let elsewhere = extended(1, seed(80, 9080, 25), (60, 130), (9060, 9130));
        assert_eq!(survivors(&[long(), elsewhere]), [0, 1]);
    }

    #[test]
    fn a_much_longer_seed_is_never_absorbed() {
        let short = extended(0, seed(0, 1000, 20), (0, 150), (1000, 1150));
        let longer = extended(1, seed(50, 1050, 36), (0, 150), (1000, 1150));
        assert_eq!(survivors(&[short, longer]), [0, 1]);
    }

    #[test]
    fn what_an_undecided_seed_may_absorb_waits_for_it() {
        let options = AlignOptions::default();
        let open = |chain, seed| Candidate { chain, number: 0, seed, extension: None, stands_in: false };
        let near = open(0, seed(80, 1080, 25));
        let far = open(1, seed(80, 9080, 25));
        let first = survey(&options, 150, &[open(0, seed(0, 1000, 60)), near.clone(), far.clone()]);
        assert_eq!((first.wanted, first.undecided), (vec![0, 2], vec![0, 1, 2]));

        let known = extended(0, seed(0, 1000, 60), (0, 150), (1000, 1150));
        let second = survey(&options, 150, &[known, near, far]);
        assert_eq!((second.survivors, second.wanted), (vec![0], vec![2]), "the near one is absorbed unextended");
    }
}
