//! How mapping qualities shift.

use super::axis::{Axis, short};
use super::svg::{Anchor, Drawing, colour};
use crate::comparison::Comparison;
use crate::differences::MappingQualityShift;
use crate::text::thousands;

const LEFT: f64 = 104.0;
const CELL: (f64, f64) = (84.0, 30.0);
const WIDTH: f64 = 760.0;

pub(crate) fn section(comparison: &Comparison) -> String {
    let shift = &comparison.mapq_shift;
    format!(
        "<section><h2>Mapping quality</h2><figure><figcaption>Reads by MAPQ in A (rows) and in B (columns); the darker, the \
         larger its share of the row.</figcaption>{}</figure><figure><figcaption>MAPQ in B less MAPQ in A, reads mapped in \
         both whose MAPQ changed (logarithmic scale).</figcaption>{}</figure>\
         <p>MAPQ rose by more than 5 in {} reads and fell by more than 5 in {} (mapped in both).</p></section>",
        heat_map(shift),
        histogram(shift),
        thousands(comparison.mapq_raised),
        thousands(comparison.mapq_lowered)
    )
}

fn heat_map(shift: &MappingQualityShift) -> String {
    let top = 28.0;
    let mut drawing =
        Drawing::new(WIDTH, top + CELL.1 * shift.bins.len() as f64 + 8.0, "Heat map: reads by MAPQ in A and in B");
    for (column, bin) in shift.bins.iter().enumerate() {
        let x = LEFT + CELL.0 * (column as f64 + 0.5);
        drawing.text((x, top - 10.0), Anchor::Middle, colour::MUTED, &format!("B: {}", bin.label()));
    }
    for (row, (bin, reads)) in shift.bins.iter().zip(&shift.reads).enumerate() {
        let y = top + CELL.1 * row as f64;
        drawing.text((LEFT - 10.0, y + 19.0), Anchor::End, colour::INK, &format!("A: {}", bin.label()));
        let all = reads.iter().sum::<u64>();
        for (column, &count) in reads.iter().enumerate().filter(|(_, count)| **count > 0) {
            let x = LEFT + CELL.0 * column as f64;
            let hint = format!("{} reads from {} to {}", thousands(count), bin.label(), shift.bins[column].label());
            let share = count as f64 / all as f64;
            let fill = if row == column { colour::GREY } else { colour::BLUE };
            drawing.shade([x + 1.0, y + 1.0, CELL.0 - 2.0, CELL.1 - 2.0], fill, 0.12 + 0.48 * share, &hint);
            drawing.text((x + CELL.0 / 2.0, y + 19.0), Anchor::Middle, colour::INK, &thousands(count));
        }
    }
    drawing.finish()
}

fn histogram(shift: &MappingQualityShift) -> String {
    let (top, bottom) = (10.0, 190.0);
    let changed = || shift.differences.iter().filter(|count| count.difference != 0);
    let mut drawing =
        Drawing::new(WIDTH, bottom + 46.0, "Bars: reads by the change of their MAPQ, on a logarithmic scale");
    let highest = changed().map(|count| count.reads).max().unwrap_or(1);
    let widest = changed().map(|count| count.difference.unsigned_abs()).max().unwrap_or(1).max(10);
    // One read has to be seen: the scale begins below it.
    let power = (highest as f64).log10().ceil().max(1.0);
    let vertical = Axis::logarithmic(0.5, 10f64.powf(power), bottom, top);
    let horizontal = Axis::linear(-f64::from(widest), f64::from(widest), LEFT, WIDTH - 30.0);
    for exponent in 0..=power as i32 {
        let value = 10f64.powi(exponent);
        let y = vertical.pixel(value);
        drawing.line([LEFT, y, WIDTH - 30.0, y], colour::GRID);
        drawing.text((LEFT - 8.0, y + 4.0), Anchor::End, colour::MUTED, &short(value));
    }
    for tick in horizontal.ticks() {
        drawing.text((horizontal.pixel(tick), bottom + 18.0), Anchor::Middle, colour::MUTED, &short(tick));
    }
    drawing.text(((LEFT + WIDTH) / 2.0, bottom + 38.0), Anchor::Middle, colour::MUTED, "MAPQ in B less MAPQ in A");
    let width = (horizontal.pixel(1.0) - horizontal.pixel(0.0)) * 0.8;
    for count in changed() {
        let (x, y) = (horizontal.pixel(f64::from(count.difference)), vertical.pixel(count.reads as f64));
        let fill = if count.difference < 0 { colour::VERMILION } else { colour::GREEN };
        let hint = format!("{:+}: {} reads", count.difference, thousands(count.reads));
        drawing.rectangle([x - width / 2.0, y, width, bottom - y], fill, &hint);
    }
    drawing.line([LEFT, bottom, WIDTH - 30.0, bottom], colour::MUTED);
    drawing.finish()
}
