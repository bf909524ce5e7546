//! Operations on ASCII sequence; case is kept, because lower case marks repeats.

use crate::random::{MILLION, Random};

pub(crate) const BASES: [u8; 4] = *b"ACGT";

/// The complement of a base; anything but A, C, G and T stays as it is.
pub(crate) fn complement(base: u8) -> u8 {
    match base {
        b'A' => b'T',
        b'C' => b'G',
        b'G' => b'C',
        b'T' => b'A',
        b'a' => b't',
        b'c' => b'g',
        b'g' => b'c',
        b't' => b'a',
        other => other,
    }
}

pub(crate) fn reverse_complement(sequence: &[u8]) -> Vec<u8> {
    sequence.iter().rev().map(|&base| complement(base)).collect()
}

/// A random base; `gc` is the chance of G or C in parts per million.
pub(crate) fn random_base(random: &mut Random, gc: u64) -> u8 {
    let pair = if random.chance(gc) { b"GC" } else { b"AT" };
    pair[usize::from(random.coin())]
}

/// A base other than `base`, of the same case: a transition twice as often as a transversion, as in human variation.
pub(crate) fn substitute(random: &mut Random, base: u8) -> u8 {
    let upper = base.to_ascii_uppercase();
    let transition = match upper {
        b'A' => b'G',
        b'G' => b'A',
        b'C' => b'T',
        _ => b'C',
    };
    let other = if random.below(3) < 2 {
        transition
    } else {
        let purine = matches!(upper, b'A' | b'G');
        (if purine { b"CT" } else { b"AG" })[usize::from(random.coin())]
    };
    if base.is_ascii_lowercase() { other.to_ascii_lowercase() } else { other }
}

/// A copy of `sequence` that diverged: substitutions at `rate` (parts per million), and one short insertion or
/// deletion (1 to 4 bases) for every ten of them.
pub(crate) fn diverge(random: &mut Random, sequence: &[u8], rate: u64) -> Vec<u8> {
    let indel_rate = rate / 20;
    let mut copy = Vec::with_capacity(sequence.len() + sequence.len() / 16);
    let mut position = 0;
    while let Some(&base) = sequence.get(position) {
        position += 1;
        let draw = random.below(MILLION);
        if base.eq_ignore_ascii_case(&b'N') || draw >= rate + 2 * indel_rate {
            copy.push(base);
        } else if draw < rate {
            copy.push(substitute(random, base));
        } else if draw < rate + indel_rate {
            position += random.below(4) as usize;
        } else {
            copy.push(base);
            for _ in 0..random.between(1, 4) {
                let inserted = *random.pick(&BASES);
                copy.push(if base.is_ascii_lowercase() { inserted.to_ascii_lowercase() } else { inserted });
            }
        }
    }
    copy
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reverse_complement_is_its_own_inverse(sequence in proptest::collection::vec(proptest::sample::select(b"ACGTNacgtn".to_vec()), 0..50)) {
            prop_assert_eq!(reverse_complement(&reverse_complement(&sequence)), sequence);
        }

        #[test]
        fn a_substitution_changes_the_base_and_keeps_its_case(seed: u64, base in proptest::sample::select(b"ACGTacgt".to_vec())) {
            let other = substitute(&mut Random::new(seed, 0), base);
            prop_assert_ne!(other, base);
            prop_assert_eq!(other.is_ascii_lowercase(), base.is_ascii_lowercase());
            prop_assert!(BASES.contains(&other.to_ascii_uppercase()));
        }
    }

    #[test]
    fn reverse_complement_of_a_known_sequence() {
        assert_eq!(reverse_complement(b"AACgtN"), b"NacGTT");
    }

    #[test]
    fn divergence_is_what_was_asked() {
        let sequence = vec![b'A'; 100_000];
        let copy = diverge(&mut Random::new(5, 0), &sequence, 50_000);
        let changed = copy.iter().filter(|&&base| base != b'A').count();
        // 5 % substitutions, and three quarters of the inserted bases (0.25 % of positions, 2.5 bases each).
        assert!((5_000..6_000).contains(&changed), "{changed} changed bases of 100,000");
        assert_eq!(diverge(&mut Random::new(5, 0), &sequence, 0), sequence);
    }
}
