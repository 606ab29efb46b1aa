//! Apple's GPU as Python sees it: an exception's arguments are its code and its message.

use std::path::PathBuf;

use mybro_metal::{Argument, Buffer, Device, Error, Source};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

fn raised(error: Error) -> PyErr {
    PyRuntimeError::new_err((error.code, error.message))
}

/// Memory of the GPU.
#[pyclass(frozen)]
pub struct MetalBuffer(Buffer);

#[derive(FromPyObject)]
enum Given {
    Buffer(Py<MetalBuffer>),
    Constant(Vec<u8>),
}

/// Runs kernels of a library.
#[pyclass(frozen)]
pub struct MetalDevice(Device);

#[pymethods]
impl MetalDevice {
    /// From a built library, or from a text that the driver compiles.
    #[new]
    #[pyo3(signature = (library=None, source=None))]
    fn new(py: Python<'_>, library: Option<PathBuf>, source: Option<String>) -> PyResult<Self> {
        let from = match (&library, &source) {
            (Some(path), None) => Source::Library(path),
            (None, Some(text)) => Source::Text(text),
            _ => return Err(PyValueError::new_err("a library, or a source")),
        };
        py.detach(|| Device::new(&from)).map(Self).map_err(raised)
    }

    /// Whether there is a GPU.
    #[staticmethod]
    fn is_there() -> bool {
        Device::is_there()
    }

    fn upload(&self, data: &[u8]) -> PyResult<MetalBuffer> {
        self.0.upload(data).map(MetalBuffer).map_err(raised)
    }

    fn allocate(&self, count: usize) -> PyResult<MetalBuffer> {
        self.0.allocate(count).map(MetalBuffer).map_err(raised)
    }

    /// Arguments are (index, buffer or bytes).
    fn launch(
        &self,
        kernel: &str,
        arguments: Vec<(usize, Given)>,
        groups: [usize; 3],
        size: usize,
    ) -> PyResult<()> {
        let given: Vec<_> = arguments
            .iter()
            .map(|(index, one)| match one {
                Given::Buffer(buffer) => (*index, Argument::Buffer(&buffer.get().0)),
                Given::Constant(value) => (*index, Argument::Constant(value)),
            })
            .collect();
        self.0.launch(kernel, &given, groups, size).map_err(raised)
    }

    /// The buffer's first bytes, once everything that was launched is done.
    fn download<'py>(
        &self,
        py: Python<'py>,
        buffer: &MetalBuffer,
        count: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        py.detach(|| self.0.wait()).map_err(raised)?;
        PyBytes::new_with(py, count, |out| {
            self.0.download(&buffer.0, out).map_err(raised)
        })
    }

    /// What the kernels took on the GPU, of those that were waited for.
    #[getter]
    fn gpu_seconds(&self) -> f64 {
        self.0.gpu_seconds()
    }
}
