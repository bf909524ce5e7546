use super::mix::mix;
use super::writer::{DerivedWriter, identity};
use crate::schema::column_number;
use crate::{Dataset, DatasetError, Derivation, DeriveOptions, Manifest};
use arrow_array::cast::AsArray;
use arrow_array::types::{UInt32Type, UInt64Type};
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use serde_json::{Map, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// Reads this close to a block of another part, in bases, are left out: they or their mates may reach into it.
const MARGIN_BASES: u64 = 1_000;

/// A part of a divided data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SplitPart {
    /// Eight tenths of the blocks.
    Train,
    /// One tenth.
    Validation,
    /// One tenth.
    Test,
}

impl SplitPart {
    /// All parts.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The name in the partition `split=NAME`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    fn of_hash(hash: u64) -> Self {
        match hash / (u64::MAX / 10 + 1) {
            0..8 => Self::Train,
            8 => Self::Validation,
            _ => Self::Test,
        }
    }

    fn of_block(contig_hash: u64, block: u64) -> Self {
        Self::of_hash(mix(contig_hash ^ mix(block)))
    }
}

impl fmt::Display for SplitPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for SplitPart {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|part| part.name() == name)
            .ok_or_else(|| format!("split `{name}`; valid are {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// How a data set is divided.
#[derive(Debug, Clone)]
pub struct SplitOptions {
    /// Bases of a block, at least 2,000: twice the margin.
    pub block_bases: u64,
    /// Samples that belong to one part as a whole. Their seeds in blocks of other parts are left out, so that neither a
    /// place nor a person is in two parts. Samples that are not named are divided by place alone.
    pub samples: BTreeMap<String, SplitPart>,
}

impl Default for SplitOptions {
    /// Blocks of 20,000 bases, divided by place alone.
    fn default() -> Self {
        Self { block_bases: 20_000, samples: BTreeMap::new() }
    }
}

/// What became of the seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SplitReport {
    /// Seeds of train, validation, test.
    pub seeds: [u64; 3],
    /// Seeds near a block of another part.
    pub in_margins: u64,
    /// Seeds of a sample that belongs to another part than their place.
    pub of_other_samples: u64,
}

/// Divides a data set by position into the partitions `split=PART/sample=SAMPLE` of a new one in `output`.
///
/// Contigs are cut into blocks, and a hash of contig and block decides for all reads whose best region starts there;
/// reads without a region are divided by the hash of their name. It is the rule of the training package.
///
/// # Errors
/// [`DatasetError::Split`] for blocks that are too small, or a named sample that the data set does not have; those of
/// [`Dataset::verify_checksums`], [`Dataset::part_batches`] and [`crate::DatasetWriter::create`].
pub fn split(
    dataset: &Dataset,
    split: &SplitOptions,
    output: &Path,
    options: &DeriveOptions,
) -> Result<(Manifest, SplitReport), DatasetError> {
    let refusal = |problem: String| DatasetError::Split { path: dataset.manifest_path(), problem };
    if split.block_bases < 2 * MARGIN_BASES {
        return Err(refusal(format!("blocks of {} bases, valid are {} and more", split.block_bases, 2 * MARGIN_BASES)));
    }
    dataset.verify_checksums()?;
    let manifest = dataset.manifest();
    let mut writer = DerivedWriter::create(output, options, manifest.reporting_threshold, dataset.schema())?;
    let mut divider = Divider { options: split, contig_hashes: HashMap::new(), report: SplitReport::default() };
    let mut samples_seen = BTreeMap::new();
    for part in &manifest.parts {
        for batch in dataset.part_batches(part)? {
            let batch = batch?;
            for ((part, sample), rows) in divider.divide(&batch) {
                let partition = format!("split={part}/{}", partition_of_sample(&sample));
                let mask = BooleanArray::from(rows);
                let chosen = filter_record_batch(&batch, &mask).map_err(|error| refusal(error.to_string()))?;
                writer.write(&partition, &chosen)?;
            }
            for sample in batch.column(const { column_number("sample") }).as_string::<i32>().iter().flatten() {
                if !samples_seen.contains_key(sample) {
                    samples_seen.insert(sample.to_owned(), ());
                }
            }
        }
    }
    if let Some(unknown) = split.samples.keys().find(|sample| !samples_seen.contains_key(*sample)) {
        let known: Vec<&String> = samples_seen.keys().collect();
        return Err(refusal(format!("sample `{unknown}` is to be divided, but the data set has {known:?}")));
    }
    let samples: Map<_, _> = split.samples.iter().map(|(sample, part)| (sample.clone(), json!(part.name()))).collect();
    let settings = Map::from_iter([
        ("block_bases".to_owned(), json!(split.block_bases)),
        ("margin_bases".to_owned(), json!(MARGIN_BASES)),
        ("samples".to_owned(), json!(samples)),
        ("left_out_in_margins".to_owned(), json!(divider.report.in_margins)),
        ("left_out_of_other_samples".to_owned(), json!(divider.report.of_other_samples)),
    ]);
    let step = Derivation { command: "split".into(), from: vec![identity(dataset)?], settings };
    let written = writer.finish(manifest.clone(), options.producer.clone(), step, manifest.counts.reads)?;
    Ok((written, divider.report))
}

struct Divider<'a> {
    options: &'a SplitOptions,
    contig_hashes: HashMap<String, u64>,
    report: SplitReport,
}

