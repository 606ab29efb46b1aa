//! On all cores. Sums are made in blocks whose order does not depend on how many cores there are.

use rayon::prelude::*;

use crate::{Backend, Error, Shape};

const BLOCK: usize = 4096;

pub struct Cpu;

impl Backend for Cpu {
    fn name(&self) -> String {
        format!("CPU, {} threads", rayon::current_num_threads())
    }

    fn sum(&self, values: &[f32]) -> Result<f32, Error> {
        let blocks: Vec<f64> = values
            .par_chunks(BLOCK)
            .map(|block| block.iter().map(|value| f64::from(*value)).sum())
            .collect();
        Ok(blocks.iter().sum::<f64>() as f32)
    }

    fn axpy(&self, a: f32, x: &[f32], y: &mut [f32]) -> Result<(), Error> {
        if x.len() != y.len() {
            return Err(Error::Shape);
        }
        let pairs = x.par_chunks(BLOCK).zip(y.par_chunks_mut(BLOCK));
        pairs.for_each(|(x, y)| {
            for (x, y) in x.iter().zip(y) {
                *y = a.mul_add(*x, *y);
            }
        });
        Ok(())
    }

    fn relu(&self, values: &[f32]) -> Result<Vec<f32>, Error> {
        let positive = |value: &f32| if *value < 0.0 { 0.0 } else { *value };
        Ok(values
            .par_iter()
            .with_min_len(BLOCK)
            .map(positive)
            .collect())
    }

    fn matmul(&self, a: &[f32], b: &[f32], shape: Shape) -> Result<Vec<f32>, Error> {
        shape.check(a, b)?;
        let mut product = vec![0.0; shape.m * shape.n];
        if shape.n > 0 && shape.k > 0 {
            let rows = product.par_chunks_mut(shape.n).zip(a.par_chunks(shape.k));
            rows.for_each(|(row, left)| {
                // By rows of b: memory is read in its order.
                for (factor, right) in left.iter().zip(b.chunks(shape.n)) {
                    for (sum, value) in row.iter_mut().zip(right) {
                        *sum = factor.mul_add(*value, *sum);
                    }
                }
            });
        }
        Ok(product)
    }
}
