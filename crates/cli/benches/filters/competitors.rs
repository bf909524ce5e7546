//! The filters that are compared, each as gates of the aligner.

use std::sync::Arc;

use seedsieve_aligner::{AlignOptions, ComputeContext, Gates, ReferenceIndex, RescueGate};
use seedsieve_inference::{BackendChoice, SeedFilterConfig, detect_npu_backend_for_reference_model};

use crate::myers::Distance;
use crate::qgram::Votes;
use crate::reference::Reference;
use crate::scored::{ScoreGate, SeedScore};
use crate::shadowed::Shadowed;
use crate::trees::Trees;
use crate::ungapped::Ungapped;

/// A filter at one setting.
pub struct Competitor {
    pub name: &'static str,
    /// Settings of one filter have one colour.
    pub family: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Off,
    RescueRule,
    Shadowed,
    Ungapped(i32),
    Votes(i32),
    /// Edit distance, per cent of the read's bases.
    Distance(i32),
    /// Hundredths of the log odds.
    Trees(i32),
    Network(BackendChoice),
    Exact,
    Cascade,
}

/// The first one is what the others are measured against.
pub const COMPETITORS: [Competitor; 18] = [
    Competitor { name: "off", family: "off", kind: Kind::Off },
    Competitor { name: "rescue rule alone", family: "rescue rule alone", kind: Kind::RescueRule },
    Competitor { name: "shadowed below 30 bp", family: "shadowed", kind: Kind::Shadowed },
    Competitor { name: "ungapped >= 24", family: "ungapped", kind: Kind::Ungapped(24) },
    Competitor { name: "ungapped >= 27", family: "ungapped", kind: Kind::Ungapped(27) },
    Competitor { name: "ungapped >= 30", family: "ungapped", kind: Kind::Ungapped(30) },
    Competitor { name: "5-gram votes >= 20", family: "q-gram vote", kind: Kind::Votes(20) },
    Competitor { name: "5-gram votes >= 25", family: "q-gram vote", kind: Kind::Votes(25) },
    Competitor { name: "5-gram votes >= 30", family: "q-gram vote", kind: Kind::Votes(30) },
    Competitor { name: "edit distance <= 45 %", family: "Myers bit vector", kind: Kind::Distance(45) },
    Competitor { name: "edit distance <= 40 %", family: "Myers bit vector", kind: Kind::Distance(40) },
    Competitor { name: "edit distance <= 30 %", family: "Myers bit vector", kind: Kind::Distance(30) },
    Competitor { name: "trees, log odds >= -4", family: "trees", kind: Kind::Trees(-400) },
    Competitor { name: "trees, log odds >= -1", family: "trees", kind: Kind::Trees(-100) },
    Competitor { name: "CNN, native", family: "CNN", kind: Kind::Network(BackendChoice::Native) },
    Competitor { name: "CNN, ONNX Runtime", family: "CNN on ONNX Runtime", kind: Kind::Network(BackendChoice::Ort) },
    Competitor { name: "exact", family: "exact", kind: Kind::Exact },
    Competitor { name: "cascade", family: "cascade", kind: Kind::Cascade },
];

impl Competitor {
    /// The one of this name.
    pub fn named(name: &str) -> Result<&'static Self, String> {
        COMPETITORS.iter().find(|competitor| competitor.name == name).ok_or(format!("no filter {name:?}"))
    }

    /// The name as part of a file's name.
    pub fn file_name(&self) -> String {
        self.name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_")
    }

    /// Its gates on this reference.
    pub fn gates(&self, index: &ReferenceIndex, options: &AlignOptions) -> Result<Gates, String> {
        let of_context = |context: &ComputeContext| Gates::new(options, context);
        let rescue_rule = Gates { rescue: Some(Arc::new(Reportable)), ..Gates::default() };
        Ok(match self.kind {
            Kind::Off => Gates::default(),
            Kind::RescueRule => rescue_rule,
            Kind::Shadowed => Gates { extensions: Some(Arc::new(Shadowed)), ..Gates::default() },
            Kind::Ungapped(least) => scored(index, Ungapped, least),
            Kind::Votes(least) => scored(index, Votes, least),
            Kind::Distance(most) => scored(index, Distance, -most),
            Kind::Trees(least) => scored(index, Trees::load()?, least),
            Kind::Network(choice) => {
                let (model, backend) =
                    detect_npu_backend_for_reference_model(choice, true).map_err(|error| error.to_string())?;
                let threshold = model.metadata().threshold;
                of_context(&ComputeContext::filtered(
                    backend,
                    SeedFilterConfig { threshold, ..SeedFilterConfig::default() },
                ))
            }
            Kind::Exact => of_context(&ComputeContext::exact()),
            Kind::Cascade => of_context(&ComputeContext::cascade()),
        })
    }
}

/// A scorer at the seed gate, with the rescue rule that our own filters have, too: without it mates would be looked for
/// beside every chance hit that is left.
fn scored<S: SeedScore + 'static>(index: &ReferenceIndex, score: S, least: i32) -> Gates {
    let gate = ScoreGate::new(Reference::new(index), score, least);
    Gates { seeds: Some(Arc::new(gate)), rescue: Some(Arc::new(Reportable)), ..Gates::default() }
}

/// Mates are looked for where one of the two reads can be reported.
struct Reportable;

impl RescueGate for Reportable {
    fn is_worth_rescue(&self, best: [Option<i32>; 2], report_score: i32) -> bool {
        best.into_iter().flatten().any(|best| best >= report_score)
    }
}
