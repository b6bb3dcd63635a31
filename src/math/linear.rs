//! Cholesky factor of a correlation matrix, and the eigenvalue that is named where there is none.

/// A symmetric matrix, row by row.
pub type Matrix = Vec<Vec<f64>>;

/// Why a matrix isn't a correlation matrix.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NotCorrelation {
    /// The rows and columns don't match the number of markets.
    #[error("expected {expected} rows of {expected} numbers")]
    Shape {
        /// Rows and columns expected.
        expected: usize,
    },
    /// The diagonal isn't one, or an entry isn't within [−1, 1].
    #[error(
        "entry ({row}, {column}) is {found}: the diagonal must be 1 and the rest between -1 and 1"
    )]
    Entry {
        /// Row, from 1.
        row: usize,
        /// Column, from 1.
        column: usize,
        /// The entry.
        found: f64,
    },
    /// The matrix isn't symmetric.
    #[error("entries ({row}, {column}) and ({column}, {row}) differ")]
    Asymmetric {
        /// Row, from 1.
        row: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The matrix has a negative eigenvalue.
    #[error("not positive semi-definite: its smallest eigenvalue is {eigenvalue:.6}")]
    NotPositive {
        /// The smallest eigenvalue.
        eigenvalue: f64,
    },
}

/// The lower factor L with L·Lᵀ equal to a correlation matrix; semi-definite matrices are accepted.
///
/// # Errors
///
/// What keeps the matrix from being a correlation matrix, with the offending entry or eigenvalue.
pub fn correlation_factor(matrix: &Matrix, size: usize) -> Result<Matrix, NotCorrelation> {
    if matrix.len() != size || matrix.iter().any(|row| row.len() != size) {
        return Err(NotCorrelation::Shape { expected: size });
    }
    for (i, line) in matrix.iter().enumerate() {
        for (j, found) in line.iter().copied().enumerate() {
            let fits = if i == j {
                (found - 1.0).abs() < 1e-12
            } else {
                found.abs() <= 1.0
            };
            if !fits {
                return Err(NotCorrelation::Entry {
                    row: i + 1,
                    column: j + 1,
                    found,
                });
            }
            if (found - matrix[j][i]).abs() > 1e-12 {
                return Err(NotCorrelation::Asymmetric {
                    row: i + 1,
                    column: j + 1,
                });
            }
        }
    }
    let smallest = eigenvalues(matrix)
        .into_iter()
        .fold(f64::INFINITY, f64::min);
    if smallest < -1e-10 {
        return Err(NotCorrelation::NotPositive {
            eigenvalue: smallest,
        });
    }
    let mut factor = vec![vec![0.0; size]; size];
    for i in 0..size {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
            let rest = matrix[i][j] - dot;
            factor[i][j] = if i == j {
                rest.max(0.0).sqrt()
            } else if factor[j][j] > 1e-8 {
                rest / factor[j][j]
            } else {
                0.0
            };
        }
    }
    Ok(factor)
}

/// The eigenvalues of a symmetric matrix, by Jacobi rotations (Golub and Van Loan, §8.5); unordered.
pub fn eigenvalues(matrix: &Matrix) -> Vec<f64> {
    let n = matrix.len();
    let mut a = matrix.clone();
    for _ in 0..64 {
        let off: f64 = (0..n)
            .flat_map(|i| (0..i).map(move |j| (i, j)))
            .map(|(i, j)| a[i][j] * a[i][j])
            .sum();
        if off < 1e-24 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                if a[p][q].abs() < 1e-300 {
                    continue;
                }
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let t = if theta == 0.0 { 1.0 } else { t };
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for line in &mut a {
                    let (kp, kq) = (line[p], line[q]);
                    line[p] = c * kp - s * kq;
                    line[q] = s * kp + c * kq;
                }
                let (upper, lower) = a.split_at_mut(q);
                for (pk, qk) in upper[p].iter_mut().zip(&mut lower[0]) {
                    (*pk, *qk) = (c * *pk - s * *qk, s * *pk + c * *qk);
                }
            }
        }
    }
    (0..n).map(|i| a[i][i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_gives_the_matrix_back() {
        let matrix = vec![
            vec![1.0, 0.8, 0.3],
            vec![0.8, 1.0, 0.5],
            vec![0.3, 0.5, 1.0],
        ];
        let factor = correlation_factor(&matrix, 3).unwrap();
        for (left, line) in factor.iter().zip(&matrix) {
            for (right, entry) in factor.iter().zip(line) {
                let product: f64 = left.iter().zip(right).map(|(a, b)| a * b).sum();
                assert!((product - entry).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_matrix_that_is_not_positive_is_named_by_its_eigenvalue() {
        let matrix = vec![
            vec![1.0, 0.9, -0.9],
            vec![0.9, 1.0, 0.9],
            vec![-0.9, 0.9, 1.0],
        ];
        match correlation_factor(&matrix, 3) {
            Err(NotCorrelation::NotPositive { eigenvalue }) => {
                assert!((eigenvalue + 0.8).abs() < 1e-9);
            }
            other => panic!("{other:?}"),
        }
        assert!(correlation_factor(&vec![vec![1.0, 1.0], vec![1.0, 1.0]], 2).is_ok());
    }
}
