//! What became of the reads: by mapping quality, by mappability, by kind of record.

use std::fmt::Write as _;

use super::axis::{Axis, short};
use super::svg::{Anchor, Drawing, colour, legend};
use crate::change::{Change, Tally};
use crate::comparison::Comparison;
use crate::text::{percent, thousands};

/// Pixels: room for the labels on the left, the bars, and for the numbers on the right.
const LEFT: f64 = 110.0;
const RIGHT: f64 = 560.0;
const WIDTH: f64 = 760.0;
const ROW: f64 = 30.0;

/// Identical records are left out of figures: they would hide all others.
const SHOWN: &[Change] = Change::ALL.split_at(1).1;

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

/// Rows of a figure or table, with their names.
type Rows<'a> = Vec<(&'static str, &'a Tally)>;

pub(crate) fn section(comparison: &Comparison) -> String {
    let explanations: String = Change::ALL
        .iter()
        .map(|change| format!("<dt>{}</dt><dd>{}</dd>", change.label(), change.explanation()))
        .collect();
    let by_mapq: Rows<'_> = comparison.changes.iter().map(|counts| (counts.mapq_of_a.label(), &counts.tally)).collect();
    let by_class: Rows<'_> =
        comparison.by_mappability.iter().map(|counts| (counts.class.label(), &counts.tally)).collect();
    let by_kind: Rows<'_> = comparison.by_kind.iter().map(|counts| (counts.kind.label(), &counts.tally)).collect();
    format!(
        "<section><h2>What became of the reads</h2><figure><figcaption>Reads whose record changed, by MAPQ in A. Identical \
         records are not drawn.</figcaption>{key}{}</figure>{}<dl>{explanations}</dl>\
         <figure><figcaption>The same, by mappability.</figcaption>{key}{}</figure>{}\
         <p>Unique: no other alignment scores within {} points (AS - XS) of the read's own, as far as the aligner saw; \
         low complexity: two triplets of the read, taken at random, are the same in at least one of ten cases.</p>\
         <h3>By kind of record in A</h3>{}<p>Secondary and supplementary records are looked for at the same place: they \
         are lost here and gained there, and never moved.</p></section>",
        figure(&by_mapq, "Stacked bars: share of reads that changed, by MAPQ in A"),
        table("MAPQ in A", &by_mapq, Some(comparison)),
        figure(&by_class, "Stacked bars: share of reads that changed, by mappability"),
        table("mappability", &by_class, None),
        crate::differences::REPEAT_SCORE_GAP - 1,
        table("record in A", &by_kind, None),
        key = legend(SHOWN.iter().map(|&change| (fill(change), change.label().to_owned()))),
    )
}

fn share(tally: &Tally, change: Change) -> f64 {
    100.0 * tally.count(change) as f64 / tally.all().max(1) as f64
}

fn figure(rows: &Rows<'_>, description: &str) -> String {
    let changed = |tally: &Tally| SHOWN.iter().map(|&change| share(tally, change)).sum::<f64>();
    let highest = rows.iter().map(|(_, tally)| changed(tally)).fold(0.0, f64::max);
    let bottom = 16.0 + ROW * rows.len() as f64;
    let mut drawing = Drawing::new(WIDTH, bottom + 46.0, description);
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
    for (row, (name, tally)) in rows.iter().enumerate() {
        let top = 12.0 + ROW * row as f64;
        drawing.text((LEFT - 10.0, top + 16.0), Anchor::End, colour::INK, name);
        let mut end = 0.0;
        for &change in SHOWN.iter().filter(|&&change| tally.count(change) > 0) {
            let from = axis.pixel(end);
            end += share(tally, change);
            let (part, all) = (thousands(tally.count(change)), thousands(tally.all()));
            let hint = format!("{}: {part} of {all} reads", change.label());
            // A bar that is there has to be seen.
            let width = (axis.pixel(end) - from).max(0.8);
            drawing.rectangle([from, top + 2.0, width, ROW - 10.0], fill(change), &hint);
        }
        let number = if tally.all() == 0 {
            "no reads".to_owned()
        } else {
            format!("{} % of {}", short((changed(tally) * 1_000.0).round() / 1_000.0), thousands(tally.all()))
        };
        drawing.text((RIGHT + 14.0, top + 16.0), Anchor::Start, colour::MUTED, &number);
    }
    drawing.line([LEFT, 8.0, LEFT, bottom], colour::MUTED);
    drawing.finish()
}

/// With a comparison, its totals follow.
fn table(first: &str, rows: &Rows<'_>, totals: Option<&Comparison>) -> String {
    let mut html = format!("<table><thead><tr><th>{first}</th>");
    for change in Change::ALL {
        let _ = write!(html, "<th>{}</th>", change.label());
    }
    html.push_str("<th>all</th></tr></thead><tbody>");
    for (name, tally) in rows {
        let _ = write!(html, "<tr><th>{name}</th>");
        for change in Change::ALL {
            let _ = write!(html, "<td>{}</td>", thousands(tally.count(change)));
        }
        let _ = write!(html, "<td>{}</td></tr>", thousands(tally.all()));
    }
    html.push_str("</tbody>");
    if let Some(comparison) = totals {
        html.push_str("<tfoot><tr><th>all</th>");
        for change in Change::ALL {
            let _ = write!(html, "<td>{}</td>", thousands(comparison.total(change)));
        }
        let _ = write!(html, "<td>{}</td></tr><tr><th>%</th>", thousands(comparison.reads));
        for change in Change::ALL {
            let _ = write!(html, "<td>{}</td>", percent(comparison.total(change), comparison.reads));
        }
        html.push_str("<td></td></tr></tfoot>");
    }
    html.push_str("</table>");
    html
}
