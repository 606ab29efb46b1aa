//! A repository's files: which there are, what is in them, what they define, and which have changed.

pub mod compare;
pub mod files;
mod lines;
mod pattern;
pub mod scan;
pub mod sounds;
pub mod survey;
pub mod symbols;
