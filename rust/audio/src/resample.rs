//! From one rate to another: a windowed sinc in polyphase, which holds back two milliseconds and no more.
//!
//! `mybro/native/resample.py` has the same design: coefficients are the same to the last place of an `f32`, samples
//! to one level of sixteen bits.

use std::f64::consts::PI;

/// Zero crossings of the sinc on each side, at the lower of the two rates.
const CROSSINGS: f64 = 32.0;
/// Where the pass band ends, of half the lower rate: the middle of the slope.
const CUTOFF: f64 = 0.91;
/// Kaiser's: some 90 dB between what passes and what does not.
const BETA: f64 = 8.96;
/// Rates with so little in common that there would be more coefficients are refused.
pub const MOST_COEFFICIENTS: usize = 1 << 21;
const LANES: usize = 8;

/// Converts one stream.
pub struct Resampler {
    /// Output samples for each `down` input samples, with nothing in common.
    up: usize,
    down: usize,
    /// Input samples on each side of an output sample.
    half: usize,
    /// `up` phases of `2 * half` coefficients.
    bank: Vec<f32>,
    held: Vec<f32>,
    /// The next output sample lies this many `up`ths of an input sample after the first held one's place.
    at: usize,
    taken: usize,
    given: usize,
}

impl Resampler {
    /// Rates are in hertz; None where they are zero or have too little in common.
    pub fn new(source: usize, target: usize) -> Option<Self> {
        if source == 0 || target == 0 {
            return None;
        }
        let common = gcd(source, target);
        let (up, down) = (target / common, source / common);
        let wider = (down as f64 / up as f64).max(1.0);
        let half = (CROSSINGS * wider).ceil() as usize;
        if up.checked_mul(2 * half)? > MOST_COEFFICIENTS {
            return None;
        }
        Some(Self {
            up,
            down,
            half,
            bank: bank(up, half, wider),
            held: vec![0.0; half - 1],
            at: 0,
            taken: 0,
            given: 0,
        })
    }

    /// Take more samples, and give what they suffice for.
    pub fn push(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        self.taken += samples.len();
        self.held.extend(samples.iter().map(|one| f32::from(*one)));
        self.convert(usize::MAX, out);
    }

    /// Give the rest, as if silence followed; begin anew.
    pub fn finish(&mut self, out: &mut Vec<i16>) {
        let whole = (self.taken * self.up).div_ceil(self.down);
        self.held.resize(self.held.len() + 2 * self.half, 0.0);
        self.convert(whole - self.given, out);
        self.held = vec![0.0; self.half - 1];
        (self.at, self.taken, self.given) = (0, 0, 0);
    }

    fn convert(&mut self, most: usize, out: &mut Vec<i16>) {
        let taps = 2 * self.half;
        let mut left = most;
        while left > 0 {
            let (first, phase) = (self.at / self.up, self.at % self.up);
            let Some(window) = self.held.get(first..first + taps) else {
                break;
            };
            let coefficients = &self.bank[phase * taps..][..taps];
            // What is too loud stays at full scale.
            out.push(product(window, coefficients).round_ties_even() as i16);
            self.at += self.down;
            self.given += 1;
            left -= 1;
        }
        let done = (self.at / self.up).min(self.held.len());
        self.held.drain(..done);
        self.at -= done * self.up;
    }
}

/// In lanes that the compiler makes vectors of.
fn product(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (left, right) = (left.chunks_exact(LANES), right.chunks_exact(LANES));
    let rest: f32 = left
        .remainder()
        .iter()
        .zip(right.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in left.zip(right) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// The coefficients of each phase; those of a phase add up to 1.
fn bank(up: usize, half: usize, wider: f64) -> Vec<f32> {
    let width = CROSSINGS * wider;
    let mut bank = Vec::with_capacity(up * 2 * half);
    for phase in 0..up {
        let away = |tap: usize| tap as f64 - (half as f64 - 1.0) - phase as f64 / up as f64;
        let row: Vec<f64> = (0..2 * half)
            .map(|tap| sinc(CUTOFF / wider * away(tap)) * kaiser(away(tap) / width))
            .collect();
        let sum: f64 = row.iter().sum();
        bank.extend(row.iter().map(|one| (one / sum) as f32));
    }
    bank
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        1.0
    } else {
        (PI * x).sin() / (PI * x)
    }
}

fn kaiser(x: f64) -> f64 {
    if x.abs() >= 1.0 {
        0.0
    } else {
        bessel(BETA * (1.0 - x * x).sqrt()) / bessel(BETA)
    }
}

/// The modified Bessel function of order zero, by its series.
fn bessel(x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..64 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 {
        a
    } else {
        gcd(b, a % b)
    }
}

// Not for Miri: nothing here is unsafe, and it would take an hour.
#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    fn converted(source: usize, target: usize, samples: &[i16], block: usize) -> Vec<i16> {
        let mut resampler = Resampler::new(source, target).unwrap();
        let mut out = Vec::new();
        for part in samples.chunks(block) {
            resampler.push(part, &mut out);
        }
        resampler.finish(&mut out);
        out
    }

    fn tone(hertz: f64, rate: usize, count: usize) -> Vec<i16> {
        (0..count)
            .map(|n| ((2.0 * PI * hertz * n as f64 / rate as f64).sin() * 20000.0) as i16)
            .collect()
    }

    #[test]
    fn blocks_make_no_difference() {
        let samples = tone(440.0, 44100, 4410);
        let whole = converted(44100, 16000, &samples, 4410);
        assert_eq!(whole.len(), 1600);
        for block in [1, 7, 441, 882] {
            assert_eq!(converted(44100, 16000, &samples, block), whole);
        }
    }

    #[test]
    fn what_passes_stays_and_what_does_not_goes() {
        for (source, target) in [
            (48000, 16000),
            (44100, 16000),
            (22050, 48000),
            (16000, 16000),
        ] {
            let found = converted(source, target, &tone(1000.0, source, source / 2), 512);
            let wanted = tone(1000.0, target, target / 2);
            let inside = 200..found.len() - 200;
            let far = inside.clone().map(|n| (found[n] - wanted[n]).abs()).max();
            assert!(far.unwrap() <= 6, "{source} -> {target}: {far:?}");
        }
        let found = converted(48000, 16000, &tone(9000.0, 48000, 24000), 512);
        assert!(found[200..7800].iter().all(|one| one.abs() <= 2));
    }

    #[test]
    fn two_milliseconds_are_held_back() {
        let mut resampler = Resampler::new(48000, 16000).unwrap();
        let mut out = Vec::new();
        resampler.push(&tone(100.0, 48000, 9600), &mut out);
        assert_eq!(out.len(), 3200 - 32);
    }

    #[test]
    fn a_finished_stream_begins_anew() {
        let mut resampler = Resampler::new(24000, 16000).unwrap();
        let samples = tone(700.0, 24000, 500);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for out in [&mut first, &mut second] {
            resampler.push(&samples, out);
            resampler.finish(out);
        }
        assert_eq!(first, second);
        assert_eq!(first.len(), 334);
        let mut nothing = Vec::new();
        resampler.finish(&mut nothing);
        assert!(nothing.is_empty());
    }

    #[test]
    fn rates_that_cannot_be_are_refused() {
        assert!(Resampler::new(0, 16000).is_none());
        assert!(Resampler::new(16000, 0).is_none());
        assert!(Resampler::new(191_999, 192_000).is_none());
        let loud = converted(48000, 44100, &[i16::MAX; 4800], 480);
        assert!(loud[100..4000].iter().all(|one| *one >= i16::MAX - 1));
    }
}
