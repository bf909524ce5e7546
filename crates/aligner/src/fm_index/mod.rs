//! The FM-index of both strands: exact matches, base by base, and where they occur.
//!
//! Rows are those of bwa-mem2's index: the suffixes of the reference, its reverse complement and a sentinel, in order. An
//! [`Interval`] of them stands for a pattern. The bytes ([`layout`]) are read from bwa-mem2's `PREFIX.bwt.2bit.64` into
//! memory, or, where `seedsieve index --map` or `--map-only` has written them into `PREFIX.seedsieve.fm`, mapped from that file,
//! which is compared with its checksum: nothing is copied, and processes share it.

mod convert;
mod layout;
mod places;
mod storage;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use memmap2::Mmap;

use crate::AlignerError;
use crate::index::index_file;
use crate::prefetch::prefetch;
use convert::Source;
use layout::{BLOCK_BYTES, BLOCK_ROWS, Block, HEAD_BYTES, Head, Layout, above_before};
pub(crate) use storage::write_mapped;

/// Suffix of the file that is mapped.
pub const MAPPED_INDEX_SUFFIX: &str = "seedsieve.fm";

/// Letters.
pub(crate) const BASES: usize = 4;

/// Rows `row .. row + occurrences` of the FM-index hold a pattern, as many rows from `reverse_row` on its reverse complement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Interval {
    pub(crate) row: i64,
    pub(crate) reverse_row: i64,
    pub(crate) occurrences: i64,
}

/// An FM-index, in memory or mapped.
pub(crate) struct FmIndex {
    head: Head,
    layout: Layout,
    blocks: usize,
    bytes: Mmap,
    /// First row of each base's suffixes, and the row behind the last.
    first_rows: [i64; BASES + 1],
}

impl FmIndex {
    /// Maps `PREFIX.seedsieve.fm` where it is there, and else reads `PREFIX.bwt.2bit.64`, whose size and head the caller has
    /// checked.
    ///
    /// # Errors
    /// A file that cannot be read, is not whole, or whose parts contradict each other; too little memory.
    pub(crate) fn load(prefix: &Path) -> Result<Self, AlignerError> {
        let source = Source::open(index_file(prefix, "bwt.2bit.64"))?;
        let layout = source.layout()?;
        let mapped = index_file(prefix, MAPPED_INDEX_SUFFIX);
        let bytes = match File::open(&mapped) {
            Ok(file) => storage::map(&mapped, &file, &source.head(), &layout)?,
            Err(error) if error.kind() == ErrorKind::NotFound => storage::read(&source, &layout)?,
            Err(reason) => return Err(AlignerError::IndexFile { path: mapped, reason }),
        };
        Ok(Self::new(source.head(), layout, bytes))
    }

    fn new(head: Head, layout: Layout, bytes: Mmap) -> Self {
        // The sentinel's suffix is the first.
        let first_rows = head.below.map(|below| below as i64 + 1);
        let blocks = layout.blocks.len() / BLOCK_BYTES;
        assert!(bytes.len() >= layout.bytes() && bytes.as_ptr().cast::<Block>().is_aligned());
        Self { head, layout, blocks, bytes, first_rows }
    }

    /// Rows: the bases of both strands, and the sentinel.
    pub(crate) fn rows(&self) -> i64 {
        self.head.rows as i64
    }

    /// The interval of one base (0 to 3).
    #[inline]
    pub(crate) fn of_base(&self, base: u8) -> Interval {
        let (base, rows) = (usize::from(base), &self.first_rows);
        Interval { row: rows[base], reverse_row: rows[BASES - 1 - base], occurrences: rows[base + 1] - rows[base] }
    }

    /// The interval of the pattern with `base` (0 to 3) before it.
    #[inline(always)]
    pub(crate) fn with_base_before(&self, pattern: Interval, base: u8) -> Interval {
        let base = usize::from(base);
        let start = self.at_least_before(pattern.row);
        let end = self.at_least_before(pattern.row + pattern.occurrences);
        let (at_start, above_at_start) = (start[base], start[base + 1]);
        let (at_end, above_at_end) = (end[base], end[base + 1]);
        let above = above_at_end - above_at_start;
        // On the other strand the complement comes behind, and the greatest base's complement is the least.
        Interval {
            row: self.first_rows[base] + at_start - above_at_start,
            reverse_row: pattern.reverse_row + above,
            occurrences: at_end - at_start - above,
        }
    }

    /// The interval of the pattern with `base` (0 to 3) behind it: on the other strand its complement comes before.
    #[inline(always)]
    pub(crate) fn with_base_behind(&self, pattern: Interval, base: u8) -> Interval {
        self.with_base_before(pattern.turned(), 3 - base).turned()
    }

    /// Asks for what putting a base before the pattern will read.
    #[inline]
    pub(crate) fn prefetch_before(&self, pattern: Interval) {
        self.prefetch_row(pattern.row);
        self.prefetch_row(pattern.row + pattern.occurrences);
    }

    /// Asks for what putting a base behind the pattern will read.
    #[inline]
    pub(crate) fn prefetch_behind(&self, pattern: Interval) {
        self.prefetch_before(pattern.turned());
    }

    /// For each base, how many rows before `row` have it or a greater one; the last is the sentinel alone.
    #[inline(always)]
    fn at_least_before(&self, row: i64) -> [i64; BASES + 1] {
        let row = row as u64;
        let [above_a, above_c, above_g] = above_before(self.block(row), (row % BLOCK_ROWS) as u32);
        [row as i64, above_a as i64, above_c as i64, above_g as i64, i64::from(row > self.head.sentinel)]
    }

    /// The block that has this row.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline(always)]
    fn block(&self, row: u64) -> &Block {
        let number = (row / BLOCK_ROWS) as usize;
        assert!(number < self.blocks, "row {row} of {}", self.head.rows);
        // SAFETY: the bytes begin at a page, their head fills whole pages, and behind it are as many blocks (`Layout`). Any
        // bits are a block.
        unsafe { &*self.block_pointer(number) }
    }

    /// Where a block would be: a pointer to look at only if there is such a block.
    #[inline(always)]
    fn block_pointer(&self, number: usize) -> *const Block {
        self.bytes.as_ptr().wrapping_add(HEAD_BYTES).cast::<Block>().wrapping_add(number)
    }

    #[inline]
    fn prefetch_row(&self, row: i64) {
        prefetch(self.block_pointer((row as u64 / BLOCK_ROWS) as usize).cast());
    }
}

impl Interval {
    fn turned(self) -> Self {
        Self { row: self.reverse_row, reverse_row: self.row, occurrences: self.occurrences }
    }
}
