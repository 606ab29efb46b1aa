//! Apple's GPU, on a Mac. Which kernels run in what order and over what grid is decided by the caller, in Python.

#[cfg(target_os = "macos")]
mod device;

#[cfg(target_os = "macos")]
pub use device::{Argument, Buffer, Device, Error, Source};
