use crate::part_writer::{PartWriter, part_name};
use crate::row_view::label_facts;
use crate::schema::column_number;
use crate::staging::Staging;
use crate::writer::fresh_staging;
use crate::{Counts, Dataset, DatasetError, Derivation, LabelPolicy, Manifest, Part, Producer, Role, file_sha256};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_schema::SchemaRef;
use std::collections::BTreeMap;
use std::path::Path;

/// Parts that are written at the same time at the most: each holds up to a row group, some 10 MB.
const OPEN_PARTS: usize = 12;

/// How a data set is written that is made of others.
#[derive(Debug, Clone)]
pub struct DeriveOptions {
    /// Most rows of a part, at least 1.
    pub part_rows: u64,
    /// Replace a finished data set in the same folder.
    pub overwrite: bool,
    /// The program that does it.
    pub producer: Producer,
}

/// Writes record batches to a new data set, each to a partition (a folder of parts). Memory is bounded by the parts that
/// are open; where rows go to many partitions in turn, those written longest ago are closed and new ones begun.
pub(crate) struct DerivedWriter {
    staging: Staging,
    part_rows: u64,
    threshold: i32,
    schema: SchemaRef,
    /// With their partitions, the one written last at the end.
    open: Vec<(String, PartWriter)>,
    /// Parts begun, by partition.
    begun: BTreeMap<String, usize>,
    parts: Vec<Part>,
    counts: Counts,
}

impl DerivedWriter {
    /// Prepares `directory` for rows with the columns `schema`; T is `threshold`.
    ///
    /// # Errors
    /// [`DatasetError::Occupied`], [`DatasetError::OtherWork`], [`DatasetError::Busy`] and [`DatasetError::Io`] as
    /// [`crate::DatasetWriter::create`].
    pub(crate) fn create(
        directory: &Path,
        options: &DeriveOptions,
        threshold: i32,
        schema: SchemaRef,
    ) -> Result<Self, DatasetError> {
        Ok(Self {
            staging: fresh_staging(directory, options.overwrite)?,
            part_rows: options.part_rows.max(1),
            threshold,
            schema,
            open: Vec::new(),
            begun: BTreeMap::new(),
            parts: Vec::new(),
            counts: Counts::default(),
        })
    }

    /// Appends rows to the partition `partition`, a path of folders or nothing.
    pub(crate) fn write(&mut self, partition: &str, batch: &RecordBatch) -> Result<(), DatasetError> {
        count_rows(batch, self.threshold, &mut self.counts);
        let mut rest = batch.clone();
        while rest.num_rows() > 0 {
            let part = self.open_part(partition)?;
            let room = usize::try_from(self.part_rows - self.open[part].1.rows()).unwrap_or(usize::MAX);
            let rows = rest.num_rows().min(room);
            self.open[part].1.write(&rest.slice(0, rows))?;
            rest = rest.slice(rows, rest.num_rows() - rows);
            if self.open[part].1.rows() == self.part_rows {
                self.close(part)?;
            }
        }
        Ok(())
    }

    /// Number of the partition's part in `open`, which is opened where it is not.
    fn open_part(&mut self, partition: &str) -> Result<usize, DatasetError> {
        match self.open.iter().position(|(open, _)| open == partition) {
            Some(part) => {
                let part = self.open.remove(part);
                self.open.push(part);
            }
            None => {
                if self.open.len() == OPEN_PARTS {
                    self.close(0)?;
                }
                let number = self.begun.entry(partition.to_owned()).or_default();
                let file = part_name(partition, *number);
                *number += 1;
                let part = PartWriter::create(self.staging.part_path(&file), file, self.schema.clone())?;
                self.open.push((partition.to_owned(), part));
            }
        }
        Ok(self.open.len() - 1)
    }

    fn close(&mut self, part: usize) -> Result<(), DatasetError> {
        let (_, part) = self.open.remove(part);
        self.parts.push(part.close()?);
        Ok(())
    }

    /// Completes the data set. What its manifest says beside parts and counts is that of `template`, to which `step` is
    /// added; `reads` are the reads that the seeds came from.
    pub(crate) fn finish(
        mut self,
        template: Manifest,
        producer: Producer,
        step: Derivation,
        reads: u64,
    ) -> Result<Manifest, DatasetError> {
        while !self.open.is_empty() {
            self.close(0)?;
        }
        self.parts.sort_by(|one, other| one.file.cmp(&other.file));
        self.counts.reads = reads;
        let Manifest { settings, inputs, mut derived, reporting_threshold, .. } = template;
        derived.push(step);
        let mut manifest = Manifest::new(
            producer,
            reporting_threshold,
            settings,
            inputs,
            self.counts,
            std::mem::take(&mut self.parts),
        );
        manifest.derived = derived;
        self.staging.publish(&manifest)?;
        Ok(manifest)
    }
}

/// SHA-256 of a data set's `dataset.json`.
pub(crate) fn identity(dataset: &Dataset) -> Result<String, DatasetError> {
    file_sha256(&dataset.manifest_path()).map(|(_, sha256)| sha256)
}

/// Adds the rows of a batch, but not their reads.
pub(crate) fn count_rows(batch: &RecordBatch, threshold: i32, counts: &mut Counts) {
    counts.seeds += batch.num_rows() as u64;
    counts.viable += viable(batch, LabelPolicy::OwnExtension, threshold).filter(|viable| *viable).count() as u64;
    let roles = batch.column(const { column_number("role") }).as_string::<i32>();
    // The rows of a read have few roles, most of them in a row the same.
    let mut last: Option<(&str, Role)> = None;
    for name in roles.iter().flatten() {
        if last.is_none_or(|(of_last, _)| of_last != name) {
            last = name.parse().ok().map(|role| (name, role));
        }
        if let Some((_, role)) = last {
            *counts.roles.of_mut(role) += 1;
        }
    }
}

/// The label of each row, by what is known of its own extension; a role that does not exist counts as none.
fn viable(batch: &RecordBatch, policy: LabelPolicy, threshold: i32) -> impl Iterator<Item = bool> + use<'_> {
    label_facts(batch).map(move |facts| facts.viable(policy, threshold))
}

/// The same, `None` where the data set cannot tell.
pub(crate) fn labels<'a>(
    batch: &'a RecordBatch,
    policy: LabelPolicy,
    manifest: &Manifest,
) -> impl Iterator<Item = Option<bool>> + use<'a> {
    let (threshold, own) = (manifest.reporting_threshold, manifest.own_extensions());
    label_facts(batch)
        .map(move |facts| own.tell(policy, facts.read_hash, facts.chain_kept).then(|| facts.viable(policy, threshold)))
}
