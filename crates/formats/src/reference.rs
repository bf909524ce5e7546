use std::collections::HashMap;
use std::path::Path;

use md5::{Digest, Md5};

use crate::FormatError;

/// MD5 of each contig of a FASTA as SAM's M5 has it: of the bases in upper case, without blanks.
///
/// # Errors
/// A FASTA that cannot be read, or that lacks a contig of the header or has it at another length.
pub(crate) fn checksums(path: &Path, contigs: &[(String, u32)]) -> Result<HashMap<String, String>, FormatError> {
    let error = |problem: String| FormatError::Reference { path: path.into(), problem };
    let file = std::fs::File::open(path).map_err(|reason| error(reason.to_string()))?;
    let mut sums = HashMap::new();
    let mut lengths = HashMap::new();
    let mut fasta = needletail::parse_fastx_reader(file).map_err(|reason| error(reason.to_string()))?;
    while let Some(record) = fasta.next() {
        let record = record.map_err(|reason| error(reason.to_string()))?;
        let name = record.id().split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let name = String::from_utf8_lossy(name).into_owned();
        let bases = record.seq().to_ascii_uppercase();
        let sum: String = Md5::digest(&bases).iter().map(|byte| format!("{byte:02x}")).collect();
        lengths.insert(name.clone(), bases.len() as u64);
        sums.insert(name, sum);
    }
    for (name, length) in contigs {
        match lengths.get(name) {
            Some(found) if *found == u64::from(*length) => {}
            Some(found) => return Err(error(format!("{name} has {found} bases, in the header it has {length}"))),
            None => return Err(error(format!("{name} is not in it"))),
        }
    }
    Ok(sums)
}
