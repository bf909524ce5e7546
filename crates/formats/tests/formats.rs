//! What is written can be read again, is the same bytes for any number of threads, and is all there or not there.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use noodles::{bam, bgzf, sam};
use sam::alignment::io::Write as _;
use seedsieve_formats::{AlignmentWriter, Destination, FormatError, OutputFormat, SortSettings, WriterSettings};

const HEADER: &[u8] = b"@SQ\tSN:one\tLN:5000\n@SQ\tSN:two\tLN:700\n@PG\tID:x\tCL:a b\n";

/// Records of all shapes that the aligner writes, in several elements.
fn records() -> Vec<Vec<u8>> {
    let line = |number: usize| {
        let at = number * 7919 % 4800 + 1;
        match number % 4 {
            0 => format!(
                "r{number}\t0\tone\t{at}\t60\t3S5M2D2M\t*\t0\t0\tACGTNACGTA\tIIIIIIIII#\tNM:i:{number}\tXS:i:-3\n"
            ),
            1 => format!("r{number}\t16\ttwo\t{}\t0\t4M6H\t=\t1\t-9\tACGT\t*\tMD:Z:4\tpa:f:0.5\n", at % 690 + 1),
            2 => format!("r{number}\t272\tone\t{at}\t0\t10M\t*\t0\t0\t*\t*\tSA:Z:one,1,+,5M,60,0;\n"),
            _ => format!("r{number}\t4\t*\t0\t0\t*\t*\t0\t0\tACG\tII#\tAS:i:0\n"),
        }
    };
    (0..9_000).step_by(3).map(|first| (first..first + 3).map(line).collect::<String>().into_bytes()).collect()
}

fn write(path: &Path, sort_memory: Option<u64>, threads: usize) -> Result<(), FormatError> {
    let folder = path.parent().expect("a folder").to_owned();
    let settings = WriterSettings {
        format: OutputFormat::of_path(path),
        sort: sort_memory.map(|memory| SortSettings { memory, folder }),
        reference: "ref.fa".into(),
    };
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads"));
    let mut writer = AlignmentWriter::new(Destination::open(Some(path))?, HEADER.to_vec(), &settings, pool)?;
    // Elements come in differently: one batch, or many.
    for batch in records().chunks(4_000 / (threads * threads * threads)) {
        writer.write(batch)?;
    }
    writer.finish()
}

/// The BAM as SAM text, by another reader.
fn text_of_bam(path: &Path) -> Vec<u8> {
    let mut reader = bam::io::Reader::new(fs::File::open(path).expect("a BAM"));
    let header = reader.read_header().expect("a header");
    let mut writer = sam::io::Writer::new(Vec::new());
    for record in reader.records() {
        writer.write_alignment_record(&header, &record.expect("a record")).expect("memory");
    }
    writer.into_inner()
}

#[test]
fn bam_holds_the_records_and_the_header_of_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.bam");
    write(&path, None, 2).unwrap();
    assert_eq!(String::from_utf8(text_of_bam(&path)).unwrap(), String::from_utf8(records().concat()).unwrap());
    let mut inflated = bgzf::io::Reader::new(fs::File::open(&path).unwrap());
    let mut bytes = vec![0; 8 + HEADER.len()];
    std::io::Read::read_exact(&mut inflated, &mut bytes).unwrap();
    assert_eq!(&bytes[8..], HEADER);
}

#[test]
fn the_bytes_do_not_depend_on_threads_batches_or_sort_memory() {
    let folder = tempfile::tempdir().unwrap();
    for suffix in ["sam", "sam.gz", "bam"] {
        let written = |name: &str, memory, threads| {
            let path = folder.path().join(format!("{name}.{suffix}"));
            write(&path, memory, threads).unwrap();
            fs::read(path).unwrap()
        };
        assert!(written("one", None, 1) == written("four", None, 4), "{suffix}");
        assert!(written("large", Some(1 << 30), 1) == written("small", Some(1 << 18), 4), "sorted {suffix}");
    }
    let index = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert_eq!(index("large.bam.bai"), index("small.bam.bai"));
    assert_eq!(index("large.sam.gz.csi"), index("small.sam.gz.csi"));
    assert!(!folder.path().join("one.bam.bai").exists(), "no index of what is not sorted");
}

#[test]
fn sorted_text_is_the_stable_order_with_its_header_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.sam");
    write(&path, Some(1 << 18), 2).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let all = String::from_utf8(records().concat()).unwrap();
    let mut expected: Vec<&str> = all.lines().collect();
    expected.sort_by_key(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let reverse = fields[1].parse::<u16>().unwrap() & 16;
        (["one", "two", "*"].iter().position(|name| *name == fields[2]), fields[3].parse::<u32>().unwrap(), reverse)
    });
    let (header, found): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('@'));
    assert_eq!(header[0], "@HD\tVN:1.6\tSO:coordinate");
    assert!(found == expected, "another order");
}

#[test]
fn what_is_not_finished_has_no_name() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["out.sam", "out.sam.gz", "out.bam"] {
        let path = folder.path().join(name);
        let settings = WriterSettings { format: OutputFormat::of_path(&path), sort: None, reference: "ref.fa".into() };
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap());
        let destination = Destination::open(Some(&path)).unwrap();
        let mut writer = AlignmentWriter::new(destination, HEADER.to_vec(), &settings, pool).unwrap();
        writer.write(&records()).unwrap();
        assert!(!path.exists(), "{name}");
        drop(writer);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    for (format, sort) in [(OutputFormat::Sam, false), (OutputFormat::BgzfSam, true), (OutputFormat::Bam, false)] {
        let full = Path::new("/dev/full");
        let sort = sort.then(|| SortSettings { memory: 1 << 20, folder: std::env::temp_dir() });
        let settings = WriterSettings { format, sort, reference: "ref.fa".into() };
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap());
        let written = AlignmentWriter::new(Destination::open(Some(full)).unwrap(), HEADER.to_vec(), &settings, pool)
            .and_then(|mut writer| writer.write(&records()).and_then(|()| writer.finish()));
        let error = written.unwrap_err();
        assert!(error.to_string().contains("/dev/full"), "{format}: {error}");
        let source = std::error::Error::source(&error).expect("the system's reason").to_string();
        assert!(source.contains("No space left"), "{format}: {source}");
    }
}
