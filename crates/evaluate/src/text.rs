//! An evaluation as a table for terminals.

use std::fmt::Write as _;

use crate::{Comparison, Evaluation, Interval, Verdict};

/// A figure in per cent, with its interval.
pub(crate) fn percent(interval: &Interval) -> String {
    let Interval { value, low, high } = interval;
    format!("{:.2} ({:.2}-{:.2})", 100.0 * value, 100.0 * low, 100.0 * high)
}

/// The figures of each scorer in per cent, with their intervals, and the verdict where there are two models.
#[must_use]
pub fn text_table(evaluation: &Evaluation) -> String {
    let Evaluation { seeds, viable, reads, places, resamples, resampled, scorers, comparison } = evaluation;
    let mut text = format!("{seeds} seeds of {reads} reads at {places} places, {viable} of them viable\n\n");
    let width = scorers.iter().map(|scorer| scorer.name.chars().count()).max().unwrap_or(0).max(8);
    let _ = writeln!(
        text,
        "{:width$}  {:>8}  {:>22}  {:>22}  {:>22}  {:>22}  {:>22}",
        "in %", "AUC", "FPR at TPR 95", "FPR at TPR 99", "FPR at TPR 99.9", "TPR at threshold", "FPR at threshold"
    );
    for scorer in scorers {
        let figures = &scorer.figures;
        let (tpr, fpr) = match &scorer.at_threshold {
            Some(at) => (percent(&at.tpr), percent(&at.fpr)),
            None => ("-".to_owned(), "-".to_owned()),
        };
        let _ = writeln!(
            text,
            "{:width$}  {:>8.3}  {:>22}  {:>22}  {:>22}  {tpr:>22}  {fpr:>22}",
            scorer.name,
            100.0 * figures.auc.value,
            percent(&figures.fpr_at_tpr_95),
            percent(&figures.fpr_at_tpr_99),
            percent(&figures.fpr_at_tpr_999),
        );
    }
    let _ = writeln!(text, "\nIn brackets: 95 % intervals, {resamples} resamples of whole {}.", resampled.name());
    if let Some(comparison) = comparison {
        text.push_str(&verdict(comparison));
    }
    text
}

fn verdict(comparison: &Comparison) -> String {
    let Comparison { first, second, differences, .. } = comparison;
    let mut text = format!("\n{second} less {first}, in percentage points:\n");
    for one in differences {
        let _ = writeln!(text, "  {:<18} {:>22}   p = {:.3}", one.figure, percent(&one.difference), one.p_value);
    }
    let _ = writeln!(text, "{}.", said(comparison));
    text
}

/// The verdict in words.
pub(crate) fn said(comparison: &Comparison) -> String {
    let better = |name: &str| format!("{name} is better: it keeps fewer hopeless seeds at a TPR of 99.9 %");
    match comparison.verdict {
        Verdict::SecondIsBetter => better(&comparison.second),
        Verdict::FirstIsBetter => better(&comparison.first),
        Verdict::NoDifferenceShown => "these data show no difference at a TPR of 99.9 %".to_owned(),
    }
}
