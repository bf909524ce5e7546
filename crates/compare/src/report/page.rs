//! The page and its summary.

use std::fmt::Write as _;

use super::ReportInput;
use super::svg::escape;
use crate::change::Change;
use crate::comparison::Comparison;
use crate::text::{file_counts, percent, proper_pair_percent, thousands};

/// Title, tiles with the main numbers, and the counts of both files.
pub(crate) fn summary(input: &ReportInput<'_>) -> String {
    let comparison = input.comparison;
    let mut tiles = String::new();
    let mut tile = |value: &str, name: &str| {
        let _ = write!(tiles, "<div><b>{}</b><span>{}</span></div>", escape(value), escape(name));
    };
    tile(&thousands(comparison.reads), "reads compared");
    tile(&format!("{} %", percent(comparison.total(Change::Identical), comparison.reads)), "identical records");
    for change in [Change::Moved, Change::Lost, Change::Gained] {
        tile(&thousands(comparison.total(change)), change.label());
    }
    if let (Some(a), Some(b)) = (input.statistics_a, input.statistics_b) {
        tile(&format!("{:.1} to {:.1} s", a.cpu_seconds(), b.cpu_seconds()), "CPU time, A to B");
    }
    if let Some(filter) = input.statistics_b.or(input.statistics_a).and_then(|run| run.filter.as_ref()) {
        tile(&format!("{} %", percent(filter.dropped, filter.seeds_in)), "seeds dropped by the filter");
    }
    let (a, b) = (&comparison.a, &comparison.b);
    let mut rows = String::new();
    for (name, of_a, of_b) in file_counts(a, b) {
        let _ = write!(rows, "<tr><th>{name}</th><td>{}</td><td>{}</td></tr>", thousands(of_a), thousands(of_b));
    }
    let _ = write!(
        rows,
        "<tr><th>% in proper pairs</th><td>{}</td><td>{}</td></tr>",
        proper_pair_percent(a),
        proper_pair_percent(b)
    );
    format!(
        "<h1>{} against {}</h1><p class=\"files\">A is {}, B is {}. A read is one mate, and stands for its primary \
         record.</p><div class=\"tiles\">{tiles}</div><table><thead><tr><th></th><th>A: {}</th><th>B: {}</th></tr></thead>\
         <tbody>{rows}</tbody></table>",
        escape(&b.label),
        escape(&a.label),
        escape(&a.file),
        escape(&b.file),
        escape(&a.label),
        escape(&b.label),
    )
}

pub(crate) fn page(body: &str, comparison: &Comparison) -> String {
    let title = format!("{} against {}: alignments compared", comparison.b.label, comparison.a.label);
    seedsieve_report::page(&title, body, &format!("seedsieve compare {}", comparison.version))
}
