//! BAM that is cut, corrupt or of another reference.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use noodles::sam::{self, alignment::io::Write as _};
use noodles::{bam, bgzf};

use super::common::{seedsieve, succeed, text};
use super::damage::{altered, flip_the_middle};
use super::{extract_seeds, listing, refused, sound};

/// The empty block at the end of each BGZF file.
const END_OF_FILE_BYTES: usize = 28;

/// The alignments of the sound reads as BAM, with a changed header.
fn write_bam(path: &Path, change_header: impl Fn(&str) -> String) {
    let sound = sound();
    let sam = succeed(&mut seedsieve(&["align", text(&sound.genome), text(&sound.reads), text(&sound.mates)])).stdout;
    let sam = String::from_utf8(sam).unwrap();
    let is_header = |line: &&str| line.starts_with('@');
    let header: String = sam.lines().filter(is_header).map(|line| format!("{line}\n")).collect();
    let header: sam::Header = change_header(&header).parse().unwrap();
    let mut writer = bam::io::Writer::new(File::create(path).unwrap());
    writer.write_header(&header).unwrap();
    for line in sam.lines().filter(|line| !is_header(line)) {
        let record = sam::Record::try_from(line.as_bytes()).unwrap();
        writer.write_alignment_record(&header, &record).unwrap();
    }
    writer.try_finish().unwrap();
}

struct Bam {
    folder: tempfile::TempDir,
    path: PathBuf,
}

fn bam(change_header: impl Fn(&str) -> String) -> Bam {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.bam");
    write_bam(&path, change_header);
    Bam { folder, path }
}

impl Bam {
    fn sound() -> Self {
        bam(str::to_owned)
    }

    fn is_refused(&self, path: &Path, parts: &[&str]) -> String {
        let output = self.folder.path().join("seeds");
        refused(&mut extract_seeds(&output, &sound().genome, &[path]), self.folder.path(), parts)
    }

    fn altered_is_refused(&self, alter: impl FnOnce(&mut Vec<u8>), parts: &[&str]) -> String {
        let path = altered(&self.path, self.folder.path(), "altered.bam", alter);
        self.is_refused(&path, &[&[text(&path)], parts].concat())
    }
}

#[test]
fn a_truncated_bam_is_told_by_its_missing_end() {
    let bam = Bam::sound();
    let size = fs::metadata(&bam.path).unwrap().len() as usize;
    for kept in [size - 1, size - END_OF_FILE_BYTES, size / 2] {
        let place = format!("byte {kept}");
        bam.altered_is_refused(|bytes| bytes.truncate(kept), &[&place, "end-of-file block", "copy it again"]);
    }
    bam.altered_is_refused(|bytes| bytes.truncate(20), &["byte 0", "cannot be decompressed"]);
    bam.altered_is_refused(Vec::clear, &["the file is empty"]);
}

#[test]
fn a_bam_that_lacks_its_middle_is_told_by_record_and_byte() {
    let bam = Bam::sound();
    let cut = |bytes: &mut Vec<u8>| {
        let (end, middle) = (bytes.len() - END_OF_FILE_BYTES, bytes.len() / 2);
        bytes.drain(middle..end);
    };
    bam.altered_is_refused(cut, &["record", "BGZF block at byte", "truncated or corrupt", "copy it again"]);
}

#[test]
fn a_corrupt_block_is_told_by_record_and_byte() {
    let bam = Bam::sound();
    let message = bam.altered_is_refused(flip_the_middle, &["BGZF block at byte", "copy it again"]);
    let record: u32 = message.split("record ").nth(1).and_then(|rest| rest.split(':').next()).unwrap().parse().unwrap();
    assert!((1..=800).contains(&record), "{message}");
    bam.altered_is_refused(|bytes| bytes[24] ^= 0xff, &["altered.bam"]);
}

