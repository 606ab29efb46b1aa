//! How alike names sound, as Python sees it.

use mybro_repository::sounds;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;

/// What each change of a sound's letters costs.
#[pyclass(frozen)]
pub struct Sounds(sounds::Costs);

#[pymethods]
impl Sounds {
    #[new]
    fn new(
        alphabet: &str,
        change: Vec<Vec<f64>>,
        drop: Vec<f64>,
        weight: Vec<f64>,
        cheapest: f64,
    ) -> PyResult<Self> {
        sounds::Costs::new(alphabet.as_bytes(), &change, &drop, &weight, cheapest)
            .map(Self)
            .ok_or_else(|| PyValueError::new_err("costs are those of an alphabet"))
    }

    /// How alike each of `others` is to what was heard; 0 for less than `least`.
    fn likenesses(&self, heard: &str, others: Vec<PyBackedStr>, least: f64) -> Vec<f64> {
        let mut row = Vec::new();
        others
            .iter()
            .map(|other| self.0.likeness(heard, other, least, &mut row))
            .collect()
    }
}
