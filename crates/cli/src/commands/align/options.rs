//! From arguments to checked options.

use anyhow::{Context, bail, ensure};
use bwa_mem4_core::{opt::flags, rg};
use bwa_mem4_mem::PeStat;
use seedsieve_aligner::{AlignOptions, HeaderLines};
use seedsieve_formats::{Destination, OutputFormat, SortSettings, WriterSettings, default_sort_folder};

use super::args::{Algorithm, Args, InputOutput, Preset, Scoring, SortOrder, Twofold};

/// The aligner's options that these arguments stand for.
pub fn align_options(args: &Args) -> anyhow::Result<AlignOptions> {
    let mut options = AlignOptions::default();
    set_scores(&mut options, &args.scoring, &args.io, args.algorithm.z_drop);
    set_algorithm(&mut options, &args.algorithm)?;
    set_output(&mut options, &args.io);
    let mem = &options.mem;
    ensure!(mem.e_del > 0 && mem.e_ins > 0, "-E {},{}: each gap position must cost at least 1", mem.e_del, mem.e_ins);
    for (name, value) in [("-B", mem.b), ("-A", mem.a)] {
        ensure!(value <= 127, "{name} {value}: scores fit into 8 bits, so at most 127");
    }
    options.mem.fill_scmat();
    options.max_seeds_per_read = args.algorithm.max_read_seeds.filter(|most| *most > 0);
    if let Some(text) = &args.io.insert_size {
        options.insert_size = Some(insert_size(text)?);
    }
    Ok(options)
}

/// bwa scales every score that is not given with the score of a match.
fn set_scores(options: &mut AlignOptions, scoring: &Scoring, io: &InputOutput, z_drop: Option<i32>) {
    let mem = &mut options.mem;
    // A preset sets scores of its own, and then nothing is scaled.
    let scale = if scoring.preset.is_some() { 1 } else { scoring.match_score.unwrap_or(1) };
    let twofold = |given: Option<Twofold>, default: (i32, i32)| {
        given.map_or((default.0 * scale, default.1 * scale), |Twofold(first, second)| (first, second))
    };
    mem.a = scoring.match_score.unwrap_or(mem.a);
    if scoring.preset == Some(Preset::IntraSpeciesContigs) {
        (mem.b, mem.o_del, mem.o_ins) = (9, 16, 16);
    }
    mem.b = scoring.mismatch.unwrap_or(mem.b * scale);
    (mem.o_del, mem.o_ins) = twofold(scoring.gap_open, (mem.o_del, mem.o_ins));
    (mem.e_del, mem.e_ins) = twofold(scoring.gap_extend, (mem.e_del, mem.e_ins));
    (mem.pen_clip5, mem.pen_clip3) = twofold(scoring.clip, (mem.pen_clip5, mem.pen_clip3));
    mem.pen_unpaired = scoring.unpaired.unwrap_or(mem.pen_unpaired * scale);
    mem.t = io.min_score.unwrap_or(mem.t * scale);
    mem.zdrop = z_drop.unwrap_or(mem.zdrop * scale);
}

