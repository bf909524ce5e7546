use super::writer::{DerivedWriter, identity, labels};
use crate::{
    Dataset, DatasetError, Derivation, DeriveOptions, LABEL_COLUMN, LABEL_COMMAND, LabelPolicy, Manifest, schema,
};
use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::{DataType, Field, FieldRef, Schema};
use serde_json::{Map, json};
use std::path::Path;
use std::sync::Arc;

/// Seeds by a policy's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LabelCounts {
    /// Viable seeds.
    pub viable: u64,
    /// Hopeless ones.
    pub hopeless: u64,
    /// Seeds of which the data set cannot tell, see [`crate::OwnExtensions`].
    pub unknown: u64,
}

impl LabelCounts {
    fn add(&mut self, viable: Option<bool>) {
        *match viable {
            Some(true) => &mut self.viable,
            Some(false) => &mut self.hopeless,
            None => &mut self.unknown,
        } += 1;
    }
}

/// Counts the seeds of a data set by the verdict of `policy`.
///
/// # Errors
/// Those of [`Dataset::part_batches`].
pub fn label_counts(dataset: &Dataset, policy: LabelPolicy) -> Result<LabelCounts, DatasetError> {
    let mut counts = LabelCounts::default();
    for batch in dataset.batches() {
        labels(&batch?, policy, dataset.manifest()).for_each(|viable| counts.add(viable));
    }
    Ok(counts)
}

/// Writes the data set once more in `output`, with the verdict of `policy` in the column [`LABEL_COLUMN`], null where
/// the data set cannot tell. One that it has from another policy is replaced.
///
/// # Errors
/// Those of [`Dataset::verify_checksums`], [`Dataset::part_batches`] and [`crate::DatasetWriter::create`].
pub fn label(
    dataset: &Dataset,
    policy: LabelPolicy,
    output: &Path,
    options: &DeriveOptions,
) -> Result<(Manifest, LabelCounts), DatasetError> {
    dataset.verify_checksums()?;
    let threshold = dataset.manifest().reporting_threshold;
    let mut fields: Vec<FieldRef> = schema().fields().iter().cloned().collect();
    let facts = fields.len();
    fields.push(Arc::new(Field::new(LABEL_COLUMN, DataType::Boolean, true)));
    let labelled = Arc::new(Schema::new(fields));
    let mut writer = DerivedWriter::create(output, options, threshold, labelled.clone())?;
    let mut counts = LabelCounts::default();
    for part in &dataset.manifest().parts {
        let partition = part.partition();
        for batch in dataset.part_batches(part)? {
            let batch = batch?;
            let labels: Vec<Option<bool>> = labels(&batch, policy, dataset.manifest()).collect();
            labels.iter().for_each(|&viable| counts.add(viable));
            let mut columns = batch.columns()[..facts].to_vec();
            columns.push(Arc::new(BooleanArray::from(labels)));
            let batch = RecordBatch::try_new(labelled.clone(), columns).map_err(|error| DatasetError::Parquet {
                path: dataset.part_path(part),
                row: 0,
                reason: error.into(),
            })?;
            writer.write(partition, &batch)?;
        }
    }
    let settings =
        Map::from_iter([("policy".to_owned(), json!(policy.name())), ("threshold".to_owned(), json!(threshold))]);
    let step = Derivation { command: LABEL_COMMAND.into(), from: vec![identity(dataset)?], settings };
    let reads = dataset.manifest().counts.reads;
    let manifest = writer.finish(dataset.manifest().clone(), options.producer.clone(), step, reads)?;
    Ok((manifest, counts))
}
