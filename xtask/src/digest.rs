//! A fingerprint of bytes that tells whether something has changed since the last run.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::failure::{Context, Outcome};

/// FNV-1a over 64-bit words. Nobody is kept from making two inputs with the same fingerprint on purpose: it decides
/// whether a step is run again, and guards nothing. Files from outside are checked with SHA-256 (scripts/fetch_data.py).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    const PRIME: u64 = 0x0000_0100_0000_01b3;

    /// The fingerprint of nothing.
    pub fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds bytes, and their number, so that `ab` + `c` and `a` + `bc` differ.
    pub fn add(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.add_word(u64::from_le_bytes(word));
        }
        self.add_word(bytes.len() as u64);
    }

    fn add_word(&mut self, word: u64) {
        // FNV's low bits never see the high bits of the word; folding brings them down.
        self.0 = (self.0 ^ word).wrapping_mul(Self::PRIME);
        self.0 ^= self.0 >> 32;
    }

    /// Adds the contents of a file, or of every file in a folder in the order of their names.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn add_path(&mut self, path: &Path) -> Outcome<()> {
        let cannot_read = || format!("cannot read {}", path.display());
        if path.is_dir() {
            let entries = fs::read_dir(path).context(cannot_read)?;
            let mut paths = entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<Vec<_>, _>>()
                .context(cannot_read)?;
            paths.sort();
            return paths.iter().try_for_each(|path| {
                self.add(path.file_name().unwrap_or_default().as_encoded_bytes());
                self.add_path(path)
            });
        }
        let mut file = File::open(path).context(cannot_read)?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let mut filled = 0;
            while filled < buffer.len() {
                match file.read(&mut buffer[filled..]).context(cannot_read)? {
                    0 => break,
                    bytes => filled += bytes,
                }
            }
            self.add(&buffer[..filled]);
            if filled < buffer.len() {
                return Ok(());
            }
        }
    }

    /// 16 hexadecimal digits.
    pub fn hexadecimal(self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parts: &[&[u8]]) -> Digest {
        let mut digest = Digest::new();
        parts.iter().for_each(|part| digest.add(part));
        digest
    }

    #[test]
    fn every_byte_counts_and_so_does_where_a_part_ends() {
        let bytes = *b"0123456789abcdef0";
        for position in 0..bytes.len() {
            for bit in 0..8 {
                let mut other = bytes;
                other[position] ^= 1 << bit;
                assert_ne!(of(&[&bytes]), of(&[&other]), "byte {position} bit {bit}");
            }
        }
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
        assert_ne!(of(&[b"a"]), of(&[b"a\0"]));
        assert_ne!(of(&[b""]), of(&[]));
    }

    #[test]
    fn a_file_in_a_folder_counts_with_its_name() {
        let folder = crate::scratch::folder("digest");
        let digest = |name: &str, contents: &str| {
            let path = folder.join(name);
            fs::write(&path, contents).unwrap();
            let mut digest = Digest::new();
            digest.add_path(&folder).unwrap();
            fs::remove_file(path).unwrap();
            digest
        };
        let first = digest("a", "contents");
        assert_eq!(first, digest("a", "contents"));
        assert_ne!(first, digest("b", "contents"));
        assert_ne!(first, digest("a", "Contents"));
        let failure = Digest::new().add_path(&folder.join("missing")).unwrap_err();
        assert!(failure.to_string().contains("missing"), "{failure}");
        fs::remove_dir(folder).unwrap();
    }
}
