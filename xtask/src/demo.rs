//! `cargo xtask demo`: the whole way once, from reads to a trained filter to alignments with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::cargo::Cargo;
use crate::data::{self, Input, Request};
use crate::failure::{Context, Outcome};
use crate::python::Python;
use crate::stamp::{Runner, Step};

/// Name of the model that is trained; not that of the shipped one, which is trained on more.
const MODEL: &str = "demo_filter";
const LAST_STEP: usize = 6;

/// Options of the demo.
pub struct Options {
    /// Where to look for the input.
    pub request: Request,
    /// Everything is written below this folder.
    pub output: PathBuf,
    /// A small part of the reads and one epoch: shows that everything works, in little time.
    pub quick: bool,
    /// Threads of each step.
    pub threads: usize,
}

/// How much work is done.
struct Scale {
    extracted_pairs: Option<&'static str>,
    aligned_pairs: Option<&'static str>,
    simulated_pairs: &'static str,
    genome_size: &'static str,
    training_seeds: &'static str,
    epochs: &'static str,
}

const FULL: Scale = Scale {
    extracted_pairs: None,
    aligned_pairs: None,
    simulated_pairs: "20000",
    genome_size: "2000000",
    training_seeds: "200000",
    epochs: "3",
};

const QUICK: Scale = Scale {
    extracted_pairs: Some("1000"),
    aligned_pairs: Some("1000"),
    simulated_pairs: "1000",
    genome_size: "300000",
    training_seeds: "20000",
    epochs: "1",
};

/// Input as the steps take it.
struct Reads {
    reference: PathBuf,
    training: Vec<PathBuf>,
    /// Made by `simulate`: the files to train on are FASTQ pairs, and names hold true positions.
    simulated: bool,
    aligned: [PathBuf; 2],
}

/// Runs the demo; steps that are done are not run again. Returns how many were reused.
///
/// # Errors
/// The set-up or a step fails.
pub fn run(options: &Options) -> Outcome<usize> {
    let start = Instant::now();
    let demo = Demo {
        scale: if options.quick { QUICK } else { FULL },
        threads: options.threads.to_string(),
        output: options.output.clone(),
    };
    let mut runner = Runner::new(&options.output, LAST_STEP)?;

    runner.heading("Set-up: the Python environment, and the program seedsieve with optimisation");
    let python = Python::set_up()?;
    let seedsieve = Cargo::find(&python)?.build_binary()?;

    runner.heading("Input: a reference, reads to train on, other reads to align");
    let reads = match data::prepare(&options.request, &python)? {
        Input::Real(_, data) => Reads {
            aligned: demo.fastq(&mut runner, &python, &data.aligned)?,
            reference: data.reference,
            training: data.training,
            simulated: false,
        },
        Input::Synthetic => demo.simulate(&mut runner, &seedsieve)?,
    };
    let index = demo.index(&mut runner, &seedsieve, &reads.reference)?;
    let data_set = demo.extract(&mut runner, &seedsieve, &index, &reads)?;
    let run = demo.train(&mut runner, &python, &data_set)?;
    let alignments = demo.align(&mut runner, &seedsieve, &index, &reads.aligned, &run)?;
    let report = demo.compare(&mut runner, &seedsieve, &alignments, &run, reads.simulated)?;

    println!("\nThe report, with figures: {}", report.display());
    println!("The model: {}", run.join(format!("{MODEL}.onnx")).display());
    println!("{:.1} s in all, {} steps reused.", start.elapsed().as_secs_f64(), runner.reused());
    Ok(runner.reused())
}

/// What one run of `align` has written.
struct Alignment {
    label: &'static str,
    sam: PathBuf,
    statistics: PathBuf,
}

struct Demo {
    scale: Scale,
    threads: String,
    output: PathBuf,
}

impl Demo {
    fn path(&self, name: &str) -> PathBuf {
        self.output.join(name)
    }

