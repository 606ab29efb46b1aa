//! A ring of samples for one writer and one reader, without locks.
//!
//! The writer owns `head`, the reader `tail`; each publishes its own with Release after it has touched the
//! samples and reads the other's with Acquire before. The counters run on: at 16 kHz they
//! would wrap after many millions of years.

#[cfg(loom)]
use loom::sync::atomic::{AtomicUsize, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(not(loom))]
mod store {
    use std::cell::UnsafeCell;

    /// The samples' memory, which both sides touch, never the same part of it.
    pub struct Store(Box<[UnsafeCell<i16>]>);

    impl Store {
        pub fn new(capacity: usize) -> Self {
            Self((0..capacity).map(|_| UnsafeCell::new(0)).collect())
        }

        pub fn len(&self) -> usize {
            self.0.len()
        }

        /// # Safety
        /// Nobody else touches these samples, which lie inside.
        pub unsafe fn put(&self, start: usize, samples: &[i16]) {
            debug_assert!(start + samples.len() <= self.0.len());
            let to = UnsafeCell::raw_get(self.0.as_ptr().wrapping_add(start));
            // SAFETY: the cells have the layout of what they hold, and the caller answers for the rest.
            unsafe { std::ptr::copy_nonoverlapping(samples.as_ptr(), to, samples.len()) }
        }

        /// # Safety
        /// Nobody writes these samples, which lie inside.
        pub unsafe fn get(&self, start: usize, out: &mut [i16]) {
            debug_assert!(start + out.len() <= self.0.len());
            let from = UnsafeCell::raw_get(self.0.as_ptr().wrapping_add(start));
            // SAFETY: as above.
            unsafe { std::ptr::copy_nonoverlapping(from, out.as_mut_ptr(), out.len()) }
        }
    }
}

#[cfg(loom)]
mod store {
    use loom::cell::UnsafeCell;

    /// The same, watched by loom sample by sample.
    pub struct Store(Box<[UnsafeCell<i16>]>);

    impl Store {
        pub fn new(capacity: usize) -> Self {
            Self((0..capacity).map(|_| UnsafeCell::new(0)).collect())
        }

        pub fn len(&self) -> usize {
            self.0.len()
        }

        pub unsafe fn put(&self, start: usize, samples: &[i16]) {
            for (offset, sample) in samples.iter().enumerate() {
                self.0[start + offset].with_mut(|place| unsafe { *place = *sample });
            }
        }

        pub unsafe fn get(&self, start: usize, out: &mut [i16]) {
            for (offset, sample) in out.iter_mut().enumerate() {
                *sample = self.0[start + offset].with(|place| unsafe { *place });
            }
        }
    }
}

pub struct Ring {
    store: store::Store,
    head: AtomicUsize,
    tail: AtomicUsize,
    dropped: AtomicUsize,
}

// SAFETY: samples are written by the one writer before `head` passes them and read by the one reader before
// `tail` passes them; the two never hold the same ones.
unsafe impl Send for Ring {}
unsafe impl Sync for Ring {}

impl Ring {
    /// A ring for at least one sample.
    pub fn new(capacity: usize) -> Self {
        Self {
            store: store::Store::new(capacity.max(1)),
            head: AtomicUsize::new(0),
            tail: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
        }
    }

    pub fn capacity(&self) -> usize {
        self.store.len()
    }

