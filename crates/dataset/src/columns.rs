use crate::{MATCH_MASK_BYTES, SeedRow, schema};
use arrow_array::RecordBatch;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, FixedSizeBinaryBuilder, Float64Builder, Int32Builder, StringBuilder, UInt8Builder,
    UInt16Builder, UInt32Builder, UInt64Builder,
};
use arrow_schema::ArrowError;
use seedsieve_encoding::PACKED_WINDOW_BYTES;
use std::sync::Arc;

/// Bytes of a text that room is made for: a sample, a contig, a role.
const TEXT_BYTES: usize = 8;

/// Collects rows column by column and hands them over as a record batch.
#[derive(Debug)]
pub struct ColumnBuilder {
    sample: StringBuilder,
    read_hash: UInt64Builder,
    mate: UInt8Builder,
    read_length: UInt16Builder,
    query_start: UInt16Builder,
    length: UInt16Builder,
    contig: StringBuilder,
    position: UInt32Builder,
    reverse: BooleanBuilder,
    occurrences: UInt32Builder,
    chain: Int32Builder,
    chain_weight: Int32Builder,
    chain_kept: BooleanBuilder,
    extended: BooleanBuilder,
    ungapped_score: Int32Builder,
    own_score: Int32Builder,
    own_query_start: UInt16Builder,
    own_query_end: UInt16Builder,
    region_score: Int32Builder,
    region_distance: Int32Builder,
    role: StringBuilder,
    read_best: Int32Builder,
    read_second: Int32Builder,
    locus_contig: StringBuilder,
    locus_position: UInt32Builder,
    source_mapped: BooleanBuilder,
    source_mapq: UInt8Builder,
    source_on_path: BooleanBuilder,
    own_left_score: Int32Builder,
    own_band: UInt16Builder,
    own_reference_before: UInt16Builder,
    own_reference_after: UInt16Builder,
    seed_quality: UInt8Builder,
    flank_quality: UInt8Builder,
    true_contig: StringBuilder,
    true_position: UInt32Builder,
    true_reverse: BooleanBuilder,
    true_on_path: BooleanBuilder,
    weight: Float64Builder,
    left_matches: FixedSizeBinaryBuilder,
    right_matches: FixedSizeBinaryBuilder,
    seeding_round: UInt8Builder,
    rescue_anchor: BooleanBuilder,
    own_computed: BooleanBuilder,
    gap_bound: Int32Builder,
    query_window: FixedSizeBinaryBuilder,
    reference_window: FixedSizeBinaryBuilder,
}

