//! Mate rescue: Smith-Waterman of a read where the insert size expects it beside its mate's regions.
//!
//! bwa looks beside the best regions of a read, one after the other, in every orientation in which the mate has no region
//! yet. What the mate has depends on what was found before, so the pairs of a batch go through it in rounds, one region a
//! round, and the searches of one round run together. Most searches are proven to find nothing ([`WindowBound`]), pair by pair
//! before the first round and before the reference is unpacked for them.

use std::collections::BTreeMap;
use std::ops::Range;

use bwa_mem4_extend::KswAlignResult;
use bwa_mem4_mem::{MemAlnReg, PairRescueData, PeStat, mem_sort_dedup_patch};
use bwa_neon::{KswJob, batched_mate_rescue};
use seedsieve_filter::{Reach, ReadPlanes, WindowBound};

use crate::gates::{self, RescueCase, RescueGate, RescueVerdict};
use crate::{AlignOptions, FilterStatistics, ReferenceIndex};

/// Letters of the scoring matrix: A, C, G, T, N.
const ALPHABET: usize = 5;

/// One read of a pair, as it is looked for beside the regions of the other one.
struct Mate {
    /// Base codes as sequenced, and reverse-complemented.
    codes: [Vec<u8>; 2],
    /// The same as bit planes.
    planes: ReadPlanes,
    /// Starts of its regions in the 2L coordinate, ascending.
    starts: Vec<i64>,
    /// The most bases of the reference that a region of it covers.
    longest: i64,
    /// Whether its regions are what the removal of duplicates left.
    settled: bool,
}

impl Mate {
    fn new(codes: &[u8], regions: &[MemAlnReg]) -> Self {
        let reverse = codes.iter().rev().map(|&code| if code < 4 { 3 - code } else { 4 }).collect();
        let mut planes = ReadPlanes::default();
        planes.set(codes);
        let codes = [codes.to_vec(), reverse];
        Self { codes, planes, starts: starts(regions), longest: longest(regions), settled: false }
    }

    /// Whether the region may touch one of those that are there, on the reference.
    fn may_touch(&self, region: &MemAlnReg) -> bool {
        let next = self.starts.partition_point(|&start| start <= region.rb - self.longest);
        self.starts.get(next).is_some_and(|&start| start < region.re)
    }
}

/// A region beside which the mate is looked for.
#[derive(Clone)]
struct Anchor {
    score: i32,
    /// In the 2L coordinate.
    place: Range<i64>,
    contig: i32,
    is_alt: bool,
}

/// A search that bwa may come to.
struct Prospect {
    /// The number of the anchor among those of its read, which is the round in which the mate is looked for.
    round: usize,
    /// Which read of the pair is looked for.
    read: usize,
    anchor: Anchor,
    orientation: usize,
    /// What it can find; `None` where the mate has a region there, so that it is not looked for unless that region goes.
    chance: Option<Chance>,
}

/// What a search can find.
#[derive(Clone)]
struct Chance {
    /// Where the mate may be, in the 2L coordinate.
    window: Range<i64>,
    /// Score from which on it counts.
    least_score: i32,
}

/// One search: a mate against a window of the reference.
struct Search<'a> {
    pair: usize,
    prospect: &'a Prospect,
    chance: Chance,
    /// The window's bases.
    target: Vec<u8>,
}

/// A pair before anything is found.
struct PairBefore {
    /// Best score of each read.
    bests: [Option<i32>; 2],
    /// In the order in which bwa comes to them.
    prospects: Vec<Prospect>,
}

