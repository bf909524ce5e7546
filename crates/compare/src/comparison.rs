use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::change::{Change, ChangeCounts};
use crate::counter::Counter;
use crate::differences::{
    CigarCounts, Example, FieldDifferences, FlagCounts, KindCounts, MappabilityCounts, MappingQualityShift, ScoreCounts,
};
use crate::error::CompareError;
use crate::input::AlignmentInput;
use crate::shown::shown;
use crate::templates::{Template, Templates};
use crate::truth::{Accuracy, Truth, TruthChanges, TruthCounts, TruthSource};

/// How to compare.
#[derive(Clone, Debug)]
pub struct CompareOptions {
    /// Name of the first file in tables and legends.
    pub label_a: String,
    /// Name of the second file.
    pub label_b: String,
    /// Where the true places of simulated reads stand.
    pub truth: TruthSource,
    /// FASTA with which CRAM is decoded.
    pub reference: Option<PathBuf>,
    /// Reads that are named for each change, at the most.
    pub examples: usize,
}

impl Default for CompareOptions {
    fn default() -> Self {
        let (label_a, label_b) = ("A".to_owned(), "B".to_owned());
        Self { label_a, label_b, truth: TruthSource::Unknown, reference: None, examples: 5 }
    }
}

/// What two alignments of the same reads have in common, and what not. A read is one mate, or an unpaired read, and
/// stands for its primary record.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// `compare`: tells this JSON from that of other commands.
    pub command: &'static str,
    /// Version of this program.
    pub version: &'static str,
    /// First file.
    pub a: FileCounts,
    /// Second file.
    pub b: FileCounts,
    /// Reads compared.
    pub reads: u64,
    /// Reads by what became of them, one entry for each bin of mapping quality in the first file, ascending.
    pub changes: Vec<ChangeCounts>,
    /// Reads mapped in the second file only, by their mapping quality there; same order of bins.
    pub gained_by_mapq_of_b: Vec<u64>,
    /// Reads mapped in both files whose mapping quality rose by more than 5.
    pub mapq_raised: u64,
    /// The same, fell.
    pub mapq_lowered: u64,
    /// Records by what became of them, one entry for each kind of record by FLAG.
    pub by_kind: Vec<KindCounts>,
    /// Reads by what became of them, one entry for each class of mappability.
    pub by_mappability: Vec<MappabilityCounts>,
    /// Bits of FLAG of the primary records.
    pub flags: Vec<FlagCounts>,
    /// CIGARs of the reads that both files map to about the same place.
    pub cigars: CigarCounts,
    /// Reads that were realigned or moved, by which file scores them higher.
    pub scores: Vec<ScoreCounts>,
    /// Fields and tags of the reads whose place is the same.
    pub same_place: FieldDifferences,
    /// Mapping qualities in both files.
    pub mapq_shift: MappingQualityShift,
    /// Reads of the reference by whether they lie right in either file; none without the truth.
    pub truth_changes: Option<TruthChanges>,
    /// The first reads of each change but identical.
    pub examples: Vec<Example>,
}

/// What one file holds.
#[derive(Clone, Debug, Serialize)]
pub struct FileCounts {
    /// Name of the file without its folder.
    pub file: String,
    /// Its name in tables and legends.
    pub label: String,
    /// Mapped reads.
    pub mapped: u64,
    /// Reads in proper pairs (flag 0x2 of the primary record).
    pub proper_pairs: u64,
    /// Reads that have a mate (flag 0x1).
    pub paired: u64,
    /// Share of the paired reads that are in proper pairs; none without paired reads.
    pub proper_pair_rate: Option<f64>,
    /// Secondary records.
    pub secondary: u64,
    /// Supplementary records.
    pub supplementary: u64,
    /// Reads by whether they lie right, one entry for each bin of mapping quality in this file; none without the truth.
    pub truth: Option<Vec<TruthCounts>>,
    /// Precision and recall by mapping quality; none without the truth.
    pub accuracy: Option<Accuracy>,
}

impl Comparison {
    /// Reads that changed in this way, over all mapping qualities.
    pub fn total(&self, change: Change) -> u64 {
        self.changes.iter().map(|counts| counts.count(change)).sum()
    }
}

