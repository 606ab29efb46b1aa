//! What Python sees. Everything here lets go of the GIL while it works.

// PyO3 gives arguments by value.
#![allow(clippy::needless_pass_by_value, clippy::elidable_lifetime_names)]

mod compare;
#[cfg(target_os = "macos")]
mod metal;
mod resample;
mod sounds;
mod survey;
mod symbols;

use std::path::PathBuf;
use std::sync::Mutex;

use mybro_audio::level;
use mybro_audio::ring;
use mybro_audio::smoothing::{self, Edge};
use mybro_repository::{files, scan};
use mybro_system as system;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

/// Bytes of 16-bit little-endian samples as numbers.
fn samples(pcm: &[u8]) -> PyResult<Vec<i16>> {
    if !pcm.len().is_multiple_of(2) {
        return Err(PyValueError::new_err("16-bit samples are two bytes each"));
    }
    Ok(pcm
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect())
}

fn bytes(samples: &[i16]) -> Vec<u8> {
    samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect()
}

/// A ring of 16-bit samples for one writer and one reader.
#[pyclass(frozen)]
struct Ring(ring::Ring);

#[pymethods]
impl Ring {
    #[new]
    fn new(capacity: usize) -> Self {
        Self(ring::Ring::new(capacity))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    #[getter]
    fn capacity(&self) -> usize {
        self.0.capacity()
    }

    #[getter]
    fn dropped(&self) -> usize {
        self.0.dropped()
    }

    /// Put samples in; returns how many found room.
    fn push(&self, pcm: &[u8]) -> PyResult<usize> {
        Ok(self.0.push(&samples(pcm)?))
    }

    /// Take up to `count` samples out.
    fn pop<'py>(&self, py: Python<'py>, count: usize) -> Bound<'py, PyBytes> {
        let mut out = vec![0; count.min(self.0.capacity())];
        let got = self.0.pop(&mut out);
        PyBytes::new(py, &bytes(&out[..got]))
    }
}

/// From probabilities to where speech begins and ends.
#[pyclass(frozen)]
struct Smoother(Mutex<smoothing::Smoother>);

#[pymethods]
impl Smoother {
    #[new]
    fn new(begin: f32, end: f32, onset: u32, hangover: u32) -> Self {
        Self(Mutex::new(smoothing::Smoother::new(
            begin, end, onset, hangover,
        )))
    }

    #[getter]
    fn speaking(&self) -> bool {
        self.0
            .lock()
            .expect("nothing panics while it is held")
            .speaking()
    }

    /// The frame at which speech began (positive, from 1) or before which it ended (negative); 0 for no news.
    fn feed(&self, probability: f32) -> i64 {
        match self
            .0
            .lock()
            .expect("nothing panics while it is held")
            .feed(probability)
        {
            Edge::None => 0,
            Edge::Began(frame) => frame as i64 + 1,
            Edge::Ended(frame) => -(frame as i64 + 1),
        }
    }

    /// The same for many frames: only the news.
    fn feed_all(&self, probabilities: Vec<f32>) -> Vec<i64> {
        probabilities
            .into_iter()
            .map(|probability| self.feed(probability))
            .filter(|news| *news != 0)
            .collect()
    }
}

/// Sum of squares and largest magnitude.
#[pyfunction]
fn pcm_level(pcm: &[u8]) -> PyResult<(u64, u16)> {
    let found = level::level(&samples(pcm)?);
    Ok((found.squares, found.peak))
}

/// The samples, multiplied; what would overflow stays at full scale.
#[pyfunction]
fn pcm_gain<'py>(py: Python<'py>, pcm: &[u8], factor: f32) -> PyResult<Bound<'py, PyBytes>> {
    let mut changed = samples(pcm)?;
    level::gain(&mut changed, factor);
    Ok(PyBytes::new(py, &bytes(&changed)))
}

/// Paths below a folder that no ignore rule leaves out, as bytes, sorted.
#[pyfunction]
fn walk<'py>(py: Python<'py>, root: PathBuf, skipped: Vec<String>) -> Vec<Bound<'py, PyBytes>> {
    let found = py.detach(|| files::walk(&root, &skipped));
    found.iter().map(|path| PyBytes::new(py, path)).collect()
}

