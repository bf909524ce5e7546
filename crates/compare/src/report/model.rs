//! The model of the filter on held-out seeds: ROC and scores.

use std::fmt::Write as _;

use super::axis::{Axis, short};
use super::svg::{Anchor, Drawing, colour, escape, legend};
use crate::metrics::{ModelMetrics, ScoreHistogram};
use crate::text::thousands;

/// Side of one ROC plot in pixels, and its margins.
const SIDE: f64 = 280.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 48.0;

const BASELINE_FILLS: [&str; 4] = [colour::ORANGE, colour::GREEN, colour::PURPLE, colour::GREY];
const DASHES: [&str; 4] = ["7 4", "2 4", "10 3 2 3", "4 2"];

struct Curve<'a> {
    name: &'a str,
    points: &'a [(f64, f64)],
    fill: &'static str,
    dashes: &'static str,
}

pub(crate) fn section(metrics: &ModelMetrics) -> String {
    let mut curves = vec![Curve { name: &metrics.name, points: &metrics.test.roc, fill: colour::BLUE, dashes: "" }];
    for (index, (name, baseline)) in metrics.baselines.iter().enumerate() {
        let (fill, dashes) = (BASELINE_FILLS[index % 4], DASHES[index % 4]);
        curves.push(Curve { name, points: &baseline.roc, fill, dashes });
    }
    let whole = roc(&curves, metrics, Axis::linear(0.0, 1.0, LEFT, LEFT + SIDE), (0.0, "FPR: hopeless seeds kept"));
    let detail_axis = Axis::logarithmic(0.001, 1.0, LEFT, LEFT + SIDE);
    let detail = roc(&curves, metrics, detail_axis, (0.9, "FPR, logarithmic scale"));
    let facts: Vec<String> = [
        metrics.parameters.map(|count| format!("{} parameters", thousands(count))),
        metrics.policy.as_ref().map(|policy| format!("label policy {}", escape(policy))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut html = format!(
        "<section><h2>The model on held-out seeds</h2><p>{} {}</p><figure><figcaption>ROC: the whole curve, and its part \
         above a TPR of 0.9. The dot is the decision threshold.</figcaption>{}<div class=\"pair\">{whole}{detail}</div></figure>",
        escape(&metrics.name),
        if facts.is_empty() { String::new() } else { format!("({})", facts.join(", ")) },
        legend(curves.iter().map(|curve| (curve.fill, curve.name.to_owned())))
    );
    html.push_str(&table(metrics));
    if let Some(histogram) = &metrics.test.histogram {
        let _ = write!(
            html,
            "<figure><figcaption>Scores of held-out seeds, each class for itself (logarithmic scale).</figcaption>{}{}</figure>",
            legend([(colour::BLUE, "viable".to_owned()), (colour::VERMILION, "hopeless".to_owned())]),
            scores(histogram, metrics.test.at_threshold.map(|point| point.threshold))
        );
    }
    html.push_str("</section>");
    html
}

fn roc(curves: &[Curve<'_>], metrics: &ModelMetrics, x: Axis, (lowest_tpr, x_label): (f64, &str)) -> String {
    let description = format!("ROC of {} and its baselines, TPR from {lowest_tpr}", metrics.name);
    let mut drawing = Drawing::new(LEFT + SIDE + 24.0, TOP + SIDE + BOTTOM, &description);
    let y = Axis::linear(lowest_tpr, 1.0, TOP + SIDE, TOP);
    for tick in x.ticks() {
        drawing.line([x.pixel(tick), TOP, x.pixel(tick), TOP + SIDE], colour::GRID);
        drawing.text((x.pixel(tick), TOP + SIDE + 18.0), Anchor::Middle, colour::MUTED, &short(tick));
    }
    for tick in y.ticks() {
        drawing.line([LEFT, y.pixel(tick), LEFT + SIDE, y.pixel(tick)], colour::GRID);
        drawing.text((LEFT - 8.0, y.pixel(tick) + 4.0), Anchor::End, colour::MUTED, &short(tick));
    }
    drawing.text((LEFT + SIDE / 2.0, TOP + SIDE + 40.0), Anchor::Middle, colour::MUTED, x_label);
    drawing.upright_text((14.0, TOP + SIDE / 2.0), "TPR: viable seeds kept");
    // The network last, on top of its baselines.
    for curve in curves.iter().rev() {
        drawing.path(
            &visible(curve.points, lowest_tpr, |fpr, tpr| (x.pixel(fpr), y.pixel(tpr))),
            curve.fill,
            curve.dashes,
        );
    }
    if let Some(point) = metrics.test.at_threshold.filter(|point| point.tpr >= lowest_tpr) {
        let hint = format!("threshold {}: TPR {}, FPR {}", short(point.threshold), short(point.tpr), short(point.fpr));
        drawing.dot((x.pixel(point.fpr), y.pixel(point.tpr)), colour::INK, &hint);
    }
    drawing.finish()
}

/// The part of a curve from a TPR on, cut where it enters.
fn visible(points: &[(f64, f64)], lowest_tpr: f64, place: impl Fn(f64, f64) -> (f64, f64)) -> Vec<(f64, f64)> {
    let start = points.iter().position(|&(_, tpr)| tpr >= lowest_tpr).unwrap_or(points.len());
    let mut shown = Vec::new();
    if let (Some(&(fpr0, tpr0)), Some(&(fpr1, tpr1))) = (points[..start].last(), points.get(start)) {
        let share = (lowest_tpr - tpr0) / (tpr1 - tpr0);
        shown.push(place(fpr0 + share * (fpr1 - fpr0), lowest_tpr));
    }
    shown.extend(points[start..].iter().map(|&(fpr, tpr)| place(fpr, tpr)));
    shown
}

fn table(metrics: &ModelMetrics) -> String {
    let levels: Vec<&String> = metrics.test.fpr_at_tpr.keys().collect();
    let mut html = String::from("<table><thead><tr><th>scorer</th><th>AUC</th>");
    for level in &levels {
        let _ = write!(html, "<th>FPR at TPR {}</th>", escape(level));
    }
    html.push_str("</tr></thead><tbody>");
    let baselines = metrics.baselines.iter().map(|(name, baseline)| (name, baseline.auc, &baseline.fpr_at_tpr));
    for (name, auc, fprs) in
        std::iter::once((&metrics.name, metrics.test.auc, &metrics.test.fpr_at_tpr)).chain(baselines)
    {
        let _ = write!(html, "<tr><th>{}</th><td>{auc:.4}</td>", escape(name));
        for &level in &levels {
            let fpr = fprs.get(level).copied().flatten().map_or("-".to_owned(), |fpr| format!("{fpr:.4}"));
            let _ = write!(html, "<td>{fpr}</td>");
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table>");
    if let Some(point) = metrics.test.at_threshold {
        let _ = write!(
            html,
            "<p>At the decision threshold {}: {:.2} % of the viable and {:.2} % of the hopeless seeds are kept.</p>",
            short(point.threshold),
            100.0 * point.tpr,
            100.0 * point.fpr
        );
    }
    html
}

fn scores(histogram: &ScoreHistogram, threshold: Option<f64>) -> String {
    let (width, height) = (700.0, 220.0);
    let mut drawing = Drawing::new(760.0, TOP + height + BOTTOM, "Score distributions of viable and hopeless seeds");
    let edges = &histogram.edges;
    let (low, high) = (edges.first().copied().unwrap_or(0.0), edges.last().copied().unwrap_or(1.0));
    let x = Axis::linear(low, high, LEFT, LEFT + width - 20.0);
    let y = Axis::logarithmic(0.01, 100.0, TOP + height, TOP);
    for tick in x.ticks() {
        drawing.line([x.pixel(tick), TOP, x.pixel(tick), TOP + height], colour::GRID);
        drawing.text((x.pixel(tick), TOP + height + 18.0), Anchor::Middle, colour::MUTED, &short(tick));
    }
    for tick in y.ticks() {
        drawing.line([LEFT, y.pixel(tick), x.pixel(high), y.pixel(tick)], colour::GRID);
        drawing.text((LEFT - 8.0, y.pixel(tick) + 4.0), Anchor::End, colour::MUTED, &short(tick));
    }
    drawing.text(
        (x.pixel((low + high) / 2.0), TOP + height + 40.0),
        Anchor::Middle,
        colour::MUTED,
        "score of the seed",
    );
    drawing.upright_text((14.0, TOP + height / 2.0), "seeds of the class, %");
    for (counts, fill) in [(&histogram.hopeless, colour::VERMILION), (&histogram.viable, colour::BLUE)] {
        let total: f64 = counts.iter().sum();
        let mut outline = Vec::new();
        for (count, edge) in counts.iter().zip(edges.windows(2)) {
            let top = y.pixel(if total > 0.0 { 100.0 * count / total } else { 0.0 });
            outline.extend([(x.pixel(edge[0]), top), (x.pixel(edge[1]), top)]);
        }
        let floor = [(x.pixel(high), TOP + height), (x.pixel(low), TOP + height)];
        drawing.area(&[outline.as_slice(), &floor].concat(), fill);
        drawing.path(&outline, fill, "");
    }
    if let Some(threshold) = threshold {
        let at = x.pixel(threshold);
        drawing.line([at, TOP, at, TOP + height], colour::INK);
        drawing.text((at + 6.0, TOP + 14.0), Anchor::Start, colour::INK, &format!("threshold {}", short(threshold)));
    }
    drawing.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_cut_where_it_enters_the_plot() {
        let points = [(0.0, 0.0), (0.2, 0.8), (0.4, 1.0)];
        let shown = visible(&points, 0.9, |fpr, tpr| (fpr, tpr));
        assert_eq!(shown.len(), 2);
        assert!((shown[0].0 - 0.3).abs() < 1e-9 && shown[0].1 == 0.9, "{shown:?}");
        assert_eq!(visible(&points, 0.0, |fpr, tpr| (fpr, tpr)), points);
        assert!(visible(&[], 0.9, |fpr, tpr| (fpr, tpr)).is_empty());
    }
}
