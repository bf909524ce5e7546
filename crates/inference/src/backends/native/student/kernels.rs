//! The kernels of student networks: one way through the layers, and for each level the sums of sixteen outputs.

use super::plan::{Block, GROUP, LANES, Layer, MAX_INPUTS, MAX_OUTPUTS, Plan};
use crate::NpuResult;
use crate::backends::native::head::sigmoid;
use crate::backends::native::level::Level;
use crate::backends::native::network::requantised;

/// Scores seeds: shape (seeds, inputs) of the plan, and one score a seed.
pub type Score = fn(&Plan, &[u8], &mut [f32]);

/// Seeds that are computed together: a step's weights are loaded once for all of them.
const SEEDS: usize = 8;
type Sums = [[i32; LANES]; SEEDS];

/// What a level has to give; always inlined into code that is compiled for the level's processors.
trait Instructions {
    /// The sums of a block for [`SEEDS`] seeds, whose inputs lie `stride` bytes apart.
    ///
    /// # Safety
    /// The processor has the level's instructions; `inputs` holds the inputs of all seeds.
    unsafe fn sums(block: &Block, inputs: &[u8], stride: usize) -> Sums;
}

/// The kernel of a level.
///
/// # Errors
/// [`NpuError::BackendNotAvailable`] if this processor lacks its instructions.
pub fn for_level(level: Level) -> NpuResult<Score> {
    level.check_supported()?;
    Ok(match level {
        #[cfg(target_arch = "x86_64")]
        Level::Amx | Level::Avx512Vnni => |plan, features, scores| {
            // SAFETY: it was asked above whether the processor has the level, and these are among its instructions.
            unsafe { x86::avx512_vnni(plan, features, scores) }
        },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => |plan, features, scores| {
            // SAFETY: as above.
            unsafe { x86::avx2(plan, features, scores) }
        },
        _ => |plan, features, scores| score::<Plain>(plan, features, scores),
    })
}

#[inline(always)]
fn score<I: Instructions>(plan: &Plan, features: &[u8], scores: &mut [f32]) {
    let width = plan.inputs();
    for (features, scores) in features.chunks(SEEDS * width).zip(scores.chunks_mut(SEEDS)) {
        if scores.len() == SEEDS {
            scores.copy_from_slice(&score_together::<I>(plan, features));
        } else {
            let mut padded = [0; SEEDS * MAX_INPUTS];
            padded[..features.len()].copy_from_slice(features);
            scores.copy_from_slice(&score_together::<I>(plan, &padded[..SEEDS * width])[..scores.len()]);
        }
    }
}

#[inline(always)]
fn score_together<I: Instructions>(plan: &Plan, features: &[u8]) -> [f32; SEEDS] {
    let mut activations;
    let (mut inputs, mut stride) = (features, plan.inputs());
    for layer in &plan.hidden {
        let mut outputs = [0; SEEDS * MAX_OUTPUTS];
        for (number, block) in layer.blocks.iter().enumerate() {
            let sums = sums::<I>(layer, block, inputs, stride);
            for (outputs, sums) in outputs.chunks_exact_mut(MAX_OUTPUTS).zip(&sums) {
                let outputs = &mut outputs[number * LANES..][..LANES];
                for ((output, &sum), &multiplier) in outputs.iter_mut().zip(sums).zip(&block.multipliers) {
                    *output = requantised(sum, multiplier);
                }
            }
        }
        activations = outputs;
        (inputs, stride) = (&activations, MAX_OUTPUTS);
    }
    let block = &plan.output.blocks[0];
    let sums = sums::<I>(&plan.output, block, inputs, stride);
    sums.map(|sums| sigmoid(sums[0] as f32 * block.multipliers[0]))
}

#[inline(always)]
fn sums<I: Instructions>(layer: &Layer, block: &Block, inputs: &[u8], stride: usize) -> Sums {
    assert!(layer.inputs == block.steps.len() * GROUP && (SEEDS - 1) * stride + layer.inputs <= inputs.len());
    // SAFETY: `for_level` has asked for the instructions, the line above for the inputs.
    unsafe { I::sums(block, inputs, stride) }
}

/// Plain Rust.
struct Plain;