fn set_algorithm(options: &mut AlignOptions, algorithm: &Algorithm) -> anyhow::Result<()> {
    let mem = &mut options.mem;
    let factors = [("-r", algorithm.reseed_factor), ("-D", algorithm.drop_ratio), ("-X", algorithm.mask_level)];
    for (name, value) in factors {
        if let Some(value) = value {
            ensure!(value.is_finite() && value >= 0.0, "{name} {value}: a number from 0 is needed");
        }
    }
    mem.n_threads = i32::from(algorithm.threads);
    mem.min_seed_len = algorithm.min_seed_length.unwrap_or(mem.min_seed_len);
    mem.w = algorithm.band_width.unwrap_or(mem.w);
    mem.split_factor = algorithm.reseed_factor.unwrap_or(mem.split_factor);
    mem.max_mem_intv = algorithm.reseed_occurrences.unwrap_or(mem.max_mem_intv);
    mem.max_occ = algorithm.max_occurrences.unwrap_or(mem.max_occ);
    mem.drop_ratio = algorithm.drop_ratio.unwrap_or(mem.drop_ratio);
    mem.min_chain_weight = algorithm.min_chain_weight.unwrap_or(mem.min_chain_weight);
    mem.max_chain_gap = algorithm.max_chain_gap.unwrap_or(mem.max_chain_gap);
    mem.max_chain_extend = algorithm.max_chain_extend.unwrap_or(mem.max_chain_extend);
    mem.split_width = algorithm.split_width.unwrap_or(mem.split_width);
    mem.mask_level = algorithm.mask_level.unwrap_or(mem.mask_level);
    if let Some(length) = algorithm.mapq_length {
        mem.mapq_coef_len = f64::from(length);
        // bwa keeps the logarithm in an integer.
        mem.mapq_coef_fac = if length > 0 { f64::from(length).ln().trunc() } else { 0.0 };
    }
    mem.max_matesw = algorithm.mate_rescue_rounds.unwrap_or(mem.max_matesw);
    for (wanted, flag) in [(algorithm.no_mate_rescue, flags::NO_RESCUE), (algorithm.no_pairing, flags::NOPAIRING)] {
        mem.flag |= if wanted { flag } else { 0 };
    }
    Ok(())
}

fn set_output(options: &mut AlignOptions, io: &InputOutput) {
    let mem = &mut options.mem;
    if let Some(Twofold(primary, alt)) = io.alternatives {
        (mem.max_xa_hits, mem.max_xa_hits_alt) = (primary, alt);
    }
    let chosen = [
        (io.all, flags::ALL),
        (io.mark_secondary, flags::NO_MULTI),
        (io.soft_clip, flags::SOFTCLIP),
        (io.reference_comment, flags::REF_HDR),
        (io.primary_5_prime, flags::PRIMARY5 | flags::KEEP_SUPP_MAPQ),
        (io.keep_supplementary_mapq, flags::KEEP_SUPP_MAPQ),
        (io.interleaved, flags::PE | flags::SMARTPE),
    ];
    for (_, flag) in chosen.iter().filter(|(wanted, _)| *wanted) {
        mem.flag |= flag;
    }
}

/// bwa's -I: the FR orientation is given, the others are ruled out. Standard deviation, maximum and minimum follow from
/// the mean where they are not given.
fn insert_size(text: &str) -> anyhow::Result<[PeStat; 4]> {
    let fields: Vec<f64> = text
        .split(',')
        .map(|field| field.trim().parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0))
        .collect::<Option<_>>()
        .with_context(|| format!("-I {text}: MEAN[,SD[,MAX[,MIN]]] are numbers from 0"))?;
    let [mean, rest @ ..] = fields.as_slice() else { bail!("-I needs a mean") };
    ensure!(rest.len() <= 3, "-I {text}: at most four numbers, MEAN[,SD[,MAX[,MIN]]]");
    let deviation = rest.first().copied().unwrap_or(mean * 0.1);
    let high = rest.get(1).map_or((mean + 4.0 * deviation + 0.499) as i32, |high| (high + 0.499) as i32);
    let low = rest.get(2).map_or((mean - 4.0 * deviation + 0.499) as i32, |low| (low + 0.499) as i32);
    let mut orientations = [PeStat::default(); 4];
    orientations[1] = PeStat { low: low.max(1), high, failed: false, avg: *mean, std: deviation };
    Ok(orientations)
}

/// The user's header lines (-H, -R). Also tells the stage crates the read group for the RG tag, and whether comments are
/// to be copied: both are state of theirs, set once a process.
pub fn header_lines(io: &InputOutput) -> anyhow::Result<HeaderLines> {
    let mut lines = Vec::new();
    for header in &io.header {
        if header.starts_with('@') {
            lines.push(rg::escape(header));
        } else {
            let text = std::fs::read_to_string(header)
                .with_context(|| format!("-H {header}: neither a header line (@...) nor a file that can be read"))?;
            lines.extend(text.lines().filter(|line| line.starts_with('@')).map(rg::escape));
        }
    }
    if let Some(group) = &io.read_group {
        let wrong = |problem: &str| anyhow::anyhow!("-R {group:?}: {problem}; give it as '@RG\\tID:run\\tSM:sample'");
        let line = rg::set_rg(group).map_err(|problem| wrong(&problem))?;
        check_read_group(&line).map_err(|problem| wrong(&problem))?;
        lines.push(line);
    }
    rg::set_copy_comment(io.comment);
    Ok(HeaderLines(lines))
}

