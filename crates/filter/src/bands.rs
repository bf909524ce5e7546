use serde::{Deserialize, Serialize};

use crate::bands_file::BandsFile;
use crate::cascade::CascadeSettings;
use crate::competition::Competition;
use crate::diagonal::Scoring;

/// The bands of the cascade: the numbers by which it decides what is sure and what is in doubt. Scores are for a match of
/// 1 (bwa's -A) and grow with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bands {
    /// An ungapped extension ends this far below its best.
    pub drop: u16,
    /// Seeds below this ungapped score are not looked at for gaps.
    pub gap_from: u16,
    /// A gap beside the seed's diagonal is tried where at most so much is missing.
    pub unseeded_gain: u16,
    /// Longest gap that is tried beside the seed's own diagonal.
    pub shifts: u16,
    /// Matches in a row (1 to 64) that make another diagonal worth a closer look.
    pub run: u16,
    /// Longest gap between two seeds that is bridged.
    pub bridge: u16,
    /// A seed of a paired read is extended when its bound is at most this much below the best of its part of the read.
    pub near_best: u16,
    /// The same for single reads.
    pub near_best_single: u16,
    /// Seeds further below that are extended nevertheless.
    pub runners_up: u16,
    /// What is added to -U: a seed so far below the best is extended beside a good seed of the mate.
    pub pairing_slack: u16,
    /// A seed lies beside one of the mate when the two are at most this far apart.
    pub mate_distance: u16,
    /// The best seeds of a pair that cannot be reported are extended where they miss -T by this much at most.
    pub hopeless: u16,
    /// What a student network decides; nothing where it is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub student: Option<StudentBand>,
    /// What the convolutional network decides; nothing where it is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkBand>,
}

/// The seeds that are in doubt, and what a student network has to say for one to be extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudentBand {
    /// Seeds that miss what would keep them by so many points at most are in doubt.
    pub points: u16,
    /// Viability from which on one is extended, in thousandths.
    pub keep: u16,
    /// Viability below which one is surely hopeless, in thousandths. What lies between the two is asked of the network where
    /// there is one, else not extended. `keep` where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drop: Option<u16>,
}

/// The seeds that the convolutional network is asked about, and what it has to say for one to be extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkBand {
    /// Seeds that miss what would keep them by so many points at most are in doubt: given where there is no student. With one
    /// it is the student that leaves seeds in doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<u16>,
    /// Viability from which on a seed is extended, in thousandths.
    pub keep: u16,
    /// How far rounding may move a score, in thousandths: scores so near to `keep` are computed again in exact arithmetic, and
    /// where that cannot be had the seeds are extended.
    pub tolerance: u16,
}

impl Bands {
    /// The bands that are built in.
    #[must_use]
    pub fn built_in() -> Self {
        BandsFile::built_in().bands
    }

    /// What is wrong with the numbers, in one line.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !(1..=64).contains(&self.run) {
            return Err(format!("\"run\" is {}; valid are 1 to 64", self.run));
        }
        if let Some(student) = &self.student {
            student.check()?;
        }
        if let Some(network) = &self.network {
            network.check(self.student.is_some())?;
        }
        Ok(())
    }

    /// Seeds that miss what would have them extended by so many points at most are in doubt, for a match of 1; nothing where no
    /// network is asked.
    #[must_use]
    pub fn doubt(&self) -> Option<u16> {
        self.student.map(|student| student.points).or_else(|| self.network.and_then(|network| network.points))
    }

    /// The settings of these bands under bwa's default scores.
    #[must_use]
    pub fn settings(&self) -> CascadeSettings {
        self.under(Scoring::default(), 30, 17, 50)
    }

    /// The settings of these bands: under these scores, this -T, -U and -m.
    #[must_use]
    pub fn under(&self, scoring: Scoring, report_score: i32, unpaired: i32, anchors: usize) -> CascadeSettings {
        let scaled = |score: u16| i32::from(score) * scoring.matched;
        CascadeSettings {
            scoring,
            competition: Competition {
                report_score,
                slack: 0,
                near_best: scaled(self.near_best),
                near_best_single: scaled(self.near_best_single),
                runners_up: self.runners_up.into(),
                pairing: unpaired + scaled(self.pairing_slack),
                anchors,
                mate_distance: self.mate_distance.into(),
                bridge: self.bridge.into(),
                hopeless: scaled(self.hopeless),
            },
            drop: scaled(self.drop),
            gap_from: scaled(self.gap_from),
            unseeded_gain: scaled(self.unseeded_gain),
            shifts: self.shifts.into(),
            run: self.run.into(),
            bridge: self.bridge.into(),
        }
    }
}

/// A number of thousandths of this name.
fn check_thousandths(name: &str, number: u16) -> Result<(), String> {
    match number {
        0..=1_000 => Ok(()),
        _ => Err(format!("\"{name}\" is {number}; valid are 0 to 1000 thousandths")),
    }
}

impl StudentBand {
    fn check(&self) -> Result<(), String> {
        check_thousandths("keep", self.keep)?;
        match self.drop {
            Some(drop) if drop > self.keep => {
                Err(format!("\"drop\" of the student is {drop}; valid are 0 to \"keep\", which is {}", self.keep))
            }
            _ => Ok(()),
        }
    }
}

impl NetworkBand {
    fn check(&self, has_student: bool) -> Result<(), String> {
        check_thousandths("keep", self.keep)?;
        if self.tolerance >= self.keep.max(1) {
            return Err(format!(
                "\"tolerance\" of the network is {}; valid are numbers below \"keep\", which is {}",
                self.tolerance, self.keep
            ));
        }
        match (has_student, self.points) {
            (false, None) => {
                Err("the \"network\" has no \"points\" and there is no \"student\": no seed is in doubt".into())
            }
            (true, Some(_)) => {
                Err("the \"network\" has \"points\", but with a \"student\" it is asked what that leaves in doubt"
                    .into())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_grow_with_the_match() {
        let bands = Bands::built_in();
        let twice = bands.under(Scoring { matched: 2, ..Scoring::default() }, 60, 34, 50);
        assert_eq!(twice.competition.near_best, 2 * bands.settings().competition.near_best);
        assert_eq!((twice.gap_from, twice.bridge), (2 * bands.settings().gap_from, bands.settings().bridge));
    }
}
