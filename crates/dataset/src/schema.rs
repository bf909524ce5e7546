use arrow_schema::{DataType, Field, Schema, SchemaRef};
use seedsieve_encoding::PACKED_WINDOW_BYTES;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

/// Version of the columns that this crate writes, and the newest of those that it reads, from 1 on.
pub const SCHEMA_VERSION: u32 = 5;

/// Bytes of a match mask: 256 bases beside a seed.
pub const MATCH_MASK_BYTES: usize = 32;

const WINDOW: DataType = DataType::FixedSizeBinary(PACKED_WINDOW_BYTES as i32);
const MATCHES: DataType = DataType::FixedSizeBinary(MATCH_MASK_BYTES as i32);

/// Name, type and whether null is allowed, in the order of the columns.
const COLUMNS: [(&str, DataType, bool); 48] = [
    ("sample", DataType::Utf8, false),
    ("read_hash", DataType::UInt64, false),
    ("mate", DataType::UInt8, false),
    ("read_length", DataType::UInt16, false),
    ("query_start", DataType::UInt16, false),
    ("length", DataType::UInt16, false),
    ("contig", DataType::Utf8, false),
    ("position", DataType::UInt32, false),
    ("reverse", DataType::Boolean, false),
    ("occurrences", DataType::UInt32, false),
    ("chain", DataType::Int32, true),
    ("chain_weight", DataType::Int32, true),
    ("chain_kept", DataType::Boolean, false),
    ("extended", DataType::Boolean, false),
    ("ungapped_score", DataType::Int32, false),
    ("own_score", DataType::Int32, false),
    ("own_query_start", DataType::UInt16, false),
    ("own_query_end", DataType::UInt16, false),
    ("region_score", DataType::Int32, true),
    ("region_distance", DataType::Int32, true),
    ("role", DataType::Utf8, false),
    ("read_best", DataType::Int32, false),
    ("read_second", DataType::Int32, false),
    ("locus_contig", DataType::Utf8, true),
    ("locus_position", DataType::UInt32, true),
    ("source_mapped", DataType::Boolean, true),
    ("source_mapq", DataType::UInt8, true),
    ("source_on_path", DataType::Boolean, true),
    // Since version 2, in older data sets null.
    ("own_left_score", DataType::Int32, true),
    ("own_band", DataType::UInt16, true),
    ("own_reference_before", DataType::UInt16, true),
    ("own_reference_after", DataType::UInt16, true),
    ("seed_quality", DataType::UInt8, true),
    ("flank_quality", DataType::UInt8, true),
    ("true_contig", DataType::Utf8, true),
    ("true_position", DataType::UInt32, true),
    ("true_reverse", DataType::Boolean, true),
    ("true_on_path", DataType::Boolean, true),
    ("weight", DataType::Float64, true),
    // Since version 3.
    ("left_matches", MATCHES, true),
    ("right_matches", MATCHES, true),
    ("seeding_round", DataType::UInt8, true),
    ("rescue_anchor", DataType::Boolean, true),
    ("own_computed", DataType::Boolean, true),
    // Since version 4.
    ("gap_bound", DataType::Int32, true),
    // Since version 5.
    ("narrow_score", DataType::Int32, true),
    ("query_window", WINDOW, false),
    ("reference_window", WINDOW, false),
];

/// Columns that data sets of version 1 do not have; all may be null.
const SINCE_VERSION_2: Range<usize> = column_number("own_left_score")..column_number("left_matches");
/// Columns that data sets of versions 1 and 2 do not have.
const SINCE_VERSION_3: Range<usize> = column_number("left_matches")..column_number("gap_bound");
/// The column that data sets of versions 1 to 3 do not have.
const SINCE_VERSION_4: Range<usize> = column_number("gap_bound")..column_number("narrow_score");
/// The column that only data sets of version 5 have.
const SINCE_VERSION_5: Range<usize> = column_number("narrow_score")..column_number("query_window");

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let fields = COLUMNS.map(|(name, data_type, nullable)| Field::new(name, data_type, nullable));
    Arc::new(Schema::new(fields.to_vec()))
});

/// Number of a column, from its name; a name that is not there does not compile in a `const`.
pub(crate) const fn column_number(name: &str) -> usize {
    let mut number = 0;
    loop {
        if same(COLUMNS[number].0.as_bytes(), name.as_bytes()) {
            return number;
        }
        number += 1;
    }
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// Names of the columns that a data set of an older `version` lacks, which reads as null there.
pub(crate) fn absent_in(version: u32) -> impl Iterator<Item = &'static str> {
    let absent = match version {
        ..=1 => SINCE_VERSION_2.start..SINCE_VERSION_5.end,
        2 => SINCE_VERSION_3.start..SINCE_VERSION_5.end,
        3 => SINCE_VERSION_4.start..SINCE_VERSION_5.end,
        4 => SINCE_VERSION_5,
        _ => 0..0,
    };
    COLUMNS[absent].iter().map(|(name, _, _)| *name)
}

/// The Arrow schema of version [`SCHEMA_VERSION`].
#[must_use]
pub fn schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}
