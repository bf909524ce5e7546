//! What the seeds of one read can score: ungapped, and with one gap.

use std::ops::Range;

use crate::FilterStatistics;
use crate::bound::Bound;
use crate::cascade::{CascadeBatch, CascadeSettings, PlacedSeed};
use crate::competition::Competition;
use crate::diagonal::{Segment, extend, find_run, join};
use crate::flanks::{FLANKS, Flanks, REACH, Rules, VectorForm};
use crate::planes::{BLOCK, NEAR, ReadPlanes, ReferencePlanes};

/// Seeds whose flanks are extended together. The reference of the next ones is asked for meanwhile.
pub(crate) const TOGETHER: usize = FLANKS / 2;

/// How many of the seeds before it may spare a seed its own comparison, by lying on the same diagonal.
const SAME_DIAGONAL: usize = 4;

/// One read laid on the reference. Its memory is used again from read to read.
pub(crate) struct Probe<'a> {
    reference: &'a ReferencePlanes,
    settings: &'a CascadeSettings,
    read: ReadPlanes,
    mask: Vec<u64>,
    by_diagonal: Vec<u32>,
    form: VectorForm,
    flanks: Flanks,
}

impl<'a> Probe<'a> {
    pub(crate) fn new(reference: &'a ReferencePlanes, settings: &'a CascadeSettings) -> Self {
        Self {
            reference,
            settings,
            read: ReadPlanes::default(),
            mask: Vec::new(),
            by_diagonal: Vec::new(),
            form: VectorForm::fastest(),
            flanks: Flanks::default(),
        }
    }

    /// The ungapped bound of each seed of one read, in their order, until one reaches `enough`: then the rest is left out.
    pub(crate) fn ungapped_bounds(&mut self, codes: &[u8], seeds: &[PlacedSeed], enough: i32, bounds: &mut Vec<Bound>) {
        bounds.clear();
        if seeds.is_empty() {
            return;
        }
        self.read.set(codes);
        let (mut groups, mut own) = (seeds.chunks(TOGETHER).peekable(), [Bound::default(); TOGETHER]);
        self.prefetch(&seeds[..seeds.len().min(TOGETHER)]);
        while let Some(group) = groups.next() {
            self.prefetch(groups.peek().copied().unwrap_or_default());
            self.ungapped_group(group, &mut own);
            for (seed, own) in group.iter().zip(&own) {
                let earlier = bounds.iter().rev().take(SAME_DIAGONAL).find(|bound| bound.runs_through(seed));
                let bound = *earlier.unwrap_or(own);
                bounds.push(bound);
                if bound.score >= enough {
                    return;
                }
            }
        }
    }

    /// The ungapped bound of each seed of one read by its own extension, whatever those of other seeds run through.
    pub(crate) fn own_ungapped_bounds(&mut self, codes: &[u8], seeds: &[PlacedSeed], bounds: &mut Vec<Bound>) {
        bounds.clear();
        self.read.set(codes);
        let mut own = [Bound::default(); TOGETHER];
        for group in seeds.chunks(TOGETHER) {
            self.prefetch(group);
            self.ungapped_group(group, &mut own);
            bounds.extend_from_slice(&own[..group.len()]);
        }
    }

    fn prefetch(&self, seeds: &[PlacedSeed]) {
        for seed in seeds.iter().filter(|seed| seed.query().len() < self.read.length()) {
            self.reference.prefetch(seed.diagonal(), self.read.length());
        }
    }

