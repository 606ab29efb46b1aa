//! A long computation, cut into chunks that run on all cores and are folded in their order.
//!
//! The fold's order is what makes a result independent of the number of threads and of where a run was
//! interrupted: floating-point sums come out the same to the last bit.

pub mod checkpoint;
pub mod engine;
pub mod twin_primes;

use serde::{de::DeserializeOwned, Serialize};

/// What there is to compute. Replace [`twin_primes::TwinPrimes`] by your own.
pub trait Computation: Sync {
    /// What has been found so far; everything that the next chunk's fold needs.
    type State: Serialize + DeserializeOwned + Clone + Default + Send;
    /// What one chunk gives.
    type Part: Send;

    /// Parameters as text: a checkpoint is only taken up by a run with the same ones.
    fn parameters(&self) -> String;

    /// How many chunks there are.
    fn chunks(&self) -> u64;

    /// Compute one chunk. The same chunk must always give the same part; it may panic, then it is tried again.
    fn compute(&self, chunk: u64) -> Self::Part;

    /// Take a chunk's part into the state. Called once for each chunk, in order.
    fn fold(&self, state: &mut Self::State, chunk: u64, part: Self::Part);
}
