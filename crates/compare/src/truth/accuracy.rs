use serde::Serialize;

use super::{TRUTH_TOLERANCE, TruePlace};
use crate::record::AlignmentRecord;

/// How right one file is, by mapping quality.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct Accuracy {
    /// Bases that a read may be off: [`TRUTH_TOLERANCE`].
    pub tolerance: u64,
    /// Reads of the reference: those that could be right.
    pub reads_of_reference: u64,
    /// Reads of another genome: wrong wherever they are mapped.
    pub foreign_reads: u64,
    /// One entry for each mapping quality that occurs, descending.
    pub by_mapq: Vec<AccuracyFrom>,
}

/// Mapped reads of one mapping quality, and what is true of all reads that have this one or a higher.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct AccuracyFrom {
    /// The mapping quality.
    pub mapq: u8,
    /// Reads of exactly this mapping quality that lie right.
    pub right: u64,
    /// Those of the reference that lie elsewhere.
    pub wrong: u64,
    /// Those of another genome.
    pub foreign: u64,
    /// Of the reads of this mapping quality and above, the share that lies right.
    pub precision: f64,
    /// Of all reads of the reference, the share that lies right with this mapping quality or a higher; 0 without reads.
    pub recall: f64,
}

/// Counts the reads of one file.
#[derive(Clone, Debug)]
pub(crate) struct AccuracyCounter {
    reads_of_reference: u64,
    foreign_reads: u64,
    /// Right, wrong, foreign, by mapping quality.
    mapped: Vec<[u64; 3]>,
}

impl AccuracyCounter {
    pub(crate) fn new() -> Self {
        Self { reads_of_reference: 0, foreign_reads: 0, mapped: vec![[0; 3]; 256] }
    }

    pub(crate) fn add(&mut self, record: &AlignmentRecord, place: &TruePlace, is_right: bool) {
        let foreign = *place == TruePlace::Foreign;
        *(if foreign { &mut self.foreign_reads } else { &mut self.reads_of_reference }) += 1;
        if record.is_mapped() {
            let kind = if foreign { 2 } else { usize::from(!is_right) };
            self.mapped[usize::from(record.mapping_quality)][kind] += 1;
        }
    }

    pub(crate) fn finish(&self) -> Accuracy {
        let (mut all_right, mut all_mapped) = (0, 0);
        let mut by_mapq = Vec::new();
        for mapq in (0..=u8::MAX).rev() {
            let [right, wrong, foreign] = self.mapped[usize::from(mapq)];
            let mapped = right + wrong + foreign;
            if mapped == 0 {
                continue;
            }
            all_right += right;
            all_mapped += mapped;
            let precision = all_right as f64 / all_mapped as f64;
            let recall = all_right as f64 / self.reads_of_reference.max(1) as f64;
            by_mapq.push(AccuracyFrom { mapq, right, wrong, foreign, precision, recall });
        }
        let Self { reads_of_reference, foreign_reads, .. } = *self;
        Accuracy { tolerance: TRUTH_TOLERANCE, reads_of_reference, foreign_reads, by_mapq }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_and_recall_gather_from_the_highest_quality_down() {
        let mut counter = AccuracyCounter::new();
        let here = TruePlace::Start { contig: b"c".into(), start: 1, reverse: false };
        let record = |flags: u16, quality: u8| {
            AlignmentRecord::parse(1, format!("r\t{flags}\tc\t1\t{quality}\t*\t*\t0\t0\t*\t*").into_bytes()).unwrap()
        };
        counter.add(&record(0, 60), &here, true);
        counter.add(&record(0, 60), &here, true);
        counter.add(&record(0, 7), &here, false);
        counter.add(&record(0, 7), &TruePlace::Foreign, false);
        counter.add(&record(4, 0), &here, false);
        counter.add(&record(4, 0), &TruePlace::Foreign, false);
        let accuracy = counter.finish();
        assert_eq!((accuracy.tolerance, accuracy.reads_of_reference, accuracy.foreign_reads), (20, 4, 2));
        let from = |mapq, right, wrong, foreign, precision, recall| AccuracyFrom {
            mapq,
            right,
            wrong,
            foreign,
            precision,
            recall,
        };
        assert_eq!(accuracy.by_mapq, [from(60, 2, 0, 0, 1.0, 0.5), from(7, 0, 1, 1, 0.5, 0.5)]);
    }
}