    /// Samples that wait.
    pub fn len(&self) -> usize {
        let tail = self.tail.load(Ordering::Acquire);
        self.head.load(Ordering::Acquire).wrapping_sub(tail)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Samples that found no room, since the ring was made.
    pub fn dropped(&self) -> usize {
        self.dropped.load(Ordering::Relaxed)
    }

    /// The writer's: put samples in; those that find no room are counted and dropped. Returns how many went in.
    pub fn push(&self, samples: &[i16]) -> usize {
        let head = self.head.load(Ordering::Relaxed);
        let room = self.capacity() - head.wrapping_sub(self.tail.load(Ordering::Acquire));
        let count = room.min(samples.len());
        let start = head % self.capacity();
        let (before, after) = samples[..count].split_at(count.min(self.capacity() - start));
        // SAFETY: they lie in the room that the reader has given back.
        unsafe {
            self.store.put(start, before);
            self.store.put(0, after);
        }
        self.head.store(head.wrapping_add(count), Ordering::Release);
        if count < samples.len() {
            self.dropped
                .fetch_add(samples.len() - count, Ordering::Relaxed);
        }
        count
    }

    /// The reader's: take up to `out.len()` samples. Returns how many came.
    pub fn pop(&self, out: &mut [i16]) -> usize {
        let tail = self.tail.load(Ordering::Relaxed);
        let count = out
            .len()
            .min(self.head.load(Ordering::Acquire).wrapping_sub(tail));
        let start = tail % self.capacity();
        let (before, after) = out[..count].split_at_mut(count.min(self.capacity() - start));
        // SAFETY: the writer has published them and does not touch them before `tail` has passed.
        unsafe {
            self.store.get(start, before);
            self.store.get(0, after);
        }
        self.tail.store(tail.wrapping_add(count), Ordering::Release);
        count
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn what_goes_in_comes_out_in_order() {
        let ring = Ring::new(5);
        let mut out = [0; 4];
        for round in 0..100_i16 {
            assert_eq!(ring.push(&[round, round + 1, round + 2]), 3);
            assert_eq!(ring.pop(&mut out), 3);
            assert_eq!(&out[..3], &[round, round + 1, round + 2]);
        }
        assert!(ring.is_empty() && ring.dropped() == 0);
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let ring = Ring::new(4);
        assert_eq!(ring.push(&[1, 2, 3, 4, 5, 6]), 4);
        assert_eq!((ring.len(), ring.dropped()), (4, 2));
        let mut out = [0; 8];
        assert_eq!(ring.pop(&mut out), 4);
        assert_eq!(&out[..4], &[1, 2, 3, 4]);
        assert_eq!(ring.pop(&mut out), 0);
    }

    #[test]
    fn two_threads_lose_nothing() {
        const COUNT: i32 = if cfg!(miri) { 2_000 } else { 100_000 };
        let ring = Arc::new(Ring::new(97));
        let writer = {
            let ring = Arc::clone(&ring);
            thread::spawn(move || {
                let mut next = 0;
                while next < COUNT {
                    let block: Vec<i16> = (next..COUNT.min(next + 31)).map(|n| n as i16).collect();
                    let mut sent = 0;
                    while sent < block.len() {
                        sent += ring.push(&block[sent..]);
                        thread::yield_now();
                    }
                    next += block.len() as i32;
                }
            })
        };
        let mut out = [0; 50];
        let mut expected = 0;
        while expected < COUNT {
            let count = ring.pop(&mut out);
            for sample in &out[..count] {
                assert_eq!(*sample, expected as i16);
                expected += 1;
            }
        }
        writer.join().unwrap();
    }
}

#[cfg(all(test, loom))]
mod interleavings {
    use super::*;
    use loom::sync::Arc;
    use loom::thread;

    #[test]
    fn every_interleaving_keeps_the_order() {
        loom::model(|| {
            let ring = Arc::new(Ring::new(2));
            let writer = {
                let ring = Arc::clone(&ring);
                thread::spawn(move || ring.push(&[1, 2]) + ring.push(&[3]))
            };
            let mut got = Vec::new();
            let mut out = [0; 3];
            for _ in 0..2 {
                let count = ring.pop(&mut out);
                got.extend_from_slice(&out[..count]);
            }
            let sent = writer.join().unwrap();
            let count = ring.pop(&mut out);
            got.extend_from_slice(&out[..count]);
            assert_eq!(got, (1..=sent as i16).collect::<Vec<_>>());
        });
    }
}
