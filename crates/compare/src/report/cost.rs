//! Time of each stage, and what happened to the seeds.

use std::fmt::Write as _;

use super::ReportInput;
use super::axis::{Axis, short};
use super::svg::{Anchor, Drawing, colour, escape, legend};
use crate::statistics::{FilterStatistics, RunStatistics};
use crate::text::{percent, thousands};

const LEFT: f64 = 150.0;
const RIGHT: f64 = 620.0;
const WIDTH: f64 = 760.0;

/// Colours of the two runs.
pub(crate) const FILLS: [&str; 2] = [colour::GREY, colour::BLUE];

/// Empty where no statistics were given.
pub(crate) fn section(input: &ReportInput<'_>) -> String {
    let labels = [&input.comparison.a.label, &input.comparison.b.label];
    let runs: Vec<(usize, &RunStatistics)> = [input.statistics_a, input.statistics_b]
        .into_iter()
        .enumerate()
        .filter_map(|(i, run)| Some((i, run?)))
        .collect();
    if runs.is_empty() {
        return String::new();
    }
    let mut html = format!(
        "<section><h2>Cost</h2><figure><figcaption>CPU time of each stage, over all threads.</figcaption>{}{}</figure>",
        legend(runs.iter().map(|(i, _)| (FILLS[*i], format!("{}: {}", ["A", "B"][*i], labels[*i])))),
        stage_figure(&runs)
    );
    html.push_str(&times_table(&runs, labels));
    for (i, run) in &runs {
        if let Some(filter) = &run.filter {
            html.push_str(&seeds(filter, ["A", "B"][*i], labels[*i]));
        }
    }
    html.push_str(&counts_table(&runs, labels));
    html.push_str("</section>");
    html
}

/// Names of the stages of all runs, in the order of the pipeline.
fn stage_names<'a>(runs: &[(usize, &'a RunStatistics)]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for (_, run) in runs.iter().rev() {
        for stage in &run.stages {
            if !names.contains(&stage.name.as_str()) {
                names.push(&stage.name);
            }
        }
    }
    names
}

fn stage_figure(runs: &[(usize, &RunStatistics)]) -> String {
    let names = stage_names(runs);
    let bar = 13.0;
    let row = bar * runs.len() as f64 + 14.0;
    let bottom = 12.0 + row * names.len() as f64;
    let mut drawing = Drawing::new(WIDTH, bottom + 46.0, "Bars: CPU seconds of each stage of both runs");
    let longest = runs.iter().flat_map(|(_, run)| names.iter().map(|name| run.stage_seconds(name))).fold(0.0, f64::max);
    let axis = Axis::linear(0.0, longest, LEFT, RIGHT);
    for tick in axis.ticks() {
        let x = axis.pixel(tick);
        drawing.line([x, 8.0, x, bottom], colour::GRID);
        drawing.text((x, bottom + 18.0), Anchor::Middle, colour::MUTED, &short(tick));
    }
    drawing.text(((LEFT + RIGHT) / 2.0, bottom + 38.0), Anchor::Middle, colour::MUTED, "CPU time, seconds");
    for (number, name) in names.iter().enumerate() {
        let top = 12.0 + row * number as f64;
        drawing.text((LEFT - 10.0, top + row / 2.0 - 2.0), Anchor::End, colour::INK, name);
        for (slot, (i, run)) in runs.iter().enumerate() {
            let seconds = run.stage_seconds(name);
            let y = top + bar * slot as f64;
            let width = axis.pixel(seconds) - LEFT;
            let value = format!("{seconds:.2} s");
            drawing.rectangle([LEFT, y, width, bar - 2.0], FILLS[*i], &format!("{name}: {value}"));
            drawing.text((LEFT + width + 6.0, y + 10.0), Anchor::Start, colour::MUTED, &value);
        }
    }
    drawing.line([LEFT, 8.0, LEFT, bottom], colour::MUTED);
    drawing.finish()
}

fn heads(runs: &[(usize, &RunStatistics)], labels: [&String; 2]) -> String {
    runs.iter().map(|(i, _)| format!("<th>{}: {}</th>", ["A", "B"][*i], escape(labels[*i]))).collect()
}

fn times_table(runs: &[(usize, &RunStatistics)], labels: [&String; 2]) -> String {
    let row = |name: &str, value: &dyn Fn(&RunStatistics) -> String| {
        let cells: String = runs.iter().map(|(_, run)| format!("<td>{}</td>", value(run))).collect();
        format!("<tr><th>{name}</th>{cells}</tr>")
    };
    format!(
        "<table><thead><tr><th></th>{}</tr></thead><tbody>{}{}{}</tbody></table>",
        heads(runs, labels),
        row("CPU time of all stages, s", &|run| format!("{:.2}", run.cpu_seconds())),
        row("elapsed time, s", &|run| format!("{:.2}", run.wall_seconds)),
        row("threads", &|run| run.threads.map_or("-".to_owned(), thousands)),
    )
}

/// Counts that lead the table, in the order of the pipeline; others follow by name.
const PIPELINE: [&str; 5] = ["seeds", "seeds_kept", "chains", "extensions", "regions"];

