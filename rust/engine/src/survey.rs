//! Which words and shapes are in which files.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use mybro_repository::survey::{Marks, Shape, Survey};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The marks of each file as a little-endian number, words first, then shapes; None for what was not looked at.
///
/// A path comes with the kind of its file. A shape is (indices of its words, patterns, whether the same must be
/// captured twice, the kinds of files that it is looked for in or none for all).
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn survey_files<'py>(
    py: Python<'py>,
    root: PathBuf,
    paths: Vec<(Vec<u8>, u8)>,
    words: Vec<Vec<u8>>,
    shapes: Vec<(Vec<usize>, Vec<String>, bool, Vec<u8>)>,
    most_bytes: u64,
    seconds: f64,
) -> PyResult<Vec<Option<Bound<'py, PyBytes>>>> {
    if shapes
        .iter()
        .flat_map(|shape| &shape.0)
        .any(|&word| word >= words.len())
    {
        return Err(PyValueError::new_err(
            "a shape names a word that is not there",
        ));
    }
    let found = py
        .detach(|| {
            let patience = Duration::try_from_secs_f64(seconds.max(0.0)).ok();
            let until = patience.and_then(|patience| Instant::now().checked_add(patience));
            let shapes: Vec<Shape> = shapes
                .into_iter()
                .map(|(words, patterns, twice, kinds)| Shape {
                    kinds,
                    words,
                    patterns,
                    twice,
                })
                .collect();
            let survey = Survey::new(&words, &shapes)?;
            Ok(survey.files(&root, &paths, most_bytes, until))
        })
        .map_err(|error: String| PyValueError::new_err(format!("cannot be looked for: {error}")))?;
    let number =
        |marks: Marks| -> Vec<u8> { marks.into_iter().flat_map(u64::to_le_bytes).collect() };
    Ok(found
        .into_iter()
        .map(|marks| marks.map(|marks| PyBytes::new(py, &number(marks))))
        .collect())
}
