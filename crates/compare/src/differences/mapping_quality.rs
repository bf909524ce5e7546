use serde::Serialize;

use crate::bins::MappingQualityBin;
use crate::record::AlignmentRecord;

/// How mapping qualities shift from the first file to the second.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct MappingQualityShift {
    /// Names of the bins of `reads`, in its order.
    pub bins: [MappingQualityBin; MappingQualityBin::ALL.len()],
    /// Reads by bin in the first file (rows) and in the second (columns).
    pub reads: Vec<Vec<u64>>,
    /// Reads that both files map, by the second file's mapping quality less the first's; those that occur, ascending.
    pub differences: Vec<ShiftCount>,
}

/// Reads whose mapping quality changed by one value.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
pub struct ShiftCount {
    /// The second file's mapping quality less the first's.
    pub difference: i16,
    /// Reads.
    pub reads: u64,
}

/// Counts mapping qualities of both files.
#[derive(Clone, Debug)]
pub(crate) struct ShiftCounter {
    reads: Vec<Vec<u64>>,
    /// By difference, from -255.
    differences: Vec<u64>,
}

impl ShiftCounter {
    pub(crate) fn new() -> Self {
        let bins = MappingQualityBin::ALL.len();
        Self { reads: vec![vec![0; bins]; bins], differences: vec![0; 511] }
    }

    pub(crate) fn add(&mut self, a: &AlignmentRecord, b: &AlignmentRecord) {
        self.reads[MappingQualityBin::of_record(a) as usize][MappingQualityBin::of_record(b) as usize] += 1;
        if a.is_mapped() && b.is_mapped() {
            self.differences[255 + usize::from(b.mapping_quality) - usize::from(a.mapping_quality)] += 1;
        }
    }

    pub(crate) fn finish(self) -> MappingQualityShift {
        let differences = self.differences.into_iter().zip(-255..).filter(|&(reads, _)| reads > 0);
        MappingQualityShift {
            bins: MappingQualityBin::ALL,
            reads: self.reads,
            differences: differences.map(|(reads, difference)| ShiftCount { difference, reads }).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_of_two_bytes_has_its_place() {
        let record = |flags: u16, quality: u8| {
            AlignmentRecord::parse(1, format!("r\t{flags}\tc\t1\t{quality}\t*\t*\t0\t0\t*\t*").into_bytes()).unwrap()
        };
        let mut counter = ShiftCounter::new();
        for (a, b) in [(0, 255), (255, 0), (60, 60), (60, 55)] {
            counter.add(&record(0, a), &record(0, b));
        }
        counter.add(&record(4, 0), &record(0, 12));
        let shift = counter.finish();
        let differences: Vec<_> = shift.differences.iter().map(|count| (count.difference, count.reads)).collect();
        assert_eq!(differences, [(-255, 1), (-5, 1), (0, 1), (255, 1)]);
        assert_eq!(shift.reads[MappingQualityBin::Unmapped as usize][MappingQualityBin::From10 as usize], 1);
        assert_eq!(shift.reads[MappingQualityBin::From60 as usize][MappingQualityBin::From60 as usize], 1);
        assert_eq!(shift.reads.iter().flatten().sum::<u64>(), 5);
    }
}
