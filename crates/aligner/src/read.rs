use bwa_mem4_core::dna;

/// One read as it comes from the sequencer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Read {
    /// Name, without `@` and without a trailing /1 or /2.
    pub name: String,
    /// What follows the name on its line.
    pub comment: Option<String>,
    /// Bases, ASCII, in sequencing orientation.
    pub bases: Vec<u8>,
    /// Base qualities, ASCII (Phred + 33), as many as bases.
    pub qualities: Option<Vec<u8>>,
}

impl Read {
    /// Base codes: 0 to 3 for A, C, G, T in either case, 4 for anything else.
    pub fn codes(&self) -> Vec<u8> {
        self.bases.iter().map(|&base| dna::nt4(base)).collect()
    }
}
