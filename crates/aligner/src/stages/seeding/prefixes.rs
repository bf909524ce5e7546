//! Where every word of a few bases lies in the FM-index, so that a search need not begin with single bases.

use crate::fm_index::{BASES, FmIndex, Interval};

/// Bases of a word. All intervals take 1.5 MB, which the second-level cache holds.
pub(crate) const WORD: usize = 8;

/// The interval of each word of [`WORD`] bases.
pub(crate) struct Prefixes {
    intervals: Vec<Interval>,
}

impl Prefixes {
    pub(crate) fn new(fm: &FmIndex) -> Self {
        // The words of one base more are those of before with each base put before them.
        let mut intervals: Vec<Interval> = (0..BASES as u8).map(|base| fm.of_base(base)).collect();
        for _ in 1..WORD {
            let longer = |base: u8| intervals.iter().map(move |shorter| fm.with_base_before(*shorter, base));
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