    /// The ungapped bounds of up to [`TOGETHER`] seeds, each for itself.
    fn ungapped_group(&mut self, seeds: &[PlacedSeed], bounds: &mut [Bound; TOGETHER]) {
        let mut places: [Option<Range<usize>>; TOGETHER] = Default::default();
        for ((number, seed), place) in seeds.iter().enumerate().zip(&mut places) {
            let Some(contig) = self.reference.contig_around(seed.start, u64::from(seed.length)) else { continue };
            let (diagonal, query) = (seed.diagonal(), seed.query());
            let bases = bases_on(&contig, diagonal, self.read.length());
            // A seed that is the whole read has nothing beside it.
            if query.len() == self.read.length() {
                (self.flanks.mismatches[number], self.flanks.mismatches[number + TOGETHER]) = (beyond(0), beyond(0));
                *place = Some(bases);
                continue;
            }
            let mismatches = |from| self.read.mismatches_from(seed.reverse, self.reference, diagonal, from);
            let left = mismatches(query.start as i64 - BLOCK as i64).reverse_bits();
            let right = mismatches(query.end as i64);
            self.flanks.mismatches[number] = left as u32 | beyond(query.start - bases.start);
            self.flanks.mismatches[number + TOGETHER] = right as u32 | beyond(bases.end - query.end);
            *place = Some(bases);
        }
        self.flanks.extend(self.form, Rules::new(&self.settings.scoring, self.settings.drop));
        for (number, ((seed, place), bound)) in seeds.iter().zip(places).zip(bounds).enumerate() {
            *bound = match place {
                None => Bound { diagonal: seed.diagonal(), reverse: seed.reverse, alt: seed.alt, ..Bound::default() },
                Some(bases) => self.bound_of_flanks(number, seed, &bases),
            };
        }
    }

    /// The bound of a seed whose flanks have been extended.
    fn bound_of_flanks(&mut self, number: usize, seed: &PlacedSeed, bases: &Range<usize>) -> Bound {
        let (left, right, query) = (number, number + TOGETHER, seed.query());
        let goes_on = |flank: usize, bases: usize| self.flanks.open >> flank & 1 == 1 && bases > REACH as usize;
        let segment = if goes_on(left, query.start - bases.start) || goes_on(right, bases.end - query.end) {
            self.whole_extension(seed, bases)
        } else {
            let Flanks { best, length, .. } = &self.flanks;
            Segment {
                score: query.len() as i32 * self.settings.scoring.matched + best[left] + best[right],
                start: query.start as u32 - length[left],
                end: query.end as u32 + length[right],
            }
        };
        let (diagonal, reverse, alt) = (seed.diagonal(), seed.reverse, seed.alt);
        Bound { score: segment.score, segment, diagonal, reverse, read_length: self.read.length() as u32, alt }
    }

    fn whole_extension(&mut self, seed: &PlacedSeed, bases: &Range<usize>) -> Segment {
        self.read.mismatches(seed.reverse, self.reference, seed.diagonal(), bases, &mut self.mask);
        extend(&self.mask, &seed.query(), bases, &self.settings.scoring, self.settings.drop)
    }

    /// Raises ungapped bounds by what one gap can add. The read is the one of the last call of [`Self::ungapped_bounds`].
    pub(crate) fn add_gaps(
        &mut self,
        competition: &Competition,
        seeds: &[PlacedSeed],
        bounds: &mut [Bound],
        statistics: &mut FilterStatistics,
    ) {
        self.bridge(bounds);
        self.try_gaps(competition, seeds, bounds, statistics);
    }

    /// Raises ungapped bounds by what one gap can add, without asking whether it matters.
    pub(crate) fn add_all_gaps(&mut self, seeds: &[PlacedSeed], bounds: &mut [Bound]) {
        self.bridge(bounds);
        let order = std::mem::take(&mut self.by_diagonal);
        let mut last = None;
        for &number in &order {
            let (seed, bound) = (&seeds[number as usize], &mut bounds[number as usize]);
            let Some(contig) = self.reference.contig_around(seed.start, u64::from(seed.length)) else { continue };
            // Seeds of one diagonal follow one another, and most of them have the same extension.
            let place = (bound.segment, bound.diagonal, bound.reverse);
            let beside = match last {
                Some((same, beside)) if same == place => beside,
                _ => self.beside(seed, &bound.segment, &contig),
            };
            last = Some((place, beside));
            bound.score = bound.score.max(beside);
        }
        self.by_diagonal = order;
    }

    /// Raises the bounds of seeds that one gap joins with another seed of the read.
    fn bridge(&mut self, bounds: &mut [Bound]) {
        let settings = self.settings;
        let order = &mut self.by_diagonal;
        order.clear();
        order.extend((0..bounds.len() as u32).filter(|&number| bounds[number as usize].score >= settings.gap_from));
        if order.len() < 2 {
            return;
        }
        order.sort_unstable_by_key(|&number| {
            let bound = &bounds[number as usize];
            (bound.reverse, bound.diagonal, bound.segment.start)
        });
        for (place, &one) in order.iter().enumerate() {
            let one = one as usize;
            let Bound { segment, diagonal, reverse, .. } = bounds[one];
            for &other in &order[place + 1..] {
                let other = other as usize;
                let shift = bounds[other].diagonal - diagonal;
                if bounds[other].reverse != reverse || shift > settings.bridge {
                    break;
                }
                if shift == 0 {
                    continue;
                }
                let joined = join(&segment, &bounds[other].segment, shift as i32, &settings.scoring);
                for number in [one, other] {
                    bounds[number].score = bounds[number].score.max(joined);
                }
            }
        }
    }

