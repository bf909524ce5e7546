//! From bwa-mem2's `PREFIX.bwt.2bit.64` to the bytes of [`super::layout`].
//!
//! bwa-mem2's file: rows and cumulative counts of bases (48 bytes); for each 64 rows a block of 64 bytes, the counts of A, C, G
//! and T before it and for each of these a word with a bit for each row, the first row highest; then, for each eighth row, the
//! high bytes of all places, and the low four bytes of all; and the row of the sentinel, which has no bit.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use rayon::prelude::*;

use super::layout::{BLOCK_BYTES, BLOCK_ROWS, Block, Head, Layout, MAX_ROWS, block, write_places};
use crate::AlignerError;

/// Bytes of the file before its blocks.
const HEAD_BYTES: u64 = 48;
/// Bytes of its blocks.
const FILE_BLOCK_BYTES: usize = 64;
/// Blocks, and places, that are read at a time; the places of a piece fill whole bytes.
const PIECE: usize = 1 << 14;

/// `PREFIX.bwt.2bit.64`, read piece by piece, from several threads.
pub(super) struct Source {
    path: PathBuf,
    head: Head,
}

impl Source {
    /// The caller has checked the file's size, and that its head is that of a reference of as many bases.
    pub(super) fn open(path: PathBuf) -> Result<Self, AlignerError> {
        let numbers = |start, bytes: &mut [u8]| -> io::Result<Vec<u64>> {
            let mut file = File::open(&path)?;
            file.seek(start)?;
            file.read_exact(bytes)?;
            Ok(bytes.as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes)).collect())
        };
        let head = || -> io::Result<Head> {
            let head = numbers(SeekFrom::Start(0), &mut [0; HEAD_BYTES as usize])?;
            let sentinel = numbers(SeekFrom::End(-8), &mut [0; 8])?[0];
            Ok(Head { rows: head[0], below: std::array::from_fn(|base| head[1 + base]), sentinel })
        };
        let head = head().map_err(|reason| AlignerError::IndexFile { path: path.clone(), reason })?;
        Ok(Self { path, head })
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    /// Where things will lie in the index.
    ///
    /// # Errors
    /// More rows than an index may have.
    pub(super) fn layout(&self) -> Result<Layout, AlignerError> {
        if self.head.rows > MAX_ROWS {
            let problem = format!("byte 0: {} rows; at most {MAX_ROWS} can be searched", self.head.rows);
            return Err(AlignerError::IndexContent { path: self.path.clone(), problem });
        }
        Ok(Layout::new(self.head.rows))
    }

    /// Writes the index into `bytes`, which are as many as the layout has, and zero.
    ///
    /// # Errors
    /// Counts that are not those of the rows before them; places outside of the reference.
    pub(super) fn write(&self, layout: &Layout, bytes: &mut [u8]) -> Result<(), AlignerError> {
        self.head.write(bytes);
        let (before, places) = bytes.split_at_mut(layout.places.start);
        let blocks = &mut before[layout.blocks.start..];
        blocks
            .par_chunks_mut(PIECE * BLOCK_BYTES)
            .enumerate()
            .try_for_each(|(number, piece)| self.write_blocks(number * PIECE, piece))?;
        let file_places = HEAD_BYTES + (layout.blocks.len() / BLOCK_BYTES * FILE_BLOCK_BYTES) as u64;
        places[..layout.places.len()]
            .par_chunks_mut(PIECE / 8 * layout.place_bits as usize)
            .enumerate()
            .try_for_each(|(number, piece)| self.write_piece_of_places(layout, file_places, number * PIECE, piece))
    }

    /// Writes the blocks from number `first` on, and checks that their counts follow from the block before each.
    fn write_blocks(&self, first: usize, blocks: &mut [u8]) -> Result<(), AlignerError> {
        let start = first.saturating_sub(1);
        let mut file_blocks =
            vec![0; (first - start) * FILE_BLOCK_BYTES + blocks.len() / BLOCK_BYTES * FILE_BLOCK_BYTES];
        let byte_of = |block: usize| HEAD_BYTES + (block * FILE_BLOCK_BYTES) as u64;
        self.read(byte_of(start), &mut file_blocks)?;
        let mut file_blocks = file_blocks.as_chunks().0.iter().map(FileBlock::new);
        let mut expected = if first > 0 { file_blocks.next().map(|before| before.counts_behind()) } else { None };
        for (number, (written, read)) in (first..).zip(blocks.chunks_exact_mut(BLOCK_BYTES).zip(file_blocks)) {
            let row = number as u64 * BLOCK_ROWS;
            let is_behind_sentinel = u64::from(row > self.head.sentinel);
            let is_sound = read.has_one_base_a_row() && read.sum() == row - is_behind_sentinel;
            if !is_sound || expected.is_some_and(|expected| expected != read.counts) {
                let problem = format!("rows {row} to {} do not follow from those before them", row + BLOCK_ROWS - 1);
                return Err(self.broken(byte_of(number), problem));
            }
            let sentinel = self.head.sentinel.wrapping_sub(row);
            let sentinel = if sentinel < BLOCK_ROWS { 1 << (BLOCK_ROWS - 1) >> sentinel } else { 0 };
            for (written, word) in written.chunks_exact_mut(8).zip(read.to_block(is_behind_sentinel, sentinel)) {
                written.copy_from_slice(&word.to_le_bytes());
            }
            expected = Some(read.counts_behind());
        }
        let below = &self.head.below;
        let all: [u64; 4] = std::array::from_fn(|base| below[base + 1] - below[base]);
        let last = self.head.rows / BLOCK_ROWS;
        if first + blocks.len() / BLOCK_BYTES > last as usize && expected != Some(all) {
            let problem = format!("the rows up to here have {expected:?} bases, those of the head are {all:?}");
            return Err(self.broken(byte_of(last as usize), problem));
        }
        Ok(())
    }

    fn write_piece_of_places(
        &self,
        layout: &Layout,
        start: u64,
        first: usize,
        piece: &mut [u8],
    ) -> Result<(), AlignerError> {
        let count = PIECE.min(layout.sampled - first);
        let (mut high, mut low) = (vec![0; count], vec![0; 4 * count]);
        self.read(start + first as u64, &mut high)?;
        let low_start = start + layout.sampled as u64 + 4 * first as u64;
        self.read(low_start, &mut low)?;
        let whole = |(&high, &low): (&u8, &[u8; 4])| u64::from(high) << 32 | u64::from(u32::from_le_bytes(low));
        let places = || high.iter().zip(low.as_chunks().0).map(whole);
        if let Some(wrong) = places().position(|place| place >= self.head.rows) {
            let at = low_start + 4 * wrong as u64;
            let problem =
                format!("place {}; valid are 0 to {}", places().nth(wrong).unwrap_or_default(), self.head.rows - 1);
            return Err(self.broken(at, problem));
        }
        write_places(piece, layout.place_bits, places());
        Ok(())
    }

    fn read(&self, start: u64, bytes: &mut [u8]) -> Result<(), AlignerError> {
        let mut read = || -> io::Result<()> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(start))?;
            file.read_exact(bytes)
        };
        read().map_err(|reason| AlignerError::IndexFile { path: self.path.clone(), reason })
    }

    pub(super) fn no_memory(&self, layout: &Layout, reason: io::Error) -> AlignerError {
        AlignerError::IndexMemory { path: self.path.clone(), bytes: layout.bytes(), reason }
    }

    fn broken(&self, at: u64, problem: String) -> AlignerError {
        AlignerError::IndexContent { path: self.path.clone(), problem: format!("byte {at}: {problem}") }
    }
}

