use crate::derive::count_rows;
use crate::journal::Journal;
use crate::part_writer::{PartWriter, part_name};
use crate::staging::Staging;
use crate::{
    ColumnBuilder, Counts, Dataset, DatasetError, InputFile, LabelPolicy, MANIFEST_NAME, Manifest, Part, Producer,
    SeedRow, hexadecimal, schema,
};
use arrow_array::RecordBatch;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::path::Path;

/// Rows pushed one by one that are collected before they are handed to the Parquet encoder.
const BATCH_ROWS: usize = 1 << 13;

/// How a data set is written.
#[derive(Debug, Clone, Copy)]
pub struct WriterOptions {
    /// Rows of a part, at least 1. Without batches only the last part may have fewer, see
    /// [`DatasetWriter::end_batch`].
    pub part_rows: u64,
    /// Replace a finished data set in the same folder, and unfinished work of another plan.
    pub overwrite: bool,
    /// The aligner's reporting threshold T.
    pub reporting_threshold: i32,
}

impl Default for WriterOptions {
    /// Parts of 2^20 rows, no overwriting, T = 30.
    fn default() -> Self {
        Self { part_rows: 1 << 20, overwrite: false, reporting_threshold: 30 }
    }
}

/// Writes a data set. Nothing is visible in its final place before [`DatasetWriter::finish`]; a writer that is dropped
/// earlier removes what it wrote, and a data set that it was to replace stays as it was.
///
/// A writer with a plan ([`DatasetWriter::start`]) keeps a journal: the process may be killed at any point, and the next
/// one with the same plan goes on behind the last batch that was complete. What it wrote stays, too, where writing fails
/// (a full disk).
pub struct DatasetWriter {
    staging: Staging,
    options: WriterOptions,
    plan: Option<Map<String, Value>>,
    columns: ColumnBuilder,
    part: Option<PartWriter>,
    parts: Vec<Part>,
    counts: Counts,
    /// State and number of seeds behind the last batch.
    batch: Option<(Value, u64)>,
}

/// Where a writer with a plan starts.
pub enum Start {
    /// From the beginning, or behind a batch with the state that [`DatasetWriter::end_batch`] was given.
    Write(Box<DatasetWriter>, Option<Value>),
    /// Nowhere: the folder holds the finished data set of the same plan.
    Finished(Box<Manifest>),
}

impl DatasetWriter {
    /// Prepares `directory`, making it and its parents where needed, for work that is done in one go.
    ///
    /// # Errors
    /// [`DatasetError::Occupied`] when it holds a finished data set and `options.overwrite` is off,
    /// [`DatasetError::OtherWork`] when it holds an unfinished one, [`DatasetError::Busy`] when another process writes
    /// there, [`DatasetError::Io`] when it cannot be written to.
    pub fn create(directory: &Path, options: WriterOptions) -> Result<Self, DatasetError> {
        Ok(Self::new(fresh_staging(directory, options.overwrite)?, options))
    }

