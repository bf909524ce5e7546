use std::path::Path;

use seedsieve_simulate::ReadName;
use serde::Serialize;

use crate::bins::MappingQualityBin;
use crate::change::{Change, ChangeCounts};
use crate::error::CompareError;
use crate::record::AlignmentRecord;
use crate::templates::{Template, Templates};
use crate::truth::TruthCounts;

/// A change of mapping quality of more than this is counted.
const MAPQ_STEP: u8 = 5;

/// How to compare.
#[derive(Clone, Debug, Default)]
pub struct CompareOptions {
    /// Name of the first file in tables and legends.
    pub label_a: String,
    /// Name of the second file.
    pub label_b: String,
    /// The reads are simulated and their names tell their true positions ([`seedsieve_simulate::ReadName`]).
    pub truth_in_names: bool,
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
    /// Secondary records.
    pub secondary: u64,
    /// Supplementary records.
    pub supplementary: u64,
    /// Reads by whether they lie right, one entry for each bin of mapping quality in this file; none without the truth.
    pub truth: Option<Vec<TruthCounts>>,
}

impl Comparison {
    /// Reads that changed in this way, over all mapping qualities.
    pub fn total(&self, change: Change) -> u64 {
        self.changes.iter().map(|counts| counts.count(change)).sum()
    }

    fn add(&mut self, a: &AlignmentRecord, b: &AlignmentRecord) {
        let change = Change::between(a, b);
        self.reads += 1;
        self.changes[bin_of(a) as usize].add(change);
        if change == Change::Gained {
            self.gained_by_mapq_of_b[bin_of(b) as usize] += 1;
        }
        if a.is_mapped() && b.is_mapped() {
            self.mapq_raised += u64::from(b.mapping_quality > a.mapping_quality.saturating_add(MAPQ_STEP));
            self.mapq_lowered += u64::from(a.mapping_quality > b.mapping_quality.saturating_add(MAPQ_STEP));
        }
    }
}

impl FileCounts {
    fn new(path: &Path, label: &str, truth: bool) -> Self {
        Self {
            file: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
            label: label.to_owned(),
            mapped: 0,
            proper_pairs: 0,
            secondary: 0,
            supplementary: 0,
            truth: truth.then(|| MappingQualityBin::ALL.map(TruthCounts::new).to_vec()),
        }
    }

    fn add(&mut self, record: &AlignmentRecord, name: Option<&ReadName>) {
        self.mapped += u64::from(record.is_mapped());
        self.proper_pairs += u64::from(record.is_proper_pair());
        if let (Some(truth), Some(name)) = (&mut self.truth, name) {
            truth[bin_of(record) as usize].add(record, name);
        }
    }
}

fn bin_of(record: &AlignmentRecord) -> MappingQualityBin {
    if record.is_mapped() { MappingQualityBin::of(record.mapping_quality) } else { MappingQualityBin::Unmapped }
}

/// Compares two files of SAM (plain or gzip) or BAM that hold the same reads in the same order, records of a read
/// together: as an aligner writes them.
///
/// # Errors
/// [`CompareError`] for files that cannot be read, are truncated or malformed, do not hold the same reads, were aligned to
/// different references, or whose names tell no truth where it was asked for.
pub fn compare(path_a: &Path, path_b: &Path, options: &CompareOptions) -> Result<Comparison, CompareError> {
    let (mut a, mut b) = (Templates::open(path_a)?, Templates::open(path_b)?);
    same_references(&a, &b)?;
    let mut comparison = Comparison {
        command: "compare",
        version: env!("CARGO_PKG_VERSION"),
        a: FileCounts::new(path_a, &options.label_a, options.truth_in_names),
        b: FileCounts::new(path_b, &options.label_b, options.truth_in_names),
        reads: 0,
        changes: MappingQualityBin::ALL.map(ChangeCounts::new).to_vec(),
        gained_by_mapq_of_b: vec![0; MappingQualityBin::ALL.len()],
        mapq_raised: 0,
        mapq_lowered: 0,
    };
    loop {
        let (of_a, of_b) = match (a.next_template()?, b.next_template()?) {
            (None, None) => return Ok(comparison),
            (Some(of_a), Some(of_b)) if same_reads(&of_a, &of_b) => (of_a, of_b),
            (of_a, of_b) => {
                let place = |template: Option<Template>| {
                    template.map_or_else(|| "ended".to_owned(), |template| template.place_and_mates())
                };
                return Err(CompareError::DifferentReads {
                    a_path: path_a.to_owned(),
                    a: place(of_a),
                    b_path: path_b.to_owned(),
                    b: place(of_b),
                });
            }
        };
        let name = options.truth_in_names.then(|| true_origin(path_a, &of_a)).transpose()?;
        for (counts, template) in [(&mut comparison.a, &of_a), (&mut comparison.b, &of_b)] {
            counts.secondary += template.secondary;
            counts.supplementary += template.supplementary;
            for record in template.primaries.iter().flatten() {
                counts.add(record, name.as_ref());
            }
        }
        for (of_a, of_b) in of_a.primaries.iter().flatten().zip(of_b.primaries.iter().flatten()) {
            comparison.add(of_a, of_b);
        }
    }
}

fn true_origin(path: &Path, template: &Template) -> Result<ReadName, CompareError> {
    ReadName::parse(&template.name).ok_or_else(|| CompareError::NoTruth {
        path: path.to_owned(),
        record: template.first_record,
        name: template.name.clone(),
    })
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
        let contig = contig.map_or_else(|| "nothing".to_owned(), |(name, length)| format!("{name} ({length} bases)"));
        format!("{} has {contig}", templates.path().display())
    };
    let difference = format!("as contig {} {}, {}", index + 1, describe(a), describe(b));
    Err(CompareError::DifferentReferences { difference })
}
