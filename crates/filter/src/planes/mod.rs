//! Sequences as two bit planes, so that a whole diagonal is compared in a few instructions.
//!
//! A base code (A 0, C 1, G 2, T 3) is split into its low and its high bit; base i of a block of 64 is bit i of both words.
//! Two bases differ where either plane does: mismatches of 64 bases are two XORs and an OR.

mod lanes;
mod packed;
mod runs;

use std::ops::Range;

pub(crate) use runs::{DIAGONALS, RunCounts};
use runs::{LONGEST_RUN, Laid};

use crate::bounds::TOGETHER;

/// Bases in a block.
pub const BLOCK: usize = 64;

/// 64 bases: low bits, high bits.
type Block = [u64; 2];

/// A reference, forward strand only, with the ends of its contigs.
#[derive(Debug, Clone)]
pub struct ReferencePlanes {
    /// One block of zeros before the first base and two after the last, so that an unaligned block may be read anywhere
    /// near the ends.
    blocks: Vec<Block>,
    /// Start of each contig, ascending from 0, and the end of the last.
    contig_starts: Vec<u64>,
}

impl ReferencePlanes {
    /// Asks for the base codes (0 to 3) of the reference, piece by piece from the start: `fetch` replaces the content of
    /// its buffer by those of a range. `contig_starts` ends with the number of bases.
    ///
    /// # Panics
    /// If `contig_starts` does not ascend from 0, or `fetch` gives fewer bases than it was asked for.
    pub fn new(contig_starts: Vec<u64>, mut fetch: impl FnMut(Range<u64>, &mut Vec<u8>)) -> Self {
        /// Bases that are fetched at once: a multiple of a block, and little beside any reference.
        const PIECE: u64 = 1 << 18;
        let length = *contig_starts.last().expect("at least the end");
        assert!(contig_starts[0] == 0 && contig_starts.is_sorted(), "contigs start at 0 and follow one another");
        let mut blocks = Vec::with_capacity(length.div_ceil(BLOCK as u64) as usize + 3);
        blocks.push([0; 2]);
        let mut codes = Vec::new();
        for start in (0..length).step_by(PIECE as usize) {
            let end = length.min(start + PIECE);
            fetch(start..end, &mut codes);
            assert_eq!(codes.len() as u64, end - start, "as many bases as were asked for");
            blocks.extend(codes.chunks(BLOCK).map(planes::<2>));
        }
        blocks.extend([[0; 2]; 2]);
        Self { blocks, contig_starts }
    }

    /// As [`Self::new`], from the bases as a `.pac` file of bwa's holds them: four a byte, the first one in its highest bits.
    /// What lies behind the last base does not matter.
    ///
    /// # Panics
    /// If `contig_starts` does not ascend from 0, or there are fewer bases than it says.
    pub fn of_packed(contig_starts: Vec<u64>, packed: &[u8]) -> Self {
        let length = *contig_starts.last().expect("at least the end") as usize;
        assert!(contig_starts[0] == 0 && contig_starts.is_sorted(), "contigs start at 0 and follow one another");
        let mut blocks = Vec::with_capacity(length.div_ceil(BLOCK) + 3);
        blocks.push([0; 2]);
        let (whole, rest) = packed[..length.div_ceil(packed::BASES)].as_chunks();
        blocks.extend(whole.iter().map(packed::planes));
        if !rest.is_empty() {
            let mut last = [0; packed::BYTES];
            last[..rest.len()].copy_from_slice(rest);
            blocks.push(packed::planes(&last));
        }
        let tail = length % BLOCK;
        if let Some(last) = blocks.last_mut().filter(|_| tail != 0) {
            last.iter_mut().for_each(|plane| *plane &= (1 << tail) - 1);
        }
        blocks.extend([[0; 2]; 2]);
        Self { blocks, contig_starts }
    }