    /// The same for work that `plan` describes in full, and that goes on where an earlier process with the same plan
    /// was ended. Where that had come to its end, and nothing is to be overwritten, there is nothing to do.
    ///
    /// # Errors
    /// Those of [`DatasetWriter::create`], but [`DatasetError::OtherWork`] only when the plans differ, or the earlier
    /// process's parts are not what it wrote; those of [`Dataset::open`] where the finished data set of the same plan is not
    /// whole. With `options.overwrite` such work is removed.
    pub fn start(directory: &Path, options: WriterOptions, plan: Map<String, Value>) -> Result<Start, DatasetError> {
        if !Staging::is_left_in(directory) {
            if !options.overwrite
                && let Some(manifest) = finished(directory, &plan)?
            {
                return Ok(Start::Finished(Box::new(manifest)));
            }
            let mut writer = Self::create(directory, options)?;
            writer.plan = Some(plan);
            return Ok(Start::Write(Box::new(writer), None));
        }
        let mut staging = Staging::open(directory)?;
        // Whatever is refused now is somebody's work of hours.
        staging.keep();
        let left = Journal::read(&staging.journal_path()).and_then(|journal| match journal {
            Some(journal) => match journal.differences(&plan).as_slice() {
                [] => Ok(Some(journal)),
                differences => Err(Journal::refusal(directory, differences)),
            },
            None => Ok(None),
        });
        let finished = directory.join(MANIFEST_NAME).exists();
        let journal = match left {
            Ok(Some(journal)) if finished => {
                let manifest = Manifest::read(directory)?;
                if manifest.parts == journal.parts {
                    staging.end();
                    return Ok(Start::Finished(Box::new(manifest)));
                }
                Some(journal)
            }
            Ok(journal) => journal,
            Err(refusal) if !options.overwrite => return Err(refusal),
            Err(_) => None,
        };
        if finished && !options.overwrite {
            return Err(DatasetError::Occupied { path: directory.into() });
        }
        let journal = match journal {
            Some(journal) => match staging.restore(&journal.parts) {
                Ok(()) => Some(journal),
                Err(refusal) if !options.overwrite => return Err(refusal),
                Err(_) => None,
            },
            None => None,
        };
        if journal.is_none() {
            staging.clear()?;
        }
        staging.discard();
        let mut writer = Self { plan: Some(plan), ..Self::new(staging, options) };
        let state = journal.map(|journal| {
            writer.parts = journal.parts;
            writer.counts = journal.counts;
            writer.batch = Some((journal.state.clone(), journal.counts.seeds));
            journal.state
        });
        Ok(Start::Write(Box::new(writer), state))
    }

    fn new(staging: Staging, options: WriterOptions) -> Self {
        Self {
            staging,
            options: WriterOptions { part_rows: options.part_rows.max(1), ..options },
            plan: None,
            columns: ColumnBuilder::default(),
            part: None,
            parts: Vec::new(),
            counts: Counts::default(),
            batch: None,
        }
    }

    /// Adds to the number of reads that were aligned, with or without seeds.
    pub fn count_reads(&mut self, reads: u64) {
        self.counts.reads += reads;
    }

    /// The totals so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Appends one row.
    ///
    /// # Errors
    /// [`DatasetError::Io`] or [`DatasetError::Parquet`] when a part cannot be written.
    pub fn push(&mut self, row: &SeedRow<'_>) -> Result<(), DatasetError> {
        self.columns.push(row);
        self.counts.seeds += 1;
        *self.counts.roles.of_mut(row.role) += 1;
        let threshold = self.options.reporting_threshold;
        let viable =
            LabelPolicy::OwnExtension.viable(threshold, row.own_score, row.read_best, row.region_score, row.role);
        self.counts.viable += u64::from(viable);
        let in_part = self.rows_in_part();
        if self.columns.len() == BATCH_ROWS || in_part == self.options.part_rows {
            let mut written = self.write_batch();
            if written.is_ok() && in_part == self.options.part_rows {
                written = self.close_part();
            }
            self.keep_after_failure(written)?;
        }
        Ok(())
    }

    /// Appends rows that are a record batch already, as [`ColumnBuilder::finish`] gives it.
    ///
    /// # Errors
    /// As [`DatasetWriter::push`].
    pub fn append(&mut self, batch: &RecordBatch) -> Result<(), DatasetError> {
        let mut written = self.write_batch();
        let mut start = 0;
        while start < batch.num_rows() && written.is_ok() {
            let room = usize::try_from(self.options.part_rows - self.rows_in_part()).unwrap_or(usize::MAX);
            let rows = batch.slice(start, room.min(batch.num_rows() - start));
            start += rows.num_rows();
            count_rows(&rows, self.options.reporting_threshold, &mut self.counts);
            written = self.part().and_then(|part| part.write(&rows));
            if written.is_ok() && self.rows_in_part() == self.options.part_rows {
                written = self.close_part();
            }
        }
        self.keep_after_failure(written)
    }

    /// Says that the rows so far, and the reads counted, are those of whole batches, behind which a process with the
    /// same plan can go on with `state`. Where the open part has at least half of its rows it is closed, and the journal
    /// written.
    ///
    /// # Errors
    /// As [`DatasetWriter::push`].
    pub fn end_batch(&mut self, state: Value) -> Result<(), DatasetError> {
        self.batch = Some((state, self.counts.seeds));
        let in_part = self.rows_in_part();
        if in_part == 0 || 2 * in_part >= self.options.part_rows {
            let committed = self.commit();
            self.keep_after_failure(committed)?;
        }
        Ok(())
    }

