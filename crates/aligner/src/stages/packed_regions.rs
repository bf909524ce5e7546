//! The regions of a read in less than half of their memory, while they wait for the insert size of their chunk.

use bwa_mem4_core::MemOpt;
use bwa_mem4_mem::MemAlnReg;

/// The regions of one read, before any is marked primary.
#[derive(Clone, Debug)]
pub(crate) enum PackedRegions {
    /// Those of short reads.
    Small(Box<[Small]>),
    /// Regions of which some field does not fit.
    Whole(Vec<MemAlnReg>),
}

/// A region in 40 bytes instead of 104. What no stage before mate rescue sets is left out.
#[derive(Clone, Debug)]
pub(crate) struct Small {
    /// In the 2L coordinate.
    reference_start: i64,
    reference_length: u32,
    contig: i32,
    repetitive: f32,
    query_start: u16,
    query_end: u16,
    score: i16,
    true_score: i16,
    seed_coverage: u16,
    founding_seed: u16,
    band: u16,
    components: u16,
    is_alt: bool,
}

impl Small {
    /// Nothing where the region would not come back as it is.
    fn new(region: &MemAlnReg) -> Option<Self> {
        // All fields are named, so that one that is added cannot be forgotten.
        let &MemAlnReg { rb, re, qb, qe, rid, score, truesc, seedcov, seedlen0, w, frac_rep, is_alt, n_comp, .. } =
            region;
        let &MemAlnReg { sub, csub, sub_n, secondary, secondary_all, alt_sc, hash, .. } = region;
        let is_unmarked = (sub, csub, sub_n, secondary, secondary_all, alt_sc, hash) == UNMARKED;
        is_unmarked.then_some(Self {
            reference_start: rb,
            reference_length: re.checked_sub(rb)?.try_into().ok()?,
            contig: rid,
            repetitive: frac_rep,
            query_start: qb.try_into().ok()?,
            query_end: qe.try_into().ok()?,
            score: score.try_into().ok()?,
            true_score: truesc.try_into().ok()?,
            seed_coverage: seedcov.try_into().ok()?,
            founding_seed: seedlen0.try_into().ok()?,
            band: w.try_into().ok()?,
            components: n_comp.try_into().ok()?,
            is_alt,
        })
    }

    fn region(&self) -> MemAlnReg {
        let (sub, csub, sub_n, secondary, secondary_all, alt_sc, hash) = UNMARKED;
        MemAlnReg {
            rb: self.reference_start,
            re: self.reference_start + i64::from(self.reference_length),
            qb: self.query_start.into(),
            qe: self.query_end.into(),
            rid: self.contig,
            score: self.score.into(),
            truesc: self.true_score.into(),
            sub,
            csub,
            sub_n,
            seedcov: self.seed_coverage.into(),
            seedlen0: self.founding_seed.into(),
            secondary,
            secondary_all,
            w: self.band.into(),
            frac_rep: self.repetitive,
            is_alt: self.is_alt,
            alt_sc,
            hash,
            n_comp: self.components.into(),
        }
    }
}

/// What the fields hold that the stages behind mate rescue set: `sub`, `csub`, `sub_n`, `secondary`, `secondary_all`, `alt_sc`,
/// `hash`.
const UNMARKED: (i32, i32, i32, i32, i32, i32, u64) = (0, 0, 0, -1, -1, 0, 0);

impl PackedRegions {
    pub(crate) fn new(regions: Vec<MemAlnReg>) -> Self {
        match regions.iter().map(Small::new).collect() {
            Some(small) => Self::Small(small),
            None => Self::Whole(regions),
        }
    }

    /// The regions as they were, in their order.
    pub(crate) fn unpack(&self) -> Vec<MemAlnReg> {
        match self {
            Self::Small(small) => small.iter().map(Small::region).collect(),
            Self::Whole(regions) => regions.clone(),
        }
    }

    /// The score of the first region, which is the best.
    pub(crate) fn best_score(&self) -> Option<i32> {
        match self {
            Self::Small(small) => small.first().map(|first| first.score.into()),
            Self::Whole(regions) => regions.first().map(|first| first.score),
        }
    }

    /// The regions by which the read takes part in measuring the insert size: its best one and, where there is one, the first
    /// behind it that lies on the same part of the read, by bwa's -overlap of half of the shorter one.
    pub(crate) fn of_insert_size(&self, options: &MemOpt) -> Vec<MemAlnReg> {
        let mut regions: Box<dyn Iterator<Item = MemAlnReg>> = match self {
            Self::Small(small) => Box::new(small.iter().map(Small::region)),
            Self::Whole(regions) => Box::new(regions.iter().cloned()),
        };
        let Some(best) = regions.next() else { return Vec::new() };
        let is_rival = |other: &MemAlnReg| {
            let shared = best.qe.min(other.qe) - best.qb.max(other.qb);
            let shorter = (best.qe - best.qb).min(other.qe - other.qb);
            shared > 0 && shared as f32 >= shorter as f32 * options.mask_level
        };
        let rival = regions.find(is_rival);
        std::iter::once(best).chain(rival).collect()
    }
}