    /// Bases of all contigs.
    pub fn length(&self) -> u64 {
        *self.contig_starts.last().expect("at least the end")
    }

    /// Bounds of the contig that holds `[start, start + length)`; nothing where no contig does.
    pub fn contig_around(&self, start: u64, length: u64) -> Option<Range<u64>> {
        let next = self.contig_starts.partition_point(|&other| other <= start);
        let (&first, &end) = (self.contig_starts.get(next.checked_sub(1)?)?, self.contig_starts.get(next)?);
        (start + length <= end).then_some(first..end)
    }

    /// The 64 bases from `start` on; zeros (A) outside the reference. `start` is -64 at least, and the end at most.
    #[inline]
    fn block_at(&self, start: i64) -> Block {
        block_at(&self.blocks, start)
    }

    /// The base codes from `start` on, which lies anywhere; `beyond` in place of those outside the contig.
    #[inline]
    pub(crate) fn codes(&self, start: i64, contig: &Range<u64>, beyond: u8, codes: &mut [u8]) {
        let inside = [contig.start, contig.end].map(|end| (end as i64 - start).clamp(0, codes.len() as i64) as usize);
        for (number, codes) in codes.chunks_mut(BLOCK).enumerate() {
            let start = start + (number * BLOCK) as i64;
            let is_near = start >= -(BLOCK as i64) && start <= self.length() as i64;
            let planes = if is_near { self.block_at(start) } else { [0; 2] };
            let [low, high] = planes.map(u64::to_le_bytes);
            for (eight, (low, high)) in codes.chunks_mut(8).zip(low.into_iter().zip(high)) {
                let found = (byte_of_each_bit(low) | byte_of_each_bit(high) << 1).to_le_bytes();
                eight.copy_from_slice(&found[..eight.len()]);
            }
        }
        codes[..inside[0]].fill(beyond);
        codes[inside[1]..].fill(beyond);
    }

    /// Asks for the cache lines of `[start, start + length)`.
    #[inline]
    pub fn prefetch(&self, start: i64, length: usize) {
        let first = ((start + BLOCK as i64).max(0) as usize / BLOCK).min(self.blocks.len() - 1);
        let last = (first + length / BLOCK + 1).min(self.blocks.len() - 1);
        prefetch(&self.blocks[first]);
        prefetch(&self.blocks[last]);
    }
}

/// Fetches the reference from each of these places on, asked for as far ahead as the filter does; returns what keeps the
/// compiler from leaving it out. This is what no filter that looks at the reference can go below: for measurements.
pub fn fetch_reference(reference: &ReferencePlanes, places: &[i64]) -> u64 {
    const BASES: usize = 100;
    let mut groups = places.chunks(TOGETHER).peekable();
    let mut sum = 0;
    while let Some(group) = groups.next() {
        for &place in groups.peek().copied().unwrap_or_default() {
            reference.prefetch(place, BASES);
        }
        for &place in group {
            let [low, high] = reference.block_at(place);
            sum ^= low ^ high;
        }
    }
    sum
}

/// The 64 bases from `start` (-64 at least) on, of blocks of which the first lies before base 0.
#[inline]
fn block_at<const PLANES: usize>(blocks: &[[u64; PLANES]], start: i64) -> [u64; PLANES] {
    let shifted = (start + BLOCK as i64) as usize;
    let (block, shift) = (shifted / BLOCK, shifted % BLOCK);
    let (here, next) = (&blocks[block], &blocks[block + 1]);
    // Two shifts, as a shift by 64 would be none.
    std::array::from_fn(|plane| here[plane] >> shift | next[plane] << 1 << (BLOCK - 1 - shift))
}

#[inline]
fn prefetch(block: &Block) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing that the program sees, and every x86-64 has the instruction.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(block).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = block;
}

