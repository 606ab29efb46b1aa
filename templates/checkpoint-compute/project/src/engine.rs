//! Runs a computation from where it was to its end, or to where it is asked to stop.

use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::checkpoint::{Progress, Store};
use crate::Computation;

/// How often a chunk that panics is tried before the run ends with an error.
const TRIES: u32 = 3;
/// How long a disk that is full or away is waited for, in all.
const DISK_PATIENCE: Duration = Duration::from_secs(60);

/// What came of a run.
#[derive(Debug, PartialEq)]
pub enum Outcome<S> {
    Finished(S),
    /// It was asked to stop; the checkpoint holds all that was computed.
    Stopped {
        next: u64,
    },
}

/// Why a run ended before its time. The checkpoint holds all that was computed.
#[derive(Debug)]
pub enum Trouble {
    Disk(io::Error),
    /// This chunk panicked again and again.
    Chunk(u64),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Disk(error) => write!(out, "{error}"),
            Self::Chunk(chunk) => write!(out, "chunk {chunk} failed {TRIES} times"),
        }
    }
}

/// Compute what is left. A checkpoint is saved every `every`, when the run ends, and when `stop` is set.
///
/// `report` hears of every batch: how many chunks are done.
pub fn run<C: Computation>(
    computation: &C,
    store: &Store,
    every: Duration,
    stop: &AtomicBool,
    mut report: impl FnMut(u64),
) -> Result<Outcome<C::State>, Trouble> {
    let parameters = computation.parameters();
    let total = computation.chunks();
    let mut progress = store.load(&parameters)?.unwrap_or(Progress {
        next: 0,
        state: C::State::default(),
    });
    // Enough for every core to have work while the slowest chunk ends, few enough to stop soon.
    let batch = 4 * rayon::current_num_threads() as u64;
    let mut saved = Instant::now();
    report(progress.next);
    while progress.next < total && !stop.load(Ordering::Relaxed) {
        let end = total.min(progress.next + batch);
        let parts: Vec<Option<C::Part>> = (progress.next..end)
            .into_par_iter()
            .map(|chunk| attempt(computation, chunk))
            .collect();
        for part in parts {
            let Some(part) = part else {
                let failed = progress.next;
                save(store, &parameters, &progress)?;
                return Err(Trouble::Chunk(failed));
            };
            computation.fold(&mut progress.state, progress.next, part);
            progress.next += 1;
        }
        report(progress.next);
        if saved.elapsed() >= every {
            save(store, &parameters, &progress)?;
            saved = Instant::now();
        }
    }
    save(store, &parameters, &progress)?;
    if progress.next < total {
        Ok(Outcome::Stopped {
            next: progress.next,
        })
    } else {
        Ok(Outcome::Finished(progress.state))
    }
}

fn attempt<C: Computation>(computation: &C, chunk: u64) -> Option<C::Part> {
    (0..TRIES).find_map(|_| catch_unwind(AssertUnwindSafe(|| computation.compute(chunk))).ok())
}

/// Hours of work are worth a minute's wait for a disk.
fn save<S: serde::Serialize>(
    store: &Store,
    parameters: &str,
    progress: &Progress<S>,
) -> io::Result<()> {
    let mut pause = Duration::from_millis(100);
    let mut waited = Duration::ZERO;
    loop {
        match store.save(parameters, progress) {
            Err(_) if waited < DISK_PATIENCE => {
                thread::sleep(pause);
                waited += pause;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;

    /// A sum whose bits depend on its order, with a chunk that fails at times.
    struct Sum {
        chunks: u64,
        failures: AtomicU32,
    }

    impl Computation for Sum {
        type State = f64;
        type Part = f64;

        fn parameters(&self) -> String {
            format!("sum of {}", self.chunks)
        }

        fn chunks(&self) -> u64 {
            self.chunks
        }

        fn compute(&self, chunk: u64) -> f64 {
            if chunk == 7
                && self
                    .failures
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                        left.checked_sub(1)
                    })
                    .is_ok()
            {
                panic!("a fault of the machine");
            }
            1.0 / (chunk as f64 + 0.1)
        }

        fn fold(&self, state: &mut f64, _chunk: u64, part: f64) {
            *state += part;
        }
    }

    fn sum(chunks: u64, failures: u32) -> Sum {
        Sum {
            chunks,
            failures: AtomicU32::new(failures),
        }
    }

    fn finish(computation: &Sum, store: &Store, stop_after: u64) -> Result<Outcome<f64>, Trouble> {
        let stop = AtomicBool::new(false);
        let mut batches = 0;
        run(computation, store, Duration::ZERO, &stop, |_| {
            batches += 1;
            stop.store(batches > stop_after, Ordering::Relaxed);
        })
    }

    #[test]
    fn stopped_and_taken_up_it_is_the_same_to_the_last_bit() {
        let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let undisturbed =
            finish(&sum(5000, 0), &Store::open(whole.path()).unwrap(), u64::MAX).unwrap();
        let mut runs = 0;
        let disturbed = loop {
            let store = Store::open(parts.path()).unwrap();
            runs += 1;
            match finish(&sum(5000, 0), &store, 3).unwrap() {
                Outcome::Stopped { next } => assert!(next < 5000),
                finished @ Outcome::Finished(_) => break finished,
            }
        };
        assert!(runs > 3);
        assert_eq!(disturbed, undisturbed);
    }

    #[test]
    fn a_chunk_that_fails_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert!(matches!(
            finish(&sum(20, TRIES - 1), &store, u64::MAX),
            Ok(Outcome::Finished(_))
        ));
    }

    #[test]
    fn a_chunk_that_always_fails_ends_the_run_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let broken = finish(&sum(20, TRIES), &store, u64::MAX);
        assert!(matches!(broken, Err(Trouble::Chunk(7))));
        let kept: Progress<f64> = store.load("sum of 20").unwrap().unwrap();
        assert_eq!(kept.next, 7);
        assert!(matches!(
            finish(&sum(20, 0), &store, u64::MAX),
            Ok(Outcome::Finished(_))
        ));
    }

    #[test]
    fn nothing_to_do_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let outcome = finish(&sum(0, 0), &store, u64::MAX).unwrap();
        assert_eq!(outcome, Outcome::Finished(0.0));
    }
}
