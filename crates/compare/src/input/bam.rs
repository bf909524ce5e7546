//! BAM (SAM specification, section 4.2), each record as the line of SAM that it stands for.

use std::io::{self, BufRead, Read};
use std::path::Path;

use super::{invalid, read_error};
use crate::error::CompareError;

/// Bytes of a record without name, CIGAR, sequence and tags.
const MIN_RECORD_BYTES: u32 = 32;
/// Above the longest reads with all their tags: a broken size must not ask for gigabytes of memory.
const MAX_RECORD_BYTES: u32 = 1 << 26;
/// The same for the header's text, and for the name of a contig.
const MAX_HEADER_BYTES: u32 = 1 << 30;
const MAX_NAME_BYTES: u32 = 1 << 16;

/// A decompressed BAM behind its magic number.
type Input = Box<dyn BufRead + Send>;

pub(super) struct BamRecords {
    input: Input,
    contigs: Vec<Vec<u8>>,
    bytes: Vec<u8>,
}

impl BamRecords {
    /// Reads the header; also returns names and lengths of the contigs.
    pub(super) fn start(path: &Path, mut input: Input) -> Result<(Self, super::sam::Contigs), CompareError> {
        let contigs = read_header(&mut input).map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => {
                CompareError::Truncated { path: path.to_owned(), why: "it ends within its header".to_owned() }
            }
            _ => CompareError::Read { path: path.to_owned(), record: 0, source },
        })?;
        let named =
            contigs.iter().map(|(name, length)| (String::from_utf8_lossy(name).into_owned(), length.to_string()));
        let named = named.collect();
        let contigs = contigs.into_iter().map(|(name, _)| name).collect();
        Ok((Self { input, contigs, bytes: Vec::new() }, named))
    }

    pub(super) fn next_line(&mut self, path: &Path, number: u64) -> Result<Option<Vec<u8>>, CompareError> {
        let read = self.read_bytes().and_then(|found| match found {
            true => line_of(&self.bytes, &self.contigs).map(Some).map_err(invalid),
            false => Ok(None),
        });
        read.map_err(|source| read_error(path, number, source))
    }

    /// The next record's bytes behind its size; false at the end.
    fn read_bytes(&mut self) -> io::Result<bool> {
        self.bytes.clear();
        (&mut self.input).take(4).read_to_end(&mut self.bytes)?;
        if self.bytes.is_empty() {
            return Ok(false);
        }
        let size: [u8; 4] = self.bytes.as_slice().try_into().map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let size = u32::from_le_bytes(size);
        if !(MIN_RECORD_BYTES..=MAX_RECORD_BYTES).contains(&size) {
            let problem = format!("it has {size} bytes; valid: {MIN_RECORD_BYTES} to {MAX_RECORD_BYTES}");
            return Err(invalid(problem));
        }
        self.bytes.clear();
        let found = (&mut self.input).take(u64::from(size)).read_to_end(&mut self.bytes)?;
        if found < size as usize { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(true) }
    }
}

/// Reads up to the first record; returns names and lengths of the contigs.
fn read_header(input: &mut Input) -> io::Result<Vec<(Vec<u8>, u32)>> {
    let text = u64::from(number(input, MAX_HEADER_BYTES, "the length of the header's text")?);
    if io::copy(&mut input.take(text), &mut io::sink())? < text {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut contigs = Vec::new();
    for _ in 0..number(input, i32::MAX as u32, "the number of contigs")? {
        let length = number(input, MAX_NAME_BYTES, "the length of a contig's name")?;
        let mut name = vec![0; length as usize];
        input.read_exact(&mut name)?;
        name.pop_if(|&mut last| last == 0);
        if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
            return Err(invalid(format!("a contig is named `{}`, which is no name", name.escape_ascii())));
        }
        contigs.push((name, number(input, i32::MAX as u32, "the length of a contig")?));
    }
    Ok(contigs)
}

fn number(input: &mut Input, most: u32, what: &str) -> io::Result<u32> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes)?;
    let value = u32::from_le_bytes(bytes);
    if value > most { Err(invalid(format!("{what} is {value}; valid: 0 to {most}"))) } else { Ok(value) }
}

