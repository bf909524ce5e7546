use serde::Serialize;

use super::TruePlace;
use crate::bins::MappingQualityBin;

/// Reads of one file by whether they lie right, for one bin of that file's mapping quality.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct TruthCounts {
    /// Mapping quality in this file.
    pub mapq: MappingQualityBin,
    /// Reads of the reference, within 20 bases of their true start on the right strand.
    pub right: u64,
    /// Reads of the reference, elsewhere; in the bin of unmapped reads, all that should have been mapped.
    pub wrong: u64,
    /// Reads of another genome: wrong where they are mapped, right in the bin of unmapped reads.
    pub foreign: u64,
}

impl TruthCounts {
    pub(crate) fn new(mapq: MappingQualityBin) -> Self {
        Self { mapq, right: 0, wrong: 0, foreign: 0 }
    }

    /// Share of the mapped reads of this bin that lie right, foreign ones counted as wrong; `None` without reads.
    pub fn share_right(&self) -> Option<f64> {
        let reads = self.right + self.wrong + self.foreign;
        (reads > 0 && self.mapq != MappingQualityBin::Unmapped).then(|| self.right as f64 / reads as f64)
    }

    pub(crate) fn add(&mut self, place: &TruePlace, is_right: bool) {
        *match (place, is_right) {
            (TruePlace::Foreign, _) => &mut self.foreign,
            (_, true) => &mut self.right,
            (_, false) => &mut self.wrong,
        } += 1;
    }
}

/// Reads of the reference by whether they lie right in either file; an unmapped one does not.
#[derive(Clone, Copy, Debug, Default, Serialize, PartialEq, Eq)]
pub struct TruthChanges {
    /// Right in both.
    pub right_in_both: u64,
    /// Right in the first file only.
    pub right_in_a_only: u64,
    /// Right in the second file only.
    pub right_in_b_only: u64,
    /// Right in neither.
    pub right_in_neither: u64,
}

impl TruthChanges {
    pub(crate) fn add(&mut self, in_a: bool, in_b: bool) {
        *match (in_a, in_b) {
            (true, true) => &mut self.right_in_both,
            (true, false) => &mut self.right_in_a_only,
            (false, true) => &mut self.right_in_b_only,
            (false, false) => &mut self.right_in_neither,
        } += 1;
    }
}
