use super::split::{by_sample, partition_of_sample};
use super::writer::{DerivedWriter, identity};
use crate::{Dataset, DatasetError, Derivation, DeriveOptions, Manifest};
use arrow_select::filter::filter_record_batch;
use serde_json::Map;
use std::collections::HashMap;
use std::path::Path;

/// Writes the rows of all data sets, one after the other, to a new one in `output`: to one folder, or each sample's to a
/// partition `sample=SAMPLE`.
///
/// # Errors
/// [`DatasetError::Merge`] when there are fewer than two (to divide by sample: none), when settings or columns differ, when two hold reads of the
/// same file, or when one is divided already; those of [`Dataset::verify_checksums`], [`Dataset::part_batches`] and
/// [`crate::DatasetWriter::create`].
pub fn merge(
    datasets: &[Dataset],
    each_sample_apart: bool,
    output: &Path,
    options: &DeriveOptions,
) -> Result<Manifest, DatasetError> {
    let [first, others @ ..] = datasets else { return Err(refusal(output, "there is no data set to merge".into())) };
    if others.is_empty() && !each_sample_apart {
        return Err(refusal(&first.manifest_path(), "there is no second data set to merge it with".into()));
    }
    others.iter().try_for_each(|other| check_alike(first, other))?;
    check_no_reads_twice(datasets)?;
    for dataset in datasets {
        if let Some(part) = dataset.manifest().parts.iter().find(|part| !part.partition().is_empty()) {
            let problem = format!("it is divided already ({}); merge first, then split", part.file);
            return Err(refusal(&dataset.manifest_path(), problem));
        }
        dataset.verify_checksums()?;
    }
    let mut template = first.manifest().clone();
    template.derived.clear();
    let mut writer = DerivedWriter::create(output, options, template.reporting_threshold, first.schema())?;
    let mut reads = 0;
    for dataset in datasets {
        for batch in dataset.batches() {
            let batch = batch?;
            if each_sample_apart {
                for (sample, rows) in by_sample(&batch) {
                    let of_sample = filter_record_batch(&batch, &rows)
                        .map_err(|error| refusal(&dataset.manifest_path(), error.to_string()))?;
                    writer.write(&partition_of_sample(sample), &of_sample)?;
                }
            } else {
                writer.write("", &batch)?;
            }
        }
        reads += dataset.manifest().counts.reads;
        for step in &dataset.manifest().derived {
            if !template.derived.contains(step) {
                template.derived.push(step.clone());
            }
        }
        for input in &dataset.manifest().inputs {
            if !template.inputs.contains(input) {
                template.inputs.push(input.clone());
            }
        }
    }
    let from = datasets.iter().map(identity).collect::<Result<_, _>>()?;
    let mut settings = Map::new();
    if each_sample_apart {
        settings.insert("by_sample".to_owned(), true.into());
    }
    let step = Derivation { command: "merge".into(), from, settings };
    writer.finish(template, options.producer.clone(), step, reads)
}

fn check_alike(first: &Dataset, other: &Dataset) -> Result<(), DatasetError> {
    let (of_first, of_other) = (first.manifest(), other.manifest());
    let mut problems = Vec::new();
    if of_first.reporting_threshold != of_other.reporting_threshold {
        problems.push(format!("T is {} and {}", of_first.reporting_threshold, of_other.reporting_threshold));
    }
    let keys =
        of_first.settings.keys().chain(of_other.settings.keys().filter(|key| !of_first.settings.contains_key(*key)));
    // How reads were chosen, or waited for their mates, does not decide what a row means.
    let means_nothing = ["read_pairs", "sampling_seed", "waiting_mates", "regions"];
    for key in keys.filter(|key| !means_nothing.contains(&key.as_str())) {
        let shown = |manifest: &Manifest| manifest.settings.get(key).map_or("absent".to_owned(), ToString::to_string);
        if shown(of_first) != shown(of_other) {
            problems.push(format!("{key} is {} and {}", shown(of_first), shown(of_other)));
        }
    }
    if first.extra_columns() != other.extra_columns() {
        problems.push("only one of them is labelled".into());
    }
    if problems.is_empty() {
        return Ok(());
    }
    let with = first.manifest_path();
    Err(refusal(&other.manifest_path(), format!("against {}: {}", with.display(), problems.join(", "))))
}

fn check_no_reads_twice(datasets: &[Dataset]) -> Result<(), DatasetError> {
    let mut seen: HashMap<&str, &Dataset> = HashMap::new();
    for dataset in datasets {
        let reads = dataset.manifest().inputs.iter().filter(|input| input.kind == "reads");
        for input in reads {
            match seen.insert(&input.sha256, dataset) {
                Some(other) if !std::ptr::eq(other, dataset) => {
                    let other = other.manifest_path();
                    let problem = format!("holds reads of {}, which are in {}, too", input.name, other.display());
                    return Err(refusal(&dataset.manifest_path(), problem));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn refusal(path: &Path, problem: String) -> DatasetError {
    DatasetError::Merge { path: path.into(), problem }
}
