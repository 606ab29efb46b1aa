//! Any sequence of pushes and pops: the ring does what a queue does.

use std::collections::VecDeque;

use mybro_audio::ring::Ring;

pub fn check(steps: &[(bool, u8)]) {
    let ring = Ring::new(31);
    let mut queue = VecDeque::new();
    let mut next = 0_i16;
    for &(push, count) in steps {
        if push {
            let samples: Vec<i16> = (0..i16::from(count))
                .map(|n| next.wrapping_add(n))
                .collect();
            let sent = ring.push(&samples);
            assert_eq!(sent, samples.len().min(31 - queue.len()));
            queue.extend(&samples[..sent]);
            next = next.wrapping_add(i16::from(count));
        } else {
            let mut out = vec![0; usize::from(count)];
            let got = ring.pop(&mut out);
            assert_eq!(out[..got].to_vec(), queue.drain(..got).collect::<Vec<_>>());
        }
        assert_eq!(ring.len(), queue.len());
    }
}
