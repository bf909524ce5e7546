//! Which reads lie right, where that is known.

use std::fmt::Write as _;

use super::axis::{Axis, short};
use super::cost::FILLS;
use super::svg::{Anchor, Drawing, colour, legend};
use crate::comparison::Comparison;
use crate::text::thousands;
use crate::truth::{Accuracy, TRUTH_TOLERANCE, TruthCounts};

const LEFT: f64 = 70.0;
const RIGHT: f64 = 730.0;
const BOTTOM: f64 = 260.0;
/// Share of wrong reads at the left end of the scale: what is less is drawn there.
const LEAST_WRONG: f64 = 1e-5;

/// Empty where the truth is not known.
pub(crate) fn section(comparison: &Comparison) -> String {
    let (Some(of_a), Some(of_b)) = (&comparison.a.truth, &comparison.b.truth) else { return String::new() };
    let mut html = format!(
        "<section><h2>Reads that lie right</h2><p>Simulated reads: right means the true contig and strand, and the true \
         start within {TRUTH_TOLERANCE} bases before clipping. Each file by its own MAPQ; mapped reads of another genome \
         count as wrong.</p>"
    );
    if let (Some(a), Some(b)) = (&comparison.a.accuracy, &comparison.b.accuracy) {
        let names = [("A", &comparison.a.label), ("B", &comparison.b.label)];
        let entries = names.iter().zip(FILLS).map(|((file, label), fill)| (fill, format!("{file}: {label}")));
        let _ = write!(
            html,
            "<figure><figcaption>Recall against wrong reads, from the highest MAPQ (left) down; one dot a MAPQ. Up and left \
             is better.</figcaption>{}{}</figure>",
            legend(entries),
            curves([a, b])
        );
    }
    let _ = write!(
        html,
        "<table><thead><tr><th rowspan=2>MAPQ</th><th colspan=3>A</th><th colspan=3>B</th></tr><tr>{0}{0}</tr></thead><tbody>",
        "<th>right</th><th>of</th><th>% right</th>"
    );
    for (a, b) in of_a.iter().zip(of_b) {
        let _ = write!(html, "<tr><th>{}</th>{}{}</tr>", a.mapq.label(), cells(a), cells(b));
    }
    html.push_str("</tbody></table>");
    if let Some(changes) = &comparison.truth_changes {
        let _ = write!(
            html,
            "<p>Of the reads of the reference {} lie right in both files, {} in A only, {} in B only, {} in neither.</p>",
            thousands(changes.right_in_both),
            thousands(changes.right_in_a_only),
            thousands(changes.right_in_b_only),
            thousands(changes.right_in_neither)
        );
    }
    html.push_str("</section>");
    html
}

fn cells(counts: &TruthCounts) -> String {
    let reads = counts.right + counts.wrong + counts.foreign;
    let share = counts.share_right().map_or("-".to_owned(), |share| format!("{:.3}", 100.0 * share));
    format!("<td>{}</td><td>{}</td><td>{share}</td>", thousands(counts.right), thousands(reads))
}

fn curves(files: [&Accuracy; 2]) -> String {
    let mut drawing = Drawing::new(760.0, BOTTOM + 46.0, "Curves: recall against the share of wrong reads, by MAPQ");
    let recalls = || files.iter().flat_map(|file| &file.by_mapq).map(|from| from.recall);
    let lowest = recalls().fold(1.0, f64::min);
    let vertical = Axis::linear((10.0 * lowest).floor() / 10.0, 1.0, BOTTOM, 10.0);
    let horizontal = Axis::logarithmic(LEAST_WRONG, 1.0, LEFT, RIGHT);
    for tick in vertical.ticks() {
        let y = vertical.pixel(tick);
        drawing.line([LEFT, y, RIGHT, y], colour::GRID);
        drawing.text((LEFT - 8.0, y + 4.0), Anchor::End, colour::MUTED, &short(tick));
    }
    for exponent in -5..=0 {
        let x = horizontal.pixel(10f64.powi(exponent));
        drawing.line([x, 10.0, x, BOTTOM], colour::GRID);
        let label = if exponent == -5 { "≤ 0.00001".to_owned() } else { short(10f64.powi(exponent)) };
        drawing.text((x, BOTTOM + 18.0), Anchor::Middle, colour::MUTED, &label);
    }
    drawing.text(
        ((LEFT + RIGHT) / 2.0, BOTTOM + 38.0),
        Anchor::Middle,
        colour::MUTED,
        "wrong among the reads of this MAPQ and above (1 - precision), logarithmic scale",
    );
    drawing.upright_text((18.0, (BOTTOM + 10.0) / 2.0), "recall");
    for (file, fill) in files.iter().zip(FILLS) {
        let point = |precision: f64, recall| (horizontal.pixel(1.0 - precision), vertical.pixel(recall));
        let points: Vec<_> = file.by_mapq.iter().map(|from| point(from.precision, from.recall)).collect();
        drawing.path(&points, fill, "");
        for (from, &place) in file.by_mapq.iter().zip(&points) {
            let hint = format!("MAPQ from {}: precision {:.5}, recall {:.5}", from.mapq, from.precision, from.recall);
            drawing.dot(place, fill, &hint);
        }
    }
    drawing.finish()
}
