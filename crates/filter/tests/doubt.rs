//! Seeds in doubt: who is asked about them, what becomes of them, and that batches have no part in it.

use std::sync::atomic::{AtomicUsize, Ordering};

use seedsieve_encoding::PACKED_SEED_BYTES;
use seedsieve_filter::{
    Bands, Cascade, CascadeBatch, FilterStatistics, Network, PlacedSeed, ReferencePlanes, STUDENT_ROW, SeedScorer,
    Student,
};
use seedsieve_inference::{NpuBackend, NpuCapabilities, NpuResult, SeedFilterBatch};

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

/// Seeds of each read.
const SEEDS: usize = 5;

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
        let of_read = [seed(place, 0, 30), seed(30_000 + 400 * number, 0, 30), seed(copy + 10, 10, 20)];
        // Fewer seeds are not compared.
        seeds.push([&of_read[..], &[seed(place + 35, 35, 30), seed(place + 70, 70, 30)]].concat());
        reads.push(read);
    }
    let planes = ReferencePlanes::new(vec![0, 40_000], |range, piece| {
        piece.clear();
        piece.extend_from_slice(&reference[range.start as usize..range.end as usize]);
    });
    World { planes, reads, seeds }
}

/// Who is asked about seeds within `points`.
#[derive(Clone, Copy)]
struct Asked<'a> {
    points: i32,
    student: Option<(&'a dyn SeedScorer, f32)>,
    network: Option<(&'a dyn NpuBackend, Option<&'a dyn NpuBackend>)>,
}

fn student(scorer: &dyn SeedScorer, points: i32) -> Option<Asked<'_>> {
    Some(Asked { points, student: Some((scorer, 0.5)), network: None })
}

/// What stands in, for these reads.
fn decided(world: &World, reads: std::ops::Range<usize>, asked: Option<Asked<'_>>) -> (Vec<bool>, FilterStatistics) {
    let codes: Vec<&[u8]> = world.reads[reads.clone()].iter().map(Vec::as_slice).collect();
    let seeds: Vec<PlacedSeed> = world.seeds[reads.clone()].concat();
    let read_offsets: Vec<usize> = (0..=codes.len()).map(|read| SEEDS * read).collect();
    let chains: Vec<u32> = (0..codes.len()).flat_map(|_| 0..SEEDS as u32).collect();
    let batch =
        CascadeBatch { reads: &codes, read_offsets: &read_offsets, seeds: &seeds, chains: &chains, paired: false };
    let occurrences = vec![1; seeds.len()];
    let mut stand_ins = vec![None; seeds.len()];
    let cascade = Cascade::new(Bands { near_best_single: 5, ..Bands::built_in() }.settings());
    let points = asked.map(|asked| asked.points);
    let (mut statistics, mut doubts) = cascade.stand_ins_and_doubts(&world.planes, &batch, points, &mut stand_ins);
    if let Some((scorer, drop)) = asked.and_then(|asked| asked.student) {
        let student = Student { scorer, keep: 0.5, drop, occurrences: &occurrences, settings: cascade.settings() };
        let heard = doubts.ask_student(&student, &world.planes, &batch, &mut stand_ins, &mut statistics);
        heard.expect("no error");
    }
    if let Some((backend, referee)) = asked.and_then(|asked| asked.network) {
        // Each window tells which read it is of, and which of its seeds.
        let encode = |number: usize, packed: &mut [u8; PACKED_SEED_BYTES]| {
            packed.fill(0);
            (packed[0], packed[1]) = ((reads.start + number / SEEDS) as u8, (number % SEEDS) as u8);
        };
        let network = Network { backend, referee, keep: 0.5, tolerance: 0.02, encode: &encode };
        doubts.ask_network(&network, &batch, &mut stand_ins, &mut statistics).expect("no error");
    }
    (stand_ins.iter().map(Option::is_some).collect(), statistics)
}

