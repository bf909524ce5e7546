//! SAM text: the header, and the records of single reads. Pairs are written by the stage crates themselves.

use std::io::{self, Write};

use bwa_mem4_core::{opt::flags, rg};
use bwa_mem4_mem::alt::mem_gen_alt;
use bwa_mem4_mem::cigar::{cigar_string_which, format_pa};
use bwa_mem4_mem::emit::{push_int, push_qual_rev, push_seq_fwd, push_seq_rev, push_xr};
use bwa_mem4_mem::{MemAln, MemAlnReg, cigar_string, reg2aln};

use crate::{AlignOptions, Read, ReferenceIndex};

const REVERSE: u32 = 0x10;
const SECONDARY: u32 = 0x100;
const SUPPLEMENTARY: u32 = 0x800;
/// bwa's mark for a supplementary record that -M shows as secondary; it is not part of SAM.
const SHOWN_AS_SECONDARY: u32 = 0x1_0000;
/// Operations 3 and 4 of bwa's CIGAR are soft and hard clips.
const FIRST_CLIP: u32 = 3;

/// Header lines that the user gave (-H, -R), complete and without a final newline.
#[derive(Debug, Clone, Default)]
pub struct HeaderLines(pub Vec<String>);

/// The `@PG` line: which program with which arguments wrote the records.
#[derive(Debug, Clone)]
pub struct ProgramRecord {
    /// Program name and identifier.
    pub name: String,
    /// Version.
    pub version: String,
    /// Command line; tabs and line ends are escaped.
    pub command_line: String,
    /// Further fields, `TAG:VALUE`.
    pub fields: Vec<String>,
}

/// Writes the SAM header: a `@SQ` line for each contig unless the user gave some, the user's lines, `@PG`.
///
/// # Errors
/// Whatever `out` reports.
pub fn write_header(
    out: &mut impl Write,
    index: &ReferenceIndex,
    lines: &HeaderLines,
    program: &ProgramRecord,
) -> io::Result<()> {
    if !lines.0.iter().flat_map(|line| line.split('\n')).any(|line| line.starts_with("@SQ\t")) {
        for contig in index.contigs() {
            let alt = if contig.is_alt { "\tAH:*" } else { "" };
            writeln!(out, "@SQ\tSN:{}\tLN:{}{alt}", contig.name, contig.length)?;
        }
    }
    for line in &lines.0 {
        writeln!(out, "{line}")?;
    }
    let ProgramRecord { name, version, command_line, fields } = program;
    write!(
        out,
        "@PG\tID:{name}\tPN:{name}\tVN:{version}\tCL:{}",
        command_line.replace('\t', "\\t").replace('\n', "\\n")
    )?;
    for field in fields {
        write!(out, "\t{field}")?;
    }
    writeln!(out)
}

/// The records of a single read, of which it is marked which regions are primary.
pub(crate) fn single_end_records(
    index: &ReferenceIndex,
    options: &AlignOptions,
    read: &Read,
    codes: &[u8],
    regions: &[MemAlnReg],
) -> Vec<u8> {
    let alignments = reported(index, options, codes, regions);
    let mut out = Vec::with_capacity(2 * codes.len() + 256);
    if alignments.is_empty() {
        write_unmapped(&mut out, read, codes);
    }
    for number in 0..alignments.len() {
        write_aligned(&mut out, index, options, read, codes, &alignments, number);
    }
    out
}

/// The alignments that get a record: those that reach -T, and of the secondary ones (only under -a) those that come near
/// enough to the region that they are secondary to.
fn reported(index: &ReferenceIndex, options: &AlignOptions, codes: &[u8], regions: &[MemAlnReg]) -> Vec<MemAln> {
    let flag = options.mem.flag;
    let all = flag & flags::ALL != 0;
    let (fm, bns, length) = (&index.packed, &index.bns, codes.len() as i32);
    let mut alternatives =
        if all { vec![None; regions.len()] } else { mem_gen_alt(fm, bns, &options.mem, regions, length, codes) };
    let mut alignments: Vec<MemAln> = Vec::new();
    for (number, region) in regions.iter().enumerate() {
        let is_secondary = region.secondary >= 0;
        if region.score < options.mem.t || is_secondary && (region.is_alt || !all) {
            continue;
        }
        if is_secondary {
            let better = &regions[region.secondary as usize];
            if (region.score as f32) < better.score as f32 * options.mem.drop_ratio {
                continue;
            }
        }
        let mut alignment = reg2aln(fm, bns, &options.mem, length, codes, region);
        alignment.xa = alternatives[number].take();
        if is_secondary {
            alignment.sub = -1;
        } else if !alignments.is_empty() {
            alignment.flag |= if flag & flags::NO_MULTI != 0 { SHOWN_AS_SECONDARY } else { SUPPLEMENTARY };
        }
        if let Some(first) = alignments.first()
            && flag & flags::KEEP_SUPP_MAPQ == 0
            && !region.is_alt
        {
            alignment.mapq = alignment.mapq.min(first.mapq);
        }
        alignments.push(alignment);
    }
    alignments
}

