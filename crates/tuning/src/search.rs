//! The search for the narrowest bands within a stated loss.

use std::collections::HashMap;

use seedsieve_aligner::{AlignerError, Bands, NetworkBand, StudentBand};

use crate::bench::Trial;

/// What is asked of the bands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aim {
    /// The largest share of reads with an alignment of -T or more that may be changed, in every work.
    pub loss: f64,
    /// Confidence with which that is to hold.
    pub confidence: f64,
    /// Whether there are pairs to learn from.
    pub pairs: bool,
    /// Whether there are single reads to learn from.
    pub singles: bool,
}

/// Bands, and what they do to each work.
#[derive(Debug, Clone)]
pub struct Learned {
    /// The bands.
    pub bands: Bands,
    /// A trial a work.
    pub trials: Vec<Trial>,
}

/// Why no bands were learned.
#[derive(Debug, thiserror::Error)]
pub enum TuningError {
    /// The aligner failed.
    #[error(transparent)]
    Aligner(#[from] AlignerError),
    /// The loss that was asked for cannot be shown on these reads.
    #[error(
        "even the widest bands change {changed} of {reported} reads of work {work} at {loci} loci: a share of at most \
         {at_most:.5} at this confidence; state a larger loss (or give reads of more loci)"
    )]
    Infeasible {
        /// Number of the work, from 0.
        work: usize,
        /// Its changed reads, learned from.
        changed: u64,
        /// Its reads.
        reported: u64,
        /// Its loci.
        loci: u64,
        /// Upper bound of the loss.
        at_most: f64,
    },
}

/// One number of the bands and the values that are tried for it, from the one that saves most to the one that loses least.
struct Ladder {
    value: fn(&mut Bands) -> &mut u16,
    rungs: &'static [u16],
    learned_from: From,
}

/// What has a bearing on a number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Reads,
    Pairs,
    Singles,
    /// Reads, where the bands have a student.
    Student,
    /// Reads, where the bands have the convolutional network and no student.
    Network,
}

/// The numbers that decide, the costliest first. Lengths of gaps and distances are no matter of loss, and stay.
const LADDERS: [Ladder; 10] = [
    Ladder {
        value: |bands| &mut bands.near_best,
        rungs: &[0, 4, 7, 10, 12, 14, 17, 20, 24, 30],
        learned_from: From::Pairs,
    },
    Ladder {
        value: |bands| &mut of_student(bands).keep,
        rungs: &[900, 700, 500, 300, 150, 50, 20],
        learned_from: From::Student,
    },
    Ladder { value: |bands| &mut of_student(bands).points, rungs: &[0, 4, 8, 12, 16, 20], learned_from: From::Student },
    Ladder {
        value: |bands| &mut of_network(bands).keep,
        rungs: &[900, 700, 500, 300, 150, 50],
        learned_from: From::Network,
    },
    Ladder {
        value: |bands| of_network(bands).points.get_or_insert(0),
        rungs: &[0, 4, 8, 12, 16, 20],
        learned_from: From::Network,
    },
    Ladder { value: |bands| &mut bands.unseeded_gain, rungs: &[0, 8, 12, 16, 20, 24, 30], learned_from: From::Reads },
    Ladder { value: |bands| &mut bands.hopeless, rungs: &[0, 2, 4, 6, 8, 10, 14], learned_from: From::Pairs },
    Ladder {
        value: |bands| &mut bands.near_best_single,
        rungs: &[0, 2, 4, 7, 10, 14, 17, 20, 24],
        learned_from: From::Singles,
    },
    Ladder { value: |bands| &mut bands.runners_up, rungs: &[0, 1, 2, 3], learned_from: From::Reads },
    Ladder { value: |bands| &mut bands.pairing_slack, rungs: &[0, 3, 6, 10], learned_from: From::Pairs },
];

fn of_student(bands: &mut Bands) -> &mut StudentBand {
    bands.student.as_mut().expect("asked for only where there is one")
}

fn of_network(bands: &mut Bands) -> &mut NetworkBand {
    bands.network.as_mut().expect("asked for only where there is one")
}

/// Times that all numbers are gone through. Each opens an equal part of the loss that is left, so that the first number does
/// not take it all.
const PASSES: usize = 3;

