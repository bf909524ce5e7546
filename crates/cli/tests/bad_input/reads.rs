//! FASTQ that is cut, corrupt, empty or has no mates.

use std::fs;
use std::path::PathBuf;

use super::common::{succeed, text};
use super::damage::{altered, cut_in_half, flip_the_middle, gzip, line, random};
use super::{align, extract_seeds, refused, sound};

/// Both commands that read FASTQ refuse these files.
fn are_refused(files: &[&PathBuf], parts: &[&str]) {
    let (genome, folder) = (sound().genome, tempfile::tempdir().unwrap());
    let folder = folder.path();
    let files: Vec<_> = files.iter().map(|path| path.as_path()).collect();
    refused(&mut align(&folder.join("out.sam"), &genome, &files), folder, parts);
    let mut extract = extract_seeds(&folder.join("seeds"), &genome, &files);
    if files.len() == 2 {
        extract.arg("--paired");
    }
    refused(&mut extract, folder, parts);
}

#[test]
fn truncated_fastq_is_told_by_record_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let reads = sound().reads;
    let header = fs::read(&reads).unwrap().iter().position(|&byte| byte == b'\n').unwrap() + 1;
    for (kept, parts) in [
        (header + 150 + 1 + 2 + 100, ["record 1", "sequence length is 150 but quality length is 100"]),
        (header + 150 + 1, ["record 1", "the file ends within the record"]),
        (header + 70, ["record 1", "the file ends within the record"]),
        (header - 3, ["record 1", "the file ends within the record"]),
    ] {
        let cut = altered(&reads, folder.path(), "cut.fastq", |bytes| bytes.truncate(kept));
        are_refused(&[&cut], &[&[text(&cut), "line", "copy it again"], &parts[..]].concat());
    }
}

#[test]
fn truncated_and_corrupt_gzip_is_told_by_record() {
    let folder = tempfile::tempdir().unwrap();
    let gzipped = altered(&sound().reads, folder.path(), "reads.fastq.gz", gzip);
    let half = altered(&gzipped, folder.path(), "half.fastq.gz", cut_in_half);
    are_refused(&[&half], &[text(&half), "record 1", "copy it again"]);
    // All the data are there, but not the checksum that follows them.
    let end = altered(&gzipped, folder.path(), "end.fastq.gz", |bytes| bytes.truncate(bytes.len() - 4));
    are_refused(&[&end], &[text(&end), "copy it again"]);
    let sum = altered(&gzipped, folder.path(), "sum.fastq.gz", |bytes| {
        let at = bytes.len() - 8;
        bytes[at] ^= 1;
    });
    are_refused(&[&sum], &[text(&sum), "copy it again"]);
    let corrupt = altered(&gzipped, folder.path(), "corrupt.fastq.gz", flip_the_middle);
    are_refused(&[&corrupt], &[text(&corrupt), "record", "copy it again"]);
}

#[test]
fn corrupt_fastq_is_told_by_record_line_and_value() {
    let folder = tempfile::tempdir().unwrap();
    // Record 11 has the lines 41 to 44.
    let at_line = |number, change: fn(&mut Vec<u8>)| {
        altered(&sound().reads, folder.path(), "corrupt.fastq", line(number, change))
    };
    let is_refused = |path: PathBuf, parts: &[&str]| {
        are_refused(&[&path], &[&[text(&path), "record 11", "copy it again"], parts].concat());
    };
    let lengths = "sequence length is 150 but quality length is 148";
    is_refused(at_line(44, |quality| quality.truncate(148)), &["line 41", lengths]);
    is_refused(at_line(43, |plus| *plus = b"?".to_vec()), &["line 43", "starts with '?', not with '+'"]);
    is_refused(at_line(41, |name| name[0] = b'!'), &["line 41", "a record starts with '!'"]);
    is_refused(at_line(41, |name| name[3] = 0x07), &["the name is `si\\x07:"]);
    is_refused(at_line(41, |name| name[3] = 0xff), &["the name is `si\\xff:"]);
    is_refused(at_line(42, |bases| bases[7] = 0), &["base 7 (0-based) is '\\x00'", "from '!' to '~'"]);
    is_refused(at_line(44, |quality| quality[9] = b'\t'), &["quality 9 (0-based) is '\\t'", "from '!' to '~'"]);
    is_refused(at_line(44, |quality| quality[9] = 0xf3), &["quality 9 (0-based) is '\\xf3'"]);
}

