//! Which reads lie right, where that is known.

use std::fmt::Write as _;

use crate::comparison::Comparison;
use crate::text::thousands;
use crate::truth::{TRUTH_TOLERANCE, TruthCounts};

/// Empty where the truth is not known.
pub(crate) fn section(comparison: &Comparison) -> String {
    let (Some(of_a), Some(of_b)) = (&comparison.a.truth, &comparison.b.truth) else { return String::new() };
    let mut html = format!(
        "<section><h2>Reads that lie right</h2><p>Simulated reads: right means the true contig and strand, and the true \
         start within {TRUTH_TOLERANCE} bases before clipping. Each file by its own MAPQ; mapped reads of another genome \
         count as wrong.</p><table><thead><tr><th rowspan=2>MAPQ</th><th colspan=3>A</th><th colspan=3>B</th></tr>\
         <tr>{0}{0}</tr></thead><tbody>",
        "<th>right</th><th>of</th><th>% right</th>"
    );
    for (a, b) in of_a.iter().zip(of_b) {
        let _ = write!(html, "<tr><th>{}</th>{}{}</tr>", a.mapq.label(), cells(a), cells(b));
    }
    html.push_str("</tbody></table></section>");
    html
}

fn cells(counts: &TruthCounts) -> String {
    let reads = counts.right + counts.wrong + counts.foreign;
    let share = counts.share_right().map_or("-".to_owned(), |share| format!("{:.3}", 100.0 * share));
    format!("<td>{}</td><td>{}</td><td>{share}</td>", thousands(counts.right), thousands(reads))
}
