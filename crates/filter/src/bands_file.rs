//! The file that holds the bands of the cascade, and what is known of the alignments that they lose.

use serde::{Deserialize, Serialize};

use crate::bands::Bands;

const FORMAT: &str = "seedsieve cascade";
/// Version 1 has no `loss`; before version 3 there is no `network`, and no `drop` of the student.
const VERSIONS: std::ops::RangeInclusive<u32> = 1..=3;

/// A bands file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandsFile {
    format: String,
    version: u32,
    /// The bands.
    pub bands: Bands,
    /// What they were learned for; nothing for bands that were set by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
}

/// The loss that bands were learned for. A read is changed where its primary alignment reaches -T without a filter and is gone,
/// or at another place or strand, with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// The largest share of reads that may be changed, in each of the works.
    pub stated: f64,
    /// One-sided confidence of all upper bounds.
    pub confidence: f64,
    /// The largest share that was changed in a work, at the loci that were not learned from.
    pub measured: f64,
    /// Its upper bound, the largest of all works: at the loci that were not learned from.
    pub measured_upper_bound: f64,
    /// Reads of all works, both halves, that reach -T without a filter.
    pub reads: u64,
    /// What the bands were learned and checked on.
    pub works: Vec<WorkLoss>,
    /// The command that learned them.
    pub command: String,
}

/// What bands do to the reads of one work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkLoss {
    /// Reads and options.
    pub work: String,
    /// At the loci that the bands were learned from.
    pub learned: HalfLoss,
    /// At the others.
    pub checked: HalfLoss,
    /// Extensions a read that Smith-Waterman computes.
    pub extensions_per_read: f64,
}

/// Changed reads of one half of the loci.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HalfLoss {
    /// Reads that reach -T without a filter.
    pub reads: u64,
    /// Loci of 1,000 bases at which they begin: what the bound takes for independent.
    pub loci: u64,
    /// Of the reads, the changed ones.
    pub changed: u64,
    /// Of the reads with MAPQ 20 or more, the changed ones.
    pub confident_changed: u64,
    /// Upper bound of the share of changed reads.
    pub upper_bound: f64,
}

impl BandsFile {
    /// A file of bands with what is known of their loss.
    #[must_use]
    pub fn new(bands: Bands, loss: Option<Loss>) -> Self {
        Self { format: FORMAT.into(), version: *VERSIONS.end(), bands, loss }
    }

    /// The file that is built in: `models/cascade_v3.json`.
    ///
    /// # Panics
    /// Never: a test reads it.
    #[must_use]
    pub fn built_in() -> Self {
        Self::parse(include_str!("../../../models/cascade_v3.json")).expect("the built-in bands are valid")
    }

    /// Reads the text of a bands file.
    ///
    /// # Errors
    /// What is wrong with it, in one line: no JSON, another format or version, a number that is missing, unknown or out of
    /// range.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if file.format != FORMAT || !VERSIONS.contains(&file.version) {
            return Err(format!(
                "it says format {:?}, version {}; needed is format {FORMAT:?}, version {} to {}",
                file.format,
                file.version,
                VERSIONS.start(),
                VERSIONS.end()
            ));
        }
        file.bands.check()?;
        Ok(file)
    }

    /// The text of the file.
    ///
    /// # Panics
    /// Never: it holds numbers and texts only.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and texts") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BY_HAND: &str = include_str!("../../../models/cascade_v1.json");

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let problem = |from: &str, to: &str| {
            assert!(BY_HAND.contains(from), "{from}");
            BandsFile::parse(&BY_HAND.replace(from, to)).unwrap_err()
        };
        assert!(problem("\"version\": 1", "\"version\": 4").contains("version 4"));
        assert!(problem("\"run\": 8", "\"run\": 65").contains("65; valid are 1 to 64"));
        assert!(problem("\"run\": 8", "\"run\": -8").contains("-8"));
        assert!(problem("\"run\"", "\"ran\"").contains("ran"));
        assert!(BandsFile::parse("").unwrap_err().contains("EOF"));
        let with = |more: &str| BandsFile::parse(&BY_HAND.replace("\"run\": 8", &format!("\"run\": 8, {more}")));
        let student = |band: &str| with(&format!("\"student\": {{{band}}}")).map(|file| file.bands.student.unwrap());
        assert!(student("\"points\": 8, \"keep\": 1001").unwrap_err().contains("1001; valid are 0 to 1000"));
        assert!(
            student("\"points\": 8, \"keep\": 20, \"drop\": 21").unwrap_err().contains("21; valid are 0 to \"keep\"")
        );
        assert_eq!(student("\"points\": 8, \"keep\": 20, \"drop\": 20").unwrap().drop, Some(20));
        let network = |band: &str| with(&format!("\"network\": {{{band}}}")).map(|file| file.bands.doubt());
        assert!(network("\"keep\": 20, \"tolerance\": 1").unwrap_err().contains("no \"points\""));
        assert!(network("\"points\": 8, \"keep\": 1001, \"tolerance\": 1").unwrap_err().contains("1001"));
        assert!(network("\"points\": 8, \"keep\": 20, \"tolerance\": 20").unwrap_err().contains("below \"keep\""));
        assert_eq!(network("\"points\": 8, \"keep\": 20, \"tolerance\": 19"), Ok(Some(8)));
        let both = "\"student\": {\"points\": 4, \"keep\": 9}, \"network\": {\"keep\": 20, \"tolerance\": 1}";
        assert_eq!(with(both).map(|file| file.bands.doubt()), Ok(Some(4)));
        let twice = both.replace("\"keep\": 20", "\"points\": 8, \"keep\": 20");
        assert!(with(&twice).unwrap_err().contains("what that leaves in doubt"));
    }

    #[test]
    fn a_file_that_was_written_reads_as_it_was() {
        let by_hand = BandsFile::parse(BY_HAND).unwrap();
        assert_eq!(by_hand.loss, None);
        let half = HalfLoss { reads: 10, loci: 9, changed: 1, confident_changed: 0, upper_bound: 0.4 };
        let work = WorkLoss { work: "-k 12".into(), learned: half, checked: half, extensions_per_read: 2.5 };
        let loss = Loss {
            stated: 0.01,
            confidence: 0.95,
            measured: 0.1,
            measured_upper_bound: 0.4,
            reads: 20,
            works: vec![work],
            command: "seedsieve model bands".into(),
        };
        let learned = BandsFile::new(by_hand.bands, Some(loss));
        assert_eq!(BandsFile::parse(&learned.to_text()), Ok(learned));
    }

    #[test]
    fn what_is_built_in_keeps_its_promise_at_all_loci() {
        let loss = BandsFile::built_in().loss.expect("measured");
        let halves = loss.works.iter().flat_map(|work| [&work.learned, &work.checked]);
        assert!(halves.map(|half| half.upper_bound).all(|bound| bound <= loss.stated), "{loss:?}");
    }
}
