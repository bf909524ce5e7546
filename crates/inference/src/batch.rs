use seedsieve_encoding::{ONE_HOT_SEED_LEN, PACKED_SEED_BYTES, WINDOW_SIZE, expand_one_hot};

use crate::{NpuError, NpuResult};

/// One-hot windows of a batch of seeds: the network's input as it is.
///
/// Thirty-two times larger than the packed windows that it is made from; where there is a choice, give a backend packed
/// windows with [`NpuBackend::predict_packed`](crate::NpuBackend::predict_packed), which expands a few hundred seeds at
/// a time into memory that it keeps.
#[derive(Debug, Clone)]
pub struct SeedFilterBatch {
    /// Shape (batch, 2, window, 4), row-major: seed, channel (read, reference), position, base (A, C, G, T).
    pub contexts: Vec<f32>,
    /// Seeds that count; `contexts` may hold more, which are ignored.
    pub batch_size: usize,
    /// Positions of a window.
    pub window_size: usize,
}

impl SeedFilterBatch {
    /// The one-hot form of packed windows, [`PACKED_SEED_BYTES`] bytes a seed.
    ///
    /// # Panics
    /// If `packed` is not whole seeds.
    pub fn from_packed(packed: &[u8]) -> Self {
        let batch_size = packed.len() / PACKED_SEED_BYTES;
        let mut contexts = vec![0.0; batch_size * ONE_HOT_SEED_LEN];
        expand_one_hot(packed, &mut contexts);
        Self { contexts, batch_size, window_size: WINDOW_SIZE }
    }

    /// The values of the seeds that count, checked.
    ///
    /// # Errors
    /// [`NpuError::InvalidBatch`] if the window is not [`WINDOW_SIZE`] or there are fewer values than `batch_size` needs.
    pub fn one_hot(&self) -> NpuResult<&[f32]> {
        if self.window_size != WINDOW_SIZE {
            return Err(NpuError::InvalidBatch(format!(
                "its windows have {} positions; the networks of this program take {WINDOW_SIZE}",
                self.window_size
            )));
        }
        self.batch_size.checked_mul(ONE_HOT_SEED_LEN).and_then(|needed| self.contexts.get(..needed)).ok_or_else(|| {
            NpuError::InvalidBatch(format!(
                "{} seeds need {ONE_HOT_SEED_LEN} values each, but there are {} values in all",
                self.batch_size,
                self.contexts.len()
            ))
        })
    }
}

#[cfg(any(feature = "native", feature = "ort", feature = "tract"))]
/// Packs one-hot windows, `ONE_HOT_SEED_LEN` values a seed.
///
/// # Errors
/// [`NpuError::InvalidBatch`] if a value is neither 0 nor 1.
pub(crate) fn pack_one_hot(one_hot: &[f32]) -> NpuResult<Vec<u8>> {
    let mut packed = Vec::with_capacity(one_hot.len() / 8);
    for (byte, pair) in one_hot.as_chunks::<8>().0.iter().enumerate() {
        let mut bits = 0;
        for (index, &value) in pair.iter().enumerate() {
            if value != 0.0 && value != 1.0 {
                let (seed, value_number) = (byte * 8 / ONE_HOT_SEED_LEN, (byte * 8 + index) % ONE_HOT_SEED_LEN);
                return Err(NpuError::InvalidBatch(format!(
                    "value {value_number} of seed {seed} (0-based) is {value}; this backend takes one-hot windows, of zeros \
                     and ones only: choose ort or tract for others"
                )));
            }
            // The earlier of two positions lies in the high nibble.
            bits |= u8::from(value == 1.0) << ((index + 4) % 8);
        }
        packed.push(bits);
    }
    Ok(packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_may_be_allocated_larger_than_it_is() {
        let mut batch = SeedFilterBatch::from_packed(&[0x12; 3 * PACKED_SEED_BYTES]);
        assert_eq!(batch.one_hot().unwrap().len(), 3 * ONE_HOT_SEED_LEN);
        batch.batch_size = 2;
        assert_eq!(batch.one_hot().unwrap().len(), 2 * ONE_HOT_SEED_LEN);
    }

    #[test]
    fn too_few_values_and_other_windows_are_refused() {
        let mut batch = SeedFilterBatch::from_packed(&[0x12; 3 * PACKED_SEED_BYTES]);
        for batch_size in [4, usize::MAX] {
            batch.batch_size = batch_size;
            let message = batch.one_hot().unwrap_err().to_string();
            assert!(message.contains("3072 values in all"), "{message}");
        }
        batch.batch_size = 3;
        batch.window_size = 64;
        assert!(batch.one_hot().unwrap_err().to_string().contains("have 64 positions"));
    }

    #[cfg(any(feature = "native", feature = "ort", feature = "tract"))]
    #[test]
    fn one_hot_windows_are_packed_again() {
        let packed = crate::example_windows(100, 9);
        let mut batch = SeedFilterBatch::from_packed(&packed);
        assert_eq!(pack_one_hot(batch.one_hot().unwrap()).unwrap(), packed);
        batch.contexts[2 * ONE_HOT_SEED_LEN + 5] = 0.25;
        let error = pack_one_hot(&batch.contexts).unwrap_err().to_string();
        assert!(error.contains("value 5 of seed 2 (0-based) is 0.25"), "{error}");
    }
}