/// The narrowest bands whose loss on the loci learned from is, at the confidence asked for, no more than stated in each work.
/// Numbers on which the reads have no bearing are those of `start`.
///
/// `run` gives a trial a work for bands; `seen` is told of each.
///
/// # Errors
/// [`TuningError::Infeasible`] if the widest bands lose more; whatever `run` reports.
pub fn learn(
    start: Bands,
    aim: &Aim,
    run: impl Fn(Bands) -> Result<Vec<Trial>, AlignerError>,
    mut seen: impl FnMut(&Learned),
) -> Result<Learned, TuningError> {
    let ladders = || {
        LADDERS.iter().filter(|ladder| match ladder.learned_from {
            From::Reads => true,
            From::Pairs => aim.pairs,
            From::Singles => aim.singles,
            From::Student => start.student.is_some(),
            From::Network => start.network.is_some() && start.student.is_none(),
        })
    };
    let mut known: HashMap<Bands, Vec<Trial>> = HashMap::new();
    let mut at = |bands: Bands| -> Result<Learned, AlignerError> {
        if let Some(trials) = known.get(&bands) {
            return Ok(Learned { bands, trials: trials.clone() });
        }
        let trials = run(bands)?;
        known.insert(bands, trials.clone());
        let learned = Learned { bands, trials };
        seen(&learned);
        Ok(learned)
    };
    let mut widest = start;
    for ladder in ladders() {
        *(ladder.value)(&mut widest) = *ladder.rungs.last().expect("a ladder has rungs");
    }
    let mut best = at(widest)?;
    let least = best.losses(aim.confidence);
    if let Some(work) = least.iter().position(|loss| *loss > aim.loss) {
        let of_work = best.trials[work].learned;
        let (changed, reported, loci) = (of_work.changed, of_work.reported, of_work.loci);
        return Err(TuningError::Infeasible { work, changed, reported, loci, at_most: least[work] });
    }
    for pass in 1..=PASSES {
        let open = pass as f64 / PASSES as f64;
        let allowed: Vec<f64> = least.iter().map(|least| least + (aim.loss - least) * open).collect();
        for ladder in ladders() {
            // Rungs before the present one, of which the first that loses little enough is looked for.
            let now = *(ladder.value)(&mut best.bands.clone());
            let before = ladder.rungs.iter().position(|rung| *rung == now).expect("it started on the last rung");
            let rungs = &ladder.rungs[..before];
            let (mut low, mut high) = (0, rungs.len());
            while low < high {
                let middle = usize::midpoint(low, high);
                let mut bands = best.bands;
                *(ladder.value)(&mut bands) = rungs[middle];
                let tried = at(bands)?;
                let keeps = tried.losses(aim.confidence).iter().zip(&allowed).all(|(loss, allowed)| loss <= allowed);
                if keeps && tried.cost() <= best.cost() {
                    best = tried;
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
        }
    }
    Ok(best)
}

impl Learned {
    /// Upper bounds of the loss at this confidence, a work each, on the loci learned from.
    fn losses(&self, confidence: f64) -> Vec<f64> {
        self.trials.iter().map(|trial| trial.learned.loss_at_most(confidence)).collect()
    }

    /// The cost of all works.
    #[must_use]
    pub fn cost(&self) -> f64 {
        self.trials.iter().map(|trial| trial.cost).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Tally;
    use seedsieve_aligner::Statistics;

    /// Each number that falls below what the reads need costs changes; each step down saves.
    fn made_up(bands: Bands) -> Result<Vec<Trial>, AlignerError> {
        let missing = |needed: u16, given: u16| u64::from(needed.saturating_sub(given));
        let changed = 2
            + 3 * missing(12, bands.near_best)
            + missing(16, bands.unseeded_gain)
            + 50 * missing(1, bands.runners_up)
            + missing(3, bands.pairing_slack);
        let learned = Tally { reported: 20_000, loci: 10_000, changed, ..Tally::default() };
        let sum = bands.near_best + bands.unseeded_gain + bands.hopeless + bands.runners_up + bands.pairing_slack;
        let statistics = Statistics::default();
        Ok(vec![Trial { learned, checked: learned, cost: sum.into(), statistics }])
    }

    fn aim(loss: f64) -> Aim {
        Aim { loss, confidence: 0.95, pairs: true, singles: false }
    }

    #[test]
    fn a_small_loss_keeps_what_the_reads_need() {
        let start = Bands::built_in();
        let learned = learn(start, &aim(0.000_5), made_up, |_| ()).unwrap();
        let bands = learned.bands;
        assert_eq!((bands.near_best, bands.unseeded_gain, bands.hopeless), (12, 16, 0));
        assert_eq!((bands.runners_up, bands.pairing_slack), (1, 3));
        assert_eq!(bands.near_best_single, start.near_best_single, "there is no single read to learn it from");
        assert!(learned.losses(0.95)[0] <= 0.000_5);
    }

    #[test]
    fn a_larger_loss_buys_narrower_bands_and_an_impossible_one_is_refused() {
        let small = learn(Bands::built_in(), &aim(0.000_5), made_up, |_| ()).unwrap();
        let large = learn(Bands::built_in(), &aim(0.005), made_up, |_| ()).unwrap();
        assert!(large.cost() < small.cost());
        assert!(large.losses(0.95)[0] <= 0.005);
        let error = learn(Bands::built_in(), &aim(0.000_1), made_up, |_| ()).unwrap_err().to_string();
        assert!(error.contains("2 of 20000 reads"), "{error}");
    }

    #[test]
    fn the_network_is_learned_where_the_bands_have_one_and_no_student() {
        let network = Some(NetworkBand { points: Some(0), keep: 500, tolerance: 20 });
        let start = Bands { student: None, network, ..Bands::built_in() };
        // It mends what narrow bands change, where it is asked about 12 points and heard from 300.
        let mended = |bands: Bands| {
            let mut trials = made_up(bands)?;
            let asked = bands.network.filter(|network| network.points >= Some(12) && network.keep <= 300);
            let missing = 12u16.saturating_sub(bands.near_best);
            if asked.is_some() {
                trials[0].learned.changed -= 3 * u64::from(missing);
            }
            let points = bands.network.and_then(|network| network.points).unwrap_or(0);
            trials[0].cost +=
                f64::from(points) / 4.0 + f64::from(1_000 - bands.network.map_or(0, |band| band.keep)) / 400.0;
            Ok(trials)
        };
        let learned = learn(start, &aim(0.000_5), mended, |_| ()).unwrap();
        assert_eq!(learned.bands.network, Some(NetworkBand { points: Some(12), keep: 300, tolerance: 20 }));
        assert_eq!((learned.bands.near_best, learned.bands.student), (0, None));
        let student = Some(StudentBand { points: 0, keep: 500, drop: None });
        let both = learn(Bands { student, ..start }, &aim(0.000_5), made_up, |_| ()).unwrap();
        assert_eq!(both.bands.network, network, "behind a student it is not learned");
    }
}
