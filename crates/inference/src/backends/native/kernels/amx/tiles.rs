//! The tile unit of AMX: 16 rows of 64 activations times 16 columns of weights with one instruction.
//!
//! The instructions have no intrinsics in stable Rust and stand in pieces of assembly. A second implementation in plain Rust
//! lets everything around the instructions be tested on processors that have none.

use std::arch::asm;
use std::sync::OnceLock;

/// Rows of a tile.
pub const ROWS: usize = 16;
/// Bytes of a row of a tile.
pub const ROW_BYTES: usize = 64;
/// 32-bit sums of a row of a tile.
pub const COLUMNS: usize = ROW_BYTES / 4;
const _: () = assert!(ROWS == COLUMNS);

/// Sixteen rows of bytes, as a tile is loaded.
pub type ByteRows = [[u8; ROW_BYTES]; ROWS];

/// Weights of 64 products, one row for each four, and 16 outputs: byte `4 * output + product % 4` of row `product / 4`, the
/// bits of a number with sign.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct WeightTile(pub ByteRows);

/// 16 rows of 16 sums.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct SumTile(pub [[i32; COLUMNS]; ROWS]);

impl SumTile {
    /// All sums 0.
    pub const ZERO: Self = Self([[0; COLUMNS]; ROWS]);
}

