//! Whether a library's content is what its maker, or its user, has written down.
//!
//! Two places are looked at: a file `LIBRARY.sha256` beside the library, as `sha256sum` writes it, and the list of files that
//! `pip` leaves beside every package (`NAME.dist-info/RECORD`: PyPA, "Recording installed projects").

use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

type Hash = [u8; 32];

/// Compares a library with what is written of it; in words, what it was compared with. `None`: nothing is.
///
/// # Errors
/// The reason, in words: another content than is written, or a file that cannot be read.
pub(super) fn check(library: &Path) -> Result<Option<String>, String> {
    let Some(Expected { hash, bytes, written_in }) = expected(library)? else { return Ok(None) };
    let mut file = std::fs::File::open(library).map_err(|error| error.to_string())?;
    let status = file.metadata().map_err(|error| error.to_string())?;
    if let Some(bytes) = bytes
        && bytes != status.len()
    {
        return Err(format!("it has {} bytes; {} says {bytes}: install it again", status.len(), written_in.display()));
    }
    let found = hash_of(&mut file).map_err(|error| error.to_string())?;
    if found != hash {
        return Err(format!(
            "its SHA-256 is {}; {} says {}: install it again",
            hexadecimal(&found),
            written_in.display(),
            hexadecimal(&hash)
        ));
    }
    Ok(Some(format!("its SHA-256 is that of {}", written_in.display())))
}

/// What is written of a library.
#[derive(Debug, PartialEq)]
struct Expected {
    hash: Hash,
    bytes: Option<u64>,
    written_in: PathBuf,
}

fn expected(library: &Path) -> Result<Option<Expected>, String> {
    let mut beside = library.as_os_str().to_owned();
    beside.push(".sha256");
    let beside = PathBuf::from(beside);
    if beside.is_file() {
        let text = read_text(&beside)?;
        let hash = text.split_whitespace().next().and_then(from_hexadecimal);
        let hash = hash.ok_or_else(|| {
            format!("{} does not begin with 64 hexadecimal digits: write it with sha256sum", beside.display())
        })?;
        return Ok(Some(Expected { hash, bytes: None, written_in: beside }));
    }
    // site-packages/PACKAGE/capi/LIBRARY
    let Some(packages) = library.ancestors().nth(3) else { return Ok(None) };
    let Ok(name) = library.strip_prefix(packages) else { return Ok(None) };
    let name = name.to_string_lossy().replace('\\', "/");
    let Ok(entries) = std::fs::read_dir(packages) else { return Ok(None) };
    for entry in entries.flatten() {
        let record = entry.path().join("RECORD");
        if entry.file_name().to_string_lossy().ends_with(".dist-info") && record.is_file() {
            let text = read_text(&record)?;
            if let Some((hash, bytes)) = text.lines().find_map(|line| recorded(line, &name)) {
                return Ok(Some(Expected { hash, bytes, written_in: record }));
            }
        }
    }
    Ok(None)
}

/// Hash and size of a line `NAME,sha256=HASH,SIZE` for this name.
fn recorded(line: &str, name: &str) -> Option<(Hash, Option<u64>)> {
    let (hash, bytes) = line.strip_prefix(name)?.strip_prefix(",sha256=")?.split_once(',')?;
    Some((from_base64(hash)?, bytes.trim().parse().ok()))
}

/// Files of this kind are small; a wrong path must not fill the memory.
fn read_text(path: &Path) -> Result<String, String> {
    const MOST: u64 = 16 << 20;
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MOST).read_to_string(&mut text));
    read.map(|_| text).map_err(|error| format!("{}: {error}", path.display()))
}

fn hash_of(file: &mut std::fs::File) -> std::io::Result<Hash> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finalize().into()),
            bytes => hash.update(&buffer[..bytes]),
        }
    }
}

fn hexadecimal(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hexadecimal(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().as_chunks::<2>().0) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}

/// Base64 for URLs without padding (RFC 4648, section 5): 43 letters for 32 bytes.
fn from_base64(text: &str) -> Option<Hash> {
    let (mut hash, mut bits, mut held, mut place) = ([0; 32], 0u32, 0, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        (bits, held) = (bits << 6 | u32::from(value), held + 6);
        if held >= 8 {
            held -= 8;
            *hash.get_mut(place)? = (bits >> held) as u8;
            place += 1;
        }
    }
    (place == hash.len()).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENT: &[u8] = b"as good as a library";

    /// A library in a package, with what is written of it.
    fn package(record: &str) -> (tempfile::TempDir, PathBuf) {
        let packages = tempfile::tempdir().unwrap();
        let capi = packages.path().join("onnxruntime/capi");
        let information = packages.path().join("onnxruntime-1.0.dist-info");
        std::fs::create_dir_all(&capi).unwrap();
        std::fs::create_dir(&information).unwrap();
        std::fs::write(information.join("RECORD"), record).unwrap();
        let library = capi.join("libonnxruntime.so.1.0");
        std::fs::write(&library, CONTENT).unwrap();
        (packages, library)
    }

    /// The line that pip writes: made with `sha256sum`, `xxd -r -p`, `base64` and `tr +/ -_`.
    const LINE: &str = "onnxruntime/capi/libonnxruntime.so.1.0,sha256=HASH,20\n";
    const HASH: &str = "ruUTcKDsMCAymmFrgVsY_2UMkE9tU3HWI80cSvqccxs";

    #[test]
    fn a_library_is_compared_with_the_list_of_its_package() {
        let (_folder, library) = package(&format!("other,,\n{}", LINE.replace("HASH", HASH)));
        let words = check(&library).unwrap().unwrap();
        assert!(words.contains("onnxruntime-1.0.dist-info/RECORD"), "{words}");

        std::fs::write(&library, b"as good as a Library").unwrap();
        let error = check(&library).unwrap_err();
        assert!(error.contains("its SHA-256 is") && error.contains("RECORD says"), "{error}");
        std::fs::write(&library, b"shorter").unwrap();
        let error = check(&library).unwrap_err();
        assert!(error.contains("7 bytes") && error.contains("says 20"), "{error}");
    }

    #[test]
    fn a_library_is_compared_with_the_file_beside_it_first() {
        let (_folder, library) = package(&LINE.replace("HASH", &"A".repeat(43)));
        assert!(check(&library).is_err());
        let beside = library.with_file_name("libonnxruntime.so.1.0.sha256");
        let hash: Hash = Sha256::digest(CONTENT).into();
        std::fs::write(&beside, format!("{}  libonnxruntime.so.1.0\n", hexadecimal(&hash))).unwrap();
        assert!(check(&library).unwrap().unwrap().contains(".sha256"));
        std::fs::write(&beside, "nothing of that kind").unwrap();
        assert!(check(&library).unwrap_err().contains("64 hexadecimal digits"));
    }

    #[test]
    fn of_most_files_nothing_is_written() {
        let (_folder, library) = package("onnxruntime/capi/libonnxruntime.so.1.0.1,sha256=x,20\n");
        assert_eq!(check(&library), Ok(None));
        assert_eq!(from_base64("A"), None);
        assert_eq!(from_base64(&"A".repeat(46)), None);
        assert_eq!(from_base64(&"+".repeat(43)), None);
    }
}
