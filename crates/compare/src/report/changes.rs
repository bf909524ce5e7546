//! What became of the reads, by mapping quality.

use std::fmt::Write as _;

use super::axis::{Axis, short};
use super::svg::{Anchor, Drawing, colour, legend};
use crate::change::{Change, ChangeCounts};
use crate::comparison::Comparison;
use crate::text::{percent, thousands};

/// Pixels: room for the labels on the left, the bars, and for the numbers on the right.
const LEFT: f64 = 90.0;
const RIGHT: f64 = 560.0;
const WIDTH: f64 = 760.0;
const ROW: f64 = 30.0;

pub(crate) fn fill(change: Change) -> &'static str {
    match change {
        Change::Identical => colour::GREY,
        Change::PlaceKept => colour::SKY,
        Change::Realigned => colour::BLUE,
        Change::Moved => colour::ORANGE,
        Change::Lost => colour::VERMILION,
        Change::Gained => colour::GREEN,
    }
}

pub(crate) fn section(comparison: &Comparison) -> String {
    // Identical reads are left out of the figure: they would hide all others.
    let shown = &Change::ALL[1..];
    let explanations: String = Change::ALL
        .iter()
        .map(|change| format!("<dt>{}</dt><dd>{}</dd>", change.label(), change.explanation()))
        .collect();
    format!(
        "<section><h2>What became of the reads</h2><figure><figcaption>Reads whose record changed, by MAPQ in A. Identical \
         records are not drawn.</figcaption>{}{}</figure>{}<dl>{explanations}</dl></section>",
        legend(shown.iter().map(|&change| (fill(change), change.label().to_owned()))),
        figure(comparison, shown),
        table(comparison),
    )
}

fn share(counts: &ChangeCounts, change: Change) -> f64 {
    100.0 * counts.count(change) as f64 / counts.reads().max(1) as f64
}

fn figure(comparison: &Comparison, shown: &[Change]) -> String {
    let changed = |counts: &ChangeCounts| shown.iter().map(|&change| share(counts, change)).sum::<f64>();
    let highest = comparison.changes.iter().map(changed).fold(0.0, f64::max);
    let bottom = 16.0 + ROW * comparison.changes.len() as f64;
    let mut drawing = Drawing::new(WIDTH, bottom + 46.0, "Stacked bars: share of reads that changed, by MAPQ in A");
    // A scale without changes still has a length.
    let axis = Axis::linear(0.0, if highest > 0.0 { highest } else { 1.0 }, LEFT, RIGHT);
    for tick in axis.ticks() {
        let x = axis.pixel(tick);
        drawing.line([x, 8.0, x, bottom], colour::GRID);
        drawing.text((x, bottom + 18.0), Anchor::Middle, colour::MUTED, &short(tick));
    }
    drawing.text(
        ((LEFT + RIGHT) / 2.0, bottom + 38.0),
        Anchor::Middle,
        colour::MUTED,
        "changed reads, % of the reads in the row",
    );
    for (row, counts) in comparison.changes.iter().enumerate() {
        let top = 12.0 + ROW * row as f64;
        drawing.text((LEFT - 10.0, top + 16.0), Anchor::End, colour::INK, counts.mapq_of_a.label());
        let mut end = 0.0;
        for &change in shown.iter().filter(|&&change| counts.count(change) > 0) {
            let from = axis.pixel(end);
            end += share(counts, change);
            let hint = format!(
                "{}: {} of {} reads",
                change.label(),
                thousands(counts.count(change)),
                thousands(counts.reads())
            );
            // A bar that is there has to be seen.
            let width = (axis.pixel(end) - from).max(0.8);
            drawing.rectangle([from, top + 2.0, width, ROW - 10.0], fill(change), &hint);
        }
        let number = if counts.reads() == 0 {
            "no reads".to_owned()
        } else {
            format!("{} % of {}", short((changed(counts) * 1_000.0).round() / 1_000.0), thousands(counts.reads()))
        };
        drawing.text((RIGHT + 14.0, top + 16.0), Anchor::Start, colour::MUTED, &number);
    }
    drawing.line([LEFT, 8.0, LEFT, bottom], colour::MUTED);
    drawing.finish()
}

fn table(comparison: &Comparison) -> String {
    let mut html = String::from("<table><thead><tr><th>MAPQ in A</th>");
    for change in Change::ALL {
        let _ = write!(html, "<th>{}</th>", change.label());
    }
    html.push_str("<th>reads</th></tr></thead><tbody>");
    for counts in &comparison.changes {
        let _ = write!(html, "<tr><th>{}</th>", counts.mapq_of_a.label());
        for change in Change::ALL {
            let _ = write!(html, "<td>{}</td>", thousands(counts.count(change)));
        }
        let _ = write!(html, "<td>{}</td></tr>", thousands(counts.reads()));
    }
    html.push_str("</tbody><tfoot><tr><th>all</th>");
    for change in Change::ALL {
        let _ = write!(html, "<td>{}</td>", thousands(comparison.total(change)));
    }
    let _ = write!(html, "<td>{}</td></tr><tr><th>%</th>", thousands(comparison.reads));
    for change in Change::ALL {
        let _ = write!(html, "<td>{}</td>", percent(comparison.total(change), comparison.reads));
    }
    html.push_str("<td></td></tr></tfoot></table>");
    let _ = write!(
        html,
        "<p>MAPQ rose by more than 5 in {} reads and fell by more than 5 in {} (mapped in both).</p>",
        thousands(comparison.mapq_raised),
        thousands(comparison.mapq_lowered)
    );
    html
}