/// Looks for the mates of `pairs` as bwa does, but for what `gate` leaves out.
pub(crate) fn rescue_mates(
    index: &ReferenceIndex,
    options: &AlignOptions,
    insert_size: &[PeStat; 4],
    gate: &dyn RescueGate,
    pairs: &mut [PairRescueData<'_>],
) -> FilterStatistics {
    let mut mates: Vec<[Mate; 2]> =
        pairs.iter().map(|pair| [Mate::new(pair.seq0, pair.a0), Mate::new(pair.seq1, pair.a1)]).collect();
    let bound = WindowBound::new(gates::scoring(options));
    let (proofs, statistics) = Default::default();
    let mut look = Look { index, options, insert_size, gate, bound, proofs, statistics };
    // Regions that rescue finds are no anchors themselves.
    let before: Vec<PairBefore> = pairs.iter().zip(&mates).map(|(pair, mates)| look.before(pair, mates)).collect();
    // Pairs with the number of their next prospect.
    let mut left: Vec<(usize, usize)> = (0..pairs.len()).map(|pair| (pair, 0)).collect();
    for round in 0.. {
        left.retain(|&(pair, next)| next < before[pair].prospects.len());
        if left.is_empty() {
            break;
        }
        let mut searches = Vec::new();
        for (pair, next) in &mut left {
            let PairBefore { bests, prospects } = &before[*pair];
            for prospect in prospects[*next..].iter().take_while(|prospect| prospect.round == round) {
                *next += 1;
                let mate = &mates[*pair][prospect.read];
                if !look.is_open(prospect.orientation, &prospect.anchor, mate) {
                    continue;
                }
                let chance = prospect.chance.clone();
                let Some(chance) = chance.or_else(|| look.chance(prospect, *bests, mate)) else { continue };
                let mut target = Vec::new();
                index.packed.bases_into(chance.window.start, chance.window.end, &mut target);
                searches.push(Search { pair: *pair, prospect, chance, target });
            }
        }
        for (search, found) in searches.iter().zip(run(options, &searches, &mates)) {
            let PairRescueData { a0, a1, .. } = &mut pairs[search.pair];
            let read = search.prospect.read;
            let regions = if read == 0 { a0 } else { a1 };
            let mate = &mut mates[search.pair][read];
            if found.score < search.chance.least_score || found.qb < 0 {
                continue;
            }
            let region = region(index.length(), search, &found, mate.codes[0].len() as i32);
            insert(index, options, regions, region, mate);
        }
    }
    look.statistics
}

/// What is the same for all searches of a batch, and what they count.
struct Look<'a> {
    index: &'a ReferenceIndex,
    options: &'a AlignOptions,
    insert_size: &'a [PeStat; 4],
    gate: &'a dyn RescueGate,
    bound: WindowBound,
    proofs: Proofs,
    statistics: FilterStatistics,
}

/// How often proofs succeed. Beside copies of a repeat there is a mate to be found each time: where hardly a proof succeeds, most
/// searches go without. Records are the same either way.
#[derive(Default)]
struct Proofs {
    tried: u32,
    succeeded: u32,
    /// Searches that still go without.
    left_out: u32,
}

impl Proofs {
    /// Proofs after which it is decided whether the next ones are tried.
    const TRIED: u32 = 32;
    /// Searches that go without a proof where fewer than one in so many succeeded, times [`Self::TRIED`].
    const SELDOM: u32 = 8;

    fn are_worth_trying(&mut self) -> bool {
        let is_tried = self.left_out == 0;
        self.left_out = self.left_out.saturating_sub(1);
        is_tried
    }

    fn count(&mut self, success: bool) {
        self.tried += 1;
        self.succeeded += u32::from(success);
        if self.tried == Self::TRIED {
            let is_seldom = self.succeeded * Self::SELDOM < self.tried;
            *self = Self { left_out: if is_seldom { Self::SELDOM * Self::TRIED } else { 0 }, ..Self::default() };
        }
    }
}

