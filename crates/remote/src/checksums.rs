use crate::RemoteError;
use md5::Md5;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A checksum that a file has to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checksum {
    /// 32 hexadecimal digits, in lower case.
    Md5(String),
    /// 64 of them.
    Sha256(String),
}

impl Checksum {
    /// The checksum that some hexadecimal digits are by their number.
    fn of_digits(digits: &str) -> Option<Self> {
        let digits = Some(digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        match digits.len() {
            32 => Some(Self::Md5(digits.to_ascii_lowercase())),
            64 => Some(Self::Sha256(digits.to_ascii_lowercase())),
            _ => None,
        }
    }

    /// MD5 or SHA-256, and the digits.
    pub(crate) fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Md5(digits) => ("MD5", digits),
            Self::Sha256(digits) => ("SHA-256", digits),
        }
    }

    /// That of a file.
    pub(crate) fn of_file(&self, path: &Path) -> io::Result<String> {
        let file = File::open(path)?;
        match self {
            Self::Md5(_) => digest::<Md5>(file),
            Self::Sha256(_) => digest::<Sha256>(file),
        }
    }
}

fn digest<D: Digest>(mut file: File) -> io::Result<String> {
    let mut digest = D::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        digest.update(&buffer[..read]);
    }
}

/// Checksums by the name of the file, without its folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checksums {
    of_name: HashMap<String, Checksum>,
}

impl Checksums {
    /// Reads a list as `md5sum` and `sha256sum` write it: digits, blanks, a name.
    ///
    /// # Errors
    /// [`RemoteError::Io`], [`RemoteError::ChecksumList`] with the line that is none, or where there is no line.
    pub fn read(path: &Path) -> Result<Self, RemoteError> {
        let text = std::fs::read_to_string(path).map_err(RemoteError::io(path, "read"))?;
        let mut of_name = HashMap::new();
        let refusal =
            |line, problem: &str| RemoteError::ChecksumList { path: path.into(), line, problem: problem.into() };
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let entry = line.split_once(char::is_whitespace).and_then(|(digits, name)| {
                // A star before the name says that it was read as binary.
                let name = name.trim().trim_start_matches('*');
                Some((name.rsplit('/').next()?, Checksum::of_digits(digits)?))
            });
            let Some((name, checksum)) = entry.filter(|(name, _)| !name.is_empty()) else {
                return Err(refusal(number, "not 32 (MD5) or 64 (SHA-256) hexadecimal digits and a name"));
            };
            if of_name.insert(name.to_owned(), checksum.clone()).is_some_and(|before| before != checksum) {
                return Err(refusal(number, &format!("{name} has another checksum before")));
            }
        }
        if of_name.is_empty() { Err(refusal(0, "the list is empty")) } else { Ok(Self { of_name }) }
    }

    /// That of the file `name`.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&Checksum> {
        self.of_name.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Checksums, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Checksums::read(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn both_kinds_of_lists_are_read() {
        let (md5, sha256) = ("D41D8CD98F00B204E9800998ECF8427E", "e3b0c442".repeat(8));
        let list = read(&format!("{md5}  folder/a.cram\n\n{sha256} *b.cram\n")).unwrap();
        assert_eq!(list.of("a.cram"), Some(&Checksum::Md5(md5.to_lowercase())));
        assert_eq!(list.of("b.cram"), Some(&Checksum::Sha256(sha256)));
        assert_eq!(list.of("c.cram"), None);
    }

    #[test]
    fn what_is_no_list_is_told_with_its_line() {
        assert!(read("").unwrap_err().contains("empty"));
        assert!(read("\nabc a.cram").unwrap_err().contains("line 2"));
        let digits = "0".repeat(32);
        assert!(read(&digits).unwrap_err().contains("line 1"));
        let other = "1".repeat(32);
        assert!(read(&format!("{digits} a\n{other} x/a")).unwrap_err().contains("another checksum"));
    }
}
