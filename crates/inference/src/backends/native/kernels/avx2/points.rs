//! A convolution with fewer products: four neighbouring outputs at once, from values at points.
//!
//! Four outputs and their taps are parts of a product of polynomials, which is known when its values at as many points as it
//! has coefficients are (Toom 1963, Cook 1966; for filters Winograd, "Arithmetic Complexity of Computations", 1980). Input
//! and weights are taken to the points by small whole factors, a product is taken at each point for each channel and summed
//! up over channels, and four sums go back to the four outputs. With the points 0, 1, -1, ..., `PAIRS`, -`PAIRS` and infinity
//! that is 8 products for 20 of five taps, 6 for 12 of three.
//!
//! All of it is exact. Weights at a point are fractions, so they are taken [`SCALE`](Points::SCALE) times. Values and weights at
//! points fit 16 bits for any input and any weights, which is asserted below. Sums are taken modulo 2^32, in which the odd part of
//! the scale has an inverse; what is left after its multiplication, the output times 2^[`SHIFT`](Points::SHIFT), fits 32 bits.

use crate::backends::native::network::LARGEST;

/// Outputs that are computed together.
pub const TILE: usize = 4;
/// Most pairs of points, and coefficients of a polynomial in x^2 of as many roots.
const MAX_PAIRS: usize = 3;
const COEFFICIENTS: usize = MAX_PAIRS + 1;

/// The points of a convolution with 2 `PAIRS` - 1 taps. Their order: 0, 1, -1, 2, -2, ..., infinity.
pub struct Points<const PAIRS: usize>;

impl<const PAIRS: usize> Points<PAIRS> {
    /// Taps of the convolution.
    pub const TAPS: usize = 2 * PAIRS - 1;
    /// Points, and positions of the input that a tile looks at.
    pub const COUNT: usize = TILE + Self::TAPS - 1;
    /// Coefficients of 1, x^2, x^4, ... of the polynomial whose roots are all points but 0.
    pub const ALL: [i16; COEFFICIENTS] = polynomial(PAIRS, 0);
    /// For each pair of points, 1 first, that polynomial without it.
    pub const WITHOUT: [[i16; COEFFICIENTS]; MAX_PAIRS] =
        [polynomial(PAIRS, 1), polynomial(PAIRS, 2), polynomial(PAIRS, 3)];
    /// How many times as large weights are taken.
    pub const SCALE: i32 = scale(PAIRS);
    /// Twos in the scale.
    pub const SHIFT: i32 = Self::SCALE.trailing_zeros() as i32;
    /// Inverse of the scale's odd part modulo 2^32.
    pub const INVERSE: i32 = inverse(Self::SCALE >> Self::SHIFT);
    /// The part of the scale that weights at infinity leave to the sum, as they would not fit 16 bits with all of it.
    pub const LAST_FACTOR: i32 = if Self::SCALE > 255 { 3 } else { 1 };

    /// The weight at a point from those of the taps.
    pub fn weight(point: usize, taps: impl Iterator<Item = i8>) -> i16 {
        let factors = Self::weight_factors(point);
        taps.zip(factors).map(|(weight, factor)| i32::from(weight) * factor).sum::<i32>() as i16
    }

    /// What the weights of the taps count at a point.
    const fn weight_factors(point: usize) -> [i32; 2 * MAX_PAIRS - 1] {
        let mut factors = [0; 2 * MAX_PAIRS - 1];
        if point == 0 {
            factors[0] = Self::SCALE / Self::ALL[0] as i32;
        } else if point == Self::COUNT - 1 {
            factors[Self::TAPS - 1] = Self::SCALE / Self::LAST_FACTOR;
        } else {
            let magnitude = point.div_ceil(2) as i32;
            let value = if point % 2 == 1 { magnitude } else { -magnitude };
            let mut factor = Self::SCALE / denominator(PAIRS, magnitude);
            let mut tap = 0;
            while tap < Self::TAPS {
                factors[tap] = factor;
                factor *= value;
                tap += 1;
            }
        }
        factors
    }

