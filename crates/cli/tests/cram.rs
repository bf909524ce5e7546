//! Reads from CRAM: real E. coli reads, through htslib.

mod common;

use std::fs::File;
use std::io::BufReader;

use common::{data, fail, prepared, seedsieve, succeed, text};

#[test]
fn seeds_of_a_cram_agree_with_its_reference() {
    let Some(data) = data() else { return };
    let cram = data.join("other/ecoli/E.coli.cram");
    let folder = prepared("ecoli", |folder| {
        let packed = File::open(data.join("other/ecoli/E.coli.fa.gz")).expect("real data is complete");
        let mut fasta = File::create(folder.join("E.coli.fa")).expect("the target folder is writable");
        std::io::copy(&mut flate2::bufread::MultiGzDecoder::new(BufReader::new(packed)), &mut fasta).expect("gzip");
        succeed(&mut seedsieve(&["index", text(&folder.join("E.coli.fa"))]));
    });
    let reference = folder.join("E.coli.fa");
    let output = tempfile::tempdir().expect("a folder");
    let seeds = output.path().join("seeds");
    let extract = ["extract-seeds", "--reference", text(&reference), "--output", text(&seeds), "--read-pairs", "300"];
    let message = succeed(seedsieve(&extract).arg(&cram)).stderr;
    let message = String::from_utf8_lossy(&message);
    // 300 names are drawn; 72 of the chosen reads have no mate in this part of the file.
    assert!(message.contains("528 reads, ") && message.contains("want of a mate: 72"), "{message}");
    succeed(&mut seedsieve(&["dataset", "validate", "--reference", text(&reference), text(&seeds)]));
    let described = succeed(&mut seedsieve(&["dataset", "describe", text(&seeds)])).stdout;
    let described = String::from_utf8_lossy(&described);
    let on_path = described.lines().skip_while(|line| !line.contains("on the path")).nth(1).expect("a share");
    let share: f64 = on_path.split_whitespace().nth(2).and_then(|word| word.parse().ok()).expect("a percentage");
    assert!(share > 50.0, "{described}");

    let cut = output.path().join("cut.cram");
    let whole = std::fs::read(&cram).expect("real data is complete");
    std::fs::write(&cut, &whole[..whole.len() / 2]).expect("a writable folder");
    let other = output.path().join("other");
    let extract = ["extract-seeds", "--reference", text(&reference), "--output", text(&other)];
    let message = fail(seedsieve(&extract).arg(&cut));
    assert!(message.contains("cut.cram"), "{message}");
    assert!(!other.join("dataset.json").exists());

    // An index without its FASTA is enough for BAM and FASTQ.
    let bare = output.path().join("bare.fa");
    for suffix in ["0123", "amb", "ann", "bwt.2bit.64", "pac"] {
        std::fs::copy(reference.with_added_extension(suffix), bare.with_added_extension(suffix)).expect("an index");
    }
    let message = fail(seedsieve(&["extract-seeds", "--reference", text(&bare), "--output", text(&other)]).arg(&cram));
    assert!(message.contains("bare.fa has to be there, too, not only its index"), "{message}");
}
