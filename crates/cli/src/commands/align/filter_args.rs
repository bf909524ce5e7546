//! Arguments of the seed filter, and what follows from them.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use seedsieve_aligner::{Bands, BandsFile, GateChoice, SeedScorer};

use crate::commands::cascade_network::CascadeNetwork;
use crate::commands::student::student;

#[derive(clap::Args)]
#[command(next_help_heading = "Seed filter")]
pub struct Filter {
    /// Leave out what is not worth the work: off; exact (only what is proven to change no record); cascade (integer
    /// arithmetic on seeds that compete); cnn (every seed through the network) [default: off].
    #[arg(long, value_name = "MODE")]
    pub filter: Option<FilterChoice>,
    /// Where the filter decides: seeding (after the longest matches), seeds (before chaining), extensions (before
    /// Smith-Waterman), rescue (before mates are looked for) [default: all of them].
    #[arg(long, value_name = "GATES", value_delimiter = ',')]
    pub gate: Option<Vec<GateName>>,
    /// Bands of the cascade [default: those that are built in, models/cascade_v3.json].
    #[arg(long, value_name = "FILE.json")]
    pub cascade: Option<PathBuf>,
    /// How far the cascade goes: 1, integer arithmetic alone; 2, a student network is asked about seeds in doubt; 3, the
    /// convolutional network about what is still in doubt [default: as far as the bands have numbers for, "student" and
    /// "network"].
    #[arg(long, value_name = "TIERS", value_parser = clap::value_parser!(u8).range(1..=3))]
    pub cascade_tiers: Option<u8>,
    /// Student network that is asked [default: the one that is built in, models/seed_student_near_v2_int8.onnx].
    #[arg(long, value_name = "FILE.onnx")]
    pub student: Option<PathBuf>,
    /// The filter on: as --filter cnn where an option of the network is given, else as --filter cascade.
    #[arg(long)]
    pub npu_filter: bool,
    /// Viability below which a seed is dropped [default: the model's own].
    #[arg(long, value_name = "SCORE", value_parser = finite)]
    pub npu_threshold: Option<f32>,
    /// Inference backend: auto, native, ort, tract, fastest (measured once), or one that `seedsieve backends` lists
    /// [default: auto].
    #[arg(long, value_name = "NAME")]
    pub npu_backend: Option<seedsieve_inference::BackendChoice>,
    /// Fewest reads in a chunk (-K) for the network to be asked [default: 64].
    #[arg(long, value_name = "READS")]
    pub npu_min_batch: Option<usize>,
    /// ONNX Runtime library to load [default: looked for in the places that `seedsieve backends` tells].
    #[arg(long, value_name = "FILE")]
    pub ort_library: Option<PathBuf>,
    /// Model file [default: the one that is built in].
    #[arg(long, value_name = "FILE.onnx")]
    pub model: Option<PathBuf>,
}

/// The gates of the seed filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum GateName {
    Seeding,
    Seeds,
    Extensions,
    Rescue,
}

/// The modes of the seed filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FilterChoice {
    Off,
    Exact,
    Cascade,
    Cnn,
}

impl Filter {
    /// The gates that were asked for.
    pub fn gates(&self) -> GateChoice {
        let Some(named) = &self.gate else { return GateChoice::default() };
        GateChoice {
            seeding: named.contains(&GateName::Seeding),
            seeds: named.contains(&GateName::Seeds),
            extensions: named.contains(&GateName::Extensions),
            rescue: named.contains(&GateName::Rescue),
        }
    }

    /// The bands that were asked for.
    ///
    /// # Errors
    /// A file that cannot be read, or is none of bands.
    pub fn bands(&self) -> anyhow::Result<BandsFile> {
        let Some(path) = &self.cascade else { return Ok(BandsFile::built_in()) };
        let text = std::fs::read_to_string(path).with_context(|| format!("--cascade {}", path.display()))?;
        BandsFile::parse(&text).map_err(|problem| {
            anyhow::anyhow!("--cascade {}: {problem}; models/cascade_v3.json shows the form", path.display())
        })
    }

