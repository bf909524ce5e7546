//! Mate rescue: Smith-Waterman of a read where the insert size expects it beside its mate's regions.
//!
//! bwa looks beside the best regions of a read, one after the other, in every orientation in which the mate has no region
//! yet. What the mate has depends on what was found before, so the pairs of a batch go through it in rounds, one region a
//! round, and the searches of one round run together. Most searches are proven to find nothing ([`WindowBound`]), before the
//! reference is unpacked for them.

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

/// One search: a mate against a window of the reference.
struct Search {
    pair: usize,
    /// Which read of the pair is looked for.
    read: usize,
    contig: i32,
    is_alt: bool,
    /// Whether it is turned round.
    reverse: bool,
    /// The part of the window in which the mate may be, in the 2L coordinate.
    window: Range<i64>,
    /// Its bases.
    target: Vec<u8>,
    /// Score from which on the mate counts.
    least_score: i32,
}

/// Looks for the mates of `pairs` as bwa does, but for what `gate` leaves out.
pub(crate) fn rescue_mates(
    index: &ReferenceIndex,
    options: &AlignOptions,
    insert_size: &[PeStat; 4],
    gate: &dyn RescueGate,
    pairs: &mut [PairRescueData<'_>],
) -> FilterStatistics {
    let mut statistics = FilterStatistics::default();
    // Regions that rescue finds are no anchors themselves.
    let anchors: Vec<[Vec<MemAlnReg>; 2]> =
        pairs.iter().map(|pair| [anchors(options, pair.a0), anchors(options, pair.a1)]).collect();
    let bests: Vec<[Option<i32>; 2]> =
        pairs.iter().map(|pair| [&pair.a0, &pair.a1].map(|regions| regions.first().map(|best| best.score))).collect();
    let mut mates: Vec<[Mate; 2]> =
        pairs.iter().map(|pair| [Mate::new(pair.seq0, pair.a0), Mate::new(pair.seq1, pair.a1)]).collect();
    let rounds = anchors.iter().flatten().map(Vec::len).max().unwrap_or(0);
    let mut bound = WindowBound::new(gates::scoring(options));
    for round in 0..rounds {
        let mut searches = Vec::new();
        for (pair, of_reads) in anchors.iter().enumerate() {
            for (anchor_read, of_read) in of_reads.iter().enumerate() {
                let (Some(anchor), read) = (of_read.get(round), 1 - anchor_read) else { continue };
                let mate = &mates[pair][read];
                for orientation in open_orientations(index.length(), insert_size, anchor, &mate.starts) {
                    let expected = &insert_size[orientation];
                    let length = mate.codes[0].len();
                    let Some(window) = window(index, options, expected, orientation, anchor, length) else { continue };
                    let reverse = is_turned(orientation);
                    let verdict = gate.judge(&RescueCase {
                        options,
                        index,
                        anchor: anchor.score,
                        anchor_place: anchor.rb..anchor.re,
                        best: bests[pair][anchor_read].unwrap_or(anchor.score),
                        mate_best: bests[pair][read],
                        mate: &mate.codes[usize::from(reverse)],
                        window: window.clone(),
                    });
                    statistics.rescues_in += 1;
                    let RescueVerdict::Search { least_score } = verdict else {
                        statistics.rescues_skipped += 1;
                        continue;
                    };
                    statistics.rescues_raised += u64::from(least_score > floor(options));
                    let least_score = least_score.max(floor(options));
                    let Reach::Within(window) = reach(index, &mut bound, mate, reverse, window, least_score) else {
                        statistics.rescues_proven += 1;
                        continue;
                    };
                    let mut target = Vec::new();
                    index.packed.bases_into(window.start, window.end, &mut target);
                    let (contig, is_alt) = (anchor.rid, anchor.is_alt);
                    searches.push(Search { pair, read, contig, is_alt, reverse, window, target, least_score });
                }
            }
        }
        for (search, found) in searches.iter().zip(run(options, &searches, &mates)) {
            let PairRescueData { a0, a1, .. } = &mut pairs[search.pair];
            let regions = if search.read == 0 { a0 } else { a1 };
            let mate = &mut mates[search.pair][search.read];
            if found.score < search.least_score || found.qb < 0 {
                continue;
            }
            let region = region(index.length(), search, &found, mate.codes[0].len() as i32);
            insert(index, options, regions, region, mate);
        }
    }
    statistics
}

/// Score from which on bwa takes a mate that it finds.
fn floor(options: &AlignOptions) -> i32 {
    options.mem.min_seed_len * options.mem.a
}

/// Where in the window (in the 2L coordinate) the mate may score `least`.
fn reach(
    index: &ReferenceIndex,
    bound: &mut WindowBound,
    mate: &Mate,
    reverse: bool,
    window: Range<i64>,
    least: i32,
) -> Reach {
    let length = index.length();
    if window.start < length {
        return bound.reach(&mate.planes, reverse, index.planes(), &window, least);
    }
    // On the reverse strand the other strand of the mate is laid on the forward one.
    let turned = |range: Range<i64>| 2 * length - range.end..2 * length - range.start;
    match bound.reach(&mate.planes, !reverse, index.planes(), &turned(window), least) {
        Reach::Within(part) => Reach::Within(turned(part)),
        Reach::Nowhere => Reach::Nowhere,
    }
}

/// The regions beside which the mate is looked for: those that come within -U of the best, at most -m. Regions come best
/// first.
fn anchors(options: &AlignOptions, regions: &[MemAlnReg]) -> Vec<MemAlnReg> {
    let Some(best) = regions.first() else { return Vec::new() };
    let lowest = best.score - options.mem.pen_unpaired;
    let most = options.mem.max_matesw.max(0) as usize;
    regions.iter().filter(|region| region.score >= lowest).take(most).cloned().collect()
}

/// The orientations (FF, FR, RF, RR) in which the mate has no region at the right distance from `anchor`; `starts` are the
/// starts of its regions, ascending.
fn open_orientations(
    l_pac: i64,
    insert_size: &[PeStat; 4],
    anchor: &MemAlnReg,
    starts: &[i64],
) -> impl Iterator<Item = usize> + use<> {
    let is_reverse = anchor.rb >= l_pac;
    let is_open = |orientation: usize| {
        let expected = &insert_size[orientation];
        if expected.failed {
            return false;
        }
        let (low, high) = (i64::from(expected.low), i64::from(expected.high));
        let opposite = orientation == 1 || orientation == 2;
        // Places of the mate's start on the anchor's strand; one at the anchor's own start is before it.
        let (first, last) = if orientation < 2 {
            (anchor.rb + low.max(1), anchor.rb + high)
        } else {
            (anchor.rb - high, anchor.rb - low.max(0))
        };
        let (first, last) = if opposite { (2 * l_pac - 1 - last, 2 * l_pac - 1 - first) } else { (first, last) };
        let strand = if is_reverse == opposite { 0..l_pac } else { l_pac..2 * l_pac };
        let (first, last) = (first.max(strand.start), last.min(strand.end - 1));
        let next = starts.partition_point(|&start| start < first);
        starts.get(next).is_none_or(|&start| start > last)
    };
    let open: [bool; 4] = std::array::from_fn(is_open);
    (0..4).filter(move |&orientation| open[orientation])
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
    anchor: &MemAlnReg,
    length: usize,
) -> Option<Range<i64>> {
    let mate_follows = orientation >> 1 == 0;
    let (low, high) = (i64::from(expected.low), i64::from(expected.high));
    let starts = if mate_follows { anchor.rb + low..anchor.rb + high } else { anchor.rb - high..anchor.rb - low };
    let length = length as i64;
    // The mate's start, seen from the anchor's strand, is its last base where it is turned round.
    let (start, end) =
        if is_turned(orientation) { (starts.start - length, starts.end) } else { (starts.start, starts.end + length) };
    let (start, end) = (start.max(0), end.min(2 * index.length()));
    if start >= end {
        return None;
    }
    let (start, end, contig) = index.bns.fetch_bounds(start, end, (start + end) >> 1);
    (contig == anchor.rid && end - start >= i64::from(options.mem.min_seed_len)).then_some(start..end)
}

/// The result of each search, in their order. Those for the same score run together.
fn run(options: &AlignOptions, searches: &[Search], mates: &[[Mate; 2]]) -> Vec<KswAlignResult> {
    let mem = &options.mem;
    let mut of_score: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for (number, search) in searches.iter().enumerate() {
        of_score.entry(search.least_score).or_default().push(number);
    }
    let mut results = vec![None; searches.len()];
    for (least_score, numbers) in of_score {
        let job = |&number: &usize| {
            let Search { pair, read, reverse, ref target, .. } = searches[number];
            KswJob { query: &mates[pair][read].codes[usize::from(reverse)], target }
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
fn region(l_pac: i64, search: &Search, found: &KswAlignResult, mate_length: i32) -> MemAlnReg {
    let (query_start, query_end) = (found.qb, found.qe + 1);
    let (start, end) = (search.window.start + i64::from(found.tb), search.window.start + i64::from(found.te) + 1);
    let (qb, qe, rb, re) = if search.reverse {
        (mate_length - query_end, mate_length - query_start, 2 * l_pac - end, 2 * l_pac - start)
    } else {
        (query_start, query_end, start, end)
    };
    MemAlnReg {
        rb,
        re,
        qb,
        qe,
        rid: search.contig,
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
        is_alt: search.is_alt,
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