fn write_unmapped(out: &mut Vec<u8>, read: &Read, codes: &[u8]) {
    out.extend_from_slice(read.name.as_bytes());
    out.extend_from_slice(b"\t4\t*\t0\t0\t*\t*\t0\t0\t");
    push_seq_fwd(out, codes);
    out.push(b'\t');
    out.extend_from_slice(qualities_or_star(read.qualities.as_deref()));
    out.extend_from_slice(b"\tAS:i:0\tXS:i:0");
    rg::append_rg_tag(out);
    rg::append_comment(out, read.comment.as_deref());
    out.push(b'\n');
}

fn write_aligned(
    out: &mut Vec<u8>,
    index: &ReferenceIndex,
    options: &AlignOptions,
    read: &Read,
    codes: &[u8],
    alignments: &[MemAln],
    number: usize,
) {
    let alignment = &alignments[number];
    let keep_clipped = options.mem.flag & flags::SOFTCLIP != 0;
    let contig = &index.bns.contigs[alignment.rid as usize];
    let mut flag = alignment.flag & 0xffff;
    if alignment.is_rev {
        flag |= REVERSE;
    }
    if alignment.flag & SHOWN_AS_SECONDARY != 0 {
        flag |= SECONDARY;
    }
    out.extend_from_slice(read.name.as_bytes());
    out.push(b'\t');
    push_int(out, i64::from(flag));
    out.push(b'\t');
    out.extend_from_slice(contig.name.as_bytes());
    out.push(b'\t');
    push_int(out, alignment.pos + 1);
    out.push(b'\t');
    push_int(out, i64::from(alignment.mapq));
    out.push(b'\t');
    let cigar = cigar_string_which(&alignment.cigar, number, alignment.is_alt, keep_clipped);
    out.extend_from_slice(cigar.as_bytes());
    out.extend_from_slice(b"\t*\t0\t0\t");
    if alignment.flag & SECONDARY != 0 {
        out.extend_from_slice(b"*\t*");
    } else {
        let hard_clipped = number > 0 && !keep_clipped && !alignment.is_alt;
        let shown = if hard_clipped { unclipped(alignment, codes.len()) } else { 0..codes.len() };
        let qualities = read.qualities.as_deref().map(|qualities| &qualities[shown.clone()]);
        if alignment.is_rev {
            push_seq_rev(out, &codes[shown]);
            out.push(b'\t');
            match qualities {
                Some(qualities) if !qualities.is_empty() => push_qual_rev(out, qualities),
                _ => out.push(b'*'),
            }
        } else {
            push_seq_fwd(out, &codes[shown]);
            out.push(b'\t');
            out.extend_from_slice(qualities_or_star(qualities));
        }
    }
    write_tags(out, index, alignments, number);
    rg::append_comment(out, read.comment.as_deref());
    if options.mem.flag & flags::REF_HDR != 0 {
        push_xr(out, contig.comment());
    }
    out.push(b'\n');
}

fn write_tags(out: &mut Vec<u8>, index: &ReferenceIndex, alignments: &[MemAln], number: usize) {
    let alignment = &alignments[number];
    let mut integer = |tag: &[u8], value: i32| {
        out.extend_from_slice(tag);
        push_int(out, i64::from(value));
    };
    integer(b"\tNM:i:", alignment.nm);
    out.extend_from_slice(b"\tMD:Z:");
    out.extend_from_slice(alignment.md.as_bytes());
    for (tag, value) in [(b"\tAS:i:", alignment.score), (b"\tXS:i:", alignment.sub)] {
        if value >= 0 {
            out.extend_from_slice(tag);
            push_int(out, i64::from(value));
        }
    }
    rg::append_rg_tag(out);
    if alignment.flag & SECONDARY == 0 {
        let mut others = alignments
            .iter()
            .enumerate()
            .filter(|(other, alignment)| *other != number && alignment.flag & SECONDARY == 0)
            .peekable();
        if others.peek().is_some() {
            out.extend_from_slice(b"\tSA:Z:");
        }
        for (_, other) in others {
            out.extend_from_slice(index.bns.contigs[other.rid as usize].name.as_bytes());
            let strand = if other.is_rev { '-' } else { '+' };
            let cigar = cigar_string(&other.cigar);
            let rest = format!(",{},{strand},{cigar},{},{};", other.pos + 1, other.mapq, other.nm);
            out.extend_from_slice(rest.as_bytes());
        }
        if alignment.alt_sc > 0 {
            out.extend_from_slice(b"\tpa:f:");
            out.extend_from_slice(format_pa(alignment.score, alignment.alt_sc).as_bytes());
        }
    }
    if let Some(alternatives) = &alignment.xa {
        out.extend_from_slice(b"\tXA:Z:");
        out.extend_from_slice(alternatives.as_bytes());
    }
}

/// The part of the read that a hard-clipped record shows, in sequencing orientation.
fn unclipped(alignment: &MemAln, read_length: usize) -> std::ops::Range<usize> {
    let clip = |operation: Option<&u32>| match operation {
        Some(&operation) if operation & 0xf >= FIRST_CLIP => (operation >> 4) as usize,
        _ => 0,
    };
    let (first, last) = (clip(alignment.cigar.first()), clip(alignment.cigar.last()));
    let (start, end) = if alignment.is_rev { (last, first) } else { (first, last) };
    start..read_length - end
}

fn qualities_or_star(qualities: Option<&[u8]>) -> &[u8] {
    qualities.filter(|qualities| !qualities.is_empty()).unwrap_or(b"*")
}
