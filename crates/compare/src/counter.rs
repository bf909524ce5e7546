//! The counts of a comparison as they grow.

use std::path::Path;

use crate::bins::MappingQualityBin;
use crate::change::{Change, ChangeCounts};
use crate::comparison::{CompareOptions, Comparison, FileCounts};
use crate::differences::{
    CigarCounts, Examples, FieldCounter, FlagCounts, KindCounts, Mappability, MappabilityCounts, RecordKind,
    ScoreCounts, ShiftCounter, compare_further_records,
};
use crate::record::AlignmentRecord;
use crate::templates::Template;
use crate::truth::{AccuracyCounter, TruePlace, TruthChanges, TruthCounts, TruthSource};

/// A change of mapping quality of more than this is counted.
const MAPQ_STEP: u8 = 5;

pub(crate) struct Counter {
    files: [FileCounts; 2],
    truth: Option<TruthCounter>,
    reads: u64,
    changes: Vec<ChangeCounts>,
    gained_by_mapq_of_b: Vec<u64>,
    mapq_raised: u64,
    mapq_lowered: u64,
    by_kind: Vec<KindCounts>,
    by_mappability: Vec<MappabilityCounts>,
    flags: Vec<FlagCounts>,
    cigars: CigarCounts,
    scores: Vec<ScoreCounts>,
    fields: FieldCounter,
    shift: ShiftCounter,
    examples: Examples,
}

/// Which reads lie right, in both files.
struct TruthCounter {
    bins: [Vec<TruthCounts>; 2],
    accuracy: [AccuracyCounter; 2],
    changes: TruthChanges,
}

impl Counter {
    pub(crate) fn new(path_a: &Path, path_b: &Path, options: &CompareOptions) -> Self {
        let truth = || TruthCounter {
            bins: [(); 2].map(|()| MappingQualityBin::ALL.map(TruthCounts::new).to_vec()),
            accuracy: [(); 2].map(|()| AccuracyCounter::new()),
            changes: TruthChanges::default(),
        };
        Self {
            files: [FileCounts::new(path_a, &options.label_a), FileCounts::new(path_b, &options.label_b)],
            truth: (options.truth != TruthSource::Unknown).then(truth),
            reads: 0,
            changes: MappingQualityBin::ALL.map(ChangeCounts::new).to_vec(),
            gained_by_mapq_of_b: vec![0; MappingQualityBin::ALL.len()],
            mapq_raised: 0,
            mapq_lowered: 0,
            by_kind: KindCounts::all(),
            by_mappability: MappabilityCounts::all(),
            flags: FlagCounts::all(),
            cigars: CigarCounts::default(),
            scores: ScoreCounts::all(),
            fields: FieldCounter::default(),
            shift: ShiftCounter::new(),
            examples: Examples::new(options.examples),
        }
    }

    /// Adds a read: its primary record in both files, and where it comes from.
    pub(crate) fn add(&mut self, a: &AlignmentRecord, b: &AlignmentRecord, place: Option<&TruePlace>) {
        let change = Change::between(a, b);
        self.reads += 1;
        self.changes[MappingQualityBin::of_record(a) as usize].tally.add(change);
        if change == Change::Gained {
            self.gained_by_mapq_of_b[MappingQualityBin::of_record(b) as usize] += 1;
        }
        if a.is_mapped() && b.is_mapped() {
            self.mapq_raised += u64::from(b.mapping_quality > a.mapping_quality.saturating_add(MAPQ_STEP));
            self.mapq_lowered += u64::from(a.mapping_quality > b.mapping_quality.saturating_add(MAPQ_STEP));
        }
        self.by_kind[RecordKind::of_primary(a) as usize].tally.add(change);
        self.by_mappability[Mappability::of(a, b) as usize].tally.add(change);
        self.flags.iter_mut().for_each(|counts| counts.add(a, b));
        self.cigars.add(a, b, change);
        self.scores.iter_mut().for_each(|counts| counts.add(a, b, change));
        match change {
            Change::Identical => self.fields.add_identical(),
            Change::PlaceKept => self.fields.add(a, b),
            _ => {}
        }
        self.shift.add(a, b);
        self.examples.add(a, b, change);
        for (counts, record) in self.files.iter_mut().zip([a, b]) {
            counts.mapped += u64::from(record.is_mapped());
            counts.paired += u64::from(record.is_paired());
            counts.proper_pairs += u64::from(record.is_proper_pair());
        }
        if let (Some(truth), Some(place)) = (&mut self.truth, place) {
            truth.add([a, b], place);
        }
    }

    /// Adds the other records of the reads of one name.
    pub(crate) fn add_further(&mut self, a: &mut Template, b: &mut Template) {
        for (counts, template) in self.files.iter_mut().zip([&*a, &*b]) {
            counts.secondary += template.secondary.len() as u64;
            counts.supplementary += template.supplementary.len() as u64;
        }
        let secondary = &mut self.by_kind[RecordKind::Secondary as usize].tally;
        compare_further_records(&mut a.secondary, &mut b.secondary, secondary);
        let supplementary = &mut self.by_kind[RecordKind::Supplementary as usize].tally;
        compare_further_records(&mut a.supplementary, &mut b.supplementary, supplementary);
    }

    pub(crate) fn finish(self) -> Comparison {
        let [mut a, mut b] = self.files;
        for counts in [&mut a, &mut b] {
            counts.proper_pair_rate = (counts.paired > 0).then(|| counts.proper_pairs as f64 / counts.paired as f64);
        }
        let mut truth_changes = None;
        if let Some(TruthCounter { bins: [bins_a, bins_b], accuracy, changes }) = self.truth {
            (a.truth, b.truth) = (Some(bins_a), Some(bins_b));
            [a.accuracy, b.accuracy] = accuracy.map(|counter| Some(counter.finish()));
            truth_changes = Some(changes);
        }
        Comparison {
            command: "compare",
            version: env!("CARGO_PKG_VERSION"),
            a,
            b,
            reads: self.reads,
            changes: self.changes,
            gained_by_mapq_of_b: self.gained_by_mapq_of_b,
            mapq_raised: self.mapq_raised,
            mapq_lowered: self.mapq_lowered,
            by_kind: self.by_kind,
            by_mappability: self.by_mappability,
            flags: self.flags,
            cigars: self.cigars,
            scores: self.scores,
            same_place: self.fields.finish(),
            mapq_shift: self.shift.finish(),
            truth_changes,
            examples: self.examples.finish(),
        }
    }
}

impl TruthCounter {
    fn add(&mut self, records: [&AlignmentRecord; 2], place: &TruePlace) {
        let is_right = records.map(|record| place.is_right(record));
        for (file, record) in records.into_iter().enumerate() {
            self.bins[file][MappingQualityBin::of_record(record) as usize].add(place, is_right[file]);
            self.accuracy[file].add(record, place, is_right[file]);
        }
        if *place != TruePlace::Foreign {
            self.changes.add(is_right[0], is_right[1]);
        }
    }
}
