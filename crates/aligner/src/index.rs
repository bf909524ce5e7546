//! The loaded index: FM-index, packed reference, contigs.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bwa_index::BntSeq;
use memmap2::Mmap;
#[cfg(unix)]
use memmap2::UncheckedAdvice;
use seedsieve_encoding::{AMBIGUOUS, DOWNSTREAM, PACKED_SEED_BYTES, PACKED_WINDOW_BYTES, UPSTREAM, encode_window};

use seedsieve_filter::ReferencePlanes;

use crate::fm_index::FmIndex;
use crate::index_check::{check_places, check_sizes};
use crate::index_fasta::check_fasta;
use crate::index_text::check_texts;
use crate::packed_reference::packed_reference;
use crate::stages::seeding::Prefixes;
use crate::{AlignerError, INDEX_SUFFIXES, Seed};

/// One sequence of the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contig {
    /// Name, up to the first blank of its FASTA header.
    pub name: String,
    /// Bases.
    pub length: u64,
    /// Named in the `.alt` file beside the index.
    pub is_alt: bool,
}

/// A loaded bwa-mem2 index.
pub struct ReferenceIndex {
    /// What exact matches are searched in.
    pub(crate) fm: FmIndex,
    /// The bases, as the stage crates take them.
    pub(crate) packed: bwa_index::FmIndex,
    pub(crate) bns: BntSeq,
    contigs: Vec<Contig>,
    /// Whether any contig is an ALT one.
    has_alt: bool,
    /// `PREFIX.pac`, of which the planes are made.
    pac: Mmap,
    planes: OnceLock<ReferencePlanes>,
    prefixes: OnceLock<Prefixes>,
}

impl ReferenceIndex {
    /// Loads the five index files `PREFIX.{amb,ann,pac,0123,bwt.2bit.64}` and, where present, `PREFIX.alt` and what
    /// [`build_mapped_index`](crate::build_mapped_index) wrote.
    ///
    /// # Errors
    /// A file that is missing, that is not whole, or whose content is not what the others ask for; a FASTA at `prefix`
    /// itself whose ends are not the index's. An altered byte in the middle of a file of the right size may go unseen.
    pub fn load(prefix: &Path) -> Result<Self, AlignerError> {
        let file = |suffix: &str| index_file(prefix, suffix);
        for suffix in INDEX_SUFFIXES {
            let path = file(suffix);
            File::open(&path).map_err(|reason| AlignerError::IndexFile { path, reason })?;
        }
        let bases = check_texts(prefix)?;
        check_sizes(prefix, bases)?;
        let bns = BntSeq::load(prefix)
            .map_err(|error| AlignerError::IndexContent { path: file("ann"), problem: error.to_string() })?;
        let fm = FmIndex::load(prefix)?;
        let packed = packed_reference(prefix, fm.rows())?;
        check_places(prefix, &bns, &fm, &packed)?;
        let pac = map(&file("pac")).map_err(|reason| AlignerError::IndexFile { path: file("pac"), reason })?;
        let contigs: Vec<Contig> = bns
            .contigs
            .iter()
            .map(|contig| Contig { name: contig.name.clone(), length: contig.len as u64, is_alt: contig.is_alt })
            .collect();
        let has_alt = contigs.iter().any(|contig| contig.is_alt);
        let (planes, prefixes) = Default::default();
        let index = Self { fm, packed, bns, contigs, has_alt, pac, planes, prefixes };
        check_fasta(prefix, &index)?;
        Ok(index)
    }

    /// Treats ALT contigs as part of the primary assembly (bwa's -j).
    pub fn ignore_alt(&mut self) {
        self.bns.ignore_alt();
        self.has_alt = false;
        for contig in &mut self.contigs {
            contig.is_alt = false;
        }
    }

    /// The reference as the seed filter compares it; made when it is first asked for (a quarter of a byte a base).
    pub(crate) fn planes(&self) -> &ReferencePlanes {
        self.planes.get_or_init(|| {
            let starts = self.bns.contigs.iter().map(|contig| contig.offset as u64);
            let starts = starts.chain([self.bns.l_pac as u64]).collect();
            let planes = ReferencePlanes::of_packed(starts, &self.pac);
            // The pages of the file are not needed any more; a hint.
            // SAFETY: what a file that is only read holds is read again where it is asked for.
            #[cfg(unix)]
            let _ = unsafe { self.pac.unchecked_advise(UncheckedAdvice::DontNeed) };
            planes
        })
    }

    /// What seeding begins with; made when it is first asked for.
    pub(crate) fn prefixes(&self) -> &Prefixes {
        self.prefixes.get_or_init(|| Prefixes::new(&self.fm))
    }

    /// The contigs, in the order of the FASTA.
    pub fn contigs(&self) -> &[Contig] {
        &self.contigs
    }

    /// Whether this place on the forward strand, 0-based on all contigs, lies on an ALT contig.
    pub(crate) fn is_alt(&self, position: i64) -> bool {
        self.has_alt && self.bns.pos2rid(position).try_into().is_ok_and(|contig: usize| self.contigs[contig].is_alt)
    }