    /// Asserted when compiled: no input and no weights leave 16 bits at any point, no sum of `channels` channels 32 bits.
    pub const fn assert_exact(channels: usize) {
        let largest_word = i16::MAX as i32;
        assert!((Self::TAPS * channels * 255 * 128) << Self::SHIFT <= i32::MAX as usize);
        assert!(LARGEST == 255.0 && Self::SCALE % Self::LAST_FACTOR == 0);
        let mut point = 0;
        while point < Self::COUNT {
            let (factors, mut sum, mut tap) = (Self::weight_factors(point), 0, 0);
            while tap < factors.len() {
                sum += factors[tap].abs();
                tap += 1;
            }
            assert!(sum * 128 <= largest_word);
            // At infinity the factors of 0, one position further.
            let magnitude = if point == Self::COUNT - 1 { 0 } else { point.div_ceil(2) };
            let polynomial = polynomial(PAIRS, magnitude);
            let times = if magnitude == 0 { 1 } else { 1 + magnitude as i32 };
            let (mut sum, mut coefficient) = (0, 0);
            while coefficient < COEFFICIENTS {
                sum += polynomial[coefficient].abs() as i32;
                coefficient += 1;
            }
            assert!(sum * times * 255 <= largest_word);
            point += 1;
        }
    }
}

/// Product of x^2 - a^2 over a = 1 to `pairs`, one of which may be left out: coefficients of 1, x^2, ...
const fn polynomial(pairs: usize, without: usize) -> [i16; COEFFICIENTS] {
    let mut product = [0; COEFFICIENTS];
    product[0] = 1;
    let mut pair = 1;
    while pair <= pairs {
        if pair != without {
            let square = (pair * pair) as i16;
            let mut power = COEFFICIENTS - 1;
            while power > 0 {
                product[power] = product[power - 1] - square * product[power];
                power -= 1;
            }
            product[0] *= -square;
        }
        pair += 1;
    }
    product
}

/// Product of a point's distances to all other points but infinity; the same for a point and its negative.
const fn denominator(pairs: usize, point: i32) -> i32 {
    let mut product = 2 * point * point;
    let mut pair = 1;
    while pair <= pairs as i32 {
        if pair != point {
            product *= point * point - pair * pair;
        }
        pair += 1;
    }
    product
}

/// Least common multiple of the denominators of all points.
const fn scale(pairs: usize) -> i32 {
    let mut scale = (polynomial(pairs, 0)[0] as i32).abs();
    let mut point = 1;
    while point <= pairs as i32 {
        let denominator = denominator(pairs, point).abs();
        let (mut divisor, mut rest) = (scale, denominator);
        while rest > 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        scale *= denominator / divisor;
        point += 1;
    }
    scale
}