#[test]
fn the_student_takes_stand_ins_back_and_nothing_else() {
    let world = world();
    let (without, of_rules) = decided(&world, 0..10, None);
    assert!(of_rules.stand_ins >= 8, "{of_rules:?}");
    let (never, statistics) = decided(&world, 0..10, student(&Matches(128), 1_000));
    assert_eq!(never, without, "what it finds hopeless stays a stand-in");
    assert_eq!(statistics.asked_of_student, of_rules.stand_ins, "all of them are in doubt");
    let (all, statistics) = decided(&world, 0..10, student(&Matches(0), 1_000));
    assert!(!all.contains(&true));
    assert_eq!((statistics.kept_by_student, statistics.stand_ins), (of_rules.stand_ins, 0));
    let (some, statistics) = decided(&world, 0..10, student(&Matches(0), 20));
    assert!(some.contains(&true) && (1..of_rules.stand_ins).contains(&statistics.asked_of_student), "{statistics:?}");
}

/// What belongs to ten reads, for 3,000.
fn repeated<T: Clone>(of_reads: &[T]) -> Vec<T> {
    of_reads.iter().cloned().cycle().take(3_000).collect()
}

#[test]
fn the_student_decides_the_same_however_reads_are_batched() {
    let world = world();
    let asked = student(&Matches(30), 1_000);
    let (together, _) = decided(&world, 0..10, asked);
    let apart: Vec<bool> = (0..10).flat_map(|read| decided(&world, read..read + 1, asked).0).collect();
    assert_eq!(together, apart);
    assert!(together.contains(&true), "it finds some hopeless");
    assert_ne!(together, decided(&world, 0..10, None).0, "and some viable");
    // More than are asked at once.
    let many = World { reads: repeated(&world.reads), seeds: repeated(&world.seeds), ..world };
    let (of_many, statistics) = decided(&many, 0..3_000, asked);
    assert!(statistics.asked_of_student > 2_048, "{statistics:?}");
    assert_eq!(of_many, together.repeat(300));
}

/// A network that scores the seeds of each read alike, but for what its rounding adds, in batches of at most three seeds.
struct Rounded {
    scores: [f32; 10],
    rounding: f32,
    seeds: AtomicUsize,
}

impl Rounded {
    fn new(scores: [f32; 10], rounding: f32) -> Self {
        Self { scores, rounding, seeds: AtomicUsize::new(0) }
    }
}

impl NpuBackend for Rounded {
    fn name(&self) -> &'static str {
        "rounded"
    }

    fn is_available() -> bool {
        true
    }

    fn capabilities(&self) -> NpuCapabilities {
        unreachable!("not asked for")
    }

    fn predict_seed_viability(&self, _: &SeedFilterBatch) -> NpuResult<Vec<f32>> {
        unreachable!("packed windows are asked about")
    }

    fn predict_packed(&self, packed: &[u8], scores: &mut [f32]) -> NpuResult<()> {
        assert_eq!(packed.len(), scores.len() * PACKED_SEED_BYTES);
        assert!((1..=3).contains(&scores.len()), "{} seeds", scores.len());
        self.seeds.fetch_add(scores.len(), Ordering::Relaxed);
        for (window, score) in packed.chunks(PACKED_SEED_BYTES).zip(scores) {
            *score = self.scores[usize::from(window[0])] + self.rounding;
        }
        Ok(())
    }

    fn optimal_batch_size(&self) -> usize {
        3
    }

    fn supported_batch_sizes(&self) -> &[usize] {
        &[3]
    }

    fn warmup(&self) -> NpuResult<()> {
        Ok(())
    }
}

const SCORES: [f32; 10] = [0.1, 0.9, 0.495, 0.505, 0.1, 0.9, 0.499, 0.5, 0.1, 0.9];

fn network<'a>(backend: &'a Rounded, referee: Option<&'a Rounded>) -> Option<Asked<'a>> {
    let referee = referee.map(|referee| referee as &dyn NpuBackend);
    Some(Asked { points: 1_000, student: None, network: Some((backend, referee)) })
}

