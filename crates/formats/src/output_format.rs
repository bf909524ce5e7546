use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// A format of alignments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// SAM text.
    Sam,
    /// SAM text in BGZF (SAM specification, section 4.1), which gzip reads, too.
    BgzfSam,
    /// BAM.
    Bam,
    /// CRAM 3.0, against the FASTA that was indexed.
    Cram,
}

impl OutputFormat {
    /// All formats, each with its name on the command line.
    pub const NAMES: [(Self, &'static str); 4] =
        [(Self::Sam, "sam"), (Self::BgzfSam, "sam.gz"), (Self::Bam, "bam"), (Self::Cram, "cram")];

    /// The format that the file's name asks for: `.bam`, `.cram`, `.sam.gz` (also `.gz` and `.bgz`), else SAM.
    #[must_use]
    pub fn of_path(path: &Path) -> Self {
        match path.extension().map(|suffix| suffix.to_ascii_lowercase()).as_ref().and_then(|suffix| suffix.to_str()) {
            Some("bam") => Self::Bam,
            Some("cram") => Self::Cram,
            Some("gz" | "bgz") => Self::BgzfSam,
            _ => Self::Sam,
        }
    }
}

impl fmt::Display for OutputFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(format, _)| format == self).map_or("", |(_, name)| name);
        formatter.write_str(name)
    }
}

impl FromStr for OutputFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::NAMES.iter().find(|(_, name)| *name == text);
        known.map(|(format, _)| *format).ok_or_else(|| "valid are sam, sam.gz, bam, cram".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_decides_in_either_case() {
        for (path, format) in [
            ("out.sam", OutputFormat::Sam),
            ("out", OutputFormat::Sam),
            ("a.bam/out.txt", OutputFormat::Sam),
            ("out.sam.gz", OutputFormat::BgzfSam),
            ("out.BAM", OutputFormat::Bam),
            ("out.cram", OutputFormat::Cram),
        ] {
            assert_eq!(OutputFormat::of_path(Path::new(path)), format, "{path}");
        }
    }
}
