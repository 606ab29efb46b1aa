//! The example: twin primes below a limit, and the sum of their reciprocals (which tends to Brun's constant).

use serde::{Deserialize, Serialize};

use crate::Computation;

/// Twin primes (p, p + 2) with p below `limit`, in chunks of `span` numbers.
pub struct TwinPrimes {
    pub limit: u64,
    pub span: u64,
}

/// Pairs found so far, and their sum with the error that rounding left (Neumaier's).
#[derive(Serialize, Deserialize, Clone, Default, Debug, PartialEq)]
pub struct Found {
    pub pairs: u64,
    pub sum: f64,
    pub rest: f64,
}

impl Found {
    /// The sum of 1/p + 1/(p + 2) over the pairs.
    #[must_use]
    pub fn reciprocals(&self) -> f64 {
        self.sum + self.rest
    }
}

impl Computation for TwinPrimes {
    type State = Found;
    /// The pairs' first members.
    type Part = Vec<u64>;

    fn parameters(&self) -> String {
        format!("twin primes below {}, {} at a time", self.limit, self.span)
    }

    fn chunks(&self) -> u64 {
        self.limit.div_ceil(self.span)
    }

    fn compute(&self, chunk: u64) -> Vec<u64> {
        let start = chunk * self.span;
        let end = self.limit.min(start + self.span);
        let prime = sieve(start, end + 2);
        (start..end)
            .filter(|&n| at(&prime, n - start) && at(&prime, n + 2 - start))
            .collect()
    }

    fn fold(&self, state: &mut Found, _chunk: u64, part: Vec<u64>) {
        for p in part {
            state.pairs += 1;
            let term = 1.0 / p as f64 + 1.0 / (p + 2) as f64;
            let sum = state.sum + term;
            state.rest += if state.sum >= term {
                (state.sum - sum) + term
            } else {
                (term - sum) + state.sum
            };
            state.sum = sum;
        }
    }
}

fn at(prime: &[bool], index: u64) -> bool {
    usize::try_from(index).is_ok_and(|index| prime[index])
}

/// For each number of [start, end) whether it is prime.
fn sieve(start: u64, end: u64) -> Vec<bool> {
    let length = usize::try_from(end - start).expect("a chunk that fits into memory");
    let mut prime = vec![true; length];
    for small in 0..end.min(2) {
        if small >= start {
            prime[usize::try_from(small - start).expect("a small number")] = false;
        }
    }
    let root = end.isqrt();
    for p in small_primes(root) {
        let first = (start.div_ceil(p).max(p)) * p;
        let mut n = first;
        while n < end {
            prime[usize::try_from(n - start).expect("inside the chunk")] = false;
            n += p;
        }
    }
    prime
}

fn small_primes(limit: u64) -> Vec<u64> {
    (2..=limit)
        .filter(|&n| (2..=n.isqrt()).all(|d| n % d != 0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(limit: u64, span: u64) -> Found {
        let computation = TwinPrimes { limit, span };
        let mut found = Found::default();
        for chunk in 0..computation.chunks() {
            let part = computation.compute(chunk);
            computation.fold(&mut found, chunk, part);
        }
        found
    }

    #[test]
    fn counts_that_are_known() {
        // OEIS A007508: pairs below powers of ten.
        assert_eq!(all(10, 3).pairs, 2);
        assert_eq!(all(100, 7).pairs, 8);
        assert_eq!(all(1_000, 100).pairs, 35);
        assert_eq!(all(1_000_000, 65_536).pairs, 8_169);
        assert_eq!(all(0, 10), Found::default());
    }

    #[test]
    fn how_it_is_cut_changes_nothing() {
        assert_eq!(all(100_000, 1_000), all(100_000, 77_777));
    }

    #[test]
    fn the_sum_is_near_what_is_known() {
        assert!((all(1_000_000, 65_536).reciprocals() - 1.710_776).abs() < 1e-6);
    }
}