/// Inverse of an odd number modulo 2^32: each of Newton's steps doubles the bits that are right, five to begin with.
const fn inverse(odd: i32) -> i32 {
    let mut inverse = odd.wrapping_mul(3) ^ 2;
    let mut step = 0;
    while step < 3 {
        inverse = inverse.wrapping_mul(2i32.wrapping_sub(odd.wrapping_mul(inverse)));
        step += 1;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four outputs by values at points, in the numbers of the vector code, whose twin this is. `input`: channels of
    /// `COUNT` positions; `weights`: channels of `TAPS` taps.
    fn tile<const PAIRS: usize>(input: &[Vec<u8>], weights: &[Vec<i8>]) -> [i32; TILE] {
        let mut sums = vec![0i32; Points::<PAIRS>::COUNT];
        for (input, weights) in input.iter().zip(weights) {
            for (point, sum) in sums.iter_mut().enumerate() {
                let weight = Points::<PAIRS>::weight(point, weights.iter().copied());
                *sum = sum.wrapping_add(i32::from(value::<PAIRS>(point, input)) * i32::from(weight));
            }
        }
        let mut outputs = [sums[0], 0, 0, sums[Points::<PAIRS>::COUNT - 1].wrapping_mul(Points::<PAIRS>::LAST_FACTOR)];
        for pair in 0..PAIRS {
            let (positive, negative, point) = (sums[2 * pair + 1], sums[2 * pair + 2], pair as i32 + 1);
            for (power, output) in outputs.iter_mut().enumerate() {
                let sum =
                    if power % 2 == 0 { positive.wrapping_add(negative) } else { positive.wrapping_sub(negative) };
                *output = output.wrapping_add(sum.wrapping_mul(point.pow(power as u32)));
            }
        }
        outputs.map(|output| output.wrapping_mul(Points::<PAIRS>::INVERSE) >> Points::<PAIRS>::SHIFT)
    }

    /// What each position counts in the value at a point.
    fn value_factors<const PAIRS: usize>(point: usize) -> Vec<i32> {
        let mut factors = vec![0; Points::<PAIRS>::COUNT];
        if point == 0 || point == factors.len() - 1 {
            for (power, &coefficient) in Points::<PAIRS>::ALL[..=PAIRS].iter().enumerate() {
                factors[2 * power + point.min(1)] = coefficient.into();
            }
            return factors;
        }
        let magnitude = point.div_ceil(2);
        let at = if point % 2 == 1 { magnitude as i32 } else { -(magnitude as i32) };
        for (power, &coefficient) in Points::<PAIRS>::WITHOUT[magnitude - 1][..PAIRS].iter().enumerate() {
            factors[2 * power + 1] = at * i32::from(coefficient);
            factors[2 * power + 2] = coefficient.into();
        }
        factors
    }

    fn value<const PAIRS: usize>(point: usize, input: &[u8]) -> i16 {
        let products =
            value_factors::<PAIRS>(point).into_iter().zip(input).map(|(factor, &input)| factor * i32::from(input));
        i16::try_from(products.sum::<i32>()).expect("16 bits")
    }

    fn direct(input: &[Vec<u8>], weights: &[Vec<i8>]) -> [i32; TILE] {
        std::array::from_fn(|position| {
            let channels = input.iter().zip(weights).flat_map(|(input, weights)| input[position..].iter().zip(weights));
            channels.map(|(&input, &weight)| i32::from(input) * i32::from(weight)).sum()
        })
    }

    fn check<const PAIRS: usize>(channels: usize) {
        let (count, taps) = (Points::<PAIRS>::COUNT, Points::<PAIRS>::TAPS);
        let largest = |factor: &i32| if *factor > 0 { 255 } else { 0 };
        let smallest = |factor: &i32| if *factor < 0 { 255 } else { 0 };
        let weight_signs = |point: usize, sign: i32| -> Vec<i8> {
            let factors = &Points::<PAIRS>::weight_factors(point)[..taps];
            factors.iter().map(|factor| if sign * factor > 0 { 127 } else { -128 }).collect()
        };
        for point in 0..count {
            let factors = value_factors::<PAIRS>(point);
            for input in [factors.iter().map(largest).collect(), factors.iter().map(smallest).collect::<Vec<u8>>()] {
                for sign in [1, -1] {
                    let (input, weights) = (vec![input.clone(); channels], vec![weight_signs(point, sign); channels]);
                    assert_eq!(tile::<PAIRS>(&input, &weights), direct(&input, &weights), "point {point}, {sign}");
                }
            }
        }
        let mut state = 1u64;
        let mut byte = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        for _ in 0..200 {
            let input: Vec<Vec<u8>> = (0..channels).map(|_| (0..count).map(|_| byte()).collect()).collect();
            let weights: Vec<Vec<i8>> = (0..channels).map(|_| (0..taps).map(|_| byte() as i8).collect()).collect();
            assert_eq!(tile::<PAIRS>(&input, &weights), direct(&input, &weights));
        }
    }

    #[test]
    fn tiles_are_exact_for_the_largest_and_for_any_values() {
        check::<3>(32);
        check::<2>(64);
    }

    #[test]
    fn scales_are_the_least_that_make_weights_whole() {
        assert_eq!([Points::<2>::SCALE, Points::<3>::SCALE], [24, 720]);
        assert_eq!([Points::<2>::INVERSE.wrapping_mul(3), Points::<3>::INVERSE.wrapping_mul(45)], [1, 1]);
    }
}
