/// A million: rates are counted in parts of it.
pub(crate) const MILLION: u64 = 1_000_000;

/// A seeded generator with the same numbers on every platform: xoshiro256++ (Blackman and Vigna, 2021), its state
/// filled by SplitMix64 (Steele, Lea and Flood, 2014). Not for cryptography.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// A generator for `seed`; `stream` tells apart the independent sequences of one seed.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut counter = split_mix(seed) ^ split_mix(!stream);
        let state = std::array::from_fn(|_| {
            counter = counter.wrapping_add(GOLDEN);
            split_mix(counter)
        });
        Self { state }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A number from 0 to `bound - 1`, or 0 for a bound of 0. The bias is under `bound` / 2^64.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from `low` to `high`, both included; `low` where `high` is smaller.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below((high + 1).saturating_sub(low))
    }

    /// True `rate` times in a million.
    pub fn chance(&mut self, rate: u64) -> bool {
        self.below(MILLION) < rate
    }

    /// True half of the time.
    pub fn coin(&mut self) -> bool {
        self.bits() >> 63 == 1
    }

    /// A nearly normal number: the sum of twelve uniform ones, within six standard deviations. Integers only, because
    /// the logarithms of the usual methods differ between platforms.
    pub fn normal(&mut self, mean: u64, deviation: u64) -> i64 {
        let sum: i128 = (0..12).map(|_| i128::from(self.bits() >> 32)).sum();
        let centred = sum - 6 * ((1 << 32) - 1);
        mean as i64 + ((centred * i128::from(deviation)) >> 32) as i64
    }

    /// One of `items`.
    ///
    /// # Panics
    /// If there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn split_mix(counter: u64) -> u64 {
    let z = (counter ^ (counter >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference implementation's first outputs from the state 1, 2, 3, 4.
    #[test]
    fn numbers_are_those_of_xoshiro256_plus_plus() {
        let mut random = Random { state: [1, 2, 3, 4] };
        let numbers: [u64; 4] = std::array::from_fn(|_| random.bits());
        assert_eq!(numbers, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn streams_of_one_seed_differ() {
        assert_ne!(Random::new(7, 0).bits(), Random::new(7, 1).bits());
        assert_ne!(Random::new(7, 0).bits(), Random::new(8, 0).bits());
    }

    #[test]
    fn normal_has_its_mean_and_deviation() {
        let mut random = Random::new(1, 2);
        let numbers: Vec<f64> = (0..20_000).map(|_| random.normal(450, 100) as f64).collect();
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / numbers.len() as f64;
        assert!((mean - 450.0).abs() < 3.0, "mean {mean}");
        assert!((variance.sqrt() - 100.0).abs() < 3.0, "deviation {}", variance.sqrt());
    }

    #[test]
    fn between_reaches_both_ends() {
        let mut random = Random::new(3, 0);
        let seen: std::collections::BTreeSet<u64> = (0..200).map(|_| random.between(5, 8)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [5, 6, 7, 8]);
        assert_eq!(random.between(5, 2), 5);
    }
}