impl Divider<'_> {
    /// The rows of each part and sample.
    fn divide(&mut self, batch: &RecordBatch) -> BTreeMap<(SplitPart, String), Vec<bool>> {
        let samples = batch.column(const { column_number("sample") }).as_string::<i32>();
        let read_hashes = batch.column(const { column_number("read_hash") }).as_primitive::<UInt64Type>();
        let contigs = batch.column(const { column_number("locus_contig") }).as_string::<i32>();
        let positions = batch.column(const { column_number("locus_position") }).as_primitive::<UInt32Type>();
        let mut rows: BTreeMap<(SplitPart, String), Vec<bool>> = BTreeMap::new();
        for row in 0..batch.num_rows() {
            let locus = (contigs.is_valid(row) && positions.is_valid(row))
                .then(|| (contigs.value(row), u64::from(positions.value(row))));
            let Some(part) = self.part(read_hashes.value(row), locus) else {
                self.report.in_margins += 1;
                continue;
            };
            let sample = samples.value(row);
            if self.options.samples.get(sample).is_some_and(|&of_sample| of_sample != part) {
                self.report.of_other_samples += 1;
                continue;
            }
            self.report.seeds[part as usize] += 1;
            let mask = rows.entry((part, sample.to_owned())).or_insert_with(|| vec![false; batch.num_rows()]);
            mask[row] = true;
        }
        rows
    }

    /// The part of a read by the place of its best region (0-based), or `None` in the margin of another part.
    fn part(&mut self, read_hash: u64, locus: Option<(&str, u64)>) -> Option<SplitPart> {
        let Some((contig, position)) = locus else { return Some(SplitPart::of_hash(mix(read_hash))) };
        let contig_hash = match self.contig_hashes.get(contig) {
            Some(&hash) => hash,
            None => *self.contig_hashes.entry(contig.to_owned()).or_insert(hash_of_name(contig)),
        };
        let (block, offset) = (position / self.options.block_bases, position % self.options.block_bases);
        let part = SplitPart::of_block(contig_hash, block);
        // The first block of a contig has none before it; its own part stands in, so that nothing is left out there.
        let before = SplitPart::of_block(contig_hash, block.saturating_sub(1));
        let after = SplitPart::of_block(contig_hash, block + 1);
        let near_before = offset < MARGIN_BASES && before != part;
        let near_after = offset >= self.options.block_bases - MARGIN_BASES && after != part;
        (!near_before && !near_after).then_some(part)
    }
}

/// First 8 bytes (big-endian) of the SHA-256 of a contig's name.
fn hash_of_name(name: &str) -> u64 {
    let digest = Sha256::digest(name.as_bytes());
    u64::from_be_bytes(digest[..8].try_into().expect("a SHA-256 has 32 bytes"))
}

/// The partition of a sample's rows.
pub(super) fn partition_of_sample(sample: &str) -> String {
    format!("sample={}", percent_encoded(sample))
}

/// The rows of each sample of a batch.
pub(super) fn by_sample(batch: &RecordBatch) -> BTreeMap<&str, BooleanArray> {
    let samples = batch.column(const { column_number("sample") }).as_string::<i32>();
    let names: std::collections::BTreeSet<&str> = samples.iter().flatten().collect();
    let rows_of = |name: &str| samples.iter().map(|sample| Some(sample == Some(name))).collect();
    names.into_iter().map(|name| (name, rows_of(name))).collect()
}

/// A sample's name as the name of a folder, read back by what knows hive partitions.
fn percent_encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_samples_are_names_of_folders() {
        assert_eq!(percent_encoded("NA12878"), "NA12878");
        assert_eq!(percent_encoded("a/b=c d%\u{e9}"), "a%2Fb%3Dc%20d%25%C3%A9");
    }

    #[test]
    fn one_block_is_in_one_part_and_its_margins_beside_other_parts_are_left_out() {
        let options = SplitOptions::default();
        let mut divider = Divider { options: &options, contig_hashes: HashMap::new(), report: SplitReport::default() };
        let mut seen = [0; 3];
        for block in 1..400u64 {
            let mut at = |offset: u64| divider.part(7, Some(("chr21", block * 20_000 + offset)));
            let part = at(10_000).expect("the middle of a block is in no margin");
            seen[part as usize] += 1;
            assert_eq!((at(1_000), at(18_999)), (Some(part), Some(part)));
            let (start, end) = (at(999), at(19_000));
            let next = divider.part(7, Some(("chr21", (block + 1) * 20_000 + 10_000)));
            assert_eq!(end, (next == Some(part)).then_some(part), "block {block}");
            let previous = divider.part(7, Some(("chr21", (block - 1) * 20_000 + 10_000)));
            assert_eq!(start, (previous == Some(part)).then_some(part), "block {block}");
        }
        assert!(seen[0] > 280 && seen[1] > 20 && seen[2] > 20, "{seen:?}");
        assert_eq!(divider.part(7, Some(("chr21", 0))), divider.part(7, Some(("chr21", 5_000))));
    }
}