    /// A folder below the output, made where it is not there.
    fn folder(&self, name: &str) -> Outcome<PathBuf> {
        let folder = self.path(name);
        fs::create_dir_all(&folder).context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }

    fn fastq(&self, runner: &mut Runner, python: &Python, bam: &Path) -> Outcome<[PathBuf; 2]> {
        let script = Path::new("scripts/bam_to_fastq.py");
        let folder = self.folder("reads")?;
        let stem = bam.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let pair = [1, 2].map(|mate| folder.join(format!("{stem}_{mate}.fastq")));
        let mut command = python.command();
        command.arg(script).arg(bam).args(&pair);
        if let Some(pairs) = self.scale.aligned_pairs {
            command.args(["--max-pairs", pairs]);
        }
        println!("  reads to align, as FASTQ:");
        let inputs = vec![script.to_owned(), bam.to_owned()];
        runner.run(Step { name: "fastq", command, inputs, outputs: pair.to_vec() })?;
        Ok(pair)
    }

    fn simulate(&self, runner: &mut Runner, seedsieve: &Path) -> Outcome<Reads> {
        let folder = self.path("synthetic");
        let [reference, first, second] = ["genome.fa", "reads_1.fastq", "reads_2.fastq"].map(|name| folder.join(name));
        let mut command = Command::new(seedsieve);
        command.arg("simulate").arg("--output").arg(&folder).args(["--genome-size", self.scale.genome_size]);
        command.args(["--read-pairs", self.scale.simulated_pairs, "--seed", "1"]);
        // Seeds of reads that belong nowhere are what there is to filter.
        command.args(["--foreign", "0.2"]);
        let inputs = vec![seedsieve.to_owned()];
        let outputs = vec![reference.clone(), first.clone(), second.clone()];
        runner.run(Step { name: "simulate", command, inputs, outputs })?;
        println!("  note: the reads that are aligned are those that the filter is trained on");
        let aligned = [first, second];
        Ok(Reads { reference, training: aligned.to_vec(), simulated: true, aligned })
    }

    fn index(&self, runner: &mut Runner, seedsieve: &Path, reference: &Path) -> Outcome<PathBuf> {
        let prefix = self.folder("index")?.join("reference");
        let files = [".0123", ".amb", ".ann", ".bwt.2bit.64", ".pac"];
        let mut command = Command::new(seedsieve);
        command.arg("index").arg("-p").arg(&prefix).arg(reference);
        runner.heading("Index of the reference: the same five files as bwa-mem2's");
        runner.run(Step {
            name: "index",
            command,
            inputs: vec![seedsieve.to_owned(), reference.to_owned()],
            outputs: files.map(|suffix| PathBuf::from(format!("{}{suffix}", prefix.display()))).to_vec(),
        })?;
        Ok(prefix)
    }

    fn extract(&self, runner: &mut Runner, seedsieve: &Path, index: &Path, reads: &Reads) -> Outcome<PathBuf> {
        let data_set = self.path("seeds");
        let mut command = Command::new(seedsieve);
        command.arg("extract-seeds").arg("--reference").arg(index).arg("--output").arg(&data_set);
        command.args(["-t", &self.threads, "--overwrite"]);
        if let Some(pairs) = self.scale.extracted_pairs {
            command.args(["--read-pairs", pairs, "--seed", "1"]);
        }
        if reads.simulated {
            command.arg("--paired");
        }
        command.args(&reads.training);
        let mut inputs = vec![seedsieve.to_owned(), index.with_added_extension("bwt.2bit.64")];
        inputs.extend_from_slice(&reads.training);
        runner.heading("Seeds of the training reads, their context windows and what became of each, as Parquet");
        runner.run(Step { name: "extract-seeds", command, inputs, outputs: vec![data_set.clone()] })?;
        Ok(data_set)
    }

