//! The tile unit of AMX: 32 rows of activations times 32 columns of weights at once.
//!
//! The instructions have no intrinsics in stable Rust and stand in pieces of assembly. A second implementation in plain Rust lets everything around the
//! instructions be tested on processors that have none.

use std::arch::asm;
use std::sync::OnceLock;

/// Rows of a tile.
pub const ROWS: usize = 16;
/// Bytes of a row of a tile.
pub const ROW_BYTES: usize = 64;
/// 32-bit sums of a row of a tile.
pub const COLUMNS: usize = ROW_BYTES / 4;
/// Rows and columns of a block, two tiles each.
pub const BLOCK: usize = 2 * ROWS;
const _: () = assert!(ROWS == COLUMNS);

/// Weights of 64 products, one row for each four, and 16 outputs: byte `4 * output + product % 4` of row `product / 4`.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct WeightTile(pub [[i8; ROW_BYTES]; ROWS]);

/// What the sums of 16 columns start from.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Biases(pub [i32; COLUMNS]);

/// A block of sums to be computed.
#[derive(Clone, Copy)]
pub struct BlockProduct<'a> {
    /// Activations; row `r` starts at byte `r * stride`, rows may overlap.
    pub input: &'a [u8],
    /// Bytes between the starts of two rows.
    pub stride: usize,
    /// Weights of the first 16 columns and of the other 16, as many tiles each.
    pub weights: [&'a [WeightTile]; 2],
    /// Of the first 16 columns and of the other 16.
    pub biases: [&'a Biases; 2],
}

/// Something that multiplies tiles.
pub trait Tiles: Send + Sync + 'static {
    /// Prepares this thread for products. Panics where the processor has no tile unit.
    fn configure() -> Self;

    /// `sums[r * row_length + c]`, for 32 rows and columns.
    ///
    /// `between` is called after each chunk of 64 products, and must not use tiles: a product takes the tile unit 64 cycles,
    /// in which the vector units can do other work, if it stands near enough for the processor to see it.
    fn multiply(&self, product: &BlockProduct, sums: &mut [i32], row_length: usize, between: impl FnMut());
}

/// Whether all that a product reads and writes is there.
fn check(product: &BlockProduct, sums: &[i32], row_length: usize) {
    let BlockProduct { input, stride, weights: [left, right], .. } = product;
    assert!(!left.is_empty() && left.len() == right.len());
    assert!((BLOCK - 1) * stride + left.len() * ROW_BYTES <= input.len(), "the input ends before its last row");
    assert!(row_length >= BLOCK && (BLOCK - 1) * row_length + BLOCK <= sums.len(), "no room for the sums");
}

/// The processor's own tile unit, configured for this thread until it is dropped.
pub struct Hardware {
    /// The configuration belongs to this thread.
    _not_send: (),
}

/// Tile configuration (Intel SDM, LDTILECFG): palette 1, all eight tiles of 16 rows of 64 bytes.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static CONFIGURATION: Configuration = Configuration {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

impl Tiles for Hardware {
    fn configure() -> Self {
        assert!(has_tile_unit(), "the dispatch table asks before");
        let configuration: *const Configuration = &CONFIGURATION;
        // SAFETY: the processor has the instruction and the system lets this process use it; the memory is 64 bytes of a
        // valid configuration.
        unsafe { asm!("ldtilecfg [{}]", in(reg) configuration, options(nostack, readonly)) };
        Self { _not_send: () }
    }

