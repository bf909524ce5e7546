//! Seeds in doubt: who is asked about them, what becomes of them, and that batches have no part in it.

use seedsieve_filter::{
    Bands, Cascade, CascadeBatch, FilterStatistics, PlacedSeed, ReferencePlanes, STUDENT_ROW, SeedScorer, Student,
};
use seedsieve_inference::NpuResult;

/// Base codes that look random and are the same in every run.
fn sequence(length: usize, mut state: u64) -> Vec<u8> {
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 60) as u8 & 3
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Finds seeds viable by their row: those that match in the first bases behind, as many as asked for.
struct Matches(usize);

impl SeedScorer for Matches {
    fn version(&self) -> u8 {
        2
    }

    fn score(&self, rows: &[u8], scores: &mut [f32]) -> NpuResult<()> {
        for (row, score) in rows.chunks(STUDENT_ROW).zip(scores) {
            *score = f32::from(row[128..128 + self.0].iter().all(|&matched| matched == 1));
        }
        Ok(())
    }
}

/// The reference, and reads of 100 bases: each lies whole at one place, and with its first 40 to 58 bases at another.
struct World {
    planes: ReferencePlanes,
    reads: Vec<Vec<u8>>,
    seeds: Vec<Vec<PlacedSeed>>,
}

fn world() -> World {
    let mut reference = sequence(40_000, 7);
    let mut reads = Vec::new();
    let mut seeds = Vec::new();
    for number in 0..10 {
        let (place, copy) = (1_000 * number, 20_000 + 1_000 * number);
        let read = reference[place..place + 100].to_vec();
        // One mismatch leaves 95; the copies reach 80 to 53 or so.
        let copied = 86 - 3 * number;
        reference.copy_within(place..place + copied, copy);
        reference[copy + copied] = 3 - reference[place + copied];
        let seed = |start: usize, query_start: u32, length: u32| PlacedSeed {
            start: start as u64,
            query_start,
            length,
            reverse: false,
            alt: false,
        };
        // The runner-up comes first, so that the copies are none.
        reference.copy_within(place..place + 82, 30_000 + 400 * number);
        seeds.push(vec![seed(place, 0, 30), seed(30_000 + 400 * number, 0, 30), seed(copy + 10, 10, 20)]);
        reads.push(read);
    }
    let planes = ReferencePlanes::new(vec![0, 40_000], |range, piece| {
        piece.clear();
        piece.extend_from_slice(&reference[range.start as usize..range.end as usize]);
    });
    World { planes, reads, seeds }
}

/// What stands in, for these reads, where the student is asked about seeds within `points`.
fn decided(
    world: &World,
    reads: std::ops::Range<usize>,
    asked: Option<(&dyn SeedScorer, i32)>,
) -> (Vec<bool>, FilterStatistics) {
    let codes: Vec<&[u8]> = world.reads[reads.clone()].iter().map(Vec::as_slice).collect();
    let seeds: Vec<PlacedSeed> = world.seeds[reads.clone()].concat();
    let read_offsets: Vec<usize> = (0..=codes.len()).map(|read| 3 * read).collect();
    let chains: Vec<u32> = (0..codes.len()).flat_map(|_| 0..3).collect();
    let batch =
        CascadeBatch { reads: &codes, read_offsets: &read_offsets, seeds: &seeds, chains: &chains, paired: false };
    let occurrences = vec![1; seeds.len()];
    let student = asked.map(|(scorer, points)| Student { scorer, points, threshold: 0.5, occurrences: &occurrences });
    let mut stand_ins = vec![None; seeds.len()];
    let cascade = Cascade::new(Bands { near_best_single: 5, ..Bands::built_in() }.settings());
    let statistics = cascade.stand_ins_after(&world.planes, &batch, student, &mut stand_ins).expect("no error");
    (stand_ins.iter().map(Option::is_some).collect(), statistics)
}

#[test]
fn the_student_takes_stand_ins_back_and_nothing_else() {
    let world = world();
    let (without, of_rules) = decided(&world, 0..10, None);
    assert!(of_rules.stand_ins >= 8, "{of_rules:?}");
    let (never, statistics) = decided(&world, 0..10, Some((&Matches(128), 1_000)));
    assert_eq!(never, without, "what it finds hopeless stays a stand-in");
    assert_eq!(statistics.asked_of_student, of_rules.stand_ins, "all of them are in doubt");
    let (all, statistics) = decided(&world, 0..10, Some((&Matches(0), 1_000)));
    assert!(!all.contains(&true));
    assert_eq!((statistics.kept_by_student, statistics.stand_ins), (of_rules.stand_ins, 0));
    let (some, statistics) = decided(&world, 0..10, Some((&Matches(0), 20)));
    assert!(some.contains(&true) && (1..of_rules.stand_ins).contains(&statistics.asked_of_student), "{statistics:?}");
}

#[test]
fn the_student_decides_the_same_however_reads_are_batched() {
    let world = world();
    let scorer = Matches(30);
    let (together, _) = decided(&world, 0..10, Some((&scorer, 1_000)));
    let apart: Vec<bool> = (0..10).flat_map(|read| decided(&world, read..read + 1, Some((&scorer, 1_000))).0).collect();
    assert_eq!(together, apart);
    assert!(together.contains(&true), "it finds some hopeless");
    assert_ne!(together, decided(&world, 0..10, None).0, "and some viable");
}
