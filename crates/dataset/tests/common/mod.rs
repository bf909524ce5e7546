//! Rows made up for the tests.
#![allow(dead_code)] // each test binary uses a part

use seedsieve_dataset::{Producer, Role, SeedRow};

/// Rows that every test can tell apart.
pub const ROWS: u64 = 1000;

/// Some match masks.
const MASKS: [[u8; 32]; 4] = [[0; 32], [255; 32], [0b0101_1010; 32], [7; 32]];

/// Row number `row` of the test data set; every column differs between rows, nulls included.
pub fn row<'a>(row: u64, windows: &'a mut [u8; 128]) -> SeedRow<'a> {
    for (byte, index) in windows.iter_mut().zip(0u64..) {
        *byte = (row.wrapping_mul(31).wrapping_add(index * 7) & 255) as u8;
    }
    let small = row as u16;
    let score = row as i32 % 97;
    SeedRow {
        sample: if row.is_multiple_of(2) { "NA12878" } else { "NA19401" },
        read_hash: row.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        mate: (row % 3) as u8,
        read_length: 150 + small,
        query_start: small,
        length: 19 + small % 80,
        contig: if row < 500 { "chr21" } else { "chr22" },
        position: 4_000_000_000 + row as u32,
        reverse: row.is_multiple_of(5),
        occurrences: row as u32 * 3,
        chain: (!row.is_multiple_of(4)).then_some(row as i32),
        chain_weight: (!row.is_multiple_of(4)).then_some(score + 1),
        chain_kept: row.is_multiple_of(7),
        extended: row.is_multiple_of(11),
        ungapped_score: score + 2,
        own_score: score,
        own_query_start: small / 2,
        own_query_end: small + 3,
        region_score: (!row.is_multiple_of(6)).then_some(score + 4),
        region_distance: (!row.is_multiple_of(6)).then_some(score % 100),
        role: Role::ALL[(row % 5) as usize],
        read_best: score + 5,
        read_second: score - 5,
        locus_contig: (!row.is_multiple_of(9)).then_some("chrX"),
        locus_position: (!row.is_multiple_of(9)).then_some(row as u32),
        source_mapped: (!row.is_multiple_of(10)).then_some(row.is_multiple_of(3)),
        source_mapq: (!row.is_multiple_of(10)).then_some((row % 61) as u8),
        source_on_path: (!row.is_multiple_of(12)).then_some(row.is_multiple_of(4)),
        own_left_score: (!row.is_multiple_of(13)).then_some(score + 6),
        own_band: (!row.is_multiple_of(13)).then_some(100 + small),
        own_reference_before: (!row.is_multiple_of(13)).then_some(small + 7),
        own_reference_after: (!row.is_multiple_of(13)).then_some(small + 8),
        seed_quality: (!row.is_multiple_of(14)).then_some((row % 41) as u8),
        flank_quality: (!row.is_multiple_of(15)).then_some((row % 43) as u8),
        true_contig: (!row.is_multiple_of(16)).then_some("chrY"),
        true_position: (!row.is_multiple_of(16)).then_some(row as u32 + 9),
        true_reverse: (!row.is_multiple_of(16)).then_some(row.is_multiple_of(2)),
        true_on_path: (!row.is_multiple_of(17)).then_some(row.is_multiple_of(3)),
        weight: row.is_multiple_of(18).then_some(1.0 + row as f64 / 7.0),
        left_matches: (!row.is_multiple_of(19)).then_some(&MASKS[(row % 3) as usize]),
        right_matches: (!row.is_multiple_of(19)).then_some(&MASKS[(row % 4) as usize]),
        seeding_round: (!row.is_multiple_of(20)).then_some(1 + (row % 3) as u8),
        rescue_anchor: (!row.is_multiple_of(21)).then_some(row.is_multiple_of(2)),
        own_computed: (!row.is_multiple_of(22)).then_some(row.is_multiple_of(5)),
        gap_bound: (!row.is_multiple_of(23)).then_some(score + 7),
        narrow_score: (!row.is_multiple_of(24)).then_some(score + 8),
        windows,
    }
}

/// A program of some version.
pub fn producer() -> Producer {
    Producer { name: "seedsieve".into(), version: "0.1.0".into() }
}
