//! Seeds extended by themselves, whether or not the pipeline would.

use bwa_seed::MemSeed;

use crate::stages::extension::ExtensionBatch;
use crate::stages::regions::reference_window;
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

impl Aligner<'_> {
    /// Extends each seed by itself. `reads` are base codes. The results are in the order of `seeds`.
    ///
    /// Smith-Waterman runs on the sides on which a gap could pay; on the others the ungapped extension is its result.
    pub fn extend_seeds(&self, reads: &[&[u8]], seeds: &[SeedToExtend]) -> Vec<OwnExtension> {
        let mem = &self.options.mem;
        let mut batch = ExtensionBatch::new(mem);
        let mut window = Vec::new();
        let mut stored_read = None;
        let mut computed = Vec::with_capacity(seeds.len());
        for SeedToExtend { read, seed, flanks, gapped } in seeds {
            let codes = reads[*read];
            let seed_score = seed.length * mem.a;
            let sides = flanks.map(|flank| flank.ungapped(mem, seed_score));
            let certain = sides.map(|side| side.filter(|side| side.is_certain(mem, seed_score)));
            let known = if *gapped { certain } else { sides };
            let is_side = [seed.query_start > 0, ((seed.query_start + seed.length) as usize) < codes.len()];
            let taken = (0..2).all(|side| !is_side[side] || known[side] == certain[side]);
            computed.push(taken);
            if (0..2).all(|side| !is_side[side] || known[side].is_some()) {
                batch.add_known(*seed, codes.len(), known, None);
                continue;
            }
            let stored = match stored_read {
                Some((number, stored)) if number == *read => stored,
                _ => stored_read.insert((*read, batch.store(codes))).1,
            };
            let alone =
                MemSeed { rbeg: seed.reference_start, qbeg: seed.query_start, len: seed.length, score: seed.length };
            let (start, end) = reference_window(self.index, self.options, codes.len() as i32, &[alone]);
            self.index.fm.bases_into(start, end, &mut window);
            let stored_window = batch.store(&window);
            batch.add_known(*seed, codes.len(), known, Some((stored, stored_window, start)));
        }
        let extensions = batch.run();
        extensions.into_iter().zip(computed).map(|(extension, computed)| OwnExtension { extension, computed }).collect()
    }
}