/// A block of the file: how many rows before it have A, C, G, T, and which of its own rows do, the first one highest.
struct FileBlock {
    counts: [u64; 4],
    rows: [u64; 4],
}

impl FileBlock {
    fn new(bytes: &[u8; FILE_BLOCK_BYTES]) -> Self {
        let word = |place: usize| u64::from_le_bytes(bytes[8 * place..8 * place + 8].try_into().expect("eight bytes"));
        Self { counts: [0, 1, 2, 3].map(word), rows: [4, 5, 6, 7].map(word) }
    }

    /// Rows before the block that have a base.
    fn sum(&self) -> u64 {
        self.counts.iter().fold(0, |sum, &count| sum.saturating_add(count))
    }

    fn has_one_base_a_row(&self) -> bool {
        let bases: u32 = self.rows.iter().map(|rows| rows.count_ones()).sum();
        bases == self.rows.iter().fold(0, |any, rows| any | rows).count_ones()
    }

    /// The counts of the next block. (Those of a broken block may be anything.)
    fn counts_behind(&self) -> [u64; 4] {
        std::array::from_fn(|base| self.counts[base].wrapping_add(u64::from(self.rows[base].count_ones())))
    }

    /// `is_behind_sentinel`: 1 where it is; `sentinel`: its bit, where it is in this block.
    fn to_block(&self, is_behind_sentinel: u64, sentinel: u64) -> Block {
        let Self { counts: [_, c, g, t], rows: [_, row_c, row_g, row_t] } = *self;
        let above_g = t + is_behind_sentinel;
        block([above_g + g + c, above_g + g, above_g], row_g | row_t | sentinel, row_c | row_t | sentinel)
    }
}
