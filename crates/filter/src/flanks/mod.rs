//! Ungapped extensions of sixteen flanks at once: both sides of eight seeds.
//!
//! What a seed's flank can score is decided within its first few bases where the seed is a chance one: at bwa's scores a
//! flank without anything in common ends after five to ten mismatches. So the first 32 bases of sixteen flanks are looked at
//! together, one mismatch of each at a time; flanks that are still open behind them go through [`crate::extend`].
//! Every form gives the same integers.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

use crate::diagonal::Scoring;

/// Flanks that are looked at together.
pub(crate) const FLANKS: usize = 16;
/// Bases of each that are.
pub(crate) const REACH: u32 = 32;

/// The instructions that flanks are extended with. All give the same results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VectorForm {
    /// Any processor.
    Scalar,
    /// x86-64 with AVX2: eight flanks an instruction.
    Avx2,
    /// x86-64 with AVX-512 F and CD: sixteen.
    Avx512,
    /// 64-bit Arm: four.
    Neon,
}

impl VectorForm {
    /// The forms that this processor can run, the fastest last.
    pub fn available() -> Vec<Self> {
        let mut forms = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                forms.push(Self::Avx2);
            }
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512cd") {
                forms.push(Self::Avx512);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            forms.push(Self::Neon);
        }
        forms
    }

    /// The fastest form that this processor can run.
    pub fn fastest() -> Self {
        Self::available().pop().expect("the scalar form runs anywhere")
    }

    /// The form's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "AVX2",
            Self::Avx512 => "AVX-512",
            Self::Neon => "NEON",
        }
    }
}

/// How flanks are scored: matches and mismatches by [`Scoring`], and no further than a drop under the best.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) matched: i32,
    pub(crate) mismatched: i32,
    pub(crate) drop: i32,
}

impl Rules {
    pub(crate) fn new(scoring: &Scoring, drop: i32) -> Self {
        Self { matched: scoring.matched, mismatched: scoring.mismatched, drop }
    }
}

/// Sixteen flanks, and what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Flanks {
    /// Mismatches of each flank's first [`REACH`] bases: bit 0 is the base beside the seed. Set beyond the flank's end.
    pub(crate) mismatches: [u32; FLANKS],
    /// Best score of a stretch that begins at the seed.
    pub(crate) best: [i32; FLANKS],
    /// Bases of that stretch.
    pub(crate) length: [u32; FLANKS],
    /// Bit i: flank i had not ended when its bases were used up. If it has more of them, its result is not final.
    pub(crate) open: u16,
}

impl Flanks {
    /// Extends the flanks whose mismatches are given.
    pub(crate) fn extend(&mut self, form: VectorForm, rules: Rules) {
        match form {
            VectorForm::Scalar => self.extend_scalar(rules),
            // SAFETY: `VectorForm::available` names only what the processor has.
            #[cfg(target_arch = "x86_64")]
            VectorForm::Avx2 => unsafe { avx2::extend(self, rules) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            VectorForm::Avx512 => unsafe { avx512::extend(self, rules) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            VectorForm::Neon => unsafe { neon::extend(self, rules) },
            // Forms of other processors, which none has.
            _ => self.extend_scalar(rules),
        }
    }

    fn extend_scalar(&mut self, rules: Rules) {
        self.open = 0;
        for flank in 0..FLANKS {
            let mut left = self.mismatches[flank];
            let (mut sum, mut best, mut length, mut position) = (0, 0, 0, 0);
            loop {
                let mismatch = left.trailing_zeros();
                sum += (mismatch - position) as i32 * rules.matched;
                if sum > best {
                    (best, length) = (sum, mismatch);
                }
                if mismatch == REACH {
                    self.open |= 1 << flank;
                    break;
                }
                sum -= rules.mismatched;
                if sum < best - rules.drop {
                    break;
                }
                position = mismatch + 1;
                left &= left - 1;
            }
            (self.best[flank], self.length[flank]) = (best, length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_form_gives_the_same_integers(
            random: [u32; FLANKS],
            denser: [u32; FLANKS],
            kinds: [u8; FLANKS],
            rules in (1i32..4, 1i32..9, 0i32..70),
        ) {
            let mut mismatches = random;
            for ((mismatches, denser), kind) in mismatches.iter_mut().zip(denser).zip(kinds) {
                match kind % 5 {
                    0 => {}
                    1 => *mismatches |= denser,
                    2 => *mismatches &= denser,
                    3 => *mismatches &= denser & denser.rotate_left(7) & denser.rotate_left(13),
                    _ => *mismatches = if denser & 1 == 0 { 0 } else { u32::MAX << (denser >> 27) },
                }
            }
            let rules = Rules { matched: rules.0, mismatched: rules.1, drop: rules.2 };
            let extended = |form| {
                let mut flanks = Flanks { mismatches, ..Flanks::default() };
                flanks.extend(form, rules);
                flanks
            };
            let expected = extended(VectorForm::Scalar);
            for form in VectorForm::available() {
                prop_assert_eq!(&extended(form), &expected, "{}", form.name());
            }
        }
    }
}
