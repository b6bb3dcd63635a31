//! A window of the last values, in the order they came and in the order of their size.
//!
//! A new value takes the oldest one's place; nothing is allocated after the window is made. Sorted
//! order is kept by moving what lies between, which at a few thousand values is a few hundred
//! nanoseconds.
//!
//! # Invariants
//!
//! - `both_orders_hold_the_same_values`.

/// The last values of a series.
#[derive(Clone, Debug)]
pub struct Window {
    ring: Vec<f64>,
    sorted: Vec<f64>,
    oldest: usize,
}

impl Window {
    /// A window that starts full of given values, oldest first.
    ///
    /// # Panics
    ///
    /// Without any value.
    pub fn filled(values: Vec<f64>) -> Self {
        assert!(!values.is_empty(), "a window has a length");
        let mut sorted = values.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        Self {
            ring: values,
            sorted,
            oldest: 0,
        }
    }

    /// How many values the window holds.
    pub fn len(&self) -> usize {
        self.ring.len()
    }
    /// A window always holds something.
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Takes a value in, in place of the oldest one.
    pub fn push(&mut self, value: f64) {
        let out = std::mem::replace(&mut self.ring[self.oldest], value);
        self.oldest = (self.oldest + 1) % self.ring.len();
        let from = self.rank(out);
        let to = self.rank(value);
        if to > from {
            self.sorted[from..to].rotate_left(1);
            self.sorted[to - 1] = value;
        } else {
            self.sorted[to..=from].rotate_right(1);
            self.sorted[to] = value;
        }
    }

    /// The values, smallest first.
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// The value below which a share `p` of future values is expected to lie: the one of rank `p (n + 1)`,
    /// between neighbours in proportion (Hyndman and Fan 1996, definition 6). Of n + 1 exchangeable
    /// values the last one then falls below it with probability p, whatever their distribution.
    pub fn quantile(&self, p: f64) -> f64 {
        let n = self.sorted.len();
        let rank = (p * (n + 1) as f64 - 1.0).clamp(0.0, (n - 1) as f64);
        let below = rank.floor() as usize;
        let above = (below + 1).min(n - 1);
        let share = rank - below as f64;
        self.sorted[below] * (1.0 - share) + self.sorted[above] * share
    }

    /// Mean of the smallest share `p` of the values, the last of them in proportion.
    pub fn mean_below(&self, p: f64) -> f64 {
        mean_of_first(self.sorted.iter().copied(), p * self.sorted.len() as f64)
    }
    /// Mean of the largest share `p` of the values, the last of them in proportion.
    pub fn mean_above(&self, p: f64) -> f64 {
        mean_of_first(
            self.sorted.iter().rev().copied(),
            p * self.sorted.len() as f64,
        )
    }

    fn rank(&self, value: f64) -> usize {
        self.sorted
            .partition_point(|other| other.total_cmp(&value).is_lt())
    }
}

fn mean_of_first(values: impl Iterator<Item = f64>, count: f64) -> f64 {
    let count = count.max(1.0);
    let mut left = count;
    let mut sum = 0.0;
    for value in values {
        let weight = left.min(1.0);
        sum += weight * value;
        left -= weight;
        if left <= 0.0 {
            break;
        }
    }
    sum / count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Draws, Purpose};

    #[test]
    fn both_orders_hold_the_same_values() {
        let mut stream = Draws::new(1, 0).stream(Purpose::Custom, 0, 0);
        let mut window = Window::filled(vec![0.0; 37]);
        let mut history = vec![0.0; 37];
        for _ in 0..2_000 {
            // Coarse values, so that many are equal.
            let value = (stream.normal() * 3.0).round() / 3.0;
            window.push(value);
            history.push(value);
            let mut last = history[history.len() - 37..].to_vec();
            last.sort_unstable_by(f64::total_cmp);
            let same = window.sorted().iter().zip(&last).all(|(a, b)| a == b);
            assert!(same);
        }
    }

    #[test]
    fn quantiles_and_means_of_a_hundred_numbers() {
        let window = Window::filled((1..=100).rev().map(f64::from).collect());
        assert!((window.quantile(0.05) - 5.05).abs() < 1e-12);
        assert_eq!(window.quantile(0.0), 1.0);
        assert_eq!(window.mean_below(0.05), 3.0);
        assert_eq!(window.mean_above(0.05), 98.0);
        assert!((window.mean_below(0.025) - (1.0 + 2.0 + 1.5) / 2.5).abs() < 1e-12);
    }
}
