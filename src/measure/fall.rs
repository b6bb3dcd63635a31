//! The largest fall of a series from its highest so far, and how it was regained.

/// Watches one positive series. Values that are not positive numbers are passed over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fall {
    high: f64,
    depth: f64,
    from: f64,
    trough: f64,
    trough_at: f64,
    halved_at: Option<f64>,
}

impl Fall {
    /// A series that begins at a value.
    pub const fn from(start: f64) -> Self {
        Self {
            high: start,
            depth: 0.0,
            from: start,
            trough: start,
            trough_at: 0.0,
            halved_at: None,
        }
    }

    /// Sees a value at a time in seconds.
    pub fn see(&mut self, value: f64, time: f64) {
        if !(value > 0.0 && value.is_finite()) {
            return;
        }
        // Also true where there was no start to compare with.
        if value > self.high || self.high.is_nan() {
            self.high = value;
        }
        let depth = 1.0 - value / self.high;
        if depth > self.depth {
            self.depth = depth;
            self.from = self.high;
            self.trough = value;
            self.trough_at = time;
            self.halved_at = None;
        } else if self.halved_at.is_none()
            && self.depth > 0.0
            && value >= self.trough + (self.from - self.trough) / 2.0
        {
            self.halved_at = Some(time);
        }
    }

    /// The largest fall, as a share of the high before it.
    pub const fn depth(&self) -> f64 {
        self.depth
    }
    /// Seconds from the trough until half of the fall was regained, if it was.
    pub fn half_life(&self) -> Option<f64> {
        self.halved_at.map(|time| time - self.trough_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(values: &[f64]) -> Fall {
        let mut fall = Fall::from(100.0);
        for (time, value) in values.iter().enumerate() {
            fall.see(*value, (time + 1) as f64);
        }
        fall
    }

    #[test]
    fn a_fall_is_measured_from_the_highest_so_far() {
        let fall = seen(&[110.0, 88.0, 98.9, 99.0, 120.0]);
        assert!((fall.depth() - 0.2).abs() < 1e-15);
        assert_eq!(fall.half_life(), Some(2.0));
    }

    #[test]
    fn a_deeper_fall_begins_the_wait_anew_and_may_never_end() {
        let fall = seen(&[90.0, 96.0, 80.0, 89.9]);
        assert!((fall.depth() - 0.2).abs() < 1e-15);
        assert_eq!(fall.half_life(), None);
    }

    #[test]
    fn nothing_fell_and_undefined_values_are_passed_over() {
        let fall = seen(&[100.0, f64::NAN, 0.0, 101.0]);
        assert_eq!((fall.depth(), fall.half_life()), (0.0, None));
    }
}