impl Look<'_> {
    /// The searches of a pair, but for those that the gate or a proof leaves out.
    fn before(&mut self, pair: &PairRescueData<'_>, mates: &[Mate; 2]) -> PairBefore {
        let regions = [pair.a0.as_slice(), pair.a1.as_slice()];
        let bests = regions.map(|regions| regions.first().map(|best| best.score));
        let mut prospects = Vec::new();
        for (anchor_read, regions) in regions.into_iter().enumerate() {
            let (read, mate) = (1 - anchor_read, &mates[1 - anchor_read]);
            for (round, anchor) in anchors(self.options, regions).enumerate() {
                for orientation in (0..4).filter(|&orientation| !self.insert_size[orientation].failed) {
                    let mut prospect = Prospect { round, read, anchor: anchor.clone(), orientation, chance: None };
                    if self.is_open(orientation, &anchor, mate) {
                        prospect.chance = self.chance(&prospect, bests, mate);
                        if prospect.chance.is_none() {
                            continue;
                        }
                    }
                    prospects.push(prospect);
                }
            }
        }
        // Stable: beside the same number of region of both reads, the first read's mate is looked for first.
        prospects.sort_by_key(|prospect| prospect.round);
        PairBefore { bests, prospects }
    }

    /// What a search can find; `None` where the gate leaves it out, or it is proven to find nothing.
    fn chance(&mut self, prospect: &Prospect, bests: [Option<i32>; 2], mate: &Mate) -> Option<Chance> {
        let Prospect { read, ref anchor, orientation, .. } = *prospect;
        let (index, options) = (self.index, self.options);
        let expected = &self.insert_size[orientation];
        let window = window(index, options, expected, orientation, anchor, mate.codes[0].len())?;
        let reverse = is_turned(orientation);
        let verdict = self.gate.judge(&RescueCase {
            options,
            index,
            anchor: anchor.score,
            anchor_place: anchor.place.clone(),
            best: bests[1 - read].unwrap_or(anchor.score),
            mate_best: bests[read],
            mate: &mate.codes[usize::from(reverse)],
            window: window.clone(),
        });
        self.statistics.rescues_in += 1;
        let RescueVerdict::Search { least_score } = verdict else {
            self.statistics.rescues_skipped += 1;
            return None;
        };
        self.statistics.rescues_raised += u64::from(least_score > floor(options));
        let least_score = least_score.max(floor(options));
        if !self.proofs.are_worth_trying() {
            return Some(Chance { window, least_score });
        }
        let reach = reach(index, &mut self.bound, mate, reverse, window, least_score);
        self.proofs.count(reach == Reach::Nowhere);
        match reach {
            Reach::Within(window) => Some(Chance { window, least_score }),
            Reach::Nowhere => {
                self.statistics.rescues_proven += 1;
                None
            }
        }
    }

    fn is_open(&self, orientation: usize, anchor: &Anchor, mate: &Mate) -> bool {
        is_open(self.index.length(), &self.insert_size[orientation], orientation, anchor, &mate.starts)
    }
}

/// Score from which on bwa takes a mate that it finds.
fn floor(options: &AlignOptions) -> i32 {
    options.mem.min_seed_len * options.mem.a
}

/// bwa's kernel goes on for some bases behind the end of the read, which score nothing: alignments that reach it have the same
/// score for so many bases of the reference more, which counts as a second best one.
const BEHIND_READ: i64 = 32;

/// Where in the window (in the 2L coordinate) the mate may score `least`, as the kernel counts it.
fn reach(
    index: &ReferenceIndex,
    bound: &mut WindowBound,
    mate: &Mate,
    reverse: bool,
    window: Range<i64>,
    least: i32,
) -> Reach {
    let length = index.length();
    let turned = |range: &Range<i64>| 2 * length - range.end..2 * length - range.start;
    let part = if window.start < length {
        bound.reach(&mate.planes, reverse, index.planes(), &window, least)
    } else {
        // On the reverse strand the other strand of the mate is laid on the forward one.
        match bound.reach(&mate.planes, !reverse, index.planes(), &turned(&window), least) {
            Reach::Within(part) => Reach::Within(turned(&part)),
            Reach::Nowhere => Reach::Nowhere,
        }
    };
    match part {
        // The kernel goes from the window's start to its end, on either strand.
        Reach::Within(part) => Reach::Within(part.start..(part.end + BEHIND_READ).min(window.end)),
        Reach::Nowhere => Reach::Nowhere,
    }
}