    #[inline(always)]
    fn multiply(&self, product: &BlockProduct, sums: &mut [i32], row_length: usize, mut between: impl FnMut()) {
        check(product, sums, row_length);
        let BlockProduct { input, stride, weights: [left, right], biases } = *product;
        // SAFETY: `self` exists, so that the thread's tiles are configured. A distance of 0 between rows reads the same row of
        // biases sixteen times. Tiles keep their content between the pieces of assembly of this function: the compiler is not
        // told of tiles and has no use for them, and `between` uses none.
        unsafe {
            asm!(
                "tileloadd tmm0, [{left} + {none}*1]",
                "tileloadd tmm1, [{right} + {none}*1]",
                "tileloadd tmm2, [{left} + {none}*1]",
                "tileloadd tmm3, [{right} + {none}*1]",
                none = in(reg) 0usize,
                left = in(reg) biases[0].0.as_ptr(),
                right = in(reg) biases[1].0.as_ptr(),
                options(nostack, readonly),
            );
        }
        for (chunk, (left, right)) in left.iter().zip(right).enumerate() {
            let start = chunk * ROW_BYTES;
            // SAFETY: as above; `check` has asserted that all rows that are read lie within `input`.
            unsafe {
                asm!(
                    "tileloadd tmm4, [{upper} + {stride}*1]",
                    "tileloadd tmm6, [{left} + {row}*1]",
                    "tileloadd tmm7, [{right} + {row}*1]",
                    "tdpbusd tmm0, tmm4, tmm6",
                    "tileloadd tmm5, [{lower} + {stride}*1]",
                    "tdpbusd tmm1, tmm4, tmm7",
                    "tdpbusd tmm2, tmm5, tmm6",
                    "tdpbusd tmm3, tmm5, tmm7",
                    row = in(reg) ROW_BYTES,
                    upper = in(reg) input.as_ptr().add(start),
                    lower = in(reg) input.as_ptr().add(start + ROWS * stride),
                    stride = in(reg) stride,
                    left = in(reg) left.0.as_ptr(),
                    right = in(reg) right.0.as_ptr(),
                    options(nostack, readonly),
                );
            }
            between();
        }
        // SAFETY: as above; `check` has asserted that all rows that are written lie within `sums`.
        unsafe {
            asm!(
                "tilestored [{sums} + {row}*1], tmm0",
                "tilestored [{sums} + {row}*1 + 64], tmm1",
                "tilestored [{lower} + {row}*1], tmm2",
                "tilestored [{lower} + {row}*1 + 64], tmm3",
                sums = in(reg) sums.as_mut_ptr(),
                lower = in(reg) sums.as_mut_ptr().add(ROWS * row_length),
                row = in(reg) row_length * 4,
                options(nostack),
            );
        }
    }
}

impl Drop for Hardware {
    fn drop(&mut self) {
        // SAFETY: `configure` has asserted that the processor has the instruction. It frees the tiles, so that the system need
        // not save them when another thread's turn comes.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}

/// Whether this processor has a tile unit for bytes and the system lets this process use it.
pub fn has_tile_unit() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| processor_has_tiles() && system_allows_tiles())
}

fn processor_has_tiles() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    const OSXSAVE: u32 = 1 << 27;
    const AMX_TILE_AND_INT8: u32 = 1 << 24 | 1 << 25;
    /// Tile configuration and tile data are saved when the system changes threads.
    const TILE_STATE: u64 = 1 << 17 | 1 << 18;
    if __cpuid(0).eax < 7 || __cpuid(1).ecx & OSXSAVE == 0 {
        return false;
    }
    if __cpuid_count(7, 0).edx & AMX_TILE_AND_INT8 != AMX_TILE_AND_INT8 {
        return false;
    }
    let (low, high): (u32, u32);
    // SAFETY: OSXSAVE says that there is the instruction; register 0 always exists.
    unsafe { asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") high, options(nostack, nomem)) };
    let saved = u64::from(high) << 32 | u64::from(low);
    saved & TILE_STATE == TILE_STATE
}

/// Asks Linux for the permission to use tiles, which holds for all threads of the process. (Documentation/arch/x86/xstate.rst.)
#[cfg(target_os = "linux")]
fn system_allows_tiles() -> bool {
    const ARCH_PRCTL: i64 = 158;
    const ARCH_REQ_XCOMP_PERM: u64 = 0x1023;
    const TILE_DATA: u64 = 18;
    let result: i64;
    // SAFETY: the call takes two numbers and writes no memory; `syscall` overwrites rcx and r11.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") TILE_DATA,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    result == 0
}

