//! Which of bwa's rounds of seeding found an SMEM.
//!
//! 1. All super-maximal exact matches.
//! 2. Re-seeding: matches through the middle of a long and rare SMEM that occur more often than it (-r).
//! 3. The shortest matches, from left to right, that occur less often than a limit (-y).

use bwa_index::{FmIndex, Smem};
use bwa_mem4_core::MemOpt;

/// What bwa adds before it cuts -k times -r down to whole bases.
const ROUNDING: f32 = 0.499;

/// The round (1 to 3) of each of a read's SMEMs, which come in the order in which they were found: all of the first round,
/// all of the second, all of the third. The seeding stage does not say where one round ends; its results do:
///
/// - Every match lies within an SMEM, and no SMEM within another: the first match that lies within an earlier one, or is
///   one of those found again, starts the second round.
/// - The second round finds, for one SMEM after the other, all matches through its middle that cannot be made longer
///   without occurring too seldom. A match that is none of those, or was found for that SMEM before, starts the third.
pub(crate) fn rounds(fm: &FmIndex, options: &MemOpt, codes: &[u8], smems: &[Smem]) -> Vec<u8> {
    let within = |inner: &Smem, outer: &Smem| outer.m <= inner.m && inner.n <= outer.n;
    let first_round = (0..smems.len())
        .find(|&number| smems[..number].iter().any(|earlier| within(&smems[number], earlier)))
        .unwrap_or(smems.len());
    let split_length = (options.min_seed_len as f32 * options.split_factor + ROUNDING) as u32;
    let mut parents = smems[..first_round]
        .iter()
        .filter(|smem| smem.n + 1 - smem.m >= split_length && smem.s <= i64::from(options.split_width))
        .peekable();
    let mut found_before = first_round;
    let mut second_round_end = first_round;
    'matches: for (number, smem) in smems.iter().enumerate().skip(first_round) {
        while let Some(parent) = parents.peek() {
            let again = smems[found_before..number].iter().any(|earlier| (earlier.m, earlier.n) == (smem.m, smem.n));
            if !again && is_reseeded(fm, codes, smem, parent) {
                second_round_end = number + 1;
                continue 'matches;
            }
            parents.next();
            found_before = number;
        }
        break;
    }
    (0..smems.len()).map(|number| 1 + u8::from(number >= first_round) + u8::from(number >= second_round_end)).collect()
}

/// Whether re-seeding `parent` finds `smem`.
fn is_reseeded(fm: &FmIndex, codes: &[u8], smem: &Smem, parent: &Smem) -> bool {
    let middle = (parent.m + parent.n + 1) >> 1;
    let occurs_enough = |occurrences: i64| occurrences > parent.s;
    if !(smem.m..=smem.n).contains(&middle) || !occurs_enough(smem.s) {
        return false;
    }
    let base = |position: Option<u32>| {
        position.and_then(|position| codes.get(position as usize)).filter(|&&code| code < 4).map(|&code| code as usize)
    };
    let longer_left = base(smem.m.checked_sub(1)).map(|code| fm.backward_ext(*smem, code).s);
    // An extension to the right is one to the left on the other strand.
    let turned = Smem { k: smem.l, l: smem.k, ..*smem };
    let longer_right = base(smem.n.checked_add(1)).map(|code| fm.backward_ext(turned, 3 - code).s);
    ![longer_left, longer_right].into_iter().flatten().any(occurs_enough)
}
