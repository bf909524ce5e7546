//! The comparison as a table for terminals.

use std::fmt::Write as _;

use crate::change::Change;
use crate::comparison::{Comparison, FileCounts};

/// The comparison as lines of text: reads by what became of them and by mapping quality, counts of both files and,
/// where the truth is known, the share that lies right.
pub fn text_table(comparison: &Comparison) -> String {
    let mut rows = vec![heading("MAPQ in A", Change::ALL.map(Change::label).iter().chain(&["reads"]))];
    for counts in &comparison.changes {
        let mut row = vec![counts.mapq_of_a.label().to_owned()];
        row.extend(Change::ALL.map(|change| thousands(counts.count(change))));
        row.push(thousands(counts.reads()));
        rows.push(row);
    }
    let mut total = vec!["all".to_owned()];
    total.extend(Change::ALL.map(|change| thousands(comparison.total(change))));
    total.push(thousands(comparison.reads));
    rows.push(total);
    let mut share = vec!["%".to_owned()];
    share.extend(Change::ALL.map(|change| percent(comparison.total(change), comparison.reads)));
    share.push(String::new());
    rows.push(share);

    let (a, b) = (&comparison.a, &comparison.b);
    let mut text = format!("A: {} ({})\nB: {} ({})\n\n{}", a.label, a.file, b.label, b.file, aligned(&rows));
    let _ = writeln!(
        text,
        "\nMAPQ rose by more than 5: {}   fell by more than 5: {}\n",
        thousands(comparison.mapq_raised),
        thousands(comparison.mapq_lowered)
    );
    text.push_str(&aligned(&file_rows(a, b)));
    if let (Some(of_a), Some(of_b)) = (&a.truth, &b.truth) {
        let heads = ["right in A", "of", "% right", "right in B", "of", "% right"];
        let mut rows = vec![heading("MAPQ", heads.iter())];
        for (a, b) in of_a.iter().zip(of_b) {
            let mut row = vec![a.mapq.label().to_owned()];
            for counts in [a, b] {
                let share = counts.share_right().map_or("-".to_owned(), |share| format!("{:.3}", 100.0 * share));
                row.extend([thousands(counts.right), thousands(counts.right + counts.wrong + counts.foreign), share]);
            }
            rows.push(row);
        }
        text.push_str("\nWithin 20 bases of the true start; each file by its own MAPQ; reads of other genomes are wrong where mapped.\n");
        text.push_str(&aligned(&rows));
    }
    text
}

fn file_rows(a: &FileCounts, b: &FileCounts) -> Vec<Vec<String>> {
    let mut rows = vec![heading("records", ["A", "B"].iter())];
    for (name, of_a, of_b) in file_counts(a, b) {
        rows.push(vec![name.to_owned(), thousands(of_a), thousands(of_b)]);
    }
    rows
}

/// Name, A and B of what is counted for each file.
pub(crate) fn file_counts(a: &FileCounts, b: &FileCounts) -> [(&'static str, u64, u64); 4] {
    [
        ("mapped reads", a.mapped, b.mapped),
        ("in proper pairs", a.proper_pairs, b.proper_pairs),
        ("secondary records", a.secondary, b.secondary),
        ("supplementary records", a.supplementary, b.supplementary),
    ]
}

fn heading<'a>(first: &str, others: impl Iterator<Item = &'a &'a str>) -> Vec<String> {
    std::iter::once(first.to_owned()).chain(others.map(|&other| other.to_owned())).collect()
}

/// Columns as wide as their widest cell, the first to the left, the others to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = format!("{:<1$}", row[0], widths[0]);
        for (cell, &width) in row.iter().zip(&widths).skip(1) {
            let _ = write!(line, "  {cell:>width$}");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share in percent with three digits, or a dash of nothing.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "-".to_owned() } else { format!("{:.3}", 100.0 * part as f64 / whole as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators_between_groups_of_three() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (123_456, "123,456"), (1_234_567, "1,234,567")];
        for (number, text) in cases {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".into(), "1".into()], vec!["long".into(), "1,000".into()]];
        assert_eq!(aligned(&rows), "a         1\nlong  1,000\n");
    }
}
