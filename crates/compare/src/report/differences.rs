//! CIGARs, flags, fields and tags that differ, and reads to look at.

use std::fmt::Write as _;

use super::axis::{Axis, short};
use super::svg::{Anchor, Drawing, colour, escape};
use crate::comparison::Comparison;
use crate::differences::{ExampleRecord, FieldDifferences};
use crate::text::{percent, thousands};

const LEFT: f64 = 90.0;
const RIGHT: f64 = 600.0;
const WIDTH: f64 = 760.0;
const ROW: f64 = 22.0;

pub(crate) fn section(comparison: &Comparison) -> String {
    let cigars = &comparison.cigars;
    let same = &comparison.same_place;
    let scores: Vec<String> = comparison
        .scores
        .iter()
        .map(|scores| {
            let [same, a, b] = [scores.same, scores.higher_in_a, scores.higher_in_b].map(thousands);
            format!("{} reads: {same} the same, {a} higher in A, {b} higher in B", scores.change.label())
        })
        .collect();
    let scores = scores.join("; ");
    let mut html = format!(
        "<section><h2>Alignments, fields and tags</h2><p>CIGARs of the reads that both files map to about the same place: \
         {} the same, {} with other ends (clips), {} with other gaps.</p><p>Alignment scores (AS): {scores}.</p><table><thead><tr><th>flag of primary \
         records</th><th>A</th><th>B</th><th>only A</th><th>only B</th></tr></thead><tbody>",
        thousands(cigars.same),
        thousands(cigars.ends_differ),
        thousands(cigars.gaps_differ)
    );
    for flag in &comparison.flags {
        let _ = write!(html, "<tr><th>{} ({:#x})</th>", flag.flag.replace('_', " "), flag.bit);
        for count in [flag.a, flag.b, flag.only_a, flag.only_b] {
            let _ = write!(html, "<td>{}</td>", thousands(count));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table>");
    let counts = counts(same);
    if counts.is_empty() {
        let _ =
            write!(html, "<p>All fields and tags of the {} reads in place are the same.</p>", thousands(same.reads));
    } else {
        let _ = write!(
            html,
            "<figure><figcaption>Fields and tags that differ in the {} reads whose place and CIGAR are the same (or that \
             are unmapped in both).</figcaption>{}</figure>",
            thousands(same.reads),
            figure(&counts, same.reads)
        );
    }
    html.push_str(&examples(comparison));
    html.push_str("</section>");
    html
}

/// Name, reads in which it differs, and what to say of them.
fn counts(same: &FieldDifferences) -> Vec<(String, u64, String)> {
    let fields = same.fields.iter().filter(|field| field.differs > 0);
    let fields = fields.map(|field| (field.field.to_owned(), field.differs, String::new()));
    let tags = same.tags.iter().map(|tag| {
        let all = tag.differs + tag.only_a + tag.only_b;
        let [only_a, only_b] = [tag.only_a, tag.only_b].map(thousands);
        (tag.tag.clone(), all, format!(", only A {only_a}, only B {only_b}"))
    });
    fields.chain(tags).collect()
}

fn figure(counts: &[(String, u64, String)], reads: u64) -> String {
    let highest = counts.iter().map(|(_, count, _)| *count).max().unwrap_or(0);
    let bottom = 10.0 + ROW * counts.len() as f64;
    let mut drawing = Drawing::new(WIDTH, bottom + 46.0, "Bars: reads in which a field or tag differs");
    let axis = Axis::linear(0.0, highest as f64, LEFT, RIGHT - 150.0);
    for tick in axis.ticks() {
        let x = axis.pixel(tick);
        drawing.line([x, 6.0, x, bottom], colour::GRID);
        drawing.text((x, bottom + 18.0), Anchor::Middle, colour::MUTED, &short(tick));
    }
    drawing.text(((LEFT + RIGHT - 150.0) / 2.0, bottom + 38.0), Anchor::Middle, colour::MUTED, "reads");
    for (row, (name, count, more)) in counts.iter().enumerate() {
        let top = 8.0 + ROW * row as f64;
        drawing.text((LEFT - 10.0, top + 13.0), Anchor::End, colour::INK, name);
        let end = axis.pixel(*count as f64);
        drawing.rectangle([LEFT, top + 2.0, (end - LEFT).max(0.8), ROW - 7.0], colour::SKY, name);
        let text = format!("{} ({} %){more}", thousands(*count), percent(*count, reads));
        drawing.text((end + 8.0, top + 13.0), Anchor::Start, colour::MUTED, &text);
    }
    drawing.line([LEFT, 6.0, LEFT, bottom], colour::MUTED);
    drawing.finish()
}

fn examples(comparison: &Comparison) -> String {
    if comparison.examples.is_empty() {
        return String::new();
    }
    let mut html = String::from(
        "<h3>The first reads of each change</h3><table class=\"examples\"><thead><tr><th>change</th><th>read</th><th>A: \
         place, MAPQ, CIGAR, AS/XS</th><th>B</th></tr></thead><tbody>",
    );
    for example in &comparison.examples {
        let mate = if example.mate == 0 { String::new() } else { format!("/{}", example.mate) };
        let _ = write!(
            html,
            "<tr><th>{}</th><td>{}{mate}</td><td>{}</td><td>{}</td></tr>",
            example.change.label(),
            escape(&example.read),
            escape(&place(&example.a)),
            escape(&place(&example.b))
        );
    }
    html.push_str("</tbody></table>");
    html
}

fn place(record: &ExampleRecord) -> String {
    if record.flag & 0x4 != 0 {
        return format!("record {}: unmapped", record.record);
    }
    let strand = if record.flag & 0x10 == 0 { '+' } else { '-' };
    let score = |score: Option<i64>| score.map_or("-".to_owned(), |score| score.to_string());
    format!(
        "record {}: {}:{}{strand}, {}, {}, {}/{}",
        record.record,
        record.contig,
        record.position,
        record.mapq,
        record.cigar,
        score(record.score),
        score(record.next_score)
    )
}
