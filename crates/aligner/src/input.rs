use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use crate::AlignerError;

/// Bytes that are read at once.
const BUFFER: usize = 1 << 17;

/// Opens a file, a pipe, or standard input (`-`), decompressed where it is gzip (BGZF is), which its first bytes tell.
///
/// # Errors
/// What cannot be opened or read.
pub fn open_input(path: &Path) -> Result<Box<dyn BufRead + Send>, AlignerError> {
    open_counted_input(path, Arc::default())
}

/// As [`open_input`], and counts the bytes of the file in `count` as they are read (compressed ones, where they are).
///
/// # Errors
/// As [`open_input`].
pub fn open_counted_input(path: &Path, count: Arc<AtomicU64>) -> Result<Box<dyn BufRead + Send>, AlignerError> {
    let opened = if path.as_os_str() == "-" {
        decompressed(io::stdin())
    } else {
        File::open(path).and_then(|file| decompressed(Counted { file, count }))
    };
    opened.map_err(|reason| AlignerError::ReadsFile {
        path: path.into(),
        problem: format!("{reason}; check the path and its permissions"),
    })
}

/// A file whose bytes are counted.
struct Counted {
    file: File,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read(buffer)?;
        self.count.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}

fn decompressed(input: impl Read + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let mut input = peekable(input, 2)?;
    Ok(if input.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(input)))
    } else {
        Box::new(input)
    })
}

/// A reader whose first look at the buffer shows at least `bytes` bytes, if there are as many: a pipe gives what it has.
fn peekable(mut input: impl Read, bytes: u64) -> io::Result<impl BufRead> {
    let mut head = Vec::new();
    input.by_ref().take(bytes).read_to_end(&mut head)?;
    Ok(io::Cursor::new(head).chain(BufReader::with_capacity(BUFFER, input)))
}

/// The first bytes of `input`, at most `bytes`, and the input with these still before it.
///
/// # Errors
/// Compressed data that are broken from the start.
pub fn peek(mut input: Box<dyn BufRead + Send>, bytes: u64) -> io::Result<(Vec<u8>, Box<dyn BufRead + Send>)> {
    let mut head = Vec::new();
    input.by_ref().take(bytes).read_to_end(&mut head)?;
    Ok((head.clone(), Box::new(io::Cursor::new(head).chain(input))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, as a slow pipe does.
    struct Slow(io::Cursor<Vec<u8>>);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(1);
            self.0.read(&mut buffer[..most])
        }
    }

    #[test]
    fn gzip_is_told_from_text_however_the_bytes_come() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut packed, b"@r\nA\n+\nI\n").unwrap();
        for bytes in [packed.finish().unwrap(), b"@r\nA\n+\nI\n".to_vec(), b"".to_vec()] {
            let expected = if bytes.is_empty() { "" } else { "@r\nA\n+\nI\n" };
            let opened = decompressed(Slow(io::Cursor::new(bytes))).unwrap();
            let (head, mut whole) = peek(opened, 4).unwrap();
            assert!(expected.as_bytes().starts_with(&head));
            let mut text = String::new();
            whole.read_to_string(&mut text).unwrap();
            assert_eq!(text, expected);
        }
    }
}