/// The eight tiles of this thread, by number, and what can be done with them.
///
/// Nothing goes from a tile to a register but through memory. Measured where there is AMX (docs/backends.md): a product takes
/// 16 cycles, a load 8 where no row crosses a line of the cache, a store 16. A product into sums that are being stored waits,
/// so that kernels let four tiles of sums take turns.
pub trait Tiles: 'static {
    /// Prepares this thread for products. Panics where the processor has no tile unit.
    fn configure() -> Self;

    /// Tile `TILE` from memory: activations or weights.
    fn load<const TILE: u8>(&self, rows: &ByteRows);

    /// Sixteen rows of zeros.
    fn zero<const TILE: u8>(&self);

    /// To each sum `[r][c]` of tile `SUMS` adds the 64 products of row `r` of `ROWS`, unsigned, and column `c` of `WEIGHTS`, signed.
    fn multiply<const SUMS: u8, const ROWS: u8, const WEIGHTS: u8>(&self);

    /// The sums of tile `TILE`.
    fn store<const TILE: u8>(&self, sums: &mut SumTile);
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
    fn load<const TILE: u8>(&self, rows: &ByteRows) {
        // SAFETY: `self` exists, so that the thread's tiles are configured; a tile has the size of what is read. The compiler
        // has no use for tiles, so that they keep their content between pieces of assembly.
        unsafe {
            asm!(
                "tileloadd tmm{tile}, [{rows} + {stride}*1]",
                tile = const TILE,
                rows = in(reg) rows.as_ptr(),
                stride = in(reg) ROW_BYTES,
                options(nostack, readonly),
            );
        }
    }

    #[inline(always)]
    fn zero<const TILE: u8>(&self) {
        // SAFETY: as above; memory is not touched.
        unsafe { asm!("tilezero tmm{tile}", tile = const TILE, options(nostack, nomem)) };
    }

    #[inline(always)]
    fn multiply<const SUMS: u8, const ROWS: u8, const WEIGHTS: u8>(&self) {
        // SAFETY: as above; memory is not touched.
        unsafe {
            asm!(
                "tdpbusd tmm{sums}, tmm{rows}, tmm{weights}",
                sums = const SUMS,
                rows = const ROWS,
                weights = const WEIGHTS,
                options(nostack, nomem),
            );
        }
    }

    #[inline(always)]
    fn store<const TILE: u8>(&self, sums: &mut SumTile) {
        // SAFETY: as above; a tile of sums has the size of what is written.
        unsafe {
            asm!(
                "tilestored [{sums} + {stride}*1], tmm{tile}",
                tile = const TILE,
                sums = in(reg) sums.0.as_mut_ptr(),
                stride = in(reg) ROW_BYTES,
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

/// The same in plain Rust.
#[cfg(test)]
pub struct Emulated(std::cell::RefCell<[ByteRows; 8]>);

#[cfg(test)]
impl Tiles for Emulated {
    fn configure() -> Self {
        Self(std::cell::RefCell::new([[[0xA5; ROW_BYTES]; ROWS]; 8]))
    }

    fn load<const TILE: u8>(&self, rows: &ByteRows) {
        self.0.borrow_mut()[usize::from(TILE)] = *rows;
    }

    fn zero<const TILE: u8>(&self) {
        self.0.borrow_mut()[usize::from(TILE)] = [[0; ROW_BYTES]; ROWS];
    }

    fn multiply<const SUMS: u8, const ROWS: u8, const WEIGHTS: u8>(&self) {
        let tiles = &mut *self.0.borrow_mut();
        let (rows, weights) = (tiles[usize::from(ROWS)], tiles[usize::from(WEIGHTS)]);
        for (sums, row) in tiles[usize::from(SUMS)].iter_mut().zip(&rows) {
            for (column, sum) in sums.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                let products = row.iter().enumerate().map(|(at, &activation)| {
                    i32::from(activation) * i32::from(weights[at / 4][column * 4 + at % 4] as i8)
                });
                *sum = (i32::from_le_bytes(*sum) + products.sum::<i32>()).to_le_bytes();
            }
        }
    }

    fn store<const TILE: u8>(&self, sums: &mut SumTile) {
        let tile = self.0.borrow()[usize::from(TILE)];
        sums.0 = tile.map(|row| std::array::from_fn(|column| i32::from_le_bytes(row.as_chunks().0[column])));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sums of two products, and of one of them alone, in tiles that take turns.
    fn sums_of<T: Tiles>(tiles: &T, rows: &[ByteRows; 2], weights: &[WeightTile; 3]) -> [SumTile; 2] {
        let mut sums = [SumTile([[-1; COLUMNS]; ROWS]); 2];
        tiles.load::<0>(&rows[0]);
        tiles.load::<1>(&rows[1]);
        tiles.zero::<5>();
        tiles.load::<7>(&weights[0].0);
        tiles.multiply::<5, 0, 7>();
        tiles.load::<7>(&weights[1].0);
        tiles.multiply::<5, 1, 7>();
        tiles.zero::<6>();
        tiles.load::<2>(&weights[2].0);
        tiles.multiply::<6, 1, 2>();
        tiles.store::<5>(&mut sums[0]);
        tiles.store::<6>(&mut sums[1]);
        sums
    }

    #[test]
    fn the_tile_unit_multiplies_as_plain_code_does() {
        let mut state = 88_172_645_463_325_252u64;
        let mut bytes = || -> ByteRows {
            [(); ROWS].map(|()| {
                [(); ROW_BYTES].map(|()| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    (state >> 24) as u8
                })
            })
        };
        let rows = [bytes(), bytes()];
        let weights = [(); 3].map(|()| WeightTile(bytes()));
        let expected = sums_of(&Emulated::configure(), &rows, &weights);
        let product = |chunk: usize, tile: usize, row: usize, column: usize| -> i32 {
            let activation = |k: usize| i32::from(rows[chunk][row][k]);
            let weight = |k: usize| i32::from(weights[tile].0[k / 4][column * 4 + k % 4] as i8);
            (0..ROW_BYTES).map(|k| activation(k) * weight(k)).sum()
        };
        for (row, column) in [(0, 0), (3, 15), (15, 7)] {
            assert_eq!(expected[0].0[row][column], product(0, 0, row, column) + product(1, 1, row, column));
            assert_eq!(expected[1].0[row][column], product(1, 2, row, column));
        }
        if !has_tile_unit() {
            eprintln!("SKIPPED products of the tile unit: this processor has no AMX for bytes, or the system keeps it");
            return;
        }
        let found = sums_of(&Hardware::configure(), &rows, &weights);
        assert!(found.map(|tile| tile.0) == expected.map(|tile| tile.0));
    }
}
