//! Dispatch levels: which instructions a kernel uses, and which this processor has.

use std::fmt::Display;
use std::sync::OnceLock;
use std::time::Instant;

use seedsieve_encoding::PACKED_SEED_BYTES;

use super::kernels::{self, BlockEnds, Kernel};
use super::network::Network;
use super::windows::occupied_bytes;
use crate::{NpuError, NpuResult};

/// A set of instructions that the native kernel is written for. All of them compute the same scores, bit for bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// AMX for bytes, with AVX-512 VNNI: 16,384 products an instruction (Intel since 2023).
    Amx,
    /// AVX-512 F, BW and VNNI: 64 products an instruction (Intel since 2019, AMD since Zen 4).
    Avx512Vnni,
    /// AVX-VNNI, with AVX2: 32 products an instruction (Intel without AVX-512 since 2021, AMD since Zen 5).
    AvxVnni,
    /// AVX2: 16 products an instruction (Intel since 2013, AMD since 2015).
    Avx2,
    /// NEON with dot products: 16 products an instruction (Arm since 2018: Apple M1, Graviton 2, Snapdragon 855).
    NeonDot,
    /// No instructions but those that every processor has; also the reference that the others are tested against.
    Scalar,
}

/// A row of the dispatch table.
pub struct Entry {
    /// The level that the kernel is for.
    pub level: Level,
    /// Whether this processor has its instructions.
    pub is_supported: fn() -> bool,
    /// Lays out a network's weights for it. Panics where it is not supported.
    pub prepare: fn(&Network) -> Box<dyn Kernel>,
    /// Multiplications of the kernel for a seed of these ends.
    pub products: fn(&BlockEnds) -> usize,
    /// Does nothing but multiply as the kernel does, for some ten microseconds, and returns the number of products.
    pub multiply_only: Option<fn() -> usize>,
}

/// The dispatch table of this architecture, fastest first. A level is one file, and one row here.
const TABLE: &[Entry] = &[
    #[cfg(target_arch = "x86_64")]
    kernels::amx::ENTRY,
    #[cfg(target_arch = "x86_64")]
    kernels::avx512_vnni::ENTRY,
    #[cfg(target_arch = "x86_64")]
    kernels::avx_vnni::ENTRY,
    #[cfg(target_arch = "x86_64")]
    kernels::avx2::ENTRY,
    #[cfg(target_arch = "aarch64")]
    kernels::neon::ENTRY,
    kernels::scalar::ENTRY,
];

impl Level {
    /// The levels that this program has and this processor supports, fastest first; never empty.
    pub fn supported() -> Vec<Level> {
        TABLE.iter().filter(|entry| (entry.is_supported)()).map(|entry| entry.level).collect()
    }

    /// The fastest level that this processor supports.
    pub fn best() -> Level {
        Self::supported()[0]
    }

    /// Products a second of one thread that does nothing but multiply with the instruction of the level's kernel, whose time
    /// this is the floor of: the best of trials that take some milliseconds. `None` for the scalar level, whose instruction
    /// the compiler chooses, and where the level is not supported.
    pub fn products_a_second(self) -> Option<f64> {
        const TRIALS: usize = 200;
        let multiply_only = self.entry()?.multiply_only?;
        let rate = |_| {
            let start = Instant::now();
            let products = multiply_only();
            products as f64 / start.elapsed().as_secs_f64()
        };
        (0..TRIALS).map(rate).max_by(f64::total_cmp)
    }

    /// Trillion operations a second, a product and its addition being two; as [`products_a_second`](Self::products_a_second), which
    /// is asked once.
    pub fn estimated_tops(self) -> Option<f32> {
        const LEVELS: usize = Level::Scalar as usize + 1;
        static MEASURED: [OnceLock<Option<f32>>; LEVELS] = [const { OnceLock::new() }; LEVELS];
        *MEASURED[self as usize].get_or_init(|| Some((2.0 * self.products_a_second()? / 1e12) as f32))
    }

    /// Multiplications of the level's kernel for packed windows, [`PACKED_SEED_BYTES`] bytes a seed; `None` where the level is
    /// not supported.
    pub fn products(self, packed: &[u8]) -> Option<usize> {
        let entry = self.entry()?;
        let seeds: &[[u8; PACKED_SEED_BYTES]] = packed.as_chunks().0;
        Some(seeds.iter().map(|seed| (entry.products)(&BlockEnds::of(occupied_bytes(seed)))).sum())
    }

    /// # Errors
    /// [`NpuError::BackendNotAvailable`] if this processor lacks the level's instructions.
    pub(super) fn check_supported(self) -> NpuResult<()> {
        self.entry().map(|_| ()).ok_or_else(|| {
            let supported: Vec<String> = Level::supported().iter().map(ToString::to_string).collect();
            let why = format!("this processor has not the instructions of `{self}`; it has {}", supported.join(", "));
            NpuError::BackendNotAvailable { backend: super::NAME, why }
        })
    }

    /// The row of a level that this processor supports.
    pub(super) fn entry(self) -> Option<&'static Entry> {
        TABLE.iter().find(|entry| entry.level == self && (entry.is_supported)())
    }
}

impl Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Self::Amx => "amx-int8",
            Self::Avx512Vnni => "avx512-vnni",
            Self::AvxVnni => "avx-vnni",
            Self::Avx2 => "avx2",
            Self::NeonDot => "neon-dotprod",
            Self::Scalar => "scalar",
        })
    }
}
