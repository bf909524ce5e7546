use serde::Serialize;

use crate::record::AlignmentRecord;

/// How many primary records have a bit of FLAG set.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
pub struct FlagCounts {
    /// Name of the bit.
    pub flag: &'static str,
    /// Its value.
    pub bit: u16,
    /// Records of the first file that have it.
    pub a: u64,
    /// Records of the second file that have it.
    pub b: u64,
    /// Reads whose record has it in the first file only.
    pub only_a: u64,
    /// Reads whose record has it in the second file only.
    pub only_b: u64,
}

/// Bits that may differ between the primary records of one read (SAM specification, section 1.4.2).
const BITS: [(&str, u16); 7] = [
    ("proper_pair", 0x2),
    ("unmapped", 0x4),
    ("mate_unmapped", 0x8),
    ("reverse", 0x10),
    ("mate_reverse", 0x20),
    ("quality_fail", 0x200),
    ("duplicate", 0x400),
];

impl FlagCounts {
    pub(crate) fn all() -> Vec<Self> {
        BITS.map(|(flag, bit)| Self { flag, bit, a: 0, b: 0, only_a: 0, only_b: 0 }).to_vec()
    }

    pub(crate) fn add(&mut self, a: &AlignmentRecord, b: &AlignmentRecord) {
        let [a, b] = [a, b].map(|record| record.flags & self.bit != 0);
        self.a += u64::from(a);
        self.b += u64::from(b);
        self.only_a += u64::from(a && !b);
        self.only_b += u64::from(b && !a);
    }
}
