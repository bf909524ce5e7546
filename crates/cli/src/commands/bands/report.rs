//! What is said of bands: a line while they are looked for, a table of what they change, and what their file holds of it.

use std::fmt::Write as _;

use seedsieve_filter::{HalfLoss, Loss, WorkLoss};
use seedsieve_tuning::{Aim, Bench, Learned, Tally, Trial};

/// One setting of the bands in one line.
pub fn line(learned: &Learned, confidence: f64) -> String {
    let bands = &learned.bands;
    let numbers = [
        ("near_best", bands.near_best),
        ("near_best_single", bands.near_best_single),
        ("runners_up", bands.runners_up),
        ("pairing_slack", bands.pairing_slack),
        ("unseeded_gain", bands.unseeded_gain),
        ("hopeless", bands.hopeless),
    ];
    let mut numbers = numbers.map(|(name, value)| format!("{name} {value}")).join(", ");
    if let Some(student) = bands.student {
        let _ =
            write!(numbers, ", student asked within {} points and heard from {}/1000", student.points, student.keep);
    }
    if let Some(network) = bands.network {
        let within =
            network.points.map_or_else(|| "in what that leaves".to_owned(), |points| format!("within {points} points"));
        let _ = write!(numbers, ", network asked {within} and heard from {}/1000", network.keep);
    }
    let losses = learned.trials.iter().map(|trial| {
        let Tally { changed, reported, .. } = trial.learned;
        format!("{changed} of {reported} (at most {:.5})", trial.learned.loss_at_most(confidence))
    });
    format!("{numbers}: cost {:.0}, changed {}", learned.cost(), losses.collect::<Vec<_>>().join(", "))
}

/// What bands change of each work, on either half of the loci.
pub fn table(bench: &Bench<'_>, learned: &Learned, confidence: f64) -> String {
    let mut text = format!(
        "{}\nchanged: reads that reach -T without a filter and are lost or elsewhere with it; upper bounds at {confidence}\n",
        line(learned, confidence)
    );
    for (work, trial) in bench.works().iter().zip(&learned.trials) {
        let _ = writeln!(text, "{}: {:.2} extensions a read", work.name, extensions_per_read(trial));
        for (name, tally) in [("learned from", &trial.learned), ("the other loci", &trial.checked)] {
            let _ = writeln!(
                text,
                "  {name:<14} {} of {} reads at {} loci: {:.5}, at most {:.5}; lost {}; MAPQ >= 20: {} of {}, CIGAR or MAPQ \
                 of {} more",
                tally.changed,
                tally.reported,
                tally.loci,
                tally.loss(),
                tally.loss_at_most(confidence),
                tally.lost,
                tally.confident_changed,
                tally.confident,
                tally.confident_altered
            );
        }
    }
    text
}

/// What the file says of the loss of learned bands.
pub fn loss(bench: &Bench<'_>, learned: &Learned, aim: &Aim, command: &str) -> Loss {
    let half = |tally: &Tally| HalfLoss {
        reads: tally.reported,
        loci: tally.loci,
        changed: tally.changed,
        confident_changed: tally.confident_changed,
        upper_bound: digits(tally.loss_at_most(aim.confidence)),
    };
    let work = |(name, trial): (&str, &Trial)| WorkLoss {
        work: name.to_owned(),
        learned: half(&trial.learned),
        checked: half(&trial.checked),
        extensions_per_read: digits(extensions_per_read(trial)),
    };
    let names = bench.works().iter().map(|work| work.name.as_str());
    let works: Vec<WorkLoss> = names.zip(&learned.trials).map(work).collect();
    let largest = |value: fn(&WorkLoss) -> f64| works.iter().map(value).fold(0.0, f64::max);
    Loss {
        stated: aim.loss,
        confidence: aim.confidence,
        measured: digits(learned.trials.iter().map(|trial| trial.checked.loss()).fold(0.0, f64::max)),
        measured_upper_bound: largest(|work| work.checked.upper_bound),
        reads: works.iter().map(|work| work.learned.reads + work.checked.reads).sum(),
        command: command.to_owned(),
        works,
    }
}

fn extensions_per_read(trial: &Trial) -> f64 {
    let statistics = &trial.statistics;
    (statistics.extensions - statistics.proven_extensions) as f64 / statistics.reads.max(1) as f64
}

/// Six decimals: what lies behind them is noise.
fn digits(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}
