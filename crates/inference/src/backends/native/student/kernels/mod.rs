//! The kernels of student networks: one way through the layers, and for each level the sums of sixteen outputs.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx_vnni;
#[cfg(target_arch = "aarch64")]
mod neon;

use super::plan::{Block, GROUP, LANES, Layer, MAX_INPUTS, MAX_OUTPUTS, Plan};
use crate::NpuResult;
use crate::backends::native::head::logits_to_viabilities;
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

    /// The eight bits of a seed's sums, as `requantised` gives them.
    ///
    /// # Safety
    /// The processor has the level's instructions.
    #[inline(always)]
    unsafe fn rounded(sums: &[i32; LANES], multipliers: &[f32; LANES]) -> [u8; LANES] {
        std::array::from_fn(|lane| requantised(sums[lane], multipliers[lane]))
    }
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
            unsafe { avx512::avx512_vnni(plan, features, scores) }
        },
        #[cfg(target_arch = "x86_64")]
        Level::AvxVnni => |plan, features, scores| {
            // SAFETY: as above.
            unsafe { avx_vnni::avx_vnni(plan, features, scores) }
        },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => |plan, features, scores| {
            // SAFETY: as above.
            unsafe { avx2::avx2(plan, features, scores) }
        },
        #[cfg(target_arch = "aarch64")]
        Level::NeonDot => |plan, features, scores| {
            // SAFETY: as above.
            unsafe { neon::neon_dot(plan, features, scores) }
        },
        _ => |plan, features, scores| score::<Plain>(plan, features, scores),
    })
}

#[inline(always)]
fn score<I: Instructions>(plan: &Plan, features: &[u8], scores: &mut [f32]) {
    let width = plan.inputs();
    for (features, scores) in features.chunks(SEEDS * width).zip(scores.chunks_mut(SEEDS)) {
        if scores.len() == SEEDS {
            scores.copy_from_slice(&logits::<I>(plan, features));
        } else {
            let mut padded = [0; SEEDS * MAX_INPUTS];
            padded[..features.len()].copy_from_slice(features);
            scores.copy_from_slice(&logits::<I>(plan, &padded[..SEEDS * width])[..scores.len()]);
        }
    }
    logits_to_viabilities(scores);
}

#[inline(always)]
fn logits<I: Instructions>(plan: &Plan, features: &[u8]) -> [f32; SEEDS] {
    let mut activations;
    let (mut inputs, mut stride) = (features, plan.inputs());
    for layer in &plan.hidden {
        let mut outputs = [0; SEEDS * MAX_OUTPUTS];
        for (number, block) in layer.blocks.iter().enumerate() {
            let sums = sums::<I>(layer, block, inputs, stride);
            for (outputs, sums) in outputs.chunks_exact_mut(MAX_OUTPUTS).zip(&sums) {
                let outputs = &mut outputs[number * LANES..][..LANES];
                // SAFETY: `for_level` has asked for the instructions.
                let bytes = unsafe { I::rounded(sums, &block.multipliers) };
                outputs.copy_from_slice(&bytes);
            }
        }
        activations = outputs;
        (inputs, stride) = (&activations, MAX_OUTPUTS);
    }
    let block = &plan.output.blocks[0];
    let sums = sums::<I>(&plan.output, block, inputs, stride);
    let mut logits = [0.0; SEEDS];
    for (logit, sums) in logits.iter_mut().zip(&sums) {
        *logit = sums[0] as f32 * block.multipliers[0];
    }
    logits
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
