use std::collections::HashMap;

use crate::FormatError;

/// The header's text with the contigs that it names.
#[derive(Debug, Clone, Default)]
pub(crate) struct SamHeader {
    /// Complete lines.
    pub text: Vec<u8>,
    /// Name and bases, in the order of the `@SQ` lines, which is the order that records are sorted by.
    pub contigs: Vec<(String, u32)>,
    /// Number of each contig.
    pub ids: HashMap<Vec<u8>, u32>,
}

impl SamHeader {
    /// Reads the `@SQ` lines of a header.
    pub fn parse(text: Vec<u8>) -> Result<Self, FormatError> {
        let mut header = Self::default();
        for line in text.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"@SQ\t")) {
            let line = String::from_utf8_lossy(line);
            let field = |tag: &str| line.split('\t').find_map(|field| field.strip_prefix(tag));
            let wrong = |what: &str| FormatError::Header { problem: format!("`{line}` {what}") };
            let name = field("SN:").ok_or_else(|| wrong("has no name (SN)"))?;
            let length = field("LN:").and_then(|length| length.parse::<u32>().ok());
            let length = length.filter(|length| (1..1 << 31).contains(length));
            let length = length.ok_or_else(|| wrong("has no length (LN) from 1 to 2147483647"))?;
            let number = header.contigs.len() as u32;
            if header.ids.insert(name.as_bytes().to_vec(), number).is_some() {
                return Err(wrong("names a contig for the second time"));
            }
            header.contigs.push((name.to_owned(), length));
        }
        header.text = text;
        Ok(header)
    }

    /// Says that the records are sorted by coordinate, in the first line.
    pub fn set_sorted(&mut self) {
        let text = String::from_utf8_lossy(&self.text).into_owned();
        let given = text.lines().find(|line| line.starts_with("@HD\t"));
        let mut first = String::from("@HD");
        let fields = given.unwrap_or("@HD\tVN:1.6").split('\t').skip(1);
        for field in fields.filter(|field| !["SO:", "GO:", "SS:"].iter().any(|tag| field.starts_with(tag))) {
            first.push('\t');
            first.push_str(field);
        }
        first.push_str("\tSO:coordinate\n");
        for line in text.lines().filter(|line| !line.starts_with("@HD\t")) {
            first.push_str(line);
            first.push('\n');
        }
        self.text = first.into_bytes();
    }

    /// Adds the MD5 of each contig's bases where its `@SQ` line has none.
    #[cfg(feature = "htslib")] // CRAM asks for them
    pub fn add_md5(&mut self, md5: &HashMap<String, String>) {
        let text = String::from_utf8_lossy(&self.text).into_owned();
        let mut changed = String::with_capacity(text.len());
        for line in text.lines() {
            changed.push_str(line);
            let name = line.split('\t').find_map(|field| field.strip_prefix("SN:"));
            if let Some(sum) = name.and_then(|name| md5.get(name))
                && line.starts_with("@SQ\t")
                && !line.contains("\tM5:")
            {
                changed.push_str("\tM5:");
                changed.push_str(sum);
            }
            changed.push('\n');
        }
        self.text = changed.into_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(text: &str) -> String {
        let mut header = SamHeader::parse(text.as_bytes().to_vec()).unwrap();
        header.set_sorted();
        String::from_utf8(header.text).unwrap()
    }

    #[test]
    fn the_sort_order_stands_in_the_first_line_and_once() {
        let expected = "@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:c\tLN:5\n";
        assert_eq!(sorted("@SQ\tSN:c\tLN:5\n"), expected);
        assert_eq!(sorted("@SQ\tSN:c\tLN:5\n@HD\tVN:1.6\tSO:unsorted\tGO:query\n"), expected);
    }

    #[test]
    fn contigs_need_a_name_of_their_own_and_a_length() {
        for (text, expected) in [
            ("@SQ\tLN:5", "no name"),
            ("@SQ\tSN:c\tLN:0", "no length"),
            ("@SQ\tSN:c\tLN:5\n@SQ\tSN:c\tLN:6", "second time"),
        ] {
            let problem = SamHeader::parse(text.as_bytes().to_vec()).unwrap_err().to_string();
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn checksums_are_added_where_there_are_none() {
        let mut header = SamHeader::parse(b"@SQ\tSN:a\tLN:5\n@SQ\tSN:b\tLN:5\tM5:x\n".to_vec()).unwrap();
        header.add_md5(&[("a".into(), "1".into()), ("b".into(), "2".into())].into_iter().collect());
        assert_eq!(header.text, b"@SQ\tSN:a\tLN:5\tM5:1\n@SQ\tSN:b\tLN:5\tM5:x\n");
    }
}
