//! AMX for bytes: one instruction multiplies 16 rows of 64 unsigned activations with 16 columns of 64 signed weights and adds
//! to 256 sums of 32 bits, without rounding or saturation.
//!
//! What bounds it (docs/backends.md): sums go from tiles to registers through memory only, which takes as long as the products
//! of a shallow layer. So the first block is a table (`pairs.rs`), and tiles multiply in the second and third, where each tile
//! of sums has three products. All rows of tiles are lines of the cache: a row of the second block is two positions of 32
//! channels, from which 64 sums of the even position and 64 of the odd one are made, and the pool takes the larger of two
//! tiles; a row of the third block is a position of 64 channels. The rows that follow are the other taps: nothing is copied.
//!
//! The seeds of a group follow one another as one list of rows (`plan.rs`). Rows at the end of a seed that look into the next
//! are computed and not used. The order of channels in a line is the one in which packing leaves them; weights are laid out in
//! it.

mod layer;
mod pairs;
mod plan;
mod rounding;
mod second;
mod third;
mod tiles;

use std::arch::x86_64::*;
use std::cell::RefCell;
use std::rc::Rc;

use seedsieve_encoding::PACKED_SEED_BYTES;

use self::layer::{Layer, Lines};
use self::pairs::PairTable;
use self::plan::Group;
use self::second::second_block;
use self::third::{EmptyOutput, third_block};
use self::tiles::{COLUMNS, Hardware, ROW_BYTES, SumTile, Tiles, has_tile_unit, multiply_only};
use super::head512::{self, logits};
use super::{BlockEnds, Kernel, Stage, avx512_vnni};
use crate::backends::native::head::{Head, logits_to_viabilities};
use crate::backends::native::level::{Entry, Level};
use crate::backends::native::network::{EmptyOutputs, Network};
use crate::backends::native::shape::{CHANNELS_1, CHANNELS_2, CHANNELS_3, CONVOLUTIONS};

pub const ENTRY: Entry = Entry {
    level: Level::Amx,
    is_supported,
    prepare: prepare::<Hardware>,
    products: BlockEnds::products,
    multiply_only: Some(multiply_only),
};

fn is_supported() -> bool {
    has_vectors() && has_tile_unit()
}

/// What is not multiplied in tiles is computed with AVX-512.
fn has_vectors() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni")
}

fn prepare<T: Tiles>(network: &Network) -> Box<dyn Kernel> {
    match AmxKernel::<T>::new(network) {
        Some(kernel) => Box::new(kernel),
        // Sums larger than those of trained networks: the same scores, more slowly.
        None => (avx512_vnni::ENTRY.prepare)(network),
    }
}

/// Seeds that go through the blocks together. With fewer, tiles are loaded so soon after their bytes were stored that the loads
/// wait.
const GROUP: usize = head512::SEEDS;
/// Products of a sum, in chunks of 64.
const CHUNKS: usize = 3;
/// Tiles of 16 output channels.
const OUTPUT_TILES: usize = CHANNELS_2 / COLUMNS;
const _: () = {
    assert!(2 * CHANNELS_1 == ROW_BYTES && CHANNELS_2 == ROW_BYTES && CHANNELS_3 == ROW_BYTES);
    assert!(CONVOLUTIONS[1].taps < 2 * CHUNKS && CONVOLUTIONS[2].taps == CHUNKS);
};

/// A register of bytes, or of wider integers.
type Vector = __m512i;
/// Activations: two positions of the first block's output, or one of the second's.
type Line = [u8; ROW_BYTES];
/// Tiles of sums of the rows that are multiplied, and of the rows before, which are rounded meanwhile.
type Sums = [[SumTile; 2 * OUTPUT_TILES]; 2];

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Aligned<T>(T);

struct AmxKernel<T> {
    first: PairTable,
    second: Layer<{ 2 * OUTPUT_TILES }>,
    third: Layer<OUTPUT_TILES>,
    empty: EmptyOutput,
    head: Head,
    tiles: std::marker::PhantomData<fn() -> T>,
}

/// A group of seeds on its way through the blocks.
struct Work {
    group: Group,
    first: Lines,
    second: Lines,
    sums: Sums,
    totals: [[i32; CHANNELS_3]; GROUP],
}

impl Work {
    const NEW: Self = Self {
        group: Group::EMPTY,
        first: Aligned([[0; _]; _]),
        second: Aligned([[0; _]; _]),
        sums: [[SumTile::ZERO; _]; 2],
        totals: [[0; _]; _],
    };
}