fn counts_table(runs: &[(usize, &RunStatistics)], labels: [&String; 2]) -> String {
    let known = |name: &str| runs.iter().any(|(_, run)| run.count(name).is_some());
    let mut names: Vec<&str> = PIPELINE.into_iter().filter(|name| known(name)).collect();
    for name in runs.iter().flat_map(|(_, run)| run.counts.keys()) {
        if !names.contains(&name.as_str()) && known(name) {
            names.push(name);
        }
    }
    let mut html = format!("<table><thead><tr><th></th>{}</tr></thead><tbody>", heads(runs, labels));
    for name in names {
        let _ = write!(html, "<tr><th>{}</th>", escape(&name.replace('_', " ")));
        for (_, run) in runs {
            let _ = write!(html, "<td>{}</td>", run.count(name).map_or("-".to_owned(), thousands));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table>");
    html
}

fn seeds(filter: &FilterStatistics, run: &str, label: &str) -> String {
    let kept = filter.seeds_in.saturating_sub(filter.dropped);
    // More rails than kept seeds cannot be; without them the bar has two parts.
    let rails = filter.kept_by_guard_rails.unwrap_or(0).min(kept);
    // Those of chains are among the kept ones, and no more of them.
    let stand_ins = filter.stand_ins.min(kept - rails);
    let proven = filter.proven.min(kept - rails - stand_ins);
    let parts = [
        ("dropped", filter.dropped, colour::VERMILION),
        ("kept, an ungapped alignment stands in", stand_ins, colour::ORANGE),
        ("kept, extension proven", proven, colour::GREEN),
        ("kept by guard rails", rails, colour::SKY),
        ("kept", kept - rails - stand_ins - proven, colour::BLUE),
    ];
    let axis = Axis::linear(0.0, filter.seeds_in as f64, 10.0, WIDTH - 10.0);
    let mut drawing = Drawing::new(WIDTH, 74.0, "Stacked bar: seeds kept and dropped by the filter");
    let mut end = 0;
    for (name, count, fill) in parts {
        let from = axis.pixel(end as f64);
        end += count;
        drawing.rectangle(
            [from, 4.0, axis.pixel(end as f64) - from, 24.0],
            fill,
            &format!("{name}: {}", thousands(count)),
        );
    }
    for tick in axis.ticks() {
        let x = axis.pixel(tick);
        drawing.line([x, 28.0, x, 33.0], colour::MUTED);
        // The numbers at both ends have to stay within the drawing.
        let anchor = match x {
            x if x < 40.0 => Anchor::Start,
            x if x > WIDTH - 40.0 => Anchor::End,
            _ => Anchor::Middle,
        };
        drawing.text((x, 47.0), anchor, colour::MUTED, &thousands(tick as u64));
    }
    drawing.text((WIDTH / 2.0, 67.0), Anchor::Middle, colour::MUTED, "seeds");
    // Parts that this filter does not have need no name.
    let known = parts.into_iter().filter(|(name, count, _)| *count > 0 || ["dropped", "kept"].contains(name));
    let names = known.map(|(name, count, fill)| {
        (fill, format!("{name}: {} ({} %)", thousands(count), percent(count, filter.seeds_in)))
    });
    let details: Vec<String> = [
        filter.model.as_ref().map(|model| format!("model {}", escape(model))),
        filter.backend.as_ref().map(|backend| format!("backend {}", escape(backend))),
        filter.threshold.map(|threshold| format!("threshold {}", short(threshold))),
        filter.scored.map(|scored| format!("{} seeds scored", thousands(scored))),
        Some(filter.tiers()).filter(|tiers| !tiers.is_empty()).map(|tiers| {
            let tier = |(name, seconds): &(&str, f64)| format!("{} {seconds:.2} s", escape(name));
            format!("CPU time of the tiers: {}", tiers.iter().map(tier).collect::<Vec<_>>().join(", "))
        }),
        filter.promised_loss().map(|(loss, confidence)| {
            format!(
                "learned to change at most {} % of reads ({} % confidence)",
                short(100.0 * loss),
                short(100.0 * confidence)
            )
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    format!(
        "<figure><figcaption>Seeds in the filter of {run} ({}): {} in, {} dropped</figcaption><p class=\"files\">{}</p>{}{}</figure>{}",
        escape(label),
        thousands(filter.seeds_in),
        thousands(filter.dropped),
        details.join(", "),
        legend(names),
        drawing.finish(),
        reasons_table(filter)
    )
}

/// Why seeds were kept or extended, the most frequent reason first; nothing where none is told.
fn reasons_table(filter: &FilterStatistics) -> String {
    let mut reasons: Vec<(String, u64)> = filter.reasons().collect();
    if reasons.is_empty() {
        return String::new();
    }
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let row =
        |(reason, count): &(String, u64)| format!("<tr><th>{}</th><td>{}</td></tr>", escape(reason), thousands(*count));
    let rows: String = reasons.iter().map(row).collect();
    format!("<table><thead><tr><th>seeds, by reason</th><th></th></tr></thead><tbody>{rows}</tbody></table>")
}
