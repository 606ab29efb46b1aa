//! A repository's files: which there are, what is in them, and which have changed.

pub mod files;
pub mod scan;