impl FileCounts {
    pub(crate) fn new(path: &Path, label: &str) -> Self {
        Self {
            file: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
            label: label.to_owned(),
            mapped: 0,
            proper_pairs: 0,
            paired: 0,
            proper_pair_rate: None,
            secondary: 0,
            supplementary: 0,
            truth: None,
            accuracy: None,
        }
    }
}

/// Compares two files of SAM (plain, gzip or BGZF), BAM or CRAM that hold the same reads in the same order, records of a
/// read together: as an aligner writes them. `-` is standard input, which one of them may be.
///
/// ```
/// use seedsieve_compare::{Change, CompareOptions, compare};
///
/// let folder = tempfile::tempdir()?;
/// let (a, b) = (folder.path().join("a.sam"), folder.path().join("b.sam"));
/// std::fs::write(&a, "r\t0\tchr1\t7\t60\t4M\t*\t0\t0\tACGT\tIIII\n")?;
/// std::fs::write(&b, "r\t0\tchr2\t9\t3\t4M\t*\t0\t0\tACGT\tIIII\n")?;
/// let comparison = compare(&a, &b, &CompareOptions::default())?;
/// assert_eq!((comparison.reads, comparison.total(Change::Moved)), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CompareError`] for files that cannot be read, are truncated or malformed, do not hold the same reads, were aligned to
/// different references, or whose reads have no true place where it was asked for.
pub fn compare(path_a: &Path, path_b: &Path, options: &CompareOptions) -> Result<Comparison, CompareError> {
    if path_a == path_b && path_a.as_os_str() == "-" {
        return Err(CompareError::BothStandardInput);
    }
    let open = |path| AlignmentInput::open(path, options.reference.as_deref());
    compare_inputs(open(path_a)?, open(path_b)?, options)
}

/// As [`compare`], of inputs that are open.
///
/// # Errors
/// As [`compare`].
pub fn compare_inputs(
    a: AlignmentInput,
    b: AlignmentInput,
    options: &CompareOptions,
) -> Result<Comparison, CompareError> {
    let (mut a, mut b) = (Templates::new(a)?, Templates::new(b)?);
    same_references(&a, &b)?;
    let contigs = if a.contigs().is_empty() { b.contigs() } else { a.contigs() };
    let mut truth = Truth::open(&options.truth, contigs)?;
    let mut counter = Counter::new(a.path(), b.path(), options);
    loop {
        let (mut of_a, mut of_b) = match (a.next_template()?, b.next_template()?) {
            (None, None) => return Ok(counter.finish()),
            (Some(of_a), Some(of_b)) if same_reads(&of_a, &of_b) => (of_a, of_b),
            (of_a, of_b) => {
                let place = |template: Option<Template>| {
                    template.map_or_else(|| "ended".to_owned(), |template| template.place_and_mates())
                };
                return Err(CompareError::DifferentReads {
                    a_path: a.path().to_owned(),
                    a: place(of_a),
                    b_path: b.path().to_owned(),
                    b: place(of_b),
                });
            }
        };
        for (of_a, of_b) in of_a.primaries.iter().flatten().zip(of_b.primaries.iter().flatten()) {
            let place = truth.as_mut().map(|truth| truth.place_of(a.path(), of_a, of_b)).transpose()?;
            counter.add(of_a, of_b, place.as_ref());
        }
        counter.add_further(&mut of_a, &mut of_b);
    }
}

/// The same name and the same mates.
fn same_reads(a: &Template, b: &Template) -> bool {
    let mates = |template: &Template| template.primaries.each_ref().map(Option::is_some);
    a.name == b.name && mates(a) == mates(b)
}

/// Compares headers, where both files have one.
fn same_references(a: &Templates, b: &Templates) -> Result<(), CompareError> {
    let (of_a, of_b) = (a.contigs(), b.contigs());
    if of_a == of_b || of_a.is_empty() || of_b.is_empty() {
        return Ok(());
    }
    let index = of_a.iter().zip(of_b).take_while(|(a, b)| a == b).count();
    let describe = |templates: &Templates| {
        let contig = templates.contigs().get(index);
        let contig = contig.map_or_else(
            || "nothing".to_owned(),
            |(name, length)| format!("{} ({} bases)", shown(name.as_bytes()), shown(length.as_bytes())),
        );
        format!("{} has {contig}", templates.path().display())
    };
    let difference = format!("as contig {} {}, {}", index + 1, describe(a), describe(b));
    Err(CompareError::DifferentReferences { difference })
}