#[test]
fn a_broken_record_within_sound_blocks_is_told_by_its_number() {
    let bam = Bam::sound();
    let mut plain = Vec::new();
    std::io::copy(&mut bgzf::io::Reader::new(File::open(&bam.path).unwrap()), &mut plain).unwrap();
    let name = plain.windows(4).position(|window| window == b"sim:").unwrap();
    // The record's size stands 36 bytes before its name.
    for (size, problem) in [
        (0_u32, "has 0 bytes, valid are 32 to"),
        (31, "has 31 bytes, valid are 32 to"),
        (u32::MAX, "has 4294967295 bytes, valid are 32 to"),
        (1 << 26, "BGZF block at byte"),
        (40, "BGZF block at byte"),
    ] {
        let mut broken = plain.clone();
        broken[name - 36..name - 32].copy_from_slice(&size.to_le_bytes());
        let recompress = |bytes: &mut Vec<u8>| {
            let mut writer = bgzf::io::Writer::new(Vec::new());
            std::io::Write::write_all(&mut writer, &broken).unwrap();
            *bytes = writer.finish().unwrap();
        };
        bam.altered_is_refused(recompress, &["record 1:", problem, "copy it again"]);
    }
}

#[test]
fn an_error_in_the_second_input_leaves_nothing_of_the_first() {
    let bam = Bam::sound();
    let cut = altered(&bam.path, bam.folder.path(), "cut.bam", |bytes| bytes.truncate(bytes.len() - 1));
    let output = bam.folder.path().join("seeds");
    let mut command = extract_seeds(&output, &sound().genome, &[&bam.path, &cut]);
    refused(command.args(["--part-rows", "100"]), bam.folder.path(), &[text(&cut), "end-of-file block"]);
}

#[test]
fn a_reference_that_is_not_the_bams_is_told_by_length() {
    let bam = bam(|header| header.replace("LN:24000", "LN:24001"));
    let parts = [text(&bam.path), "synthetic1", "24001", "24000 in the index", "index that reference"];
    bam.is_refused(&bam.path, &parts);
}

#[test]
fn a_reference_that_is_not_the_bams_is_told_by_md5() {
    let md5 = "0123456789abcdef0123456789abcdef";
    let bam = bam(|header| header.replace("LN:24000", &format!("LN:24000\tM5:{md5}")));
    let parts = [text(&bam.path), "synthetic1", md5, "in the index", "index that reference"];
    bam.is_refused(&bam.path, &parts);
}

#[test]
fn the_sound_bam_is_extracted() {
    let bam = Bam::sound();
    let output = bam.folder.path().join("seeds");
    succeed(&mut extract_seeds(&output, &sound().genome, &[&bam.path]));
    assert!(output.join("dataset.json").is_file(), "{:?}", listing(bam.folder.path()));
}

#[test]
fn sam_is_told_from_fastq() {
    let (sound, folder) = (sound(), tempfile::tempdir().unwrap());
    let sam = folder.path().join("reads.sam");
    succeed(&mut super::align(&sam, &sound.genome, &[&sound.reads]));
    let output = folder.path().join("seeds");
    let parts = [text(&sam), "a SAM header", "samtools view -b"];
    refused(&mut extract_seeds(&output, &sound.genome, &[&sam]), folder.path(), &parts);
}

#[test]
fn an_address_that_leads_nowhere_is_told() {
    let bam = Bam::sound();
    for (address, problem) in [
        ("s3://bucket/reads.cram", "valid are https, http, ftp and file"),
        ("https:///reads.cram", "not an address"),
        ("https://example.org/", "names no file"),
        ("http://127.0.0.1:1/reads.cram", "4 attempts"),
        ("file:///reads.cram", "/reads.cram: cannot open"),
    ] {
        bam.is_refused(Path::new(address), &[problem]);
    }
    let reference = "ftp://127.0.0.1:1/genome.fa";
    let output = bam.folder.path().join("seeds");
    let mut command = extract_seeds(&output, Path::new(reference), &[&bam.path]);
    refused(&mut command, bam.folder.path(), &[reference, "4 attempts"]);
    // A colon is no address.
    bam.is_refused(Path::new("no:such.bam"), &["no:such.bam", "check the path"]);
}
