//! The oracles over all seeds, and over each seed cut and changed a little: what a target does in its first second,
//! without libFuzzer.

use leasehold_fuzz::chain;
use leasehold_fuzz::seeds::{TARGETS, all};
use leasehold_seal::Digest;

#[test]
fn every_oracle_holds_for_its_seeds() {
    let seeds = all();
    for (target, oracle) in TARGETS {
        let own: Vec<&[u8]> = seeds
            .iter()
            .filter(|(of, _)| of == target)
            .map(|(_, bytes)| &bytes[..])
            .collect();
        assert!(!own.is_empty(), "{target} has no seed");
        for bytes in own {
            oracle(bytes);
            oracle(&bytes[..bytes.len() / 2]);
            let mut changed = bytes.to_vec();
            if let Some(byte) = changed.get_mut(bytes.len() / 3) {
                *byte ^= 1;
            }
            oracle(&changed);
        }
    }
}

#[test]
fn choices_make_children_that_are_accepted_and_children_that_are_not() {
    let (mut made, mut good) = (0, 0);
    for number in 0_u32..1_000 {
        let bytes: Vec<u8> = (0_u32..32)
            .flat_map(|part| {
                *Digest::of(&[number.to_le_bytes(), part.to_le_bytes()].concat()).as_bytes()
            })
            .collect();
        let (within, here) = chain::children(&bytes);
        made += within;
        good += here;
    }
    assert!(
        (50..1_500).contains(&made),
        "{made} children were within their parents"
    );
    assert!((10..made).contains(&good), "{good} children could be used");
}
