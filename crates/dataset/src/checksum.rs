use crate::DatasetError;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Size in bytes and SHA-256 of a file, the digest in lower-case hexadecimal as `sha256sum` prints it.
///
/// # Errors
/// [`DatasetError::Io`] when the file cannot be read.
pub fn file_sha256(path: &Path) -> Result<(u64, String), DatasetError> {
    let mut file = File::open(path).map_err(DatasetError::io(path, "open"))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer).map_err(DatasetError::io(path, "read"))?;
        if read == 0 {
            return Ok((size, hexadecimal(&digest.finalize())));
        }
        digest.update(&buffer[..read]);
        size += read as u64;
    }
}

/// Two lower-case hexadecimal digits a byte.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
