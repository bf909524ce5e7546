use std::collections::HashMap;
use std::sync::Arc;

/// A contig of a BAM's or CRAM's header (@SQ).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceContig {
    /// Name (SN).
    pub name: String,
    /// Bases (LN).
    pub length: u64,
    /// MD5 of the sequence in upper case, in hexadecimal (M5).
    pub md5: Option<String>,
    /// What names the assembly: AS and UR.
    assembly: String,
}

/// What is used of the header of a BAM or CRAM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceHeader {
    /// The reference's contigs, in the order that records refer to.
    pub contigs: Vec<SourceContig>,
    /// SM by ID of the read groups.
    samples: HashMap<Vec<u8>, Arc<str>>,
    /// DS of the read groups, in lower case.
    descriptions: String,
}

impl SourceHeader {
    /// Joins the contigs (name, bases) with what the header's text says of them and of the read groups.
    #[must_use]
    pub fn new(contigs: Vec<(String, u64)>, text: &[u8]) -> Self {
        let mut header = Self::default();
        let mut lines: HashMap<Vec<u8>, HashMap<&[u8], String>> = HashMap::new();
        for line in text.split(|&byte| byte == b'\n') {
            let fields = || {
                line.split(|&byte| byte == b'\t')
                    .filter(|field| field.len() > 3 && field[2] == b':')
                    .map(|field| (&field[..2], String::from_utf8_lossy(field[3..].trim_ascii_end()).into_owned()))
                    .collect::<HashMap<&[u8], String>>()
            };
            if line.starts_with(b"@SQ\t") {
                let fields = fields();
                if let Some(name) = fields.get(b"SN".as_slice()) {
                    lines.insert(name.clone().into_bytes(), fields);
                }
            } else if line.starts_with(b"@RG\t") {
                let mut fields = fields();
                header.descriptions.push_str(&fields.remove(b"DS".as_slice()).unwrap_or_default().to_lowercase());
                header.descriptions.push('\n');
                if let (Some(id), Some(sample)) = (fields.remove(b"ID".as_slice()), fields.get(b"SM".as_slice())) {
                    header.samples.insert(id.into_bytes(), Arc::from(sample.as_str()));
                }
            }
        }
        header.contigs = contigs
            .into_iter()
            .map(|(name, length)| {
                let mut fields = lines.remove(name.as_bytes()).unwrap_or_default();
                let mut take = |tag: &[u8; 2]| fields.remove(tag.as_slice());
                let assembly = [take(b"AS"), take(b"UR")].map(Option::unwrap_or_default).join("\n").to_lowercase();
                SourceContig { name, length, md5: take(b"M5"), assembly }
            })
            .collect();
        header
    }

    /// SM of a read group.
    pub(crate) fn sample_of(&self, read_group: &[u8]) -> Option<Arc<str>> {
        self.samples.get(read_group).cloned()
    }

    /// The sample, where all read groups are of one.
    pub(crate) fn only_sample(&self) -> Option<Arc<str>> {
        let mut samples = self.samples.values();
        let first = samples.next()?;
        samples.all(|sample| sample == first).then(|| Arc::clone(first))
    }

    /// Whether the header says, in AS or UR of the contig or in DS of a read group, that the contig is of `assembly`.
    pub(crate) fn names_assembly(&self, contig: usize, assembly: &str) -> bool {
        let assembly = assembly.to_lowercase();
        !assembly.is_empty()
            && (self.contigs[contig].assembly.contains(&assembly) || self.descriptions.contains(&assembly))
    }
}