    fn rows_in_part(&self) -> u64 {
        self.part.as_ref().map_or(0, PartWriter::rows) + self.columns.len() as u64
    }

    /// Completes the open part and, for work with a plan, writes the journal.
    fn commit(&mut self) -> Result<(), DatasetError> {
        self.write_batch()?;
        self.close_part()?;
        if let Some(plan) = &self.plan {
            let (state, seeds) = self.batch.as_ref().expect("rows of work with a plan are parts of batches");
            assert_eq!(*seeds, self.counts.seeds, "every row is part of a batch that has ended");
            Journal::new(plan.clone(), self.counts, self.parts.clone(), state.clone())
                .write(&self.staging.journal_path())?;
        }
        Ok(())
    }

    /// What is complete is worth keeping where the disk was full, and worth nothing where the input is bad.
    fn keep_after_failure<T>(&mut self, result: Result<T, DatasetError>) -> Result<T, DatasetError> {
        if result.is_err() && self.staging.journal_path().exists() {
            self.staging.keep();
        }
        result
    }

    fn write_batch(&mut self) -> Result<(), DatasetError> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let batch = self.columns.finish();
        let part = self.part()?;
        let batch = batch.map_err(|error| part.error(error.into()))?;
        part.write(&batch)
    }

    /// The open part; a new one where none is.
    fn part(&mut self) -> Result<&mut PartWriter, DatasetError> {
        match &mut self.part {
            Some(part) => Ok(part),
            none => {
                let file = part_name("", self.parts.len());
                Ok(none.insert(PartWriter::create(self.staging.part_path(&file), file, schema())?))
            }
        }
    }

    fn close_part(&mut self) -> Result<(), DatasetError> {
        let Some(part) = self.part.take() else { return Ok(()) };
        self.parts.push(part.close()?);
        Ok(())
    }

    /// Completes the data set: the last part, then the renames into place, then `dataset.json`. Returns its content.
    ///
    /// `settings` are the aligner's and the extraction's; `producer` names the program.
    ///
    /// # Errors
    /// [`DatasetError::Io`] or [`DatasetError::Parquet`] when a file cannot be written or renamed.
    pub fn finish(
        mut self,
        producer: Producer,
        settings: Map<String, Value>,
        inputs: Vec<InputFile>,
    ) -> Result<Manifest, DatasetError> {
        let committed = self.commit();
        self.keep_after_failure(committed)?;
        let threshold = self.options.reporting_threshold;
        let parts = std::mem::take(&mut self.parts);
        let mut manifest = Manifest::new(producer, threshold, settings, inputs, self.counts, parts);
        manifest.plan_sha256 = self.plan.as_ref().map(plan_sha256);
        let published = self.staging.publish(&manifest);
        self.keep_after_failure(published)?;
        Ok(manifest)
    }
}

/// The data set of this plan, if `directory` holds it.
fn finished(directory: &Path, plan: &Map<String, Value>) -> Result<Option<Manifest>, DatasetError> {
    // What cannot be read is no data set of this program's, which is for the caller to say.
    let manifest = Manifest::read(directory).ok();
    if manifest.and_then(|manifest| manifest.plan_sha256) != Some(plan_sha256(plan)) {
        return Ok(None);
    }
    Dataset::open(directory).map(|dataset| Some(dataset.manifest().clone()))
}

fn plan_sha256(plan: &Map<String, Value>) -> String {
    hexadecimal(&Sha256::digest(Value::from(plan.clone()).to_string()))
}

/// A staging folder for work that is done in one go.
///
/// # Errors
/// Those of [`DatasetWriter::create`].
pub(crate) fn fresh_staging(directory: &Path, overwrite: bool) -> Result<Staging, DatasetError> {
    if !overwrite {
        if directory.join(MANIFEST_NAME).exists() {
            return Err(DatasetError::Occupied { path: directory.into() });
        }
        if Staging::is_left_in(directory) {
            return Err(Journal::refusal(directory, &["the work there goes on with its own command only".into()]));
        }
    }
    let staging = Staging::open(directory)?;
    staging.clear()?;
    Ok(staging)
}
