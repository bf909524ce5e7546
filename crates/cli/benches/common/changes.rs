//! What became of the alignments of one run in another.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// The primary record of a read.
pub struct Alignment {
    pub mapped: bool,
    pub place: (String, u64, bool),
    pub mapq: u8,
    pub cigar: String,
    pub score: i32,
}

/// The primary records of a run: name and mate -> alignment.
pub type Alignments = HashMap<(String, u32), Alignment>;

/// The primary records of a SAM file.
pub fn alignments(sam: &Path) -> Result<Alignments, String> {
    let text = fs::read_to_string(sam).map_err(|error| format!("{}: {error}", sam.display()))?;
    let mut alignments = HashMap::new();
    for line in text.lines().filter(|line| !line.starts_with('@')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |field: usize| fields[field].parse::<u64>().map_err(|error| format!("{line}: {error}"));
        let flag = number(1)? as u32;
        if flag & 0x900 != 0 {
            continue;
        }
        let score = fields[11..].iter().find_map(|tag| tag.strip_prefix("AS:i:")).and_then(|score| score.parse().ok());
        let alignment = Alignment {
            mapped: flag & 4 == 0,
            place: (fields[2].to_owned(), number(3)?, flag & 16 != 0),
            mapq: number(4)? as u8,
            cigar: fields[5].to_owned(),
            score: score.unwrap_or(0),
        };
        alignments.insert((fields[0].to_owned(), flag & 0xc0), alignment);
    }
    Ok(alignments)
}

/// What a filter changed, in primary records.
#[derive(Debug, Clone, Copy, Default)]
pub struct Changes {
    /// Reads that are mapped without it.
    pub mapped: usize,
    /// Of these, other in place, strand or CIGAR.
    pub changed: usize,
    /// Of these, mapped with it and MAPQ other by more than 5.
    pub shifted: usize,
    /// Alignments with AS >= 30 without it.
    pub reported: usize,
    /// Of these, unmapped with it.
    pub lost: usize,
    /// Of these, elsewhere or on the other strand.
    pub moved: usize,
    /// Alignments with AS >= 30 and MAPQ >= 20 without it.
    pub confident: usize,
    /// Of these, unmapped, elsewhere or on the other strand.
    pub confident_moved: usize,
    /// Of these, other in place, strand, CIGAR or MAPQ.
    pub confident_changed: usize,
}

impl Changes {
    /// Compares two runs of the same reads.
    ///
    /// # Errors
    /// A read that only one of them has.
    pub fn between(off: &Alignments, on: &Alignments) -> Result<Self, String> {
        let mut changes = Self::default();
        for (read, before) in off.iter().filter(|(_, before)| before.mapped) {
            let after = on.get(read).ok_or_else(|| format!("{} has no record with the filter", read.0))?;
            let kept = after.mapped && before.place == after.place;
            let same = kept && before.cigar == after.cigar;
            let mut count =
                |counter: fn(&mut Self) -> &mut usize, holds: bool| *counter(&mut changes) += usize::from(holds);
            count(|changes| &mut changes.mapped, true);
            count(|changes| &mut changes.changed, !same);
            count(|changes| &mut changes.shifted, after.mapped && before.mapq.abs_diff(after.mapq) > 5);
            let reported = before.score >= 30;
            count(|changes| &mut changes.reported, reported);
            count(|changes| &mut changes.lost, reported && !after.mapped);
            count(|changes| &mut changes.moved, reported && after.mapped && !kept);
            let confident = reported && before.mapq >= 20;
            count(|changes| &mut changes.confident, confident);
            count(|changes| &mut changes.confident_moved, confident && !kept);
            count(|changes| &mut changes.confident_changed, confident && (!same || before.mapq != after.mapq));
        }
        Ok(changes)
    }
}

/// What the filter changed, in one paragraph.
pub fn changes(mode: &str, off: &Alignments, on: &Alignments) -> Result<String, String> {
    let share =
        |part: usize, whole: usize| format!("{part} of {whole} ({:.3} %)", 100.0 * part as f64 / whole.max(1) as f64);
    let changes = Changes::between(off, on)?;
    Ok(format!(
        "  {mode}: of all mapped reads changed in place, strand or CIGAR {}, MAPQ by more than 5 {}\n  {mode}: AS >= 30 lost \
         {}, moved {}\n  {mode}: AS >= 30 and MAPQ >= 20 moved {}, changed in place, CIGAR or MAPQ {}",
        share(changes.changed, changes.mapped),
        share(changes.shifted, changes.mapped),
        share(changes.lost, changes.reported),
        share(changes.moved, changes.reported),
        share(changes.confident_moved, changes.confident),
        share(changes.confident_changed, changes.confident),
    ))
}