    /// Tries gaps to the diagonals right beside those of seeds that would be dropped for little.
    fn try_gaps(
        &mut self,
        competition: &Competition,
        seeds: &[PlacedSeed],
        bounds: &mut [Bound],
        statistics: &mut FilterStatistics,
    ) {
        let settings = self.settings;
        let Some(best) = bounds.iter().max_by_key(|bound| bound.score).copied() else { return };
        // Seeds on the primary assembly compete among themselves.
        let best_primary = bounds.iter().filter(|bound| !bound.alt).max_by_key(|bound| bound.score).copied();
        for (seed, bound) in seeds.iter().zip(bounds) {
            let best = best_primary.as_ref().filter(|_| !bound.alt).unwrap_or(&best);
            let missing = competition.floor(best, bound) - bound.score;
            if bound.segment.score < settings.gap_from || missing <= 0 || missing > settings.unseeded_gain {
                continue;
            }
            let Some(contig) = self.reference.contig_around(seed.start, u64::from(seed.length)) else { continue };
            statistics.gaps_tried += 1;
            bound.score = bound.score.max(self.beside(seed, &bound.segment, &contig));
        }
    }

    /// The best score of `segment`, on the seed's diagonal, alone or joined by one gap with a segment on a diagonal right
    /// beside it.
    fn beside(&mut self, seed: &PlacedSeed, segment: &Segment, contig: &Range<u64>) -> i32 {
        let (settings, reference) = (self.settings, self.reference);
        let mut best = segment.score;
        // Few of the diagonals have a run at all, and those that do are found together.
        let with_run = self.read.diagonals_with_run(seed.reverse, reference, seed.diagonal(), settings.run);
        let is_near = |shift: i32| shift.unsigned_abs() < NEAR as u32;
        for shift in (1..=settings.shifts).flat_map(|shift| [shift, -shift]) {
            if is_near(shift) && with_run >> (shift + NEAR as i32) & 1 == 0 {
                continue;
            }
            let diagonal = seed.diagonal() + i64::from(shift);
            let bases = bases_on(contig, diagonal, self.read.length());
            let before = bases.start..(segment.start as usize).clamp(bases.start, bases.end);
            let after = (segment.end as usize).clamp(bases.start, bases.end)..bases.end;
            // No more than all bases there can be gained.
            let ungained = segment.score - settings.scoring.gap(shift.abs());
            let may_gain = |part: &Range<usize>| ungained + part.len() as i32 * settings.scoring.matched > best;
            let parts = [before, after].map(|part| Some(part).filter(may_gain));
            if parts == [None, None] {
                continue;
            }
            self.read.mismatches(seed.reverse, reference, diagonal, &bases, &mut self.mask);
            let mask = &self.mask;
            for part in parts.into_iter().flatten() {
                let Some(run) = find_run(mask, &part, settings.run) else { continue };
                let other = extend(mask, &(run..run + settings.run), &bases, &settings.scoring, settings.drop);
                best = best.max(if shift > 0 {
                    join(segment, &other, shift, &settings.scoring)
                } else {
                    join(&other, segment, -shift, &settings.scoring)
                });
            }
        }
        best
    }
}

/// The bits of a flank of so many bases that lie beyond its end.
fn beyond(bases: usize) -> u32 {
    u32::MAX.checked_shl(bases as u32).unwrap_or(0)
}

/// The ungapped bounds of seeds, as the cascade takes them first: for measurements.
pub struct UngappedBounds<'a>(Probe<'a>);

impl<'a> UngappedBounds<'a> {
    /// With these instructions, which the processor has ([`VectorForm::available`]).
    pub fn new(reference: &'a ReferencePlanes, settings: &'a CascadeSettings, form: VectorForm) -> Self {
        Self(Probe { form, ..Probe::new(reference, settings) })
    }

