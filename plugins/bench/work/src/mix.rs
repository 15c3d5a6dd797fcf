//! Integers in registers: a mixing function of the shape of SHA-256's compression (FIPS 180-4, 6.2.2), with constants of its own.

/// Mixes this many blocks of 64 bytes; gives what the state came to.
pub fn mix(blocks: u64) -> u64 {
    let mut state: [u32; 8] = [1, 2, 3, 5, 8, 13, 21, 34];
    for block in 0..blocks {
        compress(&mut state, block);
    }
    state
        .iter()
        .fold(0, |sum, word| (sum << 8) ^ u64::from(*word))
}

#[expect(
    clippy::many_single_char_names,
    reason = "the names of the standard it is shaped after"
)]
fn compress(state: &mut [u32; 8], block: u64) {
    let mut schedule = [0_u32; 64];
    let mut word = block;
    for slot in schedule.iter_mut().take(16) {
        word = word.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        *slot = (word >> 32) as u32;
    }
    for i in 16..64 {
        let (two, fifteen) = (schedule[i - 2], schedule[i - 15]);
        let low = fifteen.rotate_right(7) ^ fifteen.rotate_right(18) ^ (fifteen >> 3);
        let high = two.rotate_right(17) ^ two.rotate_right(19) ^ (two >> 10);
        schedule[i] = schedule[i - 16]
            .wrapping_add(low)
            .wrapping_add(schedule[i - 7])
            .wrapping_add(high);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for word in schedule {
        let high = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let first = h
            .wrapping_add(high)
            .wrapping_add((e & f) ^ (!e & g))
            .wrapping_add(0x9e37_79b9)
            .wrapping_add(word);
        let low = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let second = low.wrapping_add((a & b) ^ (a & c) ^ (b & c));
        (h, g, f, e) = (g, f, e, d.wrapping_add(first));
        (d, c, b, a) = (c, b, a, first.wrapping_add(second));
    }
    for (sum, word) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *sum = sum.wrapping_add(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_counts() {
        assert_ne!(mix(1), mix(2));
        assert_eq!(mix(3), mix(3));
    }
}
