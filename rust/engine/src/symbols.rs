//! What source files define, with the grammars that Python packages bring.

use std::path::PathBuf;

use mybro_repository::symbols::{self, KINDS};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyString, PyTuple};
use tree_sitter::ffi::TSLanguage;
use tree_sitter::Language;

/// A language's parser and what to look for.
#[pyclass(frozen)]
pub struct SymbolReader(symbols::Reader);

#[pymethods]
impl SymbolReader {
    /// `language` is the capsule that a grammar's package gives; captures of the query are named as kinds of symbols.
    #[new]
    fn new(language: &Bound<'_, PyCapsule>, query: &str) -> PyResult<Self> {
        let grammar = language.pointer_checked(Some(c"tree_sitter.Language"))?;
        // SAFETY: a capsule of this name holds a grammar, which is a constant of a module that is never unloaded.
        let language = unsafe { Language::from_raw(grammar.as_ptr() as *const TSLanguage) };
        symbols::Reader::new(language, query)
            .map(Self)
            .map_err(PyValueError::new_err)
    }

    /// (name, kind, line, uses) of what one text defines.
    fn symbols<'py>(&self, py: Python<'py>, source: Vec<u8>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let found = py.detach(|| self.0.symbols(&source));
        rows(py, found)
    }
}

/// The same of each file, which is given with its reader; what is a link or cannot be read has none.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn symbols_of_files<'py>(
    py: Python<'py>,
    root: PathBuf,
    wanted: Vec<(Vec<u8>, Py<SymbolReader>)>,
) -> PyResult<Vec<Vec<Bound<'py, PyTuple>>>> {
    let found = py.detach(|| {
        let files: Vec<_> = wanted
            .iter()
            .map(|(path, reader)| (path.clone(), &reader.get().0))
            .collect();
        symbols::files(&root, &files)
    });
    found.into_iter().map(|file| rows(py, file)).collect()
}

fn rows(py: Python<'_>, found: Vec<symbols::Symbol>) -> PyResult<Vec<Bound<'_, PyTuple>>> {
    let kinds = KINDS.map(|kind| PyString::intern(py, kind));
    found
        .into_iter()
        .map(|one| (one.name, kinds[one.kind].clone(), one.line, one.uses).into_pyobject(py))
        .collect()
}