/// What SAM asks of a `@RG` line (section 1.3), and bwa does not: no reader takes a file with another one.
fn check_read_group(line: &str) -> Result<(), String> {
    let mut fields = line.split('\t');
    if fields.next() != Some("@RG") {
        return Err("the line does not start with @RG and a tab".into());
    }
    for field in fields {
        let is_field = matches!(field.as_bytes(), [first, second, b':', _, ..]
            if first.is_ascii_alphabetic() && second.is_ascii_alphanumeric());
        if !is_field || field.chars().any(char::is_control) {
            return Err(format!("{field:?} is no field (TAG:VALUE)"));
        }
    }
    Ok(())
}

/// How and where the alignments are written.
pub fn writer_settings(args: &Args, output: &Destination) -> anyhow::Result<WriterSettings> {
    let wanted = &args.output;
    let format = match (wanted.output_format, &wanted.output) {
        (Some(format), _) => format,
        (None, Some(path)) => OutputFormat::of_path(path),
        (None, None) => OutputFormat::Sam,
    };
    let sort = wanted.sort.map(|SortOrder::Coordinate| SortSettings {
        memory: wanted.sort_memory,
        folder: wanted.sort_folder.clone().unwrap_or_else(|| default_sort_folder(output)),
    });
    if let Some(sort) = &sort {
        ensure!(sort.folder.is_dir(), "--sort-folder {}: no such folder", sort.folder.display());
    }
    let reference = wanted.reference.clone().unwrap_or_else(|| args.index.clone());
    let settings = WriterSettings { format, sort, reference };
    settings.check(output)?;
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    fn options(arguments: &str) -> anyhow::Result<AlignOptions> {
        let words = ["align"].into_iter().chain(arguments.split_whitespace()).chain(["ref.fa", "reads.fq"]);
        align_options(&Command::try_parse_from(words)?.args)
    }

    #[test]
    fn scores_scale_with_the_match_unless_given() {
        let mem = options("-A 2 -O 7 -L 3,9").unwrap().mem;
        assert_eq!((mem.a, mem.b, mem.o_del, mem.o_ins), (2, 8, 7, 7));
        assert_eq!((mem.pen_clip5, mem.pen_clip3, mem.t, mem.zdrop, mem.pen_unpaired), (3, 9, 60, 200, 34));
    }

    #[test]
    fn an_insert_size_rules_out_the_other_orientations() {
        let sizes = options("-I 400,50").unwrap().insert_size.unwrap();
        assert_eq!((sizes[1].low, sizes[1].high, sizes[1].failed), (200, 600, false));
        assert!(sizes[0].failed && sizes[2].failed && sizes[3].failed);
    }

    #[test]
    fn read_groups_are_made_of_fields() {
        assert_eq!(check_read_group("@RG\tID:a b\tSM:x\tPL:ILLUMINA"), Ok(()));
        for (line, found) in [("@RGx\tID:a", "start with"), ("@RG\tID:", "ID:"), ("@RG\tID:a\tsample", "sample")] {
            let problem = check_read_group(line).unwrap_err();
            assert!(problem.contains(found), "{line}: {problem}");
        }
    }

    #[test]
    fn wrong_values_are_named() {
        for (arguments, expected) in [("-E 0", "-E 0,0"), ("-I x", "-I x"), ("-r nan", "-r"), ("-O 5,-2", "-2")] {
            let message = options(arguments).unwrap_err().to_string();
            assert!(message.contains(expected), "{arguments}: {message}");
        }
    }
}
