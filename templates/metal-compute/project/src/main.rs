//! How fast each backend is, beside what the memory allows.

use std::time::Instant;

use compute::{backends, Error, Shape};

const LENGTH: usize = 1 << 24;
const SIDE: usize = 768;
const ROUNDS: usize = 5;

fn main() -> Result<(), Error> {
    let values: Vec<f32> = (0..LENGTH).map(|n| (n % 17) as f32 - 8.0).collect();
    let matrix = &values[..SIDE * SIDE];
    let shape = Shape {
        m: SIDE,
        k: SIDE,
        n: SIDE,
    };
    for backend in backends() {
        println!("{}", backend.name());
        let bytes = (4 * LENGTH) as f64;
        let seconds = best(|| backend.sum(&values).map(drop))?;
        println!("  sum     {:7.1} GB/s", bytes / seconds / 1e9);
        let mut y = values.clone();
        let seconds = best(|| backend.axpy(0.5, &values, &mut y))?;
        println!("  axpy    {:7.1} GB/s", 3.0 * bytes / seconds / 1e9);
        let seconds = best(|| backend.matmul(matrix, matrix, shape).map(drop))?;
        println!(
            "  matmul  {:7.1} GFLOPS",
            2.0 * (SIDE as f64).powi(3) / seconds / 1e9
        );
    }
    Ok(())
}

/// The shortest of several runs, copying included.
fn best(mut work: impl FnMut() -> Result<(), Error>) -> Result<f64, Error> {
    let mut shortest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        work()?;
        shortest = shortest.min(start.elapsed().as_secs_f64());
    }
    Ok(shortest)
}
