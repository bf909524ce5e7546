//! Where rows lie in the reference. Only the places of each eighth row are stored; from any other, one goes left in the text,
//! base by base, to a row whose place is.

use super::FmIndex;
use super::layout::{self, BLOCK_ROWS, SAMPLED, above_before};
use crate::prefetch::prefetch;

/// Rows that are looked up in turn, so that the cache misses of one pass while the others go on.
const IN_TURN: usize = 32;

/// A row on its way to one whose place is stored.
#[derive(Clone, Copy)]
struct Way {
    /// Number of the place that is asked for.
    number: usize,
    row: u64,
    /// Bases gone to the left.
    gone: u64,
}

impl FmIndex {
    /// Places of `rows` in the 2L coordinate. `places` has as many elements.
    ///
    /// # Panics
    /// If there is no such row.
    pub(crate) fn places_into(&self, rows: &[i64], places: &mut [i64]) {
        assert_eq!(rows.len(), places.len());
        let mut new = rows.iter().enumerate().map(|(number, &row)| Way { number, row: row as u64, gone: 0 });
        let mut ways: Vec<Way> = new.by_ref().take(IN_TURN).collect();
        ways.iter().for_each(|way| self.prefetch_way(way.row));
        while !ways.is_empty() {
            let mut turn = 0;
            while let Some(way) = ways.get_mut(turn) {
                let Some(place) = self.stored_place(way.row) else {
                    (way.row, way.gone) = (self.row_of_base_before(way.row), way.gone + 1);
                    self.prefetch_way(way.row);
                    turn += 1;
                    continue;
                };
                places[way.number] = (place + way.gone) as i64;
                match new.next() {
                    Some(next) => {
                        *way = next;
                        self.prefetch_way(next.row);
                        turn += 1;
                    }
                    None => drop(ways.swap_remove(turn)),
                }
            }
        }
    }

    /// The place of one row.
    pub(crate) fn place(&self, row: i64) -> i64 {
        let mut place = [0];
        self.places_into(&[row], &mut place);
        place[0]
    }

    #[inline(always)]
    fn stored_place(&self, row: u64) -> Option<u64> {
        if row == self.head.sentinel {
            return Some(0);
        }
        let places = &self.bytes[self.layout.places.start..];
        row.is_multiple_of(SAMPLED).then(|| layout::place(places, self.layout.place_bits, row / SAMPLED))
    }

    /// The row of the suffix that has one base more on the left.
    #[inline(always)]
    fn row_of_base_before(&self, row: u64) -> u64 {
        let (block, offset) = (self.block(row), (row % BLOCK_ROWS) as u32);
        let [above_a, above_c, above_g] = above_before(block, offset);
        let from = [row, above_a, above_c, above_g, u64::from(row > self.head.sentinel)];
        let base = layout::base(block, offset);
        self.first_rows[base] as u64 + from[base] - from[base + 1]
    }

    /// Asks for what the next step from this row reads.
    #[inline(always)]
    fn prefetch_way(&self, row: u64) {
        if row.is_multiple_of(SAMPLED) {
            let at = self.layout.places.start as u64 + row / SAMPLED * u64::from(self.layout.place_bits) / 8;
            prefetch(self.bytes.as_ptr().wrapping_add(at as usize));
        } else {
            self.prefetch_row(row as i64);
        }
    }
}
