//! Every backend gives what plain loops in double precision give, within a tolerance that is written here.

use compute::{backends, Error, Shape};

const LENGTHS: [usize; 12] = [0, 1, 2, 31, 32, 33, 255, 256, 257, 4_099, 65_537, 1_000_003];

fn numbers(length: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1_u64 << 23) as f32) - 1.0
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn sums() {
    for backend in backends() {
        for length in LENGTHS {
            let values = numbers(length, 3);
            let exact: f64 = values.iter().map(|value| f64::from(*value)).sum();
            let size: f64 = values.iter().map(|value| f64::from(value.abs())).sum();
            let sum = f64::from(backend.sum(&values).unwrap());
            assert!(
                (sum - exact).abs() <= 1e-6 * size.max(1.0),
                "{} {length}: {sum} {exact}",
                backend.name()
            );
        }
        assert!(backend.sum(&[1.0, f32::NAN]).unwrap().is_nan());
        assert!(backend.sum(&[1.0, f32::INFINITY]).unwrap().is_infinite());
    }
}

#[test]
fn maps() {
    for backend in backends() {
        for length in LENGTHS {
            let (x, mut y) = (numbers(length, 5), numbers(length, 7));
            let expected: Vec<f32> = x
                .iter()
                .zip(&y)
                .map(|(x, y)| 0.5_f32.mul_add(*x, *y))
                .collect();
            backend.axpy(0.5, &x, &mut y).unwrap();
            assert_eq!(y, expected, "{} {length}", backend.name());
            let positive = backend.relu(&x).unwrap();
            assert!(positive
                .iter()
                .zip(&x)
                .all(|(got, x)| got.to_bits() == x.max(0.0).to_bits()));
        }
        assert!(backend.relu(&[f32::NAN]).unwrap()[0].is_nan());
        assert_eq!(backend.axpy(1.0, &[1.0], &mut []), Err(Error::Shape));
    }
}

#[test]
fn products() {
    for backend in backends() {
        for (m, k, n) in [
            (1, 1, 1),
            (16, 16, 16),
            (17, 33, 15),
            (1, 100, 1),
            (64, 1, 65),
            (0, 3, 4),
            (3, 0, 4),
            (3, 4, 0),
        ] {
            let (a, b) = (numbers(m * k, 11), numbers(k * n, 13));
            let product = backend.matmul(&a, &b, Shape { m, k, n }).unwrap();
            assert_eq!(product.len(), m * n);
            for row in 0..m {
                for column in 0..n {
                    let exact: f64 = (0..k)
                        .map(|i| f64::from(a[row * k + i]) * f64::from(b[i * n + column]))
                        .sum();
                    let got = f64::from(product[row * n + column]);
                    assert!(
                        (got - exact).abs() <= 1e-5 * (k as f64 + 1.0),
                        "{} {m} {k} {n}",
                        backend.name()
                    );
                }
            }
        }
        assert_eq!(
            backend.matmul(&[1.0], &[1.0], Shape { m: 1, k: 2, n: 1 }),
            Err(Error::Shape)
        );
        let overflowing = Shape {
            m: usize::MAX,
            k: 2,
            n: 1,
        };
        assert_eq!(backend.matmul(&[], &[], overflowing), Err(Error::Shape));
    }
}