    /// The bound of each seed of a batch.
    pub fn of_batch(&mut self, batch: &CascadeBatch<'_>) -> Vec<Bound> {
        let (mut all, mut of_read) = (Vec::with_capacity(batch.seeds.len()), Vec::new());
        for (codes, offsets) in batch.reads.iter().zip(batch.read_offsets.windows(2)) {
            self.0.ungapped_bounds(codes, &batch.seeds[offsets[0]..offsets[1]], i32::MAX, &mut of_read);
            all.append(&mut of_read);
        }
        all
    }
}

/// Bases of a read laid on this diagonal that lie on the contig.
pub(crate) fn bases_on(contig: &Range<u64>, diagonal: i64, length: usize) -> Range<usize> {
    let first = (contig.start as i64 - diagonal).max(0) as usize;
    let end = (contig.end as i64 - diagonal).clamp(0, length as i64) as usize;
    first.min(end)..end
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Base codes that look random and are the same in every run.
    fn sequence(length: usize, mut state: u64) -> Vec<u8> {
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 60) as u8 & 3
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    fn planes(codes: &[u8]) -> ReferencePlanes {
        ReferencePlanes::new(vec![0, codes.len() as u64], |range, piece| {
            piece.clear();
            piece.extend_from_slice(&codes[range.start as usize..range.end as usize]);
        })
    }

    fn seed(start: u64, query_start: u32, length: u32) -> PlacedSeed {
        PlacedSeed { start, query_start, length, reverse: false, alt: false }
    }

    fn bounds(reference: &[u8], read: &[u8], seeds: &[PlacedSeed]) -> Vec<i32> {
        let (planes, settings) = (planes(reference), CascadeSettings::default());
        let mut probe = Probe::new(&planes, &settings);
        let mut bounds = Vec::new();
        probe.ungapped_bounds(read, seeds, i32::MAX, &mut bounds);
        probe.add_gaps(&Competition::default(), seeds, &mut bounds, &mut FilterStatistics::default());
        bounds.iter().map(|bound| bound.score).collect()
    }

    #[test]
    fn the_bound_of_a_group_is_that_of_each_seed_alone_in_every_form() {
        let mut reference = sequence(3_000, 5);
        let unit = reference[100..160].to_vec();
        // Copies that differ in more and more places, so that flanks end early, late, and with the read or contig.
        for copy in 0..40 {
            let start = 200 + 60 * copy;
            reference[start..start + 60].copy_from_slice(&unit);
            (0..60).step_by(61 - copy).for_each(|place| reference[start + place] ^= 1);
        }
        let planes = ReferencePlanes::new(vec![0, 1_000, 3_000], |range, piece| {
            piece.clear();
            piece.extend_from_slice(&reference[range.start as usize..range.end as usize]);
        });
        let settings = CascadeSettings::default();
        let mut scores = Vec::new();
        for length in [30, 64, 101, 150, 200] {
            let mut read = reference[260..260 + length].to_vec();
            read[length / 3] = 4;
            let seeds: Vec<PlacedSeed> = (0..240)
                .map(|number| PlacedSeed {
                    start: (number * 97 % 2_970) as u64,
                    query_start: (number * 31 % (length - 12)) as u32,
                    length: 12,
                    reverse: number % 2 == 1,
                    alt: false,
                })
                .collect();
            let mut probe = Probe::new(&planes, &settings);
            probe.read.set(&read);
            for form in VectorForm::available() {
                probe.form = form;
                for group in seeds.chunks(TOGETHER) {
                    let mut bounds = [Bound::default(); TOGETHER];
                    probe.ungapped_group(group, &mut bounds);
                    for (seed, bound) in group.iter().zip(bounds) {
                        let contig = planes.contig_around(seed.start, 12);
                        let bases = contig.map(|contig| bases_on(&contig, seed.diagonal(), length));
                        let expected = bases.map(|bases| probe.whole_extension(seed, &bases)).unwrap_or_default();
                        assert_eq!(bound.segment, expected, "{form:?} {seed:?}");
                        scores.push(bound.score);
                    }
                }
            }
        }
        let above = scores.iter().filter(|&&score| score > 30).count();
        assert!(above > 20 && scores.contains(&0), "{above}");
    }

    #[test]
    fn a_gap_beside_the_diagonal_is_found_without_a_seed_there() {
        let reference = sequence(2_000, 1);
        let read = [&reference[1_000..1_022], &reference[1_025..1_040]].concat();
        // 22 bases, a deletion of three, 15 bases: 37 - 9.
        assert_eq!(bounds(&reference, &read, &[seed(1_000, 0, 22)]), [28]);
    }

    /// [`Probe::beside`] with every gap tried.
    fn beside_by_every_gap(probe: &mut Probe<'_>, seed: &PlacedSeed, segment: &Segment, contig: &Range<u64>) -> i32 {
        let (settings, mut mask, mut best) = (probe.settings, Vec::new(), segment.score);
        for shift in (1..=settings.shifts).flat_map(|shift| [shift, -shift]) {
            let diagonal = seed.diagonal() + i64::from(shift);
            let bases = bases_on(contig, diagonal, probe.read.length());
            probe.read.mismatches(seed.reverse, probe.reference, diagonal, &bases, &mut mask);
            let [start, end] = [segment.start, segment.end].map(|base| (base as usize).clamp(bases.start, bases.end));
            for part in [bases.start..start, end..bases.end] {
                let Some(run) = find_run(&mask, &part, settings.run) else { continue };
                let other = extend(&mask, &(run..run + settings.run), &bases, &settings.scoring, settings.drop);
                let (nearer, further) = if shift > 0 { (segment, &other) } else { (&other, segment) };
                best = best.max(join(nearer, further, shift.abs(), &settings.scoring));
            }
        }
        best
    }

    #[test]
    fn a_gap_is_left_out_only_where_it_cannot_pay() {
        const SEED: usize = 40;
        let reference = sequence(2_000, 4);
        let (planes, settings) = (planes(&reference), CascadeSettings::default());
        let mut probe = Probe::new(&planes, &settings);
        let mut gains = Vec::new();
        for shift in -settings.shifts..=settings.shifts {
            let (deleted, inserted) = (shift.max(0) as usize, (-shift).max(0) as usize);
            let extra = sequence(inserted, 6);
            for rest in 1..40 {
                let seed_part = &reference[1_000..1_000 + SEED];
                let behind = 1_000 + SEED + deleted;
                let before = 1_000 - deleted;
                let reads = [
                    ([seed_part, &extra, &reference[behind..behind + rest]].concat(), 0),
                    ([&reference[before - rest..before], &extra, seed_part].concat(), rest + inserted),
                ];
                for (read, query_start) in reads {
                    let seed = seed(1_000, query_start as u32, SEED as u32);
                    let mut bounds = Vec::new();
                    probe.own_ungapped_bounds(&read, &[seed], &mut bounds);
                    let (segment, contig) = (bounds[0].segment, 0..2_000);
                    let found = probe.beside(&seed, &segment, &contig);
                    let expected = beside_by_every_gap(&mut probe, &seed, &segment, &contig);
                    assert_eq!(found, expected, "{rest} bases beyond a gap of {shift}, the seed from {query_start} on");
                    gains.push(found - segment.score);
                }
            }
        }
        // One base less beyond the gap, and it would not pay.
        assert!(gains.contains(&0) && gains.contains(&1) && gains.contains(&20), "{gains:?}");
    }

    #[test]
    fn two_seeds_with_a_long_gap_between_them_count_together() {
        let reference = sequence(2_000, 2);
        let read = [&reference[1_000..1_050], &reference[1_070..1_120]].concat();
        let seeds = [seed(1_000, 0, 50), seed(1_070, 50, 50), seed(300, 10, 12)];
        let found = bounds(&reference, &read, &seeds);
        assert_eq!(found[..2], [100 - 26, 100 - 26]);
        assert!(found[2] < 20, "the third is alone");
    }

    #[test]
    fn a_reverse_seed_is_scored_on_the_complement() {
        let reference = sequence(500, 3);
        let read: Vec<u8> = reference[100..200].iter().rev().map(|&code| 3 - code).collect();
        let turned = PlacedSeed { start: 120, query_start: 20, length: 19, reverse: true, alt: false };
        assert_eq!(bounds(&reference, &read, &[turned]), [100]);
    }
}
