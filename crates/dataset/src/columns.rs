use crate::column_values::{Bits, Bytes, Numbers, OptionalBits, OptionalNumbers, Texts};
use crate::{MATCH_MASK_BYTES, SeedRow, schema};
use arrow_array::RecordBatch;
use arrow_array::types::{Float64Type, Int32Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_schema::ArrowError;
use seedsieve_encoding::PACKED_WINDOW_BYTES;

/// The columns in the order of [`schema`]: whether all seeds of a read have the same value, or each its own; name, type, and
/// value.
macro_rules! columns {
    ($($of:ident $name:ident: $values:ty = |$row:ident| $value:expr;)*) => {
        /// Collects rows column by column and hands them over as a record batch.
        #[derive(Debug)]
        pub struct ColumnBuilder {
            $($name: $values,)*
        }

        impl ColumnBuilder {
            /// A builder with room for so many rows: columns that grow are copied again and again.
            #[must_use]
            pub fn with_capacity(rows: usize) -> Self {
                Self { $($name: <$values>::with_capacity(rows),)* }
            }

            /// Appends the rows of one read: what they share is taken from the first.
            pub fn push_read(&mut self, rows: &[SeedRow<'_>]) {
                let Some(first) = rows.first() else { return };
                $(columns!(@$of self.$name, rows, first, |$row| $value);)*
            }

            /// The rows collected so far as one batch in the order of [`schema`]; the builder is empty afterwards.
            ///
            /// # Errors
            /// [`ArrowError`] when the columns do not fit the schema.
            pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
                RecordBatch::try_new(schema(), vec![$(self.$name.finish(),)*])
            }
        }
    };
    (@read $column:expr, $rows:expr, $first:expr, |$row:ident| $value:expr) => {{
        let $row = $first;
        $column.push_times($value, $rows.len());
    }};
    (@seed $column:expr, $rows:expr, $first:expr, |$row:ident| $value:expr) => {
        $column.extend($rows.iter().map(|$row| $value))
    };
}

columns! {
    read sample: Texts = |row| Some(row.sample);
    read read_hash: Numbers<UInt64Type> = |row| row.read_hash;
    read mate: Numbers<UInt8Type> = |row| row.mate;
    read read_length: Numbers<UInt16Type> = |row| row.read_length;
    seed query_start: Numbers<UInt16Type> = |row| row.query_start;
    seed length: Numbers<UInt16Type> = |row| row.length;
    seed contig: Texts = |row| Some(row.contig);
    seed position: Numbers<UInt32Type> = |row| row.position;
    seed reverse: Bits = |row| row.reverse;
    seed occurrences: Numbers<UInt32Type> = |row| row.occurrences;
    seed chain: OptionalNumbers<Int32Type> = |row| row.chain;
    seed chain_weight: OptionalNumbers<Int32Type> = |row| row.chain_weight;
    seed chain_kept: Bits = |row| row.chain_kept;
    seed extended: Bits = |row| row.extended;
    seed ungapped_score: Numbers<Int32Type> = |row| row.ungapped_score;
    seed own_score: Numbers<Int32Type> = |row| row.own_score;
    seed own_query_start: Numbers<UInt16Type> = |row| row.own_query_start;
    seed own_query_end: Numbers<UInt16Type> = |row| row.own_query_end;
    seed region_score: OptionalNumbers<Int32Type> = |row| row.region_score;
    seed region_distance: OptionalNumbers<Int32Type> = |row| row.region_distance;
    seed role: Texts = |row| Some(row.role.name());
    read read_best: Numbers<Int32Type> = |row| row.read_best;
    read read_second: Numbers<Int32Type> = |row| row.read_second;
    read locus_contig: Texts = |row| row.locus_contig;
    read locus_position: OptionalNumbers<UInt32Type> = |row| row.locus_position;
    read source_mapped: OptionalBits = |row| row.source_mapped;
    read source_mapq: OptionalNumbers<UInt8Type> = |row| row.source_mapq;
    seed source_on_path: OptionalBits = |row| row.source_on_path;
    seed own_left_score: OptionalNumbers<Int32Type> = |row| row.own_left_score;
    seed own_band: OptionalNumbers<UInt16Type> = |row| row.own_band;
    seed own_reference_before: OptionalNumbers<UInt16Type> = |row| row.own_reference_before;
    seed own_reference_after: OptionalNumbers<UInt16Type> = |row| row.own_reference_after;
    seed seed_quality: OptionalNumbers<UInt8Type> = |row| row.seed_quality;
    seed flank_quality: OptionalNumbers<UInt8Type> = |row| row.flank_quality;
    read true_contig: Texts = |row| row.true_contig;
    read true_position: OptionalNumbers<UInt32Type> = |row| row.true_position;
    read true_reverse: OptionalBits = |row| row.true_reverse;
    seed true_on_path: OptionalBits = |row| row.true_on_path;
    seed weight: OptionalNumbers<Float64Type> = |row| row.weight;
    seed left_matches: Bytes<MATCH_MASK_BYTES> = |row| row.left_matches;
    seed right_matches: Bytes<MATCH_MASK_BYTES> = |row| row.right_matches;
    seed seeding_round: OptionalNumbers<UInt8Type> = |row| row.seeding_round;
    seed rescue_anchor: OptionalBits = |row| row.rescue_anchor;
    seed own_computed: OptionalBits = |row| row.own_computed;
    seed gap_bound: OptionalNumbers<Int32Type> = |row| row.gap_bound;
    seed narrow_score: OptionalNumbers<Int32Type> = |row| row.narrow_score;
    seed query_window: Bytes<PACKED_WINDOW_BYTES> = |row| row.windows.first_chunk();
    seed reference_window: Bytes<PACKED_WINDOW_BYTES> = |row| row.windows.last_chunk();
}

impl Default for ColumnBuilder {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl ColumnBuilder {
    /// Rows collected since the last batch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read_hash.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends one row.
    pub fn push(&mut self, row: &SeedRow<'_>) {
        self.push_read(std::slice::from_ref(row));
    }
}