#[test]
fn names_that_no_sam_can_hold_are_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    // Record 11 begins at line 41.
    let renamed = |name: &[u8]| {
        let name = name.to_vec();
        altered(&sound().reads, folder.path(), "renamed.fastq", line(41, |header| *header = name))
    };
    let is_refused = |header: &[u8], parts: &[&str]| {
        let path = renamed(header);
        are_refused(&[&path], &[&[text(&path), "record 11"], parts].concat());
    };
    is_refused(b"@", &["the read has no name", "name the reads"]);
    is_refused(b"@ a comment", &["the read has no name"]);
    is_refused(b"@*", &["`*`", "stands for none in SAM", "name the reads"]);
    is_refused(b"@@sim", &["`@sim`", "take the second @ away"]);
    is_refused("@sim\u{e9}".as_bytes(), &["`sim\\xc3\\xa9`", "character 3", "'!' to '~'"]);
    let long = [b"@", "n".repeat(255).as_bytes()].concat();
    is_refused(&long, &["255 characters", "room for 254", "shorten it"]);
    for header in [&long[..255], b"@a@b"] {
        let sam = folder.path().join("out.sam");
        succeed(&mut align(&sam, &sound().genome, &[&renamed(header)]));
        assert!(fs::read_to_string(&sam).unwrap().contains(&format!("\n{}\t", String::from_utf8_lossy(&header[1..]))));
    }
}

#[test]
fn what_is_no_fastq_is_told_by_its_first_byte() {
    let folder = tempfile::tempdir().unwrap();
    let binary = altered(&sound().reads, folder.path(), "binary.fastq", random);
    are_refused(&[&binary], &[text(&binary), "byte 0", "\\xff", "FASTQ"]);
    let missing = folder.path().join("missing.fastq");
    are_refused(&[&missing], &[text(&missing), "No such file", "check the path"]);
    let directory = folder.path().to_path_buf();
    are_refused(&[&directory], &[text(&directory), "Is a directory", "check the path"]);
}

#[test]
fn an_empty_file_has_no_seeds_and_aligns_to_a_header_with_a_warning() {
    let (genome, folder) = (sound().genome, tempfile::tempdir().unwrap());
    let empty = altered(&sound().reads, folder.path(), "empty.fastq", Vec::clear);
    let seeds = folder.path().join("seeds");
    refused(&mut extract_seeds(&seeds, &genome, &[&empty]), folder.path(), &[text(&empty), "the file is empty"]);
    // bwa-mem2 aligns no reads to no records, and so does align.
    let sam = folder.path().join("out.sam");
    let output = succeed(&mut align(&sam, &genome, &[&empty]));
    assert!(String::from_utf8_lossy(&output.stderr).contains("empty.fastq: no reads"), "{output:?}");
    assert!(fs::read(&sam).unwrap().split_inclusive(|&byte| byte == b'\n').all(|line| line[0] == b'@'));
}

#[test]
fn files_that_are_no_mates_are_refused_wherever_that_shows() {
    let sound = sound();
    let folder = tempfile::tempdir().unwrap();
    let short = altered(&sound.mates, folder.path(), "short.fastq", |bytes| {
        let end = bytes.split_inclusive(|&byte| byte == b'\n').take(4 * 300).map(<[u8]>::len).sum();
        bytes.truncate(end);
    });
    let parts = [text(&short), "record 300", "the file ends here", text(&sound.reads), ":300:", "not mates"];
    are_refused(&[&sound.reads, &short], &parts);
    are_refused(&[&short, &sound.reads], &parts);
    let renamed = altered(&sound.mates, folder.path(), "renamed.fastq", line(1 + 4 * 200, |name| name[1] = b'S'));
    are_refused(&[&sound.reads, &renamed], &[text(&renamed), "record 201", "Sim:synthetic", "is not the mate of sim:"]);
    let shifted = altered(&sound.mates, folder.path(), "shifted.fastq", |bytes| {
        let end: usize = bytes.split_inclusive(|&byte| byte == b'\n').take(4).map(<[u8]>::len).sum();
        bytes.drain(..end);
    });
    are_refused(&[&sound.reads, &shifted], &[text(&shifted), "record 1", "is not the mate of", "sort both files"]);
}

#[test]
fn an_error_after_the_first_chunk_leaves_no_part_of_the_output() {
    let (sound, folder) = (sound(), tempfile::tempdir().unwrap());
    let late = altered(&sound.reads, folder.path(), "late.fastq", line(4 * 390, |quality| quality.truncate(9)));
    let output = folder.path().join("out.sam");
    let parts = [text(&late), "record 390"];
    refused(align(&output, &sound.genome, &[&late]).args(["-K", "3000"]), folder.path(), &parts);
    fs::write(&output, "from before").unwrap();
    refused(align(&output, &sound.genome, &[&late]).args(["-K", "3000"]), folder.path(), &parts);
    assert_eq!(fs::read(&output).unwrap(), b"from before");
}
