//! From one rate to another, as Python sees it.

use std::sync::Mutex;

use mybro_audio::resample;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Converts one stream of 16-bit samples.
#[pyclass(frozen)]
pub struct Resampler(Mutex<resample::Resampler>);

#[pymethods]
impl Resampler {
    /// Rates are in hertz.
    #[new]
    fn new(source: usize, target: usize) -> PyResult<Self> {
        resample::Resampler::new(source, target)
            .map(|made| Self(Mutex::new(made)))
            .ok_or_else(|| {
                PyValueError::new_err(format!("{source} Hz is not converted to {target} Hz"))
            })
    }

    /// What these samples suffice for; with `last` the rest of the stream, after which another may begin.
    #[pyo3(signature = (pcm, last=false))]
    fn convert<'py>(
        &self,
        py: Python<'py>,
        pcm: &[u8],
        last: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let samples = crate::samples(pcm)?;
        let out = py.detach(|| {
            let mut held = self.0.lock().expect("nothing panics while it is held");
            let mut out = Vec::new();
            held.push(&samples, &mut out);
            if last {
                held.finish(&mut out);
            }
            out
        });
        Ok(PyBytes::new(py, &crate::bytes(&out)))
    }
}
