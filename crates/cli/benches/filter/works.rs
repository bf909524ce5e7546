//! What is aligned: references, reads, options.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::cut_reads::{Contig, contigs, pairs};
use crate::common::{self, prepare_index};

/// One work to do: a reference and reads below the data folder, and options.
pub struct Work {
    /// Its name in the table.
    pub name: &'static str,
    /// Whether the choice of the built-in bands saw none of its reads.
    pub held_out: bool,
    /// Options of `align`.
    pub options: &'static [&'static str],
    reference: Reference,
    reads: Reads,
}

/// What reads are aligned to.
enum Reference {
    /// All of a FASTA.
    Whole(&'static str),
    /// All but one contig: reads of that place belong nowhere then.
    Without(&'static str, &'static str),
    /// The first contig alone.
    First(&'static str),
    /// Two haplotypes, of which the second is ALT.
    WithAlt(&'static str, &'static str),
}

/// Where reads come from.
enum Reads {
    /// FASTQ of each mate; files of one mate are put end to end.
    Fastq(&'static [&'static [&'static str]]),
    /// The pairs of BAM or SAM files in any order: samtools brings mates together.
    Bams(&'static [&'static str]),
    /// Reads of a BAM whose mate is not there, singly.
    WithoutMate(&'static str),
    /// So many pairs cut from the haplotypes, both of them.
    Haplotypes(usize),
    /// So many pairs cut from all contigs of a FASTA but the first.
    OtherContigs(&'static str, usize),
    /// So many pairs cut from the first bases of these contigs of a FASTA.
    Beginnings { fasta: &'static str, contigs: &'static [&'static str], bases: usize, pairs: usize },
}

const HUMAN: &str = "human_ref/human_mix.fa.gz";
const LPA: &str = "human_ref/LPA_haplotypes.fa.gz";
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
const NA19401: &[&[&str]] = &[&["kgp30x/NA19401.40kb_R1.fastq.gz"], &["kgp30x/NA19401.40kb_R2.fastq.gz"]];
const TELOMERE: &str = "human_reads/hiseqx_NA12878_garvan.b37.chr1_10k.bam";
/// Two people of whose reads no network saw any.
const LOW_COVERAGE: &[&str] = &[
    "human_reads/kgp_lowcov_chr20/NA12341.b37.20.20.0-20.3M.bam",
    "human_reads/kgp_lowcov_chr20/NA12718.b37.20.20.0-20.3M.bam",
];
/// Of no contig of `HUMAN`.
const BRCA1: &[&str] = &[
    "human_reads/kgp_lowcov_brca1_HG00096.sam.gz",
    "human_reads/kgp_lowcov_brca1_HG00099.sam.gz",
    "human_reads/kgp_lowcov_brca1_HG00101.sam.gz",
];
const SUBTELOMERES: &[&str] = &["hg38_chr2_1_2333275", "b37_chr17_1_1000000", "hg19_chr19_1_3119000"];

const fn work(name: &'static str, options: &'static [&'static str], reference: Reference, reads: Reads) -> Work {
    Work { name, held_out: false, options, reference, reads }
}

const fn held_out(name: &'static str, options: &'static [&'static str], reference: Reference, reads: Reads) -> Work {
    Work { name, held_out: true, options, reference, reads }
}

/// All works but the short reads'.
pub const WORKS: [Work; 20] = [
    work("foreign-k12", &["-k", "12"], Reference::Whole(HUMAN), Reads::Fastq(FOREIGN)),
    work("foreign-k14", &["-k", "14"], Reference::Whole(HUMAN), Reads::Fastq(FOREIGN)),
    work("kgp30x", &[], Reference::Whole(HUMAN), Reads::Fastq(KGP30X)),
    work("yeast", &[], Reference::Whole("other/yeast/sacCer3.fa.gz"), Reads::Fastq(YEAST)),
    work("yeast-k12", &["-k", "12"], Reference::Whole("other/yeast/sacCer3.fa.gz"), Reads::Fastq(YEAST)),
    work(
        "fly-k12",
        &["-k", "12"],
        Reference::Whole("other/fly/dm6.small.fa.gz"),
        Reads::Fastq(&[&["other/fly/ip_2.small_R1.fastq.gz"]]),
    ),
    work("telomere", &["-p"], Reference::Whole(HUMAN), Reads::Bams(&[TELOMERE])),
    work(
        "subtelomere",
        &["-p"],
        Reference::Whole(HUMAN),
        Reads::Bams(&["human_reads/kgp_lowcov_HG03297.b37.chr1.10kreads.bam"]),
    ),
    work(
        "mhc-alt",
        &[],
        Reference::WithAlt("human_ref/PGF.fasta.gz", "human_ref/COX.fasta.gz"),
        Reads::Haplotypes(20_000),
    ),
    held_out("brca1-k12", &["-p", "-k", "12"], Reference::Whole(HUMAN), Reads::Bams(BRCA1)),
    held_out("brca1-k14", &["-p", "-k", "14"], Reference::Whole(HUMAN), Reads::Bams(BRCA1)),
    held_out("chr20-k12", &["-p", "-k", "12"], WITHOUT_CHR20, Reads::Bams(LOW_COVERAGE)),
    held_out("chr20-k14", &["-p", "-k", "14"], WITHOUT_CHR20, Reads::Bams(LOW_COVERAGE)),
    held_out("na19401", &[], Reference::Whole(HUMAN), Reads::Fastq(NA19401)),
    held_out(
        "hg002",
        &["-p"],
        Reference::Whole(HUMAN),
        Reads::Bams(&["human_reads/hg002_10x_NA24385.b37.20.20156208_20234556.bam"]),
    ),
    held_out(
        "platinum",
        &["-p"],
        Reference::Whole(HUMAN),
        Reads::Bams(&["human_reads/platinum_NA12890.hg19.chr4_12_X.bam"]),
    ),
    held_out("lowcov", &["-p"], Reference::Whole(HUMAN), Reads::Bams(LOW_COVERAGE)),
    held_out("telomere-single", &[], Reference::Whole(HUMAN), Reads::WithoutMate(TELOMERE)),
    held_out(
        "subtelomeres",
        &[],
        Reference::Whole(HUMAN),
        Reads::Beginnings { fasta: HUMAN, contigs: SUBTELOMERES, bases: 30_000, pairs: 10_000 },
    ),
    held_out("lpa", &[], Reference::First(LPA), Reads::OtherContigs(LPA, 20_000)),
];
const WITHOUT_CHR20: Reference = Reference::Without(HUMAN, "b37_20_19999626_20300468_mdref");

impl Work {
    /// Makes index and reads below `folder`, where they are not there; nothing where a program for it is missing.
    pub fn prepare(&self, ours: &Path, folder: &Path) -> Result<Option<(PathBuf, Vec<PathBuf>)>, String> {
        let index = self.reference.prepare(ours, folder)?;
        let Some(reads) = self.prepare_reads(folder)? else {
            println!("{:<15} left out: samtools, which brings mates together, is not there", self.name);
            return Ok(None);
        };
        Ok(Some((index, reads)))
    }

    fn prepare_reads(&self, folder: &Path) -> Result<Option<Vec<PathBuf>>, String> {
        let of_name = |ending: &str| folder.join(format!("{}.{ending}", self.name));
        let cut = |contigs: &[Contig], count| {
            let files = [of_name("1.fastq"), of_name("2.fastq")];
            let texts = pairs(contigs, count);
            files.iter().zip(texts).try_for_each(|(file, text)| write(file, text))?;
            Ok(Some(files.to_vec()))
        };
        let of_fasta = |fasta: &str| contigs(&common::data().join(fasta));
        match &self.reads {
            Reads::Fastq(mates) => {
                let whole = |mate: usize| of_name(&format!("{}.fastq.gz", mate + 1));
                let files = mates.iter().enumerate().map(|(mate, files)| end_to_end(files, &whole(mate)));
                files.collect::<Result<_, _>>().map(Some)
            }
            Reads::Bams(bams) => from_bams(bams, "-o", folder, of_name("fastq")),
            Reads::WithoutMate(bam) => from_bams(&[bam], "-s", folder, of_name("fastq")),
            Reads::Haplotypes(count) => {
                let Reference::WithAlt(one, other) = self.reference else {
                    return Err(format!("{}: haplotypes are the reference as well", self.name));
                };
                cut(&[of_fasta(one)?, of_fasta(other)?].concat(), *count)
            }
            Reads::OtherContigs(fasta, count) => cut(&of_fasta(fasta)?[1..], *count),
            Reads::Beginnings { fasta, contigs, bases, pairs } => {
                let mut beginnings = of_fasta(fasta)?;
                beginnings.retain(|(name, _)| contigs.contains(&name.as_str()));
                beginnings.iter_mut().for_each(|(_, contig)| contig.truncate(*bases));
                cut(&beginnings, *pairs)
            }
        }
    }
}

impl Reference {
    /// Indexes it below `folder`.
    fn prepare(&self, ours: &Path, folder: &Path) -> Result<PathBuf, String> {
        let data = common::data();
        let stem = |fasta: &str| Path::new(fasta).file_stem().expect("a file").to_string_lossy().into_owned();
        let made = |index: &str, contigs: Vec<Contig>| {
            let (index, fasta) = (folder.join(format!("{index}.fa")), folder.join(format!("{index}.source.fa")));
            let text = contigs
                .into_iter()
                .flat_map(|(name, bases)| [b">", name.as_bytes(), b"\n", bases.as_slice(), b"\n"].concat());
            write(&fasta, text.collect::<Vec<u8>>())?;
            prepare_index(ours, &fasta, &index).map(|()| index)
        };
        match self {
            Self::Whole(fasta) => {
                let index = folder.join(stem(fasta));
                prepare_index(ours, &data.join(fasta), &index).map(|()| index)
            }
            Self::Without(fasta, contig) => {
                let mut all = contigs(&data.join(fasta))?;
                all.retain(|(name, _)| name != contig);
                made(&format!("without_{contig}"), all)
            }
            Self::First(fasta) => {
                let mut all = contigs(&data.join(fasta))?;
                all.truncate(1);
                made(&format!("{}_1", stem(fasta).trim_end_matches(".fa")), all)
            }
            Self::WithAlt(one, other) => {
                let (one, other) = (contigs(&data.join(one))?, contigs(&data.join(other))?);
                let alt: String = other.iter().map(|(name, _)| format!("{name}\n")).collect();
                let index = made("mhc", [one, other].concat())?;
                write(&index.with_extension("fa.alt"), alt)?;
                Ok(index)
            }
        }
    }
}

/// Writes a file.
pub fn write(file: &Path, content: impl AsRef<[u8]>) -> Result<(), String> {
    fs::write(file, content).map_err(|error| format!("{}: {error}", file.display()))
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
    write(whole, content)?;
    Ok(whole.to_owned())
}

/// What `samtools fastq` gives of each of these files under this option: `-o` pairs, one mate behind the other, `-s` reads
/// whose mate is not there. Nothing where samtools is missing.
fn from_bams(bams: &[&str], wanted: &str, folder: &Path, whole: PathBuf) -> Result<Option<Vec<PathBuf>>, String> {
    let (collated, fastq) = (folder.join("collated.bam"), folder.join("one.fastq"));
    let mut content = Vec::new();
    for bam in bams {
        let mut collate = Command::new("samtools");
        collate.arg("collate").arg("-o").arg(&collated).arg(common::data().join(bam));
        if collate.stderr(Stdio::null()).status().is_err() {
            return Ok(None);
        }
        let mut convert = Command::new("samtools");
        convert.args(["fastq", "-n", "-0", "/dev/null"]);
        for option in ["-o", "-s"] {
            convert.arg(option).arg(if option == wanted { &fastq } else { Path::new("/dev/null") });
        }
        let done = convert.arg(&collated).stderr(Stdio::null()).status().map_err(|error| error.to_string())?;
        if !done.success() {
            return Err(format!("{convert:?} failed"));
        }
        content.extend(fs::read(&fastq).map_err(|error| format!("{}: {error}", fastq.display()))?);
    }
    write(&whole, content)?;
    Ok(Some(vec![whole]))
}