impl Default for PackedRegions {
    fn default() -> Self {
        Self::Small(Box::default())
    }
}

#[cfg(test)]
mod tests {
    use bwa_mem4_mem::mem_pestat;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::AlignOptions;

    prop_compose! {
        /// A region as it is before mate rescue, best first where they are sorted by score.
        fn region()(
            place in 0_i64..3_000_000_000,
            length in 0_i64..400,
            qb in 0_i32..100,
            query_length in 1_i32..60,
            (rid, score, truesc, seedcov) in (-1_i32..40, 0_i32..200, -20_i32..200, 0_i32..150),
            (seedlen0, w, n_comp, frac_rep) in (10_i32..150, 0_i32..300, 1_i32..5, 0_f32..1.0),
            is_alt: bool,
        ) -> MemAlnReg {
            let (sub, csub, sub_n, secondary, secondary_all, alt_sc, hash) = UNMARKED;
            let (rb, re, qe) = (place, place + length, qb + query_length);
            MemAlnReg {
                rb, re, qb, qe, rid, score, truesc, sub, csub, sub_n, seedcov, seedlen0, secondary, secondary_all, w,
                frac_rep, is_alt, alt_sc, hash, n_comp,
            }
        }
    }

    /// Changes one field into something that does not fit in the small form.
    fn outgrow(region: &mut MemAlnReg, field: usize) {
        match field {
            0 => region.re = region.rb + (1 << 32),
            1 => region.qe = 1 << 16,
            2 => region.score = 1 << 15,
            3 => region.truesc = -(1 << 15) - 1,
            4 => region.seedcov = 1 << 16,
            5 => region.w = -1,
            6 => region.sub = 1,
            7 => region.csub = 1,
            8 => region.sub_n = 1,
            9 => region.secondary = 0,
            10 => region.secondary_all = 0,
            11 => region.alt_sc = 1,
            12 => region.hash = 1,
            13 => region.n_comp = 1 << 16,
            14 => region.qb = -1,
            15 => region.seedlen0 = 1 << 16,
            _ => region.re = region.rb - 1,
        }
    }

    proptest! {
        #[test]
        fn regions_come_back_as_they_were(
            mut regions in vec(region(), 0..6),
            outgrown in proptest::option::of((0_usize..6, 0_usize..17)),
        ) {
            let outgrown = outgrown.filter(|(place, _)| *place < regions.len());
            if let Some((place, field)) = outgrown {
                outgrow(&mut regions[place], field);
            }
            let packed = PackedRegions::new(regions.clone());
            prop_assert_eq!(matches!(packed, PackedRegions::Whole(_)), outgrown.is_some());
            prop_assert_eq!(format!("{:?}", packed.unpack()), format!("{regions:?}"));
            prop_assert_eq!(packed.best_score(), regions.first().map(|best| best.score));
        }

        #[test]
        fn insert_sizes_are_those_of_all_regions(
            // Mates near each other, and rivals with a part of the read in common or none, often near 0.8 of the best score.
            pairs in vec((vec(region(), 0..4), vec(region(), 0..4), 0_i64..900), 20..60),
            mask_level in prop::sample::select(vec![0.5_f32, 0.3, 0.95]),
        ) {
            let mut options = AlignOptions::default().mem;
            options.mask_level = mask_level;
            let mut reads: Vec<Vec<MemAlnReg>> = Vec::new();
            for (one, two, distance) in pairs {
                let start = reads.len();
                reads.extend([one, two]);
                reads[start..].iter_mut().for_each(|regions| regions.sort_by_key(|region| -region.score));
                if let [[first, ..], [second, ..]] = [&reads[start].clone()[..], &reads[start + 1].clone()[..]] {
                    reads[start + 1][0].rid = first.rid;
                    reads[start + 1][0].rb = 6_000_000_000 - 1 - first.rb - distance;
                    reads[start + 1][0].re = reads[start + 1][0].rb + second.re - second.rb;
                }
            }
            let statistics = |reads: &[Vec<MemAlnReg>]| {
                let reads: Vec<&[MemAlnReg]> = reads.iter().map(Vec::as_slice).collect();
                format!("{:?}", mem_pestat(&options, 3_000_000_000, &reads))
            };
            let packed = reads.iter().map(|regions| PackedRegions::new(regions.clone()).of_insert_size(&options));
            prop_assert_eq!(statistics(&packed.collect::<Vec<_>>()), statistics(&reads));
        }
    }
}
