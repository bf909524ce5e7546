use std::fmt;

/// Where a simulated pair comes from, as its name tells it:
///
/// ```text
/// sim:CONTIG:START1:STRAND1:START2:STRAND2:SERIAL
/// sim:*:0:*:0:*:SERIAL                              a pair of another genome
/// ```
///
/// Starts are 1-based and leftmost on the forward strand of the reference, whatever the read's strand: what POS of a
/// full-length alignment in SAM is. Strands are `+` and `-`. A read that starts within an insertion of the donor has the
/// position of the next reference base. The contig may contain colons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadName {
    /// The place on the reference, or none.
    pub origin: Origin,
    /// Number of the pair in the run, from 0.
    pub serial: u64,
}

/// The place on the reference that a pair was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Both mates lie on this contig.
    Reference {
        /// Name of the contig.
        contig: String,
        /// First and second mate.
        mates: [MateOrigin; 2],
    },
    /// Another genome: wherever such a read is aligned, it is wrong.
    Foreign,
}

/// The place of one mate on its contig.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MateOrigin {
    /// 1-based leftmost position on the forward strand.
    pub start: u64,
    /// The read is the reverse complement of the forward strand.
    pub reverse: bool,
}

impl ReadName {
    /// Reads a name; `None` if it is not of the form above. A trailing `/1` or `/2` is not part of that form.
    ///
    /// ```
    /// use seedsieve_simulate::{Origin, ReadName};
    ///
    /// let name = ReadName::parse("sim:HLA*01:7:101:+:402:-:12").unwrap();
    /// let Origin::Reference { contig, mates } = name.origin else { panic!("a place") };
    /// assert_eq!((contig.as_str(), mates[1].start, mates[1].reverse), ("HLA*01:7", 402, true));
    /// assert!(ReadName::parse("HSQ1004:134:C0D8DACXX:1:1104:3874:86238").is_none());
    /// ```
    pub fn parse(name: &str) -> Option<Self> {
        let mut fields = name.strip_prefix("sim:")?.rsplitn(6, ':');
        let mut next = || fields.next();
        let serial = parse_number(next()?)?;
        let (strand2, start2, strand1, start1, contig) = (next()?, next()?, next()?, next()?, next()?);
        if contig == "*" {
            let empty = [start1, strand1, start2, strand2] == ["0", "*", "0", "*"];
            return empty.then_some(Self { origin: Origin::Foreign, serial });
        }
        let mates = [MateOrigin::parse(start1, strand1)?, MateOrigin::parse(start2, strand2)?];
        (!contig.is_empty()).then(|| Self { origin: Origin::Reference { contig: contig.to_owned(), mates }, serial })
    }
}

impl MateOrigin {
    fn parse(start: &str, strand: &str) -> Option<Self> {
        let reverse = match strand {
            "+" => false,
            "-" => true,
            _ => return None,
        };
        Some(Self { start: parse_number(start).filter(|&start| start > 0)?, reverse })
    }
}

/// Decimal digits only: `u64::from_str` would take a leading plus.
pub(crate) fn parse_number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl fmt::Display for ReadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Foreign => write!(f, "sim:*:0:*:0:*:{}", self.serial),
            Origin::Reference { contig, mates: [first, second] } => {
                write!(f, "sim:{contig}:{first}:{second}:{}", self.serial)
            }
        }
    }
}

impl fmt::Display for MateOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.start, if self.reverse { '-' } else { '+' })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_are_read_as_they_were_written(
            contig in "[A-Za-z0-9][A-Za-z0-9:*._-]{0,12}", starts in any::<[u32; 2]>(), reverse in any::<[bool; 2]>(), serial: u64,
        ) {
            let mates = [0, 1].map(|i| MateOrigin { start: u64::from(starts[i]) + 1, reverse: reverse[i] });
            let name = ReadName { origin: Origin::Reference { contig, mates }, serial };
            prop_assert_eq!(ReadName::parse(&name.to_string()), Some(name));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "(sim:)?[0-9+*:a-]{0,20}") {
            if let Some(name) = ReadName::parse(&text) {
                prop_assert_eq!(ReadName::parse(&name.to_string()), Some(name));
            }
        }
    }

    #[test]
    fn names_of_another_form_are_refused() {
        for name in [
            "",
            "sim:",
            "sim:chr1:1:+:2:-",
            "sim:chr1:0:+:2:-:1",
            "sim:chr1:1:x:2:-:1",
            "sim:chr1:1:+:2:-:",
            "sim::1:+:2:-:1",
            "sim:*:1:+:2:-:1",
            "sim:chr1:+1:+:2:-:1",
            "sim:chr1:1:+:2:-:1/1",
        ] {
            assert_eq!(ReadName::parse(name), None, "{name}");
        }
        assert_eq!(ReadName::parse("sim:*:0:*:0:*:3"), Some(ReadName { origin: Origin::Foreign, serial: 3 }));
    }
}
