use seedsieve_aligner::ReferenceIndex;
use seedsieve_dataset::SeedRow;
use seedsieve_encoding::{AMBIGUOUS, DOWNSTREAM, PACKED_WINDOW_BYTES, UPSTREAM, encode_window};
use std::collections::HashMap;

/// Checks rows of a data set against the reference that they claim to be of: by contig, forward position and strand,
/// and so not by the way through bwa's coordinate that made them.
pub struct ReferenceCheck<'a> {
    index: &'a ReferenceIndex,
    numbers: HashMap<&'a str, usize>,
}

impl<'a> ReferenceCheck<'a> {
    /// A check against `index`.
    #[must_use]
    pub fn new(index: &'a ReferenceIndex) -> Self {
        let numbers = index.contigs().iter().enumerate().map(|(number, contig)| (contig.name.as_str(), number));
        Self { index, numbers: numbers.collect() }
    }

    /// Whether the row's place exists and its reference window is what stands there.
    ///
    /// # Errors
    /// The name of the column, its value, and what would be valid.
    pub fn row(&self, row: &SeedRow<'_>) -> Result<(), (&'static str, String, String)> {
        let Some(&contig) = self.numbers.get(row.contig) else {
            return Err(("contig", row.contig.to_owned(), "a contig of the reference".to_owned()));
        };
        let contig_length = self.index.contigs()[contig].length;
        let (start, length) = (u64::from(row.position), u64::from(row.length));
        if start + length > contig_length {
            let valid = format!("0 to {} for a seed of {length} bases", contig_length.saturating_sub(length));
            return Err(("position", start.to_string(), valid));
        }
        // On the reverse strand what follows the seed in the read lies before it on the forward strand.
        let (before, after) = if row.reverse { (DOWNSTREAM, UPSTREAM) } else { (UPSTREAM, DOWNSTREAM) };
        let from = start.saturating_sub(before as u64);
        let to = (start + length + after as u64).min(contig_length);
        let mut codes = self.index.contig_codes(contig, from, to);
        let mut seed_start = (start - from) as usize;
        if row.reverse {
            codes.reverse();
            for code in codes.iter_mut().filter(|code| **code < AMBIGUOUS) {
                *code = 3 - *code;
            }
            seed_start = (to - start - length) as usize;
        }
        let mut expected = [0; PACKED_WINDOW_BYTES];
        encode_window(&codes, seed_start, usize::from(row.length), &mut expected);
        let found = &row.windows[PACKED_WINDOW_BYTES..];
        if found == expected {
            return Ok(());
        }
        let hex = |bytes: &[u8]| seedsieve_dataset::hexadecimal(bytes);
        Err(("reference_window", hex(found), format!("{} (what the reference has there)", hex(&expected))))
    }
}