impl Instructions for Plain {
    #[inline(always)]
    unsafe fn sums(block: &Block, inputs: &[u8], stride: usize) -> Sums {
        let mut all = [block.biases; SEEDS];
        for (sums, inputs) in all.iter_mut().zip(inputs.chunks(stride)) {
            for (step, inputs) in block.steps.iter().zip(inputs.as_chunks::<GROUP>().0) {
                for (sum, weights) in sums.iter_mut().zip(step.0.as_chunks::<GROUP>().0) {
                    for (&weight, &input) in weights.iter().zip(inputs) {
                        *sum += i32::from(weight) * i32::from(input);
                    }
                }
            }
        }
        all
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::*;

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub fn avx512_vnni(plan: &Plan, features: &[u8], scores: &mut [f32]) {
        score::<Avx512Vnni>(plan, features, scores);
    }

    #[target_feature(enable = "avx2")]
    pub fn avx2(plan: &Plan, features: &[u8], scores: &mut [f32]) {
        score::<Avx2>(plan, features, scores);
    }

    /// Sixteen outputs a register; an instruction adds four products to each.
    struct Avx512Vnni;

    impl Instructions for Avx512Vnni {
        #[inline(always)]
        unsafe fn sums(block: &Block, inputs: &[u8], stride: usize) -> Sums {
            // SAFETY: loads and stores of 64 bytes are of arrays of that size; the caller has checked that a step's four
            // inputs of every seed lie within `inputs`, and that the processor has the instructions.
            unsafe {
                let mut registers = [_mm512_loadu_si512(block.biases.as_ptr().cast()); SEEDS];
                for (number, step) in block.steps.iter().enumerate() {
                    let weights = _mm512_loadu_si512(step.0.as_ptr().cast());
                    for (seed, register) in registers.iter_mut().enumerate() {
                        let four = inputs.as_ptr().add(seed * stride + number * GROUP).cast::<i32>().read_unaligned();
                        *register = _mm512_dpbusd_epi32(*register, _mm512_set1_epi32(four), weights);
                    }
                }
                let mut sums = [[0; LANES]; SEEDS];
                for (sums, register) in sums.iter_mut().zip(registers) {
                    _mm512_storeu_si512(sums.as_mut_ptr().cast(), register);
                }
                sums
            }
        }
    }

    /// Four outputs a register, two sums each, of 16-bit products: those of bytes would saturate.
    struct Avx2;
    /// Registers of a block's sums.
    const REGISTERS: usize = 4;
    /// Seeds whose sums are in registers at once.
    const PAIR: usize = 2;

    impl Instructions for Avx2 {
        #[inline(always)]
        unsafe fn sums(block: &Block, inputs: &[u8], stride: usize) -> Sums {
            let mut sums = [block.biases; SEEDS];
            let mut wide = [[0u16; MAX_INPUTS]; PAIR];
            let length = block.steps.len() * GROUP;
            for (pair, sums) in sums.as_chunks_mut::<PAIR>().0.iter_mut().enumerate() {
                for (seed, wide) in wide.iter_mut().enumerate() {
                    let inputs = &inputs[(pair * PAIR + seed) * stride..][..length];
                    for (wide, &input) in wide.iter_mut().zip(inputs) {
                        *wide = input.into();
                    }
                }
                // SAFETY: a step has four times 16 bytes of weights, a row of `wide` holds four inputs a step; the caller
                // has checked that the processor has the instructions.
                unsafe {
                    let mut registers = [[_mm256_setzero_si256(); REGISTERS]; PAIR];
                    for (number, step) in block.steps.iter().enumerate() {
                        let fours: [_; PAIR] = std::array::from_fn(|seed| {
                            let four = wide[seed].as_ptr().add(number * GROUP).cast::<i64>().read_unaligned();
                            _mm256_set1_epi64x(four)
                        });
                        for quarter in 0..REGISTERS {
                            let weights = _mm_loadu_si128(step.0.as_ptr().add(16 * quarter).cast());
                            let weights = _mm256_cvtepi8_epi16(weights);
                            for (registers, four) in registers.iter_mut().zip(fours) {
                                let products = _mm256_madd_epi16(weights, four);
                                registers[quarter] = _mm256_add_epi32(registers[quarter], products);
                            }
                        }
                    }
                    for (sums, registers) in sums.iter_mut().zip(registers) {
                        for (sums, registers) in
                            sums.as_chunks_mut::<8>().0.iter_mut().zip(registers.as_chunks::<2>().0)
                        {
                            // Outputs 0 1 4 5 2 3 6 7, put in order.
                            let added = _mm256_hadd_epi32(registers[0], registers[1]);
                            let added = _mm256_permute4x64_epi64::<0b11_01_10_00>(added);
                            let target = sums.as_mut_ptr().cast();
                            _mm256_storeu_si256(target, _mm256_add_epi32(_mm256_loadu_si256(target), added));
                        }
                    }
                }
            }
            sums
        }
    }
}
