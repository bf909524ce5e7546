//! Options in many combinations: the records and the `@SQ` lines are the oracle's, byte for byte.

#[path = "../common/mod.rs"]
mod common;
mod reads;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{data, first_difference, human_index, oracle, prepared, records, seedsieve, succeed, synthetic, text};
use reads::{Pairs, interleaved, pairs_of_bam, pairs_of_fastq, pairs_of_haplotypes, unpack};

/// Options that change what one read alone becomes.
const SINGLE: [&str; 25] = [
    "",
    "-t 1 -K 30000",
    "-t 4 -K 30000",
    "-a",
    "-a -M -Y",
    "-M",
    "-Y -V",
    "-5",
    "-5 -q",
    "-q -T 10",
    "-j -h 3",
    "-h 50,2 -T 20",
    "-h 1",
    "-C",
    "-C -V -R @RG\\tID:x\\tSM:y",
    "-k 12 -W 30",
    "-k 28 -r 2.5 -y 5",
    "-r 0.7 -s 3 -y 0",
    "-c 3 -D 0.9",
    "-D 0.1 -X 0.9 -N 2",
    "-w 5 -d 10 -G 60",
    "-A 2",
    "-A 3 -B 5 -O 9,7 -E 3,2 -L 0,30 -T 40",
    "-x intractg",
    "-x intractg -A 2 -O 5 -Q 30",
];

/// Options that change what a pair becomes.
const PAIRED: [&str; 19] = [
    "",
    "-t 1 -K 30000",
    "-t 4 -K 30000",
    "-S",
    "-P",
    "-S -P",
    "-m 1",
    "-U 0",
    "-U 60 -A 2",
    "-I 350",
    "-I 350,40",
    "-I 350,40,700,20 -S",
    "-a -T 15",
    "-M -5",
    "-q -Y -C",
    "-j -h 2 -R @RG\\tID:x",
    "-k 14 -c 20 -W 25",
    "-B 2 -O 4 -E 1 -L 3,8 -w 20 -d 30",
    "-X 0.2 -Q 90 -G 200",
];

/// A reference and reads for it.
struct Set {
    name: &'static str,
    index: PathBuf,
    reads: PathBuf,
    mates: PathBuf,
    both: PathBuf,
}

impl Set {
    fn new(name: &'static str, index: PathBuf, pairs: &Pairs) -> Self {
        let folder = prepared(&format!("option_matrix_{name}"), |folder| {
            fs::write(folder.join("1.fastq"), &pairs[0]).expect("the target folder is writable");
            fs::write(folder.join("2.fastq"), &pairs[1]).expect("the target folder is writable");
            fs::write(folder.join("both.fastq"), interleaved(pairs)).expect("the target folder is writable");
        });
        let file = |name: &str| folder.join(name);
        Self { name, index, reads: file("1.fastq"), mates: file("2.fastq"), both: file("both.fastq") }
    }

    /// Both programs' records with these options are the same; returns how many.
    fn assert_same(&self, oracle: &Path, options: &str, files: &[&Path]) -> usize {
        let threads = if options.contains("-t ") { "" } else { "-t 2 " };
        let all = format!("{threads}{options}");
        let files = files.iter().map(|path| text(path));
        let arguments: Vec<&str> = all.split_whitespace().chain([text(&self.index)]).chain(files).collect();
        let ours = succeed(seedsieve(&["--log", "error", "align"]).args(&arguments)).stdout;
        let theirs = succeed(Command::new(oracle).arg("mem").args(&arguments)).stdout;
        assert_eq!(first_difference(&ours, &theirs), None, "{}: {arguments:?}", self.name);
        assert_eq!(contigs(&ours), contigs(&theirs), "{}: {arguments:?}", self.name);
        records(&ours).len()
    }

    /// Every option of `single` and `paired`; every third of `paired` with interleaved reads, too.
    fn assert_all_same(&self, oracle: &Path, single: &[&str], paired: &[&str]) {
        let count = fs::read_to_string(&self.reads).expect("prepared").lines().count() / 4;
        assert!(count >= 400, "{}: only {count} pairs", self.name);
        for options in single {
            assert!(self.assert_same(oracle, options, &[&self.reads]) >= count);
        }
        for (number, options) in paired.iter().enumerate() {
            assert!(self.assert_same(oracle, options, &[&self.reads, &self.mates]) >= 2 * count);
            if number % 3 == 0 {
                self.assert_same(oracle, &format!("{options} -p"), &[&self.both]);
            }
        }
    }
}