/// What is left of a record.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize, what: &str) -> Result<&'a [u8], String> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| format!("{what} takes {length} bytes, and the record has {} left", self.0.len()))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], String> {
        Ok(self.take(N, what)?.try_into().expect("as many bytes as were taken"))
    }

    /// Up to a NUL, which is taken, too.
    fn text(&mut self, what: &str) -> Result<&'a [u8], String> {
        let length = self.0.iter().position(|&byte| byte == 0).ok_or_else(|| format!("{what} has no end"))?;
        let text = &self.take(length + 1, what)?[..length];
        match text.iter().find(|byte| byte.is_ascii_control()) {
            None => Ok(text),
            Some(byte) => Err(format!("{what} holds the byte {byte}, which no SAM may hold")),
        }
    }
}

fn line_of(bytes: &[u8], contigs: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let mut rest = Bytes(bytes);
    let contig = i32::from_le_bytes(rest.array("the contig")?);
    let position = i32::from_le_bytes(rest.array("the position")?);
    let [name_length, mapping_quality] = rest.array("the mapping quality")?;
    rest.take(2, "the bin")?;
    let operations = u16::from_le_bytes(rest.array("the length of the CIGAR")?);
    let flags = u16::from_le_bytes(rest.array("the flags")?);
    let bases = u32::from_le_bytes(rest.array("the length of the sequence")?) as usize;
    let mate_contig = i32::from_le_bytes(rest.array("the mate's contig")?);
    let mate_position = i32::from_le_bytes(rest.array("the mate's position")?);
    let template_length = i32::from_le_bytes(rest.array("the template's length")?);
    let name = Bytes(rest.take(usize::from(name_length), "the name")?).text("the name")?;
    let cigar = rest.take(4 * usize::from(operations), "the CIGAR")?;
    let sequence = rest.take(bases.div_ceil(2), "the sequence")?;
    let qualities = rest.take(bases, "the qualities")?;

    let mut line = Vec::with_capacity(2 * bytes.len());
    line.extend_from_slice(if name.is_empty() { b"*" } else { name });
    push(&mut line, flags);
    push_name(&mut line, contig_name(contig, contigs)?);
    push(&mut line, one_based(position)?);
    push(&mut line, mapping_quality);
    let cigar_at = line.len();
    push_cigar(&mut line, cigar)?;
    match contig_name(mate_contig, contigs)? {
        name if name != b"*" && mate_contig == contig => push_name(&mut line, b"="),
        name => push_name(&mut line, name),
    }
    push(&mut line, one_based(mate_position)?);
    push(&mut line, template_length);
    push_bases(&mut line, sequence, bases);
    push_qualities(&mut line, qualities)?;
    // A CIGAR of more than 65,535 operations stands in a tag; the field has a clip as long as the read and a skip.
    let long = cigar.len() == 8 && cigar[..4] == ((bases as u32) << 4 | 4).to_le_bytes() && cigar[4] & 0xf == 3;
    while !rest.0.is_empty() {
        let tag: [u8; 2] = rest.array("a tag")?;
        if !tag.iter().all(u8::is_ascii_graphic) {
            return Err(format!("a tag is named `{}`", tag.escape_ascii()));
        }
        if long && tag == *b"CG" && rest.0.starts_with(b"BI") {
            rest.take(2, "the CIGAR")?;
            let count = u32::from_le_bytes(rest.array("the length of the CIGAR")?) as usize;
            let mut whole = Vec::new();
            push_cigar(&mut whole, rest.take(count.saturating_mul(4), "the CIGAR")?)?;
            let end = cigar_at + 1 + line[cigar_at + 1..].iter().position(|&byte| byte == b'\t').expect("more fields");
            line.splice(cigar_at..end, whole);
        } else {
            push_tag(&mut line, tag, &mut rest)?;
        }
    }
    Ok(line)
}

fn push(line: &mut Vec<u8>, value: impl std::fmt::Display) {
    line.extend_from_slice(format!("\t{value}").as_bytes());
}

fn push_name(line: &mut Vec<u8>, name: &[u8]) {
    line.push(b'\t');
    line.extend_from_slice(name);
}

