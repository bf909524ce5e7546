//! Short reads: where they land, with which seeds, at what cost.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::changes::{Alignments, alignments};
use crate::common::cost::cost;
use crate::common::cut_reads::{contigs, short_reads};
use crate::common::{self, median, prepare_index};
use crate::works::write;

/// The name of this set.
pub const SHORT: &str = "short";
const HUMAN: &str = "human_ref/human_mix.fa.gz";
/// Reads of the reference among ten times as many.
const CUT: usize = 20_000;

/// Short reads of which one in ten belongs to the reference: how many of them land where they were cut from.
pub fn run(runs: usize, threads: &str, ours: &Path, folder: &Path) -> Result<(), String> {
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
    for _ in 0..runs.max(1) {
        for (number, (_, arguments)) in modes.iter().enumerate() {
            let mut command = Command::new(ours);
            command.args(["--log", "error", "align", "-t", threads]).args(*arguments);
            costs[number].push(cost(command.arg("-o").arg(&sam).arg(&index).arg(&reads))?.cpu);
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