    fn train(&self, runner: &mut Runner, python: &Python, data_set: &Path) -> Outcome<PathBuf> {
        let package = Path::new("python/seedsieve_train");
        let run = self.path("model");
        let mut command = python.module("seedsieve_train");
        command.arg("train").arg("--data").arg(data_set).arg("--out").arg(&run).args(["--name", MODEL]);
        command.args(["--policy", "own-extension", "--seed", "1", "--epochs", self.scale.epochs]);
        command.args(["--max-seeds", self.scale.training_seeds, "--threads", &self.threads]);
        let mut inputs = python_sources(package)?;
        inputs.push(data_set.to_owned());
        runner.heading("Training of the network on the CPU, its figures on held-out positions, export to ONNX");
        runner.run(Step {
            name: "train",
            command,
            inputs,
            outputs: [".onnx", "_int8.onnx", ".metrics.json"].map(|end| run.join(format!("{MODEL}{end}"))).to_vec(),
        })?;
        Ok(run)
    }

    fn align(
        &self,
        runner: &mut Runner,
        seedsieve: &Path,
        index: &Path,
        reads: &[PathBuf; 2],
        run: &Path,
    ) -> Outcome<[Alignment; 2]> {
        runner.heading("Alignment, with the filter off and with it on");
        let folder = self.folder("alignments")?;
        let model = run.join(format!("{MODEL}.onnx"));
        let alignments = ["off", "on"].map(|label| Alignment {
            label,
            sam: folder.join(format!("{label}.sam")),
            statistics: folder.join(format!("{label}.json")),
        });
        for alignment in &alignments {
            let mut command = Command::new(seedsieve);
            // Insert sizes are estimated on a chunk, and bwa's chunk grows with the threads: fixed, so that the result
            // does not depend on the machine.
            command.args(["align", "-t", &self.threads, "-K", "10000000"]);
            let mut inputs = vec![seedsieve.to_owned(), index.with_added_extension("bwt.2bit.64")];
            inputs.extend_from_slice(reads);
            if alignment.label == "on" {
                command.arg("--npu-filter").arg("--model").arg(&model);
                inputs.push(model.clone());
            }
            command.arg("--stats").arg(&alignment.statistics).arg("-o").arg(&alignment.sam).arg(index).args(reads);
            runner.run(Step {
                name: &format!("align-{}", alignment.label),

                command,
                inputs,
                outputs: vec![alignment.sam.clone(), alignment.statistics.clone()],
            })?;
        }
        Ok(alignments)
    }

    fn compare(
        &self,
        runner: &mut Runner,
        seedsieve: &Path,
        [off, on]: &[Alignment; 2],
        run: &Path,
        simulated: bool,
    ) -> Outcome<PathBuf> {
        let (report, json) = (self.path("report.html"), self.path("comparison.json"));
        let metrics = run.join(format!("{MODEL}.metrics.json"));
        let mut command = Command::new(seedsieve);
        command.arg("compare").arg(&off.sam).arg(&on.sam);
        let files = [
            ("--stats-a", &off.statistics),
            ("--stats-b", &on.statistics),
            ("--metrics", &metrics),
            ("--json", &json),
            ("--report", &report),
        ];
        for (option, file) in files {
            command.arg(option).arg(file);
        }
        command.args(["--label-a", off.label, "--label-b", on.label]);
        if simulated {
            command.args(["--truth", "names"]);
        }
        let inputs = [&off.sam, &on.sam, &off.statistics, &on.statistics, &metrics].map(Clone::clone);
        runner.heading("What the filter has changed");
        runner.run(Step {
            name: "compare",
            command,
            inputs: [vec![seedsieve.to_owned()], inputs.to_vec()].concat(),
            outputs: vec![json, report.clone()],
        })?;
        Ok(report)
    }
}

/// The modules of a package, without what Python compiles them to.
fn python_sources(package: &Path) -> Outcome<Vec<PathBuf>> {
    let entries = fs::read_dir(package).context(|| format!("cannot read {}", package.display()))?;
    let mut sources: Vec<_> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect();
    sources.sort();
    Ok(sources)
}
