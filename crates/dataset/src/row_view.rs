use crate::schema::column_number;
use crate::{LabelPolicy, MATCH_MASK_BYTES, Role, SeedRow};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, RecordBatch};
use seedsieve_encoding::{PACKED_SEED_BYTES, PACKED_WINDOW_BYTES};

/// Number of a column, looked up when compiling: rows are read by the million.
macro_rules! at {
    ($name:literal) => {
        const { column_number($name) }
    };
}

/// Reads single rows of a record batch that has the columns of [`crate::schema`] first.
#[derive(Debug)]
pub struct RowView<'a> {
    batch: &'a RecordBatch,
    windows: [u8; PACKED_SEED_BYTES],
}

impl<'a> RowView<'a> {
    /// A view of a batch of [`crate::Dataset::batches`].
    #[must_use]
    pub fn new(batch: &'a RecordBatch) -> Self {
        Self { batch, windows: [0; PACKED_SEED_BYTES] }
    }

    fn column(&self, number: usize) -> &'a ArrayRef {
        self.batch.column(number)
    }

    fn number<T: ArrowPrimitiveType>(&self, column: usize, row: usize) -> T::Native {
        self.column(column).as_primitive::<T>().value(row)
    }

    fn optional<T: ArrowPrimitiveType>(&self, column: usize, row: usize) -> Option<T::Native> {
        let column = self.column(column).as_primitive::<T>();
        column.is_valid(row).then(|| column.value(row))
    }

    fn flag(&self, column: usize, row: usize) -> bool {
        self.column(column).as_boolean().value(row)
    }

    fn optional_flag(&self, column: usize, row: usize) -> Option<bool> {
        let column = self.column(column).as_boolean();
        column.is_valid(row).then(|| column.value(row))
    }

    fn text(&self, column: usize, row: usize) -> &'a str {
        self.column(column).as_string::<i32>().value(row)
    }

    fn optional_text(&self, column: usize, row: usize) -> Option<&'a str> {
        self.column(column).is_valid(row).then(|| self.text(column, row))
    }

    fn matches(&self, column: usize, row: usize) -> Option<&'a [u8; MATCH_MASK_BYTES]> {
        let column = self.column(column).as_fixed_size_binary();
        column.is_valid(row).then(|| column.value(row).try_into().expect("the column has the size of a match mask"))
    }

    /// Row `row` (0-based) of the batch; the error says what is wrong with a role that has no known name.
    ///
    /// # Panics
    /// If the batch has not the columns of [`crate::schema`], or not so many rows.
    ///
    /// # Errors
    /// The name of a role that does not exist.
    pub fn row(&mut self, row: usize) -> Result<SeedRow<'_>, String> {
        let role: Role = self.text(at!("role"), row).parse()?;
        for (column, half) in [at!("query_window"), at!("reference_window")].into_iter().zip(0..) {
            let window = self.column(column).as_fixed_size_binary().value(row);
            self.windows[half * PACKED_WINDOW_BYTES..][..PACKED_WINDOW_BYTES].copy_from_slice(window);
        }
        Ok(SeedRow {
            sample: self.text(at!("sample"), row),
            read_hash: self.number::<UInt64Type>(at!("read_hash"), row),
            mate: self.number::<UInt8Type>(at!("mate"), row),
            read_length: self.number::<UInt16Type>(at!("read_length"), row),
            query_start: self.number::<UInt16Type>(at!("query_start"), row),
            length: self.number::<UInt16Type>(at!("length"), row),
            contig: self.text(at!("contig"), row),
            position: self.number::<UInt32Type>(at!("position"), row),
            reverse: self.flag(at!("reverse"), row),
            occurrences: self.number::<UInt32Type>(at!("occurrences"), row),
            chain: self.optional::<Int32Type>(at!("chain"), row),
            chain_weight: self.optional::<Int32Type>(at!("chain_weight"), row),
            chain_kept: self.flag(at!("chain_kept"), row),
            extended: self.flag(at!("extended"), row),
            ungapped_score: self.number::<Int32Type>(at!("ungapped_score"), row),
            own_score: self.number::<Int32Type>(at!("own_score"), row),
            own_query_start: self.number::<UInt16Type>(at!("own_query_start"), row),
            own_query_end: self.number::<UInt16Type>(at!("own_query_end"), row),
            region_score: self.optional::<Int32Type>(at!("region_score"), row),
            region_distance: self.optional::<Int32Type>(at!("region_distance"), row),
            role,
            read_best: self.number::<Int32Type>(at!("read_best"), row),
            read_second: self.number::<Int32Type>(at!("read_second"), row),
            locus_contig: self.optional_text(at!("locus_contig"), row),
            locus_position: self.optional::<UInt32Type>(at!("locus_position"), row),
            source_mapped: self.optional_flag(at!("source_mapped"), row),
            source_mapq: self.optional::<UInt8Type>(at!("source_mapq"), row),
            source_on_path: self.optional_flag(at!("source_on_path"), row),
            own_left_score: self.optional::<Int32Type>(at!("own_left_score"), row),
            own_band: self.optional::<UInt16Type>(at!("own_band"), row),
            own_reference_before: self.optional::<UInt16Type>(at!("own_reference_before"), row),
            own_reference_after: self.optional::<UInt16Type>(at!("own_reference_after"), row),
            seed_quality: self.optional::<UInt8Type>(at!("seed_quality"), row),
            flank_quality: self.optional::<UInt8Type>(at!("flank_quality"), row),
            true_contig: self.optional_text(at!("true_contig"), row),
            true_position: self.optional::<UInt32Type>(at!("true_position"), row),
            true_reverse: self.optional_flag(at!("true_reverse"), row),
            true_on_path: self.optional_flag(at!("true_on_path"), row),
            weight: self.optional::<Float64Type>(at!("weight"), row),
            left_matches: self.matches(at!("left_matches"), row),
            right_matches: self.matches(at!("right_matches"), row),
            seeding_round: self.optional::<UInt8Type>(at!("seeding_round"), row),
            rescue_anchor: self.optional_flag(at!("rescue_anchor"), row),
            own_computed: self.optional_flag(at!("own_computed"), row),
            gap_bound: self.optional::<Int32Type>(at!("gap_bound"), row),
            narrow_score: self.optional::<Int32Type>(at!("narrow_score"), row),
            windows: &self.windows,
        })
    }
}

