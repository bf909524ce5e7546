use arrow_schema::{DataType, Field, Schema, SchemaRef};
use seedsieve_encoding::PACKED_WINDOW_BYTES;
use std::sync::{Arc, LazyLock};

/// Version of the columns that this crate writes, and the newest that it reads.
pub const SCHEMA_VERSION: u32 = 1;

const WINDOW: DataType = DataType::FixedSizeBinary(PACKED_WINDOW_BYTES as i32);

/// Name, type and whether null is allowed, in the order of the columns.
const COLUMNS: [(&str, DataType, bool); 30] = [
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
    ("query_window", WINDOW, false),
    ("reference_window", WINDOW, false),
];

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let fields = COLUMNS.map(|(name, data_type, nullable)| Field::new(name, data_type, nullable));
    Arc::new(Schema::new(fields.to_vec()))
});

/// The Arrow schema of version [`SCHEMA_VERSION`].
#[must_use]
pub fn schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}