/// Lines in which patterns are found: (index of the path, line, index of the pattern, text).
#[pyfunction]
#[allow(clippy::type_complexity)]
fn scan_files<'py>(
    py: Python<'py>,
    root: PathBuf,
    paths: Vec<Vec<u8>>,
    patterns: Vec<String>,
    most_bytes: u64,
) -> PyResult<Vec<(usize, usize, usize, Bound<'py, PyBytes>)>> {
    let found = py
        .detach(|| {
            scan::Scanner::new(&patterns).map(|scanner| scanner.files(&root, &paths, most_bytes))
        })
        .map_err(|error| PyValueError::new_err(format!("a pattern cannot be used: {error}")))?;
    Ok(found
        .into_iter()
        .map(|f| (f.file, f.line, f.pattern, PyBytes::new(py, &f.text)))
        .collect())
}

/// SHA-256 of each file; None where one cannot be read.
#[pyfunction]
fn sha256_files<'py>(
    py: Python<'py>,
    root: PathBuf,
    paths: Vec<Vec<u8>>,
) -> Vec<Option<Bound<'py, PyBytes>>> {
    let found = py.detach(|| files::hashes(&root, &paths));
    found
        .into_iter()
        .map(|hash| hash.map(|hash| PyBytes::new(py, &hash)))
        .collect()
}

/// (mode, size, mtime in ns, ctime in ns, inode) of each path; None where there is nothing.
#[pyfunction]
#[allow(clippy::type_complexity)]
fn stat_files(
    py: Python<'_>,
    root: PathBuf,
    paths: Vec<Vec<u8>>,
) -> Vec<Option<(u32, u64, i64, i64, u64)>> {
    let found = py.detach(|| files::stats(&root, &paths));
    found
        .into_iter()
        .map(|stat| stat.map(|s| (s.mode, s.size, s.mtime_ns, s.ctime_ns, s.inode)))
        .collect()
}

/// Measures the machine: the CPU's share is that since the look before.
#[pyclass(frozen)]
struct Monitor(Mutex<system::Snapshot>);

#[pymethods]
impl Monitor {
    #[new]
    fn new() -> Self {
        Self(Mutex::new(system::read()))
    }

    /// What the machine is doing; a value that it does not tell is None.
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let now = system::read();
        let before = std::mem::replace(
            &mut *self.0.lock().expect("nothing panics while it is held"),
            now.clone(),
        );
        let told = PyDict::new(py);
        told.set_item("cpu", system::cpu_share(&before, &now))?;
        told.set_item("memory_total", now.memory_total)?;
        told.set_item("memory_available", now.memory_available)?;
        told.set_item("load", now.load)?;
        told.set_item("temperature", now.temperature)?;
        told.set_item("battery", now.battery)?;
        told.set_item("charging", now.charging)?;
        told.set_item("gpu", now.gpu)?;
        Ok(told)
    }
}

/// What a source does for each block: into the ring, out of it, and its probability to the smoother; the news.
#[pyfunction]
fn frames(
    ring: &Ring,
    smoother: &Smoother,
    pcm: &[u8],
    probabilities: Vec<f32>,
) -> PyResult<Vec<i64>> {
    let block = samples(pcm)?;
    let mut out = vec![0; block.len()];
    let news = probabilities.into_iter().map(|probability| {
        ring.0.push(&block);
        ring.0.pop(&mut out);
        smoother.feed(probability)
    });
    Ok(news.filter(|news| *news != 0).collect())
}

#[pymodule]
fn mybro_engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<Ring>()?;
    module.add_class::<Smoother>()?;
    module.add_class::<resample::Resampler>()?;
    module.add_class::<Monitor>()?;
    module.add_class::<symbols::SymbolReader>()?;
    module.add_class::<sounds::Sounds>()?;
    module.add_class::<compare::Known>()?;
    #[cfg(target_os = "macos")]
    {
        module.add_class::<metal::MetalBuffer>()?;
        module.add_class::<metal::MetalDevice>()?;
    }
    module.add_function(wrap_pyfunction!(pcm_level, module)?)?;
    module.add_function(wrap_pyfunction!(pcm_gain, module)?)?;
    module.add_function(wrap_pyfunction!(frames, module)?)?;
    module.add_function(wrap_pyfunction!(walk, module)?)?;
    module.add_function(wrap_pyfunction!(scan_files, module)?)?;
    module.add_function(wrap_pyfunction!(sha256_files, module)?)?;
    module.add_function(wrap_pyfunction!(stat_files, module)?)?;
    module.add_function(wrap_pyfunction!(survey::survey_files, module)?)?;
    module.add_function(wrap_pyfunction!(symbols::symbols_of_files, module)?)?;
    Ok(())
}
