//! The kernels, one file a dispatch level.

#[cfg(target_arch = "x86_64")]
pub mod amx;
#[cfg(target_arch = "x86_64")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
pub mod avx512_vnni;
#[cfg(target_arch = "x86_64")]
pub mod avx_vnni;
#[cfg(target_arch = "x86_64")]
mod head512;
#[cfg(target_arch = "aarch64")]
pub mod neon;
#[cfg(target_arch = "x86_64")]
mod registers256;
pub mod scalar;

use seedsieve_encoding::PACKED_SEED_BYTES;

use super::shape::{CONVOLUTIONS, POOLED_1, POOLED_2, POSITIONS_3};

/// A network laid out for one dispatch level.
pub trait Kernel: Send + Sync {
    /// Viability of each seed; one score a seed.
    fn score(&self, seeds: &[[u8; PACKED_SEED_BYTES]], scores: &mut [f32]);

    /// What scoring these seeds consists of, piece by piece, for benchmarks: each can be done any number of times. Empty where
    /// a level has no such pieces.
    fn stages<'a>(&'a self, _seeds: &'a [[u8; PACKED_SEED_BYTES]]) -> Vec<Stage<'a>> {
        Vec::new()
    }
}

/// A name, and the work.
pub type Stage<'a> = (&'static str, Box<dyn FnMut() + 'a>);

/// How far each block's output differs from what empty positions give.
pub struct BlockEnds {
    /// Positions of the first block's output after its pool.
    pub first: usize,
    /// Positions of the second block's output after its pool.
    pub second: usize,
    /// Positions of the third block's output.
    pub third: usize,
}

impl BlockEnds {
    /// `occupied`: bytes of the windows up to the last that is not empty. A convolution's value at a position looks at that
    /// position and later ones only, and a pool takes two neighbours, as a byte holds two positions.
    #[inline(always)]
    pub fn of(occupied: usize) -> Self {
        let first = occupied.min(POOLED_1);
        let second = first.div_ceil(2).min(POOLED_2);
        Self { first, second, third: second.min(POSITIONS_3) }
    }

    /// Multiplications of the second and third convolution as they are defined, each output for itself.
    pub fn products(&self) -> usize {
        let [_, second, third] = CONVOLUTIONS;
        2 * self.second * second.outputs * second.depth() + self.third * third.outputs * third.depth()
    }
}
