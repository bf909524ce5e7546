//! Ways to damage a file.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// A changed copy of `source` under another name.
pub fn altered(source: &Path, folder: &Path, name: &str, alter: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let mut bytes = fs::read(source).expect("a file to alter");
    alter(&mut bytes);
    let path = folder.join(name);
    fs::write(&path, bytes).expect("a writable folder");
    path
}

/// A change of the text of line `line` (1-based).
pub fn line(line: usize, change: impl FnOnce(&mut Vec<u8>)) -> impl FnOnce(&mut Vec<u8>) {
    move |bytes| {
        let mut lines: Vec<Vec<u8>> = bytes.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        change(&mut lines[line - 1]);
        *bytes = lines.join(&b'\n');
    }
}

/// Flips every bit of the byte in the middle.
#[expect(clippy::ptr_arg, reason = "the signature of every alteration")]
pub fn flip_the_middle(bytes: &mut Vec<u8>) {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
}

/// Keeps the first half.
pub fn cut_in_half(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len() / 2);
}

/// Compresses.
pub fn gzip(bytes: &mut Vec<u8>) {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    *bytes = encoder.finish().expect("memory");
}

/// Bytes of no format: a linear congruential generator's, the first one given.
pub fn random(bytes: &mut Vec<u8>) {
    let mut state = 1_u64;
    *bytes = (0..100_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect();
    bytes[0] = 0xff;
}
