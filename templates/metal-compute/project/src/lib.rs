//! The same operations on the GPU of a Mac and on any CPU, behind one trait.

pub mod cpu;
#[cfg(target_os = "macos")]
pub mod metal;

/// Where it is computed. Lengths are free; what does not fit is an error.
pub trait Backend: Sync {
    /// What a person would call it: the GPU's name, or the CPU.
    fn name(&self) -> String;

    /// The sum, exact to about the last bit for a sum of magnitudes.
    fn sum(&self, values: &[f32]) -> Result<f32, Error>;

    /// y = a x + y.
    fn axpy(&self, a: f32, x: &[f32], y: &mut [f32]) -> Result<(), Error>;

    /// Negative numbers become 0, NaN stays NaN.
    fn relu(&self, values: &[f32]) -> Result<Vec<f32>, Error>;

    /// The product of an (m, k) and a (k, n) matrix, all by rows.
    fn matmul(&self, a: &[f32], b: &[f32], shape: Shape) -> Result<Vec<f32>, Error>;
}

/// (m, k) times (k, n).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub m: usize,
    pub k: usize,
    pub n: usize,
}

impl Shape {
    /// An error where the two matrices have other sizes.
    pub fn check(self, a: &[f32], b: &[f32]) -> Result<(), Error> {
        let fits = Some(a.len()) == self.m.checked_mul(self.k)
            && Some(b.len()) == self.k.checked_mul(self.n)
            && self.m.checked_mul(self.n).is_some();
        fits.then_some(()).ok_or(Error::Shape)
    }
}

/// Why something was not computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Lengths that do not fit each other.
    Shape,
    /// More than 2^32 elements, which the kernels cannot count.
    TooLarge,
    /// What the GPU or its driver says.
    Gpu(String),
}

impl std::fmt::Display for Error {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shape => write!(out, "the lengths do not fit each other"),
            Self::TooLarge => write!(out, "there are more elements than the kernels can count"),
            Self::Gpu(why) => write!(out, "the GPU: {why}"),
        }
    }
}

impl std::error::Error for Error {}

/// All that there is here, the fastest first.
pub fn backends() -> Vec<Box<dyn Backend>> {
    let cpu: Box<dyn Backend> = Box::new(cpu::Cpu);
    gpu().into_iter().chain([cpu]).collect()
}

#[cfg(target_os = "macos")]
fn gpu() -> Option<Box<dyn Backend>> {
    Some(Box::new(metal::Metal::new().ok()?))
}

#[cfg(not(target_os = "macos"))]
fn gpu() -> Option<Box<dyn Backend>> {
    None
}