/// Other systems' ways to ask are not known to this program.
#[cfg(not(target_os = "linux"))]
fn system_allows_tiles() -> bool {
    false
}

/// As many products as the kernel has at once, each of which waits for nothing but itself; returns their number.
pub fn multiply_only() -> usize {
    const ROUNDS: usize = 500;
    let _configured = Hardware::configure();
    // SAFETY: the thread's tiles are configured; memory is not touched.
    unsafe {
        asm!(
            "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
            "tilezero tmm4", "tilezero tmm5", "tilezero tmm6", "tilezero tmm7",
            "2:",
            "tdpbusd tmm0, tmm4, tmm6",
            "tdpbusd tmm1, tmm4, tmm7",
            "tdpbusd tmm2, tmm5, tmm6",
            "tdpbusd tmm3, tmm5, tmm7",
            "dec {rounds}",
            "jnz 2b",
            rounds = inout(reg) ROUNDS => _,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack, nomem),
        );
    }
    ROUNDS * 4 * ROWS * ROW_BYTES * COLUMNS
}

/// The same products in plain Rust.
#[cfg(test)]
pub struct Emulated;

#[cfg(test)]
impl Tiles for Emulated {
    fn configure() -> Self {
        Self
    }

    fn multiply(&self, product: &BlockProduct, sums: &mut [i32], row_length: usize, mut between: impl FnMut()) {
        check(product, sums, row_length);
        product.weights[0].iter().for_each(|_| between());
        for row in 0..BLOCK {
            for column in 0..BLOCK {
                let mut sum = product.biases[column / COLUMNS].0[column % COLUMNS];
                for (chunk, tile) in product.weights[column / COLUMNS].iter().enumerate() {
                    for at in 0..ROW_BYTES {
                        let activation = product.input[row * product.stride + chunk * ROW_BYTES + at];
                        let weight = tile.0[at / 4][column % COLUMNS * 4 + at % 4];
                        sum += i32::from(activation) * i32::from(weight);
                    }
                }
                sums[row * row_length + column] = sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tile_unit_multiplies_as_plain_code_does() {
        let mut state = 88_172_645_463_325_252u64;
        let mut byte = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 24) as u8
        };
        for (stride, chunks) in [(8, 1), (32, 3), (64, 3)] {
            let input: Vec<u8> = (0..31 * stride + 64 * chunks).map(|_| byte()).collect();
            let mut tiles = || -> Vec<WeightTile> {
                (0..chunks)
                    .map(|_| WeightTile(std::array::from_fn(|_| std::array::from_fn(|_| byte() as i8))))
                    .collect()
            };
            let (left, right) = (tiles(), tiles());
            let [first, second] = [100, -70_000].map(|bias| Biases(std::array::from_fn(|column| bias + column as i32)));
            let product = BlockProduct { input: &input, stride, weights: [&left, &right], biases: [&first, &second] };
            let (mut expected, mut calls) = (vec![-1; 31 * 64 + 32], 0);
            Emulated.multiply(&product, &mut expected, 64, || calls += 1);
            assert_eq!(calls, chunks);
            assert!(expected[5 * 64 + 3] != -1 && expected[5 * 64 + 40] == -1);
            if !has_tile_unit() {
                eprintln!(
                    "SKIPPED products of the tile unit: this processor has no AMX for bytes, or the system keeps it"
                );
                return;
            }
            let mut sums = vec![-1; expected.len()];
            Hardware::configure().multiply(&product, &mut sums, 64, || calls += 1);
            assert_eq!(calls, 2 * chunks);
            assert_eq!(sums, expected, "stride {stride}");
        }
    }
}