/// What label policies look at, of one row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LabelFacts {
    pub(crate) read_hash: u64,
    pub(crate) chain_kept: bool,
    pub(crate) own_score: i32,
    pub(crate) read_best: i32,
    pub(crate) region_score: Option<i32>,
    pub(crate) role: Role,
    pub(crate) occurrences: u32,
}

impl LabelFacts {
    /// What `policy` says of the seed.
    pub(crate) fn viable(&self, policy: LabelPolicy, threshold: i32) -> bool {
        policy.viable(threshold, self.own_score, self.read_best, self.region_score, self.role)
    }
}

/// What label policies look at, of each row; a role that does not exist counts as none.
pub(crate) fn label_facts(batch: &RecordBatch) -> impl Iterator<Item = LabelFacts> + use<'_> {
    let numbers = |column: usize| batch.column(column).as_primitive::<Int32Type>();
    let (own_score, read_best, region_score) =
        (numbers(at!("own_score")), numbers(at!("read_best")), numbers(at!("region_score")));
    let roles = batch.column(at!("role")).as_string::<i32>();
    let occurrences = batch.column(at!("occurrences")).as_primitive::<UInt32Type>();
    let read_hash = batch.column(at!("read_hash")).as_primitive::<UInt64Type>();
    let chain_kept = batch.column(at!("chain_kept")).as_boolean();
    (0..batch.num_rows()).map(move |row| LabelFacts {
        read_hash: read_hash.value(row),
        chain_kept: chain_kept.value(row),
        own_score: own_score.value(row),
        read_best: read_best.value(row),
        region_score: region_score.is_valid(row).then(|| region_score.value(row)),
        role: roles.value(row).parse().unwrap_or_default(),
        occurrences: occurrences.value(row),
    })
}
