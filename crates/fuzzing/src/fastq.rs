use std::io::{BufRead, Cursor};
use std::path::Path;

use seedsieve_aligner::fastq::{Chunk, FastqReader, ReadSource};
use seedsieve_aligner::{AlignOptions, Aligner, AlignerError, ComputeContext, MateJoiner, NoObserver, Read};
use seedsieve_compare::{AlignmentInput, Change, CompareOptions, compare_inputs};

use crate::assert_for_people;
use crate::reference::REFERENCE;

/// Bases that a chunk is closed at (-K).
const CHUNK: u64 = 300;
/// Bases that are aligned of one input: alignment is not what is looked at.
const MOST_BASES: usize = 4_000;

/// Takes `data` for a FASTQ or FASTA of single reads, of pairs one after the other, and, cut in the middle, for the two
/// files of mates; and aligns what is read.
pub fn fastq(data: &[u8]) {
    let middle = data.len() / 2;
    let paired = |one, two| ReadSource::Paired(one, two);
    for source in [
        open(data).map(ReadSource::Single),
        open(data).map(ReadSource::Interleaved),
        open(data).and_then(|one| Ok(paired(one, open(data)?))),
        open(&data[..middle]).and_then(|one| Ok(paired(one, open(&data[middle..])?))),
    ] {
        match source {
            Ok(source) => read_and_align(source),
            Err(error) => assert_for_people(&error),
        }
    }
    let Ok(reader) = open(data) else { return };
    let mut joiner = MateJoiner::new(Box::new(reader));
    loop {
        match joiner.next_chunk(CHUNK) {
            Ok(chunk) if chunk.is_pair.is_empty() => break,
            Ok(chunk) => assert!(chunk.pairs.iter().all(|[one, two]| one.name == two.name)),
            Err(error) => return assert_for_people(&error),
        }
    }
}

fn open(data: &[u8]) -> Result<FastqReader, AlignerError> {
    let input: Box<dyn BufRead + Send> = Box::new(Cursor::new(data.to_vec()));
    FastqReader::from_input(Path::new("reads.fastq"), input)
}

fn read_and_align(mut source: ReadSource) {
    let (options, context) = (AlignOptions::default(), ComputeContext::unfiltered());
    let aligner = Aligner::new(&REFERENCE.index, &options, &context);
    let mut first = 0;
    let mut bases = 0;
    loop {
        let chunk = match source.next_chunk(CHUNK) {
            Ok(chunk) if chunk.is_empty() => return,
            Ok(chunk) => chunk,
            Err(error) => return assert_for_people(&error),
        };
        let reads: Vec<&Read> = match &chunk {
            Chunk::Single(reads) => reads.iter().collect(),
            Chunk::Pairs(pairs) => pairs.as_flattened().iter().collect(),
        };
        reads.iter().for_each(|read| assert_sound(read));
        bases += reads.iter().map(|read| read.bases.len()).sum::<usize>();
        if bases > MOST_BASES {
            return;
        }
        let aligned = match &chunk {
            Chunk::Single(reads) => aligner.align_single(reads, first, &NoObserver),
            Chunk::Pairs(pairs) => aligner.align_pairs(pairs, first, &NoObserver),
        };
        assert_records(&aligned.expect("sound reads can be aligned").sam.concat(), &reads);
        first += chunk.len() as u64;
    }
}

/// What SAM needs of a read.
fn assert_sound(read: &Read) {
    let is_text = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_graphic);
    assert!(is_text(read.name.as_bytes()) && (1..=254).contains(&read.name.len()), "{read:?}");
    assert!(!read.name.starts_with('@') && read.name != "*", "{read:?}");
    assert!(is_text(&read.bases) && read.qualities.as_deref().is_none_or(is_text), "{read:?}");
    assert!(read.qualities.as_ref().is_none_or(|qualities| qualities.len() == read.bases.len()), "{read:?}");
}

/// The records are SAM, and there is a primary one for each read.
fn assert_records(sam: &[u8], reads: &[&Read]) {
    let input = || AlignmentInput::from_reader(Path::new("out.sam"), Box::new(Cursor::new(sam.to_vec())));
    let compared = compare_inputs(input().expect("SAM"), input().expect("SAM"), &CompareOptions::default());
    let compared = compared.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(sam)));
    assert_eq!(compared.reads, reads.len() as u64, "{}", String::from_utf8_lossy(sam));
    assert_eq!(compared.total(Change::Identical), compared.reads);
}
