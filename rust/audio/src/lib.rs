//! Sound between two threads, its level, and what a detector's numbers say about speech.

pub mod level;
pub mod resample;
pub mod ring;
pub mod smoothing;