#[test]
fn the_network_decides_the_same_on_every_backend_and_however_reads_are_batched() {
    let world = world();
    let exact = Rounded::new(SCORES, 0.0);
    let (of_exact, statistics) = decided(&world, 0..10, network(&exact, Some(&exact)));
    let (without, of_rules) = decided(&world, 0..10, None);
    assert_eq!(statistics.asked_of_network, of_rules.stand_ins);
    assert_eq!(statistics.kept_by_network + statistics.stand_ins, of_rules.stand_ins);
    // What is extended after all is of the reads that score half or more.
    for (read, score) in SCORES.iter().enumerate() {
        let expected = if *score >= 0.5 { &[false; SEEDS] } else { &without[SEEDS * read..SEEDS * (read + 1)] };
        assert_eq!(&of_exact[SEEDS * read..SEEDS * (read + 1)], expected, "read {read}");
    }
    assert!(statistics.kept_by_network >= 3 && statistics.stand_ins >= 3, "{statistics:?}");
    for rounding in [-0.015, 0.015] {
        let rounded = Rounded::new(SCORES, rounding);
        exact.seeds.store(0, Ordering::Relaxed);
        let asked = network(&rounded, Some(&exact));
        assert_eq!(decided(&world, 0..10, asked).0, of_exact, "rounding by {rounding}");
        let judged = exact.seeds.load(Ordering::Relaxed) as u64;
        assert!((1..of_rules.stand_ins).contains(&judged), "the referee is asked about {judged} seeds");
        let apart: Vec<bool> = (0..10).flat_map(|read| decided(&world, read..read + 1, asked).0).collect();
        assert_eq!(apart, of_exact);
    }
    // Without a referee the band is kept.
    let (kept, _) = decided(&world, 0..10, network(&exact, None));
    for (read, score) in SCORES.iter().enumerate() {
        let expected = if *score >= 0.48 { &[false; SEEDS] } else { &without[SEEDS * read..SEEDS * (read + 1)] };
        assert_eq!(&kept[SEEDS * read..SEEDS * (read + 1)], expected, "read {read}");
    }
}

/// A student that finds seeds of an even ungapped score surely hopeless, and is in doubt about the others.
struct Unsure;

impl SeedScorer for Unsure {
    fn version(&self) -> u8 {
        2
    }

    fn score(&self, rows: &[u8], scores: &mut [f32]) -> NpuResult<()> {
        for (row, score) in rows.chunks(STUDENT_ROW).zip(scores) {
            *score = if row[260] % 2 == 0 { 0.1 } else { 0.4 };
        }
        Ok(())
    }
}

#[test]
fn the_network_is_asked_what_the_student_leaves_in_doubt() {
    let world = world();
    let viable = Rounded::new([0.9; 10], 0.0);
    let both = |scorer, drop| {
        Some(Asked { points: 1_000, student: Some((scorer, drop)), network: Some((&viable as _, None)) })
    };
    let (_, of_rules) = decided(&world, 0..10, None);
    let (_, statistics) = decided(&world, 0..10, both(&Unsure, 0.2));
    assert_eq!((statistics.asked_of_student, statistics.kept_by_student), (of_rules.stand_ins, 0));
    assert!((1..of_rules.stand_ins).contains(&statistics.asked_of_network), "{statistics:?}");
    assert_eq!(statistics.kept_by_network, statistics.asked_of_network);
    assert_eq!(statistics.stand_ins, of_rules.stand_ins - statistics.kept_by_network);
    let (_, statistics) = decided(&world, 0..10, both(&Unsure, 0.5));
    assert_eq!((statistics.asked_of_network, statistics.stand_ins), (0, of_rules.stand_ins), "it is sure of all");
    let (_, statistics) = decided(&world, 0..10, both(&Matches(0), 0.2));
    assert_eq!((statistics.asked_of_network, statistics.stand_ins), (0, 0), "it keeps all");
}
