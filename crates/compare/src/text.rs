//! The comparison as a table for terminals.

use std::fmt::Write as _;

use crate::change::Change;
use crate::comparison::{Comparison, FileCounts};
use crate::statistics::RunStatistics;

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

/// What the two runs cost: CPU seconds of each stage, over all threads, and the seeds that the filter dropped. Nothing
/// where neither run left statistics; a dash where one did not.
pub fn cost_table(a: Option<&RunStatistics>, b: Option<&RunStatistics>) -> String {
    let runs = [a, b];
    let Some(known) = runs.into_iter().flatten().next() else { return String::new() };
    let mut rows = vec![heading("CPU seconds", ["A", "B"].iter())];
    let row = |name: &str, value: &dyn Fn(&RunStatistics) -> Option<String>| {
        let cells = runs.map(|run| run.and_then(value).unwrap_or_else(|| "-".to_owned()));
        std::iter::once(name.to_owned()).chain(cells).collect::<Vec<_>>()
    };
    for stage in &known.stages {
        let seconds =
            |run: &RunStatistics| run.stages.iter().find(|one| one.name == stage.name).map(|one| one.cpu_seconds);
        rows.push(row(&stage.name, &|run| seconds(run).map(|seconds| format!("{seconds:.2}"))));
    }
    let all = |run: &RunStatistics| run.stages.iter().map(|stage| stage.cpu_seconds).sum::<f64>();
    rows.push(row("all stages", &|run| Some(format!("{:.2}", all(run)))));
    let mut text = format!("\n{}", aligned(&rows));

    let mut rows = vec![heading("seeds", ["A", "B"].iter())];
    let seeds = |run: &RunStatistics| run.counts.get("seeds").and_then(serde_json::Value::as_u64);
    rows.push(row("found", &|run| seeds(run).map(thousands)));
    rows.push(row("dropped", &|run| Some(thousands(run.filter.as_ref().map_or(0, |filter| filter.dropped)))));
    let share = |run: &RunStatistics| {
        let dropped = run.filter.as_ref().map_or(0, |filter| filter.dropped);
        seeds(run).map(|seeds| percent(dropped, seeds))
    };
    rows.push(row("% dropped", &share));
    let _ = write!(text, "\n{}", aligned(&rows));
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

    #[test]
    fn cost_is_shown_for_the_runs_that_tell_it() {
        let run = |filter: &str| -> RunStatistics {
            let text = format!(
                r#"{{"wall_seconds":2.0,"stages":[{{"name":"seeding","cpu_seconds":1.25}},{{"name":"filter","cpu_seconds":0.5}}],
                "counts":{{"seeds":4000}},"filter":{filter}}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let filtered = r#"{"seeds_in":4000,"dropped":1000,"kept_by_guard_rails":500,"scored":3500}"#;
        let (off, on) = (run("null"), run(filtered));
        let both = cost_table(Some(&off), Some(&on));
        let row = |table: &str, name: &str| {
            let line = table.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
            line[name.len()..].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(row(&both, "seeding"), ["1.25", "1.25"]);
        assert_eq!(row(&both, "all stages"), ["1.75", "1.75"]);
        assert_eq!(row(&both, "found"), ["4,000", "4,000"]);
        assert_eq!(row(&both, "dropped"), ["0", "1,000"]);
        assert_eq!(row(&both, "% dropped"), ["0.000", "25.000"]);
        let one = cost_table(None, Some(&on));
        assert_eq!(row(&one, "filter"), ["-", "0.50"]);
        assert_eq!(row(&one, "dropped"), ["-", "1,000"]);
        assert_eq!(cost_table(None, None), "");
    }
}
