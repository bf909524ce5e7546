use std::borrow::Cow;
use std::io;
use std::num::NonZero;

use noodles::{bam, sam};
use sam::alignment::io::Write as _;
use sam::header::record::value::Map;
use sam::header::record::value::map::ReferenceSequence;

use crate::FormatError;
use crate::header::SamHeader;

/// Bytes of a BAM record before its name: the record's size, and the fields of fixed size (SAM specification, section 4.2).
const BYTES_BEFORE_NAME: usize = 36;

/// From lines of SAM text to BAM records.
pub(crate) struct BamEncoder {
    header: sam::Header,
}

impl BamEncoder {
    pub fn new(header: &SamHeader) -> Self {
        let mut all = sam::Header::builder();
        for (name, length) in &header.contigs {
            let length = NonZero::new(*length as usize).expect("contigs have bases");
            all = all.add_reference_sequence(name.as_str(), Map::<ReferenceSequence>::new(length));
        }
        Self { header: all.build() }
    }

    /// Appends the record of a line (without its line end) to `out`.
    pub fn encode(&self, line: &[u8], out: &mut Vec<u8>) -> Result<(), FormatError> {
        self.try_encode(line, out).map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            FormatError::record(line, in_words(line, &format!("{error}{cause}")))
        })
    }

    fn try_encode(&self, line: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let line = &*with_sequence(line);
        let start = out.len();
        let name_end = line.iter().position(|&byte| byte == b'\t').unwrap_or(line.len());
        let mut writer = bam::io::Writer::from(std::mem::take(out));
        // The specification has no @ in names, which is why the encoder refuses it; samtools takes it, and so do we.
        let has_at = line[..name_end].contains(&b'@');
        let record = if has_at {
            let mut renamed = line.to_vec();
            renamed[..name_end].fill(b'x');
            sam::Record::try_from(renamed.as_slice())
        } else {
            sam::Record::try_from(line)
        };
        let written = record.and_then(|record| writer.write_alignment_record(&self.header, &record));
        *out = writer.into_inner();
        written?;
        if has_at {
            let name = start + BYTES_BEFORE_NAME;
            out[name..name + name_end].copy_from_slice(&line[..name_end]);
        }
        Ok(())
    }
}

/// The line as readers of SAM take it: the aligner writes a read of no bases with nothing for SEQ, as bwa does, where SAM
/// has a `*`.
pub(crate) fn with_sequence(line: &[u8]) -> Cow<'_, [u8]> {
    let mut tabs = line.iter().enumerate().filter(|(_, byte)| **byte == b'\t').map(|(at, _)| at);
    match (tabs.nth(8), tabs.next()) {
        (Some(before), Some(after)) if after == before + 1 => {
            Cow::Owned([&line[..after], b"*", &line[after..]].concat())
        }
        _ => Cow::Borrowed(line),
    }
}

/// The header as BAM holds it: magic, text, contigs (section 4.2).
pub(crate) fn encode_header(header: &SamHeader) -> Vec<u8> {
    let mut out = b"BAM\x01".to_vec();
    out.extend_from_slice(&(header.text.len() as u32).to_le_bytes());
    out.extend_from_slice(&header.text);
    out.extend_from_slice(&(header.contigs.len() as u32).to_le_bytes());
    for (name, length) in &header.contigs {
        out.extend_from_slice(&(name.len() as u32 + 1).to_le_bytes());
        out.extend_from_slice(name.as_bytes());
        out.push(0);
        out.extend_from_slice(&length.to_le_bytes());
    }
    out
}

/// What is wrong with a line that could not be encoded; the two things that valid reads can lead to have their own words.
pub(crate) fn in_words(line: &[u8], otherwise: &str) -> String {
    let name = line.split(|&byte| byte == b'\t').next().unwrap_or_default();
    if name.len() > 254 {
        return format!("the name has {} characters, BAM and CRAM have room for 254", name.len());
    }
    match line.split(|&byte| byte == b'\t').skip(11).find(|field| !is_tag(field)) {
        Some(field) => {
            format!("`{}` is no tag (TAG:TYPE:VALUE), as -C needs comments to be", String::from_utf8_lossy(field))
        }
        None => otherwise.to_owned(),
    }
}

/// Whether a field has the form of a tag; its value may still be wrong.
fn is_tag(field: &[u8]) -> bool {
    matches!(field, [first, second, b':', b'A' | b'i' | b'f' | b'Z' | b'H' | b'B', b':', ..]
        if first.is_ascii_alphabetic() && second.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(line: &str) -> Result<Vec<u8>, FormatError> {
        let header = SamHeader::parse(b"@SQ\tSN:c\tLN:500\n".to_vec()).unwrap();
        let mut out = b"before".to_vec();
        BamEncoder::new(&header).encode(line.as_bytes(), &mut out)?;
        assert_eq!(&out[..6], b"before");
        Ok(out[6..].to_vec())
    }

    #[test]
    fn a_name_with_an_at_sign_is_kept() {
        let line = |name: &str| format!("{name}\t0\tc\t3\t60\t4M\t*\t0\t0\tACGT\tIIII\tNM:i:0\tpa:f:0.99");
        let (plain, with_at) = (encoded(&line("a-b")).unwrap(), encoded(&line("a@b")).unwrap());
        let place = plain.windows(4).position(|bytes| bytes == b"a-b\0").unwrap();
        assert_eq!(place, BYTES_BEFORE_NAME);
        assert_eq!(&with_at[place..place + 4], b"a@b\0");
        assert_eq!(with_at[place + 4..], plain[place + 4..]);
    }

    #[test]
    fn a_read_of_no_bases_is_a_record_without_a_sequence() {
        let line = |bases: &str| format!("r\t4\t*\t0\t0\t*\t*\t0\t0\t{bases}\t*\tAS:i:0");
        assert_eq!(encoded(&line("")).unwrap(), encoded(&line("*")).unwrap());
        assert_eq!(&*with_sequence(line("").as_bytes()), line("*").as_bytes());
        assert_eq!(&*with_sequence(line("A").as_bytes()), line("A").as_bytes());
    }

    #[test]
    fn what_bam_has_no_room_for_is_told_with_the_read() {
        let problem = |line: &str| encoded(line).unwrap_err().to_string();
        let long = problem(&format!("{}\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI", "n".repeat(255)));
        assert!(long.contains("255 characters") && long.contains("254"), "{long}");
        let comment = problem("r7\t4\t*\t0\t0\t*\t*\t0\t0\tA\tI\tAS:i:0\t1:N:0:ACGT");
        assert!(comment.contains("read r7") && comment.contains("`1:N:0:ACGT` is no tag"), "{comment}");
    }
}