impl Default for ColumnBuilder {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl ColumnBuilder {
    /// A builder with room for so many rows: columns that grow are copied again and again.
    #[must_use]
    pub fn with_capacity(rows: usize) -> Self {
        let text = || StringBuilder::with_capacity(rows, rows * TEXT_BYTES);
        let window = || FixedSizeBinaryBuilder::with_capacity(rows, PACKED_WINDOW_BYTES as i32);
        let matches = || FixedSizeBinaryBuilder::with_capacity(rows, MATCH_MASK_BYTES as i32);
        Self {
            sample: text(),
            read_hash: UInt64Builder::with_capacity(rows),
            mate: UInt8Builder::with_capacity(rows),
            read_length: UInt16Builder::with_capacity(rows),
            query_start: UInt16Builder::with_capacity(rows),
            length: UInt16Builder::with_capacity(rows),
            contig: text(),
            position: UInt32Builder::with_capacity(rows),
            reverse: BooleanBuilder::with_capacity(rows),
            occurrences: UInt32Builder::with_capacity(rows),
            chain: Int32Builder::with_capacity(rows),
            chain_weight: Int32Builder::with_capacity(rows),
            chain_kept: BooleanBuilder::with_capacity(rows),
            extended: BooleanBuilder::with_capacity(rows),
            ungapped_score: Int32Builder::with_capacity(rows),
            own_score: Int32Builder::with_capacity(rows),
            own_query_start: UInt16Builder::with_capacity(rows),
            own_query_end: UInt16Builder::with_capacity(rows),
            region_score: Int32Builder::with_capacity(rows),
            region_distance: Int32Builder::with_capacity(rows),
            role: text(),
            read_best: Int32Builder::with_capacity(rows),
            read_second: Int32Builder::with_capacity(rows),
            locus_contig: text(),
            locus_position: UInt32Builder::with_capacity(rows),
            source_mapped: BooleanBuilder::with_capacity(rows),
            source_mapq: UInt8Builder::with_capacity(rows),
            source_on_path: BooleanBuilder::with_capacity(rows),
            own_left_score: Int32Builder::with_capacity(rows),
            own_band: UInt16Builder::with_capacity(rows),
            own_reference_before: UInt16Builder::with_capacity(rows),
            own_reference_after: UInt16Builder::with_capacity(rows),
            seed_quality: UInt8Builder::with_capacity(rows),
            flank_quality: UInt8Builder::with_capacity(rows),
            true_contig: text(),
            true_position: UInt32Builder::with_capacity(rows),
            true_reverse: BooleanBuilder::with_capacity(rows),
            true_on_path: BooleanBuilder::with_capacity(rows),
            weight: Float64Builder::with_capacity(rows),
            left_matches: matches(),
            right_matches: matches(),
            seeding_round: UInt8Builder::with_capacity(rows),
            rescue_anchor: BooleanBuilder::with_capacity(rows),
            own_computed: BooleanBuilder::with_capacity(rows),
            gap_bound: Int32Builder::with_capacity(rows),
            query_window: window(),
            reference_window: window(),
        }
    }

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
        self.sample.append_value(row.sample);
        self.read_hash.append_value(row.read_hash);
        self.mate.append_value(row.mate);
        self.read_length.append_value(row.read_length);
        self.query_start.append_value(row.query_start);
        self.length.append_value(row.length);
        self.contig.append_value(row.contig);
        self.position.append_value(row.position);
        self.reverse.append_value(row.reverse);
        self.occurrences.append_value(row.occurrences);
        self.chain.append_option(row.chain);
        self.chain_weight.append_option(row.chain_weight);
        self.chain_kept.append_value(row.chain_kept);
        self.extended.append_value(row.extended);
        self.ungapped_score.append_value(row.ungapped_score);
        self.own_score.append_value(row.own_score);
        self.own_query_start.append_value(row.own_query_start);
        self.own_query_end.append_value(row.own_query_end);
        self.region_score.append_option(row.region_score);
        self.region_distance.append_option(row.region_distance);
        self.role.append_value(row.role.name());
        self.read_best.append_value(row.read_best);
        self.read_second.append_value(row.read_second);
        self.locus_contig.append_option(row.locus_contig);
        self.locus_position.append_option(row.locus_position);
        self.source_mapped.append_option(row.source_mapped);
        self.source_mapq.append_option(row.source_mapq);
        self.source_on_path.append_option(row.source_on_path);
        self.own_left_score.append_option(row.own_left_score);
        self.own_band.append_option(row.own_band);
        self.own_reference_before.append_option(row.own_reference_before);
        self.own_reference_after.append_option(row.own_reference_after);
        self.seed_quality.append_option(row.seed_quality);
        self.flank_quality.append_option(row.flank_quality);
        self.true_contig.append_option(row.true_contig);
        self.true_position.append_option(row.true_position);
        self.true_reverse.append_option(row.true_reverse);
        self.true_on_path.append_option(row.true_on_path);
        self.weight.append_option(row.weight);
        let masks = [(&mut self.left_matches, row.left_matches), (&mut self.right_matches, row.right_matches)];
        for (builder, matches) in masks {
            match matches {
                Some(matches) => builder.append_value(matches).expect("a match mask has its column's size"),
                None => builder.append_null(),
            }
        }
        self.seeding_round.append_option(row.seeding_round);
        self.rescue_anchor.append_option(row.rescue_anchor);
        self.own_computed.append_option(row.own_computed);
        self.gap_bound.append_option(row.gap_bound);
        let (query, reference) = row.windows.split_at(PACKED_WINDOW_BYTES);
        for (builder, window) in [(&mut self.query_window, query), (&mut self.reference_window, reference)] {
            builder.append_value(window).expect("both halves of a packed seed have the window's size");
        }
    }

    /// The rows collected so far as one batch in the order of [`schema`]; the builder is empty afterwards.
    ///
    /// # Errors
    /// [`ArrowError`] when the columns do not fit the schema.
    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        RecordBatch::try_new(
            schema(),
            vec![
                Arc::new(self.sample.finish()),
                Arc::new(self.read_hash.finish()),
                Arc::new(self.mate.finish()),
                Arc::new(self.read_length.finish()),
                Arc::new(self.query_start.finish()),
                Arc::new(self.length.finish()),
                Arc::new(self.contig.finish()),
                Arc::new(self.position.finish()),
                Arc::new(self.reverse.finish()),
                Arc::new(self.occurrences.finish()),
                Arc::new(self.chain.finish()),
                Arc::new(self.chain_weight.finish()),
                Arc::new(self.chain_kept.finish()),
                Arc::new(self.extended.finish()),
                Arc::new(self.ungapped_score.finish()),
                Arc::new(self.own_score.finish()),
                Arc::new(self.own_query_start.finish()),
                Arc::new(self.own_query_end.finish()),
                Arc::new(self.region_score.finish()),
                Arc::new(self.region_distance.finish()),
                Arc::new(self.role.finish()),
                Arc::new(self.read_best.finish()),
                Arc::new(self.read_second.finish()),
                Arc::new(self.locus_contig.finish()),
                Arc::new(self.locus_position.finish()),
                Arc::new(self.source_mapped.finish()),
                Arc::new(self.source_mapq.finish()),
                Arc::new(self.source_on_path.finish()),
                Arc::new(self.own_left_score.finish()),
                Arc::new(self.own_band.finish()),
                Arc::new(self.own_reference_before.finish()),
                Arc::new(self.own_reference_after.finish()),
                Arc::new(self.seed_quality.finish()),
                Arc::new(self.flank_quality.finish()),
                Arc::new(self.true_contig.finish()),
                Arc::new(self.true_position.finish()),
                Arc::new(self.true_reverse.finish()),
                Arc::new(self.true_on_path.finish()),
                Arc::new(self.weight.finish()),
                Arc::new(self.left_matches.finish()),
                Arc::new(self.right_matches.finish()),
                Arc::new(self.seeding_round.finish()),
                Arc::new(self.rescue_anchor.finish()),
                Arc::new(self.own_computed.finish()),
                Arc::new(self.gap_bound.finish()),
                Arc::new(self.query_window.finish()),
                Arc::new(self.reference_window.finish()),
            ],
        )
    }
}
