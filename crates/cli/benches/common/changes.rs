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

/// What the filter changed, in one paragraph.
pub fn changes(mode: &str, off: &Alignments, on: &Alignments) -> String {
    let pairs = || off.iter().map(|(read, before)| (before, &on[read]));
    let kept = |before: &Alignment, after: &Alignment| after.mapped && before.place == after.place;
    let same = |before: &Alignment, after: &Alignment| kept(before, after) && before.cigar == after.cigar;
    let reported = || pairs().filter(|(before, _)| before.mapped && before.score >= 30);
    let share =
        |part: usize, whole: usize| format!("{part} of {whole} ({:.3} %)", 100.0 * part as f64 / whole.max(1) as f64);
    let (all, reported_all) = (pairs().filter(|(before, _)| before.mapped).count(), reported().count());
    let lost = reported().filter(|(_, after)| !after.mapped).count();
    let moved = reported().filter(|(before, after)| after.mapped && !kept(before, after)).count();
    let changed = pairs().filter(|(before, after)| before.mapped && !same(before, after)).count();
    let shifted =
        pairs().filter(|(before, after)| before.mapped && after.mapped && before.mapq.abs_diff(after.mapq) > 5).count();
    let confident = || reported().filter(|(before, _)| before.mapq >= 20);
    let confident_changed =
        confident().filter(|(before, after)| !same(before, after) || before.mapq != after.mapq).count();
    let confident_moved = confident().filter(|(before, after)| !kept(before, after)).count();
    format!(
        "  {mode}: of all mapped reads changed in place, strand or CIGAR {}, MAPQ by more than 5 {}\n  {mode}: AS >= 30 lost \
         {}, moved {}\n  {mode}: AS >= 30 and MAPQ >= 20 moved {}, changed in place, CIGAR or MAPQ {}",
        share(changed, all),
        share(shifted, all),
        share(lost, reported_all),
        share(moved, reported_all),
        share(confident_moved, confident().count()),
        share(confident_changed, confident().count()),
    )
}