fn contigs(sam: &[u8]) -> Vec<&[u8]> {
    sam.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"@SQ\t")).collect()
}

/// An index of `references`, made once. `alt` names contigs that are alternatives.
fn index(name: &str, references: &[PathBuf], alt: &[&str]) -> PathBuf {
    let folder = prepared(&format!("option_matrix_index_{name}"), |folder| {
        let prefix = folder.join("ref.fa");
        let fasta: Vec<u8> = references.iter().flat_map(|path| unpack(path)).collect();
        fs::write(&prefix, fasta).expect("the target folder is writable");
        if !alt.is_empty() {
            let line = |contig: &&str| format!("{contig}\t0\t*\t0\t0\t*\t*\t0\t0\t*\t*\n");
            fs::write(folder.join("ref.fa.alt"), alt.iter().map(line).collect::<String>()).expect("writable");
        }
        succeed(&mut seedsieve(&["index", text(&prefix)]));
    });
    folder.join("ref.fa")
}

#[test]
fn synthetic_repeats() {
    let Some(oracle) = oracle() else { return };
    let (genome, reads, mates) = synthetic();
    let set = Set::new("synthetic", genome, &pairs_of_fastq([&reads, &mates], 700));
    set.assert_all_same(&oracle, &SINGLE, &PAIRED);
}

#[test]
fn alternative_haplotypes() {
    let (Some(data), Some(oracle)) = (data(), oracle()) else { return };
    let references = ["PGF", "COX"].map(|name| data.join(format!("human_ref/{name}.fasta.gz")));
    let index = index("mhc", &references, &["GL000251"]);
    let set = Set::new("mhc", index, &pairs_of_haplotypes(&references, 600));
    set.assert_all_same(&oracle, &SINGLE, &PAIRED);
    // The alternatives are in play: their tags are there, and not with -j.
    let count = |options: &[&str]| {
        let arguments = [&["--log", "error", "align"], options, &[text(&set.index), text(&set.reads)]].concat();
        let sam = String::from_utf8(succeed(&mut seedsieve(&arguments)).stdout).expect("SAM");
        (sam.matches("\tAH:*").count(), sam.matches("\tpa:f:").count())
    };
    let (alternatives, scored) = count(&[]);
    assert!(alternatives == 1 && scored > 20, "{alternatives} {scored}");
    assert_eq!(count(&["-j"]), (0, 0));
}

#[test]
fn real_reads_of_several_machines() {
    let (Some(data), Some(oracle)) = (data(), oracle()) else { return };
    let human = human_index(&data);
    let options = (["", "-a -k 14", "-5 -Y -h 30"], ["", "-S -T 20", "-K 50000 -t 1", "-k 13 -U 3 -c 60"]);
    let fastq = |folder: &str, name: &str| [1, 2].map(|mate| data.join(format!("{folder}/{name}R{mate}.fastq.gz")));
    let of = |files: [PathBuf; 2], count| pairs_of_fastq([&files[0], &files[1]], count);
    let bam = |name: &str| data.join(format!("human_reads/{name}.bam"));
    let yeast = index("yeast", &[data.join("other/yeast/sacCer3.fa.gz")], &[]);
    for set in [
        Set::new("kgp30x", human.clone(), &of(fastq("kgp30x", "NA12878.chr21_"), 1_000)),
        Set::new("genomewide", human.clone(), &of(fastq("human_reads/genomewide", "hiseq_TESTX_L001_"), 1_000)),
        Set::new("platinum", human.clone(), &pairs_of_bam(&bam("platinum_NA12889.hg19.chr4_12_X"), 700)),
        Set::new("hiseqx", human, &pairs_of_bam(&bam("hiseqx_NA12878_garvan.b37.chr1_10k"), 400)),
        Set::new("yeast", yeast, &of(fastq("other/yeast", "SRR5204809_Input_100k_"), 1_500)),
    ] {
        set.assert_all_same(&oracle, &options.0, &options.1);
    }
}

#[test]
fn reads_of_all_lengths_and_letters() {
    let Some(oracle) = oracle() else { return };
    let (genome, ..) = synthetic();
    let set = Set::new("odd", genome.clone(), &reads::odd_pairs(&genome));
    set.assert_all_same(&oracle, &["", "-a", "-C -Y", "-k 10 -T 10", "-K 700"], &["", "-a -C", "-K 700 -t 1"]);
}
