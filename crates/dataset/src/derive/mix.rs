/// Spreads numbers evenly over `u64`: the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::mix;

    #[test]
    fn the_first_numbers_of_splitmix64_from_zero() {
        // The generator's n-th output from seed 0 is the finaliser of n times its increment.
        let outputs: Vec<u64> = (0..3u64).map(|n| mix(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        assert_eq!(outputs, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]);
    }
}
