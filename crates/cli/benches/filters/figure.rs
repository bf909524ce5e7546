//! The figure: CPU time saved against alignments changed, a point for each filter, a panel for each set of reads.

use seedsieve_report::axis::{Axis, short};
use seedsieve_report::svg::{Anchor, Drawing, colour};

/// A filter on some reads.
pub struct Point {
    pub work: &'static str,
    pub family: &'static str,
    pub name: &'static str,
    /// CPU time, as a part of the run without a filter.
    pub cpu: f64,
    /// Alignments of 30 points or more that are lost or elsewhere, as a part of all.
    pub changed: f64,
}

const COLOURS: [(&str, &str); 10] = [
    ("rescue rule alone", colour::GREY),
    ("shadowed", colour::SKY),
    ("ungapped", colour::VERMILION),
    ("q-gram vote", colour::ORANGE),
    ("Myers bit vector", "#8c6d31"),
    ("trees", colour::GREEN),
    ("CNN", colour::PURPLE),
    ("CNN on ONNX Runtime", "#5b2a86"),
    ("exact", colour::INK),
    ("cascade", colour::BLUE),
];
const WIDTH: f64 = 760.0;
const PANEL: f64 = 300.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 560.0;
/// What is drawn where nothing changed: one alignment in 100,000.
const NOTHING: f64 = 1e-5;

/// All panels as one SVG that needs no other file.
pub fn drawn(points: &[Point]) -> String {
    let mut works: Vec<&str> = points.iter().map(|point| point.work).collect();
    works.dedup();
    let height = PANEL * works.len() as f64;
    let mut drawing = Drawing::new(WIDTH, height, "CPU time saved against alignments changed, for each filter");
    drawing.rectangle([0.0, 0.0, WIDTH, height], "#ffffff", "");
    for (number, work) in works.iter().enumerate() {
        let of_work: Vec<&Point> = points.iter().filter(|point| point.work == *work && point.family != "off").collect();
        panel(&mut drawing, PANEL * number as f64, work, &of_work);
    }
    for (number, (family, fill)) in COLOURS.iter().enumerate() {
        let y = 46.0 + 20.0 * number as f64;
        drawing.dot((RIGHT + 26.0, y - 4.0), fill, family);
        drawing.text((RIGHT + 38.0, y), Anchor::Start, colour::INK, family);
    }
    let svg = drawing.finish();
    svg.replacen("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" font-size=\"12\" ", 1)
        + "\n"
}

fn panel(drawing: &mut Drawing, top: f64, work: &str, points: &[&Point]) {
    let (upper, lower) = (top + 34.0, top + PANEL - 52.0);
    let saved = |point: &Point| 100.0 * (1.0 - point.cpu);
    let least = points.iter().map(|point| saved(point)).fold(0.0, f64::min).max(-150.0);
    let across = Axis::linear(10.0 * (least / 10.0).floor(), 100.0, LEFT, RIGHT);
    let down = Axis::logarithmic(NOTHING, 0.1, lower, upper);
    drawing.text((LEFT, top + 20.0), Anchor::Start, colour::INK, work);
    for tick in across.ticks() {
        let x = across.pixel(tick);
        drawing.line([x, upper, x, lower], colour::GRID);
        drawing.text((x, lower + 16.0), Anchor::Middle, colour::MUTED, &short(tick));
    }
    for tick in down.ticks() {
        let y = down.pixel(tick);
        drawing.line([LEFT, y, RIGHT, y], colour::GRID);
        let label = if tick <= NOTHING { "none".into() } else { format!("{} %", short(100.0 * tick)) };
        drawing.text((LEFT - 6.0, y + 4.0), Anchor::End, colour::MUTED, &label);
    }
    drawing.text(((LEFT + RIGHT) / 2.0, lower + 36.0), Anchor::Middle, colour::MUTED, "CPU time saved, %");
    drawing.upright_text((16.0, (upper + lower) / 2.0), "AS >= 30 lost or moved");
    for (family, fill) in COLOURS {
        let of_family = || points.iter().filter(|point| point.family == family);
        let place = |point: &&&Point| (across.pixel(saved(point)), down.pixel(point.changed.max(NOTHING)));
        let places: Vec<(f64, f64)> = of_family().map(|point| place(&point)).collect();
        if places.len() > 1 {
            drawing.path(&places, fill, "3 3");
        }
        for (point, place) in of_family().zip(places) {
            let hint = format!("{}: {:.0} % saved, {:.3} % changed", point.name, saved(point), 100.0 * point.changed);
            drawing.dot(place, fill, &hint);
        }
    }
}