    /// The student network that is asked, where these bands have one and tier 2 was not turned off.
    ///
    /// # Errors
    /// A model file that cannot be used; tier 2 was asked for and the bands have no place for it.
    pub fn student(&self, bands: &Bands) -> anyhow::Result<Option<Arc<dyn SeedScorer>>> {
        if bands.student.is_none() {
            if self.cascade_tiers == Some(2) || self.student.is_some() {
                anyhow::bail!(
                    "the bands have no \"student\", so that no seed is in doubt; give --cascade a file that has \
                     (`seedsieve model bands --student` learns one)"
                );
            }
            return Ok(None);
        }
        if self.cascade_tiers == Some(1) {
            return Ok(None);
        }
        if cfg!(not(feature = "native"))
            && self.cascade.is_none()
            && self.cascade_tiers.is_none()
            && self.student.is_none()
        {
            tracing::warn!(
                "this build has no native kernel for the student network: the cascade ends with its first tier"
            );
            return Ok(None);
        }
        student(self.student.as_deref()).map(Some)
    }

    /// The convolutional network that is asked, where these bands have numbers for it and tier 3 was not turned off.
    ///
    /// # Errors
    /// A model or backend that cannot be used; tier 3 or an option of it was asked for and nothing is asked there.
    pub fn network(&self, bands: &Bands) -> anyhow::Result<Option<CascadeNetwork>> {
        let options = [
            ("--npu-backend", self.npu_backend.is_some()),
            ("--ort-library", self.ort_library.is_some()),
            ("--model", self.model.is_some()),
        ];
        let given = options.iter().find(|(_, given)| *given).map(|(name, _)| *name);
        let is_last_tier = self.cascade_tiers.is_none_or(|tiers| tiers == 3);
        if bands.network.is_some() && is_last_tier {
            let choice = self.npu_backend.unwrap_or_default();
            return CascadeNetwork::load(self.model.as_deref(), choice, self.ort_library.as_deref()).map(Some);
        }
        match (given, self.cascade_tiers) {
            (Some(option), Some(tiers @ 1..=2)) => anyhow::bail!(
                "{option} is an option of the network, which --cascade-tiers {tiers} leaves out; say --cascade-tiers 3"
            ),
            (Some(option), _) => anyhow::bail!(
                "{option} is an option of the network, which these bands of the cascade do not ask: give --cascade a file \
                 with \"network\", or say --filter cnn"
            ),
            (None, Some(3)) => anyhow::bail!(
                "the bands have no \"network\", so that it is not asked; give --cascade a file that has, as \
                 \"network\": {{\"points\": 8, \"keep\": 500, \"tolerance\": 20}}"
            ),
            _ => Ok(None),
        }
    }

    /// The mode that was asked for.
    ///
    /// # Errors
    /// An option of the network beside a mode that has none, or an option of the filter while nothing turns it on.
    pub fn mode(&self) -> anyhow::Result<FilterChoice> {
        let of_network = [
            ("--npu-threshold", self.npu_threshold.is_some()),
            ("--npu-backend", self.npu_backend.is_some()),
            ("--npu-min-batch", self.npu_min_batch.is_some()),
            ("--ort-library", self.ort_library.is_some()),
            ("--model", self.model.is_some()),
        ];
        let given = of_network.iter().find(|(_, given)| *given).map(|(name, _)| *name);
        let mode = match (self.filter, given) {
            (Some(FilterChoice::Exact), Some(option)) => anyhow::bail!(
                "{option} is an option of the network, which --filter exact does not use; say --filter cnn"
            ),
            (Some(FilterChoice::Cascade), Some(option @ ("--npu-threshold" | "--npu-min-batch"))) => anyhow::bail!(
                "{option} is an option of --filter cnn; when the cascade asks the network, and which scores count, is in its \
                 bands (--cascade FILE.json)"
            ),
            (Some(mode), _) => mode,
            (None, Some(option)) if !self.npu_filter => {
                anyhow::bail!("{option} is an option of the seed filter, which is off; say --npu-filter");
            }
            (None, None) if !self.npu_filter => FilterChoice::Off,
            (None, Some(_)) => FilterChoice::Cnn,
            (None, None) => FilterChoice::Cascade,
        };
        if mode != FilterChoice::Cascade && self.cascade.is_some() {
            anyhow::bail!("--cascade holds the bands of the cascade; say --filter cascade");
        }
        if mode != FilterChoice::Cascade && (self.cascade_tiers.is_some() || self.student.is_some()) {
            anyhow::bail!("--cascade-tiers and --student are options of the cascade; say --filter cascade");
        }
        if mode == FilterChoice::Off && self.gate.is_some() {
            anyhow::bail!("--gate says where the seed filter decides, which is off; say --filter cascade");
        }
        if mode == FilterChoice::Exact && self.gate.is_some() {
            anyhow::bail!(
                "--gate says where the seed filter decides; --filter exact proves instead; say --filter cascade"
            );
        }
        Ok(mode)
    }
}

fn finite(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err("a number is needed; scores lie between 0 and 1".to_owned()),
    }
}