/// The regions beside which the mate is looked for: those that come within -U of the best, at most -m. Regions come best
/// first.
fn anchors(options: &AlignOptions, regions: &[MemAlnReg]) -> impl Iterator<Item = Anchor> {
    let lowest = regions.first().map_or(0, |best| best.score - options.mem.pen_unpaired);
    let most = options.mem.max_matesw.max(0) as usize;
    regions.iter().filter(move |region| region.score >= lowest).take(most).map(|region| Anchor {
        score: region.score,
        place: region.rb..region.re,
        contig: region.rid,
        is_alt: region.is_alt,
    })
}

/// Whether the mate has no region at the distance from `anchor` that is `expected` in this orientation (FF, FR, RF, RR);
/// `starts` are the starts of its regions, ascending.
fn is_open(l_pac: i64, expected: &PeStat, orientation: usize, anchor: &Anchor, starts: &[i64]) -> bool {
    if expected.failed {
        return false;
    }
    let (is_reverse, anchor) = (anchor.place.start >= l_pac, anchor.place.start);
    let (low, high) = (i64::from(expected.low), i64::from(expected.high));
    let opposite = orientation == 1 || orientation == 2;
    // Places of the mate's start on the anchor's strand; one at the anchor's own start is before it.
    let (first, last) =
        if orientation < 2 { (anchor + low.max(1), anchor + high) } else { (anchor - high, anchor - low.max(0)) };
    let (first, last) = if opposite { (2 * l_pac - 1 - last, 2 * l_pac - 1 - first) } else { (first, last) };
    let strand = if is_reverse == opposite { 0..l_pac } else { l_pac..2 * l_pac };
    let (first, last) = (first.max(strand.start), last.min(strand.end - 1));
    let next = starts.partition_point(|&start| start < first);
    starts.get(next).is_none_or(|&start| start > last)
}

/// The starts of regions, ascending.
fn starts(regions: &[MemAlnReg]) -> Vec<i64> {
    let mut starts: Vec<i64> = regions.iter().map(|region| region.rb).collect();
    starts.sort_unstable();
    starts
}

/// The most bases of the reference that one of the regions covers.
fn longest(regions: &[MemAlnReg]) -> i64 {
    regions.iter().map(|region| region.re - region.rb).max().unwrap_or(0)
}

/// Whether the mate is turned round in an orientation, as its anchor lies.
fn is_turned(orientation: usize) -> bool {
    (orientation >> 1) != (orientation & 1)
}

/// Where the mate is looked for in one orientation, in the 2L coordinate; nothing where that is too small or lies on another
/// contig.
fn window(
    index: &ReferenceIndex,
    options: &AlignOptions,
    expected: &PeStat,
    orientation: usize,
    anchor: &Anchor,
    length: usize,
) -> Option<Range<i64>> {
    let mate_follows = orientation >> 1 == 0;
    let (low, high) = (i64::from(expected.low), i64::from(expected.high));
    let place = anchor.place.start;
    let starts = if mate_follows { place + low..place + high } else { place - high..place - low };
    let length = length as i64;
    // The mate's start, seen from the anchor's strand, is its last base where it is turned round.
    let (start, end) =
        if is_turned(orientation) { (starts.start - length, starts.end) } else { (starts.start, starts.end + length) };
    let (start, end) = (start.max(0), end.min(2 * index.length()));
    if start >= end {
        return None;
    }
    let (start, end, contig) = index.bns.fetch_bounds(start, end, (start + end) >> 1);
    (contig == anchor.contig && end - start >= i64::from(options.mem.min_seed_len)).then_some(start..end)
}

