//! A tree beside what was known of it, as Python sees it.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::RwLock;

use mybro_repository::compare::{self, Stamp};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use pyo3::IntoPyObjectExt;

/// The states of a tree's files.
#[pyclass(frozen)]
pub struct Known(RwLock<compare::Known>);

const NOBODY_PANICS: &str = "nothing panics while it is held";

#[pymethods]
impl Known {
    #[new]
    fn new() -> Self {
        Self(RwLock::default())
    }

    fn __len__(&self) -> usize {
        self.0.read().expect(NOBODY_PANICS).len()
    }

    /// Files with (size, mtime in ns, ctime in ns, inode, mode).
    fn put(&self, files: Vec<(PyBackedBytes, Stamp)>) {
        let mut known = self.0.write().expect(NOBODY_PANICS);
        for (path, stamp) in files {
            known.put(&path, stamp);
        }
    }

    fn forget(&self, paths: Vec<PyBackedBytes>) {
        let mut known = self.0.write().expect(NOBODY_PANICS);
        for path in paths {
            known.forget(&path);
        }
    }

    /// For each folder (others, missing), or the number of the error.
    fn look<'py>(
        &self,
        py: Python<'py>,
        root: PyBackedBytes,
        folders: Vec<Vec<u8>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let found = py.detach(|| {
            let known = self.0.read().expect(NOBODY_PANICS);
            known.look(Path::new(OsStr::from_bytes(&root)), &folders)
        });
        let names =
            |all: &[Vec<u8>]| -> Vec<_> { all.iter().map(|n| PyBytes::new(py, n)).collect() };
        found
            .iter()
            .map(|one| match one {
                Ok(listing) => {
                    (names(&listing.others), names(&listing.missing)).into_bound_py_any(py)
                }
                Err(error) => error.raw_os_error().unwrap_or(0).into_bound_py_any(py),
            })
            .collect()
    }

    /// Known files that are in none of these folders.
    fn outside<'py>(&self, py: Python<'py>, folders: HashSet<Vec<u8>>) -> Vec<Bound<'py, PyBytes>> {
        let known = self.0.read().expect(NOBODY_PANICS);
        let found = known.outside(&folders);
        found.iter().map(|path| PyBytes::new(py, path)).collect()
    }
}
