use std::io::{Cursor, Read, Write};
use std::path::Path;

use noodles::bgzf;
use seedsieve_compare::{
    AlignmentInput, CompareError, CompareOptions, Comparison, ReportInput, TruthSource, compare_inputs, html_report,
    text_table,
};

use crate::assert_for_people;

/// Bits of the first byte.
const COMPRESSED_A: u8 = 1;
const COMPRESSED_B: u8 = 2;
const SAME_FILE: u8 = 4;
const TRUTH: u8 = 8;

/// Compares two files: the first byte of `data` tells whether each is BGZF (as BAM is), whether they are the same, and
/// whether the truth is asked for; two bytes tell where the first ends; the rest is both. What was compared is shown in
/// each form.
pub fn alignments(data: &[u8]) {
    let [mode, low, high, rest @ ..] = data else { return };
    let end = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
    let (a, b) = if mode & SAME_FILE != 0 { (rest, rest) } else { rest.split_at(end) };
    let truth = if mode & TRUTH != 0 { TruthSource::Names } else { TruthSource::Unknown };
    let options = CompareOptions { truth, ..CompareOptions::default() };
    let open = |name, content, compressed| {
        AlignmentInput::from_reader(Path::new(name), if compressed { in_bgzf(content) } else { plain(content) })
    };
    let opened = open("a", a, mode & COMPRESSED_A != 0).and_then(|a| Ok((a, open("b", b, mode & COMPRESSED_B != 0)?)));
    match opened.and_then(|(a, b)| compare_inputs(a, b, &options)) {
        Ok(comparison) => assert_sums(&comparison, a == b && (mode & COMPRESSED_A != 0) == (mode & COMPRESSED_B != 0)),
        Err(error) => {
            assert_for_people(&error);
            assert!(!matches!(error, CompareError::Json { .. } | CompareError::Write { .. }), "{error}");
        }
    }
}

fn assert_sums(comparison: &Comparison, same: bool) {
    let sum = |counts: &mut dyn Iterator<Item = u64>| counts.sum::<u64>();
    let reads = comparison.reads;
    assert_eq!(sum(&mut comparison.changes.iter().map(|counts| counts.reads())), reads);
    assert_eq!(sum(&mut comparison.by_mappability.iter().map(|counts| counts.tally.all())), reads);
    assert_eq!(sum(&mut comparison.by_kind[..4].iter().map(|counts| counts.tally.all())), reads);
    assert_eq!(sum(&mut comparison.mapq_shift.reads.iter().flatten().copied()), reads);
    if same {
        let identical = |kind: &seedsieve_compare::KindCounts| kind.tally.identical == kind.tally.all();
        assert!(comparison.by_kind.iter().all(identical), "{:?}", comparison.by_kind);
    }
    assert!(!text_table(comparison).contains("NaN"));
    let page = html_report(&ReportInput { comparison, statistics_a: None, statistics_b: None, metrics: None });
    assert!(page.ends_with("</html>\n") && !page.contains("=\"NaN\""));
    serde_json::to_vec(comparison).expect("counts are JSON");
}

fn plain(content: &[u8]) -> Box<dyn Read + Send> {
    Box::new(Cursor::new(content.to_vec()))
}

fn in_bgzf(content: &[u8]) -> Box<dyn Read + Send> {
    let mut writer = bgzf::io::Writer::new(Vec::new());
    writer.write_all(content).expect("memory can be written");
    plain(&writer.finish().expect("memory can be written"))
}
