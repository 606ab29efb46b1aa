//! What the fuzzer checks, on inputs by chance.
#![cfg(not(loom))]

#[path = "../../fuzz/checks/chance.rs"]
mod chance;
#[path = "../../fuzz/checks/resample.rs"]
mod resample;
#[path = "../../fuzz/checks/ring.rs"]
mod ring;

use chance::Chance;

/// Miri needs a second for what takes milliseconds.
const SHARE: usize = if cfg!(miri) { 25 } else { 1 };

#[test]
fn a_ring_is_a_queue() {
    let mut chance = Chance(1);
    for _ in 0..500 / SHARE {
        let count = chance.below(200);
        let steps: Vec<_> = (0..count)
            .map(|_| (chance.below(2) == 0, chance.below(64) as u8))
            .collect();
        ring::check(&steps);
    }
}

#[test]
#[cfg_attr(miri, ignore = "nothing is unsafe in it, and it takes long")]
fn blocks_make_no_difference_to_any_rates() {
    let mut chance = Chance(2);
    for _ in 0..150 {
        let count = chance.below(2000);
        let samples: Vec<i16> = (0..count).map(|_| chance.next() as i16).collect();
        let (source, target) = (chance.next() as u16, chance.next() as u16);
        resample::check(source, target, &samples, chance.next() as u8);
    }
}
