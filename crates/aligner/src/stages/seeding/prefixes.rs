//! Where every word of a few bases lies in the FM-index, so that a search need not begin with single bases.

use bwa_index::{FmIndex, Smem};

/// Bases of a word. All intervals take 1.5 MB, which the second-level cache holds.
pub(crate) const WORD: usize = 8;

/// Letters.
const BASES: usize = 4;

/// The interval of each word of [`WORD`] bases.
pub(crate) struct Prefixes {
    intervals: Vec<Interval>,
}

/// Rows `row .. row + occurrences` of the FM-index hold a pattern, as many rows from `reverse_row` on its reverse complement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Interval {
    pub(crate) row: i64,
    pub(crate) reverse_row: i64,
    pub(crate) occurrences: i64,
}

impl Interval {
    /// The interval of one base (0 to 3).
    #[inline]
    pub(super) fn of_base(counts: &[i64; 5], base: u8) -> Self {
        let base = usize::from(base);
        Self { row: counts[base], reverse_row: counts[BASES - 1 - base], occurrences: counts[base + 1] - counts[base] }
    }

    /// The interval of the pattern with `base` (0 to 3) before it.
    #[inline(always)]
    pub(super) fn with_base_before(self, fm: &FmIndex, base: u8) -> Self {
        let pattern = Smem { k: self.row, l: self.reverse_row, s: self.occurrences, ..Smem::default() };
        let Smem { k, l, s, .. } = fm.backward_ext(pattern, usize::from(base));
        Self { row: k, reverse_row: l, occurrences: s }
    }

    /// The interval of the pattern with `base` (0 to 3) behind it: on the other strand its complement comes before.
    #[inline(always)]
    pub(super) fn with_base_behind(self, fm: &FmIndex, base: u8) -> Self {
        self.turned().with_base_before(fm, 3 - base).turned()
    }

    fn turned(self) -> Self {
        Self { row: self.reverse_row, reverse_row: self.row, occurrences: self.occurrences }
    }

    /// Asks for what putting a base before the pattern will read.
    #[inline]
    pub(super) fn prefetch(self, fm: &FmIndex) {
        fm.prefetch_occ(self.row, self.row + self.occurrences);
    }

    /// Asks for what putting a base behind the pattern will read.
    #[inline]
    pub(super) fn prefetch_behind(self, fm: &FmIndex) {
        self.turned().prefetch(fm);
    }
}

impl Prefixes {
    pub(crate) fn new(fm: &FmIndex) -> Self {
        let counts = fm.counts();
        // The words of one base more are those of before with each base put before them.
        let mut intervals: Vec<Interval> = (0..BASES as u8).map(|base| Interval::of_base(&counts, base)).collect();
        for _ in 1..WORD {
            let longer = |base: u8| intervals.iter().map(move |shorter| shorter.with_base_before(fm, base));
            intervals = (0..BASES as u8).flat_map(longer).collect();
        }
        Self { intervals }
    }

    /// The interval of a word; nothing where one of its bases is none of A, C, G, T.
    #[inline]
    pub(super) fn of(&self, word: &[u8; WORD]) -> Option<Interval> {
        let (number, all) =
            word.iter().fold((0, 0), |(number, all), &base| (number << 2 | usize::from(base & 3), all | base));
        (all < BASES as u8).then(|| self.intervals[number])
    }
}
