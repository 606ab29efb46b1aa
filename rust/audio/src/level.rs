//! How loud samples are, and making them louder or softer.

/// What a block's samples add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// Sum of the squares.
    pub squares: u64,
    /// The largest magnitude; 32768 for the lowest sample.
    pub peak: u16,
}

pub fn level(samples: &[i16]) -> Level {
    // Chunks whose sums fit 64 bits by far; the compiler makes vectors of them.
    let mut squares = 0_u64;
    let mut peak = 0_u16;
    for sample in samples {
        let value = i32::from(*sample);
        squares += (value * value) as u64;
        peak = peak.max(sample.unsigned_abs());
    }
    Level { squares, peak }
}

/// Multiply in place; what would overflow stays at full scale.
pub fn gain(samples: &mut [i16], factor: f32) {
    for sample in samples {
        // Rounds half to even, as NumPy does; NaN becomes 0.
        *sample = (f32::from(*sample) * factor).round_ties_even() as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels() {
        assert_eq!(level(&[]), Level::default());
        assert_eq!(
            level(&[3, -4]),
            Level {
                squares: 25,
                peak: 4
            }
        );
        let bits = if cfg!(miri) { 10 } else { 20 };
        let loudest = vec![i16::MIN; 1 << bits];
        assert_eq!(
            level(&loudest),
            Level {
                squares: 1 << (30 + bits),
                peak: 32768
            }
        );
    }

    #[test]
    fn gains() {
        let mut samples = [1, -1, 3, 32767, -32768];
        gain(&mut samples, 0.5);
        assert_eq!(samples, [0, 0, 2, 16384, -16384]);
        gain(&mut samples, 4.0);
        assert_eq!(samples, [0, 0, 8, 32767, -32768]);
        gain(&mut samples, f32::NAN);
        assert_eq!(samples, [0; 5]);
    }
}
