use std::fs;
use std::path::PathBuf;

use seedsieve_aligner::{AlignOptions, Aligner, ComputeContext, INDEX_SUFFIXES, NoObserver, Read, ReferenceIndex};

use crate::assert_for_people;
use crate::reference::REFERENCE;

/// Loads a small index one of whose files is altered, and aligns a read where it loads.
///
/// The first byte of `data` tells the file (`amb`, `ann`, `pac`, `0123`, `bwt.2bit.64`, `alt`), the second how: the rest
/// becomes the whole file, the file is cut where the rest says, or the rest overwrites bytes from a place on.
pub fn index(data: &[u8]) {
    let [file, how, rest @ ..] = data else { return };
    let suffixes = [&INDEX_SUFFIXES[..], &["alt"]].concat();
    let suffix = suffixes[usize::from(*file) % suffixes.len()];
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = |prefix: &PathBuf, suffix: &str| PathBuf::from(format!("{}.{suffix}", prefix.display()));
    let prefix = folder.path().join("small");
    for suffix in INDEX_SUFFIXES {
        fs::copy(path(&REFERENCE.prefix, suffix), path(&prefix, suffix)).expect("temporary files can be written");
    }
    let altered = path(&prefix, suffix);
    let content = altered_content(fs::read(&altered).unwrap_or_default(), *how, rest);
    fs::write(&altered, content).expect("temporary files can be written");
    let index = match ReferenceIndex::load(&prefix) {
        Ok(index) => index,
        Err(error) => return assert_for_people(&error),
    };
    for (number, contig) in index.contigs().iter().enumerate() {
        assert_eq!(index.contig_codes(number, 0, contig.length).len() as u64, contig.length);
    }
    // An altered byte in the middle of the big files goes unseen, as the documentation of `load` says, and alignment then
    // finds what is not there. In the small ones nothing may.
    if ["amb", "ann", "alt"].contains(&suffix) {
        let read = Read { name: "r".into(), bases: REFERENCE.first_contig[40..140].to_vec(), ..Read::default() };
        let (options, context) = (AlignOptions::default(), ComputeContext::unfiltered());
        let aligned = Aligner::new(&index, &options, &context).align_single(&[read], 0, &NoObserver);
        let sam = aligned.expect("a read of the reference can be aligned").sam.concat();
        assert!(sam.starts_with(b"r\t"), "{}", String::from_utf8_lossy(&sam));
    }
}

fn altered_content(mut content: Vec<u8>, how: u8, rest: &[u8]) -> Vec<u8> {
    let how = how % 3;
    if how == 0 {
        return rest.to_vec();
    }
    let place = |bytes: &[u8]| bytes.first_chunk().map_or(0, |bytes| usize::from(u16::from_le_bytes(*bytes)));
    let place = place(rest).min(content.len());
    if how == 1 {
        content.truncate(place);
        return content;
    }
    for (byte, new) in content[place..].iter_mut().zip(rest.get(2..).unwrap_or_default()) {
        *byte = *new;
    }
    content
}
