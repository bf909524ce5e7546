use serde::{Serialize, Serializer};

use crate::record::AlignmentRecord;

/// Ranges of mapping quality that behave alike: bwa's mapping qualities end at 60.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MappingQualityBin {
    /// No alignment, hence no mapping quality.
    Unmapped,
    /// 0: another place is as good.
    Zero,
    /// 1 to 9.
    From1,
    /// 10 to 19.
    From10,
    /// 20 to 29.
    From20,
    /// 30 to 59.
    From30,
    /// 60 and more.
    From60,
}

impl MappingQualityBin {
    /// All bins, ascending.
    pub const ALL: [Self; 7] =
        [Self::Unmapped, Self::Zero, Self::From1, Self::From10, Self::From20, Self::From30, Self::From60];

    /// The bin of a mapped read.
    pub fn of(mapping_quality: u8) -> Self {
        match mapping_quality {
            0 => Self::Zero,
            1..10 => Self::From1,
            10..20 => Self::From10,
            20..30 => Self::From20,
            30..60 => Self::From30,
            60.. => Self::From60,
        }
    }

    pub(crate) fn of_record(record: &AlignmentRecord) -> Self {
        if record.is_mapped() { Self::of(record.mapping_quality) } else { Self::Unmapped }
    }

    /// The range in words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Unmapped => "unmapped",
            Self::Zero => "0",
            Self::From1 => "1-9",
            Self::From10 => "10-19",
            Self::From20 => "20-29",
            Self::From30 => "30-59",
            Self::From60 => "60",
        }
    }
}

impl Serialize for MappingQualityBin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.label())
    }
}
