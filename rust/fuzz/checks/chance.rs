//! Inputs by chance, the same at every run, for checks without a fuzzer.

/// Xorshift, by a seed that is not 0.
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, most: usize) -> usize {
        (self.next() >> 11) as usize % most
    }
}
