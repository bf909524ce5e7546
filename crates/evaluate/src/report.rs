//! The evaluation as one HTML page.

use std::fmt::Write as _;

use seedsieve_report::axis::{Axis, short};
use seedsieve_report::page;
use seedsieve_report::svg::{Anchor, Drawing, colour, escape, legend};

use crate::text::{percent, said};
use crate::{Calibration, Evaluation, ScorerFigures, Stratum, StratumFigures};

/// Side of a plot in pixels, and its margins.
const SIDE: f64 = 280.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 48.0;

/// Colours of the scorers, in their order.
const COLOURS: [&str; 4] = [colour::BLUE, colour::VERMILION, colour::GREEN, colour::GREY];

/// The page: a table, ROC curves, calibration and classes of seeds. It holds no date, so the same input gives the same
/// bytes.
#[must_use]
pub fn html_report(evaluation: &Evaluation, policy: &str, data: &[String]) -> String {
    let models: Vec<&ScorerFigures> =
        evaluation.scorers.iter().filter(|scorer| scorer.at_threshold.is_some()).collect();
    let title = models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>().join(" and ");
    let mut body = format!(
        "<h1>{}</h1><p class=\"files\">{} seeds of {} reads at {} places, {} of them viable by the label policy {}. Data: {}.</p>",
        escape(&title),
        evaluation.seeds,
        evaluation.reads,
        evaluation.places,
        evaluation.viable,
        escape(policy),
        escape(&data.join(", ")),
    );
    body.push_str(&table(evaluation));
    body.push_str(&roc(&evaluation.scorers));
    for model in models {
        let _ = write!(body, "<section><h2>{}</h2>", escape(&model.name));
        if let Some(calibration) = &model.calibration {
            body.push_str(&calibration_plot(calibration));
        }
        body.push_str(&classes(&model.strata));
        body.push_str("</section>");
    }
    page(&format!("{title}: evaluation"), &body, concat!("seedsieve evaluate ", env!("CARGO_PKG_VERSION")))
}

fn table(evaluation: &Evaluation) -> String {
    let heads = ["AUC", "FPR at TPR 95", "at 99", "at 99.9", "TPR at threshold", "FPR at threshold"];
    let heads: String = heads.iter().map(|head| format!("<th>{head}</th>")).collect();
    let mut html = format!("<table><thead><tr><th>in %</th>{heads}</tr></thead><tbody>");
    for scorer in &evaluation.scorers {
        let figures = &scorer.figures;
        let mut cells = vec![format!("{:.3}", 100.0 * figures.auc.value)];
        cells.extend([figures.fpr_at_tpr_95, figures.fpr_at_tpr_99, figures.fpr_at_tpr_999].iter().map(percent));
        match &scorer.at_threshold {
            Some(at) => cells.extend([percent(&at.tpr), percent(&at.fpr)]),
            None => cells.extend(["-".to_owned(), "-".to_owned()]),
        }
        let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
        let _ = write!(html, "<tr><th>{}</th>{cells}</tr>", escape(&scorer.name));
    }
    let _ = write!(
        html,
        "</tbody></table><p class=\"files\">In brackets: 95 % intervals, {} resamples of whole {}. TPR: viable seeds \
         kept; FPR: hopeless seeds kept.</p>",
        evaluation.resamples,
        evaluation.resampled.name()
    );
    if let Some(comparison) = &evaluation.comparison {
        let _ = write!(html, "<p><b>{}.</b></p>", escape(&said(comparison)));
    }
    html
}

fn roc(scorers: &[ScorerFigures]) -> String {
    let whole = roc_plot(scorers, Axis::linear(0.0, 1.0, LEFT, LEFT + SIDE), 0.0, "FPR: hopeless seeds kept");
    let close = roc_plot(scorers, Axis::logarithmic(1e-3, 1.0, LEFT, LEFT + SIDE), 0.9, "FPR, logarithmic scale");
    format!(
        "<section><h2>ROC</h2><figure><figcaption>The whole curve, and its part above a TPR of 0.9. Dots are the models' \
         thresholds.</figcaption>{}<div class=\"pair\">{whole}{close}</div></figure></section>",
        legend(scorers.iter().zip(COLOURS).map(|(scorer, colour)| (colour, scorer.name.clone())))
    )
}