impl<T: Tiles> AmxKernel<T> {
    /// `None` if sums may be larger than the instructions' numbers are exact.
    fn new(network: &Network) -> Option<Self> {
        assert!(has_vectors(), "the dispatch table asks before");
        let [first, second, third] = &network.convolutions;
        let empty = EmptyOutputs::of(network).third;
        let empty = |tile: usize| Aligned(std::array::from_fn(|column| i32::from(empty[tile * COLUMNS + column])));
        Some(Self {
            first: PairTable::new(first)?,
            second: Layer::second(second)?,
            third: Layer::third(third)?,
            empty: std::array::from_fn(empty),
            head: network.head.clone(),
            tiles: std::marker::PhantomData,
        })
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn lay_out(&self, Work { group, .. }: &mut Work, seeds: &[[u8; PACKED_SEED_BYTES]]) {
        group.lay_out(seeds);
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn first(&self, Work { group, first, .. }: &mut Work, seeds: &[[u8; PACKED_SEED_BYTES]]) {
        let codes = group.codes.as_flattened();
        for (&source, line) in group.sources[..group.lines].iter().zip(&mut first.0) {
            store(self.first.line(codes[usize::from(source)..].first_chunk().expect("codes after the window")), line);
        }
        let mut start = 0;
        for (number, seed) in seeds.iter().enumerate() {
            let end = start + Group::lines_of(group.positions[number]);
            if group.irregular[number] {
                self.first.lines_of_any(seed, &mut first.0[start..end]);
            }
            start = end;
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn second(&self, tiles: &T, Work { group, first, sums, second, .. }: &mut Work) {
        second_block(&self.second, tiles, group, first, sums, second);
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn third(&self, tiles: &T, Work { group, second, sums, totals, .. }: &mut Work) {
        *totals = third_block(&self.third, &self.empty, tiles, group, second, sums);
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn score_seeds(&self, seeds: &[[u8; PACKED_SEED_BYTES]], scores: &mut [f32]) {
        let tiles = T::configure();
        let mut work = Work::NEW;
        for (seeds, scores) in seeds.chunks(GROUP).zip(scores.chunks_mut(GROUP)) {
            self.lay_out(&mut work, seeds);
            self.first(&mut work, seeds);
            self.second(&tiles, &mut work);
            self.third(&tiles, &mut work);
            scores.copy_from_slice(&logits(&self.head, &work.totals)[..scores.len()]);
        }
        logits_to_viabilities(scores);
    }

    /// Each stage by itself, group by group, on what the stages before it have left.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn stages_of<'a>(&'a self, seeds: &'a [[u8; PACKED_SEED_BYTES]]) -> Vec<Stage<'a>> {
        let groups: Vec<(Work, &[_])> = seeds.chunks(GROUP).map(|seeds| (Work::NEW, seeds)).collect();
        let groups = Rc::new(RefCell::new(groups));
        let stage = |name, step: fn(&Self, &T, &mut Work, &[[u8; PACKED_SEED_BYTES]])| -> Stage<'a> {
            let groups = groups.clone();
            let run = move || {
                let tiles = T::configure();
                groups.borrow_mut().iter_mut().for_each(|(work, seeds)| step(self, &tiles, work, seeds));
            };
            run();
            (name, Box::new(run))
        };
        vec![
            stage("laying out, codes of pairs", |kernel, _, work, seeds| kernel.lay_out(work, seeds)),
            stage("first block, from the table", |kernel, _, work, seeds| kernel.first(work, seeds)),
            stage("second block, on tiles", |kernel, tiles, work, _| kernel.second(tiles, work)),
            stage("third block, on tiles, sums over positions", |kernel, tiles, work, _| kernel.third(tiles, work)),
            stage("head, sigmoid", |kernel, _, work, _| {
                let mut logits = logits(&kernel.head, &work.totals);
                logits_to_viabilities(&mut logits);
                std::hint::black_box(logits);
            }),
        ]
    }
}

impl<T: Tiles> Kernel for AmxKernel<T> {
    fn score(&self, seeds: &[[u8; PACKED_SEED_BYTES]], scores: &mut [f32]) {
        // SAFETY: `new`, which makes every kernel, has asserted that this processor has the vector instructions.
        unsafe { self.score_seeds(seeds, scores) }
    }

    fn stages<'a>(&'a self, seeds: &'a [[u8; PACKED_SEED_BYTES]]) -> Vec<Stage<'a>> {
        // SAFETY: as above.
        unsafe { self.stages_of(seeds) }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn load<V>(values: &V) -> Vector {
    const { assert!(size_of::<V>() == 64) }
    // SAFETY: `V`, an array of numbers or a wrapper of one, has the size of a register; no alignment is asked for.
    unsafe { _mm512_loadu_si512(std::ptr::from_ref(values).cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn store<V>(values: Vector, to: &mut V) {
    const { assert!(size_of::<V>() == 64) }
    // SAFETY: `V`, an array of integers or a wrapper of one, has the size of a register; no alignment is asked for.
    unsafe { _mm512_storeu_si512(std::ptr::from_mut(to).cast(), values) }
}

/// The kernel with products in plain Rust: all of it but the instructions of the tile unit.
#[cfg(test)]
pub fn with_emulated_tiles(network: &Network) -> Option<Box<dyn Kernel>> {
    has_vectors().then(|| prepare::<tiles::Emulated>(network))
}

/// Whether the kernel computes a network itself.
#[cfg(test)]
pub fn takes(network: &Network) -> Option<bool> {
    has_vectors().then(|| AmxKernel::<tiles::Emulated>::new(network).is_some())
}