/// The result of each search, in their order. Those for the same score run together.
fn run(options: &AlignOptions, searches: &[Search<'_>], mates: &[[Mate; 2]]) -> Vec<KswAlignResult> {
    let mem = &options.mem;
    let mut of_score: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for (number, search) in searches.iter().enumerate() {
        of_score.entry(search.chance.least_score).or_default().push(number);
    }
    let mut results = vec![None; searches.len()];
    for (least_score, numbers) in of_score {
        let job = |&number: &usize| {
            let Search { pair, prospect, ref target, .. } = searches[number];
            KswJob { query: &mates[pair][prospect.read].codes[usize::from(is_turned(prospect.orientation))], target }
        };
        let jobs: Vec<KswJob<'_>> = numbers.iter().map(job).collect();
        let found = batched_mate_rescue(
            &jobs,
            ALPHABET,
            &mem.mat,
            mem.o_del,
            mem.e_del,
            mem.o_ins,
            mem.e_ins,
            least_score,
            mem.a,
        );
        for (number, found) in numbers.into_iter().zip(found) {
            results[number] = Some(found);
        }
    }
    results.into_iter().map(|found| found.expect("every search has a score that it runs for")).collect()
}

/// The region of what a search found, in the coordinates of the mate as it was sequenced.
fn region(l_pac: i64, search: &Search<'_>, found: &KswAlignResult, mate_length: i32) -> MemAlnReg {
    let (prospect, window) = (search.prospect, search.chance.window.start);
    let (query_start, query_end) = (found.qb, found.qe + 1);
    let (start, end) = (window + i64::from(found.tb), window + i64::from(found.te) + 1);
    let (qb, qe, rb, re) = if is_turned(prospect.orientation) {
        (mate_length - query_end, mate_length - query_start, 2 * l_pac - end, 2 * l_pac - start)
    } else {
        (query_start, query_end, start, end)
    };
    MemAlnReg {
        rb,
        re,
        qb,
        qe,
        rid: prospect.anchor.contig,
        score: found.score,
        truesc: 0,
        sub: 0,
        csub: found.score2,
        sub_n: 0,
        // bwa's stand-in for the bases that seeds cover.
        seedcov: ((re - rb).min(i64::from(qe - qb)) >> 1) as i32,
        seedlen0: 0,
        secondary: -1,
        secondary_all: 0,
        w: 0,
        frac_rep: 0.0,
        is_alt: prospect.anchor.is_alt,
        alt_sc: 0,
        hash: 0,
        n_comp: 0,
    }
}

/// Puts a region among those of its read, and removes duplicates.
fn insert(
    index: &ReferenceIndex,
    options: &AlignOptions,
    regions: &mut Vec<MemAlnReg>,
    mut region: MemAlnReg,
    mate: &mut Mate,
) {
    // One at a time: regions of a whole chunk are in memory, and twice as many as there are would be a tenth of it.
    if regions.len() == regions.capacity() {
        regions.reserve_exact(1);
    }
    // A region that touches no other one of regions without duplicates changes nothing else.
    if mate.settled && !mate.may_touch(&region) {
        region.n_comp = 1;
        mate.longest = mate.longest.max(region.re - region.rb);
        let start = mate.starts.partition_point(|&start| start < region.rb);
        mate.starts.insert(start, region.rb);
        let key = |region: &MemAlnReg| (std::cmp::Reverse(region.score), region.rb, region.qb);
        let place = regions.partition_point(|other| key(other) < key(&region));
        regions.insert(place, region);
        return;
    }
    let place = regions.iter().position(|other| other.score < region.score).unwrap_or(regions.len());
    regions.insert(place, region);
    // Fewer than two regions come back as they were.
    mate.settled = regions.len() >= 2;
    *regions = mem_sort_dedup_patch(&index.packed, &options.mem, &[], std::mem::take(regions));
    (mate.starts, mate.longest) = (starts(regions), longest(regions));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proofs_that_seldom_succeed_are_seldom_tried() {
        let tried = |succeeds: &dyn Fn(u32) -> bool| {
            let mut proofs = Proofs::default();
            (0..2_880)
                .filter(|&number| {
                    proofs.are_worth_trying() && {
                        proofs.count(succeeds(number));
                        true
                    }
                })
                .count()
        };
        assert_eq!(tried(&|_| true), 2_880);
        assert_eq!(tried(&|number| number % 8 == 0), 2_880);
        assert_eq!(tried(&|_| false), 320);
        // Half of them succeed from a place on.
        let later = tried(&|number| number > 1_440 && number % 2 == 0);
        assert!((1_400..1_800).contains(&later), "{later}");
    }
}
