//! What several seeds of a read can score together, with gaps between them.

use crate::cascade::CascadeSettings;
use crate::competition::Bound;
use crate::diagonal::{Segment, join};

/// Segments of one strand that are tried together, the best of them: a read of a low-complexity repeat has thousands.
const MOST: usize = 128;

/// Raises the bounds of one read's seeds by what chains of them score: ungapped segments, one behind the other in the read,
/// with gaps of up to the longest that is bridged between neighbours. Its memory is used again from read to read.
#[derive(Debug, Default)]
pub(crate) struct Bridges {
    /// Numbers of the bounds that take part, those of one segment side by side.
    order: Vec<u32>,
    links: Vec<Link>,
}

/// A segment, and the best that chains of segments score up to it and from it on; both with the segment itself.
#[derive(Debug, Clone, Copy)]
struct Link {
    reverse: bool,
    diagonal: i64,
    segment: Segment,
    upto: i32,
    from: i32,
}

impl Link {
    fn new(bound: &Bound) -> Self {
        let Bound { reverse, diagonal, segment, .. } = *bound;
        Self { reverse, diagonal, segment, upto: segment.score, from: segment.score }
    }

    /// In the order of the read, strand by strand.
    fn key(&self) -> (bool, u32, u32, i64) {
        (self.reverse, self.segment.start, self.segment.end, self.diagonal)
    }

    /// What `later`, behind this one in the read, adds to a chain that ends with this one, but for its own score: less than
    /// nothing. `None` where no gap that is bridged lies between the two.
    fn step(&self, later: &Self, settings: &CascadeSettings) -> Option<i32> {
        let shift = later.diagonal - self.diagonal;
        if shift == 0 || shift.abs() > settings.bridge {
            return None;
        }
        let (nearer, further) = if shift > 0 { (self, later) } else { (later, self) };
        let joined = join(&nearer.segment, &further.segment, shift.abs() as i32, &settings.scoring);
        (joined > 0).then(|| joined - self.segment.score - later.segment.score)
    }
}

impl Bridges {
    /// Raises the bounds that reach the score from which on gaps are looked for.
    pub(crate) fn raise(&mut self, settings: &CascadeSettings, bounds: &mut [Bound]) {
        self.order.clear();
        self.order
            .extend((0..bounds.len() as u32).filter(|&number| bounds[number as usize].score >= settings.gap_from));
        if self.order.len() < 2 {
            return;
        }
        self.links.clear();
        self.links.extend(self.order.iter().map(|&number| Link::new(&bounds[number as usize])));
        self.links.sort_unstable_by_key(Link::key);
        self.links.dedup_by_key(|link| link.key());
        for strand in self.links.chunk_by_mut(|one, next| one.reverse == next.reverse) {
            if strand.len() > MOST {
                strand.select_nth_unstable_by_key(MOST, |link| (std::cmp::Reverse(link.segment.score), link.key()));
                strand[..MOST].sort_unstable_by_key(Link::key);
            }
            let considered = strand.len().min(MOST);
            chain(&mut strand[..considered], settings);
        }
        self.links.sort_unstable_by_key(Link::key);
        for &number in &self.order {
            let bound = &mut bounds[number as usize];
            let key = Link::new(bound).key();
            let place = self.links.partition_point(|link| link.key() < key);
            let Link { upto, from, segment, .. } = self.links[place];
            bound.score = bound.score.max(upto + from - segment.score);
        }
    }
}

/// The best chains through each of these segments, which come in the order of the read.
fn chain(links: &mut [Link], settings: &CascadeSettings) {
    for later in 1..links.len() {
        for earlier in 0..later {
            if let Some(step) = links[earlier].step(&links[later], settings) {
                links[later].upto = links[later].upto.max(links[earlier].upto + step + links[later].segment.score);
            }
        }
    }
    for earlier in (0..links.len().saturating_sub(1)).rev() {
        for later in earlier + 1..links.len() {
            if let Some(step) = links[earlier].step(&links[later], settings) {
                links[earlier].from = links[earlier].from.max(links[later].from + step + links[earlier].segment.score);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bounds of ungapped parts that match throughout: start and end in the read, diagonal.
    fn raised(parts: &[(u32, u32, i64)]) -> Vec<i32> {
        let bound = |&(start, end, diagonal): &(u32, u32, i64)| {
            let score = (end - start) as i32;
            Bound { score, segment: Segment { score, start, end }, diagonal, read_length: 150, ..Bound::default() }
        };
        let mut bounds: Vec<Bound> = parts.iter().map(bound).collect();
        Bridges::default().raise(&CascadeSettings::default(), &mut bounds);
        bounds.iter().map(|bound| bound.score).collect()
    }

    #[test]
    fn gaps_in_a_row_are_bridged_one_after_the_other() {
        // A deletion of 1, an insertion of 2: 150 - 2 bases, 7 and 8 points.
        let three = [(0, 50, 1_000), (50, 100, 1_001), (102, 150, 999)];
        assert_eq!(raised(&three), [148 - 15; 3]);
        assert_eq!(raised(&[three[2], three[0], three[1]]), [148 - 15; 3], "in any order");
        assert_eq!(raised(&three[..2]), [100 - 7; 2]);
    }

    #[test]
    fn what_lies_too_far_apart_or_is_short_stays_alone() {
        assert_eq!(raised(&[(0, 50, 1_000), (50, 100, 1_101)]), [50, 50]);
        assert_eq!(raised(&[(0, 50, 1_000), (50, 65, 1_001)]), [50, 15]);
        assert_eq!(raised(&[(0, 50, 1_000), (0, 50, 1_001)]), [50, 50], "the same part of the read");
    }

    #[test]
    fn of_very_many_segments_the_best_are_chained() {
        let mut parts: Vec<_> = (0..400).map(|number| (60, 77, 50_000 + 1_000 * number)).collect();
        parts.extend([(0, 50, 1_000), (50, 100, 1_003)]);
        let bounds = raised(&parts);
        assert_eq!(bounds[400..], [100 - 9; 2]);
        assert!(bounds[..400].iter().all(|&score| score == 17));
    }
}
