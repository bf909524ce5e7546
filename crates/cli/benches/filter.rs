//! `cargo xtask bench filter`: whole runs of `seedsieve align` with the filter off and in each of its modes, in turn: CPU
//! seconds and peak memory against the run without it, and what became of the alignments.
//!
//! Arguments: `--runs N` (3), `--threads N` (1), `--network` (also --filter cnn), `--gates` (also each gate of the cascade
//! alone), `--set NAME`, several times if wanted. The set `short` is another table: short, divergent and ancient reads among
//! nine times as many foreign ones, where they land, and what that costs.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use common::changes::{Alignments, alignments, changes};
use common::cut_reads::{contigs, pairs, short_reads};
use common::{median, prepare_index};

/// One work to do: a reference and reads below the data folder, and options.
struct Work {
    name: &'static str,
    reference: &'static str,
    options: &'static [&'static str],
    reads: Reads,
}

/// Where reads come from.
enum Reads {
    /// FASTQ of each mate; files of one mate are put end to end.
    Fastq(&'static [&'static [&'static str]]),
    /// A BAM in any order: samtools brings mates together.
    Bam(&'static str),
    /// Cut from the haplotypes PGF and COX, of which COX is ALT.
    Haplotypes,
}

const HUMAN: &str = "human_ref/human_mix.fa.gz";
const FOREIGN: &[&[&str]] = &[
    &["human_reads/genomewide/hiseq_TESTX_L001_R1.fastq.gz"],
    &["human_reads/genomewide/hiseq_TESTX_L001_R2.fastq.gz"],
];
const YEAST: &[&[&str]] =
    &[&["other/yeast/SRR5204809_Input_100k_R1.fastq.gz"], &["other/yeast/SRR5204809_Input_100k_R2.fastq.gz"]];
const KGP30X: &[&[&str]] = &[
    &["kgp30x/NA12878.chr21_R1.fastq.gz", "kgp30x/NA12878.chr22_R1.fastq.gz"],
    &["kgp30x/NA12878.chr21_R2.fastq.gz", "kgp30x/NA12878.chr22_R2.fastq.gz"],
];

const WORKS: [Work; 9] = [
    Work { name: "foreign-k12", reference: HUMAN, options: &["-k", "12"], reads: Reads::Fastq(FOREIGN) },
    Work { name: "foreign-k14", reference: HUMAN, options: &["-k", "14"], reads: Reads::Fastq(FOREIGN) },
    Work { name: "kgp30x", reference: HUMAN, options: &[], reads: Reads::Fastq(KGP30X) },
    Work { name: "yeast", reference: "other/yeast/sacCer3.fa.gz", options: &[], reads: Reads::Fastq(YEAST) },
    Work {
        name: "yeast-k12",
        reference: "other/yeast/sacCer3.fa.gz",
        options: &["-k", "12"],
        reads: Reads::Fastq(YEAST),
    },
    Work {
        name: "fly-k12",
        reference: "other/fly/dm6.small.fa.gz",
        options: &["-k", "12"],
        reads: Reads::Fastq(&[&["other/fly/ip_2.small_R1.fastq.gz"]]),
    },
    Work {
        name: "telomere",
        reference: HUMAN,
        options: &["-p"],
        reads: Reads::Bam("human_reads/hiseqx_NA12878_garvan.b37.chr1_10k.bam"),
    },
    Work {
        name: "subtelomere",
        reference: HUMAN,
        options: &["-p"],
        reads: Reads::Bam("human_reads/kgp_lowcov_HG03297.b37.chr1.10kreads.bam"),
    },
    Work { name: "mhc-alt", reference: "human_ref/PGF.fasta.gz", options: &[], reads: Reads::Haplotypes },
];
const COX: &str = "human_ref/COX.fasta.gz";
const SHORT: &str = "short";
/// Pairs of `mhc-alt`, and endogenous reads of `short`.
const CUT: usize = 20_000;

struct Settings {
    runs: usize,
    threads: String,
    network: bool,
    gates: bool,
    sets: Vec<String>,
}

/// What one run took.
struct Cost {
    seconds: f64,
    mebibytes: f64,
}

fn main() -> ExitCode {
    match settings().and_then(|settings| run(&settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn settings() -> Result<Settings, String> {
    let mut settings = Settings { runs: 3, threads: "1".into(), network: false, gates: false, sets: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--runs" => settings.runs = value()?.parse().map_err(|_| "--runs: a number from 1".to_owned())?,
            "--threads" => settings.threads = value()?,
            "--set" => settings.sets.push(value()?),
            "--network" => settings.network = true,
            "--gates" => settings.gates = true,
            "--bench" => {} // cargo adds it
            other => {
                return Err(format!("unknown argument {other}; valid: --runs, --threads, --set, --network, --gates"));
            }
        }
    }
    match settings.sets.iter().find(|set| *set != SHORT && WORKS.iter().all(|work| work.name != **set)) {
        Some(unknown) => Err(format!("--set {unknown}: there are {}, {SHORT}", WORKS.map(|work| work.name).join(", "))),
        None => Ok(settings),
    }
}

fn run(settings: &Settings) -> Result<(), String> {
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_seedsieve"));
    let folder = common::repository().join("target/bench");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let mut modes: Vec<(&str, &[&str])> =
        vec![("off", &["--filter", "off"]), ("exact", &["--filter", "exact"]), ("cascade", &["--filter", "cascade"])];
    if settings.network {
        modes.push(("cnn", &["--filter", "cnn"]));
    }
    if settings.gates {
        modes.push(("seeding", &["--filter", "cascade", "--gate", "seeding"]));
        modes.push(("seeds", &["--filter", "cascade", "--gate", "seeds"]));
        modes.push(("extensions", &["--filter", "cascade", "--gate", "extensions"]));
        modes.push(("rescue", &["--filter", "cascade", "--gate", "rescue"]));
        modes.push(("seeds+ext", &["--filter", "cascade", "--gate", "seeds,extensions"]));
    }
    println!(
        "CPU seconds and peak memory of whole runs, {} in turn, -t {}; ratios to off",
        settings.runs, settings.threads
    );
    println!("{:<12} {:<10} {:>8} {:>7} {:>8} {:>7}", "reads", "filter", "CPU s", "ratio", "MiB", "ratio");
    for work in WORKS.iter().filter(|work| settings.sets.is_empty() || settings.sets.iter().any(|set| set == work.name))
    {
        let Some((index, reads)) = prepare(work, &ours, &folder)? else { continue };
        let mut costs: Vec<Vec<Cost>> = modes.iter().map(|_| Vec::new()).collect();
        let sam = |mode: &str| folder.join(format!("{}.{mode}.sam", work.name));
        for _ in 0..settings.runs.max(1) {
            for ((mode, arguments), costs) in modes.iter().zip(&mut costs) {
                let mut command = Command::new(&ours);
                command.args(["--log", "error", "align", "-t", &settings.threads]).args(work.options).args(*arguments);
                costs.push(cost(command.arg("-o").arg(sam(mode)).arg(&index).args(&reads))?);
            }
        }
        let off = alignments(&sam("off"))?;
        for (number, (mode, _)) in modes.iter().enumerate() {
            let of = |value: fn(&Cost) -> f64| {
                let ratios =
                    costs[number].iter().zip(&costs[0]).map(|(one, first)| value(one) / value(first)).collect();
                (median(costs[number].iter().map(value).collect()), median(ratios))
            };
            let ((seconds, ratio), (memory, memory_ratio)) = (of(|cost| cost.seconds), of(|cost| cost.mebibytes));
            println!("{:<12} {mode:<10} {seconds:>8.2} {ratio:>7.3} {memory:>8.0} {memory_ratio:>7.3}", work.name);
        }
        for (mode, _) in &modes[1..] {
            println!("{}", changes(mode, &off, &alignments(&sam(mode))?)?);
        }
        for (mode, _) in &modes {
            fs::remove_file(sam(mode)).map_err(|error| error.to_string())?;
        }
    }
    if settings.sets.is_empty() || settings.sets.iter().any(|set| set == SHORT) {
        short(settings, &ours, &folder)?;
    }
    Ok(())
}

/// Index and reads of a work; nothing where a program for it is missing.
fn prepare(work: &Work, ours: &Path, folder: &Path) -> Result<Option<(PathBuf, Vec<PathBuf>)>, String> {
    let data = common::data();
    if let Reads::Haplotypes = work.reads {
        let (fasta, index) = (folder.join("mhc.fa.gz"), folder.join("mhc.fa"));
        let haplotypes = [data.join(work.reference), data.join(COX)];
        let bases = haplotypes.iter().map(|file| contigs(file)).collect::<Result<Vec<_>, _>>()?.concat();
        let joined =
            haplotypes.iter().map(fs::read).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
        write(&fasta, joined.concat())?;
        prepare_index(ours, &fasta, &index)?;
        write(&index.with_extension("fa.alt"), format!("{}\n", bases[1].0))?;
        let files = [folder.join("mhc.1.fastq"), folder.join("mhc.2.fastq")];
        for (file, text) in files.iter().zip(pairs(&bases, CUT)) {
            write(file, text)?;
        }
        return Ok(Some((index, files.to_vec())));
    }
    let index = folder.join(Path::new(work.reference).file_stem().expect("a file"));
    prepare_index(ours, &data.join(work.reference), &index)?;
    let reads = match &work.reads {
        Reads::Fastq(mates) => {
            let whole = |mate: usize| folder.join(format!("{}.{}.fastq.gz", work.name, mate + 1));
            mates.iter().enumerate().map(|(mate, files)| end_to_end(files, &whole(mate))).collect::<Result<_, _>>()?
        }
        Reads::Bam(bam) => {
            let (collated, fastq) = (folder.join("collated.bam"), folder.join(format!("{}.fastq", work.name)));
            let mut collate = Command::new("samtools");
            collate.arg("collate").arg("-o").arg(&collated).arg(data.join(bam));
            if collate.stderr(Stdio::null()).status().is_err() {
                println!("{:<12} left out: samtools, which brings mates together, is not there", work.name);
                return Ok(None);
            }
            let mut convert = Command::new("samtools");
            convert.args(["fastq", "-n", "-o"]).arg(&fastq).args(["-s", "/dev/null", "-0", "/dev/null"]).arg(&collated);
            let done = convert.stderr(Stdio::null()).status().map_err(|error| error.to_string())?;
            if !done.success() {
                return Err(format!("{convert:?} failed"));
            }
            vec![fastq]
        }
        Reads::Haplotypes => unreachable!("done above"),
    };
    Ok(Some((index, reads)))
}

fn write(file: &Path, content: impl AsRef<[u8]>) -> Result<(), String> {
    fs::write(file, content).map_err(|error| format!("{}: {error}", file.display()))
}

/// Short reads of which one in ten belongs to the reference: how many of them land where they were cut from.
fn short(settings: &Settings, ours: &Path, folder: &Path) -> Result<(), String> {
    let data = common::data();
    let index = folder.join(Path::new(HUMAN).file_stem().expect("a file"));
    prepare_index(ours, &data.join(HUMAN), &index)?;
    let own = contigs(&data.join(HUMAN))?;
    let foreign: Vec<_> =
        ["other/yeast/sacCer3.fa.gz", "other/ecoli/E.coli.fa.gz", "other/plants/kiwifruit_chr1.fa.gz"]
            .iter()
            .map(|file| contigs(&data.join(file)))
            .collect::<Result<Vec<_>, _>>()?
            .concat();
    let reads = folder.join("short.fastq");
    write(&reads, short_reads(&own, &foreign, CUT))?;
    let modes: [(&str, &[&str]); 4] = [
        ("-k 19, off", &["-k", "19", "--filter", "off"]),
        ("-k 12, off", &["-k", "12", "--filter", "off"]),
        ("-k 12, cascade", &["-k", "12", "--filter", "cascade"]),
        ("-k 14, cascade", &["-k", "14", "--filter", "cascade"]),
    ];
    let sam = folder.join("short.sam");
    let mut costs = modes.map(|_| Vec::new());
    let mut landed = modes.map(|_| [0; 4]);
    for _ in 0..settings.runs.max(1) {
        for (number, (_, arguments)) in modes.iter().enumerate() {
            let mut command = Command::new(ours);
            command.args(["--log", "error", "align", "-t", &settings.threads]).args(*arguments);
            costs[number].push(cost(command.arg("-o").arg(&sam).arg(&index).arg(&reads))?.seconds);
            landed[number] = landings(&alignments(&sam)?);
        }
    }
    println!("{SHORT}: {CUT} reads of 50 to 60 bases, divergent or ancient, among {} foreign ones", 9 * CUT);
    println!(
        "{:<16} {:>8} {:>7} {:>9} {:>9} {:>12} {:>16}",
        "", "CPU s", "ratio", "in place", "elsewhere", "MAPQ>=20:", "elsewhere,foreign"
    );
    for (number, (mode, _)) in modes.iter().enumerate() {
        let ratios = costs[number].iter().zip(&costs[0]).map(|(one, first)| one / first).collect();
        let [in_place, elsewhere, confident, foreign] = landed[number];
        println!(
            "{mode:<16} {:>8.2} {:>7.3} {in_place:>9} {elsewhere:>9} {confident:>12} {foreign:>16}",
            median(costs[number].clone()),
            median(ratios)
        );
    }
    fs::remove_file(sam).map_err(|error| error.to_string())
}

/// Reads of the reference in place and elsewhere; of those with MAPQ 20 or more: elsewhere, and foreign ones.
fn landings(alignments: &Alignments) -> [usize; 4] {
    let mut landed = [0; 4];
    for ((name, _), alignment) in alignments.iter().filter(|(_, alignment)| alignment.mapped) {
        let confident = usize::from(alignment.mapq >= 20);
        let fields: Vec<&str> = name.split('|').collect();
        let ["own", contig, start, strand, _] = fields[..] else {
            landed[3] += confident;
            continue;
        };
        let (place, start) = (&alignment.place, start.parse::<u64>().unwrap_or(0) + 1);
        // A clipped start lies some bases further on.
        let near = place.1.abs_diff(start) <= 20 && place.2 == (strand == "-");
        if place.0 == contig && near {
            landed[0] += 1;
        } else {
            landed[1] += 1;
            landed[2] += confident;
        }
    }
    landed
}

/// One file that holds the content of all; gzip members follow one another.
fn end_to_end(files: &[&str], whole: &Path) -> Result<PathBuf, String> {
    if let [only] = files {
        return Ok(common::data().join(only));
    }
    let mut content = Vec::new();
    for file in files {
        let path = common::data().join(file);
        content.extend(fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?);
    }
    fs::write(whole, content).map_err(|error| format!("{}: {error}", whole.display()))?;
    Ok(whole.to_owned())
}

/// CPU time and peak memory of a command that has to succeed.
fn cost(command: &mut Command) -> Result<Cost, String> {
    let mut mebibytes = 0.0;
    let seconds = common::cpu_seconds_of(command.stdin(Stdio::null()).stdout(Stdio::null()), |child| {
        mebibytes = watch_memory(child);
    })?;
    Ok(Cost { seconds, mebibytes })
}

/// Looks at the child's own high-water mark until it ends. The mark only grows, so the last look is near the truth.
fn watch_memory(child: &mut Child) -> f64 {
    let status = format!("/proc/{}/status", child.id());
    let mut kibibytes = 0.0;
    while matches!(child.try_wait(), Ok(None)) {
        let mark = fs::read_to_string(&status).ok().and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.split_whitespace().next()?.parse().ok()
        });
        kibibytes = mark.unwrap_or(kibibytes);
        std::thread::sleep(Duration::from_millis(10));
    }
    kibibytes / 1024.0
}