    /// Whether any contig is an ALT one.
    pub(crate) fn has_alt(&self) -> bool {
        self.has_alt
    }

    /// Bases of all contigs together: L of bwa's 2L coordinate.
    pub fn length(&self) -> i64 {
        self.bns.l_pac
    }

    /// Where `[start, start + length)` of the 2L coordinate lies: number of the contig, 0-based leftmost position on its
    /// forward strand, and whether it is the reverse strand.
    pub fn locate(&self, reference_start: i64, length: usize) -> (usize, u64, bool) {
        let reverse = reference_start >= self.bns.l_pac;
        let forward = if reverse { 2 * self.bns.l_pac - reference_start - length as i64 } else { reference_start };
        let contig = self.bns.pos2rid(forward).max(0) as usize;
        (contig, (forward - self.bns.contigs[contig].offset) as u64, reverse)
    }

    /// The strand of contig `contig` on which `reference_start` lies, `[start, end)` of the 2L coordinate.
    pub(crate) fn strand_of_contig(&self, contig: i32, reference_start: i64) -> (i64, i64) {
        let entry = &self.bns.contigs[contig as usize];
        let (start, end) = (entry.offset, entry.offset + i64::from(entry.len));
        if reference_start < self.bns.l_pac {
            (start, end)
        } else {
            (2 * self.bns.l_pac - end, 2 * self.bns.l_pac - start)
        }
    }

    /// Base codes of the contig `contig` at `[start, end)`, 0-based on its forward strand, N as 4.
    ///
    /// # Panics
    /// If the contig or the interval does not exist.
    pub fn contig_codes(&self, contig: usize, start: u64, end: u64) -> Vec<u8> {
        let entry = &self.bns.contigs[contig];
        assert!(start <= end && end <= entry.len as u64, "{start}..{end} of a contig of {} bases", entry.len);
        let mut codes = Vec::new();
        self.codes_into(entry.offset + start as i64, entry.offset + end as i64, &mut codes);
        codes
    }

    /// Packs the read's and the reference's window of `seed`; the layout is [`seedsieve_encoding`]'s.
    ///
    /// `read` holds the base codes of the whole read.
    pub fn encode_seed(&self, read: &[u8], seed: &Seed, packed: &mut [u8; PACKED_SEED_BYTES]) {
        let mut surroundings = Vec::new();
        let before = self.codes_around(seed, UPSTREAM as i64, DOWNSTREAM as i64, &mut surroundings);
        let (query, reference) = packed.split_at_mut(PACKED_WINDOW_BYTES);
        let query: &mut [u8; PACKED_WINDOW_BYTES] = query.try_into().expect("half of a packed seed");
        let reference: &mut [u8; PACKED_WINDOW_BYTES] = reference.try_into().expect("half of a packed seed");
        encode_window(read, seed.query_start as usize, seed.length as usize, query);
        encode_window(&surroundings, before, seed.length as usize, reference);
    }

    /// Base codes of the reference from `before` bases before the seed to `after` bases after it, cut at the ends of its
    /// contig and strand, N as 4. Returns how many bases there are before the seed.
    pub(crate) fn codes_around(&self, seed: &Seed, before: i64, after: i64, codes: &mut Vec<u8>) -> usize {
        let end = seed.reference_start + i64::from(seed.length);
        let strand = if seed.reference_start < self.bns.l_pac { 0 } else { self.bns.l_pac };
        let (from, to, _) = self.bns.fetch_bounds(
            (seed.reference_start - before).max(strand),
            (end + after).min(strand + self.bns.l_pac),
            seed.reference_start,
        );
        self.codes_into(from, to, codes);
        (seed.reference_start - from) as usize
    }

    /// Base codes of `[from, to)` in the 2L coordinate, one strand only, N as 4. (The packed reference has a random base
    /// in place of each N, as bwa's has.)
    fn codes_into(&self, from: i64, to: i64, codes: &mut Vec<u8>) {
        self.packed.bases_into(from, to, codes);
        if self.bns.ambs.is_empty() {
            return;
        }
        let l_pac = self.bns.l_pac;
        let reverse = from >= l_pac;
        let (first, last) = if reverse { (2 * l_pac - to, 2 * l_pac - from) } else { (from, to) };
        let runs = &self.bns.ambs;
        let start = runs.partition_point(|run| run.offset + i64::from(run.len) <= first);
        for run in runs[start..].iter().take_while(|run| run.offset < last) {
            let run_from = (run.offset.max(first) - first) as usize;
            let run_to = ((run.offset + i64::from(run.len)).min(last) - first) as usize;
            let masked = if reverse { codes.len() - run_to..codes.len() - run_from } else { run_from..run_to };
            codes[masked].fill(AMBIGUOUS);
        }
    }
}

fn map(path: &Path) -> io::Result<Mmap> {
    let file = File::open(path)?;
    // SAFETY: the file is only read. Whoever truncates the file of an index while it is in use ends the process, as with every
    // mapped file.
    unsafe { Mmap::map(&file) }
}

/// `PREFIX.SUFFIX`, where the prefix may itself hold dots.
pub(crate) fn index_file(prefix: &Path, suffix: &str) -> PathBuf {
    let mut name = prefix.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}
