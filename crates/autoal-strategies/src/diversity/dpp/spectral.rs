//! A determinantal point process by the eigenvalues of its kernel (Kulesza & Taskar, 2012).

use ndarray::{Array2, Axis};
use rand::{Rng, RngExt};

use crate::linalg;

/// Eigenvalues and eigenvectors of a kernel `L`, symmetric and positive semi-definite.
#[derive(Debug, Clone)]
pub struct Spectrum {
    /// Eigenvalues, `[n]`, none negative.
    values: Vec<f64>,
    /// Eigenvectors in columns, `[n, n]`.
    vectors: Array2<f64>,
}

impl Spectrum {
    /// The spectrum of `kernel`, `[n, n]`. O(n³).
    pub fn of(kernel: &Array2<f64>) -> Self {
        let (values, vectors) = linalg::symmetric_eigen(kernel);
        Self { values: values.into_iter().map(|value| value.max(0.0)).collect(), vectors }
    }

    /// Elementary symmetric polynomials `e_0 ..= e_n` of the eigenvalues; `e_k` normalises sets of size k.
    pub fn elementary(&self) -> Vec<f64> {
        elementary(&self.values, self.values.len()).pop().expect("the table has a row for no eigenvalue")
    }

    /// Probability of each item under the process of any size, `[n]`.
    pub fn marginals(&self) -> Vec<f64> {
        self.weighted(|n| self.values[n] / (1.0 + self.values[n]))
    }

    /// Probability of each item under the process of size `k`, `[n]`.
    pub fn inclusion(&self, k: usize) -> Vec<f64> {
        let whole = self.elementary()[k];
        self.weighted(|n| {
            let others: Vec<f64> = (0..self.values.len()).filter(|&m| m != n).map(|m| self.values[m]).collect();
            let without = elementary(&others, k).pop().map_or(0.0, |row| row[k.saturating_sub(1)]);
            if k == 0 { 0.0 } else { self.values[n] * without / whole }
        })
    }

    /// `Σ_n weight(n) v_in²` for every item i.
    fn weighted(&self, weight: impl Fn(usize) -> f64) -> Vec<f64> {
        let weights: Vec<f64> = (0..self.values.len()).map(weight).collect();
        self.vectors.outer_iter().map(|row| row.iter().zip(&weights).map(|(v, w)| w * v * v).sum()).collect()
    }

    /// A draw of `k` distinct items, fewer when the kernel's rank is smaller.
    pub fn sample(&self, k: usize, rng: &mut impl Rng) -> Vec<usize> {
        let chosen = self.sample_vectors(k, rng);
        let mut span = self.vectors.select(Axis(1), &chosen);
        let mut items = Vec::with_capacity(chosen.len());
        for _ in 0..chosen.len() {
            let weights: Vec<f64> = span.outer_iter().map(|row| row.iter().map(|v| v * v).sum()).collect();
            let total: f64 = weights.iter().sum();
            let mut target = rng.random::<f64>() * total;
            let open = (0..weights.len()).filter(|item| !items.contains(item));
            let mut drawn = None;
            for item in open {
                drawn = Some(item);
                target -= weights[item];
                if target <= 0.0 {
                    break;
                }
            }
            let Some(item) = drawn else { break };
            items.push(item);
            span = without(&span, item);
        }
        items
    }

    /// Which eigenvectors span a draw of size `k`.
    fn sample_vectors(&self, k: usize, rng: &mut impl Rng) -> Vec<usize> {
        let largest = self.values.iter().copied().fold(0.0, f64::max);
        // Scaled so that neither powers of large nor of small eigenvalues leave the range of numbers; ratios stay the same.
        let scaled: Vec<f64> = self.values.iter().map(|value| value / largest.max(f64::MIN_POSITIVE)).collect();
        let table = elementary(&scaled, k);
        let mut chosen = Vec::with_capacity(k);
        let mut left = k.min(scaled.iter().filter(|&&value| value > 1e-12).count());
        for n in (0..scaled.len()).rev() {
            if left == 0 {
                break;
            }
            let whole = table[n + 1][left];
            let share = if whole > 0.0 { scaled[n] * table[n][left - 1] / whole } else { 0.0 };
            if left > n || rng.random::<f64>() < share {
                chosen.push(n);
                left -= 1;
            }
        }
        chosen
    }
}

/// Row n holds `e_0 ..= e_k` of the first n values.
fn elementary(values: &[f64], k: usize) -> Vec<Vec<f64>> {
    let mut table = vec![vec![0.0; k + 1]; values.len() + 1];
    table[0][0] = 1.0;
    for (n, value) in values.iter().enumerate() {
        table[n + 1][0] = 1.0;
        for size in 1..=k {
            table[n + 1][size] = table[n][size] + value * table[n][size - 1];
        }
    }
    table
}

/// An orthonormal basis of the part of a column space that is orthogonal to the axis `item`.
fn without(span: &Array2<f64>, item: usize) -> Array2<f64> {
    let pivot = (0..span.ncols()).max_by(|&a, &b| span[[item, a]].abs().total_cmp(&span[[item, b]].abs()));
    let Some(pivot) = pivot.filter(|&column| span[[item, column]] != 0.0) else {
        return span.clone();
    };
    let removed = span.column(pivot).to_owned();
    let mut basis: Vec<ndarray::Array1<f64>> = Vec::with_capacity(span.ncols() - 1);
    for column in (0..span.ncols()).filter(|&column| column != pivot) {
        let mut vector = &span.column(column) - &(&removed * (span[[item, column]] / removed[item]));
        for other in &basis {
            let along = vector.dot(other);
            vector.scaled_add(-along, other);
        }
        let norm = vector.dot(&vector).sqrt();
        if norm > 1e-12 {
            basis.push(vector / norm);
        }
    }
    let mut rest = Array2::zeros((span.nrows(), basis.len()));
    rest.columns_mut().into_iter().zip(basis).for_each(|(mut to, from)| to.assign(&from));
    rest
}

#[cfg(test)]
mod tests {
    use autoal_data::{Seed, Stream};
    use ndarray::array;

    use super::*;

    #[test]
    fn draws_of_two_follow_the_determinants() {
        let kernel = array![[1.0, 0.9, 0.0], [0.9, 1.0, 0.3], [0.0, 0.3, 0.5]];
        let minors = [(0, 1, 0.19), (0, 2, 0.5), (1, 2, 0.41)];
        let total: f64 = minors.iter().map(|m| m.2).sum();
        let spectrum = Spectrum::of(&kernel);
        assert!((spectrum.elementary()[2] - total).abs() < 1e-12);
        let mut rng = Seed(3).rng(Stream::named("test"), 0);
        let draws = 20_000;
        let mut counts = [0.0_f64; 3];
        for _ in 0..draws {
            let mut pair = spectrum.sample(2, &mut rng);
            pair.sort_unstable();
            counts[minors.iter().position(|m| pair == [m.0, m.1]).expect("two distinct items")] += 1.0;
        }
        let chi: f64 = minors
            .iter()
            .zip(counts)
            .map(|(m, n)| (n - m.2 / total * f64::from(draws)).powi(2) / (m.2 / total * f64::from(draws)))
            .sum();
        // The upper 1e-4 point of chi-square with two degrees of freedom.
        assert!(chi < 18.42, "{counts:?}");
    }
}
