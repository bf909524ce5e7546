//! Seeds extended by themselves, whether or not the pipeline would.

use bwa_mem4_extend::ExtendResult;
use bwa_seed::MemSeed;

use crate::stages::extension::ExtensionBatch;
use crate::stages::regions::reference_window;
use crate::stages::ungapped_optimum::UngappedOptimum;
use crate::{Aligner, Flank, Seed, SeedExtension};

/// A seed on one contig and strand that is to be extended by itself.
#[derive(Debug, Clone, Copy)]
pub struct SeedToExtend {
    /// Number of its read among those handed over with it.
    pub read: usize,
    /// The seed.
    pub seed: Seed,
    /// Its own diagonal, see [`crate::Surroundings::flanks`].
    pub flanks: [Flank; 2],
    /// Whether gaps are looked for. Otherwise the ungapped extension is taken where it can be told from the flanks.
    pub gapped: bool,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnExtension {
    /// The extension.
    pub extension: SeedExtension,
    /// Whether it is what Smith-Waterman finds; else it has no gap only because none was looked for.
    pub computed: bool,
}

/// The reference around one seed after another, looked up where it is asked for.
struct Window<'a> {
    aligner: &'a Aligner<'a>,
    bases: Vec<u8>,
    /// Where the bases start, in the 2L coordinate, if they are the present seed's.
    start: Option<i64>,
}

impl Window<'_> {
    /// Bases of all that an extension of `seed` in a read of `read_length` bases can reach, and where they start.
    fn around(&mut self, seed: &Seed, read_length: usize) -> (&[u8], i64) {
        let Aligner { index, options, .. } = self.aligner;
        let start = *self.start.get_or_insert_with(|| {
            let alone =
                MemSeed { rbeg: seed.reference_start, qbeg: seed.query_start, len: seed.length, score: seed.length };
            let (start, end) = reference_window(index, options, read_length as i32, &[alone]);
            index.packed.bases_into(start, end, &mut self.bases);
            start
        });
        (&self.bases, start)
    }
}

impl Aligner<'_> {
    /// Extends each seed by itself. `reads` are base codes. The results are in the order of `seeds`.
    ///
    /// Smith-Waterman runs on the sides on which a gap could pay; on the others the ungapped extension is its result.
    pub fn extend_seeds(&self, reads: &[&[u8]], seeds: &[SeedToExtend]) -> Vec<OwnExtension> {
        let mem = &self.options.mem;
        let optimum = UngappedOptimum::new(mem, false);
        let mut batch = ExtensionBatch::new(mem);
        let mut window = Window { aligner: self, bases: Vec::new(), start: None };
        let mut stored_read = None;
        let mut computed = Vec::with_capacity(seeds.len());
        for SeedToExtend { read, seed, flanks, gapped } in seeds {
            let codes = reads[*read];
            let (query_start, query_end) = (seed.query_start as usize, (seed.query_start + seed.length) as usize);
            let score = seed.length * mem.a;
            window.start = None;
            let [left, right] = flanks;
            let proven = optimum.as_ref().map_or([None; 2], |optimum| {
                let left = optimum.matched_flank::<true>(left, score, || {
                    let (bases, start) = window.around(seed, codes.len());
                    (&codes[..query_start], &bases[..(seed.reference_start - start) as usize])
                });
                let right = optimum.matched_flank::<false>(right, score, || {
                    let (bases, start) = window.around(seed, codes.len());
                    let behind = (seed.reference_start - start) as usize + seed.length as usize;
                    (&codes[query_end..], &bases[behind..])
                });
                [left, right]
            });
            let has_side = [query_start > 0, query_end < codes.len()];
            let known: [Option<ExtendResult>; 2] = std::array::from_fn(|side| {
                let ungapped = || flanks[side].ungapped(mem, score).map(|side| side.result(score));
                proven[side].or_else(|| if *gapped { None } else { ungapped() })
            });
            computed.push((0..2).all(|side| !has_side[side] || proven[side].is_some() || known[side].is_none()));
            if (0..2).all(|side| !has_side[side] || known[side].is_some()) {
                batch.add_known(*seed, codes.len(), known, None);
                continue;
            }
            let stored = match stored_read {
                Some((number, stored)) if number == *read => stored,
                _ => stored_read.insert((*read, batch.store(codes))).1,
            };
            let (bases, start) = window.around(seed, codes.len());
            let stored_window = batch.store(bases);
            batch.add_known(*seed, codes.len(), known, Some((stored, stored_window, start)));
        }
        let extensions = batch.run();
        extensions.into_iter().zip(computed).map(|(extension, computed)| OwnExtension { extension, computed }).collect()
    }
}
