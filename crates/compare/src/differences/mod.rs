//! What differs between the two records of a read, seen from several sides.

mod cigars;
mod examples;
mod fields;
mod flags;
mod kinds;
mod mappability;
mod mapping_quality;
mod scores;

pub use cigars::CigarCounts;
pub use examples::{Example, ExampleRecord};
pub use fields::{FieldCounts, FieldDifferences, TagCounts};
pub use flags::FlagCounts;
pub use kinds::{KindCounts, RecordKind};
pub use mappability::{Mappability, MappabilityCounts, REPEAT_SCORE_GAP};
pub use mapping_quality::{MappingQualityShift, ShiftCount};
pub use scores::ScoreCounts;

pub(crate) use examples::Examples;
pub(crate) use fields::FieldCounter;
pub(crate) use kinds::compare_further_records;
pub(crate) use mapping_quality::ShiftCounter;
