//! Which reads lie where they come from, for simulated reads.

mod accuracy;
mod bed;
mod counts;
mod names;
mod place;

use std::path::{Path, PathBuf};

pub(crate) use accuracy::AccuracyCounter;
pub use accuracy::{Accuracy, AccuracyFrom};
pub use counts::{TruthChanges, TruthCounts};
pub(crate) use place::TruePlace;

use crate::error::CompareError;
use crate::record::AlignmentRecord;
use crate::shown::shown;
use bed::BedTruth;

/// Bases that the start of a read, before clipping, may be off and still be right: as much as a donor's insertion in
/// front of the aligned part can shift it.
pub const TRUTH_TOLERANCE: u64 = 20;

/// Where the true places of simulated reads stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TruthSource {
    /// They are not known.
    #[default]
    Unknown,
    /// In the reads' names, as `seedsieve simulate`, dwgsim and wgsim write them, or in the comments of mason.
    Names,
    /// In a BED file (plain or gzip): the true interval, the read's name in column 4, the strand in column 6.
    Bed(PathBuf),
}

/// An open [`TruthSource`].
pub(crate) struct Truth(Places);

enum Places {
    /// With the contigs of the reference.
    Names(Vec<(String, String)>),
    Bed(Box<BedTruth>),
}

impl Truth {
    /// `contigs` are names and lengths in the order of the reference: mason tells a contig by its number.
    pub(crate) fn open(source: &TruthSource, contigs: &[(String, String)]) -> Result<Option<Self>, CompareError> {
        Ok(match source {
            TruthSource::Unknown => None,
            TruthSource::Names => Some(Self(Places::Names(contigs.to_vec()))),
            TruthSource::Bed(path) => Some(Self(Places::Bed(Box::new(BedTruth::open(path)?)))),
        })
    }

    /// The place of a read that has these primary records; `path` is the first file.
    pub(crate) fn place_of(
        &mut self,
        path: &Path,
        a: &AlignmentRecord,
        b: &AlignmentRecord,
    ) -> Result<TruePlace, CompareError> {
        match &mut self.0 {
            Places::Bed(bed) => bed.place_of(a.name(), a.mate()),
            Places::Names(contigs) => {
                let place = str::from_utf8(a.name()).ok().and_then(|name| names::place_of(name, a.mate()));
                let comment =
                    || [a, b].iter().flat_map(|record| record.tags()).find_map(|tag| names::mason(tag, contigs));
                place.or_else(comment).ok_or_else(|| CompareError::NoTruth {
                    path: path.to_owned(),
                    record: a.number,
                    name: shown(a.name()),
                })
            }
        }
    }
}