fn roc_plot(scorers: &[ScorerFigures], across: Axis, lowest_tpr: f64, label: &str) -> String {
    let up = Axis::linear(lowest_tpr, 1.0, TOP + SIDE, TOP);
    let mut drawing = frame(&across, &up, label, "TPR: viable seeds kept", "ROC curves of the scorers in the table");
    for (scorer, colour) in scorers.iter().zip(COLOURS) {
        let points: Vec<(f64, f64)> = scorer
            .roc
            .iter()
            .filter(|(_, tpr)| *tpr >= lowest_tpr)
            .map(|&(fpr, tpr)| (across.pixel(fpr), up.pixel(tpr)))
            .collect();
        drawing.path(&points, colour, "");
        if let Some(at) = scorer.at_threshold.as_ref().filter(|at| at.tpr.value >= lowest_tpr) {
            let hint = format!("{} at its threshold {}", scorer.name, at.threshold);
            drawing.dot((across.pixel(at.fpr.value), up.pixel(at.tpr.value)), colour, &hint);
        }
    }
    drawing.finish()
}

fn calibration_plot(calibration: &Calibration) -> String {
    let (across, up) = (Axis::linear(0.0, 1.0, LEFT, LEFT + SIDE), Axis::linear(0.0, 1.0, TOP + SIDE, TOP));
    let mut drawing = frame(&across, &up, "mean score", "share viable", "Share of viable seeds against the score");
    drawing.path(&[(across.pixel(0.0), up.pixel(0.0)), (across.pixel(1.0), up.pixel(1.0))], colour::GREY, "4 3");
    let bins: Vec<_> = calibration.bins.iter().filter(|bin| bin.seeds > 0.0).collect();
    let points: Vec<(f64, f64)> = bins.iter().map(|bin| (across.pixel(bin.mean_score), up.pixel(bin.viable))).collect();
    drawing.path(&points, colour::BLUE, "");
    for (bin, &point) in bins.iter().zip(&points) {
        drawing.dot(point, colour::BLUE, &format!("{} seeds", short(bin.seeds)));
    }
    format!(
        "<figure><figcaption>Calibration: seeds by tenths of the score (mean distance {} %).</figcaption>{}</figure>",
        short(100.0 * calibration.expected_error),
        drawing.finish()
    )
}

/// Axes with ticks and labels.
fn frame(across: &Axis, up: &Axis, label: &str, upright: &str, description: &str) -> Drawing {
    let mut drawing = Drawing::new(LEFT + SIDE + 16.0, TOP + SIDE + BOTTOM, description);
    for tick in across.ticks() {
        let x = across.pixel(tick);
        drawing.line([x, TOP, x, TOP + SIDE], colour::GRID);
        drawing.text((x, TOP + SIDE + 16.0), Anchor::Middle, colour::MUTED, &short(tick));
    }
    for tick in up.ticks() {
        let y = up.pixel(tick);
        drawing.line([LEFT, y, LEFT + SIDE, y], colour::GRID);
        drawing.text((LEFT - 6.0, y + 4.0), Anchor::End, colour::MUTED, &short(tick));
    }
    drawing.text((LEFT + SIDE / 2.0, TOP + SIDE + 38.0), Anchor::Middle, colour::MUTED, label);
    drawing.upright_text((14.0, TOP + SIDE / 2.0), upright);
    drawing
}

fn classes(strata: &[StratumFigures]) -> String {
    let share = |share: Option<f64>| share.map_or("-".to_owned(), |share| format!("{:.2}", 100.0 * share));
    let mut html = String::from(
        "<p>What the threshold keeps, by classes of seeds:</p><table><thead><tr><th></th><th>viable seeds</th>\
         <th>TPR, %</th><th>hopeless seeds</th><th>FPR, %</th></tr></thead>",
    );
    for by in Stratum::ALL {
        html.push_str("<tbody>");
        for class in strata.iter().filter(|class| class.by == by) {
            let to = class.to.map_or("and more".to_owned(), |to| format!("to {to}"));
            let _ = write!(
                html,
                "<tr><th>{} {} {to}</th><td>{:.0}</td><td>{}</td><td>{:.0}</td><td>{}</td></tr>",
                by.name(),
                class.from,
                class.viable,
                share(class.tpr),
                class.hopeless,
                share(class.fpr)
            );
        }
        html.push_str("</tbody>");
    }
    html.push_str("</table>");
    html
}
