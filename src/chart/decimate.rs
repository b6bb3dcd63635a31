//! Fewer points than pixels can show, without losing a spike.
//!
//! # Invariants
//! Every pixel column keeps its first, least, greatest and last point in their order of time, so a
//! line has at most four points a column and the same outline as the full data. Of a flat run only
//! the ends stay.

/// Splits a line where it's undefined and thins every piece; coordinates are pixels.
pub(super) fn pieces(points: impl IntoIterator<Item = (f64, f64)>) -> Vec<Vec<(f64, f64)>> {
    let mut pieces = Vec::new();
    let mut piece: Vec<(f64, f64)> = Vec::new();
    let mut column: Option<Column> = None;
    for (x, y) in points {
        if !(x.is_finite() && y.is_finite()) {
            close(&mut column, &mut piece);
            if !piece.is_empty() {
                pieces.push(std::mem::take(&mut piece));
            }
            continue;
        }
        match &mut column {
            Some(open) if open.index == x.floor() => open.take(x, y),
            _ => {
                close(&mut column, &mut piece);
                column = Some(Column::new(x, y));
            }
        }
    }
    close(&mut column, &mut piece);
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

/// The points of one pixel column that must stay: (order of arrival, x, y).
struct Column {
    index: f64,
    count: usize,
    first: (usize, f64, f64),
    least: (usize, f64, f64),
    greatest: (usize, f64, f64),
    last: (usize, f64, f64),
}

impl Column {
    fn new(x: f64, y: f64) -> Self {
        let point = (0, x, y);
        Self {
            index: x.floor(),
            count: 1,
            first: point,
            least: point,
            greatest: point,
            last: point,
        }
    }
    fn take(&mut self, x: f64, y: f64) {
        let point = (self.count, x, y);
        self.count += 1;
        if y < self.least.2 {
            self.least = point;
        }
        if y > self.greatest.2 {
            self.greatest = point;
        }
        self.last = point;
    }
}

fn close(column: &mut Option<Column>, piece: &mut Vec<(f64, f64)>) {
    let Some(open) = column.take() else { return };
    let mut kept = [open.first, open.least, open.greatest, open.last];
    kept.sort_by_key(|p| p.0);
    let mut before = None;
    for (order, x, y) in kept {
        if before != Some(order) {
            // The middle of a flat run adds nothing.
            if let [.., (_, a), (_, b)] = piece[..]
                && a == y
                && b == y
            {
                piece.pop();
            }
            piece.push((x, y));
        }
        before = Some(order);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spikes_survive() {
        let mut data: Vec<(f64, f64)> = (0..100_000).map(|i| (i as f64 / 100.0, 50.0)).collect();
        data[43_210].1 = 3.0;
        data[43_211].1 = 97.0;
        let thin = pieces(data);
        assert_eq!(thin.len(), 1);
        assert!(thin[0].len() <= 4_000);
        assert!(thin[0].iter().any(|p| p.1 == 3.0) && thin[0].iter().any(|p| p.1 == 97.0));
        assert!(thin[0].windows(2).all(|w| w[0].0 <= w[1].0));
    }

    #[test]
    fn undefined_points_break_the_line() {
        let thin = pieces([(0.0, 1.0), (1.0, f64::NAN), (2.0, 1.0), (3.0, 2.0)]);
        assert_eq!(thin, [vec![(0.0, 1.0)], vec![(2.0, 1.0), (3.0, 2.0)]]);
        assert!(pieces([]).is_empty());
    }

    #[test]
    fn flat_runs_keep_their_ends() {
        let data = (0..1_000).map(|i| (i as f64, if i < 500 { 1.0 } else { 2.0 }));
        assert_eq!(
            pieces(data),
            [vec![(0.0, 1.0), (499.0, 1.0), (500.0, 2.0), (999.0, 2.0)]]
        );
    }

    #[test]
    fn sparse_data_stay_as_they_are() {
        let data = [(0.0, 1.0), (10.0, 5.0), (20.0, 2.0)];
        assert_eq!(pieces(data), [data.to_vec()]);
    }
}