/// A byte for each bit, 0 or 1, the lowest bit's the lowest.
#[inline]
pub(crate) fn byte_of_each_bit(bits: u8) -> u64 {
    // Each bit is copied to the place of its byte and singled out there.
    let copies = u64::from(bits).wrapping_mul(0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
    (copies + 0x7f7f_7f7f_7f7f_7f7f) >> 7 & 0x0101_0101_0101_0101
}

/// Bits 0, 1 and, where three planes are asked for, 2 of up to 64 base codes; the third is set for N.
fn planes<const PLANES: usize>(codes: &[u8]) -> [u64; PLANES] {
    let mut planes = [0; PLANES];
    let mut add = |number: usize, sixteen: &[u8; 16]| {
        for (plane, bits) in planes.iter_mut().zip(bits_of_sixteen::<PLANES>(sixteen)) {
            *plane |= u64::from(bits) << (16 * number);
        }
    };
    let (whole, rest) = codes.as_chunks();
    whole.iter().enumerate().for_each(|(number, sixteen)| add(number, sixteen));
    if !rest.is_empty() {
        let mut sixteen = [0; 16];
        sixteen[..rest.len()].copy_from_slice(rest);
        add(whole.len(), &sixteen);
    }
    planes
}

/// The lowest bits of sixteen bytes side by side.
#[cfg(target_arch = "x86_64")]
#[inline]
fn bits_of_sixteen<const PLANES: usize>(bytes: &[u8; 16]) -> [u16; PLANES] {
    use std::arch::x86_64::{_mm_cvtsi32_si128, _mm_movemask_epi8, _mm_set_epi64x, _mm_sll_epi16};
    let ([low, high], _) = bytes.as_chunks::<8>() else { unreachable!("two times eight bytes") };
    let (low, high) = (i64::from_le_bytes(*low), i64::from_le_bytes(*high));
    std::array::from_fn(|bit| {
        // What a shift brings in from the byte beside stays below the highest bit, which alone is looked at.
        // SAFETY: every x86-64 has SSE2.
        let bits =
            unsafe { _mm_movemask_epi8(_mm_sll_epi16(_mm_set_epi64x(high, low), _mm_cvtsi32_si128(7 - bit as i32))) };
        bits as u16
    })
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn bits_of_sixteen<const PLANES: usize>(bytes: &[u8; 16]) -> [u16; PLANES] {
    portable_bits_of_sixteen(bytes)
}

/// The same on any processor.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn portable_bits_of_sixteen<const PLANES: usize>(bytes: &[u8; 16]) -> [u16; PLANES] {
    /// Moves the lowest bits of eight bytes side by side into the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    const LOWEST: u64 = 0x0101_0101_0101_0101;
    let (eights, _) = bytes.as_chunks();
    std::array::from_fn(|bit| {
        let [low, high] = [0, 1].map(|half| {
            let bytes = u64::from_le_bytes(eights[half]);
            (bytes >> bit & LOWEST).wrapping_mul(GATHER) >> 56
        });
        (high << 8 | low) as u16
    })
}

/// One strand of a read.
#[derive(Debug, Default)]
struct StrandPlanes {
    /// Low bits, high bits, and what is no A, C, G or T, which every base outside the read is, too: one block of those before
    /// the first base and two after the last.
    blocks: Vec<[u64; 3]>,
}

impl StrandPlanes {
    const OUTSIDE: [u64; 3] = [0, 0, u64::MAX];

    fn fill(&mut self, codes: &[u8]) {
        self.blocks.clear();
        self.blocks.push(Self::OUTSIDE);
        self.blocks.extend(codes.chunks(BLOCK).map(planes::<3>));
        let tail = codes.len() % BLOCK;
        if let Some([_, _, unknown]) = self.blocks.last_mut().filter(|_| tail != 0) {
            *unknown |= u64::MAX << tail;
        }
        self.blocks.extend([Self::OUTSIDE; 2]);
    }
}

/// Diagonals on either side of one that are looked at together.
pub(crate) const NEAR: usize = DIAGONALS / 2;

/// A read, as it is and reverse-complemented. Its memory is used again from read to read.
#[derive(Debug, Default)]
pub struct ReadPlanes {
    length: usize,
    strands: [StrandPlanes; 2],
    complement: Vec<u8>,
}

impl ReadPlanes {
    /// Takes the base codes of a read (0 to 3, 4 for N).
    pub fn set(&mut self, codes: &[u8]) {
        self.length = codes.len();
        self.complement.clear();
        self.complement.extend(codes.iter().rev().map(|&code| if code < 4 { 3 - code } else { code }));
        self.strands[0].fill(codes);
        self.strands[1].fill(&self.complement);
    }

    /// Bases.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Mismatches of the read (its reverse complement where `reverse`) laid on the reference from `start` on: bit i of
    /// `mask` is set where base i differs, is N, or lies outside `bases`. Only the words that hold `bases` are written.
    #[inline]
    pub fn mismatches(
        &self,
        reverse: bool,
        reference: &ReferencePlanes,
        start: i64,
        bases: &Range<usize>,
        mask: &mut Vec<u64>,
    ) {
        let blocks = &self.strands[usize::from(reverse)].blocks;
        mask.resize(self.length.div_ceil(BLOCK), u64::MAX);
        if bases.is_empty() {
            return;
        }
        let words = bases.start / BLOCK..bases.end.div_ceil(BLOCK);
        for word in words.clone() {
            let [low, high] = reference.block_at(start + (word * BLOCK) as i64);
            let [read_low, read_high, unknown] = blocks[word + 1];
            mask[word] = (low ^ read_low) | (high ^ read_high) | unknown;
        }
        mask[words.start] |= (1 << (bases.start % BLOCK)) - 1;
        let tail = bases.end % BLOCK;
        if tail != 0 {
            mask[words.end - 1] |= u64::MAX << tail;
        }
    }

    /// Of the diagonals right beside the one on which the read starts at `start` of the reference, those that may hold `run`
    /// matches in a row: bit `shift + NEAR` for the one that starts at `start + shift`, for shifts from `-NEAR` to `NEAR - 1`.
    /// A diagonal that is not named holds no such run. Contigs' ends are not looked at, and near the reference's ends, or for
    /// a run of more than 32, all are named.
    pub(crate) fn diagonals_with_run(&self, reverse: bool, reference: &ReferencePlanes, start: i64, run: usize) -> u16 {
        let laid = self.lay(reverse, reference, start - NEAR as i64, run, DIAGONALS);
        laid.map_or(u16::MAX, Laid::with_run)
    }

    /// At how many places `run` matches in a row begin, on the diagonals from the one on which the read starts at `start` of
    /// the reference, sixteen for each of `counts`. N matches everything. Returns whether there are more than `many` on some
    /// diagonal; nothing, and nothing is counted, near the reference's ends, or for a run of more than 32.
    pub(crate) fn count_runs(
        &self,
        reverse: bool,
        reference: &ReferencePlanes,
        start: i64,
        run: usize,
        many: u32,
        counts: &mut [RunCounts],
    ) -> Option<bool> {
        let laid = self.lay(reverse, reference, start, run, DIAGONALS * counts.len())?;
        Some(laid.count(many, counts))
    }

    /// The read laid on so many diagonals; nothing where some of its blocks would be outside the reference.
    fn lay<'a>(
        &'a self,
        reverse: bool,
        reference: &'a ReferencePlanes,
        start: i64,
        run: usize,
        diagonals: usize,
    ) -> Option<Laid<'a>> {
        let words = self.length.div_ceil(BLOCK);
        let end = start + (words * BLOCK + diagonals + BLOCK) as i64;
        let fits = start >= 0 && end <= reference.length() as i64 && (1..=LONGEST_RUN).contains(&run);
        let blocks = &self.strands[usize::from(reverse)].blocks[1..=words];
        let outside = u64::MAX.checked_shl((self.length % BLOCK) as u32).filter(|_| !self.length.is_multiple_of(BLOCK));
        fits.then(|| Laid { blocks, outside: outside.unwrap_or(0), reference, start, run })
    }

    /// Mismatches of the 64 bases of the read from `from` (-64 at least) on, laid on the reference from `start` on: bit i is
    /// set where base `from + i` differs, is N, or lies outside the read.
    #[inline]
    pub(crate) fn mismatches_from(&self, reverse: bool, reference: &ReferencePlanes, start: i64, from: i64) -> u64 {
        let [low, high] = reference.block_at(start + from);
        let [read_low, read_high, unknown] = block_at(&self.strands[usize::from(reverse)].blocks, from);
        (low ^ read_low) | (high ^ read_high) | unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(super) fn reference(codes: &[u8], contig_starts: Vec<u64>) -> ReferencePlanes {
        ReferencePlanes::new(contig_starts, |range, piece| {
            piece.clear();
            piece.extend_from_slice(&codes[range.start as usize..range.end as usize]);
        })
    }

    proptest! {
        #[test]
        fn packed_bases_give_the_same_planes(
            codes in proptest::collection::vec(0u8..4, 1..400),
            behind in proptest::collection::vec(any::<u8>(), 0..40),
            unused: u8,
        ) {
            let starts = vec![0, codes.len() as u64];
            let packed = codes.chunks(4).map(|four| {
                let all = four.iter().copied().chain(std::iter::repeat(unused & 3)).take(4);
                all.fold(0, |byte, code| byte << 2 | code)
            });
            let packed: Vec<u8> = packed.chain(behind).collect();
            let expected = reference(&codes, starts.clone());
            prop_assert_eq!(ReferencePlanes::of_packed(starts, &packed).blocks, expected.blocks);
        }

        #[test]
        fn bits_are_gathered_the_same_way_on_every_processor(bytes: [u8; 16]) {
            prop_assert_eq!(bits_of_sixteen::<3>(&bytes), portable_bits_of_sixteen::<3>(&bytes));
        }

        #[test]
        fn the_mask_says_where_bases_differ(
            reference in proptest::collection::vec(0u8..4, 1..700),
            read in proptest::collection::vec(0u8..5, 1..300),
            reverse: bool,
            place in 0.0f64..1.0,
        ) {
            let planes = self::reference(&reference, vec![0, reference.len() as u64]);
            let mut of_read = ReadPlanes::default();
            of_read.set(&read);
            let oriented: Vec<u8> = if reverse {
                read.iter().rev().map(|&code| if code < 4 { 3 - code } else { 4 }).collect()
            } else {
                read.clone()
            };
            let span = reference.len() + read.len() - 1;
            let start = (place * span as f64) as i64 - read.len() as i64 + 1;
            let first = (-start).max(0) as usize;
            let end = read.len().min((reference.len() as i64 - start) as usize);
            let mut mask = vec![0; 1];
            of_read.mismatches(reverse, &planes, start, &(first..end), &mut mask);
            for (i, code) in oriented.iter().enumerate() {
                let expected = !(first..end).contains(&i) || *code != reference[(start + i as i64) as usize];
                if (first / BLOCK * BLOCK..end.next_multiple_of(BLOCK)).contains(&i) {
                    prop_assert_eq!(mask[i / BLOCK] >> (i % BLOCK) & 1 == 1, expected, "base {}", i);
                }
            }
        }
    }

    /// A random reference, and a read of which a part is copied from it so that runs are not only those of chance.
    pub(super) fn read_on_reference() -> impl Strategy<Value = (Vec<u8>, Vec<u8>, i64)> {
        (
            proptest::collection::vec(0u8..4, 500..700),
            proptest::collection::vec(0u8..5, 1..200),
            (0usize..40, 0usize..150),
            0i64..600,
        )
            .prop_map(|(reference, mut read, (copied, from), start)| {
                for i in from..(from + copied).min(read.len()) {
                    if let Some(&code) = reference.get(start as usize + i) {
                        read[i] = code;
                    }
                }
                (reference, read, start)
            })
    }

    /// A read's planes, of which the strand `reverse` is what is given.
    pub(super) fn planes_of(oriented: &[u8], reverse: bool) -> ReadPlanes {
        let turned: Vec<u8> = oriented.iter().rev().map(|&code| if code < 4 { 3 - code } else { 4 }).collect();
        let mut planes = ReadPlanes::default();
        planes.set(if reverse { &turned } else { oriented });
        planes
    }

    /// Where `run` matches in a row begin on the diagonal that starts at `start`.
    fn runs(reference: &[u8], read: &[u8], start: i64, run: usize, n_matches: bool) -> usize {
        let matches = |(i, &code): (usize, &u8)| {
            (code == 4 && n_matches) || reference.get((start + i as i64) as usize) == Some(&code)
        };
        let matches: Vec<bool> = read.iter().enumerate().map(matches).collect();
        matches.windows(run).filter(|run| run.iter().all(|&matched| matched)).count()
    }

    proptest! {
        #[test]
        fn diagonals_with_a_run_are_named(
            (reference, read, start) in read_on_reference(),
            shift in -(NEAR as i64)..NEAR as i64,
            run in 1usize..34,
            reverse: bool,
        ) {
            let planes = self::reference(&reference, vec![0, reference.len() as u64]);
            let start = start + shift;
            let named = planes_of(&read, reverse).diagonals_with_run(reverse, &planes, start, run);
            let blocks = (read.len().next_multiple_of(BLOCK) + BLOCK + NEAR) as i64;
            let known = start >= NEAR as i64 && start + blocks <= reference.len() as i64 && run <= 32;
            for number in 0..2 * NEAR {
                let first = start + number as i64 - NEAR as i64;
                let expected = !known || runs(&reference, &read, first, run, false) > 0;
                prop_assert_eq!(named >> number & 1 == 1, expected, "diagonal {}", number);
            }
        }

        #[test]
        fn runs_are_counted_on_each_diagonal(
            (reference, read, start) in read_on_reference(),
            shift in 0i64..40,
            run in 1usize..34,
            reverse: bool,
        ) {
            let planes = self::reference(&reference, vec![0, reference.len() as u64]);
            let first = start - shift;
            let mut counts = vec![RunCounts::default(); 3];
            let many = planes_of(&read, reverse).count_runs(reverse, &planes, first, run, 2, &mut counts);
            let blocks = (read.len().next_multiple_of(BLOCK) + BLOCK + 48) as i64;
            let known = first >= 0 && first + blocks <= reference.len() as i64 && run <= 32;
            prop_assert_eq!(many.is_some(), known);
            for (number, counts) in counts.iter().enumerate().filter(|_| known) {
                let first = first + (number * DIAGONALS) as i64;
                let expected: Vec<(usize, u32)> = (0..DIAGONALS)
                    .map(|number| (number, runs(&reference, &read, first + number as i64, run, true) as u32))
                    .filter(|(_, count)| *count > 0)
                    .collect();
                prop_assert_eq!(counts.iter().collect::<Vec<_>>(), expected);
            }
            let most = counts.iter().flat_map(RunCounts::iter).map(|(_, count)| count).max().unwrap_or(0);
            prop_assert_eq!(many.unwrap_or(false), most > 2);
        }
    }

    #[test]
    fn a_seed_across_two_contigs_lies_on_none() {
        let planes = reference(&[0; 30], vec![0, 10, 30]);
        assert_eq!(planes.contig_around(2, 8), Some(0..10));
        assert_eq!(planes.contig_around(2, 9), None);
        assert_eq!(planes.contig_around(10, 20), Some(10..30));
        assert_eq!(planes.contig_around(30, 1), None);
    }
}
