//! The comparison as one HTML page: no other file, no script, figures as inline SVG.

mod changes;
mod cost;
mod differences;
mod mapping_quality;
mod model;
mod page;
mod truth;

use seedsieve_report::{axis, svg};

use crate::comparison::Comparison;
use crate::metrics::ModelMetrics;
use crate::statistics::RunStatistics;

/// What a report shows; everything but the comparison is optional.
#[derive(Clone, Copy, Debug)]
pub struct ReportInput<'a> {
    /// The two alignments.
    pub comparison: &'a Comparison,
    /// Run that made the first file.
    pub statistics_a: Option<&'a RunStatistics>,
    /// Run that made the second file.
    pub statistics_b: Option<&'a RunStatistics>,
    /// The model of the filter.
    pub metrics: Option<&'a ModelMetrics>,
}

/// The report as a page of HTML. It holds no date and no path, so the same input gives the same bytes.
pub fn html_report(input: &ReportInput<'_>) -> String {
    let mut body = page::summary(input);
    body.push_str(&changes::section(input.comparison));
    body.push_str(&truth::section(input.comparison));
    body.push_str(&mapping_quality::section(input.comparison));
    body.push_str(&differences::section(input.comparison));
    body.push_str(&cost::section(input));
    if let Some(metrics) = input.metrics {
        body.push_str(&model::section(metrics));
    }
    page::page(&body, input.comparison)
}