fn contig_name(number: i32, contigs: &[Vec<u8>]) -> Result<&[u8], String> {
    match usize::try_from(number) {
        Err(_) if number == -1 => Ok(b"*"),
        Ok(number) if number < contigs.len() => Ok(&contigs[number]),
        _ => Err(format!("it lies on contig {number}; valid: -1 to {}", contigs.len() as i64 - 1)),
    }
}

fn one_based(position: i32) -> Result<i64, String> {
    if position < -1 { Err(format!("its position is {position}; valid: from -1")) } else { Ok(i64::from(position) + 1) }
}

fn push_cigar(line: &mut Vec<u8>, cigar: &[u8]) -> Result<(), String> {
    line.push(b'\t');
    if cigar.is_empty() {
        line.push(b'*');
    }
    for operation in cigar.chunks_exact(4) {
        let operation = u32::from_le_bytes(operation.try_into().expect("four bytes"));
        let letter = b"MIDNSHP=X".get((operation & 0xf) as usize);
        let letter =
            letter.ok_or_else(|| format!("an operation of its CIGAR is {}; valid: 0 to 8", operation & 0xf))?;
        line.extend_from_slice((operation >> 4).to_string().as_bytes());
        line.push(*letter);
    }
    Ok(())
}

fn push_bases(line: &mut Vec<u8>, packed: &[u8], bases: usize) {
    line.push(b'\t');
    if bases == 0 {
        line.push(b'*');
    }
    let letters = packed.iter().flat_map(|pair| [pair >> 4, pair & 0xf]).take(bases);
    line.extend(letters.map(|code| b"=ACMGRSVTWYHKDBN"[usize::from(code)]));
}

fn push_qualities(line: &mut Vec<u8>, qualities: &[u8]) -> Result<(), String> {
    line.push(b'\t');
    if qualities.first().is_none_or(|&first| first == 0xff) {
        line.push(b'*');
        return Ok(());
    }
    if let Some(quality) = qualities.iter().find(|&&quality| quality > 93) {
        return Err(format!("it has a base quality of {quality}; valid: 0 to 93"));
    }
    line.extend(qualities.iter().map(|quality| quality + b'!'));
    Ok(())
}

fn push_tag(line: &mut Vec<u8>, tag: [u8; 2], rest: &mut Bytes<'_>) -> Result<(), String> {
    let [kind] = rest.array("the type of a tag")?;
    line.push(b'\t');
    line.extend_from_slice(&tag);
    let what = "the value of a tag";
    match kind {
        b'A' => {
            let [character] = rest.array(what)?;
            if !character.is_ascii_graphic() {
                return Err(format!("a tag of one character is the byte {character}"));
            }
            line.extend_from_slice(&[b':', b'A', b':', character]);
        }
        b'Z' | b'H' => {
            line.extend_from_slice(&[b':', kind, b':']);
            line.extend_from_slice(rest.text(what)?);
        }
        b'B' => {
            let [kind] = rest.array("the type of a list")?;
            let count = u32::from_le_bytes(rest.array("the length of a list")?);
            line.extend_from_slice(&[b':', b'B', b':', kind]);
            for _ in 0..count {
                let value = scalar(kind, rest)?;
                line.extend_from_slice(format!(",{value}").as_bytes());
            }
        }
        _ => {
            let value = scalar(kind, rest)?;
            let kind = if kind == b'f' { 'f' } else { 'i' };
            line.extend_from_slice(format!(":{kind}:{value}").as_bytes());
        }
    }
    Ok(())
}

/// A number of the type `kind` as text.
fn scalar(kind: u8, rest: &mut Bytes<'_>) -> Result<String, String> {
    let what = "a number";
    Ok(match kind {
        b'c' => i8::from_le_bytes(rest.array(what)?).to_string(),
        b'C' => u8::from_le_bytes(rest.array(what)?).to_string(),
        b's' => i16::from_le_bytes(rest.array(what)?).to_string(),
        b'S' => u16::from_le_bytes(rest.array(what)?).to_string(),
        b'i' => i32::from_le_bytes(rest.array(what)?).to_string(),
        b'I' => u32::from_le_bytes(rest.array(what)?).to_string(),
        b'f' => f32::from_le_bytes(rest.array(what)?).to_string(),
        _ => return Err(format!("a tag has the type `{}`; valid: AcCsSiIfZHB", [kind].escape_ascii())),
    })
}
